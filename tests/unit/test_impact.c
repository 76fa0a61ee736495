/* graph/impact: who is hurt, how much, by which way. */
#include "check.h"

#include "graph/impact.h"

struct world {
    struct graph *g;
    struct impact_walk *w;
};

static struct world start(void)
{
    struct world s = {graph_new(3), impact_walk_new()};
    assert_non_null(s.g);
    assert_non_null(s.w);
    assert_int_equal(graph_advance(s.g, 0, NULL), RC_OK);
    return s;
}

static void end(struct world *s)
{
    graph_free(s->g);
    impact_walk_free(s->w);
}

static uint32_t node(struct world *s, uint32_t i)
{
    char name[16];
    snprintf(name, sizeof name, "n%u", i);
    uint32_t at;
    assert_int_equal(graph_node(s->g, NODE_SERVICE, str_from(name), &at, NULL), RC_OK);
    return at;
}

static void calls(struct world *s, uint32_t from, uint32_t to, uint32_t effect_bp)
{
    struct edge_claim c = {from, to, EDGE_CALLS, CLAIM_WRITTEN, effect_bp, 0, STR("test")};
    assert_int_equal(graph_link(s->g, &c, NULL), RC_OK);
}

static struct impact of(struct world *s, uint32_t target)
{
    assert_int_equal(impact_walk_room(s->w, s->g, NULL), RC_OK);
    struct graph_view v = graph_view_now(s->g);
    return graph_impact(&v, s->w, &target, 1, UINT32_MAX);
}

static uint32_t effect_of(const struct impact *i, uint32_t n)
{
    for (uint32_t k = 0; k < i->count; k++) {
        if (i->nodes[k] == n) {
            return impact_step(i, n).effect_bp;
        }
    }
    return 0;
}

/* --- by hand -------------------------------------------------------------------------------------------- */

static void the_widest_way_counts(void **state)
{
    (void)state;
    struct world s = start();
    uint32_t db = node(&s, 0);
    uint32_t a = node(&s, 1);
    uint32_t b = node(&s, 2);
    uint32_t front = node(&s, 3);
    uint32_t other = node(&s, 4);
    calls(&s, a, db, 2000);
    calls(&s, b, db, 9000);
    calls(&s, front, a, 0);
    calls(&s, front, b, 5000);
    calls(&s, db, other, 0);
    struct impact i = of(&s, db);
    assert_int_equal(i.count, 4);
    static const uint32_t want[][2] = {{0, 10000}, {2, 9000}, {3, 4500}, {1, 2000}};
    for (uint32_t k = 0; k < i.count; k++) {
        assert_int_equal(i.nodes[k], want[k][0]);
        assert_int_equal(impact_step(&i, i.nodes[k]).effect_bp, want[k][1]);
    }
    assert_int_equal(impact_step(&i, front).from, b);
    assert_int_equal(impact_step(&i, db).from, MAP_NONE);
    assert_int_equal(impact_distance(&i, front), 3);
    assert_int_equal(impact_step(&i, front).confidence, CONFIDENCE_DECLARED);
    assert_false(impact_step(&i, front).assumed);
    assert_false(impact_step(&i, db).assumed);
    end(&s);
}

static void what_was_not_measured_is_said(void **state)
{
    (void)state;
    struct world s = start();
    uint32_t db = node(&s, 0);
    uint32_t a = node(&s, 1);
    uint32_t b = node(&s, 2);
    calls(&s, a, db, 0);
    calls(&s, b, a, 300);
    struct edge_claim seen = {a, db, EDGE_CALLS, CLAIM_OBSERVED, 0, 50, STR("traces")};
    assert_int_equal(graph_link(s.g, &seen, NULL), RC_OK);
    struct impact i = of(&s, db);
    assert_true(impact_step(&i, a).assumed);
    assert_true(impact_step(&i, b).assumed);
    assert_int_equal(impact_step(&i, a).confidence, CONFIDENCE_CONFIRMED);
    assert_int_equal(impact_step(&i, b).confidence, CONFIDENCE_DECLARED);
    end(&s);
}

static void some_edges_pass_nothing_on(void **state)
{
    (void)state;
    struct world s = start();
    uint32_t a = node(&s, 0);
    uint32_t b = node(&s, 1);
    for (unsigned kind = 0; kind < EDGE_KIND_COUNT; kind++) {
        struct edge_claim c = {a, b, (enum edge_kind)kind, CLAIM_WRITTEN, 0, 0, STR("")};
        assert_int_equal(graph_link(s.g, &c, NULL), RC_OK);
        struct impact from_a = of(&s, a);
        bool a_hurts = from_a.count == 2;
        struct impact from_b = of(&s, b);
        bool b_hurts = from_b.count == 2;
        assert_int_equal(a_hurts, edge_kind_flows_forward((enum edge_kind)kind));
        assert_int_equal(b_hurts, edge_kind_carries((enum edge_kind)kind) && !a_hurts);
        assert_int_equal(graph_unlink(s.g, a, b, (enum edge_kind)kind, CLAIM_WRITTEN, NULL), RC_OK);
    }
    end(&s);
}

static void harm_fades_to_nothing(void **state)
{
    (void)state;
    struct world s = start();
    for (uint32_t i = 0; i < 10; i++) {
        calls(&s, node(&s, i + 1), node(&s, i), 1000);
    }
    /* 10000, 1000, 100, 10, 1: a tenth of one basis point is nothing. */
    assert_int_equal(of(&s, 0).count, 5);
    end(&s);
}

static void circles_and_long_chains_are_safe(void **state)
{
    (void)state;
    enum { LONG = 10000 };
    struct world s = start();
    for (uint32_t i = 0; i < LONG; i++) {
        calls(&s, node(&s, i + 1), node(&s, i), 0);
    }
    calls(&s, node(&s, 0), node(&s, LONG), 0);
    calls(&s, node(&s, 5), node(&s, 5), 0);
    struct impact i = of(&s, 0);
    assert_int_equal(i.count, LONG + 1);
    assert_int_equal(impact_distance(&i, node(&s, LONG)), LONG + 1);
    end(&s);
}

/* Rounds are counted in few bits: when they begin anew, nothing of old ones is left. */
static void many_walks_do_not_mix(void **state)
{
    (void)state;
    enum { WALKS = 300000 };
    struct world s = start();
    for (uint32_t i = 1; i <= 3; i++) {
        calls(&s, node(&s, i), node(&s, 0), i * 3000);
    }
    node(&s, 4);
    for (uint32_t i = 0; i < WALKS; i++) {
        struct impact x = of(&s, i % 5);
        assert_int_equal(x.count, i % 5 == 0 ? 4 : 1);
    }
    end(&s);
}

static void targets_are_counted_once_and_the_limit_holds(void **state)
{
    (void)state;
    struct world s = start();
    for (uint32_t i = 1; i <= 20; i++) {
        calls(&s, node(&s, i), node(&s, 0), i * 100);
    }
    assert_int_equal(impact_walk_room(s.w, s.g, NULL), RC_OK);
    struct graph_view v = graph_view_now(s.g);
    const uint32_t targets[] = {0, 1, 0, 1};
    struct impact i = graph_impact(&v, s.w, targets, 4, UINT32_MAX);
    assert_int_equal(i.count, 21);
    assert_int_equal(effect_of(&i, 1), WHOLE_BP);
    i = graph_impact(&v, s.w, targets, 4, 3);
    assert_int_equal(i.count, 3);
    uint32_t last;
    assert_int_equal((last = graph_find(s.g, NODE_SERVICE, STR("n20"))) != MAP_NONE, 1);
    assert_int_equal(effect_of(&i, last), 2000);
    /* What waited is forgotten: the next walk does not see it. */
    const uint32_t leaf[] = {last};
    assert_int_equal(graph_impact(&v, s.w, leaf, 1, UINT32_MAX).count, 1);
    assert_int_equal(graph_impact(&v, s.w, leaf, 0, UINT32_MAX).count, 0);
    end(&s);
}

/* --- properties ------------------------------------------------------------------------------------------ */

enum { NODES = 40, EDGES = 120, SEEDS = 300 };

static uint64_t next(uint64_t *s)
{
    *s = *s * 6364136223846793005U + 1442695040888963407U;
    return *s >> 33;
}

static uint32_t random_effect(uint64_t *s)
{
    return next(s) % 3 == 0 ? 0 : (uint32_t)(next(s) % WHOLE_BP) + 1;
}

/* Relaxed until nothing changes. */
static void slowly(const struct graph_view *v, uint32_t target, uint32_t best[NODES])
{
    memset(best, 0, NODES * sizeof *best);
    best[target] = WHOLE_BP;
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t n = 0; n < NODES; n++) {
            struct arc a;
            for (struct arc_walk w = graph_arcs(v, n, FLOW_HARMS); arc_next(&w, &a);) {
                uint32_t effect = best[n] * arc_effect_bp(a) / WHOLE_BP;
                if (effect > best[a.other]) {
                    best[a.other] = effect;
                    changed = true;
                }
            }
        }
    }
}

static void it_is_what_a_slow_search_finds(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        uint64_t r = seed;
        struct world s = start();
        for (uint32_t i = 0; i < NODES; i++) {
            node(&s, i);
        }
        for (int i = 0; i < EDGES; i++) {
            uint32_t from = (uint32_t)(next(&r) % NODES);
            uint32_t to = (uint32_t)(next(&r) % NODES);
            calls(&s, from, to, random_effect(&r));
        }
        assert_int_equal(graph_advance(s.g, 10, NULL), RC_OK);
        uint32_t target = (uint32_t)(next(&r) % NODES);
        struct impact i = of(&s, target);
        struct graph_view v = graph_view_now(s.g);
        uint32_t want[NODES];
        slowly(&v, target, want);
        uint32_t reached = 0;
        for (uint32_t n = 0; n < NODES; n++) {
            assert_int_equal(effect_of(&i, n), want[n]);
            reached += want[n] > 0 ? 1U : 0U;
        }
        assert_int_equal(i.count, reached);
        for (uint32_t k = 1; k < i.count; k++) {
            assert_true(impact_step(&i, i.nodes[k]).effect_bp <= impact_step(&i, i.nodes[k - 1]).effect_bp);
        }
        /* The same in a view of a time that has passed. */
        uint32_t kept[NODES];
        memcpy(kept, i.nodes, i.count * sizeof *kept);
        uint32_t count = i.count;
        assert_int_equal(graph_advance(s.g, 20, NULL), RC_OK);
        assert_int_equal(graph_view_at(s.g, 15, &v, NULL), RC_OK);
        assert_false(v.present);
        i = graph_impact(&v, s.w, &target, 1, UINT32_MAX);
        assert_int_equal(i.count, count);
        assert_memory_equal(i.nodes, kept, count * sizeof *kept);
        end(&s);
    }
}

/* More dependants never mean less impact. */
static void it_only_grows_with_dependants(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        uint64_t r = seed * 31;
        struct world s = start();
        for (uint32_t i = 0; i < NODES; i++) {
            node(&s, i);
        }
        uint32_t before[NODES] = {0};
        uint32_t target = (uint32_t)(next(&r) % NODES);
        for (int i = 0; i < EDGES; i++) {
            uint32_t from = (uint32_t)(next(&r) % NODES);
            uint32_t to = (uint32_t)(next(&r) % NODES);
            struct graph_view v = graph_view_now(s.g);
            if (graph_edge_at(&v, from, to, EDGE_CALLS, &(struct graph_edge){0})) {
                continue;
            }
            calls(&s, from, to, random_effect(&r));
            struct impact x = of(&s, target);
            for (uint32_t n = 0; n < NODES; n++) {
                uint32_t now = effect_of(&x, n);
                assert_true(now >= before[n]);
                before[n] = now;
            }
        }
        end(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_widest_way_counts),
        cmocka_unit_test(what_was_not_measured_is_said),
        cmocka_unit_test(some_edges_pass_nothing_on),
        cmocka_unit_test(harm_fades_to_nothing),
        cmocka_unit_test(circles_and_long_chains_are_safe),
        cmocka_unit_test(many_walks_do_not_mix),
        cmocka_unit_test(targets_are_counted_once_and_the_limit_holds),
        cmocka_unit_test(it_is_what_a_slow_search_finds),
        cmocka_unit_test(it_only_grows_with_dependants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
