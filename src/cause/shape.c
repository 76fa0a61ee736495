#include "cause/shape.h"

#include "value/value.h"

enum { SHAPE_TEXT_MAX = 65536 };

/* The kind of a node that a report names: plainly, or with its kind. */
static const char *kind_of(const struct graph *g, struct str name)
{
    uint32_t at = graph_find_key(g, name);
    for (unsigned k = 0; at == MAP_NONE && k < NODE_KIND_COUNT; k++) {
        at = graph_find(g, (enum node_kind)k, name);
    }
    return at == MAP_NONE ? "unknown" : node_kind_name(graph_kind(g, at));
}

static void write_steps(struct buf *out, const struct graph *g, const struct value *chain)
{
    struct str last = STR("");
    const char *kind = "";
    for (uint32_t i = 0; value_item(chain, i) != NULL; i++) {
        const struct value *step = value_item(chain, i);
        struct str edge = value_text(value_get(step, STR("edge")));
        const char *to = kind_of(g, value_text(value_get(step, STR("to"))));
        if (i == 0) {
            kind = kind_of(g, value_text(value_get(step, STR("from"))));
            buf_str(out, str_from(kind));
        }
        if (i == 0 || !str_eq(edge, last) || to != kind) {
            buf_printf(out, " -%.*s-> %s", STR_ARG(edge), to);
        }
        last = edge;
        kind = to;
    }
}

void shape_of_report(struct buf *out, const struct graph *g, const struct value *report, uint32_t node, struct str metric)
{
    const struct value *change = value_item(value_get(report, STR("changes")), 0);
    const struct value *cause = value_item(value_get(report, STR("causes")), 0);
    const struct value *chain = value_get(change != NULL ? change : cause, STR("chain"));
    if (!value_bool_or(value_get(report, STR("found")), false) || cause == NULL) {
        return;
    }
    struct buf text;
    buf_init(&text, SHAPE_TEXT_MAX);
    if (change != NULL) {
        buf_printf(&text, "%.*s change: ", STR_ARG(value_text(value_get(change, STR("kind")))));
    }
    write_steps(&text, g, chain);
    if (value_item(chain, 0) == NULL) {
        buf_str(&text, str_from(node_kind_name(graph_kind(g, node))));
    }
    buf_printf(&text, " | %.*s", STR_ARG(metric.len == 0 ? STR("any") : metric));
    buf_str(out, str_slice(buf_view(&text), 0, out->max - out->len));
    buf_done(&text);
}
