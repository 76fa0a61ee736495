/*
 * cause/shape - the typed way of a report's harm, without names: what incidents are remembered by.
 *
 *     config change: config -configures-> service -calls-> service | latency
 *
 * From the change, where one is to blame, else from the node that is, to the symptom. A way through many nodes of a kind is
 * the shape of one through two. Pure.
 */
#ifndef CAUSE_SHAPE_H
#define CAUSE_SHAPE_H

#include "base/buf.h"
#include "graph/graph.h"

struct value;
/*
 * Appends the shape of a report (cause.h, as JSON) about the graph's node; nothing when it found no cause. What is beyond the
 * buffer's maximum is cut. metric: "" counts as any.
 */
void shape_of_report(struct buf *out, const struct graph *g, const struct value *report, uint32_t node, struct str metric);

#endif
