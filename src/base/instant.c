#include "base/instant.h"

#define YEARS_100_MS (36525LL * DAY_MS)
#define FIRST_MS (-62135596800000LL) /* 0001-01-01T00:00:00.000Z */
#define LAST_MS 253402300799999LL    /* 9999-12-31T23:59:59.999Z */

/* Days since 1970-01-01; month 1-12, day 1-31. Eras of 400 years that begin in March. */
static int64_t days_from_date(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static void date_from_days(int64_t days, int64_t *year, int64_t *month, int64_t *day)
{
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    *day = doy - (153 * mp + 2) / 5 + 1;
    *month = mp < 10 ? mp + 3 : mp - 9;
    *year = yoe + era * 400 + (*month <= 2 ? 1 : 0);
}

static void put_digits(char *out, int64_t n, int count)
{
    for (int i = count - 1; i >= 0; i--) {
        out[i] = (char)('0' + n % 10);
        n /= 10;
    }
}

void instant_format(int64_t ms, char out[static INSTANT_TEXT_LEN])
{
    ms = ms < FIRST_MS ? FIRST_MS : ms > LAST_MS ? LAST_MS : ms;
    int64_t of_day = ms % DAY_MS;
    of_day += of_day < 0 ? DAY_MS : 0;
    int64_t year;
    int64_t month;
    int64_t day;
    date_from_days((ms - of_day) / DAY_MS, &year, &month, &day);
    put_digits(out, year, 4);
    out[4] = '-';
    put_digits(out + 5, month, 2);
    out[7] = '-';
    put_digits(out + 8, day, 2);
    out[10] = 'T';
    put_digits(out + 11, of_day / HOUR_MS, 2);
    out[13] = ':';
    put_digits(out + 14, of_day / MINUTE_MS % 60, 2);
    out[16] = ':';
    put_digits(out + 17, of_day / SECOND_MS % 60, 2);
    out[19] = '.';
    put_digits(out + 20, of_day % SECOND_MS, 3);
    out[23] = 'Z';
}

void buf_instant(struct buf *b, int64_t ms)
{
    char text[INSTANT_TEXT_LEN];
    instant_format(ms, text);
    buf_put(b, text, sizeof text);
}

/* Reads count digits at *at and then the one byte after, which must be in stops ("" for none). */
static bool take_digits(struct str s, size_t *at, size_t count, const char *stops, int64_t *ret)
{
    uint64_t n;
    if (*at + count > s.len || !str_to_u64(str_slice(s, *at, *at + count), &n)) {
        return false;
    }
    *at += count;
    *ret = (int64_t)n;
    if (*stops == '\0') {
        return true;
    }
    for (; *stops != '\0'; stops++) {
        if (*at < s.len && s.ptr[*at] == *stops) {
            (*at)++;
            return true;
        }
    }
    return false;
}

static bool read_fraction_ms(struct str s, size_t *at, int64_t *ms)
{
    *ms = 0;
    if (*at >= s.len || s.ptr[*at] != '.') {
        return true;
    }
    size_t first = ++*at;
    int64_t scale = 100;
    while (*at < s.len && s.ptr[*at] >= '0' && s.ptr[*at] <= '9') {
        *ms += (s.ptr[*at] - '0') * scale;
        scale /= 10;
        (*at)++;
    }
    return *at > first;
}

static bool read_offset_ms(struct str s, size_t *at, int64_t *ms)
{
    *ms = 0;
    if (*at >= s.len) {
        return false;
    }
    char sign = s.ptr[(*at)++];
    if (sign == 'Z' || sign == 'z') {
        return true;
    }
    int64_t hours;
    int64_t minutes;
    if ((sign != '+' && sign != '-') || !take_digits(s, at, 2, ":", &hours) ||
        !take_digits(s, at, 2, "", &minutes) || hours > 23 || minutes > 59) {
        return false;
    }
    *ms = (hours * HOUR_MS + minutes * MINUTE_MS) * (sign == '+' ? 1 : -1);
    return true;
}

static bool date_is_real(int64_t year, int64_t month, int64_t day)
{
    static const int64_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (year < 1 || month < 1 || month > 12 || day < 1) {
        return false;
    }
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return day <= lengths[month - 1] + (month == 2 && leap ? 1 : 0);
}

/* Digits at fixed places; *bad gets more than 9 when one is none. */
static int64_t digits_of(const char *at, int count, unsigned *bad)
{
    int64_t n = 0;
    for (int i = 0; i < count; i++) {
        unsigned digit = (unsigned)(unsigned char)at[i] - (unsigned)'0';
        *bad = digit > *bad ? digit : *bad;
        n = n * 10 + digit;
    }
    return n;
}

/* The form that instant_format writes, as nearly all have it; false says only that it is not in this form. */
static bool parse_own(struct str text, int64_t *ret_ms)
{
    const char *s = text.ptr;
    unsigned bad = 0;
    if (text.len != INSTANT_TEXT_LEN || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':' ||
        s[19] != '.' || s[23] != 'Z') {
        return false;
    }
    int64_t year = digits_of(s, 4, &bad);
    int64_t month = digits_of(s + 5, 2, &bad);
    int64_t day = digits_of(s + 8, 2, &bad);
    int64_t hour = digits_of(s + 11, 2, &bad);
    int64_t minute = digits_of(s + 14, 2, &bad);
    int64_t second = digits_of(s + 17, 2, &bad);
    int64_t ms = digits_of(s + 20, 3, &bad);
    if (bad > 9 || !date_is_real(year, month, day) || hour > 23 || minute > 59 || second > 59) {
        return false;
    }
    *ret_ms = days_from_date(year, month, day) * DAY_MS + hour * HOUR_MS + minute * MINUTE_MS + second * SECOND_MS + ms;
    return true;
}

bool instant_parse(struct str text, int64_t *ret_ms)
{
    if (parse_own(text, ret_ms)) {
        return true;
    }
    size_t at = 0;
    int64_t year;
    int64_t month;
    int64_t day;
    int64_t hour;
    int64_t minute;
    int64_t second;
    int64_t fraction;
    int64_t offset;
    if (!take_digits(text, &at, 4, "-", &year) || !take_digits(text, &at, 2, "-", &month) ||
        !take_digits(text, &at, 2, "Tt ", &day) || !take_digits(text, &at, 2, ":", &hour) ||
        !take_digits(text, &at, 2, ":", &minute) || !take_digits(text, &at, 2, "", &second) ||
        !read_fraction_ms(text, &at, &fraction) || !read_offset_ms(text, &at, &offset)) {
        return false;
    }
    if (at != text.len || !date_is_real(year, month, day) || hour > 23 || minute > 59 || second > 59) {
        return false;
    }
    *ret_ms = days_from_date(year, month, day) * DAY_MS + hour * HOUR_MS + minute * MINUTE_MS +
              second * SECOND_MS + fraction - offset;
    return true;
}

static const struct {
    struct str name;
    int64_t ms;
} units[] = {
    /* Longest first, so that buf_span finds the largest; "ms" stands before "m" and "s". */
    {{"w", 1}, 7LL * DAY_MS}, {{"d", 1}, DAY_MS}, {{"h", 1}, HOUR_MS},
    {{"ms", 2}, 1},           {{"m", 1}, MINUTE_MS}, {{"s", 1}, SECOND_MS},
};

bool span_parse(struct str text, int64_t *ret_ms)
{
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        uint64_t count;
        if (str_ends(text, units[i].name) &&
            str_to_u64(str_slice(text, 0, text.len - units[i].name.len), &count)) {
            if (count > (uint64_t)(YEARS_100_MS / units[i].ms)) {
                return false;
            }
            *ret_ms = (int64_t)count * units[i].ms;
            return true;
        }
    }
    return false;
}

void buf_span(struct buf *b, int64_t ms)
{
    static const struct {
        const char *name;
        int64_t ms;
    } largest[] = {{"d", DAY_MS}, {"h", HOUR_MS}, {"m", MINUTE_MS}, {"s", SECOND_MS}, {"ms", 1}};
    for (size_t i = 0; i < sizeof largest / sizeof *largest; i++) {
        if ((ms != 0 && ms % largest[i].ms == 0) || largest[i].ms == 1) {
            buf_i64(b, ms / largest[i].ms);
            buf_str(b, str_from(largest[i].name));
            return;
        }
    }
}
