/*
 * cli/server_commands - a new data folder, the server, its configuration.
 */
#include "cli/cli.h"

#include "base/encode.h"
#include "crypto/crypto.h"
#include "server/server.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* --- init --------------------------------------------------------------------------------------- */

static const struct option init_options[] = {
    {"data", 0, OPTION_TEXT, "DIR", "the data folder to make"},
    {"origin", 0, OPTION_TEXT, "NAME", "the log's name in checkpoints (pawl.local/<hostname>)"},
    {"admin", 0, OPTION_TEXT, "PERSON", "who holds the first token (admin)"},
};

static void default_origin(char *out, size_t size)
{
    char host[HOST_NAME_MAX + 1] = "localhost";
    (void)!gethostname(host, sizeof host - 1);
    snprintf(out, size, "pawl.local/%s", host);
}

static int run_init(const struct args *a)
{
    struct err e;
    if (args_expect(a, 0, 0, "no words", &e) != RC_OK) {
        return cli_usage(&e);
    }
    char host[512];
    default_origin(host, sizeof host);
    const char *origin = args_text(a, "origin");
    const char *admin = args_text(a, "admin");
    struct init_options options = {.folder = args_text(a, "data"),
                                   .origin = str_from(origin == NULL ? host : origin),
                                   .admin = str_from(admin == NULL ? "admin" : admin)};
    if (options.folder == NULL) {
        (void)err_set(&e, RC_INVALID, "expected --data DIR");
        return cli_usage(&e);
    }
    char secret[96];
    if (server_init(&options, secret, &e) != RC_OK) {
        return cli_failed(&e);
    }
    printf("%s\n", secret);
    wipe(secret, sizeof secret);
    fprintf(stderr, "pawl: made %s. The line on standard output is the token of %s: it is shown this once.\n",
            options.folder, options.admin.ptr);
    return CLI_OK;
}

/* --- serve, check-config ------------------------------------------------------------------------ */

static const struct option serve_options[] = {
    {"config", 0, OPTION_TEXT, "FILE", "the configuration (PAWL_CONFIG, else pawl.yaml)"},
};

static int run_serve(const struct args *a)
{
    struct err e;
    return args_expect(a, 0, 0, "no words", &e) == RC_OK ? server_run(cli_config_path(a)) : cli_usage(&e);
}

static int run_check_config(const struct args *a)
{
    struct err e;
    struct config config;
    if (args_expect(a, 0, 1, "FILE", &e) != RC_OK) {
        return cli_usage(&e);
    }
    const char *path = a->rest_count == 1 ? a->rest[0] : cli_config_path(a);
    if (config_load(path, &config, &e) != RC_OK) {
        return cli_failed(&e);
    }
    struct buf text;
    buf_init(&text, POLICY_TEXT_MAX);
    policy_write(&text, config.policy);
    struct digest digest = sha256(buf_view(&text));
    char hex[2 * SHA256_LEN + 1] = {0};
    hex_encode(digest.bytes, SHA256_LEN, hex);
    bool whole = text.rc == RC_OK;
    buf_done(&text);
    config_done(&config);
    if (!whole) {
        (void)err_set(&e, RC_LIMIT, "%s: the policy is too large", path);
        return cli_failed(&e);
    }
    printf("ok\npolicy sha256:%s\n", hex);
    return CLI_OK;
}

const struct command server_commands[] = {
    {"init", "", "make a data folder, its keys and the first admin's token", init_options,
     COUNT(init_options), run_init, NULL},
    {"serve", "", "run the server until SIGTERM", serve_options, COUNT(serve_options), run_serve, NULL},
    {"check-config", "[FILE]", "read a configuration as serve does, and say its policy's hash",
     serve_options, COUNT(serve_options), run_check_config, NULL},
    {0},
};
