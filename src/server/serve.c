/*
 * server/serve - the running process.
 */
#include "server/server.h"

#include "api/api.h"
#include "base/must.h"
#include "server/folder.h"
#include "server/notices.h"
#include "server/executor.h"
#include "redact/redact.h"
#include "server/ports.h"
#include "server/supervisor.h"
#include "signals/prometheus.h"
#include "sys/clock.h"
#include "validators/validators.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    DRAIN_MS = 5000,      /* exchanges under way get this long at a graceful stop */
    DRAIN_STEP_MS = 20,
    HOUSEKEEPING_MS = 1000,
    PUBLISH_MAX = 256,    /* entries that wait for one commit while requests are ready */
    PUBLISH_US = 2000,    /* and for how long at most */
};

struct server {
    struct log log;
    const char *config_path;
    struct config config;
    char folder[FILE_PATH_MAX];
    char checkpoint_file[FILE_PATH_MAX];
    struct file_lock *lock;
    struct signing_key *key;
    struct server_ports ports;
    struct redactor *redactor;
    struct loop *loop;
    struct control *control;
    struct api *api;
    struct http_server *tcp;
    struct http_server *local;
    struct prometheus *prometheus;
    struct notices *notices;
    struct validators *validators;
    struct loop_wake *wake;
    struct loop_timer *tick;
    struct loop_timer *housekeeping;
    struct loop_timer *bucket;
    struct loop_timer *drain;
    struct loop_timer *watchdog;
    struct supervisor supervisor;
    uint64_t watched_seq; /* what had been said when the watchdog last looked */
    struct loop_signal *signals[4];
    int inotify;
    struct loop_fd *stop_watch;
    int64_t minute_at_ms;
    int64_t waiting_since_us; /* the first entry that is not published; 0: none */
    int64_t drain_until_ms;
    bool ballast_dropped;
    bool draining;
    int exit_code;
};

static void say_error(struct server *s, const char *what, const struct err *e)
{
    log_line(&s->log, LOG_LEVEL_ERROR, what, log_str("where", str_from(e->where)),
             log_str("error", str_from(e->text)));
}

/* --- the ledger's thread wakes us ------------------------------------------------------------------------------- */

static void wake_loop(void *context)
{
    struct server *s = context;
    loop_wake(s->wake);
}

static void end_for_good(struct server *s)
{
    char error[256];
    writer_error(control_writer(s->control), error, sizeof error);
    log_line(&s->log, LOG_LEVEL_ERROR, "the ledger can't be written any more: ending, a restart replays",
             log_str("error", str_from(error)));
    s->exit_code = SERVER_EXIT_FAILED;
    loop_stop(s->loop);
}

static void durable(void *context)
{
    struct server *s = context;
    if (s->control == NULL) {
        return; /* the writer starts before control is ours */
    }
    control_durable_changed(s->control);
    if (control_health(s->control) == HEALTH_LEDGER_DOWN) {
        end_for_good(s);
    }
}

/* --- time ---------------------------------------------------------------------------------------------------------- */

static void tick(void *context)
{
    struct server *s = context;
    int64_t next;
    control_tick(s->control, &next);
    int64_t now = control_now(s->control);
    loop_timer_set(s->tick, next > now ? next - now : 1);
}

static void watch_disk(struct server *s)
{
    struct folder_room room = folder_room(s->folder);
    bool low = folder_room_is_low(&room);
    api_set_disk(s->api, room.free_bytes, room.size_bytes);
    bool full = writer_state(control_writer(s->control)) == WRITER_DISK_FULL;
    control_set_disk_low(s->control, low);
    if (full && !s->ballast_dropped) {
        log_text(&s->log, LOG_LEVEL_ERROR, "the disk is full: decisions are refused, reads go on");
        folder_drop_ballast(s->folder);
        s->ballast_dropped = true;
    } else if (!full && !low && s->ballast_dropped) {
        log_text(&s->log, LOG_LEVEL_INFO, "there is room on the disk again");
        folder_make_ballast(s->folder);
        s->ballast_dropped = false;
    }
}

static void housekeep(void *context)
{
    struct server *s = context;
    watch_disk(s);
    api_beat(s->api);
    api_traffic_beat(s->api);
    notices_beat(s->notices);
    int64_t now = clock_boot_ms();
    if (now >= s->minute_at_ms) {
        api_minute(s->api);
        s->minute_at_ms = now + 60000;
    }
    loop_timer_set(s->housekeeping, HOUSEKEEPING_MS);
}

/*
 * A sign of life says more than that the loop turns: what had been said a whole turn ago must be durable. A
 * full disk is no reason to be killed: a restart makes no room, and reads and stops would end with it.
 */
static void watchdog(void *context)
{
    struct server *s = context;
    const struct writer *writer = control_writer(s->control);
    bool full = writer_state(writer) == WRITER_DISK_FULL;
    bool stuck = !full && writer_durable(writer) < s->watched_seq;
    if (control_health(s->control) != HEALTH_LEDGER_DOWN && !stuck) {
        supervisor_say(&s->supervisor, full ? "WATCHDOG=1\nSTATUS=the disk is full: decisions are refused"
                                            : "WATCHDOG=1\nSTATUS=deciding");
    }
    s->watched_seq = control_read_seq(s->control);
    loop_timer_set(s->watchdog, s->supervisor.watchdog_ms / 2);
}

static void bucket_pending(void *context, int64_t delay_ms)
{
    struct server *s = context;
    loop_timer_set(s->bucket, delay_ms);
}

static void bucket_ended(void *context)
{
    struct server *s = context;
    api_flush_buckets(s->api);
}

/*
 * A commit costs the same for one entry as for many, so those of requests that are there already go
 * together: the thread gets them when nothing else is ready, when they are many, or when the first of
 * them has waited long enough.
 */
static void publish(void *context)
{
    struct server *s = context;
    size_t waiting = writer_unpublished(control_writer(s->control));
    if (waiting == 0) {
        s->waiting_since_us = 0;
        return;
    }
    int64_t now_us = clock_monotonic_us();
    if (s->waiting_since_us == 0) {
        s->waiting_since_us = now_us;
    }
    if (waiting >= PUBLISH_MAX || now_us - s->waiting_since_us >= PUBLISH_US || !loop_has_ready(s->loop)) {
        writer_publish(control_writer(s->control));
        s->waiting_since_us = 0;
    }
}

/* --- policy ---------------------------------------------------------------------------------------------------------- */

static enum rc load_policy(struct server *s, const struct policy *p, bool at_start, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(POLICY_ARENA_MAX);
    const struct policy_origin origin = {.author = str_from(s->config_path),
                                         .reason = at_start ? STR("start") : STR("reload"),
                                         .at_start = at_start};
    return a == NULL ? err_set(e, RC_NO_MEMORY, "out of memory") : control_load_policy(s->control, a, p, &origin, e);
}

/* Only the policy is taken; server settings need a restart. A bad file leaves the old policy in force. */
static enum rc reload(void *context, struct err *e)
{
    struct server *s = context;
    struct config fresh;
    enum rc rc = config_load(s->config_path, &fresh, e);
    if (rc == RC_OK) {
        rc = load_policy(s, fresh.policy, false, e);
        config_done(&fresh);
    }
    if (rc != RC_OK) {
        say_error(s, "the new policy is refused: the old one stays", e);
        api_set_policy_error(s->api, e->text);
        return err_wrap(e, RC_INVALID, "%s", e->where);
    }
    api_set_policy_error(s->api, "");
    log_line(&s->log, LOG_LEVEL_INFO, "policy in force",
             log_str("hash", world_policy_hash(control_world(s->control))));
    return RC_OK;
}

/* --- stop file -------------------------------------------------------------------------------------------------------- */

/* The stop of everything that is in force, or null. */
static const struct world_stop *stop_of_all(struct server *s)
{
    const struct world *w = control_world(s->control);
    for (uint32_t i = 0; i < world_stop_count(w); i++) {
        const struct world_stop *stop = world_stop_at(w, i);
        if (stop->scope == STOP_ALL && stop->level == STOP_FULL) {
            return stop;
        }
    }
    return NULL;
}

static void stop_everything(struct server *s, const char *reason)
{
    if (stop_of_all(s) != NULL) {
        return;
    }
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    must(a != NULL); /* a stop that can't be set ends the process: nothing is decided then */
    struct stop_order order = {.scope = STOP_ALL, .reason = str_from(reason)};
    uint64_t id;
    struct err e;
    if (control_stop_set(s->control, a, NULL, &order, NULL, &id, &e) != RC_OK) {
        say_error(s, "the stop could not be set: ending", &e);
        s->exit_code = SERVER_EXIT_FAILED;
        loop_stop(s->loop);
        return;
    }
    /* As it is recorded: a secret in it is in no log either. */
    log_line(&s->log, LOG_LEVEL_WARN, "stopped", log_str("reason", str_from(stop_of_all(s)->reason)));
}

static void stop_file_changed(void *context, int fd, int events)
{
    struct server *s = context;
    char bytes[4096];
    (void)events;
    while (read(fd, bytes, sizeof bytes) > 0) {
        /* What changed does not matter: the file is looked at below. */
    }
    if (folder_is_stopped(s->folder)) {
        char reason[256];
        folder_stop_reason(s->folder, reason, sizeof reason);
        stop_everything(s, reason[0] == '\0' ? "stop file" : reason);
    }
}

static enum rc watch_stop_file(struct server *s, struct err *e)
{
    s->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (s->inotify < 0 ||
        inotify_add_watch(s->inotify, s->folder, IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE) < 0) {
        return err_set(e, RC_UNAVAILABLE, "the stop file can't be watched: %s", strerror(errno));
    }
    return loop_watch(s->loop, s->inotify, LOOP_READ, stop_file_changed, s, &s->stop_watch, e);
}

/* --- the end ------------------------------------------------------------------------------------------------------------ */

static unsigned under_way(const struct server *s)
{
    return (s->tcp == NULL ? 0 : http_server_exchanges(s->tcp)) +
           (s->local == NULL ? 0 : http_server_exchanges(s->local));
}

static void drain(void *context)
{
    struct server *s = context;
    if (under_way(s) == 0 || clock_boot_ms() >= s->drain_until_ms) {
        loop_stop(s->loop);
        return;
    }
    loop_timer_set(s->drain, DRAIN_STEP_MS);
}

static void begin_drain(struct server *s)
{
    if (s->draining) {
        return;
    }
    s->draining = true;
    supervisor_say(&s->supervisor, "STOPPING=1");
    log_text(&s->log, LOG_LEVEL_INFO, "ending: no new connections");
    if (s->tcp != NULL) {
        http_server_quiesce(s->tcp);
    }
    if (s->local != NULL) {
        http_server_quiesce(s->local);
    }
    api_flush_buckets(s->api);
    api_traffic_end(s->api);
    api_end_streams(s->api);
    s->drain_until_ms = clock_boot_ms() + DRAIN_MS;
    loop_timer_set(s->drain, 0);
}

static void on_signal(void *context, int signal)
{
    struct server *s = context;
    struct err e;
    if (signal == SIGHUP) {
        (void)!reload(s, &e);
        api_reload_keys(s->api);
    } else if (signal == SIGUSR1) {
        (void)!folder_set_stop(s->folder, "SIGUSR1", &e);
        stop_everything(s, "SIGUSR1");
    } else {
        begin_drain(s);
    }
}

/* --- start ---------------------------------------------------------------------------------------------------------------- */

static enum rc read_secret_file(struct arena *a, struct str path, struct str *ret, struct err *e)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    enum rc rc = file_read(path.ptr, &text, e);
    *ret = rc == RC_OK ? arena_str(a, str_trim(buf_view(&text))) : STR("");
    buf_done(&text);
    return rc;
}

static enum rc start_http(struct server *s, struct err *e)
{
    struct server_settings *set = &s->config.server;
    char host[64];
    uint16_t port;
    must(listen_parse(set->listen, host, &port));
    struct str cert = STR("");
    struct str key = STR("");
    enum rc rc = RC_OK;
    if (set->tls_cert.len > 0) {
        rc = read_secret_file(s->config.arena, set->tls_cert, &cert, e);
        rc = rc == RC_OK ? read_secret_file(s->config.arena, set->tls_key, &key, e) : rc;
    }
    struct http_server_options options = {.host = host,
                                          .port = port,
                                          .tls_cert_pem = cert.len > 0 ? cert.ptr : NULL,
                                          .tls_key_pem = key.len > 0 ? key.ptr : NULL,
                                          .connections_max = (unsigned)set->connections,
                                          .max_body = api_max_body,
                                          .handle = api_handle,
                                          .gone = api_gone,
                                          .problem = api_problem,
                                          .context = s->api};
    rc = rc == RC_OK ? http_server_start(s->loop, &options, &s->tcp, e) : rc;
    if (rc == RC_OK && set->socket) {
        char path[FILE_PATH_MAX];
        folder_path(s->folder, "pawl.sock", path);
        options.host = NULL;
        options.socket_path = path;
        options.tls_cert_pem = NULL;
        options.tls_key_pem = NULL;
        rc = http_server_start(s->loop, &options, &s->local, e);
    }
    return rc;
}

static enum rc start_prometheus(struct server *s, struct err *e)
{
    struct server_settings *set = &s->config.server;
    if (set->prometheus_url.len == 0) {
        return RC_OK;
    }
    struct str token = STR("");
    enum rc rc = set->prometheus_token_file.len == 0
                     ? RC_OK
                     : read_secret_file(s->config.arena, set->prometheus_token_file, &token, e);
    struct prometheus_options options = {.control = s->control,
                                         .loop = s->loop,
                                         .log = &s->log,
                                         .url = set->prometheus_url.ptr,
                                         .bearer_token = token.len > 0 ? token.ptr : NULL,
                                         .interval_ms = set->prometheus_interval_ms,
                                         .timeout_ms = set->prometheus_timeout_ms,
                                         .sample_age_ms = set->prometheus_sample_age_ms};
    return rc == RC_OK ? prometheus_start(&options, &s->prometheus, e) : rc;
}

/* Two polls that failed are more than one that was late. */
static enum rc start_notices(struct server *s, struct err *e)
{
    int64_t interval_ms = s->config.server.prometheus_interval_ms;
    struct notices_options options = {.loop = s->loop,
                                      .control = s->control,
                                      .log = &s->log,
                                      .routes = s->config.server.notify,
                                      .patience_ms = 2 * (interval_ms > 0 ? interval_ms : PROMETHEUS_INTERVAL_MS)};
    return notices_new(&options, &s->notices, e);
}

static enum rc start_timers(struct server *s, struct err *e)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};
    enum rc rc = loop_timer_new(s->loop, tick, s, &s->tick, e);
    rc = rc == RC_OK ? loop_timer_new(s->loop, housekeep, s, &s->housekeeping, e) : rc;
    rc = rc == RC_OK ? loop_timer_new(s->loop, bucket_ended, s, &s->bucket, e) : rc;
    rc = rc == RC_OK ? loop_timer_new(s->loop, drain, s, &s->drain, e) : rc;
    rc = rc == RC_OK ? loop_timer_new(s->loop, watchdog, s, &s->watchdog, e) : rc;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers && rc == RC_OK; i++) {
        rc = loop_signal_new(s->loop, numbers[i], on_signal, s, &s->signals[i], e);
    }
    return rc;
}

static enum rc start_redactor(struct server *s, struct err *e)
{
    uint8_t key[REDACT_KEY_LEN];
    enum rc rc = folder_redact_key(s->folder, key, e);
    if (rc == RC_OK) {
        rc = redactor_new(key, s->config.server.redact, s->config.server.redact_count, &s->redactor, e);
        rc = rc == RC_OK ? RC_OK : err_wrap(e, rc, "redact");
    }
    wipe(key, sizeof key);
    return rc;
}

static enum rc start_control(struct server *s, struct err *e)
{
    struct server_settings *set = &s->config.server;
    s->ports.folder = s->folder;
    s->ports.executor = executor_new(s->loop);
    if (s->ports.executor == NULL) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    enum rc made = start_redactor(s, e);
    if (made != RC_OK) {
        return made;
    }
    uint64_t seed;
    random_bytes(&seed, sizeof seed);
    struct control_options options = {.folder = s->folder,
                                      .checkpoint_file = s->checkpoint_file,
                                      .key = s->key,
                                      .redactor = s->redactor,
                                      .ports = server_ports(&s->ports),
                                      .wake = wake_loop,
                                      .wake_context = s,
                                      .checkpoint_ms = set->checkpoint_ms,
                                      .blob_keep_ms = set->blob_keep_ms,
                                      .by_publish = true,
                                      .hash_seed = seed};
    enum rc rc = control_start(&options, &s->control, e);
    executor_set_control(s->ports.executor, s->control);
    return rc;
}

static bool ask(void *context, struct validator_round *round, void (*done)(void *waiter), void *waiter)
{
    return validators_ask(((struct server *)context)->validators, round, done, waiter);
}

static void forget(void *context, const void *waiter)
{
    validators_forget(((struct server *)context)->validators, waiter);
}

static enum rc start_api(struct server *s, struct err *e)
{
    struct server_settings *set = &s->config.server;
    struct api_options options = {.control = s->control,
                                  .log = &s->log,
                                  .loop = s->loop,
                                  .identity = &set->identity,
                                  .public_log = set->public_log,
                                  .rate_per_s = set->rate_per_s,
                                  .burst = set->burst,
                                  .daily_bytes = set->daily_bytes,
                                  .policy_keys = &set->policy_keys,
                                  .ask = ask,
                                  .forget = forget,
                                  .hosts = set->hosts.items,
                                  .host_count = set->hosts.count,
                                  .sli_bucket_ms = set->sli_bucket_ms,
                                  .traffic_period_ms = set->traffic_period_ms,
                                  .observed_for_ms = set->observed_for_ms,
                                  .bucket_pending = bucket_pending,
                                  .reload = reload,
                                  .context = s};
    return api_new(&options, &s->api, e);
}

static enum rc name_files(struct server *s, struct err *e)
{
    struct server_settings *set = &s->config.server;
    if (!str_to_c(set->data, s->folder, sizeof s->folder - 64)) {
        return err_set(e, RC_INVALID, "data: the name is too long");
    }
    while (strlen(s->folder) > 1 && s->folder[strlen(s->folder) - 1] == '/') {
        s->folder[strlen(s->folder) - 1] = '\0';
    }
    if (set->checkpoint_file.len > 0) {
        return str_to_c(set->checkpoint_file, s->checkpoint_file, sizeof s->checkpoint_file)
                   ? RC_OK
                   : err_set(e, RC_INVALID, "checkpoint_file: the name is too long");
    }
    snprintf(s->checkpoint_file, sizeof s->checkpoint_file, "%.4000s.checkpoint", s->folder);
    return RC_OK;
}

static enum rc start(struct server *s, struct err *e)
{
    enum rc rc = config_load(s->config_path, &s->config, e);
    if (rc != RC_OK) {
        return rc;
    }
    s->log.level = (enum log_level)s->config.server.log_level;
    rc = name_files(s, e);
    rc = rc == RC_OK ? folder_open(s->folder, &s->lock, &s->key, e) : rc;
    if (rc == RC_CONFLICT) {
        s->exit_code = SERVER_EXIT_LOCKED;
    }
    rc = rc == RC_OK ? loop_new(&s->loop, e) : rc;
    rc = rc == RC_OK ? loop_wake_new(s->loop, durable, s, &s->wake, e) : rc;
    rc = rc == RC_OK ? start_control(s, e) : rc;
    rc = rc == RC_OK ? validators_new(s->loop, &s->validators, e) : rc;
    rc = rc == RC_OK ? start_notices(s, e) : rc;
    rc = rc == RC_OK ? start_api(s, e) : rc;
    rc = rc == RC_OK ? start_timers(s, e) : rc;
    rc = rc == RC_OK ? watch_stop_file(s, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    /* Before anything is decided: a stop that was left is a stop. */
    stop_file_changed(s, s->inotify, LOOP_READ);
    rc = load_policy(s, s->config.policy, true, e);
    rc = rc == RC_OK ? start_prometheus(s, e) : rc;
    return rc == RC_OK ? start_http(s, e) : rc;
}

static void finish(struct server *s)
{
    http_server_free(s->tcp);
    http_server_free(s->local);
    prometheus_stop(s->prometheus);
    notices_free(s->notices);
    validators_free(s->validators);
    loop_timer_free(s->tick);
    loop_timer_free(s->housekeeping);
    loop_timer_free(s->bucket);
    loop_timer_free(s->drain);
    loop_timer_free(s->watchdog);
    for (size_t i = 0; i < sizeof s->signals / sizeof *s->signals; i++) {
        loop_signal_free(s->signals[i]);
    }
    if (s->stop_watch != NULL) {
        loop_unwatch(s->stop_watch);
    }
    if (s->inotify >= 0) {
        close(s->inotify);
    }
    executor_free(s->ports.executor);
    api_free(s->api);
    control_stop(s->control);
    redactor_free(s->redactor);
    loop_wake_free(s->wake);
    if (s->loop != NULL) {
        loop_free(s->loop);
    }
    signing_key_free(s->key);
    supervisor_done(&s->supervisor);
    file_lock_free(s->lock);
    random_pool_done(&s->ports.pool);
    if (s->config.arena != NULL) {
        config_done(&s->config);
    }
}

/* The signing key lives in this process: no core dumps, no tracing by others of the same user. */
static void harden(void)
{
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    signal(SIGPIPE, SIG_IGN);
    /* A file that reaches a size limit is an error of the write, not the end of the process. */
    signal(SIGXFSZ, SIG_IGN);
}

int server_run(const char *config_path)
{
    struct server *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return SERVER_EXIT_FAILED;
    }
    s->config_path = config_path;
    s->inotify = -1;
    s->exit_code = SERVER_EXIT_OK;
    log_init(&s->log, STDERR_FILENO, LOG_LEVEL_INFO);
    harden();
    supervisor_init(&s->supervisor);
    struct err e = {0};
    enum rc rc = start(s, &e);
    if (rc == RC_OK) {
        log_line(&s->log, LOG_LEVEL_INFO, "listening", log_str("address", s->config.server.listen),
                 log_int("port", http_server_port(s->tcp)), log_str("data", str_from(s->folder)),
                 log_int("entries", (int64_t)world_next_seq(control_world(s->control))));
        tick(s);
        housekeep(s);
        supervisor_say(&s->supervisor, "READY=1");
        if (s->supervisor.watchdog_ms > 0) {
            watchdog(s);
        }
        loop_before_block(s->loop, publish, s);
        loop_run(s->loop);
        loop_before_block(s->loop, NULL, NULL);
    } else {
        say_error(s, "can't start", &e);
        s->exit_code = s->exit_code == SERVER_EXIT_OK ? SERVER_EXIT_FAILED : s->exit_code;
    }
    int code = s->exit_code;
    struct log log = s->log;
    finish(s);
    if (rc == RC_OK) {
        log_text(&log, LOG_LEVEL_INFO, "ended");
    }
    free(s);
    return code;
}
