/*
 * model/world_load - a world from the records that world_save wrote.
 */
#include "model/world_internal.h"

#include "base/encode.h"
#include "base/must.h"
#include "value/json.h"

#include <stdlib.h>
#include <string.h>

struct loader {
    struct world *w;
    const struct value *v;
    struct err *e;
};

static enum rc corrupt(struct loader *l, const char *what)
{
    return err_set(l->e, RC_CORRUPT, "the snapshot's %s is malformed", what);
}

static int64_t number(const struct loader *l, const char *name)
{
    return value_integer_or(value_get(l->v, str_from(name)), 0);
}

static struct str word(const struct loader *l, const char *name)
{
    return value_text(value_get(l->v, str_from(name)));
}

static uint32_t list_count(const struct value *v)
{
    return value_is(v, VALUE_ARRAY) ? v->count : 0;
}

static int64_t list_int(const struct value *v, uint32_t i)
{
    return i < list_count(v) ? value_integer_or(&v->items[i], 0) : 0;
}

static enum rc load_head(struct loader *l)
{
    struct world *w = l->w;
    if (number(l, "format") != WORLD_FORMAT) {
        return err_set(l->e, RC_CORRUPT, "the snapshot has format %lld: this program reads %d",
                       (long long)number(l, "format"), WORLD_FORMAT);
    }
    w->next_seq = (uint64_t)number(l, "next_seq");
    w->time_ms = number(l, "time_ms");
    w->aqdd_baseline_milli = number(l, "aqdd_baseline");
    w->aqdd_samples = number(l, "aqdd_samples");
    w->aqdd_next_ms = number(l, "aqdd_next");
    w->aqdd_over_since_ms = number(l, "aqdd_over");
    w->erased_through = (uint64_t)number(l, "erased_through");
    return str_to_c(word(l, "origin"), w->origin, sizeof w->origin) ? RC_OK : corrupt(l, "origin");
}

/* Only the policy's text is taken now: its agents, services and tools come in their own order. */
static enum rc load_policy(struct loader *l)
{
    struct world *w = l->w;
    w->policy_seq = (uint64_t)number(l, "seq");
    if (!str_to_c(word(l, "hash"), w->policy_hash, sizeof w->policy_hash) ||
        !str_to_c(word(l, "aside"), w->policy_aside, sizeof w->policy_aside)) {
        return corrupt(l, "policy");
    }
    return policy_parse(word(l, "text"), &w->policy, l->e);
}

static void load_calibration(const struct loader *l, struct calibration *c)
{
    const struct value *n = value_get(l->v, STR("calibration"));
    *c = (struct calibration){list_int(n, 0), list_int(n, 1), list_int(n, 2), list_int(n, 3), list_int(n, 4),
                              list_int(n, 5), list_int(n, 6), list_int(n, 7), list_int(n, 8)};
}

static enum rc load_ring(struct loader *l, const char *name, struct rate_ring **ret)
{
    const struct value *times = value_get(l->v, str_from(name));
    enum rc rc = RC_OK;
    for (uint32_t i = 0; i < list_count(times) && rc == RC_OK; i++) {
        rc = rate_add(ret, list_int(times, i), l->e);
    }
    return rc;
}

static enum rc load_conduct(struct loader *l, struct world_agent *a)
{
    const struct value *b = value_get(l->v, STR("breaker"));
    if (b != NULL) {
        a->breaker = (struct breaker){.open = list_int(b, 0) != 0,
                                      .forced = list_int(b, 1) != 0,
                                      .until_ms = list_int(b, 2),
                                      .denials = (uint32_t)list_int(b, 3),
                                      .failures = (uint32_t)list_int(b, 4),
                                      .probes = (uint32_t)list_int(b, 5)};
        if (!str_to_c(value_text(value_item(b, 6)), a->breaker.cause, sizeof a->breaker.cause)) {
            return corrupt(l, "breaker");
        }
    }
    const struct value *tiers = value_get(l->v, STR("tiers"));
    enum rc rc = RC_OK;
    for (uint32_t i = 0; i + 2 < list_count(tiers) && rc == RC_OK; i += 3) {
        int64_t tier = list_int(tiers, i + 1);
        rc = tier > TIER_DEFAULT && tier <= TIER_AUTONOMOUS
                 ? tier_override(a, value_text(value_item(tiers, i)), (enum tier)tier,
                                 (uint64_t)list_int(tiers, i + 2), l->e)
                 : corrupt(l, "tier");
    }
    a->changes = (uint64_t)number(l, "changes");
    a->changes_good = (uint64_t)number(l, "changes_good");
    load_calibration(l, &a->calibration);
    rc = rc == RC_OK ? load_ring(l, "calls", &a->calls) : rc;
    return rc == RC_OK ? load_ring(l, "done", &a->done) : rc;
}

static enum rc load_agent(struct loader *l)
{
    uint32_t at;
    const struct value *definition = value_get(l->v, STR("definition"));
    enum rc rc = str_is_name(word(l, "name")) ? catalogue_agent_row(l->w, word(l, "name"), &at, l->e)
                                              : corrupt(l, "agent");
    if (rc == RC_OK && definition != NULL) {
        rc = catalogue_declare_agent(l->w, definition, 0, l->e);
    }
    if (rc != RC_OK) {
        return rc;
    }
    struct world_agent *a = l->w->agents[at];
    a->version = (uint64_t)number(l, "version");
    const struct value *her = value_get(l->v, STR("her"));
    for (uint32_t i = 0; i + 1 < list_count(her); i += 2) {
        her_add(&a->her, list_int(her, i), list_int(her, i + 1) != 0);
    }
    return load_conduct(l, a);
}

static enum rc load_window(struct loader *l, struct world_service *s, const struct value *sli)
{
    s->sli = malloc(sizeof *s->sli);
    if (s->sli == NULL) {
        return err_set(l->e, RC_NO_MEMORY, "out of memory");
    }
    window_init(s->sli);
    /* The newest hour may have counted nothing. */
    int64_t newest = list_int(sli, 0);
    if (newest > INT64_MAX / HOUR_MS || (newest >= 0 && !window_add(s->sli, newest * HOUR_MS, 0, 0))) {
        return corrupt(l, "window");
    }
    for (uint32_t i = 1; i + 2 < list_count(sli); i += 3) {
        int64_t good = list_int(sli, i + 1);
        int64_t total = list_int(sli, i + 2);
        if (good < 0 || total < good || !window_add(s->sli, list_int(sli, i) * HOUR_MS, good, total)) {
            return corrupt(l, "window");
        }
    }
    return RC_OK;
}

static enum rc load_on_call(struct loader *l, struct world_service *s)
{
    const struct value *all = value_get(l->v, STR("on_call"));
    s->snapshot_ms = number(l, "snapshot");
    s->rollback_ms = number(l, "rollback");
    if (all == NULL) {
        return RC_OK;
    }
    s->on_call = calloc(1, sizeof *s->on_call);
    if (s->on_call == NULL) {
        return err_set(l->e, RC_NO_MEMORY, "out of memory");
    }
    s->on_call->incidents = list_int(all, 1);
    s->on_call->at_ms = list_int(all, 2);
    s->on_call->until_ms = list_int(all, 3);
    return str_to_c(value_text(value_item(all, 0)), s->on_call->person, sizeof s->on_call->person) ? RC_OK
                                                                                             : corrupt(l, "on_call");
}

static enum rc load_service(struct loader *l)
{
    uint32_t at;
    const struct value *definition = value_get(l->v, STR("definition"));
    enum rc rc = str_is_name(word(l, "name")) ? catalogue_service_row(l->w, word(l, "name"), &at, l->e)
                                              : corrupt(l, "service");
    if (rc == RC_OK && definition != NULL) {
        rc = catalogue_declare_service(l->w, definition, 0, l->e);
    }
    if (rc != RC_OK) {
        return rc;
    }
    struct world_service *s = l->w->services[at];
    s->version = (uint64_t)number(l, "version");
    const struct value *deploys = value_get(l->v, STR("deploys"));
    for (uint32_t i = 0; i + 1 < list_count(deploys) && s->deploy_count < DEPLOYS_MAX; i += 2) {
        struct world_deploy *d = &s->deploys[s->deploy_count++];
        d->since_ms = list_int(deploys, i + 1);
        if (!str_to_c(value_text(&deploys->items[i]), d->id, sizeof d->id)) {
            return corrupt(l, "deploy");
        }
    }
    rc = load_ring(l, "done", &s->done);
    rc = rc == RC_OK ? load_on_call(l, s) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    const struct value *sli = value_get(l->v, STR("sli"));
    s->sli_at_ms = number(l, "sli_at");
    return sli == NULL ? RC_OK : load_window(l, s, sli);
}

static enum rc load_tool(struct loader *l)
{
    uint32_t at;
    const struct value *definition = value_get(l->v, STR("definition"));
    enum rc rc = str_is_name(word(l, "name")) ? catalogue_tool_row(l->w, word(l, "name"), &at, l->e)
                                              : corrupt(l, "tool");
    if (rc == RC_OK && definition != NULL) {
        rc = catalogue_declare_tool(l->w, definition, 0, l->e);
    }
    if (rc == RC_OK) {
        l->w->tools[at]->version = (uint64_t)number(l, "version");
        load_calibration(l, &l->w->tools[at]->calibration);
        rc = load_ring(l, "done", &l->w->tools[at]->done);
    }
    return rc;
}

static enum rc load_token(struct loader *l)
{
    struct world_token t = {.id = (uint64_t)number(l, "id"),
                            .roles = (unsigned)number(l, "roles"),
                            .agent = number(l, "agent") < 0 ? (uint32_t)MAP_NONE
                                                            : (uint32_t)number(l, "agent"),
                            .expires_ms = number(l, "expires"),
                            .revoked = value_bool_or(value_get(l->v, STR("revoked")), true)};
    bool agent_known = t.agent == MAP_NONE || t.agent < l->w->agent_count;
    if (!agent_known || !str_to_c(word(l, "person"), t.person, sizeof t.person) ||
        !str_to_c(word(l, "services"), t.services, sizeof t.services) ||
        !str_to_c(word(l, "groups"), t.groups, sizeof t.groups) ||
        !hex_decode(word(l, "digest"), t.digest, sizeof t.digest)) {
        return corrupt(l, "token");
    }
    return tokens_add(l->w, &t, l->e);
}

static enum rc load_stop(struct loader *l)
{
    if (l->w->stop_count == STOPS_MAX || number(l, "scope") < 0 || number(l, "scope") > STOP_LABEL ||
        number(l, "level") < 0 || number(l, "level") > STOP_DRY_RUN) {
        return corrupt(l, "stop");
    }
    struct world_stop *s = &l->w->stops[l->w->stop_count++];
    *s = (struct world_stop){.id = (uint64_t)number(l, "id"),
                             .scope = (enum stop_scope)number(l, "scope"),
                             .level = (enum stop_level)number(l, "level"),
                             .by = (uint64_t)number(l, "by"),
                             .at_ms = number(l, "at")};
    const struct value *n = value_get(l->v, STR("running"));
    s->running = (uint32_t)list_int(n, 0);
    s->confirmed = (uint32_t)list_int(n, 1);
    s->unconfirmed = (uint32_t)list_int(n, 2);
    s->reported = list_int(n, 3) != 0;
    bool fits = str_to_c(word(l, "name"), s->name, sizeof s->name) &&
                str_to_c(word(l, "person"), s->by_person, sizeof s->by_person) &&
                str_to_c(word(l, "reason"), s->reason, sizeof s->reason);
    return fits ? RC_OK : corrupt(l, "stop");
}

static enum rc action_from_numbers(struct loader *l, struct action *a)
{
    const struct value *n = value_get(l->v, STR("n"));
    a->id = (uint64_t)list_int(n, 0);
    a->agent = list_int(n, 1) < 0 ? (uint32_t)MAP_NONE : (uint32_t)list_int(n, 1);
    a->tool = list_int(n, 2) < 0 ? (uint32_t)MAP_NONE : (uint32_t)list_int(n, 2);
    a->state = (uint8_t)list_int(n, 3);
    a->verdict = (uint8_t)list_int(n, 4);
    a->blocking = (int8_t)list_int(n, 5);
    a->two_phase = list_int(n, 6) != 0;
    a->proposer = (uint64_t)list_int(n, 7);
    a->decided_seq = (uint64_t)list_int(n, 8);
    a->policy_seq = (uint64_t)list_int(n, 9);
    a->grant_seq = (uint64_t)list_int(n, 10);
    a->proposed_ms = list_int(n, 11);
    a->retry_at_ms = list_int(n, 12);
    a->due_ms = list_int(n, 13);
    a->under = (uint64_t)list_int(n, 14);
    a->has_revert = list_int(n, 15) != 0;
    a->stopped_by = (uint64_t)list_int(n, 16);
    a->human = list_int(n, 18) != 0;
    bool sound = list_count(n) == 19 && list_int(n, 3) >= 0 && list_int(n, 3) < ACTION_STATE_COUNT &&
                 list_int(n, 4) >= 0 && list_int(n, 4) <= VERDICT_ALLOW &&
                 list_int(n, 5) >= -1 && list_int(n, 5) < CHECK_COUNT &&
                 (a->agent == MAP_NONE ? a->human || a->state == ACTION_DENIED : a->agent < l->w->agent_count) &&
                 (a->tool == MAP_NONE || a->tool < l->w->tool_count);
    return sound ? RC_OK : corrupt(l, "action");
}

static enum rc load_review(struct loader *l, struct action *a)
{
    struct action_review *review;
    enum rc rc = actions_review(a, &review, l->e);
    if (rc != RC_OK) {
        return rc;
    }
    const struct value *shown = value_get(l->v, STR("shown"));
    for (uint32_t i = 0; i + 3 < list_count(shown); i += 4) {
        int64_t c = list_int(shown, i);
        if (c < 0 || c >= CHECK_COUNT) {
            return corrupt(l, "action");
        }
        review->shown[c] = (struct shown_finding){true, list_int(shown, i + 2) != 0, list_int(shown, i + 1),
                                                         (uint64_t)list_int(shown, i + 3)};
    }
    const struct value *approvals = value_get(l->v, STR("approvals"));
    for (uint32_t i = 0; i + 1 < list_count(approvals) && review->approval_count < APPROVALS_MAX; i += 2) {
        review->approvals[review->approval_count++] =
            (struct world_approval){(uint64_t)list_int(approvals, i), list_int(approvals, i + 1)};
    }
    const struct value *quorums = value_get(l->v, STR("quorums"));
    for (uint32_t i = 0; i < list_count(quorums) && review->quorum_count < QUORUM_MATCHES_MAX; i++) {
        review->quorums[review->quorum_count++] = (uint32_t)list_int(quorums, i);
    }
    return RC_OK;
}

static enum rc load_watch(struct loader *l, struct action *a)
{
    const struct value *n = value_get(l->v, STR("watch"));
    struct action_watch *watch;
    enum rc rc = actions_watch(a, &watch, l->e);
    if (rc != RC_OK) {
        return rc;
    }
    watch->for_ms = list_int(n, 0);
    watch->max_drop_ppm = list_int(n, 1);
    for (uint32_t i = 2; i + 1 < list_count(n) && watch->count < FACT_BUDGETS_MAX; i += 2) {
        if (list_int(n, i) < 0 || list_int(n, i) >= l->w->service_count) {
            return corrupt(l, "watch");
        }
        watch->at[watch->count].service = (uint32_t)list_int(n, i);
        watch->at[watch->count++].before_ppm = list_int(n, i + 1);
    }
    const struct value *after = value_get(l->v, STR("watch_invariants"));
    for (uint32_t i = 0; i < list_count(after) && watch->invariant_count < INVARIANTS_MAX; i++) {
        watch->invariant_after_ms[watch->invariant_count++] = list_int(after, i);
    }
    return RC_OK;
}

static enum rc load_overrides(struct loader *l, struct action *a)
{
    uint64_t bits = (uint64_t)list_int(value_get(l->v, STR("n")), 17);
    const struct value *n = value_get(l->v, STR("overrides"));
    uint32_t at = 0;
    enum rc rc = RC_OK;
    for (unsigned c = 0; c < CHECK_COUNT && rc == RC_OK; c++) {
        if ((bits >> c & 1) != 0) {
            struct world_override by = {(uint64_t)list_int(n, at), (uint64_t)list_int(n, at + 1), list_int(n, at + 2)};
            at += 3;
            rc = by.token != 0 ? actions_override(a, (enum check)c, by, l->e) : corrupt(l, "override");
        }
    }
    return rc == RC_OK && (at != list_count(n) || bits >> CHECK_COUNT != 0) ? corrupt(l, "override") : rc;
}

static enum rc load_names(struct loader *l, struct action *a)
{
    struct action_names names = {.service_count = 0};
    const struct value *services = value_get(l->v, STR("services"));
    for (uint32_t i = 0; i < list_count(services); i++) {
        int64_t at = list_int(services, i);
        if (at < 0 || at >= l->w->service_count || names.service_count == REQUEST_SERVICES_MAX) {
            return corrupt(l, "action");
        }
        names.services[names.service_count++] = (uint32_t)at;
    }
    const struct value *act = value_get(l->v, STR("act"));
    for (uint32_t i = 0; i < list_count(act); i++) {
        int64_t at = list_int(act, i);
        if (at < 0 || at >= l->w->agent_count || names.act_count == REQUEST_ACT_MAX) {
            return corrupt(l, "action");
        }
        names.act[names.act_count++] = (uint32_t)at;
    }
    return actions_name(a, &names, l->e);
}

static enum rc action_lists(struct loader *l, struct action *a)
{
    enum rc rc = load_names(l, a);
    rc = rc == RC_OK && value_get(l->v, STR("shown")) != NULL ? load_review(l, a) : rc;
    rc = rc == RC_OK && value_get(l->v, STR("watch")) != NULL ? load_watch(l, a) : rc;
    return rc == RC_OK ? load_overrides(l, a) : rc;
}

static enum rc action_digests(struct loader *l, struct action *a)
{
    bool sound = hex_decode(word(l, "digest"), a->digest, sizeof a->digest) &&
                 (a->grant_seq == 0 || hex_decode(word(l, "nonce"), a->nonce, sizeof a->nonce));
    return sound ? RC_OK : corrupt(l, "action");
}

static enum rc load_action(struct loader *l)
{
    struct action a = {.closed_ms = number(l, "closed")};
    enum rc rc = action_from_numbers(l, &a);
    rc = rc == RC_OK ? action_digests(l, &a) : rc;
    rc = rc == RC_OK ? action_lists(l, &a) : rc;
    if (rc != RC_OK) {
        action_done(&a);
        return rc;
    }
    return actions_restore(l->w, &a, l->e);
}

static enum rc load_pattern(struct loader *l)
{
    const struct value *n = value_get(l->v, STR("n"));
    int64_t tool = list_int(n, 0);
    int64_t service = list_int(n, 1);
    if (list_count(n) != 6 || tool < 0 || tool >= l->w->tool_count || service < 0 || service >= l->w->service_count) {
        return corrupt(l, "pattern");
    }
    struct world_pattern *p;
    enum rc rc = pattern_row(l->w, (uint32_t)tool, (uint32_t)service, &p, l->e);
    if (rc == RC_OK && p != NULL) {
        p->n = (uint64_t)list_int(n, 2);
        p->failed = (uint64_t)list_int(n, 3);
        p->last = (uint64_t)list_int(n, 4);
        p->last_ms = list_int(n, 5);
    }
    return rc;
}

static enum rc load_grant(struct loader *l)
{
    struct world_grant g = {.id = (uint64_t)number(l, "id"),
                            .expires_ms = number(l, "expires"),
                            .by = (uint64_t)number(l, "by"),
                            .revoked = value_bool_or(value_get(l->v, STR("revoked")), true)};
    bool fits = str_to_c(word(l, "agent"), g.agent, sizeof g.agent) &&
                str_to_c(word(l, "tool"), g.tool, sizeof g.tool) &&
                str_to_c(word(l, "target"), g.target, sizeof g.target) &&
                str_to_c(word(l, "person"), g.by_person, sizeof g.by_person) &&
                str_to_c(word(l, "reason"), g.reason, sizeof g.reason);
    return fits ? grants_add(l->w, &g, value_get(l->v, STR("where")), l->e) : corrupt(l, "grant");
}

static enum rc load_incident(struct loader *l)
{
    const struct value *n = value_get(l->v, STR("n"));
    int64_t service = list_int(n, 2);
    if (list_count(n) != 5 || l->w->incident_count == INCIDENTS_MAX || service >= l->w->service_count) {
        return corrupt(l, "incident");
    }
    struct world_incident *x = &l->w->incidents[l->w->incident_count++];
    *x = (struct world_incident){.id = (uint64_t)list_int(n, 0),
                                 .action = (uint64_t)list_int(n, 1),
                                 .service = service < 0 ? (uint32_t)MAP_NONE : (uint32_t)service,
                                 .at_ms = list_int(n, 3),
                                 .review_by_ms = list_int(n, 4)};
    bool fits = str_to_c(word(l, "person"), x->person, sizeof x->person) &&
                str_to_c(word(l, "symptom"), x->symptom, sizeof x->symptom) &&
                str_to_c(word(l, "shape"), x->shape, sizeof x->shape);
    return fits ? RC_OK : corrupt(l, "incident");
}

static enum rc load_observed(struct loader *l)
{
    const struct value *n = value_get(l->v, STR("n"));
    if (list_count(n) != 3) {
        return corrupt(l, "observation");
    }
    graph_note_observed(l->w, (struct observed_span){list_int(n, 0), list_int(n, 1), (uint64_t)list_int(n, 2)});
    return RC_OK;
}

static enum rc load_precedent(struct loader *l)
{
    const struct value *n = value_get(l->v, STR("n"));
    const struct value *tried = value_get(l->v, STR("tried"));
    int64_t service = list_int(n, 4);
    int64_t tool = list_int(n, 5);
    struct world_precedent p = {.incident = (uint64_t)list_int(n, 0),
                                .closed_seq = (uint64_t)list_int(n, 1),
                                .at_ms = list_int(n, 2),
                                .closed_ms = list_int(n, 3),
                                .service = service < 0 ? (uint32_t)MAP_NONE : (uint32_t)service,
                                .tool = tool < 0 ? (uint32_t)MAP_NONE : (uint32_t)tool,
                                .action = (uint64_t)list_int(n, 6)};
    if (list_count(n) != 7 || service >= l->w->service_count || tool >= l->w->tool_count ||
        !str_to_c(word(l, "shape"), p.shape, sizeof p.shape)) {
        return corrupt(l, "precedent");
    }
    for (uint32_t i = 0; i + 1 < list_count(tried) && p.tried_count < PRECEDENT_TRIED_MAX; i += 2) {
        if (list_int(tried, i) < 0 || list_int(tried, i) >= l->w->tool_count) {
            return corrupt(l, "precedent");
        }
        p.tried[p.tried_count].tool = (uint32_t)list_int(tried, i);
        p.tried[p.tried_count++].good = list_int(tried, i + 1) != 0;
    }
    return precedent_add(l->w, &p, l->e);
}

static enum rc load_key(struct loader *l)
{
    uint8_t key[32];
    uint8_t body[16];
    if (!hex_decode(word(l, "key"), key, sizeof key) || !hex_decode(word(l, "body"), body, sizeof body)) {
        return corrupt(l, "idempotency key");
    }
    return idempotency_put(l->w, key, body, (uint64_t)number(l, "seq"), number(l, "at"), l->e);
}

static const struct {
    const char *kind;
    enum rc (*load)(struct loader *l);
} rows[] = {
    {"world", load_head}, {"policy", load_policy}, {"agent", load_agent},   {"service", load_service},
    {"tool", load_tool},  {"token", load_token},   {"stop", load_stop},     {"action", load_action},
    {"key", load_key},    {"pattern", load_pattern}, {"grant", load_grant},
    {"incident", load_incident}, {"observed", load_observed}, {"precedent", load_precedent},
};

enum rc world_load_record(struct world *w, struct str record, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(WORLD_RECORD_MAX * 4);
    if (a == NULL) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    struct value v;
    enum rc rc = json_parse(a, record, &v, e);
    if (rc != RC_OK) {
        return rc == RC_INVALID ? err_wrap(e, RC_CORRUPT, "snapshot") : rc;
    }
    struct loader l = {w, &v, e};
    struct str kind = value_text(value_get(&v, STR("r")));
    if (str_starts(kind, STR(GRAPH_RECORD))) {
        return graph_load_record(w->graph, &v, e);
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (str_eq(kind, str_from(rows[i].kind))) {
            rc = rows[i].load(&l);
            return rc == RC_INVALID ? err_wrap(e, RC_CORRUPT, "snapshot") : rc;
        }
    }
    return corrupt(&l, "record kind");
}

/* Definitions that the policy declares are tied to their rows once all rows are there. */
static enum rc tie_policy(struct world *w, struct err *e)
{
    const struct policy *p = w->policy;
    for (uint32_t i = 0; p != NULL && i < p->agent_count; i++) {
        uint32_t at = world_agent_find(w, p->agents[i].name);
        if (at == MAP_NONE) {
            return err_set(e, RC_CORRUPT, "the snapshot lacks an agent of its policy");
        }
        w->agents[at]->def = &p->agents[i];
    }
    for (uint32_t i = 0; p != NULL && i < p->service_count; i++) {
        uint32_t at = world_service_find(w, p->services[i].name);
        if (at == MAP_NONE) {
            return err_set(e, RC_CORRUPT, "the snapshot lacks a service of its policy");
        }
        w->services[at]->def = &p->services[i];
    }
    for (uint32_t i = 0; p != NULL && i < p->tool_count; i++) {
        uint32_t at = world_tool_find(w, p->tools[i].name);
        if (at == MAP_NONE) {
            return err_set(e, RC_CORRUPT, "the snapshot lacks a tool of its policy");
        }
        w->tools[at]->def = &p->tools[i];
    }
    return RC_OK;
}

enum rc world_load_end(struct world *w, struct err *e)
{
    enum rc rc = tie_policy(w, e);
    rc = rc == RC_OK ? graph_settle_loaded(w, e) : rc;
    return rc == RC_OK ? actions_restore_closed(w, e) : rc;
}
