/*
 * graph/impact - who is hurt when these are: before an action, and after.
 *
 * Harm flows along the edges in force from the targets to those that depend on them. What is left of it at a node is the
 * largest product of the edges' effects over all ways to it; what falls below one basis point is nothing. Where all
 * effects are whole this is a breadth-first search. The order of what is hurt is by effect, then by distance, then the
 * order in which edges were made: the same for the same ledger. Pure.
 *
 * A walk keeps tables beside the graph's nodes between calls, so that a call allocates nothing.
 */
#ifndef GRAPH_IMPACT_H
#define GRAPH_IMPACT_H

#include "graph/graph.h"

struct impact_walk;

struct impact_walk *impact_walk_new(void);
void impact_walk_free(struct impact_walk *w);
DEFINE_CLEANUP(impact_walk)

/* To be called when the graph has more nodes than at the last call. Errors: RC_NO_MEMORY. */
NODISCARD enum rc impact_walk_room(struct impact_walk *w, const struct graph *g, struct err *e);

struct impact {
    const uint32_t *nodes; /* those that are hurt, the targets first; until the walk's next use */
    uint32_t count;
    const struct impact_walk *walk;
};

/*
 * targets: nodes, each once at most counted. There must be room. limit: no more than so many nodes, the ones that are hurt
 * most; UINT32_MAX: all.
 */
struct impact graph_impact(const struct graph_view *v, struct impact_walk *w, const uint32_t *targets, uint32_t count,
                           uint32_t limit);

/* How a node of the newest impact was reached. */
struct impact_step {
    uint32_t from;      /* the node that hurts it; MAP_NONE: it is a target */
    uint32_t effect_bp; /* of the whole way */
    struct arc arc;     /* the last edge of the way, as seen from `from` */
    enum confidence confidence; /* the weakest of the way; confirmed for a target */
    bool assumed;               /* an effect of the way was not measured */
};
struct impact_step impact_step(const struct impact *i, uint32_t node);
/* Nodes on the way, that one included: 1 for a target. */
uint32_t impact_distance(const struct impact *i, uint32_t node);

#endif
