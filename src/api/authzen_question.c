/*
 * api/authzen_question - AuthZEN's subject, action, resource and context: what they must be, and what they are to Pawl.
 */
#include "api/authzen.h"

#include "api/identity.h"

#include <stdio.h>

static enum rc text_member(const struct value *v, const char *entity, const char *name, struct str *ret,
                           struct err *e)
{
    const struct value *member = value_get(v, str_from(name));
    char pointer[64];
    snprintf(pointer, sizeof pointer, "/%s/%s", entity, name);
    if (!value_is(member, VALUE_STRING) || member->string.len == 0 || member->string.len > AUTHZEN_TEXT_MAX) {
        return err_at(e, RC_INVALID, str_from(pointer), "expected a text of 1 to %d bytes", AUTHZEN_TEXT_MAX);
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

enum rc authzen_read(struct question *q, enum searched searched, struct err *e)
{
    bool action = searched != SEARCHED_ACTION;
    enum rc rc = entity(q->subject, "subject", e);
    rc = rc == RC_OK && action ? entity(q->action, "action", e) : rc;
    rc = rc == RC_OK ? entity(q->resource, "resource", e) : rc;
    rc = rc == RC_OK ? text_member(q->subject, "subject", "type", &q->subject_type, e) : rc;
    if (rc == RC_OK && searched != SEARCHED_SUBJECT) {
        rc = text_member(q->subject, "subject", "id", &q->subject_id, e);
    }
    rc = rc == RC_OK && action ? text_member(q->action, "action", "name", &q->tool, e) : rc;
    rc = rc == RC_OK ? text_member(q->resource, "resource", "type", &q->resource_type, e) : rc;
    if (rc == RC_OK && searched != SEARCHED_RESOURCE) {
        rc = text_member(q->resource, "resource", "id", &q->resource_id, e);
    }
    if (rc == RC_OK && q->context != NULL && q->context->type != VALUE_OBJECT) {
        rc = err_at(e, RC_INVALID, STR("/context"), "expected an object");
    }
    return rc;
}

struct str authzen_name(struct arena *a, struct str type, struct str id, const char *plain)
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
static struct value parameters_of(struct arena *a, const struct value *action, struct str target)
{
    struct value p = value_object();
    const struct value *properties = value_get(action, STR("properties"));
    for (uint32_t i = 0; properties != NULL && i < properties->count; i++) {
        if (!str_eq(properties->members[i].name, STR("target"))) {
            value_add(a, &p, properties->members[i].name, properties->members[i].value);
        }
    }
    value_add_str(a, &p, STR("target"), target);
    return p;
}

static bool is_enforcer(const struct call *c)
{
    return (c->who.roles & ROLE_ENFORCER) != 0;
}

/* An enforcer asks about anyone; an agent only about itself. */
static enum rc may_ask(const struct call *c, const struct request *q, struct err *e)
{
    if (is_enforcer(c)) {
        return RC_OK;
    }
    const struct world_agent *self = world_agent_at(control_world(c->control), c->who.agent);
    return str_eq(q->agent, str_from(self->name))
               ? RC_OK
               : err_set(e, RC_DENIED, "an agent may ask about itself only");
}

/* What the subject and the resource are like is an enforcer's word: an agent's own permits it nothing. */
enum rc authzen_request(const struct call *c, struct arena *a, const struct question *question,
                        struct request *ret, struct err *e)
{
    struct value *given = arena_alloc(a, sizeof *given);
    struct value *properties = arena_alloc(a, sizeof *properties);
    if (given == NULL || properties == NULL) {
        return err_set(e, RC_LIMIT, "the request is too large");
    }
    *properties = value_object();
    add_properties(a, properties, "subject", question->subject);
    add_properties(a, properties, "action", question->action);
    add_properties(a, properties, "resource", question->resource);
    *given = parameters_of(a, question->action,
                           authzen_name(a, question->resource_type, question->resource_id, "target"));
    *ret = (struct request){.round = c->who.round,
                            .agent = authzen_name(a, question->subject_type, question->subject_id, "agent"),
                            .claimed_tool = question->tool,
                            .given = given,
                            .properties = is_enforcer(c) ? properties : NULL,
                            .author_type = STR("ai")};
    enum rc rc = may_ask(c, ret, e);
    return rc == RC_OK && c->who.agent != MAP_NONE ? identity_say(c, ret, e) : rc;
}
