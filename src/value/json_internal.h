/*
 * value/json_internal - the JSON reader's state, shared by its four files, and what plain text is.
 *
 * json_read walks arrays and objects, json_read_string and json_read_number read what stands in
 * them, json_pass goes past what is not wanted. Each advances `at` past what it took and never looks at `end` or beyond.
 */
#ifndef VALUE_JSON_INTERNAL_H
#define VALUE_JSON_INTERNAL_H

#include "value/json.h"

#include <string.h>

struct json_reader {
    const char *at;
    const char *end;
    const char *start;
    struct arena *arena;
    struct err *err;
    int depth;
    const struct json_unread *unread; /* null: all is read */
    uint64_t lengths;                 /* of its names, a bit each */
    uint64_t in_lengths;
    bool within;                      /* the member of the outermost object that unread speaks of */
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
/* at is on a value's first byte; ends on the ',' or '}' behind it, or at the end. */
void json_pass_value(struct json_reader *r);
/* at is on '-' or a digit. */
NODISCARD enum rc json_read_number(struct json_reader *r, struct value *ret);
/* Whether all of s is a number by the grammar of JSON, of whatever size. */
bool json_is_number(struct str s);

#define JSON_ONES 0x0101010101010101ULL
#define JSON_HIGHS 0x8080808080808080ULL

/* Nonzero when one of eight bytes is a quote, a backslash, a control character or not ASCII. */
static inline uint64_t json_special_among(uint64_t eight)
{
    uint64_t quote = eight ^ (JSON_ONES * '"');
    uint64_t slash = eight ^ (JSON_ONES * '\\');
    return ((quote - JSON_ONES) | (slash - JSON_ONES) | (eight - JSON_ONES * 0x20) | eight) &
           JSON_HIGHS;
}

/* Past the plain bytes at at; may stop early, in front of one that is plain after all. */
static inline const char *json_skip_plain(const char *at, const char *end)
{
    while (end - at >= 8) {
        uint64_t eight;
        memcpy(&eight, at, sizeof eight);
        uint64_t special = json_special_among(eight);
        if (special != 0) {
            /* The lowest mark is exact; borrows run upwards only. */
            return at +
                   (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? __builtin_ctzll(special) / 8 : 0);
        }
        at += 8;
    }
    return at;
}

#endif
