/* Exchanges: the pool they come from, and what a handler asks of one that needs no HTTP library. */
#include "net/http_internal.h"

#include "base/must.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum {
    BODY_KEEP_MAX = HTTP_BODY_MAX, /* a larger buffer is not kept for the next request */
    SWEEP_BATCH = 64,              /* peers looked at with one poll(2) */
};

static struct http_exchange *exchange_new(void)
{
    struct http_exchange *x = calloc(1, sizeof *x);
    if (x == NULL) {
        return NULL;
    }
    buf_init(&x->uri, HTTP_HEAD_BYTES_MAX);
    buf_init(&x->body, 0);
    buf_init(&x->headers, HTTP_ADDED_BYTES_MAX);
    buf_init(&x->stream, HTTP_STREAM_MAX);
    return x;
}

static void exchange_free(struct http_exchange *x)
{
    buf_done(&x->uri);
    buf_done(&x->body);
    buf_done(&x->headers);
    buf_done(&x->stream);
    free(x);
}

static struct arena *arena_take(struct exchange_pool *p)
{
    return p->arena_count > 0 ? p->arenas[--p->arena_count] : arena_new(HTTP_ARENA_MAX);
}

/* a may be null. */
static void arena_give(struct exchange_pool *p, struct arena *a)
{
    if (a == NULL || p->arena_count == ARENAS_KEPT) {
        arena_free(a);
        return;
    }
    arena_reset(a);
    p->arenas[p->arena_count++] = a;
}

struct http_exchange *exchange_acquire(struct exchange_pool *p)
{
    struct http_exchange *x = p->free;
    if (x != NULL) {
        p->free = x->next;
    } else {
        x = exchange_new();
    }
    if (x == NULL) {
        return NULL;
    }
    x->request.arena = arena_take(p);
    if (x->request.arena == NULL) {
        x->next = p->free;
        p->free = x;
        return NULL;
    }
    x->prev = NULL;
    x->next = p->in_use;
    if (p->in_use != NULL) {
        p->in_use->prev = x;
    }
    p->in_use = x;
    return x;
}

static void buf_recycle(struct buf *b)
{
    if (b->capacity > BODY_KEEP_MAX) {
        buf_done(b);
    }
    buf_reset(b);
}

static void exchange_reset(struct http_exchange *x)
{
    buf_recycle(&x->uri);
    buf_recycle(&x->body);
    buf_recycle(&x->headers);
    buf_recycle(&x->stream);
    *x = (struct http_exchange){.uri = x->uri,
                                .body = x->body,
                                .headers = x->headers,
                                .stream = x->stream};
}

bool exchange_count_body(struct http_exchange *x, size_t size)
{
    struct http_server *s = x->server;
    if (size > HTTP_LARGE_BYTES_MAX - s->large_bytes) {
        return false;
    }
    s->large_bytes += size;
    x->large_bytes += size;
    return true;
}

static void forget_body(struct http_exchange *x)
{
    if (x->large_bytes > 0) {
        x->server->large_bytes -= x->large_bytes;
        x->large_bytes = 0;
    }
}

bool exchange_count_answer(struct http_exchange *x, size_t size)
{
    struct http_server *s = x->server;
    if (size > HTTP_ANSWER_BYTES_MAX - s->answer_bytes) {
        return false;
    }
    s->answer_bytes += size;
    x->answer_bytes += size;
    return true;
}

void exchange_forget_answer(struct http_exchange *x)
{
    if (x->answer_bytes > 0) {
        x->server->answer_bytes -= x->answer_bytes;
        x->answer_bytes = 0;
    }
}

void exchange_strip(struct exchange_pool *p, struct http_exchange *x)
{
    arena_give(p, x->request.arena);
    x->request.arena = NULL;
    x->request.body = STR("");
    buf_recycle(&x->body);
    forget_body(x);
}

void exchange_release(struct exchange_pool *p, struct http_exchange *x)
{
    must(!x->suspended && x->response == NULL);
    if (x->prev != NULL) {
        x->prev->next = x->next;
    } else {
        must(p->in_use == x);
        p->in_use = x->next;
    }
    if (x->next != NULL) {
        x->next->prev = x->prev;
    }
    arena_give(p, x->request.arena);
    forget_body(x);
    exchange_forget_answer(x);
    exchange_reset(x);
    x->next = p->free;
    p->free = x;
}

static void sweep_batch(struct http_exchange **batch, size_t count,
                        void (*lost)(struct http_exchange *x))
{
    struct pollfd fds[SWEEP_BATCH];
    for (size_t i = 0; i < count; i++) {
        fds[i] = (struct pollfd){.fd = batch[i]->connection->fd, .events = POLLRDHUP};
    }
    if (poll(fds, count, 0) <= 0) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        /* `gone` of one may have answered another of the batch. */
        if (fds[i].revents != 0 && batch[i]->suspended) {
            lost(batch[i]);
        }
    }
}

void exchange_pool_sweep(struct exchange_pool *p, void (*lost)(struct http_exchange *x))
{
    struct http_exchange *batch[SWEEP_BATCH];
    size_t count = 0;
    for (struct http_exchange *x = p->in_use; x != NULL; x = x->next) {
        if (x->suspended) {
            batch[count++] = x;
        }
        if (count == SWEEP_BATCH) {
            sweep_batch(batch, count, lost);
            count = 0;
        }
    }
    sweep_batch(batch, count, lost);
}

void exchange_pool_done(struct exchange_pool *p)
{
    must(p->in_use == NULL);
    while (p->free != NULL) {
        struct http_exchange *x = p->free;
        p->free = x->next;
        exchange_free(x);
    }
    while (p->arena_count > 0) {
        arena_free(p->arenas[--p->arena_count]);
    }
}

static enum http_method method_of(struct str name)
{
    static const struct {
        struct str name;
        enum http_method method;
    } methods[] = {
        {{"GET", 3}, HTTP_GET}, {{"POST", 4}, HTTP_POST},     {{"HEAD", 4}, HTTP_HEAD},
        {{"PUT", 3}, HTTP_PUT}, {{"DELETE", 6}, HTTP_DELETE},
    };
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        if (str_eq(name, methods[i].name)) {
            return methods[i].method;
        }
    }
    return HTTP_OTHER;
}

void exchange_read_line(struct http_exchange *x, const char *method)
{
    struct str uri = buf_view(&x->uri);
    size_t mark = str_find(uri, '?');
    x->request.method = method_of(str_from(method));
    x->request.path = str_slice(uri, 0, mark);
    x->request.query = mark < uri.len ? str_slice(uri, mark + 1, uri.len) : STR("");
}

enum rc exchange_stream_put(struct http_exchange *x, struct str bytes)
{
    struct buf *b = &x->stream;
    if (x->stream_sent > 0) {
        memmove(b->data, b->data + x->stream_sent, b->len - x->stream_sent);
        b->len -= x->stream_sent;
        x->stream_sent = 0;
    }
    buf_str(b, bytes);
    enum rc rc = b->rc;
    b->rc = RC_OK; /* buf_put is all or nothing: what was there is whole */
    return rc;
}

size_t exchange_stream_take(struct http_exchange *x, char *out, size_t size)
{
    size_t left = x->stream.len - x->stream_sent;
    size_t n = left < size ? left : size;
    if (n > 0) {
        memcpy(out, x->stream.data + x->stream_sent, n);
        x->stream_sent += n;
    }
    if (x->stream_sent == x->stream.len) {
        buf_reset(&x->stream);
        x->stream_sent = 0;
    }
    return n;
}

bool http_query(struct http_exchange *x, const char *name, struct str *ret)
{
    return query_find(x->request.arena, x->request.query, str_from(name), ret);
}

void http_set_data(struct http_exchange *x, void *data)
{
    x->data = data;
}

void *http_data(struct http_exchange *x)
{
    return x->data;
}

const struct http_request *http_request(const struct http_exchange *x)
{
    return &x->request;
}

void *http_context(const struct http_exchange *x)
{
    return x->server->options.context;
}

static bool is_header_text(struct str s)
{
    return str_find(s, '\r') == s.len && str_find(s, '\n') == s.len && str_find(s, '\0') == s.len;
}

void http_add_header(struct http_exchange *x, const char *name, struct str value)
{
    must(name[0] != '\0' && is_header_text(str_from(name)) && is_header_text(value));
    if (value.len == 0) {
        return; /* the library has no such header */
    }
    buf_put(&x->headers, name, strlen(name) + 1);
    buf_str(&x->headers, value);
    buf_char(&x->headers, '\0');
    must(x->headers.rc != RC_LIMIT);
}
