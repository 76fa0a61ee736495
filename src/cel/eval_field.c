/*
 * Fields, keys and elements: e.f, e[k], has(e.f), and their optional forms.
 *
 * Source: cel-spec doc/langdef.md "Field Selection"; cel-go's optional types.
 */
#include "cel/functions.h"

enum found { FOUND_NO, FOUND_YES, FOUND_ERROR };

/* The field of an object: by its index when the checker knew the class, else by name. */
static enum found object_field(struct machine *m, const struct cel_node *n,
                               const struct cel_value *of, struct cel_value *ret)
{
    uint32_t i = n->slot;
    if (n->class != of->class) {
        for (i = 0; i < of->class->count; i++) {
            if (str_eq(str_from(of->class->fields[i].name), n->name)) {
                break;
            }
        }
        if (i == of->class->count) {
            fault_format(m, n, ret, "%s has no field '%.*s'", of->class->name, STR_ARG(n->name));
            return FOUND_ERROR;
        }
    }
    return of->class->get(of->self, i, m->arena, ret) && ret->kind != CEL_ABSENT ? FOUND_YES
                                                                                 : FOUND_NO;
}

static enum found find_key(struct machine *m, const struct cel_value *map,
                           const struct cel_value *key, struct cel_value *ret)
{
    /* JSON objects are searched one by one. */
    uint64_t steps = map->form == CEL_JSON ? map->aux / 8 : 0;
    steps += key->kind == CEL_STRING ? steps_of(key->len) : 0;
    if (!charge(m, steps)) {
        return FOUND_ERROR;
    }
    return cel_map_find(map, key, m->arena, ret) ? FOUND_YES : FOUND_NO;
}

/* .name of a map or an object; ret is an error for anything else. */
static enum found field_found(struct machine *m, const struct cel_node *n,
                              const struct cel_value *of, struct cel_value *ret)
{
    if (of->kind == CEL_OBJECT) {
        return object_field(m, n, of, ret);
    }
    if (of->kind == CEL_MAP) {
        struct cel_value key = cel_of_str(n->name);
        enum found f = find_key(m, of, &key, ret);
        if (f == FOUND_ERROR) {
            fault_set(m, n, ret, "");
        }
        return f;
    }
    fault_format(m, n, ret, "no such key: '%.*s' of a value of type %s", STR_ARG(n->name),
                 cel_kind_name(of->kind));
    return FOUND_ERROR;
}

/* The field of what an optional holds, as an optional; none of none. */
static void optional_field(struct machine *m, const struct cel_node *n, struct cel_value of,
                           struct cel_value *ret)
{
    if (of.kind == CEL_OPTIONAL) {
        if (of.items == NULL) {
            *ret = of;
            return;
        }
        of = *of.items;
    }
    struct cel_value v;
    switch (field_found(m, n, &of, &v)) {
    case FOUND_YES:
        optional_of(m, n, &v, ret);
        return;
    case FOUND_NO:
        *ret = cel_of_optional(NULL);
        return;
    case FOUND_ERROR:
        *ret = v;
        return;
    }
}

static void select_from(struct machine *m, const struct cel_node *n, const struct cel_value *of,
                        struct cel_value *ret)
{
    if (is_error(of)) {
        *ret = *of;
    } else if (of->kind == CEL_OPTIONAL) {
        optional_field(m, n, *of, ret);
    } else if (field_found(m, n, of, ret) == FOUND_NO) {
        fault_format(m, n, ret, "no such key: '%.*s'", STR_ARG(n->name));
    }
}

void eval_select(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    struct cel_value room;
    select_from(m, n, operand(m, n->kids[0], &room), ret);
}

/* The way of nearly every field that a policy reads. */
const struct cel_value *field_operand(struct machine *m, const struct cel_node *n,
                                      struct cel_value *room)
{
    struct cel_value object;
    const struct cel_value *of = operand(m, n->kids[0], &object);
    if (of->kind != CEL_OBJECT || of->class != n->class) {
        select_from(m, n, of, room);
        return room;
    }
    if (of->class->remembers) {
        const struct cel_value *fields = ((const struct cel_remembered *)of->self)->fields;
        if (fields != NULL && fields[n->slot].kind != CEL_ABSENT) {
            return &fields[n->slot];
        }
    }
    if (!of->class->get(of->self, n->slot, m->arena, room) || room->kind == CEL_ABSENT) {
        fault_format(m, n, room, "'%.*s' has no value", STR_ARG(n->name));
    }
    return room;
}

void eval_object_field(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    const struct cel_value *v = field_operand(m, n, ret);
    if (v != ret) {
        *ret = *v;
    }
}

void eval_optional_select(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    struct cel_value of;
    eval(m, n->kids[0], &of);
    if (is_error(&of)) {
        *ret = of;
    } else {
        optional_field(m, n, of, ret);
    }
}

void eval_presence(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    struct cel_value of;
    eval(m, n->kids[0], &of);
    if (is_error(&of)) {
        *ret = of;
        return;
    }
    if (of.kind == CEL_OPTIONAL) {
        if (of.items == NULL) {
            *ret = cel_of_bool(false);
            return;
        }
        of = *of.items;
    }
    enum found f = field_found(m, n, &of, ret);
    if (f != FOUND_ERROR) {
        *ret = cel_of_bool(f == FOUND_YES);
    }
}

/* A list's index: an int, or a number of another kind that is one. */
static bool index_of(const struct cel_value *key, int64_t *ret)
{
    if (key->kind == CEL_INT) {
        *ret = key->integer;
        return true;
    }
    if (key->kind == CEL_UINT && key->natural <= INT64_MAX) {
        *ret = (int64_t)key->natural;
        return true;
    }
    if (key->kind == CEL_DOUBLE && key->number >= -9e15 && key->number <= 9e15 &&
        key->number == (double)(int64_t)key->number) {
        *ret = (int64_t)key->number;
        return true;
    }
    return false;
}

static enum found element_found(struct machine *m, const struct cel_node *n,
                                const struct cel_value *of, const struct cel_value *key,
                                struct cel_value *ret)
{
    if (of->kind == CEL_MAP) {
        enum found f = find_key(m, of, key, ret);
        if (f == FOUND_ERROR) {
            fault_set(m, n, ret, "");
        }
        return f;
    }
    int64_t i = 0;
    if (of->kind != CEL_LIST) {
        fault_overload(m, n, ret);
        return FOUND_ERROR;
    }
    if (!index_of(key, &i)) {
        fault_set(m, n, ret, "a list's index must be a whole number");
        return FOUND_ERROR;
    }
    if (i < 0 || i >= of->aux) {
        return FOUND_NO;
    }
    cel_list_at(of, (uint32_t)i, m->arena, ret);
    return FOUND_YES;
}

static void optional_element(struct machine *m, const struct cel_node *n, struct cel_value of,
                             const struct cel_value *key, struct cel_value *ret)
{
    if (of.kind == CEL_OPTIONAL) {
        if (of.items == NULL) {
            *ret = of;
            return;
        }
        of = *of.items;
    }
    struct cel_value v;
    switch (element_found(m, n, &of, key, &v)) {
    case FOUND_YES:
        optional_of(m, n, &v, ret);
        return;
    case FOUND_NO:
        *ret = cel_of_optional(NULL);
        return;
    case FOUND_ERROR:
        *ret = v;
        return;
    }
}

void eval_index(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    struct cel_value room[2];
    const struct cel_value *of = operand(m, n->kids[0], &room[0]);
    if (is_error(of)) {
        *ret = *of;
        return;
    }
    const struct cel_value *key = operand(m, n->kids[1], &room[1]);
    if (is_error(key)) {
        *ret = *key;
    } else if (n->optional || of->kind == CEL_OPTIONAL) {
        optional_element(m, n, *of, key, ret);
    } else if (element_found(m, n, of, key, ret) == FOUND_NO) {
        if (of->kind == CEL_LIST) {
            fault_set(m, n, ret, "index out of bounds");
        } else {
            fault_key(m, n, ret, key);
        }
    }
}

void eval_opt_map(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    struct cel_value of;
    eval(m, n->kids[0], &of);
    if (is_error(&of)) {
        *ret = of;
        return;
    }
    if (of.kind != CEL_OPTIONAL) {
        fault_overload(m, n, ret);
        return;
    }
    if (of.items == NULL) {
        *ret = of;
        return;
    }
    m->locals[n->bindings[0].slot] = *of.items;
    eval(m, n->kids[1], ret);
    if (is_error(ret)) {
        return;
    }
    if (n->optional) {
        struct cel_value v = *ret;
        optional_of(m, n, &v, ret);
    } else if (ret->kind != CEL_OPTIONAL) {
        fault_overload(m, n, ret);
    }
}
