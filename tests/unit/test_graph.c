/* graph: what was claimed when, the views of it, and that history is exact. */
#include "check.h"

#include "base/buf.h"
#include "graph/graph.h"
#include "value/json.h"

#define RECORDS_MAX (8U << 20)

static struct graph *new_graph(void)
{
    struct graph *g = graph_new(7);
    assert_non_null(g);
    assert_int_equal(graph_advance(g, 0, NULL), RC_OK);
    return g;
}

static uint32_t node(struct graph *g, const char *name)
{
    uint32_t at;
    assert_int_equal(graph_node(g, NODE_SERVICE, str_from(name), &at, NULL), RC_OK);
    return at;
}

static void declare(struct graph *g, uint32_t from, uint32_t to, uint32_t effect_bp)
{
    struct edge_claim c = {from, to, EDGE_CALLS, CLAIM_WRITTEN, effect_bp, 0, STR("test")};
    assert_int_equal(graph_link(g, &c, NULL), RC_OK);
}

static void observe(struct graph *g, uint32_t from, uint32_t to, uint32_t effect_bp, int64_t until_ms)
{
    struct edge_claim c = {from, to, EDGE_CALLS, CLAIM_OBSERVED, effect_bp, until_ms, STR("traces")};
    assert_int_equal(graph_link(g, &c, NULL), RC_OK);
}

static void at(struct graph *g, int64_t ms)
{
    assert_int_equal(graph_advance(g, ms, NULL), RC_OK);
}

/* --- one edge's life ---------------------------------------------------------------------------------- */

static void expect_edge(const struct graph *g, int64_t ms, const char *confidence, uint32_t effect_bp)
{
    struct graph_view v;
    assert_int_equal(graph_view_at(g, ms, &v, NULL), RC_OK);
    struct graph_edge x;
    bool there = graph_edge_at(&v, 0, 1, EDGE_CALLS, &x);
    assert_int_equal(there, confidence != NULL);
    if (there) {
        assert_string_equal(confidence_name(x.confidence), confidence);
        assert_int_equal(x.effect_bp, effect_bp);
    }
    struct arc a;
    struct arc_walk w = graph_arcs(&v, 1, FLOW_HARMS);
    assert_int_equal(arc_next(&w, &a), there);
    w = graph_arcs(&v, 0, FLOW_HARMED_BY);
    assert_int_equal(arc_next(&w, &a), there);
    if (there) {
        assert_int_equal(a.other, 1);
        assert_int_equal(arc_effect_bp(a), effect_bp);
    }
}

static void an_edge_lives_by_its_claims(void **state)
{
    (void)state;
    CLEANUP(graph) struct graph *g = new_graph();
    uint32_t a = node(g, "a");
    uint32_t b = node(g, "b");
    at(g, 10);
    observe(g, a, b, 3000, 100);
    at(g, 20);
    declare(g, a, b, 0);
    at(g, 30);
    observe(g, a, b, 4000, 130);
    at(g, 150);
    assert_int_equal(graph_unlink(g, a, b, EDGE_CALLS, CLAIM_WRITTEN, NULL), RC_OK);
    at(g, 160);
    expect_edge(g, 9, NULL, 0);
    expect_edge(g, 10, "observed", 3000);
    expect_edge(g, 20, "confirmed", 3000);
    expect_edge(g, 30, "confirmed", 4000);
    expect_edge(g, 129, "confirmed", 4000);
    expect_edge(g, 130, "declared", WHOLE_BP);
    expect_edge(g, 149, "declared", WHOLE_BP);
    expect_edge(g, 150, NULL, 0);
    expect_edge(g, 160, NULL, 0);
    assert_int_equal(graph_edge_count(g), 0);
    /* Five versions: nothing that was is rewritten. */
    assert_int_equal(graph_version_count(g), 4);
}

static void a_declared_effect_counts_before_an_observed_one(void **state)
{
    (void)state;
    CLEANUP(graph) struct graph *g = new_graph();
    uint32_t a = node(g, "a");
    uint32_t b = node(g, "b");
    declare(g, a, b, 2500);
    observe(g, a, b, 9000, 50);
    expect_edge(g, 0, "confirmed", 2500);
    at(g, 50);
    expect_edge(g, 50, "declared", 2500);
}

static void what_nobody_saw_is_no_version(void **state)
{
    (void)state;
    CLEANUP(graph) struct graph *g = new_graph();
    uint32_t a = node(g, "a");
    uint32_t b = node(g, "b");
    declare(g, a, b, 100);
    declare(g, a, b, 200);
    observe(g, a, b, 0, 50);
    assert_int_equal(graph_version_count(g), 1);
    at(g, 5);
    observe(g, a, b, 0, 60); /* the same again: nothing to write down */
    assert_int_equal(graph_version_count(g), 1);
}

static void an_observation_that_is_over_already_is_none(void **state)
{
    (void)state;
    CLEANUP(graph) struct graph *g = new_graph();
    uint32_t a = node(g, "a");
    uint32_t b = node(g, "b");
    at(g, 100);
    observe(g, a, b, 0, 100);
    assert_int_equal(graph_edge_count(g), 0);
}

static void harm_flows_as_the_kind_says(void **state)
{
    (void)state;
    static const struct {
        enum edge_kind kind;
        bool from_harms_to;
    } rows[] = {{EDGE_CALLS, false},     {EDGE_DEPENDS_ON, false}, {EDGE_DEPLOYS, true},
                {EDGE_CONFIGURES, true}, {EDGE_PART_OF, true},     {EDGE_OWNS, true}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CLEANUP(graph) struct graph *g = new_graph();
        uint32_t a = node(g, "a");
        uint32_t b = node(g, "b");
        struct edge_claim c = {a, b, rows[i].kind, CLAIM_WRITTEN, 0, 0, STR("")};
        assert_int_equal(graph_link(g, &c, NULL), RC_OK);
        struct graph_view v = graph_view_now(g);
        struct arc_walk w = graph_arcs(&v, rows[i].from_harms_to ? a : b, FLOW_HARMS);
        struct arc x;
        assert_true(arc_next(&w, &x));
        assert_int_equal(x.other, rows[i].from_harms_to ? b : a);
        assert_false(arc_next(&w, &x));
    }
    assert_false(edge_kind_carries(EDGE_OWNS));
    assert_true(edge_kind_carries(EDGE_CONFIGURES));
}

/* --- nodes ---------------------------------------------------------------------------------------------- */

static void expect_said(const struct graph *g, uint32_t n, int64_t ms, bool there, const char *said)
{
    struct graph_view v;
    assert_int_equal(graph_view_at(g, ms, &v, NULL), RC_OK);
    assert_int_equal(graph_node_in_view(&v, n), there);
    assert_str(graph_attributes(&v, n), said);
}

static void nodes_come_and_go(void **state)
{
    (void)state;
    CLEANUP(graph) struct graph *g = new_graph();
    at(g, 10);
    uint32_t a = node(g, "a");
    uint32_t b = node(g, "b");
    declare(g, a, b, 0);
    declare(g, a, a, 0);
    at(g, 20);
    assert_int_equal(graph_describe(g, a, STR("{\"zone\":\"eu\"}"), STR("test"), NULL), RC_OK);
    assert_int_equal(graph_describe(g, a, STR("{\"zone\":\"us\"}"), STR("test"), NULL), RC_OK);
    at(g, 30);
    assert_int_equal(graph_end_node(g, a, NULL), RC_OK);
    at(g, 40);
    assert_int_equal(node(g, "a"), a);
    expect_said(g, a, 9, false, "");
    expect_said(g, a, 10, true, "");
    expect_said(g, a, 20, true, "{\"zone\":\"us\"}");
    expect_said(g, a, 30, false, "");
    expect_said(g, a, 40, true, "");
    assert_int_equal(graph_edge_count(g), 0);
    expect_edge(g, 29, "declared", WHOLE_BP);
    expect_edge(g, 30, NULL, 0);
    assert_str(graph_key(g, a), "service:a");
    assert_str(graph_name(g, a), "a");
    assert_int_equal(graph_find_key(g, STR("service:a")), a);
    assert_int_equal(graph_find_key(g, STR("a")), a);
    assert_int_equal(graph_find_key(g, STR("queue:a")), MAP_NONE);
}

/* Whoever says that a node is gone does not take back what a definition says. */
static void what_a_definition_says_outlives_the_node(void **state)
{
    (void)state;
    CLEANUP(graph) struct graph *g = new_graph();
    uint32_t a = node(g, "a");
    uint32_t b = node(g, "b");
    uint32_t c = node(g, "c");
    struct edge_claim said = {a, b, EDGE_CALLS, CLAIM_DEFINED, 0, 0, STR("definition")};
    assert_int_equal(graph_link(g, &said, NULL), RC_OK);
    declare(g, a, b, 100);
    observe(g, a, b, 200, 500);
    declare(g, a, c, 0);
    declare(g, b, a, 0);
    at(g, 10);
    for (uint32_t n = a; n <= b; n++) {
        assert_int_equal(graph_end_node(g, n, NULL), RC_OK);
        expect_edge(g, 10, "declared", WHOLE_BP);
        assert_int_equal(graph_edge_count(g), 1);
        expect_said(g, n, 10, true, "");
    }
    at(g, 20);
    assert_int_equal(graph_unlink(g, a, b, EDGE_CALLS, CLAIM_DEFINED, NULL), RC_OK);
    assert_int_equal(graph_end_node(g, a, NULL), RC_OK);
    expect_said(g, a, 20, false, "");
}

static void names_have_their_limits(void **state)
{
    (void)state;
    CLEANUP(graph) struct graph *g = new_graph();
    char name[GRAPH_NAME_MAX + 2];
    memset(name, 'n', sizeof name);
    uint32_t n;
    assert_int_equal(graph_node(g, NODE_QUEUE, (struct str){name, GRAPH_NAME_MAX}, &n, NULL), RC_OK);
    assert_int_equal(graph_node(g, NODE_QUEUE, (struct str){name, GRAPH_NAME_MAX + 1}, &n, NULL), RC_INVALID);
    assert_int_equal(graph_node(g, NODE_QUEUE, STR(""), &n, NULL), RC_INVALID);
    char *said = malloc(GRAPH_ATTRIBUTES_MAX + 1);
    assert_non_null(said);
    memset(said, ' ', GRAPH_ATTRIBUTES_MAX + 1);
    assert_int_equal(graph_describe(g, n, (struct str){said, GRAPH_ATTRIBUTES_MAX}, STR(""), NULL), RC_OK);
    assert_int_equal(graph_describe(g, n, (struct str){said, GRAPH_ATTRIBUTES_MAX + 1}, STR(""), NULL), RC_LIMIT);
    struct graph_change c = {.node = n, .kind = NODE_DEPLOY, .what = {said, GRAPH_DETAIL_MAX + 1}};
    assert_int_equal(graph_changed(g, &c, NULL), RC_LIMIT);
    free(said);
}

/* More sources than can be told apart: the rest is "other". */
static void sources_have_their_limit(void **state)
{
    (void)state;
    CLEANUP(graph) struct graph *g = new_graph();
    uint32_t a = node(g, "a");
    for (int i = 0; i <= GRAPH_SOURCES_MAX; i++) {
        char name[16];
        snprintf(name, sizeof name, "s%d", i);
        struct edge_claim c = {a, a, EDGE_CALLS, CLAIM_WRITTEN, 0, 0, str_from(name)};
        assert_int_equal(graph_link(g, &c, NULL), RC_OK);
    }
    struct graph_view v = graph_view_now(g);
    struct graph_edge x;
    assert_true(graph_edge_at(&v, a, a, EDGE_CALLS, &x));
    assert_str(x.source, "other");
}

/* --- changes -------------------------------------------------------------------------------------------- */

static void changes_stand_in_order_of_time(void **state)
{
    (void)state;
    CLEANUP(graph) struct graph *g = new_graph();
    uint32_t a = node(g, "a");
    at(g, 100);
    static const int64_t times[] = {50, 10, 50, 90, 30};
    for (uint32_t i = 0; i < 5; i++) {
        char what[8];
        snprintf(what, sizeof what, "c%u", i);
        struct graph_change c = {times[i], a, NODE_CONFIG, i, str_from(what)};
        assert_int_equal(graph_changed(g, &c, NULL), RC_OK);
    }
    struct graph_view v = graph_view_now(g);
    uint32_t first;
    assert_int_equal(graph_changes(&v, 30, 90, &first), 3);
    static const char *const want[] = {"c4", "c0", "c2"};
    for (uint32_t i = 0; i < 3; i++) {
        assert_str(graph_change_at(g, first + i)->what, want[i]);
    }
    assert_int_equal(graph_view_at(g, 50, &v, NULL), RC_OK);
    assert_int_equal(graph_changes(&v, 0, 1000, &first), 4);
    assert_int_equal(graph_changes(&v, 60, 20, &first), 0);
}

static void many_changes_forget_the_oldest(void **state)
{
    (void)state;
    CLEANUP(graph) struct graph *g = new_graph();
    uint32_t a = node(g, "a");
    for (int i = 0; i <= GRAPH_CHANGES_MAX; i++) {
        at(g, i);
        struct graph_change c = {i, a, NODE_CONFIG, 0, STR("x")};
        assert_int_equal(graph_changed(g, &c, NULL), RC_OK);
    }
    struct graph_view v = graph_view_now(g);
    uint32_t first;
    assert_int_equal(graph_changes(&v, INT64_MIN, INT64_MAX, &first), GRAPH_CHANGES_MAX / 2 + 1);
    assert_int_equal(graph_changes_since(g), GRAPH_CHANGES_MAX / 2);
}

/* --- properties ----------------------------------------------------------------------------------------- */

enum { NODES = 12, OPS = 400, SEEDS = 60, MOMENTS = 25 };

static uint64_t next(uint64_t *s)
{
    *s = *s * 6364136223846793005U + 1442695040888963407U;
    return *s >> 33;
}

struct op {
    int64_t at_ms;
    unsigned what;
    uint32_t a, b;
    enum edge_kind kind;
    uint32_t bp;
    int64_t lasts_ms;
    enum claim_kind claim;
};

static void do_op(struct graph *g, const struct op *o)
{
    at(g, o->at_ms);
    char a[8];
    char b[8];
    snprintf(a, sizeof a, "n%u", o->a);
    snprintf(b, sizeof b, "n%u", o->b);
    uint32_t from = node(g, a);
    if (o->what == 0) {
        assert_int_equal(graph_end_node(g, from, NULL), RC_OK);
        return;
    }
    uint32_t to = node(g, b);
    struct edge_claim c = {from, to, o->kind, o->what < 4 ? CLAIM_OBSERVED : o->claim, o->bp, o->at_ms + o->lasts_ms, str_from(o->bp % 2 ? "x" : "y")};
    if (o->what == 5) {
        assert_int_equal(graph_unlink(g, from, to, o->kind, o->claim, NULL), RC_OK);
    } else if (o->what == 4) {
        char said[32];
        snprintf(said, sizeof said, "{\"n\":%u}", o->bp);
        assert_int_equal(graph_describe(g, to, str_from(said), STR("x"), NULL), RC_OK);
    } else {
        assert_int_equal(graph_link(g, &c, NULL), RC_OK);
    }
}

static void random_ops(struct op *ops, uint64_t seed)
{
    int64_t ms = 0;
    for (int i = 0; i < OPS; i++) {
        ms += (int64_t)(next(&seed) % 4);
        ops[i] = (struct op){ms,
                             (unsigned)(next(&seed) % 9),
                             (uint32_t)(next(&seed) % NODES),
                             (uint32_t)(next(&seed) % NODES),
                             next(&seed) % 2 ? EDGE_CALLS : EDGE_CONFIGURES,
                             (uint32_t)(next(&seed) % 4) * 1000,
                             (int64_t)(next(&seed) % 60),
                             next(&seed) % 2 ? CLAIM_WRITTEN : CLAIM_DEFINED};
    }
}

static void write_view(struct buf *out, const struct graph_view *v)
{
    const struct graph *g = v->graph;
    for (uint32_t n = 0; n < NODES; n++) {
        char name[8];
        snprintf(name, sizeof name, "n%u", n);
        uint32_t i = graph_find(g, NODE_SERVICE, str_from(name));
        if (i == MAP_NONE || !graph_node_in_view(v, i)) {
            continue;
        }
        buf_printf(out, "%s %.*s:", name, STR_ARG(graph_attributes(v, i)));
        for (unsigned flow = 0; flow < 2; flow++) {
            struct arc a;
            for (struct arc_walk w = graph_arcs(v, i, (enum flow)flow); arc_next(&w, &a);) {
                buf_printf(out, " %u%.*s/%u", flow, STR_ARG(graph_name(g, a.other)), a.bits);
            }
        }
        buf_char(out, '\n');
    }
}

/* A view at t is the fold of what was written up to t, to the order of the arcs. */
static void a_view_is_the_fold_up_to_then(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct op ops[OPS];
        random_ops(ops, seed);
        CLEANUP(graph) struct graph *all = new_graph();
        for (int i = 0; i < OPS; i++) {
            do_op(all, &ops[i]);
        }
        uint64_t s = seed;
        for (int m = 0; m < MOMENTS; m++) {
            int64_t t = (int64_t)(next(&s) % (uint64_t)(ops[OPS - 1].at_ms + 2));
            CLEANUP(graph) struct graph *part = new_graph();
            for (int i = 0; i < OPS && ops[i].at_ms <= t; i++) {
                do_op(part, &ops[i]);
            }
            at(part, t);
            struct graph_view want = graph_view_now(part);
            struct graph_view got;
            assert_int_equal(graph_view_at(all, t, &got, NULL), RC_OK);
            CLEANUP(buf) struct buf w;
            CLEANUP(buf) struct buf h;
            buf_init(&w, RECORDS_MAX);
            buf_init(&h, RECORDS_MAX);
            write_view(&w, &want);
            write_view(&h, &got);
            if (!str_eq(buf_view(&w), buf_view(&h))) {
                print_error("seed %llu, t %lld\nwant:\n%.*s\ngot:\n%.*s\n", (unsigned long long)seed, (long long)t,
                            STR_ARG(buf_view(&w)), STR_ARG(buf_view(&h)));
                fail();
            }
        }
    }
}

struct keeper {
    struct buf text; /* a record a line */
    struct arena *arena;
};

static enum rc keep(void *context, const struct value *record, struct err *e)
{
    (void)e;
    struct keeper *k = context;
    json_write_canonical(&k->text, record, k->arena);
    buf_char(&k->text, '\n');
    arena_reset(k->arena);
    return k->text.rc;
}

static void saved(const struct graph *g, struct keeper *k)
{
    buf_init(&k->text, RECORDS_MAX);
    k->arena = arena_new(1 << 20);
    assert_int_equal(graph_save(g, k->arena, keep, k, NULL), RC_OK);
}

static void keeper_done(struct keeper *k)
{
    buf_done(&k->text);
    arena_free(k->arena);
}

static struct graph *loaded(struct str text)
{
    struct graph *g = graph_new(99);
    struct str line;
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    while (str_next(&text, '\n', &line) && line.len > 0) {
        struct value v;
        struct err e;
        enum rc rc = json_parse(a, line, &v, &e);
        rc = rc == RC_OK ? graph_load_record(g, &v, &e) : rc;
        if (rc != RC_OK) {
            print_error("%.*s: %s\n", STR_ARG(line), e.text);
            fail();
        }
        arena_reset(a);
    }
    return g;
}

static void what_is_saved_comes_back_and_goes_on(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct op ops[OPS];
        random_ops(ops, seed * 77);
        CLEANUP(graph) struct graph *g = new_graph();
        for (int i = 0; i < OPS / 2; i++) {
            do_op(g, &ops[i]);
        }
        struct keeper first;
        saved(g, &first);
        CLEANUP(graph) struct graph *h = loaded(buf_view(&first.text));
        for (int i = OPS / 2; i < OPS; i++) {
            do_op(g, &ops[i]);
            do_op(h, &ops[i]);
        }
        struct keeper a;
        struct keeper b;
        saved(g, &a);
        saved(h, &b);
        assert_true(str_eq(buf_view(&a.text), buf_view(&b.text)));
        keeper_done(&first);
        keeper_done(&a);
        keeper_done(&b);
    }
}

static void a_damaged_record_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "{\"r\":\"graph_what\"}",
        "{\"r\":\"graph_head\",\"n\":[1]}",
        "{\"r\":\"graph_node\",\"kind\":\"serv\",\"name\":\"a\"}",
        "{\"r\":\"graph_node\",\"kind\":\"service\",\"name\":\"a\"}",
        "{\"r\":\"graph_moments\",\"n\":[5,5]}",
        "{\"r\":\"graph_source\",\"name\":\"other\"}",
        "{\"r\":\"graph_said\",\"node\":9,\"from\":0,\"source\":0}",
        "{\"r\":\"graph_edge\",\"n\":[0,9,2560000,0,0,1]}",
        "{\"r\":\"graph_edge\",\"n\":[0,0,15,0,0,1]}",
        "{\"r\":\"graph_edge\",\"n\":[0,0,0,0,0,1]}",
        "{\"r\":\"graph_claim\",\"n\":[0,1,0,0,0,0,0,0]}",
        "{\"r\":\"graph_change\",\"at\":0,\"node\":3,\"kind\":\"config\",\"what\":\"\"}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CLEANUP(graph) struct graph *g = new_graph();
        node(g, "a");
        CLEANUP(arena) struct arena *a = arena_new(1 << 16);
        struct value v;
        assert_int_equal(json_parse(a, str_from(bad[i]), &v, NULL), RC_OK);
        if (graph_load_record(g, &v, NULL) != RC_CORRUPT) {
            print_error("taken: %s\n", bad[i]);
            fail();
        }
    }
}

/* --- the limits of the past ------------------------------------------------------------------------------ */

/* Two nodes whose edge flaps until more is over than is kept. */
static void too_much_past_forgets_the_older_half(void **state)
{
    (void)state;
    CLEANUP(graph) struct graph *g = new_graph();
    uint32_t a = node(g, "a");
    uint32_t b = node(g, "b");
    uint32_t c = node(g, "c");
    declare(g, c, b, 777);
    int64_t ms = 0;
    for (uint32_t i = 0; i <= GRAPH_PAST_MAX; i++) {
        at(g, ms++);
        declare(g, a, b, 1 + i % 2);
    }
    assert_int_equal(graph_forgotten(g), INT64_MIN);
    at(g, ms++);
    declare(g, a, b, 9);
    at(g, ms++);
    int64_t cut = graph_forgotten(g);
    assert_true(cut > GRAPH_PAST_MAX / 2 - 10 && cut < GRAPH_PAST_MAX / 2 + 10);
    struct graph_view v;
    assert_int_equal(graph_view_at(g, cut - 1, &v, NULL), RC_GONE);
    assert_int_equal(graph_view_at(g, cut, &v, NULL), RC_OK);
    struct graph_edge x;
    assert_true(graph_edge_at(&v, a, b, EDGE_CALLS, &x));
    assert_int_equal(x.effect_bp, 1 + cut % 2);
    assert_true(graph_edge_at(&v, c, b, EDGE_CALLS, &x));
    assert_int_equal(x.effect_bp, 777);
    v = graph_view_now(g);
    assert_true(graph_edge_at(&v, a, b, EDGE_CALLS, &x));
    assert_int_equal(x.effect_bp, 9);
    declare(g, a, b, 10);
    v = graph_view_now(g);
    assert_true(graph_edge_at(&v, a, b, EDGE_CALLS, &x));
    assert_int_equal(x.effect_bp, 10);
}

static void edges_have_their_limit(void **state)
{
    (void)state;
    CLEANUP(graph) struct graph *g = new_graph();
    enum { SIDE = 1449 }; /* its square is just beyond the limit */
    static uint32_t nodes[SIDE];
    for (int i = 0; i < SIDE; i++) {
        char name[16];
        snprintf(name, sizeof name, "n%d", i);
        nodes[i] = node(g, name);
    }
    uint32_t made = 0;
    enum rc rc = RC_OK;
    for (int i = 0; i < SIDE && rc == RC_OK; i++) {
        for (int j = 0; j < SIDE && rc == RC_OK; j++) {
            struct edge_claim c = {nodes[i], nodes[j], EDGE_CALLS, CLAIM_WRITTEN, 0, 0, STR("")};
            struct err e;
            rc = graph_link(g, &c, &e);
            made += rc == RC_OK ? 1U : 0U;
        }
    }
    assert_int_equal(rc, RC_LIMIT);
    assert_int_equal(made, GRAPH_EDGES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_edge_lives_by_its_claims),
        cmocka_unit_test(a_declared_effect_counts_before_an_observed_one),
        cmocka_unit_test(what_nobody_saw_is_no_version),
        cmocka_unit_test(an_observation_that_is_over_already_is_none),
        cmocka_unit_test(harm_flows_as_the_kind_says),
        cmocka_unit_test(nodes_come_and_go),
        cmocka_unit_test(what_a_definition_says_outlives_the_node),
        cmocka_unit_test(names_have_their_limits),
        cmocka_unit_test(sources_have_their_limit),
        cmocka_unit_test(changes_stand_in_order_of_time),
        cmocka_unit_test(many_changes_forget_the_oldest),
        cmocka_unit_test(a_view_is_the_fold_up_to_then),
        cmocka_unit_test(what_is_saved_comes_back_and_goes_on),
        cmocka_unit_test(a_damaged_record_is_refused),
        cmocka_unit_test(too_much_past_forgets_the_older_half),
        cmocka_unit_test(edges_have_their_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
