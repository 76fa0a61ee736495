/*
 * graph/advance - time goes on: observations that nobody repeated end, each at its instant.
 */
#include "graph/graph_internal.h"

enum rc graph_advance(struct graph *g, int64_t now_ms, struct err *e)
{
    must(now_ms >= g->now_ms);
    enum rc rc = RC_OK;
    while (rc == RC_OK && g->heap_count > 0 && g->heap[0].at_ms <= now_ms) {
        struct expiry first = g->heap[0];
        const struct edge *row = &g->edges[first.edge];
        bool later = row->version != MAP_NONE && row->bp[CLAIM_OBSERVED] != BP_NONE && row->expires_ms > first.at_ms;
        if (later) {
            expiry_delay(g, row->expires_ms);
            continue;
        }
        expiry_drop(g);
        rc = edge_expire(g, first.edge, first.at_ms, e);
    }
    g->now_ms = now_ms;
    return rc == RC_OK ? graph_forget(g, e) : rc;
}
