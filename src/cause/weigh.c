/*
 * cause/weigh - from findings to scores.
 *
 * Time at nodes and on the network is of one kind, so they share one whole; errors have their own. A term's score is its
 * nats times the share that the node has of that whole: what is sure but small is no cause of what is large.
 */
#include "cause/cause_internal.h"

#include <math.h>

/*
 * The symptom that was not asked for counts for this much: a slow callee fails its callers, a failing one is tried again. It
 * orders causes, but no cause is found by it alone.
 */
#define OTHER_SYMPTOM 0.25

/* Time below this share of all that the service spends is not felt by it, however sure it is. */
#define FELT_SHARE 0.01

static double sum_of_own(const struct inquiry *in, enum ingredient term)
{
    double sum = 0;
    for (uint32_t n = 0; n < in->node_count; n++) {
        const struct finding_of_node *f = &in->terms[term][n];
        sum += f->nats > 0 && in->distance[n] != MAP_NONE ? f->own : 0.0;
    }
    return sum;
}

bool is_asked(const struct question *q, enum ingredient term)
{
    bool time = term == TERM_OWN_TIME || term == TERM_NETWORK;
    return !(time && q->symptom == SYMPTOM_AVAILABILITY) && !(term == TERM_ERRORS && q->symptom == SYMPTOM_LATENCY);
}

static double weight_of(const struct inquiry *in, enum ingredient term)
{
    return !uses(in, term) ? 0.0 : is_asked(in->q, term) ? 1.0 : OTHER_SYMPTOM;
}

/* What the service suffers and time explains is not left for patterns to explain. */
static double left_to_patterns(const struct inquiry *in)
{
    bool told = in->q->symptom != SYMPTOM_AVAILABILITY && in->service_time > 0;
    return told ? 1.0 - fmin(1.0, in->whole[TERM_OWN_TIME] / in->service_time) : 1.0;
}

/* What part of the whole is a node's, and is it felt? */
static double share_of(const struct inquiry *in, enum ingredient term, uint32_t node)
{
    const struct finding_of_node *f = &in->terms[term][node];
    bool time = term == TERM_OWN_TIME || term == TERM_NETWORK;
    if (!time && term != TERM_ERRORS) {
        return 1.0;
    }
    double share = in->whole[term] > 0 ? fmin(1.0, f->own / in->whole[term]) : 0.0;
    double felt = FELT_SHARE * in->service_time;
    return time && felt > 0 ? share * fmin(1.0, f->own / felt) : share;
}

static void weigh_term(struct inquiry *in, enum ingredient term, double weight)
{
    for (uint32_t n = 0; n < in->node_count; n++) {
        double outside = in->ev->nodes[n].outside && uses(in, WITHOUT_OUTSIDE) ? OUTSIDE_SHARE : 1.0;
        if (in->distance[n] != MAP_NONE) {
            in->scores[term][n] = in->terms[term][n].nats * share_of(in, term, n) * weight * outside;
            in->score[n] += in->scores[term][n];
        }
    }
}

void weigh(struct inquiry *in)
{
    double time = (uses(in, TERM_OWN_TIME) ? sum_of_own(in, TERM_OWN_TIME) : 0.0) + (uses(in, TERM_NETWORK) ? in->net_mass_max : 0.0);
    in->service_time = time_at(in, in->q->service);
    in->whole[TERM_OWN_TIME] = in->whole[TERM_NETWORK] = time;
    in->whole[TERM_ERRORS] = sum_of_own(in, TERM_ERRORS);
    double left = left_to_patterns(in);
    for (int t = 0; t < TERM_COUNT; t++) {
        weigh_term(in, (enum ingredient)t, weight_of(in, (enum ingredient)t) * (t == TERM_PATTERN ? left : 1.0));
    }
}
