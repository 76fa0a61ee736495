/*
 * gate/budgets - what is left of error budgets, and which of many a decision keeps.
 */
#include "gate/gather.h"

static void budget_from_events(const struct world_service *s, int64_t now_ms, struct budget_fact *b)
{
    b->source = STR("events");
    b->age_ms = s->sli == NULL ? -1 : now_ms - s->sli_at_ms;
    if (s->sli == NULL) {
        b->reason = STR("no event yet");
        return;
    }
    struct window_bucket sum = window_sum(s->sli, now_ms, s->def->slo.window_ms);
    if (sum.total == 0) {
        b->state = SIGNAL_NO_TRAFFIC;
        b->remaining_ppm = PPM_ONE;
        return;
    }
    if (budget_from_counts(s->def->slo.objective_ppm, (double)sum.good, (double)sum.total,
                           &b->remaining_ppm, NULL) == RC_OK) {
        b->state = SIGNAL_KNOWN;
    }
}

static void budget_from_poll(const struct gate_input *in, uint32_t service, struct budget_fact *b)
{
    b->source = STR("prometheus");
    b->reason = STR("not polled yet");
    if (service >= in->signals->count) {
        return;
    }
    const struct budget_signal *s = &in->signals->budgets[service];
    if (s->at_ms > 0) {
        b->age_ms = in->now_ms - s->at_ms;
        b->state = s->state;
        b->remaining_ppm = s->remaining_ppm;
        b->reason = str_from(s->reason);
    }
}

static bool is_known(const struct budget_fact *b)
{
    return b->state == SIGNAL_KNOWN || b->state == SIGNAL_NO_TRAFFIC;
}

struct budget_fact budget_of(const struct gate_input *in, uint32_t service, bool dependant, int64_t max_age_ms)
{
    const struct world_service *s = world_service_at(in->world, service);
    struct budget_fact b = {.service = str_from(s->name), .age_ms = -1, .dependant = dependant};
    if (s->def == NULL || !s->def->has_slo) {
        b.state = SIGNAL_NO_SLO;
        return b;
    }
    if (s->def->slo.source == SLO_EVENTS) {
        budget_from_events(s, in->now_ms, &b);
    } else {
        budget_from_poll(in, service, &b);
    }
    bool measured = is_known(&b);
    /* Younger than zero is a clock that went back: as little to be trusted as one that is old. */
    if (measured && (b.age_ms > max_age_ms || b.age_ms < -max_age_ms)) {
        b.state = SIGNAL_STALE;
    }
    return b;
}

struct budget_fact gate_budget(const struct world *w, const struct policy *p, const struct signals *s, uint32_t service,
                               int64_t now_ms)
{
    struct gate_input in = {.world = w, .policy = p, .signals = s, .now_ms = now_ms};
    return budget_of(&in, service, false, p->thresholds.at[BUDGET_MAX_AGE_MS]);
}

/* How little a budget matters to the decision: what is unknown most, then the lower. */
static int64_t weight(const struct budget_fact *b, bool requires_slo)
{
    if (is_known(b)) {
        return b->remaining_ppm;
    }
    bool counts = b->state != SIGNAL_NO_SLO || !b->dependant || requires_slo;
    return counts ? INT64_MIN + 1 : INT64_MAX;
}

static unsigned lowest_known(const struct facts *f)
{
    unsigned lowest = FACT_BUDGETS_MAX;
    for (unsigned i = 0; i < f->budget_count; i++) {
        if (is_known(&f->budgets[i]) && (lowest == FACT_BUDGETS_MAX || f->budgets[i].remaining_ppm <
                                                                          f->budgets[lowest].remaining_ppm)) {
            lowest = i;
        }
    }
    return lowest;
}

/* Keeps the list at its limit by letting the one that matters least go. The lowest that is known stays
 * among any number of unknown ones: low may be stricter than unknown. */
void keep_budget(struct facts *f, struct budget_fact b, bool requires_slo)
{
    f->budgets_seen++;
    if (f->budget_count < FACT_BUDGETS_MAX) {
        f->budgets[f->budget_count++] = b;
        return;
    }
    unsigned lowest = lowest_known(f);
    bool is_lowest = is_known(&b) && (lowest == FACT_BUDGETS_MAX ||
                                      b.remaining_ppm < f->budgets[lowest].remaining_ppm);
    unsigned least = FACT_BUDGETS_MAX;
    for (unsigned i = 0; i < FACT_BUDGETS_MAX; i++) {
        bool stays = i == lowest && !is_lowest;
        if (!stays && (least == FACT_BUDGETS_MAX || weight(&f->budgets[i], requires_slo) >=
                                                        weight(&f->budgets[least], requires_slo))) {
            least = i;
        }
    }
    if (is_lowest || weight(&b, requires_slo) < weight(&f->budgets[least], requires_slo)) {
        f->budgets[least] = b;
    }
}
