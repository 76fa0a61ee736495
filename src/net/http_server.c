/*
 * The HTTP server over libmicrohttpd, driven from outside: its epoll descriptor is watched by our
 * loop, and MHD_run does one round of everything that is ready.
 *
 * An exchange that the handler keeps is held at first: the library asks for its answer again in each
 * round. Suspending would take the connection out of epoll and put it back, which costs as much as a
 * third of the whole request, and most answers come within a commit's time. After HOLD_MS it is
 * suspended and costs nothing any more.
 *
 * The first answer of a round sets a timer of 0 ms, whose MHD_run sends them all. A timer and not
 * loop_before_block, because several servers share a loop and answers may also be given there.
 */
#include "net/http_internal.h"

#include "base/must.h"
#include "sys/clock.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* Memory of one connection for the head of a request and of its answer. The library wipes all of it
     * after each request, so more costs time; less would not hold a head of HTTP_HEAD_BYTES_MAX. */
    POOL_BYTES = 24 << 10,
    STREAM_BLOCK = 16 << 10, /* bytes a stream hands over at a time */
    PROBLEM_MAX = 4 << 10,
    HOLD_MS = 20,
    HOLD_ROUND_MS = 1, /* the longest between two rounds while an exchange is held */
};

struct http_server {
    struct http_server_options options; /* its strings are not kept */
    bool tls;
    struct loop *loop;
    struct MHD_Daemon *daemon;
    struct http_listener listener;
    struct loop_fd *watch;
    struct loop_timer *flush;
    int64_t flush_ms; /* what the timer is set to, or -1 */
    struct loop_timer *sweep;
    bool running; /* inside MHD_run */
    bool closing;
    bool more;    /* this round left work that needs no event to go on */
    unsigned held; /* asked for in this round */
    int64_t now_ms; /* monotonic, of this round */
    unsigned exchanges;
    unsigned connection_count;
    struct connection_list connections;
    struct exchange_pool pool;
    char start_error[ERR_TEXT_MAX]; /* what the library said while it started */
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

/* Lets the library ask for x's answer. */
static void wake(struct http_exchange *x)
{
    if (x->suspended) {
        x->suspended = false;
        MHD_resume_connection(x->mhd);
    }
    schedule_run(x->server, 0);
}

/* Answers. */

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

/* Makes x's response of r, which may be null; false when there is no memory for it. */
static bool prepare(struct http_exchange *x, unsigned status, const char *content_type,
                    struct MHD_Response *r)
{
    must(x->response == NULL);
    if (r == NULL) {
        return false;
    }
    if ((content_type != NULL &&
         MHD_add_response_header(r, "Content-Type", content_type) != MHD_YES) ||
        !add_headers(r, x)) {
        MHD_destroy_response(r);
        return false;
    }
    x->response = r;
    x->status = status;
    return true;
}

static bool prepare_body(struct http_exchange *x, unsigned status, const char *content_type,
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

static enum MHD_Result send_problem(struct http_exchange *x, unsigned status)
{
    struct http_server *s = x->server;
    struct buf body;
    buf_init(&body, PROBLEM_MAX);
    s->options.problem(s->options.context, status, &body);
    bool made = body.rc == RC_OK &&
                prepare_body(x, status, "application/problem+json", buf_view(&body));
    buf_done(&body);
    x->state = EXCHANGE_ANSWERED;
    return made ? send_response(x) : MHD_NO;
}

void http_answer(struct http_exchange *x, unsigned status, const char *content_type,
                 struct str body)
{
    if (x->state == EXCHANGE_LOST) {
        return;
    }
    must(x->state == EXCHANGE_HANDLING || x->state == EXCHANGE_WAITING);
    must(status >= 200 && status <= 599);
    x->server->exchanges--;
    bool waiting = x->state == EXCHANGE_WAITING;
    /* Without memory for an answer the connection is closed, which is an answer too. */
    x->state = prepare_body(x, status, content_type, body) ? EXCHANGE_ANSWERED : EXCHANGE_LOST;
    if (waiting) {
        wake(x);
    }
}

/* The peer is gone, perhaps while the handler has the exchange. */
static void lose(struct http_exchange *x)
{
    struct http_server *s = x->server;
    bool kept = x->state == EXCHANGE_WAITING || x->state == EXCHANGE_STREAMING;
    x->state = EXCHANGE_LOST;
    if (kept) {
        must(s->exchanges > 0);
        s->exchanges--;
        if (s->options.gone != NULL) {
            s->options.gone(s->options.context, x);
        }
    }
}

/* The same found by us: the library is to close the connection. */
static void drop(struct http_exchange *x)
{
    lose(x);
    wake(x);
}

/* Streams. */

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
    must(!x->suspended);
    x->suspended = true;
    MHD_suspend_connection(x->mhd);
    return 0;
}

void http_stream_start(struct http_exchange *x, const char *content_type)
{
    if (x->state == EXCHANGE_LOST) {
        return;
    }
    must(x->state == EXCHANGE_HANDLING || x->state == EXCHANGE_WAITING);
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_stream, x, NULL);
    bool made = prepare(x, MHD_HTTP_OK, content_type, response);
    x->state = EXCHANGE_STREAMING;
    if (!made) {
        lose(x);
    }
    wake(x);
}

/* A stream that is not suspended is being written already. */
static void wake_stream(struct http_exchange *x)
{
    if (x->suspended) {
        wake(x);
    }
}

enum rc http_stream_put(struct http_exchange *x, struct str bytes)
{
    if (x->state == EXCHANGE_LOST) {
        return RC_OK;
    }
    must(x->state == EXCHANGE_STREAMING);
    enum rc rc = exchange_stream_put(x, bytes);
    wake_stream(x);
    return rc;
}

void http_stream_end(struct http_exchange *x)
{
    if (x->state == EXCHANGE_LOST) {
        return;
    }
    must(x->state == EXCHANGE_STREAMING);
    x->server->exchanges--;
    x->state = EXCHANGE_ENDING;
    wake_stream(x);
}

/* Requests. */

static enum MHD_Result on_header(void *context, enum MHD_ValueKind kind, const char *name,
                                 size_t name_size, const char *value, size_t value_size)
{
    (void)kind;
    head_check_header(context, (struct str){name, name_size}, (struct str){value, value_size});
    return MHD_YES;
}

static size_t head_size(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return info == NULL ? 0 : info->header_size;
}

static size_t max_body(const struct http_exchange *x)
{
    const struct http_server_options *o = &x->server->options;
    return o->max_body == NULL ? HTTP_BODY_MAX
                               : o->max_body(o->context, x->request.method, x->request.path);
}

/* The head is in. A refusal given here makes the library close the connection after it. */
static enum MHD_Result on_head(struct http_exchange *x, const char *method)
{
    x->head_read = true;
    struct head_check c = {0};
    MHD_get_connection_values_n(x->mhd, MHD_HEADER_KIND, on_header, &c);
    if (x->uri.rc != RC_OK || c.headers > HTTP_HEADERS_MAX ||
        head_size(x->mhd) > HTTP_HEAD_BYTES_MAX) {
        return send_problem(x, MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE);
    }
    if (!head_check_passed(&c)) {
        return send_problem(x, MHD_HTTP_BAD_REQUEST);
    }
    exchange_read_line(x, method);
    x->body.max = max_body(x);
    x->body_length = c.chunked ? UINT64_MAX : c.length;
    if (c.length <= x->body.max) {
        return MHD_YES;
    }
    bool asks_first = http_header(x, "Expect").len > 0;
    if (asks_first || c.length > HTTP_DISCARD_MAX) {
        return send_problem(x, MHD_HTTP_CONTENT_TOO_LARGE);
    }
    x->refusal = MHD_HTTP_CONTENT_TOO_LARGE;
    return MHD_YES;
}

static enum MHD_Result on_body(struct http_exchange *x, const char *bytes, size_t *size)
{
    size_t len = *size;
    *size = 0;
    if (x->refusal == 0) {
        buf_put(&x->body, bytes, len);
        /* The library may have more of it in hand than it could give. */
        x->server->more = x->server->more || x->body.len < x->body_length;
        if (x->body.rc == RC_OK) {
            return MHD_YES;
        }
        x->refusal = x->body.rc == RC_LIMIT ? MHD_HTTP_CONTENT_TOO_LARGE
                                            : MHD_HTTP_SERVICE_UNAVAILABLE;
    }
    x->server->more = true;
    x->discarded += len;
    return x->discarded <= HTTP_DISCARD_MAX ? MHD_YES : MHD_NO;
}

static enum MHD_Result hold(struct http_exchange *x)
{
    struct http_server *s = x->server;
    if (s->now_ms - x->held_since_ms < HOLD_MS) {
        s->held++;
    } else {
        x->suspended = true;
        MHD_suspend_connection(x->mhd);
    }
    return MHD_YES;
}

static enum MHD_Result on_whole(struct http_exchange *x)
{
    struct http_server *s = x->server;
    if (x->refusal != 0) {
        return send_problem(x, x->refusal);
    }
    x->request.body = buf_view(&x->body);
    x->request.peer_uid = x->connection->peer_uid;
    x->request.tls = s->tls;
    x->state = EXCHANGE_HANDLING;
    s->exchanges++;
    s->options.handle(s->options.context, x, &x->request);
    if (x->state == EXCHANGE_HANDLING) {
        x->state = EXCHANGE_WAITING;
        x->held_since_ms = s->now_ms;
        return hold(x);
    }
    return x->state == EXCHANGE_LOST ? MHD_NO : send_response(x);
}

static enum MHD_Result on_reading(struct http_exchange *x, const char *method, const char *bytes,
                                  size_t *size)
{
    if (!x->head_read) {
        return on_head(x, method);
    }
    return *size > 0 ? on_body(x, bytes, size) : on_whole(x);
}

/* The library calls it for the head, for each piece of the body, for the end of the request, and then
 * in each round until there is a response. */
static enum MHD_Result on_request(void *context, struct MHD_Connection *mhd, const char *url,
                                  const char *method, const char *version, const char *bytes,
                                  size_t *size, void **slot)
{
    (void)url;
    (void)version;
    struct http_server *s = context;
    struct http_exchange *x = *slot;
    if (x == NULL || s->closing || x->state == EXCHANGE_LOST) {
        return MHD_NO;
    }
    must(x->mhd == mhd);
    if (x->state == EXCHANGE_READING) {
        return on_reading(x, method, bytes, size);
    }
    if (x->state == EXCHANGE_WAITING) {
        return hold(x);
    }
    s->more = true;
    return send_response(x);
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
    lose(x);
    if (x->response != NULL) {
        MHD_destroy_response(x->response);
        x->response = NULL;
    }
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
    exchange_pool_sweep(&s->pool, drop);
    connections_shut_slow(&s->connections, s->now_ms - (int64_t)s->options.request_s * 1000);
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
    bool tls = o->tls_cert_pem != NULL;
    struct MHD_OptionItem tls_options[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)o->tls_cert_pem},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)o->tls_key_pem},
        {MHD_OPTION_END, 0, NULL},
    };
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    s->daemon = MHD_start_daemon(
        tls ? flags | MHD_USE_TLS : flags, 0, NULL, NULL, on_request, s,
        MHD_OPTION_EXTERNAL_LOGGER, on_library_log, s,
        MHD_OPTION_LISTEN_SOCKET, s->listener.fd,
        MHD_OPTION_CONNECTION_LIMIT, o->connections_max,
        MHD_OPTION_CONNECTION_TIMEOUT, o->idle_s,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL_BYTES,
        MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
        MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL,
        MHD_OPTION_URI_LOG_CALLBACK, on_uri, s,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, s,
        MHD_OPTION_ARRAY, tls ? tls_options : &tls_options[2],
        MHD_OPTION_END);
    if (s->daemon != NULL) {
        return RC_OK;
    }
    return err_set(e, tls ? RC_INVALID : RC_UNAVAILABLE, "HTTP server can't start: %s",
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
    s->options.connections_max = options->connections_max > 0 ? options->connections_max
                                                              : HTTP_CONNECTIONS_MAX;
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
    *ret = s;
    return RC_OK;
}

void http_server_quiesce(struct http_server *s)
{
    if (s->listener.fd >= 0) {
        if (s->daemon != NULL) {
            (void)MHD_quiesce_daemon(s->daemon);
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

uint16_t http_server_port(const struct http_server *s)
{
    return s->listener.port;
}

static void stop_daemon(struct http_server *s)
{
    s->closing = true;
    for (struct http_exchange *x = s->pool.in_use; x != NULL; x = x->next) {
        if (x->suspended) {
            drop(x);
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
