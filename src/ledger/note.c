#include "ledger/note.h"

#include "base/encode.h"
#include "base/must.h"

#include <string.h>

enum { ALGORITHM_ED25519 = 1, KEY_ID_LEN = 4 };

#define DASH STR("\xe2\x80\x94 ") /* U+2014 and a space: what a signature line begins with */

static void key_id(struct str name, const uint8_t public_key[static ED25519_PUBLIC_LEN],
                   uint8_t out[static KEY_ID_LEN])
{
    struct str parts[] = {name, {"\n\x01", 2}, {(const char *)public_key, ED25519_PUBLIC_LEN}};
    struct digest d = sha256_parts(parts, 3);
    memcpy(out, d.bytes, KEY_ID_LEN);
}

enum rc origin_check(struct str origin, struct err *e)
{
    if (origin.len == 0 || origin.len > ORIGIN_MAX) {
        return err_set(e, RC_INVALID, "an origin has 1 to %d characters", ORIGIN_MAX);
    }
    for (size_t i = 0; i < origin.len; i++) {
        if (origin.ptr[i] <= ' ' || origin.ptr[i] > '~' || origin.ptr[i] == '+') {
            return err_set(e, RC_INVALID, "an origin has no spaces, no '+' and only printable ASCII");
        }
    }
    return RC_OK;
}

void vkey_write(struct buf *out, struct str origin, const uint8_t public_key[static ED25519_PUBLIC_LEN])
{
    uint8_t id[KEY_ID_LEN];
    key_id(origin, public_key, id);
    uint8_t typed[1 + ED25519_PUBLIC_LEN] = {ALGORITHM_ED25519};
    memcpy(typed + 1, public_key, ED25519_PUBLIC_LEN);
    buf_str(out, origin);
    buf_char(out, '+');
    buf_hex(out, id, sizeof id);
    buf_char(out, '+');
    buf_base64(out, typed, sizeof typed);
}

enum rc vkey_parse(struct str text, struct vkey *ret, struct err *e)
{
    struct vkey key;
    size_t plus = str_find(text, '+');
    key.origin = str_slice(text, 0, plus);
    enum rc rc = origin_check(key.origin, e);
    if (rc != RC_OK) {
        return err_wrap(e, rc, "verifier key");
    }
    struct str rest = str_slice(text, plus + 1, text.len);
    size_t hex_len = str_find(rest, '+');
    uint8_t typed[1 + ED25519_PUBLIC_LEN];
    size_t len = 0;
    if (!base64_decode(str_slice(rest, hex_len + 1, rest.len), typed, sizeof typed, &len) ||
        len != sizeof typed || !hex_decode(str_slice(rest, 0, hex_len), key.id, sizeof key.id)) {
        return err_set(e, RC_INVALID, "verifier key: not <origin>+<8 hex digits>+<base64 key>");
    }
    if (typed[0] != ALGORITHM_ED25519) {
        return err_set(e, RC_INVALID, "verifier key: algorithm %u is not Ed25519", typed[0]);
    }
    uint8_t id[KEY_ID_LEN];
    memcpy(key.public_key, typed + 1, sizeof key.public_key);
    key_id(key.origin, key.public_key, id);
    if (memcmp(id, key.id, sizeof id) != 0) {
        return err_set(e, RC_INVALID, "verifier key: its id does not belong to its key");
    }
    *ret = key;
    return RC_OK;
}

void note_sign(struct buf *out, struct str text, struct str name, const struct signing_key *key)
{
    must(str_ends(text, STR("\n")));
    uint8_t public_key[ED25519_PUBLIC_LEN];
    signing_key_public(key, public_key);
    uint8_t signature[KEY_ID_LEN + ED25519_SIGNATURE_LEN];
    key_id(name, public_key, signature);
    signing_key_sign(key, text, signature + KEY_ID_LEN);
    buf_str(out, text);
    buf_char(out, '\n');
    buf_str(out, DASH);
    buf_str(out, name);
    buf_char(out, ' ');
    buf_base64(out, signature, sizeof signature);
    buf_char(out, '\n');
}

static bool is_plain_text(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] != '\n' && (s.ptr[i] < ' ' || s.ptr[i] > '~')) {
            return false;
        }
    }
    return true;
}

/* The text with its line feed, and the signature lines behind the last blank line. */
static bool split_note(struct str note, struct str *text, struct str *lines)
{
    if (note.len > CHECKPOINT_MAX || !str_ends(note, STR("\n"))) {
        return false;
    }
    for (size_t i = note.len; i >= 2; i--) {
        if (note.ptr[i - 1] == '\n' && note.ptr[i - 2] == '\n') {
            *text = str_slice(note, 0, i - 1);
            *lines = str_slice(note, i, note.len);
            return text->len > 1 && lines->len > 0 && is_plain_text(*text);
        }
    }
    return false;
}

/* One "<dash> <name> <base64 of id and signature>". size: room of bytes, ret_len what was there. */
static bool signature_parse(struct str line, struct str *name, uint8_t *bytes, size_t size, size_t *ret_len)
{
    if (!str_starts(line, DASH)) {
        return false;
    }
    struct str rest = str_slice(line, DASH.len, line.len);
    size_t space = str_find(rest, ' ');
    *name = str_slice(rest, 0, space);
    return origin_check(*name, NULL) == RC_OK &&
           base64_decode(str_slice(rest, space + 1, rest.len), bytes, size, ret_len) &&
           *ret_len > KEY_ID_LEN;
}

enum rc note_open(struct str note, const struct vkey *key, struct str *ret_text, struct err *e)
{
    struct str text;
    struct str lines;
    if (!split_note(note, &text, &lines)) {
        return err_set(e, RC_INVALID, "not a signed note");
    }
    unsigned count = 0;
    bool found = false;
    struct str line;
    while (lines.len > 0 && str_next(&lines, '\n', &line)) {
        struct str name;
        uint8_t bytes[CHECKPOINT_MAX];
        size_t len = 0;
        if (++count > NOTE_SIGNATURES_MAX || !signature_parse(line, &name, bytes, sizeof bytes, &len)) {
            return err_set(e, RC_INVALID, "signature line %u of the note is malformed", count);
        }
        if (!str_eq(name, key->origin) || memcmp(bytes, key->id, KEY_ID_LEN) != 0) {
            continue;
        }
        if (len != KEY_ID_LEN + ED25519_SIGNATURE_LEN ||
            !ed25519_verify(key->public_key, text, bytes + KEY_ID_LEN)) {
            return err_set(e, RC_DENIED, "the signature by %.*s is wrong", STR_ARG(name));
        }
        found = true;
    }
    if (!found) {
        return err_set(e, RC_DENIED, "no signature by %.*s", STR_ARG(key->origin));
    }
    *ret_text = text;
    return RC_OK;
}
