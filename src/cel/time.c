/*
 * The parts of moments and spans: getHours() and its like, in UTC or in a time zone.
 *
 * A zone is a fixed offset ("+02:00", "02:00", "-09:30"), "UTC", or a name of the tz database,
 * which the caller of cel_eval looks up. Source: cel-spec doc/langdef.md "Timezones".
 */
#include "cel/functions.h"

enum { DAY_S = 86400, NANOS = 1000000000, MILLI_NANOS = 1000000 };

/* Digits of one or two places before or behind the colon. */
static bool read_number(struct str s, int32_t max, int32_t *ret)
{
    int64_t n = 0;
    if (s.len < 1 || s.len > 2 || s.ptr[0] == '-' || !str_to_i64(s, &n) || n > max) {
        return false;
    }
    *ret = (int32_t)n;
    return true;
}

static bool fixed_offset(struct str zone, int32_t *ret)
{
    bool negative = zone.len > 0 && zone.ptr[0] == '-';
    bool sign = negative || (zone.len > 0 && zone.ptr[0] == '+');
    struct str rest = str_slice(zone, sign, zone.len);
    size_t colon = str_find(rest, ':');
    int32_t hours = 0;
    int32_t minutes = 0;
    if (colon == rest.len || !read_number(str_slice(rest, 0, colon), 23, &hours) ||
        !read_number(str_slice(rest, colon + 1, rest.len), 59, &minutes)) {
        return false;
    }
    *ret = (hours * 3600 + minutes * 60) * (negative ? -1 : 1);
    return true;
}

/* False: *ret is the error. */
static bool zone_offset(struct machine *m, const struct cel_node *n, const struct cel_value *args,
                        int32_t *ret_offset, struct cel_value *ret)
{
    *ret_offset = 0;
    if (n->count == 1) {
        return true;
    }
    struct str zone = cel_text(&args[1]);
    if (zone.len == 0 || str_eq(zone, STR("UTC")) || fixed_offset(zone, ret_offset)) {
        return true;
    }
    if (m->run->zone != NULL &&
        m->run->zone(m->run->zone_context, zone, args[0].integer, ret_offset)) {
        return true;
    }
    fault_set(m, n, ret, "unknown time zone");
    return false;
}

struct parts {
    int64_t year;
    int64_t month;       /* 0 to 11 */
    int64_t day;         /* 0 to 30 */
    int64_t day_of_year; /* 0 to 365 */
    int64_t day_of_week; /* 0 is Sunday */
    int64_t second_of_day;
};

static struct parts parts_of(int64_t seconds)
{
    int64_t days = seconds / DAY_S;
    int64_t rest = seconds % DAY_S;
    if (rest < 0) {
        rest += DAY_S;
        days--;
    }
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t of_era = z - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100); /* from 1 March */
    int64_t month = (5 * of_year + 2) / 153;
    int64_t day = of_year - (153 * month + 2) / 5;
    month += month < 10 ? 2 : -10;
    year += era * 400 + (month <= 1);
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    int64_t from_january = of_year >= 306 ? of_year - 306 : of_year + 59 + leap;
    return (struct parts){.year = year,
                          .month = month,
                          .day = day,
                          .day_of_year = from_january,
                          .day_of_week = ((days % 7) + 11) % 7,
                          .second_of_day = rest};
}

/* The parts where the arguments say. False: *ret is the error. */
static bool local_parts(struct machine *m, const struct cel_node *n, const struct cel_value *args,
                        struct parts *ret_parts, struct cel_value *ret)
{
    int32_t offset = 0;
    if (!zone_offset(m, n, args, &offset, ret)) {
        return false;
    }
    *ret_parts = parts_of(args[0].integer + offset);
    return true;
}

#define PART_FUNCTION(function, expression)                                                        \
    static void function(struct machine *m, const struct cel_node *n, struct cel_value *args,      \
                         struct cel_value *ret)                                                    \
    {                                                                                              \
        struct parts p;                                                                            \
        if (local_parts(m, n, args, &p, ret)) {                                                    \
            *ret = cel_of_int(expression);                                                         \
        }                                                                                          \
    }

PART_FUNCTION(full_year, p.year)
PART_FUNCTION(month, p.month)
PART_FUNCTION(date, p.day + 1)
PART_FUNCTION(day_of_month, p.day)
PART_FUNCTION(day_of_year, p.day_of_year)
PART_FUNCTION(day_of_week, p.day_of_week)
PART_FUNCTION(hours, p.second_of_day / 3600)
PART_FUNCTION(minutes, p.second_of_day / 60 % 60)
PART_FUNCTION(seconds, p.second_of_day % 60)
PART_FUNCTION(milliseconds, (int64_t)args[0].aux / MILLI_NANOS)

static void span_hours(struct machine *m, const struct cel_node *n, struct cel_value *args,
                       struct cel_value *ret)
{
    (void)m;
    (void)n;
    *ret = cel_of_int(args[0].integer / (3600LL * NANOS));
}

static void span_minutes(struct machine *m, const struct cel_node *n, struct cel_value *args,
                         struct cel_value *ret)
{
    (void)m;
    (void)n;
    *ret = cel_of_int(args[0].integer / (60LL * NANOS));
}

static void span_seconds(struct machine *m, const struct cel_node *n, struct cel_value *args,
                         struct cel_value *ret)
{
    (void)m;
    (void)n;
    *ret = cel_of_int(args[0].integer / NANOS);
}

/* The milliseconds beside the whole seconds, unlike the others. */
static void span_milliseconds(struct machine *m, const struct cel_node *n, struct cel_value *args,
                              struct cel_value *ret)
{
    (void)m;
    (void)n;
    *ret = cel_of_int(args[0].integer % NANOS / MILLI_NANOS);
}

#define PART(name, function) METHOD(name, "t", "i", function), METHOD(name, "ts", "i", function)

const struct cel_function cel_time_functions[] = {
    PART("getFullYear", full_year),
    PART("getMonth", month),
    PART("getDate", date),
    PART("getDayOfMonth", day_of_month),
    PART("getDayOfYear", day_of_year),
    PART("getDayOfWeek", day_of_week),
    PART("getHours", hours),
    PART("getMinutes", minutes),
    PART("getSeconds", seconds),
    PART("getMilliseconds", milliseconds),
    METHOD("getHours", "D", "i", span_hours),
    METHOD("getMinutes", "D", "i", span_minutes),
    METHOD("getSeconds", "D", "i", span_seconds),
    METHOD("getMilliseconds", "D", "i", span_milliseconds),
    FUNCTIONS_END,
};
