/*
 * tests/sim - the auditor: reads a ledger, entry by entry, and asks of every start of an execution whether it was right.
 *
 * It shares no code with what it audits but the reading of entries: what it knows of actions, people, stops and
 * reviews it has from the entries alone.
 */
#ifndef TESTS_SIM_LIFE_AUDIT_H
#define TESTS_SIM_LIFE_AUDIT_H

#include "control/control.h"

enum { AUDIT_SIZE_MAX = 8000, AUDIT_REVIEWS_MAX = 1000 };

/* Broken glass that nobody else has looked at yet. */
struct audited_review {
    uint64_t id;
    uint64_t action;
    int64_t by_ms;
    char person[64];
};

struct audit_result {
    unsigned starts;
    unsigned broken;     /* of them, with broken glass */
    unsigned overrides;  /* that were granted */
    unsigned waived;     /* findings that one of them waived */
    unsigned overridden; /* of the starts, with such a finding */
    unsigned closed;     /* reviews */
    struct audited_review reviews[AUDIT_REVIEWS_MAX];
    unsigned review_count;
};

/* Ends the program, naming seed, entry and rule, when something was not right. */
void audit_ledger(struct control *c, uint64_t seed, struct audit_result *ret);

#endif
