/* control: what people do themselves - actions of operators, broken glass and its review, overrides of holds - over real
 * entries, with restarts between. */
#include "control_bench.h"

#define FROZEN                                                                                                 \
    "{" CATALOGUE ",'freezes':[{'name':'fair','services':['shop'],'from':'2020-01-01T00:00:00Z',"              \
    "'until':'2040-01-01T00:00:00Z'}]}"

#define SHORT(ttl)                                                                                             \
    "{" CATALOGUE ",'approval_ttl':'" ttl "','freezes':[{'name':'fair','services':['shop'],"                      \
    "'from':'2020-01-01T00:00:00Z','until':'2040-01-01T00:00:00Z'}]}"

static enum rc propose_human(struct bench *b, const struct principal *p, const char *tool, const char *broken,
                             struct decided *ret)
{
    static int64_t n;
    struct value *given = arena_alloc(b->a, sizeof *given);
    *given = value_object();
    value_add_int(b->a, given, STR("n"), ++n);
    struct request q = {.claimed_tool = str_from(tool), .given = given, .author_type = STR("human"),
                        .person = p->person, .break_glass = str_from(broken)};
    set_budget(b, PPM_ONE);
    enum rc rc = control_propose(b->c, b->a, p, &q, NULL, ret, &b->e);
    settle(b);
    return rc;
}

static struct decided human(struct bench *b, const struct principal *p, const char *tool, const char *broken)
{
    struct decided d = {0};
    if (propose_human(b, p, tool, broken, &d) != RC_OK) {
        print_error("%s\n", b->e.text);
        fail();
    }
    return d;
}

/* --- operators as themselves ------------------------------------------------------------------------------ */

static void what_bounds_agents_does_not_bind_people(void **state)
{
    struct bench *b = *state;
    load_policy(b, "{" CATALOGUE ",'checks':{'tier':{'default':'read_only'},'grant':{},'lineage':{},'readiness':{},"
                   "'aqdd':{'max_depth':0}},'permissions':[{'agents':['nobody'],'tools':['*']}]}");
    static const enum check agents_only[] = {CHECK_TIER,    CHECK_GRANT, CHECK_LINEAGE,
                                             CHECK_READINESS, CHECK_AQDD,  CHECK_HER_TREND};
    struct decided d = human(b, &b->ben, "scale", "");
    assert_int_equal(d.decision.verdict, VERDICT_ALLOW);
    for (size_t i = 0; i < sizeof agents_only / sizeof *agents_only; i++) {
        assert_int_equal(d.decision.findings[agents_only[i]].reason, REASON_NOT_APPLICABLE);
    }
    assert_true(act(b, d.action)->human);
    assert_int_equal(act(b, d.action)->agent, MAP_NONE);
    restart(b);
    assert_true(act(b, d.action)->human);
    set_budget(b, PPM_ONE);
    assert_int_equal(commit(b, &b->cat, d.action, NONCE).rc, RC_NOT_FOUND);
    assert_int_equal(commit(b, &b->ann, d.action, NONCE).rc, RC_NOT_FOUND);
    assert_int_equal(commit(b, &b->ben, d.action, NONCE).release, RELEASE_GO);
    restart(b);
    struct outcome o = {.succeeded = true};
    assert_int_equal(control_outcome(b->c, b->a, &b->ann, d.action, NONCE, &o, &b->e), RC_NOT_FOUND);
    assert_int_equal(control_outcome(b->c, b->a, &b->ben, d.action, NONCE, &o, &b->e), RC_OK);
}

static void the_state_of_the_service_binds_people_too(void **state)
{
    struct bench *b = *state;
    load_policy(b, FROZEN);
    struct decided d = human(b, &b->ben, "scale", "");
    assert_int_equal(d.decision.verdict, VERDICT_HOLD);
    assert_int_equal(d.decision.blocking, CHECK_FREEZE);
    assert_int_equal(human(b, &b->ben, "nothing-like-it", "").decision.verdict, VERDICT_DENY);
}

static void a_person_is_approved_by_another(void **state)
{
    struct bench *b = *state;
    load_policy(b, "{" CATALOGUE ",'surfaces':[{'name':'dns','verdict':'escalate'}],'quorum':[{'name':'q','tools':['scale'],"
                   "'approvals':[{'count':1}]}]}");
    struct decided d = human(b, &b->ben, "scale", "");
    assert_int_equal(d.decision.verdict, VERDICT_ESCALATE);
    check_error(b, approve(b, &b->ben, d.action), RC_DENIED, "who proposed an action can't approve it");
    struct principal judge = person(b, ROLE_APPROVER, "cat", "cat");
    check_error(b, approve(b, &judge, d.action), RC_DENIED,
                "an agent that approves must have another owner, model and prompt");
    assert_int_equal(approve(b, &b->ann, d.action), RC_OK);
    set_budget(b, PPM_ONE);
    assert_int_equal(commit(b, &b->ben, d.action, NONCE).release, RELEASE_GO);
}

static void nobody_else_is_a_person(void **state)
{
    struct bench *b = *state;
    struct decided d = {0};
    struct principal viewer = person(b, ROLE_VIEWER | ROLE_AUDITOR, "vic", "");
    check_error(b, propose_human(b, &viewer, "scale", "", &d), RC_DENIED,
                "only an operator proposes as a person, and only as itself");
    check_error(b, propose_human(b, &b->bot, "scale", "", &d), RC_DENIED,
                "only an operator proposes as a person, and only as itself");
    struct request q = {.claimed_tool = STR("scale"), .person = STR("ann")};
    check_error(b, control_propose(b->c, b->a, &b->ben, &q, NULL, &d, &b->e), RC_DENIED,
                "only an operator proposes as a person, and only as itself");
}

/* --- broken glass ------------------------------------------------------------------------------------------- */

static void broken_glass_is_recorded_and_not_enforced(void **state)
{
    struct bench *b = *state;
    load_policy(b, FROZEN);
    struct decided d = human(b, &b->admin, "scale", "the shop is down");
    assert_int_equal(d.decision.verdict, VERDICT_ALLOW);
    assert_int_equal(d.decision.findings[CHECK_FREEZE].verdict, VERDICT_HOLD);
    assert_true(d.decision.findings[CHECK_FREEZE].waived);
    assert_int_equal(world_incident_count(HERE(b)), 0);
    assert_int_equal(commit(b, &b->admin, d.action, NONCE).release, RELEASE_GO);
    restart(b);
    assert_int_equal(world_incident_count(HERE(b)), 1);
    const struct world_incident *review = world_incident_at(HERE(b), 0);
    assert_int_equal(review->review_by_ms, review->at_ms + DAY_MS);
    assert_string_equal(review->person, "eve");
    struct decision_record record;
    struct decision again;
    assert_int_equal(control_replay(b->c, b->a, d.seq, &record, &again, &b->e), RC_OK);
    assert_int_equal(again.verdict, VERDICT_ALLOW);
    assert_true(again.findings[CHECK_FREEZE].waived);
}

/* A command that is in no catalogue runs as well: nobody prepares for every emergency. */
static void what_no_tool_matches_runs(void **state)
{
    struct bench *b = *state;
    struct decided d = human(b, &b->admin, "nothing-like-it", "the shop is down");
    assert_int_equal(d.decision.verdict, VERDICT_ALLOW);
    assert_true(d.decision.findings[CHECK_CATALOGUE].waived);
    assert_int_equal(commit(b, &b->admin, d.action, NONCE).release, RELEASE_GO);
    restart(b);
    struct outcome o = {.succeeded = false};
    assert_int_equal(control_outcome(b->c, b->a, &b->admin, d.action, NONCE, &o, &b->e), RC_OK);
}

static void advice_does_not_hold_it_and_a_stop_does(void **state)
{
    struct bench *b = *state;
    load_policy(b, "{" CATALOGUE ",'mode':'advisory'}");
    assert_int_equal(human(b, &b->admin, "scale", "").decision.verdict, VERDICT_ADVISE);
    struct decided d = human(b, &b->admin, "scale", "the shop is down");
    assert_int_equal(d.decision.verdict, VERDICT_ALLOW);
    struct stop_order o = {.scope = STOP_ALL, .level = STOP_FULL, .reason = STR("all hands off")};
    uint64_t id;
    assert_int_equal(control_stop_set(b->c, b->a, &b->admin, &o, NULL, &id, &b->e), RC_OK);
    assert_int_equal(commit(b, &b->admin, d.action, NONCE).release, RELEASE_DENIED);
    d = human(b, &b->admin, "wipe", "the shop is down");
    assert_int_equal(d.decision.verdict, VERDICT_DENY);
    assert_int_equal(d.decision.blocking, CHECK_STOP);
}

static void who_may_break_it(void **state)
{
    struct bench *b = *state;
    struct decided d = {0};
    static const struct {
        unsigned role;
        enum rc want;
    } rows[] = {{ROLE_ADMIN, RC_OK}, {ROLE_RESPONDER, RC_OK}, {ROLE_OVERRIDE, RC_OK}, {ROLE_APPROVER, RC_DENIED}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct principal p = person(b, rows[i].role, "hal", "");
        assert_int_equal(propose_human(b, &p, "scale", "why", &d), rows[i].want);
    }
    struct request q = {.agent = STR("bot"), .claimed_tool = STR("scale"), .break_glass = STR("let me")};
    assert_int_equal(control_propose(b->c, b->a, &b->bot, &q, NULL, &d, &b->e), RC_DENIED);
    assert_string_equal(b->e.where, "/break_glass");
    char reason[CONTROL_REASON_MAX + 2];
    memset(reason, 'x', sizeof reason - 1);
    reason[sizeof reason - 1] = '\0';
    check_error(b, propose_human(b, &b->admin, "scale", reason, &d), RC_INVALID, "expected at most 1024 bytes");
    assert_int_equal(propose_human(b, &b->admin, "scale", reason + 1, &d), RC_OK);
}

static void somebody_else_looks_at_it(void **state)
{
    struct bench *b = *state;
    struct decided d = human(b, &b->admin, "scale", "the shop is down");
    assert_int_equal(commit(b, &b->admin, d.action, NONCE).release, RELEASE_GO);
    uint64_t id = world_incident_at(HERE(b), 0)->id;
    check_error(b, control_incident_close(b->c, b->a, &b->admin, id, &(struct incident_end){.reason = STR("all well")}, NULL, &b->e), RC_DENIED,
                "who broke the glass can't be the one who looks at it");
    struct principal again = person(b, ROLE_RESPONDER, "eve", "");
    assert_int_equal(control_incident_close(b->c, b->a, &again, id, &(struct incident_end){.reason = STR("all well")}, NULL, &b->e), RC_DENIED);
    struct principal other = person(b, ROLE_RESPONDER, "hal", "");
    assert_int_equal(control_incident_close(b->c, b->a, &other, id, &(struct incident_end){.reason = STR("it was needed")}, NULL, &b->e), RC_OK);
    assert_int_equal(world_incident_count(HERE(b)), 0);
}

/* The same person with a credential that may act, and may not break anything. */
static void another_credential_does_not_commit_it(void **state)
{
    struct bench *b = *state;
    struct principal hal = person(b, ROLE_RESPONDER, "hal", "");
    struct principal lesser = person(b, ROLE_APPROVER, "hal", "");
    struct decided d = human(b, &hal, "scale", "the shop is down");
    assert_int_equal(control_token_revoke(b->c, b->a, &b->admin, hal.token, STR("off call"), &b->e), RC_OK);
    struct committed c = commit(b, &lesser, d.action, NONCE);
    check_error(b, c.rc, RC_DENIED, "broken glass: expected a responder, an override or an admin");
    assert_int_equal(act(b, d.action)->state, ACTION_ALLOWED);
    assert_int_equal(world_incident_count(HERE(b)), 0);
    d = human(b, &lesser, "scale", "");
    assert_int_equal(commit(b, &lesser, d.action, NONCE).release, RELEASE_GO);
}

/* --- overrides ------------------------------------------------------------------------------------------------ */

static enum rc override(struct bench *b, const struct principal *p, uint64_t id, enum check check)
{
    struct override o = {.check = check,
                         .shown = {digest_of(b, id), act(b, id)->decided_seq, 0},
                         .reason = STR("the fair is over")};
    set_budget(b, PPM_ONE);
    enum rc rc = control_override(b->c, b->a, p, id, &o, NULL, &b->e);
    settle(b);
    return rc;
}

static struct decided ask_again(struct bench *b, uint64_t id)
{
    struct decided d = {0};
    set_budget(b, PPM_ONE);
    assert_int_equal(control_decide(b->c, b->a, &b->bot, id, &d, &b->e), RC_OK);
    settle(b);
    return d;
}

static void a_hold_is_overridden_for_one_action(void **state)
{
    struct bench *b = *state;
    load_policy(b, FROZEN);
    struct principal olga = person(b, ROLE_OVERRIDE, "olga", "");
    set_budget(b, PPM_ONE);
    struct decided d = propose(b, "scale", 1, "");
    assert_int_equal(d.decision.verdict, VERDICT_HOLD);
    assert_int_equal(override(b, &olga, d.action, CHECK_FREEZE), RC_OK);
    restart(b);
    assert_int_equal(act(b, d.action)->state, ACTION_HELD);
    struct decided again = ask_again(b, d.action);
    assert_int_equal(again.decision.verdict, VERDICT_ALLOW);
    assert_true(again.decision.findings[CHECK_FREEZE].waived);
    struct decision_record record;
    struct decision replayed;
    assert_int_equal(control_replay(b->c, b->a, again.seq, &record, &replayed, &b->e), RC_OK);
    assert_int_equal(replayed.verdict, VERDICT_ALLOW);
    assert_int_equal(commit(b, &b->bot, d.action, NONCE).release, RELEASE_GO);
    set_budget(b, PPM_ONE);
    assert_int_equal(propose(b, "scale", 2, "").decision.verdict, VERDICT_HOLD);
}

/* Each row takes the ground from under an override; the freeze holds again. */
enum ending { ENDS_BY_TIME, ENDS_BY_POLICY, ENDS_BY_REVOCATION, ENDS_BY_CLOCK };

static void end_override(struct bench *b, const struct principal *olga, enum ending how)
{
    switch (how) {
    case ENDS_BY_TIME:
        pass(b, 1);
        break;
    case ENDS_BY_POLICY:
        load_policy(b, SHORT("20s"));
        break;
    case ENDS_BY_REVOCATION:
        assert_int_equal(control_token_revoke(b->c, b->a, &b->admin, olga->token, STR("left"), &b->e), RC_OK);
        break;
    case ENDS_BY_CLOCK:
        b->wall_ms -= HOUR_MS; /* else it would stand for an hour more */
        tick(b);
        assert_int_equal(control_clock_accept(b->c, b->a, &b->admin, &b->e), RC_OK);
        break;
    }
    settle(b);
}

static void an_override_ends(void **state)
{
    struct bench *b = *state;
    static const enum ending rows[] = {ENDS_BY_POLICY, ENDS_BY_REVOCATION, ENDS_BY_TIME, ENDS_BY_CLOCK};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        load_policy(b, SHORT("10s"));
        struct principal olga = person(b, ROLE_OVERRIDE, "olga", "");
        set_budget(b, PPM_ONE);
        struct decided d = propose(b, "scale", (int64_t)i, "");
        assert_int_equal(override(b, &olga, d.action, CHECK_FREEZE), RC_OK);
        pass(b, 10 * SECOND_MS - 1);
        assert_int_equal(world_overrides(HERE(b), act(b, d.action), control_now(b->c)), UINT64_C(1) << CHECK_FREEZE);
        restart(b);
        assert_int_equal(world_overrides(HERE(b), act(b, d.action), control_now(b->c)), UINT64_C(1) << CHECK_FREEZE);
        end_override(b, &olga, rows[i]);
        assert_int_equal(world_overrides(HERE(b), act(b, d.action), control_now(b->c)), 0);
        struct decided again = ask_again(b, d.action);
        assert_int_equal(again.decision.verdict, VERDICT_HOLD);
        assert_false(again.decision.findings[CHECK_FREEZE].waived);
        struct principal nina = person(b, ROLE_OVERRIDE, "nina", "");
        assert_int_equal(override(b, &nina, d.action, CHECK_FREEZE), RC_OK);
        assert_int_equal(ask_again(b, d.action).decision.verdict, VERDICT_ALLOW);
    }
}

/* What was overridden when it was decided holds the commit once the override is over. */
static void an_override_ends_before_the_commit(void **state)
{
    struct bench *b = *state;
    load_policy(b, SHORT("10s"));
    struct principal olga = person(b, ROLE_OVERRIDE, "olga", "");
    set_budget(b, PPM_ONE);
    struct decided d = propose(b, "scale", 1, "");
    assert_int_equal(override(b, &olga, d.action, CHECK_FREEZE), RC_OK);
    assert_int_equal(ask_again(b, d.action).decision.verdict, VERDICT_ALLOW);
    pass(b, 10 * SECOND_MS);
    set_budget(b, PPM_ONE);
    assert_int_equal(commit(b, &b->bot, d.action, NONCE).release, RELEASE_HELD);
}

static void an_unknown_signal_is_overridden_and_a_known_one_is_not(void **state)
{
    struct bench *b = *state;
    struct principal olga = person(b, ROLE_OVERRIDE, "olga", "");
    *signals_budget(control_signals(b->c), world_service_find(HERE(b), STR("shop"))) =
        (struct budget_signal){SIGNAL_UNKNOWN, 0, control_now(b->c), "no answer"};
    struct decided d = propose(b, "scale", 1, "");
    assert_int_equal(d.decision.blocking, CHECK_ERROR_BUDGET);
    struct override o = {.check = CHECK_ERROR_BUDGET,
                         .shown = {digest_of(b, d.action), d.seq, 0},
                         .reason = STR("the exporter is down")};
    assert_int_equal(control_override(b->c, b->a, &olga, d.action, &o, NULL, &b->e), RC_OK);
    struct decided again = {0};
    assert_int_equal(control_decide(b->c, b->a, &b->bot, d.action, &again, &b->e), RC_OK);
    assert_int_equal(again.decision.verdict, VERDICT_ALLOW);
    /* known to be low is another finding: the override does not reach it */
    set_budget(b, 100000);
    struct committed c = commit(b, &b->bot, d.action, NONCE);
    assert_int_equal(c.release, RELEASE_ESCALATED);
}

static void what_can_not_be_overridden(void **state)
{
    struct bench *b = *state;
    load_policy(b, "{" CATALOGUE ",'checks':{'aqdd':{'max_depth':0}},'freezes':[{'name':'fair','services':['shop'],"
                   "'from':'2020-01-01T00:00:00Z','until':'2040-01-01T00:00:00Z'}]}");
    struct principal olga = person(b, ROLE_OVERRIDE, "olga", "");
    struct principal owner = person(b, ROLE_OVERRIDE, "ann", "");
    set_budget(b, PPM_ONE);
    assert_int_equal(propose(b, "look", 1, "please").decision.verdict, VERDICT_ESCALATE); /* one waits: aqdd holds */
    set_budget(b, PPM_ONE);
    struct decided d = propose(b, "scale", 1, "");
    assert_int_equal(d.decision.findings[CHECK_AQDD].verdict, VERDICT_HOLD);
    check_error(b, override(b, &olga, d.action, CHECK_AQDD), RC_DENIED,
                "aqdd can't be overridden: only freeze, upstream, rate and what is unknown can");
    check_error(b, override(b, &olga, d.action, CHECK_UPSTREAM), RC_CONFLICT, "upstream does not hold the action");
    check_error(b, override(b, &owner, d.action, CHECK_FREEZE), RC_DENIED,
                "ann owns the agent: someone else must approve");
    struct override o = {.check = CHECK_FREEZE, .shown = {digest_of(b, d.action), d.seq - 1, 0}, .reason = STR("x")};
    assert_int_equal(control_override(b->c, b->a, &olga, d.action, &o, NULL, &b->e), RC_CONFLICT);
    o.shown.decision = d.seq;
    o.reason = STR(" ");
    assert_int_equal(control_override(b->c, b->a, &olga, d.action, &o, NULL, &b->e), RC_INVALID);
    assert_string_equal(b->e.where, "/reason");
    set_budget(b, PPM_ONE);
    struct decided wiped = propose(b, "wipe", 1, ""); /* of what destroys the freeze denies */
    assert_int_equal(wiped.decision.verdict, VERDICT_DENY);
    check_error(b, override(b, &olga, wiped.action, CHECK_FREEZE), RC_CONFLICT,
                "the action is denied: nothing of it is overridden");
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, make, drop)
    const struct CMUnitTest tests[] = {
        T(what_bounds_agents_does_not_bind_people),
        T(the_state_of_the_service_binds_people_too),
        T(a_person_is_approved_by_another),
        T(nobody_else_is_a_person),
        T(broken_glass_is_recorded_and_not_enforced),
        T(what_no_tool_matches_runs),
        T(advice_does_not_hold_it_and_a_stop_does),
        T(who_may_break_it),
        T(somebody_else_looks_at_it),
        T(another_credential_does_not_commit_it),
        T(a_hold_is_overridden_for_one_action),
        T(an_override_ends),
        T(an_override_ends_before_the_commit),
        T(an_unknown_signal_is_overridden_and_a_known_one_is_not),
        T(what_can_not_be_overridden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
