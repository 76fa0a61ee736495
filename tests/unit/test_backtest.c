/*
 * Backtests of ledgers that a control wrote: the policy that was in force changes nothing, whatever happened; another one
 * changes what it should, and what nobody recorded is not decidable.
 */
#include "control_bench.h"

#include "backtest/backtest.h"

/* --- a ledger's report ------------------------------------------------------------------------------------------- */

static struct policy *read_policy(struct bench *b, const char *text)
{
    char json[8192];
    snprintf(json, sizeof json, "%s", text);
    for (char *c = json; *c != '\0'; c++) {
        *c = *c == '\'' ? '"' : *c;
    }
    struct policy *p = NULL;
    if (policy_parse(str_from(json), &p, &b->e) != RC_OK) {
        print_error("%s: %s\n", b->e.where, b->e.text);
        fail();
    }
    return p;
}

static enum rc run(struct bench *b, const struct backtest_options *given, struct value *ret)
{
    char path[300];
    struct store *s = NULL;
    struct backtest_options o = *given;
    o.until_ms = o.until_ms == 0 ? INT64_MAX / 2 : o.until_ms;
    settle(b);
    snprintf(path, sizeof path, "%s/ledger.db", b->folder);
    assert_int_equal(store_open(path, STORE_READ, &s, &b->e), RC_OK);
    enum rc rc = backtest_run(s, &o, b->a, ret, &b->e);
    store_close(s);
    return rc;
}

static struct value report_of(struct bench *b, const char *policy)
{
    struct policy *p = read_policy(b, policy);
    struct value v;
    struct backtest_options o = {.policy = p, .examples = 5};
    if (run(b, &o, &v) != RC_OK) {
        print_error("%s\n", b->e.text);
        fail();
    }
    policy_free(p);
    return v;
}

static int64_t number(const struct value *report, const char *a, const char *c)
{
    return value_integer_or(c == NULL ? value_get(report, str_from(a)) : value_path(report, a, c, NULL), -1);
}

static void print_report(const struct value *report)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    json_write_pretty(&text, report);
    print_error("%.*s\n", STR_ARG(buf_view(&text)));
    buf_done(&text);
}

static void nothing_changes(const struct value *report, int64_t decisions)
{
    bool same = number(report, "decisions", NULL) == decisions && number(report, "changed", NULL) == 0 &&
                number(report, "not_decidable", NULL) == 0;
    if (!same) {
        print_report(report);
        fail();
    }
}

static const struct value *rule_named(const struct value *report, const char *name)
{
    const struct value *rules = value_get(report, STR("by_rule"));
    for (uint32_t i = 0; value_item(rules, i) != NULL; i++) {
        if (str_eq(value_text(value_get(value_item(rules, i), STR("rule"))), str_from(name))) {
            return value_item(rules, i);
        }
    }
    fail();
    return NULL;
}

/* How many were decided so before. */
static int64_t decided_before(const struct value *report, const char *verdict)
{
    const struct value *row = value_path(report, "matrix", verdict, NULL);
    int64_t sum = 0;
    for (uint32_t i = 0; i < row->count; i++) {
        sum += row->members[i].value.integer;
    }
    return sum;
}

/* --- a history ----------------------------------------------------------------------------------------------------- */

#define HISTORY_CATALOGUE                                                                                      \
    "'agents':[{'name':'bot','owner':'ann'},{'name':'cat','owner':'ben','checks':{'error_budget':{'min_pct':40}}}],"       \
    "'services':[{'name':'shop'," SLO ",'traffic_pct':20},{'name':'web','depends_on':['shop'],"                   \
    "'slo':{'objective':99.0,'events':true}},{'name':'pay','depends_on':['shop']," SLO "}],"                      \
    "'tools':[{'name':'scale','class':'write','services':['shop'],'parameters':true},"                           \
    "{'name':'tune','class':'write','services':['web'],'parameters':true,'phases':1},"                           \
    "{'name':'wipe','class':'destructive','services':['shop','pay'],'parameters':true},"                         \
    "{'name':'look','class':'read','services':['shop'],'parameters':true}]"
#define HISTORY_CHECKS                                                                                         \
    "'checks':{'upstream':{},'rate':{'per_agent':5,'window':'5m'},'memory':{},'on_call':{'on_unknown':'hold'},"    \
    "'reversibility':{},'breaker':{'max_failures':3}},"
#define HISTORY_RULES                                                                                          \
    "'rules':[{'name':'much','condition':'action.params.n > 800','verdict':'escalate'},"                         \
    "{'name':'low','condition':'budgets.exists(b, b.known && b.remaining_pct < 35.0)','verdict':'hold'},"         \
    "{'name':'watch','condition':'signals.her_pct > 10.0','verdict':'deny','mode':'shadow'}]"
#define HISTORY "{" HISTORY_CHECKS HISTORY_CATALOGUE "," HISTORY_RULES "}"

struct history {
    struct bench *b;
    uint64_t random;
    uint64_t open[64]; /* actions that may go on */
    unsigned open_count;
    int64_t decisions;
    uint64_t stop;
};

static unsigned roll(struct history *h, unsigned n)
{
    h->random = h->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(h->random >> 33) % n;
}

static void measure(struct history *h, const char *service)
{
    struct bench *b = h->b;
    struct budget_signal *s = signals_budget(control_signals(b->c), world_service_find(HERE(b), str_from(service)));
    static const enum signal_state states[] = {SIGNAL_KNOWN, SIGNAL_KNOWN, SIGNAL_KNOWN, SIGNAL_KNOWN,
                                               SIGNAL_KNOWN, SIGNAL_KNOWN, SIGNAL_NO_TRAFFIC, SIGNAL_UNKNOWN};
    enum signal_state state = states[roll(h, 8)];
    *s = (struct budget_signal){state, state == SIGNAL_NO_TRAFFIC ? PPM_ONE : state == SIGNAL_UNKNOWN ? 0 : 150000 + roll(h, 850000),
                                control_now(b->c) - roll(h, 100000), ""};
    snprintf(s->reason, sizeof s->reason, "%s", state == SIGNAL_UNKNOWN ? "no answer" : "");
    if (roll(h, 12) == 0) {
        *s = (struct budget_signal){.state = SIGNAL_UNKNOWN}; /* as after a start */
    }
}

static void happen_propose(struct history *h)
{
    static const char *const tools[] = {"scale", "scale", "tune", "wipe", "look", "nothing"};
    struct bench *b = h->b;
    struct decided d = {0};
    const struct principal *who = roll(h, 3) == 0 ? &b->cat : &b->bot;
    if (propose_as(b, who, tools[roll(h, 6)], roll(h, 1000), roll(h, 20) == 0 ? "please" : "", &d) != RC_OK) {
        return; /* too many are open */
    }
    h->decisions += d.pending_again ? 0 : 1;
    if (!d.pending_again) {
        h->open[h->open_count++ % 64] = d.action;
    }
}

static void happen_next(struct history *h)
{
    struct bench *b = h->b;
    unsigned recent = h->open_count < 4 ? h->open_count : 4;
    uint64_t id = recent == 0 ? 0 : h->open[(h->open_count - 1 - roll(h, recent)) % 64];
    const struct action *a = id == 0 ? NULL : world_action(HERE(b), id);
    if (a == NULL) {
        return;
    }
    const struct principal *who = str_eq(str_from(world_agent_at(HERE(b), a->agent)->name), STR("cat")) ? &b->cat : &b->bot;
    settle(b);
    struct outcome o = {.succeeded = roll(h, 4) != 0};
    struct decided d;
    switch (a->state) {
    case ACTION_ESCALATED: (void)!approve(b, who == &b->cat ? &b->ann : &b->ben, id); break;
    case ACTION_ALLOWED:
    case ACTION_APPROVED:
        if (commit(b, who, id, NONCE).release == RELEASE_GO && roll(h, 8) != 0) { /* some are lost */
            (void)!control_outcome(b->c, b->a, who, id, NONCE, &o, &b->e);
        }
        break;
    case ACTION_HELD: (void)!control_decide(b->c, b->a, who, id, &d, &b->e); break;
    case ACTION_EXECUTING: (void)!control_outcome(b->c, b->a, who, id, NONCE, &o, &b->e); break;
    default: break;
    }
}

static void happen_around(struct history *h)
{
    struct bench *b = h->b;
    const struct stop_order order = {STOP_TOOL, STR("tune"), STOP_FULL, STR("look")};
    const struct str people[] = {STR("eve")};
    const struct on_call_report on_call = {STR("shop"), {people, roll(h, 4) == 0 ? 0 : 1}, roll(h, 4), 0};
    const struct evidence evidence = {.service = STR("shop"), .id = STR("s1")};
    switch (roll(h, 7)) {
    case 0: (void)!control_sli(b->c, b->a, STR("tok_1"), STR("web"), control_now(b->c) / 10000 * 10000, 990 + roll(h, 11), 1000, &b->e); break;
    case 1: (void)!control_deploy(b->c, b->a, &b->admin, roll(h, 2) == 0, STR("shop"), STR("d1"), STR("ok"), &b->e); break;
    case 2: (void)!control_on_call(b->c, b->a, &b->admin, &on_call, &b->e); break;
    case 3: (void)!control_evidence(b->c, b->a, &b->admin, &evidence, &b->e); break;
    case 4: (void)!control_tier_change(b->c, b->a, &b->admin,
                                      &(struct tier_order){STR("bot"), STR("shop"), roll(h, 2) == 0 ? TIER_AUTONOMOUS : TIER_SUPERVISED, STR("so")},
                                      NULL, &b->e);
        break;
    default:
        if (h->stop == 0) {
            (void)!control_stop_set(b->c, b->a, &b->admin, &order, NULL, &h->stop, &b->e);
        } else {
            (void)!control_stop_lift(b->c, b->a, &b->admin, h->stop, STR("fine"), NULL, &b->e);
            h->stop = 0;
        }
    }
}

static void happen(struct history *h, unsigned times)
{
    const struct str people[] = {STR("eve")};
    assert_int_equal(control_on_call(h->b->c, h->b->a, &h->b->admin, &(struct on_call_report){STR("shop"), {people, 1}, 0, 0}, &h->b->e),
                     RC_OK);
    for (unsigned i = 0; i < times; i++) {
        pass(h->b, roll(h, 60000));
        measure(h, roll(h, 2) == 0 ? "shop" : "pay");
        happen_propose(h);
        happen_next(h);
        happen_next(h);
        if (roll(h, 4) == 0) {
            happen_around(h);
        }
        if (roll(h, 10) == 0) {
            tick(h->b);
        }
        if (roll(h, 100) == 0) {
            restart(h->b);
        }
    }
}

/* --- the policy that was in force ------------------------------------------------------------------------------------- */

static void the_same_policy_changes_nothing(void **state)
{
    int64_t verdicts[4] = {0};
    int64_t outcomes[2] = {0};
    for (uint64_t seed = 1; seed <= 3; seed++) { /* all three together have all of it */
        void *fresh = NULL;
        make(&fresh);
        struct history h = {.b = fresh, .random = seed};
        load_policy(h.b, HISTORY);
        happen(&h, 250);
        assert_true(h.decisions > 150);
        struct value report = report_of(h.b, HISTORY);
        nothing_changes(&report, h.decisions);
        outcomes[0] += number(&report, "harm", "actions");
        outcomes[1] += number(&report, "good", "actions");
        static const char *const names[] = {"allow", "hold", "escalate", "deny"};
        for (size_t i = 0; i < 4; i++) {
            verdicts[i] += decided_before(&report, names[i]);
        }
        drop(&fresh);
    }
    assert_true(outcomes[0] > 5 && outcomes[1] > 5);
    for (size_t i = 0; i < 4; i++) {
        assert_true(verdicts[i] > 10); /* a history in which nothing happens proves nothing */
    }
    (void)state;
}

/* Policies come and go: rules that never hold, laid over whichever was in force. */
static void idle_rules_over_it_change_nothing(void **state)
{
    struct history h = {.b = *state, .random = 7};
    struct value rules;
    load_policy(h.b, HISTORY);
    happen(&h, 120);
    load_policy(h.b, "{'mode':'advisory'," HISTORY_CATALOGUE "}");
    happen(&h, 60);
    load_policy(h.b, "{'checks':{'error_budget':{'mode':'off'}}," HISTORY_CATALOGUE "," HISTORY_RULES "}");
    happen(&h, 60);
    assert_int_equal(json_parse(h.b->a, STR("[{\"name\":\"idle\",\"condition\":\"action.tool == 'none'\",\"verdict\":\"deny\"}]"),
                                &rules, &h.b->e), RC_OK);
    const struct rules_file file = {STR("idle.yaml"), rules};
    struct value report;
    struct backtest_options o = {.rules = &file, .rules_count = 1, .examples = 3};
    assert_int_equal(run(h.b, &o, &report), RC_OK);
    nothing_changes(&report, h.decisions);
    assert_int_equal(number(rule_named(&report, "idle"), "held", NULL), 0);
    assert_true(number(rule_named(&report, "much"), "held", NULL) > 0);
    assert_int_equal(number(rule_named(&report, "much"), "held", NULL), number(rule_named(&report, "much"), "held_before", NULL));
    assert_int_equal(number(rule_named(&report, "much"), "decided", NULL), number(rule_named(&report, "much"), "decided_before", NULL));
}

/* Conditions of every kind, those that fail at the first word too. */
static void write_shadow_rules(struct history *h, struct buf *out, unsigned count)
{
    static const char *const terms[][2] = {
        {"action.params.n > ", ""},           {"action.class == 'write' || 5 < ", ""},
        {"budgets.exists(b, b.remaining_pct < ", ".0)"}, {"signals.her_pct > ", ".0"},
        {"service.labels.replicas > ", ""},   {"action.params.none == ", ""},
        {"agent.name == 'bot' && 1 != ", ""}, {"now.getHours() > ", ""},
        {"memory.failed > ", ""},             {"services.all(s, s.traffic_pct < ", ".0)"},
        {"impact.traffic_pct > ", ".0"},
    };
    static const char *const verdicts[] = {"deny", "escalate", "hold", "advise"};
    buf_char(out, '[');
    for (unsigned i = 0; i < count; i++) {
        buf_printf(out, "%s{\"name\":\"s-%u\",\"mode\":\"shadow\",\"verdict\":\"%s\",\"condition\":\"", i == 0 ? "" : ",", i,
                   verdicts[roll(h, 4)]);
        for (int side = 0; side < 2; side++) {
            const char *const *term = terms[roll(h, sizeof terms / sizeof *terms)];
            buf_printf(out, "%s(%s%u%s)", side == 0 ? "" : roll(h, 2) == 0 ? " || " : " && ", term[0], roll(h, 100), term[1]);
        }
        buf_str(out, STR("\"}"));
    }
    buf_char(out, ']');
}

static void rules_in_shadow_change_nothing(void **state)
{
    struct history h = {.b = *state, .random = 17};
    int64_t held = 0;
    load_policy(h.b, HISTORY);
    happen(&h, 120);
    for (int round = 0; round < 8; round++) {
        struct buf text;
        struct value rules;
        struct value report;
        buf_init(&text, 1 << 20);
        write_shadow_rules(&h, &text, 12);
        if (json_parse(h.b->a, arena_str(h.b->a, buf_view(&text)), &rules, &h.b->e) != RC_OK) {
            print_error("%s\n%.*s\n", h.b->e.text, STR_ARG(buf_view(&text)));
            fail();
        }
        const struct rules_file file = {STR("shadow.yaml"), rules};
        struct backtest_options o = {.rules = &file, .rules_count = 1, .examples = 3};
        if (run(h.b, &o, &report) != RC_OK) {
            print_error("%s: %s\n", h.b->e.where, h.b->e.text);
            fail();
        }
        nothing_changes(&report, h.decisions);
        for (uint32_t i = 0; value_item(value_get(&report, STR("by_rule")), i) != NULL; i++) {
            const struct value *rule = value_item(value_get(&report, STR("by_rule")), i);
            bool shadow = str_starts(value_text(value_get(rule, STR("rule"))), STR("s-"));
            held += shadow ? number(rule, "held", NULL) : 0;
            assert_true(!shadow || number(rule, "decided", NULL) == 0);
        }
        buf_done(&text);
    }
    assert_true(held > 100);
}

static struct str text_of(struct bench *b, const struct value *v)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    json_write_canonical(&text, v, b->a);
    struct str kept = arena_str(b->a, buf_view(&text));
    buf_done(&text);
    return kept;
}

#define STRICTER                                                                                               \
    "{'checks':{'error_budget':{'min_pct':60}}," HISTORY_CATALOGUE ",'rules':[{'name':'half','condition':"        \
    "'action.params.n > 500','verdict':'escalate'}]}"

static void it_is_deterministic(void **state)
{
    struct history h = {.b = *state, .random = 11};
    load_policy(h.b, HISTORY);
    happen(&h, 150);
    struct value first = report_of(h.b, STRICTER);
    struct value second = report_of(h.b, STRICTER);
    assert_true(number(&first, "changed", NULL) > 0);
    assert_true(str_eq(text_of(h.b, &first), text_of(h.b, &second)));
    int64_t sum = 0;
    const struct value *matrix = value_get(&first, STR("matrix"));
    for (uint32_t i = 0; i < matrix->count; i++) {
        for (uint32_t k = 0; k < matrix->members[i].value.count; k++) {
            sum += matrix->members[i].value.members[k].value.integer;
        }
    }
    assert_int_equal(sum, number(&first, "decisions", NULL));
}

/* Returns once its entry is there. */
static void take_snapshot(struct bench *b)
{
    int64_t next;
    bool bound = false;
    uint64_t seq = control_read_seq(b->c);
    settle(b);
    b->c->snapshot_wanted = true;
    control_tick(b->c, &next);
    while (!bound) {
        await_wake(b);
        control_durable_changed(b->c);
        for (; seq < control_read_seq(b->c) && !bound; seq++) {
            struct entry entry;
            struct value body;
            settle(b);
            assert_int_equal(control_read_entry(b->c, b->a, seq, &entry, &body, &b->e), RC_OK);
            bound = entry.kind == ENTRY_LEDGER_SNAPSHOT;
        }
    }
    settle(b);
}

/* A window in the middle is what the whole says of it; a snapshot before it is where it begins. */
static void windows_add_up(void **state)
{
    struct history h = {.b = *state, .random = 13};
    load_policy(h.b, HISTORY);
    happen(&h, 80);
    take_snapshot(h.b);
    int64_t middle_ms = control_now(h.b->c) + 1;
    int64_t before = h.decisions;
    pass(h.b, 1000);
    happen(&h, 80);
    struct policy *p = read_policy(h.b, STRICTER);
    struct value whole;
    struct value parts[2];
    struct backtest_options o = {.policy = p};
    assert_int_equal(run(h.b, &o, &whole), RC_OK);
    o.until_ms = middle_ms;
    assert_int_equal(run(h.b, &o, &parts[0]), RC_OK);
    o.until_ms = 0;
    o.from_ms = middle_ms;
    assert_int_equal(run(h.b, &o, &parts[1]), RC_OK);
    assert_int_equal(number(&whole, "window", "folded_from_seq"), 0);
    assert_true(number(&parts[1], "window", "folded_from_seq") > 0);
    assert_int_equal(number(&parts[0], "decisions", NULL), before);
    assert_int_equal(number(&parts[1], "decisions", NULL), h.decisions - before);
    static const char *const counts[] = {"changed", "stricter", "looser", "not_decidable"};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(number(&parts[0], counts[i], NULL) + number(&parts[1], counts[i], NULL), number(&whole, counts[i], NULL));
    }
    policy_free(p);
}

/* --- another one -------------------------------------------------------------------------------------------------------- */

static void set_remaining(struct bench *b, const char *service, int64_t ppm)
{
    struct budget_signal *s = signals_budget(control_signals(b->c), world_service_find(HERE(b), str_from(service)));
    *s = (struct budget_signal){SIGNAL_KNOWN, ppm, control_now(b->c), ""};
}

static void harm_is_told(void **state)
{
    struct bench *b = *state;
    struct decided bad = propose(b, "scale", 1, "");
    struct decided good = propose(b, "scale", 2, "");
    assert_int_equal(bad.decision.verdict, VERDICT_ALLOW);
    struct outcome failed = {.succeeded = false};
    assert_int_equal(commit(b, &b->bot, bad.action, NONCE).release, RELEASE_GO);
    assert_int_equal(control_outcome(b->c, b->a, &b->bot, bad.action, NONCE, &failed, &b->e), RC_OK);
    assert_int_equal(commit(b, &b->bot, good.action, NONCE).release, RELEASE_GO);
    assert_int_equal(finish(b, good.action, NONCE), RC_OK);
    struct value r = report_of(b, "{" CATALOGUE ",'rules':[{'name':'one','condition':'action.params.n == 1','verdict':'deny'}]}");
    assert_int_equal(number(&r, "harm", "actions"), 1);
    assert_int_equal(number(&r, "harm", "stopped"), 1);
    assert_int_equal(number(&r, "good", "blocked"), 0);
    const struct value *one = value_item(value_path(&r, "examples", "stopped_harm", NULL), 0);
    assert_str(value_text(value_path(one, "now", "reason", NULL)), "rule one");
    assert_str(value_text(value_path(one, "before", "verdict", NULL)), "allow");
    const struct value *rule = value_item(value_get(&r, STR("by_rule")), 0);
    assert_int_equal(number(rule, "held", NULL), 1);
    assert_int_equal(number(rule, "decided", NULL), 1);
    assert_int_equal(number(rule, "would_block", NULL), 1);
    r = report_of(b, "{" CATALOGUE ",'rules':[{'name':'two','condition':'action.params.n == 2','verdict':'hold'}]}");
    assert_int_equal(number(&r, "harm", "stopped"), 0);
    assert_int_equal(number(&r, "good", "blocked"), 1);
}

static void a_shadow_rule_only_counts(void **state)
{
    struct bench *b = *state;
    propose(b, "scale", 1, "");
    struct value r = report_of(
        b, "{" CATALOGUE ",'rules':[{'name':'one','condition':'true','verdict':'deny','mode':'shadow'}]}");
    assert_int_equal(number(&r, "changed", NULL), 0);
    const struct value *rule = value_item(value_get(&r, STR("by_rule")), 0);
    assert_int_equal(number(rule, "held", NULL), 1);
    assert_int_equal(number(rule, "decided", NULL), 0);
    assert_int_equal(number(rule, "would_block", NULL), 1);
    assert_str(value_text(value_get(rule, STR("mode"))), "shadow");
}

#define WITH_SLO(slo) "{'agents':[{'name':'bot','owner':'ann'}],'services':[{'name':'shop'," slo "},{'name':'web','depends_on':['shop'],'slo':{" \
                      "'objective':99.0,'prometheus':{'ratio':'w'}}}],'tools':[{'name':'scale','class':'write','services':['shop'],'parameters':true}]}"

/* What nobody recorded is not decidable, unless something else is as strict. */
static void what_was_not_recorded_is_not_decidable(void **state)
{
    struct bench *b = *state;
    propose(b, "scale", 1, "");
    /* web has an SLO now; nobody measured it then. */
    struct value r = report_of(b, WITH_SLO(SLO));
    assert_int_equal(number(&r, "not_decidable", NULL), 1);
    assert_int_equal(number(value_item(value_get(&r, STR("by_check")), 0), "not_decidable", NULL), 1);
    assert_int_equal(number(&r, "changed", NULL), 0);
    assert_int_equal(value_get(value_get(&r, STR("only_in_force")), STR("agents"))->count, 1);
    assert_str(value_text(value_item(value_path(&r, "only_in_force", "agents", NULL), 0)), "cat");
    /* The same budget for another objective is another budget. */
    r = report_of(b, "{'agents':[{'name':'bot','owner':'ann'}],'services':[{'name':'shop','slo':{'objective':99.0,'prometheus':{'ratio':'r'}}}]}");
    assert_int_equal(number(&r, "not_decidable", NULL), 1);
    /* A denial is one whatever the budget was. */
    r = report_of(b, "{'services':[{'name':'shop','slo':{'objective':99.0,'prometheus':{'ratio':'r'}}}],"
                     "'rules':[{'name':'no','condition':'true','verdict':'deny'}]}");
    assert_int_equal(number(&r, "not_decidable", NULL), 0);
    assert_int_equal(number(&r, "stricter", NULL), 1);
    /* The check that would need it is off. */
    r = report_of(b, "{'checks':{'error_budget':{'mode':'off'}},'services':[{'name':'shop','slo':{'objective':99.0,"
                     "'prometheus':{'ratio':'r'}}}]}");
    assert_int_equal(number(&r, "not_decidable", NULL), 0);
    /* Nobody asked this validator. */
    r = report_of(b, "{" CATALOGUE ",'validators':[{'name':'opa','type':'opa','url':'http://127.0.0.1:1/v1/data/x'}]}");
    assert_int_equal(number(&r, "not_decidable", NULL), 1);
    /* Nor counted what its breaker would have. */
    set_remaining(b, "shop", PPM_ONE);
}

#define ASKING(url) "{" CATALOGUE ",'validators':[{'name':'opa','type':'opa','url':'" url "','on_deny':'escalate'}]}"

/* What a validator said counts when it is the one that was asked. */
static void answers_are_those_that_were_given(void **state)
{
    struct bench *b = *state;
    struct value given = value_object();
    struct validator_round *round = arena_alloc(b->a, sizeof *round);
    struct decided d;
    load_policy(b, ASKING("http://127.0.0.1:1/v1/data/x"));
    struct request q = {.agent = STR("bot"), .claimed_tool = STR("scale"), .given = &given, .round = round};
    assert_int_equal(control_propose(b->c, b->a, &b->bot, &q, NULL, &d, &b->e), RC_UNAVAILABLE);
    assert_int_equal(round->count, 1);
    round->answers[0].answer = ANSWER_DENY;
    round->answers[0].text = STR("not today");
    round->answered = true;
    struct request again = {.agent = STR("bot"), .claimed_tool = STR("scale"), .given = &given, .round = round};
    assert_int_equal(control_propose(b->c, b->a, &b->bot, &again, NULL, &d, &b->e), RC_OK);
    assert_int_equal(d.decision.verdict, VERDICT_ESCALATE);
    struct value r = report_of(b, ASKING("http://127.0.0.1:1/v1/data/x"));
    nothing_changes(&r, 1);
    r = report_of(b, ASKING("http://127.0.0.1:2/v1/data/x"));
    assert_int_equal(number(&r, "not_decidable", NULL), 1);
    r = report_of(b, "{" CATALOGUE "}");
    assert_int_equal(number(value_path(&r, "matrix", "escalate", NULL), "allow", NULL), 1);
    assert_int_equal(number(&r, "looser", NULL), 1);
}

/* What lies beside an entry is read, and what was erased is not guessed. */
static void large_parts_are_put_back(void **state)
{
    struct bench *b = *state;
    static char text[6001];
    memset(text, 'x', 6000);
    struct value given = value_object();
    value_add_str(b->a, &given, STR("note"), str_from(text));
    struct request q = {.agent = STR("bot"), .claimed_tool = STR("scale"), .given = &given};
    struct decided d;
    assert_int_equal(control_propose(b->c, b->a, &b->bot, &q, NULL, &d, &b->e), RC_OK);
    settle(b);
    static const char *const long_one = "{" CATALOGUE ",'rules':[{'name':'long','condition':'size(action.params.note) == 6000','verdict':'hold'}]}";
    struct value r = report_of(b, long_one);
    assert_int_equal(number(&r, "stricter", NULL), 1);
    char command[600];
    snprintf(command, sizeof command,
             "python3 -c \"import sqlite3; d = sqlite3.connect('%s/ledger.db'); d.execute('DELETE FROM blob WHERE length(bytes) = 6000'); d.commit()\"",
             b->folder);
    assert_int_equal(system(command), 0);
    struct policy *p = read_policy(b, long_one);
    struct backtest_options o = {.policy = p};
    assert_int_equal(run(b, &o, &r), RC_CORRUPT); /* no erasure took it */
    assert_non_null(strstr(b->e.text, "is missing, and no erasure took it"));
    struct value body = value_object();
    uint64_t seq;
    value_add_int(b->a, &body, STR("through_seq"), (int64_t)d.action);
    struct append erased = {.kind = ENTRY_BLOBS_ERASED, .actor = STR("system"), .body = body};
    assert_int_equal(control_append(b->c, b->a, &erased, &seq, &b->e), RC_OK);
    assert_int_equal(run(b, &o, &r), RC_OK);
    assert_int_equal(number(&r, "not_decidable", NULL), 1);
    assert_int_equal(number(&r, "erased", NULL), 1);
    policy_free(p);
}

static void agents_are_chosen(void **state)
{
    struct bench *b = *state;
    struct decided d;
    propose(b, "scale", 1, "");
    assert_int_equal(propose_as(b, &b->cat, "scale", 2, "", &d), RC_OK);
    struct policy *p = read_policy(b, "{" CATALOGUE "}");
    const struct str globs[] = {STR("c*")};
    struct value r;
    struct backtest_options o = {.policy = p, .agents = globs, .agent_count = 1};
    assert_int_equal(run(b, &o, &r), RC_OK);
    assert_int_equal(number(&r, "decisions", NULL), 1);
    const struct str none[] = {STR("x*")};
    o.agents = none;
    assert_int_equal(run(b, &o, &r), RC_NOT_FOUND);
    assert_non_null(strstr(b->e.text, "no action of these agents was decided from 1970-01-01T00:00:00.000Z to "));
    policy_free(p);
}

static void an_empty_window_is_said(void **state)
{
    struct bench *b = *state;
    struct policy *p = read_policy(b, "{" CATALOGUE "}");
    struct value r;
    struct backtest_options o = {.policy = p, .from_ms = START_MS, .until_ms = START_MS + HOUR_MS};
    assert_int_equal(run(b, &o, &r), RC_NOT_FOUND);
    check_error(b, RC_NOT_FOUND, RC_NOT_FOUND, "no action was decided from 2027-01-15T08:00:00.000Z to 2027-01-15T09:00:00.000Z");
    o = (struct backtest_options){.policy = p, .from_ms = START_MS - DAY_MS, .until_ms = START_MS - HOUR_MS};
    assert_int_equal(run(b, &o, &r), RC_NOT_FOUND);
    policy_free(p);
}

static void rules_that_do_not_compile_are_refused(void **state)
{
    struct bench *b = *state;
    struct value rules;
    propose(b, "scale", 1, "");
    assert_int_equal(json_parse(b->a, STR("[{\"name\":\"bad\",\"condition\":\"agent.teir == 'x'\",\"verdict\":\"deny\"}]"), &rules, &b->e),
                     RC_OK);
    const struct rules_file file = {STR("bad.yaml"), rules};
    struct value r;
    struct backtest_options o = {.rules = &file, .rules_count = 1};
    assert_int_equal(run(b, &o, &r), RC_INVALID);
    assert_non_null(strstr(b->e.text, "teir"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_policy_changes_nothing),
        TEST(idle_rules_over_it_change_nothing),
        TEST(rules_in_shadow_change_nothing),
        TEST(it_is_deterministic),
        TEST(windows_add_up),
        TEST(harm_is_told),
        TEST(a_shadow_rule_only_counts),
        TEST(what_was_not_recorded_is_not_decidable),
        TEST(answers_are_those_that_were_given),
        TEST(large_parts_are_put_back),
        TEST(agents_are_chosen),
        TEST(an_empty_window_is_said),
        TEST(rules_that_do_not_compile_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
