/* Values as JSON text: compact, for people, and canonical. */
#include "base/must.h"
#include "value/json_internal.h"
#include "value/number.h"

#include <stdlib.h>
#include <string.h>

enum { SORT_STACK = 24 }; /* members that are sorted without asking the arena */

/* What differs between the three forms. */
struct writer {
    struct buf *out;
    struct arena *scratch; /* null unless canonical */
    bool pretty;
};

static void write_value(const struct writer *w, const struct value *v, int depth);

static void put_escaped(struct buf *out, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char letters[0x20] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    char escape[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
    size_t len = sizeof escape;
    if (c == '"' || c == '\\') {
        escape[1] = (char)c;
        len = 2;
    } else if (letters[c & 0x1f] != 0) {
        escape[1] = letters[c & 0x1f];
        len = 2;
    }
    buf_put(out, escape, len);
}

/* The first byte from at on that can't stand for itself, or end. */
static const char *find_escaped(const char *at, const char *end)
{
    while ((at = json_skip_plain(at, end)) < end) {
        unsigned char c = (unsigned char)*at;
        if (c < 0x20 || c == '"' || c == '\\') {
            break;
        }
        at++;
    }
    return at;
}

static void put_string_escaped(struct buf *out, struct str s)
{
    const char *end = s.ptr + s.len;
    buf_char(out, '"');
    for (const char *at = s.ptr; at < end;) {
        const char *escaped = find_escaped(at, end);
        buf_put(out, at, (size_t)(escaped - at));
        if (escaped < end) {
            put_escaped(out, (unsigned char)*escaped++);
        }
        at = escaped;
    }
    buf_char(out, '"');
}

void json_write_string(struct buf *out, struct str s)
{
    if (s.len > 0 && find_escaped(s.ptr, s.ptr + s.len) < s.ptr + s.len) {
        put_string_escaped(out, s);
        return;
    }
    char *at = buf_reserve(out, s.len + 2);
    if (at != NULL) {
        at[0] = '"';
        memcpy(at + 1, s.len > 0 ? s.ptr : "", s.len);
        at[s.len + 1] = '"';
        buf_grown(out, s.len + 2);
    }
}

void json_write_double(struct buf *out, double n)
{
    char text[NUMBER_TEXT_MAX];
    buf_put(out, text, number_format(n, text));
}

static void new_line(const struct writer *w, int depth)
{
    if (w->pretty) {
        buf_char(w->out, '\n');
        for (int i = 0; i < depth; i++) {
            buf_put(w->out, "  ", 2);
        }
    }
}

static void write_array(const struct writer *w, const struct value *v, int depth)
{
    buf_char(w->out, '[');
    for (uint32_t i = 0; i < v->count; i++) {
        if (i > 0) {
            buf_char(w->out, ',');
        }
        new_line(w, depth + 1);
        write_value(w, &v->items[i], depth + 1);
    }
    if (v->count > 0) {
        new_line(w, depth);
    }
    buf_char(w->out, ']');
}

/*
 * UTF-16 code units sort like UTF-8 bytes, except that surrogates (bytes F0 to F4 begin what they
 * stand for) come before U+E000 to U+FFFF (bytes EE and EF).
 */
static int utf16_rank(char c)
{
    unsigned char byte = (unsigned char)c;
    return byte == 0xee || byte == 0xef ? byte + 0x10 : byte;
}

static int utf16_cmp(struct str a, struct str b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    for (size_t i = 0; i < shorter; i++) {
        if (a.ptr[i] != b.ptr[i]) {
            return utf16_rank(a.ptr[i]) - utf16_rank(b.ptr[i]);
        }
    }
    return (a.len > b.len) - (a.len < b.len);
}

static int member_order(const void *a, const void *b)
{
    const struct member *const *x = a;
    const struct member *const *y = b;
    return utf16_cmp((*x)->name, (*y)->name);
}

static bool members_ascend(const struct value *object)
{
    for (uint32_t i = 1; i < object->count; i++) {
        if (utf16_cmp(object->members[i - 1].name, object->members[i].name) >= 0) {
            return false;
        }
    }
    return true;
}

static void sort_few(const struct member **sorted, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        const struct member *m = sorted[i];
        uint32_t at = i;
        for (; at > 0 && utf16_cmp(sorted[at - 1]->name, m->name) > 0; at--) {
            sorted[at] = sorted[at - 1];
        }
        sorted[at] = m;
    }
}

static void write_member(const struct writer *w, const struct member *m, bool first, int depth)
{
    if (!first) {
        buf_char(w->out, ',');
    }
    new_line(w, depth + 1);
    json_write_string(w->out, m->name);
    buf_put(w->out, ": ", w->pretty ? 2 : 1);
    write_value(w, &m->value, depth + 1);
}

static void write_sorted(const struct writer *w, const struct value *v, int depth)
{
    const struct member *few[SORT_STACK];
    const struct member **sorted = few;
    if (v->count > SORT_STACK) {
        sorted = arena_array(w->scratch, v->count, sizeof *sorted);
        if (sorted == NULL) {
            w->out->rc = arena_rc(w->scratch);
            return;
        }
    }
    for (uint32_t i = 0; i < v->count; i++) {
        sorted[i] = &v->members[i];
    }
    if (sorted == few) {
        sort_few(sorted, v->count);
    } else {
        qsort(sorted, v->count, sizeof *sorted, member_order);
    }
    for (uint32_t i = 0; i < v->count; i++) {
        /* A name twice would make bytes that the reader refuses. */
        must(i == 0 || !str_eq(sorted[i - 1]->name, sorted[i]->name));
        write_member(w, sorted[i], i == 0, depth);
    }
}

static void write_object(const struct writer *w, const struct value *v, int depth)
{
    buf_char(w->out, '{');
    if (w->scratch != NULL && !members_ascend(v)) {
        write_sorted(w, v, depth);
    } else {
        for (uint32_t i = 0; i < v->count; i++) {
            write_member(w, &v->members[i], i == 0, depth);
        }
    }
    if (v->count > 0) {
        new_line(w, depth);
    }
    buf_char(w->out, '}');
}

static void write_value(const struct writer *w, const struct value *v, int depth)
{
    switch (v->type) {
    case VALUE_NULL:
        buf_put(w->out, "null", 4);
        break;
    case VALUE_BOOL:
        buf_str(w->out, v->boolean ? STR("true") : STR("false"));
        break;
    case VALUE_INT:
        buf_i64(w->out, v->integer);
        break;
    case VALUE_DOUBLE:
        json_write_double(w->out, v->number);
        break;
    case VALUE_STRING:
        json_write_string(w->out, v->string);
        break;
    case VALUE_ARRAY:
        write_array(w, v, depth);
        break;
    case VALUE_OBJECT:
        write_object(w, v, depth);
        break;
    }
}

void json_write(struct buf *out, const struct value *v)
{
    write_value(&(struct writer){.out = out}, v, 0);
}

void json_write_pretty(struct buf *out, const struct value *v)
{
    write_value(&(struct writer){.out = out, .pretty = true}, v, 0);
}

void json_write_canonical(struct buf *out, const struct value *v, struct arena *scratch)
{
    must(scratch != NULL);
    write_value(&(struct writer){.out = out, .scratch = scratch}, v, 0);
}
