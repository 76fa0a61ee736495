/*
 * control/retention - what lies beside old entries goes, by a rule, and the ledger says so first.
 *
 * Once a day, and at start, a thread of its own looks for blobs that belong to old entries only, behind the newest
 * snapshot that is what its entry says. If there are any, one entry, blobs.erased, says up to where; once it is durable
 * the writer deletes them in steps. Entries stay, and with them every digest; open actions and those with an open
 * incident keep all of theirs. What a crash leaves between the entry and the deletion goes at the next start.
 * Source: SEMANTICS section 5 "Retention and erasure".
 */
#include "control/control_internal.h"
#include "control/fold.h"

#include "sys/thread.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { RETRY_MS = HOUR_MS };

/* --- what stays, however old it is ----------------------------------------------------------------------- */

struct kept {
    uint64_t *all; /* ascending */
    size_t count;
};

static int by_id(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static enum rc find_kept(const struct control *c, struct kept *ret)
{
    uint32_t open = world_open_count(c->world);
    uint32_t incidents = world_incident_count(c->world);
    ret->count = 0;
    ret->all = malloc((open + incidents + 1) * sizeof *ret->all);
    if (ret->all == NULL) {
        return RC_NO_MEMORY;
    }
    for (uint32_t i = 0; i < open; i++) {
        ret->all[ret->count++] = world_open_at(c->world, i)->id;
    }
    for (uint32_t i = 0; i < incidents; i++) {
        ret->all[ret->count++] = world_incident_at(c->world, i)->action;
    }
    qsort(ret->all, ret->count, sizeof *ret->all, by_id);
    return RC_OK;
}

/* --- looking ----------------------------------------------------------------------------------------------- */

struct retention_job {
    struct control *control; /* path and wake only */
    int64_t before_ms;       /* entries older than this are old */
    struct kept kept;
    pthread_t thread;
    atomic_bool done;
    enum rc rc;
    uint64_t through_seq;
    struct erased_blobs found;
    bool wants_snapshot; /* there is something, and no snapshot is behind it */
};

/* How many entries at the front are old: their times never go back. */
static enum rc count_old(struct store *s, int64_t before_ms, uint64_t *ret)
{
    uint64_t from = 0;
    uint64_t to;
    enum rc rc = store_size(s, &to, NULL);
    while (rc == RC_OK && from < to) {
        CLEANUP(arena) struct arena *a = arena_new(2 * ENTRY_BODY_MAX);
        uint64_t middle = from + (to - from) / 2;
        struct stored stored;
        rc = a == NULL ? RC_NO_MEMORY : store_read(s, a, middle, &stored, NULL);
        if (rc == RC_OK && stored.entry.time_ms < before_ms) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    *ret = from;
    return rc;
}

static enum rc look(struct retention_job *job)
{
    struct store *s = NULL;
    uint64_t old = 0;
    uint64_t snapshot = 0;
    enum rc rc = store_open(job->control->path, STORE_READ, &s, NULL);
    rc = rc == RC_OK ? count_old(s, job->before_ms, &old) : rc;
    if (rc == RC_OK && old > 0) {
        job->through_seq = old - 1;
        struct blob_erasure what = {job->through_seq, job->kept.all, job->kept.count};
        rc = store_erasable_blobs(s, &what, &job->found, NULL);
    }
    if (rc == RC_OK && job->found.count > 0) {
        rc = fold_newest_snapshot(s, &snapshot, NULL);
        job->wants_snapshot = rc == RC_NOT_FOUND || (rc == RC_OK && snapshot < job->through_seq);
        rc = rc == RC_NOT_FOUND ? RC_OK : rc;
    }
    store_close(s);
    return rc;
}

static void *job_main(void *context)
{
    struct retention_job *job = context;
    thread_yield_to_others();
    job->rc = look(job);
    atomic_store(&job->done, true);
    job->control->options.wake(job->control->options.wake_context);
    return NULL;
}

static void job_free(struct retention_job *job)
{
    free(job->kept.all);
    free(job);
}

static void start_looking(struct control *c, int64_t now)
{
    c->retention_next_ms = now + RETRY_MS; /* unless it finds out */
    struct retention_job *job = calloc(1, sizeof *job);
    if (job == NULL) {
        return;
    }
    job->control = c;
    job->before_ms = now - c->options.blob_keep_ms;
    if (find_kept(c, &job->kept) != RC_OK || pthread_create(&job->thread, NULL, job_main, job) != 0) {
        job_free(job);
        return;
    }
    c->retention = job;
}

/* --- erasing ----------------------------------------------------------------------------------------------- */

/* Who is open may have changed since it was looked. */
static enum rc hand_over(struct control *c, uint64_t through_seq, uint64_t after_seq)
{
    struct kept kept;
    enum rc rc = find_kept(c, &kept);
    struct blob_erasure what = {through_seq, kept.all, kept.count};
    rc = rc == RC_OK ? writer_erase_blobs(c->writer, &what, after_seq, NULL) : rc;
    free(kept.all);
    return rc;
}

static enum rc erase(struct control *c, const struct retention_job *job)
{
    CLEANUP(arena) struct arena *a = arena_new(OP_ARENA_MAX);
    if (a == NULL) {
        return RC_NO_MEMORY;
    }
    struct buf rule;
    buf_init(&rule, 64);
    buf_str(&rule, STR("blobs older than "));
    buf_span(&rule, c->options.blob_keep_ms);
    struct value body = value_object();
    value_add_int(a, &body, STR("bytes"), (int64_t)job->found.bytes);
    value_add_int(a, &body, STR("count"), (int64_t)job->found.count);
    value_add_str(a, &body, STR("rule"), arena_str(a, buf_view(&rule)));
    value_add_int(a, &body, STR("through_seq"), (int64_t)job->through_seq);
    buf_done(&rule);
    struct append what = {.kind = ENTRY_BLOBS_ERASED, .actor = STR("system"), .body = body};
    uint64_t seq;
    enum rc rc = control_append(c, a, &what, &seq, NULL);
    /* Should it not be handed over now, the next start does it. */
    return rc == RC_OK ? hand_over(c, job->through_seq, seq) : rc;
}

void retention_poll(struct control *c)
{
    struct retention_job *job = c->retention;
    if (job == NULL || !atomic_load(&job->done)) {
        return;
    }
    pthread_join(job->thread, NULL);
    c->retention = NULL;
    enum rc rc = job->rc;
    if (rc == RC_OK && job->wants_snapshot) {
        c->snapshot_wanted = true; /* and then again */
    } else if (rc == RC_OK) {
        rc = job->found.count > 0 ? erase(c, job) : RC_OK;
        c->retention_next_ms = clock_now(c) + (rc == RC_OK ? RETENTION_EVERY_MS : RETRY_MS);
    }
    job_free(job);
}

void retention_tick(struct control *c)
{
    uint64_t erased = world_erased_through(c->world);
    if (!c->retention_resumed && erased > 0) {
        c->retention_resumed = hand_over(c, erased, 0) == RC_OK;
    }
    int64_t now = clock_now(c);
    if (c->options.blob_keep_ms == 0 || c->retention != NULL || now < c->retention_next_ms ||
        writer_durable(c->writer) < c->retention_after_seq) {
        return;
    }
    start_looking(c, now);
}

void retention_end(struct control *c)
{
    if (c->retention != NULL) {
        pthread_join(c->retention->thread, NULL);
        job_free(c->retention);
        c->retention = NULL;
    }
}
