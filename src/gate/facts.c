/*
 * gate/facts - reads everything that the checks will look at, once.
 */
#include "gate/gather.h"

#include "base/must.h"

#include <string.h>

static enum agent_status agent_status(const struct gate_input *in)
{
    if (in->request->person.len > 0) {
        return AGENT_HUMAN;
    }
    if (in->request->agent_index == MAP_NONE) {
        return AGENT_UNKNOWN;
    }
    const struct agent_def *def = world_agent_at(in->world, in->request->agent_index)->def;
    if (def == NULL) {
        return AGENT_REMOVED;
    }
    return def->suspended ? AGENT_SUSPENDED : AGENT_ACTIVE;
}

const struct agent_def *gate_agent(const struct world *w, const struct request *q)
{
    return q->agent_index == MAP_NONE ? NULL : world_agent_at(w, q->agent_index)->def;
}

/* --- stops ---------------------------------------------------------------------------------------- */

/* What a stop is called in a finding; it needs no memory of its own. */
static struct str stop_subject(const struct world_stop *s)
{
    return s->name[0] == '\0' ? STR("stop of everything") : str_from(s->name);
}

static void gather_stops(const struct gate_input *in, struct facts *f)
{
    const struct request *q = in->request;
    uint32_t act[REQUEST_ACT_MAX];
    struct stop_subject subject = {q->agent_index, q->tool_index, q->services, q->service_count, act, 0};
    while (subject.act_count < REQUEST_ACT_MAX && value_item(q->act, subject.act_count) != NULL) {
        act[subject.act_count] = world_agent_find(in->world, value_text(value_item(q->act, subject.act_count)));
        subject.act_count++;
    }
    f->stop_level = STOP_DRY_RUN;
    for (uint32_t i = 0; i < world_stop_count(in->world); i++) {
        const struct world_stop *s = world_stop_at(in->world, i);
        if (!world_stop_covers(in->world, s, &subject)) {
            continue;
        }
        /* The strictest is named in the finding: it stands first. */
        bool strictest = f->stop_count == 0 || s->level < f->stop_level;
        f->stop_level = strictest ? s->level : f->stop_level;
        if (f->stop_count < FACT_STOPS_MAX) {
            f->stops[f->stop_count++] = stop_subject(s);
        }
        if (strictest) {
            f->stops[f->stop_count - 1] = f->stops[0];
            f->stops[0] = stop_subject(s);
        }
    }
    f->stop_level = f->stop_count > 0 ? f->stop_level : STOP_FULL;
}

/* --- freezes and deploys ---------------------------------------------------------------------------- */

/* Freezes differ in their end only, so the last to end are kept. */
static void keep_freeze(struct facts *f, struct freeze_fact freeze)
{
    if (f->freeze_count < FACT_FREEZES_MAX) {
        f->freezes[f->freeze_count++] = freeze;
        return;
    }
    unsigned soonest = 0;
    for (unsigned i = 1; i < FACT_FREEZES_MAX; i++) {
        soonest = f->freezes[i].until_ms < f->freezes[soonest].until_ms ? i : soonest;
    }
    if (freeze.until_ms > f->freezes[soonest].until_ms) {
        f->freezes[soonest] = freeze;
    }
}

/* The oldest may be lost and the newest not, and either may be the stricter: both stay, those between
 * them go, the younger first. */
static void keep_deploy(struct facts *f, struct deploy_fact deploy)
{
    if (f->deploy_count < FACT_DEPLOYS_MAX) {
        f->deploys[f->deploy_count++] = deploy;
        return;
    }
    unsigned newest = 0;
    for (unsigned i = 1; i < FACT_DEPLOYS_MAX; i++) {
        newest = f->deploys[i].since_ms > f->deploys[newest].since_ms ? i : newest;
    }
    if (deploy.since_ms >= f->deploys[newest].since_ms) {
        f->deploys[newest] = deploy;
        return;
    }
    unsigned second = newest == 0 ? 1 : 0;
    for (unsigned i = 0; i < FACT_DEPLOYS_MAX; i++) {
        second = i != newest && f->deploys[i].since_ms > f->deploys[second].since_ms ? i : second;
    }
    if (deploy.since_ms < f->deploys[second].since_ms) {
        f->deploys[second] = deploy;
    }
}

static void gather_freezes(const struct gate_input *in, uint32_t service, struct facts *f)
{
    const struct world_service *s = world_service_at(in->world, service);
    for (uint32_t i = 0; i < in->policy->freeze_count; i++) {
        int64_t until;
        if (freeze_covers(&in->policy->freezes[i], str_from(s->name), in->now_ms, &until)) {
            keep_freeze(f, (struct freeze_fact){in->policy->freezes[i].name, str_from(s->name), until});
        }
    }
    for (uint32_t i = 0; i < s->deploy_count; i++) {
        keep_deploy(f, (struct deploy_fact){str_from(s->name), str_from(s->deploys[i].id),
                                            s->deploys[i].since_ms});
    }
}

/* --- model and prompt ----------------------------------------------------------------------------------- */

static bool is_registered(struct str declared, struct str said)
{
    return declared.len == 0 || str_eq(declared, said);
}

static void gather_identity(const struct gate_input *in, struct facts *f)
{
    const struct request *q = in->request;
    const struct agent_def *agent = gate_agent(in->world, q);
    bool said = q->model.len > 0 || q->prompt_version.len > 0;
    f->identity = !said ? IDENTITY_NONE : q->attested ? IDENTITY_ATTESTED : IDENTITY_ASSERTED;
    f->rung_dropped = agent != NULL && (!is_registered(agent->model, q->model) ||
                                        !is_registered(agent->prompt_version, q->prompt_version));
}

static void facts_clear(struct facts *f)
{
    f->stop_count = 0;
    f->freeze_count = 0;
    f->deploy_count = 0;
    f->budget_count = 0;
    f->budgets_seen = 0;
    f->her_known = false;
    f->her_ppm = 0;
    f->her_sample = 0;
    f->pending_of_agent = 0;
    f->breaker = BREAKER_CLOSED;
    f->breaker_cause = STR("");
    f->breaker_until_ms = 0;
    f->probing = false;
    f->tier = TIER_DEFAULT;
    f->zone_count = 0;
    f->zone_outside = false;
    f->zone_exception = STR("");
    f->upstream_count = 0;
    f->blast_ppm = 0;
    f->blast_services = 0;
    f->blast_declared = false;
    f->impact_count = 0;
    f->crossed_count = 0;
    f->policy_count = 0;
    f->rate_agent = 0;
    f->rate_service = 0;
    f->rate_tool = 0;
    f->executing = 0;
    f->rate_subject = STR("");
    f->rate_release_ms = 0;
    f->gaps = 0;
    f->gap_service = STR("");
    f->memory_n = 0;
    f->memory_failed = 0;
    f->memory_service = STR("");
    f->recall_incident = 0;
    f->recall_shape = STR("");
    f->recall_seen = 0;
    f->recall_tried = 0;
    f->recall_resolved = 0;
    f->grant = 0;
    f->hour_count = 0;
    f->delegator = STR("");
    f->delegator_status = AGENT_UNKNOWN;
    f->chain_advisory = false;
    f->sql_harm = SQL_HARMLESS;
    f->sql_what = STR("");
    f->on_call_nobody = STR("");
    f->on_call_unknown = STR("");
    f->on_call_busiest = STR("");
    f->on_call_incidents = 0;
    f->evidence_service = STR("");
    f->snapshot_ms = 0;
    f->rollback_ms = 0;
    f->surface_count = 0;
    f->seen = NULL;
    f->validator_count = 0;
}

void gate_gather(const struct gate_input *in, struct facts *ret)
{
    facts_clear(ret);
    ret->agent = agent_status(in);
    ret->clock_ok = in->signals->clock_ok;
    ret->overrides = in->again == NULL ? 0 : world_overrides(in->world, in->again, in->now_ms);
    gather_stops(in, ret);
    for (uint32_t i = 0; i < in->request->service_count; i++) {
        gather_freezes(in, in->request->services[i], ret);
    }
    struct thresholds room;
    const struct agent_def *agent = gate_agent(in->world, in->request);
    const struct tool_def *tool = in->request->tool;
    const struct thresholds *t = policy_thresholds(
        in->policy, tool == NULL ? STR("") : tool->task_class,
        agent == NULL ? (struct threshold_changes){NULL, 0} : agent->checks, &room);
    if (tool != NULL && tool->class != TOOL_READ) {
        gather_impact(in, t, ret);
        gather_upstream(in, t, ret);
        gather_on_call(in, t, ret);
        gather_reversibility(in, t, ret);
    }
    gather_surfaces(in, ret);
    ret->sql_harm = in->request->sql_harm;
    ret->sql_what = in->request->sql_what;
    gather_conduct(in, t, ret);
    gather_identity(in, ret);
    gather_chain(in, t, ret);
    gather_for_rules(in, ret);
    gather_answers(in, ret);
    struct aqdd q = world_aqdd(in->world, in->now_ms);
    ret->aqdd_known = true;
    ret->aqdd_depth = q.depth;
    ret->aqdd_baseline_milli = q.baseline_milli;
    ret->aqdd_drift_milli = q.drift_milli;
    if (in->request->agent_index != MAP_NONE) {
        ret->her_known = true;
        world_her(in->world, in->request->agent_index, in->now_ms, &ret->her_ppm, &ret->her_sample);
        /* What was allowed or approved already asks back; what was held asks for the first time. */
        bool asks = in->again == NULL || in->again->state == ACTION_HELD;
        ret->pending_of_agent =
            asks ? world_agent_at(in->world, in->request->agent_index)->pending : 0;
    }
}
