/*
 * model/signals - measured inputs of the gate that are not world: what was polled from outside.
 *
 * Owned by the loop, an input of decide(), never part of the ledger's fold: what a decision read is in
 * its entry. After a start everything is unknown until it was polled. Pure.
 * Source: SEMANTICS section 5 "What is world".
 */
#ifndef MODEL_SIGNALS_H
#define MODEL_SIGNALS_H

#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

enum signal_state {
    SIGNAL_UNKNOWN = 0, /* never measured, or the measurement failed: the reason says why */
    SIGNAL_KNOWN,
    SIGNAL_NO_TRAFFIC, /* a fresh zero: the budget is whole, and marked */
    SIGNAL_STALE,      /* measured, but too long ago */
    SIGNAL_NO_SLO,     /* nothing to measure against */
};

/* "known", "unknown", ... */
const char *signal_state_name(enum signal_state s);
NODISCARD bool signal_state_parse(struct str name, enum signal_state *ret);

enum { SIGNAL_REASON_MAX = 96 };

struct budget_signal {
    enum signal_state state;
    int64_t remaining_ppm;
    int64_t at_ms; /* when it was measured; 0: never */
    char reason[SIGNAL_REASON_MAX]; /* why it is unknown; "" else */
};

struct signals {
    struct budget_signal *budgets; /* by the world's service index */
    uint32_t count;
    uint32_t capacity;
    bool clock_ok; /* false: the wall clock jumped and nobody has accepted it */
};

void signals_init(struct signals *s);
void signals_done(struct signals *s);
/* The slot of a service, made when new (unknown). Null when out of memory. */
struct budget_signal *signals_budget(struct signals *s, uint32_t service);

#endif
