/*
 * gate/freeze - code freezes from the policy, deploys in flight from events.
 *
 * Holds a write until the freeze ends, denies a destructive action. A deploy that never ended is
 * unknown after its time limit.
 */
#include "gate/checks.h"

/* A deploy's end is not known: ask again soon. */
#define DEPLOY_RETRY_MS 30000

static enum verdict frozen_verdict(const struct check_input *in)
{
    bool destructive = in->request->tool != NULL && in->request->tool->class == TOOL_DESTRUCTIVE;
    return (enum verdict)in->thresholds->at[destructive ? FREEZE_ON_DESTRUCTIVE : FREEZE_ON_WRITE];
}

static void of_freeze(const struct check_input *in, const struct freeze_fact *f, struct finding *ret)
{
    finding_block(CHECK_FREEZE, frozen_verdict(in), REASON_CODE_FREEZE, f->freeze, ret);
    ret->release_ms = f->until_ms;
}

static void of_deploy(const struct check_input *in, const struct deploy_fact *d, struct finding *ret)
{
    bool lost = in->now_ms - d->since_ms >= in->thresholds->at[FREEZE_DEPLOY_TIMEOUT_MS];
    finding_block(CHECK_FREEZE, lost ? (enum verdict)in->thresholds->at[FREEZE_ON_UNKNOWN] : frozen_verdict(in),
                  lost ? REASON_DEPLOY_UNKNOWN : REASON_DEPLOY_IN_FLIGHT, d->service, ret);
    ret->unknown = lost;
    ret->release_ms = in->now_ms + DEPLOY_RETRY_MS;
}

/* The stricter one; of equals the one that lasts longer. */
static void take_stricter(const struct finding *other, struct finding *worst)
{
    if (other->verdict < worst->verdict ||
        (other->verdict == worst->verdict && other->release_ms > worst->release_ms)) {
        *worst = *other;
    }
}

void check_freeze(const struct check_input *in, struct finding *ret)
{
    struct finding f;
    if (only_reads(in)) {
        finding_not_applicable(CHECK_FREEZE, ret);
        return;
    }
    finding_allow(CHECK_FREEZE, ret);
    for (unsigned i = 0; i < in->facts->freeze_count; i++) {
        of_freeze(in, &in->facts->freezes[i], &f);
        take_stricter(&f, ret);
    }
    for (unsigned i = 0; i < in->facts->deploy_count; i++) {
        of_deploy(in, &in->facts->deploys[i], &f);
        take_stricter(&f, ret);
    }
}
