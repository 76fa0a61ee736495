#include "diff/sql_changes.h"

#include "diff/shown.h"
#include "diff/sql.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { NAME_MAX_LEN = 300 };

struct script {
    struct arena *arena;
    struct diff_changes *changes;
    uint64_t rows; /* of the statement that is read */
};

/* --- names ------------------------------------------------------------------------------------------ */

struct name {
    char text[NAME_MAX_LEN];
    size_t len;
};

static void name_put(struct name *n, struct str s)
{
    /* Longer names do not exist: PostgreSQL cuts each part at 63 bytes. */
    for (size_t i = 0; i < s.len && n->len < sizeof n->text; i++) {
        n->text[n->len++] = s.ptr[i];
    }
}

static struct str name_view(const struct name *n)
{
    return (struct str){n->text, n->len};
}

static void name_part(struct name *n, struct str part)
{
    if (part.len > 0) {
        name_put(n, n->len > 0 ? STR(".") : STR(""));
        name_put(n, part);
    }
}

/* {catalogname, schemaname, relname} */
static struct name relation_name(const struct value *v)
{
    struct name n = {.len = 0};
    name_part(&n, value_text(value_get(v, STR("catalogname"))));
    name_part(&n, value_text(value_get(v, STR("schemaname"))));
    name_part(&n, value_text(value_get(v, STR("relname"))));
    return n;
}

/* [{String: {sval}}, ...] */
static void put_names(struct name *n, const struct value *list)
{
    for (uint32_t i = 0; value_item(list, i) != NULL; i++) {
        name_part(n, value_text(value_path(value_item(list, i), "String", "sval", NULL)));
    }
}

static struct str role_of(const struct value *role)
{
    struct str type = value_text(value_get(role, STR("roletype")));
    if (str_eq(type, STR("ROLESPEC_PUBLIC"))) {
        return STR("public");
    }
    return str_eq(type, STR("ROLESPEC_CSTRING")) ? value_text(value_get(role, STR("rolename"))) : STR("current_user");
}

/* An object of a DROP, a GRANT or an ALTER ... OWNER, in whatever shape its kind has. */
static struct name object_name(const struct value *v)
{
    struct name n = {.len = 0};
    const struct value *range = value_get(v, STR("RangeVar"));
    if (range != NULL) {
        return relation_name(range);
    }
    const struct value *single = value_path(v, "String", "sval", NULL);
    name_part(&n, value_text(single));
    put_names(&n, value_path(v, "List", "items", NULL));
    put_names(&n, value_path(v, "ObjectWithArgs", "objname", NULL));
    put_names(&n, value_path(v, "TypeName", "names", NULL));
    const struct value *role = value_get(v, STR("RoleSpec"));
    name_part(&n, role == NULL ? STR("") : role_of(role));
    name_part(&n, value_text(value_path(v, "AccessPriv", "priv_name", NULL)));
    return n;
}

/* OBJECT_MATVIEW is "matview", OBJECT_FOREIGN_TABLE "foreign table". */
static struct name type_name(struct str object_type)
{
    struct name n = {.len = 0};
    struct str rest = str_starts(object_type, STR("OBJECT_")) ? str_slice(object_type, 7, object_type.len) : object_type;
    for (size_t i = 0; i < rest.len; i++) {
        char c = rest.ptr[i];
        c = c == '_' ? ' ' : c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
        name_put(&n, (struct str){&c, 1});
    }
    return n;
}

/* --- rows ------------------------------------------------------------------------------------------- */

static void add(struct script *s, struct diff_change row, struct str type, struct name name)
{
    row.resource = arena_printf(s->arena, "%.*s%s%.*s", STR_ARG(type), name.len > 0 ? " " : "", (int)name.len, name.text);
    diff_add(s->arena, s->changes, &row);
    s->rows++;
}

static struct value shown_text(struct script *s, struct str text)
{
    return text.len == 0 ? value_null() : value_string(diff_text(s->arena, text, SHOWN_TEXT_MAX));
}

static bool is_set(const struct value *node, const char *name)
{
    return value_bool_or(value_get(node, str_from(name)), false);
}

/* --- conditions ------------------------------------------------------------------------------------- */

/* Nothing in it depends on the row. */
static bool is_constant(const struct value *v)
{
    static const char *const free_nodes[] = {"ColumnRef", "ParamRef", "SubLink", "CurrentOfExpr", "FuncCall"};
    bool constant = true;
    for (uint32_t i = 0; v->type == VALUE_ARRAY && i < v->count && constant; i++) {
        constant = is_constant(&v->items[i]);
    }
    for (uint32_t i = 0; v->type == VALUE_OBJECT && i < v->count && constant; i++) {
        for (size_t k = 0; k < COUNT(free_nodes); k++) {
            constant = constant && !str_eq(v->members[i].name, str_from(free_nodes[k]));
        }
        constant = constant && is_constant(&v->members[i].value);
    }
    return constant;
}

/* WHERE true, WHERE 1 = 1, WHERE a = 1 OR true. */
static bool is_no_condition(const struct value *where)
{
    if (where == NULL || is_constant(where)) {
        return true;
    }
    const struct value *arms = value_path(where, "BoolExpr", "args", NULL);
    struct str op = value_text(value_path(where, "BoolExpr", "boolop", NULL));
    for (uint32_t i = 0; str_eq(op, STR("OR_EXPR")) && value_item(arms, i) != NULL; i++) {
        if (is_no_condition(value_item(arms, i))) {
            return true;
        }
    }
    return false;
}

/* --- rows of tables --------------------------------------------------------------------------------- */

static void read_rows(struct script *s, const struct value *node, enum diff_kind kind)
{
    bool all = is_no_condition(value_get(node, STR("whereClause")));
    struct diff_change row = {.kind = kind,
                              .surfaces = SURFACE_DATA,
                              .irreversible = true,
                              .facts = all ? FACT_BIT(FACT_MISSING_WHERE) : 0};
    add(s, row, STR("rows"), relation_name(value_get(node, STR("relation"))));
}

static void read_delete(struct script *s, const struct value *node)
{
    read_rows(s, node, DIFF_DELETE);
}

static void read_update(struct script *s, const struct value *node)
{
    read_rows(s, node, DIFF_UPDATE);
}

static void read_insert(struct script *s, const struct value *node)
{
    bool changes = value_get(node, STR("onConflictClause")) != NULL;
    struct diff_change row = {.kind = changes ? DIFF_UPDATE : DIFF_CREATE, .surfaces = SURFACE_DATA};
    add(s, row, STR("rows"), relation_name(value_get(node, STR("relation"))));
}

static void read_merge(struct script *s, const struct value *node)
{
    const struct value *clauses = value_get(node, STR("mergeWhenClauses"));
    enum diff_kind kind = DIFF_UPDATE;
    for (uint32_t i = 0; value_item(clauses, i) != NULL; i++) {
        struct str command = value_text(value_path(value_item(clauses, i), "MergeWhenClause", "commandType", NULL));
        kind = str_eq(command, STR("CMD_DELETE")) ? DIFF_DELETE : kind;
    }
    struct diff_change row = {.kind = kind, .surfaces = SURFACE_DATA, .irreversible = true};
    add(s, row, STR("rows"), relation_name(value_get(node, STR("relation"))));
}

static void read_truncate(struct script *s, const struct value *node)
{
    const struct value *relations = value_get(node, STR("relations"));
    struct diff_change row = {.kind = DIFF_DELETE, .facts = FACT_BIT(FACT_TRUNCATE)};
    for (uint32_t i = 0; value_item(relations, i) != NULL; i++) {
        add(s, row, STR("rows"), object_name(value_item(relations, i)));
    }
}

static void read_copy(struct script *s, const struct value *node)
{
    bool from = is_set(node, "is_from");
    bool server = value_get(node, STR("filename")) != NULL;
    struct diff_change row = {.kind = server ? DIFF_EXECUTE : from ? DIFF_CREATE : DIFF_READ,
                              .surfaces = SURFACE_DATA,
                              .facts = server ? FACT_BIT(FACT_SERVER_PROGRAM) : 0};
    row.facts |= is_set(node, "is_program") ? FACT_BIT(FACT_OPAQUE) : 0;
    add(s, row, STR("rows"), relation_name(value_get(node, STR("relation"))));
}

/* --- definitions ------------------------------------------------------------------------------------ */

static void read_drop(struct script *s, const struct value *node)
{
    const struct value *objects = value_get(node, STR("objects"));
    struct str type = value_text(value_get(node, STR("removeType")));
    struct name word = type_name(type);
    struct diff_change row = {.kind = DIFF_DELETE, .surfaces = SURFACE_SCHEMA, .facts = FACT_BIT(FACT_DROP)};
    row.facts |= str_eq(type, STR("OBJECT_POLICY")) ? FACT_BIT(FACT_ROW_SECURITY_OFF) : 0;
    for (uint32_t i = 0; value_item(objects, i) != NULL; i++) {
        add(s, row, name_view(&word), object_name(value_item(objects, i)));
    }
}

static void read_drop_roles(struct script *s, const struct value *node)
{
    const struct value *roles = value_get(node, STR("roles"));
    struct diff_change row = {.kind = DIFF_DELETE, .surfaces = SURFACE_AUTH, .facts = FACT_BIT(FACT_DROP)};
    for (uint32_t i = 0; value_item(roles, i) != NULL; i++) {
        add(s, row, STR("role"), object_name(value_item(roles, i)));
    }
}

static void read_rename(struct script *s, const struct value *node)
{
    struct name word = type_name(value_text(value_get(node, STR("renameType"))));
    struct str old = value_text(value_get(node, STR("subname")));
    const struct value *relation = value_get(node, STR("relation"));
    struct name name = relation != NULL ? relation_name(relation) : object_name(value_get(node, STR("object")));
    struct diff_change row = {.kind = DIFF_RENAME,
                              .path = old,
                              .before = shown_text(s, old.len > 0 ? old : name_view(&name)),
                              .after = shown_text(s, value_text(value_get(node, STR("newname")))),
                              .surfaces = SURFACE_SCHEMA,
                              .facts = FACT_BIT(FACT_NARROWS)};
    add(s, row, name_view(&word), name);
}

static void read_move(struct script *s, const struct value *node)
{
    struct name word = type_name(value_text(value_get(node, STR("objectType"))));
    const struct value *relation = value_get(node, STR("relation"));
    struct diff_change row = {.kind = DIFF_RENAME,
                              .after = shown_text(s, value_text(value_get(node, STR("newschema")))),
                              .surfaces = SURFACE_SCHEMA,
                              .facts = FACT_BIT(FACT_NARROWS)};
    add(s, row, name_view(&word), relation != NULL ? relation_name(relation) : object_name(value_get(node, STR("object"))));
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

static void read_alteration(struct script *s, const struct value *cmd, struct str type, struct name table)
{
    struct str subtype = value_text(value_get(cmd, STR("subtype")));
    const struct value *column = value_path(cmd, "def", "ColumnDef", NULL);
    struct name data_type = {.len = 0};
    put_names(&data_type, value_path(column, "typeName", "names", NULL));
    struct str path = value_text(value_get(cmd, STR("name")));
    struct diff_change row = {.kind = DIFF_UPDATE,
                              .path = path.len > 0 ? path : value_text(value_get(column, STR("colname"))),
                              .after = shown_text(s, name_view(&data_type)),
                              .surfaces = SURFACE_SCHEMA};
    for (size_t i = 0; i < COUNT(alterations); i++) {
        if (str_eq(subtype, str_from(alterations[i].subtype))) {
            row.kind = alterations[i].kind;
            row.facts = alterations[i].fact == FACT_COUNT ? 0 : FACT_BIT(alterations[i].fact);
        }
    }
    row.facts |= str_eq(subtype, STR("AT_AddColumn")) && is_required(column) ? FACT_BIT(FACT_NARROWS) : 0;
    add(s, row, type, table);
}

static void read_alter_table(struct script *s, const struct value *node)
{
    const struct value *cmds = value_get(node, STR("cmds"));
    struct name word = type_name(value_text(value_get(node, STR("objtype"))));
    for (uint32_t i = 0; value_item(cmds, i) != NULL; i++) {
        const struct value *cmd = value_get(value_item(cmds, i), STR("AlterTableCmd"));
        read_alteration(s, cmd, name_view(&word), relation_name(value_get(node, STR("relation"))));
    }
}

static void read_vacuum(struct script *s, const struct value *node)
{
    const struct value *options = value_get(node, STR("options"));
    struct diff_change row = {.kind = DIFF_NO_OP};
    for (uint32_t i = 0; value_item(options, i) != NULL; i++) {
        struct str name = value_text(value_path(value_item(options, i), "DefElem", "defname", NULL));
        if (str_eq(name, STR("full"))) {
            row = (struct diff_change){.kind = DIFF_UPDATE, .surfaces = SURFACE_AVAILABILITY, .facts = FACT_BIT(FACT_REWRITE)};
        }
    }
    add(s, row, STR("vacuum"), (struct name){.len = 0});
}

static void read_policy(struct script *s, const struct value *node, enum diff_kind kind)
{
    const struct value *condition = value_get(node, STR("qual"));
    struct name name = relation_name(value_get(node, STR("table")));
    name_part(&name, value_text(value_get(node, STR("policy_name"))));
    struct diff_change row = {.kind = kind, .surfaces = SURFACE_AUTH};
    row.facts = condition != NULL && is_no_condition(condition) ? FACT_BIT(FACT_ROW_SECURITY_OFF) : 0;
    add(s, row, STR("policy"), name);
}

static void read_create_policy(struct script *s, const struct value *node)
{
    read_policy(s, node, DIFF_CREATE);
}

static void read_alter_policy(struct script *s, const struct value *node)
{
    read_policy(s, node, DIFF_UPDATE);
}

static bool has_true_option(const struct value *options, const char *const *names, size_t count)
{
    for (uint32_t i = 0; value_item(options, i) != NULL; i++) {
        const struct value *option = value_get(value_item(options, i), STR("DefElem"));
        struct str name = value_text(value_get(option, STR("defname")));
        for (size_t k = 0; k < count; k++) {
            if (str_eq(name, str_from(names[k])) && value_bool_or(value_path(option, "arg", "Boolean", "boolval", NULL), false)) {
                return true;
            }
        }
    }
    return false;
}

static void read_function(struct script *s, const struct value *node)
{
    static const char *const names[] = {"security"};
    struct name name = {.len = 0};
    put_names(&name, value_get(node, STR("funcname")));
    struct diff_change row = {.kind = is_set(node, "replace") ? DIFF_UPDATE : DIFF_CREATE, .surfaces = SURFACE_SCHEMA};
    bool definer = has_true_option(value_get(node, STR("options")), names, COUNT(names));
    row.facts = definer ? FACT_BIT(FACT_ROLE_PRIVILEGED) : 0;
    add(s, row, is_set(node, "is_procedure") ? STR("procedure") : STR("function"), name);
}

/* --- who may ---------------------------------------------------------------------------------------- */

static struct str words_of(struct script *s, const struct value *list, const char *otherwise)
{
    struct str text = STR("");
    for (uint32_t i = 0; value_item(list, i) != NULL && text.len < SHOWN_TEXT_MAX; i++) {
        struct name name = object_name(value_item(list, i));
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

static struct diff_change grant_row(struct script *s, const struct value *node, struct str what, const struct value *grantees)
{
    bool grant = is_set(node, "is_grant");
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

static void read_grant(struct script *s, const struct value *node)
{
    const struct value *objects = value_get(node, STR("objects"));
    struct str target = value_text(value_get(node, STR("targtype")));
    bool all = str_eq(target, STR("ACL_TARGET_ALL_IN_SCHEMA"));
    struct name type = type_name(value_text(value_get(node, STR("objtype"))));
    struct name word = {.len = 0};
    name_put(&word, all ? STR("all in schema: ") : STR(""));
    name_put(&word, name_view(&type));
    struct str what = words_of(s, value_get(node, STR("privileges")), "all");
    struct diff_change row = grant_row(s, node, what, value_get(node, STR("grantees")));
    row.facts |= is_set(node, "grant_option") && is_set(node, "is_grant") ? FACT_BIT(FACT_ROLE_PRIVILEGED) : 0;
    for (uint32_t i = 0; value_item(objects, i) != NULL; i++) {
        add(s, row, name_view(&word), object_name(value_item(objects, i)));
    }
    if (str_eq(target, STR("ACL_TARGET_DEFAULTS"))) {
        name_put(&word, STR("s to come"));
        add(s, row, name_view(&word), (struct name){.len = 0});
    }
}

static void read_default_privileges(struct script *s, const struct value *node)
{
    read_grant(s, value_get(node, STR("action")));
}

static void read_grant_role(struct script *s, const struct value *node)
{
    const struct value *roles = value_get(node, STR("granted_roles"));
    struct diff_change row = grant_row(s, node, STR("member"), value_get(node, STR("grantee_roles")));
    for (uint32_t i = 0; value_item(roles, i) != NULL; i++) {
        struct name name = object_name(value_item(roles, i));
        struct diff_change one = row;
        bool privileged = is_set(node, "admin_opt") || str_starts(name_view(&name), STR("pg_"));
        one.facts |= privileged && row.kind == DIFF_GRANT ? FACT_BIT(FACT_ROLE_PRIVILEGED) : 0;
        add(s, one, STR("role"), name);
    }
}

static void read_role(struct script *s, const struct value *node)
{
    static const char *const names[] = {"superuser", "createrole", "createdb", "bypassrls", "isreplication"};
    const struct value *role = value_get(node, STR("role"));
    bool made = value_is(role, VALUE_STRING);
    struct name name = {.len = 0};
    name_part(&name, made ? value_text(role) : role_of(role));
    struct diff_change row = {.kind = made ? DIFF_CREATE : DIFF_UPDATE, .surfaces = SURFACE_AUTH};
    bool privileged = has_true_option(value_get(node, STR("options")), names, COUNT(names));
    row.facts = privileged ? FACT_BIT(FACT_ROLE_PRIVILEGED) : 0;
    add(s, row, STR("role"), name);
}

static void read_owner(struct script *s, const struct value *node)
{
    struct name word = type_name(value_text(value_get(node, STR("objectType"))));
    struct diff_change row = {.kind = DIFF_UPDATE, .surfaces = SURFACE_AUTH, .facts = FACT_BIT(FACT_OWNER_CHANGED)};
    add(s, row, name_view(&word), object_name(value_get(node, STR("object"))));
}

/* --- settings --------------------------------------------------------------------------------------- */

static const struct {
    const char *name; /* a glob */
    enum diff_fact fact;
} settings[] = {
    {"ssl", FACT_TLS_OFF}, {"row_security", FACT_ROW_SECURITY_OFF}, {"session_replication_role", FACT_DENY_REMOVED},
    {"log_*", FACT_LOGGING_OFF}, {"logging_collector", FACT_LOGGING_OFF}, {"pgaudit.*", FACT_LOGGING_OFF},
    {"archive_*", FACT_BACKUPS_OFF}, {"fsync", FACT_BACKUPS_OFF}, {"full_page_writes", FACT_BACKUPS_OFF},
    {"*_command", FACT_SERVER_PROGRAM}, {"*preload_libraries", FACT_SERVER_PROGRAM}, {"password_encryption", FACT_AUTH_DISABLED},
    {"role", FACT_ROLE_PRIVILEGED}, {"session_authorization", FACT_ROLE_PRIVILEGED},
};

static void add_setting(struct script *s, const struct value *set, const char *where, bool lasts)
{
    struct str name = value_text(value_get(set, STR("name")));
    struct diff_change row = {.kind = DIFF_NO_OP};
    struct name shown = {.len = 0};
    for (size_t i = 0; i < COUNT(settings); i++) {
        row.facts |= str_glob(str_from(settings[i].name), name) ? FACT_BIT(settings[i].fact) : 0;
    }
    if (lasts || row.facts != 0) {
        row.kind = DIFF_UPDATE;
        row.surfaces = SURFACE_CONFIG;
    }
    name_part(&shown, name.len > 0 ? name : STR("all"));
    add(s, row, str_from(where), shown);
}

static void read_set(struct script *s, const struct value *node)
{
    add_setting(s, node, "setting", false);
}

static void read_lasting_set(struct script *s, const struct value *node)
{
    add_setting(s, value_get(node, STR("setstmt")), "setting", true);
}

/* --- what hides its text ---------------------------------------------------------------------------- */

static void read_opaque(struct script *s, const struct value *node)
{
    struct name name = {.len = 0};
    put_names(&name, value_path(node, "funccall", "funcname", NULL));
    name_part(&name, value_text(value_get(node, STR("name"))));
    struct diff_change row = {.kind = DIFF_EXECUTE, .facts = FACT_BIT(FACT_OPAQUE)};
    add(s, row, STR("code"), name);
}

static const struct {
    const char *name; /* a glob, without the schema */
    enum diff_fact fact;
} functions[] = {
    {"dblink*", FACT_OPAQUE}, {"query_to_xml*", FACT_OPAQUE}, {"cursor_to_xml*", FACT_OPAQUE}, {"pg_read_*", FACT_SERVER_PROGRAM},
    {"pg_ls_*", FACT_SERVER_PROGRAM}, {"pg_file_*", FACT_SERVER_PROGRAM}, {"lo_import", FACT_SERVER_PROGRAM},
    {"lo_export", FACT_SERVER_PROGRAM}, {"lo_unlink", FACT_DROP}, {"pg_terminate_backend", FACT_SERVER_PROGRAM},
    {"pg_cancel_backend", FACT_SERVER_PROGRAM}, {"pg_reload_conf", FACT_SERVER_PROGRAM}, {"pg_promote", FACT_SERVER_PROGRAM},
    {"pg_drop_replication_slot", FACT_DROP}, {"pg_create_*", FACT_SERVER_PROGRAM}, {"set_config", FACT_OPAQUE},
    {"setval", FACT_REWRITE}, {"pg_switch_wal", FACT_SERVER_PROGRAM}, {"pg_replication_*", FACT_SERVER_PROGRAM},
    {"database_to_xml*", FACT_OPAQUE}, {"table_to_xml*", FACT_OPAQUE}, {"schedule", FACT_OPAQUE}, {"xpath_table", FACT_OPAQUE},
};

static void read_call(struct script *s, const struct value *node)
{
    const struct value *names = value_get(node, STR("funcname"));
    const struct value *last = value_is(names, VALUE_ARRAY) ? value_item(names, names->count - 1) : NULL;
    struct str function = value_text(value_path(last, "String", "sval", NULL));
    struct diff_change row = {.kind = DIFF_EXECUTE};
    for (size_t i = 0; i < COUNT(functions); i++) {
        row.facts |= str_glob(str_from(functions[i].name), function) ? FACT_BIT(functions[i].fact) : 0;
    }
    if (row.facts != 0) {
        struct name name = {.len = 0};
        put_names(&name, names);
        add(s, row, STR("function"), name);
    }
}

/* --- the tree --------------------------------------------------------------------------------------- */

static const struct {
    const char *node;
    void (*read)(struct script *s, const struct value *node);
} readers[] = {
    {"DeleteStmt", read_delete}, {"UpdateStmt", read_update}, {"InsertStmt", read_insert}, {"MergeStmt", read_merge},
    {"TruncateStmt", read_truncate}, {"CopyStmt", read_copy}, {"DropStmt", read_drop}, {"DropRoleStmt", read_drop_roles},
    {"RenameStmt", read_rename}, {"AlterObjectSchemaStmt", read_move}, {"AlterTableStmt", read_alter_table},
    {"VacuumStmt", read_vacuum}, {"CreatePolicyStmt", read_create_policy}, {"AlterPolicyStmt", read_alter_policy},
    {"CreateFunctionStmt", read_function}, {"GrantStmt", read_grant}, {"AlterDefaultPrivilegesStmt", read_default_privileges},
    {"GrantRoleStmt", read_grant_role}, {"CreateRoleStmt", read_role}, {"AlterRoleStmt", read_role}, {"AlterOwnerStmt", read_owner},
    {"VariableSetStmt", read_set}, {"AlterSystemStmt", read_lasting_set}, {"AlterRoleSetStmt", read_lasting_set},
    {"AlterDatabaseSetStmt", read_lasting_set}, {"DoStmt", read_opaque}, {"CallStmt", read_opaque}, {"ExecuteStmt", read_opaque},
    {"LoadStmt", read_opaque}, {"FuncCall", read_call},
};

/* Statements that say all by their kind; the others by the beginning of their name. */
static const struct {
    const char *node; /* a glob */
    enum diff_kind kind;
    const char *type;
    enum diff_fact fact; /* FACT_COUNT: none */
} statements[] = {
    {"SelectStmt", DIFF_READ, "rows", FACT_COUNT},
    {"ExplainStmt", DIFF_READ, "plan", FACT_COUNT},
    {"VariableShowStmt", DIFF_READ, "setting", FACT_COUNT},
    {"TransactionStmt", DIFF_NO_OP, "transaction", FACT_COUNT},
    {"PrepareStmt", DIFF_NO_OP, "statement", FACT_COUNT},
    {"DeallocateStmt", DIFF_NO_OP, "statement", FACT_COUNT},
    {"LockStmt", DIFF_NO_OP, "lock", FACT_COUNT},
    {"ListenStmt", DIFF_NO_OP, "channel", FACT_COUNT},
    {"UnlistenStmt", DIFF_NO_OP, "channel", FACT_COUNT},
    {"NotifyStmt", DIFF_NO_OP, "channel", FACT_COUNT},
    {"DiscardStmt", DIFF_NO_OP, "session", FACT_COUNT},
    {"ConstraintsSetStmt", DIFF_NO_OP, "session", FACT_COUNT},
    {"DeclareCursorStmt", DIFF_READ, "cursor", FACT_COUNT},
    {"FetchStmt", DIFF_READ, "cursor", FACT_COUNT},
    {"ClosePortalStmt", DIFF_NO_OP, "cursor", FACT_COUNT},
    {"CheckPointStmt", DIFF_NO_OP, "checkpoint", FACT_COUNT},
    {"CommentStmt", DIFF_UPDATE, "comment", FACT_COUNT},
    {"SecLabelStmt", DIFF_UPDATE, "label", FACT_COUNT},
    {"ReindexStmt", DIFF_UPDATE, "index", FACT_COUNT},
    {"RefreshMatViewStmt", DIFF_UPDATE, "matview", FACT_COUNT},
    {"ClusterStmt", DIFF_UPDATE, "table", FACT_REWRITE},
    {"IndexStmt", DIFF_CREATE, "index", FACT_COUNT},
    {"ViewStmt", DIFF_UPDATE, "view", FACT_COUNT},
    {"RuleStmt", DIFF_CREATE, "rule", FACT_COUNT},
    {"DefineStmt", DIFF_CREATE, "object", FACT_COUNT},
    {"CompositeTypeStmt", DIFF_CREATE, "type", FACT_COUNT},
    {"ImportForeignSchemaStmt", DIFF_CREATE, "foreign schema", FACT_COUNT},
    {"ReassignOwnedStmt", DIFF_UPDATE, "owned", FACT_OWNER_CHANGED},
    {"DropdbStmt", DIFF_DELETE, "database", FACT_DROP},
    {"DropOwnedStmt", DIFF_DELETE, "owned", FACT_DROP},
    {"DropTableSpaceStmt", DIFF_DELETE, "tablespace", FACT_DROP},
    {"DropSubscriptionStmt", DIFF_DELETE, "subscription", FACT_DROP},
    {"DropUserMappingStmt", DIFF_DELETE, "user mapping", FACT_DROP},
    {"CreatedbStmt", DIFF_CREATE, "database", FACT_COUNT},
    {"CreateSchemaStmt", DIFF_CREATE, "schema", FACT_COUNT},
    {"CreateStmt", DIFF_CREATE, "table", FACT_COUNT},
    {"CreateTableAsStmt", DIFF_CREATE, "table", FACT_COUNT},
    {"CreateSeqStmt", DIFF_CREATE, "sequence", FACT_COUNT},
    {"CreateTrigStmt", DIFF_CREATE, "trigger", FACT_COUNT},
    {"CreateExtensionStmt", DIFF_CREATE, "extension", FACT_COUNT},
    {"Create*", DIFF_CREATE, "object", FACT_COUNT},
    {"AlterEnumStmt", DIFF_UPDATE, "type", FACT_COUNT},
    {"AlterSeqStmt", DIFF_UPDATE, "sequence", FACT_COUNT},
    {"Alter*", DIFF_UPDATE, "object", FACT_COUNT},
    {"Drop*", DIFF_DELETE, "object", FACT_DROP},
};

/* The name of whatever kind of object, where such statements keep it. */
static struct name any_name(const struct value *node)
{
    static const char *const relations[] = {"relation", "view", "sequence", "rel"};
    static const char *const texts[] = {"dbname", "schemaname", "extname", "idxname", "trigname", "tablespacename", "subname", "name"};
    struct name name = {.len = 0};
    for (size_t i = 0; i < COUNT(relations) && name.len == 0; i++) {
        name = relation_name(value_get(node, str_from(relations[i])));
    }
    if (name.len == 0) {
        const struct value *into = value_get(node, STR("into"));
        into = into == NULL ? value_get(node, STR("intoClause")) : into;
        name = relation_name(value_get(into, STR("rel")));
    }
    put_names(&name, value_get(node, STR("typeName")));
    for (size_t i = 0; i < COUNT(texts) && name.len == 0; i++) {
        name_part(&name, value_text(value_get(node, str_from(texts[i]))));
    }
    return name;
}

static void read_plain(struct script *s, struct str node_name, const struct value *node)
{
    struct diff_change row = {.kind = DIFF_UNKNOWN, .facts = FACT_BIT(FACT_UNREADABLE)};
    for (size_t i = 0; i < COUNT(statements); i++) {
        if (str_glob(str_from(statements[i].node), node_name)) {
            row.kind = statements[i].kind;
            row.facts = statements[i].fact == FACT_COUNT ? 0 : FACT_BIT(statements[i].fact);
            bool into = row.kind == DIFF_READ && value_get(node, STR("intoClause")) != NULL;
            row.kind = into ? DIFF_CREATE : row.kind;
            row.surfaces = row.kind == DIFF_NO_OP || row.kind == DIFF_READ ? 0 : SURFACE_SCHEMA;
            add(s, row, str_from(statements[i].type), any_name(node));
            return;
        }
    }
    add(s, row, node_name, any_name(node));
}

/* Statements stand inside others, so every node is looked at. The JSON reader bounds the depth. */
static void walk(struct script *s, const struct value *v)
{
    bool array = v->type == VALUE_ARRAY;
    for (uint32_t i = 0; (array || v->type == VALUE_OBJECT) && i < v->count; i++) {
        for (size_t k = 0; !array && k < COUNT(readers); k++) {
            if (str_eq(v->members[i].name, str_from(readers[k].node))) {
                readers[k].read(s, &v->members[i].value);
            }
        }
        walk(s, array ? &v->items[i] : &v->members[i].value);
    }
}

static bool has_reader(struct str node)
{
    for (size_t k = 0; k < COUNT(readers); k++) {
        if (str_eq(node, str_from(readers[k].node))) {
            return true;
        }
    }
    return false;
}

static void read_statement(struct script *s, const struct value *statement)
{
    const struct value *stmt = value_get(statement, STR("stmt"));
    if (!value_is(stmt, VALUE_OBJECT) || stmt->count == 0) {
        return;
    }
    const struct member *m = &stmt->members[0];
    s->rows = 0;
    if (!has_reader(m->name)) {
        read_plain(s, m->name, &m->value);
    }
    walk(s, stmt);
    if (s->rows == 0) {
        struct diff_change row = {.kind = DIFF_UNKNOWN, .facts = FACT_BIT(FACT_UNREADABLE)};
        add(s, row, m->name, (struct name){.len = 0});
    }
}

enum rc diff_sql(struct arena *a, struct str text, struct diff_changes *ret, struct err *e)
{
    struct diff_changes changes = diff_changes_none(DIFF_SQL);
    struct script s = {.arena = a, .changes = &changes};
    CLEANUP(arena) struct arena *tree_arena = arena_new(SQL_TREE_MAX);
    struct value tree;
    struct err why = {.text = "out of memory"};
    if (tree_arena == NULL || sql_tree(tree_arena, text, &tree, &why) != RC_OK) {
        struct diff_change row = {.kind = DIFF_UNKNOWN,
                                  .resource = STR("script"),
                                  .after = shown_text(&s, str_from(why.text)),
                                  .facts = FACT_BIT(FACT_UNREADABLE)};
        diff_add(a, &changes, &row);
    } else {
        const struct value *list = value_get(&tree, STR("stmts"));
        for (uint32_t i = 0; value_item(list, i) != NULL && arena_rc(a) == RC_OK; i++) {
            read_statement(&s, value_item(list, i));
        }
    }
    enum rc rc = diff_built(a, e);
    if (rc == RC_OK) {
        *ret = changes;
    }
    return rc;
}
