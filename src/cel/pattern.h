/*
 * cel/pattern - the regular expressions of matches(): RE2's, in linear time; for this folder.
 *
 * A pattern is read first by a scanner that refuses what RE2 does not have and writes the rest in
 * PCRE2's words; PCRE2's breadth-first automaton (pcre2_dfa_match) then runs all alternatives at
 * once. It is searched from one start only, behind a lazy prefix, so that the time is text times
 * pattern. Every limit fails closed. All memory is the arena's, so nothing is to be released.
 * Source: RE2's wiki "Syntax"; pcre2matching(3).
 */
#ifndef CEL_PATTERN_H
#define CEL_PATTERN_H

#include "base/arena.h"
#include "base/buf.h"

enum {
    CEL_PATTERN_TEXT_MAX = 1000,         /* bytes of a pattern */
    CEL_PATTERN_NEST_MAX = 50,           /* groups inside each other */
    CEL_PATTERN_REPEAT_MAX = 1000,       /* n and m of {n,m}, as in RE2 */
    CEL_PATTERN_COMPILED_MAX = 16 << 10, /* bytes of the automaton's program */
    CEL_PATTERN_STATES_MAX = 1000,       /* that are followed at one place of the text */
    CEL_PATTERN_HEAP_MAX_KB = 1024,      /* that one match may take beside them */
    CEL_PATTERN_MATCHES_MAX = 1000, /* inner matches; an automaton without recursion has none */
};

struct cel_pattern {
    const void *code; /* pcre2_code */
    size_t size;      /* bytes of the program: what a match costs at each byte */
};

/* Writes the PCRE2 form. False: ret_what says why and *ret_at where. */
bool cel_pattern_translate(struct str text, struct buf *out, const char **ret_what, size_t *ret_at);
/* False: ret_what says why, in a. */
bool cel_pattern_compile(struct arena *a, struct str text, struct cel_pattern *ret,
                         struct str *ret_what);

/* What matching needs; one of them serves one evaluation. Null: no memory. */
struct cel_matcher;
struct cel_matcher *cel_matcher_new(struct arena *a);
enum pattern_result { PATTERN_NO = 0, PATTERN_YES, PATTERN_GAVE_UP, PATTERN_NOT_TEXT };
enum pattern_result cel_pattern_search(const struct cel_matcher *m, const struct cel_pattern *p,
                                       struct str text);

#endif
