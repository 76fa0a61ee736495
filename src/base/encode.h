/*
 * base/encode - bytes as text: hexadecimal, base64 and base64url.
 *
 * Decoders are strict: exact alphabet, exact padding (none for base64url), unused bits zero. Pure.
 * Source: RFC 4648 sections 4, 5, 8.
 */
#ifndef BASE_ENCODE_H
#define BASE_ENCODE_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

/* out: 2 * len bytes, lower case, no NUL. */
void hex_encode(const uint8_t *bytes, size_t len, char *out);
/* text must be exactly 2 * len digits, either case. */
NODISCARD bool hex_decode(struct str text, uint8_t *out, size_t len);
void buf_hex(struct buf *b, const uint8_t *bytes, size_t len);
void buf_base64(struct buf *b, const uint8_t *bytes, size_t len);
void buf_base64url(struct buf *b, const uint8_t *bytes, size_t len);
/* out has room for size bytes; ret_len gets what was written. False when malformed or too long. */
NODISCARD bool base64_decode(struct str text, uint8_t *out, size_t size, size_t *ret_len);
NODISCARD bool base64url_decode(struct str text, uint8_t *out, size_t size, size_t *ret_len);

#endif
