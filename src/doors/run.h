/*
 * doors/run - `pawl run`: one command under the gate.
 *
 * Proposes the command as it is, obeys the verdict, and only with a committed grant starts it, once.
 * Every other way, every error included, ends without running it.
 */
#ifndef DOORS_RUN_H
#define DOORS_RUN_H

#include "doors/execution.h"

enum run_exit {
    RUN_ADVISE = 20,
    RUN_HOLD = 21,
    RUN_ESCALATE = 22,  /* waits for a person, or nobody answered in time */
    RUN_DENY = 23,      /* denied, rejected or cancelled */
    RUN_REFUSED = 24,   /* the server can't be reached or refused us */
    RUN_NOT_EXECUTABLE = 126,
    RUN_NOT_FOUND = 127,
    RUN_SIGNAL = 128,   /* plus the signal's number */
};

struct run_options {
    struct invocation_spec command;
    const char *agent; /* null: whose the credential is */
    const char *service;
    const char *tool;
    const char *intent;
    const char *model;        /* what the agent says that it is; null: nothing */
    const char *prompt_version;
    const char *break_glass;  /* null, or why an operator runs it whatever the checks say */
    const char *wants_person; /* null, or why the agent itself asks for a person */
    const char *result_file; /* null: none */
    int64_t wait_ms;         /* how long a hold is waited for, in all; 0: not at all */
    bool no_wait;            /* an escalation ends the run at once */
};

/* Gives: the exit code. What it says goes to stderr; stdout is the command's. */
int run_command(const struct client *c, const struct run_options *o);

/* The exit code for an action's state that is not going to run: "denied", "held", ... */
int run_exit_of_state(struct str state);
/* The exit code of a command that ran. */
int run_exit_of(const struct executed *x);

#endif
