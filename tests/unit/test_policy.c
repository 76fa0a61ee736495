/* policy: every field, its default and range; where it is wrong; freezes, permissions, commands. */
#include "check.h"

#include "base/instant.h"
#include "policy/policy.h"
#include "value/json.h"
#include "value/yaml.h"

static enum rc load(const char *yaml, struct policy **ret, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(64 << 20);
    struct value v;
    enum rc rc = yaml_parse(a, STR("p.yaml"), str_from(yaml), &v, e);
    return rc == RC_OK ? policy_read(STR("p.yaml"), &v, ret, e) : rc;
}

static struct policy *loaded(const char *yaml)
{
    struct policy *p = NULL;
    struct err e = {0};
    if (load(yaml, &p, &e) != RC_OK) {
        print_error("%s: %s\nof:\n%s\n", e.where, e.text, yaml);
        fail();
    }
    return p;
}

static void check_refused(const char *yaml, enum rc want, const char *where, const char *text)
{
    struct policy *p = NULL;
    struct err e = {0};
    enum rc rc = load(yaml, &p, &e);
    if (rc != want || strcmp(e.where, where) != 0 || strcmp(e.text, text) != 0) {
        print_error("of: %s\n  got:  %s %s: %s\n  want: %s %s: %s\n", yaml, rc_name(rc), e.where, e.text,
                    rc_name(want), where, text);
        policy_free(p);
        fail();
    }
    assert_null(p);
}

/* --- fields ------------------------------------------------------------------------------------------ */

static void an_empty_policy_has_every_default(void **state)
{
    (void)state;
    struct policy *p = loaded("");
    assert_false(p->advisory);
    assert_int_equal(p->proposal_ttl_ms, HOUR_MS);
    assert_int_equal(p->approval_ttl_ms, HOUR_MS);
    assert_int_equal(p->start_deadline_ms, 30000);
    assert_int_equal(p->heartbeat_ms, 60000);
    assert_true(p->resume_by_another);
    assert_false(p->owner_approves);
    assert_int_equal(p->limits.agents, 10000);
    assert_int_equal(p->limits.services, 10000);
    assert_int_equal(p->limits.open_actions, 10000);
    assert_int_equal(p->limits.pending_approvals, 1000);
    assert_int_equal(p->limits.pending_per_agent, 2);
    assert_int_equal(p->agent_count + p->service_count + p->tool_count + p->class_count +
                         p->freeze_count + p->permission_count,
                     0);
    static const int64_t want[THRESHOLD_COUNT] = {
        [FREEZE_MODE] = MODE_ENFORCE,
        [FREEZE_ON_WRITE] = VERDICT_HOLD,
        [FREEZE_ON_DESTRUCTIVE] = VERDICT_DENY,
        [FREEZE_ON_UNKNOWN] = VERDICT_HOLD,
        [FREEZE_DEPLOY_TIMEOUT_MS] = HOUR_MS,
        [BUDGET_MODE] = MODE_ENFORCE,
        [BUDGET_MIN_PPM] = 200000,
        [BUDGET_ON_BLOCK] = VERDICT_ESCALATE,
        [BUDGET_ON_UNKNOWN] = VERDICT_HOLD,
        [BUDGET_MAX_AGE_MS] = 120000,
        [BUDGET_TOLERANCE_PPM] = 50000,
        [BUDGET_REQUIRE_SLO] = 0,
        [AQDD_MODE] = MODE_ENFORCE,
        [AQDD_MAX_DEPTH] = 3,
        [AQDD_MAX_DRIFT_MILLI] = 0,
        [AQDD_ON_BLOCK] = VERDICT_HOLD,
        [AQDD_ON_UNKNOWN] = VERDICT_HOLD,
        [HER_MODE] = MODE_ENFORCE,
        [HER_MAX_PPM] = 150000,
        [HER_MIN_SAMPLE] = 10,
        [HER_ON_BLOCK] = VERDICT_ESCALATE,
        [HER_ON_UNKNOWN] = VERDICT_HOLD,
        [HER_TOLERANCE_PPM] = 50000,
        [BREAKER_MODE] = MODE_ENFORCE,
        [BREAKER_MAX_DENIALS] = 10,
        [BREAKER_MAX_FAILURES] = 3,
        [BREAKER_WINDOW_MS] = MINUTE_MS,
        [BREAKER_OPEN_MS] = 10 * MINUTE_MS,
        [BREAKER_PROBES] = 1,
        [BREAKER_ON_BLOCK] = VERDICT_DENY,
        [LINEAGE_MODE] = MODE_OFF,
        [LINEAGE_ON_BLOCK] = VERDICT_DENY,
        [TIER_MODE] = MODE_ENFORCE,
        [TIER_OTHERWISE] = TIER_SUPERVISED,
        [READINESS_MODE] = MODE_OFF,
        [READINESS_ON_BLOCK] = VERDICT_ESCALATE,
        [GRANT_MODE] = MODE_OFF,
        [GRANT_ON_BLOCK] = VERDICT_DENY,
        [ZONE_MODE] = MODE_ENFORCE,
        [ZONE_ON_BLOCK] = VERDICT_DENY,
        [UPSTREAM_MODE] = MODE_ENFORCE,
        [UPSTREAM_ON_BLOCK] = VERDICT_HOLD,
        [UPSTREAM_ON_UNKNOWN] = VERDICT_HOLD,
        [BLAST_MODE] = MODE_ENFORCE,
        [BLAST_MAX_PPM] = 500000,
        [BLAST_ON_BLOCK] = VERDICT_ESCALATE,
        [BLAST_ON_UNKNOWN] = VERDICT_HOLD,
        [RATE_MODE] = MODE_ENFORCE,
        [RATE_WINDOW_MS] = MINUTE_MS,
        [RATE_ON_BLOCK] = VERDICT_HOLD,
        [SURFACES_MODE] = MODE_ENFORCE,
        [SCHEMA_MODE] = MODE_ENFORCE,
        [SCHEMA_ON_BLOCK] = VERDICT_ESCALATE,
        [SCHEMA_ON_UNKNOWN] = VERDICT_ESCALATE,
        [ON_CALL_MODE] = MODE_OFF,
        [ON_CALL_MAX_INCIDENTS] = 2,
        [ON_CALL_MAX_AGE_MS] = 86400000,
        [ON_CALL_ON_BLOCK] = VERDICT_HOLD,
        [ON_CALL_ON_UNKNOWN] = VERDICT_HOLD,
        [REVERSIBILITY_MODE] = MODE_OFF,
        [REVERSIBILITY_SNAPSHOT_MS] = 86400000,
        [REVERSIBILITY_ROLLBACK_MS] = 30 * 86400000LL,
        [REVERSIBILITY_ON_BLOCK] = VERDICT_ESCALATE,
        [MEMORY_MODE] = MODE_OFF,
        [MEMORY_MIN_FAILURES] = 2,
        [MEMORY_MAX_FAILED_PPM] = 500000,
        [MEMORY_ON_BLOCK] = VERDICT_ESCALATE,
        [DRIFT_MODE] = MODE_ENFORCE,
        [DRIFT_ON_BLOCK] = VERDICT_ESCALATE,
        [PROVENANCE_MODE] = MODE_ENFORCE,
        [PROVENANCE_ON_BLOCK] = VERDICT_ESCALATE,
        [QUORUM_MODE] = MODE_ENFORCE,
    };
    for (unsigned i = 0; i < THRESHOLD_COUNT; i++) {
        assert_int_equal(p->thresholds.at[i], want[i]);
    }
    policy_free(p);
}

static const char whole[] =
    "mode: advisory\n"
    "proposal_ttl: 2h\n"
    "approval_ttl: 30m\n"
    "start_deadline: 10s\n"
    "heartbeat: 90s\n"
    "resume_by_another: false\n"
    "owner_approves: true\n"
    "limits: {agents: 10, services: 11, open_actions: 12, pending_approvals: 13, pending_per_agent: 14}\n"
    "checks:\n"
    "  error_budget: {min_pct: 12.5, on_block: deny, on_unknown: escalate, max_age: 1m, tolerance_pct: 1,\n"
    "                 require_slo: dependants, mode: shadow}\n"
    "  aqdd: {max_depth: 7, max_drift: 2.5, on_block: escalate, on_unknown: deny, mode: \"off\"}\n"
    "  her_trend: {max_pct: 5, min_sample: 20, on_block: hold, on_unknown: deny, tolerance_pct: 0}\n"
    "  freeze: {on_write: escalate, on_destructive: hold, on_unknown: deny, deploy_timeout: 90m}\n"
    "task_classes:\n"
    "  - {name: careful, checks: {error_budget: {min_pct: 50}, aqdd: {max_depth: 1}}}\n"
    "agents:\n"
    "  - name: bot/a\n"
    "    owner: ann\n"
    "    escalation: [ben, cyd]\n"
    "    team: ops\n"
    "    roles: [fixer]\n"
    "    model: m1\n"
    "    prompt_version: p7\n"
    "    advisory: true\n"
    "    suspended: true\n"
    "    checks: {error_budget: {min_pct: 60.0001}}\n"
    "services:\n"
    "  - {name: shop, owner: eva, zone: eu, traffic_pct: 33.3333, depends_on: [db],\n"
    "     slo: {objective: 99.95, window: 7d, prometheus: {ratio: r, timestamp: t}}}\n"
    "  - {name: db, slo: {objective: 99, prometheus: {good: g, total: t}}}\n"
    "  - {name: api, slo: {objective: 99.9999, events: true}}\n"
    "tools:\n"
    "  - name: scale\n"
    "    description: scales a deployment\n"
    "    class: write\n"
    "    reversible: true\n"
    "    task_class: careful\n"
    "    match:\n"
    "      argv: [[kubectl, scale, \"--replicas={n}\", \"{service}\"], [/bin/scale, ...]]\n"
    "      mcp: [\"k8s__scale*\"]\n"
    "    parameters: {type: object, properties: {n: {type: integer, maximum: 10}, service: {type: string}}}\n"
    "    target: \"deploy/{service}\"\n"
    "    services: [\"{service}\"]\n"
    "    surfaces: [k8s]\n"
    "    env: [KUBECONFIG]\n"
    "    inputs: [manifest]\n"
    "  - {name: wipe, class: destructive, phases: 1}\n"
    "  - {name: look, class: read}\n"
    "permissions:\n"
    "  - {agents: [\"bot/*\"], tools: [\"*\"], targets: [\"deploy/*\"], where: {resource.status: active}}\n"
    "  - {roles: [fixer], tools: [look]}\n"
    "freezes:\n"
    "  - {name: xmas, reason: peak, services: [shop*], from: 2026-12-24T16:00:00Z, until: 2026-12-27T06:00:00Z}\n"
    "  - {name: weekend, days: [sat, sun, fri], day_from: \"00:30\", day_until: \"24:00\"}\n";

static void every_field_is_read(void **state)
{
    (void)state;
    struct policy *p = loaded(whole);
    assert_true(p->advisory && p->owner_approves && !p->resume_by_another);
    assert_int_equal(p->proposal_ttl_ms, 2 * HOUR_MS);
    assert_int_equal(p->approval_ttl_ms, 30 * MINUTE_MS);
    assert_int_equal(p->start_deadline_ms, 10000);
    assert_int_equal(p->heartbeat_ms, 90000);
    assert_int_equal(p->limits.agents, 10);
    assert_int_equal(p->limits.services, 11);
    assert_int_equal(p->limits.open_actions, 12);
    assert_int_equal(p->limits.pending_approvals, 13);
    assert_int_equal(p->limits.pending_per_agent, 14);
    const int64_t *t = p->thresholds.at;
    assert_int_equal(t[BUDGET_MIN_PPM], 125000);
    assert_int_equal(t[BUDGET_ON_BLOCK], VERDICT_DENY);
    assert_int_equal(t[BUDGET_ON_UNKNOWN], VERDICT_ESCALATE);
    assert_int_equal(t[BUDGET_MAX_AGE_MS], 60000);
    assert_int_equal(t[BUDGET_TOLERANCE_PPM], 10000);
    assert_int_equal(t[BUDGET_REQUIRE_SLO], 1);
    assert_int_equal(thresholds_mode(&p->thresholds, CHECK_ERROR_BUDGET), MODE_SHADOW);
    assert_int_equal(t[AQDD_MAX_DEPTH], 7);
    assert_int_equal(t[AQDD_MAX_DRIFT_MILLI], 2500);
    assert_int_equal(t[AQDD_ON_BLOCK], VERDICT_ESCALATE);
    assert_int_equal(t[AQDD_ON_UNKNOWN], VERDICT_DENY);
    assert_int_equal(thresholds_mode(&p->thresholds, CHECK_AQDD), MODE_OFF);
    assert_int_equal(t[HER_MAX_PPM], 50000);
    assert_int_equal(t[HER_MIN_SAMPLE], 20);
    assert_int_equal(t[HER_ON_BLOCK], VERDICT_HOLD);
    assert_int_equal(t[HER_ON_UNKNOWN], VERDICT_DENY);
    assert_int_equal(t[HER_TOLERANCE_PPM], 0);
    assert_int_equal(thresholds_mode(&p->thresholds, CHECK_HER_TREND), MODE_ENFORCE);
    assert_int_equal(t[FREEZE_ON_WRITE], VERDICT_ESCALATE);
    assert_int_equal(t[FREEZE_ON_DESTRUCTIVE], VERDICT_HOLD);
    assert_int_equal(t[FREEZE_ON_UNKNOWN], VERDICT_DENY);
    assert_int_equal(t[FREEZE_DEPLOY_TIMEOUT_MS], 90 * MINUTE_MS);
    policy_free(p);
}

static void agents_services_and_tools_are_read(void **state)
{
    (void)state;
    struct policy *p = loaded(whole);
    assert_int_equal(p->agent_count, 1);
    const struct agent_def *a = p->agents;
    assert_str(a->name, "bot/a");
    assert_str(a->owner, "ann");
    assert_int_equal(a->escalation.count, 2);
    assert_str(a->escalation.items[1], "cyd");
    assert_str(a->team, "ops");
    assert_str(a->roles.items[0], "fixer");
    assert_str(a->model, "m1");
    assert_str(a->prompt_version, "p7");
    assert_true(a->advisory && a->suspended);
    assert_int_equal(a->checks.count, 1);
    assert_int_equal(a->checks.items[0].threshold, BUDGET_MIN_PPM);
    assert_int_equal(a->checks.items[0].value, 600001);
    assert_int_equal(p->service_count, 3);
    const struct service_def *s = p->services;
    assert_str(s[0].zone, "eu");
    assert_int_equal(s[0].traffic_ppm, 333333);
    assert_str(s[0].depends_on.items[0], "db");
    assert_true(s[0].has_slo);
    assert_int_equal(s[0].slo.objective_ppm, 999500);
    assert_int_equal(s[0].slo.window_ms, 7LL * DAY_MS);
    assert_int_equal(s[0].slo.source, SLO_PROMETHEUS_RATIO);
    assert_str(s[0].slo.timestamp, "t");
    assert_int_equal(s[1].slo.source, SLO_PROMETHEUS_PAIR);
    assert_int_equal(s[1].slo.window_ms, 30LL * DAY_MS);
    assert_int_equal(s[2].slo.source, SLO_EVENTS);
    assert_int_equal(s[2].slo.objective_ppm, 999999);
    assert_int_equal(p->tool_count, 3);
    const struct tool_def *t = p->tools;
    assert_int_equal(t[0].class, TOOL_WRITE);
    assert_true(t[0].two_phase && t[0].reversible && t[0].schema != NULL);
    assert_int_equal(t[0].argv_count, 2);
    assert_int_equal(t[0].mcp.count, 1);
    assert_int_equal(t[1].class, TOOL_DESTRUCTIVE);
    assert_false(t[1].two_phase);
    assert_true(tool_is_named(&t[1]) && !tool_is_named(&t[0]));
    assert_false(t[2].two_phase); /* what only reads has one phase */
    policy_free(p);
}

#define KEY_A "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
#define KEY_B "PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw="

static void keys_are_read_in_either_base64(void **state)
{
    (void)state;
    struct policy *p = loaded("agents: [{name: bot/a, owner: o, keys: [{id: k1, public: " KEY_A "}, {id: k2, public: " KEY_B "}]}]");
    const struct agent_def *a = p->agents;
    assert_int_equal(a->key_count, 2);
    assert_int_equal(agent_key_find(a, STR("k1"))->public[0], 0xd7);
    assert_int_equal(agent_key_find(a, STR("k2"))->public[31], 0x0c);
    assert_null(agent_key_find(a, STR("k")));
    /* As it is recorded, and read back: the same. */
    struct value v = agent_def_value(p->arena, a);
    const struct value *keys = value_get(&v, STR("keys"));
    assert_str(value_text(value_get(value_item(keys, 0), STR("public"))), KEY_A);
    assert_str(value_text(value_get(value_item(keys, 1), STR("public"))), "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw");
    struct agent_def again;
    struct err e;
    struct reader r = {p->arena, STR(""), &e};
    assert_int_equal(agent_def_read(&r, &v, &again), RC_OK);
    assert_memory_equal(agent_key_find(&again, STR("k2"))->public, a->keys[1].public, AGENT_KEY_LEN);
    policy_free(p);
}

static void an_agent_has_few_keys(void **state)
{
    (void)state;
    char yaml[1200] = "agents: [{name: a, owner: o, keys: [";
    for (int i = 0; i < AGENT_KEYS_MAX; i++) {
        snprintf(yaml + strlen(yaml), sizeof yaml - strlen(yaml), "{id: k%d, public: " KEY_A "}, ", i);
    }
    size_t full = strlen(yaml);
    snprintf(yaml + full, sizeof yaml - full, "]}]");
    policy_free(loaded(yaml));
    snprintf(yaml + full, sizeof yaml - full, "{id: k, public: " KEY_A "}]}]");
    check_refused(yaml, RC_INVALID, "p.yaml:1:36", "keys: expected a list of at most 8 {id, public}");
}

static void what_is_wrong_is_said_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        const char *where;
        const char *text;
    } rows[] = {
        {"[]", "p.yaml:1:1", "expected an object"},
        {"mode: soft", "p.yaml:1:7", "mode: expected one of enforce, advisory"},
        {"mode: 1", "p.yaml:1:7", "mode: expected one of enforce, advisory"},
        {"heartbeat: 60", "p.yaml:1:12", "heartbeat: expected a duration such as 30s, 5m, 1h or 28d"},
        {"heartbeat: 999ms", "p.yaml:1:12", "heartbeat: expected 1s to 1h"},
        {"heartbeat: 3601s", "p.yaml:1:12", "heartbeat: expected 1s to 1h"},
        {"proposal_ttl: 8d", "p.yaml:1:15", "proposal_ttl: expected 1s to 7d"},
        {"owner_approves: 1", "p.yaml:1:17", "owner_approves: expected true or false"},
        {"limits: {agents: 0}", "p.yaml:1:18", "agents: expected 1 to 1000000"},
        {"limits: {agents: 1.5}", "p.yaml:1:18", "agents: expected a whole number"},
        {"limits: {robots: 1}", "p.yaml:1:18",
         "unknown key \"robots\": expected one of agents, services, open_actions, pending_approvals, "
         "pending_per_agent"},
        {"limits: []", "p.yaml:1:9", "expected an object"},
        {"checks: {nothing: {}}", "p.yaml:1:19", "unknown check \"nothing\""},
        {"checks: {aqdd: 3}", "p.yaml:1:16", "aqdd: expected an object of thresholds"},
        {"checks: {aqdd: {max: 3}}", "p.yaml:1:22", "unknown threshold \"max\" of check aqdd"},
        {"checks: {aqdd: {max_depth: -1}}", "p.yaml:1:28", "max_depth: expected 0 to 100000"},
        {"checks: {aqdd: {max_drift: x}}", "p.yaml:1:28", "max_drift: expected a number"},
        {"checks: {error_budget: {min_pct: .nan}}", "p.yaml:1:34", "min_pct: expected a number"},
        {"checks: {error_budget: {min_pct: 100.1}}", "p.yaml:1:34", "min_pct: expected -1000 to 100"},
        {"checks: {error_budget: {min_pct: 1e300}}", "p.yaml:1:34", "min_pct: expected a number"},
        {"checks: {error_budget: {max_age: 0s}}", "p.yaml:1:34", "max_age: expected 1s to 1d"},
        {"checks: {her_trend: {min_sample: 51}}", "p.yaml:1:34", "min_sample: expected 1 to 50"},
        {"checks: []", "p.yaml:1:9", "checks: expected an object"},
        {"agents: {}", "p.yaml:1:9", "agents: expected a list"},
        {"agents:\n  - owner: ann", "p.yaml:2:5", "name is required"},
        {"agents:\n  - name: a", "p.yaml:2:5", "owner is required"},
        {"agents:\n  - {name: A, owner: o}", "p.yaml:2:12",
         "name: expected a name: lower-case letters, digits and . _ / -, at most 128"},
        {"agents:\n  - {name: a, owner: 7}", "p.yaml:2:22", "owner: expected a text of at most 16384 bytes"},
        {"agents:\n  - {name: a, owner: o, roles: [x, Y]}", "p.yaml:2:36",
         "roles: expected a name: lower-case letters, digits and . _ / -, at most 128"},
        {"agents:\n  - {name: a, owner: o, roles: x}", "p.yaml:2:32",
         "roles: expected a list of at most 4096 texts"},
        {"agents:\n  - {name: a, owner: o}\n  - {name: a, owner: p}", "p.yaml:3:5",
         "agents: \"a\" is declared twice"},
        {"agents:\n  - {name: a, owner: o, color: red}", "p.yaml:2:32",
         "unknown key \"color\": expected one of name, owner, escalation, team, roles, model, "
         "prompt_version, advisory, suspended, tier, tiers, zones, labels, behaviour, keys, checks"},
        {"agents: [{name: a, owner: o, keys: {}}]", "p.yaml:1:36", "keys: expected a list of at most 8 {id, public}"},
        {"agents: [{name: a, owner: o, keys: [{id: k}]}]", "p.yaml:1:37", "public is required"},
        {"agents: [{name: a, owner: o, keys: [{id: a/b, public: x}]}]", "p.yaml:1:42",
         "id: expected a name without '/'"},
        {"agents: [{name: a, owner: o, keys: [{id: k, public: short}]}]", "p.yaml:1:53",
         "public: expected 32 bytes of an Ed25519 key in base64"},
        {"agents: [{name: a, owner: o, keys: [{id: k, public: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=}]}]",
         "p.yaml:1:53", "public: expected 32 bytes of an Ed25519 key in base64"},
        {"agents: [{name: a, owner: o, keys: [{id: k, public: " KEY_A "}, {id: k, public: " KEY_B "}]}]",
         "p.yaml:1:99", "id: \"k\" is there twice"},
        {"services: [{name: s, slo: {objective: 100, events: true}}]", "p.yaml:1:39",
         "objective: expected 0.0001 to 99.9999"},
        {"services: [{name: s, slo: {objective: 99}}]", "p.yaml:1:27",
         "slo: expected either prometheus or events: true"},
        {"services: [{name: s, slo: {objective: 99, events: true, prometheus: {ratio: r}}}]", "p.yaml:1:27",
         "slo: expected either prometheus or events: true"},
        {"services: [{name: s, slo: {objective: 99, prometheus: {}}}]", "p.yaml:1:55",
         "prometheus: expected either ratio, or good and total"},
        {"services: [{name: s, slo: {objective: 99, prometheus: {good: g}}}]", "p.yaml:1:55",
         "prometheus: expected either ratio, or good and total"},
        {"services: [{name: s, slo: {objective: 99, prometheus: {ratio: r, good: g}}}]", "p.yaml:1:55",
         "prometheus: expected either ratio, or good and total"},
        {"services: [{name: s, slo: {objective: 99, window: 59m, events: true}}]", "p.yaml:1:51",
         "window: expected 1h to 90d"},
        {"services: [{name: s, traffic_pct: 101}]", "p.yaml:1:35", "traffic_pct: expected 0 to 100"},
        {"tools: [{name: t}]", "p.yaml:1:9", "class is required"},
        {"tools: [{name: t, class: safe}]", "p.yaml:1:26", "class: expected one of read, write, destructive"},
        {"tools: [{name: t, class: read, phases: 3}]", "p.yaml:1:40", "phases: expected 0 to 2"},
        {"tools: [{name: t, class: read, match: {}}]", "p.yaml:1:39", "match: expected argv or mcp"},
        {"tools: [{name: t, class: read, match: {argv: []}}]", "p.yaml:1:46",
         "argv: expected a list of 1 to 256 words"},
        {"tools: [{name: t, class: read, match: {argv: [ls, 1]}}]", "p.yaml:1:51",
         "argv: expected a text (quote numbers)"},
        {"tools: [{name: t, class: read, match: {argv: [[ls], rm]}}]", "p.yaml:1:53",
         "argv: expected a list of 1 to 256 words"},
        {"tools: [{name: t, class: read, parameters: {type: objekt}}]", "p.yaml:1:44",
         "parameters/type: expected a type's name or a list of them"},
        {"tools: [{name: t, class: read, observe: {for: 1m, invariants: 1}}]", "p.yaml:1:63",
         "expected a list of at most 8 invariants"},
        {"tools: [{name: t, class: read, observe: {for: 1m, invariants: [{name: i, argv: [ls]}]}}]", "p.yaml:1:64",
         "argv: expected an absolute path as the first word"},
        {"tools: [{name: t, class: read, observe: {for: 1m, invariants: [{name: i}]}}]", "p.yaml:1:64", "expected either argv or condition"},
        {"tools: [{name: t, class: read, observe: {for: 1m, invariants: [{name: i, argv: [/x], condition: 'true'}]}}]", "p.yaml:1:64",
         "expected either argv or condition"},
        {"tools: [{name: t, class: read, observe: {for: 1m, invariants: [{name: i, condition: 'target'}]}}]", "p.yaml:1:64",
         "condition: at 1:1 of the expression: the expression yields string, not bool"},
        {"tools: [{name: t, class: read, observe: {for: 1m, invariants: [{name: i, argv: [/x], after: 61s}]}}]",
         "p.yaml:1:64", "after: expected no more than the observation's own time"},
        {"tools: [{name: t, class: read, observe: {for: 1m, invariants: [{name: i, argv: [/x]}, {name: i, argv: [/y]}]}}]",
         "p.yaml:1:87", "name: there is another of that name"},
        {"tools: [{name: t, class: read, observe: {for: 1m, invariants: [1,2,3,4,5,6,7,8,9]}}]", "p.yaml:1:63",
         "expected a list of at most 8 invariants"},
        {"tools: [{name: t, class: read, revert: {argv: [ls]}}]", "p.yaml:1:40",
         "revert: expected an absolute path as the first word"},
        {"tools: [{name: t, class: read, labels: [a]}]", "p.yaml:1:40",
         "labels: expected at most 32 names with their values"},
        {"tools: [{name: t, class: read, labels: {l0: 1,l1: 1,l2: 1,l3: 1,l4: 1,l5: 1,l6: 1,l7: 1,l8: 1,l9: 1,l10: 1,l11: 1,l12: 1,l13: 1,l1"
         "4: 1,l15: 1,l16: 1,l17: 1,l18: 1,l19: 1,l20: 1,l21: 1,l22: 1,l23: 1,l24: 1,l25: 1,l26: 1,l"
         "27: 1,l28: 1,l29: 1,l30: 1,l31: 1,l32: 1}}]", "p.yaml:1:40",
         "labels: expected at most 32 names with their values"},
        {"services: [{name: s, labels: {env: [a]}}]", "p.yaml:1:36",
         "labels: expected a name and a text of at most 256 bytes, an integer or a bool"},
        {"agents: [{name: a, owner: b, labels: {\"\": 1}}]", "p.yaml:1:43",
         "labels: expected a name and a text of at most 256 bytes, an integer or a bool"},
        {"tools: [{name: t, class: read, task_class: x}]", "", "tool t: task class \"x\" is not declared"},
        {"task_classes: [{name: c}]", "p.yaml:1:16", "checks is required"},
        {"freezes: [{name: f}]", "p.yaml:1:11", "a freeze needs an end: until, or days"},
        {"freezes: [{name: f, until: tomorrow}]", "p.yaml:1:28",
         "until: expected a time such as 2026-12-24T16:00:00Z"},
        {"freezes: [{name: f, from: 2026-01-02T00:00:00Z, until: 2026-01-02T00:00:00Z}]", "p.yaml:1:11",
         "until: expected a time after from"},
        {"freezes: [{name: f, until: 2026-01-02T00:00:00Z, day_from: \"10:00\"}]", "p.yaml:1:11",
         "day_from and day_until go with days"},
        {"freezes: [{name: f, days: [monday]}]", "p.yaml:1:11",
         "days: expected mon, tue, wed, thu, fri, sat or sun"},
        {"permissions: [{tools: [x]}]", "p.yaml:1:15", "a permission needs agents or roles (\"*\" for all)"},
        {"permissions: [{agents: [x]}]", "p.yaml:1:15", "tools is required"},
        {"permissions: [{agents: [x], tools: [y], where: 1}]", "p.yaml:1:48", "where: expected an object"},
        {"mood: fine", "p.yaml:1:7",
         "unknown key \"mood\": expected one of mode, proposal_ttl, approval_ttl, start_deadline, heartbeat, max_silence, "
         "resume_by_another, owner_approves, memory_keep, memory_readers, limits, checks, task_classes, agents, services, tools, "
         "permissions, freezes, zone_exceptions, surfaces, quorum, rules, validators"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        check_refused(rows[i].yaml, RC_INVALID, rows[i].where, rows[i].text);
    }
    struct policy *p = NULL;
    struct err e;
    assert_int_equal(load("mode: enforce\nmode: advisory", &p, &e), RC_INVALID);
    assert_string_equal(e.where, "p.yaml:2:1");
}

static void clock_times_are_checked(void **state)
{
    (void)state;
    static const char *const bad[] = {"24:01", "9:00", "09:60", "ab:cd", "-1:00", "+1:00", "12-00", "12:0", " 1:00"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char yaml[200];
        snprintf(yaml, sizeof yaml, "freezes: [{name: f, days: [mon], day_from: \"%s\"}]", bad[i]);
        check_refused(yaml, RC_INVALID, "p.yaml:1:11",
                      "day_from, day_until: expected HH:MM (UTC), the first before the second");
    }
    check_refused("freezes: [{name: f, days: [mon], day_from: \"12:00\", day_until: \"12:00\"}]", RC_INVALID,
                  "p.yaml:1:11", "day_from, day_until: expected HH:MM (UTC), the first before the second");
}

/* What is required must say something: the canonical form leaves empty texts and lists out. */
static void what_is_required_is_not_empty(void **state)
{
    (void)state;
    check_refused("agents: [{name: a, owner: \"\"}]", RC_INVALID, "p.yaml:1:27", "owner: expected a text, not an empty one");
    check_refused("permissions: [{agents: [a], tools: []}]", RC_INVALID, "p.yaml:1:36",
                  "tools: expected at least one");
}

static void ranges_hold_at_their_ends(void **state)
{
    (void)state;
    static const char *const good[] = {
        "heartbeat: 1s", "heartbeat: 1h", "proposal_ttl: 7d", "approval_ttl: 1s", "start_deadline: 1h",
        "limits: {agents: 1, services: 1000000, open_actions: 100000000, pending_per_agent: 10000}",
        "checks: {error_budget: {min_pct: -1000, max_age: 1d, tolerance_pct: 100}}",
        "checks: {error_budget: {min_pct: 100, max_age: 1s, tolerance_pct: 0}}",
        "checks: {aqdd: {max_depth: 0, max_drift: 0}}", "checks: {aqdd: {max_depth: 100000, max_drift: 1000000}}",
        "checks: {her_trend: {max_pct: 0, min_sample: 1}}", "checks: {her_trend: {max_pct: 100, min_sample: 50}}",
        "checks: {freeze: {deploy_timeout: 1s}}",
        "services: [{name: s, slo: {objective: 0.0001, window: 1h, events: true}}]",
        "services: [{name: s, traffic_pct: 100, slo: {objective: 99.9999, window: 90d, events: true}}]",
        "agents: null",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        policy_free(loaded(good[i]));
    }
}

/* --- thresholds ---------------------------------------------------------------------------------------- */

static void what_blocks_is_never_a_yes(void **state)
{
    (void)state;
    static const char *const keys[][2] = {
        {"error_budget", "on_unknown"}, {"error_budget", "on_block"}, {"aqdd", "on_unknown"},
        {"aqdd", "on_block"},           {"her_trend", "on_unknown"},  {"her_trend", "on_block"},
        {"freeze", "on_unknown"},       {"freeze", "on_write"},       {"freeze", "on_destructive"},
    };
    static const char *const words[] = {"allow", "advise", "off", "ALLOW", ""};
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
        for (size_t w = 0; w < sizeof words / sizeof *words; w++) {
            char yaml[200];
            char text[200];
            snprintf(yaml, sizeof yaml, "checks:\n  %s:\n    %s: '%s'", keys[k][0], keys[k][1], words[w]);
            snprintf(text, sizeof text, "%s: expected one of deny, escalate, hold", keys[k][1]);
            struct policy *p = NULL;
            struct err e;
            assert_int_equal(load(yaml, &p, &e), RC_INVALID);
            assert_string_equal(e.text, text);
        }
        static const enum verdict verdicts[] = {VERDICT_DENY, VERDICT_ESCALATE, VERDICT_HOLD};
        for (size_t w = 0; w < 3; w++) {
            char yaml[200];
            snprintf(yaml, sizeof yaml, "checks: {%s: {%s: %s}}", keys[k][0], keys[k][1], verdict_name(verdicts[w]));
            struct policy *p = loaded(yaml);
            assert_int_equal(p->checks.count, 1);
            assert_int_equal(p->checks.items[0].value, verdicts[w]);
            policy_free(p);
        }
    }
}

static void mandatory_checks_have_no_mode(void **state)
{
    (void)state;
    static const char *const names[] = {"identity", "stop", "catalogue", "request"};
    static const char *const modes[] = {"enforce", "shadow", "\"off\""};
    for (size_t n = 0; n < 4; n++) {
        for (size_t i = 0; i < 9; i++) {
            char yaml[200];
            char text[200];
            switch (i / 3) {
            case 0: snprintf(yaml, sizeof yaml, "checks: {%s: {mode: %s}}", names[n], modes[i % 3]); break;
            case 1: snprintf(yaml, sizeof yaml, "agents: [{name: a, owner: o, checks: {%s: {mode: %s}}}]", names[n], modes[i % 3]); break;
            default: snprintf(yaml, sizeof yaml, "task_classes: [{name: c, checks: {%s: {mode: %s}}}]", names[n], modes[i % 3]);
            }
            snprintf(text, sizeof text, "check %s has no mode and no thresholds", names[n]);
            struct policy *p = NULL;
            struct err e;
            assert_int_equal(load(yaml, &p, &e), RC_INVALID);
            assert_string_equal(e.text, text);
        }
    }
    struct thresholds t = thresholds_default();
    for (unsigned c = 0; c < CHECK_COUNT; c++) {
        bool wanted = c != CHECK_LINEAGE && c != CHECK_READINESS && c != CHECK_GRANT && c != CHECK_MEMORY &&
                      c != CHECK_ON_CALL && c != CHECK_REVERSIBILITY;
        assert_int_equal(thresholds_mode(&t, (enum check)c), wanted ? MODE_ENFORCE : MODE_OFF);
    }
    check_refused("checks: {aqdd: {mode: silent}}", RC_INVALID, "p.yaml:1:23",
                  "mode: expected one of enforce, shadow, off");
}

static void the_most_specific_threshold_wins(void **state)
{
    (void)state;
    struct policy *p = loaded("checks: {error_budget: {min_pct: 10}, aqdd: {max_depth: 5}}\n"
                              "task_classes: [{name: c, checks: {error_budget: {min_pct: 30}}}]\n"
                              "agents: [{name: a, owner: o, checks: {error_budget: {min_pct: 40}}},\n"
                              "         {name: b, owner: o, checks: {her_trend: {max_pct: 1}}}]\n");
    struct threshold_changes none = {NULL, 0};
    struct thresholds room;
    const struct thresholds *t = policy_thresholds(p, STR(""), none, &room);
    assert_int_equal(t->at[BUDGET_MIN_PPM], 100000);
    assert_int_equal(t->at[AQDD_MAX_DEPTH], 5);
    assert_int_equal(t->at[HER_MAX_PPM], 150000);
    t = policy_thresholds(p, STR("c"), none, &room);
    assert_int_equal(t->at[BUDGET_MIN_PPM], 300000);
    assert_int_equal(t->at[AQDD_MAX_DEPTH], 5); /* of the default set: the class says nothing */
    t = policy_thresholds(p, STR("c"), p->agents[0].checks, &room);
    assert_int_equal(t->at[BUDGET_MIN_PPM], 400000);
    assert_int_equal(t->at[AQDD_MAX_DEPTH], 5);
    t = policy_thresholds(p, STR("c"), p->agents[1].checks, &room);
    assert_int_equal(t->at[BUDGET_MIN_PPM], 300000);
    assert_int_equal(t->at[HER_MAX_PPM], 10000);
    t = policy_thresholds(p, STR("gone"), none, &room);
    assert_int_equal(t->at[BUDGET_MIN_PPM], 100000);
    policy_free(p);
}

static void words_go_there_and_back(void **state)
{
    (void)state;
    for (unsigned i = 0; i <= VERDICT_ALLOW; i++) {
        enum verdict v = VERDICT_DENY;
        assert_true(verdict_parse(str_from(verdict_name((enum verdict)i)), &v));
        assert_int_equal(v, i);
        assert_int_equal(verdict_strictest((enum verdict)i, VERDICT_HOLD), i < VERDICT_HOLD ? i : VERDICT_HOLD);
    }
    enum verdict v = VERDICT_ALLOW;
    assert_false(verdict_parse(STR("Allow"), &v));
    assert_false(verdict_parse(STR(""), &v));
    for (unsigned i = 0; i < CHECK_COUNT; i++) {
        enum check c = CHECK_COUNT;
        assert_true(check_parse(str_from(check_name((enum check)i)), &c));
        assert_int_equal(c, i);
    }
    enum check c;
    assert_false(check_parse(STR("nothing"), &c));
    for (int64_t ppm = -1000001; ppm < 1000001; ppm += 7) {
        assert_int_equal(percent_to_ppm(ppm_to_percent(ppm)), ppm);
    }
}

/* --- canonical form ------------------------------------------------------------------------------------- */

static void check_canonical(const char *yaml)
{
    struct policy *first = loaded(yaml);
    struct buf one;
    struct buf two;
    buf_init(&one, POLICY_TEXT_MAX);
    buf_init(&two, POLICY_TEXT_MAX);
    policy_write(&one, first);
    assert_int_equal(one.rc, RC_OK);
    struct policy *second = NULL;
    struct err e;
    enum rc rc = policy_parse(buf_view(&one), &second, &e);
    if (rc != RC_OK) {
        print_error("%s: %s\nof: %.*s\n", e.where, e.text, STR_ARG(buf_view(&one)));
        fail();
    }
    policy_write(&two, second);
    assert_true(one.len == two.len && memcmp(one.data, two.data, one.len) == 0);
    assert_memory_equal(&first->thresholds, &second->thresholds, sizeof first->thresholds);
    buf_done(&one);
    buf_done(&two);
    policy_free(first);
    policy_free(second);
}

static void the_canonical_form_reads_back(void **state)
{
    (void)state;
    static const char *const yamls[] = {
        "",
        whole,
        "checks: {error_budget: {min_pct: 0.0001, max_age: 1500ms}, aqdd: {max_drift: 0.001}}",
        "task_classes: [{name: c, checks: {}}]",
        "agents: [{name: a, owner: \"o \\u0001 \\u00e9 \\\" \\\\ \"}]",
        "services: [{name: s, slo: {objective: 0.0001, events: true}}]",
        "tools: [{name: t, class: write, parameters: true}, {name: u, class: read, parameters: {}, phases: 2},\n"
        "        {name: v, class: read, match: {argv: [ls]}}, {name: w, class: read, match: {mcp: [a]}}]",
        "freezes: [{name: f, from: 1969-12-31T00:00:00Z, until: 2026-01-01T00:00:00.001Z},\n"
        "          {name: g, from: 2026-01-01T00:00:00Z, days: [sun, mon, mon], day_from: \"23:59\"}]",
        "permissions: [{agents: [\"*\"], tools: [\"*\"], where: {a.b: {c: [1, 2.5, null]}}}]",
    };
    for (size_t i = 0; i < sizeof yamls / sizeof *yamls; i++) {
        check_canonical(yamls[i]);
    }
}

static void order_and_comments_do_not_change_it(void **state)
{
    (void)state;
    struct policy *a = loaded("heartbeat: 90s # of the executor\nmode: enforce\n");
    struct policy *b = loaded("mode: enforce\nheartbeat: 90000ms\nproposal_ttl: 60m\n");
    struct buf one;
    struct buf two;
    buf_init(&one, POLICY_TEXT_MAX);
    buf_init(&two, POLICY_TEXT_MAX);
    policy_write(&one, a);
    policy_write(&two, b);
    assert_true(str_eq(buf_view(&one), buf_view(&two)));
    buf_done(&one);
    buf_done(&two);
    policy_free(a);
    policy_free(b);
}

static void values_without_a_file_get_pointers(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        const char *where;
    } rows[] = {
        {"{\"agents\":[{\"name\":\"a\",\"owner\":\"o\"},{\"name\":\"b\",\"owner\":1}]}", "/agents/1/owner"},
        {"{\"checks\":{\"aqdd\":{\"max_depth\":-1}}}", "/checks/aqdd/max_depth"},
        {"{\"agents\":[{\"name\":\"a\",\"owner\":\"o\",\"roles\":[\"x\",\"Y\"]}]}", "/agents/0/roles/1"},
        {"{\"services\":[{\"name\":\"s\",\"slo\":{\"objective\":99,\"prometheus\":{\"ratio\":1}}}]}",
         "/services/0/slo/prometheus/ratio"},
        {"{\"tools\":[{\"name\":\"t\",\"class\":\"read\",\"match\":{\"argv\":[[\"a\"],[\"b\",2]]}}]}",
         "/tools/0/match/argv/1/1"},
        {"{\"tools\":[{\"name\":\"t\",\"class\":\"read\",\"parameters\":{\"type\":7}}]}", "/tools/0/parameters"},
        {"{\"limits\":{\"agents\":0}}", "/limits/agents"},
        {"{\"freezes\":[{\"name\":\"f\",\"until\":1}]}", "/freezes/0/until"},
        {"{\"permissions\":[{\"agents\":[\"*\"],\"tools\":[\"*\"],\"where\":[]}]}", "/permissions/0/where"},
        {"[]", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct policy *p = NULL;
        struct err e = {0};
        assert_int_equal(policy_parse(str_from(rows[i].json), &p, &e), RC_INVALID);
        assert_string_equal(e.where, rows[i].where);
    }
}

/* --- limits ---------------------------------------------------------------------------------------------- */

/* head, then count times row with the index in it, then tail. */
static char *repeated(const char *head, const char *row_start, const char *row_end, unsigned count, const char *tail)
{
    struct buf b;
    buf_init(&b, 16 << 20);
    buf_str(&b, str_from(head));
    for (unsigned i = 0; i < count; i++) {
        buf_printf(&b, "%s%s%u%s", i == 0 ? "" : ",", row_start, i, row_end);
    }
    buf_str(&b, str_from(tail));
    buf_char(&b, '\0');
    size_t len;
    char *text = buf_take(&b, &len);
    assert_non_null(text);
    return text;
}

static void named_limits_are_crossed(void **state)
{
    (void)state;
    static const struct {
        const char *head;
        const char *start;
        const char *end;
        unsigned limit;
        const char *tail;
        enum rc rc;
        const char *text;
    } rows[] = {
        {"{\"freezes\":[", "{\"days\":[\"mon\"],\"name\":\"f", "\"}", FREEZES_MAX, "]}", RC_LIMIT,
         "freezes: 1001 declared, the limit is 1000"},
        {"{\"permissions\":[", "{\"agents\":[\"*\"],\"tools\":[\"t", "\"]}", PERMISSIONS_MAX, "]}", RC_LIMIT,
         "permissions: 10001 declared, the limit is 10000"},
        {"{\"task_classes\":[", "{\"checks\":{},\"name\":\"c", "\"}", TASK_CLASSES_MAX, "]}", RC_LIMIT,
         "task_classes: 1001 declared, the limit is 1000"},
        {"{\"limits\":{\"agents\":3},\"agents\":[", "{\"owner\":\"o\",\"name\":\"a", "\"}", 3, "]}", RC_LIMIT,
         "agents: 4 declared, the limit is 3"},
        {"{\"limits\":{\"services\":3},\"services\":[", "{\"name\":\"s", "\"}", 3, "]}", RC_LIMIT,
         "services: 4 declared, the limit is 3"},
        {"{\"tools\":[", "{\"class\":\"read\",\"name\":\"t", "\"}", FIELD_LIST_MAX, "]}", RC_LIMIT,
         "tools: 4097 declared, the limit is 4096"},
        {"{\"agents\":[{\"name\":\"a\",\"owner\":\"o\",\"escalation\":[", "\"p", "\"", FIELD_LIST_MAX, "]}]}",
         RC_INVALID, "escalation: expected a list of at most 4096 texts"},
        {"{\"tools\":[{\"name\":\"t\",\"class\":\"read\",\"match\":{\"argv\":[", "\"w", "\"", ARGV_WORDS_MAX,
         "]}}]}", RC_INVALID, "argv: expected a list of 1 to 256 words"},
        {"{\"tools\":[{\"name\":\"t\",\"class\":\"read\",\"match\":{\"argv\":[", "[\"w", "\"]", ARGV_PATTERNS_MAX,
         "]}}]}", RC_INVALID, "argv: expected at most 32 patterns"},
        {"{\"tools\":[{\"name\":\"t\",\"class\":\"read\",\"services\":[", "\"s", "\"", TOOL_SERVICES_MAX, "]}]}",
         RC_INVALID, "services: expected at most 16"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (unsigned over = 0; over < 2; over++) {
            char *json = repeated(rows[i].head, rows[i].start, rows[i].end, rows[i].limit + over, rows[i].tail);
            struct policy *p = NULL;
            struct err e = {0};
            enum rc rc = policy_parse(str_from(json), &p, &e);
            free(json);
            if (rc != (over == 0 ? RC_OK : rows[i].rc)) {
                print_error("row %zu, %u over: %s: %s\n", i, over, rc_name(rc), e.text);
                fail();
            }
            if (over == 1) {
                assert_string_equal(e.text, rows[i].text);
            }
            policy_free(p);
        }
    }
}

static void texts_have_their_limit(void **state)
{
    (void)state;
    for (unsigned over = 0; over < 2; over++) {
        struct buf b;
        buf_init(&b, 1 << 20);
        buf_str(&b, STR("{\"agents\":[{\"name\":\"a\",\"owner\":\""));
        for (unsigned i = 0; i < FIELD_TEXT_MAX + over; i++) {
            buf_char(&b, 'x');
        }
        buf_str(&b, STR("\"}]}"));
        struct policy *p = NULL;
        struct err e;
        assert_int_equal(policy_parse(buf_view(&b), &p, &e), over == 0 ? RC_OK : RC_INVALID);
        buf_done(&b);
        policy_free(p);
    }
}

/* --- freezes ---------------------------------------------------------------------------------------------- */

static int64_t at(const char *text)
{
    int64_t ms;
    assert_true(instant_parse(str_from(text), &ms));
    return ms;
}

static void freezes_cover_their_time(void **state)
{
    (void)state;
    struct policy *p = loaded(
        "freezes:\n"
        "  - {name: once, from: 2026-12-24T16:00:00Z, until: 2026-12-27T06:00:00Z, services: [shop*, db]}\n"
        "  - {name: open, until: 2026-01-01T00:00:00Z}\n"
        "  - {name: week, days: [fri, sun], day_from: \"15:00\", day_until: \"18:30\"}\n"
        "  - {name: days, days: [sat], from: 2026-06-06T12:00:00Z, until: 2026-06-13T12:00:00Z}\n");
    static const struct {
        unsigned freeze;
        const char *service;
        const char *now;
        const char *until; /* null: not covered */
    } rows[] = {
        {0, "shop", "2026-12-24T15:59:59.999Z", NULL},
        {0, "shop", "2026-12-24T16:00:00.000Z", "2026-12-27T06:00:00Z"},
        {0, "shop-eu", "2026-12-27T05:59:59.999Z", "2026-12-27T06:00:00Z"},
        {0, "shop", "2026-12-27T06:00:00.000Z", NULL},
        {0, "db", "2026-12-25T00:00:00Z", "2026-12-27T06:00:00Z"},
        {0, "db2", "2026-12-25T00:00:00Z", NULL},
        {1, "any", "1999-01-01T00:00:00Z", "2026-01-01T00:00:00Z"},
        {1, "any", "2025-12-31T23:59:59.999Z", "2026-01-01T00:00:00Z"},
        {1, "any", "2026-01-01T00:00:00Z", NULL},
        {2, "any", "2026-06-05T14:59:59.999Z", NULL}, /* a Friday */
        {2, "any", "2026-06-05T15:00:00Z", "2026-06-05T18:30:00Z"},
        {2, "any", "2026-06-05T18:29:59.999Z", "2026-06-05T18:30:00Z"},
        {2, "any", "2026-06-05T18:30:00Z", NULL},
        {2, "any", "2026-06-06T16:00:00Z", NULL},
        {2, "any", "2026-06-07T16:00:00Z", "2026-06-07T18:30:00Z"},
        {2, "any", "1970-01-02T16:00:00Z", "1970-01-02T18:30:00Z"}, /* the first Friday */
        {3, "any", "2026-06-06T11:59:59.999Z", NULL},
        {3, "any", "2026-06-06T12:00:00Z", "2026-06-07T00:00:00Z"},
        {3, "any", "2026-06-06T23:59:59.999Z", "2026-06-07T00:00:00Z"},
        {3, "any", "2026-06-07T00:00:00Z", NULL},
        {3, "any", "2026-06-13T00:00:00Z", "2026-06-13T12:00:00Z"}, /* its end comes before the day's */
        {3, "any", "2026-06-13T12:00:00Z", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t until = 0;
        bool covered = freeze_covers(&p->freezes[rows[i].freeze], str_from(rows[i].service), at(rows[i].now), &until);
        if (covered != (rows[i].until != NULL) || (covered && until != at(rows[i].until))) {
            print_error("row %zu: %s until %lld\n", i, covered ? "covered" : "not covered", (long long)until);
            fail();
        }
    }
    policy_free(p);
}

/* --- permissions ------------------------------------------------------------------------------------------ */

static void permissions_fit_or_not(void **state)
{
    (void)state;
    struct policy *p = loaded(
        "permissions:\n"
        "  - {agents: [\"bot/*\"], tools: [scale, \"get-*\"], targets: [\"deploy/shop*\"]}\n"
        "  - {roles: [fixer], tools: [\"*\"]}\n"
        "  - {agents: [\"*\"], tools: [read], where: {resource.status: active, action.level: 2}}\n");
    struct str roles[] = {STR("viewer"), STR("fixer")};
    struct agent_def bot = {.name = STR("bot/a")};
    struct agent_def fixer = {.name = STR("x"), .roles = {roles, 2}};
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    struct value active;
    assert_int_equal(json_parse(a, STR("{\"resource\":{\"status\":\"active\"},\"action\":{\"level\":2.0}}"), &active, NULL), RC_OK);
    struct value partly;
    assert_int_equal(json_parse(a, STR("{\"resource\":{\"status\":\"active\"}}"), &partly, NULL), RC_OK);
    struct value flat;
    assert_int_equal(json_parse(a, STR("{\"resource.status\":\"active\",\"action.level\":2}"), &flat, NULL), RC_OK);
    const struct {
        unsigned permission;
        const struct agent_def *agent;
        const char *tool;
        const char *target;
        const struct value *properties;
        bool fits;
    } rows[] = {
        {0, &bot, "scale", "deploy/shop", NULL, true},
        {0, &bot, "get-pods", "deploy/shop-eu", NULL, true},
        {0, &bot, "scale", "deploy/db", NULL, false},
        {0, &bot, "scale", "", NULL, false},
        {0, &bot, "delete", "deploy/shop", NULL, false},
        {0, &fixer, "scale", "deploy/shop", NULL, false},
        {1, &fixer, "anything", "", NULL, true},
        {1, &bot, "anything", "", NULL, false},
        {2, &bot, "read", "t", &active, true},
        {2, &bot, "read", "t", &partly, false},
        {2, &bot, "read", "t", &flat, false},
        {2, &bot, "read", "t", NULL, false},
        {2, &bot, "write", "t", &active, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool fits = permission_fits(&p->permissions[rows[i].permission], rows[i].agent, str_from(rows[i].tool),
                                    str_from(rows[i].target), rows[i].properties);
        if (fits != rows[i].fits) {
            print_error("row %zu: %d\n", i, fits);
            fail();
        }
    }
    policy_free(p);
}

/* --- commands ---------------------------------------------------------------------------------------------- */

/* Splits at spaces; "_" alone is an empty word. */
static uint32_t split(char *text, struct str *words)
{
    uint32_t count = 0;
    for (char *word = strtok(text, " "); word != NULL; word = strtok(NULL, " ")) {
        words[count++] = strcmp(word, "_") == 0 ? STR("") : str_from(word);
    }
    return count;
}

static void check_match(const char *pattern, const char *executable, const char *command, const char *want)
{
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    char pattern_text[512];
    char command_text[512];
    snprintf(pattern_text, sizeof pattern_text, "%s", pattern);
    snprintf(command_text, sizeof command_text, "%s", command);
    struct str pattern_words[64];
    struct str words[64];
    struct argv_pattern p = {{pattern_words, split(pattern_text, pattern_words)}};
    struct str_list argv = {words, split(command_text, words)};
    struct value schema;
    assert_int_equal(json_parse(a, STR("{\"properties\":{\"n\":{\"type\":\"integer\"}}}"), &schema, NULL), RC_OK);
    struct tool_def t = {.argv = &p, .argv_count = 1, .parameters = &schema};
    struct value got;
    bool matches = tool_matches_argv(a, &t, str_from(executable), &argv, &got);
    struct buf text;
    buf_init(&text, 4096);
    if (matches) {
        json_write(&text, &got);
    } else {
        buf_str(&text, STR("no"));
    }
    if (!str_eq(buf_view(&text), str_from(want))) {
        print_error("%s against %s (%s)\n  got:  %.*s\n  want: %s\n", command, pattern, executable,
                    STR_ARG(buf_view(&text)), want);
        fail();
    }
    buf_done(&text);
}

static void commands_match_patterns(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        const char *executable;
        const char *command;
        const char *want;
    } rows[] = {
        {"ls", "/bin/ls", "ls", "{}"},
        {"ls", "/bin/ls", "anything", "{}"},     /* what runs counts, not what it calls itself */
        {"ls", "/bin/rm", "ls", "no"},
        {"/bin/ls", "/bin/ls", "ls", "{}"},
        {"/bin/ls", "/tmp/ls", "ls", "no"},
        {"/bin/*", "/bin/ls", "ls", "{}"},
        {"ls", "", "ls", "no"},
        {"ls", "/bin/ls/", "ls", "no"},
        {"ls -l", "/bin/ls", "ls", "no"},
        {"ls", "/bin/ls", "ls -l", "no"},
        {"ls ...", "/bin/ls", "ls", "{}"},
        {"ls ...", "/bin/ls", "ls -l a b", "{}"},
        {"ls -l ...", "/bin/ls", "ls -a b", "no"},
        {"...", "/bin/ls", "ls", "no"},
        {"ls ... x", "/bin/ls", "ls ... x", "{}"}, /* only a last word takes the rest */
        {"ls ... x", "/bin/ls", "ls a x", "no"},
        {"k scale --replicas={n}", "/k", "k scale --replicas=3", "{\"n\":3}"},
        {"k scale --replicas={n}", "/k", "k scale --replicas=", "no"},
        {"k scale --replicas={n}", "/k", "k scale --replicas=three", "{\"n\":\"three\"}"},
        {"k scale --replicas={n}", "/k", "k scale --replicas=9223372036854775808", "{\"n\":\"9223372036854775808\"}"},
        {"k {a}/{b}", "/k", "k x/y/z", "{\"a\":\"x\",\"b\":\"y/z\"}"},
        {"k {a}{b}", "/k", "k xyz", "{\"a\":\"x\",\"b\":\"yz\"}"},
        {"k {a}{b}", "/k", "k x", "no"},
        {"k {a}", "/k", "k _", "no"},
        {"k *", "/k", "k _", "{}"},
        {"k *{a}*", "/k", "k x", "{\"a\":\"x\"}"},
        {"k a*b*c", "/k", "k aXXbYYc", "{}"},
        {"k a*b*c", "/k", "k aXXcYYb", "no"},
        {"k {}", "/k", "k {}", "{}"},            /* no name: itself */
        {"k {}", "/k", "k x", "no"},
        {"k {a", "/k", "k {a", "{}"},
        {"k {n}-{n}", "/k", "k 1-1", "{\"n\":1}"},
        {"k {n}-{n}", "/k", "k 1-2", "no"},      /* one name is one text */
        {"k -n {ns} delete {ns}", "/k", "k -n a delete a", "{\"ns\":\"a\"}"},
        {"k -n {ns} delete {ns}", "/k", "k -n a delete b", "no"},
        {"k {a}{a}", "/k", "k xyxy", "{\"a\":\"xy\"}"},
        {"k {a}x{b}", "/k", "k 1x2x3", "{\"a\":\"1\",\"b\":\"2x3\"}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        check_match(rows[i].pattern, rows[i].executable, rows[i].command, rows[i].want);
    }
}

static bool one_word(struct arena *a, const char *pattern, struct str text)
{
    struct str pattern_words[] = {STR("k"), str_from(pattern)};
    struct str words[] = {STR("k"), text};
    struct argv_pattern p = {{pattern_words, 2}};
    struct str_list argv = {words, 2};
    struct tool_def t = {.argv = &p, .argv_count = 1};
    struct value got;
    return tool_matches_argv(a, &t, STR("/k"), &argv, &got);
}

/* Words made to be tried in every way end at the step bound, and then do not match. */
static void adversarial_words_end(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    enum { LONG = 60000 };
    char *text = malloc(LONG);
    memset(text, 'a', LONG);
    struct str whole_text = {text, LONG};
    assert_false(one_word(a, "*a*a*a*a*a*a*a*a*b", whole_text));
    assert_false(one_word(a, "{a}{b}{c}{d}{e}{f}{g}x", whole_text));
    assert_false(one_word(a, "*a*a*a*a*a*a*a*a*b", str_slice(whole_text, 0, 60)));
    /* Just as long and harmless: a last star or capture takes the rest at once. */
    assert_true(one_word(a, "*", whole_text));
    assert_true(one_word(a, "a*", whole_text));
    assert_true(one_word(a, "{all}", whole_text));
    assert_true(one_word(a, "a{all}", whole_text));
    /* The bound is on the steps, not on the length: just below it matches. */
    text[9990] = 'b';
    assert_true(one_word(a, "*b", str_slice(whole_text, 0, 9991)));
    text[9990] = 'a';
    text[10100] = 'b';
    assert_false(one_word(a, "*b", str_slice(whole_text, 0, 10101)));
    free(text);
}

static void captures_have_their_limit(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    assert_true(one_word(a, "{a}{b}{c}{d}{e}{f}{g}{h}{i}{j}{k}{l}{m}{n}{o}{p}", STR("0123456789abcdef")));
    assert_false(one_word(a, "{a}{b}{c}{d}{e}{f}{g}{h}{i}{j}{k}{l}{m}{n}{o}{p}{q}", STR("0123456789abcdefg")));
}

static void the_first_pattern_that_fits_counts(void **state)
{
    (void)state;
    struct policy *p = loaded("tools: [{name: t, class: read, match: {argv: [[k, \"{a}\"], [k, x], [k, \"{b}\", y]]}}]");
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    struct str words[] = {STR("k"), STR("x"), STR("y")};
    struct value got;
    struct str_list two = {words, 2};
    assert_true(tool_matches_argv(a, &p->tools[0], STR("/k"), &two, &got));
    assert_str(value_text(value_get(&got, STR("a"))), "x");
    struct str_list three = {words, 3};
    assert_true(tool_matches_argv(a, &p->tools[0], STR("/k"), &three, &got));
    assert_str(value_text(value_get(&got, STR("b"))), "x");
    struct str_list none = {words, 0};
    assert_false(tool_matches_argv(a, &p->tools[0], STR("/k"), &none, &got));
    policy_free(p);
}

static void mcp_tools_match_globs(void **state)
{
    (void)state;
    struct policy *p = loaded("tools: [{name: t, class: read, match: {mcp: [k8s__get, \"k8s__list*\"]}}]");
    assert_true(tool_matches_mcp(p->tools, STR("k8s__get")));
    assert_true(tool_matches_mcp(p->tools, STR("k8s__list_pods")));
    assert_false(tool_matches_mcp(p->tools, STR("k8s__get_all")));
    assert_false(tool_matches_mcp(p->tools, STR("")));
    policy_free(p);
}

/* --- templates ----------------------------------------------------------------------------------------------- */

static void templates_are_filled(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    struct value v;
    assert_int_equal(json_parse(a, STR("{\"s\":\"shop\",\"n\":-7,\"b\":true,\"l\":[],\"d\":1.5,\"e\":\"\",\"t\":\"{s}\"}"), &v, NULL), RC_OK);
    static const struct {
        const char *text;
        const char *want; /* null: refused */
        const char *error;
    } rows[] = {
        {"", "", NULL},
        {"plain", "plain", NULL},
        {"deploy/{s}", "deploy/shop", NULL},
        {"{s}{s}-{n}-{b}", "shopshop--7-true", NULL},
        {"{e}", "", NULL},
        {"{t}", "{s}", NULL}, /* what was filled in is not filled in again */
        {"{}", "{}", NULL},
        {"a}b{", "a}b{", NULL},
        {"{x}", NULL, "parameter \"x\" is missing: expected a text or a whole number"},
        {"{l}", NULL, "parameter \"l\" is array: expected a text or a whole number"},
        {"{d}", NULL, "parameter \"d\" is number: expected a text or a whole number"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct str got = STR("untouched");
        struct err e;
        enum rc rc = template_fill(a, str_from(rows[i].text), &v, &got, &e);
        assert_int_equal(rc, rows[i].want == NULL ? RC_INVALID : RC_OK);
        assert_str(got, rows[i].want == NULL ? "untouched" : rows[i].want);
        if (rows[i].want == NULL) {
            assert_string_equal(e.text, rows[i].error);
        }
    }
    struct str got;
    assert_int_equal(template_fill(a, STR("{s}"), NULL, &got, NULL), RC_INVALID);
}

static void filled_templates_have_their_limit(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    char *text = malloc(FIELD_TEXT_MAX);
    memset(text, 'x', FIELD_TEXT_MAX);
    struct value v = value_object();
    value_add_str(a, &v, STR("x"), (struct str){text, FIELD_TEXT_MAX});
    struct str got;
    struct err e;
    assert_int_equal(template_fill(a, STR("{x}"), &v, &got, &e), RC_OK);
    assert_int_equal(template_fill(a, STR("{x}!"), &v, &got, &e), RC_LIMIT);
    assert_string_equal(e.text, "the text is longer than 16384 bytes");
    free(text);
}

/* A check that reads another one's mode would be switched by it. */
static void each_check_has_its_own_mode(void **state)
{
    (void)state;
    for (unsigned c = 0; c < CHECK_COUNT; c++) {
        if (check_is_mandatory((enum check)c)) {
            continue;
        }
        char yaml[128];
        snprintf(yaml, sizeof yaml, "checks: {%s: {mode: shadow}}", check_name((enum check)c));
        struct policy *p = loaded(yaml);
        for (unsigned other = 0; other < CHECK_COUNT; other++) {
            bool shadow = thresholds_mode(&p->thresholds, (enum check)other) == MODE_SHADOW;
            assert_int_equal(shadow, other == c);
        }
        policy_free(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_policy_has_every_default),
        cmocka_unit_test(each_check_has_its_own_mode),
        cmocka_unit_test(every_field_is_read),
        cmocka_unit_test(agents_services_and_tools_are_read),
        cmocka_unit_test(what_is_wrong_is_said_with_its_place),
        cmocka_unit_test(keys_are_read_in_either_base64),
        cmocka_unit_test(an_agent_has_few_keys),
        cmocka_unit_test(clock_times_are_checked),
        cmocka_unit_test(what_is_required_is_not_empty),
        cmocka_unit_test(ranges_hold_at_their_ends),
        cmocka_unit_test(what_blocks_is_never_a_yes),
        cmocka_unit_test(mandatory_checks_have_no_mode),
        cmocka_unit_test(the_most_specific_threshold_wins),
        cmocka_unit_test(words_go_there_and_back),
        cmocka_unit_test(the_canonical_form_reads_back),
        cmocka_unit_test(order_and_comments_do_not_change_it),
        cmocka_unit_test(values_without_a_file_get_pointers),
        cmocka_unit_test(named_limits_are_crossed),
        cmocka_unit_test(texts_have_their_limit),
        cmocka_unit_test(freezes_cover_their_time),
        cmocka_unit_test(permissions_fit_or_not),
        cmocka_unit_test(commands_match_patterns),
        cmocka_unit_test(adversarial_words_end),
        cmocka_unit_test(captures_have_their_limit),
        cmocka_unit_test(the_first_pattern_that_fits_counts),
        cmocka_unit_test(mcp_tools_match_globs),
        cmocka_unit_test(templates_are_filled),
        cmocka_unit_test(filled_templates_have_their_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
