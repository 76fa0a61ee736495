#include "store/sqlite.h"

#include "base/must.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

struct query {
    struct db *db;
    sqlite3_stmt *stmt;
    struct query *next;
};

struct db {
    sqlite3 *handle;
    struct query *queries;
    unsigned wal_pages;
    char path[256]; /* for error texts */
};

/* What the system said when a file was last written in vain: 0 when it was not. */
static int last_errno(sqlite3_file *file)
{
    int number = 0;
    if (file != NULL && file->pMethods != NULL) {
        (void)file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &number);
    }
    return number;
}

/* A quota and a limit on files are a full disk too; SQLite itself knows only ENOSPC. */
static bool is_disk_full(sqlite3 *handle, int code)
{
    if ((code & 0xff) == SQLITE_FULL || code == SQLITE_IOERR_SHMSIZE) {
        return true;
    }
    if (code != SQLITE_IOERR_WRITE) {
        return false;
    }
    static const int files[] = {SQLITE_FCNTL_JOURNAL_POINTER, SQLITE_FCNTL_FILE_POINTER};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        sqlite3_file *file = NULL;
        (void)sqlite3_file_control(handle, "main", files[i], &file);
        int number = last_errno(file);
        if (number == ENOSPC || number == EDQUOT || number == EFBIG) {
            return true;
        }
    }
    return false;
}

static enum rc rc_of(sqlite3 *handle, int code)
{
    if (is_disk_full(handle, code)) {
        return RC_LIMIT;
    }
    if (code == SQLITE_IOERR_SHORT_READ || code == SQLITE_IOERR_CORRUPTFS) {
        return RC_CORRUPT;
    }
    switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return RC_CORRUPT;
    case SQLITE_CONSTRAINT:
        return RC_CONFLICT;
    case SQLITE_NOMEM:
        return RC_NO_MEMORY;
    case SQLITE_CANTOPEN:
        return sqlite3_system_errno(handle) == ENOENT ? RC_NOT_FOUND : RC_UNAVAILABLE;
    default:
        return RC_UNAVAILABLE;
    }
}

static enum rc fail(struct db *d, struct err *e)
{
    int code = sqlite3_extended_errcode(d->handle);
    enum rc rc = rc_of(d->handle, code);
    const char *what = rc == RC_LIMIT     ? "the disk is full"
                       : rc == RC_CORRUPT ? "damaged, or not a ledger"
                       : (code & 0xff) == SQLITE_BUSY ? "in use by another process"
                                                      : "database error";
    return err_set(e, rc, "%s: %s: %s (%d)", d->path, what, sqlite3_errmsg(d->handle), code);
}

static int on_commit(void *context, sqlite3 *handle, const char *name, int pages)
{
    (void)handle;
    (void)name;
    struct db *d = context;
    d->wal_pages = (unsigned)pages;
    return SQLITE_OK;
}

enum rc db_open(const char *path, bool for_writing, int busy_ms, struct db **ret, struct err *e)
{
    struct db *d = calloc(1, sizeof *d);
    if (d == NULL) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    snprintf(d->path, sizeof d->path, "%s", path);
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                (for_writing ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY);
    int code = sqlite3_open_v2(path, &d->handle, flags, NULL);
    if (d->handle == NULL || code != SQLITE_OK) {
        enum rc rc = d->handle == NULL ? err_set(e, RC_NO_MEMORY, "out of memory") : fail(d, e);
        db_close(d);
        return rc;
    }
    must(sqlite3_busy_timeout(d->handle, busy_ms) == SQLITE_OK);
    must(sqlite3_db_config(d->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL) == SQLITE_OK);
    must(sqlite3_db_config(d->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL) == SQLITE_OK);
    /* It takes the place of the hook that would move the log in the middle of a commit. A later
     * PRAGMA wal_autocheckpoint, even of 0, would take it away again. */
    sqlite3_wal_hook(d->handle, on_commit, d);
    *ret = d;
    return RC_OK;
}

void db_close(struct db *d)
{
    if (d == NULL) {
        return;
    }
    while (d->queries != NULL) {
        struct query *q = d->queries;
        d->queries = q->next;
        sqlite3_finalize(q->stmt);
        free(q);
    }
    must(sqlite3_close(d->handle) == SQLITE_OK);
    free(d);
}

enum rc db_run(struct db *d, const char *sql, struct err *e)
{
    return sqlite3_exec(d->handle, sql, NULL, NULL, NULL) == SQLITE_OK ? RC_OK : fail(d, e);
}

enum rc db_number(struct db *d, const char *sql, int64_t *ret, struct err *e)
{
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v2(d->handle, sql, -1, &stmt, NULL) != SQLITE_OK) {
        return fail(d, e);
    }
    int code = sqlite3_step(stmt);
    enum rc rc = RC_OK;
    if (code == SQLITE_ROW || code == SQLITE_DONE) {
        *ret = code == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
    } else {
        rc = fail(d, e);
    }
    sqlite3_finalize(stmt);
    return rc;
}

void db_rollback(struct db *d)
{
    if (sqlite3_get_autocommit(d->handle) == 0) {
        /* The transaction is lost either way: what matters was said by the call that failed. */
        (void)sqlite3_exec(d->handle, "ROLLBACK", NULL, NULL, NULL);
    }
}

unsigned db_wal_pages(const struct db *d)
{
    return d->wal_pages;
}

enum rc db_checkpoint(struct db *d, bool whole, struct err *e)
{
    int in_log = 0;
    int moved = 0;
    int mode = whole ? SQLITE_CHECKPOINT_FULL : SQLITE_CHECKPOINT_PASSIVE;
    int code = sqlite3_wal_checkpoint_v2(d->handle, NULL, mode, &in_log, &moved);
    if ((code & 0xff) == SQLITE_BUSY && !whole) {
        return RC_OK; /* somebody else does it */
    }
    if (code != SQLITE_OK) {
        return fail(d, e);
    }
    if (whole && moved < in_log) {
        return err_set(e, RC_UNAVAILABLE, "%s: a reader keeps %d pages in the log", d->path, in_log - moved);
    }
    return RC_OK;
}

enum rc db_copy(struct db *d, const char *path, struct err *e)
{
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v2(d->handle, "VACUUM INTO ?1", -1, &stmt, NULL) != SQLITE_OK) {
        return fail(d, e);
    }
    must(sqlite3_bind_text(stmt, 1, path, -1, SQLITE_STATIC) == SQLITE_OK);
    enum rc rc = sqlite3_step(stmt) == SQLITE_DONE ? RC_OK : fail(d, e);
    /* The copy is no file of this connection, so what the system said of it is asked for otherwise. */
    int number = sqlite3_system_errno(d->handle);
    if (rc == RC_UNAVAILABLE && sqlite3_extended_errcode(d->handle) == SQLITE_IOERR_WRITE &&
        (number == ENOSPC || number == EDQUOT || number == EFBIG)) {
        rc = err_set(e, RC_LIMIT, "%s: the disk is full", d->path);
    }
    sqlite3_finalize(stmt);
    return rc;
}

/* --- queries ------------------------------------------------------------------------------------ */

enum rc db_query(struct db *d, struct query **q, const char *sql, struct err *e)
{
    if (*q != NULL) {
        return RC_OK;
    }
    struct query *made = malloc(sizeof *made);
    if (made == NULL) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    *made = (struct query){.db = d};
    if (sqlite3_prepare_v3(d->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &made->stmt, NULL) != SQLITE_OK) {
        free(made);
        return fail(d, e);
    }
    made->next = d->queries;
    d->queries = made;
    *q = made;
    return RC_OK;
}

void query_number(struct query *q, int at, int64_t n)
{
    must(sqlite3_bind_int64(q->stmt, at, n) == SQLITE_OK);
}

void query_bytes(struct query *q, int at, struct str bytes)
{
    /* A null pointer would bind NULL, which is not the empty string. */
    const char *ptr = bytes.ptr == NULL ? "" : bytes.ptr;
    must(sqlite3_bind_blob64(q->stmt, at, ptr, bytes.len, SQLITE_STATIC) == SQLITE_OK);
}

enum rc query_step(struct query *q, bool *ret_row, struct err *e)
{
    int code = sqlite3_step(q->stmt);
    if (code == SQLITE_ROW || code == SQLITE_DONE) {
        *ret_row = code == SQLITE_ROW;
        return RC_OK;
    }
    enum rc rc = fail(q->db, e);
    query_reset(q);
    return rc;
}

enum rc query_run(struct query *q, struct err *e)
{
    bool row;
    enum rc rc = query_step(q, &row, e);
    if (rc == RC_OK) {
        must(!row);
        query_reset(q);
    }
    return rc;
}

void query_reset(struct query *q)
{
    /* It repeats the last step's failure, which was reported then. */
    (void)sqlite3_reset(q->stmt);
}

int64_t query_column_number(struct query *q, int at)
{
    return sqlite3_column_int64(q->stmt, at);
}

struct str query_column_bytes(struct query *q, int at)
{
    const char *ptr = sqlite3_column_blob(q->stmt, at);
    return (struct str){ptr, (size_t)sqlite3_column_bytes(q->stmt, at)};
}

bool query_column_is_null(struct query *q, int at)
{
    return sqlite3_column_type(q->stmt, at) == SQLITE_NULL;
}
