/*
 * notify/message - a notice as bytes: id, JSON, signature, environment. For this folder.
 *
 * Pure.
 */
#ifndef NOTIFY_MESSAGE_H
#define NOTIFY_MESSAGE_H

#include "base/buf.h"
#include "notify/outbox.h"

enum {
    MESSAGE_ID_SIZE = 64,          /* with the NUL */
    MESSAGE_BODY_MAX = 64 << 10,
};

/* The same for the same kind, key, seq and time; each repeat is a message of its own. */
void message_id(const struct outbox_notice *n, uint32_t repeat, char out[static MESSAGE_ID_SIZE]);
/* {"type":"pawl.escalated","timestamp":...,"data":{...}} */
void message_body(struct buf *out, const struct outbox_notice *n, const char *id, uint32_t repeat);
/* PATH, LANG and PAWL_NOTICE_*; ends in null. Keeps the strings in a. Null when a has no room. */
const char *const *message_environment(struct arena *a, const struct outbox_notice *n,
                                       const char *id, uint32_t repeat);
/* Retry-After as milliseconds from now, a number of seconds or a date; 0 when it is neither or past,
 * at most NOTIFY_RETRY_AFTER_MAX_MS. Source: RFC 9110 section 10.2.3. */
int64_t message_retry_after_ms(struct str header, int64_t wall_ms);

#endif
