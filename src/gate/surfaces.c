/*
 * gate/surfaces - protected areas that a tool touches: auth, billing, schema, ... The strictest rule counts; a
 * surface without a rule asks a person; "pawl" itself is never touched by an agent, whatever a policy says.
 */
#include "gate/checks.h"

static enum verdict verdict_of(const struct check_input *in, struct str surface)
{
    if (str_eq(surface, STR("pawl"))) {
        return VERDICT_DENY;
    }
    for (uint32_t i = 0; i < in->policy->surface_count; i++) {
        const struct surface_rule *rule = &in->policy->surfaces[i];
        if (str_eq(rule->name, surface)) {
            return any_glob(&rule->except, in->request->agent) ? VERDICT_ALLOW : (enum verdict)rule->verdict;
        }
    }
    return VERDICT_ESCALATE;
}

struct finding check_surfaces(const struct check_input *in)
{
    struct finding finding = finding_allow(CHECK_SURFACES);
    const struct tool_def *tool = in->request->tool;
    for (uint32_t i = 0; tool != NULL && i < tool->surfaces.count; i++) {
        enum verdict v = verdict_of(in, tool->surfaces.items[i]);
        if (v < finding.verdict) {
            finding = finding_block(CHECK_SURFACES, v, REASON_SURFACE, tool->surfaces.items[i]);
        }
    }
    return finding;
}
