/*
 * bench/append - durable appends per second through the writer, against the disk's own sync.
 *
 *     append [seconds per case] [folder]
 *
 * Entries have real sizes: a header of about 260 bytes, 32 of salt, a body of 700. A case keeps a fixed
 * number of entries outstanding, as that many waiting requests would. Prints one JSON line: for each
 * case entries per second, the time from push to durable (p50, p99) and entries per batch; and the raw
 * append of 4 KiB + fdatasync in the same folder before and after.
 */
#include "store/writer.h"
#include "sys/clock.h"
#include "sys/random.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    SAMPLES_MAX = 1 << 22,
    OUTSTANDING_MAX = 1024,
    RAW_SYNCS = 1000,
    BODY_LEN = 700,
};

struct samples {
    uint32_t *us;
    size_t count;
};

static void add_sample(struct samples *s, int64_t us)
{
    if (s->count < SAMPLES_MAX) {
        s->us[s->count++] = (uint32_t)us;
    }
}

static int compare_us(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static uint32_t percentile(struct samples *s, unsigned permille)
{
    qsort(s->us, s->count, sizeof *s->us, compare_us);
    return s->count == 0 ? 0 : s->us[(s->count - 1) * permille / 1000];
}

/* --- the disk by itself ------------------------------------------------------------------------------ */

static void bench_disk(const char *folder, const char *name, struct samples *s)
{
    char path[512];
    snprintf(path, sizeof path, "%s/raw", folder);
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);
    static char page[4096];
    s->count = 0;
    for (int i = 0; fd >= 0 && i < RAW_SYNCS; i++) {
        int64_t from = clock_monotonic_us();
        if (write(fd, page, sizeof page) != sizeof page || fdatasync(fd) != 0) {
            perror(path);
            exit(1);
        }
        add_sample(s, clock_monotonic_us() - from);
    }
    close(fd);
    unlink(path);
    uint32_t p50 = percentile(s, 500);
    printf("\"%s\":{\"p50_us\":%u,\"p99_us\":%u}", name, p50, percentile(s, 990));
}

/* --- through the writer ------------------------------------------------------------------------------ */

struct loop {
    pthread_mutex_t mutex;
    pthread_cond_t woken;
    bool awake;
    struct writer *writer;
    struct random_pool pool;
    uint64_t pushed;
    uint64_t done;
    int64_t pushed_us[OUTSTANDING_MAX]; /* by seq */
};

static void wake(void *context)
{
    struct loop *l = context;
    pthread_mutex_lock(&l->mutex);
    l->awake = true;
    pthread_cond_signal(&l->woken);
    pthread_mutex_unlock(&l->mutex);
}

static void await(struct loop *l)
{
    pthread_mutex_lock(&l->mutex);
    while (!l->awake) {
        pthread_cond_wait(&l->woken, &l->mutex);
    }
    l->awake = false;
    pthread_mutex_unlock(&l->mutex);
}

static void check(enum rc rc, const struct err *e)
{
    if (rc != RC_OK) {
        fprintf(stderr, "append: %s\n", e->text);
        exit(1);
    }
}

static void push(struct loop *l)
{
    static char body[BODY_LEN];
    snprintf(body, sizeof body, "{\"n\":%llu}", (unsigned long long)l->pushed);
    char action[ENTRY_ID_MAX];
    snprintf(action, sizeof action, "act_%llu", (unsigned long long)l->pushed);
    struct entry entry = {.v = 1,
                          .seq = l->pushed,
                          .time_ms = clock_wall_ms(),
                          .kind = ENTRY_ACTION_DECIDED,
                          .actor = STR("agt_1042"),
                          .refs = {str_from(action), STR("pol_17")},
                          .ref_count = 2};
    uint8_t salt[ENTRY_SALT_LEN];
    random_pool_take(&l->pool, salt, sizeof salt);
    struct err e;
    l->pushed_us[l->pushed % OUTSTANDING_MAX] = clock_monotonic_us();
    check(writer_push(l->writer, &entry, salt, (struct str){body, sizeof body}, NULL, 0, &e), &e);
    l->pushed++;
}

static void take_done(struct loop *l, struct samples *s)
{
    uint64_t durable = writer_durable(l->writer);
    int64_t now = clock_monotonic_us();
    while (l->done < durable) {
        add_sample(s, now - l->pushed_us[l->done % OUTSTANDING_MAX]);
        l->done++;
    }
}

static void bench_outstanding(struct loop *l, unsigned outstanding, double seconds, struct samples *s)
{
    s->count = 0;
    uint64_t first = l->pushed;
    struct writer_counts before = writer_counts(l->writer);
    int64_t from = clock_monotonic_us();
    int64_t until = from + (int64_t)(seconds * 1e6);
    while (clock_monotonic_us() < until) {
        while (l->pushed - l->done < outstanding) {
            push(l);
        }
        await(l);
        take_done(l, s);
    }
    while (l->done < l->pushed) {
        await(l);
        take_done(l, s);
    }
    double spent = (double)(clock_monotonic_us() - from) / 1e6;
    struct writer_counts after = writer_counts(l->writer);
    double entries = (double)(l->pushed - first);
    uint32_t p50 = percentile(s, 500);
    printf(",\"outstanding_%u\":{\"entries_per_s\":%.0f,\"p50_us\":%u,\"p99_us\":%u,\"entries_per_batch\":%.1f,"
           "\"append_us\":%.0f,\"bytes_per_entry\":%.0f}",
           outstanding, entries / spent, p50, percentile(s, 990),
           entries / (double)(after.batches - before.batches),
           (double)(after.syncs_us_total - before.syncs_us_total) / (double)(after.batches - before.batches),
           (double)(after.bytes - before.bytes) / entries);
}

static void bench_writer(const char *path, double seconds, struct samples *s)
{
    static struct loop l = {.mutex = PTHREAD_MUTEX_INITIALIZER, .woken = PTHREAD_COND_INITIALIZER};
    uint8_t seed[ED25519_SEED_LEN] = {1};
    struct err e;
    struct store *store = NULL;
    struct signing_key *key = NULL;
    check(store_open(path, STORE_CREATE, &store, &e), &e);
    store_close(store);
    check(signing_key_new(seed, &key, &e), &e);
    struct writer_options options = {
        .path = path, .origin = STR("pawl.example/bench"), .key = key, .checkpoint_ms = 200, .wake = wake, .context = &l};
    check(writer_start(&options, &l.writer, &e), &e);
    static const unsigned cases[] = {1, 8, 64, 256};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bench_outstanding(&l, cases[i], seconds, s);
    }
    writer_stop(l.writer);
    signing_key_free(key);
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? atof(argv[1]) : 2;
    char folder[300];
    snprintf(folder, sizeof folder, "%s/pawl-bench-XXXXXX", argc > 2 ? argv[2] : "/tmp");
    struct samples s = {.us = malloc(SAMPLES_MAX * sizeof *s.us)};
    if (s.us == NULL || mkdtemp(folder) == NULL) {
        perror("append");
        return 1;
    }
    char path[400];
    snprintf(path, sizeof path, "%s/ledger.db", folder);
    printf("{");
    bench_disk(folder, "fdatasync_before", &s);
    bench_writer(path, seconds, &s);
    printf(",");
    bench_disk(folder, "fdatasync_after", &s);
    printf("}\n");
    char command[400];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    free(s.us);
    return system(command) == 0 ? 0 : 1;
}
