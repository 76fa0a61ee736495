/* Escapes and character classes of patterns. Source: RE2's wiki "Syntax". */
#include "cel/pattern_scan.h"

#include <string.h>

static bool is_octal(char c)
{
    return c >= '0' && c <= '7';
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

static bool scan_octal(struct scan *s)
{
    unsigned n = 0;
    if (s->text.ptr[s->at] != '0' && !is_octal(scan_look(s, 1))) {
        return scan_refuse(s, "back-references are not supported");
    }
    for (int i = 0; i < 3 && is_octal(scan_look(s, 0)); i++) {
        n = n * 8 + (unsigned)(scan_look(s, 0) - '0');
        s->at++;
    }
    buf_printf(s->out, "\\x{%x}", n);
    return true;
}

/* At the x. */
static bool scan_hex(struct scan *s)
{
    size_t from = s->at++;
    if (scan_look(s, 0) == '{') {
        size_t digits = 0;
        while (is_hex(scan_look(s, 1 + digits))) {
            digits++;
        }
        if (digits == 0 || digits > 6 || scan_look(s, 1 + digits) != '}') {
            return scan_refuse(s, "an invalid escape");
        }
        s->at += digits + 2;
    } else if (is_hex(scan_look(s, 0)) && is_hex(scan_look(s, 1))) {
        s->at += 2;
    } else {
        return scan_refuse(s, "an invalid escape");
    }
    buf_char(s->out, '\\');
    buf_str(s->out, str_slice(s->text, from, s->at));
    return true;
}

/* \pL, \p{Greek}, \P{^Lu}: at the p. */
static bool scan_property(struct scan *s)
{
    size_t from = s->at++;
    if (scan_look(s, 0) != '{') {
        if (!scan_is_alnum(scan_look(s, 0))) {
            return scan_refuse(s, "an invalid character class");
        }
        s->at++;
    } else {
        s->at++;
        s->at += scan_look(s, 0) == '^';
        size_t name = s->at;
        while (scan_is_alnum(scan_look(s, 0)) || scan_look(s, 0) == '_') {
            s->at++;
        }
        if (s->at == name || scan_look(s, 0) != '}') {
            return scan_refuse(s, "an invalid character class");
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

bool scan_escape(struct scan *s, bool in_class)
{
    char c = scan_look(s, 0);
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
    } else if (scan_among(c, "dDwWaftnr") ||
               (c != '\0' && (unsigned char)c < 0x80 && !scan_is_alnum(c))) {
        buf_char(s->out, '\\');
        buf_char(s->out, c);
    } else {
        return scan_refuse(s, "an escape that is not supported");
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
    size_t skip = scan_look(s, 2) == '^' ? 3 : 2;
    struct str rest = str_slice(s->text, s->at + skip, s->text.len);
    if (scan_look(s, 1) != ':') {
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

bool scan_class(struct scan *s)
{
    scan_begin_single(s);
    buf_char(s->out, '[');
    s->at++;
    if (scan_look(s, 0) == '^') {
        buf_char(s->out, '^');
        s->at++;
    }
    for (bool first = true; s->at < s->text.len; first = false) {
        char c = scan_look(s, 0);
        if (c == ']' && !first) {
            buf_char(s->out, ']');
            s->at++;
            return true;
        }
        if (c == '\\') {
            s->at++;
            if (!scan_escape(s, true)) {
                return false;
            }
        } else if (c == '[' && scan_look(s, 1) == ':') {
            if (!scan_named(s)) {
                return scan_refuse(s, "an invalid character class");
            }
        } else {
            if (c == '[' || c == ']') {
                buf_char(s->out, '\\');
            }
            buf_char(s->out, c);
            s->at++;
        }
    }
    return scan_refuse(s, "a character class that does not end");
}
