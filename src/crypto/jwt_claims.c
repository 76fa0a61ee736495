#include "crypto/jwt_internal.h"

#include "base/instant.h"

/* 9999-12-31: beyond it a date is a mistake, and sums with a skew stay far from overflow. */
static const int64_t DATE_MAX_S = 253402300799;

/* A member that must be a date when it is there. Milliseconds, because a date may have a fraction.
 */
static enum rc date_get(const struct value *claims, struct str name, bool *ret_there,
                        int64_t *ret_ms, struct err *e)
{
    const struct value *v = value_get(claims, name);
    double s;
    *ret_there = v != NULL;
    *ret_ms = 0;
    if (v == NULL) {
        return RC_OK;
    }
    if (!value_number(v, &s) || !(s >= 0 && s <= (double)DATE_MAX_S)) {
        return err_set(e, RC_DENIED, "%.*s is no date in seconds", STR_ARG(name));
    }
    *ret_ms = value_is(v, VALUE_INT) ? v->integer * SECOND_MS : (int64_t)(s * SECOND_MS);
    return RC_OK;
}

static enum rc check_dates(const struct jwt_rules *rules, int64_t now_s, struct jwt *t,
                           struct err *e)
{
    bool expires;
    bool begins;
    bool issued;
    int64_t exp_ms;
    int64_t nbf_ms;
    int64_t iat_ms;
    if (date_get(&t->claims, STR("exp"), &expires, &exp_ms, e) != RC_OK ||
        date_get(&t->claims, STR("nbf"), &begins, &nbf_ms, e) != RC_OK ||
        date_get(&t->claims, STR("iat"), &issued, &iat_ms, e) != RC_OK) {
        return RC_DENIED;
    }
    int64_t now_ms = now_s * SECOND_MS;
    int64_t skew_ms = rules->skew_s * SECOND_MS;
    if (!expires) {
        return err_set(e, RC_DENIED, "the token has no exp");
    }
    if (now_ms >= exp_ms + skew_ms) {
        return err_set(e, RC_DENIED, "the token is expired");
    }
    if (begins && now_ms < nbf_ms - skew_ms) {
        return err_set(e, RC_DENIED, "the token is not valid yet (nbf)");
    }
    if (issued && now_ms < iat_ms - skew_ms) {
        return err_set(e, RC_DENIED, "the token is issued in the future (iat)");
    }
    if ((issued && iat_ms >= exp_ms) || (begins && nbf_ms >= exp_ms)) {
        return err_set(e, RC_DENIED, "the token expires before it begins");
    }
    t->expires_s = exp_ms / SECOND_MS;
    t->issued_s = iat_ms / SECOND_MS;
    return RC_OK;
}

static enum rc check_audience(const struct jwt_rules *rules, const struct jwt *t, struct err *e)
{
    const struct value *aud = value_get(&t->claims, STR("aud"));
    bool one = value_is(aud, VALUE_STRING);
    if (!one &&
        !(value_is(aud, VALUE_ARRAY) && aud->count > 0 && aud->count <= JWT_AUDIENCES_MAX)) {
        return err_set(e, RC_DENIED, "aud is a string or an array of 1 to %d", JWT_AUDIENCES_MAX);
    }
    bool found = one && str_eq(aud->string, rules->audience);
    for (uint32_t i = 0; !one && i < aud->count; i++) {
        if (!value_is(&aud->items[i], VALUE_STRING)) {
            return err_set(e, RC_DENIED, "aud holds something that is no string");
        }
        found = found || str_eq(aud->items[i].string, rules->audience);
    }
    return found ? RC_OK : err_set(e, RC_DENIED, "the token is for another audience");
}

/* A name that can be compared and shown: not empty, not too long, no control characters. */
static bool is_name(struct str s, size_t max)
{
    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.ptr[i] < ' ' || s.ptr[i] == 0x7f) {
            return false;
        }
    }
    return s.len > 0 && s.len <= max;
}

static enum rc check_subject(const struct jwt_rules *rules, struct jwt *t, struct err *e)
{
    t->subject = value_text(value_get(&t->claims, STR("sub")));
    if (rules->profile == JWT_OIDC) {
        return is_name(t->subject, JWT_SUBJECT_MAX)
                   ? RC_OK
                   : err_set(e, RC_DENIED, "sub is a string of 1 to %d plain bytes",
                             JWT_SUBJECT_MAX);
    }
    struct str domain;
    struct str path;
    if (spiffe_id_parse(t->subject, &domain, &path, e) != RC_OK) {
        return err_wrap(e, RC_DENIED, "sub");
    }
    return str_eq(domain, rules->trust_domain)
               ? RC_OK
               : err_set(e, RC_DENIED, "sub is of another trust domain than the keys");
}

static enum rc check_issuer(const struct jwt_rules *rules, struct jwt *t, struct err *e)
{
    t->issuer = value_text(value_get(&t->claims, STR("iss")));
    if (rules->issuer.len > 0 && !str_eq(t->issuer, rules->issuer)) {
        return err_set(e, RC_DENIED, "the token is of another issuer");
    }
    return RC_OK;
}

static enum rc read_actors(struct jwt *t, struct err *e)
{
    const struct value *act = value_get(&t->claims, STR("act"));
    for (; act != NULL; act = value_get(act, STR("act"))) {
        if (t->act_count == JWT_ACT_MAX) {
            return err_set(e, RC_DENIED, "act is deeper than %d", JWT_ACT_MAX);
        }
        struct jwt_actor actor = {.issuer = value_text(value_get(act, STR("iss"))),
                                  .subject = value_text(value_get(act, STR("sub")))};
        if (!is_name(actor.subject, SPIFFE_ID_MAX)) {
            return err_set(e, RC_DENIED, "act holds an actor without sub");
        }
        t->act[t->act_count++] = actor;
    }
    return RC_OK;
}

enum rc jwt_claims_check(const struct jwt_rules *rules, int64_t now_s, struct jwt *ret,
                         struct err *e)
{
    bool good = check_issuer(rules, ret, e) == RC_OK && check_audience(rules, ret, e) == RC_OK &&
                check_subject(rules, ret, e) == RC_OK &&
                check_dates(rules, now_s, ret, e) == RC_OK && read_actors(ret, e) == RC_OK;
    return good ? RC_OK : RC_DENIED;
}
