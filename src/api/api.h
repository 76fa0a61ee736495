/*
 * api - the HTTP API: routes, who may call them, and what they answer.
 *
 * Every route is one row of a table (api/routes.c): method, path, the roles that may call it, its
 * handler. A handler fills in a reply; it leaves the process once everything the handler read or wrote is
 * durable. Errors are RFC 9457 problem documents. No route has rules of its own: they are in control and
 * gate.
 *
 * Threads: the loop's.
 */
#ifndef API_API_H
#define API_API_H

#include "api/issuers.h"
#include "control/control.h"
#include "net/http_server.h"
#include "sys/log.h"

struct api;

enum {
    API_LIST_DEFAULT = 100,
    API_LIST_MAX = 1000,
    API_LIST_BYTES_MAX = 16 << 20, /* memory at which one listing ends */
    API_DEPENDANTS_MAX = 1000, /* of one service in a listing, those that are hurt most */
    API_SCAN_MAX = 5000,     /* entries that one ledger query looks at */
    API_RATE_PER_S = 20,     /* requests of one credential, in the long run */
    API_BURST = 100,
    API_DAILY_BYTES = 256 << 20,
    API_HOSTS_MAX = 16,
    API_EVENTS_MAX = 1000,   /* events of one request */
    STREAMS_MAX = 64,        /* open at once */
    STREAM_REPLAY_MAX = 1000, /* entries that one resumed stream looks at before it ends to go on */
    STREAM_KEEP_ALIVE_MS = 15000,
};

struct api_options {
    struct control *control;
    const struct log *log;
    struct loop *loop;     /* for issuers with an address; may be null without */
    const struct identity_settings *identity; /* borrowed; null: no issuers */
    bool public_log;       /* checkpoint and hash tiles without a credential */
    int64_t rate_per_s;    /* 0: API_RATE_PER_S */
    int64_t burst;         /* 0: API_BURST */
    int64_t daily_bytes;   /* bodies of one agent's credential; 0: API_DAILY_BYTES */
    const struct str *hosts; /* names besides the loopback ones that Host may hold; borrowed */
    size_t host_count;
    int64_t sli_bucket_ms; /* how long events are gathered into one entry; 0: 10 s */
    int64_t traffic_period_ms; /* how long spans are counted into one entry; 0: a minute */
    int64_t observed_for_ms;   /* when a call that was seen is no edge any more; 0: a day */
    /* Counted requests that are waiting for their bucket to end need a timer. */
    void (*bucket_pending)(void *context, int64_t delay_ms);
    const struct str_list *policy_keys; /* verifier keys of who may sign policy bundles; borrowed; null: nobody */
    /*
     * Asks all validators of a round, each in its time, and then calls done. False: too many wait already, and done is
     * not called. forget: the call is no more. Null: nobody is asked.
     */
    bool (*ask)(void *context, struct validator_round *round, void (*done)(void *waiter), void *waiter);
    void (*forget)(void *context, const void *waiter);
    /* A principal asks for a policy reload (the file is read by the server). */
    enum rc (*reload)(void *context, struct err *e);
    void *context;
};

/* Errors: RC_NO_MEMORY; what issuers_new says of the keys of an issuer. */
NODISCARD enum rc api_new(const struct api_options *options, struct api **ret, struct err *e);
void api_free(struct api *api);

/* For http_server_options; context is the api. */
size_t api_max_body(void *context, enum http_method method, struct str path);
void api_handle(void *context, struct http_exchange *x, const struct http_request *request);
void api_gone(void *context, struct http_exchange *x);
void api_problem(void *context, unsigned status, struct buf *out);

/* Writes the counted events as one entry per service. Call when a bucket ends. */
void api_flush_buckets(struct api *api);
/* Once a second: keeps quiet streams alive. */
void api_beat(struct api *api);
/* The server is about to end: so do they. */
void api_end_streams(struct api *api);
/* Once a second: spans that were gathered are counted, and written to the graph once a period. */
void api_traffic_beat(struct api *api);
/* The server is about to end: what waits is written. */
void api_traffic_end(struct api *api);
/* Once a minute: what was turned away, as one entry. */
void api_minute(struct api *api);
/* Reads the issuers' keys again. */
void api_reload_keys(struct api *api);
/* The server says how it stands, for status and /metrics. */
void api_set_policy_error(struct api *api, const char *text);
/* Room where the ledger lies. */
void api_set_disk(struct api *api, int64_t free_bytes, int64_t size_bytes);

#endif
