/*
 * Offsets of a time zone from the bytes of its TZif file.
 *
 * The 64-bit block's transitions, then the footer's rule for later moments. Everything is checked
 * against the bytes' length, so that a damaged file is refused and never read beyond.
 * Source: RFC 8536; POSIX.1-2017 "TZ" for the footer.
 */
#include "cel/cel.h"

#include <string.h>

enum { HEADER = 44, TYPE_BYTES = 6, DAY_S = 86400 };

struct counts {
    uint64_t isut, isstd, leap, times, types, chars;
};

static uint64_t big_endian(const char *at, size_t bytes)
{
    uint64_t n = 0;
    for (size_t i = 0; i < bytes; i++) {
        n = n << 8 | (uint8_t)at[i];
    }
    return n;
}

static bool read_header(struct str s, struct counts *ret)
{
    if (s.len < HEADER || memcmp(s.ptr, "TZif", 4) != 0) {
        return false;
    }
    const char *at = s.ptr + 20;
    *ret = (struct counts){big_endian(at, 4),      big_endian(at + 4, 4),  big_endian(at + 8, 4),
                           big_endian(at + 12, 4), big_endian(at + 16, 4), big_endian(at + 20, 4)};
    return ret->types > 0 && ret->types < 256 && ret->times < 100000 && ret->chars < 1000 &&
           ret->leap < 10000 && ret->isut < 256 && ret->isstd < 256;
}

static size_t block_size(const struct counts *c, size_t time_bytes)
{
    return (size_t)(c->times * time_bytes + c->times + c->types * TYPE_BYTES + c->chars +
                    c->leap * (time_bytes + 4) + c->isstd + c->isut);
}

struct rule_reader {
    struct str s;
    size_t at;
    bool good;
};

static char here(const struct rule_reader *r)
{
    return r->at < r->s.len ? r->s.ptr[r->at] : '\0';
}

static bool taken(struct rule_reader *r, char c)
{
    bool is = here(r) == c;
    r->at += is;
    return is;
}

static int64_t rule_number(struct rule_reader *r)
{
    int64_t n = 0;
    size_t from = r->at;
    while (here(r) >= '0' && here(r) <= '9' && r->at - from < 5) {
        n = n * 10 + (here(r) - '0');
        r->at++;
    }
    r->good = r->good && r->at > from;
    return n;
}

/* [+-]hh[:mm[:ss]] in seconds. */
static int64_t rule_time(struct rule_reader *r)
{
    bool negative = taken(r, '-');
    if (!negative) {
        (void)taken(r, '+');
    }
    int64_t n = rule_number(r) * 3600;
    if (taken(r, ':')) {
        n += rule_number(r) * 60;
        n += taken(r, ':') ? rule_number(r) : 0;
    }
    return negative ? -n : n;
}

static void rule_name(struct rule_reader *r)
{
    size_t from = r->at;
    if (taken(r, '<')) {
        while (here(r) != '>' && here(r) != '\0') {
            r->at++;
        }
        r->good = r->good && taken(r, '>');
        return;
    }
    while ((here(r) | 0x20) >= 'a' && (here(r) | 0x20) <= 'z') {
        r->at++;
    }
    r->good = r->good && r->at > from;
}

static bool leap_year(int64_t y)
{
    return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

/* Days from 1970-01-01 to 1 January. */
static int64_t year_start(int64_t y)
{
    int64_t p = y - 1;
    return 365 * (y - 1970) + (p / 4 - 1969 / 4) - (p / 100 - 1969 / 100) + (p / 400 - 1969 / 400);
}

static int64_t month_start(int64_t y, int64_t month)
{
    static const int64_t before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
    return before[month - 1] + (month > 2 && leap_year(y));
}

/* Mm.w.d, Jn or n, with a time: seconds since 1970 in the zone's own clock, for year y. */
static int64_t rule_moment(struct rule_reader *r, int64_t y)
{
    int64_t day = 0;
    if (taken(r, 'M')) {
        int64_t month = rule_number(r);
        r->good = r->good && taken(r, '.');
        int64_t week = rule_number(r);
        r->good = r->good && taken(r, '.');
        int64_t of_week = rule_number(r);
        if (!r->good || month < 1 || month > 12 || week < 1 || week > 5 || of_week > 6) {
            r->good = false;
            return 0;
        }
        int64_t first = year_start(y) + month_start(y, month);
        int64_t first_of_week = ((first % 7) + 11) % 7;
        day = month_start(y, month) + (of_week - first_of_week + 7) % 7 + (week - 1) * 7;
        int64_t next = month == 12 ? 365 + leap_year(y) : month_start(y, month + 1);
        day -= day >= next ? 7 : 0;
    } else if (taken(r, 'J')) {
        day = rule_number(r) - 1;
        day += day >= 59 && leap_year(y);
    } else {
        day = rule_number(r);
    }
    int64_t time = taken(r, '/') ? rule_time(r) : 7200;
    return (year_start(y) + day) * DAY_S + time;
}

static int64_t year_of(int64_t seconds)
{
    int64_t days = seconds / DAY_S - (seconds % DAY_S < 0);
    int64_t y = 1970 + days / 366;
    while (year_start(y + 1) <= days) {
        y++;
    }
    while (year_start(y) > days) {
        y--;
    }
    return y;
}

/* The footer, such as "CET-1CEST,M3.5.0,M10.5.0/3". */
static bool rule_offset(struct str rule, int64_t seconds, int32_t *ret)
{
    struct rule_reader r = {.s = rule, .good = true};
    rule_name(&r);
    int64_t standard = -rule_time(&r);
    if (!r.good || r.at == rule.len) {
        *ret = (int32_t)standard;
        return r.good;
    }
    rule_name(&r);
    int64_t summer = standard + 3600;
    if (here(&r) != ',') {
        summer = -rule_time(&r);
    }
    int64_t year = year_of(seconds + standard);
    r.good = r.good && taken(&r, ',');
    int64_t begin = rule_moment(&r, year) - standard;
    r.good = r.good && taken(&r, ',');
    int64_t end = rule_moment(&r, year) - summer;
    if (!r.good || r.at != rule.len) {
        return false;
    }
    bool is_summer =
        begin < end ? seconds >= begin && seconds < end : seconds >= begin || seconds < end;
    *ret = (int32_t)(is_summer ? summer : standard);
    return true;
}

/* How many transitions are at or before the moment. */
static uint64_t transitions_before(const char *times, uint64_t count, int64_t seconds)
{
    uint64_t low = 0;
    uint64_t high = count;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if ((int64_t)big_endian(times + middle * 8, 8) <= seconds) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct str footer_of(struct str rest)
{
    if (rest.len < 2 || rest.ptr[0] != '\n') {
        return STR("");
    }
    rest = str_slice(rest, 1, rest.len);
    return str_slice(rest, 0, str_find(rest, '\n'));
}

bool cel_zone_offset(struct str tzif, int64_t seconds, int32_t *ret_offset)
{
    struct counts c;
    /* The 32-bit block of old readers comes first, and is skipped. */
    if (!read_header(tzif, &c) || tzif.ptr[4] < '2') {
        return false;
    }
    size_t first = HEADER + block_size(&c, 4);
    if (first > tzif.len || !read_header(str_slice(tzif, first, tzif.len), &c)) {
        return false;
    }
    struct str block = str_slice(tzif, first + HEADER, tzif.len);
    size_t size = block_size(&c, 8);
    if (size > block.len) {
        return false;
    }
    struct str footer = footer_of(str_slice(block, size, block.len));
    uint64_t before = transitions_before(block.ptr, c.times, seconds);
    if (before == c.times && footer.len > 0) {
        return rule_offset(footer, seconds, ret_offset);
    }
    const char *kinds = block.ptr + c.times * 8;
    uint64_t kind = before == 0 ? 0 : (uint8_t)kinds[before - 1];
    if (kind >= c.types) {
        return false;
    }
    *ret_offset = (int32_t)(uint32_t)big_endian(kinds + c.times + kind * TYPE_BYTES, 4);
    return true;
}
