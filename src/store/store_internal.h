/*
 * store/store_internal - the SQLite store's struct, shared by the files that write and read it.
 */
#ifndef STORE_STORE_INTERNAL_H
#define STORE_STORE_INTERNAL_H

#include "store/sqlite.h"
#include "store/store.h"
#include "sys/file.h"

enum { STORE_PAGE_SIZE = 16384 }; /* measured: docs/decisions/003 */

struct store {
    struct db *db;
    struct file_lock *lock;    /* the fence; null for readers */
    uint64_t size;             /* writers only: nobody else appends */
    unsigned tidied_pages;     /* what the log held when it was last moved */
    struct query *begin;
    struct query *commit;
    struct query *insert_entry;
    struct query *insert_tile;
    struct query *insert_blob;
    struct query *insert_blob_ref;
    struct query *select_blob_groups;
    struct query *select_blob_owners;
    struct query *delete_blob;
    struct query *delete_blob_refs;
    struct query *put_checkpoint;
    struct query *put_part;
    struct query *drop_snapshots;
    struct query *select_size;
    struct query *select_entries;
    struct query *select_headers;
    struct query *select_tile;
    struct query *select_roots;
    struct query *select_checkpoint;
    struct query *select_blob;
    struct query *select_part;
};

/* store_write.c: a transaction around what follows; end commits when rc is RC_OK, else takes everything back. */
NODISCARD enum rc store_begin(struct store *s, struct err *e);
NODISCARD enum rc store_end(struct store *s, enum rc rc, struct err *e);
/* store_blobs.c: within the transaction. */
NODISCARD enum rc blobs_insert(struct store *s, const struct batch *b, struct err *e);

/* The row of a full tile. */
static inline int64_t tile_row(unsigned level, uint64_t index)
{
    return (int64_t)((uint64_t)level << 56 | index);
}

static inline struct str digest_str(const struct digest *d)
{
    return (struct str){(const char *)d->bytes, sizeof d->bytes};
}

#endif
