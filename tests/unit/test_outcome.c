/* control: outcome checks, reverts, incidents. */
#include "control_bench.h"

#define WATCHED(more)                                                                                          \
    "{'agents':[{'name':'bot','owner':'ann'},{'name':'cat','owner':'ben'}],"                                   \
    "'services':[{'name':'shop'," SLO "},{'name':'web','depends_on':['shop']}],"                               \
    "'tools':[{'name':'scale','class':'write','services':['shop'],'parameters':true,"                          \
    "'observe':{'for':'1m','max_drop_pct':2}" more "},"                                                        \
    "{'name':'look','class':'read','services':['shop'],'parameters':true}]}"
#define BACK ",'revert':{'argv':['/sbin/scale','--to','{n}'],'timeout':'10s'}"

static void want_state(struct bench *b, uint64_t id, enum action_state want)
{
    if (act(b, id)->state != want) {
        print_error("act_%llu is %s, want %s\n", (unsigned long long)id, action_state_name(act(b, id)->state),
                    action_state_name(want));
        fail();
    }
}

/* An execution that says it went well. */
static uint64_t succeed(struct bench *b, int64_t n)
{
    struct decided d = propose(b, "scale", n, "");
    assert_int_equal(commit(b, &b->bot, d.action, NONCE).release, RELEASE_GO);
    assert_int_equal(finish(b, d.action, NONCE), RC_OK);
    return d.action;
}

/* Ticks until nothing is left to be written. */
static void ticks(struct bench *b)
{
    for (int i = 0; i < 3; i++) {
        tick(b);
    }
}

static void revert_ended(struct bench *b, uint64_t id, bool good, struct str detail)
{
    struct command command = {.kind = COMMAND_REVERT, .action = id};
    control_command_ended(b->c, &command, good, detail);
}

static void invariant_ended(struct bench *b, uint64_t id, uint32_t index, bool good)
{
    struct command command = {.kind = COMMAND_INVARIANT, .action = id, .index = index};
    control_command_ended(b->c, &command, good, good ? STR("exit status 0") : STR("exit status 7"));
}

static void begin(struct bench *b, const char *policy)
{
    load_policy(b, policy);
    set_budget(b, 900000);
}

static void what_stays_well_is_verified(void **state)
{
    struct bench *b = *state;
    begin(b, WATCHED(BACK));
    uint64_t id = succeed(b, 3);
    want_state(b, id, ACTION_OBSERVING);
    pass(b, MINUTE_MS - 1);
    set_budget(b, 880000); /* exactly as far as it may fall */
    ticks(b);
    want_state(b, id, ACTION_OBSERVING);
    restart(b);
    set_budget(b, 880000);
    pass(b, 1);
    ticks(b);
    want_state(b, id, ACTION_VERIFIED);
    assert_int_equal(b->reverts, 0);
    assert_int_equal(world_agent_at(HERE(b), b->bot.agent)->changes_good, 1);
}

static void what_harms_is_taken_back_once(void **state)
{
    struct bench *b = *state;
    begin(b, WATCHED(BACK));
    uint64_t id = succeed(b, 3);
    set_budget(b, 879999);
    tick(b);
    want_state(b, id, ACTION_REVERT_WAITING);
    assert_int_equal(world_incident_count(HERE(b)), 1);
    assert_int_equal(world_incident_at(HERE(b), 0)->action, id);
    ticks(b);
    want_state(b, id, ACTION_REVERTING);
    assert_int_equal(b->reverts, 1);
    assert_string_equal(b->reverted, "/sbin/scale --to 3");
    ticks(b);
    assert_int_equal(b->reverts, 1);
    revert_ended(b, id, true, STR("exit status 0"));
    settle(b);
    want_state(b, id, ACTION_REVERTED);
    restart(b);
    const struct world_agent *bot = world_agent_at(HERE(b), b->bot.agent);
    assert_int_equal(bot->changes, 1);
    assert_int_equal(bot->changes_good, 0);
    const struct world_pattern *p = world_pattern(HERE(b), act(b, id)->tool, action_services(act(b, id))[0]);
    assert_true(p != NULL && p->n == 1 && p->failed == 1);
    uint64_t incident = world_incident_at(HERE(b), 0)->id;
    check_error(b, control_incident_close(b->c, b->a, &b->admin, incident + 1, &(struct incident_end){.reason = STR("fine")}, NULL, &b->e), RC_NOT_FOUND,
                "no such incident is open");
    assert_int_equal(control_incident_close(b->c, b->a, &b->admin, incident, &(struct incident_end){.reason = STR("fine")}, NULL, &b->e), RC_OK);
    assert_int_equal(world_incident_count(HERE(b)), 0);
}

static struct value last_of(struct bench *b, enum entry_kind kind)
{
    struct value body = value_null();
    for (uint64_t seq = 0; seq < control_read_seq(b->c); seq++) {
        struct entry entry;
        struct value v;
        assert_int_equal(control_read_entry(b->c, b->a, seq, &entry, &v, &b->e), RC_OK);
        body = entry.kind == kind ? v : body;
    }
    assert_int_equal(body.type, VALUE_OBJECT);
    return body;
}

static struct value member(const struct value *v, const char *name)
{
    const struct value *found = value_get(v, str_from(name));
    assert_non_null(found);
    return *found;
}

static int64_t impact_number(const struct value *entry, const char *name)
{
    struct value impact = member(entry, "impact");
    return value_integer_or(value_get(&impact, str_from(name)), -1);
}

/* What was predicted, what came, and what nobody foretold, added up for the agent and the tool. */
static void predictions_are_held_against_what_came(void **state)
{
    struct bench *b = *state;
    begin(b, "{'agents':[{'name':'bot','owner':'ann'},{'name':'cat','owner':'ben'}],"
             "'services':[{'name':'shop','traffic_pct':20," SLO "},{'name':'web','traffic_pct':30,'depends_on':['shop']," SLO "},"
             "{'name':'lone','traffic_pct':5," SLO "}],"
             "'tools':[{'name':'scale','class':'write','services':['shop'],'parameters':true,"
             "'observe':{'for':'1m','max_drop_pct':2}}]}");
    set_budget_of(b, "web", 900000);
    set_budget_of(b, "lone", 900000);
    uint64_t id = succeed(b, 3);
    set_budget(b, 500000);
    set_budget_of(b, "lone", 100000);
    ticks(b);
    want_state(b, id, ACTION_VIOLATED);
    struct value said = last_of(b, ENTRY_ACTION_VIOLATED);
    assert_int_equal(impact_number(&said, "predicted"), 2);
    assert_int_equal(impact_number(&said, "predicted_ppm"), 500000);
    assert_int_equal(impact_number(&said, "hurt_count"), 1);
    assert_int_equal(impact_number(&said, "missed_count"), 1);
    assert_int_equal(impact_number(&said, "actual_ppm"), 250000);
    assert_int_equal(impact_number(&said, "risk_ppm"), 500000);
    restart(b);
    const struct calibration *c = &world_agent_at(HERE(b), b->bot.agent)->calibration;
    assert_int_equal(c->n, 1);
    assert_int_equal(c->bad, 1);
    assert_int_equal(c->harmed, 2);
    assert_int_equal(c->foretold, 1);
    assert_int_equal(c->spared, 1);
    assert_int_equal(c->over_ppm, 250000);
    assert_int_equal(c->under_ppm, 0);
    assert_int_equal(c->brier_ppm, 250000);
    const struct calibration *t = &world_tool_at(HERE(b), act(b, id)->tool)->calibration;
    assert_memory_equal(t, c, sizeof *c);
}

static uint64_t incident(struct bench *b, const char *shape, enum rc want)
{
    const struct incident_report r = {STR("shop"), STR("latency"), str_from(shape), STR("slow"), b->wall_ms};
    uint64_t id = 0;
    assert_int_equal(control_incident_open(b->c, b->a, &b->admin, &r, NULL, &id, &b->e), want);
    return id;
}

/* What closed incidents of a shape taught stands in the record of a decision while one of it is open. */
static void what_was_learnt_is_recalled_by_shape(void **state)
{
    struct bench *b = *state;
    static const char *const shape = "service -calls-> service | latency";
    begin(b, WATCHED(BACK));
    for (int i = 0; i < 3; i++) {
        uint64_t id = incident(b, shape, RC_OK);
        uint64_t action = succeed(b, i);
        const struct incident_end end = {.reason = STR("better"),
                                         .shape = str_from(shape),
                                         .tried = &action,
                                         .tried_count = 1,
                                         .resolved_by = i < 2 ? action : 0};
        assert_int_equal(control_incident_close(b->c, b->a, &b->admin, id, &end, NULL, &b->e), RC_OK);
        pass(b, MINUTE_MS);
        ticks(b);
    }
    (void)incident(b, "config -configures-> service | latency", RC_OK);
    struct decided d = propose(b, "scale", 9, "");
    assert_int_equal(d.facts.recall_seen, 0);
    (void)incident(b, shape, RC_OK);
    restart(b);
    set_budget(b, 900000);
    d = propose(b, "scale", 10, "");
    assert_int_equal(d.facts.recall_seen, 3);
    assert_int_equal(d.facts.recall_tried, 3);
    assert_int_equal(d.facts.recall_resolved, 2);
    assert_str(d.facts.recall_shape, shape);
    struct recall r = world_recall(HERE(b), str_from(shape), MAP_NONE);
    assert_int_equal(r.seen, 3);
    assert_int_equal(r.tried, 0);
    /* Beyond what the policy keeps nothing is remembered. */
    pass(b, 551LL * DAY_MS);
    tick(b);
    (void)incident(b, shape, RC_OK);
    assert_int_equal(world_recall(HERE(b), str_from(shape), MAP_NONE).seen, 0);
}

/* A flood of reports leaves room for what Pawl finds itself. */
static void reported_incidents_have_their_limit(void **state)
{
    struct bench *b = *state;
    begin(b, WATCHED(BACK));
    for (int i = 0; i < INCIDENTS_REPORTED_MAX; i++) {
        (void)incident(b, "", RC_OK);
    }
    (void)incident(b, "", RC_LIMIT);
    (void)succeed(b, 3);
    set_budget(b, 500000);
    ticks(b);
    assert_int_equal(world_incident_count(HERE(b)), INCIDENTS_REPORTED_MAX + 1);
}

static void a_quarantined_agent_writes_no_memory(void **state)
{
    struct bench *b = *state;
    begin(b, WATCHED(BACK));
    const struct incident_report r = {STR("shop"), STR("any"), STR("service | any"), STR("?"), b->wall_ms};
    uint64_t id;
    assert_int_equal(control_incident_open(b->c, b->a, &b->bot, &r, NULL, &id, &b->e), RC_OK);
    assert_int_equal(control_breaker_set(b->c, b->a, &b->admin, STR("bot"), true, STR("odd"), NULL, &b->e), RC_OK);
    check_error(b, control_incident_open(b->c, b->a, &b->bot, &r, NULL, &id, &b->e), RC_DENIED,
                "a quarantined agent writes no memory");
    const struct incident_report late = {STR("shop"), STR("any"), STR(""), STR("?"), b->wall_ms + HOUR_MS};
    assert_int_equal(control_incident_open(b->c, b->a, &b->admin, &late, NULL, &id, &b->e), RC_INVALID);
    const struct incident_report nobody = {STR("nobody"), STR("any"), STR(""), STR("?"), b->wall_ms};
    assert_int_equal(control_incident_open(b->c, b->a, &b->admin, &nobody, NULL, &id, &b->e), RC_NOT_FOUND);
}

static void a_restart_does_not_revert_twice(void **state)
{
    struct bench *b = *state;
    begin(b, WATCHED(BACK));
    uint64_t id = succeed(b, 3);
    set_budget(b, 500000);
    ticks(b);
    want_state(b, id, ACTION_REVERTING);
    restart(b); /* whatever became of the command */
    ticks(b);
    assert_int_equal(b->reverts, 1);
    pass(b, 10000);
    ticks(b);
    want_state(b, id, ACTION_REVERT_FAILED);
    assert_int_equal(b->reverts, 1);
    revert_ended(b, id, true, STR("late")); /* too late to be believed */
    want_state(b, id, ACTION_REVERT_FAILED);
}

static void what_waits_for_a_revert_survives_a_restart(void **state)
{
    struct bench *b = *state;
    begin(b, WATCHED(BACK));
    uint64_t id = succeed(b, 3);
    struct stop_order o = {.scope = STOP_SERVICE, .name = STR("shop"), .reason = STR("drill")};
    uint64_t stop;
    assert_int_equal(control_stop_set(b->c, b->a, &b->admin, &o, NULL, &stop, &b->e), RC_OK);
    set_budget(b, 500000);
    ticks(b);
    want_state(b, id, ACTION_REVERT_WAITING); /* it waits for the stop */
    restart(b);
    ticks(b);
    want_state(b, id, ACTION_REVERT_WAITING);
    check_error(b, control_revert(b->c, b->a, &b->admin, id, STR("now"), false, &b->e), RC_CONFLICT,
                "a stop covers it: say under_stop to revert it all the same");
    assert_int_equal(control_stop_lift(b->c, b->a, &b->admin, stop, STR("over"), NULL, &b->e), RC_OK);
    ticks(b);
    want_state(b, id, ACTION_REVERTING);
    assert_int_equal(b->reverts, 1);
}

static void an_operator_reverts_under_a_stop_and_by_hand(void **state)
{
    struct bench *b = *state;
    begin(b, WATCHED(BACK));
    uint64_t id = succeed(b, 3);
    check_error(b, control_revert(b->c, b->a, &b->admin, id, STR("now"), false, &b->e), RC_CONFLICT,
                "the action is observing: only one that ran is reverted");
    pass(b, MINUTE_MS);
    set_budget(b, 900000);
    ticks(b);
    want_state(b, id, ACTION_VERIFIED);
    struct stop_order o = {.scope = STOP_ALL, .reason = STR("drill")};
    uint64_t stop;
    assert_int_equal(control_stop_set(b->c, b->a, &b->admin, &o, NULL, &stop, &b->e), RC_OK);
    check_error(b, control_revert(b->c, b->a, &b->admin, id, STR(" "), true, &b->e), RC_INVALID,
                "expected a reason of at most 1024 bytes");
    assert_int_equal(control_revert(b->c, b->a, &b->admin, id, STR("by hand"), true, &b->e), RC_OK);
    settle(b);
    want_state(b, id, ACTION_REVERTING);
    assert_int_equal(b->reverts, 1);
    restart(b);
    revert_ended(b, id, false, STR("exit status 1"));
    settle(b);
    want_state(b, id, ACTION_REVERT_FAILED);
    check_error(b, control_revert(b->c, b->a, &b->admin, id, STR("again"), true, &b->e), RC_CONFLICT,
                "the action is revert_failed: only one that ran is reverted");
    pass(b, CLOSED_KEEP_MS);
    (void)propose(b, "look", 1, ""); /* it leaves memory like any other */
    assert_null(world_action(HERE(b), id));
    restart(b);
}

static void a_later_change_is_not_undone_with_it(void **state)
{
    struct bench *b = *state;
    begin(b, WATCHED(BACK));
    uint64_t first = succeed(b, 3);
    uint64_t second = succeed(b, 4);
    set_budget(b, 500000);
    ticks(b);
    ticks(b);
    want_state(b, first, ACTION_REVERT_FAILED);
    want_state(b, second, ACTION_REVERTING);
    assert_string_equal(b->reverted, "/sbin/scale --to 4");
}

static void without_a_way_back_it_says_so(void **state)
{
    struct bench *b = *state;
    begin(b, WATCHED(""));
    uint64_t id = succeed(b, 3);
    set_budget(b, 500000);
    ticks(b);
    want_state(b, id, ACTION_VIOLATED);
    check_error(b, control_revert(b->c, b->a, &b->admin, id, STR("now"), false, &b->e), RC_CONFLICT,
                "the action is violated: only one that ran is reverted");
    assert_int_equal(b->reverts, 0);
}

static void what_can_not_start_has_failed(void **state)
{
    struct bench *b = *state;
    begin(b, WATCHED(BACK));
    uint64_t id = succeed(b, 3);
    b->refuse_to_revert = true;
    set_budget(b, 500000);
    ticks(b);
    settle(b);
    want_state(b, id, ACTION_REVERT_FAILED);
}

static void what_can_not_be_seen_is_not_verified(void **state)
{
    struct bench *b = *state;
    begin(b, WATCHED(BACK));
    uint64_t id = succeed(b, 3);
    pass(b, 10 * MINUTE_MS); /* the signal grew stale */
    ticks(b);
    want_state(b, id, ACTION_SUCCEEDED);
    assert_int_equal(b->reverts, 0);
}

/* --- invariants ------------------------------------------------------------------------------------------- */

#define ASKING(first, second)                                                                                  \
    "{'checks':{'error_budget':{'mode':'off'}},'agents':[{'name':'bot','owner':'ann'}],'services':[{'name':'shop'}],"                                  \
    "'tools':[{'name':'scale','class':'write','services':['shop'],'parameters':true,"                           \
    "'observe':{'for':'1m','invariants':[{'name':'soon','argv':['/sbin/ask','{n}'],'after':'5s'" first "},"     \
    "{'name':'late','argv':['/sbin/ask','late']" second "}]}" BACK "}]}"

static void invariants_are_asked_once_and_hold(void **state)
{
    struct bench *b = *state;
    load_policy(b, ASKING("", ""));
    uint64_t id = succeed(b, 3);
    pass(b, 4999);
    ticks(b);
    assert_int_equal(b->asks, 0);
    pass(b, 1);
    ticks(b);
    assert_int_equal(b->asks, 1);
    assert_string_equal(b->asked, "/sbin/ask 3");
    invariant_ended(b, id, 0, true);
    invariant_ended(b, id, 1, false); /* was not asked */
    pass(b, 55000);
    ticks(b);
    assert_int_equal(b->asks, 2);
    assert_string_equal(b->asked, "/sbin/ask late");
    want_state(b, id, ACTION_OBSERVING); /* its time is over, its answer is waited for */
    invariant_ended(b, id, 1, true);
    ticks(b);
    want_state(b, id, ACTION_VERIFIED);
    struct value said = last_of(b, ENTRY_ACTION_VERIFIED);
    assert_int_equal(value_integer_or(value_get(&said, STR("invariants_held")), -1), 2);
    assert_int_equal(b->reverts, 0);
}

static void what_does_not_hold_is_taken_back(void **state)
{
    struct bench *b = *state;
    load_policy(b, ASKING("", ""));
    uint64_t id = succeed(b, 3);
    pass(b, 5000);
    ticks(b);
    invariant_ended(b, id, 0, false);
    tick(b);
    want_state(b, id, ACTION_REVERT_WAITING);
    struct value said = last_of(b, ENTRY_ACTION_VIOLATED);
    assert_str(value_text(value_get(&said, STR("invariant"))), "soon");
    assert_str(value_text(value_get(&said, STR("detail"))), "exit status 7");
    assert_str(value_text(value_get(&said, STR("service"))), "shop");
    assert_int_equal(world_incident_count(HERE(b)), 1);
    ticks(b);
    assert_int_equal(b->reverts, 1);
    assert_int_equal(b->asks, 1); /* the other is not asked any more */
    invariant_ended(b, id, 0, true);
    revert_ended(b, id, true, STR("exit status 0"));
    settle(b);
    want_state(b, id, ACTION_REVERTED);
}

static void a_restart_asks_again_what_is_open(void **state)
{
    struct bench *b = *state;
    load_policy(b, ASKING("", ",'after':'6s'"));
    uint64_t id = succeed(b, 3);
    pass(b, 5000);
    ticks(b);
    invariant_ended(b, id, 0, true);
    restart(b);
    pass(b, 1000);
    ticks(b);
    assert_int_equal(b->asks, 3);
    invariant_ended(b, id, 0, true);
    invariant_ended(b, id, 1, true);
    pass(b, 53999);
    ticks(b);
    want_state(b, id, ACTION_OBSERVING);
    pass(b, 1);
    ticks(b);
    want_state(b, id, ACTION_VERIFIED);
}

static void what_can_not_be_asked_is_not_seen(void **state)
{
    struct bench *b = *state;
    load_policy(b, ASKING("", ",'after':'0s'"));
    uint64_t id = succeed(b, 3);
    b->asking = COMMAND_BUSY;
    ticks(b);
    b->asking = COMMAND_STARTED;
    ticks(b);
    assert_int_equal(b->asks, 1); /* it waited for its turn */
    invariant_ended(b, id, 1, true);
    b->asking = COMMAND_FAILED;
    pass(b, MINUTE_MS);
    ticks(b);
    want_state(b, id, ACTION_SUCCEEDED);
    struct value said = last_of(b, ENTRY_ACTION_VERIFIED);
    assert_str(value_text(value_get(&said, STR("level"))), "reported");
    assert_int_equal(value_integer_or(value_get(&said, STR("invariants_unseen")), -1), 1);
    assert_int_equal(b->reverts, 0);
    /* And one that never gets its turn is given up. */
    b->asking = COMMAND_BUSY;
    id = succeed(b, 4);
    pass(b, 10 * MINUTE_MS + 5000 - 1);
    ticks(b);
    want_state(b, id, ACTION_OBSERVING);
    pass(b, 1);
    ticks(b);
    want_state(b, id, ACTION_SUCCEEDED);
}

static void conditions_are_judged_at_their_time(void **state)
{
    struct bench *b = *state;
    static const struct {
        const char *condition;
        int64_t budget_ppm;
        enum action_state state;
    } rows[] = {
        {"budget.remaining_pct > 50.0", 900000, ACTION_VERIFIED},
        {"budget.remaining_pct > 50.0", 400000, ACTION_REVERT_WAITING},
        {"services.all(s, s.name == \\'shop\\') && action.params.n == 3", 900000, ACTION_VERIFIED},
        {"memory.failed / 0 == 1", 900000, ACTION_SUCCEEDED}, /* can't be judged: not seen */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char policy[2048];
        snprintf(policy, sizeof policy,
                 "{'agents':[{'name':'bot','owner':'ann'}],'services':[{'name':'shop'," SLO "}],'tools':[{'name':'scale','class':'write',"
                 "'services':['shop'],'parameters':true,'observe':{'for':'1m','max_drop_pct':100,'invariants':[{'name':'well','after':'5s',"
                 "'condition':'%s'}]}" BACK "}]}", rows[i].condition);
        load_policy(b, policy);
        set_budget(b, 900000);
        uint64_t id = succeed(b, 3);
        pass(b, 4999);
        ticks(b);
        want_state(b, id, ACTION_OBSERVING);
        set_budget(b, rows[i].budget_ppm);
        pass(b, 1);
        tick(b);
        if (rows[i].state != ACTION_REVERT_WAITING) {
            set_budget(b, 900000);
            pass(b, 55000);
            set_budget(b, 900000);
            ticks(b);
        }
        want_state(b, id, rows[i].state);
        if (rows[i].state == ACTION_REVERT_WAITING) {
            struct value said = last_of(b, ENTRY_ACTION_VIOLATED);
            assert_str(value_text(value_get(&said, STR("detail"))), rows[i].condition);
            ticks(b);
            revert_ended(b, id, true, STR("exit status 0"));
            settle(b);
        }
    }
    assert_int_equal(b->asks, 0);
}

/* Who can send no heartbeats says how long it will be silent, and is not lost before; the policy bounds it. */
static void a_silent_executor_has_its_time(void **state)
{
    struct bench *b = *state;
    static const struct {
        int64_t silent_ms;
        int64_t lost_after_ms;
    } rows[] = {{0, 30000}, {1000, 30000}, {5 * MINUTE_MS, 5 * MINUTE_MS}, {HOUR_MS, 10 * MINUTE_MS}};
    load_policy(b, "{'checks':{'error_budget':{'mode':'off'},'breaker':{'mode':'off'}},'agents':[{'name':'bot','owner':'ann'}],"
                   "'services':[{'name':'shop'}],'tools':[{'name':'scale','class':'write','services':['shop'],'parameters':true}]}");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct decided d = propose(b, "scale", 100 + (int64_t)i, "");
        struct decided again;
        struct grant grant = {.silent_ms = rows[i].silent_ms};
        enum release release;
        assert_int_equal(control_commit(b->c, b->a, &b->bot, d.action, NONCE, digest_of(b, d.action), &release, &again, &grant, &b->e), RC_OK);
        assert_int_equal(release, RELEASE_GO);
        settle(b);
        pass(b, rows[i].lost_after_ms - 1);
        tick(b);
        want_state(b, d.action, ACTION_EXECUTING);
        pass(b, 1);
        tick(b);
        want_state(b, d.action, ACTION_UNKNOWN);
    }
}

/* Words that the approver was not shown are not run. */
static void what_is_asked_is_part_of_what_is_decided(void **state)
{
    struct bench *b = *state;
    load_policy(b, ASKING("", ""));
    struct decided one = propose(b, "scale", 3, "");
    struct value said = last_of(b, ENTRY_ACTION_DECIDED);
    const struct value *first = value_item(value_get(&said, STR("invariants")), 0);
    assert_str(value_text(value_item(value_get(first, STR("argv")), 1)), "3");
    char was[2 * SHA256_LEN + 1];
    snprintf(was, sizeof was, "%.*s", 2 * SHA256_LEN, value_text(value_path(&said, "request", "digest", NULL)).ptr + 7);
    load_policy(b, ASKING(",'timeout':'3s'", ""));
    struct decided other = propose(b, "scale", 3, "");
    said = last_of(b, ENTRY_ACTION_DECIDED);
    assert_true(one.action != other.action);
    assert_memory_not_equal(was, value_text(value_path(&said, "request", "digest", NULL)).ptr + 7, 2 * SHA256_LEN);
}

static void the_way_back_is_part_of_what_is_decided(void **state)
{
    struct bench *b = *state;
    begin(b, WATCHED(BACK));
    struct decided d = propose(b, "scale", 3, "");
    load_policy(b, WATCHED(",'revert':{'argv':['/sbin/other']}"));
    set_budget(b, 900000);
    check_error(b, commit(b, &b->bot, d.action, NONCE).rc, RC_CONFLICT,
                "the catalogue has changed what this action is: propose it again");
}

static void plans_and_diffs_that_are_needed(void **state)
{
    struct bench *b = *state;
    begin(b, WATCHED(",'needs':['plan','diff']"));
    struct value object = value_object();
    struct value text = value_string(STR("a plan"));
    const struct {
        const struct value *plan;
        const struct value *diff;
        enum reason want;
    } rows[] = {{NULL, NULL, REASON_NO_PLAN},    {&text, &object, REASON_NO_PLAN}, {&object, NULL, REASON_NO_DIFF},
                {&object, &text, REASON_NO_DIFF}, {&object, &object, REASON_NONE}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct value given = value_object();
        value_add_int(b->a, &given, STR("n"), (int64_t)i);
        struct request q = {.agent = STR("bot"), .claimed_tool = STR("scale"), .given = &given,
                            .plan = rows[i].plan, .diff = rows[i].diff};
        struct decided d;
        assert_int_equal(control_propose(b->c, b->a, &b->bot, &q, NULL, &d, &b->e), RC_OK);
        settle(b);
        assert_int_equal(d.decision.findings[CHECK_CATALOGUE].reason, rows[i].want);
        struct decision_record record;
        struct decision again;
        assert_int_equal(control_replay(b->c, b->a, d.seq, &record, &again, &b->e), RC_OK);
        assert_int_equal(again.verdict, d.decision.verdict);
    }
}

static struct decided migrate(struct bench *b, const char *sql)
{
    struct value *given = arena_alloc(b->a, sizeof *given);
    *given = value_object();
    value_add_str(b->a, given, STR("statement"), str_from(sql));
    struct request q = {.agent = STR("bot"), .claimed_tool = STR("migrate"), .given = given};
    struct decided d = {0};
    assert_int_equal(control_propose(b->c, b->a, &b->bot, &q, NULL, &d, &b->e), RC_OK);
    settle(b);
    return d;
}

static void migrations_that_harm_need_a_human(void **state)
{
    struct bench *b = *state;
    begin(b, "{'agents':[{'name':'bot','owner':'ann'},{'name':'cat','owner':'ben'},{'name':'judge','owner':'zoe'}],"
             "'services':[{'name':'shop'," SLO "}],'tools':[{'name':'migrate','class':'write','services':['shop'],"
             "'sql':'statement','parameters':true}]}");
    assert_int_equal(migrate(b, "alter table t add column c int").decision.verdict, VERDICT_ALLOW);
    assert_int_equal(migrate(b, "do $$ begin end $$").decision.blocking, CHECK_SCHEMA_DRIFT);
    struct decided d = migrate(b, "ALTER TABLE t /* tidy */ DROP COLUMN c");
    assert_int_equal(d.decision.verdict, VERDICT_ESCALATE);
    assert_str(d.decision.findings[CHECK_SCHEMA_DRIFT].subject, "drop column c");
    struct principal judge = person(b, ROLE_APPROVER, "judge", "judge");
    assert_int_equal(approve(b, &judge, d.action), RC_OK);
    want_state(b, d.action, ACTION_ESCALATED);
    assert_int_equal(approve(b, &b->ben, d.action), RC_OK);
    want_state(b, d.action, ACTION_APPROVED);
    restart(b);
    set_budget(b, 900000);
    assert_int_equal(commit(b, &b->bot, d.action, NONCE).release, RELEASE_GO);
    struct decision_record record;
    struct decision again;
    assert_int_equal(control_replay(b->c, b->a, d.seq, &record, &again, &b->e), RC_OK);
    assert_int_equal(again.blocking, CHECK_SCHEMA_DRIFT);
}

static enum rc say_what_became(struct bench *b, uint64_t id, bool succeeded, const char *reason)
{
    struct settlement s = {.succeeded = succeeded, .reason = str_from(reason)};
    enum rc rc = control_settle(b->c, b->a, &b->admin, id, &s, &b->e);
    settle(b);
    return rc;
}

static uint64_t lose(struct bench *b, int64_t n)
{
    struct decided d = propose(b, "scale", n, "");
    assert_int_equal(commit(b, &b->bot, d.action, NONCE).release, RELEASE_GO);
    pass(b, MINUTE_MS);
    tick(b);
    set_budget(b, 900000);
    want_state(b, d.action, ACTION_UNKNOWN);
    return d.action;
}

static void a_person_settles_what_is_unknown_once(void **state)
{
    struct bench *b = *state;
    begin(b, WATCHED(""));
    uint64_t id = lose(b, 1);
    check_error(b, say_what_became(b, id, true, " "), RC_INVALID, "expected a reason of at most 1024 bytes");
    char longer[CONTROL_REASON_MAX + 2];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    check_error(b, say_what_became(b, id, true, longer), RC_INVALID, "expected a reason of at most 1024 bytes");
    want_state(b, id, ACTION_UNKNOWN);
    longer[CONTROL_REASON_MAX] = '\0';
    assert_int_equal(say_what_became(b, id, true, longer), RC_OK);
    want_state(b, id, ACTION_SUCCEEDED);
    struct entry entry;
    struct value body;
    uint64_t seq = world_next_seq(HERE(b)) - 1;
    assert_int_equal(control_read_entry(b->c, b->a, seq, &entry, &body, &b->e), RC_OK);
    assert_int_equal(entry.kind, ENTRY_ACTION_FINISHED);
    assert_str(value_text(value_get(&body, STR("level"))), "operator");
    assert_str(value_text(value_get(&body, STR("result"))), "succeeded");
    assert_true(str_eq(value_text(value_get(&body, STR("person"))), b->admin.person) && b->admin.person.len > 0);
    check_error(b, finish(b, id, NONCE), RC_CONFLICT, "the action is succeeded: its outcome is reported once");
    check_error(b, say_what_became(b, id, false, "no"), RC_CONFLICT,
                "the action is succeeded: only one that is unknown is settled");
    restart(b);
    want_state(b, id, ACTION_SUCCEEDED);
}

static void only_what_is_unknown_is_settled(void **state)
{
    struct bench *b = *state;
    begin(b, WATCHED(""));
    uint64_t reported = lose(b, 1);
    assert_int_equal(finish(b, reported, NONCE), RC_OK);
    check_error(b, say_what_became(b, reported, false, "no"), RC_CONFLICT,
                "the action is succeeded: only one that is unknown is settled");
    uint64_t failed = lose(b, 2);
    assert_int_equal(say_what_became(b, failed, false, "looked"), RC_OK);
    want_state(b, failed, ACTION_FAILED);
    struct decided d = propose(b, "scale", 3, "");
    check_error(b, say_what_became(b, d.action, true, "no"), RC_CONFLICT,
                "the action is allowed: only one that is unknown is settled");
    assert_int_equal(commit(b, &b->bot, d.action, NONCE).release, RELEASE_GO);
    check_error(b, say_what_became(b, d.action, true, "no"), RC_CONFLICT,
                "the action is executing: only one that is unknown is settled");
    check_error(b, say_what_became(b, d.action + 100, true, "no"), RC_NOT_FOUND, "no such action");
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, make, drop)
    const struct CMUnitTest tests[] = {
        T(what_stays_well_is_verified),
        T(a_person_settles_what_is_unknown_once),
        T(only_what_is_unknown_is_settled),
        T(what_harms_is_taken_back_once),
        T(predictions_are_held_against_what_came),
        T(what_was_learnt_is_recalled_by_shape),
        T(a_quarantined_agent_writes_no_memory),
        T(reported_incidents_have_their_limit),
        T(a_restart_does_not_revert_twice),
        T(what_waits_for_a_revert_survives_a_restart),
        T(an_operator_reverts_under_a_stop_and_by_hand),
        T(a_later_change_is_not_undone_with_it),
        T(without_a_way_back_it_says_so),
        T(what_can_not_start_has_failed),
        T(what_can_not_be_seen_is_not_verified),
        T(invariants_are_asked_once_and_hold),
        T(what_does_not_hold_is_taken_back),
        T(a_restart_asks_again_what_is_open),
        T(what_can_not_be_asked_is_not_seen),
        T(a_silent_executor_has_its_time),
        T(conditions_are_judged_at_their_time),
        T(what_is_asked_is_part_of_what_is_decided),
        T(the_way_back_is_part_of_what_is_decided),
        T(plans_and_diffs_that_are_needed),
        T(migrations_that_harm_need_a_human),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
