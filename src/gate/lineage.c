/*
 * gate/lineage - what an auditor will ask for must be there before a change: the user's intent, a plan, and the
 * contexts the agent acted on. Tool, parameters, target and policy version are there by themselves; output and
 * validation come later.
 */
#include "gate/checks.h"

void check_lineage(const struct check_input *in, struct finding *ret)
{
    if (by_human(in)) {
        finding_not_applicable(CHECK_LINEAGE, ret);
        return;
    }
    const struct request *q = in->request;
    if (only_reads(in)) {
        finding_allow(CHECK_LINEAGE, ret);
        return;
    }
    const char *lacks = q->intent.len == 0      ? "user intent"
                        : q->plan == NULL       ? "plan"
                        : q->contexts == NULL   ? "retrieved contexts"
                        : q->target.len == 0    ? "target"
                                                : NULL;
    if (lacks == NULL) {
        finding_allow(CHECK_LINEAGE, ret);
        return;
    }
    finding_block(CHECK_LINEAGE, (enum verdict)in->thresholds->at[LINEAGE_ON_BLOCK], REASON_LINEAGE_INCOMPLETE,
                  str_from(lacks), ret);
}
