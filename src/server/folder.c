#include "server/folder.h"

#include "base/encode.h"
#include "control/control.h"
#include "sys/random.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

void folder_path(const char *folder, const char *name, char *out)
{
    snprintf(out, FILE_PATH_MAX, "%s/%s", folder, name);
}

static enum rc is_empty(const char *folder, struct err *e)
{
    DIR *d = opendir(folder);
    if (d == NULL) {
        return err_set(e, RC_UNAVAILABLE, "%s: %s", folder, strerror(errno));
    }
    enum rc rc = RC_OK;
    for (const struct dirent *entry = readdir(d); entry != NULL && rc == RC_OK; entry = readdir(d)) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            rc = err_set(e, RC_CONFLICT, "%s is not empty: it holds %s", folder, entry->d_name);
        }
    }
    closedir(d);
    return rc;
}

static const char LEDGER_KEY[] = "keys/ledger.key";
static const char REDACT_KEY[] = "keys/redact.key";

static enum rc make_folder(const char *path, struct err *e)
{
    if (mkdir(path, 0700) == 0) {
        return RC_OK;
    }
    return errno == EEXIST ? RC_CONFLICT : err_set(e, RC_UNAVAILABLE, "%s: %s", path, strerror(errno));
}

/* Both kinds of key are 32 bytes, kept as hexadecimal digits. */
static enum rc write_key(const char *folder, const char *name, const uint8_t seed[ED25519_SEED_LEN], struct err *e)
{
    char path[FILE_PATH_MAX];
    char text[2 * ED25519_SEED_LEN + 1];
    folder_path(folder, name, path);
    hex_encode(seed, ED25519_SEED_LEN, text);
    text[sizeof text - 1] = '\n';
    enum rc rc = file_write_atomic(path, (struct str){text, sizeof text}, 0600, e);
    wipe(text, sizeof text);
    return rc;
}

enum rc folder_create(const char *folder, struct signing_key **ret_key, struct err *e)
{
    enum rc rc = make_folder(folder, e);
    if (rc == RC_CONFLICT) {
        rc = is_empty(folder, e);
        if (rc == RC_OK && chmod(folder, 0700) != 0) {
            rc = err_set(e, RC_UNAVAILABLE, "%s: %s", folder, strerror(errno));
        }
    }
    char keys[FILE_PATH_MAX];
    folder_path(folder, "keys", keys);
    rc = rc == RC_OK ? make_folder(keys, e) : rc;
    uint8_t seed[ED25519_SEED_LEN];
    random_bytes(seed, sizeof seed);
    rc = rc == RC_OK ? write_key(folder, LEDGER_KEY, seed, e) : rc;
    rc = rc == RC_OK ? signing_key_new(seed, ret_key, e) : rc;
    random_bytes(seed, sizeof seed);
    rc = rc == RC_OK ? write_key(folder, REDACT_KEY, seed, e) : rc;
    wipe(seed, sizeof seed);
    return rc;
}

static enum rc read_key(const char *folder, const char *name, uint8_t seed[static ED25519_SEED_LEN], struct err *e)
{
    char path[FILE_PATH_MAX];
    struct buf text;
    buf_init(&text, 256);
    folder_path(folder, name, path);
    enum rc rc = file_check_private(path, e);
    rc = rc == RC_OK ? file_read(path, &text, e) : rc;
    if (rc == RC_OK && !hex_decode(str_trim(buf_view(&text)), seed, ED25519_SEED_LEN)) {
        rc = err_set(e, RC_CORRUPT, "%s: expected 64 hexadecimal digits", path);
    }
    if (text.data != NULL) {
        wipe(text.data, text.len);
    }
    buf_done(&text);
    return rc;
}

static enum rc take_key(const char *folder, const char *from, const char *name, struct err *e)
{
    uint8_t given[ED25519_SEED_LEN];
    uint8_t there[ED25519_SEED_LEN];
    char path[FILE_PATH_MAX];
    folder_path(folder, name, path);
    enum rc rc = read_key(from, strchr(name, '/') + 1, given, e);
    if (rc == RC_OK && file_exists(path)) {
        rc = read_key(folder, name, there, e);
        if (rc == RC_OK && memcmp(given, there, sizeof given) != 0) {
            rc = err_set(e, RC_CONFLICT, "%s is there, and another one than in %s", path, from);
        }
    } else if (rc == RC_OK) {
        rc = write_key(folder, name, given, e);
    }
    wipe(given, sizeof given);
    wipe(there, sizeof there);
    return rc;
}

enum rc folder_take_keys(const char *folder, const char *from, struct err *e)
{
    char keys[FILE_PATH_MAX];
    folder_path(folder, "keys", keys);
    enum rc rc = make_folder(folder, e);
    rc = rc == RC_OK || rc == RC_CONFLICT ? make_folder(keys, e) : rc;
    rc = rc == RC_CONFLICT ? RC_OK : rc;
    rc = rc == RC_OK ? take_key(folder, from, LEDGER_KEY, e) : rc;
    return rc == RC_OK ? take_key(folder, from, REDACT_KEY, e) : rc;
}

/* SQLite's locks and syncs can't be trusted there. */
static enum rc is_local(const char *folder, struct err *e)
{
    struct statfs fs;
    if (statfs(folder, &fs) != 0) {
        return err_set(e, RC_NOT_FOUND, "%s: %s", folder, strerror(errno));
    }
    const long cifs = 0xff534d42;
    const long smb2 = 0xfe534d42;
    bool network = fs.f_type == NFS_SUPER_MAGIC || fs.f_type == SMB_SUPER_MAGIC || fs.f_type == cifs ||
                   fs.f_type == smb2;
    return network ? err_set(e, RC_INVALID, "%s lies on a network file system", folder) : RC_OK;
}

enum rc folder_redact_key(const char *folder, uint8_t ret[static 32], struct err *e)
{
    return read_key(folder, REDACT_KEY, ret, e);
}

enum rc folder_open(const char *folder, struct file_lock **ret_lock, struct signing_key **ret_key,
                    struct err *e)
{
    char path[FILE_PATH_MAX];
    folder_path(folder, "pawl.lock", path);
    enum rc rc = is_local(folder, e);
    rc = rc == RC_OK ? folder_check_private(folder, e) : rc;
    rc = rc == RC_OK ? file_lock_take(path, ret_lock, e) : rc;
    uint8_t seed[ED25519_SEED_LEN];
    rc = rc == RC_OK ? read_key(folder, LEDGER_KEY, seed, e) : rc;
    rc = rc == RC_OK ? signing_key_new(seed, ret_key, e) : rc;
    wipe(seed, sizeof seed);
    return rc;
}

/* --- stop file ----------------------------------------------------------------------------------------------- */

bool folder_is_stopped(const char *folder)
{
    char path[FILE_PATH_MAX];
    struct stat st;
    folder_path(folder, "stop", path);
    /* Whatever keeps us from looking counts as there. */
    return lstat(path, &st) == 0 || errno != ENOENT;
}

void folder_stop_reason(const char *folder, char *out, size_t size)
{
    char path[FILE_PATH_MAX];
    struct buf text;
    buf_init(&text, CONTROL_REASON_MAX);
    folder_path(folder, "stop", path);
    out[0] = '\0';
    if (file_read(path, &text, NULL) == RC_OK &&
        !str_to_c(str_trim(str_slice(buf_view(&text), 0, size - 1)), out, size)) {
        out[0] = '\0';
    }
    buf_done(&text);
}

enum rc folder_set_stop(const char *folder, const char *reason, struct err *e)
{
    char path[FILE_PATH_MAX];
    folder_path(folder, "stop", path);
    if (reason != NULL) {
        return file_write_atomic(path, str_from(reason), 0600, e);
    }
    if (unlink(path) != 0 && errno != ENOENT) {
        return err_set(e, RC_UNAVAILABLE, "%s: %s", path, strerror(errno));
    }
    return folder_sync(path, e);
}

/* --- room ------------------------------------------------------------------------------------------------------ */

void folder_make_ballast(const char *folder)
{
    char path[FILE_PATH_MAX];
    folder_path(folder, "ballast", path);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    /* Best effort: without room for it there is none to give back. */
    if (fd >= 0 && posix_fallocate(fd, 0, BALLAST_BYTES) != 0) {
        unlink(path);
    }
    if (fd >= 0) {
        close(fd);
    }
}

void folder_drop_ballast(const char *folder)
{
    char path[FILE_PATH_MAX];
    folder_path(folder, "ballast", path);
    unlink(path);
}

struct folder_room folder_room(const char *folder)
{
    struct statvfs fs;
    if (statvfs(folder, &fs) != 0) {
        return (struct folder_room){0, 0};
    }
    return (struct folder_room){(int64_t)(fs.f_bavail * fs.f_frsize), (int64_t)(fs.f_blocks * fs.f_frsize)};
}

bool folder_room_is_low(const struct folder_room *room)
{
    /* By division: a hundred times the bytes of a large disk does not fit. */
    return room->free_bytes < DISK_RESERVE_BYTES && room->free_bytes <= room->size_bytes / 100 * DISK_RESERVE_PCT;
}
