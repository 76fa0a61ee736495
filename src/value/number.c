#include "value/number.h"

#include "base/must.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TWO_53 9007199254740992.0

enum {
    DIGITS_ALWAYS_EXACT = 15, /* decimal digits that survive the way through a normal double */
    DIGITS_MAX = 17,          /* digits that tell any two doubles apart */
    FRACTION_FAST = 9,        /* decimals that the fast path tries */
};

/* 0.d1d2d3... times ten to the power of point. */
struct decimal {
    char digits[DIGITS_MAX + 1];
    int count;
    int point;
};

static size_t put_integer(char *out, uint64_t n)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n != 0);
    memcpy(out, digits + at, sizeof digits - at);
    return sizeof digits - at;
}

/*
 * Amounts and percentages such as 99.95 have a few decimals: when x is exactly the quotient of an
 * integer of at most 15 digits and a power of ten, those digits are the shortest text, because the
 * division rounds as reading the text would.
 */
static bool decimal_fast(double x, struct decimal *ret)
{
    static const double powers[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
    for (int k = 1; k <= FRACTION_FAST; k++) {
        double scaled = x * powers[k] + 0.5;
        if (scaled >= 1e15) {
            return false;
        }
        uint64_t whole = (uint64_t)scaled;
        if (whole > 0 && (double)whole / powers[k] == x) {
            ret->count = (int)put_integer(ret->digits, whole);
            ret->point = ret->count - k;
            return true;
        }
    }
    return false;
}

/* Rounds x to so many digits; true when the text reads back as x. */
static bool decimal_try(double x, int digits, struct decimal *ret)
{
    char text[NUMBER_TEXT_MAX];
    int len = snprintf(text, sizeof text, "%.*e", digits - 1, x);
    must(len > 0 && (size_t)len < sizeof text);
    const char *exponent = strchr(text, 'e');
    must(exponent != NULL);
    ret->count = 0;
    for (const char *c = text; c < exponent; c++) {
        if (*c >= '0' && *c <= '9') {
            ret->digits[ret->count++] = *c;
        }
    }
    must(ret->count > 0);
    ret->point = (int)strtol(exponent + 1, NULL, 10) + 1;
    return strtod(text, NULL) == x;
}

/*
 * Below a power of two doubles lie twice as dense as above it, so the nearest decimal may miss x
 * where its upper neighbour hits: 2^-44 is 5.684341886080802e-14, not ...801e-14.
 */
static bool decimal_try_above(double x, struct decimal *d)
{
    int exponent;
    must(d->count > 0);
    if (frexp(x, &exponent) != 0.5 || d->digits[d->count - 1] == '9') {
        return false;
    }
    d->digits[d->count - 1]++;
    char text[NUMBER_TEXT_MAX];
    snprintf(text, sizeof text, "0.%.*se%d", d->count, d->digits, d->point);
    return strtod(text, NULL) == x;
}

static void decimal_shortest(double x, struct decimal *ret)
{
    if (decimal_fast(x, ret)) {
        return;
    }
    /* Subnormal doubles hold fewer digits: start at one. */
    bool normal = x >= 2.3e-308;
    for (int digits = normal ? DIGITS_ALWAYS_EXACT : 1; digits <= DIGITS_MAX; digits++) {
        if (decimal_try(x, digits, ret) || decimal_try_above(x, ret)) {
            break;
        }
    }
    while (ret->count > 1 && ret->digits[ret->count - 1] == '0') {
        ret->count--;
    }
}

static char *put_zeros(char *out, int count)
{
    for (int i = 0; i < count; i++) {
        *out++ = '0';
    }
    return out;
}

static char *put_digits(char *out, const char *digits, int count)
{
    memcpy(out, digits, (size_t)count);
    return out + count;
}

static char *put_exponent(char *out, const struct decimal *d)
{
    must(d->count > 0);
    *out++ = d->digits[0];
    if (d->count > 1) {
        *out++ = '.';
        out = put_digits(out, d->digits + 1, d->count - 1);
    }
    int exponent = d->point - 1;
    *out++ = 'e';
    *out++ = exponent < 0 ? '-' : '+';
    return out + put_integer(out, (uint64_t)(exponent < 0 ? -exponent : exponent));
}

/* ECMA-262 Number::toString, steps 6 to 12. */
static char *put_decimal(char *out, const struct decimal *d)
{
    if (d->count <= d->point && d->point <= 21) {
        out = put_digits(out, d->digits, d->count);
        return put_zeros(out, d->point - d->count);
    }
    if (0 < d->point && d->point <= 21) {
        out = put_digits(out, d->digits, d->point);
        *out++ = '.';
        return put_digits(out, d->digits + d->point, d->count - d->point);
    }
    if (-6 < d->point && d->point <= 0) {
        *out++ = '0';
        *out++ = '.';
        out = put_zeros(out, -d->point);
        return put_digits(out, d->digits, d->count);
    }
    return put_exponent(out, d);
}

size_t number_format(double n, char out[static NUMBER_TEXT_MAX])
{
    must(isfinite(n));
    char *at = out;
    if (n < 0) {
        *at++ = '-';
        n = -n;
    }
    if (n < TWO_53 && n == (double)(uint64_t)n) {
        return (size_t)(at - out) + put_integer(at, (uint64_t)n);
    }
    struct decimal d;
    decimal_shortest(n, &d);
    return (size_t)(put_decimal(at, &d) - out);
}

bool number_is_unwritable(double n)
{
    /* From 2^53 on every double is whole. */
    return fabs(n) >= NUMBER_2_63 && fabs(n) < NUMBER_1E21;
}

bool number_is(const struct value *v)
{
    return v->type == VALUE_INT || v->type == VALUE_DOUBLE;
}

bool number_as_int(const struct value *v, int64_t *ret)
{
    if (v->type == VALUE_INT) {
        *ret = v->integer;
        return true;
    }
    if (v->type != VALUE_DOUBLE || !(fabs(v->number) < NUMBER_2_63)) {
        return false;
    }
    int64_t whole = (int64_t)v->number;
    if ((double)whole != v->number) {
        return false;
    }
    if (fabs(v->number) < TWO_53) {
        *ret = whole;
        return true;
    }
    char text[NUMBER_TEXT_MAX] = "";
    return str_to_i64((struct str){text, number_format(v->number, text)}, ret);
}

/* Doubles are whole from 2^53 on, so that neither side ever loses a digit here. */
static int int_double_cmp(int64_t n, double d)
{
    if (d >= NUMBER_2_63) {
        return -1;
    }
    if (d < -NUMBER_2_63) {
        return 1;
    }
    int64_t whole = (int64_t)d;
    if (n != whole) {
        return n < whole ? -1 : 1;
    }
    double fraction = d - (double)whole;
    return (fraction < 0) - (fraction > 0);
}

int number_cmp(const struct value *a, const struct value *b)
{
    must(number_is(a) && number_is(b));
    if (a->type == VALUE_INT && b->type == VALUE_INT) {
        return (a->integer > b->integer) - (a->integer < b->integer);
    }
    if (a->type == VALUE_INT) {
        return int_double_cmp(a->integer, b->number);
    }
    if (b->type == VALUE_INT) {
        return -int_double_cmp(b->integer, a->number);
    }
    return (a->number > b->number) - (a->number < b->number);
}

bool number_is_whole(const struct value *v)
{
    return v->type == VALUE_INT || (v->type == VALUE_DOUBLE && floor(v->number) == v->number);
}
