/* ledger: an entry's proof in one file, to be checked offline. Source: c2sp.org/tlog-proof. */
#include "ledger/ledger.h"

#include "base/encode.h"
#include "base/must.h"

#include <inttypes.h>

#define FIRST_LINE "c2sp.org/tlog-proof@v1"

void receipt_write(struct buf *out, struct str extra, uint64_t index, const struct proof *p, struct str note)
{
    must(p->count <= TREE_HASHES_MAX);
    buf_str(out, STR(FIRST_LINE "\n"));
    if (extra.len > 0) {
        buf_str(out, STR("extra "));
        buf_base64(out, (const uint8_t *)extra.ptr, extra.len);
        buf_char(out, '\n');
    }
    buf_printf(out, "index %" PRIu64 "\n", index);
    for (unsigned i = 0; i < p->count; i++) {
        buf_base64(out, p->hashes[i].bytes, sizeof p->hashes[i].bytes);
        buf_char(out, '\n');
    }
    buf_char(out, '\n');
    buf_str(out, note);
}

/* Takes a line with its line feed off the front. */
static bool take_line(struct str *text, struct str *line)
{
    size_t end = str_find(*text, '\n');
    if (end == text->len) {
        return false;
    }
    *line = str_slice(*text, 0, end);
    *text = str_slice(*text, end + 1, text->len);
    return true;
}

/* The line after a keyword and a space; false when it is another line. */
static bool after_word(struct str line, struct str word, struct str *ret)
{
    if (!str_starts(line, word)) {
        return false;
    }
    *ret = str_slice(line, word.len, line.len);
    return ret->len > 0;
}

static bool parse_index(struct str line, uint64_t *ret)
{
    struct str number;
    return after_word(line, STR("index "), &number) && str_to_u64(number, ret) &&
           (number.len == 1 || number.ptr[0] != '0');
}

/* Lines of hashes up to the empty one. */
static bool parse_hashes(struct str *text, struct proof *p)
{
    p->count = 0;
    struct str line;
    while (take_line(text, &line)) {
        if (line.len == 0) {
            return true;
        }
        size_t len = 0;
        if (p->count == TREE_HASHES_MAX || !base64_decode(line, p->hashes[p->count].bytes, SHA256_LEN, &len) ||
            len != SHA256_LEN) {
            return false;
        }
        p->count++;
    }
    return false;
}

static enum rc parse_extra(struct arena *a, struct str encoded, struct str *ret, struct err *e)
{
    size_t len = 0;
    uint8_t *bytes = arena_alloc(a, encoded.len);
    if (bytes == NULL) {
        return err_set(e, arena_rc(a), "receipt: its extra part is too long");
    }
    if (!base64_decode(encoded, bytes, encoded.len, &len)) {
        return err_set(e, RC_INVALID, "receipt: its extra line is not base64");
    }
    *ret = (struct str){(const char *)bytes, len};
    return RC_OK;
}

enum rc receipt_parse(struct arena *a, struct str text, struct receipt *ret, struct err *e)
{
    struct receipt r = {.extra = {NULL, 0}};
    struct str line;
    if (!take_line(&text, &line) || !str_eq(line, STR(FIRST_LINE)) || !take_line(&text, &line)) {
        return err_set(e, RC_INVALID, "receipt: does not begin with \"%s\"", FIRST_LINE);
    }
    struct str encoded;
    if (after_word(line, STR("extra "), &encoded)) {
        enum rc rc = parse_extra(a, encoded, &r.extra, e);
        if (rc != RC_OK) {
            return rc;
        }
        if (!take_line(&text, &line)) {
            return err_set(e, RC_INVALID, "receipt: ends early");
        }
    }
    if (!parse_index(line, &r.index)) {
        return err_set(e, RC_INVALID, "receipt: has no \"index <number>\" line");
    }
    if (!parse_hashes(&text, &r.proof)) {
        return err_set(e, RC_INVALID, "receipt: its proof is not up to %d hashes and an empty line",
                       TREE_HASHES_MAX);
    }
    if (text.len == 0 || text.len > CHECKPOINT_MAX) {
        return err_set(e, RC_INVALID, "receipt: has no checkpoint, or a longer one than %d bytes",
                       CHECKPOINT_MAX);
    }
    r.note = text;
    *ret = r;
    return RC_OK;
}
