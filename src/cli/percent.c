#include "cli/percent.h"

enum { WHOLE_DIGITS_MAX = 6, PPM_DIGITS = 4 }; /* 1 % is 10,000 ppm */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool percent_parse(struct str text, enum percent_rounding rounding, int64_t *ret_ppm)
{
    bool negative = text.len > 0 && text.ptr[0] == '-';
    struct str rest = negative ? str_slice(text, 1, text.len) : text;
    size_t point = str_find(rest, '.');
    struct str whole = str_slice(rest, 0, point);
    struct str fraction = str_slice(rest, point + 1, rest.len);
    bool has_point = point < rest.len;
    if (whole.len == 0 || whole.len > WHOLE_DIGITS_MAX || (has_point && fraction.len == 0)) {
        return false;
    }
    int64_t ppm = 0;
    bool more = false;
    for (size_t i = 0; i < whole.len; i++) {
        if (!is_digit(whole.ptr[i])) {
            return false;
        }
        ppm = ppm * 10 + (whole.ptr[i] - '0');
    }
    for (size_t i = 0; i < PPM_DIGITS || i < fraction.len; i++) {
        char digit = i < fraction.len ? fraction.ptr[i] : '0';
        if (!is_digit(digit)) {
            return false;
        }
        if (i < PPM_DIGITS) {
            ppm = ppm * 10 + (digit - '0');
        } else {
            more = more || digit != '0';
        }
    }
    /* What is cut off makes the amount smaller; put it back where the other side is wanted. */
    bool away = negative ? rounding == PERCENT_DOWN : rounding == PERCENT_UP;
    ppm += more && away ? 1 : 0;
    *ret_ppm = negative ? -ppm : ppm;
    return true;
}
