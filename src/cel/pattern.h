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
    CEL_PATTERN_STATES_MAX = 256,        /* that are followed at one place of the text */
    CEL_PATTERN_HEAP_MAX_KB = 1024,      /* that one match may take beside them */
    CEL_PATTERN_MATCHES_MAX = 1000, /* inner matches; an automaton without recursion has none */
};

struct cel_pattern {
    const void *code; /* pcre2_code */
    uint32_t places;  /* where the automaton can stand: its states at one byte are no more */
};

/* Why a pattern is refused, and at which of its bytes. */
struct cel_pattern_fault {
    const char *what;
    size_t at;
};

/* Writes the PCRE2 form. */
bool cel_pattern_translate(struct str text, struct buf *out, uint32_t *ret_places,
                           struct cel_pattern_fault *ret_fault);
/* False: ret_what says why, in a. */
bool cel_pattern_compile(struct arena *a, struct str text, struct cel_pattern *ret,
                         struct str *ret_what);
/*
 * Steps of a match at each byte, for a pattern with so many places. The automaton looks at each of
 * its states, and compares each with those before it; past STATES_MAX it gives up.
 */
uint64_t cel_pattern_cost(uint32_t places);

/* What matching needs; one of them serves one evaluation. Null: no memory. */
struct cel_matcher;
struct cel_matcher *cel_matcher_new(struct arena *a);
enum pattern_result { PATTERN_NO = 0, PATTERN_YES, PATTERN_GAVE_UP, PATTERN_NOT_TEXT };
enum pattern_result cel_pattern_search(const struct cel_matcher *m, const struct cel_pattern *p,
                                       struct str text);

#endif
