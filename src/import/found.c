#include "import/found.h"

#include "base/must.h"
#include "value/json.h"
#include "value/utf8.h"

#include <stdio.h>
#include <string.h>

enum { FIRST_ROOM = 64 };

void found_init(struct found *f, struct arena *a)
{
    *f = (struct found){.arena = a};
    strmap_init(&f->node_of, 0);
    idmap_init(&f->edge_of, 0);
}

void found_done(struct found *f)
{
    strmap_done(&f->node_of);
    idmap_done(&f->edge_of);
}

/* The list with room for one more; null with f->rc set. */
static void *room_for_one(struct found *f, void *items, uint32_t count, uint32_t *room, size_t size)
{
    if (count < *room) {
        return items;
    }
    uint32_t more = *room == 0 ? FIRST_ROOM : *room * 2;
    void *grown = arena_array(f->arena, more, size);
    if (grown == NULL) {
        f->rc = arena_rc(f->arena);
        return NULL;
    }
    if (count > 0) {
        memcpy(grown, items, count * size);
    }
    *room = more;
    return grown;
}

/* --- adding ------------------------------------------------------------------------------------------------- */

static uint32_t add_node(struct found *f, struct str key)
{
    if (f->node_count == FOUND_NODES_MAX) {
        f->rc = RC_LIMIT;
        return MAP_NONE;
    }
    struct found_node *nodes = room_for_one(f, f->nodes, f->node_count, &f->node_room, sizeof *nodes);
    if (nodes == NULL || key.len == 0) {
        f->rc = arena_rc(f->arena);
        return MAP_NONE;
    }
    f->nodes = nodes;
    f->nodes[f->node_count] = (struct found_node){key, value_object()};
    f->rc = strmap_put(&f->node_of, key, f->node_count);
    return f->rc == RC_OK ? f->node_count++ : MAP_NONE;
}

uint32_t found_node(struct found *f, enum node_kind kind, struct str name)
{
    char text[GRAPH_NAME_MAX + 32];
    if (f->rc != RC_OK || name.len == 0 || name.len > GRAPH_NAME_MAX) {
        return MAP_NONE;
    }
    int len = snprintf(text, sizeof text, "%s:%.*s", node_kind_name(kind), STR_ARG(name));
    struct str key = {text, (size_t)len};
    struct node_key read;
    /* A zero byte ends the text before its name is over. */
    if (!node_key_read(key, &read) || !str_eq(read.name, name)) {
        return MAP_NONE;
    }
    uint32_t at = strmap_get(&f->node_of, key);
    return at != MAP_NONE ? at : add_node(f, arena_str(f->arena, key));
}

void found_say(struct found *f, uint32_t node, struct str name, struct value v)
{
    if (node == MAP_NONE || f->rc != RC_OK) {
        return;
    }
    must(node < f->node_count);
    if (value_get(&f->nodes[node].attributes, name) == NULL) {
        value_add(f->arena, &f->nodes[node].attributes, name, v);
    }
}

void found_say_text(struct found *f, uint32_t node, struct str name, struct str text)
{
    if (text.len > 0) {
        found_say(f, node, name, value_string(utf8_clip(text, FOUND_TEXT_MAX)));
    }
}

static struct found_edge *edge_between(struct found *f, uint32_t from, uint32_t to, enum edge_kind kind)
{
    must(from < f->node_count && to < f->node_count);
    uint64_t key = (uint64_t)from << 36 | (uint64_t)to << 8 | (uint64_t)kind;
    uint32_t at = idmap_get(&f->edge_of, key);
    if (at != MAP_NONE) {
        return &f->edges[at];
    }
    if (f->edge_count == FOUND_EDGES_MAX) {
        f->rc = RC_LIMIT;
        return NULL;
    }
    struct found_edge *edges = room_for_one(f, f->edges, f->edge_count, &f->edge_room, sizeof *edges);
    if (edges == NULL) {
        return NULL;
    }
    f->edges = edges;
    f->rc = idmap_put(&f->edge_of, key, f->edge_count);
    f->edges[f->edge_count] = (struct found_edge){.from = from, .to = to, .kind = kind};
    return f->rc == RC_OK ? &f->edges[f->edge_count++] : NULL;
}

void found_edge(struct found *f, uint32_t from, uint32_t to, enum edge_kind kind)
{
    if (from != MAP_NONE && to != MAP_NONE && from != to && f->rc == RC_OK) {
        (void)edge_between(f, from, to, kind);
    }
}

void found_effect(struct found *f, uint32_t from, uint32_t to, uint32_t effect_bp)
{
    if (from == MAP_NONE || to == MAP_NONE || from == to || f->rc != RC_OK) {
        return;
    }
    struct found_edge *x = edge_between(f, from, to, EDGE_CALLS);
    if (x != NULL) {
        x->effect_bp = effect_bp;
    }
}

/* --- as writings ---------------------------------------------------------------------------------------------- */

static struct value node_value(const struct found *f, const struct found_node *n)
{
    struct value v = value_object();
    value_add_str(f->arena, &v, STR("node"), n->key);
    if (n->attributes.count > 0) {
        value_add(f->arena, &v, STR("attributes"), n->attributes);
    }
    return v;
}

static struct value edge_value(const struct found *f, const struct found_edge *x)
{
    struct value v = value_object();
    value_add_str(f->arena, &v, STR("from"), f->nodes[x->from].key);
    value_add_str(f->arena, &v, STR("to"), f->nodes[x->to].key);
    value_add_str(f->arena, &v, STR("kind"), str_from(edge_kind_name(x->kind)));
    if (x->effect_bp > 0) {
        value_add(f->arena, &v, STR("effect_pct"),
                  x->effect_bp % 100 == 0 ? value_int(x->effect_bp / 100) : value_double(x->effect_bp / 100.0));
    }
    return v;
}

/* One writing, from item *at of all on until it is full: nodes are those before node_count. */
static struct value writing(const struct found *f, struct str source, uint32_t *at, struct buf *text)
{
    struct arena *a = f->arena;
    struct value v = value_object();
    struct value nodes = value_array();
    struct value edges = value_array();
    uint32_t all = f->node_count + f->edge_count;
    value_add_str(a, &v, STR("source"), source);
    buf_reset(text);
    for (; *at < all && nodes.count + edges.count < GRAPH_WRITING_MAX && text->len < FOUND_WRITING_BYTES; ++*at) {
        bool node = *at < f->node_count;
        struct value item = node ? node_value(f, &f->nodes[*at]) : edge_value(f, &f->edges[*at - f->node_count]);
        json_write(text, &item);
        value_push(a, node ? &nodes : &edges, item);
    }
    value_add(a, &v, STR("nodes"), nodes);
    value_add(a, &v, STR("edges"), edges);
    return v;
}

static enum rc failure(const struct found *f, struct err *e)
{
    enum rc rc = f->rc != RC_OK ? f->rc : arena_rc(f->arena);
    if (rc == RC_LIMIT) {
        return err_set(e, rc, "more than %d nodes, %d edges or the memory for them: import it in parts", FOUND_NODES_MAX,
                       FOUND_EDGES_MAX);
    }
    return rc == RC_OK ? rc : err_set(e, rc, "out of memory");
}

enum rc found_writings(struct found *f, struct str source, struct value *ret, struct err *e)
{
    uint32_t all = f->node_count + f->edge_count;
    struct value list = value_array();
    enum rc rc = failure(f, e);
    if (rc == RC_OK && all == 0) {
        return err_set(e, RC_NOT_FOUND, "there is nothing in it that the graph has a word for");
    }
    struct buf text; /* how long a writing becomes */
    buf_init(&text, 2 * FOUND_WRITING_BYTES);
    for (uint32_t at = 0; rc == RC_OK && at < all;) {
        value_push(f->arena, &list, writing(f, source, &at, &text));
        rc = text.rc != RC_OK ? err_set(e, text.rc, "out of memory") : failure(f, e);
    }
    buf_done(&text);
    if (rc == RC_OK) {
        *ret = list;
    }
    return rc;
}
