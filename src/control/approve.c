/*
 * control/approve - people decide about escalated actions, and may override what only holds.
 *
 * An approval binds to the digest and to the decision that was shown; a newer decision or another digest
 * refuses it. The approver is another person than who proposed and, unless the policy says otherwise, not
 * the agent's owner, and nobody in whose name it is done; nobody counts twice. An agent that is designated to approve has another owner, model and
 * prompt than the one that asks.
 * Source: SEMANTICS sections 2 and 7 "Independent approver".
 */
#include "control/control_internal.h"

#include "base/encode.h"

#include <string.h>

static enum rc escalated_action(struct control *c, uint64_t id, const struct action **ret, struct err *e)
{
    const struct action *action = world_action(c->world, id);
    if (action == NULL) {
        return err_set(e, RC_NOT_FOUND, "no such action");
    }
    if (action->state != ACTION_ESCALATED) {
        return err_set(e, RC_CONFLICT, "the action is %s: only an escalated one is approved or rejected",
                       action_state_name(action->state));
    }
    if (clock_now(c) >= action->due_ms) {
        return err_set(e, RC_CONFLICT, "the action has expired");
    }
    *ret = action;
    return RC_OK;
}

static bool differ(struct str a, struct str b)
{
    return a.len == 0 || b.len == 0 || !str_eq(a, b);
}

/* An agent that approves must not be the one that asks in other clothes. */
static enum rc is_another_mind(struct control *c, const struct principal *p, const struct agent_def *asks,
                               struct err *e)
{
    if (p->agent == MAP_NONE) {
        return RC_OK;
    }
    /* A person's action is approved by a person. */
    const struct agent_def *other = world_agent_at(c->world, p->agent)->def;
    if (other == NULL || other->suspended) {
        return err_set(e, RC_DENIED, "an agent that approves must be registered and not suspended");
    }
    bool another = asks != NULL && !str_eq(other->owner, asks->owner) && differ(other->model, asks->model) &&
                   differ(other->prompt_version, asks->prompt_version);
    if (!another) {
        return err_set(e, RC_DENIED, "an agent that approves must have another owner, model and prompt");
    }
    return RC_OK;
}

static enum rc is_independent(struct control *c, const struct principal *p, const struct action *action,
                              struct err *e)
{
    const struct agent_def *asks = action->agent == MAP_NONE ? NULL : world_agent_at(c->world, action->agent)->def;
    const struct world_token *proposer = world_token_by_id(c->world, action->proposer);
    if (p->token == action->proposer ||
        (proposer != NULL && str_eq(p->person, str_from(proposer->person)))) {
        return err_set(e, RC_DENIED, "who proposed an action can't approve it");
    }
    if (asks != NULL && !world_policy(c->world)->owner_approves && str_eq(p->person, asks->owner)) {
        return err_set(e, RC_DENIED, "%.*s owns the agent: someone else must approve",
                       STR_ARG(p->person));
    }
    enum rc rc = is_another_mind(c, p, asks, e);
    if (rc != RC_OK) {
        return rc;
    }
    const struct action_review *review = action_review(action);
    if (review->approval_count == APPROVALS_MAX) {
        return err_set(e, RC_LIMIT, "it has %d approvals: the limit", APPROVALS_MAX);
    }
    for (uint32_t i = 0; i < review->approval_count; i++) {
        const struct world_token *t = world_token_by_id(c->world, review->approvals[i].token);
        if (t != NULL && str_eq(str_from(t->person), p->person)) {
            return err_set(e, RC_CONFLICT, "%.*s has approved it already", STR_ARG(p->person));
        }
    }
    return RC_OK;
}

/* Whoever it is done for is not independent of it. */
static enum rc is_outside_chain(struct control *c, struct arena *a, const struct principal *p,
                                const struct action *action, struct err *e)
{
    struct entry entry;
    struct value body;
    enum rc rc = control_read_entry(c, a, action->id, &entry, &body, e);
    if (rc != RC_OK) {
        return rc;
    }
    const struct value *request = value_get(&body, STR("request"));
    const struct value *act = value_get(request, STR("act"));
    bool inside = p->person.len > 0 && str_eq(value_text(value_get(request, STR("behalf"))), p->person);
    for (uint32_t i = 0; !inside && value_item(act, i) != NULL; i++) {
        struct str name = value_text(value_item(act, i));
        uint32_t agent = world_agent_find(c->world, name);
        const struct agent_def *def = agent == MAP_NONE ? NULL : world_agent_at(c->world, agent)->def;
        bool owns = !world_policy(c->world)->owner_approves && def != NULL && str_eq(def->owner, p->person);
        inside = owns || (agent != MAP_NONE && agent == p->agent);
    }
    return inside ? err_set(e, RC_DENIED, "it is done in %.*s's name: someone else must approve", STR_ARG(p->person))
                  : RC_OK;
}

static enum rc is_shown(const struct action *action, const struct approval *approval, struct err *e)
{
    uint8_t digest[ENTRY_DIGEST_LEN];
    struct str hex = str_slice(approval->digest, 7, approval->digest.len);
    if (!str_starts(approval->digest, STR("sha256:")) || !hex_decode(hex, digest, sizeof digest)) {
        return err_at(e, RC_INVALID, STR("/digest"), "expected sha256: and 64 hexadecimal digits");
    }
    if (memcmp(digest, action->digest, sizeof digest) != 0) {
        return err_set(e, RC_CONFLICT, "the digest is not that of the action");
    }
    if (approval->decision != action->decided_seq) {
        return err_set(e, RC_CONFLICT, "there is a newer decision, dec_%llu: look at that one",
                       (unsigned long long)action->decided_seq);
    }
    return RC_OK;
}

enum rc control_approve(struct control *c, struct arena *a, const struct principal *p, uint64_t id,
                        const struct approval *approval, const struct idempotency_key *k, struct err *e)
{
    const struct action *action = NULL;
    enum rc rc = escalated_action(c, id, &action, e);
    rc = rc == RC_OK ? is_shown(action, approval, e) : rc;
    rc = rc == RC_OK ? is_independent(c, p, action, e) : rc;
    rc = rc == RC_OK ? is_outside_chain(c, a, p, action, e) : rc;
    if (rc == RC_OK && c->clock_jumped) {
        rc = err_set(e, RC_CONFLICT, "the clock jumped: no approvals until it is accepted");
    }
    if (rc == RC_OK && action->policy_seq != world_policy_seq(c->world)) {
        rc = err_set(e, RC_CONFLICT, "the policy has changed since that decision: it must be asked again");
    }
    if (rc != RC_OK) {
        return rc;
    }
    struct value body = value_object();
    value_add_str(a, &body, STR("decision"), ref_text(a, "dec", approval->decision));
    value_add_str(a, &body, STR("digest"), approval->digest);
    value_add_instant(a, &body, STR("expires_at"),
                      clock_now(c) + world_policy(c->world)->approval_ttl_ms);
    value_add_str(a, &body, STR("person"), p->person);
    bool met = quorum_met(c, action, world_token_by_id(c->world, p->token));
    value_add_bool(a, &body, STR("quorum"), met);
    if (approval->shown_at_ms != 0) {
        value_add_instant(a, &body, STR("shown_at"), approval->shown_at_ms);
    }
    add_idempotency(a, &body, k);
    struct append what = {.kind = ENTRY_APPROVAL_GRANTED,
                          .actor = str_from(p->actor),
                          .refs = {ref_text(a, "act", id)},
                          .ref_count = 1,
                          .body = body};
    uint64_t seq;
    return control_append(c, a, &what, &seq, e);
}

enum rc control_reject(struct control *c, struct arena *a, const struct principal *p, uint64_t id,
                       struct str reason, const struct idempotency_key *k, struct err *e)
{
    const struct action *action = NULL;
    enum rc rc = escalated_action(c, id, &action, e);
    if (rc == RC_OK && str_trim(reason).len == 0) {
        rc = err_at(e, RC_INVALID, STR("/reason"), "expected a reason");
    }
    if (rc == RC_OK && reason.len > CONTROL_REASON_MAX) {
        rc = err_at(e, RC_INVALID, STR("/reason"), "expected at most %d bytes", CONTROL_REASON_MAX);
    }
    if (rc != RC_OK) {
        return rc;
    }
    struct value body = value_object();
    value_add_str(a, &body, STR("person"), p->person);
    value_add_str(a, &body, STR("reason"), reason);
    add_idempotency(a, &body, k);
    struct append what = {.kind = ENTRY_APPROVAL_REJECTED,
                          .actor = str_from(p->actor),
                          .refs = {ref_text(a, "act", id)},
                          .ref_count = 1,
                          .body = body,
                          .tightens = true};
    uint64_t seq;
    return control_append(c, a, &what, &seq, e);
}

/* --- overrides ------------------------------------------------------------------------------------------------ */

static enum rc open_action(struct control *c, uint64_t id, const struct action **ret, struct err *e)
{
    const struct action *action = world_action(c->world, id);
    if (action == NULL) {
        return err_set(e, RC_NOT_FOUND, "no such action");
    }
    bool open = action->state == ACTION_HELD || action->state == ACTION_ESCALATED || action->state == ACTION_APPROVED ||
                action->state == ACTION_ALLOWED;
    if (!open) {
        return err_set(e, RC_CONFLICT, "the action is %s: nothing of it is overridden", action_state_name(action->state));
    }
    if (clock_now(c) >= action->due_ms) {
        return err_set(e, RC_CONFLICT, "the action has expired");
    }
    *ret = action;
    return RC_OK;
}

/* Asked on the world of now: what does not hold it needs no override, and what an override can't reach keeps none. */
static enum rc is_held_by(struct control *c, struct arena *a, const struct action *action, enum check check,
                          struct err *e)
{
    struct request q;
    enum rc rc = control_rebuild(c, a, action, &q, e);
    if (rc != RC_OK) {
        return rc;
    }
    struct gate_input in = judged_on(c, a, &q, action, clock_now(c));
    struct facts facts;
    struct decision d;
    gate_decide(&in, &facts, &d);
    const struct finding *f = &d.findings[check];
    if (!finding_counts(f) || f->verdict != VERDICT_HOLD) {
        return err_set(e, RC_CONFLICT, "%s does not hold the action", check_name(check));
    }
    return override_covers(f) ? RC_OK
                              : err_set(e, RC_DENIED,
                                        "%s can't be overridden: only freeze, upstream, rate and what is unknown can",
                                        check_name(check));
}

static enum rc check_override(struct control *c, struct arena *a, const struct principal *p, const struct action *action,
                              const struct override *o, struct err *e)
{
    enum rc rc = is_shown(action, &o->shown, e);
    rc = rc == RC_OK ? is_independent(c, p, action, e) : rc;
    rc = rc == RC_OK ? is_outside_chain(c, a, p, action, e) : rc;
    if (rc == RC_OK && (str_trim(o->reason).len == 0 || o->reason.len > CONTROL_REASON_MAX)) {
        rc = err_at(e, RC_INVALID, STR("/reason"), "expected a reason of at most %d bytes", CONTROL_REASON_MAX);
    }
    if (rc == RC_OK && c->clock_jumped) {
        rc = err_set(e, RC_CONFLICT, "the clock jumped: no overrides until it is accepted");
    }
    return rc == RC_OK ? is_held_by(c, a, action, o->check, e) : rc;
}

enum rc control_override(struct control *c, struct arena *a, const struct principal *p, uint64_t id,
                         const struct override *o, const struct idempotency_key *k, struct err *e)
{
    const struct action *action = NULL;
    enum rc rc = open_action(c, id, &action, e);
    rc = rc == RC_OK ? check_override(c, a, p, action, o, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    struct value body = value_object();
    value_add_str(a, &body, STR("check"), check_str(o->check));
    value_add_str(a, &body, STR("decision"), ref_text(a, "dec", o->shown.decision));
    value_add_str(a, &body, STR("digest"), o->shown.digest);
    value_add_instant(a, &body, STR("expires_at"), clock_now(c) + world_policy(c->world)->approval_ttl_ms);
    value_add_str(a, &body, STR("person"), p->person);
    value_add_str(a, &body, STR("reason"), o->reason);
    if (o->shown.shown_at_ms != 0) {
        value_add_instant(a, &body, STR("shown_at"), o->shown.shown_at_ms);
    }
    add_idempotency(a, &body, k);
    struct append what = {.kind = ENTRY_OVERRIDE_GRANTED,
                          .actor = str_from(p->actor),
                          .refs = {ref_text(a, "act", id)},
                          .ref_count = 1,
                          .body = body};
    uint64_t seq;
    return control_append(c, a, &what, &seq, e);
}
