#include "server/executor.h"

#include "net/loop_process.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct run {
    struct executor *executor;
    struct loop_process *process; /* null: free */
    struct command command; /* its words are gone by now */
};

struct executor {
    struct loop *loop;
    struct control *control;
    struct run runs[EXECUTOR_RUNS_MAX];
};

struct executor *executor_new(struct loop *l)
{
    struct executor *x = calloc(1, sizeof *x);
    if (x != NULL) {
        x->loop = l;
    }
    return x;
}

void executor_set_control(struct executor *x, struct control *c)
{
    x->control = c;
}

void executor_free(struct executor *x)
{
    for (size_t i = 0; x != NULL && i < EXECUTOR_RUNS_MAX; i++) {
        loop_process_free(x->runs[i].process);
    }
    free(x);
}

static void ended(void *context, struct loop_process_end end)
{
    struct run *run = context;
    run->process = NULL;
    char text[64];
    if (end.timed_out) {
        snprintf(text, sizeof text, "it took too long and was killed");
    } else if (end.exit_code < 0) {
        snprintf(text, sizeof text, "signal %d", end.signal);
    } else {
        snprintf(text, sizeof text, "exit status %d", end.exit_code);
    }
    control_command_ended(run->executor->control, &run->command, end.exit_code == 0, str_from(text));
}

/* Null: as many run as may. */
static struct run *free_run(struct executor *x, enum command_kind kind)
{
    struct run *found = NULL;
    size_t invariants = 0;
    for (size_t i = 0; i < EXECUTOR_RUNS_MAX; i++) {
        if (x->runs[i].process == NULL) {
            found = &x->runs[i];
        } else {
            invariants += x->runs[i].command.kind == COMMAND_INVARIANT ? 1 : 0;
        }
    }
    return kind == COMMAND_INVARIANT && invariants >= EXECUTOR_INVARIANTS_MAX ? NULL : found;
}

static bool start(struct executor *x, struct run *run, const char *const *argv)
{
    char action[64];
    snprintf(action, sizeof action, "%s=act_%" PRIu64,
             run->command.kind == COMMAND_REVERT ? "PAWL_REVERTS" : "PAWL_ASKS_AFTER", run->command.action);
    /* Nothing of our own environment: what it needs, its tool says in its words. */
    const char *const envp[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8",
                                action, NULL};
    struct loop_process_spec spec = {.argv = argv, .envp = envp, .timeout_ms = run->command.timeout_ms};
    struct err e;
    return loop_process_start(x->loop, &spec, ended, run, &run->process, &e) == RC_OK;
}

enum command_start executor_run(struct executor *x, const struct command *command)
{
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    struct run *run = free_run(x, command->kind);
    const char **words = a == NULL ? NULL : arena_array(a, command->count + 1, sizeof *words);
    if (run == NULL) {
        return COMMAND_BUSY;
    }
    for (size_t i = 0; words != NULL && i < command->count; i++) {
        /* A word with a NUL in it would arrive cut short. */
        struct str word = command->argv[i];
        words[i] = str_find(word, '\0') == word.len ? arena_str(a, word).ptr : NULL;
        if (words[i] == NULL) {
            return COMMAND_FAILED;
        }
    }
    if (words == NULL) {
        return COMMAND_FAILED;
    }
    words[command->count] = NULL;
    *run = (struct run){.executor = x, .command = *command};
    run->command.argv = NULL;
    return start(x, run, words) ? COMMAND_STARTED : COMMAND_FAILED;
}
