/*
 * base/buf - bytes that grow up to the maximum they were born with.
 *
 * A failed append is sticky: append freely, check b.rc (or buf_rc) once at the end. A buffer that
 * failed holds a prefix and must not be used as if whole. Pure.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

#include <stddef.h>

struct buf {
    char *data;
    size_t len;
    size_t capacity;
    size_t max; /* bytes; len never exceeds it */
    enum rc rc; /* RC_OK, RC_LIMIT or RC_NO_MEMORY */
};

void buf_init(struct buf *b, size_t max);
void buf_done(struct buf *b);
/* Keeps the memory, forgets bytes and failure. */
void buf_reset(struct buf *b);
void buf_put(struct buf *b, const void *bytes, size_t len);
void buf_str(struct buf *b, struct str s);
void buf_char(struct buf *b, char c);
void buf_i64(struct buf *b, int64_t n);
void buf_printf(struct buf *b, const char *format, ...) PRINTF(2, 3);
/* Borrows: b. Valid until the next append. */
struct str buf_view(const struct buf *b);
/* Room for at least n more bytes at the end, or null (sticky); then buf_grown(b, used). */
char *buf_reserve(struct buf *b, size_t n);
void buf_grown(struct buf *b, size_t used);
/* Gives: the bytes, to be released with free(); b is empty again. Null when b is empty or failed. */
char *buf_take(struct buf *b, size_t *ret_len);

static inline void buf_cleanup(struct buf *b)
{
    buf_done(b);
}

#endif
