#include "cli/cause_text.h"

#include "client/untrusted.h"

static void cell(struct buf *out, const struct value *of, const char *name)
{
    untrusted_cell(out, value_text(value_get(of, str_from(name))));
}

static double number(const struct value *of, const char *name)
{
    double n = 0;
    return value_number(value_get(of, str_from(name)), &n) ? n : 0.0;
}

static uint32_t length(const struct value *list)
{
    return value_is(list, VALUE_ARRAY) ? list->count : 0;
}

/* Harm goes from left to right; the arrow points where the edge does. */
static void draw_edge(struct buf *out, const struct value *step)
{
    bool call = str_eq(value_text(value_get(step, STR("edge"))), STR("calls"));
    buf_str(out, call ? STR("  <-") : STR("  -"));
    cell(out, step, "edge");
    buf_str(out, call ? STR("-  ") : STR("->  "));
    cell(out, step, "to");
}

/* The chain on one line, then what was measured on each edge. */
static void draw_chain(struct buf *out, const struct value *of, const char *first)
{
    const struct value *chain = value_get(of, STR("chain"));
    uint32_t count = length(chain);
    buf_str(out, STR("     "));
    untrusted_cell(out, str_from(first));
    cell(out, of, value_get(of, STR("object")) != NULL ? "object" : "node");
    if (value_get(of, STR("at")) != NULL) {
        buf_str(out, STR("  (changed "));
        cell(out, of, "at");
        buf_str(out, STR(")"));
    }
    for (uint32_t i = 0; i < count; i++) {
        draw_edge(out, value_item(chain, i));
    }
    buf_char(out, '\n');
    for (uint32_t i = 0; i < count; i++) {
        const struct value *step = value_item(chain, i);
        if (value_text(value_get(step, STR("says"))).len > 0) {
            buf_str(out, STR("       "));
            cell(out, step, "from");
            buf_str(out, STR(" to "));
            cell(out, step, "to");
            buf_str(out, STR(": "));
            cell(out, step, "says");
            buf_char(out, '\n');
        }
    }
    if (number(of, "steps_left_out") > 0) {
        buf_printf(out, "       (%.0f steps in its middle are left out)\n", number(of, "steps_left_out"));
    }
}

static void draw_terms(struct buf *out, const struct value *cause, bool explain)
{
    const struct value *terms = value_get(cause, STR("terms"));
    for (uint32_t i = 0; i < length(terms) && (explain || i == 0); i++) {
        const struct value *t = value_item(terms, i);
        buf_str(out, STR("     "));
        if (explain) {
            cell(out, t, "term");
            buf_printf(out, " %.1f: ", number(t, "score"));
        }
        cell(out, t, "says");
        buf_char(out, '\n');
    }
}

static void draw_causes(struct buf *out, const struct value *report, bool explain)
{
    bool found = value_bool_or(value_get(report, STR("found")), false);
    const struct value *causes = value_get(report, found ? STR("causes") : STR("leads"));
    uint32_t count = length(causes);
    uint32_t shown = explain || count < CAUSE_TEXT_SHOWN ? count : CAUSE_TEXT_SHOWN;
    if (count > 0) {
        buf_str(out, found ? STR("\nCauses\n") : STR("\nWeak leads\n"));
    }
    for (uint32_t i = 0; i < shown; i++) {
        const struct value *c = value_item(causes, i);
        buf_printf(out, "%3u. ", i + 1);
        cell(out, c, "node");
        buf_printf(out, "  %.1f\n", number(c, "score"));
        draw_terms(out, c, explain);
        draw_chain(out, c, "");
    }
    if (shown < count) {
        buf_printf(out, "     and %u more (--explain)\n", count - shown);
    }
}

static void draw_changes(struct buf *out, const struct value *report, bool explain)
{
    const struct value *changes = value_get(report, STR("changes"));
    uint32_t count = length(changes);
    uint32_t shown = explain || count < CAUSE_TEXT_SHOWN ? count : CAUSE_TEXT_SHOWN;
    if (count > 0) {
        buf_str(out, STR("\nChanges\n"));
    }
    for (uint32_t i = 0; i < shown; i++) {
        const struct value *c = value_item(changes, i);
        buf_printf(out, "%3u. ", i + 1);
        cell(out, c, "kind");
        buf_char(out, ' ');
        cell(out, c, "object");
        buf_printf(out, "  %.1f\n     ", number(c, "score"));
        if (value_text(value_get(c, STR("what"))).len > 0) {
            untrusted_quote(out, value_text(value_get(c, STR("what"))));
            buf_str(out, STR(", "));
        }
        cell(out, c, "says");
        buf_char(out, '\n');
        draw_chain(out, c, "");
    }
    if (shown < count) {
        buf_printf(out, "     and %u more (--explain)\n", count - shown);
    }
}

static void draw_ruled_out(struct buf *out, const struct value *report, bool explain)
{
    const struct value *list = value_get(report, STR("ruled_out"));
    uint32_t count = length(list);
    uint32_t shown = explain || count < CAUSE_TEXT_RULED_OUT ? count : CAUSE_TEXT_RULED_OUT;
    double more = number(report, "ruled_out_more") + (count - shown);
    if (count > 0) {
        buf_str(out, STR("\nRuled out\n"));
    }
    for (uint32_t i = 0; i < shown; i++) {
        buf_str(out, STR("     "));
        cell(out, value_item(list, i), "node");
        buf_str(out, STR(": "));
        cell(out, value_item(list, i), "why");
        buf_char(out, '\n');
    }
    if (more > 0) {
        buf_printf(out, "     and %.0f more\n", more);
    }
}

void cause_text(struct buf *out, const struct value *report, bool explain)
{
    bool found = value_bool_or(value_get(report, STR("found")), false);
    cell(out, report, "service");
    buf_str(out, STR(", "));
    cell(out, report, "metric");
    buf_str(out, found ? STR(": ") : STR(": no cause found: "));
    cell(out, report, "why");
    buf_char(out, '\n');
    draw_causes(out, report, explain);
    draw_changes(out, report, explain);
    draw_ruled_out(out, report, explain);
}
