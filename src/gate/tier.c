/*
 * gate/tier - the trust ladder: what an agent may do on these services by itself.
 *
 * read_only denies changes; shadow records them and runs none; supervised asks a person for what destroys (and,
 * where the policy says so, for every change); autonomous adds nothing.
 */
#include "gate/checks.h"

/*
 * Another model or prompt than the registered one is another mind: one rung lower until it is registered. One that
 * only says of itself what it is may be capped.
 */
enum tier effective_tier(const struct check_input *in)
{
    enum tier t = in->facts->tier;
    bool capped = in->thresholds->at[TIER_ASSERTED_CAP] != 0 && in->facts->identity != IDENTITY_ATTESTED;
    if (capped && t > TIER_SUPERVISED) {
        t = TIER_SUPERVISED;
    }
    if (!in->facts->rung_dropped) {
        return t;
    }
    t = t == TIER_DEFAULT ? TIER_SUPERVISED : t;
    return t > TIER_READ_ONLY ? (enum tier)(t - 1) : t;
}

void check_tier(const struct check_input *in, struct finding *ret)
{
    if (by_human(in)) {
        finding_not_applicable(CHECK_TIER, ret);
        return;
    }
    if (only_reads(in) || in->request->tool == NULL) {
        finding_allow(CHECK_TIER, ret);
        return;
    }
    bool destroys = in->request->tool->class == TOOL_DESTRUCTIVE;
    bool every_write = in->thresholds->at[TIER_SUPERVISED_WRITE] != 0;
    finding_allow(CHECK_TIER, ret);
    enum tier tier = effective_tier(in);
    ret->value = tier;
    switch (tier) {
    case TIER_READ_ONLY:
        ret->verdict = VERDICT_DENY;
        ret->reason = REASON_TIER_READ_ONLY;
        break;
    case TIER_SHADOW:
        ret->verdict = VERDICT_ADVISE;
        ret->reason = REASON_TIER_SHADOW;
        break;
    case TIER_DEFAULT:
    case TIER_SUPERVISED:
        if (destroys || every_write) {
            ret->verdict = VERDICT_ESCALATE;
            ret->reason = REASON_TIER_SUPERVISED;
        }
        break;
    case TIER_AUTONOMOUS:
        break;
    }
}
