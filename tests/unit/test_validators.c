/* validators: how they are configured, what they are asked, what their answers say and come to. */
#include "control_bench.h"

#include "validators/reply.h"
#include "value/yaml.h"

enum { ROOM = 64 << 20 };

static enum rc read_policy(const char *yaml, struct policy **ret, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(ROOM);
    struct value v;
    enum rc rc = yaml_parse(a, STR("p.yaml"), str_from(yaml), &v, e);
    return rc == RC_OK ? policy_read(STR("p.yaml"), &v, ret, e) : rc;
}

/* --- configuration ----------------------------------------------------------------------------------------------- */

#define ONE(more) "validators: [{name: v, type: opa, url: http://127.0.0.1/x" more "}]"

static void what_is_wrong_is_said_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        const char *text;
    } rows[] = {
        {"validators: 1", "validators: expected a list of at most 16"},
        {"validators: [{name: v, type: opa}]", "url: expected http:// or https://, and no argv"},
        {"validators: [{name: v, type: opa, url: ftp://x}]", "url: expected http:// or https://, and no argv"},
        {"validators: [{name: v, type: rego, url: http://x}]", "type: expected one of opa, authzen, http, command"},
        {ONE(", argv: [/x]"), "url: expected http:// or https://, and no argv"},
        {ONE(", secret_file: /x"), "secret_file: expected for type http, whose requests are signed, and for no other"},
        {"validators: [{name: v, type: http, url: http://x}]", "secret_file: expected for type http, whose requests are signed, and for no other"},
        {"validators: [{name: v, type: command}]", "argv: expected 1 to 64 words, the first an absolute path"},
        {"validators: [{name: v, type: command, argv: [ls]}]", "argv: expected 1 to 64 words, the first an absolute path"},
        {"validators: [{name: v, type: command, argv: [/ls], url: http://x}]", "a command has no url, socket, ca_file, token_file or secret_file"},
        {ONE(", timeout: 3s"), "timeout: expected 10ms to 2s"},
        {ONE(", on_error: allow"), "on_error: expected one of deny, escalate, hold"},
        {ONE(", on_deny: advise"), "on_deny: expected one of deny, escalate, hold"},
        {ONE(", input: '{'"), "input: at "},
        {ONE(", input: 'agent.teir'"), "input: at "},
        {ONE(", match: {classes: [x]}"), "classes: expected read, write, destructive or shell"},
        {"validators: [{name: v, type: opa, url: http://x}, {name: v, type: opa, url: http://y}]", "validators: \"v\" is declared twice"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct policy *p = NULL;
        struct err e = {.where = ""};
        enum rc rc = read_policy(rows[i].yaml, &p, &e);
        if (rc != RC_INVALID || strncmp(e.text, rows[i].text, strlen(rows[i].text)) != 0 || !str_starts(str_from(e.where), STR("p.yaml:1:"))) {
            print_error("%s\n  got:  %s %s: %s\n  want: %s\n", rows[i].yaml, rc_name(rc), e.where, e.text, rows[i].text);
            fail();
        }
    }
    char many[4096] = "validators: [";
    for (unsigned n = 1; n <= VALIDATORS_MAX + 1; n++) {
        size_t used = strlen(many);
        snprintf(many + used - (n > 1 ? 1 : 0), sizeof many - used, "%s{name: v%u, type: opa, url: http://x}]", n > 1 ? "," : "", n);
        CLEANUP(policy) struct policy *p = NULL;
        assert_int_equal(read_policy(many, &p, NULL), n <= VALIDATORS_MAX ? RC_OK : RC_INVALID);
    }
}

static void a_policy_is_written_and_read_again(void **state)
{
    (void)state;
    CLEANUP(policy) struct policy *p = NULL;
    struct err e;
    assert_int_equal(read_policy("validators:\n"
                                 "  - {name: a, type: opa, url: https://opa/v1/data/x, ca_file: /ca, token_file: /t, timeout: 50ms, mode: shadow,\n"
                                 "     match: {classes: [write]}, input: '{\"n\": action.params.n}', on_deny: escalate, on_error: hold}\n"
                                 "  - {name: b, type: command, argv: [/bin/check, x]}\n", &p, &e), RC_OK);
    struct buf first;
    struct buf second;
    buf_init(&first, 1 << 20);
    buf_init(&second, 1 << 20);
    policy_write(&first, p);
    CLEANUP(policy) struct policy *again = NULL;
    assert_int_equal(policy_parse(buf_view(&first), &again, &e), RC_OK);
    policy_write(&second, again);
    assert_true(str_eq(buf_view(&first), buf_view(&second)));
    assert_int_equal(again->validators[0].on_deny, VERDICT_ESCALATE);
    assert_int_equal(again->validators[1].on_error, VERDICT_ESCALATE);
    buf_done(&first);
    buf_done(&second);
}

/* --- answers ------------------------------------------------------------------------------------------------------ */

static void answers_are_read(void **state)
{
    (void)state;
    static const struct {
        enum validator_type type;
        const char *body;
        enum validator_answer answer;
        const char *text;
    } rows[] = {
        {VALIDATOR_OPA, "{\"result\":true}", ANSWER_ALLOW, ""},
        {VALIDATOR_OPA, "{\"result\":false}", ANSWER_DENY, ""},
        {VALIDATOR_OPA, "{}", ANSWER_DENY, "the rule is not defined for this"},
        {VALIDATOR_OPA, "{\"result\":{\"allow\":true}}", ANSWER_ALLOW, ""},
        {VALIDATOR_OPA, "{\"result\":{\"allow\":false,\"reasons\":[\"no slo\",\"x\"]}}", ANSWER_DENY, "no slo"},
        {VALIDATOR_OPA, "{\"result\":{\"allow\":false,\"deny\":[\"late\"]}}", ANSWER_DENY, "late"},
        {VALIDATOR_OPA, "{\"result\":{}}", ANSWER_ERROR, "its result is neither a bool nor an object with allow"},
        {VALIDATOR_OPA, "{\"result\":\"true\"}", ANSWER_ERROR, "its result is neither a bool nor an object with allow"},
        {VALIDATOR_OPA, "{\"result\":1}", ANSWER_ERROR, "its result is neither a bool nor an object with allow"},
        {VALIDATOR_OPA, "true", ANSWER_ERROR, "its answer is no JSON object"},
        {VALIDATOR_OPA, "", ANSWER_ERROR, "its answer is no JSON object"},
        {VALIDATOR_OPA, "{\"result\":true", ANSWER_ERROR, "its answer is no JSON object"},
        {VALIDATOR_OPA, "{\"result\":false,\"result\":true}", ANSWER_ERROR, "its answer is no JSON object"},
        {VALIDATOR_AUTHZEN, "{\"decision\":true}", ANSWER_ALLOW, ""},
        {VALIDATOR_AUTHZEN, "{\"decision\":false,\"context\":{\"reason_admin\":{\"en\":\"not yours\"}}}", ANSWER_DENY, "not yours"},
        {VALIDATOR_AUTHZEN, "{\"decision\":false,\"context\":{\"reason\":\"closed\"}}", ANSWER_DENY, "closed"},
        {VALIDATOR_AUTHZEN, "{\"decision\":\"true\"}", ANSWER_ERROR, "it has no decision"},
        {VALIDATOR_AUTHZEN, "{}", ANSWER_ERROR, "it has no decision"},
        {VALIDATOR_HTTP, "{\"verdict\":\"allow\"}", ANSWER_ALLOW, ""},
        {VALIDATOR_HTTP, "{\"verdict\":\"hold\",\"reason\":\"lunch\"}", ANSWER_HOLD, "lunch"},
        {VALIDATOR_HTTP, "{\"verdict\":\"escalate\"}", ANSWER_ESCALATE, ""},
        {VALIDATOR_HTTP, "{\"verdict\":\"none\"}", ANSWER_ERROR, "its verdict is none of allow, deny, escalate, hold"},
        {VALIDATOR_HTTP, "{\"verdict\":true}", ANSWER_ERROR, "its verdict is none of allow, deny, escalate, hold"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct verdict_reply r;
        reply_read(rows[i].type, str_from(rows[i].body), &r);
        if (r.answer != rows[i].answer || strcmp(r.text, rows[i].text) != 0) {
            print_error("%s: %s \"%s\"\n", rows[i].body, validator_answer_name(r.answer), r.text);
            fail();
        }
    }
    char longer[4 * VALIDATOR_TEXT_MAX];
    snprintf(longer, sizeof longer, "{\"verdict\":\"deny\",\"reason\":\"%0*d\"}", 2 * VALIDATOR_TEXT_MAX, 1);
    struct verdict_reply r;
    reply_read(VALIDATOR_HTTP, str_from(longer), &r);
    assert_int_equal(strlen(r.text), VALIDATOR_TEXT_MAX - 1);
}

/* --- decisions ------------------------------------------------------------------------------------------------------- */

#define ASKED(validators)                                                                                                 \
    "{'limits':{'pending_per_agent':100},'checks':{'error_budget':{'mode':'off'}},'agents':[{'name':'bot','owner':'ann'},{'name':'cat','owner':'ben'}]," \
    "'services':[{'name':'shop'}],'tools':[{'name':'scale','class':'write','services':['shop'],'parameters':true},"        \
    "{'name':'look','class':'read','services':['shop'],'parameters':true}],'validators':[" validators "]}"
#define OPA(name, more) "{'name':'" name "','type':'opa','url':'http://x/'" more "}"

static enum rc propose_round(struct bench *b, int64_t n, struct validator_round *round, struct decided *ret)
{
    struct value *given = arena_alloc(b->a, sizeof *given);
    *given = value_object();
    value_add_int(b->a, given, STR("n"), n);
    struct request q = {.agent = b->bot.person, .claimed_tool = STR("scale"), .given = given, .round = round};
    enum rc rc = control_propose(b->c, b->a, &b->bot, &q, NULL, ret, &b->e);
    settle(b);
    return rc;
}

static void answer(struct validator_round *round, uint32_t at, enum validator_answer a, const char *text)
{
    round->answers[at].answer = a;
    round->answers[at].text = str_from(text);
}

static void nothing_is_done_before_they_answered(void **state)
{
    struct bench *b = *state;
    load_policy(b, ASKED(OPA("one", "") "," OPA("two", ",'match':{'classes':['read']}") "," OPA("three", ",'input':'{\\'n\\': action.params.n}'")));
    struct validator_round *round = arena_alloc(b->a, sizeof *round);
    struct decided d = {0};
    uint64_t seq = control_read_seq(b->c);
    check_error(b, propose_round(b, 7, round, &d), RC_UNAVAILABLE, "one has not answered yet");
    assert_int_equal(control_read_seq(b->c), seq);
    assert_int_equal(round->count, 2);
    assert_str(round->questions[1].name, "three");
    assert_str(value_text(value_path(&round->questions[0].input, "agent", "name", NULL)), "bot");
    assert_str(value_text(value_path(&round->questions[0].input, "action", "class", NULL)), "write");
    assert_int_equal(round->questions[1].input.count, 1);
    assert_int_equal(value_integer_or(value_get(&round->questions[1].input, STR("n")), 0), 7);
    answer(round, 0, ANSWER_ALLOW, "");
    answer(round, 1, ANSWER_DENY, "seven is too many");
    round->answered = true;
    assert_int_equal(propose_round(b, 7, round, &d), RC_OK);
    assert_int_equal(d.decision.verdict, VERDICT_DENY);
    assert_int_equal(d.decision.blocking, CHECK_VALIDATORS);
    assert_str(d.decision.findings[CHECK_VALIDATORS].note, "seven is too many");
    /* The answers are facts: a replay needs nobody. */
    load_policy(b, ASKED(""));
    struct decision_record record;
    struct decision again;
    assert_int_equal(control_replay(b->c, b->a, d.seq, &record, &again, &b->e), RC_OK);
    assert_int_equal(again.verdict, VERDICT_DENY);
    assert_str(again.findings[CHECK_VALIDATORS].note, "seven is too many");
}

static void each_answer_comes_to_what_is_configured(void **state)
{
    struct bench *b = *state;
    static const struct {
        const char *more;
        enum validator_answer answer;
        enum verdict verdict;
        enum reason reason;
    } rows[] = {
        {OPA("v", ""), ANSWER_ALLOW, VERDICT_ALLOW, REASON_NONE},
        {OPA("v", ""), ANSWER_DENY, VERDICT_DENY, REASON_VALIDATOR},
        {OPA("v", ",'on_deny':'escalate'"), ANSWER_DENY, VERDICT_ESCALATE, REASON_VALIDATOR},
        {OPA("v", ",'on_deny':'hold'"), ANSWER_DENY, VERDICT_HOLD, REASON_VALIDATOR},
        {OPA("v", ""), ANSWER_ESCALATE, VERDICT_ESCALATE, REASON_VALIDATOR},
        {OPA("v", ""), ANSWER_HOLD, VERDICT_HOLD, REASON_VALIDATOR},
        {OPA("v", ""), ANSWER_ERROR, VERDICT_ESCALATE, REASON_VALIDATOR_ERROR},
        {OPA("v", ",'on_error':'deny'"), ANSWER_ERROR, VERDICT_DENY, REASON_VALIDATOR_ERROR},
        {OPA("v", ",'on_error':'hold'"), ANSWER_NONE, VERDICT_HOLD, REASON_VALIDATOR_ERROR},
        {OPA("v", ",'mode':'shadow'"), ANSWER_DENY, VERDICT_ALLOW, REASON_NONE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char policy[4096];
        snprintf(policy, sizeof policy, "%s", ASKED("@"));
        char *at = strchr(policy, '@');
        char tail[512];
        snprintf(tail, sizeof tail, "%s", at + 1);
        snprintf(at, sizeof policy - (size_t)(at - policy), "%s%s", rows[i].more, tail);
        load_policy(b, policy);
        struct validator_round *round = arena_alloc(b->a, sizeof *round);
        struct decided d = {0};
        assert_int_equal(propose_round(b, (int64_t)i, round, &d), RC_UNAVAILABLE);
        answer(round, 0, rows[i].answer, "x");
        round->answered = true;
        assert_int_equal(propose_round(b, (int64_t)i, round, &d), RC_OK);
        if (d.decision.verdict != rows[i].verdict || d.decision.findings[CHECK_VALIDATORS].reason != rows[i].reason) {
            print_error("row %zu: %s, %s\n", i, verdict_name(d.decision.verdict), reason_name(d.decision.findings[CHECK_VALIDATORS].reason));
            fail();
        }
        assert_int_equal(d.facts.validator_count, 1);
    }
}

/* Off: nobody is asked. Where nobody can ask, and where an input can't be made, that is an error and no yes. */
static void who_is_not_asked_says_no_yes(void **state)
{
    struct bench *b = *state;
    struct decided d = {0};
    load_policy(b, ASKED(OPA("v", ",'mode':'off'")));
    struct validator_round *round = arena_alloc(b->a, sizeof *round);
    assert_int_equal(propose_round(b, 1, round, &d), RC_OK);
    assert_int_equal(d.decision.verdict, VERDICT_ALLOW);
    load_policy(b, ASKED(OPA("v", "")));
    assert_int_equal(propose_round(b, 2, NULL, &d), RC_OK);
    assert_int_equal(d.decision.verdict, VERDICT_ESCALATE);
    assert_true(d.decision.findings[CHECK_VALIDATORS].unknown);
    load_policy(b, ASKED(OPA("v", ",'input':'{\\'m\\': action.params.m}','on_error':'hold'")));
    round = arena_alloc(b->a, sizeof *round);
    assert_int_equal(propose_round(b, 3, round, &d), RC_OK);
    assert_int_equal(d.decision.verdict, VERDICT_HOLD);
    assert_true(str_starts(d.decision.findings[CHECK_VALIDATORS].note, STR("its input: ")));
}

/* At commit they are asked again, and an approval covers the no that was shown. */
static void they_are_asked_again_at_commit(void **state)
{
    struct bench *b = *state;
    load_policy(b, ASKED(OPA("one", ",'on_deny':'escalate'") "," OPA("two", ",'on_deny':'escalate'")));
    struct validator_round *round = arena_alloc(b->a, sizeof *round);
    struct decided d = {0};
    assert_int_equal(propose_round(b, 1, round, &d), RC_UNAVAILABLE);
    answer(round, 0, ANSWER_DENY, "no");
    answer(round, 1, ANSWER_ALLOW, "");
    round->answered = true;
    assert_int_equal(propose_round(b, 1, round, &d), RC_OK);
    assert_int_equal(approve(b, &b->ben, d.action), RC_OK);
    static const struct {
        enum validator_answer two;
        enum release release;
    } rows[] = {{ANSWER_DENY, RELEASE_ESCALATED}, {ANSWER_ALLOW, RELEASE_GO}};
    for (size_t i = 0; i < 2; i++) {
        if (i == 1) {
            assert_int_equal(approve(b, &b->ben, d.action), RC_OK); /* both of them were shown now */
        }
        struct principal bot = b->bot;
        bot.round = arena_alloc(b->a, sizeof *bot.round);
        assert_int_equal(commit(b, &bot, d.action, NONCE).rc, RC_UNAVAILABLE);
        assert_int_equal(bot.round->count, 2);
        answer(bot.round, 0, ANSWER_DENY, "no");
        answer(bot.round, 1, i == 0 ? rows[i].two : ANSWER_DENY, "no");
        bot.round->answered = true;
        assert_int_equal(commit(b, &bot, d.action, NONCE).release, rows[i].release);
    }
}

#define T(test) cmocka_unit_test_setup_teardown(test, make, drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wrong_is_said_with_its_place),
        cmocka_unit_test(a_policy_is_written_and_read_again),
        cmocka_unit_test(answers_are_read),
        T(nothing_is_done_before_they_answered),
        T(each_answer_comes_to_what_is_configured),
        T(who_is_not_asked_says_no_yes),
        T(they_are_asked_again_at_commit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
