/*
 * A request as it comes in: its head is checked, its body collected, then the handler has it.
 *
 * An exchange that the handler keeps is held at first: the library asks for its answer again in
 * each round. Suspending would take the connection out of epoll and put it back, which costs as
 * much as a third of the whole request, and most answers come within a commit's time. After HOLD_MS
 * it is suspended and costs nothing any more.
 */
#include "net/http_internal.h"

#include "base/must.h"

enum { HOLD_MS = 20 };

static size_t max_body(const struct http_exchange *x)
{
    const struct http_server_options *o = &x->server->options;
    return o->max_body == NULL ? HTTP_BODY_MAX
                               : o->max_body(o->context, x->request.method, x->request.path);
}

static enum step refuse(struct http_exchange *x, unsigned status)
{
    if (status == 503) {
        http_add_header(x, "Retry-After", STR("1"));
    }
    x->state = EXCHANGE_ANSWERED;
    return response_of_problem(x, status) ? STEP_SEND : STEP_CLOSE;
}

/* A large body is counted as a whole before its first byte; one in chunks, whose length nobody knows, once it grows. */
static bool has_room(struct http_exchange *x, uint64_t length)
{
    return length <= HTTP_BODY_MAX ||
           (exchange_count_body(x, (size_t)length) && buf_reserve(&x->body, (size_t)length) != NULL);
}

/* A refusal given here, before the body, makes the library close the connection after it. */
static enum step on_head(struct http_exchange *x, const char *method)
{
    x->head_read = true;
    struct head_check c = {0};
    exchange_check_head(x, &c);
    if (x->uri.rc != RC_OK || c.headers > HTTP_HEADERS_MAX || c.bytes > HTTP_HEAD_BYTES_MAX) {
        return refuse(x, 431);
    }
    if (!head_check_passed(&c)) {
        return refuse(x, 400);
    }
    exchange_read_line(x, method);
    x->body.max = max_body(x);
    x->body_length = c.chunked ? UINT64_MAX : c.length;
    unsigned status = c.length > x->body.max ? 413 : has_room(x, c.length) ? 0 : 503;
    if (status == 0) {
        return STEP_GO_ON;
    }
    bool asks_first = http_header(x, "Expect").len > 0;
    if (asks_first || c.length > HTTP_DISCARD_MAX) {
        return refuse(x, status);
    }
    x->refusal = status;
    return STEP_GO_ON;
}

static enum step on_body(struct http_exchange *x, struct str piece)
{
    bool grows = x->large_bytes == 0 && x->body.len + piece.len > HTTP_BODY_MAX && x->body.max > HTTP_BODY_MAX;
    if (x->refusal == 0 && grows && !exchange_count_body(x, x->body.max)) {
        x->refusal = 503;
    }
    if (x->refusal == 0) {
        buf_str(&x->body, piece);
        /* The library may have more of it in hand than it could give. */
        x->server->more = x->server->more || x->body.len < x->body_length;
        if (x->body.rc == RC_OK) {
            return STEP_GO_ON;
        }
        x->refusal = x->body.rc == RC_LIMIT ? 413 : 503;
    }
    x->server->more = true;
    x->discarded += piece.len;
    return x->discarded <= HTTP_DISCARD_MAX ? STEP_GO_ON : STEP_CLOSE;
}

static enum step hold(struct http_exchange *x)
{
    struct http_server *s = x->server;
    if (s->now_ms - x->held_since_ms >= HOLD_MS) {
        return STEP_SUSPEND;
    }
    s->held++;
    return STEP_GO_ON;
}

static enum step on_whole(struct http_exchange *x)
{
    struct http_server *s = x->server;
    if (x->refusal != 0) {
        return refuse(x, x->refusal);
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
    return x->state == EXCHANGE_LOST ? STEP_CLOSE : STEP_SEND;
}

enum step request_step(struct http_exchange *x, const char *method, const struct str *piece)
{
    switch (x->state) {
    case EXCHANGE_READING:
        if (!x->head_read) {
            return on_head(x, method);
        }
        return piece != NULL ? on_body(x, *piece) : on_whole(x);
    case EXCHANGE_WAITING:
        return hold(x);
    case EXCHANGE_LOST:
        return STEP_CLOSE;
    default:
        x->server->more = true; /* the next round writes what this one sends */
        return STEP_SEND;
    }
}
