/*
 * control/conduct - what operators say about agents: where they stand on the trust ladder, whether their breaker
 * is open, and what they are granted.
 */
#include "control/control_internal.h"

static enum rc is_said(struct str reason, struct err *e)
{
    if (str_trim(reason).len == 0 || reason.len > CONTROL_REASON_MAX) {
        return err_at(e, RC_INVALID, STR("/reason"), "expected a reason of at most %d bytes", CONTROL_REASON_MAX);
    }
    return RC_OK;
}

static enum rc is_agent(const struct control *c, struct str name, struct err *e)
{
    return world_agent_find(c->world, name) != MAP_NONE
               ? RC_OK
               : err_set(e, RC_NOT_FOUND, "no agent is called \"%.*s\"", STR_ARG(name));
}

static enum rc say(struct control *c, struct arena *a, const struct principal *p, struct append *what,
                   struct str reason, const struct idempotency_key *k, uint64_t *ret_seq, struct err *e)
{
    value_add_str(a, &what->body, STR("person"), p->person);
    value_add_str(a, &what->body, STR("reason"), reason);
    add_idempotency(a, &what->body, k);
    what->actor = str_from(p->actor);
    return control_append(c, a, what, ret_seq, e);
}

enum rc control_breaker_set(struct control *c, struct arena *a, const struct principal *p, struct str agent, bool open,
                            struct str reason, const struct idempotency_key *k, struct err *e)
{
    enum rc rc = is_agent(c, agent, e);
    rc = rc == RC_OK ? is_said(reason, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    struct append what = {.kind = ENTRY_BREAKER_SET, .body = value_object(), .tightens = open};
    value_add_str(a, &what.body, STR("agent"), agent);
    value_add_str(a, &what.body, STR("state"), str_from(breaker_phase_name(open ? BREAKER_OPEN : BREAKER_CLOSED)));
    uint64_t seq;
    return say(c, a, p, &what, reason, k, &seq, e);
}

enum rc control_tier_change(struct control *c, struct arena *a, const struct principal *p, const struct tier_order *o,
                            const struct idempotency_key *k, struct err *e)
{
    enum rc rc = is_agent(c, o->agent, e);
    rc = rc == RC_OK ? is_said(o->reason, e) : rc;
    if (rc == RC_OK && (o->service.len == 0 || o->service.len > 128)) {
        rc = err_at(e, RC_INVALID, STR("/service"), "expected a service's name or a glob, \"*\" for all");
    }
    if (rc != RC_OK) {
        return rc;
    }
    uint32_t at = world_agent_find(c->world, o->agent);
    if (world_agent_at(c->world, at)->tier_count >= TIER_OVERRIDES_MAX) {
        return err_set(e, RC_LIMIT, "the agent has %d tiers of its own: the limit", TIER_OVERRIDES_MAX);
    }
    struct append what = {.kind = ENTRY_TIER_CHANGED, .body = value_object()};
    value_add_str(a, &what.body, STR("agent"), o->agent);
    value_add_str(a, &what.body, STR("service"), o->service);
    value_add_str(a, &what.body, STR("tier"), str_from(tier_name(o->tier)));
    uint64_t seq;
    return say(c, a, p, &what, o->reason, k, &seq, e);
}

static enum rc check_scope(const struct grant_order *o, int64_t now_ms, struct err *e)
{
    static const struct {
        const char *pointer;
        size_t max;
    } rows[] = {{"/agent", 128}, {"/tool", 128}, {"/target", 256}};
    const struct str texts[] = {o->agent, o->tool, o->target};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (texts[i].len == 0 || texts[i].len > rows[i].max) {
            return err_at(e, RC_INVALID, str_from(rows[i].pointer), "expected a glob of 1 to %zu bytes", rows[i].max);
        }
    }
    if (o->expires_ms <= now_ms || o->expires_ms > now_ms + GRANT_LIFE_MAX_MS) {
        return err_at(e, RC_INVALID, STR("/expires_in"), "expected a duration of at most 30d: a grant ends");
    }
    return RC_OK;
}

/* A schema that does not compile would stop the fold: it is tried before it is written down. */
static enum rc check_where(const struct value *where, struct err *e)
{
    if (where == NULL) {
        return RC_OK;
    }
    CLEANUP(arena) struct arena *a = arena_new(DEFINITION_ARENA_MAX);
    const struct schema *schema;
    if (a == NULL) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    enum rc rc = schema_compile(a, where, &schema, e);
    if (rc != RC_OK) {
        err_step(e, "/where");
    }
    return rc;
}

enum rc control_grant_issue(struct control *c, struct arena *a, const struct principal *p, const struct grant_order *o,
                            const struct idempotency_key *k, uint64_t *ret_id, struct err *e)
{
    enum rc rc = check_scope(o, clock_now(c), e);
    rc = rc == RC_OK ? is_said(o->reason, e) : rc;
    rc = rc == RC_OK ? check_where(o->where, e) : rc;
    if (rc == RC_OK && world_grant_count(c->world) >= GRANTS_MAX) {
        rc = err_set(e, RC_LIMIT, "%d grants are in force: the limit", GRANTS_MAX);
    }
    if (rc != RC_OK) {
        return rc;
    }
    struct append what = {.kind = ENTRY_GRANT_ISSUED, .body = value_object()};
    value_add_str(a, &what.body, STR("agent"), o->agent);
    value_add_instant(a, &what.body, STR("expires_at"), o->expires_ms);
    value_add_str(a, &what.body, STR("target"), o->target);
    value_add_str(a, &what.body, STR("tool"), o->tool);
    if (o->where != NULL) {
        value_add(a, &what.body, STR("where"), *o->where);
    }
    return say(c, a, p, &what, o->reason, k, ret_id, e);
}

enum rc control_grant_revoke(struct control *c, struct arena *a, const struct principal *p, uint64_t id,
                             struct str reason, const struct idempotency_key *k, struct err *e)
{
    const struct world_grant *g = world_grant_by_id(c->world, id);
    if (g == NULL || g->revoked) {
        return err_set(e, RC_NOT_FOUND, "no such grant is in force");
    }
    enum rc rc = is_said(reason, e);
    if (rc != RC_OK) {
        return rc;
    }
    struct append what = {.kind = ENTRY_GRANT_REVOKED,
                          .refs = {ref_text(a, "grt", id)},
                          .ref_count = 1,
                          .body = value_object(),
                          .tightens = true};
    uint64_t seq;
    return say(c, a, p, &what, reason, k, &seq, e);
}
