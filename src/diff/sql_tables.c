/* Statements that change rows, and those that define what holds them. */
#include "diff/sql_script.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* --- rows of tables --------------------------------------------------------------------------------- */

static void read_rows(struct sql_script *s, const struct value *node, enum diff_kind kind)
{
    bool all = sql_is_no_condition(value_get(node, STR("whereClause")));
    struct diff_change row = {.kind = kind,
                              .surfaces = SURFACE_DATA,
                              .irreversible = true,
                              .facts = all ? FACT_BIT(FACT_MISSING_WHERE) : 0};
    script_add(s, row, STR("rows"), sql_relation_name(value_get(node, STR("relation"))));
}

void script_read_delete(struct sql_script *s, const struct value *node)
{
    read_rows(s, node, DIFF_DELETE);
}

void script_read_update(struct sql_script *s, const struct value *node)
{
    read_rows(s, node, DIFF_UPDATE);
}

void script_read_insert(struct sql_script *s, const struct value *node)
{
    bool changes = value_get(node, STR("onConflictClause")) != NULL;
    struct diff_change row = {.kind = changes ? DIFF_UPDATE : DIFF_CREATE, .surfaces = SURFACE_DATA};
    script_add(s, row, STR("rows"), sql_relation_name(value_get(node, STR("relation"))));
}

void script_read_merge(struct sql_script *s, const struct value *node)
{
    const struct value *clauses = value_get(node, STR("mergeWhenClauses"));
    enum diff_kind kind = DIFF_UPDATE;
    for (uint32_t i = 0; value_item(clauses, i) != NULL; i++) {
        struct str command = value_text(value_path(value_item(clauses, i), "MergeWhenClause", "commandType", NULL));
        kind = str_eq(command, STR("CMD_DELETE")) ? DIFF_DELETE : kind;
    }
    struct diff_change row = {.kind = kind, .surfaces = SURFACE_DATA, .irreversible = true};
    script_add(s, row, STR("rows"), sql_relation_name(value_get(node, STR("relation"))));
}

void script_read_truncate(struct sql_script *s, const struct value *node)
{
    const struct value *relations = value_get(node, STR("relations"));
    struct diff_change row = {.kind = DIFF_DELETE, .facts = FACT_BIT(FACT_TRUNCATE)};
    for (uint32_t i = 0; value_item(relations, i) != NULL; i++) {
        script_add(s, row, STR("rows"), sql_object_name(value_item(relations, i)));
    }
}

void script_read_copy(struct sql_script *s, const struct value *node)
{
    bool from = sql_is_set(node, "is_from");
    bool server = value_get(node, STR("filename")) != NULL;
    struct diff_change row = {.kind = server ? DIFF_EXECUTE : from ? DIFF_CREATE : DIFF_READ,
                              .surfaces = SURFACE_DATA,
                              .facts = server ? FACT_BIT(FACT_SERVER_PROGRAM) : 0};
    row.facts |= sql_is_set(node, "is_program") ? FACT_BIT(FACT_OPAQUE) : 0;
    script_add(s, row, STR("rows"), sql_relation_name(value_get(node, STR("relation"))));
}

/* --- definitions ------------------------------------------------------------------------------------ */

void script_read_drop(struct sql_script *s, const struct value *node)
{
    const struct value *objects = value_get(node, STR("objects"));
    struct str type = value_text(value_get(node, STR("removeType")));
    struct sql_name word = sql_type_name(type);
    struct diff_change row = {.kind = DIFF_DELETE, .surfaces = SURFACE_SCHEMA, .facts = FACT_BIT(FACT_DROP)};
    row.facts |= str_eq(type, STR("OBJECT_POLICY")) ? FACT_BIT(FACT_ROW_SECURITY_OFF) : 0;
    for (uint32_t i = 0; value_item(objects, i) != NULL; i++) {
        script_add(s, row, sql_name_view(&word), sql_object_name(value_item(objects, i)));
    }
}

void script_read_drop_roles(struct sql_script *s, const struct value *node)
{
    const struct value *roles = value_get(node, STR("roles"));
    struct diff_change row = {.kind = DIFF_DELETE, .surfaces = SURFACE_AUTH, .facts = FACT_BIT(FACT_DROP)};
    for (uint32_t i = 0; value_item(roles, i) != NULL; i++) {
        script_add(s, row, STR("role"), sql_object_name(value_item(roles, i)));
    }
}

void script_read_rename(struct sql_script *s, const struct value *node)
{
    struct sql_name word = sql_type_name(value_text(value_get(node, STR("renameType"))));
    struct str old = value_text(value_get(node, STR("subname")));
    const struct value *relation = value_get(node, STR("relation"));
    struct sql_name name = relation != NULL ? sql_relation_name(relation) : sql_object_name(value_get(node, STR("object")));
    struct diff_change row = {.kind = DIFF_RENAME,
                              .path = old,
                              .before = script_text(s, old.len > 0 ? old : sql_name_view(&name)),
                              .after = script_text(s, value_text(value_get(node, STR("newname")))),
                              .surfaces = SURFACE_SCHEMA,
                              .facts = FACT_BIT(FACT_NARROWS)};
    script_add(s, row, sql_name_view(&word), name);
}

void script_read_move(struct sql_script *s, const struct value *node)
{
    struct sql_name word = sql_type_name(value_text(value_get(node, STR("objectType"))));
    const struct value *relation = value_get(node, STR("relation"));
    struct diff_change row = {.kind = DIFF_RENAME,
                              .after = script_text(s, value_text(value_get(node, STR("newschema")))),
                              .surfaces = SURFACE_SCHEMA,
                              .facts = FACT_BIT(FACT_NARROWS)};
    script_add(s, row, sql_name_view(&word), relation != NULL ? sql_relation_name(relation) : sql_object_name(value_get(node, STR("object"))));
}

static const struct {
    const char *subtype;
    enum diff_kind kind;
    enum diff_fact fact; /* FACT_COUNT: none */
} alterations[] = {
    {"AT_AddColumn", DIFF_CREATE, FACT_COUNT},
    {"AT_DropColumn", DIFF_DELETE, FACT_DROP},
    {"AT_DropConstraint", DIFF_DELETE, FACT_DROP},
    {"AT_DropIdentity", DIFF_DELETE, FACT_DROP},
    {"AT_DropExpression", DIFF_DELETE, FACT_DROP},
    {"AT_DropInherit", DIFF_DELETE, FACT_DROP},
    {"AT_DetachPartition", DIFF_DELETE, FACT_DROP},
    {"AT_AlterColumnType", DIFF_UPDATE, FACT_REWRITE},
    {"AT_SetLogged", DIFF_UPDATE, FACT_REWRITE},
    {"AT_SetUnLogged", DIFF_UPDATE, FACT_REWRITE},
    {"AT_SetTableSpace", DIFF_UPDATE, FACT_REWRITE},
    {"AT_SetAccessMethod", DIFF_UPDATE, FACT_REWRITE},
    {"AT_SetNotNull", DIFF_UPDATE, FACT_NARROWS},
    {"AT_AddConstraint", DIFF_CREATE, FACT_NARROWS},
    {"AT_EnableRowSecurity", DIFF_UPDATE, FACT_NARROWS},
    {"AT_ForceRowSecurity", DIFF_UPDATE, FACT_NARROWS},
    {"AT_DisableRowSecurity", DIFF_UPDATE, FACT_ROW_SECURITY_OFF},
    {"AT_NoForceRowSecurity", DIFF_UPDATE, FACT_ROW_SECURITY_OFF},
    {"AT_DisableTrig", DIFF_UPDATE, FACT_DENY_REMOVED},
    {"AT_DisableTrigAll", DIFF_UPDATE, FACT_DENY_REMOVED},
    {"AT_DisableTrigUser", DIFF_UPDATE, FACT_DENY_REMOVED},
    {"AT_DisableRule", DIFF_UPDATE, FACT_DENY_REMOVED},
    {"AT_ChangeOwner", DIFF_UPDATE, FACT_OWNER_CHANGED},
};

/* NOT NULL without a value for the rows that are there and the writers that don't know of it. */
static bool is_required(const struct value *column)
{
    const struct value *constraints = value_get(column, STR("constraints"));
    bool required = false;
    bool filled = false;
    for (uint32_t i = 0; value_item(constraints, i) != NULL; i++) {
        struct str type = value_text(value_path(value_item(constraints, i), "Constraint", "contype", NULL));
        required = required || str_eq(type, STR("CONSTR_NOTNULL")) || str_eq(type, STR("CONSTR_PRIMARY"));
        filled = filled || str_eq(type, STR("CONSTR_DEFAULT")) || str_eq(type, STR("CONSTR_GENERATED")) ||
                 str_eq(type, STR("CONSTR_IDENTITY"));
    }
    return required && !filled;
}

static void read_alteration(struct sql_script *s, const struct value *cmd, struct str type, struct sql_name table)
{
    struct str subtype = value_text(value_get(cmd, STR("subtype")));
    const struct value *column = value_path(cmd, "def", "ColumnDef", NULL);
    struct sql_name data_type = {.len = 0};
    sql_name_put_list(&data_type, value_path(column, "typeName", "names", NULL));
    struct str path = value_text(value_get(cmd, STR("name")));
    struct diff_change row = {.kind = DIFF_UPDATE,
                              .path = path.len > 0 ? path : value_text(value_get(column, STR("colname"))),
                              .after = script_text(s, sql_name_view(&data_type)),
                              .surfaces = SURFACE_SCHEMA};
    for (size_t i = 0; i < COUNT(alterations); i++) {
        if (str_eq(subtype, str_from(alterations[i].subtype))) {
            row.kind = alterations[i].kind;
            row.facts = alterations[i].fact == FACT_COUNT ? 0 : FACT_BIT(alterations[i].fact);
        }
    }
    row.facts |= str_eq(subtype, STR("AT_AddColumn")) && is_required(column) ? FACT_BIT(FACT_NARROWS) : 0;
    script_add(s, row, type, table);
}

void script_read_alter_table(struct sql_script *s, const struct value *node)
{
    const struct value *cmds = value_get(node, STR("cmds"));
    struct sql_name word = sql_type_name(value_text(value_get(node, STR("objtype"))));
    for (uint32_t i = 0; value_item(cmds, i) != NULL; i++) {
        const struct value *cmd = value_get(value_item(cmds, i), STR("AlterTableCmd"));
        read_alteration(s, cmd, sql_name_view(&word), sql_relation_name(value_get(node, STR("relation"))));
    }
}

void script_read_vacuum(struct sql_script *s, const struct value *node)
{
    const struct value *options = value_get(node, STR("options"));
    struct diff_change row = {.kind = DIFF_NO_OP};
    for (uint32_t i = 0; value_item(options, i) != NULL; i++) {
        struct str name = value_text(value_path(value_item(options, i), "DefElem", "defname", NULL));
        if (str_eq(name, STR("full"))) {
            row = (struct diff_change){.kind = DIFF_UPDATE, .surfaces = SURFACE_AVAILABILITY, .facts = FACT_BIT(FACT_REWRITE)};
        }
    }
    script_add(s, row, STR("vacuum"), (struct sql_name){.len = 0});
}

void script_read_function(struct sql_script *s, const struct value *node)
{
    static const char *const names[] = {"security"};
    struct sql_name name = {.len = 0};
    sql_name_put_list(&name, value_get(node, STR("funcname")));
    struct diff_change row = {.kind = sql_is_set(node, "replace") ? DIFF_UPDATE : DIFF_CREATE, .surfaces = SURFACE_SCHEMA};
    bool definer = sql_has_true_option(value_get(node, STR("options")), names, COUNT(names));
    row.facts = definer ? FACT_BIT(FACT_ROLE_PRIVILEGED) : 0;
    script_add(s, row, sql_is_set(node, "is_procedure") ? STR("procedure") : STR("function"), name);
}
