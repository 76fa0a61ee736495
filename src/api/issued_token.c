/*
 * api/issued_token - a bearer's token of an issuer: whose it is, for whom they act, what is said of their model.
 *
 * Without `act` the subject is the caller. With it the newest actor is, and acts for those before it and for the
 * subject: agents, each of which must be known, and at the far end perhaps a person.
 * Source: RFC 8693 section 4.1; SEMANTICS "Identity", "Delegation".
 */
#include "api/identity.h"

bool token_is_issued(struct str bearer)
{
    unsigned dots = 0;
    for (size_t i = 0; i < bearer.len; i++) {
        dots += bearer.ptr[i] == '.';
    }
    return dots == 2;
}

static enum rc claim_text(const struct jwt *t, struct str name, struct str *ret, struct err *e)
{
    const struct value *v = value_get(&t->claims, name);
    *ret = value_text(v);
    bool good = v == NULL || (value_is(v, VALUE_STRING) && ret->len > 0 && ret->len <= REQUEST_MODEL_MAX);
    return good ? RC_OK
                : err_set(e, RC_DENIED, "%.*s: expected a text of 1 to %d bytes", STR_ARG(name), REQUEST_MODEL_MAX);
}

static enum rc map_subject(const struct issuer_settings *set, struct str sub, const struct subject_row **ret,
                           struct err *e)
{
    *ret = subject_find(set, sub);
    return *ret != NULL ? RC_OK : err_set(e, RC_DENIED, "the issuer's subject stands for nobody here");
}

static enum rc admit_subject(struct call *c, const struct issuer_settings *set, struct str sub, struct err *e)
{
    const struct subject_row *row;
    enum rc rc = map_subject(set, sub, &row, e);
    if (rc != RC_OK) {
        return rc;
    }
    struct str issuer = set->profile == JWT_SPIFFE ? set->trust_domain : set->issuer;
    bool is_agent = row->agent.len > 0;
    struct credential who = {.name = arena_printf(c->arena, "jwt:%.*s %.*s", STR_ARG(issuer), STR_ARG(sub)),
                             .roles = row->roles,
                             .person = is_agent ? row->agent : row->person,
                             .agent = row->agent,
                             .groups = row->groups};
    return who.name.len > 0 ? control_admit(c->control, c->arena, &who, &c->who, e)
                            : err_set(e, RC_NO_MEMORY, "out of memory");
}

static bool is_known(const struct call *c, struct str agent)
{
    uint32_t at = world_agent_find(control_world(c->control), agent);
    return at != MAP_NONE && world_agent_at(control_world(c->control), at)->def != NULL;
}

static enum rc add_delegator(struct call *c, const struct issuer_settings *set, struct str sub, bool may_be_person,
                             struct err *e)
{
    const struct subject_row *row;
    enum rc rc = map_subject(set, sub, &row, e);
    if (rc != RC_OK) {
        return rc;
    }
    if (row->agent.len == 0 && may_be_person) {
        c->who.behalf = row->person;
        return RC_OK;
    }
    if (row->agent.len == 0 || !is_known(c, row->agent)) {
        return err_set(e, RC_DENIED, "act: who acts for another must be an agent that is declared");
    }
    c->who.act[c->who.act_count++] = row->agent;
    return RC_OK;
}

static enum rc admit_delegate(struct call *c, const struct issuer_settings *set, const struct jwt *t, struct err *e)
{
    for (uint32_t i = 0; i < t->act_count; i++) {
        /* sub is unique only within its issuer, and this one can't speak for another. */
        if (t->act[i].issuer.len > 0 && !str_eq(t->act[i].issuer, t->issuer)) {
            return err_set(e, RC_DENIED, "act: an actor of another issuer");
        }
    }
    enum rc rc = admit_subject(c, set, t->act[0].subject, e);
    if (rc == RC_OK && (c->who.agent == MAP_NONE || !is_known(c, c->who.person))) {
        return err_set(e, RC_DENIED, "act: who acts for another must be an agent that is declared");
    }
    for (uint32_t i = 1; rc == RC_OK && i < t->act_count; i++) {
        rc = add_delegator(c, set, t->act[i].subject, false, e);
    }
    return rc == RC_OK ? add_delegator(c, set, t->subject, true, e) : rc;
}

enum rc issued_token_verify(struct call *c, struct identity *id, struct str text, struct err *e)
{
    struct jwt_claimed claimed;
    struct jwt t;
    enum rc rc = jwt_peek(text, c->arena, &claimed, e);
    struct issuer *issuer = rc == RC_OK ? issuers_find(id->issuers, &claimed) : NULL;
    if (rc == RC_OK && issuer == NULL) {
        return err_set(e, RC_DENIED, "the token's issuer is not known here");
    }
    rc = rc == RC_OK ? issuer_verify(issuer, text, control_now(c->control) / SECOND_MS, c->arena, &t, e) : rc;
    struct str model = STR("");
    struct str prompt = STR("");
    rc = rc == RC_OK ? claim_text(&t, STR("model"), &model, e) : rc;
    rc = rc == RC_OK ? claim_text(&t, STR("prompt_version"), &prompt, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    const struct issuer_settings *set = issuer_settings(issuer);
    rc = t.act_count == 0 ? admit_subject(c, set, t.subject, e) : admit_delegate(c, set, &t, e);
    if (rc == RC_OK) {
        c->who.model = model;
        c->who.prompt_version = prompt;
    }
    return rc;
}
