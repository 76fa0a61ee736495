/*
 * gate/quorum - rules that ask for the approval of certain people, by severity: class, surfaces, predicted impact,
 * reversibility, tier.
 */
#include "gate/checks.h"

static bool any_service(const struct check_input *in, const struct str_list *globs)
{
    for (unsigned i = 0; i < in->facts->budget_count; i++) {
        if (!in->facts->budgets[i].dependant && any_glob(globs, in->facts->budgets[i].service)) {
            return true;
        }
    }
    return false;
}

static bool any_surface(const struct check_input *in, const struct str_list *wanted)
{
    struct str surface;
    for (uint32_t i = 0; surface_at(in, i, &surface); i++) {
        if (any_equal(wanted, surface)) {
            return true;
        }
    }
    return false;
}

bool quorum_fits(const struct quorum_rule *rule, const struct check_input *in)
{
    const struct tool_def *tool = in->request->tool;
    return tool != NULL && (rule->agents.count == 0 || any_glob(&rule->agents, in->request->agent)) &&
           (rule->tools.count == 0 || any_glob(&rule->tools, tool->name)) &&
           (rule->services.count == 0 || any_service(in, &rule->services)) &&
           (rule->surfaces.count == 0 || any_surface(in, &rule->surfaces)) &&
           (rule->classes.count == 0 || any_equal(&rule->classes, str_from(tool_class_name(tool->class)))) &&
           (rule->tiers.count == 0 || any_equal(&rule->tiers, str_from(tier_name(effective_tier(in))))) &&
           (!rule->irreversible || !tool->reversible) && in->facts->blast_ppm >= rule->blast_over_ppm &&
           (rule->blast_over_ppm == 0 || in->facts->blast_ppm > rule->blast_over_ppm);
}

void check_quorum(const struct check_input *in, struct finding *ret)
{
    finding_allow(CHECK_QUORUM, ret);
    for (uint32_t i = 0; !only_reads(in) && i < in->policy->quorum_count; i++) {
        const struct quorum_rule *rule = &in->policy->quorums[i];
        if (!quorum_fits(rule, in)) {
            continue;
        }
        int64_t count = 0;
        for (uint32_t k = 0; k < rule->part_count; k++) {
            count += rule->parts[k].count;
        }
        if (count > ret->value) {
            finding_block(CHECK_QUORUM, VERDICT_ESCALATE, REASON_QUORUM, rule->name, ret);
            ret->value = count;
        }
    }
}
