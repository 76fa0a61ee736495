#include "cli/csv.h"

static bool is_formula(char c)
{
    return c == '=' || c == '+' || c == '-' || c == '@' || c == '\t' || c == '\r';
}

void csv_cell(struct buf *out, struct str text)
{
    bool formula = text.len > 0 && is_formula(text.ptr[0]);
    bool quotes = formula;
    for (size_t i = 0; i < text.len && !quotes; i++) {
        quotes = text.ptr[i] == ',' || text.ptr[i] == '"' || text.ptr[i] == '\n' || text.ptr[i] == '\r';
    }
    buf_str(out, quotes ? STR("\"") : STR(""));
    buf_str(out, formula ? STR("'") : STR(""));
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"') {
            buf_char(out, '"');
        }
        buf_char(out, text.ptr[i]);
    }
    buf_str(out, quotes ? STR("\"") : STR(""));
}
