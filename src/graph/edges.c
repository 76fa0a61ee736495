/*
 * graph/edges - claims about edges, and the versions that follow from them.
 */
#include "graph/graph_internal.h"

#include <string.h>

#define BITS_CONFIDENCE 4U
#define BITS_ASSUMED 6U
#define BITS_EFFECT 8U

/* --- versions in the lists ---------------------------------------------------------------------------- */

/* The end at whose list of that flow an edge's version stands, and the other end. */
static uint32_t end_of(const struct version *v, enum flow flow, uint32_t *ret_other)
{
    enum edge_kind kind = (enum edge_kind)(v->bits & 15U);
    /* What carries nothing stands as if it flowed forward. */
    bool forward = edge_kind_flows_forward(kind) || !edge_kind_carries(kind);
    uint32_t harmer = forward ? v->from : v->to;
    uint32_t harmed = forward ? v->to : v->from;
    *ret_other = flow == FLOW_HARMS ? harmed : harmer;
    return flow == FLOW_HARMS ? harmer : harmed;
}

static struct arc *find_now(const struct graph *g, uint32_t node, enum flow flow, struct arc like)
{
    struct run *r = &g->now_runs[flow][node];
    for (uint32_t i = 0; i < r->count; i++) {
        struct arc *a = pool_at(&g->now_arcs, r, i);
        if (a->other == like.other && arc_kind(*a) == arc_kind(like)) {
            return a;
        }
    }
    must(!"an edge in force is in the lists of both its ends");
    return NULL;
}

/* The order of the others stays: walks don't depend on what was. */
static void remove_now(struct graph *g, uint32_t node, enum flow flow, struct arc like)
{
    struct run *r = &g->now_runs[flow][node];
    struct arc *a = find_now(g, node, flow, like);
    struct arc *end = (struct arc *)pool_at(&g->now_arcs, r, 0) + r->count;
    memmove(a, a + 1, (size_t)(end - (a + 1)) * sizeof *a);
    r->count--;
}

enum rc version_place(struct graph *g, uint32_t version, struct err *e)
{
    struct version *v = &g->versions[version];
    uint32_t from = graph_moment_at(g, v->from_ms);
    uint32_t until = v->until_ms == FOREVER_MS ? FOREVER_MOMENT : graph_moment_at(g, v->until_ms);
    for (unsigned flow = 0; flow < 2; flow++) {
        uint32_t other;
        uint32_t node = end_of(v, (enum flow)flow, &other);
        struct past_arc past = {{other, v->bits}, from, until};
        v->place[flow] = g->past_runs[flow][node].count;
        enum rc rc = pool_append(&g->past_arcs, &g->past_runs[flow][node], &past);
        if (rc == RC_OK && v->until_ms == FOREVER_MS) {
            rc = pool_append(&g->now_arcs, &g->now_runs[flow][node], &past.arc);
        }
        if (rc != RC_OK) {
            return graph_no_memory(e);
        }
    }
    return RC_OK;
}

enum rc versions_place(struct graph *g, struct err *e)
{
    pool_done(&g->now_arcs);
    pool_done(&g->past_arcs);
    for (unsigned flow = 0; flow < 2; flow++) {
        for (uint32_t i = 0; i < g->node_count; i++) {
            g->now_runs[flow][i] = (struct run){0, 0, 0};
            g->past_runs[flow][i] = (struct run){0, 0, 0};
        }
    }
    enum rc rc = RC_OK;
    for (uint32_t i = 0; i < g->version_count && rc == RC_OK; i++) {
        rc = version_place(g, i, e);
    }
    return rc;
}

static struct past_arc *past_of(const struct graph *g, const struct version *v, enum flow flow)
{
    uint32_t other;
    uint32_t node = end_of(v, flow, &other);
    return pool_at(&g->past_arcs, &g->past_runs[flow][node], v->place[flow]);
}

static NODISCARD enum rc version_close(struct graph *g, uint32_t version, int64_t at_ms, struct err *e)
{
    struct version *v = &g->versions[version];
    uint32_t moment;
    enum rc rc = graph_moment(g, at_ms, &moment, e);
    if (rc != RC_OK) {
        return rc;
    }
    v->until_ms = at_ms;
    g->over_count++;
    for (unsigned flow = 0; flow < 2; flow++) {
        uint32_t other;
        uint32_t node = end_of(v, (enum flow)flow, &other);
        past_of(g, v, (enum flow)flow)->until = moment;
        remove_now(g, node, (enum flow)flow, (struct arc){other, v->bits});
    }
    return RC_OK;
}

static NODISCARD enum rc version_open(struct graph *g, struct version v, uint32_t *ret, struct err *e)
{
    enum rc rc = graph_room(&g->versions, g->version_count, &g->version_capacity, sizeof *g->versions, e);
    uint32_t moment;
    rc = rc == RC_OK ? graph_moment(g, v.from_ms, &moment, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    *ret = g->version_count;
    g->versions[g->version_count++] = v;
    return version_place(g, *ret, e);
}

/* Made this very moment: nobody has seen it, so it becomes what it should be. */
static void version_mend(struct graph *g, uint32_t version, uint32_t bits, uint16_t source)
{
    struct version *v = &g->versions[version];
    for (unsigned flow = 0; flow < 2; flow++) {
        uint32_t other;
        uint32_t node = end_of(v, (enum flow)flow, &other);
        find_now(g, node, (enum flow)flow, (struct arc){other, v->bits})->bits = bits;
        past_of(g, v, (enum flow)flow)->arc.bits = bits;
    }
    v->bits = bits;
    v->source = source;
}

/* --- what an edge rests on ------------------------------------------------------------------------------ */

static bool is_measured(uint16_t bp)
{
    return bp != BP_NONE && bp != BP_UNMEASURED;
}

static uint32_t bits_of(const struct edge *x, enum edge_kind kind)
{
    bool declared = x->bp[CLAIM_DEFINED] != BP_NONE || x->bp[CLAIM_WRITTEN] != BP_NONE;
    bool observed = x->bp[CLAIM_OBSERVED] != BP_NONE;
    enum confidence confidence = declared && observed ? CONFIDENCE_CONFIRMED
                                 : declared           ? CONFIDENCE_DECLARED
                                                      : CONFIDENCE_OBSERVED;
    uint32_t effect = 0;
    for (unsigned i = 0; i < CLAIM_COUNT && effect == 0; i++) {
        effect = is_measured(x->bp[i]) ? x->bp[i] : 0;
    }
    bool assumed = effect == 0;
    return (uint32_t)kind | (uint32_t)confidence << BITS_CONFIDENCE | (assumed ? 1U : 0U) << BITS_ASSUMED |
           (assumed ? (uint32_t)WHOLE_BP : effect) << BITS_EFFECT;
}

/* The source of the first claim that there is. */
static uint16_t source_of(const struct edge *x)
{
    unsigned first = 0;
    while (first < CLAIM_COUNT - 1 && x->bp[first] == BP_NONE) {
        first++;
    }
    return x->source[first];
}

static void edge_release(struct graph *g, uint32_t edge)
{
    g->edges[edge].version = g->edge_free;
    g->edge_free = edge;
}

/* The edge's claims changed: so does its version, at that instant. */
static NODISCARD enum rc edge_settle(struct graph *g, uint32_t edge, int64_t at_ms, struct err *e)
{
    struct edge *x = &g->edges[edge];
    struct version old = g->versions[x->version];
    enum edge_kind kind = (enum edge_kind)(old.bits & 15U);
    uint32_t bits = bits_of(x, kind);
    uint16_t source = source_of(x);
    bool over = edge_is_over(x);
    if (!over && bits == old.bits && source == old.source) {
        return RC_OK;
    }
    if (!over && old.from_ms == at_ms) {
        version_mend(g, x->version, bits, source);
        return RC_OK;
    }
    enum rc rc = version_close(g, x->version, at_ms, e);
    if (rc != RC_OK) {
        return rc;
    }
    if (!over) {
        struct version next = {old.from, old.to, bits, source, at_ms, FOREVER_MS, {0, 0}};
        return version_open(g, next, &x->version, e);
    }
    idmap_remove(&g->edge_by_key, edge_key(old.from, old.to, kind));
    g->live_count--;
    x->version = MAP_NONE;
    if (!x->in_heap) {
        edge_release(g, edge);
    }
    return RC_OK;
}

enum rc edge_expire(struct graph *g, uint32_t edge, int64_t at_ms, struct err *e)
{
    struct edge *x = &g->edges[edge];
    if (x->version == MAP_NONE) {
        edge_release(g, edge);
        return RC_OK;
    }
    if (x->bp[CLAIM_OBSERVED] == BP_NONE) {
        return RC_OK;
    }
    x->bp[CLAIM_OBSERVED] = BP_NONE;
    return edge_settle(g, edge, at_ms, e);
}

/* --- claims --------------------------------------------------------------------------------------------- */

static NODISCARD enum rc edge_row(struct graph *g, uint32_t *ret, struct err *e)
{
    if (g->edge_free != MAP_NONE) {
        *ret = g->edge_free;
        g->edge_free = g->edges[*ret].version;
        return RC_OK;
    }
    enum rc rc = graph_room(&g->edges, g->edge_count, &g->edge_capacity, sizeof *g->edges, e);
    if (rc == RC_OK) {
        *ret = g->edge_count++;
    }
    return rc;
}

static void claim_put(struct edge *x, const struct edge_claim *c, uint16_t source)
{
    x->bp[c->claim] = c->effect_bp == 0 ? BP_UNMEASURED : (uint16_t)c->effect_bp;
    x->source[c->claim] = source;
    if (c->claim == CLAIM_OBSERVED && c->until_ms > x->expires_ms) {
        x->expires_ms = c->until_ms;
    }
}

static NODISCARD enum rc edge_new(struct graph *g, const struct edge_claim *c, uint16_t source, uint32_t *ret,
                                  struct err *e)
{
    if (g->live_count >= GRAPH_EDGES_MAX) {
        return err_set(e, RC_LIMIT, "the graph has more than %d edges in force", GRAPH_EDGES_MAX);
    }
    uint32_t at;
    enum rc rc = edge_row(g, &at, e);
    if (rc != RC_OK) {
        return rc;
    }
    struct edge *x = &g->edges[at];
    *x = (struct edge){.version = MAP_NONE};
    claim_put(x, c, source);
    struct version v = {c->from, c->to, bits_of(x, c->kind), source, g->now_ms, FOREVER_MS, {0, 0}};
    rc = version_open(g, v, &x->version, e);
    if (rc == RC_OK && idmap_put(&g->edge_by_key, edge_key(c->from, c->to, c->kind), at) != RC_OK) {
        rc = graph_no_memory(e);
    }
    g->live_count++;
    *ret = at;
    return rc;
}

enum rc edge_restore(struct graph *g, uint32_t version, struct edge claims, struct err *e)
{
    uint32_t at;
    enum rc rc = edge_row(g, &at, e);
    if (rc != RC_OK) {
        return rc;
    }
    const struct version *v = &g->versions[version];
    g->edges[at] = claims;
    g->edges[at].version = version;
    g->edges[at].in_heap = false;
    g->live_count++;
    if (idmap_put(&g->edge_by_key, edge_key(v->from, v->to, (enum edge_kind)(v->bits & 15U)), at) != RC_OK) {
        return graph_no_memory(e);
    }
    return claims.bp[CLAIM_OBSERVED] == BP_NONE ? RC_OK : expiry_add(g, at, e);
}

enum rc graph_link(struct graph *g, const struct edge_claim *c, struct err *e)
{
    must(c->from < g->node_count && c->to < g->node_count && c->effect_bp <= WHOLE_BP);
    if (c->claim == CLAIM_OBSERVED && c->until_ms <= g->now_ms) {
        return RC_OK;
    }
    uint16_t source;
    enum rc rc = graph_source(g, c->source, &source, e);
    if (rc != RC_OK) {
        return rc;
    }
    uint32_t at = idmap_get(&g->edge_by_key, edge_key(c->from, c->to, c->kind));
    if (at == MAP_NONE) {
        rc = edge_new(g, c, source, &at, e);
    } else {
        claim_put(&g->edges[at], c, source);
        rc = edge_settle(g, at, g->now_ms, e);
    }
    bool heap = rc == RC_OK && c->claim == CLAIM_OBSERVED && !g->edges[at].in_heap;
    return heap ? expiry_add(g, at, e) : rc;
}

enum rc graph_unlink(struct graph *g, uint32_t from, uint32_t to, enum edge_kind kind, enum claim_kind claim,
                     struct err *e)
{
    uint32_t at = idmap_get(&g->edge_by_key, edge_key(from, to, kind));
    if (at == MAP_NONE || g->edges[at].bp[claim] == BP_NONE) {
        return RC_OK;
    }
    g->edges[at].bp[claim] = BP_NONE;
    return edge_settle(g, at, g->now_ms, e);
}

enum rc edges_end_at(struct graph *g, uint32_t node, struct err *e)
{
    enum rc rc = RC_OK;
    for (unsigned flow = 0; flow < 2; flow++) {
        /* Backwards: what a definition holds gets a new version, whose arc goes to the end. */
        for (uint32_t i = g->now_runs[flow][node].count; i-- > 0 && rc == RC_OK;) {
            struct arc a = *(struct arc *)pool_at(&g->now_arcs, &g->now_runs[flow][node], i);
            enum edge_kind kind = arc_kind(a);
            bool forward = edge_kind_flows_forward(kind) || !edge_kind_carries(kind);
            bool is_from = forward == (flow == FLOW_HARMS);
            uint32_t at = idmap_get(&g->edge_by_key, edge_key(is_from ? node : a.other, is_from ? a.other : node, kind));
            g->edges[at].bp[CLAIM_WRITTEN] = BP_NONE;
            g->edges[at].bp[CLAIM_OBSERVED] = BP_NONE;
            rc = edge_settle(g, at, g->now_ms, e);
        }
    }
    return rc;
}

/* --- reading -------------------------------------------------------------------------------------------- */

static struct graph_edge edge_whole(const struct graph *g, const struct version *v)
{
    struct arc a = {0, v->bits};
    return (struct graph_edge){.from = v->from,
                               .to = v->to,
                               .kind = arc_kind(a),
                               .confidence = arc_confidence(a),
                               .effect_bp = arc_effect_bp(a),
                               .effect_assumed = arc_effect_is_assumed(a),
                               .from_ms = v->from_ms,
                               .until_ms = v->until_ms,
                               .source = g->sources[v->source]};
}

static bool edge_now(const struct graph *g, uint64_t key, struct graph_edge *ret)
{
    uint32_t at = idmap_get(&g->edge_by_key, key);
    if (at == MAP_NONE) {
        return false;
    }
    *ret = edge_whole(g, &g->versions[g->edges[at].version]);
    return true;
}

/* The first version made at that time or later: they stand in order of their making. */
static uint32_t first_version(const struct graph *g, int64_t from_ms)
{
    uint32_t low = 0;
    uint32_t high = g->version_count;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (g->versions[mid].from_ms < from_ms) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

/* The version in force then: its arc says when it was made, and that is where it stands. */
static const struct version *version_then(const struct graph_view *v, const struct past_arc *p, const struct version *like)
{
    const struct graph *g = v->graph;
    for (uint32_t i = p->from == 0 ? 0 : first_version(g, g->moments[p->from]); i < g->version_count; i++) {
        const struct version *x = &g->versions[i];
        bool then = x->from_ms <= v->at_ms && v->at_ms < x->until_ms;
        if (then && x->from == like->from && x->to == like->to && x->bits == p->arc.bits) {
            return x;
        }
    }
    must(!"an arc of the past is of a version that is kept");
    return NULL;
}

bool graph_edge_at(const struct graph_view *v, uint32_t from, uint32_t to, enum edge_kind kind, struct graph_edge *ret)
{
    const struct graph *g = v->graph;
    if (v->present) {
        return edge_now(g, edge_key(from, to, kind), ret);
    }
    const struct version like = {.from = from, .to = to, .bits = (uint32_t)kind};
    uint32_t other;
    uint32_t at = end_of(&like, FLOW_HARMS, &other);
    const struct run *r = &g->past_runs[FLOW_HARMS][at];
    for (uint32_t i = r->count; i-- > 0;) {
        const struct past_arc *p = pool_at(&g->past_arcs, r, i);
        bool then = p->from <= v->moment && v->moment < p->until;
        if (then && p->arc.other == other && arc_kind(p->arc) == kind) {
            *ret = edge_whole(g, version_then(v, p, &like));
            return true;
        }
    }
    return false;
}
