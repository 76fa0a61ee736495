#include "cli/scope_task.h"

#include "cli/git_output.h"
#include "cli/output.h"
#include "cli/scope_report.h"
#include "sys/file.h"
#include "sys/random.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* --- files and git ------------------------------------------------------------------------------------------------ */

/* What was read into out, which is released. */
static enum rc keep(struct scope_task *t, struct arena *a, struct buf *out, enum rc rc, struct str *ret)
{
    if (rc == RC_OK) {
        *ret = arena_str(a, buf_view(out));
        rc = arena_rc(a);
        rc = rc == RC_OK ? rc : err_set(&t->e, rc, "the history is too large");
    }
    buf_done(out);
    return rc;
}

enum rc scope_task_given(struct scope_task *t, const char *file, struct str *ret)
{
    struct buf out;
    buf_init(&out, SCOPE_GIVEN_MAX);
    return keep(t, t->arena, &out, file_read(strcmp(file, "-") == 0 ? "/dev/stdin" : file, &out, &t->e), ret);
}

static enum rc read_log(struct scope_task *t, const char *head, const char *not_in, uint32_t count, struct scope_log *ret)
{
    struct buf out;
    struct str text = STR("");
    buf_init(&out, SCOPE_GIT_MAX);
    enum rc rc = keep(t, t->arena, &out, git_log(t->folder, head, not_in, count, &out, &t->e), &text);
    return rc == RC_OK ? scope_log_read(t->arena, text, ret, &t->e) : rc;
}

enum rc scope_task_tree(struct scope_task *t, const char *commit, struct scope_list *ret)
{
    struct buf out;
    struct str text = STR("");
    arena_reset(t->passing);
    buf_init(&out, SCOPE_GIT_MAX);
    enum rc rc = keep(t, t->passing, &out, git_tree(t->folder, commit, &out, &t->e), &text);
    return rc == RC_OK ? scope_list_read(t->passing, text, '\0', ret, &t->e) : rc;
}

enum rc scope_task_changed(struct scope_task *t, const char *base, const char *head, struct scope_list *ret)
{
    struct buf out;
    struct str text = STR("");
    buf_init(&out, SCOPE_GIT_MAX);
    enum rc rc = keep(t, t->arena, &out, git_changed(t->folder, base, head, &out, &t->e), &text);
    return rc == RC_OK ? scope_list_read(t->arena, text, '\0', ret, &t->e) : rc;
}

enum rc scope_task_range(struct scope_task *t, const char *base, const char *head, struct scope_log *ret)
{
    enum rc rc = read_log(t, head, base, SCOPE_RANGE_MAX + 1, ret);
    if (rc == RC_OK && ret->count > SCOPE_RANGE_MAX) {
        return err_set(&t->e, RC_LIMIT, "the range has more than %d commits", SCOPE_RANGE_MAX);
    }
    return rc;
}

/* --- learning ----------------------------------------------------------------------------------------------------- */

static enum rc start_learner(struct scope_task *t)
{
    struct scope_settings settings = {.without = 0};
    random_bytes(&settings.hash_seed, sizeof settings.hash_seed);
    t->learner = scope_learner_new(&settings);
    return t->learner == NULL ? err_set(&t->e, RC_NO_MEMORY, "out of memory") : RC_OK;
}

enum rc scope_task_learn(struct scope_task *t, const char *head, uint32_t *ret_count)
{
    struct scope_log log = {.count = 0};
    enum rc rc = start_learner(t);
    rc = rc == RC_OK ? read_log(t, head, NULL, SCOPE_LOG_COMMITS_MAX, &log) : rc;
    for (uint32_t i = 0; rc == RC_OK && i < log.count; i++) {
        rc = scope_learn(t->learner, &log.commits[i].commit, &t->e);
    }
    *ret_count = log.count;
    return rc;
}

/* --- a report on commits ------------------------------------------------------------------------------------------ */

struct value scope_task_commit_row(struct scope_task *t, const struct scope_log_commit *c, const struct scope_score *s)
{
    struct value row = value_object();
    value_add_str(t->arena, &row, STR("commit"), c->id);
    scope_report_score(t->arena, &row, s);
    value_add(t->arena, &row, STR("title"), scope_report_text(t->arena, c->commit.title));
    return row;
}

void scope_task_report_changes(struct scope_task *t, struct value rows, const struct scope_tally *tally)
{
    struct scope_summary s = scope_summarize(tally);
    struct value mean = value_object();
    value_add(t->arena, &t->report, STR("changes"), rows);
    scope_report_summary(t->arena, &mean, &s);
    value_add(t->arena, &t->report, STR("mean"), mean);
}

struct scope_list scope_task_touched(struct scope_task *t, const struct scope_log_commit *c)
{
    struct scope_list p = {arena_array(t->arena, (size_t)c->commit.file_count + 1, sizeof *p.items), 0};
    for (uint32_t i = 0; p.items != NULL && i < c->commit.file_count; i++) {
        p.items[p.count++] = c->commit.files[i];
    }
    p.count = scope_set(p.items, p.count);
    return p;
}

void scope_task_print_changes(const struct scope_task *t)
{
    static const struct column columns[] = {{"COMMIT", "commit"},     {"F1", "f1"},       {"PRECISION", "precision"},
                                            {"RECALL", "recall"},     {"JACCARD", "jaccard"}, {"CREEP", "creep"},
                                            {"DECLARED", "declared"}, {"TOUCHED", "touched"}, {"TITLE", "title"}};
    static const struct column means[] = {{"changes", "changes"},     {"mean f1", "f1"},       {"95 % +-", "f1_margin"},
                                          {"mean precision", "precision"}, {"mean recall", "recall"},
                                          {"mean jaccard", "jaccard"}, {"mean creep", "creep"}};
    output_table(value_get(&t->report, STR("changes")), columns, COUNT(columns));
    printf("\n");
    output_members(value_get(&t->report, STR("mean")), means, COUNT(means));
}
