/* The math extension. Source: cel-go ext/README.md "Math", versions 1 and 2. */
#include "cel/functions.h"

#include <math.h>

#define MATH(function, expression)                                                                 \
    static void function(struct machine *m, const struct cel_node *n, struct cel_value *args,      \
                         struct cel_value *ret)                                                    \
    {                                                                                              \
        (void)m;                                                                                   \
        (void)n;                                                                                   \
        *ret = expression;                                                                         \
    }

MATH(math_ceil, cel_of_double(ceil(args[0].number)))
MATH(math_floor, cel_of_double(floor(args[0].number)))
MATH(math_round, cel_of_double(round(args[0].number)))
MATH(math_trunc, cel_of_double(trunc(args[0].number)))
MATH(math_is_nan, cel_of_bool(isnan(args[0].number)))
MATH(math_is_inf, cel_of_bool(isinf(args[0].number)))
MATH(math_is_finite, cel_of_bool(isfinite(args[0].number)))
MATH(abs_uint, args[0])
MATH(abs_double, cel_of_double(fabs(args[0].number)))
MATH(sign_int, cel_of_int((args[0].integer > 0) - (args[0].integer < 0)))
MATH(sign_uint, cel_of_uint(args[0].natural > 0))
MATH(sign_double,
     isnan(args[0].number) ? args[0] : cel_of_double((args[0].number > 0) - (args[0].number < 0)))
MATH(sqrt_int, cel_of_double(sqrt((double)args[0].integer)))
MATH(sqrt_uint, cel_of_double(sqrt((double)args[0].natural)))
MATH(sqrt_double, cel_of_double(sqrt(args[0].number)))
MATH(and_int, cel_of_int(args[0].integer &args[1].integer))
MATH(and_uint, cel_of_uint(args[0].natural &args[1].natural))
MATH(or_int, cel_of_int(args[0].integer | args[1].integer))
MATH(or_uint, cel_of_uint(args[0].natural | args[1].natural))
MATH(xor_int, cel_of_int(args[0].integer ^ args[1].integer))
MATH(xor_uint, cel_of_uint(args[0].natural ^ args[1].natural))
MATH(not_int, cel_of_int(~args[0].integer))
MATH(not_uint, cel_of_uint(~args[0].natural))

static void abs_int(struct machine *m, const struct cel_node *n, struct cel_value *args,
                    struct cel_value *ret)
{
    if (args[0].integer == INT64_MIN) {
        fault_set(m, n, ret, "integer overflow");
    } else {
        *ret = cel_of_int(args[0].integer < 0 ? -args[0].integer : args[0].integer);
    }
}

/* Shifts work on the 64 bits, also of an int; 64 and more leave nothing. */
static void shift(struct machine *m, const struct cel_node *n, struct cel_value *args, bool left,
                  struct cel_value *ret)
{
    int64_t by = args[1].integer;
    if (by < 0) {
        fault_set(m, n, ret, "a negative shift: negative offset");
        return;
    }
    uint64_t bits = by >= 64 ? 0 : left ? args[0].natural << by : args[0].natural >> by;
    *ret = args[0].kind == CEL_INT ? cel_of_int((int64_t)bits) : cel_of_uint(bits);
}

static void shift_left(struct machine *m, const struct cel_node *n, struct cel_value *args,
                       struct cel_value *ret)
{
    shift(m, n, args, true, ret);
}

static void shift_right(struct machine *m, const struct cel_node *n, struct cel_value *args,
                        struct cel_value *ret)
{
    shift(m, n, args, false, ret);
}

static bool is_number(const struct cel_value *v)
{
    return v->kind == CEL_INT || v->kind == CEL_UINT || v->kind == CEL_DOUBLE;
}

/* Keeps the first of equal ones. */
static void keep(struct machine *m, enum cel_order wanted, const struct cel_value *v,
                 struct cel_value *best)
{
    if (best->kind == CEL_ABSENT || values_order(m, v, best) == wanted) {
        *best = *v;
    }
}

static void extreme_of_list(struct machine *m, const struct cel_node *n, enum cel_order wanted,
                            struct cel_value *ret)
{
    struct cel_value list = *ret;
    struct cel_value best = {0};
    for (uint32_t i = 0; i < list.aux; i++) {
        struct cel_value v;
        cel_list_at(&list, i, m->arena, &v);
        if (!is_number(&v)) {
            fault_overload(m, n, ret);
            return;
        }
        if (!charge(m, 1)) {
            fault_set(m, n, ret, "");
            return;
        }
        keep(m, wanted, &v, &best);
    }
    if (best.kind == CEL_ABSENT) {
        fault_format(m, n, ret, "%.*s of an empty list", STR_ARG(n->name));
    } else {
        *ret = best;
    }
}

static void extreme(struct machine *m, const struct cel_node *n, enum cel_order wanted,
                    struct cel_value *ret)
{
    struct cel_value best = {0};
    for (uint32_t i = 0; i < n->count; i++) {
        struct cel_value v;
        eval(m, n->kids[i], &v);
        if (is_error(&v)) {
            *ret = v;
            return;
        }
        if (v.kind == CEL_LIST && n->count == 1) {
            *ret = v;
            extreme_of_list(m, n, wanted, ret);
            return;
        }
        if (!is_number(&v)) {
            fault_overload(m, n, ret);
            return;
        }
        keep(m, wanted, &v, &best);
    }
    *ret = best;
}

void eval_greatest(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    extreme(m, n, ORDER_GREATER, ret);
}

void eval_least(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    extreme(m, n, ORDER_LESS, ret);
}

const struct cel_function cel_math_functions[] = {
    {"math.greatest", false, "#", "*", NULL, eval_greatest},
    {"math.least", false, "#", "*", NULL, eval_least},
    FUNCTION("math.ceil", "d", "d", math_ceil),
    FUNCTION("math.floor", "d", "d", math_floor),
    FUNCTION("math.round", "d", "d", math_round),
    FUNCTION("math.trunc", "d", "d", math_trunc),
    FUNCTION("math.isNaN", "d", "b", math_is_nan),
    FUNCTION("math.isInf", "d", "b", math_is_inf),
    FUNCTION("math.isFinite", "d", "b", math_is_finite),
    FUNCTION("math.abs", "i", "i", abs_int),
    FUNCTION("math.abs", "u", "u", abs_uint),
    FUNCTION("math.abs", "d", "d", abs_double),
    FUNCTION("math.sign", "i", "i", sign_int),
    FUNCTION("math.sign", "u", "u", sign_uint),
    FUNCTION("math.sign", "d", "d", sign_double),
    FUNCTION("math.sqrt", "i", "d", sqrt_int),
    FUNCTION("math.sqrt", "u", "d", sqrt_uint),
    FUNCTION("math.sqrt", "d", "d", sqrt_double),
    FUNCTION("math.bitAnd", "ii", "i", and_int),
    FUNCTION("math.bitAnd", "uu", "u", and_uint),
    FUNCTION("math.bitOr", "ii", "i", or_int),
    FUNCTION("math.bitOr", "uu", "u", or_uint),
    FUNCTION("math.bitXor", "ii", "i", xor_int),
    FUNCTION("math.bitXor", "uu", "u", xor_uint),
    FUNCTION("math.bitNot", "i", "i", not_int),
    FUNCTION("math.bitNot", "u", "u", not_uint),
    FUNCTION("math.bitShiftLeft", "ii", "i", shift_left),
    FUNCTION("math.bitShiftLeft", "ui", "u", shift_left),
    FUNCTION("math.bitShiftRight", "ii", "i", shift_right),
    FUNCTION("math.bitShiftRight", "ui", "u", shift_right),
    FUNCTIONS_END,
};
