/*
 * model/graph_observation - what traffic showed: read, written, applied.
 */
#include "model/graph_writing.h"

#include "base/instant.h"

enum { CALL_NUMBERS = 6 };

/* --- writing ---------------------------------------------------------------------------------------------- */

static struct str key_text(struct arena *a, const struct node_key *k)
{
    return arena_printf(a, "%s:%.*s", node_kind_name(k->kind), STR_ARG(k->name));
}

static struct value effect_value(struct arena *a, const struct effect_row *x)
{
    struct value v = value_array();
    value_push(a, &v, value_string(key_text(a, &x->caller)));
    value_push(a, &v, value_string(key_text(a, &x->callee)));
    value_push(a, &v, value_int(x->effect_bp));
    return v;
}

static struct value call_value(struct arena *a, const struct call_row *x)
{
    const int64_t n[CALL_NUMBERS] = {x->n, x->errors, x->total_us, x->self_us, x->net_us, x->children};
    struct value v = value_array();
    value_push(a, &v, value_string(x->caller));
    value_push(a, &v, value_string(x->callee));
    value_push(a, &v, value_string(x->operation));
    for (size_t i = 0; i < CALL_NUMBERS; i++) {
        value_push(a, &v, value_int(n[i]));
    }
    return v;
}

struct value graph_observation_write(struct arena *a, const struct graph_observation *o)
{
    struct value effects = value_array();
    for (uint32_t i = 0; i < o->effect_count; i++) {
        value_push(a, &effects, effect_value(a, &o->effects[i]));
    }
    struct value calls = value_array();
    for (uint32_t i = 0; i < o->call_count; i++) {
        value_push(a, &calls, call_value(a, &o->calls[i]));
    }
    struct value v = value_object();
    value_add_str(a, &v, STR("source"), o->source);
    value_add_instant(a, &v, STR("from"), o->from_ms);
    value_add_instant(a, &v, STR("to"), o->to_ms);
    value_add_instant(a, &v, STR("until"), o->until_ms);
    value_add(a, &v, STR("effects"), effects);
    struct value traffic = value_object();
    value_add(a, &traffic, STR("calls"), calls);
    value_add(a, &v, STR("traffic"), traffic);
    return v;
}

/* --- reading ---------------------------------------------------------------------------------------------- */

static bool read_effect(const struct value *v, struct effect_row *ret)
{
    int64_t bp = value_integer_or(value_item(v, 2), -1);
    ret->effect_bp = (uint32_t)bp;
    return node_key_read(value_text(value_item(v, 0)), &ret->caller) &&
           node_key_read(value_text(value_item(v, 1)), &ret->callee) && bp >= 0 && bp <= WHOLE_BP;
}

static bool read_call(const struct value *v, struct call_row *ret)
{
    int64_t n[CALL_NUMBERS];
    bool fits = true;
    for (uint32_t i = 0; i < CALL_NUMBERS; i++) {
        n[i] = value_integer_or(value_item(v, 3 + i), -1);
        fits = fits && n[i] >= 0;
    }
    *ret = (struct call_row){value_text(value_item(v, 0)),
                             value_text(value_item(v, 1)),
                             value_text(value_item(v, 2)),
                             n[0],
                             n[1],
                             n[2],
                             n[3],
                             n[4],
                             n[5]};
    return fits && ret->caller.len > 0 && ret->callee.len > 0;
}

static enum rc read_rows(struct arena *a, const struct value *v, struct graph_observation *ret, struct err *e)
{
    const struct value *effects = value_get(v, STR("effects"));
    const struct value *calls = value_path(v, "traffic", "calls", NULL);
    /* What lies beside the entry is not read here. */
    bool beside = value_is(calls, VALUE_OBJECT);
    if (!beside && !value_is(calls, VALUE_ARRAY)) {
        return err_set(e, RC_INVALID, "expected traffic: {calls}");
    }
    uint32_t call_count = beside ? 0 : calls->count;
    if (!value_is(effects, VALUE_ARRAY) || effects->count > GRAPH_ROWS_MAX || call_count > GRAPH_ROWS_MAX) {
        return err_set(e, RC_INVALID, "expected effects and calls, at most %d of each", GRAPH_ROWS_MAX);
    }
    ret->effects = arena_array(a, effects->count, sizeof *ret->effects);
    ret->calls = arena_array(a, call_count, sizeof *ret->calls);
    if (arena_rc(a) != RC_OK) {
        return err_set(e, arena_rc(a), "the observation is too large");
    }
    ret->effect_count = effects->count;
    ret->call_count = call_count;
    for (uint32_t i = 0; i < effects->count; i++) {
        if (!read_effect(&effects->items[i], &ret->effects[i])) {
            return err_set(e, RC_INVALID, "effects/%u is malformed", i);
        }
    }
    for (uint32_t i = 0; i < call_count; i++) {
        if (!read_call(&calls->items[i], &ret->calls[i])) {
            return err_set(e, RC_INVALID, "calls/%u is malformed", i);
        }
    }
    return RC_OK;
}

enum rc graph_observation_read(struct arena *a, const struct value *v, struct graph_observation *ret, struct err *e)
{
    ret->source = value_text(value_get(v, STR("source")));
    if (ret->source.len == 0 || ret->source.len > GRAPH_SOURCE_MAX ||
        !instant_parse(value_text(value_get(v, STR("from"))), &ret->from_ms) ||
        !instant_parse(value_text(value_get(v, STR("to"))), &ret->to_ms) ||
        !instant_parse(value_text(value_get(v, STR("until"))), &ret->until_ms)) {
        return err_set(e, RC_INVALID, "the observation's source or times are malformed");
    }
    return read_rows(a, v, ret, e);
}

/* --- asked before it is written, and applied ----------------------------------------------------------------- */

enum rc graph_observation_check(const struct graph *g, const struct graph_observation *o, struct err *e)
{
    uint64_t nodes = 0;
    for (uint32_t i = 0; i < o->effect_count; i++) {
        nodes += graph_find(g, o->effects[i].caller.kind, o->effects[i].caller.name) == MAP_NONE ? 1 : 0;
        nodes += graph_find(g, o->effects[i].callee.kind, o->effects[i].callee.name) == MAP_NONE ? 1 : 0;
    }
    return graph_has_room(g, nodes, o->effect_count, e);
}

enum rc graph_observation_apply(struct graph *g, const struct graph_observation *o, struct err *e)
{
    enum rc rc = RC_OK;
    for (uint32_t i = 0; i < o->effect_count && rc == RC_OK; i++) {
        const struct effect_row *x = &o->effects[i];
        struct edge_claim c = {.kind = EDGE_CALLS,
                               .claim = CLAIM_OBSERVED,
                               .effect_bp = x->effect_bp,
                               .until_ms = o->until_ms,
                               .source = o->source};
        rc = graph_node(g, x->caller.kind, x->caller.name, &c.from, e);
        rc = rc == RC_OK ? graph_node(g, x->callee.kind, x->callee.name, &c.to, e) : rc;
        rc = rc == RC_OK ? graph_link(g, &c, e) : rc;
    }
    return rc;
}
