/*
 * otlp - spans as OpenTelemetry exporters send them: what the graph needs of each, out of either encoding.
 *
 * The readers walk the whole message, call back for every span and keep nothing. Unknown fields and attributes are passed
 * over. A message that is cut or malformed is refused as a whole by protobuf's rules, but the spans before the fault were
 * told already: read it once with a null callback where that matters. Pure.
 * Source: opentelemetry-proto, trace/v1 and collector/trace/v1; semantic conventions for db, messaging, rpc, server.
 */
#ifndef OTLP_OTLP_H
#define OTLP_OTLP_H

#include "base/arena.h"
#include "graph/graph.h"

#include <stdint.h>

enum {
    OTLP_DEPTH_MAX = 16,           /* messages inside each other */
    OTLP_INFLATED_MAX = 64 << 20,  /* bytes of a compressed body, unpacked */
};

enum otlp_kind { OTLP_UNSPECIFIED = 0, OTLP_INTERNAL, OTLP_SERVER, OTLP_CLIENT, OTLP_PRODUCER, OTLP_CONSUMER, OTLP_KIND_COUNT };

struct otlp_span {
    struct str service;  /* service.name; "" when the resource does not say it */
    struct str name;
    uint64_t trace;      /* the last eight bytes */
    uint64_t id;
    uint64_t parent;     /* 0: none */
    enum otlp_kind kind;
    uint64_t start_ns;
    uint64_t end_ns;
    bool error;
    struct str peer;     /* what it calls, as its attributes say it; "" when they don't */
    enum node_kind peer_kind; /* service, datastore or queue */
};

/* Borrows: the message's bytes, for the call. */
typedef void (*otlp_span_fn)(void *context, const struct otlp_span *span);

/* An ExportTraceServiceRequest. fn may be null. Errors: RC_INVALID naming the byte. */
NODISCARD enum rc otlp_read_protobuf(struct str message, otlp_span_fn fn, void *context, struct err *e);
struct value;
/* The same in OTLP/JSON. Errors: RC_INVALID naming the place. */
NODISCARD enum rc otlp_read_json(const struct value *message, otlp_span_fn fn, void *context, struct err *e);

/* gzip. Gives: text in a. Errors: RC_INVALID; RC_LIMIT beyond max_bytes. */
NODISCARD enum rc otlp_inflate(struct arena *a, struct str packed, size_t max_bytes, struct str *ret, struct err *e);

#endif
