/*
 * net/http_server - HTTP/1.1 in, by libmicrohttpd in external epoll mode on our loop.
 *
 * A request is handed over whole (headers and body read, limits kept). The handler answers at once,
 * or keeps the exchange and answers later from the loop thread: the connection is soon suspended
 * and then costs nothing. All answers given in one round of the loop are flushed together. Requests
 * beyond a limit are answered here with the handler's problem writer; only what is not HTTP at all,
 * or has a head that does not even fit the connection's memory, gets the library's own bare page. A
 * peer that closes, or only stops sending for good, while its exchange waits is found within
 * HTTP_SWEEP_MS.
 *
 * Threads: the loop's thread only.
 */
#ifndef NET_HTTP_SERVER_H
#define NET_HTTP_SERVER_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "net/loop.h"

#include <stdint.h>

enum {
    HTTP_HEADERS_MAX = 64,          /* request headers counted */
    HTTP_HEAD_BYTES_MAX = 8 << 10,  /* request line and headers */
    HTTP_BODY_MAX = 64 << 10,       /* bytes, unless max_body says otherwise for the path */
    HTTP_BODY_LARGE_MAX = 10 << 20,
    HTTP_LARGE_BYTES_MAX = 64 << 20,   /* of bodies over HTTP_BODY_MAX under way, all together: then 503 */
    HTTP_ANSWER_BYTES_MAX = 128 << 20, /* of answers over HTTP_BODY_MAX that their peers have not taken: then 503 */
    HTTP_DISCARD_MAX = 1 << 20,  /* read and thrown away of a body over its limit, so that the
                                    peer gets to read the 413; a longer one is cut off */
    HTTP_CONNECTIONS_MAX = 1024, /* more wait in the backlog */
    HTTP_BACKLOG = 1024,
    HTTP_IDLE_S = 60,               /* a connection that says nothing */
    HTTP_REQUEST_S = 120,           /* from the last answer to the end of the next request */
    HTTP_ARENA_MAX = 96 << 20,      /* memory of one exchange, until its answer is made */
    HTTP_ADDED_BYTES_MAX = 8 << 10, /* names and values of http_add_header */
    HTTP_STREAM_MAX = 256 << 10,    /* bytes of a stream that its peer has not taken */
    HTTP_SWEEP_MS = 1000,           /* how often exchanges under way are checked for a lost peer */
    HTTP_SOCKET_PATH_MAX = 108,     /* bytes with the NUL */
};

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_DELETE, HTTP_OTHER };

struct http_exchange;

struct http_request {
    enum http_method method;
    struct str path;  /* as sent, without the query; still percent-encoded */
    struct str query; /* after '?', without it; may be empty */
    struct str body;
    int64_t peer_uid; /* of a local-socket peer; -1 on TCP */
    bool tls;
    /* One lifetime for everything that belongs to this exchange; freed when its answer is made. */
    struct arena *arena;
};

struct http_server_options {
    /* Exactly one of the two. host is a numeric address; port 0 lets the system choose. */
    const char *host;
    uint16_t port;
    const char *socket_path;  /* local socket, created 0600, replaced when stale */
    const char *tls_cert_pem; /* the texts, not file names; both or neither */
    const char *tls_key_pem;
    unsigned connections_max; /* 0: HTTP_CONNECTIONS_MAX */
    unsigned idle_s;          /* 0: HTTP_IDLE_S */
    unsigned request_s;       /* 0: HTTP_REQUEST_S */
    /* How much body this request may have; called when the headers are in. Null: HTTP_BODY_MAX. */
    size_t (*max_body)(void *context, enum http_method method, struct str path);
    /* Must end in exactly one http_answer(), now or later. */
    void (*handle)(void *context, struct http_exchange *x, const struct http_request *request);
    /* The exchange's connection is gone before its answer, or before its stream's end: forget it, x
     * is no more after this call. */
    void (*gone)(void *context, struct http_exchange *x);
    /* Body of an answer the server gives by itself (400, 413, 431, 503); writes problem+json. */
    void (*problem)(void *context, unsigned status, struct buf *out);
    void *context;
};

struct http_server;

/* Errors: RC_INVALID (address, certificate), RC_CONFLICT (in use), RC_DENIED, RC_UNAVAILABLE. */
NODISCARD enum rc http_server_start(struct loop *l, const struct http_server_options *options,
                                    struct http_server **ret, struct err *e);
/* No new connections; exchanges under way may still be answered, connections open may go on. */
void http_server_quiesce(struct http_server *s);
unsigned http_server_exchanges(const struct http_server *s); /* not answered yet */
unsigned http_server_connections(const struct http_server *s);
/* Bytes counted against HTTP_LARGE_BYTES_MAX. */
size_t http_server_large_bytes(const struct http_server *s);
/* Not from a callback of the server. `gone` is called for every exchange under way. */
void http_server_free(struct http_server *s);
uint16_t http_server_port(const struct http_server *s);

/* A request header, or the empty string. The name in any case. Valid until the answer. */
struct str http_header(struct http_exchange *x, const char *name);
/* A query parameter, percent-decoded into the exchange's arena; false when absent. */
bool http_query(struct http_exchange *x, const char *name, struct str *ret);
/* One path segment percent-decoded into a; false on a bad escape or a NUL. */
NODISCARD bool http_unescape(struct arena *a, struct str text, struct str *ret);
/* User data that travels with the exchange. */
void http_set_data(struct http_exchange *x, void *data);
void *http_data(struct http_exchange *x);
/* Method, path and query are there until the answer is sent; body and arena until it is made. */
const struct http_request *http_request(const struct http_exchange *x);
void *http_context(const struct http_exchange *x); /* of the server's options */

/* Adds a response header; before the answer. Copies. An empty value adds nothing. Names and values
 * without CR, LF or NUL, all of them together within HTTP_ADDED_BYTES_MAX (both a must()). */
void http_add_header(struct http_exchange *x, const char *name, struct str value);
/* Copies body. content_type may be null for none. x is no more after this call. */
void http_answer(struct http_exchange *x, unsigned status, const char *content_type,
                 struct str body);

/* The same in two steps: the answer is made now, and leaves with http_send(). What waits in between keeps
 * its answer and no more: arena and body are used for other requests. http_answer() instead of http_send()
 * takes its place; headers may be added until then. */
void http_prepare(struct http_exchange *x, unsigned status, const char *content_type, struct str body);
/* The status that was prepared. x is no more after this call. */
unsigned http_send(struct http_exchange *x);

/* An answer in pieces (server-sent events, followed logs): after http_stream_start the body grows
 * by http_stream_put until http_stream_end, after which x is no more. RC_LIMIT when the peer reads
 * too slowly: nothing of bytes is kept, so end the stream. `gone` tells when it left. */
void http_stream_start(struct http_exchange *x, const char *content_type);
NODISCARD enum rc http_stream_put(struct http_exchange *x, struct str bytes);
void http_stream_end(struct http_exchange *x);

#endif
