/*
 * net/loop_process - runs a small command beside the loop, without waiting for it.
 *
 * No shell: argv[0] is the absolute path and the arguments arrive as they are. The child has its own
 * process group, the given environment and nothing else of ours: standard input is a file in memory
 * with the given bytes, what it prints is dropped, its folder is "/". When it ends, or its time is
 * over, what is left of its group is killed. net/process is the other one: for `pawl run`, which
 * waits, and takes over the process's children.
 */
#ifndef NET_LOOP_PROCESS_H
#define NET_LOOP_PROCESS_H

#include "base/str.h"
#include "net/loop.h"

#include <stdint.h>

enum { LOOP_PROCESS_INPUT_MAX = 1 << 20 };

struct loop_process_spec {
    const char *const *argv; /* argv[0] begins with '/'; ends in null */
    const char *const *envp; /* ends in null: the whole environment */
    struct str input;        /* at most LOOP_PROCESS_INPUT_MAX bytes */
    int64_t timeout_ms;      /* > 0; then SIGKILL to the group */
};

struct loop_process_end {
    int exit_code; /* -1 when a signal ended it */
    int signal;    /* 0 when it exited */
    bool timed_out;
};

struct loop_process;
/* The loop_process is no more after it. It may start others. */
typedef void (*loop_process_fn)(void *context, struct loop_process_end end);

/*
 * Borrows: spec, for the call only.
 * Errors:  RC_NOT_FOUND, RC_DENIED, RC_INVALID (no program), RC_LIMIT (input, arguments),
 *          RC_NO_MEMORY, RC_UNAVAILABLE; the text names argv[0].
 */
NODISCARD enum rc loop_process_start(struct loop *l, const struct loop_process_spec *spec,
                                     loop_process_fn fn, void *context, struct loop_process **ret,
                                     struct err *e);
/* Kills it and waits for it; no callback any more. Null is fine. */
void loop_process_free(struct loop_process *p);

#endif
