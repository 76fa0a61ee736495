/*
 * cause/times - time and errors that a node's callees do not explain.
 *
 * Harm is counted by mass: how many calls, times how much more each took; how many more failed. Where spans tell a call's
 * own time, that is it. Where only its whole time is known, the mass of its callees is taken off, along the ties. A callee
 * that was never seen before has no mass: what it costs stays with its caller, who began to call it.
 */
#include "cause/cause_internal.h"

#include <math.h>

static bool own_measure(const struct call *c, struct measure *ret)
{
    *ret = (struct measure){.count = c->count, .value = c->self_ms};
    return !isnan(c->self_ms);
}

static bool latency_measure(const struct call *c, struct measure *ret)
{
    *ret = (struct measure){.count = c->count, .value = c->latency_ms};
    return !isnan(c->latency_ms);
}

static bool error_measure(const struct call *c, struct measure *ret)
{
    *ret = (struct measure){.count = c->count, .value = c->errors};
    return !isnan(c->errors);
}

static struct measure mean_of(double sum, double count)
{
    return (struct measure){.count = count, .value = count > 0 ? sum / count : 0.0};
}

/* Keeps what weighs most in a node, for its explanation. */
static void note(struct finding_of_node *f, const struct excess *x, uint32_t key, double count, double nats)
{
    if (nats > f->nats || f->count <= 0) {
        f->shown = *x;
        f->key = key;
        f->count = count;
    }
    f->nats = fmax(f->nats, nats);
}

static void own_time_of_key(struct inquiry *in, uint32_t key, bool *direct)
{
    const struct key *k = &in->keys[key];
    const struct total *now = &in->now[key];
    const struct total *before = &in->before[key];
    struct finding_of_node *f = &in->terms[TERM_OWN_TIME][k->callee];
    struct comparison c = {.normal = in->normal, .floor = OWN_FLOOR_MS, .calibrated = uses(in, WITHOUT_CALIBRATION)};
    bool self = now->self_count > 0;
    if (!self && now->latency_count <= 0) {
        return;
    }
    c.normal_count = normal_measures(in, k, self ? own_measure : latency_measure);
    c.now = self ? mean_of(now->self, now->self_count) : mean_of(now->latency, now->latency_count);
    c.before = self ? mean_of(before->self, before->self_count) : mean_of(before->latency, before->latency_count);
    struct excess x = excess_of_time(&c, in->scratch);
    if (!x.known) {
        return;
    }
    double nats = mixed(nats_of_z(x.z_long), nats_of_z(x.z_both));
    double mass = mixed(x.mean_long, x.mean_both) * c.now.count;
    direct[k->callee] |= self;
    f->mass += self && nats <= 0 ? 0.0 : mass;
    note(f, &x, key, c.now.count, nats);
}

/* What is left of a node's mass when its callees have theirs. */
static void take_off_callees(struct inquiry *in, enum ingredient term, const bool *direct)
{
    for (uint32_t n = 0; n < in->node_count; n++) {
        struct finding_of_node *f = &in->terms[term][n];
        bool whole = (direct != NULL && direct[n]) || !uses(in, WITHOUT_SUBTRACTION);
        f->own = whole ? f->mass : fmax(0.0, f->mass - mass_of_callees(in, n, term));
    }
}

void find_own_time(struct inquiry *in)
{
    bool *direct = arena_array(in->arena, in->node_count + 1U, sizeof *direct);
    for (uint32_t k = 0; direct != NULL && k < in->key_count; k++) {
        own_time_of_key(in, k, direct);
    }
    if (direct != NULL) {
        take_off_callees(in, TERM_OWN_TIME, direct);
    }
}

void find_errors(struct inquiry *in)
{
    for (uint32_t key = 0; key < in->key_count; key++) {
        const struct key *k = &in->keys[key];
        const struct total *now = &in->now[key];
        if (now->errors_count <= 0) {
            continue;
        }
        struct comparison c = {.normal = in->normal, .calibrated = uses(in, WITHOUT_CALIBRATION)};
        c.normal_count = normal_measures(in, k, error_measure);
        c.now = (struct measure){.count = now->errors_count, .value = now->errors};
        c.before = (struct measure){.count = in->before[key].errors_count, .value = in->before[key].errors};
        struct excess x = excess_of_errors(&c, in->scratch);
        if (x.known) {
            struct finding_of_node *f = &in->terms[TERM_ERRORS][k->callee];
            f->mass += mixed(x.mean_long, x.mean_both) * c.now.count;
            note(f, &x, key, c.now.count, mixed(nats_of_z(x.z_long), nats_of_z(x.z_both)));
        }
    }
    take_off_callees(in, TERM_ERRORS, NULL);
}
