/* Optional values. Source: cel-go's optional types (cel.OptionalTypes), proposal 246 of cel-spec.
 */
#include "cel/functions.h"

static void none(struct machine *m, const struct cel_node *n, struct cel_value *args,
                 struct cel_value *ret)
{
    (void)m;
    (void)n;
    (void)args;
    *ret = cel_of_optional(NULL);
}

static void of(struct machine *m, const struct cel_node *n, struct cel_value *args,
               struct cel_value *ret)
{
    optional_of(m, n, &args[0], ret);
}

static bool is_zero(const struct cel_value *v)
{
    switch ((enum cel_kind)v->kind) {
    case CEL_NULL:
        return true;
    case CEL_BOOL:
        return !v->boolean;
    case CEL_INT:
    case CEL_UINT:
    case CEL_DURATION:
        return v->natural == 0;
    case CEL_DOUBLE:
        return v->number == 0;
    case CEL_STRING:
    case CEL_BYTES:
        return v->len == 0;
    case CEL_LIST:
    case CEL_MAP:
        return v->aux == 0;
    case CEL_TIMESTAMP:
        return v->integer == 0 && v->aux == 0;
    case CEL_OPTIONAL:
        return v->items == NULL;
    default:
        return false;
    }
}

static void of_non_zero(struct machine *m, const struct cel_node *n, struct cel_value *args,
                        struct cel_value *ret)
{
    if (is_zero(&args[0])) {
        *ret = cel_of_optional(NULL);
    } else {
        optional_of(m, n, &args[0], ret);
    }
}

static void has_value(struct machine *m, const struct cel_node *n, struct cel_value *args,
                      struct cel_value *ret)
{
    (void)m;
    (void)n;
    *ret = cel_of_bool(args[0].items != NULL);
}

static void value(struct machine *m, const struct cel_node *n, struct cel_value *args,
                  struct cel_value *ret)
{
    if (args[0].items == NULL) {
        fault_set(m, n, ret, "optional.none() dereference");
    } else {
        *ret = *args[0].items;
    }
}

/* The other side is evaluated only when there is no value. */
static bool first_side(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    eval(m, n->kids[0], ret);
    if (is_error(ret)) {
        return false;
    }
    if (ret->kind != CEL_OPTIONAL) {
        fault_overload(m, n, ret);
        return false;
    }
    return ret->items == NULL;
}

void eval_or_optional(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    if (!first_side(m, n, ret)) {
        return;
    }
    eval(m, n->kids[1], ret);
    if (!is_error(ret) && ret->kind != CEL_OPTIONAL) {
        fault_overload(m, n, ret);
    }
}

void eval_or_value(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    if (first_side(m, n, ret)) {
        eval(m, n->kids[1], ret);
    } else if (ret->kind == CEL_OPTIONAL) {
        *ret = *ret->items;
    }
}

/* What the optionals of a list hold. */
static void unwrap(struct machine *m, const struct cel_node *n, struct cel_value *args,
                   struct cel_value *ret)
{
    uint32_t count = 0;
    struct cel_value *items = machine_alloc(m, args[0].aux, sizeof *items);
    if (items == NULL) {
        fault_set(m, n, ret, "");
        return;
    }
    for (uint32_t i = 0; i < args[0].aux; i++) {
        struct cel_value v;
        cel_list_at(&args[0], i, m->arena, &v);
        if (v.kind != CEL_OPTIONAL) {
            fault_overload(m, n, ret);
            return;
        }
        if (v.items != NULL) {
            items[count++] = *v.items;
        }
    }
    *ret = cel_of_list(items, count);
}

const struct cel_function cel_optional_functions[] = {
    FUNCTION("optional.none", "", "OA", none),
    FUNCTION("optional.of", "A", "OA", of),
    FUNCTION("optional.ofNonZeroValue", "A", "OA", of_non_zero),
    FUNCTION("optional.unwrap", "LOA", "LA", unwrap),
    METHOD("unwrapOpt", "LOA", "LA", unwrap),
    METHOD("hasValue", "OA", "b", has_value),
    METHOD("value", "OA", "A", value),
    {"or", true, "OAOA", "OA", NULL, eval_or_optional},
    {"orValue", true, "OAA", "A", NULL, eval_or_value},
    FUNCTIONS_END,
};
