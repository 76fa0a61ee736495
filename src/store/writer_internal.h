/*
 * store/writer_internal - what the writer's files share: the queue, and the thread's own state.
 *
 * Who touches what: struct shared is under its mutex; struct worker is the thread's alone once it
 * runs; the atomics in struct progress are written by the thread and read by anyone.
 */
#ifndef STORE_WRITER_INTERNAL_H
#define STORE_WRITER_INTERNAL_H

#include "store/writer.h"

#include <pthread.h>
#include <stdatomic.h>

/* --- the queue: one of two buffers that loop and thread swap ---------------------------------- */

/* An entry that waits; its strings lie in the queue's bytes. */
struct pending {
    struct entry entry;
    uint8_t salt[ENTRY_SALT_LEN];
    struct str body;
    size_t blobs_end; /* the queue's blobs up to here belong to this entry and those before */
};

/*
 * Room for the maximum is reserved at birth and never moves: a page that was never used costs nothing,
 * and a push is a copy.
 */
struct queue {
    struct pending *entries;    /* WRITER_QUEUE_MAX */
    struct stored_blob *blobs;  /* WRITER_QUEUE_BLOBS_MAX */
    char *bytes;                /* WRITER_QUEUE_BYTES_MAX */
    size_t count;
    size_t blob_count;
    size_t used;
};

NODISCARD bool queue_init(struct queue *q);
void queue_done(struct queue *q);
void queue_reset(struct queue *q);
/* What a push needs of bytes. */
size_t push_size(const struct entry *entry, struct str body, const struct stored_blob *blobs, size_t blob_count);
/* Copies everything; the caller has seen to it that there is room. */
void queue_push(struct queue *q, const struct pending *entry, const struct stored_blob *blobs, size_t blob_count);

/* --- shared ------------------------------------------------------------------------------------- */

/* A snapshot that waits to be stored. */
struct snapshot_job {
    struct snapshot_job *next;
    uint64_t at_seq;
    struct str *parts;
    size_t part_count;
};

void snapshot_job_free(struct snapshot_job *job);

/* An erasure of blobs that waits or is under way. */
struct erasure_job {
    struct blob_erasure what; /* its list is behind the struct */
    uint64_t after_seq;
    int64_t cursor;
    uint64_t kept[];
};

struct shared {
    pthread_mutex_t mutex;
    pthread_cond_t wanted; /* something for the thread to do */
    struct queue *filling;
    struct queue *working; /* what the thread has taken; it reads this without the mutex, nobody else does */
    struct snapshot_job *snapshots; /* oldest first */
    struct erasure_job *erasure;    /* to be taken by the thread; null: none */
    bool asleep;                    /* the thread waits on the condition */
    bool stopping;
    bool sign_wanted;
    bool by_publish;                /* entries wait until they are published */
    bool published;
    char note[CHECKPOINT_MAX]; /* the newest checkpoint */
    size_t note_len;
    char error[ERR_TEXT_MAX];
};

struct progress {
    _Atomic uint64_t durable;
    _Atomic int state; /* enum writer_state */
    _Atomic uint64_t batches;
    _Atomic uint64_t entries;
    _Atomic uint64_t bytes;
    _Atomic uint64_t blob_bytes;
    _Atomic uint64_t erased_blobs;
    _Atomic uint64_t erased_bytes;
    _Atomic uint64_t erasures;
    _Atomic uint64_t syncs_us_total;
    _Atomic uint64_t commits[WRITER_COMMIT_BUCKETS + 1];
    _Atomic int64_t uncovered_since_us; /* the oldest entry that no checkpoint covers; 0: none */
};

/* --- the thread ---------------------------------------------------------------------------------- */

enum {
    /* 4,096 leaves on any edge complete at most 16 tiles of level 0 and one of each level above. */
    BATCH_TILES_MAX = STORE_BATCH_MAX / TILE_WIDTH + TILE_LEVELS_MAX,
};

struct worker {
    struct store *store;
    char *path;
    char *checkpoint_file; /* null: none */
    char origin[ORIGIN_MAX];
    size_t origin_len;
    const struct signing_key *key;
    int64_t checkpoint_us;
    void (*wake)(void *context);
    void *context;
    struct shared *shared;
    struct progress *progress;
    struct tree tree;
    uint64_t signed_size;      /* of the newest checkpoint; meaningless while there is none */
    bool has_checkpoint;
    bool has_copy;             /* the checkpoint's second place holds the newest */
    int64_t unsigned_since_us; /* since when there is something to sign or copy; 0: nothing is */
    struct buf headers;        /* of the sealed batch */
    struct stored *sealed;     /* STORE_BATCH_MAX */
    struct tile *tiles;        /* BATCH_TILES_MAX */
    size_t tile_count;
    struct erasure_job *erasure; /* null: none */
};

/* The thread's function; context is a struct worker. */
void *worker_run(void *context);
/* Signs the tree as it stands, if it grew, and stores the note; then it may be seen. */
NODISCARD enum rc worker_sign(struct worker *w, struct err *e);
/* Copies the newest note to its second place. */
NODISCARD enum rc worker_copy(struct worker *w, struct err *e);
/* RC_CORRUPT when a checkpoint, of the store or of the file, is ahead of the log or of another one. */
NODISCARD enum rc worker_check(struct worker *w, struct err *e);

#endif
