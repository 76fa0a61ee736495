/*
 * backtest/judge - one recorded decision, made again.
 *
 * The request is the entry's, derived anew on the world right before it; the facts are that world's and those that the
 * entry recorded. A finding whose facts are missing says nothing: the decision is known all the same when another
 * finding is as strict as this one could have been.
 */
#include "backtest/backtest_internal.h"

#include "base/must.h"
#include "control/beside.h"
#include "control/derive.h"
#include "value/json.h"


#define BIT(check) (UINT64_C(1) << (check))

static enum rc read_blob(void *context, struct arena *a, const struct digest *digest, struct str *ret, struct err *e)
{
    return store_blob(context, a, digest, ret, e);
}

static enum rc meet_erasure(void *context, const struct stored *s, struct err *e)
{
    struct backtest *b = context;
    struct value body;
    if (s->entry.kind != ENTRY_BLOBS_ERASED || s->erased) {
        return RC_OK;
    }
    enum rc rc = json_parse(b->arena, s->body, &body, e);
    uint64_t through = rc == RC_OK ? (uint64_t)value_integer_or(value_get(&body, STR("through_seq")), 0) : 0;
    b->erased_through = through > b->erased_through ? through : b->erased_through;
    return rc;
}

/* An erasure comes later in the log than what it took: it is looked for once, when something is missing. */
static enum rc check_erased(struct backtest *b, const struct stored *s, struct err *e)
{
    enum rc rc = b->erasures_known ? RC_OK : store_walk(b->store, s->seq, UINT64_MAX - 1, meet_erasure, b, e);
    b->erasures_known = true;
    if (rc != RC_OK) {
        return rc;
    }
    return s->seq <= b->erased_through
               ? RC_GONE
               : err_set(e, RC_CORRUPT, "entry %llu: what lay beside it is missing, and no erasure took it", (unsigned long long)s->seq);
}

/* The request as it was said; RC_GONE when a part of it was erased. */
static enum rc read_request(struct backtest *b, const struct stored *s, const struct value *said, struct err *e)
{
    const struct blob_source from = {read_blob, b->store, UINT64_MAX};
    struct value *whole = arena_alloc(b->arena, sizeof *whole);
    if (whole == NULL) {
        return err_set(e, arena_rc(b->arena), "entry %llu is too large", (unsigned long long)s->seq);
    }
    enum rc rc = beside_put_back(&from, b->arena, s->seq, said, whole, e);
    if (rc == RC_OK) {
        request_read(whole, &b->request);
    }
    return rc == RC_GONE ? check_erased(b, s, e) : rc;
}

/* --- deciding with facts that are missing -------------------------------------------------------------------------- */

/* The strictest that a check could have said. */
static enum verdict worst_of(const struct backtest *b, const struct thresholds *t, enum check c)
{
    switch (c) {
    case CHECK_ERROR_BUDGET: return verdict_strictest((enum verdict)t->at[BUDGET_ON_BLOCK], (enum verdict)t->at[BUDGET_ON_UNKNOWN]);
    case CHECK_UPSTREAM:
        return verdict_strictest((enum verdict)t->at[UPSTREAM_ON_BLOCK], (enum verdict)t->at[UPSTREAM_ON_UNKNOWN]);
    case CHECK_BREAKER: return (enum verdict)t->at[BREAKER_ON_BLOCK];
    case CHECK_RULES: return b->other.rules_worst;
    default: return VERDICT_DENY;
    }
}

static bool counts(const struct judgement *j, const struct decision *d, enum check c)
{
    return (j->lacking & BIT(c)) == 0 && finding_counts(&d->findings[c]);
}

static enum verdict strictest_known(const struct check_input *in, const struct judgement *j, const struct decision *d)
{
    enum verdict verdict = VERDICT_ALLOW;
    for (unsigned c = 0; c < CHECK_COUNT; c++) {
        bool limit = d->findings[c].reason == REASON_PENDING_LIMIT;
        if (!limit && counts(j, d, (enum check)c)) {
            verdict = verdict_strictest(verdict, d->findings[c].verdict);
        }
    }
    /* The limit of pending escalations speaks when what is known escalates, and not before. */
    bool full = in->facts->pending_of_agent >= in->policy->limits.pending_per_agent;
    return verdict == VERDICT_ESCALATE && full ? VERDICT_DENY : verdict;
}

/* What is known of a decision some of whose findings are not. */
static void settle(const struct backtest *b, const struct check_input *in, struct judgement *j, const struct decision *d)
{
    enum verdict known = strictest_known(in, j, d);
    enum verdict worst = VERDICT_ALLOW;
    for (unsigned c = 0; c < CHECK_COUNT; c++) {
        bool enforced = thresholds_mode(in->thresholds, (enum check)c) == MODE_ENFORCE;
        if ((j->lacking & BIT(c)) != 0 && enforced) {
            worst = verdict_strictest(worst, worst_of(b, in->thresholds, (enum check)c));
        }
    }
    j->undecidable = worst < known;
    j->now = known == VERDICT_ALLOW && d->advisory ? VERDICT_ADVISE : known;
    j->blocking = NO_CHECK;
    for (unsigned c = 0; c < CHECK_COUNT && j->now != VERDICT_ALLOW; c++) {
        if (counts(j, d, (enum check)c) && d->findings[c].verdict == j->now) {
            j->blocking = (int)c;
            return;
        }
    }
}

static void add_missing(struct backtest *b, const struct stored *s, const struct check_input *in, struct judgement *j)
{
    const struct facts *f = &b->facts;
    const struct other *o = &b->other;
    const struct thresholds *t = in->thresholds;
    bool budgets = recorded_lacks(&b->recorded, b->world, o, f->budgets, f->budget_count, s->seq);
    bool upstream = recorded_lacks(&b->recorded, b->world, o, f->upstream, f->upstream_count, s->seq);
    j->lacking |= budgets && thresholds_mode(t, CHECK_ERROR_BUDGET) != MODE_OFF ? BIT(CHECK_ERROR_BUDGET) : 0;
    j->lacking |= upstream ? BIT(CHECK_UPSTREAM) : 0;
    j->lacking |= (budgets || upstream) && o->rules_read_budgets && thresholds_mode(t, CHECK_RULES) != MODE_OFF ? BIT(CHECK_RULES)
                                                                                                              : 0;
}

/* Breakers count only while they are on: what one that was off would have done is not known. */
static bool lacks_breaker(const struct backtest *b, const struct check_input *in)
{
    const struct policy *in_force = world_policy(b->world);
    uint32_t at = b->request.agent_index;
    if (at == MAP_NONE || in_force == NULL || thresholds_mode(in->thresholds, CHECK_BREAKER) == MODE_OFF) {
        return false;
    }
    const struct world_agent *agent = world_agent_at(b->world, at);
    const struct agent_def *def = b->other.lens ? agent->aside : agent->def;
    struct thresholds room;
    const struct thresholds *t =
        policy_thresholds(in_force, STR(""), def == NULL ? (struct threshold_changes){NULL, 0} : def->checks, &room);
    return thresholds_mode(t, CHECK_BREAKER) == MODE_OFF;
}

/* --- one decision ---------------------------------------------------------------------------------------------------- */

static enum rc decide(struct backtest *b, const struct stored *s, const struct value *facts, struct judgement *j,
                      struct err *e)
{
    struct request *q = &b->request;
    struct gate_input in = {.world = b->world,
                            .policy = b->other.policy,
                            .signals = &b->recorded.signals,
                            .request = q,
                            .now_ms = s->entry.time_ms,
                            .arena = b->arena};
    enum rc rc = derive_request(b->arena, b->world, b->other.policy, q, e);
    rc = rc == RC_OK ? recorded_take(&b->recorded, b->world, s, facts, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    recorded_fill(&b->recorded, b->world, q, s);
    if (b->other.policy->validator_count > 0) {
        j->lacking |= recorded_answers(&b->recorded, &in, &b->other, facts) ? 0 : BIT(CHECK_VALIDATORS);
        in.round = &b->recorded.round;
    }
    gate_gather(&in, &b->facts);
    struct thresholds room;
    const struct agent_def *agent = gate_agent(b->world, q);
    const struct check_input checked = {
        .policy = in.policy,
        .thresholds = policy_thresholds(in.policy, q->tool == NULL ? STR("") : q->tool->task_class,
                                        agent == NULL ? (struct threshold_changes){NULL, 0} : agent->checks, &room),
        .agent = agent,
        .request = q,
        .facts = &b->facts,
        .now_ms = in.now_ms,
        .arena = b->arena,
    };
    gate_judge(&checked, &b->decision);
    add_missing(b, s, &checked, j);
    j->lacking |= lacks_breaker(b, &checked) ? BIT(CHECK_BREAKER) : 0;
    j->now = b->decision.verdict;
    j->blocking = b->decision.blocking;
    if (j->lacking != 0) {
        settle(b, &checked, j, &b->decision);
    }
    return arena_rc(b->arena) == RC_OK ? RC_OK : err_set(e, arena_rc(b->arena), "entry %llu is too large", (unsigned long long)s->seq);
}

static bool is_wanted(const struct backtest_options *o, struct str agent)
{
    bool wanted = o->agent_count == 0;
    for (uint32_t i = 0; !wanted && i < o->agent_count; i++) {
        wanted = str_glob(o->agents[i], agent);
    }
    return wanted;
}

static uint32_t agent_row(const struct backtest *b, const struct judgement *j, const struct value *request)
{
    uint32_t at = j->erased ? world_agent_find(b->world, value_text(value_get(request, STR("agent")))) : b->request.agent_index;
    bool person = value_text(value_get(request, STR("person"))).len > 0;
    return at != MAP_NONE ? at + AGENT_ROWS : person ? AGENT_ROW_PEOPLE : AGENT_ROW_UNKNOWN;
}

enum rc judge_entry(struct backtest *b, const struct stored *s, const struct value *body, struct err *e)
{
    const struct value *request = value_get(body, STR("request"));
    struct judgement j = {.body = body, .blocking_before = NO_CHECK, .blocking = NO_CHECK};
    enum check blocking;
    if (!is_wanted(b->options, value_text(value_get(request, STR("agent"))))) {
        return RC_OK;
    }
    if (b->other.policy == NULL || !verdict_parse(value_text(value_get(body, STR("verdict"))), &j.before)) {
        return err_set(e, RC_CORRUPT, "entry %llu has no verdict, or no policy before it", (unsigned long long)s->seq);
    }
    if (check_parse(value_text(value_get(body, STR("blocking"))), &blocking)) {
        j.blocking_before = (int)blocking;
    }
    enum rc rc = request == NULL ? err_set(e, RC_CORRUPT, "entry %llu has no request", (unsigned long long)s->seq)
                                 : read_request(b, s, request, e);
    j.erased = rc == RC_GONE;
    j.undecidable = j.erased;
    if (rc == RC_OK) {
        rc = decide(b, s, value_get(body, STR("facts")), &j, e);
    }
    if (rc != RC_OK && rc != RC_GONE) {
        return rc;
    }
    return tally_add(&b->tally, s->seq, agent_row(b, &j, request), &j, &b->decision, e);
}
