#include "crypto/webhook.h"

#include "base/buf.h"
#include "base/encode.h"
#include "crypto/crypto.h"

#include <string.h>

enum rc webhook_secrets_read(struct str text, struct webhook_secrets *ret, struct err *e)
{
    struct webhook_secrets s = {0};
    struct str line;
    while (str_next(&text, '\n', &line)) {
        line = str_trim(line);
        if (line.len == 0) {
            continue;
        }
        bool good = s.count < WEBHOOK_SECRETS_MAX && str_starts(line, STR("whsec_")) &&
                    base64_decode(str_slice(line, 6, line.len), s.keys[s.count], WEBHOOK_SECRET_MAX,
                                  &s.lens[s.count]) &&
                    s.lens[s.count] >= WEBHOOK_SECRET_MIN;
        if (!good) {
            webhook_secrets_done(&s);
            return err_set(e, RC_INVALID,
                           "expected one or two lines whsec_<base64 of %d to %d bytes>",
                           WEBHOOK_SECRET_MIN, WEBHOOK_SECRET_MAX);
        }
        s.count++;
    }
    if (s.count == 0) {
        return err_set(e, RC_INVALID, "holds no secret: expected whsec_<base64>");
    }
    *ret = s;
    wipe(&s, sizeof s);
    return RC_OK;
}

void webhook_secrets_done(struct webhook_secrets *s)
{
    wipe(s, sizeof *s);
}

void webhook_sign(const struct webhook_secrets *s, const char *id, int64_t at_s, struct str body,
                  char out[static WEBHOOK_SIGNATURES_SIZE])
{
    struct buf signatures;
    buf_init(&signatures, WEBHOOK_SIGNATURES_SIZE);
    struct buf signed_text;
    buf_init(&signed_text, body.len + strlen(id) + 32);
    buf_printf(&signed_text, "%s.%lld.", id, (long long)at_s);
    buf_str(&signed_text, body);
    for (uint32_t i = 0; i < s->count && signed_text.rc == RC_OK; i++) {
        struct digest d = hmac_sha256((struct str){(const char *)s->keys[i], s->lens[i]},
                                      buf_view(&signed_text));
        buf_str(&signatures, i == 0 ? STR("v1,") : STR(" v1,"));
        buf_base64(&signatures, d.bytes, sizeof d.bytes);
    }
    bool whole = signed_text.rc == RC_OK && signatures.rc == RC_OK &&
                 str_to_c(buf_view(&signatures), out, WEBHOOK_SIGNATURES_SIZE);
    if (!whole) {
        out[0] = '\0';
    }
    buf_done(&signed_text);
    buf_done(&signatures);
}
