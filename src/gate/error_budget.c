/*
 * gate/error_budget - check 1 of the Pre-Action SRE Gate: headroom.
 *
 * An agent must not spend a budget that is already critically low. The lowest remaining budget over the
 * target and those that call it counts. A budget that is not known, or older than its freshness limit,
 * is treated as the policy says for unknowns, never as headroom. A dependant without SLO is listed and
 * does not count, unless the policy requires one.
 */
#include "gate/checks.h"

static bool counts(const struct check_input *in, const struct budget_fact *b)
{
    bool lax = b->dependant && in->thresholds->at[BUDGET_REQUIRE_SLO] == 0;
    return b->state != SIGNAL_NO_SLO || !lax;
}

static enum reason unknown_reason(enum signal_state s)
{
    return s == SIGNAL_STALE ? REASON_BUDGET_STALE : s == SIGNAL_NO_SLO ? REASON_NO_SLO : REASON_BUDGET_UNKNOWN;
}

static void unknown(const struct check_input *in, enum reason reason, struct str subject, struct finding *ret)
{
    finding_block(CHECK_ERROR_BUDGET, (enum verdict)in->thresholds->at[BUDGET_ON_UNKNOWN], reason, subject, ret);
    ret->unknown = true;
    ret->threshold = in->thresholds->at[BUDGET_MIN_PPM];
}

static void of_lowest(const struct check_input *in, const struct budget_fact *lowest, struct finding *ret)
{
    int64_t min = in->thresholds->at[BUDGET_MIN_PPM];
    finding_allow(CHECK_ERROR_BUDGET, ret);
    ret->subject = lowest->service;
    ret->value = lowest->remaining_ppm;
    ret->threshold = min;
    if (lowest->remaining_ppm < min) {
        ret->verdict = (enum verdict)in->thresholds->at[BUDGET_ON_BLOCK];
        ret->reason = REASON_BUDGET_LOW;
    } else if (lowest->state == SIGNAL_NO_TRAFFIC) {
        ret->reason = REASON_NO_TRAFFIC;
    }
}

void check_error_budget(const struct check_input *in, struct finding *ret)
{
    if (only_reads(in)) {
        finding_not_applicable(CHECK_ERROR_BUDGET, ret);
        return;
    }
    const struct budget_fact *lowest = NULL;
    const struct budget_fact *blind = NULL;
    for (unsigned i = 0; i < in->facts->budget_count; i++) {
        const struct budget_fact *b = &in->facts->budgets[i];
        bool known = b->state == SIGNAL_KNOWN || b->state == SIGNAL_NO_TRAFFIC;
        if (known && (lowest == NULL || b->remaining_ppm < lowest->remaining_ppm)) {
            lowest = b;
        } else if (!known && blind == NULL && counts(in, b)) {
            blind = b;
        }
    }
    if (lowest == NULL && blind == NULL) {
        unknown(in, REASON_NO_SLO, STR("the target"), ret);
        return;
    }
    if (lowest != NULL) {
        of_lowest(in, lowest, ret);
    }
    if (blind != NULL && (lowest == NULL || (enum verdict)in->thresholds->at[BUDGET_ON_UNKNOWN] < ret->verdict)) {
        unknown(in, unknown_reason(blind->state), blind->service, ret);
    }
}
