/*
 * model/finding - findings as they stand in a record, and in words for people.
 */
#include "model/decision.h"

#include <string.h>

static int64_t item_int(const struct value *v, uint32_t i, int64_t otherwise)
{
    return value_integer_or(value_item(v, i), otherwise);
}

static bool is_plain_allow(const struct finding *f)
{
    return f->verdict == VERDICT_ALLOW && f->reason == REASON_NONE && !f->shadow && !f->waived && !f->unknown &&
           f->value == 0 && f->threshold == 0 && f->subject.len == 0 && f->release_ms == 0 && f->mark == 0;
}

/* What is switched off is left out. The check's name for a plain allow, else [check, verdict, reason, value, threshold, subject, flags,
 * release, mark, note] as far as it is needed. */
static struct value finding_write(struct arena *a, const struct finding *f)
{
    if (is_plain_allow(f)) {
        return value_string(check_str(f->check));
    }
    struct value v = value_array();
    value_push(a, &v, value_string(check_str(f->check)));
    value_push(a, &v, value_string(verdict_str(f->verdict)));
    bool words = f->mark != 0 || f->note.len > 0;
    bool flags = f->shadow || f->waived || f->unknown || f->release_ms != 0 || words;
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
        value_push(a, &v, value_int((f->shadow ? 1 : 0) + (f->unknown ? 2 : 0) + (f->waived ? 4 : 0)));
        value_push(a, &v, value_int(f->release_ms));
    }
    if (words) {
        value_push(a, &v, value_int((int64_t)f->mark));
        value_push(a, &v, value_string(f->note));
    }
    return v;
}

struct value findings_write(struct arena *a, const struct decision *d)
{
    struct value all = value_array();
    for (unsigned c = 0; c < CHECK_COUNT; c++) {
        if (d->findings[c].reason != REASON_OFF) {
            value_push(a, &all, finding_write(a, &d->findings[c]));
        }
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
    struct str reason = value_text(value_item(v, 2));
    if (!check_parse(value_text(value_item(v, 0)), &f.check) ||
        !verdict_parse(value_text(value_item(v, 1)), &f.verdict) ||
        (reason.len > 0 && !reason_parse(reason, &f.reason))) {
        return err_set(e, RC_CORRUPT, "a recorded finding is not one");
    }
    f.value = item_int(v, 3, 0);
    f.threshold = item_int(v, 4, 0);
    f.subject = value_text(value_item(v, 5));
    int64_t flags = item_int(v, 6, 0);
    f.shadow = (flags & 1) != 0;
    f.unknown = (flags & 2) != 0;
    f.waived = (flags & 4) != 0;
    f.release_ms = item_int(v, 7, 0);
    f.mark = (uint64_t)item_int(v, 8, 0);
    f.note = value_text(value_item(v, 9));
    ret->findings[f.check] = f;
    return RC_OK;
}

enum rc findings_read(const struct value *v, struct decision *ret, struct err *e)
{
    memset(ret->findings, 0, sizeof ret->findings);
    for (unsigned c = 0; c < CHECK_COUNT; c++) {
        ret->findings[c].check = (enum check)c;
        /* Not said is switched off, or younger than the record; what decides always is always said. */
        if (!check_is_mandatory((enum check)c)) {
            ret->findings[c].verdict = VERDICT_ALLOW;
            ret->findings[c].reason = REASON_OFF;
        }
    }
    if (!value_is(v, VALUE_ARRAY)) {
        return err_set(e, RC_CORRUPT, "a record has no findings");
    }
    for (uint32_t i = 0; i < v->count; i++) {
        enum rc rc = finding_read(value_item(v, i), ret, e);
        if (rc != RC_OK) {
            return rc;
        }
    }
    return RC_OK;
}

/* --- rules --------------------------------------------------------------------------------------------- */

struct value rule_matches_write(struct arena *a, const struct decision *d)
{
    struct value all = value_array();
    for (unsigned i = 0; i < d->rule_count; i++) {
        const struct rule_match *m = &d->rules[i];
        struct value v = value_array();
        value_push(a, &v, value_string(m->rule));
        value_push(a, &v, value_string(verdict_str(m->verdict)));
        value_push(a, &v, value_string(str_from(rule_severity_name(m->severity))));
        value_push(a, &v, value_int((m->shadow ? 1 : 0) + (m->failed ? 2 : 0)));
        if (m->message.len > 0) {
            value_push(a, &v, value_string(m->message));
        }
        value_push(a, &all, v);
    }
    return all;
}

void rule_matches_read(const struct value *v, struct decision *ret)
{
    ret->rule_count = 0;
    for (uint32_t i = 0; value_item(v, i) != NULL && ret->rule_count < RULE_MATCHES_MAX; i++) {
        const struct value *row = value_item(v, i);
        int64_t flags = item_int(row, 3, 0);
        struct rule_match m = {.rule = value_text(value_item(row, 0)),
                               .shadow = (flags & 1) != 0,
                               .failed = (flags & 2) != 0,
                               .message = value_text(value_item(row, 4))};
        if (verdict_parse(value_text(value_item(row, 1)), &m.verdict) &&
            rule_severity_parse(value_text(value_item(row, 2)), &m.severity)) {
            ret->rules[ret->rule_count++] = m;
        }
    }
    ret->rules_held = ret->rule_count;
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
    case REASON_DRY_RUN: return "nothing runs: dry run by %.*s";
    case REASON_SHELL: return "matches no tool of the catalogue";
    case REASON_AMBIGUOUS: return "matches more than one tool: %.*s";
    case REASON_CLAIM_MISMATCH: return "the claim is wrong: %.*s";
    case REASON_BAD_PARAMETERS: return "%.*s";
    case REASON_UNKNOWN_SERVICE: return "%.*s";
    case REASON_NO_PLAN: return "%.*s";
    case REASON_NO_DIFF: return "%.*s";
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
    case REASON_BREAKER_OPEN: return "the agent's breaker is open: %.*s";
    case REASON_BREAKER_PROBING: return "the agent's breaker is half-open and a probe is under way";
    case REASON_LINEAGE_INCOMPLETE: return "the lineage is incomplete: %.*s";
    case REASON_TIER_READ_ONLY: return "the agent may only read here";
    case REASON_TIER_SHADOW: return "the agent is in shadow here: it is recorded and does not run";
    case REASON_TIER_SUPERVISED: return "the agent is supervised here: a person decides";
    case REASON_NOT_READY: return "not ready for changes by agents: %.*s";
    case REASON_NO_GRANT: return "no grant in force covers it";
    case REASON_ZONE_CROSSED: return "crosses the border of trust zones: %.*s";
    case REASON_ZONE_OUTSIDE: return "%.*s is none of the agent's trust zones";
    case REASON_ZONE_EXCEPTED: return "across trust zones by exception %.*s";
    case REASON_UPSTREAM_UNKNOWN: return "error budget of %.*s, which the target calls, is unknown";
    case REASON_ON_CALL_NOBODY: return "nobody is on call for %.*s";
    case REASON_ON_CALL_UNKNOWN: return "who is on call for %.*s is unknown";
    case REASON_NO_WAY_BACK: return "no fresh snapshot and no tested rollback of %.*s is on record";
    case REASON_DRIFT_SURFACE: return "touches the surface %.*s, which the agent did not declare";
    case REASON_BLAST_UNKNOWN: return "the share of traffic of %.*s is not declared";
    case REASON_BUSY: return "another execution on %.*s is under way";
    case REASON_SURFACE: return "touches the protected surface %.*s";
    case REASON_SCHEMA_HARM: return "the migration would %.*s";
    case REASON_SCHEMA_UNKNOWN: return "what the migration does can't be told: %.*s";
    case REASON_DRIFT_TOOL: return "not a tool that the agent declared to use";
    case REASON_DRIFT_TARGET: return "not a target that the agent declared to touch";
    case REASON_DRIFT_HOURS: return "outside the hours that the agent declared";
    case REASON_UNTRUSTED_CONTEXT: return "acts on context that is not trusted: %.*s";
    case REASON_NOT_APPLICABLE: return "does not apply here";
    case REASON_OFF: return "switched off";
    default: return "";
    }
}

/* True for what is said with its numbers. */
static bool numbers_text(struct buf *out, const struct finding *f)
{
    long long value = (long long)f->value;
    long long threshold = (long long)f->threshold;
    switch (f->reason) {
    case REASON_UPSTREAM_LOW:
        buf_printf(out, "error budget of %.*s, which the target calls, is ", STR_ARG(f->subject));
        put_percent(out, f->value);
        buf_str(out, STR(" (minimum "));
        put_percent(out, f->threshold);
        buf_char(out, ')');
        return true;
    case REASON_ON_CALL_BUSY:
        buf_printf(out, "the on-call of %.*s has %lld open incidents (maximum %lld)", STR_ARG(f->subject),
                   (long long)f->value, (long long)f->threshold);
        return true;
    case REASON_BLAST_WIDE:
        buf_str(out, STR("predicted to touch "));
        put_percent(out, f->value);
        buf_str(out, STR(" of the traffic (maximum "));
        put_percent(out, f->threshold);
        buf_char(out, ')');
        return true;
    case REASON_RATE_AGENT:
    case REASON_RATE_TOOL:
    case REASON_RATE_SERVICE:
        buf_printf(out, "%lld executions by %.*s in the window (maximum %lld)", value, STR_ARG(f->subject), threshold);
        return true;
    case REASON_FAILED_BEFORE:
        buf_printf(out, "the same tool failed on %.*s %lld times before", STR_ARG(f->subject), value);
        return true;
    case REASON_DRIFT_RATE:
        buf_printf(out, "%lld executions in an hour, declared are %lld", value, threshold);
        return true;
    case REASON_RULE:
    case REASON_RULE_FAILED:
        buf_printf(out, "rule %.*s%s%.*s", STR_ARG(f->subject), f->note.len > 0 ? ": " : "", STR_ARG(f->note));
        return true;
    case REASON_VALIDATOR:
        buf_printf(out, "%.*s says no%s%.*s", STR_ARG(f->subject), f->note.len > 0 ? ": " : "", STR_ARG(f->note));
        return true;
    case REASON_VALIDATOR_ERROR:
        buf_printf(out, "%.*s gave no answer: %.*s", STR_ARG(f->subject), STR_ARG(f->note));
        return true;
    case REASON_QUORUM:
        buf_printf(out, "needs %lld approvals: %.*s", value, STR_ARG(f->subject));
        return true;
    default:
        return false;
    }
}

void finding_text(struct buf *out, const struct finding *f)
{
    if (numbers_text(out, f)) {
        return;
    }
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
