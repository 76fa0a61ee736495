/*
 * gate/gather - parts of gate_gather that have a file of their own.
 */
#ifndef GATE_GATHER_H
#define GATE_GATHER_H

#include "gate/checks.h"

/* budgets.c */
struct budget_fact budget_of(const struct gate_input *in, uint32_t service, bool dependant, int64_t max_age_ms);
/* Adds it to the list; beyond its limit those stay that matter most to the decision. */
void keep_budget(struct facts *f, struct budget_fact b, bool requires_slo);

/* impact.c: who is hurt by a change of the targets, and their budgets. */
void gather_impact(const struct gate_input *in, const struct thresholds *t, struct facts *f);

/* conduct.c: breaker, tier, zones, grant, rates, readiness, memory. */
void gather_conduct(const struct gate_input *in, const struct thresholds *t, struct facts *f);
/* The agent's zones cover all of the action's. */
bool zones_cover(const struct agent_def *agent, const struct facts *f);
/* chain.c: what those in whose name it is done add. After all others. */
void gather_chain(const struct gate_input *in, const struct thresholds *t, struct facts *f);
/* surfaces.c: the protected surfaces that the diff touches. */
void gather_surfaces(const struct gate_input *in, struct facts *f);
/* on_call.c, reversibility.c: of the targets. */
void gather_on_call(const struct gate_input *in, const struct thresholds *t, struct facts *f);
void gather_reversibility(const struct gate_input *in, const struct thresholds *t, struct facts *f);
/* rules.c: what rules read that no other fact says. */
void gather_for_rules(const struct gate_input *in, struct facts *f);
/* validators.c: what validators said of the request. */
void gather_answers(const struct gate_input *in, struct facts *f);
/* upstream.c: the budgets of what the targets call. */
void gather_upstream(const struct gate_input *in, const struct thresholds *t, struct facts *f);

#endif
