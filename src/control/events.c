/*
 * control/events - what happens outside: deploys, counted requests, load that was turned away.
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
    struct append what = {.kind = started ? ENTRY_DEPLOY_STARTED : ENTRY_DEPLOY_ENDED,
                          .actor = str_from(p->actor),
                          .body = body};
    uint64_t seq;
    return control_append(c, a, &what, &seq, e);
}

enum rc control_sli(struct control *c, struct arena *a, struct str actor, struct str service,
                    int64_t at_ms, int64_t good, int64_t total, struct err *e)
{
    enum rc rc = declared_service(c, service, e);
    if (rc == RC_OK && (good < 0 || total < good)) {
        rc = err_at(e, RC_INVALID, STR("/good"), "expected 0 <= good <= total");
    }
    if (rc != RC_OK) {
        return rc;
    }
    struct value body = value_object();
    value_add_instant(a, &body, STR("at"), at_ms);
    value_add_int(a, &body, STR("good"), good);
    value_add_str(a, &body, STR("service"), service);
    value_add_int(a, &body, STR("total"), total);
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
