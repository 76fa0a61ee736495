/*
 * cause/patterns - proportions that always held at a node, and no more.
 *
 * What a service does leaves counts (counts.h). Many hold a proportion to another of them: as many of this line as of that
 * call, never this error. For each count the one that foretold it best in normal windows is its base; the likelihood of
 * what came is the evidence. Which code runs is so seen without knowing the code. A node whose callees broke theirs as
 * much only passes it on.
 */
#include "cause/counts.h"

#include <math.h>

/* An exact proportion may be off by this much in one window, before the excess counts no more. */
#define MISS_MAX 2.0
/* Counts vary at least this much less than Poisson's: lines come in step with calls. */
#define DISPERSION_MIN 0.3
#define DISPERSION_ASSUMED 2.0
#define EXPECTED_MIN 0.3
/* Where windows do not say how long they are. */
#define WINDOW_MS 60000.0
/* Less than this of a broken proportion is not told. */
#define PATTERN_MIN 3.0
/* What a node keeps of a break that a callee has as well: it decides between nodes that have nothing else. */
#define PATTERN_PASSED_ON 0.01

/* --- one counter and a base ----------------------------------------------------------------------- */

/* How a counter followed a base in normal windows. */
struct proportion {
    const struct counter *of;
    const struct counter *base;
    double ratio;
    bool exact;      /* as many as the base, or none */
    double slip;     /* exact: how often it is off, for each of the base; else the dispersion */
    double doubt;    /* how badly the base foretells it: the smallest is taken */
};

/* Sums of one pass over the windows in which the base was. */
struct pass {
    uint32_t windows;
    double base;
    double missed; /* of the counter where the base was not */
    uint32_t equal; /* windows with as many as the base */
    uint32_t none;  /* and with none */
};

static struct pass pass_over(const struct node_counts *n, const struct counter *a, const struct counter *b)
{
    struct pass p = {0};
    for (uint32_t w = 0; w < n->windows; w++) {
        double x = a->normal[w];
        double y = b->normal[w];
        if (y <= 0) {
            p.missed += x;
            continue;
        }
        p.base += y;
        p.none += x <= 0;
        p.equal += x >= y && x <= y;
        n->ratios[p.windows++] = (struct measure){.count = y, .value = x / y};
    }
    return p;
}

static void measure_exact(struct proportion *r, const struct node_counts *n, const struct pass *p)
{
    double off = fmin(p->missed, MISS_MAX) + 1.0;
    for (uint32_t w = 0; w < n->windows; w++) {
        double y = r->base->normal[w];
        off += y > 0 ? fmin(fabs(r->of->normal[w] - r->ratio * y), MISS_MAX) : 0.0;
    }
    r->exact = true;
    r->slip = r->doubt = off / (p->base + 2.0);
}

static void measure_loose(struct proportion *r, const struct node_counts *n, const struct pass *p)
{
    double squares = 0;
    for (uint32_t w = 0; w < n->windows; w++) {
        double expected = r->ratio * r->base->normal[w];
        double off = r->of->normal[w] - expected;
        squares += r->base->normal[w] > 0 ? fmin(SQUARE_MAX, off * off / (expected + 0.5)) : 0.0;
    }
    double dispersion = (squares + SPREAD_WEIGHT * DISPERSION_ASSUMED) / (p->windows - 1.0 + SPREAD_WEIGHT);
    r->slip = fmax(DISPERSION_MIN, dispersion) + p->missed / (r->of->total + 1.0);
    r->doubt = r->slip / (r->ratio * p->base / p->windows + 0.5) + 1.0 / (1.0 + p->base);
}

/* False when the base says nothing of it. */
static bool measure_proportion(const struct node_counts *n, const struct counter *a, const struct counter *b, struct proportion *ret)
{
    struct pass p = pass_over(n, a, b);
    if (p.windows == 0) {
        return false;
    }
    *ret = (struct proportion){.of = a, .base = b};
    ret->ratio = p.none == p.windows ? 0.0 : p.equal == p.windows ? 1.0 : weighted_median(n->ratios, p.windows, WEIGHT_MAX, n->scratch);
    /* As many as the base in most windows, not only on the whole. */
    bool one = ret->ratio >= 1.0 && ret->ratio <= 1.0 && 2 * p.equal > p.windows && a->kind != COUNT_MADE;
    if (one || ret->ratio <= 0) {
        measure_exact(ret, n, &p);
    } else {
        measure_loose(ret, n, &p);
    }
    return true;
}

/* --- how unlikely what came is -------------------------------------------------------------------- */

/* From an exact proportion: each that is off would have been a slip, but for calls that windows cut in two. */
static double broken_exact(const struct proportion *r, const struct node_counts *n, double ratio)
{
    double base = r->base->now;
    if (fabs(r->of->now / base - r->ratio) < fabs(ratio - r->ratio)) {
        return 0.0;
    }
    double off = fmax(0.0, fabs(r->of->now - ratio * base) - n->cut);
    off = r->of->now > ratio * base ? fmax(0.0, off - n->new_callers) : off;
    double expected = r->slip * base;
    return off > expected ? count_nats(off, expected, 1.0) : 0.0;
}

static double broken_loose(const struct proportion *r, const struct node_counts *n, double ratio)
{
    double first = r->ratio * r->base->now;
    double expected = ratio * r->base->now;
    double seen = r->of->now;
    if ((seen - expected) * (seen - first) < 0) {
        return 0.0;
    }
    if (seen > expected) {
        seen = fmax(expected, seen - n->cut);
        seen = r->of->kind == COUNT_MADE ? seen : fmax(expected, seen - n->new_callers);
    } else {
        seen = fmin(expected, seen + n->cut);
    }
    return count_nats(seen, fmax(expected, EXPECTED_MIN), r->slip);
}

static double broken(const struct proportion *r, const struct node_counts *n, double ratio)
{
    return softened(fmax(0.0, r->exact ? broken_exact(r, n, ratio) : broken_loose(r, n, ratio)));
}

static double nats_of_proportion(const struct proportion *r, const struct node_counts *n)
{
    double over_long = broken(r, n, r->ratio);
    double over_both = over_long;
    if (n->before_known && r->base->before > 0) {
        double blend = (r->of->before + WEIGHT_MAX * r->ratio) / (r->base->before + WEIGHT_MAX);
        over_both = fmin(over_long, broken(r, n, blend));
    }
    return over_long > 1.0 ? mixed(over_long, over_both) : 0.0;
}

/* --- the best base ---------------------------------------------------------------------------------- */

/* Bases that look best at a first pass, which takes no median. */
enum { CLOSER_LOOKS = 3 };

struct shortlist {
    uint32_t bases[CLOSER_LOOKS];
    double doubts[CLOSER_LOOKS];
    uint32_t count;
};

static double smaller(double x, double y)
{
    return x < y ? x : y;
}

/* The doubt, with the ratio of the sums in place of the median; more than `enough` when it is more than that. */
static double rough_doubt(const struct node_counts *n, const struct counter *a, const struct counter *b, double enough)
{
    double sum = 0;
    double base = 0;
    double off = 0;
    for (uint32_t w = 0; w < n->windows; w++) {
        double x = a->normal[w];
        double y = b->normal[w];
        sum += y > 0 ? x : 0.0;
        base += y;
        off += y > 0 ? smaller(x > y ? x - y : y - x, MISS_MAX) : 0.0;
    }
    double missed = a->total - sum;
    double ratio = base > 0 ? sum / base : 0.0;
    if (sum <= 0 || (a->kind != COUNT_MADE && off < n->windows)) {
        return ((sum <= 0 ? 0.0 : off) + smaller(missed, MISS_MAX) + 1.0) / (base + 2.0);
    }
    double mean = sum / n->windows + 0.5;
    double least = DISPERSION_MIN / mean + 1.0 / (1.0 + base);
    if (least > enough) {
        return least;
    }
    double squares = 0;
    for (uint32_t w = 0; w < n->windows; w++) {
        double expected = ratio * b->normal[w];
        double more = a->normal[w] - expected;
        squares += smaller(SQUARE_MAX, more * more / (expected + 0.5));
    }
    double dispersion = (squares + SPREAD_WEIGHT * DISPERSION_ASSUMED) / (n->windows + SPREAD_WEIGHT);
    double slip = (dispersion > DISPERSION_MIN ? dispersion : DISPERSION_MIN) + missed / (a->total + 1.0);
    return slip / mean + 1.0 / (1.0 + base);
}

static void consider(struct shortlist *s, uint32_t base, double doubt)
{
    uint32_t at = s->count < CLOSER_LOOKS ? s->count++ : CLOSER_LOOKS;
    for (; at > 0 && doubt < s->doubts[at - 1]; at--) {
        if (at < CLOSER_LOOKS) {
            s->bases[at] = s->bases[at - 1];
            s->doubts[at] = s->doubts[at - 1];
        }
    }
    if (at < CLOSER_LOOKS) {
        s->bases[at] = base;
        s->doubts[at] = doubt;
    }
}

static bool best_proportion(const struct node_counts *n, uint32_t i, struct proportion *ret)
{
    const struct counter *a = &n->counters[i];
    struct shortlist s = {.count = 0};
    bool any = false;
    for (uint32_t b = 0; b < n->base_count; b++) {
        const struct counter *base = &n->counters[n->bases[b]];
        bool own_call = base->kind == COUNT_IN && base->source == a->source;
        if (n->bases[b] != i && (a->kind != COUNT_MADE || own_call)) {
            double enough = s.count == CLOSER_LOOKS ? s.doubts[CLOSER_LOOKS - 1] : (double)INFINITY;
            consider(&s, n->bases[b], rough_doubt(n, a, base, enough));
        }
    }
    for (uint32_t k = 0; k < s.count; k++) {
        struct proportion r;
        if (measure_proportion(n, a, &n->counters[s.bases[k]], &r) && (!any || r.doubt < ret->doubt)) {
            *ret = r;
            any = true;
        }
    }
    return any;
}

/* --- all nodes ------------------------------------------------------------------------------------ */

static struct str say_counter(const struct inquiry *in, const struct counter *c)
{
    static const char *const words[] = {"calls from", "calls", "calls made for", "log", "calls to"};
    struct str first = c->first;
    struct str second = c->second;
    return arena_printf(in->arena, "%s%s%.*s%s%.*s", words[c->kind], first.len > 0 ? " " : "", STR_ARG(first), second.len > 0 ? " " : "",
                        STR_ARG(second));
}

static void look_at_node(struct inquiry *in, const struct node_counts *n, struct pattern *best)
{
    struct proportion shown = {0};
    uint32_t tried = 0;
    for (uint32_t i = 0; i < n->count; i++) {
        struct proportion r;
        enum counter_kind kind = n->counters[i].kind;
        if (kind == COUNT_IN || kind == COUNT_IN_ALL || !best_proportion(n, i, &r)) {
            continue;
        }
        double nats = nats_of_proportion(&r, n);
        tried++;
        if (nats > best->nats) {
            best->nats = nats;
            shown = r;
        }
    }
    /* The best of as many: chance had as many tries. */
    best->nats = fmax(0.0, best->nats - log(fmax(1.0, tried)));
    if (best->nats > 0 && shown.of != NULL && shown.base != NULL) {
        best->broken = say_counter(in, shown.of);
        best->base = say_counter(in, shown.base);
        best->expected = shown.ratio * shown.base->now;
        best->seen = shown.of->now;
    }
}

static void pass_on(struct inquiry *in)
{
    for (uint32_t n = 0; n < in->node_count; n++) {
        double callees = 0;
        for (uint32_t i = in->harmer_first[n]; i < in->harmer_first[n + 1]; i++) {
            bool counts = in->harmers[i].call && uses(in, WITHOUT_SUBTRACTION);
            callees = counts ? fmax(callees, in->patterns[in->harmers[i].harmer].nats) : callees;
        }
        double nats = in->patterns[n].nats;
        struct finding_of_node *f = &in->terms[TERM_PATTERN][n];
        f->mass = nats;
        f->own = f->nats = nats > PATTERN_MIN ? fmax(0.0, nats - callees) + PATTERN_PASSED_ON * nats : 0.0;
    }
}

/* The mean length of the windows of the incident. */
static double window_length(const struct inquiry *in)
{
    double sum = 0;
    uint32_t count = 0;
    for (uint32_t w = 0; w < in->ev->window_count; w++) {
        const struct window *it = &in->ev->windows[w];
        if (it->role == ROLE_INCIDENT) {
            sum += it->length_ms > 0 ? (double)it->length_ms : WINDOW_MS;
            count++;
        }
    }
    return count > 0 ? sum / count : WINDOW_MS;
}

bool find_patterns(struct inquiry *in)
{
    struct counts_index index;
    in->patterns = arena_array(in->arena, in->node_count + 1U, sizeof *in->patterns);
    if (in->patterns == NULL || !counts_build(in, &index)) {
        return false;
    }
    double length_ms = window_length(in);
    for (uint32_t node = 0; node < in->node_count; node++) {
        struct node_counts n;
        if (in->ev->nodes[node].outside || in->distance[node] == MAP_NONE || !counts_of_node(in, &index, node, &n)) {
            continue;
        }
        /* By Little's law as many calls are under way at any moment as their number times how long they take, over the time. */
        n.cut = 1.0 + time_at(in, node) / length_ms;
        look_at_node(in, &n, &in->patterns[node]);
    }
    pass_on(in);
    return true;
}
