/*
 * cli/given - the facts of the Pre-Action SRE Gate's three checks, given by hand. Pure.
 */
#ifndef CLI_GIVEN_H
#define CLI_GIVEN_H

#include "gate/gate.h"

/* What was given; a null text is a signal that is not known. */
struct given_signals {
    const char *error_budget_pct;
    const char *aqdd_depth;
    const char *her_trend_pct;
};

enum { GIVEN_SAMPLE = 50 }; /* decisions behind a given escalation rate */

/*
 * Percentages are rounded towards blocking. Errors: RC_INVALID naming the option.
 * Borrows: the texts only for the call.
 */
NODISCARD enum rc given_facts(const struct given_signals *given, struct facts *ret, struct err *e);
/* The strictest of the three findings that counts; VERDICT_ALLOW when all pass. */
enum verdict strictest_of_three(const struct decision *d);

#endif
