#include "base/buf.h"

#include "base/must.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUF_FIRST 256

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max};
}

void buf_done(struct buf *b)
{
    free(b->data);
    *b = (struct buf){.max = b->max};
}

void buf_reset(struct buf *b)
{
    b->len = 0;
    b->rc = RC_OK;
}

static bool buf_grow(struct buf *b, size_t need)
{
    size_t capacity = b->capacity == 0 ? BUF_FIRST : b->capacity;
    while (capacity < need) {
        if (__builtin_mul_overflow(capacity, (size_t)2, &capacity)) {
            capacity = b->max;
        }
    }
    if (capacity > b->max) {
        capacity = b->max;
    }
    char *data = realloc(b->data, capacity);
    if (data == NULL) {
        b->rc = RC_NO_MEMORY;
        return false;
    }
    b->data = data;
    b->capacity = capacity;
    return true;
}

char *buf_reserve(struct buf *b, size_t n)
{
    if (b->rc != RC_OK) {
        return NULL;
    }
    if (n > b->max - b->len) {
        b->rc = RC_LIMIT;
        return NULL;
    }
    if (b->capacity - b->len < n && !buf_grow(b, b->len + n)) {
        return NULL;
    }
    return b->data + b->len;
}

void buf_grown(struct buf *b, size_t used)
{
    must(used <= b->capacity - b->len);
    b->len += used;
}

void buf_put(struct buf *b, const void *bytes, size_t len)
{
    if (len == 0) {
        return;
    }
    char *at = buf_reserve(b, len);
    if (at != NULL) {
        memcpy(at, bytes, len);
        b->len += len;
    }
}

void buf_str(struct buf *b, struct str s)
{
    buf_put(b, s.ptr, s.len);
}

void buf_char(struct buf *b, char c)
{
    buf_put(b, &c, 1);
}

void buf_i64(struct buf *b, int64_t n)
{
    char digits[20];
    size_t at = sizeof digits;
    uint64_t magnitude = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
    do {
        digits[--at] = (char)('0' + magnitude % 10);
        magnitude /= 10;
    } while (magnitude != 0);
    if (n < 0) {
        digits[--at] = '-';
    }
    buf_put(b, digits + at, sizeof digits - at);
}

void buf_printf(struct buf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    must(len >= 0);
    /* One byte more for the NUL that vsnprintf writes and the length does not count. */
    char *at = buf_reserve(b, (size_t)len + 1);
    if (at != NULL) {
        vsnprintf(at, (size_t)len + 1, format, again);
        b->len += (size_t)len;
    }
    va_end(again);
}

struct str buf_view(const struct buf *b)
{
    return (struct str){b->data, b->len};
}

char *buf_take(struct buf *b, size_t *ret_len)
{
    if (b->rc != RC_OK || b->len == 0) {
        return NULL;
    }
    char *data = b->data;
    *ret_len = b->len;
    *b = (struct buf){.max = b->max};
    return data;
}
