#include "cli/git_output.h"
#include "cli/output.h"
#include "cli/scope_report.h"
#include "cli/scope_task.h"

#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* --- a declared list ---------------------------------------------------------------------------------------------- */

/* "./src/a.c" and "src/a.c\r" are "src/a.c". */
static struct str plain_path(struct str line, bool lines)
{
    line = lines && line.len > 0 && line.ptr[line.len - 1] == '\r' ? str_slice(line, 0, line.len - 1) : line;
    return str_starts(line, STR("./")) ? str_slice(line, 2, line.len) : line;
}

static enum rc read_declared(struct scope_task *t, struct scope_list *ret)
{
    const char *file = args_text(t->args, "declared");
    struct str text = STR("");
    enum rc rc = scope_task_given(t, file, &text);
    bool lines = str_find(text, '\0') == text.len;
    rc = rc == RC_OK ? scope_list_read(t->arena, text, lines ? '\n' : '\0', ret, &t->e) : rc;
    for (uint32_t i = 0; rc == RC_OK && i < ret->count; i++) {
        ret->items[i] = plain_path(ret->items[i], lines);
    }
    ret->count = rc == RC_OK ? scope_set(ret->items, ret->count) : 0;
    return rc;
}

/* Those of one set that are not in the other. */
static struct value only_in(struct scope_task *t, const struct scope_list *one, const struct scope_list *other)
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

static enum rc compare_each(struct scope_task *t, const char *base, const char *head, const struct scope_list *declared)
{
    struct scope_log range = {.count = 0};
    struct scope_tally tally = {.count = 0};
    struct value rows = value_array();
    enum rc rc = scope_task_range(t, base, head, &range);
    for (uint32_t i = 0; rc == RC_OK && i < range.count; i++) {
        const struct scope_log_commit *c = &range.commits[i];
        struct scope_list touched = scope_task_touched(t, c);
        struct scope_score s = scope_compare(declared->items, declared->count, touched.items, touched.count);
        if (touched.count > 0) {
            scope_tally_add(&tally, &s);
            value_push(t->arena, &rows, scope_task_commit_row(t, c, &s));
        }
    }
    scope_task_report_changes(t, rows, &tally);
    return rc;
}

enum rc scope_task_compare(struct scope_task *t)
{
    char base[GIT_ID_MAX + 1];
    char head[GIT_ID_MAX + 1];
    struct scope_list declared = {.count = 0};
    struct scope_list touched = {.count = 0};
    enum rc rc = read_declared(t, &declared);
    rc = rc == RC_OK ? git_range_ids(t->folder, args_text(t->args, "actual"), base, head, &t->e) : rc;
    rc = rc == RC_OK ? scope_task_changed(t, base, head, &touched) : rc;
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

/* --- what is printed ---------------------------------------------------------------------------------------------- */

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

void scope_task_print_comparison(const struct scope_task *t)
{
    static const struct column scores[] = {{"precision", "precision"}, {"recall", "recall"},     {"f1", "f1"},
                                           {"jaccard", "jaccard"},     {"creep", "creep"},       {"declared", "declared"},
                                           {"touched", "touched"},     {"hits", "hits"}};
    output_members(&t->report, scores, COUNT(scores));
    print_files("not touched", value_get(&t->report, STR("not_touched")));
    print_files("not declared", value_get(&t->report, STR("not_declared")));
    if (args_flag(t->args, "each")) {
        printf("\n");
        scope_task_print_changes(t);
    }
}
