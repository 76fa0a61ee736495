/*
 * cli/output - values as JSON, as a table for a terminal, as plain lines for a program.
 *
 * A table is aligned and has a head, on a terminal only; else each row is a line with tabs between its
 * cells. Colour is for terminals, and not when NO_COLOR is set. Every text goes through
 * client/untrusted.
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "base/buf.h"
#include "value/value.h"

enum { OUTPUT_MAX = 256 << 20, OUTPUT_COLUMNS_MAX = 12 };

struct column {
    const char *title;
    const char *path; /* members of a row, '/' between: "decision/verdict" */
};

bool output_is_terminal(void);
/* An escape sequence that is "" where there is no colour: bold, red, green, yellow, dim, plain. */
const char *output_bold(void);
const char *output_plain(void);
/* The colour of a verdict or a state. */
const char *output_colour_of(struct str word);

void output_table(const struct value *items, const struct column *columns, unsigned count);
/* One JSON text, indented, with a line feed. */
void output_json(const struct value *v);
/* The same on one line. */
void output_json_line(const struct value *v);
/* A value as a cell: texts escaped, lists with commas, null as "-". */
void output_cell(struct buf *out, const struct value *v);
/* The member at a path such as "decision/verdict". */
const struct value *output_at(const struct value *v, const char *path);
/* Prints "name: value" lines of an object's plain members. */
void output_members(const struct value *v, const struct column *columns, unsigned count);
void output_buf(const struct buf *b);

#endif
