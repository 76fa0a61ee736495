/*
 * doors/execution - the granted command: started by its verified file, watched, reported.
 */
#ifndef DOORS_EXECUTION_H
#define DOORS_EXECUTION_H

#include "client/client.h"
#include "doors/invocation.h"

enum { EXECUTION_TAIL = 2048 }; /* bytes of the newest output that are reported */

struct grant_held {
    struct str action;   /* "act_12" */
    const char *nonce;   /* null: a one-phase action, which has no grant */
    int64_t heartbeat_ms; /* 0: none are wanted */
};

struct executed {
    bool ran;        /* the process was started */
    int exit_status; /* -1 when a signal ended it */
    int signal;
    struct err failure; /* why it was not started; rc is RC_OK when it was */
};

/* Runs it to its end and delivers the outcome, or spools it. Never fails: what happened is in ret. */
void execution_run(const struct client *c, struct arena *a, const struct invocation *i,
                   const struct grant_held *grant, struct executed *ret);

/* The newest bytes of a text, kept as they come. */
struct tail {
    char bytes[EXECUTION_TAIL];
    size_t used;  /* of bytes */
    size_t start; /* of the oldest */
};
void tail_put(struct tail *t, struct str piece);
/* The bytes in order as valid UTF-8: what is not becomes U+FFFD. */
struct str tail_text(struct arena *a, const struct tail *t);

#endif
