/*
 * graph/nodes - what there is, and what was said of it when.
 */
#include "graph/graph_internal.h"

#include <stdlib.h>
#include <string.h>

static struct str key_of(struct graph *g, enum node_kind kind, struct str name)
{
    return arena_printf(g->text, "%s:%.*s", node_kind_name(kind), STR_ARG(name));
}

/* "kind:name" in a caller's room; the empty string when it can't be a node's. */
static struct str key_in(char *room, size_t size, enum node_kind kind, struct str name)
{
    struct str prefix = str_from(node_kind_name(kind));
    if (name.len == 0 || name.len > GRAPH_NAME_MAX || prefix.len + 1 + name.len > size) {
        return STR("");
    }
    memcpy(room, prefix.ptr, prefix.len);
    room[prefix.len] = ':';
    memcpy(room + prefix.len + 1, name.ptr, name.len);
    return (struct str){room, prefix.len + 1 + name.len};
}

uint32_t graph_find(const struct graph *g, enum node_kind kind, struct str name)
{
    char room[GRAPH_NAME_MAX + 16];
    struct str key = key_in(room, sizeof room, kind, name);
    return key.len == 0 ? MAP_NONE : strmap_get(&g->node_by_key, key);
}

uint32_t graph_find_key(const struct graph *g, struct str key)
{
    uint32_t at = strmap_get(&g->node_by_key, key);
    return at != MAP_NONE ? at : graph_find(g, NODE_SERVICE, key);
}

static NODISCARD enum rc copy_of(struct str s, char **ret, struct err *e)
{
    *ret = NULL;
    if (s.len == 0) {
        return RC_OK;
    }
    *ret = malloc(s.len);
    if (*ret == NULL) {
        return graph_no_memory(e);
    }
    memcpy(*ret, s.ptr, s.len);
    return RC_OK;
}

/* What is said of it from now on. */
static NODISCARD enum rc version_add(struct graph *g, uint32_t node, struct str attributes, uint16_t source,
                                     struct err *e)
{
    enum rc rc = graph_room(&g->node_versions, g->node_version_count, &g->node_version_capacity,
                            sizeof *g->node_versions, e);
    char *copy = NULL;
    rc = rc == RC_OK ? copy_of(attributes, &copy, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    g->node_versions[g->node_version_count] = (struct node_version){
        g->now_ms, FOREVER_MS, copy, (uint32_t)attributes.len, node, g->nodes[node].newest, source};
    g->nodes[node].newest = g->node_version_count++;
    return RC_OK;
}

/* Grows the lists that run beside the nodes. */
static NODISCARD enum rc node_room(struct graph *g, struct err *e)
{
    uint32_t before = g->node_capacity;
    enum rc rc = graph_room(&g->nodes, g->node_count, &g->node_capacity, sizeof *g->nodes, e);
    struct run **runs[] = {&g->now_runs[0], &g->now_runs[1], &g->past_runs[0], &g->past_runs[1]};
    for (size_t i = 0; rc == RC_OK && g->node_capacity != before && i < sizeof runs / sizeof *runs; i++) {
        struct run *grown = realloc(*runs[i], g->node_capacity * sizeof *grown);
        rc = grown == NULL ? graph_no_memory(e) : RC_OK;
        *runs[i] = grown == NULL ? *runs[i] : grown;
    }
    return rc;
}

static NODISCARD enum rc node_new(struct graph *g, enum node_kind kind, struct str name, uint32_t *ret, struct err *e)
{
    if (g->node_count == GRAPH_NODES_MAX) {
        return err_set(e, RC_LIMIT, "the graph has more than %d nodes", GRAPH_NODES_MAX);
    }
    enum rc rc = node_room(g, e);
    struct str key = rc == RC_OK ? key_of(g, kind, name) : STR("");
    if (rc != RC_OK || arena_rc(g->text) != RC_OK) {
        return rc != RC_OK ? rc : graph_no_memory(e);
    }
    uint32_t at = g->node_count;
    if (strmap_put(&g->node_by_key, key, at) != RC_OK) {
        return graph_no_memory(e);
    }
    g->nodes[at] = (struct node){key, kind, MAP_NONE};
    for (unsigned flow = 0; flow < 2; flow++) {
        g->now_runs[flow][at] = (struct run){0, 0, 0};
        g->past_runs[flow][at] = (struct run){0, 0, 0};
    }
    g->node_count++;
    *ret = at;
    return RC_OK;
}

static bool is_there(const struct graph *g, uint32_t node)
{
    uint32_t newest = g->nodes[node].newest;
    return newest != MAP_NONE && g->node_versions[newest].until_ms == FOREVER_MS;
}

enum rc graph_node(struct graph *g, enum node_kind kind, struct str name, uint32_t *ret, struct err *e)
{
    if (name.len == 0 || name.len > GRAPH_NAME_MAX) {
        return err_set(e, RC_INVALID, "a node's name has 1 to %d bytes", GRAPH_NAME_MAX);
    }
    uint32_t at = graph_find(g, kind, name);
    enum rc rc = at == MAP_NONE ? node_new(g, kind, name, &at, e) : RC_OK;
    if (rc == RC_OK && !is_there(g, at)) {
        rc = version_add(g, at, STR(""), 0, e);
    }
    if (rc == RC_OK) {
        *ret = at;
    }
    return rc;
}

enum rc graph_describe(struct graph *g, uint32_t node, struct str attributes, struct str source, struct err *e)
{
    if (attributes.len > GRAPH_ATTRIBUTES_MAX) {
        return err_set(e, RC_LIMIT, "a node's attributes have more than %d bytes", GRAPH_ATTRIBUTES_MAX);
    }
    must(is_there(g, node));
    uint16_t number;
    enum rc rc = graph_source(g, source, &number, e);
    struct node_version *v = &g->node_versions[g->nodes[node].newest];
    if (rc != RC_OK || str_eq((struct str){v->attributes, v->length}, attributes)) {
        return rc;
    }
    if (v->from_ms == g->now_ms) {
        /* Nobody could see what it was: the version is mended. */
        char *copy;
        rc = copy_of(attributes, &copy, e);
        if (rc != RC_OK) {
            return rc;
        }
        free(v->attributes);
        v->attributes = copy;
        v->length = (uint32_t)attributes.len;
        v->source = number;
        return RC_OK;
    }
    v->until_ms = g->now_ms;
    g->over_count++;
    return version_add(g, node, attributes, number, e);
}

enum rc graph_end_node(struct graph *g, uint32_t node, struct err *e)
{
    enum rc rc = edges_end_at(g, node, e);
    bool stays = g->now_runs[FLOW_HARMS][node].count + g->now_runs[FLOW_HARMED_BY][node].count > 0;
    if (rc == RC_OK && !stays && is_there(g, node)) {
        g->node_versions[g->nodes[node].newest].until_ms = g->now_ms;
        g->over_count++;
    }
    return rc;
}

const struct node_version *node_version_at(const struct graph *g, uint32_t node, int64_t at_ms)
{
    for (uint32_t i = g->nodes[node].newest; i != MAP_NONE; i = g->node_versions[i].older) {
        const struct node_version *v = &g->node_versions[i];
        if (v->from_ms <= at_ms) {
            return at_ms < v->until_ms ? v : NULL;
        }
    }
    return NULL;
}

bool graph_node_in_view(const struct graph_view *v, uint32_t node)
{
    return node_version_at(v->graph, node, v->at_ms) != NULL;
}

struct str graph_attributes(const struct graph_view *v, uint32_t node)
{
    const struct node_version *said = node_version_at(v->graph, node, v->at_ms);
    return said == NULL ? STR("") : (struct str){said->attributes, said->length};
}

uint32_t graph_node_count(const struct graph *g)
{
    return g->node_count;
}

enum node_kind graph_kind(const struct graph *g, uint32_t node)
{
    return g->nodes[node].kind;
}

struct str graph_key(const struct graph *g, uint32_t node)
{
    return g->nodes[node].key;
}

struct str graph_name(const struct graph *g, uint32_t node)
{
    must(node < g->node_count);
    struct str key = g->nodes[node].key;
    return str_slice(key, str_find(key, ':') + 1, key.len);
}

enum rc node_restore(struct graph *g, enum node_kind kind, struct str name, struct err *e)
{
    uint32_t at;
    if (name.len == 0 || name.len > GRAPH_NAME_MAX || graph_find(g, kind, name) != MAP_NONE) {
        return err_set(e, RC_CORRUPT, "the graph's node is malformed");
    }
    return node_new(g, kind, name, &at, e);
}

enum rc node_version_restore(struct graph *g, const struct node_version *v, struct str attributes, struct err *e)
{
    enum rc rc = version_add(g, v->node, attributes, v->source, e);
    if (rc == RC_OK) {
        struct node_version *made = &g->node_versions[g->node_version_count - 1];
        made->from_ms = v->from_ms;
        made->until_ms = v->until_ms;
        g->over_count += v->until_ms == FOREVER_MS ? 0 : 1;
    }
    return rc;
}
