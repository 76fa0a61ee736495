#include "api/identity.h"

#include <stdlib.h>

struct identity *identity_new(const struct api_options *options)
{
    struct identity *id = calloc(1, sizeof *id);
    if (id == NULL) {
        return NULL;
    }
    id->nonces = nonces_new(SIGNED_AGE_S + SIGNED_SKEW_S);
    id->since_s = control_now(options->control) / SECOND_MS;
    if (id->nonces == NULL) {
        free(id);
        return NULL;
    }
    return id;
}

void identity_free(struct identity *id)
{
    if (id != NULL) {
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
    return control_authenticate(c->control, secret, &c->who, e);
}

enum rc identity_take_nonce(struct identity *id, struct call *c, struct err *e)
{
    return c->nonce.len == 0
               ? RC_OK
               : nonces_take(id->nonces, c->nonce_key, c->nonce, control_now(c->control) / SECOND_MS, e);
}
