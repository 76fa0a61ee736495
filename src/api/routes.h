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
};

struct route {
    enum http_method method;
    const char *path; /* "{}" is one segment, a last "*" the rest */
    unsigned roles;   /* any of them may call it */
    unsigned flags;
    call_fn handle;
};

/* Null when no path fits; ret_other_method when it exists for another method. */
const struct route *routes_find(enum http_method method, struct str path, struct str ids[CALL_IDS_MAX],
                                bool *ret_other_method);
/* For the test that compares docs/openapi.yaml with what is served. */
const struct route *routes_table(size_t *ret_count);

#endif
