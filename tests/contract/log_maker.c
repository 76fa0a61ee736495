#include "log_maker.h"

#include "check.h"

struct log_maker *log_maker_new(void)
{
    struct log_maker *m = calloc(1, sizeof *m);
    assert_non_null(m);
    tree_init(&m->tree);
    buf_init(&m->headers, (size_t)STORE_BATCH_MAX * ENTRY_HEADER_MAX);
    buf_init(&m->bodies, (size_t)STORE_BATCH_MAX * 64);
    assert_non_null(buf_reserve(&m->headers, m->headers.max));
    assert_non_null(buf_reserve(&m->bodies, m->bodies.max));
    return m;
}

void log_maker_free(struct log_maker *m)
{
    buf_done(&m->headers);
    buf_done(&m->bodies);
    free(m);
}

static void keep_tile(void *context, const struct tile *full)
{
    struct log_maker *m = context;
    assert_true(m->tile_count < MAKER_TILES_MAX);
    m->tiles[m->tile_count++] = *full;
}

static void make_entry(struct log_maker *m, struct stored *out)
{
    size_t body_at = m->bodies.len;
    buf_printf(&m->bodies, "{\"n\":%llu,\"pad\":\"0123456789\"}", (unsigned long long)m->tree.size);
    *out = (struct stored){
        .seq = m->tree.size,
        .body = {m->bodies.data + body_at, m->bodies.len - body_at},
    };
    memset(out->salt, (int)(m->tree.size % 251), sizeof out->salt);
    struct entry entry = {.v = 1,
                          .seq = m->tree.size,
                          .time_ms = 1795255200000 + (int64_t)m->tree.size,
                          .kind = ENTRY_ACTION_DECIDED,
                          .actor = STR("tok_5")};
    struct digest digest = ledger_body_digest(out->salt, out->body);
    memcpy(entry.body_digest, digest.bytes, sizeof entry.body_digest);
    size_t header_at = m->headers.len;
    entry_write(&m->headers, &entry);
    out->header = (struct str){m->headers.data + header_at, m->headers.len - header_at};
    struct digest leaf = ledger_leaf_hash(out->header);
    tree_append(&m->tree, &leaf, keep_tile, m);
}

struct batch log_maker_batch(struct log_maker *m, size_t count)
{
    assert_true(count <= STORE_BATCH_MAX);
    buf_reset(&m->headers);
    buf_reset(&m->bodies);
    m->tile_count = 0;
    for (size_t i = 0; i < count; i++) {
        make_entry(m, &m->entries[i]);
    }
    assert_int_equal(m->headers.rc, RC_OK);
    assert_int_equal(m->bodies.rc, RC_OK);
    return (struct batch){
        .entries = m->entries, .entry_count = count, .tiles = m->tiles, .tile_count = m->tile_count};
}

void log_maker_fill(struct log_maker *m, struct store *s, size_t count)
{
    while (count > 0) {
        size_t now = count > STORE_BATCH_MAX ? STORE_BATCH_MAX : count;
        struct batch b = log_maker_batch(m, now);
        struct err e = {.text = ""};
        enum rc rc = store_append(s, &b, &e);
        assert_str(str_from(e.text), "");
        assert_int_equal(rc, RC_OK);
        count -= now;
    }
}
