/*
 * crypto/jwt - a signed token says who its bearer is.
 *
 * A token is a compact JSON Web Signature whose payload is a set of claims. It is believed only
 * after every rule below; each rule is tightening and has no switch:
 *
 *   form       three base64url parts without padding, strict JSON objects (no duplicate members)
 *   header     alg from the profile's list (never "none", never a shared secret), typ from the
 *              profile's list or absent, no crit; keys that the token itself brings (jwk, jku, x5u,
 *              x5c) are not looked at; SPIFFE allows alg, kid and typ and nothing else
 *   key        the one named by kid, of the right use, fit for alg; without kid the only fit one
 *   claims     iss (OIDC) or the trust domain of sub (SPIFFE), aud, sub, exp, nbf, iat
 *   act        the chain of those who act for sub, newest first, at most JWT_ACT_MAX long
 *
 *   profile   algorithms                      typ
 *   OIDC      RS256 PS256 ES256 EdDSA         JWT, at+jwt, application/at+jwt in either case
 *   SPIFFE    RS, PS and ES 256, 384, 512     JWT or JOSE exactly
 *
 * Pure: the caller says what time it is and fetches keys.
 * Source: RFC 7515, RFC 7519, RFC 8725 (best practices), RFC 9068 (access tokens), RFC 8693 section
 * 4.1 (act), SPIFFE JWT-SVID, SPIFFE-ID.
 */
#ifndef CRYPTO_JWT_H
#define CRYPTO_JWT_H

#include "crypto/jwks.h"

enum {
    JWT_MAX = 16 << 10, /* bytes of the whole text */
    JWT_SKEW_MAX_S = 60,
    JWT_ACT_MAX = 3, /* who acts for whom for whom: SEMANTICS section 7 */
    JWT_AUDIENCES_MAX = 32,
    JWT_SUBJECT_MAX = 255, /* bytes; OpenID Connect Core section 2 */
    SPIFFE_ID_MAX = 2048,  /* bytes */
    SPIFFE_TRUST_DOMAIN_MAX = 255,
};

enum jwt_profile {
    JWT_OIDC = 0,
    JWT_SPIFFE,
};

/* What one issuer's tokens must be. Its keys check its tokens only, so that neither an issuer nor a
 * trust domain can speak for another. */
struct jwt_rules {
    enum jwt_profile profile;
    struct str issuer;       /* what iss must equal; SPIFFE: empty, iss is not looked at */
    struct str trust_domain; /* SPIFFE only: example.org */
    struct str audience;     /* one that aud must hold */
    const struct jwks *jwks;
    int64_t skew_s; /* 0 to JWT_SKEW_MAX_S: how far the clocks may differ */
};

/* sub is unique only within its issuer, here too. */
struct jwt_actor {
    struct str issuer; /* empty: not said */
    struct str subject;
};

struct jwt {
    struct str issuer; /* empty: none, with SPIFFE */
    struct str subject;
    struct str kid;                    /* the key's in the set; empty: it has none */
    struct digest thumbprint;          /* the key's */
    int64_t expires_s;                 /* it is refused from then on, plus the skew */
    int64_t issued_s;                  /* 0: not said */
    struct jwt_actor act[JWT_ACT_MAX]; /* who acts now, then those before */
    uint32_t act_count;
    struct value claims;
};

/*
 * Gives:  everything in *ret in a, or borrowed from rules->jwks.
 * Errors: RC_DENIED, the text says which rule failed and holds nothing of the token;
 *         RC_NOT_FOUND when kid names no key of the set, or when there is no kid and no fit key:
 *         fetch the keys again, once, and not often; RC_LIMIT when a is too small; RC_NO_MEMORY.
 */
NODISCARD enum rc jwt_verify(const struct jwt_rules *rules, struct str text, int64_t now_s,
                             struct arena *a, struct jwt *ret, struct err *e);

/* What a token says of itself. Nothing of it is checked: it only chooses whose rules to apply. */
struct jwt_claimed {
    struct str issuer;       /* empty: none */
    struct str trust_domain; /* of sub when that is a SPIFFE ID, else empty */
};

/* Errors: as jwt_verify, for the form. */
NODISCARD enum rc jwt_peek(struct str text, struct arena *a, struct jwt_claimed *ret,
                           struct err *e);

/* Errors: RC_INVALID unless id is spiffe://trust-domain/path in its one allowed spelling.
 * Source: SPIFFE-ID section 2. */
NODISCARD enum rc spiffe_id_parse(struct str id, struct str *ret_trust_domain, struct str *ret_path,
                                  struct err *e);

#endif
