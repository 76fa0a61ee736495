/*
 * cause/stats - how much more is much: medians, likelihoods, and what calm windows reach.
 */
#include "cause/cause_internal.h"

#include <math.h>
#include <stdlib.h>

enum { TAIL_MAX = 256 }; /* of windows that may hold an incident; more than 20 times as many normal ones are held to these */

double mixed(double over_long, double over_both)
{
    return over_both + SHARE_OF_OLD * (over_long - over_both);
}

double softened(double nats)
{
    return nats <= NATS_LINEAR ? nats : NATS_LINEAR * (1.0 + log(nats / NATS_LINEAR));
}

double nats_of_z(double z)
{
    return z > Z_MIN ? softened(z * z / 2.0) : 0.0;
}

double count_nats(double seen, double expected, double dispersion)
{
    double log_part = seen > 0 ? seen * log(seen / expected) : 0.0;
    return (log_part - (seen - expected)) / dispersion;
}

static void swap(struct measure *x, struct measure *y)
{
    struct measure kept = *x;
    *x = *y;
    *y = kept;
}

/* Items [lo, hi) into those below, at and above the pivot: bounds of those at it, and the weights of the first two. */
struct parts {
    uint32_t at;
    uint32_t above;
    double weight_below;
    double weight_at;
};

static struct parts part_by(struct measure *items, uint32_t lo, uint32_t hi, double pivot)
{
    struct parts p = {.at = lo, .above = hi};
    for (uint32_t i = lo; i < p.above;) {
        if (items[i].value < pivot) {
            p.weight_below += items[i].count;
            swap(&items[i++], &items[p.at++]);
        } else if (items[i].value > pivot) {
            swap(&items[i], &items[--p.above]);
        } else {
            p.weight_at += items[i++].count;
        }
    }
    return p;
}

double weighted_median(const struct measure *items, uint32_t count, double weight_max, struct measure *scratch)
{
    double needed = 0;
    for (uint32_t i = 0; i < count; i++) {
        scratch[i] = items[i];
        scratch[i].count = items[i].count < weight_max ? items[i].count : weight_max;
        needed += scratch[i].count;
    }
    needed /= 2.0;
    double passed = 0;
    for (uint32_t lo = 0, hi = count; lo < hi;) {
        double pivot = scratch[lo + (hi - lo) / 2].value;
        struct parts p = part_by(scratch, lo, hi, pivot);
        if (p.at > lo && passed + p.weight_below >= needed) {
            hi = p.at;
        } else if (passed + p.weight_below + p.weight_at >= needed || p.above == hi) {
            return pivot;
        } else {
            passed += p.weight_below + p.weight_at;
            lo = p.above;
        }
    }
    return 0.0;
}

static int by_number(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return x < y ? -1 : x > y;
}

double median_of(double *values, uint32_t count)
{
    qsort(values, count, sizeof *values, by_number);
    return values[count / 2];
}

/* The median absolute deviation of a normal variable, turned into a standard deviation. */
#define MAD_TO_SIGMA 1.4826
/* One deviation in ten, either way, is beyond NORMAL_TAIL_Z. */
#define TAIL_BOTH 10

double spread_of(const double *values, uint32_t count, double middle, bool tails, double *scratch)
{
    for (uint32_t i = 0; i < count; i++) {
        scratch[i] = fabs(values[i] - middle);
    }
    double mad = MAD_TO_SIGMA * median_of(scratch, count);
    return tails ? fmax(mad, scratch[count - 1 - count / TAIL_BOTH] / NORMAL_TAIL_Z) : mad;
}

/* --- times ---------------------------------------------------------------------------------------- */

/* What a comparison of times needs of its normal windows. */
struct time_model {
    double reference;
    double floor;
    double variance; /* of the log of a window's mean */
    double calls;    /* in all normal windows */
};

static double log_of(const struct time_model *m, double value)
{
    return log(fmax(value, m->floor));
}

static double z_of_time(const struct time_model *m, struct measure seen, double reference)
{
    double more = seen.value - reference;
    if (more <= 0) {
        return 0.0;
    }
    double grown = log(fmax(reference, m->floor) + more) - log_of(m, reference);
    return grown / sqrt(1.0 / seen.count + 1.0 / m->calls + m->variance);
}

/* Puts a value among the largest so far, which stand in falling order. */
static void keep_largest(double *largest, uint32_t room, double value)
{
    if (value <= largest[room - 1]) {
        return;
    }
    uint32_t at = room - 1;
    for (; at > 0 && largest[at - 1] < value; at--) {
        largest[at] = largest[at - 1];
    }
    largest[at] = value;
}

/* What normal windows reach by chance, as a factor of what the model says they would; 1 when there are too few to tell. */
static double calibration(const struct measure *z, uint32_t count)
{
    double largest[TAIL_MAX] = {0};
    uint32_t room = count / NORMAL_TAIL < TAIL_MAX ? count / NORMAL_TAIL + 1 : TAIL_MAX;
    if (count < NORMAL_TAIL) {
        return 1.0;
    }
    for (uint32_t i = 0; i < count; i++) {
        keep_largest(largest, room, z[i].value);
    }
    return fmax(1.0, largest[room - 1] / NORMAL_TAIL_Z);
}

static struct time_model time_model_of(const struct comparison *c, struct measure *scratch)
{
    struct time_model m = {.floor = c->floor, .variance = SPREAD_ASSUMED * SPREAD_ASSUMED * SPREAD_WEIGHT};
    m.reference = weighted_median(c->normal, c->normal_count, WEIGHT_MAX, scratch);
    double middle = log_of(&m, m.reference);
    for (uint32_t i = 0; i < c->normal_count; i++) {
        double off = log_of(&m, c->normal[i].value) - middle;
        m.variance += fmin(1.0, off * off);
        m.calls += c->normal[i].count;
    }
    m.variance /= SPREAD_WEIGHT + c->normal_count;
    return m;
}

/* The minutes before as a reference, as far as they have calls; never below the normal one. */
static double later_reference(const struct comparison *c, double reference)
{
    if (c->before.count <= 0) {
        return reference;
    }
    double blend = (c->before.value * c->before.count + reference * WEIGHT_MAX) / (c->before.count + WEIGHT_MAX);
    return fmax(reference, blend);
}

struct excess excess_of_time(const struct comparison *c, struct measure *scratch)
{
    struct excess x = {0};
    struct comparison of = *c;
    if (c->normal_count == 0 && c->before.count > 0) {
        of.normal = &c->before;
        of.normal_count = 1;
    }
    if (of.normal_count == 0 || c->now.count <= 0) {
        return x;
    }
    struct time_model m = time_model_of(&of, scratch);
    double by = 1.0;
    if (c->calibrated) {
        for (uint32_t i = 0; i < of.normal_count; i++) {
            scratch[i] = (struct measure){.value = z_of_time(&m, of.normal[i], m.reference)};
        }
        by = calibration(scratch, of.normal_count);
    }
    double later = later_reference(c, m.reference);
    x = (struct excess){.known = true, .reference = m.reference};
    x.mean_long = fmax(0.0, c->now.value - m.reference);
    x.mean_both = fmax(0.0, c->now.value - later);
    x.z_long = z_of_time(&m, c->now, m.reference) / by;
    x.z_both = z_of_time(&m, c->now, later) / by;
    return x;
}

/* --- errors --------------------------------------------------------------------------------------- */

/* From the likelihood of a count to standard deviations, 0 when it is not more. */
static double z_of_errors(double seen, double expected, double dispersion)
{
    double at_least = fmax(expected, ERRORS_FLOOR);
    return seen > at_least ? sqrt(2.0 * fmax(0.0, count_nats(seen, at_least, dispersion))) : 0.0;
}

struct excess excess_of_errors(const struct comparison *c, struct measure *scratch)
{
    struct excess x = {0};
    double calls = 0;
    double errors = 0.5; /* Source: Jeffreys' prior of a rate: none seen is not none possible */
    for (uint32_t i = 0; i < c->normal_count; i++) {
        calls += c->normal[i].count;
        errors += c->normal[i].value;
    }
    bool before_only = c->normal_count == 0;
    if (before_only) {
        calls = c->before.count;
        errors += c->before.value;
    }
    if (calls <= 0 || c->now.count <= 0) {
        return x;
    }
    double rate = errors / calls;
    double squares = 0;
    for (uint32_t i = 0; i < c->normal_count; i++) {
        double expected = rate * c->normal[i].count;
        double off = c->normal[i].value - expected;
        squares += fmin(SQUARE_MAX, off * off / (expected + 0.5));
    }
    double dispersion = before_only ? 1.0 : fmax(1.0, squares / c->normal_count);
    double by = 1.0;
    if (c->calibrated) {
        for (uint32_t i = 0; i < c->normal_count; i++) {
            double z = z_of_errors(c->normal[i].value, rate * c->normal[i].count, dispersion);
            scratch[i] = (struct measure){.value = z};
        }
        by = calibration(scratch, c->normal_count);
    }
    double later = fmax(rate, (c->before.value + WEIGHT_MAX * rate) / (c->before.count + WEIGHT_MAX));
    x = (struct excess){.known = true, .reference = rate};
    x.mean_long = fmax(0.0, c->now.value / c->now.count - rate);
    x.mean_both = fmax(0.0, c->now.value / c->now.count - later);
    x.z_long = z_of_errors(c->now.value, rate * c->now.count, dispersion) / by;
    x.z_both = z_of_errors(c->now.value, later * c->now.count, dispersion) / by;
    return x;
}
