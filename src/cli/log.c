/*
 * cli/log - the ledger's entries, filtered, and followed.
 */
#include "base/instant.h"
#include "cli/cli.h"
#include "cli/csv.h"
#include "cli/output.h"
#include "client/untrusted.h"
#include "sys/clock.h"
#include "value/json.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { FOLLOW_MS = 500 };

static const struct option log_options[] = {
    {"agent", 0, OPTION_TEXT, "GLOB", "about these agents"},
    {"action", 0, OPTION_TEXT, "act_N", "about one action"},
    {"kind", 0, OPTION_TEXT, "GLOB", "of these kinds, such as 'approval.*'"},
    {"verdict", 0, OPTION_TEXT, "V", "decisions with this verdict"},
    {"since", 0, OPTION_TEXT, "TIME", "from then on: 2026-11-21T10:00:00Z, or a span such as 1h"},
    {"follow", 'f', OPTION_FLAG, NULL, "go on with what is written from now on"},
    {"csv", 0, OPTION_FLAG, NULL, "print CSV"},
    {"json", 0, OPTION_FLAG, NULL, "print one JSON object a line"},
    CLI_SERVER_OPTIONS,
};

enum form { FORM_TEXT, FORM_JSON, FORM_CSV };

/* --- one entry ---------------------------------------------------------------------------------- */

static void body_text(struct buf *out, const struct value *entry)
{
    const struct value *body = value_get(entry, STR("body"));
    if (value_is(body, VALUE_STRING)) {
        buf_str(out, body->string);
    } else if (body != NULL) {
        json_write(out, body);
    }
}

static void print_text(struct buf *out, const struct value *entry)
{
    static const char *const parts[] = {"seq", "time", "kind", "actor", "refs"};
    static const char *const told[] = {"verdict", "tool", "target", "result", "reason", "scope", "name", "person"};
    const struct value *body = value_get(entry, STR("body"));
    for (size_t i = 0; i < COUNT(parts); i++) {
        buf_str(out, i > 0 ? STR("  ") : STR(""));
        output_cell(out, value_get(entry, str_from(parts[i])));
    }
    struct str agent = value_text(value_path(body, "request", "agent", NULL));
    if (agent.len > 0) {
        buf_str(out, STR("  agent="));
        untrusted_quote(out, agent);
    }
    for (size_t i = 0; i < COUNT(told); i++) {
        struct str text = value_text(value_get(body, str_from(told[i])));
        if (text.len > 0) {
            buf_printf(out, "  %s=", told[i]);
            untrusted_quote(out, text);
        }
    }
    buf_char(out, '\n');
}

static void print_csv(struct buf *out, const struct value *entry)
{
    static const char *const parts[] = {"seq", "time", "kind", "actor", "refs"};
    struct buf cell;
    buf_init(&cell, OUTPUT_MAX);
    for (size_t i = 0; i < COUNT(parts); i++) {
        buf_reset(&cell);
        const struct value *v = value_get(entry, str_from(parts[i]));
        bool empty = value_is(v, VALUE_ARRAY) && v->count == 0;
        if (!empty) {
            output_cell(&cell, v);
        }
        csv_cell(out, buf_view(&cell));
        buf_char(out, ',');
    }
    buf_reset(&cell);
    body_text(&cell, entry);
    struct buf safe;
    buf_init(&safe, OUTPUT_MAX);
    untrusted_json(&safe, buf_view(&cell));
    csv_cell(out, buf_view(&safe));
    buf_str(out, STR("\r\n"));
    buf_done(&safe);
    buf_done(&cell);
}

static void print_page(const struct value *items, enum form form)
{
    struct buf out;
    buf_init(&out, OUTPUT_MAX);
    for (uint32_t i = 0; value_is(items, VALUE_ARRAY) && i < items->count; i++) {
        if (form == FORM_JSON) {
            output_json_line(&items->items[i]);
        } else if (form == FORM_CSV) {
            print_csv(&out, &items->items[i]);
        } else {
            print_text(&out, &items->items[i]);
        }
    }
    output_buf(&out);
    fflush(stdout);
    buf_done(&out);
}

/* --- pages -------------------------------------------------------------------------------------- */

static enum rc read_since(const char *text, char out[static INSTANT_TEXT_LEN + 1], struct err *e)
{
    int64_t at_ms;
    if (span_parse(str_from(text), &at_ms)) {
        at_ms = clock_wall_ms() - at_ms;
    } else if (!instant_parse(str_from(text), &at_ms)) {
        return err_set(e, RC_INVALID, "option --since: expected a time such as 2026-11-21T10:00:00Z, or 1h");
    }
    instant_format(at_ms, out);
    out[INSTANT_TEXT_LEN] = '\0';
    return RC_OK;
}

static enum rc make_query(const struct args *a, struct buf *out, struct err *e)
{
    static const char *const names[] = {"agent", "action", "kind", "verdict"};
    buf_str(out, STR("/v1/ledger?limit=1000"));
    for (size_t i = 0; i < COUNT(names); i++) {
        client_query(out, names[i], args_text(a, names[i]));
    }
    char since[INSTANT_TEXT_LEN + 1];
    const char *text = args_text(a, "since");
    enum rc rc = text == NULL ? RC_OK : read_since(text, since, e);
    if (rc == RC_OK && text != NULL) {
        client_query(out, "since", since);
    }
    return rc == RC_OK && out->rc != RC_OK ? err_set(e, out->rc, "the filters are too long") : rc;
}

static int walk(struct session *s, struct str query, enum form form, bool follow)
{
    char after[32] = "0";
    for (;;) {
        struct buf path;
        buf_init(&path, 16384);
        buf_str(&path, query);
        client_query(&path, "after", after);
        buf_char(&path, '\0');
        arena_reset(s->arena);
        int code = session_get(s, path.data);
        buf_done(&path);
        if (code != CLI_OK) {
            return code;
        }
        print_page(value_get(&s->answer.body, STR("items")), form);
        if (ferror(stdout)) {
            return CLI_FAILED;
        }
        if (!str_to_c(value_text(value_get(&s->answer.body, STR("next"))), after, sizeof after) ||
            after[0] == '\0') {
            return CLI_OK;
        }
        if (value_bool_or(value_get(&s->answer.body, STR("more")), false)) {
            continue;
        }
        if (!follow) {
            return CLI_OK;
        }
        nanosleep(&(struct timespec){.tv_nsec = FOLLOW_MS * 1000000L}, NULL);
    }
}

static int run_log(const struct args *a)
{
    struct session s = {0};
    struct err e;
    struct buf query;
    enum form form = args_flag(a, "csv") ? FORM_CSV : args_flag(a, "json") ? FORM_JSON : FORM_TEXT;
    enum rc rc = args_expect(a, 0, 0, "no words", &e);
    if (rc == RC_OK && args_flag(a, "csv") && args_flag(a, "json")) {
        rc = err_set(&e, RC_INVALID, "either --csv or --json");
    }
    buf_init(&query, 8192);
    rc = rc == RC_OK ? make_query(a, &query, &e) : rc;
    int code = rc == RC_OK ? session_open(&s, a) : cli_usage(&e);
    if (code == CLI_OK) {
        if (form == FORM_CSV) {
            fputs("seq,time,kind,actor,refs,body\r\n", stdout);
        }
        code = walk(&s, buf_view(&query), form, args_flag(a, "follow"));
        session_close(&s);
    }
    buf_done(&query);
    return code;
}

const struct command log_commands[] = {
    {"log", "", "print the ledger's entries", log_options, COUNT(log_options), run_log, NULL},
    {0},
};
