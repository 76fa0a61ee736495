/*
 * otlp/json - the same message in OTLP/JSON: ids are hexadecimal, 64-bit numbers are texts or numbers.
 */
#include "otlp/otlp_internal.h"

#include "base/encode.h"
#include "value/value.h"

struct place {
    const char *name[3];
    uint32_t index[3];
    unsigned depth;
};

static enum rc bad(struct err *e, const struct place *p, const char *what)
{
    err_say(e, RC_INVALID, "expected %s", what);
    for (unsigned i = p->depth; i-- > 0;) {
        err_step(e, "/%s/%u", p->name[i], p->index[i]);
    }
    return RC_INVALID;
}

/* The last eight bytes of an id of hexadecimal digits; 0 for none. */
static bool read_id(const struct value *v, uint64_t *ret)
{
    struct str s = value_text(v);
    uint64_t n = 0;
    *ret = 0;
    for (size_t i = s.len > 16 ? s.len - 16 : 0; i < s.len; i++) {
        char c = s.ptr[i];
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
                         : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A' + 10)
                                                : 16;
        if (digit == 16) {
            return false;
        }
        n = n << 4 | digit;
    }
    /* As protobuf's bytes are read: the first byte is the lowest. */
    *ret = __builtin_bswap64(n);
    return v == NULL || s.len == 0 || s.len == 16 || s.len == 32;
}

static bool read_time(const struct value *v, uint64_t *ret)
{
    int64_t n = value_integer_or(v, -1);
    *ret = (uint64_t)n;
    return v == NULL || n >= 0 || str_to_u64(value_text(v), ret);
}

static void read_peer(const struct value *attributes, struct peer_words *words)
{
    for (uint32_t i = 0; value_is(attributes, VALUE_ARRAY) && i < attributes->count; i++) {
        enum peer_key k = peer_key_of(value_text(value_get(&attributes->items[i], STR("key"))));
        if (k != PEER_KEYS) {
            words->said[k] = value_text(value_path(&attributes->items[i], "value", "stringValue", NULL));
        }
    }
}

static NODISCARD enum rc read_span(const struct value *v, struct otlp_span *s, const struct place *p, struct err *e)
{
    struct peer_words words = {0};
    uint64_t kind = 0;
    if (!value_is(v, VALUE_OBJECT)) {
        return bad(e, p, "an object");
    }
    if (!read_id(value_get(v, STR("traceId")), &s->trace) || !read_id(value_get(v, STR("spanId")), &s->id) ||
        !read_id(value_get(v, STR("parentSpanId")), &s->parent)) {
        return bad(e, p, "ids of 16 or 32 hexadecimal digits");
    }
    if (!read_time(value_get(v, STR("startTimeUnixNano")), &s->start_ns) ||
        !read_time(value_get(v, STR("endTimeUnixNano")), &s->end_ns)) {
        return bad(e, p, "times in nanoseconds");
    }
    kind = (uint64_t)value_integer_or(value_get(v, STR("kind")), 0);
    s->kind = kind < OTLP_KIND_COUNT ? (enum otlp_kind)kind : OTLP_UNSPECIFIED;
    s->name = value_text(value_get(v, STR("name")));
    s->error = value_integer_or(value_path(v, "status", "code", NULL), 0) == 2;
    read_peer(value_get(v, STR("attributes")), &words);
    peer_settle(&words, s);
    return RC_OK;
}

static struct str service_of(const struct value *resource)
{
    const struct value *attributes = value_get(resource, STR("attributes"));
    for (uint32_t i = 0; value_is(attributes, VALUE_ARRAY) && i < attributes->count; i++) {
        if (str_eq(value_text(value_get(&attributes->items[i], STR("key"))), STR("service.name"))) {
            return value_text(value_path(&attributes->items[i], "value", "stringValue", NULL));
        }
    }
    return STR("");
}

struct told {
    otlp_span_fn fn;
    void *context;
    struct err *e;
};

/* A member that is a list, or not there. */
static NODISCARD enum rc list_of(const struct value *v, const char *name, const struct place *p, struct err *e,
                                 const struct value **ret)
{
    *ret = value_get(v, str_from(name));
    return *ret == NULL || (*ret)->type == VALUE_ARRAY ? RC_OK : bad(e, p, "a list");
}

static NODISCARD enum rc read_scope(const struct value *scope, struct str service, struct place *p, const struct told *to)
{
    const struct value *spans;
    enum rc rc = list_of(scope, "spans", p, to->e, &spans);
    p->name[2] = "spans";
    p->depth = 3;
    for (uint32_t i = 0; rc == RC_OK && spans != NULL && i < spans->count; i++) {
        struct otlp_span s = {.service = service};
        p->index[2] = i;
        rc = read_span(&spans->items[i], &s, p, to->e);
        if (rc == RC_OK && to->fn != NULL) {
            to->fn(to->context, &s);
        }
    }
    return rc;
}

static NODISCARD enum rc read_resource(const struct value *r, struct place *p, const struct told *to)
{
    const struct value *scopes;
    struct str service = service_of(value_get(r, STR("resource")));
    enum rc rc = list_of(r, "scopeSpans", p, to->e, &scopes);
    p->name[1] = "scopeSpans";
    for (uint32_t i = 0; rc == RC_OK && scopes != NULL && i < scopes->count; i++) {
        p->index[1] = i;
        p->depth = 2;
        rc = read_scope(&scopes->items[i], service, p, to);
    }
    return rc;
}

enum rc otlp_read_json(const struct value *message, otlp_span_fn fn, void *context, struct err *e)
{
    const struct told to = {fn, context, e};
    struct place p = {.name = {"resourceSpans"}};
    const struct value *resources;
    enum rc rc = list_of(message, "resourceSpans", &p, e, &resources);
    for (uint32_t i = 0; rc == RC_OK && resources != NULL && i < resources->count; i++) {
        p.index[0] = i;
        p.depth = 1;
        rc = read_resource(&resources->items[i], &p, &to);
    }
    return rc;
}
