/*
 * gate/grant - where grants are required, a change needs one in force: scoped, time-bound, revocable.
 */
#include "gate/checks.h"

void check_grant(const struct check_input *in, struct finding *ret)
{
    if (by_human(in)) {
        finding_not_applicable(CHECK_GRANT, ret);
        return;
    }
    if (only_reads(in) || in->facts->grant != 0) {
        finding_allow(CHECK_GRANT, ret);
        return;
    }
    finding_block(CHECK_GRANT, (enum verdict)in->thresholds->at[GRANT_ON_BLOCK], REASON_NO_GRANT, STR(""), ret);
}
