/*
 * model/world_apply_actions - the life of an action: decided, approved, committed, run, watched, taken back, over.
 */
#include "model/world_step.h"

/* --- actions ------------------------------------------------------------------------------------------ */

static const enum action_state state_after[] = {
    [VERDICT_DENY] = ACTION_DENIED,     [VERDICT_ESCALATE] = ACTION_ESCALATED,
    [VERDICT_HOLD] = ACTION_HELD,       [VERDICT_ADVISE] = ACTION_ADVISED,
    [VERDICT_ALLOW] = ACTION_ALLOWED,
};

static void keep_quorums(const struct step *s, struct action_review *review)
{
    const struct value *names = get(s, STR("quorum"));
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
static enum rc keep_shown(const struct step *s, struct action *a)
{
    struct decision d = {0};
    struct action_review *review;
    enum rc rc = findings_read(get(s, STR("findings")), &d, s->e);
    rc = rc == RC_OK ? actions_review(a, &review, s->e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    keep_quorums(s, review);
    for (unsigned c = 0; c < CHECK_COUNT; c++) {
        const struct finding *f = &d.findings[c];
        if (f->verdict == VERDICT_ESCALATE && finding_counts(f)) {
            review->shown[c] = (struct shown_finding){true, f->unknown, f->value, f->mark};
        }
    }
    return RC_OK;
}

static enum rc forget_shown(const struct step *s, struct action *a)
{
    struct action_review *review;
    return a->review == NULL ? RC_OK : actions_review(a, &review, s->e);
}

/* The parts of a decision that the world keeps. */
static enum rc take_decision(const struct step *s, struct action *a)
{
    enum verdict verdict;
    if (!verdict_parse(text(s, STR("verdict")), &verdict)) {
        return missing(s, "the verdict");
    }
    a->verdict = (uint8_t)verdict;
    enum check blocking;
    a->blocking = check_parse(text(s, STR("blocking")), &blocking) ? (int8_t)blocking : -1;
    a->decided_seq = s->entry->seq;
    a->policy_seq = s->w->policy_seq;
    a->retry_at_ms = instant_or(s, STR("retry_at"), 0);
    /* Only what an approver will be shown is kept, so only an escalation's findings are read. */
    return a->verdict == VERDICT_ESCALATE ? keep_shown(s, a) : forget_shown(s, a);
}

static enum rc take_services(const struct step *s, struct action_names *names)
{
    const struct value *services = get(s, STR("services"));
    for (uint32_t i = 0; services != NULL && services->type == VALUE_ARRAY && i < services->count; i++) {
        uint32_t at = world_service_find(s->w, value_text(&services->items[i]));
        if (at == MAP_NONE || names->service_count == REQUEST_SERVICES_MAX) {
            return missing(s, "a service of the action");
        }
        names->services[names->service_count++] = at;
    }
    return RC_OK;
}

/* An agent that is not known is denied, and so is who acts for it: nothing of it runs. */
static void take_chain(const struct step *s, const struct value *act, struct action_names *names)
{
    for (uint32_t i = 0; i < REQUEST_ACT_MAX && value_item(act, i) != NULL; i++) {
        uint32_t at = world_agent_find(s->w, value_text(value_item(act, i)));
        if (at != MAP_NONE) {
            names->act[names->act_count++] = at;
        }
    }
}

enum rc action_decided(const struct step *s)
{
    const struct value *request = get(s, STR("request"));
    struct action *a;
    struct action_names names = {.service_count = 0};
    enum rc rc = actions_add(s->w, s->entry->seq, &a, s->e);
    if (rc != RC_OK) {
        return rc;
    }
    a->agent = world_agent_find(s->w, value_text(value_get(request, STR("agent"))));
    a->tool = world_tool_find(s->w, text(s, STR("tool")));
    take_chain(s, value_get(request, STR("act")), &names);
    a->two_phase = value_bool_or(get(s, STR("two_phase")), true);
    a->has_revert = value_is(get(s, STR("revert")), VALUE_ARRAY);
    if (!id_parse(s->entry->actor, "tok", &a->proposer)) {
        return missing(s, "the proposer");
    }
    if (!digest_of(value_text(value_get(request, STR("digest"))), STR("sha256:"), a->digest,
                   sizeof a->digest)) {
        return missing(s, "the action's digest");
    }
    rc = take_services(s, &names);
    rc = rc == RC_OK ? actions_name(a, &names, s->e) : rc;
    rc = rc == RC_OK ? take_decision(s, a) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    a->human = a->agent == MAP_NONE && value_text(value_get(request, STR("person"))).len > 0;
    if (a->agent == MAP_NONE && !a->human && a->verdict != VERDICT_DENY) {
        return err_set(s->e, RC_CORRUPT, "an action of an unknown agent was not denied");
    }
    bool own = value_bool_or(get(s, STR("own")), false);
    if (a->agent != MAP_NONE && (a->verdict == VERDICT_ALLOW || own)) {
        her_add(&s->w->agents[a->agent]->her, s->entry->time_ms, own);
    }
    rc = actions_move(s->w, a, state_after[a->verdict], instant_or(s, STR("expires_at"), INT64_MAX), s->e);
    rc = rc == RC_OK ? conduct_decided(s->w, a, s->e) : rc;
    bool runs_now = a->verdict == VERDICT_ALLOW && !a->two_phase;
    return rc == RC_OK && runs_now ? conduct_committed(s->w, a, s->e) : rc;
}

enum rc action_redecided(const struct step *s)
{
    struct action *a = ref_action(s);
    if (a == NULL) {
        return missing(s, "the action");
    }
    /* An approved action that meets a hold keeps its approval and its expiry. */
    bool keeps = value_bool_or(get(s, STR("approval_kept")), false);
    if (keeps) {
        a->retry_at_ms = instant_or(s, STR("retry_at"), 0);
        return RC_OK;
    }
    enum rc rc = take_decision(s, a);
    return rc == RC_OK ? actions_move(s->w, a, state_after[a->verdict],
                                      instant_or(s, STR("expires_at"), INT64_MAX), s->e)
                       : rc;
}

/* The budgets as they were at the start, of the targets and of those that call them. */
static enum rc keep_watch(const struct step *s, struct action *a)
{
    const struct value *observe = get(s, STR("observe"));
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
            (struct world_incident){.id = s->entry->seq, .action = a->id, .service = service, .at_ms = s->entry->time_ms, .review_by_ms = review_by_ms};
        if (review_by_ms != 0) {
            copy_text(w->incidents[w->incident_count - 1].person, sizeof w->incidents->person, text(s, STR("person")));
        }
    }
}

enum rc action_committed(const struct step *s)
{
    struct action *a = ref_action(s);
    int64_t start_by;
    if (a == NULL || !instant(s, STR("start_by"), &start_by) ||
        !digest_of(text(s, STR("nonce")), STR("sha256:"), a->nonce, sizeof a->nonce)) {
        return missing(s, "the commit");
    }
    a->grant_seq = s->entry->seq;
    a->under = (uint64_t)value_integer_or(value_path(s->body, "facts", "grant", NULL), 0);
    if (value_bool_or(get(s, STR("break_glass")), false)) {
        open_incident(s, a, a->service_count > 0 ? action_services(a)[0] : (uint32_t)MAP_NONE, s->entry->time_ms + REVIEW_MS);
    }
    enum rc rc = keep_watch(s, a);
    if (rc != RC_OK) {
        return rc;
    }
    rc = actions_move(s->w, a, ACTION_EXECUTING, start_by, s->e);
    return rc == RC_OK ? conduct_committed(s->w, a, s->e) : rc;
}

enum rc action_heartbeat(const struct step *s)
{
    struct action *a = ref_action(s);
    int64_t due;
    if (a == NULL || !instant(s, STR("due_at"), &due)) {
        return missing(s, "the heartbeat");
    }
    return a->state == ACTION_EXECUTING ? actions_move(s->w, a, ACTION_EXECUTING, due, s->e) : RC_OK;
}

enum rc action_finished(const struct step *s)
{
    struct action *a = ref_action(s);
    struct str result = text(s, STR("result"));
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

enum rc action_verified(const struct step *s)
{
    struct action *a = ref_action(s);
    if (a == NULL) {
        return missing(s, "the action");
    }
    bool told = str_eq(text(s, STR("level")), STR("verified"));
    conduct_calibrated(s->w, a, get(s, STR("impact")), false);
    enum rc rc = actions_move(s->w, a, told ? ACTION_VERIFIED : ACTION_SUCCEEDED, INT64_MAX, s->e);
    return rc == RC_OK ? conduct_ended(s->w, a, true, s->e) : rc;
}

enum rc action_violated(const struct step *s)
{
    struct action *a = ref_action(s);
    if (a == NULL) {
        return missing(s, "the action");
    }
    struct world *w = s->w;
    open_incident(s, a, world_service_find(w, text(s, STR("service"))), 0);
    conduct_calibrated(w, a, get(s, STR("impact")), true);
    enum rc rc = actions_move(w, a, a->has_revert ? ACTION_REVERT_WAITING : ACTION_VIOLATED, INT64_MAX, s->e);
    return rc == RC_OK ? conduct_ended(w, a, false, s->e) : rc;
}

enum rc revert_started(const struct step *s)
{
    struct action *a = ref_action(s);
    int64_t due;
    if (a == NULL || !instant(s, STR("due_at"), &due)) {
        return missing(s, "the revert");
    }
    return actions_revert(s->w, a, due, s->e);
}

enum rc revert_finished(const struct step *s)
{
    struct action *a = ref_action(s);
    if (a == NULL) {
        return missing(s, "the action");
    }
    bool good = str_eq(text(s, STR("result")), STR("succeeded"));
    return actions_move(s->w, a, good ? ACTION_REVERTED : ACTION_REVERT_FAILED, INT64_MAX, s->e);
}

enum rc incident_closed(const struct step *s)
{
    uint64_t id;
    if (!ref_id(s, 0, "inc", &id)) {
        return missing(s, "the incident");
    }
    struct world *w = s->w;
    for (uint32_t i = 0; i < w->incident_count; i++) {
        if (w->incidents[i].id == id) {
            enum rc rc = incident_remember(s, id, &w->incidents[i]);
            if (rc != RC_OK) {
                return rc;
            }
            memmove(&w->incidents[i], &w->incidents[i + 1], (w->incident_count - i - 1) * sizeof *w->incidents);
            w->incident_count--;
            return RC_OK;
        }
    }
    return incident_remember(s, id, NULL);
}

static enum rc end_action(const struct step *s, enum action_state state)
{
    struct action *a = ref_action(s);
    return a == NULL ? missing(s, "the action") : actions_move(s->w, a, state, INT64_MAX, s->e);
}

enum rc action_lost(const struct step *s)
{
    enum rc rc = end_action(s, ACTION_UNKNOWN);
    return rc == RC_OK ? conduct_ended(s->w, ref_action(s), false, s->e) : rc;
}

enum rc action_cancelled(const struct step *s)
{
    return end_action(s, ACTION_CANCELLED);
}

enum rc action_expired(const struct step *s)
{
    return end_action(s, ACTION_EXPIRED);
}

enum rc action_abandoned(const struct step *s)
{
    return end_action(s, ACTION_ABANDONED);
}

enum rc approval_granted(const struct step *s)
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
    if (!value_bool_or(get(s, STR("quorum")), false)) {
        return RC_OK;
    }
    return actions_move(s->w, a, ACTION_APPROVED, instant_or(s, STR("expires_at"), INT64_MAX), s->e);
}

enum rc approval_rejected(const struct step *s)
{
    return end_action(s, ACTION_REJECTED);
}

/* --- overrides --------------------------------------------------------------------------------------------- */

enum rc override_granted(const struct step *s)
{
    struct action *a = ref_action(s);
    enum check c;
    if (a == NULL || !check_parse(text(s, STR("check")), &c)) {
        return missing(s, "the override");
    }
    struct world_override by = {.policy_seq = s->w->policy_seq, .expires_ms = instant_or(s, STR("expires_at"), INT64_MAX)};
    return id_parse(s->entry->actor, "tok", &by.token) ? actions_override(a, c, by, s->e) : missing(s, "who overrides");
}
