/*
 * evidence/evidence_internal - what only the folder needs.
 */
#ifndef EVIDENCE_EVIDENCE_INTERNAL_H
#define EVIDENCE_EVIDENCE_INTERNAL_H

#include "evidence/evidence.h"

/* A value as it was read, before its series has an array. */
struct cell {
    uint32_t series;
    uint32_t sample;
    double value;
};

struct list_limit {
    uint32_t max;
    const char *text;
    bool late; /* grows while settling too */
};

#endif
