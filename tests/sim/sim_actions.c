/* tests/sim: actions from proposal to outcome, and what must always hold of them. */
#include "sim.h"

static struct sim_action *account(struct sim *s, uint64_t id)
{
    for (size_t i = s->action_count; i-- > 0;) {
        if (s->actions[i].id == id) {
            return &s->actions[i];
        }
    }
    sim_must(s, false, "every action is accounted for");
    return NULL;
}

/* 32 bytes of the bound request; not a cryptographic digest. */
static struct str digest_text(struct sim *s, const struct request *q, uint8_t bytes[32])
{
    struct value bound = request_bound(s->a, q);
    struct buf b;
    buf_init(&b, 1 << 20);
    json_write_canonical(&b, &bound, s->a);
    uint64_t h[4] = {1, 2, 3, 4};
    for (size_t i = 0; i < b.len; i++) {
        for (unsigned k = 0; k < 4; k++) {
            h[k] = (h[k] ^ (unsigned char)b.data[i]) * (0x100000001b3ULL + 2 * k);
        }
    }
    buf_done(&b);
    for (unsigned i = 0; i < 32; i++) {
        bytes[i] = (uint8_t)(h[i / 8] >> (i % 8 * 8));
    }
    struct value v = value_object();
    value_add_hex(s->a, &v, STR("d"), STR("sha256:"), bytes, 32);
    return value_text(value_get(&v, STR("d")));
}

static void decide(struct sim *s, const struct request *q, const struct action *again, struct facts *f, struct decision *d)
{
    struct gate_input in = {.world = s->w,
                            .policy = world_policy(s->w),
                            .signals = &s->signals,
                            .request = q,
                            .now_ms = s->now_ms,
                            .again = again};
    gate_decide(&in, f, d);
}

static void add_decision(struct sim *s, struct value *body, const struct facts *f, const struct decision *d)
{
    if (d->blocking >= 0) {
        value_add_str(s->a, body, STR("blocking"), str_from(check_name((enum check)d->blocking)));
    }
    value_add(s->a, body, STR("facts"), facts_write(s->a, f));
    value_add(s->a, body, STR("findings"), findings_write(s->a, d));
    if (d->verdict == VERDICT_HOLD) {
        value_add_instant(s->a, body, STR("retry_at"), s->now_ms + d->retry_after_ms);
    }
    value_add_str(s->a, body, STR("verdict"), str_from(verdict_name(d->verdict)));
}

static enum action_state state_of(enum verdict v)
{
    static const enum action_state states[] = {
        [VERDICT_DENY] = ACTION_DENIED,   [VERDICT_ESCALATE] = ACTION_ESCALATED, [VERDICT_HOLD] = ACTION_HELD,
        [VERDICT_ADVISE] = ACTION_ADVISED, [VERDICT_ALLOW] = ACTION_ALLOWED};
    return states[v];
}

/* The fold over the findings, done again in the plainest way. */
static void check_decision(struct sim *s, const struct decision *d)
{
    enum verdict strictest = VERDICT_ALLOW;
    for (unsigned c = 0; c < CHECK_COUNT; c++) {
        if (!d->findings[c].shadow && d->findings[c].verdict < strictest) {
            strictest = d->findings[c].verdict;
        }
    }
    sim_must(s, d->verdict == (strictest == VERDICT_ALLOW && d->capped ? VERDICT_ADVISE : strictest),
             "the strictest finding is the verdict");
    sim_must(s, (d->blocking < 0) == (strictest == VERDICT_ALLOW), "what is not allowed is blocked by a check");
    sim_must(s, !d->escalated_by_own || d->verdict == VERDICT_ESCALATE, "only escalations are its own");
}

static void add_request(struct sim *s, struct value *body, const struct request *q, struct str digest)
{
    value_add(s->a, body, STR("request"), request_write(s->a, q, digest));
    struct value services = value_array();
    for (uint32_t i = 0; i < q->service_count; i++) {
        value_push(s->a, &services, value_string(str_from(world_service_at(s->w, q->services[i])->name)));
    }
    value_add(s->a, body, STR("services"), services);
    if (q->tool != NULL) {
        value_add_str(s->a, body, STR("tool"), q->tool->name);
        value_add_bool(s->a, body, STR("two_phase"), q->tool->two_phase);
    }
}

void sim_propose(struct sim *s, struct request *q)
{
    struct facts f;
    struct decision d;
    uint8_t bytes[32];
    struct err e;
    sim_must(s, request_derive(s->a, s->w, q, &e) == RC_OK, "a request is derived");
    struct str digest = digest_text(s, q, bytes);
    s->proposals++;
    if (world_pending(s->w, bytes) != NULL) {
        arena_reset(s->a);
        return; /* it stands already */
    }
    decide(s, q, NULL, &f, &d);
    check_decision(s, &d);
    struct value body = value_object();
    int64_t due = s->now_ms + world_policy(s->w)->proposal_ttl_ms;
    value_add_instant(s->a, &body, STR("expires_at"), due);
    if (d.escalated_by_own) {
        value_add_bool(s->a, &body, STR("own"), true);
    }
    add_request(s, &body, q, digest);
    add_decision(s, &body, &f, &d);
    sim_must(s, s->action_count < SIM_ACTIONS_MAX, "room for actions");
    s->actions[s->action_count++] = (struct sim_action){.id = sim_append(s, ENTRY_ACTION_DECIDED, "tok_2", 0, &body),
                                                        .state = state_of(d.verdict),
                                                        .agent = q->agent_index,
                                                        .counts = d.verdict == VERDICT_ALLOW || d.escalated_by_own,
                                                        .own = d.escalated_by_own,
                                                        .at_ms = s->now_ms,
                                                        .due_ms = due,
                                                        .policy_seq = world_policy_seq(s->w),
                                                        .decided = d};
    arena_reset(s->a);
}

/* --- one of those in a state ----------------------------------------------------------------------------- */

static const struct action *pick(struct sim *s, enum action_state one, enum action_state other)
{
    const struct action *found = NULL;
    unsigned count = 0;
    for (const struct action *a = world_action_next(s->w, NULL); a != NULL; a = world_action_next(s->w, a)) {
        bool fits = (a->state == one || a->state == other) && a->two_phase && s->now_ms < a->due_ms;
        if (fits && sim_random(s, ++count) == 0) {
            found = a;
        }
    }
    return found;
}

static void rebuild(struct sim *s, const struct action *a, struct request *q, struct value *room)
{
    const struct sim_entry *e = &s->entries[a->id];
    struct err why;
    sim_must(s, json_parse(s->a, (struct str){e->body, e->body_len}, room, &why) == RC_OK, "an entry reads back");
    request_read(value_get(room, STR("request")), q);
    sim_must(s, request_derive(s->a, s->w, q, &why) == RC_OK, "a request is derived");
    uint8_t bytes[32];
    digest_text(s, q, bytes);
    sim_must(s, memcmp(bytes, a->digest, sizeof bytes) == 0, "it is still the same action");
}

/* Whether the findings let it go, from the simulation's own account: the rules of commit in their plainest
 * form. */
static bool may_go(struct sim *s, const struct sim_action *own, const struct decision *d, const struct thresholds *t)
{
    bool approved = own->state == ACTION_APPROVED && own->policy_seq == world_policy_seq(s->w);
    if (d->advisory || (own->state != ACTION_ALLOWED && !approved)) {
        return false;
    }
    for (unsigned c = 0; c < CHECK_COUNT; c++) {
        const struct finding *now = &d->findings[c];
        const struct finding *shown = &own->decided.findings[c];
        if (now->shadow || now->verdict == VERDICT_ALLOW || (approved && c == CHECK_AQDD)) {
            continue;
        }
        if (now->verdict != VERDICT_ESCALATE || !approved || shown->verdict != VERDICT_ESCALATE || shown->shadow ||
            shown->unknown != now->unknown) {
            return false;
        }
        int64_t worse = c == CHECK_ERROR_BUDGET ? shown->value - now->value : now->value - shown->value;
        int64_t tolerance = c == CHECK_ERROR_BUDGET ? t->at[BUDGET_TOLERANCE_PPM] : c == CHECK_HER_TREND ? t->at[HER_TOLERANCE_PPM] : 0;
        if (worse > tolerance || (c == CHECK_ERROR_BUDGET && shown->value >= 0 && now->value < 0)) {
            return false;
        }
    }
    return true;
}

static bool is_stopped(const struct sim *s, const struct request *q)
{
    for (uint32_t i = 0; i < world_stop_count(s->w); i++) {
        const struct world_stop *stop = world_stop_at(s->w, i);
        struct str name = str_from(stop->name);
        bool covers = stop->scope == STOP_ALL || (stop->scope == STOP_AGENT && str_eq(name, q->agent)) ||
                      (stop->scope == STOP_TOOL && str_eq(name, q->claimed_tool));
        for (uint32_t k = 0; stop->scope == STOP_SERVICE && k < q->service_count; k++) {
            covers = covers || str_eq(name, str_from(world_service_at(s->w, q->services[k])->name));
        }
        if (covers) {
            return true;
        }
    }
    return false;
}

static void grant(struct sim *s, const struct action *a, struct sim_action *own, struct value *body)
{
    uint8_t nonce[32] = {(uint8_t)a->id};
    own->due_ms = s->now_ms + world_policy(s->w)->start_deadline_ms;
    value_add_hex(s->a, body, STR("nonce"), STR("sha256:"), nonce, sizeof nonce);
    value_add_instant(s->a, body, STR("start_by"), own->due_ms);
    sim_append(s, ENTRY_ACTION_COMMITTED, "tok_2", a->id, body);
    own->state = ACTION_EXECUTING;
    own->grants++;
    s->grants++;
}

static void refuse(struct sim *s, const struct action *a, struct sim_action *own, struct value *body, const struct decision *d)
{
    bool kept = d->verdict == VERDICT_HOLD && own->state == ACTION_APPROVED;
    if (kept) {
        value_add_bool(s->a, body, STR("approval_kept"), true);
    }
    value_add_instant(s->a, body, STR("expires_at"), a->due_ms);
    sim_append(s, ENTRY_ACTION_REDECIDED, "tok_2", a->id, body);
    if (!kept) {
        own->state = state_of(d->verdict);
        own->decided = *d;
        own->policy_seq = world_policy_seq(s->w);
    }
    s->refused++;
}

void sim_commit_one(struct sim *s)
{
    const struct action *a = pick(s, ACTION_ALLOWED, ACTION_APPROVED);
    if (a == NULL) {
        return;
    }
    struct sim_action *own = account(s, a->id);
    struct request q;
    struct value room;
    struct facts f;
    struct decision d;
    rebuild(s, a, &q, &room);
    decide(s, &q, a, &f, &d);
    struct thresholds set;
    const struct agent_def *agent = gate_agent(s->w, &q);
    const struct thresholds *t = policy_thresholds(
        world_policy(s->w), q.tool->task_class,
        agent == NULL ? (struct threshold_changes){NULL, 0} : agent->checks, &set);
    struct action seen = *a;
    bool other_policy = a->state == ACTION_APPROVED && a->policy_seq != world_policy_seq(s->w);
    seen.state = other_policy ? ACTION_ESCALATED : a->state;
    enum release r = gate_release(&d, &seen, t);
    r = other_policy && (r == RELEASE_GO || r == RELEASE_HELD) ? RELEASE_ESCALATED : r;
    sim_must(s, (r == RELEASE_GO) == may_go(s, own, &d, t), "a commit goes exactly when it is allowed or covered");
    sim_must(s, r != RELEASE_GO || !is_stopped(s, &q), "a stop commits nothing");
    static const enum verdict verdicts[] = {
        [RELEASE_GO] = VERDICT_ALLOW, [RELEASE_DENIED] = VERDICT_DENY, [RELEASE_ESCALATED] = VERDICT_ESCALATE,
        [RELEASE_HELD] = VERDICT_HOLD, [RELEASE_ADVISED] = VERDICT_ADVISE};
    d.verdict = verdicts[r];
    struct value body = value_object();
    add_decision(s, &body, &f, &d);
    if (r == RELEASE_GO) {
        grant(s, a, own, &body);
    } else {
        refuse(s, a, own, &body, &d);
    }
    arena_reset(s->a);
}

void sim_decide_one(struct sim *s)
{
    const struct action *a = pick(s, ACTION_HELD, ACTION_HELD);
    if (a == NULL) {
        return;
    }
    struct sim_action *own = account(s, a->id);
    struct request q;
    struct value room;
    struct facts f;
    struct decision d;
    rebuild(s, a, &q, &room);
    decide(s, &q, a, &f, &d);
    check_decision(s, &d);
    struct value body = value_object();
    value_add_instant(s->a, &body, STR("expires_at"), a->due_ms);
    add_decision(s, &body, &f, &d);
    sim_append(s, ENTRY_ACTION_REDECIDED, "tok_2", a->id, &body);
    own->state = state_of(d.verdict);
    own->decided = d;
    own->policy_seq = world_policy_seq(s->w);
    arena_reset(s->a);
}

/* --- people and executors ------------------------------------------------------------------------------------ */

void sim_approve_one(struct sim *s)
{
    const struct action *a = pick(s, ACTION_ESCALATED, ACTION_ESCALATED);
    if (a == NULL || a->policy_seq != world_policy_seq(s->w)) {
        return;
    }
    struct sim_action *own = account(s, a->id);
    own->state = ACTION_APPROVED;
    own->due_ms = s->now_ms + world_policy(s->w)->approval_ttl_ms;
    struct value body = value_object();
    value_add_instant(s->a, &body, STR("expires_at"), own->due_ms);
    value_add_bool(s->a, &body, STR("quorum"), true);
    sim_append(s, ENTRY_APPROVAL_GRANTED, "tok_8", a->id, &body);
    s->approvals++;
    arena_reset(s->a);
}

static void end_one(struct sim *s, const struct action *a, enum entry_kind kind, enum action_state state, struct value *body)
{
    if (a != NULL) {
        struct sim_action *own = account(s, a->id);
        own->state = state;
        /* What became of it is asked until somebody says so. */
        own->due_ms = state == ACTION_UNKNOWN ? INT64_MAX : own->due_ms;
        sim_append(s, kind, "tok_2", a->id, body);
    }
    arena_reset(s->a);
}

void sim_reject_one(struct sim *s)
{
    struct value body = value_object();
    end_one(s, pick(s, ACTION_ESCALATED, ACTION_ESCALATED), ENTRY_APPROVAL_REJECTED, ACTION_REJECTED, &body);
}

void sim_cancel_one(struct sim *s)
{
    struct value body = value_object();
    end_one(s, pick(s, ACTION_HELD, ACTION_APPROVED), ENTRY_ACTION_CANCELLED, ACTION_CANCELLED, &body);
}

void sim_override_one(struct sim *s)
{
    static const enum check checks[] = {CHECK_FREEZE, CHECK_RATE, CHECK_UPSTREAM};
    const struct action *a = pick(s, ACTION_HELD, ACTION_ALLOWED);
    if (a == NULL) {
        return;
    }
    enum check check = checks[sim_random(s, 3)];
    struct value body = value_object();
    value_add_str(s->a, &body, STR("check"), check_str(check));
    value_add_instant(s->a, &body, STR("expires_at"), s->now_ms + 1 + (int64_t)sim_random(s, 90000));
    sim_append(s, ENTRY_OVERRIDE_GRANTED, "tok_1", a->id, &body);
    sim_must(s, a->overrides != NULL && a->overrides->of[check].token == 1, "an override is kept");
}

void sim_finish_one(struct sim *s)
{
    struct value body = value_object();
    bool good = sim_random(s, 3) != 0;
    value_add_str(s->a, &body, STR("result"), good ? STR("succeeded") : STR("failed"));
    const struct action *a = pick(s, ACTION_EXECUTING, ACTION_UNKNOWN);
    end_one(s, a, ENTRY_ACTION_FINISHED, good ? ACTION_SUCCEEDED : ACTION_FAILED, &body);
}

void sim_heartbeat_one(struct sim *s)
{
    const struct action *a = pick(s, ACTION_EXECUTING, ACTION_EXECUTING);
    if (a == NULL) {
        return;
    }
    struct sim_action *own = account(s, a->id);
    own->due_ms = s->now_ms + 2 * world_policy(s->w)->heartbeat_ms;
    struct value body = value_object();
    value_add_instant(s->a, &body, STR("due_at"), own->due_ms);
    sim_append(s, ENTRY_ACTION_HEARTBEAT, "tok_2", a->id, &body);
    arena_reset(s->a);
}

void sim_record_due(struct sim *s)
{
    const struct action *a;
    while ((a = world_due(s->w, s->now_ms)) != NULL) {
        sim_must(s, account(s, a->id)->due_ms <= s->now_ms, "nothing falls due before its time");
        bool runs = a->state == ACTION_EXECUTING;
        struct value body = value_object();
        end_one(s, a, runs ? ENTRY_ACTION_LOST : ENTRY_ACTION_EXPIRED, runs ? ACTION_UNKNOWN : ACTION_EXPIRED, &body);
    }
    sim_must(s, world_next_due(s->w) > s->now_ms, "what is due is recorded");
}

/* --- what must hold ---------------------------------------------------------------------------------------------- */

static void check_actions(struct sim *s)
{
    unsigned escalated = 0;
    unsigned open = 0;
    for (const struct action *a = world_action_next(s->w, NULL); a != NULL; a = world_action_next(s->w, a)) {
        const struct sim_action *own = account(s, a->id);
        sim_must(s, own->state == a->state, "the states agree");
        sim_must(s, own->grants <= 1, "at most one grant");
        sim_must(s, (a->grant_seq != 0) == (own->grants == 1), "a grant is recorded");
        escalated += a->state == ACTION_ESCALATED ? 1 : 0;
        bool is_open = !action_state_is_closed(a->state) && (a->two_phase || a->state != ACTION_ALLOWED);
        open += is_open ? 1 : 0;
        sim_must(s, is_open || world_time(s->w) - a->closed_ms < CLOSED_KEEP_MS, "what is closed leaves");
        sim_must(s, !is_open || own->due_ms == a->due_ms, "deadlines agree");
    }
    sim_must(s, escalated == world_pending_approvals(s->w), "the depth is the number of escalated actions");
    sim_must(s, open == world_open_actions(s->w), "open actions are counted");
    unsigned pending = 0;
    for (uint32_t i = 0; i < world_agent_count(s->w); i++) {
        pending += world_agent_at(s->w, i)->pending;
    }
    sim_must(s, pending == escalated, "each agent's pending escalations are counted");
    s->depth_max = escalated > s->depth_max ? escalated : s->depth_max;
}

/* The rate from the simulation's own account: first decisions, the last fifty, seven days. */
static void check_her(struct sim *s, uint32_t agent)
{
    int64_t ppm;
    int64_t sample;
    world_her(s->w, agent, s->now_ms, &ppm, &sample);
    sim_must(s, ppm >= 0 && ppm <= PPM_ONE && sample >= 0 && sample <= HER_WINDOW, "a rate is a rate");
    int64_t count = 0;
    int64_t own = 0;
    for (size_t i = s->action_count; i-- > 0 && count < HER_WINDOW;) {
        const struct sim_action *a = &s->actions[i];
        if (a->agent == agent && a->counts && a->at_ms > s->now_ms - HER_WINDOW_MS) {
            count++;
            own += a->own ? 1 : 0;
        }
    }
    int64_t floor = count == 0 ? 0 : own * PPM_ONE / count;
    sim_must(s, sample == count && ppm >= floor && ppm <= floor + 1, "the rate is that of its first decisions");
}

void sim_check(struct sim *s)
{
    check_actions(s);
    for (uint32_t i = 0; i < world_agent_count(s->w); i++) {
        check_her(s, i);
    }
    struct aqdd q = world_aqdd(s->w, s->now_ms);
    sim_must(s, q.depth == world_pending_approvals(s->w), "the queue's depth");
    sim_must(s, q.baseline_milli >= -1 && q.baseline_milli <= s->depth_max * 1000, "the baseline lies below the deepest");
    sim_must(s, q.drift_milli >= -1, "drift is none or a ratio");
}
