/*
 * control/fold - the world made again from what is stored: at a start, for a snapshot, and to prove that
 * it is what it was.
 *
 * Threads: any; the store given belongs to the caller's.
 */
#ifndef CONTROL_FOLD_H
#define CONTROL_FOLD_H

#include "model/world.h"
#include "store/store.h"

/* Applies the entries first to last to w, which stands right before first. */
NODISCARD enum rc fold_entries(struct store *s, struct world *w, uint64_t first, uint64_t last, struct err *e);
/* The world after the first size entries, from the newest snapshot that can be trusted; ret_at: where that
 * stands, 0 for none. The caller frees it. */
NODISCARD enum rc fold_restore(uint64_t hash_seed, struct store *s, uint64_t size, struct world **ret,
                               uint64_t *ret_at, struct err *e);
/* The world as a snapshot before entry seq says, once its entry was found to bind its bytes; else a new one. ret_next:
 * the first entry that is to be applied to it. The caller frees it. */
NODISCARD enum rc fold_begin(uint64_t hash_seed, struct store *s, uint64_t seq, struct world **ret, uint64_t *ret_next,
                             struct err *e);
/* The text of the policy that a policy.loaded entry's body names. Keeps: ret in a. */
NODISCARD enum rc fold_policy_text(struct store *s, struct arena *a, const struct value *body, struct str *ret,
                                   struct err *e);
/* Where the newest snapshot stands, once its bytes were found to be those that its entry binds. RC_NOT_FOUND: there is
 * none such. */
NODISCARD enum rc fold_newest_snapshot(struct store *s, uint64_t *ret_at, struct err *e);
/* SHA-256 of what world_save says, a line each: what a ledger.snapshot entry binds. */
NODISCARD enum rc fold_digest(struct world *w, struct digest *ret, struct err *e);
/* Folds the first size entries from the beginning and compares the world with each snapshot entry.
 * RC_CORRUPT: one is not what the entries before it make. */
NODISCARD enum rc fold_verify(struct store *s, uint64_t size, uint64_t *ret_snapshots, struct err *e);

#endif
