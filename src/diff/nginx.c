#include "diff/nginx.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum token { TOKEN_END, TOKEN_WORD, TOKEN_SEMICOLON, TOKEN_OPEN, TOKEN_CLOSE, TOKEN_BROKEN };

struct scanner {
    struct str text;
    size_t at;
    unsigned line;
};

struct nginx_reader {
    struct arena *arena;
    struct err *err;
    struct scanner scanner;
    struct config_lines lines;
};

/* --- words ------------------------------------------------------------------------------------------ */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip_space(struct scanner *s)
{
    bool comment = false;
    while (s->at < s->text.len && (comment || is_space(s->text.ptr[s->at]) || s->text.ptr[s->at] == '#')) {
        char c = s->text.ptr[s->at++];
        comment = c != '\n' && (comment || c == '#');
        s->line += c == '\n' ? 1 : 0;
    }
}

static enum token scan_quoted(struct scanner *s, struct str *ret)
{
    size_t from = s->at;
    char quote = s->text.ptr[s->at++];
    while (s->at < s->text.len && s->text.ptr[s->at] != quote) {
        s->line += s->text.ptr[s->at] == '\n' ? 1 : 0;
        s->at += s->text.ptr[s->at] == '\\' && s->at + 1 < s->text.len ? 2 : 1;
    }
    if (s->at >= s->text.len) {
        return TOKEN_BROKEN;
    }
    s->at++;
    /* The quotes say nothing: "off" is off. */
    *ret = str_slice(s->text, from + 1, s->at - 1);
    return TOKEN_WORD;
}

static enum token scan(struct scanner *s, struct str *ret)
{
    skip_space(s);
    *ret = STR("");
    if (s->at == s->text.len) {
        return TOKEN_END;
    }
    char c = s->text.ptr[s->at];
    if (c == '"' || c == '\'') {
        return scan_quoted(s, ret);
    }
    if (c == ';' || c == '{' || c == '}') {
        s->at++;
        return c == ';' ? TOKEN_SEMICOLON : c == '{' ? TOKEN_OPEN : TOKEN_CLOSE;
    }
    size_t from = s->at;
    while (s->at < s->text.len && !is_space(s->text.ptr[s->at]) && s->text.ptr[s->at] != ';' && s->text.ptr[s->at] != '{' &&
           s->text.ptr[s->at] != '}') {
        bool variable = s->text.ptr[s->at] == '$' && s->at + 1 < s->text.len && s->text.ptr[s->at + 1] == '{';
        bool pair = s->text.ptr[s->at] == '\\' && s->at + 1 < s->text.len;
        if (variable) {
            while (s->at < s->text.len && s->text.ptr[s->at] != '}') {
                s->at++;
            }
            s->at += s->at < s->text.len ? 1 : 0;
        } else {
            s->at += pair ? 2 : 1;
        }
    }
    *ret = str_slice(s->text, from, s->at);
    return TOKEN_WORD;
}

/* --- reading ---------------------------------------------------------------------------------------- */

static enum rc fail(struct nginx_reader *r, enum rc rc, const char *what)
{
    char where[32];
    int len = snprintf(where, sizeof where, "line %u", r->scanner.line);
    struct str place = {where, (size_t)len};
    return err_at(r->err, rc, place, "%s", what);
}

/* The first word behind a directive of this block, looked up ahead; empty when it has none. */
static struct str look_ahead(const struct nginx_reader *r, const char *directive)
{
    struct scanner s = r->scanner;
    struct str word;
    struct str first = STR("");
    bool fresh = true;
    unsigned depth = 0;
    for (enum token t = scan(&s, &word); t != TOKEN_END && t != TOKEN_BROKEN; t = scan(&s, &word)) {
        depth += t == TOKEN_OPEN ? 1 : 0;
        if (t == TOKEN_CLOSE && depth-- == 0) {
            break;
        }
        if (t == TOKEN_WORD && depth == 0 && !fresh && str_eq(first, str_from(directive))) {
            return word;
        }
        first = t == TOKEN_WORD && fresh ? word : t == TOKEN_WORD ? first : STR("");
        fresh = t != TOKEN_WORD;
    }
    return STR("");
}

static struct str name_block(struct nginx_reader *r, struct str outer, struct str words)
{
    struct str name = words;
    if (str_eq(words, STR("server"))) {
        struct str host = look_ahead(r, "server_name");
        struct str port = look_ahead(r, "listen");
        name = arena_printf(r->arena, "server %.*s%s%.*s", STR_ARG(host), host.len > 0 && port.len > 0 ? " " : "", STR_ARG(port));
    }
    return outer.len == 0 ? name : arena_printf(r->arena, "%.*s/%.*s", STR_ARG(outer), STR_ARG(str_trim(name)));
}

/* Of "server 10.0.0.1 weight=2" both words, of the others the first. */
static struct str key_of(struct str text)
{
    static const char *const named[] = {"server", "listen", "allow", "deny", "location", "proxy_set_header", "add_header", "set",
                                        "ssl_certificate", "limit_req", "proxy_hide_header"};
    struct str first = str_slice(text, 0, str_find(text, ' '));
    for (size_t i = 0; i < COUNT(named) && first.len < text.len; i++) {
        if (str_eq(first, str_from(named[i]))) {
            return str_slice(text, 0, first.len + 1 + str_find(str_slice(text, first.len + 1, text.len), ' '));
        }
    }
    return first;
}

static struct str joined(struct arena *a, struct str words, struct str word)
{
    return words.len == 0 ? word : arena_printf(a, "%.*s %.*s", STR_ARG(words), STR_ARG(word));
}

static enum rc read_block(struct nginx_reader *r, struct str section, unsigned depth);

static enum rc open_block(struct nginx_reader *r, struct str section, struct str words, unsigned depth)
{
    if (words.len == 0) {
        return fail(r, RC_INVALID, "expected a name before {");
    }
    if (depth == NGINX_DEPTH_MAX) {
        return fail(r, RC_LIMIT, "blocks are nested too deeply");
    }
    struct str name = name_block(r, section, words);
    config_lines_put(r->arena, &r->lines, (struct config_line){.section = name});
    return read_block(r, name, depth + 1);
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as NGINX_DEPTH_MAX */
static enum rc read_block(struct nginx_reader *r, struct str section, unsigned depth)
{
    struct str words = STR("");
    enum rc rc = RC_OK;
    while (rc == RC_OK && arena_rc(r->arena) == RC_OK) {
        struct str word;
        enum token t = scan(&r->scanner, &word);
        if (t == TOKEN_WORD) {
            words = joined(r->arena, words, word.len == 0 ? STR("\"\"") : word);
            rc = words.len > NGINX_DIRECTIVE_MAX ? fail(r, RC_LIMIT, "a directive is longer than 65536 bytes") : RC_OK;
        } else if (t == TOKEN_SEMICOLON) {
            struct config_line line = {.section = section.len == 0 ? STR("main") : section, .key = key_of(words), .text = words};
            if (words.len > 0) {
                config_lines_put(r->arena, &r->lines, line);
            }
            words = STR("");
        } else if (t == TOKEN_OPEN) {
            rc = open_block(r, section, words, depth);
            words = STR("");
        } else if (words.len > 0) {
            return fail(r, RC_INVALID, "expected ; or { after the directive");
        } else if (t == TOKEN_BROKEN) {
            return fail(r, RC_INVALID, "a quote is not closed");
        } else {
            bool whole = (t == TOKEN_END) == (depth == 0);
            return whole ? RC_OK : fail(r, RC_INVALID, depth == 0 ? "a } closes nothing" : "a block is not closed");
        }
    }
    return rc;
}

enum rc nginx_read(struct arena *a, struct str text, struct config_lines *ret, struct err *e)
{
    struct nginx_reader r = {.arena = a, .err = e, .scanner = {text, 0, 1}};
    enum rc rc = read_block(&r, STR(""), 0);
    if (rc == RC_OK) {
        *ret = r.lines;
    }
    return rc;
}

/* --- what it means ---------------------------------------------------------------------------------- */

static bool starts(struct str text, const char *words)
{
    struct str w = str_from(words);
    return str_starts(text, w) && (text.len == w.len || text.ptr[w.len] == ' ');
}

static bool has_word(struct str text, const char *word)
{
    struct str rest = text;
    struct str one;
    while (str_next(&rest, ' ', &one)) {
        if (str_eq(one, str_from(word))) {
            return true;
        }
    }
    return false;
}

/* The directive says so now, and did not. */
static const struct {
    const char *words;
    enum diff_fact fact;
} bad[] = {
    {"ssl off", FACT_TLS_OFF}, {"ssl_verify_client off", FACT_VERIFY_OFF}, {"ssl_verify_client optional_no_ca", FACT_VERIFY_OFF},
    {"proxy_ssl_verify off", FACT_VERIFY_OFF}, {"grpc_ssl_verify off", FACT_VERIFY_OFF}, {"uwsgi_ssl_verify off", FACT_VERIFY_OFF},
    {"auth_basic off", FACT_AUTH_DISABLED}, {"auth_request off", FACT_AUTH_DISABLED}, {"auth_jwt off", FACT_AUTH_DISABLED},
    {"satisfy any", FACT_AUTH_DISABLED}, {"allow all", FACT_PUBLIC_ACCESS}, {"autoindex on", FACT_PUBLIC_ACCESS},
    {"access_log off", FACT_LOGGING_OFF}, {"error_log /dev/null", FACT_LOGGING_OFF}, {"access_log /dev/null", FACT_LOGGING_OFF},
    {"modsecurity off", FACT_DENY_REMOVED},
};

/* The directive is gone. */
static const struct {
    const char *words;
    enum diff_fact fact;
} missed[] = {
    {"deny", FACT_DENY_REMOVED}, {"return 403", FACT_DENY_REMOVED}, {"return 401", FACT_DENY_REMOVED}, {"limit_req", FACT_DENY_REMOVED},
    {"limit_conn", FACT_DENY_REMOVED}, {"limit_except", FACT_DENY_REMOVED}, {"modsecurity", FACT_DENY_REMOVED},
    {"auth_basic", FACT_AUTH_DISABLED}, {"auth_request", FACT_AUTH_DISABLED}, {"auth_jwt", FACT_AUTH_DISABLED},
    {"ssl_verify_client", FACT_VERIFY_OFF}, {"proxy_ssl_verify", FACT_VERIFY_OFF}, {"ssl_certificate", FACT_TLS_OFF},
    {"return 301 https", FACT_TLS_OFF}, {"access_log", FACT_LOGGING_OFF}, {"error_log", FACT_LOGGING_OFF},
    {"add_header Strict-Transport-Security", FACT_TLS_OFF},
};

/* "listen 80", "listen *:80", "listen [::]:443": no address of its own. */
static bool listens_any(struct str text)
{
    if (!starts(text, "listen")) {
        return false;
    }
    struct str address = str_slice(text, 7 < text.len ? 7 : text.len, text.len);
    address = str_slice(address, 0, str_find(address, ' '));
    bool digits = address.len > 0;
    for (size_t i = 0; i < address.len; i++) {
        digits = digits && address.ptr[i] >= '0' && address.ptr[i] <= '9';
    }
    return digits || str_starts(address, STR("*")) || str_starts(address, STR("0.0.0.0")) || str_starts(address, STR("[::]"));
}

static struct str last_step(struct str section)
{
    size_t at = section.len;
    while (at > 0 && section.ptr[at - 1] != '/') {
        at--;
    }
    return str_slice(section, at, section.len);
}

static diff_facts facts_of_block(const struct config_line *before, const struct config_line *after)
{
    bool gone = before->section.len > 0 && after->section.len == 0;
    struct str name = last_step(before->section);
    bool proxy = starts(name, "server") || starts(name, "upstream");
    return gone && proxy ? FACT_BIT(FACT_BACKEND_REMOVED) : 0;
}

diff_facts nginx_facts(const struct config_line *before, const struct config_line *after)
{
    struct str was = before->text;
    struct str now = after->text;
    diff_facts facts = 0;
    if (before->key.len + after->key.len == 0) {
        return before->section.len > 0 ? facts_of_block(before, after) : 0;
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        facts |= starts(now, bad[i].words) && !starts(was, bad[i].words) ? FACT_BIT(bad[i].fact) : 0;
    }
    for (size_t i = 0; i < COUNT(missed) && was.len > 0 && !has_word(was, "off"); i++) {
        bool is = str_starts(was, str_from(missed[i].words));
        bool still = str_starts(now, str_from(missed[i].words));
        facts |= is && !still ? FACT_BIT(missed[i].fact) : 0;
    }
    bool weak = starts(now, "ssl_protocols") && (has_word(now, "TLSv1") || has_word(now, "TLSv1.1") || has_word(now, "SSLv3"));
    facts |= weak || (starts(was, "listen") && has_word(was, "ssl") && !has_word(now, "ssl")) ? FACT_BIT(FACT_TLS_OFF) : 0;
    facts |= listens_any(now) && !listens_any(was) ? FACT_BIT(FACT_BIND_ANY) : 0;
    bool upstream = starts(was, "server") || starts(now, "server");
    bool down = has_word(now, "down") && !has_word(was, "down");
    return facts | (upstream && (now.len == 0 || down) ? FACT_BIT(FACT_SERVER_REMOVED) : 0);
}
