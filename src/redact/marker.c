/* The text that stands where a secret stood: [redacted:TYPE:hmac-sha256:<16 hex>]. */
#include "redact/redact_internal.h"

#include "base/encode.h"

#include <string.h>

#define MARKER_HEAD STR("[redacted:")
#define MARKER_HASH STR(":hmac-sha256:")

static bool is_type_char(char c)
{
    return is_lower(c) || is_digit(c) || c == '_' || c == '-';
}

bool marker_type_valid(struct str type)
{
    if (type.len == 0 || type.len > REDACT_TYPE_MAX || type.ptr[0] == '_' || type.ptr[0] == '-') {
        return false;
    }
    for (size_t i = 0; i < type.len; i++) {
        if (!is_type_char(type.ptr[i])) {
            return false;
        }
    }
    return true;
}

bool is_hash(struct str hex, size_t digits)
{
    for (size_t i = 0; i < hex.len; i++) {
        if (!is_digit(hex.ptr[i]) && !(hex.ptr[i] >= 'a' && hex.ptr[i] <= 'f')) {
            return false;
        }
    }
    return hex.len == digits;
}

size_t marker_len(struct str text, size_t at)
{
    struct str rest = str_slice(text, at, text.len);
    if (!str_starts(rest, MARKER_HEAD)) {
        return 0;
    }
    size_t type = MARKER_HEAD.len;
    size_t hash = type;
    while (hash < rest.len && hash - type <= REDACT_TYPE_MAX && rest.ptr[hash] != ':') {
        hash++;
    }
    size_t hex = hash + MARKER_HASH.len;
    size_t end = hex + MARKER_HEX;
    bool is_marker = end < rest.len && rest.ptr[end] == ']' &&
                     marker_type_valid(str_slice(rest, type, hash)) &&
                     str_eq(str_slice(rest, hash, hex), MARKER_HASH) &&
                     is_hash(str_slice(rest, hex, end), MARKER_HEX);
    return is_marker ? end + 1 : 0;
}

bool marker_ends(struct str text, size_t at)
{
    if (at == 0 || text.ptr[at - 1] != ']') {
        return false;
    }
    size_t longest = MARKER_HEAD.len + REDACT_TYPE_MAX + MARKER_HASH.len + MARKER_HEX + 1;
    size_t first = at > longest ? at - longest : 0;
    for (size_t from = at - 1; from > first; from--) {
        if (text.ptr[from - 1] == '[') {
            return marker_len(text, from - 1) == at - (from - 1);
        }
    }
    return false;
}

size_t marker_size(struct str type)
{
    return MARKER_HEAD.len + type.len + MARKER_HASH.len + MARKER_HEX + 1;
}

void marker_write(char *out, struct str type, const struct digest *d)
{
    memcpy(out, MARKER_HEAD.ptr, MARKER_HEAD.len);
    out += MARKER_HEAD.len;
    memcpy(out, type.ptr, type.len);
    out += type.len;
    memcpy(out, MARKER_HASH.ptr, MARKER_HASH.len);
    out += MARKER_HASH.len;
    hex_encode(d->bytes, MARKER_HEX / 2, out);
    out[MARKER_HEX] = ']';
}
