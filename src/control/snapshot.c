/*
 * control/snapshot - a worker's own fold of the stored entries, kept so that a start need not fold
 * everything.
 *
 * The worker opens the store for itself, builds the world up to an entry that is durable, and writes it
 * out as parts; the loop only starts it and hands the parts to the writer. The entry ledger.snapshot binds
 * the bytes; a snapshot without its entry, or with another digest, counts for nothing.
 */
#include "control/control_internal.h"
#include "control/fold.h"

#include "base/must.h"
#include "sys/thread.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { PARTS_MAX = 4096 };

enum rc snapshot_restore(struct control *c, struct store *s, struct world **ret, struct err *e)
{
    uint64_t size;
    enum rc rc = store_size(s, &size, e);
    return rc == RC_OK ? fold_restore(c->options.hash_seed, s, size, ret, &c->snapshot_seq, e) : rc;
}

struct fold_job {
    struct control *control; /* read only: path and seed */
    uint64_t at_seq;
    pthread_t thread;
    atomic_bool done;
    enum rc rc;
    struct str *parts;
    size_t part_count;
    struct buf part;
    struct sha256_stream *hash;
    struct digest digest;
    uint64_t bytes;
};

static enum rc end_part(struct fold_job *job, struct err *e)
{
    if (job->part.len == 0) {
        return RC_OK;
    }
    if (job->part_count == PARTS_MAX) {
        return err_set(e, RC_LIMIT, "the snapshot has more than %d parts", PARTS_MAX);
    }
    size_t len;
    char *bytes = buf_take(&job->part, &len);
    if (bytes == NULL) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    job->parts[job->part_count++] = (struct str){bytes, len};
    return RC_OK;
}

static enum rc put_bytes(struct fold_job *job, struct str bytes, struct err *e)
{
    sha256_stream_put(job->hash, bytes);
    job->bytes += bytes.len;
    while (bytes.len > 0) {
        struct str fits = str_slice(bytes, 0, STORE_PART_MAX - job->part.len);
        buf_str(&job->part, fits);
        bytes = str_slice(bytes, fits.len, bytes.len);
        if (job->part.len == STORE_PART_MAX) {
            enum rc rc = end_part(job, e);
            if (rc != RC_OK) {
                return rc;
            }
        }
    }
    return job->part.rc;
}

static enum rc put_record(void *context, struct str record, struct err *e)
{
    enum rc rc = put_bytes(context, record, e);
    return rc == RC_OK ? put_bytes(context, STR("\n"), e) : rc;
}

static enum rc build(struct fold_job *job)
{
    struct store *s = NULL;
    struct err e;
    enum rc rc = store_open(job->control->path, STORE_READ, &s, &e);
    if (rc != RC_OK) {
        return rc;
    }
    CLEANUP(world) struct world *w = NULL;
    uint64_t from;
    rc = fold_restore(job->control->options.hash_seed, s, job->at_seq + 1, &w, &from, &e);
    rc = rc == RC_OK ? world_save(w, put_record, job, &e) : rc;
    rc = rc == RC_OK ? end_part(job, &e) : rc;
    store_close(s);
    if (rc == RC_OK) {
        job->digest = sha256_stream_end(job->hash);
    }
    return rc;
}

static void *job_main(void *context)
{
    struct fold_job *job = context;
    thread_yield_to_others();
    job->rc = build(job);
    atomic_store(&job->done, true);
    job->control->options.wake(job->control->options.wake_context);
    return NULL;
}

static void job_free(struct fold_job *job)
{
    for (size_t i = 0; job->parts != NULL && i < job->part_count; i++) {
        /* The parts were allocated by the buffer and are ours. */
        free((void *)(uintptr_t)job->parts[i].ptr);
    }
    free(job->parts);
    buf_done(&job->part);
    sha256_stream_free(job->hash);
    free(job);
}

void snapshot_maybe(struct control *c)
{
    uint64_t durable = writer_durable(c->writer);
    int64_t now = clock_now(c);
    bool due = durable >= c->snapshot_seq + SNAPSHOT_EVERY && now - c->snapshot_begun_ms >= SNAPSHOT_INTERVAL_MS;
    if (c->snapshot != NULL || !(due || c->snapshot_wanted)) {
        return;
    }
    c->snapshot_wanted = false;
    c->snapshot_begun_ms = now;
    struct fold_job *job = calloc(1, sizeof *job);
    if (job == NULL) {
        return; /* tried again at the next entry */
    }
    job->control = c;
    job->at_seq = durable - 1;
    job->parts = calloc(PARTS_MAX, sizeof *job->parts);
    job->hash = sha256_stream_new();
    buf_init(&job->part, STORE_PART_MAX);
    if (job->parts == NULL || job->hash == NULL ||
        pthread_create(&job->thread, NULL, job_main, job) != 0) {
        job_free(job);
        return;
    }
    c->snapshot = job;
}

static void bind_snapshot(struct control *c, struct fold_job *job)
{
    CLEANUP(arena) struct arena *a = arena_new(OP_ARENA_MAX);
    if (a == NULL) {
        return;
    }
    struct value body = value_object();
    value_add_int(a, &body, STR("at_seq"), (int64_t)job->at_seq);
    value_add_int(a, &body, STR("size"), (int64_t)job->bytes);
    value_add_hex(a, &body, STR("world_digest"), STR("sha256:"), job->digest.bytes,
                  sizeof job->digest.bytes);
    writer_put_snapshot(c->writer, job->at_seq, job->parts, job->part_count);
    job->parts = NULL; /* the writer's now */
    job->part_count = 0;
    struct append what = {.kind = ENTRY_LEDGER_SNAPSHOT, .actor = STR("system"), .body = body};
    uint64_t seq;
    if (control_append(c, a, &what, &seq, NULL) != RC_OK) {
        return; /* without its entry the snapshot counts for nothing; the next one will */
    }
    c->retention_next_ms = 0;
    c->retention_after_seq = seq + 1;
}

void snapshot_poll(struct control *c)
{
    struct fold_job *job = c->snapshot;
    if (job == NULL || !atomic_load(&job->done)) {
        return;
    }
    pthread_join(job->thread, NULL);
    c->snapshot_seq = job->at_seq;
    if (job->rc == RC_OK) {
        bind_snapshot(c, job);
    }
    c->snapshot = NULL;
    job_free(job);
}

void snapshot_end(struct control *c)
{
    if (c->snapshot != NULL) {
        pthread_join(c->snapshot->thread, NULL);
        job_free(c->snapshot);
        c->snapshot = NULL;
    }
}
