/*
 * control/credential - principals whose credential is no secret of ours: a signing key, a subject of an issuer.
 *
 * They live in the ledger as tokens do, so that every entry has an actor, and revoking one is the same act.
 */
#include "control/control_internal.h"

#include <string.h>

void principal_from_token(const struct world_token *t, struct principal *ret)
{
    *ret = (struct principal){.token = t->id,
                              .person = str_from(t->person),
                              .roles = t->roles,
                              .agent = t->agent,
                              .services = str_from(t->services)};
    struct id_text id = id_format("tok", t->id);
    memcpy(ret->actor, id.text, sizeof ret->actor);
}

static bool is_same(const struct control *c, const struct world_token *t, const struct credential *who)
{
    bool is_agent = (who->roles & ROLE_AGENT) != 0;
    struct str agent = t->agent == MAP_NONE ? STR("") : str_from(world_agent_at(c->world, t->agent)->name);
    return t->roles == who->roles && str_eq(str_from(t->person), who->person) &&
           str_eq(str_from(t->groups), who->groups) && str_eq(agent, is_agent ? who->agent : STR(""));
}

static enum rc create(struct control *c, struct arena *a, const struct credential *who, const struct digest *digest,
                      uint64_t *ret_id, struct err *e)
{
    const struct token_order order = {
        .roles = who->roles, .person = who->person, .agent = who->agent, .groups = who->groups};
    enum rc rc = token_check(c, &order, e);
    if (rc != RC_OK) {
        return rc;
    }
    struct append what = {
        .kind = ENTRY_TOKEN_CREATED, .actor = STR("system"), .body = token_body(a, &order, digest)};
    return control_append(c, a, &what, ret_id, e);
}

/* The new one first: were the old one revoked alone, its holder would stay out for good. */
static enum rc replace(struct control *c, struct arena *a, const struct credential *who, const struct digest *digest,
                       uint64_t old, struct err *e)
{
    uint64_t id;
    enum rc rc = create(c, a, who, digest, &id, e);
    if (rc != RC_OK || old == 0) {
        return rc;
    }
    struct value body = value_object();
    value_add_str(a, &body, STR("reason"), STR("it stands for someone else now"));
    struct append what = {.kind = ENTRY_TOKEN_REVOKED,
                          .actor = STR("system"),
                          .refs = {ref_text(a, "tok", old)},
                          .ref_count = 1,
                          .body = body,
                          .tightens = true};
    return control_append(c, a, &what, &id, e);
}

enum rc control_admit(struct control *c, struct arena *a, const struct credential *who, struct principal *ret,
                      struct err *e)
{
    struct digest digest = sha256(who->name);
    const struct world_token *t = world_token_by_digest(c->world, digest.bytes);
    if (t != NULL && t->revoked) {
        return err_set(e, RC_DENIED, "the credential is revoked");
    }
    if (t == NULL || !is_same(c, t, who)) {
        enum rc rc = replace(c, a, who, &digest, t == NULL ? 0 : t->id, e);
        if (rc != RC_OK) {
            return rc;
        }
        t = world_token_by_digest(c->world, digest.bytes);
    }
    principal_from_token(t, ret);
    return RC_OK;
}
