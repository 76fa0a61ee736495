/*
 * diff/sql_script - what the readers of statements share: for this folder.
 *
 * A reader takes one node of the tree and adds its rows. Pure.
 */
#ifndef DIFF_SQL_SCRIPT_H
#define DIFF_SQL_SCRIPT_H

#include "diff/changes.h"
#include "diff/sql_names.h"

struct sql_script {
    struct arena *arena;
    struct diff_changes *changes;
    uint64_t rows; /* of the statement that is read */
};

/* The row is of "TYPE NAME". */
void script_add(struct sql_script *s, struct diff_change row, struct str type, struct sql_name name);
/* A text as a value that can be shown; null when it is empty. */
struct value script_text(struct sql_script *s, struct str text);
bool sql_is_set(const struct value *node, const char *name);
/* One of the options (DefElem) stands there and is true. */
bool sql_has_true_option(const struct value *options, const char *const *names, size_t count);
/* No condition, or one that is always true: WHERE true, WHERE 1 = 1, WHERE a = 1 OR true. */
bool sql_is_no_condition(const struct value *where);

/* sql_tables: rows of tables, and what holds them. */
void script_read_delete(struct sql_script *s, const struct value *node);
void script_read_update(struct sql_script *s, const struct value *node);
void script_read_insert(struct sql_script *s, const struct value *node);
void script_read_merge(struct sql_script *s, const struct value *node);
void script_read_truncate(struct sql_script *s, const struct value *node);
void script_read_copy(struct sql_script *s, const struct value *node);
void script_read_drop(struct sql_script *s, const struct value *node);
void script_read_drop_roles(struct sql_script *s, const struct value *node);
void script_read_rename(struct sql_script *s, const struct value *node);
void script_read_move(struct sql_script *s, const struct value *node);
void script_read_alter_table(struct sql_script *s, const struct value *node);
void script_read_vacuum(struct sql_script *s, const struct value *node);
void script_read_function(struct sql_script *s, const struct value *node);

/* sql_access: who may do what. */
void script_read_create_policy(struct sql_script *s, const struct value *node);
void script_read_alter_policy(struct sql_script *s, const struct value *node);
void script_read_grant(struct sql_script *s, const struct value *node);
void script_read_default_privileges(struct sql_script *s, const struct value *node);
void script_read_grant_role(struct sql_script *s, const struct value *node);
void script_read_role(struct sql_script *s, const struct value *node);
void script_read_owner(struct sql_script *s, const struct value *node);

/* sql_settings: settings, and what hides its text. */
void script_read_set(struct sql_script *s, const struct value *node);
void script_read_lasting_set(struct sql_script *s, const struct value *node);
void script_read_opaque(struct sql_script *s, const struct value *node);
void script_read_call(struct sql_script *s, const struct value *node);

#endif
