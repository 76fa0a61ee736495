#include "value/utf8.h"

#include "value/json.h"

#include <string.h>

static bool is_tail(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

/* Bytes that a first byte announces; 0 for one that can't begin a code point. */
static size_t announced(unsigned char c)
{
    if (c < 0x80) {
        return 1;
    }
    if (c < 0xc2) {
        return 0; /* a tail byte, or an overlong form of ASCII */
    }
    return c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
}

/* The second byte's range depends on the first where overlong forms and surrogates begin. */
static bool second_fits(unsigned char first, unsigned char second)
{
    switch (first) {
    case 0xe0:
        return second >= 0xa0;
    case 0xed:
        return second < 0xa0;
    case 0xf0:
        return second >= 0x90;
    case 0xf4:
        return second < 0x90;
    default:
        return true;
    }
}

size_t utf8_len(const char *at, const char *end)
{
    unsigned char first = (unsigned char)*at;
    size_t len = announced(first);
    if (len < 2 || len > (size_t)(end - at)) {
        return len == 1 ? 1 : 0;
    }
    for (size_t i = 1; i < len; i++) {
        if (!is_tail((unsigned char)at[i])) {
            return 0;
        }
    }
    return second_fits(first, (unsigned char)at[1]) ? len : 0;
}

size_t utf8_decode(const char *at, const char *end, uint32_t *ret_point)
{
    static const unsigned char first_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    size_t len = utf8_len(at, end);
    if (len == 0) {
        return 0;
    }
    uint32_t point = (unsigned char)*at & first_bits[len];
    for (size_t i = 1; i < len; i++) {
        point = point << 6 | ((unsigned char)at[i] & 0x3f);
    }
    *ret_point = point;
    return len;
}

size_t utf8_encode(uint32_t point, char *out)
{
    static const unsigned char marks[] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t len = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (point & 0x3f));
        point >>= 6;
    }
    out[0] = (char)(marks[len] | point);
    return len;
}

size_t utf8_count(struct str s)
{
    size_t count = 0;
    for (size_t i = 0; i < s.len; i++) {
        count += !is_tail((unsigned char)s.ptr[i]);
    }
    return count;
}

struct str utf8_clip(struct str s, size_t max)
{
    if (s.len <= max) {
        return s;
    }
    while (max > 0 && is_tail((unsigned char)s.ptr[max])) {
        max--;
    }
    return (struct str){s.ptr, max};
}

bool utf8_valid(struct str s)
{
    const char *end = s.len > 0 ? s.ptr + s.len : s.ptr;
    for (const char *at = s.ptr; at != end;) {
        size_t len = utf8_len(at, end);
        if (len == 0) {
            return false;
        }
        at += len;
    }
    return true;
}
