/*
 * crypto/structured_field - the part of HTTP's structured fields that signatures and digests use.
 *
 * Each reader takes what it knows from the front of *in and leaves the rest; on false, *in is where
 * it stuck. Only one spelling of a thing is read, the one that a serializer writes (one space
 * between items, none around parameters, no leading zeros), so that what was sent can be signed
 * text without being written anew. Not read: decimals, dates, and backslashes in strings. Pure.
 * Source: RFC 8941 sections 3 and 4, now RFC 9651.
 */
#ifndef CRYPTO_STRUCTURED_FIELD_H
#define CRYPTO_STRUCTURED_FIELD_H

#include "base/str.h"

enum sf_type {
    SF_BOOLEAN = 0,
    SF_INTEGER,
    SF_STRING,
    SF_TOKEN,
    SF_BYTES,
};

struct sf_item {
    enum sf_type type;
    bool boolean;
    int64_t integer; /* up to 15 digits */
    struct str text; /* a string's characters, a token, the base64 of bytes */
};

struct sf_param {
    struct str key;
    struct sf_item value; /* true when it has none */
};

/* One byte, taken when it is next. */
bool sf_char(struct str *in, char c);
NODISCARD bool sf_key(struct str *in, struct str *ret);
NODISCARD bool sf_item(struct str *in, struct sf_item *ret);
/* ";key" or ";key=value": ret_there is false, and *in untouched, when something else is next. */
NODISCARD bool sf_param(struct str *in, bool *ret_there, struct sf_param *ret);
/* Reads and drops all parameters that are next. */
NODISCARD bool sf_params_skip(struct str *in);
/* The comma between two members of a dictionary or the end: ret_more says which. */
NODISCARD bool sf_next_member(struct str *in, bool *ret_more);

#endif
