/*
 * api/stops - the kill switch over HTTP.
 *
 * Responders and admins stop anything; any other credential may stop its own scope.
 */
#include "api/call.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static struct value stop_value(struct call *c, const struct world_stop *s)
{
    struct arena *a = c->arena;
    struct value v = value_object();
    value_add_str(a, &v, STR("stop_id"), id_str(a, "stp", s->id));
    value_add_str(a, &v, STR("scope"), str_from(stop_scope_name(s->scope)));
    add_null_or_str(a, &v, STR("name"), str_from(s->name));
    value_add_str(a, &v, STR("level"), str_from(stop_level_name(s->level)));
    value_add_str(a, &v, STR("by"), str_from(s->by_person));
    value_add_instant(a, &v, STR("at"), s->at_ms);
    value_add_str(a, &v, STR("reason"), str_from(s->reason));
    value_add_int(a, &v, STR("running"), s->running);
    value_add_int(a, &v, STR("confirmed"), s->confirmed);
    value_add_int(a, &v, STR("unconfirmed"), s->unconfirmed);
    return v;
}

enum rc stops_list(struct call *c, struct err *e)
{
    (void)e;
    const struct world *w = control_world(c->control);
    struct value items = value_array();
    for (uint32_t i = 0; i < world_stop_count(w); i++) {
        value_push(c->arena, &items, stop_value(c, world_stop_at(w, i)));
    }
    struct value v = value_object();
    value_add(c->arena, &v, STR("items"), items);
    value_add(c->arena, &v, STR("next"), value_null());
    return call_reply(c, 200, v);
}

struct stop_body {
    int64_t scope;
    struct str name;
    int64_t level;
    struct str reason;
};

static const char *const scopes[] = {"all", "agent", "service", "tool", "model", "label", NULL};
static const char *const levels[] = {"stop", "pause", "dry_run", NULL};

static const struct field stop_fields[] = {
    {"scope", FIELD_WORD, FIELD_OF(struct stop_body, scope), true, 0, 0, 0, scopes},
    {"name", FIELD_TEXT, FIELD_OF(struct stop_body, name), false, 0, 0, 0, NULL},
    {"level", FIELD_WORD, FIELD_OF(struct stop_body, level), false, 0, 0, 0, levels},
    {"reason", FIELD_TEXT, FIELD_OF(struct stop_body, reason), false, 0, 0, 0, NULL},
};

static bool may_stop(const struct call *c, const struct stop_body *b)
{
    if ((c->who.roles & (ROLE_RESPONDER | ROLE_ADMIN)) != 0) {
        return true;
    }
    if (b->scope == STOP_AGENT && c->who.agent != MAP_NONE) {
        return str_eq(b->name, str_from(world_agent_at(control_world(c->control), c->who.agent)->name));
    }
    return b->scope == STOP_SERVICE && (c->who.roles & ROLE_SOURCE) != 0 &&
           call_may_write_service(c, b->name);
}

/* It is in force either way; whether its entry is written is said, and never that nothing was done. */
static void answer_stop(struct call *c, bool durable)
{
    value_add_bool(c->arena, &c->reply, STR("durable"), durable);
    (void)call_reply(c, durable ? 201 : 202, c->reply);
    c->wait_seq = 0;
    call_send(c);
}

static void stop_written(void *context, enum rc rc)
{
    struct http_exchange *x = context;
    struct call *c = http_data(x);
    http_set_data(x, NULL);
    answer_stop(c, rc == RC_OK);
}

enum rc stops_set(struct call *c, struct err *e)
{
    struct stop_body body;
    uint64_t id = 0;
    enum rc rc = call_fields(c, stop_fields, COUNT(stop_fields), &body, e);
    if (rc == RC_OK && !may_stop(c, &body)) {
        rc = err_set(e, RC_DENIED, "this credential may stop its own scope only");
    }
    if (rc != RC_OK) {
        return rc;
    }
    rc = control_repeated(c->control, &c->idempotency, &id, e);
    if (rc == RC_NOT_FOUND) {
        struct stop_order order = {(enum stop_scope)body.scope, body.name, (enum stop_level)body.level, body.reason};
        rc = control_stop_set(c->control, c->arena, &c->who, &order, &c->idempotency, &id, e);
    }
    if (rc != RC_OK) {
        return rc;
    }
    struct value v = value_object();
    value_add_str(c->arena, &v, STR("stop_id"), id_str(c->arena, "stp", id));
    value_add_int(c->arena, &v, STR("effect_us"), control_stop_effect_us(c->control));
    (void)call_reply(c, 201, v);
    c->deferred = true;
    http_set_data(c->x, c);
    bool waits = control_health(c->control) != HEALTH_DISK_FULL &&
                 control_when_durable(c->control, c->wait_seq, 0, stop_written, c->x, NULL) == RC_OK;
    if (!waits) {
        http_set_data(c->x, NULL);
        answer_stop(c, false); /* the entry follows when there is room */
    }
    return RC_OK;
}

struct resume_body {
    struct str reason;
};

static const struct field resume_fields[] = {
    {"reason", FIELD_TEXT, FIELD_OF(struct resume_body, reason), false, 0, 0, 0, NULL},
};

enum rc stops_lift(struct call *c, struct err *e)
{
    uint64_t id;
    uint64_t first;
    struct resume_body body;
    enum rc rc = call_id(c, 0, "stp", &id, e);
    rc = rc == RC_OK ? call_fields(c, resume_fields, COUNT(resume_fields), &body, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    rc = control_repeated(c->control, &c->idempotency, &first, e);
    if (rc == RC_NOT_FOUND) {
        rc = control_stop_lift(c->control, c->arena, &c->who, id, body.reason, &c->idempotency, e);
    }
    if (rc != RC_OK) {
        return rc;
    }
    struct value v = value_object();
    value_add_str(c->arena, &v, STR("stop_id"), id_str(c->arena, "stp", id));
    value_add_str(c->arena, &v, STR("state"), STR("lifted"));
    return call_reply(c, 200, v);
}
