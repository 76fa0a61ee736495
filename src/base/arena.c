#include "base/arena.h"

#include "base/must.h"

#include <stdarg.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHUNK_FIRST = 4096,
    CHUNK_MAX = 1 << 20,
    CHUNK_KEPT = 64 << 10, /* what is kept of a reset arena is no larger */
    ALIGN = alignof(max_align_t),
};

struct chunk {
    struct chunk *next;
    size_t size;
    size_t used;
    alignas(max_align_t) char bytes[];
};

struct arena {
    struct chunk *first;
    struct chunk *last;
    size_t max_bytes;
    size_t used;
    enum rc rc;
};

static struct chunk *chunk_new(size_t size)
{
    size_t total;
    if (__builtin_add_overflow(size, sizeof(struct chunk), &total)) {
        return NULL;
    }
    struct chunk *c = malloc(total);
    if (c != NULL) {
        *c = (struct chunk){.size = size};
    }
    return c;
}

struct arena *arena_new(size_t max_bytes)
{
    struct arena *a = malloc(sizeof *a);
    if (a == NULL) {
        return NULL;
    }
    struct chunk *c = chunk_new(CHUNK_FIRST);
    if (c == NULL) {
        free(a);
        return NULL;
    }
    *a = (struct arena){.first = c, .last = c, .max_bytes = max_bytes};
    return a;
}

static void chunks_free(struct chunk *c)
{
    while (c != NULL) {
        struct chunk *next = c->next;
        free(c);
        c = next;
    }
}

void arena_free(struct arena *a)
{
    if (a != NULL) {
        chunks_free(a->first);
        free(a);
    }
}

static struct chunk *chunk_add(struct arena *a, size_t size)
{
    size_t next = a->last->size * 2 < CHUNK_MAX ? a->last->size * 2 : CHUNK_MAX;
    struct chunk *c = chunk_new(size > next ? size : next);
    if (c != NULL) {
        a->last->next = c;
        a->last = c;
    }
    return c;
}

/* As they were left. */
static void *take_bytes(struct arena *a, size_t size)
{
    must(a != NULL);
    size_t rounded;
    if (__builtin_add_overflow(size, (size_t)ALIGN - 1, &rounded)) {
        a->rc = RC_LIMIT;
    }
    rounded &= ~((size_t)ALIGN - 1);
    if (a->rc == RC_OK && rounded > a->max_bytes - a->used) {
        a->rc = RC_LIMIT;
    }
    if (a->rc != RC_OK) {
        return NULL;
    }
    struct chunk *c = a->last;
    if (c->size - c->used < rounded) {
        c = chunk_add(a, rounded);
        if (c == NULL) {
            a->rc = RC_NO_MEMORY;
            return NULL;
        }
    }
    char *at = c->bytes + c->used;
    c->used += rounded;
    a->used += rounded;
    return at;
}

void *arena_alloc(struct arena *a, size_t size)
{
    void *at = take_bytes(a, size);
    if (at != NULL) {
        memset(at, 0, (size + ALIGN - 1) & ~((size_t)ALIGN - 1));
    }
    return at;
}

void *arena_copy(struct arena *a, const void *bytes, size_t size)
{
    void *at = take_bytes(a, size);
    if (at != NULL && size > 0) {
        memcpy(at, bytes, size);
    }
    return at;
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total)) {
        a->rc = RC_LIMIT;
        return NULL;
    }
    return arena_alloc(a, total);
}

struct str arena_str(struct arena *a, struct str s)
{
    char *copy = arena_alloc(a, s.len + 1);
    if (copy == NULL) {
        return STR("");
    }
    if (s.len > 0) {
        memcpy(copy, s.ptr, s.len);
    }
    return (struct str){copy, s.len};
}

struct str arena_printf(struct arena *a, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = len < 0 ? NULL : arena_alloc(a, (size_t)len + 1);
    if (text != NULL) {
        vsnprintf(text, (size_t)len + 1, format, again);
    }
    va_end(again);
    return text == NULL ? STR("") : (struct str){text, (size_t)len};
}

enum rc arena_rc(const struct arena *a)
{
    return a->rc;
}

size_t arena_used(const struct arena *a)
{
    return a->used;
}

/* Chunks grow, so that the one that is kept soon holds all that is needed again and again. */
void arena_reset(struct arena *a)
{
    struct chunk *kept = a->first;
    for (struct chunk *c = a->first->next; c != NULL; c = c->next) {
        kept = c->size > kept->size && c->size <= CHUNK_KEPT ? c : kept;
    }
    for (struct chunk *c = a->first; c != NULL;) {
        struct chunk *next = c->next;
        if (c != kept) {
            free(c);
        }
        c = next;
    }
    kept->next = NULL;
    kept->used = 0;
    a->first = kept;
    a->last = kept;
    a->used = 0;
    a->rc = RC_OK;
}
