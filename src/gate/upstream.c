/*
 * gate/upstream - is what the target calls healthy?
 *
 * A change to a service whose dependencies burn is judged by a system that is not itself. Only direct
 * dependencies count, and of those the ones with an SLO.
 */
#include "gate/checks.h"
#include "gate/gather.h"

static bool is_measured(const struct budget_fact *b)
{
    return b->state == SIGNAL_KNOWN || b->state == SIGNAL_NO_TRAFFIC;
}

/* The unknown first, then the lowest: what is kept when there are many. */
static bool is_worse(const struct budget_fact *a, const struct budget_fact *b)
{
    if (is_measured(a) != is_measured(b)) {
        return !is_measured(a);
    }
    return a->remaining_ppm < b->remaining_ppm;
}

static void keep(struct facts *f, struct budget_fact b)
{
    for (unsigned i = 0; i < f->upstream_count; i++) {
        if (str_eq(f->upstream[i].service, b.service)) {
            return;
        }
    }
    if (f->upstream_count < FACT_UPSTREAM_MAX) {
        f->upstream[f->upstream_count++] = b;
        return;
    }
    unsigned best = 0;
    for (unsigned i = 1; i < FACT_UPSTREAM_MAX; i++) {
        best = is_worse(&f->upstream[best], &f->upstream[i]) ? i : best;
    }
    if (is_worse(&b, &f->upstream[best])) {
        f->upstream[best] = b;
    }
}

void gather_upstream(const struct gate_input *in, const struct thresholds *t, struct facts *f)
{
    if (thresholds_mode(t, CHECK_UPSTREAM) == MODE_OFF) {
        return;
    }
    for (uint32_t i = 0; i < in->request->service_count; i++) {
        const struct service_def *def = world_service_at(in->world, in->request->services[i])->def;
        for (uint32_t k = 0; def != NULL && k < def->depends_on.count; k++) {
            uint32_t at = world_service_find(in->world, def->depends_on.items[k]);
            const struct service_def *called = at == MAP_NONE ? NULL : world_service_at(in->world, at)->def;
            if (called != NULL && called->has_slo) {
                keep(f, budget_of(in, at, false, t->at[BUDGET_MAX_AGE_MS]));
            }
        }
    }
}

void check_upstream(const struct check_input *in, struct finding *ret)
{
    const int64_t *t = in->thresholds->at;
    finding_allow(CHECK_UPSTREAM, ret);
    for (unsigned i = 0; i < in->facts->upstream_count && !only_reads(in); i++) {
        const struct budget_fact *b = &in->facts->upstream[i];
        bool known = is_measured(b);
        enum verdict v = (enum verdict)t[known ? UPSTREAM_ON_BLOCK : UPSTREAM_ON_UNKNOWN];
        if ((known && b->remaining_ppm >= t[UPSTREAM_MIN_PPM]) || v >= ret->verdict) {
            continue;
        }
        finding_block(CHECK_UPSTREAM, v, known ? REASON_UPSTREAM_LOW : REASON_UPSTREAM_UNKNOWN, b->service, ret);
        ret->value = known ? b->remaining_ppm : 0;
        ret->threshold = known ? t[UPSTREAM_MIN_PPM] : 0;
        ret->unknown = !known;
    }
}
