/*
 * control/commit - an allowed or approved action starts once, lives by heartbeats, and reports once.
 *
 * At commit every check runs again on the world of now. The executor's nonce binds the grant: the same
 * nonce gets the same answer until the start deadline, any other one is refused.
 * Source: SEMANTICS section 4.
 */
#include "control/control_internal.h"

#include "base/encode.h"

#include <string.h>

static enum rc nonce_digest(struct str nonce, struct digest *ret, struct err *e)
{
    if (nonce.len < CONTROL_NONCE_MIN || nonce.len > CONTROL_NONCE_MAX) {
        return err_at(e, RC_INVALID, STR("/executor_nonce"), "expected %d to %d bytes", CONTROL_NONCE_MIN,
                      CONTROL_NONCE_MAX);
    }
    *ret = sha256(nonce);
    return RC_OK;
}

static enum rc same_digest(const struct action *action, struct str digest, struct err *e)
{
    uint8_t bytes[ENTRY_DIGEST_LEN];
    struct str hex = str_slice(digest, 7, digest.len);
    if (!str_starts(digest, STR("sha256:")) || !hex_decode(hex, bytes, sizeof bytes)) {
        return err_at(e, RC_INVALID, STR("/digest"), "expected sha256: and 64 hexadecimal digits");
    }
    return memcmp(bytes, action->digest, sizeof bytes) == 0
               ? RC_OK
               : err_set(e, RC_CONFLICT, "the digest is not that of the action that was decided");
}

/* The agent's own; of a human's action: the same person's, whatever token is used. */
static bool is_own(const struct control *c, const struct principal *p, const struct action *action)
{
    const struct world_token *proposer = action->human ? world_token_by_id(c->world, action->proposer) : NULL;
    return action->human ? proposer != NULL && p->agent == MAP_NONE && str_eq(p->person, str_from(proposer->person))
                         : p->agent != MAP_NONE && action->agent == p->agent;
}

static enum rc own_action(struct control *c, const struct principal *p, uint64_t id,
                          const struct action **ret, struct err *e)
{
    const struct action *action = world_action(c->world, id);
    if (action == NULL || !is_own(c, p, action)) {
        return err_set(e, RC_NOT_FOUND, "no such action");
    }
    *ret = action;
    return RC_OK;
}

/* The same executor asks for the same answer again. */
static enum rc answer_again(struct control *c, const struct action *action, const struct digest *nonce,
                            struct decided *ret, struct grant *grant, struct err *e)
{
    if (memcmp(nonce->bytes, action->nonce, sizeof action->nonce) != 0 ||
        action->state != ACTION_EXECUTING || clock_now(c) >= action->due_ms) {
        return err_set(e, RC_CONFLICT, "already committed by another executor, or too late to start");
    }
    ret->seq = action->grant_seq;
    ret->pending_again = true;
    *grant = (struct grant){action->grant_seq, grant->silent_ms, action->due_ms, world_policy(c->world)->heartbeat_ms};
    return RC_OK;
}

static enum rc may_commit(struct control *c, const struct action *action, struct err *e)
{
    if (is_abandoned(c, action->id)) {
        return err_set(e, RC_CONFLICT, "nobody was told about this action: propose it again");
    }
    if (!action->two_phase) {
        return err_set(e, RC_CONFLICT, "a one-phase action is not committed: its decision is the go");
    }
    if (action->state != ACTION_ALLOWED && action->state != ACTION_APPROVED) {
        return err_set(e, RC_CONFLICT, "the action is %s: only an allowed or approved one is committed",
                       action_state_name(action->state));
    }
    if (clock_now(c) >= action->due_ms) {
        return err_set(e, RC_CONFLICT, "the action has expired");
    }
    return RC_OK;
}

/* What was decided, and perhaps approved, for one model is not another one's to start. */
static enum rc is_same_mind(const struct principal *p, const struct request *q, struct err *e)
{
    bool other = (p->model.len > 0 && !str_eq(p->model, q->model)) ||
                 (p->prompt_version.len > 0 && !str_eq(p->prompt_version, q->prompt_version));
    return other ? err_set(e, RC_CONFLICT, "the token is of another model or prompt version than the action") : RC_OK;
}

/* The person is the same, the credential need not be: it must say that much itself. */
static enum rc may_break(const struct principal *p, const struct request *q, struct err *e)
{
    return q->break_glass.len == 0 || (p->roles & ROLES_BREAK_GLASS) != 0
               ? RC_OK
               : err_set(e, RC_DENIED, "broken glass: expected a responder, an override or an admin");
}

/* Under another policy an approval is void, and so is a quorum of people who are no longer entitled: the action
 * asks for a person again. */
static enum release released(struct control *c, const struct request *q, const struct action *action,
                             const struct decision *d)
{
    struct thresholds room;
    const struct agent_def *agent = gate_agent(c->world, q);
    const struct thresholds *t = policy_thresholds(
        world_policy(c->world), q->tool == NULL ? STR("") : q->tool->task_class,
        agent == NULL ? (struct threshold_changes){NULL, 0} : agent->checks, &room);
    bool is_void = action->state == ACTION_APPROVED &&
                   (action->policy_seq != world_policy_seq(c->world) || !quorum_met(c, action, NULL));
    if (!is_void) {
        return gate_release(d, action, t);
    }
    struct action unapproved = *action;
    unapproved.state = ACTION_ESCALATED;
    enum release r = gate_release(d, &unapproved, t);
    return r == RELEASE_GO || r == RELEASE_HELD ? RELEASE_ESCALATED : r;
}

static void verdict_of_release(enum release r, const struct action *action, int64_t now, struct decision *d)
{
    static const enum verdict verdicts[] = {
        [RELEASE_GO] = VERDICT_ALLOW,     [RELEASE_DENIED] = VERDICT_DENY, [RELEASE_ESCALATED] = VERDICT_ESCALATE,
        [RELEASE_HELD] = VERDICT_HOLD, [RELEASE_ADVISED] = VERDICT_ADVISE,
    };
    d->verdict = verdicts[r];
    d->retry_after_ms = r == RELEASE_HELD ? gate_hold_ms(d, action, now) : 0;
    d->blocking = -1;
    for (unsigned i = 0; i < CHECK_COUNT && d->blocking < 0 && r != RELEASE_GO; i++) {
        if (finding_counts(&d->findings[i]) && d->findings[i].verdict == d->verdict) {
            d->blocking = (int)i;
        }
    }
}

/* One commit under way. */
struct attempt {
    struct control *c;
    struct arena *a;
    const struct principal *p;
    const struct action *action;
    struct decided *d;
    int64_t now;
    bool broken; /* an operator does it whatever the checks say */
};

static enum rc record(const struct attempt *t, enum entry_kind kind, struct value *body, struct err *e)
{
    add_versions(t->c, t->a, body, t->action->agent, t->action->tool);
    add_decision(t->c, t->a, body, &t->d->facts, &t->d->decision, t->now);
    struct append what = {.kind = kind,
                          .actor = str_from(t->p->actor),
                          .refs = {ref_text(t->a, "act", t->action->id)},
                          .ref_count = 1,
                          .body = *body,
                          .at_ms = t->now};
    return control_append(t->c, t->a, &what, &t->d->seq, e);
}

/* A commit that may not start leaves the new decision; an approval that met a hold stands. */
static enum rc record_refused(const struct attempt *t, struct err *e)
{
    enum verdict verdict = t->d->decision.verdict;
    struct value body = value_object();
    bool kept = verdict == VERDICT_HOLD && t->action->state == ACTION_APPROVED;
    if (kept) {
        value_add_bool(t->a, &body, STR("approval_kept"), true);
    }
    if (verdict == VERDICT_HOLD || verdict == VERDICT_ESCALATE) {
        value_add_instant(t->a, &body, STR("expires_at"), t->action->due_ms);
    }
    value_add_str(t->a, &body, STR("for"), STR("commit"));
    return record(t, ENTRY_ACTION_REDECIDED, &body, e);
}

static enum rc record_commit(const struct attempt *t, const struct digest *nonce, struct grant *grant,
                             struct err *e)
{
    const struct policy *policy = world_policy(t->c->world);
    int64_t silent = grant->silent_ms < policy->max_silence_ms ? grant->silent_ms : policy->max_silence_ms;
    grant->start_by_ms = t->now + (silent > policy->start_deadline_ms ? silent : policy->start_deadline_ms);
    grant->heartbeat_ms = policy->heartbeat_ms;
    struct value body = value_object();
    value_add_hex(t->a, &body, STR("nonce"), STR("sha256:"), nonce->bytes, sizeof nonce->bytes);
    const struct tool_def *tool =
        t->action->tool == MAP_NONE ? NULL : world_tool_at(t->c->world, t->action->tool)->def;
    if (t->broken) {
        value_add_bool(t->a, &body, STR("break_glass"), true);
        value_add_str(t->a, &body, STR("person"), t->p->person);
    }
    if (tool != NULL && tool->observe.for_ms > 0) {
        struct value observe = value_object();
        value_add_int(t->a, &observe, STR("for_ms"), tool->observe.for_ms);
        struct value after = value_array();
        for (uint32_t i = 0; i < tool->observe.invariant_count; i++) {
            value_push(t->a, &after, value_int(tool->observe.invariants[i].after_ms));
        }
        if (after.count > 0) {
            value_add(t->a, &observe, STR("invariants_after_ms"), after);
        }
        value_add_int(t->a, &observe, STR("max_drop_ppm"), tool->observe.max_drop_ppm);
        value_add(t->a, &body, STR("observe"), observe);
    }
    value_add_instant(t->a, &body, STR("start_by"), grant->start_by_ms);
    enum rc rc = record(t, ENTRY_ACTION_COMMITTED, &body, e);
    grant->id = t->d->seq;
    if (rc == RC_OK && value_get(&body, STR("observe")) != NULL) {
        calibration_begin(t->c, t->d->action);
    }
    return rc;
}

enum rc control_commit(struct control *c, struct arena *a, const struct principal *p, uint64_t id,
                       struct str nonce, struct str digest, enum release *ret_release,
                       struct decided *ret, struct grant *ret_grant, struct err *e)
{
    const struct action *action = NULL;
    struct digest of_nonce;
    enum rc rc = own_action(c, p, id, &action, e);
    rc = rc == RC_OK ? nonce_digest(nonce, &of_nonce, e) : rc;
    rc = rc == RC_OK ? same_digest(action, digest, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    ret->action = id;
    ret->pending_again = false;
    *ret_release = RELEASE_GO;
    if (action->grant_seq != 0) {
        return answer_again(c, action, &of_nonce, ret, ret_grant, e);
    }
    rc = may_commit(c, action, e);
    struct request q;
    rc = rc == RC_OK ? control_rebuild(c, a, action, &q, e) : rc;
    rc = rc == RC_OK ? is_same_mind(p, &q, e) : rc;
    rc = rc == RC_OK ? may_break(p, &q, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    struct attempt t = {c, a, p, action, ret, clock_now(c), q.break_glass.len > 0};
    q.round = p->round;
    struct gate_input in = judged_on(c, a, &q, action, t.now);
    rc = ask_first(&in, e);
    if (rc != RC_OK) {
        return rc;
    }
    gate_decide(&in, &ret->facts, &ret->decision);
    *ret_release = released(c, &q, action, &ret->decision);
    verdict_of_release(*ret_release, action, t.now, &ret->decision);
    return *ret_release == RELEASE_GO ? record_commit(&t, &of_nonce, ret_grant, e) : record_refused(&t, e);
}

static enum rc holder(const struct action *action, struct str nonce, struct err *e)
{
    struct digest digest;
    enum rc rc = nonce_digest(nonce, &digest, e);
    if (rc == RC_OK && (action->grant_seq == 0 ||
                        memcmp(digest.bytes, action->nonce, sizeof action->nonce) != 0)) {
        return err_set(e, RC_DENIED, "only the holder of the grant may do that");
    }
    return rc;
}

static bool stopped_now(struct control *c, const struct action *action)
{
    const struct stop_subject subject = action_subject(action);
    for (uint32_t i = 0; i < world_stop_count(c->world); i++) {
        const struct world_stop *s = world_stop_at(c->world, i);
        if (s->level == STOP_FULL && world_stop_covers(c->world, s, &subject)) {
            return true;
        }
    }
    return false;
}

static bool grant_gone(const struct control *c, const struct action *action)
{
    const struct world_grant *g = action->under == 0 ? NULL : world_grant_by_id(c->world, action->under);
    return action->under != 0 && (g == NULL || g->revoked || g->expires_ms <= world_time(c->world));
}

enum rc control_heartbeat(struct control *c, struct arena *a, const struct principal *p, uint64_t id,
                          struct str nonce, bool *ret_cancel, struct err *e)
{
    const struct action *action = NULL;
    enum rc rc = own_action(c, p, id, &action, e);
    rc = rc == RC_OK ? holder(action, nonce, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    if (action->state != ACTION_EXECUTING) {
        return err_set(e, RC_CONFLICT, "the action is %s: it is not executing",
                       action_state_name(action->state));
    }
    if (clock_now(c) >= action->due_ms) {
        return err_set(e, RC_CONFLICT, "no heartbeat came in time: what became of the action is unknown");
    }
    *ret_cancel = stopped_now(c, action) || grant_gone(c, action);
    if (*ret_cancel) {
        return RC_OK; /* neither a stop nor a grant that was revoked renews anything */
    }
    struct value body = value_object();
    value_add_instant(a, &body, STR("due_at"), clock_now(c) + 2 * world_policy(c->world)->heartbeat_ms);
    struct append what = {.kind = ENTRY_ACTION_HEARTBEAT,
                          .actor = str_from(p->actor),
                          .refs = {ref_text(a, "act", id)},
                          .ref_count = 1,
                          .body = body};
    uint64_t seq;
    return control_append(c, a, &what, &seq, e);
}

/* A one-phase action reports what came of it, once; it has no grant. */
static enum rc may_report(const struct action *action, struct str nonce, struct err *e)
{
    if (!action->two_phase) {
        return action->state == ACTION_ALLOWED || action->state == ACTION_APPROVED
                   ? RC_OK
                   : err_set(e, RC_CONFLICT, "the action is %s", action_state_name(action->state));
    }
    enum rc rc = holder(action, nonce, e);
    if (rc == RC_OK && action->state != ACTION_EXECUTING && action->state != ACTION_UNKNOWN) {
        return err_set(e, RC_CONFLICT, "the action is %s: its outcome is reported once",
                       action_state_name(action->state));
    }
    return rc;
}

enum rc control_outcome(struct control *c, struct arena *a, const struct principal *p, uint64_t id,
                        struct str nonce, const struct outcome *o, struct err *e)
{
    const struct action *action = NULL;
    enum rc rc = own_action(c, p, id, &action, e);
    rc = rc == RC_OK ? may_report(action, nonce, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    struct value body = value_object();
    if (o->detail != NULL) {
        struct value detail = *o->detail;
        rc = blobs_refuse(&detail, e);
        if (rc != RC_OK) {
            err_step(e, "/detail");
        }
        rc = rc == RC_OK ? redact_detail(c, a, &detail, e) : rc;
        if (rc != RC_OK) {
            return rc;
        }
        value_add(a, &body, STR("detail"), detail);
    }
    add_idempotency(a, &body, p->key);
    value_add_str(a, &body, STR("level"), STR("reported"));
    value_add_bool(a, &body, STR("late"), action->state == ACTION_UNKNOWN);
    value_add_str(a, &body, STR("result"), o->succeeded ? STR("succeeded") : STR("failed"));
    struct blob_list beside = {.owner = id};
    rc = blobs_take(a, &body, &beside, e);
    if (rc != RC_OK) {
        return rc;
    }
    struct append what = {.kind = ENTRY_ACTION_FINISHED,
                          .actor = str_from(p->actor),
                          .refs = {ref_text(a, "act", id)},
                          .ref_count = 1,
                          .body = body,
                          .blobs = beside.all,
                          .blob_count = beside.count,
                          .tightens = true};
    uint64_t seq;
    rc = control_append(c, a, &what, &seq, e);
    if (rc == RC_OK) {
        stops_tick(c); /* it may have been the last that a stop waited for */
    }
    return rc;
}

enum rc control_cancel(struct control *c, struct arena *a, const struct principal *p, uint64_t id,
                       struct str reason, struct err *e)
{
    const struct action *action = world_action(c->world, id);
    bool operator_may = (p->roles & (ROLE_ADMIN | ROLE_RESPONDER | ROLE_APPROVER)) != 0;
    if (action == NULL || (!operator_may && action->agent != p->agent)) {
        return err_set(e, RC_NOT_FOUND, "no such action");
    }
    if (action_state_is_closed(action->state) || action->state == ACTION_EXECUTING ||
        action->state == ACTION_UNKNOWN) {
        return err_set(e, RC_CONFLICT, "the action is %s: only one that has not started is cancelled",
                       action_state_name(action->state));
    }
    enum rc rc = check_reason_size(reason, e);
    if (rc != RC_OK) {
        return rc;
    }
    struct value body = value_object();
    value_add_str(a, &body, STR("reason"), reason);
    add_idempotency(a, &body, p->key);
    struct append what = {.kind = ENTRY_ACTION_CANCELLED,
                          .actor = str_from(p->actor),
                          .refs = {ref_text(a, "act", id)},
                          .ref_count = 1,
                          .body = body,
                          .tightens = true};
    uint64_t seq;
    return control_append(c, a, &what, &seq, e);
}
