/*
 * cause/network - time that passes between a caller's span and its callee's.
 *
 * It belongs to neither alone. A network that is slow at a node is slow on all its edges: the mass at a node counts by
 * the square of the share of its calls that became slower on the way, so that the node where all of them did comes
 * before its neighbours, of whose calls only some did.
 */
#include "cause/cause_internal.h"

#include <math.h>

/* Calls that a series of an edge stands for when nobody counts them, and beyond which an edge weighs no more. */
#define CALLS_UNCOUNTED 30.0
#define CALLS_WEIGHED 50.0
/* Being slow on all ways in is nearly as telling as on all ways. */
#define ONLY_INWARD 0.9
struct edge_delay {
    uint32_t from;
    uint32_t to;
    double more_ms; /* of each call */
    double nats;
    double count;
    struct excess shown;
};

struct delays {
    struct edge_delay *items;
    uint32_t count;
};

static bool net_measure(const struct call *c, struct measure *ret)
{
    *ret = (struct measure){.count = c->count, .value = c->net_ms};
    return !isnan(c->net_ms);
}

static void delay_of_key(struct inquiry *in, uint32_t key, struct delays *out)
{
    const struct key *k = &in->keys[key];
    const struct total *now = &in->now[key];
    const struct total *before = &in->before[key];
    if (now->net_count <= 0 || k->caller == MAP_NONE || k->caller == k->callee || in->ev->nodes[k->caller].outside) {
        return;
    }
    struct comparison c = {.normal = in->normal, .floor = NET_FLOOR_MS, .calibrated = uses(in, WITHOUT_CALIBRATION)};
    c.normal_count = normal_measures(in, k, net_measure);
    c.now = (struct measure){.count = now->net_count, .value = now->net / now->net_count};
    if (before->net_count > 0) {
        c.before = (struct measure){.count = before->net_count, .value = before->net / before->net_count};
    }
    struct excess x = excess_of_time(&c, in->scratch);
    if (x.known) {
        out->items[out->count++] = (struct edge_delay){
            .from = k->caller, .to = k->callee, .count = c.now.count, .shown = x,
            .more_ms = mixed(x.mean_long, x.mean_both), .nats = mixed(nats_of_z(x.z_long), nats_of_z(x.z_both))};
    }
}

/* --- edges of which series are known, and no spans --------------------------------------------- */

/* Differences of two series, by role; before counts as normal too. */
struct differences {
    double *normal;
    double *before;
    double *now;
    uint32_t normal_count;
    uint32_t before_count;
    uint32_t now_count;
};

static void differ(const struct inquiry *in, const struct series *client, const struct series *server, struct differences *d)
{
    d->normal_count = d->before_count = d->now_count = 0;
    for (uint32_t i = 0; i < in->ev->sample_count; i++) {
        double more = client->values[i] - server->values[i];
        enum role role = in->ev->samples[i].role;
        if (isnan(more)) {
            continue;
        }
        if (role == ROLE_INCIDENT) {
            d->now[d->now_count++] = more;
            continue;
        }
        d->normal[d->normal_count++] = more;
        if (role == ROLE_BEFORE && uses(in, WITHOUT_BEFORE)) {
            d->before[d->before_count++] = more;
        }
    }
}

/* The spread of differences: their own, what is assumed of any, and that of clocks. */
static double spread(const struct inquiry *in, const double *values, uint32_t count, double middle, double *scratch)
{
    double own = spread_of(values, count, middle, uses(in, WITHOUT_CALIBRATION), scratch);
    return fmax(fmax(NET_FLOOR_MS, own), SPREAD_ASSUMED * fabs(middle));
}

static bool delay_of_series(const struct inquiry *in, const struct series *client, const struct series *server,
                            struct differences *d, struct edge_delay *ret)
{
    differ(in, client, server, d);
    if (d->normal_count == 0 || d->now_count == 0) {
        return false;
    }
    struct excess x = {.known = true, .reference = median_of(d->normal, d->normal_count)};
    double now = median_of(d->now, d->now_count);
    double later = d->before_count > 0 ? fmax(x.reference, median_of(d->before, d->before_count)) : x.reference;
    /* before is not needed any more: room for deviations, as many as normal has. */
    double sigma = spread(in, d->normal, d->normal_count, x.reference, d->before);
    x.mean_long = fmax(0.0, now - x.reference);
    x.mean_both = fmax(0.0, now - later);
    x.z_long = x.mean_long / sigma;
    x.z_both = x.mean_both / sigma;
    *ret = (struct edge_delay){.from = client->node, .to = client->to, .count = CALLS_UNCOUNTED, .shown = x,
                               .more_ms = mixed(x.mean_long, x.mean_both),
                               .nats = mixed(nats_of_z(x.z_long), nats_of_z(x.z_both))};
    return true;
}

/* Of several series of one side of an edge the one that comes closest to a mean. */
static bool put_better(const struct inquiry *in, struct idmap *sides, uint32_t s)
{
    const struct series *it = &in->ev->series[s];
    uint64_t pair = (uint64_t)it->node << 32 | it->to;
    uint32_t old = idmap_get(sides, pair);
    const struct series *kept = old == MAP_NONE ? NULL : &in->ev->series[old];
    bool better = kept == NULL || it->metric.choice < kept->metric.choice ||
                  (it->metric.choice == kept->metric.choice && str_cmp(it->name, kept->name) < 0);
    return !better || idmap_put(sides, pair, s) == RC_OK;
}

static bool sort_sides(const struct inquiry *in, struct idmap *clients, struct idmap *servers)
{
    for (uint32_t s = 0; s < in->ev->series_count; s++) {
        enum metric_meaning m = in->ev->series[s].metric.meaning;
        if ((m == METRIC_CLIENT_SIDE && !put_better(in, clients, s)) || (m == METRIC_SERVER_SIDE && !put_better(in, servers, s))) {
            return false;
        }
    }
    return true;
}

/* Edges whose spans told it are passed over. */
static bool add_series(struct inquiry *in, struct delays *out, struct differences *d)
{
    struct idmap clients;
    struct idmap servers;
    struct idmap told;
    idmap_init(&clients, 1);
    idmap_init(&servers, 2);
    idmap_init(&told, 3);
    bool good = sort_sides(in, &clients, &servers);
    for (uint32_t i = 0; good && i < out->count; i++) {
        good = idmap_put(&told, (uint64_t)out->items[i].from << 32 | out->items[i].to, i) == RC_OK;
    }
    for (uint32_t s = 0; good && s < in->ev->series_count; s++) {
        const struct series *it = &in->ev->series[s];
        uint64_t pair = (uint64_t)it->node << 32 | it->to;
        uint32_t server = idmap_get(&servers, pair);
        if (it->metric.meaning == METRIC_CLIENT_SIDE && idmap_get(&clients, pair) == s && server != MAP_NONE &&
            idmap_get(&told, pair) == MAP_NONE && !in->ev->nodes[it->node].outside) {
            out->count += delay_of_series(in, it, &in->ev->series[server], d, &out->items[out->count]);
        }
    }
    idmap_done(&clients);
    idmap_done(&servers);
    idmap_done(&told);
    return good;
}

/* --- nodes --------------------------------------------------------------------------------------- */

struct touched {
    double calls, slower;     /* weighed, on all its edges */
    double inward, inward_slower;
    double mass;
    bool outward;
    double z_long, z_both, edges;       /* sums over all its edges */
    double in_long, in_both, in_edges;  /* and over those to it */
};

static void touch(struct touched *t, struct finding_of_node *f, const struct edge_delay *d, bool inward)
{
    double weight = fmin(d->count, CALLS_WEIGHED);
    double slower = d->nats > 0 ? weight : 0.0;
    t->calls += weight;
    t->slower += slower;
    t->mass += d->nats > 0 ? d->more_ms * d->count : 0.0;
    t->inward += inward ? weight : 0.0;
    t->inward_slower += inward ? slower : 0.0;
    t->outward |= !inward;
    t->z_long += d->shown.z_long;
    t->z_both += d->shown.z_both;
    t->edges++;
    t->in_long += inward ? d->shown.z_long : 0.0;
    t->in_both += inward ? d->shown.z_both : 0.0;
    t->in_edges += inward;
    if (d->nats > f->nats) {
        f->shown = d->shown;
        f->count = d->count;
        f->nats = d->nats;
    }
}

/* Edges are as many measurements of one thing. Source: Stouffer's method of combining tests. */
static double nats_of_edges(const struct touched *t)
{
    double all = t->edges > 0 ? mixed(nats_of_z(t->z_long / sqrt(t->edges)), nats_of_z(t->z_both / sqrt(t->edges))) : 0.0;
    double in = t->in_edges > 0 ? mixed(nats_of_z(t->in_long / sqrt(t->in_edges)), nats_of_z(t->in_both / sqrt(t->in_edges))) : 0.0;
    return fmax(all, in);
}

static void of_nodes(struct inquiry *in, const struct delays *d, struct touched *t)
{
    struct finding_of_node *f = in->terms[TERM_NETWORK];
    for (uint32_t i = 0; i < d->count; i++) {
        touch(&t[d->items[i].from], &f[d->items[i].from], &d->items[i], false);
        touch(&t[d->items[i].to], &f[d->items[i].to], &d->items[i], true);
    }
    for (uint32_t n = 0; n < in->node_count; n++) {
        double covered = t[n].calls > 0 ? t[n].slower / t[n].calls : 0.0;
        if (t[n].inward > 0 && t[n].outward) {
            covered = fmax(covered, ONLY_INWARD * t[n].inward_slower / t[n].inward);
        }
        f[n].nats = nats_of_edges(&t[n]);
        f[n].mass = t[n].mass;
        f[n].own = t[n].mass * covered * covered;
        in->net_mass_max = fmax(in->net_mass_max, in->distance[n] == MAP_NONE ? 0.0 : f[n].mass);
    }
}

bool find_network(struct inquiry *in)
{
    uint32_t samples = in->ev->sample_count + 1;
    struct delays d = {.items = arena_array(in->arena, in->key_count + in->ev->series_count + 1U, sizeof *d.items)};
    struct differences room = {.normal = arena_array(in->arena, samples, sizeof(double)),
                               .before = arena_array(in->arena, samples, sizeof(double)),
                               .now = arena_array(in->arena, samples, sizeof(double))};
    struct touched *t = arena_array(in->arena, in->node_count + 1U, sizeof *t);
    if (d.items == NULL || room.normal == NULL || room.before == NULL || room.now == NULL || t == NULL) {
        return false;
    }
    for (uint32_t k = 0; k < in->key_count; k++) {
        delay_of_key(in, k, &d);
    }
    if (!add_series(in, &d, &room)) {
        return false;
    }
    of_nodes(in, &d, t);
    return true;
}
