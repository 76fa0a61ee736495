/*
 * store - where the ledger lies: one interface, one file per database.
 *
 * A store keeps entries (header, salt, body), full tiles, checkpoints, blobs and snapshots. One
 * process at a time opens it for writing (a fence: the lock file of the data folder, and in a
 * cluster the lease's epoch). All of a batch becomes durable together or not at all.
 *
 * Threads: a struct store is used by one thread at a time. Writer and readers each open their own;
 * readers see whole batches only.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "ledger/ledger.h"

#include <stdint.h>

enum {
    STORE_FORMAT = 1,
    STORE_BATCH_MAX = 4096,      /* entries of one append */
    STORE_BLOB_MAX = 8 << 20,    /* bytes of one blob */
    STORE_PART_MAX = 4 << 20,    /* bytes of one part of a snapshot */
    STORE_SNAPSHOTS_MAX = 2,     /* kept */
    STORE_BUSY_MS = 2000,        /* how long a lock of another process is waited for */
    STORE_WAL_IDLE_BYTES = 1 << 20, /* the database's log: moved when idle beyond this, */
    STORE_WAL_MAX_BYTES = 4 << 20,  /* and always beyond this */
    STORE_ERASE_BLOBS = 64,         /* blobs of one step of an erasure, */
    STORE_ERASE_BYTES = 16 << 20,   /* which ends after the one that reaches this, */
    STORE_ERASE_LOOKED = 1024,      /* and blobs that it looks at */
};

struct store;

/*
 * One entry with its bytes. body is empty and erased is true when retention took it. Whoever reads
 * gets entry too: header parsed and found to belong to seq and, unless erased, to salt and body.
 */
struct stored {
    uint64_t seq;
    struct entry entry; /* filled by readers only; its strings point into header */
    struct str header;
    uint8_t salt[ENTRY_SALT_LEN];
    struct str body;
    bool erased;
};

/* Bytes that an entry's body names by digest. The same bytes are kept once, whoever names them. */
struct stored_blob {
    struct digest digest;
    struct str bytes;
    uint64_t seq;   /* the entry that names it; a writer fills it in */
    uint64_t owner; /* the entry that must be over before they may go; 0 for a writer: seq itself */
    bool erasable;  /* retention may take them; else they are kept for good */
};

/* What is appended together. */
struct batch {
    const struct stored *entries; /* seqs follow the store's head without a gap */
    size_t entry_count;
    const struct tile *tiles;
    size_t tile_count;
    const struct stored_blob *blobs;
    size_t blob_count;
};

enum store_mode {
    STORE_READ,   /* beside a running writer */
    STORE_WRITE,  /* must exist */
    STORE_CREATE, /* must not exist */
};

/*
 * path is the ledger file. Errors: RC_NOT_FOUND, RC_CONFLICT (exists, or another process writes),
 * RC_CORRUPT (not a ledger, or another format: the text says which), RC_UNAVAILABLE (I/O).
 */
NODISCARD enum rc store_open(const char *path, enum store_mode mode, struct store **ret,
                             struct err *e);
void store_close(struct store *s);

/* Number of entries, so the next seq. */
NODISCARD enum rc store_size(struct store *s, uint64_t *ret, struct err *e);

/*
 * Durable when it returns RC_OK. RC_LIMIT: the disk is full, nothing was written, the same batch
 * may be tried again. RC_CONFLICT: the batch does not follow the head. RC_UNAVAILABLE: any other
 * failure; whether the batch is there is unknown until the store is opened again.
 */
NODISCARD enum rc store_append(struct store *s, const struct batch *b, struct err *e);

/* Called once per entry in order of seq; a result other than RC_OK ends the walk with it. */
typedef enum rc (*store_entry_fn)(void *context, const struct stored *entry, struct err *e);

/*
 * Entries from first to last, both inclusive; less when the log is shorter. The struct and its strings
 * hold only for the call. fn is called outside of any read transaction and may use the store.
 * RC_CORRUPT for a gap, a header that is not canonical, a body that is not the sealed one.
 */
NODISCARD enum rc store_walk(struct store *s, uint64_t first, uint64_t last, store_entry_fn fn,
                             void *context, struct err *e);
/* One entry, copied into a. RC_NOT_FOUND. */
NODISCARD enum rc store_read(struct store *s, struct arena *a, uint64_t seq, struct stored *ret,
                             struct err *e);

/* A tile's first count hashes: full tiles from the table, the right edge from the headers. It has
 * the shape of tile_read_fn; context is the store. */
enum rc store_tile(void *context, unsigned level, uint64_t index, unsigned count,
                   struct digest *hashes, struct err *e);
/* The tree as it stands, from the tiles and the last headers. */
NODISCARD enum rc store_tree(struct store *s, struct tree *ret, struct err *e);

/* The newest signed checkpoint. Put is durable on return. RC_NOT_FOUND when there is none yet. */
NODISCARD enum rc store_put_checkpoint(struct store *s, uint64_t size, struct str note,
                                       struct err *e);
NODISCARD enum rc store_checkpoint(struct store *s, struct arena *a, struct str *ret_note,
                                   struct err *e);

NODISCARD enum rc store_blob(struct store *s, struct arena *a, const struct digest *digest,
                             struct str *ret, struct err *e);

/*
 * Which blobs may go: those that every entry which names them lets go, at or before through_seq, and that no
 * entry names whose owner is kept.
 */
struct blob_erasure {
    uint64_t through_seq;
    const uint64_t *kept; /* ascending */
    size_t kept_count;
};
struct erased_blobs {
    uint64_t count;
    uint64_t bytes;
};
/* What an erasure would take. */
NODISCARD enum rc store_erasable_blobs(struct store *s, const struct blob_erasure *what,
                                       struct erased_blobs *ret, struct err *e);
/*
 * One step of an erasure, from *cursor on (0 at first); the bytes are overwritten, their room is used again. ret:
 * of this step. *ret_more: there are blobs left to look at. Errors as those of store_append.
 */
NODISCARD enum rc store_erase_blobs(struct store *s, const struct blob_erasure *what, int64_t *cursor,
                                    struct erased_blobs *ret, bool *ret_more, struct err *e);

/* Snapshots of the world, newest kept two. Parts are numbered from 0. */
NODISCARD enum rc store_put_snapshot(struct store *s, uint64_t at_seq, const struct str *parts,
                                     size_t part_count, struct err *e);
typedef enum rc (*store_part_fn)(void *context, struct str part, struct err *e);
/* Where the newest one stands. RC_NOT_FOUND when there is none. */
NODISCARD enum rc store_newest_snapshot(struct store *s, uint64_t *ret_at_seq, struct err *e);
/* Of those that stand before an entry, where the newest does. RC_NOT_FOUND. */
NODISCARD enum rc store_snapshot_before(struct store *s, uint64_t seq, uint64_t *ret_at_seq, struct err *e);
NODISCARD enum rc store_walk_snapshot(struct store *s, uint64_t at_seq, store_part_fn fn,
                                      void *context, struct err *e);

/*
 * A copy in one file (0600) that must not be there: what one transaction sees, whatever is written meanwhile. Whole and
 * synced on RC_OK, gone otherwise; its name in the folder is not synced. It can be read like any store, not written.
 * Errors: RC_CONFLICT (the file is there), RC_LIMIT (the disk is full), RC_CORRUPT.
 */
NODISCARD enum rc store_copy(struct store *s, const char *path, struct err *e);
/* Makes a copy one that can be written. */
NODISCARD enum rc store_adopt(const char *path, struct err *e);
/* Takes a store's file away, with what the database keeps beside it. Nobody may have it open. */
void store_remove(const char *path);

/* Housekeeping between batches: moves the log of the database into its file when it has grown
 * beyond its limit, or at once when idle is true and it is past the lower one. */
NODISCARD enum rc store_tidy(struct store *s, bool idle, struct err *e);
/*
 * Moves all of it, so that what can be read is in the file itself and synced there. For a store that
 * was opened again after a failed commit: a failed sync is not to be trusted the second time.
 * RC_UNAVAILABLE when a reader is in the way for over STORE_BUSY_MS.
 */
NODISCARD enum rc store_settle(struct store *s, struct err *e);

#endif
