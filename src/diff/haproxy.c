#include "diff/haproxy.h"

#include "diff/access.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const char *const sections[] = {
    "global", "defaults", "frontend", "backend", "listen", "peers", "resolvers", "mailers", "userlist", "program",
    "http-errors", "ring", "cache", "fcgi-app", "log-forward", "log-profile", "crt-store", "traces", "acme",
};

/* Two words name the thing; of the others the first does. */
static const char *const named[] = {
    "server", "server-template", "bind", "option", "timeout", "stats", "acl", "user", "group", "peer", "nameserver",
    "errorfile", "mailer", "no",
};

static bool is_one_of(struct str s, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (str_eq(s, str_from(words[i]))) {
            return true;
        }
    }
    return false;
}

/* --- reading ---------------------------------------------------------------------------------------- */

/* The words with one space between, without the comment; quotes stay as they are. */
static struct str words_of(struct arena *a, struct str line, bool *ret_open)
{
    char *out = arena_alloc(a, line.len);
    size_t len = 0;
    char quote = '\0';
    for (size_t i = 0; out != NULL && i < line.len; i++) {
        char c = line.ptr[i];
        bool space = quote == '\0' && (c == ' ' || c == '\t' || c == '\r');
        if (quote == '\0' && c == '#') {
            break;
        }
        if (space) {
            c = ' ';
        }
        if (c == '\\' && quote != '\'' && i + 1 < line.len) {
            out[len++] = c;
            c = line.ptr[++i];
        } else if (c == quote && quote != '\0') {
            quote = '\0';
        } else if (quote == '\0' && (c == '"' || c == '\'')) {
            quote = c;
        }
        if (!space || (len > 0 && out[len - 1] != ' ')) {
            out[len++] = c;
        }
    }
    *ret_open = quote != '\0';
    return out == NULL ? STR("") : str_trim((struct str){out, len});
}

static struct str first_word(struct str s)
{
    return str_slice(s, 0, str_find(s, ' '));
}

static struct str key_of(struct str text)
{
    struct str first = first_word(text);
    if (!is_one_of(first, named, COUNT(named)) || first.len == text.len) {
        return first;
    }
    struct str rest = str_slice(text, first.len + 1, text.len);
    return str_slice(text, 0, first.len + 1 + str_find(rest, ' '));
}

enum rc haproxy_read(struct arena *a, struct str text, struct config_lines *ret, struct err *e)
{
    struct config_lines lines = {0};
    struct str section = STR("");
    struct str rest = text;
    struct str line;
    for (unsigned n = 1; str_next(&rest, '\n', &line) && arena_rc(a) == RC_OK; n++) {
        bool open = false;
        struct str words = words_of(a, line, &open);
        char where[32];
        int len = snprintf(where, sizeof where, "line %u", n);
        struct str place = {where, (size_t)len};
        bool head = is_one_of(first_word(words), sections, COUNT(sections));
        if (open) {
            return err_at(e, RC_INVALID, place, "a quote is not closed");
        }
        if (words.len == 0) {
            continue;
        }
        section = head ? words : section;
        /* "defaults NAME from OTHER" and the like are names as a whole. */
        if (section.len == 0) {
            return err_at(e, RC_INVALID, place, "expected a section such as global, frontend or backend first");
        }
        struct config_line entry = {.section = section};
        entry.key = head ? STR("") : key_of(words);
        entry.text = head ? STR("") : words;
        config_lines_put(a, &lines, entry);
    }
    *ret = lines;
    return RC_OK;
}

/* --- what it means ---------------------------------------------------------------------------------- */

/* The words stand in it one behind the other. */
static bool says(struct str text, const char *words)
{
    size_t len = strlen(words);
    for (size_t i = 0; i + len <= text.len; i++) {
        bool starts = i == 0 || text.ptr[i - 1] == ' ';
        bool ends = i + len == text.len || text.ptr[i + len] == ' ';
        if (starts && ends && memcmp(text.ptr + i, words, len) == 0) {
            return true;
        }
    }
    return false;
}

static bool says_any(struct str text, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (says(text, words[i])) {
            return true;
        }
    }
    return false;
}

static bool lost(const struct config_line *before, const struct config_line *after, const char *words)
{
    return says(before->text, words) && !says(after->text, words);
}

static bool gained(const struct config_line *before, const struct config_line *after, const char *words)
{
    return says(after->text, words) && !says(before->text, words);
}

/* "bind :443 ssl", "bind *:80,[::]:80": any of the addresses is all of them. */
static bool binds_any(struct str text)
{
    struct str rest = str_slice(text, str_starts(text, STR("bind ")) ? 5 : text.len, text.len);
    struct str list = first_word(rest);
    struct str one;
    while (str_next(&list, ',', &one)) {
        size_t colon = one.len;
        while (colon > 0 && one.ptr[colon - 1] != ':') {
            colon--;
        }
        struct str host = str_slice(one, 0, colon == 0 ? 0 : colon - 1);
        host = str_starts(host, STR("[")) ? str_slice(host, 1, str_find(host, ']')) : host;
        host = str_starts(host, STR("ipv4@")) || str_starts(host, STR("ipv6@")) ? str_slice(host, 5, host.len) : host;
        if (colon > 0 && (host.len == 0 || access_is_everywhere(host))) {
            return true;
        }
    }
    return false;
}

static diff_facts facts_of_section(const struct config_line *before, const struct config_line *after)
{
    struct str first = first_word(before->section);
    if (before->section.len == 0 || after->section.len > 0) {
        return 0;
    }
    bool proxy = str_eq(first, STR("backend")) || str_eq(first, STR("listen")) || str_eq(first, STR("frontend"));
    return (proxy ? FACT_BIT(FACT_BACKEND_REMOVED) : 0) |
           (str_eq(first, STR("userlist")) ? FACT_BIT(FACT_AUTH_DISABLED) : 0);
}

static diff_facts facts_of_gone(const struct config_line *before, const struct config_line *after)
{
    static const char *const denials[] = {"deny", "tarpit", "reject", "silent-drop", "block", "return status 403",
                                          "return status 401", "acl"};
    struct str was = before->text;
    struct str first = first_word(was);
    bool ruled = str_starts(first, STR("http-")) || str_starts(first, STR("tcp-")) || str_eq(first, STR("block")) ||
                 str_eq(first, STR("acl"));
    bool gone = was.len > 0 && after->text.len == 0;
    diff_facts facts = gone && str_eq(first, STR("server")) ? FACT_BIT(FACT_SERVER_REMOVED) : 0;
    /* A denial that became something else, a list of addresses that changed: the old one is not there. */
    facts |= ruled && says_any(was, denials, COUNT(denials)) ? FACT_BIT(FACT_DENY_REMOVED) : 0;
    facts |= lost(before, after, "auth") || (gone && str_eq(first, STR("user"))) ? FACT_BIT(FACT_AUTH_DISABLED) : 0;
    facts |= lost(before, after, "redirect scheme https") ? FACT_BIT(FACT_TLS_OFF) : 0;
    facts |= gone && (str_eq(first, STR("log")) || says(was, "option httplog") || says(was, "option tcplog"))
                 ? FACT_BIT(FACT_LOGGING_OFF)
                 : 0;
    return facts | (gone && says(was, "option httpchk") ? FACT_BIT(FACT_PROBE_REMOVED) : 0);
}

diff_facts haproxy_facts(const struct config_line *before, const struct config_line *after)
{
    static const char *const weak[] = {"force-sslv3", "force-tlsv10", "force-tlsv11", "ssl-min-ver SSLv3",
                                       "ssl-min-ver TLSv1.0", "ssl-min-ver TLSv1.1"};
    if (before->key.len + after->key.len == 0) {
        return facts_of_section(before, after);
    }
    struct str now = after->text;
    struct str first = first_word(now);
    bool server = str_starts(first, STR("server")) || str_eq(first, STR("default-server"));
    diff_facts facts = facts_of_gone(before, after);
    facts |= gained(before, after, "verify none") || says(now, "ssl-server-verify none") ? FACT_BIT(FACT_VERIFY_OFF) : 0;
    facts |= lost(before, after, "verify required") && now.len > 0 ? FACT_BIT(FACT_VERIFY_OFF) : 0;
    facts |= (server || str_eq(first, STR("bind"))) && lost(before, after, "ssl") ? FACT_BIT(FACT_TLS_OFF) : 0;
    facts |= says_any(now, weak, COUNT(weak)) ? FACT_BIT(FACT_TLS_OFF) : 0;
    facts |= server && gained(before, after, "disabled") ? FACT_BIT(FACT_SERVER_REMOVED) : 0;
    facts |= server && lost(before, after, "check") ? FACT_BIT(FACT_PROBE_REMOVED) : 0;
    facts |= binds_any(now) && !binds_any(before->text) ? FACT_BIT(FACT_BIND_ANY) : 0;
    facts |= says(now, "no log") ? FACT_BIT(FACT_LOGGING_OFF) : 0;
    return facts | (says(now, "stats admin") ? FACT_BIT(FACT_AUTH_DISABLED) : 0);
}
