/* loop: timers, wake-ups from a thread, watches removed in callbacks, signals, the idle hook. */
#include "net/loop.h"

#include "check.h"

#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ORDER_MAX = 16 };

struct record {
    struct loop *loop;
    char order[ORDER_MAX]; /* one letter for each callback that ran */
    size_t count;
    struct loop_timer *a;
    struct loop_timer *b;
    struct loop_fd *watch;
    struct loop_fd *other;
    struct loop_wake *wake;
    int pair[2];
    int events;
};

static void note(struct record *r, char letter)
{
    assert_true(r->count < ORDER_MAX - 1);
    r->order[r->count++] = letter;
}

static void new_loop(struct record *r)
{
    *r = (struct record){.pair = {-1, -1}};
    struct err e;
    assert_int_equal(loop_new(&r->loop, &e), RC_OK);
}

static void end(void *context)
{
    struct record *r = context;
    note(r, 'e');
    loop_stop(r->loop);
}

static struct loop_timer *timer(struct record *r, loop_timer_fn fn)
{
    struct loop_timer *t = NULL;
    struct err e;
    assert_int_equal(loop_timer_new(r->loop, fn, r, &t, &e), RC_OK);
    return t;
}

static void fired_a(void *context)
{
    note(context, 'a');
}

static void timers_fire_once_in_order_of_time(void **state)
{
    (void)state;
    struct record r;
    new_loop(&r);
    struct loop_timer *last = timer(&r, end);
    struct loop_timer *never = timer(&r, fired_a);
    r.a = timer(&r, fired_a);
    loop_timer_set(last, 30);
    loop_timer_set(never, 5);
    loop_timer_set(r.a, 1000);
    loop_timer_set(r.a, 1); /* moved, not added */
    loop_timer_clear(never);
    loop_run(r.loop);
    assert_string_equal(r.order, "ae");
    loop_timer_free(last);
    loop_timer_free(never);
    loop_timer_free(r.a);
    loop_free(r.loop);
}

static void free_both(void *context)
{
    struct record *r = context;
    note(r, 'f');
    loop_timer_free(r->a);
    loop_timer_free(r->b);
    r->a = NULL;
    r->b = NULL;
}

static void a_timer_may_free_itself_and_another(void **state)
{
    (void)state;
    struct record r;
    new_loop(&r);
    r.a = timer(&r, free_both);
    r.b = timer(&r, fired_a);
    struct loop_timer *last = timer(&r, end);
    loop_timer_set(r.a, 0);
    loop_timer_set(r.b, 2);
    loop_timer_set(last, 10);
    loop_run(r.loop);
    assert_string_equal(r.order, "fe");
    loop_timer_free(last);
    loop_free(r.loop);
}

static void rearm(void *context)
{
    struct record *r = context;
    note(r, 'r');
    if (r->count == 3) {
        loop_stop(r->loop);
        return;
    }
    loop_timer_set(r->a, 0);
}

static void a_timer_may_set_itself_again(void **state)
{
    (void)state;
    struct record r;
    new_loop(&r);
    r.a = timer(&r, rearm);
    loop_timer_set(r.a, 0);
    loop_run(r.loop);
    assert_string_equal(r.order, "rrr");
    loop_timer_free(r.a);
    loop_free(r.loop);
}

static void *wake_often(void *context)
{
    struct record *r = context;
    for (int i = 0; i < 1000; i++) {
        loop_wake(r->wake);
    }
    return NULL;
}

static void woken(void *context)
{
    struct record *r = context;
    loop_stop(r->loop);
    r->events++;
}

static void a_thread_wakes_the_loop(void **state)
{
    (void)state;
    struct record r;
    new_loop(&r);
    struct err e;
    assert_int_equal(loop_wake_new(r.loop, woken, &r, &r.wake, &e), RC_OK);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, wake_often, &r), 0);
    loop_run(r.loop);
    pthread_join(thread, NULL);
    assert_in_range(r.events, 1, 1000);
    loop_wake_free(r.wake);
    loop_free(r.loop);
}

static void drop_both(void *context, int fd, int events)
{
    struct record *r = context;
    assert_true(fd == r->pair[0]);
    assert_int_equal(events, LOOP_READ);
    note(r, 'd');
    loop_unwatch(r->watch);
    loop_unwatch(r->other);
    close(r->pair[0]); /* allowed at once */
    close(r->pair[1]);
}

static void must_not_come(void *context, int fd, int events)
{
    (void)fd;
    (void)events;
    note(context, '!');
}

static void a_watch_may_drop_itself_and_another(void **state)
{
    (void)state;
    struct record r;
    new_loop(&r);
    struct err e;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, r.pair), 0);
    assert_int_equal(loop_watch(r.loop, r.pair[0], LOOP_READ, drop_both, &r, &r.watch, &e), RC_OK);
    assert_int_equal(loop_watch(r.loop, r.pair[1], 0, must_not_come, &r, &r.other, &e), RC_OK);
    assert_int_equal(write(r.pair[1], "x", 1), 1);
    struct loop_timer *last = timer(&r, end);
    loop_timer_set(last, 10);
    loop_run(r.loop);
    assert_string_equal(r.order, "de");
    loop_timer_free(last);
    loop_free(r.loop);
}

static void now_writable(void *context, int fd, int events)
{
    struct record *r = context;
    (void)fd;
    r->events = events;
    note(r, 'w');
    loop_rewatch(r->watch, 0);
}

static void a_watch_changes_what_it_waits_for(void **state)
{
    (void)state;
    struct record r;
    new_loop(&r);
    struct err e;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, r.pair), 0);
    assert_int_equal(loop_watch(r.loop, r.pair[0], LOOP_READ, now_writable, &r, &r.watch, &e),
                     RC_OK);
    loop_rewatch(r.watch, LOOP_WRITE);
    struct loop_timer *last = timer(&r, end);
    loop_timer_set(last, 10);
    loop_run(r.loop);
    assert_string_equal(r.order, "we"); /* once: it then watched for nothing */
    assert_int_equal(r.events, LOOP_WRITE);
    loop_unwatch(r.watch);
    loop_timer_free(last);
    loop_free(r.loop);
    close(r.pair[0]);
    close(r.pair[1]);
}

static void a_regular_file_is_refused(void **state)
{
    (void)state;
    struct record r;
    new_loop(&r);
    FILE *f = tmpfile();
    assert_non_null(f);
    struct err e;
    struct loop_fd *w = NULL;
    assert_int_equal(loop_watch(r.loop, fileno(f), LOOP_READ, must_not_come, &r, &w, &e),
                     RC_UNAVAILABLE);
    assert_null(w);
    assert_non_null(strstr(e.text, "descriptor can't be watched"));
    fclose(f);
    loop_free(r.loop);
}

static void signalled(void *context, int number)
{
    struct record *r = context;
    assert_int_equal(number, SIGUSR1);
    end(r);
}

static void signals_arrive_on_the_loop(void **state)
{
    (void)state;
    struct record r;
    new_loop(&r);
    struct err e;
    struct loop_signal *s = NULL;
    assert_int_equal(loop_signal_new(r.loop, SIGKILL, signalled, &r, &s, &e), RC_UNAVAILABLE);
    assert_null(s);
    assert_int_equal(loop_signal_new(r.loop, SIGUSR1, signalled, &r, &s, &e), RC_OK);
    raise(SIGUSR1);
    loop_run(r.loop);
    assert_string_equal(r.order, "e");
    loop_signal_free(s);
    loop_free(r.loop);
}

static void about_to_block(void *context)
{
    struct record *r = context;
    note(r, 'b');
    if (r->events > 0) {
        loop_stop(r->loop);
    }
}

static void readable(void *context, int fd, int events)
{
    struct record *r = context;
    char byte;
    assert_int_equal(read(fd, &byte, 1), 1);
    r->events += events == LOOP_READ;
    note(r, 'r');
}

static void the_idle_hook_runs_after_all_that_was_ready(void **state)
{
    (void)state;
    struct record r;
    new_loop(&r);
    struct err e;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, r.pair), 0);
    assert_int_equal(write(r.pair[0], "x", 1), 1);
    assert_int_equal(write(r.pair[1], "x", 1), 1);
    assert_int_equal(loop_watch(r.loop, r.pair[0], LOOP_READ, readable, &r, &r.watch, &e), RC_OK);
    assert_int_equal(loop_watch(r.loop, r.pair[1], LOOP_READ, readable, &r, &r.other, &e), RC_OK);
    loop_before_block(r.loop, about_to_block, &r);
    loop_run(r.loop);
    assert_string_equal(r.order, "brrb");
    assert_int_equal(r.events, 2);
    loop_before_block(r.loop, NULL, NULL);
    loop_unwatch(r.watch);
    loop_unwatch(r.other);
    loop_free(r.loop);
    close(r.pair[0]);
    close(r.pair[1]);
}

static void a_stopped_loop_runs_again(void **state)
{
    (void)state;
    struct record r;
    new_loop(&r);
    struct loop_timer *last = timer(&r, end);
    loop_timer_set(last, 0);
    loop_run(r.loop);
    loop_timer_set(last, 0);
    loop_run(r.loop);
    assert_string_equal(r.order, "ee");
    loop_timer_free(last);
    loop_free(r.loop);
    loop_free(NULL);
    loop_timer_free(NULL);
    loop_unwatch(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_fire_once_in_order_of_time),
        cmocka_unit_test(a_timer_may_free_itself_and_another),
        cmocka_unit_test(a_timer_may_set_itself_again),
        cmocka_unit_test(a_thread_wakes_the_loop),
        cmocka_unit_test(a_watch_may_drop_itself_and_another),
        cmocka_unit_test(a_watch_changes_what_it_waits_for),
        cmocka_unit_test(a_regular_file_is_refused),
        cmocka_unit_test(signals_arrive_on_the_loop),
        cmocka_unit_test(the_idle_hook_runs_after_all_that_was_ready),
        cmocka_unit_test(a_stopped_loop_runs_again),
    };
    return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
