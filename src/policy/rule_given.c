/*
 * policy/rule_given - the variables of a rule from JSON, as the tests beside it give them.
 *
 * Each object becomes one of the declared class whose fields are the JSON's members; what is not given has no value.
 * Everything is checked before anything is evaluated, so that a misspelt field is an error and not an absence.
 */
#include "policy/rules.h"

#include "base/instant.h"
#include "value/pointer.h"

struct given_object {
    struct rule_object base;
    const struct cel_class *class;
    const struct value *v; /* null: nothing of it is given */
};

static bool given_value(const struct cel_type *type, const struct value *v, struct arena *scope, struct cel_value *ret);

static bool given_get(const struct rule_object *self, unsigned field, struct arena *scope, struct cel_value *ret)
{
    const struct given_object *o = (const struct given_object *)(const void *)self;
    const struct value *v = value_get(o->v, str_from(o->class->fields[field].name));
    return v != NULL && given_value(o->class->fields[field].type, v, scope, ret);
}

static bool make_object(const struct cel_class *class, const struct value *v, struct arena *scope, struct cel_value *ret)
{
    struct given_object *o = arena_alloc(scope, sizeof *o);
    if (o == NULL) {
        return false;
    }
    *o = (struct given_object){{.get = given_get}, class, v};
    *ret = cel_of_object(class, o);
    return true;
}

static bool make_list(const struct cel_type *item, const struct value *v, struct arena *scope, struct cel_value *ret)
{
    struct cel_value *items = arena_array(scope, v->count, sizeof *items);
    if (items == NULL && v->count > 0) {
        return false;
    }
    for (uint32_t i = 0; i < v->count; i++) {
        if (!given_value(item, &v->items[i], scope, &items[i])) {
            return false;
        }
    }
    *ret = cel_of_list(items, v->count);
    return true;
}

/* "2026-01-01T00:00:00Z" and "90s" where the type is a moment or a span; whole numbers where it is a double. */
static bool given_value(const struct cel_type *type, const struct value *v, struct arena *scope, struct cel_value *ret)
{
    int64_t ms = 0;
    double number = 0;
    switch (type->kind) {
    case CEL_OBJECT:
        return value_is(v, VALUE_OBJECT) && make_object(type->class, v, scope, ret);
    case CEL_LIST:
        return value_is(v, VALUE_ARRAY) && make_list(type->item == NULL ? &cel_dyn : type->item, v, scope, ret);
    case CEL_TIMESTAMP:
        *ret = instant_parse(value_text(v), &ms) ? cel_of_timestamp(ms / 1000, (uint32_t)(ms % 1000) * 1000000U) : (struct cel_value){0};
        return ret->kind != CEL_ABSENT;
    case CEL_DURATION:
        *ret = span_parse(value_text(v), &ms) && ms < INT64_MAX / 1000000 ? cel_of_duration(ms * 1000000) : (struct cel_value){0};
        return ret->kind != CEL_ABSENT;
    case CEL_DOUBLE:
        *ret = cel_of_double(value_number(v, &number) ? number : 0);
        return v->type == VALUE_INT || v->type == VALUE_DOUBLE;
    case CEL_DYN:
        *ret = cel_of_json(v);
        return true;
    default:
        *ret = cel_of_json(v);
        return ret->kind == type->kind;
    }
}

/* --- checking --------------------------------------------------------------------------------------------------- */

static enum rc check_given(const struct cel_type *type, const struct value *v, struct arena *a, struct err *e);

static enum rc check_object(const struct cel_class *class, const struct value *v, struct arena *a, struct err *e)
{
    for (uint32_t i = 0; i < v->count; i++) {
        const struct member *m = &v->members[i];
        enum rc rc = err_set(e, RC_INVALID, "%s has no field of that name", class->name);
        for (uint32_t k = 0; k < class->count; k++) {
            if (str_eq(m->name, str_from(class->fields[k].name))) {
                rc = check_given(class->fields[k].type, &m->value, a, e);
            }
        }
        if (rc != RC_OK) {
            pointer_member(e, m->name);
            return rc;
        }
    }
    return RC_OK;
}

static enum rc check_given(const struct cel_type *type, const struct value *v, struct arena *a, struct err *e)
{
    struct cel_value made;
    if (type->kind == CEL_OBJECT && value_is(v, VALUE_OBJECT)) {
        return check_object(type->class, v, a, e);
    }
    for (uint32_t i = 0; type->kind == CEL_LIST && value_is(v, VALUE_ARRAY) && i < v->count; i++) {
        enum rc rc = type->item == NULL ? RC_OK : check_given(type->item, &v->items[i], a, e);
        if (rc != RC_OK) {
            pointer_item(e, i);
            return rc;
        }
    }
    struct buf name;
    buf_init(&name, 256);
    buf_cel_type(&name, type);
    enum rc rc = given_value(type, v, a, &made)
                     ? RC_OK
                     : err_set(e, RC_INVALID, "expected %.*s", STR_ARG(buf_view(&name)));
    buf_done(&name);
    return rc;
}

/* What is not given: an object without fields, an empty list or map, and no value at all else. */
static bool absent_value(const struct cel_type *type, struct arena *a, struct cel_value *ret)
{
    static const struct value no_members = {.type = VALUE_OBJECT};
    *ret = (struct cel_value){.kind = CEL_ABSENT};
    if (type->kind == CEL_OBJECT) {
        return make_object(type->class, NULL, a, ret);
    }
    if (type->kind == CEL_LIST) {
        *ret = cel_of_list(NULL, 0);
    } else if (type->kind == CEL_MAP) {
        *ret = cel_of_json(&no_members);
    }
    return true;
}

/* What follows from another one, when only that is given. */
static void fill_in(struct arena *a, const struct value *given, struct cel_value *vars)
{
    static const struct {
        enum rule_var one;
        enum rule_var all;
    } pairs[] = {{RULE_VAR_SERVICE, RULE_VAR_SERVICES}, {RULE_VAR_BUDGET, RULE_VAR_BUDGETS}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct cel_value *one = &vars[pairs[i].one];
        struct cel_value *all = &vars[pairs[i].all];
        if (value_get(given, rule_var_name(pairs[i].one)) == NULL && all->aux > 0) {
            cel_list_at(all, 0, a, one);
        } else if (value_get(given, rule_var_name(pairs[i].one)) != NULL && all->aux == 0) {
            *all = cel_of_list(one, 1);
        }
    }
    const struct value *target = value_path(given, "action", "target", NULL);
    if (vars[RULE_VAR_TARGET].kind == CEL_ABSENT && target != NULL) {
        vars[RULE_VAR_TARGET] = cel_of_str(value_text(target));
    }
}

enum rc rule_vars_from(struct arena *a, const struct value *given, struct cel_value *ret_vars, struct err *e)
{
    if (given != NULL && !value_is(given, VALUE_OBJECT)) {
        return err_set(e, RC_INVALID, "expected an object of variables");
    }
    for (uint32_t i = 0; given != NULL && i < given->count; i++) {
        enum rc rc = err_set(e, RC_INVALID, "no such variable");
        for (unsigned v = 0; v < RULE_VAR_COUNT; v++) {
            if (str_eq(given->members[i].name, rule_var_name((enum rule_var)v))) {
                rc = check_given(rule_var_type((enum rule_var)v), &given->members[i].value, a, e);
            }
        }
        if (rc != RC_OK) {
            pointer_member(e, given->members[i].name);
            return rc;
        }
    }
    for (unsigned v = 0; v < RULE_VAR_COUNT; v++) {
        const struct value *one = value_get(given, rule_var_name((enum rule_var)v));
        const struct cel_type *type = rule_var_type((enum rule_var)v);
        bool made = one == NULL ? absent_value(type, a, &ret_vars[v]) : given_value(type, one, a, &ret_vars[v]);
        if (!made) {
            return err_set(e, arena_rc(a) == RC_OK ? RC_INVALID : arena_rc(a), "the variables are too large");
        }
    }
    fill_in(a, given, ret_vars);
    return RC_OK;
}
