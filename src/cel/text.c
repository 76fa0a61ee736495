/* Values as text: what string() and %s yield, and what messages show. */
#include "cel/machine.h"

#include "value/json.h"

bool buf_plain(struct buf *b, const struct cel_value *v)
{
    switch ((enum cel_kind)v->kind) {
    case CEL_BOOL:
        buf_str(b, v->boolean ? STR("true") : STR("false"));
        return true;
    case CEL_INT:
        buf_i64(b, v->integer);
        return true;
    case CEL_UINT:
        buf_printf(b, "%llu", (unsigned long long)v->natural);
        return true;
    case CEL_DOUBLE:
        buf_double_short(b, v->number);
        return true;
    case CEL_STRING:
    case CEL_BYTES:
        buf_str(b, cel_text(v));
        return true;
    case CEL_TIMESTAMP:
        buf_timestamp(b, v);
        return true;
    case CEL_DURATION:
        buf_duration(b, v->integer);
        return true;
    case CEL_IP:
    case CEL_CIDR:
        buf_address(b, v);
        return true;
    case CEL_TYPE:
        buf_str(b, cel_type_name(v->type));
        return true;
    case CEL_NULL:
        buf_str(b, STR("null"));
        return true;
    default:
        return false;
    }
}

static void put_bytes(struct buf *b, struct str s)
{
    buf_str(b, STR("b\""));
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c >= ' ' && c <= '~' && c != '"' && c != '\\') {
            buf_char(b, c);
        } else {
            buf_printf(b, "\\x%02x", (unsigned)(uint8_t)c);
        }
    }
    buf_char(b, '"');
}

enum { SHOWN_DEPTH_MAX = 32 };

static void show(struct buf *b, const struct cel_value *v, struct arena *scope, int depth);

static void show_list(struct buf *b, const struct cel_value *v, struct arena *scope, int depth)
{
    buf_char(b, '[');
    for (uint32_t i = 0; i < v->aux && b->rc == RC_OK; i++) {
        struct cel_value item;
        cel_list_at(v, i, scope, &item);
        buf_str(b, i > 0 ? STR(", ") : STR(""));
        show(b, &item, scope, depth + 1);
    }
    buf_char(b, ']');
}

static void show_map(struct buf *b, const struct cel_value *v, struct arena *scope, int depth)
{
    buf_char(b, '{');
    for (uint32_t i = 0; i < v->aux && b->rc == RC_OK; i++) {
        struct cel_entry entry;
        cel_map_at(v, i, scope, &entry);
        buf_str(b, i > 0 ? STR(", ") : STR(""));
        show(b, &entry.key, scope, depth + 1);
        buf_str(b, STR(": "));
        show(b, &entry.value, scope, depth + 1);
    }
    buf_char(b, '}');
}

static void show_object(struct buf *b, const struct cel_value *v, struct arena *scope, int depth)
{
    bool any = false;
    buf_str(b, str_from(v->class->name));
    buf_char(b, '{');
    for (uint32_t i = 0; i < v->class->count && b->rc == RC_OK; i++) {
        struct cel_value field = {0};
        if (!v->class->get(v->self, i, scope, &field) || field.kind == CEL_ABSENT) {
            continue;
        }
        buf_printf(b, "%s%s: ", any ? ", " : "", v->class->fields[i].name);
        show(b, &field, scope, depth + 1);
        any = true;
    }
    buf_char(b, '}');
}

static void show_call(struct buf *b, const char *name, const struct cel_value *v)
{
    buf_printf(b, "%s(\"", name);
    buf_plain(b, v);
    buf_str(b, STR("\")"));
}

static void show(struct buf *b, const struct cel_value *v, struct arena *scope, int depth)
{
    if (depth > SHOWN_DEPTH_MAX) {
        buf_str(b, STR("..."));
        return;
    }
    switch ((enum cel_kind)v->kind) {
    case CEL_STRING:
        json_write_string(b, utf8_valid(cel_text(v)) ? cel_text(v) : STR("?"));
        return;
    case CEL_BYTES:
        put_bytes(b, cel_text(v));
        return;
    case CEL_UINT:
        buf_plain(b, v);
        buf_char(b, 'u');
        return;
    case CEL_LIST:
        show_list(b, v, scope, depth);
        return;
    case CEL_MAP:
        show_map(b, v, scope, depth);
        return;
    case CEL_OBJECT:
        show_object(b, v, scope, depth);
        return;
    case CEL_TIMESTAMP:
        show_call(b, "timestamp", v);
        return;
    case CEL_DURATION:
        show_call(b, "duration", v);
        return;
    case CEL_IP:
        show_call(b, "ip", v);
        return;
    case CEL_CIDR:
        show_call(b, "cidr", v);
        return;
    case CEL_OPTIONAL:
        buf_str(b, v->items == NULL ? STR("optional.none()") : STR("optional.of("));
        if (v->items != NULL) {
            show(b, v->items, scope, depth + 1);
            buf_char(b, ')');
        }
        return;
    case CEL_ERROR:
        buf_str(b, STR("error: "));
        buf_str(b, cel_text(v));
        return;
    case CEL_ABSENT:
        buf_str(b, STR("absent"));
        return;
    default:
        buf_plain(b, v);
        return;
    }
}

void buf_cel_value(struct buf *b, const struct cel_value *v, struct arena *scope)
{
    show(b, v, scope, 0);
}
