#include "api/identity.h"

#include <stdlib.h>

static const struct identity_settings no_issuers;

enum rc identity_new(const struct api_options *options, struct identity **ret, struct err *e)
{
    struct identity *id = calloc(1, sizeof *id);
    if (id == NULL) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    id->nonces = nonces_new(SIGNED_AGE_S + SIGNED_SKEW_S);
    id->since_s = control_now(options->control) / SECOND_MS;
    const struct identity_settings *settings = options->identity == NULL ? &no_issuers : options->identity;
    enum rc rc = id->nonces == NULL ? err_set(e, RC_NO_MEMORY, "out of memory")
                                    : issuers_new(settings, options->loop, options->log, &id->issuers, e);
    if (rc != RC_OK) {
        identity_free(id);
        return rc;
    }
    *ret = id;
    return RC_OK;
}

void identity_free(struct identity *id)
{
    if (id != NULL) {
        issuers_free(id->issuers);
        nonces_free(id->nonces);
        free(id);
    }
}

static struct str bearer(struct http_exchange *x)
{
    struct str header = http_header(x, "Authorization");
    struct str scheme = str_slice(header, 0, 7);
    bool is_bearer = scheme.len == 7 && (scheme.ptr[0] == 'B' || scheme.ptr[0] == 'b') &&
                     str_eq(str_slice(scheme, 1, 7), STR("earer "));
    return is_bearer ? str_trim(str_slice(header, 7, header.len)) : STR("");
}

enum rc identity_find(struct identity *id, struct call *c, struct err *e)
{
    if (request_is_signed(c)) {
        return signed_request_verify(c, id, e);
    }
    struct str secret = bearer(c->x);
    if (secret.len == 0) {
        return err_set(e, RC_DENIED, "send Authorization: Bearer with a token, or sign the request");
    }
    if (token_is_issued(secret)) {
        return issued_token_verify(c, id, secret, e);
    }
    return control_authenticate(c->control, secret, &c->who, e);
}

enum rc identity_take_nonce(struct identity *id, struct call *c, struct err *e)
{
    return c->nonce.len == 0
               ? RC_OK
               : nonces_take(id->nonces, c->nonce_key, c->nonce, control_now(c->control) / SECOND_MS, e);
}

/* --- what is said of a proposal ---------------------------------------------------------------------------- */

/* The issuer's word stands; what an agent says beside it must be the same. */
static enum rc say_one(struct str attested, struct str *said, struct str pointer, struct err *e)
{
    if (attested.len > 0 && said->len > 0 && !str_eq(attested, *said)) {
        return err_at(e, RC_INVALID, pointer, "the token says otherwise");
    }
    *said = attested.len > 0 ? attested : *said;
    return RC_OK;
}

enum rc identity_say(const struct call *c, struct request *q, struct err *e)
{
    const struct principal *p = &c->who;
    enum rc rc = say_one(p->model, &q->model, STR("/model"), e);
    rc = rc == RC_OK ? say_one(p->prompt_version, &q->prompt_version, STR("/prompt_version"), e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    /* One of the two in its own words is in its own words. */
    q->attested = str_eq(q->model, p->model) && str_eq(q->prompt_version, p->prompt_version) &&
                  (p->model.len > 0 || p->prompt_version.len > 0);
    q->behalf = p->behalf;
    if (p->act_count == 0) {
        return RC_OK;
    }
    struct value *act = arena_alloc(c->arena, sizeof *act);
    if (act == NULL) {
        return err_set(e, arena_rc(c->arena), "the request is too large");
    }
    *act = value_array();
    for (uint32_t i = 0; i < p->act_count; i++) {
        value_push(c->arena, act, value_string(p->act[i]));
    }
    q->act = act;
    return RC_OK;
}
