/*
 * cli/verify - the ledger looked at by itself, and receipts looked at without it.
 */
#ifndef CLI_VERIFY_H
#define CLI_VERIFY_H

#include "ledger/ledger.h"

struct verify_options {
    const char *folder;  /* the data folder */
    const char *ledger;  /* null: the folder's; else this file, and no folder */
    const char *against; /* file of a checkpoint that was kept elsewhere, or null */
    const char *key;     /* verifier key; null: the one in entry 0 */
    bool deep;           /* also fold every entry again and compare the world with each snapshot */
};

struct verify_result {
    uint64_t entries;
    uint64_t bytes; /* headers, salts, bodies */
    uint64_t tiles; /* compared */
    uint64_t erased; /* bodies that retention took */
    uint64_t blobs;        /* texts and parts beside entries that are there and whole */
    uint64_t blobs_erased; /* and those that an erasure took */
    uint64_t snapshots; /* compared; only deep */
    uint64_t checkpoint_size; /* 0: none is stored yet */
    int64_t duration_us;
    struct digest root;
};

/*
 * Every entry again: header, body under its salt, leaf; the tree from the leaves; every full tile
 * compared; what lies beside entries, there or under an erasure; the stored checkpoint's signature and root; the
 * kept one's. RC_CORRUPT, RC_DENIED
 * (signature) or RC_INVALID (a checkpoint's form), naming the seq, tile or checkpoint. Deep also parses every
 * body and applies it.
 */
NODISCARD enum rc verify_folder(const struct verify_options *o, struct verify_result *ret, struct err *e);

/* One receipt under a verifier key. Keeps: ret_entry, ret_body in a or in text. */
struct verified_receipt {
    struct entry entry;
    struct str body;
    uint64_t log_size; /* of the checkpoint in it */
    struct str origin;
};
NODISCARD enum rc verify_receipt(struct arena *a, struct str text, struct str vkey,
                                 struct verified_receipt *ret, struct err *e);

#endif
