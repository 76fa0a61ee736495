/*
 * graph/impact - the widest ways from the targets, in buckets of effect.
 *
 * A node that is reached with its final effect goes to the end of `order`, which is also the queue of the effect that is
 * being worked off: an edge of whole effect passes on exactly that, and nothing can be better. Others wait in the bucket
 * of their effect; the fullest bucket is next when the queue is done.
 */
#include "graph/impact.h"

#include "base/must.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS (WHOLE_BP + 1)
#define FETCH_AHEAD 6U /* nodes of the queue whose arcs are asked from memory before they are looked at */
#define BITMAP_WORDS ((BUCKETS + 63) / 64)

/* What is asked at each arc, in as little memory as may be. */
struct reached {
    uint32_t round; /* in which the rest, and the node's mark, was written */
    uint16_t effect_bp;
    bool settled;
};

struct mark {
    uint8_t confidence;
    bool assumed;
    uint32_t from;
    uint32_t bits; /* of the arc */
    uint32_t before; /* in its bucket; MAP_NONE */
    uint32_t after;
};

struct bucket {
    uint32_t first;
    uint32_t last;
};

struct impact_walk {
    uint32_t round;
    uint32_t capacity;
    struct reached *reached;
    struct mark *marks;
    uint32_t *order;
    uint32_t count;
    struct bucket buckets[BUCKETS];
    uint64_t waiting[BITMAP_WORDS]; /* buckets that are not empty */
    uint32_t waits;                 /* nodes in them: mostly none, and then nothing is looked through */
};

struct impact_walk *impact_walk_new(void)
{
    return calloc(1, sizeof(struct impact_walk));
}

void impact_walk_free(struct impact_walk *w)
{
    if (w != NULL) {
        free(w->reached);
        free(w->marks);
        free(w->order);
        free(w);
    }
}

enum rc impact_walk_room(struct impact_walk *w, const struct graph *g, struct err *e)
{
    uint32_t capacity = w->capacity == 0 ? 64 : w->capacity;
    while (capacity < graph_node_count(g)) {
        capacity *= 2;
    }
    if (capacity == w->capacity) {
        return RC_OK;
    }
    struct reached *reached = calloc(capacity, sizeof *reached);
    struct mark *marks = calloc(capacity, sizeof *marks);
    uint32_t *order = calloc(capacity, sizeof *order);
    if (reached == NULL || marks == NULL || order == NULL) {
        free(reached);
        free(marks);
        free(order);
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    free(w->reached);
    free(w->marks);
    free(w->order);
    w->reached = reached;
    w->marks = marks;
    w->order = order;
    w->capacity = capacity;
    w->round = 0;
    return RC_OK;
}

static void next_round(struct impact_walk *w)
{
    w->count = 0;
    if (++w->round == 0) {
        memset(w->reached, 0, w->capacity * sizeof *w->reached);
        w->round = 1;
    }
}

static void bucket_push(struct impact_walk *w, uint32_t node)
{
    struct mark *m = &w->marks[node];
    uint32_t effect = w->reached[node].effect_bp;
    struct bucket *b = &w->buckets[effect];
    uint64_t *word = &w->waiting[effect / 64];
    uint64_t bit = UINT64_C(1) << effect % 64;
    bool empty = (*word & bit) == 0;
    m->after = MAP_NONE;
    m->before = empty ? MAP_NONE : b->last;
    if (empty) {
        b->first = node;
        *word |= bit;
    } else {
        w->marks[b->last].after = node;
    }
    b->last = node;
    w->waits++;
}

static void bucket_remove(struct impact_walk *w, uint32_t node)
{
    struct mark *m = &w->marks[node];
    uint32_t effect = w->reached[node].effect_bp;
    struct bucket *b = &w->buckets[effect];
    w->waits--;
    if (m->before == MAP_NONE) {
        b->first = m->after;
    } else {
        w->marks[m->before].after = m->after;
    }
    if (m->after == MAP_NONE) {
        b->last = m->before;
    } else {
        w->marks[m->after].before = m->before;
    }
    if (b->first == MAP_NONE) {
        w->waiting[effect / 64] &= ~(UINT64_C(1) << effect % 64);
    }
}

/* The fullest effect that somebody waits with; 0: nobody waits. */
static uint32_t best_waiting(const struct impact_walk *w)
{
    for (uint32_t i = w->waits > 0 ? BITMAP_WORDS : 0; i-- > 0;) {
        if (w->waiting[i] != 0) {
            return i * 64 + 63 - (uint32_t)__builtin_clzll(w->waiting[i]);
        }
    }
    return 0;
}

static void forget_waiting(struct impact_walk *w)
{
    if (w->waits > 0) {
        memset(w->waiting, 0, sizeof w->waiting);
        w->waits = 0;
    }
}

static inline void settle(struct impact_walk *w, uint32_t node)
{
    w->reached[node].settled = true;
    w->order[w->count++] = node;
}

/* A better way to a node, by an arc of `from`. */
static inline void reach(struct impact_walk *w, uint32_t from, struct arc a, uint32_t effect)
{
    struct reached *r = &w->reached[a.other];
    if (r->round == w->round) {
        bucket_remove(w, a.other);
    }
    *r = (struct reached){w->round, (uint16_t)effect, false};
    const struct mark *f = &w->marks[from];
    struct mark *m = &w->marks[a.other];
    uint8_t confidence = (uint8_t)arc_confidence(a);
    m->from = from;
    m->bits = a.bits;
    m->confidence = confidence < f->confidence ? confidence : f->confidence;
    m->assumed = f->assumed || arc_effect_is_assumed(a);
    if (effect == w->reached[from].effect_bp) {
        settle(w, a.other);
    } else {
        bucket_push(w, a.other);
    }
}

static inline void pass_by(struct impact_walk *w, uint32_t node, struct arc a)
{
    const struct reached r = w->reached[a.other];
    bool met = r.round == w->round;
    if ((met && r.settled) || !edge_kind_carries(arc_kind(a))) {
        return;
    }
    uint32_t have = w->reached[node].effect_bp;
    uint32_t bp = arc_effect_bp(a);
    uint32_t effect = bp == WHOLE_BP ? have : have * bp / WHOLE_BP;
    if (effect > (met ? r.effect_bp : 0U)) {
        reach(w, node, a, effect);
    }
}

static void pass_on(const struct graph_view *v, struct impact_walk *w, uint32_t node)
{
    struct arc_walk at = graph_arcs(v, node, FLOW_HARMS);
    struct arc a;
    if (at.now == NULL) {
        while (arc_next(&at, &a)) {
            pass_by(w, node, a);
        }
        return;
    }
    for (uint32_t i = 0; i < at.left; i++) {
        pass_by(w, node, at.now[i]);
    }
}

struct impact graph_impact(const struct graph_view *v, struct impact_walk *w, const uint32_t *targets, uint32_t count,
                           uint32_t limit)
{
    must(w->capacity >= graph_node_count(v->graph));
    next_round(w);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = targets[i];
        if (w->reached[at].round != w->round) {
            w->reached[at] = (struct reached){w->round, WHOLE_BP, false};
            w->marks[at] = (struct mark){.confidence = CONFIDENCE_CONFIRMED, .from = MAP_NONE};
            settle(w, at);
        }
    }
    uint32_t done = 0;
    uint32_t best = 0;
    do {
        while (done < w->count && w->count < limit) {
            if (done + FETCH_AHEAD < w->count) {
                graph_fetch(v, w->order[done + FETCH_AHEAD], FLOW_HARMS);
            }
            pass_on(v, w, w->order[done++]);
        }
        best = w->count < limit ? best_waiting(w) : 0;
        if (best > 0) {
            uint32_t node = w->buckets[best].first;
            bucket_remove(w, node);
            settle(w, node);
        }
    } while (best > 0);
    forget_waiting(w);
    return (struct impact){w->order, w->count < limit ? w->count : limit, w};
}

struct impact_step impact_step(const struct impact *i, uint32_t node)
{
    const struct mark *m = &i->walk->marks[node];
    const struct reached *r = &i->walk->reached[node];
    must(r->round == i->walk->round && r->settled);
    return (struct impact_step){m->from, r->effect_bp, {node, m->bits}, (enum confidence)m->confidence, m->assumed};
}

uint32_t impact_distance(const struct impact *i, uint32_t node)
{
    uint32_t n = 1;
    for (uint32_t at = impact_step(i, node).from; at != MAP_NONE; at = impact_step(i, at).from) {
        n++;
    }
    return n;
}
