/* The JSON reader's strings: borrowed from the text, or unescaped into the arena. */
#include "value/json_internal.h"
#include "value/utf8.h"

#include <string.h>

/*
 * Validates up to the closing quote without unescaping; a backslash only hides the byte behind it.
 * Leaves at on the quote.
 */
static enum rc find_quote(struct json_reader *r, bool *ret_escaped)
{
    const char *at = r->at;
    for (;;) {
        at = json_skip_plain(at, r->end);
        if (at == r->end) {
            return json_fail(r, at, "unfinished string");
        }
        unsigned char c = (unsigned char)*at;
        if (c == '"') {
            break;
        }
        if (c < 0x20) {
            return json_fail(r, at, "unescaped control character");
        }
        size_t len = 1;
        if (c == '\\') {
            *ret_escaped = true;
            /* The byte behind is judged when it is unescaped; here it must not end the string. */
            len = r->end - at > 1 && (at[1] == '"' || at[1] == '\\') ? 2 : 1;
        } else if (c >= 0x80) {
            len = utf8_len(at, r->end);
        }
        if (len == 0) {
            return json_fail(r, at, "invalid UTF-8");
        }
        at += len;
    }
    r->at = at;
    return RC_OK;
}

/* The four digits at at; false when they are not all there. */
static bool read_hex4(const char *at, const char *end, uint32_t *ret)
{
    uint32_t n = 0;
    if (end - at < 4) {
        return false;
    }
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        uint32_t digit;
        if (c >= '0' && c <= '9') {
            digit = (uint32_t)(c - '0');
        } else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) {
            digit = (uint32_t)((c | 0x20) - 'a' + 10);
        } else {
            return false;
        }
        n = n << 4 | digit;
    }
    *ret = n;
    return true;
}

/* *at is behind "\u"; pairs of surrogates are one code point. */
static enum rc read_unicode(struct json_reader *r, const char **at, const char *end, uint32_t *ret)
{
    const char *escape = *at - 2;
    uint32_t high;
    if (!read_hex4(*at, end, &high)) {
        return json_fail(r, escape, "invalid escape");
    }
    *at += 4;
    if (high < 0xd800 || high > 0xdfff) {
        *ret = high;
        return RC_OK;
    }
    uint32_t low = 0;
    bool pair = high <= 0xdbff && end - *at >= 6 && (*at)[0] == '\\' && (*at)[1] == 'u' &&
                read_hex4(*at + 2, end, &low) && low >= 0xdc00 && low <= 0xdfff;
    if (!pair) {
        return json_fail(r, escape, "lone surrogate");
    }
    *at += 6;
    *ret = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    return RC_OK;
}

/* *at is behind the backslash. */
static enum rc read_escape(struct json_reader *r, const char **at, const char *end, uint32_t *ret)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    char c = *(*at)++;
    if (c == 'u') {
        return read_unicode(r, at, end, ret);
    }
    const char *letter = c != '\0' ? strchr(letters, c) : NULL;
    if (letter == NULL) {
        return json_fail(r, *at - 2, "invalid escape");
    }
    *ret = (unsigned char)meanings[letter - letters];
    return RC_OK;
}

/* raw is valid up to its escapes, and every backslash in it has a byte behind it. */
static enum rc unescape(struct json_reader *r, struct str raw, struct str *ret)
{
    /* No escape is shorter than what it stands for. */
    char *out = arena_alloc(r->arena, raw.len);
    if (out == NULL) {
        return json_arena_rc(r);
    }
    const char *end = raw.ptr + raw.len;
    size_t len = 0;
    for (const char *at = raw.ptr; at < end;) {
        const char *slash = memchr(at, '\\', (size_t)(end - at));
        size_t plain = (size_t)((slash != NULL ? slash : end) - at);
        memcpy(out + len, at, plain);
        len += plain;
        at += plain;
        if (slash != NULL) {
            uint32_t point = 0;
            at++;
            enum rc rc = read_escape(r, &at, end, &point);
            if (rc != RC_OK) {
                return rc;
            }
            len += utf8_encode(point, out + len);
        }
    }
    *ret = (struct str){out, len};
    return RC_OK;
}

enum rc json_read_string(struct json_reader *r, struct str *ret)
{
    const char *first = r->at;
    bool escaped = false;
    enum rc rc = find_quote(r, &escaped);
    if (rc != RC_OK) {
        return rc;
    }
    struct str raw = {first, (size_t)(r->at - first)};
    r->at++;
    if (escaped) {
        return unescape(r, raw, ret);
    }
    *ret = raw;
    return RC_OK;
}
