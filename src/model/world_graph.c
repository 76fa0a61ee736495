/*
 * model/world_graph - the graph as part of the world: services are nodes of it, what their definitions say they depend on
 * are edges, and what happens to them are changes.
 */
#include "model/world_step.h"

#include "base/must.h"
#include "model/graph_writing.h"

#include <stdlib.h>

static const struct str by_definition = {"definition", 10};

/* --- nodes and services --------------------------------------------------------------------------------- */

/* Tells which service each new node is. */
static NODISCARD enum rc know_nodes(struct world *w, struct err *e)
{
    enum rc rc = RC_OK;
    while (rc == RC_OK && w->known_nodes < graph_node_count(w->graph)) {
        rc = table_room(&w->service_of_node, w->known_nodes, &w->node_capacity, sizeof *w->service_of_node, e);
        if (rc == RC_OK) {
            w->service_of_node[w->known_nodes] = graph_kind(w->graph, w->known_nodes) == NODE_SERVICE
                                                     ? strmap_get(&w->service_index, graph_name(w->graph, w->known_nodes))
                                                     : (uint32_t)MAP_NONE;
            w->known_nodes++;
        }
    }
    return rc == RC_OK ? impact_walk_room(w->walk, w->graph, e) : rc;
}

enum rc graph_service_row(struct world *w, uint32_t service, struct err *e)
{
    struct world_service *s = w->services[service];
    enum rc rc = graph_node(w->graph, NODE_SERVICE, str_from(s->name), &s->node, e);
    rc = rc == RC_OK ? know_nodes(w, e) : rc;
    if (rc == RC_OK) {
        /* The node may have been there before the service was. */
        w->service_of_node[s->node] = service;
    }
    return rc;
}

/* --- edges of definitions --------------------------------------------------------------------------------- */

static int by_ends(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static NODISCARD enum rc add_drawn(struct drawn *d, uint32_t from, uint32_t to, struct err *e)
{
    enum rc rc = table_room(&d->ends, d->count, &d->capacity, sizeof *d->ends, e);
    if (rc == RC_OK) {
        d->ends[d->count++] = (uint64_t)from << 32 | to;
    }
    return rc;
}

/* All that the definitions of now say, sorted, each once. */
static NODISCARD enum rc draw(struct world *w, struct drawn *ret, struct err *e)
{
    enum rc rc = RC_OK;
    for (uint32_t i = 0; i < w->service_count && rc == RC_OK; i++) {
        const struct world_service *s = w->services[i];
        for (uint32_t k = 0; s->def != NULL && k < s->def->depends_on.count && rc == RC_OK; k++) {
            uint32_t to;
            rc = graph_node(w->graph, NODE_SERVICE, s->def->depends_on.items[k], &to, e);
            rc = rc == RC_OK ? add_drawn(ret, s->node, to, e) : rc;
        }
    }
    if (ret->count > 0) {
        qsort(ret->ends, ret->count, sizeof *ret->ends, by_ends);
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < ret->count; i++) {
        if (kept == 0 || ret->ends[kept - 1] != ret->ends[i]) {
            ret->ends[kept++] = ret->ends[i];
        }
    }
    ret->count = kept;
    return rc;
}

static NODISCARD enum rc claim(struct world *w, uint64_t ends, bool holds, struct err *e)
{
    uint32_t from = (uint32_t)(ends >> 32);
    uint32_t to = (uint32_t)ends;
    if (!holds) {
        return graph_unlink(w->graph, from, to, EDGE_DEPENDS_ON, CLAIM_DEFINED, e);
    }
    const struct edge_claim c = {from, to, EDGE_DEPENDS_ON, CLAIM_DEFINED, 0, 0, by_definition};
    return graph_link(w->graph, &c, e);
}

/* What was said before and is not any more ends; what is new begins. */
static NODISCARD enum rc redraw(struct world *w, const struct drawn *next, struct err *e)
{
    const struct drawn *last = &w->drawn;
    uint32_t i = 0;
    uint32_t k = 0;
    enum rc rc = RC_OK;
    while (rc == RC_OK && (i < last->count || k < next->count)) {
        bool gone = k == next->count || (i < last->count && last->ends[i] < next->ends[k]);
        bool made = i == last->count || (k < next->count && next->ends[k] < last->ends[i]);
        if (gone || made) {
            rc = claim(w, gone ? last->ends[i] : next->ends[k], made, e);
        }
        i += made ? 0 : 1;
        k += gone ? 0 : 1;
    }
    return rc;
}

enum rc catalogue_settle(struct world *w, struct err *e)
{
    struct drawn next = {0};
    enum rc rc = draw(w, &next, e);
    rc = rc == RC_OK ? redraw(w, &next, e) : rc;
    rc = rc == RC_OK ? know_nodes(w, e) : rc;
    free(w->drawn.ends);
    w->drawn = next;
    return rc;
}

/* After loading: the graph knows the edges already. */
enum rc graph_settle_loaded(struct world *w, struct err *e)
{
    enum rc rc = draw(w, &w->drawn, e);
    return rc == RC_OK ? know_nodes(w, e) : rc;
}

/* --- asked before it is written ----------------------------------------------------------------------------- */

static uint64_t new_services(const struct world *w, const struct service_def *def)
{
    uint64_t n = world_service_find(w, def->name) == MAP_NONE ? 1 : 0;
    for (uint32_t i = 0; i < def->depends_on.count; i++) {
        n += world_service_find(w, def->depends_on.items[i]) == MAP_NONE ? 1 : 0;
    }
    return n;
}

enum rc world_check_policy(const struct world *w, const struct policy *p, struct err *e)
{
    uint64_t nodes = 0;
    uint64_t edges = 0;
    for (uint32_t i = 0; i < p->service_count; i++) {
        nodes += new_services(w, &p->services[i]);
        edges += p->services[i].depends_on.count;
    }
    /* Every name may be a new node, every dependency a new edge. */
    return graph_has_room(w->graph, nodes, edges, e);
}

enum rc world_check_service(const struct world *w, const struct service_def *def, struct err *e)
{
    return graph_has_room(w->graph, new_services(w, def), def->depends_on.count, e);
}

/* --- changes -------------------------------------------------------------------------------------------------- */

enum rc graph_service_changed(struct world *w, uint32_t service, enum node_kind kind, uint64_t seq, struct str what,
                              struct err *e)
{
    const struct graph_change c = {.at_ms = w->time_ms,
                                   .node = w->services[service]->node,
                                   .kind = kind,
                                   .seq = seq,
                                   .what = text_that_fits(what, GRAPH_DETAIL_MAX)};
    return graph_changed(w->graph, &c, e);
}

/* --- entries ------------------------------------------------------------------------------------------------- */

void graph_note_observed(struct world *w, struct observed_span s)
{
    w->observed[(w->observed_first + w->observed_count) % OBSERVED_KEPT_MAX] = s;
    if (w->observed_count < OBSERVED_KEPT_MAX) {
        w->observed_count++;
    } else {
        w->observed_first = (w->observed_first + 1) % OBSERVED_KEPT_MAX;
    }
}

enum rc graph_written(const struct step *s)
{
    CLEANUP(arena) struct arena *a = arena_new(WORLD_RECORD_MAX * 4);
    if (a == NULL) {
        return err_set(s->e, RC_NO_MEMORY, "out of memory");
    }
    struct graph_writing said;
    enum rc rc = graph_writing_read(a, s->body, &said, s->e);
    rc = rc == RC_OK ? graph_writing_apply(s->w->graph, &said, s->entry->seq, s->e) : rc;
    return rc == RC_OK ? know_nodes(s->w, s->e) : rc;
}

enum rc graph_observed(const struct step *s)
{
    CLEANUP(arena) struct arena *a = arena_new(WORLD_RECORD_MAX * 4);
    if (a == NULL) {
        return err_set(s->e, RC_NO_MEMORY, "out of memory");
    }
    struct graph_observation seen;
    enum rc rc = graph_observation_read(a, s->body, &seen, s->e);
    rc = rc == RC_OK ? graph_observation_apply(s->w->graph, &seen, s->e) : rc;
    if (rc == RC_OK) {
        graph_note_observed(s->w, (struct observed_span){seen.from_ms, seen.to_ms, s->entry->seq});
        rc = know_nodes(s->w, s->e);
    }
    return rc;
}

/* --- reading ---------------------------------------------------------------------------------------------------- */

const struct graph *world_graph(const struct world *w)
{
    return w->graph;
}

uint32_t world_service_of_node(const struct world *w, uint32_t node)
{
    return node < w->known_nodes ? w->service_of_node[node] : (uint32_t)MAP_NONE;
}

uint32_t world_observed_count(const struct world *w)
{
    return w->observed_count;
}

struct observed_span world_observed_at(const struct world *w, uint32_t index)
{
    must(index < w->observed_count);
    return w->observed[(w->observed_first + index) % OBSERVED_KEPT_MAX];
}

struct impact world_impact(const struct world *w, const uint32_t *services, uint32_t count, uint32_t limit)
{
    uint32_t nodes[REQUEST_SERVICES_MAX];
    must(count <= REQUEST_SERVICES_MAX);
    for (uint32_t i = 0; i < count; i++) {
        nodes[i] = w->services[services[i]]->node;
    }
    struct graph_view now = graph_view_now(w->graph);
    return graph_impact(&now, w->walk, nodes, count, limit);
}
