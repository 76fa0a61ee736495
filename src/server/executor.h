/*
 * server/executor - what Pawl itself runs: commands that take an action back, and those that ask whether all is well.
 */
#ifndef SERVER_EXECUTOR_H
#define SERVER_EXECUTOR_H

#include "control/control.h"
#include "net/loop.h"

enum {
    EXECUTOR_RUNS_MAX = 16,      /* at a time; more can't be started */
    EXECUTOR_INVARIANTS_MAX = 8, /* of them: there is always room for taking something back */
};

struct executor;
/* Null: out of memory. control is set before the first command. */
struct executor *executor_new(struct loop *l);
void executor_set_control(struct executor *x, struct control *c);
/* Kills what runs; nobody is told. Null is fine. */
void executor_free(struct executor *x);
/* As ports.run. */
enum command_start executor_run(struct executor *x, const struct command *command);

#endif
