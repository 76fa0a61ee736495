/* control: the life of an action, what waits for the disk, what a restart finds, what replay says. */
#include "control_bench.h"

/* --- actions --------------------------------------------------------------------------------------------------- */

static void an_allowed_action_runs_once(void **state)
{
    struct bench *b = *state;
    struct decided d = propose(b, "scale", 1, "");
    assert_int_equal(d.decision.verdict, VERDICT_ALLOW);
    assert_int_equal(d.action, d.seq);
    assert_int_equal(act(b, d.action)->state, ACTION_ALLOWED);
    struct committed r = commit(b, &b->bot, d.action, NONCE);
    assert_int_equal(r.rc, RC_OK);
    assert_int_equal(r.release, RELEASE_GO);
    assert_int_equal(r.grant.start_by_ms, control_now(b->c) + 30000);
    assert_int_equal(r.grant.heartbeat_ms, 60000);
    assert_int_equal(act(b, d.action)->state, ACTION_EXECUTING);
    /* The same nonce gets the same grant, another one none. */
    pass(b, 29999);
    struct committed again = commit(b, &b->bot, d.action, NONCE);
    assert_int_equal(again.rc, RC_OK);
    assert_int_equal(again.grant.id, r.grant.id);
    assert_int_equal(again.grant.start_by_ms, r.grant.start_by_ms);
    struct committed other = commit(b, &b->bot, d.action, STR("another executor"));
    check_error(b, other.rc, RC_CONFLICT, "already committed by another executor, or too late to start");
    pass(b, 1);
    check_error(b, commit(b, &b->bot, d.action, NONCE).rc, RC_CONFLICT,
                "already committed by another executor, or too late to start");
    restart(b);
    check_error(b, finish(b, d.action, STR("another executor")), RC_DENIED, "only the holder of the grant may do that");
    assert_int_equal(finish(b, d.action, NONCE), RC_OK);
    assert_int_equal(act(b, d.action)->state, ACTION_SUCCEEDED);
    check_error(b, finish(b, d.action, NONCE), RC_CONFLICT, "the action is succeeded: its outcome is reported once");
    check_error(b, commit(b, &b->bot, d.action, NONCE).rc, RC_CONFLICT,
                "already committed by another executor, or too late to start");
    restart(b);
}

static void commits_are_bound(void **state)
{
    struct bench *b = *state;
    struct decided d = propose(b, "scale", 1, "");
    struct committed r = {0};
    struct str wrong = STR("sha256:0000000000000000000000000000000000000000000000000000000000000000");
    r.rc = control_commit(b->c, b->a, &b->bot, d.action, NONCE, wrong, &r.release, &r.decided, &r.grant, &b->e);
    check_error(b, r.rc, RC_CONFLICT, "the digest is not that of the action that was decided");
    r.rc = control_commit(b->c, b->a, &b->bot, d.action, NONCE, STR("sha256:00"), &r.release, &r.decided, &r.grant, &b->e);
    check_error(b, r.rc, RC_INVALID, "expected sha256: and 64 hexadecimal digits");
    check_error(b, commit(b, &b->bot, d.action, STR("0123456789abcde")).rc, RC_INVALID, "expected 16 to 128 bytes");
    char longest[CONTROL_NONCE_MAX + 1];
    memset(longest, 'n', sizeof longest);
    check_error(b, commit(b, &b->bot, d.action, (struct str){longest, CONTROL_NONCE_MAX + 1}).rc, RC_INVALID, "expected 16 to 128 bytes");
    check_error(b, commit(b, &b->cat, d.action, NONCE).rc, RC_NOT_FOUND, "no such action");
    check_error(b, commit(b, &b->ann, d.action, NONCE).rc, RC_NOT_FOUND, "no such action");
    assert_int_equal(commit(b, &b->bot, d.action, (struct str){longest, CONTROL_NONCE_MAX}).rc, RC_OK);
    struct decided read = propose(b, "look", 1, "");
    check_error(b, commit(b, &b->bot, read.action, NONCE).rc, RC_CONFLICT,
                "a one-phase action is not committed: its decision is the go");
}

static void an_escalated_action_needs_a_person(void **state)
{
    struct bench *b = *state;
    struct decided d = propose(b, "scale", 1, "not sure");
    assert_int_equal(d.decision.verdict, VERDICT_ESCALATE);
    check_error(b, commit(b, &b->bot, d.action, NONCE).rc, RC_CONFLICT,
                "the action is escalated: only an allowed or approved one is committed");
    /* The same request is the same action. */
    struct decided again = propose(b, "scale", 1, "not sure");
    assert_int_equal(again.action, d.action);
    assert_true(again.pending_again);
    check_error(b, approve(b, &b->bot, d.action), RC_DENIED, "who proposed an action can't approve it");
    check_error(b, approve(b, &b->ann, d.action), RC_DENIED, "ann owns the agent: someone else must approve");
    struct approval stale = {digest_of(b, d.action), d.seq - 1, 0};
    assert_int_equal(control_approve(b->c, b->a, &b->ben, d.action, &stale, NULL, &b->e), RC_CONFLICT);
    stale.decision = d.seq;
    stale.digest = STR("sha256:0000000000000000000000000000000000000000000000000000000000000000");
    check_error(b, control_approve(b->c, b->a, &b->ben, d.action, &stale, NULL, &b->e), RC_CONFLICT,
                "the digest is not that of the action");
    assert_int_equal(approve(b, &b->ben, d.action), RC_OK);
    assert_int_equal(act(b, d.action)->state, ACTION_APPROVED);
    assert_int_equal(act(b, d.action)->due_ms, control_now(b->c) + HOUR_MS);
    check_error(b, approve(b, &b->ben, d.action), RC_CONFLICT,
                "the action is approved: only an escalated one is approved or rejected");
    restart(b);
    struct committed r = commit(b, &b->bot, d.action, NONCE);
    assert_int_equal(r.release, RELEASE_GO);
    restart(b);
    assert_int_equal(finish(b, d.action, NONCE), RC_OK);
    restart(b);
}

/* What a proposal would come to, without one: what is pending stands, limits hold, and nothing is written. */
static void considering_leaves_nothing_behind(void **state)
{
    struct bench *b = *state;
    struct decided d = propose(b, "scale", 1, "not sure");
    static const struct {
        const char *tool;
        int64_t n;
        const char *unsure;
        bool pending;
        enum verdict want;
    } rows[] = {{"scale", 1, "", true, VERDICT_ESCALATE},
                {"scale", 2, "", false, VERDICT_ALLOW},
                {"scale", 2, "not sure", false, VERDICT_ESCALATE},
                {"nothing", 2, "", false, VERDICT_DENY}};
    uint64_t before = control_read_seq(b->c);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct decided c;
        struct value parameters = value_object();
        value_add_int(b->a, &parameters, STR("n"), rows[i].n);
        struct request q = {.agent = STR("bot"), .claimed_tool = str_from(rows[i].tool), .given = &parameters,
                            .wants_person = str_from(rows[i].unsure), .author_type = STR("ai")};
        assert_int_equal(control_consider(b->c, b->a, &q, &c, &b->e), RC_OK);
        assert_int_equal(c.pending_again, rows[i].pending);
        if (!c.pending_again) {
            assert_int_equal(c.decision.verdict, rows[i].want);
        } else {
            assert_int_equal(c.action, d.action);
        }
    }
    assert_int_equal(control_read_seq(b->c), before);
    load_policy(b, "{'limits':{'open_actions':1}," CATALOGUE "}");
    struct request q = {.agent = STR("bot"), .claimed_tool = STR("look"), .author_type = STR("ai")};
    struct decided c;
    check_error(b, control_consider(b->c, b->a, &q, &c, &b->e), RC_LIMIT, "1 actions are open: the limit is 1");
}

static void rejecting_and_cancelling_end_it(void **state)
{
    struct bench *b = *state;
    struct decided d = propose(b, "scale", 1, "not sure");
    check_error(b, control_reject(b->c, b->a, &b->ben, d.action, STR("  "), NULL, &b->e), RC_INVALID, "expected a reason");
    char longest[CONTROL_REASON_MAX + 1];
    memset(longest, 'r', sizeof longest);
    check_error(b, control_reject(b->c, b->a, &b->ben, d.action, (struct str){longest, sizeof longest}, NULL, &b->e),
                RC_INVALID, "expected at most 1024 bytes");
    assert_int_equal(control_reject(b->c, b->a, &b->ben, d.action, (struct str){longest, CONTROL_REASON_MAX}, NULL, &b->e), RC_OK);
    assert_int_equal(act(b, d.action)->state, ACTION_REJECTED);
    check_error(b, control_cancel(b->c, b->a, &b->bot, d.action, STR("x"), &b->e), RC_CONFLICT,
                "the action is rejected: only one that has not started is cancelled");
    struct decided e = propose(b, "scale", 2, "");
    check_error(b, control_cancel(b->c, b->a, &b->cat, e.action, STR("x"), &b->e), RC_NOT_FOUND, "no such action");
    assert_int_equal(control_cancel(b->c, b->a, &b->bot, e.action, STR("x"), &b->e), RC_OK);
    assert_int_equal(act(b, e.action)->state, ACTION_CANCELLED);
    struct decided f = propose(b, "scale", 3, "");
    assert_int_equal(commit(b, &b->bot, f.action, NONCE).release, RELEASE_GO);
    check_error(b, control_cancel(b->c, b->a, &b->ben, f.action, STR("x"), &b->e), RC_CONFLICT,
                "the action is executing: only one that has not started is cancelled");
    struct decided g = propose(b, "scale", 4, "not sure");
    assert_int_equal(control_cancel(b->c, b->a, &b->ben, g.action, STR("x"), &b->e), RC_OK);
    restart(b);
}

static void what_is_held_is_asked_again(void **state)
{
    struct bench *b = *state;
    signals_budget(control_signals(b->c), world_service_find(HERE(b), STR("shop")))->at_ms = 0;
    struct decided d = propose(b, "scale", 1, "");
    assert_int_equal(d.decision.verdict, VERDICT_HOLD);
    assert_int_equal(d.decision.retry_after_ms, 15000);
    assert_int_equal(act(b, d.action)->retry_at_ms, control_now(b->c) + 15000);
    int64_t due = act(b, d.action)->due_ms;
    pass(b, 15000);
    struct decided again;
    assert_int_equal(control_decide(b->c, b->a, &b->bot, d.action, &again, &b->e), RC_OK);
    assert_int_equal(again.decision.verdict, VERDICT_HOLD);
    assert_int_equal(act(b, d.action)->due_ms, due); /* asking does not lengthen it */
    set_budget(b, PPM_ONE);
    assert_int_equal(control_decide(b->c, b->a, &b->bot, d.action, &again, &b->e), RC_OK);
    assert_int_equal(again.decision.verdict, VERDICT_ALLOW);
    assert_int_equal(act(b, d.action)->state, ACTION_ALLOWED);
    assert_int_equal(act(b, d.action)->due_ms, due);
    assert_int_equal(control_decide(b->c, b->a, &b->bot, d.action, &again, &b->e), RC_OK);
    assert_true(again.pending_again);
    settle(b);
    assert_int_equal(commit(b, &b->bot, d.action, NONCE).release, RELEASE_GO);
    check_error(b, control_decide(b->c, b->a, &b->bot, 999999, &again, &b->e), RC_NOT_FOUND, "no such action");
    restart(b);
}

static void an_approval_that_meets_a_hold_stands(void **state)
{
    struct bench *b = *state;
    set_budget(b, 100000);
    struct decided d = propose(b, "scale", 1, "");
    assert_int_equal(d.decision.verdict, VERDICT_ESCALATE);
    assert_int_equal(approve(b, &b->ben, d.action), RC_OK);
    assert_int_equal(control_deploy(b->c, b->a, &b->admin, true, STR("shop"), STR("d1"), STR(""), &b->e), RC_OK);
    struct committed r = commit(b, &b->bot, d.action, NONCE);
    assert_int_equal(r.rc, RC_OK);
    assert_int_equal(r.release, RELEASE_HELD);
    assert_int_equal(r.decided.decision.verdict, VERDICT_HOLD);
    assert_int_equal(r.decided.decision.blocking, CHECK_FREEZE);
    assert_int_equal(r.decided.decision.retry_after_ms, 30000);
    assert_int_equal(act(b, d.action)->state, ACTION_APPROVED);
    assert_int_equal(act(b, d.action)->retry_at_ms, control_now(b->c) + 30000);
    restart(b);
    set_budget(b, 50000); /* five points less than shown: within the tolerance */
    assert_int_equal(control_deploy(b->c, b->a, &b->admin, false, STR("shop"), STR("d1"), STR("ok"), &b->e), RC_OK);
    assert_int_equal(commit(b, &b->bot, d.action, NONCE).release, RELEASE_GO);
}

static void what_got_worse_asks_again(void **state)
{
    struct bench *b = *state;
    set_budget(b, 100000);
    struct decided d = propose(b, "scale", 1, "");
    assert_int_equal(approve(b, &b->ben, d.action), RC_OK);
    set_budget(b, 49999);
    struct committed r = commit(b, &b->bot, d.action, NONCE);
    assert_int_equal(r.release, RELEASE_ESCALATED);
    assert_int_equal(act(b, d.action)->state, ACTION_ESCALATED);
    assert_int_equal(action_review(act(b, d.action))->approval_count, 0);
    assert_int_equal(approve(b, &b->ben, d.action), RC_OK);
    assert_int_equal(commit(b, &b->bot, d.action, NONCE).release, RELEASE_GO);
    restart(b);
}

static void another_policy_voids_an_approval(void **state)
{
    struct bench *b = *state;
    struct decided d = propose(b, "scale", 1, "not sure");
    assert_int_equal(approve(b, &b->ben, d.action), RC_OK);
    load_policy(b, "{" CATALOGUE ",'heartbeat':'90s'}");
    struct committed r = commit(b, &b->bot, d.action, NONCE);
    assert_int_equal(r.release, RELEASE_ESCALATED);
    assert_int_equal(act(b, d.action)->state, ACTION_ESCALATED);
    assert_int_equal(approve(b, &b->ben, d.action), RC_OK);
    load_policy(b, "{" CATALOGUE "}");
    struct decided e = propose(b, "scale", 2, "not sure");
    load_policy(b, "{" CATALOGUE ",'heartbeat':'90s'}");
    check_error(b, approve(b, &b->ben, e.action), RC_CONFLICT,
                "the policy has changed since that decision: it must be asked again");
    restart(b);
}

static void nothing_runs_in_advisory_mode(void **state)
{
    struct bench *b = *state;
    struct decided allowed = propose(b, "scale", 1, "");
    load_policy(b, "{'mode':'advisory'," CATALOGUE "}");
    struct committed r = commit(b, &b->bot, allowed.action, NONCE);
    assert_int_equal(r.release, RELEASE_ADVISED);
    assert_int_equal(act(b, allowed.action)->state, ACTION_ADVISED);
    struct decided d = propose(b, "scale", 2, "not sure");
    assert_int_equal(d.decision.verdict, VERDICT_ESCALATE);
    assert_int_equal(approve(b, &b->ben, d.action), RC_OK);
    r = commit(b, &b->bot, d.action, NONCE);
    assert_int_equal(r.release, RELEASE_ADVISED);
    assert_int_equal(act(b, d.action)->grant_seq, 0);
    restart(b);
}

static void deadlines_count_at_their_instant(void **state)
{
    struct bench *b = *state;
    struct decided allowed = propose(b, "scale", 1, "");
    struct decided escalated = propose(b, "scale", 2, "not sure");
    struct decided running = propose(b, "scale", 3, "");
    assert_int_equal(commit(b, &b->bot, running.action, NONCE).release, RELEASE_GO);
    pass(b, HOUR_MS - 1);
    assert_int_equal(commit(b, &b->bot, allowed.action, NONCE).rc, RC_OK);
    set_budget(b, PPM_ONE);
    struct decided other = propose(b, "scale", 4, "");
    pass(b, 1);
    check_error(b, approve(b, &b->ben, escalated.action), RC_CONFLICT, "the action has expired");
    /* What has expired is pending no more, whether or not it is written down. */
    set_budget(b, PPM_ONE);
    struct decided again = propose(b, "scale", 2, "not sure");
    assert_int_not_equal(again.action, escalated.action);
    assert_false(again.pending_again);
    bool cancel;
    check_error(b, control_heartbeat(b->c, b->a, &b->bot, running.action, NONCE, &cancel, &b->e), RC_CONFLICT,
                "no heartbeat came in time: what became of the action is unknown");
    tick(b);
    assert_int_equal(act(b, escalated.action)->state, ACTION_EXPIRED);
    assert_int_equal(act(b, running.action)->state, ACTION_UNKNOWN);
    assert_int_equal(act(b, other.action)->state, ACTION_ALLOWED);
    assert_int_equal(act(b, again.action)->state, ACTION_ESCALATED);
    assert_ptr_equal(world_pending(HERE(b), act(b, again.action)->digest), act(b, again.action));
    assert_int_equal(finish(b, running.action, NONCE), RC_OK); /* late, and kept */
    assert_int_equal(act(b, running.action)->state, ACTION_SUCCEEDED);
    pass(b, HOUR_MS);
    check_error(b, commit(b, &b->bot, other.action, NONCE).rc, RC_CONFLICT, "the action has expired");
    restart(b);
}

static void heartbeats_keep_it_alive(void **state)
{
    struct bench *b = *state;
    struct decided d = propose(b, "scale", 1, "");
    bool cancel = true;
    check_error(b, control_heartbeat(b->c, b->a, &b->bot, d.action, NONCE, &cancel, &b->e), RC_DENIED,
                "only the holder of the grant may do that");
    assert_int_equal(commit(b, &b->bot, d.action, NONCE).release, RELEASE_GO);
    pass(b, 29999);
    assert_int_equal(control_heartbeat(b->c, b->a, &b->bot, d.action, NONCE, &cancel, &b->e), RC_OK);
    assert_false(cancel);
    assert_int_equal(act(b, d.action)->due_ms, control_now(b->c) + 120000);
    check_error(b, control_heartbeat(b->c, b->a, &b->cat, d.action, NONCE, &cancel, &b->e), RC_NOT_FOUND, "no such action");
    struct stop_order order = {.scope = STOP_SERVICE, .name = STR("shop"), .level = STOP_PAUSE};
    uint64_t id;
    assert_int_equal(control_stop_set(b->c, b->a, &b->admin, &order, NULL, &id, &b->e), RC_OK);
    assert_int_equal(control_heartbeat(b->c, b->a, &b->bot, d.action, NONCE, &cancel, &b->e), RC_OK);
    assert_false(cancel); /* a pause does not stop what runs */
    order.level = STOP_FULL;
    assert_int_equal(control_stop_set(b->c, b->a, &b->admin, &order, NULL, &id, &b->e), RC_OK);
    int64_t due = act(b, d.action)->due_ms;
    pass(b, 1000);
    assert_int_equal(control_heartbeat(b->c, b->a, &b->bot, d.action, NONCE, &cancel, &b->e), RC_OK);
    assert_true(cancel);
    assert_int_equal(act(b, d.action)->due_ms, due); /* and a stop renews nothing */
    restart(b);
}

static void one_phase_actions_report_once(void **state)
{
    struct bench *b = *state;
    struct decided d = propose(b, "look", 1, "");
    assert_int_equal(d.decision.verdict, VERDICT_ALLOW);
    assert_int_equal(finish(b, d.action, STR("")), RC_OK);
    check_error(b, finish(b, d.action, STR("")), RC_CONFLICT, "the action is succeeded");
    struct decided e = propose(b, "look", 2, "not sure");
    check_error(b, finish(b, e.action, STR("")), RC_CONFLICT, "the action is escalated");
    assert_int_equal(approve(b, &b->ben, e.action), RC_OK);
    assert_int_equal(finish(b, e.action, STR("")), RC_OK);
    restart(b);
}

static void limits_of_the_policy_are_crossed(void **state)
{
    struct bench *b = *state;
    load_policy(b, "{'limits':{'open_actions':2,'pending_approvals':1}," CATALOGUE "}");
    struct decided d;
    assert_int_equal(propose_as(b, &b->bot, "scale", 1, "", &d), RC_OK);
    assert_int_equal(propose_as(b, &b->bot, "scale", 2, "", &d), RC_OK);
    check_error(b, propose_as(b, &b->bot, "scale", 3, "", &d), RC_LIMIT, "2 actions are open: the limit is 2");
    assert_int_equal(control_cancel(b->c, b->a, &b->bot, d.action, STR("x"), &b->e), RC_OK);
    assert_int_equal(propose_as(b, &b->bot, "scale", 3, "not sure", &d), RC_OK);
    assert_int_equal(control_cancel(b->c, b->a, &b->bot, d.action - 3, STR("x"), &b->e), RC_OK);
    check_error(b, propose_as(b, &b->cat, "scale", 4, "", &d), RC_LIMIT, "1 approvals are pending: the limit is 1");
    settle(b);
    restart(b);
}

/* --- repeated writes --------------------------------------------------------------------------------------------- */

static void a_key_is_bound_to_its_body(void **state)
{
    struct bench *b = *state;
    struct idempotency_key k = control_idempotency(&b->admin, STR("k1"), STR("/v1/stops"), STR("{\"a\":1}"));
    uint64_t seq;
    assert_int_equal(control_repeated(b->c, &k, &seq, &b->e), RC_NOT_FOUND);
    struct stop_order order = {.scope = STOP_AGENT, .name = STR("cat"), .level = STOP_PAUSE};
    uint64_t id;
    assert_int_equal(control_stop_set(b->c, b->a, &b->admin, &order, &k, &id, &b->e), RC_OK);
    assert_int_equal(control_repeated(b->c, &k, &seq, &b->e), RC_OK);
    assert_int_equal(seq, id);
    restart(b);
    assert_int_equal(control_repeated(b->c, &k, &seq, &b->e), RC_OK);
    assert_int_equal(seq, id);
    struct idempotency_key other = control_idempotency(&b->admin, STR("k1"), STR("/v1/stops"), STR("{\"a\":2}"));
    check_error(b, control_repeated(b->c, &other, &seq, &b->e), RC_INVALID,
                "this Idempotency-Key came with another body before");
    static const struct {
        const char *key;
        const char *route;
    } rows[] = {{"k2", "/v1/stops"}, {"k1", "/v1/agents"}, {"", "/v1/stops"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct idempotency_key n = control_idempotency(&b->admin, str_from(rows[i].key), str_from(rows[i].route), STR("{\"a\":1}"));
        assert_int_equal(control_repeated(b->c, &n, &seq, &b->e), RC_NOT_FOUND);
    }
    struct idempotency_key of_ben = control_idempotency(&b->ben, STR("k1"), STR("/v1/stops"), STR("{\"a\":1}"));
    assert_int_equal(control_repeated(b->c, &of_ben, &seq, &b->e), RC_NOT_FOUND);
    pass(b, DAY_MS);
    tick(b);
    propose(b, "look", 1, "");
    assert_int_equal(control_repeated(b->c, &k, &seq, &b->e), RC_NOT_FOUND);
    restart(b);
}

/* --- durability ----------------------------------------------------------------------------------------------------- */

struct answer {
    unsigned count;
    enum rc rc;
    uint64_t durable; /* at that moment */
    struct bench *b;
};

static void answered(void *context, enum rc rc)
{
    struct answer *a = context;
    a->count++;
    a->rc = rc;
    a->durable = writer_durable(control_writer(a->b->c));
}

static void answers_wait_for_the_disk(void **state)
{
    struct bench *b = *state;
    settle(b);
    struct answer answers[50] = {{0}};
    uint64_t seqs[50];
    struct answer forgotten = {.b = b};
    for (unsigned i = 0; i < 50; i++) {
        struct decided d;
        answers[i].b = b;
        assert_int_equal(propose_as(b, &b->bot, "look", i, "", &d), RC_OK);
        seqs[i] = control_read_seq(b->c);
        assert_int_equal(control_when_durable(b->c, seqs[i], d.action, answered, &answers[i], &b->e), RC_OK);
        if (i == 25) {
            assert_int_equal(control_when_durable(b->c, seqs[i], 0, answered, &forgotten, &b->e), RC_OK);
        }
    }
    control_forget_waiter(b->c, &forgotten);
    settle(b);
    for (unsigned i = 0; i < 50; i++) {
        assert_int_equal(answers[i].count, 1);
        assert_int_equal(answers[i].rc, RC_OK);
        assert_true(answers[i].durable >= seqs[i]);
    }
    assert_true(forgotten.count <= 1); /* it may have been durable at once, never later */
    struct answer at_once = {.b = b};
    assert_int_equal(control_when_durable(b->c, control_read_seq(b->c), 0, answered, &at_once, &b->e), RC_OK);
    assert_int_equal(at_once.count, 1);
}

/* The disk takes its time: so many entries and answers wait, and what tightens still finds room. */
static void what_waits_is_bounded(void **state)
{
    struct bench *b = *state;
    settle(b);
    CLEANUP(arena) struct arena *a = arena_new(64 << 20);
    pthread_mutex_lock(&disk);
    uint64_t first = control_read_seq(b->c);
    enum rc rc = RC_OK;
    while (rc == RC_OK) {
        arena_reset(a);
        rc = control_load_refused(b->c, a, 1, 2, 3, &b->e);
    }
    check_error(b, rc, RC_UNAVAILABLE, "8128 entries wait to be written: the limit is 8192");
    assert_int_equal(control_read_seq(b->c) - first, WRITER_QUEUE_MAX - QUEUE_RESERVED);
    unsigned stops = 0;
    struct stop_order order = {.scope = STOP_AGENT, .name = STR("cat"), .level = STOP_PAUSE};
    uint64_t id;
    while ((rc = control_stop_set(b->c, a, &b->admin, &order, NULL, &id, &b->e)) == RC_OK) {
        stops++;
    }
    check_error(b, rc, RC_UNAVAILABLE, "8191 entries wait to be written: the limit is 8192");
    assert_int_equal(stops, QUEUE_RESERVED - 1);
    struct answer answer = {.b = b};
    for (unsigned i = 0; i < CONTROL_WAITERS_MAX; i++) {
        assert_int_equal(control_when_durable(b->c, control_read_seq(b->c), 0, answered, &answer, &b->e), RC_OK);
    }
    check_error(b, control_when_durable(b->c, control_read_seq(b->c), 0, answered, &answer, &b->e), RC_LIMIT,
                "65536 answers wait for the disk");
    assert_int_equal(answer.count, 0);
    pthread_mutex_unlock(&disk);
    settle(b);
    assert_int_equal(answer.count, CONTROL_WAITERS_MAX);
    assert_int_equal(answer.rc, RC_OK);
    restart(b);
}

static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes == 0 ? limit.rlim_max : bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void await_state(struct bench *b, enum writer_state state)
{
    b->seen = 0;
    while (writer_state(control_writer(b->c)) != state) {
        await_wake(b);
    }
}

static void a_full_disk_abandons_what_was_not_answered(void **state)
{
    struct bench *b = *state;
    settle(b);
    struct decided before = propose(b, "scale", 1, "");
    limit_files(4096);
    struct decided d;
    struct answer answer = {.b = b};
    assert_int_equal(propose_as(b, &b->bot, "scale", 2, "", &d), RC_OK);
    assert_int_equal(control_when_durable(b->c, control_read_seq(b->c), d.action, answered, &answer, &b->e), RC_OK);
    await_state(b, WRITER_DISK_FULL);
    control_durable_changed(b->c);
    assert_int_equal(answer.count, 1);
    assert_int_equal(answer.rc, RC_UNAVAILABLE);
    assert_int_equal(control_health(b->c), HEALTH_DISK_FULL);
    /* Nothing new, but what tightens. */
    struct decided none;
    check_error(b, propose_as(b, &b->bot, "scale", 3, "", &none), RC_UNAVAILABLE,
                "the disk is full: nothing new is decided until there is room");
    struct stop_order order = {.scope = STOP_AGENT, .name = STR("cat")};
    uint64_t id;
    assert_int_equal(control_stop_set(b->c, b->a, &b->admin, &order, NULL, &id, &b->e), RC_OK);
    assert_int_equal(world_stop_count(HERE(b)), 1);
    assert_int_equal(control_cancel(b->c, b->a, &b->bot, before.action, STR("x"), &b->e), RC_OK);
    /* Room again: the batch is written, and until the entry that abandons it is, it can't run either. */
    limit_files(0);
    await_state(b, WRITER_OK);
    struct committed r = {0};
    r.rc = control_commit(b->c, b->a, &b->bot, d.action, NONCE, digest_of(b, d.action), &r.release, &r.decided, &r.grant, &b->e);
    check_error(b, r.rc, RC_CONFLICT, "nobody was told about this action: propose it again");
    settle(b);
    settle(b);
    assert_int_equal(act(b, d.action)->state, ACTION_ABANDONED);
    check_error(b, commit(b, &b->bot, d.action, NONCE).rc, RC_CONFLICT,
                "the action is abandoned: only an allowed or approved one is committed");
    assert_int_equal(control_health(b->c), HEALTH_OK);
    restart(b);
    assert_int_equal(act(b, d.action)->state, ACTION_ABANDONED);
    assert_int_equal(world_stop_count(HERE(b)), 1);
}

static void a_nearly_full_disk_decides_nothing(void **state)
{
    struct bench *b = *state;
    control_set_disk_low(b->c, true);
    assert_int_equal(control_health(b->c), HEALTH_DISK_FULL);
    struct decided d;
    check_error(b, propose_as(b, &b->bot, "scale", 1, "", &d), RC_UNAVAILABLE,
                "the disk is nearly full: nothing new is decided until there is room");
    struct stop_order order = {.scope = STOP_ALL, .reason = STR("odd")};
    uint64_t id;
    assert_int_equal(control_stop_set(b->c, b->a, &b->admin, &order, NULL, &id, &b->e), RC_OK);
    assert_true(b->stopped);
    assert_string_equal(b->stop_file, "odd");
    control_set_disk_low(b->c, false);
    assert_int_equal(control_health(b->c), HEALTH_OK);
    settle(b);
}

/* What can't be read back is not written: one level too deep for the ledger is refused, and the server
 * starts again. */
static void bodies_stay_within_the_depth_of_the_reader(void **state)
{
    struct bench *b = *state;
    for (unsigned depth = JSON_DEPTH_MAX - 4; depth <= JSON_DEPTH_MAX; depth++) {
        struct value v = value_object();
        for (unsigned i = 1; i < depth; i++) {
            struct value outer = value_object();
            value_add(b->a, &outer, STR("x"), v);
            v = outer;
        }
        struct request q = {.agent = STR("bot"), .claimed_tool = STR("scale"), .given = &v};
        struct decided d;
        enum rc rc = control_propose(b->c, b->a, &b->bot, &q, NULL, &d, &b->e);
        bool fits = depth + 2 <= JSON_DEPTH_MAX; /* in the body, in its request */
        if (rc != (fits ? RC_OK : RC_INVALID)) {
            print_error("depth %u: %s: %s\n", depth, rc_name(rc), b->e.text);
            fail();
        }
        if (!fits) {
            assert_string_equal(b->e.text, "the entry nests too deep: expected at most 32 levels");
        }
    }
    restart(b);
}

/* --- stops ------------------------------------------------------------------------------------------------------------- */

static void stops_stop_and_are_lifted(void **state)
{
    struct bench *b = *state;
    struct decided d = propose(b, "scale", 1, "");
    struct stop_order order = {.scope = STOP_AGENT, .name = STR("nobody")};
    uint64_t id;
    assert_int_equal(control_stop_set(b->c, b->a, &b->admin, &order, NULL, &id, &b->e), RC_NOT_FOUND);
    order = (struct stop_order){.scope = STOP_ALL, .reason = STR("odd")};
    assert_int_equal(control_stop_set(b->c, b->a, &b->admin, &order, NULL, &id, &b->e), RC_OK);
    assert_true(b->stopped);
    struct committed r = commit(b, &b->bot, d.action, NONCE);
    assert_int_equal(r.release, RELEASE_DENIED);
    assert_int_equal(act(b, d.action)->state, ACTION_DENIED);
    struct decided read;
    assert_int_equal(propose_as(b, &b->bot, "look", 1, "", &read), RC_OK);
    assert_int_equal(read.decision.verdict, VERDICT_DENY);
    restart(b);
    assert_int_equal(world_stop_count(HERE(b)), 1);
    check_error(b, control_stop_lift(b->c, b->a, &b->admin, id, STR(""), NULL, &b->e), RC_DENIED,
                "eve stopped everything: someone else must resume");
    assert_true(b->stopped);
    assert_int_equal(control_stop_lift(b->c, b->a, &b->ben, id, STR("fine"), NULL, &b->e), RC_OK);
    assert_false(b->stopped);
    check_error(b, control_stop_lift(b->c, b->a, &b->ben, id, STR("fine"), NULL, &b->e), RC_NOT_FOUND, "no such stop is in force");
    set_budget(b, PPM_ONE);
    struct decided e = propose(b, "scale", 2, "");
    assert_int_equal(e.decision.verdict, VERDICT_ALLOW);
    restart(b);
}

static void there_is_always_room_to_stop_everything(void **state)
{
    struct bench *b = *state;
    struct stop_order order = {.scope = STOP_AGENT, .name = STR("cat"), .level = STOP_PAUSE};
    uint64_t id = 0;
    uint64_t first = 0;
    enum rc rc = RC_OK;
    unsigned count = 0;
    while (rc == RC_OK && count < STOPS_MAX + 5 && world_stop_count(HERE(b)) == count) {
        rc = control_stop_set(b->c, b->a, &b->admin, &order, NULL, &id, &b->e);
        first = first == 0 ? id : first;
        count++;
    }
    /* The table is full: the same again is the one that stands, another is refused. */
    assert_int_equal(rc, RC_OK);
    assert_int_equal(id, first);
    assert_int_equal(world_stop_count(HERE(b)), STOPS_MAX - STOPS_RESERVED);
    order.name = STR("bot");
    check_error(b, control_stop_set(b->c, b->a, &b->admin, &order, NULL, &id, &b->e), RC_LIMIT, "998 stops are in force");
    struct stop_order all = {.scope = STOP_ALL};
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(control_stop_set(b->c, b->a, i % 2 == 0 ? &b->admin : NULL, &all, NULL, &id, &b->e), RC_OK);
        all.level = all.level == STOP_FULL ? STOP_PAUSE : STOP_FULL;
    }
    assert_int_equal(world_stop_count(HERE(b)), STOPS_MAX);
    restart(b);
}

/* --- catalogue ---------------------------------------------------------------------------------------------------------- */

static enum rc declare(struct bench *b, enum declared what, const char *text)
{
    char json[1024];
    snprintf(json, sizeof json, "%s", text);
    for (char *c = json; *c != '\0'; c++) {
        *c = *c == '\'' ? '"' : *c;
    }
    struct value v;
    assert_int_equal(json_parse(b->a, arena_str(b->a, str_from(json)), &v, &b->e), RC_OK);
    uint64_t seq;
    return control_declare(b->c, b->a, &b->admin, what, &v, NULL, &seq, &b->e);
}

static void declarations_are_checked_first(void **state)
{
    struct bench *b = *state;
    assert_int_equal(declare(b, DECLARED_AGENT, "{'name':'dog','owner':'eve'}"), RC_OK);
    check_error(b, declare(b, DECLARED_AGENT, "{'name':'bot','owner':'eve'}"), RC_CONFLICT,
                "\"bot\" is declared in the policy: change it there");
    check_error(b, declare(b, DECLARED_SERVICE, "{'name':'shop'}"), RC_CONFLICT,
                "\"shop\" is declared in the policy: change it there");
    check_error(b, declare(b, DECLARED_TOOL, "{'name':'look','class':'read'}"), RC_CONFLICT,
                "\"look\" is declared in the policy: change it there");
    check_error(b, declare(b, DECLARED_AGENT, "{'name':'dog'}"), RC_INVALID, "owner is required");
    check_error(b, declare(b, DECLARED_TOOL, "{'name':'u','class':'read','task_class':'gone'}"), RC_INVALID,
                "no such task class is declared");
    assert_int_equal(declare(b, DECLARED_AGENT, "{'name':'dog','owner':'eva'}"), RC_OK);
    restart(b);
    assert_str(world_agent_at(HERE(b), world_agent_find(HERE(b), STR("dog")))->def->owner, "eva");
    load_policy(b, "{'limits':{'agents':3,'services':2}," CATALOGUE "}");
    check_error(b, declare(b, DECLARED_AGENT, "{'name':'cow','owner':'eve'}"), RC_LIMIT, "3 are declared: that is the limit");
    check_error(b, declare(b, DECLARED_SERVICE, "{'name':'db'}"), RC_LIMIT, "2 are declared: that is the limit");
    restart(b);
}

/* A definition that fits into the request and not into the world. */
static void definitions_too_large_are_refused(void **state)
{
    struct bench *b = *state;
    struct value properties = value_object();
    for (unsigned i = 0; i < 1500; i++) {
        struct value p = value_object();
        value_add_str(b->a, &p, STR("pattern"), STR("^[a-z]{250}[0-9]{250}$"));
        value_add(b->a, &properties, arena_printf(b->a, "p%u", i), p);
    }
    struct value schema = value_object();
    value_add(b->a, &schema, STR("properties"), properties);
    struct value v = value_object();
    value_add_str(b->a, &v, STR("name"), STR("large"));
    value_add_str(b->a, &v, STR("class"), STR("read"));
    value_add(b->a, &v, STR("parameters"), schema);
    uint64_t seq;
    enum rc rc = control_declare(b->c, b->a, &b->admin, DECLARED_TOOL, &v, NULL, &seq, &b->e);
    assert_int_equal(rc, RC_LIMIT);
    restart(b);
}

static void tokens_come_and_go(void **state)
{
    struct bench *b = *state;
    static const struct {
        struct token_order order;
        const char *text;
    } rows[] = {
        {{.person = {"p", 1}}, "expected at least one role"},
        {{.roles = ROLE_AGENT | ROLE_ADMIN, .person = {"p", 1}}, "an agent's token has no other role"},
        {{.roles = ROLE_AGENT, .person = {"p", 1}, .agent = {"No", 2}}, "expected the agent's name"},
        {{.roles = ROLE_VIEWER}, "expected who holds the token, at most 128 bytes"},
        {{.roles = ROLE_SOURCE, .person = {"p", 1}}, "a source needs its services, at most 511 bytes"},
    };
    char secret[96];
    uint64_t id;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        check_error(b, control_token_create(b->c, b->a, &b->admin, &rows[i].order, secret, &id, &b->e), RC_INVALID, rows[i].text);
    }
    struct token_order order = {.roles = ROLE_VIEWER | ROLE_ADMIN, .person = STR("zoe"), .expires_ms = control_now(b->c) + 1000};
    assert_int_equal(control_token_create(b->c, b->a, &b->admin, &order, secret, &id, &b->e), RC_OK);
    assert_true(str_starts(str_from(secret), STR("pawl_admin_")));
    struct principal p;
    assert_int_equal(control_authenticate(b->c, str_from(secret), &p, &b->e), RC_OK);
    assert_str(p.person, "zoe");
    pass(b, 999);
    assert_int_equal(control_authenticate(b->c, str_from(secret), &p, &b->e), RC_OK);
    pass(b, 1);
    check_error(b, control_authenticate(b->c, str_from(secret), &p, &b->e), RC_DENIED, "the token is expired");
    assert_int_equal(control_token_revoke(b->c, b->a, &b->admin, id, STR("lost"), &b->e), RC_OK);
    check_error(b, control_authenticate(b->c, str_from(secret), &p, &b->e), RC_DENIED, "the token is revoked");
    check_error(b, control_token_revoke(b->c, b->a, &b->admin, id, STR("lost"), &b->e), RC_NOT_FOUND, "no such token is in force");
    check_error(b, control_authenticate(b->c, STR("pawl_admin_x"), &p, &b->e), RC_DENIED, "the token is not known");
    restart(b);
    check_error(b, control_authenticate(b->c, str_from(secret), &p, &b->e), RC_DENIED, "the token is revoked");
}

static void events_are_checked(void **state)
{
    struct bench *b = *state;
    assert_int_equal(control_deploy(b->c, b->a, &b->admin, true, STR("gone"), STR("d"), STR(""), &b->e), RC_NOT_FOUND);
    assert_int_equal(control_deploy(b->c, b->a, &b->admin, true, STR("shop"), STR(""), STR(""), &b->e), RC_INVALID);
    char longest[ENTRY_ID_MAX * 2];
    memset(longest, 'd', sizeof longest);
    assert_int_equal(control_deploy(b->c, b->a, &b->admin, true, STR("shop"), (struct str){longest, sizeof longest}, STR(""), &b->e), RC_INVALID);
    assert_int_equal(control_deploy(b->c, b->a, &b->admin, true, STR("shop"), (struct str){longest, sizeof longest - 1}, STR(""), &b->e), RC_OK);
    assert_int_equal(control_sli(b->c, b->a, STR("system"), STR("shop"), control_now(b->c), 9, 10, &b->e), RC_OK);
    assert_int_equal(control_sli(b->c, b->a, STR("system"), STR("shop"), control_now(b->c), 11, 10, &b->e), RC_INVALID);
    assert_int_equal(control_sli(b->c, b->a, STR("system"), STR("shop"), control_now(b->c), -1, 10, &b->e), RC_INVALID);
    assert_int_equal(control_sli(b->c, b->a, STR("system"), STR("gone"), control_now(b->c), 1, 1, &b->e), RC_NOT_FOUND);
    assert_int_equal(control_load_refused(b->c, b->a, 1, 2, 3, &b->e), RC_OK);
    restart(b);
}

/* --- time --------------------------------------------------------------------------------------------------------------- */

static void a_clock_that_jumps_holds(void **state)
{
    struct bench *b = *state;
    struct decided d = propose(b, "scale", 1, "");
    struct decided escalated = propose(b, "scale", 2, "not sure");
    struct decided approved = propose(b, "scale", 3, "not sure");
    assert_int_equal(approve(b, &b->ben, approved.action), RC_OK);
    b->wall_ms += CLOCK_JUMP_MS;
    tick(b);
    assert_int_equal(control_health(b->c), HEALTH_OK); /* exactly five seconds are none */
    int64_t before = control_now(b->c);
    b->wall_ms += 1;
    uint64_t seq = control_read_seq(b->c);
    tick(b);
    assert_int_equal(control_read_seq(b->c), seq + 1); /* written down once */
    tick(b);
    assert_int_equal(control_read_seq(b->c), seq + 1);
    assert_int_equal(control_health(b->c), HEALTH_CLOCK_JUMPED);
    assert_int_equal(control_now(b->c), before); /* it did not move */
    assert_int_equal(commit(b, &b->bot, d.action, NONCE).release, RELEASE_HELD);
    check_error(b, approve(b, &b->ben, escalated.action), RC_CONFLICT, "the clock jumped: no approvals until it is accepted");
    struct decided read = propose(b, "look", 1, "");
    assert_int_equal(read.decision.verdict, VERDICT_ALLOW);
    assert_int_equal(control_clock_accept(b->c, b->a, &b->admin, &b->e), RC_OK);
    assert_int_equal(control_now(b->c), b->wall_ms);
    assert_int_equal(control_health(b->c), HEALTH_OK);
    assert_int_equal(act(b, approved.action)->state, ACTION_CANCELLED); /* what was approved before is void */
    assert_int_equal(act(b, escalated.action)->state, ACTION_ESCALATED);
    check_error(b, control_clock_accept(b->c, b->a, &b->admin, &b->e), RC_CONFLICT, "the clock has not jumped");
    assert_int_equal(approve(b, &b->ben, escalated.action), RC_OK);
    restart(b);
}

static void a_clock_that_went_back_is_found_at_the_start(void **state)
{
    struct bench *b = *state;
    propose(b, "scale", 1, "");
    int64_t head = control_now(b->c);
    b->wall_ms -= CLOCK_JUMP_MS;
    restart(b);
    assert_int_equal(control_health(b->c), HEALTH_OK);
    assert_int_equal(control_now(b->c), head); /* never back */
    b->wall_ms -= 1;
    restart(b);
    assert_int_equal(control_health(b->c), HEALTH_CLOCK_JUMPED);
    tick(b);
    assert_int_equal(control_clock_accept(b->c, b->a, &b->admin, &b->e), RC_OK);
    assert_int_equal(control_health(b->c), HEALTH_OK);
    assert_true(control_now(b->c) >= head);
    settle(b);
}

/* --- replay ------------------------------------------------------------------------------------------------------------------ */

static void check_replay(struct bench *b, uint64_t seq)
{
    struct decision_record *r = arena_alloc(b->a, sizeof *r);
    struct decision again;
    if (control_replay(b->c, b->a, seq, r, &again, &b->e) != RC_OK) {
        print_error("replay of %llu: %s\n", (unsigned long long)seq, b->e.text);
        fail();
    }
    for (unsigned i = 0; i < CHECK_COUNT; i++) {
        const struct finding *x = &r->decision.findings[i];
        const struct finding *y = &again.findings[i];
        if (x->verdict != y->verdict || x->reason != y->reason || x->value != y->value || x->threshold != y->threshold ||
            x->release_ms != y->release_ms || !str_eq(x->subject, y->subject)) {
            print_error("replay of %llu: %s was %s %s %lld/%lld %lld \"%.*s\", is %s %s %lld/%lld %lld \"%.*s\"\n",
                        (unsigned long long)seq, check_name((enum check)i), verdict_name(x->verdict), reason_name(x->reason),
                        (long long)x->value, (long long)x->threshold, (long long)x->release_ms, STR_ARG(x->subject),
                        verdict_name(y->verdict), reason_name(y->reason), (long long)y->value, (long long)y->threshold,
                        (long long)y->release_ms, STR_ARG(y->subject));
            fail();
        }
    }
    if (r->kind == ENTRY_ACTION_DECIDED) {
        assert_int_equal(again.verdict, r->decision.verdict);
        assert_int_equal(again.blocking, r->decision.blocking);
        assert_int_equal(again.retry_after_ms, r->decision.retry_after_ms);
    }
}

/* Every reading of the clock is a millisecond later: a decision has one time, that of its entry. */
static void decisions_are_replayed_as_they_were(void **state)
{
    struct bench *b = *state;
    uint64_t seqs[64];
    size_t count = 0;
    b->creep_ms = 1;
    assert_int_equal(declare(b, DECLARED_TOOL, "{'name':'patch','class':'write','services':['shop'],'match':{'argv':['patch','{n}']}}"), RC_OK);
    assert_int_equal(declare(b, DECLARED_TOOL, "{'name':'twin','class':'write','services':['shop'],'match':{'argv':['patch','x*']}}"), RC_OK);
    assert_int_equal(declare(b, DECLARED_AGENT, "{'name':'dog','owner':'eve','checks':{'error_budget':{'min_pct':90}}}"), RC_OK);
    assert_int_equal(declare(b, DECLARED_SERVICE, "{'name':'db','depends_on':['shop']}"), RC_OK);
    struct principal dog = person(b, ROLE_AGENT, "dog", "dog");
    static const int64_t budgets[] = {PPM_ONE, 850000, 150000, -5};
    for (size_t i = 0; i < 4; i++) {
        struct decided d;
        set_budget(b, budgets[i]);
        assert_int_equal(propose_as(b, &b->bot, "scale", (int64_t)i, "", &d), RC_OK);
        seqs[count++] = d.seq;
        assert_int_equal(propose_as(b, &dog, "scale", (int64_t)i, "", &d), RC_OK);
        seqs[count++] = d.seq;
        assert_int_equal(propose_as(b, &b->cat, "look", (int64_t)i, i == 3 ? "odd" : "", &d), RC_OK);
        seqs[count++] = d.seq;
    }
    struct decided held;
    assert_int_equal(control_deploy(b->c, b->a, &b->admin, true, STR("shop"), STR("d1"), STR(""), &b->e), RC_OK);
    set_budget(b, PPM_ONE);
    assert_int_equal(propose_as(b, &b->bot, "scale", 50, "", &held), RC_OK);
    assert_int_equal(held.decision.verdict, VERDICT_HOLD);
    seqs[count++] = held.seq;
    static const char *const commands[] = {"1", "x1"};
    for (size_t i = 0; i < 2; i++) {
        struct value argv = value_array();
        value_push(b->a, &argv, value_string(STR("patch")));
        value_push(b->a, &argv, value_string(str_from(commands[i])));
        struct value *invocation = arena_alloc(b->a, sizeof *invocation);
        *invocation = value_object();
        value_add(b->a, invocation, STR("argv"), argv);
        value_add_str(b->a, invocation, STR("executable"), STR("/bin/patch"));
        struct request q = {.agent = STR("cat"), .invocation = invocation};
        struct decided d;
        assert_int_equal(control_propose(b->c, b->a, &b->cat, &q, NULL, &d, &b->e), RC_OK);
        assert_int_equal(d.decision.findings[CHECK_CATALOGUE].reason, i == 0 ? REASON_NONE : REASON_AMBIGUOUS);
        seqs[count++] = d.seq;
    }
    settle(b);
    for (size_t i = 0; i < count; i++) {
        check_replay(b, seqs[i]);
    }
    /* Under another policy, without most of the catalogue, in another process: the same. */
    load_policy(b, "{'mode':'advisory','checks':{'error_budget':{'min_pct':99}},'agents':[{'name':'bot','owner':'zoe','suspended':true}]}");
    assert_int_equal(declare(b, DECLARED_AGENT, "{'name':'dog','owner':'eve'}"), RC_OK);
    settle(b);
    control_stop(b->c);
    b->c = NULL;
    assert_int_equal(start(b), RC_OK);
    for (size_t i = 0; i < count; i++) {
        check_replay(b, seqs[i]);
    }
}

/* A commit is judged under the policy of its own moment, not of the proposal's. */
static void commits_are_replayed_under_their_own_policy(void **state)
{
    struct bench *b = *state;
    struct decided d = propose(b, "scale", 1, "");
    load_policy(b, "{'checks':{'error_budget':{'min_pct':90}}," CATALOGUE "}");
    set_budget(b, 500000);
    struct committed r = commit(b, &b->bot, d.action, NONCE);
    assert_int_equal(r.release, RELEASE_ESCALATED);
    check_replay(b, d.seq);
    check_replay(b, r.decided.seq);
    assert_int_equal(approve(b, &b->ben, d.action), RC_OK);
    r = commit(b, &b->bot, d.action, NONCE);
    assert_int_equal(r.release, RELEASE_GO);
    check_replay(b, r.decided.seq);
    /* An agent and a tool that were registered, with thresholds of their own. */
    assert_int_equal(declare(b, DECLARED_AGENT, "{'name':'dog','owner':'eve','checks':{'error_budget':{'min_pct':10}}}"), RC_OK);
    assert_int_equal(declare(b, DECLARED_TOOL, "{'name':'patch','class':'write','services':['shop']}"), RC_OK);
    struct principal dog = person(b, ROLE_AGENT, "dog", "dog");
    struct request q = {.agent = STR("dog"), .claimed_tool = STR("patch")};
    struct decided registered;
    assert_int_equal(control_propose(b->c, b->a, &dog, &q, NULL, &registered, &b->e), RC_OK);
    settle(b);
    assert_int_equal(declare(b, DECLARED_AGENT, "{'name':'dog','owner':'eve','checks':{'error_budget':{'min_pct':20}}}"), RC_OK);
    r = commit(b, &dog, registered.action, NONCE);
    assert_int_equal(r.release, RELEASE_GO);
    assert_int_equal(declare(b, DECLARED_AGENT, "{'name':'dog','owner':'eve'}"), RC_OK);
    settle(b);
    check_replay(b, registered.seq);
    check_replay(b, r.decided.seq);
    /* An agent that the policy no longer declares. */
    load_policy(b, "{'tools':[{'name':'look','class':'read'}]}");
    struct decided removed = propose(b, "look", 9, "");
    assert_int_equal(removed.decision.findings[CHECK_IDENTITY].reason, REASON_REMOVED);
    check_replay(b, removed.seq);
    struct decision_record record;
    struct decision again;
    assert_int_equal(control_replay(b->c, b->a, 0, &record, &again, &b->e), RC_NOT_FOUND);
    assert_int_equal(control_replay(b->c, b->a, 999999, &record, &again, &b->e), RC_NOT_FOUND);
}

/* --- snapshots --------------------------------------------------------------------------------------------------------------- */

/* A snapshot's entry that binds another world than the one before it, signed like any other. */
static void lie_about_the_world(struct bench *b, uint64_t at)
{
    struct value body = value_object();
    value_add_int(b->a, &body, STR("at_seq"), (int64_t)at + 1);
    value_add_int(b->a, &body, STR("size"), 1);
    value_add_hex(b->a, &body, STR("world_digest"), STR("sha256:"), (uint8_t[32]){1}, 32);
    struct append what = {.kind = ENTRY_LEDGER_SNAPSHOT, .actor = STR("system"), .body = body};
    uint64_t seq;
    uint64_t snapshots;
    assert_int_equal(control_append(b->c, b->a, &what, &seq, &b->e), RC_OK);
    settle(b);
    assert_int_equal(fold_verify(control_reader(b->c), seq + 1, &snapshots, &b->e), RC_CORRUPT);
    char want[128];
    snprintf(want, sizeof want, "entry %llu: the world after entry %llu was another", (unsigned long long)seq,
             (unsigned long long)at + 1);
    assert_string_equal(b->e.text, want);
}

static void snapshots_are_written_and_used(void **state)
{
    struct bench *b = *state;
    for (unsigned i = 0; i < 20; i++) {
        propose(b, "scale", i, i % 3 == 0 ? "odd" : "");
    }
    CLEANUP(arena) struct arena *a = arena_new(64 << 20);
    while (control_read_seq(b->c) < SNAPSHOT_EVERY + 100) {
        arena_reset(a);
        assert_int_equal(control_load_refused(b->c, a, 1, 2, 3, &b->e), RC_OK);
        if (control_read_seq(b->c) % 4000 == 0) {
            settle(b);
        }
    }
    settle(b);
    pass(b, DAY_MS); /* however long the interval is */
    int64_t next;
    uint64_t seq = control_read_seq(b->c);
    control_tick(b->c, &next);
    uint64_t at;
    bool bound = false;
    b->seen = 0;
    while (!bound) {
        await_wake(b);
        control_durable_changed(b->c);
        for (uint64_t i = seq; i < control_read_seq(b->c) && !bound; i++) {
            struct entry entry;
            struct value body;
            settle(b);
            assert_int_equal(control_read_entry(b->c, b->a, i, &entry, &body, &b->e), RC_OK);
            bound = entry.kind == ENTRY_LEDGER_SNAPSHOT;
        }
    }
    settle(b);
    assert_int_equal(store_newest_snapshot(control_reader(b->c), &at, &b->e), RC_OK);
    assert_true(at >= SNAPSHOT_EVERY);
    propose(b, "scale", 77, "odd");
    restart(b);
    uint64_t snapshots;
    assert_int_equal(fold_verify(control_reader(b->c), control_read_seq(b->c), &snapshots, &b->e), RC_OK);
    assert_int_equal(snapshots, 1);
    lie_about_the_world(b, at);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, make, drop)
    const struct CMUnitTest tests[] = {
        T(an_allowed_action_runs_once),
        T(commits_are_bound),
        T(an_escalated_action_needs_a_person),
        T(considering_leaves_nothing_behind),
        T(rejecting_and_cancelling_end_it),
        T(what_is_held_is_asked_again),
        T(an_approval_that_meets_a_hold_stands),
        T(what_got_worse_asks_again),
        T(another_policy_voids_an_approval),
        T(nothing_runs_in_advisory_mode),
        T(deadlines_count_at_their_instant),
        T(heartbeats_keep_it_alive),
        T(one_phase_actions_report_once),
        T(limits_of_the_policy_are_crossed),
        T(a_key_is_bound_to_its_body),
        T(answers_wait_for_the_disk),
        T(what_waits_is_bounded),
        T(a_full_disk_abandons_what_was_not_answered),
        T(a_nearly_full_disk_decides_nothing),
        T(bodies_stay_within_the_depth_of_the_reader),
        T(stops_stop_and_are_lifted),
        T(there_is_always_room_to_stop_everything),
        T(declarations_are_checked_first),
        T(definitions_too_large_are_refused),
        T(tokens_come_and_go),
        T(events_are_checked),
        T(a_clock_that_jumps_holds),
        T(a_clock_that_went_back_is_found_at_the_start),
        T(decisions_are_replayed_as_they_were),
        T(commits_are_replayed_under_their_own_policy),
        T(snapshots_are_written_and_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
