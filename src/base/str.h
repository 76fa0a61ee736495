/*
 * base/str - borrowed bytes, by value.
 *
 * A struct str never owns what it points at and need not end in NUL. An empty string may have a
 * null pointer. Comparison is by bytes. Pure.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include "base/attr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *ptr;
    size_t len;
};

#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})
/* For printf: printf("%.*s", STR_ARG(s)). */
#define STR_ARG(s) (int)(s).len, ((s).ptr != NULL ? (s).ptr : "")

/* Borrows: c, which ends in NUL; null gives the empty string. Here, so that a literal's length is known when it is compiled. */
static inline struct str str_from(const char *c)
{
    return (struct str){c, c == NULL ? 0 : strlen(c)};
}
struct str str_slice(struct str s, size_t from, size_t to);
bool str_eq(struct str a, struct str b);
/* Same as str_eq for secrets: takes the same time wherever the difference is. */
bool str_eq_constant_time(struct str a, struct str b);
/* <0, 0, >0 by unsigned bytes, shorter first. */
int str_cmp(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
/* Index of the first c, or s.len. */
size_t str_find(struct str s, char c);
struct str str_trim(struct str s);
/* Splits off the text before the first sep; false when s was empty already. */
bool str_next(struct str *s, char sep, struct str *ret_part);
/* Decimal, optional '-', nothing else around; false when it is not that or does not fit. */
NODISCARD bool str_to_i64(struct str s, int64_t *ret);
NODISCARD bool str_to_u64(struct str s, uint64_t *ret);
/* A decimal number such as 12, -0.5 or 1e3; false on anything else, NaN and infinities included. */
NODISCARD bool str_to_double(struct str s, double *ret);
/* '*' matches any run of bytes, '?' one byte; everything else itself. Linear in practice: the last
 * star is the only one that is retried. */
bool str_glob(struct str pattern, struct str s);
/* A declared name: [a-z0-9][a-z0-9._/-]{0,127}. Source: SEMANTICS "Ids". */
bool str_is_name(struct str s);
/* Copies into a NUL-terminated buffer of the given size; false when it does not fit or holds NUL. */
NODISCARD bool str_to_c(struct str s, char *out, size_t size);

#endif
