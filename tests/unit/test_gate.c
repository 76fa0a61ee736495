/* gate: the checks and their fold by text cases, then what is gathered, released and recorded. */
#include "check.h"
#include "maker.h"

#include "base/must.h"
#include "gate/gate.h"

#define NOW_MS (MAKER_BASE_S * 1000LL)

/* --- text cases: policy, request and facts, and what must come of them ----------------------------------- */

struct gate_case {
    const struct value *v;
    struct arena *a;
    const char *file;
};

static _Noreturn void fail_case(const struct gate_case *c, const char *what, struct str got)
{
    struct str name = value_text(value_get(c->v, STR("name")));
    print_error("%s, \"%.*s\": %s is %.*s\n", c->file, STR_ARG(name), what, STR_ARG(got));
    fail();
    abort();
}

static struct policy *case_policy(const struct gate_case *c)
{
    const struct value *v = value_get(c->v, STR("policy"));
    struct value none = value_object();
    struct policy *p = NULL;
    struct err e;
    if (policy_read(STR(""), v == NULL ? &none : v, &p, &e) != RC_OK) {
        fail_case(c, "the policy", str_from(e.text));
    }
    return p;
}

static void case_tool(const struct gate_case *c, struct tool_def *ret)
{
    struct value t = value_object();
    value_add_str(c->a, &t, STR("name"), STR("t"));
    value_add_str(c->a, &t, STR("class"), STR("write"));
    const struct value *v = value_get(c->v, STR("tool"));
    struct err e;
    struct reader r = {c->a, STR(""), &e};
    if (tool_def_read(&r, v == NULL ? &t : v, ret) != RC_OK) {
        fail_case(c, "the tool", str_from(e.text));
    }
}

static struct request case_request(const struct gate_case *c, const struct tool_def *tool)
{
    static const char *const derived[] = {"ok", "no_tool", "ambiguous", "claim_mismatch", "bad_parameters",
                                          "unknown_service"};
    const struct value *v = value_get(c->v, STR("request"));
    struct request q;
    request_read(v, &q);
    q.agent = q.agent.len == 0 ? STR("bot") : q.agent;
    q.target = value_text(value_get(v, STR("target")));
    q.derive_detail = value_text(value_get(v, STR("detail")));
    q.tool = tool;
    struct str word = value_text(value_get(v, STR("derived")));
    for (unsigned i = 0; i < sizeof derived / sizeof *derived; i++) {
        if (str_eq(word, str_from(derived[i]))) {
            q.derived = (enum derive_result)i;
        }
    }
    q.tool = q.derived == DERIVE_NO_TOOL ? NULL : tool;
    return q;
}

/* What the case does not say is well; null is not known. */
static struct facts case_facts(const struct gate_case *c)
{
    static const struct {
        const char *name;
        const char *json;
    } rows[] = {{"agent", "\"active\""},
                {"aqdd", "[0,-1,-1]"},
                {"budgets", "[[\"shop\",\"known\",1000000,0,\"given\"]]"},
                {"her", "[0,50]"}};
    struct value all = value_object();
    const struct value *given = value_get(c->v, STR("facts"));
    for (uint32_t i = 0; given != NULL && i < given->count; i++) {
        if (given->members[i].value.type != VALUE_NULL) {
            value_add(c->a, &all, given->members[i].name, given->members[i].value);
        }
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (value_get(given, str_from(rows[i].name)) == NULL) {
            struct value v;
            assert_int_equal(json_parse(c->a, str_from(rows[i].json), &v, NULL), RC_OK);
            value_add(c->a, &all, str_from(rows[i].name), v);
        }
    }
    struct facts f;
    struct err e;
    if (facts_read(&all, &f, &e) != RC_OK) {
        fail_case(c, "a fact", str_from(e.text));
    }
    return f;
}

static struct value decision_value(struct arena *a, const struct decision *d)
{
    struct value v = value_object();
    value_add_str(a, &v, STR("verdict"), str_from(verdict_name(d->verdict)));
    value_add(a, &v, STR("blocking"),
              d->blocking < 0 ? value_null() : value_string(str_from(check_name((enum check)d->blocking))));
    value_add_int(a, &v, STR("retry_after_ms"), d->retry_after_ms);
    value_add_bool(a, &v, STR("capped"), d->capped);
    value_add_bool(a, &v, STR("own"), d->escalated_by_own);
    struct value unknown = value_array();
    struct value shadow = value_array();
    for (unsigned i = 0; i < CHECK_COUNT; i++) {
        if (d->findings[i].unknown) {
            value_push(a, &unknown, value_string(str_from(check_name((enum check)i))));
        }
        if (d->findings[i].shadow) {
            value_push(a, &shadow, value_string(str_from(check_name((enum check)i))));
        }
    }
    value_add(a, &v, STR("unknown"), unknown);
    value_add(a, &v, STR("shadow"), shadow);
    return v;
}

static struct value finding_value(struct arena *a, const struct finding *f)
{
    struct value v = value_array();
    value_push(a, &v, value_string(str_from(verdict_name(f->verdict))));
    value_push(a, &v, value_string(str_from(reason_name(f->reason))));
    value_push(a, &v, value_int(f->value));
    value_push(a, &v, value_int(f->threshold));
    value_push(a, &v, value_string(f->subject));
    return v;
}

static void check_value(const struct gate_case *c, struct str name, const struct value *got, const struct value *want)
{
    if (got == NULL || !value_eq(got, want)) {
        struct buf text;
        buf_init(&text, 4096);
        if (got != NULL) {
            json_write(&text, got);
        }
        char what[64];
        must(str_to_c(name, what, sizeof what));
        fail_case(c, what, buf_view(&text));
    }
}

static void check_wanted(const struct gate_case *c, const struct decision *d)
{
    const struct value *want = value_get(c->v, STR("want"));
    assert_true(value_is(want, VALUE_OBJECT) && value_get(want, STR("verdict")) != NULL);
    struct value got = decision_value(c->a, d);
    for (uint32_t i = 0; i < want->count; i++) {
        struct str name = want->members[i].name;
        if (!str_eq(name, STR("findings"))) {
            check_value(c, name, value_get(&got, name), &want->members[i].value);
        }
    }
    const struct value *findings = value_get(want, STR("findings"));
    for (uint32_t i = 0; findings != NULL && i < findings->count; i++) {
        enum check check = CHECK_COUNT;
        assert_true(check_parse(findings->members[i].name, &check));
        struct value finding = finding_value(c->a, &d->findings[check]);
        finding.count = findings->members[i].value.count < finding.count ? findings->members[i].value.count : finding.count;
        check_value(c, findings->members[i].name, &finding, &findings->members[i].value);
    }
}

static const struct agent_def *case_agent(const struct policy *p, struct str name, struct agent_def *room)
{
    for (uint32_t i = 0; i < p->agent_count; i++) {
        if (str_eq(p->agents[i].name, name)) {
            return &p->agents[i];
        }
    }
    *room = (struct agent_def){.name = STR("bot"), .owner = STR("ann")};
    return str_eq(name, room->name) ? room : NULL;
}

/* A decision that was written down and read back, judged again from what was written. */
static void check_recorded(const struct gate_case *c, const struct check_input *in, const struct decision *d)
{
    struct value findings = findings_write(c->a, d);
    struct value facts = facts_write(c->a, in->facts);
    struct decision read;
    struct facts again;
    assert_int_equal(findings_read(&findings, &read, NULL), RC_OK);
    assert_int_equal(facts_read(&facts, &again, NULL), RC_OK);
    struct check_input second = *in;
    second.facts = &again;
    struct decision judged;
    gate_judge(&second, &judged);
    assert_int_equal(judged.verdict, d->verdict);
    assert_int_equal(judged.blocking, d->blocking);
    for (unsigned i = 0; i < CHECK_COUNT; i++) {
        struct value want = finding_value(c->a, &d->findings[i]);
        struct value got = finding_value(c->a, &read.findings[i]);
        struct value once_more = finding_value(c->a, &judged.findings[i]);
        check_value(c, STR("a finding read back"), &got, &want);
        check_value(c, STR("a finding judged again"), &once_more, &want);
        assert_int_equal(read.findings[i].shadow, d->findings[i].shadow);
        assert_int_equal(read.findings[i].unknown, d->findings[i].unknown);
        assert_int_equal(read.findings[i].release_ms, d->findings[i].release_ms);
    }
}

static void run_case(const struct gate_case *c)
{
    struct policy *p = case_policy(c);
    struct tool_def tool;
    case_tool(c, &tool);
    struct request q = case_request(c, &tool);
    struct facts f = case_facts(c);
    struct agent_def room;
    const struct agent_def *agent = case_agent(p, q.agent, &room);
    struct thresholds set;
    struct check_input in = {
        .policy = p,
        .thresholds = policy_thresholds(p, q.tool == NULL ? STR("") : q.tool->task_class,
                                        agent == NULL ? (struct threshold_changes){NULL, 0} : agent->checks, &set),
        .agent = agent,
        .request = &q,
        .facts = &f,
        .now_ms = NOW_MS,
    };
    struct decision d;
    gate_judge(&in, &d);
    check_wanted(c, &d);
    check_recorded(c, &in, &d);
    policy_free(p);
}

static void run_file(void **state)
{
    const char *name = *state;
    char path[512];
    snprintf(path, sizeof path, "%s/%s.json", CASES_FOLDER, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *text = malloc(1 << 20);
    size_t len = fread(text, 1, 1 << 20, file);
    fclose(file);
    CLEANUP(arena) struct arena *a = arena_new(64 << 20);
    struct value cases;
    struct err e;
    if (json_parse(a, (struct str){text, len}, &cases, &e) != RC_OK) {
        print_error("%s: %s: %s\n", path, e.where, e.text);
        fail();
    }
    assert_true(value_is(&cases, VALUE_ARRAY) && cases.count > 5);
    for (uint32_t i = 0; i < cases.count; i++) {
        run_case(&(struct gate_case){&cases.items[i], a, name});
    }
    free(text);
}

/* --- gathering ---------------------------------------------------------------------------------------------- */

struct scene {
    struct maker m;
    struct signals signals;
    struct request q;
    struct facts facts;
    struct decision decision;
};

static void scene_init(struct scene *s, const char *policy)
{
    maker_init(&s->m, 1);
    signals_init(&s->signals);
    maker_add(&s->m, ENTRY_LEDGER_CREATED, "system", NULL, "{'origin':'example.org/pawl'}");
    maker_policy(&s->m, policy);
}

static void scene_done(struct scene *s)
{
    signals_done(&s->signals);
    maker_done(&s->m);
}

static void scene_decide(struct scene *s, const char *request, const struct action *again)
{
    struct value *v = arena_alloc(s->m.a, sizeof *v);
    *v = maker_value(&s->m, request);
    request_read(v, &s->q);
    assert_int_equal(request_derive(s->m.a, s->m.w, &s->q, NULL), RC_OK);
    struct gate_input in = {.world = s->m.w,
                            .policy = world_policy(s->m.w),
                            .signals = &s->signals,
                            .request = &s->q,
                            .now_ms = s->m.now_ms,
                            .again = again};
    gate_decide(&in, &s->facts, &s->decision);
}

static void set_budget(struct scene *s, const char *service, enum signal_state state, int64_t ppm, int64_t age_ms)
{
    struct budget_signal *b = signals_budget(&s->signals, world_service_find(s->m.w, str_from(service)));
    *b = (struct budget_signal){state, ppm, s->m.now_ms - age_ms, ""};
}

#define PROMETHEUS "'slo':{'objective':99.9,'prometheus':{'ratio':'r'}}"
#define SHOP "{'name':'shop'," PROMETHEUS "}"
#define BOT "'agents':[{'name':'bot','owner':'ann'}]"
#define TOOLS "'tools':[{'name':'t','class':'write','services':['shop']},{'name':'look','class':'read','services':['shop']}," \
              "{'name':'wipe','class':'destructive','services':['shop']},{'name':'free','class':'write'}," \
              "{'name':'many','class':'write','services':['shop','db']}]"

static void what_was_never_polled_is_unknown(void **state)
{
    (void)state;
    struct scene s;
    scene_init(&s, "{" BOT "," TOOLS ",'services':[" SHOP "]}");
    scene_decide(&s, "{'agent':'bot','claimed_tool':'t'}", NULL);
    assert_int_equal(s.facts.budget_count, 1);
    assert_int_equal(s.facts.budgets[0].state, SIGNAL_UNKNOWN);
    assert_int_equal(s.facts.budgets[0].age_ms, -1);
    assert_str(s.facts.budgets[0].reason, "not polled yet");
    assert_int_equal(s.decision.verdict, VERDICT_HOLD);
    scene_done(&s);
}

static void a_budget_grows_stale(void **state)
{
    (void)state;
    static const struct {
        int64_t age_ms;
        enum signal_state want;
    } rows[] = {{0, SIGNAL_KNOWN},       {119999, SIGNAL_KNOWN},  {120000, SIGNAL_KNOWN},
                {120001, SIGNAL_STALE},  {-120000, SIGNAL_KNOWN}, {-120001, SIGNAL_STALE}};
    struct scene s;
    scene_init(&s, "{" BOT "," TOOLS ",'services':[" SHOP "]}");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        set_budget(&s, "shop", SIGNAL_KNOWN, 1000000, rows[i].age_ms);
        scene_decide(&s, "{'agent':'bot','claimed_tool':'t'}", NULL);
        assert_int_equal(s.facts.budgets[0].state, rows[i].want);
        assert_int_equal(s.facts.budgets[0].age_ms, rows[i].age_ms);
        assert_int_equal(s.decision.verdict, rows[i].want == SIGNAL_KNOWN ? VERDICT_ALLOW : VERDICT_HOLD);
    }
    set_budget(&s, "shop", SIGNAL_NO_TRAFFIC, 1000000, 120001);
    scene_decide(&s, "{'agent':'bot','claimed_tool':'t'}", NULL);
    assert_int_equal(s.facts.budgets[0].state, SIGNAL_STALE);
    scene_done(&s);
}

static void budgets_from_events(void **state)
{
    (void)state;
    struct scene s;
    scene_init(&s, "{" BOT "," TOOLS ",'services':[{'name':'shop','slo':{'objective':99,'window':'1h','events':true}}]}");
    scene_decide(&s, "{'agent':'bot','claimed_tool':'t'}", NULL);
    assert_int_equal(s.facts.budgets[0].state, SIGNAL_UNKNOWN);
    assert_str(s.facts.budgets[0].reason, "no event yet");
    maker_add(&s.m, ENTRY_SLI_BUCKET, "system", NULL, "{'service':'shop','at':'2027-01-15T08:00:00Z','good':0,'total':0}");
    scene_decide(&s, "{'agent':'bot','claimed_tool':'t'}", NULL);
    assert_int_equal(s.facts.budgets[0].state, SIGNAL_NO_TRAFFIC);
    assert_int_equal(s.decision.verdict, VERDICT_ALLOW);
    maker_add(&s.m, ENTRY_SLI_BUCKET, "system", NULL,
              "{'service':'shop','at':'2027-01-15T08:00:00Z','good':992,'total':1000}");
    scene_decide(&s, "{'agent':'bot','claimed_tool':'t'}", NULL);
    assert_int_equal(s.facts.budgets[0].state, SIGNAL_KNOWN);
    assert_int_equal(s.facts.budgets[0].remaining_ppm, 200000);
    assert_int_equal(s.decision.verdict, VERDICT_ALLOW);
    maker_add(&s.m, ENTRY_SLI_BUCKET, "system", NULL,
              "{'service':'shop','at':'2027-01-15T08:00:10Z','good':0,'total':1}");
    scene_decide(&s, "{'agent':'bot','claimed_tool':'t'}", NULL);
    assert_int_equal(s.decision.verdict, VERDICT_ESCALATE);
    s.m.now_ms += 130001; /* ten seconds ahead of the newest bucket, and two minutes */
    scene_decide(&s, "{'agent':'bot','claimed_tool':'t'}", NULL);
    assert_int_equal(s.facts.budgets[0].state, SIGNAL_STALE);
    scene_done(&s);
}

static void dependants_are_gathered_once(void **state)
{
    (void)state;
    struct scene s;
    scene_init(&s, "{" BOT "," TOOLS ",'services':[" SHOP ",{'name':'db'," PROMETHEUS "},"
                   "{'name':'web','depends_on':['shop','db']},{'name':'edge','depends_on':['web']},{'name':'alone'}]}");
    set_budget(&s, "shop", SIGNAL_KNOWN, 900000, 0);
    set_budget(&s, "db", SIGNAL_KNOWN, 800000, 0);
    scene_decide(&s, "{'agent':'bot','claimed_tool':'many'}", NULL);
    assert_int_equal(s.facts.budget_count, 4);
    assert_int_equal(s.facts.budgets_seen, 4);
    static const char *const names[] = {"shop", "db", "web", "edge"};
    for (unsigned i = 0; i < 4; i++) {
        assert_str(s.facts.budgets[i].service, names[i]);
        assert_int_equal(s.facts.budgets[i].dependant, i >= 2);
        assert_int_equal(s.facts.budgets[i].state, i >= 2 ? SIGNAL_NO_SLO : SIGNAL_KNOWN);
    }
    assert_int_equal(s.decision.verdict, VERDICT_ALLOW);
    scene_decide(&s, "{'agent':'bot','claimed_tool':'look'}", NULL);
    assert_int_equal(s.facts.budget_count, 0);
    scene_done(&s);
}

/* shop, and count services that call it, of which the one at `at` is as told and the others are whole. */
static void crowd(struct scene *s, unsigned count, unsigned at, enum signal_state state, int64_t ppm, const char *checks)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    buf_printf(&b, "{%s," BOT "," TOOLS ",'services':[" SHOP, checks);
    for (unsigned i = 0; i < count; i++) {
        buf_printf(&b, ",{'name':'c%u','depends_on':['shop']%s%s}", i, state == SIGNAL_NO_SLO && i == at ? "" : ",",
                   state == SIGNAL_NO_SLO && i == at ? "" : PROMETHEUS);
    }
    buf_str(&b, STR("]}"));
    buf_char(&b, '\0');
    scene_init(s, b.data);
    buf_done(&b);
    set_budget(s, "shop", SIGNAL_KNOWN, 1000000, 0);
    for (unsigned i = 0; i < count; i++) {
        char name[16];
        snprintf(name, sizeof name, "c%u", i);
        set_budget(s, name, i == at ? state : SIGNAL_KNOWN, i == at ? ppm : 900000, 0);
    }
}

/* However many there are, what decides is among the facts. */
static void the_list_keeps_what_decides(void **state)
{
    (void)state;
    static const struct {
        const char *checks;
        enum signal_state state;
        int64_t ppm;
        enum verdict want;
    } rows[] = {
        {"'mode':'enforce'", SIGNAL_KNOWN, 100000, VERDICT_ESCALATE},
        {"'mode':'enforce'", SIGNAL_UNKNOWN, 0, VERDICT_HOLD},
        {"'mode':'enforce'", SIGNAL_NO_SLO, 0, VERDICT_ALLOW},
        {"'checks':{'error_budget':{'require_slo':'dependants'}}", SIGNAL_NO_SLO, 0, VERDICT_HOLD},
    };
    static const unsigned places[] = {0, 30, 31, 32, 59};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t k = 0; k < sizeof places / sizeof *places; k++) {
            struct scene s;
            crowd(&s, 60, places[k], rows[i].state, rows[i].ppm, rows[i].checks);
            scene_decide(&s, "{'agent':'bot','claimed_tool':'t'}", NULL);
            assert_int_equal(s.facts.budget_count, FACT_BUDGETS_MAX);
            assert_int_equal(s.facts.budgets_seen, 61);
            assert_int_equal(s.decision.verdict, rows[i].want);
            scene_done(&s);
        }
    }
}

/* Forty that are unknown, and one that is known and low: low is stricter. */
static void unknowns_do_not_push_out_the_lowest(void **state)
{
    (void)state;
    static const unsigned places[] = {0, 20, 39, 59};
    for (size_t k = 0; k < sizeof places / sizeof *places; k++) {
        struct scene s;
        crowd(&s, 60, places[k], SIGNAL_KNOWN, 100000, "'mode':'enforce'");
        for (unsigned i = 0; i < 60; i++) {
            char name[16];
            snprintf(name, sizeof name, "c%u", i);
            if (i != places[k]) {
                set_budget(&s, name, SIGNAL_UNKNOWN, 0, 0);
            }
        }
        scene_decide(&s, "{'agent':'bot','claimed_tool':'t'}", NULL);
        assert_int_equal(s.facts.budget_count, FACT_BUDGETS_MAX);
        assert_int_equal(s.decision.verdict, VERDICT_ESCALATE);
        assert_int_equal(s.decision.findings[CHECK_ERROR_BUDGET].value, 100000);
        scene_done(&s);
    }
}

/* Forty without SLO, which do not count, and one that is unknown, which does. */
static void what_does_not_count_pushes_nothing_out(void **state)
{
    (void)state;
    for (unsigned place = 0; place < 60; place += 12) {
        struct scene s;
        struct buf b;
        buf_init(&b, 1 << 20);
        buf_str(&b, STR("{" BOT "," TOOLS ",'services':[" SHOP));
        for (unsigned i = 0; i < 60; i++) {
            buf_printf(&b, ",{'name':'c%u','depends_on':['shop']%s}", i, i == place ? "," PROMETHEUS : "");
        }
        buf_str(&b, STR("]}"));
        buf_char(&b, '\0');
        scene_init(&s, b.data);
        buf_done(&b);
        set_budget(&s, "shop", SIGNAL_KNOWN, 1000000, 0);
        scene_decide(&s, "{'agent':'bot','claimed_tool':'t'}", NULL);
        assert_int_equal(s.facts.budget_count, FACT_BUDGETS_MAX);
        assert_int_equal(s.decision.verdict, VERDICT_HOLD);
        scene_done(&s);
    }
}

static void deploys_keep_the_oldest_and_the_newest(void **state)
{
    (void)state;
    struct scene s;
    scene_init(&s, "{'checks':{'freeze':{'on_unknown':'deny','on_write':'hold'}}," BOT "," TOOLS
                   ",'services':[" SHOP ",{'name':'db'," PROMETHEUS "}]}");
    set_budget(&s, "shop", SIGNAL_KNOWN, 1000000, 2 * HOUR_MS * -1);
    maker_add(&s.m, ENTRY_DEPLOY_STARTED, "tok_1", NULL, "{'service':'db','id':'lost'}");
    s.m.now_ms += 2 * HOUR_MS;
    for (unsigned i = 0; i < 12; i++) {
        maker_add(&s.m, ENTRY_DEPLOY_STARTED, "tok_1", NULL,
                  arena_printf(s.m.a, "{'service':'shop','id':'d%u'}", i).ptr);
        s.m.now_ms += 1;
    }
    set_budget(&s, "shop", SIGNAL_KNOWN, 1000000, 0);
    set_budget(&s, "db", SIGNAL_KNOWN, 1000000, 0);
    scene_decide(&s, "{'agent':'bot','claimed_tool':'many'}", NULL);
    assert_int_equal(s.facts.deploy_count, FACT_DEPLOYS_MAX);
    assert_int_equal(s.decision.verdict, VERDICT_DENY);
    assert_int_equal(s.decision.findings[CHECK_FREEZE].reason, REASON_DEPLOY_UNKNOWN);
    /* Twelve that are lost, and the newest one is not. */
    maker_policy(&s.m, "{'checks':{'freeze':{'on_unknown':'hold','on_write':'deny'}}," BOT "," TOOLS
                       ",'services':[" SHOP ",{'name':'db'," PROMETHEUS "}]}");
    s.m.now_ms += 2 * HOUR_MS;
    maker_add(&s.m, ENTRY_DEPLOY_STARTED, "tok_1", NULL, "{'service':'db','id':'fresh'}");
    scene_decide(&s, "{'agent':'bot','claimed_tool':'many'}", NULL);
    assert_int_equal(s.decision.verdict, VERDICT_DENY);
    assert_int_equal(s.decision.findings[CHECK_FREEZE].reason, REASON_DEPLOY_IN_FLIGHT);
    scene_done(&s);
}

static void freezes_keep_the_longest(void **state)
{
    (void)state;
    struct scene s;
    struct buf b;
    buf_init(&b, 1 << 16);
    buf_str(&b, STR("{" BOT "," TOOLS ",'services':[" SHOP "],'freezes':["));
    for (unsigned i = 0; i < 12; i++) {
        buf_printf(&b, "%s{'name':'f%u','until':'2027-01-%uT00:00:00Z'}", i == 0 ? "" : ",", i, 16 + i);
    }
    buf_str(&b, STR("]}"));
    buf_char(&b, '\0');
    scene_init(&s, b.data);
    buf_done(&b);
    set_budget(&s, "shop", SIGNAL_KNOWN, 1000000, 0);
    scene_decide(&s, "{'agent':'bot','claimed_tool':'t'}", NULL);
    assert_int_equal(s.facts.freeze_count, FACT_FREEZES_MAX);
    assert_int_equal(s.decision.verdict, VERDICT_HOLD);
    assert_str(s.decision.findings[CHECK_FREEZE].subject, "f11");
    int64_t end;
    assert_true(instant_parse(STR("2027-01-27T00:00:00Z"), &end));
    assert_int_equal(s.decision.retry_after_ms, end - s.m.now_ms);
    scene_done(&s);
}

static void stops_cover_what_they_name(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        const char *tool;
        enum verdict want;
    } rows[] = {
        {"{'scope':'all','level':'stop','name':''}", "t", VERDICT_DENY},
        {"{'scope':'all','level':'stop','name':''}", "look", VERDICT_DENY},
        {"{'scope':'all','level':'pause','name':''}", "t", VERDICT_HOLD},
        {"{'scope':'all','level':'pause','name':''}", "look", VERDICT_ALLOW},
        {"{'scope':'agent','level':'stop','name':'bot'}", "t", VERDICT_DENY},
        {"{'scope':'agent','level':'stop','name':'other'}", "t", VERDICT_ALLOW},
        {"{'scope':'tool','level':'stop','name':'t'}", "t", VERDICT_DENY},
        {"{'scope':'tool','level':'stop','name':'t'}", "look", VERDICT_ALLOW},
        {"{'scope':'service','level':'stop','name':'shop'}", "t", VERDICT_DENY},
        {"{'scope':'service','level':'pause','name':'shop'}", "t", VERDICT_HOLD},
        {"{'scope':'service','level':'stop','name':'db'}", "t", VERDICT_ALLOW},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct scene s;
        scene_init(&s, "{" BOT "," TOOLS ",'services':[" SHOP ",{'name':'db'}]}");
        set_budget(&s, "shop", SIGNAL_KNOWN, 1000000, 0);
        maker_add(&s.m, ENTRY_STOP_SET, "tok_1", NULL, rows[i].body);
        scene_decide(&s, arena_printf(s.m.a, "{'agent':'bot','claimed_tool':'%s'}", rows[i].tool).ptr, NULL);
        if (s.decision.verdict != rows[i].want) {
            print_error("row %zu: %s\n", i, verdict_name(s.decision.verdict));
            fail();
        }
        scene_done(&s);
    }
}

/* Among many pauses a stop is found, and is the one that is named. */
static void a_stop_is_found_among_pauses(void **state)
{
    (void)state;
    struct scene s;
    scene_init(&s, "{" BOT "," TOOLS ",'services':[" SHOP "]}");
    set_budget(&s, "shop", SIGNAL_KNOWN, 1000000, 0);
    for (unsigned i = 0; i < FACT_STOPS_MAX + 3; i++) {
        maker_add(&s.m, ENTRY_STOP_SET, "tok_1", NULL, "{'scope':'agent','level':'pause','name':'bot'}");
    }
    scene_decide(&s, "{'agent':'bot','claimed_tool':'t'}", NULL);
    assert_int_equal(s.facts.stop_level, STOP_PAUSE);
    assert_int_equal(s.decision.verdict, VERDICT_HOLD);
    maker_add(&s.m, ENTRY_STOP_SET, "tok_1", NULL, "{'scope':'service','level':'stop','name':'shop'}");
    scene_decide(&s, "{'agent':'bot','claimed_tool':'t'}", NULL);
    assert_int_equal(s.facts.stop_level, STOP_FULL);
    assert_int_equal(s.facts.stop_count, FACT_STOPS_MAX);
    assert_int_equal(s.decision.verdict, VERDICT_DENY);
    assert_str(s.decision.findings[CHECK_STOP].subject, "shop");
    scene_done(&s);
}

static void people_and_rates_are_gathered(void **state)
{
    (void)state;
    struct scene s;
    scene_init(&s, "{" BOT "," TOOLS ",'services':[" SHOP "]}");
    set_budget(&s, "shop", SIGNAL_KNOWN, 1000000, 0);
    for (unsigned i = 0; i < 10; i++) {
        maker_action(&s.m, "bot", i < 2 ? "escalate" : "allow", i < 2 ? "'own':true," : "");
    }
    scene_decide(&s, "{'agent':'bot','claimed_tool':'t'}", NULL);
    assert_int_equal(s.facts.aqdd_depth, 2);
    assert_int_equal(s.facts.pending_of_agent, 2);
    assert_true(s.facts.her_known);
    assert_int_equal(s.facts.her_ppm, 200000);
    assert_int_equal(s.facts.her_sample, 10);
    assert_int_equal(s.decision.verdict, VERDICT_DENY); /* the third escalation */
    assert_int_equal(s.decision.findings[CHECK_REQUEST].reason, REASON_PENDING_LIMIT);
    /* One that is decided again: what was held counts the others, what stands itself does not. */
    uint64_t held = maker_action(&s.m, "bot", "hold", "");
    uint64_t approved = maker_action(&s.m, "bot", "allow", "");
    scene_decide(&s, "{'agent':'bot','claimed_tool':'t'}", world_action(s.m.w, held));
    assert_int_equal(s.decision.verdict, VERDICT_DENY);
    scene_decide(&s, "{'agent':'bot','claimed_tool':'t'}", world_action(s.m.w, approved));
    assert_int_equal(s.decision.verdict, VERDICT_ESCALATE);
    scene_decide(&s, "{'agent':'nobody','claimed_tool':'t'}", NULL);
    assert_false(s.facts.her_known);
    assert_int_equal(s.facts.agent, AGENT_UNKNOWN);
    assert_int_equal(s.decision.verdict, VERDICT_DENY);
    scene_done(&s);
}

static void the_state_of_an_agent_is_gathered(void **state)
{
    (void)state;
    struct scene s;
    scene_init(&s, "{'agents':[{'name':'a','owner':'o'},{'name':'b','owner':'o','suspended':true}]," TOOLS ",'services':[" SHOP "]}");
    scene_decide(&s, "{'agent':'a','claimed_tool':'look'}", NULL);
    assert_int_equal(s.facts.agent, AGENT_ACTIVE);
    assert_int_equal(s.decision.verdict, VERDICT_ALLOW);
    scene_decide(&s, "{'agent':'b','claimed_tool':'look'}", NULL);
    assert_int_equal(s.facts.agent, AGENT_SUSPENDED);
    maker_policy(&s.m, "{" TOOLS ",'services':[" SHOP "]}");
    scene_decide(&s, "{'agent':'a','claimed_tool':'look'}", NULL);
    assert_int_equal(s.facts.agent, AGENT_REMOVED);
    s.signals.clock_ok = false;
    scene_decide(&s, "{'agent':'a','claimed_tool':'t'}", NULL);
    assert_false(s.facts.clock_ok);
    scene_done(&s);
}

/* --- derivation ------------------------------------------------------------------------------------------------ */

static void requests_are_derived_from_the_catalogue(void **state)
{
    (void)state;
    static const struct {
        const char *request;
        enum derive_result want;
        const char *detail;
    } rows[] = {
        {"{'agent':'bot','claimed_tool':'free'}", DERIVE_OK, ""},
        {"{'agent':'bot','claimed_tool':'gone'}", DERIVE_NO_TOOL, ""},
        {"{'agent':'bot'}", DERIVE_NO_TOOL, ""},
        {"{'agent':'bot','claimed_tool':'scale'}", DERIVE_NO_TOOL, ""}, /* it has a command: its name is no way in */
        {"{'agent':'bot','claimed_tool':'free','parameters':{'x':1}}", DERIVE_BAD_PARAMETERS,
         "parameters: the tool takes no parameters"},
        {"{'agent':'bot','claimed_tool':'free','parameters':[]}", DERIVE_BAD_PARAMETERS, "parameters: expected an object"},
        {"{'agent':'bot','invocation':{'argv':['k','scale','shop','3'],'executable':'/bin/k'}}", DERIVE_OK, ""},
        {"{'agent':'bot','claimed_tool':'scale','claimed_service':'shop',"
         "'invocation':{'argv':['k','scale','shop','3'],'executable':'/bin/k'}}", DERIVE_OK, ""},
        {"{'agent':'bot','claimed_tool':'free','invocation':{'argv':['k','scale','shop','3'],'executable':'/bin/k'}}",
         DERIVE_CLAIM_MISMATCH, "claimed another tool; it is scale"},
        {"{'agent':'bot','claimed_service':'db','invocation':{'argv':['k','scale','shop','3'],'executable':'/bin/k'}}",
         DERIVE_CLAIM_MISMATCH, "does not touch the claimed service db"},
        {"{'agent':'bot','parameters':{'n':1},'invocation':{'argv':['k','scale','shop','3'],'executable':'/bin/k'}}",
         DERIVE_CLAIM_MISMATCH, "parameters of a command are read from it, not given"},
        {"{'agent':'bot','invocation':{'argv':['k','scale','gone','3'],'executable':'/bin/k'}}", DERIVE_UNKNOWN_SERVICE,
         "no such service: gone"},
        {"{'agent':'bot','invocation':{'argv':['k','scale','shop','99'],'executable':'/bin/k'}}", DERIVE_BAD_PARAMETERS, NULL},
        {"{'agent':'bot','invocation':{'argv':['k','dup'],'executable':'/bin/k'}}", DERIVE_AMBIGUOUS,
         "matches another tool as well: dup1"},
        {"{'agent':'bot','invocation':{'argv':['sh','-c','x'],'executable':'/bin/sh'}}", DERIVE_NO_TOOL, ""},
        {"{'agent':'bot','invocation':{'argv':[],'executable':'/bin/k'}}", DERIVE_NO_TOOL, ""},
        {"{'agent':'bot','invocation':{'argv':[1,2],'executable':'/bin/k'}}", DERIVE_NO_TOOL, ""},
        {"{'agent':'bot','invocation':{'mcp':'k8s__get'}}", DERIVE_OK, ""},
        {"{'agent':'bot','invocation':{'mcp':'k8s__put'}}", DERIVE_NO_TOOL, ""},
        {"{'agent':'bot','claimed_tool':'tmpl'}", DERIVE_BAD_PARAMETERS,
         "target: parameter \"svc\" is missing: expected a text or a whole number"},
    };
    struct scene s;
    scene_init(&s, "{" BOT ",'services':[" SHOP ",{'name':'db'}],'tools':["
                   "{'name':'scale','class':'write','match':{'argv':['k','scale','{service}','{n}']},"
                   "'parameters':{'type':'object','properties':{'n':{'type':'integer','maximum':9},'service':{'type':'string'}}},"
                   "'target':'deploy/{service}','services':['{service}','shop']},"
                   "{'name':'free','class':'write'},{'name':'get','class':'read','match':{'mcp':['k8s__get*']}},"
                   "{'name':'tmpl','class':'write','target':'{svc}'},"
                   "{'name':'dup1','class':'read','match':{'argv':['k','dup']}},"
                   "{'name':'dup2','class':'read','match':{'argv':['k','d*']}}]}");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        scene_decide(&s, rows[i].request, NULL);
        if (s.q.derived != rows[i].want) {
            print_error("row %zu: %d %.*s\n", i, s.q.derived, STR_ARG(s.q.derive_detail));
            fail();
        }
        if (rows[i].detail != NULL) {
            assert_str(s.q.derive_detail, rows[i].detail);
        }
        assert_int_equal(s.decision.findings[CHECK_CATALOGUE].verdict,
                         rows[i].want == DERIVE_OK ? VERDICT_ALLOW : VERDICT_DENY);
    }
    scene_decide(&s, rows[6].request, NULL);
    assert_str(s.q.target, "deploy/shop");
    assert_int_equal(s.q.service_count, 1); /* named twice, listed once */
    assert_int_equal(value_integer_or(value_get(&s.q.parameters, STR("n")), 0), 3);
    scene_done(&s);
}

static void what_is_bound_is_in_the_digest(void **state)
{
    (void)state;
    static const char *const requests[] = {
        "{'agent':'bot','claimed_tool':'tmpl','parameters':{'svc':'a'}}",
        "{'agent':'bos','claimed_tool':'tmpl','parameters':{'svc':'a'}}",
        "{'agent':'bot','claimed_tool':'tmpl','parameters':{'svc':'b'}}",
        "{'agent':'bot','claimed_tool':'free','parameters':{'svc':'a'}}",
        "{'agent':'bot','claimed_tool':'tmpl','parameters':{'svc':'a'},'plan':{'p':1}}",
        "{'agent':'bot','claimed_tool':'tmpl','parameters':{'svc':'a'},'diff':{'d':1}}",
        "{'agent':'bot','claimed_tool':'tmpl','parameters':{'svc':'a'},'invocation':{'cwd':'/'}}",
    };
    struct scene s;
    scene_init(&s, "{" BOT ",'tools':[{'name':'tmpl','class':'write','target':'{svc}','parameters':true},"
                   "{'name':'free','class':'write','parameters':true}]}");
    struct str texts[sizeof requests / sizeof *requests];
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        scene_decide(&s, requests[i], NULL);
        struct value bound = request_bound(s.m.a, &s.q);
        struct buf b;
        buf_init(&b, 1 << 16);
        json_write_canonical(&b, &bound, s.m.a);
        texts[i] = arena_str(s.m.a, buf_view(&b));
        buf_done(&b);
        for (size_t k = 0; k < i; k++) {
            assert_false(str_eq(texts[i], texts[k]));
        }
    }
    /* Intent and claims are not bound: they change nothing that is done. */
    scene_decide(&s, "{'agent':'bot','claimed_tool':'tmpl','parameters':{'svc':'a'},'intent':'x','wants_person':'y'}", NULL);
    struct value bound = request_bound(s.m.a, &s.q);
    struct buf b;
    buf_init(&b, 1 << 16);
    json_write_canonical(&b, &bound, s.m.a);
    assert_true(str_eq(buf_view(&b), texts[0]));
    buf_done(&b);
    scene_done(&s);
}

/* --- release at commit --------------------------------------------------------------------------------------------- */

struct release_row {
    const char *name;
    enum action_state state;
    enum check check; /* the one finding that is not an allow */
    enum verdict verdict;
    bool shadow;
    bool unknown;
    int64_t value;
    bool shown;
    bool shown_unknown;
    int64_t shown_value;
    enum release want;
};

static void findings_are_released(void **state)
{
    (void)state;
    static const struct release_row rows[] = {
        {"allowed, and nothing found", ACTION_ALLOWED, CHECK_AQDD, VERDICT_ALLOW, false, false, 0, false, false, 0, RELEASE_GO},
        {"denied", ACTION_ALLOWED, CHECK_STOP, VERDICT_DENY, false, false, 0, false, false, 0, RELEASE_DENIED},
        {"denied, and approved", ACTION_APPROVED, CHECK_STOP, VERDICT_DENY, false, false, 0, true, false, 0, RELEASE_DENIED},
        {"denied in shadow", ACTION_ALLOWED, CHECK_ERROR_BUDGET, VERDICT_DENY, true, false, 0, false, false, 0, RELEASE_GO},
        {"held", ACTION_ALLOWED, CHECK_FREEZE, VERDICT_HOLD, false, false, 0, false, false, 0, RELEASE_HELD},
        {"held, and approved", ACTION_APPROVED, CHECK_FREEZE, VERDICT_HOLD, false, false, 0, false, false, 0, RELEASE_HELD},
        {"held in shadow", ACTION_ALLOWED, CHECK_FREEZE, VERDICT_HOLD, true, false, 0, false, false, 0, RELEASE_GO},
        {"the queue holds what is autonomous", ACTION_ALLOWED, CHECK_AQDD, VERDICT_HOLD, false, false, 4, false, false, 0, RELEASE_HELD},
        {"and not what a person approved", ACTION_APPROVED, CHECK_AQDD, VERDICT_HOLD, false, false, 9, false, false, 0, RELEASE_GO},
        {"nor escalates it", ACTION_APPROVED, CHECK_AQDD, VERDICT_ESCALATE, false, false, 9, false, false, 0, RELEASE_GO},
        {"escalated without a person", ACTION_ALLOWED, CHECK_HER_TREND, VERDICT_ESCALATE, false, false, 200000, false, false, 0, RELEASE_ESCALATED},
        {"shown, and not approved", ACTION_ALLOWED, CHECK_HER_TREND, VERDICT_ESCALATE, false, false, 200000, true, false, 200000, RELEASE_ESCALATED},
        {"approved, as shown", ACTION_APPROVED, CHECK_HER_TREND, VERDICT_ESCALATE, false, false, 200000, true, false, 200000, RELEASE_GO},
        {"approved, and not shown", ACTION_APPROVED, CHECK_HER_TREND, VERDICT_ESCALATE, false, false, 200000, false, false, 0, RELEASE_ESCALATED},
        {"worse within the tolerance", ACTION_APPROVED, CHECK_HER_TREND, VERDICT_ESCALATE, false, false, 250000, true, false, 200000, RELEASE_GO},
        {"worse beyond it", ACTION_APPROVED, CHECK_HER_TREND, VERDICT_ESCALATE, false, false, 250001, true, false, 200000, RELEASE_ESCALATED},
        {"better", ACTION_APPROVED, CHECK_HER_TREND, VERDICT_ESCALATE, false, false, 160000, true, false, 900000, RELEASE_GO},
        {"a budget as shown", ACTION_APPROVED, CHECK_ERROR_BUDGET, VERDICT_ESCALATE, false, false, 120000, true, false, 120000, RELEASE_GO},
        {"a lower budget within the tolerance", ACTION_APPROVED, CHECK_ERROR_BUDGET, VERDICT_ESCALATE, false, false, 70000, true, false, 120000, RELEASE_GO},
        {"a lower budget beyond it", ACTION_APPROVED, CHECK_ERROR_BUDGET, VERDICT_ESCALATE, false, false, 69999, true, false, 120000, RELEASE_ESCALATED},
        {"a higher budget", ACTION_APPROVED, CHECK_ERROR_BUDGET, VERDICT_ESCALATE, false, false, 190000, true, false, 0, RELEASE_GO},
        {"a budget that is spent", ACTION_APPROVED, CHECK_ERROR_BUDGET, VERDICT_ESCALATE, false, false, 0, true, false, 20000, RELEASE_GO},
        {"a budget that turned negative", ACTION_APPROVED, CHECK_ERROR_BUDGET, VERDICT_ESCALATE, false, false, -1, true, false, 20000, RELEASE_ESCALATED},
        {"a budget that turned negative from nothing", ACTION_APPROVED, CHECK_ERROR_BUDGET, VERDICT_ESCALATE, false, false, -1, true, false, 0, RELEASE_ESCALATED},
        {"a budget that was negative when shown", ACTION_APPROVED, CHECK_ERROR_BUDGET, VERDICT_ESCALATE, false, false, -50000, true, false, -10000, RELEASE_GO},
        {"the agent's own question, as shown", ACTION_APPROVED, CHECK_REQUEST, VERDICT_ESCALATE, false, false, 0, true, false, 0, RELEASE_GO},
        {"no tolerance for others", ACTION_APPROVED, CHECK_FREEZE, VERDICT_ESCALATE, false, false, 1, true, false, 0, RELEASE_ESCALATED},
        {"shown as known, now unknown", ACTION_APPROVED, CHECK_ERROR_BUDGET, VERDICT_ESCALATE, false, true, 0, true, false, 40000, RELEASE_ESCALATED},
        {"shown as unknown, still unknown", ACTION_APPROVED, CHECK_ERROR_BUDGET, VERDICT_ESCALATE, false, true, 0, true, true, 0, RELEASE_GO},
        {"shown as unknown, now known to be low", ACTION_APPROVED, CHECK_ERROR_BUDGET, VERDICT_ESCALATE, false, false, 100000, true, true, 0, RELEASE_ESCALATED},
    };
    struct thresholds t = thresholds_default();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct release_row *row = &rows[i];
        struct decision d = {.verdict = VERDICT_ALLOW, .blocking = -1};
        for (unsigned c = 0; c < CHECK_COUNT; c++) {
            d.findings[c] = (struct finding){.check = (enum check)c, .verdict = VERDICT_ALLOW};
        }
        d.findings[row->check].verdict = row->verdict;
        d.findings[row->check].shadow = row->shadow;
        d.findings[row->check].unknown = row->unknown;
        d.findings[row->check].value = row->value;
        struct action_review review = {.approval_count = 0};
        review.shown[row->check] = (struct shown_finding){row->shown, row->shown_unknown, row->shown_value, 0};
        struct action a = {.state = row->state, .review = &review};
        enum release got = gate_release(&d, &a, &t);
        if (got != row->want) {
            print_error("\"%s\": %d, want %d\n", row->name, got, row->want);
            fail();
        }
    }
}

static struct decision allowing(void)
{
    struct decision d = {.verdict = VERDICT_ALLOW, .blocking = -1};
    for (unsigned c = 0; c < CHECK_COUNT; c++) {
        d.findings[c] = (struct finding){.check = (enum check)c, .verdict = VERDICT_ALLOW};
    }
    return d;
}

static void releases_rank(void **state)
{
    (void)state;
    struct thresholds t = thresholds_default();
    struct action a = {.state = ACTION_ALLOWED};
    struct decision d = allowing();
    d.findings[CHECK_FREEZE].verdict = VERDICT_HOLD;
    d.findings[CHECK_HER_TREND].verdict = VERDICT_ESCALATE;
    assert_int_equal(gate_release(&d, &a, &t), RELEASE_ESCALATED);
    d.findings[CHECK_FREEZE].verdict = VERDICT_ESCALATE;
    d.findings[CHECK_HER_TREND].verdict = VERDICT_HOLD;
    assert_int_equal(gate_release(&d, &a, &t), RELEASE_ESCALATED);
    d.findings[CHECK_HER_TREND].verdict = VERDICT_DENY;
    assert_int_equal(gate_release(&d, &a, &t), RELEASE_DENIED);
    d = allowing();
    d.capped = true;
    d.advisory = true;
    assert_int_equal(gate_release(&d, &a, &t), RELEASE_ADVISED);
    d.findings[CHECK_FREEZE].verdict = VERDICT_HOLD;
    assert_int_equal(gate_release(&d, &a, &t), RELEASE_HELD);
    /* What an approval covers is still not run where nothing runs. */
    d = allowing();
    d.verdict = VERDICT_ESCALATE;
    d.advisory = true;
    d.findings[CHECK_REQUEST].verdict = VERDICT_ESCALATE;
    a.state = ACTION_APPROVED;
    struct action_review review = {.approval_count = 0};
    review.shown[CHECK_REQUEST].shown = true;
    a.review = &review;
    assert_int_equal(gate_release(&d, &a, &t), RELEASE_ADVISED);
}

static void advisory_is_part_of_a_decision(void **state)
{
    (void)state;
    struct scene s;
    scene_init(&s, "{'mode':'advisory'," BOT "," TOOLS ",'services':[" SHOP "]}");
    set_budget(&s, "shop", SIGNAL_KNOWN, 0, 0);
    scene_decide(&s, "{'agent':'bot','claimed_tool':'t'}", NULL);
    assert_int_equal(s.decision.verdict, VERDICT_ESCALATE);
    assert_true(s.decision.advisory && !s.decision.capped);
    scene_done(&s);
}

static void holds_that_count_say_when(void **state)
{
    (void)state;
    struct decision d = allowing();
    d.findings[CHECK_FREEZE] = (struct finding){.check = CHECK_FREEZE, .verdict = VERDICT_HOLD, .release_ms = NOW_MS + 5000};
    d.findings[CHECK_AQDD] = (struct finding){.check = CHECK_AQDD, .verdict = VERDICT_HOLD, .release_ms = NOW_MS + 60000};
    d.findings[CHECK_ERROR_BUDGET] = (struct finding){.check = CHECK_ERROR_BUDGET, .verdict = VERDICT_HOLD, .shadow = true, .release_ms = NOW_MS + 90000};
    struct action a = {.state = ACTION_ALLOWED};
    assert_int_equal(gate_hold_ms(&d, &a, NOW_MS), 60000);
    a.state = ACTION_APPROVED; /* the queue does not hold it */
    assert_int_equal(gate_hold_ms(&d, &a, NOW_MS), 5000);
    assert_int_equal(gate_hold_ms(&d, &a, NOW_MS + 6000), 0);
}

/* --- the record of the Pre-Action SRE Gate ---------------------------------------------------------------------------- */

struct record_row {
    const char *facts;
    const char *policy;
    const char *want; /* the record without what is the same in all */
};

static void records_say_the_three_checks(void **state)
{
    (void)state;
    static const struct record_row rows[] = {
        {"{'budgets':[['shop','known',722200,0,'given']],'aqdd':[1,-1,-1],'her':[50000,20]}", "{}",
         "'blocking_check':null,'gate_approved':true,'recommendation':'All three checks passed. Proceed.',"
         "'sre_signals':{'aqdd_depth':1,'error_budget_pct':72.22,'her_trend_pct':5},'unknown':[]"},
        {"{'budgets':[['shop','known',120000,0,'given']],'aqdd':[9,-1,-1],'her':[200000,20]}", "{}",
         "'blocking_check':'error_budget','gate_approved':false,"
         "'recommendation':'Error budget of shop is 12 % (minimum 20 %). Escalate to the agent\\u0027s owner.',"
         "'sre_signals':{'aqdd_depth':9,'error_budget_pct':12,'her_trend_pct':20},'unknown':[]"},
        {"{'budgets':[['shop','known',900000,0,'given']],'aqdd':[9,-1,-1],'her':[200000,20]}", "{}",
         "'blocking_check':'aqdd','gate_approved':false,"
         "'recommendation':'Approval queue depth is 9 (maximum 3). Hold.',"
         "'sre_signals':{'aqdd_depth':9,'error_budget_pct':90,'her_trend_pct':20},'unknown':[]"},
        {"{'budgets':[['shop','known',900000,0,'given']],'aqdd':[0,-1,-1],'her':[200000,20]}", "{}",
         "'blocking_check':'her_trend','gate_approved':false,"
         "'recommendation':'Human escalation rate is 20 % (maximum 15 %). Escalate to the agent\\u0027s owner.',"
         "'sre_signals':{'aqdd_depth':0,'error_budget_pct':90,'her_trend_pct':20},'unknown':[]"},
        {"{'budgets':[['shop','unknown',0,-1,'']],'aqdd':[0,-1,-1],'her':[0,20]}", "{}",
         "'blocking_check':'error_budget','gate_approved':false,'recommendation':'Error budget is unknown. Hold.',"
         "'sre_signals':{'aqdd_depth':0,'error_budget_pct':null,'her_trend_pct':0},'unknown':['error_budget']"},
        {"{'budgets':[['shop','known',900000,0,'given'],['web','stale',900000,900000,'given',true]],'aqdd':[0,-1,-1],'her':[0,20]}", "{}",
         "'blocking_check':'error_budget','gate_approved':false,'recommendation':'Error budget is unknown. Hold.',"
         "'sre_signals':{'aqdd_depth':0,'error_budget_pct':null,'her_trend_pct':0},'unknown':['error_budget']"},
        {"{'budgets':[['shop','known',900000,0,'given']],'her':[0,20]}", "{}",
         "'blocking_check':'aqdd','gate_approved':false,'recommendation':'AQDD depth is unknown. Hold.',"
         "'sre_signals':{'aqdd_depth':null,'error_budget_pct':90,'her_trend_pct':0},'unknown':['aqdd']"},
        {"{'budgets':[['shop','known',900000,0,'given']],'aqdd':[0,-1,-1]}", "{}",
         "'blocking_check':'her_trend','gate_approved':false,'recommendation':'HER trend is unknown. Hold.',"
         "'sre_signals':{'aqdd_depth':0,'error_budget_pct':90,'her_trend_pct':null},'unknown':['her_trend']"},
        {"{}", "{}",
         "'blocking_check':'error_budget','gate_approved':false,'recommendation':'Error budget is unknown. Hold.',"
         "'sre_signals':{'aqdd_depth':null,'error_budget_pct':null,'her_trend_pct':null},"
         "'unknown':['error_budget','aqdd','her_trend']"},
        {"{'budgets':[['shop','known',-2500000,0,'given']],'aqdd':[0,-1,-1],'her':[0,3]}",
         "{'checks':{'error_budget':{'on_block':'deny'}}}",
         "'blocking_check':'error_budget','gate_approved':false,"
         "'recommendation':'Error budget of shop is -250 % (minimum 20 %). Do not proceed.',"
         "'sre_signals':{'aqdd_depth':0,'error_budget_pct':-250,'her_trend_pct':0},'unknown':[]"},
        {"{'budgets':[['shop','known',0,0,'given']],'aqdd':[9,-1,-1],'her':[0,20]}",
         "{'checks':{'error_budget':{'mode':'shadow'}}}",
         "'blocking_check':'aqdd','gate_approved':false,'recommendation':'Approval queue depth is 9 (maximum 3). Hold.',"
         "'sre_signals':{'aqdd_depth':9,'error_budget_pct':0,'her_trend_pct':0},'unknown':[]"},
        {"{'budgets':[['shop','no_traffic',1000000,0,'events']],'aqdd':[3,1000,3000],'her':[1000000,9]}", "{}",
         "'blocking_check':null,'gate_approved':true,'recommendation':'All three checks passed. Proceed.',"
         "'sre_signals':{'aqdd_depth':3,'error_budget_pct':100,'her_trend_pct':100},'unknown':[]"},
        {"{'budgets':[['shop','known',1000000,0,'given']],'aqdd':[3,999,3003],'her':[0,9]}",
         "{'checks':{'aqdd':{'max_drift':3}}}",
         "'blocking_check':'aqdd','gate_approved':false,"
         "'recommendation':'Approval queue is 3.003 times its baseline (maximum 3). Hold.',"
         "'sre_signals':{'aqdd_depth':3,'error_budget_pct':100,'her_trend_pct':0},'unknown':[]"},
    };
    struct scene s;
    scene_init(&s, "{}");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct value facts_value = maker_value(&s.m, rows[i].facts);
        struct value policy_value = maker_value(&s.m, rows[i].policy);
        struct policy *p = NULL;
        assert_int_equal(policy_read(STR(""), &policy_value, &p, NULL), RC_OK);
        assert_int_equal(facts_read(&facts_value, &s.facts, NULL), RC_OK);
        struct tool_def tool = {.name = STR("t"), .class = TOOL_WRITE};
        struct request q = {.agent = STR("bot"), .tool = &tool};
        struct check_input in = {.policy = p, .thresholds = &p->thresholds, .request = &q, .facts = &s.facts, .now_ms = NOW_MS};
        gate_judge_three(&in, &s.decision);
        struct gate_record r = {STR("bot"), STR("scale shop"), STR("task-1"), STR("t"), NOW_MS};
        struct value got = gate_record_value(s.m.a, &r, &s.facts, &s.decision);
        struct value want = maker_value(
            &s.m, arena_printf(s.m.a,
                               "{%s,'trace_type':'pre_action_gate','agent_id':'bot','intended_action':'scale shop',"
                               "'task_id':'task-1','action':'t','checked_at':'2027-01-15T08:00:00.000Z'}",
                               rows[i].want).ptr);
        if (!value_eq(&got, &want)) {
            struct buf b;
            buf_init(&b, 4096);
            json_write(&b, &got);
            print_error("row %zu: %.*s\n", i, STR_ARG(buf_view(&b)));
            fail();
        }
        policy_free(p);
    }
    scene_done(&s);
}

static void recommendations_read_well(void **state)
{
    (void)state;
    static const struct {
        struct finding f;
        const char *want;
    } rows[] = {
        {{.check = CHECK_IDENTITY, .verdict = VERDICT_DENY, .reason = REASON_UNKNOWN_AGENT}, "The agent is not registered. Do not proceed."},
        {{.check = CHECK_STOP, .verdict = VERDICT_DENY, .reason = REASON_STOPPED, .subject = {"bot", 3}}, "Stopped by bot. Do not proceed."},
        {{.check = CHECK_STOP, .verdict = VERDICT_HOLD, .reason = REASON_PAUSED, .subject = {"100%s", 5}}, "Paused by 100%s. Hold."},
        {{.check = CHECK_REQUEST, .verdict = VERDICT_ESCALATE, .reason = REASON_ASKED_FOR_PERSON, .subject = {"%n", 2}},
         "The agent asks for a person: %n. Escalate to the agent's owner."},
        {{.check = CHECK_IDENTITY, .verdict = VERDICT_ALLOW}, "Proceed."},
        {{.check = CHECK_ERROR_BUDGET, .verdict = VERDICT_ALLOW, .reason = REASON_OFF}, "Switched off. Proceed."},
        {{.check = CHECK_ERROR_BUDGET, .verdict = VERDICT_ALLOW, .value = 995000, .threshold = 200000, .subject = {"shop", 4}},
         "Error budget of shop is 99.5 % (minimum 20 %). Proceed."},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf b;
        buf_init(&b, 1024);
        buf_str(&b, STR("a: "));
        gate_recommendation(&b, &rows[i].f);
        assert_true(str_starts(buf_view(&b), STR("a: ")));
        assert_str(str_slice(buf_view(&b), 3, b.len), rows[i].want);
        buf_done(&b);
    }
}

static void every_reason_has_a_name_and_a_text(void **state)
{
    (void)state;
    for (unsigned r = 0; r < REASON_COUNT; r++) {
        enum reason back = REASON_COUNT;
        assert_true(reason_parse(str_from(reason_name((enum reason)r)), &back));
        assert_int_equal(back, r);
        struct finding f = {.check = CHECK_STOP, .reason = (enum reason)r, .subject = STR("subject")};
        static const enum check of[] = {CHECK_ERROR_BUDGET, CHECK_AQDD, CHECK_HER_TREND, CHECK_STOP};
        bool any = r == REASON_NONE;
        for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
            f.check = of[i];
            struct buf b;
            buf_init(&b, 1024);
            finding_text(&b, &f);
            any = any || b.len > 0;
            buf_done(&b);
        }
        assert_true(any);
    }
    enum reason r;
    assert_false(reason_parse(STR("because"), &r));
}

static void malformed_records_are_refused(void **state)
{
    (void)state;
    struct scene s;
    scene_init(&s, "{}");
    static const char *const findings[] = {"null", "{}", "[[]]", "[1]", "['nothing']", "[['aqdd']]", "[['aqdd','maybe']]",
                                           "[['nobody','allow']]", "[['aqdd','hold','because']]"};
    for (size_t i = 0; i < sizeof findings / sizeof *findings; i++) {
        struct value v = maker_value(&s.m, findings[i]);
        assert_int_equal(findings_read(&v, &s.decision, NULL), RC_CORRUPT);
    }
    /* A mandatory check that a record does not mention denies; any other was off. */
    struct value none = maker_value(&s.m, "[]");
    assert_int_equal(findings_read(&none, &s.decision, NULL), RC_OK);
    for (unsigned c = 0; c < CHECK_COUNT; c++) {
        bool mandatory = check_is_mandatory((enum check)c);
        assert_int_equal(s.decision.findings[c].verdict, mandatory ? VERDICT_DENY : VERDICT_ALLOW);
        assert_int_equal(s.decision.findings[c].reason, mandatory ? REASON_NONE : REASON_OFF);
        assert_int_equal(s.decision.findings[c].check, c);
    }
    struct value bad = maker_value(&s.m, "{'budgets':[['shop','odd',1,1,'']]}");
    assert_int_equal(facts_read(&bad, &s.facts, &s.m.e), RC_CORRUPT);
    assert_string_equal(s.m.e.text, "a recorded budget has no state");
    struct buf b;
    buf_init(&b, 1 << 16);
    buf_str(&b, STR("{'budgets':["));
    for (unsigned i = 0; i <= FACT_BUDGETS_MAX; i++) {
        buf_printf(&b, "%s['s','known',1,1,'']", i == 0 ? "" : ",");
    }
    buf_str(&b, STR("]}"));
    buf_char(&b, '\0');
    bad = maker_value(&s.m, b.data);
    buf_done(&b);
    assert_int_equal(facts_read(&bad, &s.facts, &s.m.e), RC_CORRUPT);
    assert_string_equal(s.m.e.text, "a record lists more than 32 budgets");
    scene_done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"cases: mandatory", run_file, NULL, NULL, (void *)(uintptr_t)"mandatory"},
        {"cases: freeze", run_file, NULL, NULL, (void *)(uintptr_t)"freeze"},
        {"cases: error_budget", run_file, NULL, NULL, (void *)(uintptr_t)"error_budget"},
        {"cases: aqdd", run_file, NULL, NULL, (void *)(uintptr_t)"aqdd"},
        {"cases: her_trend", run_file, NULL, NULL, (void *)(uintptr_t)"her_trend"},
        {"cases: breaker", run_file, NULL, NULL, (void *)(uintptr_t)"breaker"},
        {"cases: lineage", run_file, NULL, NULL, (void *)(uintptr_t)"lineage"},
        {"cases: tier", run_file, NULL, NULL, (void *)(uintptr_t)"tier"},
        {"cases: readiness", run_file, NULL, NULL, (void *)(uintptr_t)"readiness"},
        {"cases: grant", run_file, NULL, NULL, (void *)(uintptr_t)"grant"},
        {"cases: zone", run_file, NULL, NULL, (void *)(uintptr_t)"zone"},
        {"cases: upstream", run_file, NULL, NULL, (void *)(uintptr_t)"upstream"},
        {"cases: on_call", run_file, NULL, NULL, (void *)(uintptr_t)"on_call"},
        {"cases: reversibility", run_file, NULL, NULL, (void *)(uintptr_t)"reversibility"},
        {"cases: blast_radius", run_file, NULL, NULL, (void *)(uintptr_t)"blast_radius"},
        {"cases: rate", run_file, NULL, NULL, (void *)(uintptr_t)"rate"},
        {"cases: surfaces", run_file, NULL, NULL, (void *)(uintptr_t)"surfaces"},
        {"cases: schema_drift", run_file, NULL, NULL, (void *)(uintptr_t)"schema_drift"},
        {"cases: memory", run_file, NULL, NULL, (void *)(uintptr_t)"memory"},
        {"cases: drift", run_file, NULL, NULL, (void *)(uintptr_t)"drift"},
        {"cases: provenance", run_file, NULL, NULL, (void *)(uintptr_t)"provenance"},
        {"cases: quorum", run_file, NULL, NULL, (void *)(uintptr_t)"quorum"},
        {"cases: fold", run_file, NULL, NULL, (void *)(uintptr_t)"fold"},
        cmocka_unit_test(what_was_never_polled_is_unknown),
        cmocka_unit_test(a_budget_grows_stale),
        cmocka_unit_test(budgets_from_events),
        cmocka_unit_test(dependants_are_gathered_once),
        cmocka_unit_test(the_list_keeps_what_decides),
        cmocka_unit_test(unknowns_do_not_push_out_the_lowest),
        cmocka_unit_test(what_does_not_count_pushes_nothing_out),
        cmocka_unit_test(deploys_keep_the_oldest_and_the_newest),
        cmocka_unit_test(freezes_keep_the_longest),
        cmocka_unit_test(stops_cover_what_they_name),
        cmocka_unit_test(a_stop_is_found_among_pauses),
        cmocka_unit_test(people_and_rates_are_gathered),
        cmocka_unit_test(the_state_of_an_agent_is_gathered),
        cmocka_unit_test(requests_are_derived_from_the_catalogue),
        cmocka_unit_test(what_is_bound_is_in_the_digest),
        cmocka_unit_test(findings_are_released),
        cmocka_unit_test(releases_rank),
        cmocka_unit_test(advisory_is_part_of_a_decision),
        cmocka_unit_test(holds_that_count_say_when),
        cmocka_unit_test(records_say_the_three_checks),
        cmocka_unit_test(recommendations_read_well),
        cmocka_unit_test(every_reason_has_a_name_and_a_text),
        cmocka_unit_test(malformed_records_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
