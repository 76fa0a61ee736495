/*
 * cli/check - `pawl check`: asks the gate, here or at the server, without doing anything.
 */
#include "cli/cli.h"
#include "cli/given.h"
#include "cli/output.h"
#include "client/untrusted.h"
#include "server/config.h"
#include "sys/clock.h"
#include "value/json.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

int cli_verdict_code(enum verdict v)
{
    static const int codes[] = {[VERDICT_DENY] = CLI_DENY,
                                [VERDICT_ESCALATE] = CLI_ESCALATE,
                                [VERDICT_HOLD] = CLI_HOLD,
                                [VERDICT_ADVISE] = 20,
                                [VERDICT_ALLOW] = CLI_OK};
    return codes[v];
}

/* --- offline ------------------------------------------------------------------------------------ */

static void print_record(const struct value *record)
{
    static const struct column columns[] = {
        {"agent", "agent_id"},
        {"action", "intended_action"},
        {"approved", "gate_approved"},
        {"blocking check", "blocking_check"},
        {"error budget %", "sre_signals/error_budget_pct"},
        {"AQDD depth", "sre_signals/aqdd_depth"},
        {"HER trend %", "sre_signals/her_trend_pct"},
        {"unknown", "unknown"},
        {"recommendation", "recommendation"},
    };
    output_members(record, columns, COUNT(columns));
}

static const struct agent_def *agent_of(const struct policy *p, struct str name)
{
    for (uint32_t i = 0; p != NULL && i < p->agent_count; i++) {
        if (str_eq(p->agents[i].name, name)) {
            return &p->agents[i];
        }
    }
    return NULL;
}

static int judge(const struct args *a, const struct policy *policy, struct facts *facts)
{
    struct str agent = str_from(args_text(a, "agent"));
    const struct agent_def *def = agent_of(policy, agent);
    struct thresholds room = thresholds_default();
    struct request request = {.agent = agent};
    struct check_input in = {.policy = policy,
                             .thresholds = &room,
                             .agent = def,
                             .request = &request,
                             .facts = facts,
                             .now_ms = clock_wall_ms()};
    if (policy != NULL) {
        struct threshold_changes none = {NULL, 0};
        in.thresholds = policy_thresholds(policy, STR(""), def == NULL ? none : def->checks, &room);
    }
    struct decision d = {0};
    gate_judge_three(&in, &d);
    const char *task = args_text(a, "task");
    struct gate_record record = {.agent_id = agent,
                                 .intended_action = str_from(args_text(a, "action")),
                                 .task_id = str_from(task == NULL ? "offline" : task),
                                 .action = str_from(args_text(a, "action")),
                                 .checked_at_ms = in.now_ms};
    CLEANUP(arena) struct arena *arena = arena_new(1 << 20);
    if (arena == NULL) {
        return CLI_FAILED;
    }
    struct value v = gate_record_value(arena, &record, facts, &d);
    if (args_flag(a, "json")) {
        output_json(&v);
    } else {
        print_record(&v);
    }
    return cli_verdict_code(strictest_of_three(&d));
}

static int check_offline(const struct args *a)
{
    struct given_signals given = {args_text(a, "error-budget-pct"), args_text(a, "aqdd-depth"),
                                  args_text(a, "her-trend-pct")};
    struct facts facts;
    struct config config = {0};
    struct err e;
    if (args_text(a, "agent") == NULL || args_text(a, "action") == NULL) {
        (void)err_set(&e, RC_INVALID, "expected --agent A and --action TEXT");
        return cli_usage(&e);
    }
    if (given_facts(&given, &facts, &e) != RC_OK) {
        return cli_usage(&e);
    }
    const char *path = args_text(a, "config");
    if (path != NULL && config_load(path, &config, &e) != RC_OK) {
        return cli_failed(&e);
    }
    int code = judge(a, config.policy, &facts);
    if (path != NULL) {
        config_done(&config);
    }
    return code;
}

/* --- at the server ------------------------------------------------------------------------------ */

/* "name=value": a JSON scalar where it reads as one, else a text. */
static enum rc read_parameter(struct arena *a, const char *text, struct value *out, struct err *e)
{
    struct str s = str_from(text);
    size_t equals = str_find(s, '=');
    if (equals == 0 || equals == s.len) {
        return err_set(e, RC_INVALID, "option --param: expected name=value");
    }
    struct str name = str_slice(s, 0, equals);
    struct str given = str_slice(s, equals + 1, s.len);
    if (value_get(out, name) != NULL) {
        return err_set(e, RC_INVALID, "option --param: %.*s is given twice", STR_ARG(name));
    }
    struct value v;
    struct err inner;
    if (json_parse(a, given, &v, &inner) != RC_OK || v.type == VALUE_OBJECT || v.type == VALUE_ARRAY) {
        v = value_string(given);
    }
    value_add(a, out, name, v);
    return RC_OK;
}

static enum rc evaluation(struct arena *a, const struct args *args, struct value *body, struct err *e)
{
    static const char *const names[][2] = {
        {"agent", "agent"}, {"tool", "tool"}, {"service", "service"}, {"action", "intent"}};
    *body = value_object();
    for (size_t i = 0; i < COUNT(names); i++) {
        const char *text = args_text(args, names[i][0]);
        if (text != NULL) {
            value_add_str(a, body, str_from(names[i][1]), str_from(text));
        }
    }
    struct value parameters = value_object();
    const char *text;
    for (size_t i = 0; (text = args_nth(args, "param", i)) != NULL; i++) {
        enum rc rc = read_parameter(a, text, &parameters, e);
        if (rc != RC_OK) {
            return rc;
        }
    }
    if (parameters.count > 0) {
        value_add(a, body, STR("parameters"), parameters);
    }
    return args_text(args, "tool") != NULL
               ? RC_OK
               : err_set(e, RC_INVALID, "expected --tool T, or --offline with signals");
}

static int check_at_server(const struct args *a)
{
    struct session s;
    struct value body;
    int code = session_open(&s, a);
    if (code != CLI_OK) {
        return code;
    }
    if (evaluation(s.arena, a, &body, &s.e) != RC_OK) {
        code = cli_usage(&s.e);
    } else {
        code = session_post(&s, "/v1/evaluate", &body);
    }
    if (code == CLI_OK) {
        static const struct column columns[] = {
            {"verdict", "verdict"},       {"blocking check", "blocking_check"},
            {"blocked by", "blocked_by"}, {"reason", "reason"},
            {"recommendation", "recommendation"}};
        enum verdict verdict = VERDICT_DENY;
        if (args_flag(a, "json")) {
            output_json(&s.answer.body);
        } else {
            output_members(&s.answer.body, columns, COUNT(columns));
        }
        (void)!verdict_parse(value_text(value_get(&s.answer.body, STR("verdict"))), &verdict);
        code = cli_verdict_code(verdict);
    }
    session_close(&s);
    return code;
}

static int run_check(const struct args *a)
{
    struct err e;
    if (args_expect(a, 0, 0, "no words", &e) != RC_OK) {
        return cli_usage(&e);
    }
    return args_flag(a, "offline") ? check_offline(a) : check_at_server(a);
}

static const struct option check_options[] = {
    {"offline", 0, OPTION_FLAG, NULL, "judge the signals given here; asks no server"},
    {"agent", 0, OPTION_TEXT, "A", "whose action it is"},
    {"action", 0, OPTION_TEXT, "TEXT", "what it wants to do"},
    {"task", 0, OPTION_TEXT, "ID", "task_id of the record"},
    {"error-budget-pct", 0, OPTION_TEXT, "N", "remaining error budget, in percent (offline)"},
    {"aqdd-depth", 0, OPTION_TEXT, "N", "approvals that wait (offline)"},
    {"her-trend-pct", 0, OPTION_TEXT, "N", "human escalation rate, in percent (offline)"},
    {"config", 0, OPTION_TEXT, "FILE", "take the thresholds of this policy (offline)"},
    {"tool", 0, OPTION_TEXT, "T", "the tool, by its name"},
    {"service", 0, OPTION_TEXT, "S", "the service it should touch"},
    {"param", 0, OPTION_TEXTS, "K=V", "a parameter of the tool"},
    CLI_JSON_OPTION,
    CLI_SERVER_OPTIONS,
};

const struct command check_commands[] = {
    {"check", "", "ask whether an action might run now; records nothing", check_options,
     COUNT(check_options), run_check,
     "Exit code: 0 approved, 20 advise, 21 hold, 22 escalate, 23 deny.\n"
     "Offline, a signal that is not given is unknown, and unknown blocks. Percentages are rounded towards\n"
     "blocking, so 19.9999999 is below 20."},
    {0},
};
