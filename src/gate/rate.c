/*
 * gate/rate - how many executions in a window, and how many at a time on one service.
 *
 * Counted where they are committed, by the one thread that decides: what this finding lets through is counted
 * before the next one is asked.
 */
#include "gate/checks.h"

static struct finding over(const struct check_input *in, enum reason reason, struct str subject, int64_t value,
                           int64_t max)
{
    struct finding f = finding_block(CHECK_RATE, (enum verdict)in->thresholds->at[RATE_ON_BLOCK], reason, subject);
    f.value = value;
    f.threshold = max;
    bool timed = reason != REASON_BUSY && f.verdict == VERDICT_HOLD;
    f.release_ms = timed ? in->facts->rate_release_ms : 0;
    return f;
}

struct finding check_rate(const struct check_input *in)
{
    const struct facts *f = in->facts;
    const int64_t *t = in->thresholds->at;
    if (t[RATE_MAX_AGENT] > 0 && f->rate_agent >= t[RATE_MAX_AGENT]) {
        return over(in, REASON_RATE_AGENT, in->request->agent, f->rate_agent, t[RATE_MAX_AGENT]);
    }
    if (t[RATE_MAX_SERVICE] > 0 && f->rate_service >= t[RATE_MAX_SERVICE]) {
        return over(in, REASON_RATE_SERVICE, f->rate_subject, f->rate_service, t[RATE_MAX_SERVICE]);
    }
    if (t[RATE_MAX_TOOL] > 0 && f->rate_tool >= t[RATE_MAX_TOOL]) {
        return over(in, REASON_RATE_TOOL, in->request->tool == NULL ? STR("the tool") : in->request->tool->name,
                    f->rate_tool, t[RATE_MAX_TOOL]);
    }
    if (!only_reads(in) && t[RATE_CONCURRENT] > 0 && f->executing >= t[RATE_CONCURRENT]) {
        return over(in, REASON_BUSY, f->rate_subject, f->executing, t[RATE_CONCURRENT]);
    }
    return finding_allow(CHECK_RATE);
}
