/* store: a whole copy in one file, taken beside a running writer, and back; over SQLite. */
#include "store/store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static enum rc fail(struct err *e, const char *path, const char *what)
{
    char reason[96];
    enum rc rc = errno == EEXIST ? RC_CONFLICT : errno == ENOSPC || errno == EDQUOT ? RC_LIMIT : RC_UNAVAILABLE;
    return err_set(e, rc, "%s: can't %s: %s", path, what, strerror_r(errno, reason, sizeof reason));
}

/* Its mode before its bytes. */
static enum rc create_empty(const char *path, struct err *e)
{
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0) {
        return fail(e, path, "create");
    }
    close(fd);
    return RC_OK;
}

static enum rc sync_file(const char *path, struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return fail(e, path, "open");
    }
    enum rc rc = fsync(fd) == 0 ? RC_OK : fail(e, path, "sync");
    close(fd);
    return rc;
}

void store_remove(const char *path)
{
    static const char *const companions[] = {"", "-wal", "-shm", "-journal"};
    char name[FILE_PATH_MAX];
    for (size_t i = 0; i < sizeof companions / sizeof *companions; i++) {
        if (snprintf(name, sizeof name, "%s%s", path, companions[i]) < (int)sizeof name) {
            unlink(name);
        }
    }
}

enum rc store_copy(struct store *s, const char *path, struct err *e)
{
    enum rc rc = create_empty(path, e);
    if (rc != RC_OK) {
        return rc;
    }
    rc = db_copy(s->db, path, e);
    rc = rc == RC_OK ? sync_file(path, e) : err_wrap(e, rc, "copy to %s", path);
    if (rc != RC_OK) {
        store_remove(path);
    }
    return rc;
}

enum rc store_adopt(const char *path, struct err *e)
{
    struct db *d = NULL;
    enum rc rc = db_open(path, true, STORE_BUSY_MS, &d, e);
    rc = rc == RC_OK ? db_run(d, "PRAGMA synchronous = FULL; PRAGMA journal_mode = WAL;", e) : rc;
    rc = rc == RC_OK ? db_checkpoint(d, true, e) : rc;
    db_close(d);
    return rc == RC_OK ? sync_file(path, e) : rc;
}
