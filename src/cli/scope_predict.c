#include "cli/git_output.h"
#include "cli/output.h"
#include "cli/scope_report.h"
#include "cli/scope_task.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* --- one prediction ----------------------------------------------------------------------------------------------- */

static enum rc read_body(struct scope_task *t, struct str *ret)
{
    const char *body = args_text(t->args, "body");
    const char *file = args_text(t->args, "body-file");
    *ret = body == NULL ? STR("") : str_from(body);
    if (file == NULL) {
        return RC_OK;
    }
    if (body != NULL) {
        return err_set(&t->e, RC_INVALID, "expected --body or --body-file, not both");
    }
    return scope_task_given(t, file, ret);
}

static void report_prediction(struct scope_task *t, const struct scope_prediction *p)
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

enum rc scope_task_predict_title(struct scope_task *t)
{
    const char *at = args_text(t->args, "at");
    char id[GIT_ID_MAX + 1];
    struct scope_question q = {.title = str_from(args_text(t->args, "title"))};
    struct scope_prediction p;
    struct scope_list tree = {.count = 0};
    uint32_t history = 0;
    enum rc rc = read_body(t, &q.body);
    rc = rc == RC_OK ? git_commit_id(t->folder, at == NULL ? "HEAD" : at, id, &t->e) : rc;
    rc = rc == RC_OK ? scope_task_learn(t, id, &history) : rc;
    rc = rc == RC_OK ? scope_task_tree(t, id, &tree) : rc;
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

void scope_task_print_title(const struct scope_task *t)
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

/* --- the commits of a range, predicted ---------------------------------------------------------------------------- */

static enum rc predict_commit(struct scope_task *t, const struct scope_log_commit *c, struct scope_score *ret)
{
    char parent[GIT_ID_MAX + 1];
    struct scope_question q = {.title = c->commit.title};
    struct scope_prediction p;
    struct str predicted[SCOPE_CHOSEN_MAX];
    struct scope_list tree = {.count = 0};
    if (!str_to_c(c->parent, parent, sizeof parent)) {
        return err_set(&t->e, RC_INVALID, "git names no commit");
    }
    enum rc rc = c->parent.len > 0 ? scope_task_tree(t, parent, &tree) : RC_OK;
    q.tree = c->parent.len > 0 ? tree.items : &STR("");
    q.tree_count = tree.count;
    rc = rc == RC_OK ? scope_predict(t->learner, &q, &p, &t->e) : rc;
    for (uint32_t i = 0; rc == RC_OK && i < p.chosen; i++) {
        predicted[i] = p.guesses[i].path;
    }
    if (rc == RC_OK) {
        struct scope_list touched = scope_task_touched(t, c);
        *ret = scope_compare(predicted, scope_set(predicted, p.chosen), touched.items, touched.count);
    }
    return rc;
}

enum rc scope_task_predict_range(struct scope_task *t)
{
    char base[GIT_ID_MAX + 1];
    char head[GIT_ID_MAX + 1];
    struct scope_log range = {.count = 0};
    struct scope_tally tally = {.count = 0};
    struct value rows = value_array();
    uint32_t history = 0;
    enum rc rc = git_range_ids(t->folder, args_text(t->args, "range"), base, head, &t->e);
    rc = rc == RC_OK ? scope_task_range(t, base, head, &range) : rc;
    rc = rc == RC_OK ? scope_task_learn(t, base, &history) : rc;
    for (uint32_t i = 0; rc == RC_OK && i < range.count; i++) {
        const struct scope_log_commit *c = &range.commits[i];
        struct scope_score s;
        rc = c->commit.file_count > 0 ? predict_commit(t, c, &s) : RC_OK;
        if (rc == RC_OK && c->commit.file_count > 0) {
            scope_tally_add(&tally, &s);
            value_push(t->arena, &rows, scope_task_commit_row(t, c, &s));
        }
        rc = rc == RC_OK ? scope_learn(t->learner, &c->commit, &t->e) : rc;
    }
    scope_task_report_changes(t, rows, &tally);
    return rc;
}
