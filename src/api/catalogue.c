/*
 * api/catalogue - agents, services, tools, signals and the policy, as they stand.
 */
#include "api/call.h"

#include "value/json.h"

#include <string.h>

static enum rc list_reply(struct call *c, struct value items)
{
    struct value v = value_object();
    value_add(c->arena, &v, STR("items"), items);
    value_add(c->arena, &v, STR("next"), value_null());
    return call_reply(c, 200, v);
}

/* Listings of the catalogue page by index: `after` is the index of the last one that was seen, plus 1. */
static enum rc page_reply(struct call *c, struct value items, uint64_t next, uint64_t count)
{
    struct value v = value_object();
    value_add(c->arena, &v, STR("items"), items);
    value_add(c->arena, &v, STR("next"),
              next < count ? value_string(arena_printf(c->arena, "%llu", (unsigned long long)next))
                           : value_null());
    return call_reply(c, 200, v);
}

enum rc agents_list(struct call *c, struct err *e)
{
    const struct world *w = control_world(c->control);
    uint64_t at;
    uint64_t limit;
    enum rc rc = call_page(c, &at, &limit, e);
    struct value items = value_array();
    for (; rc == RC_OK && at < world_agent_count(w) && items.count < limit; at++) {
        const struct world_agent *agent = world_agent_at(w, (uint32_t)at);
        if (agent->def == NULL) {
            continue;
        }
        struct value v = agent_def_value(c->arena, agent->def);
        int64_t ppm;
        int64_t sample;
        world_her(w, (uint32_t)at, control_now(c->control), &ppm, &sample);
        value_add(c->arena, &v, STR("her_pct"), percent(ppm));
        value_add_int(c->arena, &v, STR("her_sample"), sample);
        value_add_int(c->arena, &v, STR("pending_approvals"), agent->pending);
        struct value evidence = value_object();
        value_add_int(c->arena, &evidence, STR("changes"), (int64_t)agent->changes);
        value_add_int(c->arena, &evidence, STR("changes_good"), (int64_t)agent->changes_good);
        value_add(c->arena, &evidence, STR("impact"), render_calibration(c->arena, &agent->calibration));
        value_add(c->arena, &v, STR("tier_evidence"), evidence);
        value_add_int(c->arena, &v, STR("version"), (int64_t)agent->version);
        value_add_str(c->arena, &v, STR("declared_by"), agent->own == NULL ? STR("policy") : STR("api"));
        value_push(c->arena, &items, v);
    }
    return rc == RC_OK ? page_reply(c, items, at, world_agent_count(w)) : rc;
}

bool call_budget(const struct call *c, uint32_t index, struct budget_fact *ret)
{
    const struct world *w = control_world(c->control);
    const struct policy *p = world_policy(w);
    if (p != NULL) {
        *ret = gate_budget(w, p, control_signals(c->control), index, control_now(c->control));
    }
    return p != NULL;
}

static struct value budget_of_service(struct call *c, uint32_t index)
{
    struct facts *f = arena_alloc(c->arena, sizeof *f);
    if (f == NULL || !call_budget(c, index, &f->budgets[0])) {
        return value_null();
    }
    f->budget_count = 1;
    struct value all = render_signals(c, f);
    const struct value *budgets = value_get(&all, STR("error_budgets"));
    return budgets != NULL && budgets->count > 0 ? budgets->items[0] : value_null();
}

/* Those that are hurt when it is, the most first. */
static struct value dependants_of(const struct call *c, uint32_t index)
{
    const struct world *w = control_world(c->control);
    const struct impact hurt = world_impact(w, &index, 1, API_DEPENDANTS_MAX + 1);
    struct value all = value_array();
    for (uint32_t i = 1; i < hurt.count; i++) {
        if (graph_kind(world_graph(w), hurt.nodes[i]) == NODE_SERVICE) {
            value_push(c->arena, &all, value_string(graph_name(world_graph(w), hurt.nodes[i])));
        }
    }
    return all;
}

enum rc services_list(struct call *c, struct err *e)
{
    const struct world *w = control_world(c->control);
    uint64_t at;
    uint64_t limit;
    enum rc rc = call_page(c, &at, &limit, e);
    struct value items = value_array();
    for (; rc == RC_OK && at < world_service_count(w) && items.count < limit; at++) {
        const struct world_service *s = world_service_at(w, (uint32_t)at);
        if (s->def == NULL) {
            continue;
        }
        struct value v = service_def_value(c->arena, s->def);
        value_add(c->arena, &v, STR("error_budget"), budget_of_service(c, (uint32_t)at));
        value_add(c->arena, &v, STR("dependants"), dependants_of(c, (uint32_t)at));
        value_add_int(c->arena, &v, STR("deploys_in_flight"), s->deploy_count);
        value_add_int(c->arena, &v, STR("version"), (int64_t)s->version);
        value_add_str(c->arena, &v, STR("declared_by"), s->own == NULL ? STR("policy") : STR("api"));
        value_push(c->arena, &items, v);
    }
    return rc == RC_OK ? page_reply(c, items, at, world_service_count(w)) : rc;
}

enum rc tools_list(struct call *c, struct err *e)
{
    const struct world *w = control_world(c->control);
    uint64_t at;
    uint64_t limit;
    enum rc rc = call_page(c, &at, &limit, e);
    struct value items = value_array();
    for (; rc == RC_OK && at < world_tool_count(w) && items.count < limit; at++) {
        const struct world_tool *t = world_tool_at(w, (uint32_t)at);
        if (t->def == NULL) {
            continue;
        }
        struct value v = tool_def_value(c->arena, t->def);
        value_add_int(c->arena, &v, STR("version"), (int64_t)t->version);
        value_add_str(c->arena, &v, STR("declared_by"), t->own == NULL ? STR("policy") : STR("api"));
        value_push(c->arena, &items, v);
    }
    return rc == RC_OK ? page_reply(c, items, at, world_tool_count(w)) : rc;
}

static enum rc declare(struct call *c, enum declared what, struct err *e)
{
    uint64_t seq = 0;
    enum rc rc = control_repeated(c->control, &c->idempotency, &seq, e);
    if (rc == RC_NOT_FOUND) {
        rc = control_declare(c->control, c->arena, &c->who, what, &c->body, &c->idempotency, &seq, e);
    }
    if (rc != RC_OK) {
        return rc;
    }
    struct value v = value_object();
    value_add_str(c->arena, &v, STR("name"), value_text(value_get(&c->body, STR("name"))));
    value_add_int(c->arena, &v, STR("version"), (int64_t)seq);
    return call_reply(c, 201, v);
}

enum rc agents_declare(struct call *c, struct err *e)
{
    return declare(c, DECLARED_AGENT, e);
}

enum rc services_declare(struct call *c, struct err *e)
{
    struct str name = value_text(value_get(&c->body, STR("name")));
    if (!call_may_write_service(c, name)) {
        return err_set(e, RC_DENIED, "this source may not write %.*s", STR_ARG(name));
    }
    return declare(c, DECLARED_SERVICE, e);
}

enum rc tools_declare(struct call *c, struct err *e)
{
    const struct value *services = value_get(&c->body, STR("services"));
    for (uint32_t i = 0; services != NULL && services->type == VALUE_ARRAY && i < services->count; i++) {
        if (!call_may_write_service(c, value_text(&services->items[i]))) {
            return err_set(e, RC_DENIED, "this source may not write %.*s",
                           STR_ARG(value_text(&services->items[i])));
        }
    }
    if (services == NULL && (c->who.roles & ROLE_ADMIN) == 0) {
        return err_set(e, RC_DENIED, "a source declares tools for its own services only");
    }
    return declare(c, DECLARED_TOOL, e);
}

enum rc signals_list(struct call *c, struct err *e)
{
    (void)e;
    const struct world *w = control_world(c->control);
    int64_t now = control_now(c->control);
    struct value items = value_array();
    for (uint32_t i = 0; i < world_service_count(w) && items.count < API_LIST_MAX; i++) {
        if (world_service_at(w, i)->def == NULL || !world_service_at(w, i)->def->has_slo) {
            continue;
        }
        struct value v = value_object();
        value_add_str(c->arena, &v, STR("signal"), STR("error_budget"));
        struct value budget = budget_of_service(c, i);
        for (uint32_t k = 0; k < budget.count && budget.type == VALUE_OBJECT; k++) {
            value_add(c->arena, &v, budget.members[k].name, budget.members[k].value);
        }
        value_push(c->arena, &items, v);
    }
    struct aqdd q = world_aqdd(w, now);
    struct value v = value_object();
    value_add_str(c->arena, &v, STR("signal"), STR("aqdd"));
    value_add_int(c->arena, &v, STR("depth"), q.depth);
    value_add(c->arena, &v, STR("baseline"),
              q.baseline_milli < 0 ? value_null() : value_double((double)q.baseline_milli / 1000.0));
    value_add(c->arena, &v, STR("drift"),
              q.drift_milli < 0 ? value_null() : value_double((double)q.drift_milli / 1000.0));
    value_add_bool(c->arena, &v, STR("breach"), q.breach);
    value_push(c->arena, &items, v);
    return list_reply(c, items);
}
