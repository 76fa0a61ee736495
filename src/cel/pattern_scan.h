/*
 * cel/pattern_scan - the scanner's state, shared by its two files; for this folder.
 *
 * pattern_scan.c has groups and repetitions, pattern_class.c escapes and character classes.
 */
#ifndef CEL_PATTERN_SCAN_H
#define CEL_PATTERN_SCAN_H

#include "cel/pattern.h"

enum item { ITEM_NONE, ITEM_ATOM, ITEM_REPEATED };

/* A group that is open, or the whole pattern. */
struct frame {
    uint32_t places; /* in it so far, where the automaton can stand */
    bool multiline;
};

struct scan {
    struct str text;
    size_t at;
    struct buf *out;
    const char *what; /* of the failure */
    enum item before; /* what a repetition here would repeat */
    size_t atom;      /* where that begins in out */
    uint32_t places;  /* of that */
    bool single;      /* that is one character, not a group */
    int nest;
    struct frame frames[CEL_PATTERN_NEST_MAX + 1];
};

/* Counts places of the innermost group. */
void scan_add_places(struct scan *s, uint32_t count);
/* What follows is one character that may be repeated. */
void scan_begin_single(struct scan *s);
/* Notes why; false. */
bool scan_refuse(struct scan *s, const char *what);
/* The byte that far ahead, NUL behind the end. */
char scan_look(const struct scan *s, size_t ahead);
bool scan_among(char c, const char *set);
bool scan_is_alnum(char c);
/* Behind the backslash. */
bool scan_escape(struct scan *s, bool in_class);
/* At the opening bracket. */
bool scan_class(struct scan *s);

enum { PLACES_MAX = 1 << 20 };

#endif
