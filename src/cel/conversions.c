/*
 * Conversions between kinds: int(), uint(), double(), string(), bytes(), bool(), timestamp(),
 * duration(), type(), dyn().
 *
 * Source: cel-spec doc/langdef.md "List of Standard Definitions"; bounds of doubles as in cel-go.
 */
#include "cel/functions.h"

#include "value/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_TEXT = 400 };

static void identity(struct machine *m, const struct cel_node *n, struct cel_value *args,
                     struct cel_value *ret)
{
    (void)m;
    (void)n;
    *ret = args[0];
}

static void out_of_range(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    fault_format(m, n, ret, "range error: the value does not fit %.*s", STR_ARG(n->name));
}

static void not_readable(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    fault_format(m, n, ret, "type conversion error: no %.*s reads like that", STR_ARG(n->name));
}

static void int_of_uint(struct machine *m, const struct cel_node *n, struct cel_value *args,
                        struct cel_value *ret)
{
    if (args[0].natural > INT64_MAX) {
        out_of_range(m, n, ret);
    } else {
        *ret = cel_of_int((int64_t)args[0].natural);
    }
}

static void int_of_double(struct machine *m, const struct cel_node *n, struct cel_value *args,
                          struct cel_value *ret)
{
    double d = args[0].number;
    if (!(d > -9223372036854775808.0 && d < 9223372036854775808.0)) {
        out_of_range(m, n, ret);
    } else {
        *ret = cel_of_int((int64_t)d);
    }
}

static void int_of_string(struct machine *m, const struct cel_node *n, struct cel_value *args,
                          struct cel_value *ret)
{
    struct str s = cel_text(&args[0]);
    int64_t i = 0;
    bool plus = s.len > 1 && s.ptr[0] == '+' && s.ptr[1] != '-';
    if (!str_to_i64(plus ? str_slice(s, 1, s.len) : s, &i)) {
        not_readable(m, n, ret);
    } else {
        *ret = cel_of_int(i);
    }
}

static void int_of_timestamp(struct machine *m, const struct cel_node *n, struct cel_value *args,
                             struct cel_value *ret)
{
    (void)m;
    (void)n;
    *ret = cel_of_int(args[0].integer);
}

static void uint_of_int(struct machine *m, const struct cel_node *n, struct cel_value *args,
                        struct cel_value *ret)
{
    if (args[0].integer < 0) {
        out_of_range(m, n, ret);
    } else {
        *ret = cel_of_uint((uint64_t)args[0].integer);
    }
}

static void uint_of_double(struct machine *m, const struct cel_node *n, struct cel_value *args,
                           struct cel_value *ret)
{
    double d = args[0].number;
    if (!(d >= 0 && d < 18446744073709551616.0)) {
        out_of_range(m, n, ret);
    } else {
        *ret = cel_of_uint((uint64_t)d);
    }
}

static void uint_of_string(struct machine *m, const struct cel_node *n, struct cel_value *args,
                           struct cel_value *ret)
{
    uint64_t u = 0;
    if (!str_to_u64(cel_text(&args[0]), &u)) {
        not_readable(m, n, ret);
    } else {
        *ret = cel_of_uint(u);
    }
}

static void double_of_int(struct machine *m, const struct cel_node *n, struct cel_value *args,
                          struct cel_value *ret)
{
    (void)m;
    (void)n;
    *ret = cel_of_double((double)args[0].integer);
}

static void double_of_uint(struct machine *m, const struct cel_node *n, struct cel_value *args,
                           struct cel_value *ret)
{
    (void)m;
    (void)n;
    *ret = cel_of_double((double)args[0].natural);
}

static bool same_letters(struct str s, const char *lower)
{
    for (size_t i = 0; i < s.len; i++) {
        if ((s.ptr[i] | 0x20) != lower[i]) {
            return false;
        }
    }
    return s.len == strlen(lower);
}

/* Not a number, infinities, in any case and with a sign. */
static bool special_double(struct str s, double *ret)
{
    bool negative = s.len > 0 && s.ptr[0] == '-';
    bool sign = negative || (s.len > 0 && s.ptr[0] == '+');
    struct str rest = str_slice(s, sign, s.len);
    if (same_letters(rest, "inf") || same_letters(rest, "infinity")) {
        *ret = negative ? -(double)INFINITY : (double)INFINITY;
        return true;
    }
    *ret = (double)NAN;
    return !sign && same_letters(rest, "nan");
}

static size_t digits_at(struct str s, size_t at)
{
    size_t i = at;
    while (i < s.len && s.ptr[i] >= '0' && s.ptr[i] <= '9') {
        i++;
    }
    return i - at;
}

/* Decimal digits with at most a point, an exponent and a sign. */
static bool is_decimal(struct str s)
{
    size_t at = s.len > 0 && (s.ptr[0] == '-' || s.ptr[0] == '+') ? 1 : 0;
    size_t whole = digits_at(s, at);
    size_t part = 0;
    at += whole;
    if (at < s.len && s.ptr[at] == '.') {
        part = digits_at(s, at + 1);
        at += 1 + part;
    }
    if (whole + part > 0 && at < s.len && (s.ptr[at] | 0x20) == 'e') {
        at++;
        at += at < s.len && (s.ptr[at] == '-' || s.ptr[at] == '+') ? 1 : 0;
        size_t exponent = digits_at(s, at);
        at += exponent;
        if (exponent == 0) {
            return false;
        }
    }
    return whole + part > 0 && at == s.len;
}

static void double_of_string(struct machine *m, const struct cel_node *n, struct cel_value *args,
                             struct cel_value *ret)
{
    struct str s = cel_text(&args[0]);
    char c[NUMBER_TEXT];
    double d = 0;
    if (special_double(s, &d)) {
        *ret = cel_of_double(d);
        return;
    }
    if (!is_decimal(s) || !str_to_c(s, c, sizeof c)) {
        not_readable(m, n, ret);
        return;
    }
    d = strtod(c, NULL);
    if (isinf(d)) {
        out_of_range(m, n, ret);
        return;
    }
    *ret = cel_of_double(d);
}

static void string_of(struct machine *m, const struct cel_node *n, struct cel_value *args,
                      struct cel_value *ret)
{
    char room[CEL_SCALAR_MAX];
    struct buf b = buf_over(room, sizeof room);
    buf_plain(&b, &args[0]);
    must(b.rc == RC_OK);
    text_copy(m, n, buf_view(&b), ret);
}

static void string_of_bytes(struct machine *m, const struct cel_node *n, struct cel_value *args,
                            struct cel_value *ret)
{
    struct str s = cel_text(&args[0]);
    if (!charge(m, steps_of(s.len)) || !utf8_valid(s)) {
        fault_set(m, n, ret, "invalid UTF-8 in bytes, cannot convert to string");
        return;
    }
    *ret = cel_of_str(s);
}

static void bytes_of_string(struct machine *m, const struct cel_node *n, struct cel_value *args,
                            struct cel_value *ret)
{
    (void)m;
    (void)n;
    *ret = cel_of_bytes(cel_text(&args[0]));
}

static void bool_of_string(struct machine *m, const struct cel_node *n, struct cel_value *args,
                           struct cel_value *ret)
{
    static const char *const yes[] = {"1", "t", "T", "true", "TRUE", "True"};
    static const char *const no[] = {"0", "f", "F", "false", "FALSE", "False"};
    struct str s = cel_text(&args[0]);
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        bool is_yes = str_eq(s, str_from(yes[i]));
        if (is_yes || str_eq(s, str_from(no[i]))) {
            *ret = cel_of_bool(is_yes);
            return;
        }
    }
    not_readable(m, n, ret);
}

static void timestamp_of_int(struct machine *m, const struct cel_node *n, struct cel_value *args,
                             struct cel_value *ret)
{
    if (!timestamp_valid(args[0].integer)) {
        fault_set(m, n, ret, "timestamp out of range");
    } else {
        *ret = cel_of_timestamp(args[0].integer, 0);
    }
}

static void timestamp_of_string(struct machine *m, const struct cel_node *n, struct cel_value *args,
                                struct cel_value *ret)
{
    struct cel_value t;
    if (!timestamp_parse(cel_text(&args[0]), &t)) {
        not_readable(m, n, ret);
    } else {
        *ret = t;
    }
}

static void duration_of_string(struct machine *m, const struct cel_node *n, struct cel_value *args,
                               struct cel_value *ret)
{
    int64_t nanos = 0;
    if (!duration_parse(cel_text(&args[0]), &nanos)) {
        not_readable(m, n, ret);
    } else {
        *ret = cel_of_duration(nanos);
    }
}

static const struct cel_type *type_of(const struct cel_value *v)
{
    static const struct cel_type *const types[CEL_KINDS] = {
        [CEL_NULL] = &cel_null,
        [CEL_BOOL] = &cel_bool,
        [CEL_INT] = &cel_int,
        [CEL_UINT] = &cel_uint,
        [CEL_DOUBLE] = &cel_double,
        [CEL_STRING] = &cel_string,
        [CEL_BYTES] = &cel_bytes,
        [CEL_LIST] = &cel_list_dyn,
        [CEL_MAP] = &cel_map_dyn,
        [CEL_TYPE] = &cel_type_type,
        [CEL_TIMESTAMP] = &cel_timestamp,
        [CEL_DURATION] = &cel_duration,
        [CEL_OPTIONAL] = &cel_optional_dyn,
        [CEL_IP] = &cel_ip,
        [CEL_CIDR] = &cel_cidr,
    };
    return v->kind < CEL_KINDS ? types[v->kind] : NULL;
}

static void type_value(struct machine *m, const struct cel_node *n, struct cel_value *args,
                       struct cel_value *ret)
{
    const struct cel_type *t = type_of(&args[0]);
    if (t == NULL && args[0].kind == CEL_OBJECT) {
        struct cel_type *made = machine_alloc(m, 1, sizeof *made);
        if (made != NULL) {
            *made = (struct cel_type){.kind = CEL_OBJECT, .class = args[0].class};
        }
        t = made;
    }
    if (t == NULL) {
        fault_set(m, n, ret, "a value without a type");
    } else {
        *ret = cel_of_type(t);
    }
}

const struct cel_function cel_conversions[] = {
    FUNCTION("int", "i", "i", identity),
    FUNCTION("int", "u", "i", int_of_uint),
    FUNCTION("int", "d", "i", int_of_double),
    FUNCTION("int", "s", "i", int_of_string),
    FUNCTION("int", "t", "i", int_of_timestamp),
    FUNCTION("uint", "u", "u", identity),
    FUNCTION("uint", "i", "u", uint_of_int),
    FUNCTION("uint", "d", "u", uint_of_double),
    FUNCTION("uint", "s", "u", uint_of_string),
    FUNCTION("double", "d", "d", identity),
    FUNCTION("double", "i", "d", double_of_int),
    FUNCTION("double", "u", "d", double_of_uint),
    FUNCTION("double", "s", "d", double_of_string),
    FUNCTION("string", "s", "s", identity),
    FUNCTION("string", "b", "s", string_of),
    FUNCTION("string", "i", "s", string_of),
    FUNCTION("string", "u", "s", string_of),
    FUNCTION("string", "d", "s", string_of),
    FUNCTION("string", "t", "s", string_of),
    FUNCTION("string", "D", "s", string_of),
    FUNCTION("string", "p", "s", string_of),
    FUNCTION("string", "c", "s", string_of),
    FUNCTION("string", "y", "s", string_of_bytes),
    FUNCTION("bytes", "y", "y", identity),
    FUNCTION("bytes", "s", "y", bytes_of_string),
    FUNCTION("bool", "b", "b", identity),
    FUNCTION("bool", "s", "b", bool_of_string),
    FUNCTION("timestamp", "t", "t", identity),
    FUNCTION("timestamp", "i", "t", timestamp_of_int),
    FUNCTION("timestamp", "s", "t", timestamp_of_string),
    FUNCTION("duration", "D", "D", identity),
    FUNCTION("duration", "s", "D", duration_of_string),
    FUNCTION("dyn", "A", "*", identity),
    FUNCTION("type", "A", "T", type_value),
    FUNCTIONS_END,
};
