/* model/graph_writing, world_precedents, cause/shape: what is said and seen of the graph, and what is learnt of it. */
#include "check.h"
#include "maker.h"

#include "cause/shape.h"
#include "model/graph_writing.h"

static struct value parse(struct maker *m, const char *text)
{
    return maker_value(m, text);
}

/* --- reading ----------------------------------------------------------------------------------------------- */

static void a_key_is_a_kind_and_a_name(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum node_kind kind;
        const char *name; /* null: none */
    } rows[] = {
        {"shop", NODE_SERVICE, "shop"},       {"service:shop", NODE_SERVICE, "shop"}, {"queue:a:b", NODE_QUEUE, "a:b"},
        {"10.0.0.1:80", NODE_SERVICE, "10.0.0.1:80"}, {"config:", NODE_SERVICE, NULL},  {"", NODE_SERVICE, NULL},
        {"team:x\xff", NODE_TEAM, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct node_key k;
        assert_int_equal(node_key_read(str_from(rows[i].text), &k), rows[i].name != NULL);
        if (rows[i].name != NULL) {
            assert_int_equal(k.kind, rows[i].kind);
            assert_str(k.name, rows[i].name);
        }
    }
}

static void bad_writings_name_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *where;
        const char *says;
    } rows[] = {
        {"[]", "", "expected an object"},
        {"{'source':'s'}", "", "expected nodes, edges or changes"},
        {"{'source':'','nodes':[{'node':'a'}]}", "/source", "expected 1 to 63 bytes: who says so"},
        {"{'source':'s','nodes':{}}", "/nodes", "expected a list of at most 10000"},
        {"{'source':'s','what':1}", "", "unknown member \"what\""},
        {"{'source':'s','nodes':[{'node':'a'},{'node':''}]}", "/nodes/1/node",
         "expected a node: \"kind:name\", or a service's name of 1 to 255 bytes"},
        {"{'source':'s','nodes':[{'node':'a','attributes':[]}]}", "/nodes/0/attributes", "expected an object"},
        {"{'source':'s','nodes':[{'node':'a','gone':1}]}", "/nodes/0/gone", "expected true or false"},
        {"{'source':'s','edges':[{'from':'a','to':'b','kind':'hates'}]}", "/edges/0/kind",
         "expected calls, depends_on, deploys, configures, touches, caused, resolved_by, owns or part_of"},
        {"{'source':'s','edges':[{'from':'a','kind':'calls'}]}", "/edges/0/to",
         "expected a node: \"kind:name\", or a service's name of 1 to 255 bytes"},
        {"{'source':'s','edges':[{'from':'a','to':'b','kind':'calls','effect_pct':0}]}", "/edges/0/effect_pct",
         "expected a percentage above 0, up to 100"},
        {"{'source':'s','edges':[{'from':'a','to':'b','kind':'calls','effect_pct':100.1}]}", "/edges/0/effect_pct",
         "expected a percentage above 0, up to 100"},
        {"{'source':'s','edges':['a']}", "/edges/0", "expected an object"},
        {"{'source':'s','changes':[{'node':'a','kind':'team'}]}", "/changes/0/kind",
         "expected deploy, config, artifact or policy"},
        {"{'source':'s','changes':[{'node':'a','kind':'deploy','at':'noon'}]}", "/changes/0/at",
         "expected a moment of RFC 3339"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct maker m;
        maker_init(&m, 1);
        struct value v = parse(&m, rows[i].text);
        struct graph_writing w;
        struct err e;
        if (graph_writing_read(m.a, &v, &w, &e) != RC_INVALID || strcmp(e.where, rows[i].where) != 0 ||
            strcmp(e.text, rows[i].says) != 0) {
            print_error("%s\n  got:  %s: %s\n  want: %s: %s\n", rows[i].text, e.where, e.text, rows[i].where, rows[i].says);
            fail();
        }
        maker_done(&m);
    }
}

static struct value many(struct maker *m, uint32_t count)
{
    struct value nodes = value_array();
    for (uint32_t i = 0; i < count; i++) {
        struct value n = value_object();
        value_add_str(m->a, &n, STR("node"), arena_printf(m->a, "n%u", i));
        value_push(m->a, &nodes, n);
    }
    return nodes;
}

static void writings_have_their_limits(void **state)
{
    (void)state;
    struct maker m;
    maker_init(&m, 1);
    struct value v = value_object();
    struct graph_writing w;
    struct err e;
    value_add_str(m.a, &v, STR("source"), STR("s"));
    value_add(m.a, &v, STR("nodes"), many(&m, GRAPH_WRITING_MAX));
    assert_int_equal(graph_writing_read(m.a, &v, &w, &e), RC_OK);
    assert_int_equal(w.node_count, GRAPH_WRITING_MAX);
    struct value more = parse(&m, "[{'from':'a','to':'b','kind':'calls'}]");
    value_add(m.a, &v, STR("edges"), more);
    assert_int_equal(graph_writing_read(m.a, &v, &w, &e), RC_LIMIT);
    v.members[1].value = many(&m, GRAPH_WRITING_MAX + 1);
    assert_int_equal(graph_writing_read(m.a, &v, &w, &e), RC_INVALID);
    maker_done(&m);
}

static void what_is_to_come_is_no_change(void **state)
{
    (void)state;
    struct maker m;
    maker_init(&m, 1);
    struct value v = parse(&m, "{'source':'s','changes':[{'node':'a','kind':'deploy','at':'2027-01-15T08:00:01Z'}]}");
    struct graph_writing w;
    struct err e;
    int64_t now;
    assert_int_equal(graph_writing_read(m.a, &v, &w, &e), RC_OK);
    assert_true(instant_parse(STR("2027-01-15T08:00:00Z"), &now));
    assert_int_equal(graph_writing_check(world_graph(m.w), &w, now, &e), RC_INVALID);
    assert_string_equal(e.where, "/changes/0/at");
    assert_int_equal(graph_writing_check(world_graph(m.w), &w, now + 1000, &e), RC_OK);
    maker_done(&m);
}

/* --- folded in ------------------------------------------------------------------------------------------------ */

static void begin(struct maker *m)
{
    maker_init(m, 1);
    maker_add(m, ENTRY_LEDGER_CREATED, "system", NULL, "{'origin':'o.example'}");
    maker_policy(m, "{'services':[{'name':'shop'},{'name':'web','depends_on':['shop']}]}");
}

static uint32_t reach(struct maker *m, const char *service)
{
    uint32_t target = world_service_find(m->w, str_from(service));
    return world_impact(m->w, &target, 1, UINT32_MAX).count;
}

static struct graph_edge edge(struct maker *m, const char *from, const char *to, enum edge_kind kind)
{
    const struct graph *g = world_graph(m->w);
    struct graph_view v = graph_view_now(g);
    struct graph_edge x = {.effect_bp = 0};
    uint32_t a = graph_find_key(g, str_from(from));
    uint32_t b = graph_find_key(g, str_from(to));
    bool there = a != MAP_NONE && b != MAP_NONE && graph_edge_at(&v, a, b, kind, &x);
    return there ? x : (struct graph_edge){.effect_bp = 0};
}

static void a_writing_becomes_part_of_the_graph(void **state)
{
    (void)state;
    struct maker m;
    begin(&m);
    maker_add(&m, ENTRY_GRAPH_WRITTEN, "tok_1", NULL,
              "{'source':'hand','nodes':[{'node':'datastore:db','attributes':{'size':3}}],'edges':[{'from':'shop','to':'datastore:db',"
              "'kind':'calls','effect_pct':25}],'changes':[{'node':'datastore:db','kind':'config','what':'pool'}]}");
    assert_int_equal(edge(&m, "shop", "datastore:db", EDGE_CALLS).effect_bp, 2500);
    const struct graph *g = world_graph(m.w);
    struct graph_view v = graph_view_now(g);
    uint32_t first;
    assert_int_equal(graph_changes(&v, INT64_MIN, INT64_MAX, &first), 1);
    assert_str(graph_change_at(g, first)->what, "pool");
    assert_int_equal(graph_change_at(g, first)->at_ms, m.now_ms);
    assert_str(graph_attributes(&v, graph_find_key(g, STR("datastore:db"))), "{\"size\":3}");
    maker_add(&m, ENTRY_GRAPH_WRITTEN, "tok_1", NULL,
              "{'source':'hand','edges':[{'from':'shop','to':'datastore:db','kind':'calls','gone':true},"
              "{'from':'web','to':'shop','kind':'depends_on','gone':true}]}");
    assert_int_equal(edge(&m, "shop", "datastore:db", EDGE_CALLS).effect_bp, 0);
    /* What a definition says, a writing can't take back. */
    assert_int_equal(reach(&m, "shop"), 2);
    maker_add(&m, ENTRY_GRAPH_WRITTEN, "tok_1", NULL, "{'source':'hand','nodes':[{'node':'datastore:db','gone':true}]}");
    v = graph_view_now(world_graph(m.w));
    assert_false(graph_node_in_view(&v, graph_find_key(world_graph(m.w), STR("datastore:db"))));
    maker_done(&m);
}

static void what_was_seen_ages_out(void **state)
{
    (void)state;
    struct maker m;
    begin(&m);
    struct buf b;
    buf_init(&b, 4096);
    char until[INSTANT_TEXT_LEN + 1] = {0};
    instant_format(m.now_ms + 5000, until);
    buf_printf(&b, "{'source':'otlp','from':'2027-01-15T08:00:00Z','to':'2027-01-15T08:01:00Z','until':'%s',"
                   "'effects':[['edge','shop',3000]],'traffic':{'calls':[['edge','shop','GET',1,0,5,5,0,0]]}}", until);
    buf_char(&b, '\0');
    maker_add(&m, ENTRY_GRAPH_OBSERVED, "system", NULL, b.data);
    buf_done(&b);
    assert_int_equal(edge(&m, "edge", "shop", EDGE_CALLS).effect_bp, 3000);
    assert_int_equal(reach(&m, "shop"), 3);
    assert_int_equal(world_observed_count(m.w), 1);
    assert_int_equal(world_observed_at(m.w, 0).to_ms - world_observed_at(m.w, 0).from_ms, 60000);
    m.now_ms += 5000;
    maker_add(&m, ENTRY_GRAPH_WRITTEN, "tok_1", NULL, "{'source':'hand','nodes':[{'node':'x'}]}");
    assert_int_equal(reach(&m, "shop"), 2);
    maker_done(&m);
}

static void an_observation_is_written_as_it_is_read(void **state)
{
    (void)state;
    struct maker m;
    maker_init(&m, 1);
    struct effect_row effects[] = {{{NODE_SERVICE, STR("a")}, {NODE_DATASTORE, STR("b")}, 700}};
    struct call_row calls[] = {{STR("client"), STR("service:a"), STR("GET /"), 3, 1, 30, 20, 0, 6}};
    const struct graph_observation o = {STR("otlp"), 1800000000000, 1800000060000, 1800086460000, effects, 1, calls, 1};
    struct value v = graph_observation_write(m.a, &o);
    struct graph_observation back;
    assert_int_equal(graph_observation_read(m.a, &v, &back, NULL), RC_OK);
    assert_int_equal(back.until_ms, o.until_ms);
    assert_int_equal(back.effect_count, 1);
    assert_int_equal(back.effects[0].effect_bp, 700);
    assert_int_equal(back.effects[0].callee.kind, NODE_DATASTORE);
    assert_int_equal(back.call_count, 1);
    assert_int_equal(back.calls[0].children, 6);
    assert_str(back.calls[0].operation, "GET /");
    static const char *const bad[] = {"{}", "{'source':'x','from':'a','to':'b','until':'c'}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        v = parse(&m, bad[i]);
        assert_int_equal(graph_observation_read(m.a, &v, &back, NULL), RC_INVALID);
    }
    maker_done(&m);
}

/* --- limits of what is remembered --------------------------------------------------------------------------------- */

static void the_newest_observations_are_known(void **state)
{
    (void)state;
    struct maker m;
    begin(&m);
    for (int i = 0; i <= OBSERVED_KEPT_MAX; i++) {
        maker_add(&m, ENTRY_GRAPH_OBSERVED, "system", NULL,
                  "{'source':'otlp','from':'2027-01-15T08:00:00Z','to':'2027-01-15T08:01:00Z','until':'2027-01-16T08:00:00Z',"
                  "'effects':[],'traffic':{'calls':[]}}");
    }
    assert_int_equal(world_observed_count(m.w), OBSERVED_KEPT_MAX);
    assert_int_equal(world_observed_at(m.w, OBSERVED_KEPT_MAX - 1).seq, world_next_seq(m.w) - 1);
    assert_int_equal(world_observed_at(m.w, 0).seq, world_next_seq(m.w) - OBSERVED_KEPT_MAX);
    maker_done(&m);
}

static void the_newest_precedents_are_kept(void **state)
{
    (void)state;
    struct maker m;
    begin(&m);
    for (int i = 0; i <= PRECEDENTS_MAX; i++) {
        maker_add(&m, ENTRY_INCIDENT_CLOSED, "tok_1", "inc_1",
                  i == 0 ? "{'person':'ann','reason':'x','pattern':{'shape':'old | any','tried':[]}}"
                         : "{'person':'ann','reason':'x','pattern':{'shape':'new | any','tried':[]}}");
    }
    assert_int_equal(world_precedent_count(m.w), PRECEDENTS_MAX);
    assert_int_equal(world_recall(m.w, STR("old | any"), MAP_NONE).seen, 0);
    assert_int_equal(world_recall(m.w, STR("new | any"), MAP_NONE).seen, PRECEDENTS_MAX);
    maker_done(&m);
}

/* --- shapes ------------------------------------------------------------------------------------------------------- */

static void a_shape_has_kinds_and_no_names(void **state)
{
    (void)state;
    struct maker m;
    begin(&m);
    maker_add(&m, ENTRY_GRAPH_WRITTEN, "tok_1", NULL,
              "{'source':'hand','edges':[{'from':'config:pool','to':'datastore:db','kind':'configures'}]}");
    static const struct {
        const char *report;
        const char *want;
    } rows[] = {
        {"{'found':false,'causes':[{'chain':[]}]}", ""},
        {"{'found':true,'causes':[{'chain':[]}],'changes':[]}", "service | latency"},
        {"{'found':true,'causes':[{'chain':[{'from':'db','edge':'calls','to':'shop'},{'from':'shop','edge':'calls','to':'web'}]}]}",
         "datastore -calls-> service | latency"},
        {"{'found':true,'causes':[{'chain':[]}],'changes':[{'kind':'config','chain':[{'from':'pool','edge':'configures','to':'db'},"
         "{'from':'db','edge':'calls','to':'shop'},{'from':'shop','edge':'depends_on','to':'nobody'}]}]}",
         "config change: config -configures-> datastore -calls-> service -depends_on-> unknown | latency"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct value v = parse(&m, rows[i].report);
        struct buf b;
        buf_init(&b, SHAPE_MAX - 1);
        shape_of_report(&b, world_graph(m.w), &v, graph_find_key(world_graph(m.w), STR("web")), STR("latency"));
        assert_str(buf_view(&b), rows[i].want);
        buf_done(&b);
        buf_init(&b, 7);
        shape_of_report(&b, world_graph(m.w), &v, graph_find_key(world_graph(m.w), STR("web")), STR(""));
        assert_true(b.rc == RC_OK && b.len <= 7);
        buf_done(&b);
    }
    maker_done(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_a_kind_and_a_name),
        cmocka_unit_test(bad_writings_name_their_place),
        cmocka_unit_test(writings_have_their_limits),
        cmocka_unit_test(what_is_to_come_is_no_change),
        cmocka_unit_test(a_writing_becomes_part_of_the_graph),
        cmocka_unit_test(what_was_seen_ages_out),
        cmocka_unit_test(an_observation_is_written_as_it_is_read),
        cmocka_unit_test(the_newest_observations_are_known),
        cmocka_unit_test(the_newest_precedents_are_kept),
        cmocka_unit_test(a_shape_has_kinds_and_no_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
