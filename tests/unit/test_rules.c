/* policy: rules in CEL, what they speak of, their tests, what is wrong with them. */
#include "policy/rule_lint.h"
#include "value/yaml.h"

#include "check.h"

enum { ROOM = 64 << 20 };

static enum rc read_policy(struct arena *a, const char *yaml, struct policy **ret, struct err *e)
{
    struct value v;
    enum rc rc = yaml_parse(a, STR("p.yaml"), str_from(yaml), &v, e);
    return rc == RC_OK ? policy_read(STR("p.yaml"), &v, ret, e) : rc;
}

static struct policy *must_read(struct arena *a, const char *yaml)
{
    struct policy *p = NULL;
    struct err e;
    if (read_policy(a, yaml, &p, &e) != RC_OK) {
        print_error("%s\n%s: %s\n", yaml, e.where, e.text);
        fail();
    }
    return p;
}

/* --- reading -------------------------------------------------------------------------------------------------- */

#define RULE(more) "rules: [{name: r, verdict: deny, condition: 'true'" more "}]"

static void what_is_wrong_is_said_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        const char *where;
        const char *text;
    } rows[] = {
        {"rules: 1", "p.yaml:1:8", "rules: expected a list"},
        {"rules: [{name: r, verdict: deny}]", "p.yaml:1:9", "condition is required"},
        {"rules: [{name: r, condition: 'true'}]", "p.yaml:1:9", "verdict is required"},
        {"rules: [{name: r, verdict: allow, condition: 'true'}]", "p.yaml:1:28", "verdict: expected one of deny, escalate, hold, advise"},
        {"rules: [{name: r, verdict: deny, condition: 'agent.teir == \"x\"'}]", "p.yaml:1:45", "at 1:"},
        {"rules: [{name: r, verdict: deny, condition: 'nobody.tier == \"x\"'}]", "p.yaml:1:45", "at 1:1 of the expression: "},
        {"rules: [{name: r, verdict: deny, condition: 'agent.tier ='}]", "p.yaml:1:45", "at 1:"},
        {"rules: [{name: r, verdict: deny, condition: 'agent.tier'}]", "p.yaml:1:45", "at 1:"},
        {"rules: [{name: r, verdict: deny, condition: 1}]", "p.yaml:1:45", "expected an expression of at most 8192 bytes"},
        {"rules: [{name: r, verdict: deny, condition: ''}]", "p.yaml:1:45", "expected an expression of at most 8192 bytes"},
        {RULE(", message: '1'"), "p.yaml:1:62", "at 1:"},
        {RULE(", match: {classes: [wrote]}"), "p.yaml:1:60", "classes: expected read, write, destructive or shell"},
        {RULE(", match: {labels: [env]}"), "p.yaml:1:60", "labels: expected name=value"},
        {RULE(", match: {tool: [x]}"), "p.yaml:1:67", "unknown key \"tool\""},
        {RULE(", severity: bad"), "p.yaml:1:63", "severity: expected one of low, medium, high, critical"},
        {RULE(", tests: [{}]"), "p.yaml:1:61", "expect is required"},
        {RULE(", tests: [{expect: maybe}]"), "p.yaml:1:70", "expect: expected one of deny, escalate, hold, advise, allow"},
        {RULE(", tests: [{expect: deny, given: {agnet: {}}}]"), "p.yaml:1:83", "given/agnet: no such variable"},
        {RULE(", tests: [{expect: deny, given: {agent: {teir: x}}}]"), "p.yaml:1:83", "given/agent/teir: pawl.Agent has no field of that name"},
        {RULE(", tests: [{expect: deny, given: {agent: {tier: 1}}}]"), "p.yaml:1:83", "given/agent/tier: expected string"},
        {RULE(", tests: [{expect: deny, given: {agent: 1}}]"), "p.yaml:1:83", "given/agent: expected pawl.Agent"},
        {RULE(", tests: [{expect: deny, given: {services: [{nmae: x}]}}]"), "p.yaml:1:83", "given/services/0/nmae: pawl.Service has no field"},
        {RULE(", tests: [{expect: deny, given: {now: soon}}]"), "p.yaml:1:83", "given/now: expected "},
        {"rules: [{name: r, verdict: deny, condition: 'true'}, {name: r, verdict: hold, condition: 'true'}]", "p.yaml:1:54",
         "rules: \"r\" is declared twice"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CLEANUP(arena) struct arena *a = arena_new(ROOM);
        struct policy *p = NULL;
        struct err e = {.where = ""};
        enum rc rc = read_policy(a, rows[i].yaml, &p, &e);
        if (rc != RC_INVALID || strcmp(e.where, rows[i].where) != 0 || strncmp(e.text, rows[i].text, strlen(rows[i].text)) != 0) {
            print_error("%s\n  got:  %s %s: %s\n  want: %s: %s\n", rows[i].yaml, rc_name(rc), e.where, e.text, rows[i].where,
                        rows[i].text);
            fail();
        }
    }
}

/* A text of numbered rows, for crossing limits. */
static struct str repeated(struct arena *a, const char *head, const char *row[2], unsigned n, const char *tail)
{
    struct buf b;
    buf_init(&b, ROOM);
    buf_str(&b, str_from(head));
    for (unsigned i = 0; i < n; i++) {
        buf_printf(&b, "%s%s%u%s", i == 0 ? "" : ",", row[0], i, row[1]);
    }
    buf_str(&b, str_from(tail));
    struct str text = arena_str(a, buf_view(&b));
    buf_done(&b);
    return text;
}

static void each_limit_is_crossed(void **state)
{
    (void)state;
    static struct {
        const char *head;
        const char *row[2];
        unsigned at;
        const char *tail;
        const char *text;
    } rows[] = {
        {"rules: [", {"{name: r", ", verdict: deny, condition: 'true'}"}, RULES_MAX, "]", "rules: more than 1000"},
        {"rules: [{name: r, verdict: deny, condition: 'true', tests: [", {"{expect: deny, name: t", "}"}, RULE_TESTS_MAX, "]}]",
         "tests: expected a list of at most 64"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (unsigned over = 0; over < 2; over++) {
            CLEANUP(arena) struct arena *a = arena_new(ROOM);
            struct str text = repeated(a, rows[i].head, rows[i].row, rows[i].at + over, rows[i].tail);
            CLEANUP(policy) struct policy *p = NULL;
            struct err e = {.where = ""};
            assert_int_equal(read_policy(a, text.ptr, &p, &e), over == 0 ? RC_OK : RC_INVALID);
            assert_true(over == 0 || strncmp(e.text, rows[i].text, strlen(rows[i].text)) == 0);
        }
    }
    for (unsigned over = 0; over < 2; over++) {
        CLEANUP(arena) struct arena *a = arena_new(ROOM);
        CLEANUP(policy) struct policy *p = NULL;
        char *text = arena_alloc(a, RULE_TEXT_MAX + 128);
        int n = snprintf(text, RULE_TEXT_MAX + 128, "rules: [{name: r, verdict: deny, condition: 'true");
        memset(text + n, ' ', RULE_TEXT_MAX - 4 + over);
        memcpy(text + n + RULE_TEXT_MAX - 4 + over, "'}]", 4);
        assert_int_equal(read_policy(a, text, &p, NULL), over == 0 ? RC_OK : RC_INVALID);
    }
}

static void what_costs_too_much_is_refused(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(ROOM);
    struct policy *p = NULL;
    struct err e;
    enum rc rc = read_policy(a, "rules: [{name: r, verdict: deny, condition: 'diff.changes.all(a, diff.changes.all(b, diff.changes.all(c, "
                                "a.kind == b.kind && b.kind == c.kind)))'}]", &p, &e);
    assert_int_equal(rc, RC_INVALID);
    assert_non_null(strstr(e.text, "the worst case takes"));
}

static void a_policy_is_written_and_read_again(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(ROOM);
    CLEANUP(policy) struct policy *p = must_read(a,
        "rules:\n"
        "  - name: few\n"
        "    description: at most twice as many\n"
        "    match: {agents: [\"b*\"], tools: [scale], classes: [write], services: [shop], surfaces: [prod], labels: [\"env=p*\"]}\n"
        "    condition: action.params.replicas > 2 * service.labels.replicas\n"
        "    message: '\"from \" + string(service.labels.replicas)'\n"
        "    verdict: escalate\n"
        "    severity: high\n"
        "    mode: shadow\n"
        "    tests:\n"
        "      - {name: many, given: {action: {params: {replicas: 9}}, service: {labels: {replicas: 4}}}, expect: escalate, message: from 4}\n");
    struct buf first;
    buf_init(&first, 1 << 20);
    policy_write(&first, p);
    struct policy *again = NULL;
    struct err e;
    assert_int_equal(policy_parse(buf_view(&first), &again, &e), RC_OK);
    struct buf second;
    buf_init(&second, 1 << 20);
    policy_write(&second, again);
    assert_true(str_eq(buf_view(&first), buf_view(&second)));
    assert_int_equal(again->rules[0].mode, MODE_SHADOW);
    assert_int_equal(again->rules[0].severity, SEVERITY_HIGH);
    assert_int_equal(again->rules[0].line, 0);
    assert_int_equal(p->rules[0].line, 2);
    policy_free(again);
    buf_done(&first);
    buf_done(&second);
    /* Without rules nothing of them is written: an older policy keeps its hash. */
    CLEANUP(policy) struct policy *none = must_read(a, "mode: enforce");
    struct buf third;
    buf_init(&third, 1 << 20);
    policy_write(&third, none);
    assert_null(memmem(third.data, third.len, "\"rules\":[", 9));
    buf_done(&third);
}

/* --- files of rules ---------------------------------------------------------------------------------------------- */

static void rules_come_from_files_as_well(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(ROOM);
    struct rules_file files[2] = {{.file = STR("rules/a.yaml")}, {.file = STR("rules/b.yaml")}};
    struct value own;
    struct err e;
    assert_int_equal(yaml_parse(a, STR("p.yaml"), STR("rules: [{name: one, verdict: deny, condition: 'false'}]"), &own, &e), RC_OK);
    assert_int_equal(yaml_parse(a, files[0].file, STR("- {name: two, verdict: hold, condition: 'false'}"), &files[0].v, &e), RC_OK);
    assert_int_equal(yaml_parse(a, files[1].file, STR("rules:\n  - {name: three, verdict: hold, condition: 'false'}"), &files[1].v, &e), RC_OK);
    struct policy_source source = {STR("p.yaml"), &own, files, 2};
    CLEANUP(policy) struct policy *p = NULL;
    assert_int_equal(policy_read_all(&source, &p, &e), RC_OK);
    assert_int_equal(p->rule_count, 3);
    assert_str(p->rules[1].name, "two");
    assert_str(p->rules[1].file, "rules/a.yaml");
    assert_int_equal(p->rules[2].line, 2);
    /* The place is the file's; a name is one over all of them. */
    assert_int_equal(yaml_parse(a, files[1].file, STR("rules:\n  - {name: two, verdict: hold, condition: 'false'}"), &files[1].v, &e), RC_OK);
    struct policy *bad = NULL;
    assert_int_equal(policy_read_all(&source, &bad, &e), RC_INVALID);
    assert_string_equal(e.where, "rules/b.yaml:2:5");
    assert_string_equal(e.text, "rules: \"two\" is declared twice");
    assert_int_equal(yaml_parse(a, files[1].file, STR("name: two"), &files[1].v, &e), RC_OK);
    assert_int_equal(policy_read_all(&source, &bad, &e), RC_INVALID);
    assert_string_equal(e.text, "rules: expected a list");
}

/* --- evaluation ---------------------------------------------------------------------------------------------------- */

/* What one rule makes of what is given. */
static struct rule_result made_of(struct arena *a, const char *rule, const char *given, bool *ret_fits)
{
    struct policy *p = must_read(a, rule);
    struct value v;
    struct err e;
    struct cel_value vars[RULE_VAR_COUNT];
    struct rule_result result = {.holds = false};
    assert_int_equal(yaml_parse(a, STR("given"), str_from(given), &v, &e), RC_OK);
    if (rule_vars_from(a, &v, vars, &e) != RC_OK) {
        print_error("%s: %s\n", e.where, e.text);
        fail();
    }
    CLEANUP(arena) struct arena *scratch = arena_new(RULE_MEMORY_MAX);
    const struct rule_memory memory = {scratch, a, 0, NULL};
    *ret_fits = rule_fits(&p->rules[0], vars, scratch);
    rule_eval(&p->rules[0], vars, &memory, &result);
    result.message = arena_str(a, result.message);
    policy_free(p);
    return result;
}

static void conditions_are_judged(void **state)
{
    (void)state;
    static const struct {
        const char *condition;
        const char *given;
        bool holds;
        bool failed;
    } rows[] = {
        {"agent.tier == \"supervised\"", "agent: {tier: supervised}", true, false},
        {"agent.tier == \"supervised\"", "agent: {tier: shadow}", false, false},
        {"agent.tier == \"supervised\"", "{}", true, true}, /* no value: can't be judged */
        {"has(agent.tier) && agent.tier == \"supervised\"", "{}", false, false},
        {"action.params.replicas > 2 * service.labels.replicas", "{action: {params: {replicas: 9}}, service: {labels: {replicas: 4}}}", true, false},
        {"action.params.replicas > 2 * service.labels.replicas", "{action: {params: {replicas: 8}}, services: [{labels: {replicas: 4}}]}", false, false},
        {"services.exists(s, s.zone == \"dmz\")", "{services: [{zone: core}, {zone: dmz}]}", true, false},
        {"services.exists(s, s.zone == \"dmz\")", "{}", false, false},
        {"target.startsWith(\"prod-\")", "{action: {target: prod-db}}", true, false},
        {"target.startsWith(\"prod-\")", "{target: test-db}", false, false},
        {"diff.changes.exists(c, \"drop\" in c.facts)", "{diff: {changes: [{facts: [drop]}]}}", true, false},
        {"diff.changes.all(c, c.surface != \"auth\")", "{diff: {changes: [{surface: auth}]}}", false, false},
        {"!has(budget.remaining_pct) || budget.remaining_pct < 20.0", "{}", true, false},
        {"!has(budget.remaining_pct) || budget.remaining_pct < 20.0", "{budget: {remaining_pct: 20}}", false, false},
        {"budgets.all(b, b.known)", "{budgets: [{known: true}, {known: false}]}", false, false},
        {"now.getDayOfWeek() == 5 && now.getHours() >= 16", "now: 2026-11-20T16:00:00Z", true, false},
        {"now.getDayOfWeek() == 5 && now.getHours() >= 16", "now: 2026-11-21T16:00:00Z", false, false},
        {"budget.age > duration(\"5m\")", "budget: {age: 6m}", true, false},
        {"plan.steps > 3", "plan: {steps: 4}", true, false},
        {"has(plan.rollback)", "{}", false, false},
        {"request.intent.matches(\"(?i)drop\")", "request: {intent: DROP it}", true, false},
        {"1 / action.params.n == 1", "action: {params: {n: 0}}", true, true},
        {"memory.failed > 2", "memory: {failed: 3}", true, false},
        {"impact.traffic_pct > 10.0 && impact.crosses_zone", "impact: {traffic_pct: 11, crosses_zone: true}", true, false},
        {"signals.aqdd_depth > 3 || signals.her_pct > 15.0", "signals: {aqdd_depth: 4}", true, false},
        {"size(signals.freezes) > 0", "signals: {freezes: [fair]}", true, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CLEANUP(arena) struct arena *a = arena_new(ROOM);
        bool fits;
        struct rule_result r = made_of(a, arena_printf(a, "rules: [{name: r, verdict: deny, condition: '%s'}]", rows[i].condition).ptr,
                                       rows[i].given, &fits);
        if (r.holds != rows[i].holds || r.failed != rows[i].failed || !fits) {
            print_error("%s of %s: holds %d, failed %d: %.*s\n", rows[i].condition, rows[i].given, r.holds, r.failed, STR_ARG(r.message));
            fail();
        }
    }
}

static void what_is_cut_counts_as_held(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(ROOM);
    struct buf given;
    buf_init(&given, ROOM);
    buf_str(&given, STR("action: {params: {all: ["));
    for (unsigned i = 0; i < 3000; i++) {
        buf_printf(&given, "%s%u", i == 0 ? "" : ",", i);
    }
    buf_str(&given, STR("]}}"));
    buf_char(&given, '\0');
    bool fits;
    struct rule_result r = made_of(a, "rules: [{name: r, verdict: hold, condition: 'action.params.all.exists(x, action.params.all.exists(y, x + y < 0))'}]",
                                   given.data, &fits);
    assert_true(r.holds && r.failed);
    assert_non_null(memmem(r.message.ptr, r.message.len, "could not be judged", 19));
    buf_done(&given);
}

static void messages_are_said(void **state)
{
    (void)state;
    static const struct {
        const char *message;
        const char *given;
        const char *said;
    } rows[] = {
        {", message: '\"to \" + target'", "target: db", "to db"},
        {", message: '\"to \" + target'", "{}", "(no message: "},
        {", description: of the house", "{}", "of the house"},
        {"", "{}", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CLEANUP(arena) struct arena *a = arena_new(ROOM);
        bool fits;
        struct rule_result r = made_of(a, arena_printf(a, "rules: [{name: r, verdict: deny, condition: 'true'%s}]", rows[i].message).ptr,
                                       rows[i].given, &fits);
        assert_true(str_starts(r.message, str_from(rows[i].said)) && (rows[i].said[0] != '\0' || r.message.len == 0));
    }
    CLEANUP(arena) struct arena *a = arena_new(ROOM);
    bool fits;
    struct rule_result r = made_of(a, "rules: [{name: r, verdict: deny, condition: 'true', message: 'request.intent'}]",
                                   arena_printf(a, "request: {intent: \"%0*d\"}", RULE_MESSAGE_MAX + 9, 7).ptr, &fits);
    assert_int_equal(r.message.len, RULE_MESSAGE_MAX);
}

static void a_rule_speaks_of_what_it_names(void **state)
{
    (void)state;
    static const struct {
        const char *match;
        const char *given;
        bool fits;
    } rows[] = {
        {"{}", "{}", true},
        {"{agents: [\"b*\"]}", "agent: {name: bot}", true},
        {"{agents: [\"b*\"]}", "agent: {name: cat}", false},
        {"{agents: [\"b*\"]}", "{}", true},
        {"{tools: [scale, \"d*\"]}", "action: {tool: drop}", true},
        {"{tools: [scale]}", "action: {tool: drop}", false},
        {"{classes: [destructive]}", "action: {class: write}", false},
        {"{classes: [destructive, shell]}", "action: {class: shell}", true},
        {"{services: [shop]}", "{services: [{name: web}, {name: shop}]}", true},
        {"{services: [shop]}", "{services: [{name: web}]}", false},
        {"{services: [shop]}", "{services: []}", false},
        {"{surfaces: [prod]}", "action: {surfaces: [auth, prod]}", true},
        {"{surfaces: [prod]}", "action: {surfaces: [auth]}", false},
        {"{labels: [\"env=prod\"]}", "agent: {labels: {env: prod}}", true},
        {"{labels: [\"env=prod\"]}", "action: {labels: {env: prod}}", true},
        {"{labels: [\"env=p*\"]}", "services: [{labels: {env: prod}}]", true},
        {"{labels: [\"env=prod\"]}", "services: [{labels: {env: test}}]", false},
        {"{labels: [\"env=prod\"]}", "{}", false},
        {"{labels: [\"n=3\", \"on=true\"]}", "{agent: {labels: {n: 3}}, action: {labels: {on: true}}}", true},
        {"{labels: [\"n=3\", \"on=true\"]}", "agent: {labels: {n: 3}}", false},
        {"{agents: [bot], tools: [scale]}", "{agent: {name: bot}, action: {tool: drop}}", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CLEANUP(arena) struct arena *a = arena_new(ROOM);
        bool fits;
        (void)made_of(a, arena_printf(a, "rules: [{name: r, verdict: deny, condition: 'true', match: %s}]", rows[i].match).ptr,
                      rows[i].given, &fits);
        if (fits != rows[i].fits) {
            print_error("%s of %s: %d\n", rows[i].match, rows[i].given, fits);
            fail();
        }
    }
}

/* --- lint ------------------------------------------------------------------------------------------------------------ */

struct found {
    char text[2048];
};

static void collect(void *context, const struct lint *l)
{
    struct found *f = context;
    size_t used = strlen(f->text);
    if (l->kind != LINT_NO_TESTS) {
        snprintf(f->text + used, sizeof f->text - used, "%s%.*s %s: %.*s", used == 0 ? "" : "; ", STR_ARG(l->rule->name),
                 lint_kind_name(l->kind), STR_ARG(l->text));
    }
}

static void what_is_wrong_with_rules_is_found(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        const char *found;
    } rows[] = {
        {"rules: [{name: a, verdict: deny, condition: 'agent.tier == \"supervised\"'}]", ""},
        {"rules: [{name: a, verdict: deny, condition: 'true'}]", "a always_holds: its condition reads nothing"},
        {"rules: [{name: a, verdict: deny, condition: '1 > 2'}]", "a never_holds: its condition reads nothing"},
        {"rules: [{name: a, verdict: deny, condition: '1 > 2', mode: \"off\"}]", ""},
        {"rules: [{name: a, verdict: deny, condition: 'action.class == \"writ\"'}]", "a never_holds: action.class is never \"writ\""},
        {"rules: [{name: a, verdict: deny, condition: '\"superviced\" == agent.tier'}]", "a never_holds: agent.tier is never \"superviced\""},
        {"rules: [{name: a, verdict: deny, condition: 'target == \"a\" && target == \"b\"'}]", "a never_holds: target can't be both \"a\" and \"b\""},
        {"rules: [{name: a, verdict: deny, condition: 'target == \"a\" || target == \"b\"'}]", ""},
        {"rules: [{name: a, verdict: deny, condition: 'impact.services > 5 && impact.services < 3'}]", "a never_holds: impact.services can't be both 5 and 3"},
        {"rules: [{name: a, verdict: deny, condition: 'impact.services >= 5 && 5 >= impact.services'}]", ""},
        {"rules: [{name: a, verdict: deny, condition: 'impact.services > 5 && 5 >= impact.services'}]", "a never_holds: impact.services can't be both 5 and 5"},
        {"rules: [{name: a, verdict: deny, condition: 'impact.services == 9 && agent.human && impact.services < 9'}]",
         "a never_holds: impact.services can't be both 9 and 9"},
        {"agents: [{name: cat, owner: o}]\nrules: [{name: a, verdict: deny, condition: 'agent.human', match: {agents: [bot], tools: [t], services: [s]}}]",
         "a never_speaks: no agent that the policy declares is \"bot\"; a never_speaks: no tool that the policy declares is \"t\"; "
         "a never_speaks: no service that the policy declares is \"s\""},
        {"rules: [{name: a, verdict: deny, condition: 'agent.human', match: {agents: [bot]}}]", ""},
        {"agents: [{name: bot, owner: o}]\nrules: [{name: a, verdict: deny, condition: 'agent.human', match: {agents: [\"b*\"]}}]", ""},
        {"rules: [{name: a, verdict: deny, condition: 'agent.human'}, {name: b, verdict: hold, condition: ' agent.human '}]",
         "b unreachable: rule a says the same and is as strict"},
        {"rules: [{name: a, verdict: hold, condition: 'agent.human'}, {name: b, verdict: hold, condition: 'agent.human'}]",
         "b unreachable: rule a says the same and is as strict"},
        {"rules: [{name: a, verdict: hold, condition: 'agent.human', mode: shadow}, {name: b, verdict: hold, condition: 'agent.human'}]", ""},
        {"rules: [{name: a, verdict: hold, condition: 'agent.human', match: {tools: []}}, {name: b, verdict: deny, condition: '!(agent.human)'}]",
         "b contradicts: with rule a it speaks against every action"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CLEANUP(arena) struct arena *a = arena_new(ROOM);
        CLEANUP(policy) struct policy *p = must_read(a, rows[i].yaml);
        struct found found = {""};
        rules_lint(p, a, collect, &found);
        if (strcmp(found.text, rows[i].found) != 0) {
            print_error("%s\n  got:  %s\n  want: %s\n", rows[i].yaml, found.text, rows[i].found);
            fail();
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wrong_is_said_with_its_place),
        cmocka_unit_test(each_limit_is_crossed),
        cmocka_unit_test(what_costs_too_much_is_refused),
        cmocka_unit_test(a_policy_is_written_and_read_again),
        cmocka_unit_test(rules_come_from_files_as_well),
        cmocka_unit_test(conditions_are_judged),
        cmocka_unit_test(what_is_cut_counts_as_held),
        cmocka_unit_test(messages_are_said),
        cmocka_unit_test(a_rule_speaks_of_what_it_names),
        cmocka_unit_test(what_is_wrong_with_rules_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
