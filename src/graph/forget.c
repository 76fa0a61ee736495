/*
 * graph/forget - the past is bounded: when too many versions are over, the older half of them goes.
 *
 * What is kept is exact; a view from before the newest of what went is refused (graph_forgotten).
 */
#include "graph/graph_internal.h"

#include <stdlib.h>
#include <string.h>

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The instant by which half of what is over had ended. */
static NODISCARD enum rc half_time(const struct graph *g, int64_t *ret, struct err *e)
{
    int64_t *ends = malloc(g->over_count * sizeof *ends);
    if (ends == NULL) {
        return graph_no_memory(e);
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < g->version_count; i++) {
        if (g->versions[i].until_ms != FOREVER_MS) {
            ends[count++] = g->versions[i].until_ms;
        }
    }
    for (uint32_t i = 0; i < g->node_version_count; i++) {
        if (g->node_versions[i].until_ms != FOREVER_MS) {
            ends[count++] = g->node_versions[i].until_ms;
        }
    }
    must(count == g->over_count);
    qsort(ends, count, sizeof *ends, by_value);
    *ret = ends[count / 2];
    free(ends);
    return RC_OK;
}

/* Drops the versions that ended by then. new_index tells where the others are. */
static void drop_versions(struct graph *g, int64_t cut_ms, uint32_t *new_index)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < g->version_count; i++) {
        new_index[i] = MAP_NONE;
        if (g->versions[i].until_ms > cut_ms) {
            new_index[i] = kept;
            g->versions[kept++] = g->versions[i];
        } else {
            g->over_count--;
        }
    }
    g->version_count = kept;
}

static void drop_node_versions(struct graph *g, int64_t cut_ms, uint32_t *new_index)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < g->node_version_count; i++) {
        struct node_version v = g->node_versions[i];
        new_index[i] = MAP_NONE;
        if (v.until_ms <= cut_ms) {
            free(v.attributes);
            g->over_count--;
            continue;
        }
        /* Of one node the older ends first, so what `older` names was dealt with. */
        v.older = v.older == MAP_NONE ? MAP_NONE : new_index[v.older];
        new_index[i] = kept;
        g->node_versions[kept++] = v;
    }
    g->node_version_count = kept;
}

/* The first, which is before all, stays. */
static void drop_moments(struct graph *g, int64_t cut_ms)
{
    uint32_t gone = graph_moment_at(g, cut_ms);
    g->moment_count -= gone;
    memmove(g->moments + 1, g->moments + 1 + gone, (g->moment_count - 1) * sizeof *g->moments);
}

enum rc graph_forget(struct graph *g, struct err *e)
{
    if (g->over_count <= GRAPH_PAST_MAX) {
        return RC_OK;
    }
    int64_t cut_ms;
    enum rc rc = half_time(g, &cut_ms, e);
    uint32_t most = g->version_count > g->node_version_count ? g->version_count : g->node_version_count;
    uint32_t *new_index = rc == RC_OK ? malloc(most * sizeof *new_index) : NULL;
    if (new_index == NULL) {
        return graph_no_memory(e);
    }
    drop_versions(g, cut_ms, new_index);
    for (uint32_t i = 0; i < g->edge_count; i++) {
        if (!edge_is_over(&g->edges[i])) {
            g->edges[i].version = new_index[g->edges[i].version];
        }
    }
    drop_node_versions(g, cut_ms, new_index);
    for (uint32_t i = 0; i < g->node_count; i++) {
        uint32_t newest = g->nodes[i].newest;
        g->nodes[i].newest = newest == MAP_NONE ? MAP_NONE : new_index[newest];
    }
    free(new_index);
    drop_moments(g, cut_ms);
    g->forgotten_ms = cut_ms;
    return versions_place(g, e);
}
