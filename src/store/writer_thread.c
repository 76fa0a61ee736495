/* store/writer: the thread: take, seal, append, wake; sign and tidy in between. */
#include "store/writer_internal.h"

#include "base/must.h"
#include "sys/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void set_state(struct worker *w, enum writer_state state, const char *error)
{
    pthread_mutex_lock(&w->shared->mutex);
    snprintf(w->shared->error, sizeof w->shared->error, "%s", error);
    pthread_mutex_unlock(&w->shared->mutex);
    if (atomic_exchange(&w->progress->state, (int)state) != (int)state) {
        w->wake(w->context);
    }
}

/* --- sealing ------------------------------------------------------------------------------------ */

static void keep_tile(void *context, const struct tile *full)
{
    struct worker *w = context;
    must(w->tile_count < BATCH_TILES_MAX);
    w->tiles[w->tile_count++] = *full;
}

/* The queue stays as it is: the loop may read there what is not durable yet. */
static void seal_one(struct worker *w, const struct pending *p, struct stored *out)
{
    must(p->entry.seq == w->tree.size);
    struct digest body = ledger_body_digest(p->salt, p->body);
    struct entry entry = p->entry;
    memcpy(entry.body_digest, body.bytes, sizeof entry.body_digest);
    size_t at = w->headers.len;
    entry_write(&w->headers, &entry);
    must(w->headers.rc == RC_OK);
    *out = (struct stored){
        .seq = p->entry.seq,
        .header = {w->headers.data + at, w->headers.len - at},
        .body = p->body,
    };
    memcpy(out->salt, p->salt, sizeof out->salt);
    struct digest leaf = ledger_leaf_hash(out->header);
    tree_append(&w->tree, &leaf, keep_tile, w);
}

/* From first on, at most STORE_BATCH_MAX; the tree is ahead of the store until they are appended. */
static struct batch seal(struct worker *w, size_t first)
{
    const struct queue *q = w->shared->working;
    size_t count = q->count - first;
    count = count > STORE_BATCH_MAX ? STORE_BATCH_MAX : count;
    buf_reset(&w->headers);
    w->tile_count = 0;
    for (size_t i = 0; i < count; i++) {
        seal_one(w, &q->entries[first + i], &w->sealed[i]);
    }
    size_t blobs_first = first == 0 ? 0 : q->entries[first - 1].blobs_end;
    return (struct batch){
        .entries = w->sealed,
        .entry_count = count,
        .tiles = w->tiles,
        .tile_count = w->tile_count,
        .blobs = q->blobs + blobs_first,
        .blob_count = q->entries[first + count - 1].blobs_end - blobs_first,
    };
}

/* --- appending ---------------------------------------------------------------------------------- */

static struct timespec monotonic_in(int64_t us)
{
    int64_t at = clock_monotonic_us() + us;
    return (struct timespec){.tv_sec = at / 1000000, .tv_nsec = at % 1000000 * 1000};
}

/* False when the process is stopping: a full disk is not waited for then. */
static bool wait_for_room(struct worker *w)
{
    struct shared *s = w->shared;
    struct timespec until = monotonic_in(WRITER_RETRY_MS * 1000);
    pthread_mutex_lock(&s->mutex);
    /* New pushes do not end the wait: only time makes room. */
    int waited = 0;
    while (!s->stopping && waited == 0) {
        waited = pthread_cond_timedwait(&s->wanted, &s->mutex, &until);
    }
    bool stopping = s->stopping;
    pthread_mutex_unlock(&s->mutex);
    return !stopping;
}

/*
 * After a commit that failed for an unknown reason: is what was to be written there? Only then is it
 * safe to go on, and only once it is moved into the file, for the log's sync may be what failed.
 */
static enum rc reopen(struct worker *w, uint64_t expected_size, struct err *e)
{
    store_close(w->store);
    w->store = NULL;
    enum rc rc = store_open(w->path, STORE_WRITE, &w->store, e);
    rc = rc == RC_OK ? store_settle(w->store, e) : rc;
    uint64_t size = 0;
    rc = rc == RC_OK ? store_size(w->store, &size, e) : rc;
    if (rc == RC_OK && size != expected_size) {
        rc = err_set(e, RC_UNAVAILABLE, "the last batch is not in the ledger");
    }
    return rc;
}

/* The head is ours: somebody else's entry in its place is no reason to go on. */
static enum rc head_is(struct worker *w, const struct stored *last, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(ENTRY_BODY_MAX * 2);
    struct stored found;
    enum rc rc = a == NULL ? err_set(e, RC_NO_MEMORY, "out of memory")
                           : store_read(w->store, a, last->seq, &found, e);
    if (rc == RC_OK && !str_eq(found.header, last->header)) {
        rc = err_set(e, RC_UNAVAILABLE, "another entry stands where the last batch ended");
    }
    return rc;
}

/* last: the entry whose being there is in doubt; null when only the database was. */
static enum rc recover(struct worker *w, const struct stored *last, struct err *cause)
{
    struct err e;
    enum rc rc = reopen(w, w->tree.size, &e);
    rc = rc == RC_OK && last != NULL ? head_is(w, last, &e) : rc;
    if (rc != RC_OK) {
        err_wrap(&e, rc, "%s; then", cause->text);
        set_state(w, WRITER_FAILED, e.text);
    }
    return rc;
}

static void count_append(struct progress *p, int64_t took_us)
{
    unsigned i = 0;
    while (i < WRITER_COMMIT_BUCKETS && took_us > writer_commit_bound_us(i)) {
        i++;
    }
    atomic_fetch_add(&p->syncs_us_total, (uint64_t)took_us);
    atomic_fetch_add(&p->commits[i], 1);
}

/* False when it is not in the store: the writer has failed, or stops while the disk is full. */
static bool append(struct worker *w, const struct batch *b)
{
    for (;;) {
        struct err e;
        int64_t from = clock_monotonic_us();
        enum rc rc = store_append(w->store, b, &e);
        count_append(w->progress, clock_monotonic_us() - from);
        if (rc == RC_LIMIT) {
            set_state(w, WRITER_DISK_FULL, e.text);
            if (!wait_for_room(w)) {
                return false;
            }
            continue;
        }
        if (rc != RC_OK && recover(w, &b->entries[b->entry_count - 1], &e) != RC_OK) {
            return false;
        }
        if (atomic_load(&w->progress->state) != WRITER_OK) {
            set_state(w, WRITER_OK, "");
        }
        return true;
    }
}

static void count_batch(struct worker *w, const struct batch *b)
{
    uint64_t bytes = 0;
    uint64_t blob_bytes = 0;
    for (size_t i = 0; i < b->entry_count; i++) {
        bytes += b->entries[i].header.len + ENTRY_SALT_LEN + b->entries[i].body.len;
    }
    for (size_t i = 0; i < b->blob_count; i++) {
        blob_bytes += b->blobs[i].bytes.len;
    }
    atomic_fetch_add(&w->progress->batches, 1);
    atomic_fetch_add(&w->progress->entries, b->entry_count);
    atomic_fetch_add(&w->progress->bytes, bytes);
    atomic_fetch_add(&w->progress->blob_bytes, blob_bytes);
}

/* Everything that was taken, in as many batches as it needs. False as of append. */
static bool write_working(struct worker *w)
{
    for (size_t first = 0; first < w->shared->working->count;) {
        struct batch b = seal(w, first);
        if (!append(w, &b)) {
            return false;
        }
        first += b.entry_count;
        count_batch(w, &b);
        if (w->unsigned_since_us == 0) {
            w->unsigned_since_us = clock_monotonic_us();
        }
        if (atomic_load(&w->progress->uncovered_since_us) == 0) {
            atomic_store(&w->progress->uncovered_since_us, clock_monotonic_us());
        }
        atomic_store(&w->progress->durable, w->tree.size);
        w->wake(w->context);
    }
    return true;
}

/* --- snapshots ------------------------------------------------------------------------------------ */

void snapshot_job_free(struct snapshot_job *job)
{
    for (size_t i = 0; i < job->part_count; i++) {
        /* The parts were given to us; struct str has no other pointer to their memory. */
        free((void *)(uintptr_t)job->parts[i].ptr);
    }
    free(job->parts);
    free(job);
}

/* One that does not fit on the disk is dropped: a start replays from an older one. */
static bool write_snapshots(struct worker *w, struct snapshot_job *jobs)
{
    bool ok = true;
    while (jobs != NULL) {
        struct snapshot_job *job = jobs;
        jobs = job->next;
        struct err e;
        enum rc rc = ok ? store_put_snapshot(w->store, job->at_seq, job->parts, job->part_count, &e) : RC_OK;
        if (rc != RC_OK && rc != RC_LIMIT && rc != RC_INVALID) {
            ok = recover(w, NULL, &e) == RC_OK;
        }
        snapshot_job_free(job);
    }
    return ok;
}

/* --- erasures --------------------------------------------------------------------------------------- */

static bool is_erasure_due(const struct worker *w)
{
    return w->erasure != NULL && w->tree.size > w->erasure->after_seq;
}

static void end_erasure(struct worker *w)
{
    free(w->erasure);
    w->erasure = NULL;
    atomic_fetch_sub(&w->progress->erasures, 1);
    w->wake(w->context);
}

/* One step, so that entries wait for no more than that. False when the store failed and did not recover. */
static bool erase(struct worker *w)
{
    if (!is_erasure_due(w)) {
        return true;
    }
    struct err e;
    struct erased_blobs gone;
    bool more = false;
    enum rc rc = store_erase_blobs(w->store, &w->erasure->what, &w->erasure->cursor, &gone, &more, &e);
    if (rc == RC_OK) {
        atomic_fetch_add(&w->progress->erased_blobs, gone.count);
        atomic_fetch_add(&w->progress->erased_bytes, gone.bytes);
    }
    if (rc != RC_OK || !more) {
        end_erasure(w); /* on a full disk there is no room to note what is free: another day's asks again */
    }
    return rc == RC_OK || rc == RC_LIMIT || recover(w, NULL, &e) == RC_OK;
}

/* --- signing and tidying ---------------------------------------------------------------------------- */

static bool is_sign_due(const struct worker *w)
{
    return w->unsigned_since_us != 0 && clock_monotonic_us() - w->unsigned_since_us >= w->checkpoint_us;
}

/*
 * A checkpoint that can't be stored for want of room, or copied to its file, is tried again after its
 * interval: no answer waits for it. False when the store failed and did not recover.
 */
static bool sign(struct worker *w)
{
    struct err e = {.text = ""};
    enum rc rc = worker_sign(w, &e);
    bool lost = rc != RC_OK && rc != RC_LIMIT && recover(w, NULL, &e) != RC_OK;
    if (lost) {
        return false;
    }
    rc = rc == RC_OK ? worker_copy(w, &e) : rc;
    w->unsigned_since_us = rc == RC_OK ? 0 : clock_monotonic_us();
    if (rc == RC_OK) {
        atomic_store(&w->progress->uncovered_since_us, 0); /* a failure goes on ageing through its retries */
    }
    set_state(w, WRITER_OK, e.text);
    w->wake(w->context);
    return true;
}

static bool tidy(struct worker *w, bool idle)
{
    struct err e;
    enum rc rc = store_tidy(w->store, idle, &e);
    return rc == RC_OK || rc == RC_LIMIT || recover(w, NULL, &e) == RC_OK;
}

/* --- the loop ------------------------------------------------------------------------------------------ */

/* What one turn found to do. */
struct turn {
    bool sign_wanted;
    bool stopping;
    struct snapshot_job *snapshots;
    struct erasure_job *erasure;
};

static bool has_work(const struct worker *w)
{
    const struct shared *s = w->shared;
    bool entries = s->filling->count > 0 && (!s->by_publish || s->published);
    return entries || s->snapshots != NULL || s->erasure != NULL || is_erasure_due(w) || s->sign_wanted || s->stopping;
}

/* Waits until there is something to do, then takes all of it. */
static struct turn take(struct worker *w)
{
    struct shared *s = w->shared;
    pthread_mutex_lock(&s->mutex);
    while (!has_work(w) && !is_sign_due(w)) {
        s->asleep = true; /* again: what it was woken for may have been taken with the turn before */
        if (w->unsigned_since_us == 0) {
            pthread_cond_wait(&s->wanted, &s->mutex);
        } else {
            int64_t left = w->unsigned_since_us + w->checkpoint_us - clock_monotonic_us();
            struct timespec until = monotonic_in(left < 0 ? 0 : left);
            (void)pthread_cond_timedwait(&s->wanted, &s->mutex, &until);
        }
    }
    s->asleep = false;
    struct queue *taken = s->filling;
    s->filling = s->working;
    s->working = taken;
    struct turn t = {.sign_wanted = s->sign_wanted,
                     .stopping = s->stopping,
                     .snapshots = s->snapshots,
                     .erasure = s->erasure};
    s->sign_wanted = false;
    s->published = false;
    s->snapshots = NULL;
    s->erasure = NULL;
    pthread_mutex_unlock(&s->mutex);
    return t;
}

/* The room that the written batch took is free again. True when nothing waits by now. */
static bool give_back(struct worker *w)
{
    struct shared *s = w->shared;
    pthread_mutex_lock(&s->mutex);
    queue_reset(s->working);
    bool idle = s->filling->count == 0;
    pthread_mutex_unlock(&s->mutex);
    return idle;
}

void *worker_run(void *context)
{
    struct worker *w = context;
    for (;;) {
        struct turn t = take(w);
        if (t.erasure != NULL) {
            if (w->erasure != NULL) {
                end_erasure(w);
            }
            w->erasure = t.erasure;
        }
        bool ok = write_snapshots(w, t.snapshots) && write_working(w);
        bool idle = ok && give_back(w);
        bool last = t.stopping && idle && w->unsigned_since_us != 0;
        if (ok && (t.sign_wanted || is_sign_due(w) || last)) {
            ok = sign(w);
        }
        ok = ok && (t.stopping || erase(w));
        ok = ok && tidy(w, idle);
        if (!ok || (t.stopping && idle)) {
            /* Done, or stopped with the disk full, or failed for good: pushes are refused then. */
            return NULL;
        }
    }
}
