/*
 * sys/random - random bytes from the kernel.
 *
 * random_bytes asks getrandom(2) each time: for keys and tokens. A random_pool fetches a page at a
 * time and hands each byte out once, wiping it: for the many salts of the ledger.
 *
 * Threads: a pool belongs to one thread. A process that forks must not use it in the child.
 */
#ifndef SYS_RANDOM_H
#define SYS_RANDOM_H

#include <stddef.h>
#include <stdint.h>

enum { RANDOM_POOL_SIZE = 4096 }; /* bytes; one taking is at most that */

/* Never fails: a kernel without randomness is a must(). Waits while the kernel gathers it at boot. */
void random_bytes(void *out, size_t len);

struct random_pool {
    uint8_t bytes[RANDOM_POOL_SIZE];
    size_t left; /* bytes not handed out yet; 0 in zeroed memory */
};

/* Zeroed memory is an empty pool: struct random_pool p = {0}. */
void random_pool_take(struct random_pool *p, void *out, size_t len);
/* Wipes what is left. */
void random_pool_done(struct random_pool *p);

#endif
