/*
 * The checker's rows for calls: which overload the arguments' types say.
 *
 * Every overload that fits counts: when their results differ, the call is dyn and the values
 * decide.
 */
#include "cel/check.h"

enum { SIGNATURE_TEXT_MAX = 512 };

/* "found no matching overload for 'f' applied to '(int, string)'" */
static const struct cel_type *no_overload(struct checker *k, struct cel_node *n)
{
    struct buf b;
    buf_init(&b, SIGNATURE_TEXT_MAX);
    for (uint32_t i = 0; i < n->count; i++) {
        buf_str(&b, i == 0 ? STR("") : STR(", "));
        buf_cel_type(&b, infer_whole(&k->infer, n->kids[i]->type, true));
    }
    struct str types = arena_str(k->c->arena, buf_view(&b));
    buf_done(&b);
    return check_fail(k, n, "no matching overload for '%.*s' applied to (%.*s)", STR_ARG(n->name),
                      STR_ARG(types));
}

/* Whether the arguments fit; the result's type then. */
static const struct cel_type *try_overload(struct checker *k, const struct cel_node *n,
                                           const struct cel_function *f)
{
    const struct cel_type *vars[2] = {NULL, NULL};
    const char *at = f->args;
    for (uint32_t i = 0; i < n->count; i++) {
        const struct cel_type *wanted = infer_signature(&k->infer, &at, vars);
        if (!infer_fits(&k->infer, wanted, n->kids[i]->type)) {
            return NULL;
        }
    }
    const char *result = f->result;
    return infer_signature(&k->infer, &result, vars);
}

static bool same_type(struct checker *k, const struct cel_type *a, const struct cel_type *b)
{
    a = infer_find(&k->infer, a);
    b = infer_find(&k->infer, b);
    if (a == b) {
        return true;
    }
    if (a->kind != b->kind || a->kind == CEL_VAR || a->class != b->class) {
        return false;
    }
    return (a->item == NULL || same_type(k, a->item, b->item)) &&
           (a->key == NULL || same_type(k, a->key, b->key));
}

/* math.greatest and least: numbers, or one list of them. */
static const struct cel_type *check_numbers(struct checker *k, struct cel_node *n)
{
    const struct cel_type *joined = NULL;
    for (uint32_t i = 0; i < n->count; i++) {
        const struct cel_type *t = infer_find(&k->infer, n->kids[i]->type);
        if (n->count == 1 && t->kind == CEL_LIST) {
            t = infer_find(&k->infer, t->item);
        }
        if (t->kind != CEL_INT && t->kind != CEL_UINT && t->kind != CEL_DOUBLE &&
            t->kind != CEL_DYN && t->kind != CEL_VAR) {
            return no_overload(k, n);
        }
        joined = joined == NULL ? t : infer_join(&k->infer, joined, t);
    }
    return joined;
}

/* Every overload's result where they agree, dyn where they don't. One that fits alone is bound. */
static const struct cel_type *check_overloads(struct checker *k, struct cel_node *n)
{
    const struct cel_type *result = NULL;
    const struct cel_function *f = NULL;
    bool known = false;
    uint32_t fits = 0;
    while ((f = function_next(f, n->name, n->member)) != NULL && k->c->rc == RC_OK) {
        known = true;
        uint32_t arity = function_arity(f);
        if (arity == UINT32_MAX) {
            n->function = f;
            return n->count > 0 ? check_numbers(k, n) : no_overload(k, n);
        }
        if (arity != n->count) {
            continue;
        }
        /* Each is tried by itself: what another one bound must not decide. */
        uint32_t mark = k->infer.changes;
        const struct cel_type *t = try_overload(k, n, f);
        if (t != NULL) {
            t = infer_whole(&k->infer, t, false);
            result = fits == 0 || same_type(k, result, t) ? t : &cel_dyn;
            n->function = fits == 0 ? f : n->function;
            fits++;
        }
        infer_undo(&k->infer, mark);
    }
    if (!known) {
        return check_fail(k, n, "unknown function '%.*s'", STR_ARG(n->name));
    }
    if (fits == 1) {
        return try_overload(k, n, n->function);
    }
    return fits > 1 ? result : no_overload(k, n);
}

/* The name of target.name as a function of a namespace, when there is one; empty when not. */
static struct str namespaced(const struct checker *k, const struct cel_node *target,
                             struct str name)
{
    struct dotted d = {.len = 0};
    const struct cel_node *root = NULL;
    if (target->grouped || !dotted_name(target, &d, &root) ||
        (!root->absolute && scope_find(k, root->name) != NULL) || !dotted_put(&d, STR(".")) ||
        !dotted_put(&d, name)) {
        return STR("");
    }
    const struct cel_function *f = function_next(NULL, (struct str){d.text, d.len}, false);
    return f != NULL ? str_from(f->name) : STR("");
}

/* A global call's name under each container; the plain one when there is none. */
static struct str contained(const struct checker *k, const struct cel_node *n)
{
    struct str container = n->absolute ? STR("") : k->c->options->container;
    struct str prefix;
    for (size_t at = container.len; container_next(container, &at, &prefix) && prefix.len > 0;) {
        struct dotted d = {.len = 0};
        if (dotted_put(&d, prefix) && dotted_put(&d, STR(".")) && dotted_put(&d, n->name)) {
            const struct cel_function *f = function_next(NULL, (struct str){d.text, d.len}, false);
            if (f != NULL) {
                return str_from(f->name);
            }
        }
    }
    return n->name;
}

static const struct cel_type *check_index(struct checker *k, struct cel_node *n)
{
    n->name = n->optional ? STR("_[?_]") : STR("_[_]");
    return check_overloads(k, n);
}

const struct cel_type *check_call(struct checker *k, struct cel_node *n)
{
    if (n->op == NODE_CALL && n->member) {
        struct str name = namespaced(k, n->kids[0], n->name);
        if (name.len > 0) {
            n->name = name;
            n->member = false;
            n->kids++;
            n->count--;
        }
    } else if (n->op == NODE_CALL) {
        n->name = contained(k, n);
    }
    for (uint32_t i = 0; i < n->count; i++) {
        if (check_node(k, n->kids[i]) == NULL) {
            return NULL;
        }
    }
    return n->op == NODE_INDEX ? check_index(k, n) : check_overloads(k, n);
}
