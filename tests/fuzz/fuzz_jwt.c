/* What a stranger may send as a token, what an issuer may send as its keys. */
#include "fuzz/fuzz.h"

#include "base/encode.h"
#include "base/must.h"
#include "crypto/jwt.h"

enum { MEMORY_MAX = 8 << 20, NOW_S = 1500 };

static struct signing_key *own_key(void)
{
    static const uint8_t seed[ED25519_SEED_LEN] = {1};
    struct signing_key *k = NULL;
    must(signing_key_new(seed, &k, NULL) == RC_OK);
    return k;
}

static struct jwks *own_set(const struct signing_key *k)
{
    uint8_t x[ED25519_PUBLIC_LEN];
    signing_key_public(k, x);
    struct buf text;
    buf_init(&text, 4096);
    buf_str(&text, STR("{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"k\",\"x\":\""));
    buf_base64url(&text, x, sizeof x);
    buf_str(&text, STR("\"}]}"));
    struct jwks *s = NULL;
    must(jwks_parse(buf_view(&text), &s, NULL) == RC_OK && s->count == 1);
    buf_done(&text);
    return s;
}

/* Whatever is accepted keeps what the header promises. */
static void check_accepted(const struct jwt_rules *rules, const struct jwt *t)
{
    must(str_eq(t->issuer, rules->issuer));
    must(t->subject.len > 0 && t->subject.len <= JWT_SUBJECT_MAX);
    must(t->expires_s + rules->skew_s >= NOW_S);
    must(t->act_count <= JWT_ACT_MAX);
    for (uint32_t i = 0; i < t->act_count; i++) {
        must(t->act[i].subject.len > 0);
    }
}

static bool fuzz_verify(const struct jwt_rules *rules, struct str text)
{
    CLEANUP(arena) struct arena *a = arena_new(MEMORY_MAX);
    struct jwt t;
    struct err e = {0};
    enum rc rc = jwt_verify(rules, text, NOW_S, a, &t, &e);
    must(rc == RC_OK || rc == RC_DENIED || rc == RC_NOT_FOUND);
    must(rc == RC_OK || e.text[0] != '\0');
    if (rc == RC_OK) {
        check_accepted(rules, &t);
    }
    return rc == RC_OK;
}

/* As it comes nobody has signed it; as claims it is signed, so that what is behind is reached too.
 */
static void fuzz_claims(const struct jwt_rules *rules, const struct signing_key *k,
                        struct str claims)
{
    struct buf token;
    buf_init(&token, 2 * JWT_MAX);
    buf_str(&token, STR("eyJhbGciOiJFZERTQSIsImtpZCI6ImsifQ.")); /* {"alg":"EdDSA","kid":"k"} */
    buf_base64url(&token, (const uint8_t *)claims.ptr, claims.len);
    if (token.rc == RC_OK) {
        uint8_t signature[ED25519_SIGNATURE_LEN];
        signing_key_sign(k, buf_view(&token), signature);
        buf_char(&token, '.');
        buf_base64url(&token, signature, sizeof signature);
        (void)fuzz_verify(rules, buf_view(&token));
    }
    buf_done(&token);
}

static void fuzz_set(struct str text)
{
    CLEANUP(jwks) struct jwks *s = NULL;
    struct err e = {0};
    enum rc rc = jwks_parse(text, &s, &e);
    must(rc == RC_OK || ((rc == RC_INVALID || rc == RC_LIMIT) && e.text[0] != '\0'));
    for (uint32_t i = 0; rc == RC_OK && i < s->count; i++) {
        must(!public_key_verify(s->keys[i].key, JWS_RS256, STR("message"), text));
        must(!public_key_verify(s->keys[i].key, JWS_ES256, STR("message"), text));
    }
}

static void fuzz_names(struct str text)
{
    CLEANUP(arena) struct arena *a = arena_new(MEMORY_MAX);
    struct jwt_claimed claimed;
    (void)!jwt_peek(text, a, &claimed, NULL);
    struct str domain;
    struct str path;
    if (spiffe_id_parse(text, &domain, &path, NULL) == RC_OK) {
        must(STR("spiffe://").len + domain.len + path.len == text.len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    CLEANUP(signing_key) struct signing_key *k = own_key();
    CLEANUP(jwks) struct jwks *keys = own_set(k);
    struct jwt_rules rules = {.issuer = STR("i"), .audience = STR("a"), .jwks = keys, .skew_s = 30};
    (void)fuzz_verify(&rules, text);
    fuzz_claims(&rules, k, text);
    fuzz_set(text);
    fuzz_names(text);
    return 0;
}
