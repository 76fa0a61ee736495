/*
 * policy/policy_internal - rows of the policy's lists that have a file of their own.
 */
#ifndef POLICY_POLICY_INTERNAL_H
#define POLICY_POLICY_INTERNAL_H

#include "policy/policy.h"

/* out: a struct freeze. */
NODISCARD enum rc freeze_read(struct reader *r, const struct value *v, void *out);
struct value freeze_value(struct arena *a, const void *in);
/* out: a struct permission. */
NODISCARD enum rc permission_read(struct reader *r, const struct value *v, void *out);
struct value permission_value(struct arena *a, const void *in);

#endif
