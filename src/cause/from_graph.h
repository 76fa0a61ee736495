/*
 * cause/from_graph - the graph of production as structure for evidence: what can harm a service, and what changed there.
 *
 * Only what harm can reach the service from is taken, along the edges that carry it (graph/graph.h). A node has its plain
 * name there, as measurements have it; when that name is taken by a node of another kind, "kind:name". A node whose
 * attributes say "outside": true is outside. Changes lie in [changes_from_ms, changes_until_ms). Pure.
 */
#ifndef CAUSE_FROM_GRAPH_H
#define CAUSE_FROM_GRAPH_H

#include "evidence/evidence.h"
#include "graph/graph.h"

struct graph_part {
    uint32_t service; /* of the graph */
    int64_t changes_from_ms;
    int64_t changes_until_ms;
};

/*
 * The service's node in the evidence. Before evidence_settle, and before measurements: who is in the graph keeps the
 * plain name. Errors: MAP_NONE; the evidence keeps why.
 */
uint32_t evidence_of_graph(struct evidence *ev, const struct graph_view *v, const struct graph_part *part);

#endif
