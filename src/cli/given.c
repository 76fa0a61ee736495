#include "cli/given.h"

#include "cli/percent.h"

static enum rc bad_percent(const char *option, struct err *e)
{
    return err_set(e, RC_INVALID, "option --%s: expected a percentage such as 19.5", option);
}

enum rc given_facts(const struct given_signals *given, struct facts *ret, struct err *e)
{
    *ret = (struct facts){.agent = AGENT_ACTIVE,
                          .clock_ok = true,
                          .aqdd_baseline_milli = -1,
                          .aqdd_drift_milli = -1,
                          .budgets = {{.service = STR("the target"), .age_ms = -1}},
                          .budget_count = 1,
                          .budgets_seen = 1};
    struct budget_fact *b = &ret->budgets[0];
    b->reason = STR("not given");
    if (given->error_budget_pct != NULL) {
        if (!percent_parse(str_from(given->error_budget_pct), PERCENT_DOWN, &b->remaining_ppm)) {
            return bad_percent("error-budget-pct", e);
        }
        b->state = SIGNAL_KNOWN;
        b->source = STR("given");
        b->reason = STR("");
        b->age_ms = 0;
    }
    if (given->aqdd_depth != NULL) {
        if (!str_to_i64(str_from(given->aqdd_depth), &ret->aqdd_depth) || ret->aqdd_depth < 0) {
            return err_set(e, RC_INVALID, "option --aqdd-depth: expected a count such as 2");
        }
        ret->aqdd_known = true;
    }
    if (given->her_trend_pct != NULL) {
        if (!percent_parse(str_from(given->her_trend_pct), PERCENT_UP, &ret->her_ppm) || ret->her_ppm < 0) {
            return bad_percent("her-trend-pct", e);
        }
        ret->her_known = true;
        ret->her_sample = GIVEN_SAMPLE;
    }
    return RC_OK;
}

enum verdict strictest_of_three(const struct decision *d)
{
    enum verdict strictest = VERDICT_ALLOW;
    for (unsigned c = CHECK_ERROR_BUDGET; c <= CHECK_HER_TREND; c++) {
        if (finding_counts(&d->findings[c])) {
            strictest = verdict_strictest(strictest, d->findings[c].verdict);
        }
    }
    return strictest;
}
