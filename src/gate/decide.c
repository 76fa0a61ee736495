/*
 * gate/decide - the table of checks, and the strictest finding.
 */
#include "gate/checks.h"

#include "base/must.h"

#include <string.h>

/* A queue drains at the speed of people; an unknown signal is measured again soon. */
#define QUEUE_RETRY_MS 60000
#define UNKNOWN_RETRY_MS 15000

/*
 * In the order of enum check. `mandatory` checks have no mode: without their explicit allow there is
 * none. `own`: an escalation by it is for reasons of the agent's own and counts in its escalation rate.
 */
static const struct {
    void (*run)(const struct check_input *in, struct finding *ret);
    bool mandatory;
    bool own;
} table[CHECK_COUNT] = {
    [CHECK_IDENTITY] = {check_identity, true, false},
    [CHECK_STOP] = {check_stop, true, false},
    [CHECK_BREAKER] = {check_breaker, false, false},
    [CHECK_CATALOGUE] = {check_catalogue, true, false},
    [CHECK_REQUEST] = {check_request, true, true},
    [CHECK_LINEAGE] = {check_lineage, false, true},
    [CHECK_TIER] = {check_tier, false, true},
    [CHECK_READINESS] = {check_readiness, false, false},
    [CHECK_GRANT] = {check_grant, false, true},
    [CHECK_ZONE] = {check_zone, false, true},
    [CHECK_FREEZE] = {check_freeze, false, false},
    [CHECK_ERROR_BUDGET] = {check_error_budget, false, false},
    [CHECK_AQDD] = {check_aqdd, false, false},
    [CHECK_HER_TREND] = {check_her_trend, false, false},
    [CHECK_UPSTREAM] = {check_upstream, false, false},
    [CHECK_ON_CALL] = {check_on_call, false, false},
    [CHECK_BLAST_RADIUS] = {check_blast_radius, false, true},
    [CHECK_RATE] = {check_rate, false, false},
    [CHECK_SURFACES] = {check_surfaces, false, true},
    [CHECK_SCHEMA_DRIFT] = {check_schema_drift, false, true},
    [CHECK_REVERSIBILITY] = {check_reversibility, false, false},
    [CHECK_MEMORY] = {check_memory, false, false},
    [CHECK_DRIFT] = {check_drift, false, true},
    [CHECK_PROVENANCE] = {check_provenance, false, true},
    [CHECK_RULES] = {check_rules, false, true},
    [CHECK_VALIDATORS] = {check_validators, false, true},
    [CHECK_QUORUM] = {check_quorum, false, false},
};

bool override_covers(const struct finding *f)
{
    bool named = f->check == CHECK_FREEZE || f->check == CHECK_UPSTREAM || f->check == CHECK_RATE;
    return f->verdict == VERDICT_HOLD && (named || f->unknown);
}

/* Broken glass leaves who it is and what is stopped: a stop is lifted, not broken. */
static bool is_waived(const struct check_input *in, const struct finding *f)
{
    bool overridden = (in->facts->overrides >> f->check & 1) != 0 && override_covers(f);
    bool broken = by_human(in) && in->request->break_glass.len > 0 && f->check != CHECK_IDENTITY && f->check != CHECK_STOP;
    return overridden || broken;
}

/* Into its place, and not by way of a copy: that is most of what a check that allows costs. What stood there before is no
 * finding: a check that wrote none is a bug. */
static void run_check(const struct check_input *in, enum check c, struct finding *ret)
{
    enum check_mode mode = thresholds_mode(in->thresholds, c);
    must(!table[c].mandatory || mode == MODE_ENFORCE);
    if (mode == MODE_OFF) {
        *ret = (struct finding){.check = c, .verdict = VERDICT_ALLOW, .reason = REASON_OFF};
        return;
    }
    ret->check = CHECK_COUNT;
    table[c].run(in, ret);
    must(ret->check == c);
    if (ret->verdict == VERDICT_ALLOW) {
        return;
    }
    ret->shadow = mode == MODE_SHADOW;
    ret->waived = !ret->shadow && is_waived(in, ret);
    if (ret->verdict == VERDICT_HOLD && ret->release_ms == 0) {
        ret->release_ms = in->now_ms + (ret->unknown ? UNKNOWN_RETRY_MS : QUEUE_RETRY_MS);
    }
}

/* Starts at deny: an allow that a mandatory check did not give leaves it there. */
static enum verdict strictest(const struct decision *d)
{
    enum verdict verdict = VERDICT_ALLOW;
    for (unsigned c = 0; c < CHECK_COUNT; c++) {
        const struct finding *f = &d->findings[c];
        if (f->check != (enum check)c) {
            return VERDICT_DENY;
        }
        if (finding_counts(f)) {
            verdict = verdict_strictest(verdict, f->verdict);
        }
    }
    return verdict;
}

static int first_blocking(const struct decision *d)
{
    for (unsigned c = 0; c < CHECK_COUNT; c++) {
        if (finding_counts(&d->findings[c]) && d->findings[c].verdict == d->verdict) {
            return (int)c;
        }
    }
    return -1;
}

/* When the last of the holds is released. */
static int64_t retry_after(const struct decision *d, int64_t now_ms)
{
    int64_t latest = now_ms;
    for (unsigned c = 0; c < CHECK_COUNT; c++) {
        const struct finding *f = &d->findings[c];
        if (finding_counts(f) && f->verdict == VERDICT_HOLD && f->release_ms > latest) {
            latest = f->release_ms;
        }
    }
    return latest - now_ms;
}

static bool escalated_by_own(const struct decision *d)
{
    if (d->verdict != VERDICT_ESCALATE) {
        return false;
    }
    for (unsigned c = 0; c < CHECK_COUNT; c++) {
        const struct finding *f = &d->findings[c];
        if (table[c].own && finding_counts(f) && !f->unknown && f->verdict == VERDICT_ESCALATE) {
            return true;
        }
    }
    return false;
}

/* One agent can't fill the queue of the people. */
static void limit_pending(const struct check_input *in, struct decision *d)
{
    if (d->verdict == VERDICT_ESCALATE &&
        in->facts->pending_of_agent >= in->policy->limits.pending_per_agent) {
        struct finding *f = &d->findings[CHECK_REQUEST];
        finding_block(CHECK_REQUEST, VERDICT_DENY, REASON_PENDING_LIMIT, STR(""), f);
        f->value = in->facts->pending_of_agent;
        f->threshold = in->policy->limits.pending_per_agent;
        d->verdict = VERDICT_DENY;
    }
}

static void list_quorums(const struct check_input *in, struct decision *d)
{
    d->quorum_count = 0;
    bool counts = d->findings[CHECK_QUORUM].verdict == VERDICT_ESCALATE && finding_counts(&d->findings[CHECK_QUORUM]);
    for (uint32_t i = 0; counts && i < in->policy->quorum_count && d->quorum_count < QUORUM_MATCHES_MAX; i++) {
        if (quorum_fits(&in->policy->quorums[i], in)) {
            d->quorums[d->quorum_count++] = in->policy->quorums[i].name;
        }
    }
}

void gate_judge(const struct check_input *in, struct decision *ret)
{
    struct check_input here = *in;
    here.decided = ret;
    judge_rules(in, ret);
    for (unsigned c = 0; c < CHECK_COUNT; c++) {
        run_check(&here, (enum check)c, &ret->findings[c]);
    }
    ret->verdict = strictest(ret);
    limit_pending(in, ret);
    ret->blocking = ret->verdict == VERDICT_ALLOW ? -1 : first_blocking(ret);
    ret->escalated_by_own = escalated_by_own(ret);
    list_quorums(in, ret);
    bool broken = by_human(in) && in->request->break_glass.len > 0;
    ret->advisory = !broken && (in->policy->advisory || in->facts->chain_advisory ||
                                (in->agent != NULL && in->agent->advisory));
    ret->capped = ret->advisory && ret->verdict == VERDICT_ALLOW;
    if (ret->capped) {
        ret->verdict = VERDICT_ADVISE;
    }
    ret->retry_after_ms = ret->verdict == VERDICT_HOLD ? retry_after(ret, in->now_ms) : 0;
}

void gate_judge_three(const struct check_input *in, struct decision *ret)
{
    for (unsigned c = CHECK_ERROR_BUDGET; c <= CHECK_HER_TREND; c++) {
        run_check(in, (enum check)c, &ret->findings[c]);
    }
}

struct check_input gate_seen(const struct gate_input *in, const struct facts *f, struct thresholds *room)
{
    const struct agent_def *agent = gate_agent(in->world, in->request);
    const struct tool_def *tool = in->request->tool;
    return (struct check_input){
        .policy = in->policy,
        .thresholds = policy_thresholds(in->policy, tool == NULL ? STR("") : tool->task_class,
                                        agent == NULL ? (struct threshold_changes){NULL, 0} : agent->checks, room),
        .agent = agent,
        .request = in->request,
        .facts = f,
        .now_ms = in->now_ms,
        .arena = in->arena,
    };
}

void gate_decide(const struct gate_input *in, struct facts *ret_facts, struct decision *ret)
{
    gate_gather(in, ret_facts);
    struct thresholds room;
    const struct check_input checked = gate_seen(in, ret_facts, &room);
    gate_judge(&checked, ret);
}
