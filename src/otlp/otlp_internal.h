/*
 * otlp/otlp_internal - what attributes say of the other end, for both readers.
 */
#ifndef OTLP_OTLP_INTERNAL_H
#define OTLP_OTLP_INTERNAL_H

#include "otlp/otlp.h"

/* Attributes that name the other end; the newest names and those before them. */
enum peer_key {
    PEER_SERVICE = 0,
    PEER_DB_SYSTEM,
    PEER_DB_NAME,
    PEER_QUEUE_SYSTEM,
    PEER_QUEUE_NAME,
    PEER_ADDRESS,
    PEER_RPC_SERVICE,
    PEER_KEYS,
};

struct peer_words {
    struct str said[PEER_KEYS];
};

/* PEER_KEYS: it is none of them. */
enum peer_key peer_key_of(struct str attribute);
/* Sets span's peer and its kind. */
void peer_settle(const struct peer_words *w, struct otlp_span *span);

#endif
