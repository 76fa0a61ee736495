#include "diff/terraform.h"

#include "diff/compare.h"
#include "diff/shown.h"
#include "diff/terraform_rules.h"
#include "value/pointer.h"

#include <string.h>

struct plan_reader {
    struct arena *arena;
    struct diff_changes *changes;
    struct err *err;
    bool drift; /* what is read happened already */
};

/* One entry of a list of the plan. */
struct entry {
    struct str address;
    struct str type;
    const struct value *change;
    struct planned planned;
};

/* --- an entry --------------------------------------------------------------------------------------- */

static const struct {
    const char *first;
    const char *second; /* or null */
    enum diff_kind kind;
} actions[] = {
    {"no-op", NULL, DIFF_NO_OP},         {"create", NULL, DIFF_CREATE},        {"read", NULL, DIFF_READ},
    {"update", NULL, DIFF_UPDATE},       {"delete", NULL, DIFF_DELETE},        {"forget", NULL, DIFF_FORGET},
    {"delete", "create", DIFF_REPLACE},  {"create", "delete", DIFF_REPLACE},   {"create", "forget", DIFF_REPLACE},
    {"forget", "create", DIFF_REPLACE},
};

/* Words that are not known yet are as bad as they could be. */
static enum diff_kind kind_of(const struct value *list)
{
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        bool second = actions[i].second == NULL
                          ? list->count == 1
                          : list->count == 2 && str_eq(value_text(value_item(list, 1)), str_from(actions[i].second));
        if (second && str_eq(value_text(value_item(list, 0)), str_from(actions[i].first))) {
            return actions[i].kind;
        }
    }
    return DIFF_UNKNOWN;
}

static enum rc expected(struct plan_reader *r, const char *where, const char *what)
{
    return err_at(r->err, RC_INVALID, str_from(where), "expected %s", what);
}

static enum rc read_change(struct plan_reader *r, const struct value *change, struct planned *p)
{
    const struct value *list = value_get(change, STR("actions"));
    if (!value_is(change, VALUE_OBJECT)) {
        return expected(r, "/change", "an object");
    }
    if (!value_is(list, VALUE_ARRAY) || list->count == 0) {
        return expected(r, "/change/actions", "a list such as [\"update\"]");
    }
    p->kind = kind_of(list);
    p->before = value_get(change, STR("before"));
    p->after = value_get(change, STR("after"));
    p->unknown = value_get(change, STR("after_unknown"));
    return RC_OK;
}

static enum rc read_entry(struct plan_reader *r, const struct value *v, struct entry *ret)
{
    struct str deposed = value_text(value_get(v, STR("deposed")));
    struct entry e = {.address = value_text(value_get(v, STR("address"))), .type = value_text(value_get(v, STR("type")))};
    if (!value_is(v, VALUE_OBJECT)) {
        return expected(r, "", "an object");
    }
    if (e.address.len == 0) {
        return expected(r, "/address", "a text such as aws_s3_bucket.logs");
    }
    if (e.type.len == 0) {
        return expected(r, "/type", "a text such as aws_s3_bucket");
    }
    if (deposed.len > 0 && e.address.len <= DIFF_PATH_MAX) {
        struct str shown = diff_text(r->arena, deposed, DIFF_PATH_MAX);
        e.address = arena_printf(r->arena, "%.*s (deposed %.*s)", STR_ARG(e.address), STR_ARG(shown));
    }
    e.change = value_get(v, STR("change"));
    e.planned.type = e.type;
    enum rc rc = read_change(r, e.change, &e.planned);
    *ret = e;
    return rc;
}

/* The address says the type too: "module.a.aws_s3_bucket.logs[0]". Where it says another one, nothing can be told. */
static bool is_named_by_type(const struct entry *e)
{
    const char *at = e->address.ptr;
    size_t left = e->address.len;
    if (left > DIFF_PATH_MAX) {
        return false;
    }
    while (left > e->type.len && (at = memmem(at, left, e->type.ptr, e->type.len)) != NULL) {
        size_t before = (size_t)(at - e->address.ptr);
        left = e->address.len - before;
        if ((before == 0 || at[-1] == '.') && left > e->type.len && at[e->type.len] == '.') {
            return true;
        }
        at++;
        left--;
    }
    return false;
}

/* --- rows ------------------------------------------------------------------------------------------- */

/* "/engine_version": a list of steps as a JSON pointer. */
static struct value pointer_of(struct arena *a, const struct value *steps)
{
    struct str path = STR("");
    for (uint32_t i = 0; value_item(steps, i) != NULL && path.len <= DIFF_PATH_MAX; i++) {
        const struct value *step = value_item(steps, i);
        struct str name = diff_text(a, value_text(step), SHOWN_TEXT_MAX);
        path = step->type == VALUE_STRING
                   ? arena_printf(a, "%.*s/%.*s", STR_ARG(path), STR_ARG(name))
                   : arena_printf(a, "%.*s/%lld", STR_ARG(path), (long long)value_integer_or(step, -1));
    }
    return value_string(path);
}

static struct value replace_paths(struct plan_reader *r, const struct value *change)
{
    const struct value *paths = value_get(change, STR("replace_paths"));
    struct value list = value_array();
    for (uint32_t i = 0; value_item(paths, i) != NULL && i < SHOWN_ITEMS_MAX; i++) {
        value_push(r->arena, &list, pointer_of(r->arena, value_item(paths, i)));
    }
    return list.count > 0 ? list : value_null();
}

static void add_attributes(struct plan_reader *r, const struct entry *e, const struct diff_change *whole)
{
    const struct planned *p = &e->planned;
    struct diff_change part = {.kind = whole->kind, .resource = whole->resource, .surfaces = whole->surfaces, .part = true};
    struct diff_sides sides = {.before = p->before,
                               .after = p->after,
                               .hidden_before = value_get(e->change, STR("before_sensitive")),
                               .hidden_after = value_get(e->change, STR("after_sensitive")),
                               .unknown = p->unknown};
    diff_compare(r->arena, r->changes, &part, &sides);
}

static void add_entry(struct plan_reader *r, const struct entry *e, struct str previous)
{
    const struct planned *p = &e->planned;
    bool moved = p->kind == DIFF_NO_OP && previous.len > 0 && !str_eq(previous, e->address);
    bool odd = p->kind == DIFF_UNKNOWN || !is_named_by_type(e);
    bool compared = p->kind == DIFF_UPDATE || p->kind == DIFF_REPLACE;
    struct diff_change row = {.kind = odd ? DIFF_UNKNOWN : r->drift ? DIFF_DRIFT : moved ? DIFF_RENAME : p->kind,
                              .resource = e->address,
                              .before = value_null(),
                              .after = value_null(),
                              .surfaces = p->kind == DIFF_NO_OP && !moved ? 0 : terraform_surfaces(e->type)};
    if (previous.len > 0 && !str_eq(previous, e->address)) {
        row.before = value_string(diff_text(r->arena, previous, DIFF_PATH_MAX));
        row.after = value_string(diff_text(r->arena, e->address, DIFF_PATH_MAX));
    }
    if (p->kind == DIFF_REPLACE && row.after.type == VALUE_NULL) {
        row.after = replace_paths(r, e->change);
    }
    if (!r->drift && p->kind != DIFF_NO_OP && p->kind != DIFF_READ) {
        row.facts = terraform_facts(r->arena, p);
    }
    row.facts |= odd ? FACT_BIT(FACT_UNREADABLE) : 0;
    diff_add(r->arena, r->changes, &row);
    if (compared) {
        add_attributes(r, e, &row);
    }
}

static enum rc read_resources(struct plan_reader *r, const struct value *list)
{
    for (uint32_t i = 0; value_item(list, i) != NULL && arena_rc(r->arena) == RC_OK; i++) {
        const struct value *v = value_item(list, i);
        struct entry e;
        enum rc rc = read_entry(r, v, &e);
        if (rc != RC_OK) {
            pointer_item(r->err, i);
            return rc;
        }
        add_entry(r, &e, value_text(value_get(v, STR("previous_address"))));
    }
    return RC_OK;
}

/* --- outputs ---------------------------------------------------------------------------------------- */

static enum rc add_output(struct plan_reader *r, struct str name, const struct value *change)
{
    struct planned p = {.kind = DIFF_NO_OP};
    enum rc rc = read_change(r, change, &p);
    if (rc != RC_OK || p.kind == DIFF_NO_OP) {
        return rc;
    }
    struct shown before = {name, value_get(change, STR("before_sensitive")), false};
    struct shown after = {name, value_get(change, STR("after_sensitive")), false};
    struct diff_change row = {.kind = DIFF_UPDATE,
                              .resource = arena_printf(r->arena, "output.%.*s", STR_ARG(str_slice(name, 0, DIFF_PATH_MAX))),
                              .before = diff_shown(r->arena, p.before, &before),
                              .after = diff_shown(r->arena, p.after, &after),
                              .sensitive = before.sensitive || after.sensitive,
                              .unknown = value_bool_or(p.unknown, p.unknown != NULL && p.unknown->type != VALUE_NULL)};
    diff_add(r->arena, r->changes, &row);
    return RC_OK;
}

static enum rc read_outputs(struct plan_reader *r, const struct value *outputs)
{
    for (uint32_t i = 0; outputs != NULL && i < outputs->count && arena_rc(r->arena) == RC_OK; i++) {
        const struct member *m = &outputs->members[i];
        enum rc rc = add_output(r, m->name, &m->value);
        if (rc != RC_OK) {
            pointer_member(r->err, m->name);
            return rc;
        }
    }
    return RC_OK;
}

/* --- the plan --------------------------------------------------------------------------------------- */

static enum rc check_plan(struct plan_reader *r, const struct value *plan)
{
    const struct value *version = value_get(plan, STR("format_version"));
    struct str said = value_text(version);
    if (!value_is(plan, VALUE_OBJECT)) {
        return expected(r, "", "the object that terraform show -json prints for a plan");
    }
    if (version != NULL && !str_starts(said, STR("0.")) && !str_starts(said, STR("1."))) {
        return expected(r, "/format_version", "0.x or 1.x");
    }
    bool empty = value_get(plan, STR("planned_values")) != NULL;
    if (value_get(plan, STR("resource_changes")) == NULL && !empty) {
        return expected(r, "", "resource_changes: this is no plan");
    }
    return RC_OK;
}

static enum rc read_section(struct plan_reader *r, const struct value *plan, struct str name, enum value_type type)
{
    const struct value *v = value_get(plan, name);
    enum rc rc = RC_OK;
    if (v != NULL && v->type != VALUE_NULL && v->type != type) {
        rc = expected(r, "", type == VALUE_ARRAY ? "a list" : "an object");
    } else if (v != NULL && v->type == type) {
        r->drift = str_eq(name, STR("resource_drift"));
        rc = type == VALUE_ARRAY ? read_resources(r, v) : read_outputs(r, v);
    }
    if (rc != RC_OK) {
        pointer_member(r->err, name);
    }
    return rc;
}

enum rc diff_terraform(struct arena *a, const struct value *plan, struct diff_changes *ret, struct err *e)
{
    struct diff_changes changes = diff_changes_none(DIFF_TERRAFORM);
    struct plan_reader r = {.arena = a, .changes = &changes, .err = e};
    enum rc rc = check_plan(&r, plan);
    rc = rc == RC_OK ? read_section(&r, plan, STR("resource_changes"), VALUE_ARRAY) : rc;
    rc = rc == RC_OK ? read_section(&r, plan, STR("output_changes"), VALUE_OBJECT) : rc;
    rc = rc == RC_OK ? read_section(&r, plan, STR("resource_drift"), VALUE_ARRAY) : rc;
    rc = rc == RC_OK ? diff_built(a, e) : rc;
    if (rc == RC_OK) {
        /* A plan that ended in an error says only what it got to. */
        changes.over = changes.over || value_bool_or(value_get(plan, STR("errored")), false);
        *ret = changes;
    }
    return rc;
}
