/*
 * otlp/peer - the other end of a call, from the attributes of the span that made it.
 */
#include "otlp/otlp_internal.h"

#include <string.h>

static const struct {
    struct str name;
    enum peer_key key;
} keys[] = {
#define KEY(text, key) {{"" text, sizeof(text) - 1}, (key)}
    KEY("peer.service", PEER_SERVICE),
    KEY("db.system", PEER_DB_SYSTEM),
    KEY("db.system.name", PEER_DB_SYSTEM),
    KEY("db.name", PEER_DB_NAME),
    KEY("db.namespace", PEER_DB_NAME),
    KEY("messaging.system", PEER_QUEUE_SYSTEM),
    KEY("messaging.destination", PEER_QUEUE_NAME),
    KEY("messaging.destination.name", PEER_QUEUE_NAME),
    KEY("server.address", PEER_ADDRESS),
    KEY("net.peer.name", PEER_ADDRESS),
    KEY("rpc.service", PEER_RPC_SERVICE),
#undef KEY
};

enum peer_key peer_key_of(struct str attribute)
{
    /* Most attributes are none of these: their first letter tells. */
    if (attribute.len < 7 || strchr("pdmsnr", attribute.ptr[0]) == NULL) {
        return PEER_KEYS;
    }
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (str_eq(attribute, keys[i].name)) {
            return keys[i].key;
        }
    }
    return PEER_KEYS;
}

static struct str first_of(const struct peer_words *w, const enum peer_key *order, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (w->said[order[i]].len > 0) {
            return w->said[order[i]];
        }
    }
    return STR("");
}

void peer_settle(const struct peer_words *w, struct otlp_span *span)
{
    static const enum peer_key of_queue[] = {PEER_QUEUE_NAME, PEER_SERVICE, PEER_ADDRESS, PEER_QUEUE_SYSTEM};
    static const enum peer_key of_store[] = {PEER_SERVICE, PEER_DB_NAME, PEER_ADDRESS, PEER_DB_SYSTEM};
    static const enum peer_key of_service[] = {PEER_SERVICE, PEER_RPC_SERVICE, PEER_ADDRESS};
    if (w->said[PEER_QUEUE_SYSTEM].len > 0) {
        span->peer_kind = NODE_QUEUE;
        span->peer = first_of(w, of_queue, 4);
    } else if (w->said[PEER_DB_SYSTEM].len > 0) {
        span->peer_kind = NODE_DATASTORE;
        span->peer = first_of(w, of_store, 4);
    } else {
        span->peer_kind = NODE_SERVICE;
        span->peer = first_of(w, of_service, 3);
    }
    span->peer = str_slice(span->peer, 0, GRAPH_NAME_MAX);
}
