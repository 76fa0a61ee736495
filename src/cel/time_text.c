/*
 * Moments and spans as text.
 *
 * Moments: RFC 3339, the fraction to nanoseconds, printed in UTC without trailing zeros. Spans: a
 * run of decimal numbers with units, as Go's time.ParseDuration reads them; printed in seconds.
 * Source: RFC 3339 section 5.6; cel-spec doc/langdef.md "Timestamps and durations".
 */
#include "cel/machine.h"

enum { NANOS = 1000000000, FRACTION_DIGITS = 9, DAY_S = 86400 };

static const int64_t timestamp_first = -62135596800; /* 0001-01-01T00:00:00Z */
static const int64_t timestamp_last = 253402300799;  /* 9999-12-31T23:59:59Z */

bool timestamp_valid(int64_t seconds)
{
    return seconds >= timestamp_first && seconds <= timestamp_last;
}

/* Days from 1970-01-01 of a proleptic Gregorian date. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

struct reader {
    struct str s;
    size_t at;
    bool good;
};

static int64_t read_digits(struct reader *r, size_t count)
{
    int64_t n = 0;
    for (size_t i = 0; i < count; i++) {
        char c = r->at < r->s.len ? r->s.ptr[r->at] : '\0';
        r->good = r->good && c >= '0' && c <= '9';
        n = n * 10 + (c - '0');
        r->at++;
    }
    return n;
}

static void read_char(struct reader *r, char wanted)
{
    r->good = r->good && r->at < r->s.len && r->s.ptr[r->at] == wanted;
    r->at++;
}

static bool next_is(const struct reader *r, char c)
{
    return r->at < r->s.len && r->s.ptr[r->at] == c;
}

/* ".123": nanoseconds; digits beyond nine are cut. */
static uint32_t read_fraction(struct reader *r)
{
    uint32_t nanos = 0;
    int digits = 0;
    if (!next_is(r, '.')) {
        return 0;
    }
    r->at++;
    for (; r->at < r->s.len && r->s.ptr[r->at] >= '0' && r->s.ptr[r->at] <= '9'; r->at++) {
        if (digits < FRACTION_DIGITS) {
            nanos = nanos * 10 + (uint32_t)(r->s.ptr[r->at] - '0');
        }
        digits++;
    }
    r->good = r->good && digits > 0;
    for (; digits < FRACTION_DIGITS; digits++) {
        nanos *= 10;
    }
    return nanos;
}

static int64_t read_offset(struct reader *r)
{
    if (next_is(r, 'Z')) {
        r->at++;
        return 0;
    }
    bool negative = next_is(r, '-');
    r->good = r->good && (negative || next_is(r, '+'));
    r->at++;
    int64_t hours = read_digits(r, 2);
    read_char(r, ':');
    int64_t minutes = read_digits(r, 2);
    r->good = r->good && hours < 24 && minutes < 60;
    int64_t offset = hours * 3600 + minutes * 60;
    return negative ? -offset : offset;
}

static int64_t month_days(int64_t year, int64_t month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

bool timestamp_parse(struct str text, struct cel_value *ret)
{
    struct reader r = {.s = text, .good = true};
    int64_t year = read_digits(&r, 4);
    read_char(&r, '-');
    int64_t month = read_digits(&r, 2);
    read_char(&r, '-');
    int64_t day = read_digits(&r, 2);
    read_char(&r, 'T');
    int64_t hour = read_digits(&r, 2);
    read_char(&r, ':');
    int64_t minute = read_digits(&r, 2);
    read_char(&r, ':');
    int64_t second = read_digits(&r, 2);
    uint32_t nanos = read_fraction(&r);
    int64_t offset = read_offset(&r);
    if (!r.good || r.at != text.len || month < 1 || month > 12 || day < 1 ||
        day > month_days(year, month) || hour > 23 || minute > 59 || second > 59) {
        return false;
    }
    int64_t seconds =
        days_of(year, month, day) * DAY_S + hour * 3600 + minute * 60 + second - offset;
    *ret = cel_of_timestamp(seconds, nanos);
    return timestamp_valid(seconds);
}

/* The digits of a fraction without zeros at the end; nothing when it is zero. */
static void put_fraction(struct buf *b, uint32_t nanos)
{
    if (nanos == 0) {
        return;
    }
    int digits = FRACTION_DIGITS;
    while (nanos % 10 == 0) {
        nanos /= 10;
        digits--;
    }
    buf_printf(b, ".%0*u", digits, nanos);
}

void buf_timestamp(struct buf *b, const struct cel_value *v)
{
    int64_t days = v->integer / DAY_S;
    int64_t rest = v->integer % DAY_S;
    if (rest < 0) {
        rest += DAY_S;
        days--;
    }
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t of_era = z - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;
    int64_t day = of_year - (153 * month + 2) / 5 + 1;
    month += month < 10 ? 3 : -9;
    year += era * 400 + (month <= 2);
    buf_printf(b, "%04d-%02d-%02dT%02d:%02d:%02d", (int)year, (int)month, (int)day,
               (int)(rest / 3600), (int)(rest / 60 % 60), (int)(rest % 60));
    put_fraction(b, v->aux);
    buf_char(b, 'Z');
}

void buf_duration(struct buf *b, int64_t nanos)
{
    uint64_t size = nanos < 0 ? 0 - (uint64_t)nanos : (uint64_t)nanos;
    if (nanos < 0) {
        buf_char(b, '-');
    }
    buf_printf(b, "%llu", (unsigned long long)(size / NANOS));
    put_fraction(b, (uint32_t)(size % NANOS));
    buf_char(b, 's');
}

/* The unit at at, in nanoseconds; 0 when there is none. */
static uint64_t read_unit(struct reader *r)
{
    static const struct {
        const char *name;
        uint64_t nanos;
    } units[] = {{"ns", 1},
                 {"us", 1000},
                 {"\xC2\xB5s", 1000}, /* the micro sign and the Greek letter */
                 {"\xCE\xBCs", 1000},
                 {"ms", 1000000},
                 {"s", NANOS},
                 {"m", 60ULL * NANOS},
                 {"h", 3600ULL * NANOS}};
    struct str rest = str_slice(r->s, r->at, r->s.len);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        struct str name = str_from(units[i].name);
        if (str_starts(rest, name)) {
            r->at += name.len;
            return units[i].nanos;
        }
    }
    return 0;
}

/* One number with its unit, added to *total. */
static bool read_span(struct reader *r, uint64_t *total)
{
    uint64_t whole = 0;
    uint64_t part = 0;
    uint64_t scale = 1;
    size_t digits = 0;
    for (; r->at < r->s.len && r->s.ptr[r->at] >= '0' && r->s.ptr[r->at] <= '9'; r->at++) {
        if (__builtin_mul_overflow(whole, 10U, &whole) ||
            __builtin_add_overflow(whole, (uint64_t)(r->s.ptr[r->at] - '0'), &whole)) {
            return false;
        }
        digits++;
    }
    if (next_is(r, '.')) {
        r->at++;
        for (; r->at < r->s.len && r->s.ptr[r->at] >= '0' && r->s.ptr[r->at] <= '9'; r->at++) {
            if (scale < 10000000000000ULL) {
                part = part * 10 + (uint64_t)(r->s.ptr[r->at] - '0');
                scale *= 10;
            }
            digits++;
        }
    }
    uint64_t unit = read_unit(r);
    if (digits == 0 || unit == 0 || __builtin_mul_overflow(whole, unit, &whole)) {
        return false;
    }
    /* In floating point, as Go does it; below the unit, so there is room. */
    whole += (uint64_t)((double)part * ((double)unit / (double)scale));
    return !__builtin_add_overflow(*total, whole, total);
}

bool duration_parse(struct str text, int64_t *ret)
{
    struct reader r = {.s = text, .good = true};
    uint64_t total = 0;
    bool negative = next_is(&r, '-');
    r.at += negative || next_is(&r, '+');
    if (str_eq(str_slice(text, r.at, text.len), STR("0"))) {
        *ret = 0;
        return true;
    }
    if (r.at == text.len) {
        return false;
    }
    while (r.at < text.len) {
        if (!read_span(&r, &total)) {
            return false;
        }
    }
    if (total > (uint64_t)INT64_MAX + (negative ? 1 : 0)) {
        return false;
    }
    *ret = negative ? (int64_t)(0 - total) : (int64_t)total;
    return true;
}
