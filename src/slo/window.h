/*
 * slo/window - good and total counts over a rolling window, in a ring of one-hour buckets.
 *
 * Fixed size, integers only. Events older than the window or than the ring's newest hour minus its
 * length are refused rather than put in the wrong bucket. Pure.
 */
#ifndef SLO_WINDOW_H
#define SLO_WINDOW_H

#include "base/attr.h"

#include <stdbool.h>
#include <stdint.h>

enum { WINDOW_HOURS = 24 * 91 }; /* a 90-day window and the hour under way */

struct window_bucket {
    int64_t good;
    int64_t total;
};

struct window {
    int64_t newest_hour; /* hours since 1970 of the newest bucket; -1 when empty */
    struct window_bucket buckets[WINDOW_HOURS];
    /* The sum over [kept_first, newest_hour] as it was last asked for: the same question comes with every
     * decision, and the hours behind it change once an hour. Derived; -1 when there is none. */
    int64_t kept_first;
    struct window_bucket kept;
};

void window_init(struct window *w);
/* False when at_ms is older than the ring. */
NODISCARD bool window_add(struct window *w, int64_t at_ms, int64_t good, int64_t total);
/* Counts over (now - span_ms, now], to the hour: the oldest hour counts whole. */
struct window_bucket window_sum(struct window *w, int64_t now_ms, int64_t span_ms);

#endif
