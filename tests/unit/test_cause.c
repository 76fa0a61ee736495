/* cause: each ingredient on a case made for it; what must not change a ranking; graphs of bad shape; silence. */
#include "check.h"

#include "base/buf.h"
#include "cause/cause.h"
#include "cause/from_graph.h"
#include "evidence/read.h"
#include "value/json.h"

#include <math.h>

enum { ROOM = 256 << 20, NORMAL_WINDOWS = 8, TEXT_MAX = 8 << 20 };

/* --- making evidence ---------------------------------------------------------------------------------------- */

struct world {
    struct evidence *ev;
    struct arena *arena;
    uint32_t windows[NORMAL_WINDOWS + 2]; /* normal ones, before, incident */
    struct question q;
    struct report r;
    uint64_t random;
};

static void world_init(struct world *w)
{
    *w = (struct world){.ev = evidence_new(ROOM), .arena = arena_new(ROOM), .random = 88172645463325252U};
    assert_non_null(w->ev);
    assert_non_null(w->arena);
    for (uint32_t i = 0; i < NORMAL_WINDOWS + 2; i++) {
        enum role role = i < NORMAL_WINDOWS ? ROLE_NORMAL : i == NORMAL_WINDOWS ? ROLE_BEFORE : ROLE_INCIDENT;
        w->windows[i] = evidence_window(w->ev, STR("w"), role);
    }
    w->q.service = evidence_node(w->ev, STR("web"));
}

static void world_done(struct world *w)
{
    evidence_free(w->ev);
    arena_free(w->arena);
}

static uint32_t node(struct world *w, const char *name)
{
    return evidence_node(w->ev, str_from(name));
}

/* 0 to 1. Source: Marsaglia, Xorshift RNGs (2003). */
static double random_share(struct world *w)
{
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    return (double)(w->random >> 11) / 9007199254740992.0;
}

/* What a call usually is; what it is in the incident and before may differ. */
struct habit {
    const char *caller; /* null: the node's own series */
    const char *callee;
    struct call usual;
    struct call before;
    struct call now;
};

#define UNKNOWN (double)NAN

static struct call call_of(double count, double latency, double self)
{
    return (struct call){.count = count, .latency_ms = latency, .self_ms = self, .net_ms = UNKNOWN, .children = UNKNOWN, .errors = UNKNOWN};
}

static void add(struct world *w, uint32_t window, const struct habit *h, struct call c)
{
    if (c.count <= 0) {
        return;
    }
    c.window = window;
    c.caller = h->caller != NULL ? node(w, h->caller) : MAP_NONE;
    c.callee = node(w, h->callee);
    c.operation = MAP_NONE;
    evidence_call(w->ev, &c);
}

static void live(struct world *w, const struct habit *h)
{
    for (uint32_t i = 0; i < NORMAL_WINDOWS; i++) {
        struct call c = h->usual;
        double drift = 1.0 + 0.02 * ((double)(i % 3) - 1.0);
        c.latency_ms *= drift;
        c.self_ms *= drift;
        add(w, w->windows[i], h, c);
    }
    add(w, w->windows[NORMAL_WINDOWS], h, h->before);
    add(w, w->windows[NORMAL_WINDOWS + 1], h, h->now);
}

/* As usual, but in the incident. */
static void habit(struct world *w, const char *caller, const char *callee, struct call usual, struct call now)
{
    live(w, &(struct habit){.caller = caller, .callee = callee, .usual = usual, .before = usual, .now = now});
}

static void ask(struct world *w)
{
    struct err e = {0};
    if (!w->ev->settled) {
        assert_int_equal(evidence_settle(w->ev, &e), RC_OK);
    }
    if (cause_find(w->arena, w->ev, &w->q, &w->r, &e) != RC_OK) {
        print_error("%s\n", e.text);
        fail();
    }
}

static void assert_first(const struct world *w, const char *name, enum ingredient of)
{
    assert_true(w->r.found);
    assert_str(w->ev->nodes[w->r.causes[0].node].name, name);
    assert_int_equal(w->r.causes[0].terms[0].of, of);
    assert_true(w->r.causes[0].terms[0].says.len > 0);
}

static double score_of(const struct world *w, const char *name)
{
    for (uint32_t i = 0; i < w->r.cause_count; i++) {
        if (str_eq(w->ev->nodes[w->r.causes[i].node].name, str_from(name))) {
            return w->r.causes[i].score;
        }
    }
    return 0;
}

static struct str why_not(const struct world *w, const char *name)
{
    for (uint32_t i = 0; i < w->r.ruled_out_count; i++) {
        if (str_eq(w->ev->nodes[w->r.ruled_out[i].node].name, str_from(name))) {
            return w->r.ruled_out[i].why;
        }
    }
    return STR("");
}

/* --- ingredients ---------------------------------------------------------------------------------------------- */

/* web calls shop, shop calls db; db takes ten times as long. */
static void slow_db(struct world *w, bool spans)
{
    double self = spans ? 5 : UNKNOWN;
    double db = spans ? 10 : UNKNOWN;
    double slow = spans ? 100 : UNKNOWN;
    habit(w, "user", "web", call_of(100, 20, self), call_of(100, 110, self));
    habit(w, "web", "shop", call_of(100, 15, self), call_of(100, 105, self));
    habit(w, "shop", "db", call_of(100, 10, db), call_of(100, 100, slow));
}

static void own_time_is_charged(void **state)
{
    (void)state;
    for (int spans = 0; spans < 2; spans++) {
        struct world w;
        world_init(&w);
        slow_db(&w, spans == 1);
        ask(&w);
        assert_first(&w, "db", TERM_OWN_TIME);
        assert_int_equal(w.r.causes[0].step_count, 2);
        assert_str(w.ev->nodes[w.r.causes[0].steps[1].to].name, "web");
        assert_non_null(strstr(w.r.causes[0].steps[0].says.ptr, "10.0 ms -> 100.0 ms"));
        if (spans == 0) {
            assert_str(why_not(&w, "shop"), "what grew at it is explained by what it calls, most by db");
        }
        world_done(&w);
    }
}

static void without_subtraction_callers_are_charged_too(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    slow_db(&w, false);
    w.q.without = 1U << WITHOUT_SUBTRACTION;
    ask(&w);
    assert_true(score_of(&w, "shop") > 0 && score_of(&w, "web") > 0);
    world_done(&w);
}

static void new_callees_are_charged_to_their_caller(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    habit(&w, "user", "web", call_of(100, 20, UNKNOWN), call_of(100, 110, UNKNOWN));
    habit(&w, "web", "shop", call_of(100, 15, UNKNOWN), call_of(100, 105, UNKNOWN));
    habit(&w, "shop", "mirror", call_of(0, 0, UNKNOWN), call_of(100, 90, UNKNOWN));
    ask(&w);
    assert_first(&w, "shop", TERM_OWN_TIME);
    assert_true(score_of(&w, "mirror") <= 0);
    world_done(&w);
}

static void requests_need_not_be_counted(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    struct err e = {0};
    struct buf text;
    struct incident_span span = {.begin_ms = 0, .end_ms = INT64_MAX, .normal_again_ms = INT64_MAX};
    buf_init(&text, TEXT_MAX);
    buf_str(&text, STR("offset_min,web|latency_avg,shop|latency_avg,db|latency_avg,cart|latency_avg\n"));
    for (int m = -30; m <= 2; m++) {
        int more = m > 0 ? 20 : 0;
        buf_printf(&text, "%d,0.%03d,0.%03d,0.%03d,0.%03d\n", m, 200 + m % 5 + more, 100 + m % 4 + more, 40 + m % 3 + more, 50 + m % 3);
    }
    assert_int_equal(read_metrics(w.ev, "m.csv", buf_view(&text), &span, &e), RC_OK);
    buf_done(&text);
    evidence_tie(w.ev, node(&w, "shop"), node(&w, "web"), STR("calls"), true);
    evidence_tie(w.ev, node(&w, "db"), node(&w, "shop"), STR("calls"), true);
    evidence_tie(w.ev, node(&w, "cart"), node(&w, "web"), STR("calls"), true);
    ask(&w);
    assert_first(&w, "db", TERM_OWN_TIME);
    assert_true(score_of(&w, "cart") <= 0);
    world_done(&w);
}

static struct call failing(double count, double errors)
{
    struct call c = call_of(count, 10, UNKNOWN);
    c.errors = errors;
    return c;
}

static void errors_are_charged(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    habit(&w, NULL, "web", failing(500, 1), failing(500, 41));
    habit(&w, NULL, "shop", failing(500, 0), failing(500, 40));
    habit(&w, NULL, "other", failing(500, 2), failing(500, 3));
    evidence_tie(w.ev, node(&w, "shop"), node(&w, "web"), STR("calls"), true);
    evidence_tie(w.ev, node(&w, "other"), node(&w, "web"), STR("calls"), true);
    w.q.symptom = SYMPTOM_AVAILABILITY;
    ask(&w);
    assert_first(&w, "shop", TERM_ERRORS);
    assert_non_null(strstr(w.r.causes[0].terms[0].says.ptr, "8.00 % of 500 calls failed"));
    world_done(&w);
}

static void another_symptom_is_not_enough(void **state)
{
    (void)state;
    for (int s = 0; s < SYMPTOM_COUNT; s++) {
        struct world w;
        world_init(&w);
        habit(&w, NULL, "web", failing(500, 1), failing(500, 200));
        w.q.symptom = (enum symptom)s;
        ask(&w);
        assert_int_equal(w.r.found, s != SYMPTOM_LATENCY);
        assert_true(score_of(&w, "web") > 0);
        world_done(&w);
    }
}

static struct call far(double count, double net)
{
    struct call c = call_of(count, 10, 10);
    c.net_ms = net;
    return c;
}

static void slow_networks_are_where_all_edges_are_slow(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    habit(&w, "user", "web", far(100, UNKNOWN), far(100, UNKNOWN));
    habit(&w, "web", "shop", far(100, 2), far(100, 80));
    habit(&w, "web", "cart", far(100, 2), far(100, 2));
    habit(&w, "cart", "shop", far(100, 2), far(100, 80));
    habit(&w, "shop", "db", far(100, 2), far(100, 80));
    ask(&w);
    assert_first(&w, "shop", TERM_NETWORK);
    assert_true(score_of(&w, "web") < score_of(&w, "shop") / 2);
    world_done(&w);
}

static void saturation_counts_when_it_is_new(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    struct err e = {0};
    struct incident_span span = {.begin_ms = 0, .end_ms = INT64_MAX, .normal_again_ms = INT64_MAX};
    struct str text = STR("offset_min,web|cpu_pct,shop|memory_utilization,busy|cpu_pct,raw|cpu\n"
                          "-4,20,0.3,97,1\n-3,22,0.3,98,1\n-2,21,0.31,97,1\n-1,20,0.3,99,1\n0,20,0.3,97,1\n1,30,0.97,99,1.5\n");
    assert_int_equal(read_metrics(w.ev, "m.csv", text, &span, &e), RC_OK);
    evidence_tie(w.ev, node(&w, "shop"), node(&w, "web"), STR("calls"), true);
    evidence_tie(w.ev, node(&w, "busy"), node(&w, "web"), STR("calls"), true);
    evidence_tie(w.ev, node(&w, "raw"), node(&w, "web"), STR("calls"), true);
    ask(&w);
    assert_first(&w, "shop", TERM_SATURATION);
    assert_int_equal(w.r.cause_count, 1);
    world_done(&w);
}

static void resources_without_a_whole_count_by_their_growth(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    struct err e = {0};
    struct incident_span span = {.begin_ms = 0, .end_ms = INT64_MAX, .normal_again_ms = INT64_MAX};
    /* shop's memory triples; mail's rises by half; jumpy's CPU always jumps like that. */
    struct str text = STR("offset_min,web|cpu,shop|memory_bytes,mail|memory_bytes,jumpy|cpu\n-9,1,100,100,1\n-8,1,101,100,4\n-7,1,99,100,1\n"
                          "-6,1,100,100,5\n-5,1.1,100,100,1\n-4,1,102,100,4\n-3,1,100,100,1\n-2,0.9,100,100,5\n-1,1,100,100,1\n"
                          "0,1,100,100,1\n1,1,300,150,5\n2,1.1,310,150,5\n");
    assert_int_equal(read_metrics(w.ev, "m.csv", text, &span, &e), RC_OK);
    ask(&w);
    /* Nobody said who calls whom: all are candidates. */
    assert_int_equal(w.r.candidates, 4);
    assert_first(&w, "shop", TERM_SATURATION);
    assert_int_equal(w.r.causes[0].step_count, 0);
    assert_true(score_of(&w, "mail") <= 0 && score_of(&w, "jumpy") < w.r.needed);
    world_done(&w);
}

static void log_line(struct world *w, const char *who, const char *line, double usual, double now)
{
    struct log_count l = {.node = node(w, who), .template_id = evidence_word(w->ev, str_from(line))};
    for (uint32_t i = 0; i < NORMAL_WINDOWS + 2; i++) {
        l.window = w->windows[i];
        l.count = i == NORMAL_WINDOWS + 1 ? now : usual;
        if (l.count > 0) {
            evidence_log(w->ev, &l);
        }
    }
}

static void broken_proportions_are_seen(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    habit(&w, "user", "web", call_of(40, 10, 5), call_of(40, 10, 5));
    habit(&w, "web", "shop", call_of(40, 5, 5), call_of(40, 5, 5));
    log_line(&w, "shop", "INFO order taken", 40, 40);
    log_line(&w, "shop", "INFO order stored", 40, 5);
    log_line(&w, "shop", "ERROR no stock", 0, 35);
    log_line(&w, "web", "INFO page", 40, 40);
    log_line(&w, "web", "WARN empty page", 0, 30);
    ask(&w);
    assert_first(&w, "shop", TERM_PATTERN);
    /* web only passes it on. */
    assert_true(score_of(&w, "web") < 1);
    world_done(&w);
}

static void among_many_templates_the_broken_one_is_seen(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    habit(&w, "user", "web", call_of(400, 10, 5), call_of(400, 10, 5));
    for (int i = 0; i < 700; i++) {
        char line[32];
        snprintf(line, sizeof line, "INFO step %d", i);
        log_line(&w, "web", line, 20 + i % 90, 20 + i % 90);
    }
    log_line(&w, "web", "ERROR lost", 0, 300);
    ask(&w);
    assert_first(&w, "web", TERM_PATTERN);
    assert_non_null(strstr(w.r.causes[0].terms[0].says.ptr, "ERROR lost: 300"));
    world_done(&w);
}

static void new_callers_break_nothing(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    habit(&w, "user", "web", call_of(40, 10, 5), call_of(40, 10, 5));
    habit(&w, "robot", "web", call_of(0, 0, 0), call_of(20, 10, 5));
    log_line(&w, "web", "INFO page", 40, 60);
    log_line(&w, "web", "INFO robot", 0, 20);
    ask(&w);
    assert_false(w.r.found);
    world_done(&w);
}

static void what_the_minutes_before_show_counts_less(void **state)
{
    (void)state;
    double scores[2];
    for (int i = 0; i < 2; i++) {
        struct world w;
        world_init(&w);
        struct call slow = call_of(100, 60, 55);
        live(&w, &(struct habit){.caller = "user", .callee = "web", .usual = call_of(100, 20, 15), .before = slow, .now = slow});
        w.q.without = i == 1 ? 1U << WITHOUT_BEFORE : 0;
        ask(&w);
        scores[i] = score_of(&w, "web");
        world_done(&w);
    }
    assert_true(scores[0] < scores[1] * 0.7);
}

static void what_is_outside_comes_later(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    habit(&w, NULL, "web", call_of(100, 100, UNKNOWN), call_of(100, 160, UNKNOWN));
    habit(&w, NULL, "bank", call_of(100, 10, UNKNOWN), call_of(100, 45, UNKNOWN));
    habit(&w, NULL, "shop", call_of(100, 10, UNKNOWN), call_of(100, 35, UNKNOWN));
    evidence_tie(w.ev, node(&w, "bank"), node(&w, "web"), STR("calls"), true);
    evidence_tie(w.ev, node(&w, "shop"), node(&w, "web"), STR("calls"), true);
    w.ev->nodes[node(&w, "bank")].outside = true;
    ask(&w);
    assert_first(&w, "shop", TERM_OWN_TIME);
    w.q.without = 1U << WITHOUT_OUTSIDE;
    ask(&w);
    assert_first(&w, "bank", TERM_OWN_TIME);
    world_done(&w);
}

static void what_is_not_felt_is_no_cause(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    habit(&w, NULL, "web", call_of(1000, 500, UNKNOWN), call_of(1000, 500, UNKNOWN));
    habit(&w, NULL, "tiny", call_of(10, 2, UNKNOWN), call_of(10, 12, UNKNOWN));
    evidence_tie(w.ev, node(&w, "tiny"), node(&w, "web"), STR("calls"), true);
    ask(&w);
    assert_false(w.r.found);
    assert_true(score_of(&w, "tiny") > 0);
    world_done(&w);
}

static void every_ingredient_can_be_left_out(void **state)
{
    (void)state;
    for (int i = 0; i < INGREDIENT_COUNT; i++) {
        enum ingredient back;
        assert_true(ingredient_parse(str_from(ingredient_name((enum ingredient)i)), &back));
        assert_int_equal(back, i);
        struct world w;
        world_init(&w);
        slow_db(&w, true);
        w.q.without = 1U << i;
        ask(&w);
        assert_int_equal(w.r.found, i != TERM_OWN_TIME);
        world_done(&w);
    }
    enum ingredient none;
    assert_false(ingredient_parse(STR("luck"), &none));
    for (int i = 0; i < SYMPTOM_COUNT; i++) {
        enum symptom back;
        assert_true(symptom_parse(str_from(symptom_name((enum symptom)i)), &back));
        assert_int_equal(back, i);
    }
}

/* --- changes ---------------------------------------------------------------------------------------------------- */

static void change(struct world *w, const char *object, const char *what, int64_t minutes)
{
    evidence_change(w->ev, &(struct change){.node = node(w, object), .kind = STR("config"), .what = str_from(what),
                                            .at_ms = 10000000 + minutes * 60000});
}

static void changes_are_ranked_by_what_they_touch(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    slow_db(&w, true);
    evidence_tie(w.ev, node(&w, "db.pool"), node(&w, "db"), STR("configures"), false);
    evidence_tie(w.ev, node(&w, "shop.mode"), node(&w, "shop"), STR("configures"), false);
    change(&w, "shop.mode", "v=1", -1);
    change(&w, "db.pool", "old", -50);
    change(&w, "db.pool", "new", -5);
    change(&w, "db.pool", "later", 5);
    change(&w, "nobody", "v=1", -1);
    w.q.at_ms = 10000000;
    ask(&w);
    assert_int_equal(w.r.change_count, 2);
    assert_str(w.ev->changes[w.r.changes[0].change].what, "new");
    assert_str(w.ev->changes[w.r.changes[1].change].what, "old");
    assert_int_equal(w.r.changes[0].step_count, 3);
    assert_str(w.r.changes[0].steps[0].kind, "configures");
    assert_str(w.ev->nodes[w.r.changes[0].node].name, "db");
    world_done(&w);
}

static void nothing_is_charged_when_nothing_is_wrong(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    habit(&w, "user", "web", call_of(100, 20, 15), call_of(100, 20, 15));
    change(&w, "web", "v=2", -1);
    w.q.at_ms = 10000000;
    ask(&w);
    assert_false(w.r.found);
    assert_int_equal(w.r.change_count, 0);
    assert_non_null(strstr(w.r.why.ptr, "candidates"));
    world_done(&w);
}

/* --- what must not matter --------------------------------------------------------------------------------------- */

static void report_text(struct world *w, struct buf *out)
{
    struct value v = report_value(w->arena, w->ev, &w->q, &w->r);
    buf_init(out, TEXT_MAX);
    json_write(out, &v);
    buf_char(out, '\0');
    assert_int_equal(out->rc, RC_OK);
}

static void irrelevant_nodes_change_nothing(void **state)
{
    (void)state;
    struct buf texts[2];
    for (int more = 0; more < 2; more++) {
        struct world w;
        world_init(&w);
        if (more == 1) {
            /* It is slow, failing and noisy, but web does not depend on it. */
            habit(&w, "web", "web", call_of(0, 0, 0), call_of(0, 0, 0));
            habit(&w, NULL, "apart", call_of(100, 10, 10), call_of(100, 900, 900));
            evidence_tie(w.ev, node(&w, "web"), node(&w, "apart"), STR("calls"), true);
        }
        slow_db(&w, true);
        ask(&w);
        w.r.ruled_out_count = 0;
        report_text(&w, &texts[more]);
        world_done(&w);
    }
    assert_string_equal(texts[1].data, texts[0].data);
    buf_done(&texts[0]);
    buf_done(&texts[1]);
}

/* Rows of three tables in their own order or turned around. */
static void fill_rows(struct world *w, bool turned)
{
    static const char *const callees[] = {"web", "shop", "db", "cart", "mail"};
    for (uint32_t i = 0; i < 5 * (NORMAL_WINDOWS + 2); i++) {
        uint32_t at = turned ? 5 * (NORMAL_WINDOWS + 2) - 1 - i : i;
        uint32_t window = at / 5;
        uint32_t k = at % 5;
        double more = window == NORMAL_WINDOWS + 1 && k >= 2 ? 3.7 : 1.0;
        struct call c = call_of(30.0 + k + window, (7.3 + k) * more + 0.1 * window, (3.1 + k) * more + 0.1 * window);
        c.net_ms = 2.2 + 0.3 * window;
        c.children = k + 0.25;
        c.window = w->windows[window];
        c.caller = node(w, k == 0 ? "user" : callees[k - 1]);
        c.callee = node(w, callees[k]);
        c.operation = MAP_NONE;
        evidence_call(w->ev, &c);
        struct log_count l = {.window = c.window, .node = c.callee, .template_id = evidence_word(w->ev, STR("line")), .count = 30.0 + k};
        evidence_log(w->ev, &l);
    }
}

static void the_order_of_rows_changes_nothing(void **state)
{
    (void)state;
    struct buf texts[2];
    for (int turned = 0; turned < 2; turned++) {
        struct world w;
        world_init(&w);
        fill_rows(&w, turned == 1);
        ask(&w);
        assert_true(w.r.cause_count > 1);
        report_text(&w, &texts[turned]);
        world_done(&w);
    }
    assert_string_equal(texts[1].data, texts[0].data);
    buf_done(&texts[0]);
    buf_done(&texts[1]);
}

/* --- shapes ------------------------------------------------------------------------------------------------------ */

static void cycles_and_loops_end(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    habit(&w, "web", "shop", call_of(100, 15, UNKNOWN), call_of(100, 105, UNKNOWN));
    habit(&w, "shop", "web", call_of(100, 15, UNKNOWN), call_of(100, 105, UNKNOWN));
    habit(&w, "shop", "shop", call_of(100, 5, UNKNOWN), call_of(100, 95, UNKNOWN));
    habit(&w, "web", "web", call_of(100, 5, UNKNOWN), call_of(100, 5, UNKNOWN));
    ask(&w);
    assert_true(w.r.found);
    assert_int_equal(w.r.candidates, 2);
    world_done(&w);
}

static void deep_chains_are_cut_in_their_middle(void **state)
{
    (void)state;
    enum { DEPTH = 10000 };
    struct world w;
    world_init(&w);
    char name[16] = "web";
    for (int i = 0; i < DEPTH; i++) {
        char next[16];
        snprintf(next, sizeof next, "n%d", i);
        double slow = i == DEPTH - 1 ? 50 : 5;
        habit(&w, name, next, call_of(50, 10, 5), call_of(50, 10, slow));
        memcpy(name, next, sizeof name);
    }
    ask(&w);
    assert_first(&w, name, TERM_OWN_TIME);
    assert_int_equal(w.r.candidates, DEPTH + 1);
    assert_int_equal(w.r.causes[0].step_count, CAUSE_STEPS_MAX);
    assert_int_equal(w.r.causes[0].steps_left_out, DEPTH - CAUSE_STEPS_MAX);
    assert_str(w.ev->nodes[w.r.causes[0].steps[CAUSE_STEPS_MAX - 1].to].name, "web");
    assert_int_equal(w.r.ruled_out_count, CAUSE_RULED_OUT_MAX);
    assert_int_equal(w.r.ruled_out_more, DEPTH - CAUSE_RULED_OUT_MAX);
    world_done(&w);
}

static void many_causes_are_limited(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    for (int i = 0; i < CAUSE_RANKED_MAX + 20; i++) {
        char name[16];
        snprintf(name, sizeof name, "n%d", i);
        habit(&w, "web", name, call_of(50, 10, 5), call_of(50, 100, 95));
    }
    ask(&w);
    assert_int_equal(w.r.cause_count, CAUSE_RANKED_MAX);
    /* Equal scores go by name. */
    assert_str(w.ev->nodes[w.r.causes[0].node].name, "n0");
    assert_str(w.ev->nodes[w.r.causes[1].node].name, "n1");
    assert_str(w.ev->nodes[w.r.causes[2].node].name, "n10");
    world_done(&w);
}

static void little_or_no_input_is_fine(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct world w;
        world_init(&w);
        struct call slow = call_of(100, 200, UNKNOWN);
        struct call usual = call_of(100, 20, UNKNOWN);
        struct call none = call_of(0, 0, 0);
        struct habit h = {.callee = "web", .usual = i == 1 ? usual : none, .before = i == 2 ? usual : none, .now = i > 0 ? slow : none};
        live(&w, &h);
        ask(&w);
        /* Something to compare with is needed, whatever it is. */
        assert_int_equal(w.r.found, i == 1 || i == 2);
        assert_true(w.r.why.len > 0);
        world_done(&w);
    }
    struct err e = {0};
    struct report r;
    CLEANUP(evidence) struct evidence *ev = evidence_new(ROOM);
    CLEANUP(arena) struct arena *a = arena_new(ROOM);
    assert_int_equal(evidence_settle(ev, &e), RC_OK);
    assert_int_equal(cause_find(a, ev, &(struct question){.service = 0}, &r, &e), RC_INVALID);
}

static void memory_is_limited(void **state)
{
    (void)state;
    for (size_t room = 2000; room <= 12000; room += 2000) {
        struct world w;
        world_init(&w);
        fill_rows(&w, false);
        struct err e = {0};
        assert_int_equal(evidence_settle(w.ev, &e), RC_OK);
        CLEANUP(arena) struct arena *small = arena_new(room);
        assert_int_equal(cause_find(small, w.ev, &w.q, &w.r, &e), RC_LIMIT);
        world_done(&w);
    }
}

/* --- silence ------------------------------------------------------------------------------------------------------- */

/* Calls of a calm system: counts and times that vary, a few errors, log lines in step. */
static void calm_window(struct world *w, uint32_t window)
{
    static const char *const names[] = {"user", "web", "shop", "cart", "db", "mail"};
    for (uint32_t k = 1; k < 6; k++) {
        double count = floor(40 + 30 * random_share(w));
        struct call c = call_of(count, 20 * (0.9 + 0.2 * random_share(w)), 8 * (0.9 + 0.2 * random_share(w)));
        c.net_ms = 2 + random_share(w);
        c.errors = random_share(w) < 0.2 ? 1 : 0;
        c.window = window;
        c.caller = node(w, names[k == 1 ? 0 : k < 4 ? 1 : 2]);
        c.callee = node(w, names[k]);
        c.operation = MAP_NONE;
        evidence_call(w->ev, &c);
        struct log_count l = {.window = window, .node = c.callee, .template_id = evidence_word(w->ev, STR("served")), .count = count};
        evidence_log(w->ev, &l);
    }
}

static void calm_systems_are_silent(void **state)
{
    (void)state;
    enum { TIMES = 200 };
    unsigned found = 0;
    uint64_t random = 0;
    for (int i = 0; i < TIMES; i++) {
        struct world w;
        world_init(&w);
        w.random = random != 0 ? random : w.random;
        for (uint32_t n = 0; n < NORMAL_WINDOWS + 2; n++) {
            calm_window(&w, w.windows[n]);
        }
        ask(&w);
        found += w.r.found;
        random = w.random;
        world_done(&w);
    }
    /* Their counts have nothing to do with each other: harder than what is calm elsewhere. */
    assert_in_range(found, 0, TIMES / 20);
}

/* --- production's graph ----------------------------------------------------------------------------------------------- */

static uint32_t graph_make(struct graph *g, enum node_kind kind, const char *name)
{
    uint32_t n = 0;
    assert_int_equal(graph_node(g, kind, str_from(name), &n, NULL), RC_OK);
    return n;
}

static void link_up(struct graph *g, uint32_t from, enum edge_kind kind, uint32_t to)
{
    struct edge_claim c = {.from = from, .to = to, .kind = kind, .source = STR("test")};
    assert_int_equal(graph_link(g, &c, NULL), RC_OK);
}

static void the_graph_gives_structure_and_changes(void **state)
{
    (void)state;
    CLEANUP(graph) struct graph *g = graph_new(1);
    assert_int_equal(graph_advance(g, 1000, NULL), RC_OK);
    uint32_t web = graph_make(g, NODE_SERVICE, "web");
    uint32_t shop = graph_make(g, NODE_SERVICE, "shop");
    uint32_t pool = graph_make(g, NODE_CONFIG, "shop");
    uint32_t user = graph_make(g, NODE_SERVICE, "user");
    uint32_t team = graph_make(g, NODE_TEAM, "people");
    uint32_t bank = graph_make(g, NODE_SERVICE, "bank");
    link_up(g, web, EDGE_CALLS, shop);
    link_up(g, shop, EDGE_DEPENDS_ON, bank);
    link_up(g, pool, EDGE_CONFIGURES, shop);
    link_up(g, user, EDGE_CALLS, web);
    link_up(g, team, EDGE_OWNS, web);
    assert_int_equal(graph_describe(g, bank, STR("{\"outside\":true}"), STR("test"), NULL), RC_OK);
    assert_int_equal(graph_changed(g, &(struct graph_change){.at_ms = 1000, .node = pool, .kind = NODE_CONFIG, .what = STR("v=1")}, NULL), RC_OK);
    assert_int_equal(graph_changed(g, &(struct graph_change){.at_ms = 1000, .node = user, .kind = NODE_DEPLOY, .what = STR("v2")}, NULL), RC_OK);
    struct graph_view v = graph_view_now(g);
    CLEANUP(evidence) struct evidence *ev = evidence_new(ROOM);
    struct graph_part part = {.service = web, .changes_from_ms = 0, .changes_until_ms = 2000};
    uint32_t service = evidence_of_graph(ev, &v, &part);
    assert_int_equal(evidence_settle(ev, NULL), RC_OK);
    assert_str(ev->nodes[service].name, "web");
    /* Who is hurt by web and who owns it can't hurt it. */
    assert_int_equal(ev->node_count, 4);
    assert_int_equal(evidence_find(ev, STR("user")), MAP_NONE);
    uint32_t config = evidence_find(ev, STR("config:shop"));
    assert_int_not_equal(config, MAP_NONE);
    assert_true(ev->nodes[evidence_find(ev, STR("bank"))].outside);
    assert_int_equal(ev->tie_count, 3);
    assert_int_equal(ev->change_count, 1);
    assert_int_equal(ev->changes[0].node, config);
    assert_str(ev->changes[0].what, "v=1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_time_is_charged), cmocka_unit_test(without_subtraction_callers_are_charged_too),
        cmocka_unit_test(new_callees_are_charged_to_their_caller), cmocka_unit_test(requests_need_not_be_counted), cmocka_unit_test(errors_are_charged), cmocka_unit_test(another_symptom_is_not_enough),
        cmocka_unit_test(slow_networks_are_where_all_edges_are_slow), cmocka_unit_test(saturation_counts_when_it_is_new),
        cmocka_unit_test(resources_without_a_whole_count_by_their_growth),
        cmocka_unit_test(broken_proportions_are_seen), cmocka_unit_test(among_many_templates_the_broken_one_is_seen), cmocka_unit_test(new_callers_break_nothing),
        cmocka_unit_test(what_the_minutes_before_show_counts_less), cmocka_unit_test(what_is_outside_comes_later),
        cmocka_unit_test(what_is_not_felt_is_no_cause), cmocka_unit_test(every_ingredient_can_be_left_out),
        cmocka_unit_test(changes_are_ranked_by_what_they_touch), cmocka_unit_test(nothing_is_charged_when_nothing_is_wrong),
        cmocka_unit_test(irrelevant_nodes_change_nothing), cmocka_unit_test(the_order_of_rows_changes_nothing),
        cmocka_unit_test(cycles_and_loops_end), cmocka_unit_test(deep_chains_are_cut_in_their_middle),
        cmocka_unit_test(many_causes_are_limited), cmocka_unit_test(little_or_no_input_is_fine),
        cmocka_unit_test(memory_is_limited), cmocka_unit_test(calm_systems_are_silent),
        cmocka_unit_test(the_graph_gives_structure_and_changes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
