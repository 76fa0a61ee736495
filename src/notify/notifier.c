/* The outbox joined to the world: calls, commands, clocks, the log. */
#include "notify/notify.h"

#include "base/must.h"
#include "crypto/crypto.h"
#include "crypto/webhook.h"
#include "net/loop_process.h"
#include "notify/message.h"
#include "notify/outbox.h"
#include "sys/file.h"
#include "sys/random.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FLIGHTS_MAX = NOTIFY_ROUTES_MAX * NOTIFY_ROUTE_CALLS_MAX,
    REPLY_MAX = 1 << 20, /* nothing in it is read */
    SECRET_FILE_MAX = 4096,
    COMMAND_MEMORY_MAX = 64 << 10,
};

/* One message under way. */
struct flight {
    struct notifier *notifier;
    bool active;
    struct outbox_ref ref;
    struct http_client_call *call;
    struct loop_process *process;
};

struct notifier {
    struct notifier_options options;
    struct outbox *outbox;
    struct loop_timer *timer;
    struct webhook_secrets secrets[NOTIFY_ROUTES_MAX];
    struct flight flights[FLIGHTS_MAX];
};

static int64_t now_ms(const struct notifier *n)
{
    return n->options.elapsed_ms(n->options.context);
}

/* --- what became of a message ------------------------------------------------------------------ */

static void say_given_up(const struct flight *f, enum outbox_end end, const char *why)
{
    const struct notifier *n = f->notifier;
    const struct outbox_notice *notice = outbox_notice(n->outbox, f->ref);
    log_line(n->options.log, LOG_LEVEL_ERROR,
             end == OUTBOX_GONE ? "notice was not told; its route is off until restart"
                                : "notice was not told",
             log_str("route", n->options.routes.items[f->ref.route].name),
             log_str("kind", str_from(notice_kind_name(notice->kind))),
             log_str("key", str_from(notice->key)), log_str("reason", str_from(why)));
}

/* The notice may be no more after outbox_ended, so what is said of it is said before. */
static void ended(struct flight *f, enum outbox_end end, int64_t after_ms, const char *why)
{
    struct notifier *n = f->notifier;
    must(f->active);
    uint32_t random;
    random_bytes(&random, sizeof random);
    if (end == OUTBOX_REFUSED || end == OUTBOX_GONE ||
        (end == OUTBOX_FAILED && outbox_is_last_try(n->outbox, f->ref))) {
        say_given_up(f, end, why);
    }
    outbox_ended(n->outbox, f->ref, end, now_ms(n), after_ms, random);
    *f = (struct flight){0};
    loop_timer_set(n->timer, 0);
}

static enum outbox_end end_of_status(unsigned status)
{
    if (status >= 200 && status < 300) {
        return OUTBOX_SENT;
    }
    if (status == 410) {
        return OUTBOX_GONE;
    }
    return status >= 500 || status == 429 || status == 408 ? OUTBOX_FAILED : OUTBOX_REFUSED;
}

static void on_reply(void *context, const struct http_reply *reply, const struct err *e)
{
    struct flight *f = context;
    if (reply == NULL) {
        ended(f, e->rc == RC_INVALID ? OUTBOX_REFUSED : OUTBOX_FAILED, 0, e->text);
        return;
    }
    const struct notifier_options *o = &f->notifier->options;
    char why[64];
    snprintf(why, sizeof why, "the receiver answered %u", reply->status);
    ended(f, end_of_status(reply->status),
          message_retry_after_ms(reply->retry_after, o->wall_ms(o->context)), why);
}

static void on_command_end(void *context, struct loop_process_end end)
{
    struct flight *f = context;
    char why[64];
    if (end.timed_out) {
        snprintf(why, sizeof why, "the command was killed: its time was over");
    } else if (end.signal != 0) {
        snprintf(why, sizeof why, "the command ended by signal %d", end.signal);
    } else {
        snprintf(why, sizeof why, "the command exited with %d", end.exit_code);
    }
    bool good = end.exit_code == 0 && !end.timed_out;
    ended(f, good ? OUTBOX_SENT : OUTBOX_FAILED, 0, why);
}

/* --- sending ----------------------------------------------------------------------------------- */

static enum rc call_webhook(struct flight *f, const char *id, struct str body, struct err *e)
{
    const struct notifier_options *o = &f->notifier->options;
    const struct notify_route *route = &o->routes.items[f->ref.route];
    int64_t at_s = o->wall_ms(o->context) / 1000;
    char signatures[WEBHOOK_SIGNATURES_SIZE];
    char id_line[MESSAGE_ID_SIZE + 16];
    char at_line[64];
    char signature_line[WEBHOOK_SIGNATURES_SIZE + 32];
    webhook_sign(&f->notifier->secrets[f->ref.route], id, at_s, body, signatures);
    snprintf(id_line, sizeof id_line, "webhook-id: %s", id);
    snprintf(at_line, sizeof at_line, "webhook-timestamp: %lld", (long long)at_s);
    snprintf(signature_line, sizeof signature_line, "webhook-signature: %s", signatures);
    struct http_call call = {
        .method = "POST",
        .url = route->url.ptr,
        .headers = {"content-type: application/json", id_line, at_line, signature_line},
        .body = body,
        .timeout_ms = route->timeout_ms,
        .reply_max = REPLY_MAX};
    return http_client_start(o->http, &call, on_reply, f, &f->call, e);
}

static enum rc run_command(struct flight *f, const char *id, struct str body, struct err *e)
{
    const struct notifier *n = f->notifier;
    const struct notify_route *route = &n->options.routes.items[f->ref.route];
    const char *argv[NOTIFY_ARGS_MAX + 1] = {0};
    CLEANUP(arena) struct arena *a = arena_new(COMMAND_MEMORY_MAX);
    if (a == NULL) {
        return err_set(e, RC_NO_MEMORY, "no memory for a command");
    }
    for (uint32_t i = 0; i < route->command.count; i++) {
        argv[i] = route->command.items[i].ptr;
    }
    const char *const *env = message_environment(a, outbox_notice(n->outbox, f->ref), id,
                                                 outbox_repeat(n->outbox, f->ref));
    if (env == NULL) {
        return err_set(e, RC_LIMIT, "the command and its environment are too long");
    }
    struct loop_process_spec spec = {
        .argv = argv, .envp = env, .input = body, .timeout_ms = route->timeout_ms};
    return loop_process_start(n->options.loop, &spec, on_command_end, f, &f->process, e);
}

static struct flight *free_flight(struct notifier *n)
{
    for (size_t i = 0; i < FLIGHTS_MAX; i++) {
        if (!n->flights[i].active) {
            return &n->flights[i];
        }
    }
    return NULL;
}

static void send_message(struct notifier *n, struct outbox_ref ref)
{
    struct flight *f = free_flight(n);
    must(f != NULL); /* the outbox lets no more go than there are */
    *f = (struct flight){.notifier = n, .active = true, .ref = ref};
    const struct outbox_notice *notice = outbox_notice(n->outbox, ref);
    uint32_t repeat = outbox_repeat(n->outbox, ref);
    char id[MESSAGE_ID_SIZE];
    message_id(notice, repeat, id);
    CLEANUP(buf) struct buf body;
    buf_init(&body, MESSAGE_BODY_MAX);
    message_body(&body, notice, id, repeat);
    struct err e = {0};
    enum rc rc = body.rc != RC_OK ? err_set(&e, body.rc, "no memory for a message")
                 : n->options.routes.items[ref.route].type == ROUTE_WEBHOOK
                     ? call_webhook(f, id, buf_view(&body), &e)
                     : run_command(f, id, buf_view(&body), &e);
    if (rc != RC_OK) {
        ended(f, OUTBOX_FAILED, 0, e.text);
    }
}

static void send_due(void *context)
{
    struct notifier *n = context;
    struct outbox_ref ref;
    int64_t now = now_ms(n); /* one moment for both: what falls due between two would be in neither */
    while (outbox_next(n->outbox, now, &ref)) {
        send_message(n, ref);
    }
    int64_t wait = outbox_wait_ms(n->outbox, now);
    if (wait >= 0) {
        loop_timer_set(n->timer, wait);
    }
}

/* --- what is said ------------------------------------------------------------------------------ */

/* A flood fills the queue, not the log: the first, the second, the fourth, ... */
static bool is_power_of_two(uint64_t n)
{
    return (n & (n - 1)) == 0;
}

static void say_lost(const struct notifier *n, const struct notice *notice, enum outbox_said said)
{
    struct notify_counts counts = outbox_counts(n->outbox);
    bool full = said == OUTBOX_PUSHED || said == OUTBOX_DROPPED;
    if (full && is_power_of_two(counts.dropped)) {
        log_line(n->options.log, LOG_LEVEL_WARN, "notices are dropped: too many are open",
                 log_int("dropped", (int64_t)counts.dropped),
                 log_int("open", (int64_t)counts.open));
    }
    if (said == OUTBOX_UNROUTED && is_power_of_two(counts.unrouted)) {
        log_line(n->options.log, LOG_LEVEL_WARN, "no route takes a notice",
                 log_str("kind", str_from(notice_kind_name(notice->kind))),
                 log_str("key", notice->key), log_int("unrouted", (int64_t)counts.unrouted));
    }
}

void notifier_say(struct notifier *n, const struct notice *notice)
{
    if (n->options.routes.count == 0) {
        return;
    }
    enum outbox_said said = outbox_say(n->outbox, notice, now_ms(n));
    if (said == OUTBOX_TAKEN || said == OUTBOX_PUSHED) {
        loop_timer_set(n->timer, 0);
    }
    say_lost(n, notice, said);
}

void notifier_settle(struct notifier *n, enum notice_kind kind, struct str key)
{
    outbox_settle(n->outbox, kind, key);
}

struct notify_counts notifier_counts(const struct notifier *n)
{
    return outbox_counts(n->outbox);
}

/* --- lifetime ---------------------------------------------------------------------------------- */

static enum rc read_secret(struct notifier *n, uint32_t route, struct err *e)
{
    char path[FILE_PATH_MAX];
    if (!str_to_c(n->options.routes.items[route].secret_file, path, sizeof path)) {
        return err_set(e, RC_INVALID, "secret_file: no path");
    }
    struct buf text;
    buf_init(&text, SECRET_FILE_MAX);
    enum rc rc = file_check_private(path, e);
    rc = rc == RC_OK ? file_read(path, &text, e) : rc;
    if (rc == RC_OK && webhook_secrets_read(buf_view(&text), &n->secrets[route], e) != RC_OK) {
        rc = err_wrap(e, RC_INVALID, "%s", path);
    }
    if (text.len > 0) {
        wipe(text.data, text.len);
    }
    buf_done(&text);
    return rc;
}

/* Who may change the program may do what we may. */
static enum rc check_program(const struct notify_route *route, struct err *e)
{
    const char *path = route->command.items[0].ptr;
    struct stat st;
    if (stat(path, &st) != 0) {
        return err_set(e, RC_NOT_FOUND, "%s: %s", path, strerror(errno));
    }
    if (!S_ISREG(st.st_mode) || access(path, X_OK) != 0) {
        return err_set(e, RC_INVALID, "%s: is no program that we may run", path);
    }
    return (st.st_mode & (S_IWGRP | S_IWOTH)) == 0
               ? RC_OK
               : err_set(e, RC_DENIED, "%s: group or others may write it: chmod go-w", path);
}

static enum rc prepare_routes(struct notifier *n, struct err *e)
{
    for (uint32_t i = 0; i < n->options.routes.count; i++) {
        const struct notify_route *route = &n->options.routes.items[i];
        enum rc rc = route->type == ROUTE_WEBHOOK ? read_secret(n, i, e) : check_program(route, e);
        if (rc != RC_OK) {
            return err_wrap(e, rc, "notify route %.*s", STR_ARG(route->name));
        }
    }
    return RC_OK;
}

enum rc notifier_new(const struct notifier_options *options, struct notifier **ret, struct err *e)
{
    int64_t retry_ms = options->retry_ms > 0 ? options->retry_ms : NOTIFY_RETRY_MS;
    struct notifier *n = calloc(1, sizeof *n);
    struct outbox *outbox = n == NULL ? NULL : outbox_new(options->routes, retry_ms);
    if (outbox == NULL) {
        free(n);
        return err_set(e, RC_NO_MEMORY, "no memory for notices");
    }
    n->options = *options;
    n->outbox = outbox;
    enum rc rc = prepare_routes(n, e);
    rc = rc == RC_OK ? loop_timer_new(options->loop, send_due, n, &n->timer, e) : rc;
    if (rc != RC_OK) {
        notifier_free(n);
        return rc;
    }
    *ret = n;
    return RC_OK;
}

void notifier_free(struct notifier *n)
{
    if (n == NULL) {
        return;
    }
    for (size_t i = 0; i < FLIGHTS_MAX; i++) {
        struct flight *f = &n->flights[i];
        if (f->call != NULL) {
            http_client_cancel(f->call);
        }
        loop_process_free(f->process);
    }
    loop_timer_free(n->timer);
    outbox_free(n->outbox);
    for (size_t i = 0; i < NOTIFY_ROUTES_MAX; i++) {
        webhook_secrets_done(&n->secrets[i]);
    }
    free(n);
}
