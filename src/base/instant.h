/*
 * base/instant - moments and spans as text.
 *
 * A moment is int64_t milliseconds since 1970-01-01 UTC; as text it is RFC 3339 in UTC with
 * milliseconds. A span is int64_t milliseconds; in configuration it is a count and a unit: 500ms,
 * 30s, 5m, 1h, 28d, 4w. Years 0001 to 9999. Pure: nothing here knows what time it is.
 * Source: RFC 3339 section 5.6; the calendar arithmetic is the proleptic Gregorian one.
 */
#ifndef BASE_INSTANT_H
#define BASE_INSTANT_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/str.h"

#include <stdint.h>

enum {
    INSTANT_TEXT_LEN = 24, /* 2026-11-21T10:00:00.000Z */
    SECOND_MS = 1000,
    MINUTE_MS = 60 * SECOND_MS,
    HOUR_MS = 60 * MINUTE_MS,
    DAY_MS = 24 * HOUR_MS,
};

/* Writes exactly INSTANT_TEXT_LEN bytes, no NUL. Moments outside the years are clamped. */
void instant_format(int64_t ms, char out[static INSTANT_TEXT_LEN]);
void buf_instant(struct buf *b, int64_t ms);
/* Any RFC 3339 date-time: 'T' or 't' or a space, fraction cut to milliseconds, offset applied. */
NODISCARD bool instant_parse(struct str text, int64_t *ret_ms);
/* 0 to 100 years; false when it has no unit, is negative or too long. */
NODISCARD bool span_parse(struct str text, int64_t *ret_ms);
/* The largest unit that divides it: 90000 is "90s", 3600000 is "1h". */
void buf_span(struct buf *b, int64_t ms);

#endif
