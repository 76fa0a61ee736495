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
    [REASON_DRY_RUN] = NAME("dry_run"),
    [REASON_SHELL] = NAME("shell"),
    [REASON_AMBIGUOUS] = NAME("ambiguous"),
    [REASON_CLAIM_MISMATCH] = NAME("claim_mismatch"),
    [REASON_BAD_PARAMETERS] = NAME("bad_parameters"),
    [REASON_UNKNOWN_SERVICE] = NAME("unknown_service"),
    [REASON_NO_PLAN] = NAME("no_plan"),
    [REASON_NO_DIFF] = NAME("no_diff"),
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
    [REASON_BREAKER_OPEN] = NAME("breaker_open"),
    [REASON_BREAKER_PROBING] = NAME("breaker_probing"),
    [REASON_LINEAGE_INCOMPLETE] = NAME("lineage_incomplete"),
    [REASON_TIER_READ_ONLY] = NAME("tier_read_only"),
    [REASON_TIER_SHADOW] = NAME("tier_shadow"),
    [REASON_TIER_SUPERVISED] = NAME("tier_supervised"),
    [REASON_NOT_READY] = NAME("not_ready"),
    [REASON_NO_GRANT] = NAME("no_grant"),
    [REASON_ZONE_CROSSED] = NAME("zone_crossed"),
    [REASON_ZONE_OUTSIDE] = NAME("zone_outside"),
    [REASON_ZONE_EXCEPTED] = NAME("zone_excepted"),
    [REASON_UPSTREAM_LOW] = NAME("upstream_low"),
    [REASON_UPSTREAM_UNKNOWN] = NAME("upstream_unknown"),
    [REASON_ON_CALL_NOBODY] = NAME("on_call_nobody"),
    [REASON_ON_CALL_BUSY] = NAME("on_call_busy"),
    [REASON_ON_CALL_UNKNOWN] = NAME("on_call_unknown"),
    [REASON_BLAST_WIDE] = NAME("blast_wide"),
    [REASON_BLAST_UNKNOWN] = NAME("blast_unknown"),
    [REASON_RATE_AGENT] = NAME("rate_agent"),
    [REASON_RATE_SERVICE] = NAME("rate_service"),
    [REASON_RATE_TOOL] = NAME("rate_tool"),
    [REASON_BUSY] = NAME("busy"),
    [REASON_SURFACE] = NAME("surface"),
    [REASON_SCHEMA_HARM] = NAME("schema_harm"),
    [REASON_SCHEMA_UNKNOWN] = NAME("schema_unknown"),
    [REASON_NO_WAY_BACK] = NAME("no_way_back"),
    [REASON_FAILED_BEFORE] = NAME("failed_before"),
    [REASON_DRIFT_TOOL] = NAME("drift_tool"),
    [REASON_DRIFT_TARGET] = NAME("drift_target"),
    [REASON_DRIFT_SURFACE] = NAME("drift_surface"),
    [REASON_DRIFT_RATE] = NAME("drift_rate"),
    [REASON_DRIFT_HOURS] = NAME("drift_hours"),
    [REASON_UNTRUSTED_CONTEXT] = NAME("untrusted_context"),
    [REASON_RULE] = NAME("rule"),
    [REASON_RULE_FAILED] = NAME("rule_failed"),
    [REASON_VALIDATOR] = NAME("validator"),
    [REASON_VALIDATOR_ERROR] = NAME("validator_error"),
    [REASON_QUORUM] = NAME("quorum"),
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

static const struct str phases[] = {NAME("closed"), NAME("open"), NAME("half_open")};

const char *breaker_phase_name(enum breaker_phase p)
{
    must((unsigned)p <= BREAKER_HALF_OPEN);
    return phases[p].ptr;
}

bool breaker_phase_parse(struct str name, enum breaker_phase *ret)
{
    for (unsigned i = 0; i <= BREAKER_HALF_OPEN; i++) {
        if (str_eq(name, phases[i])) {
            *ret = (enum breaker_phase)i;
            return true;
        }
    }
    return false;
}

static const struct str levels[] = {NAME("stop"), NAME("pause"), NAME("dry_run")};

const char *stop_level_name(enum stop_level l)
{
    must((unsigned)l <= STOP_DRY_RUN);
    return levels[l].ptr;
}

bool stop_level_parse(struct str name, enum stop_level *ret)
{
    for (unsigned i = 0; i <= STOP_DRY_RUN; i++) {
        if (str_eq(name, levels[i])) {
            *ret = (enum stop_level)i;
            return true;
        }
    }
    return false;
}
