#include "diff/sql_changes.h"

#include "diff/sql.h"
#include "diff/sql_script.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* --- the tree --------------------------------------------------------------------------------------- */

static const struct {
    const char *node;
    void (*read)(struct sql_script *s, const struct value *node);
} readers[] = {
    {"DeleteStmt", script_read_delete},
    {"UpdateStmt", script_read_update},
    {"InsertStmt", script_read_insert},
    {"MergeStmt", script_read_merge},
    {"TruncateStmt", script_read_truncate},
    {"CopyStmt", script_read_copy},
    {"DropStmt", script_read_drop},
    {"DropRoleStmt", script_read_drop_roles},
    {"RenameStmt", script_read_rename},
    {"AlterObjectSchemaStmt", script_read_move},
    {"AlterTableStmt", script_read_alter_table},
    {"VacuumStmt", script_read_vacuum},
    {"CreatePolicyStmt", script_read_create_policy},
    {"AlterPolicyStmt", script_read_alter_policy},
    {"CreateFunctionStmt", script_read_function},
    {"GrantStmt", script_read_grant},
    {"AlterDefaultPrivilegesStmt", script_read_default_privileges},
    {"GrantRoleStmt", script_read_grant_role},
    {"CreateRoleStmt", script_read_role},
    {"AlterRoleStmt", script_read_role},
    {"AlterOwnerStmt", script_read_owner},
    {"VariableSetStmt", script_read_set},
    {"AlterSystemStmt", script_read_lasting_set},
    {"AlterRoleSetStmt", script_read_lasting_set},
    {"AlterDatabaseSetStmt", script_read_lasting_set},
    {"DoStmt", script_read_opaque},
    {"CallStmt", script_read_opaque},
    {"ExecuteStmt", script_read_opaque},
    {"LoadStmt", script_read_opaque},
    {"FuncCall", script_read_call},
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
static struct sql_name any_name(const struct value *node)
{
    static const char *const relations[] = {"relation", "view", "sequence", "rel"};
    static const char *const texts[] = {"dbname", "schemaname", "extname", "idxname", "trigname", "tablespacename", "subname", "name"};
    struct sql_name name = {.len = 0};
    for (size_t i = 0; i < COUNT(relations) && name.len == 0; i++) {
        name = sql_relation_name(value_get(node, str_from(relations[i])));
    }
    if (name.len == 0) {
        const struct value *into = value_get(node, STR("into"));
        into = into == NULL ? value_get(node, STR("intoClause")) : into;
        name = sql_relation_name(value_get(into, STR("rel")));
    }
    sql_name_put_list(&name, value_get(node, STR("typeName")));
    for (size_t i = 0; i < COUNT(texts) && name.len == 0; i++) {
        sql_name_part(&name, value_text(value_get(node, str_from(texts[i]))));
    }
    return name;
}

static void read_plain(struct sql_script *s, struct str node_name, const struct value *node)
{
    struct diff_change row = {.kind = DIFF_UNKNOWN, .facts = FACT_BIT(FACT_UNREADABLE)};
    for (size_t i = 0; i < COUNT(statements); i++) {
        if (str_glob(str_from(statements[i].node), node_name)) {
            row.kind = statements[i].kind;
            row.facts = statements[i].fact == FACT_COUNT ? 0 : FACT_BIT(statements[i].fact);
            bool into = row.kind == DIFF_READ && value_get(node, STR("intoClause")) != NULL;
            row.kind = into ? DIFF_CREATE : row.kind;
            row.surfaces = row.kind == DIFF_NO_OP || row.kind == DIFF_READ ? 0 : SURFACE_SCHEMA;
            script_add(s, row, str_from(statements[i].type), any_name(node));
            return;
        }
    }
    script_add(s, row, node_name, any_name(node));
}

/* Statements stand inside others, so every node is looked at. The JSON reader bounds the depth. */
static void walk(struct sql_script *s, const struct value *v)
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

static void read_statement(struct sql_script *s, const struct value *statement)
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
        script_add(s, row, m->name, (struct sql_name){.len = 0});
    }
}

enum rc diff_sql(struct arena *a, struct str text, struct diff_changes *ret, struct err *e)
{
    struct diff_changes changes = diff_changes_none(DIFF_SQL);
    struct sql_script s = {.arena = a, .changes = &changes};
    CLEANUP(arena) struct arena *tree_arena = arena_new(SQL_TREE_MAX);
    struct value tree;
    struct err why = {.text = "out of memory"};
    if (tree_arena == NULL || sql_tree(tree_arena, text, &tree, &why) != RC_OK) {
        struct diff_change row = {.kind = DIFF_UNKNOWN,
                                  .resource = STR("script"),
                                  .after = script_text(&s, str_from(why.text)),
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
