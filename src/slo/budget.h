/*
 * slo/budget - objectives and what is left of their error budgets.
 *
 * Remaining budget = 1 - (bad / total) / (1 - objective), in ppm of the budget: 1,000,000 is untouched,
 * 0 is spent, negative is overspent and is shown so. Results are rounded towards less budget, so that
 * rounding never turns a block into an allow. Pure.
 * Source: SRE Workbook chapter 5; reference metrics "error budget remaining".
 */
#ifndef SLO_BUDGET_H
#define SLO_BUDGET_H

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"
#include "value/value.h"

#include <stdint.h>

enum slo_source {
    SLO_EVENTS = 0,       /* counted from POST /v1/events */
    SLO_PROMETHEUS_RATIO, /* one query that gives good / total over the window */
    SLO_PROMETHEUS_PAIR,  /* a good and a total query over the window */
};

#define PPM_ONE 1000000LL
/* Overspent budgets are shown down to minus ten thousand times the budget. */
#define BUDGET_MIN_SHOWN_PPM (-10000LL * PPM_ONE)

struct slo {
    int64_t objective_ppm; /* 1 to 999,999: 99.9 % is 999,000 */
    int64_t window_ms;     /* 1 h to 90 d */
    enum slo_source source;
    struct str ratio; /* PromQL */
    struct str good;
    struct str total;
    struct str timestamp; /* query for the newest sample's time, Unix seconds; may be empty */
};

/*
 * Errors: RC_INVALID when good or total is negative, not a number or infinite, or good > total (by
 * more than rounding), or the objective is out of range. total 0 is the caller's case: it is refused.
 */
NODISCARD enum rc budget_from_counts(int64_t objective_ppm, double good, double total,
                                     int64_t *ret_ppm, struct err *e);
/* ratio is good / total, 0 to 1. */
NODISCARD enum rc budget_from_ratio(int64_t objective_ppm, double ratio, int64_t *ret_ppm,
                                    struct err *e);
/* error_ratio / (1 - objective), in thousandths. */
int64_t burn_rate_milli(int64_t objective_ppm, int64_t bad, int64_t total);

#endif
