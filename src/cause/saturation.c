/*
 * cause/saturation - a resource of a node at its end, or suddenly much more used.
 *
 * Queueing time grows without bound as a resource nears its whole; below that it hardly matters. So where a series says
 * what the whole is (percent, a ratio), what counts is being near it, and not having been. Where none does, for none of
 * a node's resources, twice of what was usual is taken for it, as far as that is beyond what the series does anyway.
 */
#include "cause/cause_internal.h"

#include <math.h>

/* Of a resource whose whole nobody knows: this many times the usual. */
#define GROWN 2.0

struct levels {
    double *normal; /* the minutes before are among them */
    double *before;
    double *now;
    uint32_t normal_count;
    uint32_t before_count;
    uint32_t now_count;
};

static void read_levels(const struct inquiry *in, const struct series *s, struct levels *l)
{
    l->normal_count = l->before_count = l->now_count = 0;
    for (uint32_t i = 0; i < in->ev->sample_count; i++) {
        double value = s->values[i];
        enum role role = in->ev->samples[i].role;
        if (isnan(value)) {
            continue;
        }
        if (role == ROLE_INCIDENT) {
            l->now[l->now_count++] = value;
            continue;
        }
        l->normal[l->normal_count++] = value;
        if (role == ROLE_BEFORE && uses(in, WITHOUT_BEFORE)) {
            l->before[l->before_count++] = value;
        }
    }
}

/* The usual level: the larger of that of all the time and that of the minutes before. */
static double usual_level(struct levels *l)
{
    double usual = median_of(l->normal, l->normal_count);
    return l->before_count > 0 ? fmax(usual, median_of(l->before, l->before_count)) : usual;
}

/* Nats of a series whose whole is known; ret_level: how full it is. */
static double nats_of_share(struct levels *l, double usual, double *ret_level)
{
    *ret_level = 0;
    for (uint32_t i = 0; i < l->now_count; i++) {
        *ret_level = fmax(*ret_level, l->now[i]);
    }
    return *ret_level >= SATURATED && *ret_level - usual > SATURATION_RISE ? SATURATION_NATS : 0.0;
}

static double nats_of_growth(const struct inquiry *in, struct levels *l, double usual, double *ret_level)
{
    double middle = median_of(l->normal, l->normal_count);
    double sigma = fmax(spread_of(l->normal, l->normal_count, middle, uses(in, WITHOUT_CALIBRATION), l->before), SPREAD_ASSUMED * fabs(middle));
    *ret_level = median_of(l->now, l->now_count);
    bool grown = usual > 0 && sigma > 0 && *ret_level >= GROWN * usual;
    return grown ? fmin(SATURATION_NATS, nats_of_z((*ret_level - usual) / sigma)) : 0.0;
}

static void look_at_series(struct inquiry *in, uint32_t index, struct levels *l)
{
    const struct series *s = &in->ev->series[index];
    struct finding_of_node *f = &in->terms[TERM_SATURATION][s->node];
    double level = 0;
    read_levels(in, s, l);
    if (l->normal_count == 0 || l->now_count == 0) {
        return;
    }
    double usual = usual_level(l);
    double nats = s->metric.share ? nats_of_share(l, usual, &level) : nats_of_growth(in, l, usual, &level);
    const struct series *old = f->nats > 0 ? &in->ev->series[f->key] : NULL;
    bool first = old != NULL && nats >= f->nats && nats <= f->nats && str_cmp(s->name, old->name) < 0;
    if (nats > f->nats || first) {
        *f = (struct finding_of_node){.nats = nats, .mass = level - usual, .own = level - usual, .key = index, .count = level};
        f->shown = (struct excess){.known = true, .reference = usual};
    }
}

bool find_saturation(struct inquiry *in)
{
    size_t room = in->ev->sample_count + 1U;
    struct levels l = {.normal = arena_array(in->arena, room, sizeof(double)),
                       .before = arena_array(in->arena, room, sizeof(double)),
                       .now = arena_array(in->arena, room, sizeof(double))};
    bool *shares = arena_array(in->arena, in->node_count + 1U, sizeof *shares);
    if (l.normal == NULL || l.before == NULL || l.now == NULL || shares == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < in->ev->series_count; i++) {
        const struct series *s = &in->ev->series[i];
        shares[s->node] |= s->to == MAP_NONE && s->metric.meaning == METRIC_SATURATION && s->metric.share;
    }
    for (uint32_t i = 0; i < in->ev->series_count; i++) {
        const struct series *s = &in->ev->series[i];
        if (s->to == MAP_NONE && s->metric.meaning == METRIC_SATURATION && s->metric.share == shares[s->node]) {
            look_at_series(in, i, &l);
        }
    }
    return true;
}
