/*
 * crypto - hashes and signatures, by OpenSSL 3.
 *
 * The only file that includes OpenSSL is crypto/openssl.c; it also has the keys of public_key.h.
 * What is fetched of OpenSSL is fetched once per process, contexts of HMAC are per thread. Pure apart
 * from that one-time fetch.
 * Source: FIPS 180-4 (SHA-256), RFC 2104 (HMAC), RFC 8032 (Ed25519).
 */
#ifndef CRYPTO_CRYPTO_H
#define CRYPTO_CRYPTO_H

#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

enum {
    SHA256_LEN = 32,
    ED25519_SEED_LEN = 32,
    ED25519_PUBLIC_LEN = 32,
    ED25519_SIGNATURE_LEN = 64,
};

struct digest {
    uint8_t bytes[SHA256_LEN];
};

/* SHA-256 over the parts, in order. Never fails (a broken OpenSSL is a must()). */
struct digest sha256(struct str bytes);
struct digest sha256_parts(const struct str *parts, size_t count);
struct digest hmac_sha256(struct str key, struct str bytes);
bool digest_eq(const struct digest *a, const struct digest *b);

/* A long hash, for files and streams. */
struct sha256_stream;
struct sha256_stream *sha256_stream_new(void); /* null when out of memory */
void sha256_stream_free(struct sha256_stream *s);
DEFINE_CLEANUP(sha256_stream)
void sha256_stream_put(struct sha256_stream *s, struct str bytes);
struct digest sha256_stream_end(struct sha256_stream *s);

/* A signing key; its secret half is wiped on release and never printed. */
struct signing_key;
NODISCARD enum rc signing_key_new(const uint8_t seed[static ED25519_SEED_LEN],
                                  struct signing_key **ret, struct err *e);
void signing_key_free(struct signing_key *k);
DEFINE_CLEANUP(signing_key)
void signing_key_public(const struct signing_key *k, uint8_t out[static ED25519_PUBLIC_LEN]);
void signing_key_sign(const struct signing_key *k, struct str message,
                      uint8_t out[static ED25519_SIGNATURE_LEN]);
/* False for a wrong signature and for bytes that are no public key. */
bool ed25519_verify(const uint8_t public_key[static ED25519_PUBLIC_LEN], struct str message,
                    const uint8_t signature[static ED25519_SIGNATURE_LEN]);
/* Overwrites memory in a way that the compiler keeps. */
void wipe(void *bytes, size_t len);

#endif
