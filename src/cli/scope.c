/*
 * cli/scope - `pawl scope`: which files a change will touch, and how well a declared list meets what it did.
 *
 * The history comes from git; nothing is written and nothing is asked of a server.
 */
#include "cli/cli.h"
#include "cli/output.h"
#include "cli/scope_task.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct way {
    enum rc (*run)(struct scope_task *t);
    void (*print)(const struct scope_task *t);
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
        *ret = range ? (struct way){scope_task_predict_range, scope_task_print_changes} : (struct way){scope_task_predict_title, scope_task_print_title};
        return RC_OK;
    }
    if (predict) {
        return err_set(e, RC_INVALID, "expected --predict --title TITLE, or --predict --range BASE..HEAD");
    }
    if (range || of_title || args_text(a, "declared") == NULL || args_text(a, "actual") == NULL) {
        return err_set(e, RC_INVALID, "expected --declared FILE --actual BASE..HEAD");
    }
    *ret = (struct way){scope_task_compare, scope_task_print_comparison};
    return RC_OK;
}

static int run_scope(const struct args *a)
{
    struct scope_task t = {.args = a, .folder = args_text(a, "repo"), .report = value_object()};
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
