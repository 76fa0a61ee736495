/*
 * backtest/backtest_internal - what the files of this folder share.
 */
#ifndef BACKTEST_BACKTEST_INTERNAL_H
#define BACKTEST_BACKTEST_INTERNAL_H

#include "backtest/backtest.h"
#include "gate/gate.h"

/* --- other.c: the policy that judges now ---------------------------------------------------------------------- */

/* What of a validator's definition makes it the one that was asked. */
struct other {
    const struct backtest_options *options;
    const struct policy *policy; /* null before any was in force */
    struct policy *own;          /* the one in force with rules over it; null: the given one */
    bool lens;                   /* its catalogue lies over the world's */
    bool *slo_differs;           /* by service: what was measured was measured for another SLO */
    uint32_t service_count;
    bool rules_read_budgets;
    enum verdict rules_worst;    /* the strictest that one of these rules says */
    bool asked_the_same[VALIDATORS_MAX]; /* by validator of policy */
};

/* Around every entry that changes policy or catalogue; begin after it, end before it. */
NODISCARD enum rc other_begin(struct other *o, struct world *w, struct err *e);
NODISCARD enum rc other_end(struct other *o, struct world *w, struct err *e);
void other_done(struct other *o);

/* --- recorded.c: signals and answers, as an entry has them ------------------------------------------------------ */

struct recorded {
    struct signals signals;
    uint64_t *at;        /* by service: the entry that recorded its polled budget */
    uint32_t *used;      /* slots that are filled in */
    uint32_t used_count;
    uint32_t capacity;
    bool cut;            /* it lists not all of its blast radius: the others mattered less */
    struct validator_round round;
};

void recorded_init(struct recorded *r);
void recorded_done(struct recorded *r);
/* Takes the facts of entry seq. */
NODISCARD enum rc recorded_take(struct recorded *r, const struct world *w, const struct stored *s, const struct value *facts,
                                struct err *e);
/* When the list was cut: what is missing in the request's blast radius did not matter. */
void recorded_fill(struct recorded *r, const struct world *w, const struct request *q, const struct stored *s);
/* Some budget of the list was polled for this and is not in the record. */
bool recorded_lacks(const struct recorded *r, const struct world *w, const struct other *o, const struct budget_fact *all,
                    unsigned count, uint64_t seq);
/* Answers of validators that must be asked under the other policy. False: one of them is not recorded. */
bool recorded_answers(struct recorded *r, const struct gate_input *in, const struct other *o, const struct value *facts);

/* --- tally.c ------------------------------------------------------------------------------------------------------ */

enum {
    NOW_UNDECIDABLE = VERDICT_ALLOW + 1,
    NOW_COUNT,
    NO_CHECK = -1,
};

enum outcome {
    OUTCOME_GOOD = 1 << 0, /* succeeded or verified */
    OUTCOME_HARM = 1 << 1, /* failed, violated or taken back */
};

/* One decision, before and now. */
struct judged {
    uint64_t id;
    uint32_t agent;  /* row */
    uint32_t reason; /* of now, index of a sentence; MAP_NONE: none is kept */
    uint8_t before;  /* enum verdict */
    uint8_t now;     /* enum verdict or NOW_UNDECIDABLE */
    int8_t check_before;
    int8_t check_now;
    uint8_t outcome;
};

struct check_row {
    uint64_t before;
    uint64_t now;
    uint64_t shadow;
    uint64_t undecidable;
};

struct rule_row {
    struct str name;
    const char *mode; /* under the other policy; null: it has no such rule */
    uint64_t held_before;
    uint64_t decided_before;
    uint64_t held;
    uint64_t decided;
    uint64_t would_block;  /* it holds, and the action was allowed */
    uint64_t allowed_now;  /* it decided, and now the action is allowed */
};

struct agent_row {
    uint64_t decisions;
    uint64_t changed;
    uint64_t stricter;
    uint64_t looser;
    uint64_t undecidable;
};

struct tally {
    struct arena *kept;
    struct judged *all; /* in the order of their ids */
    uint64_t count;
    uint64_t capacity;
    struct str *reasons;
    uint32_t reason_count;
    uint64_t matrix[VERDICT_ALLOW + 1][NOW_COUNT];
    struct check_row checks[CHECK_COUNT];
    uint64_t erased; /* not decidable: what lay beside them is gone */
    struct rule_row *rules;
    uint32_t rule_count;
    struct strmap rule_index;
    struct agent_row *agents; /* by world index + AGENT_ROWS */
    uint32_t agent_count;
    struct strmap gone[3]; /* names that only the policy in force declared: agents, services, tools */
    struct value gone_names[3];
};

/* Rows of no agent of the world. */
enum { AGENT_ROW_PEOPLE = 0, AGENT_ROW_UNKNOWN, AGENT_ROWS };

/* What came of one decision. */
struct judgement {
    enum verdict before;
    int blocking_before;
    const struct value *body;
    bool erased;
    uint64_t lacking; /* checks that a fact is missing for, a bit each */
    bool undecidable;
    enum verdict now;
    int blocking;
};

NODISCARD enum rc tally_init(struct tally *t, struct arena *kept, struct err *e);
void tally_done(struct tally *t);
/* The rules of a policy that comes to judge. */
NODISCARD enum rc tally_rules(struct tally *t, const struct policy *p, struct err *e);
/* Names that the policy in force declares and the other does not. */
NODISCARD enum rc tally_gone(struct tally *t, const struct policy *in_force, const struct policy *other, struct err *e);
NODISCARD enum rc tally_add(struct tally *t, uint64_t id, uint32_t agent_row, const struct judgement *j,
                            const struct decision *d, struct err *e);
/* What became of an action; those outside the window are none of ours. */
void tally_outcome(struct tally *t, uint64_t id, unsigned outcome);

/* --- judge.c ------------------------------------------------------------------------------------------------------- */

struct backtest {
    struct store *store;
    const struct backtest_options *options;
    struct arena *arena; /* of one entry */
    struct arena *kept;
    struct world *world;
    struct other other;
    struct recorded recorded;
    struct tally tally;
    struct facts facts;
    struct decision decision;
    struct request request;
    uint64_t first; /* entry of the window */
    uint64_t end;   /* the first behind it */
    uint64_t size;  /* of the ledger */
    uint64_t begun; /* where the fold began */
    uint64_t erased_through; /* what was beside the entries up to here may be gone, once */
    bool erasures_known;     /* was looked for */
};

NODISCARD enum rc judge_entry(struct backtest *b, const struct stored *s, const struct value *body, struct err *e);

/* --- window.c --------------------------------------------------------------------------------------------------------- */

/* The first entry at or after a moment; the log's size when there is none. */
NODISCARD enum rc window_find(struct backtest *b, int64_t at_ms, uint64_t *ret, struct err *e);

/* --- report.c --------------------------------------------------------------------------------------------------------- */

NODISCARD enum rc report_make(struct backtest *b, struct arena *a, struct value *ret, struct err *e);

#endif
