#include "value/mark.h"

bool value_is_mark(const struct value *v)
{
    return v->type == VALUE_OBJECT && value_is(value_get(v, STR("$redacted")), VALUE_STRING);
}

bool value_has_mark(const struct value *v)
{
    bool array = v->type == VALUE_ARRAY;
    if (value_is_mark(v)) {
        return true;
    }
    for (uint32_t i = 0; (array || v->type == VALUE_OBJECT) && i < v->count; i++) {
        if (value_has_mark(array ? &v->items[i] : &v->members[i].value)) {
            return true;
        }
    }
    return false;
}

static struct value mark_text(struct arena *a, const struct value *v)
{
    enum { SHOWN = 12 + 16 }; /* "hmac-sha256:" and as much as a mark within a text shows */
    struct str type = value_text(value_get(v, STR("type")));
    struct str hash = str_slice(value_text(value_get(v, STR("$redacted"))), 0, SHOWN);
    return value_string(arena_printf(a, "[redacted:%.*s:%.*s]", STR_ARG(type), STR_ARG(hash)));
}

struct value value_unmarked(struct arena *a, const struct value *v)
{
    if (value_is_mark(v)) {
        return mark_text(a, v);
    }
    struct value copy = *v;
    if (v->type == VALUE_ARRAY) {
        copy = value_array();
        for (uint32_t i = 0; i < v->count; i++) {
            value_push(a, &copy, value_unmarked(a, &v->items[i]));
        }
    } else if (v->type == VALUE_OBJECT) {
        copy = value_object();
        for (uint32_t i = 0; i < v->count; i++) {
            value_add(a, &copy, v->members[i].name, value_unmarked(a, &v->members[i].value));
        }
    }
    return copy;
}
