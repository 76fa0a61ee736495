/*
 * gate/chain - who acts in the name of others has no more than any of them.
 *
 * What holds for the delegate must hold for each agent before it in the chain: registered and not suspended, permitted,
 * in its zones, granted, its breaker closed; the lowest rung counts, and a stop or an advisory mode of one covers those
 * who act for it.
 */
#include "gate/gather.h"

static const struct world_agent *chain_agent(const struct gate_input *in, struct str name)
{
    uint32_t at = world_agent_find(in->world, name);
    return at == MAP_NONE ? NULL : world_agent_at(in->world, at);
}

static enum agent_status status_of(const struct world_agent *agent)
{
    if (agent == NULL) {
        return AGENT_UNKNOWN;
    }
    if (agent->def == NULL) {
        return AGENT_REMOVED;
    }
    return agent->def->suspended ? AGENT_SUSPENDED : AGENT_ACTIVE;
}

static bool is_permitted(const struct gate_input *in, const struct agent_def *def)
{
    const struct request *q = in->request;
    const struct check_input one = {.policy = in->policy, .agent = def, .request = q};
    return agent_is_permitted(&one);
}

static bool is_granted(const struct gate_input *in, struct str name)
{
    const struct request *q = in->request;
    return q->tool != NULL &&
           world_grant_for(in->world, name, q->tool->name, q->target, &q->parameters, in->now_ms) != NULL;
}

/* The delegate stands as its delegator does where that is stricter. */
static void take_conduct(const struct gate_input *in, const struct world_agent *agent, const struct thresholds *t,
                         struct facts *f)
{
    const struct request *q = in->request;
    uint32_t index = world_agent_find(in->world, agent->def->name);
    enum tier otherwise = t->at[TIER_OTHERWISE] == TIER_DEFAULT ? TIER_SUPERVISED : (enum tier)t->at[TIER_OTHERWISE];
    enum tier tier = world_tier(in->world, index, q->services, q->service_count, otherwise);
    f->tier = f->tier == TIER_DEFAULT || tier < f->tier ? tier : f->tier;
    enum breaker_phase phase = world_breaker(in->world, index, in->now_ms);
    if (phase == BREAKER_OPEN && f->breaker != BREAKER_OPEN) {
        f->breaker = BREAKER_OPEN;
        f->breaker_cause = str_from(agent->breaker.cause);
        f->breaker_until_ms = agent->breaker.until_ms;
    }
    f->zone_outside = f->zone_outside || !zones_cover(agent->def, f);
    f->grant = is_granted(in, agent->def->name) ? f->grant : 0;
    f->chain_advisory = f->chain_advisory || agent->def->advisory;
}

void gather_chain(const struct gate_input *in, const struct thresholds *t, struct facts *f)
{
    const struct value *act = in->request->act;
    for (uint32_t i = 0; i < REQUEST_ACT_MAX && value_item(act, i) != NULL; i++) {
        struct str name = value_text(value_item(act, i));
        const struct world_agent *agent = chain_agent(in, name);
        enum agent_status status = status_of(agent);
        bool may = status == AGENT_ACTIVE && is_permitted(in, agent->def);
        if (!may && f->delegator.len == 0) {
            f->delegator = name;
            f->delegator_status = status;
        }
        if (status == AGENT_ACTIVE && in->request->agent_index != MAP_NONE) {
            take_conduct(in, agent, t, f);
        }
    }
}
