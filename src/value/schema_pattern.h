/*
 * value/schema_pattern - the regular expressions of schemas and of redaction.
 *
 * The dialect stands in schema.h. A pattern becomes a small program that is run with all its
 * alternatives at once: the time is at most text times program, whatever the pattern, so neither a
 * schema nor an input can make it explode. Pure.
 * Source: Thompson, Regular Expression Search Algorithm (1968); Cox, Regular Expression Matching:
 * the Virtual Machine Approach (2009).
 */
#ifndef VALUE_SCHEMA_PATTERN_H
#define VALUE_SCHEMA_PATTERN_H

#include "base/arena.h"
#include "base/err.h"

enum {
    PATTERN_PROGRAM_MAX = 2048, /* instructions */
    PATTERN_DEPTH_MAX = 32,     /* groups inside each other */
    PATTERN_REPEAT_MAX = 256,   /* n and m of {n,m} */
};

struct pattern;

/* Errors: RC_INVALID names the byte; RC_LIMIT for a maximum above or the arena. */
NODISCARD enum rc pattern_compile(struct arena *a, struct str text, const struct pattern **ret,
                                  struct err *e);
/*
 * Whether p matches anywhere in s. ret_work is the count of instructions that it ran; the answer
 * means nothing when that exceeds max_work, where it gives up.
 */
bool pattern_matches(const struct pattern *p, struct str s, uint64_t max_work, uint64_t *ret_work);

/* Bytes [from, to) of the text matched. */
typedef void pattern_found_fn(void *context, size_t from, size_t to);

struct pattern_search {
    struct str text; /* ^ and $ are its ends */
    size_t from;     /* what is searched; no match goes beyond it */
    size_t to;
    pattern_found_fn *found;
    void *context;
};
/*
 * Tells, for every place where matches end, the one that begins first; ends ascend. All of them
 * together cover every byte that is in any match. Empty matches are not told. False when it gave up
 * because ret_work exceeded max_work: what it told until then is incomplete.
 */
NODISCARD bool pattern_find(const struct pattern *p, const struct pattern_search *in,
                            uint64_t max_work, uint64_t *ret_work);

#endif
