#include "diff/sql_names.h"

void sql_name_put(struct sql_name *n, struct str s)
{
    /* Longer names do not exist: PostgreSQL cuts each part at 63 bytes. */
    for (size_t i = 0; i < s.len && n->len < sizeof n->text; i++) {
        n->text[n->len++] = s.ptr[i];
    }
}

struct str sql_name_view(const struct sql_name *n)
{
    return (struct str){n->text, n->len};
}

void sql_name_part(struct sql_name *n, struct str part)
{
    if (part.len > 0) {
        sql_name_put(n, n->len > 0 ? STR(".") : STR(""));
        sql_name_put(n, part);
    }
}

/* {catalogname, schemaname, relname} */
struct sql_name sql_relation_name(const struct value *v)
{
    struct sql_name n = {.len = 0};
    sql_name_part(&n, value_text(value_get(v, STR("catalogname"))));
    sql_name_part(&n, value_text(value_get(v, STR("schemaname"))));
    sql_name_part(&n, value_text(value_get(v, STR("relname"))));
    return n;
}

/* [{String: {sval}}, ...] */
void sql_name_put_list(struct sql_name *n, const struct value *list)
{
    for (uint32_t i = 0; value_item(list, i) != NULL; i++) {
        sql_name_part(n, value_text(value_path(value_item(list, i), "String", "sval", NULL)));
    }
}

struct str sql_role_of(const struct value *role)
{
    struct str type = value_text(value_get(role, STR("roletype")));
    if (str_eq(type, STR("ROLESPEC_PUBLIC"))) {
        return STR("public");
    }
    return str_eq(type, STR("ROLESPEC_CSTRING")) ? value_text(value_get(role, STR("rolename"))) : STR("current_user");
}

/* An object of a DROP, a GRANT or an ALTER ... OWNER, in whatever shape its kind has. */
struct sql_name sql_object_name(const struct value *v)
{
    struct sql_name n = {.len = 0};
    const struct value *range = value_get(v, STR("RangeVar"));
    if (range != NULL) {
        return sql_relation_name(range);
    }
    const struct value *single = value_path(v, "String", "sval", NULL);
    sql_name_part(&n, value_text(single));
    sql_name_put_list(&n, value_path(v, "List", "items", NULL));
    sql_name_put_list(&n, value_path(v, "ObjectWithArgs", "objname", NULL));
    sql_name_put_list(&n, value_path(v, "TypeName", "names", NULL));
    const struct value *role = value_get(v, STR("RoleSpec"));
    sql_name_part(&n, role == NULL ? STR("") : sql_role_of(role));
    sql_name_part(&n, value_text(value_path(v, "AccessPriv", "priv_name", NULL)));
    return n;
}

/* OBJECT_MATVIEW is "matview", OBJECT_FOREIGN_TABLE "foreign table". */
struct sql_name sql_type_name(struct str object_type)
{
    struct sql_name n = {.len = 0};
    struct str rest = str_starts(object_type, STR("OBJECT_")) ? str_slice(object_type, 7, object_type.len) : object_type;
    for (size_t i = 0; i < rest.len; i++) {
        char c = rest.ptr[i];
        c = c == '_' ? ' ' : c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
        sql_name_put(&n, (struct str){&c, 1});
    }
    return n;
}
