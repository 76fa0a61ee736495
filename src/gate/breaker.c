/*
 * gate/breaker - an agent that fails, or is denied, again and again is cut off for a while.
 */
#include "gate/checks.h"

struct finding check_breaker(const struct check_input *in)
{
    const struct facts *f = in->facts;
    if (f->breaker == BREAKER_OPEN) {
        struct finding finding = finding_block(CHECK_BREAKER, (enum verdict)in->thresholds->at[BREAKER_ON_BLOCK],
                                               REASON_BREAKER_OPEN, f->breaker_cause);
        finding.release_ms = finding.verdict == VERDICT_HOLD ? f->breaker_until_ms : 0;
        return finding;
    }
    /* Half-open lets one change through at a time. */
    if (f->breaker == BREAKER_HALF_OPEN && f->probing && !only_reads(in)) {
        return finding_block(CHECK_BREAKER, VERDICT_HOLD, REASON_BREAKER_PROBING, STR(""));
    }
    return finding_allow(CHECK_BREAKER);
}
