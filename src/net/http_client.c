/*
 * HTTP out over libcurl. A blocking call is one curl_easy_perform; calls on the loop share one
 * multi handle whose sockets and timer are watched by the loop.
 */
#include "net/http_client.h"

#include "base/buf.h"
#include "base/must.h"
#include "net/sigpipe.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* One call: libcurl's handle and where the reply goes. */
struct transfer {
    CURL *easy;
    struct curl_slist *headers;
    struct buf body;
    http_piece_fn piece; /* null: the body is collected */
    void *piece_context;
    unsigned *ret_status;
    bool ended; /* by piece */
    char message[CURL_ERROR_SIZE];
};

static unsigned status_of(const struct transfer *t)
{
    long status = 0;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    return (unsigned)status;
}

/* Anything but the size it was given makes libcurl end the call. */
static size_t on_bytes(char *bytes, size_t one, size_t size, void *context)
{
    struct transfer *t = context;
    must(one == 1);
    if (t->piece == NULL) {
        buf_put(&t->body, bytes, size);
        return t->body.rc == RC_OK ? size : CURL_WRITEFUNC_ERROR;
    }
    *t->ret_status = status_of(t);
    t->ended = !t->piece(t->piece_context, (struct str){bytes, size});
    return t->ended ? CURL_WRITEFUNC_ERROR : size;
}

static bool has_header(const struct http_call *call, const char *prefix)
{
    for (size_t i = 0; i < HTTP_CALL_HEADERS_MAX && call->headers[i] != NULL; i++) {
        if (strncasecmp(call->headers[i], prefix, strlen(prefix)) == 0) {
            return true;
        }
    }
    return false;
}

static bool add_line(struct transfer *t, const char *line)
{
    struct curl_slist *longer = curl_slist_append(t->headers, line);
    if (longer == NULL) {
        return false;
    }
    t->headers = longer;
    return true;
}

static bool add_headers(struct transfer *t, const struct http_call *call)
{
    for (size_t i = 0; i < HTTP_CALL_HEADERS_MAX && call->headers[i] != NULL; i++) {
        if (!add_line(t, call->headers[i])) {
            return false;
        }
    }
    /* A name without a value keeps libcurl from adding its own: no waiting for a 100 Continue, no
     * form type for what is no form. */
    return add_line(t, "Expect:") &&
           (has_header(call, "Content-Type:") || add_line(t, "Content-Type:"));
}

/* copy: whether the body's bytes must outlive this call. */
static void set_body(CURL *easy, const struct http_call *call, bool copy)
{
    if (strcmp(call->method, "HEAD") == 0) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
        return;
    }
    if (call->body.len > 0 || strcmp(call->method, "POST") == 0 ||
        strcmp(call->method, "PUT") == 0) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.len);
        const char *bytes = call->body.len > 0 ? call->body.ptr : "";
        curl_easy_setopt(easy, copy ? CURLOPT_COPYPOSTFIELDS : CURLOPT_POSTFIELDS, bytes);
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call->method);
}

static void set_peer(CURL *easy, const struct http_call *call)
{
    curl_easy_setopt(easy, CURLOPT_URL, call->url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    if (call->socket_path != NULL) {
        curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, call->socket_path);
    }
    if (call->ca_file != NULL) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, call->ca_file);
    }
}

static enum rc transfer_init(struct transfer *t, const struct http_call *call, bool copy,
                             struct err *e)
{
    must(call->timeout_ms > 0 && call->method != NULL && call->url != NULL);
    *t = (struct transfer){.easy = curl_easy_init()};
    size_t reply_max = call->reply_max > 0 ? call->reply_max : HTTP_REPLY_MAX;
    buf_init(&t->body, reply_max);
    if (t->easy == NULL || !add_headers(t, call)) {
        return err_set(e, RC_NO_MEMORY, "no memory for an HTTP call");
    }
    set_peer(t->easy, call);
    set_body(t->easy, call, copy);
    curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
    curl_easy_setopt(t->easy, CURLOPT_USERAGENT, "pawl");
    curl_easy_setopt(t->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(t->easy, CURLOPT_TIMEOUT_MS, (long)call->timeout_ms);
    curl_easy_setopt(t->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->message);
    return RC_OK;
}

static void transfer_done(struct transfer *t)
{
    curl_easy_cleanup(t->easy);
    curl_slist_free_all(t->headers);
    buf_done(&t->body);
}

static enum rc transfer_failed(const struct transfer *t, CURLcode code, struct err *e)
{
    const char *text = t->message[0] != '\0' ? t->message : curl_easy_strerror(code);
    long sent = 0; /* bytes of requests */
    curl_easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &sent);
    switch (code) {
    case CURLE_URL_MALFORMAT:
        return err_set(e, RC_INVALID, "not an HTTP address: %s", text);
    case CURLE_UNSUPPORTED_PROTOCOL:
        /* Also what libcurl says of a peer that does not speak HTTP. */
        return sent == 0 ? err_set(e, RC_INVALID, "not an HTTP address: %s", text)
                         : err_set(e, RC_UNAVAILABLE, "answer is not HTTP: %s", text);
    case CURLE_OUT_OF_MEMORY:
        return err_set(e, RC_NO_MEMORY, "no memory for an HTTP call");
    case CURLE_OPERATION_TIMEDOUT:
        return err_set(e, RC_UNAVAILABLE, "no answer in time: %s", text);
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
        return err_set(e, RC_UNAVAILABLE, "no connection: %s", text);
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
        return err_set(e, RC_UNAVAILABLE, "answer was cut short: %s", text);
    default:
        return err_set(e, RC_UNAVAILABLE, "HTTP call failed: %s", text);
    }
}

static enum rc transfer_rc(const struct transfer *t, CURLcode code, struct err *e)
{
    if (code == CURLE_OK || t->ended) {
        return RC_OK;
    }
    if (t->body.rc == RC_LIMIT) {
        return err_set(e, RC_LIMIT, "answer is longer than %zu bytes", t->body.max);
    }
    if (t->body.rc != RC_OK) {
        return err_set(e, t->body.rc, "no memory for the answer");
    }
    return transfer_failed(t, code, e);
}

/* Borrows: everything from t. */
static struct http_reply transfer_reply(const struct transfer *t)
{
    const char *type = NULL;
    curl_easy_getinfo(t->easy, CURLINFO_CONTENT_TYPE, &type);
    struct curl_header *later = NULL;
    if (curl_easy_header(t->easy, "Retry-After", 0, CURLH_HEADER, -1, &later) != CURLHE_OK) {
        later = NULL;
    }
    return (struct http_reply){
        .status = status_of(t),
        .body = buf_view(&t->body),
        .content_type = str_from(type),
        .retry_after = str_from(later != NULL ? later->value : NULL),
    };
}

/* Blocking. */

static CURLcode perform(struct transfer *t)
{
    struct sigpipe held;
    sigpipe_hold(&held);
    CURLcode code = curl_easy_perform(t->easy);
    sigpipe_release(&held);
    return code;
}

enum rc http_fetch(struct arena *a, const struct http_call *call, struct http_reply *ret,
                   struct err *e)
{
    struct transfer t;
    enum rc rc = transfer_init(&t, call, false, e);
    if (rc == RC_OK) {
        rc = transfer_rc(&t, perform(&t), e);
    }
    if (rc == RC_OK) {
        struct http_reply reply = transfer_reply(&t);
        reply.body = arena_str(a, reply.body);
        reply.content_type = arena_str(a, reply.content_type);
        reply.retry_after = arena_str(a, reply.retry_after);
        rc = arena_rc(a);
        if (rc == RC_OK) {
            *ret = reply;
        } else {
            err_set(e, rc, "no room for an answer of %zu bytes", t.body.len);
        }
    }
    transfer_done(&t);
    return rc;
}

enum rc http_fetch_stream(const struct http_call *call, http_piece_fn fn, void *context,
                          unsigned *ret_status, struct err *e)
{
    struct transfer t;
    enum rc rc = transfer_init(&t, call, false, e);
    if (rc == RC_OK) {
        t.piece = fn;
        t.piece_context = context;
        t.ret_status = ret_status;
        rc = transfer_rc(&t, perform(&t), e);
    }
    if (rc == RC_OK) {
        *ret_status = status_of(&t);
    }
    transfer_done(&t);
    return rc;
}

/* On the loop. */

struct http_client_call {
    struct transfer transfer;
    struct http_client *client;
    http_reply_fn fn;
    void *context;
    struct http_client_call *prev;
    struct http_client_call *next;
};

/* A descriptor that libcurl wants watched. */
struct client_socket {
    struct loop_fd *watch;
    struct http_client *client;
};

struct http_client {
    struct loop *loop;
    CURLM *multi;
    struct loop_timer *timer;
    struct http_client_call *calls;
    bool finishing; /* callbacks are running */
};

static void call_free(struct http_client_call *call)
{
    struct http_client *c = call->client;
    must(curl_multi_remove_handle(c->multi, call->transfer.easy) == CURLM_OK);
    if (call->prev != NULL) {
        call->prev->next = call->next;
    } else {
        must(c->calls == call);
        c->calls = call->next;
    }
    if (call->next != NULL) {
        call->next->prev = call->prev;
    }
    transfer_done(&call->transfer);
    free(call);
}

static void call_finish(struct http_client_call *call, CURLcode code)
{
    struct err e = {0};
    struct http_reply reply = {0};
    enum rc rc = transfer_rc(&call->transfer, code, &e);
    if (rc == RC_OK) {
        reply = transfer_reply(&call->transfer);
    }
    call->fn(call->context, rc == RC_OK ? &reply : NULL, &e);
    call_free(call);
}

/* A callback may start and cancel calls: a cancelled one's message is dropped by libcurl. */
static void finish_calls(struct http_client *c)
{
    must(!c->finishing);
    c->finishing = true;
    int left;
    CURLMsg *m;
    while ((m = curl_multi_info_read(c->multi, &left)) != NULL) {
        if (m->msg == CURLMSG_DONE) {
            struct http_client_call *call = NULL;
            curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &call);
            call_finish(call, m->data.result);
        }
    }
    c->finishing = false;
}

static void act(struct http_client *c, curl_socket_t fd, int what)
{
    int running;
    must(curl_multi_socket_action(c->multi, fd, what, &running) == CURLM_OK);
    finish_calls(c);
}

static void on_client_ready(void *context, int fd, int events)
{
    struct client_socket *s = context;
    act(s->client, fd,
        (events & LOOP_READ ? CURL_CSELECT_IN : 0) | (events & LOOP_WRITE ? CURL_CSELECT_OUT : 0));
}

static void on_client_timer(void *context)
{
    act(context, CURL_SOCKET_TIMEOUT, 0);
}

static int set_client_timer(CURLM *multi, long delay_ms, void *context)
{
    (void)multi;
    struct http_client *c = context;
    if (delay_ms < 0) {
        loop_timer_clear(c->timer);
    } else {
        loop_timer_set(c->timer, delay_ms);
    }
    return 0;
}

static struct client_socket *socket_new(struct http_client *c, curl_socket_t fd)
{
    struct client_socket *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return NULL;
    }
    s->client = c;
    if (loop_watch(c->loop, fd, 0, on_client_ready, s, &s->watch, NULL) != RC_OK) {
        free(s);
        return NULL;
    }
    curl_multi_assign(c->multi, fd, s);
    return s;
}

static int watch_client_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *slot)
{
    (void)easy;
    struct http_client *c = context;
    struct client_socket *s = slot;
    if (what == CURL_POLL_REMOVE) {
        if (s != NULL) {
            loop_unwatch(s->watch);
            free(s);
            curl_multi_assign(c->multi, fd, NULL);
        }
        return 0;
    }
    if (s == NULL) {
        s = socket_new(c, fd);
    }
    /* Without memory for it the call ends by its time-out; an error here would end all calls. */
    if (s != NULL) {
        loop_rewatch(s->watch, (what & CURL_POLL_IN ? LOOP_READ : 0) |
                                   (what & CURL_POLL_OUT ? LOOP_WRITE : 0));
    }
    return 0;
}

enum rc http_client_new(struct loop *l, struct http_client **ret, struct err *e)
{
    struct http_client *c = calloc(1, sizeof *c);
    CURLM *multi = c == NULL ? NULL : curl_multi_init();
    if (multi == NULL) {
        free(c);
        return err_set(e, RC_NO_MEMORY, "no memory for an HTTP client");
    }
    c->loop = l;
    c->multi = multi;
    enum rc rc = loop_timer_new(l, on_client_timer, c, &c->timer, e);
    if (rc != RC_OK) {
        curl_multi_cleanup(multi);
        free(c);
        return rc;
    }
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, watch_client_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, c);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, set_client_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, c);
    *ret = c;
    return RC_OK;
}

void http_client_free(struct http_client *c)
{
    if (c == NULL) {
        return;
    }
    must(!c->finishing);
    struct http_client_call *call = c->calls;
    while (call != NULL) {
        struct http_client_call *next = call->next;
        call_free(call);
        call = next;
    }
    curl_multi_cleanup(c->multi);
    loop_timer_free(c->timer);
    free(c);
}

enum rc http_client_start(struct http_client *c, const struct http_call *spec, http_reply_fn fn,
                          void *context, struct http_client_call **ret, struct err *e)
{
    struct http_client_call *call = calloc(1, sizeof *call);
    if (call == NULL) {
        return err_set(e, RC_NO_MEMORY, "no memory for an HTTP call");
    }
    call->client = c;
    call->fn = fn;
    call->context = context;
    enum rc rc = transfer_init(&call->transfer, spec, true, e);
    if (rc == RC_OK) {
        curl_easy_setopt(call->transfer.easy, CURLOPT_PRIVATE, call);
        if (curl_multi_add_handle(c->multi, call->transfer.easy) != CURLM_OK) {
            rc = err_set(e, RC_NO_MEMORY, "no memory for an HTTP call");
        }
    }
    if (rc != RC_OK) {
        transfer_done(&call->transfer);
        free(call);
        return rc;
    }
    call->next = c->calls;
    if (c->calls != NULL) {
        c->calls->prev = call;
    }
    c->calls = call;
    *ret = call;
    return RC_OK;
}

void http_client_cancel(struct http_client_call *call)
{
    call_free(call);
}
