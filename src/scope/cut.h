/*
 * scope/cut - how many of the most probable files to name: the number with the highest expected F1.
 *
 * Files are taken as independent. For a set of k files the expected F1 is exact: the number of hits among the k and of
 * touched files among the others are two Poisson-binomial distributions, built one file at a time. Pure.
 * Source: Lipton, Elkan, Narayanaswamy, "Optimal Thresholding of Classifiers to Maximize F1 Measure" (2014); Ye, Chai,
 *         Lee, Chieu, "Optimizing F-measures: A Tale of Two Approaches" (2012).
 */
#ifndef SCOPE_CUT_H
#define SCOPE_CUT_H

#include <stdint.h>

enum {
    CUT_SEEN_MAX = 40,   /* most probable files that are looked at */
    CUT_CHOSEN_MAX = 20, /* of which so many can be named */
};

/* p: descending. Gives 1 to most, at most CUT_CHOSEN_MAX; or 0 when count or most is 0. */
uint32_t scope_cut(const double *p, uint32_t count, uint32_t most, double *ret_expected_f1);

#endif
