/*
 * api/review - what a person must see of an action before they answer, besides the decision itself: who asks, what it
 * touches, how it is taken back, who has agreed and who must still, and what an approval binds to.
 */
#include "api/call.h"

static const struct agent_def *agent_of(const struct call *c, const struct action *action)
{
    return action->agent == MAP_NONE ? NULL : world_agent_at(control_world(c->control), action->agent)->def;
}

/* Model and prompt version as they were said with the request, beside those the agent is registered with. */
static struct value asker(struct call *c, const struct action *action, const struct decision_record *r)
{
    static const char *const sources[] = {"registered", "asserted", "attested"};
    static const struct agent_def nobody;
    struct arena *a = c->arena;
    const struct agent_def *def = agent_of(c, action);
    def = def == NULL ? &nobody : def;
    struct value v = value_object();
    value_add_str(a, &v, STR("name"), r->request.agent);
    add_null_or_str(a, &v, STR("owner"), def->owner);
    add_null_or_str(a, &v, STR("team"), def->team);
    add_null_or_str(a, &v, STR("model"), r->request.model.len > 0 ? r->request.model : def->model);
    add_null_or_str(a, &v, STR("prompt_version"),
                    r->request.prompt_version.len > 0 ? r->request.prompt_version : def->prompt_version);
    value_add_str(a, &v, STR("said_by"), str_from(sources[r->facts.identity]));
    add_null_or_str(a, &v, STR("registered_model"), def->model);
    add_null_or_str(a, &v, STR("registered_prompt_version"), def->prompt_version);
    value_add_str(a, &v, STR("tier"), str_from(tier_name(r->facts.tier)));
    value_add(a, &v, STR("act"), r->request.act == NULL ? value_array() : *r->request.act);
    add_null_or_str(a, &v, STR("behalf"), r->request.behalf);
    return v;
}

static struct value tool_value(struct call *c, const struct action *action, const struct decision_record *r)
{
    struct arena *a = c->arena;
    const struct tool_def *def =
        action->tool == MAP_NONE ? NULL : world_tool_at(control_world(c->control), action->tool)->def;
    struct value v = value_object();
    add_null_or_str(a, &v, STR("name"), r->tool);
    add_null_or_str(a, &v, STR("class"), def == NULL ? STR("") : str_from(tool_class_name(def->class)));
    add_null_or_str(a, &v, STR("description"), def == NULL ? STR("") : def->description);
    value_add_bool(a, &v, STR("reversible"), def != NULL && def->reversible);
    struct value surfaces = value_array();
    for (uint32_t i = 0; def != NULL && i < def->surfaces.count; i++) {
        value_push(a, &surfaces, value_string(def->surfaces.items[i]));
    }
    value_add(a, &v, STR("surfaces"), surfaces);
    return v;
}

/* --- who must agree ----------------------------------------------------------------------------------------- */

static struct value quorum_value_of(struct arena *a, const struct quorum_rule *rule)
{
    struct value parts = value_array();
    for (uint32_t i = 0; i < rule->part_count; i++) {
        struct value part = value_object();
        add_null_or_str(a, &part, STR("group"), rule->parts[i].group);
        value_add_int(a, &part, STR("count"), rule->parts[i].count);
        value_push(a, &parts, part);
    }
    struct value v = value_object();
    value_add_str(a, &v, STR("name"), rule->name);
    value_add(a, &v, STR("approvals"), parts);
    value_add_bool(a, &v, STR("human"), rule->human);
    return v;
}

static struct value missing_value(struct arena *a, const struct quorum_missing *m)
{
    struct value all = value_array();
    for (unsigned i = 0; i < m->count; i++) {
        struct value v = value_object();
        value_add_str(a, &v, STR("rule"), m->places[i].rule);
        add_null_or_str(a, &v, STR("group"), m->places[i].group);
        value_push(a, &all, v);
    }
    if (m->any || (m->human && m->count == 0)) { /* no rule asks for it: it is always asked for */
        struct value v = value_object();
        value_add(a, &v, STR("rule"), value_null());
        value_add(a, &v, STR("group"), value_null());
        value_push(a, &all, v);
    }
    return all;
}

static struct value quorum_value(struct call *c, const struct action *action, bool current)
{
    struct arena *a = c->arena;
    const struct action_review *review = action_review(action);
    const struct policy *policy = world_policy(control_world(c->control));
    struct value rules = value_array();
    for (uint32_t i = 0; current && i < review->quorum_count; i++) {
        if (review->quorums[i] < policy->quorum_count) {
            value_push(a, &rules, quorum_value_of(a, &policy->quorums[review->quorums[i]]));
        }
    }
    struct quorum_missing *missing = arena_alloc(a, sizeof *missing);
    struct value v = value_object();
    value_add(a, &v, STR("rules"), current ? rules : value_null());
    value_add_int(a, &v, STR("given"), review->approval_count);
    if (missing != NULL && current && action->state == ACTION_ESCALATED) {
        control_quorum_missing(c->control, action, missing);
        value_add(a, &v, STR("missing"), missing_value(a, missing));
        value_add_bool(a, &v, STR("human_missing"), missing->human);
    }
    return v;
}

/* --- what an approval binds to ---------------------------------------------------------------------------------- */

static struct value bound_to(struct call *c, const struct action *action, struct str policy_hash, bool current)
{
    struct arena *a = c->arena;
    const struct policy *policy = world_policy(control_world(c->control));
    struct value v = value_object();
    value_add_hex(a, &v, STR("digest"), STR("sha256:"), action->digest, sizeof action->digest);
    value_add_str(a, &v, STR("decision_id"), id_str(a, "dec", action->decided_seq));
    value_add_str(a, &v, STR("policy_hash"), policy_hash);
    value_add_bool(a, &v, STR("policy_in_force"), current);
    if (action->due_ms != INT64_MAX && !action_state_is_closed(action->state)) {
        bool approved = action->state == ACTION_APPROVED;
        value_add_instant(a, &v, approved ? STR("approval_expires_at") : STR("waits_until"), action->due_ms);
    }
    if (policy != NULL) {
        value_add_int(a, &v, STR("approval_holds_s"), policy->approval_ttl_ms / SECOND_MS);
    }
    return v;
}

enum rc render_review(struct call *c, const struct action *action, const struct decision_record *r,
                      struct value *ret, struct err *e)
{
    struct arena *a = c->arena;
    struct entry entry;
    struct value first;
    struct value loaded;
    enum rc rc = control_read_entry(c->control, a, action->id, &entry, &first, e);
    rc = rc == RC_OK ? control_read_entry(c->control, a, action->policy_seq, &entry, &loaded, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    const struct value *revert = value_get(&first, STR("revert"));
    const struct value *invariants = value_get(&first, STR("invariants"));
    bool current = action->policy_seq == world_policy_seq(control_world(c->control));
    *ret = value_object();
    value_add(a, ret, STR("agent"), asker(c, action, r));
    value_add(a, ret, STR("tool"), tool_value(c, action, r));
    add_null_or_str(a, ret, STR("target"), r->target);
    value_add(a, ret, STR("blast_radius"), render_blast_radius(a, &r->facts));
    value_add(a, ret, STR("memory"), render_memory(a, &r->facts));
    value_add(a, ret, STR("invariants"), invariants == NULL ? value_array() : *invariants);
    value_add(a, ret, STR("revert"), revert == NULL ? value_null() : *revert);
    value_add(a, ret, STR("quorum"), quorum_value(c, action, current));
    value_add(a, ret, STR("binds"), bound_to(c, action, value_text(value_get(&loaded, STR("hash"))), current));
    return RC_OK;
}
