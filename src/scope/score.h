/*
 * scope/score - how well one set of files meets another.
 *
 * declared: what was said or predicted. touched: what the change did touch. Both are sets: each path once.
 *
 *   hits       in both
 *   creep      declared and not touched: the scope creep, a count of files
 *   precision  hits / declared; 1 when nothing was declared (nothing of it was wrong)
 *   recall     hits / touched; 1 when nothing was touched
 *   f1         2 hits / (declared + touched); 1 when both are empty
 *   jaccard    hits / (declared or touched); 1 when both are empty
 *
 * Pure.
 */
#ifndef SCOPE_SCORE_H
#define SCOPE_SCORE_H

#include "base/str.h"

#include <stdint.h>

struct scope_score {
    uint32_t declared;
    uint32_t touched;
    uint32_t hits;
    uint32_t creep;
    double precision; /* these four: 0 to 1 */
    double recall;
    double f1;
    double jaccard;
};

/* Both lists are sorted by str_cmp, without repetitions (see scope_set). */
struct scope_score scope_compare(const struct str *declared, uint32_t declared_count, const struct str *touched,
                                 uint32_t touched_count);
/* Sorts the list, drops repetitions and empty texts, and gives how many are left. */
uint32_t scope_set(struct str *files, uint32_t count);

/* Sums over many changes, zeroed at first. */
struct scope_tally {
    uint32_t count;
    double precision;
    double recall;
    double f1;
    double f1_squares;
    double jaccard;
    double creep;
};

void scope_tally_add(struct scope_tally *t, const struct scope_score *s);

/* Means; zeros when nothing was added. */
struct scope_summary {
    uint32_t count;
    double precision;
    double recall;
    double f1;
    double f1_margin; /* half the width of the 95 % interval of f1: 1.96 standard errors; 0 for fewer than two changes */
    double jaccard;
    double creep;
};

/* Each change counts the same. */
struct scope_summary scope_summarize(const struct scope_tally *t);
/* Each group counts the same, however many changes it has; groups without any are left out. */
struct scope_summary scope_summarize_groups(const struct scope_tally *groups, uint32_t count);

#endif
