/*
 * control/incidents - somebody says that something is wrong, and later that it is over; what is learnt from it is kept, and
 * who asks for it is written down.
 */
#include "control/control_internal.h"

static bool is_quarantined(struct control *c, const struct principal *p)
{
    if (p->agent == MAP_NONE) {
        return false;
    }
    const struct world_agent *agent = world_agent_at(c->world, p->agent);
    return agent->def == NULL || agent->def->suspended || world_breaker(c->world, p->agent, clock_now(c)) == BREAKER_OPEN;
}

static uint32_t reported(const struct control *c)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < world_incident_count(c->world); i++) {
        n += world_incident_at(c->world, i)->action == 0 ? 1 : 0;
    }
    return n;
}

enum rc control_incident_open(struct control *c, struct arena *a, const struct principal *p, const struct incident_report *r,
                              const struct idempotency_key *k, uint64_t *ret_id, struct err *e)
{
    uint32_t service = world_service_find(c->world, r->service);
    if (is_quarantined(c, p)) {
        return err_set(e, RC_DENIED, "a quarantined agent writes no memory");
    }
    if (service == MAP_NONE || world_service_at(c->world, service)->def == NULL) {
        return err_at(e, RC_NOT_FOUND, STR("/service"), "no service is called \"%.*s\"", STR_ARG(r->service));
    }
    if (r->at_ms > clock_now(c)) {
        return err_at(e, RC_INVALID, STR("/at"), "expected a moment that is over");
    }
    if (r->reason.len > CONTROL_REASON_MAX) {
        return err_at(e, RC_INVALID, STR("/reason"), "expected at most %d bytes", CONTROL_REASON_MAX);
    }
    if (reported(c) >= INCIDENTS_REPORTED_MAX) {
        return err_set(e, RC_LIMIT, "%d incidents are open that somebody reported: close some first", INCIDENTS_REPORTED_MAX);
    }
    struct value body = value_object();
    value_add_instant(a, &body, STR("at"), r->at_ms);
    value_add_str(a, &body, STR("person"), p->person);
    value_add_str(a, &body, STR("reason"), r->reason);
    value_add_str(a, &body, STR("service"), r->service);
    value_add_str(a, &body, STR("shape"), r->shape);
    value_add_str(a, &body, STR("symptom"), r->symptom);
    add_idempotency(a, &body, k);
    struct append what = {.kind = ENTRY_INCIDENT_OPENED, .actor = str_from(p->actor), .body = body};
    return control_append(c, a, &what, ret_id, e);
}

enum rc control_memory_read(struct control *c, struct arena *a, const struct principal *p, struct str shape, int64_t seen,
                            uint64_t *ret_seq, struct err *e)
{
    struct value body = value_object();
    value_add_str(a, &body, STR("person"), p->person);
    value_add_int(a, &body, STR("seen"), seen);
    value_add_str(a, &body, STR("shape"), redact_reason(c, a, shape));
    struct append what = {.kind = ENTRY_MEMORY_READ, .actor = str_from(p->actor), .body = body};
    return control_append(c, a, &what, ret_seq, e);
}

/* What is learnt: by shape, with what was tried and what helped. */
static struct value pattern_value(struct control *c, struct arena *a, const struct incident_end *end)
{
    struct value v = value_object();
    struct value tried = value_array();
    for (uint32_t i = 0; i < end->tried_count; i++) {
        const struct action *action = world_action(c->world, end->tried[i]);
        if (action != NULL && action->tool != MAP_NONE) {
            struct value row = value_array();
            bool good = action->state == ACTION_SUCCEEDED || action->state == ACTION_VERIFIED;
            value_push(a, &row, value_string(str_from(world_tool_at(c->world, action->tool)->name)));
            value_push(a, &row, value_bool(good));
            value_push(a, &row, value_string(ref_text(a, "act", action->id)));
            value_push(a, &tried, row);
        }
    }
    const struct action *by = end->resolved_by == 0 ? NULL : world_action(c->world, end->resolved_by);
    if (by != NULL) {
        value_add_str(a, &v, STR("resolved_by"), ref_text(a, "act", by->id));
    }
    value_add_str(a, &v, STR("shape"), end->shape);
    if (by != NULL && by->tool != MAP_NONE) {
        value_add_str(a, &v, STR("tool"), str_from(world_tool_at(c->world, by->tool)->name));
    }
    value_add(a, &v, STR("tried"), tried);
    return v;
}

static bool broke_glass(const struct control *c, const struct principal *p, uint64_t id)
{
    for (uint32_t i = 0; i < world_incident_count(c->world); i++) {
        const struct world_incident *x = world_incident_at(c->world, i);
        if (x->id == id && x->review_by_ms != 0) {
            return str_eq(p->person, str_from(x->person));
        }
    }
    return false;
}

enum rc control_incident_close(struct control *c, struct arena *a, const struct principal *p, uint64_t id,
                               const struct incident_end *end, const struct idempotency_key *k, struct err *e)
{
    struct str reason = end->reason;
    bool open = false;
    for (uint32_t i = 0; i < world_incident_count(c->world); i++) {
        open = open || world_incident_at(c->world, i)->id == id;
    }
    if (!open) {
        return err_set(e, RC_NOT_FOUND, "no such incident is open");
    }
    if (broke_glass(c, p, id)) {
        return err_set(e, RC_DENIED, "who broke the glass can't be the one who looks at it");
    }
    if (str_trim(reason).len == 0 || reason.len > CONTROL_REASON_MAX) {
        return err_at(e, RC_INVALID, STR("/reason"), "expected a reason of at most %d bytes", CONTROL_REASON_MAX);
    }
    struct value body = value_object();
    value_add_str(a, &body, STR("person"), p->person);
    value_add_str(a, &body, STR("reason"), reason);
    if (end->shape.len > 0) {
        value_add(a, &body, STR("pattern"), pattern_value(c, a, end));
    }
    add_idempotency(a, &body, k);
    struct append what = {.kind = ENTRY_INCIDENT_CLOSED,
                          .actor = str_from(p->actor),
                          .refs = {ref_text(a, "inc", id)},
                          .ref_count = 1,
                          .body = body};
    uint64_t seq;
    return control_append(c, a, &what, &seq, e);
}
