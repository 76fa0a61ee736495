/*
 * sys/file - whole files, written so that a crash leaves the old one or the new one.
 *
 * Also the lock file that lets one process at a time own a folder, and the check that a secret's
 * file is nobody else's.
 *
 * Errors: RC_NOT_FOUND, RC_DENIED (permissions), RC_LIMIT (too long, or the disk is full),
 *         RC_UNAVAILABLE (any other I/O failure); the text names the path.
 */
#ifndef SYS_FILE_H
#define SYS_FILE_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <sys/types.h>

enum { FILE_PATH_MAX = 4096 }; /* bytes with the NUL */

/* Appends the file's bytes to out, whose max is the limit. Only regular files and pipes. */
NODISCARD enum rc file_read(const char *path, struct buf *out, struct err *e);
/*
 * A temporary file beside it, fsync, rename over path, fsync of the folder: durable on RC_OK. mode is
 * exact, whatever the umask.
 */
NODISCARD enum rc file_write_atomic(const char *path, struct str bytes, mode_t mode, struct err *e);
/* False also when it can't be told. */
bool file_exists(const char *path);
/* RC_DENIED unless it is a regular file of ours that group and others can't touch. */
NODISCARD enum rc file_check_private(const char *path, struct err *e);
/* The same for a folder. */
NODISCARD enum rc folder_check_private(const char *path, struct err *e);
/* Makes a rename or a new file in the folder of path durable. */
NODISCARD enum rc folder_sync(const char *path_in_folder, struct err *e);

/* A held lock. The file stays when it is released; the kernel releases it when the process dies. */
struct file_lock;
/* Makes the file (0600) if needed and writes our pid into it. RC_CONFLICT names the holder's pid. */
NODISCARD enum rc file_lock_take(const char *path, struct file_lock **ret, struct err *e);
void file_lock_free(struct file_lock *l);
DEFINE_CLEANUP(file_lock)

#endif
