/*
 * net/loop - the event loop: descriptors, timers, wake-ups, signals. libuv behind it.
 *
 * One loop per thread; everything is called on the loop's thread except loop_wake(). Callbacks may
 * add and remove watches, their own included. loop_new ignores SIGPIPE for the process: that a peer
 * has left is an error of write(2), not an end of ours. The _free functions take null.
 */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct loop;

NODISCARD enum rc loop_new(struct loop **ret, struct err *e);
/* All watches, timers and wakes must have been freed. */
void loop_free(struct loop *l);
/* Until loop_stop(). */
void loop_run(struct loop *l);
void loop_stop(struct loop *l);

enum { LOOP_READ = 1, LOOP_WRITE = 2 };

struct loop_fd;
/* After an error on the descriptor events holds both: the owner's next read or write says which. */
typedef void (*loop_fd_fn)(void *context, int fd, int events);
NODISCARD enum rc loop_watch(struct loop *l, int fd, int events, loop_fd_fn fn, void *context,
                             struct loop_fd **ret, struct err *e);
void loop_rewatch(struct loop_fd *w, int events); /* 0: none for now */
void loop_unwatch(struct loop_fd *w);             /* the descriptor stays open */

struct loop_timer;
typedef void (*loop_timer_fn)(void *context);
NODISCARD enum rc loop_timer_new(struct loop *l, loop_timer_fn fn, void *context,
                                 struct loop_timer **ret, struct err *e);
/* Fires once after delay_ms (0: next round); setting again moves it. */
void loop_timer_set(struct loop_timer *t, int64_t delay_ms);
void loop_timer_clear(struct loop_timer *t);
void loop_timer_free(struct loop_timer *t);

struct loop_wake;
typedef void (*loop_wake_fn)(void *context);
NODISCARD enum rc loop_wake_new(struct loop *l, loop_wake_fn fn, void *context,
                                struct loop_wake **ret, struct err *e);
/* From any thread or signal handler; several calls may become one. */
void loop_wake(struct loop_wake *w);
void loop_wake_free(struct loop_wake *w);

struct loop_signal;
typedef void (*loop_signal_fn)(void *context, int signal);
NODISCARD enum rc loop_signal_new(struct loop *l, int signal, loop_signal_fn fn, void *context,
                                  struct loop_signal **ret, struct err *e);
void loop_signal_free(struct loop_signal *s);

/* True when something is ready: the next wait would end at once. */
bool loop_has_ready(const struct loop *l);

/* Called once before the loop blocks, after all that was ready was handled. One per loop; null for
 * fn takes it off again. */
typedef void (*loop_idle_fn)(void *context);
void loop_before_block(struct loop *l, loop_idle_fn fn, void *context);

#endif
