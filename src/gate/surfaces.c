/*
 * gate/surfaces - protected areas that an action touches: auth, billing, schema, ... A tool declares its own; the
 * others are seen in the diff, by what it names or by what it changes. The strictest rule counts; a surface without a
 * rule asks a person; "pawl" itself is never touched by an agent, whatever a policy says.
 */
#include "gate/checks.h"
#include "gate/gather.h"

#include "diff/changes.h"

static bool names_any(const struct diff_names *names, const struct str_list *globs)
{
    for (uint32_t i = 0; i < names->count; i++) {
        if (any_glob(globs, names->items[i])) {
            return true;
        }
    }
    /* What could not be listed may be anything. */
    return names->over && globs->count > 0;
}

static bool summary_has(const struct value *changes, const char *list, struct str word)
{
    const struct value *words = value_path(changes, "summary", list, NULL);
    for (uint32_t i = 0; value_item(words, i) != NULL; i++) {
        if (str_eq(value_text(value_item(words, i)), word)) {
            return true;
        }
    }
    return false;
}

/* It is of a known format, and could not be read, or not all of it. */
static bool is_unread(const struct value *changes)
{
    bool known = !str_eq(value_text(value_get(changes, STR("format"))), str_from(diff_format_name(DIFF_NONE)));
    bool over = value_bool_or(value_get(changes, STR("over")), false);
    bool nothing = value_item(value_get(changes, STR("changes")), 0) == NULL;
    return known && ((over && nothing) || summary_has(changes, "facts", str_from(diff_fact_name(FACT_UNREADABLE))));
}

/* Some surfaces are words of what a diff changes, whatever it is written in. */
static bool changes_surface(const struct value *changes, struct str surface)
{
    return changes != NULL && diff_is_surface(surface) &&
           (summary_has(changes, "surfaces", surface) || is_unread(changes));
}

static bool touches(const struct request *q, const struct surface_rule *rule)
{
    return names_any(&q->touched, &rule->detect) || changes_surface(q->changes, rule->name);
}

/* The strictest first, since the list is short. */
void gather_surfaces(const struct gate_input *in, struct facts *f)
{
    f->surface_count = 0;
    const struct request *q = in->request;
    bool some = q->touched.count > 0 || q->touched.over || q->changes != NULL;
    for (int64_t verdict = VERDICT_DENY; some && verdict <= VERDICT_ALLOW; verdict++) {
        for (uint32_t i = 0; i < in->policy->surface_count && f->surface_count < FACT_SURFACES_MAX; i++) {
            const struct surface_rule *rule = &in->policy->surfaces[i];
            if (rule->verdict == verdict && touches(q, rule)) {
                f->surfaces[f->surface_count++] = rule->name;
            }
        }
    }
}

bool surface_at(const struct check_input *in, uint32_t i, struct str *ret)
{
    const struct tool_def *tool = in->request->tool;
    uint32_t declared = tool == NULL ? 0 : tool->surfaces.count;
    bool seen = i >= declared && i - declared < in->facts->surface_count;
    *ret = i < declared ? tool->surfaces.items[i] : seen ? in->facts->surfaces[i - declared] : STR("");
    return i < declared || seen;
}

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

void check_surfaces(const struct check_input *in, struct finding *ret)
{
    finding_allow(CHECK_SURFACES, ret);
    struct str surface;
    for (uint32_t i = 0; surface_at(in, i, &surface); i++) {
        enum verdict v = verdict_of(in, surface);
        if (v < ret->verdict) {
            finding_block(CHECK_SURFACES, v, REASON_SURFACE, surface, ret);
        }
    }
}
