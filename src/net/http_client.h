/*
 * net/http_client - HTTP out, by libcurl: on the loop, or blocking for a process that just waits.
 *
 * No redirects are followed, no proxy from the environment is used, certificates are checked.
 * A local-socket path may replace TCP. HTTP/1.1; an error's text never holds the address's path or
 * query, which may be secret.
 */
#ifndef NET_HTTP_CLIENT_H
#define NET_HTTP_CLIENT_H

#include "base/arena.h"
#include "base/str.h"
#include "net/loop.h"

#include <stdint.h>

enum { HTTP_CALL_HEADERS_MAX = 16, HTTP_REPLY_MAX = 16 << 20 };

struct http_call {
    const char *method; /* "GET", "POST", ... */
    const char *url;
    const char *socket_path;                    /* or null */
    const char *ca_file;                        /* or null for the system's */
    const char *headers[HTTP_CALL_HEADERS_MAX]; /* "Name: value"; null ends the list */
    struct str body;                            /* borrowed for the blocking call, copied else */
    int64_t timeout_ms;                         /* whole call; > 0 */
    size_t reply_max;                           /* bytes; 0: HTTP_REPLY_MAX */
};

struct http_reply {
    unsigned status;
    struct str body;
    struct str content_type;
    struct str retry_after; /* header's text or empty */
};

/*
 * Blocking. Keeps reply strings in a. Errors: RC_UNAVAILABLE (no connection, time-out, cut short;
 * the text says which), RC_LIMIT (reply too large), RC_INVALID (url).
 */
NODISCARD enum rc http_fetch(struct arena *a, const struct http_call *call, struct http_reply *ret,
                             struct err *e);
/* Blocking, and hands the body on as it comes; fn returns false to end the call early, which is
 * RC_OK. *ret_status is set before the first piece. */
typedef bool (*http_piece_fn)(void *context, struct str piece);
NODISCARD enum rc http_fetch_stream(const struct http_call *call, http_piece_fn fn, void *context,
                                    unsigned *ret_status, struct err *e);

/* On the loop. */
struct http_client;
struct http_client_call;
/* reply is null when e is not RC_OK; both hold only for the call. The http_client_call is no more
 * after it. It may start and cancel other calls, but not free the client. */
typedef void (*http_reply_fn)(void *context, const struct http_reply *reply, const struct err *e);
NODISCARD enum rc http_client_new(struct loop *l, struct http_client **ret, struct err *e);
/* Calls under way end without their callback. */
void http_client_free(struct http_client *c);
NODISCARD enum rc http_client_start(struct http_client *c, const struct http_call *call,
                                    http_reply_fn fn, void *context, struct http_client_call **ret,
                                    struct err *e);
void http_client_cancel(struct http_client_call *call); /* no callback any more */

#endif
