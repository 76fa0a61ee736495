/*
 * server/lost_signals - which services' error budgets stopped being known.
 *
 * A budget that was known and is not, or not fresh enough, for longer than the patience is lost, and found again
 * once it is known. At the start every budget counts as one that was known, unless nothing has ever fed it.
 */
#ifndef SERVER_LOST_SIGNALS_H
#define SERVER_LOST_SIGNALS_H

#include "control/control.h"

struct lost_signals;

struct lost_signals *lost_signals_new(int64_t patience_ms); /* null: no memory */
void lost_signals_free(struct lost_signals *l);

/* since_ms: when it was last known, or looked at first. */
typedef void (*lost_signal_fn)(void *context, uint32_t service, bool lost, int64_t since_ms);
/* Looks at every service; fn is called for those that changed. */
void lost_signals_look(struct lost_signals *l, struct control *c, lost_signal_fn fn, void *context);

#endif
