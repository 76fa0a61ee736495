/* control: what sources say of the surroundings (who is on call, snapshots, tested rollbacks), and what diffs touch -
 * over real entries, with restarts between. */
#include "control_bench.h"

#include "value/json.h"

static struct principal source(struct bench *b)
{
    return person(b, ROLE_SOURCE, "pager", "");
}

/* --- on call -------------------------------------------------------------------------------------------- */

#define ON_CALL "{" CATALOGUE ",'checks':{'on_call':{'max_incidents':1,'max_age':'10m'}}}"

static void say_on_call(struct bench *b, const struct principal *p, const char *service, const char *name,
                        int64_t incidents, int64_t until_ms)
{
    struct str people = str_from(name);
    struct on_call_report o = {str_from(service), {&people, people.len > 0 ? 1 : 0}, incidents, until_ms};
    if (control_on_call(b->c, b->a, p, &o, &b->e) != RC_OK) {
        print_error("%s\n", b->e.text);
        fail();
    }
    settle(b);
}

static struct finding on_call_now(struct bench *b)
{
    static int64_t n;
    set_budget(b, PPM_ONE);
    struct decided d = propose(b, "scale", ++n, "");
    return d.decision.findings[CHECK_ON_CALL];
}

static void want(struct finding f, enum verdict verdict, enum reason reason)
{
    if (f.verdict != verdict || f.reason != reason) {
        print_error("%s, %s\n", verdict_name(f.verdict), reason_name(f.reason));
        fail();
    }
}

static void somebody_can_be_woken(void **state)
{
    struct bench *b = *state;
    load_policy(b, ON_CALL);
    struct principal p = source(b);
    want(on_call_now(b), VERDICT_HOLD, REASON_ON_CALL_UNKNOWN);
    say_on_call(b, &p, "shop", "dora", 1, 0);
    restart(b);
    want(on_call_now(b), VERDICT_ALLOW, REASON_NONE);
    say_on_call(b, &p, "shop", "dora", 2, 0);
    want(on_call_now(b), VERDICT_HOLD, REASON_ON_CALL_BUSY);
    say_on_call(b, &p, "shop", "", 0, 0);
    restart(b);
    want(on_call_now(b), VERDICT_HOLD, REASON_ON_CALL_NOBODY);
    int64_t end = control_now(b->c) + 60000;
    say_on_call(b, &p, "shop", "emil", 0, end);
    pass(b, end - 1 - control_now(b->c));
    want(on_call_now(b), VERDICT_ALLOW, REASON_NONE);
    pass(b, 1);
    want(on_call_now(b), VERDICT_HOLD, REASON_ON_CALL_UNKNOWN);
}

static void what_was_said_grows_old(void **state)
{
    struct bench *b = *state;
    load_policy(b, ON_CALL);
    struct principal p = source(b);
    say_on_call(b, &p, "shop", "dora", 0, 0);
    int64_t said = control_now(b->c);
    pass(b, said + 600000 - control_now(b->c));
    want(on_call_now(b), VERDICT_ALLOW, REASON_NONE);
    pass(b, 1);
    want(on_call_now(b), VERDICT_HOLD, REASON_ON_CALL_UNKNOWN);
}

static void bad_reports_are_refused(void **state)
{
    struct bench *b = *state;
    struct principal p = source(b);
    char long_name[ON_CALL_PERSON_MAX + 2];
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    struct str many[ON_CALL_PEOPLE_MAX + 1];
    for (size_t i = 0; i < sizeof many / sizeof *many; i++) {
        many[i] = STR("dora");
    }
    struct str one = str_from(long_name);
    struct on_call_report o = {STR("shop"), {many, ON_CALL_PEOPLE_MAX}, 0, 0};
    assert_int_equal(control_on_call(b->c, b->a, &p, &o, &b->e), RC_OK);
    o.people.count++;
    check_error(b, control_on_call(b->c, b->a, &p, &o, &b->e), RC_INVALID, "expected at most 8 people");
    o.people = (struct str_list){&one, 1};
    check_error(b, control_on_call(b->c, b->a, &p, &o, &b->e), RC_INVALID, "expected names of 1 to 128 bytes");
    one.len = ON_CALL_PERSON_MAX;
    assert_int_equal(control_on_call(b->c, b->a, &p, &o, &b->e), RC_OK);
    o.until_ms = control_now(b->c);
    check_error(b, control_on_call(b->c, b->a, &p, &o, &b->e), RC_INVALID, "expected a moment that is yet to come");
    o = (struct on_call_report){.service = STR("moon")};
    check_error(b, control_on_call(b->c, b->a, &p, &o, &b->e), RC_NOT_FOUND, "no service is called \"moon\"");
}

/* --- a way back --------------------------------------------------------------------------------------------- */

#define WAY_BACK                                                                                               \
    "{" CATALOGUE ",'checks':{'reversibility':{'snapshot_max_age':'1h','rollback_max_age':'2h'},"              \
    "'tier':{'default':'autonomous'}}}"

static enum rc say_evidence(struct bench *b, const struct principal *p, struct evidence ev)
{
    ev.service = ev.service.len == 0 ? STR("shop") : ev.service;
    ev.id = ev.id.len == 0 ? STR("x1") : ev.id;
    enum rc rc = control_evidence(b->c, b->a, p, &ev, &b->e);
    settle(b);
    return rc;
}

static enum verdict wiping(struct bench *b)
{
    static int64_t n;
    set_budget(b, PPM_ONE);
    return propose(b, "wipe", ++n, "").decision.findings[CHECK_REVERSIBILITY].verdict;
}

static void what_destroys_needs_a_way_back(void **state)
{
    struct bench *b = *state;
    load_policy(b, WAY_BACK);
    struct principal p = source(b);
    assert_int_equal(wiping(b), VERDICT_ESCALATE);
    int64_t taken = control_now(b->c) - 1000;
    assert_int_equal(say_evidence(b, &p, (struct evidence){.at_ms = taken}), RC_OK);
    restart(b);
    pass(b, taken + 3600000 - control_now(b->c));
    assert_int_equal(wiping(b), VERDICT_ALLOW);
    pass(b, 1);
    assert_int_equal(wiping(b), VERDICT_ESCALATE);
    /* an older one that is told later is no newer one */
    assert_int_equal(say_evidence(b, &p, (struct evidence){.at_ms = taken - 1}), RC_OK);
    assert_int_equal(wiping(b), VERDICT_ESCALATE);
    struct evidence test = {.is_rollback = true, .result = STR("succeeded")};
    assert_int_equal(say_evidence(b, &p, test), RC_OK);
    restart(b);
    assert_int_equal(wiping(b), VERDICT_ALLOW);
    test.result = STR("failed");
    assert_int_equal(say_evidence(b, &p, test), RC_OK);
    assert_int_equal(wiping(b), VERDICT_ESCALATE);
    restart(b);
    assert_int_equal(wiping(b), VERDICT_ESCALATE);
}

static void bad_evidence_is_refused(void **state)
{
    struct bench *b = *state;
    struct principal p = source(b);
    struct evidence ahead = {.at_ms = control_now(b->c) + 1};
    check_error(b, say_evidence(b, &p, ahead), RC_INVALID, "expected a moment that is over");
    struct evidence test = {.is_rollback = true, .result = STR("fine")};
    check_error(b, say_evidence(b, &p, test), RC_INVALID, "expected succeeded or failed");
    struct evidence elsewhere = {.service = STR("moon")};
    check_error(b, say_evidence(b, &p, elsewhere), RC_NOT_FOUND, "no service is called \"moon\"");
    char id[ENTRY_ID_MAX * 2 + 1];
    memset(id, 'x', sizeof id);
    struct evidence named = {.id = {id, sizeof id - 2}};
    assert_int_equal(say_evidence(b, &p, named), RC_OK);
    named.id.len++;
    assert_int_equal(say_evidence(b, &p, named), RC_INVALID);
}

/* --- surfaces in diffs ---------------------------------------------------------------------------------------- */

static struct decided propose_diff(struct bench *b, const char *diff)
{
    struct value *v = arena_alloc(b->a, sizeof *v);
    assert_int_equal(json_parse(b->a, str_from(diff), v, &b->e), RC_OK);
    struct request q = {.agent = STR("bot"), .claimed_tool = STR("scale"), .diff = v};
    struct decided d = {0};
    set_budget(b, PPM_ONE);
    assert_int_equal(control_propose(b->c, b->a, &b->bot, &q, NULL, &d, &b->e), RC_OK);
    settle(b);
    return d;
}

static void a_diff_touches_protected_surfaces(void **state)
{
    struct bench *b = *state;
    load_policy(b, "{" CATALOGUE ",'surfaces':[{'name':'cache','verdict':'allow','detect':['*redis*']},"
                   "{'name':'auth','verdict':'escalate','detect':['*/auth/*','aws_iam_*','Role']},"
                   "{'name':'money','verdict':'deny','detect':['*billing*']}]}");
    static const struct {
        const char *diff;
        enum verdict want;
        const char *surface;
    } rows[] = {
        {"\"--- a/web/a.c\\n+++ b/web/a.c\\n\"", VERDICT_ALLOW, ""},
        {"\"--- a/src/auth/a.c\\n+++ /dev/null\\n\"", VERDICT_ESCALATE, "auth"},
        {"{\"resource_changes\":[{\"address\":\"aws_iam_role.x\"}]}", VERDICT_ESCALATE, "auth"},
        {"{\"kind\":\"Role\"}", VERDICT_ESCALATE, "auth"},
        {"{\"kind\":\"Roles\",\"name\":\"redis-1\"}", VERDICT_ALLOW, ""},
        {"[\"x/auth/y\",\"conf/billing.yaml\"]", VERDICT_DENY, "money"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct decided d = propose_diff(b, rows[i].diff);
        struct finding f = d.decision.findings[CHECK_SURFACES];
        if (f.verdict != rows[i].want || !str_eq(f.subject, str_from(rows[i].surface))) {
            print_error("%s: %s %.*s\n", rows[i].diff, verdict_name(f.verdict), STR_ARG(f.subject));
            fail();
        }
        struct decision_record record;
        struct decision again;
        assert_int_equal(control_replay(b->c, b->a, d.seq, &record, &again, &b->e), RC_OK);
        assert_int_equal(again.findings[CHECK_SURFACES].verdict, rows[i].want);
    }
}

/* Surfaces that are words of what a diff changes need nothing to look for. */
static void a_diff_touches_what_it_changes(void **state)
{
    struct bench *b = *state;
    load_policy(b, "{" CATALOGUE ",'surfaces':[{'name':'network','verdict':'escalate'},{'name':'auth','verdict':'deny'},"
                   "{'name':'schema','verdict':'hold'},{'name':'tests','verdict':'allow'},{'name':'money','verdict':'deny'}]}");
    static const struct {
        const char *diff;
        enum verdict want;
        const char *surface;
        unsigned touched;
    } rows[] = {
        {"{\"format\":\"sql\",\"sql\":\"alter table t add column c int\"}", VERDICT_HOLD, "schema", 1},
        {"\"grant select on t to bob\"", VERDICT_DENY, "auth", 1},
        {"{\"format\":\"sql\",\"sql\":\"select 1\"}", VERDICT_ALLOW, "", 0},
        {"{\"before\":null,\"after\":{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"web\"},"
         "\"spec\":{\"type\":\"LoadBalancer\"}}}", VERDICT_ESCALATE, "network", 1},
        {"\"--- a/tests/test_a.c\\n+++ b/tests/test_a.c\\n@@ -1 +1 @@\\n-a\\n+b\\n\"", VERDICT_ALLOW, "", 1},
        /* It says what it is and is not: it may change anything. Money is no word of a diff. */
        {"{\"format\":\"sql\",\"sql\":\"alter tabel\"}", VERDICT_DENY, "auth", 4},
        {"{\"format\":\"terraform\",\"plan\":[]}", VERDICT_DENY, "auth", 4},
        {"\"network and auth, in words\"", VERDICT_ALLOW, "", 0},
        {"{\"format\":\"cobol\",\"text\":\"x\"}", VERDICT_ALLOW, "", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct decided d = propose_diff(b, rows[i].diff);
        struct finding f = d.decision.findings[CHECK_SURFACES];
        if (f.verdict != rows[i].want || !str_eq(f.subject, str_from(rows[i].surface)) || d.facts.surface_count != rows[i].touched) {
            print_error("%s: %s %.*s %u\n", rows[i].diff, verdict_name(f.verdict), STR_ARG(f.subject), d.facts.surface_count);
            fail();
        }
        struct decision_record record;
        struct decision again;
        assert_int_equal(control_replay(b->c, b->a, d.seq, &record, &again, &b->e), RC_OK);
        assert_int_equal(again.findings[CHECK_SURFACES].verdict, rows[i].want);
    }
}

/* Without such a surface and without rules nobody reads what a diff changes. */
static void changes_are_read_when_somebody_looks(void **state)
{
    struct bench *b = *state;
    static const char *const surfaces[] = {"'surfaces':[{'name':'money','verdict':'deny'}]", "'surfaces':[{'name':'auth','verdict':'deny'}]"};
    for (unsigned i = 0; i < 2; i++) {
        char policy[4096];
        snprintf(policy, sizeof policy, "{" CATALOGUE ",%s}", surfaces[i]);
        load_policy(b, policy);
        struct value diff = value_string(STR("grant select on t to bob"));
        struct request q = {.agent = STR("bot"), .claimed_tool = STR("scale"), .diff = &diff, .author_type = STR("ai")};
        assert_int_equal(derive_request(b->a, HERE(b), world_policy(HERE(b)), &q, &b->e), RC_OK);
        assert_int_equal(q.changes != NULL, i == 1);
    }
}

/* What can't be listed may touch anything that is looked for. */
static void a_diff_too_long_to_list_touches_them_all(void **state)
{
    struct bench *b = *state;
    load_policy(b, "{" CATALOGUE ",'surfaces':[{'name':'auth','verdict':'deny','detect':['auth']},"
                   "{'name':'none','verdict':'deny'}]}");
    struct buf text;
    buf_init(&text, 1 << 20);
    buf_char(&text, '[');
    for (int i = 0; i < DIFF_NAMES_MAX; i++) {
        buf_str(&text, STR("\"x\","));
    }
    buf_str(&text, STR("1]"));
    buf_char(&text, '\0');
    assert_int_equal(text.rc, RC_OK);
    struct decided d = propose_diff(b, (const char *)text.data);
    assert_int_equal(d.decision.findings[CHECK_SURFACES].verdict, VERDICT_ALLOW);
    text.len -= 3;
    buf_str(&text, STR("\"y\"]"));
    buf_char(&text, '\0');
    d = propose_diff(b, (const char *)text.data);
    assert_int_equal(d.decision.findings[CHECK_SURFACES].verdict, VERDICT_DENY);
    assert_int_equal(d.facts.surface_count, 1);
    buf_done(&text);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, make, drop)
    const struct CMUnitTest tests[] = {
        T(somebody_can_be_woken),
        T(what_was_said_grows_old),
        T(bad_reports_are_refused),
        T(what_destroys_needs_a_way_back),
        T(bad_evidence_is_refused),
        T(a_diff_touches_protected_surfaces),
        T(a_diff_touches_what_it_changes),
        T(changes_are_read_when_somebody_looks),
        T(a_diff_too_long_to_list_touches_them_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
