/*
 * ledger - the Merkle log over entry headers: sealing, tree, tiles, checkpoints, proofs.
 *
 * Works on bytes that it is handed: whoever stores them is store/. Leaf = SHA-256(0x00 || header),
 * node = SHA-256(0x01 || left || right). The tree is kept as tlog tiles of height 8; checkpoints are
 * C2SP signed notes with one Ed25519 signature. Pure.
 * Source: RFC 6962 section 2.1; c2sp.org tlog-tiles, tlog-checkpoint, signed-note, tlog-proof.
 */
#ifndef LEDGER_LEDGER_H
#define LEDGER_LEDGER_H

#include "base/arena.h"
#include "base/buf.h"
#include "crypto/crypto.h"
#include "entry/entry.h"

#include <stdint.h>

enum {
    TILE_WIDTH = 256,
    TILE_LEVELS_MAX = 8,
    TILE_ENTRIES = 64,        /* in a path, in place of a level: a bundle of the leaves themselves */
    TILE_PATH_MAX = 96,       /* bytes of a path, with the NUL */
    TREE_HASHES_MAX = 64,     /* hashes of one proof, and peaks of one tree */
    CHECKPOINT_MAX = 4096,    /* bytes of a signed note */
    ORIGIN_MAX = 128,         /* bytes of an origin: no spaces, no '+', no control characters */
    VKEY_MAX = ORIGIN_MAX + 64,
};

/* --- sealing --------------------------------------------------------------------------------- */

/* SHA-256(salt || body). */
struct digest ledger_body_digest(const uint8_t salt[static ENTRY_SALT_LEN], struct str body);
/* RC_CORRUPT, naming the seq, unless salt and body are what the entry was sealed with. */
NODISCARD enum rc ledger_check_body(const struct entry *entry,
                                    const uint8_t salt[static ENTRY_SALT_LEN], struct str body,
                                    struct err *e);
struct digest ledger_leaf_hash(struct str header);
struct digest ledger_node_hash(const struct digest *left, const struct digest *right);
struct digest ledger_empty_root(void);

/* --- tree: the right edge of the log, enough to append ---------------------------------------- */

/*
 * For each level the hashes of its last, still partial tile. Appending a leaf fills level 0; a full
 * tile is handed out once and its root goes to the level above.
 */
struct tree {
    uint64_t size; /* leaves */
    struct digest edge[TILE_LEVELS_MAX][TILE_WIDTH];
    unsigned edge_count[TILE_LEVELS_MAX]; /* 0..255 between appends */
};

/* A full tile: TILE_WIDTH hashes in order. */
struct tile {
    unsigned level;
    uint64_t index;
    struct digest hashes[TILE_WIDTH];
    struct digest root; /* of the hashes: what the level above holds */
};

typedef void (*tree_tile_fn)(void *context, const struct tile *full);

void tree_init(struct tree *t);
/* Calls on_full for every tile that this leaf completes, lowest level first. */
void tree_append(struct tree *t, const struct digest *leaf, tree_tile_fn on_full, void *context);
struct digest tree_root(const struct tree *t);

/* --- tiles by path ---------------------------------------------------------------------------- */

/* Reads tile hashes: fills hashes[0..count) of (level, index). RC_NOT_FOUND when not that many. */
typedef enum rc (*tile_read_fn)(void *context, unsigned level, uint64_t index, unsigned count,
                                struct digest *hashes, struct err *e);

/* "tile/0/x001/067" or "tile/0/x001/067.p/9", "tile/entries/..." for TILE_ENTRIES: no leading slash.
 * out: at least TILE_PATH_MAX bytes. */
void tile_path(unsigned level, uint64_t index, unsigned width, char *out, size_t size);
/* width 256 for a full tile. RC_INVALID unless it is exactly a canonical path. */
NODISCARD enum rc tile_path_parse(struct str path, unsigned *ret_level, uint64_t *ret_index,
                                  unsigned *ret_width, struct err *e);
/* Root of the first size leaves. */
NODISCARD enum rc tiles_root(tile_read_fn read, void *context, uint64_t size, struct digest *ret,
                             struct err *e);

/* --- proofs ----------------------------------------------------------------------------------- */

struct proof {
    unsigned count;
    struct digest hashes[TREE_HASHES_MAX]; /* leaf's sibling first */
};

NODISCARD enum rc tiles_inclusion(tile_read_fn read, void *context, uint64_t index, uint64_t size,
                                  struct proof *ret, struct err *e);
NODISCARD enum rc tiles_consistency(tile_read_fn read, void *context, uint64_t old_size,
                                    uint64_t size, struct proof *ret, struct err *e);
bool proof_includes(const struct proof *p, const struct digest *leaf, uint64_t index,
                    uint64_t size, const struct digest *root);
bool proof_extends(const struct proof *p, uint64_t old_size, const struct digest *old_root,
                   uint64_t size, const struct digest *root);

/* --- checkpoints ------------------------------------------------------------------------------ */

struct checkpoint {
    struct str origin;
    uint64_t size;
    struct digest root;
};

/* RC_INVALID unless the origin is 1 to ORIGIN_MAX printable ASCII characters without space and '+'. */
NODISCARD enum rc origin_check(struct str origin, struct err *e);
/* "<origin>+<key id>+<base64 key>", the C2SP verifier key. */
void vkey_write(struct buf *out, struct str origin, const uint8_t public_key[static ED25519_PUBLIC_LEN]);
struct vkey {
    struct str origin; /* borrows the text it was parsed from */
    uint8_t id[4];
    uint8_t public_key[ED25519_PUBLIC_LEN];
};
NODISCARD enum rc vkey_parse(struct str text, struct vkey *ret, struct err *e);

/* A signed note, ready to serve. */
void checkpoint_write(struct buf *out, const struct checkpoint *c, const struct signing_key *key);
/*
 * Checks form, signature and that the note is of the key's origin. Signatures by other keys are passed
 * over. Keeps: ret->origin points into note. Errors: RC_INVALID for a malformed note, RC_DENIED when
 * no signature by key is there, one is wrong, or the origin is another.
 */
NODISCARD enum rc checkpoint_open(struct str note, const struct vkey *key, struct checkpoint *ret,
                                  struct err *e);

/* --- offline receipts (tlog-proof) ------------------------------------------------------------- */

/* extra: bytes carried along, base64 in the file; here the header, salt and body as JSON. */
void receipt_write(struct buf *out, struct str extra, uint64_t index, const struct proof *p,
                   struct str note);
struct receipt {
    struct str extra; /* decoded, in the arena */
    uint64_t index;
    struct proof proof;
    struct str note; /* borrows the text */
};
NODISCARD enum rc receipt_parse(struct arena *a, struct str text, struct receipt *ret,
                                struct err *e);

#endif
