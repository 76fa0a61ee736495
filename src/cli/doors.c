/*
 * cli/doors - the words of `pawl run`.
 */
#include "cli/cli.h"
#include "doors/run.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct option run_option_table[] = {
    {"agent", 0, OPTION_TEXT, "A", "the agent that acts; must be the credential's"},
    {"service", 0, OPTION_TEXT, "S", "claim: the service it touches"},
    {"tool", 0, OPTION_TEXT, "T", "claim: the tool of the catalogue"},
    {"intent", 0, OPTION_TEXT, "TEXT", "why, in the agent's words"},
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

static enum rc read_run(const struct args *a, struct run_options *o, struct err *e)
{
    int64_t wait_s = 0;
    *o = (struct run_options){.command = {.argv = a->rest, .stdin_file = args_text(a, "stdin")},
                              .agent = args_text(a, "agent"),
                              .service = args_text(a, "service"),
                              .tool = args_text(a, "tool"),
                              .intent = args_text(a, "intent"),
                              .result_file = args_text(a, "result"),
                              .no_wait = args_flag(a, "no-wait")};
    /* Without the mark, an option of the command could be taken for ours. */
    if (!a->ended || a->rest_before > 0 || a->rest_count == 0) {
        return err_set(e, RC_INVALID, "expected -- COMMAND [ARG]...");
    }
    enum rc rc = args_number(a, "wait", 0, 7 * 86400, &wait_s, e);
    rc = rc == RC_OK ? read_list(a, "input", o->command.inputs, INVOCATION_INPUTS_MAX, e) : rc;
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

const struct command door_commands[] = {
    {"run", "-- COMMAND [ARG]...", "run one command, if and when the gate lets it", run_option_table,
     COUNT(run_option_table), run_run,
     "Exit code: the command's own (128+N when signal N ended it); without running it 20 advise, 21 hold,\n"
     "22 escalate or nobody answered, 23 denied or rejected, 24 the server can't be reached or refused,\n"
     "126 or 127 when the command can't be run or found, 2 wrong usage. --result tells them apart for sure."},
    {0},
};
