/*
 * Doubles as text: the shortest digits that read back as the same number, laid out as Go's %g and
 * %f do, which is what string() and format() are specified by.
 */
#include "cel/machine.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS_MAX = 17, TEXT_MAX = 40 };

/* The shortest digits and where the point stands in them: 0.d1d2... times 10^ret_point. */
static int shortest(double n, char digits[static TEXT_MAX], int *ret_point)
{
    char text[TEXT_MAX];
    int precision = 1;
    do {
        snprintf(text, sizeof text, "%.*e", precision - 1, n);
    } while (strtod(text, NULL) != n && ++precision <= DIGITS_MAX);
    int count = 0;
    const char *at = text;
    for (; *at != 'e' && *at != '\0'; at++) {
        if (*at >= '0' && *at <= '9') {
            digits[count++] = *at;
        }
    }
    *ret_point = *at == 'e' ? (int)strtol(at + 1, NULL, 10) + 1 : 1;
    while (count > 1 && digits[count - 1] == '0') {
        count--;
    }
    return count;
}

/* NaN and infinities, and the sign; false when that was all. */
static bool begin(struct buf *b, double n)
{
    if (isnan(n)) {
        buf_str(b, STR("NaN"));
        return false;
    }
    if (signbit(n)) {
        buf_char(b, '-');
    }
    if (isinf(n)) {
        buf_str(b, STR("Infinity"));
        return false;
    }
    return true;
}

static void put_plain(struct buf *b, const char *digits, int count, int point)
{
    if (point <= 0) {
        buf_str(b, STR("0."));
        for (int i = point; i < 0; i++) {
            buf_char(b, '0');
        }
        buf_put(b, digits, (size_t)count);
        return;
    }
    for (int i = 0; i < point; i++) {
        buf_char(b, i < count ? digits[i] : '0');
    }
    if (count > point) {
        buf_char(b, '.');
        buf_put(b, digits + point, (size_t)(count - point));
    }
}

void buf_double_plain(struct buf *b, double n)
{
    char digits[TEXT_MAX] = "0";
    int point = 0;
    if (!begin(b, n)) {
        return;
    }
    if (n == 0) {
        buf_char(b, '0');
        return;
    }
    int count = shortest(fabs(n), digits, &point);
    put_plain(b, digits, count, point);
}

void buf_double_short(struct buf *b, double n)
{
    char digits[TEXT_MAX] = "0";
    int point = 0;
    if (!begin(b, n)) {
        return;
    }
    if (n == 0) {
        buf_char(b, '0');
        return;
    }
    int count = shortest(fabs(n), digits, &point);
    int exponent = point - 1;
    /* Go's %g without a precision: exponents below -4 and from 6 on. */
    if (exponent >= -4 && exponent < 6) {
        put_plain(b, digits, count, point);
        return;
    }
    buf_char(b, digits[0]);
    if (count > 1) {
        buf_char(b, '.');
        buf_put(b, digits + 1, (size_t)(count - 1));
    }
    buf_printf(b, "e%c%02d", exponent < 0 ? '-' : '+', abs(exponent));
}
