#include "slo/window.h"

#include "base/instant.h"
#include "base/must.h"

#include <string.h>

void window_init(struct window *w)
{
    memset(w, 0, sizeof *w);
    w->newest_hour = -1;
    w->kept_first = -1;
}

static struct window_bucket *bucket_of(struct window *w, int64_t hour)
{
    return &w->buckets[hour % WINDOW_HOURS];
}

/* Counts stop at the largest number. */
static void add_counts(struct window_bucket *to, int64_t good, int64_t total)
{
    to->good = good > INT64_MAX - to->good ? INT64_MAX : to->good + good;
    to->total = total > INT64_MAX - to->total ? INT64_MAX : to->total + total;
}

bool window_add(struct window *w, int64_t at_ms, int64_t good, int64_t total)
{
    must(good >= 0 && total >= good);
    int64_t hour = at_ms / HOUR_MS;
    if (at_ms < 0 || (w->newest_hour >= 0 && hour <= w->newest_hour - WINDOW_HOURS)) {
        return false;
    }
    if (hour > w->newest_hour) {
        int64_t first = w->newest_hour < 0 || hour - w->newest_hour >= WINDOW_HOURS
                            ? hour - WINDOW_HOURS + 1
                            : w->newest_hour + 1;
        for (int64_t h = first < 0 ? 0 : first; h <= hour; h++) {
            *bucket_of(w, h) = (struct window_bucket){0, 0};
        }
        w->newest_hour = hour;
        w->kept_first = -1;
    }
    add_counts(bucket_of(w, hour), good, total);
    if (w->kept_first >= 0 && hour >= w->kept_first) {
        add_counts(&w->kept, good, total);
    }
    return true;
}

struct window_bucket window_sum(struct window *w, int64_t now_ms, int64_t span_ms)
{
    struct window_bucket sum = {0, 0};
    if (w->newest_hour < 0) {
        return sum;
    }
    int64_t first = (now_ms - span_ms) / HOUR_MS;
    int64_t oldest = w->newest_hour - WINDOW_HOURS + 1;
    first = first < oldest ? oldest : first;
    first = first < 0 ? 0 : first;
    bool to_newest = now_ms / HOUR_MS >= w->newest_hour;
    if (to_newest && w->kept_first == first) {
        return w->kept;
    }
    for (int64_t h = first; h <= w->newest_hour && h <= now_ms / HOUR_MS; h++) {
        const struct window_bucket *b = &w->buckets[h % WINDOW_HOURS];
        add_counts(&sum, b->good, b->total);
    }
    if (to_newest) {
        w->kept_first = first;
        w->kept = sum;
    }
    return sum;
}
