/*
 * cli/conduct - how far agents are trusted: the ladder, breakers, grants, and what is remembered.
 */
#include "cli/cli.h"
#include "cli/output.h"

#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct option plain_options[] = {CLI_JSON_OPTION, CLI_SERVER_OPTIONS};
static const struct option reason_options[] = {
    {"reason", 0, OPTION_TEXT, "TEXT", "why; required"},
    CLI_JSON_OPTION,
    CLI_SERVER_OPTIONS,
};

/* An option as a member of the body, under its own name or another one; absent ones are left out. */
static void add_option(struct arena *arena, const struct args *a, const char *option, const char *name, struct value *body)
{
    const char *text = args_text(a, option);
    if (text != NULL) {
        value_add_str(arena, body, str_from(name), str_from(text));
    }
}

/* Sends the body and shows what came back. */
static int send_order(struct session *s, const struct args *a, const char *path, const struct value *body,
                      const struct column *columns, unsigned count)
{
    int code = session_post(s, path, body);
    if (code == CLI_OK && args_flag(a, "json")) {
        output_json(&s->answer.body);
    } else if (code == CLI_OK) {
        output_members(&s->answer.body, columns, count);
    }
    session_close(s);
    return code;
}

/* One word, and the server to ask. */
static int begin(struct session *s, const struct args *a, const char *word)
{
    struct err e;
    if (args_expect(a, 1, 1, word, &e) != RC_OK) {
        (void)cli_usage(&e);
        return CLI_USAGE;
    }
    return session_open(s, a);
}

/* --- breakers ------------------------------------------------------------------------------------ */

static const struct column breaker_columns[] = {{"AGENT", "agent"},       {"STATE", "state"},
                                                {"CAUSE", "cause"},       {"HALF-OPEN AT", "half_open_at"},
                                                {"DENIALS", "denials"},   {"FAILURES", "failures"}};

static int run_breakers(const struct args *a)
{
    return cli_list(a, "/v1/breakers", breaker_columns, COUNT(breaker_columns));
}

static int set_breaker(const struct args *a, const char *state)
{
    struct session s;
    int code = begin(&s, a, "AGENT");
    if (code != CLI_OK) {
        return code;
    }
    struct value body = value_object();
    value_add_str(s.arena, &body, STR("agent"), str_from(a->rest[0]));
    value_add_str(s.arena, &body, STR("state"), str_from(state));
    add_option(s.arena, a, "reason", "reason", &body);
    return send_order(&s, a, "/v1/breakers", &body, breaker_columns, COUNT(breaker_columns));
}

static int run_breaker_open(const struct args *a)
{
    return set_breaker(a, "open");
}

static int run_breaker_close(const struct args *a)
{
    return set_breaker(a, "closed");
}

/* --- the trust ladder ------------------------------------------------------------------------------ */

static const struct option tier_options[] = {
    {"to", 0, OPTION_TEXT, "TIER", "read_only, shadow, supervised or autonomous"},
    {"service", 0, OPTION_TEXT, "GLOB", "on these services only"},
    {"reason", 0, OPTION_TEXT, "TEXT", "why; required"},
    CLI_JSON_OPTION,
    CLI_SERVER_OPTIONS,
};

static int run_tier(const struct args *a)
{
    static const struct column columns[] = {{"agent", "agent"}, {"service", "service"}, {"tier", "tier"}};
    struct session s;
    int code = begin(&s, a, "AGENT");
    if (code != CLI_OK) {
        return code;
    }
    struct value body = value_object();
    value_add_str(s.arena, &body, STR("agent"), str_from(a->rest[0]));
    add_option(s.arena, a, "to", "tier", &body);
    add_option(s.arena, a, "service", "service", &body);
    add_option(s.arena, a, "reason", "reason", &body);
    return send_order(&s, a, "/v1/tiers", &body, columns, COUNT(columns));
}

/* --- grants ------------------------------------------------------------------------------------------- */

static const struct column grant_columns[] = {{"GRANT", "grant_id"}, {"AGENT", "agent"},     {"TOOL", "tool"},
                                              {"TARGET", "target"},  {"ENDS", "expires_at"}, {"BY", "by"},
                                              {"STATE", "state"},    {"REASON", "reason"}};

static int run_grants(const struct args *a)
{
    return cli_list(a, "/v1/grants", grant_columns, COUNT(grant_columns));
}

static const struct option grant_options[] = {
    {"tool", 0, OPTION_TEXT, "GLOB", "tools; required"},
    {"target", 0, OPTION_TEXT, "GLOB", "targets; required"},
    {"for", 0, OPTION_TEXT, "SPAN", "how long: 30m, 8h, 7d; required"},
    {"reason", 0, OPTION_TEXT, "TEXT", "why; required"},
    CLI_JSON_OPTION,
    CLI_SERVER_OPTIONS,
};

static int run_grant(const struct args *a)
{
    struct session s;
    int code = begin(&s, a, "AGENT");
    if (code != CLI_OK) {
        return code;
    }
    struct value body = value_object();
    value_add_str(s.arena, &body, STR("agent"), str_from(a->rest[0]));
    add_option(s.arena, a, "tool", "tool", &body);
    add_option(s.arena, a, "target", "target", &body);
    add_option(s.arena, a, "for", "expires_in", &body);
    add_option(s.arena, a, "reason", "reason", &body);
    return send_order(&s, a, "/v1/grants", &body, grant_columns, COUNT(grant_columns));
}

static int run_revoke(const struct args *a)
{
    static const struct column columns[] = {{"grant", "grant_id"}, {"state", "state"}};
    struct session s;
    int code = begin(&s, a, "grt_N");
    if (code != CLI_OK) {
        return code;
    }
    struct value body = value_object();
    add_option(s.arena, a, "reason", "reason", &body);
    char path[256];
    snprintf(path, sizeof path, "/v1/grants/%.100s/revoke", a->rest[0]);
    return send_order(&s, a, path, &body, columns, COUNT(columns));
}

/* --- incidents and reverts --------------------------------------------------------------------------------- */

static int run_incidents(const struct args *a)
{
    static const struct column columns[] = {
        {"INCIDENT", "incident_id"}, {"ACTION", "action_id"}, {"SERVICE", "service"}, {"AT", "at"},
        {"CAUSE", "cause"}, {"PERSON", "person"}, {"REVIEW BY", "review_by"}};
    return cli_list(a, "/v1/incidents", columns, COUNT(columns));
}

static int run_incident_close(const struct args *a)
{
    static const struct column columns[] = {{"incident", "incident_id"}, {"state", "state"}};
    struct session s;
    int code = begin(&s, a, "inc_N");
    if (code != CLI_OK) {
        return code;
    }
    struct value body = value_object();
    add_option(s.arena, a, "reason", "reason", &body);
    add_option(s.arena, a, "resolved-by", "resolved_by", &body);
    char path[256];
    snprintf(path, sizeof path, "/v1/incidents/%.100s/close", a->rest[0]);
    return send_order(&s, a, path, &body, columns, COUNT(columns));
}

static const struct option close_options[] = {
    {"reason", 0, OPTION_TEXT, "TEXT", "why; required"},
    {"resolved-by", 0, OPTION_TEXT, "act_N", "the action that resolved it: it is remembered"},
    CLI_JSON_OPTION,
    CLI_SERVER_OPTIONS,
};

static const struct option symptom_options[] = {
    {"symptom", 0, OPTION_TEXT, "S", "any, latency or availability (any)"},
    {"at", 0, OPTION_TEXT, "TIME", "when it was noticed (now)"},
    {"window", 0, OPTION_TEXT, "SECONDS", "it began so much before it was noticed (300)"},
    {"reason", 0, OPTION_TEXT, "TEXT", "what is seen"},
    CLI_JSON_OPTION,
    CLI_SERVER_OPTIONS,
};

static const struct column recall_columns[] = {{"shape", "shape"}, {"seen", "seen"}, {"first", "first_at"}, {"last", "last_at"}};

/* What is remembered: each remedy, then each precedent. */
static void print_recall(const struct value *recall)
{
    static const struct column remedies[] = {{"REMEDY", "tool"}, {"TRIED", "tried"}, {"RESOLVED IT", "resolved"}};
    static const struct column precedents[] = {{"INCIDENT", "incident_id"}, {"SERVICE", "service"}, {"AT", "at"},
                                               {"CLOSED", "closed_at"},     {"RESOLVED BY", "resolved_by"}, {"TOOL", "tool"}};
    const struct value *found = value_get(recall, STR("remedies"));
    output_members(recall, recall_columns, COUNT(recall_columns));
    if (value_item(found, 0) != NULL) {
        output_table(found, remedies, COUNT(remedies));
    }
    found = value_get(recall, STR("precedents"));
    if (value_item(found, 0) != NULL) {
        output_table(found, precedents, COUNT(precedents));
    }
}

/* Opens an incident, or only asks: both say what is remembered of its shape. */
static int send_symptom(const struct args *a, const char *path, const char *recall)
{
    struct session s;
    int code = begin(&s, a, "SERVICE");
    if (code != CLI_OK) {
        return code;
    }
    struct value body = value_object();
    value_add_str(s.arena, &body, STR("service"), str_from(a->rest[0]));
    add_option(s.arena, a, "symptom", "symptom", &body);
    add_option(s.arena, a, "at", "at", &body);
    int64_t window_s;
    if (args_text(a, "window") != NULL && str_to_i64(str_from(args_text(a, "window")), &window_s)) {
        value_add_int(s.arena, &body, STR("window_s"), window_s);
    }
    add_option(s.arena, a, "reason", "reason", &body);
    code = session_post(&s, path, &body);
    if (code == CLI_OK && args_flag(a, "json")) {
        output_json(&s.answer.body);
    } else if (code == CLI_OK) {
        static const struct column head[] = {{"incident", "incident_id"}};
        const struct value *remembered = recall == NULL ? &s.answer.body : value_get(&s.answer.body, str_from(recall));
        if (recall != NULL) {
            output_members(&s.answer.body, head, COUNT(head));
        }
        if (value_is(remembered, VALUE_OBJECT)) {
            print_recall(remembered);
        }
    }
    session_close(&s);
    return code;
}

static int run_incident_open(const struct args *a)
{
    return send_symptom(a, "/v1/incidents", "recall");
}

static int run_recall(const struct args *a)
{
    return send_symptom(a, "/v1/memory/recall", NULL);
}

static const struct option revert_options[] = {
    {"reason", 0, OPTION_TEXT, "TEXT", "why; required"},
    {"under-stop", 0, OPTION_FLAG, NULL, "although a stop covers it"},
    CLI_JSON_OPTION,
    CLI_SERVER_OPTIONS,
};

static int run_actions_revert(const struct args *a)
{
    static const struct column columns[] = {{"action", "action_id"}, {"state", "state"}, {"agent", "agent"}, {"tool", "tool"}};
    struct session s;
    int code = begin(&s, a, "act_N");
    if (code != CLI_OK) {
        return code;
    }
    struct value body = value_object();
    add_option(s.arena, a, "reason", "reason", &body);
    value_add_bool(s.arena, &body, STR("under_stop"), args_flag(a, "under-stop"));
    char path[256];
    snprintf(path, sizeof path, "/v1/actions/%.100s/revert", a->rest[0]);
    return send_order(&s, a, path, &body, columns, COUNT(columns));
}

static const struct option settle_options[] = {
    {"result", 0, OPTION_TEXT, "succeeded|failed", "what became of it; required"},
    {"reason", 0, OPTION_TEXT, "TEXT", "how you know; required"},
    CLI_JSON_OPTION,
    CLI_SERVER_OPTIONS,
};

static int run_actions_settle(const struct args *a)
{
    static const struct column columns[] = {{"action", "action_id"}, {"state", "state"}, {"agent", "agent"}, {"tool", "tool"}};
    struct session s;
    int code = begin(&s, a, "act_N");
    if (code != CLI_OK) {
        return code;
    }
    struct value body = value_object();
    add_option(s.arena, a, "result", "result", &body);
    add_option(s.arena, a, "reason", "reason", &body);
    char path[256];
    snprintf(path, sizeof path, "/v1/actions/%.100s/settle", a->rest[0]);
    return send_order(&s, a, path, &body, columns, COUNT(columns));
}

/* --- memory --------------------------------------------------------------------------------------------- */

static int run_memory(const struct args *a)
{
    static const struct column columns[] = {{"TOOL", "tool"},     {"SERVICE", "service"},  {"OUTCOMES", "outcomes"},
                                            {"FAILED", "failed"}, {"LAST", "last_action"}, {"AT", "last_at"}};
    return cli_list(a, "/v1/memory", columns, COUNT(columns));
}

#define PLAIN plain_options, COUNT(plain_options)
#define REASON reason_options, COUNT(reason_options)

const struct command conduct_commands[] = {
    {"breakers", "", "list the agents' circuit breakers", PLAIN, run_breakers, NULL},
    {"breaker open", "AGENT", "cut an agent off until its breaker is closed", REASON, run_breaker_open, NULL},
    {"breaker close", "AGENT", "let an agent act again", REASON, run_breaker_close, NULL},
    {"tier", "AGENT", "move an agent on the trust ladder", tier_options, COUNT(tier_options), run_tier, NULL},
    {"grants", "", "list grants", PLAIN, run_grants, NULL},
    {"grant", "AGENT", "permit an agent to write, for a time", grant_options, COUNT(grant_options), run_grant, NULL},
    {"revoke", "grt_N", "end a grant: at once for decisions, at the next heartbeat for executions", REASON, run_revoke, NULL},
    {"incidents", "", "list open incidents", PLAIN, run_incidents, NULL},
    {"incident open", "SERVICE", "something is wrong with it", symptom_options, COUNT(symptom_options), run_incident_open,
     "The way of its harm is looked at; what is remembered of such a way is shown."},
    {"incident close", "inc_N", "an incident is over", close_options, COUNT(close_options), run_incident_close, NULL},
    {"recall", "SERVICE", "what is remembered of incidents like its own", symptom_options, COUNT(symptom_options), run_recall,
     "By the shape of the harm, not by names or texts. Asking is written down."},
    {"actions revert", "act_N", "take an action back by the command that was decided with it", revert_options,
     COUNT(revert_options), run_actions_revert, NULL},
    {"actions settle", "act_N", "say what became of an action that is unknown", settle_options, COUNT(settle_options),
     run_actions_settle, NULL},
    {"memory", "", "list how tools did on services", PLAIN, run_memory, NULL},
    {0},
};
