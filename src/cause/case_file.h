/*
 * cause/case_file - from the graph and what traffic showed to a report: the way of a running server.
 *
 * The graph is as it was when the harm was noticed. Traffic comes in observations (model/graph_writing.h), each with a part
 * in the question by its time: the incident, the minutes just before it, or a long period before those in which nothing was
 * wrong. Nothing of this header needs evidence/evidence.h. Pure.
 */
#ifndef CAUSE_CASE_FILE_H
#define CAUSE_CASE_FILE_H

#include "base/instant.h"
#include "model/graph_writing.h"

enum {
    CASE_FILE_MEMORY_MAX = 256 << 20,              /* bytes */
    CASE_FILE_WINDOW_MS = 5 * MINUTE_MS,           /* what is noticed began so much earlier */
    CASE_FILE_AFTER = 2,                           /* windows that the incident goes on when it was noticed */
    CASE_FILE_NORMAL = 72,                         /* windows of the normal period: six hours */
    CASE_FILE_CHANGES_MS = 6 * HOUR_MS,
};

enum traffic_part { TRAFFIC_NORMAL = 0, TRAFFIC_BEFORE, TRAFFIC_INCIDENT, TRAFFIC_PARTS };

/*
 * The part of an observation in a question about at_ms; false: none. One window before at_ms the incident begins; the window
 * before that is what was just before, and CASE_FILE_NORMAL windows before that are normal.
 */
bool traffic_part_of(int64_t from_ms, int64_t to_ms, int64_t at_ms, int64_t window_ms, enum traffic_part *ret);

struct case_file;

/* node: of the view's graph. Errors: RC_NO_MEMORY, RC_LIMIT. */
NODISCARD enum rc case_file_new(const struct graph_view *v, uint32_t node, int64_t at_ms, struct case_file **ret, struct err *e);
void case_file_free(struct case_file *q);
DEFINE_CLEANUP(case_file)

/* A failure is told by case_file_report. name: of the window, shown nowhere but unlike any other's. */
void case_file_traffic(struct case_file *q, struct str name, enum traffic_part part, const struct graph_observation *o);

struct value;
/*
 * Once, at the end. metric: "latency", "availability", "any" or "". Gives: the report as cause/cause.h has it in JSON, all in
 * a. Errors: RC_INVALID: the metric; RC_LIMIT, RC_NO_MEMORY.
 */
NODISCARD enum rc case_file_report(struct case_file *q, struct arena *a, struct str metric, struct value *ret, struct err *e);

#endif
