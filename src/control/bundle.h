/*
 * control/bundle - a policy that somebody signed, in one file.
 *
 * {"note", "policy"}: a C2SP signed note over the policy's hash, who made it and when, and the canonical policy.
 * Source: c2sp.org/signed-note.
 */
#ifndef CONTROL_BUNDLE_H
#define CONTROL_BUNDLE_H

#include "base/buf.h"
#include "ledger/ledger.h"
#include "policy/policy.h"

struct policy_bundle {
    struct policy *policy;
    struct str author; /* these point into the bundle */
    struct str created;
    struct str hash; /* "sha256:..." */
    struct str note;
};
/*
 * vkeys: who may sign. Gives: the policy. Errors: RC_INVALID, RC_DENIED (no signature of these keys), RC_CORRUPT (another
 * policy than was signed).
 */
NODISCARD enum rc policy_bundle_open(const struct value *bundle, const struct str_list *vkeys, struct policy_bundle *ret,
                                     struct err *e);

struct bundle_signer {
    const struct signing_key *key;
    struct str name; /* of the key */
    struct str author;
    int64_t now_ms;
};
/* The bundle as JSON text. */
NODISCARD enum rc policy_bundle_write(struct buf *out, const struct policy *p, const struct bundle_signer *s, struct err *e);

#endif
