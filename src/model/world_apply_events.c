/*
 * model/world_apply_events - what sources say of the outside, and how agents stand: breakers, tiers, grants.
 */
#include "model/world_step.h"

#include "base/must.h"

#include <stdlib.h>

/* --- events ---------------------------------------------------------------------------------------------- */

static struct world_service *event_service(const struct step *s)
{
    uint32_t at = world_service_find(s->w, text(s, STR("service")));
    return at == MAP_NONE ? NULL : s->w->services[at];
}

static void drop_deploy(struct world_service *service, uint32_t i)
{
    memmove(&service->deploys[i], &service->deploys[i + 1],
            (service->deploy_count - i - 1) * sizeof *service->deploys);
    service->deploy_count--;
}

enum rc deploy_started(const struct step *s)
{
    uint32_t at = world_service_find(s->w, text(s, STR("service")));
    if (at == MAP_NONE) {
        return missing(s, "the service");
    }
    struct world_service *service = s->w->services[at];
    if (service->deploy_count == DEPLOYS_MAX) {
        drop_deploy(service, 0);
    }
    struct world_deploy *d = &service->deploys[service->deploy_count++];
    copy_text(d->id, sizeof d->id, text(s, STR("id")));
    d->since_ms = s->entry->time_ms;
    return graph_service_changed(s->w, at, NODE_DEPLOY, s->entry->seq, text(s, STR("id")), s->e);
}

enum rc deploy_ended(const struct step *s)
{
    struct world_service *service = event_service(s);
    if (service == NULL) {
        return missing(s, "the service");
    }
    struct str id = text(s, STR("id"));
    for (uint32_t i = service->deploy_count; i-- > 0;) {
        struct str known = str_from(service->deploys[i].id);
        if (str_eq(known, text_that_fits(id, sizeof service->deploys[i].id))) {
            drop_deploy(service, i);
        }
    }
    return RC_OK;
}

enum rc on_call_changed(const struct step *s)
{
    struct world_service *service = event_service(s);
    if (service == NULL) {
        return missing(s, "the service");
    }
    if (service->on_call == NULL) {
        service->on_call = calloc(1, sizeof *service->on_call);
        if (service->on_call == NULL) {
            return err_set(s->e, RC_NO_MEMORY, "out of memory");
        }
    }
    struct world_on_call *o = service->on_call;
    int64_t incidents = value_integer_or(get(s, STR("incidents")), 0);
    int64_t until = 0;
    if (incidents < 0 || (get(s, STR("until")) != NULL && !instant(s, STR("until"), &until))) {
        return missing(s, "the on-call");
    }
    copy_text(o->person, sizeof o->person, value_text(value_item(get(s, STR("people")), 0)));
    o->incidents = incidents;
    o->at_ms = s->entry->time_ms;
    o->until_ms = until;
    return RC_OK;
}

/* A rollback that was tested and failed is no way back, whatever an older test said. */
enum rc evidence_recorded(const struct step *s)
{
    struct world_service *service = event_service(s);
    int64_t at;
    if (service == NULL || !instant(s, STR("at"), &at)) {
        return missing(s, "the service");
    }
    if (s->entry->kind == ENTRY_SNAPSHOT_TAKEN) {
        service->snapshot_ms = at > service->snapshot_ms ? at : service->snapshot_ms;
    } else {
        bool good = str_eq(text(s, STR("result")), STR("succeeded"));
        service->rollback_ms = good ? at : 0;
    }
    return RC_OK;
}

enum rc sli_bucket(const struct step *s)
{
    struct world_service *service = event_service(s);
    int64_t at;
    int64_t good = value_integer_or(get(s, STR("good")), -1);
    int64_t total = value_integer_or(get(s, STR("total")), -1);
    if (service == NULL || !instant(s, STR("at"), &at) || good < 0 || total < good) {
        return missing(s, "the bucket");
    }
    if (service->sli == NULL) {
        service->sli = malloc(sizeof *service->sli);
        if (service->sli == NULL) {
            return err_set(s->e, RC_NO_MEMORY, "out of memory");
        }
        window_init(service->sli);
    }
    if (window_add(service->sli, at, good, total) && at > service->sli_at_ms) {
        service->sli_at_ms = at;
    }
    return RC_OK;
}

/* --- conduct: breakers, tiers, grants ---------------------------------------------------------------------- */

static struct world_agent *event_agent(const struct step *s)
{
    uint32_t at = world_agent_find(s->w, text(s, STR("agent")));
    return at == MAP_NONE ? NULL : s->w->agents[at];
}

enum rc breaker_set(const struct step *s)
{
    struct world_agent *agent = event_agent(s);
    enum breaker_phase phase;
    if (agent == NULL || !breaker_phase_parse(text(s, STR("state")), &phase) || phase == BREAKER_HALF_OPEN) {
        return missing(s, "the breaker");
    }
    agent->breaker = (struct breaker){.open = phase == BREAKER_OPEN, .forced = phase == BREAKER_OPEN};
    copy_text(agent->breaker.cause, sizeof agent->breaker.cause, phase == BREAKER_OPEN ? STR("operator") : STR(""));
    return RC_OK;
}

enum rc tier_changed(const struct step *s)
{
    struct world_agent *agent = event_agent(s);
    enum tier tier;
    if (agent == NULL || !tier_parse(text(s, STR("tier")), &tier) || tier == TIER_DEFAULT) {
        return missing(s, "the tier");
    }
    return tier_override(agent, text(s, STR("service")), tier, s->entry->seq, s->e);
}

enum rc grant_issued(const struct step *s)
{
    struct world_grant g = {.id = s->entry->seq, .expires_ms = instant_or(s, STR("expires_at"), 0)};
    if (g.expires_ms == 0 || !id_parse(s->entry->actor, "tok", &g.by)) {
        return missing(s, "the grant");
    }
    copy_text(g.agent, sizeof g.agent, text(s, STR("agent")));
    copy_text(g.tool, sizeof g.tool, text(s, STR("tool")));
    copy_text(g.target, sizeof g.target, text(s, STR("target")));
    copy_text(g.by_person, sizeof g.by_person, text(s, STR("person")));
    copy_text(g.reason, sizeof g.reason, text(s, STR("reason")));
    return grants_add(s->w, &g, get(s, STR("where")), s->e);
}

/* It may have ended by itself in the meantime. */
enum rc grant_revoked(const struct step *s)
{
    uint64_t id;
    if (!ref_id(s, 0, "grt", &id)) {
        return missing(s, "the grant");
    }
    for (uint32_t i = 0; i < s->w->grant_count; i++) {
        if (s->w->grants[i]->id == id) {
            s->w->grants[i]->revoked = true;
        }
    }
    return RC_OK;
}
