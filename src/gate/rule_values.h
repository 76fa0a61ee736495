/*
 * gate/rule_values - the variables of a rule, read from what a decision knows.
 */
#ifndef GATE_RULE_VALUES_H
#define GATE_RULE_VALUES_H

#include "gate/checks.h"

struct rule_view {
    struct rule_object base;
    const struct check_input *in;
    uint32_t index; /* of a budget */
};

/* A service as the fact `seen` has it. */
struct seen_view {
    struct rule_object base;
    const struct value *v;
};

enum { CHANGES_REMEMBERED_MAX = 64 }; /* with more rows than that, only what change_view has itself is looked up once */

/* A row of the diff; what is asked for most is looked up once, for all rules. */
struct change_view {
    struct rule_object base;
    const struct value *row;
    const struct value *surfaces;
    struct str surface;
    struct str kind;
};

struct diff_view {
    struct rule_object base;
    const struct request *request;
    struct change_view *changes; /* null when they did not fit: then there is more than is listed */
    struct cel_value *items;     /* they as values, for a loop over them; null with more than CHANGES_REMEMBERED_MAX */
    uint32_t count;
    bool over;
};

/* One view for each object variable, and room for what was read of it; they and in must outlive the values. */
struct rule_views {
    struct rule_view agent;
    struct rule_view action;
    struct rule_view signals;
    struct rule_view budget;
    struct rule_view impact;
    struct rule_view memory;
    struct diff_view diff;
    struct rule_view request;
    struct seen_view service; /* the first target */
    struct {
        struct cel_value agent[RULE_AGENT_FIELDS];
        struct cel_value action[RULE_ACTION_FIELDS];
        struct cel_value signals[RULE_SIGNALS_FIELDS];
        struct cel_value budget[RULE_BUDGET_FIELDS];
        struct cel_value impact[RULE_IMPACT_FIELDS];
        struct cel_value memory[RULE_MEMORY_FIELDS];
        struct cel_value diff[RULE_DIFF_FIELDS];
        struct cel_value request[RULE_REQUEST_FIELDS];
        struct cel_value service[RULE_SERVICE_FIELDS];
    } read;
};

/* ret_vars: RULE_VAR_COUNT values by enum rule_var. */
void rule_values(const struct check_input *in, struct rule_views *views, struct cel_value *ret_vars);

/* What rules read of the targets and can't be told from the other facts, for the record. */
struct value rule_seen(const struct gate_input *in, struct arena *a);

#endif
