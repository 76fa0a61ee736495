/* The event loop over libuv: a watch, timer, wake or signal is one uv handle and its callback. */
#include "net/loop.h"

#include "base/must.h"

#include <poll.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <uv.h>

struct loop {
    uv_loop_t uv;
    /* Always active: calls before_block, and keeps uv_run from ending while nothing is watched. */
    uv_prepare_t prepare;
    loop_idle_fn before_block;
    void *before_block_context;
    size_t handles; /* watches, timers, wakes and signals not freed yet */
};

static enum rc uv_fail(struct err *e, int status, const char *what)
{
    enum rc rc = status == UV_ENOMEM ? RC_NO_MEMORY : RC_UNAVAILABLE;
    return err_set(e, rc, "%s: %s", what, uv_strerror(status));
}

/* A handle's memory may be reused only when libuv has let go of it. */
static void handle_closed(uv_handle_t *h)
{
    free(h->data);
}

static void handle_free(struct loop *l, uv_handle_t *h)
{
    must(l->handles > 0);
    l->handles--;
    uv_close(h, handle_closed);
}

static void prepare_fired(uv_prepare_t *h)
{
    struct loop *l = h->data;
    if (l->before_block != NULL) {
        l->before_block(l->before_block_context);
    }
}

enum rc loop_new(struct loop **ret, struct err *e)
{
    struct loop *l = calloc(1, sizeof *l);
    if (l == NULL) {
        return err_set(e, RC_NO_MEMORY, "no memory for an event loop");
    }
    int status = uv_loop_init(&l->uv);
    if (status != 0) {
        free(l);
        return uv_fail(e, status, "event loop");
    }
    must(uv_prepare_init(&l->uv, &l->prepare) == 0);
    l->prepare.data = l;
    must(uv_prepare_start(&l->prepare, prepare_fired) == 0);
    signal(SIGPIPE, SIG_IGN);
    *ret = l;
    return RC_OK;
}

void loop_free(struct loop *l)
{
    if (l == NULL) {
        return;
    }
    must(l->handles == 0);
    uv_close((uv_handle_t *)&l->prepare, NULL);
    uv_run(&l->uv, UV_RUN_DEFAULT); /* lets the handles that are closing close */
    must(uv_loop_close(&l->uv) == 0);
    free(l);
}

void loop_run(struct loop *l)
{
    uv_run(&l->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *l)
{
    uv_stop(&l->uv);
}

bool loop_has_ready(const struct loop *l)
{
    struct pollfd backend = {.fd = uv_backend_fd(&l->uv), .events = POLLIN};
    return poll(&backend, 1, 0) > 0;
}

void loop_before_block(struct loop *l, loop_idle_fn fn, void *context)
{
    must(fn == NULL || l->before_block == NULL || l->before_block == fn);
    l->before_block = fn;
    l->before_block_context = context;
}

struct loop_fd {
    uv_poll_t uv;
    struct loop *loop;
    int fd;
    loop_fd_fn fn;
    void *context;
};

static void fd_ready(uv_poll_t *h, int status, int uv_events)
{
    struct loop_fd *w = h->data;
    int events =
        (uv_events & UV_READABLE ? LOOP_READ : 0) | (uv_events & UV_WRITABLE ? LOOP_WRITE : 0);
    /* The next read or write on the descriptor tells its owner what is wrong with it. */
    w->fn(w->context, w->fd, status < 0 ? LOOP_READ | LOOP_WRITE : events);
}

enum rc loop_watch(struct loop *l, int fd, int events, loop_fd_fn fn, void *context,
                   struct loop_fd **ret, struct err *e)
{
    must(fd >= 0 && fn != NULL);
    struct loop_fd *w = calloc(1, sizeof *w);
    if (w == NULL) {
        return err_set(e, RC_NO_MEMORY, "no memory to watch a descriptor");
    }
    int status = uv_poll_init(&l->uv, &w->uv, fd);
    if (status != 0) {
        free(w);
        return uv_fail(e, status, "descriptor can't be watched");
    }
    l->handles++;
    w->loop = l;
    w->fd = fd;
    w->fn = fn;
    w->context = context;
    w->uv.data = w;
    loop_rewatch(w, events);
    *ret = w;
    return RC_OK;
}

void loop_rewatch(struct loop_fd *w, int events)
{
    must((events & ~(LOOP_READ | LOOP_WRITE)) == 0);
    int uv_events =
        (events & LOOP_READ ? UV_READABLE : 0) | (events & LOOP_WRITE ? UV_WRITABLE : 0);
    int status = uv_events == 0 ? uv_poll_stop(&w->uv) : uv_poll_start(&w->uv, uv_events, fd_ready);
    must(status == 0);
}

void loop_unwatch(struct loop_fd *w)
{
    if (w != NULL) {
        handle_free(w->loop, (uv_handle_t *)&w->uv);
    }
}

struct loop_timer {
    uv_timer_t uv;
    struct loop *loop;
    loop_timer_fn fn;
    void *context;
};

static void timer_fired(uv_timer_t *h)
{
    struct loop_timer *t = h->data;
    t->fn(t->context);
}

enum rc loop_timer_new(struct loop *l, loop_timer_fn fn, void *context, struct loop_timer **ret,
                       struct err *e)
{
    must(fn != NULL);
    struct loop_timer *t = calloc(1, sizeof *t);
    if (t == NULL) {
        return err_set(e, RC_NO_MEMORY, "no memory for a timer");
    }
    must(uv_timer_init(&l->uv, &t->uv) == 0);
    l->handles++;
    t->loop = l;
    t->fn = fn;
    t->context = context;
    t->uv.data = t;
    *ret = t;
    return RC_OK;
}

void loop_timer_set(struct loop_timer *t, int64_t delay_ms)
{
    must(delay_ms >= 0);
    if (delay_ms > 0) {
        /* libuv counts from when this round began; a long callback would shorten the delay. */
        uv_update_time(&t->loop->uv);
    }
    must(uv_timer_start(&t->uv, timer_fired, (uint64_t)delay_ms, 0) == 0);
}

void loop_timer_clear(struct loop_timer *t)
{
    uv_timer_stop(&t->uv);
}

void loop_timer_free(struct loop_timer *t)
{
    if (t != NULL) {
        handle_free(t->loop, (uv_handle_t *)&t->uv);
    }
}

struct loop_wake {
    uv_async_t uv;
    struct loop *loop;
    loop_wake_fn fn;
    void *context;
};

static void wake_fired(uv_async_t *h)
{
    struct loop_wake *w = h->data;
    w->fn(w->context);
}

enum rc loop_wake_new(struct loop *l, loop_wake_fn fn, void *context, struct loop_wake **ret,
                      struct err *e)
{
    must(fn != NULL);
    struct loop_wake *w = calloc(1, sizeof *w);
    if (w == NULL) {
        return err_set(e, RC_NO_MEMORY, "no memory for a wake-up");
    }
    int status = uv_async_init(&l->uv, &w->uv, wake_fired);
    if (status != 0) {
        free(w);
        return uv_fail(e, status, "wake-up");
    }
    l->handles++;
    w->loop = l;
    w->fn = fn;
    w->context = context;
    w->uv.data = w;
    *ret = w;
    return RC_OK;
}

void loop_wake(struct loop_wake *w)
{
    must(uv_async_send(&w->uv) == 0);
}

void loop_wake_free(struct loop_wake *w)
{
    if (w != NULL) {
        handle_free(w->loop, (uv_handle_t *)&w->uv);
    }
}

struct loop_signal {
    uv_signal_t uv;
    struct loop *loop;
    loop_signal_fn fn;
    void *context;
};

static void signal_fired(uv_signal_t *h, int number)
{
    struct loop_signal *s = h->data;
    s->fn(s->context, number);
}

enum rc loop_signal_new(struct loop *l, int number, loop_signal_fn fn, void *context,
                        struct loop_signal **ret, struct err *e)
{
    must(fn != NULL);
    struct loop_signal *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return err_set(e, RC_NO_MEMORY, "no memory to watch a signal");
    }
    int status = uv_signal_init(&l->uv, &s->uv);
    if (status != 0) {
        free(s);
        return uv_fail(e, status, "signal");
    }
    l->handles++;
    s->loop = l;
    s->fn = fn;
    s->context = context;
    s->uv.data = s;
    status = uv_signal_start(&s->uv, signal_fired, number);
    if (status != 0) {
        loop_signal_free(s);
        return uv_fail(e, status, "signal");
    }
    *ret = s;
    return RC_OK;
}

void loop_signal_free(struct loop_signal *s)
{
    if (s != NULL) {
        handle_free(s->loop, (uv_handle_t *)&s->uv);
    }
}
