/*
 * cause/saturation - a resource of a node at its end.
 *
 * Queueing time grows without bound as a resource nears its whole; below that it hardly matters. So what counts is being
 * near it, and not having been. Only series of a known whole can say so (percent, a ratio).
 */
#include "cause/cause_internal.h"

#include <math.h>

struct levels {
    double *normal;
    double *before;
    uint32_t normal_count;
    uint32_t before_count;
    double now;
};

static void read_levels(const struct inquiry *in, const struct series *s, struct levels *l)
{
    l->normal_count = l->before_count = 0;
    l->now = -1;
    for (uint32_t i = 0; i < in->ev->sample_count; i++) {
        double value = s->values[i];
        enum role role = in->ev->samples[i].role;
        if (isnan(value)) {
            continue;
        }
        if (role == ROLE_INCIDENT) {
            l->now = fmax(l->now, value);
            continue;
        }
        l->normal[l->normal_count++] = value;
        if (role == ROLE_BEFORE && uses(in, WITHOUT_BEFORE)) {
            l->before[l->before_count++] = value;
        }
    }
}

bool find_saturation(struct inquiry *in)
{
    struct levels l = {.normal = arena_array(in->arena, in->ev->sample_count + 1U, sizeof(double)),
                       .before = arena_array(in->arena, in->ev->sample_count + 1U, sizeof(double))};
    if (l.normal == NULL || l.before == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < in->ev->series_count; i++) {
        const struct series *s = &in->ev->series[i];
        if (s->metric.meaning != METRIC_SATURATION || !s->metric.share || s->to != MAP_NONE) {
            continue;
        }
        read_levels(in, s, &l);
        if (l.normal_count == 0) {
            continue;
        }
        double usual = median_of(l.normal, l.normal_count);
        usual = l.before_count > 0 ? fmax(usual, median_of(l.before, l.before_count)) : usual;
        struct finding_of_node *f = &in->terms[TERM_SATURATION][s->node];
        if (l.now >= SATURATED && l.now - usual > SATURATION_RISE && l.now > f->count) {
            *f = (struct finding_of_node){.nats = SATURATION_NATS, .mass = l.now - usual, .own = l.now - usual, .key = i, .count = l.now};
            f->shown = (struct excess){.known = true, .reference = usual};
        }
    }
    return true;
}
