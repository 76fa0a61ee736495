/*
 * gate - decides whether an action may run right now.
 *
 * Two steps. Facts: everything that the checks read is gathered once from the world and the signals
 * (gate_gather). Decision: an ordered table of checks looks at facts, policy and request; each gives a
 * finding, and the strictest finding that counts is the verdict (gate_decide). What is recorded is the
 * facts and the findings, so the second step can be repeated from the record alone (replay).
 *
 * Pure: no I/O, no clock, no globals.
 * Source: DESIGN section 4, SEMANTICS sections 2 and 3, reference metrics "Pre-Action SRE Gate".
 */
#ifndef GATE_GATE_H
#define GATE_GATE_H

#include "base/buf.h"
#include "model/world.h"

struct gate_input {
    const struct world *world;
    const struct policy *policy;
    const struct signals *signals;
    const struct request *request; /* derived */
    int64_t now_ms;
    const struct action *again; /* the action that is decided again; null for a proposal */
    const struct validator_round *round; /* what validators said of it; null: nobody was asked */
    bool conditions;            /* an expression is going to be evaluated: what only rules read is gathered */
    struct arena *arena;        /* for rules; null: only with a policy that has none, or to gather what is not judged */
};

/* What a check sees. Nothing else. */
struct check_input {
    const struct policy *policy;
    const struct thresholds *thresholds; /* of the tool's class and the agent */
    const struct agent_def *agent;       /* null when not registered */
    const struct request *request;
    const struct facts *facts;
    int64_t now_ms;
    struct arena *arena;            /* as gate_input's */
    const struct decision *decided; /* for check_rules: the rules that hold */
};

/* One round of questions about one request, and the answers. */
struct validator_question {
    const struct validator *of; /* until the answers come the policy may be another one: only for asking */
    struct str name;
    struct value input;
};
struct validator_round {
    struct validator_question questions[VALIDATORS_MAX];
    struct validator_fact answers[VALIDATORS_MAX]; /* by question */
    char texts[VALIDATORS_MAX][VALIDATOR_TEXT_MAX]; /* room for what is said */
    uint32_t count;
    bool answered;
};
/* Who must be asked before this can be decided: none for an empty round. In in->arena. */
void gate_questions(const struct gate_input *in, struct validator_round *ret);

/* Borrows: names from the world and the policy. */
void gate_gather(const struct gate_input *in, struct facts *ret);

/* The checks and the fold, from facts alone. */
void gate_judge(const struct check_input *in, struct decision *ret);

/* Both: gathers, judges. ret_facts is what was read. */
void gate_decide(const struct gate_input *in, struct facts *ret_facts, struct decision *ret);

/* The error budget of a service now, as a decision would read it. */
struct budget_fact gate_budget(const struct world *w, const struct policy *p, const struct signals *s, uint32_t service,
                               int64_t now_ms);

/* A hold that a person with the role may override: of freeze, upstream and rate, and of what is not known. */
bool override_covers(const struct finding *f);

/*
 * Whether a condition over the variables of rules holds now. Errors: RC_INVALID when it can't be judged (the text says
 * why), RC_NO_MEMORY.
 */
NODISCARD enum rc gate_condition(const struct gate_input *in, struct str text, bool *ret_holds, struct err *e);

/* What a rule makes of the same, with the value of each part of its condition that was evaluated. In in->arena. */
struct value gate_explain_rule(const struct check_input *in, const struct rule *rule);

/* The action is one that the rule speaks of. */
bool quorum_fits(const struct quorum_rule *rule, const struct check_input *in);

/* The agent's definition for a request, null when it is not registered. */
const struct agent_def *gate_agent(const struct world *w, const struct request *q);

/* --- commit ------------------------------------------------------------------------------------------- */

enum release {
    RELEASE_GO = 0,      /* everything is released: it may start */
    RELEASE_DENIED,      /* a finding denies */
    RELEASE_ESCALATED,   /* an escalation that nobody covered, or that got worse */
    RELEASE_HELD,        /* a hold that time has not released */
    RELEASE_ADVISED,     /* advisory mode: never runs */
};

/*
 * What a decision made at commit means for an action with that approval: deny never, hold by time,
 * escalate by an approval that covered it. Two exceptions: aqdd holds autonomous action only, so once a
 * human quorum stands it is recorded and not counted; a budget that was not negative when it was shown
 * and is now always asks again, and so does one that was shown as unknown and is known to be low now, or
 * the other way round. In advisory mode nothing goes, approved or not.
 * Source: SEMANTICS section 2.
 */
enum release gate_release(const struct decision *now, const struct action *action,
                          const struct thresholds *t);

/* How long the latest hold that counts for the action still lasts, in milliseconds. */
int64_t gate_hold_ms(const struct decision *now, const struct action *action, int64_t now_ms);

/* --- the Pre-Action SRE Gate record ------------------------------------------------------------------- */

struct gate_record {
    struct str agent_id;
    struct str intended_action;
    struct str task_id;
    struct str action; /* the tool, or the text again when no tool is known */
    int64_t checked_at_ms;
};

/* The three checks alone: findings of error_budget, aqdd and her_trend; the others stay untouched. */
void gate_judge_three(const struct check_input *in, struct decision *ret);
/* The record of the three checks: first failure wins. */
struct value gate_record_value(struct arena *a, const struct gate_record *r, const struct facts *f,
                               const struct decision *d);
/* The recommendation of a finding, one or two sentences. */
void gate_recommendation(struct buf *out, const struct finding *f);

#endif
