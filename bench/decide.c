/*
 * bench/decide - what one decision costs, without disk and network.
 *
 *     decide
 *
 * A world of 1,000 agents and 1,000 services whose budgets were polled and are known; each request names
 * another agent and another service. Measures gate_decide() alone, and the way from a request to it
 * (request_derive). Then again with 100 more sets of thresholds, which every request meets: 50 task
 * classes, 50 agents. Prints one JSON line: median nanoseconds.
 */
#include "gate/gate.h"
#include "sys/clock.h"
#include "value/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    NAMES = 1000,
    EXTRA = 50,   /* task classes, and agents with thresholds of their own */
    ROUNDS = 2000, /* times all requests */
};

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

static void write_policy(struct buf *out, bool extra)
{
    buf_str(out, STR("{\"agents\":["));
    for (int i = 0; i < NAMES; i++) {
        buf_printf(out, "%s{\"name\":\"agent-%d\",\"owner\":\"dana\"", i == 0 ? "" : ",", i);
        buf_str(out, extra && i < EXTRA ? STR(",\"checks\":{\"error_budget\":{\"min_pct\":25}}}") : STR("}"));
    }
    buf_str(out, STR("],\"services\":["));
    for (int i = 0; i < NAMES; i++) {
        buf_printf(out, "%s{\"name\":\"service-%d\",\"slo\":{\"objective\":99.9,\"prometheus\":{\"ratio\":\"r\"}}}",
                   i == 0 ? "" : ",", i);
    }
    buf_str(out, STR("],\"task_classes\":["));
    for (int i = 0; i < EXTRA && extra; i++) {
        buf_printf(out, "%s{\"name\":\"class-%d\",\"checks\":{\"aqdd\":{\"max_depth\":5}}}", i == 0 ? "" : ",", i);
    }
    buf_str(out, STR("],\"tools\":[{\"name\":\"scale\",\"class\":\"write\",\"services\":[\"{service}\"],"));
    buf_str(out, extra ? STR("\"task_class\":\"class-25\",") : STR(""));
    buf_str(out, STR("\"parameters\":{\"type\":\"object\",\"properties\":{\"service\":{\"type\":\"string\"}}}}]}"));
}

static void load_policy(struct world *w, struct arena *a, bool extra)
{
    struct err e;
    struct buf text;
    buf_init(&text, POLICY_TEXT_MAX);
    write_policy(&text, extra);
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

static struct world *make_world(struct arena *a, bool extra)
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
    load_policy(w, a, extra);
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

static void make_request(struct arena *a, const struct world *w, int i, bool extra, struct request *q)
{
    struct err e;
    struct value *given = arena_alloc(a, sizeof *given);
    if (given == NULL) {
        abort();
    }
    *given = value_object();
    value_add_str(a, given, STR("service"), arena_printf(a, "service-%d", i * 7 % NAMES));
    *q = (struct request){.agent = arena_printf(a, "agent-%d", extra ? i % EXTRA : i),
                          .claimed_tool = STR("scale"),
                          .given = given,
                          .intent = STR("more of it"),
                          .author_type = STR("ai")};
    check(request_derive(a, w, q, &e), &e);
}

/* --- measuring --------------------------------------------------------------------------------------- */

static double decide_ns(const struct world *w, const struct signals *s, struct request *requests)
{
    static double rounds[ROUNDS];
    static struct facts facts;
    static struct decision decision;
    for (int r = 0; r < ROUNDS; r++) {
        int64_t from = clock_ns();
        for (int i = 0; i < NAMES; i++) {
            struct gate_input in = {.world = w,
                                    .policy = world_policy(w),
                                    .signals = s,
                                    .request = &requests[i],
                                    .now_ms = now_ms + 1000};
            gate_decide(&in, &facts, &decision);
            if (decision.verdict != VERDICT_ALLOW) {
                fprintf(stderr, "decide: not allowed\n");
                exit(1);
            }
        }
        rounds[r] = (double)(clock_ns() - from) / NAMES;
    }
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
    static const char *const names[] = {"plain", "with_100_more_thresholds"};
    printf("{");
    for (int extra = 0; extra < 2; extra++) {
        CLEANUP(arena) struct arena *a = arena_new(64 << 20);
        struct world *w = make_world(a, extra);
        struct signals signals;
        know_budgets(&signals);
        struct request *requests = arena_array(a, NAMES, sizeof *requests);
        if (requests == NULL) {
            abort();
        }
        for (int i = 0; i < NAMES; i++) {
            make_request(a, w, i, extra, &requests[i]);
        }
        double decide = decide_ns(w, &signals, requests);
        printf("%s\"%s\":{\"decide_ns\":%.0f,", extra ? "," : "", names[extra], decide);
        printf("\"derive_ns\":%.0f}", derive_ns(w, requests));
        signals_done(&signals);
        world_free(w);
    }
    printf("}\n");
    return 0;
}
