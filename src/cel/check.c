/*
 * The checker: types bottom-up, names and overloads resolved in place.
 *
 * Unchecked programs take the same way with every type dyn; what can't be resolved becomes a node
 * that fails when it is reached, so that `unknown || true` is still true.
 * Source: cel-spec doc/langdef.md "Gradual Type Checking"; cel-go's checker for joins and null.
 */
#include "cel/check.h"

#include <stdarg.h>
#include <stdio.h>

struct str type_text(struct checker *k, const struct cel_type *t)
{
    struct buf b;
    buf_init(&b, 256);
    buf_cel_type(&b, infer_whole(&k->infer, t, true));
    struct str text = arena_str(k->c->arena, buf_view(&b));
    buf_done(&b);
    return text;
}

const struct cel_type *check_fail(struct checker *k, struct cel_node *n, const char *format, ...)
{
    char text[ERR_TEXT_MAX];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (!k->unchecked || len < 0) {
        return compile_fail(k->c, RC_INVALID, n->from, "%s", text);
    }
    n->op = NODE_FAIL;
    n->count = 0;
    n->constant = cel_of_str(arena_str(k->c->arena, str_from(text)));
    n->type = &cel_dyn;
    return compile_memory(k->c) ? n->type : NULL;
}

static const struct cel_type *constant_type(const struct cel_value *v)
{
    switch ((enum cel_kind)v->kind) {
    case CEL_NULL:
        return &cel_null;
    case CEL_BOOL:
        return &cel_bool;
    case CEL_INT:
        return &cel_int;
    case CEL_UINT:
        return &cel_uint;
    case CEL_DOUBLE:
        return &cel_double;
    case CEL_STRING:
        return &cel_string;
    case CEL_BYTES:
        return &cel_bytes;
    default:
        return &cel_type_type;
    }
}

static uint32_t field_index(const struct cel_class *class, struct str name)
{
    for (uint32_t i = 0; i < class->count; i++) {
        if (str_eq(str_from(class->fields[i].name), name)) {
            return i;
        }
    }
    return UINT32_MAX;
}

static const struct cel_type *field_of_object(struct checker *k, struct cel_node *n,
                                              const struct cel_class *class)
{
    uint32_t i = field_index(class, n->name);
    if (i == UINT32_MAX) {
        return check_fail(k, n, "%s has no field '%.*s'", class->name, STR_ARG(n->name));
    }
    n->class = class;
    n->slot = i;
    return class->fields[i].type;
}

static const struct cel_type *field_of(struct checker *k, struct cel_node *n,
                                       const struct cel_type *of)
{
    of = infer_find(&k->infer, of);
    switch (of->kind) {
    case CEL_MAP:
        if (!infer_fits(&k->infer, of->key != NULL ? of->key : &cel_dyn, &cel_string)) {
            return check_fail(k, n, "a map with keys of type %.*s has no field '%.*s'",
                              STR_ARG(type_text(k, of->key)), STR_ARG(n->name));
        }
        return of->item != NULL ? of->item : &cel_dyn;
    case CEL_OBJECT:
        return field_of_object(k, n, of->class);
    case CEL_DYN:
    case CEL_VAR:
        return &cel_dyn;
    default:
        return check_fail(k, n, "type %.*s has no fields, so no '%.*s'", STR_ARG(type_text(k, of)),
                          STR_ARG(n->name));
    }
}

/* A field of what an optional holds is optional; so is .?field of anything. */
static const struct cel_type *check_select(struct checker *k, struct cel_node *n)
{
    const struct cel_type *t = n->op == NODE_SELECT ? check_qualified(k, n) : NULL;
    if (t != NULL || k->c->rc != RC_OK) {
        return t;
    }
    const struct cel_type *of = check_node(k, n->kids[0]);
    if (of == NULL) {
        return NULL;
    }
    of = infer_find(&k->infer, of);
    bool wrapped = of->kind == CEL_OPTIONAL;
    t = field_of(k, n, wrapped ? of->item : of);
    if (t == NULL || n->op == NODE_FAIL) {
        return t;
    }
    if (n->op == NODE_PRESENCE) {
        return &cel_bool;
    }
    return wrapped || n->optional ? infer_optional(&k->infer, t) : t;
}

static const struct cel_type *check_ident(struct checker *k, struct cel_node *n)
{
    const struct cel_type *t = check_qualified(k, n);
    if (t != NULL || k->c->rc != RC_OK) {
        return t;
    }
    return check_fail(k, n, "unknown name '%.*s'", STR_ARG(n->name));
}

/* The element that stands there: what an optional holds when it has a question mark. */
static const struct cel_type *check_element(struct checker *k, struct cel_node *n, bool optional)
{
    const struct cel_type *t = check_node(k, n);
    if (t == NULL || !optional) {
        return t;
    }
    t = infer_find(&k->infer, t);
    if (t->kind == CEL_OPTIONAL) {
        return t->item;
    }
    if (t->kind == CEL_DYN || t->kind == CEL_VAR) {
        return &cel_dyn;
    }
    return compile_fail(k->c, RC_INVALID, n->from, "expected an optional, not %.*s",
                        STR_ARG(type_text(k, t)));
}

static const struct cel_type *check_list(struct checker *k, struct cel_node *n)
{
    const struct cel_type *item = NULL;
    for (uint32_t i = 0; i < n->count; i++) {
        const struct cel_type *t =
            check_element(k, n->kids[i], n->optionals != NULL && n->optionals[i]);
        if (t == NULL) {
            return NULL;
        }
        item = item == NULL ? t : infer_join(&k->infer, item, t);
    }
    return infer_list(&k->infer, item != NULL ? item : infer_var(&k->infer));
}

static bool may_be_key(struct checker *k, const struct cel_type *t)
{
    switch (infer_find(&k->infer, t)->kind) {
    case CEL_INT:
    case CEL_UINT:
    case CEL_BOOL:
    case CEL_STRING:
    case CEL_DYN:
    case CEL_VAR:
        return true;
    default:
        return false;
    }
}

static const struct cel_type *check_map(struct checker *k, struct cel_node *n)
{
    const struct cel_type *key = NULL;
    const struct cel_type *item = NULL;
    for (uint32_t i = 0; i < n->count; i += 2) {
        const struct cel_type *of_key = check_node(k, n->kids[i]);
        const struct cel_type *of_item =
            of_key == NULL
                ? NULL
                : check_element(k, n->kids[i + 1], n->optionals != NULL && n->optionals[i / 2]);
        if (of_item == NULL) {
            return NULL;
        }
        if (!may_be_key(k, of_key)) {
            return compile_fail(k->c, RC_INVALID, n->kids[i]->from,
                                "a key is an int, uint, bool or string, not %.*s",
                                STR_ARG(type_text(k, of_key)));
        }
        key = key == NULL ? of_key : infer_join(&k->infer, key, of_key);
        item = item == NULL ? of_item : infer_join(&k->infer, item, of_item);
    }
    if (key == NULL) {
        key = infer_var(&k->infer);
        item = infer_var(&k->infer);
    }
    return infer_map(&k->infer, key, item);
}

static bool check_bool(struct checker *k, struct cel_node *n, const char *of)
{
    const struct cel_type *t = check_node(k, n);
    if (t == NULL) {
        return false;
    }
    if (!infer_fits(&k->infer, &cel_bool, t)) {
        compile_fail(k->c, RC_INVALID, n->from,
                     "no matching overload for '%s': expected bool, "
                     "not %.*s",
                     of, STR_ARG(type_text(k, t)));
        return false;
    }
    return true;
}

static const struct cel_type *check_logic(struct checker *k, struct cel_node *n)
{
    for (uint32_t i = 0; i < n->count; i++) {
        if (!check_bool(k, n->kids[i], n->op == NODE_AND ? "_&&_" : "_||_")) {
            return NULL;
        }
    }
    return &cel_bool;
}

static const struct cel_type *check_if(struct checker *k, struct cel_node *n)
{
    if (!check_bool(k, n->kids[0], "_?_:_")) {
        return NULL;
    }
    const struct cel_type *yes = check_node(k, n->kids[1]);
    const struct cel_type *no = yes == NULL ? NULL : check_node(k, n->kids[2]);
    if (no == NULL) {
        return NULL;
    }
    if (!infer_fits(&k->infer, yes, no)) {
        return compile_fail(k->c, RC_INVALID, n->from,
                            "the branches of '_?_:_' have types %.*s and %.*s",
                            STR_ARG(type_text(k, yes)), STR_ARG(type_text(k, no)));
    }
    return infer_join(&k->infer, yes, no);
}

static const struct cel_type *check_any(struct checker *k, struct cel_node *n)
{
    switch ((enum node_op)n->op) {
    case NODE_CONSTANT:
        return constant_type(&n->constant);
    case NODE_IDENT:
        return check_ident(k, n);
    case NODE_SELECT:
    case NODE_PRESENCE:
        return check_select(k, n);
    case NODE_INDEX:
    case NODE_CALL:
        return check_call(k, n);
    case NODE_AND:
    case NODE_OR:
        return check_logic(k, n);
    case NODE_IF:
        return check_if(k, n);
    case NODE_LIST:
        return check_list(k, n);
    case NODE_MAP:
        return check_map(k, n);
    case NODE_LOOP:
    case NODE_BIND:
    case NODE_OPT_MAP:
        return check_binder(k, n);
    case NODE_STRUCT:
        return compile_fail(k->c, RC_INVALID, n->from, "no values of this type can be made");
    default:
        must(n->op == NODE_FAIL);
        return &cel_dyn;
    }
}

const struct cel_type *check_node(struct checker *k, struct cel_node *n)
{
    const struct cel_type *t = check_any(k, n);
    if (t == NULL || k->c->rc != RC_OK) {
        return NULL;
    }
    n->type = k->unchecked ? &cel_dyn : t;
    return n->type;
}

/* Types without variables, for whoever reads the tree later. */
static void finish(struct checker *k, struct cel_node *n)
{
    n->type = n->type == NULL ? &cel_dyn : infer_whole(&k->infer, n->type, true);
    for (uint32_t i = 0; i < n->count; i++) {
        finish(k, n->kids[i]);
    }
}

bool cel_check(struct compiler *c, struct cel_node *root)
{
    struct checker k = {.c = c, .infer = {.c = c}, .unchecked = c->options->unchecked};
    const struct cel_type *t = check_node(&k, root);
    if (t == NULL) {
        return false;
    }
    const struct cel_type *wanted = c->options->result;
    if (wanted != NULL && !infer_fits(&k.infer, wanted, t)) {
        compile_fail(c, RC_INVALID, root->from, "the expression yields %.*s, not %.*s",
                     STR_ARG(type_text(&k, t)), STR_ARG(type_text(&k, wanted)));
        return false;
    }
    finish(&k, root);
    c->program->type = root->type;
    return compile_memory(c);
}
