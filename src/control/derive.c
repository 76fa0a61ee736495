/*
 * control/derive - what a request is, beyond what the catalogue says: its SQL, and what its diff changes and names.
 *
 * A diff that can't be read says nothing about the change: it is marked as over, and rules take it as unknown. Its
 * format is then the one that it says it has.
 */
#include "control/derive.h"

#include "diff/read.h"

static bool detects(const struct policy *p)
{
    for (uint32_t i = 0; p != NULL && i < p->surface_count; i++) {
        if (p->surfaces[i].detect.count > 0) {
            return true;
        }
    }
    return false;
}

/* Rules look at what a diff changes, and so do surfaces that are one of its words. */
static bool reads_changes(const struct policy *p)
{
    for (uint32_t i = 0; p != NULL && i < p->surface_count; i++) {
        if (diff_is_surface(p->surfaces[i].name)) {
            return true;
        }
    }
    return p != NULL && p->rule_count > 0;
}

/* The SQL of a tool that takes it as a parameter is its change, when it brings no other. */
static struct value sql_of(struct arena *a, const struct request *q)
{
    const struct value *text = q->tool == NULL || q->tool->sql.len == 0 ? NULL : value_get(&q->parameters, q->tool->sql);
    struct value v = value_object();
    if (text != NULL) {
        value_add_str(a, &v, STR("format"), STR("sql"));
        value_add(a, &v, STR("sql"), *text);
    }
    return v;
}

enum rc derive_changes(struct arena *a, struct request *q, struct err *e)
{
    struct value sql = q->diff == NULL ? sql_of(a, q) : value_object();
    const struct value *diff = q->diff != NULL ? q->diff : &sql;
    q->changes = NULL;
    if (q->diff == NULL && sql.count == 0) {
        return RC_OK;
    }
    struct diff_changes changes = diff_changes_none(DIFF_NONE);
    struct err inner;
    enum rc rc = diff_read(a, diff, NULL, &changes, &inner);
    struct value *v = arena_alloc(a, sizeof *v);
    if (v == NULL || arena_rc(a) != RC_OK) {
        return err_set(e, arena_rc(a), "the request is too large");
    }
    if (rc != RC_OK) {
        (void)diff_format_find(value_text(value_get(diff, STR("format"))), &changes.format);
        changes.over = true;
    }
    *v = diff_changes_value(a, &changes);
    q->changes = v;
    return RC_OK;
}

static void derive_sql(struct arena *a, struct request *q)
{
    const struct value *text = value_get(&q->parameters, q->tool->sql);
    struct sql_reading read = sql_read(value_text(text));
    bool missing = !value_is(text, VALUE_STRING);
    q->sql_harm = missing ? SQL_UNREADABLE : read.harm;
    q->sql_what = missing ? STR("there is no SQL in its parameter") : arena_str(a, str_from(read.what));
}

enum rc derive_request(struct arena *a, const struct world *w, const struct policy *p, struct request *q, struct err *e)
{
    enum rc rc = request_derive(a, w, q, e);
    q->touched = (struct diff_names){NULL, 0, false};
    q->changes = NULL;
    if (rc == RC_OK && detects(p)) {
        q->touched = diff_names(a, q->diff);
    }
    if (rc == RC_OK && reads_changes(p)) {
        rc = derive_changes(a, q, e);
    }
    if (rc == RC_OK && q->tool != NULL && q->tool->sql.len > 0) {
        derive_sql(a, q);
    }
    return rc == RC_OK && arena_rc(a) != RC_OK ? err_set(e, arena_rc(a), "the request is too large") : rc;
}
