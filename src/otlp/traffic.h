/*
 * otlp/traffic - spans become calls between services: who called whom, how often, how long, with what failures.
 *
 * Spans of one call come from two processes at two times. They wait in two batches: when the newer one is closed
 * (traffic_turn), those of the older have met whoever they belong to, and are counted. A server's span is a call by the
 * service of its parent ("client" when that is not known); a client's span that no server answered for is a call of the
 * peer that its attributes name. A service's own time is its span's without the calls it made. Producers and consumers call
 * the queue, not each other. How much of a callee's harm a caller takes is the share of its requests that call it, in steps,
 * so that what hardly changes is not written down anew. Pure; memory is bounded by the names below.
 */
#ifndef OTLP_TRAFFIC_H
#define OTLP_TRAFFIC_H

#include "model/graph_writing.h"
#include "otlp/otlp.h"

enum {
    TRAFFIC_BATCH_MAX = 1 << 18, /* spans that wait; more close the batch early */
    TRAFFIC_NAMES_MAX = 1 << 16, /* services, peers and operations; more are "other" until they are forgotten */
    TRAFFIC_OPERATION_MAX = 255, /* bytes; longer ones are cut */
    TRAFFIC_CLIMB_MAX = 64,      /* spans of one service inside each other */
};

struct traffic;

struct traffic *traffic_new(uint64_t hash_seed);
void traffic_free(struct traffic *t);
DEFINE_CLEANUP(traffic)

/* context: a struct traffic. A span without an id, or of no named service, is only counted as dropped. */
void traffic_add(void *context, const struct otlp_span *span);
/* Closes the batch: every few seconds, longer than exporters keep spans back. */
void traffic_turn(struct traffic *t);

/*
 * What was counted since the last time; its span of time and its source are the caller's to say. Gives: lists in a; names
 * are borrowed until the next call of any function here. Errors: RC_LIMIT, RC_NO_MEMORY (the arena); nothing is lost then.
 */
NODISCARD enum rc traffic_take(struct traffic *t, struct arena *a, struct graph_observation *ret, struct err *e);

struct traffic_counts {
    uint64_t spans;
    uint64_t dropped; /* without id or service, or beyond memory */
    uint64_t calls;   /* counted */
};
struct traffic_counts traffic_counts(const struct traffic *t);

#endif
