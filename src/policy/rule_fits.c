/*
 * policy/rule_fits - whether a rule speaks of an action at all, from the same variables that its condition reads.
 *
 * What a test beside a rule does not give fits: only what is there can say that it is another agent, tool or service.
 */
#include "policy/rules.h"

static bool field_of(const struct cel_value *object, unsigned field, struct arena *scope, struct cel_value *ret)
{
    return object->kind == CEL_OBJECT && object->class->get(object->self, field, scope, ret) && ret->kind != CEL_ABSENT;
}

static bool one_fits(const struct str_list *globs, const struct cel_value *object, unsigned field, struct arena *scope)
{
    struct cel_value v;
    if (globs->count == 0 || !field_of(object, field, scope, &v)) {
        return true;
    }
    for (uint32_t i = 0; i < globs->count; i++) {
        if (str_glob(globs->items[i], cel_text(&v))) {
            return true;
        }
    }
    return false;
}

static bool any_service_fits(const struct str_list *globs, const struct cel_value *services, struct arena *scope)
{
    for (uint32_t i = 0; i < services->aux; i++) {
        struct cel_value service = {.kind = CEL_ABSENT};
        cel_list_at(services, i, scope, &service);
        if (one_fits(globs, &service, RULE_SERVICE_NAME, scope)) {
            return true;
        }
    }
    return globs->count == 0;
}

static bool any_surface_fits(const struct str_list *globs, const struct cel_value *action, struct arena *scope)
{
    struct cel_value surfaces;
    if (globs->count == 0 || !field_of(action, RULE_ACTION_SURFACES, scope, &surfaces)) {
        return true;
    }
    for (uint32_t i = 0; i < surfaces.aux; i++) {
        struct cel_value surface = {.kind = CEL_ABSENT};
        cel_list_at(&surfaces, i, scope, &surface);
        for (uint32_t k = 0; k < globs->count; k++) {
            if (str_glob(globs->items[k], cel_text(&surface))) {
                return true;
            }
        }
    }
    return false;
}

/* wanted: "name=glob over the value". */
static bool has_label(const struct cel_value *object, unsigned field, struct str wanted, struct arena *scope)
{
    size_t at = str_find(wanted, '=');
    struct cel_value name = cel_of_str(str_slice(wanted, 0, at));
    struct str glob = str_slice(wanted, at + 1, wanted.len);
    struct cel_value labels;
    struct cel_value v;
    if (!field_of(object, field, scope, &labels) || labels.kind != CEL_MAP || !cel_map_find(&labels, &name, scope, &v)) {
        return false;
    }
    switch (v.kind) {
    case CEL_INT: return str_glob(glob, arena_printf(scope, "%lld", (long long)v.integer));
    case CEL_BOOL: return str_glob(glob, v.boolean ? STR("true") : STR("false"));
    case CEL_STRING: return str_glob(glob, cel_text(&v));
    default: return false;
    }
}

static bool label_fits(struct str wanted, const struct cel_value *vars, struct arena *scope)
{
    bool found = has_label(&vars[RULE_VAR_AGENT], RULE_AGENT_LABELS, wanted, scope) ||
                 has_label(&vars[RULE_VAR_ACTION], RULE_ACTION_LABELS, wanted, scope);
    for (uint32_t i = 0; !found && i < vars[RULE_VAR_SERVICES].aux; i++) {
        struct cel_value service = {.kind = CEL_ABSENT};
        cel_list_at(&vars[RULE_VAR_SERVICES], i, scope, &service);
        found = has_label(&service, RULE_SERVICE_LABELS, wanted, scope);
    }
    return found;
}

bool rule_fits(const struct rule *rule, const struct cel_value *vars, struct arena *scope)
{
    const struct cel_value *action = &vars[RULE_VAR_ACTION];
    if (!one_fits(&rule->agents, &vars[RULE_VAR_AGENT], RULE_AGENT_NAME, scope) ||
        !one_fits(&rule->tools, action, RULE_ACTION_TOOL, scope) ||
        !one_fits(&rule->classes, action, RULE_ACTION_CLASS, scope) ||
        !any_surface_fits(&rule->surfaces, action, scope) ||
        !any_service_fits(&rule->services, &vars[RULE_VAR_SERVICES], scope)) {
        return false;
    }
    for (uint32_t i = 0; i < rule->labels.count; i++) {
        if (!label_fits(rule->labels.items[i], vars, scope)) {
            return false;
        }
    }
    return true;
}
