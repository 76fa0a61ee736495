/*
 * cel/value - the values that expressions work on, and their types.
 *
 * A struct cel_value is 24 bytes, passed around by copy; texts, lists, maps and objects are
 * borrowed from whoever made them and must outlive it. Lists and maps are an array of values, a
 * JSON value or the caller's own storage behind two functions; objects are the caller's C structs
 * behind a class. Zeroed memory is CEL_ABSENT: no value, which is an error when it is read.
 *
 * Types are constant data: a caller declares its classes as static tables. Pure.
 * Source: cel-spec, doc/langdef.md, "Values".
 */
#ifndef CEL_VALUE_H
#define CEL_VALUE_H

#include "base/arena.h"
#include "base/buf.h"
#include "value/value.h"

#include <stdbool.h>
#include <stdint.h>

enum cel_kind {
    CEL_ABSENT = 0, /* no value */
    CEL_NULL,
    CEL_BOOL,
    CEL_INT,
    CEL_UINT,
    CEL_DOUBLE,
    CEL_STRING,
    CEL_BYTES,
    CEL_LIST,
    CEL_MAP,
    CEL_TYPE,
    CEL_TIMESTAMP,
    CEL_DURATION,
    CEL_OPTIONAL,
    CEL_IP,
    CEL_CIDR,
    CEL_OBJECT,
    CEL_KINDS,           /* of values: their count */
    CEL_DYN = CEL_KINDS, /* of types only: anything */
    CEL_VAR,             /* of types only: to be inferred */
    CEL_ERROR,           /* of values only: an evaluation that failed */
};

struct cel_class;

struct cel_type {
    enum cel_kind kind;
    uint32_t max;                /* most elements of a list or map, bytes of a text; 0: not known */
    const struct cel_type *item; /* of a list, an optional, a map's values */
    const struct cel_type *key;  /* of a map */
    const struct cel_class *class; /* of an object */
    uint32_t var;                  /* of CEL_VAR: which */
};

extern const struct cel_type cel_null, cel_bool, cel_int, cel_uint, cel_double, cel_string,
    cel_bytes, cel_timestamp, cel_duration, cel_type_type, cel_dyn, cel_ip, cel_cidr, cel_list_dyn,
    cel_map_dyn, cel_list_string, cel_map_string_dyn, cel_map_string_string, cel_optional_dyn;

/* Where a list, map or error keeps its content. */
enum cel_form { CEL_NATIVE = 0, CEL_JSON, CEL_OPS };
/* Why an evaluation failed. */
enum cel_fault { CEL_FAULT = 0, CEL_CUT_COST, CEL_CUT_MEMORY };

struct cel_value {
    uint8_t kind; /* enum cel_kind */
    uint8_t form; /* enum cel_form of a list or map, enum cel_fault of an error */
    uint32_t
        aux; /* nanoseconds of a timestamp, elements of a list or map, byte offset of an error */
    union {
        bool boolean;
        int64_t integer; /* also seconds of a timestamp, nanoseconds of a duration */
        uint64_t natural;
        double number;
        const char *text;              /* of a string, bytes, an error */
        const struct cel_value *items; /* of a native list; of an optional, null when it is none */
        const struct cel_map *map;     /* of a native map */
        const struct value *json;
        const struct cel_address *address;
        const struct cel_type *type;
        const void *self;
    };
    union {
        size_t len; /* bytes of a text */
        const struct cel_class *class;
        const struct cel_list_ops *list_ops;
        const struct cel_map_ops *map_ops;
    };
};

/* An IP address or a network. Source: cel-go's network extension. */
struct cel_address {
    uint8_t bytes[16]; /* IPv4 in the first four */
    uint8_t family;    /* 4 or 6 */
    uint8_t prefix;    /* bits; of a network */
};

/* The caller's own list: i is below the count that the value was made with. What get makes it makes
 * in scope or borrows. */
struct cel_list_ops {
    void (*get)(const void *self, uint32_t i, struct arena *scope, struct cel_value *ret);
};
struct cel_map_ops {
    /* False when there is no such key; keys of other kinds come as well. */
    bool (*find)(const void *self, const struct cel_value *key, struct arena *scope,
                 struct cel_value *ret);
    void (*key)(const void *self, uint32_t i, struct arena *scope, struct cel_value *ret);
};

struct cel_field {
    const char *name;
    const struct cel_type *type;
    const char *doc; /* one sentence, for the reference page */
};

/*
 * What a C struct looks like to expressions. get yields the field of that index: true, or false
 * when it has no value now (has() is false, reading it is an error). It makes what it must in
 * scope.
 */
struct cel_class {
    const char *name; /* also the name of its type: type(x) == pawl.Agent */
    const char *doc;
    const struct cel_field *fields;
    uint32_t count;
    bool (*get)(const void *self, unsigned field, struct arena *scope, struct cel_value *ret);
    bool remembers; /* its objects begin with a struct cel_remembered */
};

/* Fields of one object that were read before: by index, those that are not absent are not asked for
 * again. Who fills them sees to it that they outlive every evaluation. Null: nothing is. */
struct cel_remembered {
    struct cel_value *fields;
};

/* Makers. All borrow. */
static inline struct cel_value cel_of_null(void)
{
    return (struct cel_value){.kind = CEL_NULL};
}
static inline struct cel_value cel_of_bool(bool b)
{
    return (struct cel_value){.kind = CEL_BOOL, .boolean = b};
}
static inline struct cel_value cel_of_int(int64_t n)
{
    return (struct cel_value){.kind = CEL_INT, .integer = n};
}
static inline struct cel_value cel_of_uint(uint64_t n)
{
    return (struct cel_value){.kind = CEL_UINT, .natural = n};
}
static inline struct cel_value cel_of_double(double n)
{
    return (struct cel_value){.kind = CEL_DOUBLE, .number = n};
}
static inline struct cel_value cel_of_str(struct str s)
{
    return (struct cel_value){.kind = CEL_STRING, .text = s.ptr, .len = s.len};
}
static inline struct cel_value cel_of_bytes(struct str s)
{
    return (struct cel_value){.kind = CEL_BYTES, .text = s.ptr, .len = s.len};
}
static inline struct cel_value cel_of_list(const struct cel_value *items, uint32_t count)
{
    return (struct cel_value){.kind = CEL_LIST, .aux = count, .items = items};
}
static inline struct cel_value cel_of_items(const void *self, uint32_t count,
                                            const struct cel_list_ops *ops)
{
    return (struct cel_value){
        .kind = CEL_LIST, .form = CEL_OPS, .aux = count, .self = self, .list_ops = ops};
}
static inline struct cel_value cel_of_entries(const void *self, uint32_t count,
                                              const struct cel_map_ops *ops)
{
    return (struct cel_value){
        .kind = CEL_MAP, .form = CEL_OPS, .aux = count, .self = self, .map_ops = ops};
}
static inline struct cel_value cel_of_object(const struct cel_class *class, const void *self)
{
    return (struct cel_value){.kind = CEL_OBJECT, .self = self, .class = class};
}
/* A moment: seconds since 1970 in the years 0001 to 9999; nanos 0 to 999999999. */
static inline struct cel_value cel_of_timestamp(int64_t seconds, uint32_t nanos)
{
    return (struct cel_value){.kind = CEL_TIMESTAMP, .aux = nanos, .integer = seconds};
}
static inline struct cel_value cel_of_duration(int64_t nanos)
{
    return (struct cel_value){.kind = CEL_DURATION, .integer = nanos};
}
static inline struct cel_value cel_of_type(const struct cel_type *type)
{
    return (struct cel_value){.kind = CEL_TYPE, .type = type};
}
/* inner null: the optional without a value. */
static inline struct cel_value cel_of_optional(const struct cel_value *inner)
{
    return (struct cel_value){.kind = CEL_OPTIONAL, .items = inner};
}
/* Wraps, copies nothing; a null v is absent. */
struct cel_value cel_of_json(const struct value *v);

static inline struct str cel_text(const struct cel_value *v)
{
    return (struct str){v->text, v->len};
}
/* The i-th element; i is below v->aux. */
void cel_list_at(const struct cel_value *v, uint32_t i, struct arena *scope, struct cel_value *ret);

/* A map that is built once and then read. */
struct cel_entry {
    struct cel_value key;
    struct cel_value value;
};
struct cel_map {
    struct cel_entry *entries; /* in the order they were put */
    uint32_t count;
    uint32_t capacity;
    uint32_t *index; /* open addressing, entry + 1; null for small maps */
    uint32_t mask;
    uint64_t probes; /* entries that all puts looked at: keys can be made to collide */
};
/* Null when the arena is full. capacity: the most entries that will be put. */
struct cel_map *cel_map_new(struct arena *a, uint32_t capacity);
/* False when an equal key is there, or it has no room. Keys: int, uint, bool or string. */
bool cel_map_put(struct cel_map *m, const struct cel_value *key, const struct cel_value *value);
struct cel_value cel_of_map(const struct cel_map *m);
/* Keys 1, 1u and 1.0 are the same key. False when there is none. */
bool cel_map_find(const struct cel_value *map, const struct cel_value *key, struct arena *scope,
                  struct cel_value *ret);
void cel_map_key(const struct cel_value *map, uint32_t i, struct arena *scope,
                 struct cel_value *ret);

/* The i-th key with its value; the value is absent when the caller's own map has none after all. */
void cel_map_at(const struct cel_value *map, uint32_t i, struct arena *scope,
                struct cel_entry *ret);

/* "int", "list", "google.protobuf.Timestamp", a class's name. */
const char *cel_kind_name(enum cel_kind kind);
struct str cel_type_name(const struct cel_type *t);
/* The type with its parameters: "map(string, list(int))". */
void buf_cel_type(struct buf *b, const struct cel_type *t);
/* The value as an expression would write it, for messages: [1, "a"], {"k": 2u}, timestamp("...").
 */
void buf_cel_value(struct buf *b, const struct cel_value *v, struct arena *scope);
/*
 * As JSON: uint beyond int64 and non-finite doubles become text, bytes base64, moments and spans
 * their text, other than string keys their text.
 * Errors: RC_INVALID for types and errors; RC_LIMIT for nesting beyond JSON_DEPTH_MAX or the arena.
 */
NODISCARD enum rc cel_to_json(const struct cel_value *v, struct arena *a, struct value *ret,
                              struct err *e);

#endif
