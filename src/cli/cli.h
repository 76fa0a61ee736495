/*
 * cli - the program `pawl`: a table of commands, one file per family.
 *
 * A command gets its parsed words and returns an exit code. What it prints for people goes to stdout,
 * what went wrong to stderr; text that others wrote is printed through client/untrusted only.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "cli/args.h"
#include "client/client.h"
#include "policy/verdict.h"

/* Exit codes. 20 to 24 are verdicts: what they mean stands in `pawl help run`. */
enum cli_exit {
    CLI_OK = 0,
    CLI_FAILED = 1,
    CLI_USAGE = 2,
    CLI_HOLD = 21,
    CLI_ESCALATE = 22,
    CLI_DENY = 23,
    CLI_UNREACHABLE = 24,
};

struct command {
    const char *name;  /* one to three words: "token create"; null ends a family */
    const char *words; /* what follows the options: "act_N"; "" for nothing */
    const char *help;  /* one line */
    const struct option *options;
    size_t option_count;
    int (*run)(const struct args *a);
    const char *more; /* further help, or null */
};

extern const struct command server_commands[];
extern const struct command check_commands[];
extern const struct command ledger_commands[];
extern const struct command token_commands[];
extern const struct command approval_commands[];
extern const struct command stop_commands[];
extern const struct command list_commands[];
extern const struct command log_commands[];
extern const struct command watch_commands[];
extern const struct command doctor_commands[];
extern const struct command door_commands[];
extern const struct command conduct_commands[];
extern const struct command policy_commands[];
extern const struct command rule_commands[];
extern const struct command simulate_commands[];
extern const struct command bundle_commands[];
extern const struct command backtest_commands[];
extern const struct command backup_commands[];
extern const struct command diff_commands[];
extern const struct command scope_commands[];
extern const struct command bench_scope_commands[];
extern const struct command graph_commands[];
extern const struct command graph_import_commands[];
extern const struct command cause_commands[];
extern const struct command bench_rca_commands[];

/* The whole program behind main(). */
int cli_main(int argc, char **argv, const char *version);

/* Prints "pawl: place: text" to stderr; what others wrote in it is escaped. */
void cli_error(const struct err *e);
/* The same, and the code for wrong usage. */
int cli_usage(const struct err *e);
/* The same, and the code for a failure. */
int cli_failed(const struct err *e);

/* The configuration that --config names, else PAWL_CONFIG, else pawl.yaml. */
const char *cli_config_path(const struct args *a);

/* The exit code that says it. */
int cli_verdict_code(enum verdict v);

/* --- commands that ask the server ------------------------------------------------------------- */

/* Every such command takes these options. */
#define CLI_SERVER_OPTIONS                                                                         \
    {"url", 0, OPTION_TEXT, "URL", "the server (PAWL_URL, else http://127.0.0.1:7411; unix:/path for a socket)"}, \
    {"token-file", 0, OPTION_TEXT, "FILE", "our credential (PAWL_TOKEN, PAWL_TOKEN_FILE, ~/.config/pawl/token)"}
#define CLI_JSON_OPTION {"json", 0, OPTION_FLAG, NULL, "print JSON"}

struct session {
    struct arena *arena;
    struct client client;
    struct answer answer; /* of the newest call */
    struct err e;
};

/* CLI_OK, or the exit code: then it was said on stderr and there is nothing to close. */
int session_open(struct session *s, const struct args *a);
void session_close(struct session *s);
/* Both: CLI_OK with s->answer filled in, or the exit code, said on stderr. body: null for none. */
int session_get(struct session *s, const char *path);
int session_post(struct session *s, const char *path, const struct value *body);
/* Says s->e and gives its exit code. */
int session_failed(struct session *s);
/* Walks the pages of a listing: all items under "items". The same result. */
int session_list(struct session *s, const char *path, struct value *ret_items);
/* A whole command: posts what brings a policy into force, and says which is now. */
int cli_post_policy(const struct args *a, const char *path, const struct value *body);
/* A whole command that takes no words: the listing as a table, or as JSON. */
struct column;
int cli_list(const struct args *a, const char *path, const struct column *columns, unsigned count);

#endif
