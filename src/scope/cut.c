#include "scope/cut.h"

#include <string.h>

/* The distribution of a sum gets one more term: at[i] is the probability that it is i; it had count terms. */
static void add_term(double *at, uint32_t count, double p)
{
    at[count + 1] = 0;
    for (uint32_t i = count + 1; i > 0; i--) {
        at[i] = at[i] * (1 - p) + at[i - 1] * p;
    }
    at[0] *= 1 - p;
}

/* hits: among k files that are named; missed: among the others. */
static double expected_f1(const double *hits, uint32_t k, const double *missed, uint32_t others)
{
    double sum = 0;
    for (uint32_t i = 1; i <= k; i++) {
        for (uint32_t m = 0; m <= others; m++) {
            sum += hits[i] * missed[m] * (2.0 * i / (double)(k + i + m));
        }
    }
    return sum;
}

uint32_t scope_cut(const double *p, uint32_t count, uint32_t most, double *ret_expected_f1)
{
    /* missed[k]: the distribution among the files from the k-th on. */
    double missed[CUT_SEEN_MAX + 1][CUT_SEEN_MAX + 2];
    double hits[CUT_SEEN_MAX + 2] = {1};
    uint32_t best = 0;
    uint32_t seen = count < CUT_SEEN_MAX ? count : CUT_SEEN_MAX;
    memset(missed, 0, sizeof missed);
    missed[seen][0] = 1;
    for (uint32_t k = seen; k > 0; k--) {
        memcpy(missed[k - 1], missed[k], sizeof missed[k]);
        add_term(missed[k - 1], seen - k, p[k - 1]);
    }
    *ret_expected_f1 = 0;
    for (uint32_t k = 1; k <= seen && k <= most && k <= CUT_CHOSEN_MAX; k++) {
        add_term(hits, k - 1, p[k - 1]);
        double f1 = expected_f1(hits, k, missed[k], seen - k);
        if (best == 0 || f1 > *ret_expected_f1) {
            best = k;
            *ret_expected_f1 = f1;
        }
    }
    return best;
}
