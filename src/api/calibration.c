/*
 * api/calibration - how well predictions of impact did: by class of action, by tool, by agent.
 */
#include "api/call.h"

static void add(struct calibration *sum, const struct calibration *c)
{
    sum->n += c->n;
    sum->bad += c->bad;
    sum->harmed += c->harmed;
    sum->foretold += c->foretold;
    sum->spared += c->spared;
    sum->over_ppm += c->over_ppm;
    sum->under_ppm += c->under_ppm;
    sum->risk_ppm += c->risk_ppm;
    sum->brier_ppm += c->brier_ppm;
}

/* Null where there is nothing to divide by. */
static struct value mean_ratio(int64_t sum, int64_t n)
{
    return n == 0 ? value_null() : percent(sum / n);
}

struct value render_calibration(struct arena *a, const struct calibration *c)
{
    struct value v = value_object();
    value_add_int(a, &v, STR("outcomes"), c->n);
    value_add_int(a, &v, STR("bad"), c->bad);
    value_add_int(a, &v, STR("harmed_services"), c->harmed);
    value_add(a, &v, STR("coverage_pct"), mean_ratio(c->foretold * PPM_ONE, c->harmed));
    value_add_int(a, &v, STR("missed_services"), c->harmed - c->foretold);
    value_add_int(a, &v, STR("spared_services"), c->spared);
    value_add(a, &v, STR("over_predicted_traffic_pct"), mean_ratio(c->over_ppm, c->bad));
    value_add(a, &v, STR("under_predicted_traffic_pct"), mean_ratio(c->under_ppm, c->bad));
    value_add(a, &v, STR("predicted_bad_pct"), mean_ratio(c->risk_ppm, c->n));
    value_add(a, &v, STR("bad_pct"), mean_ratio(c->bad * PPM_ONE, c->n));
    value_add(a, &v, STR("brier"), c->n == 0 ? value_null() : value_double((double)c->brier_ppm / (double)c->n / PPM_ONE));
    return v;
}

static struct value row(struct call *c, const char *of, struct str name, const struct calibration *sum)
{
    struct value v = value_object();
    value_add_str(c->arena, &v, STR("of"), str_from(of));
    value_add_str(c->arena, &v, STR("name"), name);
    const struct value numbers = render_calibration(c->arena, sum);
    for (uint32_t i = 0; i < numbers.count; i++) {
        value_add(c->arena, &v, numbers.members[i].name, numbers.members[i].value);
    }
    return v;
}

static void push_unless_empty(struct call *c, struct value *items, const char *of, struct str name,
                              const struct calibration *sum)
{
    if (sum->n > 0 && arena_used(c->arena) < API_LIST_BYTES_MAX) {
        value_push(c->arena, items, row(c, of, name, sum));
    }
}

enum rc calibration_get(struct call *c, struct err *e)
{
    (void)e;
    const struct world *w = control_world(c->control);
    struct calibration classes[TOOL_DESTRUCTIVE + 1] = {{0}};
    struct value items = value_array();
    for (uint32_t i = 0; i < world_tool_count(w); i++) {
        const struct world_tool *t = world_tool_at(w, i);
        if (t->def != NULL) {
            add(&classes[t->def->class], &t->calibration);
        }
    }
    for (unsigned k = 0; k <= TOOL_DESTRUCTIVE; k++) {
        push_unless_empty(c, &items, "class", str_from(tool_class_name((enum tool_class)k)), &classes[k]);
    }
    for (uint32_t i = 0; i < world_tool_count(w); i++) {
        const struct world_tool *t = world_tool_at(w, i);
        push_unless_empty(c, &items, "tool", str_from(t->name), &t->calibration);
    }
    for (uint32_t i = 0; i < world_agent_count(w); i++) {
        const struct world_agent *agent = world_agent_at(w, i);
        push_unless_empty(c, &items, "agent", str_from(agent->name), &agent->calibration);
    }
    struct value v = value_object();
    value_add(c->arena, &v, STR("items"), items);
    return call_reply(c, 200, v);
}
