/*
 * evidence/settle - what is derived of the rows that were read, once all are there.
 */
#include "base/must.h"
#include "evidence/evidence_internal.h"

#include <math.h>
#include <stdlib.h>

/* --- samples and series ------------------------------------------------------------------------- */

/* A sample and where it stood, to be sorted. */
struct dated {
    struct sample sample;
    uint32_t was;
};

static int by_time(const void *a, const void *b)
{
    const struct dated *x = a;
    const struct dated *y = b;
    return x->sample.at_ms < y->sample.at_ms ? -1 : x->sample.at_ms > y->sample.at_ms;
}

static enum rc no_room(const struct evidence *ev, struct err *e)
{
    return err_set(e, arena_rc(ev->arena), "the evidence takes too much memory");
}

/* Samples in order of time; ret_position: where each of before stands now. */
static enum rc order_samples(struct evidence *ev, uint32_t **ret_position, struct err *e)
{
    struct dated *all = arena_array(ev->arena, ev->sample_count + 1U, sizeof *all);
    uint32_t *position = arena_array(ev->arena, ev->sample_count + 1U, sizeof *position);
    if (all == NULL || position == NULL) {
        return no_room(ev, e);
    }
    for (uint32_t i = 0; i < ev->sample_count; i++) {
        all[i] = (struct dated){.sample = ev->samples[i], .was = i};
    }
    qsort(all, ev->sample_count, sizeof *all, by_time);
    for (uint32_t i = 0; i < ev->sample_count; i++) {
        ev->samples[i] = all[i].sample;
        position[all[i].was] = i;
    }
    *ret_position = position;
    return RC_OK;
}

static enum rc lay_out(struct evidence *ev, const uint32_t *position, struct err *e)
{
    for (uint32_t s = 0; s < ev->series_count; s++) {
        ev->series[s].values = arena_array(ev->arena, ev->sample_count + 1U, sizeof(double));
        if (ev->series[s].values == NULL) {
            return no_room(ev, e);
        }
        for (uint32_t i = 0; i < ev->sample_count; i++) {
            ev->series[s].values[i] = (double)NAN;
        }
    }
    for (uint32_t i = 0; i < ev->cell_count; i++) {
        const struct cell *c = &ev->cells[i];
        struct series *s = &ev->series[c->series];
        s->values[position[c->sample]] = c->value * s->metric.scale;
    }
    return RC_OK;
}

static double largest(const struct evidence *ev, const struct series *s)
{
    double most = 0;
    for (uint32_t i = 0; i < ev->sample_count; i++) {
        most = s->values[i] > most ? s->values[i] : most;
    }
    return most;
}

/* A share that was taken as percent by its name but never passes one hundredth of its range is a ratio, and the other way. */
static void mend_shares(struct evidence *ev)
{
    for (uint32_t k = 0; k < ev->series_count; k++) {
        struct series *s = &ev->series[k];
        bool share = s->metric.meaning == METRIC_AVAILABILITY || s->metric.meaning == METRIC_ERROR_SHARE || s->metric.share;
        double most = share ? largest(ev, s) : 0;
        double by = s->metric.meaning == METRIC_AVAILABILITY && most > 0 && most <= 0.01 ? 100.0 : most > 2.0 ? 0.01 : 1.0;
        for (uint32_t i = 0; share && by != 1.0 && i < ev->sample_count; i++) {
            s->values[i] *= by;
        }
    }
}

/* --- calls out of series ------------------------------------------------------------------------ */

/* What a node's own series tell: indices, or MAP_NONE. */
struct own_series {
    uint32_t of[METRIC_SERVER_SIDE + 1];
};

static void choose_series(const struct evidence *ev, struct own_series *own)
{
    for (uint32_t n = 0; n < ev->node_count; n++) {
        for (int m = 0; m <= METRIC_SERVER_SIDE; m++) {
            own[n].of[m] = MAP_NONE;
        }
    }
    for (uint32_t s = 0; s < ev->series_count; s++) {
        const struct series *it = &ev->series[s];
        uint32_t *chosen = &own[it->node].of[it->metric.meaning];
        if (it->to != MAP_NONE) {
            continue;
        }
        const struct series *old = *chosen == MAP_NONE ? NULL : &ev->series[*chosen];
        if (old == NULL || it->metric.choice < old->metric.choice ||
            (it->metric.choice == old->metric.choice && str_cmp(it->name, old->name) < 0)) {
            *chosen = s;
        }
    }
}

static double value_at(const struct evidence *ev, uint32_t series, uint32_t i)
{
    return series == MAP_NONE ? (double)NAN : ev->series[series].values[i];
}

/*
 * Of a sample whose requests nobody counts: so many that chance among them does not matter. How much samples vary is seen of
 * the samples themselves.
 */
#define UNCOUNTED 1000.0

/* A sum over the samples of a window, turned into a call at its end. */
struct sum {
    double count;
    double time, timed;     /* and of how many it is known */
    double errors, counted;
};

static void add_sample(const struct evidence *ev, const struct own_series *own, uint32_t i, struct sum *sum)
{
    double count = value_at(ev, own->of[METRIC_TRAFFIC], i);
    double latency = value_at(ev, own->of[METRIC_LATENCY], i);
    double errors = value_at(ev, own->of[METRIC_ERRORS], i);
    double share = value_at(ev, own->of[METRIC_ERROR_SHARE], i);
    double available = value_at(ev, own->of[METRIC_AVAILABILITY], i);
    if (own->of[METRIC_TRAFFIC] == MAP_NONE) {
        count = isnan(latency) && isnan(errors) && isnan(share) && isnan(available) ? (double)NAN : UNCOUNTED;
    }
    if (isnan(count) || count <= 0) {
        return;
    }
    share = !isnan(available) ? 1.0 - available : share;
    errors = !isnan(share) ? share * count : errors;
    sum->count += count;
    if (!isnan(latency)) {
        sum->time += count * latency;
        sum->timed += count;
    }
    if (!isnan(errors)) {
        sum->errors += errors < 0 ? 0 : errors;
        sum->counted += count;
    }
}

static void end_window(struct evidence *ev, uint32_t node, uint32_t window, const struct sum *sum)
{
    if (sum->count <= 0 || (sum->timed <= 0 && sum->counted <= 0)) {
        return;
    }
    double unknown = (double)NAN;
    struct call c = {.window = window, .caller = MAP_NONE, .callee = node, .operation = MAP_NONE, .count = sum->count,
                     .self_ms = unknown, .net_ms = unknown, .children = unknown, .latency_ms = unknown, .errors = unknown};
    if (sum->timed > 0) {
        c.latency_ms = sum->time / sum->timed;
    }
    if (sum->counted > 0) {
        c.errors = sum->errors / sum->counted * sum->count;
    }
    evidence_call(ev, &c);
}

/* Samples [from, until) of the order are one window. */
struct stretch {
    uint32_t from;
    uint32_t until;
    uint32_t window;
};

/* The normal period is cut into windows as long as the incident, so that like is compared with like. */
static uint32_t cut_windows(struct evidence *ev, struct stretch *out)
{
    uint32_t length = 0;
    uint32_t count = 0;
    for (uint32_t i = 0; i < ev->sample_count; i++) {
        length += ev->samples[i].role == ROLE_INCIDENT;
    }
    for (uint32_t i = 0; length > 0 && i < ev->sample_count;) {
        enum role role = ev->samples[i].role;
        uint32_t from = i;
        while (i < ev->sample_count && ev->samples[i].role == role && (role != ROLE_NORMAL || i - from < length)) {
            i++;
        }
        uint32_t window = evidence_window(ev, STR(""), role);
        if (window == MAP_NONE) {
            return 0;
        }
        out[count++] = (struct stretch){.from = from, .until = i, .window = window};
    }
    return count;
}

/* Nodes whose calls were measured themselves need no series for it. */
static void mark_measured(const struct evidence *ev, bool *measured)
{
    for (uint32_t i = 0; i < ev->call_count; i++) {
        if (ev->windows[ev->calls[i].window].role == ROLE_INCIDENT) {
            measured[ev->calls[i].callee] = true;
        }
    }
}

static enum rc calls_of_series(struct evidence *ev, struct err *e)
{
    struct own_series *own = arena_array(ev->arena, ev->node_count + 1U, sizeof *own);
    bool *measured = arena_array(ev->arena, ev->node_count + 1U, sizeof *measured);
    struct stretch *stretches = arena_array(ev->arena, ev->sample_count + 1U, sizeof *stretches);
    if (own == NULL || measured == NULL || stretches == NULL) {
        return no_room(ev, e);
    }
    choose_series(ev, own);
    mark_measured(ev, measured);
    uint32_t count = cut_windows(ev, stretches);
    for (uint32_t n = 0; n < ev->node_count; n++) {
        bool told = own[n].of[METRIC_LATENCY] != MAP_NONE || own[n].of[METRIC_ERRORS] != MAP_NONE ||
                    own[n].of[METRIC_ERROR_SHARE] != MAP_NONE || own[n].of[METRIC_AVAILABILITY] != MAP_NONE;
        for (uint32_t w = 0; told && !measured[n] && w < count; w++) {
            struct sum sum = {0};
            for (uint32_t i = stretches[w].from; i < stretches[w].until; i++) {
                add_sample(ev, &own[n], i, &sum);
            }
            end_window(ev, n, stretches[w].window, &sum);
        }
    }
    return RC_OK;
}

/* --- keys and ties ------------------------------------------------------------------------------ */

/* The number of a pair, in order of first sight. */
static enum rc number_pair(struct idmap *map, uint64_t pair, uint32_t *count, uint32_t *ret)
{
    *ret = idmap_get(map, pair);
    if (*ret != MAP_NONE) {
        return RC_OK;
    }
    *ret = (*count)++;
    return idmap_put(map, pair, *ret);
}

static enum rc give_keys(struct evidence *ev, struct err *e)
{
    struct idmap pairs;
    struct idmap keys;
    struct idmap logs;
    idmap_init(&pairs, 4);
    idmap_init(&keys, 5);
    idmap_init(&logs, 6);
    uint32_t pair_count = 0;
    enum rc rc = RC_OK;
    for (uint32_t i = 0; rc == RC_OK && i < ev->call_count; i++) {
        struct call *c = &ev->calls[i];
        uint32_t pair = 0;
        rc = number_pair(&pairs, (uint64_t)c->caller << 32 | c->callee, &pair_count, &pair);
        rc = rc == RC_OK ? number_pair(&keys, (uint64_t)pair << 32 | c->operation, &ev->key_count, &c->key) : rc;
    }
    for (uint32_t i = 0; rc == RC_OK && i < ev->log_count; i++) {
        struct log_count *l = &ev->logs[i];
        rc = number_pair(&logs, (uint64_t)l->node << 32 | l->template_id, &ev->log_key_count, &l->key);
    }
    idmap_done(&pairs);
    idmap_done(&keys);
    idmap_done(&logs);
    return rc == RC_OK ? RC_OK : err_set(e, rc, "out of memory");
}

/* Who was seen calling is tied to whom it called; who only calls and stands in no graph is outside. */
static enum rc tie_callers(struct evidence *ev, struct err *e)
{
    bool *called = arena_array(ev->arena, ev->node_count + 1U, sizeof *called);
    bool *calls = arena_array(ev->arena, ev->node_count + 1U, sizeof *calls);
    if (called == NULL || calls == NULL) {
        return no_room(ev, e);
    }
    for (uint32_t i = 0; i < ev->call_count; i++) {
        const struct call *c = &ev->calls[i];
        called[c->callee] = true;
        if (c->caller != MAP_NONE) {
            calls[c->caller] = true;
            evidence_tie(ev, c->callee, c->caller, STR("calls"), true);
        }
    }
    for (uint32_t n = 0; n < ev->node_count; n++) {
        ev->nodes[n].outside |= calls[n] && !called[n] && !ev->nodes[n].in_graph;
    }
    return RC_OK;
}

enum rc evidence_settle(struct evidence *ev, struct err *e)
{
    enum rc rc = ev->err.rc;
    must(!ev->settled);
    ev->settled = true;
    if (rc != RC_OK) {
        return err_set(e, rc, "%s", ev->err.text);
    }
    uint32_t *position = NULL;
    rc = order_samples(ev, &position, e);
    if (rc == RC_OK && position != NULL) {
        rc = lay_out(ev, position, e);
    }
    if (rc == RC_OK) {
        mend_shares(ev);
        rc = calls_of_series(ev, e);
    }
    if (rc == RC_OK) {
        rc = give_keys(ev, e);
    }
    if (rc == RC_OK) {
        rc = tie_callers(ev, e);
    }
    return rc == RC_OK && ev->err.rc != RC_OK ? err_set(e, ev->err.rc, "%s", ev->err.text) : rc;
}
