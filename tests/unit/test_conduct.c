/* control: quorums, breakers, the trust ladder, grants, rates, memory - over real entries, with restarts between. */
#include "control_bench.h"

#define PEOPLE "'owner_approves':true,"

static struct principal member(struct bench *b, const char *name, const char *groups)
{
    char secret[96];
    uint64_t id;
    struct token_order order = {.roles = ROLE_APPROVER, .person = str_from(name), .groups = str_from(groups)};
    struct principal p;
    assert_int_equal(control_token_create(b->c, b->a, NULL, &order, secret, &id, &b->e), RC_OK);
    assert_int_equal(control_authenticate(b->c, str_from(secret), &p, &b->e), RC_OK);
    p.person = arena_str(b->a, p.person);
    return p;
}

static void want_state(struct bench *b, uint64_t id, enum action_state want)
{
    if (act(b, id)->state != want) {
        print_error("act_%llu is %s, want %s\n", (unsigned long long)id, action_state_name(act(b, id)->state),
                    action_state_name(want));
        fail();
    }
}

/* --- quorums ------------------------------------------------------------------------------------------ */

#define QUORUM(approvals) "{" CATALOGUE ",'quorum':[{'name':'q','tools':['scale'],'approvals':" approvals "}]}"

static void everyone_counts_once_over_all_groups(void **state)
{
    struct bench *b = *state;
    load_policy(b, QUORUM("[{'group':'sre','count':2},{'group':'security'}]"));
    struct principal dora = member(b, "dora", "sre,security");
    struct principal emil = member(b, "emil", "sre");
    struct principal finn = member(b, "finn", "sre");
    struct principal gina = member(b, "gina", "other");
    set_budget(b, PPM_ONE);
    struct decided d = propose(b, "scale", 1, "");
    assert_int_equal(d.decision.verdict, VERDICT_ESCALATE);
    assert_int_equal(d.decision.blocking, CHECK_QUORUM);
    assert_int_equal(approve(b, &dora, d.action), RC_OK);
    want_state(b, d.action, ACTION_ESCALATED);
    check_error(b, approve(b, &dora, d.action), RC_CONFLICT, "dora has approved it already");
    assert_int_equal(approve(b, &gina, d.action), RC_OK); /* of no group that is asked for */
    want_state(b, d.action, ACTION_ESCALATED);
    assert_int_equal(approve(b, &emil, d.action), RC_OK); /* dora can't be sre and security at once */
    want_state(b, d.action, ACTION_ESCALATED);
    restart(b);
    assert_int_equal(approve(b, &finn, d.action), RC_OK); /* now dora moves on to security */
    want_state(b, d.action, ACTION_APPROVED);
    assert_int_equal(commit(b, &b->bot, d.action, NONCE).release, RELEASE_GO);
}

static void every_rule_that_fits_is_asked(void **state)
{
    struct bench *b = *state;
    load_policy(b, "{" CATALOGUE ",'quorum':[{'name':'one','tools':['scale'],'approvals':[{'group':'sre'}]},"
                   "{'name':'two','services':['sh*'],'approvals':[{'group':'dba'}]}]}");
    struct principal dora = member(b, "dora", "sre");
    struct principal emil = member(b, "emil", "dba");
    set_budget(b, PPM_ONE);
    struct decided d = propose(b, "scale", 1, "");
    assert_int_equal(action_review(act(b, d.action))->quorum_count, 2);
    assert_int_equal(approve(b, &dora, d.action), RC_OK);
    want_state(b, d.action, ACTION_ESCALATED);
    assert_int_equal(approve(b, &emil, d.action), RC_OK);
    want_state(b, d.action, ACTION_APPROVED);
}

static void an_approver_who_left_does_not_count(void **state)
{
    struct bench *b = *state;
    load_policy(b, QUORUM("[{'group':'sre'}]"));
    struct principal dora = member(b, "dora", "sre");
    set_budget(b, PPM_ONE);
    struct decided d = propose(b, "scale", 1, "");
    assert_int_equal(approve(b, &dora, d.action), RC_OK);
    want_state(b, d.action, ACTION_APPROVED);
    assert_int_equal(control_token_revoke(b->c, b->a, &b->admin, dora.token, STR("left"), &b->e), RC_OK);
    assert_int_equal(commit(b, &b->bot, d.action, NONCE).release, RELEASE_ESCALATED);
    want_state(b, d.action, ACTION_ESCALATED);
    assert_int_equal(action_review(act(b, d.action))->approval_count, 0);
}

static void accept_clock(struct bench *b)
{
    b->wall_ms += 2 * CLOCK_JUMP_MS; /* nothing expires by it */
    tick(b);
    assert_int_equal(control_clock_accept(b->c, b->a, &b->admin, &b->e), RC_OK);
    settle(b);
}

/* Neither the first of two nor the last outlives it, and none is left when the process ends halfway. */
static void no_approval_survives_a_clock_that_was_set(void **state)
{
    struct bench *b = *state;
    load_policy(b, QUORUM("[{'group':'sre','count':2}]"));
    struct principal dora = member(b, "dora", "sre");
    struct principal emil = member(b, "emil", "sre");
    set_budget(b, PPM_ONE);
    struct decided half = propose(b, "scale", 1, "");
    struct decided whole = propose(b, "scale", 2, "");
    assert_int_equal(approve(b, &dora, half.action), RC_OK);
    assert_int_equal(approve(b, &dora, whole.action), RC_OK);
    assert_int_equal(approve(b, &emil, whole.action), RC_OK);
    want_state(b, whole.action, ACTION_APPROVED);
    accept_clock(b);
    want_state(b, whole.action, ACTION_CANCELLED);
    want_state(b, half.action, ACTION_ESCALATED);
    struct entry last;
    struct value body;
    assert_int_equal(control_read_entry(b->c, b->a, control_read_seq(b->c) - 1, &last, &body, &b->e), RC_OK);
    assert_int_equal(last.kind, ENTRY_CLOCK_ACCEPTED); /* nothing is left to be voided behind it */
    assert_int_equal(action_review(act(b, half.action))->approval_count, 0);
    restart(b);
    assert_int_equal(approve(b, &emil, half.action), RC_OK);
    want_state(b, half.action, ACTION_ESCALATED);
    assert_int_equal(approve(b, &dora, half.action), RC_OK); /* once more, by the clock of now */
    want_state(b, half.action, ACTION_APPROVED);
    assert_int_equal(commit(b, &b->bot, half.action, NONCE).release, RELEASE_GO);
}

static void what_destroys_needs_a_human(void **state)
{
    struct bench *b = *state;
    load_policy(b, "{'agents':[{'name':'bot','owner':'ann','model':'m1'},{'name':'cat','owner':'ben'},"
                   "{'name':'judge','owner':'zoe','model':'m2','prompt_version':'p'},{'name':'twin','owner':'zoe','model':'m1'}],"
                   "'services':[{'name':'shop'," SLO "}],'tools':[{'name':'scale','class':'write','services':['shop'],"
                   "'parameters':true},{'name':'wipe','class':'destructive','services':['shop'],'parameters':true}],"
                   "'quorum':[{'name':'q','human':false,'approvals':[{'count':1}]}]}");
    struct principal judge = person(b, ROLE_APPROVER, "judge", "judge");
    struct principal twin = person(b, ROLE_APPROVER, "twin", "twin");
    set_budget(b, PPM_ONE);
    struct decided d = propose(b, "scale", 1, "");
    check_error(b, approve(b, &twin, d.action), RC_DENIED,
                "an agent that approves must have another owner, model and prompt");
    assert_int_equal(approve(b, &judge, d.action), RC_OK);
    want_state(b, d.action, ACTION_APPROVED);
    d = propose(b, "wipe", 1, "");
    assert_int_equal(approve(b, &judge, d.action), RC_OK);
    want_state(b, d.action, ACTION_ESCALATED);
    assert_int_equal(approve(b, &b->ben, d.action), RC_OK);
    want_state(b, d.action, ACTION_APPROVED);
}

/* --- breakers ---------------------------------------------------------------------------------------------- */

static enum breaker_phase breaker(struct bench *b)
{
    return world_breaker(HERE(b), b->bot.agent, control_now(b->c));
}

static void denials_in_a_row_open_the_breaker(void **state)
{
    struct bench *b = *state;
    load_policy(b, "{" CATALOGUE ",'checks':{'breaker':{'max_denials':3,'open_for':'1m'}}}");
    set_budget(b, PPM_ONE);
    for (int64_t i = 0; i < 2; i++) {
        assert_int_equal(propose(b, "no-such-tool", i, "").decision.verdict, VERDICT_DENY);
    }
    assert_int_equal(propose(b, "scale", 1, "").decision.verdict, VERDICT_ALLOW); /* ends the row */
    for (int64_t i = 0; i < 2; i++) {
        (void)propose(b, "no-such-tool", 10 + i, "");
        assert_int_equal(breaker(b), BREAKER_CLOSED);
    }
    (void)propose(b, "no-such-tool", 12, "");
    assert_int_equal(breaker(b), BREAKER_OPEN);
    struct decided d = propose(b, "look", 1, "");
    assert_int_equal(d.decision.verdict, VERDICT_DENY);
    assert_int_equal(d.decision.blocking, CHECK_BREAKER);
    restart(b);
    pass(b, MINUTE_MS - 1);
    assert_int_equal(breaker(b), BREAKER_OPEN);
    pass(b, 1);
    assert_int_equal(breaker(b), BREAKER_HALF_OPEN);
    set_budget(b, PPM_ONE);
    d = propose(b, "scale", 2, "");
    assert_int_equal(d.decision.verdict, VERDICT_ALLOW);
    assert_int_equal(commit(b, &b->bot, d.action, NONCE).release, RELEASE_GO);
    assert_int_equal(propose(b, "scale", 3, "").decision.blocking, CHECK_BREAKER); /* one probe at a time */
    assert_int_equal(finish(b, d.action, NONCE), RC_OK);
    assert_int_equal(breaker(b), BREAKER_CLOSED);
    restart(b);
}

static void fail_once(struct bench *b, int64_t n)
{
    struct decided d = propose(b, "scale", n, "");
    assert_int_equal(commit(b, &b->bot, d.action, NONCE).release, RELEASE_GO);
    struct outcome o = {.succeeded = false};
    assert_int_equal(control_outcome(b->c, b->a, &b->bot, d.action, NONCE, &o, &b->e), RC_OK);
    settle(b);
}

static void failures_open_it_and_a_failed_probe_again(void **state)
{
    struct bench *b = *state;
    load_policy(b, "{" CATALOGUE ",'checks':{'breaker':{'max_failures':2,'open_for':'1m'}}}");
    set_budget(b, PPM_ONE);
    fail_once(b, 1);
    assert_int_equal(breaker(b), BREAKER_CLOSED);
    fail_once(b, 2);
    assert_int_equal(breaker(b), BREAKER_OPEN);
    pass(b, MINUTE_MS);
    set_budget(b, PPM_ONE);
    fail_once(b, 3);
    assert_int_equal(breaker(b), BREAKER_OPEN);
    const struct world_pattern *p = world_pattern(HERE(b), world_tool_find(HERE(b), STR("scale")),
                                                  world_service_find(HERE(b), STR("shop")));
    assert_non_null(p);
    assert_int_equal(p->n, 3);
    assert_int_equal(p->failed, 3);
    restart(b);
}

static void operators_open_and_close_it(void **state)
{
    struct bench *b = *state;
    check_error(b, control_breaker_set(b->c, b->a, &b->admin, STR("nobody"), true, STR("odd"), NULL, &b->e), RC_NOT_FOUND,
                "no agent is called \"nobody\"");
    check_error(b, control_breaker_set(b->c, b->a, &b->admin, STR("bot"), true, STR(" "), NULL, &b->e), RC_INVALID,
                "expected a reason of at most 1024 bytes");
    assert_int_equal(control_breaker_set(b->c, b->a, &b->admin, STR("bot"), true, STR("odd"), NULL, &b->e), RC_OK);
    pass(b, DAY_MS); /* by hand it stays open */
    assert_int_equal(breaker(b), BREAKER_OPEN);
    restart(b);
    assert_int_equal(breaker(b), BREAKER_OPEN);
    assert_int_equal(control_breaker_set(b->c, b->a, &b->admin, STR("bot"), false, STR("seen to"), NULL, &b->e), RC_OK);
    assert_int_equal(breaker(b), BREAKER_CLOSED);
}

static void too_many_calls_open_it(void **state)
{
    struct bench *b = *state;
    load_policy(b, "{" CATALOGUE ",'checks':{'breaker':{'max_calls':5,'window':'10s'}}}");
    for (int64_t i = 0; i < 5; i++) {
        (void)propose(b, "look", i, "");
    }
    pass(b, 10000);
    for (int64_t i = 0; i < 5; i++) {
        (void)propose(b, "look", i, "");
        assert_int_equal(breaker(b), BREAKER_CLOSED);
    }
    (void)propose(b, "look", 9, "");
    assert_int_equal(breaker(b), BREAKER_OPEN);
}

/* --- the ladder, grants, rates --------------------------------------------------------------------------------- */

static void set_tier(struct bench *b, const char *service, enum tier tier)
{
    struct tier_order o = {STR("bot"), str_from(service), tier, STR("evidence")};
    assert_int_equal(control_tier_change(b->c, b->a, &b->admin, &o, NULL, &b->e), RC_OK);
}

static void an_operator_moves_an_agent_on_the_ladder(void **state)
{
    struct bench *b = *state;
    assert_int_equal(propose(b, "wipe", 1, "").decision.blocking, CHECK_TIER); /* supervised by default */
    set_tier(b, "*", TIER_AUTONOMOUS);
    assert_int_equal(propose(b, "wipe", 2, "").decision.verdict, VERDICT_ALLOW);
    set_tier(b, "sh*", TIER_SHADOW);
    assert_int_equal(propose(b, "scale", 3, "").decision.verdict, VERDICT_ADVISE);
    restart(b);
    assert_int_equal(propose(b, "scale", 4, "").decision.verdict, VERDICT_ADVISE);
    set_tier(b, "*", TIER_READ_ONLY); /* the newest that fits */
    assert_int_equal(propose(b, "scale", 5, "").decision.verdict, VERDICT_DENY);
    assert_int_equal(propose(b, "look", 5, "").decision.verdict, VERDICT_ALLOW);
}

static void a_tier_that_fell_stops_the_commit(void **state)
{
    struct bench *b = *state;
    struct decided d = propose(b, "scale", 1, "");
    set_tier(b, "*", TIER_READ_ONLY);
    assert_int_equal(commit(b, &b->bot, d.action, NONCE).release, RELEASE_DENIED);
    want_state(b, d.action, ACTION_DENIED);
}

static enum rc issue(struct bench *b, struct grant_order o, uint64_t *id)
{
    enum rc rc = control_grant_issue(b->c, b->a, &b->admin, &o, NULL, id, &b->e);
    settle(b);
    return rc;
}

static void grants_are_scoped_and_end(void **state)
{
    struct bench *b = *state;
    load_policy(b, "{" CATALOGUE ",'checks':{'grant':{}}}");
    set_budget(b, PPM_ONE);
    assert_int_equal(propose(b, "scale", 1, "").decision.blocking, CHECK_GRANT);
    assert_int_equal(propose(b, "look", 1, "").decision.verdict, VERDICT_ALLOW);
    struct value where;
    assert_int_equal(json_parse(b->a, STR("{\"properties\":{\"n\":{\"maximum\":10}}}"), &where, NULL), RC_OK);
    struct grant_order o = {STR("bot"), STR("sc*"), STR("*"), &where, control_now(b->c) + MINUTE_MS, STR("tonight")};
    uint64_t id;
    assert_int_equal(issue(b, o, &id), RC_OK);
    assert_int_equal(propose(b, "scale", 11, "").decision.verdict, VERDICT_DENY); /* outside its bounds */
    struct decided d = propose(b, "scale", 10, "");
    assert_int_equal(d.decision.verdict, VERDICT_ALLOW);
    assert_int_equal(d.facts.grant, id);
    restart(b);
    set_budget(b, PPM_ONE);
    pass(b, MINUTE_MS);
    set_budget(b, PPM_ONE);
    assert_int_equal(commit(b, &b->bot, d.action, NONCE).release, RELEASE_DENIED);
}

static void no_grant_survives_a_clock_that_was_set(void **state)
{
    struct bench *b = *state;
    load_policy(b, "{" CATALOGUE ",'checks':{'grant':{}}}");
    struct grant_order o = {STR("bot"), STR("scale"), STR("*"), NULL, control_now(b->c) + DAY_MS, STR("tonight")};
    uint64_t id;
    assert_int_equal(issue(b, o, &id), RC_OK);
    set_budget(b, PPM_ONE);
    struct decided d = propose(b, "scale", 1, "");
    assert_int_equal(d.decision.verdict, VERDICT_ALLOW);
    accept_clock(b);
    restart(b);
    assert_true(world_grant_at(HERE(b), 0)->revoked);
    assert_int_equal(commit(b, &b->bot, d.action, NONCE).release, RELEASE_DENIED);
    o.expires_ms = control_now(b->c) + DAY_MS;
    assert_int_equal(issue(b, o, &id), RC_OK);
    set_budget(b, PPM_ONE);
    assert_int_equal(propose(b, "scale", 2, "").facts.grant, id);
}

static void revoking_a_grant_cancels_what_runs(void **state)
{
    struct bench *b = *state;
    load_policy(b, "{" CATALOGUE ",'checks':{'grant':{}}}");
    set_budget(b, PPM_ONE);
    struct grant_order o = {STR("bot"), STR("*"), STR("*"), NULL, control_now(b->c) + HOUR_MS, STR("tonight")};
    uint64_t id;
    bool cancel = true;
    assert_int_equal(issue(b, o, &id), RC_OK);
    struct decided d = propose(b, "scale", 1, "");
    assert_int_equal(commit(b, &b->bot, d.action, NONCE).release, RELEASE_GO);
    assert_int_equal(control_heartbeat(b->c, b->a, &b->bot, d.action, NONCE, &cancel, &b->e), RC_OK);
    assert_false(cancel);
    assert_int_equal(control_grant_revoke(b->c, b->a, &b->admin, id, STR("enough"), NULL, &b->e), RC_OK);
    assert_int_equal(propose(b, "scale", 2, "").decision.blocking, CHECK_GRANT);
    restart(b);
    assert_int_equal(control_heartbeat(b->c, b->a, &b->bot, d.action, NONCE, &cancel, &b->e), RC_OK);
    assert_true(cancel);
    check_error(b, control_grant_revoke(b->c, b->a, &b->admin, id, STR("enough"), NULL, &b->e), RC_NOT_FOUND,
                "no such grant is in force");
}

static void bad_grants_are_refused(void **state)
{
    struct bench *b = *state;
    struct value bad;
    assert_int_equal(json_parse(b->a, STR("{\"type\":\"odd\"}"), &bad, NULL), RC_OK);
    int64_t later = control_now(b->c) + HOUR_MS;
    uint64_t id;
    const struct {
        struct grant_order order;
        enum rc want;
        const char *where;
    } rows[] = {
        {{STR(""), STR("*"), STR("*"), NULL, later, STR("r")}, RC_INVALID, "/agent"},
        {{STR("*"), STR(""), STR("*"), NULL, later, STR("r")}, RC_INVALID, "/tool"},
        {{STR("*"), STR("*"), STR(""), NULL, later, STR("r")}, RC_INVALID, "/target"},
        {{STR("*"), STR("*"), STR("*"), NULL, control_now(b->c), STR("r")}, RC_INVALID, "/expires_in"},
        {{STR("*"), STR("*"), STR("*"), NULL, control_now(b->c) + GRANT_LIFE_MAX_MS + 1, STR("r")}, RC_INVALID, "/expires_in"},
        {{STR("*"), STR("*"), STR("*"), NULL, later, STR("")}, RC_INVALID, "/reason"},
        {{STR("*"), STR("*"), STR("*"), &bad, later, STR("r")}, RC_INVALID, "/where/type"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(issue(b, rows[i].order, &id), rows[i].want);
        assert_string_equal(b->e.where, rows[i].where);
    }
    struct grant_order good = {STR("*"), STR("*"), STR("*"), NULL, later, STR("r")};
    for (unsigned i = 0; i < GRANTS_MAX; i++) {
        assert_int_equal(control_grant_issue(b->c, b->a, &b->admin, &good, NULL, &id, &b->e), RC_OK);
    }
    check_error(b, issue(b, good, &id), RC_LIMIT, "1000 grants are in force: the limit");
    pass(b, HOUR_MS); /* those that ended make room */
    good.expires_ms = control_now(b->c) + HOUR_MS;
    (void)propose(b, "look", 1, "");
    assert_int_equal(world_grant_count(HERE(b)), 0);
    assert_int_equal(issue(b, good, &id), RC_OK);
}

static void rates_are_exact(void **state)
{
    struct bench *b = *state;
    load_policy(b, "{" CATALOGUE ",'checks':{'rate':{'window':'1m','per_agent':3}}}");
    uint64_t waiting[4];
    set_budget(b, PPM_ONE);
    for (int64_t i = 0; i < 4; i++) { /* all are allowed: nothing has run yet */
        waiting[i] = propose(b, "scale", i, "").action;
        want_state(b, waiting[i], ACTION_ALLOWED);
    }
    for (int i = 0; i < 3; i++) {
        pass(b, 1000);
        assert_int_equal(commit(b, &b->bot, waiting[i], NONCE).release, RELEASE_GO);
    }
    struct committed fourth = commit(b, &b->bot, waiting[3], NONCE);
    assert_int_equal(fourth.release, RELEASE_HELD);
    assert_int_equal(fourth.decided.decision.retry_after_ms, 58000); /* when the oldest of three leaves */
    restart(b);
    pass(b, 58000);
    set_budget(b, PPM_ONE);
    struct decided again;
    assert_int_equal(control_decide(b->c, b->a, &b->bot, waiting[3], &again, &b->e), RC_OK);
    assert_int_equal(again.decision.verdict, VERDICT_ALLOW);
}

static void one_at_a_time_on_a_service(void **state)
{
    struct bench *b = *state;
    load_policy(b, "{" CATALOGUE ",'checks':{'rate':{'concurrent':1}}}");
    set_budget(b, PPM_ONE);
    struct decided first = propose(b, "scale", 1, "");
    struct decided second = {0};
    assert_int_equal(propose_as(b, &b->cat, "scale", 2, "", &second), RC_OK);
    settle(b);
    assert_int_equal(commit(b, &b->bot, first.action, NONCE).release, RELEASE_GO);
    assert_int_equal(commit(b, &b->cat, second.action, NONCE).release, RELEASE_HELD);
    restart(b);
    set_budget(b, PPM_ONE);
    assert_int_equal(finish(b, first.action, NONCE), RC_OK);
    struct decided again;
    assert_int_equal(control_decide(b->c, b->a, &b->cat, second.action, &again, &b->e), RC_OK);
    assert_int_equal(again.decision.verdict, VERDICT_ALLOW);
}

static void failures_are_remembered(void **state)
{
    struct bench *b = *state;
    load_policy(b, "{" CATALOGUE ",'checks':{'memory':{'min_failures':2},'breaker':{'mode':'off'}}}");
    set_budget(b, PPM_ONE);
    fail_once(b, 1);
    assert_int_equal(propose(b, "scale", 50, "").decision.verdict, VERDICT_ALLOW);
    fail_once(b, 2);
    restart(b);
    struct decided d = propose(b, "scale", 51, "");
    assert_int_equal(d.decision.verdict, VERDICT_ESCALATE);
    assert_int_equal(d.decision.blocking, CHECK_MEMORY);
    struct decision_record record;
    struct decision replayed;
    assert_int_equal(control_replay(b->c, b->a, d.seq, &record, &replayed, &b->e), RC_OK);
    assert_int_equal(replayed.verdict, VERDICT_ESCALATE);
    assert_int_equal(replayed.blocking, CHECK_MEMORY);
}

/* --- stops of other kinds --------------------------------------------------------------------------------------- */

static uint64_t stop(struct bench *b, enum stop_scope scope, const char *name, enum stop_level level)
{
    struct stop_order o = {.scope = scope, .name = str_from(name), .level = level, .reason = STR("drill")};
    uint64_t id = 0;
    assert_int_equal(control_stop_set(b->c, b->a, &b->admin, &o, NULL, &id, &b->e), RC_OK);
    return id;
}

static void resume(struct bench *b, uint64_t id)
{
    assert_int_equal(control_stop_lift(b->c, b->a, &b->admin, id, STR("over"), NULL, &b->e), RC_OK);
}

static void a_dry_run_runs_nothing(void **state)
{
    struct bench *b = *state;
    struct decided before = propose(b, "scale", 1, "");
    uint64_t id = stop(b, STOP_AGENT, "bot", STOP_DRY_RUN);
    assert_int_equal(propose(b, "scale", 2, "").decision.verdict, VERDICT_ADVISE);
    assert_int_equal(propose(b, "look", 2, "").decision.verdict, VERDICT_ALLOW);
    restart(b);
    assert_int_equal(commit(b, &b->bot, before.action, NONCE).release, RELEASE_ADVISED);
    want_state(b, before.action, ACTION_ADVISED);
    resume(b, id);
    assert_int_equal(propose(b, "scale", 3, "").decision.verdict, VERDICT_ALLOW);
}

static void a_stop_waits_for_what_it_found_running(void **state)
{
    struct bench *b = *state;
    struct decided first = propose(b, "scale", 1, "");
    struct decided second = propose(b, "scale", 2, "");
    assert_int_equal(commit(b, &b->bot, first.action, NONCE).release, RELEASE_GO);
    assert_int_equal(commit(b, &b->bot, second.action, NONCE).release, RELEASE_GO);
    (void)stop(b, STOP_AGENT, "cat", STOP_FULL); /* finds nothing */
    uint64_t id = stop(b, STOP_AGENT, "bot", STOP_FULL);
    const struct world_stop *s = world_stop_at(HERE(b), 1);
    assert_int_equal(s->running, 2);
    bool cancel = false;
    assert_int_equal(control_heartbeat(b->c, b->a, &b->bot, first.action, NONCE, &cancel, &b->e), RC_OK);
    assert_true(cancel);
    pass(b, 700);
    assert_int_equal(finish(b, first.action, NONCE), RC_OK);
    assert_false(world_stop_at(HERE(b), 1)->reported);
    restart(b);
    pass(b, 3 * MINUTE_MS); /* nobody says anything about the second */
    tick(b);
    s = world_stop_at(HERE(b), 1);
    assert_true(s->id == id && s->running == 0 && s->confirmed == 1 && s->unconfirmed == 1 && s->reported);
    want_state(b, second.action, ACTION_UNKNOWN);
    uint64_t entries = control_read_seq(b->c);
    tick(b);
    assert_int_equal(control_read_seq(b->c), entries); /* said once */
    bool said = false;
    for (uint64_t seq = 0; seq < entries; seq++) {
        struct entry entry;
        struct value body;
        assert_int_equal(control_read_entry(b->c, b->a, seq, &entry, &body, &b->e), RC_OK);
        said = said || (entry.kind == ENTRY_STOP_CONFIRMED &&
                        value_integer_or(value_get(&body, STR("after_ms")), 0) >= 3 * MINUTE_MS);
    }
    assert_true(said);
}

static void a_stop_reaches_those_who_act_for_it(void **state)
{
    struct bench *b = *state;
    const struct value cat = value_string(STR("cat"));
    struct value act = value_array();
    value_push(b->a, &act, cat);
    struct value given = value_object();
    value_add_int(b->a, &given, STR("n"), 1);
    struct request q = {.agent = b->bot.person, .claimed_tool = STR("scale"), .given = &given, .act = &act};
    struct decided d = {0};
    assert_int_equal(control_propose(b->c, b->a, &b->bot, &q, NULL, &d, &b->e), RC_OK);
    settle(b);
    assert_int_equal(commit(b, &b->bot, d.action, NONCE).release, RELEASE_GO);
    bool cancel = true;
    assert_int_equal(control_heartbeat(b->c, b->a, &b->bot, d.action, NONCE, &cancel, &b->e), RC_OK);
    assert_false(cancel);
    (void)stop(b, STOP_AGENT, "cat", STOP_FULL);
    assert_int_equal(world_stop_at(HERE(b), 0)->running, 1);
    assert_int_equal(control_heartbeat(b->c, b->a, &b->bot, d.action, NONCE, &cancel, &b->e), RC_OK);
    assert_true(cancel);
}

static void an_approval_does_not_overcome_a_dry_run(void **state)
{
    struct bench *b = *state;
    struct decided d = propose(b, "scale", 1, "not sure");
    assert_int_equal(approve(b, &b->ben, d.action), RC_OK);
    (void)stop(b, STOP_SERVICE, "shop", STOP_DRY_RUN);
    assert_int_equal(commit(b, &b->bot, d.action, NONCE).release, RELEASE_ADVISED);
}

static void agents_are_stopped_by_model_and_label(void **state)
{
    struct bench *b = *state;
    load_policy(b, "{'agents':[{'name':'bot','owner':'ann','model':'m1','team':'pay','prompt_version':'p1','roles':['fixer']},"
                   "{'name':'cat','owner':'ben','model':'m2'}],'services':[{'name':'shop'," SLO "}],"
                   "'tools':[{'name':'look','class':'read','services':['shop'],'parameters':true}]}");
    static const struct {
        enum stop_scope scope;
        const char *name;
    } rows[] = {{STOP_MODEL, "m1"},      {STOP_LABEL, "owner=ann"}, {STOP_LABEL, "team=pay"},
                {STOP_LABEL, "role=fixer"}, {STOP_LABEL, "prompt=p1"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t id = stop(b, rows[i].scope, rows[i].name, STOP_FULL);
        struct decided of_cat = {0};
        assert_int_equal(propose(b, "look", (int64_t)i, "").decision.blocking, CHECK_STOP);
        assert_int_equal(propose_as(b, &b->cat, "look", 100 + (int64_t)i, "", &of_cat), RC_OK);
        assert_int_equal(of_cat.decision.verdict, VERDICT_ALLOW);
        restart(b);
        assert_int_equal(propose(b, "look", 200 + (int64_t)i, "").decision.blocking, CHECK_STOP);
        resume(b, id);
    }
    static const char *const nobody[] = {"owner=zoe", "owner=", "owner", "shoe=9", ""};
    for (size_t i = 0; i < sizeof nobody / sizeof *nobody; i++) {
        struct stop_order o = {.scope = STOP_LABEL, .name = str_from(nobody[i])};
        uint64_t id;
        assert_int_equal(control_stop_set(b->c, b->a, &b->admin, &o, NULL, &id, &b->e), RC_NOT_FOUND);
        assert_string_equal(b->e.where, "/name");
    }
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, make, drop)
    const struct CMUnitTest tests[] = {
        T(everyone_counts_once_over_all_groups),
        T(every_rule_that_fits_is_asked),
        T(an_approver_who_left_does_not_count),
        T(no_approval_survives_a_clock_that_was_set),
        T(what_destroys_needs_a_human),
        T(denials_in_a_row_open_the_breaker),
        T(failures_open_it_and_a_failed_probe_again),
        T(operators_open_and_close_it),
        T(too_many_calls_open_it),
        T(an_operator_moves_an_agent_on_the_ladder),
        T(a_tier_that_fell_stops_the_commit),
        T(grants_are_scoped_and_end),
        T(no_grant_survives_a_clock_that_was_set),
        T(revoking_a_grant_cancels_what_runs),
        T(bad_grants_are_refused),
        T(rates_are_exact),
        T(one_at_a_time_on_a_service),
        T(failures_are_remembered),
        T(a_dry_run_runs_nothing),
        T(a_stop_waits_for_what_it_found_running),
        T(a_stop_reaches_those_who_act_for_it),
        T(an_approval_does_not_overcome_a_dry_run),
        T(agents_are_stopped_by_model_and_label),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
