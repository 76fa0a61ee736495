/*
 * api/limits - how often a credential may ask, and how many bytes an agent may send a day.
 *
 * A token bucket per credential, in whole numbers. Counts are in memory: a restart forgives.
 */
#include "api/call.h"

#include "base/must.h"

#include <stdlib.h>

struct bucket {
    int64_t milli_tokens;
    int64_t at_ms;
    int64_t day; /* since the epoch, in UTC */
    int64_t bytes; /* sent on that day */
};

struct limits {
    int64_t rate_per_s;
    int64_t burst;
    int64_t daily_bytes;
    struct idmap index;
    struct bucket *buckets;
    uint32_t count;
    uint32_t capacity;
};

struct limits *limits_new(int64_t rate_per_s, int64_t burst, int64_t daily_bytes)
{
    struct limits *l = calloc(1, sizeof *l);
    if (l != NULL) {
        l->rate_per_s = rate_per_s;
        l->burst = burst;
        l->daily_bytes = daily_bytes;
        idmap_init(&l->index, 0);
    }
    return l;
}

void limits_free(struct limits *l)
{
    if (l != NULL) {
        idmap_done(&l->index);
        free(l->buckets);
        free(l);
    }
}

static struct bucket *bucket_of(struct limits *l, uint64_t token, int64_t now_ms)
{
    uint32_t at = idmap_get(&l->index, token);
    if (at != MAP_NONE) {
        return &l->buckets[at];
    }
    if (l->count == l->capacity) {
        uint32_t capacity = l->capacity == 0 ? 16 : l->capacity * 2;
        struct bucket *grown = realloc(l->buckets, capacity * sizeof *grown);
        if (grown == NULL) {
            return NULL;
        }
        l->buckets = grown;
        l->capacity = capacity;
    }
    if (idmap_put(&l->index, token, l->count) != RC_OK) {
        return NULL;
    }
    l->buckets[l->count] = (struct bucket){.milli_tokens = l->burst * 1000, .at_ms = now_ms};
    return &l->buckets[l->count++];
}

bool limits_take(struct limits *l, uint64_t token, int64_t now_ms, int64_t *ret_retry_ms)
{
    *ret_retry_ms = 1000;
    struct bucket *b = bucket_of(l, token, now_ms);
    if (b == NULL) {
        return false; /* no memory to count with: refuse */
    }
    int64_t passed = now_ms > b->at_ms ? now_ms - b->at_ms : 0;
    int64_t full = l->burst * 1000;
    /* A second at rate r is r tokens, so a millisecond is r thousandths. */
    int64_t filled = passed > full / l->rate_per_s ? full : b->milli_tokens + passed * l->rate_per_s;
    b->milli_tokens = filled > full ? full : filled;
    b->at_ms = now_ms;
    if (b->milli_tokens < 1000) {
        *ret_retry_ms = (1000 - b->milli_tokens) / l->rate_per_s + 1;
        return false;
    }
    b->milli_tokens -= 1000;
    return true;
}

bool limits_take_bytes(struct limits *l, uint64_t token, int64_t now_ms, size_t size, int64_t *ret_retry_ms)
{
    struct bucket *b = bucket_of(l, token, now_ms);
    int64_t day = now_ms / DAY_MS;
    *ret_retry_ms = (day + 1) * DAY_MS - now_ms;
    if (b == NULL) {
        return false;
    }
    if (b->day != day) {
        b->day = day;
        b->bytes = 0;
    }
    if ((int64_t)size > l->daily_bytes - b->bytes) {
        return false;
    }
    b->bytes += (int64_t)size;
    return true;
}
