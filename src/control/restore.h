/*
 * control/restore - a ledger that came from a backup lacks entries that were signed: it says so, in its next entry.
 *
 * What was said in the lost entries is not known, so nothing that was allowed before them may start: the entry voids
 * approvals, open allows and holds, and operators' grants; what was executing is unknown.
 * Source: SEMANTICS section 5 "Checkpoints".
 */
#ifndef CONTROL_RESTORE_H
#define CONTROL_RESTORE_H

#include "control/control.h"

struct loss {
    struct str reason;     /* a person's */
    struct str checkpoint; /* the newest note that was signed over what was lost; empty: none is left */
};
NODISCARD enum rc control_restored(struct control *c, struct arena *a, const struct loss *loss, struct err *e);

#endif
