/* http_client: against a peer that answers whatever bytes the test wants, or nothing. */
#include "net/http_client.h"

#include "base/buf.h"
#include "base/must.h"
#include "check.h"
#include "raw_peer.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

enum { REQUEST_MAX = 256 << 10, WAIT_MS = PEER_WAIT_S * 1000 };

/* Answers each connection's first request with the same bytes, from its own thread. */
struct canned {
    int listener;
    uint16_t port;
    struct str answer;
    bool hold;                 /* after the answer: keeps the connection open until the end */
    bool reset;                /* after the answer: closes it hard */
    char request[REQUEST_MAX]; /* the last one */
    size_t request_len;
    atomic_uint served;
    int held[64];
    size_t held_count;
    pthread_t thread;
};

/* Reads a request until its body, if it has a length, is whole. */
static void read_request(struct canned *c, int fd)
{
    size_t want = SIZE_MAX;
    c->request_len = 0;
    while (c->request_len < want && c->request_len < REQUEST_MAX - 1) {
        ssize_t n = recv(fd, c->request + c->request_len, REQUEST_MAX - 1 - c->request_len, 0);
        if (n <= 0) {
            return;
        }
        c->request_len += (size_t)n;
        c->request[c->request_len] = '\0';
        const char *end = strstr(c->request, "\r\n\r\n");
        const char *length = strstr(c->request, "Content-Length: ");
        if (end != NULL) {
            size_t head = (size_t)(end - c->request) + 4;
            want = head + (length != NULL && length < end ? strtoul(length + 16, NULL, 10) : 0);
        }
    }
}

static void serve_one(struct canned *c, int fd)
{
    peer_limit(fd);
    read_request(c, fd);
    (void)peer_send(fd, c->answer);
    if (c->hold) {
        must(c->held_count < 64);
        c->held[c->held_count++] = fd;
    } else {
        struct linger hard = {.l_onoff = 1};
        if (c->reset) {
            usleep(20000); /* the answer is read before the reset comes */
            (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        }
        close(fd);
    }
    c->served++;
}

static void *serve(void *context)
{
    struct canned *c = context;
    int fd;
    while ((fd = accept(c->listener, NULL, NULL)) >= 0) {
        serve_one(c, fd);
    }
    for (size_t i = 0; i < c->held_count; i++) {
        close(c->held[i]);
    }
    return NULL;
}

static struct canned *canned_start(struct str answer)
{
    struct canned *c = calloc(1, sizeof *c);
    assert_non_null(c);
    c->answer = answer;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof at;
    c->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(c->listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(c->listener, 64), 0);
    assert_int_equal(getsockname(c->listener, (struct sockaddr *)&at, &size), 0);
    c->port = ntohs(at.sin_port);
    assert_int_equal(pthread_create(&c->thread, NULL, serve, c), 0);
    return c;
}

static void canned_stop(struct canned *c)
{
    shutdown(c->listener, SHUT_RDWR);
    assert_int_equal(pthread_join(c->thread, NULL), 0);
    close(c->listener);
    free(c);
}

static struct http_call get(char *url, size_t size, uint16_t port, const char *path)
{
    snprintf(url, size, "http://127.0.0.1:%u%s", port, path);
    return (struct http_call){.method = "GET", .url = url, .timeout_ms = WAIT_MS};
}

static const char hello[] = "HTTP/1.1 201 Created\r\nContent-Type: text/x\r\nRetry-After: 7\r\n"
                            "Content-Length: 5\r\n\r\nhello";

static void a_reply_is_read(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    struct canned *c = canned_start(str_from(hello));
    char url[64];
    struct http_call call = get(url, sizeof url, c->port, "/a?b");
    struct http_reply r;
    struct err e;
    assert_int_equal(http_fetch(a, &call, &r, &e), RC_OK);
    assert_int_equal(r.status, 201);
    assert_str(r.body, "hello");
    assert_str(r.content_type, "text/x");
    assert_str(r.retry_after, "7");
    canned_stop(c);
    c = canned_start(STR("HTTP/1.1 204 No Content\r\n\r\n"));
    call = get(url, sizeof url, c->port, "/");
    assert_int_equal(http_fetch(a, &call, &r, &e), RC_OK);
    assert_int_equal(r.status, 204);
    assert_str(r.body, "");
    assert_str(r.content_type, "");
    assert_str(r.retry_after, "");
    canned_stop(c);
}

static void assert_request(struct canned *c, const char *part, bool want)
{
    if ((strstr(c->request, part) != NULL) != want) {
        fail_msg("\"%s\" is %sin: %s", part, want ? "not " : "", c->request);
    }
}

static void a_request_is_what_was_asked_for(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    static char large[100 << 10];
    memset(large, 'l', sizeof large);
    const struct {
        const char *method;
        struct str body;
        const char *line;
        const char *length;
    } cases[] = {
        {"GET", STR(""), "GET /p?q HTTP/1.1\r\n", NULL},
        {"POST", STR("body"), "POST /p?q HTTP/1.1\r\n", "Content-Length: 4\r\n"},
        {"POST", STR(""), "POST /p?q HTTP/1.1\r\n", "Content-Length: 0\r\n"},
        {"PUT", {large, sizeof large}, "PUT /p?q HTTP/1.1\r\n", "Content-Length: 102400\r\n"},
        {"DELETE", STR(""), "DELETE /p?q HTTP/1.1\r\n", NULL},
        {"HEAD", STR(""), "HEAD /p?q HTTP/1.1\r\n", NULL},
    };
    assert_int_equal(setenv("http_proxy", "http://127.0.0.1:1", 1), 0); /* not asked */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct canned *c = canned_start(str_from(hello));
        char url[64];
        struct http_call call = get(url, sizeof url, c->port, "/p?q");
        call.method = cases[i].method;
        call.body = cases[i].body;
        call.headers[0] = "X-One: 1";
        call.headers[1] = i == 1 ? "content-type: application/json" : NULL;
        struct http_reply r;
        struct err e;
        assert_int_equal(http_fetch(a, &call, &r, &e), RC_OK);
        assert_true(str_starts(str_from(c->request), str_from(cases[i].line)));
        assert_request(c, "\r\nX-One: 1\r\n", true);
        assert_request(c, "Expect:", false);
        assert_request(c, "\r\nContent-Type:", false);
        assert_request(c, "\r\ncontent-type: application/json\r\n", i == 1);
        assert_request(c, cases[i].length != NULL ? cases[i].length : "Content-Length",
                       cases[i].length != NULL);
        struct str sent = {c->request, c->request_len};
        assert_true(str_ends(sent, cases[i].body));
        canned_stop(c);
    }
    assert_int_equal(unsetenv("http_proxy"), 0);
}

static void redirects_are_not_followed(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    struct canned *c = canned_start(STR("HTTP/1.1 302 Found\r\nLocation: /other\r\n"
                                        "Content-Length: 0\r\n\r\n"));
    char url[64];
    struct http_call call = get(url, sizeof url, c->port, "/");
    struct http_reply r;
    struct err e;
    assert_int_equal(http_fetch(a, &call, &r, &e), RC_OK);
    assert_int_equal(r.status, 302);
    assert_int_equal(c->served, 1);
    canned_stop(c);
}

/* What goes wrong, the same for both ways of calling. */
struct failure {
    const char *answer; /* null: nobody listens */
    bool hold;
    bool reset;
    int64_t timeout_ms;
    size_t reply_max;
    const char *url; /* null: the canned peer's */
    enum rc want;
    const char *part;
};

static const struct failure failures[] = {
    {NULL, false, false, WAIT_MS, 0, NULL, RC_UNAVAILABLE, "no connection: "},
    {"", true, false, 100, 0, NULL, RC_UNAVAILABLE, "no answer in time: "},
    {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", true, false, 100, 0, NULL, RC_UNAVAILABLE,
     "no answer in time: "},
    {"", false, false, WAIT_MS, 0, NULL, RC_UNAVAILABLE, "answer was cut short: "},
    {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", false, false, WAIT_MS, 0, NULL,
     RC_UNAVAILABLE, "answer was cut short: "},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", false, false, WAIT_MS, 0,
     NULL, RC_UNAVAILABLE, "answer was cut short: "},
    {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", false, true, WAIT_MS, 0, NULL,
     RC_UNAVAILABLE, "answer was cut short: "},
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12345", false, false, WAIT_MS, 4, NULL, RC_LIMIT,
     "answer is longer than 4 bytes"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12345", false, false, WAIT_MS, 5, NULL, RC_OK,
     ""},
    {"SSH-2.0-OpenSSH\r\n", false, false, WAIT_MS, 0, NULL, RC_UNAVAILABLE, "answer is not HTTP: "},
    {"", false, false, WAIT_MS, 0, "ftp://127.0.0.1/x", RC_INVALID, "not an HTTP address: "},
    {"", false, false, WAIT_MS, 0, "file:///etc/passwd", RC_INVALID, "not an HTTP address: "},
    {"", false, false, WAIT_MS, 0, "http://", RC_INVALID, "not an HTTP address: "},
};

enum { FAILURES = sizeof failures / sizeof *failures };

/* A port where nobody listens. */
static uint16_t free_port(void)
{
    struct canned *c = canned_start(STR(""));
    uint16_t port = c->port;
    canned_stop(c);
    return port;
}

static struct canned *failure_start(const struct failure *f, char *url, size_t size,
                                    struct http_call *ret_call)
{
    struct canned *c = f->answer == NULL ? NULL : canned_start(str_from(f->answer));
    if (c != NULL) {
        c->hold = f->hold;
        c->reset = f->reset;
    }
    *ret_call = get(url, size, c != NULL ? c->port : free_port(), "/secret?key=secret");
    ret_call->timeout_ms = f->timeout_ms;
    ret_call->reply_max = f->reply_max;
    ret_call->url = f->url != NULL ? f->url : url;
    return c;
}

static void assert_failure(size_t i, enum rc rc, const struct err *e)
{
    if (rc != failures[i].want || strstr(e->text, failures[i].part) == NULL ||
        strstr(e->text, "secret") != NULL) {
        fail_msg("%zu: %s, \"%s\"", i, rc_name(rc), e->text);
    }
}

static void failures_say_what_went_wrong(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    for (size_t i = 0; i < FAILURES; i++) {
        char url[64];
        struct http_call call;
        struct canned *c = failure_start(&failures[i], url, sizeof url, &call);
        struct http_reply r = {.status = 1};
        struct err e = {0};
        enum rc rc = http_fetch(a, &call, &r, &e);
        assert_failure(i, rc, &e);
        assert_true(rc == RC_OK || r.status == 1); /* untouched */
        if (c != NULL) {
            canned_stop(c);
        }
    }
}

static void an_arena_too_small_is_a_limit(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(4);
    struct canned *c = canned_start(str_from(hello));
    char url[64];
    struct http_call call = get(url, sizeof url, c->port, "/");
    struct http_reply r;
    struct err e;
    assert_int_equal(http_fetch(a, &call, &r, &e), RC_LIMIT);
    assert_non_null(strstr(e.text, "no room for an answer of 5 bytes"));
    canned_stop(c);
}

struct pieces {
    struct buf all;
    size_t stop_at;
    unsigned status;
    bool known; /* the status, when the first piece came */
};

static bool on_piece(void *context, struct str piece)
{
    struct pieces *p = context;
    p->known = p->known || (p->all.len == 0 && p->status == 200);
    buf_str(&p->all, piece);
    return p->all.len < p->stop_at;
}

static void a_body_comes_in_pieces(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        bool hold;
        size_t stop_at;
        enum rc want;
        const char *all;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n",
         false, 100, RC_OK, "onetwo"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n", true, 3, RC_OK,
         "one"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n", false, 100,
         RC_UNAVAILABLE, "one"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct canned *c = canned_start(str_from(cases[i].answer));
        c->hold = cases[i].hold;
        char url[64];
        struct http_call call = get(url, sizeof url, c->port, "/");
        struct pieces p = {.stop_at = cases[i].stop_at};
        buf_init(&p.all, 1000);
        struct err e;
        assert_int_equal(http_fetch_stream(&call, on_piece, &p, &p.status, &e), cases[i].want);
        assert_str(buf_view(&p.all), cases[i].all);
        assert_true(p.known);
        buf_done(&p.all);
        canned_stop(c);
    }
}

static void an_unread_body_is_no_signal(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    /* SIGPIPE as it is in a program that has not changed it. */
    signal(SIGPIPE, SIG_DFL);
    struct canned *c = canned_start(STR(""));
    shutdown(c->listener, SHUT_RDWR);
    static char large[32 << 20];
    char url[64];
    struct http_call call = get(url, sizeof url, c->port, "/");
    call.method = "POST";
    call.body = (struct str){large, sizeof large};
    struct http_reply r;
    struct err e;
    assert_int_equal(http_fetch(a, &call, &r, &e), RC_UNAVAILABLE);
    sigset_t mask;
    assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &mask), 0);
    assert_false(sigismember(&mask, SIGPIPE)); /* as before */
    canned_stop(c);
}

/* On the loop. */

struct onloop {
    struct loop *loop;
    struct http_client *client;
    struct http_client_call *call;
    struct http_client_call *other;
    struct http_call again;
    unsigned left; /* callbacks to come before the loop ends */
    unsigned replies;
    unsigned status;
    char body[64];
    enum rc rc;
    struct err e;
};

static void onloop_init(struct onloop *o)
{
    *o = (struct onloop){.left = 1};
    assert_int_equal(loop_new(&o->loop, NULL), RC_OK);
    assert_int_equal(http_client_new(o->loop, &o->client, NULL), RC_OK);
}

static void onloop_done(struct onloop *o)
{
    http_client_free(o->client);
    loop_free(o->loop);
}

static void on_reply(void *context, const struct http_reply *reply, const struct err *e)
{
    struct onloop *o = context;
    must((reply != NULL) == (e->rc == RC_OK));
    o->e = *e;
    o->rc = e->rc;
    if (reply != NULL) {
        o->replies++;
        o->status = reply->status;
        must(str_to_c(reply->body, o->body, sizeof o->body));
    }
    if (--o->left == 0) {
        loop_stop(o->loop);
    }
}

static void failures_say_the_same_on_the_loop(void **state)
{
    (void)state;
    for (size_t i = 0; i < FAILURES; i++) {
        struct onloop o;
        onloop_init(&o);
        char url[64];
        struct http_call call;
        struct canned *c = failure_start(&failures[i], url, sizeof url, &call);
        assert_int_equal(http_client_start(o.client, &call, on_reply, &o, &o.call, &o.e), RC_OK);
        memset(url, 'x', sizeof url); /* it was copied */
        loop_run(o.loop);
        assert_failure(i, o.rc, &o.e);
        onloop_done(&o);
        if (c != NULL) {
            canned_stop(c);
        }
    }
}

static void many_calls_at_once(void **state)
{
    (void)state;
    struct onloop o;
    onloop_init(&o);
    struct canned *c = canned_start(str_from(hello));
    char url[64];
    struct http_call call = get(url, sizeof url, c->port, "/");
    char body[] = "copied";
    call.method = "POST";
    call.body = str_from(body);
    o.left = 50;
    for (unsigned i = 0; i < 50; i++) {
        assert_int_equal(http_client_start(o.client, &call, on_reply, &o, &o.call, &o.e), RC_OK);
    }
    memset(body, 'x', sizeof body - 1);
    loop_run(o.loop);
    assert_int_equal(o.replies, 50);
    assert_int_equal(o.status, 201);
    assert_string_equal(o.body, "hello");
    assert_true(str_ends((struct str){c->request, c->request_len}, STR("\r\n\r\ncopied")));
    onloop_done(&o);
    canned_stop(c);
}

static void must_not_come(void *context, const struct http_reply *reply, const struct err *e)
{
    (void)context;
    (void)reply;
    (void)e;
    must(false);
}

static void cancel_other_and_go_on(void *context, const struct http_reply *reply,
                                   const struct err *e)
{
    struct onloop *o = context;
    http_client_cancel(o->other);
    must(http_client_start(o->client, &o->again, on_reply, o, &o->call, NULL) == RC_OK);
    on_reply(o, reply, e);
}

static void calls_are_cancelled(void **state)
{
    (void)state;
    struct onloop o;
    onloop_init(&o);
    struct canned *silent = canned_start(STR(""));
    silent->hold = true;
    struct canned *c = canned_start(str_from(hello));
    char url[64];
    char silent_url[64];
    struct http_call call = get(silent_url, sizeof silent_url, silent->port, "/");
    o.again = get(url, sizeof url, c->port, "/");
    struct http_client_call *first;
    assert_int_equal(http_client_start(o.client, &call, must_not_come, &o, &first, &o.e), RC_OK);
    http_client_cancel(first); /* before anything */
    assert_int_equal(http_client_start(o.client, &call, must_not_come, &o, &o.other, &o.e), RC_OK);
    assert_int_equal(
        http_client_start(o.client, &o.again, cancel_other_and_go_on, &o, &o.call, &o.e), RC_OK);
    o.left = 2;
    loop_run(o.loop);
    assert_int_equal(o.replies, 2);
    /* One that is under way ends with the client, without its callback. */
    assert_int_equal(http_client_start(o.client, &call, must_not_come, &o, &first, &o.e), RC_OK);
    onloop_done(&o);
    http_client_free(NULL);
    canned_stop(c);
    canned_stop(silent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reply_is_read),
        cmocka_unit_test(a_request_is_what_was_asked_for),
        cmocka_unit_test(redirects_are_not_followed),
        cmocka_unit_test(failures_say_what_went_wrong),
        cmocka_unit_test(an_arena_too_small_is_a_limit),
        cmocka_unit_test(a_body_comes_in_pieces),
        cmocka_unit_test(an_unread_body_is_no_signal),
        cmocka_unit_test(failures_say_the_same_on_the_loop),
        cmocka_unit_test(many_calls_at_once),
        cmocka_unit_test(calls_are_cancelled),
    };
    return cmocka_run_group_tests_name("http_client", tests, NULL, NULL);
}
