/*
 * model/world_apply - what each kind of entry does to the world: one row of a table per kind.
 *
 * A row's function reads the body it was promised and fails with RC_CORRUPT when something is missing:
 * a ledger that can't be applied whole is not applied at all.
 */
#include "model/world_internal.h"

#include "base/encode.h"
#include "base/must.h"

#include <stdlib.h>
#include <string.h>

struct step {
    struct world *w;
    const struct entry *entry;
    const struct value *body;
    struct str policy_text;
    struct err *e;
};

static enum rc missing(const struct step *s, const char *what)
{
    return err_set(s->e, RC_CORRUPT, "%s is missing or malformed", what);
}

static const struct value *get(const struct step *s, const char *name)
{
    return value_get(s->body, str_from(name));
}

static struct str text(const struct step *s, const char *name)
{
    return value_text(get(s, name));
}

static NODISCARD bool instant(const struct step *s, const char *name, int64_t *ret)
{
    return instant_parse(text(s, name), ret);
}

/* An instant that may be absent. */
static int64_t instant_or(const struct step *s, const char *name, int64_t otherwise)
{
    int64_t ms;
    return instant(s, name, &ms) ? ms : otherwise;
}

static NODISCARD bool digest_of(struct str value, struct str prefix, uint8_t *out, size_t len)
{
    return str_starts(value, prefix) && hex_decode(str_slice(value, prefix.len, value.len), out, len);
}

static NODISCARD bool ref_id(const struct step *s, unsigned i, const char *prefix, uint64_t *ret)
{
    return i < s->entry->ref_count && id_parse(s->entry->refs[i], prefix, ret);
}

static struct action *ref_action(const struct step *s)
{
    uint64_t id;
    return ref_id(s, 0, "act", &id) ? actions_find(s->w, id) : NULL;
}

/* As much of a text as fits, cut between characters: the world is saved as UTF-8. */
static struct str text_that_fits(struct str from, size_t size)
{
    size_t len = from.len < size ? from.len : size - 1;
    while (len > 0 && len < from.len && ((unsigned char)from.ptr[len] & 0xc0) == 0x80) {
        len--;
    }
    return str_slice(from, 0, len);
}

static void copy_text(char *out, size_t size, struct str from)
{
    struct str cut = text_that_fits(from, size);
    if (cut.len > 0) {
        memcpy(out, cut.ptr, cut.len);
    }
    out[cut.len] = '\0';
}

/* --- ledger, policy, catalogue -------------------------------------------------------------------- */

static enum rc nothing(const struct step *s)
{
    (void)s;
    return RC_OK;
}

static enum rc ledger_created(const struct step *s)
{
    copy_text(s->w->origin, sizeof s->w->origin, text(s, "origin"));
    return s->entry->seq == 0 ? RC_OK : err_set(s->e, RC_CORRUPT, "a ledger is created by entry 0 only");
}

static enum rc blobs_erased(const struct step *s)
{
    int64_t through = value_integer_or(get(s, "through_seq"), -1);
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
    struct str hash = text(s, "hash");
    if (hash.len == 0 || s->policy_text.len == 0) {
        return missing(s, "the policy");
    }
    if (!str_to_c(text(s, "aside"), s->w->policy_aside, sizeof s->w->policy_aside)) {
        return missing(s, "the policy that it takes the place of");
    }
    enum rc rc = policy_parse(s->policy_text, &p, s->e);
    return rc == RC_OK ? catalogue_load_policy(s->w, p, s->entry->seq, hash, s->e) : rc;
}

static enum rc agent_registered(const struct step *s)
{
    return catalogue_declare_agent(s->w, get(s, "definition"), s->entry->seq, s->e);
}

static enum rc service_declared(const struct step *s)
{
    return catalogue_declare_service(s->w, get(s, "definition"), s->entry->seq, s->e);
}

static enum rc tool_declared(const struct step *s)
{
    return catalogue_declare_tool(s->w, get(s, "definition"), s->entry->seq, s->e);
}

/* --- tokens ------------------------------------------------------------------------------------------ */

static enum rc token_created(const struct step *s)
{
    struct world_token t = {.id = s->entry->seq, .agent = MAP_NONE};
    const struct value *roles = get(s, "roles");
    for (uint32_t i = 0; roles != NULL && roles->type == VALUE_ARRAY && i < roles->count; i++) {
        unsigned role;
        if (!role_parse(value_text(&roles->items[i]), &role)) {
            return missing(s, "a role");
        }
        t.roles |= role;
    }
    if (t.roles == 0 || !digest_of(text(s, "digest"), STR("sha256:"), t.digest, sizeof t.digest)) {
        return missing(s, "the token's roles or digest");
    }
    if ((t.roles & ROLE_AGENT) != 0 || text(s, "agent").len > 0) {
        enum rc rc = !str_is_name(text(s, "agent"))
                         ? missing(s, "the token's agent")
                         : catalogue_agent_row(s->w, text(s, "agent"), &t.agent, s->e);
        if (rc != RC_OK) {
            return rc;
        }
    }
    copy_text(t.person, sizeof t.person, text(s, "person"));
    copy_text(t.services, sizeof t.services, text(s, "services"));
    copy_text(t.groups, sizeof t.groups, text(s, "groups"));
    t.expires_ms = instant_or(s, "expires_at", 0);
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

/* --- actions ------------------------------------------------------------------------------------------ */

static const enum action_state state_after[] = {
    [VERDICT_DENY] = ACTION_DENIED,     [VERDICT_ESCALATE] = ACTION_ESCALATED,
    [VERDICT_HOLD] = ACTION_HELD,       [VERDICT_ADVISE] = ACTION_ADVISED,
    [VERDICT_ALLOW] = ACTION_ALLOWED,
};

static void keep_quorums(const struct step *s, struct action_review *review)
{
    const struct value *names = get(s, "quorum");
    const struct policy *p = s->w->policy;
    for (uint32_t i = 0; p != NULL && value_item(names, i) != NULL; i++) {
        for (uint32_t k = 0; k < p->quorum_count && review->quorum_count < QUORUM_MATCHES_MAX; k++) {
            if (str_eq(p->quorums[k].name, value_text(value_item(names, i)))) {
                review->quorums[review->quorum_count++] = k;
            }
        }
    }
}

/* A new decision takes the place of what was shown, and voids what was approved. */
static enum rc keep_shown(const struct step *s, struct action *a, const struct decision *d)
{
    if (a->review == NULL && a->verdict != VERDICT_ESCALATE) {
        return RC_OK;
    }
    struct action_review *review;
    enum rc rc = actions_review(a, &review, s->e);
    if (rc == RC_OK && a->verdict == VERDICT_ESCALATE) {
        keep_quorums(s, review);
    }
    for (unsigned c = 0; rc == RC_OK && a->verdict == VERDICT_ESCALATE && c < CHECK_COUNT; c++) {
        const struct finding *f = &d->findings[c];
        if (f->verdict == VERDICT_ESCALATE && finding_counts(f)) {
            review->shown[c] = (struct shown_finding){true, f->unknown, f->value, f->mark};
        }
    }
    return rc;
}

/* The parts of a decision that the world keeps. */
static enum rc take_decision(const struct step *s, struct action *a)
{
    struct decision d = {0};
    if (!verdict_parse(text(s, "verdict"), &a->verdict)) {
        return missing(s, "the verdict");
    }
    /* Only what an approver will be shown is kept, so only an escalation's findings are read. */
    enum rc rc = a->verdict != VERDICT_ESCALATE ? RC_OK : findings_read(get(s, "findings"), &d, s->e);
    if (rc != RC_OK) {
        return rc;
    }
    enum check blocking;
    a->blocking = check_parse(text(s, "blocking"), &blocking) ? (int)blocking : -1;
    a->decided_seq = s->entry->seq;
    a->policy_seq = s->w->policy_seq;
    a->retry_at_ms = instant_or(s, "retry_at", 0);
    return keep_shown(s, a, &d);
}

static enum rc take_services(const struct step *s, struct action *a)
{
    const struct value *services = get(s, "services");
    for (uint32_t i = 0; services != NULL && services->type == VALUE_ARRAY && i < services->count; i++) {
        uint32_t at = world_service_find(s->w, value_text(&services->items[i]));
        if (at == MAP_NONE || a->service_count == REQUEST_SERVICES_MAX) {
            return missing(s, "a service of the action");
        }
        a->services[a->service_count++] = at;
    }
    return RC_OK;
}

/* An agent that is not known is denied, and so is who acts for it: nothing of it runs. */
static void take_chain(const struct step *s, const struct value *act, struct action *a)
{
    for (uint32_t i = 0; i < REQUEST_ACT_MAX && value_item(act, i) != NULL; i++) {
        uint32_t at = world_agent_find(s->w, value_text(value_item(act, i)));
        if (at != MAP_NONE) {
            a->act[a->act_count++] = at;
        }
    }
}

static enum rc action_decided(const struct step *s)
{
    const struct value *request = get(s, "request");
    struct action *a;
    enum rc rc = actions_add(s->w, s->entry->seq, &a, s->e);
    if (rc != RC_OK) {
        return rc;
    }
    a->agent = world_agent_find(s->w, value_text(value_get(request, STR("agent"))));
    a->tool = world_tool_find(s->w, text(s, "tool"));
    take_chain(s, value_get(request, STR("act")), a);
    a->two_phase = value_bool_or(get(s, "two_phase"), true);
    a->has_revert = value_is(get(s, "revert"), VALUE_ARRAY);
    if (!id_parse(s->entry->actor, "tok", &a->proposer)) {
        return missing(s, "the proposer");
    }
    if (!digest_of(value_text(value_get(request, STR("digest"))), STR("sha256:"), a->digest,
                   sizeof a->digest)) {
        return missing(s, "the action's digest");
    }
    rc = take_services(s, a);
    rc = rc == RC_OK ? take_decision(s, a) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    a->human = a->agent == MAP_NONE && value_text(value_get(request, STR("person"))).len > 0;
    if (a->agent == MAP_NONE && !a->human && a->verdict != VERDICT_DENY) {
        return err_set(s->e, RC_CORRUPT, "an action of an unknown agent was not denied");
    }
    bool own = value_bool_or(get(s, "own"), false);
    if (a->agent != MAP_NONE && (a->verdict == VERDICT_ALLOW || own)) {
        her_add(&s->w->agents[a->agent]->her, s->entry->time_ms, own);
    }
    rc = actions_move(s->w, a, state_after[a->verdict], instant_or(s, "expires_at", INT64_MAX), s->e);
    rc = rc == RC_OK ? conduct_decided(s->w, a, s->e) : rc;
    bool runs_now = a->verdict == VERDICT_ALLOW && !a->two_phase;
    return rc == RC_OK && runs_now ? conduct_committed(s->w, a, s->e) : rc;
}

static enum rc action_redecided(const struct step *s)
{
    struct action *a = ref_action(s);
    if (a == NULL) {
        return missing(s, "the action");
    }
    /* An approved action that meets a hold keeps its approval and its expiry. */
    bool keeps = value_bool_or(get(s, "approval_kept"), false);
    if (keeps) {
        a->retry_at_ms = instant_or(s, "retry_at", 0);
        return RC_OK;
    }
    enum rc rc = take_decision(s, a);
    return rc == RC_OK ? actions_move(s->w, a, state_after[a->verdict],
                                      instant_or(s, "expires_at", INT64_MAX), s->e)
                       : rc;
}

/* The budgets as they were at the start, of the targets and of those that call them. */
static enum rc keep_watch(const struct step *s, struct action *a)
{
    const struct value *observe = get(s, "observe");
    if (observe == NULL) {
        return RC_OK;
    }
    struct action_watch *watch;
    enum rc rc = actions_watch(a, &watch, s->e);
    if (rc != RC_OK) {
        return rc;
    }
    watch->for_ms = value_integer_or(value_get(observe, STR("for_ms")), 0);
    watch->max_drop_ppm = value_integer_or(value_get(observe, STR("max_drop_ppm")), 0);
    const struct value *after = value_get(observe, STR("invariants_after_ms"));
    for (uint32_t i = 0; value_item(after, i) != NULL && watch->invariant_count < INVARIANTS_MAX; i++) {
        watch->invariant_after_ms[watch->invariant_count++] = value_integer_or(value_item(after, i), 0);
    }
    const struct value *budgets = value_path(s->body, "facts", "budgets", NULL);
    for (uint32_t i = 0; value_item(budgets, i) != NULL && watch->count < FACT_BUDGETS_MAX; i++) {
        const struct value *b = value_item(budgets, i);
        enum signal_state state;
        uint32_t at = world_service_find(s->w, value_text(value_item(b, 0)));
        bool known = signal_state_parse(value_text(value_item(b, 1)), &state) &&
                     (state == SIGNAL_KNOWN || state == SIGNAL_NO_TRAFFIC);
        if (at != MAP_NONE && known) {
            watch->at[watch->count].service = at;
            watch->at[watch->count++].before_ppm = value_integer_or(value_item(b, 2), 0);
        }
    }
    return watch->for_ms > 0 ? RC_OK : missing(s, "the observation");
}

/* Behind the limit they are in the ledger only. */
static void open_incident(const struct step *s, const struct action *a, uint32_t service, int64_t review_by_ms)
{
    struct world *w = s->w;
    if (w->incident_count < INCIDENTS_MAX) {
        w->incidents[w->incident_count++] =
            (struct world_incident){s->entry->seq, a->id, service, s->entry->time_ms, review_by_ms, ""};
        if (review_by_ms != 0) {
            copy_text(w->incidents[w->incident_count - 1].person, sizeof w->incidents->person, text(s, "person"));
        }
    }
}

static enum rc action_committed(const struct step *s)
{
    struct action *a = ref_action(s);
    int64_t start_by;
    if (a == NULL || !instant(s, "start_by", &start_by) ||
        !digest_of(text(s, "nonce"), STR("sha256:"), a->nonce, sizeof a->nonce)) {
        return missing(s, "the commit");
    }
    a->grant_seq = s->entry->seq;
    a->under = (uint64_t)value_integer_or(value_path(s->body, "facts", "grant", NULL), 0);
    if (value_bool_or(get(s, "break_glass"), false)) {
        open_incident(s, a, a->service_count > 0 ? a->services[0] : (uint32_t)MAP_NONE, s->entry->time_ms + REVIEW_MS);
    }
    enum rc rc = keep_watch(s, a);
    if (rc != RC_OK) {
        return rc;
    }
    rc = actions_move(s->w, a, ACTION_EXECUTING, start_by, s->e);
    return rc == RC_OK ? conduct_committed(s->w, a, s->e) : rc;
}

static enum rc action_heartbeat(const struct step *s)
{
    struct action *a = ref_action(s);
    int64_t due;
    if (a == NULL || !instant(s, "due_at", &due)) {
        return missing(s, "the heartbeat");
    }
    return a->state == ACTION_EXECUTING ? actions_move(s->w, a, ACTION_EXECUTING, due, s->e) : RC_OK;
}

static enum rc action_finished(const struct step *s)
{
    struct action *a = ref_action(s);
    struct str result = text(s, "result");
    bool good = str_eq(result, STR("succeeded"));
    if (a == NULL || (!good && !str_eq(result, STR("failed")))) {
        return missing(s, "the outcome");
    }
    /* A late one was counted when it was lost. */
    bool late = a->state == ACTION_UNKNOWN;
    if (good && !late && a->watch != NULL) {
        return actions_move(s->w, a, ACTION_OBSERVING, s->entry->time_ms + a->watch->for_ms, s->e);
    }
    enum rc rc = actions_move(s->w, a, good ? ACTION_SUCCEEDED : ACTION_FAILED, INT64_MAX, s->e);
    return rc == RC_OK && !late ? conduct_ended(s->w, a, good, s->e) : rc;
}

static enum rc action_verified(const struct step *s)
{
    struct action *a = ref_action(s);
    if (a == NULL) {
        return missing(s, "the action");
    }
    bool told = str_eq(text(s, "level"), STR("verified"));
    enum rc rc = actions_move(s->w, a, told ? ACTION_VERIFIED : ACTION_SUCCEEDED, INT64_MAX, s->e);
    return rc == RC_OK ? conduct_ended(s->w, a, true, s->e) : rc;
}

static enum rc action_violated(const struct step *s)
{
    struct action *a = ref_action(s);
    if (a == NULL) {
        return missing(s, "the action");
    }
    struct world *w = s->w;
    open_incident(s, a, world_service_find(w, text(s, "service")), 0);
    enum rc rc = actions_move(w, a, a->has_revert ? ACTION_REVERT_WAITING : ACTION_VIOLATED, INT64_MAX, s->e);
    return rc == RC_OK ? conduct_ended(w, a, false, s->e) : rc;
}

static enum rc revert_started(const struct step *s)
{
    struct action *a = ref_action(s);
    int64_t due;
    if (a == NULL || !instant(s, "due_at", &due)) {
        return missing(s, "the revert");
    }
    return actions_revert(s->w, a, due, s->e);
}

static enum rc revert_finished(const struct step *s)
{
    struct action *a = ref_action(s);
    if (a == NULL) {
        return missing(s, "the action");
    }
    bool good = str_eq(text(s, "result"), STR("succeeded"));
    return actions_move(s->w, a, good ? ACTION_REVERTED : ACTION_REVERT_FAILED, INT64_MAX, s->e);
}

static enum rc incident_closed(const struct step *s)
{
    uint64_t id;
    if (!ref_id(s, 0, "inc", &id)) {
        return missing(s, "the incident");
    }
    struct world *w = s->w;
    for (uint32_t i = 0; i < w->incident_count; i++) {
        if (w->incidents[i].id == id) {
            memmove(&w->incidents[i], &w->incidents[i + 1], (w->incident_count - i - 1) * sizeof *w->incidents);
            w->incident_count--;
            return RC_OK;
        }
    }
    return RC_OK;
}

static enum rc end_action(const struct step *s, enum action_state state)
{
    struct action *a = ref_action(s);
    return a == NULL ? missing(s, "the action") : actions_move(s->w, a, state, INT64_MAX, s->e);
}

static enum rc action_lost(const struct step *s)
{
    enum rc rc = end_action(s, ACTION_UNKNOWN);
    return rc == RC_OK ? conduct_ended(s->w, ref_action(s), false, s->e) : rc;
}

static enum rc action_cancelled(const struct step *s)
{
    return end_action(s, ACTION_CANCELLED);
}

static enum rc action_expired(const struct step *s)
{
    return end_action(s, ACTION_EXPIRED);
}

static enum rc action_abandoned(const struct step *s)
{
    return end_action(s, ACTION_ABANDONED);
}

static enum rc approval_granted(const struct step *s)
{
    struct action *a = ref_action(s);
    uint64_t token = 0;
    if (a == NULL || !id_parse(s->entry->actor, "tok", &token) ||
        action_review(a)->approval_count == APPROVALS_MAX) {
        return missing(s, "the approval");
    }
    struct action_review *review = a->review;
    enum rc rc = review == NULL ? actions_review(a, &review, s->e) : RC_OK;
    if (rc != RC_OK) {
        return rc;
    }
    review->approvals[review->approval_count++] = (struct world_approval){token, s->entry->time_ms};
    if (!value_bool_or(get(s, "quorum"), false)) {
        return RC_OK;
    }
    return actions_move(s->w, a, ACTION_APPROVED, instant_or(s, "expires_at", INT64_MAX), s->e);
}

static enum rc approval_rejected(const struct step *s)
{
    return end_action(s, ACTION_REJECTED);
}

/* --- stops --------------------------------------------------------------------------------------------- */

static enum rc stop_set(const struct step *s)
{
    struct world_stop stop = {.id = s->entry->seq, .at_ms = s->entry->time_ms};
    if (!stop_scope_parse(text(s, "scope"), &stop.scope)) {
        return missing(s, "the stop's scope");
    }
    if (s->w->stop_count == STOPS_MAX) {
        return err_set(s->e, RC_LIMIT, "more than %d stops in force", STOPS_MAX);
    }
    if (text(s, "level").len > 0 && !stop_level_parse(text(s, "level"), &stop.level)) {
        return missing(s, "the stop's level");
    }
    if (!id_parse(s->entry->actor, "tok", &stop.by)) {
        stop.by = 0; /* the stop file or a signal: the system's own */
    }
    copy_text(stop.name, sizeof stop.name, text(s, "name"));
    copy_text(stop.by_person, sizeof stop.by_person, text(s, "person"));
    copy_text(stop.reason, sizeof stop.reason, text(s, "reason"));
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

/* --- overrides --------------------------------------------------------------------------------------------- */

static enum rc override_granted(const struct step *s)
{
    struct action *a = ref_action(s);
    enum check c;
    if (a == NULL || !check_parse(text(s, "check"), &c)) {
        return missing(s, "the override");
    }
    struct world_override by = {.policy_seq = s->w->policy_seq, .expires_ms = instant_or(s, "expires_at", INT64_MAX)};
    return id_parse(s->entry->actor, "tok", &by.token) ? actions_override(a, c, by, s->e) : missing(s, "who overrides");
}

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

/* --- events ---------------------------------------------------------------------------------------------- */

static struct world_service *event_service(const struct step *s)
{
    uint32_t at = world_service_find(s->w, text(s, "service"));
    return at == MAP_NONE ? NULL : s->w->services[at];
}

static void drop_deploy(struct world_service *service, uint32_t i)
{
    memmove(&service->deploys[i], &service->deploys[i + 1],
            (service->deploy_count - i - 1) * sizeof *service->deploys);
    service->deploy_count--;
}

static enum rc deploy_started(const struct step *s)
{
    struct world_service *service = event_service(s);
    if (service == NULL) {
        return missing(s, "the service");
    }
    if (service->deploy_count == DEPLOYS_MAX) {
        drop_deploy(service, 0);
    }
    struct world_deploy *d = &service->deploys[service->deploy_count++];
    copy_text(d->id, sizeof d->id, text(s, "id"));
    d->since_ms = s->entry->time_ms;
    return RC_OK;
}

static enum rc deploy_ended(const struct step *s)
{
    struct world_service *service = event_service(s);
    if (service == NULL) {
        return missing(s, "the service");
    }
    struct str id = text(s, "id");
    for (uint32_t i = service->deploy_count; i-- > 0;) {
        struct str known = str_from(service->deploys[i].id);
        if (str_eq(known, text_that_fits(id, sizeof service->deploys[i].id))) {
            drop_deploy(service, i);
        }
    }
    return RC_OK;
}

static enum rc on_call_changed(const struct step *s)
{
    struct world_service *service = event_service(s);
    if (service == NULL) {
        return missing(s, "the service");
    }
    if (service->on_call == NULL) {
        service->on_call = calloc(1, sizeof *service->on_call);
        if (service->on_call == NULL) {
            return err_set(s->e, RC_NO_MEMORY, "out of memory");
        }
    }
    struct world_on_call *o = service->on_call;
    int64_t incidents = value_integer_or(get(s, "incidents"), 0);
    int64_t until = 0;
    if (incidents < 0 || (get(s, "until") != NULL && !instant(s, "until", &until))) {
        return missing(s, "the on-call");
    }
    copy_text(o->person, sizeof o->person, value_text(value_item(get(s, "people"), 0)));
    o->incidents = incidents;
    o->at_ms = s->entry->time_ms;
    o->until_ms = until;
    return RC_OK;
}

/* A rollback that was tested and failed is no way back, whatever an older test said. */
static enum rc evidence_recorded(const struct step *s)
{
    struct world_service *service = event_service(s);
    int64_t at;
    if (service == NULL || !instant(s, "at", &at)) {
        return missing(s, "the service");
    }
    if (s->entry->kind == ENTRY_SNAPSHOT_TAKEN) {
        service->snapshot_ms = at > service->snapshot_ms ? at : service->snapshot_ms;
    } else {
        bool good = str_eq(text(s, "result"), STR("succeeded"));
        service->rollback_ms = good ? at : 0;
    }
    return RC_OK;
}

static enum rc sli_bucket(const struct step *s)
{
    struct world_service *service = event_service(s);
    int64_t at;
    int64_t good = value_integer_or(get(s, "good"), -1);
    int64_t total = value_integer_or(get(s, "total"), -1);
    if (service == NULL || !instant(s, "at", &at) || good < 0 || total < good) {
        return missing(s, "the bucket");
    }
    if (service->sli == NULL) {
        service->sli = malloc(sizeof *service->sli);
        if (service->sli == NULL) {
            return err_set(s->e, RC_NO_MEMORY, "out of memory");
        }
        window_init(service->sli);
    }
    if (window_add(service->sli, at, good, total) && at > service->sli_at_ms) {
        service->sli_at_ms = at;
    }
    return RC_OK;
}

/* --- conduct: breakers, tiers, grants ---------------------------------------------------------------------- */

static struct world_agent *event_agent(const struct step *s)
{
    uint32_t at = world_agent_find(s->w, text(s, "agent"));
    return at == MAP_NONE ? NULL : s->w->agents[at];
}

static enum rc breaker_set(const struct step *s)
{
    struct world_agent *agent = event_agent(s);
    enum breaker_phase phase;
    if (agent == NULL || !breaker_phase_parse(text(s, "state"), &phase) || phase == BREAKER_HALF_OPEN) {
        return missing(s, "the breaker");
    }
    agent->breaker = (struct breaker){.open = phase == BREAKER_OPEN, .forced = phase == BREAKER_OPEN};
    copy_text(agent->breaker.cause, sizeof agent->breaker.cause, phase == BREAKER_OPEN ? STR("operator") : STR(""));
    return RC_OK;
}

static enum rc tier_changed(const struct step *s)
{
    struct world_agent *agent = event_agent(s);
    enum tier tier;
    if (agent == NULL || !tier_parse(text(s, "tier"), &tier) || tier == TIER_DEFAULT) {
        return missing(s, "the tier");
    }
    return tier_override(agent, text(s, "service"), tier, s->entry->seq, s->e);
}

static enum rc grant_issued(const struct step *s)
{
    struct world_grant g = {.id = s->entry->seq, .expires_ms = instant_or(s, "expires_at", 0)};
    if (g.expires_ms == 0 || !id_parse(s->entry->actor, "tok", &g.by)) {
        return missing(s, "the grant");
    }
    copy_text(g.agent, sizeof g.agent, text(s, "agent"));
    copy_text(g.tool, sizeof g.tool, text(s, "tool"));
    copy_text(g.target, sizeof g.target, text(s, "target"));
    copy_text(g.by_person, sizeof g.by_person, text(s, "person"));
    copy_text(g.reason, sizeof g.reason, text(s, "reason"));
    return grants_add(s->w, &g, get(s, "where"), s->e);
}

/* It may have ended by itself in the meantime. */
static enum rc grant_revoked(const struct step *s)
{
    uint64_t id;
    if (!ref_id(s, 0, "grt", &id)) {
        return missing(s, "the grant");
    }
    for (uint32_t i = 0; i < s->w->grant_count; i++) {
        if (s->w->grants[i]->id == id) {
            s->w->grants[i]->revoked = true;
        }
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
    if (value_integer_or(get(s, "lost_after"), -1) != (int64_t)s->entry->seq - 1) {
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
    const struct value *idem = get(s, "idem");
    const struct value *idems = get(s, "idems");
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
    enum rc rc = appliers[entry->kind](&s);
    rc = rc == RC_OK ? take_idempotency(&s) : rc;
    if (rc != RC_OK) {
        struct str kind = entry_kind_name(entry->kind);
        rc = rc == RC_INVALID ? RC_CORRUPT : rc; /* a definition or a policy that is none */
        return err_wrap(e, rc, "entry %llu (%.*s)", (unsigned long long)entry->seq, STR_ARG(kind));
    }
    actions_evict(w);
    grants_evict(w);
    idempotency_evict(w);
    return RC_OK;
}
