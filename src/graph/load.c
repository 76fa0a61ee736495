/*
 * graph/load - a graph from the records that graph_save wrote, in their order. What can't be is refused.
 */
#include "graph/graph_internal.h"

#include "value/value.h"

struct loader {
    struct graph *g;
    const struct value *v;
    int64_t n[8]; /* the record's numbers */
    uint32_t count;
    struct err *e;
};

static enum rc corrupt(struct loader *l, const char *what)
{
    return err_set(l->e, RC_CORRUPT, "the graph's %s is malformed", what);
}

static enum rc load_head(struct loader *l)
{
    if (l->count != 3) {
        return corrupt(l, "head");
    }
    l->g->now_ms = l->n[0];
    l->g->forgotten_ms = l->n[1];
    l->g->changes_since_ms = l->n[2];
    return RC_OK;
}

static enum rc load_moments(struct loader *l)
{
    const struct value *n = value_get(l->v, STR("n"));
    for (uint32_t i = 0; i < l->count; i++) {
        int64_t ms = value_integer_or(&n->items[i], INT64_MIN);
        uint32_t at;
        if (ms <= l->g->moments[l->g->moment_count - 1]) {
            return corrupt(l, "moments");
        }
        enum rc rc = graph_moment(l->g, ms, &at, l->e);
        if (rc != RC_OK) {
            return rc;
        }
    }
    return RC_OK;
}

static enum rc load_source(struct loader *l)
{
    uint32_t before = l->g->source_count;
    uint16_t at;
    enum rc rc = graph_source(l->g, value_text(value_get(l->v, STR("name"))), &at, l->e);
    return rc == RC_OK && l->g->source_count == before ? corrupt(l, "source") : rc;
}

static enum rc load_node(struct loader *l)
{
    enum node_kind kind;
    if (!node_kind_parse(value_text(value_get(l->v, STR("kind"))), &kind)) {
        return corrupt(l, "node");
    }
    return node_restore(l->g, kind, value_text(value_get(l->v, STR("name"))), l->e);
}

static int64_t number(const struct loader *l, const char *name, int64_t otherwise)
{
    return value_integer_or(value_get(l->v, str_from(name)), otherwise);
}

static bool in_range(int64_t n, int64_t below)
{
    return n >= 0 && n < below;
}

static enum rc load_said(struct loader *l)
{
    int64_t node = number(l, "node", -1);
    int64_t source = number(l, "source", -1);
    if (!in_range(node, l->g->node_count) || !in_range(source, l->g->source_count)) {
        return corrupt(l, "node's version");
    }
    struct node_version x = {.from_ms = number(l, "from", 0),
                             .until_ms = number(l, "until", FOREVER_MS),
                             .node = (uint32_t)node,
                             .source = (uint16_t)source};
    return node_version_restore(l->g, &x, value_text(value_get(l->v, STR("attributes"))), l->e);
}

static enum rc load_edge(struct loader *l)
{
    struct graph *g = l->g;
    struct arc a = {0, (uint32_t)l->n[2]};
    bool fits = l->count == 6 && in_range(l->n[0], g->node_count) && in_range(l->n[1], g->node_count) &&
                in_range(l->n[2], UINT32_MAX) && in_range(l->n[3], g->source_count) && arc_kind(a) < EDGE_KIND_COUNT &&
                arc_confidence(a) < CONFIDENCE_COUNT && in_range((int64_t)arc_effect_bp(a) - 1, WHOLE_BP);
    if (!fits) {
        return corrupt(l, "edge");
    }
    enum rc rc = graph_room(&g->versions, g->version_count, &g->version_capacity, sizeof *g->versions, l->e);
    if (rc != RC_OK) {
        return rc;
    }
    g->versions[g->version_count] = (struct version){
        (uint32_t)l->n[0], (uint32_t)l->n[1], a.bits, (uint16_t)l->n[3], l->n[4], l->n[5], {0, 0}};
    g->over_count += l->n[5] == FOREVER_MS ? 0 : 1;
    return version_place(g, g->version_count++, l->e);
}

static enum rc load_claim(struct loader *l)
{
    struct graph *g = l->g;
    const int64_t *n = l->n;
    struct edge x = {.expires_ms = n[7]};
    bool fits = l->count == 8 && in_range(n[0], g->version_count) && g->versions[n[0]].until_ms == FOREVER_MS;
    for (unsigned i = 0; i < CLAIM_COUNT && fits; i++) {
        int64_t bp = n[1 + 2 * i];
        int64_t source = n[2 + 2 * i];
        fits = (bp == BP_UNMEASURED || in_range(bp, WHOLE_BP + 1)) && in_range(source, g->source_count);
        x.bp[i] = (uint16_t)bp;
        x.source[i] = (uint16_t)source;
    }
    if (!fits || edge_is_over(&x)) {
        return corrupt(l, "claim");
    }
    return edge_restore(g, (uint32_t)n[0], x, l->e);
}

static enum rc load_change(struct loader *l)
{
    struct graph_change c = {.at_ms = number(l, "at", 0),
                             .seq = (uint64_t)number(l, "seq", 0),
                             .what = value_text(value_get(l->v, STR("what")))};
    int64_t node = number(l, "node", -1);
    if (!in_range(node, l->g->node_count) || !node_kind_parse(value_text(value_get(l->v, STR("kind"))), &c.kind)) {
        return corrupt(l, "change");
    }
    c.node = (uint32_t)node;
    return graph_changed(l->g, &c, l->e);
}

static const struct {
    const char *kind;
    enum rc (*load)(struct loader *l);
} rows[] = {
    {GRAPH_RECORD "head", load_head}, {GRAPH_RECORD "moments", load_moments}, {GRAPH_RECORD "source", load_source}, {GRAPH_RECORD "node", load_node},
    {GRAPH_RECORD "said", load_said}, {GRAPH_RECORD "edge", load_edge},     {GRAPH_RECORD "claim", load_claim},
    {GRAPH_RECORD "change", load_change},
};

enum rc graph_load_record(struct graph *g, const struct value *record, struct err *e)
{
    struct loader l = {.g = g, .v = record, .e = e};
    const struct value *n = value_get(record, STR("n"));
    l.count = value_is(n, VALUE_ARRAY) ? n->count : 0;
    for (uint32_t i = 0; i < l.count && i < sizeof l.n / sizeof *l.n; i++) {
        l.n[i] = value_integer_or(&n->items[i], -1);
    }
    struct str kind = value_text(value_get(record, STR("r")));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (str_eq(kind, str_from(rows[i].kind))) {
            return rows[i].load(&l);
        }
    }
    return corrupt(&l, "record kind");
}
