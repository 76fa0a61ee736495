/*
 * gate/identity - who asks, and is it permitted to use this tool on this target?
 *
 * Without any permission declared every registered agent may use the whole catalogue; with one, an
 * action needs a permission that fits it.
 */
#include "gate/checks.h"

bool agent_is_permitted(const struct check_input *in)
{
    const struct policy *p = in->policy;
    if (p->permission_count == 0 || in->request->tool == NULL) {
        return true;
    }
    for (uint32_t i = 0; i < p->permission_count; i++) {
        if (permission_fits(&p->permissions[i], in->agent, in->request->tool->name, in->request->target,
                            in->request->properties)) {
            return true;
        }
    }
    return false;
}

/* In whose name it is done: one of them may not. */
static void check_delegator(const struct facts *f, struct finding *ret)
{
    static const enum reason reasons[] = {[AGENT_UNKNOWN] = REASON_UNKNOWN_AGENT,
                                          [AGENT_ACTIVE] = REASON_NOT_PERMITTED,
                                          [AGENT_SUSPENDED] = REASON_SUSPENDED,
                                          [AGENT_REMOVED] = REASON_REMOVED,
                                          [AGENT_HUMAN] = REASON_UNKNOWN_AGENT};
    finding_block(CHECK_IDENTITY, VERDICT_DENY, reasons[f->delegator_status], f->delegator, ret);
}

void check_identity(const struct check_input *in, struct finding *ret)
{
    struct str name = in->request->agent;
    switch (in->facts->agent) {
    case AGENT_UNKNOWN:
        finding_block(CHECK_IDENTITY, VERDICT_DENY, REASON_UNKNOWN_AGENT, name, ret);
        return;
    case AGENT_REMOVED:
        finding_block(CHECK_IDENTITY, VERDICT_DENY, REASON_REMOVED, name, ret);
        return;
    case AGENT_SUSPENDED:
        finding_block(CHECK_IDENTITY, VERDICT_DENY, REASON_SUSPENDED, name, ret);
        return;
    case AGENT_HUMAN: /* who authenticated the operator knows the role */
        finding_allow(CHECK_IDENTITY, ret);
        return;
    case AGENT_ACTIVE:
        break;
    }
    if (in->agent == NULL) {
        finding_block(CHECK_IDENTITY, VERDICT_DENY, REASON_REMOVED, name, ret);
        return;
    }
    if (!agent_is_permitted(in)) {
        finding_block(CHECK_IDENTITY, VERDICT_DENY, REASON_NOT_PERMITTED, name, ret);
        return;
    }
    if (in->facts->delegator.len > 0) {
        check_delegator(in->facts, ret);
        return;
    }
    finding_allow(CHECK_IDENTITY, ret);
}
