/*
 * value/utf8 - code points in UTF-8.
 *
 * Strict: no overlong forms, no surrogates, nothing above U+10FFFF. Pure.
 * Source: RFC 3629 section 4.
 */
#ifndef VALUE_UTF8_H
#define VALUE_UTF8_H

#include "base/str.h"

enum { UTF8_MAX = 4 }; /* bytes of one code point */

/* Bytes of the code point at at, which is before end; 0 when they are malformed or cut. */
size_t utf8_len(const char *at, const char *end);
/* The same with the code point; 0 when malformed, ret_point untouched. */
size_t utf8_decode(const char *at, const char *end, uint32_t *ret_point);
/* out has room for UTF8_MAX; returns the bytes. point is no surrogate and at most U+10FFFF. */
size_t utf8_encode(uint32_t point, char *out);
/* Code points of valid text. */
size_t utf8_count(struct str s);
/* At most max bytes of s, never ending inside a code point: for messages. */
struct str utf8_clip(struct str s, size_t max);

#endif
