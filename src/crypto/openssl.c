/* For SHA-256 alone: see sha256_parts(). */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/crypto.h"
#include "crypto/public_key.h"

#include "base/must.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/*
 * What is fetched once. Looking an algorithm up costs more than hashing 600 bytes with it
 * (0.61 us against 0.40 us), and so does making a context, hence one per thread.
 */
static struct {
    pthread_once_t once;
    EVP_MD *sha256;
    EVP_MAC *hmac;
    pthread_key_t per_thread;
} fetched = {.once = PTHREAD_ONCE_INIT};

struct thread_contexts {
    EVP_MAC_CTX *hmac;
};

static void thread_contexts_free(void *p)
{
    struct thread_contexts *c = p;
    EVP_MAC_CTX_free(c->hmac);
    free(c);
}

static void fetch_all(void)
{
    fetched.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    fetched.hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    must(fetched.sha256 != NULL && fetched.hmac != NULL);
    must(pthread_key_create(&fetched.per_thread, thread_contexts_free) == 0);
}

static struct thread_contexts *thread_contexts(void)
{
    must(pthread_once(&fetched.once, fetch_all) == 0);
    struct thread_contexts *c = pthread_getspecific(fetched.per_thread);
    if (c != NULL) {
        return c;
    }
    c = malloc(sizeof *c);
    must(c != NULL);
    c->hmac = EVP_MAC_CTX_new(fetched.hmac);
    must(c->hmac != NULL);
    char name[] = "SHA256";
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
                           OSSL_PARAM_construct_end()};
    must(EVP_MAC_CTX_set_params(c->hmac, params) == 1);
    must(pthread_setspecific(fetched.per_thread, c) == 0);
    return c;
}

/*
 * Without EVP, whose init gives its context back and takes a new one for each hash: 0.1 us, where a body of 900 bytes takes
 * 0.8 to hash, and all that is hashed for the ledger is short. These calls are deprecated in favour of a choice of providers, which is
 * not wanted here. Tokens are hashed too, so nothing is left on the stack.
 */
struct digest sha256_parts(const struct str *parts, size_t count)
{
    SHA256_CTX context;
    struct digest d;
    must(SHA256_Init(&context) == 1);
    for (size_t i = 0; i < count; i++) {
        struct str piece = parts[i];
        for (; i + 1 < count && piece.len > 0 && parts[i + 1].ptr == piece.ptr + piece.len; i++) {
            piece.len += parts[i + 1].len;
        }
        must(SHA256_Update(&context, piece.ptr, piece.len) == 1);
    }
    must(SHA256_Final(d.bytes, &context) == 1);
    explicit_bzero(&context, sizeof context);
    return d;
}

struct digest sha256(struct str bytes)
{
    return sha256_parts(&bytes, 1);
}

struct digest hmac_sha256(struct str key, struct str bytes)
{
    EVP_MAC_CTX *context = thread_contexts()->hmac;
    /* A null key would mean "the one of the last call". */
    const char *key_bytes = key.len == 0 ? "" : key.ptr;
    must(EVP_MAC_init(context, (const unsigned char *)key_bytes, key.len, NULL) == 1);
    must(EVP_MAC_update(context, (const unsigned char *)bytes.ptr, bytes.len) == 1);
    struct digest d;
    size_t len = 0;
    must(EVP_MAC_final(context, d.bytes, &len, sizeof d.bytes) == 1 && len == SHA256_LEN);
    return d;
}

bool digest_eq(const struct digest *a, const struct digest *b)
{
    return CRYPTO_memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

struct sha256_stream {
    EVP_MD_CTX *context;
};

struct sha256_stream *sha256_stream_new(void)
{
    (void)thread_contexts();
    struct sha256_stream *s = malloc(sizeof *s);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (s == NULL || context == NULL || EVP_DigestInit_ex2(context, fetched.sha256, NULL) != 1) {
        EVP_MD_CTX_free(context);
        free(s);
        return NULL;
    }
    s->context = context;
    return s;
}

void sha256_stream_free(struct sha256_stream *s)
{
    if (s != NULL) {
        EVP_MD_CTX_free(s->context);
        free(s);
    }
}

void sha256_stream_put(struct sha256_stream *s, struct str bytes)
{
    must(EVP_DigestUpdate(s->context, bytes.ptr, bytes.len) == 1);
}

struct digest sha256_stream_end(struct sha256_stream *s)
{
    struct digest d;
    unsigned len = 0;
    must(EVP_DigestFinal_ex(s->context, d.bytes, &len) == 1 && len == SHA256_LEN);
    /* Ready for the next one. */
    must(EVP_DigestInit_ex2(s->context, fetched.sha256, NULL) == 1);
    return d;
}

struct signing_key {
    EVP_PKEY *pair; /* OpenSSL keeps the secret half in memory that it wipes on release */
    uint8_t public_key[ED25519_PUBLIC_LEN];
};

enum rc signing_key_new(const uint8_t seed[static ED25519_SEED_LEN], struct signing_key **ret,
                        struct err *e)
{
    struct signing_key *k = malloc(sizeof *k);
    EVP_PKEY *pair = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, ED25519_SEED_LEN);
    if (k == NULL || pair == NULL) {
        EVP_PKEY_free(pair);
        free(k);
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    size_t len = sizeof k->public_key;
    must(EVP_PKEY_get_raw_public_key(pair, k->public_key, &len) == 1 && len == sizeof k->public_key);
    k->pair = pair;
    *ret = k;
    return RC_OK;
}

void signing_key_free(struct signing_key *k)
{
    if (k != NULL) {
        EVP_PKEY_free(k->pair);
        free(k);
    }
}

void signing_key_public(const struct signing_key *k, uint8_t out[static ED25519_PUBLIC_LEN])
{
    memcpy(out, k->public_key, sizeof k->public_key);
}

void signing_key_sign(const struct signing_key *k, struct str message,
                      uint8_t out[static ED25519_SIGNATURE_LEN])
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    must(context != NULL);
    must(EVP_DigestSignInit(context, NULL, NULL, NULL, k->pair) == 1);
    size_t len = ED25519_SIGNATURE_LEN;
    must(EVP_DigestSign(context, out, &len, (const unsigned char *)message.ptr, message.len) == 1);
    must(len == ED25519_SIGNATURE_LEN);
    EVP_MD_CTX_free(context);
}

bool ed25519_verify(const uint8_t public_key[static ED25519_PUBLIC_LEN], struct str message,
                    const uint8_t signature[static ED25519_SIGNATURE_LEN])
{
    EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, ED25519_PUBLIC_LEN);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    must(context != NULL);
    bool ok = key != NULL && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
              EVP_DigestVerify(context, signature, ED25519_SIGNATURE_LEN,
                               (const unsigned char *)message.ptr, message.len) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    /* A refusal leaves lines in the thread's error queue that nobody reads. */
    ERR_clear_error();
    return ok;
}

void wipe(void *bytes, size_t len)
{
    OPENSSL_cleanse(bytes, len);
}

struct public_key {
    EVP_PKEY *key;
    enum public_key_kind kind;
};

static const struct {
    const char *group;
    size_t field_len; /* bytes of a coordinate, and of r and s */
} curves[PUBLIC_KEY_KINDS] = {
    [PUBLIC_KEY_P256] = {"P-256", 32},
    [PUBLIC_KEY_P384] = {"P-384", 48},
    [PUBLIC_KEY_P521] = {"P-521", EC_FIELD_MAX},
};

static const struct {
    const char *digest; /* null: the algorithm hashes for itself */
    bool pss;
} algorithms[JWS_ALGS] = {
    [JWS_RS256] = {"SHA256", false}, [JWS_RS384] = {"SHA384", false}, [JWS_RS512] = {"SHA512", false},
    [JWS_PS256] = {"SHA256", true},  [JWS_PS384] = {"SHA384", true},  [JWS_PS512] = {"SHA512", true},
    [JWS_ES256] = {"SHA256", false}, [JWS_ES384] = {"SHA384", false}, [JWS_ES512] = {"SHA512", false},
    [JWS_EDDSA] = {NULL, false},
};

static const unsigned char *bytes_of(struct str s)
{
    return (const unsigned char *)s.ptr;
}

/* Takes: key, which may be null: then it was no key. */
static enum rc public_key_new(EVP_PKEY *key, enum public_key_kind kind, struct public_key **ret,
                              struct err *e)
{
    ERR_clear_error();
    if (key == NULL) {
        return err_set(e, RC_INVALID, "these numbers are no public key");
    }
    struct public_key *k = malloc(sizeof *k);
    if (k == NULL) {
        EVP_PKEY_free(key);
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    *k = (struct public_key){.key = key, .kind = kind};
    *ret = k;
    return RC_OK;
}

static EVP_PKEY *key_from(const char *type, OSSL_PARAM *params)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    must(context != NULL && EVP_PKEY_fromdata_init(context) == 1);
    if (EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1) {
        key = NULL;
    }
    EVP_PKEY_CTX_free(context);
    return key;
}

static enum rc check_rsa(struct str modulus, struct str exponent, struct err *e)
{
    if (modulus.len == 0 || modulus.ptr[0] == 0 || exponent.len == 0 || exponent.ptr[0] == 0) {
        return err_set(e, RC_INVALID, "an RSA number is empty or begins with zero");
    }
    size_t bits = 8 * modulus.len;
    for (unsigned top = (unsigned char)modulus.ptr[0]; top < 128; top <<= 1) {
        bits--;
    }
    if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX) {
        return err_set(e, RC_INVALID, "an RSA key has %d to %d bits, not %zu", RSA_BITS_MIN, RSA_BITS_MAX, bits);
    }
    bool exponent_is_one = exponent.len == 1 && exponent.ptr[0] == 1;
    if (exponent.len > RSA_EXPONENT_MAX || exponent_is_one || exponent.ptr[exponent.len - 1] % 2 == 0) {
        return err_set(e, RC_INVALID, "an RSA exponent is odd, above 1 and has at most %d bytes", RSA_EXPONENT_MAX);
    }
    return modulus.ptr[modulus.len - 1] % 2 == 0 ? err_set(e, RC_INVALID, "an RSA modulus is odd") : RC_OK;
}

enum rc public_key_rsa(struct str modulus, struct str exponent, struct public_key **ret, struct err *e)
{
    enum rc rc = check_rsa(modulus, exponent, e);
    if (rc != RC_OK) {
        return rc;
    }
    BIGNUM *n = BN_bin2bn(bytes_of(modulus), (int)modulus.len, NULL);
    BIGNUM *exp = BN_bin2bn(bytes_of(exponent), (int)exponent.len, NULL);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    must(n != NULL && exp != NULL && builder != NULL);
    must(OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) == 1);
    must(OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exp) == 1);
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
    must(params != NULL);
    EVP_PKEY *key = key_from("RSA", params);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(builder);
    BN_free(exp);
    BN_free(n);
    return public_key_new(key, PUBLIC_KEY_RSA, ret, e);
}

enum rc public_key_ec(enum public_key_kind kind, struct str x, struct str y, struct public_key **ret,
                      struct err *e)
{
    must(kind < PUBLIC_KEY_KINDS && curves[kind].group != NULL);
    size_t len = curves[kind].field_len;
    if (x.len != len || y.len != len) {
        return err_set(e, RC_INVALID, "a coordinate of %s has %zu bytes", curves[kind].group, len);
    }
    unsigned char point[1 + 2 * EC_FIELD_MAX] = {POINT_CONVERSION_UNCOMPRESSED};
    memcpy(point + 1, x.ptr, len);
    memcpy(point + 1 + len, y.ptr, len);
    char group[8];
    must(str_to_c(str_from(curves[kind].group), group, sizeof group));
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
                           OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * len),
                           OSSL_PARAM_construct_end()};
    return public_key_new(key_from("EC", params), kind, ret, e);
}

enum rc public_key_ed25519(struct str x, struct public_key **ret, struct err *e)
{
    if (x.len != ED25519_PUBLIC_LEN) {
        return err_set(e, RC_INVALID, "an Ed25519 key has %d bytes", ED25519_PUBLIC_LEN);
    }
    EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, bytes_of(x), x.len);
    return public_key_new(key, PUBLIC_KEY_ED25519, ret, e);
}

void public_key_free(struct public_key *k)
{
    if (k != NULL) {
        EVP_PKEY_free(k->key);
        free(k);
    }
}

enum public_key_kind public_key_kind(const struct public_key *k)
{
    return k->kind;
}

/* r and s as DER, which is what OpenSSL reads. */
static size_t der_of(struct str r_s, unsigned char *out, size_t size)
{
    int half = (int)(r_s.len / 2);
    ECDSA_SIG *both = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(bytes_of(r_s), half, NULL);
    BIGNUM *s = BN_bin2bn(bytes_of(r_s) + half, half, NULL);
    must(both != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(both, r, s) == 1);
    int len = i2d_ECDSA_SIG(both, NULL);
    must(len > 0 && (size_t)len <= size);
    must(i2d_ECDSA_SIG(both, &out) == len);
    ECDSA_SIG_free(both);
    return (size_t)len;
}

static bool verify(EVP_PKEY *key, enum jws_alg alg, struct str message, struct str signature)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *key_context = NULL; /* of context */
    must(context != NULL);
    bool ok = EVP_DigestVerifyInit_ex(context, &key_context, algorithms[alg].digest, NULL, NULL, key, NULL) == 1;
    if (ok && algorithms[alg].pss) {
        ok = EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING) == 1 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, RSA_PSS_SALTLEN_DIGEST) == 1;
    }
    ok = ok && EVP_DigestVerify(context, bytes_of(signature), signature.len, bytes_of(message), message.len) == 1;
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    return ok;
}

bool public_key_verify(const struct public_key *k, enum jws_alg alg, struct str message, struct str signature)
{
    if (!jws_alg_fits(alg, k->kind)) {
        return false;
    }
    if (curves[k->kind].group == NULL) {
        return verify(k->key, alg, message, signature);
    }
    if (signature.len != 2 * curves[k->kind].field_len) {
        return false;
    }
    unsigned char der[2 * EC_FIELD_MAX + 16];
    struct str as_der = {(const char *)der, der_of(signature, der, sizeof der)};
    return verify(k->key, alg, message, as_der);
}
