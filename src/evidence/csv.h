/*
 * evidence/csv - tables as RFC 4180 text, read strictly.
 *
 * The first row names the columns; every other has as many cells. A quote stands only at the beginning of a cell, is
 * doubled inside and followed by a comma or the end of the row. Rows end in LF or CR LF; the last may do without. UTF-8; a
 * byte order mark before the head is passed over. Pure.
 *
 * Errors: RC_INVALID with the place, "file:line:column" (both 1-based, the column counted in cells), and what was
 *         expected; RC_LIMIT.
 * Source: RFC 4180.
 */
#ifndef EVIDENCE_CSV_H
#define EVIDENCE_CSV_H

#include "base/arena.h"

enum {
    CSV_COLUMNS_MAX = 1 << 15,
    CSV_ROWS_MAX = 1 << 20,
    CSV_CELL_MAX = 1 << 14, /* bytes */
};

struct csv {
    const char *file; /* for errors */
    struct str text;
    size_t at;
    uint32_t line;      /* of the row that was read, 1-based */
    uint32_t next_line; /* of the next */
    uint32_t row_count; /* without the head */
    struct arena *arena;
    struct str *head;
    struct str *cells; /* of the row that was read */
    uint32_t columns;
};

/*
 * Reads the head. Keeps: text, which must outlive every cell; cells with doubled quotes are in a.
 * Errors: also an empty text, a column without a name, one name twice.
 */
NODISCARD enum rc csv_open(struct arena *a, const char *file, struct str text, struct csv *ret, struct err *e);
/* The next row into c->cells; *ret_row is false behind the last. */
NODISCARD enum rc csv_next(struct csv *c, bool *ret_row, struct err *e);
/* The column of that name, or CSV_COLUMNS_MAX. */
uint32_t csv_column(const struct csv *c, const char *name);
/* The same; RC_INVALID when it is not there. */
NODISCARD enum rc csv_need(const struct csv *c, const char *name, uint32_t *ret, struct err *e);
/* A cell as a number; an empty one, or a column that is not there, is NAN. */
NODISCARD enum rc csv_number(const struct csv *c, uint32_t column, double *ret, struct err *e);
/* Says that a cell is wrong: "file:line:column: expected ..., got ...". */
enum rc csv_wrong(const struct csv *c, uint32_t column, const char *expected, struct err *e);

#endif
