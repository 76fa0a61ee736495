/*
 * cli/backtest - `pawl backtest`: another policy on the decisions that a ledger records, without the server.
 */
#include "backtest/backtest.h"

#include "base/instant.h"
#include "cli/cli.h"
#include "cli/output.h"
#include "client/untrusted.h"
#include "server/config.h"
#include "server/config_files.h"
#include "sys/clock.h"
#include "sys/file.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum {
    REPORT_ARENA_MAX = 128 << 20,
    EXAMPLES_DEFAULT = 3,
    BAR_WIDTH = 30,
    BAR_STEP_US = 100000,
};

/* One call. */
struct trial {
    const struct args *args;
    struct arena *arena;
    struct config config; /* of a configuration file */
    struct rules_file *rules;
    struct store *store;
    struct backtest_options options;
    struct str agents[ARGS_VALUES_MAX];
    int64_t shown_us; /* when the bar was drawn last */
    struct value report;
};

/* --- what is asked for -------------------------------------------------------------------------------------------- */

static bool holds_rules(const struct value *v)
{
    return value_is(v, VALUE_ARRAY) || (value_get(v, STR("rules")) != NULL && value_get(v, STR("policy")) == NULL);
}

/* Files of rules all, or one configuration. */
static enum rc read_policy(struct trial *t, struct err *e)
{
    size_t count = t->args->rest_count;
    t->rules = arena_array(t->arena, count, sizeof *t->rules);
    enum rc rc = t->rules == NULL ? err_set(e, RC_NO_MEMORY, "out of memory") : RC_OK;
    size_t of_rules = 0;
    for (size_t i = 0; rc == RC_OK && i < count; i++) {
        rc = rules_file_read(t->arena, t->args->rest[i], &t->rules[i], e);
        of_rules += rc == RC_OK && holds_rules(&t->rules[i].v) ? 1 : 0;
    }
    if (rc != RC_OK) {
        return rc;
    }
    if (of_rules == count) {
        t->options.rules = t->rules;
        t->options.rules_count = (uint32_t)count;
        return RC_OK;
    }
    if (count > 1) {
        return err_set(e, RC_INVALID, "expected one configuration file, or files of rules only");
    }
    rc = config_load(t->args->rest[0], &t->config, e);
    t->options.policy = rc == RC_OK ? t->config.policy : NULL;
    return rc;
}

/* A data folder, or a ledger's file by itself. */
static enum rc open_ledger(struct trial *t, struct err *e)
{
    const char *data = args_text(t->args, "data");
    char path[FILE_PATH_MAX];
    struct stat st;
    data = data == NULL ? "pawl-data" : data;
    bool file = stat(data, &st) == 0 && S_ISREG(st.st_mode);
    int len = snprintf(path, sizeof path, "%s%s", data, file ? "" : "/ledger.db");
    if (len >= (int)sizeof path) {
        return err_set(e, RC_INVALID, "the name is too long");
    }
    return store_open(path, STORE_READ, &t->store, e);
}

/* Spans count back from the newest entry: the same on a copy tomorrow. */
static enum rc newest_time(struct trial *t, int64_t *ret_ms, struct err *e)
{
    uint64_t size = 0;
    struct stored stored;
    enum rc rc = store_size(t->store, &size, e);
    if (rc == RC_OK && size == 0) {
        rc = err_set(e, RC_NOT_FOUND, "the ledger is empty");
    }
    rc = rc == RC_OK ? store_read(t->store, t->arena, size - 1, &stored, e) : rc;
    if (rc == RC_OK) {
        *ret_ms = stored.entry.time_ms;
    }
    return rc;
}

static enum rc read_window(struct trial *t, struct err *e)
{
    const char *since = args_text(t->args, "since");
    const char *until = args_text(t->args, "until");
    struct backtest_options *o = &t->options;
    int64_t newest = 0;
    int64_t span;
    enum rc rc = newest_time(t, &newest, e);
    if (rc != RC_OK) {
        return rc;
    }
    o->until_ms = newest + 1;
    if (until != NULL && !instant_parse(str_from(until), &o->until_ms)) {
        return err_set(e, RC_INVALID, "option --until: expected a moment, such as 2026-11-21T10:00:00Z");
    }
    if (since == NULL) {
        return RC_OK;
    }
    if (span_parse(str_from(since), &span)) {
        o->from_ms = o->until_ms - span;
    } else if (!instant_parse(str_from(since), &o->from_ms)) {
        return err_set(e, RC_INVALID, "option --since: expected a span such as 7d, or a moment");
    }
    return o->from_ms < o->until_ms ? RC_OK : err_set(e, RC_INVALID, "--since is not before --until");
}

static enum rc read_options(struct trial *t, struct err *e)
{
    const char *agent;
    int64_t examples = EXAMPLES_DEFAULT;
    enum rc rc = args_number(t->args, "limit-examples", 0, BACKTEST_EXAMPLES_MAX, &examples, e);
    for (size_t i = 0; (agent = args_nth(t->args, "agent", i)) != NULL; i++) {
        t->agents[t->options.agent_count++] = str_from(agent);
    }
    t->options.agents = t->agents;
    t->options.examples = (uint32_t)examples;
    return rc;
}

/* --- the bar -------------------------------------------------------------------------------------------------------- */

static void draw_bar(void *context, uint64_t done, uint64_t all)
{
    struct trial *t = context;
    int64_t now_us = clock_monotonic_us();
    if (now_us - t->shown_us < BAR_STEP_US || all == 0) {
        return;
    }
    t->shown_us = now_us;
    int full = (int)(done * BAR_WIDTH / all);
    fprintf(stderr, "\r[%.*s%*s] %3d %%, %" PRIu64 " of %" PRIu64 " entries ", full, "##############################",
            BAR_WIDTH - full, "", (int)(done * 100 / all), done, all);
}

/* --- what came of it ---------------------------------------------------------------------------------------------------- */

static int64_t number(const struct value *v, const char *path)
{
    return value_integer_or(output_at(v, path), 0);
}

static void heading(struct buf *out, const char *text)
{
    buf_printf(out, "\n%s%s%s\n", output_bold(), text, output_plain());
}

static void print_head(struct buf *out, const struct value *r)
{
    buf_str(out, STR("from "));
    output_cell(out, output_at(r, "window/from"));
    buf_str(out, STR(" until "));
    output_cell(out, output_at(r, "window/until"));
    buf_printf(out, "\n%" PRId64 " decisions: %" PRId64 " would change (%" PRId64 " stricter, %" PRId64 " looser), %" PRId64
                    " can't be decided from what was recorded\n",
               number(r, "decisions"), number(r, "changed"), number(r, "stricter"), number(r, "looser"), number(r, "not_decidable"));
    buf_printf(out, "did harm: %" PRId64 " actions; %" PRId64 " of them stopped or put before a person, %" PRId64
                    " allowed that were not, %" PRId64 " not decidable\n",
               number(r, "harm/actions"), number(r, "harm/stopped"), number(r, "harm/let_through"), number(r, "harm/not_decidable"));
    buf_printf(out, "ended well: %" PRId64 " actions; %" PRId64 " of them stopped or put before a person, %" PRId64 " not decidable\n",
               number(r, "good/actions"), number(r, "good/blocked"), number(r, "good/not_decidable"));
}

static void print_matrix(struct buf *out, const struct value *r)
{
    static const char *const columns[] = {"allow", "advise", "hold", "escalate", "deny", "not_decidable"};
    const struct value *matrix = value_get(r, STR("matrix"));
    heading(out, "Before (rows) and now (columns)");
    buf_printf(out, "  %-10s", "");
    for (size_t i = 0; i < COUNT(columns); i++) {
        buf_printf(out, " %13s", columns[i]);
    }
    buf_char(out, '\n');
    for (uint32_t i = 0; value_is(matrix, VALUE_OBJECT) && i < matrix->count; i++) {
        buf_printf(out, "  %-10.*s", STR_ARG(matrix->members[i].name));
        for (size_t k = 0; k < COUNT(columns); k++) {
            buf_printf(out, " %13" PRId64, number(&matrix->members[i].value, columns[k]));
        }
        buf_char(out, '\n');
    }
}

static void print_gone(struct buf *out, const struct value *r)
{
    const struct value *gone = value_get(r, STR("only_in_force"));
    for (uint32_t i = 0; value_is(gone, VALUE_OBJECT) && i < gone->count; i++) {
        if (gone->members[i].value.count > 0) {
            buf_printf(out, "not in this policy, taken as they were: %.*s ", STR_ARG(gone->members[i].name));
            output_cell(out, &gone->members[i].value);
            buf_char(out, '\n');
        }
    }
    if (number(r, "erased") > 0) {
        buf_printf(out, "not decidable, for what lay beside them was erased by policy: %" PRId64 "\n", number(r, "erased"));
    }
}

static void print_side(struct buf *out, const char *title, const struct value *v)
{
    const struct value *reason = value_get(v, STR("reason"));
    buf_printf(out, "    %-7s", title);
    output_cell(out, value_get(v, STR("verdict")));
    if (value_is(value_get(v, STR("blocking_check")), VALUE_STRING)) {
        buf_str(out, STR(" by "));
        output_cell(out, value_get(v, STR("blocking_check")));
    }
    if (value_is(reason, VALUE_STRING)) {
        buf_str(out, STR(": "));
        output_cell(out, reason);
    }
    buf_char(out, '\n');
}

static void print_examples(struct buf *out, const struct value *r)
{
    static const char *const kinds[][2] = {
        {"stopped_harm", "Did harm, and would have been stopped"},
        {"let_through_harm", "Did harm, and would have been allowed"},
        {"blocked_good", "Ended well, and would have been blocked"},
        {"stricter", "Stricter"},
        {"looser", "Looser"},
        {"not_decidable", "Not decidable"},
    };
    for (size_t i = 0; i < COUNT(kinds); i++) {
        const struct value *list = value_path(r, "examples", kinds[i][0], NULL);
        for (uint32_t k = 0; value_item(list, k) != NULL; k++) {
            const struct value *one = value_item(list, k);
            if (k == 0) {
                heading(out, kinds[i][1]);
            }
            buf_str(out, STR("  "));
            output_cell(out, value_get(one, STR("action_id")));
            buf_str(out, STR(" of "));
            output_cell(out, value_get(one, STR("agent")));
            buf_str(out, STR(" at "));
            output_cell(out, value_get(one, STR("decided_at")));
            buf_char(out, '\n');
            print_side(out, "before", value_get(one, STR("before")));
            print_side(out, "now", value_get(one, STR("now")));
        }
    }
}

static void print_buf(struct buf *out)
{
    output_buf(out);
    buf_reset(out);
}

static void print_list(struct buf *out, const struct value *r, const char *name, const char *title, const struct column *columns,
                       unsigned count)
{
    const struct value *list = value_get(r, str_from(name));
    if (list->count > 0) {
        heading(out, title);
        print_buf(out);
        output_table(list, columns, count);
    }
}

static void print_report(const struct value *r)
{
    static const struct column checks[] = {{"CHECK", "check"},         {"BLOCKED BEFORE", "blocked_before"},
                                           {"NOW", "blocked_now"},     {"IN SHADOW", "shadow_now"},
                                           {"NOT DECIDABLE", "not_decidable"}};
    static const struct column rules[] = {{"RULE", "rule"},       {"MODE", "mode"},
                                          {"HELD BEFORE", "held_before"}, {"DECIDED BEFORE", "decided_before"},
                                          {"HELD", "held"},       {"DECIDED", "decided"},
                                          {"WOULD BLOCK", "would_block"}, {"ALLOWED NOW", "allowed_now"}};
    static const struct column agents[] = {{"AGENT", "agent"},       {"DECISIONS", "decisions"}, {"CHANGED", "changed"},
                                           {"STRICTER", "stricter"}, {"LOOSER", "looser"},       {"NOT DECIDABLE", "not_decidable"}};
    struct buf out;
    buf_init(&out, OUTPUT_MAX);
    print_head(&out, r);
    print_gone(&out, r);
    print_matrix(&out, r);
    print_list(&out, r, "by_check", "By check", checks, COUNT(checks));
    print_list(&out, r, "by_rule", "By rule", rules, COUNT(rules));
    print_list(&out, r, "by_agent", "By agent", agents, COUNT(agents));
    print_examples(&out, r);
    if (out.len > 0) {
        print_buf(&out);
    }
    buf_done(&out);
}

/* --- the command ------------------------------------------------------------------------------------------------------------ */

static enum rc try_policy(struct trial *t, struct err *e)
{
    enum rc rc = read_options(t, e);
    rc = rc == RC_OK ? read_policy(t, e) : rc;
    rc = rc == RC_OK ? open_ledger(t, e) : rc;
    rc = rc == RC_OK ? read_window(t, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    bool shown = isatty(STDERR_FILENO) == 1;
    t->options.progress = shown ? draw_bar : NULL;
    t->options.context = t;
    rc = backtest_run(t->store, &t->options, t->arena, &t->report, e);
    if (shown && t->shown_us != 0) {
        fputs("\r\033[K", stderr);
    }
    return rc;
}

static int run_backtest(const struct args *a)
{
    struct trial t = {.args = a};
    struct err e;
    if (args_expect(a, 1, RULES_FILES_MAX, "a configuration file, or files of rules", &e) != RC_OK) {
        return cli_usage(&e);
    }
    t.arena = arena_new(POLICY_ARENA_MAX + REPORT_ARENA_MAX);
    enum rc rc = t.arena == NULL ? err_set(&e, RC_NO_MEMORY, "out of memory") : try_policy(&t, &e);
    if (rc == RC_OK && args_flag(a, "json")) {
        output_json(&t.report);
    } else if (rc == RC_OK) {
        print_report(&t.report);
    }
    store_close(t.store);
    if (t.config.policy != NULL) {
        config_done(&t.config);
    }
    arena_free(t.arena);
    return rc == RC_OK ? CLI_OK : cli_failed(&e);
}

static const struct option backtest_options[] = {
    {"since", 0, OPTION_TEXT, "SPAN", "how far back, such as 7d, from --until; or a moment (all of it)"},
    {"until", 0, OPTION_TEXT, "T", "decisions before this moment (the newest entry)"},
    {"agent", 0, OPTION_TEXTS, "GLOB", "only decisions of these agents"},
    {"data", 0, OPTION_TEXT, "DIR", "the data folder, or the ledger file of a backup (pawl-data)"},
    {"limit-examples", 0, OPTION_TEXT, "N", "examples of each kind (3, at most 100)"},
    CLI_JSON_OPTION,
};

const struct command backtest_commands[] = {
    {"backtest", "POLICY...", "what another policy would have decided, on what the ledger records", backtest_options,
     COUNT(backtest_options), run_backtest,
     "POLICY is a configuration file, with rules/ beside it; or files of rules, which are laid over the policy that was in\n"
     "force. Reads the data folder itself, beside a running server too. Every decision is made again on what was known\n"
     "then; one that needs a fact that nobody recorded is not decidable, and counted apart."},
    {0},
};
