/*
 * value/schema_pattern_internal - a pattern as a tree: what the reader gives the compiler.
 */
#ifndef VALUE_SCHEMA_PATTERN_INTERNAL_H
#define VALUE_SCHEMA_PATTERN_INTERNAL_H

#include "value/schema_pattern.h"

enum { PATTERN_UNBOUNDED = -1 };

enum pattern_kind {
    PATTERN_EMPTY,
    PATTERN_POINT,  /* one code point */
    PATTERN_SET,    /* one code point of a set */
    PATTERN_START,  /* ^ */
    PATTERN_END,    /* $ */
    PATTERN_ALL,    /* left, then the next of the chain */
    PATTERN_EITHER, /* left, or the next of the chain */
    PATTERN_REPEAT, /* left, min to max times */
};

struct pattern_range {
    uint32_t first;
    uint32_t last;
};

struct pattern_set {
    const struct pattern_range *ranges;
    uint32_t count;
    bool negated;
};

struct pattern_node {
    enum pattern_kind kind;
    uint32_t point;
    const struct pattern_set *set;
    struct pattern_node *left;
    struct pattern_node *next; /* of the same kind; null at the end of a chain */
    int min;
    int max; /* PATTERN_UNBOUNDED: no end */
};

NODISCARD enum rc pattern_read(struct arena *a, struct str text, struct pattern_node **ret,
                               struct err *e);

#endif
