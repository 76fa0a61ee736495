/*
 * cause/weigh - from findings to scores.
 *
 * Time at nodes and on the network is of one kind, so they share one whole; errors have their own. A term's score is its
 * nats times the share that the node has of that whole: what is sure but small is no cause of what is large.
 */
#include "cause/cause_internal.h"

#include <math.h>

/* The symptom that was not asked for counts for this much: a slow callee fails its callers, a failing one is tried again. */
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

/* All the time that calls to the service took in the incident; 0: not known. */
static double time_of_service(const struct inquiry *in)
{
    double sum = 0;
    for (uint32_t k = 0; k < in->key_count; k++) {
        sum += in->keys[k].callee == in->q->service ? in->now[k].latency : 0.0;
    }
    return sum;
}

static double weight_of(const struct inquiry *in, enum ingredient term)
{
    bool time = term == TERM_OWN_TIME || term == TERM_NETWORK;
    bool other = (time && in->q->symptom == SYMPTOM_AVAILABILITY) || (term == TERM_ERRORS && in->q->symptom == SYMPTOM_LATENCY);
    return !uses(in, term) ? 0.0 : other ? OTHER_SYMPTOM : 1.0;
}

/* What the service suffers and time explains is not left for patterns to explain. */
static double left_to_patterns(const struct inquiry *in, double time)
{
    double all = time_of_service(in);
    return in->q->symptom == SYMPTOM_AVAILABILITY || all <= 0 ? 1.0 : 1.0 - fmin(1.0, time / all);
}

void weigh(struct inquiry *in)
{
    double time = (uses(in, TERM_OWN_TIME) ? sum_of_own(in, TERM_OWN_TIME) : 0.0) + (uses(in, TERM_NETWORK) ? in->net_mass_max : 0.0);
    double errors = sum_of_own(in, TERM_ERRORS);
    double felt = FELT_SHARE * time_of_service(in);
    const double whole[TERM_COUNT] = {[TERM_OWN_TIME] = time, [TERM_NETWORK] = time, [TERM_ERRORS] = errors};
    for (int t = 0; t < TERM_COUNT; t++) {
        double weight = weight_of(in, (enum ingredient)t);
        bool shared = t == TERM_OWN_TIME || t == TERM_NETWORK || t == TERM_ERRORS;
        for (uint32_t n = 0; n < in->node_count; n++) {
            const struct finding_of_node *f = &in->terms[t][n];
            double share = !shared ? 1.0 : whole[t] > 0 ? fmin(1.0, f->own / whole[t]) : 0.0;
            bool is_time = t == TERM_OWN_TIME || t == TERM_NETWORK;
            share *= is_time && felt > 0 ? fmin(1.0, f->own / felt) : 1.0;
            share *= t == TERM_PATTERN ? left_to_patterns(in, time) : 1.0;
            double outside = in->ev->nodes[n].outside && uses(in, WITHOUT_OUTSIDE) ? OUTSIDE_SHARE : 1.0;
            bool counts = in->distance[n] != MAP_NONE;
            in->scores[t][n] = counts ? f->nats * share * weight * outside : 0.0;
            in->score[n] += in->scores[t][n];
        }
    }
}
