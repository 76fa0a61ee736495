#include "import/documents.h"

#include "value/json.h"
#include "value/utf8.h"
#include "value/yaml.h"

#include <stdio.h>
#include <string.h>

enum { FIRST_ROOM = 16, PLACE_SHOWN_MAX = 150 };

static enum rc append(struct documents *d, struct arena *a, struct str place, struct value v)
{
    if (d->count == d->room) {
        uint32_t room = d->room == 0 ? FIRST_ROOM : d->room * 2;
        struct document *items = arena_array(a, room, sizeof *items);
        if (items == NULL) {
            return arena_rc(a);
        }
        if (d->count > 0) {
            memcpy(items, d->items, d->count * sizeof *items);
        }
        d->items = items;
        d->room = room;
    }
    d->items[d->count++] = (struct document){place, v};
    return arena_rc(a);
}

static bool looks_like_json(struct str text)
{
    struct str s = str_trim(text);
    return s.len > 0 && (s.ptr[0] == '{' || s.ptr[0] == '[');
}

static enum rc memory(enum rc rc, struct str file, struct err *e)
{
    return rc == RC_OK ? rc : err_at(e, rc, file, rc == RC_LIMIT ? "takes more memory than its maximum" : "out of memory");
}

enum rc documents_read(struct documents *d, struct arena *a, struct str file, struct str text, struct err *e)
{
    struct value v;
    /* What JSON refuses may still be YAML, which names the line of what is wrong. */
    if (looks_like_json(text) && json_parse(a, str_trim(text), &v, NULL) == RC_OK) {
        return memory(append(d, a, arena_printf(a, "%.*s#1", STR_ARG(file)), v), file, e);
    }
    enum rc rc = memory(arena_rc(a), file, e);
    rc = rc == RC_OK ? yaml_parse_stream(a, file, text, &v, e) : rc;
    for (uint32_t i = 0; rc == RC_OK && i < v.count; i++) {
        if (v.items[i].type != VALUE_NULL) {
            struct str place = arena_printf(a, "%.*s#%u", STR_ARG(file), i + 1);
            rc = memory(append(d, a, place, v.items[i]), file, e);
        }
    }
    return rc;
}

enum rc document_expected(const struct document *d, const struct value *v, const char *what, struct err *e)
{
    char where[ERR_WHERE_MAX];
    struct str place = utf8_clip(d->place, PLACE_SHOWN_MAX);
    bool known = v != NULL && v->line > 0;
    int len = known ? snprintf(where, sizeof where, "%.*s:%u:%u", STR_ARG(place), v->line, v->column)
                    : snprintf(where, sizeof where, "%.*s", STR_ARG(place));
    return err_at(e, RC_INVALID, ((struct str){where, (size_t)len}), "expected %s", what);
}
