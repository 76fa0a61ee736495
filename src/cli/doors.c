/*
 * cli/doors - the words of `pawl run` and `pawl hook`.
 */
#include "cli/cli.h"
#include "doors/hook.h"
#include "doors/run.h"

#include <stdlib.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct option run_option_table[] = {
    {"agent", 0, OPTION_TEXT, "A", "the agent that acts; must be the credential's"},
    {"service", 0, OPTION_TEXT, "S", "claim: the service it touches"},
    {"tool", 0, OPTION_TEXT, "T", "claim: the tool of the catalogue"},
    {"intent", 0, OPTION_TEXT, "TEXT", "why, in the agent's words"},
    {"model", 0, OPTION_TEXT, "M", "the model that acts, as it is registered (PAWL_MODEL)"},
    {"prompt-version", 0, OPTION_TEXT, "P", "the version of its prompt and tools (PAWL_PROMPT_VERSION)"},
    {"ask-person", 0, OPTION_TEXT, "REASON", "the agent is unsure: whatever the checks say, a person decides"},
    {"break-glass", 0, OPTION_FLAG, NULL, "an operator, at a terminal: run it whatever the checks say; somebody else looks at it"},
    {"reason", 0, OPTION_TEXT, "TEXT", "why, with --break-glass"},
    {"wait", 0, OPTION_TEXT, "SECONDS", "wait that long for holds to end"},
    {"no-wait", 0, OPTION_FLAG, NULL, "don't wait for a person: exit 22 at once"},
    {"result", 0, OPTION_TEXT, "FILE", "write what became of it as JSON"},
    {"stdin", 0, OPTION_TEXT, "FILE", "standard input, digested; - for ours (else /dev/null)"},
    {"input", 0, OPTION_TEXTS, "FILE", "an argument that is a file: digested, copied, the copy is passed"},
    {"env", 0, OPTION_TEXTS, "NAME", "pass this variable on (besides PATH HOME LANG LC_ALL TZ TERM USER)"},
    CLI_SERVER_OPTIONS,
};

static enum rc read_list(const struct args *a, const char *name, const char **out, size_t max, struct err *e)
{
    size_t count = 0;
    const char *text;
    while ((text = args_nth(a, name, count)) != NULL) {
        if (count == max) {
            return err_set(e, RC_LIMIT, "option --%s: at most %zu", name, max);
        }
        out[count++] = text;
    }
    out[count] = NULL;
    return RC_OK;
}

/* An option, or the environment that the agent's host sets; null when neither says anything. */
static const char *said(const struct args *a, const char *option, const char *variable)
{
    const char *text = args_text(a, option);
    text = text != NULL ? text : getenv(variable);
    return text != NULL && text[0] != '\0' ? text : NULL;
}

/* A person at a terminal, and a reason: a script breaks no glass. */
static enum rc read_break_glass(const struct args *a, struct run_options *o, struct err *e)
{
    const char *reason = args_text(a, "reason");
    if (!args_flag(a, "break-glass")) {
        return reason == NULL ? RC_OK : err_set(e, RC_INVALID, "--reason goes with --break-glass");
    }
    if (reason == NULL || str_trim(str_from(reason)).len == 0) {
        return err_set(e, RC_INVALID, "--break-glass needs --reason TEXT");
    }
    if (isatty(STDIN_FILENO) != 1) {
        return err_set(e, RC_INVALID, "--break-glass is for a person at a terminal");
    }
    o->break_glass = reason;
    return RC_OK;
}

static enum rc read_run(const struct args *a, struct run_options *o, struct err *e)
{
    int64_t wait_s = 0;
    *o = (struct run_options){.command = {.argv = a->rest, .stdin_file = args_text(a, "stdin")},
                              .agent = args_text(a, "agent"),
                              .service = args_text(a, "service"),
                              .tool = args_text(a, "tool"),
                              .intent = args_text(a, "intent"),
                              .model = said(a, "model", "PAWL_MODEL"),
                              .prompt_version = said(a, "prompt-version", "PAWL_PROMPT_VERSION"),
                              .wants_person = args_text(a, "ask-person"),
                              .result_file = args_text(a, "result"),
                              .no_wait = args_flag(a, "no-wait")};
    /* Without the mark, an option of the command could be taken for ours. */
    if (!a->ended || a->rest_before > 0 || a->rest_count == 0) {
        return err_set(e, RC_INVALID, "expected -- COMMAND [ARG]...");
    }
    enum rc rc = args_number(a, "wait", 0, 7 * 86400, &wait_s, e);
    rc = rc == RC_OK ? read_list(a, "input", o->command.inputs, INVOCATION_INPUTS_MAX, e) : rc;
    rc = rc == RC_OK ? read_break_glass(a, o, e) : rc;
    rc = rc == RC_OK ? read_list(a, "env", o->command.env, INVOCATION_ENV_MAX, e) : rc;
    o->wait_ms = wait_s * 1000;
    return rc;
}

static int run_run(const struct args *a)
{
    struct run_options options;
    struct client_options where = {args_text(a, "url"), args_text(a, "token-file")};
    struct client client;
    struct err e;
    if (read_run(a, &options, &e) != RC_OK) {
        return cli_usage(&e);
    }
    if (client_init(&where, &client, &e) != RC_OK) {
        cli_error(&e);
        return RUN_REFUSED;
    }
    int code = run_command(&client, &options);
    client_done(&client);
    return code;
}

/* --- hook --------------------------------------------------------------------------------------- */

static const struct option hook_option_table[] = {
    {"headless", 0, OPTION_FLAG, NULL, "nobody is at the host: an escalation defers the call"},
    {"agent", 0, OPTION_TEXT, "A", "the agent that acts; must be the credential's"},
    {"model", 0, OPTION_TEXT, "M", "the model that acts, as it is registered (PAWL_MODEL)"},
    {"prompt-version", 0, OPTION_TEXT, "P", "the version of its prompt and tools (PAWL_PROMPT_VERSION)"},
    {"config", 0, OPTION_TEXT, "FILE", "the server's configuration, which no agent may touch (PAWL_CONFIG)"},
    {"data", 0, OPTION_TEXT, "DIR", "the server's data folder, which no agent may touch"},
    {"settings", 0, OPTION_TEXT, "FILE", "the host's settings (~/.claude/settings.json)"},
    {"install", 0, OPTION_FLAG, NULL, "put the hook into the settings, keeping what is there"},
    {"print", 0, OPTION_FLAG, NULL, "with --install: print the lines instead"},
    CLI_SERVER_OPTIONS,
};

static int run_hook(const struct args *a)
{
    struct err e;
    struct hook_options options = {.client = {args_text(a, "url"), args_text(a, "token-file")},
                                   .agent = args_text(a, "agent"),
                                   .model = said(a, "model", "PAWL_MODEL"),
                                   .prompt_version = said(a, "prompt-version", "PAWL_PROMPT_VERSION"),
                                   .config = args_text(a, "config"),
                                   .data = args_text(a, "data"),
                                   .settings = args_text(a, "settings"),
                                   .headless = args_flag(a, "headless")};
    if (args_expect(a, 0, 0, "no words", &e) != RC_OK) {
        return cli_usage(&e);
    }
    if (!args_flag(a, "install")) {
        return hook_claude_code(&options);
    }
    return hook_install(&options, args_flag(a, "print"), &e) == RC_OK ? CLI_OK : cli_failed(&e);
}

const struct command door_commands[] = {
    {"run", "-- COMMAND [ARG]...", "run one command, if and when the gate lets it", run_option_table,
     COUNT(run_option_table), run_run,
     "Exit code: the command's own (128+N when signal N ended it); without running it 20 advise, 21 hold,\n"
     "22 escalate or nobody answered, 23 denied or rejected, 24 the server can't be reached or refused,\n"
     "126 or 127 when the command can't be run or found, 2 wrong usage. --result tells them apart for sure."},
    {"hook claude-code", "", "answer one call of Claude Code's hooks from standard input", hook_option_table,
     COUNT(hook_option_table), run_hook,
     "Silence lets the tool run; everything else denies it, failures included. Wrong usage exits 2, which\n"
     "denies as well."},
    {0},
};
