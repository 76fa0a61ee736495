/*
 * base/arena - one lifetime with one cap.
 *
 * One per request, one per parse, one per loaded policy: everything in it is freed together. A
 * failed allocation is sticky: later ones fail too, so a builder may allocate freely and ask
 * arena_rc() once. Memory is zeroed. Pure.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

#include <stddef.h>

struct arena;

/* max_bytes: what all allocations together may take. Null only when the machine is out of memory. */
struct arena *arena_new(size_t max_bytes);
void arena_free(struct arena *a);
DEFINE_CLEANUP(arena)

/* Zeroed, aligned for any type; null when the cap or the memory is reached (see arena_rc). */
void *arena_alloc(struct arena *a, size_t size);
/* The same for count items; overflow counts as the cap. */
void *arena_array(struct arena *a, size_t count, size_t size);
/* A copy of the bytes, aligned for any type; null as above. */
void *arena_copy(struct arena *a, const void *bytes, size_t size);
/* A copy with a NUL after it; the empty string when it failed (see arena_rc). */
struct str arena_str(struct arena *a, struct str s);
struct str arena_printf(struct arena *a, const char *format, ...) PRINTF(2, 3);
/* RC_OK, RC_LIMIT (the cap) or RC_NO_MEMORY. */
enum rc arena_rc(const struct arena *a);
size_t arena_used(const struct arena *a);
/* Forgets everything, keeps some of the memory, clears a sticky failure. */
void arena_reset(struct arena *a);

#endif
