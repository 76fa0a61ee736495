/* What a verifier is handed by strangers: notes, verifier keys, receipts, tile paths. */
#include "fuzz/fuzz.h"

#include "base/must.h"
#include "ledger/ledger.h"
#include "ledger/note.h"

#include <string.h>

#define ORIGIN STR("pawl.example/audit")

static void fuzz_tile_path(struct str text)
{
    unsigned level;
    uint64_t index;
    unsigned width;
    if (tile_path_parse(text, &level, &index, &width, NULL) == RC_OK) {
        char path[TILE_PATH_MAX];
        tile_path(level, index, width, path, sizeof path);
        must(str_eq(text, str_from(path)));
    }
}

static void fuzz_vkey(struct str text)
{
    struct vkey key;
    if (vkey_parse(text, &key, NULL) == RC_OK) {
        CLEANUP(buf) struct buf out;
        buf_init(&out, VKEY_MAX);
        vkey_write(&out, key.origin, key.public_key);
        must(out.rc == RC_OK && out.len == text.len);
        struct vkey again;
        must(vkey_parse(buf_view(&out), &again, NULL) == RC_OK);
        must(memcmp(again.public_key, key.public_key, sizeof key.public_key) == 0);
    }
}

static void fuzz_receipt(struct str text)
{
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    must(a != NULL);
    struct receipt r;
    if (receipt_parse(a, text, &r, NULL) == RC_OK) {
        CLEANUP(buf) struct buf out;
        buf_init(&out, 2 << 20);
        receipt_write(&out, r.extra, r.index, &r.proof, r.note);
        must(str_eq(buf_view(&out), text));
    }
}

static struct signing_key *own_key(struct vkey *key)
{
    static const uint8_t seed[ED25519_SEED_LEN] = {1};
    struct signing_key *k = NULL;
    must(signing_key_new(seed, &k, NULL) == RC_OK);
    CLEANUP(buf) struct buf out;
    buf_init(&out, VKEY_MAX);
    signing_key_public(k, key->public_key);
    vkey_write(&out, ORIGIN, key->public_key);
    must(vkey_parse(buf_view(&out), key, NULL) == RC_OK);
    key->origin = ORIGIN;
    return k;
}

/* Signed as it comes, so that what is behind the signature is reached too. */
static void fuzz_signed(struct str text, const struct vkey *key, const struct signing_key *k)
{
    CLEANUP(buf) struct buf line;
    buf_init(&line, CHECKPOINT_MAX);
    buf_str(&line, text);
    buf_char(&line, '\n');
    CLEANUP(buf) struct buf note;
    buf_init(&note, 2 * CHECKPOINT_MAX);
    if (line.rc != RC_OK) {
        return;
    }
    note_sign(&note, buf_view(&line), key->origin, k);
    struct checkpoint c;
    if (checkpoint_open(buf_view(&note), key, &c, NULL) == RC_OK) {
        CLEANUP(buf) struct buf again;
        buf_init(&again, CHECKPOINT_MAX);
        checkpoint_write(&again, &c, k);
        struct checkpoint same;
        must(checkpoint_open(buf_view(&again), key, &same, NULL) == RC_OK);
        must(same.size == c.size && digest_eq(&same.root, &c.root));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    fuzz_tile_path(text);
    fuzz_vkey(text);
    fuzz_receipt(text);
    struct vkey key;
    CLEANUP(signing_key) struct signing_key *k = own_key(&key);
    struct checkpoint c;
    (void)!checkpoint_open(text, &key, &c, NULL);
    fuzz_signed(text, &key, k);
    return 0;
}
