/* The headers of signed requests: line 1 Signature-Input, line 2 Signature, the rest
 * Content-Digest. */
#include "fuzz/fuzz.h"

#include "base/must.h"
#include "crypto/http_signature.h"

#include <string.h>

static bool component(void *context, struct str name, struct str *ret)
{
    (void)context;
    (void)name;
    *ret = STR("value");
    return true;
}

static struct signing_key *own_key(uint8_t public_key[static ED25519_PUBLIC_LEN])
{
    static const uint8_t seed[ED25519_SEED_LEN] = {1};
    struct signing_key *k = NULL;
    must(signing_key_new(seed, &k, NULL) == RC_OK);
    signing_key_public(k, public_key);
    return k;
}

static void check_parsed(const struct http_signature *s)
{
    must(s->component_count <= HTTP_SIGNATURE_COMPONENTS_MAX);
    must(s->nonce.len > 0 && s->nonce.len <= HTTP_SIGNATURE_NONCE_MAX);
    must(s->keyid.len > 0 && s->keyid.len <= HTTP_SIGNATURE_KEYID_MAX);
    must(s->expires_s == 0 || s->expires_s > s->created_s);
    must(memchr(s->params.ptr, '\n', s->params.len) == NULL);
}

/* Signed as it is, so that what is behind the signature is reached too. */
static void fuzz_signed(struct http_signature s)
{
    uint8_t public_key[ED25519_PUBLIC_LEN];
    CLEANUP(signing_key) struct signing_key *k = own_key(public_key);
    struct http_signature_rules rules = {.skew_s = 0, .max_age_s = 1};
    struct http_message m = {.component = component, .received_s = s.created_s};
    struct err e = {0};
    must(http_signature_verify(&s, &rules, &m, public_key, &e) == RC_DENIED && e.text[0] != '\0');
    struct buf base;
    buf_init(&base, HTTP_SIGNATURE_BASE_MAX);
    if (http_signature_base(&s, &m, &base, NULL) == RC_OK) {
        signing_key_sign(k, buf_view(&base), s.bytes);
        bool covered = http_signature_verify(&s, &rules, &m, public_key, NULL) == RC_OK;
        m.received_s++;
        must(http_signature_verify(&s, &rules, &m, public_key, NULL) == RC_DENIED);
        m.received_s = s.created_s;
        s.bytes[0] ^= 1;
        must(!covered || http_signature_verify(&s, &rules, &m, public_key, NULL) == RC_DENIED);
    }
    buf_done(&base);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = {(const char *)data, size};
    struct str input = STR("");
    struct str signature = STR("");
    (void)(str_next(&rest, '\n', &input) && str_next(&rest, '\n', &signature));
    struct http_signature s;
    struct err e = {0};
    enum rc rc = http_signature_parse(input, signature, STR(""), &s, &e);
    must(rc == RC_OK || e.text[0] != '\0');
    if (rc == RC_OK) {
        check_parsed(&s);
        fuzz_signed(s);
    }
    rc = content_digest_check(rest, STR(""), NULL);
    must(rc == RC_OK || rc == RC_INVALID || rc == RC_DENIED || rc == RC_LIMIT);
    return 0;
}
