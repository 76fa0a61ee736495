/*
 * cli/verify - the ledger looked at by itself: every hash again, from the stored bytes.
 *
 * Works on the data folder without the server, and beside a running one: what was there when it began
 * is verified.
 */
#include "cli/verify.h"

#include "base/encode.h"
#include "cli/cli.h"
#include "cli/output.h"
#include "control/fold.h"
#include "store/store.h"
#include "sys/clock.h"
#include "value/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A checkpoint that the log is to agree with. */
struct claim {
    const char *what;
    struct checkpoint checkpoint;
    bool wanted;
    bool met;
};

enum { CLAIM_STORED = 0, CLAIM_KEPT, CLAIMS };

enum { BODY_ROOM = 2 * ENTRY_BODY_MAX + 2 * STORE_BLOB_MAX };

struct verification {
    struct store *store;
    struct tree *tree;
    uint64_t bytes;
    uint64_t tiles;
    uint64_t erased;
    uint64_t blobs;          /* that were met and are whole */
    uint64_t blobs_erased;
    uint64_t missing_seq;    /* the last entry of which one is missing */
    struct digest missing;
    uint64_t erased_through; /* what the erasures that were met explain; none: erasures is 0 */
    uint64_t erasures;
    struct claim claims[CLAIMS];
    struct err *e;
    enum rc rc; /* of the tiles of one leaf */
};

/* --- tiles and roots ---------------------------------------------------------------------------- */

static void compare_tile(void *context, const struct tile *full)
{
    struct verification *v = context;
    if (v->rc != RC_OK) {
        return;
    }
    struct digest stored[TILE_WIDTH];
    char path[TILE_PATH_MAX];
    tile_path(full->level, full->index, TILE_WIDTH, path, sizeof path);
    v->rc = store_tile(v->store, full->level, full->index, TILE_WIDTH, stored, v->e);
    if (v->rc != RC_OK) {
        v->rc = err_wrap(v->e, RC_CORRUPT, "%s", path);
    } else if (memcmp(stored, full->hashes, sizeof stored) != 0) {
        v->rc = err_set(v->e, RC_CORRUPT, "%s is not what the entries hash to", path);
    }
    v->tiles++;
}

static enum rc check_claims(struct verification *v)
{
    for (unsigned i = 0; i < CLAIMS; i++) {
        struct claim *claim = &v->claims[i];
        if (!claim->wanted || claim->met || claim->checkpoint.size != v->tree->size) {
            continue;
        }
        struct digest root = tree_root(v->tree);
        if (!digest_eq(&root, &claim->checkpoint.root)) {
            return err_set(v->e, RC_CORRUPT, "%s: its root at %" PRIu64 " entries is not the log's", claim->what,
                           claim->checkpoint.size);
        }
        claim->met = true;
    }
    return RC_OK;
}

static bool read_name(struct str name, struct digest *ret)
{
    return str_starts(name, STR("sha256:")) && hex_decode(str_slice(name, 7, name.len), ret->bytes, sizeof ret->bytes);
}

/* A policy lies beside its entry: the text that the body names must be there, whole. */
static enum rc check_policy(struct verification *v, struct arena *a, const struct value *body, struct err *e)
{
    struct str text;
    struct digest digest;
    if (!read_name(value_text(value_path(body, "policy", "$blob", NULL)), &digest)) {
        return err_set(e, RC_CORRUPT, "it names no policy");
    }
    enum rc rc = store_blob(v->store, a, &digest, &text, e);
    return rc == RC_NOT_FOUND ? RC_CORRUPT : rc;
}

/* --- what lies beside entries --------------------------------------------------------------------- */

static enum rc check_blobs(struct verification *v, uint64_t seq, const struct value *body, struct err *e);

/* Whether an erasure explains what is missing is known at the end: it comes later in the log. */
static enum rc check_blob(struct verification *v, uint64_t seq, const struct value *ref, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(BODY_ROOM);
    struct str bytes = STR("");
    struct digest digest;
    if (!read_name(value_text(value_get(ref, STR("$blob"))), &digest)) {
        return err_set(e, RC_CORRUPT, "it names no blob where it should");
    }
    enum rc rc = a == NULL ? err_set(e, RC_NO_MEMORY, "out of memory") : store_blob(v->store, a, &digest, &bytes, e);
    if (rc == RC_NOT_FOUND) {
        v->blobs_erased++;
        v->missing_seq = seq;
        v->missing = digest;
        return RC_OK;
    }
    if (rc == RC_OK && value_integer_or(value_get(ref, STR("size")), -1) != (int64_t)bytes.len) {
        return err_set(e, RC_CORRUPT, "a blob of it has another size");
    }
    v->blobs += rc == RC_OK ? 1 : 0;
    if (rc != RC_OK || !value_bool_or(value_get(ref, STR("json")), false)) {
        return rc;
    }
    struct value part;
    rc = json_parse(a, bytes, &part, e);
    return rc == RC_OK ? check_blobs(v, seq, &part, e) : err_wrap(e, RC_CORRUPT, "a blob of it");
}

static enum rc check_blobs(struct verification *v, uint64_t seq, const struct value *body, struct err *e)
{
    bool array = body->type == VALUE_ARRAY;
    enum rc rc = RC_OK;
    if (value_get(body, STR("$blob")) != NULL) {
        return check_blob(v, seq, body, e);
    }
    for (uint32_t i = 0; rc == RC_OK && (array || body->type == VALUE_OBJECT) && i < body->count; i++) {
        rc = check_blobs(v, seq, array ? &body->items[i] : &body->members[i].value, e);
    }
    return rc;
}

static void note_erasure(struct verification *v, const struct value *body)
{
    uint64_t through = (uint64_t)value_integer_or(value_get(body, STR("through_seq")), 0);
    v->erasures++;
    v->erased_through = through > v->erased_through ? through : v->erased_through;
}

/* Definitions may use the same name for something of their own: it is the server's in these two kinds. */
static bool may_hold_blobs(const struct stored *stored)
{
    struct str mark = STR("\"$blob\"");
    return (stored->entry.kind == ENTRY_ACTION_DECIDED || stored->entry.kind == ENTRY_ACTION_FINISHED ||
            stored->entry.kind == ENTRY_GRAPH_OBSERVED) &&
           memmem(stored->body.ptr, stored->body.len, mark.ptr, mark.len) != NULL;
}

static enum rc check_body(struct verification *v, const struct stored *stored, struct err *e)
{
    enum entry_kind kind = stored->entry.kind;
    if (stored->erased || (kind != ENTRY_POLICY_LOADED && kind != ENTRY_BLOBS_ERASED && !may_hold_blobs(stored))) {
        return RC_OK; /* nothing in it to look after, so it is not parsed */
    }
    CLEANUP(arena) struct arena *a = arena_new(BODY_ROOM);
    struct value body;
    enum rc rc = a == NULL ? err_set(e, RC_NO_MEMORY, "out of memory") : json_parse(a, stored->body, &body, e);
    if (rc == RC_OK && kind == ENTRY_POLICY_LOADED) {
        rc = check_policy(v, a, &body, e);
    } else if (rc == RC_OK && kind == ENTRY_BLOBS_ERASED) {
        note_erasure(v, &body);
    } else if (rc == RC_OK) {
        rc = check_blobs(v, stored->seq, &body, e);
    }
    return rc == RC_OK ? rc : err_wrap(e, rc, "entry %" PRIu64, stored->seq);
}

static enum rc meet_erasure(void *context, const struct stored *stored, struct err *e)
{
    struct verification *v = context;
    return stored->entry.kind == ENTRY_BLOBS_ERASED ? check_body(v, stored, e) : RC_OK;
}

/* Beside a running server an erasure may have come after what was there when this began. */
static enum rc check_missing(struct verification *v, uint64_t size, struct err *e)
{
    enum rc rc = RC_OK;
    if (v->blobs_erased > 0 && (v->erasures == 0 || v->missing_seq > v->erased_through)) {
        rc = store_walk(v->store, size, UINT64_MAX - 1, meet_erasure, v, e);
    }
    if (rc != RC_OK || v->blobs_erased == 0 || (v->erasures > 0 && v->missing_seq <= v->erased_through)) {
        return rc;
    }
    char name[2 * SHA256_LEN];
    hex_encode(v->missing.bytes, sizeof v->missing.bytes, name);
    return err_set(e, RC_CORRUPT, "entry %" PRIu64 ": sha256:%.*s is missing, and no erasure took it", v->missing_seq,
                   (int)sizeof name, name);
}

/* The store's reader has parsed the header and checked the body against it. */
static enum rc verify_entry(void *context, const struct stored *stored, struct err *e)
{
    struct verification *v = context;
    v->e = e;
    enum rc rc = check_claims(v);
    if (rc != RC_OK) {
        return rc;
    }
    rc = check_body(v, stored, e);
    struct digest leaf = ledger_leaf_hash(stored->header);
    v->bytes += stored->header.len + stored->body.len + sizeof stored->salt;
    v->erased += stored->erased ? 1 : 0;
    tree_append(v->tree, &leaf, compare_tile, v);
    return rc == RC_OK ? v->rc : rc;
}

/* --- keys and checkpoints ----------------------------------------------------------------------- */

static enum rc key_of_log(struct store *s, struct arena *a, struct str *ret, struct err *e)
{
    struct stored first;
    struct value body;
    enum rc rc = store_read(s, a, 0, &first, e);
    rc = rc == RC_OK ? json_parse(a, first.body, &body, e) : rc;
    if (rc == RC_OK) {
        *ret = value_text(value_get(&body, STR("vkey")));
    }
    return rc;
}

static enum rc read_kept(struct arena *a, const char *path, struct str *ret, struct err *e)
{
    struct buf text;
    buf_init(&text, CHECKPOINT_MAX);
    enum rc rc = file_read(path, &text, e);
    *ret = rc == RC_OK ? arena_str(a, buf_view(&text)) : STR("");
    buf_done(&text);
    return rc;
}

static enum rc open_claim(struct claim *claim, const char *what, struct str note, const struct vkey *key,
                          struct err *e)
{
    enum rc rc = checkpoint_open(note, key, &claim->checkpoint, e);
    claim->what = what;
    claim->wanted = true;
    return rc == RC_OK ? rc : err_wrap(e, rc, "%s", what);
}

static enum rc open_claims(struct verification *v, struct arena *a, const struct verify_options *o,
                           struct err *e)
{
    struct str key_text = str_from(o->key);
    struct str note;
    struct vkey key;
    enum rc rc = o->key == NULL ? key_of_log(v->store, a, &key_text, e) : RC_OK;
    rc = rc == RC_OK ? vkey_parse(key_text, &key, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    rc = store_checkpoint(v->store, a, &note, e);
    if (rc == RC_OK) {
        rc = open_claim(&v->claims[CLAIM_STORED], "the stored checkpoint", note, &key, e);
    } else if (rc == RC_NOT_FOUND) {
        rc = RC_OK; /* none was signed yet */
    }
    if (rc == RC_OK && o->against != NULL) {
        rc = read_kept(a, o->against, &note, e);
        rc = rc == RC_OK ? open_claim(&v->claims[CLAIM_KEPT], o->against, note, &key, e) : rc;
    }
    return rc;
}

/* --- all of it ---------------------------------------------------------------------------------- */

static enum rc walk(struct verification *v, uint64_t *ret_size, struct err *e)
{
    /* The checkpoint was read before the size, so it can't be ahead of it. */
    uint64_t size;
    enum rc rc = store_size(v->store, &size, e);
    if (rc == RC_OK && size > 0) {
        rc = store_walk(v->store, 0, size - 1, verify_entry, v, e);
    }
    v->e = e;
    rc = rc == RC_OK ? check_claims(v) : rc;
    rc = rc == RC_OK ? check_missing(v, size, e) : rc;
    for (unsigned i = 0; i < CLAIMS && rc == RC_OK; i++) {
        if (v->claims[i].wanted && !v->claims[i].met) {
            rc = err_set(e, RC_CORRUPT, "%s: it covers %" PRIu64 " entries, the log has %" PRIu64,
                         v->claims[i].what, v->claims[i].checkpoint.size, size);
        }
    }
    *ret_size = v->tree->size;
    return rc;
}

enum rc verify_folder(const struct verify_options *o, struct verify_result *ret, struct err *e)
{
    char path[FILE_PATH_MAX];
    int len = o->ledger != NULL ? snprintf(path, sizeof path, "%s", o->ledger)
                                : snprintf(path, sizeof path, "%s/ledger.db", o->folder);
    if (len >= (int)sizeof path) {
        return err_set(e, RC_INVALID, "the name is too long");
    }
    CLEANUP(arena) struct arena *a = arena_new(64 << 20);
    struct verification v = {.tree = a == NULL ? NULL : arena_alloc(a, sizeof *v.tree), .e = e};
    if (v.tree == NULL) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    int64_t began_us = clock_monotonic_us();
    tree_init(v.tree);
    enum rc rc = store_open(path, STORE_READ, &v.store, e);
    rc = rc == RC_OK ? open_claims(&v, a, o, e) : rc;
    rc = rc == RC_OK ? walk(&v, &ret->entries, e) : rc;
    rc = rc == RC_OK && o->deep ? fold_verify(v.store, ret->entries, &ret->snapshots, e) : rc;
    store_close(v.store);
    if (rc == RC_OK) {
        ret->root = tree_root(v.tree);
        ret->bytes = v.bytes;
        ret->tiles = v.tiles;
        ret->erased = v.erased;
        ret->blobs = v.blobs;
        ret->blobs_erased = v.blobs_erased;
        ret->checkpoint_size = v.claims[CLAIM_STORED].checkpoint.size;
        ret->duration_us = clock_monotonic_us() - began_us;
    }
    return rc;
}
