/*
 * server/notices - what waits on a person reaches a person: from the feed to the notifier.
 *
 * An escalation is said until somebody decided or it ended; one that is about to expire is said once more. So are
 * executors that were lost, stops, those that nobody confirmed, open breakers, a full disk, a clock that jumped, budgets that stopped being
 * known. Who answers for the agent and who is called comes from the world. Notices are kept in memory only: at the
 * start all that is still open is said again, with the same ids.
 *
 * Threads: the loop's.
 */
#ifndef SERVER_NOTICES_H
#define SERVER_NOTICES_H

#include "control/control.h"
#include "notify/notify.h"

enum {
    NOTICES_OPEN_MAX = 1024, /* actions that are watched; what is said beyond is said once */
    EXPIRING_PCT = 20,       /* of its time left */
};

struct notices_options {
    struct loop *loop;
    struct control *control;
    const struct log *log;
    struct notify_routes routes; /* borrowed */
    int64_t patience_ms;         /* how long a budget may be unknown before it is said */
};

struct notices;

/* *ret is null without routes. All that is applied must be durable. Errors: those of notifier_new. */
NODISCARD enum rc notices_new(const struct notices_options *options, struct notices **ret, struct err *e);
/* Before control and loop. Null is fine, as below. */
void notices_free(struct notices *n);
/* Once a second. */
void notices_beat(struct notices *n);

#endif
