/*
 * value - one JSON-like value type, in an arena.
 *
 * Everything that comes from outside (bodies, configuration, ledger bodies) is this type. Strings
 * are UTF-8, borrowed from the arena or from whatever the maker says. Integers are exact int64;
 * every other number is a double. Objects keep their members in the order they were added. Pure.
 *
 * Builders never fail in themselves: the arena's failure is sticky, so build, then ask arena_rc().
 */
#ifndef VALUE_VALUE_H
#define VALUE_VALUE_H

#include "base/arena.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum value_type {
    VALUE_NULL = 0,
    VALUE_BOOL,
    VALUE_INT,
    VALUE_DOUBLE,
    VALUE_STRING,
    VALUE_ARRAY,
    VALUE_OBJECT,
};

struct value {
    enum value_type type;
    uint32_t count;    /* items or members */
    uint32_t capacity; /* room, for builders */
    /* Where it stood in its YAML file, 1-based; 0 when it did not come from one. */
    uint32_t line;
    uint32_t column;
    union {
        bool boolean;
        int64_t integer;
        double number;
        struct str string;
        struct value *items;
        struct member *members;
    };
};

struct member {
    struct str name;
    struct value value;
};

/* Makers. value_string borrows s. */
struct value value_null(void);
struct value value_bool(bool b);
struct value value_int(int64_t n);
struct value value_double(double n);
struct value value_string(struct str s);
struct value value_array(void);
struct value value_object(void);
/* Appends. Keeps: name and what v points at, by reference. The object must not hold name yet. */
void value_add(struct arena *a, struct value *object, struct str name, struct value v);
void value_push(struct arena *a, struct value *array, struct value v);
/* Shorthands for the commonest members. */
void value_add_str(struct arena *a, struct value *object, struct str name, struct str s);
void value_add_int(struct arena *a, struct value *object, struct str name, int64_t n);
void value_add_bool(struct arena *a, struct value *object, struct str name, bool b);
/* Adds the moment as RFC 3339 text. */
void value_add_instant(struct arena *a, struct value *object, struct str name, int64_t ms);
/* Adds "<prefix><lower-case hex>". */
void value_add_hex(struct arena *a, struct value *object, struct str name, struct str prefix,
                   const uint8_t *bytes, size_t len);

/* Readers. Each takes a null v and answers as for a missing one. */
/* The member, or null when v is no object or has none of that name. */
const struct value *value_get(const struct value *v, struct str name);
/* The member at a path of names: value_path(v, "slo", "objective", NULL). */
const struct value *value_path(const struct value *v, ...) __attribute__((sentinel));
bool value_is(const struct value *v, enum value_type type);
/* The i-th item, or null when v is no array or has not that many. */
const struct value *value_item(const struct value *v, uint32_t i);
/* The string, or the empty one when it is not a string. */
struct str value_text(const struct value *v);
int64_t value_integer_or(const struct value *v, int64_t otherwise);
bool value_bool_or(const struct value *v, bool otherwise);
/* An int or a double as a double; false for anything else. */
NODISCARD bool value_number(const struct value *v, double *ret);
/* Same type and content; objects without regard to order; 1 and 1.0 are equal. */
bool value_eq(const struct value *a, const struct value *b);
/* A copy whose every byte is in a. */
struct value value_copy(struct arena *a, const struct value *v);
/* "object", "string", ...: for error texts. */
const char *value_type_name(enum value_type type);

#endif
