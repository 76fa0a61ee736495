/*
 * model/world_measures - what the world counts about agents and people: escalation rate, approval
 * queue, repeated writes.
 */
#include "model/world_internal.h"

#include "base/must.h"

#include <stdlib.h>
#include <string.h>

/* --- human escalation rate ----------------------------------------------------------------------- */

void her_add(struct her_ring *r, int64_t at_ms, bool own)
{
    r->at_ms[r->next] = at_ms;
    r->own[r->next] = own;
    r->next = (r->next + 1) % HER_WINDOW;
    r->count += r->count < HER_WINDOW ? 1 : 0;
}

void world_her(const struct world *w, uint32_t agent, int64_t now_ms, int64_t *ret_ppm,
               int64_t *ret_sample)
{
    const struct her_ring *r = &world_agent_at(w, agent)->her;
    int64_t sample = 0;
    int64_t escalated = 0;
    for (uint32_t i = 0; i < r->count; i++) {
        if (r->at_ms[i] > now_ms - HER_WINDOW_MS) {
            sample++;
            escalated += r->own[i] ? 1 : 0;
        }
    }
    *ret_sample = sample;
    /* Rounded up: rounding never turns a block into an allow. */
    *ret_ppm = sample == 0 ? 0 : (escalated * PPM_ONE + sample - 1) / sample;
}

/* --- approval queue depth drift ------------------------------------------------------------------- */

static int64_t drift_milli(int64_t depth, int64_t baseline_milli)
{
    return baseline_milli <= 0 ? -1 : depth * 1000 * 1000 / baseline_milli;
}

/* One sample of the grid: the drift is judged against the baseline before this sample is mixed in, so
 * a spike can't damp itself. alpha = 0.1. */
static void aqdd_sample(struct world *w, int64_t at_ms)
{
    int64_t depth = w->escalated_count;
    int64_t drift = w->aqdd_samples < AQDD_BASELINE_SAMPLES ? -1 : drift_milli(depth, w->aqdd_baseline_milli);
    if (drift < AQDD_BREACH_MILLI) {
        w->aqdd_over_since_ms = 0;
    } else if (w->aqdd_over_since_ms == 0) {
        w->aqdd_over_since_ms = at_ms;
    }
    w->aqdd_baseline_milli = w->aqdd_baseline_milli < 0
                                 ? depth * 1000
                                 : (9 * w->aqdd_baseline_milli + depth * 1000) / 10;
    w->aqdd_samples++;
}

void aqdd_advance(struct world *w, int64_t now_ms)
{
    if (w->aqdd_next_ms == 0) {
        w->aqdd_next_ms = (now_ms / AQDD_SAMPLE_MS + 1) * AQDD_SAMPLE_MS;
        return;
    }
    /* The depth did not change since the last entry. The average settles in well under a thousand
     * steps; what lies beyond them changes nothing but the count. */
    int64_t missed = now_ms < w->aqdd_next_ms ? 0 : (now_ms - w->aqdd_next_ms) / AQDD_SAMPLE_MS + 1;
    for (int64_t i = 0; i < missed && i < 1000; i++) {
        aqdd_sample(w, w->aqdd_next_ms + i * AQDD_SAMPLE_MS);
    }
    w->aqdd_next_ms += missed * AQDD_SAMPLE_MS;
}

struct aqdd world_aqdd(const struct world *w, int64_t now_ms)
{
    bool known = w->aqdd_samples >= AQDD_BASELINE_SAMPLES;
    struct aqdd q = {.depth = w->escalated_count,
                     .baseline_milli = known ? w->aqdd_baseline_milli : -1,
                     .drift_milli = -1};
    if (known) {
        q.drift_milli = drift_milli(q.depth, w->aqdd_baseline_milli);
        q.breach = w->aqdd_over_since_ms != 0 && now_ms - w->aqdd_over_since_ms >= AQDD_BREACH_MS;
    }
    return q;
}

/* --- repeated writes ------------------------------------------------------------------------------ */

static enum rc idempotency_room(struct world *w, struct err *e)
{
    if (w->idem_free != MAP_NONE) {
        return RC_OK;
    }
    /* The index holds pointers into the rows, so it is made again after they move. */
    uint32_t old = w->idem_capacity;
    enum rc rc = table_room(&w->idem, old, &w->idem_capacity, sizeof *w->idem, e);
    if (rc != RC_OK) {
        return rc;
    }
    for (uint32_t i = w->idem_capacity; i-- > old;) {
        w->idem[i].next = w->idem_free;
        w->idem_free = i;
    }
    uint64_t seed = w->idem_index.seed;
    strmap_done(&w->idem_index);
    strmap_init(&w->idem_index, seed);
    for (uint32_t at = w->idem_first; at != MAP_NONE; at = w->idem[at].next) {
        if (strmap_put(&w->idem_index, (struct str){(char *)w->idem[at].key, 32}, at) != RC_OK) {
            return err_set(e, RC_NO_MEMORY, "out of memory");
        }
    }
    return RC_OK;
}

enum rc idempotency_put(struct world *w, const uint8_t key[32], const uint8_t body_digest[16],
                        uint64_t seq, int64_t at_ms, struct err *e)
{
    enum rc rc = idempotency_room(w, e);
    if (rc != RC_OK) {
        return rc;
    }
    uint32_t at = w->idem_free;
    struct idempotency_row *row = &w->idem[at];
    w->idem_free = row->next;
    memcpy(row->key, key, sizeof row->key);
    memcpy(row->value.body_digest, body_digest, sizeof row->value.body_digest);
    row->value.seq = seq;
    row->at_ms = at_ms;
    row->next = MAP_NONE;
    if (w->idem_last == MAP_NONE) {
        w->idem_first = at;
    } else {
        w->idem[w->idem_last].next = at;
    }
    w->idem_last = at;
    return strmap_put(&w->idem_index, (struct str){(char *)row->key, 32}, at) == RC_OK
               ? RC_OK
               : err_set(e, RC_NO_MEMORY, "out of memory");
}

void idempotency_evict(struct world *w)
{
    while (w->idem_first != MAP_NONE &&
           w->time_ms - w->idem[w->idem_first].at_ms >= IDEMPOTENCY_KEEP_MS) {
        uint32_t at = w->idem_first;
        struct idempotency_row *row = &w->idem[at];
        strmap_remove(&w->idem_index, (struct str){(char *)row->key, 32});
        w->idem_first = row->next;
        if (w->idem_first == MAP_NONE) {
            w->idem_last = MAP_NONE;
        }
        row->next = w->idem_free;
        w->idem_free = at;
    }
}

const struct idempotency *world_idempotency(const struct world *w, const uint8_t key[32])
{
    uint32_t at = strmap_get(&w->idem_index, (struct str){(const char *)key, 32});
    return at == MAP_NONE ? NULL : &w->idem[at].value;
}
