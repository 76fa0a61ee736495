/*
 * graph/graph - its life, its tables' room, and the views of it.
 */
#include "graph/graph_internal.h"

#include <stdlib.h>

#define TABLE_FIRST 64U
#define CACHE_LINE 64U
#define FETCH_MAX 1024U /* bytes; the machine follows longer ones by itself */
#define TEXT_MAX ((size_t)(GRAPH_NODES_MAX) * (GRAPH_NAME_MAX + 33))

struct graph *graph_new(uint64_t hash_seed)
{
    struct graph *g = calloc(1, sizeof *g);
    if (g == NULL) {
        return NULL;
    }
    g->now_ms = INT64_MIN;
    g->forgotten_ms = INT64_MIN;
    g->changes_since_ms = INT64_MIN;
    g->edge_free = MAP_NONE;
    strmap_init(&g->node_by_key, hash_seed);
    strmap_init(&g->source_by_name, hash_seed);
    idmap_init(&g->edge_by_key, hash_seed);
    pool_init(&g->now_arcs, sizeof(struct arc));
    pool_init(&g->past_arcs, sizeof(struct past_arc));
    g->text = arena_new(TEXT_MAX);
    uint16_t other;
    uint32_t first;
    if (g->text == NULL || graph_moment(g, INT64_MIN, &first, NULL) != RC_OK || graph_source(g, STR("other"), &other, NULL) != RC_OK) {
        graph_free(g);
        return NULL;
    }
    return g;
}

void graph_free(struct graph *g)
{
    if (g == NULL) {
        return;
    }
    for (uint32_t i = 0; i < g->node_version_count; i++) {
        free(g->node_versions[i].attributes);
    }
    for (uint32_t i = 0; i < g->change_count; i++) {
        free(g->change_texts[i]);
    }
    for (unsigned flow = 0; flow < 2; flow++) {
        free(g->now_runs[flow]);
        free(g->past_runs[flow]);
    }
    pool_done(&g->now_arcs);
    pool_done(&g->past_arcs);
    strmap_done(&g->node_by_key);
    strmap_done(&g->source_by_name);
    idmap_done(&g->edge_by_key);
    free(g->moments);
    free(g->nodes);
    free(g->node_versions);
    free(g->versions);
    free(g->edges);
    free(g->heap);
    free(g->sources);
    free(g->changes);
    free(g->change_texts);
    arena_free(g->text);
    free(g);
}

enum rc graph_room(void *items, uint32_t count, uint32_t *capacity, size_t size, struct err *e)
{
    if (count < *capacity) {
        return RC_OK;
    }
    uint32_t grown = *capacity == 0 ? TABLE_FIRST : *capacity * 2;
    void **table = items;
    void *moved = realloc(*table, grown * size);
    if (moved == NULL) {
        return graph_no_memory(e);
    }
    *table = moved;
    *capacity = grown;
    return RC_OK;
}

enum rc graph_source(struct graph *g, struct str name, uint16_t *ret, struct err *e)
{
    name = str_slice(name, 0, GRAPH_SOURCE_MAX);
    uint32_t at = strmap_get(&g->source_by_name, name);
    if (at == MAP_NONE && g->source_count == GRAPH_SOURCES_MAX) {
        at = 0;
    }
    if (at == MAP_NONE) {
        enum rc rc = graph_room(&g->sources, g->source_count, &g->source_capacity, sizeof *g->sources, e);
        struct str kept = arena_str(g->text, name);
        if (rc != RC_OK || arena_rc(g->text) != RC_OK || strmap_put(&g->source_by_name, kept, g->source_count) != RC_OK) {
            return graph_no_memory(e);
        }
        at = g->source_count++;
        g->sources[at] = kept;
    }
    *ret = (uint16_t)at;
    return RC_OK;
}

enum rc graph_moment(struct graph *g, int64_t at_ms, uint32_t *ret, struct err *e)
{
    enum rc rc = RC_OK;
    if (g->moment_count == 0 || g->moments[g->moment_count - 1] != at_ms) {
        must(g->moment_count == 0 || g->moments[g->moment_count - 1] < at_ms);
        rc = graph_room(&g->moments, g->moment_count, &g->moment_capacity, sizeof *g->moments, e);
        if (rc == RC_OK) {
            g->moments[g->moment_count++] = at_ms;
        }
    }
    *ret = g->moment_count - 1;
    return rc;
}

uint32_t graph_moment_at(const struct graph *g, int64_t at_ms)
{
    uint32_t low = 0;
    uint32_t high = g->moment_count;
    while (high - low > 1) {
        uint32_t mid = low + (high - low) / 2;
        if (g->moments[mid] <= at_ms) {
            low = mid;
        } else {
            high = mid;
        }
    }
    return low;
}

int64_t graph_now(const struct graph *g)
{
    return g->now_ms;
}

int64_t graph_forgotten(const struct graph *g)
{
    return g->forgotten_ms;
}

uint32_t graph_edge_count(const struct graph *g)
{
    return g->live_count;
}

uint32_t graph_version_count(const struct graph *g)
{
    return g->version_count;
}

enum rc graph_has_room(const struct graph *g, uint64_t nodes, uint64_t edges, struct err *e)
{
    if (g->node_count + nodes > GRAPH_NODES_MAX) {
        return err_set(e, RC_LIMIT, "the graph would have more than %d nodes", GRAPH_NODES_MAX);
    }
    if (g->live_count + edges > GRAPH_EDGES_MAX) {
        return err_set(e, RC_LIMIT, "the graph would have more than %d edges in force", GRAPH_EDGES_MAX);
    }
    return RC_OK;
}

struct graph_view graph_view_now(const struct graph *g)
{
    return (struct graph_view){g, g->now_ms, g->moment_count - 1, true};
}

enum rc graph_view_at(const struct graph *g, int64_t at_ms, struct graph_view *ret, struct err *e)
{
    if (at_ms < g->forgotten_ms) {
        return err_set(e, RC_GONE, "the graph of that time was forgotten");
    }
    *ret = (struct graph_view){g, at_ms, graph_moment_at(g, at_ms), at_ms >= g->now_ms};
    return RC_OK;
}

struct arc_walk graph_arcs(const struct graph_view *v, uint32_t node, enum flow flow)
{
    const struct graph *g = v->graph;
    if (v->present) {
        const struct run *r = &g->now_runs[flow][node];
        static const struct arc none;
        return (struct arc_walk){.now = r->count == 0 ? &none : pool_at(&g->now_arcs, r, 0), .left = r->count};
    }
    const struct run *r = &g->past_runs[flow][node];
    return (struct arc_walk){.past = r->count == 0 ? NULL : pool_at(&g->past_arcs, r, 0),
                             .left = r->count,
                             .moment = v->moment};
}

void graph_fetch(const struct graph_view *v, uint32_t node, enum flow flow)
{
    const struct graph *g = v->graph;
    const struct pool *p = v->present ? &g->now_arcs : &g->past_arcs;
    const struct run *r = v->present ? &g->now_runs[flow][node] : &g->past_runs[flow][node];
    const unsigned char *at = p->items + r->at * p->item_size;
    size_t size = r->count * p->item_size;
    for (size_t i = 0; i < size && i < FETCH_MAX; i += CACHE_LINE) {
        __builtin_prefetch(at + i);
    }
}

static size_t pool_bytes(const struct pool *p)
{
    return p->capacity * p->item_size;
}

struct graph_memory graph_memory(const struct graph *g)
{
    struct graph_memory m = {0};
    m.nodes = g->node_capacity * (sizeof *g->nodes + 4 * sizeof(struct run)) +
              g->node_version_capacity * sizeof *g->node_versions + arena_used(g->text) +
              g->node_by_key.capacity * sizeof *g->node_by_key.slots;
    for (uint32_t i = 0; i < g->node_version_count; i++) {
        m.nodes += g->node_versions[i].length;
    }
    m.edges = g->version_capacity * sizeof *g->versions + g->edge_capacity * sizeof *g->edges +
              g->edge_by_key.capacity * sizeof *g->edge_by_key.slots + g->heap_capacity * sizeof *g->heap +
              pool_bytes(&g->now_arcs) + pool_bytes(&g->past_arcs);
    m.changes = g->change_capacity * sizeof *g->changes;
    for (uint32_t i = 0; i < g->change_count; i++) {
        m.changes += g->changes[i].what.len;
    }
    return m;
}
