/*
 * cli/bench_rca - `pawl bench-rca`: how often the true cause comes first, on incidents of which it is known.
 *
 * An incident counts as found only when `cause` says that it found something; what is ranked below its limit is told
 * apart. Intervals are Wilson's.
 */
#include "cli/cli.h"
#include "cli/rca_folder.h"
#include "client/untrusted.h"
#include "sys/clock.h"
#include "value/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LABELS_ARENA_MAX = 256 << 20,
    REPORT_ARENA_MAX = 1 << 30,
    KINDS_MAX = 64,
    DEPTH = 5, /* of Avg@5 */
    SLICE_ROWS = 5,
    SLICE_BEFORE = 2, /* of them */
    GUARD_ROWS = 2, /* around a slice, that are left out of the normal period */
    LINE_MAX_BYTES = 4 << 20,
};

/* Hits of one kind of fault, or of all. */
struct tally {
    struct str kind;
    unsigned count;
    unsigned found;
    unsigned top[DEPTH + 1]; /* rank k or better */
};

struct run {
    const struct args *args;
    struct arena *arena;
    struct rca_folder folder;
    uint32_t without;
    FILE *predictions;
    struct tally all;
    struct tally kinds[KINDS_MAX];
    unsigned kind_count;
    unsigned changes, changes_right, both_right;
    unsigned labelled;
    double *times_ms;
    unsigned timed;
    struct err e;
};

/* Source: Wilson (1927); 95 %. */
static void print_share(const char *name, unsigned hits, unsigned of)
{
    const double z = 1.959964;
    double n = of;
    double p = of > 0 ? hits / n : 0.0;
    double middle = (p + z * z / (2 * n)) / (1 + z * z / n);
    double half = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n));
    if (of == 0) {
        printf("%-22s -\n", name);
        return;
    }
    printf("%-22s %.3f  [%.3f, %.3f]  %u of %u\n", name, p, fmax(0.0, middle - half), fmin(1.0, middle + half), hits, of);
}

/* --- one incident --------------------------------------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static enum rc ask(struct run *r, struct rca_case *c, struct arena *a, struct report *ret)
{
    c->question.without = r->without;
    int64_t from = clock_monotonic_us();
    enum rc rc = cause_find(a, c->ev, &c->question, ret, &r->e);
    if (rc == RC_OK && r->times_ms != NULL && r->timed < RCA_INCIDENTS_MAX) {
        r->times_ms[r->timed++] = (double)(clock_monotonic_us() - from) / 1000.0;
    }
    return rc;
}

static struct tally *kind_of(struct run *r, struct str kind)
{
    for (unsigned i = 0; i < r->kind_count; i++) {
        if (str_eq(r->kinds[i].kind, kind)) {
            return &r->kinds[i];
        }
    }
    if (r->kind_count == KINDS_MAX) {
        return &r->kinds[KINDS_MAX - 1];
    }
    r->kinds[r->kind_count].kind = kind;
    return &r->kinds[r->kind_count++];
}

static void count_rank(struct tally *t, const struct report *report, unsigned rank)
{
    t->count++;
    t->found += report->found;
    for (unsigned k = rank; rank > 0 && k <= DEPTH; k++) {
        t->top[k]++;
    }
}

static unsigned rank_of(const struct rca_case *c, const struct report *report, struct str node)
{
    for (uint32_t i = 0; i < report->cause_count; i++) {
        if (str_eq(c->ev->nodes[report->causes[i].node].name, node)) {
            return i + 1;
        }
    }
    return 0;
}

/* The true change comes first; or there was none, and none is charged. */
static bool change_is_right(const struct rca_case *c, const struct report *report, const struct value *truth)
{
    if (!value_is(truth, VALUE_OBJECT)) {
        return report->change_count == 0;
    }
    const struct ranked_change *first = report->change_count > 0 ? &report->changes[0] : NULL;
    struct str object = value_text(value_get(truth, STR("object")));
    return first != NULL && str_eq(c->ev->nodes[c->ev->changes[first->change].node].name, object);
}

static void score(struct run *r, const struct rca_case *c, const struct report *report)
{
    const struct value *label = rca_label(&r->folder, c->id);
    struct str truth = value_text(value_get(label, STR("root_cause")));
    if (truth.len == 0) {
        return;
    }
    unsigned rank = rank_of(c, report, truth);
    struct str kind = value_text(value_get(label, STR("fault_type")));
    r->labelled++;
    count_rank(&r->all, report, rank);
    count_rank(kind_of(r, kind.len > 0 ? kind : value_text(value_get(label, STR("symptom")))), report, rank);
    const struct value *change = value_get(label, STR("true_change"));
    if (change != NULL) {
        bool right = change_is_right(c, report, change);
        r->changes++;
        r->changes_right += right;
        r->both_right += right && rank == 1;
    }
    if (args_flag(r->args, "misses") && rank != 1) {
        printf("missed %.*s: rank %u of %.*s; first is %.*s (%.1f of %.1f)\n", STR_ARG(c->id), rank, STR_ARG(truth),
               STR_ARG(report->cause_count > 0 ? c->ev->nodes[report->causes[0].node].name : STR("-")),
               report->cause_count > 0 ? report->causes[0].score : 0.0, report->needed);
    }
}

static enum rc predict(struct run *r, struct arena *a, const struct rca_case *c, const struct report *report)
{
    struct value v = value_object();
    struct value ranked = value_array();
    struct value changes = value_array();
    for (uint32_t i = 0; i < report->cause_count; i++) {
        value_push(a, &ranked, value_string(c->ev->nodes[report->causes[i].node].name));
    }
    for (uint32_t i = 0; i < report->change_count; i++) {
        value_push(a, &changes, value_string(c->ev->nodes[c->ev->changes[report->changes[i].change].node].name));
    }
    value_add_str(a, &v, STR("id"), c->id);
    value_add(a, &v, STR("ranked"), ranked);
    value_add(a, &v, STR("changes"), changes);
    value_add_bool(a, &v, STR("found"), report->found);
    struct buf line;
    buf_init(&line, LINE_MAX_BYTES);
    json_write(&line, &v);
    buf_char(&line, '\n');
    bool good = line.rc == RC_OK && arena_rc(a) == RC_OK && fwrite(line.data, 1, line.len, r->predictions) == line.len;
    buf_done(&line);
    return good ? RC_OK : err_set(&r->e, RC_UNAVAILABLE, "the predictions can't be written");
}

static enum rc run_incident(struct run *r, struct str id)
{
    struct rca_case c = {0};
    struct report report;
    CLEANUP(arena) struct arena *a = arena_new(REPORT_ARENA_MAX);
    enum rc rc = a == NULL ? err_set(&r->e, RC_NO_MEMORY, "out of memory") : rca_read(&r->folder, id, RCA_INCIDENT, &c, &r->e);
    rc = rc == RC_OK ? ask(r, &c, a, &report) : rc;
    if (rc == RC_OK) {
        score(r, &c, &report);
        rc = r->predictions != NULL ? predict(r, a, &c, &report) : RC_OK;
    }
    evidence_free(c.ev);
    return rc;
}

static void print_all(struct run *r)
{
    static const char *const names[] = {"", "Top-1", "Top-2", "Top-3", "Top-4", "Top-5"};
    unsigned sum = 0;
    for (unsigned k = 1; k <= DEPTH; k++) {
        sum += r->all.top[k];
    }
    print_share(names[1], r->all.top[1], r->all.count);
    print_share(names[3], r->all.top[3], r->all.count);
    printf("%-22s %.3f\n", "Avg@5", r->all.count > 0 ? (double)sum / DEPTH / r->all.count : 0.0);
    print_share("says that it found", r->all.found, r->all.count);
    if (r->changes > 0) {
        print_share("change", r->changes_right, r->changes);
        print_share("node and change", r->both_right, r->changes);
    }
    puts("\nTop-1 by kind");
    for (unsigned i = 0; i < r->kind_count; i++) {
        char name[64];
        snprintf(name, sizeof name, "  %.*s", STR_ARG(r->kinds[i].kind));
        print_share(name, r->kinds[i].top[1], r->kinds[i].count);
    }
}

static void print_times(struct run *r)
{
    if (r->timed > 0) {
        qsort(r->times_ms, r->timed, sizeof *r->times_ms, by_number);
        printf("\ntime of an inquiry       median %.2f ms, longest %.2f ms\n", r->times_ms[r->timed / 2], r->times_ms[r->timed - 1]);
    }
}

static enum rc run_incidents(struct run *r)
{
    enum rc rc = RC_OK;
    for (uint32_t i = 0; rc == RC_OK && i < r->folder.count; i++) {
        rc = run_incident(r, r->folder.ids[i]);
    }
    if (rc == RC_OK) {
        printf("%u incidents, %u with a label\n\n", r->folder.count, r->labelled);
        if (r->labelled > 0) {
            print_all(r);
        }
        print_times(r);
    }
    return rc;
}

/* --- normal windows ---------------------------------------------------------------------------------------- */

struct quiet {
    unsigned windows;
    unsigned silent;
    unsigned empty; /* without any data */
    unsigned ahead; /* not silent, and names what the incident that follows is known to come from */
};

static enum rc judge(struct run *r, struct rca_case *c, struct quiet *q)
{
    struct report report;
    CLEANUP(arena) struct arena *a = arena_new(REPORT_ARENA_MAX);
    enum rc rc = a == NULL ? err_set(&r->e, RC_NO_MEMORY, "out of memory") : ask(r, c, a, &report);
    if (rc != RC_OK) {
        return rc;
    }
    if (!c->measured) {
        q->empty++;
        return RC_OK;
    }
    q->windows++;
    q->silent += !report.found;
    struct str truth = value_text(value_get(rca_label(&r->folder, c->id), STR("root_cause")));
    q->ahead += report.found && truth.len > 0 && rank_of(c, &report, truth) == 1;
    if (args_flag(r->args, "misses") && report.found) {
        printf("not silent %.*s at %lld: %.*s (%.1f of %.1f)\n", STR_ARG(c->id), (long long)c->question.at_ms,
               STR_ARG(c->ev->nodes[report.causes[0].node].name), report.causes[0].score, report.needed);
    }
    return RC_OK;
}

/* Slices of a normal period, one beside the other; those with a gap in time are passed over. */
static enum rc run_slices(struct run *r, struct rca_slice s, struct quiet *q)
{
    int64_t *at = NULL;
    uint32_t count = 0;
    enum rc rc = rca_instants(&r->folder, s.baseline, &at, &count, &r->e);
    int64_t step = rc == RC_OK && count > 1 ? at[1] - at[0] : 0;
    for (uint32_t i = 0; rc == RC_OK && i + SLICE_ROWS + GUARD_ROWS < count; i += SLICE_ROWS) {
        if (at[i + SLICE_ROWS] - at[i] != SLICE_ROWS * step) {
            continue;
        }
        struct rca_case c = {0};
        s.begin_ms = at[i + SLICE_BEFORE] + 1;
        s.end_ms = at[i + SLICE_ROWS];
        s.normal_again_ms = at[i + SLICE_ROWS + GUARD_ROWS];
        rc = rca_read_slice(&r->folder, &s, &c, &r->e);
        rc = rc == RC_OK ? judge(r, &c, q) : rc;
        evidence_free(c.ev);
    }
    return rc;
}

/* Each baseline is cut once for each alert that incidents have on it. */
static bool seen_before(const struct rca_slice *done, unsigned count, const struct rca_slice *s)
{
    for (unsigned i = 0; i < count; i++) {
        if (str_eq(done[i].baseline, s->baseline) && str_eq(done[i].node, s->node) && str_eq(done[i].metric, s->metric)) {
            return true;
        }
    }
    return false;
}

static enum rc run_normal(struct run *r)
{
    struct rca_slice done[KINDS_MAX];
    unsigned done_count = 0;
    struct quiet q = {0};
    enum rc rc = RC_OK;
    for (uint32_t i = 0; rc == RC_OK && i < r->folder.count; i++) {
        struct rca_case c = {0};
        rc = rca_read(&r->folder, r->folder.ids[i], RCA_BEFORE, &c, &r->e);
        struct rca_slice s = {.baseline = value_text(value_get(&c.about, STR("baseline"))),
                              .node = value_text(value_path(&c.about, "alert", "node", NULL)),
                              .metric = value_text(value_path(&c.about, "alert", "metric", NULL))};
        if (rc == RC_OK && s.baseline.len == 0) {
            rc = judge(r, &c, &q);
        } else if (rc == RC_OK && done_count < KINDS_MAX && !seen_before(done, done_count, &s)) {
            done[done_count++] = s;
            rc = run_slices(r, s, &q);
        }
        evidence_free(c.ev);
    }
    if (rc == RC_OK) {
        printf("%u normal windows, %u more without data\n\n", q.windows, q.empty);
        print_share("says no cause found", q.silent, q.windows);
        if (q.ahead > 0) {
            print_share("  silent or ahead", q.silent + q.ahead, q.windows);
            printf("  ahead: it names the cause of the incident that is labelled to begin after the window (%u)\n", q.ahead);
        }
        print_times(r);
    }
    return rc;
}

/* --- the command -------------------------------------------------------------------------------------------- */

static enum rc read_without(struct run *r)
{
    const char *name;
    for (size_t i = 0; (name = args_nth(r->args, "without", i)) != NULL; i++) {
        enum ingredient of;
        if (!ingredient_parse(str_from(name), &of)) {
            return err_at(&r->e, RC_INVALID, STR("option --without"),
                          "expected own_time, errors, network, saturation, pattern, before, subtraction, outside or calibration");
        }
        r->without |= 1U << of;
    }
    return RC_OK;
}

static enum rc run_all(struct run *r)
{
    const char *file = args_text(r->args, "predictions");
    enum rc rc = rca_open(r->arena, r->args->rest[0], &r->folder, &r->e);
    r->times_ms = arena_array(r->arena, RCA_INCIDENTS_MAX, sizeof *r->times_ms);
    if (rc == RC_OK && file != NULL) {
        r->predictions = fopen(file, "w");
        rc = r->predictions != NULL ? RC_OK : err_set(&r->e, RC_UNAVAILABLE, "%s can't be written", file);
    }
    if (rc == RC_OK) {
        rc = args_flag(r->args, "normal") ? run_normal(r) : run_incidents(r);
    }
    if (r->predictions != NULL && fclose(r->predictions) != 0 && rc == RC_OK) {
        rc = err_set(&r->e, RC_UNAVAILABLE, "%s can't be written", file);
    }
    return rc;
}

static int bench_rca(const struct args *a)
{
    struct run r = {.args = a};
    if (args_expect(a, 1, 1, "DIR", &r.e) != RC_OK || read_without(&r) != RC_OK) {
        return cli_usage(&r.e);
    }
    r.arena = arena_new(LABELS_ARENA_MAX);
    enum rc rc = r.arena == NULL ? err_set(&r.e, RC_NO_MEMORY, "out of memory") : run_all(&r);
    arena_free(r.arena);
    return rc == RC_OK ? CLI_OK : cli_failed(&r.e);
}

static const struct option bench_options[] = {
    {"predictions", 0, OPTION_TEXT, "FILE", "write what is ranked, a JSON object for each incident"},
    {"normal", 0, OPTION_FLAG, NULL, "run on windows in which nothing was wrong: how often is it silent?"},
    {"without", 0, OPTION_TEXTS, "INGREDIENT", "leave out a part of the score, to see what it brings"},
    {"misses", 0, OPTION_FLAG, NULL, "name the incidents whose cause did not come first"},
};

const struct command bench_rca_commands[] = {
    {"bench-rca", "DIR", "Measure `cause` on incidents whose cause is known", bench_options, sizeof bench_options / sizeof *bench_options,
     bench_rca, "What DIR holds stands in docs/rca.md."},
    {0},
};
