/*
 * policy/verdict - the five answers of the gate.
 *
 * The strictest is the smallest and deny is zero, so zeroed memory denies. Pure.
 */
#ifndef POLICY_VERDICT_H
#define POLICY_VERDICT_H

#include "base/attr.h"
#include "base/str.h"

enum verdict {
    VERDICT_DENY = 0, /* no, and approval can't change it */
    VERDICT_ESCALATE, /* needs a person's approval */
    VERDICT_HOLD,     /* not now */
    VERDICT_ADVISE,   /* recorded and suggested to a person; does not run */
    VERDICT_ALLOW,
};

/* "deny", ...; never null for a valid verdict. */
const char *verdict_name(enum verdict v);
struct str verdict_str(enum verdict v);
NODISCARD bool verdict_parse(struct str name, enum verdict *ret);
static inline enum verdict verdict_strictest(enum verdict a, enum verdict b)
{
    return a < b ? a : b;
}

#endif
