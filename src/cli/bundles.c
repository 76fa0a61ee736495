/*
 * cli/bundles - a policy signed into one file: keys, making, checking, bringing it into force.
 */
#include "cli/cli.h"
#include "cli/output.h"

#include "base/encode.h"
#include "client/untrusted.h"
#include "control/bundle.h"
#include "ledger/ledger.h"
#include "server/config.h"
#include "server/config_files.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/random.h"
#include "value/json.h"

#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static enum rc read_key(const char *path, struct signing_key **ret, struct err *e)
{
    uint8_t seed[ED25519_SEED_LEN];
    struct buf text;
    buf_init(&text, 4096);
    enum rc rc = file_check_private(path, e);
    rc = rc == RC_OK ? file_read(path, &text, e) : rc;
    if (rc == RC_OK && !hex_decode(str_trim(buf_view(&text)), seed, sizeof seed)) {
        rc = err_set(e, RC_INVALID, "%s: expected 64 hexadecimal digits", path);
    }
    rc = rc == RC_OK ? signing_key_new(seed, ret, e) : rc;
    wipe(seed, sizeof seed);
    wipe(text.data, text.len);
    buf_done(&text);
    return rc;
}

static void print_vkey(const struct signing_key *key, struct str name)
{
    uint8_t public_key[ED25519_PUBLIC_LEN];
    struct buf text;
    buf_init(&text, 4096);
    signing_key_public(key, public_key);
    vkey_write(&text, name, public_key);
    printf("%.*s\n", STR_ARG(buf_view(&text)));
    buf_done(&text);
}

static int run_key(const struct args *a)
{
    uint8_t seed[ED25519_SEED_LEN];
    char hex[2 * ED25519_SEED_LEN + 1];
    struct signing_key *key = NULL;
    struct err e;
    enum rc rc = args_expect(a, 1, 1, "the file that the key goes to", &e);
    if (rc == RC_OK && args_text(a, "name") == NULL) {
        rc = err_set(&e, RC_INVALID, "expected --name NAME: who signs with it");
    }
    if (rc != RC_OK) {
        return cli_usage(&e);
    }
    if (file_exists(a->rest[0])) {
        (void)err_set(&e, RC_CONFLICT, "%s is there already", a->rest[0]);
        return cli_failed(&e);
    }
    random_bytes(seed, sizeof seed);
    hex_encode(seed, sizeof seed, hex);
    hex[sizeof hex - 1] = '\n';
    rc = file_write_atomic(a->rest[0], (struct str){hex, sizeof hex}, 0600, &e);
    rc = rc == RC_OK ? signing_key_new(seed, &key, &e) : rc;
    wipe(seed, sizeof seed);
    wipe(hex, sizeof hex);
    if (rc != RC_OK) {
        return cli_failed(&e);
    }
    print_vkey(key, str_from(args_text(a, "name")));
    signing_key_free(key);
    return CLI_OK;
}

static enum rc make_bundle(const struct args *a, struct buf *out, struct err *e)
{
    struct config config;
    struct signing_key *key = NULL;
    enum rc rc = config_load(cli_config_path(a), &config, e);
    if (rc != RC_OK) {
        return rc;
    }
    rc = read_key(args_text(a, "key"), &key, e);
    const struct bundle_signer signer = {key, str_from(args_text(a, "name")), str_from(args_text(a, "author")), clock_wall_ms()};
    rc = rc == RC_OK ? policy_bundle_write(out, config.policy, &signer, e) : rc;
    signing_key_free(key);
    config_done(&config);
    return rc;
}

static int run_bundle(const struct args *a)
{
    static const char *const needed[] = {"key", "name", "author"};
    struct err e;
    enum rc rc = args_expect(a, 1, 1, "the file that the bundle goes to", &e);
    for (size_t i = 0; rc == RC_OK && i < COUNT(needed); i++) {
        rc = args_text(a, needed[i]) == NULL ? err_set(&e, RC_INVALID, "expected --%s", needed[i]) : RC_OK;
    }
    if (rc != RC_OK) {
        return cli_usage(&e);
    }
    struct buf out;
    buf_init(&out, 2 * POLICY_TEXT_MAX);
    rc = make_bundle(a, &out, &e);
    rc = rc == RC_OK ? file_write_atomic(a->rest[0], buf_view(&out), 0644, &e) : rc;
    buf_done(&out);
    return rc == RC_OK ? CLI_OK : cli_failed(&e);
}

static enum rc read_bundle(struct arena *a, const char *path, struct value *ret, struct err *e)
{
    struct str text;
    enum rc rc = config_file_read(a, path, &text, e);
    return rc == RC_OK ? json_parse(a, text, ret, e) : rc;
}

static int run_verify(const struct args *a)
{
    CLEANUP(arena) struct arena *arena = arena_new(POLICY_ARENA_MAX);
    struct policy_bundle bundle;
    struct value v;
    struct err e;
    enum rc rc = args_expect(a, 1, 1, "a bundle", &e);
    if (rc == RC_OK && args_text(a, "key") == NULL) {
        rc = err_set(&e, RC_INVALID, "expected --key VKEY: the verifier key of who may sign");
    }
    if (rc != RC_OK || arena == NULL) {
        return cli_usage(&e);
    }
    const struct str vkey = str_from(args_text(a, "key"));
    const struct str_list vkeys = {&vkey, 1};
    rc = read_bundle(arena, a->rest[0], &v, &e);
    rc = rc == RC_OK ? policy_bundle_open(&v, &vkeys, &bundle, &e) : rc;
    if (rc != RC_OK) {
        return cli_failed(&e);
    }
    printf("ok\npolicy %.*s\nauthor ", STR_ARG(bundle.hash));
    struct buf out;
    buf_init(&out, 4096);
    untrusted_cell(&out, bundle.author);
    output_buf(&out);
    buf_done(&out);
    printf("\nmade at %.*s\nrules %u\n", STR_ARG(bundle.created), bundle.policy->rule_count);
    policy_free(bundle.policy);
    return CLI_OK;
}

static int run_load(const struct args *a)
{
    CLEANUP(arena) struct arena *arena = arena_new(POLICY_ARENA_MAX);
    struct value v;
    struct err e;
    if (args_expect(a, 1, 1, "a bundle", &e) != RC_OK || arena == NULL) {
        return cli_usage(&e);
    }
    return read_bundle(arena, a->rest[0], &v, &e) == RC_OK ? cli_post_policy(a, "/v1/policy", &v) : cli_failed(&e);
}

static const struct option key_options[] = {{"name", 0, OPTION_TEXT, "NAME", "who signs with it, without blanks and +"}};
static const struct option bundle_options[] = {
    {"config", 'c', OPTION_TEXT, "FILE", "the configuration, with rules/ beside it (PAWL_CONFIG, else pawl.yaml)"},
    {"key", 0, OPTION_TEXT, "FILE", "the private key: pawl policy key"},
    {"name", 0, OPTION_TEXT, "NAME", "the key's name"},
    {"author", 0, OPTION_TEXT, "TEXT", "who made the policy"},
};
static const struct option verify_options[] = {{"key", 0, OPTION_TEXT, "VKEY", "the verifier key of who may sign"}};
static const struct option load_options[] = {CLI_SERVER_OPTIONS};

#define OPTIONS(list) list, COUNT(list)

const struct command bundle_commands[] = {
    {"policy key", "FILE", "make a key to sign bundles with, and print its verifier key", OPTIONS(key_options), run_key, NULL},
    {"policy bundle", "FILE", "sign the policy of a configuration into one file", OPTIONS(bundle_options), run_bundle, NULL},
    {"policy verify", "FILE", "check a bundle: who signed it, and that it is whole", OPTIONS(verify_options), run_verify, NULL},
    {"policy load", "FILE", "bring a signed bundle into force", OPTIONS(load_options), run_load, NULL},
    {0},
};
