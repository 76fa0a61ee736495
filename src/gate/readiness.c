/*
 * gate/readiness - may agents change these services at all? Source: reference metrics "Readiness".
 */
#include "gate/checks.h"

struct finding check_readiness(const struct check_input *in)
{
    if (by_human(in)) {
        return finding_not_applicable(CHECK_READINESS);
    }
    const struct facts *f = in->facts;
    if (only_reads(in) || f->gaps == 0) {
        return finding_allow(CHECK_READINESS);
    }
    struct finding finding = finding_block(CHECK_READINESS, (enum verdict)in->thresholds->at[READINESS_ON_BLOCK],
                                           REASON_NOT_READY, f->gap_service);
    finding.value = f->gaps;
    return finding;
}
