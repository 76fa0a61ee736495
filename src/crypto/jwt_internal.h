/*
 * crypto/jwt_internal - a token taken apart, and its claims against the rules.
 *
 * jwt.c reads the form, the header and the signature; jwt_claims.c reads what the payload says.
 */
#ifndef CRYPTO_JWT_INTERNAL_H
#define CRYPTO_JWT_INTERNAL_H

#include "crypto/jwt.h"

/* ret->claims is set; fills in the rest but kid and thumbprint. Errors: RC_DENIED. */
NODISCARD enum rc jwt_claims_check(const struct jwt_rules *rules, int64_t now_s, struct jwt *ret,
                                   struct err *e);

#endif
