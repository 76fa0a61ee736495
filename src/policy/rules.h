/*
 * policy/rules - the operators' own checks: who and what a rule speaks of, a condition in CEL, a verdict, a message.
 *
 * A rule that speaks of an action and whose condition holds gives its verdict; so does one whose condition fails or is
 * cut, for what can't be judged is not a yes. Rules tighten, and allow nothing. Conditions and messages are compiled
 * when the policy is read, against the variables of policy/rule_vars.h; an error there refuses the policy, with file,
 * line and column. Pure.
 */
#ifndef POLICY_RULES_H
#define POLICY_RULES_H

#include "policy/reader.h"
#include "policy/thresholds.h"
#include "policy/verdict.h"
#include "policy/rule_vars.h"

enum {
    RULES_MAX = 1000,
    RULE_TESTS_MAX = 64,           /* of one rule */
    RULE_TEXT_MAX = 8192,          /* bytes of a condition or a message */
    RULE_COST_MAX = 200000000,     /* steps of the worst case that a condition may have */
    RULE_STEPS_MAX = 1000000,      /* that one evaluation may take */
    RULES_STEPS_MAX = 4000000,     /* that all rules of one decision may take: the others are cut */
    RULE_MESSAGE_MAX = 512,        /* bytes of a message that are kept */
    RULE_MEMORY_MAX = 8 << 20,     /* bytes that one evaluation may take */
};

enum rule_severity { SEVERITY_LOW = 0, SEVERITY_MEDIUM, SEVERITY_HIGH, SEVERITY_CRITICAL };
const char *rule_severity_name(enum rule_severity s);
NODISCARD bool rule_severity_parse(struct str name, enum rule_severity *ret);

/* What should come of it, beside the rule itself. */
struct rule_test {
    struct str name;           /* may be empty */
    const struct value *given; /* {agent: {...}, action: {...}, ...}: what is not given is absent */
    int64_t verdict;           /* enum verdict; VERDICT_ALLOW: the rule does not speak */
    struct str message;        /* what it should say; empty: not looked at */
};

struct rule {
    struct str name;
    struct str description;
    struct str_list agents; /* globs; every list: empty for any */
    struct str_list tools;
    struct str_list classes; /* of the tool; "shell" for what matches none */
    struct str_list services;
    struct str_list surfaces;
    struct str_list labels; /* "name=value" globs over those of agent, tool and services: each must be found */
    struct str condition;
    struct str message;     /* a CEL text; empty: the description says it */
    int64_t verdict;        /* enum verdict, never VERDICT_ALLOW */
    int64_t severity;       /* enum rule_severity */
    int64_t mode;           /* enum check_mode */
    const struct rule_test *tests;
    uint32_t test_count;
    struct str file; /* where it was read; empty for a policy from the ledger */
    uint32_t line;
    struct cel_program *program;
    struct cel_program *says; /* null without a message */
};

/* --- what policy.c uses ------------------------------------------------------------------------------------- */

/* out: a struct rule, whose programs are compiled against env. */
NODISCARD enum rc rule_read(struct reader *r, const struct value *v, const struct cel_env *env, struct rule *ret);
struct value rule_value(struct arena *a, const struct rule *rule);
/* Its programs. */
void rule_done(struct rule *rule);
/* The object `match`, by itself: only the lists of ret. v may be null. */
NODISCARD enum rc rule_match_read(struct reader *r, const struct value *v, struct rule *ret);
struct value rule_match_value(struct arena *a, const struct rule *rule);

/* --- evaluation --------------------------------------------------------------------------------------------- */

struct rule_result {
    bool holds;         /* the condition does, or it failed */
    bool failed;        /* it could not be judged; why stands in the message */
    struct str message; /* the rule's, or in kept */
    uint64_t steps;
};

struct rule_memory {
    struct arena *scratch;  /* for the evaluation: its end is a cut */
    struct arena *kept;     /* for the message */
    uint64_t budget;        /* steps; 0: RULE_STEPS_MAX */
    struct cel_step *steps; /* cel_program_steps() of the condition, zeroed; null: not wanted */
};

/* The rule speaks of it. vars: RULE_VAR_COUNT values by enum rule_var. */
bool rule_fits(const struct rule *rule, const struct cel_value *vars, struct arena *scope);
/* Whether its condition holds, and what it says. Never fails: what goes wrong is a result. */
void rule_eval(const struct rule *rule, const struct cel_value *vars, const struct rule_memory *m, struct rule_result *ret);

/*
 * The variables from JSON as a test gives them: {"agent": {"tier": "supervised"}, "now": "2026-01-01T00:00:00Z"}; an
 * object that is not given has no fields, and a list is empty. Errors: RC_INVALID for a variable or a field that is not
 * declared, or of another type.
 */
NODISCARD enum rc rule_vars_from(struct arena *a, const struct value *given, struct cel_value *ret_vars, struct err *e);

#endif
