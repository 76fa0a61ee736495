/*
 * cli/csv - cells that a spreadsheet reads as text and never as a formula. Pure.
 * Source: RFC 4180; a leading "'" before = + - @ TAB CR (CWE-1236).
 */
#ifndef CLI_CSV_H
#define CLI_CSV_H

#include "base/buf.h"

/* One cell; the caller puts commas between and ends the row with CR LF. */
void csv_cell(struct buf *out, struct str text);

#endif
