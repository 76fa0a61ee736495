/*
 * value/schema_internal - what a schema is once it is compiled.
 *
 * schema_compile fills it in, schema_check walks it. Every field that a definition does not mention
 * keeps the value that allows everything.
 */
#ifndef VALUE_SCHEMA_INTERNAL_H
#define VALUE_SCHEMA_INTERNAL_H

#include "value/schema.h"

struct pattern;

/* Bits of schema.types beside 1 << enum value_type; an int is a number as well. */
enum {
    SCHEMA_TYPE_INTEGER = 1 << VALUE_INT,   /* "integer": ints and whole doubles */
    SCHEMA_TYPE_NUMBER = 1 << VALUE_DOUBLE, /* "number": ints and doubles */
};

enum schema_state { SCHEMA_NEW = 0, SCHEMA_MEASURING, SCHEMA_MEASURED };

struct schema_list {
    struct schema *items;
    uint32_t count;
};

struct schema_named {
    struct str name;
    struct schema *schema;
};

struct schema_properties {
    struct schema_named *items;
    uint32_t count;
};

struct schema {
    bool never;     /* the schema "false" */
    unsigned types; /* 0: any */
    const struct value *constant;
    const struct value *choices; /* enum */
    struct schema *ref;
    struct schema_list any_of;
    struct schema_list all_of;
    struct schema_list one_of;
    struct schema *not_this;

    struct schema_properties properties;
    const struct value *required; /* array of strings */
    struct schema *additional;
    struct schema *property_names;
    int64_t min_properties;
    int64_t max_properties;

    struct schema *items;
    struct schema_list prefix_items;
    bool unique_items;
    int64_t min_items;
    int64_t max_items;

    int64_t min_length; /* code points */
    int64_t max_length;
    const struct value *pattern_text;
    const struct pattern *pattern;

    const struct value *minimum;
    const struct value *maximum;
    const struct value *exclusive_minimum;
    const struct value *exclusive_maximum;
    int64_t multiple_of; /* 0: any */

    /* The longest chain of $ref, anyOf, allOf, oneOf and not that looks at the same value. */
    enum schema_state state;
    int height;
};

#endif
