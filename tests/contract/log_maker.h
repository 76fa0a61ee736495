/*
 * tests/contract/log_maker - batches of sealed entries, as the writer would hand them to a store.
 */
#ifndef TESTS_CONTRACT_LOG_MAKER_H
#define TESTS_CONTRACT_LOG_MAKER_H

#include "store/store.h"

enum { MAKER_TILES_MAX = 32 };

struct log_maker {
    struct tree tree;
    struct buf headers;
    struct buf bodies;
    struct stored entries[STORE_BATCH_MAX];
    struct tile tiles[MAKER_TILES_MAX];
    size_t tile_count;
};

struct log_maker *log_maker_new(void);
void log_maker_free(struct log_maker *m);
/* The next count entries; holds until the next call. Entry n's body is {"n":n,...}, padded. */
struct batch log_maker_batch(struct log_maker *m, size_t count);
/* Appends entries one batch of at most STORE_BATCH_MAX after the other. */
void log_maker_fill(struct log_maker *m, struct store *s, size_t count);

#endif
