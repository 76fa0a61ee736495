/*
 * cli/scope - `pawl scope`: which files a change will touch, and how well a declared list meets what it did.
 *
 * The history comes from git; nothing is written and nothing is asked of a server.
 */
#include "cli/cli.h"
#include "cli/git_output.h"
#include "cli/output.h"
#include "cli/scope_report.h"
#include "scope/log.h"
#include "sys/file.h"
#include "sys/random.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum {
    SCOPE_RANGE_MAX = 1024,             /* commits of a range */
    SCOPE_GIT_MAX = 256 << 20,          /* bytes of one output of git */
    SCOPE_DECLARED_MAX = 16 << 20,      /* bytes of a declared list */
    SCOPE_TASK_ARENA_MAX = 1 << 30,
};

/* One call. */
struct task {
    const struct args *args;
    const char *folder;
    struct arena *arena;
    struct arena *passing; /* of one tree */
    struct scope_learner *learner;
    struct value report;
    struct err e;
};

/* --- git ------------------------------------------------------------------------------------------------------------ */

/* What was read into out, which is released. */
static enum rc keep(struct task *t, struct arena *a, struct buf *out, enum rc rc, struct str *ret)
{
    if (rc == RC_OK) {
        *ret = arena_str(a, buf_view(out));
        rc = arena_rc(a);
        rc = rc == RC_OK ? rc : err_set(&t->e, rc, "the history is too large");
    }
    buf_done(out);
    return rc;
}

static enum rc read_log(struct task *t, const char *head, const char *not_in, uint32_t count, struct scope_log *ret)
{
    struct buf out;
    struct str text = STR("");
    buf_init(&out, SCOPE_GIT_MAX);
    enum rc rc = keep(t, t->arena, &out, git_log(t->folder, head, not_in, count, &out, &t->e), &text);
    return rc == RC_OK ? scope_log_read(t->arena, text, ret, &t->e) : rc;
}

struct paths {
    struct str *items;
    uint32_t count;
};

/* Valid until the next one is read. */
static enum rc read_tree(struct task *t, const char *commit, struct paths *ret)
{
    struct buf out;
    struct str text = STR("");
    arena_reset(t->passing);
    buf_init(&out, SCOPE_GIT_MAX);
    enum rc rc = keep(t, t->passing, &out, git_tree(t->folder, commit, &out, &t->e), &text);
    return rc == RC_OK ? scope_list_read(t->passing, text, '\0', &ret->items, &ret->count, &t->e) : rc;
}

static enum rc read_changed(struct task *t, const char *base, const char *head, struct paths *ret)
{
    struct buf out;
    struct str text = STR("");
    buf_init(&out, SCOPE_GIT_MAX);
    enum rc rc = keep(t, t->arena, &out, git_changed(t->folder, base, head, &out, &t->e), &text);
    return rc == RC_OK ? scope_list_read(t->arena, text, '\0', &ret->items, &ret->count, &t->e) : rc;
}

/* The commits of a range, oldest first. */
static enum rc read_range(struct task *t, const char *base, const char *head, struct scope_log *ret)
{
    enum rc rc = read_log(t, head, base, SCOPE_RANGE_MAX + 1, ret);
    if (rc == RC_OK && ret->count > SCOPE_RANGE_MAX) {
        return err_set(&t->e, RC_LIMIT, "the range has more than %d commits", SCOPE_RANGE_MAX);
    }
    return rc;
}

/* --- learning --------------------------------------------------------------------------------------------------------- */

static enum rc start_learner(struct task *t)
{
    struct scope_settings settings = {.without = 0};
    random_bytes(&settings.hash_seed, sizeof settings.hash_seed);
    t->learner = scope_learner_new(&settings);
    return t->learner == NULL ? err_set(&t->e, RC_NO_MEMORY, "out of memory") : RC_OK;
}

/* Everything up to a commit, as far back as a learner goes less what is to come. */
static enum rc learn_history(struct task *t, const char *head, uint32_t to_come, uint32_t *ret_count)
{
    struct scope_log log = {.count = 0};
    enum rc rc = start_learner(t);
    rc = rc == RC_OK ? read_log(t, head, NULL, SCOPE_COMMITS_MAX - to_come, &log) : rc;
    for (uint32_t i = 0; rc == RC_OK && i < log.count; i++) {
        rc = scope_learn(t->learner, &log.commits[i].commit, &t->e);
    }
    *ret_count = log.count;
    return rc;
}

/* --- one prediction ------------------------------------------------------------------------------------------------------ */

static enum rc read_body(struct task *t, struct str *ret)
{
    const char *body = args_text(t->args, "body");
    const char *file = args_text(t->args, "body-file");
    struct buf text;
    *ret = body == NULL ? STR("") : str_from(body);
    if (file == NULL) {
        return RC_OK;
    }
    if (body != NULL) {
        return err_set(&t->e, RC_INVALID, "expected --body or --body-file, not both");
    }
    buf_init(&text, SCOPE_DECLARED_MAX);
    return keep(t, t->arena, &text, file_read(strcmp(file, "-") == 0 ? "/dev/stdin" : file, &text, &t->e), ret);
}

static void report_prediction(struct task *t, const struct scope_prediction *p)
{
    struct value files = value_array();
    for (uint32_t i = 0; i < p->count; i++) {
        struct value row = value_object();
        value_add(t->arena, &row, STR("path"), scope_report_text(t->arena, p->guesses[i].path));
        scope_report_ratio(t->arena, &row, STR("probability"), p->guesses[i].probability);
        value_add_bool(t->arena, &row, STR("predicted"), i < p->chosen);
        value_push(t->arena, &files, row);
    }
    value_add(t->arena, &t->report, STR("files"), files);
    scope_report_ratio(t->arena, &t->report, STR("expected_f1"), p->expected_f1);
}

static enum rc predict_title(struct task *t)
{
    const char *at = args_text(t->args, "at");
    char id[GIT_ID_MAX + 1];
    struct scope_question q = {.title = str_from(args_text(t->args, "title"))};
    struct scope_prediction p;
    struct paths tree = {.count = 0};
    uint32_t history = 0;
    enum rc rc = read_body(t, &q.body);
    rc = rc == RC_OK ? git_commit_id(t->folder, at == NULL ? "HEAD" : at, id, &t->e) : rc;
    rc = rc == RC_OK ? learn_history(t, id, 0, &history) : rc;
    rc = rc == RC_OK ? read_tree(t, id, &tree) : rc;
    q.tree = tree.items;
    q.tree_count = tree.count;
    rc = rc == RC_OK ? scope_predict(t->learner, &q, &p, &t->e) : rc;
    if (rc == RC_OK) {
        value_add(t->arena, &t->report, STR("title"), scope_report_text(t->arena, q.title));
        value_add_str(t->arena, &t->report, STR("commit"), arena_str(t->arena, str_from(id)));
        value_add_int(t->arena, &t->report, STR("commits"), history);
        report_prediction(t, &p);
    }
    return rc;
}

static void print_prediction(const struct task *t)
{
    static const struct column columns[] = {{"PROBABILITY", "probability"}, {"FILE", "path"}};
    const struct value *files = value_get(&t->report, STR("files"));
    struct value chosen = value_array();
    for (uint32_t i = 0; i < files->count; i++) {
        if (value_bool_or(value_get(&files->items[i], STR("predicted")), false)) {
            value_push(t->arena, &chosen, files->items[i]);
        }
    }
    output_table(&chosen, columns, COUNT(columns));
}

/* --- the commits of a range, predicted -------------------------------------------------------------------------------------- */

static struct value commit_row(struct task *t, const struct scope_log_commit *c, const struct scope_score *s)
{
    struct value row = value_object();
    value_add_str(t->arena, &row, STR("commit"), c->id);
    scope_report_score(t->arena, &row, s);
    value_add(t->arena, &row, STR("title"), scope_report_text(t->arena, c->commit.title));
    return row;
}

static void report_changes(struct task *t, struct value rows, const struct scope_tally *tally)
{
    struct scope_summary s = scope_summarize(tally);
    struct value mean = value_object();
    value_add(t->arena, &t->report, STR("changes"), rows);
    scope_report_summary(t->arena, &mean, &s);
    value_add(t->arena, &t->report, STR("mean"), mean);
}

/* A copy: what a score sorts. */
static struct paths touched_by(struct task *t, const struct scope_log_commit *c)
{
    struct paths p = {arena_array(t->arena, (size_t)c->commit.file_count + 1, sizeof *p.items), 0};
    for (uint32_t i = 0; p.items != NULL && i < c->commit.file_count; i++) {
        p.items[p.count++] = c->commit.files[i];
    }
    p.count = scope_set(p.items, p.count);
    return p;
}

static enum rc predict_commit(struct task *t, const struct scope_log_commit *c, struct scope_score *ret)
{
    char parent[GIT_ID_MAX + 1];
    struct scope_question q = {.title = c->commit.title};
    struct scope_prediction p;
    struct str predicted[SCOPE_CHOSEN_MAX];
    struct paths tree = {.count = 0};
    if (!str_to_c(c->parent, parent, sizeof parent)) {
        return err_set(&t->e, RC_INVALID, "git names no commit");
    }
    enum rc rc = c->parent.len > 0 ? read_tree(t, parent, &tree) : RC_OK;
    q.tree = c->parent.len > 0 ? tree.items : &STR("");
    q.tree_count = tree.count;
    rc = rc == RC_OK ? scope_predict(t->learner, &q, &p, &t->e) : rc;
    for (uint32_t i = 0; rc == RC_OK && i < p.chosen; i++) {
        predicted[i] = p.guesses[i].path;
    }
    if (rc == RC_OK) {
        struct paths touched = touched_by(t, c);
        *ret = scope_compare(predicted, scope_set(predicted, p.chosen), touched.items, touched.count);
    }
    return rc;
}

static enum rc predict_range(struct task *t)
{
    char base[GIT_ID_MAX + 1];
    char head[GIT_ID_MAX + 1];
    struct scope_log range = {.count = 0};
    struct scope_tally tally = {.count = 0};
    struct value rows = value_array();
    uint32_t history = 0;
    enum rc rc = git_range_ids(t->folder, args_text(t->args, "range"), base, head, &t->e);
    rc = rc == RC_OK ? read_range(t, base, head, &range) : rc;
    rc = rc == RC_OK ? learn_history(t, base, range.count, &history) : rc;
    for (uint32_t i = 0; rc == RC_OK && i < range.count; i++) {
        const struct scope_log_commit *c = &range.commits[i];
        struct scope_score s;
        rc = c->commit.file_count > 0 ? predict_commit(t, c, &s) : RC_OK;
        if (rc == RC_OK && c->commit.file_count > 0) {
            scope_tally_add(&tally, &s);
            value_push(t->arena, &rows, commit_row(t, c, &s));
        }
        rc = rc == RC_OK ? scope_learn(t->learner, &c->commit, &t->e) : rc;
    }
    report_changes(t, rows, &tally);
    return rc;
}

/* --- a declared list ------------------------------------------------------------------------------------------------------------ */

/* "./src/a.c" and "src/a.c\r" are "src/a.c". */
static struct str plain_path(struct str line, bool lines)
{
    line = lines && line.len > 0 && line.ptr[line.len - 1] == '\r' ? str_slice(line, 0, line.len - 1) : line;
    return str_starts(line, STR("./")) ? str_slice(line, 2, line.len) : line;
}

static enum rc read_declared(struct task *t, struct paths *ret)
{
    const char *file = args_text(t->args, "declared");
    struct buf out;
    struct str text = STR("");
    buf_init(&out, SCOPE_DECLARED_MAX);
    enum rc rc = keep(t, t->arena, &out, file_read(strcmp(file, "-") == 0 ? "/dev/stdin" : file, &out, &t->e), &text);
    bool lines = str_find(text, '\0') == text.len;
    rc = rc == RC_OK ? scope_list_read(t->arena, text, lines ? '\n' : '\0', &ret->items, &ret->count, &t->e) : rc;
    for (uint32_t i = 0; rc == RC_OK && i < ret->count; i++) {
        ret->items[i] = plain_path(ret->items[i], lines);
    }
    ret->count = rc == RC_OK ? scope_set(ret->items, ret->count) : 0;
    return rc;
}

/* Those of one set that are not in the other. */
static struct value only_in(struct task *t, const struct paths *one, const struct paths *other)
{
    struct str *left = arena_array(t->arena, (size_t)one->count + 1, sizeof *left);
    uint32_t count = 0;
    for (uint32_t i = 0, k = 0; left != NULL && i < one->count; i++) {
        while (k < other->count && str_cmp(other->items[k], one->items[i]) < 0) {
            k++;
        }
        if (k == other->count || !str_eq(other->items[k], one->items[i])) {
            left[count++] = one->items[i];
        }
    }
    return scope_report_files(t->arena, left, count);
}

static enum rc compare_each(struct task *t, const char *base, const char *head, const struct paths *declared)
{
    struct scope_log range = {.count = 0};
    struct scope_tally tally = {.count = 0};
    struct value rows = value_array();
    enum rc rc = read_range(t, base, head, &range);
    for (uint32_t i = 0; rc == RC_OK && i < range.count; i++) {
        struct paths touched = touched_by(t, &range.commits[i]);
        struct scope_score s = scope_compare(declared->items, declared->count, touched.items, touched.count);
        scope_tally_add(&tally, &s);
        value_push(t->arena, &rows, commit_row(t, &range.commits[i], &s));
    }
    report_changes(t, rows, &tally);
    return rc;
}

static enum rc compare_declared(struct task *t)
{
    char base[GIT_ID_MAX + 1];
    char head[GIT_ID_MAX + 1];
    struct paths declared = {.count = 0};
    struct paths touched = {.count = 0};
    enum rc rc = read_declared(t, &declared);
    rc = rc == RC_OK ? git_range_ids(t->folder, args_text(t->args, "actual"), base, head, &t->e) : rc;
    rc = rc == RC_OK ? read_changed(t, base, head, &touched) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    touched.count = scope_set(touched.items, touched.count);
    struct scope_score s = scope_compare(declared.items, declared.count, touched.items, touched.count);
    scope_report_score(t->arena, &t->report, &s);
    value_add(t->arena, &t->report, STR("not_touched"), only_in(t, &declared, &touched));
    value_add(t->arena, &t->report, STR("not_declared"), only_in(t, &touched, &declared));
    return args_flag(t->args, "each") ? compare_each(t, base, head, &declared) : RC_OK;
}

/* --- what is printed ------------------------------------------------------------------------------------------------------------ */

static void print_files(const char *title, const struct value *files)
{
    struct buf out;
    buf_init(&out, OUTPUT_MAX);
    for (uint32_t i = 0; i < files->count; i++) {
        buf_printf(&out, "%-18s ", title);
        output_cell(&out, &files->items[i]);
        buf_char(&out, '\n');
    }
    output_buf(&out);
    buf_done(&out);
}

static void print_changes(const struct value *report)
{
    static const struct column columns[] = {{"COMMIT", "commit"},     {"F1", "f1"},       {"PRECISION", "precision"},
                                            {"RECALL", "recall"},     {"JACCARD", "jaccard"}, {"CREEP", "creep"},
                                            {"DECLARED", "declared"}, {"TOUCHED", "touched"}, {"TITLE", "title"}};
    static const struct column means[] = {{"changes", "changes"},     {"mean f1", "f1"},       {"95 % +-", "f1_margin"},
                                          {"mean precision", "precision"}, {"mean recall", "recall"},
                                          {"mean jaccard", "jaccard"}, {"mean creep", "creep"}};
    output_table(value_get(report, STR("changes")), columns, COUNT(columns));
    printf("\n");
    output_members(value_get(report, STR("mean")), means, COUNT(means));
}

static void print_declared(const struct task *t)
{
    static const struct column scores[] = {{"precision", "precision"}, {"recall", "recall"},     {"f1", "f1"},
                                           {"jaccard", "jaccard"},     {"creep", "creep"},       {"declared", "declared"},
                                           {"touched", "touched"},     {"hits", "hits"}};
    output_members(&t->report, scores, COUNT(scores));
    print_files("not touched", value_get(&t->report, STR("not_touched")));
    print_files("not declared", value_get(&t->report, STR("not_declared")));
    if (args_flag(t->args, "each")) {
        printf("\n");
        print_changes(&t->report);
    }
}

static void print_range(const struct task *t)
{
    print_changes(&t->report);
}

/* --- the command ---------------------------------------------------------------------------------------------------------------- */

struct way {
    enum rc (*run)(struct task *t);
    void (*print)(const struct task *t);
};

/* Which of the three it is; what does not belong to it is refused. */
static enum rc choose_way(const struct args *a, struct way *ret, struct err *e)
{
    bool predict = args_flag(a, "predict");
    bool range = args_text(a, "range") != NULL;
    const char *title = args_text(a, "title");
    bool of_title = title != NULL || args_text(a, "body") != NULL || args_text(a, "body-file") != NULL || args_text(a, "at") != NULL;
    bool of_declared = args_text(a, "declared") != NULL || args_text(a, "actual") != NULL || args_flag(a, "each");
    if (predict == of_declared) {
        return err_set(e, RC_INVALID, "expected --predict, or --declared FILE --actual BASE..HEAD");
    }
    if (predict && range != of_title && (range || (title != NULL && title[0] != '\0'))) {
        *ret = range ? (struct way){predict_range, print_range} : (struct way){predict_title, print_prediction};
        return RC_OK;
    }
    if (predict) {
        return err_set(e, RC_INVALID, "expected --predict --title TITLE, or --predict --range BASE..HEAD");
    }
    if (range || of_title || args_text(a, "declared") == NULL || args_text(a, "actual") == NULL) {
        return err_set(e, RC_INVALID, "expected --declared FILE --actual BASE..HEAD");
    }
    *ret = (struct way){compare_declared, print_declared};
    return RC_OK;
}

static int run_scope(const struct args *a)
{
    struct task t = {.args = a, .folder = args_text(a, "repo"), .report = value_object()};
    struct way way;
    if (args_expect(a, 0, 0, "no words", &t.e) != RC_OK || choose_way(a, &way, &t.e) != RC_OK) {
        return cli_usage(&t.e);
    }
    t.arena = arena_new(SCOPE_TASK_ARENA_MAX);
    t.passing = arena_new(SCOPE_TASK_ARENA_MAX);
    enum rc rc = t.arena == NULL || t.passing == NULL ? err_set(&t.e, RC_NO_MEMORY, "out of memory") : way.run(&t);
    if (rc == RC_OK && arena_rc(t.arena) != RC_OK) {
        rc = err_set(&t.e, arena_rc(t.arena), "the history is too large");
    }
    if (rc == RC_OK && args_flag(a, "json")) {
        output_json(&t.report);
    } else if (rc == RC_OK) {
        way.print(&t);
    }
    scope_learner_free(t.learner);
    arena_free(t.passing);
    arena_free(t.arena);
    return rc == RC_OK ? CLI_OK : cli_failed(&t.e);
}

static const struct option scope_options[] = {
    {"predict", 0, OPTION_FLAG, NULL, "say which files a change will touch"},
    {"title", 0, OPTION_TEXT, "TITLE", "of the change, as its commit's subject would be"},
    {"body", 0, OPTION_TEXT, "TEXT", "what is said of it besides; paths in it count"},
    {"body-file", 0, OPTION_TEXT, "FILE", "the same from a file; - is standard input"},
    {"at", 0, OPTION_TEXT, "COMMIT", "the history and the files up to it (default: HEAD)"},
    {"range", 0, OPTION_TEXT, "BASE..HEAD", "predict each commit of a range from what was before it, and score it"},
    {"declared", 0, OPTION_TEXT, "FILE", "a list of files, one a line (or with NULs between); - is standard input"},
    {"actual", 0, OPTION_TEXT, "BASE..HEAD", "the change that the list is compared with"},
    {"each", 0, OPTION_FLAG, NULL, "compare it with each commit of the range too"},
    {"repo", 0, OPTION_TEXT, "FOLDER", "the repository (default: this folder)"},
    CLI_JSON_OPTION,
};

const struct command scope_commands[] = {
    {"scope", "", "predict which files a change touches, or compare a declared list with what it did", scope_options,
     COUNT(scope_options), run_scope,
     "  pawl scope --predict --title TITLE\n"
     "  pawl scope --predict --range BASE..HEAD\n"
     "  pawl scope --declared FILE --actual BASE..HEAD\n\n"
     "Learns from the newest 8,192 commits of the history, merges left out; nothing is kept. Precision, recall, F1, Jaccard\n"
     "and scope creep (declared or predicted files that were not touched) are defined in docs/scope.md."},
    {0},
};
