/*
 * cause/inquiry - from the graph and what traffic showed to a report: the way of a running server.
 *
 * The graph is as it was when the harm was noticed. Traffic comes in observations (model/graph_writing.h), each with a part
 * in the question by its time: the incident, the minutes just before it, or a long period before those in which nothing was
 * wrong. Nothing of this header needs evidence/evidence.h. Pure.
 */
#ifndef CAUSE_INQUIRY_H
#define CAUSE_INQUIRY_H

#include "base/instant.h"
#include "model/graph_writing.h"

enum {
    INQUIRY_MEMORY_MAX = 256 << 20,              /* bytes */
    INQUIRY_WINDOW_MS = 5 * MINUTE_MS,           /* what is noticed began so much earlier */
    INQUIRY_AFTER = 2,                           /* windows that the incident goes on when it was noticed */
    INQUIRY_NORMAL = 72,                         /* windows of the normal period: six hours */
    INQUIRY_CHANGES_MS = 6 * HOUR_MS,
};

enum traffic_part { TRAFFIC_NORMAL = 0, TRAFFIC_BEFORE, TRAFFIC_INCIDENT, TRAFFIC_PARTS };

/*
 * The part of an observation in a question about at_ms; false: none. One window before at_ms the incident begins; the window
 * before that is what was just before, and INQUIRY_NORMAL windows before that are normal.
 */
bool traffic_part_of(int64_t from_ms, int64_t to_ms, int64_t at_ms, int64_t window_ms, enum traffic_part *ret);

struct inquiry;

/* node: of the view's graph. Errors: RC_NO_MEMORY, RC_LIMIT. */
NODISCARD enum rc inquiry_new(const struct graph_view *v, uint32_t node, int64_t at_ms, struct inquiry **ret, struct err *e);
void inquiry_free(struct inquiry *q);
DEFINE_CLEANUP(inquiry)

/* A failure is told by inquiry_report. name: of the window, shown nowhere but unlike any other's. */
void inquiry_traffic(struct inquiry *q, struct str name, enum traffic_part part, const struct graph_observation *o);

struct value;
/*
 * Once, at the end. metric: "latency", "availability", "any" or "". Gives: the report as cause/cause.h has it in JSON, all in
 * a. Errors: RC_INVALID: the metric; RC_LIMIT, RC_NO_MEMORY.
 */
NODISCARD enum rc inquiry_report(struct inquiry *q, struct arena *a, struct str metric, struct value *ret, struct err *e);

#endif
