#include "import/hosts.h"

#include <string.h>
#include <strings.h>

enum { PORT_DIGITS_MIN = 2, PORT_DIGITS_MAX = 5 };

/* Where in a text we are. */
struct scan {
    struct str text;
    size_t from; /* of the word */
    size_t to;
    struct str key; /* what the word is the value of; "" for nothing */
};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_word(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

static bool is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

/* The byte at a distance from the word; a line feed beyond the text. */
static char before(const struct scan *s, size_t distance)
{
    return s->from >= distance ? s->text.ptr[s->from - distance] : '\n';
}

static char at(const struct scan *s, size_t i)
{
    return i < s->text.len ? s->text.ptr[i] : '\n';
}

/* --- names that speak of addresses --------------------------------------------------------------------------- */

static bool contains(struct str s, const char *word)
{
    size_t len = strlen(word);
    for (size_t i = 0; i + len <= s.len; i++) {
        if (strncasecmp(s.ptr + i, word, len) == 0) {
            return true;
        }
    }
    return false;
}

static bool speaks_of_addresses(struct str key)
{
    static const char *const words[] = {"host",   "addr",      "url", "uri",      "endpoint", "server", "broker",
                                        "bootstrap", "dsn", "upstream", "backend",  "svc",    "service"};
    bool names = key.len >= 4 && strncasecmp(key.ptr + key.len - 4, "name", 4) == 0 && !contains(key, "hostname");
    for (size_t i = 0; !names && i < sizeof words / sizeof *words; i++) {
        if (contains(key, words[i])) {
            return true;
        }
    }
    return false;
}

/* --- where a word stands ----------------------------------------------------------------------------------------- */

/* "//user:password@host": what is before the '@' is no host. */
static bool is_user(const struct scan *s)
{
    for (size_t i = s->to; i < s->text.len && !is_one_of(s->text.ptr[i], "/?#, \t\r\n\"'<>"); i++) {
        if (s->text.ptr[i] == '@') {
            return true;
        }
    }
    return false;
}

/* Digits, or a variable that will be some: "cart:${CART_PORT}". */
static bool has_port(const struct scan *s)
{
    size_t i = s->to + 1;
    if (at(s, s->to) == ':' && at(s, i) == '$') {
        return true;
    }
    while (at(s, i) >= '0' && at(s, i) <= '9') {
        i++;
    }
    size_t digits = i - s->to - 1;
    return at(s, s->to) == ':' && digits >= PORT_DIGITS_MIN && digits <= PORT_DIGITS_MAX && !is_word(at(s, i)) && at(s, i) != '@';
}

/* A whole value, and no name of one: `"endpoint": "cart", "name": ...`. */
static bool stands_alone(const struct scan *s)
{
    size_t i = s->to;
    while (is_one_of(at(s, i), "\"'")) {
        i++;
    }
    return is_one_of(at(s, i), " \t\r\n,;/])}|");
}

static bool is_host(const struct scan *s)
{
    bool url = before(s, 1) == '/' && before(s, 2) == '/';
    bool path = before(s, 1) == '/' && !url;
    size_t len = s->to - s->from;
    /* "$(HOST):80" is not at HOST, and "tcp(host:80)" not at tcp. */
    bool variable = before(s, 1) == '$' || (before(s, 2) == '$' && is_one_of(before(s, 1), "({"));
    if (path || variable || len > HOST_MAX || at(s, s->to) == '(') {
        return false;
    }
    if (url) {
        return !is_user(s);
    }
    bool dotted = is_letter(s->text.ptr[s->from]) && memchr(s->text.ptr + s->from, '.', len) != NULL;
    return before(s, 1) == '@' || has_port(s) || dotted || (speaks_of_addresses(s->key) && stands_alone(s));
}

/* --- the walk ------------------------------------------------------------------------------------------------------ */

/* What the next word is the value of: this one when "=" or ":" leads there, its own key when a comma does. */
static struct str key_of_next(const struct scan *s, size_t next)
{
    bool assigns = false;
    bool lists = true;
    for (size_t i = s->to; i < next; i++) {
        char c = s->text.ptr[i];
        if (!is_one_of(c, "=: \t\"'[,")) {
            return STR("");
        }
        assigns = assigns || c == '=' || c == ':';
        lists = lists && is_one_of(c, ", \t\"'");
    }
    if (assigns) {
        return str_slice(s->text, s->from, s->to);
    }
    return lists && memchr(s->text.ptr + s->to, ',', next - s->to) != NULL ? s->key : STR("");
}

static void tell(const struct scan *s, host_fn fn, void *context)
{
    struct str host = str_slice(s->text, s->from, s->to);
    /* The default of "${CART_HOST:-cart}". */
    while (str_starts(host, STR("-"))) {
        host = str_slice(host, 1, host.len);
    }
    while (str_ends(host, STR("."))) {
        host.len--;
    }
    if (host.len > 0) {
        fn(context, host);
    }
}

void hosts_in(struct str key, struct str text, host_fn fn, void *context)
{
    struct scan s = {.text = text, .key = key};
    for (;;) {
        size_t next = s.to;
        while (next < text.len && !is_word(text.ptr[next])) {
            next++;
        }
        if (next == text.len) {
            return;
        }
        bool first = s.to == 0;
        s.key = first ? key : key_of_next(&s, next);
        s.from = next;
        s.to = next;
        while (s.to < text.len && is_word(text.ptr[s.to])) {
            s.to++;
        }
        if (is_host(&s)) {
            tell(&s, fn, context);
        }
    }
}
