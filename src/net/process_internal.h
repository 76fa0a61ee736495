/*
 * net/process_internal - finding and killing what a child has started, groups and sessions of its
 * own included.
 *
 * We are the subreaper: whatever loses its parent becomes our child. So all that came since
 * descendants_note is either a child of ours that we did not have, or below one.
 */
#ifndef NET_PROCESS_INTERNAL_H
#define NET_PROCESS_INTERNAL_H

#include <stddef.h>
#include <sys/types.h>

enum {
    DESCENDANTS_BEFORE_MAX = 64,  /* children we had already */
    DESCENDANTS_ROUNDS_MAX = 100, /* of killing, each of which may bring up new ones */
};

struct descendants {
    pid_t pids[DESCENDANTS_BEFORE_MAX];
    size_t count;
};

/* Notes the children that we have now. */
void descendants_note(struct descendants *d);
/* Kills all others and what is below them, and reaps them, except child itself, which its owner
 * reaps (0: none). */
void descendants_kill(const struct descendants *d, pid_t child);

#endif
