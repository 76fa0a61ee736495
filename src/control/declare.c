/*
 * control/declare - what is declared over the API, who may come in, and which policy is in force.
 */
#include "control/control_internal.h"

#include "base/encode.h"
#include "base/must.h"

#include <stdio.h>
#include <string.h>

/* --- catalogue -------------------------------------------------------------------------------------------- */

/* What a definition takes up, and one of each. */
struct definitions {
    struct agent_def agent;
    struct service_def service;
    struct tool_def tool;
};

/* Everything that could fail when the entry is applied fails here, before there is one. */
static enum rc check_definition(struct control *c, struct arena *a, enum declared what,
                                const struct value *definition, struct str *ret_name, struct err *e)
{
    /* As much room as the world gives it. */
    CLEANUP(arena) struct arena *own = arena_new(DEFINITION_ARENA_MAX);
    struct definitions *d = own == NULL ? NULL : arena_alloc(own, sizeof *d);
    if (d == NULL) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    struct reader r = {own, STR(""), e};
    enum rc rc = RC_OK;
    switch (what) {
    case DECLARED_AGENT:
        rc = agent_def_read(&r, definition, &d->agent);
        *ret_name = arena_str(a, d->agent.name);
        break;
    case DECLARED_SERVICE:
        rc = service_def_read(&r, definition, &d->service);
        *ret_name = arena_str(a, d->service.name);
        rc = rc == RC_OK ? world_check_service(c->world, &d->service, e) : rc;
        break;
    case DECLARED_TOOL:
        rc = tool_def_read(&r, definition, &d->tool);
        *ret_name = arena_str(a, d->tool.name);
        if (rc == RC_OK && d->tool.task_class.len > 0 &&
            strmap_get(&world_policy(c->world)->class_index, d->tool.task_class) == MAP_NONE) {
            rc = err_at(e, RC_INVALID, STR("/task_class"), "no such task class is declared");
        }
        break;
    }
    return rc;
}

static bool by_policy(const struct control *c, enum declared what, struct str name, bool *ret_new)
{
    uint32_t at = what == DECLARED_AGENT     ? world_agent_find(c->world, name)
                  : what == DECLARED_SERVICE ? world_service_find(c->world, name)
                                             : world_tool_find(c->world, name);
    *ret_new = at == MAP_NONE;
    if (at == MAP_NONE) {
        return false;
    }
    switch (what) {
    case DECLARED_AGENT:
        return world_agent_at(c->world, at)->def != NULL && world_agent_at(c->world, at)->own == NULL;
    case DECLARED_SERVICE:
        return world_service_at(c->world, at)->def != NULL &&
               world_service_at(c->world, at)->own == NULL;
    case DECLARED_TOOL:
        break;
    }
    return world_tool_at(c->world, at)->def != NULL && world_tool_at(c->world, at)->own == NULL;
}

static enum rc has_room(const struct control *c, enum declared what, struct err *e)
{
    const struct policy_limits *l = &world_policy(c->world)->limits;
    int64_t count = what == DECLARED_AGENT     ? world_agent_count(c->world)
                    : what == DECLARED_SERVICE ? world_service_count(c->world)
                                               : world_tool_count(c->world);
    int64_t limit = what == DECLARED_AGENT     ? l->agents
                    : what == DECLARED_SERVICE ? l->services
                                               : TOOLS_MAX;
    return count < limit ? RC_OK
                         : err_set(e, RC_LIMIT, "%lld are declared: that is the limit", (long long)limit);
}

enum rc control_declare(struct control *c, struct arena *a, const struct principal *p, enum declared what,
                        const struct value *definition, const struct idempotency_key *k, uint64_t *ret_seq,
                        struct err *e)
{
    static const enum entry_kind kinds[] = {[DECLARED_AGENT] = ENTRY_AGENT_REGISTERED,
                                            [DECLARED_SERVICE] = ENTRY_SERVICE_DECLARED,
                                            [DECLARED_TOOL] = ENTRY_TOOL_DECLARED};
    if (world_policy(c->world) == NULL) {
        return err_set(e, RC_UNAVAILABLE, "no policy is loaded");
    }
    struct str name = STR("");
    bool is_new;
    enum rc rc = check_definition(c, a, what, definition, &name, e);
    if (rc == RC_OK && by_policy(c, what, name, &is_new)) {
        return err_set(e, RC_CONFLICT, "\"%.*s\" is declared in the policy: change it there",
                       STR_ARG(name));
    }
    rc = rc == RC_OK && is_new ? has_room(c, what, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    struct value body = value_object();
    value_add(a, &body, STR("definition"), *definition);
    add_idempotency(a, &body, k);
    struct append append = {.kind = kinds[what], .actor = str_from(p->actor), .body = body};
    return control_append(c, a, &append, ret_seq, e);
}

/* --- tokens ----------------------------------------------------------------------------------------------- */

enum rc control_authenticate(struct control *c, struct str secret, struct principal *ret, struct err *e)
{
    struct digest digest = sha256(secret);
    /* The digests of control_admit() are over names that anybody may know: they are no bearer's. */
    bool is_ours = str_starts(secret, STR("pawl_"));
    const struct world_token *t = is_ours ? world_token_by_digest(c->world, digest.bytes) : NULL;
    if (t == NULL) {
        return err_set(e, RC_DENIED, "the token is not known");
    }
    if (t->revoked || (t->expires_ms != 0 && clock_now(c) >= t->expires_ms)) {
        return err_set(e, RC_DENIED, "the token is %s", t->revoked ? "revoked" : "expired");
    }
    principal_from_token(t, ret);
    return RC_OK;
}

static struct value roles_value(struct arena *a, unsigned roles)
{
    struct value v = value_array();
    for (unsigned bit = 1; bit <= ROLE_ENFORCER; bit <<= 1) {
        if ((roles & bit) != 0) {
            value_push(a, &v, value_string(str_from(role_name(bit))));
        }
    }
    return v;
}

enum rc token_check(const struct control *c, const struct token_order *o, struct err *e)
{
    if (o->roles == 0) {
        return err_at(e, RC_INVALID, STR("/roles"), "expected at least one role");
    }
    if ((o->roles & ROLE_AGENT) != 0 && o->roles != ROLE_AGENT) {
        return err_at(e, RC_INVALID, STR("/roles"), "an agent's token has no other role");
    }
    if (o->groups.len > 255 || (o->groups.len > 0 && (o->roles & ROLE_APPROVER) == 0)) {
        return err_at(e, RC_INVALID, STR("/groups"), "expected groups of an approver, at most 255 bytes");
    }
    if ((o->roles & ROLE_AGENT) != 0 && !str_is_name(o->agent)) {
        return err_at(e, RC_INVALID, STR("/agent"), "expected the agent's name");
    }
    /* An agent that is designated to approve counts as what it is, and never as a human. */
    bool designated = o->roles == ROLE_APPROVER && world_agent_find(c->world, o->agent) != MAP_NONE;
    if (o->agent.len > 0 && (o->roles & ROLE_AGENT) == 0 && !designated) {
        return err_at(e, RC_INVALID, STR("/agent"), "expected a known agent, with the role approver alone");
    }
    if (o->person.len == 0 || o->person.len > 128) {
        return err_at(e, RC_INVALID, STR("/person"), "expected who holds the token, at most 128 bytes");
    }
    if ((o->roles & ROLE_SOURCE) != 0 && (o->services.len == 0 || o->services.len > 511)) {
        return err_at(e, RC_INVALID, STR("/services"), "a source needs its services, at most 511 bytes");
    }
    if (world_token_count(c->world) >= TOKENS_MAX) {
        return err_set(e, RC_LIMIT, "there are %d tokens: that is the limit", TOKENS_MAX);
    }
    return RC_OK;
}

static void make_secret(struct control *c, unsigned roles, char secret[static 96])
{
    uint8_t bytes[32];
    /* Named after the strongest of its roles, so that whoever finds it knows what it opens. */
    unsigned strongest = ROLE_ENFORCER;
    while ((roles & strongest) == 0) {
        strongest >>= 1;
    }
    c->options.ports.random(c->options.ports.context, bytes, sizeof bytes);
    struct buf text;
    buf_init(&text, 95);
    buf_printf(&text, "pawl_%s_", role_name(strongest));
    buf_base64url(&text, bytes, sizeof bytes);
    must(text.rc == RC_OK);
    memcpy(secret, text.data, text.len);
    secret[text.len] = '\0';
    wipe(bytes, sizeof bytes);
    wipe(text.data, text.len);
    buf_done(&text);
}

struct value token_body(struct arena *a, const struct token_order *o, const struct digest *digest)
{
    struct value body = value_object();
    if (o->agent.len > 0) {
        value_add_str(a, &body, STR("agent"), o->agent);
    }
    value_add_hex(a, &body, STR("digest"), STR("sha256:"), digest->bytes, sizeof digest->bytes);
    if (o->expires_ms != 0) {
        value_add_instant(a, &body, STR("expires_at"), o->expires_ms);
    }
    if (o->groups.len > 0) {
        value_add_str(a, &body, STR("groups"), o->groups);
    }
    value_add_str(a, &body, STR("person"), o->person);
    value_add(a, &body, STR("roles"), roles_value(a, o->roles));
    if (o->services.len > 0) {
        value_add_str(a, &body, STR("services"), o->services);
    }
    return body;
}

enum rc control_token_create(struct control *c, struct arena *a, const struct principal *p,
                             const struct token_order *order, char secret[static 96], uint64_t *ret_id,
                             struct err *e)
{
    enum rc rc = token_check(c, order, e);
    if (rc != RC_OK) {
        return rc;
    }
    make_secret(c, order->roles, secret);
    struct digest digest = sha256(str_from(secret));
    struct value body = token_body(a, order, &digest);
    add_idempotency(a, &body, p == NULL ? NULL : p->key);
    struct append what = {.kind = ENTRY_TOKEN_CREATED,
                          .actor = p == NULL ? STR("system") : str_from(p->actor),
                          .body = body};
    return control_append(c, a, &what, ret_id, e);
}

enum rc control_token_revoke(struct control *c, struct arena *a, const struct principal *p, uint64_t id,
                             struct str reason, struct err *e)
{
    const struct world_token *t = world_token_by_id(c->world, id);
    if (t == NULL || t->revoked) {
        return err_set(e, RC_NOT_FOUND, "no such token is in force");
    }
    enum rc rc = check_reason_size(reason, e);
    if (rc != RC_OK) {
        return rc;
    }
    struct value body = value_object();
    value_add_str(a, &body, STR("reason"), reason);
    add_idempotency(a, &body, p->key);
    struct append what = {.kind = ENTRY_TOKEN_REVOKED,
                          .actor = str_from(p->actor),
                          .refs = {ref_text(a, "tok", id)},
                          .ref_count = 1,
                          .body = body,
                          .tightens = true};
    uint64_t seq;
    return control_append(c, a, &what, &seq, e);
}
