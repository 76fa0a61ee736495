#include "policy/policy_internal.h"

#include "base/instant.h"
#include "base/must.h"
#include "value/json.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const char *const policy_modes[] = {"enforce", "advisory", NULL};

/* What stands at the top of a policy, before its lists are read. */
struct policy_parts {
    struct policy p;
    int64_t mode;
    const struct value *checks;
    const struct value *limits;
    const struct value *agents;
    const struct value *services;
    const struct value *tools;
    const struct value *task_classes;
    const struct value *freezes;
    const struct value *permissions;
    const struct value *zone_exceptions;
    const struct value *surfaces;
    const struct value *quorum;
    const struct value *rules;
    const struct value *validators;
};

#define PART(member) FIELD_OF(struct policy_parts, member)

static const struct field policy_fields[] = {
    {"mode", FIELD_WORD, PART(mode), false, 0, 0, 0, policy_modes},
    {"proposal_ttl", FIELD_SPAN, PART(p.proposal_ttl_ms), false, HOUR_MS, 1000, 7LL * DAY_MS, NULL},
    {"approval_ttl", FIELD_SPAN, PART(p.approval_ttl_ms), false, HOUR_MS, 1000, 7LL * DAY_MS, NULL},
    {"start_deadline", FIELD_SPAN, PART(p.start_deadline_ms), false, 30000, 1000, HOUR_MS, NULL},
    {"heartbeat", FIELD_SPAN, PART(p.heartbeat_ms), false, 60000, 1000, HOUR_MS, NULL},
    {"max_silence", FIELD_SPAN, PART(p.max_silence_ms), false, 600000, 1000, HOUR_MS, NULL},
    {"resume_by_another", FIELD_BOOL, PART(p.resume_by_another), false, 1, 0, 0, NULL},
    {"owner_approves", FIELD_BOOL, PART(p.owner_approves), false, 0, 0, 0, NULL},
    {"memory_keep", FIELD_SPAN, PART(p.memory_keep_ms), false, 550LL * DAY_MS, DAY_MS, 3660LL * DAY_MS, NULL},
    {"memory_readers", FIELD_TEXTS, PART(p.memory_readers), false, 0, 0, 0, NULL},
    {"limits", FIELD_VALUE, PART(limits), false, 0, 0, 0, NULL},
    {"checks", FIELD_VALUE, PART(checks), false, 0, 0, 0, NULL},
    {"task_classes", FIELD_VALUE, PART(task_classes), false, 0, 0, 0, NULL},
    {"agents", FIELD_VALUE, PART(agents), false, 0, 0, 0, NULL},
    {"services", FIELD_VALUE, PART(services), false, 0, 0, 0, NULL},
    {"tools", FIELD_VALUE, PART(tools), false, 0, 0, 0, NULL},
    {"permissions", FIELD_VALUE, PART(permissions), false, 0, 0, 0, NULL},
    {"freezes", FIELD_VALUE, PART(freezes), false, 0, 0, 0, NULL},
    {"zone_exceptions", FIELD_VALUE, PART(zone_exceptions), false, 0, 0, 0, NULL},
    {"surfaces", FIELD_VALUE, PART(surfaces), false, 0, 0, 0, NULL},
    {"quorum", FIELD_VALUE, PART(quorum), false, 0, 0, 0, NULL},
    {"rules", FIELD_VALUE, PART(rules), false, 0, 0, 0, NULL},
    {"validators", FIELD_VALUE, PART(validators), false, 0, 0, 0, NULL},
};

static const struct field limit_fields[] = {
    {"agents", FIELD_COUNT, FIELD_OF(struct policy_limits, agents), false, 10000, 1, 1000000, NULL},
    {"services", FIELD_COUNT, FIELD_OF(struct policy_limits, services), false, 10000, 1, 1000000, NULL},
    {"open_actions", FIELD_COUNT, FIELD_OF(struct policy_limits, open_actions), false, 10000, 1,
     100000000, NULL},
    {"pending_approvals", FIELD_COUNT, FIELD_OF(struct policy_limits, pending_approvals), false, 1000, 1,
     1000000, NULL},
    {"pending_per_agent", FIELD_COUNT, FIELD_OF(struct policy_limits, pending_per_agent), false, 2, 1,
     10000, NULL},
};

/* --- lists ------------------------------------------------------------------------------------ */

static enum rc read_task_class(struct reader *r, const struct value *v, void *out)
{
    struct {
        struct str name;
        const struct value *checks;
    } parts = {0};
    const struct field fields[] = {
        {"name", FIELD_NAME, 0, true, 0, 0, 0, NULL},
        {"checks", FIELD_VALUE, sizeof(struct str), true, 0, 0, 0, NULL},
    };
    enum rc rc = read_fields(r, v, fields, COUNT(fields), &parts);
    struct task_class *c = out;
    c->name = parts.name;
    return rc != RC_OK ? rc : reader_step(r, thresholds_read(r, parts.checks, &c->checks), "checks");
}

static struct value task_class_value(struct arena *a, const void *in)
{
    const struct task_class *c = in;
    struct value v = value_object();
    value_add_str(a, &v, STR("name"), c->name);
    value_add(a, &v, STR("checks"), threshold_changes_value(a, c->checks));
    return v;
}

static enum rc read_agent_row(struct reader *r, const struct value *v, void *out)
{
    return agent_def_read(r, v, out);
}

static enum rc read_service_row(struct reader *r, const struct value *v, void *out)
{
    return service_def_read(r, v, out);
}

static enum rc read_tool_row(struct reader *r, const struct value *v, void *out)
{
    return tool_def_read(r, v, out);
}

static struct value agent_row_value(struct arena *a, const void *in)
{
    return agent_def_value(a, in);
}

static struct value service_row_value(struct arena *a, const void *in)
{
    return service_def_value(a, in);
}

static struct value tool_row_value(struct arena *a, const void *in)
{
    return tool_def_value(a, in);
}

/* A list of named things: every row type begins with its struct str name (permissions have none). */
struct list_kind {
    const char *name;
    size_t row_size;
    bool named;
    enum rc (*read)(struct reader *r, const struct value *v, void *out);
    struct value (*write)(struct arena *a, const void *in);
};

static const struct list_kind agents_list = {"agents", sizeof(struct agent_def), true, read_agent_row,
                                             agent_row_value};
static const struct list_kind services_list = {"services", sizeof(struct service_def), true,
                                               read_service_row, service_row_value};
static const struct list_kind tools_list = {"tools", sizeof(struct tool_def), true, read_tool_row,
                                            tool_row_value};
static const struct list_kind classes_list = {"task_classes", sizeof(struct task_class), true,
                                              read_task_class, task_class_value};
static const struct list_kind freezes_list = {"freezes", sizeof(struct freeze), true, freeze_read,
                                              freeze_value};
static const struct list_kind permissions_list = {"permissions", sizeof(struct permission), false,
                                                  permission_read, permission_value};

static const struct list_kind zone_exceptions_list = {"zone_exceptions", sizeof(struct zone_exception), true,
                                                      zone_exception_read, zone_exception_value};
static const struct list_kind surfaces_list = {"surfaces", sizeof(struct surface_rule), true, surface_rule_read,
                                               surface_rule_value};
static const struct list_kind quorum_list = {"quorum", sizeof(struct quorum_rule), true, quorum_rule_read,
                                             quorum_rule_value};

static enum rc read_rows(struct reader *r, const struct value *v, const struct list_kind *kind,
                         char *rows, struct strmap *names)
{
    for (uint32_t i = 0; i < v->count; i++) {
        char *row = rows + i * kind->row_size;
        enum rc rc = kind->read(r, &v->items[i], row);
        struct str name = rc == RC_OK && kind->named ? *(struct str *)(void *)row : STR("");
        if (rc == RC_OK && kind->named && strmap_get(names, name) != MAP_NONE) {
            rc = reader_fail(r, &v->items[i], "%s: \"%.*s\" is declared twice", kind->name,
                             STR_ARG(name));
        }
        if (rc == RC_OK && kind->named) {
            rc = strmap_put(names, name, i);
        }
        if (rc != RC_OK) {
            return reader_step(r, reader_step_index(r, rc, i), kind->name);
        }
    }
    return RC_OK;
}

static enum rc read_list_of(struct reader *r, const struct value *v, const struct list_kind *kind,
                            int64_t max, void *ret_rows, uint32_t *ret_count)
{
    if (v == NULL) {
        return RC_OK;
    }
    if (!value_is(v, VALUE_ARRAY)) {
        return reader_step(r, reader_fail(r, v, "%s: expected a list", kind->name), kind->name);
    }
    if (v->count > max) {
        return err_set(r->e, RC_LIMIT, "%s: %u declared, the limit is %lld", kind->name, v->count,
                       (long long)max);
    }
    char *rows = arena_array(r->arena, v->count, kind->row_size);
    if (rows == NULL && v->count > 0) {
        return err_set(r->e, arena_rc(r->arena), "the configuration is too large");
    }
    struct strmap names;
    strmap_init(&names, 0);
    enum rc rc = read_rows(r, v, kind, rows, &names);
    strmap_done(&names);
    *(void **)ret_rows = rows;
    *ret_count = v->count;
    return rc;
}

static enum rc read_lists(struct reader *r, struct policy_parts *parts)
{
    struct policy *p = &parts->p;
    enum rc rc = read_list_of(r, parts->agents, &agents_list, p->limits.agents, &p->agents,
                              &p->agent_count);
    if (rc == RC_OK) {
        rc = read_list_of(r, parts->services, &services_list, p->limits.services, &p->services,
                          &p->service_count);
    }
    if (rc == RC_OK) {
        rc = read_list_of(r, parts->tools, &tools_list, FIELD_LIST_MAX, &p->tools, &p->tool_count);
    }
    if (rc == RC_OK) {
        rc = read_list_of(r, parts->task_classes, &classes_list, TASK_CLASSES_MAX, &p->classes,
                          &p->class_count);
    }
    if (rc == RC_OK) {
        rc = read_list_of(r, parts->freezes, &freezes_list, FREEZES_MAX, &p->freezes,
                          &p->freeze_count);
    }
    if (rc == RC_OK) {
        rc = read_list_of(r, parts->permissions, &permissions_list, PERMISSIONS_MAX, &p->permissions,
                          &p->permission_count);
    }
    if (rc == RC_OK) {
        rc = read_list_of(r, parts->zone_exceptions, &zone_exceptions_list, ZONE_EXCEPTIONS_MAX, &p->zone_exceptions,
                          &p->zone_exception_count);
    }
    if (rc == RC_OK) {
        rc = read_list_of(r, parts->surfaces, &surfaces_list, SURFACES_MAX, &p->surfaces, &p->surface_count);
    }
    if (rc == RC_OK) {
        rc = read_list_of(r, parts->quorum, &quorum_list, QUORUM_RULES_MAX, &p->quorums, &p->quorum_count);
    }
    return rc;
}

static enum rc settle_classes(struct reader *r, struct policy *p)
{
    strmap_init(&p->class_index, 0);
    for (uint32_t i = 0; i < p->class_count; i++) {
        struct task_class *c = &p->classes[i];
        c->thresholds = p->thresholds;
        thresholds_change(&c->thresholds, c->checks);
        if (strmap_put(&p->class_index, c->name, i) != RC_OK) {
            return err_set(r->e, RC_NO_MEMORY, "out of memory");
        }
    }
    return RC_OK;
}

/* What only the whole can tell: names that must be declared somewhere. */
static enum rc check_references(struct reader *r, const struct policy *p)
{
    for (uint32_t i = 0; i < p->tool_count; i++) {
        struct str class = p->tools[i].task_class;
        if (class.len > 0 && strmap_get(&p->class_index, class) == MAP_NONE) {
            return err_set(r->e, RC_INVALID, "tool %.*s: task class \"%.*s\" is not declared",
                           STR_ARG(p->tools[i].name), STR_ARG(class));
        }
    }
    return RC_OK;
}

static enum rc read_whole(struct reader *r, const struct policy_source *source, struct policy_parts *parts)
{
    enum rc rc = read_fields(r, source->v, policy_fields, COUNT(policy_fields), parts);
    if (rc != RC_OK) {
        return rc;
    }
    struct value none = value_object();
    rc = reader_step(r,
                     read_fields(r, parts->limits == NULL ? &none : parts->limits, limit_fields,
                                 COUNT(limit_fields), &parts->p.limits),
                     "limits");
    if (rc == RC_OK) {
        rc = reader_step(r, thresholds_read(r, parts->checks, &parts->p.checks), "checks");
    }
    if (rc != RC_OK) {
        return rc;
    }
    parts->p.advisory = parts->mode == 1;
    parts->p.thresholds = thresholds_default();
    thresholds_change(&parts->p.thresholds, parts->p.checks);
    rc = read_lists(r, parts);
    if (rc == RC_OK) {
        rc = settle_classes(r, &parts->p);
    }
    rc = rc == RC_OK ? check_references(r, &parts->p) : rc;
    rc = rc == RC_OK ? rules_read(r, parts->rules, source, &parts->p) : rc;
    return rc == RC_OK ? validators_read(r, parts->validators, &parts->p) : rc;
}

enum rc policy_read(struct str file, const struct value *v, struct policy **ret, struct err *e)
{
    const struct policy_source source = {.file = file, .v = v};
    return policy_read_all(&source, ret, e);
}

enum rc policy_read_all(const struct policy_source *source, struct policy **ret, struct err *e)
{
    struct arena *a = arena_new(POLICY_ARENA_MAX);
    struct policy_parts *parts = a == NULL ? NULL : arena_alloc(a, sizeof *parts);
    if (parts == NULL) {
        arena_free(a);
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    struct reader r = {a, arena_str(a, source->file), e};
    enum rc rc = read_whole(&r, source, parts);
    if (rc == RC_OK && arena_rc(a) != RC_OK) {
        rc = err_set(e, arena_rc(a), "the policy is too large");
    }
    if (rc != RC_OK) {
        rules_done(&parts->p);
        strmap_done(&parts->p.class_index);
        arena_free(a);
        return rc;
    }
    parts->p.arena = a;
    *ret = &parts->p;
    return RC_OK;
}

enum rc policy_parse(struct str canonical, struct policy **ret, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(POLICY_ARENA_MAX);
    if (a == NULL) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    struct value v;
    enum rc rc = json_parse(a, canonical, &v, e);
    return rc == RC_OK ? policy_read(STR(""), &v, ret, e) : rc;
}

void policy_free(struct policy *p)
{
    if (p != NULL) {
        rules_done(p);
        strmap_done(&p->class_index);
        arena_free(p->arena); /* p itself lies in it */
    }
}

/* --- writing ---------------------------------------------------------------------------------- */

static void add_list(struct arena *a, struct value *v, const struct list_kind *kind, const void *rows,
                     uint32_t count)
{
    struct value list = value_array();
    for (uint32_t i = 0; i < count; i++) {
        value_push(a, &list, kind->write(a, (const char *)rows + i * kind->row_size));
    }
    value_add(a, v, str_from(kind->name), list);
}

void policy_write(struct buf *out, const struct policy *p)
{
    CLEANUP(arena) struct arena *a = arena_new(POLICY_ARENA_MAX);
    if (a == NULL) {
        out->rc = RC_NO_MEMORY;
        return;
    }
    struct value limits = write_fields(a, limit_fields, COUNT(limit_fields), &p->limits);
    struct value checks = thresholds_value(a, &p->thresholds);
    struct policy_parts parts = {.p = *p, .mode = p->advisory, .limits = &limits, .checks = &checks};
    struct value v = write_fields(a, policy_fields, COUNT(policy_fields), &parts);
    add_list(a, &v, &agents_list, p->agents, p->agent_count);
    add_list(a, &v, &services_list, p->services, p->service_count);
    add_list(a, &v, &tools_list, p->tools, p->tool_count);
    add_list(a, &v, &classes_list, p->classes, p->class_count);
    add_list(a, &v, &freezes_list, p->freezes, p->freeze_count);
    add_list(a, &v, &permissions_list, p->permissions, p->permission_count);
    add_list(a, &v, &zone_exceptions_list, p->zone_exceptions, p->zone_exception_count);
    add_list(a, &v, &surfaces_list, p->surfaces, p->surface_count);
    add_list(a, &v, &quorum_list, p->quorums, p->quorum_count);
    if (p->rule_count > 0) {
        value_add(a, &v, STR("rules"), rules_value(a, p)); /* left out without any: an older policy keeps its hash */
    }
    if (p->validator_count > 0) {
        value_add(a, &v, STR("validators"), validators_value(a, p));
    }
    json_write_canonical(out, &v, a);
    if (arena_rc(a) != RC_OK && out->rc == RC_OK) {
        out->rc = arena_rc(a);
    }
}

const struct thresholds *policy_thresholds(const struct policy *p, struct str task_class,
                                           struct threshold_changes of_agent, struct thresholds *room)
{
    uint32_t at = task_class.len == 0 ? (uint32_t)MAP_NONE : strmap_get(&p->class_index, task_class);
    const struct thresholds *base = at == MAP_NONE ? &p->thresholds : &p->classes[at].thresholds;
    if (of_agent.count == 0) {
        return base;
    }
    *room = *base;
    thresholds_change(room, of_agent);
    return room;
}
