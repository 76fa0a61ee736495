/*
 * cel - the Common Expression Language: compiled once, evaluated often, bounded always.
 *
 * An environment declares variables; a text is compiled against it into an immutable program; the
 * program is evaluated with an activation (the variables' values), a budget and an arena.
 * Everything that can be known before is an error of cel_compile with line and column: syntax,
 * unknown names and fields, types, constant patterns, a worst-case cost over the limit.
 *
 * The language is the one of google/cel-spec without protocol buffer messages (objects are the
 * caller's classes), with cel-go's extensions: strings, math, encoders, bindings, lists, sets,
 * network, optional types, two-variable comprehensions. Durations have cel-go's range (64-bit
 * nanoseconds, 292 years); patterns are RE2's (see pattern.h).
 *
 * An evaluation error (a division by zero, a missing key) is a value until it reaches the top, as
 * the language wants. A cut (budget or memory) is not: nothing absorbs it. Pure; no globals;
 * a program may be evaluated by several threads at once, each with its own cel_run and arena.
 * Source: cel-spec doc/langdef.md; cel-go ext/README.md.
 */
#ifndef CEL_CEL_H
#define CEL_CEL_H

#include "base/arena.h"
#include "base/err.h"
#include "cel/value.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    CEL_TEXT_MAX = 64 << 10,    /* bytes of one expression */
    CEL_DEPTH_MAX = 160,        /* expressions inside each other */
    CEL_NODES_MAX = 20000,      /* of one expression, after macros */
    CEL_PROGRAM_MAX = 16 << 20, /* bytes of memory of one program */
    CEL_VARIABLES_MAX = 1024,   /* of one environment */
    CEL_COST_MAX = 10000000,    /* default for cel_options.cost_max, in steps */
    CEL_SIZE_ASSUMED = 256,     /* default for cel_options.size_assumed */
    CEL_EQUAL_DEPTH_MAX = 64,   /* lists, maps and optionals inside each other in one comparison */
    CEL_FORMAT_PRECISION_MAX = 100, /* digits after the point in format() */
};

struct cel_env;
struct cel_program;

/* Null only when the machine is out of memory. */
struct cel_env *cel_env_new(void);
void cel_env_free(struct cel_env *env);
DEFINE_CLEANUP(cel_env)
/*
 * Declares a variable; its slot is the count of variables declared before. name may be qualified
 * ("request.auth"). Classes in type become type names. Keeps: type and doc by reference.
 * Errors: RC_INVALID for what is no name or a reserved word; RC_CONFLICT for a name that is
 * there; RC_LIMIT.
 */
NODISCARD enum rc cel_declare(struct cel_env *env, struct str name, const struct cel_type *type,
                              const char *doc, struct err *e);

struct cel_declaration {
    struct str name;
    const struct cel_type *type;
    const char *doc;
    uint32_t slot;
};
uint32_t cel_env_count(const struct cel_env *env);
struct cel_declaration cel_env_at(const struct cel_env *env, uint32_t slot);
/* Each class that a declared type names, itself or inside another, once, in the order of first use:
 * for a reference page. Null beyond the last. */
const struct cel_class *cel_env_class(const struct cel_env *env, uint32_t i);

/* Zeroed options are the defaults. */
struct cel_options {
    struct str container;  /* the namespace that names are looked up in first */
    bool unchecked;        /* no type check: unknown names and overloads fail when reached */
    bool no_macros;        /* all, exists, ... are ordinary functions */
    uint64_t cost_max;     /* steps of the worst case; 0: CEL_COST_MAX; UINT64_MAX: no limit */
    uint32_t size_assumed; /* elements or bytes of what has no declared bound */
    const struct cel_type *result; /* what it must yield, which cel_eval sees to; null: anything */
};

/*
 * Keeps:  env's types and classes by reference; text is copied.
 * Gives:  a program, to be released with cel_program_free.
 * Errors: RC_INVALID with `where` "line:column" (1-based, columns in code points); RC_LIMIT for a
 *         maximum above or the cost; RC_NO_MEMORY. options may be null.
 */
NODISCARD enum rc cel_compile(const struct cel_env *env, struct str text,
                              const struct cel_options *options, struct cel_program **ret,
                              struct err *e);
void cel_program_free(struct cel_program *p);
DEFINE_CLEANUP(cel_program)
/* Of the result; cel_dyn when it is not known. */
const struct cel_type *cel_program_type(const struct cel_program *p);
struct str cel_program_text(const struct cel_program *p);
/* The worst case in steps, with declared bounds and the assumed size. */
uint64_t cel_program_cost(const struct cel_program *p);

/* The variables' values: an array by slot, or a function that yields a slot when it is first read.
 */
struct cel_activation {
    const struct cel_value *values; /* count of them; those beyond are absent */
    uint32_t count;
    void (*load)(void *context, uint32_t slot, struct arena *scope, struct cel_value *ret);
    void *context;
};

/* The offset from UTC in seconds of a zone of the tz database at a moment; false: no such zone. */
typedef bool cel_zone_fn(void *context, struct str name, int64_t seconds, int32_t *ret_offset);
/*
 * The same from the bytes of a zone's TZif file, for whoever can read files. False when they are
 * no such file. Source: RFC 8536.
 */
NODISCARD bool cel_zone_offset(struct str tzif, int64_t seconds, int32_t *ret_offset);

/* What one sub-expression yielded last; bytes [from, to) of the text. */
struct cel_step {
    uint32_t from;
    uint32_t to;
    uint32_t count; /* how often it was evaluated; 0: never */
    struct cel_value value;
};

struct cel_run {
    struct arena *arena; /* everything is made in it, results too */
    uint64_t budget;     /* steps; a step is one node, one element or 16 bytes of text work */
    cel_zone_fn *zone;   /* null: only UTC and fixed offsets */
    void *zone_context;
    struct cel_step *steps; /* cel_program_steps() of them, zeroed; null: nothing is recorded */
    uint64_t spent;         /* out: steps */
};

/*
 * Errors: RC_INVALID for an evaluation error, `where` is its "line:column"; RC_LIMIT when the
 * budget or the arena ended it. ret is untouched then.
 */
NODISCARD enum rc cel_eval(const struct cel_program *p, const struct cel_activation *values,
                           struct cel_run *run, struct cel_value *ret, struct err *e);
uint32_t cel_program_steps(const struct cel_program *p);

/* The parts of an expression, for lint and for finding out what it uses. */
enum cel_part {
    CEL_PART_CONSTANT,
    CEL_PART_VARIABLE, /* name, slot */
    CEL_PART_LOCAL,    /* a macro's variable: name */
    CEL_PART_FIELD,    /* name; class when it is an object's, with the field's index in slot */
    CEL_PART_PRESENCE, /* has(): the same */
    CEL_PART_INDEX,
    CEL_PART_CALL, /* name: a function or an operator such as "_&&_" */
    CEL_PART_LIST,
    CEL_PART_MAP,
    CEL_PART_MACRO, /* name: "all", "bind", ... */
    CEL_PART_UNKNOWN,
};
struct cel_view {
    enum cel_part part;
    struct str name;
    const struct cel_type *type;
    const struct cel_class *class;
    const struct cel_value *constant;
    uint32_t slot;
    uint32_t step;   /* its index in cel_run.steps */
    uint32_t parent; /* the step of what it stands in; its own at the top */
    uint32_t from;   /* bytes [from, to) of the text */
    uint32_t to;
};
typedef void cel_walk_fn(void *context, const struct cel_view *view);
/* Every part, each before what stands in it. */
void cel_walk(const struct cel_program *p, cel_walk_fn *fn, void *context);

#endif
