/*
 * diff/removed - lines of a file that went and did not come back: for this folder.
 *
 * A line is only looked at when it has one of some words. It has gone when the patch does not put it back, with the
 * same text but for the space around it. Pure.
 */
#ifndef DIFF_REMOVED_H
#define DIFF_REMOVED_H

#include "base/arena.h"
#include "base/str.h"

struct removed_lines {
    struct str *removed; /* trimmed; sorted by removed_any() */
    struct str *added;
    uint32_t removed_count;
    uint32_t removed_room;
    uint32_t added_count;
    uint32_t added_room;
};

struct words {
    const struct str *items;
    uint32_t count;
};

/* line in lower case has one of the words. */
bool words_in(const struct words *w, struct str lower_line);
void removed_put(struct arena *a, struct removed_lines *r, struct str line, bool added);
/* There is a removed line that was not added as often. */
bool removed_any(struct removed_lines *r);

#endif
