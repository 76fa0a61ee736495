/*
 * net/http_internal - what the files of the HTTP server share: the server, its connections and
 * exchanges, the listening socket. Only http_server.c knows libmicrohttpd; to the others its types
 * are opaque.
 */
#ifndef NET_HTTP_INTERNAL_H
#define NET_HTTP_INTERNAL_H

#include "net/http_server.h"

#include <sys/types.h>

struct MHD_Connection;
struct MHD_Daemon;
struct MHD_Response;

/* One connection, with what its requests have in common. */
struct http_connection {
    int fd;
    int64_t peer_uid;
    int64_t since_ms; /* opened, or last answered: a whole request must follow within request_s */
    struct http_exchange *exchange;
    struct http_connection *prev;
    struct http_connection *next;
};

struct connection_list {
    struct http_connection *first;
};

/* Null when the machine is out of memory. */
struct http_connection *connection_add(struct connection_list *l, int fd, int64_t now_ms);
void connection_remove(struct connection_list *l, struct http_connection *c);
/* Shuts those that have been reading one request for longer than request_ms (the library's own
 * time-out starts again with each byte), and the idle ones whose peer has closed (the library does
 * not see an end that came together with the last bytes). */
void connections_sweep(struct connection_list *l, int64_t now_ms, int64_t request_ms);

enum exchange_state {
    EXCHANGE_READING = 0, /* head or body still coming */
    EXCHANGE_HANDLING,    /* handle() is running */
    EXCHANGE_WAITING,     /* the handler keeps it */
    EXCHANGE_ANSWERED,    /* its response is made */
    EXCHANGE_STREAMING,   /* its response is made and grows */
    EXCHANGE_ENDING,      /* a stream that was ended; what is buffered still goes out */
    EXCHANGE_LOST,        /* its peer is gone and the handler has been told */
};

/* One request and its answer. Exchanges are used again: a request costs no allocation of ours. */
struct http_exchange {
    struct http_server *server;
    struct http_connection *connection;
    struct MHD_Connection *mhd;
    enum exchange_state state;
    bool head_read;
    bool suspended;
    unsigned refusal;     /* status that the server answers by itself once the body is read, or 0 */
    size_t discarded;     /* bytes of a refused body */
    size_t large_bytes;   /* of its body, counted by the server; 0 for a small one */
    size_t answer_bytes;  /* the same of its answer */
    uint64_t body_length; /* as declared; UINT64_MAX when it comes in chunks */
    int64_t held_since_ms;
    struct http_request request;
    struct buf uri; /* as sent; request.path and request.query point into it */
    struct buf body;
    struct buf headers;            /* to be added to the answer: name, NUL, value, NUL, ... */
    struct MHD_Response *response; /* made and not queued yet */
    unsigned status;
    struct buf stream; /* bytes not sent yet begin at stream_sent */
    size_t stream_sent;
    void *data;
    struct http_exchange *prev; /* in the pool's list of those in use */
    struct http_exchange *next; /* in that list, or in the list of free ones */
};

enum { ARENAS_KEPT = 16 };

struct exchange_pool {
    struct http_exchange *in_use;
    struct http_exchange *free;
    /* Given back by exchanges whose answer is made; the newest first, for it is still in the caches. */
    struct arena *arenas[ARENAS_KEPT];
    unsigned arena_count;
};

/* Null when the machine is out of memory. */
struct http_exchange *exchange_acquire(struct exchange_pool *p);
void exchange_release(struct exchange_pool *p, struct http_exchange *x);
/* Its request has been read: arena and body are for others. */
void exchange_strip(struct exchange_pool *p, struct http_exchange *x);
/* Calls lost for each suspended exchange whose peer has closed: the library looks at none. */
void exchange_pool_sweep(struct exchange_pool *p, void (*lost)(struct http_exchange *x));
/* None may be in use. */
void exchange_pool_done(struct exchange_pool *p);
/* Fills request.method, .path and .query from the request line. */
void exchange_read_line(struct http_exchange *x, const char *method);
/* Counts a large body or answer; false when the server has too many bytes of them already. */
NODISCARD bool exchange_count_body(struct http_exchange *x, size_t size);
NODISCARD bool exchange_count_answer(struct http_exchange *x, size_t size);
void exchange_forget_answer(struct http_exchange *x);
/* All of bytes or, when they do not fit, nothing: RC_LIMIT. */
NODISCARD enum rc exchange_stream_put(struct http_exchange *x, struct str bytes);
/* Moves up to size unsent bytes of the stream to out; how many. */
size_t exchange_stream_take(struct http_exchange *x, char *out, size_t size);

/* What a request's headers say about where its body ends. Of several that contradict each other the
 * library takes one, and another reader before us may have taken the other (request smuggling), so
 * such a request is refused. Source: RFC 9112 section 6.3. */
struct head_check {
    unsigned headers;
    unsigned lengths;
    unsigned encodings;
    unsigned hosts;
    bool chunked;
    bool bad_length;
    uint64_t length;
    size_t bytes; /* of the whole head */
};

void head_check_header(struct head_check *c, struct str name, struct str value);
/* Whether it is clear where the body ends and who is meant. */
bool head_check_passed(const struct head_check *c);

/* The listening socket, made by us: so the reason of a failure is known, and a local socket is
 * never open to others, not even for a moment. */
struct http_listener {
    int fd; /* -1: closed */
    uint16_t port;
    char path[HTTP_SOCKET_PATH_MAX]; /* empty on TCP */
    dev_t device; /* of the local socket's file, so that only our own is removed */
    ino_t inode;
};

NODISCARD enum rc http_listen(struct http_listener *l, const struct http_server_options *o,
                              struct err *e);
void http_listener_close(struct http_listener *l);

struct http_server {
    struct http_server_options options; /* its strings are null once started */
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
    bool more;      /* this round left work that needs no event to go on */
    unsigned held;  /* exchanges asked for in vain in this round */
    int64_t now_ms; /* monotonic, of this round */
    unsigned exchanges;
    size_t large_bytes;  /* bodies under way */
    size_t answer_bytes; /* answers on their way */
    unsigned connection_count;
    struct connection_list connections;
    struct exchange_pool pool;
    char start_error[ERR_TEXT_MAX]; /* what the library said while it started */
};

/* http_server.c, which alone knows the library: */

/* Makes x's response, with the headers that were added; false when there is no memory for it. */
NODISCARD bool response_of_body(struct http_exchange *x, unsigned status, const char *content_type,
                                struct str body);
NODISCARD bool response_of_stream(struct http_exchange *x, const char *content_type);
/* Adds the headers that came after it was made. */
NODISCARD bool response_finish(struct http_exchange *x);
void response_drop(struct http_exchange *x);
/* Lets the library ask for x's answer, in the next round. */
void exchange_wake(struct http_exchange *x);
/* Counts and sums up the headers of x's request. */
void exchange_check_head(struct http_exchange *x, struct head_check *c);

/* http_answer.c: */

/* The response of an answer that the server gives by itself. */
NODISCARD bool response_of_problem(struct http_exchange *x, unsigned status);
/* x's peer is gone: tells the handler if that has x. */
void exchange_lose(struct http_exchange *x);
/* The same found by us and not by the library, which then is to close the connection. */
void exchange_drop(struct http_exchange *x);

/* http_request.c: what comes in, step by step, and what the library is to do then. */

enum step {
    STEP_CLOSE = 0, /* the connection */
    STEP_GO_ON,     /* nothing: give more, or ask again */
    STEP_SEND,      /* x->response */
    STEP_SUSPEND,   /* until exchange_wake */
};

/* piece is null at the head and at the end of the request. */
enum step request_step(struct http_exchange *x, const char *method, const struct str *piece);

/* The first parameter of that name in a query; false when absent or badly escaped. */
bool query_find(struct arena *a, struct str query, struct str name, struct str *ret);

#endif
