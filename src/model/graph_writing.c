#include "model/graph_writing.h"

#include "base/instant.h"
#include "value/json.h"

bool node_key_read(struct str text, struct node_key *ret)
{
    size_t colon = str_find(text, ':');
    ret->kind = NODE_SERVICE;
    ret->name = text;
    if (colon < text.len && node_kind_parse(str_slice(text, 0, colon), &ret->kind)) {
        ret->name = str_slice(text, colon + 1, text.len);
    }
    return ret->name.len > 0 && ret->name.len <= GRAPH_NAME_MAX && utf8_valid(ret->name);
}

/* --- reading ---------------------------------------------------------------------------------------------- */

struct item {
    struct arena *arena;
    const struct value *v;
    struct err *e;
};

static enum rc bad(const struct item *i, const char *place, const char *want)
{
    return err_at(i->e, RC_INVALID, str_from(place), "expected %s", want);
}

static enum rc read_key(const struct item *i, const char *name, struct node_key *ret)
{
    if (!node_key_read(value_text(value_get(i->v, str_from(name))), ret)) {
        err_say(i->e, RC_INVALID, "expected a node: \"kind:name\", or a service's name of 1 to %d bytes", GRAPH_NAME_MAX);
        err_step(i->e, "/%s", name);
        return RC_INVALID;
    }
    return RC_OK;
}

static enum rc read_gone(const struct item *i, bool *ret)
{
    const struct value *v = value_get(i->v, STR("gone"));
    *ret = value_bool_or(v, false);
    return v == NULL || v->type == VALUE_BOOL ? RC_OK : bad(i, "/gone", "true or false");
}

/* Only these members, of an object. */
static enum rc only(const struct item *i, const char *const *names)
{
    if (!value_is(i->v, VALUE_OBJECT)) {
        return bad(i, "", "an object");
    }
    for (uint32_t m = 0; m < i->v->count; m++) {
        bool known = false;
        for (size_t n = 0; names[n] != NULL; n++) {
            known = known || str_eq(i->v->members[m].name, str_from(names[n]));
        }
        if (!known) {
            return err_at(i->e, RC_INVALID, STR(""), "unknown member \"%.*s\"", STR_ARG(str_slice(i->v->members[m].name, 0, 64)));
        }
    }
    return RC_OK;
}

static enum rc read_attributes(const struct item *i, struct str *ret)
{
    const struct value *v = value_get(i->v, STR("attributes"));
    *ret = (struct str){NULL, 0};
    if (v == NULL) {
        return RC_OK;
    }
    if (v->type != VALUE_OBJECT) {
        return bad(i, "/attributes", "an object");
    }
    struct buf text;
    buf_init(&text, GRAPH_ATTRIBUTES_MAX);
    json_write_canonical(&text, v, i->arena);
    enum rc rc = text.rc == RC_LIMIT ? err_at(i->e, RC_LIMIT, STR("/attributes"), "more than %d bytes", GRAPH_ATTRIBUTES_MAX)
                                     : text.rc;
    *ret = v->count == 0 ? STR("") : arena_str(i->arena, buf_view(&text));
    buf_done(&text);
    return rc;
}

static enum rc read_node(const struct item *i, void *out)
{
    static const char *const names[] = {"node", "attributes", "gone", NULL};
    struct node_writing *n = out;
    enum rc rc = only(i, names);
    rc = rc == RC_OK ? read_key(i, "node", &n->key) : rc;
    rc = rc == RC_OK ? read_attributes(i, &n->attributes) : rc;
    return rc == RC_OK ? read_gone(i, &n->gone) : rc;
}

/* A percentage above 0, to basis points and never to nothing. */
static enum rc read_effect(const struct item *i, uint32_t *ret)
{
    const struct value *v = value_get(i->v, STR("effect_pct"));
    double percent = 0;
    *ret = 0;
    if (v == NULL) {
        return RC_OK;
    }
    if (!value_number(v, &percent) || !(percent > 0) || percent > 100) {
        return bad(i, "/effect_pct", "a percentage above 0, up to 100");
    }
    uint32_t bp = (uint32_t)(percent * 100 + 0.5);
    *ret = bp == 0 ? 1 : bp;
    return RC_OK;
}

static enum rc read_edge(const struct item *i, void *out)
{
    static const char *const names[] = {"from", "to", "kind", "effect_pct", "gone", NULL};
    struct edge_writing *x = out;
    enum rc rc = only(i, names);
    rc = rc == RC_OK ? read_key(i, "from", &x->from) : rc;
    rc = rc == RC_OK ? read_key(i, "to", &x->to) : rc;
    if (rc == RC_OK && !edge_kind_parse(value_text(value_get(i->v, STR("kind"))), &x->kind)) {
        return bad(i, "/kind", "calls, depends_on, deploys, configures, touches, caused, resolved_by, owns or part_of");
    }
    rc = rc == RC_OK ? read_effect(i, &x->effect_bp) : rc;
    return rc == RC_OK ? read_gone(i, &x->gone) : rc;
}

static bool is_change_kind(enum node_kind k)
{
    return k == NODE_DEPLOY || k == NODE_CONFIG || k == NODE_ARTIFACT || k == NODE_POLICY;
}

static enum rc read_change(const struct item *i, void *out)
{
    static const char *const names[] = {"node", "kind", "what", "at", NULL};
    struct change_writing *x = out;
    enum rc rc = only(i, names);
    rc = rc == RC_OK ? read_key(i, "node", &x->key) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    if (!node_kind_parse(value_text(value_get(i->v, STR("kind"))), &x->kind) || !is_change_kind(x->kind)) {
        return bad(i, "/kind", "deploy, config, artifact or policy");
    }
    x->what = value_text(value_get(i->v, STR("what")));
    if (x->what.len > GRAPH_DETAIL_MAX) {
        return err_at(i->e, RC_LIMIT, STR("/what"), "more than %d bytes", GRAPH_DETAIL_MAX);
    }
    const struct value *at = value_get(i->v, STR("at"));
    x->at_ms = 0;
    return at == NULL || instant_parse(value_text(at), &x->at_ms) ? RC_OK : bad(i, "/at", "a moment of RFC 3339");
}

typedef enum rc (*read_fn)(const struct item *i, void *out);

static enum rc read_list(const struct item *whole, const char *name, size_t size, read_fn read, void *ret, uint32_t *ret_count)
{
    const struct value *list = value_get(whole->v, str_from(name));
    void **items = ret;
    *items = NULL;
    *ret_count = 0;
    if (list == NULL) {
        return RC_OK;
    }
    if (list->type != VALUE_ARRAY || list->count > GRAPH_WRITING_MAX) {
        err_say(whole->e, RC_INVALID, "expected a list of at most %d", GRAPH_WRITING_MAX);
        err_step(whole->e, "/%s", name);
        return RC_INVALID;
    }
    unsigned char *room = arena_array(whole->arena, list->count, size);
    if (list->count > 0 && room == NULL) {
        return err_set(whole->e, arena_rc(whole->arena), "the writing is too large");
    }
    for (uint32_t i = 0; i < list->count; i++) {
        const struct item item = {whole->arena, &list->items[i], whole->e};
        enum rc rc = read(&item, room + i * size);
        if (rc != RC_OK) {
            err_step(whole->e, "/%s/%u", name, i);
            return rc;
        }
    }
    *items = room;
    *ret_count = list->count;
    return arena_rc(whole->arena);
}

enum rc graph_writing_read(struct arena *a, const struct value *v, struct graph_writing *ret, struct err *e)
{
    static const char *const names[] = {"source", "nodes", "edges", "changes", "idem", NULL};
    const struct item i = {a, v, e};
    enum rc rc = only(&i, names);
    if (rc != RC_OK) {
        return rc;
    }
    ret->source = value_text(value_get(v, STR("source")));
    if (ret->source.len == 0 || ret->source.len > GRAPH_SOURCE_MAX) {
        return err_at(e, RC_INVALID, STR("/source"), "expected 1 to %d bytes: who says so", GRAPH_SOURCE_MAX);
    }
    rc = read_list(&i, "nodes", sizeof *ret->nodes, read_node, &ret->nodes, &ret->node_count);
    rc = rc == RC_OK ? read_list(&i, "edges", sizeof *ret->edges, read_edge, &ret->edges, &ret->edge_count) : rc;
    rc = rc == RC_OK ? read_list(&i, "changes", sizeof *ret->changes, read_change, &ret->changes, &ret->change_count) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    uint32_t all = ret->node_count + ret->edge_count + ret->change_count;
    if (all == 0) {
        return err_set(e, RC_INVALID, "expected nodes, edges or changes");
    }
    return all <= GRAPH_WRITING_MAX ? RC_OK
                                    : err_set(e, RC_LIMIT, "more than %d nodes, edges and changes together", GRAPH_WRITING_MAX);
}

/* --- asked before it is written ------------------------------------------------------------------------------ */

static uint32_t is_new(const struct graph *g, const struct node_key *k)
{
    return graph_find(g, k->kind, k->name) == MAP_NONE ? 1 : 0;
}

enum rc graph_writing_check(const struct graph *g, const struct graph_writing *w, int64_t now_ms, struct err *e)
{
    uint64_t nodes = 0;
    for (uint32_t i = 0; i < w->node_count; i++) {
        nodes += is_new(g, &w->nodes[i].key);
    }
    for (uint32_t i = 0; i < w->edge_count; i++) {
        nodes += is_new(g, &w->edges[i].from) + is_new(g, &w->edges[i].to);
    }
    for (uint32_t i = 0; i < w->change_count; i++) {
        nodes += is_new(g, &w->changes[i].key);
        if (w->changes[i].at_ms > now_ms) {
            err_say(e, RC_INVALID, "expected a moment that is over");
            err_step(e, "/changes/%u/at", i);
            return RC_INVALID;
        }
    }
    return graph_has_room(g, nodes, w->edge_count, e);
}

/* --- applying --------------------------------------------------------------------------------------------------- */

static enum rc apply_node(struct graph *g, const struct node_writing *n, struct str source, struct err *e)
{
    uint32_t at = graph_find(g, n->key.kind, n->key.name);
    if (n->gone) {
        return at == MAP_NONE ? RC_OK : graph_end_node(g, at, e);
    }
    enum rc rc = graph_node(g, n->key.kind, n->key.name, &at, e);
    return rc == RC_OK && n->attributes.ptr != NULL ? graph_describe(g, at, n->attributes, source, e) : rc;
}

static enum rc apply_edge(struct graph *g, const struct edge_writing *x, struct str source, struct err *e)
{
    if (x->gone) {
        uint32_t from = graph_find(g, x->from.kind, x->from.name);
        uint32_t to = graph_find(g, x->to.kind, x->to.name);
        return from == MAP_NONE || to == MAP_NONE ? RC_OK : graph_unlink(g, from, to, x->kind, CLAIM_WRITTEN, e);
    }
    struct edge_claim c = {.kind = x->kind, .claim = CLAIM_WRITTEN, .effect_bp = x->effect_bp, .source = source};
    enum rc rc = graph_node(g, x->from.kind, x->from.name, &c.from, e);
    rc = rc == RC_OK ? graph_node(g, x->to.kind, x->to.name, &c.to, e) : rc;
    return rc == RC_OK ? graph_link(g, &c, e) : rc;
}

static enum rc apply_change(struct graph *g, const struct change_writing *x, uint64_t seq, struct err *e)
{
    struct graph_change c = {.at_ms = x->at_ms == 0 ? graph_now(g) : x->at_ms, .kind = x->kind, .seq = seq, .what = x->what};
    enum rc rc = graph_node(g, x->key.kind, x->key.name, &c.node, e);
    return rc == RC_OK ? graph_changed(g, &c, e) : rc;
}

enum rc graph_writing_apply(struct graph *g, const struct graph_writing *w, uint64_t seq, struct err *e)
{
    enum rc rc = RC_OK;
    for (uint32_t i = 0; i < w->node_count && rc == RC_OK; i++) {
        rc = apply_node(g, &w->nodes[i], w->source, e);
    }
    for (uint32_t i = 0; i < w->edge_count && rc == RC_OK; i++) {
        rc = apply_edge(g, &w->edges[i], w->source, e);
    }
    for (uint32_t i = 0; i < w->change_count && rc == RC_OK; i++) {
        rc = apply_change(g, &w->changes[i], seq, e);
    }
    return rc;
}
