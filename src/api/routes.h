/*
 * api/routes - one row per route.
 */
#ifndef API_ROUTES_H
#define API_ROUTES_H

#include "api/call.h"

enum route_flags {
    ROUTE_ANONYMOUS = 1,       /* no credential */
    ROUTE_PUBLIC_LOG = 2,      /* none either when the log is public */
    ROUTE_BODY_ERRORS_400 = 4, /* AuthZEN: a body of the wrong shape is 400, not 422 */
    ROUTE_RAW_BODY = 16,       /* the handler reads it */
    ROUTE_CLOUD_EVENTS = 32,   /* the body may be a CloudEvents envelope */
    ROUTE_LARGE_BODY = 8,      /* up to HTTP_BODY_LARGE_MAX: it carries plans, diffs or outputs */
};

/* What comes of sending a request again. Each POST says it, or the test of the table fails; a GET reads. */
enum repeat {
    REPEAT_READS = 0,
    REPEAT_KEY,   /* an Idempotency-Key makes it once: the repeat is answered and not done, another body is 422 */
    REPEAT_NONCE, /* bound to its executor's nonce: the holder's repeat gets the same grant, nobody else's does */
    REPEAT_ASKS,  /* a question about now: each time it is asked it is answered anew, and starts nothing */
    REPEAT_SAME,  /* sets what is set: the second time changes nothing */
};

struct route {
    enum http_method method;
    const char *path; /* "{}" is one segment, a last "*" the rest */
    unsigned roles;   /* any of them may call it */
    unsigned flags;
    call_fn handle;
    enum repeat repeat;
};

/* Null when no path fits; ret_other_method when it exists for another method. */
const struct route *routes_find(enum http_method method, struct str path, struct str ids[CALL_IDS_MAX],
                                bool *ret_other_method);
/* For the test that compares docs/openapi.yaml with what is served. */
const struct route *routes_table(size_t *ret_count);

#endif
