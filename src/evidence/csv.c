#include "evidence/csv.h"

#include "base/map.h"
#include "value/json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static enum rc place(const struct csv *c, enum rc rc, uint32_t column, const char *text, struct err *e)
{
    char where[ERR_WHERE_MAX];
    snprintf(where, sizeof where, "%s:%u:%u", c->file, c->line, column + 1);
    return err_at(e, rc, str_from(where), "%s", text);
}

enum rc csv_wrong(const struct csv *c, uint32_t column, const char *expected, struct err *e)
{
    char text[ERR_TEXT_MAX];
    struct str cell = column < c->columns && c->cells != NULL ? c->cells[column] : STR("");
    snprintf(text, sizeof text, "expected %s, got \"%.*s\"", expected, (int)(cell.len < 80 ? cell.len : 80),
             cell.len > 0 ? cell.ptr : "");
    return place(c, RC_INVALID, column, text, e);
}

/* The bytes of a row's end at `at`: 0, 1 or 2. */
static size_t line_end(const struct csv *c, size_t at)
{
    struct str t = c->text;
    if (at < t.len && t.ptr[at] == '\n') {
        return 1;
    }
    return at + 1 < t.len && t.ptr[at] == '\r' && t.ptr[at + 1] == '\n' ? 2 : 0;
}

/* A cell that begins with a quote; c->at stands behind it. */
static enum rc quoted(struct csv *c, uint32_t column, struct str *ret, struct err *e)
{
    size_t from = ++c->at;
    size_t doubled = 0;
    for (;; c->at++) {
        const char *quote = c->at < c->text.len ? memchr(c->text.ptr + c->at, '"', c->text.len - c->at) : NULL;
        if (quote == NULL) {
            return place(c, RC_INVALID, column, "expected a closing quote before the end of the text", e);
        }
        c->at = (size_t)(quote - c->text.ptr) + 1;
        if (c->at >= c->text.len || c->text.ptr[c->at] != '"') {
            break;
        }
        doubled++;
    }
    *ret = (struct str){c->text.ptr + from, c->at - 1 - from};
    for (size_t i = 0; i < ret->len; i++) {
        c->next_line += ret->ptr[i] == '\n';
    }
    if (doubled == 0) {
        return RC_OK;
    }
    char *out = arena_alloc(c->arena, ret->len);
    size_t len = 0;
    for (size_t i = 0; out != NULL && i < ret->len; i++) {
        out[len++] = ret->ptr[i];
        i += ret->ptr[i] == '"';
    }
    *ret = (struct str){out, len};
    return out == NULL ? place(c, arena_rc(c->arena), column, "the table takes too much memory", e) : RC_OK;
}

static enum rc bare(struct csv *c, uint32_t column, struct str *ret, struct err *e)
{
    size_t from = c->at;
    for (; c->at < c->text.len && c->text.ptr[c->at] != ',' && line_end(c, c->at) == 0; c->at++) {
        if (c->text.ptr[c->at] == '"') {
            return place(c, RC_INVALID, column, "a quote inside a cell: expected the whole cell in quotes", e);
        }
        if (c->text.ptr[c->at] == '\r') {
            return place(c, RC_INVALID, column, "a carriage return without a line feed", e);
        }
    }
    *ret = (struct str){c->text.ptr + from, c->at - from};
    return RC_OK;
}

/* All cells of a row into `cells`, which has room for `room`. */
static enum rc read_row(struct csv *c, struct str *cells, uint32_t room, uint32_t *ret_count, struct err *e)
{
    uint32_t count = 0;
    enum rc rc = RC_OK;
    for (;;) {
        if (count == room) {
            return place(c, room == CSV_COLUMNS_MAX ? RC_LIMIT : RC_INVALID, count, "more cells than the head has columns", e);
        }
        bool in_quotes = c->at < c->text.len && c->text.ptr[c->at] == '"';
        rc = in_quotes ? quoted(c, count, &cells[count], e) : bare(c, count, &cells[count], e);
        if (rc == RC_OK && cells[count].len > CSV_CELL_MAX) {
            rc = place(c, RC_LIMIT, count, "the cell is too long", e);
        }
        if (rc != RC_OK) {
            return rc;
        }
        count++;
        size_t end = line_end(c, c->at);
        if (end > 0 || c->at >= c->text.len) {
            c->at += end;
            c->next_line++;
            *ret_count = count;
            return RC_OK;
        }
        if (c->text.ptr[c->at] != ',') {
            return place(c, RC_INVALID, count - 1, "expected a comma or the end of the row after a closing quote", e);
        }
        c->at++;
    }
}

/* One name once: a column that hides another would be read by nobody. */
static enum rc check_head(const struct csv *c, struct err *e)
{
    struct strmap seen;
    strmap_init(&seen, 0);
    enum rc rc = RC_OK;
    for (uint32_t i = 0; rc == RC_OK && i < c->columns; i++) {
        if (c->head[i].len == 0) {
            rc = place(c, RC_INVALID, i, "a column without a name", e);
        } else if (strmap_get(&seen, c->head[i]) != MAP_NONE) {
            rc = place(c, RC_INVALID, i, "a column's name for the second time", e);
        } else if (strmap_put(&seen, c->head[i], i) != RC_OK) {
            rc = err_set(e, RC_NO_MEMORY, "out of memory");
        }
    }
    strmap_done(&seen);
    return rc;
}

enum rc csv_open(struct arena *a, const char *file, struct str text, struct csv *ret, struct err *e)
{
    *ret = (struct csv){.file = file, .text = text, .arena = a, .line = 1, .next_line = 1};
    if (!utf8_valid(text)) {
        return place(ret, RC_INVALID, 0, "expected UTF-8", e);
    }
    if (str_starts(text, STR("\xEF\xBB\xBF"))) {
        ret->at = 3;
    }
    if (ret->at >= text.len) {
        return place(ret, RC_INVALID, 0, "expected a row of column names, got nothing", e);
    }
    size_t commas = 0;
    for (size_t i = ret->at; i < text.len && text.ptr[i] != '\n'; i++) {
        commas += text.ptr[i] == ',';
    }
    uint32_t room = commas + 1 < CSV_COLUMNS_MAX ? (uint32_t)commas + 1 : CSV_COLUMNS_MAX;
    ret->head = arena_array(a, room, sizeof *ret->head);
    ret->cells = arena_array(a, room, sizeof *ret->cells);
    if (ret->head == NULL || ret->cells == NULL) {
        return err_set(e, arena_rc(a), "the table takes too much memory");
    }
    /* A quoted name may hold a line feed, and more commas then are in it: there is room for those before it only. */
    enum rc rc = read_row(ret, ret->head, room, &ret->columns, e);
    return rc == RC_OK ? check_head(ret, e) : rc;
}

enum rc csv_next(struct csv *c, bool *ret_row, struct err *e)
{
    uint32_t count = 0;
    *ret_row = c->at < c->text.len;
    if (!*ret_row) {
        return RC_OK;
    }
    c->line = c->next_line;
    if (++c->row_count > CSV_ROWS_MAX) {
        return place(c, RC_LIMIT, 0, "too many rows", e);
    }
    enum rc rc = read_row(c, c->cells, c->columns, &count, e);
    if (rc == RC_OK && count != c->columns) {
        char text[80];
        snprintf(text, sizeof text, "expected %u cells, got %u", c->columns, count);
        rc = place(c, RC_INVALID, count - 1, text, e);
    }
    return rc;
}

uint32_t csv_column(const struct csv *c, const char *name)
{
    for (uint32_t i = 0; i < c->columns; i++) {
        if (str_eq(c->head[i], str_from(name))) {
            return i;
        }
    }
    return CSV_COLUMNS_MAX;
}

enum rc csv_need(const struct csv *c, const char *name, uint32_t *ret, struct err *e)
{
    char text[120];
    *ret = csv_column(c, name);
    snprintf(text, sizeof text, "expected a column \"%s\"", name);
    return *ret == CSV_COLUMNS_MAX ? place(c, RC_INVALID, 0, text, e) : RC_OK;
}

enum rc csv_number(const struct csv *c, uint32_t column, double *ret, struct err *e)
{
    *ret = (double)NAN;
    if (column >= c->columns || c->cells[column].len == 0) {
        return RC_OK;
    }
    struct str s = c->cells[column];
    bool nan = str_eq(s, STR("NaN")) || str_eq(s, STR("nan"));
    return nan || str_to_double(s, ret) ? RC_OK : csv_wrong(c, column, "a number or nothing", e);
}
