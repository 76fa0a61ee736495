/* crypto/jwt: tokens of other implementations, and every way to forge one that we know. */
#include "base/encode.h"
#include "crypto/jwt.h"

#include "check.h"
#include "jwt_vectors.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { NOW_S = 1500, TOKEN_MAX = JWT_MAX + 4096 };

static struct signing_key *issuer_key; /* kid "ed", and "ed2" is another's */
static struct signing_key *other_key;
static struct jwks *keys;

static struct signing_key *key_of(uint8_t first)
{
    uint8_t seed[ED25519_SEED_LEN] = {first};
    struct signing_key *k = NULL;
    assert_int_equal(signing_key_new(seed, &k, NULL), RC_OK);
    return k;
}

static void buf_okp(struct buf *out, const struct signing_key *k, const char *more)
{
    uint8_t x[ED25519_PUBLIC_LEN];
    signing_key_public(k, x);
    buf_str(out, STR("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\""));
    buf_base64url(out, x, sizeof x);
    buf_printf(out, "\"%s}", more);
}

static int make_keys(void **state)
{
    (void)state;
    issuer_key = key_of(1);
    other_key = key_of(2);
    struct buf text;
    buf_init(&text, 1 << 16);
    buf_str(&text, STR("{\"keys\":["));
    buf_okp(&text, issuer_key, ",\"kid\":\"ed\",\"use\":\"sig\"");
    buf_char(&text, ',');
    buf_okp(&text, other_key, ",\"kid\":\"ed2\"");
    buf_printf(&text, ",{%s,\"kid\":\"rsa\",\"use\":\"sig\"}", RSA_MEMBERS);
    buf_printf(&text, ",{%s,\"kid\":\"ec\"}", P256_MEMBERS);
    buf_printf(&text, ",{%s,\"kid\":\"p384\"}", P384_MEMBERS);
    buf_printf(&text, ",{%s,\"kid\":\"svid\",\"use\":\"jwt-svid\"}", P256_MEMBERS);
    buf_printf(&text, ",{%s,\"kid\":\"svid-rsa\",\"use\":\"jwt-svid\"}", RSA_MEMBERS);
    buf_printf(&text, ",{%s,\"kid\":\"svid-384\",\"use\":\"jwt-svid\"}", P384_MEMBERS);
    buf_printf(&text, ",{%s,\"kid\":\"svid-521\",\"use\":\"jwt-svid\"}", P521_MEMBERS);
    buf_char(&text, ',');
    buf_okp(&text, issuer_key, ",\"kid\":\"svid-ed\",\"use\":\"jwt-svid\"");
    buf_str(&text, STR("]}"));
    assert_int_equal(jwks_parse(buf_view(&text), &keys, NULL), RC_OK);
    assert_int_equal(keys->left_out, 0);
    buf_done(&text);
    return 0;
}

static int drop_keys(void **state)
{
    (void)state;
    jwks_free(keys);
    signing_key_free(issuer_key);
    signing_key_free(other_key);
    return 0;
}

static struct jwt_rules oidc_rules(void)
{
    return (struct jwt_rules){.profile = JWT_OIDC, .issuer = STR("https://issuer.example"), .audience = STR("pawl"),
                              .jwks = keys};
}

static struct jwt_rules spiffe_rules(void)
{
    return (struct jwt_rules){.profile = JWT_SPIFFE, .trust_domain = STR("example.org"), .audience = STR("pawl"),
                              .jwks = keys};
}

/* A compact token over the bytes as given, signed by k. */
static void sign_token(struct buf *out, const struct signing_key *k, const char *header, const char *claims)
{
    uint8_t signature[ED25519_SIGNATURE_LEN];
    buf_base64url(out, (const uint8_t *)header, strlen(header));
    buf_char(out, '.');
    buf_base64url(out, (const uint8_t *)claims, strlen(claims));
    signing_key_sign(k, buf_view(out), signature);
    buf_char(out, '.');
    buf_base64url(out, signature, sizeof signature);
    assert_int_equal(out->rc, RC_OK);
}

/* error: null when it must be accepted. */
static void assert_verified(const struct jwt_rules *rules, struct str token, int64_t now_s, enum rc want,
                            const char *error)
{
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    struct jwt t;
    struct err e = {0};
    enum rc rc = jwt_verify(rules, token, now_s, a, &t, &e);
    if (rc != want) {
        print_error("want %s (%s), got %s: %s\n", rc_name(want), error, rc_name(rc), e.text);
        fail();
    }
    assert_str(str_from(e.text), error == NULL ? "" : error);
    assert_str(str_from(e.where), "");
}

static void assert_signed(const char *header, const char *claims, int64_t now_s, const char *error)
{
    struct jwt_rules rules = oidc_rules();
    struct buf token;
    buf_init(&token, TOKEN_MAX);
    sign_token(&token, issuer_key, header, claims);
    assert_verified(&rules, buf_view(&token), now_s, error == NULL ? RC_OK : RC_DENIED, error);
    buf_done(&token);
}

#define HEADER "{\"alg\":\"EdDSA\",\"kid\":\"ed\"}"
#define WHO "\"iss\":\"https://issuer.example\",\"aud\":\"pawl\",\"sub\":\"agent-7\""
#define CLAIMS "{" WHO ",\"exp\":2000}"

static void what_a_token_says(void **state)
{
    (void)state;
    struct jwt_rules rules = oidc_rules();
    struct buf token;
    buf_init(&token, TOKEN_MAX);
    sign_token(&token, issuer_key, HEADER,
               "{" WHO ",\"exp\":2000,\"iat\":1400,\"nbf\":1400,\"model\":\"m-1\",\"act\":{\"sub\":\"gateway\",\"iss\":\"https://g\","
               "\"act\":{\"sub\":\"planner\",\"act\":{\"sub\":\"scheduler\"}}}}");
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    struct jwt t;
    assert_int_equal(jwt_verify(&rules, buf_view(&token), NOW_S, a, &t, NULL), RC_OK);
    assert_str(t.issuer, "https://issuer.example");
    assert_str(t.subject, "agent-7");
    assert_str(t.kid, "ed");
    assert_true(digest_eq(&t.thumbprint, &keys->keys[0].thumbprint));
    assert_int_equal(t.expires_s, 2000);
    assert_int_equal(t.issued_s, 1400);
    assert_int_equal(t.act_count, 3);
    assert_str(t.act[0].subject, "gateway");
    assert_str(t.act[0].issuer, "https://g");
    assert_str(t.act[1].subject, "planner");
    assert_str(t.act[1].issuer, "");
    assert_str(t.act[2].subject, "scheduler");
    assert_str(value_text(value_get(&t.claims, STR("model"))), "m-1");
    struct jwt_claimed claimed;
    assert_int_equal(jwt_peek(buf_view(&token), a, &claimed, NULL), RC_OK);
    assert_str(claimed.issuer, "https://issuer.example");
    assert_str(claimed.trust_domain, "");
    buf_done(&token);
}

static void headers(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        const char *error;
    } rows[] = {
        {HEADER, NULL},
        {"{\"alg\":\"EdDSA\",\"kid\":\"ed\",\"typ\":\"JWT\"}", NULL},
        {"{\"alg\":\"EdDSA\",\"kid\":\"ed\",\"typ\":\"jwt\"}", NULL},
        {"{\"alg\":\"EdDSA\",\"kid\":\"ed\",\"typ\":\"at+jwt\"}", NULL},
        {"{\"alg\":\"EdDSA\",\"kid\":\"ed\",\"typ\":\"application/AT+JWT\"}", NULL},
        /* What the token brings along is not looked at. */
        {"{\"alg\":\"EdDSA\",\"kid\":\"ed\",\"jku\":\"https://evil.example\",\"jwk\":{},\"x5u\":\"x\",\"x5c\":[]}", NULL},
        {"{\"alg\":\"EdDSA\",\"kid\":\"ed\",\"typ\":\"JOSE\"}", "header: typ is not one that is accepted"},
        {"{\"alg\":\"EdDSA\",\"kid\":\"ed\",\"typ\":\"dpop+jwt\"}", "header: typ is not one that is accepted"},
        {"{\"alg\":\"EdDSA\",\"kid\":\"ed\",\"typ\":\"\"}", "header: typ is not one that is accepted"},
        {"{\"alg\":\"EdDSA\",\"kid\":\"ed\",\"typ\":null}", "header: typ is not one that is accepted"},
        {"{\"alg\":\"EdDSA\",\"kid\":\"ed\",\"crit\":[]}", "header: crit asks for what is not known here"},
        {"{\"alg\":\"EdDSA\",\"kid\":\"ed\",\"crit\":[\"b64\"],\"b64\":false}", "header: crit asks for what is not known here"},
        {"{\"alg\":\"none\",\"kid\":\"ed\"}", "header: alg is not one that is accepted"},
        {"{\"alg\":\"NONE\",\"kid\":\"ed\"}", "header: alg is not one that is accepted"},
        {"{\"alg\":\"\",\"kid\":\"ed\"}", "header: alg is not one that is accepted"},
        {"{\"alg\":null,\"kid\":\"ed\"}", "header: alg is not one that is accepted"},
        {"{\"alg\":[\"EdDSA\"],\"kid\":\"ed\"}", "header: alg is not one that is accepted"},
        {"{\"kid\":\"ed\"}", "header: alg is not one that is accepted"},
        {"{\"alg\":\"HS256\",\"kid\":\"rsa\"}", "header: alg is not one that is accepted"},
        {"{\"alg\":\"RS512\",\"kid\":\"rsa\"}", "header: alg is not one that is accepted"},
        {"{\"alg\":\"ES384\",\"kid\":\"p384\"}", "header: alg is not one that is accepted"},
        {"{\"alg\":\"RS256\",\"kid\":\"ed\"}", "the key named by kid is not for this alg or use"},
        {"{\"alg\":\"EdDSA\",\"kid\":\"rsa\"}", "the key named by kid is not for this alg or use"},
        {"{\"alg\":\"EdDSA\",\"kid\":\"svid-ed\"}", "the key named by kid is not for this alg or use"},
        {"{\"alg\":\"EdDSA\",\"kid\":\"ed2\"}", "the signature is wrong"},
        {"{\"alg\":\"EdDSA\"}", "the token names no kid and the issuer has several keys"},
        {"{\"alg\":\"EdDSA\",\"kid\":\"\"}", "header: kid is a string of 1 to 256 bytes"},
        {"{\"alg\":\"EdDSA\",\"kid\":7}", "header: kid is a string of 1 to 256 bytes"},
        {"{\"alg\":\"EdDSA\",\"kid\":\"ed\",\"alg\":\"EdDSA\"}", "header: no strict JSON object"},
        {"{\"alg\":\"EdDSA\",\"kid\":\"ed\"} ", NULL},
        {"{\"alg\":\"EdDSA\",\"kid\":\"ed\"}x", "header: no strict JSON object"},
        {"[\"EdDSA\"]", "header: no strict JSON object"},
        {"\"EdDSA\"", "header: no strict JSON object"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_signed(rows[i].header, CLAIMS, NOW_S, rows[i].error);
    }
}

#define NAMED(aud, sub) "{\"iss\":\"https://issuer.example\",\"exp\":2000,\"aud\":" aud ",\"sub\":" sub "}"
#define ACT(act) "{" WHO ",\"exp\":2000,\"act\":" act "}"

static void claims(void **state)
{
    (void)state;
    static const struct {
        const char *claims;
        const char *error;
    } rows[] = {
        {CLAIMS, NULL},
        {NAMED("[\"other\",\"pawl\"]", "\"a\""), NULL},
        {NAMED("\"other\"", "\"a\""), "the token is for another audience"},
        {NAMED("\"pawl2\"", "\"a\""), "the token is for another audience"},
        {NAMED("[\"other\"]", "\"a\""), "the token is for another audience"},
        {NAMED("[\"pawl\",7]", "\"a\""), "aud holds something that is no string"},
        {NAMED("[]", "\"a\""), "aud is a string or an array of 1 to 32"},
        {NAMED("{\"pawl\":1}", "\"a\""), "aud is a string or an array of 1 to 32"},
        {"{\"iss\":\"https://issuer.example\",\"exp\":2000,\"sub\":\"a\"}", "aud is a string or an array of 1 to 32"},
        {NAMED("\"pawl\"", "\"\""), "sub is a string of 1 to 255 plain bytes"},
        {NAMED("\"pawl\"", "7"), "sub is a string of 1 to 255 plain bytes"},
        {NAMED("\"pawl\"", "\"a\\nb\""), "sub is a string of 1 to 255 plain bytes"},
        {"{\"iss\":\"https://issuer.example\",\"exp\":2000,\"aud\":\"pawl\"}", "sub is a string of 1 to 255 plain bytes"},
        {"{\"iss\":\"https://issuer.example/\",\"aud\":\"pawl\",\"sub\":\"a\",\"exp\":2000}", "the token is of another issuer"},
        {"{\"iss\":[\"https://issuer.example\"],\"aud\":\"pawl\",\"sub\":\"a\",\"exp\":2000}", "the token is of another issuer"},
        {"{\"aud\":\"pawl\",\"sub\":\"a\",\"exp\":2000}", "the token is of another issuer"},
        {"{" WHO "}", "the token has no exp"},
        {"{" WHO ",\"exp\":\"2000\"}", "exp is no date in seconds"},
        {"{" WHO ",\"exp\":null}", "exp is no date in seconds"},
        {"{" WHO ",\"exp\":-1}", "exp is no date in seconds"},
        {"{" WHO ",\"exp\":253402300799}", NULL},
        {"{" WHO ",\"exp\":253402300800}", "exp is no date in seconds"},
        {"{" WHO ",\"exp\":9223372036854775807}", "exp is no date in seconds"},
        {"{" WHO ",\"exp\":1e300}", "exp is no date in seconds"},
        {"{" WHO ",\"exp\":2000,\"nbf\":\"1\"}", "nbf is no date in seconds"},
        {"{" WHO ",\"exp\":2000,\"iat\":true}", "iat is no date in seconds"},
        {"{" WHO ",\"exp\":2000,\"exp\":9000}", "payload: no strict JSON object"},
        {"{" WHO ",\"exp\":2000,\"\\u0061ud\":\"x\"}", "payload: no strict JSON object"},
        {"[]", "payload: no strict JSON object"},
        {ACT("{\"sub\":\"a\"}"), NULL},
        {ACT("{\"sub\":\"a\",\"act\":{\"sub\":\"b\",\"act\":{\"sub\":\"c\"}}}"), NULL},
        {ACT("{\"sub\":\"a\",\"act\":{\"sub\":\"b\",\"act\":{\"sub\":\"c\",\"act\":{\"sub\":\"d\"}}}}"), "act is deeper than 3"},
        {ACT("{}"), "act holds an actor without sub"},
        {ACT("null"), "act holds an actor without sub"},
        {ACT("\"a\""), "act holds an actor without sub"},
        {ACT("{\"sub\":\"a\",\"act\":[]}"), "act holds an actor without sub"},
        {ACT("{\"sub\":[\"a\"]}"), "act holds an actor without sub"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_signed(HEADER, rows[i].claims, NOW_S, rows[i].error);
    }
}

static void dates(void **state)
{
    (void)state;
    static const struct {
        const char *claims;
        int64_t skew_s;
        int64_t now_s;
        const char *error;
    } rows[] = {
        {"{" WHO ",\"exp\":2000}", 0, 1999, NULL},
        {"{" WHO ",\"exp\":2000}", 0, 2000, "the token is expired"},
        {"{" WHO ",\"exp\":2000}", 60, 2059, NULL},
        {"{" WHO ",\"exp\":2000}", 60, 2060, "the token is expired"},
        {"{" WHO ",\"exp\":2000.5}", 0, 2000, NULL},
        {"{" WHO ",\"exp\":2000.5}", 0, 2001, "the token is expired"},
        {"{" WHO ",\"exp\":2000,\"nbf\":1500}", 0, 1500, NULL},
        {"{" WHO ",\"exp\":2000,\"nbf\":1500}", 0, 1499, "the token is not valid yet (nbf)"},
        {"{" WHO ",\"exp\":2000,\"nbf\":1500.5}", 0, 1500, "the token is not valid yet (nbf)"},
        {"{" WHO ",\"exp\":2000,\"nbf\":1500}", 30, 1470, NULL},
        {"{" WHO ",\"exp\":2000,\"nbf\":1500}", 30, 1469, "the token is not valid yet (nbf)"},
        {"{" WHO ",\"exp\":2000,\"iat\":1500}", 0, 1500, NULL},
        {"{" WHO ",\"exp\":2000,\"iat\":1501}", 0, 1500, "the token is issued in the future (iat)"},
        {"{" WHO ",\"exp\":2000,\"iat\":1501}", 1, 1500, NULL},
        {"{" WHO ",\"exp\":2000,\"iat\":2000}", 60, 1990, "the token expires before it begins"},
        {"{" WHO ",\"exp\":2000,\"nbf\":2001}", 60, 1990, "the token expires before it begins"},
        {"{" WHO ",\"exp\":0}", 60, 59, NULL},
        {"{" WHO ",\"exp\":0}", 60, 60, "the token is expired"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct jwt_rules rules = oidc_rules();
        rules.skew_s = rows[i].skew_s;
        struct buf token;
        buf_init(&token, TOKEN_MAX);
        sign_token(&token, issuer_key, HEADER, rows[i].claims);
        assert_verified(&rules, buf_view(&token), rows[i].now_s, rows[i].error == NULL ? RC_OK : RC_DENIED,
                        rows[i].error);
        buf_done(&token);
    }
}

static void other_implementations_tokens(void **state)
{
    (void)state;
    struct jwt_rules rules = oidc_rules();
    assert_verified(&rules, str_from(OIDC_RS256), NOW_S, RC_OK, NULL);
    assert_verified(&rules, str_from(OIDC_PS256), NOW_S, RC_OK, NULL);
    assert_verified(&rules, str_from(OIDC_ES256), NOW_S, RC_OK, NULL);
    assert_verified(&rules, str_from(OIDC_ES256_OTHER_KEY), NOW_S, RC_DENIED, "the signature is wrong");
    /* Good signatures by good keys, but not of this profile's algorithms. */
    assert_verified(&rules, str_from(OIDC_RS512), NOW_S, RC_DENIED, "header: alg is not one that is accepted");
    assert_verified(&rules, str_from(OIDC_ES384), NOW_S, RC_DENIED, "header: alg is not one that is accepted");
}

static void spiffe_tokens(void **state)
{
    (void)state;
    struct buf set; /* one key only, so that a token may leave kid out */
    buf_init(&set, 4096);
    buf_printf(&set, "{\"keys\":[{%s,\"kid\":\"svid\",\"use\":\"jwt-svid\"}]}", P256_MEMBERS);
    CLEANUP(jwks) struct jwks *one = NULL;
    assert_int_equal(jwks_parse(buf_view(&set), &one, NULL), RC_OK);
    buf_done(&set);
    struct jwt_rules rules = spiffe_rules();
    rules.jwks = one;
    for (size_t i = 0; i < COUNT(SPIFFE_TOKENS); i++) {
        const char *error = SPIFFE_TOKENS[i].error;
        assert_verified(&rules, str_from(SPIFFE_TOKENS[i].token), NOW_S, error == NULL ? RC_OK : RC_DENIED, error);
    }
    rules.jwks = keys;
    for (size_t i = 0; i < COUNT(SPIFFE_ALGS); i++) {
        assert_verified(&rules, str_from(SPIFFE_ALGS[i]), NOW_S, RC_OK, NULL);
    }
    rules.trust_domain = STR("other.example");
    assert_verified(&rules, str_from(SPIFFE_TOKENS[0].token), NOW_S, RC_DENIED,
                    "sub is of another trust domain than the keys");
    rules = spiffe_rules();
    rules.issuer = STR("https://issuer.example");
    assert_verified(&rules, str_from(SPIFFE_TOKENS[0].token), NOW_S, RC_DENIED, "the token is of another issuer");
    CLEANUP(arena) struct arena *a = arena_new(1 << 16);
    struct jwt_claimed claimed;
    assert_int_equal(jwt_peek(str_from(SPIFFE_TOKENS[0].token), a, &claimed, NULL), RC_OK);
    assert_str(claimed.trust_domain, "example.org");
}

static void spiffe_has_no_eddsa(void **state)
{
    (void)state;
    struct jwt_rules rules = spiffe_rules();
    struct buf token;
    buf_init(&token, TOKEN_MAX);
    sign_token(&token, issuer_key, "{\"alg\":\"EdDSA\",\"kid\":\"svid-ed\"}",
               "{\"sub\":\"spiffe://example.org/a\",\"aud\":\"pawl\",\"exp\":2000}");
    assert_verified(&rules, buf_view(&token), NOW_S, RC_DENIED, "header: alg is not one that is accepted");
    buf_done(&token);
    /* A key for ordinary tokens signs no SVID, and the other way round. */
    assert_verified(&rules, str_from(OIDC_ES256), NOW_S, RC_DENIED, "the key named by kid is not for this alg or use");
}

static void an_unknown_kid_is_told_apart(void **state)
{
    (void)state;
    struct jwt_rules rules = oidc_rules();
    struct buf token;
    buf_init(&token, TOKEN_MAX);
    sign_token(&token, issuer_key, "{\"alg\":\"EdDSA\",\"kid\":\"next\"}", CLAIMS);
    assert_verified(&rules, buf_view(&token), NOW_S, RC_NOT_FOUND, "kid names no key of the issuer");
    CLEANUP(jwks) struct jwks *none = NULL;
    assert_int_equal(jwks_parse(STR("{\"keys\":[]}"), &none, NULL), RC_OK);
    rules.jwks = none;
    assert_verified(&rules, buf_view(&token), NOW_S, RC_NOT_FOUND, "kid names no key of the issuer");
    buf_reset(&token);
    sign_token(&token, issuer_key, "{\"alg\":\"EdDSA\"}", CLAIMS);
    assert_verified(&rules, buf_view(&token), NOW_S, RC_NOT_FOUND, "the issuer has no key for this alg");
    /* With one key that fits, the token need not name it. */
    struct buf set;
    buf_init(&set, 4096);
    buf_printf(&set, "{\"keys\":[{%s},", RSA_MEMBERS);
    buf_okp(&set, issuer_key, "");
    buf_str(&set, STR("]}"));
    CLEANUP(jwks) struct jwks *two = NULL;
    assert_int_equal(jwks_parse(buf_view(&set), &two, NULL), RC_OK);
    rules.jwks = two;
    assert_verified(&rules, buf_view(&token), NOW_S, RC_OK, NULL);
    buf_done(&set);
    buf_done(&token);
}

static void a_public_key_is_no_secret(void **state)
{
    (void)state;
    struct jwt_rules rules = oidc_rules();
    uint8_t public_key[ED25519_PUBLIC_LEN];
    signing_key_public(issuer_key, public_key);
    struct buf token;
    buf_init(&token, TOKEN_MAX);
    const char *header = "{\"alg\":\"HS256\",\"kid\":\"ed\"}";
    buf_base64url(&token, (const uint8_t *)header, strlen(header));
    buf_char(&token, '.');
    buf_base64url(&token, (const uint8_t *)CLAIMS, strlen(CLAIMS));
    struct digest mac = hmac_sha256((struct str){(const char *)public_key, sizeof public_key}, buf_view(&token));
    buf_char(&token, '.');
    buf_base64url(&token, mac.bytes, sizeof mac.bytes);
    assert_verified(&rules, buf_view(&token), NOW_S, RC_DENIED, "header: alg is not one that is accepted");
    buf_done(&token);
}

static void malformed_text(void **state)
{
    (void)state;
    struct jwt_rules rules = oidc_rules();
    static const struct {
        const char *text;
        const char *error;
    } rows[] = {
        {"", "a token has three parts"},
        {".", "a token has three parts"},
        {"e30.e30", "a token has three parts"},
        {"e30.e30.AA.", "a token has three parts"},
        {"e30.e30.AA.AA.AA", "a token has three parts"},
        {"..", "header: no base64url without padding"},
        {".e30.AA", "header: no base64url without padding"},
        {"e30..AA", "payload: no base64url without padding"},
        {"e30.e30.", "signature: no base64url without padding, or too long"},
        {"e30=.e30.AA", "header: no base64url without padding"},
        {"e30.e30=.AA", "payload: no base64url without padding"},
        {"e30.e30.AA==", "signature: no base64url without padding, or too long"},
        {"e31.e30.AA", "header: no base64url without padding"}, /* an unused bit is set */
        {"e30.e30.AB", "signature: no base64url without padding, or too long"},
        {" e30.e30.AA", "header: no base64url without padding"},
        {"e30.e30.AA\n", "signature: no base64url without padding, or too long"},
        {"e30.e30.+/AA", "signature: no base64url without padding, or too long"},
        {"e30.e30.AA", "header: alg is not one that is accepted"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_verified(&rules, str_from(rows[i].text), NOW_S, RC_DENIED, rows[i].error);
    }
    CLEANUP(arena) struct arena *a = arena_new(1 << 16);
    struct jwt_claimed claimed;
    struct err e = {0};
    assert_int_equal(jwt_peek(STR("e30.e30"), a, &claimed, &e), RC_DENIED);
    assert_str(str_from(e.text), "a token has three parts");
}

static void no_byte_may_change_or_go(void **state)
{
    (void)state;
    struct jwt_rules rules = oidc_rules();
    struct buf token;
    buf_init(&token, TOKEN_MAX);
    sign_token(&token, issuer_key, HEADER, CLAIMS);
    assert_verified(&rules, buf_view(&token), NOW_S, RC_OK, NULL);
    for (size_t i = 0; i < token.len; i++) {
        CLEANUP(arena) struct arena *a = arena_new(1 << 20);
        struct jwt t;
        assert_int_not_equal(jwt_verify(&rules, str_slice(buf_view(&token), 0, i), NOW_S, a, &t, NULL), RC_OK);
        token.data[i] ^= 1;
        assert_int_not_equal(jwt_verify(&rules, buf_view(&token), NOW_S, a, &t, NULL), RC_OK);
        token.data[i] ^= 1;
    }
    buf_done(&token);
}

/* A token of JWT_MAX bytes: the claim "x" is as long as it takes. base64url has no text whose length
 * leaves 1 when divided by 4, so the header has a space that moves the payload to a length there is. */
static void longest_token(struct buf *token)
{
    enum { HEADER_TEXT = 36, SIGNATURE_TEXT = 86, PAYLOAD = (JWT_MAX - HEADER_TEXT - SIGNATURE_TEXT - 2) / 4 * 3 };
    char text[PAYLOAD + 1];
    int head = snprintf(text, sizeof text, "{%s,\"exp\":2000,\"x\":\"", WHO);
    memset(text + head, 'x', sizeof text - (size_t)head);
    memcpy(text + PAYLOAD - 2, "\"}", 3);
    sign_token(token, issuer_key, HEADER " ", text);
    assert_int_equal(token->len, JWT_MAX);
}

static void limits(void **state)
{
    (void)state;
    struct jwt_rules rules = oidc_rules();
    struct buf token;
    buf_init(&token, TOKEN_MAX);
    longest_token(&token);
    assert_verified(&rules, buf_view(&token), NOW_S, RC_OK, NULL);
    buf_char(&token, 'A');
    assert_verified(&rules, buf_view(&token), NOW_S, RC_DENIED, "a token has at most 16384 bytes");
    char text[8192];
    char name[SPIFFE_ID_MAX + 2];
    memset(name, 'n', sizeof name);
    for (int over = 0; over < 2; over++) {
        snprintf(text, sizeof text, "{\"iss\":\"https://issuer.example\",\"aud\":\"pawl\",\"exp\":2000,\"sub\":\"%.*s\"}",
                 JWT_SUBJECT_MAX + over, name);
        assert_signed(HEADER, text, NOW_S, over ? "sub is a string of 1 to 255 plain bytes" : NULL);
        snprintf(text, sizeof text, "{\"alg\":\"EdDSA\",\"kid\":\"%.*s\"}", JWK_KID_MAX + over, name);
        buf_reset(&token);
        sign_token(&token, issuer_key, text, CLAIMS);
        assert_verified(&rules, buf_view(&token), NOW_S, over ? RC_DENIED : RC_NOT_FOUND,
                        over ? "header: kid is a string of 1 to 256 bytes" : "kid names no key of the issuer");
        int len = snprintf(text, sizeof text, "{\"iss\":\"https://issuer.example\",\"sub\":\"a\",\"exp\":2000,\"aud\":[\"pawl\"");
        for (int i = 1; i < JWT_AUDIENCES_MAX + over; i++) {
            len += snprintf(text + len, sizeof text - (size_t)len, ",\"a%d\"", i);
        }
        snprintf(text + len, sizeof text - (size_t)len, "]}");
        assert_signed(HEADER, text, NOW_S, over ? "aud is a string or an array of 1 to 32" : NULL);
    }
    buf_done(&token);
}

static void a_small_arena_is_said(void **state)
{
    (void)state;
    struct jwt_rules rules = oidc_rules();
    struct buf token;
    buf_init(&token, TOKEN_MAX);
    sign_token(&token, issuer_key, HEADER, CLAIMS);
    int accepted = 0;
    for (size_t room = 0; accepted == 0; room += 16) {
        assert_in_range(room, 0, 1 << 16);
        CLEANUP(arena) struct arena *a = arena_new(room);
        struct jwt t;
        struct err e = {0};
        enum rc rc = jwt_verify(&rules, buf_view(&token), NOW_S, a, &t, &e);
        accepted += rc == RC_OK;
        assert_int_equal(rc, accepted ? RC_OK : RC_LIMIT);
        assert_true(accepted || str_ends(str_from(e.text), STR("no memory for the token")));
    }
    buf_done(&token);
}

static void spiffe_ids(void **state)
{
    (void)state;
    static const struct {
        const char *id;
        const char *domain; /* null: none */
        const char *path;
    } rows[] = {
        {"spiffe://example.org/a", "example.org", "/a"},
        {"spiffe://example.org/ns/prod/sa/Fixer_1.2-3", "example.org", "/ns/prod/sa/Fixer_1.2-3"},
        {"spiffe://e_x-1/...", "e_x-1", "/..."},
        {"spiffe://example.org", NULL, NULL},
        {"spiffe://example.org/", NULL, NULL},
        {"spiffe://example.org/a/", NULL, NULL},
        {"spiffe://example.org//a", NULL, NULL},
        {"spiffe://example.org/a/../b", NULL, NULL},
        {"spiffe://example.org/.", NULL, NULL},
        {"spiffe://example.org/a%2fb", NULL, NULL},
        {"spiffe://example.org/a?b", NULL, NULL},
        {"spiffe://example.org/a#b", NULL, NULL},
        {"spiffe://Example.org/a", NULL, NULL},
        {"spiffe://example.org:443/a", NULL, NULL},
        {"spiffe://me@example.org/a", NULL, NULL},
        {"spiffe:///a", NULL, NULL},
        {"SPIFFE://example.org/a", NULL, NULL},
        {"https://example.org/a", NULL, NULL},
        {"", NULL, NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str domain;
        struct str path;
        enum rc rc = spiffe_id_parse(str_from(rows[i].id), &domain, &path, NULL);
        assert_int_equal(rc, rows[i].domain != NULL ? RC_OK : RC_INVALID);
        if (rc == RC_OK) {
            assert_str(domain, rows[i].domain);
            assert_str(path, rows[i].path);
        }
    }
    char text[SPIFFE_ID_MAX + 2];
    memset(text, 'a', sizeof text);
    memcpy(text, "spiffe://d/", 11);
    struct str a;
    struct str b;
    assert_int_equal(spiffe_id_parse((struct str){text, SPIFFE_ID_MAX}, &a, &b, NULL), RC_OK);
    assert_int_equal(spiffe_id_parse((struct str){text, SPIFFE_ID_MAX + 1}, &a, &b, NULL), RC_INVALID);
    for (size_t len = SPIFFE_TRUST_DOMAIN_MAX; len <= SPIFFE_TRUST_DOMAIN_MAX + 1; len++) {
        memset(text, 'a', sizeof text);
        memcpy(text, "spiffe://", 9);
        text[9 + len] = '/';
        assert_int_equal(spiffe_id_parse((struct str){text, 9 + len + 2}, &a, &b, NULL),
                         len == SPIFFE_TRUST_DOMAIN_MAX ? RC_OK : RC_INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_token_says),
        cmocka_unit_test(headers),
        cmocka_unit_test(claims),
        cmocka_unit_test(dates),
        cmocka_unit_test(other_implementations_tokens),
        cmocka_unit_test(spiffe_tokens),
        cmocka_unit_test(spiffe_has_no_eddsa),
        cmocka_unit_test(an_unknown_kid_is_told_apart),
        cmocka_unit_test(a_public_key_is_no_secret),
        cmocka_unit_test(malformed_text),
        cmocka_unit_test(no_byte_may_change_or_go),
        cmocka_unit_test(limits),
        cmocka_unit_test(a_small_arena_is_said),
        cmocka_unit_test(spiffe_ids),
    };
    return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
