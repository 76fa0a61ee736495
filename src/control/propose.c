/*
 * control/propose - an action from its request to its decision, and decided again.
 */
#include "control/control_internal.h"

#include "base/must.h"
#include "value/json.h"

#include <string.h>

enum rc action_digest(struct control *c, struct arena *a, const struct request *q, struct digest *ret,
                      struct err *e)
{
    buf_reset(&c->text);
    struct value bound = request_bound(a, q);
    json_write_canonical(&c->text, &bound, a);
    enum rc rc = arena_rc(a) != RC_OK ? arena_rc(a) : c->text.rc;
    if (rc == RC_OK) {
        *ret = sha256(buf_view(&c->text));
    }
    text_release(&c->text);
    return rc == RC_OK ? RC_OK : err_set(e, rc, "the request is too large");
}

static enum rc within_limits(const struct control *c, struct err *e)
{
    const struct policy *p = world_policy(c->world);
    if (p == NULL) {
        return err_set(e, RC_UNAVAILABLE, "no policy is loaded: nothing can be decided");
    }
    if (world_open_actions(c->world) >= p->limits.open_actions) {
        return err_set(e, RC_LIMIT, "%u actions are open: the limit is %lld", world_open_actions(c->world),
                       (long long)p->limits.open_actions);
    }
    if (world_pending_approvals(c->world) >= p->limits.pending_approvals) {
        return err_set(e, RC_LIMIT, "%u approvals are pending: the limit is %lld",
                       world_pending_approvals(c->world), (long long)p->limits.pending_approvals);
    }
    return RC_OK;
}

struct gate_input judged_on(struct control *c, struct arena *a, const struct request *q, const struct action *again,
                            int64_t now)
{
    return (struct gate_input){.world = c->world,
                               .policy = world_policy(c->world),
                               .signals = &c->signals,
                               .request = q,
                               .now_ms = now,
                               .again = again,
                               .round = q->round,
                               .arena = a};
}

enum rc ask_first(const struct gate_input *in, struct err *e)
{
    struct validator_round *round = in->request->round;
    if (round == NULL || round->answered) {
        return RC_OK;
    }
    gate_questions(in, round);
    for (uint32_t i = 0; i < round->count; i++) {
        if (round->answers[i].answer == ANSWER_NONE) {
            return err_set(e, RC_UNAVAILABLE, "%.*s has not answered yet", STR_ARG(round->answers[i].name));
        }
    }
    round->answered = true;
    return RC_OK;
}

static struct value services_value(const struct control *c, struct arena *a, const struct request *q)
{
    struct value v = value_array();
    for (uint32_t i = 0; i < q->service_count; i++) {
        value_push(a, &v, value_string(str_from(world_service_at(c->world, q->services[i])->name)));
    }
    return v;
}

/* When an undecided or allowed proposal is over. */
static void add_expiry(const struct control *c, struct arena *a, struct value *body, enum verdict verdict,
                       int64_t now)
{
    if (verdict == VERDICT_ALLOW || verdict == VERDICT_HOLD || verdict == VERDICT_ESCALATE) {
        value_add_instant(a, body, STR("expires_at"), now + world_policy(c->world)->proposal_ttl_ms);
    }
}

static struct value decided_body(struct control *c, struct arena *a, const struct request *q,
                                 const struct digest *digest, const struct decided *d, int64_t now)
{
    struct value body = value_object();
    add_versions(c, a, &body, q->agent_index, q->tool_index);
    add_expiry(c, a, &body, d->decision.verdict, now);
    if (d->decision.escalated_by_own) {
        value_add_bool(a, &body, STR("own"), true);
    }
    if (q->invariants.type == VALUE_ARRAY) {
        value_add(a, &body, STR("invariants"), q->invariants);
    }
    if (q->redacted > 0) {
        value_add_int(a, &body, STR("redacted"), q->redacted);
    }
    struct value text = value_object();
    value_add_hex(a, &text, STR("digest"), STR("sha256:"), digest->bytes, sizeof digest->bytes);
    value_add(a, &body, STR("request"), request_write(a, q, value_text(value_get(&text, STR("digest")))));
    if (q->revert.type == VALUE_ARRAY) {
        value_add(a, &body, STR("revert"), q->revert);
    }
    if (q->service_count > 0) {
        value_add(a, &body, STR("services"), services_value(c, a, q));
    }
    if (q->tool != NULL) {
        value_add_str(a, &body, STR("target"), q->target);
        value_add_str(a, &body, STR("tool"), q->tool->name);
        if (!q->tool->two_phase) {
            value_add_bool(a, &body, STR("two_phase"), false);
        }
    }
    add_decision(c, a, &body, &d->facts, &d->decision, now);
    return body;
}

/* What a request says of its author is what the credential says. */
static enum rc check_author(const struct principal *p, const struct request *q, struct err *e)
{
    bool human = q->person.len > 0;
    if (human && (p->agent != MAP_NONE || (p->roles & ROLES_ACTING) == 0 || !str_eq(p->person, q->person))) {
        return err_set(e, RC_DENIED, "only an operator proposes as a person, and only as itself");
    }
    if (q->break_glass.len == 0) {
        return RC_OK;
    }
    if (!human || (p->roles & ROLES_BREAK_GLASS) == 0) {
        return err_at(e, RC_DENIED, STR("/break_glass"), "expected a responder, an override or an admin");
    }
    return q->break_glass.len <= CONTROL_REASON_MAX
               ? RC_OK
               : err_at(e, RC_INVALID, STR("/break_glass"), "expected at most %d bytes", CONTROL_REASON_MAX);
}

/* The action that stands for this very request already. */
static bool find_pending(struct control *c, const struct digest *digest, int64_t now, struct decided *ret)
{
    const struct action *pending = world_pending(c->world, digest->bytes);
    if (pending == NULL || now >= pending->due_ms || is_abandoned(c, pending->id)) {
        return false;
    }
    ret->action = pending->id;
    ret->seq = pending->decided_seq;
    ret->pending_again = true;
    return true;
}

enum rc control_propose(struct control *c, struct arena *a, const struct principal *p, struct request *q,
                        const struct idempotency_key *k, struct decided *ret, struct err *e)
{
    enum rc rc = within_limits(c, e);
    rc = rc == RC_OK ? check_author(p, q, e) : rc;
    rc = rc == RC_OK ? redact_request(c, a, q, e) : rc;
    rc = rc == RC_OK ? derive_request(a, c->world, world_policy(c->world), q, e) : rc;
    struct digest digest;
    rc = rc == RC_OK ? action_digest(c, a, q, &digest, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    ret->pending_again = false;
    int64_t now = clock_now(c);
    if (find_pending(c, &digest, now, ret)) {
        return RC_OK;
    }
    struct gate_input in = judged_on(c, a, q, NULL, now);
    rc = ask_first(&in, e);
    if (rc != RC_OK) {
        return rc;
    }
    gate_decide(&in, &ret->facts, &ret->decision);
    struct value body = decided_body(c, a, q, &digest, ret, now);
    struct blob_list beside = {.count = 0};
    rc = blobs_take_from(a, &body, STR("request"), &beside, e);
    if (rc != RC_OK) {
        return rc;
    }
    struct append what = {.kind = ENTRY_ACTION_DECIDED,
                          .actor = str_from(p->actor),
                          .body = body,
                          .blobs = beside.all,
                          .blob_count = beside.count,
                          .at_ms = now};
    add_idempotency(a, &what.body, k);
    rc = control_append(c, a, &what, &ret->seq, e);
    ret->action = ret->seq;
    return rc;
}

enum rc control_evaluate(struct control *c, struct arena *a, struct request *q, struct decided *ret,
                         struct err *e)
{
    if (world_policy(c->world) == NULL) {
        return err_set(e, RC_UNAVAILABLE, "no policy is loaded: nothing can be decided");
    }
    enum rc rc = redact_request(c, a, q, e);
    rc = rc == RC_OK ? derive_request(a, c->world, world_policy(c->world), q, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    ret->action = 0;
    ret->seq = 0;
    ret->pending_again = false;
    struct gate_input in = judged_on(c, a, q, NULL, clock_now(c));
    rc = ask_first(&in, e);
    if (rc == RC_OK) {
        gate_decide(&in, &ret->facts, &ret->decision);
    }
    return rc;
}

enum rc control_consider(struct control *c, struct arena *a, struct request *q, struct decided *ret,
                         struct err *e)
{
    struct digest digest;
    enum rc rc = within_limits(c, e);
    rc = rc == RC_OK ? control_evaluate(c, a, q, ret, e) : rc;
    rc = rc == RC_OK ? action_digest(c, a, q, &digest, e) : rc;
    if (rc == RC_OK) {
        (void)find_pending(c, &digest, clock_now(c), ret);
    }
    return rc;
}

/* --- again --------------------------------------------------------------------------------------------- */

enum rc control_rebuild(struct control *c, struct arena *a, const struct action *action,
                        struct request *ret, struct err *e)
{
    struct entry entry;
    struct value body;
    struct value *said = arena_alloc(a, sizeof *said);
    if (said == NULL) {
        return err_set(e, arena_rc(a), "the request is too large");
    }
    enum rc rc = control_read_entry(c, a, action->id, &entry, &body, e);
    rc = rc == RC_OK ? blobs_put_back(c, a, action->id, value_get(&body, STR("request")), said, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    request_read(said, ret);
    rc = derive_request(a, c->world, world_policy(c->world), ret, e);
    struct digest digest;
    rc = rc == RC_OK ? action_digest(c, a, ret, &digest, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    if (memcmp(digest.bytes, action->digest, sizeof action->digest) != 0) {
        return err_set(e, RC_CONFLICT,
                       "the catalogue has changed what this action is: propose it again");
    }
    return RC_OK;
}

enum rc control_decide(struct control *c, struct arena *a, const struct principal *p, uint64_t id,
                       struct decided *ret, struct err *e)
{
    const struct action *action = world_action(c->world, id);
    if (action == NULL) {
        return err_set(e, RC_NOT_FOUND, "no such action");
    }
    int64_t now = clock_now(c);
    ret->action = id;
    if (action->state != ACTION_HELD || now >= action->due_ms) {
        /* Nothing to ask again: what it is says itself. */
        ret->seq = action->decided_seq;
        ret->pending_again = true;
        return RC_OK;
    }
    struct request q;
    enum rc rc = control_rebuild(c, a, action, &q, e);
    if (rc != RC_OK) {
        return rc;
    }
    ret->pending_again = false;
    q.round = p->round;
    struct gate_input in = judged_on(c, a, &q, action, now);
    rc = ask_first(&in, e);
    if (rc != RC_OK) {
        return rc;
    }
    gate_decide(&in, &ret->facts, &ret->decision);
    struct value body = value_object();
    /* The time to live counts from the proposal: asking again does not lengthen it. */
    value_add_instant(a, &body, STR("expires_at"), action->due_ms);
    value_add_str(a, &body, STR("for"), STR("asked"));
    add_versions(c, a, &body, action->agent, action->tool);
    add_decision(c, a, &body, &ret->facts, &ret->decision, now);
    struct append what = {.kind = ENTRY_ACTION_REDECIDED,
                          .actor = str_from(p->actor),
                          .refs = {ref_text(a, "act", id)},
                          .ref_count = 1,
                          .body = body,
                          .at_ms = now};
    return control_append(c, a, &what, &ret->seq, e);
}
