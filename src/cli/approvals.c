/*
 * cli/approvals - what waits for a person, and the person's answer.
 */
#include "cli/cli.h"
#include "cli/output.h"
#include "cli/show.h"
#include "client/untrusted.h"
#include "sys/clock.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* --- listing ------------------------------------------------------------------------------------ */

static const struct option list_options[] = {CLI_JSON_OPTION, CLI_SERVER_OPTIONS};

static int run_list(const struct args *a)
{
    static const struct column columns[] = {
        {"ACTION", "action_id"}, {"AGENT", "agent"},          {"TOOL", "tool"},
        {"SERVICES", "services"}, {"SINCE", "proposed_at"}, {"REASON", "decision/reason"}};
    struct session s;
    struct value items;
    struct err e;
    if (args_expect(a, 0, 0, "no words", &e) != RC_OK) {
        return cli_usage(&e);
    }
    int code = session_open(&s, a);
    if (code != CLI_OK) {
        return code;
    }
    code = session_list(&s, "/v1/approvals", &items);
    if (code == CLI_OK && args_flag(a, "json")) {
        output_json(&items);
    } else if (code == CLI_OK) {
        output_table(&items, columns, COUNT(columns));
    }
    session_close(&s);
    return code;
}

/* --- approving ---------------------------------------------------------------------------------- */

struct shown {
    struct str digest;
    struct str decision;
    int64_t at_ms;
};

static int post_answer(struct session *s, const char *action, const char *verb, const struct value *body)
{
    char path[256];
    char key[CLIENT_KEY_LEN + 1];
    client_key(key);
    snprintf(path, sizeof path, "/v1/approvals/%.100s/%s", action, verb);
    struct client_call call = {.method = "POST", .path = path, .body = body, .key = key};
    if (client_call(&s->client, s->arena, &call, &s->answer, &s->e) != RC_OK) {
        return session_failed(s);
    }
    struct buf out;
    buf_init(&out, 4096);
    untrusted_cell(&out, str_from(action));
    buf_str(&out, STR(" is "));
    output_cell(&out, value_get(&s->answer.body, STR("state")));
    buf_char(&out, '\n');
    output_buf(&out);
    buf_done(&out);
    return CLI_OK;
}

/* "yes" in full: a stray key is no approval. */
static bool ask(const char *question)
{
    char line[64];
    fprintf(stderr, "%s", question);
    fflush(stderr);
    return fgets(line, sizeof line, stdin) != NULL && strcmp(line, "yes\n") == 0;
}

static int look(struct session *s, const char *action, struct shown *ret)
{
    char path[256];
    snprintf(path, sizeof path, "/v1/actions/%.100s", action);
    int code = session_get(s, path);
    if (code == CLI_OK) {
        ret->digest = value_text(value_get(&s->answer.body, STR("digest")));
        ret->decision = value_text(value_get(&s->answer.body, STR("decision_id")));
    }
    return code;
}

/* What look() got, whole. */
static int show_and_ask(const struct session *s, const char *verb, const char *action, struct shown *shown)
{
    struct buf out;
    buf_init(&out, OUTPUT_MAX);
    show_action(&out, &s->answer.body);
    output_buf(&out);
    fflush(stdout);
    bool whole = out.rc == RC_OK;
    buf_done(&out);
    shown->at_ms = clock_wall_ms();
    char question[256];
    snprintf(question, sizeof question, "\n%s %.100s? Type yes: ", verb, action);
    if (!whole || !ask(question)) {
        fprintf(stderr, "pawl: not %s\n", verb[0] == 'A' ? "approved" : "overridden");
        return CLI_FAILED;
    }
    return CLI_OK;
}

static int approve(struct session *s, const struct args *a)
{
    const char *action = a->rest[0];
    const char *digest = args_text(a, "digest");
    const char *decision = args_text(a, "decision");
    const char *override = args_text(a, "override");
    char verb[64] = "Approve";
    struct shown shown = {0};
    int code = look(s, action, &shown);
    if (override != NULL) {
        snprintf(verb, sizeof verb, "Override %.40s of", override);
    }
    if (code == CLI_OK && digest == NULL) {
        code = show_and_ask(s, verb, action, &shown);
    }
    if (code != CLI_OK) {
        return code;
    }
    struct value body = value_object();
    value_add_str(s->arena, &body, STR("digest"), digest == NULL ? shown.digest : str_from(digest));
    value_add_str(s->arena, &body, STR("decision_id"), decision == NULL ? shown.decision : str_from(decision));
    if (shown.at_ms != 0) {
        value_add_instant(s->arena, &body, STR("shown_at"), shown.at_ms);
    }
    if (override == NULL) {
        return post_answer(s, action, "approve", &body);
    }
    value_add_str(s->arena, &body, STR("check"), str_from(override));
    value_add_str(s->arena, &body, STR("reason"), str_from(args_text(a, "reason")));
    return post_answer(s, action, "override", &body);
}

static int run_approve(const struct args *a)
{
    struct session s;
    struct err e;
    if (args_expect(a, 1, 1, "act_N", &e) != RC_OK) {
        return cli_usage(&e);
    }
    if ((args_text(a, "override") == NULL) != (args_text(a, "reason") == NULL)) {
        (void)err_set(&e, RC_INVALID, "--override CHECK and --reason TEXT go together");
        return cli_usage(&e);
    }
    bool terminal = isatty(STDIN_FILENO) == 1 && output_is_terminal();
    if (args_text(a, "digest") == NULL && !terminal) {
        (void)err_set(&e, RC_INVALID, "without a terminal, --digest must say what is approved");
        return cli_usage(&e);
    }
    int code = session_open(&s, a);
    if (code == CLI_OK) {
        code = approve(&s, a);
        session_close(&s);
    }
    return code;
}

static const struct option approve_options[] = {
    {"digest", 0, OPTION_TEXT, "D", "the digest that was looked at; then nothing is asked"},
    {"decision", 0, OPTION_TEXT, "dec_N", "the decision that was looked at (else the newest)"},
    {"override", 0, OPTION_TEXT, "CHECK", "instead: its hold does not count for this action (freeze, upstream, rate, unknown signals)"},
    {"reason", 0, OPTION_TEXT, "TEXT", "why, with --override"},
    CLI_SERVER_OPTIONS,
};

/* --- rejecting ---------------------------------------------------------------------------------- */

static const struct option reject_options[] = {
    {"reason", 0, OPTION_TEXT, "TEXT", "why; the agent is told"},
    CLI_SERVER_OPTIONS,
};

static int run_reject(const struct args *a)
{
    struct session s;
    struct err e;
    const char *reason = args_text(a, "reason");
    if (args_expect(a, 1, 1, "act_N", &e) != RC_OK) {
        return cli_usage(&e);
    }
    if (reason == NULL) {
        (void)err_set(&e, RC_INVALID, "expected --reason TEXT");
        return cli_usage(&e);
    }
    int code = session_open(&s, a);
    if (code == CLI_OK) {
        struct value body = value_object();
        value_add_str(s.arena, &body, STR("reason"), str_from(reason));
        code = post_answer(&s, a->rest[0], "reject", &body);
        session_close(&s);
    }
    return code;
}

const struct command approval_commands[] = {
    {"approvals", "", "list what waits for a person", list_options, COUNT(list_options), run_list, NULL},
    {"approve", "act_N", "let one escalated action run", approve_options, COUNT(approve_options), run_approve,
     "On a terminal the whole action is shown and `yes` is asked for. What is in quotes are the agent's words."},
    {"reject", "act_N", "refuse one escalated action", reject_options, COUNT(reject_options), run_reject, NULL},
    {0},
};
