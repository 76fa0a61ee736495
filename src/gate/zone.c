/*
 * gate/zone - the network boundary: one action stays in one trust zone, and in the agent's, unless an exception
 * with a name lets it across.
 */
#include "gate/checks.h"

struct finding check_zone(const struct check_input *in)
{
    const struct facts *f = in->facts;
    bool crosses = f->zone_count > 1;
    if (!crosses && !f->zone_outside) {
        return finding_allow(CHECK_ZONE);
    }
    if (f->zone_exception.len > 0) {
        struct finding excepted = finding_allow(CHECK_ZONE);
        excepted.reason = REASON_ZONE_EXCEPTED;
        excepted.subject = f->zone_exception;
        return excepted;
    }
    return finding_block(CHECK_ZONE, (enum verdict)in->thresholds->at[ZONE_ON_BLOCK],
                         crosses ? REASON_ZONE_CROSSED : REASON_ZONE_OUTSIDE, f->zones[f->zone_count - 1]);
}
