/*
 * graph/runs - lists that grow, each in one piece of a pool: sizes are powers of two, and what a list leaves behind the
 * next one of that size takes. Pure.
 */
#ifndef GRAPH_RUNS_H
#define GRAPH_RUNS_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

#define RUN_CLASSES 32U

/* A run of items in a pool; it moves when it grows. */
struct run {
    uint32_t at;
    uint32_t count;
    uint32_t class; /* 1 << class items fit; 0: it has no place yet */
};

struct pool {
    unsigned char *items;
    size_t item_size;
    uint32_t used;
    uint32_t capacity;
    uint32_t free_head[RUN_CLASSES]; /* of each class; the link is in the first four bytes */
};

void pool_init(struct pool *p, size_t item_size);
void pool_done(struct pool *p);
NODISCARD enum rc pool_append(struct pool *p, struct run *r, const void *item);

static inline void *pool_at(const struct pool *p, const struct run *r, uint32_t i)
{
    return p->items + ((size_t)r->at + i) * p->item_size;
}

#endif
