#include "entry/entry.h"

#include "base/encode.h"
#include "base/instant.h"
#include "base/must.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { KIND_NAME_MAX = 64 };

/* Ids are the program's own: what needs an escape in JSON never stands in one. */
static bool is_id_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '.' || c == ':' || c == '-';
}

static bool is_id(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!is_id_char(s.ptr[i])) {
            return false;
        }
    }
    return s.len > 0 && s.len <= ENTRY_ID_MAX;
}

/* --- writing ---------------------------------------------------------------------------------- */

static char *put(char *at, struct str s)
{
    memcpy(at, s.ptr, s.len);
    return at + s.len;
}

static char *put_number(char *at, uint64_t n)
{
    char digits[20];
    size_t first = sizeof digits;
    do {
        digits[--first] = (char)('0' + n % 10);
        n /= 10;
    } while (n != 0);
    return put(at, (struct str){digits + first, sizeof digits - first});
}

static char *put_refs(char *at, const struct entry *entry)
{
    for (unsigned i = 0; i < entry->ref_count; i++) {
        must(is_id(entry->refs[i]));
        at = put(at, i == 0 ? STR("\"") : STR(",\""));
        at = put(at, entry->refs[i]);
        *at++ = '"';
    }
    return at;
}

void entry_write(struct buf *out, const struct entry *entry)
{
    must(is_id(entry->actor) && entry->ref_count <= ENTRY_REFS_MAX);
    must(entry->seq <= INT64_MAX);
    must(entry->v >= 1 && entry->v <= entry_kind_version(entry->kind));
    /* Every part has a maximum; their sum is below this (the widest header is in the tests). */
    char text[ENTRY_HEADER_MAX];
    char *at = put(text, STR("{\"actor\":\""));
    at = put(at, entry->actor);
    at = put(at, STR("\",\"body_digest\":\"sha256:"));
    hex_encode(entry->body_digest, ENTRY_DIGEST_LEN, at);
    at = put(at + 2 * ENTRY_DIGEST_LEN, STR("\",\"kind\":\""));
    at = put(at, entry_kind_name(entry->kind));
    at = put(at, STR("\",\"refs\":["));
    at = put_refs(at, entry);
    at = put(at, STR("],\"seq\":"));
    at = put_number(at, entry->seq);
    at = put(at, STR(",\"time\":\""));
    instant_format(entry->time_ms, at);
    at = put(at + INSTANT_TEXT_LEN, STR("\",\"v\":"));
    at = put_number(at, entry->v);
    *at++ = '}';
    buf_put(out, text, (size_t)(at - text));
}

/* --- reading ---------------------------------------------------------------------------------- */

/* Takes what is expected off the front, or says no. */
static bool take(struct str *s, struct str expected)
{
    if (s->len < expected.len || memcmp(s->ptr, expected.ptr, expected.len) != 0) {
        return false;
    }
    s->ptr += expected.len;
    s->len -= expected.len;
    return true;
}

/* The bytes up to the next quote and the quote itself. */
static bool take_quoted(struct str *s, struct str *ret)
{
    const char *end = memchr(s->ptr, '"', s->len);
    if (end == NULL) {
        return false;
    }
    *ret = (struct str){s->ptr, (size_t)(end - s->ptr)};
    s->ptr = end + 1;
    s->len -= ret->len + 1;
    return true;
}

/* A decimal number without leading zeros, at most INT64_MAX. */
static bool take_number(struct str *s, uint64_t *ret)
{
    uint64_t n = 0;
    size_t i = 0;
    while (i < s->len && s->ptr[i] >= '0' && s->ptr[i] <= '9') {
        if (i >= 19) {
            return false;
        }
        n = n * 10 + (uint64_t)(s->ptr[i] - '0');
        i++;
    }
    if (i == 0 || (i > 1 && s->ptr[0] == '0') || n > INT64_MAX) {
        return false;
    }
    s->ptr += i;
    s->len -= i;
    *ret = n;
    return true;
}

static bool take_id(struct str *s, struct str *ret)
{
    return take_quoted(s, ret) && is_id(*ret);
}

static bool take_digest(struct str *s, uint8_t digest[static ENTRY_DIGEST_LEN])
{
    struct str hex;
    if (!take_quoted(s, &hex) || !hex_decode(hex, digest, ENTRY_DIGEST_LEN)) {
        return false;
    }
    /* Among hex digits this bit is what capitals lack. */
    unsigned char all = 0x20;
    for (size_t i = 0; i < 2 * ENTRY_DIGEST_LEN; i++) {
        all &= (unsigned char)hex.ptr[i];
    }
    return all != 0;
}

static bool take_kind_name(struct str *s, struct str *ret)
{
    return take_quoted(s, ret) && is_id(str_slice(*ret, 0, ENTRY_ID_MAX)) && ret->len <= KIND_NAME_MAX;
}

static bool take_refs(struct str *s, struct entry *entry)
{
    entry->ref_count = 0;
    while (!take(s, STR("]"))) {
        if (entry->ref_count == ENTRY_REFS_MAX || !take(s, entry->ref_count == 0 ? STR("\"") : STR(",\"")) ||
            !take_id(s, &entry->refs[entry->ref_count])) {
            return false;
        }
        entry->ref_count++;
    }
    return true;
}

/* Exactly what instant_format writes. */
static bool take_time(struct str *s, int64_t *ret_ms)
{
    struct str text;
    return take_quoted(s, &text) && text.len == INSTANT_TEXT_LEN && text.ptr[10] == 'T' &&
           text.ptr[19] == '.' && text.ptr[23] == 'Z' && instant_parse(text, ret_ms);
}

/* Null when the header has its form, else the name of the first part that has not. */
static const char *take_parts(struct str s, struct entry *entry, struct str *kind, uint64_t *v)
{
    if (!take(&s, STR("{\"actor\":\"")) || !take_id(&s, &entry->actor)) {
        return "actor";
    }
    if (!take(&s, STR(",\"body_digest\":\"sha256:")) || !take_digest(&s, entry->body_digest)) {
        return "body_digest";
    }
    if (!take(&s, STR(",\"kind\":\"")) || !take_kind_name(&s, kind)) {
        return "kind";
    }
    if (!take(&s, STR(",\"refs\":[")) || !take_refs(&s, entry)) {
        return "refs";
    }
    if (!take(&s, STR(",\"seq\":")) || !take_number(&s, &entry->seq)) {
        return "seq";
    }
    if (!take(&s, STR(",\"time\":\"")) || !take_time(&s, &entry->time_ms)) {
        return "time";
    }
    if (!take(&s, STR(",\"v\":")) || !take_number(&s, v) || *v == 0) {
        return "v";
    }
    return take(&s, STR("}")) && s.len == 0 ? NULL : "end";
}

enum rc entry_parse(struct str header, struct entry *ret, struct err *e)
{
    struct entry entry;
    struct str kind;
    uint64_t v;
    if (header.len > ENTRY_HEADER_MAX) {
        return err_set(e, RC_CORRUPT, "entry header is longer than %d bytes", ENTRY_HEADER_MAX);
    }
    const char *wrong = take_parts(header, &entry, &kind, &v);
    if (wrong != NULL) {
        return err_set(e, RC_CORRUPT, "entry header is not canonical at its %s", wrong);
    }
    enum rc rc = entry_kind_parse(kind, &entry.kind, e);
    if (rc != RC_OK) {
        return err_wrap(e, rc, "entry %" PRIu64, entry.seq);
    }
    if (v > entry_kind_version(entry.kind)) {
        return err_set(e, RC_INVALID, "entry %" PRIu64 ": %.*s has version %" PRIu64 ", this program knows %u",
                       entry.seq, STR_ARG(kind), v, entry_kind_version(entry.kind));
    }
    entry.v = (unsigned)v;
    memset(entry.refs + entry.ref_count, 0, (ENTRY_REFS_MAX - entry.ref_count) * sizeof *entry.refs);
    *ret = entry;
    return RC_OK;
}

/* --- ids --------------------------------------------------------------------------------------- */

struct id_text id_format(const char *prefix, uint64_t seq)
{
    struct id_text id;
    int len = snprintf(id.text, sizeof id.text, "%s_%" PRIu64, prefix, seq);
    must(len > 0 && (size_t)len < sizeof id.text);
    return id;
}

bool id_parse(struct str id, const char *prefix, uint64_t *ret_seq)
{
    uint64_t seq;
    if (!take(&id, str_from(prefix)) || !take(&id, STR("_")) || !take_number(&id, &seq) || id.len > 0) {
        return false;
    }
    *ret_seq = seq;
    return true;
}
