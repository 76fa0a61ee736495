/*
 * Any text and any value: what is redacted is valid, loses what was found, and stays as it is when
 * it is redacted again. The first line is a pattern of the operator where it is one.
 */
#include "fuzz/fuzz.h"

#include "base/must.h"
#include "redact/redact_internal.h"
#include "value/json.h"

enum { MEMORY_MAX = 64 << 20 };

static struct redactor *own_redactor(struct str pattern)
{
    static const uint8_t key[REDACT_KEY_LEN] = {7};
    struct redact_pattern own = {STR("own"), pattern};
    struct redactor *r = NULL;
    if (redactor_new(key, &own, 1, &r, NULL) != RC_OK) {
        must(redactor_new(key, NULL, 0, &r, NULL) == RC_OK);
    }
    return r;
}

/*
 * out is text with a marker in the place of each secret and nothing else: the bytes of a secret are
 * gone, since the pieces between them are where they were.
 */
static void check_gone(const struct redactor *r, struct str text, struct str out)
{
    CLEANUP(arena) struct arena *a = arena_new(MEMORY_MAX);
    struct pass p = {.redactor = r, .arena = a};
    struct replaced found;
    must(text_find(&p, text, NULL, &found));
    size_t at = 0;
    size_t out_at = 0;
    for (uint32_t i = 0; i < p.span_count; i++) {
        const struct span *s = &p.spans[i];
        must(s->from >= at && s->to > s->from && s->to <= text.len);
        size_t piece = s->from - at;
        must(str_eq(str_slice(text, at, s->from), str_slice(out, out_at, out_at + piece)));
        size_t marker = marker_len(out, out_at + piece);
        must(marker > 0);
        out_at += piece + marker;
        at = s->to;
    }
    must(str_eq(str_slice(text, at, text.len), str_slice(out, out_at, out.len)));
}

static void check_text(const struct redactor *r, struct str text)
{
    CLEANUP(arena) struct arena *a = arena_new(MEMORY_MAX);
    struct str out = {0};
    struct str again = {0};
    uint32_t count = 0;
    struct err e = {0};
    if (redact_text(r, a, text, &out, &count, &e) != RC_OK) {
        must(e.rc == RC_LIMIT && e.text[0] != '\0');
        return;
    }
    must(count > 0 || (out.ptr == text.ptr && out.len == text.len));
    must(!utf8_valid(text) || utf8_valid(out));
    if (count > 0) {
        check_gone(r, text, out);
    }
    struct value v = value_string(out);
    must(count == 0 || redact_holds(&v));
    must(redact_text(r, a, out, &again, &count, NULL) == RC_OK);
    must(count == 0 && str_eq(out, again));
}

static struct str canonical(struct arena *a, const struct value *v)
{
    CLEANUP(buf) struct buf out;
    buf_init(&out, MEMORY_MAX);
    json_write_canonical(&out, v, a);
    must(out.rc == RC_OK);
    return arena_str(a, buf_view(&out));
}

static void check_value(const struct redactor *r, struct str text)
{
    CLEANUP(arena) struct arena *a = arena_new(MEMORY_MAX);
    struct value v;
    uint32_t count = 0;
    if (json_parse(a, text, &v, NULL) != RC_OK) {
        return;
    }
    struct err e = {0};
    enum rc rc = redact_value(r, a, &v, &count, &e);
    if (rc != RC_OK) {
        must(rc == RC_LIMIT || rc == RC_INVALID);
        must(e.text[0] != '\0');
        return;
    }
    must(count == 0 || redact_holds(&v));
    struct str out = canonical(a, &v);
    struct value back;
    must(json_parse(a, out, &back, NULL) == RC_OK);
    must(redact_value(r, a, &back, &count, NULL) == RC_OK);
    must(count == 0);
    must(str_eq(out, canonical(a, &back)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    size_t line = str_find(text, '\n');
    CLEANUP(redactor) struct redactor *r = own_redactor(str_slice(text, 0, line));
    struct str rest = str_slice(text, line + 1, text.len);
    check_text(r, text);
    check_text(r, rest);
    check_value(r, rest);
    return 0;
}
