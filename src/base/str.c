#include "base/str.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_LEN 128

struct str str_slice(struct str s, size_t from, size_t to)
{
    if (to > s.len) {
        to = s.len;
    }
    if (from >= to) {
        return (struct str){NULL, 0};
    }
    return (struct str){s.ptr + from, to - from};
}

/* Two words that overlap, for lengths of a word to two. */
static bool same_8_to_16(const char *a, const char *b, size_t len)
{
    uint64_t x[2];
    uint64_t y[2];
    memcpy(&x[0], a, 8);
    memcpy(&y[0], b, 8);
    memcpy(&x[1], a + len - 8, 8);
    memcpy(&y[1], b + len - 8, 8);
    return ((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0;
}

static bool same_4_to_8(const char *a, const char *b, size_t len)
{
    uint32_t x[2];
    uint32_t y[2];
    memcpy(&x[0], a, 4);
    memcpy(&y[0], b, 4);
    memcpy(&x[1], a + len - 4, 4);
    memcpy(&y[1], b + len - 4, 4);
    return ((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0;
}

/* Most are names, for which a call of memcmp is most of the cost. */
bool str_eq(struct str a, struct str b)
{
    if (a.len != b.len) {
        return false;
    }
    if (a.len > 16) {
        return memcmp(a.ptr, b.ptr, a.len) == 0;
    }
    if (a.len >= 4) {
        return a.len >= 8 ? same_8_to_16(a.ptr, b.ptr, a.len) : same_4_to_8(a.ptr, b.ptr, a.len);
    }
    for (size_t i = 0; i < a.len; i++) {
        if (a.ptr[i] != b.ptr[i]) {
            return false;
        }
    }
    return true;
}

bool str_eq_constant_time(struct str a, struct str b)
{
    if (a.len != b.len) {
        return false;
    }
    unsigned char difference = 0;
    for (size_t i = 0; i < a.len; i++) {
        difference |= (unsigned char)((unsigned char)a.ptr[i] ^ (unsigned char)b.ptr[i]);
    }
    return difference == 0;
}

int str_cmp(struct str a, struct str b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter == 0 ? 0 : memcmp(a.ptr, b.ptr, shorter);
    if (order != 0) {
        return order;
    }
    return a.len < b.len ? -1 : a.len > b.len;
}

bool str_starts(struct str s, struct str prefix)
{
    return s.len >= prefix.len && str_eq(str_slice(s, 0, prefix.len), prefix);
}

bool str_ends(struct str s, struct str suffix)
{
    return s.len >= suffix.len && str_eq(str_slice(s, s.len - suffix.len, s.len), suffix);
}

size_t str_find(struct str s, char c)
{
    const char *at = s.len == 0 ? NULL : memchr(s.ptr, c, s.len);
    return at == NULL ? s.len : (size_t)(at - s.ptr);
}

struct str str_trim(struct str s)
{
    while (s.len > 0 && isspace((unsigned char)s.ptr[0])) {
        s.ptr++;
        s.len--;
    }
    while (s.len > 0 && isspace((unsigned char)s.ptr[s.len - 1])) {
        s.len--;
    }
    return s;
}

bool str_next(struct str *s, char sep, struct str *ret_part)
{
    if (s->ptr == NULL) {
        return false;
    }
    size_t at = str_find(*s, sep);
    *ret_part = (struct str){s->ptr, at};
    if (at == s->len) {
        *s = (struct str){NULL, 0};
    } else {
        *s = (struct str){s->ptr + at + 1, s->len - at - 1};
    }
    return true;
}

bool str_to_u64(struct str s, uint64_t *ret)
{
    uint64_t value = 0;
    if (s.len == 0) {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9' || __builtin_mul_overflow(value, 10U, &value) ||
            __builtin_add_overflow(value, (uint64_t)(s.ptr[i] - '0'), &value)) {
            return false;
        }
    }
    *ret = value;
    return true;
}

bool str_to_i64(struct str s, int64_t *ret)
{
    bool negative = s.len > 0 && s.ptr[0] == '-';
    uint64_t magnitude;
    if (!str_to_u64(negative ? str_slice(s, 1, s.len) : s, &magnitude)) {
        return false;
    }
    if (magnitude > (uint64_t)INT64_MAX + (negative ? 1 : 0)) {
        return false;
    }
    *ret = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}

bool str_to_double(struct str s, double *ret)
{
    char text[64];
    if (s.len == 0 || !str_to_c(s, text, sizeof text)) {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        if (strchr("0123456789+-.eE", text[i]) == NULL) {
            return false;
        }
    }
    char *end;
    double value = strtod(text, &end);
    if (*end != '\0' || !isfinite(value)) {
        return false;
    }
    *ret = value;
    return true;
}

bool str_glob(struct str pattern, struct str s)
{
    size_t p = 0;
    size_t i = 0;
    size_t star = SIZE_MAX;
    size_t star_at = 0;
    while (i < s.len) {
        if (p < pattern.len && pattern.ptr[p] == '*') {
            star = p++;
            star_at = i;
        } else if (p < pattern.len && (pattern.ptr[p] == '?' || pattern.ptr[p] == s.ptr[i])) {
            p++;
            i++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            i = ++star_at;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.ptr[p] == '*') {
        p++;
    }
    return p == pattern.len;
}

bool str_is_name(struct str s)
{
    if (s.len == 0 || s.len > NAME_MAX_LEN) {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!plain && (i == 0 || (c != '.' && c != '_' && c != '/' && c != '-'))) {
            return false;
        }
    }
    return true;
}

bool str_to_c(struct str s, char *out, size_t size)
{
    if (s.len >= size || (s.len > 0 && memchr(s.ptr, '\0', s.len) != NULL)) {
        return false;
    }
    if (s.len > 0) {
        memcpy(out, s.ptr, s.len);
    }
    out[s.len] = '\0';
    return true;
}
