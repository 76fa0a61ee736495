/* The evaluators of constants, names, logic and literals. */
#include "cel/functions.h"

void eval_constant(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    (void)m;
    *ret = n->constant;
}

void eval_fail(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    fault_set(m, n, ret, n->constant.text);
}

static void no_value(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    fault_format(m, n, ret, "'%.*s' has no value", STR_ARG(n->name));
}

void eval_variable(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    const struct cel_activation *a = m->values;
    if (n->slot < a->count && a->values[n->slot].kind != CEL_ABSENT) {
        *ret = a->values[n->slot];
        return;
    }
    if (a->load == NULL) {
        no_value(m, n, ret);
        return;
    }
    struct cel_value *cached = &m->loaded[n->slot];
    if (cached->kind == CEL_ABSENT) {
        a->load(a->context, n->slot, m->arena, cached);
    }
    if (cached->kind == CEL_ABSENT) {
        no_value(m, n, ret);
        return;
    }
    *ret = *cached;
}

void eval_local(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    *ret = m->locals[n->slot];
}

/* A binding is evaluated when it is first read; an error it yields is kept like any value. */
void eval_lazy(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    if (m->locals[n->slot].kind == CEL_ABSENT) {
        struct cel_value v;
        eval(m, n->init, &v);
        m->locals[n->slot] = v;
    }
    *ret = m->locals[n->slot];
}

void eval_bind(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    for (uint32_t i = 0; i + 1 < n->count; i++) {
        m->locals[n->bindings[i].slot] = (struct cel_value){0};
    }
    eval(m, n->kids[n->count - 1], ret);
}

/* One that is `decisive` decides, whatever the others are; errors come only after all were seen. */
static void eval_logic(struct machine *m, const struct cel_node *n, bool decisive,
                       struct cel_value *ret)
{
    struct cel_value first = {0};
    for (uint32_t i = 0; i < n->count; i++) {
        eval(m, n->kids[i], ret);
        if (ret->kind == CEL_BOOL) {
            if (ret->boolean == decisive) {
                return;
            }
            continue;
        }
        if (m->cut != CEL_FAULT) {
            return;
        }
        if (first.kind == CEL_ABSENT) {
            if (!is_error(ret)) {
                fault_overload(m, n, ret);
            }
            first = *ret;
        }
    }
    *ret = first.kind == CEL_ABSENT ? cel_of_bool(!decisive) : first;
}

void eval_and(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    eval_logic(m, n, false, ret);
}

void eval_or(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    eval_logic(m, n, true, ret);
}

void eval_if(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    eval(m, n->kids[0], ret);
    if (ret->kind == CEL_BOOL) {
        eval(m, n->kids[ret->boolean ? 1 : 2], ret);
    } else if (!is_error(ret)) {
        fault_overload(m, n, ret);
    }
}

/* The element in *ret when it is to be added: what an optional holds. False: leave it out; *ret is
 * then an error or an optional without a value. */
static bool element(struct machine *m, const struct cel_node *n, bool optional,
                    struct cel_value *ret)
{
    eval(m, n, ret);
    if (is_error(ret)) {
        return false;
    }
    if (!optional) {
        return true;
    }
    if (ret->kind != CEL_OPTIONAL) {
        fault_set(m, n, ret, "an element with a question mark is no optional");
        return false;
    }
    if (ret->items == NULL) {
        return false;
    }
    *ret = *ret->items;
    return true;
}

void eval_list(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    struct cel_value *items = machine_alloc(m, n->count, sizeof *items);
    uint32_t count = 0;
    if (items == NULL) {
        fault_set(m, n, ret, "");
        return;
    }
    for (uint32_t i = 0; i < n->count; i++) {
        if (element(m, n->kids[i], n->optionals != NULL && n->optionals[i], &items[count])) {
            count++;
        } else if (is_error(&items[count])) {
            *ret = items[count];
            return;
        }
    }
    *ret = cel_of_list(items, count);
}

static bool is_key(const struct cel_value *v)
{
    return v->kind == CEL_INT || v->kind == CEL_UINT || v->kind == CEL_BOOL ||
           v->kind == CEL_STRING;
}

/* False when *ret is the error. */
static bool put_entry(struct machine *m, const struct cel_node *n, struct cel_map *map, uint32_t i,
                      struct cel_value *ret)
{
    struct cel_value key;
    struct cel_value value;
    eval(m, n->kids[i], &key);
    if (is_error(&key)) {
        *ret = key;
        return false;
    }
    if (!element(m, n->kids[i + 1], n->optionals != NULL && n->optionals[i / 2], &value)) {
        *ret = value;
        return !is_error(&value);
    }
    if (!is_key(&key)) {
        fault_set(m, n->kids[i], ret, "unsupported key type");
        return false;
    }
    if (!cel_map_put(map, &key, &value)) {
        fault_set(m, n->kids[i], ret, "repeated key");
        return false;
    }
    return true;
}

void eval_map(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    if (!charge(m, n->count)) {
        fault_set(m, n, ret, "");
        return;
    }
    struct cel_map *map = cel_map_new(m->arena, n->count / 2);
    if (map == NULL) {
        machine_cut(m, CEL_CUT_MEMORY);
        fault_set(m, n, ret, "");
        return;
    }
    for (uint32_t i = 0; i < n->count; i += 2) {
        if (!put_entry(m, n, map, i, ret)) {
            return;
        }
    }
    *ret = cel_of_map(map);
}
