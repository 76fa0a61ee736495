/*
 * cli/show_request - what the agent said of its action: its intent, its plan, its diff. Every byte of it is
 * theirs and goes through client/untrusted.
 */
#include "cli/output.h"
#include "cli/show.h"
#include "client/untrusted.h"
#include "value/json.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* What the agent wrote itself, and may have written for us to read. */
static void put_words(struct buf *out, const struct value *v)
{
    buf_char(out, ' ');
    if (v->type == VALUE_STRING) {
        untrusted_quote(out, v->string);
        return;
    }
    struct buf text;
    buf_init(&text, OUTPUT_MAX);
    json_write(&text, v);
    untrusted_json(out, buf_view(&text));
    buf_done(&text);
}

static void words(struct buf *out, const char *title, const struct value *v)
{
    if (v != NULL && v->type != VALUE_NULL) {
        buf_printf(out, "  %-14s", title);
        put_words(out, v);
        buf_char(out, '\n');
    }
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

/* --- the plan ----------------------------------------------------------------------------------------------------- */

/* A step is a text, or an object whose members are its parts; what takes it back is one of them. */
static void show_step(struct buf *out, uint32_t number, const struct value *step)
{
    buf_printf(out, "    %u.", (unsigned)number);
    if (!value_is(step, VALUE_OBJECT)) {
        put_words(out, step);
        buf_str(out, STR("\n       rollback: not said\n"));
        return;
    }
    for (uint32_t i = 0; i < step->count; i++) {
        buf_str(out, i == 0 ? STR(" ") : STR("       "));
        untrusted_cell(out, step->members[i].name);
        buf_char(out, ':');
        put_words(out, &step->members[i].value);
        buf_char(out, '\n');
    }
    if (value_get(step, STR("rollback")) == NULL) {
        buf_str(out, step->count == 0 ? STR(" rollback: not said\n") : STR("       rollback: not said\n"));
    }
}

static void show_plan(struct buf *out, const struct value *plan)
{
    const struct value *steps = value_is(plan, VALUE_ARRAY) ? plan : value_get(plan, STR("steps"));
    if (!value_is(steps, VALUE_ARRAY)) {
        words(out, "plan", plan);
        return;
    }
    buf_str(out, STR("  plan\n"));
    for (uint32_t i = 0; i < steps->count; i++) {
        show_step(out, i + 1, &steps->items[i]);
    }
    for (uint32_t i = 0; value_is(plan, VALUE_OBJECT) && i < plan->count; i++) {
        if (&plan->members[i].value != steps) {
            buf_str(out, STR("    "));
            untrusted_cell(out, plan->members[i].name);
            buf_char(out, ':');
            put_words(out, &plan->members[i].value);
            buf_char(out, '\n');
        }
    }
}

/* --- the diff ----------------------------------------------------------------------------------------------------- */

/* Line by line, each behind a bar, so that no line can pass for one of ours. */
static void show_lines(struct buf *out, struct str text)
{
    struct str one;
    text = str_ends(text, STR("\n")) ? str_slice(text, 0, text.len - 1) : text;
    while (str_next(&text, '\n', &one)) {
        buf_str(out, STR("    | "));
        untrusted_cell(out, one);
        buf_char(out, '\n');
    }
}

static bool is_lines(const struct value *v)
{
    return value_is(v, VALUE_STRING) && str_find(v->string, '\n') < v->string.len;
}

static void show_json_lines(struct buf *out, const struct value *v)
{
    struct buf text;
    struct buf safe;
    buf_init(&text, OUTPUT_MAX);
    buf_init(&safe, OUTPUT_MAX);
    json_write_pretty(&text, v);
    untrusted_json(&safe, buf_view(&text));
    struct str all = buf_view(&safe);
    struct str one;
    while (str_next(&all, '\n', &one)) {
        buf_str(out, STR("    | "));
        buf_str(out, one);
        buf_char(out, '\n');
    }
    buf_done(&text);
    buf_done(&safe);
}

/* A text is a unified diff. In an object, texts of several lines are such too; the rest is JSON. */
static void show_diff(struct buf *out, const struct value *diff)
{
    if (diff == NULL || diff->type == VALUE_NULL) {
        return;
    }
    buf_str(out, STR("  diff\n"));
    if (diff->type == VALUE_STRING) {
        show_lines(out, diff->string);
        return;
    }
    uint32_t texts = 0;
    for (uint32_t i = 0; diff->type == VALUE_OBJECT && i < diff->count; i++) {
        texts += is_lines(&diff->members[i].value) ? 1 : 0;
    }
    if (texts == 0) {
        show_json_lines(out, diff);
        return;
    }
    for (uint32_t i = 0; i < diff->count; i++) {
        buf_str(out, STR("    "));
        untrusted_cell(out, diff->members[i].name);
        buf_str(out, STR(":\n"));
        if (is_lines(&diff->members[i].value)) {
            show_lines(out, diff->members[i].value.string);
        } else {
            show_json_lines(out, &diff->members[i].value);
        }
    }
}

void show_request(struct buf *out, const struct value *request)
{
    static const char *const members[] = {"intent",         "wants_person",  "parameters", "claimed_tool",
                                          "claimed_service", "parent",       "contexts"};
    buf_printf(out, "\n%sThe agent's own words%s (not checked by anybody)\n", output_bold(), output_plain());
    for (size_t i = 0; i < COUNT(members); i++) {
        words(out, members[i], value_get(request, str_from(members[i])));
    }
    show_invocation(out, value_get(request, STR("invocation")));
    show_plan(out, value_get(request, STR("plan")));
    show_diff(out, value_get(request, STR("diff")));
}
