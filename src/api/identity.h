/*
 * api/identity - who calls: by a token of ours, by a signature, or by a token of an issuer.
 *
 *   Authorization: Bearer pawl_...      a secret whose digest is in the ledger (control)
 *   Authorization: Bearer x.y.z         a token of an issuer of the settings (issued_token.c)
 *   Signature-Input and Signature       an agent's key of the policy (signed_request.c)
 *
 * Each ends in a principal with an id of the ledger. Threads: the loop's.
 */
#ifndef API_IDENTITY_H
#define API_IDENTITY_H

#include "api/call.h"
#include "api/issuers.h"
#include "api/nonces.h"

#define SIGNED_TAG "pawl"
enum {
    SIGNED_AGE_S = 60, /* how long after it was made a signature is taken */
    SIGNED_SKEW_S = 2, /* how far the signer's clock may be ahead */
};

struct identity {
    struct nonces *nonces;
    struct issuers *issuers;
    int64_t since_s; /* when this process began to take signatures */
};

/* Errors: as issuers_new. */
NODISCARD enum rc identity_new(const struct api_options *options, struct identity **ret, struct err *e);
void identity_free(struct identity *id);

/*
 * Fills in c->who. Errors: RC_DENIED and RC_INVALID (401), RC_LIMIT, RC_UNAVAILABLE.
 */
NODISCARD enum rc identity_find(struct identity *id, struct call *c, struct err *e);
/* To be called once the request is within its limits: it can't be sent again. Errors: RC_DENIED, RC_LIMIT. */
NODISCARD enum rc identity_take_nonce(struct identity *id, struct call *c, struct err *e);

/* What is verified of the caller goes into the request that it makes; q has what it says of itself.
 * Errors: RC_INVALID when the two differ. */
NODISCARD enum rc identity_say(const struct call *c, struct request *q, struct err *e);

/* signed_request.c */
bool request_is_signed(const struct call *c);
NODISCARD enum rc signed_request_verify(struct call *c, struct identity *id, struct err *e);

/* issued_token.c */
bool token_is_issued(struct str bearer);
NODISCARD enum rc issued_token_verify(struct call *c, struct identity *id, struct str text, struct err *e);

#endif
