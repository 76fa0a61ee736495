/* Literals: what their text stands for. */
#include "cel/lexer.h"

#include "value/utf8.h"

#include <string.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decimal or 0x digits that the lexer passed; false when they don't fit. */
static bool magnitude(struct str text, uint64_t *ret)
{
    uint64_t base = 10;
    size_t i = 0;
    if (text.len > 2 && text.ptr[0] == '0' && (text.ptr[1] | 0x20) == 'x') {
        base = 16;
        i = 2;
    }
    uint64_t n = 0;
    for (; i < text.len; i++) {
        if (__builtin_mul_overflow(n, base, &n) ||
            __builtin_add_overflow(n, (uint64_t)hex_digit(text.ptr[i]), &n)) {
            return false;
        }
    }
    *ret = n;
    return true;
}

bool literal_int(struct str text, bool negative, int64_t *ret, const char **what)
{
    uint64_t n;
    uint64_t limit = (uint64_t)INT64_MAX + (negative ? 1 : 0);
    if (!magnitude(text, &n) || n > limit) {
        *what = "an int literal beyond 64 bits";
        return false;
    }
    *ret = negative ? (int64_t)(0 - n) : (int64_t)n;
    return true;
}

bool literal_uint(struct str text, uint64_t *ret, const char **what)
{
    if (!magnitude(str_slice(text, 0, text.len - 1), ret)) {
        *what = "a uint literal beyond 64 bits";
        return false;
    }
    return true;
}

/* digits hexadecimal digits at at; false when they are not there. */
static bool read_hex(struct str s, size_t at, size_t digits, uint32_t *ret)
{
    uint32_t n = 0;
    if (s.len < at + digits) {
        return false;
    }
    for (size_t i = 0; i < digits; i++) {
        int digit = hex_digit(s.ptr[at + i]);
        if (digit < 0) {
            return false;
        }
        n = n << 4 | (uint32_t)digit;
    }
    *ret = n;
    return true;
}

static bool read_octal(struct str s, size_t at, uint32_t *ret)
{
    if (s.len < at + 3 || s.ptr[at] > '3') {
        return false;
    }
    uint32_t n = 0;
    for (size_t i = 0; i < 3; i++) {
        char c = s.ptr[at + i];
        if (c < '0' || c > '7') {
            return false;
        }
        n = n << 3 | (uint32_t)(c - '0');
    }
    *ret = n;
    return true;
}

/* The escapes of one character, as from and to. */
static bool simple_escape(char c, char *ret)
{
    static const char from[] = "abfnrtv\\?\"'`";
    static const char to[] = "\a\b\f\n\r\t\v\\?\"'`";
    const char *found = c == '\0' ? NULL : strchr(from, c);
    if (found == NULL) {
        return false;
    }
    *ret = to[found - from];
    return true;
}

struct unescape {
    struct str in;
    size_t at; /* behind the backslash */
    bool bytes;
    char *out;
    size_t len;
};

static bool put_point(struct unescape *u, uint32_t point, const char **what)
{
    if (point > 0x10FFFF || (point >= 0xD800 && point < 0xE000)) {
        *what = "an escape that is no Unicode code point";
        return false;
    }
    u->len += utf8_encode(point, u->out + u->len);
    return true;
}

static bool unescape_one(struct unescape *u, const char **what)
{
    *what = "an unknown escape";
    char c = u->at < u->in.len ? u->in.ptr[u->at] : '\0';
    uint32_t n;
    if (simple_escape(c, &u->out[u->len])) {
        u->len++;
        u->at++;
        return true;
    }
    size_t digits = c == 'x' || c == 'X' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    if (digits > 0) {
        if ((u->bytes && digits > 2) || !read_hex(u->in, u->at + 1, digits, &n)) {
            return false;
        }
        u->at += 1 + digits;
    } else if (read_octal(u->in, u->at, &n)) {
        u->at += 3;
    } else {
        return false;
    }
    if (u->bytes) {
        u->out[u->len++] = (char)n;
        return true;
    }
    return put_point(u, n, what);
}

bool literal_text(struct str text, bool bytes, char *out, size_t *ret_len, const char **what)
{
    size_t start = bytes ? 1 : 0;
    bool raw = text.ptr[start] == 'r' || text.ptr[start] == 'R';
    start += raw;
    char quote = text.ptr[start];
    size_t width =
        text.len >= start + 6 && text.ptr[start + 1] == quote && text.ptr[start + 2] == quote ? 3
                                                                                              : 1;
    struct unescape u = {str_slice(text, start + width, text.len - width), 0, bytes, out, 0};
    while (u.at < u.in.len) {
        char c = u.in.ptr[u.at++];
        if (c != '\\' || raw) {
            u.out[u.len++] = c;
        } else if (!unescape_one(&u, what)) {
            return false;
        }
    }
    *ret_len = u.len;
    return true;
}
