/*
 * api/policies - the policy in force, and how another one comes into force.
 */
#include "api/call.h"
#include "control/bundle.h"

#include "value/json.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum rc policy_get(struct call *c, struct err *e)
{
    const struct world *w = control_world(c->control);
    if (world_policy(w) == NULL) {
        return err_set(e, RC_NOT_FOUND, "no policy is loaded");
    }
    struct buf text;
    buf_init(&text, POLICY_TEXT_MAX);
    policy_write(&text, world_policy(w));
    struct str copy = arena_str(c->arena, buf_view(&text));
    buf_done(&text);
    struct value policy;
    enum rc rc = json_parse(c->arena, copy, &policy, e);
    if (rc != RC_OK) {
        return rc;
    }
    struct value v = value_object();
    value_add_str(c->arena, &v, STR("hash"), world_policy_hash(w));
    value_add_int(c->arena, &v, STR("seq"), (int64_t)world_policy_seq(w));
    add_null_or_str(c->arena, &v, STR("error"), str_from(c->api->policy_error));
    value_add(c->arena, &v, STR("policy"), policy);
    return call_reply(c, 200, v);
}

enum rc policy_reload(struct call *c, struct err *e)
{
    enum rc rc = c->api->options.reload == NULL
                     ? err_set(e, RC_UNAVAILABLE, "this server reads no configuration file")
                     : c->api->options.reload(c->api->options.context, e);
    return rc == RC_OK ? policy_get(c, e) : rc;
}

struct rollback_body {
    int64_t seq;
    struct str reason;
};

static const struct field rollback_fields[] = {
    {"seq", FIELD_COUNT, FIELD_OF(struct rollback_body, seq), true, 0, 0, 0, NULL},
    {"reason", FIELD_TEXT, FIELD_OF(struct rollback_body, reason), true, 0, 0, 0, NULL},
};

enum rc policy_rollback(struct call *c, struct err *e)
{
    struct rollback_body b = {0};
    uint64_t first;
    enum rc rc = call_fields(c, rollback_fields, COUNT(rollback_fields), &b, e);
    rc = rc == RC_OK && b.seq < 0 ? err_at(e, RC_INVALID, STR("/seq"), "expected the seq of an entry") : rc;
    if (rc != RC_OK) {
        return rc;
    }
    rc = control_repeated(c->control, &c->idempotency, &first, e);
    if (rc == RC_NOT_FOUND) {
        rc = control_policy_rollback(c->control, c->arena, &c->who, (uint64_t)b.seq, b.reason, e);
    }
    return rc == RC_OK ? policy_get(c, e) : rc;
}

enum rc policy_load(struct call *c, struct err *e)
{
    struct policy_bundle bundle;
    uint64_t first;
    const struct str_list none = {NULL, 0};
    enum rc rc = control_repeated(c->control, &c->idempotency, &first, e);
    if (rc != RC_NOT_FOUND) {
        return rc == RC_OK ? policy_get(c, e) : rc;
    }
    rc = policy_bundle_open(&c->body, c->api->options.policy_keys == NULL ? &none : c->api->options.policy_keys, &bundle, e);
    if (rc != RC_OK) {
        return rc;
    }
    const struct policy_origin origin = {.author = bundle.author, .reason = STR("bundle"), .signature = bundle.note, .by = &c->who};
    rc = control_load_policy(c->control, c->arena, bundle.policy, &origin, e);
    policy_free(bundle.policy);
    return rc == RC_OK ? policy_get(c, e) : rc;
}
