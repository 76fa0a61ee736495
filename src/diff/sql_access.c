/* Statements about who may do what: policies, grants, roles, owners. */
#include "diff/sql_script.h"

#include "diff/shown.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void read_policy(struct sql_script *s, const struct value *node, enum diff_kind kind)
{
    const struct value *condition = value_get(node, STR("qual"));
    struct sql_name name = sql_relation_name(value_get(node, STR("table")));
    sql_name_part(&name, value_text(value_get(node, STR("policy_name"))));
    struct diff_change row = {.kind = kind, .surfaces = SURFACE_AUTH};
    row.facts = condition != NULL && sql_is_no_condition(condition) ? FACT_BIT(FACT_ROW_SECURITY_OFF) : 0;
    script_add(s, row, STR("policy"), name);
}

void script_read_create_policy(struct sql_script *s, const struct value *node)
{
    read_policy(s, node, DIFF_CREATE);
}

void script_read_alter_policy(struct sql_script *s, const struct value *node)
{
    read_policy(s, node, DIFF_UPDATE);
}

/* --- who may ---------------------------------------------------------------------------------------- */

static struct str words_of(struct sql_script *s, const struct value *list, const char *otherwise)
{
    struct str text = STR("");
    for (uint32_t i = 0; value_item(list, i) != NULL && text.len < SHOWN_TEXT_MAX; i++) {
        struct sql_name name = sql_object_name(value_item(list, i));
        text = arena_printf(s->arena, "%.*s%s%.*s", STR_ARG(text), text.len > 0 ? ", " : "", (int)name.len, name.text);
    }
    return text.len > 0 ? text : str_from(otherwise);
}

static bool is_to_public(const struct value *grantees)
{
    for (uint32_t i = 0; value_item(grantees, i) != NULL; i++) {
        struct str type = value_text(value_path(value_item(grantees, i), "RoleSpec", "roletype", NULL));
        if (str_eq(type, STR("ROLESPEC_PUBLIC"))) {
            return true;
        }
    }
    return false;
}

static struct diff_change grant_row(struct sql_script *s, const struct value *node, struct str what, const struct value *grantees)
{
    bool grant = sql_is_set(node, "is_grant");
    struct str to = words_of(s, grantees, "nobody");
    struct value words = value_string(
        diff_text(s->arena, arena_printf(s->arena, "%.*s: %.*s", STR_ARG(to), STR_ARG(what)), SHOWN_TEXT_MAX));
    struct diff_change row = {.kind = grant ? DIFF_GRANT : DIFF_REVOKE,
                              .before = grant ? value_null() : words,
                              .after = grant ? words : value_null(),
                              .surfaces = SURFACE_AUTH,
                              .facts = grant ? FACT_BIT(FACT_GRANT) : 0};
    row.facts |= grant && is_to_public(grantees) ? FACT_BIT(FACT_GRANT_PUBLIC) : 0;
    return row;
}

void script_read_grant(struct sql_script *s, const struct value *node)
{
    const struct value *objects = value_get(node, STR("objects"));
    struct str target = value_text(value_get(node, STR("targtype")));
    bool all = str_eq(target, STR("ACL_TARGET_ALL_IN_SCHEMA"));
    struct sql_name type = sql_type_name(value_text(value_get(node, STR("objtype"))));
    struct sql_name word = {.len = 0};
    sql_name_put(&word, all ? STR("all in schema: ") : STR(""));
    sql_name_put(&word, sql_name_view(&type));
    struct str what = words_of(s, value_get(node, STR("privileges")), "all");
    struct diff_change row = grant_row(s, node, what, value_get(node, STR("grantees")));
    row.facts |= sql_is_set(node, "grant_option") && sql_is_set(node, "is_grant") ? FACT_BIT(FACT_ROLE_PRIVILEGED) : 0;
    for (uint32_t i = 0; value_item(objects, i) != NULL; i++) {
        script_add(s, row, sql_name_view(&word), sql_object_name(value_item(objects, i)));
    }
    if (str_eq(target, STR("ACL_TARGET_DEFAULTS"))) {
        sql_name_put(&word, STR("s to come"));
        script_add(s, row, sql_name_view(&word), (struct sql_name){.len = 0});
    }
}

void script_read_default_privileges(struct sql_script *s, const struct value *node)
{
    script_read_grant(s, value_get(node, STR("action")));
}

void script_read_grant_role(struct sql_script *s, const struct value *node)
{
    const struct value *roles = value_get(node, STR("granted_roles"));
    struct diff_change row = grant_row(s, node, STR("member"), value_get(node, STR("grantee_roles")));
    for (uint32_t i = 0; value_item(roles, i) != NULL; i++) {
        struct sql_name name = sql_object_name(value_item(roles, i));
        struct diff_change one = row;
        bool privileged = sql_is_set(node, "admin_opt") || str_starts(sql_name_view(&name), STR("pg_"));
        one.facts |= privileged && row.kind == DIFF_GRANT ? FACT_BIT(FACT_ROLE_PRIVILEGED) : 0;
        script_add(s, one, STR("role"), name);
    }
}

void script_read_role(struct sql_script *s, const struct value *node)
{
    static const char *const names[] = {"superuser", "createrole", "createdb", "bypassrls", "isreplication"};
    const struct value *role = value_get(node, STR("role"));
    bool made = value_is(role, VALUE_STRING);
    struct sql_name name = {.len = 0};
    sql_name_part(&name, made ? value_text(role) : sql_role_of(role));
    struct diff_change row = {.kind = made ? DIFF_CREATE : DIFF_UPDATE, .surfaces = SURFACE_AUTH};
    bool privileged = sql_has_true_option(value_get(node, STR("options")), names, COUNT(names));
    row.facts = privileged ? FACT_BIT(FACT_ROLE_PRIVILEGED) : 0;
    script_add(s, row, STR("role"), name);
}

void script_read_owner(struct sql_script *s, const struct value *node)
{
    struct sql_name word = sql_type_name(value_text(value_get(node, STR("objectType"))));
    struct diff_change row = {.kind = DIFF_UPDATE, .surfaces = SURFACE_AUTH, .facts = FACT_BIT(FACT_OWNER_CHANGED)};
    script_add(s, row, sql_name_view(&word), sql_object_name(value_get(node, STR("object"))));
}
