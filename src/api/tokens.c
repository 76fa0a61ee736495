/*
 * api/tokens - credentials: made, listed, revoked. A secret is shown once and never again.
 */
#include "api/call.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct token_body {
    struct str_list roles;
    struct str person;
    struct str agent;
    struct str services;
    struct str groups;
    int64_t expires_in_ms;
    struct str reason;
};

static const struct field token_fields[] = {
    {"roles", FIELD_TEXTS, FIELD_OF(struct token_body, roles), true, 0, 0, 0, NULL},
    {"person", FIELD_TEXT, FIELD_OF(struct token_body, person), false, 0, 0, 0, NULL},
    {"agent", FIELD_TEXT, FIELD_OF(struct token_body, agent), false, 0, 0, 0, NULL},
    {"services", FIELD_TEXT, FIELD_OF(struct token_body, services), false, 0, 0, 0, NULL},
    {"groups", FIELD_TEXT, FIELD_OF(struct token_body, groups), false, 0, 0, 0, NULL},
    {"expires_in", FIELD_SPAN, FIELD_OF(struct token_body, expires_in_ms), false, 0, 0, 0, NULL},
};

static enum rc read_roles(const struct token_body *b, unsigned *ret, struct err *e)
{
    *ret = 0;
    for (uint32_t i = 0; i < b->roles.count; i++) {
        unsigned role;
        if (!role_parse(b->roles.items[i], &role)) {
            return err_at(e, RC_INVALID, STR("/roles"),
                          "expected agent, viewer, auditor, responder, approver, override, admin, source "
                          "or enforcer");
        }
        *ret |= role;
    }
    return RC_OK;
}

enum rc tokens_create(struct call *c, struct err *e)
{
    struct token_body body;
    struct token_order order = {0};
    uint64_t id;
    enum rc rc = control_repeated(c->control, &c->idempotency, &id, e);
    if (rc != RC_NOT_FOUND) {
        return rc != RC_OK ? rc
                           : err_set(e, RC_CONFLICT, "tok_%llu was made with this Idempotency-Key: its secret is shown once",
                                     (unsigned long long)id);
    }
    rc = call_fields(c, token_fields, COUNT(token_fields), &body, e);
    rc = rc == RC_OK ? read_roles(&body, &order.roles, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    order.person = body.person.len > 0 ? body.person : body.agent;
    order.agent = body.agent;
    order.services = body.services;
    order.groups = body.groups;
    order.expires_ms = body.expires_in_ms == 0 ? 0 : control_now(c->control) + body.expires_in_ms;
    char secret[96];
    rc = control_token_create(c->control, c->arena, &c->who, &order, secret, &id, e);
    if (rc != RC_OK) {
        return rc;
    }
    struct value v = value_object();
    value_add_str(c->arena, &v, STR("token_id"), id_str(c->arena, "tok", id));
    value_add_str(c->arena, &v, STR("token"), arena_str(c->arena, str_from(secret)));
    wipe(secret, sizeof secret);
    return call_reply(c, 201, v);
}

static struct value token_value(struct call *c, const struct world_token *t)
{
    struct arena *a = c->arena;
    struct value v = value_object();
    struct value roles = value_array();
    for (unsigned bit = 1; bit <= ROLE_ENFORCER; bit <<= 1) {
        if ((t->roles & bit) != 0) {
            value_push(a, &roles, value_string(str_from(role_name(bit))));
        }
    }
    value_add_str(a, &v, STR("token_id"), id_str(a, "tok", t->id));
    value_add_str(a, &v, STR("person"), str_from(t->person));
    value_add(a, &v, STR("roles"), roles);
    add_null_or_str(a, &v, STR("services"), str_from(t->services));
    add_null_or_str(a, &v, STR("groups"), str_from(t->groups));
    if (t->expires_ms != 0) {
        value_add_instant(a, &v, STR("expires_at"), t->expires_ms);
    } else {
        value_add(a, &v, STR("expires_at"), value_null());
    }
    value_add_bool(a, &v, STR("revoked"), t->revoked);
    return v;
}

enum rc tokens_list(struct call *c, struct err *e)
{
    const struct world *w = control_world(c->control);
    uint64_t at;
    uint64_t limit;
    enum rc rc = call_page(c, &at, &limit, e);
    struct value items = value_array();
    for (; rc == RC_OK && at < world_token_count(w) && items.count < limit; at++) {
        value_push(c->arena, &items, token_value(c, world_token_at(w, (uint32_t)at)));
    }
    if (rc != RC_OK) {
        return rc;
    }
    struct value v = value_object();
    value_add(c->arena, &v, STR("items"), items);
    value_add(c->arena, &v, STR("next"),
              at < world_token_count(w)
                  ? value_string(arena_printf(c->arena, "%llu", (unsigned long long)at))
                  : value_null());
    return call_reply(c, 200, v);
}

static const struct field revoke_fields[] = {
    {"reason", FIELD_TEXT, FIELD_OF(struct token_body, reason), false, 0, 0, 0, NULL},
};

enum rc tokens_revoke(struct call *c, struct err *e)
{
    uint64_t id;
    uint64_t first;
    struct token_body body;
    enum rc rc = call_id(c, 0, "tok", &id, e);
    rc = rc == RC_OK ? call_fields(c, revoke_fields, COUNT(revoke_fields), &body, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    rc = control_repeated(c->control, &c->idempotency, &first, e);
    if (rc == RC_NOT_FOUND) {
        rc = control_token_revoke(c->control, c->arena, &c->who, id, body.reason, e);
    }
    if (rc != RC_OK) {
        return rc;
    }
    struct value v = value_object();
    value_add_str(c->arena, &v, STR("token_id"), id_str(c->arena, "tok", id));
    value_add_str(c->arena, &v, STR("state"), STR("revoked"));
    return call_reply(c, 200, v);
}

enum rc clock_accept(struct call *c, struct err *e)
{
    uint64_t first;
    enum rc rc = control_repeated(c->control, &c->idempotency, &first, e);
    rc = rc == RC_NOT_FOUND ? control_clock_accept(c->control, c->arena, &c->who, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    struct value v = value_object();
    value_add_instant(c->arena, &v, STR("now"), control_now(c->control));
    return call_reply(c, 200, v);
}
