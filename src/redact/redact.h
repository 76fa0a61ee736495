/*
 * redact - secrets leave a request before anything is decided, stored or shown.
 *
 * A string that is a secret becomes {"$redacted":"hmac-sha256:<64 hex>","type":"..."}. In a longer
 * string each secret becomes the text [redacted:TYPE:hmac-sha256:<16 hex>] and the rest stays. The
 * hash is HMAC-SHA256 of the secret's bytes under the key of the data folder: the same secret gives
 * the same text, so a digest over the redacted value binds, and nobody without the key can try
 * passwords against it.
 *
 * Looked for: private keys in PEM, AWS keys, tokens of known services by their published prefixes,
 * JSON web tokens, Pawl's own tokens, passwords in URLs, Authorization values, and values whose
 * name says it: members of an object, NAME=VALUE, --name VALUE, "name": "value". And what the
 * operator's patterns match. The list, and what is not found, is in docs/redaction.md.
 *
 * Redacting twice changes nothing: what is redacted already is never looked into, and never counts
 * as the edge of a word. The time is linear in the text, but for sorting what was found, and for a
 * pattern of the operator, which takes at most text times pattern. Pure.
 */
#ifndef REDACT_REDACT_H
#define REDACT_REDACT_H

#include "value/value.h"

enum {
    REDACT_KEY_LEN = 32,
    REDACT_TYPE_MAX = 32,       /* bytes of a type: [a-z0-9][a-z0-9_-]* */
    REDACT_PATTERNS_MAX = 64,   /* of the operator */
    REDACT_FOUND_MAX = 10000,   /* secrets in one call, those inside others included */
    REDACT_WORK_MAX = 20000000, /* instructions of the operator's patterns in one call */
};

struct redactor;

/* The regular expressions of value/schema.h; they match anywhere unless ^ and $ say otherwise. */
struct redact_pattern {
    struct str type;
    struct str pattern;
};

/*
 * Keeps:  copies of everything; the key is wiped on release.
 * Errors: RC_INVALID and RC_LIMIT name the index and the reason; RC_NO_MEMORY. A pattern that
 *         matches the empty text is refused: it is a mistake.
 */
NODISCARD enum rc redactor_new(const uint8_t key[static REDACT_KEY_LEN],
                               const struct redact_pattern *patterns, size_t count,
                               struct redactor **ret, struct err *e);
void redactor_free(struct redactor *r);
DEFINE_CLEANUP(redactor)

/*
 * Replaces in place, everything new in a; nothing is allocated when nothing is found. Names of
 * members are redacted as texts. A secret inside JSON_DEPTH_MAX containers stays a text, because an
 * object there could not be read again.
 *
 * Gives:  ret_count, how many were replaced.
 * Errors: RC_LIMIT for a maximum above, JSON_DEPTH_MAX or the arena; RC_INVALID when two members of
 *         an object have the same name once it is redacted; RC_NO_MEMORY. v is half redacted then
 *         and must not be used.
 * Threads: a redactor may be used by many at once.
 */
NODISCARD enum rc redact_value(const struct redactor *r, struct arena *a, struct value *v,
                               uint32_t *ret_count, struct err *e);
/* The same for one text that stays a text. Borrows: ret is text itself when nothing is found. */
NODISCARD enum rc redact_text(const struct redactor *r, struct arena *a, struct str text,
                              struct str *ret, uint32_t *ret_count, struct err *e);
/* Whether anything in v was redacted, or says so: such parameters are never executed from. */
bool redact_holds(const struct value *v);

#endif
