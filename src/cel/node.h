/*
 * cel/node - the tree that an expression becomes, and a compilation's state; for this folder.
 *
 * The parser makes nodes, the checker resolves names and overloads in place, the linker puts a
 * function into each, and the evaluator calls that. A program owns its nodes and what they name.
 */
#ifndef CEL_NODE_H
#define CEL_NODE_H

#include "base/must.h"
#include "cel/cel.h"

struct cel_node;
struct cel_function;
struct cel_pattern;
struct machine;

typedef void cel_eval_fn(struct machine *m, const struct cel_node *n, struct cel_value *ret);

enum node_op {
    NODE_CONSTANT,
    NODE_IDENT,    /* before the check: a name */
    NODE_VARIABLE, /* slot */
    NODE_LOCAL,    /* slot: a macro's variable */
    NODE_LAZY,     /* slot: a binding, kids[0] of binder says what it is */
    NODE_SELECT,   /* kids[0].name */
    NODE_PRESENCE, /* has(kids[0].name) */
    NODE_INDEX,    /* kids[0][kids[1]] */
    NODE_CALL,     /* name(kids...), member: kids[0].name(kids[1]...) */
    NODE_AND,
    NODE_OR,
    NODE_IF,
    NODE_LIST,   /* optional elements: bit in optionals */
    NODE_MAP,    /* kids: key, value, key, value, ... */
    NODE_STRUCT, /* name{...}: nothing can be made that way here */
    NODE_LOOP,   /* a comprehension */
    NODE_BIND,   /* kids: inits..., body */
    NODE_OPT_MAP,
    NODE_FAIL, /* an error when it is reached: unchecked names */
};

enum loop_kind {
    LOOP_ALL,
    LOOP_EXISTS,
    LOOP_EXISTS_ONE,
    LOOP_MAP, /* kids: range, [filter,] transform */
    LOOP_FILTER,
    LOOP_TO_MAP,
    LOOP_TO_MAP_ENTRY,
    LOOP_SORT,
};

enum { CALL_ARGS_MAX = 4 }; /* of any function but math.greatest and math.least */

/* The names that a macro binds. */
struct binding {
    struct str name;
    uint32_t slot;
};

/* What every evaluation reads comes first, and fills one cache line. */
struct cel_node {
    cel_eval_fn *eval;
    uint8_t op;
    uint8_t loop;  /* enum loop_kind */
    bool member;   /* a call in receiver style */
    bool absolute; /* a name with a leading dot */
    bool quoted;   /* a field in backticks */
    bool optional; /* .?name, [?key], optMap rather than optFlatMap */
    bool two;      /* a loop over index and element */
    bool grouped;  /* in parentheses: no part of a longer qualified name */
    uint32_t count;
    uint32_t slot; /* of a variable or local, index of a field */
    struct cel_node **kids;
    const struct cel_class *class;
    struct cel_value constant;
    const struct cel_function
        *function; /* the overload that the types say, or the first of its name */
    struct str name;
    struct binding *bindings;
    bool *optionals; /* of NODE_LIST and NODE_MAP, by element; null: none */
    uint8_t
        want[CALL_ARGS_MAX]; /* of a call: the kinds of its overload's arguments; CEL_DYN: any */
    uint32_t id;
    uint32_t from; /* bytes of the text */
    uint32_t to;
    const struct cel_pattern *pattern; /* of matches() with a constant pattern */
    const struct cel_node *init;       /* of NODE_LAZY */
    const struct cel_type *type;
    struct cel_node *packed; /* where it is now */
    uint32_t depth;
    uint32_t room[9]; /* up to a whole cache line */
};

struct cel_program {
    struct arena *arena;
    struct str text;
    struct cel_node *root;
    const struct cel_type *type;
    enum cel_kind wanted; /* of the result; CEL_DYN: any */
    uint64_t cost;
    uint32_t nodes;
    uint32_t locals; /* slots for what macros bind */
    uint32_t variables;
};

struct compiler {
    const struct cel_env *env;
    const struct cel_options *options;
    struct cel_program *program;
    struct arena *arena; /* the program's */
    struct err *err;
    enum rc rc; /* of the first failure, which err tells */
};

/* Fails at a byte of the text; returns null so that a maker of nodes can return it. */
void *compile_fail(struct compiler *c, enum rc rc, uint32_t at, const char *format, ...)
    PRINTF(4, 5);
/* compile_fail when the arena is full. */
bool compile_memory(struct compiler *c);
struct cel_node *node_new(struct compiler *c, enum node_op op, uint32_t from, uint32_t to);
/* Takes count kids; null (and a failure) when one of them is null or it becomes too deep. */
struct cel_node *node_with(struct compiler *c, struct cel_node *n, struct cel_node *const *kids,
                           uint32_t count);
/* "line:column" of a byte of the text; out has room for CEL_PLACE_MAX. */
enum { CEL_PLACE_MAX = 32 };
struct str cel_place(struct str text, uint32_t at, char out[static CEL_PLACE_MAX]);

/* The stages. Each fails through compile_fail. */
struct cel_node *cel_parse(struct compiler *c);
bool cel_check(struct compiler *c, struct cel_node *root);
bool cel_link(struct compiler *c, struct cel_node *root);
bool cel_estimate(struct compiler *c, const struct cel_node *root);
/* The same parts packed; root itself when there is no room for that. */
struct cel_node *cel_pack(struct arena *a, struct cel_node *root);

/* What the parser asks of macros: a call with this name, or null with *ret_made false when it is an
 * ordinary function. */
struct call_syntax {
    struct cel_node *target; /* null: global */
    struct str name;
    struct cel_node **args;
    uint32_t count;
    uint32_t from;
    uint32_t to;
};
struct cel_node *cel_macro(struct compiler *c, const struct call_syntax *call, bool *ret_made);

/* The environment's side. */
uint32_t env_find(const struct cel_env *env, struct str name); /* slot or UINT32_MAX */
const struct cel_type *env_type_named(const struct cel_env *env, struct str name);

#endif
