/*
 * cause/ruled_out - what was looked at and is not the cause, and why.
 *
 * Those whose own harm is largest come first: they are what a person would look at.
 */
#include "cause/cause_internal.h"

#include <math.h>
#include <stdlib.h>

struct suspect {
    uint32_t node;
    double mass;
    struct str name;
};

static int larger_first(const void *a, const void *b)
{
    const struct suspect *x = a;
    const struct suspect *y = b;
    if (x->mass != y->mass) {
        return x->mass > y->mass ? -1 : 1;
    }
    return str_cmp(x->name, y->name);
}

static double harm_at(const struct inquiry *in, uint32_t n)
{
    return in->terms[TERM_OWN_TIME][n].mass + in->terms[TERM_ERRORS][n].mass + in->terms[TERM_NETWORK][n].mass;
}

/* The callee that took most of a node's mass. */
static uint32_t largest_callee(const struct inquiry *in, uint32_t n, enum ingredient term)
{
    uint32_t best = MAP_NONE;
    double most = 0;
    for (uint32_t i = in->harmer_first[n]; i < in->harmer_first[n + 1]; i++) {
        const struct tie *t = &in->harmers[i];
        double mass = t->call ? in->terms[term][t->harmer].mass : 0.0;
        if (mass > most) {
            most = mass;
            best = t->harmer;
        }
    }
    return best;
}

static struct str reason(const struct inquiry *in, uint32_t n)
{
    static const enum ingredient shared[] = {TERM_OWN_TIME, TERM_ERRORS};
    if (in->distance[n] == MAP_NONE) {
        return STR("no path by which it could harm the service");
    }
    for (size_t i = 0; i < sizeof shared / sizeof *shared; i++) {
        const struct finding_of_node *f = &in->terms[shared[i]][n];
        uint32_t callee = f->mass > 0 && f->own <= 0 ? largest_callee(in, n, shared[i]) : MAP_NONE;
        if (callee != MAP_NONE) {
            return arena_printf(in->arena, "what grew at it is explained by what it calls, most by %.*s", STR_ARG(in->ev->nodes[callee].name));
        }
    }
    if (!in->measured[n]) {
        return STR("not measured in the incident");
    }
    return harm_at(in, n) > 0 ? STR("what grew is within its normal spread") : STR("nothing about it changed");
}

/* What was changed by a change that is ranked is not ruled out, though nothing measures it. */
static bool is_blamed(const struct inquiry *in, const struct report *r, uint32_t n)
{
    for (uint32_t i = 0; i < r->change_count; i++) {
        if (in->ev->changes[r->changes[i].change].node == n) {
            return true;
        }
    }
    return false;
}

bool rule_out(struct inquiry *in, struct report *r)
{
    struct suspect *all = arena_array(in->arena, in->node_count + 1U, sizeof *all);
    uint32_t count = 0;
    if (all == NULL) {
        return false;
    }
    for (uint32_t n = 0; n < in->node_count; n++) {
        bool matters = in->distance[n] != MAP_NONE || harm_at(in, n) > 0;
        if (in->score[n] <= 0 && matters && !is_blamed(in, r, n)) {
            all[count++] = (struct suspect){.node = n, .mass = harm_at(in, n), .name = in->ev->nodes[n].name};
        }
    }
    qsort(all, count, sizeof *all, larger_first);
    r->ruled_out_count = count < CAUSE_RULED_OUT_MAX ? count : CAUSE_RULED_OUT_MAX;
    r->ruled_out_more = count - r->ruled_out_count;
    r->ruled_out = arena_array(in->arena, r->ruled_out_count + 1U, sizeof *r->ruled_out);
    for (uint32_t i = 0; r->ruled_out != NULL && i < r->ruled_out_count; i++) {
        r->ruled_out[i] = (struct ruled_out){.node = all[i].node, .why = reason(in, all[i].node)};
    }
    return r->ruled_out != NULL;
}
