/*
 * api/graph - the graph: what is said of it, what it was at any moment, and who is hurt when something in it is.
 */
#include "api/call.h"

#include "base/instant.h"
#include "gate/gate.h"
#include "model/graph_writing.h"
#include "value/json.h"

/* --- writing ------------------------------------------------------------------------------------------------- */

/* A source says what its services depend on, and what belongs to them: nothing of another's. */
static enum rc may_write(const struct call *c, const struct node_key *k, const char *place, uint32_t i, struct err *e)
{
    if (k->kind != NODE_SERVICE || call_may_write_service(c, k->name)) {
        return RC_OK;
    }
    (void)err_set(e, RC_DENIED, "this source may not write %.*s", STR_ARG(k->name));
    err_step(e, "/%s/%u", place, i);
    return RC_DENIED;
}

static enum rc check_rights(const struct call *c, const struct graph_writing *w, struct err *e)
{
    enum rc rc = RC_OK;
    for (uint32_t i = 0; i < w->node_count && rc == RC_OK; i++) {
        rc = may_write(c, &w->nodes[i].key, "nodes", i, e);
    }
    for (uint32_t i = 0; i < w->edge_count && rc == RC_OK; i++) {
        rc = may_write(c, &w->edges[i].from, "edges", i, e);
    }
    for (uint32_t i = 0; i < w->change_count && rc == RC_OK; i++) {
        rc = may_write(c, &w->changes[i].key, "changes", i, e);
    }
    return rc;
}

enum rc graph_write(struct call *c, struct err *e)
{
    struct graph_writing w;
    uint64_t seq;
    enum rc rc = graph_writing_read(c->arena, &c->body, &w, e);
    rc = rc == RC_OK ? check_rights(c, &w, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    rc = control_repeated(c->control, &c->idempotency, &seq, e);
    if (rc == RC_NOT_FOUND) {
        rc = control_graph_write(c->control, c->arena, &c->who, &c->body, &c->idempotency, &seq, e);
    }
    if (rc != RC_OK) {
        return rc;
    }
    struct value v = value_object();
    value_add_int(c->arena, &v, STR("seq"), (int64_t)seq);
    value_add_int(c->arena, &v, STR("nodes"), w.node_count);
    value_add_int(c->arena, &v, STR("edges"), w.edge_count);
    value_add_int(c->arena, &v, STR("changes"), w.change_count);
    return call_reply(c, 201, v);
}

/* --- reading ---------------------------------------------------------------------------------------------------- */

static enum rc view_of_query(struct call *c, struct graph_view *ret, struct err *e)
{
    const struct graph *g = world_graph(control_world(c->control));
    struct str text;
    int64_t at;
    if (!http_query(c->x, "at", &text)) {
        *ret = graph_view_now(g);
        return RC_OK;
    }
    if (!instant_parse(text, &at)) {
        return err_at(e, RC_INVALID, STR("/at"), "expected a moment of RFC 3339");
    }
    return graph_view_at(g, at, ret, e);
}

/* The edge of an arc, from the node's side: which end it is follows from flow and kind. */
static struct value arc_value(struct call *c, const struct graph_view *v, uint32_t node, enum flow flow, struct arc x)
{
    struct arena *a = c->arena;
    bool forward = edge_kind_flows_forward(arc_kind(x)) || !edge_kind_carries(arc_kind(x));
    bool is_from = forward == (flow == FLOW_HARMS);
    struct graph_edge whole;
    struct value out = value_object();
    value_add_str(a, &out, STR("from"), graph_key(v->graph, is_from ? node : x.other));
    value_add_str(a, &out, STR("to"), graph_key(v->graph, is_from ? x.other : node));
    value_add_str(a, &out, STR("kind"), str_from(edge_kind_name(arc_kind(x))));
    value_add_str(a, &out, STR("confidence"), str_from(confidence_name(arc_confidence(x))));
    value_add(a, &out, STR("effect_pct"), arc_effect_is_assumed(x) ? value_null() : percent((int64_t)arc_effect_bp(x) * 100));
    if (graph_edge_at(v, is_from ? node : x.other, is_from ? x.other : node, arc_kind(x), &whole)) {
        value_add_instant(a, &out, STR("since"), whole.from_ms);
        value_add_str(a, &out, STR("source"), whole.source);
    }
    return out;
}

static struct value node_value(struct call *c, const struct graph_view *v, uint32_t node)
{
    struct arena *a = c->arena;
    struct value out = value_object();
    value_add_str(a, &out, STR("node"), graph_key(v->graph, node));
    struct str said = graph_attributes(v, node);
    struct value attributes = value_object();
    if (said.len > 0 && json_parse(a, said, &attributes, NULL) != RC_OK) {
        attributes = value_object();
    }
    value_add(a, &out, STR("attributes"), attributes);
    struct value edges = value_array();
    for (unsigned flow = 0; flow < 2; flow++) {
        struct arc x;
        for (struct arc_walk w = graph_arcs(v, node, (enum flow)flow); arc_next(&w, &x) && edges.count < API_LIST_MAX;) {
            if (x.other != node || flow == 0) {
                value_push(a, &edges, arc_value(c, v, node, (enum flow)flow, x));
            }
        }
    }
    value_add(a, &out, STR("edges"), edges);
    return out;
}

static void add_changes(struct call *c, const struct graph_view *v, uint32_t node, struct value *out)
{
    struct arena *a = c->arena;
    struct value all = value_array();
    uint32_t first;
    uint32_t count = graph_changes(v, INT64_MIN, INT64_MAX, &first);
    for (uint32_t i = count; i-- > 0 && all.count < API_LIST_DEFAULT;) {
        const struct graph_change *x = graph_change_at(v->graph, first + i);
        if (x->node == node) {
            struct value row = value_object();
            value_add_instant(a, &row, STR("at"), x->at_ms);
            value_add_str(a, &row, STR("kind"), str_from(node_kind_name(x->kind)));
            value_add_str(a, &row, STR("what"), x->what);
            value_add_int(a, &row, STR("seq"), (int64_t)x->seq);
            value_push(a, &all, row);
        }
    }
    value_add(a, out, STR("changes"), all);
}

static enum rc one_node(struct call *c, const struct graph_view *v, struct str key, struct err *e)
{
    uint32_t node = graph_find_key(v->graph, key);
    if (node == MAP_NONE || !graph_node_in_view(v, node)) {
        return err_at(e, RC_NOT_FOUND, STR("/node"), "the graph of that time has no node \"%.*s\"",
                      STR_ARG(str_slice(key, 0, GRAPH_NAME_MAX)));
    }
    struct value out = node_value(c, v, node);
    add_changes(c, v, node, &out);
    return call_reply(c, 200, out);
}

enum rc graph_get(struct call *c, struct err *e)
{
    struct graph_view v;
    uint64_t at;
    uint64_t limit;
    struct str key;
    enum rc rc = view_of_query(c, &v, e);
    rc = rc == RC_OK ? call_page(c, &at, &limit, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    if (http_query(c->x, "node", &key)) {
        return one_node(c, &v, key, e);
    }
    struct value items = value_array();
    for (; at < graph_node_count(v.graph) && items.count < limit && arena_used(c->arena) < API_LIST_BYTES_MAX; at++) {
        if (graph_node_in_view(&v, (uint32_t)at)) {
            value_push(c->arena, &items, node_value(c, &v, (uint32_t)at));
        }
    }
    struct value out = value_object();
    value_add_instant(c->arena, &out, STR("at"), v.at_ms);
    value_add(c->arena, &out, STR("items"), items);
    value_add(c->arena, &out, STR("next"),
              at < graph_node_count(v.graph) ? value_string(arena_printf(c->arena, "%llu", (unsigned long long)at))
                                             : value_null());
    return call_reply(c, 200, out);
}

/* --- impact -------------------------------------------------------------------------------------------------------- */

static enum rc read_services(struct call *c, struct request *q, struct err *e)
{
    const struct world *w = control_world(c->control);
    struct str list = STR("");
    struct str name;
    if (!http_query(c->x, "services", &list) || list.len == 0) {
        return err_at(e, RC_INVALID, STR("/services"), "expected names, comma between");
    }
    while (str_next(&list, ',', &name)) {
        uint32_t at = world_service_find(w, name);
        if (at == MAP_NONE || world_service_at(w, at)->def == NULL) {
            return err_at(e, RC_NOT_FOUND, STR("/services"), "no service is called \"%.*s\"",
                          STR_ARG(str_slice(name, 0, GRAPH_NAME_MAX)));
        }
        if (q->service_count == REQUEST_SERVICES_MAX) {
            return err_at(e, RC_LIMIT, STR("/services"), "more than %d services", REQUEST_SERVICES_MAX);
        }
        q->services[q->service_count++] = at;
    }
    return RC_OK;
}

/* The way from a target to the node, the target first. */
static struct value path_value(struct call *c, const struct impact *i, uint32_t node)
{
    const struct graph *g = world_graph(control_world(c->control));
    uint32_t length = impact_distance(i, node);
    uint32_t *way = arena_array(c->arena, length, sizeof *way);
    struct value all = value_array();
    for (uint32_t at = node, k = length; way != NULL && k-- > 0; at = impact_step(i, at).from) {
        way[k] = at;
    }
    for (uint32_t k = 0; way != NULL && k < length; k++) {
        value_push(c->arena, &all, value_string(graph_key(g, way[k])));
    }
    return all;
}

static struct value hurt_value(struct call *c, const struct impact *i, uint32_t node)
{
    struct arena *a = c->arena;
    const struct world *w = control_world(c->control);
    const struct impact_step step = impact_step(i, node);
    uint32_t service = world_service_of_node(w, node);
    const struct service_def *def = service == MAP_NONE ? NULL : world_service_at(w, service)->def;
    struct value v = value_object();
    value_add_str(a, &v, STR("node"), graph_key(world_graph(w), node));
    value_add(a, &v, STR("effect_pct"), percent((int64_t)step.effect_bp * 100));
    value_add_bool(a, &v, STR("measured"), !step.assumed);
    value_add_str(a, &v, STR("confidence"), str_from(confidence_name(step.confidence)));
    value_add(a, &v, STR("traffic_pct"), def == NULL || def->traffic_ppm == 0 ? value_null() : percent(def->traffic_ppm));
    value_add(a, &v, STR("zone"), def == NULL || def->zone.len == 0 ? value_null() : value_string(def->zone));
    struct budget_fact b = {.state = SIGNAL_NO_SLO};
    bool known = def != NULL && call_budget(c, service, &b);
    known = known && (b.state == SIGNAL_KNOWN || b.state == SIGNAL_NO_TRAFFIC);
    value_add(a, &v, STR("budget_pct"), known ? percent(b.remaining_ppm) : value_null());
    value_add(a, &v, STR("path"), path_value(c, i, node));
    return v;
}

/* What a change of these services would touch, as a decision would record it, and each node with its way. */
enum rc impact_get(struct call *c, struct err *e)
{
    struct arena *a = c->arena;
    struct request q = {.agent_index = MAP_NONE, .tool_index = MAP_NONE};
    struct tool_def write = {.class = TOOL_WRITE};
    q.tool = &write;
    uint64_t at;
    uint64_t limit;
    enum rc rc = read_services(c, &q, e);
    rc = rc == RC_OK ? call_page(c, &at, &limit, e) : rc;
    struct facts *f = rc == RC_OK ? arena_alloc(a, sizeof *f) : NULL;
    if (f == NULL) {
        return rc != RC_OK ? rc : err_set(e, arena_rc(a), "out of memory");
    }
    const struct world *w = control_world(c->control);
    if (world_policy(w) == NULL) {
        return err_set(e, RC_UNAVAILABLE, "no policy is loaded");
    }
    struct gate_input in = {.world = w,
                            .policy = world_policy(w),
                            .signals = control_signals(c->control),
                            .request = &q,
                            .now_ms = control_now(c->control)};
    gate_gather(&in, f);
    struct value v = render_blast_radius(a, f);
    const struct impact hurt = world_impact(w, q.services, q.service_count, UINT32_MAX);
    struct value nodes = value_array();
    for (uint32_t i = 0; i < hurt.count && nodes.count < limit && arena_used(a) < API_LIST_BYTES_MAX; i++) {
        value_push(a, &nodes, hurt_value(c, &hurt, hurt.nodes[i]));
    }
    value_add_int(a, &v, STR("nodes_hurt"), hurt.count);
    value_add(a, &v, STR("nodes"), nodes);
    return call_reply(c, 200, v);
}
