/*
 * evidence/read_json - the graph and the changes.
 */
#include "evidence/read.h"
#include "value/json.h"

#include <stdio.h>
#include <string.h>

/* Which of an edge's ends harms the other, by kind. Kinds that are not known carry harm to `from`, as "depends on" does. */
static const struct {
    const char *kind;
    const char *says; /* the kind in the direction of harm */
    bool forward;     /* harm goes from `from` to `to` */
    bool call;
} edge_kinds[] = {
    {"calls", "calls", false, true},
    {"depends_on", "depends_on", false, true},
    {"configured_by", "configures", false, false},
    {"deployed_from", "deploys", false, false},
    {"configures", "configures", true, false},
    {"deploys", "deploys", true, false},
    {"part_of", "part_of", true, false},
};

/* Types of nodes that nobody here runs. */
static bool is_outside(struct str type)
{
    static const char *const types[] = {"client", "user", "remote", "remote_endpoint", "external", "third_party"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (str_eq(type, str_from(types[i]))) {
            return true;
        }
    }
    return false;
}

static enum rc wrong(struct err *e, const char *file, const char *list, uint32_t i, const char *expected)
{
    char where[ERR_WHERE_MAX];
    snprintf(where, sizeof where, "%s:/%s/%u", file, list, i);
    return err_at(e, RC_INVALID, str_from(where), "expected %s", expected);
}

static enum rc read_nodes(struct evidence *ev, const char *file, const struct value *nodes, struct err *e)
{
    for (uint32_t i = 0; value_is(nodes, VALUE_ARRAY) && i < nodes->count; i++) {
        struct str name = value_text(value_get(value_item(nodes, i), STR("id")));
        if (name.len == 0) {
            return wrong(e, file, "nodes", i, "an object with \"id\"");
        }
        uint32_t n = evidence_node(ev, name);
        if (n == MAP_NONE) {
            return err_set(e, ev->err.rc, "%s", ev->err.text);
        }
        ev->nodes[n].in_graph = true;
        ev->nodes[n].outside |= is_outside(value_text(value_get(value_item(nodes, i), STR("type"))));
    }
    return RC_OK;
}

static void tie_edge(struct evidence *ev, uint32_t from, uint32_t to, struct str kind)
{
    for (size_t k = 0; k < sizeof edge_kinds / sizeof *edge_kinds; k++) {
        if (str_eq(kind, str_from(edge_kinds[k].kind))) {
            bool forward = edge_kinds[k].forward;
            evidence_tie(ev, forward ? from : to, forward ? to : from, str_from(edge_kinds[k].says), edge_kinds[k].call);
            return;
        }
    }
    evidence_tie(ev, to, from, kind, false);
}

static enum rc read_edges(struct evidence *ev, const char *file, const struct value *edges, struct err *e)
{
    for (uint32_t i = 0; value_is(edges, VALUE_ARRAY) && i < edges->count; i++) {
        const struct value *edge = value_item(edges, i);
        struct str from = value_text(value_get(edge, STR("from")));
        struct str to = value_text(value_get(edge, STR("to")));
        struct str kind = value_text(value_get(edge, STR("kind")));
        if (from.len == 0 || to.len == 0 || kind.len == 0) {
            return wrong(e, file, "edges", i, "an object with \"from\", \"to\" and \"kind\"");
        }
        uint32_t a = evidence_node(ev, from);
        uint32_t b = evidence_node(ev, to);
        if (a != MAP_NONE && b != MAP_NONE) {
            ev->nodes[a].in_graph = ev->nodes[b].in_graph = true;
            tie_edge(ev, a, b, kind);
        }
    }
    return ev->err.rc == RC_OK ? RC_OK : err_set(e, ev->err.rc, "%s", ev->err.text);
}

enum rc read_graph(struct evidence *ev, const char *file, struct str text, struct err *e)
{
    struct value v;
    enum rc rc = json_parse(ev->arena, text, &v, e);
    if (rc != RC_OK) {
        return err_wrap(e, rc, "%s", file);
    }
    if (!value_is(value_get(&v, STR("nodes")), VALUE_ARRAY) && !value_is(value_get(&v, STR("edges")), VALUE_ARRAY)) {
        return err_at(e, RC_INVALID, str_from(file), "expected an object with \"nodes\" and \"edges\"");
    }
    rc = read_nodes(ev, file, value_get(&v, STR("nodes")), e);
    return rc == RC_OK ? read_edges(ev, file, value_get(&v, STR("edges")), e) : rc;
}

static enum rc change_line(struct evidence *ev, const char *file, uint32_t line, struct str text, struct err *e)
{
    struct value v;
    char where[ERR_WHERE_MAX];
    snprintf(where, sizeof where, "%s:%u", file, line);
    enum rc rc = json_parse(ev->arena, text, &v, e);
    if (rc != RC_OK) {
        return err_wrap(e, rc, "%s", where);
    }
    const struct value *ts = value_get(&v, STR("ts"));
    struct str object = value_text(value_get(&v, STR("object")));
    struct change c = {.kind = value_text(value_get(&v, STR("kind"))), .what = value_text(value_get(&v, STR("detail")))};
    double seconds = 0;
    bool dated = value_number(ts, &seconds) || read_instant(value_text(ts), &c.at_ms);
    if (object.len == 0 || c.kind.len == 0 || !dated || seconds > 1e12 || seconds < -1e12) {
        return err_at(e, RC_INVALID, str_from(where), "expected an object with \"kind\", \"object\" and \"ts\"");
    }
    if (!value_is(ts, VALUE_STRING)) {
        c.at_ms = (int64_t)(seconds * 1000.0);
    }
    c.node = evidence_node(ev, object);
    evidence_change(ev, &c);
    return ev->err.rc == RC_OK ? RC_OK : err_set(e, ev->err.rc, "%s", ev->err.text);
}

enum rc read_changes(struct evidence *ev, const char *file, struct str text, struct err *e)
{
    struct str line;
    struct str rest = text;
    enum rc rc = RC_OK;
    for (uint32_t n = 1; rc == RC_OK && str_next(&rest, '\n', &line); n++) {
        if (str_trim(line).len > 0) {
            rc = change_line(ev, file, n, str_trim(line), e);
        }
    }
    return rc;
}
