/* store: opening, appending, housekeeping; over SQLite. */
#include "store/store_internal.h"

#include "base/must.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { APPLICATION_ID = 0x5041574c }; /* "PAWL" */

/*
 * One row per entry, in order of seq and with no other index: a random key on this path costs 2.5 to 4
 * times. Salt and body are null once they are erased. A tile's row is level << 56 | index. Which entries name a blob,
 * and what must be over before it may go, is in blob_ref: blobs are rare, so two rows more for each cost nothing.
 */
static const char schema[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE entry(seq INTEGER PRIMARY KEY, header BLOB NOT NULL, salt BLOB, body BLOB);"
    "CREATE TABLE tile(id INTEGER PRIMARY KEY, root BLOB NOT NULL, hashes BLOB NOT NULL);"
    "CREATE TABLE checkpoint(id INTEGER PRIMARY KEY CHECK(id = 0), size INTEGER NOT NULL, note BLOB NOT NULL);"
    "CREATE TABLE blob(id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, bytes BLOB NOT NULL);"
    "CREATE TABLE blob_ref(blob INTEGER NOT NULL, seq INTEGER NOT NULL, owner INTEGER NOT NULL,"
    " erasable INTEGER NOT NULL, PRIMARY KEY(blob, seq)) WITHOUT ROWID;"
    "CREATE TABLE snapshot(at_seq INTEGER, part INTEGER, bytes BLOB NOT NULL, PRIMARY KEY(at_seq, part));"
    "PRAGMA application_id = 0x5041574c;"
    "PRAGMA user_version = 1;"
    "COMMIT;";
_Static_assert(STORE_FORMAT == 1, "the schema says so");

static enum rc set_up(struct db *d, bool for_writing, struct err *e)
{
    enum rc rc = db_run(d, "PRAGMA cell_size_check = ON; PRAGMA cache_size = -8192;", e);
    if (rc != RC_OK || !for_writing) {
        return rc;
    }
    return db_run(d, "PRAGMA synchronous = FULL;", e);
}

/* A file system without shared memory leaves another mode in place and says nothing. */
static enum rc check_wal(struct db *d, const char *path, struct err *e)
{
    int64_t wal = 0;
    enum rc rc = db_number(d, "SELECT count(*) FROM pragma_journal_mode WHERE journal_mode = 'wal'", &wal, e);
    return rc != RC_OK || wal == 1 ? rc : err_set(e, RC_UNAVAILABLE, "%s: no write-ahead log on this file system", path);
}

static enum rc check_format(struct db *d, const char *path, struct err *e)
{
    int64_t application = 0;
    int64_t format = 0;
    enum rc rc = db_number(d, "PRAGMA application_id", &application, e);
    rc = rc == RC_OK ? db_number(d, "PRAGMA user_version", &format, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    if (application != APPLICATION_ID) {
        return err_set(e, RC_CORRUPT, "%s: is not a ledger", path);
    }
    if (format != STORE_FORMAT) {
        return err_set(e, RC_CORRUPT, "%s: ledger format %" PRId64 ", this program reads format %d", path,
                       format, STORE_FORMAT);
    }
    return RC_OK;
}

static enum rc create_tables(struct db *d, const char *path, struct err *e)
{
    char page_size[64];
    snprintf(page_size, sizeof page_size, "PRAGMA page_size = %d;", STORE_PAGE_SIZE);
    enum rc rc = db_run(d, page_size, e);
    rc = rc == RC_OK ? db_run(d, "PRAGMA journal_mode = WAL;", e) : rc;
    rc = rc == RC_OK ? set_up(d, true, e) : rc;
    rc = rc == RC_OK ? check_wal(d, path, e) : rc;
    rc = rc == RC_OK ? db_run(d, schema, e) : rc;
    /* Out of the log and into the file, and the file's name into its folder. */
    rc = rc == RC_OK ? db_checkpoint(d, true, e) : rc;
    return rc == RC_OK ? folder_sync(path, e) : rc;
}

/* The empty file with its mode: SQLite gives its companions the same. */
static enum rc create_file(const char *path, struct err *e)
{
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0) {
        enum rc rc = errno == EEXIST ? RC_CONFLICT : errno == ENOENT ? RC_NOT_FOUND : RC_UNAVAILABLE;
        char reason[96];
        return err_set(e, rc, "%s: can't create: %s", path, strerror_r(errno, reason, sizeof reason));
    }
    close(fd);
    return RC_OK;
}

static enum rc take_fence(struct store *s, const char *path, struct err *e)
{
    char name[FILE_PATH_MAX];
    int len = snprintf(name, sizeof name, "%s-lock", path);
    if (len < 0 || (size_t)len >= sizeof name) {
        return err_set(e, RC_INVALID, "path is longer than %d bytes", FILE_PATH_MAX);
    }
    return file_lock_take(name, &s->lock, e);
}

static enum rc open_existing(struct store *s, const char *path, bool for_writing, struct err *e)
{
    if (!file_exists(path)) {
        return err_set(e, RC_NOT_FOUND, "%s: there is no ledger", path);
    }
    enum rc rc = for_writing ? take_fence(s, path, e) : RC_OK;
    rc = rc == RC_OK ? db_open(path, for_writing, STORE_BUSY_MS, &s->db, e) : rc;
    rc = rc == RC_OK ? set_up(s->db, for_writing, e) : rc;
    rc = rc == RC_OK ? check_format(s->db, path, e) : rc;
    rc = rc == RC_OK && for_writing ? check_wal(s->db, path, e) : rc;
    return rc == RC_OK && for_writing ? store_size(s, &s->size, e) : rc;
}

static enum rc create(struct store *s, const char *path, struct err *e)
{
    if (file_exists(path)) {
        return err_set(e, RC_CONFLICT, "%s: exists", path);
    }
    enum rc rc = take_fence(s, path, e);
    rc = rc == RC_OK ? create_file(path, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    rc = db_open(path, true, STORE_BUSY_MS, &s->db, e);
    rc = rc == RC_OK ? create_tables(s->db, path, e) : rc;
    if (rc != RC_OK) {
        unlink(path);
    }
    return rc;
}

enum rc store_open(const char *path, enum store_mode mode, struct store **ret, struct err *e)
{
    struct store *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    enum rc rc = mode == STORE_CREATE ? create(s, path, e) : open_existing(s, path, mode == STORE_WRITE, e);
    if (rc != RC_OK) {
        store_close(s);
        return rc;
    }
    *ret = s;
    return RC_OK;
}

void store_close(struct store *s)
{
    if (s != NULL) {
        db_close(s->db);
        file_lock_free(s->lock);
        free(s);
    }
}

/* --- appending ----------------------------------------------------------------------------------- */

static enum rc check_batch(const struct store *s, const struct batch *b, struct err *e)
{
    must(s->lock != NULL);
    if (b->entry_count > STORE_BATCH_MAX) {
        return err_set(e, RC_INVALID, "a batch of %zu entries: at most %d go together", b->entry_count,
                       STORE_BATCH_MAX);
    }
    for (size_t i = 0; i < b->entry_count; i++) {
        if (b->entries[i].seq != s->size + i) {
            return err_set(e, RC_CONFLICT, "entry %" PRIu64 " does not follow the log's %" PRIu64,
                           b->entries[i].seq, s->size + i);
        }
    }
    for (size_t i = 0; i < b->blob_count; i++) {
        if (b->blobs[i].bytes.len > STORE_BLOB_MAX) {
            return err_set(e, RC_INVALID, "a blob of %zu bytes: at most %d are kept", b->blobs[i].bytes.len,
                           STORE_BLOB_MAX);
        }
    }
    return RC_OK;
}

static enum rc insert_entries(struct store *s, const struct batch *b, struct err *e)
{
    enum rc rc = db_query(s->db, &s->insert_entry, "INSERT INTO entry VALUES(?1, ?2, ?3, ?4)", e);
    for (size_t i = 0; i < b->entry_count && rc == RC_OK; i++) {
        const struct stored *entry = &b->entries[i];
        query_number(s->insert_entry, 1, (int64_t)entry->seq);
        query_bytes(s->insert_entry, 2, entry->header);
        query_bytes(s->insert_entry, 3, (struct str){(const char *)entry->salt, sizeof entry->salt});
        query_bytes(s->insert_entry, 4, entry->body);
        rc = query_run(s->insert_entry, e);
    }
    return rc;
}

static enum rc insert_tiles(struct store *s, const struct batch *b, struct err *e)
{
    enum rc rc = db_query(s->db, &s->insert_tile, "INSERT INTO tile VALUES(?1, ?2, ?3)", e);
    for (size_t i = 0; i < b->tile_count && rc == RC_OK; i++) {
        const struct tile *tile = &b->tiles[i];
        query_number(s->insert_tile, 1, tile_row(tile->level, tile->index));
        query_bytes(s->insert_tile, 2, digest_str(&tile->root));
        query_bytes(s->insert_tile, 3, (struct str){(const char *)tile->hashes, sizeof tile->hashes});
        rc = query_run(s->insert_tile, e);
    }
    return rc;
}

enum rc store_begin(struct store *s, struct err *e)
{
    enum rc rc = db_query(s->db, &s->begin, "BEGIN IMMEDIATE", e);
    rc = rc == RC_OK ? db_query(s->db, &s->commit, "COMMIT", e) : rc;
    return rc == RC_OK ? query_run(s->begin, e) : rc;
}

/* Other failures than those a caller can act on are one. */
enum rc store_end(struct store *s, enum rc rc, struct err *e)
{
    rc = rc == RC_OK ? query_run(s->commit, e) : rc;
    if (rc != RC_OK) {
        db_rollback(s->db);
    }
    bool known = rc == RC_OK || rc == RC_LIMIT || rc == RC_CONFLICT || rc == RC_CORRUPT;
    return known ? rc : RC_UNAVAILABLE;
}

enum rc store_append(struct store *s, const struct batch *b, struct err *e)
{
    enum rc rc = check_batch(s, b, e);
    if (rc != RC_OK) {
        return rc;
    }
    rc = store_begin(s, e);
    rc = rc == RC_OK ? insert_entries(s, b, e) : rc;
    rc = rc == RC_OK ? insert_tiles(s, b, e) : rc;
    rc = rc == RC_OK ? blobs_insert(s, b, e) : rc;
    rc = store_end(s, rc, e);
    if (rc == RC_OK) {
        s->size += b->entry_count;
    }
    return rc;
}

enum rc store_put_checkpoint(struct store *s, uint64_t size, struct str note, struct err *e)
{
    must(s->lock != NULL && note.len <= CHECKPOINT_MAX);
    enum rc rc = db_query(s->db, &s->put_checkpoint, "INSERT OR REPLACE INTO checkpoint VALUES(0, ?1, ?2)", e);
    rc = rc == RC_OK ? store_begin(s, e) : rc;
    if (rc == RC_OK) {
        query_number(s->put_checkpoint, 1, (int64_t)size);
        query_bytes(s->put_checkpoint, 2, note);
        rc = query_run(s->put_checkpoint, e);
    }
    return store_end(s, rc, e);
}

static enum rc put_parts(struct store *s, uint64_t at_seq, const struct str *parts, size_t count, struct err *e)
{
    enum rc rc = db_query(s->db, &s->put_part, "INSERT OR REPLACE INTO snapshot VALUES(?1, ?2, ?3)", e);
    for (size_t i = 0; i < count && rc == RC_OK; i++) {
        query_number(s->put_part, 1, (int64_t)at_seq);
        query_number(s->put_part, 2, (int64_t)i);
        query_bytes(s->put_part, 3, parts[i]);
        rc = query_run(s->put_part, e);
    }
    return rc;
}

enum rc store_put_snapshot(struct store *s, uint64_t at_seq, const struct str *parts, size_t part_count,
                           struct err *e)
{
    must(s->lock != NULL);
    for (size_t i = 0; i < part_count; i++) {
        if (parts[i].len > STORE_PART_MAX) {
            return err_set(e, RC_INVALID, "a snapshot part of %zu bytes: at most %d are kept", parts[i].len,
                           STORE_PART_MAX);
        }
    }
    enum rc rc = db_query(s->db, &s->drop_snapshots,
                          "DELETE FROM snapshot WHERE at_seq = ?1 OR at_seq NOT IN (SELECT DISTINCT at_seq "
                          "FROM snapshot WHERE at_seq <> ?1 ORDER BY at_seq DESC LIMIT ?2)",
                          e);
    rc = rc == RC_OK ? store_begin(s, e) : rc;
    if (rc == RC_OK) {
        query_number(s->drop_snapshots, 1, (int64_t)at_seq);
        query_number(s->drop_snapshots, 2, STORE_SNAPSHOTS_MAX - 1);
        rc = query_run(s->drop_snapshots, e);
    }
    rc = rc == RC_OK ? put_parts(s, at_seq, parts, part_count, e) : rc;
    return store_end(s, rc, e);
}

/* --- housekeeping ---------------------------------------------------------------------------------- */

enum rc store_tidy(struct store *s, bool idle, struct err *e)
{
    unsigned pages = db_wal_pages(s->db);
    unsigned limit = (idle ? STORE_WAL_IDLE_BYTES : STORE_WAL_MAX_BYTES) / STORE_PAGE_SIZE;
    if (pages < s->tidied_pages) {
        s->tidied_pages = 0; /* the log began anew */
    }
    /* While a reader keeps it from beginning anew, only what was added since counts. */
    if (pages - s->tidied_pages <= limit) {
        return RC_OK;
    }
    s->tidied_pages = pages;
    return db_checkpoint(s->db, false, e);
}

enum rc store_settle(struct store *s, struct err *e)
{
    return db_checkpoint(s->db, true, e);
}
