#include "crypto/jwt_internal.h"

#include "base/encode.h"
#include "base/must.h"
#include "value/json.h"

#include <strings.h>

/* A token in its parts; nothing in it is believed yet. */
struct parts {
    struct str signed_text; /* header.payload as they came */
    struct value header;
    struct value claims;
    uint8_t signature[SIGNATURE_MAX];
    size_t signature_len;
};

struct profile {
    enum jws_alg algs[9]; /* up to JWS_ALG_UNKNOWN */
    struct str types[4];  /* up to the first empty one */
    bool types_in_either_case;
    enum jwk_use use;      /* what a key must be for; a key that says nothing is for JWK_USE_SIG */
    struct str headers[4]; /* those allowed; none: any */
};

static const struct profile profiles[] = {
    [JWT_OIDC] = {.algs = {JWS_RS256, JWS_PS256, JWS_ES256, JWS_EDDSA},
                  .types = {{"JWT", 3}, {"at+jwt", 6}, {"application/at+jwt", 18}},
                  .types_in_either_case = true,
                  .use = JWK_USE_SIG},
    [JWT_SPIFFE] = {.algs = {JWS_RS256, JWS_RS384, JWS_RS512, JWS_PS256, JWS_PS384, JWS_PS512,
                             JWS_ES256, JWS_ES384, JWS_ES512},
                    .types = {{"JWT", 3}, {"JOSE", 4}},
                    .use = JWK_USE_JWT_SVID,
                    .headers = {{"alg", 3}, {"kid", 3}, {"typ", 3}}},
};

/* base64url of a JSON object. The reader's own message is dropped: it may quote the token. */
static enum rc object_read(struct str text, struct arena *a, struct value *ret, struct err *e)
{
    size_t room = text.len / 4 * 3 + 3;
    uint8_t *bytes = arena_alloc(a, room);
    size_t len = 0;
    if (bytes == NULL) {
        return err_set(e, arena_rc(a), "no memory for the token");
    }
    if (text.len == 0 || !base64url_decode(text, bytes, room, &len)) {
        return err_set(e, RC_DENIED, "no base64url without padding");
    }
    enum rc rc = json_parse(a, (struct str){(const char *)bytes, len}, ret, NULL);
    if (arena_rc(a) != RC_OK) {
        return err_set(e, arena_rc(a), "no memory for the token");
    }
    if (rc != RC_OK || !value_is(ret, VALUE_OBJECT)) {
        return err_set(e, RC_DENIED, "no strict JSON object");
    }
    return RC_OK;
}

static enum rc parts_read(struct str text, struct arena *a, struct parts *ret, struct err *e)
{
    if (text.len > JWT_MAX) {
        return err_set(e, RC_DENIED, "a token has at most %d bytes", JWT_MAX);
    }
    size_t first = str_find(text, '.');
    struct str rest = str_slice(text, first + 1, text.len);
    size_t second = str_find(rest, '.');
    struct str signature = str_slice(rest, second + 1, rest.len);
    if (second == rest.len || str_find(signature, '.') != signature.len) {
        return err_set(e, RC_DENIED, "a token has three parts");
    }
    ret->signed_text = str_slice(text, 0, first + 1 + second);
    enum rc rc = object_read(str_slice(text, 0, first), a, &ret->header, e);
    if (rc != RC_OK) {
        return err_wrap(e, rc, "header");
    }
    rc = object_read(str_slice(rest, 0, second), a, &ret->claims, e);
    if (rc != RC_OK) {
        return err_wrap(e, rc, "payload");
    }
    if (signature.len == 0 ||
        !base64url_decode(signature, ret->signature, sizeof ret->signature, &ret->signature_len)) {
        return err_set(e, RC_DENIED, "signature: no base64url without padding, or too long");
    }
    return RC_OK;
}

static enum rc check_alg(const struct profile *p, const struct value *header, enum jws_alg *ret,
                         struct err *e)
{
    enum jws_alg alg = jws_alg_of(value_text(value_get(header, STR("alg"))));
    for (size_t i = 0; i < sizeof p->algs / sizeof *p->algs && alg != JWS_ALG_UNKNOWN; i++) {
        if (p->algs[i] == alg) {
            *ret = alg;
            return RC_OK;
        }
    }
    return err_set(e, RC_DENIED, "header: alg is not one that is accepted");
}

static bool type_is(const struct profile *p, struct str type, struct str allowed)
{
    return p->types_in_either_case
               ? type.len == allowed.len && strncasecmp(type.ptr, allowed.ptr, type.len) == 0
               : str_eq(type, allowed);
}

static enum rc check_type(const struct profile *p, const struct value *header, struct err *e)
{
    const struct value *typ = value_get(header, STR("typ"));
    bool allowed = typ == NULL;
    for (size_t i = 0; !allowed && i < sizeof p->types / sizeof *p->types && p->types[i].len > 0;
         i++) {
        allowed = type_is(p, value_text(typ), p->types[i]);
    }
    return allowed ? RC_OK : err_set(e, RC_DENIED, "header: typ is not one that is accepted");
}

static bool header_allowed(const struct profile *p, struct str name)
{
    bool allowed = p->headers[0].len == 0;
    for (size_t i = 0; !allowed && i < sizeof p->headers / sizeof *p->headers; i++) {
        allowed = str_eq(name, p->headers[i]) && name.len > 0;
    }
    return allowed;
}

static enum rc check_header(const struct profile *p, const struct value *header,
                            enum jws_alg *ret_alg, struct err *e)
{
    if (value_get(header, STR("crit")) != NULL) {
        return err_set(e, RC_DENIED, "header: crit asks for what is not known here");
    }
    for (uint32_t i = 0; i < header->count; i++) {
        if (!header_allowed(p, header->members[i].name)) {
            return err_set(e, RC_DENIED, "header: only alg, kid and typ are allowed");
        }
    }
    enum rc rc = check_type(p, header, e);
    return rc == RC_OK ? check_alg(p, header, ret_alg, e) : rc;
}

static bool key_fits(const struct profile *p, const struct jwk *key, enum jws_alg alg)
{
    enum jwk_use use = key->use == JWK_USE_ANY ? JWK_USE_SIG : key->use;
    return use == p->use && (key->alg == JWS_ALG_UNKNOWN || key->alg == alg) &&
           jws_alg_fits(alg, public_key_kind(key->key));
}

/* The first that fits. Two keys of one name are two kinds of one pair of hands (RFC 7517, 4.5). */
static enum rc key_by_kid(const struct jwt_rules *rules, struct str kid, enum jws_alg alg,
                          const struct jwk **ret, struct err *e)
{
    bool named = false;
    for (uint32_t i = 0; i < rules->jwks->count; i++) {
        const struct jwk *key = &rules->jwks->keys[i];
        bool same = str_eq(key->kid, kid);
        named = named || same;
        if (same && key_fits(&profiles[rules->profile], key, alg)) {
            *ret = key;
            return RC_OK;
        }
    }
    return named ? err_set(e, RC_DENIED, "the key named by kid is not for this alg or use")
                 : err_set(e, RC_NOT_FOUND, "kid names no key of the issuer");
}

static enum rc key_without_kid(const struct jwt_rules *rules, enum jws_alg alg,
                               const struct jwk **ret, struct err *e)
{
    const struct jwk *only = NULL;
    for (uint32_t i = 0; i < rules->jwks->count; i++) {
        const struct jwk *key = &rules->jwks->keys[i];
        if (key_fits(&profiles[rules->profile], key, alg)) {
            if (only != NULL) {
                return err_set(e, RC_DENIED,
                               "the token names no kid and the issuer has several keys");
            }
            only = key;
        }
    }
    if (only == NULL) {
        return err_set(e, RC_NOT_FOUND, "the issuer has no key for this alg");
    }
    *ret = only;
    return RC_OK;
}

static enum rc key_select(const struct jwt_rules *rules, const struct value *header,
                          enum jws_alg alg, const struct jwk **ret, struct err *e)
{
    const struct value *kid = value_get(header, STR("kid"));
    if (kid == NULL) {
        return key_without_kid(rules, alg, ret, e);
    }
    struct str name = value_text(kid);
    if (name.len == 0 || name.len > JWK_KID_MAX) {
        return err_set(e, RC_DENIED, "header: kid is a string of 1 to %d bytes", JWK_KID_MAX);
    }
    return key_by_kid(rules, name, alg, ret, e);
}

static void rules_must_be_whole(const struct jwt_rules *rules)
{
    must(rules->jwks != NULL && rules->audience.len > 0);
    must(rules->skew_s >= 0 && rules->skew_s <= JWT_SKEW_MAX_S);
    must(rules->profile == JWT_SPIFFE ? rules->trust_domain.len > 0 : rules->issuer.len > 0);
}

enum rc jwt_verify(const struct jwt_rules *rules, struct str text, int64_t now_s, struct arena *a,
                   struct jwt *ret, struct err *e)
{
    rules_must_be_whole(rules);
    struct parts parts;
    enum jws_alg alg = JWS_ALG_UNKNOWN;
    const struct jwk *key = NULL;
    enum rc rc = parts_read(text, a, &parts, e);
    if (rc == RC_OK) {
        rc = check_header(&profiles[rules->profile], &parts.header, &alg, e);
    }
    if (rc == RC_OK) {
        rc = key_select(rules, &parts.header, alg, &key, e);
    }
    if (rc != RC_OK) {
        return rc;
    }
    struct str signature = {(const char *)parts.signature, parts.signature_len};
    if (!public_key_verify(key->key, alg, parts.signed_text, signature)) {
        return err_set(e, RC_DENIED, "the signature is wrong");
    }
    struct jwt token = {.kid = key->kid, .thumbprint = key->thumbprint, .claims = parts.claims};
    rc = jwt_claims_check(rules, now_s, &token, e);
    if (rc == RC_OK) {
        *ret = token;
    }
    return rc;
}

enum rc jwt_peek(struct str text, struct arena *a, struct jwt_claimed *ret, struct err *e)
{
    struct parts parts;
    enum rc rc = parts_read(text, a, &parts, e);
    if (rc != RC_OK) {
        return rc;
    }
    struct jwt_claimed claimed = {.issuer = value_text(value_get(&parts.claims, STR("iss")))};
    struct str path;
    if (spiffe_id_parse(value_text(value_get(&parts.claims, STR("sub"))), &claimed.trust_domain,
                        &path, NULL) != RC_OK) {
        claimed.trust_domain = STR("");
    }
    *ret = claimed;
    return RC_OK;
}
