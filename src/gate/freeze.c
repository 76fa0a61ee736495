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

static struct finding of_freeze(const struct check_input *in, const struct freeze_fact *f)
{
    struct finding finding =
        finding_block(CHECK_FREEZE, frozen_verdict(in), REASON_CODE_FREEZE, f->freeze);
    finding.release_ms = f->until_ms;
    return finding;
}

static struct finding of_deploy(const struct check_input *in, const struct deploy_fact *d)
{
    bool lost = in->now_ms - d->since_ms >= in->thresholds->at[FREEZE_DEPLOY_TIMEOUT_MS];
    struct finding finding = finding_block(
        CHECK_FREEZE, lost ? (enum verdict)in->thresholds->at[FREEZE_ON_UNKNOWN] : frozen_verdict(in),
        lost ? REASON_DEPLOY_UNKNOWN : REASON_DEPLOY_IN_FLIGHT, d->service);
    finding.unknown = lost;
    finding.release_ms = in->now_ms + DEPLOY_RETRY_MS;
    return finding;
}

/* The stricter one; of equals the one that lasts longer. */
static struct finding stricter(struct finding a, struct finding b)
{
    if (a.verdict != b.verdict) {
        return a.verdict < b.verdict ? a : b;
    }
    return b.release_ms > a.release_ms ? b : a;
}

struct finding check_freeze(const struct check_input *in)
{
    struct finding worst = finding_allow(CHECK_FREEZE);
    if (only_reads(in)) {
        worst.reason = REASON_NOT_APPLICABLE;
        return worst;
    }
    for (unsigned i = 0; i < in->facts->freeze_count; i++) {
        worst = stricter(worst, of_freeze(in, &in->facts->freezes[i]));
    }
    for (unsigned i = 0; i < in->facts->deploy_count; i++) {
        worst = stricter(worst, of_deploy(in, &in->facts->deploys[i]));
    }
    return worst;
}
