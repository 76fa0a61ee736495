/*
 * api/memory - incidents, and what is remembered of them: opened, closed, recalled by the shape of their harm.
 */
#include "api/call.h"

#include "base/instant.h"
#include "cause/case_file.h"
#include "cause/shape.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { TRIED_MAX = PRECEDENT_TRIED_MAX, RECALL_SHOWN_MAX = 20, REMEDIES_MAX = 32 };

struct looked {
    struct causes_question question;
    struct value report;
    struct str shape;
};

/* Where the time is forgotten or nothing can be told, there is no shape, and that is no failure. */
static void look(struct call *c, struct looked *l)
{
    struct err ignored;
    bool told = causes_of(c, &l->question, &l->report, &ignored) == RC_OK;
    struct buf shape;
    buf_init(&shape, SHAPE_MAX - 1);
    if (told) {
        shape_of_report(&shape, world_graph(control_world(c->control)), &l->report, l->question.node, l->question.metric);
    }
    l->shape = arena_str(c->arena, buf_view(&shape));
    buf_done(&shape);
}

static const struct world_incident *incident_of(const struct call *c, uint64_t id)
{
    const struct world *w = control_world(c->control);
    for (uint32_t i = 0; i < world_incident_count(w); i++) {
        if (world_incident_at(w, i)->id == id) {
            return world_incident_at(w, i);
        }
    }
    return NULL;
}

/* --- opening --------------------------------------------------------------------------------------------------- */

struct incident_body {
    struct str service;
    int64_t symptom;
    int64_t at_ms;
    int64_t window_s;
    struct str reason;
};

static const char *const symptoms[] = {"any", "latency", "availability", NULL};

static const struct field incident_fields[] = {
    {"service", FIELD_NAME, FIELD_OF(struct incident_body, service), true, 0, 0, 0, NULL},
    {"symptom", FIELD_WORD, FIELD_OF(struct incident_body, symptom), false, 0, 0, 0, symptoms},
    {"at", FIELD_INSTANT, FIELD_OF(struct incident_body, at_ms), false, 0, 0, 0, NULL},
    {"window_s", FIELD_COUNT, FIELD_OF(struct incident_body, window_s), false, 300, 1, 86400, NULL},
    {"reason", FIELD_TEXT, FIELD_OF(struct incident_body, reason), false, 0, 0, 0, NULL},
};

static struct value recall_value(struct call *c, struct str shape, uint32_t tool);

static enum rc open_reply(struct call *c, uint64_t id, const struct looked *l)
{
    struct arena *a = c->arena;
    struct value v = value_object();
    value_add_str(a, &v, STR("incident_id"), id_str(a, "inc", id));
    add_null_or_str(a, &v, STR("shape"), l->shape);
    value_add(a, &v, STR("recall"), l->shape.len == 0 ? value_null() : recall_value(c, l->shape, MAP_NONE));
    return call_reply(c, 201, v);
}

enum rc incidents_open(struct call *c, struct err *e)
{
    struct incident_body b;
    enum rc rc = call_fields(c, incident_fields, COUNT(incident_fields), &b, e);
    if (rc != RC_OK) {
        return rc;
    }
    const struct world *w = control_world(c->control);
    uint32_t service = world_service_find(w, b.service);
    if (service == MAP_NONE) {
        return err_at(e, RC_NOT_FOUND, STR("/service"), "no service is called \"%.*s\"", STR_ARG(b.service));
    }
    struct looked l = {.question = {.node = world_service_at(w, service)->node,
                                    .at_ms = b.at_ms == 0 ? control_now(c->control) : b.at_ms,
                                    .window_ms = b.window_s * SECOND_MS,
                                    .metric = str_from(symptoms[b.symptom])}};
    uint64_t id;
    rc = control_repeated(c->control, &c->idempotency, &id, e);
    if (rc == RC_NOT_FOUND) {
        look(c, &l);
        const struct incident_report r = {b.service, str_from(symptoms[b.symptom]), l.shape, b.reason, l.question.at_ms};
        rc = control_incident_open(c->control, c->arena, &c->who, &r, &c->idempotency, &id, e);
    }
    if (rc != RC_OK) {
        return rc;
    }
    const struct world_incident *x = incident_of(c, id);
    l.shape = x == NULL ? STR("") : str_from(x->shape);
    return open_reply(c, id, &l);
}

/* --- closing ------------------------------------------------------------------------------------------------------ */

struct close_body {
    struct str reason;
    struct str resolved_by;
};

static const struct field close_fields[] = {
    {"reason", FIELD_TEXT, FIELD_OF(struct close_body, reason), true, 0, 0, 0, NULL},
    {"resolved_by", FIELD_TEXT, FIELD_OF(struct close_body, resolved_by), false, 0, 0, 0, NULL},
};

static bool is_on_way(const struct graph *g, const struct value *report, uint32_t node, uint32_t start)
{
    const struct value *chain = value_get(value_item(value_get(report, STR("causes")), 0), STR("chain"));
    bool on = node == start;
    for (uint32_t i = 0; value_item(chain, i) != NULL; i++) {
        on = on || str_eq(value_text(value_get(value_item(chain, i), STR("from"))), graph_name(g, node)) ||
             str_eq(value_text(value_get(value_item(chain, i), STR("to"))), graph_name(g, node));
    }
    return on;
}

/* Executions on the way of the harm since it began, the newest last. */
static uint32_t find_tried(struct call *c, const struct world_incident *x, const struct value *report, uint64_t tried[TRIED_MAX])
{
    const struct world *w = control_world(c->control);
    const struct graph *g = world_graph(w);
    struct graph_view now = graph_view_now(g);
    uint32_t start = x->service == MAP_NONE ? (uint32_t)MAP_NONE : world_service_at(w, x->service)->node;
    uint32_t first;
    uint32_t count = graph_changes(&now, x->at_ms, INT64_MAX, &first);
    uint32_t found = 0;
    for (uint32_t i = 0; i < count && found < TRIED_MAX; i++) {
        const struct graph_change *ch = graph_change_at(g, first + i);
        bool known = found > 0 && tried[found - 1] == ch->seq;
        if (ch->kind == NODE_ACTION && !known && is_on_way(g, report, ch->node, start)) {
            tried[found++] = ch->seq;
        }
    }
    return found;
}

/* Where no way of the harm is known: what an execution did by itself, or that something was wrong with a service. */
static struct str plain_shape(const struct call *c, const struct world_incident *x)
{
    const char *symptom = x->symptom[0] == '\0' ? "any" : x->symptom;
    return arena_printf(c->arena, "%sservice | %s", x->action != 0 ? "action change: " : "", symptom);
}

static enum rc close_it(struct call *c, uint64_t id, const struct close_body *b, struct err *e)
{
    const struct world_incident *x = incident_of(c, id);
    uint64_t tried[TRIED_MAX];
    struct incident_end end = {.reason = b->reason, .tried = tried};
    struct looked l = {.report = value_null()};
    if (b->resolved_by.len > 0 && (!id_parse(b->resolved_by, "act", &end.resolved_by) ||
                                   world_action(control_world(c->control), end.resolved_by) == NULL)) {
        return err_at(e, RC_INVALID, STR("/resolved_by"), "expected the id of an action that is in memory");
    }
    if (x != NULL && x->service != MAP_NONE) {
        l.question = (struct causes_question){world_service_at(control_world(c->control), x->service)->node, x->at_ms,
                                              CASE_FILE_WINDOW_MS, str_from(x->symptom)};
        look(c, &l);
        end.shape = x->shape[0] != '\0' ? str_from(x->shape) : l.shape;
        end.shape = end.shape.len > 0 ? end.shape : plain_shape(c, x);
        end.tried_count = find_tried(c, x, &l.report, tried);
    }
    return control_incident_close(c->control, c->arena, &c->who, id, &end, &c->idempotency, e);
}

enum rc incidents_close(struct call *c, struct err *e)
{
    uint64_t id;
    uint64_t first;
    struct close_body b;
    enum rc rc = call_id(c, 0, "inc", &id, e);
    rc = rc == RC_OK ? call_fields(c, close_fields, COUNT(close_fields), &b, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    rc = control_repeated(c->control, &c->idempotency, &first, e);
    rc = rc == RC_NOT_FOUND ? close_it(c, id, &b, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    struct value v = value_object();
    value_add_str(c->arena, &v, STR("incident_id"), id_str(c->arena, "inc", id));
    value_add_str(c->arena, &v, STR("state"), STR("closed"));
    return call_reply(c, 200, v);
}

/* --- recall -------------------------------------------------------------------------------------------------------- */

static struct value precedent_value(struct call *c, const struct world_precedent *p)
{
    struct arena *a = c->arena;
    const struct world *w = control_world(c->control);
    struct value v = value_object();
    value_add_str(a, &v, STR("incident_id"), id_str(a, "inc", p->incident));
    add_null_or_str(a, &v, STR("service"), p->service == MAP_NONE ? STR("") : str_from(world_service_at(w, p->service)->name));
    value_add_instant(a, &v, STR("at"), p->at_ms);
    value_add_instant(a, &v, STR("closed_at"), p->closed_ms);
    value_add_int(a, &v, STR("closed_by_entry"), (int64_t)p->closed_seq);
    add_null_or_str(a, &v, STR("resolved_by"), p->action == 0 ? STR("") : id_str(a, "act", p->action));
    add_null_or_str(a, &v, STR("tool"), p->tool == MAP_NONE ? STR("") : str_from(world_tool_at(w, p->tool)->name));
    struct value tried = value_array();
    for (uint32_t i = 0; i < p->tried_count; i++) {
        struct value row = value_object();
        value_add_str(a, &row, STR("tool"), str_from(world_tool_at(w, p->tried[i].tool)->name));
        value_add_bool(a, &row, STR("succeeded"), p->tried[i].good);
        value_push(a, &tried, row);
    }
    value_add(a, &v, STR("tried"), tried);
    return v;
}

static void add_tool(uint32_t tools[REMEDIES_MAX], uint32_t *count, uint32_t tool)
{
    bool known = tool == MAP_NONE || *count == REMEDIES_MAX;
    for (uint32_t i = 0; i < *count; i++) {
        known = known || tools[i] == tool;
    }
    if (!known) {
        tools[(*count)++] = tool;
    }
}

/* Tools by which incidents of the shape were resolved, or that were tried, with how often. */
static struct value remedies_value(struct call *c, struct str shape)
{
    struct arena *a = c->arena;
    const struct world *w = control_world(c->control);
    struct value all = value_array();
    uint32_t tools[REMEDIES_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < world_precedent_count(w); i++) {
        const struct world_precedent *p = world_precedent_at(w, i);
        for (uint32_t k = 0; str_eq(str_from(p->shape), shape) && k <= p->tried_count; k++) {
            add_tool(tools, &count, k == p->tried_count ? p->tool : p->tried[k].tool);
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        struct recall r = world_recall(w, shape, tools[i]);
        struct value row = value_object();
        value_add_str(a, &row, STR("tool"), str_from(world_tool_at(w, tools[i])->name));
        value_add_int(a, &row, STR("tried"), r.tried);
        value_add_int(a, &row, STR("resolved"), r.resolved);
        value_push(a, &all, row);
    }
    return all;
}

static struct value recall_value(struct call *c, struct str shape, uint32_t tool)
{
    struct arena *a = c->arena;
    const struct world *w = control_world(c->control);
    struct recall r = world_recall(w, shape, tool);
    struct value v = value_object();
    value_add_str(a, &v, STR("shape"), shape);
    value_add_int(a, &v, STR("seen"), r.seen);
    if (r.seen > 0) {
        value_add_instant(a, &v, STR("first_at"), r.first_ms);
        value_add_instant(a, &v, STR("last_at"), r.last_ms);
    }
    value_add(a, &v, STR("remedies"), r.seen == 0 ? value_array() : remedies_value(c, shape));
    struct value precedents = value_array();
    for (uint32_t i = world_precedent_count(w); i-- > 0 && precedents.count < RECALL_SHOWN_MAX;) {
        const struct world_precedent *p = world_precedent_at(w, i);
        if (str_eq(str_from(p->shape), shape)) {
            value_push(a, &precedents, precedent_value(c, p));
        }
    }
    value_add(a, &v, STR("precedents"), precedents);
    return v;
}

struct recall_body {
    struct str shape;
    struct str service;
    int64_t symptom;
    int64_t at_ms;
    int64_t window_s;
};

static const struct field recall_fields[] = {
    {"shape", FIELD_TEXT, FIELD_OF(struct recall_body, shape), false, 0, 0, 0, NULL},
    {"service", FIELD_TEXT, FIELD_OF(struct recall_body, service), false, 0, 0, 0, NULL},
    {"symptom", FIELD_WORD, FIELD_OF(struct recall_body, symptom), false, 0, 0, 0, symptoms},
    {"at", FIELD_INSTANT, FIELD_OF(struct recall_body, at_ms), false, 0, 0, 0, NULL},
    {"window_s", FIELD_COUNT, FIELD_OF(struct recall_body, window_s), false, 300, 1, 86400, NULL},
};

/* Readers are policy: an agent asks only when it is one of them. */
static bool may_recall(const struct call *c)
{
    const struct policy *p = world_policy(control_world(c->control));
    if (c->who.agent == MAP_NONE || p == NULL || p->memory_readers.count == 0) {
        return true;
    }
    return any_glob(&p->memory_readers, str_from(world_agent_at(control_world(c->control), c->who.agent)->name));
}

static enum rc shape_asked(struct call *c, const struct recall_body *b, struct str *ret, struct err *e)
{
    *ret = b->shape;
    if (b->shape.len > 0) {
        return b->shape.len < SHAPE_MAX ? RC_OK : err_at(e, RC_INVALID, STR("/shape"), "expected at most %d bytes", SHAPE_MAX - 1);
    }
    uint32_t node = graph_find_key(world_graph(control_world(c->control)), b->service);
    if (b->service.len == 0 || node == MAP_NONE) {
        return err_at(e, b->service.len == 0 ? RC_INVALID : RC_NOT_FOUND, STR("/service"), "expected a shape, or a node of the graph");
    }
    struct looked l = {.question = {node, b->at_ms == 0 ? control_now(c->control) : b->at_ms, b->window_s * SECOND_MS,
                                    str_from(symptoms[b->symptom])}};
    look(c, &l);
    *ret = l.shape;
    return RC_OK;
}

enum rc memory_recall(struct call *c, struct err *e)
{
    struct recall_body b;
    struct str shape;
    uint64_t seq;
    enum rc rc = call_fields(c, recall_fields, COUNT(recall_fields), &b, e);
    if (rc == RC_OK && !may_recall(c)) {
        return err_set(e, RC_DENIED, "the policy's memory_readers does not name this agent");
    }
    rc = rc == RC_OK ? shape_asked(c, &b, &shape, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    struct value v = recall_value(c, shape, MAP_NONE);
    int64_t seen = value_integer_or(value_get(&v, STR("seen")), 0);
    rc = control_memory_read(c->control, c->arena, &c->who, shape, seen, &seq, e);
    value_add_int(c->arena, &v, STR("read_entry"), (int64_t)seq);
    return rc == RC_OK ? call_reply(c, 200, v) : rc;
}
