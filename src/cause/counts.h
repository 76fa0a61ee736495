/*
 * cause/counts - what a node does, as counts by window: calls in and out by operation, calls that each call makes, log
 * lines by template.
 *
 * Borrows: everything from the inquiry; a node's counts are good until the next node's.
 */
#ifndef CAUSE_COUNTS_H
#define CAUSE_COUNTS_H

#include "cause/cause_internal.h"

enum {
    COUNTERS_MAX = 512, /* of one node; the first by name */
    BASES_MAX = 64,     /* of them that may foretell others; those with the largest counts */
};

enum counter_kind { COUNT_IN = 0, COUNT_IN_ALL, COUNT_MADE, COUNT_LOG, COUNT_OUT };

struct counter {
    enum counter_kind kind;
    uint32_t source;   /* a key of calls or of logs */
    struct str first;  /* a node, or a template */
    struct str second; /* an operation */
    double *normal;    /* by normal window */
    double before;
    double now;
    double total; /* of normal */
};

struct node_counts {
    struct counter *counters; /* by kind and name */
    uint32_t count;
    uint32_t windows; /* normal ones */
    bool before_known;
    double new_callers; /* calls by those who never called */
    double cut;         /* calls that the ends of windows cut in two */
    uint32_t bases[BASES_MAX];
    uint32_t base_count;
    struct measure *ratios; /* room, by window */
    struct measure *scratch;
};

/* Which counters each node has, and room for those of one. */
struct counts_index {
    struct counter_ref *refs;
    uint32_t *first;               /* node_count + 1 offsets */
    const struct log_count **logs; /* by key */
    uint32_t *log_first;
    uint32_t *window_number; /* among normal windows; MAP_NONE: it is none */
    uint32_t windows;
    struct counter *counters;
    double *cells;
    struct measure *ratios;
    struct measure *scratch;
};

/* False: the arena failed. */
NODISCARD bool counts_build(struct inquiry *in, struct counts_index *ret);
/* False: the node has none. */
bool counts_of_node(const struct inquiry *in, const struct counts_index *index, uint32_t node, struct node_counts *ret);

#endif
