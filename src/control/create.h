/*
 * control/create - a new ledger: its first entries, before anything runs.
 */
#ifndef CONTROL_CREATE_H
#define CONTROL_CREATE_H

#include "control/control.h"

/*
 * Creates ledger.db in folder with entry 0 (ledger.created: format, origin, verifier key).
 * Errors: RC_CONFLICT when there is one already.
 */
NODISCARD enum rc control_create(const char *folder, struct str origin, const struct signing_key *key,
                                 const struct ports *ports, struct err *e);

#endif
