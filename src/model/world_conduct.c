/*
 * model/world_conduct - what agents did lately: rates, breakers, the trust ladder, memory of outcomes.
 *
 * A breaker opens by what the fold sees and by nothing else: denials in a row that are of the agent's own
 * making, failures in a row, calls in a window. It turns half-open by time; good outcomes close it.
 */
#include "model/world_internal.h"

#include "base/must.h"

#include <stdlib.h>
#include <string.h>

/* --- rates --------------------------------------------------------------------------------------- */

enum rc rate_add(struct rate_ring **r, int64_t at_ms, struct err *e)
{
    if (*r == NULL) {
        *r = calloc(1, sizeof **r);
        if (*r == NULL) {
            return err_set(e, RC_NO_MEMORY, "out of memory");
        }
    }
    struct rate_ring *ring = *r;
    ring->at_ms[ring->next] = at_ms;
    ring->next = (ring->next + 1) % RATE_COUNT_MAX;
    ring->count += ring->count < RATE_COUNT_MAX ? 1 : 0;
    return RC_OK;
}

int64_t rate_count(const struct rate_ring *r, int64_t since_ms, int64_t *ret_oldest_ms)
{
    int64_t count = 0;
    for (uint32_t i = 0; r != NULL && i < r->count; i++) {
        int64_t at = r->at_ms[(r->next + RATE_COUNT_MAX - 1 - i) % RATE_COUNT_MAX];
        if (at <= since_ms) {
            break; /* they ascend */
        }
        count++;
        *ret_oldest_ms = at;
    }
    return count;
}

/* --- breakers -------------------------------------------------------------------------------------- */

static const struct thresholds *of_agent(const struct world *w, const struct world_agent *a, struct thresholds *room)
{
    const struct agent_def *def = w->lens ? a->aside : a->def;
    return policy_thresholds(w->policy, STR(""), def == NULL ? (struct threshold_changes){NULL, 0} : def->checks, room);
}

static void trip(struct breaker *b, const char *cause, int64_t now_ms, const struct thresholds *t)
{
    b->open = true;
    b->until_ms = now_ms + t->at[BREAKER_OPEN_MS];
    b->probes = 0;
    b->denials = 0;
    b->failures = 0;
    must(str_to_c(str_from(cause), b->cause, sizeof b->cause));
}

/* Denials that say something of the agent; a stop, a freeze or its own breaker do not. */
static bool is_own_denial(const struct action *a)
{
    switch (a->blocking) {
    case CHECK_IDENTITY:
    case CHECK_CATALOGUE:
    case CHECK_REQUEST:
    case CHECK_LINEAGE:
    case CHECK_TIER:
    case CHECK_GRANT:
    case CHECK_ZONE:
    case CHECK_BLAST_RADIUS:
    case CHECK_SURFACES:
    case CHECK_DRIFT:
    case CHECK_PROVENANCE:
        return a->verdict == VERDICT_DENY;
    default:
        return false;
    }
}

static enum rc count_call(struct world *w, struct world_agent *agent, const struct thresholds *t, struct err *e)
{
    int64_t max = t->at[BREAKER_MAX_CALLS];
    if (max == 0) {
        return RC_OK;
    }
    enum rc rc = rate_add(&agent->calls, w->time_ms, e);
    int64_t oldest;
    if (rc == RC_OK && !agent->breaker.open &&
        rate_count(agent->calls, w->time_ms - t->at[BREAKER_WINDOW_MS], &oldest) > max) {
        trip(&agent->breaker, "calls", w->time_ms, t);
    }
    return rc;
}

enum rc conduct_decided(struct world *w, const struct action *a, struct err *e)
{
    if (a->agent == MAP_NONE || w->policy == NULL) {
        return RC_OK;
    }
    struct world_agent *agent = w->agents[a->agent];
    struct thresholds room;
    const struct thresholds *t = of_agent(w, agent, &room);
    struct breaker *b = &agent->breaker;
    if (thresholds_mode(t, CHECK_BREAKER) == MODE_OFF) {
        return RC_OK;
    }
    if (is_own_denial(a)) {
        b->denials++;
        if (!b->open && b->denials >= (uint64_t)t->at[BREAKER_MAX_DENIALS]) {
            trip(b, "denials", w->time_ms, t);
        }
    } else if (a->verdict == VERDICT_ALLOW) {
        b->denials = 0;
    }
    return count_call(w, agent, t, e);
}

static void judge_outcome(struct world *w, struct world_agent *agent, bool good)
{
    struct thresholds room;
    const struct thresholds *t = of_agent(w, agent, &room);
    struct breaker *b = &agent->breaker;
    if (thresholds_mode(t, CHECK_BREAKER) == MODE_OFF) {
        return;
    }
    bool half_open = b->open && !b->forced && w->time_ms >= b->until_ms;
    if (good) {
        b->failures = 0;
        b->probes += half_open ? 1 : 0;
        if (half_open && b->probes >= (uint64_t)t->at[BREAKER_PROBES]) {
            *b = (struct breaker){.open = false};
        }
        return;
    }
    b->failures++;
    if (half_open || (!b->open && b->failures >= (uint64_t)t->at[BREAKER_MAX_FAILURES])) {
        trip(b, "failures", w->time_ms, t);
    }
}

enum breaker_phase world_breaker(const struct world *w, uint32_t agent, int64_t now_ms)
{
    const struct breaker *b = &w->agents[agent]->breaker;
    if (!b->open) {
        return BREAKER_CLOSED;
    }
    return !b->forced && now_ms >= b->until_ms ? BREAKER_HALF_OPEN : BREAKER_OPEN;
}

/* --- executions -------------------------------------------------------------------------------------- */

enum rc conduct_committed(struct world *w, const struct action *a, struct err *e)
{
    enum rc rc = a->agent == MAP_NONE ? RC_OK : rate_add(&w->agents[a->agent]->done, w->time_ms, e);
    if (rc == RC_OK && a->tool != MAP_NONE) {
        rc = rate_add(&w->tools[a->tool]->done, w->time_ms, e);
    }
    struct str tool = a->tool == MAP_NONE ? STR("a command") : str_from(w->tools[a->tool]->name);
    for (uint32_t i = 0; rc == RC_OK && i < a->service_count; i++) {
        uint32_t service = action_services(a)[i];
        rc = rate_add(&w->services[service]->done, w->time_ms, e);
        rc = rc == RC_OK ? graph_service_changed(w, service, NODE_ACTION, a->id, tool, e) : rc;
    }
    return rc;
}

/* --- memory ---------------------------------------------------------------------------------------------- */

static uint64_t pattern_key(uint32_t tool, uint32_t service)
{
    return ((uint64_t)tool << 32) | service;
}

enum rc pattern_row(struct world *w, uint32_t tool, uint32_t service, struct world_pattern **ret, struct err *e)
{
    uint32_t at = idmap_get(&w->pattern_index, pattern_key(tool, service));
    *ret = NULL;
    if (at == MAP_NONE && w->pattern_count == PATTERNS_MAX) {
        return RC_OK; /* what is remembered stays */
    }
    if (at == MAP_NONE) {
        enum rc rc = table_room(&w->patterns, w->pattern_count, &w->pattern_capacity, sizeof *w->patterns, e);
        if (rc != RC_OK) {
            return rc;
        }
        at = w->pattern_count;
        w->patterns[at] = (struct world_pattern){.tool = tool, .service = service};
        if (idmap_put(&w->pattern_index, pattern_key(tool, service), at) != RC_OK) {
            return err_set(e, RC_NO_MEMORY, "out of memory");
        }
        w->pattern_count++;
    }
    *ret = &w->patterns[at];
    return RC_OK;
}

enum rc conduct_ended(struct world *w, const struct action *a, bool good, struct err *e)
{
    if (a->agent != MAP_NONE) {
        w->agents[a->agent]->changes++;
        w->agents[a->agent]->changes_good += good ? 1 : 0;
    }
    if (a->agent != MAP_NONE && w->policy != NULL) {
        judge_outcome(w, w->agents[a->agent], good);
    }
    enum rc rc = RC_OK;
    for (uint32_t i = 0; rc == RC_OK && a->tool != MAP_NONE && i < a->service_count; i++) {
        struct world_pattern *p;
        rc = pattern_row(w, a->tool, action_services(a)[i], &p, e);
        if (p != NULL) {
            p->n++;
            p->failed += good ? 0 : 1;
            p->last = a->id;
            p->last_ms = w->time_ms;
        }
    }
    return rc;
}

static int64_t number_of(const struct value *v, const char *name)
{
    return value_integer_or(value_get(v, str_from(name)), 0);
}

static void calibrate(struct calibration *c, const struct value *v, bool bad)
{
    int64_t hurt = number_of(v, "hurt_count");
    int64_t missed = number_of(v, "missed_count");
    int64_t traffic = number_of(v, "predicted_ppm") - number_of(v, "actual_ppm");
    int64_t off = (bad ? PPM_ONE : 0) - number_of(v, "risk_ppm");
    c->n++;
    c->bad += bad ? 1 : 0;
    c->harmed += hurt + missed;
    c->foretold += hurt;
    c->risk_ppm += number_of(v, "risk_ppm");
    c->brier_ppm += off * off / PPM_ONE;
    if (hurt + missed > 0) {
        c->spared += number_of(v, "predicted") - hurt;
        c->over_ppm += traffic > 0 ? traffic : 0;
        c->under_ppm += traffic < 0 ? -traffic : 0;
    }
}

void conduct_calibrated(struct world *w, const struct action *a, const struct value *v, bool bad)
{
    if (v == NULL) {
        return;
    }
    if (a->agent != MAP_NONE) {
        calibrate(&w->agents[a->agent]->calibration, v, bad);
    }
    if (a->tool != MAP_NONE) {
        calibrate(&w->tools[a->tool]->calibration, v, bad);
    }
}

const struct world_pattern *world_pattern(const struct world *w, uint32_t tool, uint32_t service)
{
    uint32_t at = idmap_get(&w->pattern_index, pattern_key(tool, service));
    return at == MAP_NONE ? NULL : &w->patterns[at];
}

uint32_t world_pattern_count(const struct world *w)
{
    return w->pattern_count;
}

const struct world_pattern *world_pattern_at(const struct world *w, uint32_t index)
{
    must(index < w->pattern_count);
    return &w->patterns[index];
}

/* --- the trust ladder -------------------------------------------------------------------------------------- */

static bool same_scope(const struct tier_override *o, struct str service)
{
    return str_eq(str_from(o->service), service);
}

enum rc tier_override(struct world_agent *a, struct str service, enum tier tier, uint64_t seq, struct err *e)
{
    uint32_t at = 0;
    while (at < a->tier_count && !same_scope(&a->tiers[at], service)) {
        at++;
    }
    if (at < a->tier_count) {
        memmove(&a->tiers[at], &a->tiers[at + 1], (a->tier_count - at - 1) * sizeof *a->tiers);
        a->tier_count--;
    }
    if (a->tier_count == TIER_OVERRIDES_MAX) {
        return err_set(e, RC_LIMIT, "more than %d tiers of one agent", TIER_OVERRIDES_MAX);
    }
    if (a->tiers == NULL) {
        a->tiers = calloc(TIER_OVERRIDES_MAX, sizeof *a->tiers);
        if (a->tiers == NULL) {
            return err_set(e, RC_NO_MEMORY, "out of memory");
        }
    }
    struct tier_override *o = &a->tiers[a->tier_count++];
    *o = (struct tier_override){.tier = tier, .seq = seq};
    return str_to_c(service, o->service, sizeof o->service) ? RC_OK
                                                            : err_set(e, RC_CORRUPT, "a tier's service is too long");
}

static enum tier tier_on(const struct world_agent *a, struct str service, enum tier otherwise)
{
    for (uint32_t i = a->tier_count; i-- > 0;) {
        if (str_glob(str_from(a->tiers[i].service), service)) {
            return a->tiers[i].tier;
        }
    }
    for (uint32_t i = 0; a->def != NULL && i < a->def->tier_count; i++) {
        if (str_glob(a->def->tiers[i].service, service) && a->def->tiers[i].tier != TIER_DEFAULT) {
            return (enum tier)a->def->tiers[i].tier;
        }
    }
    return a->def != NULL && a->def->tier != TIER_DEFAULT ? (enum tier)a->def->tier : otherwise;
}

enum tier world_tier(const struct world *w, uint32_t agent, const uint32_t *services, uint32_t count,
                     enum tier otherwise)
{
    const struct world_agent *a = w->agents[agent];
    enum tier lowest = count == 0 ? tier_on(a, STR(""), otherwise) : TIER_AUTONOMOUS;
    for (uint32_t i = 0; i < count; i++) {
        enum tier t = tier_on(a, str_from(w->services[services[i]]->name), otherwise);
        lowest = t < lowest ? t : lowest;
    }
    return lowest;
}
