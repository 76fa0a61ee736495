/*
 * policy/policy_internal - rows of the policy's lists that have a file of their own.
 */
#ifndef POLICY_POLICY_INTERNAL_H
#define POLICY_POLICY_INTERNAL_H

#include "policy/policy.h"

/* out: a struct freeze. */
NODISCARD enum rc freeze_read(struct reader *r, const struct value *v, void *out);
struct value freeze_value(struct arena *a, const void *in);
/* out: a struct zone_exception, surface_rule, quorum_rule. */
NODISCARD enum rc zone_exception_read(struct reader *r, const struct value *v, void *out);
struct value zone_exception_value(struct arena *a, const void *in);
NODISCARD enum rc surface_rule_read(struct reader *r, const struct value *v, void *out);
struct value surface_rule_value(struct arena *a, const void *in);
NODISCARD enum rc quorum_rule_read(struct reader *r, const struct value *v, void *out);
struct value quorum_rule_value(struct arena *a, const void *in);
/* The list `keys` of an agent; v null: it has none. */
NODISCARD enum rc agent_keys_read(struct reader *r, const struct value *v, struct agent_def *def);
struct value agent_keys_value(struct arena *a, const struct agent_def *d);
/* Copies what is there, null for null. */
NODISCARD enum rc labels_read(struct reader *r, const struct value *v, const struct value **ret);
/* All rules of a policy: those of its own list, then those of the files. own may be null. */
NODISCARD enum rc rules_read(struct reader *r, const struct value *own, const struct policy_source *source,
                             struct policy *p);
struct value rules_value(struct arena *a, const struct policy *p);
void rules_done(struct policy *p); /* validators too */
NODISCARD enum rc validators_read(struct reader *r, const struct value *v, struct policy *p);
struct value validators_value(struct arena *a, const struct policy *p);
NODISCARD enum rc observation_read(struct reader *r, const struct value *v, struct observation *ret);
struct value observation_value(struct arena *a, const struct observation *o);
NODISCARD enum rc revert_read(struct reader *r, const struct value *v, struct revert *ret);
struct value revert_value(struct arena *a, const struct revert *back);
/* out: a struct permission. */
NODISCARD enum rc permission_read(struct reader *r, const struct value *v, void *out);
struct value permission_value(struct arena *a, const void *in);

#endif
