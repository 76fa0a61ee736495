/*
 * cli/scope_task - one call of `pawl scope`: what it reads from git, what it learns, what it reports.
 */
#ifndef CLI_SCOPE_TASK_H
#define CLI_SCOPE_TASK_H

#include "cli/args.h"
#include "scope/log.h"
#include "scope/score.h"
#include "value/value.h"

enum {
    SCOPE_RANGE_MAX = 1024,        /* commits of a range */
    SCOPE_GIT_MAX = 256 << 20,     /* bytes of one output of git */
    SCOPE_GIVEN_MAX = 16 << 20,    /* bytes of a declared list, or of a body's file */
    SCOPE_TASK_ARENA_MAX = 1 << 30,
};

struct scope_task {
    const struct args *args;
    const char *folder; /* the repository; null: ours */
    struct arena *arena;
    struct arena *passing; /* of one tree */
    struct scope_learner *learner;
    struct value report;
    struct err e; /* what all of these set */
};

/* A file as it is; "-" is standard input. */
NODISCARD enum rc scope_task_given(struct scope_task *t, const char *file, struct str *ret);
/* The files of a commit. Valid until the next tree is read. */
NODISCARD enum rc scope_task_tree(struct scope_task *t, const char *commit, struct scope_list *ret);
/* The files that differ between two commits. */
NODISCARD enum rc scope_task_changed(struct scope_task *t, const char *base, const char *head, struct scope_list *ret);
/* The commits of a range, oldest first. RC_LIMIT. */
NODISCARD enum rc scope_task_range(struct scope_task *t, const char *base, const char *head, struct scope_log *ret);
/* Learns everything up to a commit, as far back as SCOPE_LOG_COMMITS_MAX. */
NODISCARD enum rc scope_task_learn(struct scope_task *t, const char *head, uint32_t *ret_count);

/* The files of a commit as a set of its own, sorted. */
struct scope_list scope_task_touched(struct scope_task *t, const struct scope_log_commit *c);
struct value scope_task_commit_row(struct scope_task *t, const struct scope_log_commit *c, const struct scope_score *s);
/* Adds the rows as "changes" and their means as "mean". */
void scope_task_report_changes(struct scope_task *t, struct value rows, const struct scope_tally *tally);
void scope_task_print_changes(const struct scope_task *t);

/* --- the three ways, and how each prints its report: scope_predict.c, scope_declared.c ---------------------------- */

NODISCARD enum rc scope_task_predict_title(struct scope_task *t);
void scope_task_print_title(const struct scope_task *t);
NODISCARD enum rc scope_task_predict_range(struct scope_task *t);
NODISCARD enum rc scope_task_compare(struct scope_task *t);
void scope_task_print_comparison(const struct scope_task *t);

#endif
