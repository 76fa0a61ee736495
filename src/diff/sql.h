/*
 * diff/sql - what a script of SQL would do to a schema and its data.
 *
 * Parsed by PostgreSQL's own grammar (libpg_query 15), never matched by text: comments, quoting, case and
 * statements inside others (WITH ... DELETE) are seen as the server would see them. What can't be parsed,
 * and what hides its text until it runs (DO, CALL, EXECUTE, COPY ... PROGRAM, LOAD), is not harmless.
 */
#ifndef DIFF_SQL_H
#define DIFF_SQL_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "value/value.h"

enum {
    SQL_MAX = 1 << 20,       /* bytes of a script */
    SQL_TREE_MAX = 64 << 20, /* bytes of what it is parsed to */
    SQL_LINKS_MAX = 10000,   /* operators, joins and the like, each of which may be a level of the tree */
    SQL_WHAT_MAX = 160,
};

/* From harmless to the worst. */
enum sql_harm {
    SQL_HARMLESS = 0,
    SQL_OPAQUE,     /* what it does is known only when it runs */
    SQL_UNREADABLE, /* no SQL that this grammar knows */
    SQL_NARROWS,    /* NOT NULL, a rename: readers or writers break */
    SQL_REWRITES,   /* a column's type, every row, the whole table */
    SQL_TRUNCATES,
    SQL_DROPS,
    SQL_HARM_COUNT,
};

const char *sql_harm_name(enum sql_harm h);

struct sql_reading {
    enum sql_harm harm;        /* the worst */
    char what[SQL_WHAT_MAX];   /* that statement's kind and object: "drop column c" */
    unsigned statements;
};

/* Never fails: what can't be read is a reading. */
struct sql_reading sql_read(struct str text);

/*
 * The statements as libpg_query writes them: {stmts: [{stmt: {SelectStmt: {...}}}]}. Gives: a value wholly in a.
 * Errors: RC_INVALID with the grammar's words; RC_LIMIT when it nests deeper than the JSON reader goes, or outgrows a.
 */
NODISCARD enum rc sql_tree(struct arena *a, struct str text, struct value *ret, struct err *e);

#endif
