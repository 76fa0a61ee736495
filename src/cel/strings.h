/*
 * cel/strings - positions in strings, shared by the files of the strings extension; for this
 * folder.
 */
#ifndef CEL_STRINGS_H
#define CEL_STRINGS_H

#include "cel/functions.h"

/* The byte where the code point of that index begins; s.len is one behind the last. SIZE_MAX: there
 * are not that many. */
size_t string_offset(struct str s, int64_t index);
/* The first place where what stands, or null. */
const char *string_find(struct str s, struct str what);
/* Charges for work on so many bytes. False: *ret is the error. */
bool string_charge(struct machine *m, const struct cel_node *n, size_t bytes,
                   struct cel_value *ret);
/* format.c */
cel_call_fn call_format;

#endif
