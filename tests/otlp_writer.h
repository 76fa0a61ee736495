/*
 * tests/otlp_writer - OTLP messages written by hand, in both encodings, for tests, fuzz seeds and benchmarks.
 */
#ifndef TESTS_OTLP_WRITER_H
#define TESTS_OTLP_WRITER_H

#include "base/buf.h"

#include <stdint.h>
#include <string.h>

enum { MADE_ATTRIBUTES = 10 };

struct made_span {
    const char *service;
    const char *name;
    uint64_t trace;
    uint64_t id;
    uint64_t parent;
    unsigned kind;
    uint64_t start_us;
    uint64_t took_us;
    bool error;
    const char *attribute[MADE_ATTRIBUTES][2]; /* key, text; null: none */
};

static inline void put_varint(struct buf *b, uint64_t n)
{
    while (n >= 0x80) {
        buf_char(b, (char)(n | 0x80));
        n >>= 7;
    }
    buf_char(b, (char)n);
}

static inline void put_bytes(struct buf *b, unsigned field, struct str s)
{
    put_varint(b, field << 3 | 2);
    put_varint(b, s.len);
    buf_str(b, s);
}

static inline void put_fixed(struct buf *b, unsigned field, uint64_t n)
{
    put_varint(b, field << 3 | 1);
    buf_put(b, &n, sizeof n);
}

static inline void put_attribute(struct buf *b, unsigned field, const char *key, const char *text)
{
    struct buf kv;
    struct buf value;
    buf_init(&kv, 4096);
    buf_init(&value, 4096);
    put_bytes(&value, 1, str_from(text));
    put_bytes(&kv, 1, str_from(key));
    put_bytes(&kv, 2, buf_view(&value));
    put_bytes(b, field, buf_view(&kv));
    buf_done(&kv);
    buf_done(&value);
}

static inline void put_span(struct buf *out, const struct made_span *s)
{
    struct buf b;
    uint64_t trace[2] = {7, s->trace};
    buf_init(&b, 65536);
    put_bytes(&b, 1, (struct str){(const char *)trace, 16});
    put_bytes(&b, 2, (struct str){(const char *)&s->id, 8});
    if (s->parent != 0) {
        put_bytes(&b, 4, (struct str){(const char *)&s->parent, 8});
    }
    put_bytes(&b, 5, str_from(s->name));
    put_varint(&b, 6 << 3);
    put_varint(&b, s->kind);
    put_fixed(&b, 7, s->start_us * 1000);
    put_fixed(&b, 8, (s->start_us + s->took_us) * 1000);
    for (int i = 0; i < MADE_ATTRIBUTES && s->attribute[i][0] != NULL; i++) {
        put_attribute(&b, 9, s->attribute[i][0], s->attribute[i][1]);
    }
    if (s->error) {
        put_bytes(&b, 15, (struct str){"\x18\x02", 2});
    }
    put_bytes(out, 2, buf_view(&b));
    buf_done(&b);
}

/* How many of the spans are of the first's service: they have one resource. */
static inline size_t of_one_service(const struct made_span *spans, size_t count)
{
    size_t n = 1;
    while (n < count && strcmp(spans[n].service, spans[0].service) == 0) {
        n++;
    }
    return n;
}

/* One message; a resource for spans of one service that follow each other. */
static inline void put_message(struct buf *out, const struct made_span *spans, size_t count)
{
    for (size_t i = 0; i < count;) {
        struct buf resource;
        struct buf scope;
        struct buf whole;
        buf_init(&resource, 65536);
        buf_init(&scope, 16 << 20);
        buf_init(&whole, 16 << 20);
        put_attribute(&resource, 1, "service.name", spans[i].service);
        for (size_t left = of_one_service(spans + i, count - i); left > 0; left--) {
            put_span(&scope, &spans[i++]);
        }
        put_bytes(&whole, 1, buf_view(&resource));
        put_bytes(&whole, 2, buf_view(&scope));
        put_bytes(out, 1, buf_view(&whole));
        buf_done(&resource);
        buf_done(&scope);
        buf_done(&whole);
    }
}

static inline void put_hex(struct buf *out, uint64_t n)
{
    unsigned char bytes[8];
    memcpy(bytes, &n, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++) {
        buf_printf(out, "%02x", bytes[i]);
    }
}

static inline void put_json_span(struct buf *out, const struct made_span *s)
{
    buf_str(out, STR("{\"traceId\":\"0700000000000000"));
    put_hex(out, s->trace);
    buf_str(out, STR("\",\"spanId\":\""));
    put_hex(out, s->id);
    if (s->parent != 0) {
        buf_str(out, STR("\",\"parentSpanId\":\""));
        put_hex(out, s->parent);
    }
    buf_printf(out, "\",\"name\":\"%s\",\"kind\":%u,\"startTimeUnixNano\":\"%llu\",\"endTimeUnixNano\":\"%llu\",\"attributes\":[",
               s->name, s->kind, (unsigned long long)s->start_us * 1000, (unsigned long long)(s->start_us + s->took_us) * 1000);
    for (int i = 0; i < MADE_ATTRIBUTES && s->attribute[i][0] != NULL; i++) {
        buf_printf(out, "%s{\"key\":\"%s\",\"value\":{\"stringValue\":\"%s\"}}", i == 0 ? "" : ",", s->attribute[i][0],
                   s->attribute[i][1]);
    }
    buf_printf(out, "],\"status\":{%s}}", s->error ? "\"code\":2" : "");
}

static inline void put_json_message(struct buf *out, const struct made_span *spans, size_t count)
{
    buf_str(out, STR("{\"resourceSpans\":["));
    for (size_t i = 0; i < count;) {
        buf_printf(out, "%s{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{\"stringValue\":\"%s\"}}]},"
                        "\"scopeSpans\":[{\"scope\":{\"name\":\"x\"},\"spans\":[", i == 0 ? "" : ",", spans[i].service);
        size_t of_one = of_one_service(spans + i, count - i);
        for (size_t k = 0; k < of_one; k++) {
            buf_str(out, k == 0 ? STR("") : STR(","));
            put_json_span(out, &spans[i++]);
        }
        buf_str(out, STR("]}]}"));
    }
    buf_str(out, STR("]}"));
}

#endif
