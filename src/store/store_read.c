/* store: walking, reading, tiles; over SQLite. */
#include "store/store_internal.h"

#include "base/must.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    CHUNK_ENTRIES = 256,
    CHUNK_BYTES = 1 << 20, /* a chunk ends when it is past this */
    CHUNK_BYTES_MAX = CHUNK_BYTES + ENTRY_BODY_MAX + 2 * ENTRY_HEADER_MAX,
};

enum rc store_size(struct store *s, uint64_t *ret, struct err *e)
{
    enum rc rc = db_query(s->db, &s->select_size, "SELECT max(seq) + 1 FROM entry", e);
    bool row = false;
    rc = rc == RC_OK ? query_step(s->select_size, &row, e) : rc;
    if (rc == RC_OK) {
        must(row);
        *ret = (uint64_t)query_column_number(s->select_size, 0);
        query_reset(s->select_size);
    }
    return rc;
}

/* --- entries ---------------------------------------------------------------------------------------- */

/* Rows copied out of the database, so that its read transaction ends before anyone looks at them. */
struct chunk {
    struct buf *bytes;
    size_t count;
    struct row {
        uint64_t seq;
        size_t header_len;
        size_t salt_len;
        size_t body_len;
        bool erased;
    } rows[CHUNK_ENTRIES];
};

static void chunk_add(struct chunk *c, struct query *q)
{
    struct str header = query_column_bytes(q, 1);
    struct str salt = query_column_bytes(q, 2);
    struct str body = query_column_bytes(q, 3);
    c->rows[c->count++] = (struct row){
        .seq = (uint64_t)query_column_number(q, 0),
        .header_len = header.len,
        .salt_len = salt.len,
        .body_len = body.len,
        .erased = body.len == 0 && query_column_is_null(q, 3),
    };
    buf_str(c->bytes, header);
    buf_str(c->bytes, salt);
    buf_str(c->bytes, body);
}

static enum rc chunk_read(struct store *s, struct chunk *c, uint64_t first, uint64_t last, struct err *e)
{
    c->count = 0;
    buf_reset(c->bytes);
    enum rc rc = db_query(s->db, &s->select_entries,
                          "SELECT seq, header, salt, body FROM entry WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq", e);
    if (rc != RC_OK) {
        return rc;
    }
    query_number(s->select_entries, 1, (int64_t)first);
    query_number(s->select_entries, 2, (int64_t)last);
    bool row = true;
    while (c->count < CHUNK_ENTRIES && c->bytes->len <= CHUNK_BYTES) {
        rc = query_step(s->select_entries, &row, e);
        if (rc != RC_OK) {
            return rc;
        }
        if (!row) {
            break;
        }
        chunk_add(c, s->select_entries);
    }
    query_reset(s->select_entries);
    return c->bytes->rc == RC_OK ? RC_OK : err_set(e, c->bytes->rc, "entries from %" PRIu64 " are too long", first);
}

/* The entry from its parts, which lie behind each other at bytes; checked. ret is written on failure too. */
static enum rc stored_open(const struct row *row, const char *bytes, struct stored *ret, struct err *e)
{
    const char *salt = bytes + row->header_len;
    ret->seq = row->seq;
    ret->header = (struct str){bytes, row->header_len};
    ret->body = STR("");
    ret->erased = row->erased;
    enum rc rc = entry_parse(ret->header, &ret->entry, e);
    if (rc != RC_OK) {
        return err_wrap(e, rc, "row %" PRIu64, row->seq);
    }
    if (ret->entry.seq != row->seq) {
        return err_set(e, RC_CORRUPT, "row %" PRIu64 " holds entry %" PRIu64, row->seq, ret->entry.seq);
    }
    if (row->erased) {
        memset(ret->salt, 0, sizeof ret->salt);
        return RC_OK;
    }
    if (row->salt_len != sizeof ret->salt) {
        return err_set(e, RC_CORRUPT, "entry %" PRIu64 ": its salt has %zu bytes", row->seq, row->salt_len);
    }
    memcpy(ret->salt, salt, sizeof ret->salt);
    ret->body = (struct str){salt + row->salt_len, row->body_len};
    /* Where they lie, salt and body are one piece. */
    return ledger_check_body(&ret->entry, (const uint8_t *)salt, ret->body, e);
}

/* Hands out the chunk's entries; *next is the seq that must come. */
static enum rc chunk_walk(const struct chunk *c, uint64_t *next, store_entry_fn fn, void *context, struct err *e)
{
    const char *at = c->bytes->data;
    for (size_t i = 0; i < c->count; i++) {
        const struct row *row = &c->rows[i];
        if (row->seq != *next) {
            return err_set(e, RC_CORRUPT, "entry %" PRIu64 " is missing", *next);
        }
        struct stored stored;
        enum rc rc = stored_open(row, at, &stored, e);
        rc = rc == RC_OK ? fn(context, &stored, e) : rc;
        if (rc != RC_OK) {
            return rc;
        }
        at += row->header_len + row->salt_len + row->body_len;
        (*next)++;
    }
    return RC_OK;
}

enum rc store_walk(struct store *s, uint64_t first, uint64_t last, store_entry_fn fn, void *context,
                   struct err *e)
{
    CLEANUP(buf) struct buf bytes;
    buf_init(&bytes, CHUNK_BYTES_MAX);
    struct chunk c = {.bytes = &bytes};
    last = last > INT64_MAX ? INT64_MAX : last;
    uint64_t next = first;
    do {
        enum rc rc = next <= last ? chunk_read(s, &c, next, last, e) : RC_OK;
        rc = rc == RC_OK ? chunk_walk(&c, &next, fn, context, e) : rc;
        if (rc != RC_OK) {
            return rc;
        }
    } while (c.count > 0 && next <= last);
    return RC_OK;
}

struct read_one {
    struct arena *arena;
    struct stored *ret;
    bool found;
};

static enum rc copy_out(void *context, const struct stored *stored, struct err *e)
{
    struct read_one *one = context;
    struct stored copy = *stored;
    copy.header = arena_str(one->arena, stored->header);
    copy.body = arena_str(one->arena, stored->body);
    if (arena_rc(one->arena) != RC_OK) {
        return err_set(e, arena_rc(one->arena), "entry %" PRIu64 " does not fit", stored->seq);
    }
    /* So that its strings point into the copy. */
    enum rc rc = entry_parse(copy.header, &copy.entry, e);
    if (rc == RC_OK) {
        *one->ret = copy;
        one->found = true;
    }
    return rc;
}

enum rc store_read(struct store *s, struct arena *a, uint64_t seq, struct stored *ret, struct err *e)
{
    struct read_one one = {.arena = a, .ret = ret};
    enum rc rc = store_walk(s, seq, seq, copy_out, &one, e);
    if (rc == RC_OK && !one.found) {
        return err_set(e, RC_NOT_FOUND, "there is no entry %" PRIu64, seq);
    }
    return rc;
}

/* --- tiles ------------------------------------------------------------------------------------------ */

/* RC_NOT_FOUND when the tile is not full yet. */
static enum rc full_tile(struct store *s, unsigned level, uint64_t index, unsigned count, struct digest *hashes,
                         struct err *e)
{
    enum rc rc = db_query(s->db, &s->select_tile, "SELECT hashes FROM tile WHERE id = ?1", e);
    if (rc != RC_OK) {
        return rc;
    }
    query_number(s->select_tile, 1, tile_row(level, index));
    bool row = false;
    rc = query_step(s->select_tile, &row, e);
    if (rc != RC_OK) {
        return rc;
    }
    struct str bytes = row ? query_column_bytes(s->select_tile, 0) : STR("");
    if (!row) {
        rc = err_set(e, RC_NOT_FOUND, "tile %u/%" PRIu64 " is not there", level, index);
    } else if (bytes.len != TILE_WIDTH * SHA256_LEN) {
        rc = err_set(e, RC_CORRUPT, "tile %u/%" PRIu64 " has %zu bytes", level, index, bytes.len);
    } else {
        memcpy(hashes, bytes.ptr, count * sizeof *hashes);
    }
    query_reset(s->select_tile);
    return rc;
}

/* Leaf hashes of headers, or roots of the full tiles below: count rows that follow each other. */
static enum rc edge_rows(struct query *q, int64_t first, unsigned count, bool leaves, struct digest *hashes,
                         struct err *e)
{
    query_number(q, 1, first);
    query_number(q, 2, first + count - 1);
    for (unsigned i = 0; i < count; i++) {
        bool row = false;
        enum rc rc = query_step(q, &row, e);
        if (rc != RC_OK) {
            return rc;
        }
        struct str bytes = row ? query_column_bytes(q, 1) : STR("");
        if (!row || query_column_number(q, 0) != first + i || (!leaves && bytes.len != SHA256_LEN)) {
            query_reset(q);
            return err_set(e, RC_CORRUPT, "%s %" PRId64 " is missing", leaves ? "entry" : "tile", first + i);
        }
        if (leaves) {
            hashes[i] = ledger_leaf_hash(bytes);
        } else {
            memcpy(hashes[i].bytes, bytes.ptr, SHA256_LEN);
        }
    }
    query_reset(q);
    return RC_OK;
}

static enum rc edge_tile(struct store *s, unsigned level, uint64_t index, unsigned count, struct digest *hashes,
                         struct err *e)
{
    if (level == 0) {
        enum rc rc = db_query(s->db, &s->select_headers,
                              "SELECT seq, header FROM entry WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq", e);
        return rc == RC_OK ? edge_rows(s->select_headers, (int64_t)(index * TILE_WIDTH), count, true, hashes, e) : rc;
    }
    enum rc rc = db_query(s->db, &s->select_roots,
                          "SELECT id, root FROM tile WHERE id BETWEEN ?1 AND ?2 ORDER BY id", e);
    return rc == RC_OK
               ? edge_rows(s->select_roots, tile_row(level - 1, index * TILE_WIDTH), count, false, hashes, e)
               : rc;
}

enum rc store_tile(void *context, unsigned level, uint64_t index, unsigned count, struct digest *hashes,
                   struct err *e)
{
    struct store *s = context;
    must(count > 0 && count <= TILE_WIDTH);
    uint64_t size = 0;
    enum rc rc = store_size(s, &size, e);
    if (rc != RC_OK) {
        return rc;
    }
    uint64_t have = level < TILE_LEVELS_MAX ? size >> (8 * level) : 0;
    if (index >= INT64_MAX / TILE_WIDTH || index * TILE_WIDTH + count > have) {
        return err_set(e, RC_NOT_FOUND, "the log does not have %u hashes of tile %u/%" PRIu64 " yet", count, level,
                       index);
    }
    bool full = (index + 1) * TILE_WIDTH <= have;
    rc = full ? full_tile(s, level, index, count, hashes, e) : edge_tile(s, level, index, count, hashes, e);
    /* A tile that must be there and is not: the file lost it. */
    return rc == RC_NOT_FOUND ? err_wrap(e, RC_CORRUPT, "damaged") : rc;
}

enum rc store_tree(struct store *s, struct tree *ret, struct err *e)
{
    uint64_t size = 0;
    enum rc rc = store_size(s, &size, e);
    if (rc != RC_OK) {
        return rc;
    }
    tree_init(ret);
    ret->size = size;
    for (unsigned level = 0; level < TILE_LEVELS_MAX && rc == RC_OK; level++) {
        uint64_t hashes = size >> (8 * level);
        ret->edge_count[level] = (unsigned)(hashes % TILE_WIDTH);
        if (ret->edge_count[level] > 0) {
            rc = store_tile(s, level, hashes / TILE_WIDTH, ret->edge_count[level], ret->edge[level], e);
        }
    }
    return rc;
}

/* --- checkpoints, blobs, snapshots --------------------------------------------------------------------- */

/* The first column of a bound query's only row, copied. */
static enum rc read_bytes(struct query *q, struct arena *a, struct str *ret, const char *missing, struct err *e)
{
    bool row = false;
    enum rc rc = query_step(q, &row, e);
    if (rc != RC_OK) {
        return rc;
    }
    struct str copy = row ? arena_str(a, query_column_bytes(q, 0)) : STR("");
    query_reset(q);
    if (!row) {
        return err_set(e, RC_NOT_FOUND, "%s", missing);
    }
    if (arena_rc(a) != RC_OK) {
        return err_set(e, arena_rc(a), "what the ledger holds does not fit");
    }
    *ret = copy;
    return RC_OK;
}

enum rc store_checkpoint(struct store *s, struct arena *a, struct str *ret_note, struct err *e)
{
    enum rc rc = db_query(s->db, &s->select_checkpoint, "SELECT note FROM checkpoint WHERE id = 0", e);
    return rc == RC_OK ? read_bytes(s->select_checkpoint, a, ret_note, "there is no checkpoint yet", e) : rc;
}

enum rc store_blob(struct store *s, struct arena *a, const struct digest *digest, struct str *ret, struct err *e)
{
    enum rc rc = db_query(s->db, &s->select_blob, "SELECT bytes FROM blob WHERE digest = ?1", e);
    if (rc != RC_OK) {
        return rc;
    }
    query_bytes(s->select_blob, 1, digest_str(digest));
    struct str bytes = STR("");
    rc = read_bytes(s->select_blob, a, &bytes, "there is no such blob", e);
    if (rc != RC_OK) {
        return rc;
    }
    struct digest got = sha256(bytes);
    if (!digest_eq(&got, digest)) {
        return err_set(e, RC_CORRUPT, "a blob's bytes do not have its digest");
    }
    *ret = bytes;
    return RC_OK;
}

/* One part at a time, copied, so that fn runs outside of any transaction. */
static enum rc read_part(struct store *s, struct arena *a, uint64_t at_seq, uint64_t part, struct str *ret,
                         struct err *e)
{
    enum rc rc = db_query(s->db, &s->select_part,
                          "SELECT bytes FROM snapshot WHERE at_seq = ?1 AND part = ?2", e);
    if (rc != RC_OK) {
        return rc;
    }
    query_number(s->select_part, 1, (int64_t)at_seq);
    query_number(s->select_part, 2, (int64_t)part);
    return read_bytes(s->select_part, a, ret, "there is no such snapshot", e);
}

enum rc store_walk_snapshot(struct store *s, uint64_t at_seq, store_part_fn fn, void *context, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(STORE_PART_MAX + 4096);
    if (a == NULL) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    for (uint64_t part = 0;; part++) {
        struct str bytes = STR("");
        arena_reset(a);
        enum rc rc = read_part(s, a, at_seq, part, &bytes, e);
        if (rc == RC_NOT_FOUND && part > 0) {
            return RC_OK;
        }
        rc = rc == RC_OK ? fn(context, bytes, e) : rc;
        if (rc != RC_OK) {
            return rc;
        }
    }
}

enum rc store_snapshot_before(struct store *s, uint64_t seq, uint64_t *ret_at_seq, struct err *e)
{
    char sql[96];
    int64_t newest;
    snprintf(sql, sizeof sql, "SELECT coalesce(max(at_seq), -1) FROM snapshot WHERE at_seq < %" PRId64,
             (int64_t)(seq > INT64_MAX ? INT64_MAX : seq));
    enum rc rc = db_number(s->db, sql, &newest, e);
    if (rc != RC_OK) {
        return rc;
    }
    if (newest < 0) {
        return err_set(e, RC_NOT_FOUND, "there is no snapshot");
    }
    *ret_at_seq = (uint64_t)newest;
    return RC_OK;
}

enum rc store_newest_snapshot(struct store *s, uint64_t *ret_at_seq, struct err *e)
{
    return store_snapshot_before(s, UINT64_MAX, ret_at_seq, e);
}
