/*
 * control/events - what happens outside: deploys, who is on call, snapshots and tested rollbacks, counted requests,
 * load that was turned away.
 */
#include "control/control_internal.h"

static enum rc declared_service(const struct control *c, struct str service, struct err *e)
{
    uint32_t at = world_service_find(c->world, service);
    return at != MAP_NONE && world_service_at(c->world, at)->def != NULL
               ? RC_OK
               : err_at(e, RC_NOT_FOUND, STR("/service"), "no service is called \"%.*s\"",
                        STR_ARG(service));
}

enum rc control_deploy(struct control *c, struct arena *a, const struct principal *p, bool started,
                       struct str service, struct str id, struct str result, struct err *e)
{
    enum rc rc = declared_service(c, service, e);
    if (rc == RC_OK && (id.len == 0 || id.len >= ENTRY_ID_MAX * 2)) {
        rc = err_at(e, RC_INVALID, STR("/id"), "expected 1 to %d bytes", ENTRY_ID_MAX * 2 - 1);
    }
    if (rc != RC_OK) {
        return rc;
    }
    struct value body = value_object();
    value_add_str(a, &body, STR("id"), id);
    if (!started && result.len > 0) {
        value_add_str(a, &body, STR("result"), str_slice(result, 0, CONTROL_REASON_MAX));
    }
    value_add_str(a, &body, STR("service"), service);
    add_idempotency(a, &body, p->key);
    struct append what = {.kind = started ? ENTRY_DEPLOY_STARTED : ENTRY_DEPLOY_ENDED,
                          .actor = str_from(p->actor),
                          .body = body};
    uint64_t seq;
    return control_append(c, a, &what, &seq, e);
}

enum rc control_check_on_call(struct control *c, const struct on_call_report *o, struct err *e)
{
    if (o->people.count > ON_CALL_PEOPLE_MAX) {
        return err_at(e, RC_INVALID, STR("/people"), "expected at most %d people", ON_CALL_PEOPLE_MAX);
    }
    for (uint32_t i = 0; i < o->people.count; i++) {
        if (o->people.items[i].len == 0 || o->people.items[i].len > ON_CALL_PERSON_MAX) {
            return err_at(e, RC_INVALID, STR("/people"), "expected names of 1 to %d bytes", ON_CALL_PERSON_MAX);
        }
    }
    return o->until_ms == 0 || o->until_ms > clock_now(c)
               ? RC_OK
               : err_at(e, RC_INVALID, STR("/until"), "expected a moment that is yet to come");
}

enum rc control_on_call(struct control *c, struct arena *a, const struct principal *p,
                        const struct on_call_report *o, struct err *e)
{
    enum rc rc = declared_service(c, o->service, e);
    rc = rc == RC_OK ? control_check_on_call(c, o, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    struct value people = value_array();
    for (uint32_t i = 0; i < o->people.count; i++) {
        value_push(a, &people, value_string(o->people.items[i]));
    }
    struct value body = value_object();
    value_add_int(a, &body, STR("incidents"), o->incidents);
    value_add(a, &body, STR("people"), people);
    value_add_str(a, &body, STR("service"), o->service);
    if (o->until_ms != 0) {
        value_add_instant(a, &body, STR("until"), o->until_ms);
    }
    add_idempotency(a, &body, p->key);
    struct append what = {.kind = ENTRY_ON_CALL_CHANGED, .actor = str_from(p->actor), .body = body};
    uint64_t seq;
    return control_append(c, a, &what, &seq, e);
}

enum rc control_check_evidence(struct control *c, const struct evidence *ev, struct err *e)
{
    if (ev->id.len == 0 || ev->id.len >= ENTRY_ID_MAX * 2) {
        return err_at(e, RC_INVALID, STR("/id"), "expected 1 to %d bytes", ENTRY_ID_MAX * 2 - 1);
    }
    if (ev->is_rollback && !str_eq(ev->result, STR("succeeded")) && !str_eq(ev->result, STR("failed"))) {
        return err_at(e, RC_INVALID, STR("/result"), "expected succeeded or failed");
    }
    return ev->at_ms <= clock_now(c) ? RC_OK : err_at(e, RC_INVALID, STR("/at"), "expected a moment that is over");
}

enum rc control_evidence(struct control *c, struct arena *a, const struct principal *p, const struct evidence *ev,
                         struct err *e)
{
    enum rc rc = declared_service(c, ev->service, e);
    rc = rc == RC_OK ? control_check_evidence(c, ev, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    struct value body = value_object();
    value_add_instant(a, &body, STR("at"), ev->at_ms == 0 ? clock_now(c) : ev->at_ms);
    value_add_str(a, &body, STR("id"), ev->id);
    if (ev->is_rollback) {
        value_add_str(a, &body, STR("result"), ev->result);
    }
    value_add_str(a, &body, STR("service"), ev->service);
    add_idempotency(a, &body, p->key);
    struct append what = {.kind = ev->is_rollback ? ENTRY_ROLLBACK_TESTED : ENTRY_SNAPSHOT_TAKEN,
                          .actor = str_from(p->actor),
                          .body = body};
    uint64_t seq;
    return control_append(c, a, &what, &seq, e);
}

static void add_keys(struct arena *a, struct value *body, const struct sli_bucket *b)
{
    struct value all = value_array();
    for (uint32_t i = 0; i < b->key_count; i++) {
        struct value one = value_object();
        add_idempotency(a, &one, &b->keys[i]);
        value_push(a, &all, *value_get(&one, STR("idem")));
    }
    if (b->key_count > 0) {
        value_add(a, body, STR("idems"), all);
    }
}

enum rc control_sli(struct control *c, struct arena *a, struct str actor, struct str service,
                    int64_t at_ms, int64_t good, int64_t total, struct err *e)
{
    const struct sli_bucket b = {.service = service, .at_ms = at_ms, .good = good, .total = total};
    return control_sli_bucket(c, a, actor, &b, e);
}

enum rc control_sli_bucket(struct control *c, struct arena *a, struct str actor, const struct sli_bucket *b,
                           struct err *e)
{
    enum rc rc = declared_service(c, b->service, e);
    if (rc == RC_OK && (b->good < 0 || b->total < b->good)) {
        rc = err_at(e, RC_INVALID, STR("/good"), "expected 0 <= good <= total");
    }
    if (rc != RC_OK) {
        return rc;
    }
    struct value body = value_object();
    value_add_instant(a, &body, STR("at"), b->at_ms);
    value_add_int(a, &body, STR("good"), b->good);
    value_add_str(a, &body, STR("service"), b->service);
    value_add_int(a, &body, STR("total"), b->total);
    add_keys(a, &body, b);
    struct append what = {.kind = ENTRY_SLI_BUCKET, .actor = actor, .body = body};
    uint64_t seq;
    return control_append(c, a, &what, &seq, e);
}

enum rc control_load_refused(struct control *c, struct arena *a, int64_t rate_limited,
                             int64_t unauthenticated, int64_t malformed, struct err *e)
{
    struct value body = value_object();
    value_add_int(a, &body, STR("malformed"), malformed);
    value_add_int(a, &body, STR("rate_limited"), rate_limited);
    value_add_int(a, &body, STR("unauthenticated"), unauthenticated);
    struct append what = {.kind = ENTRY_LOAD_REFUSED, .actor = STR("system"), .body = body};
    uint64_t seq;
    return control_append(c, a, &what, &seq, e);
}
