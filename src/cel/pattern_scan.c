/*
 * The scanner of patterns: RE2's syntax in, PCRE2's out, everything else refused.
 *
 * Groups become plain ones, since nobody asks what they matched. Source: RE2's wiki "Syntax".
 */
#include "cel/pattern.h"

#include <string.h>

enum item { ITEM_NONE, ITEM_ATOM, ITEM_REPEATED };

struct scan {
    struct str text;
    size_t at;
    struct buf *out;
    const char *what; /* of the failure */
    enum item before; /* what a repetition here would repeat */
    int nest;
};

static bool refuse(struct scan *s, const char *what)
{
    s->what = what;
    return false;
}

static char look(const struct scan *s, size_t ahead)
{
    return s->at + ahead < s->text.len ? s->text.ptr[s->at + ahead] : '\0';
}

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_octal(char c)
{
    return c >= '0' && c <= '7';
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

static bool among(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

static bool scan_octal(struct scan *s)
{
    unsigned n = 0;
    if (s->text.ptr[s->at] != '0' && !is_octal(look(s, 1))) {
        return refuse(s, "back-references are not supported");
    }
    for (int i = 0; i < 3 && is_octal(look(s, 0)); i++) {
        n = n * 8 + (unsigned)(look(s, 0) - '0');
        s->at++;
    }
    buf_printf(s->out, "\\x{%x}", n);
    return true;
}

/* At the x. */
static bool scan_hex(struct scan *s)
{
    size_t from = s->at++;
    if (look(s, 0) == '{') {
        size_t digits = 0;
        while (is_hex(look(s, 1 + digits))) {
            digits++;
        }
        if (digits == 0 || digits > 6 || look(s, 1 + digits) != '}') {
            return refuse(s, "an invalid escape");
        }
        s->at += digits + 2;
    } else if (is_hex(look(s, 0)) && is_hex(look(s, 1))) {
        s->at += 2;
    } else {
        return refuse(s, "an invalid escape");
    }
    buf_char(s->out, '\\');
    buf_str(s->out, str_slice(s->text, from, s->at));
    return true;
}

/* \pL, \p{Greek}, \P{^Lu}: at the p. */
static bool scan_property(struct scan *s)
{
    size_t from = s->at++;
    if (look(s, 0) != '{') {
        if (!is_alnum(look(s, 0))) {
            return refuse(s, "an invalid character class");
        }
        s->at++;
    } else {
        s->at++;
        s->at += look(s, 0) == '^';
        size_t name = s->at;
        while (is_alnum(look(s, 0)) || look(s, 0) == '_') {
            s->at++;
        }
        if (s->at == name || look(s, 0) != '}') {
            return refuse(s, "an invalid character class");
        }
        s->at++;
    }
    buf_char(s->out, '\\');
    buf_str(s->out, str_slice(s->text, from, s->at));
    return true;
}

/* \s of RE2 has no vertical tab. */
static void put_space(struct scan *s, bool in_class, bool negated)
{
    if (in_class) {
        buf_str(s->out, negated ? STR("\\S\\x0b") : STR("\\t\\n\\f\\r\\x20"));
    } else {
        buf_str(s->out, negated ? STR("[^\\t\\n\\f\\r\\x20]") : STR("[\\t\\n\\f\\r\\x20]"));
    }
}

/* \Q...\E: every byte of it is itself. */
static void scan_literal(struct scan *s)
{
    for (s->at++; s->at < s->text.len; s->at++) {
        if (look(s, 0) == '\\' && look(s, 1) == 'E') {
            s->at += 2;
            return;
        }
        char c = look(s, 0);
        if ((unsigned char)c < 0x80 && !is_alnum(c)) {
            buf_char(s->out, '\\');
        }
        buf_char(s->out, c);
        s->before = ITEM_ATOM;
    }
}

/* Behind the backslash. */
static bool scan_escape(struct scan *s, bool in_class)
{
    char c = look(s, 0);
    if (is_octal(c)) {
        return scan_octal(s);
    }
    if (c == 'x') {
        return scan_hex(s);
    }
    if (c == 'p' || c == 'P') {
        return scan_property(s);
    }
    if (c == 's' || c == 'S') {
        put_space(s, in_class, c == 'S');
    } else if (c == 'v') {
        buf_str(s->out, STR("\\x0b"));
    } else if (among(c, "dDwWaftnr") || (!in_class && among(c, "bBAz")) ||
               (c != '\0' && (unsigned char)c < 0x80 && !is_alnum(c))) {
        buf_char(s->out, '\\');
        buf_char(s->out, c);
    } else {
        return refuse(s, "an escape that is not supported");
    }
    s->at++;
    return true;
}

/* [:alpha:] inside a class; at the bracket. False (without a failure) when it is none. */
static bool scan_named(struct scan *s)
{
    static const char *const names[] = {"alnum", "alpha", "ascii", "blank", "cntrl",
                                        "digit", "graph", "lower", "print", "punct",
                                        "space", "upper", "word",  "xdigit"};
    size_t skip = look(s, 2) == '^' ? 3 : 2;
    struct str rest = str_slice(s->text, s->at + skip, s->text.len);
    if (look(s, 1) != ':') {
        return false;
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct str name = str_from(names[i]);
        if (str_starts(rest, name) && str_starts(str_slice(rest, name.len, rest.len), STR(":]"))) {
            size_t len = skip + name.len + 2;
            buf_str(s->out, str_slice(s->text, s->at, s->at + len));
            s->at += len;
            return true;
        }
    }
    return false;
}

/* At the opening bracket. */
static bool scan_class(struct scan *s)
{
    buf_char(s->out, '[');
    s->at++;
    if (look(s, 0) == '^') {
        buf_char(s->out, '^');
        s->at++;
    }
    for (bool first = true; s->at < s->text.len; first = false) {
        char c = look(s, 0);
        if (c == ']' && !first) {
            buf_char(s->out, ']');
            s->at++;
            s->before = ITEM_ATOM;
            return true;
        }
        if (c == '\\') {
            s->at++;
            if (!scan_escape(s, true)) {
                return false;
            }
        } else if (c == '[' && look(s, 1) == ':') {
            if (!scan_named(s)) {
                return refuse(s, "an invalid character class");
            }
        } else {
            if (c == '[' || c == ']') {
                buf_char(s->out, '\\');
            }
            buf_char(s->out, c);
            s->at++;
        }
    }
    return refuse(s, "a character class that does not end");
}

/* (?flags) and (?flags:...): at the first flag. */
static bool scan_flags(struct scan *s)
{
    size_t from = s->at;
    bool minus = false;
    while (among(look(s, 0), "imsU-")) {
        if (look(s, 0) == '-' && minus) {
            return refuse(s, "a group that is not supported");
        }
        minus = minus || look(s, 0) == '-';
        s->at++;
    }
    char end = look(s, 0);
    if (s->at == from || s->text.ptr[s->at - 1] == '-' || (end != ')' && end != ':')) {
        return s->at == from && end == ':' ? true : refuse(s, "a group that is not supported");
    }
    return true;
}

/* (?P<name> and (?<name>: at the <. */
static bool scan_name(struct scan *s)
{
    size_t from = ++s->at;
    while (is_alnum(look(s, 0)) || look(s, 0) == '_') {
        s->at++;
    }
    if (s->at == from || look(s, 0) != '>') {
        return refuse(s, "a group that is not supported");
    }
    s->at++;
    buf_str(s->out, STR("(?:"));
    return true;
}

/* At the opening parenthesis. */
static bool scan_group(struct scan *s)
{
    s->at++;
    s->before = ITEM_NONE;
    if (++s->nest > CEL_PATTERN_NEST_MAX) {
        return refuse(s, "groups that nest too deep");
    }
    if (look(s, 0) != '?') {
        buf_str(s->out, STR("(?:"));
        return true;
    }
    s->at++;
    bool named = look(s, 0) == 'P' && look(s, 1) == '<';
    if (named || (look(s, 0) == '<' && look(s, 1) != '=' && look(s, 1) != '!')) {
        s->at += named;
        return scan_name(s);
    }
    size_t from = s->at;
    if (!scan_flags(s)) {
        return false;
    }
    buf_str(s->out, STR("(?"));
    buf_str(s->out, str_slice(s->text, from, s->at + 1));
    s->nest -= look(s, 0) == ')';
    s->at++;
    return true;
}

/* A repetition's tail: what may be repeated, and the question mark that makes it lazy. */
static bool scan_repeated(struct scan *s, size_t len)
{
    if (s->before == ITEM_NONE) {
        return refuse(s, "a repetition of nothing");
    }
    if (s->before == ITEM_REPEATED) {
        return refuse(s, "a repetition of a repetition");
    }
    buf_str(s->out, str_slice(s->text, s->at, s->at + len));
    s->at += len;
    if (look(s, 0) == '?') {
        buf_char(s->out, '?');
        s->at++;
    }
    s->before = ITEM_REPEATED;
    return true;
}

static size_t scan_count(const struct scan *s, size_t at, int *ret)
{
    size_t digits = 0;
    *ret = 0;
    for (; at + digits < s->text.len && digits < 6; digits++) {
        char c = s->text.ptr[at + digits];
        if (c < '0' || c > '9') {
            break;
        }
        *ret = *ret * 10 + (c - '0');
    }
    return digits;
}

/* {n}, {n,} or {n,m}; any other brace is itself. */
static bool scan_brace(struct scan *s)
{
    int min = 0;
    int max = 0;
    size_t len = 1;
    size_t digits = scan_count(s, s->at + len, &min);
    len += digits;
    bool comma = look(s, len) == ',';
    size_t more = comma ? scan_count(s, s->at + len + 1, &max) : 0;
    len += comma + more;
    if (digits == 0 || look(s, len) != '}') {
        buf_str(s->out, STR("\\{"));
        s->at++;
        s->before = ITEM_ATOM;
        return true;
    }
    if (min > CEL_PATTERN_REPEAT_MAX || max > CEL_PATTERN_REPEAT_MAX || (more > 0 && max < min)) {
        return refuse(s, "an invalid repeat count");
    }
    return scan_repeated(s, len + 1);
}

static bool scan_plain(struct scan *s, char c)
{
    if (c == ')') {
        if (--s->nest < 0) {
            return refuse(s, "a parenthesis too many");
        }
    } else if (c == '}' || c == ']') {
        buf_char(s->out, '\\');
    }
    buf_char(s->out, c);
    s->at++;
    s->before = c == '|' ? ITEM_NONE : ITEM_ATOM;
    return true;
}

static bool scan_one(struct scan *s)
{
    char c = look(s, 0);
    switch (c) {
    case '\\':
        s->at++;
        if (look(s, 0) == 'Q') {
            scan_literal(s);
            return true;
        }
        s->before = ITEM_ATOM;
        return scan_escape(s, false);
    case '(':
        return scan_group(s);
    case '[':
        return scan_class(s);
    case '{':
        return scan_brace(s);
    case '*':
    case '+':
    case '?':
        return scan_repeated(s, 1);
    default:
        return scan_plain(s, c);
    }
}

bool cel_pattern_translate(struct str text, struct buf *out, const char **ret_what, size_t *ret_at)
{
    struct scan s = {.text = text, .out = out};
    bool good = true;
    while (good && s.at < text.len) {
        *ret_at = s.at;
        good = scan_one(&s);
    }
    if (good && s.nest > 0) {
        *ret_at = text.len;
        good = refuse(&s, "a parenthesis that is not closed");
    }
    *ret_what = s.what;
    return good;
}
