/*
 * graph/graph_internal - how the graph is kept, for the files of this folder only.
 *
 * Every edge version is a row of `versions`, in order of its making, and stands twice in lists of arcs: at the node it
 * hurts and at the node that hurts. The lists of the present hold arcs of 8 bytes and nothing else, those of the past
 * all versions with their intervals. A list is a run in a pool, so a walk over it is one sweep of memory.
 */
#ifndef GRAPH_GRAPH_INTERNAL_H
#define GRAPH_GRAPH_INTERNAL_H

#include "graph/graph.h"
#include "graph/runs.h"

#include "base/must.h"

#define FOREVER_MS INT64_MAX
#define FOREVER_MOMENT UINT32_MAX
#define BP_NONE 0U /* not claimed */
#define BP_UNMEASURED UINT16_MAX /* claimed without an effect */

/* What is said of a node in one interval. */
struct node_version {
    int64_t from_ms;
    int64_t until_ms;
    char *attributes; /* canonical JSON; null for nothing. Owned */
    uint32_t length;
    uint32_t node;
    uint32_t older; /* of the same node; MAP_NONE */
    uint16_t source;
};

struct node {
    struct str key; /* "kind:name", in the graph's arena */
    enum node_kind kind;
    uint32_t newest; /* version */
};

struct version {
    uint32_t from;
    uint32_t to;
    uint32_t bits; /* as in struct arc */
    uint16_t source;
    int64_t from_ms;
    int64_t until_ms;
    uint32_t place[2]; /* in the past lists of its two ends, by flow */
};

/* An edge that is in force, and what it rests on. */
struct edge {
    uint32_t version; /* MAP_NONE: over; the row waits for the heap */
    uint16_t bp[CLAIM_COUNT];
    uint16_t source[CLAIM_COUNT];
    bool in_heap;
    int64_t expires_ms; /* of the observation */
};

struct expiry {
    int64_t at_ms;
    uint64_t key; /* of the edge: ties end in one order */
    uint32_t edge;
};

struct graph {
    int64_t now_ms;
    int64_t forgotten_ms;
    int64_t *moments; /* when edges changed, in order; the first is before all */
    uint32_t moment_count;
    uint32_t moment_capacity;

    struct arena *text; /* keys and sources */
    struct node *nodes;
    uint32_t node_count;
    uint32_t node_capacity;
    struct strmap node_by_key;
    struct node_version *node_versions;
    uint32_t node_version_count;
    uint32_t node_version_capacity;

    struct version *versions;
    uint32_t version_count;
    uint32_t version_capacity;
    struct edge *edges;
    uint32_t edge_count; /* rows, those that are over included */
    uint32_t edge_capacity;
    uint32_t edge_free; /* linked by `version`; MAP_NONE */
    uint32_t live_count;
    struct idmap edge_by_key;
    struct expiry *heap;
    uint32_t heap_count;
    uint32_t heap_capacity;

    struct pool now_arcs;
    struct pool past_arcs;
    struct run *now_runs[2]; /* by flow, then node */
    struct run *past_runs[2];

    struct str *sources;
    uint32_t source_count;
    uint32_t source_capacity;
    struct strmap source_by_name;

    struct graph_change *changes; /* oldest first */
    char **change_texts;          /* owned; what each of them says */
    uint32_t change_count;
    uint32_t change_capacity;
    uint32_t change_text_capacity;
    int64_t changes_since_ms;
    uint32_t over_count; /* versions of edges and nodes that are over */
};

static inline enum rc graph_no_memory(struct err *e)
{
    return err_set(e, RC_NO_MEMORY, "out of memory");
}

/* Makes room for one more item of a table. */
NODISCARD enum rc graph_room(void *items, uint32_t count, uint32_t *capacity, size_t size, struct err *e);
/* The number of a source's name; 0 is "other". */
NODISCARD enum rc graph_source(struct graph *g, struct str name, uint16_t *ret, struct err *e);

/* The number of the moment at_ms, which is the newest or later than it. */
NODISCARD enum rc graph_moment(struct graph *g, int64_t at_ms, uint32_t *ret, struct err *e);
/* The newest moment that is not after at_ms. */
uint32_t graph_moment_at(const struct graph *g, int64_t at_ms);

/* nodes.c */
/* The version in force then, or null. */
const struct node_version *node_version_at(const struct graph *g, uint32_t node, int64_t at_ms);

/* For loading: a node of which nothing is said yet, and then its versions, oldest first. */
NODISCARD enum rc node_restore(struct graph *g, enum node_kind kind, struct str name, struct err *e);
NODISCARD enum rc node_version_restore(struct graph *g, const struct node_version *v, struct str attributes,
                                       struct err *e);

/* edges.c */
static inline uint64_t edge_key(uint32_t from, uint32_t to, enum edge_kind kind)
{
    return (uint64_t)kind << 60 | (uint64_t)from << 30 | to;
}

static inline bool edge_is_over(const struct edge *x)
{
    return x->bp[CLAIM_DEFINED] == BP_NONE && x->bp[CLAIM_WRITTEN] == BP_NONE && x->bp[CLAIM_OBSERVED] == BP_NONE;
}

/* A row for the edge of a version in force, resting on the claims given. */
NODISCARD enum rc edge_restore(struct graph *g, uint32_t version, struct edge claims, struct err *e);
/* The observation of a row of the heap is over, or the row is nobody's any more. */
NODISCARD enum rc edge_expire(struct graph *g, uint32_t edge, int64_t at_ms, struct err *e);
/* What was written and observed of the node's edges ends at the graph's time. */
NODISCARD enum rc edges_end_at(struct graph *g, uint32_t node, struct err *e);
/* Puts a version into the lists, and the present's when it is in force: for loading. */
NODISCARD enum rc version_place(struct graph *g, uint32_t version, struct err *e);
/* All lists anew, from the versions. */
NODISCARD enum rc versions_place(struct graph *g, struct err *e);

/* expiry.c: the first stands at heap[0]. */
NODISCARD enum rc expiry_add(struct graph *g, uint32_t edge, struct err *e);
void expiry_drop(struct graph *g);
void expiry_delay(struct graph *g, int64_t at_ms);

/* forget.c: when what is over is too much, the older half goes. */
NODISCARD enum rc graph_forget(struct graph *g, struct err *e);

#endif
