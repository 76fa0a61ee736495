#include "diff/sql.h"

#include "base/must.h"
#include "value/json.h"

#include <pg_query.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const harms[SQL_HARM_COUNT] = {"harmless", "opaque", "unreadable", "narrows", "rewrites", "truncates", "drops"};

const char *sql_harm_name(enum sql_harm h)
{
    must((unsigned)h < SQL_HARM_COUNT);
    return harms[h];
}

static void find(struct sql_reading *r, enum sql_harm harm, const char *what, struct str object)
{
    if (harm > r->harm) {
        r->harm = harm;
        snprintf(r->what, sizeof r->what, "%s%s%.*s", what, object.len > 0 ? " " : "", object.len > 100 ? 100 : (int)object.len,
                 object.len > 0 ? object.ptr : "");
    }
}

/* --- statements that say it all by their kind ------------------------------------------------------- */

static const struct {
    const char *node;
    enum sql_harm harm;
    const char *what;
} kinds[] = {
    {"DropStmt", SQL_DROPS, "drop"},
    {"DropdbStmt", SQL_DROPS, "drop database"},
    {"DropRoleStmt", SQL_DROPS, "drop role"},
    {"DropOwnedStmt", SQL_DROPS, "drop owned"},
    {"DropSubscriptionStmt", SQL_DROPS, "drop subscription"},
    {"DropTableSpaceStmt", SQL_DROPS, "drop tablespace"},
    {"DropUserMappingStmt", SQL_DROPS, "drop user mapping"},
    {"TruncateStmt", SQL_TRUNCATES, "truncate"},
    {"ClusterStmt", SQL_REWRITES, "cluster"},
    {"RenameStmt", SQL_NARROWS, "rename"},
    {"AlterObjectSchemaStmt", SQL_NARROWS, "move to another schema"},
    {"DoStmt", SQL_OPAQUE, "do block"},
    {"CallStmt", SQL_OPAQUE, "call"},
    {"ExecuteStmt", SQL_OPAQUE, "execute"},
    {"LoadStmt", SQL_OPAQUE, "load"},
};

static const struct {
    const char *subtype;
    enum sql_harm harm;
    const char *what;
} alterations[] = {
    {"AT_DropColumn", SQL_DROPS, "drop column"},
    {"AT_DropConstraint", SQL_DROPS, "drop constraint"},
    {"AT_DropIdentity", SQL_DROPS, "drop identity"},
    {"AT_DropExpression", SQL_DROPS, "drop expression"},
    {"AT_DetachPartition", SQL_DROPS, "detach partition"},
    {"AT_AlterColumnType", SQL_REWRITES, "change the type of column"},
    {"AT_SetLogged", SQL_REWRITES, "set logged"},
    {"AT_SetUnLogged", SQL_REWRITES, "set unlogged"},
    {"AT_SetTableSpace", SQL_REWRITES, "set tablespace"},
    {"AT_SetAccessMethod", SQL_REWRITES, "set access method"},
    {"AT_SetNotNull", SQL_NARROWS, "set not null on column"},
    {"AT_AddConstraint", SQL_NARROWS, "add constraint"},
    {"AT_EnableRowSecurity", SQL_NARROWS, "enable row security"},
};

/* --- the tree ----------------------------------------------------------------------------------------- */

static struct str relation_of(const struct value *node)
{
    return value_text(value_path(node, "relation", "relname", NULL));
}

static void read_alteration(struct sql_reading *r, const struct value *cmd)
{
    struct str subtype = value_text(value_get(cmd, STR("subtype")));
    for (size_t i = 0; i < sizeof alterations / sizeof *alterations; i++) {
        if (str_eq(subtype, str_from(alterations[i].subtype))) {
            find(r, alterations[i].harm, alterations[i].what, value_text(value_get(cmd, STR("name"))));
        }
    }
}

static bool has_option(const struct value *node, const char *name)
{
    const struct value *options = value_get(node, STR("options"));
    for (uint32_t i = 0; value_item(options, i) != NULL; i++) {
        struct str given = value_text(value_path(value_item(options, i), "DefElem", "defname", NULL));
        if (str_eq(given, str_from(name))) {
            return true;
        }
    }
    return false;
}

/* A node whose harm is in what it says. */
static void read_node(struct sql_reading *r, struct str name, const struct value *node)
{
    if (str_eq(name, STR("AlterTableCmd"))) {
        read_alteration(r, node);
    } else if (str_eq(name, STR("DeleteStmt")) && value_get(node, STR("whereClause")) == NULL) {
        find(r, SQL_TRUNCATES, "delete every row of", relation_of(node));
    } else if (str_eq(name, STR("UpdateStmt")) && value_get(node, STR("whereClause")) == NULL) {
        find(r, SQL_REWRITES, "update every row of", relation_of(node));
    } else if (str_eq(name, STR("VacuumStmt")) && has_option(node, "full")) {
        find(r, SQL_REWRITES, "vacuum full", STR(""));
    } else if (str_eq(name, STR("CopyStmt")) && value_bool_or(value_get(node, STR("is_program")), false)) {
        find(r, SQL_OPAQUE, "copy with a program", STR(""));
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (str_eq(name, str_from(kinds[i].node))) {
            find(r, kinds[i].harm, kinds[i].what, relation_of(node));
        }
    }
}

/* Statements stand inside others, so every node is looked at. The reader bounds the depth. */
static void walk(struct sql_reading *r, const struct value *v)
{
    bool array = v->type == VALUE_ARRAY;
    for (uint32_t i = 0; (array || v->type == VALUE_OBJECT) && i < v->count; i++) {
        if (array) {
            walk(r, &v->items[i]);
        } else {
            read_node(r, v->members[i].name, &v->members[i].value);
            walk(r, &v->members[i].value);
        }
    }
}

/* --- how deep it could be --------------------------------------------------------------------------- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool links(const char *word, size_t len)
{
    static const char *const words[] = {"is", "union", "intersect", "except", "join", "collate", "zone", "isnull", "notnull"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strlen(words[i]) == len && strncasecmp(word, words[i], len) == 0) {
            return true;
        }
    }
    return false;
}

/*
 * libpg_query writes its tree by recursion, about 200 bytes of the stack for each level, and nothing bounds what hangs
 * together from the left: 1+1+1+..., a UNION b UNION c. So the links of such chains are counted before, in comments and
 * quotes as well: too many is refused, too few is not possible. What nests to the right is bounded by the grammar's own
 * stack (10,000).
 */
static bool could_be_too_deep(const char *s)
{
    size_t count = 0;
    while (*s != '\0') {
        size_t symbols = strspn(s, "+-*/%^<>=|&#~!@?:`");
        size_t letters = 0;
        while (is_letter(s[letters])) {
            letters++;
        }
        count += symbols > 0 || links(s, letters) ? 1 : 0;
        s += symbols > 0 ? symbols : letters > 0 ? letters : 1;
    }
    return count > SQL_LINKS_MAX;
}

enum rc sql_tree(struct arena *a, struct str text, struct value *ret, struct err *e)
{
    char *copy = text.len <= SQL_MAX && str_find(text, '\0') == text.len ? malloc(text.len + 1) : NULL;
    if (copy == NULL) {
        return err_set(e, RC_INVALID, "too long or no text");
    }
    memcpy(copy, text.len > 0 ? text.ptr : "", text.len);
    copy[text.len] = '\0';
    if (could_be_too_deep(copy)) {
        free(copy);
        return err_set(e, RC_LIMIT, "nested too deep to be judged");
    }
    PgQueryParseResult parsed = pg_query_parse(copy);
    enum rc rc = RC_OK;
    if (parsed.error != NULL) {
        rc = err_set(e, RC_INVALID, "%s", parsed.error->message);
    } else if (json_parse(a, arena_str(a, str_from(parsed.parse_tree)), ret, NULL) != RC_OK) {
        rc = err_set(e, RC_LIMIT, "nested too deep to be judged");
    }
    pg_query_free_parse_result(parsed);
    free(copy);
    return rc;
}

struct sql_reading sql_read(struct str text)
{
    struct sql_reading r = {.harm = SQL_HARMLESS};
    CLEANUP(arena) struct arena *a = arena_new(SQL_TREE_MAX);
    struct value tree;
    struct err e = {.text = "out of memory"};
    if (a == NULL || sql_tree(a, text, &tree, &e) != RC_OK) {
        find(&r, SQL_UNREADABLE, e.text, STR(""));
        return r;
    }
    const struct value *statements = value_get(&tree, STR("stmts"));
    r.statements = value_is(statements, VALUE_ARRAY) ? statements->count : 0;
    walk(&r, &tree);
    return r;
}
