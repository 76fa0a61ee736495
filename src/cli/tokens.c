/*
 * cli/tokens - credentials: made, listed, revoked.
 */
#include "cli/cli.h"
#include "cli/output.h"

#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct option create_options[] = {
    {"role", 0, OPTION_TEXTS, "R", "agent, viewer, auditor, responder, approver, override, admin, source, enforcer"},
    {"person", 0, OPTION_TEXT, "P", "who holds it"},
    {"agent", 0, OPTION_TEXT, "A", "the agent it speaks for (role agent)"},
    {"services", 0, OPTION_TEXT, "GLOBS", "what a source may write: patterns, comma between"},
    {"groups", 0, OPTION_TEXT, "NAMES", "an approver's groups, comma between"},
    {"expires-in", 0, OPTION_TEXT, "SPAN", "30d, 12h; without it, never"},
    CLI_JSON_OPTION,
    CLI_SERVER_OPTIONS,
};

static struct value token_body(struct arena *a, const struct args *args)
{
    static const char *const names[][2] = {
        {"person", "person"}, {"agent", "agent"}, {"services", "services"}, {"groups", "groups"}, {"expires-in", "expires_in"}};
    struct value body = value_object();
    struct value roles = value_array();
    const char *role;
    for (size_t i = 0; (role = args_nth(args, "role", i)) != NULL; i++) {
        value_push(a, &roles, value_string(str_from(role)));
    }
    value_add(a, &body, STR("roles"), roles);
    for (size_t i = 0; i < COUNT(names); i++) {
        const char *text = args_text(args, names[i][0]);
        if (text != NULL) {
            value_add_str(a, &body, str_from(names[i][1]), str_from(text));
        }
    }
    return body;
}

static int run_create(const struct args *a)
{
    struct session s;
    struct err e;
    if (args_expect(a, 0, 0, "no words", &e) != RC_OK) {
        return cli_usage(&e);
    }
    if (args_nth(a, "role", 0) == NULL) {
        (void)err_set(&e, RC_INVALID, "expected at least one --role");
        return cli_usage(&e);
    }
    int code = session_open(&s, a);
    if (code != CLI_OK) {
        return code;
    }
    struct value body = token_body(s.arena, a);
    code = session_post(&s, "/v1/tokens", &body);
    if (code == CLI_OK && args_flag(a, "json")) {
        output_json(&s.answer.body);
    } else if (code == CLI_OK) {
        struct str id = value_text(value_get(&s.answer.body, STR("token_id")));
        printf("%.*s\n", STR_ARG(value_text(value_get(&s.answer.body, STR("token")))));
        fprintf(stderr, "pawl: %.*s. The line on standard output is its token: it is shown this once.\n",
                STR_ARG(id));
    }
    session_close(&s);
    return code;
}

static const struct option list_options[] = {CLI_JSON_OPTION, CLI_SERVER_OPTIONS};

static int run_list(const struct args *a)
{
    static const struct column columns[] = {{"TOKEN", "token_id"},   {"PERSON", "person"},
                                            {"ROLES", "roles"},      {"GROUPS", "groups"},       {"SERVICES", "services"},
                                            {"EXPIRES", "expires_at"}, {"REVOKED", "revoked"}};
    return cli_list(a, "/v1/tokens", columns, COUNT(columns));
}

static const struct option revoke_options[] = {
    {"reason", 0, OPTION_TEXT, "TEXT", "why"},
    CLI_SERVER_OPTIONS,
};

static int run_revoke(const struct args *a)
{
    struct session s;
    struct err e;
    if (args_expect(a, 1, 1, "tok_N", &e) != RC_OK) {
        return cli_usage(&e);
    }
    int code = session_open(&s, a);
    if (code != CLI_OK) {
        return code;
    }
    char path[256];
    snprintf(path, sizeof path, "/v1/tokens/%.100s/revoke", a->rest[0]);
    struct value body = value_object();
    const char *reason = args_text(a, "reason");
    value_add_str(s.arena, &body, STR("reason"), str_from(reason));
    code = session_post(&s, path, &body);
    if (code == CLI_OK) {
        printf("%s is revoked\n", a->rest[0]);
    }
    session_close(&s);
    return code;
}

const struct command token_commands[] = {
    {"token create", "", "make a credential and print it once", create_options, COUNT(create_options),
     run_create, NULL},
    {"token list", "", "list credentials", list_options, COUNT(list_options), run_list, NULL},
    {"token revoke", "tok_N", "end a credential at once", revoke_options, COUNT(revoke_options), run_revoke,
     NULL},
    {0},
};
