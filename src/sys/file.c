#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_STEP 65536

static enum rc rc_of_errno(int number)
{
    switch (number) {
    case ENOENT:
    case ENOTDIR:
        return RC_NOT_FOUND;
    case EACCES:
    case EPERM:
    case EROFS:
        return RC_DENIED;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return RC_LIMIT;
    case ENOMEM:
        return RC_NO_MEMORY;
    default:
        return RC_UNAVAILABLE;
    }
}

/* "<path>: can't <what>: <reason>", from errno. */
static enum rc fail(struct err *e, const char *path, const char *what)
{
    int number = errno;
    char reason[96];
    return err_set(e, rc_of_errno(number), "%s: can't %s: %s", path, what,
                   strerror_r(number, reason, sizeof reason));
}

static enum rc read_all(int fd, const char *path, struct buf *out, struct err *e)
{
    for (;;) {
        size_t room = out->max - out->len;
        /* At the limit one byte more is asked for elsewhere, to tell "full" from "too long". */
        char spare = 0;
        char *at = room == 0 ? &spare : buf_reserve(out, room < READ_STEP ? room : READ_STEP);
        if (at == NULL) {
            return err_set(e, out->rc, "%s: out of memory", path);
        }
        ssize_t n = read(fd, at, room == 0 ? 1 : room < READ_STEP ? room : READ_STEP);
        if (n < 0 && errno != EINTR) {
            return fail(e, path, "read");
        }
        if (n == 0) {
            return RC_OK;
        }
        if (n > 0 && room == 0) {
            out->rc = RC_LIMIT;
            return err_set(e, RC_LIMIT, "%s: longer than %zu bytes", path, out->max);
        }
        if (n > 0) {
            buf_grown(out, (size_t)n);
        }
    }
}

enum rc file_read(const char *path, struct buf *out, struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        return fail(e, path, "open");
    }
    enum rc rc = read_all(fd, path, out, e);
    close(fd);
    return rc;
}

static bool write_all(int fd, struct str bytes)
{
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        if (n > 0) {
            bytes.ptr += n;
            bytes.len -= (size_t)n;
        }
    }
    return true;
}

/* Everything up to the rename; the caller removes the temporary file when this fails. */
static enum rc fill_temporary(int fd, const char *path, struct str bytes, mode_t mode, struct err *e)
{
    if (!write_all(fd, bytes)) {
        return fail(e, path, "write");
    }
    if (fchmod(fd, mode) != 0) {
        return fail(e, path, "set permissions");
    }
    return fsync(fd) == 0 ? RC_OK : fail(e, path, "sync");
}

enum rc folder_sync(const char *path_in_folder, struct err *e)
{
    char folder[FILE_PATH_MAX];
    const char *slash = strrchr(path_in_folder, '/');
    size_t len = slash == NULL ? 0 : (size_t)(slash - path_in_folder);
    if (len >= sizeof folder) {
        return err_set(e, RC_INVALID, "path is longer than %d bytes", FILE_PATH_MAX);
    }
    snprintf(folder, sizeof folder, "%.*s", (int)len, path_in_folder);
    const char *name = len > 0 ? folder : slash == NULL ? "." : "/";
    int fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return fail(e, name, "open");
    }
    enum rc rc = fsync(fd) == 0 ? RC_OK : fail(e, name, "sync");
    close(fd);
    return rc;
}

enum rc file_write_atomic(const char *path, struct str bytes, mode_t mode, struct err *e)
{
    char temporary[FILE_PATH_MAX];
    int len = snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);
    if (len < 0 || (size_t)len >= sizeof temporary) {
        return err_set(e, RC_INVALID, "path is longer than %d bytes", FILE_PATH_MAX);
    }
    int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0) {
        return fail(e, path, "create");
    }
    enum rc rc = fill_temporary(fd, path, bytes, mode, e);
    close(fd);
    if (rc == RC_OK && rename(temporary, path) != 0) {
        rc = fail(e, path, "rename into place");
    }
    if (rc != RC_OK) {
        unlink(temporary);
        return rc;
    }
    return folder_sync(path, e);
}

bool file_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

static enum rc check_private(const char *path, mode_t type, const char *what, struct err *e)
{
    struct stat st;
    if (lstat(path, &st) != 0) {
        return fail(e, path, "look at");
    }
    if ((st.st_mode & S_IFMT) != type) {
        return err_set(e, RC_DENIED, "%s: is not a %s", path, what);
    }
    if (st.st_uid != geteuid()) {
        return err_set(e, RC_DENIED, "%s: belongs to uid %u, not to %u", path, (unsigned)st.st_uid,
                       (unsigned)geteuid());
    }
    if ((st.st_mode & 077) != 0) {
        return err_set(e, RC_DENIED, "%s: mode %04o lets others in; make it %s", path,
                       (unsigned)st.st_mode & 07777, type == S_IFDIR ? "0700" : "0600");
    }
    return RC_OK;
}

enum rc file_check_private(const char *path, struct err *e)
{
    return check_private(path, S_IFREG, "regular file", e);
}

enum rc folder_check_private(const char *path, struct err *e)
{
    return check_private(path, S_IFDIR, "folder", e);
}

struct file_lock {
    int fd;
};

/* The pid a lock file holds, or 0. */
static long lock_holder(int fd)
{
    char text[24] = "";
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    return n > 0 ? strtol(text, NULL, 10) : 0;
}

static enum rc lock_fd(int fd, const char *path, struct err *e)
{
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) {
            return fail(e, path, "lock");
        }
        return err_set(e, RC_CONFLICT, "%s: held by process %ld", path, lock_holder(fd));
    }
    char text[24];
    int len = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)len, 0) != len) {
        return fail(e, path, "write");
    }
    return RC_OK;
}

enum rc file_lock_take(const char *path, struct file_lock **ret, struct err *e)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return fail(e, path, "open");
    }
    enum rc rc = lock_fd(fd, path, e);
    struct file_lock *l = rc == RC_OK ? malloc(sizeof *l) : NULL;
    if (l == NULL) {
        close(fd);
        return rc != RC_OK ? rc : err_set(e, RC_NO_MEMORY, "out of memory");
    }
    l->fd = fd;
    *ret = l;
    return RC_OK;
}

void file_lock_free(struct file_lock *l)
{
    if (l != NULL) {
        close(l->fd);
        free(l);
    }
}
