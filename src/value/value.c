#include "value/value.h"

#include "base/encode.h"
#include "base/instant.h"
#include "base/must.h"
#include "value/number.h"

#include <stdarg.h>
#include <string.h>

enum { FIRST_CAPACITY = 4 };

struct value value_null(void)
{
    return (struct value){.type = VALUE_NULL};
}

struct value value_bool(bool b)
{
    return (struct value){.type = VALUE_BOOL, .boolean = b};
}

struct value value_int(int64_t n)
{
    return (struct value){.type = VALUE_INT, .integer = n};
}

struct value value_double(double n)
{
    return (struct value){.type = VALUE_DOUBLE, .number = n};
}

struct value value_string(struct str s)
{
    return (struct value){.type = VALUE_STRING, .string = s};
}

struct value value_array(void)
{
    return (struct value){.type = VALUE_ARRAY};
}

struct value value_object(void)
{
    return (struct value){.type = VALUE_OBJECT};
}

/* The elements with room for one more; null when the arena failed. */
static void *grown(struct arena *a, struct value *v, void *elements, size_t size)
{
    if (v->count < v->capacity) {
        return elements;
    }
    size_t capacity = v->capacity == 0 ? FIRST_CAPACITY : (size_t)v->capacity * 2;
    must(capacity <= UINT32_MAX);
    void *room = arena_array(a, capacity, size);
    if (room == NULL) {
        return NULL;
    }
    if (v->count > 0) {
        memcpy(room, elements, v->count * size);
    }
    v->capacity = (uint32_t)capacity;
    return room;
}

void value_add(struct arena *a, struct value *object, struct str name, struct value v)
{
    must(object->type == VALUE_OBJECT);
    struct member *room = grown(a, object, object->members, sizeof *room);
    if (room != NULL) {
        object->members = room;
        room[object->count++] = (struct member){name, v};
    }
}

void value_push(struct arena *a, struct value *array, struct value v)
{
    must(array->type == VALUE_ARRAY);
    struct value *room = grown(a, array, array->items, sizeof *room);
    if (room != NULL) {
        array->items = room;
        room[array->count++] = v;
    }
}

void value_add_str(struct arena *a, struct value *object, struct str name, struct str s)
{
    value_add(a, object, name, value_string(s));
}

void value_add_int(struct arena *a, struct value *object, struct str name, int64_t n)
{
    value_add(a, object, name, value_int(n));
}

void value_add_bool(struct arena *a, struct value *object, struct str name, bool b)
{
    value_add(a, object, name, value_bool(b));
}

void value_add_instant(struct arena *a, struct value *object, struct str name, int64_t ms)
{
    char *text = arena_alloc(a, INSTANT_TEXT_LEN);
    if (text != NULL) {
        instant_format(ms, text);
        value_add_str(a, object, name, (struct str){text, INSTANT_TEXT_LEN});
    }
}

void value_add_hex(struct arena *a, struct value *object, struct str name, struct str prefix,
                   const uint8_t *bytes, size_t len)
{
    size_t total = prefix.len + 2 * len;
    char *text = arena_alloc(a, total);
    if (text == NULL) {
        return;
    }
    if (prefix.len > 0) {
        memcpy(text, prefix.ptr, prefix.len);
    }
    hex_encode(bytes, len, text + prefix.len);
    value_add_str(a, object, name, (struct str){text, total});
}

const struct value *value_get(const struct value *v, struct str name)
{
    if (v == NULL || v->type != VALUE_OBJECT) {
        return NULL;
    }
    /* Most names of the same length begin differently, and a call for each would be most of the cost. */
    char first = name.len > 0 ? name.ptr[0] : 0;
    for (uint32_t i = 0; i < v->count; i++) {
        const struct str *other = &v->members[i].name;
        if (other->len == name.len && (name.len == 0 || other->ptr[0] == first) && str_eq(*other, name)) {
            return &v->members[i].value;
        }
    }
    return NULL;
}

const struct value *value_path(const struct value *v, ...)
{
    va_list names;
    va_start(names, v);
    for (const char *name = va_arg(names, const char *); name != NULL;
         name = va_arg(names, const char *)) {
        v = value_get(v, str_from(name));
    }
    va_end(names);
    return v;
}

const struct value *value_item(const struct value *v, uint32_t i)
{
    return value_is(v, VALUE_ARRAY) && i < v->count ? &v->items[i] : NULL;
}

bool value_is(const struct value *v, enum value_type type)
{
    return v != NULL && v->type == type;
}

struct str value_text(const struct value *v)
{
    return value_is(v, VALUE_STRING) ? v->string : STR("");
}

int64_t value_integer_or(const struct value *v, int64_t otherwise)
{
    return value_is(v, VALUE_INT) ? v->integer : otherwise;
}

bool value_bool_or(const struct value *v, bool otherwise)
{
    return value_is(v, VALUE_BOOL) ? v->boolean : otherwise;
}

bool value_number(const struct value *v, double *ret)
{
    if (value_is(v, VALUE_INT)) {
        *ret = (double)v->integer;
        return true;
    }
    if (value_is(v, VALUE_DOUBLE)) {
        *ret = v->number;
        return true;
    }
    return false;
}

static bool numbers_eq(const struct value *a, const struct value *b)
{
    int64_t x;
    int64_t y;
    bool x_whole = number_as_int(a, &x);
    bool y_whole = number_as_int(b, &y);
    if (x_whole != y_whole) {
        return false;
    }
    return x_whole ? x == y : a->number == b->number;
}

static bool arrays_eq(const struct value *a, const struct value *b)
{
    for (uint32_t i = 0; i < a->count; i++) {
        if (!value_eq(&a->items[i], &b->items[i])) {
            return false;
        }
    }
    return a->count == b->count;
}

static bool objects_eq(const struct value *a, const struct value *b)
{
    for (uint32_t i = 0; i < a->count; i++) {
        /* Mostly both have the same order; only where they differ is it worth a search. */
        const struct member *m = &a->members[i];
        bool same_place = str_eq(m->name, b->members[i].name);
        const struct value *other = same_place ? &b->members[i].value : value_get(b, m->name);
        if (other == NULL || !value_eq(&m->value, other)) {
            return false;
        }
    }
    return true;
}

bool value_eq(const struct value *a, const struct value *b)
{
    if (number_is(a) && number_is(b)) {
        return numbers_eq(a, b);
    }
    if (a->type != b->type) {
        return false;
    }
    switch (a->type) {
    case VALUE_BOOL:
        return a->boolean == b->boolean;
    case VALUE_STRING:
        return str_eq(a->string, b->string);
    case VALUE_ARRAY:
        return a->count == b->count && arrays_eq(a, b);
    case VALUE_OBJECT:
        return a->count == b->count && objects_eq(a, b);
    case VALUE_NULL:
    case VALUE_INT:
    case VALUE_DOUBLE:
        break;
    }
    return true;
}

static void copy_items(struct arena *a, struct value *copy, const struct value *v)
{
    copy->items = arena_array(a, v->count, sizeof *copy->items);
    for (uint32_t i = 0; copy->items != NULL && i < v->count; i++) {
        copy->items[i] = value_copy(a, &v->items[i]);
    }
}

static void copy_members(struct arena *a, struct value *copy, const struct value *v)
{
    copy->members = arena_array(a, v->count, sizeof *copy->members);
    for (uint32_t i = 0; copy->members != NULL && i < v->count; i++) {
        copy->members[i].name = arena_str(a, v->members[i].name);
        copy->members[i].value = value_copy(a, &v->members[i].value);
    }
}

struct value value_copy(struct arena *a, const struct value *v)
{
    struct value copy = *v;
    bool failed = false;
    if (v->type == VALUE_STRING) {
        copy.string = arena_str(a, v->string);
    } else if (v->type == VALUE_ARRAY && v->count > 0) {
        copy_items(a, &copy, v);
        failed = copy.items == NULL;
    } else if (v->type == VALUE_OBJECT && v->count > 0) {
        copy_members(a, &copy, v);
        failed = copy.members == NULL;
    }
    if (v->type == VALUE_ARRAY || v->type == VALUE_OBJECT) {
        /* After a failure the copy is empty rather than broken; arena_rc() tells. */
        copy.count = failed ? 0 : v->count;
        copy.capacity = copy.count;
    }
    return copy;
}

const char *value_type_name(enum value_type type)
{
    static const char *const names[] = {"null",   "boolean", "integer", "number",
                                        "string", "array",   "object"};
    must((unsigned)type < sizeof names / sizeof *names);
    return names[type];
}
