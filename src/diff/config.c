#include "diff/config.h"

#include "base/must.h"
#include "diff/compare.h"
#include "diff/documents.h"
#include "diff/flags.h"
#include "diff/haproxy.h"
#include "diff/members.h"
#include "diff/nginx.h"
#include "diff/shown.h"
#include "value/json.h"
#include "value/mark.h"

#include <stdio.h>

static enum rc fail_line(struct err *e, struct str side, unsigned line, const char *what)
{
    char where[48];
    int len = snprintf(where, sizeof where, "%.*s:%u", STR_ARG(side), line);
    struct str place = {where, (size_t)len};
    return err_at(e, RC_INVALID, place, "%s", what);
}

/* --- directives ------------------------------------------------------------------------------------- */

static enum rc text_of(struct str side, const struct value *v, struct str *ret, struct err *e)
{
    if (v != NULL && value_is_mark(v)) {
        return err_at(e, RC_INVALID, side, "was taken out as a secret, so it can't be read");
    }
    if (v != NULL && v->type != VALUE_STRING && v->type != VALUE_NULL) {
        return err_at(e, RC_INVALID, side, "expected a text, not a %s", value_type_name(v->type));
    }
    *ret = value_text(v);
    return RC_OK;
}

static enum rc compare_directives(struct arena *a, const struct diff_pair *sides, struct diff_changes *c, struct err *e)
{
    static const char *const names[] = {"before", "after"};
    const struct value *const given[] = {sides->before, sides->after};
    bool nginx = c->format == DIFF_NGINX;
    struct config_lines lines[2] = {{0}, {0}};
    for (unsigned i = 0; i < 2; i++) {
        struct str text = STR("");
        enum rc rc = text_of(str_from(names[i]), given[i], &text, e);
        rc = rc != RC_OK ? rc : nginx ? nginx_read(a, text, &lines[i], e) : haproxy_read(a, text, &lines[i], e);
        if (rc != RC_OK) {
            err_step(e, "%s ", names[i]);
            return rc;
        }
    }
    config_lines_compare(a, c, lines, nginx ? nginx_facts : haproxy_facts);
    return RC_OK;
}

/* --- KEY=VALUE -------------------------------------------------------------------------------------- */

/* A value in quotes may go over lines; the quotes are no part of it. */
static enum rc read_value(struct str first, struct str *rest, unsigned *line, struct str *ret)
{
    struct str s = str_trim(first);
    if (s.len == 0 || (s.ptr[0] != '"' && s.ptr[0] != '\'')) {
        *ret = s;
        return RC_OK;
    }
    char quote = s.ptr[0];
    const char *end = rest->ptr == NULL ? s.ptr + s.len : rest->ptr + rest->len;
    struct str tail = {s.ptr + 1, (size_t)(end - (s.ptr + 1))};
    size_t close = str_find(tail, quote);
    if (close == tail.len) {
        return RC_INVALID;
    }
    *ret = str_slice(tail, 0, close);
    for (size_t i = 0; i < close; i++) {
        *line += tail.ptr[i] == '\n' ? 1 : 0;
    }
    if (tail.ptr + close >= s.ptr + s.len) {
        struct str behind = str_slice(tail, close, tail.len);
        size_t next = str_find(behind, '\n');
        *rest = str_slice(behind, next < behind.len ? next + 1 : next, behind.len);
    }
    return RC_OK;
}

static enum rc check_keys(struct arena *a, struct str side, const struct value *v, struct err *e)
{
    struct members m = members_of(a, v);
    for (uint32_t i = 1; i < m.count; i++) {
        if (str_eq(m.items[i - 1].name, m.items[i].name)) {
            struct str shown = diff_text(a, m.items[i].name, SHOWN_TEXT_MAX);
            return err_at(e, RC_CONFLICT, side, "%.*s stands there twice", STR_ARG(shown));
        }
    }
    return RC_OK;
}

static enum rc read_env(struct arena *a, struct str side, struct str text, struct value *ret, struct err *e)
{
    struct value v = value_object();
    struct str rest = text;
    struct str line;
    for (unsigned n = 1; str_next(&rest, '\n', &line) && arena_rc(a) == RC_OK; n++) {
        struct str s = str_trim(line);
        s = str_starts(s, STR("export ")) ? str_trim(str_slice(s, 7, s.len)) : s;
        size_t equals = str_find(s, '=');
        struct str value = STR("");
        if (s.len == 0 || s.ptr[0] == '#') {
            continue;
        }
        if (equals == 0 || equals == s.len) {
            return fail_line(e, side, n, "expected KEY=VALUE");
        }
        unsigned at = n;
        if (read_value(str_slice(s, equals + 1, s.len), &rest, &n, &value) != RC_OK) {
            return fail_line(e, side, at, "a quote is not closed");
        }
        value_add_str(a, &v, str_trim(str_slice(s, 0, equals)), value);
    }
    *ret = v;
    return check_keys(a, side, &v, e);
}

/* --- members ---------------------------------------------------------------------------------------- */

/* One document is itself, several are a list of them. */
static enum rc read_tree(struct arena *a, struct str side, const struct value *v, struct value *ret, struct err *e)
{
    struct value list = value_array();
    enum rc rc = RC_OK;
    if (value_is(v, VALUE_ARRAY)) {
        *ret = *v;
        return RC_OK;
    }
    rc = diff_documents(a, side, v, &list, e);
    if (rc == RC_OK) {
        *ret = list.count == 0 ? value_object() : list.count == 1 ? list.items[0] : list;
    }
    return rc;
}

static enum rc read_json(struct arena *a, struct str side, const struct value *v, struct value *ret, struct err *e)
{
    struct str text = str_trim(value_text(v));
    if (!value_is(v, VALUE_STRING)) {
        return read_tree(a, side, v, ret, e);
    }
    if (text.len == 0) {
        *ret = value_object();
        return RC_OK;
    }
    enum rc rc = json_parse(a, text, ret, e);
    return rc == RC_OK ? rc : err_wrap(e, rc, "%.*s", STR_ARG(side));
}

static enum rc read_keys(struct arena *a, struct str side, const struct value *v, struct value *ret, struct err *e)
{
    struct str text = STR("");
    enum rc rc = text_of(side, v, &text, e);
    return rc == RC_OK ? read_env(a, side, text, ret, e) : rc;
}

static enum rc compare_members(struct arena *a, const struct diff_pair *sides, struct diff_changes *c, struct err *e)
{
    enum rc (*read)(struct arena *, struct str, const struct value *, struct value *, struct err *) =
        c->format == DIFF_JSON   ? read_json
        : c->format == DIFF_YAML ? read_tree
                                 : read_keys;
    struct value before;
    struct value after;
    enum rc rc = read(a, STR("before"), sides->before, &before, e);
    rc = rc == RC_OK ? read(a, STR("after"), sides->after, &after, e) : rc;
    if (rc == RC_OK) {
        struct diff_change row = {.kind = DIFF_UPDATE,
                                  .resource = sides->name.len > 0 ? sides->name : str_from(diff_format_name(c->format)),
                                  .surfaces = SURFACE_CONFIG};
        struct diff_sides both = {.before = &before, .after = &after, .by_name = true, .leaves = true, .judge = flag_facts};
        diff_compare(a, c, &row, &both);
    }
    return rc;
}

enum rc diff_config(struct arena *a, enum diff_format format, const struct diff_pair *sides, struct diff_changes *ret,
                    struct err *e)
{
    must(format >= DIFF_HAPROXY && format <= DIFF_YAML);
    struct diff_changes changes = diff_changes_none(format);
    bool directives = format == DIFF_HAPROXY || format == DIFF_NGINX;
    enum rc rc = directives ? compare_directives(a, sides, &changes, e) : compare_members(a, sides, &changes, e);
    rc = rc == RC_OK ? diff_built(a, e) : rc;
    if (rc == RC_OK) {
        *ret = changes;
    }
    return rc;
}
