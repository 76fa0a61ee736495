/*
 * diff/compare - what differs between two values, member by member.
 *
 * Objects are compared by their members' names, lists of texts and numbers as sets (a list that only changed its order
 * is one row with both), lists of objects that all have a `name` by that, and other lists item by item. The time is
 * n log n in the input whatever its order, and nothing is recursed into deeper than DIFF_WALK_MAX. Pure.
 */
#ifndef DIFF_COMPARE_H
#define DIFF_COMPARE_H

#include "diff/changes.h"

/* A place where the two differ; the values as they came, secrets included. */
struct diff_leaf {
    struct str path; /* for the call only */
    struct str name; /* the last step that is no number */
    const struct value *before;
    const struct value *after;
};

struct diff_sides {
    const struct value *before; /* null: there is none */
    const struct value *after;
    const struct value *hidden_before; /* as in struct shown */
    const struct value *hidden_after;
    const struct value *unknown; /* the same shape: known only when it runs */
    bool by_name;                /* lists of objects with names; not with the three above */
    /* Each row is a whole one, with a kind of its own, down to the last member; else parts of one object. */
    bool leaves;
    diff_facts (*judge)(const struct diff_leaf *leaf); /* what a row's place and values tell; or null */
};

/* Adds a row, made like `like` and with its path in front, for each place that differs. */
void diff_compare(struct arena *a, struct diff_changes *c, const struct diff_change *like, const struct diff_sides *sides);
/* As value_eq(), in n log n whatever the order of members; deeper than DIFF_WALK_MAX nothing is the same. Null is null. */
bool diff_same(struct arena *a, const struct value *x, const struct value *y);

#endif
