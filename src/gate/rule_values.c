/*
 * gate/rule_values - C structs seen as the objects of policy/rule_vars.
 *
 * All of it comes from the request, the facts, the agent's and the tool's definition: what a record holds or names by
 * version, so that a replay evaluates a rule on the same values. What rules read of services, which no version of a
 * record names, stands in the fact `seen`.
 */
#include "gate/rule_values.h"

static struct cel_value text(struct str s)
{
    return cel_of_str(s);
}

static struct cel_value percent(int64_t ppm)
{
    return cel_of_double(ppm_to_percent(ppm));
}

static const struct value no_members = {.type = VALUE_OBJECT};

static struct cel_value map_of(const struct value *v)
{
    return cel_of_json(value_is(v, VALUE_OBJECT) ? v : &no_members);
}

static struct cel_value list_of(const struct value *v)
{
    return value_is(v, VALUE_ARRAY) ? cel_of_json(v) : cel_of_list(NULL, 0);
}

static void text_at(const void *self, uint32_t i, struct arena *scope, struct cel_value *ret)
{
    (void)scope;
    *ret = text(((const struct str *)self)[i]);
}

static const struct cel_list_ops texts_ops = {text_at};

static struct cel_value texts(const struct str *all, uint32_t count)
{
    return cel_of_items(all, count, &texts_ops);
}

static const struct check_input *input_of(const struct rule_object *self)
{
    return ((const struct rule_view *)(const void *)self)->in;
}

/* --- agent -------------------------------------------------------------------------------------------------- */

static const char *identity_word(enum identity_kind k)
{
    return k == IDENTITY_NONE ? "none" : k == IDENTITY_ASSERTED ? "asserted" : "attested";
}

static bool get_agent(const struct rule_object *self, unsigned field, struct arena *scope, struct cel_value *ret)
{
    (void)scope;
    static const struct agent_def nobody = {.name = {"", 0}};
    const struct check_input *in = input_of(self);
    const struct agent_def *def = in->agent == NULL ? &nobody : in->agent;
    switch ((enum rule_agent_field)field) {
    case RULE_AGENT_NAME: *ret = text(in->request->agent); break;
    case RULE_AGENT_HUMAN: *ret = cel_of_bool(by_human(in)); break;
    case RULE_AGENT_OWNER: *ret = text(def->owner); break;
    case RULE_AGENT_TEAM: *ret = text(def->team); break;
    case RULE_AGENT_ROLES: *ret = texts(def->roles.items, def->roles.count); break;
    case RULE_AGENT_LABELS: *ret = map_of(def->labels); break;
    case RULE_AGENT_TIER: *ret = text(str_from(tier_name(effective_tier(in)))); break;
    case RULE_AGENT_MODEL: *ret = text(def->model); break;
    case RULE_AGENT_PROMPT_VERSION: *ret = text(def->prompt_version); break;
    case RULE_AGENT_IDENTITY: *ret = text(str_from(identity_word(in->facts->identity))); break;
    case RULE_AGENT_ACTS_FOR: *ret = list_of(in->request->act); break;
    case RULE_AGENT_BREAKER: *ret = text(str_from(breaker_phase_name(in->facts->breaker))); break;
    case RULE_AGENT_ADVISORY: *ret = cel_of_bool(def->advisory || in->facts->chain_advisory || in->policy->advisory); break;
    case RULE_AGENT_PENDING: *ret = cel_of_int(in->facts->pending_of_agent); break;
    case RULE_AGENT_FIELDS: return false;
    }
    return true;
}

/* --- action ------------------------------------------------------------------------------------------------- */

static bool get_surfaces(const struct check_input *in, struct arena *scope, struct cel_value *ret)
{
    uint32_t count = 0;
    struct str surface;
    while (surface_at(in, count, &surface)) {
        count++;
    }
    struct cel_value *items = arena_array(scope, count, sizeof *items);
    for (uint32_t i = 0; items != NULL && surface_at(in, i, &surface); i++) {
        items[i] = text(surface);
    }
    *ret = cel_of_list(items, count);
    return items != NULL || count == 0;
}

static bool get_action(const struct rule_object *self, unsigned field, struct arena *scope, struct cel_value *ret)
{
    const struct check_input *in = input_of(self);
    const struct tool_def *tool = in->request->tool;
    switch ((enum rule_action_field)field) {
    case RULE_ACTION_TOOL: *ret = text(tool == NULL ? STR("") : tool->name); break;
    case RULE_ACTION_CLASS: *ret = text(tool == NULL ? STR("shell") : str_from(tool_class_name(tool->class))); break;
    case RULE_ACTION_TASK_CLASS: *ret = text(tool == NULL ? STR("") : tool->task_class); break;
    case RULE_ACTION_PARAMS: *ret = map_of(&in->request->parameters); break;
    case RULE_ACTION_TARGET: *ret = text(in->request->target); break;
    case RULE_ACTION_REVERSIBLE: *ret = cel_of_bool(tool != NULL && tool->reversible); break;
    case RULE_ACTION_TWO_PHASE: *ret = cel_of_bool(tool != NULL && tool->two_phase); break;
    case RULE_ACTION_SURFACES: return get_surfaces(in, scope, ret);
    case RULE_ACTION_LABELS: *ret = map_of(tool == NULL ? NULL : tool->labels); break;
    case RULE_ACTION_BREAK_GLASS: *ret = cel_of_bool(in->request->break_glass.len > 0); break;
    case RULE_ACTION_FIELDS: return false;
    }
    return true;
}

/* --- services ------------------------------------------------------------------------------------------------- */

static bool get_service(const struct rule_object *self, unsigned field, struct arena *scope, struct cel_value *ret)
{
    (void)scope;
    const struct value *v = ((const struct seen_view *)(const void *)self)->v;
    double share = 0;
    switch ((enum rule_service_field)field) {
    case RULE_SERVICE_NAME: *ret = text(value_text(value_get(v, STR("name")))); break;
    case RULE_SERVICE_OWNER: *ret = text(value_text(value_get(v, STR("owner")))); break;
    case RULE_SERVICE_ZONE: *ret = text(value_text(value_get(v, STR("zone")))); break;
    case RULE_SERVICE_TRAFFIC_PCT:
        *ret = cel_of_double(value_number(value_get(v, STR("traffic_pct")), &share) ? share : 0);
        break;
    case RULE_SERVICE_DEPENDS_ON: *ret = list_of(value_get(v, STR("depends_on"))); break;
    case RULE_SERVICE_LABELS: *ret = map_of(value_get(v, STR("labels"))); break;
    case RULE_SERVICE_FIELDS: return false;
    }
    return true;
}

static void service_at(const void *self, uint32_t i, struct arena *scope, struct cel_value *ret)
{
    struct seen_view *o = arena_alloc(scope, sizeof *o);
    if (o != NULL) {
        *o = (struct seen_view){{.get = get_service}, value_item(self, i)};
        *ret = cel_of_object(&rule_service, o);
    }
}

static const struct cel_list_ops services_ops = {service_at};

static struct value service_view(struct arena *a, const struct service_def *def)
{
    struct value v = value_object();
    struct value calls = value_array();
    for (uint32_t i = 0; i < def->depends_on.count; i++) {
        value_push(a, &calls, value_string(def->depends_on.items[i]));
    }
    if (calls.count > 0) {
        value_add(a, &v, STR("depends_on"), calls);
    }
    if (def->labels != NULL) {
        value_add(a, &v, STR("labels"), *def->labels);
    }
    value_add_str(a, &v, STR("name"), def->name);
    if (def->owner.len > 0) {
        value_add_str(a, &v, STR("owner"), def->owner);
    }
    if (def->traffic_ppm > 0) {
        value_add(a, &v, STR("traffic_pct"), value_double(ppm_to_percent(def->traffic_ppm)));
    }
    if (def->zone.len > 0) {
        value_add_str(a, &v, STR("zone"), def->zone);
    }
    return v;
}

/* --- what no other fact says ------------------------------------------------------------------------------------ */

static void see_memory(const struct gate_input *in, struct arena *a, struct value *v)
{
    const struct request *q = in->request;
    const struct world_pattern *worst = NULL;
    uint32_t where = 0;
    for (uint32_t i = 0; q->tool_index != MAP_NONE && i < q->service_count; i++) {
        const struct world_pattern *p = world_pattern(in->world, q->tool_index, q->services[i]);
        if (p != NULL && (worst == NULL || p->failed > worst->failed)) {
            worst = p;
            where = q->services[i];
        }
    }
    if (worst != NULL) {
        struct value memory = value_array();
        value_push(a, &memory, value_int((int64_t)worst->n));
        value_push(a, &memory, value_int((int64_t)worst->failed));
        value_push(a, &memory, value_string(str_from(world_service_at(in->world, where)->name)));
        value_add(a, v, STR("memory"), memory);
    }
}

struct value rule_seen(const struct gate_input *in, struct arena *a)
{
    const struct request *q = in->request;
    struct value v = value_object();
    struct value services = value_array();
    int64_t executing = 0;
    for (uint32_t i = 0; i < q->service_count; i++) {
        const struct world_service *s = world_service_at(in->world, q->services[i]);
        executing = (int64_t)s->executing > executing ? (int64_t)s->executing : executing;
        if (s->def != NULL) {
            value_push(a, &services, service_view(a, s->def));
        }
    }
    if (executing > 0) {
        value_add_int(a, &v, STR("executing"), executing);
    }
    see_memory(in, a, &v);
    if (services.count > 0) {
        value_add(a, &v, STR("services"), services);
    }
    return v;
}

/* --- signals, budgets, impact, memory ------------------------------------------------------------------------------ */

static bool is_measured(const struct budget_fact *b)
{
    return b->state == SIGNAL_KNOWN || b->state == SIGNAL_NO_TRAFFIC;
}

static bool get_upstream(const struct facts *f, struct cel_value *ret)
{
    const struct budget_fact *lowest = NULL;
    for (unsigned i = 0; i < f->upstream_count; i++) {
        const struct budget_fact *b = &f->upstream[i];
        if (is_measured(b) && (lowest == NULL || b->remaining_ppm < lowest->remaining_ppm)) {
            lowest = b;
        }
    }
    if (lowest != NULL) {
        *ret = percent(lowest->remaining_ppm);
    }
    return lowest != NULL;
}

static void freeze_at(const void *self, uint32_t i, struct arena *scope, struct cel_value *ret)
{
    (void)scope;
    *ret = text(((const struct freeze_fact *)self)[i].freeze);
}

static void deploy_at(const void *self, uint32_t i, struct arena *scope, struct cel_value *ret)
{
    (void)scope;
    *ret = text(((const struct deploy_fact *)self)[i].service);
}

static const struct cel_list_ops freezes_ops = {freeze_at}, deploys_ops = {deploy_at};

static bool get_signals(const struct rule_object *self, unsigned field, struct arena *scope, struct cel_value *ret)
{
    (void)scope;
    const struct check_input *in = input_of(self);
    const struct facts *f = in->facts;
    switch ((enum rule_signals_field)field) {
    case RULE_SIGNALS_AQDD_DEPTH:
        *ret = cel_of_int(f->aqdd_depth);
        return f->aqdd_known;
    case RULE_SIGNALS_AQDD_DRIFT:
        *ret = cel_of_double((double)f->aqdd_drift_milli / 1000.0);
        return f->aqdd_known && f->aqdd_drift_milli >= 0;
    case RULE_SIGNALS_HER_PCT:
        *ret = percent(f->her_ppm);
        return f->her_known && f->her_sample >= in->thresholds->at[HER_MIN_SAMPLE];
    case RULE_SIGNALS_HER_SAMPLE: *ret = cel_of_int(f->her_sample); break;
    case RULE_SIGNALS_UPSTREAM_BUDGET_PCT: return get_upstream(f, ret);
    case RULE_SIGNALS_FREEZES: *ret = cel_of_items(f->freezes, f->freeze_count, &freezes_ops); break;
    case RULE_SIGNALS_DEPLOYS: *ret = cel_of_items(f->deploys, f->deploy_count, &deploys_ops); break;
    case RULE_SIGNALS_EXECUTING: *ret = cel_of_int(value_integer_or(value_get(f->seen, STR("executing")), 0)); break;
    case RULE_SIGNALS_ON_CALL_INCIDENTS:
        *ret = cel_of_int(f->on_call_incidents);
        return f->on_call_busiest.len > 0;
    case RULE_SIGNALS_CLOCK_OK: *ret = cel_of_bool(f->clock_ok); break;
    case RULE_SIGNALS_FIELDS: return false;
    }
    return true;
}

static bool get_budget(const struct rule_object *self, unsigned field, struct arena *scope, struct cel_value *ret)
{
    (void)scope;
    static const struct budget_fact none = {.state = SIGNAL_UNKNOWN, .age_ms = -1};
    const struct rule_view *view = (const struct rule_view *)(const void *)self;
    const struct facts *f = view->in->facts;
    const struct budget_fact *b = view->index < f->budget_count ? &f->budgets[view->index] : &none;
    switch ((enum rule_budget_field)field) {
    case RULE_BUDGET_SERVICE: *ret = text(b->service); break;
    case RULE_BUDGET_KNOWN: *ret = cel_of_bool(is_measured(b)); break;
    case RULE_BUDGET_REMAINING_PCT:
        *ret = percent(b->remaining_ppm);
        return is_measured(b);
    case RULE_BUDGET_AGE:
        *ret = cel_of_duration(b->age_ms * 1000000);
        return b->age_ms >= 0;
    case RULE_BUDGET_SOURCE: *ret = text(b->source); break;
    case RULE_BUDGET_DEPENDANT: *ret = cel_of_bool(b->dependant); break;
    case RULE_BUDGET_FIELDS: return false;
    }
    return true;
}

/* The i-th worst: what is not known first, then the lowest. The list is short. */
static uint32_t budget_rank(const struct facts *f, uint32_t rank)
{
    for (uint32_t i = 0; i < f->budget_count; i++) {
        uint32_t before = 0;
        int64_t own = is_measured(&f->budgets[i]) ? f->budgets[i].remaining_ppm : INT64_MIN;
        for (uint32_t k = 0; k < f->budget_count; k++) {
            int64_t other = is_measured(&f->budgets[k]) ? f->budgets[k].remaining_ppm : INT64_MIN;
            before += other < own || (other == own && k < i) ? 1 : 0;
        }
        if (before == rank) {
            return i;
        }
    }
    return f->budget_count;
}

static void budget_at(const void *self, uint32_t i, struct arena *scope, struct cel_value *ret)
{
    const struct check_input *in = self;
    struct rule_view *view = arena_alloc(scope, sizeof *view);
    if (view != NULL) {
        *view = (struct rule_view){{.get = get_budget}, in, budget_rank(in->facts, i)};
        *ret = cel_of_object(&rule_budget, view);
    }
}

static const struct cel_list_ops budgets_ops = {budget_at};

static bool get_impact(const struct rule_object *self, unsigned field, struct arena *scope, struct cel_value *ret)
{
    (void)scope;
    const struct facts *f = input_of(self)->facts;
    switch ((enum rule_impact_field)field) {
    case RULE_IMPACT_TRAFFIC_PCT: *ret = percent(f->blast_ppm); break;
    case RULE_IMPACT_DECLARED: *ret = cel_of_bool(f->blast_declared); break;
    case RULE_IMPACT_SERVICES: *ret = cel_of_int(f->blast_services); break;
    case RULE_IMPACT_ZONES: *ret = texts(f->zones, f->zone_count); break;
    case RULE_IMPACT_CROSSES_ZONE: *ret = cel_of_bool(f->zone_outside); break;
    case RULE_IMPACT_FIELDS: return false;
    }
    return true;
}

static bool get_memory(const struct rule_object *self, unsigned field, struct arena *scope, struct cel_value *ret)
{
    (void)scope;
    const struct value *memory = value_get(input_of(self)->facts->seen, STR("memory"));
    switch ((enum rule_memory_field)field) {
    case RULE_MEMORY_OUTCOMES: *ret = cel_of_int(value_integer_or(value_item(memory, 0), 0)); break;
    case RULE_MEMORY_FAILED: *ret = cel_of_int(value_integer_or(value_item(memory, 1), 0)); break;
    case RULE_MEMORY_SERVICE: *ret = text(value_text(value_item(memory, 2))); break;
    case RULE_MEMORY_FIELDS: return false;
    }
    return true;
}

/* --- diff --------------------------------------------------------------------------------------------------------- */

static struct cel_value any(const struct value *v)
{
    return v == NULL ? cel_of_null() : cel_of_json(v);
}

static bool get_change(const struct rule_object *self, unsigned field, struct arena *scope, struct cel_value *ret)
{
    (void)scope;
    const struct change_view *c = (const struct change_view *)(const void *)self;
    switch ((enum rule_change_field)field) {
    case RULE_CHANGE_KIND: *ret = text(c->kind); break;
    case RULE_CHANGE_RESOURCE: *ret = text(value_text(value_get(c->row, STR("resource")))); break;
    case RULE_CHANGE_PATH: *ret = text(value_text(value_get(c->row, STR("path")))); break;
    case RULE_CHANGE_SURFACE: *ret = text(c->surface); break;
    case RULE_CHANGE_SURFACES: *ret = list_of(c->surfaces); break;
    case RULE_CHANGE_BEFORE: *ret = any(value_get(c->row, STR("before"))); break;
    case RULE_CHANGE_AFTER: *ret = any(value_get(c->row, STR("after"))); break;
    case RULE_CHANGE_DESTRUCTIVE: *ret = cel_of_bool(value_bool_or(value_get(c->row, STR("destructive")), false)); break;
    case RULE_CHANGE_REVERSIBLE: *ret = cel_of_bool(value_bool_or(value_get(c->row, STR("reversible")), false)); break;
    case RULE_CHANGE_FACTS: *ret = list_of(value_get(c->row, STR("facts"))); break;
    case RULE_CHANGE_FIELDS: return false;
    }
    return true;
}

static void change_at(const void *self, uint32_t i, struct arena *scope, struct cel_value *ret)
{
    (void)scope;
    *ret = cel_of_object(&rule_change, &((const struct change_view *)self)[i]);
}

static const struct cel_list_ops changes_ops = {change_at};

static bool get_diff(const struct rule_object *self, unsigned field, struct arena *scope, struct cel_value *ret)
{
    (void)scope;
    const struct diff_view *d = (const struct diff_view *)(const void *)self;
    const struct value *summary = value_get(d->request->changes, STR("summary"));
    switch ((enum rule_diff_field)field) {
    case RULE_DIFF_CHANGES: *ret = cel_of_items(d->changes, d->count, &changes_ops); break;
    case RULE_DIFF_OVER: *ret = cel_of_bool(d->over); break;
    case RULE_DIFF_DESTRUCTIVE: *ret = cel_of_int(value_integer_or(value_get(summary, STR("destructive")), 0)); break;
    case RULE_DIFF_SURFACES: *ret = list_of(value_get(summary, STR("surfaces"))); break;
    case RULE_DIFF_FACTS: *ret = list_of(value_get(summary, STR("facts"))); break;
    case RULE_DIFF_FORMAT: *ret = text(value_text(value_get(d->request->changes, STR("format")))); break;
    case RULE_DIFF_RAW: *ret = any(d->request->diff); break;
    case RULE_DIFF_FIELDS: return false;
    }
    return true;
}

static struct diff_view diff_of(const struct request *q, struct arena *a)
{
    const struct value *rows = value_get(q->changes, STR("changes"));
    struct diff_view d = {.base = {.get = get_diff}, .request = q};
    d.over = value_bool_or(value_get(q->changes, STR("over")), q->diff != NULL && q->changes == NULL);
    uint32_t count = value_is(rows, VALUE_ARRAY) ? rows->count : 0;
    d.changes = arena_array(a, count, sizeof *d.changes);
    if (d.changes == NULL) {
        d.over = d.over || count > 0;
        return d;
    }
    struct cel_value *read = NULL;
    if (count <= CHANGES_REMEMBERED_MAX) {
        read = arena_array(a, (size_t)count * RULE_CHANGE_FIELDS, sizeof *read);
        d.items = arena_array(a, count, sizeof *d.items);
    }
    for (d.count = 0; d.count < count; d.count++) {
        const struct value *row = &rows->items[d.count];
        const struct value *surfaces = value_get(row, STR("surface"));
        struct rule_object base = {{read == NULL ? NULL : read + (size_t)d.count * RULE_CHANGE_FIELDS}, get_change};
        d.changes[d.count] = (struct change_view){base, row, surfaces, value_text(value_item(surfaces, 0)),
                                                  value_text(value_get(row, STR("kind")))};
        if (d.items != NULL) {
            change_at(d.changes, d.count, a, &d.items[d.count]);
        }
    }
    return d;
}

/* --- request ------------------------------------------------------------------------------------------------------- */

static bool get_request(const struct rule_object *self, unsigned field, struct arena *scope, struct cel_value *ret)
{
    (void)scope;
    const struct request *q = input_of(self)->request;
    switch ((enum rule_request_field)field) {
    case RULE_REQUEST_INTENT: *ret = text(q->intent); break;
    case RULE_REQUEST_WANTS_PERSON: *ret = text(q->wants_person); break;
    case RULE_REQUEST_CLAIMED_TOOL: *ret = text(q->claimed_tool); break;
    case RULE_REQUEST_CLAIMED_SERVICE: *ret = text(q->claimed_service); break;
    case RULE_REQUEST_MODEL: *ret = text(q->model); break;
    case RULE_REQUEST_PROMPT_VERSION: *ret = text(q->prompt_version); break;
    case RULE_REQUEST_CONTEXTS: *ret = list_of(q->contexts); break;
    case RULE_REQUEST_PROPERTIES: *ret = map_of(q->properties); break;
    case RULE_REQUEST_PERSON: *ret = text(q->person); break;
    case RULE_REQUEST_BEHALF: *ret = text(q->behalf); break;
    case RULE_REQUEST_FIELDS: return false;
    }
    return true;
}

/* --- all ------------------------------------------------------------------------------------------------------------ */

void rule_values(const struct check_input *in, struct rule_views *views, struct cel_value *ret_vars)
{
    static const struct value no_items = {.type = VALUE_ARRAY};
    const struct value *services = value_get(in->facts->seen, STR("services"));
    services = value_is(services, VALUE_ARRAY) ? services : &no_items;
    uint32_t worst = budget_rank(in->facts, 0);
    *views = (struct rule_views){
        .agent = {{{views->read.agent}, get_agent}, in, 0},
        .action = {{{views->read.action}, get_action}, in, 0},
        .signals = {{{views->read.signals}, get_signals}, in, 0},
        .budget = {{{views->read.budget}, get_budget}, in, worst},
        .impact = {{{views->read.impact}, get_impact}, in, 0},
        .memory = {{{views->read.memory}, get_memory}, in, 0},
        .diff = diff_of(in->request, in->arena),
        .request = {{{views->read.request}, get_request}, in, 0},
        .service = {{{views->read.service}, get_service}, value_item(services, 0)},
    };
    views->diff.base.remembered.fields = views->read.diff;
    if (views->diff.items != NULL) {
        views->read.diff[RULE_DIFF_CHANGES] = cel_of_list(views->diff.items, views->diff.count);
    }
    ret_vars[RULE_VAR_AGENT] = cel_of_object(&rule_agent, &views->agent);
    ret_vars[RULE_VAR_ACTION] = cel_of_object(&rule_action, &views->action);
    ret_vars[RULE_VAR_TARGET] = text(in->request->target);
    ret_vars[RULE_VAR_SERVICE] = cel_of_object(&rule_service, &views->service);
    ret_vars[RULE_VAR_SERVICES] = cel_of_items(services, services->count, &services_ops);
    ret_vars[RULE_VAR_SIGNALS] = cel_of_object(&rule_signals, &views->signals);
    ret_vars[RULE_VAR_BUDGET] = cel_of_object(&rule_budget, &views->budget);
    ret_vars[RULE_VAR_BUDGETS] = cel_of_items(in, in->facts->budget_count, &budgets_ops);
    ret_vars[RULE_VAR_IMPACT] = cel_of_object(&rule_impact, &views->impact);
    ret_vars[RULE_VAR_MEMORY] = cel_of_object(&rule_memory, &views->memory);
    ret_vars[RULE_VAR_DIFF] = cel_of_object(&rule_diff, &views->diff);
    ret_vars[RULE_VAR_PLAN] = map_of(in->request->plan);
    ret_vars[RULE_VAR_REQUEST] = cel_of_object(&rule_request, &views->request);
    int64_t seconds = in->now_ms / 1000;
    ret_vars[RULE_VAR_NOW] = cel_of_timestamp(seconds, (uint32_t)(in->now_ms - seconds * 1000) * 1000000U);
}
