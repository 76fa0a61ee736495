/*
 * crypto/webhook - Standard Webhooks signatures of what is sent.
 *
 * Source: Standard Webhooks 1.0 (symmetric signatures, v1).
 */
#ifndef CRYPTO_WEBHOOK_H
#define CRYPTO_WEBHOOK_H

#include "base/err.h"
#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

enum {
    WEBHOOK_SECRETS_MAX = 2,
    WEBHOOK_SECRET_MIN = 24, /* bytes of a key */
    WEBHOOK_SECRET_MAX = 64,
    WEBHOOK_SIGNATURES_SIZE = 128, /* with the NUL */
};

/* The keys of one receiver. Wiped by webhook_secrets_done, never printed. */
struct webhook_secrets {
    uint8_t keys[WEBHOOK_SECRETS_MAX][WEBHOOK_SECRET_MAX];
    size_t lens[WEBHOOK_SECRETS_MAX];
    uint32_t count;
};

/* The lines of a secret file. Errors: RC_INVALID, without the text that is wrong. */
NODISCARD enum rc webhook_secrets_read(struct str text, struct webhook_secrets *ret, struct err *e);
void webhook_secrets_done(struct webhook_secrets *s);
/* "v1,<base64>", one for each key, a space between; empty without memory: the receiver refuses it. */
void webhook_sign(const struct webhook_secrets *s, const char *id, int64_t at_s, struct str body,
                  char out[static WEBHOOK_SIGNATURES_SIZE]);

#endif
