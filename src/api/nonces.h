/*
 * api/nonces - what was signed is taken once: the nonces of signed requests, for as long as one could be sent again.
 *
 * A nonce is remembered under its key until the signature that holds it has become too old to be taken. The table is
 * in memory only: a server that starts takes no signature that an earlier one may have taken. Full, it refuses. Pure:
 * the caller says what time it is.
 */
#ifndef API_NONCES_H
#define API_NONCES_H

#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

enum { NONCES_MAX = 65536 }; /* remembered at once */

struct nonces;

/* Null when out of memory. keep_s: how long one is remembered from when it came. */
struct nonces *nonces_new(int64_t keep_s);
void nonces_free(struct nonces *n);
bool nonces_seen(struct nonces *n, struct str keyid, struct str nonce, int64_t now_s);
/* now_s never goes back. Errors: RC_DENIED when it was seen, RC_LIMIT when the table is full, RC_NO_MEMORY. */
NODISCARD enum rc nonces_take(struct nonces *n, struct str keyid, struct str nonce, int64_t now_s, struct err *e);

#endif
