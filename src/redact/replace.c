/* From spans to a text without them. */
#include "redact/redact_internal.h"

#include "base/must.h"

#include <stdlib.h>
#include <string.h>

enum rc pass_out_of_memory(struct pass *p)
{
    return err_set(p->err, arena_rc(p->arena), "redaction takes more memory than its maximum");
}

struct digest secret_digest(const struct pass *p, struct str secret)
{
    return hmac_sha256((struct str){(const char *)p->redactor->key, REDACT_KEY_LEN}, secret);
}

static int by_start(const void *a, const void *b)
{
    const struct span *x = a;
    const struct span *y = b;
    return x->from < y->from ? -1 : x->from > y->from;
}

/* Whether a tells better than b what both found: the longer, then the one that knows it by itself.
 */
static bool tells_better(const struct span *a, const struct span *b)
{
    size_t a_len = a->to - a->from;
    size_t b_len = b->to - b->from;
    if (a_len != b_len) {
        return a_len > b_len;
    }
    if (a->rank != b->rank) {
        return a->rank < b->rank;
    }
    return str_cmp(a->type, b->type) < 0;
}

/* Those that share bytes become one, of the type of the one that tells best. */
static void spans_merge(struct pass *p)
{
    must(p->span_count > 0);
    qsort(p->spans, p->span_count, sizeof *p->spans, by_start);
    uint32_t count = 0;
    struct span best = p->spans[0];
    for (uint32_t i = 1; i < p->span_count; i++) {
        struct span *merged = &p->spans[count];
        const struct span *next = &p->spans[i];
        if (next->from < merged->to) {
            merged->to = next->to > merged->to ? next->to : merged->to;
            best = tells_better(next, &best) ? *next : best;
            merged->type = best.type;
        } else {
            best = *next;
            p->spans[++count] = best;
        }
    }
    p->span_count = count + 1;
}

static bool is_whole(const struct pass *p, struct str text)
{
    if (p->span_count != 1) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (i == p->spans[0].from) {
            i = p->spans[0].to - 1;
        } else if (!is_blank(text.ptr[i])) {
            return false;
        }
    }
    return true;
}

/*
 * A field is a secret unless it is empty, redacted already, or says that it is none. When something
 * was found in it, it is one whatever it says: else a second pass would read it differently.
 */
static void add_field(struct pass *p, struct str text, const struct field *field)
{
    struct str value = str_slice(text, field->from, text.len);
    bool says_none = is_no_secret(value) || (field->may_be_flag && looks_like_flag(value));
    if (value.len > 0 && !(says_none && p->span_count == 0) &&
        marker_len(text, field->from) != value.len) {
        pass_add(p, (struct span){field->from, text.len, field->type, RANK_FIELD});
    }
}

bool text_find(struct pass *p, struct str text, const struct field *field, struct replaced *ret)
{
    scan_text(p, text);
    if (field != NULL) {
        add_field(p, text, field);
    }
    if (p->rc != RC_OK || p->span_count == 0) {
        return false;
    }
    spans_merge(p);
    p->count += p->span_count;
    ret->whole = is_whole(p, text);
    if (ret->whole) {
        const struct span *only = &p->spans[0];
        ret->type = only->type;
        ret->digest = secret_digest(p, str_slice(text, only->from, only->to));
    }
    return true;
}

static char *copy(char *out, struct str s)
{
    if (s.len > 0) {
        memcpy(out, s.ptr, s.len);
    }
    return out + s.len;
}

struct str text_replace(struct pass *p, struct str text)
{
    size_t size = text.len;
    for (uint32_t i = 0; i < p->span_count; i++) {
        const struct span *s = &p->spans[i];
        size += marker_size(s->type) - (s->to - s->from);
    }
    char *bytes = arena_alloc(p->arena, size);
    if (bytes == NULL) {
        p->rc = pass_out_of_memory(p);
        return text;
    }
    char *out = bytes;
    size_t at = 0;
    for (uint32_t i = 0; i < p->span_count; i++) {
        const struct span *s = &p->spans[i];
        out = copy(out, str_slice(text, at, s->from));
        struct digest d = secret_digest(p, str_slice(text, s->from, s->to));
        marker_write(out, s->type, &d);
        out += marker_size(s->type);
        at = s->to;
    }
    out = copy(out, str_slice(text, at, text.len));
    must((size_t)(out - bytes) == size);
    return (struct str){bytes, size};
}
