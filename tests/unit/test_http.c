/* http_server: a server on a loop in its own thread, and peers that send what they like. */
#include "net/http_client.h"
#include "net/http_server.h"

#include "base/must.h"
#include "check.h"
#include "raw_peer.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum {
    KEPT_MAX = 512,
    LATER_MS = 2,  /* the exchange is still held then */
    SLOW_MS = 120, /* the connection is suspended then */
    TEXT_MAX = 256 << 10,
};

/* A server and its thread. Counters are read by the test's thread. */
struct fixture {
    struct http_server_options options;
    struct loop *loop;
    struct http_server *server;
    struct loop_wake *stop;
    struct loop_wake *quiesce;
    struct loop_wake *ask;
    struct loop_timer *later;
    struct loop_timer *slow;
    struct http_exchange *for_later[KEPT_MAX];
    struct http_exchange *for_slow[KEPT_MAX];
    size_t later_count;
    size_t slow_count;
    struct http_exchange *streaming;
    pthread_t thread;
    atomic_uint handled;
    atomic_uint gone;
    atomic_uint limits; /* RC_LIMIT of a stream */
    atomic_uint quiesced;
    atomic_uint asked; /* how often the next three were filled in */
    atomic_uint exchanges;
    atomic_uint connections;
    atomic_uint large_bytes;
    char folder[64];
    char socket_path[96];
    char text[TEXT_MAX];
};

static void answer_text(struct http_exchange *x, struct str text)
{
    http_answer(x, 200, "text/plain", text);
}

/* /prepared sends what it has; /replaced says something else in its place. */
static void send_prepared(struct http_exchange *x)
{
    must(http_request(x)->body.len == 0);
    http_add_header(x, "X-Late", STR("yes"));
    if (str_starts(http_request(x)->path, STR("/replaced"))) {
        http_answer(x, 503, "text/plain", STR("replaced"));
    } else {
        must(http_send(x) == 201);
    }
}

static void answer_kept(struct http_exchange **kept, size_t *count)
{
    size_t n = *count;
    *count = 0;
    for (size_t i = 0; i < n; i++) {
        if (http_request(kept[i])->arena == NULL) {
            send_prepared(kept[i]);
        } else {
            answer_text(kept[i], arena_printf(http_request(kept[i])->arena, "kept %zu", i));
        }
    }
}

static void on_later(void *context)
{
    struct fixture *f = context;
    answer_kept(f->for_later, &f->later_count);
}

static void on_slow(void *context)
{
    struct fixture *f = context;
    answer_kept(f->for_slow, &f->slow_count);
    if (f->streaming != NULL) {
        must(http_stream_put(f->streaming, STR("two\n")) == RC_OK);
        http_stream_end(f->streaming);
        f->streaming = NULL;
    }
}

static void flood(struct fixture *f, struct http_exchange *x)
{
    static char block[64 << 10];
    memset(block, '.', sizeof block);
    http_stream_start(x, "text/plain");
    size_t taken = 0;
    while (http_stream_put(x, (struct str){block, sizeof block}) == RC_OK) {
        taken += sizeof block;
    }
    must(taken == HTTP_STREAM_MAX); /* nothing was sent yet, so exactly the maximum was taken */
    f->limits++;
    http_stream_end(x);
}

static void describe(struct http_exchange *x, const struct http_request *r)
{
    struct str q = STR("-");
    if (!http_query(x, "q", &q)) {
        q = STR("none");
    }
    struct buf out;
    buf_init(&out, 4096);
    buf_printf(&out, "method %d path %.*s query %.*s q %.*s header %.*s uid %lld tls %d", r->method,
               STR_ARG(r->path), STR_ARG(r->query), STR_ARG(q), STR_ARG(http_header(x, "x-tEST")),
               (long long)r->peer_uid, r->tls);
    http_add_header(x, "X-First", STR("1"));
    http_add_header(x, "X-Empty", STR(""));
    answer_text(x, buf_view(&out));
    buf_done(&out);
}

static void keep(struct http_exchange **kept, size_t *count, struct http_exchange *x)
{
    must(*count < KEPT_MAX);
    kept[(*count)++] = x;
}

static void handle(void *context, struct http_exchange *x, const struct http_request *r)
{
    struct fixture *f = context;
    f->handled++;
    must(r == http_request(x) && http_data(x) == NULL && http_context(x) == f);
    http_set_data(x, f);
    if (str_starts(r->path, STR("/echo")) || str_eq(r->path, STR("/large"))) {
        http_answer(x, 200, NULL, r->body);
    } else if (str_eq(r->path, STR("/much"))) {
        static char much[HTTP_BODY_LARGE_MAX];
        http_answer(x, 200, "text/plain", (struct str){much, sizeof much});
    } else if (str_eq(r->path, STR("/later"))) {
        keep(f->for_later, &f->later_count, x);
        loop_timer_set(f->later, LATER_MS);
    } else if (str_starts(r->path, STR("/prepared")) || str_starts(r->path, STR("/replaced"))) {
        http_add_header(x, "X-Early", STR("yes"));
        http_prepare(x, 201, "text/plain", r->body);
        bool at_once = str_ends(http_request(x)->path, STR("/now"));
        bool late = str_ends(http_request(x)->path, STR("/slow"));
        if (at_once) {
            send_prepared(x);
        } else if (late) {
            keep(f->for_slow, &f->slow_count, x);
            loop_timer_set(f->slow, SLOW_MS);
        } else {
            keep(f->for_later, &f->later_count, x);
            loop_timer_set(f->later, LATER_MS);
        }
    } else if (str_eq(r->path, STR("/slow"))) {
        keep(f->for_slow, &f->slow_count, x);
        loop_timer_set(f->slow, SLOW_MS);
    } else if (str_eq(r->path, STR("/never"))) {
        return;
    } else if (str_eq(r->path, STR("/stream")) || str_eq(r->path, STR("/endless"))) {
        http_stream_start(x, "text/event-stream");
        must(http_stream_put(x, STR("one\n")) == RC_OK);
        if (str_eq(r->path, STR("/stream"))) {
            f->streaming = x;
            loop_timer_set(f->slow, SLOW_MS);
        }
    } else if (str_eq(r->path, STR("/flood"))) {
        flood(f, x);
    } else {
        describe(x, r);
    }
}

static void on_gone(void *context, struct http_exchange *x)
{
    struct fixture *f = context;
    must(http_data(x) == f);
    for (size_t i = 0; i < f->slow_count; i++) {
        if (f->for_slow[i] == x) {
            f->for_slow[i] = f->for_slow[--f->slow_count];
        }
    }
    f->gone++;
}

static void problem(void *context, unsigned status, struct buf *out)
{
    (void)context;
    buf_printf(out, "{\"status\":%u}", status);
}

static size_t max_body(void *context, enum http_method method, struct str path)
{
    (void)context;
    must(method != HTTP_GET || str_starts(path, STR("/")));
    return str_eq(path, STR("/large")) ? HTTP_BODY_LARGE_MAX : HTTP_BODY_MAX;
}

static void on_stop(void *context)
{
    struct fixture *f = context;
    loop_stop(f->loop);
}

static void on_quiesce(void *context)
{
    struct fixture *f = context;
    http_server_quiesce(f->server);
    f->quiesced++;
}

static void on_ask(void *context)
{
    struct fixture *f = context;
    f->exchanges = http_server_exchanges(f->server);
    f->connections = http_server_connections(f->server);
    f->large_bytes = (unsigned)http_server_large_bytes(f->server);
    f->asked++;
}

static void *serve(void *context)
{
    struct fixture *f = context;
    loop_run(f->loop);
    http_server_free(f->server);
    must(f->later_count == 0);
    loop_wake_free(f->stop);
    loop_wake_free(f->quiesce);
    loop_wake_free(f->ask);
    loop_timer_free(f->later);
    loop_timer_free(f->slow);
    loop_free(f->loop);
    return NULL;
}

static struct fixture *fixture_new(void)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    const char *base = getenv("TMPDIR");
    snprintf(f->folder, sizeof f->folder, "%s/pawl-http-XXXXXX", base != NULL ? base : "/tmp");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->socket_path, sizeof f->socket_path, "%s/socket", f->folder);
    f->options = (struct http_server_options){.host = "127.0.0.1",
                                              .max_body = max_body,
                                              .handle = handle,
                                              .gone = on_gone,
                                              .problem = problem,
                                              .context = f};
    return f;
}

static void start(struct fixture *f)
{
    struct err e = {0};
    assert_int_equal(loop_new(&f->loop, &e), RC_OK);
    assert_int_equal(loop_wake_new(f->loop, on_stop, f, &f->stop, &e), RC_OK);
    assert_int_equal(loop_wake_new(f->loop, on_quiesce, f, &f->quiesce, &e), RC_OK);
    assert_int_equal(loop_wake_new(f->loop, on_ask, f, &f->ask, &e), RC_OK);
    assert_int_equal(loop_timer_new(f->loop, on_later, f, &f->later, &e), RC_OK);
    assert_int_equal(loop_timer_new(f->loop, on_slow, f, &f->slow, &e), RC_OK);
    enum rc rc = http_server_start(f->loop, &f->options, &f->server, &e);
    if (rc != RC_OK) {
        fail_msg("%s", e.text);
    }
    assert_int_equal(pthread_create(&f->thread, NULL, serve, f), 0);
}

static void start_local(struct fixture *f)
{
    f->options.host = NULL;
    f->options.socket_path = f->socket_path;
    start(f);
}

static void stop(struct fixture *f)
{
    loop_wake(f->stop);
    assert_int_equal(pthread_join(f->thread, NULL), 0);
}

static void fixture_free(struct fixture *f)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", f->folder);
    assert_int_equal(system(command), 0);
    free(f);
}

static void finish(struct fixture *f)
{
    stop(f);
    fixture_free(f);
}

static int connect_to(struct fixture *f)
{
    int fd = peer_connect(f->options.host != NULL ? http_server_port(f->server) : 0,
                          f->options.socket_path);
    assert_true(fd >= 0);
    return fd;
}

/* Sends bytes and returns all that comes until the server closes. */
static struct str exchange(struct fixture *f, struct str bytes)
{
    int fd = connect_to(f);
    (void)peer_send(fd, bytes);
    struct str all = peer_read(fd, f->text, sizeof f->text, NULL, 0);
    close(fd);
    return all;
}

static void assert_holds(struct str text, const char *part)
{
    if (count_of(text, str_from(part)) == 0) {
        print_error("\"%s\" is not in: %.*s\n", part, STR_ARG(text));
        fail();
    }
}

/* Waits, bounded, for something the server's thread does. */
static void wait_for(atomic_uint *count, unsigned want)
{
    for (int i = 0; i < PEER_WAIT_S * 100 && atomic_load(count) < want; i++) {
        usleep(10000);
    }
    assert_int_equal(atomic_load(count), want);
}

/* What the server counts now. */
static void assert_counts(struct fixture *f, unsigned exchanges, unsigned connections)
{
    unsigned asked = f->asked;
    loop_wake(f->ask);
    wait_for(&f->asked, asked + 1);
    assert_int_equal(f->exchanges, exchanges);
    assert_int_equal(f->connections, connections);
}

static struct http_reply fetch(struct fixture *f, struct arena *a, const char *method,
                               const char *path, struct str body)
{
    char url[256];
    bool local = f->options.socket_path != NULL;
    snprintf(url, sizeof url, "http://127.0.0.1:%u%s", local ? 80 : http_server_port(f->server),
             path);
    struct http_call call = {.method = method,
                             .url = url,
                             .socket_path = f->options.socket_path,
                             .headers = {"X-Test: yes"},
                             .body = body,
                             .timeout_ms = PEER_WAIT_S * 1000};
    struct http_reply reply = {0};
    struct err e = {0};
    if (http_fetch(a, &call, &reply, &e) != RC_OK) {
        fail_msg("%s", e.text);
    }
    return reply;
}

static void requests_are_handed_over_as_sent(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    struct fixture *f = fixture_new();
    start(f);
    struct http_reply r = fetch(f, a, "GET", "/a%2Fb+c?x=%41&q=1+%2b2&q=3", STR(""));
    assert_int_equal(r.status, 200);
    assert_str(r.content_type, "text/plain");
    assert_str(r.body,
               "method 0 path /a%2Fb+c query x=%41&q=1+%2b2&q=3 q 1 +2 header yes uid -1 tls 0");
    static const struct {
        const char *method;
        enum http_method want;
    } methods[] = {{"POST", HTTP_POST},
                   {"PUT", HTTP_PUT},
                   {"DELETE", HTTP_DELETE},
                   {"PATCH", HTTP_OTHER},
                   {"get", HTTP_OTHER}};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        r = fetch(f, a, methods[i].method, "/", STR(""));
        struct str want = arena_printf(a, "method %d path / query  q none", methods[i].want);
        assert_true(str_starts(r.body, want));
    }
    finish(f);
}

static void a_local_socket_is_private_and_names_its_peer(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    struct fixture *f = fixture_new();
    start_local(f);
    struct stat st;
    assert_int_equal(lstat(f->socket_path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    struct http_reply r = fetch(f, a, "GET", "/", STR(""));
    struct str want = arena_printf(a, "uid %lld tls 0", (long long)getuid());
    assert_true(str_ends(r.body, want));
    assert_int_equal(http_server_port(f->server), 0);
    stop(f);
    assert_int_equal(lstat(f->socket_path, &st), -1); /* removed */
    fixture_free(f);
}

static void answers_come_later(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    for (int local = 0; local < 2; local++) {
        struct fixture *f = fixture_new();
        if (local) {
            start_local(f);
        } else {
            start(f);
        }
        assert_str(fetch(f, a, "POST", "/later", STR("body")).body, "kept 0");
        assert_str(fetch(f, a, "POST", "/slow", STR("body")).body, "kept 0");
        finish(f);
    }
}

static void answers_are_made_before_they_leave(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    start(f);
    static const char *const when[] = {"/now", "", "/slow"};
    for (unsigned i = 0; i < sizeof when / sizeof *when; i++) {
        char request[128];
        snprintf(request, sizeof request, "POST /prepared%s HTTP/1.0\r\nContent-Length: 4\r\n\r\nbody", when[i]);
        struct str text = exchange(f, str_from(request));
        assert_holds(text, " 201 Created\r\n");
        assert_holds(text, "X-Early: yes\r\n");
        assert_holds(text, "X-Late: yes\r\n");
        assert_holds(text, "\r\n\r\nbody");
        snprintf(request, sizeof request, "POST /replaced%s HTTP/1.0\r\nContent-Length: 4\r\n\r\nbody", when[i]);
        text = exchange(f, str_from(request));
        assert_holds(text, " 503 ");
        assert_holds(text, "\r\n\r\nreplaced");
    }
    assert_counts(f, 0, 0);
    /* One that leaves before its answer does. */
    int fd = connect_to(f);
    assert_true(peer_send(fd, STR("GET /prepared/slow HTTP/1.1\r\nHost: h\r\n\r\n")));
    wait_for(&f->handled, 7);
    close(fd);
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    assert_int_equal(fetch(f, a, "POST", "/slow", STR("")).status, 200);
    finish(f);
}

static void a_connection_is_used_again(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    start(f);
    int fd = connect_to(f);
    static const char *const paths[] = {"/later", "/slow", "/echo", "/slow", "/later", "/x"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        char request[128];
        snprintf(request, sizeof request,
                 "POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nkept", paths[i]);
        assert_true(peer_send(fd, str_from(request)));
        struct str text = peer_read(fd, f->text, sizeof f->text, i == 5 ? "tls" : "kept", 1);
        assert_holds(text, "HTTP/1.1 200 OK\r\n");
        assert_holds(text, "Date: ");
    }
    assert_counts(f, 0, 1);
    close(fd);
    finish(f);
}

static void connections_close_when_they_should(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    start(f);
    static const char *const requests[] = {
        "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
        "GET /later HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        /* exchange() returns only when the server has closed. */
        assert_holds(exchange(f, str_from(requests[i])), " 200 OK\r\n");
    }
    finish(f);
}

static void requests_in_a_row_are_answered_in_order(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    start(f);
    enum { COUNT = 200 };
    struct buf all;
    buf_init(&all, 1 << 20);
    for (int i = 0; i < COUNT; i++) {
        buf_printf(&all, "POST /%s HTTP/1.1\r\nHost: h\r\nContent-Length: 7\r\n\r\n=%05d=",
                   i % 50 == 7 ? "later" : "echo", i);
    }
    int fd = connect_to(f);
    assert_true(peer_send(fd, buf_view(&all)));
    struct str text = peer_read(fd, f->text, sizeof f->text, "=00199=", 1);
    assert_int_equal(count_of(text, STR("HTTP/1.1 200 OK")), COUNT);
    assert_int_equal(count_of(text, STR("kept 0")), 4);
    int last = -1;
    for (size_t i = 0; i + 7 <= text.len; i++) {
        int64_t n;
        if (text.ptr[i] == '=' && text.ptr[i + 6] == '=' &&
            str_to_i64((struct str){text.ptr + i + 1, 5}, &n)) {
            assert_true(n > last);
            last = (int)n;
        }
    }
    assert_int_equal(last, COUNT - 1);
    buf_done(&all);
    close(fd);
    finish(f);
}

static void many_wait_at_once(void **state)
{
    (void)state;
    static const char *const paths[] = {"/later", "/slow"};
    enum { COUNT = 200 };
    struct fixture *f = fixture_new();
    start(f);
    for (size_t p = 0; p < 2; p++) {
        int fds[COUNT];
        char request[128];
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", paths[p]);
        for (int i = 0; i < COUNT; i++) {
            fds[i] = connect_to(f);
            assert_true(peer_send(fds[i], str_from(request)));
        }
        for (int i = 0; i < COUNT; i++) {
            assert_holds(peer_read(fds[i], f->text, sizeof f->text, "kept ", 1), " 200 OK");
            close(fds[i]);
        }
    }
    assert_int_equal(f->handled, 2 * COUNT);
    assert_int_equal(f->gone, 0);
    finish(f);
}

/* Sends a body of that many bytes; chunk 0: with its length, else in chunks of that size. */
static struct str post_bytes(struct fixture *f, const char *path, size_t size, size_t chunk)
{
    struct buf request;
    buf_init(&request, 64 << 20);
    buf_printf(&request, "POST %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n", path);
    if (chunk == 0) {
        buf_printf(&request, "Content-Length: %zu\r\n\r\n", size);
    } else {
        buf_printf(&request, "Transfer-Encoding: chunked\r\n\r\n");
    }
    for (size_t sent = 0; sent < size;) {
        size_t n = chunk == 0 || size - sent < chunk ? size - sent : chunk;
        if (chunk > 0) {
            buf_printf(&request, "%zx\r\n", n);
        }
        char *at = buf_reserve(&request, n);
        assert_non_null(at);
        memset(at, 'b', n);
        buf_grown(&request, n);
        if (chunk > 0) {
            buf_printf(&request, "\r\n");
        }
        sent += n;
    }
    if (chunk > 0) {
        buf_printf(&request, "0\r\n\r\n");
    }
    assert_int_equal(request.rc, RC_OK);
    struct str answer = exchange(f, buf_view(&request));
    buf_done(&request);
    return answer;
}

static void bodies_up_to_the_limit_and_no_further(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    start(f);
    static const size_t chunks[] = {0, 1000, HTTP_BODY_MAX};
    for (size_t i = 0; i < sizeof chunks / sizeof *chunks; i++) {
        struct str text = post_bytes(f, "/echo", HTTP_BODY_MAX, chunks[i]);
        assert_holds(text, "200 OK");
        assert_int_equal(count_of(text, STR("b")), HTTP_BODY_MAX);
        unsigned before = f->handled;
        text = post_bytes(f, "/echo", HTTP_BODY_MAX + 1, chunks[i]);
        assert_holds(text, " 413 ");
        assert_holds(text, "Content-Type: application/problem+json");
        assert_true(str_ends(text, STR("{\"status\":413}")));
        text = post_bytes(f, "/echo", HTTP_DISCARD_MAX, chunks[i]);
        assert_holds(text, " 413 ");
        assert_int_equal(f->handled, before);
    }
    assert_holds(post_bytes(f, "/echo", 0, 0), "Content-Length: 0\r\n");
    finish(f);
}

static void a_path_may_allow_more(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(64 << 20);
    struct fixture *f = fixture_new();
    start(f);
    struct str body = {arena_alloc(a, HTTP_BODY_LARGE_MAX + 1), HTTP_BODY_LARGE_MAX};
    struct http_reply r = fetch(f, a, "POST", "/large", body);
    assert_int_equal(r.status, 200);
    assert_true(str_eq(r.body, body));
    /* A declared length far over the limit is refused before any of it is read. */
    struct str text = exchange(f, STR("POST /large HTTP/1.1\r\nHost: h\r\n"
                                      "Content-Length: 10485761\r\n\r\n"));
    assert_holds(text, " 413 ");
    text = exchange(f, STR("POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
                           "Content-Length: 65537\r\n\r\n"));
    assert_holds(text, " 413 ");
    assert_int_equal(count_of(text, STR("100 Continue")), 0);
    finish(f);
}

static void wait_for_large_bytes(struct fixture *f, unsigned want)
{
    for (int i = 0; i < PEER_WAIT_S * 100; i++) {
        unsigned asked = f->asked;
        loop_wake(f->ask);
        wait_for(&f->asked, asked + 1);
        if (f->large_bytes == want) {
            return;
        }
        usleep(10000);
    }
    assert_int_equal(f->large_bytes, want);
}

static void large_bodies_are_bounded_together(void **state)
{
    (void)state;
    enum { MANY = HTTP_LARGE_BYTES_MAX / HTTP_BODY_LARGE_MAX };
    struct str head = STR("POST /large HTTP/1.1\r\nHost: h\r\nContent-Length: 10485760\r\n\r\n");
    struct fixture *f = fixture_new();
    start(f);
    int fds[MANY];
    for (int i = 0; i < MANY; i++) {
        fds[i] = connect_to(f);
        assert_true(peer_send(fds[i], head));
    }
    wait_for_large_bytes(f, MANY * HTTP_BODY_LARGE_MAX);
    struct str text = exchange(f, head);
    assert_holds(text, " 503 ");
    assert_holds(text, "Retry-After: 1");
    assert_true(str_ends(text, STR("{\"status\":503}")));
    /* Small ones, and what still fits, are as before; one in chunks is counted when it grows. */
    assert_holds(post_bytes(f, "/echo", HTTP_BODY_MAX, 0), "200 OK");
    assert_holds(post_bytes(f, "/large", HTTP_BODY_MAX, 1000), "200 OK");
    assert_holds(post_bytes(f, "/large", HTTP_BODY_MAX + 1, 0), "200 OK");
    assert_holds(post_bytes(f, "/large", HTTP_BODY_MAX + 1, 1000), " 503 ");
    assert_int_equal(f->handled, 3);
    for (int i = 0; i < MANY; i++) {
        close(fds[i]);
    }
    wait_for_large_bytes(f, 0);
    assert_holds(post_bytes(f, "/large", HTTP_BODY_MAX + 1, 1000), "200 OK");
    wait_for_large_bytes(f, 0);
    finish(f);
}

static void large_answers_are_bounded_together(void **state)
{
    (void)state;
    enum { MANY = HTTP_ANSWER_BYTES_MAX / HTTP_BODY_LARGE_MAX };
    struct str head = STR("GET /much HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    struct fixture *f = fixture_new();
    start(f);
    int fds[MANY];
    for (int i = 0; i < MANY; i++) {
        fds[i] = connect_to(f);
        assert_true(peer_send(fds[i], head));
    }
    wait_for(&f->handled, MANY);
    struct str text = exchange(f, head);
    assert_holds(text, " 503 ");
    assert_holds(text, "Retry-After: 1");
    assert_holds(exchange(f, STR("GET /small HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")), "200 OK");
    for (int i = 0; i < MANY; i++) {
        close(fds[i]);
    }
    CLEANUP(arena) struct arena *a = arena_new(64 << 20);
    struct http_reply r = {0};
    for (int i = 0; i < PEER_WAIT_S * 100 && r.status != 200; i++) {
        r = fetch(f, a, "GET", "/much", STR(""));
        usleep(r.status == 200 ? 0 : 10000);
    }
    assert_int_equal(r.status, 200);
    finish(f);
}

static void a_chunked_flood_is_cut_off(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    start(f);
    struct str text = post_bytes(f, "/echo", 4 << 20, 64 << 10);
    assert_int_equal(count_of(text, STR("200 OK")), 0);
    assert_int_equal(f->handled, 0);
    finish(f);
}

/* A request whose head has exactly that many bytes and headers. */
static struct str get_with_head(struct fixture *f, size_t bytes, size_t headers)
{
    static const char first[] = "GET /echo HTTP/1.1\r\nHost: h\r\nConnection: close\r\n";
    struct buf request;
    buf_init(&request, 1 << 20);
    buf_str(&request, str_from(first));
    for (size_t i = 2; i < headers; i++) {
        buf_printf(&request, "X%zu: y\r\n", i);
    }
    if (bytes > 0) {
        request.len -= 2; /* the last header grows */
        while (request.len < bytes - 4) {
            buf_char(&request, 'y');
        }
        buf_str(&request, STR("\r\n"));
    }
    buf_str(&request, STR("\r\n"));
    struct str answer = exchange(f, buf_view(&request));
    buf_done(&request);
    return answer;
}

static void heads_up_to_the_limits_and_no_further(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    start(f);
    static const struct {
        size_t bytes;
        size_t headers;
        const char *want;
        bool ours;
    } cases[] = {
        {0, HTTP_HEADERS_MAX, " 200 OK", true},
        {0, HTTP_HEADERS_MAX + 1, " 431 ", true},
        {HTTP_HEAD_BYTES_MAX, 3, " 200 OK", true},
        {HTTP_HEAD_BYTES_MAX + 1, 3, " 431 ", true},
        {HTTP_HEAD_BYTES_MAX, HTTP_HEADERS_MAX, " 200 OK", true},
        {100 << 10, 3, " 431 ", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct str text = get_with_head(f, cases[i].bytes, cases[i].headers);
        assert_holds(text, cases[i].want);
        if (cases[i].ours && strcmp(cases[i].want, " 431 ") == 0) {
            assert_true(str_ends(text, STR("{\"status\":431}")));
        }
    }
    assert_int_equal(f->handled, 3);
    finish(f);
}

static void what_is_unclear_is_refused(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    start(f);
    static const struct {
        const char *request;
        const char *want; /* null: the connection is closed, with or without an answer */
    } cases[] = {
        {"nonsense\r\n\r\n", NULL},
        {"GET / HTTP/1.1\r\n\r\n", " 400 "},
        {"GET / HTTP/3.7\r\nHost: h\r\n\r\n", NULL},
        {"GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", NULL},
        {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", " 400 "},
        {"GET / HTTP/1.1\r\nHost: h\r\nno colon\r\n\r\n", " 400 "},
        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", " 400 "},
        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\ncontent-length: 2\r\n\r\nab", " 400 "},
        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2, 2\r\n\r\nab", " 400 "},
        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +2\r\n\r\nab", " 400 "},
        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -2\r\n\r\nab", " 400 "},
        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n", NULL},
        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n"
         "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         " 400 "},
        {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
         " 400 "},
        {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity\r\n\r\n", " 400 "},
        {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
         "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         " 400 "},
        {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n0\r\n\r\n",
         " 400 "},
        {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
         "ffffffffffffffffff\r\n",
         NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct str text = exchange(f, str_from(cases[i].request));
        if (f->handled != 0 ||
            (cases[i].want != NULL && count_of(text, str_from(cases[i].want)) == 0)) {
            print_error("%s\n-> %.*s\n", cases[i].request, STR_ARG(text));
            fail();
        }
    }
    finish(f);
}

static void head_has_no_body(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    start(f);
    static const char *const paths[] = {"/x", "/later", "/stream"};
    for (size_t i = 0; i < 3; i++) {
        char request[128];
        snprintf(request, sizeof request,
                 "HEAD %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", paths[i]);
        struct str text = exchange(f, str_from(request));
        assert_holds(text, " 200 OK\r\n");
        assert_true(str_ends(text, STR("\r\n\r\n")));
        assert_int_equal(count_of(text, STR("Content-Length: ")), i < 2);
    }
    finish(f);
}

static void added_headers_are_sent(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    start(f);
    struct str text = exchange(f, STR("GET /x HTTP/1.0\r\nX-Test: a\xff b\r\n\r\n"));
    assert_holds(text, "X-First: 1\r\n");
    assert_int_equal(count_of(text, STR("X-Empty")), 0);
    assert_holds(text, "header a\xff b uid");
    finish(f);
}

static void connections_over_the_limit_wait(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    f->options.connections_max = 2;
    start(f);
    static const struct str get = {"GET /x HTTP/1.1\r\nHost: h\r\n\r\n", 28};
    int a = connect_to(f);
    int b = connect_to(f);
    assert_true(peer_send(a, get) && peer_send(b, get));
    assert_holds(peer_read(a, f->text, sizeof f->text, "tls", 1), "200 OK");
    assert_holds(peer_read(b, f->text, sizeof f->text, "tls", 1), "200 OK");
    int c = connect_to(f); /* by the kernel */
    assert_true(peer_send(c, get));
    usleep(100000);
    assert_int_equal(f->handled, 2);
    close(a);
    assert_holds(peer_read(c, f->text, sizeof f->text, "tls", 1), "200 OK");
    assert_counts(f, 0, 2);
    close(b);
    close(c);
    finish(f);
}

static void a_peer_that_leaves_is_told_of(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    start(f);
    static const char *const paths[] = {"/never", "/endless"};
    for (unsigned i = 0; i < 2; i++) {
        char request[128];
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", paths[i]);
        int fd = connect_to(f);
        assert_true(peer_send(fd, str_from(request)));
        wait_for(&f->handled, i + 1);
        assert_counts(f, 1, 1);
        close(fd);
        wait_for(&f->gone, i + 1);
        assert_counts(f, 0, 0);
    }
    /* So is one that only stops sending; but an answer that comes at once it still gets. */
    int half = connect_to(f);
    assert_true(peer_send(half, STR("GET /never HTTP/1.1\r\nHost: h\r\n\r\n")));
    assert_int_equal(shutdown(half, SHUT_WR), 0);
    wait_for(&f->gone, 3);
    (void)peer_read(half, f->text, sizeof f->text, NULL, 0); /* closed */
    close(half);
    half = connect_to(f);
    assert_true(peer_send(half, STR("GET /later HTTP/1.1\r\nHost: h\r\n\r\n")));
    assert_int_equal(shutdown(half, SHUT_WR), 0);
    assert_holds(peer_read(half, f->text, sizeof f->text, NULL, 0), "kept 0");
    close(half);
    /* It also goes well when the answer comes before anyone has seen that the peer is gone. */
    int fd = connect_to(f);
    assert_true(peer_send(fd, STR("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n")));
    wait_for(&f->handled, 5);
    struct linger hard = {.l_onoff = 1};
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard), 0);
    close(fd); /* a reset */
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    assert_int_equal(fetch(f, a, "GET", "/slow", STR("")).status, 200);
    finish(f);
}

static void open_exchanges_are_told_of_the_end(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    start(f);
    static const char *const paths[] = {"/never", "/never", "/endless", "/endless", "/slow"};
    int fds[5];
    for (unsigned i = 0; i < 5; i++) {
        char request[128];
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", paths[i]);
        fds[i] = connect_to(f);
        assert_true(peer_send(fds[i], str_from(request)));
        wait_for(&f->handled, i + 1);
        if (i == 0 || i == 2) {
            usleep(50000); /* one of each kind is suspended, one is not yet */
        }
    }
    stop(f);
    assert_int_equal(f->gone, 5);
    for (unsigned i = 0; i < 5; i++) {
        (void)peer_read(fds[i], f->text, sizeof f->text, NULL, 0); /* closed */
        close(fds[i]);
    }
    fixture_free(f);
}

static bool count_piece(void *context, struct str piece)
{
    struct buf *all = context;
    buf_str(all, piece);
    return true;
}

static void streams_come_in_pieces(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    start(f);
    int fd = connect_to(f);
    assert_true(peer_send(fd, STR("GET /stream HTTP/1.1\r\nHost: h\r\n\r\n")));
    struct str text = peer_read(fd, f->text, sizeof f->text, "one\n", 1);
    assert_holds(text, "Content-Type: text/event-stream\r\n");
    assert_int_equal(count_of(text, STR("two\n")),
                     0); /* the first came before the second was there */
    assert_holds(peer_read(fd, f->text, sizeof f->text, "0\r\n\r\n", 1), "two\n");
    assert_counts(f, 0, 1);
    /* The connection is good for more. */
    assert_true(peer_send(fd, STR("GET /later HTTP/1.1\r\nHost: h\r\n\r\n")));
    assert_holds(peer_read(fd, f->text, sizeof f->text, "kept", 1), "200 OK");
    close(fd);
    finish(f);
}

static void a_stream_has_a_maximum(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    start(f);
    struct buf all;
    buf_init(&all, 1 << 20);
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%u/flood", http_server_port(f->server));
    struct http_call call = {.method = "GET", .url = url, .timeout_ms = PEER_WAIT_S * 1000};
    unsigned status = 0;
    struct err e;
    assert_int_equal(http_fetch_stream(&call, count_piece, &all, &status, &e), RC_OK);
    assert_int_equal(status, 200);
    assert_int_equal(f->limits, 1);
    assert_int_equal(all.len, HTTP_STREAM_MAX); /* what was taken came, whole */
    buf_done(&all);
    finish(f);
}

static void silence_ends_a_connection(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    f->options.idle_s = 1;
    start(f);
    static const char *const halves[] = {
        "", "GET /x HT", "GET /x HTTP/1.1\r\nHost: h\r\n",
        "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab"};
    int fds[4];
    for (size_t i = 0; i < 4; i++) {
        fds[i] = connect_to(f);
        assert_true(peer_send(fds[i], str_from(halves[i])));
    }
    for (size_t i = 0; i < 4; i++) {
        struct str text = peer_read(fds[i], f->text, sizeof f->text, NULL, 0);
        assert_int_equal(count_of(text, STR("200 OK")), 0);
        close(fds[i]);
    }
    assert_int_equal(f->handled, 0);
    finish(f);
}

static void a_trickle_ends_too(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    f->options.request_s = 1;
    start(f);
    int fd = connect_to(f);
    assert_true(peer_send(fd, STR("GET /x HTTP/1.1\r\nHost: h\r\nX-Test: ")));
    int sent = 0;
    while (sent < PEER_WAIT_S * 20 && peer_send(fd, STR("y"))) {
        usleep(50000);
        sent++;
    }
    assert_in_range(sent, 10, PEER_WAIT_S * 20 - 1);
    close(fd);
    finish(f);
}

static void no_new_connections_after_quiesce(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    start(f);
    uint16_t port = http_server_port(f->server);
    int fd = connect_to(f);
    assert_true(peer_send(fd, STR("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n")));
    wait_for(&f->handled, 1);
    loop_wake(f->quiesce);
    wait_for(&f->quiesced, 1);
    assert_int_equal(peer_connect(port, NULL), -1);
    assert_holds(peer_read(fd, f->text, sizeof f->text, "kept", 1), "200 OK");
    close(fd);
    finish(f);
}

static void read_text(const char *path, char *out, size_t size)
{
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    size_t n = fread(out, 1, size - 1, in);
    out[n] = '\0';
    fclose(in);
}

static void tls_is_spoken(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    struct fixture *f = fixture_new();
    char key_path[96];
    char cert_path[96];
    char command[512];
    snprintf(key_path, sizeof key_path, "%s/key", f->folder);
    snprintf(cert_path, sizeof cert_path, "%s/cert", f->folder);
    snprintf(
        command, sizeof command,
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
        "-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 -keyout %s -out %s 2>/dev/null",
        key_path, cert_path);
    assert_int_equal(system(command), 0);
    static char key[8192];
    static char cert[8192];
    read_text(key_path, key, sizeof key);
    read_text(cert_path, cert, sizeof cert);
    f->options.tls_key_pem = key;
    f->options.tls_cert_pem = cert;
    start(f);
    static const char *const paths[] = {"/x", "/later", "/slow"};
    static const char *const wants[] = {"uid -1 tls 1", "kept 0", "kept 0"};
    char url[64];
    struct err e = {0};
    struct http_reply reply;
    struct http_call call = {.method = "GET", .url = url, .timeout_ms = PEER_WAIT_S * 1000};
    for (size_t i = 0; i < 3; i++) {
        snprintf(url, sizeof url, "https://127.0.0.1:%u%s", http_server_port(f->server), paths[i]);
        call.ca_file = cert_path;
        assert_int_equal(http_fetch(a, &call, &reply, &e), RC_OK);
        assert_true(str_ends(reply.body, str_from(wants[i])));
    }
    call.ca_file = NULL; /* nobody vouches for it */
    assert_int_equal(http_fetch(a, &call, &reply, &e), RC_UNAVAILABLE);
    assert_non_null(strstr(e.text, "certificate"));
    (void)exchange(f, STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n")); /* not TLS: closed */
    finish(f);
}

static void assert_start_fails(struct fixture *f, enum rc want, const char *part)
{
    struct err e = {0};
    struct loop *l;
    struct http_server *s = NULL;
    assert_int_equal(loop_new(&l, &e), RC_OK);
    enum rc rc = http_server_start(l, &f->options, &s, &e);
    loop_free(l);
    if (rc != want || s != NULL || strstr(e.text, part) == NULL) {
        fail_msg("%s, \"%s\" instead of %s, \"%s\"", rc_name(rc), e.text, rc_name(want), part);
    }
}

static void the_newer_protocol_too(void **state)
{
    (void)state;
    struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) != 0) {
        skip(); /* not on this machine */
    }
    close(fd);
    struct fixture *f = fixture_new();
    f->options.host = "::1";
    start(f);
    char url[64];
    snprintf(url, sizeof url, "http://[::1]:%u/x", http_server_port(f->server));
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    struct http_call call = {.method = "GET", .url = url, .timeout_ms = PEER_WAIT_S * 1000};
    struct http_reply reply;
    struct err e;
    assert_int_equal(http_fetch(a, &call, &reply, &e), RC_OK);
    assert_int_equal(reply.status, 200);
    finish(f);
}

static void failures_to_start_say_why(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    f->options.host = "localhost";
    assert_start_fails(f, RC_INVALID, "\"localhost\" is not a numeric address");
    f->options.host = "203.0.113.7";
    assert_start_fails(f, RC_INVALID, "203.0.113.7");
    f->options.host = "127.0.0.1";
    f->options.tls_cert_pem = "not a certificate";
    f->options.tls_key_pem = "not a key";
    assert_start_fails(f, RC_INVALID, "HTTP server can't start: ");
    fixture_free(f);
}

static void a_busy_address_is_a_conflict(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    start(f);
    struct fixture *second = fixture_new();
    second->options.port = http_server_port(f->server);
    assert_start_fails(second, RC_CONFLICT, "can't listen at 127.0.0.1");
    finish(f);
    fixture_free(second);
}

static void socket_files_are_replaced_only_when_stale(void **state)
{
    (void)state;
    struct fixture *f = fixture_new();
    start_local(f);
    struct fixture *second = fixture_new();
    second->options.host = NULL;
    second->options.socket_path = f->socket_path;
    assert_start_fails(second, RC_CONFLICT, "is in use by another process");
    stop(f);
    /* What a killed process leaves. */
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    assert_true(str_to_c(str_from(f->socket_path), at.sun_path, sizeof at.sun_path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fd, 1), 0);
    close(fd);
    start_local(f);
    int peer = connect_to(f);
    assert_true(peer >= 0);
    close(peer);
    stop(f);
    FILE *file = fopen(f->socket_path, "w");
    assert_non_null(file);
    fclose(file);
    assert_start_fails(second, RC_CONFLICT, "is there and is not a socket");
    struct stat st;
    assert_int_equal(stat(f->socket_path, &st), 0);
    char path[HTTP_SOCKET_PATH_MAX + 1];
    memset(path, 'p', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    second->options.socket_path = path;
    assert_start_fails(second, RC_INVALID, "path of a local socket has 1 to 107 bytes");
    second->options.socket_path = "/nonexistent-folder/socket";
    assert_start_fails(second, RC_INVALID, "/nonexistent-folder/socket");
    fixture_free(second);
    fixture_free(f);
}

static void escapes_are_decoded_strictly(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    static const struct {
        const char *text;
        const char *want; /* null: refused */
    } cases[] = {
        {"", ""},       {"abc", "abc"},  {"a%20b", "a b"}, {"%2F%2f", "//"},
        {"a+b", "a+b"}, {"%", NULL},     {"%4", NULL},     {"%4x", NULL},
        {"%x4", NULL},  {"a%00b", NULL}, {"%C3%A9", "é"},  {"%2541", "%41"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct str got = STR("untouched");
        bool ok = http_unescape(a, str_from(cases[i].text), &got);
        assert_int_equal(ok, cases[i].want != NULL);
        assert_str(got, ok ? cases[i].want : "untouched");
    }
    CLEANUP(arena) struct arena *tiny = arena_new(8);
    struct str got;
    assert_false(http_unescape(tiny, STR("longer than the arena"), &got));
}

static void queries_are_searched(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    struct fixture *f = fixture_new();
    start(f);
    static const struct {
        const char *query;
        const char *want;
    } cases[] = {
        {"", "q none"},       {"?q", "q  header"},  {"?q=", "q  header"}, {"?qq=1&q=2", "q 2 "},
        {"?%71=3", "q 3 "},   {"?q=a%2", "q none"}, {"?q=%00", "q none"}, {"?&&q=4&", "q 4 "},
        {"?q=a=b", "q a=b "}, {"?q=a?b", "q a?b "}, {"?Q=1", "q none"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[64];
        snprintf(path, sizeof path, "/%s", cases[i].query);
        assert_holds(fetch(f, a, "GET", path, STR("")).body, cases[i].want);
    }
    finish(f);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_handed_over_as_sent),
        cmocka_unit_test(a_local_socket_is_private_and_names_its_peer),
        cmocka_unit_test(answers_come_later),
        cmocka_unit_test(answers_are_made_before_they_leave),
        cmocka_unit_test(a_connection_is_used_again),
        cmocka_unit_test(connections_close_when_they_should),
        cmocka_unit_test(requests_in_a_row_are_answered_in_order),
        cmocka_unit_test(many_wait_at_once),
        cmocka_unit_test(bodies_up_to_the_limit_and_no_further),
        cmocka_unit_test(a_path_may_allow_more),
        cmocka_unit_test(large_bodies_are_bounded_together),
        cmocka_unit_test(large_answers_are_bounded_together),
        cmocka_unit_test(a_chunked_flood_is_cut_off),
        cmocka_unit_test(heads_up_to_the_limits_and_no_further),
        cmocka_unit_test(what_is_unclear_is_refused),
        cmocka_unit_test(head_has_no_body),
        cmocka_unit_test(added_headers_are_sent),
        cmocka_unit_test(connections_over_the_limit_wait),
        cmocka_unit_test(a_peer_that_leaves_is_told_of),
        cmocka_unit_test(open_exchanges_are_told_of_the_end),
        cmocka_unit_test(streams_come_in_pieces),
        cmocka_unit_test(a_stream_has_a_maximum),
        cmocka_unit_test(silence_ends_a_connection),
        cmocka_unit_test(a_trickle_ends_too),
        cmocka_unit_test(no_new_connections_after_quiesce),
        cmocka_unit_test(tls_is_spoken),
        cmocka_unit_test(the_newer_protocol_too),
        cmocka_unit_test(failures_to_start_say_why),
        cmocka_unit_test(a_busy_address_is_a_conflict),
        cmocka_unit_test(socket_files_are_replaced_only_when_stale),
        cmocka_unit_test(escapes_are_decoded_strictly),
        cmocka_unit_test(queries_are_searched),
    };
    return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
