#include "model/decision.h"

#include "base/must.h"


#define NAME(literal) {literal, sizeof(literal) - 1}

static const struct str reasons[REASON_COUNT] = {
    [REASON_NONE] = NAME("none"),
    [REASON_UNKNOWN_AGENT] = NAME("unknown_agent"),
    [REASON_SUSPENDED] = NAME("suspended"),
    [REASON_REMOVED] = NAME("removed"),
    [REASON_NOT_PERMITTED] = NAME("not_permitted"),
    [REASON_CLOCK_JUMPED] = NAME("clock_jumped"),
    [REASON_STOPPED] = NAME("stopped"),
    [REASON_PAUSED] = NAME("paused"),
    [REASON_SHELL] = NAME("shell"),
    [REASON_AMBIGUOUS] = NAME("ambiguous"),
    [REASON_CLAIM_MISMATCH] = NAME("claim_mismatch"),
    [REASON_BAD_PARAMETERS] = NAME("bad_parameters"),
    [REASON_UNKNOWN_SERVICE] = NAME("unknown_service"),
    [REASON_PENDING_LIMIT] = NAME("pending_limit"),
    [REASON_ASKED_FOR_PERSON] = NAME("asked_for_person"),
    [REASON_CODE_FREEZE] = NAME("code_freeze"),
    [REASON_DEPLOY_IN_FLIGHT] = NAME("deploy_in_flight"),
    [REASON_DEPLOY_UNKNOWN] = NAME("deploy_unknown"),
    [REASON_BUDGET_LOW] = NAME("budget_low"),
    [REASON_BUDGET_UNKNOWN] = NAME("budget_unknown"),
    [REASON_BUDGET_STALE] = NAME("budget_stale"),
    [REASON_NO_SLO] = NAME("no_slo"),
    [REASON_NO_TRAFFIC] = NAME("no_traffic"),
    [REASON_QUEUE_DEEP] = NAME("queue_deep"),
    [REASON_QUEUE_DRIFT] = NAME("queue_drift"),
    [REASON_QUEUE_UNKNOWN] = NAME("queue_unknown"),
    [REASON_HER_HIGH] = NAME("her_high"),
    [REASON_HER_UNKNOWN] = NAME("her_unknown"),
    [REASON_INSUFFICIENT_SAMPLE] = NAME("insufficient_sample"),
    [REASON_NOT_APPLICABLE] = NAME("not_applicable"),
    [REASON_OFF] = NAME("off"),
};

const char *reason_name(enum reason r)
{
    return reason_str(r).ptr;
}

struct str reason_str(enum reason r)
{
    must((unsigned)r < REASON_COUNT);
    return reasons[r];
}

bool reason_parse(struct str name, enum reason *ret)
{
    for (unsigned i = 0; i < REASON_COUNT; i++) {
        if (str_eq(name, reasons[i])) {
            *ret = (enum reason)i;
            return true;
        }
    }
    return false;
}
