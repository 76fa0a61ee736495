/*
 * backtest - what another policy would have made of the decisions that a ledger records.
 *
 * Each first decision (action.decided) of a window is made again on the world right before it, with the signals and the
 * validators' answers that its entry recorded, at its own time. A fact that was never recorded makes the finding that
 * needs it not decidable, and so the decision, unless another finding is as strict as that one could be; it is counted
 * apart and never as allow. Every decision is judged by itself: the history goes on as it was, so what the other policy
 * would have changed for later ones (the queue, escalation rates, breakers) is not played out.
 *
 * Deterministic: the same ledger, window and policy give the same report.
 * Threads: one; the store belongs to it meanwhile.
 * Source: SEMANTICS section 5 "Backtest".
 */
#ifndef BACKTEST_BACKTEST_H
#define BACKTEST_BACKTEST_H

#include "policy/policy.h"
#include "store/store.h"

enum {
    BACKTEST_ACTIONS_MAX = 16 << 20, /* decisions of one window */
    BACKTEST_EXAMPLES_MAX = 100,     /* of each kind */
    BACKTEST_REASONS_MAX = 65536,    /* sentences kept for examples; behind them only the check is named */
    BACKTEST_RULES_MAX = 4096,       /* names of rules that are counted */
};

/* done and all: entries. Called now and then. */
typedef void (*backtest_progress_fn)(void *context, uint64_t done, uint64_t all);

struct backtest_options {
    const struct policy *policy;    /* the other one; null: the one in force at the time, with these over it: */
    const struct rules_file *rules; /* a rule takes the place of one of its name */
    uint32_t rules_count;
    int64_t from_ms;                /* [from, until) */
    int64_t until_ms;
    const struct str *agents;       /* globs; none: all */
    uint32_t agent_count;
    uint32_t examples;              /* of each kind, at most BACKTEST_EXAMPLES_MAX */
    backtest_progress_fn progress;  /* null: nobody looks */
    void *context;
};

/*
 * ret: the report as one object; its form stands in docs/policy.md.
 * Keeps:  ret in a.
 * Errors: RC_NOT_FOUND (nothing was decided in the window), RC_CORRUPT, RC_INVALID (rules that don't fit the policy that
 *         was in force), RC_LIMIT, RC_NO_MEMORY.
 */
NODISCARD enum rc backtest_run(struct store *s, const struct backtest_options *o, struct arena *a, struct value *ret,
                               struct err *e);

#endif
