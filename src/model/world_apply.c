/*
 * model/world_apply - what each kind of entry does to the world: one row of a table per kind.
 *
 * A row's function reads the body it was promised and fails with RC_CORRUPT when something is missing:
 * a ledger that can't be applied whole is not applied at all.
 */
#include "model/world_step.h"

#include "base/must.h"

#include <stdlib.h>

/* --- ledger, policy, catalogue -------------------------------------------------------------------- */

static enum rc nothing(const struct step *s)
{
    (void)s;
    return RC_OK;
}

static enum rc ledger_created(const struct step *s)
{
    copy_text(s->w->origin, sizeof s->w->origin, text(s, STR("origin")));
    return s->entry->seq == 0 ? RC_OK : err_set(s->e, RC_CORRUPT, "a ledger is created by entry 0 only");
}

static enum rc blobs_erased(const struct step *s)
{
    int64_t through = value_integer_or(get(s, STR("through_seq")), -1);
    if (through < 0 || (uint64_t)through >= s->entry->seq) {
        return missing(s, "how far it goes");
    }
    if ((uint64_t)through > s->w->erased_through) {
        s->w->erased_through = (uint64_t)through;
    }
    return RC_OK;
}

static enum rc policy_loaded(const struct step *s)
{
    struct policy *p;
    struct str hash = text(s, STR("hash"));
    if (hash.len == 0 || s->policy_text.len == 0) {
        return missing(s, "the policy");
    }
    if (!str_to_c(text(s, STR("aside")), s->w->policy_aside, sizeof s->w->policy_aside)) {
        return missing(s, "the policy that it takes the place of");
    }
    enum rc rc = policy_parse(s->policy_text, &p, s->e);
    return rc == RC_OK ? catalogue_load_policy(s->w, p, s->entry->seq, hash, s->e) : rc;
}

static enum rc agent_registered(const struct step *s)
{
    return catalogue_declare_agent(s->w, get(s, STR("definition")), s->entry->seq, s->e);
}

static enum rc service_declared(const struct step *s)
{
    return catalogue_declare_service(s->w, get(s, STR("definition")), s->entry->seq, s->e);
}

static enum rc tool_declared(const struct step *s)
{
    return catalogue_declare_tool(s->w, get(s, STR("definition")), s->entry->seq, s->e);
}

/* --- tokens ------------------------------------------------------------------------------------------ */

static enum rc token_created(const struct step *s)
{
    struct world_token t = {.id = s->entry->seq, .agent = MAP_NONE};
    const struct value *roles = get(s, STR("roles"));
    for (uint32_t i = 0; roles != NULL && roles->type == VALUE_ARRAY && i < roles->count; i++) {
        unsigned role;
        if (!role_parse(value_text(&roles->items[i]), &role)) {
            return missing(s, "a role");
        }
        t.roles |= role;
    }
    if (t.roles == 0 || !digest_of(text(s, STR("digest")), STR("sha256:"), t.digest, sizeof t.digest)) {
        return missing(s, "the token's roles or digest");
    }
    if ((t.roles & ROLE_AGENT) != 0 || text(s, STR("agent")).len > 0) {
        enum rc rc = !str_is_name(text(s, STR("agent")))
                         ? missing(s, "the token's agent")
                         : catalogue_agent_row(s->w, text(s, STR("agent")), &t.agent, s->e);
        if (rc != RC_OK) {
            return rc;
        }
    }
    copy_text(t.person, sizeof t.person, text(s, STR("person")));
    copy_text(t.services, sizeof t.services, text(s, STR("services")));
    copy_text(t.groups, sizeof t.groups, text(s, STR("groups")));
    t.expires_ms = instant_or(s, STR("expires_at"), 0);
    return tokens_add(s->w, &t, s->e);
}

static enum rc token_revoked(const struct step *s)
{
    uint64_t id;
    uint32_t at = ref_id(s, 0, "tok", &id) ? idmap_get(&s->w->token_by_id, id) : (uint32_t)MAP_NONE;
    if (at == MAP_NONE) {
        return missing(s, "the token");
    }
    s->w->tokens[at]->revoked = true;
    return RC_OK;
}

/* --- stops --------------------------------------------------------------------------------------------- */

static enum rc stop_set(const struct step *s)
{
    struct world_stop stop = {.id = s->entry->seq, .at_ms = s->entry->time_ms};
    if (!stop_scope_parse(text(s, STR("scope")), &stop.scope)) {
        return missing(s, "the stop's scope");
    }
    if (s->w->stop_count == STOPS_MAX) {
        return err_set(s->e, RC_LIMIT, "more than %d stops in force", STOPS_MAX);
    }
    if (text(s, STR("level")).len > 0 && !stop_level_parse(text(s, STR("level")), &stop.level)) {
        return missing(s, "the stop's level");
    }
    if (!id_parse(s->entry->actor, "tok", &stop.by)) {
        stop.by = 0; /* the stop file or a signal: the system's own */
    }
    copy_text(stop.name, sizeof stop.name, text(s, STR("name")));
    copy_text(stop.by_person, sizeof stop.by_person, text(s, STR("person")));
    copy_text(stop.reason, sizeof stop.reason, text(s, STR("reason")));
    s->w->stops[s->w->stop_count++] = stop;
    stops_find_running(s->w, &s->w->stops[s->w->stop_count - 1]);
    return RC_OK;
}

static enum rc stop_confirmed(const struct step *s)
{
    uint64_t id;
    if (!ref_id(s, 0, "stp", &id)) {
        return missing(s, "the stop");
    }
    for (uint32_t i = 0; i < s->w->stop_count; i++) {
        s->w->stops[i].reported = s->w->stops[i].reported || s->w->stops[i].id == id;
    }
    return RC_OK;
}

static enum rc stop_lifted(const struct step *s)
{
    uint64_t id;
    if (!ref_id(s, 0, "stp", &id)) {
        return missing(s, "the stop");
    }
    for (uint32_t i = 0; i < s->w->stop_count; i++) {
        if (s->w->stops[i].id == id) {
            memmove(&s->w->stops[i], &s->w->stops[i + 1],
                    (s->w->stop_count - i - 1) * sizeof *s->w->stops);
            s->w->stop_count--;
            return RC_OK;
        }
    }
    return missing(s, "the stop");
}

/* --- the clock ----------------------------------------------------------------------------------------------- */

static void drop_overrides(struct world *w)
{
    for (const struct action *at = NULL; (at = world_action_next(w, at)) != NULL;) {
        struct action *a = actions_find(w, at->id);
        free(a->overrides);
        a->overrides = NULL;
    }
}

/* The ones that lack others: those that were enough made the action approved. */
static void drop_open_approvals(struct world *w)
{
    for (const struct action *at = NULL; (at = world_action_next(w, at)) != NULL;) {
        struct action *a = actions_find(w, at->id);
        if (a->state == ACTION_ESCALATED && a->review != NULL) {
            a->review->approval_count = 0;
        }
    }
}

static void revoke_grants(struct world *w)
{
    for (uint32_t i = 0; i < w->grant_count; i++) {
        w->grants[i]->revoked = true;
    }
}

/* Whether what was said for a time is over is in doubt once the clock was set. */
static enum rc clock_accepted(const struct step *s)
{
    drop_overrides(s->w);
    if (s->entry->v >= 2) {
        drop_open_approvals(s->w);
        revoke_grants(s->w);
    }
    return RC_OK;
}

/* --- restored with a loss ------------------------------------------------------------------------------------- */

/* What became of it in the entries that were lost is not known: it must not start, perhaps a second time. */
static enum rc void_action(const struct step *s, struct action *a)
{
    switch (a->state) {
    case ACTION_ALLOWED:
        /* One that was reported or not, but never waits for a commit, is over. */
        return a->two_phase ? actions_move(s->w, a, ACTION_CANCELLED, INT64_MAX, s->e) : RC_OK;
    case ACTION_HELD:
    case ACTION_APPROVED:
        return actions_move(s->w, a, ACTION_CANCELLED, INT64_MAX, s->e);
    case ACTION_ESCALATED:
        if (a->review != NULL) {
            a->review->approval_count = 0;
        }
        return RC_OK;
    case ACTION_EXECUTING: {
        enum rc rc = actions_move(s->w, a, ACTION_UNKNOWN, INT64_MAX, s->e);
        return rc == RC_OK ? conduct_ended(s->w, a, false, s->e) : rc;
    }
    default:
        return RC_OK;
    }
}

static enum rc ledger_restored(const struct step *s)
{
    /* It stands right behind what is left. */
    if (value_integer_or(get(s, STR("lost_after")), -1) != (int64_t)s->entry->seq - 1) {
        return missing(s, "where the loss begins");
    }
    enum rc rc = RC_OK;
    const struct action *at = NULL;
    while (rc == RC_OK && (at = world_action_next(s->w, at)) != NULL) {
        rc = void_action(s, actions_find(s->w, at->id));
    }
    revoke_grants(s->w);
    drop_overrides(s->w);
    return rc;
}

/* --- the table ---------------------------------------------------------------------------------------------- */

static enum rc (*const appliers[ENTRY_KIND_COUNT])(const struct step *s) = {
    [ENTRY_LEDGER_CREATED] = ledger_created,
    [ENTRY_LEDGER_SNAPSHOT] = nothing,
    [ENTRY_POLICY_LOADED] = policy_loaded,
    [ENTRY_TOKEN_CREATED] = token_created,
    [ENTRY_TOKEN_REVOKED] = token_revoked,
    [ENTRY_AGENT_REGISTERED] = agent_registered,
    [ENTRY_SERVICE_DECLARED] = service_declared,
    [ENTRY_TOOL_DECLARED] = tool_declared,
    [ENTRY_ACTION_DECIDED] = action_decided,
    [ENTRY_ACTION_REDECIDED] = action_redecided,
    [ENTRY_ACTION_COMMITTED] = action_committed,
    [ENTRY_ACTION_HEARTBEAT] = action_heartbeat,
    [ENTRY_ACTION_FINISHED] = action_finished,
    [ENTRY_ACTION_LOST] = action_lost,
    [ENTRY_ACTION_CANCELLED] = action_cancelled,
    [ENTRY_ACTION_EXPIRED] = action_expired,
    [ENTRY_ACTION_ABANDONED] = action_abandoned,
    [ENTRY_APPROVAL_GRANTED] = approval_granted,
    [ENTRY_APPROVAL_REJECTED] = approval_rejected,
    [ENTRY_STOP_SET] = stop_set,
    [ENTRY_STOP_LIFTED] = stop_lifted,
    [ENTRY_STOP_CONFIRMED] = stop_confirmed,
    [ENTRY_DEPLOY_STARTED] = deploy_started,
    [ENTRY_DEPLOY_ENDED] = deploy_ended,
    [ENTRY_SLI_BUCKET] = sli_bucket,
    [ENTRY_ON_CALL_CHANGED] = on_call_changed,
    [ENTRY_SNAPSHOT_TAKEN] = evidence_recorded,
    [ENTRY_ROLLBACK_TESTED] = evidence_recorded,
    [ENTRY_OVERRIDE_GRANTED] = override_granted,
    [ENTRY_CLOCK_JUMPED] = nothing,
    [ENTRY_CLOCK_ACCEPTED] = clock_accepted,
    [ENTRY_LOAD_REFUSED] = nothing,
    [ENTRY_BREAKER_SET] = breaker_set,
    [ENTRY_TIER_CHANGED] = tier_changed,
    [ENTRY_GRANT_ISSUED] = grant_issued,
    [ENTRY_GRANT_REVOKED] = grant_revoked,
    [ENTRY_ACTION_VERIFIED] = action_verified,
    [ENTRY_ACTION_VIOLATED] = action_violated,
    [ENTRY_REVERT_STARTED] = revert_started,
    [ENTRY_REVERT_FINISHED] = revert_finished,
    [ENTRY_INCIDENT_CLOSED] = incident_closed,
    [ENTRY_LEDGER_RESTORED] = ledger_restored,
    [ENTRY_BLOBS_ERASED] = blobs_erased,
    [ENTRY_GRAPH_WRITTEN] = graph_written,
    [ENTRY_INCIDENT_OPENED] = incident_opened,
    [ENTRY_MEMORY_READ] = nothing,
    [ENTRY_GRAPH_OBSERVED] = graph_observed,
};

static enum rc take_key(const struct step *s, const struct value *idem)
{
    uint8_t key[32];
    uint8_t body[16];
    if (!hex_decode(value_text(value_get(idem, STR("key"))), key, sizeof key) ||
        !hex_decode(value_text(value_get(idem, STR("body"))), body, sizeof body)) {
        return missing(s, "the idempotency key");
    }
    return idempotency_put(s->w, key, body, s->entry->seq, s->entry->time_ms, s->e);
}

/* One, or those of all the requests that an entry sums up. */
static enum rc take_idempotency(const struct step *s)
{
    const struct value *idem = get(s, STR("idem"));
    const struct value *idems = get(s, STR("idems"));
    enum rc rc = idem == NULL ? RC_OK : take_key(s, idem);
    for (uint32_t i = 0; rc == RC_OK && value_item(idems, i) != NULL; i++) {
        rc = take_key(s, value_item(idems, i));
    }
    return rc;
}

enum rc world_apply(struct world *w, const struct entry *entry, const struct value *body,
                    struct str policy_text, struct err *e)
{
    must((unsigned)entry->kind < ENTRY_KIND_COUNT && appliers[entry->kind] != NULL);
    if (entry->seq != w->next_seq || entry->time_ms < w->time_ms) {
        return err_set(e, RC_CORRUPT, "entry %llu does not follow: expected seq %llu at or after %lld",
                       (unsigned long long)entry->seq, (unsigned long long)w->next_seq,
                       (long long)w->time_ms);
    }
    aqdd_advance(w, entry->time_ms);
    w->time_ms = entry->time_ms;
    w->next_seq = entry->seq + 1;
    struct step s = {w, entry, body, policy_text, e};
    enum rc rc = graph_advance(w->graph, entry->time_ms, e);
    rc = rc == RC_OK ? appliers[entry->kind](&s) : rc;
    rc = rc == RC_OK ? take_idempotency(&s) : rc;
    if (rc != RC_OK) {
        struct str kind = entry_kind_name(entry->kind);
        rc = rc == RC_INVALID ? RC_CORRUPT : rc; /* a definition or a policy that is none */
        return err_wrap(e, rc, "entry %llu (%.*s)", (unsigned long long)entry->seq, STR_ARG(kind));
    }
    actions_evict(w);
    grants_evict(w);
    idempotency_evict(w);
    precedents_evict(w);
    return RC_OK;
}
