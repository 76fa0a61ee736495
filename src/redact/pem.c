/*
 * Private keys in PEM: from BEGIN to END, and what is left of one that was cut.
 *
 * Only characters that can stand in a key are taken between the two lines, so that nobody hides a
 * command there. Without an END what looks like base64 behind the BEGIN is taken, and without a
 * BEGIN what looks like it before the END: the tail of an output begins anywhere.
 * Source: RFC 7468, RFC 1421 for the headers inside.
 */
#include "redact/redact_internal.h"

#include <string.h>

enum {
    LABEL_MAX = 40,
    CUT_MIN = 16, /* characters of a cut key: less is somebody who talks about keys */
};

#define DASHES STR("-----")
#define BEGIN STR("-----BEGIN ")
#define END STR("-----END ")

static bool starts_at(struct str text, size_t at, struct str what)
{
    return text.len - at >= what.len && memcmp(text.ptr + at, what.ptr, what.len) == 0;
}

/* Past "RSA PRIVATE KEY-----" when that is at at, or 0. */
static size_t label_end(struct str text, size_t at)
{
    size_t to = at;
    while (to < text.len && to - at <= LABEL_MAX &&
           (is_upper(text.ptr[to]) || is_digit(text.ptr[to]) || text.ptr[to] == ' ')) {
        to++;
    }
    struct str label = str_slice(text, at, to);
    bool is_private =
        str_ends(label, STR("PRIVATE KEY")) || str_ends(label, STR("PRIVATE KEY BLOCK"));
    return is_private && starts_at(text, to, DASHES) ? to + DASHES.len : 0;
}

/* The lines of a key, also where they are written with \n or as one. */
static bool is_base64_line(char c)
{
    return is_alnum(c) || c == '+' || c == '/' || c == '=' || c == '\n' || c == '\r' || c == '\\';
}

/* What may stand between BEGIN and END: headers such as "Proc-Type: 4,ENCRYPTED" as well. */
static bool is_body(char c)
{
    return is_base64_line(c) || (c != '\0' && strchr(" \t:,.-()", c) != NULL);
}

static void add_key(struct scan *s, size_t from, size_t to)
{
    s->key_end = to;
    scan_add(s, (struct span){from, to, STR("private_key"), RANK_TOKEN});
}

/* Past the END line of the key whose body begins at at, or 0. */
static size_t whole_end(struct str text, size_t at)
{
    while (at < text.len && is_body(text.ptr[at])) {
        if (text.ptr[at] == '-' && starts_at(text, at, DASHES)) {
            return starts_at(text, at, END) ? label_end(text, at + END.len) : 0;
        }
        at++;
    }
    return 0;
}

static void find_begin(struct scan *s, size_t at)
{
    size_t body = label_end(s->text, at + BEGIN.len);
    if (body == 0) {
        return;
    }
    size_t to = whole_end(s->text, body);
    if (to > 0) {
        add_key(s, at, to);
        return;
    }
    to = body;
    while (to < s->text.len && is_base64_line(s->text.ptr[to])) {
        to++;
    }
    if (to - body >= CUT_MIN) {
        add_key(s, at, to);
    }
}

static void find_end(struct scan *s, size_t at)
{
    size_t to = label_end(s->text, at + END.len);
    size_t from = at;
    while (to > 0 && from > s->key_end && is_base64_line(s->text.ptr[from - 1])) {
        from--;
    }
    if (at - from >= CUT_MIN) {
        add_key(s, from, to);
    }
}

void find_pem(struct scan *s, size_t at)
{
    if (at < s->key_end || s->text.len - at < BEGIN.len || s->text.ptr[at + 1] != '-') {
        return;
    }
    if (starts_at(s->text, at, BEGIN)) {
        find_begin(s, at);
    } else if (starts_at(s->text, at, END)) {
        find_end(s, at);
    }
}
