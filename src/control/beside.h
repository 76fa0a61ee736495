/*
 * control/beside - what lies beside an entry put back into its place, wherever the bytes are read from.
 *
 * Threads: any.
 */
#ifndef CONTROL_BESIDE_H
#define CONTROL_BESIDE_H

#include "crypto/crypto.h"
#include "value/value.h"

enum { BLOBS_READ_MAX = 32 << 20 }; /* bytes that reading one entry back puts in their places */

struct blob_source {
    /* RC_NOT_FOUND: there is none such. */
    enum rc (*read)(void *context, struct arena *a, const struct digest *digest, struct str *ret, struct err *e);
    void *context;
    uint64_t erased_through; /* what was beside the entries up to here may be gone */
};

/* Of entry seq's body. A null v gives nothing. Errors: RC_GONE (erased by policy), RC_CORRUPT, RC_LIMIT. */
NODISCARD enum rc beside_put_back(const struct blob_source *from, struct arena *a, uint64_t seq, const struct value *v,
                                  struct value *ret, struct err *e);

#endif
