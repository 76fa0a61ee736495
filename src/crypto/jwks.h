/*
 * crypto/jwks - the keys that an issuer of tokens publishes.
 *
 * A JSON Web Key Set, or a SPIFFE bundle, which is one. Keys that can't check a signature here are
 * left out, as the standard asks: an unknown kind or curve, a shared secret ("oct"), a key for
 * encryption or for X.509, one outside the limits of public_key.h, one that holds its private half.
 * Pure.
 * Source: RFC 7517, RFC 7518 section 6, RFC 7638 (thumbprints), SPIFFE Trust Domain and Bundle.
 */
#ifndef CRYPTO_JWKS_H
#define CRYPTO_JWKS_H

#include "crypto/crypto.h"
#include "crypto/public_key.h"
#include "value/value.h"

enum {
    JWKS_KEYS_MAX = 64,        /* of one set, those left out included */
    JWKS_TEXT_MAX = 256 << 10, /* bytes */
    JWK_KID_MAX = 256,         /* bytes */
};

enum jwk_use {
    JWK_USE_ANY = 0,  /* it says nothing */
    JWK_USE_SIG,      /* "sig" */
    JWK_USE_JWT_SVID, /* "jwt-svid" */
};

struct jwk {
    struct str kid; /* empty: none */
    enum jwk_use use;
    enum jws_alg alg; /* the only one it is for; JWS_ALG_UNKNOWN: any that fits its kind */
    struct public_key *key;
    struct digest thumbprint;
};

struct jwks {
    struct arena *arena;
    struct jwk *keys;
    uint32_t count;
    uint32_t left_out;
    int64_t spiffe_sequence;       /* 0: not said */
    int64_t spiffe_refresh_hint_s; /* 0: not said */
};

/*
 * Gives:  a set that does not refer to text. It may be empty.
 * Errors: RC_INVALID for text that is not strict JSON or no key set; RC_LIMIT; RC_NO_MEMORY.
 * Threads: any number may read one set.
 */
NODISCARD enum rc jwks_parse(struct str text, struct jwks **ret, struct err *e);
void jwks_free(struct jwks *s);
DEFINE_CLEANUP(jwks)
/*
 * The SHA-256 that names a key whoever publishes it; as text it is base64url.
 * Errors: RC_INVALID unless jwk is an RSA, EC or OKP key with its members.
 * Source: RFC 7638 section 3; RFC 8037 section 2 for OKP.
 */
NODISCARD enum rc jwk_thumbprint(const struct value *jwk, struct digest *ret, struct err *e);

#endif
