#include "evidence/metric.h"

#include <string.h>

enum { NAME_KEPT = 128, WORDS_MAX = 24 };

struct words {
    char text[NAME_KEPT];
    struct str items[WORDS_MAX];
    uint32_t count;
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool in_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* A capital behind a small letter begins a word: CpuUsage. */
static bool begins_word(struct str name, size_t i)
{
    bool capital = name.ptr[i] >= 'A' && name.ptr[i] <= 'Z';
    return i > 0 && capital && !(name.ptr[i - 1] >= 'A' && name.ptr[i - 1] <= 'Z') && in_word(lower(name.ptr[i - 1]));
}

static void cut(struct str name, struct words *w)
{
    size_t len = name.len < NAME_KEPT ? name.len : NAME_KEPT;
    w->count = 0;
    for (size_t i = 0; i < len; i++) {
        w->text[i] = lower(name.ptr[i]);
    }
    for (size_t i = 0; i < len && w->count < WORDS_MAX;) {
        size_t from = i;
        while (i < len && in_word(w->text[i]) && (i == from || !begins_word(name, i))) {
            i++;
        }
        if (i > from) {
            w->items[w->count++] = (struct str){w->text + from, i - from};
            continue;
        }
        if (w->text[i] == '%') {
            w->items[w->count++] = STR("pct");
        }
        i++;
    }
}

/* Does one of the words stand in a list such as " ms millis "? */
static bool any(const struct words *w, const char *list)
{
    for (uint32_t i = 0; i < w->count; i++) {
        char padded[NAME_KEPT + 3];
        size_t len = w->items[i].len;
        padded[0] = ' ';
        memcpy(padded + 1, w->items[i].ptr, len);
        padded[len + 1] = ' ';
        padded[len + 2] = '\0';
        if (strstr(list, padded) != NULL) {
            return true;
        }
    }
    return false;
}

/* What makes milliseconds of it. */
static double time_scale(const struct words *w)
{
    static const struct {
        const char *words;
        double scale;
    } units[] = {
        {" ms millis millisecond milliseconds ", 1.0},
        {" us micros microsecond microseconds ", 1e-3},
        {" ns nanos nanosecond nanoseconds ", 1e-6},
    };
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (any(w, units[i].words)) {
            return units[i].scale;
        }
    }
    return 1e3;
}

/* A node's times as a client are rather those of whom it calls: taken when there are no others. */
#define FROM_CLIENTS " client caller source src upstream outbound "
enum { OF_OTHERS = 10 };

/* A mean adds up over calls, a median nearly, a high percentile does not. */
static uint32_t time_choice(const struct words *w)
{
    return any(w, " avg average mean ") ? 0 : any(w, " p50 50 median ") ? 1 : any(w, " p90 p95 p99 p999 90 95 99 max ") ? 3 : 2;
}

static struct metric time_metric(const struct words *w, bool edge)
{
    struct metric m = {.meaning = METRIC_LATENCY, .scale = time_scale(w), .choice = time_choice(w)};
    if (!edge && any(w, FROM_CLIENTS)) {
        m.choice += OF_OTHERS;
    }
    if (edge && any(w, " src source client caller ")) {
        m.meaning = METRIC_CLIENT_SIDE;
    } else if (edge && any(w, " dst dest destination server callee ")) {
        m.meaning = METRIC_SERVER_SIDE;
    } else if (edge) {
        m.meaning = METRIC_OTHER;
    }
    return m;
}

/* Percent, a ratio, or neither. */
static struct metric share_metric(const struct words *w, enum metric_meaning meaning, enum metric_meaning otherwise)
{
    if (any(w, " pct percent percentage ")) {
        return (struct metric){.meaning = meaning, .share = meaning == METRIC_SATURATION, .scale = 0.01};
    }
    if (any(w, " ratio share fraction rate utilization utilisation util usage ")) {
        bool whole = meaning == METRIC_SATURATION && any(w, " ratio share fraction utilization utilisation util ");
        return (struct metric){.meaning = meaning, .share = whole, .scale = 1.0};
    }
    return (struct metric){.meaning = otherwise, .scale = 1.0};
}

struct metric metric_of(struct str name, bool edge)
{
    struct words w;
    cut(name, &w);
    bool side = edge && any(&w, " src source client caller dst dest destination server callee ");
    /* A percentile alone is one of times. */
    bool percentile = any(&w, " p50 p90 p95 p99 p999 ") && !any(&w, FROM_CLIENTS " network net bytes size ");
    if (side || (percentile && !edge) || any(&w, " latency duration latencies durations ") || (any(&w, " response ") && any(&w, " time ")) ||
        (any(&w, " elapsed ") && any(&w, " ms seconds time "))) {
        return time_metric(&w, edge);
    }
    if (edge) {
        return (struct metric){.scale = 1.0};
    }
    if (any(&w, " availability success successes ")) {
        /* Percent unless the name says otherwise: it is how people write it; see evidence_settle. */
        return any(&w, " ratio fraction share ") ? (struct metric){.meaning = METRIC_AVAILABILITY, .scale = 1.0}
                                                 : (struct metric){.meaning = METRIC_AVAILABILITY, .scale = 0.01};
    }
    if (any(&w, " error errors failure failures failed fault faults 5xx ")) {
        return share_metric(&w, METRIC_ERROR_SHARE, METRIC_ERRORS);
    }
    if (any(&w, " cpu mem memory disk diskio io iops fs heap storage filesystem swap socket sockets connections pool threads fds ")) {
        return share_metric(&w, METRIC_SATURATION, METRIC_SATURATION);
    }
    if (any(&w, " requests request rps qps ops calls workload throughput traffic invocations ")) {
        return (struct metric){.meaning = METRIC_TRAFFIC, .scale = 1.0};
    }
    return (struct metric){.scale = 1.0};
}
