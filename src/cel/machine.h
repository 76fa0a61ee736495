/*
 * cel/machine - the state of one evaluation, and what every function that is evaluated needs; for
 * this folder.
 *
 * Fuel is counted down by each step. When it is gone, the slow path looks further: that is where
 * the budget ends an evaluation, and where steps are recorded when the caller wants them, so that
 * recording costs nothing when it is off.
 */
#ifndef CEL_MACHINE_H
#define CEL_MACHINE_H

#include "cel/node.h"

struct machine {
    int64_t fuel;    /* steps until the slow path */
    int64_t reserve; /* steps behind it, when steps are recorded */
    struct arena *arena;
    struct cel_value *locals;
    const struct cel_activation *values;
    struct cel_value *loaded; /* what load yielded, by slot */
    const struct cel_program *program;
    const struct cel_run *run;
    struct cel_matcher *matcher; /* for patterns; null until one is matched */
    enum cel_fault cut;          /* set once, never cleared */
};

void eval_slow(struct machine *m, const struct cel_node *n, struct cel_value *ret);
bool charge_slow(struct machine *m);

static inline void eval(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    if (__builtin_expect(--m->fuel < 0, 0)) {
        eval_slow(m, n, ret);
        return;
    }
    n->eval(m, n, ret);
}

/* False when the budget is spent, and m is cut. */
static inline bool charge(struct machine *m, uint64_t steps)
{
    m->fuel -= (int64_t)(steps < INT32_MAX ? steps : INT32_MAX);
    return __builtin_expect(m->fuel >= 0, 1) || charge_slow(m);
}

/* Steps of work on so many bytes. */
static inline uint64_t steps_of(size_t bytes)
{
    return bytes / 16;
}

static inline bool is_error(const struct cel_value *v)
{
    return v->kind == CEL_ERROR;
}

/* The field of an object whose class the checker knew: where it is remembered, else in *room. */
const struct cel_value *field_operand(struct machine *m, const struct cel_node *n,
                                      struct cel_value *room);

/* The value of n: of a constant, a name or a remembered field in place, of anything else in *room.
 * It is to be used before the next evaluation of a loop around it. Costs the steps that eval()
 * does; where steps are recorded there is no fuel, and all of it goes by there. */
static inline const struct cel_value *operand(struct machine *m, const struct cel_node *n,
                                              struct cel_value *room)
{
    if (n->op == NODE_CONSTANT) {
        return &n->constant;
    }
    if (m->fuel > 0) {
        if (n->op == NODE_LOCAL) {
            m->fuel--;
            return &m->locals[n->slot];
        }
        if (n->op == NODE_VARIABLE && n->slot < m->values->count &&
            m->values->values[n->slot].kind != CEL_ABSENT) {
            m->fuel--;
            return &m->values->values[n->slot];
        }
        if (n->op == NODE_SELECT && n->class != NULL && !n->optional) {
            m->fuel--;
            return field_operand(m, n, room);
        }
    }
    eval(m, n, room);
    return room;
}

/* Make *ret the error; the cut when m is cut. text is a literal. */
void fault_set(struct machine *m, const struct cel_node *n, struct cel_value *ret,
               const char *text);
void fault_format(struct machine *m, const struct cel_node *n, struct cel_value *ret,
                  const char *format, ...) PRINTF(4, 5);
void fault_overload(struct machine *m, const struct cel_node *n, struct cel_value *ret);
/* "no such key: ..." */
void fault_key(struct machine *m, const struct cel_node *n, struct cel_value *ret,
               const struct cel_value *key);

/* Ends the evaluation: nothing absorbs it. */
void machine_cut(struct machine *m, enum cel_fault why);
/* Zeroed memory for results; null, and m is cut, when the arena is full. Charges its size. */
void *machine_alloc(struct machine *m, size_t count, size_t size);
/* Boxes v as an optional. */
void optional_of(struct machine *m, const struct cel_node *n, const struct cel_value *v,
                 struct cel_value *ret);

/* Equality as the language has it; may cut m. */
bool values_equal(struct machine *m, const struct cel_value *a, const struct cel_value *b);
/* The order of two values of kinds that have one. */
enum cel_order {
    ORDER_LESS = -1,
    ORDER_EQUAL = 0,
    ORDER_GREATER = 1,
    ORDER_NONE = 2,
    ORDER_BAD = 3
};
enum cel_order values_order(struct machine *m, const struct cel_value *a,
                            const struct cel_value *b);

/* Whether a field or key is there: .name of a map, object or optional. Missing: 0, there: 1, an
 * error in *ret: -1. */
int select_field(struct machine *m, const struct cel_node *n, const struct cel_value *of,
                 struct cel_value *ret);

/* The evaluators of nodes that are not calls. */
cel_eval_fn eval_constant, eval_variable, eval_loaded, eval_local, eval_lazy, eval_select,
    eval_optional_select, eval_object_field, eval_presence, eval_and, eval_or, eval_if, eval_list,
    eval_map, eval_loop_all, eval_loop_exists, eval_loop_one, eval_loop_map, eval_loop_filter,
    eval_loop_to_map, eval_loop_to_entry, eval_loop_sort, eval_bind, eval_opt_map, eval_fail;

/* Time: seconds and nanoseconds as the language's values. False: out of range. */
bool timestamp_valid(int64_t seconds);
bool timestamp_parse(struct str text, struct cel_value *ret);
bool duration_parse(struct str text, int64_t *ret);
void buf_timestamp(struct buf *b, const struct cel_value *v);
void buf_duration(struct buf *b, int64_t nanos);
/* Doubles as Go's %g and %f without a precision write them. */
void buf_double_short(struct buf *b, double n);
void buf_double_plain(struct buf *b, double n);
/* RFC 5952, and the prefix of a network. */
void buf_address(struct buf *b, const struct cel_value *v);
/* What string() and %s yield; false for kinds that have none. */
bool buf_plain(struct buf *b, const struct cel_value *v);
/* A buffer over room, which does not grow beyond it and is not to be released. */
static inline struct buf buf_over(char *room, size_t size)
{
    return (struct buf){.data = room, .capacity = size, .max = size};
}
/* A copy of s as a string in the arena, and its bytes while nobody has seen it. Null: *ret is the
 * error. */
char *text_copy(struct machine *m, const struct cel_node *n, struct str s, struct cel_value *ret);
/* A buffer's text as a string in the arena; releases b. */
void text_result(struct machine *m, const struct cel_node *n, struct buf *b, struct cel_value *ret);
enum { CEL_SCALAR_MAX = 128 };     /* bytes of a number, moment, span or address as text */
enum { CEL_RESULT_MAX = 1 << 20 }; /* bytes of a text that a function composes */
/* Orders items in place; false (and an error in ret) when two of them have no order. */
struct sort_item {
    struct cel_value key;
    struct cel_value value;
};
bool list_sort(struct machine *m, const struct cel_node *n, struct sort_item *items, uint32_t count,
               struct cel_value *ret);

#endif
