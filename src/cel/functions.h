/*
 * cel/functions - every function that expressions can call, as rows; for this folder.
 *
 * A row is one overload. Types are written one letter each: n null, b bool, i int, u uint, d
 * double, s string, y bytes, t timestamp, D duration, T type, p IP address, c network, * anything;
 * A and B stand for a type to be inferred; L, O and M (two) go before the types that they are made
 * of. A row whose args are "#" takes one or more numbers.
 */
#ifndef CEL_FUNCTIONS_H
#define CEL_FUNCTIONS_H

#include "cel/machine.h"

/* args may be changed by the callee; none of them is an error. */
typedef void cel_call_fn(struct machine *m, const struct cel_node *n, struct cel_value *args,
                         struct cel_value *ret);

struct cel_function {
    const char *name;
    bool member;
    const char *args;
    const char *result;
    cel_call_fn *call;
    cel_eval_fn *eval; /* instead of call, when arguments are not simply evaluated */
};

#define FUNCTION(name, args, result, call)                                                         \
    {                                                                                              \
        name, false, args, result, call, NULL                                                      \
    }
#define METHOD(name, args, result, call)                                                           \
    {                                                                                              \
        name, true, args, result, call, NULL                                                       \
    }
#define FUNCTIONS_END                                                                              \
    {                                                                                              \
        NULL, false, NULL, NULL, NULL, NULL                                                        \
    }

/* The tables, each ending in a row without a name. */
extern const struct cel_function cel_operators[], cel_conversions[], cel_collections[],
    cel_string_functions[], cel_search_functions[], cel_time_functions[], cel_math_functions[],
    cel_list_functions[], cel_set_functions[], cel_network_functions[], cel_optional_functions[],
    cel_encoder_functions[];

/* The next row of this name and style behind `after` (null: the first), or null. */
const struct cel_function *function_next(const struct cel_function *after, struct str name,
                                         bool member);
/* Arguments of a row; UINT32_MAX for "#". */
uint32_t function_arity(const struct cel_function *f);
/* Behind one type of a signature. */
const char *signature_skip(const char *at);
/* The kind of value that a letter asks for; CEL_DYN for any. */
enum cel_kind signature_kind(char letter);

/* Ternary math.greatest and least over a call's own arguments. */
cel_eval_fn eval_greatest, eval_least, eval_call, eval_index, eval_equal, eval_not_equal, eval_less,
    eval_less_equal, eval_greater, eval_greater_equal, eval_add, eval_subtract, eval_multiply,
    eval_divide, eval_modulo, eval_negate, eval_not, eval_in, eval_or_value, eval_or_optional,
    eval_matches;

#endif
