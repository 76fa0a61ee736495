#include "slo/budget.h"

#include <math.h>

/* good may exceed total by this share: two queries are two moments. */
#define PAIR_SLACK 1e-6

/* bad: the share of bad events, 0 to 1. */
static enum rc budget_left(int64_t objective_ppm, double bad, int64_t *ret_ppm, struct err *e)
{
    if (objective_ppm < 1 || objective_ppm >= PPM_ONE) {
        return err_set(e, RC_INVALID, "an objective lies between 0 %% and 100 %%, both excluded");
    }
    double allowed = (double)(PPM_ONE - objective_ppm) / (double)PPM_ONE;
    double remaining = floor((1.0 - bad / allowed) * (double)PPM_ONE + 1e-6);
    *ret_ppm = remaining < (double)BUDGET_MIN_SHOWN_PPM ? BUDGET_MIN_SHOWN_PPM : (int64_t)remaining;
    return RC_OK;
}

enum rc budget_from_ratio(int64_t objective_ppm, double ratio, int64_t *ret_ppm, struct err *e)
{
    if (!isfinite(ratio)) {
        return err_set(e, RC_INVALID, "the SLI is not a number");
    }
    if (ratio < 0 || ratio > 1 + PAIR_SLACK) {
        return err_set(e, RC_INVALID, "the SLI is %g: expected 0 to 1", ratio);
    }
    return budget_left(objective_ppm, ratio > 1 ? 0 : 1.0 - ratio, ret_ppm, e);
}

enum rc budget_from_counts(int64_t objective_ppm, double good, double total, int64_t *ret_ppm,
                           struct err *e)
{
    if (!isfinite(good) || !isfinite(total) || good < 0 || total <= 0) {
        return err_set(e, RC_INVALID, "good %g of total %g: expected 0 <= good <= total, total > 0", good,
                       total);
    }
    if (good > total * (1 + PAIR_SLACK)) {
        return err_set(e, RC_INVALID, "the SLI is %g: expected 0 to 1", good / total);
    }
    /* Subtracted before the division: the few bad events keep all their digits. */
    return budget_left(objective_ppm, good > total ? 0 : (total - good) / total, ret_ppm, e);
}

int64_t burn_rate_milli(int64_t objective_ppm, int64_t bad, int64_t total)
{
    if (total <= 0 || objective_ppm >= PPM_ONE) {
        return 0;
    }
    double ratio = (double)bad / (double)total;
    return (int64_t)floor(ratio / ((double)(PPM_ONE - objective_ppm) / (double)PPM_ONE) * 1000.0 + 0.5);
}
