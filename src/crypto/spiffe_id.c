/* crypto/spiffe_id - the names of workloads: spiffe://trust-domain/path. */
#include "crypto/jwt.h"

#define SCHEME STR("spiffe://")

static bool is_lower_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

static bool is_trust_domain(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!is_lower_or_digit(s.ptr[i])) {
            return false;
        }
    }
    return s.len > 0 && s.len <= SPIFFE_TRUST_DOMAIN_MAX;
}

static bool is_segment(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!is_lower_or_digit(s.ptr[i]) && !(s.ptr[i] >= 'A' && s.ptr[i] <= 'Z')) {
            return false;
        }
    }
    return s.len > 0 && !str_eq(s, STR(".")) && !str_eq(s, STR(".."));
}

enum rc spiffe_id_parse(struct str id, struct str *ret_trust_domain, struct str *ret_path,
                        struct err *e)
{
    if (id.len > SPIFFE_ID_MAX || !str_starts(id, SCHEME)) {
        return err_set(e, RC_INVALID, "a SPIFFE ID begins with spiffe:// and has at most %d bytes",
                       SPIFFE_ID_MAX);
    }
    struct str rest = str_slice(id, SCHEME.len, id.len);
    size_t slash = str_find(rest, '/');
    struct str domain = str_slice(rest, 0, slash);
    if (!is_trust_domain(domain)) {
        return err_set(e, RC_INVALID, "a trust domain has 1 to %d of a-z 0-9 . - _",
                       SPIFFE_TRUST_DOMAIN_MAX);
    }
    struct str path = str_slice(rest, slash, rest.len);
    /* By hand: str_next drops an empty last part, and a slash at the end is not allowed. */
    size_t from = 1;
    while (from <= path.len) {
        struct str tail = str_slice(path, from, path.len);
        struct str segment = str_slice(tail, 0, str_find(tail, '/'));
        if (!is_segment(segment)) {
            return err_set(e, RC_INVALID,
                           "a segment of a SPIFFE path is empty, dots or has a foreign character");
        }
        from += segment.len + 1;
    }
    if (path.len == 0) {
        return err_set(e, RC_INVALID, "the SPIFFE ID names a trust domain and no workload");
    }
    *ret_trust_domain = domain;
    *ret_path = path;
    return RC_OK;
}
