/*
 * cli/lists - what there is and how it stands: listings, one decision, status.
 */
#include "cli/cli.h"
#include "cli/output.h"
#include "cli/show.h"

#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct option plain_options[] = {CLI_JSON_OPTION, CLI_SERVER_OPTIONS};

static int run_agents(const struct args *a)
{
    static const struct column columns[] = {
        {"AGENT", "name"},       {"OWNER", "owner"},        {"MODEL", "model"},     {"HER %", "her_pct"},
        {"OF", "her_sample"},    {"PENDING", "pending_approvals"}, {"SUSPENDED", "suspended"}};
    return cli_list(a, "/v1/agents", columns, COUNT(columns));
}

static int run_services(const struct args *a)
{
    static const struct column columns[] = {{"SERVICE", "name"},
                                            {"OWNER", "owner"},
                                            {"BUDGET %", "error_budget/remaining_pct"},
                                            {"STATE", "error_budget/state"},
                                            {"SOURCE", "error_budget/source"},
                                            {"AGE MS", "error_budget/age_ms"},
                                            {"DEPENDANTS", "dependants"}};
    return cli_list(a, "/v1/services", columns, COUNT(columns));
}

static int run_tools(const struct args *a)
{
    static const struct column columns[] = {{"TOOL", "name"},         {"CLASS", "class"},
                                            {"PHASES", "phases"},     {"SERVICES", "services"},
                                            {"TARGET", "target"},     {"DECLARED BY", "declared_by"}};
    return cli_list(a, "/v1/tools", columns, COUNT(columns));
}

static int run_signals(const struct args *a)
{
    static const struct column columns[] = {
        {"SIGNAL", "signal"}, {"SERVICE", "service"}, {"STATE", "state"},   {"REMAINING %", "remaining_pct"},
        {"DEPTH", "depth"},   {"DRIFT", "drift"},     {"SOURCE", "source"}, {"AGE MS", "age_ms"},
        {"REASON", "reason"}};
    return cli_list(a, "/v1/signals", columns, COUNT(columns));
}

static const struct option action_options[] = {
    {"state", 0, OPTION_TEXT, "S", "only those in this state, such as escalated"},
    CLI_JSON_OPTION,
    CLI_SERVER_OPTIONS,
};

static int run_actions(const struct args *a)
{
    static const struct column columns[] = {{"ACTION", "action_id"},   {"STATE", "state"},
                                            {"AGENT", "agent"},        {"TOOL", "tool"},
                                            {"SERVICES", "services"},  {"VERDICT", "verdict"},
                                            {"BLOCKED BY", "blocking_check"}, {"PROPOSED", "proposed_at"}};
    struct buf path;
    buf_init(&path, 1024);
    buf_str(&path, STR("/v1/actions"));
    client_query(&path, "state", args_text(a, "state"));
    buf_char(&path, '\0');
    int code = path.rc == RC_OK ? cli_list(a, path.data, columns, COUNT(columns)) : CLI_USAGE;
    buf_done(&path);
    return code;
}

static int run_decisions(const struct args *a)
{
    static const struct column columns[] = {{"DECISION", "decision_id"}, {"ACTION", "action_id"}, {"AT", "decided_at"},
                                            {"AGENT", "agent"},          {"TOOL", "tool"},        {"TARGET", "target"},
                                            {"VERDICT", "verdict"},      {"BLOCKED BY", "blocked_by"}};
    return cli_list(a, "/v1/decisions", columns, COUNT(columns));
}

/* --- one decision ------------------------------------------------------------------------------- */

static int run_decision(const struct args *a)
{
    struct session s;
    struct err e;
    char path[256];
    if (args_expect(a, 1, 1, "dec_N", &e) != RC_OK) {
        return cli_usage(&e);
    }
    int code = session_open(&s, a);
    if (code != CLI_OK) {
        return code;
    }
    snprintf(path, sizeof path, "/v1/decisions/%.100s", a->rest[0]);
    code = session_get(&s, path);
    if (code == CLI_OK && args_flag(a, "json")) {
        output_json(&s.answer.body);
    } else if (code == CLI_OK) {
        struct buf out;
        buf_init(&out, OUTPUT_MAX);
        show_decision(&out, &s.answer.body);
        output_buf(&out);
        buf_done(&out);
    }
    session_close(&s);
    return code;
}

static int run_action(const struct args *a)
{
    struct session s;
    struct err e;
    char path[256];
    if (args_expect(a, 1, 1, "act_N", &e) != RC_OK) {
        return cli_usage(&e);
    }
    int code = session_open(&s, a);
    if (code != CLI_OK) {
        return code;
    }
    snprintf(path, sizeof path, "/v1/actions/%.100s", a->rest[0]);
    code = session_get(&s, path);
    if (code == CLI_OK && args_flag(a, "json")) {
        output_json(&s.answer.body);
    } else if (code == CLI_OK) {
        struct buf out;
        buf_init(&out, OUTPUT_MAX);
        show_action(&out, &s.answer.body);
        output_buf(&out);
        buf_done(&out);
    }
    session_close(&s);
    return code;
}

static int run_replay(const struct args *a)
{
    static const struct column columns[] = {{"decision", "decision_id"},
                                            {"same", "same"},
                                            {"recorded verdict", "recorded_verdict"},
                                            {"replayed verdict", "replayed_verdict"},
                                            {"policy version", "policy_seq"}};
    struct session s;
    struct err e;
    char path[256];
    if (args_expect(a, 1, 1, "dec_N", &e) != RC_OK) {
        return cli_usage(&e);
    }
    int code = session_open(&s, a);
    if (code != CLI_OK) {
        return code;
    }
    snprintf(path, sizeof path, "/v1/decisions/%.100s/replay", a->rest[0]);
    code = session_get(&s, path);
    if (code == CLI_OK) {
        if (args_flag(a, "json")) {
            output_json(&s.answer.body);
        } else {
            output_members(&s.answer.body, columns, COUNT(columns));
        }
        code = value_bool_or(value_get(&s.answer.body, STR("same")), false) ? CLI_OK : CLI_FAILED;
    }
    session_close(&s);
    return code;
}

/* --- status ------------------------------------------------------------------------------------- */

static void print_status(const struct value *status)
{
    static const struct column heads[] = {
        {"ledger", "ledger/state"},        {"entries", "ledger/entries"},
        {"durable", "ledger/durable"},     {"ledger error", "ledger/error"},
        {"policy", "policy/hash"},         {"policy error", "policy/error"},
        {"waiting", "pending_approvals"},  {"open actions", "open_actions"},
        {"unknown outcomes", "unknown_actions"}, {"now", "now"}};
    static const struct column stops[] = {{"STOP", "stop_id"}, {"SCOPE", "scope"}, {"NAME", "name"},
                                          {"LEVEL", "level"},  {"BY", "by"},       {"AT", "at"},
                                          {"REASON", "reason"}};
    static const struct column signals[] = {{"SIGNAL", "signal"}, {"SERVICE", "service"}, {"STATE", "state"},
                                            {"REMAINING %", "remaining_pct"}, {"DEPTH", "depth"},
                                            {"AGE MS", "age_ms"}};
    const struct value *set = value_get(status, STR("stops"));
    if (value_is(set, VALUE_ARRAY) && set->count > 0) {
        output_table(set, stops, COUNT(stops));
        printf("\n");
    }
    output_members(status, heads, COUNT(heads));
    printf("\n");
    output_table(value_get(status, STR("signals")), signals, COUNT(signals));
}

static int run_status(const struct args *a)
{
    struct session s;
    struct err e;
    if (args_expect(a, 0, 0, "no words", &e) != RC_OK) {
        return cli_usage(&e);
    }
    int code = session_open(&s, a);
    if (code != CLI_OK) {
        return code;
    }
    code = session_get(&s, "/v1/status");
    if (code == CLI_OK && args_flag(a, "json")) {
        output_json(&s.answer.body);
    } else if (code == CLI_OK) {
        print_status(&s.answer.body);
    }
    session_close(&s);
    return code;
}

#define PLAIN plain_options, COUNT(plain_options)

const struct command list_commands[] = {
    {"status", "", "how the server stands: stops first", PLAIN, run_status, NULL},
    {"agents", "", "list agents with their escalation rates", PLAIN, run_agents, NULL},
    {"services", "", "list services with their error budgets", PLAIN, run_services, NULL},
    {"tools", "", "list the catalogue of tools", PLAIN, run_tools, NULL},
    {"signals", "", "list what is measured, and how old it is", PLAIN, run_signals, NULL},
    {"actions", "", "list actions that are in memory", action_options, COUNT(action_options), run_actions, NULL},
    {"decisions", "", "list the newest decision of each of those", PLAIN, run_decisions, NULL},
    {"actions show", "act_N", "show one action as an approver must see it", PLAIN, run_action, NULL},
    {"decision", "dec_N", "show one decision whole", PLAIN, run_decision, NULL},
    {"replay", "dec_N", "judge the recorded facts again; exit 1 when it comes out otherwise", PLAIN, run_replay,
     NULL},
    {0},
};
