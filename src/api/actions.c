/*
 * api/actions - propose, commit, heartbeat, outcome, cancel; evaluate without a trace.
 */
#include "api/identity.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct proposal {
    struct str agent;
    struct str tool;
    struct str service;
    struct str intent;
    struct str wants_person;
    struct str trace;
    const struct value *parameters;
    const struct value *invocation;
    const struct value *plan;
    const struct value *diff;
    const struct value *contexts;
    struct str parent;
    struct str model;
    struct str prompt_version;
    struct str break_glass;
};

static const struct field proposal_fields[] = {
    {"agent", FIELD_TEXT, FIELD_OF(struct proposal, agent), false, 0, 0, 0, NULL},
    {"tool", FIELD_TEXT, FIELD_OF(struct proposal, tool), false, 0, 0, 0, NULL},
    {"service", FIELD_TEXT, FIELD_OF(struct proposal, service), false, 0, 0, 0, NULL},
    {"intent", FIELD_TEXT, FIELD_OF(struct proposal, intent), false, 0, 0, 0, NULL},
    {"wants_person", FIELD_TEXT, FIELD_OF(struct proposal, wants_person), false, 0, 0, 0, NULL},
    {"trace", FIELD_TEXT, FIELD_OF(struct proposal, trace), false, 0, 0, 0, NULL},
    {"parameters", FIELD_VALUE, FIELD_OF(struct proposal, parameters), false, 0, 0, 0, NULL},
    {"invocation", FIELD_VALUE, FIELD_OF(struct proposal, invocation), false, 0, 0, 0, NULL},
    {"plan", FIELD_VALUE, FIELD_OF(struct proposal, plan), false, 0, 0, 0, NULL},
    {"diff", FIELD_VALUE, FIELD_OF(struct proposal, diff), false, 0, 0, 0, NULL},
    {"contexts", FIELD_VALUE, FIELD_OF(struct proposal, contexts), false, 0, 0, 0, NULL},
    {"parent", FIELD_TEXT, FIELD_OF(struct proposal, parent), false, 0, 0, 0, NULL},
    {"model", FIELD_TEXT, FIELD_OF(struct proposal, model), false, 0, 0, 0, NULL},
    {"prompt_version", FIELD_TEXT, FIELD_OF(struct proposal, prompt_version), false, 0, 0, 0, NULL},
    {"break_glass", FIELD_TEXT, FIELD_OF(struct proposal, break_glass), false, 0, 0, 0, NULL},
};

static enum rc is_object_or_absent(const struct value *v, struct str pointer, struct err *e)
{
    return v == NULL || v->type == VALUE_OBJECT ? RC_OK
                                                : err_at(e, RC_INVALID, pointer, "expected an object");
}

/* A command says its words and the file that will run; the digest is over both. */
static enum rc check_invocation(const struct value *v, struct err *e)
{
    const struct value *argv = value_get(v, STR("argv"));
    if (argv == NULL) {
        return RC_OK;
    }
    if (argv->type != VALUE_ARRAY || argv->count == 0 || argv->count > ARGV_WORDS_MAX) {
        return err_at(e, RC_INVALID, STR("/invocation/argv"), "expected a list of 1 to %d texts",
                      ARGV_WORDS_MAX);
    }
    for (uint32_t i = 0; i < argv->count; i++) {
        if (argv->items[i].type != VALUE_STRING) {
            return err_at(e, RC_INVALID, STR("/invocation/argv"), "expected only texts");
        }
    }
    struct str executable = value_text(value_get(v, STR("executable")));
    return executable.len > 0 && executable.ptr[0] == '/'
               ? RC_OK
               : err_at(e, RC_INVALID, STR("/invocation/executable"), "expected an absolute path");
}

static enum rc check_contexts(const struct value *v, struct err *e)
{
    if (v == NULL) {
        return RC_OK;
    }
    if (v->type != VALUE_ARRAY || v->count > REQUEST_CONTEXTS_MAX) {
        return err_at(e, RC_INVALID, STR("/contexts"), "expected a list of at most %d", REQUEST_CONTEXTS_MAX);
    }
    for (uint32_t i = 0; i < v->count; i++) {
        struct str id = value_text(value_get(&v->items[i], STR("id")));
        struct str trust = value_text(value_get(&v->items[i], STR("trust")));
        if (id.len == 0 || id.len > 256 || (!str_eq(trust, STR("trusted")) && !str_eq(trust, STR("untrusted")))) {
            return err_at(e, RC_INVALID, STR("/contexts"), "expected {id, trust: trusted or untrusted}");
        }
    }
    return RC_OK;
}

/* An agent's own action led to this one: the chain is in the record. */
static enum rc check_parent(struct call *c, struct str parent, struct err *e)
{
    uint64_t id;
    if (parent.len == 0) {
        return RC_OK;
    }
    if (!id_parse(parent, "act", &id) || id >= control_read_seq(c->control)) {
        return err_at(e, RC_INVALID, STR("/parent"), "expected an earlier action, act_N");
    }
    return RC_OK;
}

static enum rc read_proposal(struct call *c, struct request *q, struct err *e)
{
    struct proposal p;
    enum rc rc = call_fields(c, proposal_fields, COUNT(proposal_fields), &p, e);
    rc = rc == RC_OK ? is_object_or_absent(p.parameters, STR("/parameters"), e) : rc;
    rc = rc == RC_OK ? is_object_or_absent(p.invocation, STR("/invocation"), e) : rc;
    rc = rc == RC_OK ? check_invocation(p.invocation, e) : rc;
    rc = rc == RC_OK ? check_contexts(p.contexts, e) : rc;
    rc = rc == RC_OK ? check_parent(c, p.parent, e) : rc;
    if (rc == RC_OK && p.intent.len > REQUEST_TEXT_MAX) {
        rc = err_at(e, RC_INVALID, STR("/intent"), "expected at most %d bytes", REQUEST_TEXT_MAX);
    }
    if (rc == RC_OK && p.wants_person.len > 1024) {
        rc = err_at(e, RC_INVALID, STR("/wants_person"), "expected at most 1024 bytes");
    }
    if (rc == RC_OK && (p.model.len > REQUEST_MODEL_MAX || p.prompt_version.len > REQUEST_MODEL_MAX)) {
        rc = err_at(e, RC_INVALID, p.model.len > REQUEST_MODEL_MAX ? STR("/model") : STR("/prompt_version"),
                    "expected at most %d bytes", REQUEST_MODEL_MAX);
    }
    if (rc == RC_OK && p.tool.len == 0 && p.invocation == NULL) {
        rc = err_at(e, RC_INVALID, STR("/tool"), "expected a tool or an invocation");
    }
    if (rc != RC_OK) {
        return rc;
    }
    *q = (struct request){.round = c->who.round,
                          .agent = p.agent,
                          .invocation = p.invocation,
                          .given = p.parameters,
                          .claimed_tool = p.tool,
                          .claimed_service = p.service,
                          .intent = p.intent,
                          .plan = p.plan,
                          .diff = p.diff,
                          .wants_person = p.wants_person,
                          .author_type = STR("ai"),
                          .contexts = p.contexts,
                          .parent = p.parent,
                          .model = p.model,
                          .prompt_version = p.prompt_version,
                          .break_glass = p.break_glass,
                          .trace = p.trace};
    return RC_OK;
}

/* An agent speaks for itself only, and so does an operator. */
static enum rc speak_for_self(struct call *c, struct request *q, struct err *e)
{
    if (c->who.agent == MAP_NONE) {
        if (q->agent.len > 0 || q->model.len > 0 || q->prompt_version.len > 0) {
            return err_at(e, RC_DENIED, STR("/agent"), "this credential is an operator's: it proposes as itself");
        }
        q->author_type = STR("human");
        q->person = c->who.person;
        return RC_OK;
    }
    struct str self = str_from(world_agent_at(control_world(c->control), c->who.agent)->name);
    if (q->agent.len > 0 && !str_eq(q->agent, self)) {
        return err_at(e, RC_DENIED, STR("/agent"), "this credential is %.*s's", STR_ARG(self));
    }
    q->agent = self;
    return identity_say(c, q, e);
}

static enum rc answer_pending(struct call *c, uint64_t seq, struct err *e)
{
    struct decision_record record;
    enum rc rc = control_read_decision(c->control, c->arena, seq, &record, e);
    if (rc != RC_OK) {
        return rc;
    }
    struct decided d = {.action = record.action,
                        .seq = seq,
                        .decision = record.decision,
                        .facts = record.facts,
                        .pending_again = true};
    return call_reply(c, 200, render_decided(c, &d));
}

enum rc actions_propose(struct call *c, struct err *e)
{
    struct request q;
    uint64_t first;
    enum rc rc = control_repeated(c->control, &c->idempotency, &first, e);
    if (rc == RC_OK) {
        return answer_pending(c, first, e);
    }
    rc = rc == RC_NOT_FOUND ? read_proposal(c, &q, e) : rc;
    rc = rc == RC_OK ? speak_for_self(c, &q, e) : rc;
    struct decided d;
    rc = rc == RC_OK ? control_propose(c->control, c->arena, &c->who, &q, &c->idempotency, &d, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    if (d.pending_again) {
        return answer_pending(c, d.seq, e);
    }
    c->api->counts.decisions++;
    c->api->counts.verdicts[d.decision.verdict]++;
    rule_counts_add(&c->api->rule_counts, control_world(c->control), &d.decision);
    c->api->counts.broken_glass += q.break_glass.len > 0 ? 1 : 0;
    c->action = d.action;
    return call_reply(c, 201, render_decided(c, &d));
}

enum rc evaluate(struct call *c, struct err *e)
{
    struct request q;
    enum rc rc = read_proposal(c, &q, e);
    if (rc == RC_OK && (c->who.agent != MAP_NONE || (c->who.roles & ROLE_ENFORCER) == 0)) {
        rc = speak_for_self(c, &q, e);
    }
    struct decided d;
    rc = rc == RC_OK ? control_evaluate(c->control, c->arena, &q, &d, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    struct value v = render_decided(c, &d);
    struct str whole;
    value_add_bool(c->arena, &v, STR("recorded"), false);
    if (http_query(c->x, "whole", &whole) && str_eq(whole, STR("true"))) {
        value_add_str(c->arena, &v, STR("agent"), q.agent);
        add_null_or_str(c->arena, &v, STR("tool"), q.tool == NULL ? STR("") : q.tool->name);
        add_null_or_str(c->arena, &v, STR("target"), q.target);
        render_grounds(c, &v, &d.decision, &d.facts);
    }
    (void)call_reply(c, 200, v);
    c->wait_seq = 0; /* it says nothing that was not said before: there is nothing to wait for */
    return RC_OK;
}

/* --- one action ------------------------------------------------------------------------------------------------ */

static enum rc visible_action(struct call *c, const struct action **ret, struct err *e)
{
    uint64_t id;
    enum rc rc = call_id(c, 0, "act", &id, e);
    const struct action *action = rc == RC_OK ? world_action(control_world(c->control), id) : NULL;
    if (action == NULL || (!call_is_operator(c) && action->agent != c->who.agent)) {
        return err_set(e, RC_NOT_FOUND, "there is no such action in memory");
    }
    *ret = action;
    return RC_OK;
}

/* With its decision and what else an approver must see; agents see the action alone. */
static enum rc add_review(struct call *c, const struct action *action, struct value *v, struct err *e)
{
    struct decision_record *record = arena_alloc(c->arena, sizeof *record);
    struct value review;
    if (record == NULL) {
        return err_set(e, arena_rc(c->arena), "the reply is too large");
    }
    enum rc rc = control_read_decision(c->control, c->arena, action->decided_seq, record, e);
    rc = rc == RC_OK ? control_complete(c->control, c->arena, true, record, e) : rc;
    rc = rc == RC_OK ? render_review(c, action, record, &review, e) : rc;
    if (rc == RC_OK) {
        value_add(c->arena, v, STR("review"), review);
        value_add(c->arena, v, STR("decision"), render_record(c, record, true));
    }
    return rc == RC_GONE || rc == RC_NOT_FOUND ? RC_OK : rc; /* erased by policy: what is in memory is left */
}

enum rc actions_get(struct call *c, struct err *e)
{
    const struct action *action = NULL;
    enum rc rc = visible_action(c, &action, e);
    if (rc != RC_OK) {
        return rc;
    }
    struct value v = render_action(c, action);
    rc = call_is_operator(c) ? add_review(c, action, &v, e) : RC_OK;
    return rc == RC_OK ? call_reply(c, 200, v) : rc;
}

enum rc actions_list(struct call *c, struct err *e)
{
    uint64_t after;
    uint64_t limit;
    enum rc rc = call_page(c, &after, &limit, e);
    struct str state = STR("");
    enum action_state wanted = ACTION_ALLOWED;
    bool by_state = http_query(c->x, "state", &state);
    if (rc == RC_OK && by_state && !action_state_parse(state, &wanted)) {
        rc = err_at(e, RC_INVALID, STR("/state"), "expected a state such as escalated");
    }
    if (rc != RC_OK) {
        return rc;
    }
    struct value items = value_array();
    uint64_t last = 0;
    const struct action *action = NULL;
    while (items.count < limit &&
           (action = world_action_next(control_world(c->control), action)) != NULL) {
        bool theirs = call_is_operator(c) || action->agent == c->who.agent;
        if (action->id > after && theirs && (!by_state || action->state == wanted)) {
            value_push(c->arena, &items, render_action(c, action));
            last = action->id;
        }
    }
    struct value v = value_object();
    bool full = items.count == limit;
    value_add(c->arena, &v, STR("items"), items);
    value_add(c->arena, &v, STR("next"),
              full ? value_string(arena_printf(c->arena, "%llu", (unsigned long long)last)) : value_null());
    return call_reply(c, 200, v);
}

enum rc actions_decide(struct call *c, struct err *e)
{
    const struct action *action = NULL;
    enum rc rc = visible_action(c, &action, e);
    struct decided d;
    rc = rc == RC_OK ? control_decide(c->control, c->arena, &c->who, action->id, &d, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    return d.pending_again ? answer_pending(c, d.seq, e) : call_reply(c, 200, render_decided(c, &d));
}

struct commit_body {
    struct str nonce;
    struct str digest;
    int64_t silent_ms;
};

static const struct field commit_fields[] = {
    {"executor_nonce", FIELD_TEXT, FIELD_OF(struct commit_body, nonce), true, 0, 0, 0, NULL},
    {"digest", FIELD_TEXT, FIELD_OF(struct commit_body, digest), true, 0, 0, 0, NULL},
    {"silent_for", FIELD_SPAN, FIELD_OF(struct commit_body, silent_ms), false, 0, 0, HOUR_MS, NULL},
};

static void add_grant(struct arena *a, struct value *v, const struct grant *g)
{
    struct value grant = value_object();
    value_add_str(a, &grant, STR("grant_id"), id_str(a, "grt", g->id));
    value_add_instant(a, &grant, STR("start_by"), g->start_by_ms);
    value_add_int(a, &grant, STR("heartbeat_s"), g->heartbeat_ms / 1000);
    value_add(a, v, STR("grant"), grant);
}

enum rc actions_commit(struct call *c, struct err *e)
{
    const struct action *action = NULL;
    struct commit_body body;
    enum rc rc = visible_action(c, &action, e);
    rc = rc == RC_OK ? call_fields(c, commit_fields, COUNT(commit_fields), &body, e) : rc;
    enum release release;
    struct decided d;
    struct grant grant = {.silent_ms = rc == RC_OK ? body.silent_ms : 0};
    rc = rc == RC_OK ? control_commit(c->control, c->arena, &c->who, action->id, body.nonce, body.digest,
                                      &release, &d, &grant, e)
                     : rc;
    if (rc != RC_OK) {
        return rc;
    }
    struct value v;
    if (d.pending_again) {
        v = value_object();
        value_add_str(c->arena, &v, STR("action_id"), id_str(c->arena, "act", d.action));
        value_add_str(c->arena, &v, STR("verdict"), STR("allow"));
    } else {
        v = render_decided(c, &d);
    }
    value_add_bool(c->arena, &v, STR("committed"), release == RELEASE_GO);
    if (release == RELEASE_GO) {
        add_grant(c->arena, &v, &grant);
    }
    return call_reply(c, 200, v);
}

struct nonce_body {
    struct str nonce;
    struct str result;
    struct str reason;
    const struct value *detail;
};

static const struct field heartbeat_fields[] = {
    {"executor_nonce", FIELD_TEXT, FIELD_OF(struct nonce_body, nonce), true, 0, 0, 0, NULL},
};

enum rc actions_heartbeat(struct call *c, struct err *e)
{
    const struct action *action = NULL;
    struct nonce_body body;
    bool cancel = false;
    enum rc rc = visible_action(c, &action, e);
    rc = rc == RC_OK ? call_fields(c, heartbeat_fields, COUNT(heartbeat_fields), &body, e) : rc;
    rc = rc == RC_OK ? control_heartbeat(c->control, c->arena, &c->who, action->id, body.nonce, &cancel, e)
                     : rc;
    if (rc != RC_OK) {
        return rc;
    }
    struct value v = value_object();
    value_add_bool(c->arena, &v, STR("cancel"), cancel);
    return call_reply(c, 200, v);
}

static const struct field outcome_fields[] = {
    {"executor_nonce", FIELD_TEXT, FIELD_OF(struct nonce_body, nonce), false, 0, 0, 0, NULL},
    {"result", FIELD_TEXT, FIELD_OF(struct nonce_body, result), true, 0, 0, 0, NULL},
    {"detail", FIELD_VALUE, FIELD_OF(struct nonce_body, detail), false, 0, 0, 0, NULL},
};

/* The action as it is now; the id alone when it has left memory. */
static enum rc answer_action(struct call *c, unsigned status, uint64_t id)
{
    const struct action *action = world_action(control_world(c->control), id);
    struct value v = value_object();
    value_add_str(c->arena, &v, STR("action_id"), id_str(c->arena, "act", id));
    return call_reply(c, status, action == NULL ? v : render_action(c, action));
}

/* RC_NOT_FOUND: it is the first of its key, and ret_id is what the path names. */
static enum rc repeated(struct call *c, uint64_t *ret_id, struct err *e)
{
    uint64_t first;
    enum rc rc = call_id(c, 0, "act", ret_id, e);
    return rc == RC_OK ? control_repeated(c->control, &c->idempotency, &first, e) : RC_NOT_FOUND;
}

enum rc actions_outcome(struct call *c, struct err *e)
{
    const struct action *action = NULL;
    struct nonce_body body;
    uint64_t id = 0;
    enum rc rc = repeated(c, &id, e);
    if (rc != RC_NOT_FOUND) {
        return rc == RC_OK ? answer_action(c, 200, id) : rc;
    }
    rc = visible_action(c, &action, e);
    rc = rc == RC_OK ? call_fields(c, outcome_fields, COUNT(outcome_fields), &body, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    bool good = str_eq(body.result, STR("succeeded"));
    if (!good && !str_eq(body.result, STR("failed"))) {
        return err_at(e, RC_INVALID, STR("/result"), "expected succeeded or failed");
    }
    rc = is_object_or_absent(body.detail, STR("/detail"), e);
    struct outcome o = {good, body.detail};
    rc = rc == RC_OK ? control_outcome(c->control, c->arena, &c->who, id, body.nonce, &o, e) : rc;
    return rc == RC_OK ? answer_action(c, 200, id) : rc;
}

static const struct field cancel_fields[] = {
    {"reason", FIELD_TEXT, FIELD_OF(struct nonce_body, reason), false, 0, 0, 0, NULL},
};

enum rc actions_cancel(struct call *c, struct err *e)
{
    const struct action *action = NULL;
    struct nonce_body body;
    uint64_t id = 0;
    enum rc rc = repeated(c, &id, e);
    if (rc != RC_NOT_FOUND) {
        return rc == RC_OK ? answer_action(c, 200, id) : rc;
    }
    rc = visible_action(c, &action, e);
    rc = rc == RC_OK ? call_fields(c, cancel_fields, COUNT(cancel_fields), &body, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    rc = control_cancel(c->control, c->arena, &c->who, id, body.reason, e);
    return rc == RC_OK ? answer_action(c, 200, id) : rc;
}

struct revert_body {
    struct str reason;
    bool under_stop;
};

static const struct field revert_fields[] = {
    {"reason", FIELD_TEXT, FIELD_OF(struct revert_body, reason), true, 0, 0, 0, NULL},
    {"under_stop", FIELD_BOOL, FIELD_OF(struct revert_body, under_stop), false, 0, 0, 0, NULL},
};

enum rc actions_revert_by_hand(struct call *c, struct err *e)
{
    uint64_t id = 0;
    struct revert_body b;
    enum rc rc = repeated(c, &id, e);
    if (rc == RC_NOT_FOUND) {
        rc = call_id(c, 0, "act", &id, e);
        rc = rc == RC_OK ? call_fields(c, revert_fields, COUNT(revert_fields), &b, e) : rc;
        rc = rc == RC_OK ? control_revert(c->control, c->arena, &c->who, id, b.reason, b.under_stop, e) : rc;
    }
    return rc == RC_OK ? answer_action(c, 202, id) : rc;
}
