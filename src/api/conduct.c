/*
 * api/conduct - breakers, the trust ladder, grants, the memory of outcomes, open incidents.
 */
#include "api/call.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static enum rc list_reply(struct call *c, struct value items, struct value next)
{
    struct value v = value_object();
    value_add(c->arena, &v, STR("items"), items);
    value_add(c->arena, &v, STR("next"), next);
    return call_reply(c, 200, v);
}

static struct value next_page(struct call *c, uint64_t at, uint64_t count)
{
    return at < count ? value_string(arena_printf(c->arena, "%llu", (unsigned long long)at)) : value_null();
}

/* --- breakers -------------------------------------------------------------------------------------- */

static struct value breaker_value(struct call *c, uint32_t index)
{
    struct arena *a = c->arena;
    const struct world_agent *agent = world_agent_at(control_world(c->control), index);
    enum breaker_phase phase = world_breaker(control_world(c->control), index, control_now(c->control));
    struct value v = value_object();
    value_add_str(a, &v, STR("agent"), str_from(agent->name));
    value_add_str(a, &v, STR("state"), str_from(breaker_phase_name(phase)));
    add_null_or_str(a, &v, STR("cause"), str_from(agent->breaker.cause));
    if (phase == BREAKER_OPEN && !agent->breaker.forced) {
        value_add_instant(a, &v, STR("half_open_at"), agent->breaker.until_ms);
    } else {
        value_add(a, &v, STR("half_open_at"), value_null());
    }
    value_add_int(a, &v, STR("denials"), agent->breaker.denials);
    value_add_int(a, &v, STR("failures"), agent->breaker.failures);
    return v;
}

enum rc breakers_list(struct call *c, struct err *e)
{
    uint64_t at;
    uint64_t limit;
    enum rc rc = call_page(c, &at, &limit, e);
    if (rc != RC_OK) {
        return rc;
    }
    uint32_t count = world_agent_count(control_world(c->control));
    struct value items = value_array();
    for (; at < count && items.count < limit; at++) {
        value_push(c->arena, &items, breaker_value(c, (uint32_t)at));
    }
    return list_reply(c, items, next_page(c, at, count));
}

struct breaker_body {
    struct str agent;
    int64_t state;
    struct str reason;
};

static const char *const breaker_states[] = {"closed", "open", NULL};

static const struct field breaker_fields[] = {
    {"agent", FIELD_TEXT, FIELD_OF(struct breaker_body, agent), true, 0, 0, 0, NULL},
    {"state", FIELD_WORD, FIELD_OF(struct breaker_body, state), true, 0, 0, 0, breaker_states},
    {"reason", FIELD_TEXT, FIELD_OF(struct breaker_body, reason), true, 0, 0, 0, NULL},
};

enum rc breakers_set(struct call *c, struct err *e)
{
    struct breaker_body b;
    uint64_t first;
    enum rc rc = call_fields(c, breaker_fields, COUNT(breaker_fields), &b, e);
    if (rc == RC_OK && b.state == 0 && (c->who.roles & ROLE_ADMIN) == 0) {
        return err_set(e, RC_DENIED, "only an admin closes a breaker");
    }
    if (rc != RC_OK) {
        return rc;
    }
    rc = control_repeated(c->control, &c->idempotency, &first, e);
    if (rc == RC_NOT_FOUND) {
        rc = control_breaker_set(c->control, c->arena, &c->who, b.agent, b.state == 1, b.reason, &c->idempotency, e);
    }
    return rc == RC_OK ? call_reply(c, 200, breaker_value(c, world_agent_find(control_world(c->control), b.agent))) : rc;
}

/* --- the trust ladder ---------------------------------------------------------------------------------- */

struct tier_body {
    struct str agent;
    struct str service;
    struct str tier;
    struct str reason;
};

static const struct field tier_fields[] = {
    {"agent", FIELD_TEXT, FIELD_OF(struct tier_body, agent), true, 0, 0, 0, NULL},
    {"service", FIELD_TEXT, FIELD_OF(struct tier_body, service), false, 0, 0, 0, NULL},
    {"tier", FIELD_TEXT, FIELD_OF(struct tier_body, tier), true, 0, 0, 0, NULL},
    {"reason", FIELD_TEXT, FIELD_OF(struct tier_body, reason), true, 0, 0, 0, NULL},
};

enum rc tiers_set(struct call *c, struct err *e)
{
    struct tier_body b;
    uint64_t first;
    struct tier_order order = {.tier = TIER_DEFAULT};
    enum rc rc = call_fields(c, tier_fields, COUNT(tier_fields), &b, e);
    if (rc == RC_OK && (!tier_parse(b.tier, &order.tier) || order.tier == TIER_DEFAULT)) {
        rc = err_at(e, RC_INVALID, STR("/tier"), "expected read_only, shadow, supervised or autonomous");
    }
    if (rc != RC_OK) {
        return rc;
    }
    order.agent = b.agent;
    order.service = b.service.len == 0 ? STR("*") : b.service;
    order.reason = b.reason;
    rc = control_repeated(c->control, &c->idempotency, &first, e);
    if (rc == RC_NOT_FOUND) {
        rc = control_tier_change(c->control, c->arena, &c->who, &order, &c->idempotency, e);
    }
    if (rc != RC_OK) {
        return rc;
    }
    struct value v = value_object();
    value_add_str(c->arena, &v, STR("agent"), b.agent);
    value_add_str(c->arena, &v, STR("service"), order.service);
    value_add_str(c->arena, &v, STR("tier"), b.tier);
    return call_reply(c, 200, v);
}

/* --- grants ------------------------------------------------------------------------------------------------ */

static struct value grant_value(struct call *c, const struct world_grant *g)
{
    struct arena *a = c->arena;
    struct value v = value_object();
    value_add_str(a, &v, STR("grant_id"), id_str(a, "grt", g->id));
    value_add_str(a, &v, STR("agent"), str_from(g->agent));
    value_add_str(a, &v, STR("tool"), str_from(g->tool));
    value_add_str(a, &v, STR("target"), str_from(g->target));
    value_add(a, &v, STR("where"), g->where == NULL ? value_null() : *g->where);
    value_add_instant(a, &v, STR("expires_at"), g->expires_ms);
    value_add_str(a, &v, STR("by"), str_from(g->by_person));
    value_add_str(a, &v, STR("reason"), str_from(g->reason));
    value_add_str(a, &v, STR("state"), g->revoked ? STR("revoked") : STR("in_force"));
    return v;
}

enum rc grants_list(struct call *c, struct err *e)
{
    uint64_t at;
    uint64_t limit;
    enum rc rc = call_page(c, &at, &limit, e);
    if (rc != RC_OK) {
        return rc;
    }
    const struct world *w = control_world(c->control);
    struct value items = value_array();
    for (; at < world_grant_count(w) && items.count < limit; at++) {
        value_push(c->arena, &items, grant_value(c, world_grant_at(w, (uint32_t)at)));
    }
    return list_reply(c, items, next_page(c, at, world_grant_count(w)));
}

struct grant_body {
    struct grant_order order;
    int64_t expires_in_ms;
};

static const struct field grant_fields[] = {
    {"agent", FIELD_TEXT, FIELD_OF(struct grant_body, order.agent), true, 0, 0, 0, NULL},
    {"tool", FIELD_TEXT, FIELD_OF(struct grant_body, order.tool), true, 0, 0, 0, NULL},
    {"target", FIELD_TEXT, FIELD_OF(struct grant_body, order.target), true, 0, 0, 0, NULL},
    {"where", FIELD_VALUE, FIELD_OF(struct grant_body, order.where), false, 0, 0, 0, NULL},
    {"expires_in", FIELD_SPAN, FIELD_OF(struct grant_body, expires_in_ms), true, 0, 0, 0, NULL},
    {"reason", FIELD_TEXT, FIELD_OF(struct grant_body, order.reason), true, 0, 0, 0, NULL},
};

enum rc grants_issue(struct call *c, struct err *e)
{
    struct grant_body b;
    uint64_t id;
    enum rc rc = call_fields(c, grant_fields, COUNT(grant_fields), &b, e);
    if (rc != RC_OK) {
        return rc;
    }
    rc = control_repeated(c->control, &c->idempotency, &id, e);
    if (rc == RC_NOT_FOUND) {
        b.order.expires_ms = control_now(c->control) + b.expires_in_ms;
        rc = control_grant_issue(c->control, c->arena, &c->who, &b.order, &c->idempotency, &id, e);
    }
    const struct world_grant *g = rc == RC_OK ? world_grant_by_id(control_world(c->control), id) : NULL;
    if (rc != RC_OK) {
        return rc;
    }
    struct value v = value_object();
    value_add_str(c->arena, &v, STR("grant_id"), id_str(c->arena, "grt", id));
    return call_reply(c, 201, g == NULL ? v : grant_value(c, g));
}

static const struct field revoke_fields[] = {
    {"reason", FIELD_TEXT, 0, true, 0, 0, 0, NULL},
};

enum rc grants_revoke(struct call *c, struct err *e)
{
    uint64_t id;
    uint64_t first;
    struct str reason;
    enum rc rc = call_id(c, 0, "grt", &id, e);
    rc = rc == RC_OK ? call_fields(c, revoke_fields, COUNT(revoke_fields), &reason, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    rc = control_repeated(c->control, &c->idempotency, &first, e);
    if (rc == RC_NOT_FOUND) {
        rc = control_grant_revoke(c->control, c->arena, &c->who, id, reason, &c->idempotency, e);
    }
    if (rc != RC_OK) {
        return rc;
    }
    struct value v = value_object();
    value_add_str(c->arena, &v, STR("grant_id"), id_str(c->arena, "grt", id));
    value_add_str(c->arena, &v, STR("state"), STR("revoked"));
    return call_reply(c, 200, v);
}

/* --- memory -------------------------------------------------------------------------------------------------- */

enum rc memory_list(struct call *c, struct err *e)
{
    uint64_t at;
    uint64_t limit;
    enum rc rc = call_page(c, &at, &limit, e);
    if (rc != RC_OK) {
        return rc;
    }
    const struct world *w = control_world(c->control);
    struct value items = value_array();
    for (; at < world_pattern_count(w) && items.count < limit; at++) {
        const struct world_pattern *p = world_pattern_at(w, (uint32_t)at);
        struct value v = value_object();
        value_add_str(c->arena, &v, STR("tool"), str_from(world_tool_at(w, p->tool)->name));
        value_add_str(c->arena, &v, STR("service"), str_from(world_service_at(w, p->service)->name));
        value_add_int(c->arena, &v, STR("outcomes"), (int64_t)p->n);
        value_add_int(c->arena, &v, STR("failed"), (int64_t)p->failed);
        value_add_str(c->arena, &v, STR("last_action"), id_str(c->arena, "act", p->last));
        value_add_instant(c->arena, &v, STR("last_at"), p->last_ms);
        value_push(c->arena, &items, v);
    }
    return list_reply(c, items, next_page(c, at, world_pattern_count(w)));
}

/* --- incidents ------------------------------------------------------------------------------------------------- */

enum rc incidents_list(struct call *c, struct err *e)
{
    uint64_t at;
    uint64_t limit;
    enum rc rc = call_page(c, &at, &limit, e);
    if (rc != RC_OK) {
        return rc;
    }
    const struct world *w = control_world(c->control);
    struct value items = value_array();
    for (; at < world_incident_count(w) && items.count < limit; at++) {
        const struct world_incident *x = world_incident_at(w, (uint32_t)at);
        struct value v = value_object();
        value_add_str(c->arena, &v, STR("incident_id"), id_str(c->arena, "inc", x->id));
        add_null_or_str(c->arena, &v, STR("action_id"), x->action == 0 ? STR("") : id_str(c->arena, "act", x->action));
        value_add_str(c->arena, &v, STR("service"),
                      x->service == MAP_NONE ? STR("") : str_from(world_service_at(w, x->service)->name));
        value_add_instant(c->arena, &v, STR("at"), x->at_ms);
        value_add_str(c->arena, &v, STR("cause"), x->review_by_ms != 0 ? STR("break_glass")
                                                  : x->action == 0     ? STR("reported")
                                                                       : STR("harm"));
        if (x->action == 0) {
            value_add_str(c->arena, &v, STR("symptom"), str_from(x->symptom));
            add_null_or_str(c->arena, &v, STR("shape"), str_from(x->shape));
        }
        if (x->review_by_ms != 0) {
            value_add_str(c->arena, &v, STR("person"), str_from(x->person));
            value_add_instant(c->arena, &v, STR("review_by"), x->review_by_ms);
        }
        value_push(c->arena, &items, v);
    }
    return list_reply(c, items, next_page(c, at, world_incident_count(w)));
}
