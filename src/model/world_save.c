/*
 * model/world_save - the whole world as records of canonical JSON, and back.
 *
 * The order is fixed (head, policy, graph, agents, services, tools, tokens, stops, actions, keys), each table
 * in its own order, so equal worlds give equal bytes. Loading takes the records in the same order.
 */
#include "model/world_internal.h"

#include "base/encode.h"
#include "base/must.h"
#include "value/json.h"

#include <stdlib.h>
#include <string.h>

/* --- saving -------------------------------------------------------------------------------------------- */

struct saver {
    const struct world *w;
    world_record_fn fn;
    void *context;
    struct arena *arena;
    struct buf out;
    struct err *e;
};

static enum rc put(struct saver *s, const struct value *record)
{
    buf_reset(&s->out);
    json_write_canonical(&s->out, record, s->arena);
    enum rc rc = s->out.rc != RC_OK ? s->out.rc : arena_rc(s->arena);
    if (rc != RC_OK) {
        return err_set(s->e, rc, "a record of the snapshot is too large");
    }
    rc = s->fn(s->context, buf_view(&s->out), s->e);
    arena_reset(s->arena);
    return rc;
}

static struct value record(struct saver *s, const char *kind)
{
    struct value v = value_object();
    value_add_str(s->arena, &v, STR("r"), str_from(kind));
    return v;
}

static enum rc save_head(struct saver *s)
{
    const struct world *w = s->w;
    struct value v = record(s, "world");
    value_add_int(s->arena, &v, STR("format"), WORLD_FORMAT);
    value_add_int(s->arena, &v, STR("next_seq"), (int64_t)w->next_seq);
    value_add_int(s->arena, &v, STR("time_ms"), w->time_ms);
    value_add_str(s->arena, &v, STR("origin"), str_from(w->origin));
    value_add_int(s->arena, &v, STR("aqdd_baseline"), w->aqdd_baseline_milli);
    value_add_int(s->arena, &v, STR("aqdd_samples"), w->aqdd_samples);
    value_add_int(s->arena, &v, STR("aqdd_next"), w->aqdd_next_ms);
    value_add_int(s->arena, &v, STR("aqdd_over"), w->aqdd_over_since_ms);
    if (w->erased_through != 0) {
        value_add_int(s->arena, &v, STR("erased_through"), (int64_t)w->erased_through);
    }
    return put(s, &v);
}

static enum rc save_policy(struct saver *s)
{
    if (s->w->policy == NULL) {
        return RC_OK;
    }
    struct buf text;
    buf_init(&text, POLICY_TEXT_MAX);
    policy_write(&text, s->w->policy);
    struct value v = record(s, "policy");
    value_add_int(s->arena, &v, STR("seq"), (int64_t)s->w->policy_seq);
    value_add_str(s->arena, &v, STR("hash"), str_from(s->w->policy_hash));
    if (s->w->policy_aside[0] != '\0') {
        value_add_str(s->arena, &v, STR("aside"), str_from(s->w->policy_aside));
    }
    value_add_str(s->arena, &v, STR("text"), buf_view(&text));
    enum rc rc = text.rc == RC_OK ? put(s, &v) : err_set(s->e, text.rc, "the policy is too large");
    buf_done(&text);
    return rc;
}

static enum rc put_record(void *context, const struct value *v, struct err *e)
{
    (void)e;
    return put(context, v);
}

static enum rc save_graph(struct saver *s)
{
    return graph_save(s->w->graph, s->arena, put_record, s, s->e);
}

static struct value ints(struct saver *s, const int64_t *n, size_t count)
{
    struct value all = value_array();
    for (size_t i = 0; i < count; i++) {
        value_push(s->arena, &all, value_int(n[i]));
    }
    return all;
}

static enum rc save_observed(struct saver *s)
{
    enum rc rc = RC_OK;
    for (uint32_t i = 0; i < s->w->observed_count && rc == RC_OK; i++) {
        const struct observed_span x = world_observed_at(s->w, i);
        const int64_t n[] = {x.from_ms, x.to_ms, (int64_t)x.seq};
        struct value v = record(s, "observed");
        value_add(s->arena, &v, STR("n"), ints(s, n, sizeof n / sizeof *n));
        rc = put(s, &v);
    }
    return rc;
}

static void add_calibration(struct saver *s, struct value *v, const struct calibration *c)
{
    const int64_t n[CALIBRATION_NUMBERS] = {c->n,        c->bad,       c->harmed,   c->foretold, c->spared,
                                            c->over_ppm, c->under_ppm, c->risk_ppm, c->brier_ppm};
    if (c->n > 0) {
        value_add(s->arena, v, STR("calibration"), ints(s, n, CALIBRATION_NUMBERS));
    }
}

static struct value her_value(struct saver *s, const struct her_ring *r)
{
    struct value all = value_array();
    for (uint32_t i = 0; i < r->count; i++) {
        uint32_t at = (r->next + HER_WINDOW - r->count + i) % HER_WINDOW;
        value_push(s->arena, &all, value_int(r->at_ms[at]));
        value_push(s->arena, &all, value_int(r->own[at] ? 1 : 0));
    }
    return all;
}

static void add_ring(struct saver *s, struct value *v, const char *name, const struct rate_ring *r)
{
    struct value all = value_array();
    for (uint32_t i = 0; r != NULL && i < r->count; i++) {
        value_push(s->arena, &all, value_int(r->at_ms[(r->next + RATE_COUNT_MAX - r->count + i) % RATE_COUNT_MAX]));
    }
    if (r != NULL) {
        value_add(s->arena, v, str_from(name), all);
    }
}

static void add_conduct(struct saver *s, struct value *v, const struct world_agent *a)
{
    const struct breaker *b = &a->breaker;
    if (b->open || b->denials > 0 || b->failures > 0) {
        const int64_t n[] = {b->open ? 1 : 0, b->forced ? 1 : 0, b->until_ms, b->denials, b->failures, b->probes};
        struct value all = value_array();
        for (size_t i = 0; i < sizeof n / sizeof *n; i++) {
            value_push(s->arena, &all, value_int(n[i]));
        }
        value_push(s->arena, &all, value_string(str_from(b->cause)));
        value_add(s->arena, v, STR("breaker"), all);
    }
    if (a->changes > 0) {
        value_add_int(s->arena, v, STR("changes"), (int64_t)a->changes);
        value_add_int(s->arena, v, STR("changes_good"), (int64_t)a->changes_good);
    }
    struct value tiers = value_array();
    for (uint32_t i = 0; i < a->tier_count; i++) {
        value_push(s->arena, &tiers, value_string(str_from(a->tiers[i].service)));
        value_push(s->arena, &tiers, value_int(a->tiers[i].tier));
        value_push(s->arena, &tiers, value_int((int64_t)a->tiers[i].seq));
    }
    if (a->tier_count > 0) {
        value_add(s->arena, v, STR("tiers"), tiers);
    }
}

static enum rc save_agents(struct saver *s)
{
    enum rc rc = RC_OK;
    for (uint32_t i = 0; i < s->w->agent_count && rc == RC_OK; i++) {
        const struct world_agent *a = s->w->agents[i];
        struct value v = record(s, "agent");
        value_add_str(s->arena, &v, STR("name"), str_from(a->name));
        value_add_int(s->arena, &v, STR("version"), (int64_t)a->version);
        if (a->own != NULL) {
            value_add(s->arena, &v, STR("definition"), agent_def_value(s->arena, a->def));
        }
        if (a->her.count > 0) {
            value_add(s->arena, &v, STR("her"), her_value(s, &a->her));
        }
        add_ring(s, &v, "calls", a->calls);
        add_ring(s, &v, "done", a->done);
        add_conduct(s, &v, a);
        add_calibration(s, &v, &a->calibration);
        rc = put(s, &v);
    }
    return rc;
}

static struct value deploys_value(struct saver *s, const struct world_service *service)
{
    struct value all = value_array();
    for (uint32_t i = 0; i < service->deploy_count; i++) {
        value_push(s->arena, &all, value_string(str_from(service->deploys[i].id)));
        value_push(s->arena, &all, value_int(service->deploys[i].since_ms));
    }
    return all;
}

/* [newest hour, then hour, good, total of every bucket that is not empty] */
static struct value window_value(struct saver *s, const struct window *w)
{
    struct value all = value_array();
    value_push(s->arena, &all, value_int(w->newest_hour));
    for (int64_t h = w->newest_hour - WINDOW_HOURS + 1; h <= w->newest_hour; h++) {
        const struct window_bucket *b = h < 0 ? NULL : &w->buckets[h % WINDOW_HOURS];
        if (b != NULL && b->total != 0) {
            value_push(s->arena, &all, value_int(h));
            value_push(s->arena, &all, value_int(b->good));
            value_push(s->arena, &all, value_int(b->total));
        }
    }
    return all;
}

static enum rc save_services(struct saver *s)
{
    enum rc rc = RC_OK;
    for (uint32_t i = 0; i < s->w->service_count && rc == RC_OK; i++) {
        const struct world_service *service = s->w->services[i];
        struct value v = record(s, "service");
        value_add_str(s->arena, &v, STR("name"), str_from(service->name));
        value_add_int(s->arena, &v, STR("version"), (int64_t)service->version);
        if (service->own != NULL) {
            value_add(s->arena, &v, STR("definition"), service_def_value(s->arena, service->def));
        }
        if (service->deploy_count > 0) {
            value_add(s->arena, &v, STR("deploys"), deploys_value(s, service));
        }
        if (service->sli != NULL) {
            value_add(s->arena, &v, STR("sli"), window_value(s, service->sli));
            value_add_int(s->arena, &v, STR("sli_at"), service->sli_at_ms);
        }
        add_ring(s, &v, "done", service->done);
        if (service->on_call != NULL) {
            const struct world_on_call *o = service->on_call;
            struct value all = value_array();
            value_push(s->arena, &all, value_string(str_from(o->person)));
            value_push(s->arena, &all, value_int(o->incidents));
            value_push(s->arena, &all, value_int(o->at_ms));
            value_push(s->arena, &all, value_int(o->until_ms));
            value_add(s->arena, &v, STR("on_call"), all);
        }
        if (service->snapshot_ms != 0) {
            value_add_int(s->arena, &v, STR("snapshot"), service->snapshot_ms);
        }
        if (service->rollback_ms != 0) {
            value_add_int(s->arena, &v, STR("rollback"), service->rollback_ms);
        }
        rc = put(s, &v);
    }
    return rc;
}

static enum rc save_tools(struct saver *s)
{
    enum rc rc = RC_OK;
    for (uint32_t i = 0; i < s->w->tool_count && rc == RC_OK; i++) {
        const struct world_tool *t = s->w->tools[i];
        struct value v = record(s, "tool");
        value_add_str(s->arena, &v, STR("name"), str_from(t->name));
        value_add_int(s->arena, &v, STR("version"), (int64_t)t->version);
        if (t->own != NULL) {
            value_add(s->arena, &v, STR("definition"), tool_def_value(s->arena, t->def));
        }
        add_ring(s, &v, "done", t->done);
        add_calibration(s, &v, &t->calibration);
        rc = put(s, &v);
    }
    return rc;
}

static enum rc save_tokens(struct saver *s)
{
    enum rc rc = RC_OK;
    for (uint32_t i = 0; i < s->w->token_count && rc == RC_OK; i++) {
        const struct world_token *t = s->w->tokens[i];
        struct value v = record(s, "token");
        value_add_int(s->arena, &v, STR("id"), (int64_t)t->id);
        value_add_str(s->arena, &v, STR("person"), str_from(t->person));
        value_add_int(s->arena, &v, STR("roles"), t->roles);
        value_add_int(s->arena, &v, STR("agent"), t->agent == MAP_NONE ? -1 : (int64_t)t->agent);
        value_add_str(s->arena, &v, STR("services"), str_from(t->services));
        if (t->groups[0] != '\0') {
            value_add_str(s->arena, &v, STR("groups"), str_from(t->groups));
        }
        value_add_hex(s->arena, &v, STR("digest"), STR(""), t->digest, sizeof t->digest);
        value_add_int(s->arena, &v, STR("expires"), t->expires_ms);
        value_add_bool(s->arena, &v, STR("revoked"), t->revoked);
        rc = put(s, &v);
    }
    return rc;
}

static enum rc save_stops(struct saver *s)
{
    enum rc rc = RC_OK;
    for (uint32_t i = 0; i < s->w->stop_count && rc == RC_OK; i++) {
        const struct world_stop *t = &s->w->stops[i];
        struct value v = record(s, "stop");
        value_add_int(s->arena, &v, STR("id"), (int64_t)t->id);
        value_add_int(s->arena, &v, STR("scope"), t->scope);
        value_add_str(s->arena, &v, STR("name"), str_from(t->name));
        value_add_int(s->arena, &v, STR("level"), t->level);
        value_add_int(s->arena, &v, STR("by"), (int64_t)t->by);
        value_add_str(s->arena, &v, STR("person"), str_from(t->by_person));
        value_add_int(s->arena, &v, STR("at"), t->at_ms);
        value_add_str(s->arena, &v, STR("reason"), str_from(t->reason));
        if (t->reported || t->running + t->confirmed + t->unconfirmed > 0) {
            const int64_t n[] = {t->running, t->confirmed, t->unconfirmed, t->reported ? 1 : 0};
            struct value all = value_array();
            for (size_t k = 0; k < sizeof n / sizeof *n; k++) {
                value_push(s->arena, &all, value_int(n[k]));
            }
            value_add(s->arena, &v, STR("running"), all);
        }
        rc = put(s, &v);
    }
    return rc;
}

/* The numbers of an action, in the order in which load_action reads them. */
#define ACTION_NUMBERS 19

/* Which checks were overridden, a bit each: what there is of each follows in their order. */
static uint64_t overridden(const struct action *a)
{
    uint64_t bits = 0;
    for (unsigned c = 0; a->overrides != NULL && c < CHECK_COUNT; c++) {
        bits |= a->overrides->of[c].token != 0 ? UINT64_C(1) << c : 0;
    }
    return bits;
}

static void action_numbers(const struct action *a, int64_t n[static ACTION_NUMBERS])
{
    const int64_t all[ACTION_NUMBERS] = {
        (int64_t)a->id,
        a->agent == MAP_NONE ? -1 : (int64_t)a->agent,
        a->tool == MAP_NONE ? -1 : (int64_t)a->tool,
        a->state,
        a->verdict,
        a->blocking,
        a->two_phase ? 1 : 0,
        (int64_t)a->proposer,
        (int64_t)a->decided_seq,
        (int64_t)a->policy_seq,
        (int64_t)a->grant_seq,
        a->proposed_ms,
        a->retry_at_ms,
        a->due_ms,
        (int64_t)a->under,
        a->has_revert ? 1 : 0,
        (int64_t)a->stopped_by,
        (int64_t)overridden(a),
        a->human ? 1 : 0,
    };
    memcpy(n, all, sizeof all);
}

static void save_review(struct saver *s, struct value *v, const struct action_review *review)
{
    struct value shown = value_array();
    for (unsigned c = 0; c < CHECK_COUNT; c++) {
        if (review->shown[c].shown) {
            value_push(s->arena, &shown, value_int(c));
            value_push(s->arena, &shown, value_int(review->shown[c].value));
            value_push(s->arena, &shown, value_int(review->shown[c].unknown ? 1 : 0));
            value_push(s->arena, &shown, value_int((int64_t)review->shown[c].mark));
        }
    }
    value_add(s->arena, v, STR("shown"), shown);
    struct value approvals = value_array();
    for (uint32_t i = 0; i < review->approval_count; i++) {
        value_push(s->arena, &approvals, value_int((int64_t)review->approvals[i].token));
        value_push(s->arena, &approvals, value_int(review->approvals[i].at_ms));
    }
    value_add(s->arena, v, STR("approvals"), approvals);
    struct value quorums = value_array();
    for (uint32_t i = 0; i < review->quorum_count; i++) {
        value_push(s->arena, &quorums, value_int(review->quorums[i]));
    }
    if (review->quorum_count > 0) {
        value_add(s->arena, v, STR("quorums"), quorums);
    }
}

static void save_watch(struct saver *s, struct value *v, const struct action_watch *watch)
{
    struct value n = value_array();
    value_push(s->arena, &n, value_int(watch->for_ms));
    value_push(s->arena, &n, value_int(watch->max_drop_ppm));
    for (uint32_t i = 0; i < watch->count; i++) {
        value_push(s->arena, &n, value_int(watch->at[i].service));
        value_push(s->arena, &n, value_int(watch->at[i].before_ppm));
    }
    value_add(s->arena, v, STR("watch"), n);
    if (watch->invariant_count > 0) {
        struct value after = value_array();
        for (uint32_t i = 0; i < watch->invariant_count; i++) {
            value_push(s->arena, &after, value_int(watch->invariant_after_ms[i]));
        }
        value_add(s->arena, v, STR("watch_invariants"), after);
    }
}

static void save_overrides(struct saver *s, struct value *v, const struct action *a)
{
    struct value n = value_array();
    for (unsigned c = 0; c < CHECK_COUNT; c++) {
        const struct world_override *o = &a->overrides->of[c];
        if (o->token != 0) {
            value_push(s->arena, &n, value_int((int64_t)o->token));
            value_push(s->arena, &n, value_int((int64_t)o->policy_seq));
            value_push(s->arena, &n, value_int(o->expires_ms));
        }
    }
    value_add(s->arena, v, STR("overrides"), n);
}

static enum rc save_action(struct saver *s, const struct action *a)
{
    int64_t n[ACTION_NUMBERS];
    action_numbers(a, n);
    struct value v = record(s, "action");
    value_add(s->arena, &v, STR("n"), ints(s, n, ACTION_NUMBERS));
    value_add_hex(s->arena, &v, STR("digest"), STR(""), a->digest, sizeof a->digest);
    if (a->closed_ms != 0) {
        value_add_int(s->arena, &v, STR("closed"), a->closed_ms);
    }
    if (a->grant_seq != 0) {
        value_add_hex(s->arena, &v, STR("nonce"), STR(""), a->nonce, sizeof a->nonce);
    }
    struct value services = value_array();
    for (uint32_t i = 0; i < a->service_count; i++) {
        value_push(s->arena, &services, value_int(action_services(a)[i]));
    }
    value_add(s->arena, &v, STR("services"), services);
    struct value act = value_array();
    for (uint32_t i = 0; i < a->act_count; i++) {
        value_push(s->arena, &act, value_int(action_act(a)[i]));
    }
    if (act.count > 0) {
        value_add(s->arena, &v, STR("act"), act);
    }
    if (a->review != NULL) {
        save_review(s, &v, a->review);
    }
    if (a->watch != NULL) {
        save_watch(s, &v, a->watch);
    }
    if (a->overrides != NULL) {
        save_overrides(s, &v, a);
    }
    return put(s, &v);
}

static enum rc save_actions(struct saver *s)
{
    enum rc rc = RC_OK;
    const struct action *a = NULL;
    while (rc == RC_OK && (a = world_action_next(s->w, a)) != NULL) {
        rc = save_action(s, a);
    }
    return rc;
}

static enum rc save_patterns(struct saver *s)
{
    enum rc rc = RC_OK;
    for (uint32_t i = 0; i < s->w->pattern_count && rc == RC_OK; i++) {
        const struct world_pattern *p = &s->w->patterns[i];
        const int64_t n[] = {p->tool, p->service, (int64_t)p->n, (int64_t)p->failed, (int64_t)p->last, p->last_ms};
        struct value v = record(s, "pattern");
        value_add(s->arena, &v, STR("n"), ints(s, n, sizeof n / sizeof *n));
        rc = put(s, &v);
    }
    return rc;
}

static enum rc save_grants(struct saver *s)
{
    enum rc rc = RC_OK;
    for (uint32_t i = 0; i < s->w->grant_count && rc == RC_OK; i++) {
        const struct world_grant *g = s->w->grants[i];
        struct value v = record(s, "grant");
        value_add_int(s->arena, &v, STR("id"), (int64_t)g->id);
        value_add_str(s->arena, &v, STR("agent"), str_from(g->agent));
        value_add_str(s->arena, &v, STR("tool"), str_from(g->tool));
        value_add_str(s->arena, &v, STR("target"), str_from(g->target));
        value_add_int(s->arena, &v, STR("expires"), g->expires_ms);
        value_add_int(s->arena, &v, STR("by"), (int64_t)g->by);
        value_add_str(s->arena, &v, STR("person"), str_from(g->by_person));
        value_add_str(s->arena, &v, STR("reason"), str_from(g->reason));
        value_add_bool(s->arena, &v, STR("revoked"), g->revoked);
        if (g->where != NULL) {
            value_add(s->arena, &v, STR("where"), *g->where);
        }
        rc = put(s, &v);
    }
    return rc;
}

static enum rc save_incidents(struct saver *s)
{
    enum rc rc = RC_OK;
    for (uint32_t i = 0; i < s->w->incident_count && rc == RC_OK; i++) {
        const struct world_incident *x = &s->w->incidents[i];
        const int64_t n[] = {(int64_t)x->id, (int64_t)x->action, x->service == MAP_NONE ? -1 : (int64_t)x->service, x->at_ms,
                             x->review_by_ms};
        struct value v = record(s, "incident");
        value_add(s->arena, &v, STR("n"), ints(s, n, sizeof n / sizeof *n));
        if (x->person[0] != '\0') {
            value_add_str(s->arena, &v, STR("person"), str_from(x->person));
        }
        if (x->action == 0) {
            value_add_str(s->arena, &v, STR("symptom"), str_from(x->symptom));
            value_add_str(s->arena, &v, STR("shape"), str_from(x->shape));
        }
        rc = put(s, &v);
    }
    return rc;
}

static enum rc save_precedents(struct saver *s)
{
    enum rc rc = RC_OK;
    for (uint32_t i = 0; i < s->w->precedent_count && rc == RC_OK; i++) {
        const struct world_precedent *p = &s->w->precedents[i];
        const int64_t n[] = {(int64_t)p->incident, (int64_t)p->closed_seq, p->at_ms, p->closed_ms,
                             p->service == MAP_NONE ? -1 : (int64_t)p->service, p->tool == MAP_NONE ? -1 : (int64_t)p->tool,
                             (int64_t)p->action};
        int64_t tried[2 * PRECEDENT_TRIED_MAX];
        for (uint32_t k = 0; k < p->tried_count; k++) {
            tried[2 * k] = p->tried[k].tool;
            tried[2 * k + 1] = p->tried[k].good ? 1 : 0;
        }
        struct value v = record(s, "precedent");
        value_add(s->arena, &v, STR("n"), ints(s, n, sizeof n / sizeof *n));
        value_add_str(s->arena, &v, STR("shape"), str_from(p->shape));
        value_add(s->arena, &v, STR("tried"), ints(s, tried, 2 * (size_t)p->tried_count));
        rc = put(s, &v);
    }
    return rc;
}

static enum rc save_keys(struct saver *s)
{
    enum rc rc = RC_OK;
    for (uint32_t at = s->w->idem_first; at != MAP_NONE && rc == RC_OK; at = s->w->idem[at].next) {
        const struct idempotency_row *row = &s->w->idem[at];
        struct value v = record(s, "key");
        value_add_hex(s->arena, &v, STR("key"), STR(""), row->key, sizeof row->key);
        value_add_hex(s->arena, &v, STR("body"), STR(""), row->value.body_digest,
                      sizeof row->value.body_digest);
        value_add_int(s->arena, &v, STR("seq"), (int64_t)row->value.seq);
        value_add_int(s->arena, &v, STR("at"), row->at_ms);
        rc = put(s, &v);
    }
    return rc;
}

enum rc world_save(const struct world *w, world_record_fn fn, void *context, struct err *e)
{
    static enum rc (*const parts[])(struct saver *s) = {
        save_head,  save_policy, save_graph, save_observed, save_agents,  save_services, save_tools,
        save_tokens, save_stops, save_actions, save_keys, save_patterns, save_grants,
        save_incidents, save_precedents,
    };
    must(!w->lens);
    struct saver s = {w, fn, context, arena_new(WORLD_RECORD_MAX * 4), {0}, e};
    if (s.arena == NULL) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    buf_init(&s.out, WORLD_RECORD_MAX);
    enum rc rc = RC_OK;
    for (size_t i = 0; i < sizeof parts / sizeof *parts && rc == RC_OK; i++) {
        rc = parts[i](&s);
    }
    buf_done(&s.out);
    arena_free(s.arena);
    return rc;
}
