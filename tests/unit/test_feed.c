/* control: the feed tells what people care about, in order, once it is durable, and says what it left out. */
#include "control_bench.h"

#include <stdarg.h>

/* --- a subscriber that writes down what it hears ---------------------------------------------------------- */

struct heard {
    char lines[64][256];
    uint64_t seqs[64];
    unsigned count;
    struct control *leave; /* unsubscribe at the first event */
};

static struct heard heard;

static void hear(void *context, const struct feed_item *item)
{
    struct heard *h = context;
    assert_true(h->count < 64);
    h->seqs[h->count] = item->seq;
    struct str service = item->services.count > 0 ? item->services.items[0] : STR("-");
    snprintf(h->lines[h->count++], sizeof h->lines[0], "%.*s %.*s %.*s %.*s %.*s%s%.*s", STR_ARG(item->name),
             STR_ARG(item->about), STR_ARG(item->agent), STR_ARG(item->tool), STR_ARG(service),
             item->verdict.len > 0 ? " by " : "", STR_ARG(item->blocking));
    if (h->leave != NULL) {
        control_unsubscribe(h->leave, hear, h);
    }
}

static void listen(struct bench *b)
{
    heard = (struct heard){0};
    settle(b);
    assert_int_equal(control_subscribe(b->c, hear, &heard, &b->e), RC_OK);
}

static void want(unsigned i, const char *format, ...) PRINTF(2, 3);

static void want(unsigned i, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (i >= heard.count || strcmp(heard.lines[i], text) != 0) {
        print_error("event %u of %u is \"%s\", want \"%s\"\n", i, heard.count, i < heard.count ? heard.lines[i] : "",
                    text);
        fail();
    }
}

#define N(x) ((unsigned long long)(x))

static void said(struct bench *b, enum rc rc)
{
    if (rc != RC_OK) {
        print_error("%s\n", b->e.text);
        fail();
    }
    settle(b);
}

/* --- which entries ------------------------------------------------------------------------------------------ */

static void an_action_from_escalation_to_its_end(void **state)
{
    struct bench *b = *state;
    listen(b);
    (void)propose(b, "scale", 1, ""); /* allowed: nobody has to know */
    assert_int_equal(heard.count, 0);
    struct decided d = propose(b, "scale", 2, "please look");
    want(0, "action.decided act_%llu bot scale shop by request", N(d.action));
    assert_int_equal(approve(b, &b->ben, d.action), RC_OK);
    want(1, "approval.granted act_%llu bot scale shop", N(d.action));
    assert_int_equal(commit(b, &b->bot, d.action, NONCE).release, RELEASE_GO);
    assert_int_equal(finish(b, d.action, NONCE), RC_OK); /* good and in time: nobody has to know */
    assert_int_equal(heard.count, 2);
    d = propose(b, "scale", 3, "please look");
    said(b, control_reject(b->c, b->a, &b->ben, d.action, STR("no"), NULL, &b->e));
    want(3, "approval.rejected act_%llu bot scale shop", N(d.action));
    d = propose(b, "scale", 4, "please look");
    said(b, control_cancel(b->c, b->a, &b->bot, d.action, STR("never mind"), &b->e));
    want(5, "action.cancelled act_%llu bot scale shop", N(d.action));
    d = propose(b, "scale", 5, "please look");
    pass(b, HOUR_MS);
    tick(b);
    tick(b);
    bool expired = false;
    for (unsigned i = 0; i < heard.count; i++) {
        expired = expired || strstr(heard.lines[i], "action.expired") != NULL;
    }
    assert_true(expired);
}

static void executions_that_go_wrong(void **state)
{
    struct bench *b = *state;
    listen(b);
    struct decided d = propose(b, "scale", 1, "");
    assert_int_equal(commit(b, &b->bot, d.action, NONCE).release, RELEASE_GO);
    struct outcome bad = {.succeeded = false};
    said(b, control_outcome(b->c, b->a, &b->bot, d.action, NONCE, &bad, &b->e));
    want(0, "action.finished act_%llu bot scale shop", N(d.action));
    d = propose(b, "scale", 2, "");
    assert_int_equal(commit(b, &b->bot, d.action, NONCE).release, RELEASE_GO);
    pass(b, 31 * SECOND_MS);
    tick(b);
    want(1, "action.lost act_%llu bot scale shop", N(d.action));
    assert_int_equal(finish(b, d.action, NONCE), RC_OK); /* good, but late */
    want(2, "action.finished act_%llu bot scale shop", N(d.action));
    assert_int_equal(heard.count, 3);
}

static void what_operators_do(void **state)
{
    struct bench *b = *state;
    listen(b);
    uint64_t id;
    struct stop_order stop = {.scope = STOP_SERVICE, .name = STR("shop"), .reason = STR("odd")};
    said(b, control_stop_set(b->c, b->a, &b->admin, &stop, NULL, &id, &b->e));
    want(0, "stop.set stp_%llu   shop", N(id));
    said(b, control_stop_lift(b->c, b->a, &b->admin, id, STR("fine"), NULL, &b->e));
    want(1, "stop.lifted stp_%llu   -", N(id));
    said(b, control_breaker_set(b->c, b->a, &b->admin, STR("bot"), true, STR("odd"), NULL, &b->e));
    want(2, "breaker.set  bot  -");
    struct tier_order tier = {STR("bot"), STR("shop"), TIER_SUPERVISED, STR("odd")};
    said(b, control_tier_change(b->c, b->a, &b->admin, &tier, NULL, &b->e));
    want(3, "tier.changed  bot  shop");
    struct grant_order grant = {.agent = STR("bot"), .tool = STR("scale"), .target = STR("*"),
                                .expires_ms = control_now(b->c) + HOUR_MS, .reason = STR("needed")};
    said(b, control_grant_issue(b->c, b->a, &b->admin, &grant, NULL, &id, &b->e));
    want(4, "grant.issued grt_%llu bot scale -", N(id));
    said(b, control_grant_revoke(b->c, b->a, &b->admin, id, STR("done"), NULL, &b->e));
    want(5, "grant.revoked grt_%llu   -", N(id));
    load_policy(b, "{" CATALOGUE ",'checks':{'aqdd':{'max_depth':9}}}");
    settle(b);
    want(6, "policy.loaded    -");
    b->wall_ms += CLOCK_JUMP_MS + 1;
    tick(b);
    want(7, "clock.jumped    -");
    said(b, control_clock_accept(b->c, b->a, &b->admin, &b->e));
    want(8, "clock.accepted    -");
    assert_int_equal(heard.count, 9);
}

static struct decided human(struct bench *b, const struct principal *p, int64_t n, const char *broken)
{
    struct value *given = arena_alloc(b->a, sizeof *given);
    *given = value_object();
    value_add_int(b->a, given, STR("n"), n);
    struct request q = {.claimed_tool = STR("scale"), .given = given, .author_type = STR("human"), .person = p->person,
                        .break_glass = str_from(broken)};
    struct decided d = {0};
    said(b, control_propose(b->c, b->a, p, &q, NULL, &d, &b->e));
    return d;
}

/* A start is told when glass was broken for it, and only then. */
static void what_people_take_upon_themselves(void **state)
{
    struct bench *b = *state;
    listen(b);
    struct decided d = human(b, &b->admin, 1, "");
    assert_int_equal(commit(b, &b->admin, d.action, NONCE).release, RELEASE_GO);
    assert_int_equal(heard.count, 0);
    d = human(b, &b->admin, 2, "the shop is down");
    assert_int_equal(heard.count, 0);
    assert_int_equal(commit(b, &b->admin, d.action, NONCE).release, RELEASE_GO);
    want(0, "action.committed act_%llu  scale shop by ", N(d.action));
    struct principal hal = person(b, ROLE_RESPONDER, "hal", "");
    uint64_t incident = world_incident_at(HERE(b), 0)->id;
    said(b, control_incident_close(b->c, b->a, &hal, incident, &(struct incident_end){.reason = STR("needed")}, NULL, &b->e));
    want(1, "incident.closed inc_%llu   -", N(incident));
    load_policy(b, "{" CATALOGUE ",'freezes':[{'name':'fair','services':['shop'],'from':'2020-01-01T00:00:00Z',"
                   "'until':'2040-01-01T00:00:00Z'}]}");
    struct principal olga = person(b, ROLE_OVERRIDE, "olga", "");
    set_budget(b, PPM_ONE);
    d = propose(b, "scale", 3, "");
    struct override o = {.check = CHECK_FREEZE, .shown = {digest_of(b, d.action), d.seq, 0}, .reason = STR("it is over")};
    said(b, control_override(b->c, b->a, &olga, d.action, &o, NULL, &b->e));
    want(3, "override.granted act_%llu bot scale shop", N(d.action));
    assert_int_equal(heard.count, 4);
}

static void a_breaker_that_trips_is_said(void **state)
{
    struct bench *b = *state;
    load_policy(b, "{" CATALOGUE ",'checks':{'breaker':{'max_denials':2,'open_for':'1m','probes':1}}}");
    set_budget(b, PPM_ONE);
    listen(b);
    (void)propose(b, "no-such-tool", 1, "");
    assert_int_equal(heard.count, 0);
    struct decided d = propose(b, "no-such-tool", 2, "");
    want(0, "breaker.opened  bot  -");
    assert_int_equal(heard.seqs[0], d.seq);
    (void)propose(b, "no-such-tool", 3, ""); /* open already */
    assert_int_equal(heard.count, 1);
    pass(b, MINUTE_MS);
    set_budget(b, PPM_ONE);
    d = propose(b, "scale", 1, "");
    assert_int_equal(commit(b, &b->bot, d.action, NONCE).release, RELEASE_GO);
    assert_int_equal(heard.count, 1); /* half-open is no change that an entry made */
    assert_int_equal(finish(b, d.action, NONCE), RC_OK);
    want(1, "breaker.closed  bot  -");
    assert_int_equal(heard.count, 2);
}

/* --- when ---------------------------------------------------------------------------------------------------- */

static void only_what_is_durable_is_told(void **state)
{
    struct bench *b = *state;
    listen(b);
    pthread_mutex_lock(&disk);
    struct decided d;
    assert_int_equal(propose_as(b, &b->bot, "scale", 1, "please look", &d), RC_OK);
    control_durable_changed(b->c);
    assert_int_equal(heard.count, 0);
    pthread_mutex_unlock(&disk);
    settle(b);
    assert_int_equal(heard.count, 1);
    want(0, "action.decided act_%llu bot scale shop by request", N(d.action));
}

struct tally {
    unsigned count;
    struct feed_item newest; /* its texts are no more */
};

static void tally(void *context, const struct feed_item *item)
{
    struct tally *t = context;
    t->count++;
    t->newest = *item;
}

static void move_tier(struct bench *b)
{
    struct tier_order tier = {STR("bot"), STR("*"), TIER_SUPERVISED, STR("odd")};
    assert_int_equal(control_tier_change(b->c, b->a, &b->admin, &tier, NULL, &b->e), RC_OK);
}

/* More is said than the ring holds while the disk waits: what has no room is named, what comes later is told. */
static void what_has_no_room_is_named(void **state)
{
    struct bench *b = *state;
    struct tally t = {0};
    settle(b);
    uint64_t first = control_read_seq(b->c);
    assert_int_equal(control_subscribe(b->c, tally, &t, &b->e), RC_OK);
    pthread_mutex_lock(&disk);
    for (int i = 0; i < FEED_MAX + 3; i++) {
        move_tier(b);
    }
    pthread_mutex_unlock(&disk);
    settle(b);
    assert_int_equal(t.count, FEED_MAX); /* the last place speaks for four */
    assert_int_equal(t.newest.event, FEED_LOST);
    assert_int_equal(t.newest.from, first + FEED_MAX - 1);
    assert_int_equal(t.newest.seq, first + FEED_MAX + 2);
    move_tier(b);
    settle(b);
    assert_int_equal(t.count, FEED_MAX + 1);
    assert_int_equal(t.newest.event, FEED_ENTRY);
    assert_int_equal(t.newest.seq, first + FEED_MAX + 3);
}

/* --- who ------------------------------------------------------------------------------------------------------ */

static void subscribers_have_a_limit(void **state)
{
    struct bench *b = *state;
    struct tally t[FEED_SUBSCRIBERS_MAX + 1] = {0};
    settle(b);
    for (int i = 0; i < FEED_SUBSCRIBERS_MAX; i++) {
        assert_int_equal(control_subscribe(b->c, tally, &t[i], &b->e), RC_OK);
    }
    check_error(b, control_subscribe(b->c, tally, &t[FEED_SUBSCRIBERS_MAX], &b->e), RC_LIMIT,
                "the feed has 4 subscribers: the limit");
    control_unsubscribe(b->c, tally, &t[FEED_SUBSCRIBERS_MAX]); /* is none: nothing happens */
    control_unsubscribe(b->c, tally, &t[1]);
    assert_int_equal(control_subscribe(b->c, tally, &t[FEED_SUBSCRIBERS_MAX], &b->e), RC_OK);
    move_tier(b);
    settle(b);
    for (int i = 0; i <= FEED_SUBSCRIBERS_MAX; i++) {
        assert_int_equal(t[i].count, i == 1 ? 0 : 1);
    }
}

static void a_subscriber_may_leave_while_it_is_told(void **state)
{
    struct bench *b = *state;
    listen(b);
    heard.leave = b->c;
    move_tier(b);
    move_tier(b);
    settle(b);
    assert_int_equal(heard.count, 1);
}

/* --- reading back ------------------------------------------------------------------------------------------------ */

static void an_entry_is_read_as_it_was_told(void **state)
{
    struct bench *b = *state;
    listen(b);
    struct decided d = propose(b, "scale", 1, "please look");
    struct decided quiet = propose(b, "look", 1, "");
    assert_int_equal(quiet.decision.verdict, VERDICT_ALLOW);
    restart(b);
    struct feed_item item;
    assert_int_equal(control_feed_read(b->c, b->a, d.seq, &item, &b->e), RC_OK);
    assert_int_equal(item.action, d.action);
    assert_true(str_eq(item.agent, STR("bot")) && str_eq(item.blocking, STR("request")));
    char text[64];
    snprintf(text, sizeof text, "entry %llu is not told", N(quiet.seq));
    check_error(b, control_feed_read(b->c, b->a, quiet.seq, &item, &b->e), RC_NOT_FOUND, text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_action_from_escalation_to_its_end, make, drop),
        cmocka_unit_test_setup_teardown(executions_that_go_wrong, make, drop),
        cmocka_unit_test_setup_teardown(what_operators_do, make, drop),
        cmocka_unit_test_setup_teardown(what_people_take_upon_themselves, make, drop),
        cmocka_unit_test_setup_teardown(a_breaker_that_trips_is_said, make, drop),
        cmocka_unit_test_setup_teardown(only_what_is_durable_is_told, make, drop),
        cmocka_unit_test_setup_teardown(what_has_no_room_is_named, make, drop),
        cmocka_unit_test_setup_teardown(subscribers_have_a_limit, make, drop),
        cmocka_unit_test_setup_teardown(a_subscriber_may_leave_while_it_is_told, make, drop),
        cmocka_unit_test_setup_teardown(an_entry_is_read_as_it_was_told, make, drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
