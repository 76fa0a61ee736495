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

/*
 * What is asked at each arc, in as little memory as may be: the round in which the rest was written, whether it is final,
 * and the effect.
 */
#define EFFECT_BITS 14U
#define EFFECT_MASK ((1U << EFFECT_BITS) - 1)
#define SETTLED (1U << EFFECT_BITS)
#define ROUND_ONE (1U << (EFFECT_BITS + 1))
#define ROUND_MASK (~(ROUND_ONE - 1))

/* The way's weakest confidence, and whether an effect of it was assumed, stand above the arc's own bits. */
#define WAY_CONFIDENCE 28U
#define WAY_ASSUMED 30U
#define ARC_MASK ((1U << WAY_CONFIDENCE) - 1)

struct mark {
    uint32_t from;
    uint32_t bits; /* of the arc, and of the way */
};

/* In a bucket; MAP_NONE. */
struct link {
    uint32_t before;
    uint32_t after;
};

struct bucket {
    uint32_t first;
    uint32_t last;
};

struct impact_walk {
    uint32_t round; /* a multiple of ROUND_ONE */
    uint32_t capacity;
    uint32_t *reached;
    struct mark *marks;
    struct link *links;
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
        free(w->links);
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
    uint32_t *reached = calloc(capacity, sizeof *reached);
    struct mark *marks = calloc(capacity, sizeof *marks);
    struct link *links = calloc(capacity, sizeof *links);
    uint32_t *order = calloc(capacity, sizeof *order);
    if (reached == NULL || marks == NULL || links == NULL || order == NULL) {
        free(reached);
        free(marks);
        free(links);
        free(order);
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    free(w->reached);
    free(w->marks);
    free(w->links);
    free(w->order);
    w->reached = reached;
    w->marks = marks;
    w->links = links;
    w->order = order;
    w->capacity = capacity;
    w->round = 0;
    return RC_OK;
}

static void next_round(struct impact_walk *w)
{
    w->count = 0;
    w->round += ROUND_ONE;
    if (w->round == 0) {
        memset(w->reached, 0, w->capacity * sizeof *w->reached);
        w->round = ROUND_ONE;
    }
}

static uint32_t effect_of(const struct impact_walk *w, uint32_t node)
{
    return w->reached[node] & EFFECT_MASK;
}

static void bucket_push(struct impact_walk *w, uint32_t node)
{
    uint32_t effect = effect_of(w, node);
    struct bucket *b = &w->buckets[effect];
    uint64_t *word = &w->waiting[effect / 64];
    uint64_t bit = UINT64_C(1) << effect % 64;
    bool empty = (*word & bit) == 0;
    w->links[node] = (struct link){empty ? MAP_NONE : b->last, MAP_NONE};
    if (empty) {
        b->first = node;
        *word |= bit;
    } else {
        w->links[b->last].after = node;
    }
    b->last = node;
    w->waits++;
}

static void bucket_remove(struct impact_walk *w, uint32_t node)
{
    const struct link l = w->links[node];
    uint32_t effect = effect_of(w, node);
    struct bucket *b = &w->buckets[effect];
    w->waits--;
    if (l.before == MAP_NONE) {
        b->first = l.after;
    } else {
        w->links[l.before].after = l.after;
    }
    if (l.after == MAP_NONE) {
        b->last = l.before;
    } else {
        w->links[l.after].before = l.before;
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
    w->reached[node] |= SETTLED;
    w->order[w->count++] = node;
}

/* The arc's bits, with the weakest confidence of the way so far and whether anything of it was assumed. */
static inline uint32_t way_bits(uint32_t so_far, struct arc a)
{
    uint32_t before = so_far >> WAY_CONFIDENCE & 3U;
    uint32_t own = (uint32_t)arc_confidence(a);
    uint32_t assumed = (so_far >> WAY_ASSUMED & 1U) | (arc_effect_is_assumed(a) ? 1U : 0U);
    return a.bits | (own < before ? own : before) << WAY_CONFIDENCE | assumed << WAY_ASSUMED;
}

/* A better way to a node, by an arc of `from`, whose own effect is `have`. */
static inline void reach(struct impact_walk *w, uint32_t from, struct arc a, uint32_t have, uint32_t effect)
{
    if ((w->reached[a.other] & ROUND_MASK) == w->round) {
        bucket_remove(w, a.other);
    }
    w->reached[a.other] = w->round | effect;
    w->marks[a.other] = (struct mark){from, way_bits(w->marks[from].bits, a)};
    if (effect == have) {
        settle(w, a.other);
    } else {
        bucket_push(w, a.other);
    }
}

static inline void pass_by(struct impact_walk *w, uint32_t node, uint32_t have, struct arc a)
{
    uint32_t r = w->reached[a.other];
    bool met = (r & ROUND_MASK) == w->round;
    if ((met && (r & SETTLED) != 0) || !edge_kind_carries(arc_kind(a))) {
        return;
    }
    uint32_t bp = arc_effect_bp(a);
    uint32_t effect = bp == WHOLE_BP ? have : have * bp / WHOLE_BP;
    if (effect > (met ? r & EFFECT_MASK : 0U)) {
        reach(w, node, a, have, effect);
    }
}

static void pass_on(const struct graph_view *v, struct impact_walk *w, uint32_t node)
{
    struct arc_walk at = graph_arcs(v, node, FLOW_HARMS);
    uint32_t have = effect_of(w, node);
    struct arc a;
    if (at.now == NULL) {
        while (arc_next(&at, &a)) {
            pass_by(w, node, have, a);
        }
        return;
    }
    for (uint32_t i = 0; i < at.left; i++) {
        pass_by(w, node, have, at.now[i]);
    }
}

struct impact graph_impact(const struct graph_view *v, struct impact_walk *w, const uint32_t *targets, uint32_t count,
                           uint32_t limit)
{
    must(w->capacity >= graph_node_count(v->graph));
    next_round(w);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = targets[i];
        if ((w->reached[at] & ROUND_MASK) != w->round) {
            w->reached[at] = w->round | WHOLE_BP;
            w->marks[at] = (struct mark){MAP_NONE, (uint32_t)CONFIDENCE_CONFIRMED << WAY_CONFIDENCE};
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
    uint32_t r = i->walk->reached[node];
    must((r & ROUND_MASK) == i->walk->round && (r & SETTLED) != 0);
    return (struct impact_step){m->from,
                                r & EFFECT_MASK,
                                {node, m->bits & ARC_MASK},
                                (enum confidence)(m->bits >> WAY_CONFIDENCE & 3U),
                                (m->bits >> WAY_ASSUMED & 1U) != 0};
}

uint32_t impact_distance(const struct impact *i, uint32_t node)
{
    uint32_t n = 1;
    for (uint32_t at = impact_step(i, node).from; at != MAP_NONE; at = impact_step(i, at).from) {
        n++;
    }
    return n;
}
