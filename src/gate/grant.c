/*
 * gate/grant - where grants are required, a change needs one in force: scoped, time-bound, revocable.
 */
#include "gate/checks.h"

struct finding check_grant(const struct check_input *in)
{
    if (by_human(in)) {
        return finding_not_applicable(CHECK_GRANT);
    }
    if (only_reads(in) || in->facts->grant != 0) {
        return finding_allow(CHECK_GRANT);
    }
    return finding_block(CHECK_GRANT, (enum verdict)in->thresholds->at[GRANT_ON_BLOCK], REASON_NO_GRANT, STR(""));
}
