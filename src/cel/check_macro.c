/* The checker's rows for what binds names: loops, bindings, optional maps. */
#include "cel/check.h"

/* What a loop's variables hold. */
struct range {
    const struct cel_type *key; /* of a map, or int */
    const struct cel_type *item;
    bool map;
    bool known; /* not dyn */
};

static bool range_of(struct checker *k, struct cel_node *n, struct range *ret)
{
    const struct cel_type *t = check_node(k, n);
    if (t == NULL) {
        return false;
    }
    t = infer_find(&k->infer, t);
    if (t->kind == CEL_LIST) {
        *ret = (struct range){&cel_int, t->item, false, true};
    } else if (t->kind == CEL_MAP) {
        *ret = (struct range){t->key, t->item, true, true};
    } else if (t->kind == CEL_DYN || t->kind == CEL_VAR) {
        *ret = (struct range){&cel_dyn, &cel_dyn, false, false};
    } else {
        compile_fail(k->c, RC_INVALID, n->from, "a macro goes over a list or a map, not over %.*s",
                     STR_ARG(type_text(k, t)));
        return false;
    }
    return true;
}

static bool wants_bool(struct checker *k, const struct cel_node *n, const struct cel_type *t)
{
    if (t == NULL) {
        return false;
    }
    if (!infer_fits(&k->infer, &cel_bool, t)) {
        compile_fail(k->c, RC_INVALID, n->from, "a macro's condition is a bool, not %.*s",
                     STR_ARG(type_text(k, t)));
        return false;
    }
    return true;
}

static bool sortable(struct checker *k, const struct cel_type *t)
{
    switch (infer_find(&k->infer, t)->kind) {
    case CEL_BOOL:
    case CEL_INT:
    case CEL_UINT:
    case CEL_DOUBLE:
    case CEL_STRING:
    case CEL_BYTES:
    case CEL_TIMESTAMP:
    case CEL_DURATION:
    case CEL_DYN:
    case CEL_VAR:
        return true;
    default:
        return false;
    }
}

static const struct cel_type *loop_map_entry(struct checker *k, const struct cel_node *body,
                                             const struct cel_type *t)
{
    t = infer_find(&k->infer, t);
    if (t->kind == CEL_DYN || t->kind == CEL_VAR) {
        return &cel_map_dyn;
    }
    if (t->kind == CEL_MAP) {
        return t;
    }
    return compile_fail(k->c, RC_INVALID, body->from,
                        "transformMapEntry yields a map for each entry, not %.*s",
                        STR_ARG(type_text(k, t)));
}

/* The loop's result; t is its last expression's. */
static const struct cel_type *loop_result(struct checker *k, struct cel_node *n,
                                          const struct range *r, const struct cel_type *t)
{
    const struct cel_node *body = n->kids[n->count - 1];
    switch ((enum loop_kind)n->loop) {
    case LOOP_ALL:
    case LOOP_EXISTS:
    case LOOP_EXISTS_ONE:
        return wants_bool(k, body, t) ? &cel_bool : NULL;
    case LOOP_FILTER:
        return wants_bool(k, body, t) ? infer_list(&k->infer, r->map ? r->key : r->item) : NULL;
    case LOOP_MAP:
        return infer_list(&k->infer, t);
    case LOOP_TO_MAP:
        return infer_map(&k->infer, r->key, t);
    case LOOP_TO_MAP_ENTRY:
        return loop_map_entry(k, body, t);
    case LOOP_SORT:
        break;
    }
    if (r->map || !sortable(k, t)) {
        return compile_fail(k->c, RC_INVALID, n->from,
                            "sortBy takes a list and a key that has an order");
    }
    return infer_list(&k->infer, r->item);
}

static const struct cel_type *check_loop(struct checker *k, struct cel_node *n)
{
    struct range r;
    if (!range_of(k, n->kids[0], &r)) {
        return NULL;
    }
    const struct scope *outer = k->scope;
    struct scope first = {.up = outer,
                          .name = n->bindings[0].name,
                          .slot = n->bindings[0].slot,
                          .type = n->two || r.map ? r.key : r.item};
    struct scope second = {
        .up = &first, .name = n->bindings[1].name, .slot = n->bindings[1].slot, .type = r.item};
    k->scope = n->two ? &second : &first;
    const struct cel_type *t = NULL;
    bool good = true;
    for (uint32_t i = 1; i < n->count && good; i++) {
        t = check_node(k, n->kids[i]);
        good = t != NULL && (i + 1 == n->count || wants_bool(k, n->kids[i], t));
    }
    const struct cel_type *result = good ? loop_result(k, n, &r, t) : NULL;
    k->scope = outer;
    return result;
}

/* The scopes of a block's bindings, each seeing those before it; then the body. */
static const struct cel_type *check_bindings(struct checker *k, struct cel_node *n, uint32_t i)
{
    if (i + 1 == n->count) {
        return check_node(k, n->kids[i]);
    }
    const struct cel_type *t = check_node(k, n->kids[i]);
    if (t == NULL) {
        return NULL;
    }
    struct scope *s = arena_alloc(k->c->arena, sizeof *s);
    if (s == NULL) {
        compile_memory(k->c);
        return NULL;
    }
    *s = (struct scope){.up = k->scope,
                        .name = n->bindings[i].name,
                        .slot = n->bindings[i].slot,
                        .type = t,
                        .init = n->kids[i]};
    k->scope = s;
    return t;
}

static const struct cel_type *check_bind(struct checker *k, struct cel_node *n)
{
    const struct scope *outer = k->scope;
    const struct cel_type *t = NULL;
    for (uint32_t i = 0; i < n->count; i++) {
        t = check_bindings(k, n, i);
        if (t == NULL) {
            break;
        }
    }
    k->scope = outer;
    return t;
}

static const struct cel_type *check_opt_map(struct checker *k, struct cel_node *n)
{
    const struct cel_type *of = check_node(k, n->kids[0]);
    if (of == NULL) {
        return NULL;
    }
    of = infer_find(&k->infer, of);
    if (of->kind != CEL_OPTIONAL && of->kind != CEL_DYN && of->kind != CEL_VAR) {
        return compile_fail(k->c, RC_INVALID, n->from, "'%.*s' needs an optional, not %.*s",
                            STR_ARG(n->name), STR_ARG(type_text(k, of)));
    }
    struct scope s = {.up = k->scope,
                      .name = n->bindings[0].name,
                      .slot = n->bindings[0].slot,
                      .type = of->kind == CEL_OPTIONAL ? of->item : &cel_dyn};
    k->scope = &s;
    const struct cel_type *t = check_node(k, n->kids[1]);
    k->scope = s.up;
    if (t == NULL || n->optional) {
        return t == NULL ? NULL : infer_optional(&k->infer, t);
    }
    t = infer_find(&k->infer, t);
    if (t->kind != CEL_OPTIONAL && t->kind != CEL_DYN && t->kind != CEL_VAR) {
        return compile_fail(k->c, RC_INVALID, n->kids[1]->from,
                            "optFlatMap needs an expression that yields an optional, not %.*s",
                            STR_ARG(type_text(k, t)));
    }
    return t;
}

const struct cel_type *check_binder(struct checker *k, struct cel_node *n)
{
    if (n->op == NODE_LOOP) {
        return check_loop(k, n);
    }
    return n->op == NODE_BIND ? check_bind(k, n) : check_opt_map(k, n);
}
