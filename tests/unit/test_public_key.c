/* crypto: keys from JSON Web Keys, every algorithm by another implementation's signatures, key sets. */
#include "base/encode.h"
#include "crypto/jwks.h"
#include "value/json.h"

#include "check.h"
#include "jwt_vectors.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* RFC 7638 section 3.1. */
#define RFC_7638_N                                                                                      \
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKR" \
    "XjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAt" \
    "aSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPk" \
    "sINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
/* RFC 7515 appendix A.3. */
#define RFC_7515_ES256                                                                        \
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"," \
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}"

static struct jwks *set_of(const char *keys)
{
    char text[16384];
    int len = snprintf(text, sizeof text, "{\"keys\":[%s]}", keys);
    assert_in_range(len, 1, sizeof text - 1);
    struct jwks *s = NULL;
    struct err e = {0};
    if (jwks_parse(str_from(text), &s, &e) != RC_OK) {
        print_error("%s\n", e.text);
        fail();
    }
    return s;
}

static struct str decoded(const char *base64, uint8_t out[static SIGNATURE_MAX])
{
    size_t len = 0;
    assert_true(base64url_decode(str_from(base64), out, SIGNATURE_MAX, &len));
    return (struct str){(const char *)out, len};
}

static void published_vectors(void **state)
{
    (void)state;
    CLEANUP(jwks) struct jwks *s = set_of(RFC_7515_ES256 ",{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7Ty"
                                                         "WQHOg7hcvPapiMlrwIaaPcHURo\"}");
    assert_int_equal(s->count, 2);
    uint8_t bytes[SIGNATURE_MAX];
    assert_true(public_key_verify(
        s->keys[0].key, JWS_ES256,
        STR("eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290I"
            "jp0cnVlfQ"),
        decoded("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q", bytes)));
    assert_true(public_key_verify(
        s->keys[1].key, JWS_EDDSA, STR("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"),
        decoded("hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg", bytes)));
}

static void each_algorithm_and_only_it(void **state)
{
    (void)state;
    char keys[8192];
    snprintf(keys, sizeof keys, "{%s},{%s},{%s},{%s}", RSA_MEMBERS, P256_MEMBERS, P384_MEMBERS, P521_MEMBERS);
    CLEANUP(jwks) struct jwks *s = set_of(keys);
    assert_int_equal(s->count, 4);
    for (size_t i = 0; i < COUNT(SIGNED_BY_EACH); i++) {
        uint8_t bytes[SIGNATURE_MAX];
        struct str signature = decoded(SIGNED_BY_EACH[i].signature, bytes);
        for (uint32_t k = 0; k < s->count; k++) {
            for (enum jws_alg alg = JWS_ALG_UNKNOWN; alg < JWS_ALGS; alg++) {
                bool want = alg == SIGNED_BY_EACH[i].alg && jws_alg_fits(alg, public_key_kind(s->keys[k].key));
                assert_int_equal(public_key_verify(s->keys[k].key, alg, STR("signed by each"), signature), want);
                assert_false(public_key_verify(s->keys[k].key, alg, STR("signed by none"), signature));
            }
        }
    }
}

static void signatures_in_another_shape(void **state)
{
    (void)state;
    char keys[4096];
    snprintf(keys, sizeof keys, "{%s},{%s}", RSA_MEMBERS, P256_MEMBERS);
    CLEANUP(jwks) struct jwks *s = set_of(keys);
    uint8_t bytes[SIGNATURE_MAX];
    struct str message = STR("signed by each");
    assert_false(public_key_verify(s->keys[0].key, JWS_PS256, message, decoded(PS256_LONG_SALT, bytes)));
    assert_false(public_key_verify(s->keys[1].key, JWS_ES256, message, decoded(ES256_DER, bytes)));
    memset(bytes, 0, sizeof bytes);
    assert_false(public_key_verify(s->keys[1].key, JWS_ES256, message, (struct str){(char *)bytes, 64}));
    for (size_t i = 0; i < COUNT(SIGNED_BY_EACH); i++) {
        bool rsa = jws_alg_fits(SIGNED_BY_EACH[i].alg, PUBLIC_KEY_RSA);
        if (rsa || SIGNED_BY_EACH[i].alg == JWS_ES256) {
            const struct public_key *key = s->keys[rsa ? 0 : 1].key;
            struct str whole = decoded(SIGNED_BY_EACH[i].signature, bytes);
            assert_true(public_key_verify(key, SIGNED_BY_EACH[i].alg, message, whole));
            assert_false(public_key_verify(key, SIGNED_BY_EACH[i].alg, message, str_slice(whole, 0, whole.len - 1)));
            whole.len++;
            assert_false(public_key_verify(key, SIGNED_BY_EACH[i].alg, message, whole));
            assert_false(public_key_verify(key, SIGNED_BY_EACH[i].alg, message, (struct str){NULL, 0}));
        }
    }
}

static struct str filled(char *bytes, size_t len, char first, char last)
{
    memset(bytes, 0x55, len);
    bytes[0] = first;
    bytes[len - 1] = last;
    return (struct str){bytes, len};
}

static void rsa_limits(void **state)
{
    (void)state;
    char n[RSA_BITS_MAX / 8 + 1];
    static const struct {
        size_t len;
        char first;
        char last;
        const char *exponent;
        size_t exponent_len;
        const char *error; /* null: a key */
    } rows[] = {
        {256, '\x80', 1, "\x01\x00\x01", 3, NULL},
        {1024, '\x80', 1, "\x03", 1, NULL},
        {256, '\x80', 1, "\x01\x00\x00\x00\x00\x00\x00\x01", 8, NULL},
        {256, '\x7f', 1, "\x03", 1, "an RSA key has 2048 to 8192 bits, not 2047"},
        {1025, '\x01', 1, "\x03", 1, "an RSA key has 2048 to 8192 bits, not 8193"},
        {257, '\0', 1, "\x03", 1, "an RSA number is empty or begins with zero"},
        {256, '\x80', 2, "\x03", 1, "an RSA modulus is odd"},
        {256, '\x80', 1, "", 0, "an RSA number is empty or begins with zero"},
        {256, '\x80', 1, "\x00\x03", 2, "an RSA number is empty or begins with zero"},
        {256, '\x80', 1, "\x01", 1, "an RSA exponent is odd, above 1 and has at most 8 bytes"},
        {256, '\x80', 1, "\x04", 1, "an RSA exponent is odd, above 1 and has at most 8 bytes"},
        {256, '\x80', 1, "\x01\x00\x00\x00\x00\x00\x00\x00\x01", 9,
         "an RSA exponent is odd, above 1 and has at most 8 bytes"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(public_key) struct public_key *k = NULL;
        struct err e = {0};
        struct str exponent = {rows[i].exponent, rows[i].exponent_len};
        enum rc rc = public_key_rsa(filled(n, rows[i].len, rows[i].first, rows[i].last), exponent, &k, &e);
        assert_int_equal(rc, rows[i].error == NULL ? RC_OK : RC_INVALID);
        assert_str(str_from(e.text), rows[i].error == NULL ? "" : rows[i].error);
        assert_int_equal(k != NULL, rc == RC_OK);
    }
}

static void points_lie_on_the_curve(void **state)
{
    (void)state;
    char x[EC_FIELD_MAX + 1];
    char y[EC_FIELD_MAX + 1];
    static const struct {
        enum public_key_kind kind;
        size_t len;
        const char *error;
    } rows[] = {
        {PUBLIC_KEY_P256, 32, "these numbers are no public key"},
        {PUBLIC_KEY_P384, 48, "these numbers are no public key"},
        {PUBLIC_KEY_P521, 66, "these numbers are no public key"},
        {PUBLIC_KEY_P256, 31, "a coordinate of P-256 has 32 bytes"},
        {PUBLIC_KEY_P256, 33, "a coordinate of P-256 has 32 bytes"},
        {PUBLIC_KEY_P521, 67, "a coordinate of P-521 has 66 bytes"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct public_key *k = NULL;
        struct err e = {0};
        assert_int_equal(public_key_ec(rows[i].kind, filled(x, rows[i].len, 0, 1), filled(y, rows[i].len, 0, 1), &k, &e),
                         RC_INVALID);
        assert_str(str_from(e.text), rows[i].error);
        assert_null(k);
    }
    struct public_key *k = NULL;
    struct err e = {0};
    assert_int_equal(public_key_ed25519(filled(x, 31, 0, 1), &k, &e), RC_INVALID);
    assert_str(str_from(e.text), "an Ed25519 key has 32 bytes");
    assert_null(k);
}

static void assert_thumbprint(const char *jwk, const char *want)
{
    CLEANUP(arena) struct arena *a = arena_new(1 << 16);
    struct value v;
    struct digest d;
    assert_int_equal(json_parse(a, str_from(jwk), &v, NULL), RC_OK);
    assert_int_equal(jwk_thumbprint(&v, &d, NULL), RC_OK);
    struct buf text;
    buf_init(&text, 64);
    buf_base64url(&text, d.bytes, sizeof d.bytes);
    assert_str(buf_view(&text), want);
    buf_done(&text);
}

static void thumbprints(void **state)
{
    (void)state;
    assert_thumbprint("{\"kty\":\"RSA\",\"n\":\"" RFC_7638_N "\",\"e\":\"AQAB\",\"alg\":\"RS256\",\"kid\":\"2011-04-29\"}",
                      "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    /* RFC 8037 appendix A.3. */
    assert_thumbprint("{\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\",\"kty\":\"OKP\"}",
                      "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    static const struct {
        const char *jwk;
        const char *error;
    } rows[] = {
        {"{\"kty\":\"oct\",\"k\":\"AAAA\"}", "a key with a thumbprint has the kty RSA, EC or OKP"},
        {"[]", "a key with a thumbprint has the kty RSA, EC or OKP"},
        {"{\"kty\":\"RSA\",\"e\":\"AQAB\"}", "the key has no usable member n"},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"a\\\"b\",\"y\":\"a\"}", "the key has no usable member x"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(arena) struct arena *a = arena_new(1 << 16);
        struct value v;
        struct digest d;
        struct err e = {0};
        assert_int_equal(json_parse(a, str_from(rows[i].jwk), &v, NULL), RC_OK);
        assert_int_equal(jwk_thumbprint(&v, &d, &e), RC_INVALID);
        assert_str(str_from(e.text), rows[i].error);
    }
}

#define OKP "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\""

static void what_is_no_use_is_left_out(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        uint32_t kept;
    } rows[] = {
        {"{" OKP "}", 1},
        {"{" OKP ",\"use\":\"sig\",\"alg\":\"EdDSA\",\"key_ops\":[\"verify\"]}", 1},
        {"{" OKP ",\"use\":\"jwt-svid\"}", 1},
        {"{" OKP ",\"use\":\"enc\"}", 0},
        {"{" OKP ",\"use\":\"x509-svid\"}", 0},
        {"{" OKP ",\"use\":7}", 0},
        {"{" OKP ",\"key_ops\":[\"sign\"]}", 0},
        {"{" OKP ",\"alg\":\"RS256\"}", 0},
        {"{" OKP ",\"alg\":\"HS256\"}", 0},
        {"{" OKP ",\"alg\":7}", 0},
        {"{" OKP ",\"kid\":\"\"}", 0},
        {"{" OKP ",\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\"}", 0},
        {"{\"kty\":\"oct\",\"k\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}", 0},
        {"{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}", 0},
        {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo=\"}", 0},
        {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\"}", 0},
        {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfV\"}", 0},
        {"{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"AA\",\"y\":\"AA\"}", 0},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"}", 0},
        {"{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}", 0},
        {"\"key\"", 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(jwks) struct jwks *s = set_of(rows[i].key);
        if (s->count != rows[i].kept || s->left_out != 1 - rows[i].kept) {
            fail_msg("row %zu: %u kept, %u left out", i, s->count, s->left_out);
        }
    }
    char weak[1024];
    snprintf(weak, sizeof weak, "{%s}", RSA_1024_MEMBERS);
    CLEANUP(jwks) struct jwks *s = set_of(weak);
    assert_int_equal(s->count, 0);
}

static void assert_set(struct str text, enum rc want, const char *error)
{
    CLEANUP(jwks) struct jwks *s = NULL;
    struct err e = {0};
    assert_int_equal(jwks_parse(text, &s, &e), want);
    assert_str(str_from(e.text), error);
}

static void sets(void **state)
{
    (void)state;
    struct jwks *s = NULL;
    assert_int_equal(jwks_parse(STR("{\"keys\":[],\"spiffe_sequence\":9,\"spiffe_refresh_hint\":300}"), &s, NULL), RC_OK);
    assert_int_equal(s->count, 0);
    assert_int_equal(s->spiffe_sequence, 9);
    assert_int_equal(s->spiffe_refresh_hint_s, 300);
    jwks_free(s);
    jwks_free(NULL);
    assert_set(STR("[]"), RC_INVALID, "a key set is an object with an array of keys");
    assert_set(STR("{\"keys\":{}}"), RC_INVALID, "a key set is an object with an array of keys");
    struct err e = {0};
    assert_int_equal(jwks_parse(STR("{\"keys\":[],\"keys\":[]}"), &s, &e), RC_INVALID);
    assert_true(str_starts(str_from(e.text), STR("key set: ")));
}

static void limits_of_a_set(void **state)
{
    (void)state;
    struct buf text;
    buf_init(&text, JWKS_TEXT_MAX + 1);
    for (int over = 0; over < 2; over++) {
        buf_reset(&text);
        buf_str(&text, STR("{\"keys\":["));
        for (int i = 0; i < JWKS_KEYS_MAX + over; i++) {
            buf_printf(&text, "%s{%s,\"kid\":\"%d\"}", i == 0 ? "" : ",", OKP, i);
        }
        buf_str(&text, STR("]}"));
        struct jwks *s = NULL;
        struct err e = {0};
        assert_int_equal(jwks_parse(buf_view(&text), &s, &e), over ? RC_LIMIT : RC_OK);
        assert_str(str_from(e.text), over ? "a key set has at most 64 keys, not 65" : "");
        if (!over) {
            assert_int_equal(s->count, JWKS_KEYS_MAX);
            assert_str(s->keys[63].kid, "63");
        }
        jwks_free(s);
    }
    buf_reset(&text);
    buf_str(&text, STR("{\"keys\":[]}"));
    while (text.len < JWKS_TEXT_MAX) {
        buf_char(&text, ' ');
    }
    assert_set(buf_view(&text), RC_OK, "");
    buf_char(&text, ' ');
    assert_set(buf_view(&text), RC_LIMIT, "a key set has at most 262144 bytes");
    buf_done(&text);
    char kid[JWK_KID_MAX + 2];
    memset(kid, 'k', sizeof kid);
    for (int over = 0; over < 2; over++) {
        char key[512];
        snprintf(key, sizeof key, "{%s,\"kid\":\"%.*s\"}", OKP, JWK_KID_MAX + over, kid);
        CLEANUP(jwks) struct jwks *s = set_of(key);
        assert_int_equal(s->count, over ? 0 : 1);
    }
}

static void names_of_algorithms(void **state)
{
    (void)state;
    assert_int_equal(jws_alg_of(STR("ES256")), JWS_ES256);
    assert_int_equal(jws_alg_of(STR("EdDSA")), JWS_EDDSA);
    static const char *const unknown[] = {"none", "None", "", "HS256", "es256", "ES256 ", "ES256K", "RSA-OAEP"};
    for (size_t i = 0; i < COUNT(unknown); i++) {
        assert_int_equal(jws_alg_of(str_from(unknown[i])), JWS_ALG_UNKNOWN);
    }
    assert_false(jws_alg_fits(JWS_ALG_UNKNOWN, PUBLIC_KEY_RSA));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_vectors),
        cmocka_unit_test(each_algorithm_and_only_it),
        cmocka_unit_test(signatures_in_another_shape),
        cmocka_unit_test(rsa_limits),
        cmocka_unit_test(points_lie_on_the_curve),
        cmocka_unit_test(thumbprints),
        cmocka_unit_test(what_is_no_use_is_left_out),
        cmocka_unit_test(sets),
        cmocka_unit_test(limits_of_a_set),
        cmocka_unit_test(names_of_algorithms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
