/*
 * api/approvals - what waits for a person, and what the person said.
 */
#include "api/call.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* An approval as it is shown: the action with the decision that asks for a person, whole. */
static enum rc render_approval(struct call *c, const struct action *action, struct value *ret,
                               struct err *e)
{
    struct decision_record *record = arena_alloc(c->arena, sizeof *record);
    if (record == NULL) {
        return err_set(e, arena_rc(c->arena), "the reply is too large");
    }
    enum rc rc = control_read_decision(c->control, c->arena, action->decided_seq, record, e);
    if (rc != RC_OK) {
        return rc;
    }
    struct value review;
    rc = render_review(c, action, record, &review, e);
    if (rc != RC_OK) {
        return rc;
    }
    *ret = render_action(c, action);
    value_add(c->arena, ret, STR("review"), review);
    value_add(c->arena, ret, STR("decision"), render_record(c, record, true));
    return RC_OK;
}

enum rc approvals_list(struct call *c, struct err *e)
{
    uint64_t after;
    uint64_t limit;
    enum rc rc = call_page(c, &after, &limit, e);
    struct value items = value_array();
    uint64_t last = 0;
    const struct action *action = NULL;
    while (rc == RC_OK && items.count < limit &&
           (action = world_action_next(control_world(c->control), action)) != NULL) {
        if (action->state != ACTION_ESCALATED || action->id <= after) {
            continue;
        }
        struct value v = value_null();
        rc = render_approval(c, action, &v, e);
        if (rc != RC_OK) {
            return rc;
        }
        value_push(c->arena, &items, v);
        last = action->id;
    }
    if (rc != RC_OK) {
        return rc;
    }
    bool full = items.count == limit;
    struct value v = value_object();
    value_add(c->arena, &v, STR("items"), items);
    value_add(c->arena, &v, STR("next"),
              full ? value_string(arena_printf(c->arena, "%llu", (unsigned long long)last)) : value_null());
    return call_reply(c, 200, v);
}

struct approval_body {
    struct str digest;
    struct str decision;
    struct str reason;
    int64_t shown_at_ms;
};

static const struct field approve_fields[] = {
    {"digest", FIELD_TEXT, FIELD_OF(struct approval_body, digest), true, 0, 0, 0, NULL},
    {"decision_id", FIELD_TEXT, FIELD_OF(struct approval_body, decision), true, 0, 0, 0, NULL},
    {"shown_at", FIELD_INSTANT, FIELD_OF(struct approval_body, shown_at_ms), false, 0, 0, 0, NULL},
};

static enum rc answer(struct call *c, uint64_t id)
{
    const struct action *action = world_action(control_world(c->control), id);
    struct value v = value_object();
    if (action != NULL) {
        v = render_action(c, action);
    } else {
        value_add_str(c->arena, &v, STR("action_id"), id_str(c->arena, "act", id));
    }
    return call_reply(c, 200, v);
}

enum rc approvals_approve(struct call *c, struct err *e)
{
    uint64_t id;
    uint64_t first;
    struct approval_body body;
    enum rc rc = call_id(c, 0, "act", &id, e);
    rc = rc == RC_OK ? call_fields(c, approve_fields, COUNT(approve_fields), &body, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    rc = control_repeated(c->control, &c->idempotency, &first, e);
    if (rc != RC_NOT_FOUND) {
        return rc == RC_OK ? answer(c, id) : rc;
    }
    struct approval approval = {.digest = body.digest, .shown_at_ms = body.shown_at_ms};
    if (!id_parse(body.decision, "dec", &approval.decision)) {
        return err_at(e, RC_INVALID, STR("/decision_id"), "expected the decision that was shown, dec_N");
    }
    rc = control_approve(c->control, c->arena, &c->who, id, &approval, &c->idempotency, e);
    return rc == RC_OK ? answer(c, id) : rc;
}

struct override_body {
    struct approval_body shown;
    struct str check;
};

static const struct field override_fields[] = {
    {"check", FIELD_TEXT, FIELD_OF(struct override_body, check), true, 0, 0, 0, NULL},
    {"digest", FIELD_TEXT, FIELD_OF(struct override_body, shown.digest), true, 0, 0, 0, NULL},
    {"decision_id", FIELD_TEXT, FIELD_OF(struct override_body, shown.decision), true, 0, 0, 0, NULL},
    {"reason", FIELD_TEXT, FIELD_OF(struct override_body, shown.reason), true, 0, 0, 0, NULL},
    {"shown_at", FIELD_INSTANT, FIELD_OF(struct override_body, shown.shown_at_ms), false, 0, 0, 0, NULL},
};

enum rc approvals_override(struct call *c, struct err *e)
{
    uint64_t id;
    uint64_t first;
    struct override_body body;
    enum rc rc = call_id(c, 0, "act", &id, e);
    rc = rc == RC_OK ? call_fields(c, override_fields, COUNT(override_fields), &body, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    rc = control_repeated(c->control, &c->idempotency, &first, e);
    if (rc != RC_NOT_FOUND) {
        return rc == RC_OK ? answer(c, id) : rc;
    }
    struct override o = {.shown = {.digest = body.shown.digest, .shown_at_ms = body.shown.shown_at_ms},
                         .reason = body.shown.reason};
    if (!id_parse(body.shown.decision, "dec", &o.shown.decision)) {
        return err_at(e, RC_INVALID, STR("/decision_id"), "expected the decision that was shown, dec_N");
    }
    if (!check_parse(body.check, &o.check)) {
        return err_at(e, RC_INVALID, STR("/check"), "expected the name of a check");
    }
    rc = control_override(c->control, c->arena, &c->who, id, &o, &c->idempotency, e);
    if (rc == RC_OK) {
        c->api->counts.overrides++;
    }
    return rc == RC_OK ? answer(c, id) : rc;
}

static const struct field reject_fields[] = {
    {"reason", FIELD_TEXT, FIELD_OF(struct approval_body, reason), true, 0, 0, 0, NULL},
};

enum rc approvals_reject(struct call *c, struct err *e)
{
    uint64_t id;
    uint64_t first;
    struct approval_body body;
    enum rc rc = call_id(c, 0, "act", &id, e);
    rc = rc == RC_OK ? call_fields(c, reject_fields, COUNT(reject_fields), &body, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    rc = control_repeated(c->control, &c->idempotency, &first, e);
    if (rc != RC_NOT_FOUND) {
        return rc == RC_OK ? answer(c, id) : rc;
    }
    rc = control_reject(c->control, c->arena, &c->who, id, body.reason, &c->idempotency, e);
    return rc == RC_OK ? answer(c, id) : rc;
}
