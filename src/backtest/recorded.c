/*
 * backtest/recorded - what an entry says that was measured and answered, given back to the gate as its input.
 */
#include "backtest/backtest_internal.h"

#include "base/must.h"

#include <stdlib.h>
#include <string.h>

void recorded_init(struct recorded *r)
{
    memset(r, 0, sizeof *r);
    signals_init(&r->signals);
}

void recorded_done(struct recorded *r)
{
    signals_done(&r->signals);
    free(r->at);
    free(r->used);
}

/* --- budgets ------------------------------------------------------------------------------------------------------ */

static enum rc make_room(struct recorded *r, uint32_t services, struct err *e)
{
    if (services <= r->capacity) {
        return RC_OK;
    }
    uint32_t capacity = services + 64;
    uint64_t *at = realloc(r->at, capacity * sizeof *at);
    r->at = at != NULL ? at : r->at;
    uint32_t *used = realloc(r->used, capacity * sizeof *used);
    r->used = used != NULL ? used : r->used;
    if (at == NULL || used == NULL || signals_budget(&r->signals, capacity - 1) == NULL) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    for (uint32_t i = r->capacity; i < capacity; i++) {
        at[i] = UINT64_MAX;
    }
    r->capacity = capacity;
    return RC_OK;
}

static struct budget_signal *use(struct recorded *r, uint32_t service, uint64_t seq)
{
    if (r->at[service] != seq) {
        r->at[service] = seq;
        r->used[r->used_count++] = service;
    }
    return &r->signals.budgets[service];
}

static void forget(struct recorded *r)
{
    for (uint32_t i = 0; i < r->used_count; i++) {
        memset(&r->signals.budgets[r->used[i]], 0, sizeof *r->signals.budgets);
    }
    r->used_count = 0;
}

/* [service, state, remaining_ppm, age_ms, source, dependant, reason]; stale is what age makes of it. */
static enum rc take_budget(struct recorded *r, const struct world *w, const struct stored *s, const struct value *row,
                           struct err *e)
{
    uint32_t at = world_service_find(w, value_text(value_item(row, 0)));
    int64_t age_ms = value_integer_or(value_item(row, 3), -1);
    enum signal_state state;
    if (!signal_state_parse(value_text(value_item(row, 1)), &state)) {
        return err_set(e, RC_CORRUPT, "entry %llu: a recorded budget has no state", (unsigned long long)s->seq);
    }
    if (at == MAP_NONE || !str_eq(value_text(value_item(row, 4)), STR("prometheus"))) {
        return RC_OK; /* what was fed by events is in the world */
    }
    struct budget_signal *b = use(r, at, s->seq);
    struct str reason = value_text(value_item(row, 6));
    *b = (struct budget_signal){
        .state = state == SIGNAL_STALE ? SIGNAL_KNOWN : state,
        .remaining_ppm = value_integer_or(value_item(row, 2), 0),
        .at_ms = age_ms == -1 ? 0 : s->entry.time_ms - age_ms,
    };
    if (reason.len > 0) {
        memcpy(b->reason, reason.ptr, reason.len < sizeof b->reason ? reason.len : sizeof b->reason - 1);
    }
    return RC_OK;
}

static enum rc take_list(struct recorded *r, const struct world *w, const struct stored *s, const struct value *list,
                         struct err *e)
{
    enum rc rc = RC_OK;
    for (uint32_t i = 0; rc == RC_OK && value_item(list, i) != NULL; i++) {
        rc = take_budget(r, w, s, value_item(list, i), e);
    }
    return rc;
}

enum rc recorded_take(struct recorded *r, const struct world *w, const struct stored *s, const struct value *facts,
                      struct err *e)
{
    const struct value *budgets = value_get(facts, STR("budgets"));
    forget(r);
    enum rc rc = make_room(r, world_service_count(w), e);
    r->signals.clock_ok = value_bool_or(value_get(facts, STR("clock_ok")), true);
    rc = rc == RC_OK ? take_list(r, w, s, budgets, e) : rc;
    rc = rc == RC_OK ? take_list(r, w, s, value_get(facts, STR("upstream")), e) : rc;
    r->cut = budgets != NULL && value_integer_or(value_get(facts, STR("budgets_seen")), 0) > (int64_t)budgets->count;
    return rc;
}

static void fill_one(struct recorded *r, uint32_t service, const struct stored *s)
{
    if (r->at[service] != s->seq) {
        *use(r, service, s->seq) =
            (struct budget_signal){.state = SIGNAL_KNOWN, .remaining_ppm = PPM_ONE, .at_ms = s->entry.time_ms};
    }
}

void recorded_fill(struct recorded *r, const struct world *w, const struct request *q, const struct stored *s)
{
    if (!r->cut) {
        return;
    }
    const struct impact hurt = world_impact(w, q->services, q->service_count, UINT32_MAX);
    for (uint32_t i = 0; i < hurt.count; i++) {
        uint32_t service = world_service_of_node(w, hurt.nodes[i]);
        if (service != MAP_NONE) {
            fill_one(r, service, s);
        }
    }
}

bool recorded_lacks(const struct recorded *r, const struct world *w, const struct other *o, const struct budget_fact *all,
                    unsigned count, uint64_t seq)
{
    for (unsigned i = 0; i < count; i++) {
        if (all[i].state == SIGNAL_NO_SLO) {
            continue;
        }
        uint32_t at = world_service_find(w, all[i].service);
        must(at != MAP_NONE && at < r->capacity);
        bool differs = at < o->service_count && o->slo_differs[at];
        const struct world_service *s = world_service_at(w, at);
        bool polled = s->def->slo.source != SLO_EVENTS;
        /* Events are counted whatever the objective; but nobody sent any to a service that was polled. */
        if (polled ? differs || r->at[at] != seq : differs && s->sli == NULL) {
            return true;
        }
    }
    return false;
}

/* --- answers ------------------------------------------------------------------------------------------------------ */

static const struct value *row_of(const struct value *facts, struct str name)
{
    const struct value *rows = value_get(facts, STR("validators"));
    for (uint32_t i = 0; value_item(rows, i) != NULL; i++) {
        if (str_eq(value_text(value_item(value_item(rows, i), 0)), name)) {
            return value_item(rows, i);
        }
    }
    return NULL;
}

static uint32_t validator_index(const struct policy *p, const struct validator *v)
{
    return (uint32_t)(v - p->validators);
}

bool recorded_answers(struct recorded *r, const struct gate_input *in, const struct other *o, const struct value *facts)
{
    bool whole = true;
    gate_questions(in, &r->round);
    for (uint32_t i = 0; i < r->round.count; i++) {
        const struct validator *of = r->round.questions[i].of;
        const struct value *row = o->asked_the_same[validator_index(in->policy, of)] ? row_of(facts, of->name) : NULL;
        struct validator_fact *fact = &r->round.answers[i];
        fact->answer = ANSWER_NONE;
        if (row != NULL && validator_answer_parse(value_text(value_item(row, 1)), &fact->answer)) {
            fact->took_ms = value_integer_or(value_item(row, 2), 0);
            fact->text = value_text(value_item(row, 3));
        }
        whole = whole && (fact->answer != ANSWER_NONE || of->mode != MODE_ENFORCE);
    }
    r->round.answered = true;
    return whole;
}
