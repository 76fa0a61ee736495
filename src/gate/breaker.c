/*
 * gate/breaker - an agent that fails, or is denied, again and again is cut off for a while.
 */
#include "gate/checks.h"

void check_breaker(const struct check_input *in, struct finding *ret)
{
    const struct facts *f = in->facts;
    if (f->breaker == BREAKER_OPEN) {
        finding_block(CHECK_BREAKER, (enum verdict)in->thresholds->at[BREAKER_ON_BLOCK], REASON_BREAKER_OPEN,
                      f->breaker_cause, ret);
        ret->release_ms = ret->verdict == VERDICT_HOLD ? f->breaker_until_ms : 0;
        return;
    }
    /* Half-open lets one change through at a time. */
    if (f->breaker == BREAKER_HALF_OPEN && f->probing && !only_reads(in)) {
        finding_block(CHECK_BREAKER, VERDICT_HOLD, REASON_BREAKER_PROBING, STR(""), ret);
        return;
    }
    finding_allow(CHECK_BREAKER, ret);
}
