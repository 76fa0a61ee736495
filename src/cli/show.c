#include "cli/show.h"

#include "cli/output.h"
#include "client/untrusted.h"
#include "value/json.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void line(struct buf *out, const char *title, const struct value *v)
{
    if (v != NULL && v->type != VALUE_NULL) {
        buf_printf(out, "%-16s ", title);
        output_cell(out, v);
        buf_char(out, '\n');
    }
}

/* What the agent wrote itself, and may have written for us to read. */
static void words(struct buf *out, const char *title, const struct value *v)
{
    if (v == NULL || v->type == VALUE_NULL) {
        return;
    }
    buf_printf(out, "  %-14s ", title);
    if (v->type == VALUE_STRING) {
        untrusted_quote(out, v->string);
    } else {
        struct buf text;
        buf_init(&text, OUTPUT_MAX);
        json_write(&text, v);
        untrusted_quote(out, buf_view(&text));
        buf_done(&text);
    }
    buf_char(out, '\n');
}

/* A list of texts as quoted words with spaces between. */
static void command_line(struct buf *out, const struct value *argv)
{
    buf_printf(out, "  %-14s", "command");
    for (uint32_t i = 0; i < argv->count; i++) {
        buf_char(out, ' ');
        untrusted_quote(out, value_text(&argv->items[i]));
    }
    buf_char(out, '\n');
}

static void show_invocation(struct buf *out, const struct value *v)
{
    static const char *const members[] = {"executable", "executable_sha256", "cwd", "stdin", "inputs", "env", "mcp"};
    const struct value *argv = value_get(v, STR("argv"));
    if (value_is(argv, VALUE_ARRAY)) {
        command_line(out, argv);
    }
    for (size_t i = 0; i < COUNT(members); i++) {
        words(out, members[i], value_get(v, str_from(members[i])));
    }
}

static void show_request(struct buf *out, const struct value *request)
{
    static const char *const members[] = {"intent", "wants_person", "parameters", "plan", "diff",
                                          "claimed_tool", "claimed_service"};
    buf_printf(out, "\n%sThe agent's own words%s (not checked by anybody)\n", output_bold(), output_plain());
    for (size_t i = 0; i < COUNT(members); i++) {
        words(out, members[i], value_get(request, str_from(members[i])));
    }
    show_invocation(out, value_get(request, STR("invocation")));
}

static void show_finding(struct buf *out, const struct value *f)
{
    struct str verdict = value_text(value_get(f, STR("verdict")));
    struct str mode = value_text(value_get(f, STR("mode")));
    const char *colour = output_colour_of(verdict);
    buf_printf(out, "  %-14.*s %s%-9.*s%s ", STR_ARG(value_text(value_get(f, STR("check")))), colour, STR_ARG(verdict),
               colour[0] == '\0' ? "" : output_plain());
    untrusted_cell(out, value_text(value_get(f, STR("text"))));
    if (!str_eq(mode, STR("enforce"))) {
        buf_printf(out, " (%.*s)", STR_ARG(mode));
    }
    buf_char(out, '\n');
}

static void show_budget(struct buf *out, const struct value *b)
{
    static const char *const members[] = {"role", "state", "remaining_pct", "source", "age_ms", "reason"};
    buf_str(out, STR("  error budget   "));
    output_cell(out, value_get(b, STR("service")));
    for (size_t i = 0; i < COUNT(members); i++) {
        const struct value *v = value_get(b, str_from(members[i]));
        if (v != NULL && v->type != VALUE_NULL) {
            buf_printf(out, " %s=", members[i]);
            output_cell(out, v);
        }
    }
    buf_char(out, '\n');
}

static void show_signals(struct buf *out, const struct value *signals)
{
    const struct value *budgets = value_get(signals, STR("error_budgets"));
    buf_printf(out, "\n%sSignals as they were read%s\n", output_bold(), output_plain());
    for (uint32_t i = 0; value_is(budgets, VALUE_ARRAY) && i < budgets->count; i++) {
        show_budget(out, &budgets->items[i]);
    }
    buf_str(out, STR("  AQDD depth     "));
    output_cell(out, value_path(signals, "aqdd", "depth", NULL));
    buf_str(out, STR("\n  HER trend      "));
    output_cell(out, value_path(signals, "her", "trend_pct", NULL));
    buf_str(out, STR(" % of "));
    output_cell(out, value_path(signals, "her", "sample", NULL));
    buf_str(out, STR(" decisions\n"));
}

void show_decision(struct buf *out, const struct value *record)
{
    static const struct column heads[] = {
        {"action", "action_id"},       {"decision", "decision_id"},
        {"decided at", "decided_at"},  {"agent", "agent"},
        {"tool", "tool"},              {"target", "target"},
        {"verdict", "verdict"},        {"blocked by", "blocked_by"},
        {"reason", "reason"},          {"recommendation", "recommendation"},
        {"policy version", "policy_seq"}};
    for (size_t i = 0; i < COUNT(heads); i++) {
        line(out, heads[i].title, output_at(record, heads[i].path));
    }
    show_request(out, value_get(record, STR("request")));
    const struct value *findings = value_get(record, STR("findings"));
    buf_printf(out, "\n%sWhat the gate found%s\n", output_bold(), output_plain());
    for (uint32_t i = 0; value_is(findings, VALUE_ARRAY) && i < findings->count; i++) {
        show_finding(out, &findings->items[i]);
    }
    show_signals(out, value_get(record, STR("signals")));
}
