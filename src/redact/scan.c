/* One walk over a text: a table says at which bytes a secret may be recognized. */
#include "redact/redact_internal.h"

#include <string.h>

/* What is rare in words comes to be looked at: most bytes of an ordinary text cost one look-up. */
static const bool stops[256] = {
    ['='] = true, [':'] = true, ['-'] = true, ['_'] = true, ['.'] = true,
    ['['] = true, ['I'] = true, ['J'] = true, ['B'] = true, ['b'] = true,
};

void pass_add(struct pass *p, struct span found)
{
    if (p->rc != RC_OK) {
        return;
    }
    if (++p->found > REDACT_FOUND_MAX) {
        p->rc = err_set(p->err, RC_LIMIT, "more than %d secrets", REDACT_FOUND_MAX);
        return;
    }
    if (p->span_count == p->span_capacity) {
        uint32_t capacity = p->span_capacity == 0 ? 8 : 2 * p->span_capacity;
        struct span *larger = arena_array(p->arena, capacity, sizeof *larger);
        if (larger == NULL) {
            p->rc = pass_out_of_memory(p);
            return;
        }
        if (p->span_count > 0) {
            memcpy(larger, p->spans, p->span_count * sizeof *larger);
        }
        p->spans = larger;
        p->span_capacity = capacity;
    }
    p->spans[p->span_count++] = found;
}

void scan_add(struct scan *s, struct span found)
{
    pass_add(s->pass, found);
}

static void look(struct scan *s, size_t at)
{
    switch (s->text.ptr[at]) {
    case '[':
        break;
    case '=':
        find_after_equals(s, at);
        break;
    case ':':
        find_after_colon(s, at);
        break;
    case '-':
        find_after_flag(s, at);
        find_pem(s, at);
        find_token(s, at);
        break;
    case 'J':
        find_jwt(s, at);
        break;
    case 'B':
    case 'b':
        find_after_bearer(s, at);
        break;
    default:
        find_token(s, at);
        break;
    }
}

/* The next byte at or after at that is looked at, or the end. */
static size_t next_stop(struct str text, size_t at)
{
    const unsigned char *bytes = (const unsigned char *)text.ptr;
    while (text.len - at >= 4) {
        if (stops[bytes[at]] | stops[bytes[at + 1]] | stops[bytes[at + 2]] | stops[bytes[at + 3]]) {
            break;
        }
        at += 4;
    }
    while (at < text.len && !stops[bytes[at]]) {
        at++;
    }
    return at;
}

static void scan_built_in(struct pass *p, struct str text)
{
    struct scan s = {.pass = p, .text = text, .word_from = text.len + 1};
    for (size_t at = next_stop(text, 0); at < text.len && p->rc == RC_OK;
         at = next_stop(text, at)) {
        size_t marker = text.ptr[at] == '[' ? marker_len(text, at) : 0;
        if (marker == 0) {
            look(&s, at);
        }
        at += marker > 0 ? marker : 1;
    }
}

/* The matches of one pattern of the operator, those that touch each other as one. */
struct matches {
    struct pass *pass;
    struct span last; /* not added yet; empty when there is none */
};

static void matches_flush(struct matches *m)
{
    if (m->last.to > m->last.from) {
        pass_add(m->pass, m->last);
    }
    m->last.from = m->last.to = 0;
}

static void matches_add(void *context, size_t from, size_t to)
{
    struct matches *m = context;
    if (from < m->last.to) {
        m->last.from = from < m->last.from ? from : m->last.from;
        m->last.to = to;
        return;
    }
    matches_flush(m);
    m->last.from = from;
    m->last.to = to;
}

/* What is between two markers, for every pattern. */
static void scan_between(struct pass *p, struct str text, size_t from, size_t to)
{
    for (size_t i = 0; i < p->redactor->pattern_count && from < to && p->rc == RC_OK; i++) {
        const struct compiled_pattern *c = &p->redactor->patterns[i];
        struct matches m = {p, {.type = c->type, .rank = RANK_PATTERN}};
        struct pattern_search search = {text, from, to, matches_add, &m};
        uint64_t work = 0;
        bool done = pattern_find(c->pattern, &search, REDACT_WORK_MAX - p->work, &work);
        matches_flush(&m);
        p->work += work;
        if (!done && p->rc == RC_OK) {
            p->rc =
                err_set(p->err, RC_LIMIT, "the patterns take more than %d steps", REDACT_WORK_MAX);
        }
    }
}

static void scan_patterns(struct pass *p, struct str text)
{
    size_t from = 0;
    for (size_t at = str_find(text, '['); at < text.len;
         at += 1 + str_find(str_slice(text, at + 1, text.len), '[')) {
        size_t marker = marker_len(text, at);
        if (marker > 0) {
            scan_between(p, text, from, at);
            from = at + marker;
        }
    }
    scan_between(p, text, from, text.len);
}

void scan_text(struct pass *p, struct str text)
{
    p->span_count = 0;
    scan_built_in(p, text);
    if (p->redactor->pattern_count > 0) {
        scan_patterns(p, text);
    }
}
