/*
 * net/process - runs one command for `pawl run`: no shell, exactly the verified file.
 *
 * The child is executed by file descriptor (so the bytes that were digested are the bytes that run;
 * a script with "#!" falls back to its path after the same check), in its own process group, with
 * the given environment and folder, its own standard input, and the parent as subreaper. Nothing
 * else is inherited. The parent blocks in process_wait with a poll on the child, its output and a
 * deadline.
 *
 * One at a time, from the main thread: every process that becomes our child while it runs is taken
 * for its descendant and killed with it, whatever group or session it has made for itself. What it
 * leaves running when it ends is killed too.
 */
#ifndef NET_PROCESS_H
#define NET_PROCESS_H

#include "base/buf.h"
#include "base/err.h"

#include <stdint.h>

enum {
    PROCESS_ARGS_MAX = 1024,
    PROCESS_KILL_MS = 5000, /* between SIGTERM and SIGKILL */
};

struct process_spec {
    int exec_fd;             /* the executable, opened and digested by the caller */
    const char *exec_path;   /* for scripts and for messages */
    const char *const *argv; /* ends in null */
    const char *const *envp; /* ends in null: the whole environment */
    const char *cwd;         /* or null for ours */
    int stdin_fd;            /* -1: /dev/null */
    bool forward_output;     /* copies the child's stdout and stderr to ours as they come, besides
                                handing them to process_wait's fn */
};

struct process;

/* Errors: RC_NOT_FOUND, RC_DENIED (or a script's path no longer leads to exec_fd), RC_INVALID (not
 * executable, cwd is no folder), RC_LIMIT (arguments), RC_UNAVAILABLE. The text names it. */
NODISCARD enum rc process_start(const struct process_spec *spec, struct process **ret,
                                struct err *e);

/* One piece of output; stream is 1 or 2. */
typedef void (*process_output_fn)(void *context, int stream, struct str piece);

enum process_event { PROCESS_EXITED, PROCESS_TIMEOUT };

/* Pumps output until the child has ended and its output is read, or until wait_ms has passed
 * (negative: no limit). fn may be null. */
NODISCARD enum process_event process_wait(struct process *p, int64_t wait_ms, process_output_fn fn,
                                          void *context);
/* SIGTERM to the group now; process_wait sends SIGKILL after PROCESS_KILL_MS. */
void process_cancel(struct process *p);
/* Both only after PROCESS_EXITED. */
int process_exit_code(const struct process *p); /* -1 when a signal ended it */
int process_signal(const struct process *p);    /* 0 when it exited */
/* Kills the child, if it runs still, and all of its descendants. */
void process_free(struct process *p);
/* Signals that reach us go to its group, in process_wait, until process_free (SIGINT, SIGTERM,
 * SIGHUP). */
void process_forward_signals(struct process *p);

#endif
