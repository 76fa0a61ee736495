/*
 * Arithmetic and concatenation.
 *
 * Integers never wrap: what does not fit is an error. Moments stay in the years 0001 to 9999, spans
 * in 64-bit nanoseconds. Source: cel-spec doc/langdef.md "Overflow".
 */
#include "cel/functions.h"

#include <string.h>

enum { NANOS = 1000000000 };

typedef void arith_fn(struct machine *m, const struct cel_node *n, const struct cel_value *a,
                      const struct cel_value *b, struct cel_value *ret);

static void binary(struct machine *m, const struct cel_node *n, arith_fn *fn, struct cel_value *ret)
{
    struct cel_value room[2];
    const struct cel_value *a = operand(m, n->kids[0], &room[0]);
    if (is_error(a)) {
        *ret = *a;
        return;
    }
    const struct cel_value *b = operand(m, n->kids[1], &room[1]);
    if (is_error(b)) {
        *ret = *b;
        return;
    }
    fn(m, n, a, b, ret);
}

static void of_int(struct machine *m, const struct cel_node *n, bool overflow,
                   const int64_t *result, struct cel_value *ret)
{
    if (overflow) {
        fault_set(m, n, ret, "integer overflow");
    } else {
        *ret = cel_of_int(*result);
    }
}

static void of_uint(struct machine *m, const struct cel_node *n, bool overflow,
                    const uint64_t *result, struct cel_value *ret)
{
    if (overflow) {
        fault_set(m, n, ret, "unsigned integer overflow");
    } else {
        *ret = cel_of_uint(*result);
    }
}

static void of_duration(struct machine *m, const struct cel_node *n, bool overflow,
                        const int64_t *result, struct cel_value *ret)
{
    if (overflow) {
        fault_set(m, n, ret, "duration out of range");
    } else {
        *ret = cel_of_duration(*result);
    }
}

static void move_timestamp(struct machine *m, const struct cel_node *n, const struct cel_value *t,
                           int64_t nanos, struct cel_value *ret)
{
    int64_t seconds = nanos / NANOS;
    int64_t rest = nanos % NANOS + (int64_t)t->aux;
    if (rest < 0) {
        rest += NANOS;
        seconds--;
    } else if (rest >= NANOS) {
        rest -= NANOS;
        seconds++;
    }
    seconds += t->integer;
    if (!timestamp_valid(seconds)) {
        fault_set(m, n, ret, "timestamp out of range");
        return;
    }
    *ret = cel_of_timestamp(seconds, (uint32_t)rest);
}

static void concat_texts(struct machine *m, const struct cel_node *n, const struct cel_value *a,
                         const struct cel_value *b, struct cel_value *ret)
{
    char *text = machine_alloc(m, a->len + b->len + 1, 1);
    if (text == NULL) {
        fault_set(m, n, ret, "");
        return;
    }
    if (a->len > 0) {
        memcpy(text, a->text, a->len);
    }
    if (b->len > 0) {
        memcpy(text + a->len, b->text, b->len);
    }
    *ret = (struct cel_value){.kind = a->kind, .text = text, .len = a->len + b->len};
}

static void concat_lists(struct machine *m, const struct cel_node *n, const struct cel_value *a,
                         const struct cel_value *b, struct cel_value *ret)
{
    uint64_t count = (uint64_t)a->aux + b->aux;
    struct cel_value *items = count > UINT32_MAX ? NULL : machine_alloc(m, count, sizeof *items);
    if (items == NULL) {
        machine_cut(m, CEL_CUT_MEMORY);
        fault_set(m, n, ret, "");
        return;
    }
    for (uint32_t i = 0; i < a->aux; i++) {
        cel_list_at(a, i, m->arena, &items[i]);
    }
    for (uint32_t i = 0; i < b->aux; i++) {
        cel_list_at(b, i, m->arena, &items[a->aux + i]);
    }
    *ret = cel_of_list(items, (uint32_t)count);
}

static void add_same(struct machine *m, const struct cel_node *n, const struct cel_value *a,
                     const struct cel_value *b, struct cel_value *ret)
{
    int64_t i = 0;
    uint64_t u = 0;
    switch ((enum cel_kind)a->kind) {
    case CEL_INT:
        of_int(m, n, __builtin_add_overflow(a->integer, b->integer, &i), &i, ret);
        return;
    case CEL_UINT:
        of_uint(m, n, __builtin_add_overflow(a->natural, b->natural, &u), &u, ret);
        return;
    case CEL_DOUBLE:
        *ret = cel_of_double(a->number + b->number);
        return;
    case CEL_STRING:
    case CEL_BYTES:
        concat_texts(m, n, a, b, ret);
        return;
    case CEL_LIST:
        concat_lists(m, n, a, b, ret);
        return;
    case CEL_DURATION:
        of_duration(m, n, __builtin_add_overflow(a->integer, b->integer, &i), &i, ret);
        return;
    default:
        fault_overload(m, n, ret);
        return;
    }
}

static void add(struct machine *m, const struct cel_node *n, const struct cel_value *a,
                const struct cel_value *b, struct cel_value *ret)
{
    if (a->kind == b->kind) {
        add_same(m, n, a, b, ret);
    } else if (a->kind == CEL_TIMESTAMP && b->kind == CEL_DURATION) {
        move_timestamp(m, n, a, b->integer, ret);
    } else if (a->kind == CEL_DURATION && b->kind == CEL_TIMESTAMP) {
        move_timestamp(m, n, b, a->integer, ret);
    } else {
        fault_overload(m, n, ret);
    }
}

static void between(struct machine *m, const struct cel_node *n, const struct cel_value *a,
                    const struct cel_value *b, struct cel_value *ret)
{
    int64_t nanos = 0;
    bool overflow = __builtin_mul_overflow(a->integer - b->integer, (int64_t)NANOS, &nanos);
    overflow = __builtin_add_overflow(nanos, (int64_t)a->aux - (int64_t)b->aux, &nanos) || overflow;
    of_duration(m, n, overflow, &nanos, ret);
}

static void subtract(struct machine *m, const struct cel_node *n, const struct cel_value *a,
                     const struct cel_value *b, struct cel_value *ret)
{
    int64_t i = 0;
    uint64_t u = 0;
    if (a->kind == CEL_INT && b->kind == CEL_INT) {
        of_int(m, n, __builtin_sub_overflow(a->integer, b->integer, &i), &i, ret);
    } else if (a->kind == CEL_UINT && b->kind == CEL_UINT) {
        of_uint(m, n, __builtin_sub_overflow(a->natural, b->natural, &u), &u, ret);
    } else if (a->kind == CEL_DOUBLE && b->kind == CEL_DOUBLE) {
        *ret = cel_of_double(a->number - b->number);
    } else if (a->kind == CEL_DURATION && b->kind == CEL_DURATION) {
        of_duration(m, n, __builtin_sub_overflow(a->integer, b->integer, &i), &i, ret);
    } else if (a->kind == CEL_TIMESTAMP && b->kind == CEL_TIMESTAMP) {
        between(m, n, a, b, ret);
    } else if (a->kind == CEL_TIMESTAMP && b->kind == CEL_DURATION) {
        struct cel_value moved;
        /* Minus the smallest span has no opposite: halves. */
        move_timestamp(m, n, a, -(b->integer / 2), &moved);
        if (is_error(&moved)) {
            *ret = moved;
        } else {
            move_timestamp(m, n, &moved, -(b->integer - b->integer / 2), ret);
        }
    } else {
        fault_overload(m, n, ret);
    }
}

static void multiply(struct machine *m, const struct cel_node *n, const struct cel_value *a,
                     const struct cel_value *b, struct cel_value *ret)
{
    int64_t i = 0;
    uint64_t u = 0;
    if (a->kind == CEL_INT && b->kind == CEL_INT) {
        of_int(m, n, __builtin_mul_overflow(a->integer, b->integer, &i), &i, ret);
    } else if (a->kind == CEL_UINT && b->kind == CEL_UINT) {
        of_uint(m, n, __builtin_mul_overflow(a->natural, b->natural, &u), &u, ret);
    } else if (a->kind == CEL_DOUBLE && b->kind == CEL_DOUBLE) {
        *ret = cel_of_double(a->number * b->number);
    } else {
        fault_overload(m, n, ret);
    }
}

static void divide(struct machine *m, const struct cel_node *n, const struct cel_value *a,
                   const struct cel_value *b, struct cel_value *ret)
{
    if (a->kind == CEL_DOUBLE && b->kind == CEL_DOUBLE) {
        *ret = cel_of_double(a->number / b->number);
    } else if (a->kind != b->kind || (a->kind != CEL_INT && a->kind != CEL_UINT)) {
        fault_overload(m, n, ret);
    } else if (b->natural == 0) {
        fault_set(m, n, ret, "division by zero");
    } else if (a->kind == CEL_UINT) {
        *ret = cel_of_uint(a->natural / b->natural);
    } else {
        bool overflow = a->integer == INT64_MIN && b->integer == -1;
        int64_t i = overflow ? 0 : a->integer / b->integer;
        of_int(m, n, overflow, &i, ret);
    }
}

static void modulo(struct machine *m, const struct cel_node *n, const struct cel_value *a,
                   const struct cel_value *b, struct cel_value *ret)
{
    if (a->kind != b->kind || (a->kind != CEL_INT && a->kind != CEL_UINT)) {
        fault_overload(m, n, ret);
    } else if (b->natural == 0) {
        fault_set(m, n, ret, "modulus by zero");
    } else if (a->kind == CEL_UINT) {
        *ret = cel_of_uint(a->natural % b->natural);
    } else {
        bool overflow = a->integer == INT64_MIN && b->integer == -1;
        int64_t i = overflow ? 0 : a->integer % b->integer;
        of_int(m, n, overflow, &i, ret);
    }
}

void eval_add(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    binary(m, n, add, ret);
}

void eval_subtract(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    binary(m, n, subtract, ret);
}

void eval_multiply(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    binary(m, n, multiply, ret);
}

void eval_divide(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    binary(m, n, divide, ret);
}

void eval_modulo(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    binary(m, n, modulo, ret);
}

void eval_negate(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    eval(m, n->kids[0], ret);
    if (ret->kind == CEL_INT) {
        int64_t i = 0;
        bool overflow = __builtin_sub_overflow((int64_t)0, ret->integer, &i);
        of_int(m, n, overflow, &i, ret);
    } else if (ret->kind == CEL_DOUBLE) {
        ret->number = -ret->number;
    } else if (!is_error(ret)) {
        fault_overload(m, n, ret);
    }
}

void eval_not(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    eval(m, n->kids[0], ret);
    if (ret->kind == CEL_BOOL) {
        ret->boolean = !ret->boolean;
    } else if (!is_error(ret)) {
        fault_overload(m, n, ret);
    }
}
