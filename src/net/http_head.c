/* Checks on a request's headers that the HTTP library does not make. */
#include "net/http_internal.h"

#include <strings.h>

static bool same_name(struct str a, struct str b)
{
    return a.len == b.len && strncasecmp(a.ptr, b.ptr, a.len) == 0;
}

void head_check_header(struct head_check *c, struct str name, struct str value)
{
    c->headers++;
    if (same_name(name, STR("content-length"))) {
        c->lengths++;
        c->bad_length = c->bad_length || !str_to_u64(value, &c->length);
    } else if (same_name(name, STR("transfer-encoding"))) {
        c->encodings++;
        c->chunked = same_name(value, STR("chunked"));
    } else if (same_name(name, STR("host"))) {
        c->hosts++;
    }
}

bool head_check_passed(const struct head_check *c)
{
    return c->lengths + c->encodings <= 1 && c->hosts <= 1 && !c->bad_length &&
           (c->encodings == 0 || c->chunked);
}
