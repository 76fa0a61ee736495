/*
 * base/map - from a key to a 32-bit index: the lookup beside a table that the caller keeps.
 *
 * Two kinds with one body: strmap (byte-string keys, borrowed: they must outlive the map) and idmap
 * (64-bit numbers). Open addressing, SipHash-1-3 under a seed, so that input can't choose
 * collisions. There is no iteration on purpose: tables are walked in their own order, never in hash
 * order, so results can't depend on the seed. Pure.
 * Source: Aumasson and Bernstein, SipHash (2012), with one compression and three final rounds.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

#define MAP_NONE UINT32_MAX /* too large for an enum */

struct strmap_slot {
    struct str key;
    uint32_t hash;
    uint32_t index; /* MAP_NONE: empty */
};

struct strmap {
    struct strmap_slot *slots;
    uint32_t capacity; /* a power of two, or 0 */
    uint32_t count;
    uint64_t seed;
};

void strmap_init(struct strmap *m, uint64_t seed);
void strmap_done(struct strmap *m);
/* The index, or MAP_NONE. */
uint32_t strmap_get(const struct strmap *m, struct str key);
/* Keeps: key's bytes by reference. Replaces the index of a key that is there. RC_NO_MEMORY. */
NODISCARD enum rc strmap_put(struct strmap *m, struct str key, uint32_t index);
void strmap_remove(struct strmap *m, struct str key);

struct idmap_slot {
    uint64_t key;
    uint32_t index;
};

struct idmap {
    struct idmap_slot *slots;
    uint32_t capacity;
    uint32_t count;
    uint64_t seed;
};

void idmap_init(struct idmap *m, uint64_t seed);
void idmap_done(struct idmap *m);
uint32_t idmap_get(const struct idmap *m, uint64_t key);
NODISCARD enum rc idmap_put(struct idmap *m, uint64_t key, uint32_t index);
void idmap_remove(struct idmap *m, uint64_t key);

#endif
