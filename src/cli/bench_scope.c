/*
 * cli/bench_scope - `pawl bench-scope`: predictions of `pawl scope` on a folder of cases whose answers are known.
 *
 * history.jsonl has a merged commit on each line, oldest first: {"title", "files"}. cases.jsonl has questions: {"id",
 * "history_upto", "title", "body", "tree"}; a case sees the first history_upto commits and the files that the file
 * "tree" of the folder lists, and nothing else. labels.jsonl has answers: {"id", "tier", "files"}; without it only
 * predictions are written.
 */
#include "cli/cli.h"
#include "cli/output.h"
#include "cli/scope_report.h"
#include "scope/log.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "value/json.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum {
    BENCH_FILE_MAX = 256 << 20, /* bytes of one file */
    BENCH_ARENA_MAX = 1 << 30,
    BENCH_TIERS_MAX = 16,
    BENCH_LINES_MAX = 65536, /* of one file */
};

struct lines {
    struct value *items;
    uint32_t count;
};

/* One call. */
struct bench {
    const struct args *args;
    const char *folder;
    struct arena *arena;
    struct arena *passing; /* of one tree */
    struct scope_learner *learner;
    struct lines history;
    struct lines cases;
    struct lines labels;
    struct str **predicted; /* per case, in the order of cases.jsonl */
    uint32_t *predicted_count;
    struct str tiers[BENCH_TIERS_MAX]; /* names, in the order of labels.jsonl */
    struct scope_tally tallies[BENCH_TIERS_MAX];
    uint32_t tier_count;
    int64_t learn_us;
    int64_t predict_us;
    struct value report;
    struct err e;
};

/* --- what is read ------------------------------------------------------------------------------------------------- */

static enum rc read_text(struct bench *b, struct arena *a, const char *name, struct str *ret)
{
    char path[FILE_PATH_MAX];
    struct buf text;
    if (snprintf(path, sizeof path, "%s/%s", b->folder, name) >= (int)sizeof path) {
        return err_set(&b->e, RC_INVALID, "the name is too long");
    }
    buf_init(&text, BENCH_FILE_MAX);
    enum rc rc = file_read(path, &text, &b->e);
    *ret = rc == RC_OK ? arena_str(a, buf_view(&text)) : STR("");
    buf_done(&text);
    return rc == RC_OK && arena_rc(a) != RC_OK ? err_set(&b->e, arena_rc(a), "%s is too large", name) : rc;
}

static enum rc read_lines(struct bench *b, const char *name, struct lines *ret)
{
    struct str text;
    struct str line;
    enum rc rc = read_text(b, b->arena, name, &text);
    if (rc != RC_OK) {
        return rc;
    }
    ret->items = arena_array(b->arena, BENCH_LINES_MAX, sizeof *ret->items);
    rc = ret->items == NULL ? err_set(&b->e, arena_rc(b->arena), "%s is too large", name) : RC_OK;
    while (rc == RC_OK && str_next(&text, '\n', &line)) {
        if (line.len == 0) {
            continue;
        }
        if (ret->count == BENCH_LINES_MAX) {
            return err_set(&b->e, RC_LIMIT, "%s: more than %d lines", name, BENCH_LINES_MAX);
        }
        rc = json_parse(b->arena, line, &ret->items[ret->count++], &b->e);
        rc = rc == RC_OK ? rc : err_wrap(&b->e, rc, "%s line %u", name, ret->count);
    }
    return rc;
}

static enum rc strings_of(struct bench *b, const struct value *v, struct str **ret, uint32_t *ret_count)
{
    bool ok = value_is(v, VALUE_ARRAY);
    uint32_t count = ok ? v->count : 0;
    struct str *items = arena_array(b->arena, (size_t)count + 1, sizeof *items);
    if (items == NULL) {
        return err_set(&b->e, arena_rc(b->arena), "there are too many files");
    }
    for (uint32_t i = 0; ok && i < count; i++) {
        ok = value_is(&v->items[i], VALUE_STRING);
        items[i] = value_text(&v->items[i]);
    }
    *ret = items;
    *ret_count = count;
    return ok ? RC_OK : err_set(&b->e, RC_INVALID, "files: expected a list of texts");
}

/* --- learning and predicting -------------------------------------------------------------------------------------- */

static enum rc learn_until(struct bench *b, uint32_t *learned, int64_t until)
{
    int64_t started_us = clock_monotonic_us();
    enum rc rc = RC_OK;
    while (rc == RC_OK && *learned < until) {
        const struct value *v = &b->history.items[*learned];
        struct scope_commit c = {.title = value_text(value_get(v, STR("title")))};
        struct str *files = NULL;
        rc = strings_of(b, value_get(v, STR("files")), &files, &c.file_count);
        c.files = files;
        rc = rc == RC_OK ? scope_learn(b->learner, &c, &b->e) : rc;
        *learned += 1;
        rc = rc == RC_OK ? rc : err_wrap(&b->e, rc, "history.jsonl line %u", *learned);
    }
    b->learn_us += clock_monotonic_us() - started_us;
    return rc;
}

static enum rc read_tree(struct bench *b, const struct value *v, struct scope_question *q)
{
    char name[FILE_PATH_MAX];
    struct str word = value_text(value_get(v, STR("tree")));
    struct str text = STR("");
    struct scope_list tree = {.count = 0};
    bool inside = word.len > 0 && word.ptr[0] != '/' && !str_glob(STR("*..*"), word);
    if (!inside || !str_to_c(word, name, sizeof name)) {
        return err_set(&b->e, RC_INVALID, "tree: expected the name of a file in the folder");
    }
    arena_reset(b->passing);
    enum rc rc = read_text(b, b->passing, name, &text);
    rc = rc == RC_OK ? scope_list_read(b->passing, text, '\n', &tree, &b->e) : rc;
    q->tree = tree.items;
    q->tree_count = tree.count;
    return rc;
}

static enum rc predict_case(struct bench *b, uint32_t i)
{
    const struct value *v = &b->cases.items[i];
    struct scope_question q = {.title = value_text(value_get(v, STR("title"))), .body = value_text(value_get(v, STR("body")))};
    struct scope_prediction p;
    enum rc rc = read_tree(b, v, &q);
    int64_t started_us = clock_monotonic_us();
    rc = rc == RC_OK ? scope_predict(b->learner, &q, &p, &b->e) : rc;
    b->predict_us += clock_monotonic_us() - started_us;
    if (rc != RC_OK) {
        return rc;
    }
    b->predicted[i] = arena_array(b->arena, SCOPE_CHOSEN_MAX, sizeof **b->predicted);
    if (b->predicted[i] == NULL) {
        return err_set(&b->e, arena_rc(b->arena), "there are too many cases");
    }
    for (uint32_t k = 0; k < p.chosen; k++) {
        b->predicted[i][k] = p.guesses[k].path;
    }
    b->predicted_count[i] = scope_set(b->predicted[i], p.chosen);
    return RC_OK;
}

static int64_t upto(const struct bench *b, uint32_t i)
{
    return value_integer_or(value_get(&b->cases.items[i], STR("history_upto")), -1);
}

/* The case that comes next in time: the fewest commits before it, then the order of the file. */
static uint32_t next_case(const struct bench *b, int64_t from, uint32_t after)
{
    uint32_t best = b->cases.count;
    for (uint32_t i = 0; i < b->cases.count; i++) {
        bool waits = upto(b, i) > from || (upto(b, i) == from && i > after);
        if (waits && (best == b->cases.count || upto(b, i) < upto(b, best))) {
            best = i;
        }
    }
    return best;
}

static enum rc predict_all(struct bench *b)
{
    uint32_t learned = 0;
    int64_t from = -1;
    uint32_t at = b->cases.count;
    enum rc rc = RC_OK;
    for (uint32_t done = 0; rc == RC_OK && done < b->cases.count; done++) {
        at = next_case(b, from, at);
        if (at == b->cases.count || upto(b, at) > b->history.count) {
            return err_set(&b->e, RC_INVALID, "cases.jsonl: history_upto: expected a count from 0 to %u", b->history.count);
        }
        from = upto(b, at);
        rc = learn_until(b, &learned, from);
        rc = rc == RC_OK ? predict_case(b, at) : rc;
    }
    return rc;
}

/* --- scores ------------------------------------------------------------------------------------------------------- */

static struct scope_tally *tally_of(struct bench *b, struct str tier)
{
    uint32_t i = 0;
    while (i < b->tier_count && !str_eq(b->tiers[i], tier)) {
        i++;
    }
    if (i == BENCH_TIERS_MAX) {
        return NULL;
    }
    b->tiers[i] = tier;
    b->tier_count = i == b->tier_count ? i + 1 : b->tier_count;
    return &b->tallies[i];
}

static enum rc score_label(struct bench *b, const struct value *label)
{
    struct str id = value_text(value_get(label, STR("id")));
    struct str *files = NULL;
    uint32_t count = 0;
    uint32_t at = 0;
    while (at < b->cases.count && !str_eq(id, value_text(value_get(&b->cases.items[at], STR("id"))))) {
        at++;
    }
    struct scope_tally *tally = tally_of(b, value_text(value_get(label, STR("tier"))));
    if (at == b->cases.count || tally == NULL) {
        return err_set(&b->e, RC_INVALID, "expected the id of a case, and at most %d tiers", BENCH_TIERS_MAX);
    }
    enum rc rc = strings_of(b, value_get(label, STR("files")), &files, &count);
    if (rc == RC_OK) {
        struct scope_score s = scope_compare(b->predicted[at], b->predicted_count[at], files, scope_set(files, count));
        scope_tally_add(tally, &s);
    }
    return rc;
}

static enum rc score_all(struct bench *b)
{
    enum rc rc = RC_OK;
    for (uint32_t i = 0; rc == RC_OK && i < b->labels.count; i++) {
        rc = score_label(b, &b->labels.items[i]);
        rc = rc == RC_OK ? rc : err_wrap(&b->e, rc, "labels.jsonl line %u", i + 1);
    }
    return rc;
}

static void report_tier(struct bench *b, struct value *rows, struct str name, const struct scope_summary *s)
{
    struct value row = value_object();
    value_add(b->arena, &row, STR("tier"), scope_report_text(b->arena, name));
    scope_report_summary(b->arena, &row, s);
    value_push(b->arena, rows, row);
}

static void make_report(struct bench *b)
{
    struct value rows = value_array();
    for (uint32_t i = 0; i < b->tier_count; i++) {
        struct scope_summary s = scope_summarize(&b->tallies[i]);
        report_tier(b, &rows, b->tiers[i], &s);
    }
    if (b->tier_count > 0) {
        struct scope_summary s = scope_summarize_groups(b->tallies, b->tier_count);
        report_tier(b, &rows, STR("overall"), &s);
    }
    uint32_t count = b->cases.count == 0 ? 1 : b->cases.count;
    value_add(b->arena, &b->report, STR("tiers"), rows);
    value_add_int(b->arena, &b->report, STR("cases"), b->cases.count);
    value_add_int(b->arena, &b->report, STR("commits"), b->history.count);
    scope_report_ratio(b->arena, &b->report, STR("learn_ms"), (double)b->learn_us / 1000);
    scope_report_ratio(b->arena, &b->report, STR("predict_ms_per_case"), (double)b->predict_us / 1000 / count);
}

/* --- what goes out ------------------------------------------------------------------------------------------------ */

static enum rc write_predictions(struct bench *b, const char *path)
{
    struct buf out;
    buf_init(&out, BENCH_FILE_MAX);
    for (uint32_t i = 0; i < b->cases.count; i++) {
        struct value row = value_object();
        value_add_str(b->arena, &row, STR("id"), value_text(value_get(&b->cases.items[i], STR("id"))));
        value_add(b->arena, &row, STR("files"), scope_report_files(b->arena, b->predicted[i], b->predicted_count[i]));
        json_write(&out, &row);
        buf_char(&out, '\n');
    }
    enum rc rc = out.rc == RC_OK ? arena_rc(b->arena) : out.rc;
    rc = rc == RC_OK ? file_write_atomic(path, buf_view(&out), 0644, &b->e)
                     : err_set(&b->e, rc, "the predictions are too large");
    buf_done(&out);
    return rc;
}

static void print_report(const struct bench *b)
{
    static const struct column columns[] = {{"TIER", "tier"},           {"CASES", "changes"}, {"F1", "f1"},
                                            {"95 % +-", "f1_margin"},   {"PRECISION", "precision"}, {"RECALL", "recall"},
                                            {"JACCARD", "jaccard"},     {"CREEP", "creep"}};
    static const struct column times[] = {{"commits", "commits"}, {"learning ms", "learn_ms"}, {"ms per case", "predict_ms_per_case"}};
    output_table(value_get(&b->report, STR("tiers")), columns, COUNT(columns));
    printf("\n");
    output_members(&b->report, times, COUNT(times));
}

/* --- the command -------------------------------------------------------------------------------------------------- */

static enum rc read_without(struct bench *b, struct scope_settings *ret)
{
    const char *word;
    for (size_t i = 0; (word = args_nth(b->args, "without", i)) != NULL; i++) {
        uint32_t k = 0;
        while (scope_ingredient_name(k) != NULL && strcmp(scope_ingredient_name(k), word) != 0) {
            k++;
        }
        if (scope_ingredient_name(k) == NULL) {
            return err_set(&b->e, RC_INVALID, "option --without: there is no ingredient \"%.100s\" (docs/scope.md lists them)", word);
        }
        ret->without |= 1U << k;
    }
    return RC_OK;
}

static enum rc measure(struct bench *b)
{
    struct scope_settings settings = {.without = 0};
    const char *predictions = args_text(b->args, "predictions");
    enum rc rc = read_without(b, &settings);
    rc = rc == RC_OK ? read_lines(b, "history.jsonl", &b->history) : rc;
    rc = rc == RC_OK ? read_lines(b, "cases.jsonl", &b->cases) : rc;
    if (rc == RC_OK) {
        rc = read_lines(b, "labels.jsonl", &b->labels);
        rc = rc == RC_NOT_FOUND && predictions != NULL ? RC_OK : rc;
    }
    b->learner = rc == RC_OK ? scope_learner_new(&settings) : NULL;
    b->predicted = arena_array(b->arena, (size_t)b->cases.count + 1, sizeof *b->predicted);
    b->predicted_count = arena_array(b->arena, (size_t)b->cases.count + 1, sizeof *b->predicted_count);
    if (rc == RC_OK && (b->learner == NULL || b->predicted == NULL || b->predicted_count == NULL)) {
        return err_set(&b->e, RC_NO_MEMORY, "out of memory");
    }
    rc = rc == RC_OK ? predict_all(b) : rc;
    rc = rc == RC_OK ? score_all(b) : rc;
    rc = rc == RC_OK && predictions != NULL ? write_predictions(b, predictions) : rc;
    if (rc == RC_OK) {
        make_report(b);
        rc = arena_rc(b->arena);
        rc = rc == RC_OK ? rc : err_set(&b->e, rc, "the report is too large");
    }
    return rc;
}

static int run_bench(const struct args *a)
{
    struct bench b = {.args = a, .report = value_object()};
    if (args_expect(a, 1, 1, "a folder of cases", &b.e) != RC_OK) {
        return cli_usage(&b.e);
    }
    b.folder = a->rest[0];
    b.arena = arena_new(BENCH_ARENA_MAX);
    b.passing = arena_new(BENCH_ARENA_MAX);
    enum rc rc = b.arena == NULL || b.passing == NULL ? err_set(&b.e, RC_NO_MEMORY, "out of memory") : measure(&b);
    if (rc == RC_OK && args_flag(a, "json")) {
        output_json(&b.report);
    } else if (rc == RC_OK) {
        print_report(&b);
    }
    scope_learner_free(b.learner);
    arena_free(b.passing);
    arena_free(b.arena);
    return rc == RC_OK ? CLI_OK : cli_failed(&b.e);
}

static const struct option bench_options[] = {
    {"predictions", 0, OPTION_TEXT, "FILE", "write {\"id\", \"files\"} a line; then labels.jsonl may be missing"},
    {"without", 0, OPTION_TEXTS, "INGREDIENT", "leave one out, to see what it is worth"},
    CLI_JSON_OPTION,
};

const struct command bench_scope_commands[] = {
    {"bench-scope", "FOLDER", "measure the predictions of pawl scope on cases whose answers are known", bench_options,
     COUNT(bench_options), run_bench,
     "FOLDER has history.jsonl, cases.jsonl, labels.jsonl and the files that cases name as trees; docs/scope.md describes\n"
     "them. Ingredients: recency, words, similar, names, convention, weights, expected."},
    {0},
};
