/*
 * backtest/window - which entries a span of time means.
 */
#include "backtest/backtest_internal.h"

static enum rc time_of(struct backtest *b, uint64_t seq, int64_t *ret_ms, struct err *e)
{
    struct stored stored;
    arena_reset(b->arena);
    enum rc rc = store_read(b->store, b->arena, seq, &stored, e);
    *ret_ms = rc == RC_OK ? stored.entry.time_ms : 0;
    return rc;
}

/* Entries never go back in time. */
enum rc window_find(struct backtest *b, int64_t at_ms, uint64_t *ret, struct err *e)
{
    uint64_t low = 0;
    uint64_t high = b->size;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        int64_t ms;
        enum rc rc = time_of(b, middle, &ms, e);
        if (rc != RC_OK) {
            return rc;
        }
        if (ms < at_ms) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *ret = low;
    return RC_OK;
}
