/*
 * model/graph_writing - what somebody says about the graph: read strictly, asked whether it fits, then applied by the entry
 * that holds it.
 *
 *     {"source": "kubernetes",
 *      "nodes":   [{"node": "datastore:orders-db", "attributes": {...}, "gone": false}],
 *      "edges":   [{"from": "checkout", "to": "datastore:orders-db", "kind": "calls", "effect_pct": 40, "gone": false}],
 *      "changes": [{"node": "config:orders-db/pool", "kind": "config", "what": "50 -> 5", "at": "2026-11-21T10:00:00Z"}]}
 *
 * A node is "kind:name"; a name alone is a service. Nodes of edges and changes are there from then on. Pure.
 */
#ifndef MODEL_GRAPH_WRITING_H
#define MODEL_GRAPH_WRITING_H

#include "graph/graph.h"
#include "value/value.h"

enum {
    GRAPH_WRITING_MAX = 10000, /* nodes, edges and changes of one writing, together */
    GRAPH_ROWS_MAX = 10000,    /* of one observation */
};

struct node_key {
    enum node_kind kind;
    struct str name;
};

struct node_writing {
    struct node_key key;
    struct str attributes; /* canonical JSON; null pointer: nothing is said of them */
    bool gone;
};

struct edge_writing {
    struct node_key from;
    struct node_key to;
    enum edge_kind kind;
    uint32_t effect_bp; /* 0: not said */
    bool gone;
};

struct change_writing {
    struct node_key key;
    enum node_kind kind;
    struct str what;
    int64_t at_ms; /* 0: when it was said */
};

struct graph_writing {
    struct str source;
    struct node_writing *nodes;
    uint32_t node_count;
    struct edge_writing *edges;
    uint32_t edge_count;
    struct change_writing *changes;
    uint32_t change_count;
};

/* Reads "kind:name" or a service's name. False: not a node's. */
NODISCARD bool node_key_read(struct str text, struct node_key *ret);

/* Errors: RC_INVALID and RC_LIMIT with the place. Keeps: v's strings. */
NODISCARD enum rc graph_writing_read(struct arena *a, const struct value *v, struct graph_writing *ret, struct err *e);
/* Errors: RC_LIMIT when the graph could not hold it; RC_INVALID for a change later than now_ms. */
NODISCARD enum rc graph_writing_check(const struct graph *g, const struct graph_writing *w, int64_t now_ms, struct err *e);
/* At the graph's time, by the entry seq. */
NODISCARD enum rc graph_writing_apply(struct graph *g, const struct graph_writing *w, uint64_t seq, struct err *e);

/*
 * What traffic showed in a span of time: calls by caller, callee and operation.
 *
 *     {"source": "otlp", "from": "2026-11-21T10:00:00Z", "to": "2026-11-21T10:01:00Z", "until": "2026-11-22T10:01:00Z",
 *      "effects": [["service:shop", "datastore:orders", 4000], ...],
 *      "traffic": {"calls": [["client", "service:shop", "GET /", 120, 2, 1200000, 300000, 0, 240], ...]}}
 *
 * effects: caller, callee, how much of the callee's harm the caller takes in basis points (0: not known). calls: caller
 * ("client" when it is not known), callee, operation, n, errors, and sums over the n in microseconds: duration, own time,
 * time on the way; and calls made on behalf of them. Calls may lie beside the entry; the graph needs only the effects.
 */
struct call_row {
    struct str caller;
    struct str callee;
    struct str operation;
    int64_t n;
    int64_t errors;
    int64_t total_us;
    int64_t self_us;
    int64_t net_us;
    int64_t children;
};

struct effect_row {
    struct node_key caller;
    struct node_key callee;
    uint32_t effect_bp;
};

struct graph_observation {
    struct str source;
    int64_t from_ms;
    int64_t to_ms;
    int64_t until_ms; /* when what was seen ages out */
    struct effect_row *effects;
    uint32_t effect_count;
    struct call_row *calls;
    uint32_t call_count;
};

NODISCARD enum rc graph_observation_read(struct arena *a, const struct value *v, struct graph_observation *ret,
                                         struct err *e);
struct value graph_observation_write(struct arena *a, const struct graph_observation *o);
NODISCARD enum rc graph_observation_check(const struct graph *g, const struct graph_observation *o, struct err *e);
NODISCARD enum rc graph_observation_apply(struct graph *g, const struct graph_observation *o, struct err *e);

#endif
