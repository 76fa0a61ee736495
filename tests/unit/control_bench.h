/*
 * A control on a real ledger in a temporary folder, with a clock and random numbers of its own: what the tests of
 * its use cases share. Each test program has its own copy.
 */
#ifndef CONTROL_BENCH_H
#define CONTROL_BENCH_H

#include "check.h"

#include "base/must.h"
#include "control/control_internal.h"
#include "control/create.h"
#include "control/fold.h"
#include "value/json.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Not every program needs every shorthand. */
#pragma GCC diagnostic ignored "-Wunused-function"

#define START_MS 1800000000000LL

/* --- a disk that can be made to wait: stands before the C library's own ------------------------------------ */

static pthread_mutex_t disk = PTHREAD_MUTEX_INITIALIZER;

int fdatasync(int fd);
int fdatasync(int fd)
{
    pthread_mutex_lock(&disk);
    pthread_mutex_unlock(&disk);
    return (int)syscall(SYS_fdatasync, fd);
}

/* --- a control in a folder -------------------------------------------------------------------------------- */

struct bench {
    char folder[256];
    struct signing_key *key;
    struct control *c;
    struct arena *a;
    int64_t wall_ms;
    int64_t elapsed_ms;
    int64_t creep_ms; /* what each reading of the clock takes */
    int64_t blob_keep_ms;
    const struct redactor *redactor;
    uint8_t random;
    char stop_file[2048];
    bool stopped;
    unsigned reverts;      /* commands that were started */
    char reverted[512];    /* the newest one's words */
    bool refuse_to_revert; /* the next can't be started */
    unsigned asks;         /* invariants that were asked */
    char asked[512];       /* the newest one's words */
    enum command_start asking; /* what the next is answered */
    pthread_mutex_t mutex;
    pthread_cond_t woken;
    unsigned wakes;
    unsigned seen;
    struct principal admin;
    struct principal bot;
    struct principal cat;
    struct principal ann; /* owns bot */
    struct principal ben;
    struct err e;
};

static int64_t wall_ms(void *context)
{
    return ((struct bench *)context)->wall_ms;
}

static int64_t elapsed_ms(void *context)
{
    struct bench *b = context;
    b->elapsed_ms += b->creep_ms;
    b->wall_ms += b->creep_ms;
    return b->elapsed_ms;
}

static int64_t elapsed_us(void *context)
{
    return elapsed_ms(context) * 1000;
}

static void random_bytes(void *context, void *out, size_t len)
{
    struct bench *b = context;
    for (size_t i = 0; i < len; i++) {
        ((uint8_t *)out)[i] = b->random++;
    }
    b->random++; /* no two alike for a while */
}

static void stop_file(void *context, const char *reason)
{
    struct bench *b = context;
    b->stopped = reason != NULL;
    snprintf(b->stop_file, sizeof b->stop_file, "%s", reason == NULL ? "" : reason);
}

static enum command_start run_command_here(void *context, const struct command *command)
{
    struct bench *b = context;
    must(command->action != 0 && command->count > 0 && command->timeout_ms > 0);
    bool back = command->kind == COMMAND_REVERT;
    char *words = back ? b->reverted : b->asked;
    size_t room = back ? sizeof b->reverted : sizeof b->asked;
    if (back ? b->refuse_to_revert : b->asking != COMMAND_STARTED) {
        return back ? COMMAND_FAILED : b->asking;
    }
    *(back ? &b->reverts : &b->asks) += 1;
    words[0] = '\0';
    for (size_t i = 0; i < command->count; i++) {
        size_t used = strlen(words);
        snprintf(words + used, room - used, "%s%.*s", i == 0 ? "" : " ", STR_ARG(command->argv[i]));
    }
    return COMMAND_STARTED;
}

static void wake(void *context)
{
    struct bench *b = context;
    pthread_mutex_lock(&b->mutex);
    b->wakes++;
    pthread_cond_signal(&b->woken);
    pthread_mutex_unlock(&b->mutex);
}

static void await_wake(struct bench *b)
{
    pthread_mutex_lock(&b->mutex);
    while (b->wakes == b->seen) {
        pthread_cond_wait(&b->woken, &b->mutex);
    }
    b->seen = b->wakes;
    pthread_mutex_unlock(&b->mutex);
}

/* Time passes evenly. */
static void pass(struct bench *b, int64_t ms)
{
    b->wall_ms += ms;
    b->elapsed_ms += ms;
}

static void settle(struct bench *b)
{
    uint64_t seq = control_read_seq(b->c);
    b->seen = 0;
    while (writer_durable(control_writer(b->c)) < seq) {
        await_wake(b);
    }
    control_durable_changed(b->c);
}

static enum rc start(struct bench *b)
{
    struct control_options options = {
        .folder = b->folder,
        .key = b->key,
        .ports = {.wall_ms = wall_ms,
                  .elapsed_ms = elapsed_ms,
                  .elapsed_us = elapsed_us,
                  .random = random_bytes,
                  .stop_file = stop_file,
                  .run = run_command_here,
                  .context = b},
        .wake = wake,
        .wake_context = b,
        .checkpoint_ms = 60000,
        .blob_keep_ms = b->blob_keep_ms,
        .redactor = b->redactor,
        .hash_seed = (uint64_t)b->random,
    };
    return control_start(&options, &b->c, &b->e);
}

#define HERE(b) (control_world((b)->c))

static void load_policy(struct bench *b, const char *text)
{
    char json[8192];
    snprintf(json, sizeof json, "%s", text);
    for (char *c = json; *c != '\0'; c++) {
        *c = *c == '\'' ? '"' : *c;
    }
    struct policy *p = NULL;
    if (policy_parse(str_from(json), &p, &b->e) != RC_OK ||
        control_load_policy(b->c, b->a, p, &(struct policy_origin){.author = STR("ann")}, &b->e) != RC_OK) {
        print_error("%s: %s\n", b->e.where, b->e.text);
        fail();
    }
    policy_free(p);
}

static struct principal person(struct bench *b, unsigned roles, const char *name, const char *agent)
{
    char secret[96];
    uint64_t id;
    struct token_order order = {.roles = roles, .person = str_from(name), .agent = str_from(agent),
                                .services = (roles & ROLE_SOURCE) != 0 ? STR("*") : STR("")};
    struct principal p;
    assert_int_equal(control_token_create(b->c, b->a, NULL, &order, secret, &id, &b->e), RC_OK);
    assert_int_equal(control_authenticate(b->c, str_from(secret), &p, &b->e), RC_OK);
    assert_int_equal(p.token, id);
    p.person = arena_str(b->a, p.person); /* it outlives the world of now */
    p.services = arena_str(b->a, p.services);
    return p;
}

#define SLO "'slo':{'objective':99.9,'prometheus':{'ratio':'r'}}"
#define CATALOGUE                                                                                              \
    "'agents':[{'name':'bot','owner':'ann'},{'name':'cat','owner':'ben'}],"                                    \
    "'services':[{'name':'shop'," SLO "},{'name':'web','depends_on':['shop']}],"                               \
    "'tools':[{'name':'scale','class':'write','services':['shop'],'parameters':true},"                         \
    "{'name':'wipe','class':'destructive','services':['shop'],'parameters':true},"                             \
    "{'name':'look','class':'read','services':['shop'],'parameters':true}]"

static void set_budget_of(struct bench *b, const char *service, int64_t ppm)
{
    struct budget_signal *s = signals_budget(control_signals(b->c), world_service_find(HERE(b), str_from(service)));
    *s = (struct budget_signal){SIGNAL_KNOWN, ppm, control_now(b->c), ""};
}

static void set_budget(struct bench *b, int64_t ppm)
{
    set_budget_of(b, "shop", ppm);
}

static int make(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    assert_non_null(b);
    const char *tmp = getenv("TMPDIR");
    snprintf(b->folder, sizeof b->folder, "%s/pawl-control-XXXXXX", tmp != NULL ? tmp : "/tmp");
    assert_non_null(mkdtemp(b->folder));
    signal(SIGXFSZ, SIG_IGN);
    pthread_mutex_init(&b->mutex, NULL);
    pthread_cond_init(&b->woken, NULL);
    b->wall_ms = START_MS;
    b->elapsed_ms = 1000;
    b->a = arena_new(512 << 20);
    uint8_t seed[ED25519_SEED_LEN] = {1};
    assert_int_equal(signing_key_new(seed, &b->key, NULL), RC_OK);
    struct ports ports = {
        .wall_ms = wall_ms, .elapsed_ms = elapsed_ms, .random = random_bytes, .context = b};
    assert_int_equal(control_create(b->folder, STR("pawl.example/test"), b->key, &ports, &b->e), RC_OK);
    assert_int_equal(start(b), RC_OK);
    load_policy(b, "{" CATALOGUE "}");
    b->admin = person(b, ROLE_ADMIN | ROLE_RESPONDER, "eve", "");
    b->bot = person(b, ROLE_AGENT, "bot", "bot");
    b->cat = person(b, ROLE_AGENT, "cat", "cat");
    b->ann = person(b, ROLE_APPROVER, "ann", "");
    b->ben = person(b, ROLE_APPROVER, "ben", "");
    set_budget(b, PPM_ONE);
    *state = b;
    return 0;
}

static int drop(void **state)
{
    struct bench *b = *state;
    control_stop(b->c);
    signing_key_free(b->key);
    arena_free(b->a);
    pthread_mutex_destroy(&b->mutex);
    pthread_cond_destroy(&b->woken);
    char command[300];
    snprintf(command, sizeof command, "rm -rf '%s'", b->folder);
    assert_int_equal(system(command), 0);
    free(b);
    return 0;
}

/* --- shorthands ---------------------------------------------------------------------------------------------- */

static enum rc propose_as(struct bench *b, const struct principal *p, const char *tool, int64_t n, const char *person_wanted,
                          struct decided *ret)
{
    struct value *given = arena_alloc(b->a, sizeof *given);
    *given = value_object();
    value_add_int(b->a, given, STR("n"), n);
    struct request q = {.agent = p->person, .claimed_tool = str_from(tool), .given = given,
                        .wants_person = str_from(person_wanted)};
    return control_propose(b->c, b->a, p, &q, NULL, ret, &b->e);
}

static struct decided propose(struct bench *b, const char *tool, int64_t n, const char *person_wanted)
{
    struct decided d = {0};
    if (propose_as(b, &b->bot, tool, n, person_wanted, &d) != RC_OK) {
        print_error("%s\n", b->e.text);
        fail();
    }
    settle(b);
    return d;
}

static const struct action *act(struct bench *b, uint64_t id)
{
    const struct action *a = world_action(HERE(b), id);
    assert_non_null(a);
    return a;
}

static struct str digest_of(struct bench *b, uint64_t id)
{
    struct value v = value_object();
    value_add_hex(b->a, &v, STR("d"), STR("sha256:"), act(b, id)->digest, 32);
    return value_text(value_get(&v, STR("d")));
}

#define NONCE STR("0123456789abcdef")

struct committed {
    enum rc rc;
    enum release release;
    struct decided decided;
    struct grant grant;
};

static struct committed commit(struct bench *b, const struct principal *p, uint64_t id, struct str nonce)
{
    struct committed r = {.release = RELEASE_DENIED};
    r.rc = control_commit(b->c, b->a, p, id, nonce, digest_of(b, id), &r.release, &r.decided, &r.grant, &b->e);
    settle(b);
    return r;
}

static enum rc approve(struct bench *b, const struct principal *p, uint64_t id)
{
    struct approval approval = {digest_of(b, id), act(b, id)->decided_seq, 0};
    enum rc rc = control_approve(b->c, b->a, p, id, &approval, NULL, &b->e);
    settle(b);
    return rc;
}

static enum rc finish(struct bench *b, uint64_t id, struct str nonce)
{
    struct outcome o = {.succeeded = true};
    enum rc rc = control_outcome(b->c, b->a, &b->bot, id, nonce, &o, &b->e);
    settle(b);
    return rc;
}

static void check_error(struct bench *b, enum rc got, enum rc want, const char *text)
{
    if (got != want || strcmp(b->e.text, text) != 0) {
        print_error("got %s: %s\nwant %s: %s\n", rc_name(got), b->e.text, rc_name(want), text);
        fail();
    }
}

static enum rc hash_record(void *context, struct str record, struct err *e)
{
    (void)e;
    sha256_stream_put(context, record);
    return RC_OK;
}

static struct digest world_digest(struct bench *b)
{
    CLEANUP(sha256_stream) struct sha256_stream *hash = sha256_stream_new();
    assert_int_equal(world_save(HERE(b), hash_record, hash, &b->e), RC_OK);
    return sha256_stream_end(hash);
}

/* Ends and starts again: the world must be the one that was. */
static void restart(struct bench *b)
{
    settle(b);
    struct digest before = world_digest(b);
    control_stop(b->c);
    b->c = NULL;
    if (start(b) != RC_OK) {
        print_error("%s\n", b->e.text);
        fail();
    }
    struct digest after = world_digest(b);
    assert_true(digest_eq(&before, &after));
    set_budget(b, PPM_ONE);
}

static void tick(struct bench *b)
{
    int64_t next;
    control_tick(b->c, &next);
    assert_true(next > control_now(b->c));
    settle(b);
}

#endif
