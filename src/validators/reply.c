#include "validators/reply.h"

#include "value/json.h"

#include <stdio.h>

enum { REPLY_ARENA_MAX = 4 << 20 };

static void say(struct verdict_reply *r, enum validator_answer answer, struct str text)
{
    r->answer = answer;
    snprintf(r->text, sizeof r->text, "%.*s", STR_ARG(text));
}

/* The first text there is: itself, or of a list. */
static struct str first_text(const struct value *v)
{
    return value_is(v, VALUE_ARRAY) ? value_text(value_item(v, 0)) : value_text(v);
}

static struct str reason_of(const struct value *v)
{
    static const char *const names[] = {"reason", "reasons", "message", "deny", "violations"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct str text = first_text(value_get(v, str_from(names[i])));
        if (text.len > 0) {
            return text;
        }
    }
    return STR("");
}

/* A bool, or an object that says allow. What is not defined is no. Source: OPA, "Data API". */
static void read_opa(const struct value *body, struct verdict_reply *ret)
{
    const struct value *result = value_get(body, STR("result"));
    const struct value *allow = value_is(result, VALUE_OBJECT) ? value_get(result, STR("allow")) : result;
    if (result == NULL) {
        say(ret, ANSWER_DENY, STR("the rule is not defined for this"));
    } else if (value_is(allow, VALUE_BOOL)) {
        say(ret, allow->boolean ? ANSWER_ALLOW : ANSWER_DENY, reason_of(result));
    } else {
        say(ret, ANSWER_ERROR, STR("its result is neither a bool nor an object with allow"));
    }
}

static void read_authzen(const struct value *body, struct verdict_reply *ret)
{
    const struct value *decision = value_get(body, STR("decision"));
    const struct value *context = value_get(body, STR("context"));
    const struct value *admin = value_get(context, STR("reason_admin"));
    struct str reason = reason_of(context);
    if (reason.len == 0 && value_is(admin, VALUE_OBJECT) && admin->count > 0) {
        reason = value_text(&admin->members[0].value);
    }
    if (value_is(decision, VALUE_BOOL)) {
        say(ret, decision->boolean ? ANSWER_ALLOW : ANSWER_DENY, reason);
    } else {
        say(ret, ANSWER_ERROR, STR("it has no decision"));
    }
}

static void read_http(const struct value *body, struct verdict_reply *ret)
{
    enum validator_answer answer;
    struct str verdict = value_text(value_get(body, STR("verdict")));
    if (validator_answer_parse(verdict, &answer) && answer != ANSWER_NONE && answer != ANSWER_ERROR) {
        say(ret, answer, reason_of(body));
    } else {
        say(ret, ANSWER_ERROR, STR("its verdict is none of allow, deny, escalate, hold"));
    }
}

void reply_read(enum validator_type type, struct str body, struct verdict_reply *ret)
{
    CLEANUP(arena) struct arena *a = arena_new(REPLY_ARENA_MAX);
    struct value v;
    struct err e;
    if (a == NULL || json_parse(a, body, &v, &e) != RC_OK || v.type != VALUE_OBJECT) {
        say(ret, ANSWER_ERROR, STR("its answer is no JSON object"));
        return;
    }
    switch (type) {
    case VALIDATOR_OPA: read_opa(&v, ret); break;
    case VALIDATOR_AUTHZEN: read_authzen(&v, ret); break;
    default: read_http(&v, ret); break;
    }
}

/* --- questions --------------------------------------------------------------------------------------------------- */

static struct value entity(struct arena *a, const char *type, struct str id)
{
    struct value v = value_object();
    value_add_str(a, &v, STR("type"), str_from(type));
    value_add_str(a, &v, STR("id"), id.len > 0 ? id : STR("-"));
    return v;
}

/* Subject, action and resource from the variables; an expression that makes its own has the last word. */
static struct value authzen_question(struct arena *a, const struct value *q)
{
    if (value_get(q, STR("subject")) != NULL) {
        return *q;
    }
    struct str agent = value_text(value_path(q, "agent", "name", NULL));
    struct str person = value_text(value_path(q, "request", "person", NULL));
    struct value v = value_object();
    struct value action = value_object();
    value_add(a, &v, STR("subject"), agent.len > 0 ? entity(a, "agent", agent) : entity(a, "user", person));
    value_add_str(a, &action, STR("name"), value_text(value_path(q, "action", "tool", NULL)));
    value_add(a, &v, STR("action"), action);
    value_add(a, &v, STR("resource"), entity(a, "service", value_text(value_path(q, "service", "name", NULL))));
    value_add(a, &v, STR("context"), *q);
    return v;
}

struct value reply_question(struct arena *a, enum validator_type type, const struct value *question)
{
    struct value v = value_object();
    switch (type) {
    case VALIDATOR_OPA:
        value_add(a, &v, STR("input"), *question);
        return v;
    case VALIDATOR_AUTHZEN:
        return authzen_question(a, question);
    default:
        return *question;
    }
}
