/*
 * control/stop - the kill switch: effect first, entry as soon as possible; lifting needs the ledger.
 * Source: SEMANTICS section 6.
 */
#include "control/control_internal.h"

/* A selector that fits nobody is a slip of the pen, and must not look like a stop. */
static bool any_agent(const struct world *w, const struct stop_order *o)
{
    for (uint32_t i = 0; i < world_agent_count(w); i++) {
        const struct agent_def *def = world_agent_at(w, i)->def;
        bool fits = def != NULL && (o->scope == STOP_MODEL ? o->name.len > 0 && str_eq(def->model, o->name)
                                                           : agent_has_label(def, o->name));
        if (fits) {
            return true;
        }
    }
    return false;
}

static enum rc is_known_name(const struct control *c, const struct stop_order *o, struct err *e)
{
    bool known = true;
    switch (o->scope) {
    case STOP_ALL:
        known = o->name.len == 0;
        break;
    case STOP_AGENT:
        known = world_agent_find(c->world, o->name) != MAP_NONE;
        break;
    case STOP_SERVICE:
        known = world_service_find(c->world, o->name) != MAP_NONE;
        break;
    case STOP_TOOL:
        known = world_tool_find(c->world, o->name) != MAP_NONE;
        break;
    case STOP_MODEL:
    case STOP_LABEL:
        known = any_agent(c->world, o);
        break;
    }
    return known ? RC_OK
                 : err_at(e, RC_NOT_FOUND, STR("/name"), "no %s is called \"%.*s\"",
                          stop_scope_name(o->scope), STR_ARG(o->name));
}

/* The stop that says the same already, or null. */
static const struct world_stop *standing(const struct control *c, const struct stop_order *o)
{
    for (uint32_t i = 0; i < world_stop_count(c->world); i++) {
        const struct world_stop *s = world_stop_at(c->world, i);
        if (s->scope == o->scope && s->level == o->level && str_eq(str_from(s->name), o->name)) {
            return s;
        }
    }
    return NULL;
}

static int64_t elapsed_us(struct control *c)
{
    const struct ports *p = &c->options.ports;
    return p->elapsed_us != NULL ? p->elapsed_us(p->context) : p->elapsed_ms(p->context) * 1000;
}

/* It is in force in memory; from here it would outlast a crash before its entry is durable. */
static void write_stop_file(struct control *c, struct str reason)
{
    char text[CONTROL_REASON_MAX + 1];
    const struct ports *p = &c->options.ports;
    if (p->stop_file != NULL) {
        p->stop_file(p->context, str_to_c(reason, text, sizeof text) ? text : "");
    }
}

enum rc control_stop_set(struct control *c, struct arena *a, const struct principal *p,
                         const struct stop_order *order, const struct idempotency_key *k,
                         uint64_t *ret_id, struct err *e)
{
    int64_t begun_us = elapsed_us(c);
    enum rc rc = is_known_name(c, order, e);
    rc = rc == RC_OK ? check_reason_size(order->reason, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    /* The last places are kept for a stop of everything; what stands already needs none. */
    if (world_stop_count(c->world) >= STOPS_MAX - STOPS_RESERVED) {
        const struct world_stop *same = standing(c, order);
        if (same != NULL) {
            *ret_id = same->id;
            return RC_OK;
        }
        if (order->scope != STOP_ALL) {
            return err_set(e, RC_LIMIT, "%u stops are in force", world_stop_count(c->world));
        }
    }
    struct value body = value_object();
    /* From the call to where it counts: the very next decision sees it. */
    value_add_int(a, &body, STR("effect_us"), elapsed_us(c) - begun_us);
    value_add_str(a, &body, STR("level"), str_from(stop_level_name(order->level)));
    value_add_str(a, &body, STR("name"), order->name);
    value_add_str(a, &body, STR("person"), p == NULL ? STR("system") : p->person);
    value_add_str(a, &body, STR("reason"), order->reason);
    value_add_str(a, &body, STR("scope"), str_from(stop_scope_name(order->scope)));
    add_idempotency(a, &body, k);
    struct append what = {.kind = ENTRY_STOP_SET,
                          .actor = p == NULL ? STR("system") : str_from(p->actor),
                          .body = body,
                          .tightens = true};
    rc = control_append(c, a, &what, ret_id, e);
    c->stop_effect_us = elapsed_us(c) - begun_us;
    if (order->scope == STOP_ALL && order->level == STOP_FULL && p != NULL) {
        write_stop_file(c, redact_reason(c, a, order->reason));
    }
    return rc;
}

static const struct world_stop *find_stop(const struct control *c, uint64_t id)
{
    for (uint32_t i = 0; i < world_stop_count(c->world); i++) {
        if (world_stop_at(c->world, i)->id == id) {
            return world_stop_at(c->world, i);
        }
    }
    return NULL;
}

static bool everything_is_stopped(const struct control *c)
{
    struct stop_order all = {.scope = STOP_ALL};
    return standing(c, &all) != NULL;
}

enum rc control_stop_lift(struct control *c, struct arena *a, const struct principal *p, uint64_t id,
                          struct str reason, const struct idempotency_key *k, struct err *e)
{
    const struct world_stop *s = find_stop(c, id);
    if (s == NULL) {
        return err_set(e, RC_NOT_FOUND, "no such stop is in force");
    }
    const struct policy *policy = world_policy(c->world);
    bool by_another = policy == NULL || policy->resume_by_another;
    if (s->scope == STOP_ALL && by_another && s->by != 0 &&
        str_eq(p->person, str_from(s->by_person))) {
        return err_set(e, RC_DENIED, "%s stopped everything: someone else must resume", s->by_person);
    }
    enum rc rc = check_reason_size(reason, e);
    if (rc != RC_OK) {
        return rc;
    }
    struct value body = value_object();
    value_add_str(a, &body, STR("person"), p->person);
    value_add_str(a, &body, STR("reason"), reason);
    add_idempotency(a, &body, k);
    struct append what = {.kind = ENTRY_STOP_LIFTED,
                          .actor = str_from(p->actor),
                          .refs = {ref_text(a, "stp", id)},
                          .ref_count = 1,
                          .body = body};
    bool was_file = s->scope == STOP_ALL && s->level == STOP_FULL;
    uint64_t seq;
    rc = control_append(c, a, &what, &seq, e);
    /* A crash before the entry is durable leaves the stop itself in the ledger: taking the file away
     * now loosens nothing. */
    if (rc == RC_OK && was_file && !everything_is_stopped(c) && c->options.ports.stop_file != NULL) {
        c->options.ports.stop_file(c->options.ports.context, NULL);
    }
    return rc;
}

/* Once nothing that it found is under way any more: how long that took. */
static enum rc confirm(struct control *c, const struct world_stop *s)
{
    CLEANUP(arena) struct arena *a = arena_new(OP_ARENA_MAX);
    if (a == NULL) {
        return RC_NO_MEMORY;
    }
    struct value body = value_object();
    value_add_int(a, &body, STR("after_ms"), clock_now(c) - s->at_ms);
    value_add_int(a, &body, STR("confirmed"), s->confirmed);
    value_add_int(a, &body, STR("unconfirmed"), s->unconfirmed);
    struct append what = {.kind = ENTRY_STOP_CONFIRMED,
                          .actor = STR("system"),
                          .refs = {ref_text(a, "stp", s->id)},
                          .ref_count = 1,
                          .body = body,
                          .tightens = true};
    uint64_t seq;
    return control_append(c, a, &what, &seq, NULL);
}

void stops_tick(struct control *c)
{
    enum rc rc = RC_OK;
    for (uint32_t i = 0; i < world_stop_count(c->world) && rc == RC_OK; i++) {
        const struct world_stop *s = world_stop_at(c->world, i);
        if (!s->reported && s->running == 0 && s->confirmed + s->unconfirmed > 0) {
            rc = confirm(c, s);
        }
    }
}

int64_t control_stop_effect_us(const struct control *c)
{
    return c->stop_effect_us;
}
