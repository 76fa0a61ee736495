/*
 * policy/permission - least privilege: who may use which tool on which target.
 */
#include "policy/policy_internal.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct field permission_fields[] = {
    {"agents", FIELD_TEXTS, FIELD_OF(struct permission, agents), false, 0, 0, 0, NULL},
    {"roles", FIELD_NAMES, FIELD_OF(struct permission, roles), false, 0, 0, 0, NULL},
    {"tools", FIELD_TEXTS, FIELD_OF(struct permission, tools), true, 0, 0, 0, NULL},
    {"targets", FIELD_TEXTS, FIELD_OF(struct permission, targets), false, 0, 0, 0, NULL},
    {"where", FIELD_VALUE, FIELD_OF(struct permission, where), false, 0, 0, 0, NULL},
    {"unless", FIELD_VALUE, FIELD_OF(struct permission, unless), false, 0, 0, 0, NULL},
};

/* Kept as a copy of our own; null stays null. */
static enum rc read_conditions(struct reader *r, const char *name, const struct value **conditions)
{
    if (*conditions == NULL) {
        return RC_OK;
    }
    if (!value_is(*conditions, VALUE_OBJECT)) {
        return reader_step(r, reader_fail(r, *conditions, "%s: expected an object", name), name);
    }
    struct value *copy = arena_alloc(r->arena, sizeof *copy);
    if (copy == NULL) {
        return err_set(r->e, arena_rc(r->arena), "the configuration is too large");
    }
    *copy = value_copy(r->arena, *conditions);
    *conditions = copy;
    return RC_OK;
}

enum rc permission_read(struct reader *r, const struct value *v, void *out)
{
    struct permission p = {0};
    enum rc rc = read_fields(r, v, permission_fields, COUNT(permission_fields), &p);
    if (rc == RC_OK && p.agents.count == 0 && p.roles.count == 0) {
        return reader_fail(r, v, "a permission needs agents or roles (\"*\" for all)");
    }
    rc = rc == RC_OK ? read_conditions(r, "where", &p.where) : rc;
    rc = rc == RC_OK ? read_conditions(r, "unless", &p.unless) : rc;
    *(struct permission *)out = p;
    return rc;
}

struct value permission_value(struct arena *a, const void *in)
{
    return write_fields(a, permission_fields, COUNT(permission_fields), in);
}

static bool any_role(const struct str_list *wanted, const struct str_list *held)
{
    for (uint32_t i = 0; i < wanted->count; i++) {
        if (any_equal(held, wanted->items[i])) {
            return true;
        }
    }
    return false;
}

/* "resource.status" is the member status of properties.resource. */
static bool property_is(const struct value *properties, struct str path, const struct value *want)
{
    const struct value *at = properties;
    struct str step;
    while (str_next(&path, '.', &step)) {
        at = value_get(at, step);
    }
    return at != NULL && value_eq(at, want);
}

static bool all_hold(const struct value *properties, const struct value *conditions)
{
    for (uint32_t i = 0; conditions != NULL && i < conditions->count; i++) {
        if (!property_is(properties, conditions->members[i].name, &conditions->members[i].value)) {
            return false;
        }
    }
    return true;
}

bool permission_fits(const struct permission *p, const struct agent_def *agent, struct str tool,
                     struct str target, const struct value *properties)
{
    if (!any_glob(&p->agents, agent->name) && !any_role(&p->roles, &agent->roles)) {
        return false;
    }
    if (!any_glob(&p->tools, tool) || (p->targets.count > 0 && !any_glob(&p->targets, target))) {
        return false;
    }
    bool excepted = p->unless != NULL && p->unless->count > 0 && all_hold(properties, p->unless);
    return !excepted && all_hold(properties, p->where);
}
