/*
 * gate/tier - the trust ladder: what an agent may do on these services by itself.
 *
 * read_only denies changes; shadow records them and runs none; supervised asks a person for what destroys (and,
 * where the policy says so, for every change); autonomous adds nothing.
 */
#include "gate/checks.h"

struct finding check_tier(const struct check_input *in)
{
    if (only_reads(in) || in->request->tool == NULL) {
        return finding_allow(CHECK_TIER);
    }
    bool destroys = in->request->tool->class == TOOL_DESTRUCTIVE;
    bool every_write = in->thresholds->at[TIER_SUPERVISED_WRITE] != 0;
    struct finding f = finding_allow(CHECK_TIER);
    f.value = in->facts->tier;
    switch (in->facts->tier) {
    case TIER_READ_ONLY:
        f.verdict = VERDICT_DENY;
        f.reason = REASON_TIER_READ_ONLY;
        break;
    case TIER_SHADOW:
        f.verdict = VERDICT_ADVISE;
        f.reason = REASON_TIER_SHADOW;
        break;
    case TIER_DEFAULT:
    case TIER_SUPERVISED:
        if (destroys || every_write) {
            f.verdict = VERDICT_ESCALATE;
            f.reason = REASON_TIER_SUPERVISED;
        }
        break;
    case TIER_AUTONOMOUS:
        break;
    }
    return f;
}
