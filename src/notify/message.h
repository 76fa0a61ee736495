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
    MESSAGE_SECRETS_MAX = 2,
    MESSAGE_SECRET_MIN = 24, /* bytes of a key */
    MESSAGE_SECRET_MAX = 64,
    MESSAGE_SIGNATURES_SIZE = 128, /* with the NUL */
};

/* The keys of one webhook. Wiped by message_secrets_done, never printed. */
struct message_secrets {
    uint8_t keys[MESSAGE_SECRETS_MAX][MESSAGE_SECRET_MAX];
    size_t lens[MESSAGE_SECRETS_MAX];
    uint32_t count;
};

/* The lines of a secret file. Errors: RC_INVALID, without the text that is wrong. */
NODISCARD enum rc message_secrets_read(struct str text, struct message_secrets *ret, struct err *e);
void message_secrets_done(struct message_secrets *s);

/* The same for the same kind, key, seq and time; each repeat is a message of its own. */
void message_id(const struct outbox_notice *n, uint32_t repeat, char out[static MESSAGE_ID_SIZE]);
/* {"type":"pawl.escalated","timestamp":...,"data":{...}} */
void message_body(struct buf *out, const struct outbox_notice *n, const char *id, uint32_t repeat);
/* "v1,<base64>", one for each key, a space between. */
void message_sign(const struct message_secrets *s, const char *id, int64_t at_s, struct str body,
                  char out[static MESSAGE_SIGNATURES_SIZE]);
/* PATH, LANG and PAWL_NOTICE_*; ends in null. Keeps the strings in a. Null when a has no room. */
const char *const *message_environment(struct arena *a, const struct outbox_notice *n,
                                       const char *id, uint32_t repeat);
/* Retry-After as milliseconds from now, a number of seconds or a date; 0 when it is neither or past,
 * at most NOTIFY_RETRY_AFTER_MAX_MS. Source: RFC 9110 section 10.2.3. */
int64_t message_retry_after_ms(struct str header, int64_t wall_ms);

#endif
