/*
 * diff/sql_names - the names in a tree of SQL, put together: for this folder.
 *
 * A name lives on the caller's stack. Pure.
 */
#ifndef DIFF_SQL_NAMES_H
#define DIFF_SQL_NAMES_H

#include "value/value.h"

enum { SQL_NAME_MAX = 300 }; /* bytes; PostgreSQL cuts each part at 63 */

struct sql_name {
    char text[SQL_NAME_MAX];
    size_t len;
};

void sql_name_put(struct sql_name *n, struct str s);
/* With a dot between it and what is there. */
void sql_name_part(struct sql_name *n, struct str part);
/* [{String: {sval}}, ...] */
void sql_name_put_list(struct sql_name *n, const struct value *list);
struct str sql_name_view(const struct sql_name *n);

/* {catalogname, schemaname, relname} */
struct sql_name sql_relation_name(const struct value *v);
/* An object of a DROP, a GRANT or an ALTER ... OWNER, in whatever shape its kind has. */
struct sql_name sql_object_name(const struct value *v);
/* OBJECT_MATVIEW is "matview", OBJECT_FOREIGN_TABLE "foreign table". */
struct sql_name sql_type_name(struct str object_type);
/* Of a RoleSpec: a role's name, "public", or "current_user". */
struct str sql_role_of(const struct value *role);

#endif
