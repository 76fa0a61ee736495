/*
 * cli/stops - the kill switch.
 */
#include "cli/cli.h"
#include "cli/output.h"

#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct option stop_options[] = {
    {"all", 0, OPTION_FLAG, NULL, "everything"},
    {"agent", 0, OPTION_TEXT, "A", "one agent"},
    {"service", 0, OPTION_TEXT, "S", "one service"},
    {"tool", 0, OPTION_TEXT, "T", "one tool"},
    {"model", 0, OPTION_TEXT, "M", "agents that run this model"},
    {"label", 0, OPTION_TEXT, "K=V", "agents by owner=, team=, role= or prompt="},
    {"pause", 0, OPTION_FLAG, NULL, "hold changes only; reads go on and nothing is cancelled"},
    {"dry-run", 0, OPTION_FLAG, NULL, "decide and record changes, and run none"},
    {"reason", 0, OPTION_TEXT, "TEXT", "why"},
    CLI_JSON_OPTION,
    CLI_SERVER_OPTIONS,
};

/* Exactly one scope. */
static enum rc read_scope(struct arena *arena, const struct args *a, struct value *body, struct err *e)
{
    static const char *const scopes[] = {"agent", "service", "tool", "model", "label"};
    unsigned count = args_flag(a, "all") ? 1 : 0;
    const char *scope = "all";
    const char *name = NULL;
    for (size_t i = 0; i < COUNT(scopes); i++) {
        if (args_text(a, scopes[i]) != NULL) {
            scope = scopes[i];
            name = args_text(a, scopes[i]);
            count++;
        }
    }
    if (count != 1) {
        return err_set(e, RC_INVALID, "expected one of --all, --agent A, --service S, --tool T, --model M, --label K=V");
    }
    value_add_str(arena, body, STR("scope"), str_from(scope));
    if (name != NULL) {
        value_add_str(arena, body, STR("name"), str_from(name));
    }
    value_add_str(arena, body, STR("level"), args_flag(a, "dry-run") ? STR("dry_run") : args_flag(a, "pause") ? STR("pause") : STR("stop"));
    const char *reason = args_text(a, "reason");
    if (reason != NULL) {
        value_add_str(arena, body, STR("reason"), str_from(reason));
    }
    return RC_OK;
}

static void print_stop(const struct session *s, bool json)
{
    if (json) {
        output_json(&s->answer.body);
        return;
    }
    struct buf out;
    buf_init(&out, 4096);
    output_cell(&out, value_get(&s->answer.body, STR("stop_id")));
    buf_printf(&out, " in force after %lld us\n",
               (long long)value_integer_or(value_get(&s->answer.body, STR("effect_us")), -1));
    if (!value_bool_or(value_get(&s->answer.body, STR("durable")), false)) {
        buf_str(&out, STR("It is not written to the ledger yet: the disk is full.\n"));
    }
    output_buf(&out);
    buf_done(&out);
}

static int run_stop(const struct args *a)
{
    struct session s;
    struct value body = value_object();
    struct err e;
    if (args_expect(a, 0, 0, "no words", &e) != RC_OK) {
        return cli_usage(&e);
    }
    int code = session_open(&s, a);
    if (code != CLI_OK) {
        return code;
    }
    if (read_scope(s.arena, a, &body, &s.e) != RC_OK) {
        code = cli_usage(&s.e);
    } else {
        code = session_post(&s, "/v1/stops", &body);
    }
    if (code == CLI_OK) {
        print_stop(&s, args_flag(a, "json"));
    }
    session_close(&s);
    return code;
}

static const struct option resume_options[] = {
    {"all", 0, OPTION_FLAG, NULL, "lift every stop"},
    {"reason", 0, OPTION_TEXT, "TEXT", "why"},
    CLI_SERVER_OPTIONS,
};

static int lift(struct session *s, struct str id, const char *reason)
{
    struct value body = value_object();
    if (reason != NULL) {
        value_add_str(s->arena, &body, STR("reason"), str_from(reason));
    }
    struct str path = arena_printf(s->arena, "/v1/stops/%.*s/resume", STR_ARG(str_slice(id, 0, 100)));
    int code = session_post(s, path.ptr, &body);
    if (code == CLI_OK) {
        struct buf out;
        buf_init(&out, 4096);
        struct value v = value_string(id);
        output_cell(&out, &v);
        buf_str(&out, STR(" is lifted\n"));
        output_buf(&out);
        buf_done(&out);
    }
    return code;
}

/* Each on its own: one that we may not lift does not keep the others. */
static int lift_all(struct session *s, const char *reason)
{
    struct value items;
    int code = session_list(s, "/v1/stops", &items);
    for (uint32_t i = 0; code != CLI_UNREACHABLE && i < items.count; i++) {
        int one = lift(s, value_text(value_get(&items.items[i], STR("stop_id"))), reason);
        code = one == CLI_OK ? code : one;
    }
    return code;
}

static int run_resume(const struct args *a)
{
    struct session s;
    struct err e;
    bool all = args_flag(a, "all");
    if (args_expect(a, all ? 0 : 1, all ? 0 : 1, "stp_N, or --all", &e) != RC_OK) {
        return cli_usage(&e);
    }
    int code = session_open(&s, a);
    if (code != CLI_OK) {
        return code;
    }
    const char *reason = args_text(a, "reason");
    code = all ? lift_all(&s, reason) : lift(&s, str_from(a->rest[0]), reason);
    session_close(&s);
    return code;
}

/* --- listing --------------------------------------------------------------------------------------- */

static const struct option list_options[] = {CLI_JSON_OPTION, CLI_SERVER_OPTIONS};

static int run_stops(const struct args *a)
{
    static const struct column columns[] = {
        {"STOP", "stop_id"}, {"SCOPE", "scope"},   {"NAME", "name"},           {"LEVEL", "level"},         {"BY", "by"},
        {"SINCE", "at"},     {"RUNNING", "running"}, {"CONFIRMED", "confirmed"}, {"UNCONFIRMED", "unconfirmed"},
        {"REASON", "reason"}};
    return cli_list(a, "/v1/stops", columns, COUNT(columns));
}

const struct command stop_commands[] = {
    {"stops", "", "list stops in force, and what they found running", list_options, COUNT(list_options), run_stops,
     "RUNNING executions have not ended yet; CONFIRMED ones said that they did; of UNCONFIRMED ones nobody heard in time."},
    {"stop", "", "stop agents at once", stop_options, COUNT(stop_options), run_stop, NULL},
    {"resume", "[stp_N]", "lift a stop", resume_options, COUNT(resume_options), run_resume, NULL},
    {0},
};
