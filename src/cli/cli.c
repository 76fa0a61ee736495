/*
 * cli/cli - finds the command, gives help, says errors.
 */
#include "cli/cli.h"

#include "client/untrusted.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *title;
    const struct command *commands;
} families[] = {
    {"The server", server_commands},      {"Running under the gate", door_commands},
    {"Asking the gate", check_commands},  {"Changes", diff_commands},
    {"The scope of a change", scope_commands}, {"Measuring scopes", bench_scope_commands},
    {"The policy", policy_commands},      {"Rules", rule_commands},
    {"Trying a policy", backtest_commands}, {"Trying a request", simulate_commands},
    {"Signed policies", bundle_commands},
    {"Approvals", approval_commands},     {"Stopping", stop_commands},
    {"Trust", conduct_commands},          {"Keeping", backup_commands},
    {"Looking", list_commands},
    {"As it happens", watch_commands},    {"The ledger", log_commands},
    {"Proofs", ledger_commands},
    {"Credentials", token_commands},      {"The graph", graph_commands},
    {"Feeding the graph", graph_import_commands}, {"Causes", cause_commands},
    {"Measuring causes", bench_rca_commands}, {"Care", doctor_commands},
};

enum { FAMILIES = sizeof families / sizeof *families };

const char *cli_config_path(const struct args *a)
{
    const char *given = args_text(a, "config");
    const char *set = getenv("PAWL_CONFIG");
    return given != NULL ? given : set != NULL && set[0] != '\0' ? set : "pawl.yaml";
}

/* --- errors ------------------------------------------------------------------------------------- */

void cli_error(const struct err *e)
{
    struct buf text;
    buf_init(&text, 16384);
    buf_str(&text, STR("pawl: "));
    if (e->where[0] != '\0') {
        untrusted_cell(&text, str_from(e->where));
        buf_str(&text, STR(": "));
    }
    untrusted_cell(&text, str_from(e->text));
    fprintf(stderr, "%.*s\n", STR_ARG(buf_view(&text)));
    buf_done(&text);
}

int cli_usage(const struct err *e)
{
    cli_error(e);
    return CLI_USAGE;
}

int cli_failed(const struct err *e)
{
    cli_error(e);
    return CLI_FAILED;
}

/* --- help --------------------------------------------------------------------------------------- */

static void list_all(FILE *to)
{
    fputs("Pawl: a gate between AI agents and production.\n\n"
          "  pawl COMMAND [OPTIONS] [WORDS]\n  pawl help COMMAND\n  pawl --version\n",
          to);
    for (size_t i = 0; i < FAMILIES; i++) {
        fprintf(to, "\n%s\n", families[i].title);
        for (const struct command *c = families[i].commands; c->name != NULL; c++) {
            fprintf(to, "  %-18s %s\n", c->name, c->help);
        }
    }
}

static void show_command(const struct command *c)
{
    printf("pawl %s%s%s%s\n\n%s.\n", c->name, c->option_count > 0 ? " [OPTIONS]" : "",
           c->words[0] == '\0' ? "" : " ", c->words, c->help);
    for (size_t i = 0; i < c->option_count; i++) {
        const struct option *o = &c->options[i];
        char left[64];
        snprintf(left, sizeof left, "%s%c%s--%s%s%s", o->letter != 0 ? "-" : " ",
                 o->letter != 0 ? o->letter : ' ', o->letter != 0 ? ", " : "  ", o->name,
                 o->value != NULL ? " " : "", o->value != NULL ? o->value : "");
        printf("%s  %-30s %s%s\n", i == 0 ? "\n" : "", left, o->help,
               o->kind == OPTION_TEXTS ? "; may be repeated" : "");
    }
    if (c->more != NULL) {
        printf("\n%s\n", c->more);
    }
}

/* --- finding ------------------------------------------------------------------------------------ */

/* The number of words of the name that are there: 0 for another command. */
static int named(const struct command *c, int count, char *const *words)
{
    struct str rest = str_from(c->name);
    struct str word;
    int used = 0;
    while (str_next(&rest, ' ', &word)) {
        if (used == count || !str_eq(str_from(words[used]), word)) {
            return 0;
        }
        used++;
    }
    return used;
}

/* The longest name that fits: "actions show" before "actions". */
static const struct command *find(int count, char *const *words, int *ret_used)
{
    const struct command *found = NULL;
    *ret_used = 0;
    for (size_t i = 0; i < FAMILIES; i++) {
        for (const struct command *c = families[i].commands; c->name != NULL; c++) {
            int used = named(c, count, words);
            if (used > *ret_used) {
                *ret_used = used;
                found = c;
            }
        }
    }
    return found;
}

/* The commands that begin with a word: for "pawl token". */
static bool suggest(const char *word)
{
    bool any = false;
    size_t len = strlen(word);
    for (size_t i = 0; i < FAMILIES; i++) {
        for (const struct command *c = families[i].commands; c->name != NULL; c++) {
            if (len > 0 && strncmp(c->name, word, len) == 0) {
                fprintf(stderr, "%s pawl %s", any ? "," : "pawl: did you mean", c->name);
                any = true;
            }
        }
    }
    fputs(any ? "?\n" : "pawl: see pawl help\n", stderr);
    return any;
}

static int unknown(const char *word)
{
    struct err e;
    (void)err_set(&e, RC_INVALID, "there is no command \"%.100s\"", word);
    cli_error(&e);
    suggest(word);
    return CLI_USAGE;
}

static int help(int count, char *const *words)
{
    if (count == 0) {
        list_all(stdout);
        return CLI_OK;
    }
    int used;
    const struct command *c = find(count, words, &used);
    if (c == NULL) {
        return unknown(words[0]);
    }
    show_command(c);
    return CLI_OK;
}

static int run(const struct command *c, int count, char *const *words)
{
    struct args args;
    struct err e;
    enum rc rc = args_parse(count, words, c->options, c->option_count, &args, &e);
    if (rc != RC_OK) {
        cli_error(&e);
        fprintf(stderr, "pawl: see pawl help %s\n", c->name);
        return CLI_USAGE;
    }
    return c->run(&args);
}

int cli_main(int argc, char **argv, const char *version)
{
    if (argc < 2) {
        list_all(stderr);
        return CLI_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "version") == 0) {
        printf("pawl %s\n", version);
        return CLI_OK;
    }
    if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        return help(argc - 2, argv + 2);
    }
    int used;
    const struct command *c = find(argc - 1, argv + 1, &used);
    if (c == NULL) {
        return unknown(argv[1]);
    }
    if (argc == 2 + used && (strcmp(argv[1 + used], "--help") == 0 || strcmp(argv[1 + used], "-h") == 0)) {
        show_command(c);
        return CLI_OK;
    }
    int code = run(c, argc - 1 - used, argv + 1 + used);
    if (fflush(stdout) != 0 && code == CLI_OK) {
        struct err e;
        (void)err_set(&e, RC_UNAVAILABLE, "the output can't be written");
        return cli_failed(&e);
    }
    return code;
}
