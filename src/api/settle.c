/*
 * api/settle - what an operator says of an action that is unknown.
 */
#include "api/call.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct settle_body {
    int64_t result;
    struct str reason;
};

static const char *const results[] = {"failed", "succeeded", NULL};

static const struct field settle_fields[] = {
    {"result", FIELD_WORD, FIELD_OF(struct settle_body, result), true, 0, 0, 0, results},
    {"reason", FIELD_TEXT, FIELD_OF(struct settle_body, reason), true, 0, 0, 0, NULL},
};

enum rc actions_settle(struct call *c, struct err *e)
{
    uint64_t id;
    uint64_t first;
    struct settle_body b;
    enum rc rc = call_id(c, 0, "act", &id, e);
    rc = rc == RC_OK ? call_fields(c, settle_fields, COUNT(settle_fields), &b, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    rc = control_repeated(c->control, &c->idempotency, &first, e);
    if (rc == RC_NOT_FOUND) {
        struct settlement s = {.succeeded = b.result == 1, .reason = b.reason, .key = &c->idempotency};
        rc = control_settle(c->control, c->arena, &c->who, id, &s, e);
    }
    if (rc != RC_OK) {
        return rc;
    }
    const struct action *action = world_action(control_world(c->control), id);
    struct value v = value_object();
    value_add_str(c->arena, &v, STR("action_id"), id_str(c->arena, "act", id));
    return call_reply(c, 200, action == NULL ? v : render_action(c, action));
}
