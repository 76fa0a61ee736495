#include "graph/runs.h"

#include "base/map.h"
#include "base/must.h"

#include <stdlib.h>
#include <string.h>

#define POOL_FIRST 256U

void pool_init(struct pool *p, size_t item_size)
{
    *p = (struct pool){.item_size = item_size};
    for (unsigned i = 0; i < RUN_CLASSES; i++) {
        p->free_head[i] = MAP_NONE;
    }
}

void pool_done(struct pool *p)
{
    free(p->items);
    pool_init(p, p->item_size);
}

static NODISCARD enum rc pool_room(struct pool *p, uint32_t count)
{
    if (count <= p->capacity - p->used) {
        return RC_OK;
    }
    uint32_t grown = p->capacity == 0 ? POOL_FIRST : p->capacity;
    while (count > grown - p->used) {
        must(grown <= UINT32_MAX / 2);
        grown *= 2;
    }
    unsigned char *moved = realloc(p->items, grown * p->item_size);
    if (moved == NULL) {
        return RC_NO_MEMORY;
    }
    p->items = moved;
    p->capacity = grown;
    return RC_OK;
}

/* A place for 1 << class items. */
static NODISCARD enum rc pool_take(struct pool *p, uint32_t class, uint32_t *ret_at)
{
    if (p->free_head[class] != MAP_NONE) {
        *ret_at = p->free_head[class];
        memcpy(&p->free_head[class], p->items + *ret_at * p->item_size, sizeof p->free_head[class]);
        return RC_OK;
    }
    enum rc rc = pool_room(p, 1U << class);
    if (rc == RC_OK) {
        *ret_at = p->used;
        p->used += 1U << class;
    }
    return rc;
}

static void pool_give(struct pool *p, const struct run *r)
{
    memcpy(p->items + r->at * p->item_size, &p->free_head[r->class], sizeof p->free_head[r->class]);
    p->free_head[r->class] = r->at;
}

static NODISCARD enum rc run_grow(struct pool *p, struct run *r)
{
    uint32_t class = r->class == 0 ? 1 : r->class + 1;
    must(class < RUN_CLASSES - 1);
    uint32_t at;
    enum rc rc = pool_take(p, class, &at);
    if (rc != RC_OK) {
        return rc;
    }
    if (r->class != 0) {
        memcpy(p->items + at * p->item_size, p->items + r->at * p->item_size, r->count * p->item_size);
        pool_give(p, r);
    }
    r->at = at;
    r->class = class;
    return RC_OK;
}

enum rc pool_append(struct pool *p, struct run *r, const void *item)
{
    if (r->class == 0 || r->count == 1U << r->class) {
        enum rc rc = run_grow(p, r);
        if (rc != RC_OK) {
            return rc;
        }
    }
    memcpy(pool_at(p, r, r->count), item, p->item_size);
    r->count++;
    return RC_OK;
}
