/*
 * control/feed - what people care about, as it becomes durable.
 *
 * A decision that waits for a person, an approval, a stop, an executor that was lost: entries of these kinds are
 * handed to a few subscribers in the order of the ledger, and only once they are durable, for a stream or a
 * notice leaves the process. What waits for the disk is a bounded ring of sequence numbers; when more is said
 * than it holds, subscribers are told what was left out and read it from the ledger. Without a subscriber
 * nothing is read.
 *
 * A breaker that the fold opens or closes has no entry of its own: the entry that moved it is named.
 *
 * Threads: the loop's. Subscribers are called from control_durable_changed(); they may subscribe and unsubscribe.
 * Source: SEMANTICS section 5 "Apply and durable".
 */
#ifndef CONTROL_FEED_H
#define CONTROL_FEED_H

#include "control/control.h"

enum {
    FEED_MAX = 4096, /* events that wait for the disk */
    FEED_SUBSCRIBERS_MAX = 4,
};

enum feed_event {
    FEED_ENTRY = 0,
    FEED_BREAKER_OPENED,
    FEED_BREAKER_CLOSED,
    FEED_LOST, /* what lies from `from` to `seq` was not handed over */
};

/* Strings and body hold for the call, or as long as the arena that feed_read() was given. */
struct feed_item {
    enum feed_event event;
    struct str name;      /* "action.decided"; "breaker.opened", "breaker.closed", "feed.lost" */
    enum entry_kind kind; /* of FEED_ENTRY */
    uint64_t seq;         /* of the entry; of a breaker, the one that moved it */
    uint64_t from;        /* of FEED_LOST */
    int64_t time_ms;      /* of the entry; 0 for FEED_LOST */
    struct str about;     /* "act_12", "stp_3", "grt_4", "inc_5"; may be empty */
    uint64_t action;      /* when it is about one; 0 else */
    struct str agent;     /* the next three may be empty */
    struct str tool;
    struct str_list services;
    struct str verdict;  /* of a decision */
    struct str blocking; /* the check */
    struct str cause;    /* why a breaker opened */
    const struct value *body; /* of FEED_ENTRY; null else */
};

typedef void (*feed_fn)(void *context, const struct feed_item *item);
/* Errors: RC_LIMIT. */
NODISCARD enum rc control_subscribe(struct control *c, feed_fn fn, void *context, struct err *e);
/* Nothing when it is no subscriber. */
void control_unsubscribe(struct control *c, feed_fn fn, void *context);

/* Reads one entry as the feed tells it. RC_NOT_FOUND when it is none of those, or was erased. */
NODISCARD enum rc control_feed_read(struct control *c, struct arena *a, uint64_t seq, struct feed_item *ret,
                                    struct err *e);

#endif
