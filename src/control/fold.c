/*
 * control/fold - the world made again from what is stored.
 */
#include "control/fold.h"

#include "base/encode.h"
#include "control/control_internal.h"
#include "value/json.h"

#include <inttypes.h>
#include <stdlib.h>

/* --- folding --------------------------------------------------------------------------------------------- */

struct folder {
    struct store *store;
    struct world *world;
    struct arena *arena;
    const struct digest *expected; /* of the snapshot this fold started from */
    uint64_t snapshot_seq;
    bool bound; /* its entry was met and agrees */
};

static bool read_digest(struct str text, struct digest *ret)
{
    return str_starts(text, STR("sha256:")) &&
           hex_decode(str_slice(text, 7, text.len), ret->bytes, sizeof ret->bytes);
}

enum rc fold_policy_text(struct store *s, struct arena *a, const struct value *body, struct str *ret, struct err *e)
{
    struct str blob = value_text(value_path(body, "policy", "$blob", NULL));
    struct digest digest;
    if (!read_digest(blob, &digest)) {
        return err_set(e, RC_CORRUPT, "a policy entry names no blob");
    }
    enum rc rc = store_blob(s, a, &digest, ret, e);
    return rc == RC_NOT_FOUND ? err_wrap(e, RC_CORRUPT, "policy") : rc;
}

static void meet_snapshot(struct folder *f, const struct value *body)
{
    struct str text = value_text(value_get(body, STR("world_digest")));
    struct digest digest;
    if (f->expected != NULL &&
        value_integer_or(value_get(body, STR("at_seq")), -1) == (int64_t)f->snapshot_seq &&
        read_digest(text, &digest)) {
        f->bound = digest_eq(&digest, f->expected);
    }
}

static enum rc fold_one(void *context, const struct stored *stored, struct err *e)
{
    struct folder *f = context;
    struct entry entry;
    struct value body;
    struct str text = STR("");
    arena_reset(f->arena);
    enum rc rc = entry_parse(stored->header, &entry, e);
    if (rc == RC_OK && stored->erased) {
        return err_set(e, RC_CORRUPT, "entry %llu is erased: a snapshot behind it is needed",
                       (unsigned long long)stored->seq);
    }
    rc = rc == RC_OK ? json_parse(f->arena, stored->body, &body, e) : rc;
    if (rc == RC_INVALID) {
        return err_wrap(e, RC_CORRUPT, "entry %llu", (unsigned long long)stored->seq);
    }
    if (rc == RC_OK && entry.kind == ENTRY_POLICY_LOADED) {
        rc = fold_policy_text(f->store, f->arena, &body, &text, e);
    }
    if (rc == RC_OK && entry.kind == ENTRY_LEDGER_SNAPSHOT) {
        meet_snapshot(f, &body);
    }
    return rc == RC_OK ? world_apply(f->world, &entry, &body, text, e) : rc;
}

static enum rc fold(struct folder *f, uint64_t first, uint64_t last, struct err *e)
{
    f->arena = arena_new(OP_ARENA_MAX * 4);
    if (f->arena == NULL) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    enum rc rc = store_walk(f->store, first, last, fold_one, f, e);
    arena_free(f->arena);
    f->arena = NULL;
    return rc;
}

enum rc fold_entries(struct store *s, struct world *w, uint64_t first, uint64_t last, struct err *e)
{
    struct folder f = {.store = s, .world = w};
    return fold(&f, first, last, e);
}

/* --- restoring --------------------------------------------------------------------------------------------- */

/* Records are lines; a line may lie across parts. */
struct restorer {
    struct world *world;
    struct sha256_stream *hash;
    struct buf line;
};

static enum rc take_part(void *context, struct str part, struct err *e)
{
    struct restorer *r = context;
    sha256_stream_put(r->hash, part);
    while (part.len > 0) {
        size_t end = str_find(part, '\n');
        struct str piece = str_slice(part, 0, end);
        bool whole = end < part.len;
        struct str record = piece;
        if (!whole || r->line.len > 0) {
            buf_str(&r->line, piece);
            record = buf_view(&r->line);
        }
        if (r->line.rc != RC_OK) {
            return err_set(e, r->line.rc, "a record of the snapshot is too large");
        }
        if (whole) {
            enum rc rc = world_load_record(r->world, record, e);
            if (rc != RC_OK) {
                return rc;
            }
            buf_reset(&r->line);
        }
        part = str_slice(part, end + 1, part.len);
    }
    return RC_OK;
}

static enum rc load_snapshot(uint64_t hash_seed, struct store *s, uint64_t at_seq, struct world **ret,
                             struct digest *ret_digest, struct err *e)
{
    CLEANUP(world) struct world *w = world_new(hash_seed);
    CLEANUP(sha256_stream) struct sha256_stream *hash = sha256_stream_new();
    if (w == NULL || hash == NULL) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    struct restorer r = {.world = w, .hash = hash};
    buf_init(&r.line, WORLD_RECORD_MAX + 1);
    enum rc rc = store_walk_snapshot(s, at_seq, take_part, &r, e);
    buf_done(&r.line);
    rc = rc == RC_OK ? world_load_end(w, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    *ret_digest = sha256_stream_end(hash);
    *ret = w;
    w = NULL;
    return RC_OK;
}

/* The newest snapshot and the entries behind it, size entries in all; false when that can't be
 * trusted. */
static bool from_snapshot(uint64_t hash_seed, struct store *s, uint64_t size, struct world **ret,
                          uint64_t *ret_at)
{
    uint64_t at;
    struct digest digest;
    struct world *w = NULL;
    if (store_newest_snapshot(s, &at, NULL) != RC_OK || at >= size ||
        load_snapshot(hash_seed, s, at, &w, &digest, NULL) != RC_OK) {
        return false;
    }
    struct folder f = {.store = s, .world = w, .expected = &digest, .snapshot_seq = at};
    if (world_next_seq(w) != at + 1 || at + 1 >= size || fold(&f, at + 1, size - 1, NULL) != RC_OK ||
        !f.bound) {
        world_free(w);
        return false;
    }
    *ret_at = at;
    *ret = w;
    return true;
}

enum rc fold_restore(uint64_t hash_seed, struct store *s, uint64_t size, struct world **ret,
                       uint64_t *ret_at, struct err *e)
{
    if (size > 0 && from_snapshot(hash_seed, s, size, ret, ret_at)) {
        return RC_OK;
    }
    struct world *w = world_new(hash_seed);
    if (w == NULL) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    enum rc rc = size == 0 ? RC_OK : fold_entries(s, w, 0, size - 1, e);
    if (rc != RC_OK) {
        world_free(w);
        return rc;
    }
    *ret_at = 0;
    *ret = w;
    return RC_OK;
}

/* --- is the newest snapshot what its entry says? ----------------------------------------------------------- */

static enum rc hash_part(void *context, struct str part, struct err *e)
{
    (void)e;
    sha256_stream_put(context, part);
    return RC_OK;
}

struct binding {
    uint64_t at_seq;
    struct digest digest;
    bool found;
};

static enum rc find_binding(void *context, const struct stored *stored, struct err *e)
{
    struct binding *b = context;
    if (stored->entry.kind != ENTRY_LEDGER_SNAPSHOT || stored->erased) {
        return RC_OK;
    }
    CLEANUP(arena) struct arena *a = arena_new(OP_ARENA_MAX);
    struct value body;
    enum rc rc = a == NULL ? err_set(e, RC_NO_MEMORY, "out of memory") : json_parse(a, stored->body, &body, e);
    if (rc == RC_OK && value_integer_or(value_get(&body, STR("at_seq")), -1) == (int64_t)b->at_seq) {
        struct digest digest;
        b->found = read_digest(value_text(value_get(&body, STR("world_digest"))), &digest) &&
                   digest_eq(&digest, &b->digest);
        return RC_LIMIT; /* ends the walk */
    }
    return rc;
}

/* RC_OK: an entry says that its world has the digest. */
static enum rc check_binding(struct store *s, struct binding *b, struct err *e)
{
    enum rc rc = store_walk(s, b->at_seq + 1, UINT64_MAX - 1, find_binding, b, e);
    if (rc != RC_OK && rc != RC_LIMIT) {
        return rc;
    }
    return b->found ? RC_OK : err_set(e, RC_NOT_FOUND, "no entry binds the newest snapshot");
}

enum rc fold_newest_snapshot(struct store *s, uint64_t *ret_at, struct err *e)
{
    CLEANUP(sha256_stream) struct sha256_stream *hash = sha256_stream_new();
    struct binding b = {.found = false};
    enum rc rc = hash == NULL ? err_set(e, RC_NO_MEMORY, "out of memory") : store_newest_snapshot(s, &b.at_seq, e);
    rc = rc == RC_OK ? store_walk_snapshot(s, b.at_seq, hash_part, hash, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    b.digest = sha256_stream_end(hash);
    *ret_at = b.at_seq;
    return check_binding(s, &b, e);
}

enum rc fold_begin(uint64_t hash_seed, struct store *s, uint64_t seq, struct world **ret, uint64_t *ret_next, struct err *e)
{
    struct binding b = {.found = false};
    struct world *w = NULL;
    if (store_snapshot_before(s, seq, &b.at_seq, NULL) == RC_OK &&
        load_snapshot(hash_seed, s, b.at_seq, &w, &b.digest, NULL) == RC_OK) {
        if (world_next_seq(w) == b.at_seq + 1 && check_binding(s, &b, NULL) == RC_OK) {
            *ret_next = b.at_seq + 1;
            *ret = w;
            return RC_OK;
        }
        world_free(w);
    }
    *ret_next = 0;
    *ret = world_new(hash_seed);
    return *ret == NULL ? err_set(e, RC_NO_MEMORY, "out of memory") : RC_OK;
}

/* --- all of it, against what it was --------------------------------------------------------------------------- */

struct snapshot_claim {
    uint64_t seq; /* of the entry that makes it */
    uint64_t at_seq;
    struct digest digest;
};

/* Claims in the order of their entries, which is that of at_seq too. */
struct claims {
    struct snapshot_claim *all;
    uint32_t count;
    uint32_t capacity;
};

static enum rc add_claim(struct claims *claims, const struct snapshot_claim *claim, struct err *e)
{
    if (claims->count == claims->capacity) {
        uint32_t capacity = claims->capacity == 0 ? 64 : claims->capacity * 2;
        struct snapshot_claim *grown = realloc(claims->all, capacity * sizeof *grown);
        if (grown == NULL) {
            return err_set(e, RC_NO_MEMORY, "out of memory");
        }
        claims->all = grown;
        claims->capacity = capacity;
    }
    claims->all[claims->count++] = *claim;
    return RC_OK;
}

static enum rc note_claim(void *context, const struct stored *stored, struct err *e)
{
    struct claims *claims = context;
    if (stored->entry.kind != ENTRY_LEDGER_SNAPSHOT || stored->erased) {
        return RC_OK;
    }
    CLEANUP(arena) struct arena *a = arena_new(OP_ARENA_MAX);
    struct value body;
    struct snapshot_claim claim = {.seq = stored->seq};
    enum rc rc = a == NULL ? err_set(e, RC_NO_MEMORY, "out of memory") : json_parse(a, stored->body, &body, e);
    if (rc != RC_OK) {
        return rc;
    }
    int64_t at = value_integer_or(value_get(&body, STR("at_seq")), -1);
    bool sound = at >= 0 && (uint64_t)at < stored->seq &&
                 (claims->count == 0 || (uint64_t)at > claims->all[claims->count - 1].at_seq) &&
                 read_digest(value_text(value_get(&body, STR("world_digest"))), &claim.digest);
    claim.at_seq = (uint64_t)at;
    return sound ? add_claim(claims, &claim, e)
                 : err_set(e, RC_CORRUPT, "entry %" PRIu64 " is no snapshot", stored->seq);
}

static enum rc hash_record(void *context, struct str record, struct err *e)
{
    (void)e;
    sha256_stream_put(context, record);
    sha256_stream_put(context, STR("\n"));
    return RC_OK;
}

enum rc fold_digest(struct world *w, struct digest *ret, struct err *e)
{
    CLEANUP(sha256_stream) struct sha256_stream *hash = sha256_stream_new();
    if (hash == NULL) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    enum rc rc = world_save(w, hash_record, hash, e);
    if (rc == RC_OK) {
        *ret = sha256_stream_end(hash);
    }
    return rc;
}

static enum rc check_snapshot(struct folder *f, uint64_t *next, const struct snapshot_claim *claim, struct err *e)
{
    struct digest digest;
    enum rc rc = fold(f, *next, claim->at_seq, e);
    *next = claim->at_seq + 1;
    rc = rc == RC_OK ? fold_digest(f->world, &digest, e) : rc;
    if (rc == RC_OK && !digest_eq(&digest, &claim->digest)) {
        rc = err_set(e, RC_CORRUPT, "entry %" PRIu64 ": the world after entry %" PRIu64 " was another", claim->seq,
                     claim->at_seq);
    }
    return rc;
}

enum rc fold_verify(struct store *s, uint64_t size, uint64_t *ret_snapshots, struct err *e)
{
    CLEANUP(world) struct world *w = world_new(0);
    struct claims claims = {0};
    enum rc rc = w == NULL ? err_set(e, RC_NO_MEMORY, "out of memory") : RC_OK;
    rc = rc == RC_OK && size > 0 ? store_walk(s, 0, size - 1, note_claim, &claims, e) : rc;
    struct folder f = {.store = s, .world = w};
    uint64_t next = 0;
    for (uint32_t i = 0; rc == RC_OK && i < claims.count; i++) {
        rc = check_snapshot(&f, &next, &claims.all[i], e);
    }
    rc = rc == RC_OK && next < size ? fold(&f, next, size - 1, e) : rc;
    *ret_snapshots = claims.count;
    free(claims.all);
    return rc;
}
