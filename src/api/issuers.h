/*
 * api/issuers - who else may say who somebody is: issuers of tokens, their keys, and whom their subjects stand for.
 *
 * An issuer's keys come from a file (read at the start, on SIGHUP, and once more when a token names a key that is not
 * there) or from an address (fetched on the loop every JWKS_REFRESH_MS; a key that is not there asks for it sooner).
 * Keys that can't be read anew stay as they were.
 *
 * Threads: the loop's.
 */
#ifndef API_ISSUERS_H
#define API_ISSUERS_H

#include "crypto/jwt.h"
#include "net/loop.h"
#include "policy/reader.h"
#include "sys/log.h"

enum {
    ISSUERS_MAX = 16,
    SUBJECTS_MAX = 1024,            /* rows of one issuer */
    JWKS_REFRESH_MS = 300000,       /* an address is asked again */
    JWKS_REFETCH_MIN_MS = 30000,    /* not sooner, whatever tokens name */
    JWKS_REREAD_MIN_MS = 1000,      /* the same for a file */
    JWKS_TIMEOUT_MS = 5000,
    ISSUED_SKEW_S = 30,             /* how far an issuer's clock may differ */
};

/* Whom a subject stands for: an agent, or a person with roles. The first row that fits holds. */
struct subject_row {
    struct str sub;    /* glob */
    struct str agent;  /* a name; empty: a person */
    struct str person; /* a name */
    unsigned roles;
    struct str groups; /* of an approver: names, comma between */
};

struct issuer_settings {
    struct str name;   /* for people */
    struct str issuer; /* what iss must equal; empty for SPIFFE */
    struct str audience;
    struct str jwks_file; /* one of the two */
    struct str jwks_url;
    int64_t profile; /* enum jwt_profile */
    struct str trust_domain; /* SPIFFE only */
    const struct subject_row *subjects;
    uint32_t subject_count;
};

struct identity_settings {
    const struct issuer_settings *issuers;
    uint32_t count;
};

/* The list `identity` of the server's settings; v null: none. Gives: texts in r->arena, each with a NUL behind it. */
NODISCARD enum rc identity_settings_read(struct reader *r, const struct value *v, struct identity_settings *ret);
/* Null when no row fits. */
const struct subject_row *subject_find(const struct issuer_settings *i, struct str sub);

struct issuers;
struct issuer;

/* loop may be null when no issuer has an address. Borrows: settings, log. Errors: RC_INVALID and the like for a file
 * that can't be read, naming it. */
NODISCARD enum rc issuers_new(const struct identity_settings *settings, struct loop *loop, const struct log *log,
                              struct issuers **ret, struct err *e);
void issuers_free(struct issuers *s);
/* Reads the files again and asks the addresses, at once. */
void issuers_reload(struct issuers *s);

/* Whose token that is; what it says of itself is not believed, it only chooses. Null: nobody's. */
struct issuer *issuers_find(struct issuers *s, const struct jwt_claimed *claimed);
const struct issuer_settings *issuer_settings(const struct issuer *i);
/* Errors: as jwt_verify; RC_NOT_FOUND when its key is not there now. */
NODISCARD enum rc issuer_verify(struct issuer *i, struct str token, int64_t now_s, struct arena *a, struct jwt *ret,
                                struct err *e);

#endif
