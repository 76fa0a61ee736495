/*
 * value/number - what both kinds of numbers have in common, for this folder.
 *
 * Two numbers are the same when their canonical texts are. That is the ordinary comparison except
 * for whole doubles from 2^53 to 2^63: RFC 8785 prints 2^62 as 4611686018427388000, and that text,
 * read back, is the integer 4611686018427388000. Pure.
 */
#ifndef VALUE_NUMBER_H
#define VALUE_NUMBER_H

#include "value/value.h"

enum { NUMBER_TEXT_MAX = 32 }; /* bytes of the longest double's text, rounded up */

#define NUMBER_2_63 9223372036854775808.0
#define NUMBER_1E21 1e21

/* Writes the RFC 8785 text of a finite double, no NUL; returns its length. */
size_t number_format(double n, char out[static NUMBER_TEXT_MAX]);
/* Whole and in 2^63 <= |n| < 1e21: the canonical text would be an integer that can't be read. */
bool number_is_unwritable(double n);
bool number_is(const struct value *v);
/* The integer that v's canonical text reads back as; false when it does not read as an integer. */
NODISCARD bool number_as_int(const struct value *v, int64_t *ret);
/* <0, 0, >0 by exact value; both are numbers. */
int number_cmp(const struct value *a, const struct value *b);
/* A number without a fraction, however large. */
bool number_is_whole(const struct value *v);

#endif
