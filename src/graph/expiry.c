/*
 * graph/expiry - when observations end: a heap by (instant, edge).
 *
 * An edge stands in it once. A repeated observation only moves the edge's own instant; the heap's is put right when it
 * comes up, so repeating, which is what nearly all observations are, costs nothing here.
 */
#include "graph/graph_internal.h"

static bool before(const struct expiry *a, const struct expiry *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->key < b->key;
}

static void swap(struct expiry *a, struct expiry *b)
{
    struct expiry kept = *a;
    *a = *b;
    *b = kept;
}

static void sift_down(struct graph *g)
{
    uint32_t at = 0;
    for (;;) {
        uint32_t least = at;
        for (uint32_t child = 2 * at + 1; child <= 2 * at + 2 && child < g->heap_count; child++) {
            least = before(&g->heap[child], &g->heap[least]) ? child : least;
        }
        if (least == at) {
            return;
        }
        swap(&g->heap[at], &g->heap[least]);
        at = least;
    }
}

enum rc expiry_add(struct graph *g, uint32_t edge, struct err *e)
{
    enum rc rc = graph_room(&g->heap, g->heap_count, &g->heap_capacity, sizeof *g->heap, e);
    if (rc != RC_OK) {
        return rc;
    }
    struct edge *row = &g->edges[edge];
    const struct version *v = &g->versions[row->version];
    uint32_t at = g->heap_count++;
    g->heap[at] = (struct expiry){row->expires_ms, edge_key(v->from, v->to, (enum edge_kind)(v->bits & 15U)), edge};
    row->in_heap = true;
    while (at > 0 && before(&g->heap[at], &g->heap[(at - 1) / 2])) {
        swap(&g->heap[at], &g->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    return RC_OK;
}

void expiry_drop(struct graph *g)
{
    g->edges[g->heap[0].edge].in_heap = false;
    g->heap[0] = g->heap[--g->heap_count];
    sift_down(g);
}

void expiry_delay(struct graph *g, int64_t at_ms)
{
    g->heap[0].at_ms = at_ms;
    sift_down(g);
}
