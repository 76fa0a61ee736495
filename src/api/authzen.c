/*
 * api/authzen - the AuthZEN Authorization API 1.0: the same gate, in a decision point's words.
 *
 * subject is the agent (type "agent", or "type/id" for any other type), action the tool, resource the
 * target. A denial is 200 with decision false and the verdict in the context. true is answered for
 * one-phase tools only: a two-phase action is allowed by its commit, not by an evaluation.
 * Source: AuthZEN Authorization API 1.0; SEMANTICS section 8.
 */
#include "api/identity.h"

#include "value/json.h"

#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* --- reading -------------------------------------------------------------------------------------------------- */

struct evaluation {
    const struct value *subject;
    const struct value *action;
    const struct value *resource;
    const struct value *context;
};

static enum rc text_member(const struct value *v, const char *entity, const char *name, struct str *ret,
                           struct err *e)
{
    const struct value *member = value_get(v, str_from(name));
    char pointer[64];
    snprintf(pointer, sizeof pointer, "/%s/%s", entity, name);
    if (!value_is(member, VALUE_STRING) || member->string.len == 0 || member->string.len > 1024) {
        return err_at(e, RC_INVALID, str_from(pointer), "expected a text of 1 to 1024 bytes");
    }
    *ret = member->string;
    return RC_OK;
}

static enum rc entity(const struct value *v, const char *name, struct err *e)
{
    char pointer[64];
    snprintf(pointer, sizeof pointer, "/%s", name);
    if (!value_is(v, VALUE_OBJECT)) {
        return err_at(e, RC_INVALID, str_from(pointer), "expected an object");
    }
    const struct value *properties = value_get(v, STR("properties"));
    return properties == NULL || properties->type == VALUE_OBJECT
               ? RC_OK
               : err_at(e, RC_INVALID, str_from(pointer), "properties: expected an object");
}

/* "user" and "alice" are the agent user/alice; an agent is called by its own name. */
static struct str qualified(struct arena *a, struct str type, struct str id, const char *plain)
{
    return str_eq(type, str_from(plain)) ? id
                                         : arena_printf(a, "%.*s/%.*s", STR_ARG(type), STR_ARG(id));
}

static void add_properties(struct arena *a, struct value *all, const char *name, const struct value *from)
{
    const struct value *properties = value_get(from, STR("properties"));
    if (properties != NULL) {
        value_add(a, all, str_from(name), *properties);
    }
}

/* The tool's parameters are the action's properties, with the target under "target". */
static struct value *parameters_of(struct arena *a, const struct value *action, struct str target)
{
    struct value *p = arena_alloc(a, sizeof *p);
    if (p == NULL) {
        return NULL;
    }
    *p = value_object();
    const struct value *properties = value_get(action, STR("properties"));
    for (uint32_t i = 0; properties != NULL && i < properties->count; i++) {
        if (!str_eq(properties->members[i].name, STR("target"))) {
            value_add(a, p, properties->members[i].name, properties->members[i].value);
        }
    }
    value_add_str(a, p, STR("target"), target);
    return p;
}

static enum rc read_evaluation(struct call *c, const struct evaluation *ev, struct request *q,
                               struct err *e)
{
    struct arena *a = c->arena;
    struct str subject_type;
    struct str subject_id;
    struct str resource_type;
    struct str resource_id;
    struct str tool;
    enum rc rc = entity(ev->subject, "subject", e);
    rc = rc == RC_OK ? entity(ev->action, "action", e) : rc;
    rc = rc == RC_OK ? entity(ev->resource, "resource", e) : rc;
    rc = rc == RC_OK ? text_member(ev->subject, "subject", "type", &subject_type, e) : rc;
    rc = rc == RC_OK ? text_member(ev->subject, "subject", "id", &subject_id, e) : rc;
    rc = rc == RC_OK ? text_member(ev->action, "action", "name", &tool, e) : rc;
    rc = rc == RC_OK ? text_member(ev->resource, "resource", "type", &resource_type, e) : rc;
    rc = rc == RC_OK ? text_member(ev->resource, "resource", "id", &resource_id, e) : rc;
    if (rc == RC_OK && ev->context != NULL && ev->context->type != VALUE_OBJECT) {
        rc = err_at(e, RC_INVALID, STR("/context"), "expected an object");
    }
    struct value *properties = rc == RC_OK ? arena_alloc(a, sizeof *properties) : NULL;
    if (properties == NULL) {
        return rc == RC_OK ? err_set(e, RC_LIMIT, "the request is too large") : rc;
    }
    *properties = value_object();
    add_properties(a, properties, "subject", ev->subject);
    add_properties(a, properties, "action", ev->action);
    add_properties(a, properties, "resource", ev->resource);
    struct str target = qualified(a, resource_type, resource_id, "target");
    *q = (struct request){.round = c->who.round,
                          .agent = qualified(a, subject_type, subject_id, "agent"),
                          .claimed_tool = tool,
                          .given = parameters_of(a, ev->action, target),
                          .properties = properties,
                          .author_type = STR("ai")};
    return RC_OK;
}

/* An enforcer asks about anyone; an agent only about itself. */
static enum rc may_ask(struct call *c, const struct request *q, struct err *e)
{
    if ((c->who.roles & ROLE_ENFORCER) != 0) {
        return RC_OK;
    }
    const struct world_agent *self = world_agent_at(control_world(c->control), c->who.agent);
    return str_eq(q->agent, str_from(self->name))
               ? RC_OK
               : err_set(e, RC_DENIED, "an agent may ask about itself only");
}

/* --- deciding -------------------------------------------------------------------------------------------------- */

static struct value answer(struct call *c, const struct decided *d, bool one_phase)
{
    struct arena *a = c->arena;
    bool go = d->decision.verdict == VERDICT_ALLOW && one_phase;
    struct value v = value_object();
    value_add_bool(a, &v, STR("decision"), go);
    struct value context = value_object();
    struct value decided = render_decided(c, d);
    static const char *const passed_on[] = {"verdict", "reason", "blocking_check", "action_id",
                                            "decision_id", "digest"};
    for (size_t i = 0; i < COUNT(passed_on); i++) {
        const struct value *member = value_get(&decided, str_from(passed_on[i]));
        if (member != NULL) {
            value_add(a, &context, str_from(passed_on[i]), *member);
        }
    }
    const struct value *retry = value_get(&decided, STR("retry_after_s"));
    if (retry != NULL) {
        value_add(a, &context, STR("retry_after"), *retry);
    }
    if (!one_phase && d->action != 0 && d->decision.verdict == VERDICT_ALLOW) {
        value_add_str(a, &context, STR("commit_url"),
                      arena_printf(a, "/v1/actions/act_%llu/commit", (unsigned long long)d->action));
    }
    value_add(a, &context, STR("checks"), render_findings(c, &d->decision, &d->facts));
    value_add(a, &v, STR("context"), context);
    return v;
}

static enum rc decide_one(struct call *c, const struct evaluation *ev, struct value *ret, struct err *e)
{
    struct request q;
    struct decided *d = arena_alloc(c->arena, sizeof *d);
    enum rc rc = read_evaluation(c, ev, &q, e);
    rc = rc == RC_OK ? may_ask(c, &q, e) : rc;
    rc = rc == RC_OK && c->who.agent != MAP_NONE ? identity_say(c, &q, e) : rc;
    if (rc != RC_OK || d == NULL) {
        return rc != RC_OK ? rc : err_set(e, RC_LIMIT, "the request is too large");
    }
    rc = control_propose(c->control, c->arena, &c->who, &q, NULL, d, e);
    if (rc == RC_OK && d->pending_again) {
        struct decision_record *record = arena_alloc(c->arena, sizeof *record);
        rc = record == NULL ? err_set(e, RC_LIMIT, "the request is too large")
                            : control_read_decision(c->control, c->arena, d->seq, record, e);
        if (rc == RC_OK) {
            d->decision = record->decision;
            d->facts = record->facts;
        }
    }
    if (rc != RC_OK) {
        return rc;
    }
    *ret = answer(c, d, q.tool != NULL && !q.tool->two_phase);
    return RC_OK;
}

enum rc authzen_evaluation(struct call *c, struct err *e)
{
    struct evaluation ev = {value_get(&c->body, STR("subject")), value_get(&c->body, STR("action")),
                            value_get(&c->body, STR("resource")), value_get(&c->body, STR("context"))};
    struct value v;
    enum rc rc = decide_one(c, &ev, &v, e);
    return rc == RC_OK ? call_reply(c, 200, v) : rc;
}

/* --- several ---------------------------------------------------------------------------------------------------- */

enum { EVALUATIONS_MAX = 1000 };

static const struct value *own_or_default(const struct value *item, const struct value *defaults,
                                          const char *name)
{
    const struct value *own = value_get(item, str_from(name));
    return own != NULL ? own : value_get(defaults, str_from(name));
}

/* A bad item is refused in its own answer and does not fail the batch. */
static struct value refused_item(struct call *c, const struct err *e)
{
    struct value error = value_object();
    value_add_int(c->arena, &error, STR("status"), 400);
    value_add_str(c->arena, &error, STR("message"),
                  arena_printf(c->arena, "%s: %s", e->where, e->text));
    struct value context = value_object();
    value_add(c->arena, &context, STR("error"), error);
    struct value v = value_object();
    value_add_bool(c->arena, &v, STR("decision"), false);
    value_add(c->arena, &v, STR("context"), context);
    return v;
}

static const char *const semantics[] = {"execute_all", "deny_on_first_deny", "permit_on_first_permit"};

static enum rc read_semantic(const struct value *body, size_t *ret, struct err *e)
{
    const struct value *wanted = value_path(body, "options", "evaluations_semantic", NULL);
    for (*ret = 0; wanted != NULL && *ret < COUNT(semantics); (*ret)++) {
        if (str_eq(value_text(wanted), str_from(semantics[*ret]))) {
            return RC_OK;
        }
    }
    return wanted == NULL ? RC_OK
                          : err_at(e, RC_INVALID, STR("/options/evaluations_semantic"),
                                   "expected execute_all, deny_on_first_deny or permit_on_first_permit");
}

enum rc authzen_evaluations(struct call *c, struct err *e)
{
    const struct value *list = value_get(&c->body, STR("evaluations"));
    size_t semantic;
    if (list == NULL || (list->type == VALUE_ARRAY && list->count == 0)) {
        return authzen_evaluation(c, e);
    }
    if (list->type != VALUE_ARRAY || list->count > EVALUATIONS_MAX) {
        return err_at(e, RC_INVALID, STR("/evaluations"), "expected a list of at most %d", EVALUATIONS_MAX);
    }
    enum rc rc = read_semantic(&c->body, &semantic, e);
    struct value answers = value_array();
    /* A round is about one request: of several, whoever needs a validator is asked about one by one. */
    c->who.round = NULL;
    for (uint32_t i = 0; rc == RC_OK && i < list->count; i++) {
        struct evaluation ev = {own_or_default(&list->items[i], &c->body, "subject"),
                                own_or_default(&list->items[i], &c->body, "action"),
                                own_or_default(&list->items[i], &c->body, "resource"),
                                own_or_default(&list->items[i], &c->body, "context")};
        struct value v;
        rc = decide_one(c, &ev, &v, e);
        if (rc == RC_INVALID || rc == RC_DENIED) {
            v = refused_item(c, e);
            rc = RC_OK;
        }
        if (rc != RC_OK) {
            return rc;
        }
        value_push(c->arena, &answers, v);
        bool go = value_bool_or(value_get(&v, STR("decision")), false);
        if ((semantic == 1 && !go) || (semantic == 2 && go)) {
            break;
        }
    }
    if (rc != RC_OK) {
        return rc;
    }
    struct value v = value_object();
    value_add(c->arena, &v, STR("evaluations"), answers);
    return call_reply(c, 200, v);
}

enum rc authzen_metadata(struct call *c, struct err *e)
{
    (void)e;
    struct str host = http_header(c->x, "Host");
    const char *scheme = c->request->tls ? "https" : "http";
    struct value v = value_object();
    static const struct {
        const char *name;
        const char *path;
    } rows[] = {{"policy_decision_point", ""},
                {"access_evaluation_endpoint", "/access/v1/evaluation"},
                {"access_evaluations_endpoint", "/access/v1/evaluations"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        value_add_str(c->arena, &v, str_from(rows[i].name),
                      arena_printf(c->arena, "%s://%.*s%s", scheme, STR_ARG(host), rows[i].path));
    }
    return call_reply(c, 200, v);
}
