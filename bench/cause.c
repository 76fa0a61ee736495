/*
 * bench/cause - what one inquiry costs, without disk and network.
 *
 *     cause
 *
 * A system of 1,000 services, each called by up to two before it in a tree that is ten deep. Twice: told by a series of
 * times, requests, errors and CPU of each service, a sample a minute for an hour; and told by spans, an hour of windows of a
 * minute, with three log templates a service. In the last ten minutes one service is slow. Measures evidence_settle()
 * and cause_find(). Prints one JSON line: median milliseconds.
 */
#include "cause/cause.h"

#include "sys/clock.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    SERVICES = 1000,
    MINUTES = 60,
    INCIDENT = 10, /* of them */
    SLOW = 777,
    ROUNDS = 21,
    ROOM = 1 << 30,
    TEMPLATES = 3,
};

static uint64_t state = 88172645463325252U;

/* 0 to 1. Source: Marsaglia, Xorshift RNGs (2003). */
static double random_share(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (double)(state >> 11) / 9007199254740992.0;
}

static void check(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "cause: %s\n", what);
        exit(1);
    }
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static uint32_t service(struct evidence *ev, uint32_t i)
{
    char name[32];
    snprintf(name, sizeof name, "service-%u", i);
    return evidence_node(ev, str_from(name));
}

/* Who calls a service: two of a tree of which each node has two. */
static uint32_t caller_of(uint32_t i, uint32_t which)
{
    return which == 0 ? (i - 1) / 2 : i / 3;
}

static bool is_slow(uint32_t i, uint32_t minute)
{
    return i == SLOW && minute >= MINUTES - INCIDENT;
}

static void fill_series(struct evidence *ev)
{
    static const char *const names[] = {"latency_avg", "requests", "errors", "cpu_pct"};
    for (uint32_t m = 0; m < MINUTES; m++) {
        evidence_sample(ev, (int64_t)m * 60000, m < MINUTES - INCIDENT ? ROLE_NORMAL : ROLE_INCIDENT);
    }
    for (uint32_t i = 0; i < SERVICES; i++) {
        uint32_t n = service(ev, i);
        for (uint32_t k = 0; k < 4; k++) {
            uint32_t s = evidence_series(ev, n, MAP_NONE, str_from(names[k]));
            for (uint32_t m = 0; m < MINUTES; m++) {
                const double values[] = {0.02 * (0.9 + 0.2 * random_share()) + (is_slow(i, m) ? 0.5 : 0), 100 + floor(50 * random_share()),
                                         random_share() < 0.1, 30 + 10 * random_share()};
                evidence_value(ev, s, m, values[k]);
            }
        }
        for (uint32_t c = 0; i > 0 && c < 2; c++) {
            evidence_tie(ev, n, service(ev, caller_of(i, c)), STR("calls"), true);
        }
    }
}

static void fill_window(struct evidence *ev, uint32_t w, uint32_t minute)
{
    static const char *const lines[TEMPLATES] = {"request received", "rows read", "request served"};
    for (uint32_t i = 1; i < SERVICES; i++) {
        double count = 100 + floor(50 * random_share());
        for (uint32_t c = 0; c < 2; c++) {
            double own = 5 * (0.9 + 0.2 * random_share()) + (is_slow(i, minute) ? 500 : 0);
            struct call call = {.window = w, .caller = service(ev, caller_of(i, c)), .callee = service(ev, i), .operation = MAP_NONE,
                                .count = count, .latency_ms = own + 20, .self_ms = own, .net_ms = 1 + random_share(), .children = 2,
                                .errors = random_share() < 0.1};
            evidence_call(ev, &call);
        }
        for (uint32_t t = 0; t < TEMPLATES; t++) {
            struct log_count l = {.window = w, .node = service(ev, i), .template_id = evidence_word(ev, str_from(lines[t])), .count = 2 * count};
            evidence_log(ev, &l);
        }
    }
}

static void fill_spans(struct evidence *ev)
{
    for (uint32_t m = 0; m < MINUTES; m++) {
        uint32_t w = evidence_window(ev, STR("minute"), m < MINUTES - INCIDENT ? ROLE_NORMAL : ROLE_INCIDENT);
        fill_window(ev, w, m);
    }
}

struct times {
    double settle_ms[ROUNDS];
    double find_ms[ROUNDS];
};

static void one_round(void (*fill)(struct evidence *), struct times *t, int round)
{
    CLEANUP(evidence) struct evidence *ev = evidence_new(ROOM);
    CLEANUP(arena) struct arena *a = arena_new(ROOM);
    struct report r;
    check(ev != NULL && a != NULL, "out of memory");
    struct question q = {.service = service(ev, 0)};
    fill(ev);
    int64_t from = clock_monotonic_us();
    check(evidence_settle(ev, NULL) == RC_OK, "the evidence can't be settled");
    int64_t settled = clock_monotonic_us();
    check(cause_find(a, ev, &q, &r, NULL) == RC_OK, "the inquiry failed");
    int64_t done = clock_monotonic_us();
    check(r.found && r.candidates == SERVICES && r.causes[0].node == service(ev, SLOW), "another cause than the one that was made");
    t->settle_ms[round] = (double)(settled - from) / 1000;
    t->find_ms[round] = (double)(done - settled) / 1000;
}

static void measure(const char *name, void (*fill)(struct evidence *), const char *end)
{
    struct times t;
    for (int i = 0; i < ROUNDS; i++) {
        one_round(fill, &t, i);
    }
    qsort(t.settle_ms, ROUNDS, sizeof *t.settle_ms, compare);
    qsort(t.find_ms, ROUNDS, sizeof *t.find_ms, compare);
    printf("\"%s\":{\"settle_ms\":%.2f,\"find_ms\":%.2f}%s", name, t.settle_ms[ROUNDS / 2], t.find_ms[ROUNDS / 2], end);
}

int main(void)
{
    printf("{");
    measure("series", fill_series, ",");
    measure("spans", fill_spans, "}\n");
    return 0;
}
