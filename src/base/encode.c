#include "base/encode.h"

#include <string.h>

static const char HEX[] = "0123456789abcdef";
static const char BASE64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char BASE64URL[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void hex_encode(const uint8_t *bytes, size_t len, char *out)
{
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = HEX[bytes[i] >> 4];
        out[2 * i + 1] = HEX[bytes[i] & 15];
    }
}

enum { IS_DIGIT = 0x10 };

/* IS_DIGIT and 0 to 15; 0 for what is no hex digit. A table, for which digits are letters is not to be predicted. */
static const uint8_t hex_digits[256] = {
    ['0'] = 0x10, ['1'] = 0x11, ['2'] = 0x12, ['3'] = 0x13, ['4'] = 0x14, ['5'] = 0x15, ['6'] = 0x16, ['7'] = 0x17,
    ['8'] = 0x18, ['9'] = 0x19, ['a'] = 0x1a, ['b'] = 0x1b, ['c'] = 0x1c, ['d'] = 0x1d, ['e'] = 0x1e, ['f'] = 0x1f,
    ['A'] = 0x1a, ['B'] = 0x1b, ['C'] = 0x1c, ['D'] = 0x1d, ['E'] = 0x1e, ['F'] = 0x1f,
};

bool hex_decode(struct str text, uint8_t *out, size_t len)
{
    if (text.len != 2 * len) {
        return false;
    }
    const unsigned char *in = (const unsigned char *)text.ptr;
    uint8_t all = IS_DIGIT;
    for (size_t i = 0; i < len; i++) {
        uint8_t high = hex_digits[in[2 * i]];
        uint8_t low = hex_digits[in[2 * i + 1]];
        all &= high & low;
        out[i] = (uint8_t)(high << 4 | (low & 15));
    }
    return all != 0;
}

void buf_hex(struct buf *b, const uint8_t *bytes, size_t len)
{
    char *out = buf_reserve(b, 2 * len);
    if (out != NULL) {
        hex_encode(bytes, len, out);
        buf_grown(b, 2 * len);
    }
}

static void put_base64(struct buf *b, const uint8_t *bytes, size_t len, const char *alphabet, bool pad)
{
    for (size_t i = 0; i < len; i += 3) {
        size_t n = len - i < 3 ? len - i : 3;
        uint32_t group = (uint32_t)bytes[i] << 16;
        group |= n > 1 ? (uint32_t)bytes[i + 1] << 8 : 0;
        group |= n > 2 ? bytes[i + 2] : 0;
        char four[4];
        for (size_t k = 0; k < 4; k++) {
            four[k] = k <= n ? alphabet[group >> (18 - 6 * k) & 63] : '=';
        }
        buf_put(b, four, pad ? 4 : n + 1);
    }
}

void buf_base64(struct buf *b, const uint8_t *bytes, size_t len)
{
    put_base64(b, bytes, len, BASE64, true);
}

void buf_base64url(struct buf *b, const uint8_t *bytes, size_t len)
{
    put_base64(b, bytes, len, BASE64URL, false);
}

/* One group of 2 to 4 digits; false when a digit is foreign or a bit that no byte uses is set. */
static bool group_decode(struct str digits, const char *alphabet, uint8_t out[3])
{
    uint32_t group = 0;
    for (size_t i = 0; i < 4; i++) {
        const char *at = i < digits.len && digits.ptr[i] != '\0' ? strchr(alphabet, digits.ptr[i]) : NULL;
        if (i < digits.len && at == NULL) {
            return false;
        }
        group = group << 6 | (at == NULL ? 0 : (uint32_t)(at - alphabet));
    }
    out[0] = (uint8_t)(group >> 16);
    out[1] = (uint8_t)(group >> 8);
    out[2] = (uint8_t)group;
    return digits.len == 4 || (group & (digits.len == 3 ? 0xffU : 0xffffU)) == 0;
}

static bool digits_decode(struct str text, const char *alphabet, uint8_t *out, size_t size, size_t *ret_len)
{
    size_t len = 0;
    for (size_t i = 0; i < text.len; i += 4) {
        struct str digits = str_slice(text, i, i + 4);
        uint8_t bytes[3];
        if (digits.len == 1 || !group_decode(digits, alphabet, bytes)) {
            return false;
        }
        if (len + digits.len - 1 > size) {
            return false;
        }
        memcpy(out + len, bytes, digits.len - 1);
        len += digits.len - 1;
    }
    *ret_len = len;
    return true;
}

bool base64_decode(struct str text, uint8_t *out, size_t size, size_t *ret_len)
{
    if (text.len % 4 != 0) {
        return false;
    }
    for (int i = 0; i < 2 && str_ends(text, STR("=")); i++) {
        text.len--;
    }
    return digits_decode(text, BASE64, out, size, ret_len);
}

bool base64url_decode(struct str text, uint8_t *out, size_t size, size_t *ret_len)
{
    return digits_decode(text, BASE64URL, out, size, ret_len);
}
