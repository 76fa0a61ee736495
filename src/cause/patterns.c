/*
 * cause/patterns - proportions that always held at a node, and no more.
 *
 * What a service does leaves counts: calls in and out by operation, calls that each call makes, log lines by template.
 * Many hold a proportion to another of them: as many of this line as of that call, never this error. For each count the
 * one that foretold it best in normal windows is its base; the likelihood of what came is the evidence. Which code runs
 * is so seen without knowing the code. A node whose callees broke theirs as much only passes it on.
 */
#include "cause/cause_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    COUNTERS_MAX = 512, /* of one node; the first by name */
    BASES_MAX = 64,     /* tried for each; those with the largest counts */
};

/* A base must have been seen this often. */
#define BASE_MIN 3.0
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

enum counter_kind { COUNT_IN = 0, COUNT_IN_ALL, COUNT_MADE, COUNT_LOG, COUNT_OUT };

/* One count of one node in one window, before they are laid out. */
struct tally {
    uint32_t node;
    enum counter_kind kind;
    uint32_t first;  /* a node, or a template */
    uint32_t second; /* an operation */
    uint32_t window;
    double value;
};

struct counter {
    enum counter_kind kind;
    uint32_t first;
    uint32_t second;
    double *normal; /* by window of the node */
    double before;
    double now;
    double total; /* of normal */
};

/* A node's counters, laid out. */
struct node_counts {
    struct counter *counters;
    uint32_t count;
    uint32_t windows;      /* normal ones in which anything was counted */
    bool before_known;
    double new_callers;    /* calls by those who never called */
    double cut;            /* calls that the ends of windows cut in two */
    uint32_t bases[BASES_MAX];
    uint32_t base_count;
    struct measure *ratios; /* room, by window */
    struct measure *scratch;
};

static struct str name_of(const struct inquiry *in, uint32_t node)
{
    return node == MAP_NONE ? STR("") : in->ev->nodes[node].name;
}

static struct str word_of(const struct inquiry *in, uint32_t word)
{
    return word == MAP_NONE ? STR("") : in->ev->words[word];
}

/* --- reading all counts ------------------------------------------------------------------------- */

struct tallies {
    const struct inquiry *in;
    struct tally *items;
    uint32_t count;
};

static void tally(struct tallies *t, const struct tally *one)
{
    if (!isnan(one->value)) {
        t->items[t->count++] = *one;
    }
}

static void tally_calls(struct tallies *t)
{
    const struct evidence *ev = t->in->ev;
    for (uint32_t i = 0; i < ev->call_count; i++) {
        const struct call *c = &ev->calls[i];
        if (c->caller == MAP_NONE) {
            continue;
        }
        struct tally one = {.node = c->callee, .kind = COUNT_IN, .first = c->caller, .second = c->operation, .window = c->window,
                            .value = c->count};
        tally(t, &one);
        one.kind = COUNT_MADE;
        one.value = c->count * c->children;
        tally(t, &one);
        one = (struct tally){.node = c->callee, .kind = COUNT_IN_ALL, .first = MAP_NONE, .second = MAP_NONE, .window = c->window,
                             .value = c->count};
        tally(t, &one);
        one = (struct tally){.node = c->caller, .kind = COUNT_OUT, .first = c->callee, .second = c->operation, .window = c->window,
                             .value = c->count};
        tally(t, &one);
    }
}

static void tally_logs(struct tallies *t)
{
    const struct evidence *ev = t->in->ev;
    for (uint32_t i = 0; i < ev->log_count; i++) {
        const struct log_count *l = &ev->logs[i];
        struct tally one = {.node = l->node, .kind = COUNT_LOG, .first = l->template_id, .second = MAP_NONE, .window = l->window,
                            .value = l->count};
        tally(t, &one);
    }
}

/* By node and counter; indices are only to bring equal ones together. */
static int by_counter(const void *a, const void *b)
{
    const struct tally *x = a;
    const struct tally *y = b;
    const uint32_t left[] = {x->node, (uint32_t)x->kind, x->first, x->second, x->window};
    const uint32_t right[] = {y->node, (uint32_t)y->kind, y->first, y->second, y->window};
    for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
        if (left[i] != right[i]) {
            return left[i] < right[i] ? -1 : 1;
        }
    }
    return x->value < y->value ? -1 : x->value > y->value;
}

static bool read_tallies(const struct inquiry *in, struct tallies *ret)
{
    size_t most = (size_t)in->ev->call_count * 4 + in->ev->log_count + 1;
    *ret = (struct tallies){.in = in, .items = arena_array(in->arena, most, sizeof *ret->items)};
    if (ret->items == NULL) {
        return false;
    }
    tally_calls(ret);
    tally_logs(ret);
    qsort(ret->items, ret->count, sizeof *ret->items, by_counter);
    return true;
}

/* --- laying out one node ------------------------------------------------------------------------ */

/* Which of a node's normal windows each window is; MAP_NONE elsewhere. */
static uint32_t number_windows(const struct inquiry *in, const struct tally *from, uint32_t count, uint32_t *number)
{
    uint32_t windows = 0;
    for (uint32_t w = 0; w < in->ev->window_count; w++) {
        number[w] = MAP_NONE;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t w = from[i].window;
        if (in->ev->windows[w].role == ROLE_NORMAL && number[w] == MAP_NONE) {
            number[w] = windows++;
        }
    }
    return windows;
}

static bool same_counter(const struct tally *x, const struct tally *y)
{
    return x->kind == y->kind && x->first == y->first && x->second == y->second;
}

static void add_tally(const struct inquiry *in, struct node_counts *n, struct counter *c, const struct tally *t, const uint32_t *number)
{
    enum role role = in->ev->windows[t->window].role;
    if (role == ROLE_NORMAL) {
        c->normal[number[t->window]] += t->value;
        c->total += t->value;
    } else if (role == ROLE_INCIDENT) {
        c->now += t->value;
    } else if (uses(in, WITHOUT_BEFORE)) {
        c->before += t->value;
        n->before_known = true;
    }
}

/* What sorts counters whatever their indices are. */
struct named_counter {
    struct counter counter;
    struct str first;
    struct str second;
};

static int by_name(const void *a, const void *b)
{
    const struct named_counter *x = a;
    const struct named_counter *y = b;
    if (x->counter.kind != y->counter.kind) {
        return x->counter.kind < y->counter.kind ? -1 : 1;
    }
    int order = str_cmp(x->first, y->first);
    return order != 0 ? order : str_cmp(x->second, y->second);
}

static void choose_bases(struct node_counts *n)
{
    for (uint32_t i = 0; i < n->count; i++) {
        const struct counter *c = &n->counters[i];
        if (c->kind == COUNT_MADE || c->total < BASE_MIN || c->now <= 0) {
            continue;
        }
        if (n->base_count < BASES_MAX) {
            n->bases[n->base_count++] = i;
            continue;
        }
        uint32_t least = 0;
        for (uint32_t b = 1; b < BASES_MAX; b++) {
            least = n->counters[n->bases[b]].total < n->counters[n->bases[least]].total ? b : least;
        }
        if (n->counters[n->bases[least]].total < c->total) {
            memmove(&n->bases[least], &n->bases[least + 1], (BASES_MAX - 1 - least) * sizeof n->bases[0]);
            n->bases[BASES_MAX - 1] = i;
        }
    }
}

static bool lay_out(struct inquiry *in, const struct tally *from, uint32_t count, uint32_t *number, struct node_counts *n)
{
    uint32_t distinct = 0;
    n->windows = number_windows(in, from, count, number);
    for (uint32_t i = 0; i < count; i++) {
        distinct += i == 0 || !same_counter(&from[i], &from[i - 1]);
    }
    struct named_counter *named = arena_array(in->arena, distinct + 1U, sizeof *named);
    double *cells = arena_array(in->arena, (size_t)distinct * n->windows + 1, sizeof *cells);
    n->counters = arena_array(in->arena, distinct + 1U, sizeof *n->counters);
    n->ratios = arena_array(in->arena, n->windows + 1U, sizeof *n->ratios);
    n->scratch = arena_array(in->arena, n->windows + 1U, sizeof *n->scratch);
    if (named == NULL || cells == NULL || n->counters == NULL || n->ratios == NULL || n->scratch == NULL) {
        return false;
    }
    uint32_t at = MAP_NONE;
    for (uint32_t i = 0; i < count; i++) {
        if (i == 0 || !same_counter(&from[i], &from[i - 1])) {
            at++;
            bool log = from[i].kind == COUNT_LOG;
            named[at] = (struct named_counter){
                .counter = {.kind = from[i].kind, .first = from[i].first, .second = from[i].second, .normal = cells + (size_t)at * n->windows},
                .first = log ? word_of(in, from[i].first) : name_of(in, from[i].first),
                .second = word_of(in, from[i].second)};
        }
        add_tally(in, n, &named[at].counter, &from[i], number);
    }
    qsort(named, distinct, sizeof *named, by_name);
    n->count = distinct < COUNTERS_MAX ? distinct : COUNTERS_MAX;
    for (uint32_t i = 0; i < n->count; i++) {
        n->counters[i] = named[i].counter;
        n->new_callers += named[i].counter.kind == COUNT_IN && named[i].counter.total <= 0 ? named[i].counter.now : 0.0;
    }
    choose_bases(n);
    return true;
}

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

static bool best_proportion(const struct node_counts *n, uint32_t i, struct proportion *ret)
{
    const struct counter *a = &n->counters[i];
    bool any = false;
    for (uint32_t b = 0; b < n->base_count; b++) {
        const struct counter *base = &n->counters[n->bases[b]];
        struct proportion r;
        bool own_call = base->kind == COUNT_IN && base->first == a->first && base->second == a->second;
        if (n->bases[b] == i || (a->kind == COUNT_MADE && !own_call) || !measure_proportion(n, a, base, &r)) {
            continue;
        }
        if (!any || r.doubt < ret->doubt) {
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
    struct str first = c->kind == COUNT_LOG ? word_of(in, c->first) : name_of(in, c->first);
    struct str second = word_of(in, c->second);
    return arena_printf(in->arena, "%s%s%.*s%s%.*s", words[c->kind], first.len > 0 ? " " : "", STR_ARG(first), second.len > 0 ? " " : "",
                        STR_ARG(second));
}

/* By Little's law as many calls are under way at any moment as their number times how long they take, over the time. */
static double calls_cut(const struct inquiry *in, uint32_t node)
{
    double time_ms = 0;
    for (uint32_t k = 0; k < in->key_count; k++) {
        time_ms += in->keys[k].callee == node ? in->now[k].latency : 0.0;
    }
    return 1.0 + time_ms / WINDOW_MS;
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
    if (best->nats > 0) {
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

bool find_patterns(struct inquiry *in)
{
    struct tallies t;
    uint32_t *number = arena_array(in->arena, in->ev->window_count + 1U, sizeof *number);
    in->patterns = arena_array(in->arena, in->node_count + 1U, sizeof *in->patterns);
    if (number == NULL || in->patterns == NULL || !read_tallies(in, &t)) {
        return false;
    }
    for (uint32_t i = 0; i < t.count;) {
        uint32_t from = i;
        uint32_t node = t.items[i].node;
        while (i < t.count && t.items[i].node == node) {
            i++;
        }
        struct node_counts n = {0};
        if (in->ev->nodes[node].outside || in->distance[node] == MAP_NONE) {
            continue;
        }
        if (!lay_out(in, t.items + from, i - from, number, &n)) {
            return false;
        }
        n.cut = calls_cut(in, node);
        look_at_node(in, &n, &in->patterns[node]);
    }
    pass_on(in);
    return true;
}
