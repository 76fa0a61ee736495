/*
 * notify - tells people: what waits for them, what went wrong, what was stopped.
 *
 * A notice goes to every route that takes it. A route is a signed webhook (Standard Webhooks) or a
 * command (exact argv, no shell). What needs an acknowledgement stays open, and routes with a repeat
 * say it again, until notifier_settle. There is one open notice for a kind and a key: saying it again
 * while it is open changes nothing.
 *
 * The ledger is the record, a notice is only a pointer to it: notices are kept in memory, and who
 * restarts the server says again what is still open. A notice said again under the same kind, key,
 * seq and time has the same id, so a receiver that has seen it drops it.
 *
 * Other ways out (chat, pagers, mail) are further types of route behind the same calls.
 *
 * Threads: everything on the loop's thread.
 * Source: Standard Webhooks 1.0 (message id, timestamp, signature v1; 410 ends an endpoint).
 */
#ifndef NOTIFY_NOTIFY_H
#define NOTIFY_NOTIFY_H

#include "net/http_client.h"
#include "net/loop.h"
#include "policy/reader.h"
#include "sys/log.h"

enum {
    NOTIFY_ROUTES_MAX = 16,
    NOTIFY_QUEUE_MAX = 256,     /* open notices */
    NOTIFY_ROUTE_CALLS_MAX = 4, /* of one route, under way at once */
    NOTIFY_COMMANDS_MAX = 4,    /* of all routes, running at once */
    NOTIFY_TRIES = 8,           /* of one message on one route; about two minutes */
    NOTIFY_RETRY_MS = 1000,     /* before the second try; doubled for each further one */
    NOTIFY_RETRY_MAX_MS = 60000,
    NOTIFY_RETRY_AFTER_MAX_MS = 300000, /* what a receiver may ask for */
    NOTIFY_TIMEOUT_MS = 5000,           /* of a webhook or a command that names none */
    NOTIFY_REPEAT_MIN_MS = 10000,
    NOTIFY_URL_MAX = 2048,
    NOTIFY_ARGS_MAX = 64,
    NOTIFY_NAME_MAX = 256,  /* bytes of a notice's key, agent, service, owner; longer is cut */
    NOTIFY_TEXT_MAX = 1024, /* bytes of its text; longer is cut */
    NOTIFY_PATH_MAX = 8,    /* names of an escalation path; further ones are left out */
};

enum notice_kind {
    NOTICE_ESCALATED = 0,
    NOTICE_EXPIRING,
    NOTICE_UNKNOWN,
    NOTICE_REVERT_FAILED,
    NOTICE_STOP,
    NOTICE_STOP_UNCONFIRMED,
    NOTICE_BREAKER,
    NOTICE_SIGNAL_LOST,
    NOTICE_DISK,
    NOTICE_CLOCK,
    NOTICE_BREAK_GLASS,
    NOTICE_COUNT,
};

/* "revert_failed": in configuration and, behind "pawl.", as the message's type. */
const char *notice_kind_name(enum notice_kind kind);

struct notice {
    enum notice_kind kind;
    struct str key;   /* what it is about, such as act_12 */
    struct str agent; /* the next three may be empty: it concerns no one in particular */
    struct str service;
    struct str owner;           /* who answers for the agent */
    struct str_list escalation; /* the agent's escalation path: who is called, in order */
    struct str text;            /* one line, plain */
    uint64_t seq;               /* its entry; 0: none */
    int64_t at_ms;
    bool needs_ack; /* open until settled; else only until it was told */
};

enum notify_route_type { ROUTE_WEBHOOK = 0, ROUTE_COMMAND };

/* url, secret_file and the words of command have a NUL after them. */
struct notify_route {
    struct str name;
    bool kinds[NOTICE_COUNT];
    /* Globs; an empty list takes all. What a notice does not name, it is not held back for. */
    struct str_list agents;
    struct str_list owners;
    struct str_list escalation; /* any name of the path */
    enum notify_route_type type;
    struct str url;          /* https, or http to loopback */
    struct str secret_file;  /* "whsec_<base64>" a line; a second one while it is changed */
    struct str_list command; /* argv; the first is an absolute path */
    int64_t timeout_ms;
    int64_t repeat_ms; /* 0: once */
};

struct notify_routes {
    const struct notify_route *items;
    uint32_t count;
};

/*
 * The list under `notify:`. Null v: no routes. Keeps the routes in r's arena. Opens no file.
 * Errors: RC_INVALID with the place.
 */
NODISCARD enum rc notify_read(struct reader *r, const struct value *v, struct notify_routes *ret);

struct notifier_options {
    struct loop *loop;
    struct http_client *http;
    const struct log *log;       /* or null */
    struct notify_routes routes; /* borrowed until notifier_free */
    int64_t (*wall_ms)(void *context);
    int64_t (*elapsed_ms)(void *context); /* never goes back */
    void *context;
    int64_t retry_ms; /* 0: NOTIFY_RETRY_MS */
};

struct notify_counts {
    uint64_t sent;
    uint64_t failed;   /* messages given up on one route */
    uint64_t dropped;  /* notices that the full queue had no room for */
    uint64_t unrouted; /* notices that no route takes */
    uint32_t open;
    uint32_t gone; /* routes whose receiver said 410; until restart */
};

struct notifier;

/* Reads the secrets. Errors: RC_DENIED (a secret or a command that others may touch), RC_NOT_FOUND,
 * RC_INVALID (no secret in the file, no program), RC_NO_MEMORY; the text names the route. */
NODISCARD enum rc notifier_new(const struct notifier_options *options, struct notifier **ret,
                               struct err *e);
/* Calls under way end untold, commands are killed. Before http and loop; not from a callback. */
void notifier_free(struct notifier *n);

/*
 * Queues it; never blocks, never fails. Copies everything. A full queue drops the oldest of the least
 * important, those first that were told already. A stop is never dropped untold: when nothing else is
 * left, the newest stop's message says how many more there are.
 */
void notifier_say(struct notifier *n, const struct notice *notice);
/* Acknowledged or over: no repeat and no further try. One under way may still arrive. */
void notifier_settle(struct notifier *n, enum notice_kind kind, struct str key);
struct notify_counts notifier_counts(const struct notifier *n);

#endif
