/*
 * policy/rule_vars - the variables that rules read: names, types, what they mean.
 *
 * Declared here once: rules are compiled against them, docs/policy.md is made from them, and whoever evaluates a rule
 * gives an object of each class. An object begins with a struct rule_object, whose function yields its fields; a field
 * that has no value now is one that has() denies and whose reading is an error. Pure.
 */
#ifndef POLICY_RULE_VARS_H
#define POLICY_RULE_VARS_H

#include "cel/cel.h"

enum rule_var {
    RULE_VAR_AGENT = 0,
    RULE_VAR_ACTION,
    RULE_VAR_TARGET,
    RULE_VAR_SERVICE,
    RULE_VAR_SERVICES,
    RULE_VAR_SIGNALS,
    RULE_VAR_BUDGET,
    RULE_VAR_BUDGETS,
    RULE_VAR_IMPACT,
    RULE_VAR_MEMORY,
    RULE_VAR_DIFF,
    RULE_VAR_PLAN,
    RULE_VAR_REQUEST,
    RULE_VAR_NOW,
    RULE_VAR_COUNT,
};

enum rule_agent_field {
    RULE_AGENT_NAME = 0,
    RULE_AGENT_HUMAN,
    RULE_AGENT_OWNER,
    RULE_AGENT_TEAM,
    RULE_AGENT_ROLES,
    RULE_AGENT_LABELS,
    RULE_AGENT_TIER,
    RULE_AGENT_MODEL,
    RULE_AGENT_PROMPT_VERSION,
    RULE_AGENT_IDENTITY,
    RULE_AGENT_ACTS_FOR,
    RULE_AGENT_BREAKER,
    RULE_AGENT_ADVISORY,
    RULE_AGENT_PENDING,
    RULE_AGENT_FIELDS,
};

enum rule_action_field {
    RULE_ACTION_TOOL = 0,
    RULE_ACTION_CLASS,
    RULE_ACTION_TASK_CLASS,
    RULE_ACTION_PARAMS,
    RULE_ACTION_TARGET,
    RULE_ACTION_REVERSIBLE,
    RULE_ACTION_TWO_PHASE,
    RULE_ACTION_SURFACES,
    RULE_ACTION_LABELS,
    RULE_ACTION_BREAK_GLASS,
    RULE_ACTION_FIELDS,
};

enum rule_service_field {
    RULE_SERVICE_NAME = 0,
    RULE_SERVICE_OWNER,
    RULE_SERVICE_ZONE,
    RULE_SERVICE_TRAFFIC_PCT,
    RULE_SERVICE_DEPENDS_ON,
    RULE_SERVICE_LABELS,
    RULE_SERVICE_FIELDS,
};

enum rule_signals_field {
    RULE_SIGNALS_AQDD_DEPTH = 0,
    RULE_SIGNALS_AQDD_DRIFT,
    RULE_SIGNALS_HER_PCT,
    RULE_SIGNALS_HER_SAMPLE,
    RULE_SIGNALS_UPSTREAM_BUDGET_PCT,
    RULE_SIGNALS_FREEZES,
    RULE_SIGNALS_DEPLOYS,
    RULE_SIGNALS_EXECUTING,
    RULE_SIGNALS_ON_CALL_INCIDENTS,
    RULE_SIGNALS_CLOCK_OK,
    RULE_SIGNALS_FIELDS,
};

enum rule_budget_field {
    RULE_BUDGET_SERVICE = 0,
    RULE_BUDGET_KNOWN,
    RULE_BUDGET_REMAINING_PCT,
    RULE_BUDGET_AGE,
    RULE_BUDGET_SOURCE,
    RULE_BUDGET_DEPENDANT,
    RULE_BUDGET_FIELDS,
};

enum rule_impact_field {
    RULE_IMPACT_TRAFFIC_PCT = 0,
    RULE_IMPACT_DECLARED,
    RULE_IMPACT_SERVICES,
    RULE_IMPACT_ZONES,
    RULE_IMPACT_CROSSES_ZONE,
    RULE_IMPACT_FIELDS,
};

enum rule_memory_field {
    RULE_MEMORY_OUTCOMES = 0,
    RULE_MEMORY_FAILED,
    RULE_MEMORY_SERVICE,
    RULE_MEMORY_FIELDS,
};

enum rule_diff_field {
    RULE_DIFF_CHANGES = 0,
    RULE_DIFF_OVER,
    RULE_DIFF_DESTRUCTIVE,
    RULE_DIFF_SURFACES,
    RULE_DIFF_FACTS,
    RULE_DIFF_FORMAT,
    RULE_DIFF_RAW,
    RULE_DIFF_FIELDS,
};

enum rule_change_field {
    RULE_CHANGE_KIND = 0,
    RULE_CHANGE_RESOURCE,
    RULE_CHANGE_PATH,
    RULE_CHANGE_SURFACE,
    RULE_CHANGE_SURFACES,
    RULE_CHANGE_BEFORE,
    RULE_CHANGE_AFTER,
    RULE_CHANGE_DESTRUCTIVE,
    RULE_CHANGE_REVERSIBLE,
    RULE_CHANGE_FACTS,
    RULE_CHANGE_FIELDS,
};

enum rule_request_field {
    RULE_REQUEST_INTENT = 0,
    RULE_REQUEST_WANTS_PERSON,
    RULE_REQUEST_CLAIMED_TOOL,
    RULE_REQUEST_CLAIMED_SERVICE,
    RULE_REQUEST_MODEL,
    RULE_REQUEST_PROMPT_VERSION,
    RULE_REQUEST_CONTEXTS,
    RULE_REQUEST_PROPERTIES,
    RULE_REQUEST_PERSON,
    RULE_REQUEST_BEHALF,
    RULE_REQUEST_FIELDS,
};

extern const struct cel_class rule_agent, rule_action, rule_service, rule_signals, rule_budget, rule_impact, rule_memory,
    rule_diff, rule_change, rule_request;

/*
 * What every object of these classes begins with. get: as struct cel_class's. Where `remembered` has room, a field is
 * asked for once and kept there, for as long as the object is; so nothing that get yields may lie in its scope, but for a
 * native list, which is not kept.
 */
struct rule_object {
    struct cel_remembered remembered; /* room for the fields of the class, absent at first; or null */
    bool (*get)(const struct rule_object *self, unsigned field, struct arena *scope, struct cel_value *ret);
};

/* The variables declared, in the order of enum rule_var. Null: out of memory. */
struct cel_env *rule_env_new(void);
/* A variable's name; its type. */
struct str rule_var_name(enum rule_var v);
const struct cel_type *rule_var_type(enum rule_var v);
/* All that a text field may say, null at the end; null: anything. */
const char *const *rule_field_words(const struct cel_class *class, unsigned field);

#endif
