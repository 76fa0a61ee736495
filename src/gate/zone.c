/*
 * gate/zone - the network boundary: one action stays in one trust zone, and in the agent's, unless an exception
 * with a name lets it across.
 */
#include "gate/checks.h"

void check_zone(const struct check_input *in, struct finding *ret)
{
    const struct facts *f = in->facts;
    bool crosses = f->zone_count > 1;
    if (!crosses && !f->zone_outside) {
        finding_allow(CHECK_ZONE, ret);
        return;
    }
    if (f->zone_exception.len > 0) {
        finding_allow(CHECK_ZONE, ret);
        ret->reason = REASON_ZONE_EXCEPTED;
        ret->subject = f->zone_exception;
        return;
    }
    finding_block(CHECK_ZONE, (enum verdict)in->thresholds->at[ZONE_ON_BLOCK],
                  crosses ? REASON_ZONE_CROSSED : REASON_ZONE_OUTSIDE, f->zones[f->zone_count - 1], ret);
}
