/*
 * bench/decide - what one decision costs, without disk and network.
 *
 *     decide
 *
 * A world of 1,000 agents and 1,000 services whose budgets were polled and are known; each request names
 * another agent and another service. Measures gate_decide() alone, and the way from a request to it
 * (request_derive). Then again with 100 more sets of thresholds, which every request meets: 50 task
 * classes, 50 agents; with every check on and something to look at for each; and with 100 rules in CEL over 8
 * changes. Then one such expression alone. Prints one JSON line: median nanoseconds.
 */
#include "gate/gate.h"
#include "sys/clock.h"
#include "value/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    NAMES = 1000,
    RULES = 100,
    CHANGES = 8,
    EXTRA = 50,   /* task classes, and agents with thresholds of their own */
    ROUNDS = 2000, /* times all requests */
};

/* What is measured. */
enum variant { PLAIN = 0, EXTRA_THRESHOLDS, ALL_CHECKS, HUNDRED_RULES, VARIANTS };

static const int64_t now_ms = 1795000000000;

static void check(enum rc rc, const struct err *e)
{
    if (rc != RC_OK) {
        fprintf(stderr, "decide: %s %s\n", e->where, e->text);
        exit(1);
    }
}

static int64_t clock_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* --- the world ------------------------------------------------------------------------------------- */

/* Every check on, ten quorum rules and five surfaces that do not fit, one that does. */
static void write_rules(struct buf *out)
{
    buf_str(out, STR("\"checks\":{\"lineage\":{},\"readiness\":{},\"grant\":{},\"memory\":{},"
                     "\"rate\":{\"per_agent\":100,\"per_service\":100,\"per_tool\":256,\"concurrent\":5},"
                     "\"blast_radius\":{\"max_pct\":20,\"require_traffic\":true}},\"quorum\":["));
    for (int i = 0; i < 10; i++) {
        buf_printf(out, "%s{\"name\":\"q-%d\",\"tools\":[\"other-%d-*\"],\"approvals\":[{\"group\":\"sre\",\"count\":2}]}",
                   i == 0 ? "" : ",", i, i);
    }
    buf_str(out, STR("],\"surfaces\":["));
    for (int i = 0; i < 5; i++) {
        buf_printf(out, "{\"name\":\"surface-%d\",\"verdict\":\"deny\"},", i);
    }
    buf_str(out, STR("{\"name\":\"cache\",\"verdict\":\"allow\"}],"));
}

#define CONDITION(n) "agent.tier == \\\"supervised\\\" && action.params.replicas <= " n " * service.labels.replicas && " \
                     "!(target.startsWith(\\\"prod-\\\")) && diff.changes.all(c, c.surface != \\\"auth\\\")"

/* Each looks at everything, and none holds. */
static void write_cel(struct buf *out)
{
    buf_str(out, STR("\"rules\":["));
    for (int i = 0; i < RULES; i++) {
        buf_printf(out, "%s{\"name\":\"rule-%d\",\"verdict\":\"deny\",\"condition\":\"!(" CONDITION("%d") ")\"}", i == 0 ? "" : ",", i, 2 + i);
    }
    buf_str(out, STR("],"));
}

static void write_service(struct buf *out, int i, enum variant v)
{
    bool all = v == ALL_CHECKS;
    buf_printf(out, "%s{\"name\":\"service-%d\",\"slo\":{\"objective\":99.9,\"prometheus\":{\"ratio\":\"r\"}}",
               i == 0 ? "" : ",", i);
    if (all) {
        buf_str(out, STR(",\"zone\":\"zone-1\",\"traffic_pct\":0.1,\"readiness\":{\"error_budget_policy\":true,"
                         "\"decision_provenance\":true,\"automated_rollback\":true,\"toil_measured\":true,"
                         "\"shadow_since\":\"2026-01-01T00:00:00Z\"}"));
    }
    if (v == HUNDRED_RULES) {
        buf_str(out, STR(",\"labels\":{\"replicas\":4}"));
    }
    if (all && i % 2 == 0) {
        buf_printf(out, ",\"depends_on\":[\"service-%d\"]", i + 1);
    }
    buf_char(out, '}');
}

static void write_policy(struct buf *out, enum variant v)
{
    bool extra = v == EXTRA_THRESHOLDS;
    bool all = v == ALL_CHECKS;
    buf_char(out, '{');
    if (all) {
        write_rules(out);
    }
    if (v == HUNDRED_RULES) {
        write_cel(out);
    }
    buf_str(out, STR("\"agents\":["));
    for (int i = 0; i < NAMES; i++) {
        buf_printf(out, "%s{\"name\":\"agent-%d\",\"owner\":\"dana\"", i == 0 ? "" : ",", i);
        buf_str(out, all ? STR(",\"zones\":[\"zone-*\"],\"behaviour\":{\"tools\":[\"scale\"],\"per_hour\":200}") : STR(""));
        buf_str(out, extra && i < EXTRA ? STR(",\"checks\":{\"error_budget\":{\"min_pct\":25}}}") : STR("}"));
    }
    buf_str(out, STR("],\"services\":["));
    for (int i = 0; i < NAMES; i++) {
        write_service(out, i, v);
    }
    buf_str(out, STR("],\"task_classes\":["));
    for (int i = 0; i < EXTRA && extra; i++) {
        buf_printf(out, "%s{\"name\":\"class-%d\",\"checks\":{\"aqdd\":{\"max_depth\":5}}}", i == 0 ? "" : ",", i);
    }
    buf_str(out, STR("],\"tools\":[{\"name\":\"scale\",\"class\":\"write\",\"services\":[\"{service}\"],"));
    buf_str(out, extra ? STR("\"task_class\":\"class-25\",") : STR(""));
    buf_str(out, all ? STR("\"surfaces\":[\"cache\"],\"target\":\"{service}\",") : STR(""));
    buf_str(out, STR("\"parameters\":{\"type\":\"object\",\"properties\":{\"service\":{\"type\":\"string\"},\"replicas\":{\"type\":\"integer\"}}}}]}"));
}

static void load_policy(struct world *w, struct arena *a, enum variant v)
{
    struct err e;
    struct buf text;
    buf_init(&text, POLICY_TEXT_MAX);
    write_policy(&text, v);
    struct policy *p = NULL;
    check(policy_parse(buf_view(&text), &p, &e), &e);
    buf_reset(&text);
    policy_write(&text, p);
    policy_free(p);
    struct value body = value_object();
    struct value blob = value_object();
    value_add_str(a, &body, STR("author"), STR("bench"));
    value_add_str(a, &body, STR("hash"), STR("sha256:00"));
    value_add_str(a, &blob, STR("$blob"), STR("sha256:00"));
    value_add_int(a, &blob, STR("size"), (int64_t)text.len);
    value_add(a, &body, STR("policy"), blob);
    value_add_str(a, &body, STR("reason"), STR("start"));
    struct entry entry = {.v = 1, .seq = 1, .time_ms = now_ms, .kind = ENTRY_POLICY_LOADED, .actor = STR("system")};
    check(world_apply(w, &entry, &body, buf_view(&text), &e), &e);
    buf_done(&text);
}

/* Nine that do not fit, and the one that does. */
static void issue_grants(struct world *w, struct arena *a)
{
    struct err e;
    for (uint64_t i = 0; i < 10; i++) {
        struct value body = value_object();
        value_add_str(a, &body, STR("agent"), i < 9 ? STR("other-*") : STR("agent-*"));
        value_add_instant(a, &body, STR("expires_at"), now_ms + HOUR_MS);
        value_add_str(a, &body, STR("target"), STR("*"));
        value_add_str(a, &body, STR("tool"), STR("*"));
        struct entry entry = {.v = 1, .seq = 2 + i, .time_ms = now_ms, .kind = ENTRY_GRANT_ISSUED, .actor = STR("tok_1")};
        check(world_apply(w, &entry, &body, STR(""), &e), &e);
    }
}

static struct world *make_world(struct arena *a, enum variant v)
{
    struct err e;
    struct world *w = world_new(1);
    struct value body = value_object();
    value_add_int(a, &body, STR("format"), 1);
    value_add_str(a, &body, STR("origin"), STR("pawl.example/bench"));
    value_add_str(a, &body, STR("vkey"), STR("pawl.example/bench+00000000+AAAA"));
    struct entry entry = {.v = 1, .seq = 0, .time_ms = now_ms, .kind = ENTRY_LEDGER_CREATED, .actor = STR("system")};
    if (w == NULL) {
        abort();
    }
    check(world_apply(w, &entry, &body, STR(""), &e), &e);
    load_policy(w, a, v);
    if (v == ALL_CHECKS) {
        issue_grants(w, a);
    }
    return w;
}

static void know_budgets(struct signals *s)
{
    signals_init(s);
    s->clock_ok = true;
    for (uint32_t i = 0; i < NAMES; i++) {
        struct budget_signal *b = signals_budget(s, i);
        if (b == NULL) {
            abort();
        }
        b->state = SIGNAL_KNOWN;
        b->remaining_ppm = 900000;
        b->at_ms = now_ms;
    }
}

static const struct value *make_changes(struct arena *a)
{
    struct value *v = arena_alloc(a, sizeof *v);
    struct value list = value_array();
    for (int i = 0; i < CHANGES; i++) {
        struct value row = value_object();
        struct value surface = value_array();
        value_push(a, &surface, value_string(i % 2 == 0 ? STR("network") : STR("config")));
        value_add_str(a, &row, STR("kind"), STR("update"));
        value_add(a, &row, STR("surface"), surface);
        value_push(a, &list, row);
    }
    if (v == NULL) {
        abort();
    }
    *v = value_object();
    value_add(a, v, STR("changes"), list);
    return v;
}

static void make_request(struct arena *a, const struct world *w, int i, enum variant v, struct request *q)
{
    struct err e;
    struct value *given = arena_alloc(a, sizeof *given);
    if (given == NULL) {
        abort();
    }
    *given = value_object();
    value_add_str(a, given, STR("service"), arena_printf(a, "service-%d", i * 7 % NAMES));
    value_add_int(a, given, STR("replicas"), 8);
    static const struct value plan = {.type = VALUE_OBJECT};
    static const struct value contexts = {.type = VALUE_ARRAY};
    *q = (struct request){.agent = arena_printf(a, "agent-%d", v == EXTRA_THRESHOLDS ? i % EXTRA : i),
                          .plan = &plan,
                          .contexts = &contexts,
                          .claimed_tool = STR("scale"),
                          .given = given,
                          .intent = STR("more of it"),
                          .author_type = STR("ai")};
    check(request_derive(a, w, q, &e), &e);
    if (v == HUNDRED_RULES) {
        q->changes = make_changes(a);
    }
}

/* --- measuring --------------------------------------------------------------------------------------- */

static double decide_ns(const struct world *w, const struct signals *s, struct request *requests)
{
    static double rounds[ROUNDS];
    static struct facts facts;
    static struct decision decision;
    struct arena *a = arena_new(16 << 20);
    int count = world_policy(w)->rule_count > 0 ? ROUNDS / 20 : ROUNDS;
    for (int r = 0; r < count; r++) {
        int64_t from = clock_ns();
        for (int i = 0; i < NAMES; i++) {
            struct gate_input in = {.world = w,
                                    .policy = world_policy(w),
                                    .signals = s,
                                    .request = &requests[i],
                                    .now_ms = now_ms + 1000,
                                    .arena = a};
            arena_reset(a);
            gate_decide(&in, &facts, &decision);
            if (decision.verdict != VERDICT_ALLOW) {
                fprintf(stderr, "decide: not allowed\n");
                exit(1);
            }
        }
        rounds[r] = (double)(clock_ns() - from) / NAMES;
    }
    arena_free(a);
    qsort(rounds, (size_t)count, sizeof *rounds, compare);
    return rounds[count / 2];
}

/* --- one expression ---------------------------------------------------------------------------------- */

static bool get_text(const void *self, unsigned field, struct arena *scope, struct cel_value *ret)
{
    (void)field;
    (void)scope;
    *ret = cel_of_str(*(const struct str *)self);
    return true;
}

static bool get_count(const void *self, unsigned field, struct arena *scope, struct cel_value *ret)
{
    (void)field;
    (void)scope;
    *ret = cel_of_int(*(const int64_t *)self);
    return true;
}

static const struct cel_field tier_field[] = {{"tier", &cel_string, ""}}, replicas_field[] = {{"replicas", &cel_int, ""}},
                              surface_field[] = {{"surface", &cel_string, ""}};
static const struct cel_class agent_class = {"Agent", "", tier_field, 1, get_text, false},
                              counted_class = {"Counted", "", replicas_field, 1, get_count, false},
                              change_class = {"Change", "", surface_field, 1, get_text, false};

static bool get_params(const void *self, unsigned field, struct arena *scope, struct cel_value *ret)
{
    (void)field;
    (void)scope;
    *ret = cel_of_object(&counted_class, self);
    return true;
}

struct changes {
    struct cel_value all[CHANGES];
};

static bool get_changes(const void *self, unsigned field, struct arena *scope, struct cel_value *ret)
{
    (void)field;
    (void)scope;
    *ret = cel_of_list(((const struct changes *)self)->all, CHANGES);
    return true;
}

static const struct cel_type agent_type = {.kind = CEL_OBJECT, .class = &agent_class},
                             counted_type = {.kind = CEL_OBJECT, .class = &counted_class},
                             change_type = {.kind = CEL_OBJECT, .class = &change_class},
                             changes_type = {.kind = CEL_LIST, .item = &change_type};
static const struct cel_field params_field[] = {{"params", &counted_type, ""}}, changes_field[] = {{"changes", &changes_type, ""}};
static const struct cel_class action_class = {"Action", "", params_field, 1, get_params, false},
                              diff_class = {"Diff", "", changes_field, 1, get_changes, false};
static const struct cel_type action_type = {.kind = CEL_OBJECT, .class = &action_class},
                             diff_type = {.kind = CEL_OBJECT, .class = &diff_class};

static double expression_ns(void)
{
    static const char text[] = "agent.tier == \"supervised\" && action.params.replicas <= 2 * service.replicas && "
                               "!(target.startsWith(\"prod-\")) && diff.changes.all(c, c.surface != \"auth\")";
    static double rounds[ROUNDS];
    const struct str tier = STR("supervised");
    const struct str surfaces[2] = {STR("network"), STR("config")};
    const int64_t wanted = 8;
    const int64_t replicas = 4;
    struct changes changes;
    struct cel_program *p = NULL;
    struct err e;
    CLEANUP(cel_env) struct cel_env *env = cel_env_new();
    for (int i = 0; i < CHANGES; i++) {
        changes.all[i] = cel_of_object(&change_class, &surfaces[i % 2]);
    }
    check(cel_declare(env, STR("agent"), &agent_type, "", &e), &e);
    check(cel_declare(env, STR("action"), &action_type, "", &e), &e);
    check(cel_declare(env, STR("service"), &counted_type, "", &e), &e);
    check(cel_declare(env, STR("target"), &cel_string, "", &e), &e);
    check(cel_declare(env, STR("diff"), &diff_type, "", &e), &e);
    check(cel_compile(env, str_from(text), NULL, &p, &e), &e);
    const struct cel_value vars[] = {cel_of_object(&agent_class, &tier), cel_of_object(&action_class, &wanted),
                                     cel_of_object(&counted_class, &replicas), cel_of_str(STR("stage-db")),
                                     cel_of_object(&diff_class, &changes)};
    const struct cel_activation values = {.values = vars, .count = 5};
    struct arena *a = arena_new(1 << 20);
    for (int r = 0; r < ROUNDS; r++) {
        int64_t from = clock_ns();
        for (int i = 0; i < NAMES; i++) {
            struct cel_run run = {.arena = a, .budget = 100000};
            struct cel_value held;
            arena_reset(a);
            if (cel_eval(p, &values, &run, &held, &e) != RC_OK || !held.boolean) {
                abort();
            }
        }
        rounds[r] = (double)(clock_ns() - from) / NAMES;
    }
    arena_free(a);
    cel_program_free(p);
    qsort(rounds, ROUNDS, sizeof *rounds, compare);
    return rounds[ROUNDS / 2];
}

static double derive_ns(const struct world *w, struct request *requests)
{
    static double rounds[ROUNDS];
    struct err e;
    struct arena *a = arena_new(16 << 20);
    for (int r = 0; r < ROUNDS; r++) {
        int64_t from = clock_ns();
        for (int i = 0; i < NAMES; i++) {
            arena_reset(a);
            check(request_derive(a, w, &requests[i], &e), &e);
        }
        rounds[r] = (double)(clock_ns() - from) / NAMES;
    }
    arena_free(a);
    qsort(rounds, ROUNDS, sizeof *rounds, compare);
    return rounds[ROUNDS / 2];
}

int main(void)
{
    static const char *const names[] = {"plain", "with_100_more_thresholds", "all_checks", "hundred_rules"};
    printf("{");
    for (unsigned v = PLAIN; v < VARIANTS; v++) {
        CLEANUP(arena) struct arena *a = arena_new(64 << 20);
        struct world *w = make_world(a, (enum variant)v);
        struct signals signals;
        know_budgets(&signals);
        struct request *requests = arena_array(a, NAMES, sizeof *requests);
        if (requests == NULL) {
            abort();
        }
        for (int i = 0; i < NAMES; i++) {
            make_request(a, w, i, (enum variant)v, &requests[i]);
        }
        double decide = decide_ns(w, &signals, requests);
        printf("%s\"%s\":{\"decide_ns\":%.0f,", v > PLAIN ? "," : "", names[v], decide);
        printf("\"derive_ns\":%.0f}", derive_ns(w, requests));
        signals_done(&signals);
        world_free(w);
    }
    printf(",\"expression_ns\":%.0f}\n", expression_ns());
    return 0;
}
