/*
 * The scanner of patterns: RE2's syntax in, PCRE2's out, everything else refused.
 *
 * Groups become plain ones, since nobody asks what they matched. Source: RE2's wiki "Syntax".
 */
#include "cel/pattern_scan.h"

#include "value/utf8.h"

#include <string.h>

void scan_add_places(struct scan *s, uint32_t count)
{
    struct frame *f = &s->frames[s->nest];
    f->places = f->places + count < PLACES_MAX ? f->places + count : PLACES_MAX;
}

void scan_begin_single(struct scan *s)
{
    s->before = ITEM_ATOM;
    s->atom = s->out->len;
    s->places = 1;
    s->single = true;
    scan_add_places(s, 1);
}

bool scan_refuse(struct scan *s, const char *what)
{
    s->what = what;
    return false;
}

char scan_look(const struct scan *s, size_t ahead)
{
    return s->at + ahead < s->text.len ? s->text.ptr[s->at + ahead] : '\0';
}

bool scan_is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool scan_among(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

/* One code point that is itself. */
static void put_point(struct scan *s)
{
    size_t len = utf8_len(s->text.ptr + s->at, s->text.ptr + s->text.len);
    char c = scan_look(s, 0);
    scan_begin_single(s);
    if (len <= 1 && c != '\0' && !scan_is_alnum(c)) {
        buf_char(s->out, '\\');
    }
    buf_put(s->out, s->text.ptr + s->at, len > 0 ? len : 1);
    s->at += len > 0 ? len : 1;
}

/* \Q...\E: all of it is itself. */
static void scan_literal(struct scan *s)
{
    s->at++;
    while (s->at < s->text.len && (scan_look(s, 0) != '\\' || scan_look(s, 1) != 'E')) {
        put_point(s);
    }
    s->at = s->at + 2 < s->text.len ? s->at + 2 : s->text.len;
}

/* (?flags) and (?flags:...): at the first flag. *multiline is what m makes it. */
static bool scan_flags(struct scan *s, bool *multiline)
{
    size_t from = s->at;
    bool minus = false;
    while (scan_among(scan_look(s, 0), "imsU-")) {
        if (scan_look(s, 0) == '-' && minus) {
            return scan_refuse(s, "a group that is not supported");
        }
        minus = minus || scan_look(s, 0) == '-';
        *multiline = scan_look(s, 0) == 'm' ? !minus : *multiline;
        s->at++;
    }
    char end = scan_look(s, 0);
    if (s->at == from || s->text.ptr[s->at - 1] == '-' || (end != ')' && end != ':')) {
        return s->at == from && end == ':' ? true : scan_refuse(s, "a group that is not supported");
    }
    return true;
}

/* (?P<name> and (?<name>: at the <. */
static bool scan_name(struct scan *s)
{
    size_t from = ++s->at;
    while (scan_is_alnum(scan_look(s, 0)) || scan_look(s, 0) == '_') {
        s->at++;
    }
    if (s->at == from || scan_look(s, 0) != '>') {
        return scan_refuse(s, "a group that is not supported");
    }
    s->at++;
    return true;
}

static bool open_group(struct scan *s, bool multiline)
{
    if (s->nest + 1 > CEL_PATTERN_NEST_MAX) {
        return scan_refuse(s, "groups that nest too deep");
    }
    s->frames[++s->nest] = (struct frame){.places = 0, .multiline = multiline};
    s->before = ITEM_NONE;
    return true;
}

/* (?flags) changes the group that it stands in, (?flags:...) opens one. */
static bool scan_flagged(struct scan *s)
{
    size_t from = s->at;
    bool multiline = s->frames[s->nest].multiline;
    if (!scan_flags(s, &multiline)) {
        return false;
    }
    buf_str(s->out, STR("(?"));
    buf_str(s->out, str_slice(s->text, from, s->at + 1));
    bool opens = scan_look(s, 0) == ':';
    s->at++;
    if (opens) {
        return open_group(s, multiline);
    }
    s->frames[s->nest].multiline = multiline;
    s->before = ITEM_NONE;
    return true;
}

/* At the opening parenthesis. */
static bool scan_group(struct scan *s)
{
    s->at++;
    if (scan_look(s, 0) == '?') {
        s->at++;
        bool named = scan_look(s, 0) == 'P' && scan_look(s, 1) == '<';
        if (!named &&
            (scan_look(s, 0) != '<' || scan_look(s, 1) == '=' || scan_look(s, 1) == '!')) {
            return scan_flagged(s);
        }
        s->at += named;
        if (!scan_name(s)) {
            return false;
        }
    }
    buf_str(s->out, STR("(?:"));
    return open_group(s, s->frames[s->nest].multiline);
}

/* The group becomes what a repetition repeats. It begins with the last "(?" of its depth, which
 * nobody needs to find: groups are never written twice. */
static bool close_group(struct scan *s)
{
    if (s->nest == 0) {
        return scan_refuse(s, "a parenthesis too many");
    }
    uint32_t places = s->frames[s->nest--].places;
    buf_char(s->out, ')');
    s->at++;
    s->before = ITEM_ATOM;
    s->single = false;
    s->places = places > 0 ? places : 1;
    scan_add_places(s, s->places);
    return true;
}

static bool repeatable(struct scan *s)
{
    if (s->before == ITEM_NONE) {
        return scan_refuse(s, "a repetition of nothing");
    }
    if (s->before == ITEM_REPEATED) {
        return scan_refuse(s, "a repetition of a repetition");
    }
    return true;
}

/* The operator of so many bytes, and the question mark that makes it lazy. */
static void put_repetition(struct scan *s, size_t len)
{
    buf_str(s->out, str_slice(s->text, s->at, s->at + len));
    s->at += len;
    if (scan_look(s, 0) == '?') {
        buf_char(s->out, '?');
        s->at++;
    }
    s->before = ITEM_REPEATED;
}

/* x+ is written xx*: the automaton counts the turns of x+, and would follow each count apart. */
static bool scan_repeated(struct scan *s)
{
    if (!repeatable(s)) {
        return false;
    }
    if (scan_look(s, 0) != '+' || !s->single) {
        put_repetition(s, 1);
        return true;
    }
    char copy[CEL_PATTERN_TEXT_MAX * 2];
    size_t len = s->out->len - s->atom;
    if (len > sizeof copy || s->out->rc != RC_OK) {
        return scan_refuse(s, "expression too large");
    }
    memcpy(copy, s->out->data + s->atom, len);
    buf_put(s->out, copy, len);
    buf_char(s->out, '*');
    scan_add_places(s, 1);
    s->at++;
    if (scan_look(s, 0) == '?') {
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
    bool comma = scan_look(s, len) == ',';
    size_t more = comma ? scan_count(s, s->at + len + 1, &max) : 0;
    len += comma + more;
    if (digits == 0 || scan_look(s, len) != '}') {
        put_point(s);
        return true;
    }
    if (min > CEL_PATTERN_REPEAT_MAX || max > CEL_PATTERN_REPEAT_MAX || (more > 0 && max < min)) {
        return scan_refuse(s, "an invalid repeat count");
    }
    if (!repeatable(s)) {
        return false;
    }
    uint32_t times = (uint32_t)(max > min ? max : min);
    uint64_t more_places = times > 1 ? (uint64_t)s->places * (times - 1) : 0;
    scan_add_places(s, more_places < PLACES_MAX ? (uint32_t)more_places : PLACES_MAX);
    put_repetition(s, len + 1);
    return true;
}

/* ^, $, \b and their like, which stand for no character: len bytes of the text. PCRE2 repeats them
 * in a group only. */
static void put_edge(struct scan *s, struct str written, size_t len)
{
    scan_begin_single(s);
    s->single = false;
    buf_str(s->out, STR("(?:"));
    buf_str(s->out, written);
    buf_char(s->out, ')');
    s->at += len;
}

static void scan_edge(struct scan *s)
{
    bool multiline = s->frames[s->nest].multiline;
    /* PCRE2's $ outside of multiline also stands before a last newline. */
    put_edge(s, scan_look(s, 0) == '^' ? STR("^") : multiline ? STR("$") : STR("\\z"), 1);
}

static bool scan_one(struct scan *s)
{
    char c = scan_look(s, 0);
    switch (c) {
    case '\\':
        if (scan_among(scan_look(s, 1), "bBAz")) {
            put_edge(s, str_slice(s->text, s->at, s->at + 2), 2);
            return true;
        }
        s->at++;
        if (scan_look(s, 0) == 'Q') {
            scan_literal(s);
            return true;
        }
        scan_begin_single(s);
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
        return scan_repeated(s);
    case ')':
        return close_group(s);
    case '^':
    case '$':
        scan_edge(s);
        return true;
    case '|':
        buf_char(s->out, c);
        s->at++;
        s->before = ITEM_NONE;
        return true;
    case '.':
        scan_begin_single(s);
        buf_char(s->out, c);
        s->at++;
        return true;
    default:
        put_point(s);
        return true;
    }
}

bool cel_pattern_translate(struct str text, struct buf *out, uint32_t *ret_places,
                           struct cel_pattern_fault *ret_fault)
{
    struct scan s = {.text = text, .out = out};
    bool good = true;
    while (good && s.at < text.len) {
        ret_fault->at = s.at;
        good = scan_one(&s);
    }
    if (good && s.nest > 0) {
        ret_fault->at = text.len;
        good = scan_refuse(&s, "a parenthesis that is not closed");
    }
    ret_fault->what = s.what;
    *ret_places = s.frames[0].places + 1;
    return good;
}
