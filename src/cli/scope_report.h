/*
 * cli/scope_report - scores of file sets as values: for `pawl scope` and `pawl bench-scope`.
 *
 * Ratios are rounded to four digits. Pure.
 */
#ifndef CLI_SCOPE_REPORT_H
#define CLI_SCOPE_REPORT_H

#include "scope/score.h"
#include "value/value.h"

/* Adds declared, touched, hits, creep, precision, recall, f1 and jaccard. */
void scope_report_score(struct arena *a, struct value *object, const struct scope_score *s);
/* Adds changes, f1, f1_margin (half of its 95 % interval), precision, recall, jaccard and creep. */
void scope_report_summary(struct arena *a, struct value *object, const struct scope_summary *s);
void scope_report_ratio(struct arena *a, struct value *object, struct str name, double ratio);
/* A path or a title as a string of JSON: what is not UTF-8 in it is escaped, visibly. Keeps: s. */
struct value scope_report_text(struct arena *a, struct str s);
struct value scope_report_files(struct arena *a, const struct str *files, uint32_t count);

#endif
