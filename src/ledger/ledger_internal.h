/*
 * ledger/ledger_internal - what the files of this folder share.
 *
 * Pure.
 */
#ifndef LEDGER_LEDGER_INTERNAL_H
#define LEDGER_LEDGER_INTERNAL_H

#include "ledger/ledger.h"

/* The root over a power of two of neighbours, at most TILE_WIDTH. */
struct digest perfect_root(const struct digest *hashes, unsigned count);
/* The largest power of two below n; n is at least 2. */
uint64_t split_below(uint64_t n);

#endif
