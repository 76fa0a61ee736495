/* store/writer: starting, stopping, pushing, asking; what runs on the loop thread. */
#include "store/writer_internal.h"

#include "base/must.h"
#include "sys/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct writer {
    pthread_t thread;
    struct shared *shared; /* behind a pointer, so that readers of a const writer may lock it */
    struct worker *worker;
    struct progress progress;
    struct queue queues[2];
    uint64_t next_seq; /* the loop thread's, as the next one is */
    size_t unpublished;
};

/* --- starting ------------------------------------------------------------------------------------- */

static struct shared *shared_new(struct queue *filling, struct queue *working)
{
    struct shared *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return NULL;
    }
    s->filling = filling;
    s->working = working;
    pthread_condattr_t attributes;
    must(pthread_condattr_init(&attributes) == 0);
    must(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    must(pthread_mutex_init(&s->mutex, NULL) == 0 && pthread_cond_init(&s->wanted, &attributes) == 0);
    pthread_condattr_destroy(&attributes);
    return s;
}

static void shared_free(struct shared *s)
{
    if (s != NULL) {
        pthread_cond_destroy(&s->wanted);
        pthread_mutex_destroy(&s->mutex);
        free(s->erasure);
        free(s);
    }
}

static void worker_free(struct worker *k)
{
    if (k != NULL) {
        store_close(k->store);
        buf_done(&k->headers);
        free(k->sealed);
        free(k->tiles);
        free(k->path);
        free(k->checkpoint_file);
        free(k->erasure);
        free(k);
    }
}

static struct worker *worker_new(const struct writer_options *o)
{
    struct worker *k = calloc(1, sizeof *k);
    if (k == NULL) {
        return NULL;
    }
    k->sealed = calloc(STORE_BATCH_MAX, sizeof *k->sealed);
    k->tiles = calloc(BATCH_TILES_MAX, sizeof *k->tiles);
    k->path = strdup(o->path);
    k->checkpoint_file = o->checkpoint_file == NULL ? NULL : strdup(o->checkpoint_file);
    buf_init(&k->headers, (size_t)STORE_BATCH_MAX * ENTRY_HEADER_MAX);
    /* Reserved whole, so that headers of one batch never move. */
    bool reserved = buf_reserve(&k->headers, (size_t)STORE_BATCH_MAX * ENTRY_HEADER_MAX) != NULL;
    if (k->sealed == NULL || k->tiles == NULL || k->path == NULL || !reserved ||
        (o->checkpoint_file != NULL && k->checkpoint_file == NULL)) {
        worker_free(k);
        return NULL;
    }
    memcpy(k->origin, o->origin.ptr, o->origin.len);
    k->origin_len = o->origin.len;
    k->key = o->key;
    k->checkpoint_us = o->checkpoint_ms * 1000;
    k->wake = o->wake;
    k->context = o->context;
    return k;
}

static void writer_free(struct writer *w)
{
    if (w != NULL) {
        worker_free(w->worker);
        shared_free(w->shared);
        queue_done(&w->queues[0]);
        queue_done(&w->queues[1]);
        free(w);
    }
}

static struct writer *writer_new(const struct writer_options *o)
{
    struct writer *w = calloc(1, sizeof *w);
    if (w == NULL) {
        return NULL;
    }
    bool queues = queue_init(&w->queues[0]);
    queues = queue_init(&w->queues[1]) && queues;
    w->shared = shared_new(&w->queues[0], &w->queues[1]);
    w->worker = worker_new(o);
    if (!queues || w->shared == NULL || w->worker == NULL) {
        writer_free(w);
        return NULL;
    }
    w->worker->shared = w->shared;
    w->worker->progress = &w->progress;
    return w;
}

static enum rc open_log(struct writer *w, struct err *e)
{
    struct worker *k = w->worker;
    enum rc rc = store_open(k->path, STORE_WRITE, &k->store, e);
    /* What is read from here on counts as durable, even if the process before died of a failed sync. */
    rc = rc == RC_OK ? store_settle(k->store, e) : rc;
    rc = rc == RC_OK ? store_tree(k->store, &k->tree, e) : rc;
    rc = rc == RC_OK ? worker_check(k, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    w->next_seq = k->tree.size;
    atomic_store(&w->progress.durable, k->tree.size);
    bool is_signed = k->has_checkpoint && k->signed_size == k->tree.size;
    bool is_copied = k->has_copy || k->checkpoint_file == NULL;
    if (k->tree.size > 0 && !(is_signed && is_copied)) {
        k->unsigned_since_us = clock_monotonic_us();
        atomic_store(&w->progress.uncovered_since_us, k->unsigned_since_us);
    }
    return RC_OK;
}

enum rc writer_start(const struct writer_options *options, struct writer **ret, struct err *e)
{
    must(options->wake != NULL && options->key != NULL && options->checkpoint_ms > 0);
    enum rc rc = origin_check(options->origin, e);
    if (rc != RC_OK) {
        return rc;
    }
    struct writer *w = writer_new(options);
    if (w == NULL) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    w->shared->by_publish = options->by_publish;
    rc = open_log(w, e);
    if (rc == RC_OK && pthread_create(&w->thread, NULL, worker_run, w->worker) != 0) {
        rc = err_set(e, RC_UNAVAILABLE, "can't start the writer's thread");
    }
    if (rc != RC_OK) {
        writer_free(w);
        return rc;
    }
    *ret = w;
    return RC_OK;
}

void writer_stop(struct writer *w)
{
    if (w == NULL) {
        return;
    }
    pthread_mutex_lock(&w->shared->mutex);
    w->shared->stopping = true;
    pthread_cond_signal(&w->shared->wanted);
    pthread_mutex_unlock(&w->shared->mutex);
    must(pthread_join(w->thread, NULL) == 0);
    for (struct snapshot_job *job = w->shared->snapshots; job != NULL;) {
        struct snapshot_job *next = job->next;
        snapshot_job_free(job);
        job = next;
    }
    writer_free(w);
}

/* --- pushing ---------------------------------------------------------------------------------------- */

/* Room counts what waits and what is being written: only durable entries give theirs back. */
static enum rc check_room(const struct shared *s, size_t size, size_t blob_count, struct err *e)
{
    if (s->filling->count + s->working->count >= WRITER_QUEUE_MAX) {
        return err_set(e, RC_LIMIT, "%d entries wait to be written", WRITER_QUEUE_MAX);
    }
    if (size > WRITER_QUEUE_BYTES_MAX - s->filling->used - s->working->used) {
        return err_set(e, RC_LIMIT, "%zu bytes wait to be written: no room for %zu more (at most %d)",
                       s->filling->used + s->working->used, size, WRITER_QUEUE_BYTES_MAX);
    }
    if (blob_count > WRITER_QUEUE_BLOBS_MAX - s->filling->blob_count - s->working->blob_count) {
        return err_set(e, RC_LIMIT, "%d blobs wait to be written", WRITER_QUEUE_BLOBS_MAX);
    }
    return RC_OK;
}

static enum rc check_parts(struct str body, const struct stored_blob *blobs, size_t blob_count, struct err *e)
{
    if (body.len > ENTRY_BODY_MAX) {
        return err_set(e, RC_INVALID, "a body of %zu bytes: at most %d", body.len, ENTRY_BODY_MAX);
    }
    if (blob_count > WRITER_BLOBS_MAX) {
        return err_set(e, RC_INVALID, "%zu blobs beside one entry: at most %d", blob_count, WRITER_BLOBS_MAX);
    }
    for (size_t i = 0; i < blob_count; i++) {
        if (blobs[i].bytes.len > STORE_BLOB_MAX) {
            return err_set(e, RC_INVALID, "a blob of %zu bytes: at most %d are kept", blobs[i].bytes.len,
                           STORE_BLOB_MAX);
        }
    }
    return RC_OK;
}

enum rc writer_room(const struct writer *w, const struct entry *entry, struct str body,
                    const struct stored_blob *blobs, size_t blob_count, struct err *e)
{
    enum rc rc = check_parts(body, blobs, blob_count, e);
    if (rc != RC_OK) {
        return rc;
    }
    struct shared *s = w->shared;
    pthread_mutex_lock(&s->mutex);
    rc = writer_state(w) == WRITER_FAILED
             ? err_set(e, RC_UNAVAILABLE, "the ledger can't be written: %.256s", s->error)
             : check_room(s, push_size(entry, body, blobs, blob_count), blob_count, e);
    pthread_mutex_unlock(&s->mutex);
    return rc;
}

enum rc writer_push(struct writer *w, const struct entry *entry, const uint8_t salt[static ENTRY_SALT_LEN],
                    struct str body, const struct stored_blob *blobs, size_t blob_count, struct err *e)
{
    must(entry->seq == w->next_seq);
    enum rc rc = check_parts(body, blobs, blob_count, e);
    if (rc != RC_OK) {
        return rc;
    }
    struct pending pending = {.entry = *entry, .body = body};
    memcpy(pending.salt, salt, sizeof pending.salt);
    struct shared *s = w->shared;
    pthread_mutex_lock(&s->mutex);
    if (writer_state(w) == WRITER_FAILED) {
        rc = err_set(e, RC_UNAVAILABLE, "the ledger can't be written: %.256s", s->error);
    } else {
        rc = check_room(s, push_size(entry, body, blobs, blob_count), blob_count, e);
    }
    if (rc == RC_OK) {
        queue_push(s->filling, &pending, blobs, blob_count);
        w->next_seq++;
        w->unpublished += s->by_publish ? 1 : 0;
        if (s->asleep && !s->by_publish) {
            s->asleep = false; /* one signal is enough */
            pthread_cond_signal(&s->wanted);
        }
    }
    pthread_mutex_unlock(&s->mutex);
    return rc;
}

void writer_publish(struct writer *w)
{
    struct shared *s = w->shared;
    if (w->unpublished == 0) {
        return;
    }
    w->unpublished = 0;
    pthread_mutex_lock(&s->mutex);
    s->published = true;
    if (s->asleep) {
        s->asleep = false;
        pthread_cond_signal(&s->wanted);
    }
    pthread_mutex_unlock(&s->mutex);
}

size_t writer_unpublished(const struct writer *w)
{
    return w->unpublished;
}

void writer_sign(struct writer *w)
{
    pthread_mutex_lock(&w->shared->mutex);
    w->shared->sign_wanted = true;
    pthread_cond_signal(&w->shared->wanted);
    pthread_mutex_unlock(&w->shared->mutex);
}

void writer_put_snapshot(struct writer *w, uint64_t at_seq, struct str *parts, size_t part_count)
{
    struct snapshot_job *job = malloc(sizeof *job);
    must(job != NULL);
    *job = (struct snapshot_job){.at_seq = at_seq, .parts = parts, .part_count = part_count};
    pthread_mutex_lock(&w->shared->mutex);
    struct snapshot_job **last = &w->shared->snapshots;
    while (*last != NULL) {
        last = &(*last)->next;
    }
    *last = job;
    pthread_cond_signal(&w->shared->wanted);
    pthread_mutex_unlock(&w->shared->mutex);
}

enum rc writer_erase_blobs(struct writer *w, const struct blob_erasure *what, uint64_t after_seq, struct err *e)
{
    struct erasure_job *job = malloc(sizeof *job + what->kept_count * sizeof *job->kept);
    if (job == NULL) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    *job = (struct erasure_job){.what = *what, .after_seq = after_seq};
    if (what->kept_count > 0) {
        memcpy(job->kept, what->kept, what->kept_count * sizeof *job->kept);
    }
    job->what.kept = job->kept;
    pthread_mutex_lock(&w->shared->mutex);
    struct erasure_job *before = w->shared->erasure;
    w->shared->erasure = job;
    if (before == NULL) {
        atomic_fetch_add(&w->progress.erasures, 1);
    }
    pthread_cond_signal(&w->shared->wanted);
    pthread_mutex_unlock(&w->shared->mutex);
    free(before);
    return RC_OK;
}

/* Null: not in this queue. Both ascend without a gap. */
static const struct pending *find_pending(const struct queue *q, uint64_t seq)
{
    if (q->count == 0 || seq < q->entries[0].entry.seq || seq - q->entries[0].entry.seq >= q->count) {
        return NULL;
    }
    return &q->entries[seq - q->entries[0].entry.seq];
}

/* --- asking ------------------------------------------------------------------------------------------ */

enum rc writer_pending(const struct writer *w, struct arena *a, uint64_t seq, struct entry *ret,
                       struct str *ret_body, struct err *e)
{
    struct shared *s = w->shared;
    pthread_mutex_lock(&s->mutex);
    const struct pending *p = find_pending(s->filling, seq);
    p = p == NULL ? find_pending(s->working, seq) : p;
    if (p != NULL) {
        *ret = p->entry;
        ret->actor = arena_str(a, p->entry.actor);
        for (unsigned i = 0; i < p->entry.ref_count; i++) {
            ret->refs[i] = arena_str(a, p->entry.refs[i]);
        }
        *ret_body = arena_str(a, p->body);
    }
    pthread_mutex_unlock(&s->mutex);
    if (p == NULL) {
        return err_set(e, RC_NOT_FOUND, "entry %" PRIu64 " does not wait to be written", seq);
    }
    return arena_rc(a) != RC_OK ? err_set(e, arena_rc(a), "entry %" PRIu64 " does not fit", seq) : RC_OK;
}

static const struct stored_blob *find_blob(const struct queue *q, const struct digest *digest)
{
    for (size_t i = 0; i < q->blob_count; i++) {
        if (digest_eq(&q->blobs[i].digest, digest)) {
            return &q->blobs[i];
        }
    }
    return NULL;
}

enum rc writer_pending_blob(const struct writer *w, struct arena *a, const struct digest *digest, struct str *ret,
                            struct err *e)
{
    struct shared *s = w->shared;
    pthread_mutex_lock(&s->mutex);
    const struct stored_blob *found = find_blob(s->filling, digest);
    found = found == NULL ? find_blob(s->working, digest) : found;
    struct str bytes = found == NULL ? STR("") : arena_str(a, found->bytes);
    pthread_mutex_unlock(&s->mutex);
    if (found == NULL) {
        return err_set(e, RC_NOT_FOUND, "no such blob waits to be written");
    }
    if (arena_rc(a) != RC_OK) {
        return err_set(e, arena_rc(a), "a blob that waits to be written does not fit");
    }
    *ret = bytes;
    return RC_OK;
}

size_t writer_waiting_bytes(const struct writer *w)
{
    pthread_mutex_lock(&w->shared->mutex);
    size_t waiting = w->shared->filling->used + w->shared->working->used;
    pthread_mutex_unlock(&w->shared->mutex);
    return waiting;
}

uint64_t writer_durable(const struct writer *w)
{
    return atomic_load(&w->progress.durable);
}

enum writer_state writer_state(const struct writer *w)
{
    return (enum writer_state)atomic_load(&w->progress.state);
}

void writer_error(const struct writer *w, char *out, size_t size)
{
    pthread_mutex_lock(&w->shared->mutex);
    snprintf(out, size, "%s", w->shared->error);
    pthread_mutex_unlock(&w->shared->mutex);
}

enum rc writer_checkpoint(struct writer *w, struct arena *a, struct str *ret, struct err *e)
{
    pthread_mutex_lock(&w->shared->mutex);
    struct str note = arena_str(a, (struct str){w->shared->note, w->shared->note_len});
    pthread_mutex_unlock(&w->shared->mutex);
    if (arena_rc(a) != RC_OK) {
        return err_set(e, arena_rc(a), "the checkpoint does not fit");
    }
    if (note.len == 0) {
        return err_set(e, RC_NOT_FOUND, "there is no checkpoint yet");
    }
    *ret = note;
    return RC_OK;
}

/* From a fast SSD's sync to a disk that hangs: each about twice the one before. */
int64_t writer_commit_bound_us(unsigned i)
{
    static const int64_t bounds[WRITER_COMMIT_BUCKETS] = {500,    1000,   2500,   5000,    10000,   25000,
                                                          50000,  100000, 250000, 1000000, 2500000, 10000000};
    must(i < WRITER_COMMIT_BUCKETS);
    return bounds[i];
}

struct writer_counts writer_counts(const struct writer *w)
{
    int64_t since_us = atomic_load(&w->progress.uncovered_since_us);
    struct writer_counts counts = {
        .batches = atomic_load(&w->progress.batches),
        .entries = atomic_load(&w->progress.entries),
        .bytes = atomic_load(&w->progress.bytes),
        .blob_bytes = atomic_load(&w->progress.blob_bytes),
        .erased_blobs = atomic_load(&w->progress.erased_blobs),
        .erased_bytes = atomic_load(&w->progress.erased_bytes),
        .erasures = atomic_load(&w->progress.erasures),
        .syncs_us_total = atomic_load(&w->progress.syncs_us_total),
        .unsigned_us = since_us == 0 ? 0 : clock_monotonic_us() - since_us,
    };
    for (unsigned i = 0; i <= WRITER_COMMIT_BUCKETS; i++) {
        counts.commits[i] = atomic_load(&w->progress.commits[i]);
    }
    return counts;
}
