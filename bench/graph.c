/*
 * bench/graph - what impact costs at the size of a large company.
 *
 *     graph [NODES [EDGES]]
 *
 * 100,000 services in groups of 1,000 and 1,000,000 call edges by default: most calls stay in a group and go to services
 * deeper in it, so that the radius of most services is below 1,000; some go to the platform, which is below everything, so
 * that the radius of its deepest is all. Half of the edge versions get a successor, so there is history to be passed by.
 * Measures graph_impact() with whole and with measured effects, in the present and in a past view; a plain breadth-first
 * search over adjacency arrays in the same run; and igraph where it was there at build time. Prints one JSON line:
 * nanoseconds, and bytes of memory.
 */
#include "graph/impact.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef HAVE_IGRAPH
#include <igraph/igraph.h>
#endif

enum {
    GROUP = 1000,
    PLATFORM = 50,      /* the first services of all */
    PLATFORM_PCT = 4,   /* of calls */
    SMALL = 2000,       /* targets with a radius of at most 1,000 that are measured */
    SMALL_MAX = 1000,
    WHOLE_ROUNDS = 30,
};

struct call {
    uint32_t from;
    uint32_t to;
};

static void check(enum rc rc, const struct err *e)
{
    if (rc != RC_OK) {
        fprintf(stderr, "graph: %s\n", e->text);
        exit(1);
    }
}

static void *memory(size_t count, size_t size)
{
    void *p = calloc(count, size);
    if (p == NULL) {
        fprintf(stderr, "graph: out of memory\n");
        exit(1);
    }
    return p;
}

static int64_t clock_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static uint64_t next(uint64_t *s)
{
    *s = *s * 6364136223846793005U + 1442695040888963407U;
    return *s >> 33;
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* --- the graph ------------------------------------------------------------------------------------------ */

/* Callees are popular or not: the square of a uniform number prefers the deepest. */
static uint32_t below(uint64_t *s, uint32_t n)
{
    double u = (double)(next(s) % 1000003) / 1000003;
    return (uint32_t)(u * u * n);
}

static uint32_t make_calls(struct call *calls, uint32_t nodes, uint32_t edges)
{
    uint64_t s = 42;
    uint32_t count = 0;
    while (count < edges) {
        uint32_t from = (uint32_t)(next(&s) % nodes);
        uint32_t within = from % GROUP;
        bool platform = next(&s) % 100 < PLATFORM_PCT || within == 0;
        uint32_t to = platform ? below(&s, PLATFORM) : from - within + below(&s, within);
        bool down = from < PLATFORM ? to < from : true;
        if (from != to && down) {
            calls[count++] = (struct call){from, to};
        }
    }
    return count;
}

static void link_all(struct graph *g, const struct call *calls, uint32_t count, bool measured, uint64_t seed)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t effect = measured ? (uint32_t)(next(&seed) % WHOLE_BP) + 1 : 0;
        struct edge_claim c = {calls[i].from, calls[i].to, EDGE_CALLS, CLAIM_WRITTEN, effect, 0, str_from("bench")};
        struct err e;
        check(graph_link(g, &c, &e), &e);
    }
}

static struct graph *make_graph(const struct call *calls, uint32_t nodes, uint32_t edges, bool measured)
{
    struct graph *g = graph_new(1);
    struct err e;
    check(graph_advance(g, 1000, &e), &e);
    for (uint32_t i = 0; i < nodes; i++) {
        char name[32];
        snprintf(name, sizeof name, "team-%u/service-%u", i / GROUP, i);
        uint32_t at;
        check(graph_node(g, NODE_SERVICE, str_from(name), &at, &e), &e);
    }
    link_all(g, calls, edges, measured, 5);
    /* Every second edge ends and comes again: history that the present must not pay for. */
    check(graph_advance(g, 2000, &e), &e);
    for (uint32_t i = 0; i < edges; i += 2) {
        check(graph_unlink(g, calls[i].from, calls[i].to, EDGE_CALLS, CLAIM_WRITTEN, &e), &e);
    }
    check(graph_advance(g, 3000, &e), &e);
    link_all(g, calls, edges, measured, 5);
    check(graph_advance(g, 4000, &e), &e);
    return g;
}

/* --- the plain search ----------------------------------------------------------------------------------- */

struct plain {
    uint32_t *first; /* callers of each node */
    uint32_t *items;
    uint32_t *seen;
    uint32_t *queue;
    uint32_t round;
};

static struct plain plain_new(const struct call *calls, uint32_t nodes, uint32_t edges)
{
    struct plain p = {memory(nodes + 2, 4), memory(edges, 4), memory(nodes, 4), memory(nodes, 4), 0};
    for (uint32_t i = 0; i < edges; i++) {
        p.first[calls[i].to + 2]++;
    }
    for (uint32_t i = 1; i < nodes + 2; i++) {
        p.first[i] += p.first[i - 1];
    }
    for (uint32_t i = 0; i < edges; i++) {
        p.items[p.first[calls[i].to + 1]++] = calls[i].from;
    }
    return p;
}

static uint32_t plain_reach(struct plain *p, uint32_t target)
{
    uint32_t count = 0;
    p->round++;
    p->seen[target] = p->round;
    p->queue[count++] = target;
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = p->first[p->queue[i]]; k < p->first[p->queue[i] + 1]; k++) {
            uint32_t n = p->items[k];
            if (p->seen[n] != p->round) {
                p->seen[n] = p->round;
                p->queue[count++] = n;
            }
        }
    }
    return count;
}

/* --- measuring ------------------------------------------------------------------------------------------- */

struct subject {
    const struct graph_view *view; /* null: the plain search */
    struct impact_walk *walk;
    struct plain *plain;
#ifdef HAVE_IGRAPH
    igraph_t *other;
    igraph_vector_int_t *found;
#endif
};

static uint32_t reach(const struct subject *s, uint32_t target)
{
#ifdef HAVE_IGRAPH
    if (s->other != NULL) {
        igraph_subcomponent(s->other, s->found, (igraph_integer_t)target, IGRAPH_IN);
        return (uint32_t)igraph_vector_int_size(s->found);
    }
#endif
    if (s->view == NULL) {
        return plain_reach(s->plain, target);
    }
    return graph_impact(s->view, s->walk, &target, 1, UINT32_MAX).count;
}

static void measure(const char *name, const struct subject *s, const uint32_t *targets, uint32_t count, uint32_t whole)
{
    int64_t *ns = memory(count, sizeof *ns);
    uint64_t sum = 0;
    for (int warm = 0; warm < 2; warm++) {
        for (uint32_t i = 0; i < count; i++) {
            int64_t begun = clock_ns();
            sum += reach(s, targets[i]);
            ns[i] = clock_ns() - begun;
        }
    }
    qsort(ns, count, sizeof *ns, compare);
    printf(",\"%s\":{\"radius_mean\":%.1f,\"median_ns\":%lld,\"p99_ns\":%lld", name, (double)sum / 2 / count,
           (long long)ns[count / 2], (long long)ns[count * 99 / 100]);
    free(ns);
    int64_t all[WHOLE_ROUNDS];
    uint32_t radius = 0;
    for (int i = 0; i < WHOLE_ROUNDS; i++) {
        int64_t begun = clock_ns();
        radius = reach(s, whole);
        all[i] = clock_ns() - begun;
    }
    qsort(all, WHOLE_ROUNDS, sizeof *all, compare);
    printf(",\"all_radius\":%u,\"all_median_ns\":%lld}", radius, (long long)all[WHOLE_ROUNDS / 2]);
}

/* Targets whose radius is at most SMALL_MAX, and the one with the largest. */
static uint32_t choose(struct plain *p, uint32_t nodes, uint32_t *targets, uint32_t *ret_whole)
{
    uint64_t s = 9;
    uint32_t count = 0;
    uint32_t most = 0;
    for (uint32_t i = 0; i < PLATFORM; i++) {
        uint32_t radius = plain_reach(p, i);
        if (radius > most) {
            most = radius;
            *ret_whole = i;
        }
    }
    while (count < SMALL) {
        uint32_t n = (uint32_t)(next(&s) % nodes);
        uint32_t radius = plain_reach(p, n);
        if (radius <= SMALL_MAX && radius > 1) {
            targets[count++] = n;
        }
    }
    return count;
}

#ifdef HAVE_IGRAPH
static void measure_igraph(const struct call *calls, uint32_t nodes, uint32_t edges, const uint32_t *targets,
                           uint32_t count, uint32_t whole)
{
    igraph_vector_int_t ends;
    igraph_vector_int_t found;
    igraph_t other;
    igraph_vector_int_init(&ends, 2 * (igraph_integer_t)edges);
    igraph_vector_int_init(&found, 0);
    for (uint32_t i = 0; i < edges; i++) {
        VECTOR(ends)[2 * i] = calls[i].from;
        VECTOR(ends)[2 * i + 1] = calls[i].to;
    }
    igraph_create(&other, &ends, (igraph_integer_t)nodes, IGRAPH_DIRECTED);
    const struct subject s = {.other = &other, .found = &found};
    measure("igraph", &s, targets, count < 200 ? count : 200, whole);
    igraph_destroy(&other);
    igraph_vector_int_destroy(&ends);
    igraph_vector_int_destroy(&found);
}
#endif

int main(int argc, char **argv)
{
    uint32_t nodes = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 100000;
    uint32_t edges = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 1000000;
    struct call *calls = memory(edges, sizeof *calls);
    make_calls(calls, nodes, edges);
    struct plain p = plain_new(calls, nodes, edges);
    static uint32_t targets[SMALL];
    uint32_t whole = 0;
    uint32_t count = choose(&p, nodes, targets, &whole);
    printf("{\"nodes\":%u,\"calls\":%u", nodes, edges);
    measure("plain", &(struct subject){.plain = &p}, targets, count, whole);
#ifdef HAVE_IGRAPH
    measure_igraph(calls, nodes, edges, targets, count, whole);
#endif
    for (int measured = 0; measured < 2; measured++) {
        int64_t begun = clock_ns();
        struct graph *g = make_graph(calls, nodes, edges, measured != 0);
        double built_s = (double)(clock_ns() - begun) / 1e9;
        struct impact_walk *w = impact_walk_new();
        struct err e;
        check(impact_walk_room(w, g, &e), &e);
        struct graph_view now = graph_view_now(g);
        struct graph_view past;
        check(graph_view_at(g, 3500, &past, &e), &e);
        measure(measured ? "measured_now" : "whole_now", &(struct subject){.view = &now, .walk = w}, targets, count, whole);
        measure(measured ? "measured_past" : "whole_past", &(struct subject){.view = &past, .walk = w}, targets, count, whole);
        struct graph_memory m = graph_memory(g);
        if (!measured) {
            printf(",\"versions\":%u,\"edges\":%u,\"built_s\":%.2f,\"bytes_per_node\":%.0f,\"bytes_per_version\":%.0f,\"mib\":%.0f",
                   graph_version_count(g), graph_edge_count(g), built_s, (double)m.nodes / nodes,
                   (double)m.edges / graph_version_count(g), (double)(m.nodes + m.edges) / 1048576);
        }
        impact_walk_free(w);
        graph_free(g);
    }
    printf("}\n");
    free(calls);
    free(p.first);
    free(p.items);
    free(p.seen);
    free(p.queue);
    return 0;
}
