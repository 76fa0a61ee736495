/*
 * crypto/public_key - another's key: what a token or a signature is checked with.
 *
 * A key is made from the numbers of a JSON Web Key and says what it is good for by its kind; a
 * signature is checked only with an algorithm that fits the kind, so that a token can't choose how
 * its issuer's key is read. Weak and malformed keys are refused when they are made. Pure.
 * Source: RFC 7518 section 3 (algorithms) and 6 (keys), RFC 8037 (Ed25519).
 */
#ifndef CRYPTO_PUBLIC_KEY_H
#define CRYPTO_PUBLIC_KEY_H

#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

enum {
    RSA_BITS_MIN = 2048,
    RSA_BITS_MAX = 8192,
    RSA_EXPONENT_MAX = 8,             /* bytes */
    SIGNATURE_MAX = RSA_BITS_MAX / 8, /* bytes of the longest signature */
    EC_FIELD_MAX = 66,                /* bytes of a coordinate of P-521 */
};

enum public_key_kind {
    PUBLIC_KEY_RSA = 0,
    PUBLIC_KEY_P256,
    PUBLIC_KEY_P384,
    PUBLIC_KEY_P521,
    PUBLIC_KEY_ED25519,
    PUBLIC_KEY_KINDS,
};

/* The signature algorithms of JSON Web Signatures that take a public key. There is no "none" and
 * no HMAC on purpose. */
enum jws_alg {
    JWS_ALG_UNKNOWN = 0,
    JWS_RS256,
    JWS_RS384,
    JWS_RS512,
    JWS_PS256,
    JWS_PS384,
    JWS_PS512,
    JWS_ES256,
    JWS_ES384,
    JWS_ES512,
    JWS_EDDSA,
    JWS_ALGS,
};

/* JWS_ALG_UNKNOWN for any other name; names are compared exactly. */
enum jws_alg jws_alg_of(struct str name);
bool jws_alg_fits(enum jws_alg alg, enum public_key_kind kind);

struct public_key;

/* Big-endian numbers without leading zeros. Errors: RC_INVALID outside the limits above, for an
 * even modulus and for an exponent that is even or 1; RC_NO_MEMORY. */
NODISCARD enum rc public_key_rsa(struct str modulus, struct str exponent, struct public_key **ret,
                                 struct err *e);
/* kind is one of the three curves; x and y have the whole length of its field.
 * Errors: RC_INVALID for another length and for a point that is not on the curve; RC_NO_MEMORY. */
NODISCARD enum rc public_key_ec(enum public_key_kind kind, struct str x, struct str y,
                                struct public_key **ret, struct err *e);
/* Errors: RC_INVALID unless x has 32 bytes; RC_NO_MEMORY. */
NODISCARD enum rc public_key_ed25519(struct str x, struct public_key **ret, struct err *e);
void public_key_free(struct public_key *k);
DEFINE_CLEANUP(public_key)

enum public_key_kind public_key_kind(const struct public_key *k);
/*
 * False for a wrong signature, one of another length than k makes, and an algorithm that does not
 * fit k. A signature of ES* is r and s as they are, not DER; the salt of PS* is as long as its
 * hash. Threads: any number may use one key.
 */
bool public_key_verify(const struct public_key *k, enum jws_alg alg, struct str message,
                       struct str signature);

#endif
