/*
 * crypto/http_signature - a request that its sender's key has signed.
 *
 * The sender names in Signature-Input which components of the request it signs and when; the text
 * it signs (the base) is built anew from the request that came. A signature counts only when it
 * covers all that decides what the request does: @method, @authority, @path, @query when there is
 * one (or
 * @target-uri in place of these three) and content-digest when there is a body, whose digest
 * content_digest_check() must then compare.
 *
 *     struct http_signature s;
 *     http_signature_parse(input, signature, tag, &s, e)     which key: s.keyid
 *     http_signature_verify(&s, &rules, &message, key, e)    covered, in time, signed by it
 *     content_digest_check(digest_header, body, e)           the body is the one that was signed
 *     ... and the caller refuses a (keyid, nonce) that it has seen; it may forget it at
 *     s.created_s + rules.max_age_s, from when on the signature is refused anyway.
 *
 * Only Ed25519. Components with parameters (;req, ;sf, ;bs, ;key, ;name, ;tr) are refused. Pure.
 * Source: RFC 9421, RFC 9530.
 */
#ifndef CRYPTO_HTTP_SIGNATURE_H
#define CRYPTO_HTTP_SIGNATURE_H

#include "base/buf.h"
#include "crypto/crypto.h"

enum {
    HTTP_SIGNATURE_HEADER_MAX =
        8 << 10,             /* bytes of Signature-Input, of Signature, of Content-Digest */
    HTTP_SIGNATURES_MAX = 8, /* in one request, those of others included */
    HTTP_SIGNATURE_COMPONENTS_MAX = 32,
    HTTP_SIGNATURE_NONCE_MAX = 128,     /* bytes */
    HTTP_SIGNATURE_KEYID_MAX = 256,     /* bytes */
    HTTP_SIGNATURE_BASE_MAX = 64 << 10, /* bytes */
    HTTP_SIGNATURE_SKEW_MAX_S = 60,
    HTTP_SIGNATURE_AGE_MAX_S = 3600,
    CONTENT_DIGESTS_MAX = 8,
};

/* What Signature-Input and Signature say. Borrows: the two headers. */
struct http_signature {
    struct str label;
    struct str
        components[HTTP_SIGNATURE_COMPONENTS_MAX]; /* "@method", "content-digest"; each once */
    uint32_t component_count;
    struct str params; /* the list and its parameters as sent: the last line of the base */
    int64_t created_s;
    int64_t expires_s; /* 0: not said */
    struct str nonce;  /* 1 to HTTP_SIGNATURE_NONCE_MAX bytes */
    struct str keyid;  /* 1 to HTTP_SIGNATURE_KEYID_MAX bytes */
    struct str tag;    /* empty: not said */
    uint8_t bytes[ED25519_SIGNATURE_LEN];
};

/*
 * input, signature: the values of all header lines of that name, joined by ", ". tag: takes the one
 * signature with this tag, and there must be just one; empty: there must be just one signature.
 *
 * Errors: RC_INVALID when the headers, or the parameters of that signature, are not as above (alg,
 * when it is there, must be "ed25519"; created, nonce and keyid must be there); RC_NOT_FOUND when
 * there is no such signature; RC_LIMIT for a maximum above.
 */
NODISCARD enum rc http_signature_parse(struct str input, struct str signature, struct str tag,
                                       struct http_signature *ret, struct err *e);

/*
 * Gives a component of the request: derived ones as RFC 9421 section 2.2 spells them (@authority in
 * lower case without a default port, @path never empty, @query with its '?'), fields trimmed and
 * joined by ", ". False: the request has none.
 */
typedef bool http_component_fn(void *context, struct str name, struct str *ret);

struct http_message {
    http_component_fn *component;
    void *context;
    bool has_query; /* there is a '?' */
    bool has_body;
    int64_t received_s; /* Unix time */
};

/*
 * Appends what was signed to out. Errors: RC_DENIED for a component that the request does not have,
 * that is not known, or that holds a line break; RC_LIMIT and RC_NO_MEMORY as out.
 */
NODISCARD enum rc http_signature_base(const struct http_signature *s, const struct http_message *m,
                                      struct buf *out, struct err *e);

struct http_signature_rules {
    int64_t skew_s;    /* 0 to HTTP_SIGNATURE_SKEW_MAX_S: how far ahead created may be */
    int64_t max_age_s; /* 1 to HTTP_SIGNATURE_AGE_MAX_S after created it is refused */
};

/* Errors: RC_DENIED, the text says which rule failed; RC_LIMIT and RC_NO_MEMORY for the base. */
NODISCARD enum rc http_signature_verify(const struct http_signature *s,
                                        const struct http_signature_rules *rules,
                                        const struct http_message *m,
                                        const uint8_t public_key[static ED25519_PUBLIC_LEN],
                                        struct err *e);

/*
 * header is the value of Content-Digest. Other algorithms beside sha-256 are not looked at.
 * Errors: RC_INVALID when it is malformed or has no sha-256; RC_DENIED when body has another
 * digest; RC_LIMIT.
 */
NODISCARD enum rc content_digest_check(struct str header, struct str body, struct err *e);
/* Appends "sha-256=:...:". */
void content_digest_write(struct buf *out, struct str body);

#endif
