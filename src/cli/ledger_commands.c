/*
 * cli/ledger_commands - `pawl verify` and `pawl prove`.
 */
#include "cli/cli.h"
#include "cli/output.h"
#include "base/instant.h"
#include "cli/verify.h"
#include "client/untrusted.h"
#include "sys/clock.h"
#include "sys/file.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* --- verify ------------------------------------------------------------------------------------- */

static void print_result(const struct args *a, const struct verify_result *r)
{
    int64_t per_s = r->duration_us > 0 ? (int64_t)(r->entries * 1000000 / (uint64_t)r->duration_us) : 0;
    double seconds = (double)r->duration_us / 1e6;
    bool deep = args_flag(a, "deep");
    if (!args_flag(a, "json")) {
        printf("ok\n%" PRIu64 " entries, %" PRIu64 " bytes, %" PRIu64 " full tiles, checkpoint over %" PRIu64
               " entries\n%.3f s, %" PRId64 " entries/s\n",
               r->entries, r->bytes, r->tiles, r->checkpoint_size, seconds, per_s);
        if (r->blobs + r->blobs_erased > 0) {
            printf("%" PRIu64 " large texts beside them, %" PRIu64 " erased by policy\n", r->blobs, r->blobs_erased);
        }
        if (deep) {
            printf("every entry applied again; %" PRIu64 " snapshots are what the entries before them make\n", r->snapshots);
        }
        return;
    }
    CLEANUP(arena) struct arena *arena = arena_new(1 << 16);
    struct value v = value_object();
    value_add_bool(arena, &v, STR("ok"), true);
    value_add_int(arena, &v, STR("entries"), (int64_t)r->entries);
    value_add_int(arena, &v, STR("bytes"), (int64_t)r->bytes);
    value_add_int(arena, &v, STR("tiles"), (int64_t)r->tiles);
    value_add_int(arena, &v, STR("erased"), (int64_t)r->erased);
    value_add_int(arena, &v, STR("blobs"), (int64_t)r->blobs);
    value_add_int(arena, &v, STR("blobs_erased"), (int64_t)r->blobs_erased);
    value_add_int(arena, &v, STR("checkpoint_size"), (int64_t)r->checkpoint_size);
    if (deep) {
        value_add_int(arena, &v, STR("snapshots"), (int64_t)r->snapshots);
    }
    value_add_hex(arena, &v, STR("root"), STR(""), r->root.bytes, sizeof r->root.bytes);
    value_add(arena, &v, STR("duration_s"), value_double(seconds));
    value_add_int(arena, &v, STR("entries_per_s"), per_s);
    output_json(&v);
}

static void print_receipt(const struct verified_receipt *r)
{
    char time[INSTANT_TEXT_LEN];
    struct buf text;
    buf_init(&text, OUTPUT_MAX);
    instant_format(r->entry.time_ms, time);
    buf_printf(&text, "ok\nentry %" PRIu64 " of ", r->entry.seq);
    untrusted_cell(&text, r->origin);
    buf_printf(&text, ", in the log of %" PRIu64 " entries\n%.*s %.*s by ", r->log_size, INSTANT_TEXT_LEN, time,
               STR_ARG(entry_kind_name(r->entry.kind)));
    untrusted_cell(&text, r->entry.actor);
    buf_str(&text, STR("\nbody "));
    untrusted_cell(&text, r->body);
    buf_char(&text, '\n');
    output_buf(&text);
    buf_done(&text);
}

static int verify_proof(const struct args *a)
{
    struct err e;
    const char *key = args_text(a, "key");
    if (key == NULL) {
        (void)err_set(&e, RC_INVALID, "--proof needs --key VKEY, the log's verifier key");
        return cli_usage(&e);
    }
    CLEANUP(arena) struct arena *arena = arena_new(OUTPUT_MAX);
    struct buf text;
    buf_init(&text, ENTRY_BODY_MAX * 4);
    struct verified_receipt receipt;
    enum rc rc = arena == NULL ? err_set(&e, RC_NO_MEMORY, "out of memory")
                               : file_read(args_text(a, "proof"), &text, &e);
    rc = rc == RC_OK ? verify_receipt(arena, buf_view(&text), str_from(key), &receipt, &e) : rc;
    if (rc == RC_OK) {
        print_receipt(&receipt);
    }
    buf_done(&text);
    return rc == RC_OK ? CLI_OK : cli_failed(&e);
}

static int run_verify(const struct args *a)
{
    struct err e;
    if (args_expect(a, 0, 0, "no words", &e) != RC_OK) {
        return cli_usage(&e);
    }
    if (args_text(a, "proof") != NULL) {
        return verify_proof(a);
    }
    const char *folder = args_text(a, "data");
    struct verify_options options = {.folder = folder == NULL ? "pawl-data" : folder,
                                     .against = args_text(a, "against"),
                                     .key = args_text(a, "key"),
                                     .deep = args_flag(a, "deep")};
    struct verify_result result;
    if (verify_folder(&options, &result, &e) != RC_OK) {
        return cli_failed(&e);
    }
    print_result(a, &result);
    return CLI_OK;
}

static const struct option verify_options[] = {
    {"data", 0, OPTION_TEXT, "DIR", "the data folder (pawl-data)"},
    {"against", 0, OPTION_TEXT, "FILE", "a checkpoint you kept: the log must still agree with it"},
    {"key", 0, OPTION_TEXT, "VKEY", "the verifier key you know; else the one in entry 0"},
    {"deep", 0, OPTION_FLAG, NULL, "also apply every entry again and compare the world with each snapshot"},
    {"proof", 0, OPTION_TEXT, "FILE", "check one receipt of pawl prove, without the log; needs --key"},
    CLI_JSON_OPTION,
};

/* --- prove -------------------------------------------------------------------------------------- */

enum { PROVE_WAIT_MS = 2000, PROVE_STEP_MS = 100 };

/* A checkpoint that covers the entry is signed a moment after it. */
static int ask_proof(struct session *s, const char *path)
{
    int64_t until = clock_boot_ms() + PROVE_WAIT_MS;
    enum rc rc = client_get(&s->client, s->arena, path, &s->answer, &s->e);
    while (rc == RC_CONFLICT && clock_boot_ms() < until) {
        nanosleep(&(struct timespec){.tv_nsec = PROVE_STEP_MS * 1000000L}, NULL);
        rc = client_get(&s->client, s->arena, path, &s->answer, &s->e);
    }
    return rc == RC_OK ? CLI_OK : session_failed(s);
}

static int run_prove(const struct args *a)
{
    struct session s;
    struct err e;
    uint64_t seq;
    if (args_expect(a, 1, 1, "SEQ", &e) != RC_OK) {
        return cli_usage(&e);
    }
    if (!str_to_u64(str_from(a->rest[0]), &seq)) {
        (void)err_set(&e, RC_INVALID, "expected the number of an entry");
        return cli_usage(&e);
    }
    int code = session_open(&s, a);
    if (code != CLI_OK) {
        return code;
    }
    char path[64];
    snprintf(path, sizeof path, "/v1/ledger/%" PRIu64 "/proof", seq);
    code = ask_proof(&s, path);
    const char *file = args_text(a, "output");
    if (code == CLI_OK && file == NULL) {
        fwrite(s.answer.text.ptr, 1, s.answer.text.len, stdout);
    } else if (code == CLI_OK && file_write_atomic(file, s.answer.text, 0644, &s.e) != RC_OK) {
        code = cli_failed(&s.e);
    }
    session_close(&s);
    return code;
}

static const struct option prove_options[] = {
    {"output", 'o', OPTION_TEXT, "FILE", "write the receipt there"},
    CLI_SERVER_OPTIONS,
};

const struct command ledger_commands[] = {
    {"verify", "", "hash the whole ledger again, or check one receipt", verify_options, COUNT(verify_options),
     run_verify, NULL},
    {"prove", "SEQ", "get an entry's receipt, which pawl verify --proof checks offline", prove_options,
     COUNT(prove_options), run_prove, NULL},
    {0},
};
