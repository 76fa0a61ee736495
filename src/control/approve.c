/*
 * control/approve - people decide about escalated actions.
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
static enum rc is_another_mind(struct control *c, const struct principal *p, const struct world_agent *asks,
                               struct err *e)
{
    if (p->agent == MAP_NONE) {
        return RC_OK;
    }
    const struct agent_def *other = world_agent_at(c->world, p->agent)->def;
    if (other == NULL || other->suspended || asks->def == NULL) {
        return err_set(e, RC_DENIED, "an agent that approves must be registered and not suspended");
    }
    if (str_eq(other->owner, asks->def->owner) || !differ(other->model, asks->def->model) ||
        !differ(other->prompt_version, asks->def->prompt_version)) {
        return err_set(e, RC_DENIED, "an agent that approves must have another owner, model and prompt");
    }
    return RC_OK;
}

static enum rc is_independent(struct control *c, const struct principal *p, const struct action *action,
                              struct err *e)
{
    const struct world_agent *agent = world_agent_at(c->world, action->agent);
    const struct world_token *proposer = world_token_by_id(c->world, action->proposer);
    if (p->token == action->proposer ||
        (proposer != NULL && str_eq(p->person, str_from(proposer->person)))) {
        return err_set(e, RC_DENIED, "who proposed an action can't approve it");
    }
    if (agent->def != NULL && !world_policy(c->world)->owner_approves &&
        str_eq(p->person, agent->def->owner)) {
        return err_set(e, RC_DENIED, "%.*s owns the agent: someone else must approve",
                       STR_ARG(p->person));
    }
    enum rc rc = is_another_mind(c, p, agent, e);
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
