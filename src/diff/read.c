#include "diff/read.h"

#include "diff/config.h"
#include "diff/kubernetes.h"
#include "diff/sql.h"
#include "diff/sql_changes.h"
#include "diff/terraform.h"
#include "value/json.h"
#include "value/mark.h"
#include "value/pointer.h"

/* What is read, and how. */
struct reading {
    struct arena *arena;
    const struct diff_settings *settings;
    struct diff_changes *out;
    struct err *err;
};

/* --- formats ---------------------------------------------------------------------------------------- */

static const struct value *sole_member(const struct value *v, const char *name)
{
    return v->type == VALUE_OBJECT ? value_get(v, str_from(name)) : v;
}

/* A plan as text is a plan: that is how files are handed on. */
static enum rc read_plan(struct reading *r, const struct value *v)
{
    const struct value *plan = sole_member(v, "plan");
    struct value parsed;
    plan = plan == NULL ? v : plan;
    if (plan->type != VALUE_STRING) {
        return diff_terraform(r->arena, plan, r->out, r->err);
    }
    enum rc rc = json_parse(r->arena, str_trim(plan->string), &parsed, r->err);
    return rc == RC_OK ? diff_terraform(r->arena, &parsed, r->out, r->err) : rc;
}

static enum rc read_text(struct reading *r, const struct value *v, const char *name, struct str *ret)
{
    const struct value *text = sole_member(v, name);
    if (text != NULL && value_is_mark(text)) {
        return err_at(r->err, RC_INVALID, str_from(name), "was taken out as a secret, so it can't be read");
    }
    if (!value_is(text, VALUE_STRING)) {
        return err_at(r->err, RC_INVALID, str_from(name), "expected a text");
    }
    *ret = value_text(text);
    return RC_OK;
}

static enum rc read_sql(struct reading *r, const struct value *v)
{
    struct str text = STR("");
    enum rc rc = read_text(r, v, "sql", &text);
    return rc == RC_OK ? diff_sql(r->arena, text, r->out, r->err) : rc;
}

static enum rc read_git(struct reading *r, const struct value *v)
{
    struct str text = STR("");
    enum rc rc = read_text(r, v, "patch", &text);
    return rc == RC_OK ? diff_git(r->arena, text, r->settings, r->out, r->err) : rc;
}

static enum rc read_pair(struct reading *r, const struct value *v, enum diff_format format)
{
    struct diff_pair sides = {
        .before = value_get(v, STR("before")), .after = value_get(v, STR("after")), .name = value_text(value_get(v, STR("path")))};
    if (v->type != VALUE_OBJECT) {
        sides = (struct diff_pair){.after = v};
    } else if (sides.before == NULL && sides.after == NULL) {
        return err_set(r->err, RC_INVALID, "expected before and after");
    }
    return format == DIFF_KUBERNETES ? diff_kubernetes(r->arena, &sides, r->out, r->err)
                                     : diff_config(r->arena, format, &sides, r->out, r->err);
}

static enum rc read_as(struct reading *r, const struct value *v, enum diff_format format)
{
    switch (format) {
    case DIFF_TERRAFORM:
        return read_plan(r, v);
    case DIFF_SQL:
        return read_sql(r, v);
    case DIFF_GIT:
        return read_git(r, v);
    case DIFF_KUBERNETES:
    case DIFF_HAPROXY:
    case DIFF_NGINX:
    case DIFF_ENV:
    case DIFF_JSON:
    case DIFF_YAML:
        return read_pair(r, v, format);
    case DIFF_NONE:
    case DIFF_FORMAT_COUNT:
        break;
    }
    return err_set(r->err, RC_INVALID,
                   "can't be recognised: expected a plan, manifests, a patch, SQL, or {\"format\": ..., ...}");
}

/* --- what it looks like ----------------------------------------------------------------------------- */

static bool is_manifest_text(struct str text)
{
    struct str rest = text;
    struct str line;
    bool version = false;
    bool kind = false;
    while (str_next(&rest, '\n', &line) && !(version && kind)) {
        line = str_trim(line);
        version = version || str_starts(line, STR("apiVersion:")) || str_starts(line, STR("\"apiVersion\""));
        kind = kind || str_starts(line, STR("kind:")) || str_starts(line, STR("\"kind\""));
    }
    return version && kind;
}

static bool is_manifest(const struct value *v)
{
    const struct value *one = value_is(v, VALUE_ARRAY) ? value_item(v, 0) : v;
    bool object = value_get(one, STR("apiVersion")) != NULL && value_get(one, STR("kind")) != NULL;
    return object || (value_is(v, VALUE_STRING) && is_manifest_text(value_text(v)));
}

static bool is_sql(struct str text)
{
    CLEANUP(arena) struct arena *a = arena_new(SQL_TREE_MAX);
    struct value tree;
    struct err e;
    enum rc rc = a == NULL ? RC_NO_MEMORY : sql_tree(a, text, &tree, &e);
    const struct value *list = rc == RC_OK ? value_get(&tree, STR("stmts")) : NULL;
    /* Too deep to be judged is SQL as well. */
    return rc == RC_LIMIT || value_item(list, 0) != NULL;
}

static enum diff_format format_of_text(struct str text)
{
    if (diff_is_patch(text)) {
        return DIFF_GIT;
    }
    if (is_manifest_text(text)) {
        return DIFF_KUBERNETES;
    }
    return is_sql(text) ? DIFF_SQL : DIFF_NONE;
}

static enum diff_format format_of_object(const struct value *v)
{
    const struct value *before = value_get(v, STR("before"));
    const struct value *after = value_get(v, STR("after"));
    if (value_get(v, STR("resource_changes")) != NULL || value_get(v, STR("planned_values")) != NULL ||
        value_get(v, STR("plan")) != NULL) {
        return DIFF_TERRAFORM;
    }
    if (value_get(v, STR("patch")) != NULL || value_get(v, STR("sql")) != NULL) {
        return value_get(v, STR("patch")) != NULL ? DIFF_GIT : DIFF_SQL;
    }
    if (before == NULL && after == NULL) {
        return DIFF_NONE;
    }
    if (is_manifest(before) || is_manifest(after)) {
        return DIFF_KUBERNETES;
    }
    bool texts = value_is(before, VALUE_STRING) || value_is(after, VALUE_STRING);
    return texts ? DIFF_NONE : DIFF_JSON;
}

/* An object that is a manifest itself is what will be there. */
static enum rc read_object(struct reading *r, const struct value *v)
{
    struct diff_pair sides = {.after = v};
    return is_manifest(v) ? diff_kubernetes(r->arena, &sides, r->out, r->err) : read_as(r, v, format_of_object(v));
}

static enum rc read_said(struct reading *r, const struct value *v, const struct value *said)
{
    enum diff_format format = DIFF_NONE;
    if (!diff_format_find(value_text(said), &format)) {
        return err_at(r->err, RC_INVALID, STR("/format"),
                      "expected terraform, kubernetes, sql, git, haproxy, nginx, env, json or yaml");
    }
    return read_as(r, v, format);
}

static enum rc read_string(struct reading *r, const struct value *v)
{
    struct str text = str_trim(v->string);
    struct value parsed;
    if (text.len > 0 && text.ptr[0] == '{' && json_parse(r->arena, text, &parsed, NULL) == RC_OK) {
        const struct value *said = value_get(&parsed, STR("format"));
        return said != NULL ? read_said(r, &parsed, said) : read_object(r, &parsed);
    }
    return arena_rc(r->arena) == RC_OK ? read_as(r, v, format_of_text(v->string)) : diff_built(r->arena, r->err);
}

enum rc diff_read(struct arena *a, const struct value *v, const struct diff_settings *settings, struct diff_changes *ret,
                  struct err *e)
{
    struct reading r = {a, settings, ret, e};
    const struct value *said = value_get(v, STR("format"));
    if (v == NULL || v->type == VALUE_NULL) {
        return err_set(e, RC_INVALID, "there is no diff");
    }
    if (value_is_mark(v)) {
        return err_set(e, RC_INVALID, "was taken out as a secret, so it can't be read");
    }
    if (said != NULL) {
        return read_said(&r, v, said);
    }
    if (v->type == VALUE_STRING) {
        return read_string(&r, v);
    }
    bool manifests = v->type == VALUE_ARRAY && is_manifest(v);
    return v->type == VALUE_OBJECT ? read_object(&r, v) : read_as(&r, v, manifests ? DIFF_KUBERNETES : DIFF_NONE);
}
