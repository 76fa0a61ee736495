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

enum { POLICY_ROOM = 2 * STORE_BLOB_MAX };

struct verification {
    struct store *store;
    struct tree *tree;
    uint64_t bytes;
    uint64_t tiles;
    uint64_t erased;
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

/* A policy lies beside its entry: the text that the body names must be there, whole. */
static enum rc check_policy(struct verification *v, struct str body, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(POLICY_ROOM);
    struct value parsed;
    struct str text;
    struct digest digest;
    enum rc rc = a == NULL ? err_set(e, RC_NO_MEMORY, "out of memory") : json_parse(a, body, &parsed, e);
    if (rc != RC_OK) {
        return rc;
    }
    struct str name = value_text(value_path(&parsed, "policy", "$blob", NULL));
    if (!str_starts(name, STR("sha256:")) ||
        !hex_decode(str_slice(name, 7, name.len), digest.bytes, sizeof digest.bytes)) {
        return err_set(e, RC_CORRUPT, "it names no policy");
    }
    rc = store_blob(v->store, a, &digest, &text, e);
    return rc == RC_NOT_FOUND ? RC_CORRUPT : rc;
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
    if (rc == RC_OK && !stored->erased && stored->entry.kind == ENTRY_POLICY_LOADED) {
        rc = check_policy(v, stored->body, e);
        rc = rc == RC_OK ? rc : err_wrap(e, rc, "entry %" PRIu64, stored->seq);
    }
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
        ret->checkpoint_size = v.claims[CLAIM_STORED].checkpoint.size;
        ret->duration_us = clock_monotonic_us() - began_us;
    }
    return rc;
}
