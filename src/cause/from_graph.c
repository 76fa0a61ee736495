#include "cause/from_graph.h"

#include "value/json.h"

struct taking {
    struct evidence *ev;
    const struct graph_view *view;
    struct idmap taken;  /* by node of the graph: the node of the evidence */
    uint32_t *queue;     /* nodes of the graph */
    uint32_t count;
};

static bool says_outside(struct taking *t, uint32_t node)
{
    struct value v;
    struct str text = graph_attributes(t->view, node);
    return text.len > 0 && json_parse(t->ev->arena, text, &v, NULL) == RC_OK && value_bool_or(value_get(&v, STR("outside")), false);
}

/* The node of the evidence for one of the graph. */
static uint32_t take_node(struct taking *t, uint32_t node)
{
    uint32_t known = idmap_get(&t->taken, node);
    if (known != MAP_NONE) {
        return known;
    }
    struct str name = graph_name(t->view->graph, node);
    uint32_t before = t->ev->node_count;
    uint32_t index = evidence_node(t->ev, name);
    if (index != MAP_NONE && index < before && t->ev->nodes[index].in_graph) {
        index = evidence_node(t->ev, graph_key(t->view->graph, node));
    }
    if (index == MAP_NONE) {
        return MAP_NONE;
    }
    t->ev->nodes[index].in_graph = true;
    t->ev->nodes[index].outside |= says_outside(t, node);
    if (idmap_put(&t->taken, node, index) != RC_OK) {
        evidence_fail(t->ev, RC_NO_MEMORY, "out of memory");
        return MAP_NONE;
    }
    t->queue[t->count++] = node;
    return index;
}

static void take_harmers(struct taking *t, uint32_t node)
{
    uint32_t harmed = idmap_get(&t->taken, node);
    struct arc_walk walk = graph_arcs(t->view, node, FLOW_HARMED_BY);
    for (struct arc a; t->ev->err.rc == RC_OK && arc_next(&walk, &a);) {
        enum edge_kind kind = arc_kind(a);
        if (!edge_kind_carries(kind) || !graph_node_in_view(t->view, a.other)) {
            continue;
        }
        uint32_t harmer = take_node(t, a.other);
        if (harmer != MAP_NONE) {
            bool call = kind == EDGE_CALLS || kind == EDGE_DEPENDS_ON;
            evidence_tie(t->ev, harmer, harmed, str_from(edge_kind_name(kind)), call);
        }
    }
}

static void take_changes(struct taking *t, const struct graph_part *part)
{
    uint32_t first = 0;
    uint32_t count = graph_changes(t->view, part->changes_from_ms, part->changes_until_ms, &first);
    for (uint32_t i = 0; i < count && t->ev->err.rc == RC_OK; i++) {
        const struct graph_change *c = graph_change_at(t->view->graph, first + i);
        uint32_t node = idmap_get(&t->taken, c->node);
        if (node != MAP_NONE) {
            struct change change = {.at_ms = c->at_ms, .node = node, .kind = str_from(node_kind_name(c->kind)), .what = c->what};
            evidence_change(t->ev, &change);
        }
    }
}

uint32_t evidence_of_graph(struct evidence *ev, const struct graph_view *v, const struct graph_part *part)
{
    struct taking t = {.ev = ev, .view = v};
    t.queue = arena_array(ev->arena, graph_node_count(v->graph) + 1U, sizeof *t.queue);
    if (t.queue == NULL) {
        evidence_fail(ev, arena_rc(ev->arena), "the evidence takes too much memory");
        return MAP_NONE;
    }
    idmap_init(&t.taken, 1);
    uint32_t service = take_node(&t, part->service);
    for (uint32_t i = 0; i < t.count && ev->err.rc == RC_OK; i++) {
        take_harmers(&t, t.queue[i]);
    }
    take_changes(&t, part);
    idmap_done(&t.taken);
    return ev->err.rc == RC_OK ? service : MAP_NONE;
}
