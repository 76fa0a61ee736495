#include "model/decision.h"

#include "base/must.h"

#include <stdio.h>
#include <string.h>

#define NAME(literal) {literal, sizeof(literal) - 1}

static const struct str reasons[REASON_COUNT] = {
    [REASON_NONE] = NAME("none"),
    [REASON_UNKNOWN_AGENT] = NAME("unknown_agent"),
    [REASON_SUSPENDED] = NAME("suspended"),
    [REASON_REMOVED] = NAME("removed"),
    [REASON_NOT_PERMITTED] = NAME("not_permitted"),
    [REASON_CLOCK_JUMPED] = NAME("clock_jumped"),
    [REASON_STOPPED] = NAME("stopped"),
    [REASON_PAUSED] = NAME("paused"),
    [REASON_SHELL] = NAME("shell"),
    [REASON_AMBIGUOUS] = NAME("ambiguous"),
    [REASON_CLAIM_MISMATCH] = NAME("claim_mismatch"),
    [REASON_BAD_PARAMETERS] = NAME("bad_parameters"),
    [REASON_UNKNOWN_SERVICE] = NAME("unknown_service"),
    [REASON_PENDING_LIMIT] = NAME("pending_limit"),
    [REASON_ASKED_FOR_PERSON] = NAME("asked_for_person"),
    [REASON_CODE_FREEZE] = NAME("code_freeze"),
    [REASON_DEPLOY_IN_FLIGHT] = NAME("deploy_in_flight"),
    [REASON_DEPLOY_UNKNOWN] = NAME("deploy_unknown"),
    [REASON_BUDGET_LOW] = NAME("budget_low"),
    [REASON_BUDGET_UNKNOWN] = NAME("budget_unknown"),
    [REASON_BUDGET_STALE] = NAME("budget_stale"),
    [REASON_NO_SLO] = NAME("no_slo"),
    [REASON_NO_TRAFFIC] = NAME("no_traffic"),
    [REASON_QUEUE_DEEP] = NAME("queue_deep"),
    [REASON_QUEUE_DRIFT] = NAME("queue_drift"),
    [REASON_QUEUE_UNKNOWN] = NAME("queue_unknown"),
    [REASON_HER_HIGH] = NAME("her_high"),
    [REASON_HER_UNKNOWN] = NAME("her_unknown"),
    [REASON_INSUFFICIENT_SAMPLE] = NAME("insufficient_sample"),
    [REASON_NOT_APPLICABLE] = NAME("not_applicable"),
    [REASON_OFF] = NAME("off"),
};

const char *reason_name(enum reason r)
{
    return reason_str(r).ptr;
}

struct str reason_str(enum reason r)
{
    must((unsigned)r < REASON_COUNT);
    return reasons[r];
}

bool reason_parse(struct str name, enum reason *ret)
{
    for (unsigned i = 0; i < REASON_COUNT; i++) {
        if (str_eq(name, reasons[i])) {
            *ret = (enum reason)i;
            return true;
        }
    }
    return false;
}

/* --- facts: short lists, since every decision carries them -------------------------------------- */

static const char *const agent_words[] = {"unknown", "active", "suspended", "removed"};

static struct value budget_write(struct arena *a, const struct budget_fact *b)
{
    struct value v = value_array();
    value_push(a, &v, value_string(b->service));
    value_push(a, &v, value_string(str_from(signal_state_name(b->state))));
    value_push(a, &v, value_int(b->remaining_ppm));
    value_push(a, &v, value_int(b->age_ms));
    value_push(a, &v, value_string(b->source));
    if (b->dependant || b->reason.len > 0) {
        value_push(a, &v, value_bool(b->dependant));
    }
    if (b->reason.len > 0) {
        value_push(a, &v, value_string(b->reason));
    }
    return v;
}

static struct value freezes_write(struct arena *a, const struct facts *f)
{
    struct value all = value_array();
    for (unsigned i = 0; i < f->freeze_count; i++) {
        struct value v = value_array();
        value_push(a, &v, value_string(f->freezes[i].freeze));
        value_push(a, &v, value_string(f->freezes[i].service));
        value_push(a, &v, value_int(f->freezes[i].until_ms));
        value_push(a, &all, v);
    }
    return all;
}

static struct value deploys_write(struct arena *a, const struct facts *f)
{
    struct value all = value_array();
    for (unsigned i = 0; i < f->deploy_count; i++) {
        struct value v = value_array();
        value_push(a, &v, value_string(f->deploys[i].service));
        value_push(a, &v, value_string(f->deploys[i].id));
        value_push(a, &v, value_int(f->deploys[i].since_ms));
        value_push(a, &all, v);
    }
    return all;
}

static struct value triple(struct arena *a, int64_t x, int64_t y, int64_t z)
{
    struct value v = value_array();
    value_push(a, &v, value_int(x));
    value_push(a, &v, value_int(y));
    value_push(a, &v, value_int(z));
    return v;
}

struct value facts_write(struct arena *a, const struct facts *f)
{
    struct value v = value_object();
    value_add_str(a, &v, STR("agent"), str_from(agent_words[f->agent]));
    if (f->aqdd_known) {
        value_add(a, &v, STR("aqdd"),
                  triple(a, f->aqdd_depth, f->aqdd_baseline_milli, f->aqdd_drift_milli));
    }
    struct value budgets = value_array();
    for (unsigned i = 0; i < f->budget_count; i++) {
        value_push(a, &budgets, budget_write(a, &f->budgets[i]));
    }
    if (f->budget_count > 0) {
        value_add(a, &v, STR("budgets"), budgets);
        value_add_int(a, &v, STR("budgets_seen"), f->budgets_seen);
    }
    if (!f->clock_ok) {
        value_add_bool(a, &v, STR("clock_ok"), false);
    }
    if (f->deploy_count > 0) {
        value_add(a, &v, STR("deploys"), deploys_write(a, f));
    }
    if (f->freeze_count > 0) {
        value_add(a, &v, STR("freezes"), freezes_write(a, f));
    }
    if (f->her_known) {
        struct value her = value_array();
        value_push(a, &her, value_int(f->her_ppm));
        value_push(a, &her, value_int(f->her_sample));
        value_add(a, &v, STR("her"), her);
    }
    if (f->pending_of_agent > 0) {
        value_add_int(a, &v, STR("pending"), f->pending_of_agent);
    }
    struct value stops = value_array();
    for (unsigned i = 0; i < f->stop_count; i++) {
        value_push(a, &stops, value_string(f->stops[i]));
    }
    if (f->stop_count > 0) {
        value_add_bool(a, &v, STR("paused_only"), f->paused_only);
        value_add(a, &v, STR("stops"), stops);
    }
    return v;
}

static const struct value *item(const struct value *v, uint32_t i)
{
    return value_is(v, VALUE_ARRAY) && i < v->count ? &v->items[i] : NULL;
}

static int64_t item_int(const struct value *v, uint32_t i, int64_t otherwise)
{
    return value_integer_or(item(v, i), otherwise);
}

static enum rc budget_read(const struct value *v, struct budget_fact *ret, struct err *e)
{
    *ret = (struct budget_fact){
        .service = value_text(item(v, 0)),
        .remaining_ppm = item_int(v, 2, 0),
        .age_ms = item_int(v, 3, -1),
        .source = value_text(item(v, 4)),
        .dependant = value_bool_or(item(v, 5), false),
        .reason = value_text(item(v, 6)),
    };
    if (!signal_state_parse(value_text(item(v, 1)), &ret->state)) {
        return err_set(e, RC_CORRUPT, "a recorded budget has no state");
    }
    return RC_OK;
}

static enum rc budgets_read(const struct value *v, struct facts *ret, struct err *e)
{
    const struct value *budgets = value_get(v, STR("budgets"));
    for (uint32_t i = 0; item(budgets, i) != NULL; i++) {
        if (i == FACT_BUDGETS_MAX) {
            return err_set(e, RC_CORRUPT, "a record lists more than %d budgets", FACT_BUDGETS_MAX);
        }
        enum rc rc = budget_read(item(budgets, i), &ret->budgets[i], e);
        if (rc != RC_OK) {
            return rc;
        }
        ret->budget_count = i + 1;
    }
    ret->budgets_seen = (unsigned)value_integer_or(value_get(v, STR("budgets_seen")), 0);
    return RC_OK;
}

static void freezes_read(const struct value *v, struct facts *ret)
{
    const struct value *freezes = value_get(v, STR("freezes"));
    for (uint32_t i = 0; i < FACT_FREEZES_MAX && item(freezes, i) != NULL; i++) {
        const struct value *f = item(freezes, i);
        ret->freezes[ret->freeze_count++] =
            (struct freeze_fact){value_text(item(f, 0)), value_text(item(f, 1)), item_int(f, 2, 0)};
    }
    const struct value *deploys = value_get(v, STR("deploys"));
    for (uint32_t i = 0; i < FACT_DEPLOYS_MAX && item(deploys, i) != NULL; i++) {
        const struct value *d = item(deploys, i);
        ret->deploys[ret->deploy_count++] =
            (struct deploy_fact){value_text(item(d, 0)), value_text(item(d, 1)), item_int(d, 2, 0)};
    }
}

static void stops_read(const struct value *v, struct facts *ret)
{
    const struct value *stops = value_get(v, STR("stops"));
    for (uint32_t i = 0; i < FACT_STOPS_MAX && item(stops, i) != NULL; i++) {
        ret->stops[ret->stop_count++] = value_text(item(stops, i));
    }
    ret->paused_only = value_bool_or(value_get(v, STR("paused_only")), false);
}

enum rc facts_read(const struct value *v, struct facts *ret, struct err *e)
{
    *ret = (struct facts){.aqdd_baseline_milli = -1, .aqdd_drift_milli = -1};
    struct str agent = value_text(value_get(v, STR("agent")));
    for (unsigned i = 0; i < sizeof agent_words / sizeof *agent_words; i++) {
        if (str_eq(agent, str_from(agent_words[i]))) {
            ret->agent = (enum agent_status)i;
        }
    }
    ret->clock_ok = value_bool_or(value_get(v, STR("clock_ok")), true);
    const struct value *aqdd = value_get(v, STR("aqdd"));
    ret->aqdd_known = aqdd != NULL;
    ret->aqdd_depth = item_int(aqdd, 0, 0);
    ret->aqdd_baseline_milli = item_int(aqdd, 1, -1);
    ret->aqdd_drift_milli = item_int(aqdd, 2, -1);
    const struct value *her = value_get(v, STR("her"));
    ret->her_known = her != NULL;
    ret->her_ppm = item_int(her, 0, 0);
    ret->her_sample = item_int(her, 1, 0);
    ret->pending_of_agent = value_integer_or(value_get(v, STR("pending")), 0);
    freezes_read(v, ret);
    stops_read(v, ret);
    return budgets_read(v, ret, e);
}

/* --- findings ---------------------------------------------------------------------------------- */

static bool is_plain_allow(const struct finding *f)
{
    return f->verdict == VERDICT_ALLOW && f->reason == REASON_NONE && !f->shadow && !f->unknown &&
           f->value == 0 && f->threshold == 0 && f->subject.len == 0 && f->release_ms == 0;
}

/* The check's name for a plain allow, else [check, verdict, reason, value, threshold, subject, flags,
 * release] as far as it is needed. */
static struct value finding_write(struct arena *a, const struct finding *f)
{
    if (is_plain_allow(f)) {
        return value_string(check_str(f->check));
    }
    struct value v = value_array();
    value_push(a, &v, value_string(check_str(f->check)));
    value_push(a, &v, value_string(verdict_str(f->verdict)));
    bool flags = f->shadow || f->unknown || f->release_ms != 0;
    bool subject = f->subject.len > 0 || flags;
    bool numbers = f->value != 0 || f->threshold != 0 || subject;
    if (f->reason != REASON_NONE || numbers) {
        value_push(a, &v, value_string(reason_str(f->reason)));
    }
    if (numbers) {
        value_push(a, &v, value_int(f->value));
        value_push(a, &v, value_int(f->threshold));
    }
    if (subject) {
        value_push(a, &v, value_string(f->subject));
    }
    if (flags) {
        value_push(a, &v, value_int((f->shadow ? 1 : 0) + (f->unknown ? 2 : 0)));
        value_push(a, &v, value_int(f->release_ms));
    }
    return v;
}

struct value findings_write(struct arena *a, const struct decision *d)
{
    struct value all = value_array();
    for (unsigned c = 0; c < CHECK_COUNT; c++) {
        value_push(a, &all, finding_write(a, &d->findings[c]));
    }
    return all;
}

static enum rc finding_read(const struct value *v, struct decision *ret, struct err *e)
{
    struct finding f = {0};
    if (v->type == VALUE_STRING) {
        if (!check_parse(v->string, &f.check)) {
            return err_set(e, RC_CORRUPT, "a recorded finding is not one");
        }
        f.verdict = VERDICT_ALLOW;
        ret->findings[f.check] = f;
        return RC_OK;
    }
    struct str reason = value_text(item(v, 2));
    if (!check_parse(value_text(item(v, 0)), &f.check) ||
        !verdict_parse(value_text(item(v, 1)), &f.verdict) ||
        (reason.len > 0 && !reason_parse(reason, &f.reason))) {
        return err_set(e, RC_CORRUPT, "a recorded finding is not one");
    }
    f.value = item_int(v, 3, 0);
    f.threshold = item_int(v, 4, 0);
    f.subject = value_text(item(v, 5));
    int64_t flags = item_int(v, 6, 0);
    f.shadow = (flags & 1) != 0;
    f.unknown = (flags & 2) != 0;
    f.release_ms = item_int(v, 7, 0);
    ret->findings[f.check] = f;
    return RC_OK;
}

enum rc findings_read(const struct value *v, struct decision *ret, struct err *e)
{
    memset(ret->findings, 0, sizeof ret->findings);
    for (unsigned c = 0; c < CHECK_COUNT; c++) {
        ret->findings[c].check = (enum check)c;
    }
    if (!value_is(v, VALUE_ARRAY)) {
        return err_set(e, RC_CORRUPT, "a record has no findings");
    }
    for (uint32_t i = 0; i < v->count; i++) {
        enum rc rc = finding_read(item(v, i), ret, e);
        if (rc != RC_OK) {
            return rc;
        }
    }
    return RC_OK;
}

/* --- words for people --------------------------------------------------------------------------- */

static void put_percent(struct buf *out, int64_t ppm)
{
    buf_printf(out, "%.10g %%", ppm_to_percent(ppm));
}

static void budget_text(struct buf *out, const struct finding *f)
{
    buf_printf(out, "error budget of %.*s is ", STR_ARG(f->subject));
    put_percent(out, f->value);
    buf_str(out, STR(" (minimum "));
    put_percent(out, f->threshold);
    buf_char(out, ')');
}

static void queue_text(struct buf *out, const struct finding *f)
{
    if (f->reason == REASON_QUEUE_DRIFT) {
        buf_printf(out, "approval queue is %.10g times its baseline (maximum %.10g)",
                   (double)f->value / 1000.0, (double)f->threshold / 1000.0);
    } else {
        buf_printf(out, "approval queue depth is %lld (maximum %lld)", (long long)f->value,
                   (long long)f->threshold);
    }
}

static void her_text(struct buf *out, const struct finding *f)
{
    buf_str(out, STR("human escalation rate is "));
    put_percent(out, f->value);
    buf_str(out, STR(" (maximum "));
    put_percent(out, f->threshold);
    buf_char(out, ')');
}

/* Reasons whose sentence is one text around the subject. */
static const char *plain_text(enum reason r)
{
    switch (r) {
    case REASON_UNKNOWN_AGENT: return "the agent is not registered";
    case REASON_SUSPENDED: return "the agent is suspended";
    case REASON_REMOVED: return "the agent is no longer declared";
    case REASON_NOT_PERMITTED: return "no permission fits this agent, tool and target";
    case REASON_CLOCK_JUMPED: return "the clock jumped and nobody has accepted it";
    case REASON_STOPPED: return "stopped by %.*s";
    case REASON_PAUSED: return "paused by %.*s";
    case REASON_SHELL: return "matches no tool of the catalogue";
    case REASON_AMBIGUOUS: return "matches more than one tool: %.*s";
    case REASON_CLAIM_MISMATCH: return "the claim is wrong: %.*s";
    case REASON_BAD_PARAMETERS: return "%.*s";
    case REASON_UNKNOWN_SERVICE: return "%.*s";
    case REASON_PENDING_LIMIT: return "the agent has too many open escalations";
    case REASON_ASKED_FOR_PERSON: return "the agent asks for a person: %.*s";
    case REASON_CODE_FREEZE: return "code freeze %.*s";
    case REASON_DEPLOY_IN_FLIGHT: return "a deploy of %.*s is in flight";
    case REASON_DEPLOY_UNKNOWN: return "a deploy of %.*s never ended";
    case REASON_BUDGET_UNKNOWN: return "error budget of %.*s is unknown";
    case REASON_BUDGET_STALE: return "error budget of %.*s is stale";
    case REASON_NO_SLO: return "%.*s has no SLO: its error budget is unknown";
    case REASON_NO_TRAFFIC: return "no traffic on %.*s: its error budget is whole";
    case REASON_QUEUE_UNKNOWN: return "approval queue depth is unknown";
    case REASON_HER_UNKNOWN: return "human escalation rate is unknown";
    case REASON_INSUFFICIENT_SAMPLE: return "too few decisions to judge";
    case REASON_NOT_APPLICABLE: return "does not apply to tools that only read";
    case REASON_OFF: return "switched off";
    default: return "";
    }
}

void finding_text(struct buf *out, const struct finding *f)
{
    if (f->check == CHECK_ERROR_BUDGET && (f->reason == REASON_BUDGET_LOW || f->reason == REASON_NONE)) {
        budget_text(out, f);
        return;
    }
    if (f->check == CHECK_AQDD && (f->reason == REASON_QUEUE_DEEP || f->reason == REASON_QUEUE_DRIFT ||
                                   f->reason == REASON_NONE)) {
        queue_text(out, f);
        return;
    }
    if (f->check == CHECK_HER_TREND && (f->reason == REASON_HER_HIGH || f->reason == REASON_NONE)) {
        her_text(out, f);
        return;
    }
    struct str text = str_from(plain_text(f->reason));
    struct str mark = STR("%.*s");
    for (size_t i = 0; i < text.len; i++) {
        if (str_starts(str_slice(text, i, text.len), mark)) {
            buf_str(out, str_slice(text, 0, i));
            buf_str(out, f->subject);
            buf_str(out, str_slice(text, i + mark.len, text.len));
            return;
        }
    }
    buf_str(out, text);
}
