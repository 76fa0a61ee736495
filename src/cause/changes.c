/*
 * cause/changes - which change did it.
 *
 * A change explains as much as the nodes it touches: the service that was deployed or configured, one step of harm away,
 * or the node itself. The closer before it was noticed, the likelier; a change that came after it explains nothing.
 * Changes of nodes that are within chance are not charged.
 */
#include "base/instant.h"
#include "cause/cause_internal.h"

#include <math.h>
#include <stdlib.h>

/* An hour before, a change is half as likely as now: most harm of a change shows within the hour. */
#define HALF_MS 3600000.0

static double recency(const struct inquiry *in, const struct change *c)
{
    if (in->q->at_ms == 0) {
        return 1.0;
    }
    double age_ms = (double)(in->q->at_ms - c->at_ms);
    return age_ms < 0 ? 0.0 : 1.0 / (1.0 + age_ms / HALF_MS);
}

/* The node with the best score among the one that changed and those that it configures or deploys. */
static uint32_t touched_node(const struct inquiry *in, uint32_t changed)
{
    uint32_t best = changed;
    for (uint32_t i = 0; i < in->ev->tie_count; i++) {
        const struct tie *t = &in->ev->ties[i];
        if (t->harmer != changed || t->call) {
            continue;
        }
        double gain = in->score[t->harmed] - in->score[best];
        bool first = gain >= 0 && gain <= 0 && str_cmp(in->ev->nodes[t->harmed].name, in->ev->nodes[best].name) < 0;
        best = gain > 0 || (first && best != changed) || (best == changed && in->score[best] <= 0) ? t->harmed : best;
    }
    return best;
}

static int better_first(const void *a, const void *b)
{
    const struct ranked_change *x = a;
    const struct ranked_change *y = b;
    if (x->score != y->score) {
        return x->score > y->score ? -1 : 1;
    }
    return x->change < y->change ? -1 : x->change > y->change;
}

static struct str say_change(const struct inquiry *in, const struct change *c, const struct ranked_change *r)
{
    struct str name = in->ev->nodes[r->node].name;
    struct arena *a = in->arena;
    if (in->q->at_ms == 0) {
        return arena_printf(a, "touches %.*s, %.1f nats", STR_ARG(name), in->score[r->node]);
    }
    return arena_printf(a, "%.0f min before; touches %.*s, %.1f nats", (double)(in->q->at_ms - c->at_ms) / MINUTE_MS, STR_ARG(name),
                        in->score[r->node]);
}

bool rank_changes(struct inquiry *in, struct report *r)
{
    const struct evidence *ev = in->ev;
    struct ranked_change *all = arena_array(in->arena, ev->change_count + 1U, sizeof *all);
    uint32_t count = 0;
    if (all == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < ev->change_count; i++) {
        uint32_t node = touched_node(in, ev->changes[i].node);
        double score = in->score[node] * recency(in, &ev->changes[i]);
        if (r->found && in->score[node] >= r->needed && score > 0) {
            all[count++] = (struct ranked_change){.change = i, .node = node, .score = score};
        }
    }
    qsort(all, count, sizeof *all, better_first);
    r->changes = all;
    r->change_count = count < CAUSE_RANKED_MAX ? count : CAUSE_RANKED_MAX;
    for (uint32_t i = 0; i < r->change_count; i++) {
        struct ranked_change *c = &all[i];
        const struct change *of = &ev->changes[c->change];
        c->says = say_change(in, of, c);
        if (!explain_chain(in, of->node, &c->steps, &c->step_count, &c->steps_left_out)) {
            return false;
        }
    }
    return true;
}
