#include "doors/execution.h"

#include "base/must.h"
#include "client/untrusted.h"
#include "doors/spool.h"
#include "net/process.h"
#include "sys/clock.h"
#include "value/json.h"

#include <stdio.h>
#include <time.h>

enum { HEARTBEAT_TIMEOUT_MS = 2000, OUTCOME_TRIES = 3 };

/* --- the newest output -------------------------------------------------------------------------- */

void tail_put(struct tail *t, struct str piece)
{
    piece = str_slice(piece, piece.len > EXECUTION_TAIL ? piece.len - EXECUTION_TAIL : 0, piece.len);
    for (size_t i = 0; i < piece.len; i++) {
        if (t->used < EXECUTION_TAIL) {
            t->bytes[t->used++] = piece.ptr[i];
        } else {
            t->bytes[t->start] = piece.ptr[i];
            t->start = (t->start + 1) % EXECUTION_TAIL;
        }
    }
}

/* Bytes of the character at the front, 0 when it is none. */
static size_t character(struct str s)
{
    for (size_t n = 1; n <= 4 && n <= s.len; n++) {
        if (utf8_valid(str_slice(s, 0, n))) {
            return n;
        }
    }
    return 0;
}

struct str tail_text(struct arena *a, const struct tail *t)
{
    char ordered[EXECUTION_TAIL];
    for (size_t i = 0; i < t->used; i++) {
        ordered[i] = t->bytes[(t->start + i) % EXECUTION_TAIL];
    }
    struct str rest = {ordered, t->used};
    bool cut = t->used == EXECUTION_TAIL;
    /* The first character may have lost its beginning. */
    while (cut && rest.len > 0 && ((unsigned char)rest.ptr[0] & 0xc0) == 0x80) {
        rest = str_slice(rest, 1, rest.len);
    }
    struct buf text;
    buf_init(&text, sizeof ordered * 3);
    while (rest.len > 0) {
        size_t n = character(rest);
        buf_str(&text, n == 0 ? STR("\xef\xbf\xbd") : str_slice(rest, 0, n));
        rest = str_slice(rest, n == 0 ? 1 : n, rest.len);
    }
    struct str copy = arena_str(a, buf_view(&text));
    buf_done(&text);
    return copy;
}

/* --- output ------------------------------------------------------------------------------------- */

struct output {
    struct sha256_stream *digests[2];
    int64_t bytes[2];
    struct tail tail;
};

static void take_output(void *context, int stream, struct str piece)
{
    struct output *o = context;
    sha256_stream_put(o->digests[stream - 1], piece);
    o->bytes[stream - 1] += (int64_t)piece.len;
    tail_put(&o->tail, piece);
}

/* --- while it runs ------------------------------------------------------------------------------ */

static struct value nonce_body(struct arena *a, const struct grant_held *g)
{
    struct value body = value_object();
    if (g->nonce != NULL) {
        value_add_str(a, &body, STR("executor_nonce"), str_from(g->nonce));
    }
    return body;
}

/* True when the command is to end. A heartbeat that is lost is no reason to end it. */
static bool heartbeat(const struct client *c, const struct grant_held *g)
{
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    if (a == NULL) {
        return false;
    }
    struct client quick = *c;
    struct answer answer;
    struct err e;
    quick.timeout_ms = HEARTBEAT_TIMEOUT_MS;
    struct value body = nonce_body(a, g);
    struct str path = arena_printf(a, "/v1/actions/%.*s/heartbeat", STR_ARG(g->action));
    enum rc rc = client_post(&quick, a, path.ptr, &body, &answer, &e);
    client_done(&quick);
    return rc == RC_OK && value_bool_or(value_get(&answer.body, STR("cancel")), false);
}

static void watch(const struct client *c, struct process *p, const struct grant_held *g, struct output *o)
{
    int64_t every_ms = g->nonce != NULL && g->heartbeat_ms > 0 ? g->heartbeat_ms / 2 : -1;
    bool cancelled = false;
    while (process_wait(p, every_ms, take_output, o) == PROCESS_TIMEOUT) {
        if (!cancelled && heartbeat(c, g)) {
            fputs("pawl: the server says stop: the command is being ended\n", stderr);
            process_cancel(p);
            cancelled = true;
        }
    }
}

/* --- the outcome -------------------------------------------------------------------------------- */

static void add_output(struct arena *a, struct value *detail, struct output *o)
{
    must(o != NULL);
    static const char *const names[2][2] = {{"stdout_sha256", "stdout_bytes"},
                                            {"stderr_sha256", "stderr_bytes"}};
    for (unsigned i = 0; i < 2; i++) {
        struct digest d = sha256_stream_end(o->digests[i]);
        value_add_hex(a, detail, str_from(names[i][0]), STR("sha256:"), d.bytes, sizeof d.bytes);
        value_add_int(a, detail, str_from(names[i][1]), o->bytes[i]);
    }
    value_add_str(a, detail, STR("output_tail"), tail_text(a, &o->tail));
}

static struct value detail_of(struct arena *a, const struct executed *x, int64_t duration_ms, struct output *o)
{
    struct value detail = value_object();
    value_add_bool(a, &detail, STR("ran"), x->ran);
    if (!x->ran) {
        value_add_str(a, &detail, STR("error"), arena_str(a, str_from(x->failure.text)));
        return detail;
    }
    value_add(a, &detail, STR("exit_status"), x->signal != 0 ? value_null() : value_int(x->exit_status));
    value_add(a, &detail, STR("signal"), x->signal == 0 ? value_null() : value_int(x->signal));
    value_add_int(a, &detail, STR("duration_ms"), duration_ms);
    add_output(a, &detail, o);
    return detail;
}

static void deliver(const struct client *c, struct arena *a, const struct grant_held *g, const struct value *body)
{
    struct str path = arena_printf(a, "/v1/actions/%.*s/outcome", STR_ARG(g->action));
    struct answer answer;
    struct err e;
    enum rc rc = RC_UNAVAILABLE;
    for (int n = 0; n < OUTCOME_TRIES && (rc == RC_UNAVAILABLE || rc == RC_LIMIT); n++) {
        if (n > 0) {
            nanosleep(&(struct timespec){.tv_nsec = 300000000L}, NULL);
        }
        rc = client_post(c, a, path.ptr, body, &answer, &e);
    }
    if (rc == RC_OK) {
        return;
    }
    struct buf why;
    buf_init(&why, 4096);
    untrusted_cell(&why, str_from(e.text));
    bool later = rc == RC_UNAVAILABLE || rc == RC_LIMIT;
    if (later && spool_put(c, path.ptr, body, &e) == RC_OK) {
        fprintf(stderr, "pawl: the outcome is kept and sent by the next run (%.*s)\n", STR_ARG(buf_view(&why)));
    } else {
        fprintf(stderr, "pawl: the outcome could not be delivered: %.*s\n", STR_ARG(buf_view(&why)));
    }
    buf_done(&why);
}

/* --- all of it ---------------------------------------------------------------------------------- */

static void start_and_watch(const struct client *c, const struct invocation *i, const struct grant_held *g,
                            struct executed *ret, struct output *o)
{
    struct process_spec spec = {.exec_fd = i->exec_fd,
                                .exec_path = i->executable,
                                .argv = i->argv,
                                .envp = i->envp,
                                .cwd = i->cwd,
                                .stdin_fd = i->stdin_fd,
                                .forward_output = true};
    struct process *p = NULL;
    enum rc rc = invocation_recheck(i, &ret->failure);
    rc = rc == RC_OK ? process_start(&spec, &p, &ret->failure) : rc;
    if (rc != RC_OK) {
        return;
    }
    ret->failure = (struct err){0};
    ret->ran = true;
    process_forward_signals(p);
    watch(c, p, g, o);
    ret->exit_status = process_exit_code(p);
    ret->signal = process_signal(p);
    process_free(p);
}

void execution_run(const struct client *c, struct arena *a, const struct invocation *i,
                   const struct grant_held *grant, struct executed *ret)
{
    *ret = (struct executed){.exit_status = -1};
    struct output *o = arena_alloc(a, sizeof *o);
    CLEANUP(sha256_stream) struct sha256_stream *out = sha256_stream_new();
    CLEANUP(sha256_stream) struct sha256_stream *err = sha256_stream_new();
    int64_t began_us = clock_monotonic_us();
    if (o == NULL || out == NULL || err == NULL) {
        (void)err_set(&ret->failure, RC_NO_MEMORY, "out of memory");
    } else {
        o->digests[0] = out;
        o->digests[1] = err;
        start_and_watch(c, i, grant, ret, o);
    }
    int64_t duration_ms = (clock_monotonic_us() - began_us) / 1000;
    struct value body = nonce_body(a, grant);
    bool good = ret->ran && ret->exit_status == 0 && ret->signal == 0;
    value_add_str(a, &body, STR("result"), good ? STR("succeeded") : STR("failed"));
    value_add(a, &body, STR("detail"), detail_of(a, ret, duration_ms, o));
    deliver(c, a, grant, &body);
}
