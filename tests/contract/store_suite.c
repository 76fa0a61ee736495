#include "store_suite.h"

#include "log_maker.h"

#include "check.h"
#include "sys/file.h"

#include <sys/stat.h>

struct fixture {
    place_fn make;
    place_fn drop;
    struct store_place place;
    struct log_maker *maker;
    struct store *store;
};

static struct fixture suite;

static struct store *open_store(const char *path, enum store_mode mode)
{
    struct store *s = NULL;
    struct err e = {.text = ""};
    enum rc rc = store_open(path, mode, &s, &e);
    assert_str(str_from(e.text), "");
    assert_int_equal(rc, RC_OK);
    return s;
}

static int set_up(void **state)
{
    suite.make(&suite.place);
    suite.maker = log_maker_new();
    suite.store = open_store(suite.place.path, STORE_CREATE);
    *state = &suite;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    store_close(f->store);
    log_maker_free(f->maker);
    f->drop(&f->place);
    return 0;
}

static void reopen(struct fixture *f)
{
    store_close(f->store);
    f->store = NULL;
    f->store = open_store(f->place.path, STORE_WRITE);
}

static uint64_t size_of(struct store *s)
{
    uint64_t size = UINT64_MAX;
    assert_int_equal(store_size(s, &size, NULL), RC_OK);
    return size;
}

/* --- entries ---------------------------------------------------------------------------------------- */

struct walked {
    uint64_t next;
    uint64_t end_at; /* gives up there */
};

static enum rc expect_next(void *context, const struct stored *stored, struct err *e)
{
    struct walked *w = context;
    assert_int_equal(stored->seq, w->next);
    assert_int_equal(stored->entry.seq, w->next);
    assert_int_equal(stored->entry.time_ms, 1795255200000 + (int64_t)w->next);
    assert_false(stored->erased);
    char body[64];
    snprintf(body, sizeof body, "{\"n\":%llu,\"pad\":\"0123456789\"}", (unsigned long long)w->next);
    assert_str(stored->body, body);
    assert_int_equal(stored->salt[31], w->next % 251);
    w->next++;
    return w->next == w->end_at ? err_set(e, RC_DENIED, "enough") : RC_OK;
}

static void assert_walk(struct store *s, uint64_t first, uint64_t last, uint64_t end)
{
    struct walked w = {.next = first};
    assert_int_equal(store_walk(s, first, last, expect_next, &w, NULL), RC_OK);
    assert_int_equal(w.next, end);
}

static void an_empty_log(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(size_of(f->store), 0);
    assert_walk(f->store, 0, UINT64_MAX, 0);
    struct tree tree;
    assert_int_equal(store_tree(f->store, &tree, NULL), RC_OK);
    assert_int_equal(tree.size, 0);
    CLEANUP(arena) struct arena *a = arena_new(4096);
    struct stored stored;
    struct err e;
    struct str note;
    struct digest hash;
    assert_int_equal(store_read(f->store, a, 0, &stored, &e), RC_NOT_FOUND);
    assert_string_equal(e.text, "there is no entry 0");
    assert_int_equal(store_checkpoint(f->store, a, &note, &e), RC_NOT_FOUND);
    assert_string_equal(e.text, "there is no checkpoint yet");
    assert_int_equal(store_tile(f->store, 0, 0, 1, &hash, &e), RC_NOT_FOUND);
    struct batch none = {0};
    assert_int_equal(store_append(f->store, &none, NULL), RC_OK);
}

static void appends_and_walks(void **state)
{
    struct fixture *f = *state;
    static const size_t batches[] = {1, 1, 8, 64, 256, 257, 300, 4096};
    size_t total = 0;
    for (size_t i = 0; i < sizeof batches / sizeof *batches; i++) {
        log_maker_fill(f->maker, f->store, batches[i]);
        total += batches[i];
        assert_int_equal(size_of(f->store), total);
    }
    assert_walk(f->store, 0, UINT64_MAX, total);
    assert_walk(f->store, 255, 257, 258);
    assert_walk(f->store, total - 1, total - 1, total);
    assert_walk(f->store, total - 1, total + 5, total);
    assert_walk(f->store, total, total + 5, total);
    assert_walk(f->store, 5, 4, 5);
    struct walked w = {.next = 300, .end_at = 310};
    struct err e;
    assert_int_equal(store_walk(f->store, 300, 700, expect_next, &w, &e), RC_DENIED);
    assert_string_equal(e.text, "enough");
    reopen(f);
    assert_int_equal(size_of(f->store), total);
    log_maker_fill(f->maker, f->store, 3);
    assert_walk(f->store, 0, UINT64_MAX, total + 3);
}

static void reads_one(void **state)
{
    struct fixture *f = *state;
    log_maker_fill(f->maker, f->store, 300);
    CLEANUP(arena) struct arena *a = arena_new(4096);
    struct stored stored;
    assert_int_equal(store_read(f->store, a, 299, &stored, NULL), RC_OK);
    struct walked w = {.next = 299};
    assert_int_equal(expect_next(&w, &stored, NULL), RC_OK);
    assert_str(stored.entry.actor, "tok_5");
    struct err e;
    assert_int_equal(store_read(f->store, a, 300, &stored, &e), RC_NOT_FOUND);
    assert_string_equal(e.text, "there is no entry 300");
    assert_int_equal(store_read(f->store, a, UINT64_MAX, &stored, &e), RC_NOT_FOUND);
    CLEANUP(arena) struct arena *small = arena_new(64);
    assert_int_equal(store_read(f->store, small, 0, &stored, &e), RC_LIMIT);
}

/* A callback may ask the store itself: no query and no transaction is held open around it. */
static enum rc read_again(void *context, const struct stored *stored, struct err *e)
{
    struct store *s = context;
    CLEANUP(arena) struct arena *a = arena_new(4096);
    struct stored again;
    enum rc rc = store_read(s, a, stored->seq, &again, e);
    assert_int_equal(rc, RC_OK);
    assert_true(str_eq(again.header, stored->header));
    return rc;
}

static void walks_nest(void **state)
{
    struct fixture *f = *state;
    log_maker_fill(f->maker, f->store, 600);
    assert_int_equal(store_walk(f->store, 0, 599, read_again, f->store, NULL), RC_OK);
}

static void refuses_gaps(void **state)
{
    struct fixture *f = *state;
    log_maker_fill(f->maker, f->store, 5);
    struct err e;
    struct batch b = log_maker_batch(f->maker, 4);
    struct stored *entries = f->maker->entries;
    entries[0].seq = 6;
    assert_int_equal(store_append(f->store, &b, &e), RC_CONFLICT);
    assert_string_equal(e.text, "entry 6 does not follow the log's 5");
    entries[0].seq = 4;
    assert_int_equal(store_append(f->store, &b, &e), RC_CONFLICT);
    entries[0].seq = 5;
    entries[3].seq = 9;
    assert_int_equal(store_append(f->store, &b, &e), RC_CONFLICT);
    assert_string_equal(e.text, "entry 9 does not follow the log's 8");
    entries[3].seq = 8;
    assert_int_equal(size_of(f->store), 5);
    assert_int_equal(store_append(f->store, &b, &e), RC_OK);
    assert_walk(f->store, 0, UINT64_MAX, 9);
}

static void refuses_what_is_too_much(void **state)
{
    struct fixture *f = *state;
    struct err e;
    static struct stored too_many[STORE_BATCH_MAX + 1];
    struct batch b = {.entries = too_many, .entry_count = STORE_BATCH_MAX + 1};
    assert_int_equal(store_append(f->store, &b, &e), RC_INVALID);
    assert_string_equal(e.text, "a batch of 4097 entries: at most 4096 go together");
    char *bytes = calloc(1, STORE_BLOB_MAX + 1);
    assert_non_null(bytes);
    struct stored_blob blob = {.bytes = {bytes, STORE_BLOB_MAX + 1}};
    struct batch with_blob = {.blobs = &blob, .blob_count = 1};
    assert_int_equal(store_append(f->store, &with_blob, &e), RC_INVALID);
    assert_string_equal(e.text, "a blob of 8388609 bytes: at most 8388608 are kept");
    struct str part = {bytes, STORE_PART_MAX + 1};
    assert_int_equal(store_put_snapshot(f->store, 1, &part, 1, &e), RC_INVALID);
    assert_string_equal(e.text, "a snapshot part of 4194305 bytes: at most 4194304 are kept");
    free(bytes);
    assert_int_equal(size_of(f->store), 0);
}

/* --- tiles ------------------------------------------------------------------------------------------- */

static void tree_and_tiles(void **state)
{
    struct fixture *f = *state;
    static const size_t steps[] = {1, 254, 1, 1, 255, 512, 3000, 61512 /* 65536 */, 1, 300};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        log_maker_fill(f->maker, f->store, steps[i]);
        struct tree tree;
        assert_int_equal(store_tree(f->store, &tree, NULL), RC_OK);
        assert_int_equal(tree.size, f->maker->tree.size);
        struct digest got = tree_root(&tree);
        struct digest want = tree_root(&f->maker->tree);
        assert_memory_equal(&got, &want, SHA256_LEN);
        for (unsigned level = 0; level < TILE_LEVELS_MAX; level++) {
            assert_int_equal(tree.edge_count[level], f->maker->tree.edge_count[level]);
        }
        struct digest from_tiles;
        assert_int_equal(tiles_root(store_tile, f->store, tree.size, &from_tiles, NULL), RC_OK);
        assert_memory_equal(&from_tiles, &want, SHA256_LEN);
    }
}

static void tiles_by_prefix(void **state)
{
    struct fixture *f = *state;
    log_maker_fill(f->maker, f->store, 600);
    struct digest full[TILE_WIDTH];
    struct digest part[TILE_WIDTH];
    assert_int_equal(store_tile(f->store, 0, 1, TILE_WIDTH, full, NULL), RC_OK);
    assert_int_equal(store_tile(f->store, 0, 1, 7, part, NULL), RC_OK);
    assert_memory_equal(part, full, 7 * sizeof *part);
    assert_int_equal(store_tile(f->store, 0, 2, 88, part, NULL), RC_OK);
    assert_memory_equal(part, f->maker->tree.edge[0], 88 * sizeof *part);
    assert_int_equal(store_tile(f->store, 1, 0, 2, part, NULL), RC_OK);
    assert_memory_equal(part, f->maker->tree.edge[1], 2 * sizeof *part);
    static const struct {
        unsigned level;
        uint64_t index;
        unsigned count;
    } missing[] = {{0, 2, 89}, {0, 3, 1}, {1, 0, 3}, {1, 1, 1}, {2, 0, 1}, {8, 0, 1}, {64, 0, 1}, {0, UINT64_MAX, 1}};
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++) {
        struct err e;
        assert_int_equal(store_tile(f->store, missing[i].level, missing[i].index, missing[i].count, part, &e),
                         RC_NOT_FOUND);
        assert_non_null(strstr(e.text, "the log does not have"));
    }
}

static void proofs_from_the_store(void **state)
{
    struct fixture *f = *state;
    log_maker_fill(f->maker, f->store, 700);
    struct digest root = tree_root(&f->maker->tree);
    CLEANUP(arena) struct arena *a = arena_new(1 << 16);
    for (uint64_t seq = 0; seq < 700; seq += 13) {
        struct stored stored;
        struct proof p;
        arena_reset(a);
        assert_int_equal(store_read(f->store, a, seq, &stored, NULL), RC_OK);
        struct digest leaf = ledger_leaf_hash(stored.header);
        assert_int_equal(tiles_inclusion(store_tile, f->store, seq, 700, &p, NULL), RC_OK);
        assert_true(proof_includes(&p, &leaf, seq, 700, &root));
    }
}

/* --- checkpoints, blobs, snapshots ---------------------------------------------------------------------- */

static void checkpoints_replace(void **state)
{
    struct fixture *f = *state;
    CLEANUP(arena) struct arena *a = arena_new(4096);
    struct str note;
    assert_int_equal(store_put_checkpoint(f->store, 5, STR("five"), NULL), RC_OK);
    assert_int_equal(store_put_checkpoint(f->store, 9, STR("nine"), NULL), RC_OK);
    assert_int_equal(store_checkpoint(f->store, a, &note, NULL), RC_OK);
    assert_str(note, "nine");
    reopen(f);
    assert_int_equal(store_checkpoint(f->store, a, &note, NULL), RC_OK);
    assert_str(note, "nine");
}

static void blobs_by_digest(void **state)
{
    struct fixture *f = *state;
    struct stored_blob blobs[] = {{.digest = sha256(STR("one")), .bytes = STR("one")},
                                  {.digest = sha256(STR("")), .bytes = STR("")},
                                  {.digest = sha256(STR("one")), .bytes = STR("one")}};
    struct batch b = log_maker_batch(f->maker, 2);
    b.blobs = blobs;
    b.blob_count = 3;
    assert_int_equal(store_append(f->store, &b, NULL), RC_OK);
    CLEANUP(arena) struct arena *a = arena_new(4096);
    struct str bytes;
    assert_int_equal(store_blob(f->store, a, &blobs[0].digest, &bytes, NULL), RC_OK);
    assert_str(bytes, "one");
    assert_int_equal(store_blob(f->store, a, &blobs[1].digest, &bytes, NULL), RC_OK);
    assert_str(bytes, "");
    struct digest other = sha256(STR("two"));
    struct err e;
    assert_int_equal(store_blob(f->store, a, &other, &bytes, &e), RC_NOT_FOUND);
    assert_string_equal(e.text, "there is no such blob");
    struct stored_blob wrong = {.digest = other, .bytes = STR("not two")};
    struct batch lie = {.blobs = &wrong, .blob_count = 1};
    assert_int_equal(store_append(f->store, &lie, NULL), RC_OK);
    assert_int_equal(store_blob(f->store, a, &other, &bytes, &e), RC_CORRUPT);
    assert_string_equal(e.text, "a blob's bytes do not have its digest");
}

/* --- erasing blobs ---------------------------------------------------------------------------------------- */

static struct stored_blob named(const char *text, uint64_t seq, uint64_t owner, bool erasable)
{
    return (struct stored_blob){.digest = sha256(str_from(text)), .bytes = str_from(text), .seq = seq, .owner = owner,
                                .erasable = erasable};
}

static bool is_there(struct store *s, const char *text)
{
    CLEANUP(arena) struct arena *a = arena_new(4096);
    struct digest digest = sha256(str_from(text));
    struct str bytes;
    enum rc rc = store_blob(s, a, &digest, &bytes, NULL);
    assert_true(rc == RC_OK || rc == RC_NOT_FOUND);
    return rc == RC_OK;
}

static struct erased_blobs erase_all(struct store *s, const struct blob_erasure *what)
{
    struct erased_blobs all = {0};
    int64_t cursor = 0;
    bool more = true;
    while (more) {
        struct erased_blobs step;
        struct err e = {.text = ""};
        enum rc rc = store_erase_blobs(s, what, &cursor, &step, &more, &e);
        assert_str(str_from(e.text), "");
        assert_int_equal(rc, RC_OK);
        assert_true(step.count <= STORE_ERASE_BLOBS);
        all.count += step.count;
        all.bytes += step.bytes;
    }
    return all;
}

static void only_what_nobody_needs_is_erased(void **state)
{
    struct fixture *f = *state;
    const struct stored_blob blobs[] = {
        named("old", 0, 0, true),       named("policy", 1, 1, false),  named("said twice", 1, 1, true),
        named("of an open one", 2, 2, true), named("in between", 2, 2, true), named("told of an open one", 3, 1, true),
        named("said twice", 4, 4, true), named("young", 4, 4, true),    named("a policy says so too", 0, 0, true),
        named("a policy says so too", 3, 3, false),
    };
    struct batch b = log_maker_batch(f->maker, 5);
    b.blobs = blobs;
    b.blob_count = sizeof blobs / sizeof *blobs;
    assert_int_equal(store_append(f->store, &b, NULL), RC_OK);
    static const uint64_t kept[] = {1, 2, 7};
    struct blob_erasure what = {.through_seq = 3, .kept = kept, .kept_count = 3};
    struct erased_blobs found;
    assert_int_equal(store_erasable_blobs(f->store, &what, &found, NULL), RC_OK);
    assert_int_equal(found.count, 1);
    assert_int_equal(found.bytes, strlen("old"));
    assert_true(is_there(f->store, "old")); /* it was only looked at */
    found = erase_all(f->store, &what);
    assert_int_equal(found.count, 1);
    assert_int_equal(found.bytes, strlen("old"));
    assert_false(is_there(f->store, "old"));
    for (size_t i = 1; i < b.blob_count; i++) {
        assert_true(is_there(f->store, blobs[i].bytes.ptr));
    }
    /* Nobody is open any more. */
    what.kept_count = 0;
    found = erase_all(f->store, &what);
    assert_int_equal(found.count, 3);
    assert_false(is_there(f->store, "of an open one"));
    assert_false(is_there(f->store, "in between"));
    assert_false(is_there(f->store, "told of an open one"));
    what.through_seq = 4;
    found = erase_all(f->store, &what);
    assert_int_equal(found.count, 2);
    assert_true(is_there(f->store, "policy"));
    assert_true(is_there(f->store, "a policy says so too"));
    assert_int_equal(erase_all(f->store, &what).count, 0);
    reopen(f);
    assert_false(is_there(f->store, "young"));
    /* What was erased can be said again. */
    struct stored_blob again = named("old", 5, 5, true);
    b = log_maker_batch(f->maker, 1);
    b.blobs = &again;
    b.blob_count = 1;
    assert_int_equal(store_append(f->store, &b, NULL), RC_OK);
    assert_true(is_there(f->store, "old"));
    assert_int_equal(erase_all(f->store, &what).count, 0);
}

/* count blobs that are all different, a batch each; their bytes begin at 'first'. */
static void fill_blobs(struct fixture *f, unsigned first, unsigned count, size_t size)
{
    char *bytes = malloc(size);
    assert_non_null(bytes);
    memset(bytes, 'b', size);
    for (unsigned i = 0; i < count; i++) {
        memcpy(bytes, &(unsigned){first + i}, sizeof(unsigned));
        struct str text = {bytes, size};
        struct batch b = log_maker_batch(f->maker, 1);
        struct stored_blob blob = {.digest = sha256(text), .bytes = text, .seq = b.entries[0].seq,
                                   .owner = b.entries[0].seq, .erasable = true};
        b.blobs = &blob;
        b.blob_count = 1;
        assert_int_equal(store_append(f->store, &b, NULL), RC_OK);
    }
    free(bytes);
}

static void an_erasure_goes_step_by_step(void **state)
{
    struct fixture *f = *state;
    fill_blobs(f, 0, STORE_ERASE_BLOBS + 1, 1000);
    struct blob_erasure what = {.through_seq = UINT32_MAX};
    struct erased_blobs step;
    int64_t cursor = 0;
    bool more = false;
    assert_int_equal(store_erase_blobs(f->store, &what, &cursor, &step, &more, NULL), RC_OK);
    assert_int_equal(step.count, STORE_ERASE_BLOBS);
    assert_true(more);
    assert_int_equal(store_erase_blobs(f->store, &what, &cursor, &step, &more, NULL), RC_OK);
    assert_int_equal(step.count, 1);
    assert_false(more);
    /* By their size as well. */
    fill_blobs(f, 1000, 4, STORE_ERASE_BYTES / 2 - 1);
    cursor = 0;
    assert_int_equal(store_erase_blobs(f->store, &what, &cursor, &step, &more, NULL), RC_OK);
    assert_int_equal(step.count, 3);
    assert_true(more);
    /* And by how many are looked at. */
    fill_blobs(f, 2000, STORE_ERASE_LOOKED + 1, 8);
    uint64_t all = STORE_ERASE_BLOBS + 1 + 4 + STORE_ERASE_LOOKED + 1;
    uint64_t *kept = malloc(all * sizeof *kept);
    assert_non_null(kept);
    for (uint64_t i = 0; i < all; i++) {
        kept[i] = i;
    }
    what.kept = kept;
    what.kept_count = all;
    cursor = 0;
    assert_int_equal(store_erase_blobs(f->store, &what, &cursor, &step, &more, NULL), RC_OK);
    assert_int_equal(step.count, 0);
    assert_true(more);
    assert_int_equal(store_erase_blobs(f->store, &what, &cursor, &step, &more, NULL), RC_OK);
    assert_int_equal(step.count, 0);
    assert_false(more);
    free(kept);
}

static off_t bytes_of(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_size;
}

static bool file_has(const char *path, struct str text)
{
    CLEANUP(buf) struct buf bytes;
    buf_init(&bytes, 64 << 20);
    assert_int_equal(file_read(path, &bytes, NULL), RC_OK);
    return memmem(bytes.data, bytes.len, text.ptr, text.len) != NULL;
}

static void what_is_erased_is_gone_and_its_room_is_used_again(void **state)
{
    struct fixture *f = *state;
    struct blob_erasure what = {.through_seq = UINT32_MAX};
    fill_blobs(f, 0, 16, 512 << 10);
    assert_int_equal(store_settle(f->store, NULL), RC_OK);
    off_t full = bytes_of(f->place.path);
    struct str trace = STR("bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb");
    assert_true(file_has(f->place.path, trace));
    assert_int_equal(erase_all(f->store, &what).count, 16);
    assert_int_equal(store_settle(f->store, NULL), RC_OK);
    assert_false(file_has(f->place.path, trace));
    for (unsigned round = 1; round < 4; round++) {
        fill_blobs(f, round * 100, 16, 512 << 10);
        assert_int_equal(store_settle(f->store, NULL), RC_OK);
        assert_true(bytes_of(f->place.path) < full + (1 << 20));
        assert_int_equal(erase_all(f->store, &what).count, 16);
    }
}

struct parts_seen {
    char text[64];
};

static enum rc join(void *context, struct str part, struct err *e)
{
    struct parts_seen *seen = context;
    size_t len = strlen(seen->text);
    snprintf(seen->text + len, sizeof seen->text - len, "%.*s|", STR_ARG(part));
    return str_eq(part, STR("stop")) ? err_set(e, RC_DENIED, "stopped") : RC_OK;
}

static void assert_snapshot(struct store *s, uint64_t at_seq, const char *want)
{
    struct parts_seen seen = {""};
    struct err e;
    enum rc rc = store_walk_snapshot(s, at_seq, join, &seen, &e);
    assert_int_equal(rc, want == NULL ? RC_NOT_FOUND : RC_OK);
    assert_string_equal(seen.text, want == NULL ? "" : want);
}

static void the_newest_snapshots_are_kept(void **state)
{
    struct fixture *f = *state;
    struct str parts[] = {STR("a"), STR("b"), STR("c")};
    assert_int_equal(store_put_snapshot(f->store, 10, parts, 3, NULL), RC_OK);
    assert_int_equal(store_put_snapshot(f->store, 20, parts, 2, NULL), RC_OK);
    assert_snapshot(f->store, 10, "a|b|c|");
    assert_snapshot(f->store, 20, "a|b|");
    assert_int_equal(store_put_snapshot(f->store, 30, parts, 1, NULL), RC_OK);
    assert_snapshot(f->store, 10, NULL);
    assert_snapshot(f->store, 20, "a|b|");
    /* Put again: the longer one before leaves nothing. */
    assert_int_equal(store_put_snapshot(f->store, 20, parts + 2, 1, NULL), RC_OK);
    assert_snapshot(f->store, 20, "c|");
    assert_snapshot(f->store, 30, "a|");
    reopen(f);
    assert_snapshot(f->store, 30, "a|");
    struct str stop[] = {STR("x"), STR("stop"), STR("y")};
    assert_int_equal(store_put_snapshot(f->store, 40, stop, 3, NULL), RC_OK);
    struct parts_seen seen = {""};
    struct err e;
    assert_int_equal(store_walk_snapshot(f->store, 40, join, &seen, &e), RC_DENIED);
    assert_string_equal(seen.text, "x|stop|");
}

/* --- who may open ---------------------------------------------------------------------------------------- */

static void one_writer(void **state)
{
    struct fixture *f = *state;
    struct store *second = NULL;
    struct err e;
    assert_int_equal(store_open(f->place.path, STORE_WRITE, &second, &e), RC_CONFLICT);
    assert_non_null(strstr(e.text, "held by process"));
    assert_int_equal(store_open(f->place.path, STORE_CREATE, &second, &e), RC_CONFLICT);
    assert_non_null(strstr(e.text, "exists"));
    assert_null(second);
    store_close(f->store);
    f->store = NULL;
    assert_int_equal(store_open(f->place.path, STORE_CREATE, &second, &e), RC_CONFLICT);
    f->store = open_store(f->place.path, STORE_WRITE);
}

static void readers_beside_the_writer(void **state)
{
    struct fixture *f = *state;
    log_maker_fill(f->maker, f->store, 10);
    struct store *reader = open_store(f->place.path, STORE_READ);
    assert_int_equal(size_of(reader), 10);
    log_maker_fill(f->maker, f->store, 300);
    assert_int_equal(store_tidy(f->store, true, NULL), RC_OK);
    assert_walk(reader, 0, UINT64_MAX, 310);
    struct tree tree;
    assert_int_equal(store_tree(reader, &tree, NULL), RC_OK);
    struct digest got = tree_root(&tree);
    struct digest want = tree_root(&f->maker->tree);
    assert_memory_equal(&got, &want, SHA256_LEN);
    store_close(reader);
    /* And after the writer has gone. */
    store_close(f->store);
    f->store = NULL;
    reader = open_store(f->place.path, STORE_READ);
    assert_walk(reader, 0, UINT64_MAX, 310);
    store_close(reader);
    f->store = open_store(f->place.path, STORE_WRITE);
}

static void housekeeping_keeps_everything(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 40; i++) {
        log_maker_fill(f->maker, f->store, 500);
        assert_int_equal(store_tidy(f->store, i % 3 == 0, NULL), RC_OK);
    }
    assert_int_equal(store_settle(f->store, NULL), RC_OK);
    assert_walk(f->store, 0, UINT64_MAX, 20000);
}

/* A copy is what was there when it began, whatever is written behind it; adopted, it goes on by itself. */
static void a_copy_is_a_store(void **state)
{
    struct fixture *f = *state;
    char path[400];
    snprintf(path, sizeof path, "%s-copy", f->place.path);
    log_maker_fill(f->maker, f->store, 700);
    assert_int_equal(store_put_checkpoint(f->store, 700, STR("a note"), NULL), RC_OK);
    const struct str part = STR("part");
    assert_int_equal(store_put_snapshot(f->store, 600, &part, 1, NULL), RC_OK);
    struct store *reader = open_store(f->place.path, STORE_READ);
    assert_int_equal(store_copy(reader, path, NULL), RC_OK);
    log_maker_fill(f->maker, f->store, 50);
    struct err e;
    assert_int_equal(store_copy(reader, path, &e), RC_CONFLICT);
    assert_non_null(strstr(e.text, "-copy: can't create"));
    store_close(reader);
    struct store *copy = open_store(path, STORE_READ);
    assert_walk(copy, 0, UINT64_MAX, 700);
    struct digest tile[TILE_WIDTH];
    assert_int_equal(store_tile(copy, 0, 1, TILE_WIDTH, tile, NULL), RC_OK);
    struct str note;
    CLEANUP(arena) struct arena *a = arena_new(1 << 16);
    assert_int_equal(store_checkpoint(copy, a, &note, NULL), RC_OK);
    assert_str(note, "a note");
    uint64_t at_seq = 0;
    assert_int_equal(store_newest_snapshot(copy, &at_seq, NULL), RC_OK);
    assert_int_equal(at_seq, 600);
    store_close(copy);
    assert_int_equal(store_open(path, STORE_WRITE, &copy, &e), RC_UNAVAILABLE); /* not yet */
    assert_int_equal(store_adopt(path, NULL), RC_OK);
    copy = open_store(path, STORE_WRITE);
    assert_int_equal(size_of(copy), 700);
    store_close(copy);
    store_remove(path);
    copy = NULL;
    assert_int_equal(store_open(path, STORE_READ, &copy, &e), RC_NOT_FOUND);
}

static void a_missing_log(void **state)
{
    struct fixture *f = *state;
    char path[400];
    snprintf(path, sizeof path, "%s-missing", f->place.path);
    struct store *s = NULL;
    struct err e;
    assert_int_equal(store_open(path, STORE_READ, &s, &e), RC_NOT_FOUND);
    assert_non_null(strstr(e.text, "there is no ledger"));
    assert_int_equal(store_open(path, STORE_WRITE, &s, &e), RC_NOT_FOUND);
    assert_null(s);
    store_close(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int store_suite(const char *name, place_fn make, place_fn drop)
{
    suite = (struct fixture){.make = make, .drop = drop};
    const struct CMUnitTest tests[] = {
        TEST(an_empty_log),
        TEST(appends_and_walks),
        TEST(reads_one),
        TEST(walks_nest),
        TEST(refuses_gaps),
        TEST(refuses_what_is_too_much),
        TEST(tree_and_tiles),
        TEST(tiles_by_prefix),
        TEST(proofs_from_the_store),
        TEST(checkpoints_replace),
        TEST(blobs_by_digest),
        TEST(only_what_nobody_needs_is_erased),
        TEST(an_erasure_goes_step_by_step),
        TEST(what_is_erased_is_gone_and_its_room_is_used_again),
        TEST(the_newest_snapshots_are_kept),
        TEST(one_writer),
        TEST(readers_beside_the_writer),
        TEST(housekeeping_keeps_everything),
        TEST(a_copy_is_a_store),
        TEST(a_missing_log),
    };
    return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}
