/*
 * bench/fill - a ledger of a given size, made by the use cases themselves.
 *
 *     fill CONFIG ACTIONS [decided]
 *
 * The data folder is the configuration's, made by `pawl init`. Each action leaves ten entries: decided,
 * committed, seven heartbeats, finished. Ends once a snapshot over all of them is stored, which takes up to
 * a minute more. Or the first of them only: a decision a second by a clock of its own, from now on, and no
 * snapshot. Prints one JSON line.
 */
#include "base/encode.h"
#include "control/control.h"
#include "server/config.h"
#include "server/folder.h"
#include "server/ports.h"
#include "sys/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    HEARTBEATS = 7,
    BATCH = 800,            /* actions at once: their entries fit into the writer's queue */
    SNAPSHOT_WAIT_S = 120,  /* one is made a minute after the one before */
};

struct fill {
    struct server_ports real; /* first: what the ports are given */
    bool decided_only;
    int64_t wall_ms; /* of decisions only: a clock that goes on by a second for each */
    struct config config;
    struct control *control;
};

static void check(enum rc rc, const struct err *e)
{
    if (rc != RC_OK) {
        fprintf(stderr, "fill: %s %s\n", e->where, e->text);
        exit(1);
    }
}

static int64_t made_wall_ms(void *context)
{
    return ((const struct fill *)context)->wall_ms;
}

static int64_t made_elapsed_us(void *context)
{
    return made_wall_ms(context) * 1000;
}

/* The real ones, with another clock where decisions only are made. */
static struct ports ports_of(struct fill *f)
{
    struct ports ports = server_ports(&f->real);
    if (f->decided_only) {
        f->wall_ms = clock_wall_ms();
        ports.wall_ms = made_wall_ms;
        ports.elapsed_ms = made_wall_ms;
        ports.elapsed_us = made_elapsed_us;
    }
    return ports;
}

static void wake(void *context)
{
    (void)context;
}

static void wait_a_moment(struct fill *f)
{
    nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
    control_durable_changed(f->control);
}

static void wait_until_stored(struct fill *f)
{
    while (writer_durable(control_writer(f->control)) < world_next_seq(control_world(f->control))) {
        wait_a_moment(f);
    }
}

static struct principal agent_of(const struct fill *f, unsigned n)
{
    uint32_t count = world_agent_count(control_world(f->control));
    return (struct principal){.token = 1, .actor = "tok_1", .roles = ROLE_AGENT, .agent = n % count};
}

static uint64_t propose(struct fill *f, struct arena *a, unsigned n)
{
    struct principal p = agent_of(f, n);
    struct err e;
    struct idempotency_key none = {0};
    struct value given = value_object();
    value_add_int(a, &given, STR("n"), n);
    struct request q = {.claimed_tool = STR("scale"),
                        .given = &given,
                        .author_type = STR("ai"),
                        .agent = str_from(world_agent_at(control_world(f->control), p.agent)->name),
                        .intent = STR("shift traffic away from a server that answers slowly")};
    static struct decided d;
    check(control_propose(f->control, a, &p, &q, &none, &d, &e), &e);
    return d.action;
}

static void execute(struct fill *f, struct arena *a, unsigned n, uint64_t id)
{
    struct control *c = f->control;
    struct principal p = agent_of(f, n);
    struct err e;
    const struct action *action = world_action(control_world(c), id);
    char hex[2 * ENTRY_DIGEST_LEN + 1] = {0};
    hex_encode(action->digest, ENTRY_DIGEST_LEN, hex);
    struct str nonce = arena_printf(a, "executor-%016x", n);
    static struct decided d;
    struct grant grant;
    enum release release;
    check(control_commit(c, a, &p, id, nonce, arena_printf(a, "sha256:%s", hex), &release, &d, &grant, &e), &e);
    bool cancel;
    for (int i = 0; i < HEARTBEATS; i++) {
        check(control_heartbeat(c, a, &p, id, nonce, &cancel, &e), &e);
    }
    struct outcome done = {true, NULL};
    check(control_outcome(c, a, &p, id, nonce, &done, &e), &e);
}

/* A commit reads its decision back, so it must be stored by then. */
static void feed_budgets(struct fill *f, struct arena *a)
{
    struct err e;
    for (uint32_t i = 0; i < f->config.policy->service_count; i++) {
        check(control_sli(f->control, a, STR("system"), f->config.policy->services[i].name,
                          control_now(f->control) / 10000 * 10000, 1000, 1000, &e), &e);
    }
}

static void fill(struct fill *f, unsigned actions)
{
    struct arena *a = arena_new(16 << 20);
    static uint64_t ids[BATCH];
    for (unsigned first = 0; first < actions; first += BATCH) {
        unsigned count = actions - first < BATCH ? actions - first : BATCH;
        int64_t next;
        for (unsigned i = 0; i < count; i++) {
            arena_reset(a);
            ids[i] = propose(f, a, first + i);
            f->wall_ms += SECOND_MS;
        }
        wait_until_stored(f);
        for (unsigned i = 0; i < count && !f->decided_only; i++) {
            arena_reset(a);
            execute(f, a, first + i, ids[i]);
        }
        wait_until_stored(f);
        control_tick(f->control, &next);
        if (f->decided_only) {
            arena_reset(a);
            feed_budgets(f, a);
        }
    }
    arena_free(a);
}

static uint64_t newest_snapshot(struct fill *f)
{
    uint64_t at = 0;
    struct err e;
    return store_newest_snapshot(control_reader(f->control), &at, &e) == RC_OK ? at : 0;
}

static void wait_for_snapshot(struct fill *f)
{
    uint64_t from = world_next_seq(control_world(f->control));
    for (int i = 0; i < SNAPSHOT_WAIT_S * 50 && newest_snapshot(f) + 1 < from; i++) {
        int64_t next;
        control_tick(f->control, &next);
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
        control_durable_changed(f->control);
    }
}

static void start(struct fill *f, const char *config, struct file_lock **lock, struct signing_key **key)
{
    static char folder[FILE_PATH_MAX];
    static char checkpoint[FILE_PATH_MAX];
    struct err e;
    check(config_load(config, &f->config, &e), &e);
    snprintf(folder, sizeof folder, "%.*s", STR_ARG(f->config.server.data));
    snprintf(checkpoint, sizeof checkpoint, "%.4000s.checkpoint", folder);
    check(folder_open(folder, lock, key, &e), &e);
    struct control_options options = {.folder = folder,
                                      .checkpoint_file = checkpoint,
                                      .key = *key,
                                      .ports = ports_of(f),
                                      .wake = wake,
                                      .checkpoint_ms = 200,
                                      .hash_seed = 1};
    check(control_start(&options, &f->control, &e), &e);
    CLEANUP(arena) struct arena *a = arena_new(POLICY_ARENA_MAX);
    check(control_load_policy(f->control, a, f->config.policy, &(struct policy_origin){.author = STR("bench")}, &e), &e);
    feed_budgets(f, a);
}

int main(int argc, char **argv)
{
    bool decided_only = argc == 4 && strcmp(argv[3], "decided") == 0;
    if (argc != 3 && !decided_only) {
        fprintf(stderr, "usage: fill CONFIG ACTIONS [decided]\n");
        return 2;
    }
    unsigned actions = (unsigned)strtoul(argv[2], NULL, 10);
    struct fill f = {.decided_only = decided_only};
    struct file_lock *lock = NULL;
    struct signing_key *key = NULL;
    start(&f, argv[1], &lock, &key);
    int64_t from = clock_monotonic_us();
    fill(&f, actions);
    double seconds = (double)(clock_monotonic_us() - from) / 1e6;
    if (!decided_only) {
        wait_for_snapshot(&f);
    }
    struct writer_counts counts = writer_counts(control_writer(f.control));
    printf("{\"entries\":%llu,\"seconds\":%.1f,\"bytes_per_entry\":%.0f,\"snapshot_at\":%llu}\n",
           (unsigned long long)world_next_seq(control_world(f.control)), seconds,
           (double)counts.bytes / (double)counts.entries, (unsigned long long)newest_snapshot(&f));
    control_stop(f.control);
    config_done(&f.config);
    signing_key_free(key);
    file_lock_free(lock);
    random_pool_done(&f.real.pool);
    return 0;
}
