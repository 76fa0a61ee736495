/*
 * gate/impact - who is hurt by a change of the targets: from the graph as it is, before anything runs.
 *
 * The predicted share of traffic is the sum of the shares that are declared for whoever is hurt, each by as much of the
 * harm as reaches it. Traffic that passes through two services is declared at one of them, or counts twice: the prediction
 * errs towards more.
 */
#include "gate/gather.h"

struct gathering {
    const struct gate_input *in;
    const struct impact *impact;
    struct facts *f;
    int64_t max_age_ms;
    bool requires_slo;
};

static bool is_target(const struct request *q, uint32_t service)
{
    for (uint32_t i = 0; i < q->service_count; i++) {
        if (q->services[i] == service) {
            return true;
        }
    }
    return false;
}

/* --- what is touched beside services ------------------------------------------------------------------------ */

static void add_once(struct str *list, unsigned *count, unsigned max, struct str s)
{
    for (unsigned i = 0; i < *count; i++) {
        if (str_eq(list[i], s)) {
            return;
        }
    }
    if (s.len > 0 && *count < max) {
        list[(*count)++] = s;
    }
}

static bool is_zone_of_targets(const struct gathering *g, struct str zone)
{
    const struct request *q = g->in->request;
    for (uint32_t i = 0; i < q->service_count; i++) {
        const struct service_def *def = world_service_at(g->in->world, q->services[i])->def;
        if (def != NULL && str_eq(def->zone, zone)) {
            return true;
        }
    }
    return false;
}

/* Policies that name a service which is hurt. */
static void add_policies(const struct gathering *g, struct str service)
{
    const struct policy *p = g->in->policy;
    struct facts *f = g->f;
    for (uint32_t i = 0; i < p->freeze_count; i++) {
        if (any_glob(&p->freezes[i].services, service)) {
            add_once(f->policies, &f->policy_count, FACT_POLICIES_MAX, p->freezes[i].name);
        }
    }
    for (uint32_t i = 0; i < p->quorum_count; i++) {
        if (any_glob(&p->quorums[i].services, service)) {
            add_once(f->policies, &f->policy_count, FACT_POLICIES_MAX, p->quorums[i].name);
        }
    }
    for (uint32_t i = 0; i < p->rule_count; i++) {
        if (any_glob(&p->rules[i].services, service)) {
            add_once(f->policies, &f->policy_count, FACT_POLICIES_MAX, p->rules[i].name);
        }
    }
}

/* --- services ------------------------------------------------------------------------------------------------ */

static void add_row(const struct gathering *g, uint32_t node, const struct impact_step *step)
{
    struct facts *f = g->f;
    if (f->impact_count == FACT_IMPACT_MAX) {
        return;
    }
    const struct graph *graph = world_graph(g->in->world);
    f->impact[f->impact_count++] = (struct impact_fact){.service = graph_name(graph, node),
                                                        .via = graph_name(graph, step->from),
                                                        .effect_bp = step->effect_bp,
                                                        .confidence = step->confidence,
                                                        .assumed = step->assumed};
    add_policies(g, graph_name(graph, node));
}

static void add_share(struct facts *f, const struct service_def *def, int64_t effect_bp)
{
    int64_t share = def == NULL ? 0 : def->traffic_ppm * effect_bp / WHOLE_BP;
    f->blast_ppm = f->blast_ppm + share < PPM_ONE ? f->blast_ppm + share : PPM_ONE;
}

static void add_hurt(const struct gathering *g, uint32_t node)
{
    const struct gate_input *in = g->in;
    const struct impact_step step = impact_step(g->impact, node);
    uint32_t service = world_service_of_node(in->world, node);
    g->f->blast_services++;
    add_row(g, node, &step);
    const struct service_def *def = service == MAP_NONE ? NULL : world_service_at(in->world, service)->def;
    if (def == NULL) {
        return;
    }
    keep_budget(g->f, budget_of(in, service, true, g->max_age_ms), g->requires_slo);
    add_share(g->f, def, step.effect_bp);
    if (!is_zone_of_targets(g, def->zone)) {
        add_once(g->f->crossed, &g->f->crossed_count, FACT_ZONES_MAX, def->zone);
    }
}

/* --- memory ----------------------------------------------------------------------------------------------------- */

static bool is_touched(const struct gate_input *in, const struct facts *f, uint32_t service)
{
    if (service == MAP_NONE || is_target(in->request, service)) {
        return service != MAP_NONE;
    }
    for (unsigned i = 0; i < f->impact_count; i++) {
        if (str_eq(f->impact[i].service, str_from(world_service_at(in->world, service)->name))) {
            return true;
        }
    }
    return false;
}

/* An open incident on what it touches, whose shape closed ones had: the one that was seen most. */
static void gather_recall(const struct gate_input *in, struct facts *f)
{
    for (uint32_t i = 0; i < world_incident_count(in->world) && world_precedent_count(in->world) > 0; i++) {
        const struct world_incident *x = world_incident_at(in->world, i);
        if (x->shape[0] == '\0' || !is_touched(in, f, x->service)) {
            continue;
        }
        struct recall r = world_recall(in->world, str_from(x->shape), in->request->tool_index);
        if (r.seen > f->recall_seen) {
            f->recall_incident = x->id;
            f->recall_shape = str_from(x->shape);
            f->recall_seen = r.seen;
            f->recall_tried = r.tried;
            f->recall_resolved = r.resolved;
        }
    }
}

void gather_impact(const struct gate_input *in, const struct thresholds *t, struct facts *f)
{
    const struct request *q = in->request;
    struct gathering g = {in, NULL, f, t->at[BUDGET_MAX_AGE_MS], t->at[BUDGET_REQUIRE_SLO] != 0};
    f->blast_declared = q->service_count > 0;
    for (uint32_t i = 0; i < q->service_count; i++) {
        const struct service_def *def = world_service_at(in->world, q->services[i])->def;
        keep_budget(f, budget_of(in, q->services[i], false, g.max_age_ms), g.requires_slo);
        add_share(f, def, WHOLE_BP);
        f->blast_services++;
        f->blast_declared = f->blast_declared && def != NULL && def->traffic_ppm > 0;
    }
    struct impact impact = world_impact(in->world, q->services, q->service_count, UINT32_MAX);
    g.impact = &impact;
    for (uint32_t i = 0; i < impact.count; i++) {
        uint32_t service = world_service_of_node(in->world, impact.nodes[i]);
        bool hurt = graph_kind(world_graph(in->world), impact.nodes[i]) == NODE_SERVICE;
        if (hurt && (service == MAP_NONE || !is_target(q, service))) {
            add_hurt(&g, impact.nodes[i]);
        }
    }
    gather_recall(in, f);
}
