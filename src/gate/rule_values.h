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

/* A row of the diff; its members are looked up once, for all rules. */
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
    uint32_t count;
    bool over;
};

/* One view for each object variable; they and in must outlive the values. */
struct rule_views {
    struct rule_view agent;
    struct rule_view action;
    struct rule_view signals;
    struct rule_view budget;
    struct rule_view impact;
    struct rule_view memory;
    struct diff_view diff;
    struct rule_view request;
};

/* ret_vars: RULE_VAR_COUNT values by enum rule_var. */
void rule_values(const struct check_input *in, struct rule_views *views, struct cel_value *ret_vars);

/* What rules read of the targets and can't be told from the other facts, for the record. */
struct value rule_seen(const struct gate_input *in, struct arena *a);

#endif
