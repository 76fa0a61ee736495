/* The JSON reader's numbers: int64 exactly, every other as the nearest double. */
#include "base/must.h"
#include "value/json_internal.h"
#include "value/number.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    DIGITS_FAST = 18,      /* as many always fit into 64 bits */
    POWER_EXACT_MAX = 22,  /* 10^22 is the largest power of ten that is a double */
    LITERAL_STACK = 128,   /* longer literals are copied to the arena */
    EXPONENT_MAX = 100000, /* where exponents stop growing: far beyond any double */
};

struct literal {
    struct str text;
    uint64_t digits;  /* all of them as one integer, while digit_count <= DIGITS_FAST */
    int64_t exponent; /* of ten */
    size_t digit_count;
    bool negative;
    bool integer; /* neither fraction nor exponent */
};

static bool is_digit(const char *at, const char *end)
{
    return at < end && *at >= '0' && *at <= '9';
}

/* Takes one or more digits into l. */
static const char *take_digits(const char *at, const char *end, struct literal *l)
{
    for (; is_digit(at, end); at++) {
        l->digits = l->digits * 10 + (uint64_t)(*at - '0');
        l->digit_count++;
    }
    return at;
}

/* at is behind 'e'; null when no digits are there. */
static const char *take_exponent(const char *at, const char *end, struct literal *l)
{
    bool negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+')) {
        at++;
    }
    if (!is_digit(at, end)) {
        return NULL;
    }
    int64_t exponent = 0;
    for (; is_digit(at, end); at++) {
        exponent = exponent < EXPONENT_MAX ? exponent * 10 + (*at - '0') : exponent;
    }
    l->exponent += negative ? -exponent : exponent;
    return at;
}

/* The grammar of RFC 8259 section 6; null when the text is not a number. */
static const char *scan(const char *at, const char *end, struct literal *l)
{
    l->integer = true;
    l->negative = *at == '-';
    at += l->negative;
    if (!is_digit(at, end)) {
        return NULL;
    }
    bool zero = *at == '0';
    at = zero ? at + 1 : take_digits(at, end, l);
    if (zero && is_digit(at, end)) {
        return NULL;
    }
    if (at < end && *at == '.') {
        const char *fraction = ++at;
        at = take_digits(at, end, l);
        if (at == fraction) {
            return NULL;
        }
        l->integer = false;
        l->exponent = fraction - at;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        l->integer = false;
        at = take_exponent(at + 1, end, l);
    }
    return at;
}

/*
 * Few digits and a small power of ten are both exact doubles, so one multiplication or division
 * rounds once, as it must. Source: Clinger, How to Read Floating Point Numbers Accurately (1990).
 */
static bool double_fast(const struct literal *l, double *ret)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (l->digit_count > DIGITS_FAST || l->digits > 1ULL << 53 ||
        llabs(l->exponent) > POWER_EXACT_MAX) {
        return false;
    }
    double n = (double)l->digits;
    n = l->exponent < 0 ? n / powers[-l->exponent] : n * powers[l->exponent];
    *ret = l->negative ? -n : n;
    return true;
}

static enum rc double_slow(struct json_reader *r, struct str text, double *ret)
{
    char stack[LITERAL_STACK];
    if (str_to_c(text, stack, sizeof stack)) {
        *ret = strtod(stack, NULL);
        return RC_OK;
    }
    struct str copy = arena_str(r->arena, text);
    enum rc rc = json_arena_rc(r);
    if (rc == RC_OK) {
        *ret = strtod(copy.ptr, NULL);
    }
    return rc;
}

static enum rc read_double(struct json_reader *r, const struct literal *l, struct value *ret)
{
    double n;
    if (!double_fast(l, &n)) {
        enum rc rc = double_slow(r, l->text, &n);
        if (rc != RC_OK) {
            return rc;
        }
    }
    if (!isfinite(n)) {
        return json_fail(r, l->text.ptr, "number too large for a double");
    }
    if (number_is_unwritable(n)) {
        return json_fail(r, l->text.ptr, "whole number outside int64");
    }
    *ret = (struct value){.type = VALUE_DOUBLE, .number = n};
    return RC_OK;
}

static enum rc read_integer(struct json_reader *r, const struct literal *l, struct value *ret)
{
    int64_t n;
    if (l->digit_count <= DIGITS_FAST) {
        n = l->negative ? -(int64_t)l->digits : (int64_t)l->digits;
    } else if (!str_to_i64(l->text, &n)) {
        return json_fail(r, l->text.ptr, "integer outside int64");
    }
    *ret = (struct value){.type = VALUE_INT, .integer = n};
    return RC_OK;
}

enum rc json_read_number(struct json_reader *r, struct value *ret)
{
    struct literal l = {0};
    const char *first = r->at;
    const char *after = scan(first, r->end, &l);
    if (after == NULL) {
        return json_fail(r, first, "invalid number");
    }
    must(after > first);
    r->at = after;
    l.text = (struct str){first, (size_t)(after - first)};
    return l.integer ? read_integer(r, &l, ret) : read_double(r, &l, ret);
}

bool json_is_number(struct str s)
{
    struct literal l = {0};
    return s.len > 0 && scan(s.ptr, s.ptr + s.len, &l) == s.ptr + s.len;
}
