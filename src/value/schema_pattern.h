/*
 * value/schema_pattern - the regular expressions of schemas, for this folder.
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

#endif
