/* Percent-encoding and query strings of request targets. Source: RFC 3986 section 2.1. */
#include "net/http_internal.h"

#include "base/encode.h"

#include <string.h>

/* plus: whether '+' stands for a space, as it does in a query that a form wrote. */
static bool unescape(struct arena *a, struct str text, bool plus, struct str *ret)
{
    char *out = arena_alloc(a, text.len + 1);
    if (out == NULL) {
        return false;
    }
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '%') {
            uint8_t byte;
            if (text.len - i < 3 || !hex_decode(str_slice(text, i + 1, i + 3), &byte, 1)) {
                return false;
            }
            c = (char)byte;
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        if (c == '\0') {
            return false;
        }
        out[len++] = c;
    }
    *ret = (struct str){out, len};
    return true;
}

bool http_unescape(struct arena *a, struct str text, struct str *ret)
{
    return unescape(a, text, false, ret);
}

bool query_find(struct arena *a, struct str query, struct str name, struct str *ret)
{
    struct str pair;
    while (str_next(&query, '&', &pair)) {
        size_t equals = str_find(pair, '=');
        struct str key = str_slice(pair, 0, equals);
        struct str decoded;
        /* Only a key with escapes needs memory to be compared. */
        bool same = str_eq(key, name);
        if (!same && (str_find(key, '%') < key.len || str_find(key, '+') < key.len)) {
            same = unescape(a, key, true, &decoded) && str_eq(decoded, name);
        }
        if (same) {
            struct str value = equals < pair.len ? str_slice(pair, equals + 1, pair.len) : STR("");
            return unescape(a, value, true, ret);
        }
    }
    return false;
}
