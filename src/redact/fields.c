/*
 * Secrets that are known by what stands before them: a name, a flag, a scheme, a URL's user.
 *
 * A value ends at white space, at a quote and where a shell ends a word, and a value that holds a
 * command substitution is no secret but says where to get one: else a command could be hidden from
 * whoever approves it by putting TOKEN= before it.
 */
#include "redact/redact_internal.h"

#include "base/encode.h"

#include <string.h>

enum {
    BACKSLASHES_MAX = 8, /* before a quote: JSON in JSON */
    RAW_HEADER_MIN = 8,  /* an Authorization value without a scheme */
    BEARER_MIN = 20,     /* "Bearer" without Authorization before it */
    BASIC_MAX = 512,
    SLACK_PATH_MIN = 24,
};

struct part {
    size_t from;
    size_t to;
    bool quoted;
};

static bool is_quote(char c)
{
    return c == '"' || c == '\'';
}

static char at_or_nul(struct str text, size_t at)
{
    return at < text.len ? text.ptr[at] : '\0';
}

static size_t skip_spaces(struct str text, size_t at)
{
    size_t from = at;
    while ((at_or_nul(text, at) == ' ' || at_or_nul(text, at) == '\t') && at - from < SPACES_MAX) {
        at++;
    }
    return at;
}

static size_t skip_backslashes(struct str text, size_t at)
{
    size_t from = at;
    while (at_or_nul(text, at) == '\\' && at - from < BACKSLASHES_MAX) {
        at++;
    }
    return at;
}

static bool ends_word(struct str text, size_t at)
{
    char c = text.ptr[at];
    return is_blank(c) || (c != '\0' && strchr("\"'`;&|<>", c) != NULL) ||
           (c == '\\' && is_quote(at_or_nul(text, at + 1))) ||
           (c == '$' && at_or_nul(text, at + 1) == '(');
}

/*
 * False when it is empty, or a marker cuts it: what is before the marker was looked at when that
 * was made. Every word that begins inside another ends where that does, so none is run over twice.
 */
static bool read_word(struct scan *s, size_t at, struct part *ret)
{
    if (at < s->word_from || at > s->word_to) {
        size_t to = at;
        s->word_is_cut = false;
        while (to < s->text.len && !ends_word(s->text, to) && !s->word_is_cut) {
            s->word_is_cut = s->text.ptr[to] == '[' && marker_len(s->text, to) > 0;
            to += !s->word_is_cut;
        }
        s->word_from = at;
        s->word_to = to;
    }
    *ret = (struct part){at, s->word_to, false};
    return s->word_to > at && !s->word_is_cut;
}

static bool read_to_quote(struct str text, size_t at, char quote, struct part *ret)
{
    size_t line_end = text.len;
    for (size_t to = at; to < text.len; to++) {
        char c = text.ptr[to];
        if (c == quote) {
            *ret = (struct part){at, to, true};
            return to > at;
        }
        if (c == '[' && marker_len(text, to) > 0) {
            return false;
        }
        if (c == '\n' && line_end == text.len) {
            line_end = to;
        }
        to += c == '\\' && to + 1 < text.len;
    }
    /* Cut, or no quotation at all. */
    *ret = (struct part){at, line_end, true};
    return line_end > at;
}

/* Up to the next quote that has backslashes before it as the first one had. */
static bool read_to_escaped_quote(struct str text, size_t at, char quote, struct part *ret)
{
    size_t to = at;
    for (; to < text.len && text.ptr[to] != '\n'; to++) {
        size_t behind = skip_backslashes(text, to);
        if (behind > to && at_or_nul(text, behind) == quote) {
            break;
        }
        if (text.ptr[to] == '[' && marker_len(text, to) > 0) {
            return false;
        }
    }
    *ret = (struct part){at, to, true};
    return to > at;
}

/* The value at at, without its quotes. False when there is none, or a marker in it. */
static bool read_value(struct scan *s, size_t at, struct part *ret)
{
    if (at_or_nul(s->text, at) == '$' && is_quote(at_or_nul(s->text, at + 1))) {
        at++; /* a shell's $'...' */
    }
    size_t quote_at = skip_backslashes(s->text, at);
    char quote = at_or_nul(s->text, quote_at);
    if (!is_quote(quote)) {
        return read_word(s, at, ret);
    }
    return quote_at == at ? read_to_quote(s->text, at + 1, quote, ret)
                          : read_to_escaped_quote(s->text, quote_at + 1, quote, ret);
}

static bool holds_substitution(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '`' || (s.ptr[i] == '$' && at_or_nul(s, i + 1) == '(')) {
            return true;
        }
    }
    return false;
}

static bool is_secret(const struct scan *s, struct part value)
{
    struct str text = str_slice(s->text, value.from, value.to);
    return !is_no_secret(text) && !(value.quoted && holds_substitution(text));
}

static void add_value(struct scan *s, struct part value, struct str type)
{
    if (is_secret(s, value)) {
        s->settled = value.to;
        scan_add(s, (struct span){value.from, value.to, type, RANK_FIELD});
    }
}

size_t scheme_len(struct str text)
{
    static const char *const schemes[] = {"bearer", "basic", "token", "apikey", "negotiate"};
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        size_t k = 0;
        while (schemes[i][k] != '\0' && k < text.len && to_lower(text.ptr[k]) == schemes[i][k]) {
            k++;
        }
        size_t behind = skip_spaces(text, k);
        if (schemes[i][k] == '\0' && behind > k) {
            return behind;
        }
    }
    return 0;
}

/* Where a header, a line or a quotation ends. */
static bool ends_field(struct str text, size_t at)
{
    char c = at_or_nul(text, at);
    return at >= text.len || c == '\n' || c == '\r' || c == '\\' || is_quote(c);
}

/* "Bearer x" keeps its scheme; a value of one word is a secret as it is. */
static void add_authorization(struct scan *s, size_t at, struct str type)
{
    size_t quote = skip_backslashes(s->text, at);
    at = is_quote(at_or_nul(s->text, quote)) ? quote + 1 : at;
    size_t scheme = scheme_len(str_slice(s->text, at, at + SPACES_MAX));
    struct part word;
    if (read_word(s, at + scheme, &word) &&
        (scheme > 0 || (word.to - word.from >= RAW_HEADER_MIN && ends_field(s->text, word.to)))) {
        add_value(s, word, type);
    }
}

/* The name that ends before end, spaces and a quote between them; empty when there is none. */
static struct str name_before(struct str text, size_t end)
{
    size_t lowest = end > SPACES_MAX ? end - SPACES_MAX : 0;
    while (end > lowest && (text.ptr[end - 1] == ' ' || text.ptr[end - 1] == '\t')) {
        end--;
    }
    if (end > 0 && is_quote(text.ptr[end - 1])) {
        end--;
        while (end > lowest && text.ptr[end - 1] == '\\') {
            end--;
        }
    }
    size_t from = end;
    while (from > 0 && end - from < NAME_SEEN_MAX && is_name_char(text.ptr[from - 1])) {
        from--;
    }
    return marker_ends(text, from) ? (struct str){NULL, 0} : str_slice(text, from, end);
}

void find_after_equals(struct scan *s, size_t at)
{
    char next = at_or_nul(s->text, at + 1);
    if (at < s->settled || next == '=' || next == '~') {
        return;
    }
    struct str type = name_secret(name_before(s->text, at));
    if (type.len == 0) {
        return;
    }
    /* "PASSWORD= psql" is an empty one before a command; "password = x" is configuration. */
    bool arrow = next == '>';
    bool spaced = arrow || is_blank(s->text.ptr[at - 1]);
    size_t from = at + (arrow ? 2 : 1);
    from = spaced ? skip_spaces(s->text, from) : from;
    struct part value;
    if (is_authorization(type)) {
        add_authorization(s, from, type);
    } else if (read_value(s, from, &value)) {
        add_value(s, value, type);
    }
}

/* Whether a name stands where a line or a quotation begins, list dashes aside. */
static bool begins_field(struct str text, size_t at)
{
    if (at > 0 && is_quote(text.ptr[at - 1])) {
        return true;
    }
    size_t lowest = at > SPACES_MAX ? at - SPACES_MAX : 0;
    while (at > lowest &&
           (text.ptr[at - 1] == ' ' || text.ptr[at - 1] == '\t' || text.ptr[at - 1] == '-')) {
        at--;
    }
    return at == 0 || text.ptr[at - 1] == '\n';
}

/* YAML's way to say that the value is on the lines below, or a list. */
static bool is_block_sign(struct str text, struct part value)
{
    return value.to - value.from <= 2 && strchr("|>{[&*!", text.ptr[value.from]) != NULL;
}

/*
 * "name": "value" as in JSON, and name: value where that is the whole line or quotation, as in YAML
 * and in headers. Prose such as "rotate the token: it leaked" is neither.
 */
static void find_member(struct scan *s, size_t at)
{
    struct str name = name_before(s->text, at);
    struct str type = name_secret(name);
    if (type.len == 0) {
        return;
    }
    size_t from = skip_spaces(s->text, at + 1);
    struct part value;
    if (is_authorization(type)) {
        add_authorization(s, from, type);
        return;
    }
    if (!read_value(s, from, &value)) {
        return;
    }
    size_t behind = skip_spaces(s->text, value.to);
    if (value.quoted || (begins_field(s->text, (size_t)(name.ptr - s->text.ptr)) &&
                         ends_field(s->text, behind) && !is_block_sign(s->text, value))) {
        add_value(s, value, type);
    }
}

static void find_slack_webhook(struct scan *s, size_t host)
{
    struct str prefix = STR("hooks.slack.com/services/");
    struct part word;
    if (str_starts(str_slice(s->text, host, host + prefix.len), prefix) &&
        read_word(s, host + prefix.len, &word) && word.to - word.from >= SLACK_PATH_MIN) {
        add_value(s, word, STR("slack_webhook"));
    }
}

/* at is behind "://": user:password@, up to the last @ before the path. */
static void find_url_password(struct scan *s, size_t at)
{
    struct str text = s->text;
    size_t colon = 0;
    size_t last_at = 0;
    for (size_t i = at; i < text.len; i++) {
        char c = text.ptr[i];
        if (is_blank(c) || c == '\0' || strchr("/?#\"'<>`\\", c) != NULL) {
            break;
        }
        if (c == '[' && marker_len(text, i) > 0) {
            return;
        }
        colon = c == ':' && colon == 0 ? i : colon;
        last_at = c == '@' ? i : last_at;
    }
    struct part password = {colon + 1, last_at, true};
    /* Not settled: between here and there is the user, where a field may be. */
    if (colon > 0 && last_at > colon + 1 && is_secret(s, password)) {
        scan_add(s, (struct span){password.from, password.to, STR("url_password"), RANK_FIELD});
    }
}

void find_after_colon(struct scan *s, size_t at)
{
    if (at < s->settled || at == 0) {
        return;
    }
    if (at_or_nul(s->text, at + 1) == '/' && at_or_nul(s->text, at + 2) == '/') {
        if (is_alnum(s->text.ptr[at - 1])) {
            find_url_password(s, at + 3);
            find_slack_webhook(s, at + 3);
        }
        return;
    }
    find_member(s, at);
}

/* --password x, -token x; what has a '=' is found there. */
void find_after_flag(struct scan *s, size_t at)
{
    struct str text = s->text;
    if (at < s->settled || (at > 0 && !is_blank(text.ptr[at - 1]) && !is_quote(text.ptr[at - 1]))) {
        return;
    }
    size_t from = at_or_nul(text, at + 1) == '-' ? at + 2 : at + 1;
    size_t to = from;
    while (to < text.len && to - from <= NAME_SEEN_MAX && is_name_char(text.ptr[to])) {
        to++;
    }
    size_t value_at = skip_spaces(text, to);
    struct part value;
    if (to - from > NAME_SEEN_MAX || value_at == to) {
        return;
    }
    struct str type = name_secret(str_slice(text, from, to));
    if (type.len == 0 || !read_value(s, value_at, &value)) {
        return;
    }
    struct str word = str_slice(text, value.from, value.to);
    if (value.quoted || (!looks_like_flag(word) && !str_eq(word, STR("\\")))) {
        add_value(s, value, type);
    }
}

static bool is_token68(char c)
{
    return is_alnum(c) || (c != '\0' && strchr("-._~+/", c) != NULL);
}

static bool is_user_and_password(struct str base64)
{
    uint8_t bytes[BASIC_MAX];
    size_t len = 0;
    return base64_decode(base64, bytes, sizeof bytes, &len) && memchr(bytes, ':', len) != NULL;
}

static bool holds_digit(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (is_digit(s.ptr[i])) {
            return true;
        }
    }
    return false;
}

/*
 * "Bearer x" and "Basic x" without Authorization before them, as in a header's value. People write
 * about bearer tokens, so x has to look like one.
 */
void find_after_bearer(struct scan *s, size_t at)
{
    struct str text = s->text;
    bool basic = to_lower(at_or_nul(text, at + 1)) == 'a';
    if (at < s->settled || (!basic && to_lower(at_or_nul(text, at + 1)) != 'e') ||
        (at > 0 && (is_name_char(text.ptr[at - 1]) || marker_ends(text, at)))) {
        return;
    }
    size_t scheme = scheme_len(str_slice(text, at, at + SPACES_MAX));
    size_t from = at + scheme;
    size_t to = from;
    while (scheme > 0 && to < text.len && is_token68(text.ptr[to])) {
        to++;
    }
    while (to > from && at_or_nul(text, to) == '=') {
        to++;
    }
    struct str word = str_slice(text, from, to);
    if (basic ? marker_len(text, to) == 0 && is_user_and_password(word)
              : word.len >= BEARER_MIN && holds_digit(word)) {
        add_value(s, (struct part){from, to, false}, STR("authorization"));
    }
}
