/*
 * cause/harm - who can harm the service, how far away it is, and which way harm takes.
 *
 * A walk from the service against the direction of harm. Each candidate keeps one step towards the service: the shortest
 * way, of equally short ones that over which most calls went, and of those that over the node whose name comes first.
 */
#include "cause/cause_internal.h"

#include <string.h>

static bool list_harmers(struct inquiry *in)
{
    const struct evidence *ev = in->ev;
    uint32_t *fill = arena_array(in->arena, in->node_count + 1U, sizeof *fill);
    in->harmer_first = arena_array(in->arena, in->node_count + 2U, sizeof *in->harmer_first);
    in->harmers = arena_array(in->arena, ev->tie_count + 1U, sizeof *in->harmers);
    if (fill == NULL || in->harmer_first == NULL || in->harmers == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < ev->tie_count; i++) {
        in->harmer_first[ev->ties[i].harmed + 1]++;
    }
    for (uint32_t n = 0; n < in->node_count; n++) {
        in->harmer_first[n + 1] += in->harmer_first[n];
        fill[n] = in->harmer_first[n];
    }
    for (uint32_t i = 0; i < ev->tie_count; i++) {
        in->harmers[fill[ev->ties[i].harmed]++] = ev->ties[i];
    }
    return true;
}

/* Calls that went over a tie in the incident. */
static double calls_over(const struct inquiry *in, const struct tie *t)
{
    double sum = 0;
    for (uint32_t i = in->callee_first[t->harmer]; i < in->callee_first[t->harmer + 1]; i++) {
        uint32_t key = in->by_callee[i];
        sum += in->keys[key].caller == t->harmed ? in->now[key].count : 0.0;
    }
    return sum;
}

/* Is this step better than the one that the node has? Both are equally long. */
static bool is_better_way(const struct inquiry *in, uint32_t node, uint32_t step)
{
    const struct tie *now = &in->harmers[in->next[node]];
    const struct tie *other = &in->harmers[step];
    double more = calls_over(in, other) - calls_over(in, now);
    bool first = str_cmp(in->ev->nodes[other->harmed].name, in->ev->nodes[now->harmed].name) < 0;
    return more > 0 || (more >= 0 && first);
}

/* Without any structure everything may harm the service, in one step that nobody knows. */
static void suspect_all(struct inquiry *in)
{
    for (uint32_t n = 0; n < in->node_count; n++) {
        if (in->distance[n] == MAP_NONE) {
            in->distance[n] = 1;
            in->candidates++;
        }
    }
}

bool harm_build(struct inquiry *in)
{
    uint32_t *queue = arena_array(in->arena, in->node_count + 1U, sizeof *queue);
    in->distance = arena_array(in->arena, in->node_count + 1U, sizeof *in->distance);
    in->next = arena_array(in->arena, in->node_count + 1U, sizeof *in->next);
    if (queue == NULL || in->distance == NULL || in->next == NULL || !list_harmers(in)) {
        return false;
    }
    for (uint32_t n = 0; n < in->node_count; n++) {
        in->distance[n] = in->next[n] = MAP_NONE;
    }
    in->distance[in->q->service] = 0;
    queue[in->candidates++] = in->q->service;
    for (uint32_t done = 0; done < in->candidates; done++) {
        uint32_t at = queue[done];
        for (uint32_t i = in->harmer_first[at]; i < in->harmer_first[at + 1]; i++) {
            uint32_t other = in->harmers[i].harmer;
            if (in->distance[other] == MAP_NONE) {
                in->distance[other] = in->distance[at] + 1;
                in->next[other] = i;
                queue[in->candidates++] = other;
            } else if (in->distance[other] == in->distance[at] + 1 && is_better_way(in, other, i)) {
                in->next[other] = i;
            }
        }
    }
    if (in->ev->tie_count == 0) {
        suspect_all(in);
    }
    return true;
}

double mass_of_callees(const struct inquiry *in, uint32_t node, enum ingredient term)
{
    double sum = 0;
    for (uint32_t i = in->harmer_first[node]; i < in->harmer_first[node + 1]; i++) {
        sum += in->harmers[i].call ? in->terms[term][in->harmers[i].harmer].mass : 0.0;
    }
    return sum;
}
