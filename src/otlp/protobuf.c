/*
 * otlp/protobuf - an ExportTraceServiceRequest, field by field.
 *
 * Only the fields that are asked for are looked at; the others are stepped over by their wire type.
 */
#include "otlp/otlp_internal.h"

#include <string.h>

enum wire { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

struct in {
    const unsigned char *at;
    const unsigned char *end;
    const unsigned char *start; /* of the whole message: for error places */
    struct err *e;
};

struct field {
    uint32_t number;
    enum wire wire;
    uint64_t number_value; /* of a varint or fixed */
    struct in bytes;
};

static enum rc bad(const struct in *in, const char *what)
{
    return err_set(in->e, RC_INVALID, "%s at byte %zu", what, (size_t)(in->at - in->start));
}

static inline bool varint(struct in *in, uint64_t *ret)
{
    uint64_t n = 0;
    for (unsigned shift = 0; shift < 64 && in->at < in->end; shift += 7) {
        unsigned char b = *in->at++;
        n |= (uint64_t)(b & 0x7f) << shift;
        if (b < 0x80) {
            *ret = n;
            return true;
        }
    }
    return false;
}

static inline uint64_t little(const unsigned char *at, unsigned bytes)
{
    uint64_t n = 0;
    for (unsigned i = bytes; i-- > 0;) {
        n = n << 8 | at[i];
    }
    return n;
}

static NODISCARD enum rc fixed(struct in *in, unsigned bytes, struct field *ret)
{
    if ((size_t)(in->end - in->at) < bytes) {
        return bad(in, "a number is cut");
    }
    ret->number_value = little(in->at, bytes);
    in->at += bytes;
    return RC_OK;
}

/* The next field; false at the end, or with rc set. */
static inline bool next_field(struct in *in, struct field *ret, enum rc *rc)
{
    *rc = RC_OK;
    ret->number_value = 0;
    if (in->at == in->end) {
        return false;
    }
    uint64_t tag;
    if (!varint(in, &tag) || tag >> 3 == 0 || tag >> 3 > UINT32_MAX) {
        *rc = bad(in, "a field's tag is malformed");
        return false;
    }
    ret->number = (uint32_t)(tag >> 3);
    ret->wire = (enum wire)(tag & 7);
    uint64_t size;
    switch (ret->wire) {
    case WIRE_VARINT:
        *rc = varint(in, &ret->number_value) ? RC_OK : bad(in, "a number is malformed");
        break;
    case WIRE_FIXED64:
        *rc = fixed(in, 8, ret);
        break;
    case WIRE_FIXED32:
        *rc = fixed(in, 4, ret);
        break;
    case WIRE_BYTES:
        if (!varint(in, &size) || size > (uint64_t)(in->end - in->at)) {
            *rc = bad(in, "a length is beyond the message's end");
            break;
        }
        ret->bytes = (struct in){in->at, in->at + size, in->start, in->e};
        in->at += size;
        break;
    default:
        *rc = bad(in, "a wire type is unknown");
    }
    return *rc == RC_OK;
}

static inline struct str text_of(const struct in *in)
{
    return (struct str){(const char *)in->at, (size_t)(in->end - in->at)};
}

static inline bool is_bytes(const struct field *f, uint32_t number)
{
    return f->number == number && f->wire == WIRE_BYTES;
}

/* KeyValue { string key = 1; AnyValue value = 2 }, AnyValue { string string_value = 1; ... }: texts only. */
static NODISCARD enum rc key_value(struct in in, struct str *ret_key, struct str *ret_text)
{
    struct field f;
    struct field inner;
    enum rc rc;
    *ret_key = STR("");
    *ret_text = STR("");
    while (next_field(&in, &f, &rc)) {
        if (is_bytes(&f, 1)) {
            *ret_key = text_of(&f.bytes);
        } else if (is_bytes(&f, 2)) {
            struct in value = f.bytes;
            while (next_field(&value, &inner, &rc)) {
                *ret_text = is_bytes(&inner, 1) ? text_of(&inner.bytes) : *ret_text;
            }
            if (rc != RC_OK) {
                return rc;
            }
        }
    }
    return rc;
}

static NODISCARD enum rc take_peer(struct in in, struct peer_words *words)
{
    struct str key;
    struct str text;
    enum rc rc = key_value(in, &key, &text);
    enum peer_key k = rc == RC_OK ? peer_key_of(key) : PEER_KEYS;
    if (k != PEER_KEYS) {
        words->said[k] = text;
    }
    return rc;
}

/* Status { string message = 2; StatusCode code = 3 } */
static NODISCARD enum rc take_status(struct in in, bool *ret_error)
{
    struct field f;
    enum rc rc;
    while (next_field(&in, &f, &rc)) {
        if (f.number == 3 && f.wire == WIRE_VARINT) {
            *ret_error = f.number_value == 2;
        }
    }
    return rc;
}

static uint64_t last_eight(const struct in *in)
{
    size_t len = (size_t)(in->end - in->at);
    return len < 8 ? 0 : little(in->end - 8, 8);
}

static NODISCARD enum rc span_field(const struct field *f, struct otlp_span *s, struct peer_words *words)
{
    if (f->wire == WIRE_BYTES) {
        switch (f->number) {
        case 1: s->trace = last_eight(&f->bytes); break;
        case 2: s->id = last_eight(&f->bytes); break;
        case 4: s->parent = last_eight(&f->bytes); break;
        case 5: s->name = text_of(&f->bytes); break;
        case 9: return take_peer(f->bytes, words);
        case 15: return take_status(f->bytes, &s->error);
        default: break;
        }
    } else if (f->number == 6 && f->wire == WIRE_VARINT) {
        s->kind = f->number_value < OTLP_KIND_COUNT ? (enum otlp_kind)f->number_value : OTLP_UNSPECIFIED;
    } else if (f->wire == WIRE_FIXED64 && (f->number == 7 || f->number == 8)) {
        *(f->number == 7 ? &s->start_ns : &s->end_ns) = f->number_value;
    }
    return RC_OK;
}

struct told {
    otlp_span_fn fn;
    void *context;
};

static NODISCARD enum rc span(struct in in, struct str service, const struct told *to)
{
    struct otlp_span s = {.service = service};
    struct peer_words words = {0};
    struct field f;
    enum rc rc;
    while (next_field(&in, &f, &rc)) {
        rc = span_field(&f, &s, &words);
        if (rc != RC_OK) {
            return rc;
        }
    }
    if (rc == RC_OK && to->fn != NULL) {
        peer_settle(&words, &s);
        to->fn(to->context, &s);
    }
    return rc;
}

/* Resource { repeated KeyValue attributes = 1 } */
static NODISCARD enum rc resource(struct in in, struct str *ret_service)
{
    struct field f;
    enum rc rc;
    while (next_field(&in, &f, &rc)) {
        struct str key;
        struct str text;
        if (!is_bytes(&f, 1)) {
            continue;
        }
        rc = key_value(f.bytes, &key, &text);
        if (rc != RC_OK) {
            return rc;
        }
        *ret_service = str_eq(key, STR("service.name")) ? text : *ret_service;
    }
    return rc;
}

/* ScopeSpans { repeated Span spans = 2 } */
static NODISCARD enum rc scope_spans(struct in in, struct str service, const struct told *to)
{
    struct field f;
    enum rc rc;
    while (next_field(&in, &f, &rc)) {
        rc = is_bytes(&f, 2) ? span(f.bytes, service, to) : RC_OK;
        if (rc != RC_OK) {
            return rc;
        }
    }
    return rc;
}

/* ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2 }: the resource may come last. */
static NODISCARD enum rc resource_spans(struct in in, const struct told *to)
{
    struct in again = in;
    struct str service = STR("");
    struct field f;
    enum rc rc;
    while (next_field(&in, &f, &rc)) {
        rc = is_bytes(&f, 1) ? resource(f.bytes, &service) : RC_OK;
        if (rc != RC_OK) {
            return rc;
        }
    }
    while (rc == RC_OK && next_field(&again, &f, &rc)) {
        rc = is_bytes(&f, 2) ? scope_spans(f.bytes, service, to) : RC_OK;
    }
    return rc;
}

enum rc otlp_read_protobuf(struct str message, otlp_span_fn fn, void *context, struct err *e)
{
    const unsigned char *start = (const unsigned char *)message.ptr;
    struct in in = {start, start + message.len, start, e};
    const struct told to = {fn, context};
    struct field f;
    enum rc rc;
    if (message.len == 0) {
        return RC_OK;
    }
    while (next_field(&in, &f, &rc)) {
        rc = is_bytes(&f, 1) ? resource_spans(f.bytes, &to) : RC_OK;
        if (rc != RC_OK) {
            return rc;
        }
    }
    return rc;
}
