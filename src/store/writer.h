/*
 * store/writer - the thread that writes the ledger: group commit.
 *
 * The loop pushes entries in order of seq; the thread takes everything that is pending when the last
 * commit ended, seals it (body digest, header, leaf hash, tiles), appends it in one transaction and
 * says so through one wake-up per batch. There is no timer: the sync itself is the batching.
 *
 * A full disk keeps the batch, same bytes and same seqs, and tries again every WRITER_RETRY_MS; the
 * state says so meanwhile. Any other failure closes the store, opens it again and reads the head: if
 * the batch is there it goes on, else the state is WRITER_FAILED for good and the process is to end
 * (a restart replays). Nothing is ever dropped or reordered.
 *
 * Checkpoints are signed by this thread: checkpoint_ms after the log first grew past the last one, at
 * writer_stop(), and on writer_sign(). One that can't be stored is tried again after that time.
 *
 * Threads: writer_push, writer_* are for the loop thread only; wake is called on the writer thread.
 */
#ifndef STORE_WRITER_H
#define STORE_WRITER_H

#include "store/store.h"

enum {
    WRITER_QUEUE_MAX = 8192,            /* entries that wait */
    WRITER_QUEUE_BYTES_MAX = 32 << 20,  /* bytes that wait */
    WRITER_QUEUE_BLOBS_MAX = 8192,      /* blobs that wait */
    WRITER_RETRY_MS = 200,
    WRITER_BLOBS_MAX = 64,              /* blobs beside one entry */
    WRITER_COMMIT_BUCKETS = 12,         /* bounds of the histogram of commits */
};

enum writer_state {
    WRITER_OK = 0,
    WRITER_DISK_FULL, /* retries; reads go on */
    WRITER_FAILED,    /* for good */
};

struct writer;

struct writer_options {
    const char *path;                /* the ledger file, which exists */
    const char *checkpoint_file;     /* second place for the newest checkpoint; may be null */
    struct str origin;               /* copied */
    const struct signing_key *key;   /* borrowed for the writer's life */
    int64_t checkpoint_ms;           /* 200 by default */
    /* Entries wait for writer_publish(): who pushes many at a time says when they are together. */
    bool by_publish;
    /* Called on the writer thread after each batch and each change of state. Must only wake. */
    void (*wake)(void *context);
    void *context;
};

/*
 * Opens the store for writing and starts the thread. RC_CORRUPT when the checkpoint file is ahead of
 * the log or does not agree with it (then nothing was started).
 */
NODISCARD enum rc writer_start(const struct writer_options *options, struct writer **ret,
                               struct err *e);
/* Writes everything that waits (unless the disk is full), signs a checkpoint, ends the thread. */
void writer_stop(struct writer *w);

/*
 * Takes one entry; entry->body_digest is ignored and filled in when sealed. The seq must be the next
 * one. Copies: everything. Errors, and nothing was taken: RC_LIMIT when the queue is full, RC_INVALID
 * when body or blobs are over their maxima, RC_UNAVAILABLE when the writer has failed.
 */
NODISCARD enum rc writer_push(struct writer *w, const struct entry *entry,
                              const uint8_t salt[static ENTRY_SALT_LEN], struct str body,
                              const struct stored_blob *blobs, size_t blob_count, struct err *e);
/* Whether writer_push would take it: the same errors, nothing taken. Room once found stays until the next
 * push. */
NODISCARD enum rc writer_room(const struct writer *w, const struct entry *entry, struct str body,
                              const struct stored_blob *blobs, size_t blob_count, struct err *e);
/* Lets the thread have what was pushed since the last time; only with by_publish. */
void writer_publish(struct writer *w);
/* Entries pushed and not published yet; 0 without by_publish. */
size_t writer_unpublished(const struct writer *w);
/* An entry that is not durable yet; body_digest is unset. Strings are copied into a. RC_NOT_FOUND: it is
 * durable by now, or was never pushed. */
NODISCARD enum rc writer_pending(const struct writer *w, struct arena *a, uint64_t seq, struct entry *ret,
                                 struct str *ret_body, struct err *e);
/* Entries that are durable: every seq below this. Never goes back. */
uint64_t writer_durable(const struct writer *w);
enum writer_state writer_state(const struct writer *w);
/* What went wrong last, for status and log; "" when nothing did. */
void writer_error(const struct writer *w, char *out, size_t size);
/* The newest checkpoint's note, copied into a; RC_NOT_FOUND before the first. */
NODISCARD enum rc writer_checkpoint(struct writer *w, struct arena *a, struct str *ret,
                                    struct err *e);
/* Asks for a checkpoint over all that is durable now; wake is called when it is there. */
void writer_sign(struct writer *w);
/* Stores a snapshot's parts before its entry is pushed. Takes: parts (free() each and the array). A
 * snapshot that does not fit on the disk is dropped: whoever starts replays from an older one. */
void writer_put_snapshot(struct writer *w, uint64_t at_seq, struct str *parts, size_t part_count);

/*
 * Erases blobs, step by step between batches, once every entry up to after_seq is durable. Copies: what. Takes the
 * place of one that is under way. What a stop or a full disk leaves is left: ask again. Errors: RC_NO_MEMORY.
 */
NODISCARD enum rc writer_erase_blobs(struct writer *w, const struct blob_erasure *what, uint64_t after_seq,
                                     struct err *e);
/* A blob that is not durable yet, copied into a. RC_NOT_FOUND: it is durable by now, or was never pushed. */
NODISCARD enum rc writer_pending_blob(const struct writer *w, struct arena *a, const struct digest *digest,
                                      struct str *ret, struct err *e);
/* Bytes that wait, of WRITER_QUEUE_BYTES_MAX. */
size_t writer_waiting_bytes(const struct writer *w);

struct writer_counts {
    uint64_t batches;
    uint64_t entries;
    uint64_t bytes; /* headers, salts and bodies */
    uint64_t blob_bytes;
    uint64_t erased_blobs;
    uint64_t erased_bytes; /* of them */
    uint64_t erasures;     /* asked for and not ended yet */
    uint64_t syncs_us_total; /* time inside append */
    /* Appends by how long they took: commits[i] are those up to bound i and above the one before, the
     * last those above every bound. One that failed counts as well: it took its time too. */
    uint64_t commits[WRITER_COMMIT_BUCKETS + 1];
    int64_t unsigned_us; /* how long the oldest entry without a signed and copied checkpoint waits; 0: none */
};
/* The upper bound of a bucket, in microseconds; i below WRITER_COMMIT_BUCKETS. */
int64_t writer_commit_bound_us(unsigned i);
struct writer_counts writer_counts(const struct writer *w);

#endif
