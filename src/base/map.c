#include "base/map.h"

#include "base/must.h"

#include <stdlib.h>
#include <string.h>

#define MAP_FIRST 16U

static uint64_t rotate(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

static uint64_t sip_hash(uint64_t seed, const char *bytes, size_t len)
{
    uint64_t v[4] = {seed ^ 0x736f6d6570736575U, seed ^ 0x646f72616e646f6dU,
                     seed ^ 0x6c7967656e657261U, seed ^ 0x7465646279746573U};
    size_t i = 0;
    for (; i + 8 <= len; i += 8) {
        uint64_t word;
        memcpy(&word, bytes + i, 8);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    uint64_t last = (uint64_t)len << 56;
    for (size_t k = 0; i + k < len; k++) {
        last |= (uint64_t)(unsigned char)bytes[i + k] << (8 * k);
    }
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    sip_round(v);
    sip_round(v);
    sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* Grow at three quarters full. */
static bool is_full(uint32_t count, uint32_t capacity)
{
    return (uint64_t)(count + 1) * 4 > (uint64_t)capacity * 3;
}

void strmap_init(struct strmap *m, uint64_t seed)
{
    *m = (struct strmap){.seed = seed};
}

void strmap_done(struct strmap *m)
{
    free(m->slots);
    *m = (struct strmap){.seed = m->seed};
}

/* The slot that holds key, or the empty one where it would go. */
static struct strmap_slot *strmap_slot(const struct strmap *m, struct str key, uint32_t hash)
{
    uint32_t at = hash & (m->capacity - 1);
    for (;;) {
        struct strmap_slot *s = &m->slots[at];
        if (s->index == MAP_NONE || (s->hash == hash && str_eq(s->key, key))) {
            return s;
        }
        at = (at + 1) & (m->capacity - 1);
    }
}

uint32_t strmap_get(const struct strmap *m, struct str key)
{
    if (m->count == 0) {
        return MAP_NONE;
    }
    return strmap_slot(m, key, (uint32_t)sip_hash(m->seed, key.ptr, key.len))->index;
}

static enum rc strmap_grow(struct strmap *m)
{
    must(m->capacity <= UINT32_MAX / 4);
    struct strmap grown = {.seed = m->seed, .count = m->count};
    grown.capacity = m->capacity == 0 ? MAP_FIRST : m->capacity * 2;
    grown.slots = malloc(grown.capacity * sizeof *grown.slots);
    if (grown.slots == NULL) {
        return RC_NO_MEMORY;
    }
    for (uint32_t i = 0; i < grown.capacity; i++) {
        grown.slots[i] = (struct strmap_slot){.index = MAP_NONE};
    }
    for (uint32_t i = 0; i < m->capacity; i++) {
        const struct strmap_slot *s = &m->slots[i];
        if (s->index != MAP_NONE) {
            *strmap_slot(&grown, s->key, s->hash) = *s;
        }
    }
    free(m->slots);
    *m = grown;
    return RC_OK;
}

enum rc strmap_put(struct strmap *m, struct str key, uint32_t index)
{
    must(index != MAP_NONE);
    if (is_full(m->count, m->capacity)) {
        enum rc rc = strmap_grow(m);
        if (rc != RC_OK) {
            return rc;
        }
    }
    uint32_t hash = (uint32_t)sip_hash(m->seed, key.ptr, key.len);
    struct strmap_slot *s = strmap_slot(m, key, hash);
    m->count += s->index == MAP_NONE ? 1 : 0;
    *s = (struct strmap_slot){.key = key, .hash = hash, .index = index};
    return RC_OK;
}

void strmap_remove(struct strmap *m, struct str key)
{
    if (m->count == 0) {
        return;
    }
    uint32_t mask = m->capacity - 1;
    struct strmap_slot *s = strmap_slot(m, key, (uint32_t)sip_hash(m->seed, key.ptr, key.len));
    if (s->index == MAP_NONE) {
        return;
    }
    /* Close the gap: move back every later slot of the run that may stand here. */
    uint32_t gap = (uint32_t)(s - m->slots);
    for (uint32_t at = (gap + 1) & mask; m->slots[at].index != MAP_NONE; at = (at + 1) & mask) {
        uint32_t home = m->slots[at].hash & mask;
        if (((at - home) & mask) >= ((at - gap) & mask)) {
            m->slots[gap] = m->slots[at];
            gap = at;
        }
    }
    m->slots[gap] = (struct strmap_slot){.index = MAP_NONE};
    m->count--;
}

void idmap_init(struct idmap *m, uint64_t seed)
{
    *m = (struct idmap){.seed = seed};
}

void idmap_done(struct idmap *m)
{
    free(m->slots);
    *m = (struct idmap){.seed = m->seed};
}

/* Most keys are ids that were given one after the other: eight of them are neighbours, in two lines of the cache and not
 * in eight. */
static uint32_t idmap_home(const struct idmap *m, uint64_t key)
{
    uint64_t x = key ^ m->seed;
    uint64_t group = (x >> 3) * 0x9e3779b97f4a7c15U;
    return ((uint32_t)(group >> 32) << 3 | (uint32_t)(x & 7)) & (m->capacity - 1);
}

static struct idmap_slot *idmap_slot(const struct idmap *m, uint64_t key)
{
    uint32_t at = idmap_home(m, key);
    while (m->slots[at].index != MAP_NONE && m->slots[at].key != key) {
        at = (at + 1) & (m->capacity - 1);
    }
    return &m->slots[at];
}

uint32_t idmap_get(const struct idmap *m, uint64_t key)
{
    return m->count == 0 ? MAP_NONE : idmap_slot(m, key)->index;
}

static enum rc idmap_grow(struct idmap *m)
{
    must(m->capacity <= UINT32_MAX / 4);
    struct idmap grown = {.seed = m->seed, .count = m->count};
    grown.capacity = m->capacity == 0 ? MAP_FIRST : m->capacity * 2;
    grown.slots = malloc(grown.capacity * sizeof *grown.slots);
    if (grown.slots == NULL) {
        return RC_NO_MEMORY;
    }
    for (uint32_t i = 0; i < grown.capacity; i++) {
        grown.slots[i] = (struct idmap_slot){.index = MAP_NONE};
    }
    for (uint32_t i = 0; i < m->capacity; i++) {
        if (m->slots[i].index != MAP_NONE) {
            *idmap_slot(&grown, m->slots[i].key) = m->slots[i];
        }
    }
    free(m->slots);
    *m = grown;
    return RC_OK;
}

enum rc idmap_put(struct idmap *m, uint64_t key, uint32_t index)
{
    must(index != MAP_NONE);
    if (is_full(m->count, m->capacity)) {
        enum rc rc = idmap_grow(m);
        if (rc != RC_OK) {
            return rc;
        }
    }
    struct idmap_slot *s = idmap_slot(m, key);
    m->count += s->index == MAP_NONE ? 1 : 0;
    *s = (struct idmap_slot){.key = key, .index = index};
    return RC_OK;
}

void idmap_remove(struct idmap *m, uint64_t key)
{
    if (m->count == 0) {
        return;
    }
    uint32_t mask = m->capacity - 1;
    struct idmap_slot *s = idmap_slot(m, key);
    if (s->index == MAP_NONE) {
        return;
    }
    uint32_t gap = (uint32_t)(s - m->slots);
    for (uint32_t at = (gap + 1) & mask; m->slots[at].index != MAP_NONE; at = (at + 1) & mask) {
        uint32_t home = idmap_home(m, m->slots[at].key);
        if (((at - home) & mask) >= ((at - gap) & mask)) {
            m->slots[gap] = m->slots[at];
            gap = at;
        }
    }
    m->slots[gap] = (struct idmap_slot){.index = MAP_NONE};
    m->count--;
}
