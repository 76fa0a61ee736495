/*
 * gate/checks - the checks of the gate, one function and one file each.
 *
 * A check sees struct check_input and writes its finding, all of it, to its place in the decision. An allow is explicit.
 * Pure.
 */
#ifndef GATE_CHECKS_H
#define GATE_CHECKS_H

#include "gate/gate.h"

void check_identity(const struct check_input *in, struct finding *ret);
void check_stop(const struct check_input *in, struct finding *ret);
void check_catalogue(const struct check_input *in, struct finding *ret);
void check_request(const struct check_input *in, struct finding *ret);
void check_freeze(const struct check_input *in, struct finding *ret);
void check_error_budget(const struct check_input *in, struct finding *ret);
void check_aqdd(const struct check_input *in, struct finding *ret);
void check_her_trend(const struct check_input *in, struct finding *ret);
void check_breaker(const struct check_input *in, struct finding *ret);
void check_lineage(const struct check_input *in, struct finding *ret);
void check_tier(const struct check_input *in, struct finding *ret);
void check_readiness(const struct check_input *in, struct finding *ret);
void check_grant(const struct check_input *in, struct finding *ret);
void check_zone(const struct check_input *in, struct finding *ret);
void check_upstream(const struct check_input *in, struct finding *ret);
void check_on_call(const struct check_input *in, struct finding *ret);
void check_blast_radius(const struct check_input *in, struct finding *ret);
void check_rate(const struct check_input *in, struct finding *ret);
void check_surfaces(const struct check_input *in, struct finding *ret);
void check_schema_drift(const struct check_input *in, struct finding *ret);
void check_reversibility(const struct check_input *in, struct finding *ret);
void check_memory(const struct check_input *in, struct finding *ret);
void check_drift(const struct check_input *in, struct finding *ret);
void check_provenance(const struct check_input *in, struct finding *ret);
void check_rules(const struct check_input *in, struct finding *ret);
void check_validators(const struct check_input *in, struct finding *ret);
void check_quorum(const struct check_input *in, struct finding *ret);

/* decide.c: what checks see of it; room must outlive it. */
struct check_input gate_seen(const struct gate_input *in, const struct facts *f, struct thresholds *room);
/* rules.c: evaluates the policy's rules; fills in the decision's matches. */
void judge_rules(const struct check_input *in, struct decision *d);

/* The tool's, then those seen in the diff; false: no more. */
bool surface_at(const struct check_input *in, uint32_t i, struct str *ret);
/* Some permission fits; only the policy, the agent and the request of in are looked at. */
bool agent_is_permitted(const struct check_input *in);
/* The rung after what is known of model and prompt version. */
enum tier effective_tier(const struct check_input *in);

static inline void finding_allow(enum check check, struct finding *ret)
{
    *ret = (struct finding){.check = check, .verdict = VERDICT_ALLOW};
}

static inline void finding_block(enum check check, enum verdict verdict, enum reason reason, struct str subject,
                                 struct finding *ret)
{
    *ret = (struct finding){.check = check, .verdict = verdict, .reason = reason, .subject = subject};
}

/* An operator proposes: what bounds agents does not apply. */
static inline bool by_human(const struct check_input *in)
{
    return in->facts->agent == AGENT_HUMAN;
}

static inline void finding_not_applicable(enum check check, struct finding *ret)
{
    *ret = (struct finding){.check = check, .verdict = VERDICT_ALLOW, .reason = REASON_NOT_APPLICABLE};
}

/* The request changes nothing: checks that bound change don't look at it. */
static inline bool only_reads(const struct check_input *in)
{
    return in->request->tool != NULL && in->request->tool->class == TOOL_READ;
}

#endif
