/*
 * control/derive - what a request is, on a world and under a policy: the server's own, or another for a backtest.
 *
 * Threads: any.
 */
#ifndef CONTROL_DERIVE_H
#define CONTROL_DERIVE_H

#include "model/world.h"

/* request_derive, and what its diff and its SQL say, as far as the policy looks at them. p may be null. Errors:
 * RC_LIMIT, RC_NO_MEMORY. */
NODISCARD enum rc derive_request(struct arena *a, const struct world *w, const struct policy *p, struct request *q,
                                 struct err *e);
/* Its changes alone, of a request whose tool is known. */
NODISCARD enum rc derive_changes(struct arena *a, struct request *q, struct err *e);

#endif
