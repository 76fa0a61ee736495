/* crypto/content_digest - the digest of a body in its header (RFC 9530). */
#include "crypto/http_signature.h"

#include "base/encode.h"
#include "crypto/structured_field.h"

enum { ALGORITHM_LEN_MAX = 32 };

#define ALGORITHM STR("sha-256")

/* algorithm=:base64: of the next member. */
static bool member_read(struct str *text, struct str *ret_name, struct str *ret_base64)
{
    struct sf_item item;
    if (!sf_key(text, ret_name) || ret_name->len > ALGORITHM_LEN_MAX || !sf_char(text, '=') ||
        !sf_item(text, &item) || item.type != SF_BYTES) {
        return false;
    }
    *ret_base64 = item.text;
    return sf_params_skip(text);
}

static enum rc digest_find(struct str text, struct digest *ret, struct err *e)
{
    bool found = false;
    bool more = text.len > 0;
    for (int count = 0; more; count++) {
        struct str name;
        struct str base64;
        if (count == CONTENT_DIGESTS_MAX) {
            return err_set(e, RC_LIMIT, "Content-Digest: more than %d digests",
                           CONTENT_DIGESTS_MAX);
        }
        if (!member_read(&text, &name, &base64) || !sf_next_member(&text, &more)) {
            return err_set(e, RC_INVALID, "Content-Digest: a member is algorithm=:base64:");
        }
        if (!str_eq(name, ALGORITHM)) {
            continue;
        }
        size_t len = 0;
        if (found || !base64_decode(base64, ret->bytes, sizeof ret->bytes, &len) ||
            len != SHA256_LEN) {
            return err_set(e, RC_INVALID, "Content-Digest: sha-256 is there once and has %d bytes",
                           SHA256_LEN);
        }
        found = true;
    }
    return found ? RC_OK : err_set(e, RC_INVALID, "Content-Digest: no sha-256");
}

enum rc content_digest_check(struct str header, struct str body, struct err *e)
{
    struct digest said = {{0}};
    if (header.len > HTTP_SIGNATURE_HEADER_MAX) {
        return err_set(e, RC_LIMIT, "Content-Digest has at most %d bytes",
                       HTTP_SIGNATURE_HEADER_MAX);
    }
    enum rc rc = digest_find(header, &said, e);
    if (rc != RC_OK) {
        return rc;
    }
    struct digest is = sha256(body);
    return digest_eq(&is, &said)
               ? RC_OK
               : err_set(e, RC_DENIED, "the body has another digest than was said");
}

void content_digest_write(struct buf *out, struct str body)
{
    struct digest d = sha256(body);
    buf_str(out, ALGORITHM);
    buf_str(out, STR("=:"));
    buf_base64(out, d.bytes, sizeof d.bytes);
    buf_char(out, ':');
}
