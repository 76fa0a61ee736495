/*
 * cause/explain - every score and every step in words.
 */
#include "cause/cause_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* "34.1 ms", "2.10 s" */
static struct str say_time(struct arena *a, double ms)
{
    return fabs(ms) >= 1000.0 ? arena_printf(a, "%.2f s", ms / 1000.0) : arena_printf(a, "%.1f ms", ms);
}

static struct str say_own_time(const struct inquiry *in, const struct finding_of_node *f)
{
    struct arena *a = in->arena;
    double whole = in->whole[TERM_OWN_TIME];
    double now = f->shown.reference + f->shown.mean_long;
    return arena_printf(a, "%.0f calls took %.*s each, normally %.*s (%.1f deviations); %.0f %% of all time that grew (%.*s)", f->count,
                        STR_ARG(say_time(a, now)), STR_ARG(say_time(a, f->shown.reference)), f->shown.z_both,
                        whole > 0 ? 100.0 * f->own / whole : 0.0, STR_ARG(say_time(a, f->own)));
}

static struct str say_errors(const struct inquiry *in, const struct finding_of_node *f)
{
    double whole = in->whole[TERM_ERRORS];
    double now = f->shown.reference + f->shown.mean_long;
    return arena_printf(in->arena, "%.2f %% of %.0f calls failed, normally %.3f %% (%.1f deviations); %.0f %% of all own errors that are new",
                        100.0 * now, f->count, 100.0 * f->shown.reference, f->shown.z_both, whole > 0 ? 100.0 * f->own / whole : 0.0);
}

static struct str say_network(const struct inquiry *in, const struct finding_of_node *f)
{
    struct arena *a = in->arena;
    double now = f->shown.reference + f->shown.mean_long;
    double covered = f->mass > 0 ? 100.0 * sqrt(f->own / f->mass) : 0.0;
    return arena_printf(a, "between caller and callee %.*s passed, normally %.*s (%.1f deviations), on %.0f %% of its calls",
                        STR_ARG(say_time(a, now)), STR_ARG(say_time(a, f->shown.reference)), f->shown.z_both, covered);
}

static struct str say_saturation(const struct inquiry *in, const struct finding_of_node *f)
{
    const struct series *s = &in->ev->series[f->key];
    struct str name = s->name;
    if (!s->metric.share) {
        return arena_printf(in->arena, "%.*s is %.1f times what is usual", STR_ARG(name), f->count / f->shown.reference);
    }
    return arena_printf(in->arena, "%.*s reached %.0f %%, normally %.0f %%", STR_ARG(name), 100.0 * f->count, 100.0 * f->shown.reference);
}

static struct str say_pattern(const struct inquiry *in, uint32_t node)
{
    const struct pattern *p = &in->patterns[node];
    return arena_printf(in->arena, "%.*s: %.0f, where %.*s let expect %.1f", STR_ARG(p->broken), p->seen, STR_ARG(p->base), p->expected);
}

static struct str say_term(const struct inquiry *in, enum ingredient of, uint32_t node)
{
    const struct finding_of_node *f = &in->terms[of][node];
    switch (of) {
    case TERM_OWN_TIME:
        return say_own_time(in, f);
    case TERM_ERRORS:
        return say_errors(in, f);
    case TERM_NETWORK:
        return say_network(in, f);
    case TERM_SATURATION:
        return say_saturation(in, f);
    default:
        return say_pattern(in, node);
    }
}

void explain_terms(struct inquiry *in, struct cause *c)
{
    for (int t = 0; t < TERM_COUNT; t++) {
        double score = in->scores[t][c->node];
        if (score <= 0) {
            continue;
        }
        uint32_t at = c->term_count++;
        for (; at > 0 && c->terms[at - 1].score < score; at--) {
            c->terms[at] = c->terms[at - 1];
        }
        c->terms[at] = (struct cause_term){.of = (enum ingredient)t, .score = score};
    }
    for (uint32_t i = 0; i < c->term_count; i++) {
        c->terms[i].says = say_term(in, c->terms[i].of, c->node);
    }
}

/* --- chains -------------------------------------------------------------------------------------- */

/* What was measured of a callee, as one caller saw it; or as it was seen at all. */
struct edge_seen {
    double calls;
    double latency, timed;
    double normal_latency, normal_timed;
    double errors, counted;
    double normal_errors, normal_counted;
};

static void see_key(const struct inquiry *in, uint32_t key, struct edge_seen *s)
{
    const struct key *k = &in->keys[key];
    const struct total *now = &in->now[key];
    s->calls += now->count;
    s->latency += now->latency;
    s->timed += now->latency_count;
    s->errors += now->errors;
    s->counted += now->errors_count;
    for (uint32_t i = 0; i < k->count; i++) {
        const struct call *c = in->rows[k->first + i];
        if (in->ev->windows[c->window].role == ROLE_INCIDENT) {
            continue;
        }
        if (!isnan(c->latency_ms)) {
            s->normal_latency += c->latency_ms * c->count;
            s->normal_timed += c->count;
        }
        if (!isnan(c->errors)) {
            s->normal_errors += c->errors;
            s->normal_counted += c->count;
        }
    }
}

static struct edge_seen see_edge(const struct inquiry *in, uint32_t caller, uint32_t callee)
{
    struct edge_seen s = {0};
    const uint32_t callers[] = {caller, MAP_NONE};
    for (size_t c = 0; c < 2 && s.calls <= 0; c++) {
        for (uint32_t i = in->callee_first[callee]; i < in->callee_first[callee + 1]; i++) {
            if (in->keys[in->by_callee[i]].caller == callers[c]) {
                see_key(in, in->by_callee[i], &s);
            }
        }
    }
    return s;
}

static struct str say_edge(const struct inquiry *in, uint32_t caller, uint32_t callee)
{
    struct arena *a = in->arena;
    struct edge_seen s = see_edge(in, caller, callee);
    if (s.calls <= 0) {
        return STR("not measured");
    }
    struct str time = STR("");
    struct str errors = STR("");
    if (s.timed > 0 && s.normal_timed > 0) {
        time = arena_printf(a, ", %.*s -> %.*s", STR_ARG(say_time(a, s.normal_latency / s.normal_timed)),
                            STR_ARG(say_time(a, s.latency / s.timed)));
    }
    if (s.counted > 0 && s.normal_counted > 0 && s.errors + s.normal_errors > 0) {
        errors = arena_printf(a, ", errors %.2f %% -> %.2f %%", 100.0 * s.normal_errors / s.normal_counted, 100.0 * s.errors / s.counted);
    }
    return arena_printf(a, "%.0f calls%.*s%.*s", s.calls, STR_ARG(time), STR_ARG(errors));
}

/* A change is told by when it was; a call by what was measured. */
static struct str say_step(const struct inquiry *in, const struct tie *t)
{
    return t->call ? say_edge(in, t->harmed, t->harmer) : STR("");
}

bool explain_chain(struct inquiry *in, uint32_t node, struct cause_step **ret_steps, uint32_t *ret_count, uint32_t *ret_left_out)
{
    bool known = in->distance[node] != MAP_NONE && in->next[node] != MAP_NONE;
    uint32_t length = known ? in->distance[node] : 0;
    uint32_t count = length < CAUSE_STEPS_MAX ? length : CAUSE_STEPS_MAX;
    struct cause_step *steps = arena_array(in->arena, count + 1U, sizeof *steps);
    uint32_t at = node;
    uint32_t kept = 0;
    for (uint32_t i = 0; steps != NULL && i < length; i++) {
        const struct tie *t = &in->harmers[in->next[at]];
        /* Of a long chain the beginning and the end are told. */
        if (i < CAUSE_STEPS_MAX / 2 || i >= length - CAUSE_STEPS_MAX / 2) {
            steps[kept++] = (struct cause_step){.from = t->harmer, .to = t->harmed, .kind = t->kind, .says = say_step(in, t)};
        }
        at = t->harmed;
    }
    *ret_steps = steps;
    *ret_count = kept;
    *ret_left_out = length - kept;
    return steps != NULL;
}
