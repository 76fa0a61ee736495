/*
 * gate/readiness - may agents change these services at all? Source: reference metrics "Readiness".
 */
#include "gate/checks.h"

void check_readiness(const struct check_input *in, struct finding *ret)
{
    if (by_human(in)) {
        finding_not_applicable(CHECK_READINESS, ret);
        return;
    }
    const struct facts *f = in->facts;
    if (only_reads(in) || f->gaps == 0) {
        finding_allow(CHECK_READINESS, ret);
        return;
    }
    finding_block(CHECK_READINESS, (enum verdict)in->thresholds->at[READINESS_ON_BLOCK], REASON_NOT_READY,
                  f->gap_service, ret);
    ret->value = f->gaps;
}
