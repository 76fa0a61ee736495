/*
 * graph/graph - what production is made of and how harm travels in it, at any moment.
 *
 * Nodes and edges are typed; each holds for an interval of time, with a confidence and a source. The graph is a fold:
 * changes come in order of time (graph_advance), and nothing that was is rewritten. A view at an instant is the graph as
 * it was then, to the edge; it copies nothing. A view of the present is walked over arrays of their own, so history costs
 * it nothing.
 *
 * An edge between two nodes has one version at a time, which follows from the claims that it rests on. A declaration
 * holds until it is taken back; an observation ages out when nobody repeats it. Both together are `confirmed`. Aging counts by the time of the newest change (deadlines by
 * entry time), so a view later than that sees what was then.
 *
 * Harm flows along an edge in one direction: against `calls` and `depends_on` (the caller is hurt by what it calls), with
 * `deploys`, `configures` and `part_of`. Arcs are kept by that direction: harms and harmed_by. Pure.
 *
 * Threads: none; a view is good until the next change.
 */
#ifndef GRAPH_GRAPH_H
#define GRAPH_GRAPH_H

#include "base/arena.h"
#include "base/map.h"

#include <stdint.h>

enum {
    GRAPH_NODES_MAX = 1 << 20,
    GRAPH_EDGES_MAX = 1 << 21,    /* in force at one time */
    GRAPH_PAST_MAX = 1 << 21,     /* versions that are over; beyond it the older half is forgotten */
    GRAPH_CHANGES_MAX = 1 << 15,  /* changes of nodes; as those */
    GRAPH_NAME_MAX = 255,         /* bytes */
    GRAPH_SOURCE_MAX = 63,        /* bytes */
    GRAPH_SOURCES_MAX = 4096,     /* different ones; more are told as "other" */
    GRAPH_ATTRIBUTES_MAX = 16384, /* bytes, canonical JSON, of one node */
    GRAPH_DETAIL_MAX = 1024,      /* bytes, of a change */
    WHOLE_BP = 10000,             /* one, in basis points */
};

enum node_kind {
    NODE_SERVICE = 0, NODE_DATASTORE, NODE_QUEUE, NODE_FUNCTION, NODE_GATEWAY, NODE_CONFIG, NODE_DEPLOY, NODE_ARTIFACT,
    NODE_AGENT, NODE_ACTION, NODE_POLICY, NODE_INCIDENT, NODE_TEAM, NODE_KIND_COUNT,
};

enum edge_kind {
    EDGE_CALLS = 0, EDGE_DEPENDS_ON, EDGE_DEPLOYS, EDGE_CONFIGURES, EDGE_TOUCHES, EDGE_CAUSED, EDGE_RESOLVED_BY, EDGE_OWNS,
    EDGE_PART_OF, EDGE_KIND_COUNT,
};

/* What an edge rests on, in the order in which their effects count. Written and defined ones are declarations. */
enum claim_kind {
    CLAIM_DEFINED = 0, /* by a definition: of a policy, or registered */
    CLAIM_WRITTEN,     /* by somebody who may write to the graph */
    CLAIM_OBSERVED,    /* in traffic; ages out */
    CLAIM_COUNT,
};

enum confidence { CONFIDENCE_OBSERVED = 0, CONFIDENCE_DECLARED, CONFIDENCE_CONFIRMED, CONFIDENCE_COUNT };

/* "service", "calls", "declared", ... */
const char *node_kind_name(enum node_kind k);
const char *edge_kind_name(enum edge_kind k);
const char *confidence_name(enum confidence c);
NODISCARD bool node_kind_parse(struct str name, enum node_kind *ret);
NODISCARD bool edge_kind_parse(struct str name, enum edge_kind *ret);
/* Is harm passed on by such an edge? */
static inline bool edge_kind_carries(enum edge_kind k)
{
    const unsigned carrying = 1U << EDGE_CALLS | 1U << EDGE_DEPENDS_ON | 1U << EDGE_DEPLOYS | 1U << EDGE_CONFIGURES |
                              1U << EDGE_PART_OF;
    return (carrying >> (unsigned)k & 1U) != 0;
}
/* Harm flows from its `from` to its `to` (deploys, configures, part_of); else the other way, or not at all. */
bool edge_kind_flows_forward(enum edge_kind k);

struct graph;

/* hash_seed must not change anything but speed. Null when out of memory. */
struct graph *graph_new(uint64_t hash_seed);
void graph_free(struct graph *g);
DEFINE_CLEANUP(graph)

/* --- changing it ------------------------------------------------------------------------------- */

/*
 * The time of what follows: not before what came before. Observations that nobody repeated end here, at their instant.
 * Errors: RC_NO_MEMORY. After it, and after a failure of any function below with RC_NO_MEMORY, the graph is not to be used.
 */
NODISCARD enum rc graph_advance(struct graph *g, int64_t now_ms, struct err *e);

/* The node's index, for good. It is there from now when it was not there. Errors: RC_INVALID (the name), RC_LIMIT. */
NODISCARD enum rc graph_node(struct graph *g, enum node_kind kind, struct str name, uint32_t *ret, struct err *e);
/* What is said of it from now on: a canonical JSON object, "" for nothing. Errors: RC_LIMIT. */
NODISCARD enum rc graph_describe(struct graph *g, uint32_t node, struct str attributes, struct str source, struct err *e);
/* What was written and observed of its edges ends now, and it itself unless a definition holds an edge. It may come again. */
NODISCARD enum rc graph_end_node(struct graph *g, uint32_t node, struct err *e);

struct edge_claim {
    uint32_t from;
    uint32_t to;
    enum edge_kind kind;
    enum claim_kind claim;
    uint32_t effect_bp; /* 1 to WHOLE_BP: how much of the harm to the one the other takes; 0: not known, so all of it */
    int64_t until_ms;   /* of an observation */
    struct str source;
};

/*
 * Adds what is claimed to the edge between the two, or makes it; a claim of the same sort before it is replaced. The
 * effect is that of the first claim, in their order, that names one. Errors: RC_LIMIT (GRAPH_EDGES_MAX).
 */
NODISCARD enum rc graph_link(struct graph *g, const struct edge_claim *c, struct err *e);
/* Takes a claim back, now; what others claimed stays. No such claim is fine. */
NODISCARD enum rc graph_unlink(struct graph *g, uint32_t from, uint32_t to, enum edge_kind kind, enum claim_kind claim,
                               struct err *e);

/* Something about a node changed, now: a deploy of a service, a new value of a config. */
struct graph_change {
    int64_t at_ms; /* given by the caller when it was earlier than now; kept in order of this */
    uint32_t node;
    enum node_kind kind; /* NODE_DEPLOY, NODE_CONFIG, NODE_ARTIFACT, NODE_ACTION, NODE_POLICY */
    uint64_t seq;        /* of the entry that says so */
    struct str what;     /* up to GRAPH_DETAIL_MAX bytes, a name or a few words; kept as a copy */
};
NODISCARD enum rc graph_changed(struct graph *g, const struct graph_change *c, struct err *e);

/* --- reading it -------------------------------------------------------------------------------- */

uint32_t graph_find(const struct graph *g, enum node_kind kind, struct str name); /* MAP_NONE */
/* Reads "kind:name", or a name alone for a service. MAP_NONE. */
uint32_t graph_find_key(const struct graph *g, struct str key);
uint32_t graph_node_count(const struct graph *g); /* that ever were */
enum node_kind graph_kind(const struct graph *g, uint32_t node);
struct str graph_name(const struct graph *g, uint32_t node);
struct str graph_key(const struct graph *g, uint32_t node); /* "kind:name" */
int64_t graph_now(const struct graph *g);
/* A view before this would not be whole: it was forgotten. */
int64_t graph_forgotten(const struct graph *g);
uint32_t graph_edge_count(const struct graph *g);    /* in force now */
uint32_t graph_version_count(const struct graph *g); /* all that are kept */
/* Asked before anything is written down: RC_LIMIT when so many nodes and edges more could be too many. */
NODISCARD enum rc graph_has_room(const struct graph *g, uint64_t nodes, uint64_t edges, struct err *e);

struct graph_view {
    const struct graph *graph;
    int64_t at_ms;
    uint32_t moment; /* the newest by then */
    bool present;
};

/* Errors: RC_GONE when that time was forgotten. */
NODISCARD enum rc graph_view_at(const struct graph *g, int64_t at_ms, struct graph_view *ret, struct err *e);
struct graph_view graph_view_now(const struct graph *g);

/* An edge as seen from one of its ends. */
struct arc {
    uint32_t other;
    uint32_t bits; /* see arc_kind, arc_effect_bp, arc_confidence */
};

static inline enum edge_kind arc_kind(struct arc a)
{
    return (enum edge_kind)(a.bits & 15U);
}

static inline enum confidence arc_confidence(struct arc a)
{
    return (enum confidence)(a.bits >> 4 & 3U);
}

/* 1 to WHOLE_BP. */
static inline uint32_t arc_effect_bp(struct arc a)
{
    return a.bits >> 8;
}

/* How much an edge's own measurement is worth: it was neither declared with an effect nor observed. */
static inline bool arc_effect_is_assumed(struct arc a)
{
    return (a.bits >> 6 & 1U) != 0;
}

enum flow {
    FLOW_HARMS = 0, /* to those that this node hurts; also from -> to of the kinds that carry nothing */
    FLOW_HARMED_BY, /* to those that hurt it */
};

/* Moments at which something changed are numbered in their order: half the memory to walk over. */
struct past_arc {
    struct arc arc;
    uint32_t from;
    uint32_t until; /* UINT32_MAX: in force */
};

/* A walk over a node's arcs of one direction, in order of their making: begin, then next until false. */
struct arc_walk {
    const struct arc *now; /* the present */
    const struct past_arc *past;
    uint32_t left;
    uint32_t moment;
};

struct arc_walk graph_arcs(const struct graph_view *v, uint32_t node, enum flow flow);

static inline bool arc_next(struct arc_walk *w, struct arc *ret)
{
    if (w->now != NULL) {
        if (w->left == 0) {
            return false;
        }
        w->left--;
        *ret = *w->now++;
        return true;
    }
    while (w->left > 0) {
        w->left--;
        const struct past_arc *p = w->past++;
        if (p->from <= w->moment && w->moment < p->until) {
            *ret = p->arc;
            return true;
        }
    }
    return false;
}

/* Says that the node's arcs will be walked soon. */
void graph_fetch(const struct graph_view *v, uint32_t node, enum flow flow);

/* Was it there? */
bool graph_node_in_view(const struct graph_view *v, uint32_t node);
/* What was said of it then; "" for nothing. Borrows: until the next change. */
struct str graph_attributes(const struct graph_view *v, uint32_t node);

/* One version of an edge, whole. */
struct graph_edge {
    uint32_t from;
    uint32_t to;
    enum edge_kind kind;
    enum confidence confidence;
    uint32_t effect_bp;
    bool effect_assumed;
    int64_t from_ms;
    int64_t until_ms;   /* INT64_MAX: in force */
    struct str source;
};
/* The edge in force then between the two. */
NODISCARD bool graph_edge_at(const struct graph_view *v, uint32_t from, uint32_t to, enum edge_kind kind,
                             struct graph_edge *ret);

/* Changes in [from_ms, until_ms), oldest first: index of the first, and how many. Those of the view's time or before. */
uint32_t graph_changes(const struct graph_view *v, int64_t from_ms, int64_t until_ms, uint32_t *ret_first);
const struct graph_change *graph_change_at(const struct graph *g, uint32_t index);
/* Changes before this were forgotten. */
int64_t graph_changes_since(const struct graph *g);

/* Bytes held, by part: for `make bench` and metrics. */
struct graph_memory {
    size_t nodes;
    size_t edges;
    size_t changes;
};
struct graph_memory graph_memory(const struct graph *g);

/* --- the whole graph as records ------------------------------------------------------------------ */

struct value;
/* Gets one record, an object, in the arena, and may reset that. Non-zero ends the walk. */
typedef enum rc (*graph_record_fn)(void *context, const struct value *record, struct err *e);
NODISCARD enum rc graph_save(const struct graph *g, struct arena *a, graph_record_fn fn, void *context, struct err *e);
/* The names of its records ("r") start with this. */
#define GRAPH_RECORD "graph_"
/* Feed the records of graph_save in order to a new graph. Errors: RC_CORRUPT. */
NODISCARD enum rc graph_load_record(struct graph *g, const struct value *record, struct err *e);

#endif
