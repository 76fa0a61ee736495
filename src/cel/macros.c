/*
 * Macros: calls that bind names. Each becomes one node that the evaluator runs directly, rather
 * than a fold over accumulators.
 *
 * Source: cel-spec doc/langdef.md "Macros"; cel-go ext: bindings, comprehensions (two variables),
 * optional types, lists.sortBy; cel.block as cel-spec's block extension has it.
 */
#include "cel/node.h"

typedef struct cel_node *macro_fn(struct compiler *c, const struct call_syntax *call, int loop);

struct macro {
    const char *space; /* the target must be this name; null: any target, "": none */
    const char *name;
    uint32_t args;
    macro_fn *expand;
    int loop;
};

static bool is_name(const struct cel_node *n, const char *name)
{
    return n->op == NODE_IDENT && !n->absolute && str_eq(n->name, str_from(name));
}

/* A name to bind: an identifier, or cel.iterVar(i, j), which is one already. */
static bool bindable(struct compiler *c, const struct cel_node *n, struct binding *ret)
{
    if (n->op != NODE_IDENT || n->absolute) {
        compile_fail(c, RC_INVALID, n->from, "a macro's variable must be a simple name");
        return false;
    }
    *ret = (struct binding){.name = n->name, .slot = c->program->locals++};
    return true;
}

static struct cel_node *binder(struct compiler *c, const struct call_syntax *call, enum node_op op,
                               uint32_t bindings)
{
    struct cel_node *n = node_new(c, op, call->from, call->to);
    if (n == NULL) {
        return NULL;
    }
    n->name = call->name;
    n->bindings = arena_array(c->arena, bindings, sizeof(struct binding));
    if (n->bindings == NULL) {
        compile_memory(c);
        return NULL;
    }
    return n;
}

static struct cel_node *expand_has(struct compiler *c, const struct call_syntax *call, int loop)
{
    (void)loop;
    struct cel_node *field = call->args[0];
    if (field->op != NODE_SELECT || field->optional) {
        return compile_fail(c, RC_INVALID, field->from, "has() takes a field: has(a.b)");
    }
    field->op = NODE_PRESENCE;
    field->from = call->from;
    field->to = call->to;
    return field;
}

/* kids: the range and the expressions after `names` variables. */
static struct cel_node *expand_over(struct compiler *c, const struct call_syntax *call, int loop,
                                    uint32_t names)
{
    struct cel_node *n = binder(c, call, NODE_LOOP, 2);
    struct cel_node *kids[3] = {call->target};
    for (uint32_t i = 0; i < names && n != NULL; i++) {
        if (!bindable(c, call->args[i], &n->bindings[i])) {
            return NULL;
        }
    }
    if (n == NULL) {
        return NULL;
    }
    if (names == 2 && str_eq(n->bindings[0].name, n->bindings[1].name)) {
        return compile_fail(c, RC_INVALID, call->args[1]->from,
                            "a macro's two variables must have different names");
    }
    for (uint32_t i = names; i < call->count; i++) {
        kids[1 + i - names] = call->args[i];
    }
    n->loop = (uint8_t)loop;
    n->two = names == 2;
    return node_with(c, n, kids, 1 + call->count - names);
}

static struct cel_node *expand_one(struct compiler *c, const struct call_syntax *call, int loop)
{
    return expand_over(c, call, loop, 1);
}

static struct cel_node *expand_two(struct compiler *c, const struct call_syntax *call, int loop)
{
    return expand_over(c, call, loop, 2);
}

/* optMap(v, e), optFlatMap(v, e): loop is 1 for the first, whose result is wrapped. */
static struct cel_node *expand_optional(struct compiler *c, const struct call_syntax *call,
                                        int loop)
{
    struct cel_node *n = binder(c, call, NODE_OPT_MAP, 1);
    if (n == NULL || !bindable(c, call->args[0], &n->bindings[0])) {
        return NULL;
    }
    n->optional = loop == 1;
    return node_with(c, n, (struct cel_node *const[]){call->target, call->args[1]}, 2);
}

static struct cel_node *expand_bind(struct compiler *c, const struct call_syntax *call, int loop)
{
    (void)loop;
    struct cel_node *n = binder(c, call, NODE_BIND, 1);
    if (n == NULL || !bindable(c, call->args[0], &n->bindings[0])) {
        return NULL;
    }
    return node_with(c, n, call->args + 1, 2);
}

static struct cel_node *expand_block(struct compiler *c, const struct call_syntax *call, int loop)
{
    (void)loop;
    const struct cel_node *list = call->args[0];
    if (list->op != NODE_LIST || list->optionals != NULL) {
        return compile_fail(c, RC_INVALID, list->from, "cel.block takes a list literal first");
    }
    struct cel_node *n = binder(c, call, NODE_BIND, list->count);
    struct cel_node **kids = arena_array(c->arena, list->count + 1, sizeof(struct cel_node *));
    if (n == NULL || kids == NULL) {
        compile_memory(c);
        return NULL;
    }
    for (uint32_t i = 0; i < list->count; i++) {
        n->bindings[i].name = arena_printf(c->arena, "@index%u", i);
        n->bindings[i].slot = c->program->locals++;
        kids[i] = list->kids[i];
    }
    kids[list->count] = call->args[1];
    return compile_memory(c) ? node_with(c, n, kids, list->count + 1) : NULL;
}

static bool small_number(struct compiler *c, const struct cel_node *n, int64_t *ret)
{
    if (n->op != NODE_CONSTANT || n->constant.kind != CEL_INT || n->constant.integer < 0) {
        compile_fail(c, RC_INVALID, n->from, "takes an int literal that is not negative");
        return false;
    }
    *ret = n->constant.integer;
    return true;
}

/* cel.index(n), cel.iterVar(n, m), cel.accuVar(n, m): names that can't be written otherwise. */
static struct cel_node *expand_name(struct compiler *c, const struct call_syntax *call, int loop)
{
    (void)loop;
    int64_t a = 0;
    int64_t b = 0;
    if (!small_number(c, call->args[0], &a) ||
        (call->count == 2 && !small_number(c, call->args[1], &b))) {
        return NULL;
    }
    struct cel_node *n = node_new(c, NODE_IDENT, call->from, call->to);
    if (n == NULL) {
        return NULL;
    }
    n->name = call->count == 1 ? arena_printf(c->arena, "@index%lld", (long long)a)
                               : arena_printf(c->arena, "@%.*s:%lld:%lld", STR_ARG(call->name),
                                              (long long)a, (long long)b);
    return compile_memory(c) ? n : NULL;
}

static const struct macro macros[] = {
    {"", "has", 1, expand_has, 0},
    {"cel", "bind", 3, expand_bind, 0},
    {"cel", "block", 2, expand_block, 0},
    {"cel", "index", 1, expand_name, 0},
    {"cel", "iterVar", 2, expand_name, 0},
    {"cel", "accuVar", 2, expand_name, 0},
    {NULL, "all", 2, expand_one, LOOP_ALL},
    {NULL, "all", 3, expand_two, LOOP_ALL},
    {NULL, "exists", 2, expand_one, LOOP_EXISTS},
    {NULL, "exists", 3, expand_two, LOOP_EXISTS},
    {NULL, "exists_one", 2, expand_one, LOOP_EXISTS_ONE},
    {NULL, "exists_one", 3, expand_two, LOOP_EXISTS_ONE},
    {NULL, "existsOne", 2, expand_one, LOOP_EXISTS_ONE},
    {NULL, "existsOne", 3, expand_two, LOOP_EXISTS_ONE},
    {NULL, "map", 2, expand_one, LOOP_MAP},
    {NULL, "map", 3, expand_one, LOOP_MAP},
    {NULL, "filter", 2, expand_one, LOOP_FILTER},
    {NULL, "transformList", 3, expand_two, LOOP_MAP},
    {NULL, "transformList", 4, expand_two, LOOP_MAP},
    {NULL, "transformMap", 3, expand_two, LOOP_TO_MAP},
    {NULL, "transformMap", 4, expand_two, LOOP_TO_MAP},
    {NULL, "transformMapEntry", 3, expand_two, LOOP_TO_MAP_ENTRY},
    {NULL, "transformMapEntry", 4, expand_two, LOOP_TO_MAP_ENTRY},
    {NULL, "sortBy", 2, expand_one, LOOP_SORT},
    {NULL, "optMap", 2, expand_optional, 1},
    {NULL, "optFlatMap", 2, expand_optional, 0},
};

struct cel_node *cel_macro(struct compiler *c, const struct call_syntax *call, bool *ret_made)
{
    for (size_t i = 0; i < sizeof macros / sizeof macros[0]; i++) {
        const struct macro *m = &macros[i];
        bool global = m->space != NULL && m->space[0] == '\0';
        if (m->args != call->count || global != (call->target == NULL) ||
            !str_eq(call->name, str_from(m->name)) ||
            (m->space != NULL && !global && !is_name(call->target, m->space))) {
            continue;
        }
        *ret_made = true;
        return m->expand(c, call, m->loop);
    }
    *ret_made = false;
    return NULL;
}
