#include "crypto/jwks.h"

#include "base/encode.h"
#include "base/must.h"
#include "value/json.h"

#include <string.h>

enum { NUMBER_MAX = RSA_BITS_MAX / 8, JWKS_MEMORY_MAX = 16 * JWKS_TEXT_MAX };

/* A member of a key that is a number: base64url of its big-endian bytes. */
struct number {
    uint8_t bytes[NUMBER_MAX];
    size_t len;
};

/* Which members make a key; for the thumbprint they stand in lexical order. */
static const struct shape {
    struct str kty;
    struct str members[5]; /* up to the first empty one */
} shapes[] = {
    {{"RSA", 3}, {{"e", 1}, {"kty", 3}, {"n", 1}}},
    {{"EC", 2}, {{"crv", 3}, {"kty", 3}, {"x", 1}, {"y", 1}}},
    {{"OKP", 3}, {{"crv", 3}, {"kty", 3}, {"x", 1}}},
};

static const struct {
    struct str kty;
    struct str crv;
    enum public_key_kind kind;
} kinds[] = {
    {{"RSA", 3}, {NULL, 0}, PUBLIC_KEY_RSA},          {{"EC", 2}, {"P-256", 5}, PUBLIC_KEY_P256},
    {{"EC", 2}, {"P-384", 5}, PUBLIC_KEY_P384},       {{"EC", 2}, {"P-521", 5}, PUBLIC_KEY_P521},
    {{"OKP", 3}, {"Ed25519", 7}, PUBLIC_KEY_ED25519},
};

static const struct shape *shape_of(struct str kty)
{
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        if (str_eq(shapes[i].kty, kty)) {
            return &shapes[i];
        }
    }
    return NULL;
}

/* Text that stands for itself inside JSON quotes; every member of a key that counts is such. */
static bool is_plain(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c < ' ' || c > '~' || c == '"' || c == '\\') {
            return false;
        }
    }
    return s.len > 0;
}

enum rc jwk_thumbprint(const struct value *jwk, struct digest *ret, struct err *e)
{
    const struct shape *shape = shape_of(value_text(value_get(jwk, STR("kty"))));
    if (shape == NULL) {
        return err_set(e, RC_INVALID, "a key with a thumbprint has the kty RSA, EC or OKP");
    }
    struct str parts[4 * 5];
    size_t count = 0;
    for (size_t i = 0; shape->members[i].len > 0; i++) {
        struct str text = value_text(value_get(jwk, shape->members[i]));
        if (!is_plain(text)) {
            return err_set(e, RC_INVALID, "the key has no usable member %.*s",
                           STR_ARG(shape->members[i]));
        }
        parts[count++] = i == 0 ? STR("{\"") : STR("\",\"");
        parts[count++] = shape->members[i];
        parts[count++] = STR("\":\"");
        parts[count++] = text;
    }
    parts[count++] = STR("\"}");
    *ret = sha256_parts(parts, count);
    return RC_OK;
}

/* False when the member is missing or not canonical base64url. */
static bool number_get(const struct value *jwk, struct str name, struct number *ret)
{
    struct str text = value_text(value_get(jwk, name));
    return text.len > 0 && base64url_decode(text, ret->bytes, sizeof ret->bytes, &ret->len);
}

static struct str number_view(const struct number *n)
{
    return (struct str){(const char *)n->bytes, n->len};
}

static bool kind_get(const struct value *jwk, enum public_key_kind *ret)
{
    struct str kty = value_text(value_get(jwk, STR("kty")));
    struct str crv = value_text(value_get(jwk, STR("crv")));
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (str_eq(kinds[i].kty, kty) && (kinds[i].crv.len == 0 || str_eq(kinds[i].crv, crv))) {
            *ret = kinds[i].kind;
            return true;
        }
    }
    return false;
}

static enum rc key_read(const struct value *jwk, struct public_key **ret)
{
    enum public_key_kind kind;
    struct number a;
    struct number b;
    if (!kind_get(jwk, &kind)) {
        return RC_INVALID;
    }
    if (kind == PUBLIC_KEY_RSA) {
        return number_get(jwk, STR("n"), &a) && number_get(jwk, STR("e"), &b)
                   ? public_key_rsa(number_view(&a), number_view(&b), ret, NULL)
                   : RC_INVALID;
    }
    if (!number_get(jwk, STR("x"), &a)) {
        return RC_INVALID;
    }
    if (kind == PUBLIC_KEY_ED25519) {
        return public_key_ed25519(number_view(&a), ret, NULL);
    }
    return number_get(jwk, STR("y"), &b)
               ? public_key_ec(kind, number_view(&a), number_view(&b), ret, NULL)
               : RC_INVALID;
}

static bool may_verify(const struct value *jwk)
{
    const struct value *ops = value_get(jwk, STR("key_ops"));
    if (ops == NULL) {
        return true;
    }
    for (uint32_t i = 0; value_item(ops, i) != NULL; i++) {
        if (str_eq(value_text(value_item(ops, i)), STR("verify"))) {
            return true;
        }
    }
    return false;
}

static bool use_get(const struct value *jwk, enum jwk_use *ret)
{
    const struct value *use = value_get(jwk, STR("use"));
    *ret = use == NULL                           ? JWK_USE_ANY
           : str_eq(value_text(use), STR("sig")) ? JWK_USE_SIG
                                                 : JWK_USE_JWT_SVID;
    return *ret != JWK_USE_JWT_SVID || str_eq(value_text(use), STR("jwt-svid"));
}

/* A member that is absent or a string of 1 to max bytes; an absent one is empty. */
static bool name_get(const struct value *jwk, struct str name, size_t max, struct str *ret)
{
    const struct value *v = value_get(jwk, name);
    *ret = value_text(v);
    return v == NULL || (ret->len > 0 && ret->len <= max);
}

/* RC_INVALID: it can't check a signature here, so it is left out. */
static enum rc jwk_read(const struct value *jwk, struct jwk *ret)
{
    struct str alg;
    bool usable = use_get(jwk, &ret->use) && may_verify(jwk) && value_get(jwk, STR("d")) == NULL &&
                  name_get(jwk, STR("kid"), JWK_KID_MAX, &ret->kid) &&
                  name_get(jwk, STR("alg"), JWK_KID_MAX, &alg) &&
                  jwk_thumbprint(jwk, &ret->thumbprint, NULL) == RC_OK;
    if (!usable) {
        return RC_INVALID;
    }
    ret->alg = jws_alg_of(alg);
    if (alg.len > 0 && ret->alg == JWS_ALG_UNKNOWN) {
        return RC_INVALID;
    }
    enum rc rc = key_read(jwk, &ret->key);
    if (rc == RC_OK && alg.len > 0 && !jws_alg_fits(ret->alg, public_key_kind(ret->key))) {
        public_key_free(ret->key);
        return RC_INVALID;
    }
    return rc;
}

static enum rc keys_read(struct jwks *s, const struct value *keys, struct err *e)
{
    for (uint32_t i = 0; i < keys->count; i++) {
        struct jwk key = {0};
        enum rc rc = jwk_read(value_item(keys, i), &key);
        if (rc == RC_NO_MEMORY) {
            return err_set(e, rc, "out of memory");
        }
        if (rc == RC_OK) {
            key.kid = arena_str(s->arena, key.kid);
            s->keys[s->count++] = key;
        } else {
            s->left_out++;
        }
    }
    return arena_rc(s->arena) == RC_OK ? RC_OK : err_set(e, RC_NO_MEMORY, "out of memory");
}

static enum rc jwks_new(uint32_t count, struct jwks **ret, struct err *e)
{
    struct arena *a =
        arena_new(JWKS_KEYS_MAX * (sizeof(struct jwk) + 2 * JWK_KID_MAX) + sizeof(struct jwks));
    struct jwks *s = a != NULL ? arena_alloc(a, sizeof *s) : NULL;
    struct jwk *keys = a != NULL ? arena_array(a, count + 1, sizeof *keys) : NULL;
    if (s == NULL || keys == NULL) {
        arena_free(a);
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    s->arena = a;
    s->keys = keys;
    *ret = s;
    return RC_OK;
}

enum rc jwks_parse(struct str text, struct jwks **ret, struct err *e)
{
    if (text.len > JWKS_TEXT_MAX) {
        return err_set(e, RC_LIMIT, "a key set has at most %d bytes", JWKS_TEXT_MAX);
    }
    CLEANUP(arena) struct arena *scratch = arena_new(JWKS_MEMORY_MAX);
    struct value set;
    enum rc rc = scratch != NULL ? json_parse(scratch, text, &set, e)
                                 : err_set(e, RC_NO_MEMORY, "out of memory");
    if (rc != RC_OK) {
        return err_wrap(e, rc, "key set");
    }
    const struct value *keys = value_get(&set, STR("keys"));
    if (!value_is(keys, VALUE_ARRAY)) {
        return err_set(e, RC_INVALID, "a key set is an object with an array of keys");
    }
    if (keys->count > JWKS_KEYS_MAX) {
        return err_set(e, RC_LIMIT, "a key set has at most %d keys, not %u", JWKS_KEYS_MAX,
                       keys->count);
    }
    CLEANUP(jwks) struct jwks *s = NULL;
    rc = jwks_new(keys->count, &s, e);
    if (rc == RC_OK) {
        rc = keys_read(s, keys, e);
    }
    if (rc == RC_OK) {
        s->spiffe_sequence = value_integer_or(value_get(&set, STR("spiffe_sequence")), 0);
        s->spiffe_refresh_hint_s = value_integer_or(value_get(&set, STR("spiffe_refresh_hint")), 0);
        *ret = s;
        s = NULL;
    }
    return rc;
}

void jwks_free(struct jwks *s)
{
    if (s != NULL) {
        for (uint32_t i = 0; i < s->count; i++) {
            public_key_free(s->keys[i].key);
        }
        arena_free(s->arena);
    }
}
