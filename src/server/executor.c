#include "server/executor.h"

#include "net/loop_process.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct run {
    struct executor *executor;
    struct loop_process *process; /* null: free */
    uint64_t action;
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
    control_revert_ended(run->executor->control, run->action, end.exit_code == 0, str_from(text));
}

static struct run *free_run(struct executor *x)
{
    for (size_t i = 0; i < EXECUTOR_RUNS_MAX; i++) {
        if (x->runs[i].process == NULL) {
            return &x->runs[i];
        }
    }
    return NULL;
}

static bool start(struct executor *x, struct run *run, const char *const *argv, int64_t timeout_ms)
{
    char action[64];
    snprintf(action, sizeof action, "PAWL_REVERTS=act_%" PRIu64, run->action);
    /* Nothing of our own environment: what it needs, its tool says in its words. */
    const char *const envp[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8",
                                action, NULL};
    struct loop_process_spec spec = {.argv = argv, .envp = envp, .timeout_ms = timeout_ms};
    struct err e;
    return loop_process_start(x->loop, &spec, ended, run, &run->process, &e) == RC_OK;
}

bool executor_revert(struct executor *x, uint64_t action, const struct str *argv, size_t count, int64_t timeout_ms)
{
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    struct run *run = free_run(x);
    const char **words = a == NULL ? NULL : arena_array(a, count + 1, sizeof *words);
    if (run == NULL || words == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        /* A word with a NUL in it would arrive cut short. */
        words[i] = str_find(argv[i], '\0') == argv[i].len ? arena_str(a, argv[i]).ptr : NULL;
        if (words[i] == NULL) {
            return false;
        }
    }
    words[count] = NULL;
    *run = (struct run){.executor = x, .action = action};
    return start(x, run, words, timeout_ms);
}
