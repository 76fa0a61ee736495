/*
 * notify/outbox - the open notices, and which message is due on which route. For this folder.
 *
 * Pure: what time it is and what became of a message are handed in. Times are of the clock that never
 * goes back. Bounded in every direction by the limits of notify.h; memory is taken once.
 */
#ifndef NOTIFY_OUTBOX_H
#define NOTIFY_OUTBOX_H

#include "notify/notify.h"

/* A notice's own copy: valid UTF-8 without control characters, each ending in NUL. */
struct outbox_notice {
    enum notice_kind kind;
    char key[NOTIFY_NAME_MAX + 1];
    char agent[NOTIFY_NAME_MAX + 1];
    char service[NOTIFY_NAME_MAX + 1];
    char owner[NOTIFY_NAME_MAX + 1];
    char path[NOTIFY_PATH_MAX][NOTIFY_NAME_MAX + 1];
    uint32_t path_count;
    char text[NOTIFY_TEXT_MAX + 1];
    uint64_t seq;
    int64_t at_ms;
    bool needs_ack;
    uint32_t more; /* further stops that the queue had no room for */
};

/* One message: a notice on a route. */
struct outbox_ref {
    uint32_t slot;
    uint32_t route;
};

enum outbox_said {
    OUTBOX_TAKEN = 0,
    OUTBOX_OPEN,     /* is open already */
    OUTBOX_UNROUTED, /* no route takes it */
    OUTBOX_PUSHED,   /* taken; another was dropped for it */
    OUTBOX_DROPPED,
    OUTBOX_JOINED, /* a stop: the newest one speaks for it */
};

enum outbox_end {
    OUTBOX_SENT = 0,
    OUTBOX_FAILED,  /* may go better later */
    OUTBOX_REFUSED, /* would not */
    OUTBOX_GONE,    /* nor would any other on this route */
};

struct outbox;

struct outbox *outbox_new(struct notify_routes routes, int64_t retry_ms); /* null: no memory */
void outbox_free(struct outbox *o);
enum outbox_said outbox_say(struct outbox *o, const struct notice *n, int64_t now_ms);
void outbox_settle(struct outbox *o, enum notice_kind kind, struct str key);
/* The most important message that is due, the oldest first, now under way. False: none, or as many
 * are under way as may be. */
bool outbox_next(struct outbox *o, int64_t now_ms, struct outbox_ref *ret);
/* Until a message is due that is not due yet; -1: none. */
int64_t outbox_wait_ms(const struct outbox *o, int64_t now_ms);
/* after_ms: the least until the next try. random: any number. False: it was given up. */
bool outbox_ended(struct outbox *o, struct outbox_ref ref, enum outbox_end end, int64_t now_ms,
                  int64_t after_ms, uint32_t random);
/* For a message under way: is there no further try if this one fails? */
bool outbox_is_last_try(const struct outbox *o, struct outbox_ref ref);
/* For a message under way. */
const struct outbox_notice *outbox_notice(const struct outbox *o, struct outbox_ref ref);
/* 0 for the first telling, 1 for the first repeat. */
uint32_t outbox_repeat(const struct outbox *o, struct outbox_ref ref);
struct notify_counts outbox_counts(const struct outbox *o);

/* Before the next try when `tries` have failed: between half of the doubled span and all of it. */
int64_t outbox_backoff_ms(int64_t first_ms, uint32_t tries, uint32_t random);
bool outbox_takes(const struct notify_route *route, const struct notice *n);

#endif
