#include "cli/output.h"

#include "base/must.h"
#include "client/untrusted.h"
#include "value/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* --- the terminal ------------------------------------------------------------------------------- */

bool output_is_terminal(void)
{
    return isatty(STDOUT_FILENO) == 1;
}

static bool has_colour(void)
{
    const char *no = getenv("NO_COLOR");
    return output_is_terminal() && (no == NULL || no[0] == '\0');
}

const char *output_bold(void)
{
    return has_colour() ? "\033[1m" : "";
}

const char *output_plain(void)
{
    return has_colour() ? "\033[0m" : "";
}

const char *output_colour_of(struct str word)
{
    static const struct {
        const char *word;
        const char *colour;
    } colours[] = {
        {"allow", "\033[32m"},    {"approved", "\033[32m"}, {"succeeded", "\033[32m"}, {"known", "\033[32m"},
        {"deny", "\033[31m"},     {"denied", "\033[31m"},   {"rejected", "\033[31m"},  {"failed", "\033[31m"},
        {"unknown", "\033[31m"},  {"stop", "\033[31m"},     {"hold", "\033[33m"},      {"held", "\033[33m"},
        {"escalate", "\033[33m"}, {"escalated", "\033[33m"}, {"pause", "\033[33m"},    {"stale", "\033[33m"},
    };
    for (size_t i = 0; i < sizeof colours / sizeof *colours && has_colour(); i++) {
        if (str_eq(word, str_from(colours[i].word))) {
            return colours[i].colour;
        }
    }
    return "";
}

void output_buf(const struct buf *b)
{
    must(b->rc == RC_OK || b->rc == RC_LIMIT || b->rc == RC_NO_MEMORY);
    if (b->len > 0) {
        fwrite(b->data, 1, b->len, stdout);
    }
    if (b->rc != RC_OK) {
        fputs("\npawl: the output is too large and was cut here\n", stderr);
    }
}

/* --- values ------------------------------------------------------------------------------------- */

const struct value *output_at(const struct value *v, const char *path)
{
    struct str rest = str_from(path);
    struct str name;
    while (v != NULL && str_next(&rest, '/', &name)) {
        v = value_get(v, name);
    }
    return v;
}

void output_cell(struct buf *out, const struct value *v)
{
    if (v == NULL || v->type == VALUE_NULL || (v->type == VALUE_STRING && v->string.len == 0)) {
        buf_char(out, '-');
    } else if (v->type == VALUE_STRING) {
        untrusted_cell(out, v->string);
    } else if (v->type == VALUE_BOOL) {
        buf_str(out, v->boolean ? STR("yes") : STR("no"));
    } else if (v->type == VALUE_ARRAY) {
        for (uint32_t i = 0; i < v->count; i++) {
            buf_str(out, i > 0 ? STR(",") : STR(""));
            output_cell(out, &v->items[i]);
        }
        buf_str(out, v->count == 0 ? STR("-") : STR(""));
    } else {
        struct buf text;
        buf_init(&text, OUTPUT_MAX);
        json_write(&text, v);
        untrusted_cell(out, buf_view(&text));
        buf_done(&text);
    }
}

static void print_json(const struct value *v, bool pretty)
{
    struct buf text;
    struct buf safe;
    buf_init(&text, OUTPUT_MAX);
    buf_init(&safe, OUTPUT_MAX);
    if (pretty) {
        json_write_pretty(&text, v);
    } else {
        json_write(&text, v);
    }
    untrusted_json(&safe, buf_view(&text));
    if (safe.len > 0 && safe.data[safe.len - 1] != '\n') {
        buf_char(&safe, '\n');
    }
    output_buf(&safe);
    buf_done(&text);
    buf_done(&safe);
}

void output_json(const struct value *v)
{
    print_json(v, true);
}

void output_json_line(const struct value *v)
{
    print_json(v, false);
}

/* --- tables ------------------------------------------------------------------------------------- */

/* Columns that a text takes: close enough, without a table of wide characters. */
static size_t width_of(struct str s)
{
    size_t width = 0;
    for (size_t i = 0; i < s.len; i++) {
        width += ((unsigned char)s.ptr[i] & 0xc0) != 0x80;
    }
    return width;
}

static void cell_text(struct buf *cell, const struct value *row, const struct column *column)
{
    buf_reset(cell);
    output_cell(cell, output_at(row, column->path));
}

static void measure(const struct value *items, const struct column *columns, unsigned count,
                    size_t widths[static OUTPUT_COLUMNS_MAX])
{
    struct buf cell;
    buf_init(&cell, OUTPUT_MAX);
    for (unsigned c = 0; c < count; c++) {
        widths[c] = width_of(str_from(columns[c].title));
        for (uint32_t i = 0; i < items->count; i++) {
            cell_text(&cell, &items->items[i], &columns[c]);
            size_t width = width_of(buf_view(&cell));
            widths[c] = width > widths[c] ? width : widths[c];
        }
    }
    buf_done(&cell);
}

static void put_padded(struct buf *out, struct str text, size_t width, bool last)
{
    buf_str(out, text);
    for (size_t n = width_of(text); n < width + 2 && !last; n++) {
        buf_char(out, ' ');
    }
}

static void aligned(struct buf *out, const struct value *items, const struct column *columns, unsigned count)
{
    size_t widths[OUTPUT_COLUMNS_MAX];
    struct buf cell;
    measure(items, columns, count, widths);
    buf_init(&cell, OUTPUT_MAX);
    buf_str(out, str_from(output_bold()));
    for (unsigned c = 0; c < count; c++) {
        put_padded(out, str_from(columns[c].title), widths[c], c + 1 == count);
    }
    buf_str(out, str_from(output_plain()));
    buf_char(out, '\n');
    for (uint32_t i = 0; i < items->count; i++) {
        for (unsigned c = 0; c < count; c++) {
            cell_text(&cell, &items->items[i], &columns[c]);
            const char *colour = output_colour_of(buf_view(&cell));
            buf_str(out, str_from(colour));
            put_padded(out, buf_view(&cell), widths[c], c + 1 == count);
            buf_str(out, colour[0] == '\0' ? STR("") : str_from(output_plain()));
        }
        buf_char(out, '\n');
    }
    buf_done(&cell);
}

static void tabbed(struct buf *out, const struct value *items, const struct column *columns, unsigned count)
{
    for (uint32_t i = 0; i < items->count; i++) {
        for (unsigned c = 0; c < count; c++) {
            buf_str(out, c > 0 ? STR("\t") : STR(""));
            output_cell(out, output_at(&items->items[i], columns[c].path));
        }
        buf_char(out, '\n');
    }
}

void output_table(const struct value *items, const struct column *columns, unsigned count)
{
    must(count <= OUTPUT_COLUMNS_MAX);
    if (!value_is(items, VALUE_ARRAY)) {
        return;
    }
    struct buf out;
    buf_init(&out, OUTPUT_MAX);
    if (output_is_terminal()) {
        aligned(&out, items, columns, count);
    } else {
        tabbed(&out, items, columns, count);
    }
    output_buf(&out);
    buf_done(&out);
}

void output_members(const struct value *v, const struct column *columns, unsigned count)
{
    struct buf out;
    buf_init(&out, OUTPUT_MAX);
    for (unsigned i = 0; i < count; i++) {
        const struct value *member = output_at(v, columns[i].path);
        if (member != NULL) {
            buf_printf(&out, "%-18s ", columns[i].title);
            output_cell(&out, member);
            buf_char(&out, '\n');
        }
    }
    output_buf(&out);
    buf_done(&out);
}
