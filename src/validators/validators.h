/*
 * validators - asks independent decision points, all of a round at once, beside the loop.
 *
 * A round is over when each has answered, failed, or run out of its time. What can't be asked, does not answer in its
 * form or in time is an error, with words for people; nothing of it is ever a yes.
 * Source: OPA REST data API; AuthZEN 1.0; Standard Webhooks 1.0.
 */
#ifndef VALIDATORS_VALIDATORS_H
#define VALIDATORS_VALIDATORS_H

#include "gate/gate.h"
#include "net/loop.h"

enum {
    VALIDATORS_WAITING_MAX = 4096,    /* rounds at a time */
    VALIDATORS_COMMANDS_MAX = 64,     /* commands at a time: the others are errors */
};

struct validators;
NODISCARD enum rc validators_new(struct loop *l, struct validators **ret, struct err *e);
/* Rounds under way end without a word. Null is fine. */
void validators_free(struct validators *v);

/*
 * Asks every question of the round that has no answer yet; done(waiter) when all have one, maybe before this returns.
 * Keeps: the round, until then or until it is forgotten. False: VALIDATORS_WAITING_MAX wait already.
 */
bool validators_ask(struct validators *v, struct validator_round *round, void (*done)(void *waiter), void *waiter);
/* Nobody waits for it any more. */
void validators_forget(struct validators *v, const void *waiter);

#endif
