/* control: rules in decisions, replays and approvals; policies that come and go. */
#include "control_bench.h"

#include "control/bundle.h"

#define WITH(rules)                                                                                             \
    "{'checks':{'error_budget':{'mode':'off'}},'agents':[{'name':'bot','owner':'ann'},{'name':'cat','owner':'ben'}],"          \
    "'services':[{'name':'shop','labels':{'replicas':4},'traffic_pct':10}],"                                    \
    "'tools':[{'name':'scale','class':'write','services':['shop'],'parameters':true},"                          \
    "{'name':'look','class':'read','services':['shop'],'parameters':true}],'rules':[" rules "]}"

static void use(struct bench *b, const char *policy)
{
    load_policy(b, policy);
}

static const struct finding *found(const struct decided *d)
{
    return &d->decision.findings[CHECK_RULES];
}

static void check_replay(struct bench *b, uint64_t seq)
{
    struct decision_record record;
    struct decision again;
    if (control_replay(b->c, b->a, seq, &record, &again, &b->e) != RC_OK) {
        print_error("%s\n", b->e.text);
        fail();
    }
    assert_int_equal(again.verdict, record.decision.verdict);
    const struct finding *was = &record.decision.findings[CHECK_RULES];
    const struct finding *is = &again.findings[CHECK_RULES];
    assert_int_equal(is->verdict, was->verdict);
    assert_int_equal(is->mark, was->mark);
    assert_true(str_eq(is->subject, was->subject) && str_eq(is->note, was->note));
    assert_int_equal(again.rule_count, record.decision.rule_count);
    for (unsigned i = 0; i < again.rule_count; i++) {
        assert_true(str_eq(again.rules[i].rule, record.decision.rules[i].rule));
        assert_true(str_eq(again.rules[i].message, record.decision.rules[i].message));
        assert_int_equal(again.rules[i].shadow, record.decision.rules[i].shadow);
    }
}

static void a_rule_decides_and_is_replayed(void **state)
{
    struct bench *b = *state;
    use(b, WITH("{'name':'few','condition':'action.params.n > 2 * service.labels.replicas','verdict':'escalate',"
                "'message':'\\'too many: \\' + string(action.params.n)'}"));
    struct decided d = propose(b, "scale", 8, "");
    assert_int_equal(d.decision.verdict, VERDICT_ALLOW);
    assert_int_equal(found(&d)->verdict, VERDICT_ALLOW);
    check_replay(b, d.seq);
    d = propose(b, "scale", 9, "");
    assert_int_equal(d.decision.verdict, VERDICT_ESCALATE);
    assert_int_equal(d.decision.blocking, CHECK_RULES);
    assert_true(d.decision.escalated_by_own);
    assert_str(found(&d)->subject, "few");
    assert_str(found(&d)->note, "too many: 9");
    /* The policy, the service and the agent change; the record does not. */
    use(b, "{'agents':[{'name':'bot','owner':'eve'}],'services':[{'name':'shop','labels':{'replicas':400}}],"
           "'tools':[{'name':'scale','class':'write','services':['shop'],'parameters':true}]}");
    restart(b);
    check_replay(b, d.seq);
    struct value rules;
    assert_int_equal(control_explain(b->c, b->a, d.seq, &rules, &b->e), RC_OK);
    assert_int_equal(rules.count, 1);
    const struct value *evaluated = value_get(&rules.items[0], STR("evaluated"));
    bool told = false;
    for (uint32_t i = 0; value_item(evaluated, i) != NULL; i++) {
        told = told || (str_eq(value_text(value_get(value_item(evaluated, i), STR("expression"))), STR("service.labels.replicas")) &&
                        str_eq(value_text(value_get(value_item(evaluated, i), STR("value"))), STR("4")));
    }
    assert_true(told);
    assert_true(value_bool_or(value_get(&rules.items[0], STR("holds")), false));
}

static void the_strictest_rule_counts(void **state)
{
    struct bench *b = *state;
    use(b, WITH("{'name':'a','condition':'action.params.n > 1','verdict':'hold'},"
                "{'name':'b','condition':'action.params.n > 2','verdict':'escalate'},"
                "{'name':'c','condition':'action.params.n > 3','verdict':'deny'},"
                "{'name':'d','condition':'action.params.n > 4','verdict':'advise'},"
                "{'name':'e','condition':'action.params.n > 0','verdict':'deny','mode':'shadow'},"
                "{'name':'f','condition':'true','verdict':'deny','mode':'off'}"));
    static const enum verdict want[] = {VERDICT_ALLOW, VERDICT_ALLOW, VERDICT_HOLD, VERDICT_ESCALATE, VERDICT_DENY, VERDICT_DENY};
    for (int64_t n = 0; n < 6; n++) {
        struct decided d = propose(b, "scale", n, "");
        if (d.decision.verdict != want[n]) {
            print_error("%lld: %s by %s\n", (long long)n, verdict_name(d.decision.verdict), check_name((enum check)d.decision.blocking));
            fail();
        }
        /* What only watches is recorded and never counts. */
        assert_int_equal(d.decision.rule_count, (unsigned)n);
        assert_true(n == 0 || d.decision.rules[d.decision.rule_count - 1].shadow);
        check_replay(b, d.seq);
    }
    /* All of them only watch. */
    use(b, "{'checks':{'error_budget':{'mode':'off'},'rules':{'mode':'shadow'}},'agents':[{'name':'bot','owner':'ann'}],"
           "'services':[{'name':'shop'}],'tools':[{'name':'scale','class':'write','services':['shop'],'parameters':true}],"
           "'rules':[{'name':'no','condition':'true','verdict':'deny'}]}");
    struct decided d = propose(b, "scale", 70, "");
    assert_int_equal(d.decision.verdict, VERDICT_ALLOW);
    assert_true(found(&d)->shadow && found(&d)->verdict == VERDICT_DENY);
}

static void what_can_not_be_judged_is_no_yes(void **state)
{
    struct bench *b = *state;
    use(b, WITH("{'name':'odd','condition':'action.params.m > 1','verdict':'hold'}"));
    struct decided d = propose(b, "scale", 1, "");
    assert_int_equal(d.decision.verdict, VERDICT_HOLD);
    assert_int_equal(found(&d)->reason, REASON_RULE_FAILED);
    assert_true(found(&d)->unknown && d.decision.rules[0].failed);
    check_replay(b, d.seq);
}

static void rules_look_at_reads_too(void **state)
{
    struct bench *b = *state;
    use(b, WITH("{'name':'eyes','match':{'classes':['read'],'agents':['b*']},'condition':'true','verdict':'deny'}"));
    assert_int_equal(propose(b, "look", 1, "").decision.blocking, CHECK_RULES);
    assert_int_equal(propose(b, "scale", 1, "").decision.verdict, VERDICT_ALLOW);
}

/* A diff of so many rows, the last of which destroys; what rules say of it is the same however many there are. */
static struct decided propose_rows(struct bench *b, int rows)
{
    struct value *diff = arena_alloc(b->a, sizeof *diff);
    struct buf text;
    assert_non_null(diff);
    buf_init(&text, 1 << 20);
    buf_str(&text, STR("{\"resource_changes\":["));
    for (int i = 0; i < rows; i++) {
        buf_printf(&text, "%s{\"address\":\"aws_iam_role.r%d\",\"type\":\"aws_iam_role\",\"change\":{\"actions\":[\"%s\"]}}",
                   i == 0 ? "" : ",", i, i == rows - 1 ? "delete" : "create");
    }
    buf_str(&text, STR("]}"));
    assert_int_equal(json_parse(b->a, arena_str(b->a, buf_view(&text)), diff, &b->e), RC_OK);
    buf_done(&text);
    struct request q = {.agent = STR("bot"), .claimed_tool = STR("scale"), .diff = diff};
    struct decided d = {0};
    assert_int_equal(control_propose(b->c, b->a, &b->bot, &q, NULL, &d, &b->e), RC_OK);
    settle(b);
    return d;
}

static void rules_see_every_change(void **state)
{
    struct bench *b = *state;
    use(b, WITH("{'name':'loses','condition':'diff.changes.exists(c, c.kind == \\'delete\\' && c.resource.endsWith(\\'.r\\' + "
                "string(diff.changes.size() - 1)))','verdict':'deny'},"
                "{'name':'again','condition':'diff.changes.filter(c, c.surface == \\'auth\\').size() == diff.changes.size()','verdict':'hold'}"));
    static const int rows[] = {1, 63, 64, 65, 200};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct decided d = propose_rows(b, rows[i]);
        assert_int_equal(d.decision.verdict, VERDICT_DENY);
        assert_int_equal(d.decision.rule_count, 2);
        assert_false(d.decision.rules[0].failed || d.decision.rules[1].failed);
        check_replay(b, d.seq);
    }
}

/* An approval covers the rules that were shown, and no other. */
static void an_approval_covers_the_rules_that_were_shown(void **state)
{
    struct bench *b = *state;
    use(b, WITH("{'name':'always','condition':'true','verdict':'escalate'},"
                "{'name':'late','condition':'now > timestamp(\\'2021-02-25T15:05:00Z\\')','verdict':'escalate'}"));
    struct decided d = propose(b, "scale", 1, "");
    assert_int_equal(d.decision.verdict, VERDICT_ESCALATE);
    bool late = d.decision.rule_count == 2;
    assert_int_equal(approve(b, &b->ben, d.action), RC_OK);
    assert_int_equal(commit(b, &b->bot, d.action, NONCE).release, RELEASE_GO);
    if (late) {
        return;
    }
    d = propose(b, "scale", 2, "");
    assert_int_equal(approve(b, &b->ben, d.action), RC_OK);
    pass(b, 30 * MINUTE_MS);
    assert_int_equal(commit(b, &b->bot, d.action, NONCE).release, RELEASE_ESCALATED);
}

/* --- policies that come and go --------------------------------------------------------------------------------- */

static struct policy *parsed(struct bench *b, const char *text)
{
    char json[8192];
    struct policy *p = NULL;
    snprintf(json, sizeof json, "%s", text);
    for (char *c = json; *c != '\0'; c++) {
        *c = *c == '\'' ? '"' : *c;
    }
    assert_int_equal(policy_parse(str_from(json), &p, &b->e), RC_OK);
    return p;
}

static uint64_t loaded_seq(struct bench *b)
{
    return world_policy_seq(HERE(b));
}

static enum rc load_from_file(struct bench *b, const struct policy *p, bool at_start)
{
    const struct policy_origin origin = {.author = STR("pawl.yaml"), .reason = STR("test"), .at_start = at_start};
    return control_load_policy(b->c, b->a, p, &origin, &b->e);
}

#define ONE "{'agents':[{'name':'bot','owner':'ann'},{'name':'cat','owner':'ben'}]}"
#define TWO "{'mode':'advisory','agents':[{'name':'bot','owner':'ann'},{'name':'cat','owner':'ben'}]}"
#define THREE "{'approval_ttl':'2h','agents':[{'name':'bot','owner':'ann'},{'name':'cat','owner':'ben'}]}"

static void an_earlier_policy_comes_back_byte_for_byte(void **state)
{
    struct bench *b = *state;
    struct policy *one = parsed(b, ONE);
    struct policy *two = parsed(b, TWO);
    assert_int_equal(load_from_file(b, one, false), RC_OK);
    uint64_t first = loaded_seq(b);
    struct str hash = arena_str(b->a, world_policy_hash(HERE(b)));
    assert_int_equal(load_from_file(b, two, false), RC_OK);
    check_error(b, control_policy_rollback(b->c, b->a, &b->admin, first, STR(" "), &b->e), RC_INVALID,
                "expected a reason of at most 1024 bytes");
    check_error(b, control_policy_rollback(b->c, b->a, &b->admin, first - 1, STR("back"), &b->e), RC_NOT_FOUND,
                "that entry loaded no policy");
    check_error(b, control_policy_rollback(b->c, b->a, &b->admin, 1 << 30, STR("back"), &b->e), RC_NOT_FOUND,
                "there is no such entry");
    assert_int_equal(control_policy_rollback(b->c, b->a, &b->admin, first, STR("back"), &b->e), RC_OK);
    assert_true(str_eq(world_policy_hash(HERE(b)), hash));
    assert_false(world_policy(HERE(b))->advisory);
    assert_true(world_policy_aside(HERE(b)).len > 0);
    /* The file's stays aside over a restart, until it is another one or is read by hand. */
    restart(b);
    assert_int_equal(load_from_file(b, two, true), RC_OK);
    assert_true(str_eq(world_policy_hash(HERE(b)), hash));
    assert_int_equal(load_from_file(b, two, false), RC_OK);
    assert_true(world_policy(HERE(b))->advisory);
    assert_int_equal(world_policy_aside(HERE(b)).len, 0);
    assert_int_equal(control_policy_rollback(b->c, b->a, &b->admin, first, STR("again"), &b->e), RC_OK);
    struct policy *three = parsed(b, THREE);
    assert_int_equal(load_from_file(b, three, true), RC_OK);
    assert_int_equal(world_policy(HERE(b))->approval_ttl_ms, 2 * HOUR_MS);
    assert_int_equal(world_policy_aside(HERE(b)).len, 0);
    policy_free(one);
    policy_free(two);
    policy_free(three);
}

static struct str made_bundle(struct bench *b, const struct policy *p, uint8_t seed_byte, struct str *ret_vkey)
{
    uint8_t seed[ED25519_SEED_LEN];
    uint8_t public_key[ED25519_PUBLIC_LEN];
    struct signing_key *key = NULL;
    struct buf text;
    struct buf vkey;
    memset(seed, seed_byte, sizeof seed);
    assert_int_equal(signing_key_new(seed, &key, &b->e), RC_OK);
    signing_key_public(key, public_key);
    buf_init(&vkey, 4096);
    vkey_write(&vkey, STR("ci"), public_key);
    *ret_vkey = arena_str(b->a, buf_view(&vkey));
    buf_done(&vkey);
    const struct bundle_signer signer = {key, STR("ci"), STR("ann"), 1614265330000};
    buf_init(&text, 1 << 20);
    assert_int_equal(policy_bundle_write(&text, p, &signer, &b->e), RC_OK);
    struct str kept = arena_str(b->a, buf_view(&text));
    buf_done(&text);
    signing_key_free(key);
    return kept;
}

static void bundles_are_signed(void **state)
{
    struct bench *b = *state;
    struct policy *p = parsed(b, WITH("{'name':'a','condition':'true','verdict':'hold'}"));
    struct str vkey;
    struct str other;
    struct str text = made_bundle(b, p, 7, &vkey);
    (void)made_bundle(b, p, 8, &other);
    struct value v;
    assert_int_equal(json_parse(b->a, text, &v, &b->e), RC_OK);
    const struct str keys[] = {other, vkey};
    const struct str_list right = {keys, 2};
    const struct str_list wrong = {keys, 1};
    const struct str_list none = {keys, 0};
    struct policy_bundle bundle;
    assert_int_equal(policy_bundle_open(&v, &right, &bundle, &b->e), RC_OK);
    assert_str(bundle.author, "ann");
    assert_str(bundle.created, "2021-02-25T15:02:10.000Z");
    assert_int_equal(bundle.policy->rule_count, 1);
    const struct policy_origin origin = {.author = bundle.author, .signature = bundle.note, .by = &b->admin};
    assert_int_equal(control_load_policy(b->c, b->a, bundle.policy, &origin, &b->e), RC_OK);
    assert_true(str_eq(world_policy_hash(HERE(b)), bundle.hash));
    policy_free(bundle.policy);
    check_error(b, policy_bundle_open(&v, &wrong, &bundle, &b->e), RC_DENIED,
                "the bundle is signed by none of the keys that may sign policies");
    check_error(b, policy_bundle_open(&v, &none, &bundle, &b->e), RC_DENIED, "no key is configured that may sign policies");
    /* Another policy under the same signature. */
    struct policy *q = parsed(b, ONE);
    struct str ignored;
    struct value w;
    assert_int_equal(json_parse(b->a, made_bundle(b, q, 9, &ignored), &w, &b->e), RC_OK);
    struct value mixed = value_object();
    value_add(b->a, &mixed, STR("note"), *value_get(&v, STR("note")));
    value_add(b->a, &mixed, STR("policy"), *value_get(&w, STR("policy")));
    check_error(b, policy_bundle_open(&mixed, &right, &bundle, &b->e), RC_CORRUPT,
                "the policy is not the one that was signed, or of another version of pawl");
    struct value empty = value_object();
    check_error(b, policy_bundle_open(&empty, &right, &bundle, &b->e), RC_INVALID, "expected a bundle: {\"note\", \"policy\"}");
    policy_free(p);
    policy_free(q);
}

#define T(test) cmocka_unit_test_setup_teardown(test, make, drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_rule_decides_and_is_replayed),
        T(the_strictest_rule_counts),
        T(what_can_not_be_judged_is_no_yes),
        T(rules_look_at_reads_too),
        T(rules_see_every_change),
        T(an_approval_covers_the_rules_that_were_shown),
        T(an_earlier_policy_comes_back_byte_for_byte),
        T(bundles_are_signed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
