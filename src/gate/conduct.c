/*
 * gate/conduct - facts about the agent and what it did lately: breaker, tier, zones, grant, rates,
 * readiness of the services, memory of outcomes.
 */
#include "gate/gather.h"

static bool is_on(const struct thresholds *t, enum check c)
{
    return thresholds_mode(t, c) != MODE_OFF;
}

static void gather_breaker(const struct gate_input *in, struct facts *f)
{
    const struct world_agent *agent = world_agent_at(in->world, in->request->agent_index);
    f->breaker = world_breaker(in->world, in->request->agent_index, in->now_ms);
    if (f->breaker != BREAKER_CLOSED) {
        f->breaker_cause = str_from(agent->breaker.cause);
        f->breaker_until_ms = agent->breaker.until_ms;
        f->probing = agent->executing > 0;
    }
}

/* --- zones ------------------------------------------------------------------------------------- */

static void add_zone(struct facts *f, struct str zone)
{
    for (unsigned i = 0; i < f->zone_count; i++) {
        if (str_eq(f->zones[i], zone)) {
            return;
        }
    }
    if (f->zone_count < FACT_ZONES_MAX) {
        f->zones[f->zone_count++] = zone;
    }
}

static bool covers_all(const struct str_list *globs, const struct facts *f)
{
    for (unsigned i = 0; i < f->zone_count; i++) {
        if (!any_glob(globs, f->zones[i])) {
            return false;
        }
    }
    return true;
}

bool zones_cover(const struct agent_def *agent, const struct facts *f)
{
    return agent->zones.count == 0 || covers_all(&agent->zones, f);
}

/* Those in whose name it is done are meant as well. */
static bool covers_chain(const struct str_list *globs, const struct request *q)
{
    for (uint32_t i = 0; i < REQUEST_ACT_MAX && value_item(q->act, i) != NULL; i++) {
        if (!any_glob(globs, value_text(value_item(q->act, i)))) {
            return false;
        }
    }
    return any_glob(globs, q->agent);
}

static struct str exception_for(const struct gate_input *in, const struct facts *f)
{
    const struct request *q = in->request;
    for (uint32_t i = 0; q->tool != NULL && i < in->policy->zone_exception_count; i++) {
        const struct zone_exception *x = &in->policy->zone_exceptions[i];
        bool in_force = x->until_ms == 0 || in->now_ms < x->until_ms;
        if (in_force && covers_chain(&x->agents, q) && any_glob(&x->tools, q->tool->name) &&
            covers_all(&x->zones, f)) {
            return x->name;
        }
    }
    return STR("");
}

static void gather_zones(const struct gate_input *in, struct facts *f)
{
    for (uint32_t i = 0; i < in->request->service_count; i++) {
        const struct service_def *def = world_service_at(in->world, in->request->services[i])->def;
        if (def != NULL && def->zone.len > 0) {
            add_zone(f, def->zone);
        }
    }
    const struct agent_def *agent = gate_agent(in->world, in->request);
    f->zone_outside = agent != NULL && !zones_cover(agent, f);
    if (f->zone_outside || f->zone_count > 1 || value_item(in->request->act, 0) != NULL) {
        f->zone_exception = exception_for(in, f);
    }
}

/* --- rates ------------------------------------------------------------------------------------- */

static void count_one(const struct rate_ring *r, int64_t now_ms, const struct thresholds *t, int64_t max, int64_t *count,
                      struct facts *f)
{
    int64_t oldest = now_ms;
    int64_t n = max == 0 ? 0 : rate_count(r, now_ms - t->at[RATE_WINDOW_MS], &oldest);
    *count = n > *count ? n : *count;
    int64_t release = oldest + t->at[RATE_WINDOW_MS];
    if (max != 0 && n >= max && release > f->rate_release_ms) {
        f->rate_release_ms = release;
    }
}

static void gather_rates(const struct gate_input *in, const struct thresholds *t, struct facts *f)
{
    const struct request *q = in->request;
    if (q->agent_index != MAP_NONE) {
        count_one(world_agent_at(in->world, q->agent_index)->done, in->now_ms, t, t->at[RATE_MAX_AGENT], &f->rate_agent, f);
    }
    if (q->tool_index != MAP_NONE) {
        count_one(world_tool_at(in->world, q->tool_index)->done, in->now_ms, t, t->at[RATE_MAX_TOOL], &f->rate_tool, f);
    }
    for (uint32_t i = 0; i < q->service_count; i++) {
        const struct world_service *s = world_service_at(in->world, q->services[i]);
        int64_t before = f->rate_service;
        count_one(s->done, in->now_ms, t, t->at[RATE_MAX_SERVICE], &f->rate_service, f);
        bool busier = f->rate_service > before;
        if (t->at[RATE_CONCURRENT] > 0 && (int64_t)s->executing > f->executing) {
            f->executing = s->executing;
            busier = true;
        }
        f->rate_subject = busier ? str_from(s->name) : f->rate_subject;
    }
}

/* --- readiness, memory --------------------------------------------------------------------------- */

static void gather_gaps(const struct gate_input *in, struct facts *f)
{
    for (uint32_t i = 0; i < in->request->service_count; i++) {
        const struct world_service *s = world_service_at(in->world, in->request->services[i]);
        unsigned gaps = s->def == NULL ? GAPS_ALL : service_gaps(s->def, in->now_ms);
        if (gaps != 0 && f->gaps == 0) {
            f->gap_service = str_from(s->name);
        }
        f->gaps |= gaps;
    }
}

static void gather_memory(const struct gate_input *in, struct facts *f)
{
    const struct request *q = in->request;
    for (uint32_t i = 0; q->tool_index != MAP_NONE && i < q->service_count; i++) {
        const struct world_pattern *p = world_pattern(in->world, q->tool_index, q->services[i]);
        if (p != NULL && (f->memory_n == 0 || (int64_t)p->failed > f->memory_failed)) {
            f->memory_n = (int64_t)p->n;
            f->memory_failed = (int64_t)p->failed;
            f->memory_service = str_from(world_service_at(in->world, q->services[i])->name);
        }
    }
}

static void gather_drift(const struct gate_input *in, struct facts *f)
{
    const struct agent_def *agent = gate_agent(in->world, in->request);
    int64_t oldest;
    if (agent != NULL && agent->behaviour.per_hour > 0) {
        f->hour_count = rate_count(world_agent_at(in->world, in->request->agent_index)->done, in->now_ms - HOUR_MS, &oldest);
    }
}

void gather_conduct(const struct gate_input *in, const struct thresholds *t, struct facts *f)
{
    const struct request *q = in->request;
    if (q->tool == NULL) {
        return;
    }
    if (q->agent_index != MAP_NONE) {
        gather_breaker(in, f);
        enum tier otherwise = t->at[TIER_OTHERWISE] == TIER_DEFAULT ? TIER_SUPERVISED : (enum tier)t->at[TIER_OTHERWISE];
        f->tier = world_tier(in->world, q->agent_index, q->services, q->service_count, otherwise);
    }
    gather_zones(in, f);
    if (is_on(t, CHECK_RATE)) {
        gather_rates(in, t, f);
    }
    if (is_on(t, CHECK_DRIFT)) {
        gather_drift(in, f);
    }
    if (q->tool->class == TOOL_READ) {
        return;
    }
    if (is_on(t, CHECK_READINESS)) {
        gather_gaps(in, f);
    }
    if (is_on(t, CHECK_MEMORY)) {
        gather_memory(in, f);
    }
    if (is_on(t, CHECK_GRANT)) {
        const struct world_grant *g =
            world_grant_for(in->world, q->agent, q->tool->name, q->target, &q->parameters, in->now_ms);
        f->grant = g == NULL ? 0 : g->id;
    }
}
