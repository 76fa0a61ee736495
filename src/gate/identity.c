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
static struct finding check_delegator(const struct facts *f)
{
    static const enum reason reasons[] = {[AGENT_UNKNOWN] = REASON_UNKNOWN_AGENT,
                                          [AGENT_ACTIVE] = REASON_NOT_PERMITTED,
                                          [AGENT_SUSPENDED] = REASON_SUSPENDED,
                                          [AGENT_REMOVED] = REASON_REMOVED,
                                          [AGENT_HUMAN] = REASON_UNKNOWN_AGENT};
    return finding_block(CHECK_IDENTITY, VERDICT_DENY, reasons[f->delegator_status], f->delegator);
}

struct finding check_identity(const struct check_input *in)
{
    struct str name = in->request->agent;
    switch (in->facts->agent) {
    case AGENT_UNKNOWN:
        return finding_block(CHECK_IDENTITY, VERDICT_DENY, REASON_UNKNOWN_AGENT, name);
    case AGENT_REMOVED:
        return finding_block(CHECK_IDENTITY, VERDICT_DENY, REASON_REMOVED, name);
    case AGENT_SUSPENDED:
        return finding_block(CHECK_IDENTITY, VERDICT_DENY, REASON_SUSPENDED, name);
    case AGENT_HUMAN: /* who authenticated the operator knows the role */
        return finding_allow(CHECK_IDENTITY);
    case AGENT_ACTIVE:
        break;
    }
    if (in->agent == NULL) {
        return finding_block(CHECK_IDENTITY, VERDICT_DENY, REASON_REMOVED, name);
    }
    if (!agent_is_permitted(in)) {
        return finding_block(CHECK_IDENTITY, VERDICT_DENY, REASON_NOT_PERMITTED, name);
    }
    if (in->facts->delegator.len > 0) {
        return check_delegator(in->facts);
    }
    return finding_allow(CHECK_IDENTITY);
}
