#include "policy/reader.h"

#include "base/buf.h"
#include "base/instant.h"
#include "base/must.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { KEY_SHOWN_MAX = 65 }; /* of an unknown key in a pointer */

void reader_say(struct reader *r, const struct value *v, const char *format, ...)
{
    char text[ERR_TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    char where[ERR_WHERE_MAX] = "";
    if (v != NULL && v->line > 0) {
        snprintf(where, sizeof where, "%.*s:%u:%u", STR_ARG(r->file), v->line, v->column);
    }
    err_say_at(r->e, RC_INVALID, str_from(where), "%s", text);
}

/* A pointer begins with '/' or is empty; a position begins with a file's name. */
static bool is_pointer(const struct reader *r)
{
    return r->e != NULL && (r->e->where[0] == '\0' || (r->e->where[0] == '/' && r->file.len == 0));
}

enum rc reader_step(struct reader *r, enum rc rc, const char *name)
{
    if (rc != RC_OK && is_pointer(r)) {
        err_step(r->e, "/%s", name);
    }
    return rc;
}

enum rc reader_step_index(struct reader *r, enum rc rc, size_t index)
{
    if (rc != RC_OK && is_pointer(r)) {
        err_step(r->e, "/%zu", index);
    }
    return rc;
}

int64_t percent_to_ppm(double percent)
{
    return (int64_t)floor(percent * 10000.0 + 0.5);
}

double ppm_to_percent(int64_t ppm)
{
    return (double)ppm / 10000.0;
}

static enum rc read_word(struct reader *r, const struct value *v, const struct field *f, int64_t *ret)
{
    struct buf expected;
    buf_init(&expected, 256);
    for (int64_t i = 0; f->words[i] != NULL; i++) {
        if (value_is(v, VALUE_STRING) && str_eq(v->string, str_from(f->words[i]))) {
            *ret = i;
            buf_done(&expected);
            return RC_OK;
        }
        buf_printf(&expected, "%s%s", i == 0 ? "" : ", ", f->words[i]);
    }
    enum rc rc = reader_fail(r, v, "%s: expected one of %.*s", f->name, STR_ARG(buf_view(&expected)));
    buf_done(&expected);
    return rc;
}

static enum rc read_scaled(struct reader *r, const struct value *v, const struct field *f, int64_t *ret)
{
    double n;
    double scale = f->type == FIELD_PERCENT ? 10000.0 : 1000.0;
    if (!value_number(v, &n) || n > 1e9 || n < -1e9) {
        return reader_fail(r, v, "%s: expected a number", f->name);
    }
    *ret = (int64_t)floor(n * scale + 0.5);
    return RC_OK;
}

static enum rc read_int64(struct reader *r, const struct value *v, const struct field *f, int64_t *ret)
{
    switch (f->type) {
    case FIELD_BOOL:
        if (!value_is(v, VALUE_BOOL)) {
            return reader_fail(r, v, "%s: expected true or false", f->name);
        }
        *ret = v->boolean;
        return RC_OK;
    case FIELD_COUNT:
        if (!value_is(v, VALUE_INT)) {
            return reader_fail(r, v, "%s: expected a whole number", f->name);
        }
        *ret = v->integer;
        return RC_OK;
    case FIELD_SPAN:
        if (!span_parse(value_text(v), ret)) {
            return reader_fail(r, v, "%s: expected a duration such as 30s, 5m, 1h or 28d", f->name);
        }
        return RC_OK;
    case FIELD_INSTANT:
        if (!instant_parse(value_text(v), ret)) {
            return reader_fail(r, v, "%s: expected a time such as 2026-12-24T16:00:00Z", f->name);
        }
        return RC_OK;
    case FIELD_WORD:
        return read_word(r, v, f, ret);
    default:
        return read_scaled(r, v, f, ret);
    }
}

static void number_text(const struct field *f, int64_t n, char *out, size_t size)
{
    struct buf b;
    buf_init(&b, 64);
    if (f->type == FIELD_SPAN) {
        buf_span(&b, n);
    } else {
        double scale = f->type == FIELD_PERCENT ? 10000.0 : f->type == FIELD_RATIO ? 1000.0 : 1.0;
        buf_printf(&b, "%.10g", (double)n / scale);
    }
    snprintf(out, size, "%.*s", STR_ARG(buf_view(&b)));
    buf_done(&b);
}

enum rc read_number(struct reader *r, const struct value *v, const struct field *f, int64_t *ret)
{
    int64_t n;
    enum rc rc = read_int64(r, v, f, &n);
    if (rc != RC_OK) {
        return rc;
    }
    if ((f->min != 0 || f->max != 0) && (n < f->min || n > f->max)) {
        char min[48];
        char max[48];
        number_text(f, f->min, min, sizeof min);
        number_text(f, f->max, max, sizeof max);
        return reader_fail(r, v, "%s: expected %s to %s", f->name, min, max);
    }
    *ret = n;
    return RC_OK;
}

static enum rc read_text(struct reader *r, const struct value *v, const struct field *f, struct str *ret)
{
    bool name = f->type == FIELD_NAME || f->type == FIELD_NAMES;
    if (!value_is(v, VALUE_STRING) || v->string.len > FIELD_TEXT_MAX) {
        return reader_fail(r, v, "%s: expected a text of at most %d bytes", f->name, FIELD_TEXT_MAX);
    }
    if (name && !str_is_name(v->string)) {
        return reader_fail(r, v,
                           "%s: expected a name: lower-case letters, digits and . _ / -, at most 128",
                           f->name);
    }
    /* Nothing is what the canonical form leaves out, so it would not read back. */
    if (f->required && v->string.len == 0) {
        return reader_fail(r, v, "%s: expected a text, not an empty one", f->name);
    }
    *ret = arena_str(r->arena, v->string);
    return RC_OK;
}

static enum rc read_list(struct reader *r, const struct value *v, const struct field *f,
                         struct str_list *ret)
{
    if (!value_is(v, VALUE_ARRAY) || v->count > FIELD_LIST_MAX) {
        return reader_fail(r, v, "%s: expected a list of at most %d texts", f->name, FIELD_LIST_MAX);
    }
    if (f->required && v->count == 0) {
        return reader_fail(r, v, "%s: expected at least one", f->name);
    }
    struct str *items = arena_array(r->arena, v->count, sizeof *items);
    for (uint32_t i = 0; i < v->count && items != NULL; i++) {
        enum rc rc = read_text(r, &v->items[i], f, &items[i]);
        if (rc != RC_OK) {
            return reader_step_index(r, rc, i);
        }
    }
    *ret = (struct str_list){items, items == NULL ? 0 : v->count};
    return RC_OK;
}

static enum rc read_field(struct reader *r, const struct value *v, const struct field *f, void *at)
{
    int64_t n;
    enum rc rc;
    switch (f->type) {
    case FIELD_NAME:
    case FIELD_TEXT:
        return read_text(r, v, f, at);
    case FIELD_NAMES:
    case FIELD_TEXTS:
        return read_list(r, v, f, at);
    case FIELD_VALUE:
        *(const struct value **)at = v;
        return RC_OK;
    case FIELD_BOOL:
        rc = read_number(r, v, f, &n);
        if (rc == RC_OK) {
            *(bool *)at = n != 0;
        }
        return rc;
    default:
        return read_number(r, v, f, at);
    }
}

static void field_default(const struct field *f, void *at)
{
    switch (f->type) {
    case FIELD_NAME:
    case FIELD_TEXT:
        *(struct str *)at = STR("");
        return;
    case FIELD_NAMES:
    case FIELD_TEXTS:
        *(struct str_list *)at = (struct str_list){NULL, 0};
        return;
    case FIELD_VALUE:
        *(const struct value **)at = NULL;
        return;
    case FIELD_BOOL:
        *(bool *)at = f->otherwise != 0;
        return;
    default:
        *(int64_t *)at = f->otherwise;
    }
}

static enum rc refuse_unknown(struct reader *r, const struct value *v, const struct field *fields,
                              size_t count)
{
    for (uint32_t i = 0; i < v->count; i++) {
        size_t k = 0;
        while (k < count && !str_eq(v->members[i].name, str_from(fields[k].name))) {
            k++;
        }
        if (k < count) {
            continue;
        }
        struct buf known;
        buf_init(&known, 512);
        for (size_t n = 0; n < count; n++) {
            buf_printf(&known, "%s%s", n == 0 ? "" : ", ", fields[n].name);
        }
        enum rc rc = reader_fail(r, &v->members[i].value, "unknown key \"%.*s\": expected one of %.*s",
                                 STR_ARG(v->members[i].name), STR_ARG(buf_view(&known)));
        buf_done(&known);
        char name[KEY_SHOWN_MAX];
        bool plain = str_to_c(v->members[i].name, name, sizeof name) && strpbrk(name, "/~") == NULL;
        return plain ? reader_step(r, rc, name) : rc;
    }
    return RC_OK;
}

enum rc read_fields(struct reader *r, const struct value *v, const struct field *fields, size_t count,
                    void *out)
{
    if (!value_is(v, VALUE_OBJECT)) {
        return reader_fail(r, v, "expected an object");
    }
    enum rc rc = refuse_unknown(r, v, fields, count);
    for (size_t i = 0; i < count && rc == RC_OK; i++) {
        const struct value *member = value_get(v, str_from(fields[i].name));
        void *at = (char *)out + fields[i].offset;
        if (member != NULL && !value_is(member, VALUE_NULL)) {
            rc = reader_step(r, read_field(r, member, &fields[i], at), fields[i].name);
        } else if (fields[i].required) {
            rc = reader_fail(r, v, "%s is required", fields[i].name);
        } else {
            field_default(&fields[i], at);
        }
    }
    if (rc == RC_OK && arena_rc(r->arena) != RC_OK) {
        return err_set(r->e, arena_rc(r->arena), "the configuration is too large");
    }
    return rc;
}

struct value write_number(struct arena *a, const struct field *f, int64_t n)
{
    struct buf b;
    struct value v = value_int(n);
    switch (f->type) {
    case FIELD_BOOL:
        return value_bool(n != 0);
    case FIELD_SPAN:
        buf_init(&b, 64);
        buf_span(&b, n);
        v = value_string(arena_str(a, buf_view(&b)));
        buf_done(&b);
        return v;
    case FIELD_INSTANT:
        buf_init(&b, 64);
        buf_instant(&b, n);
        v = value_string(arena_str(a, buf_view(&b)));
        buf_done(&b);
        return v;
    case FIELD_PERCENT:
        return n % 10000 == 0 ? value_int(n / 10000) : value_double((double)n / 10000.0);
    case FIELD_RATIO:
        return n % 1000 == 0 ? value_int(n / 1000) : value_double((double)n / 1000.0);
    case FIELD_WORD:
        return value_string(str_from(f->words[n]));
    default:
        return v;
    }
}

static void write_field(struct arena *a, struct value *object, const struct field *f, const void *at)
{
    struct str name = str_from(f->name);
    if (f->type == FIELD_NAME || f->type == FIELD_TEXT) {
        struct str text = *(const struct str *)at;
        if (text.len > 0) {
            value_add_str(a, object, name, text);
        }
    } else if (f->type == FIELD_NAMES || f->type == FIELD_TEXTS) {
        const struct str_list *list = at;
        struct value items = value_array();
        for (uint32_t i = 0; i < list->count; i++) {
            value_push(a, &items, value_string(list->items[i]));
        }
        if (list->count > 0) {
            value_add(a, object, name, items);
        }
    } else if (f->type == FIELD_VALUE) {
        const struct value *v = *(const struct value *const *)at;
        if (v != NULL) {
            value_add(a, object, name, *v);
        }
    } else {
        int64_t n = f->type == FIELD_BOOL ? *(const bool *)at : *(const int64_t *)at;
        value_add(a, object, name, write_number(a, f, n));
    }
}

struct value write_fields(struct arena *a, const struct field *fields, size_t count, const void *in)
{
    struct value object = value_object();
    for (size_t i = 0; i < count; i++) {
        write_field(a, &object, &fields[i], (const char *)in + fields[i].offset);
    }
    return object;
}
