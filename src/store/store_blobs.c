/* store: blobs, the entries that name them, and their erasure; over SQLite. */
#include "store/store_internal.h"

#include "base/must.h"

/* --- writing ---------------------------------------------------------------------------------------- */

static enum rc insert_ref(struct store *s, const struct stored_blob *blob, struct err *e)
{
    query_bytes(s->insert_blob_ref, 1, digest_str(&blob->digest));
    query_number(s->insert_blob_ref, 2, (int64_t)blob->seq);
    query_number(s->insert_blob_ref, 3, (int64_t)blob->owner);
    query_number(s->insert_blob_ref, 4, blob->erasable ? 1 : 0);
    return query_run(s->insert_blob_ref, e);
}

enum rc blobs_insert(struct store *s, const struct batch *b, struct err *e)
{
    /* The same digest is the same bytes: one row is enough. */
    enum rc rc = db_query(s->db, &s->insert_blob, "INSERT OR IGNORE INTO blob(digest, bytes) VALUES(?1, ?2)", e);
    rc = rc == RC_OK ? db_query(s->db, &s->insert_blob_ref,
                                "INSERT OR IGNORE INTO blob_ref SELECT id, ?2, ?3, ?4 FROM blob WHERE digest = ?1", e)
                     : rc;
    for (size_t i = 0; i < b->blob_count && rc == RC_OK; i++) {
        query_bytes(s->insert_blob, 1, digest_str(&b->blobs[i].digest));
        query_bytes(s->insert_blob, 2, b->blobs[i].bytes);
        rc = query_run(s->insert_blob, e);
        rc = rc == RC_OK ? insert_ref(s, &b->blobs[i], e) : rc;
    }
    return rc;
}

/* --- erasing ---------------------------------------------------------------------------------------- */

/* Blobs that nothing but an owner may keep, as far as one step looks. */
struct candidates {
    struct candidate {
        int64_t id;
        uint64_t bytes;
    } all[STORE_ERASE_LOOKED];
    size_t count;
    int64_t seen; /* up to here, whether they are candidates or not */
    bool more;
};

static enum rc find_candidates(struct store *s, uint64_t through_seq, int64_t after, struct candidates *c,
                               struct err *e)
{
    /* The length of a blob is in its row's head: its bytes are not read for it. */
    enum rc rc = db_query(s->db, &s->select_blob_groups,
                          "SELECT r.blob, length(b.bytes), max(r.seq), min(r.erasable) FROM blob_ref r "
                          "JOIN blob b ON b.id = r.blob WHERE r.blob > ?1 GROUP BY r.blob ORDER BY r.blob LIMIT ?2",
                          e);
    if (rc != RC_OK) {
        return rc;
    }
    struct query *q = s->select_blob_groups;
    query_number(q, 1, after);
    query_number(q, 2, STORE_ERASE_LOOKED);
    size_t looked = 0;
    bool row = true;
    c->count = 0;
    c->seen = after;
    while ((rc = query_step(q, &row, e)) == RC_OK && row) {
        looked++;
        c->seen = query_column_number(q, 0);
        if ((uint64_t)query_column_number(q, 2) <= through_seq && query_column_number(q, 3) != 0) {
            c->all[c->count++] = (struct candidate){c->seen, (uint64_t)query_column_number(q, 1)};
        }
    }
    if (rc == RC_OK) {
        query_reset(q);
    }
    c->more = looked == STORE_ERASE_LOOKED;
    return rc;
}

static bool is_kept(const struct blob_erasure *what, uint64_t owner)
{
    size_t from = 0;
    size_t to = what->kept_count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (what->kept[middle] == owner) {
            return true;
        }
        if (what->kept[middle] < owner) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return false;
}

static enum rc has_kept_owner(struct store *s, const struct blob_erasure *what, int64_t id, bool *ret, struct err *e)
{
    enum rc rc = db_query(s->db, &s->select_blob_owners, "SELECT owner FROM blob_ref WHERE blob = ?1", e);
    if (rc != RC_OK) {
        return rc;
    }
    query_number(s->select_blob_owners, 1, id);
    bool row = true;
    *ret = false;
    while (!*ret && (rc = query_step(s->select_blob_owners, &row, e)) == RC_OK && row) {
        *ret = is_kept(what, (uint64_t)query_column_number(s->select_blob_owners, 0));
    }
    if (rc == RC_OK) {
        query_reset(s->select_blob_owners);
    }
    return rc;
}

static enum rc delete_one(struct store *s, int64_t id, struct err *e)
{
    query_number(s->delete_blob, 1, id);
    query_number(s->delete_blob_refs, 1, id);
    enum rc rc = query_run(s->delete_blob, e);
    return rc == RC_OK ? query_run(s->delete_blob_refs, e) : rc;
}

/* Those of the candidates that may go, until a step is full; *cursor is behind the last that was looked at. */
static enum rc take_candidates(struct store *s, const struct blob_erasure *what, const struct candidates *c,
                               int64_t *cursor, struct erased_blobs *ret, struct err *e)
{
    for (size_t i = 0; i < c->count; i++) {
        if (ret->count == STORE_ERASE_BLOBS || ret->bytes >= STORE_ERASE_BYTES) {
            *cursor = c->all[i].id - 1;
            return RC_OK;
        }
        bool kept = false;
        enum rc rc = has_kept_owner(s, what, c->all[i].id, &kept, e);
        rc = rc == RC_OK && !kept ? delete_one(s, c->all[i].id, e) : rc;
        if (rc != RC_OK) {
            return rc;
        }
        ret->count += kept ? 0 : 1;
        ret->bytes += kept ? 0 : c->all[i].bytes;
    }
    *cursor = c->seen;
    return RC_OK;
}

/* What is erased is not to be read from the file's free pages either. Elsewhere that would only cost. */
static enum rc overwrite(struct store *s, bool on, struct err *e)
{
    return db_run(s->db, on ? "PRAGMA secure_delete = ON;" : "PRAGMA secure_delete = OFF;", e);
}

enum rc store_erase_blobs(struct store *s, const struct blob_erasure *what, int64_t *cursor, struct erased_blobs *ret,
                          bool *ret_more, struct err *e)
{
    must(s->lock != NULL);
    struct candidates c = {.more = false};
    int64_t to = *cursor;
    *ret = (struct erased_blobs){0};
    enum rc rc = db_query(s->db, &s->delete_blob, "DELETE FROM blob WHERE id = ?1", e);
    rc = rc == RC_OK ? db_query(s->db, &s->delete_blob_refs, "DELETE FROM blob_ref WHERE blob = ?1", e) : rc;
    rc = rc == RC_OK ? overwrite(s, true, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    rc = store_begin(s, e);
    rc = rc == RC_OK ? find_candidates(s, what->through_seq, *cursor, &c, e) : rc;
    rc = rc == RC_OK ? take_candidates(s, what, &c, &to, ret, e) : rc;
    rc = store_end(s, rc, e);
    enum rc after = overwrite(s, false, rc == RC_OK ? e : NULL);
    if (rc == RC_OK && after == RC_OK) {
        *cursor = to;
        *ret_more = c.more || to < c.seen;
    }
    return rc == RC_OK ? after : rc;
}

enum rc store_erasable_blobs(struct store *s, const struct blob_erasure *what, struct erased_blobs *ret, struct err *e)
{
    struct candidates c = {.more = true};
    struct erased_blobs found = {0};
    while (c.more) {
        enum rc rc = find_candidates(s, what->through_seq, c.seen, &c, e);
        for (size_t i = 0; rc == RC_OK && i < c.count; i++) {
            bool kept = false;
            rc = has_kept_owner(s, what, c.all[i].id, &kept, e);
            found.count += kept ? 0 : 1;
            found.bytes += kept ? 0 : c.all[i].bytes;
        }
        if (rc != RC_OK) {
            return rc;
        }
    }
    *ret = found;
    return RC_OK;
}
