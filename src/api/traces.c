/*
 * api/traces - spans from OpenTelemetry exporters: counted as calls, and written to the graph once a period.
 *
 * The answer does not wait for the disk: what was counted since the last period is lost with the process, and a period of
 * traffic is all that can be. Failures are answered in the words of OTLP, so that exporters know what to send again.
 * Source: OTLP/HTTP 1.x.
 */
#include "api/call.h"

#include "base/instant.h"
#include "otlp/traffic.h"
#include "sys/random.h"
#include "value/json.h"

#define TURNS_OF_PERIOD 6 /* batches of a period: a call's two ends may be two batches apart */

struct taking {
    struct call *call;
    struct traffic *traffic;
    uint64_t taken;
    uint64_t rejected;
    struct str service; /* the last, and whether this source may write it */
    bool may;
};

static void take_span(void *context, const struct otlp_span *span)
{
    struct taking *t = context;
    bool same = span->service.ptr == t->service.ptr && span->service.len == t->service.len;
    if (!same || t->taken + t->rejected == 0) {
        t->service = span->service;
        t->may = call_may_write_service(t->call, span->service);
    }
    if (t->may) {
        traffic_add(t->traffic, span);
        t->taken++;
    } else {
        t->rejected++;
    }
}

/* --- answers ------------------------------------------------------------------------------------------------------- */

static void put_varint(struct buf *b, uint64_t n)
{
    while (n >= 0x80) {
        buf_char(b, (char)((n & 0x7f) | 0x80));
        n >>= 7;
    }
    buf_char(b, (char)n);
}

/* ExportTraceServiceResponse { PartialSuccess partial_success = 1 { int64 rejected_spans = 1; string error_message = 2 } } */
static struct str protobuf_answer(struct arena *a, uint64_t rejected, struct str why)
{
    if (rejected == 0) {
        return STR("");
    }
    struct buf inner;
    struct buf out;
    buf_init(&inner, 4096);
    buf_init(&out, 4096);
    put_varint(&inner, 1 << 3);
    put_varint(&inner, rejected);
    put_varint(&inner, 2 << 3 | 2);
    put_varint(&inner, why.len);
    buf_str(&inner, why);
    put_varint(&out, 1 << 3 | 2);
    put_varint(&out, inner.len);
    buf_str(&out, buf_view(&inner));
    struct str text = arena_str(a, buf_view(&out));
    buf_done(&inner);
    buf_done(&out);
    return text;
}

static enum rc answer(struct call *c, const struct taking *t, bool protobuf)
{
    struct arena *a = c->arena;
    struct str why = STR("this source may not write these services");
    if (protobuf) {
        return call_text(c, 200, "application/x-protobuf", protobuf_answer(a, t->rejected, why));
    }
    struct value v = value_object();
    if (t->rejected > 0) {
        struct value partial = value_object();
        value_add_str(a, &partial, STR("rejectedSpans"), arena_printf(a, "%llu", (unsigned long long)t->rejected));
        value_add_str(a, &partial, STR("errorMessage"), why);
        value_add(a, &v, STR("partialSuccess"), partial);
    }
    struct buf out;
    buf_init(&out, 4096);
    json_write(&out, &v);
    struct str text = arena_str(a, buf_view(&out));
    buf_done(&out);
    return call_text(c, 200, "application/json", text);
}

/* --- the request ------------------------------------------------------------------------------------------------------ */

static enum rc unpacked(struct call *c, struct str *ret, struct err *e)
{
    struct str encoding = http_header(c->x, "Content-Encoding");
    *ret = c->request->body;
    if (encoding.len == 0 || str_eq(encoding, STR("identity"))) {
        return RC_OK;
    }
    if (!str_eq(encoding, STR("gzip"))) {
        return err_set(e, RC_INVALID, "expected Content-Encoding: gzip, or none");
    }
    enum rc rc = otlp_inflate(c->arena, c->request->body, OTLP_INFLATED_MAX, ret, e);
    /* Not to be sent again: it would be as large. */
    return rc == RC_LIMIT ? RC_INVALID : rc;
}

/* The whole message is read twice: the first time for what is wrong with it, so that nothing is half taken. */
static enum rc read_message(struct call *c, struct str text, bool protobuf, otlp_span_fn fn, void *context, struct err *e)
{
    if (protobuf) {
        enum rc rc = otlp_read_protobuf(text, NULL, NULL, e);
        return rc == RC_OK ? otlp_read_protobuf(text, fn, context, e) : rc;
    }
    struct value v;
    enum rc rc = json_parse(c->arena, text, &v, e);
    rc = rc == RC_OK ? otlp_read_json(&v, NULL, NULL, e) : rc;
    return rc == RC_OK ? otlp_read_json(&v, fn, context, e) : rc;
}

enum rc traces_post(struct call *c, struct err *e)
{
    bool protobuf = call_is_type(c->x, "application/x-protobuf");
    if (!protobuf && !call_is_type(c->x, "application/json")) {
        return err_set(e, RC_INVALID, "expected Content-Type: application/x-protobuf or application/json");
    }
    struct str text;
    enum rc rc = unpacked(c, &text, e);
    struct api *api = c->api;
    if (rc == RC_OK && api->traffic == NULL) {
        /* Ids of spans are others' to choose: their places must not be. */
        uint64_t seed;
        random_bytes(&seed, sizeof seed);
        api->traffic = traffic_new(seed);
        api->traffic_from_ms = control_now(c->control);
        api->traffic_turn_ms = api->traffic_from_ms;
        rc = api->traffic == NULL ? err_set(e, RC_NO_MEMORY, "out of memory") : RC_OK;
    }
    struct taking t = {.call = c, .traffic = api->traffic};
    rc = rc == RC_OK ? read_message(c, text, protobuf, take_span, &t, e) : rc;
    return rc == RC_OK ? answer(c, &t, protobuf) : rc;
}

/* --- once a period ------------------------------------------------------------------------------------------------------ */

static void flush(struct api *api)
{
    CLEANUP(arena) struct arena *a = arena_new(64 << 20);
    if (api->traffic == NULL || a == NULL) {
        return;
    }
    int64_t now = control_now(api->control);
    struct graph_observation o = {.source = STR("otlp"),
                                  .from_ms = api->traffic_from_ms,
                                  .to_ms = now,
                                  .until_ms = now + api->options.observed_for_ms};
    enum rc rc = traffic_take(api->traffic, a, &o, NULL);
    if (rc == RC_OK) {
        api->traffic_from_ms = now;
        rc = o.call_count == 0 ? RC_OK : control_graph_observe(api->control, a, &o, NULL);
    }
    api->traffic_refused += rc == RC_OK ? 0 : 1;
}

void api_traffic_beat(struct api *api)
{
    int64_t now = control_now(api->control);
    int64_t period = api->options.traffic_period_ms;
    if (api->traffic == NULL) {
        return;
    }
    if (now - api->traffic_turn_ms >= period / TURNS_OF_PERIOD) {
        traffic_turn(api->traffic);
        api->traffic_turn_ms = now;
    }
    if (now - api->traffic_from_ms >= period) {
        flush(api);
    }
}

void api_traffic_end(struct api *api)
{
    if (api->traffic != NULL) {
        traffic_turn(api->traffic);
        traffic_turn(api->traffic);
        flush(api);
    }
}
