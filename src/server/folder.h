/*
 * server/folder - the data folder: lock, keys, stop file, ballast, free space.
 *
 * pawl.lock is held while a server runs. keys/ledger.key holds the signing seed, 0600. The file `stop`
 * means stopped, even when it can't be read. `ballast` is room that is given back when the disk is full,
 * so that stops and outcomes can still be written.
 */
#ifndef SERVER_FOLDER_H
#define SERVER_FOLDER_H

#include "crypto/crypto.h"
#include "sys/file.h"

enum { BALLAST_BYTES = 4 << 20 };

/* Makes the folder with its keys. RC_CONFLICT when it is there and not empty. */
NODISCARD enum rc folder_create(const char *folder, struct signing_key **ret_key, struct err *e);
/* RC_DENIED when the folder or the key is open to others; RC_INVALID for a network file system. */
/* The key under which secrets are redacted; made with the folder. To be wiped. */
NODISCARD enum rc folder_redact_key(const char *folder, uint8_t ret[static 32], struct err *e);
NODISCARD enum rc folder_open(const char *folder, struct file_lock **ret_lock,
                              struct signing_key **ret_key, struct err *e);

/*
 * Copies both keys out of the folder from, where they lie as they do in keys/; makes folder (0700) and its keys/ when
 * they are not there. RC_CONFLICT when it has another key already; RC_DENIED when from's are open to others.
 */
NODISCARD enum rc folder_take_keys(const char *folder, const char *from, struct err *e);

/* out: at least FILE_PATH_MAX bytes. */
void folder_path(const char *folder, const char *name, char *out);
bool folder_is_stopped(const char *folder);
/* The reason in the stop file, cut and without its newline; "" when it can't be read. */
void folder_stop_reason(const char *folder, char *out, size_t size);
/* Writes the stop file, synced; a null reason takes it away. */
NODISCARD enum rc folder_set_stop(const char *folder, const char *reason, struct err *e);

void folder_make_ballast(const char *folder);
void folder_drop_ballast(const char *folder);
struct folder_room {
    int64_t free_bytes; /* to us: what is reserved for root does not count; 0 when it can't be told */
    int64_t size_bytes;
};
struct folder_room folder_room(const char *folder);
/* Less than 5 % and less than 1 GiB free. */
bool folder_room_is_low(const struct folder_room *room);

#endif
