/*
 * value/json_internal - the JSON reader's state, shared by its three files.
 *
 * json_read walks arrays and objects, json_read_string and json_read_number read what stands in
 * them. Each advances `at` past what it took and never looks at `end` or beyond.
 */
#ifndef VALUE_JSON_INTERNAL_H
#define VALUE_JSON_INTERNAL_H

#include "value/json.h"

struct json_reader {
    const char *at;
    const char *end;
    const char *start;
    struct arena *arena;
    struct err *err;
    int depth;
    /* Members and items of what is being read; those of the innermost come last. */
    struct member *pending;
    uint32_t pending_count;
    uint32_t pending_capacity;
};

/* Fails with the byte offset of place, which is in the text or its end. */
enum rc json_fail(struct json_reader *r, const char *place, const char *what);
/* RC_OK, or the arena's failure as an error. */
NODISCARD enum rc json_arena_rc(struct json_reader *r);
/* at is behind the opening quote; ends behind the closing one. */
NODISCARD enum rc json_read_string(struct json_reader *r, struct str *ret);
/* at is on '-' or a digit. */
NODISCARD enum rc json_read_number(struct json_reader *r, struct value *ret);

#endif
