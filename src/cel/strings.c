/*
 * The strings extension, without format() (format.c) and positions (string_find.c).
 *
 * Positions count code points. Source: cel-go ext/README.md "Strings", versions 1 to 4.
 */
#include "cel/strings.h"

#include "value/utf8.h"

#include <string.h>

static void lower_ascii(struct machine *m, const struct cel_node *n, struct cel_value *args,
                        struct cel_value *ret)
{
    char *s = text_copy(m, n, cel_text(&args[0]), ret);
    for (size_t i = 0; s != NULL && i < args[0].len; i++) {
        s[i] = s[i] >= 'A' && s[i] <= 'Z' ? (char)(s[i] | 0x20) : s[i];
    }
}

static void upper_ascii(struct machine *m, const struct cel_node *n, struct cel_value *args,
                        struct cel_value *ret)
{
    char *s = text_copy(m, n, cel_text(&args[0]), ret);
    for (size_t i = 0; s != NULL && i < args[0].len; i++) {
        s[i] = s[i] >= 'a' && s[i] <= 'z' ? (char)(s[i] & ~0x20) : s[i];
    }
}

static void reverse(struct machine *m, const struct cel_node *n, struct cel_value *args,
                    struct cel_value *ret)
{
    struct str s = cel_text(&args[0]);
    char *copy = text_copy(m, n, s, ret);
    size_t at = 0;
    while (copy != NULL && at < s.len) {
        size_t len = utf8_len(s.ptr + at, s.ptr + s.len);
        len = len > 0 ? len : 1;
        memcpy(copy + s.len - at - len, s.ptr + at, len);
        at += len;
    }
}

/* Unicode's White_Space. */
static bool is_space(uint32_t c)
{
    return (c >= 9 && c <= 13) || c == ' ' || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
           c == 0x205F || c == 0x3000;
}

static void trim(struct machine *m, const struct cel_node *n, struct cel_value *args,
                 struct cel_value *ret)
{
    struct str s = cel_text(&args[0]);
    size_t from = SIZE_MAX;
    size_t to = 0;
    if (!string_charge(m, n, s.len, ret)) {
        return;
    }
    for (size_t at = 0; at < s.len;) {
        uint32_t point = 0;
        size_t len = utf8_decode(s.ptr + at, s.ptr + s.len, &point);
        len = len > 0 ? len : 1;
        if (!is_space(point)) {
            from = from == SIZE_MAX ? at : from;
            to = at + len;
        }
        at += len;
    }
    *ret = cel_of_str(from == SIZE_MAX ? STR("") : str_slice(s, from, to));
}

/* How often `what` stands in s, at most limit times; the empty one stands between code points. */
static uint64_t occurrences(struct str s, struct str what, uint64_t limit)
{
    uint64_t count = 0;
    if (what.len == 0) {
        count = utf8_count(s) + 1;
        return count < limit ? count : limit;
    }
    for (size_t at = 0; count < limit && at < s.len;) {
        const char *found = string_find(str_slice(s, at, s.len), what);
        if (found == NULL) {
            break;
        }
        count++;
        at = (size_t)(found - s.ptr) + what.len;
    }
    return count;
}

/* Bytes before the next place where what stands; at the end the rest. The empty one stands behind
 * each code point, and before the first. */
static size_t until_next(struct str rest, struct str what, bool first)
{
    if (what.len == 0) {
        return first ? 0 : string_offset(rest, rest.len > 0);
    }
    const char *found = string_find(rest, what);
    return found == NULL ? rest.len : (size_t)(found - rest.ptr);
}

static void replace(struct machine *m, const struct cel_node *n, struct cel_value *args,
                    struct cel_value *ret)
{
    struct str s = cel_text(&args[0]);
    struct str old = cel_text(&args[1]);
    struct str new = cel_text(&args[2]);
    uint64_t limit = n->count == 4 && args[3].integer >= 0 ? (uint64_t)args[3].integer : UINT64_MAX;
    if (!string_charge(m, n, s.len * 2 + old.len, ret)) {
        return;
    }
    uint64_t count = occurrences(s, old, limit);
    size_t grown = 0;
    if (count == 0) {
        *ret = args[0];
        return;
    }
    bool fits = !__builtin_mul_overflow(count, new.len, &grown) && grown < SIZE_MAX / 2;
    size_t len = s.len - (size_t)count * old.len + grown;
    char *out = fits ? machine_alloc(m, len + 1, 1) : NULL;
    if (out == NULL) {
        machine_cut(m, CEL_CUT_MEMORY);
        fault_set(m, n, ret, "");
        return;
    }
    size_t at = 0;
    char *to = out;
    for (uint64_t i = 0; i < count; i++) {
        size_t kept = until_next(str_slice(s, at, s.len), old, i == 0);
        memcpy(to, s.ptr + at, kept);
        to += kept;
        if (new.len > 0) {
            memcpy(to, new.ptr, new.len);
        }
        to += new.len;
        at += kept + old.len;
    }
    memcpy(to, s.ptr + at, s.len - at);
    *ret = cel_of_str((struct str){out, len});
}

static void split(struct machine *m, const struct cel_node *n, struct cel_value *args,
                  struct cel_value *ret)
{
    struct str s = cel_text(&args[0]);
    struct str by = cel_text(&args[1]);
    uint64_t limit = n->count == 3 && args[2].integer >= 0 ? (uint64_t)args[2].integer : UINT64_MAX;
    if (!string_charge(m, n, s.len * 2 + by.len, ret)) {
        return;
    }
    /* The empty separator yields the code points. */
    uint64_t parts = by.len == 0 ? utf8_count(s) : occurrences(s, by, limit) + 1;
    uint64_t count = parts < limit ? parts : limit;
    struct cel_value *items = count < UINT32_MAX ? machine_alloc(m, count, sizeof *items) : NULL;
    if (items == NULL) {
        machine_cut(m, CEL_CUT_MEMORY);
        fault_set(m, n, ret, "");
        return;
    }
    size_t at = 0;
    for (uint64_t i = 0; i < count; i++) {
        struct str rest = str_slice(s, at, s.len);
        size_t len = i + 1 == count ? rest.len : until_next(rest, by, false);
        items[i] = cel_of_str(str_slice(rest, 0, len));
        at += len + by.len;
    }
    *ret = cel_of_list(items, (uint32_t)count);
}

/* The bytes of a list's strings; false: *ret is the error. */
static bool joined_len(struct machine *m, const struct cel_node *n, const struct cel_value *list,
                       size_t *ret_len, struct cel_value *ret)
{
    *ret_len = 0;
    for (uint32_t i = 0; i < list->aux; i++) {
        struct cel_value item;
        cel_list_at(list, i, m->arena, &item);
        if (item.kind != CEL_STRING) {
            fault_overload(m, n, ret);
            return false;
        }
        if (!charge(m, 1)) {
            fault_set(m, n, ret, "");
            return false;
        }
        *ret_len += item.len;
    }
    return true;
}

static void join(struct machine *m, const struct cel_node *n, struct cel_value *args,
                 struct cel_value *ret)
{
    const struct cel_value *list = &args[0];
    struct str by = n->count == 2 ? cel_text(&args[1]) : STR("");
    size_t len = 0;
    if (!joined_len(m, n, list, &len, ret)) {
        return;
    }
    len += list->aux > 1 ? (size_t)(list->aux - 1) * by.len : 0;
    char *out = machine_alloc(m, len + 1, 1);
    if (out == NULL) {
        fault_set(m, n, ret, "");
        return;
    }
    char *to = out;
    for (uint32_t i = 0; i < list->aux; i++) {
        struct cel_value item;
        cel_list_at(list, i, m->arena, &item);
        if (i > 0 && by.len > 0) {
            memcpy(to, by.ptr, by.len);
            to += by.len;
        }
        if (item.len > 0) {
            memcpy(to, item.text, item.len);
        }
        to += item.len;
    }
    *ret = cel_of_str((struct str){out, len});
}

static void put_quoted(struct buf *b, char c)
{
    static const char from[] = "\a\b\f\n\r\t\v\\\"";
    static const char to[] = "abfnrtv\\\"";
    const char *found = c == '\0' ? NULL : strchr(from, c);
    if (found != NULL) {
        buf_char(b, '\\');
        buf_char(b, to[found - from]);
    } else {
        buf_char(b, c);
    }
}

static void quote(struct machine *m, const struct cel_node *n, struct cel_value *args,
                  struct cel_value *ret)
{
    struct str s = cel_text(&args[0]);
    struct buf b;
    if (!string_charge(m, n, s.len, ret)) {
        return;
    }
    buf_init(&b, CEL_RESULT_MAX);
    buf_char(&b, '"');
    for (size_t at = 0; at < s.len;) {
        size_t len = utf8_len(s.ptr + at, s.ptr + s.len);
        if (len == 0) {
            buf_str(&b, STR("\xEF\xBF\xBD"));
        } else if (len == 1) {
            put_quoted(&b, s.ptr[at]);
        } else {
            buf_put(&b, s.ptr + at, len);
        }
        at += len > 0 ? len : 1;
    }
    buf_char(&b, '"');
    text_result(m, n, &b, ret);
}

const struct cel_function cel_string_functions[] = {
    METHOD("lowerAscii", "s", "s", lower_ascii),
    METHOD("upperAscii", "s", "s", upper_ascii),
    METHOD("reverse", "s", "s", reverse),
    METHOD("trim", "s", "s", trim),
    METHOD("replace", "sss", "s", replace),
    METHOD("replace", "sssi", "s", replace),
    METHOD("split", "ss", "Ls", split),
    METHOD("split", "ssi", "Ls", split),
    METHOD("join", "Ls", "s", join),
    METHOD("join", "Lss", "s", join),
    METHOD("format", "sL*", "s", call_format),
    FUNCTION("strings.quote", "s", "s", quote),
    FUNCTIONS_END,
};
