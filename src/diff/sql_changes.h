/*
 * diff/sql_changes - what a script of SQL would change, statement by statement.
 *
 * On the tree of PostgreSQL's own grammar (diff/sql). A row is an object that a statement names, or one command of an
 * ALTER TABLE; statements inside others have their own. What can't be parsed is one row that is as bad as could be.
 * Values of a script are never shown. Pure.
 */
#ifndef DIFF_SQL_CHANGES_H
#define DIFF_SQL_CHANGES_H

#include "diff/changes.h"

/* Errors: RC_LIMIT, RC_NO_MEMORY of the arena only: what can't be read is a row. */
NODISCARD enum rc diff_sql(struct arena *a, struct str text, struct diff_changes *ret, struct err *e);

#endif
