/*
 * server/executor - the one thing Pawl itself runs: the command that takes an action back.
 */
#ifndef SERVER_EXECUTOR_H
#define SERVER_EXECUTOR_H

#include "control/control.h"
#include "net/loop.h"

enum { EXECUTOR_RUNS_MAX = 16 }; /* at a time; more can't be started */

struct executor;
/* Null: out of memory. control is set before the first revert. */
struct executor *executor_new(struct loop *l);
void executor_set_control(struct executor *x, struct control *c);
/* Kills what runs; nobody is told. Null is fine. */
void executor_free(struct executor *x);
/* As ports.revert. */
bool executor_revert(struct executor *x, uint64_t action, const struct str *argv, size_t count, int64_t timeout_ms);

#endif
