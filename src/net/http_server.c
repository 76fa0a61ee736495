/*
 * The HTTP server over libmicrohttpd, driven from outside: its epoll descriptor is watched by our
 * loop, and MHD_run does one round of everything that is ready.
 *
 * The first answer of a round sets a timer of 0 ms, whose MHD_run sends them all. A timer and not
 * loop_before_block, because several servers share a loop and answers may also be given there.
 */
#include "net/http_internal.h"

#include "base/must.h"
#include "sys/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    /* Memory of one connection for the head of a request and of its answer. The library wipes all
     * of it after each request, so more costs time; less would not hold a head of
     * HTTP_HEAD_BYTES_MAX. */
    POOL_BYTES = 14 << 10,
    STREAM_BLOCK = 16 << 10, /* bytes a stream hands over at a time */
    HOLD_ROUND_MS = 1,       /* the longest between two rounds while an exchange is held */
};

static void schedule_run(struct http_server *s, int64_t delay_ms)
{
    if (s->flush_ms < 0 || delay_ms < s->flush_ms) {
        s->flush_ms = delay_ms;
        loop_timer_set(s->flush, delay_ms);
    }
}

static void run_round(struct http_server *s)
{
    s->more = false;
    s->held = 0;
    s->running = true;
    must(MHD_run(s->daemon) == MHD_YES);
    s->running = false;
}

static void run(struct http_server *s)
{
    must(!s->running);
    if (s->flush_ms >= 0) {
        loop_timer_clear(s->flush);
        s->flush_ms = -1;
    }
    s->now_ms = clock_monotonic_us() / 1000;
    run_round(s);
    if (s->more) {
        run_round(s); /* what was queued by the first is written by the second */
    }
    MHD_UNSIGNED_LONG_LONG wait_ms;
    if (MHD_get_timeout(s->daemon, &wait_ms) == MHD_YES && wait_ms == 0) {
        /* Held exchanges make it say 0 always: they are no reason to go round without pause. */
        schedule_run(s, s->more || s->held == 0 ? 0 : HOLD_ROUND_MS);
    }
}

static void on_flush(void *context)
{
    struct http_server *s = context;
    s->flush_ms = -1;
    run(s);
}

static void on_ready(void *context, int fd, int events)
{
    (void)fd;
    (void)events;
    run(context);
}

static void suspend(struct http_exchange *x)
{
    must(!x->suspended);
    x->suspended = true;
    MHD_suspend_connection(x->mhd);
}

void exchange_wake(struct http_exchange *x)
{
    if (x->suspended) {
        x->suspended = false;
        MHD_resume_connection(x->mhd);
    }
    schedule_run(x->server, 0);
}

/* Responses. */

static bool add_headers(struct MHD_Response *response, const struct http_exchange *x)
{
    if (x->headers.rc != RC_OK) {
        return false;
    }
    const char *at = x->headers.data;
    const char *end = at + x->headers.len;
    while (at < end) {
        const char *value = at + strlen(at) + 1;
        if (MHD_add_response_header(response, at, value) != MHD_YES) {
            return false;
        }
        at = value + strlen(value) + 1;
    }
    return true;
}

bool response_finish(struct http_exchange *x)
{
    bool added = add_headers(x->response, x);
    buf_reset(&x->headers);
    if (!added) {
        response_drop(x);
    }
    return added;
}

void response_drop(struct http_exchange *x)
{
    if (x->response != NULL) {
        MHD_destroy_response(x->response);
        x->response = NULL;
    }
}

/* r may be null. */
static bool prepare(struct http_exchange *x, unsigned status, const char *content_type,
                    struct MHD_Response *r)
{
    must(x->response == NULL);
    if (r == NULL) {
        return false;
    }
    if (content_type != NULL && MHD_add_response_header(r, "Content-Type", content_type) != MHD_YES) {
        MHD_destroy_response(r);
        return false;
    }
    x->response = r;
    x->status = status;
    return response_finish(x);
}

bool response_of_body(struct http_exchange *x, unsigned status, const char *content_type,
                      struct str body)
{
    /* With MHD_RESPMEM_MUST_COPY the library does not write to it, whatever its prototype says. */
    void *bytes = (void *)(uintptr_t)body.ptr;
    return prepare(x, status, content_type,
                   MHD_create_response_from_buffer(body.len, bytes, MHD_RESPMEM_MUST_COPY));
}

/* Only inside on_request. */
static enum MHD_Result send_response(struct http_exchange *x)
{
    must(x->response != NULL);
    enum MHD_Result result = MHD_queue_response(x->mhd, x->status, x->response);
    MHD_destroy_response(x->response);
    x->response = NULL;
    return result;
}

static ssize_t read_stream(void *context, uint64_t position, char *out, size_t max)
{
    (void)position;
    struct http_exchange *x = context;
    x->server->more = true;
    if (x->state == EXCHANGE_LOST || x->server->closing) {
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    size_t n = exchange_stream_take(x, out, max);
    if (n > 0) {
        return (ssize_t)n;
    }
    if (x->state == EXCHANGE_ENDING) {
        return MHD_CONTENT_READER_END_OF_STREAM;
    }
    suspend(x);
    return 0;
}

bool response_of_stream(struct http_exchange *x, const char *content_type)
{
    return prepare(
        x, MHD_HTTP_OK, content_type,
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_stream, x, NULL));
}

/* Requests. */

static enum MHD_Result on_header(void *context, enum MHD_ValueKind kind, const char *name,
                                 size_t name_size, const char *value, size_t value_size)
{
    (void)kind;
    head_check_header(context, (struct str){name, name_size}, (struct str){value, value_size});
    return MHD_YES;
}

void exchange_check_head(struct http_exchange *x, struct head_check *c)
{
    MHD_get_connection_values_n(x->mhd, MHD_HEADER_KIND, on_header, c);
    c->bytes =
        MHD_get_connection_info(x->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)->header_size;
}

/* The library calls it for the head, for each piece of the body, for the end of the request, and
 * then in each round until there is a response. */
static enum MHD_Result on_request(void *context, struct MHD_Connection *mhd, const char *url,
                                  const char *method, const char *version, const char *bytes,
                                  size_t *size, void **slot)
{
    (void)url;
    (void)version;
    struct http_server *s = context;
    struct http_exchange *x = *slot;
    if (x == NULL || s->closing) {
        return MHD_NO;
    }
    must(x->mhd == mhd);
    struct str piece = {bytes, *size};
    *size = 0; /* all of it is taken */
    switch (request_step(x, method, piece.len > 0 ? &piece : NULL)) {
    case STEP_GO_ON:
        return MHD_YES;
    case STEP_SEND:
        return send_response(x);
    case STEP_SUSPEND:
        suspend(x);
        return MHD_YES;
    case STEP_CLOSE:
    default:
        return MHD_NO;
    }
}

struct str http_header(struct http_exchange *x, const char *name)
{
    struct str value = STR("");
    if (x->state != EXCHANGE_LOST) {
        (void)MHD_lookup_connection_value_n(x->mhd, MHD_HEADER_KIND, name, strlen(name), &value.ptr,
                                            &value.len);
    }
    return value;
}

/* The request line is in: the only moment when it can be had as it was sent. */
static void *on_uri(void *context, const char *uri, struct MHD_Connection *mhd)
{
    struct http_server *s = context;
    struct http_connection *c =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    struct http_exchange *x = c == NULL ? NULL : exchange_acquire(&s->pool);
    if (x == NULL) {
        return NULL;
    }
    x->server = s;
    x->mhd = mhd;
    x->connection = c;
    c->exchange = x;
    buf_put(&x->uri, uri, strlen(uri));
    return x;
}

static void on_completed(void *context, struct MHD_Connection *mhd, void **slot,
                         enum MHD_RequestTerminationCode why)
{
    (void)mhd;
    (void)why;
    struct http_server *s = context;
    struct http_exchange *x = *slot;
    *slot = NULL;
    if (x == NULL) {
        return;
    }
    exchange_lose(x);
    response_drop(x);
    x->connection->exchange = NULL;
    x->connection->since_ms = s->now_ms;
    exchange_release(&s->pool, x);
}

/* Paths and queries are decoded by those who read them: %2F is not a slash. */
static size_t leave_escaped(void *context, struct MHD_Connection *mhd, char *text)
{
    (void)context;
    (void)mhd;
    return strlen(text);
}

/* Connections. */

static void connection_opened(struct http_server *s, struct MHD_Connection *mhd, void **slot)
{
    s->connection_count++;
    if (s->connection_count == 1) {
        loop_timer_set(s->sweep, HTTP_SWEEP_MS);
    }
    int fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    *slot = connection_add(&s->connections, fd, s->now_ms);
}

static void connection_closed(struct http_server *s, struct http_connection *c)
{
    must(s->connection_count > 0);
    s->connection_count--;
    if (c != NULL) {
        connection_remove(&s->connections, c);
    }
}

static void on_connection(void *context, struct MHD_Connection *mhd, void **slot,
                          enum MHD_ConnectionNotificationCode what)
{
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        connection_opened(context, mhd, slot);
    } else {
        connection_closed(context, *slot);
        *slot = NULL;
    }
}

static void on_sweep(void *context)
{
    struct http_server *s = context;
    s->now_ms = clock_monotonic_us() / 1000;
    exchange_pool_sweep(&s->pool, exchange_drop);
    connections_sweep(&s->connections, s->now_ms, (int64_t)s->options.request_s * 1000);
    run(s); /* closes what has been idle too long */
    if (s->connection_count > 0) {
        loop_timer_set(s->sweep, HTTP_SWEEP_MS);
    }
}

/* Start and end. */

static void on_library_log(void *context, const char *format, va_list args) PRINTF(2, 0);

static void on_library_log(void *context, const char *format, va_list args)
{
    struct http_server *s = context;
    if (s->daemon == NULL && s->start_error[0] == '\0') {
        vsnprintf(s->start_error, sizeof s->start_error, format, args);
        s->start_error[strcspn(s->start_error, "\n")] = '\0';
    }
}

static enum rc start_daemon(struct http_server *s, struct err *e)
{
    const struct http_server_options *o = &s->options;
    /* The library closes its socket also when it fails, but not always: it gets one of its own. */
    int fd = fcntl(s->listener.fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0) {
        return err_set(e, RC_UNAVAILABLE, "HTTP server can't start: %s", strerror(errno));
    }
    struct MHD_OptionItem items[] = {
        {MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)on_library_log, s},
        {MHD_OPTION_LISTEN_SOCKET, fd, NULL},
        {MHD_OPTION_CONNECTION_LIMIT, (intptr_t)o->connections_max, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)o->idle_s, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, POOL_BYTES, NULL},
        {MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
        {MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, NULL},
        {MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)leave_escaped, NULL},
        {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)on_uri, s},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, s},
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, s},
        {s->tls ? MHD_OPTION_HTTPS_MEM_CERT : MHD_OPTION_END, 0,
         (void *)(uintptr_t)o->tls_cert_pem},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)o->tls_key_pem},
        {MHD_OPTION_END, 0, NULL},
    };
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    s->daemon = MHD_start_daemon(s->tls ? flags | MHD_USE_TLS : flags, 0, NULL, NULL, on_request, s,
                                 MHD_OPTION_ARRAY, items, MHD_OPTION_END);
    if (s->daemon != NULL) {
        return RC_OK;
    }
    return err_set(e, s->tls ? RC_INVALID : RC_UNAVAILABLE, "HTTP server can't start: %s",
                   s->start_error[0] != '\0' ? s->start_error : "no reason given");
}

static enum rc attach(struct http_server *s, struct err *e)
{
    enum rc rc = loop_timer_new(s->loop, on_flush, s, &s->flush, e);
    if (rc == RC_OK) {
        rc = loop_timer_new(s->loop, on_sweep, s, &s->sweep, e);
    }
    if (rc == RC_OK) {
        int fd = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
        rc = loop_watch(s->loop, fd, LOOP_READ, on_ready, s, &s->watch, e);
    }
    return rc;
}

enum rc http_server_start(struct loop *l, const struct http_server_options *options,
                          struct http_server **ret, struct err *e)
{
    must((options->host != NULL) != (options->socket_path != NULL));
    must((options->tls_cert_pem != NULL) == (options->tls_key_pem != NULL));
    must(options->handle != NULL && options->problem != NULL);
    struct http_server *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return err_set(e, RC_NO_MEMORY, "no memory for an HTTP server");
    }
    s->loop = l;
    s->flush_ms = -1;
    s->options = *options;
    s->tls = options->tls_cert_pem != NULL;
    s->options.connections_max =
        options->connections_max > 0 ? options->connections_max : HTTP_CONNECTIONS_MAX;
    s->options.idle_s = options->idle_s > 0 ? options->idle_s : HTTP_IDLE_S;
    s->options.request_s = options->request_s > 0 ? options->request_s : HTTP_REQUEST_S;
    enum rc rc = http_listen(&s->listener, &s->options, e);
    if (rc == RC_OK) {
        rc = start_daemon(s, e);
    }
    if (rc == RC_OK) {
        rc = attach(s, e);
    }
    if (rc != RC_OK) {
        http_server_free(s);
        return rc;
    }
    s->options.host = s->options.socket_path = NULL; /* the caller's, for this call only */
    s->options.tls_cert_pem = s->options.tls_key_pem = NULL;
    *ret = s;
    return RC_OK;
}

void http_server_quiesce(struct http_server *s)
{
    if (s->listener.fd >= 0) {
        int fd = s->daemon != NULL ? MHD_quiesce_daemon(s->daemon) : MHD_INVALID_SOCKET;
        if (fd != MHD_INVALID_SOCKET) {
            close(fd);
        }
        http_listener_close(&s->listener);
    }
}

unsigned http_server_exchanges(const struct http_server *s)
{
    return s->exchanges;
}

unsigned http_server_connections(const struct http_server *s)
{
    return s->connection_count;
}

size_t http_server_large_bytes(const struct http_server *s)
{
    return s->large_bytes;
}

uint16_t http_server_port(const struct http_server *s)
{
    return s->listener.port;
}

static void stop_daemon(struct http_server *s)
{
    s->closing = true;
    for (struct http_exchange *x = s->pool.in_use; x != NULL; x = x->next) {
        if (x->suspended) {
            exchange_drop(x);
        }
    }
    /* The library must not be stopped while a connection is suspended. */
    must(MHD_run(s->daemon) == MHD_YES);
    MHD_stop_daemon(s->daemon);
    s->daemon = NULL;
}

void http_server_free(struct http_server *s)
{
    if (s == NULL) {
        return;
    }
    must(!s->running);
    http_server_quiesce(s);
    loop_unwatch(s->watch);
    if (s->daemon != NULL) {
        stop_daemon(s);
    }
    loop_timer_free(s->flush);
    loop_timer_free(s->sweep);
    exchange_pool_done(&s->pool);
    free(s);
}
