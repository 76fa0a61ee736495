/*
 * graph/changes - what was changed when, in order of time.
 */
#include "graph/graph_internal.h"

#include <stdlib.h>
#include <string.h>

/* The first change at at_ms or later. */
static uint32_t first_from(const struct graph *g, int64_t at_ms)
{
    uint32_t low = 0;
    uint32_t high = g->change_count;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (g->changes[mid].at_ms < at_ms) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

static void forget_half(struct graph *g)
{
    uint32_t gone = g->change_count / 2;
    for (uint32_t i = 0; i < gone; i++) {
        free(g->change_texts[i]);
    }
    g->changes_since_ms = g->changes[gone].at_ms;
    g->change_count -= gone;
    memmove(g->changes, g->changes + gone, g->change_count * sizeof *g->changes);
    memmove(g->change_texts, g->change_texts + gone, g->change_count * sizeof *g->change_texts);
}

enum rc graph_changed(struct graph *g, const struct graph_change *c, struct err *e)
{
    must(c->node < g->node_count);
    if (c->what.len > GRAPH_DETAIL_MAX) {
        return err_set(e, RC_LIMIT, "what a change says has more than %d bytes", GRAPH_DETAIL_MAX);
    }
    if (g->change_count == GRAPH_CHANGES_MAX) {
        forget_half(g);
    }
    enum rc rc = graph_room(&g->changes, g->change_count, &g->change_capacity, sizeof *g->changes, e);
    if (rc == RC_OK) {
        rc = graph_room(&g->change_texts, g->change_count, &g->change_text_capacity, sizeof *g->change_texts, e);
    }
    char *what = rc == RC_OK ? malloc(c->what.len + 1) : NULL;
    if (what == NULL) {
        return graph_no_memory(e);
    }
    if (c->what.len > 0) {
        memcpy(what, c->what.ptr, c->what.len);
    }
    /* Later ones of the same instant stand behind. */
    bool newest = g->change_count == 0 || g->changes[g->change_count - 1].at_ms <= c->at_ms;
    uint32_t at = newest ? g->change_count : first_from(g, c->at_ms + 1);
    memmove(g->changes + at + 1, g->changes + at, (g->change_count - at) * sizeof *g->changes);
    memmove(g->change_texts + at + 1, g->change_texts + at, (g->change_count - at) * sizeof *g->change_texts);
    g->changes[at] = *c;
    g->change_texts[at] = what;
    g->changes[at].what = (struct str){what, c->what.len};
    g->change_count++;
    return RC_OK;
}

uint32_t graph_changes(const struct graph_view *v, int64_t from_ms, int64_t until_ms, uint32_t *ret_first)
{
    int64_t end = v->present || until_ms <= v->at_ms ? until_ms : v->at_ms + 1;
    uint32_t first = first_from(v->graph, from_ms);
    uint32_t after = first_from(v->graph, end);
    *ret_first = first;
    return after > first ? after - first : 0;
}

const struct graph_change *graph_change_at(const struct graph *g, uint32_t index)
{
    must(index < g->change_count);
    return &g->changes[index];
}

int64_t graph_changes_since(const struct graph *g)
{
    return g->changes_since_ms;
}
