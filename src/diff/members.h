/*
 * diff/members - an object's members in the order of their names.
 *
 * value_get() looks at each member; an input made for it would cost the square of its length. Sorted once, two
 * objects are walked side by side. For this folder. Pure.
 */
#ifndef DIFF_MEMBERS_H
#define DIFF_MEMBERS_H

#include "base/arena.h"
#include "value/value.h"

struct named {
    struct str name;
    const struct value *value;
};

struct members {
    struct named *items; /* sorted by name */
    uint32_t count;
    uint32_t at;                /* of the walk */
    const struct value *all;    /* a boolean stands for every member */
};

/* Of an object; of a boolean, itself for every member; of anything else, and without memory, nothing. */
struct members members_of(struct arena *a, const struct value *v);
/* Of a list of objects by the text under key; false when one has none or two have the same. */
bool members_of_list(struct arena *a, const struct value *list, struct str key, struct members *ret);
/* The least name that none of the walks has passed; false at the end of all. */
bool members_next(const struct members *walks, unsigned count, struct str *ret);
/* The value under that name, past which the walk goes; null when there is none. */
const struct value *members_take(struct members *m, struct str name);
/* By binary search. */
const struct value *members_get(const struct members *m, struct str name);

#endif
