/* Values as JSON. Source: cel-spec doc/langdef.md "JSON Data Conversion", as far as it applies. */
#include "cel/machine.h"

#include "base/encode.h"
#include "value/json.h"

#include <math.h>

static enum rc convert(const struct cel_value *v, struct arena *a, int depth, struct value *ret,
                       struct err *e);

static struct str plain(struct arena *a, const struct cel_value *v)
{
    struct buf b;
    buf_init(&b, CEL_RESULT_MAX);
    buf_plain(&b, v);
    struct str s = arena_str(a, buf_view(&b));
    buf_done(&b);
    return s;
}

static enum rc convert_list(const struct cel_value *v, struct arena *a, int depth,
                            struct value *ret, struct err *e)
{
    *ret = value_array();
    for (uint32_t i = 0; i < v->aux; i++) {
        struct cel_value item;
        struct value made;
        cel_list_at(v, i, a, &item);
        enum rc rc = convert(&item, a, depth + 1, &made, e);
        if (rc != RC_OK) {
            return rc;
        }
        value_push(a, ret, made);
    }
    return RC_OK;
}

static enum rc convert_map(const struct cel_value *v, struct arena *a, int depth, struct value *ret,
                           struct err *e)
{
    *ret = value_object();
    for (uint32_t i = 0; i < v->aux; i++) {
        struct cel_entry entry;
        struct value made;
        cel_map_at(v, i, a, &entry);
        enum rc rc = convert(&entry.value, a, depth + 1, &made, e);
        if (rc != RC_OK) {
            return rc;
        }
        struct str name = plain(a, &entry.key);
        if (value_get(ret, name) != NULL) {
            return err_set(e, RC_INVALID, "two keys of a map become the same JSON name");
        }
        value_add(a, ret, name, made);
    }
    return RC_OK;
}

static enum rc convert_object(const struct cel_value *v, struct arena *a, int depth,
                              struct value *ret, struct err *e)
{
    *ret = value_object();
    for (uint32_t i = 0; i < v->class->count; i++) {
        struct cel_value field = {0};
        struct value made;
        if (!v->class->get(v->self, i, a, &field) || field.kind == CEL_ABSENT) {
            continue;
        }
        enum rc rc = convert(&field, a, depth + 1, &made, e);
        if (rc != RC_OK) {
            return rc;
        }
        value_add(a, ret, str_from(v->class->fields[i].name), made);
    }
    return RC_OK;
}

static struct value base64_of(struct arena *a, struct str s)
{
    struct buf b;
    buf_init(&b, CEL_RESULT_MAX);
    buf_base64(&b, (const uint8_t *)s.ptr, s.len);
    struct value v = value_string(arena_str(a, buf_view(&b)));
    buf_done(&b);
    return v;
}

static enum rc convert(const struct cel_value *v, struct arena *a, int depth, struct value *ret,
                       struct err *e)
{
    if (depth > JSON_DEPTH_MAX) {
        return err_set(e, RC_LIMIT, "a value that nests beyond %d", (int)JSON_DEPTH_MAX);
    }
    switch ((enum cel_kind)v->kind) {
    case CEL_NULL:
        *ret = value_null();
        return RC_OK;
    case CEL_BOOL:
        *ret = value_bool(v->boolean);
        return RC_OK;
    case CEL_INT:
        *ret = value_int(v->integer);
        return RC_OK;
    case CEL_UINT:
        *ret = v->natural <= INT64_MAX ? value_int((int64_t)v->natural) : value_string(plain(a, v));
        return RC_OK;
    case CEL_DOUBLE:
        *ret = isfinite(v->number) ? value_double(v->number) : value_string(plain(a, v));
        return RC_OK;
    case CEL_STRING:
        *ret = value_string(cel_text(v));
        return RC_OK;
    case CEL_BYTES:
        *ret = base64_of(a, cel_text(v));
        return RC_OK;
    case CEL_LIST:
        return convert_list(v, a, depth, ret, e);
    case CEL_MAP:
        return convert_map(v, a, depth, ret, e);
    case CEL_OBJECT:
        return convert_object(v, a, depth, ret, e);
    case CEL_TIMESTAMP:
    case CEL_DURATION:
    case CEL_IP:
    case CEL_CIDR:
        *ret = value_string(plain(a, v));
        return RC_OK;
    case CEL_OPTIONAL:
        if (v->items == NULL) {
            *ret = value_null();
            return RC_OK;
        }
        return convert(v->items, a, depth + 1, ret, e);
    default:
        return err_set(e, RC_INVALID, "a value of type %s has no JSON form",
                       cel_kind_name((enum cel_kind)v->kind));
    }
}

enum rc cel_to_json(const struct cel_value *v, struct arena *a, struct value *ret, struct err *e)
{
    struct value made;
    enum rc rc = convert(v, a, 0, &made, e);
    if (rc != RC_OK) {
        return rc;
    }
    if (arena_rc(a) != RC_OK) {
        return err_set(e, arena_rc(a), "the value takes too much memory as JSON");
    }
    *ret = made;
    return RC_OK;
}
