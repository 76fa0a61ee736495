/*
 * control/record - decisions read back from the ledger, and judged again.
 *
 * Replay is the judgement on the facts that the entry recorded and the versions it names: the policy by
 * the seq that loaded it, the tool and the agent by the seq that declared them. The world of now has no
 * part in it.
 */
#include "control/control_internal.h"

#include "base/encode.h"
#include "base/must.h"
#include "value/json.h"

enum rc control_read_entry(struct control *c, struct arena *a, uint64_t seq, struct entry *ret,
                           struct value *ret_body, struct err *e)
{
    /* What the world shows may still wait for the disk; the answer that tells of it waits too. */
    struct stored stored;
    enum rc rc = writer_pending(c->writer, a, seq, ret, &stored.body, e);
    if (rc == RC_NOT_FOUND) {
        rc = store_read(c->reader, a, seq, &stored, e);
        rc = rc == RC_OK ? entry_parse(stored.header, ret, e) : rc;
        if (rc == RC_OK && stored.erased) {
            return err_set(e, RC_GONE, "entry %llu was erased by policy", (unsigned long long)seq);
        }
    }
    rc = rc == RC_OK ? json_parse(a, stored.body, ret_body, e) : rc;
    return rc == RC_INVALID ? err_wrap(e, RC_CORRUPT, "entry %llu", (unsigned long long)seq) : rc;
}

static bool holds_a_decision(enum entry_kind kind)
{
    return kind == ENTRY_ACTION_DECIDED || kind == ENTRY_ACTION_REDECIDED ||
           kind == ENTRY_ACTION_COMMITTED;
}

static enum rc read_judgement(struct decision_record *r, struct err *e)
{
    enum rc rc = facts_read(value_get(&r->body, STR("facts")), &r->facts, e);
    rc = rc == RC_OK ? findings_read(value_get(&r->body, STR("findings")), &r->decision, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    rule_matches_read(value_get(&r->body, STR("rules")), &r->decision);
    if (!verdict_parse(value_text(value_get(&r->body, STR("verdict"))), &r->decision.verdict)) {
        return err_set(e, RC_CORRUPT, "entry %llu has no verdict", (unsigned long long)r->seq);
    }
    enum check blocking;
    struct str name = value_text(value_get(&r->body, STR("blocking")));
    r->decision.blocking = check_parse(name, &blocking) ? (int)blocking : -1;
    int64_t retry_at;
    bool held = instant_parse(value_text(value_get(&r->body, STR("retry_at"))), &retry_at);
    r->decision.retry_after_ms = held ? retry_at - r->time_ms : 0;
    return RC_OK;
}

/* The action's own entry holds its request and what it was derived to be. */
static enum rc read_action(struct control *c, struct arena *a, struct decision_record *r, struct err *e)
{
    struct value *body = &r->body;
    struct entry entry;
    if (r->kind != ENTRY_ACTION_DECIDED) {
        body = arena_alloc(a, sizeof *body);
        if (body == NULL) {
            return err_set(e, arena_rc(a), "the record is too large");
        }
        enum rc rc = control_read_entry(c, a, r->action, &entry, body, e);
        if (rc != RC_OK) {
            return rc;
        }
    }
    r->said = value_get(body, STR("request"));
    request_read(r->said, &r->request);
    r->tool = value_text(value_get(body, STR("tool")));
    r->target = value_text(value_get(body, STR("target")));
    /* The versions are this decision's own: the catalogue may have changed since the first one. */
    r->agent_version = (uint64_t)value_integer_or(value_get(&r->body, STR("agent_version")), 0);
    r->tool_version = (uint64_t)value_integer_or(value_get(&r->body, STR("tool_version")), 0);
    return RC_OK;
}

enum rc control_read_decision(struct control *c, struct arena *a, uint64_t seq,
                              struct decision_record *ret, struct err *e)
{
    struct entry entry;
    ret->seq = seq;
    enum rc rc = control_read_entry(c, a, seq, &entry, &ret->body, e);
    if (rc != RC_OK) {
        return rc;
    }
    if (!holds_a_decision(entry.kind)) {
        return err_set(e, RC_NOT_FOUND, "entry %llu is no decision", (unsigned long long)seq);
    }
    ret->kind = entry.kind;
    ret->time_ms = entry.time_ms;
    ret->action = seq;
    if (entry.kind != ENTRY_ACTION_DECIDED &&
        (entry.ref_count == 0 || !id_parse(entry.refs[0], "act", &ret->action))) {
        return err_set(e, RC_CORRUPT, "entry %llu names no action", (unsigned long long)seq);
    }
    ret->policy_seq = (uint64_t)value_integer_or(value_get(&ret->body, STR("policy")), 0);
    rc = read_judgement(ret, e);
    return rc == RC_OK ? read_action(c, a, ret, e) : rc;
}

/* --- replay ------------------------------------------------------------------------------------------------- */

static enum rc load_policy_version(struct control *c, struct arena *a, uint64_t seq, struct str *ret_text,
                                   struct value *body, struct entry *entry, struct err *e)
{
    enum rc rc = control_read_entry(c, a, seq, entry, body, e);
    if (rc != RC_OK) {
        return rc;
    }
    struct str blob = value_text(value_path(body, "policy", "$blob", NULL));
    struct digest digest;
    if (entry->kind != ENTRY_POLICY_LOADED || !str_starts(blob, STR("sha256:")) ||
        !hex_decode(str_slice(blob, 7, blob.len), digest.bytes, sizeof digest.bytes)) {
        return err_set(e, RC_CORRUPT, "entry %llu is no policy", (unsigned long long)seq);
    }
    return store_blob(c->reader, a, &digest, ret_text, e);
}

/* Applies one declaring entry to the small world, as if it came next. */
static enum rc apply_version(struct control *c, struct arena *a, struct world *w, uint64_t seq,
                             struct err *e)
{
    struct entry entry;
    struct value body;
    struct str text = STR("");
    enum rc rc = control_read_entry(c, a, seq, &entry, &body, e);
    if (rc == RC_OK && entry.kind == ENTRY_POLICY_LOADED) {
        rc = load_policy_version(c, a, seq, &text, &body, &entry, e);
    }
    if (rc != RC_OK) {
        return rc;
    }
    entry.seq = world_next_seq(w);
    entry.time_ms = entry.time_ms > world_time(w) ? entry.time_ms : world_time(w);
    return world_apply(w, &entry, &body, text, e);
}

/* A world that knows nothing but the versions the record names. */
static enum rc build_versions(struct control *c, struct arena *a, const struct decision_record *r,
                              struct world **ret, struct err *e)
{
    struct world *w = world_new(0);
    if (w == NULL) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    enum rc rc = apply_version(c, a, w, r->policy_seq, e);
    if (rc == RC_OK && r->agent_version != 0 && r->agent_version != r->policy_seq) {
        rc = apply_version(c, a, w, r->agent_version, e);
    }
    if (rc == RC_OK && r->tool_version != 0 && r->tool_version != r->policy_seq) {
        rc = apply_version(c, a, w, r->tool_version, e);
    }
    if (rc != RC_OK) {
        world_free(w);
        return rc;
    }
    *ret = w;
    return RC_OK;
}

/* What the request was then is in the record; it is not derived again from a world that is not whole. */
static void trust_record(struct arena *a, const struct world *w, const struct decision_record *r, struct request *q)
{
    static const enum derive_result results[REASON_COUNT] = {
        [REASON_SHELL] = DERIVE_NO_TOOL,
        [REASON_AMBIGUOUS] = DERIVE_AMBIGUOUS,
        [REASON_CLAIM_MISMATCH] = DERIVE_CLAIM_MISMATCH,
        [REASON_BAD_PARAMETERS] = DERIVE_BAD_PARAMETERS,
        [REASON_UNKNOWN_SERVICE] = DERIVE_UNKNOWN_SERVICE,
        [REASON_NO_PLAN] = DERIVE_NO_PLAN,
        [REASON_NO_DIFF] = DERIVE_NO_DIFF,
    };
    const struct finding *catalogue = &r->decision.findings[CHECK_CATALOGUE];
    q->derived = results[catalogue->reason];
    q->derive_detail = catalogue->subject;
    q->target = r->target;
    q->agent_index = world_agent_find(w, q->agent);
    q->tool_index = world_tool_find(w, r->tool);
    q->tool = q->tool_index == MAP_NONE ? NULL : world_tool_at(w, q->tool_index)->def;
    request_parameters(a, q);
}

/* The recorded facts under the recorded versions; world_free(w) ends it. */
struct replay {
    struct world *w;
    struct thresholds room;
    struct check_input in;
};

static enum rc replay_begin(struct control *c, struct arena *a, struct decision_record *record, struct replay *ret,
                            struct err *e)
{
    *ret = (struct replay){.w = NULL};
    enum rc rc = control_complete(c, a, false, record, e);
    rc = rc == RC_OK ? build_versions(c, a, record, &ret->w, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    struct request *q = &record->request;
    trust_record(a, ret->w, record, q);
    rc = world_policy(ret->w)->rule_count > 0 ? derive_changes(a, q, e) : RC_OK;
    if (rc != RC_OK) {
        world_free(ret->w);
        return rc;
    }
    const struct agent_def *agent = gate_agent(ret->w, q);
    ret->in = (struct check_input){
        .policy = world_policy(ret->w),
        .thresholds = policy_thresholds(
            world_policy(ret->w), q->tool == NULL ? STR("") : q->tool->task_class,
            agent == NULL ? (struct threshold_changes){NULL, 0} : agent->checks, &ret->room),
        .agent = agent,
        .request = q,
        .facts = &record->facts,
        .now_ms = record->time_ms,
        .arena = a,
    };
    return RC_OK;
}

static enum rc replay_end(struct arena *a, struct decision_record *record, struct replay *r, struct err *e)
{
    world_free(r->w);
    record->request.tool = NULL;
    return arena_rc(a) != RC_OK ? err_set(e, arena_rc(a), "the record is too large") : RC_OK;
}

/* Subjects may point into the small world's names; the caller gets copies. */
static void keep_words(struct arena *a, struct decision *d)
{
    for (unsigned i = 0; i < CHECK_COUNT; i++) {
        d->findings[i].subject = arena_str(a, d->findings[i].subject);
        d->findings[i].note = arena_str(a, d->findings[i].note);
    }
    for (unsigned i = 0; i < d->rule_count; i++) {
        d->rules[i].rule = arena_str(a, d->rules[i].rule);
        d->rules[i].message = arena_str(a, d->rules[i].message);
    }
}

enum rc control_replay(struct control *c, struct arena *a, uint64_t seq,
                       struct decision_record *ret_record, struct decision *ret_again, struct err *e)
{
    struct replay r = {.w = NULL};
    enum rc rc = control_read_decision(c, a, seq, ret_record, e);
    rc = rc == RC_OK ? replay_begin(c, a, ret_record, &r, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    gate_judge(&r.in, ret_again);
    keep_words(a, ret_again);
    return replay_end(a, ret_record, &r, e);
}

enum rc control_explain(struct control *c, struct arena *a, uint64_t seq, struct value *ret, struct err *e)
{
    struct decision_record record;
    struct replay r = {.w = NULL};
    enum rc rc = control_read_decision(c, a, seq, &record, e);
    rc = rc == RC_OK ? replay_begin(c, a, &record, &r, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    *ret = value_array();
    for (uint32_t i = 0; i < r.in.policy->rule_count; i++) {
        if (r.in.policy->rules[i].mode != MODE_OFF) {
            value_push(a, ret, gate_explain_rule(&r.in, &r.in.policy->rules[i]));
        }
    }
    return replay_end(a, &record, &r, e);
}
