/*
 * import/service_metrics - the graph of services that Tempo and OpenTelemetry's servicegraph connector count in metrics.
 *
 *     traces_service_graph_request_total{client="web",server="cart",connection_type=""} 1200
 *
 * Each pair is an edge: client calls server. How much of the server's harm the client takes is the share of the requests it
 * receives itself that go on to the server; it is left out where nobody was seen to call the client. connection_type
 * database makes the server a datastore. messaging_system: the client calls a queue, which is called as the server is,
 * and the server takes from it. virtual_node: an end that sends no spans of its own; as a client it is outside (a user),
 * so it is counted and is no node. Other metrics are passed over. Pure.
 */
#ifndef IMPORT_SERVICE_METRICS_H
#define IMPORT_SERVICE_METRICS_H

#include "import/found.h"

enum {
    SERVICE_METRICS_MAX = 1 << 18, /* samples of an import */
    SERVICE_LABELS_MAX = 64,       /* of a sample */
};

#define SERVICE_METRIC "traces_service_graph_request_total"

/*
 * The text exposition format, or the JSON that /api/v1/query answers with a vector. file: for places ("file:3").
 * Borrows: text, until f is done with. Errors: RC_INVALID with the place, RC_LIMIT, RC_NO_MEMORY; RC_UNAVAILABLE with
 * what Prometheus says of its own failure.
 */
NODISCARD enum rc import_service_metrics(struct str file, struct str text, struct found *f, struct err *e);
/* The same of JSON that was read. */
NODISCARD enum rc import_service_query(struct str file, const struct value *answer, struct found *f, struct err *e);

#endif
