/*
 * gate/drift - what the agent does against what it declared to do: tools, targets, surfaces, hours, rate.
 */
#include "gate/checks.h"

/* The first surface that it did not declare; empty: none. */
static struct str undeclared_surface(const struct check_input *in)
{
    const struct str_list *declared = &in->agent->behaviour.surfaces;
    struct str surface;
    for (uint32_t i = 0; declared->count > 0 && surface_at(in, i, &surface); i++) {
        if (!any_glob(declared, surface)) {
            return surface;
        }
    }
    return STR("");
}

static enum reason deviation(const struct check_input *in)
{
    const struct behaviour *b = &in->agent->behaviour;
    const struct request *q = in->request;
    int64_t of_day = in->now_ms % DAY_MS;
    bool timed = b->from_ms != 0 || b->until_ms != 0;
    bool over_midnight = b->from_ms > b->until_ms;
    bool inside = over_midnight ? of_day >= b->from_ms || of_day < b->until_ms
                                : of_day >= b->from_ms && of_day < b->until_ms;
    if (b->tools.count > 0 && q->tool != NULL && !any_glob(&b->tools, q->tool->name)) {
        return REASON_DRIFT_TOOL;
    }
    if (b->targets.count > 0 && !any_glob(&b->targets, q->target)) {
        return REASON_DRIFT_TARGET;
    }
    if (undeclared_surface(in).len > 0) {
        return REASON_DRIFT_SURFACE;
    }
    if (timed && !inside) {
        return REASON_DRIFT_HOURS;
    }
    return b->per_hour > 0 && in->facts->hour_count >= b->per_hour ? REASON_DRIFT_RATE : REASON_NONE;
}

void check_drift(const struct check_input *in, struct finding *ret)
{
    enum reason reason = in->agent == NULL ? REASON_NONE : deviation(in);
    if (reason == REASON_NONE) {
        finding_allow(CHECK_DRIFT, ret);
        return;
    }
    finding_block(CHECK_DRIFT, (enum verdict)in->thresholds->at[DRIFT_ON_BLOCK], reason, in->request->agent, ret);
    if (reason == REASON_DRIFT_SURFACE) {
        ret->subject = undeclared_surface(in);
    }
    if (reason == REASON_DRIFT_RATE) {
        ret->value = in->facts->hour_count;
        ret->threshold = in->agent->behaviour.per_hour;
    }
}
