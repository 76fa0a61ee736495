/* JSON Schema definitions to structs: one row per keyword; what has no row is refused. */
#include "base/must.h"
#include "value/number.h"
#include "value/pointer.h"
#include "value/schema_internal.h"
#include "value/schema_pattern.h"

struct compiler {
    struct arena *arena;
    struct err *err;
    struct schema_properties defs;
    int depth;
};

/* Fills the field that its row names from v. */
typedef enum rc read_fn(struct compiler *c, void *field, const struct value *v);

struct keyword {
    const char *name;
    read_fn *read;
    size_t field;
};

static enum rc compile(struct compiler *c, struct schema *s, const struct value *definition);

static enum rc fail(struct compiler *c, const char *what)
{
    return err_set(c->err, RC_INVALID, "%s", what);
}

static enum rc no_room(struct compiler *c)
{
    enum rc rc = arena_rc(c->arena);
    must(rc != RC_OK);
    return err_set(c->err, rc, "schema takes more memory than its maximum");
}

static enum rc read_annotation(struct compiler *c, void *field, const struct value *v)
{
    (void)c;
    (void)field;
    (void)v;
    return RC_OK;
}

static enum rc read_any(struct compiler *c, void *field, const struct value *v)
{
    (void)c;
    *(const struct value **)field = v;
    return RC_OK;
}

static enum rc read_bool(struct compiler *c, void *field, const struct value *v)
{
    if (v->type != VALUE_BOOL) {
        return fail(c, "expected true or false");
    }
    *(bool *)field = v->boolean;
    return RC_OK;
}

static enum rc read_count(struct compiler *c, void *field, const struct value *v)
{
    int64_t n;
    if (!number_as_int(v, &n) || n < 0) {
        return fail(c, "expected an integer that is not negative");
    }
    *(int64_t *)field = n;
    return RC_OK;
}

static enum rc read_divisor(struct compiler *c, void *field, const struct value *v)
{
    int64_t n;
    if (!number_as_int(v, &n) || n <= 0) {
        return fail(c, "expected a positive integer");
    }
    *(int64_t *)field = n;
    return RC_OK;
}

static enum rc read_number(struct compiler *c, void *field, const struct value *v)
{
    return number_is(v) ? read_any(c, field, v) : fail(c, "expected a number");
}

static enum rc read_choices(struct compiler *c, void *field, const struct value *v)
{
    if (v->type != VALUE_ARRAY || v->count == 0) {
        return fail(c, "expected a list that is not empty");
    }
    return read_any(c, field, v);
}

static enum rc read_names(struct compiler *c, void *field, const struct value *v)
{
    if (v->type != VALUE_ARRAY) {
        return fail(c, "expected a list of member names");
    }
    for (uint32_t i = 0; i < v->count; i++) {
        if (v->items[i].type != VALUE_STRING) {
            enum rc rc = fail(c, "expected a member name");
            pointer_item(c->err, i);
            return rc;
        }
    }
    return read_any(c, field, v);
}

/* The bit of one type's name; 0 when there is no such type. */
static unsigned type_bit(const struct value *v)
{
    for (unsigned type = VALUE_NULL; v->type == VALUE_STRING && type <= VALUE_OBJECT; type++) {
        if (str_eq(v->string, str_from(value_type_name(type)))) {
            return 1U << type;
        }
    }
    return 0;
}

static enum rc read_type(struct compiler *c, void *field, const struct value *v)
{
    const struct value *names = v->type == VALUE_ARRAY ? v->items : v;
    uint32_t count = v->type == VALUE_ARRAY ? v->count : 1;
    unsigned types = 0;
    for (uint32_t i = 0; i < count; i++) {
        unsigned bit = type_bit(&names[i]);
        if (bit == 0 || (types & bit) != 0) {
            return fail(c, bit == 0 ? "expected a type's name or a list of them"
                                    : "names a type twice");
        }
        types |= bit;
    }
    if (types == 0) {
        return fail(c, "expected a list that is not empty");
    }
    *(unsigned *)field = types;
    return RC_OK;
}

static enum rc read_pattern(struct compiler *c, void *field, const struct value *v)
{
    struct schema *s = field;
    if (v->type != VALUE_STRING) {
        return fail(c, "expected a regular expression");
    }
    s->pattern_text = v;
    return pattern_compile(c->arena, v->string, &s->pattern, c->err);
}

static enum rc read_schema(struct compiler *c, void *field, const struct value *v)
{
    struct schema *s = arena_alloc(c->arena, sizeof *s);
    if (s == NULL) {
        return no_room(c);
    }
    *(struct schema **)field = s;
    return compile(c, s, v);
}

static enum rc read_list(struct compiler *c, void *field, const struct value *v)
{
    if (v->type != VALUE_ARRAY || v->count == 0) {
        return fail(c, "expected a list of schemas that is not empty");
    }
    struct schema_list *list = field;
    list->items = arena_array(c->arena, v->count, sizeof *list->items);
    if (list->items == NULL) {
        return no_room(c);
    }
    list->count = v->count;
    for (uint32_t i = 0; i < v->count; i++) {
        enum rc rc = compile(c, &list->items[i], &v->items[i]);
        if (rc != RC_OK) {
            pointer_item(c->err, i);
            return rc;
        }
    }
    return RC_OK;
}

/* Places for all schemas of an object of schemas, not compiled yet. */
static enum rc name_schemas(struct compiler *c, struct schema_properties *ret,
                            const struct value *v)
{
    if (v->type != VALUE_OBJECT) {
        return fail(c, "expected an object of schemas");
    }
    struct schema *schemas = arena_array(c->arena, v->count, sizeof *schemas);
    ret->items = arena_array(c->arena, v->count, sizeof *ret->items);
    if (schemas == NULL || ret->items == NULL) {
        return no_room(c);
    }
    ret->count = v->count;
    for (uint32_t i = 0; i < v->count; i++) {
        ret->items[i] = (struct schema_named){v->members[i].name, &schemas[i]};
    }
    return RC_OK;
}

static enum rc compile_named(struct compiler *c, const struct schema_properties *named,
                             const struct value *v)
{
    for (uint32_t i = 0; i < named->count; i++) {
        enum rc rc = compile(c, named->items[i].schema, &v->members[i].value);
        if (rc != RC_OK) {
            pointer_member(c->err, v->members[i].name);
            return rc;
        }
    }
    return RC_OK;
}

static enum rc read_properties(struct compiler *c, void *field, const struct value *v)
{
    enum rc rc = name_schemas(c, field, v);
    return rc == RC_OK ? compile_named(c, field, v) : rc;
}

/* Their places were made before anything else was read, so that a $ref may stand above them. */
static enum rc read_defs(struct compiler *c, void *field, const struct value *v)
{
    (void)field;
    if (c->depth != 1) {
        return fail(c, "is known at the top of a schema only");
    }
    return compile_named(c, &c->defs, v);
}

static enum rc read_ref(struct compiler *c, void *field, const struct value *v)
{
    const struct str prefix = STR("#/$defs/");
    if (v->type != VALUE_STRING || !str_starts(v->string, prefix)) {
        return fail(c, "expected \"#/$defs/<name>\"");
    }
    struct str name = str_slice(v->string, prefix.len, v->string.len);
    for (uint32_t i = 0; i < c->defs.count; i++) {
        if (str_eq(c->defs.items[i].name, name)) {
            *(struct schema **)field = c->defs.items[i].schema;
            return RC_OK;
        }
    }
    return fail(c, "names nothing in $defs");
}

#define FIELD(name) offsetof(struct schema, name)

static const struct keyword keywords[] = {
    {"type", read_type, FIELD(types)},
    {"enum", read_choices, FIELD(choices)},
    {"const", read_any, FIELD(constant)},
    {"$defs", read_defs, 0},
    {"$ref", read_ref, FIELD(ref)},
    {"anyOf", read_list, FIELD(any_of)},
    {"allOf", read_list, FIELD(all_of)},
    {"oneOf", read_list, FIELD(one_of)},
    {"not", read_schema, FIELD(not_this)},
    {"properties", read_properties, FIELD(properties)},
    {"required", read_names, FIELD(required)},
    {"additionalProperties", read_schema, FIELD(additional)},
    {"propertyNames", read_schema, FIELD(property_names)},
    {"minProperties", read_count, FIELD(min_properties)},
    {"maxProperties", read_count, FIELD(max_properties)},
    {"items", read_schema, FIELD(items)},
    {"prefixItems", read_list, FIELD(prefix_items)},
    {"uniqueItems", read_bool, FIELD(unique_items)},
    {"minItems", read_count, FIELD(min_items)},
    {"maxItems", read_count, FIELD(max_items)},
    {"minLength", read_count, FIELD(min_length)},
    {"maxLength", read_count, FIELD(max_length)},
    {"pattern", read_pattern, 0},
    {"minimum", read_number, FIELD(minimum)},
    {"maximum", read_number, FIELD(maximum)},
    {"exclusiveMinimum", read_number, FIELD(exclusive_minimum)},
    {"exclusiveMaximum", read_number, FIELD(exclusive_maximum)},
    {"multipleOf", read_divisor, FIELD(multiple_of)},
    {"title", read_annotation, 0},
    {"description", read_annotation, 0},
    {"default", read_annotation, 0},
    {"examples", read_annotation, 0},
    {"format", read_annotation, 0},
    {"deprecated", read_annotation, 0},
    {"readOnly", read_annotation, 0},
    {"writeOnly", read_annotation, 0},
    {"$schema", read_annotation, 0},
    {"$comment", read_annotation, 0},
};

static const struct keyword *keyword_find(struct str name)
{
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++) {
        if (str_eq(name, str_from(keywords[i].name))) {
            return &keywords[i];
        }
    }
    return NULL;
}

static enum rc compile_members(struct compiler *c, struct schema *s, const struct value *definition)
{
    for (uint32_t i = 0; i < definition->count; i++) {
        const struct member *m = &definition->members[i];
        const struct keyword *k = keyword_find(m->name);
        enum rc rc = k == NULL ? fail(c, "is not a keyword that is known here")
                               : k->read(c, (char *)s + k->field, &m->value);
        if (rc != RC_OK) {
            pointer_member(c->err, m->name);
            return rc;
        }
    }
    return RC_OK;
}

static enum rc compile(struct compiler *c, struct schema *s, const struct value *definition)
{
    s->max_properties = INT64_MAX;
    s->max_items = INT64_MAX;
    s->max_length = INT64_MAX;
    if (definition->type == VALUE_BOOL) {
        s->never = !definition->boolean;
        return RC_OK;
    }
    if (definition->type != VALUE_OBJECT) {
        return fail(c, "expected a schema: an object, true or false");
    }
    if (c->depth == SCHEMA_DEPTH_MAX) {
        return err_set(c->err, RC_LIMIT, "schemas inside each other deeper than %d",
                       SCHEMA_DEPTH_MAX);
    }
    c->depth++;
    enum rc rc = compile_members(c, s, definition);
    c->depth--;
    return rc;
}

static enum rc measure(struct compiler *c, struct schema *s, int depth);

static enum rc measure_step(struct compiler *c, struct schema *s, struct schema *next, int depth)
{
    enum rc rc = measure(c, next, depth + 1);
    if (rc == RC_OK && next->height + 1 > s->height) {
        s->height = next->height + 1;
    }
    return rc;
}

static enum rc measure_steps(struct compiler *c, struct schema *s, int depth)
{
    struct schema_list *const lists[] = {&s->any_of, &s->all_of, &s->one_of};
    enum rc rc = RC_OK;
    for (size_t k = 0; k < sizeof lists / sizeof *lists; k++) {
        for (uint32_t i = 0; rc == RC_OK && i < lists[k]->count; i++) {
            rc = measure_step(c, s, &lists[k]->items[i], depth);
        }
    }
    if (rc == RC_OK && s->ref != NULL) {
        rc = measure_step(c, s, s->ref, depth);
    }
    if (rc == RC_OK && s->not_this != NULL) {
        rc = measure_step(c, s, s->not_this, depth);
    }
    return rc;
}

/*
 * A $ref that leads back to itself without going into the value would never end. Every such circle
 * passes through $defs, so it is enough to start there.
 */
static enum rc measure(struct compiler *c, struct schema *s, int depth)
{
    if (s->state == SCHEMA_MEASURING) {
        return fail(c, "leads back to itself");
    }
    if (depth + s->height > SCHEMA_DEPTH_MAX) {
        return err_set(c->err, RC_LIMIT, "a chain of schemas longer than %d", SCHEMA_DEPTH_MAX);
    }
    if (s->state == SCHEMA_MEASURED) {
        return RC_OK;
    }
    s->state = SCHEMA_MEASURING;
    enum rc rc = measure_steps(c, s, depth);
    s->state = SCHEMA_MEASURED;
    return rc;
}

static enum rc measure_defs(struct compiler *c)
{
    for (uint32_t i = 0; i < c->defs.count; i++) {
        enum rc rc = measure(c, c->defs.items[i].schema, 0);
        if (rc != RC_OK) {
            pointer_member(c->err, c->defs.items[i].name);
            pointer_member(c->err, STR("$defs"));
            return rc;
        }
    }
    return RC_OK;
}

static enum rc place_defs(struct compiler *c, const struct value *definition)
{
    const struct value *defs = value_get(definition, STR("$defs"));
    if (defs == NULL) {
        return RC_OK;
    }
    enum rc rc = name_schemas(c, &c->defs, defs);
    if (rc != RC_OK) {
        pointer_member(c->err, STR("$defs"));
    }
    return rc;
}

enum rc schema_compile(struct arena *a, const struct value *definition, const struct schema **ret,
                       struct err *e)
{
    struct compiler c = {.arena = a, .err = e};
    struct schema *s = arena_alloc(a, sizeof *s);
    enum rc rc = s == NULL ? no_room(&c) : place_defs(&c, definition);
    rc = rc == RC_OK ? compile(&c, s, definition) : rc;
    rc = rc == RC_OK ? measure_defs(&c) : rc;
    if (rc == RC_OK) {
        *ret = s;
    }
    return rc;
}
