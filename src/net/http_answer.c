/* Answers to exchanges: at once, later, or in pieces; and what happens when there is nobody to
 * answer. */
#include "net/http_internal.h"

#include "base/must.h"

enum { PROBLEM_MAX = 4 << 10 };

bool response_of_problem(struct http_exchange *x, unsigned status)
{
    const struct http_server_options *o = &x->server->options;
    struct buf body;
    buf_init(&body, PROBLEM_MAX);
    o->problem(o->context, status, &body);
    bool made = body.rc == RC_OK &&
                response_of_body(x, status, "application/problem+json", buf_view(&body));
    buf_done(&body);
    return made;
}

/* Peers that ask for much and take it slowly must not fill the memory with it. */
static bool make_answer(struct http_exchange *x, unsigned status, const char *content_type, struct str body)
{
    exchange_forget_answer(x);
    if (body.len > HTTP_BODY_MAX && !exchange_count_answer(x, body.len)) {
        http_add_header(x, "Retry-After", STR("1"));
        return response_of_problem(x, 503);
    }
    return response_of_body(x, status, content_type, body);
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
    response_drop(x);
    /* Without memory for an answer the connection is closed, which is an answer too. */
    x->state = make_answer(x, status, content_type, body) ? EXCHANGE_ANSWERED : EXCHANGE_LOST;
    if (waiting) {
        exchange_wake(x);
    }
}

void http_prepare(struct http_exchange *x, unsigned status, const char *content_type, struct str body)
{
    if (x->state == EXCHANGE_LOST) {
        return;
    }
    must(x->state == EXCHANGE_HANDLING || x->state == EXCHANGE_WAITING);
    must(status >= 200 && status <= 599);
    if (!make_answer(x, status, content_type, body)) {
        x->status = status; /* http_send() closes the connection */
    }
    exchange_strip(&x->server->pool, x);
}

unsigned http_send(struct http_exchange *x)
{
    unsigned status = x->status;
    if (x->state == EXCHANGE_LOST) {
        return status;
    }
    must(x->state == EXCHANGE_HANDLING || x->state == EXCHANGE_WAITING);
    must(status != 0);
    x->server->exchanges--;
    bool waiting = x->state == EXCHANGE_WAITING;
    x->state = x->response != NULL && response_finish(x) ? EXCHANGE_ANSWERED : EXCHANGE_LOST;
    if (waiting) {
        exchange_wake(x);
    }
    return status;
}

void exchange_lose(struct http_exchange *x)
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

void exchange_drop(struct http_exchange *x)
{
    exchange_lose(x);
    exchange_wake(x);
}

void http_stream_start(struct http_exchange *x, const char *content_type)
{
    if (x->state == EXCHANGE_LOST) {
        return;
    }
    must(x->state == EXCHANGE_HANDLING || x->state == EXCHANGE_WAITING);
    bool made = response_of_stream(x, content_type);
    x->state = EXCHANGE_STREAMING;
    if (!made) {
        exchange_lose(x);
    }
    exchange_wake(x);
}

/* A stream that is not suspended is being written already. */
static void wake_stream(struct http_exchange *x)
{
    if (x->suspended) {
        exchange_wake(x);
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
