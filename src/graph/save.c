/*
 * graph/save - the graph as records, each table in its own order, so equal graphs give equal bytes.
 */
#include "graph/graph_internal.h"

#include "value/value.h"

#define MOMENTS_PER_RECORD 1000U

struct saver {
    const struct graph *g;
    struct arena *arena;
    graph_record_fn fn;
    void *context;
    struct err *e;
};

static struct value record(const struct saver *s, const char *kind)
{
    struct value v = value_object();
    value_add_str(s->arena, &v, STR("r"), str_from(kind));
    return v;
}

static enum rc put(const struct saver *s, const struct value *v)
{
    enum rc rc = arena_rc(s->arena);
    return rc == RC_OK ? s->fn(s->context, v, s->e) : err_set(s->e, rc, "a record of the graph is too large");
}

static enum rc put_numbers(const struct saver *s, const char *kind, const int64_t *n, size_t count)
{
    struct value v = record(s, kind);
    struct value all = value_array();
    for (size_t i = 0; i < count; i++) {
        value_push(s->arena, &all, value_int(n[i]));
    }
    value_add(s->arena, &v, STR("n"), all);
    return put(s, &v);
}

static enum rc save_head(const struct saver *s)
{
    const int64_t n[] = {s->g->now_ms, s->g->forgotten_ms, s->g->changes_since_ms};
    return put_numbers(s, GRAPH_RECORD "head", n, sizeof n / sizeof *n);
}

static enum rc save_moments(const struct saver *s)
{
    enum rc rc = RC_OK;
    for (uint32_t i = 1; i < s->g->moment_count && rc == RC_OK; i += MOMENTS_PER_RECORD) {
        uint32_t left = s->g->moment_count - i;
        rc = put_numbers(s, GRAPH_RECORD "moments", s->g->moments + i, left < MOMENTS_PER_RECORD ? left : MOMENTS_PER_RECORD);
    }
    return rc;
}

/* The first source is there from the start. */
static enum rc save_sources(const struct saver *s)
{
    enum rc rc = RC_OK;
    for (uint32_t i = 1; i < s->g->source_count && rc == RC_OK; i++) {
        struct value v = record(s, GRAPH_RECORD "source");
        value_add_str(s->arena, &v, STR("name"), s->g->sources[i]);
        rc = put(s, &v);
    }
    return rc;
}

static enum rc save_nodes(const struct saver *s)
{
    enum rc rc = RC_OK;
    for (uint32_t i = 0; i < s->g->node_count && rc == RC_OK; i++) {
        struct value v = record(s, GRAPH_RECORD "node");
        value_add_str(s->arena, &v, STR("kind"), str_from(node_kind_name(s->g->nodes[i].kind)));
        value_add_str(s->arena, &v, STR("name"), graph_name(s->g, i));
        rc = put(s, &v);
    }
    return rc;
}

static enum rc save_said(const struct saver *s)
{
    enum rc rc = RC_OK;
    for (uint32_t i = 0; i < s->g->node_version_count && rc == RC_OK; i++) {
        const struct node_version *x = &s->g->node_versions[i];
        struct value v = record(s, GRAPH_RECORD "said");
        value_add_int(s->arena, &v, STR("node"), x->node);
        value_add_int(s->arena, &v, STR("from"), x->from_ms);
        if (x->until_ms != FOREVER_MS) {
            value_add_int(s->arena, &v, STR("until"), x->until_ms);
        }
        value_add_int(s->arena, &v, STR("source"), x->source);
        if (x->length > 0) {
            value_add_str(s->arena, &v, STR("attributes"), (struct str){x->attributes, x->length});
        }
        rc = put(s, &v);
    }
    return rc;
}

static enum rc save_versions(const struct saver *s)
{
    enum rc rc = RC_OK;
    for (uint32_t i = 0; i < s->g->version_count && rc == RC_OK; i++) {
        const struct version *x = &s->g->versions[i];
        const int64_t n[] = {x->from, x->to, x->bits, x->source, x->from_ms, x->until_ms};
        rc = put_numbers(s, GRAPH_RECORD "edge", n, sizeof n / sizeof *n);
    }
    return rc;
}

static enum rc save_claims(const struct saver *s)
{
    enum rc rc = RC_OK;
    for (uint32_t i = 0; i < s->g->version_count && rc == RC_OK; i++) {
        const struct version *x = &s->g->versions[i];
        if (x->until_ms != FOREVER_MS) {
            continue;
        }
        uint32_t at = idmap_get(&s->g->edge_by_key, edge_key(x->from, x->to, (enum edge_kind)(x->bits & 15U)));
        must(at != MAP_NONE);
        const struct edge *c = &s->g->edges[at];
        const int64_t n[] = {i, c->bp[CLAIM_DEFINED], c->source[CLAIM_DEFINED], c->bp[CLAIM_WRITTEN],
                             c->source[CLAIM_WRITTEN], c->bp[CLAIM_OBSERVED], c->source[CLAIM_OBSERVED],
                             c->bp[CLAIM_OBSERVED] == BP_NONE ? 0 : c->expires_ms};
        rc = put_numbers(s, GRAPH_RECORD "claim", n, sizeof n / sizeof *n);
    }
    return rc;
}

static enum rc save_changes(const struct saver *s)
{
    enum rc rc = RC_OK;
    for (uint32_t i = 0; i < s->g->change_count && rc == RC_OK; i++) {
        const struct graph_change *c = &s->g->changes[i];
        struct value v = record(s, GRAPH_RECORD "change");
        value_add_int(s->arena, &v, STR("at"), c->at_ms);
        value_add_int(s->arena, &v, STR("node"), c->node);
        value_add_str(s->arena, &v, STR("kind"), str_from(node_kind_name(c->kind)));
        value_add_int(s->arena, &v, STR("seq"), (int64_t)c->seq);
        value_add_str(s->arena, &v, STR("what"), c->what);
        rc = put(s, &v);
    }
    return rc;
}

enum rc graph_save(const struct graph *g, struct arena *a, graph_record_fn fn, void *context, struct err *e)
{
    static enum rc (*const parts[])(const struct saver *s) = {
        save_head, save_moments, save_sources, save_nodes, save_said, save_versions, save_claims, save_changes,
    };
    const struct saver s = {g, a, fn, context, e};
    enum rc rc = RC_OK;
    for (size_t i = 0; i < sizeof parts / sizeof *parts && rc == RC_OK; i++) {
        rc = parts[i](&s);
    }
    return rc;
}
