/* crypto: published vectors of SHA-256, HMAC and Ed25519, and threads side by side. */
#include "base/encode.h"
#include "crypto/crypto.h"

#include "check.h"

#include <pthread.h>

static struct str hex_of(const uint8_t *bytes, size_t len, char *out)
{
    hex_encode(bytes, len, out);
    return (struct str){out, 2 * len};
}

static void assert_digest(struct digest got, const char *want)
{
    char text[2 * SHA256_LEN];
    assert_str(hex_of(got.bytes, sizeof got.bytes, text), want);
}

static void sha256_vectors(void **state)
{
    (void)state;
    /* FIPS 180-4 examples. */
    assert_digest(sha256(STR("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_digest(sha256(STR("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
                  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    assert_digest(sha256((struct str){NULL, 0}),
                  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void parts_are_one_text(void **state)
{
    (void)state;
    struct str parts[] = {STR("a"), {NULL, 0}, STR("b"), STR("c")};
    assert_digest(sha256_parts(parts, 4), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    /* Parts that lie behind each other, as salt and body do, and one that only seems to. */
    const char *text = "abcabc";
    struct str next[] = {{text, 1}, {text + 1, 0}, {text + 1, 2}, {NULL, 0}, {text, 3}};
    struct str whole = STR("abcabc");
    struct digest of_parts = sha256_parts(next, 5);
    struct digest of_whole = sha256(whole);
    assert_true(digest_eq(&of_parts, &of_whole));
    assert_digest(sha256_parts(NULL, 0), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void a_stream_of_a_million(void **state)
{
    (void)state;
    CLEANUP(sha256_stream) struct sha256_stream *s = sha256_stream_new();
    assert_non_null(s);
    char chunk[1000];
    memset(chunk, 'a', sizeof chunk);
    for (int round = 0; round < 2; round++) { /* the end of one is the start of the next */
        for (int i = 0; i < 1000; i++) {
            sha256_stream_put(s, (struct str){chunk, sizeof chunk});
        }
        assert_digest(sha256_stream_end(s), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    }
}

static void hmac_vectors(void **state)
{
    (void)state;
    /* RFC 4231, test cases 1, 2 and 6, and the empty key after a set one. */
    char key[131];
    memset(key, 0x0b, sizeof key);
    assert_digest(hmac_sha256((struct str){key, 20}, STR("Hi There")),
                  "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    assert_digest(hmac_sha256(STR("Jefe"), STR("what do ya want for nothing?")),
                  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof key);
    assert_digest(hmac_sha256((struct str){key, 131}, STR("Test Using Larger Than Block-Size Key - Hash Key First")),
                  "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    assert_digest(hmac_sha256((struct str){NULL, 0}, (struct str){NULL, 0}),
                  "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

/* RFC 8032 section 7.1, tests 1 to 3. */
static const struct {
    const char *seed;
    const char *public_key;
    const char *message;
    const char *signature;
} ed25519_vectors[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
     "d25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
     "387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
     "4a7c15e9716ed28dc027beceea1ec40a"},
};

static void ed25519_vectors_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ed25519_vectors / sizeof *ed25519_vectors; i++) {
        uint8_t seed[ED25519_SEED_LEN];
        assert_true(hex_decode(str_from(ed25519_vectors[i].seed), seed, sizeof seed));
        uint8_t message[2];
        struct str text = str_from(ed25519_vectors[i].message);
        assert_true(hex_decode(text, message, text.len / 2));
        struct str bytes = {(const char *)message, text.len / 2};
        CLEANUP(signing_key) struct signing_key *key = NULL;
        assert_int_equal(signing_key_new(seed, &key, NULL), RC_OK);
        uint8_t public_key[ED25519_PUBLIC_LEN];
        signing_key_public(key, public_key);
        uint8_t signature[ED25519_SIGNATURE_LEN];
        signing_key_sign(key, bytes, signature);
        char out[2 * ED25519_SIGNATURE_LEN];
        assert_str(hex_of(public_key, sizeof public_key, out), ed25519_vectors[i].public_key);
        assert_str(hex_of(signature, sizeof signature, out), ed25519_vectors[i].signature);
        assert_true(ed25519_verify(public_key, bytes, signature));
        signature[10] ^= 1;
        assert_false(ed25519_verify(public_key, bytes, signature));
        signature[10] ^= 1;
        assert_false(ed25519_verify(public_key, STR("another"), signature));
        memset(public_key, 0xff, sizeof public_key);
        assert_false(ed25519_verify(public_key, bytes, signature));
    }
}

static void wiping(void **state)
{
    (void)state;
    char secret[] = "secret";
    wipe(secret, sizeof secret);
    for (size_t i = 0; i < sizeof secret; i++) {
        assert_int_equal(secret[i], 0);
    }
    struct digest a = sha256(STR("a"));
    struct digest b = a;
    assert_true(digest_eq(&a, &b));
    b.bytes[31] ^= 1;
    assert_false(digest_eq(&a, &b));
}

static void *hash_often(void *expected)
{
    const struct digest *want = expected;
    for (int i = 0; i < 2000; i++) {
        struct digest got = sha256(STR("abc"));
        struct digest mac = hmac_sha256(STR("k"), STR("abc"));
        if (!digest_eq(&got, &want[0]) || !digest_eq(&mac, &want[1])) {
            return NULL;
        }
    }
    return expected;
}

static void threads_do_not_share_contexts(void **state)
{
    (void)state;
    struct digest want[2] = {sha256(STR("abc")), hmac_sha256(STR("k"), STR("abc"))};
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, hash_often, want), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        void *result;
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_ptr_equal(result, want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_vectors),
        cmocka_unit_test(parts_are_one_text),
        cmocka_unit_test(a_stream_of_a_million),
        cmocka_unit_test(hmac_vectors),
        cmocka_unit_test(ed25519_vectors_hold),
        cmocka_unit_test(wiping),
        cmocka_unit_test(threads_do_not_share_contexts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
