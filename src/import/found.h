/*
 * import/found - what a reader found out about production: nodes and edges, each once, as writings for POST /v1/graph.
 *
 * Readers add freely: what is no node (no name, a name that is too long), an edge with such an end and an edge of a node
 * to itself are passed over. A failure is sticky and told by found_writings(). Pure.
 */
#ifndef IMPORT_FOUND_H
#define IMPORT_FOUND_H

#include "model/graph_writing.h"

enum {
    FOUND_NODES_MAX = 1 << 17,
    FOUND_EDGES_MAX = 1 << 18,
    FOUND_TEXT_MAX = 256, /* bytes of an attribute that are kept */
    FOUND_WRITING_BYTES = 4 << 20, /* of JSON; a writing that has so many gets no more */
};

struct found_node {
    struct str key; /* "kind:name" */
    struct value attributes;
};

struct found_edge {
    uint32_t from;
    uint32_t to;
    enum edge_kind kind;
    uint32_t effect_bp; /* 0: not known */
};

struct found {
    struct arena *arena;
    struct found_node *nodes;
    uint32_t node_count;
    uint32_t node_room;
    struct found_edge *edges;
    uint32_t edge_count;
    uint32_t edge_room;
    struct strmap node_of;
    struct idmap edge_of;
    enum rc rc;
};

void found_init(struct found *f, struct arena *a);
void found_done(struct found *f);

/* Its index, the same for the same kind and name; MAP_NONE when it is none. */
uint32_t found_node(struct found *f, enum node_kind kind, struct str name);
/* All take MAP_NONE and then do nothing. The first that is said of a name stays. */
void found_say(struct found *f, uint32_t node, struct str name, struct value v);
/* The same for a text: clipped, and nothing for an empty one. */
void found_say_text(struct found *f, uint32_t node, struct str name, struct str text);
void found_edge(struct found *f, uint32_t from, uint32_t to, enum edge_kind kind);
void found_effect(struct found *f, uint32_t from, uint32_t to, uint32_t effect_bp); /* of a call */

/*
 * Writings of at most GRAPH_WRITING_MAX items and little over FOUND_WRITING_BYTES, nodes before edges, as a list. Borrows: f. Gives: values in f's arena.
 * Errors: RC_LIMIT (a maximum above, or the arena), RC_NO_MEMORY, RC_NOT_FOUND when there is nothing.
 */
NODISCARD enum rc found_writings(struct found *f, struct str source, struct value *ret, struct err *e);

#endif
