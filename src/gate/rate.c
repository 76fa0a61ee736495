/*
 * gate/rate - how many executions in a window, and how many at a time on one service.
 *
 * Counted where they are committed, by the one thread that decides: what this finding lets through is counted
 * before the next one is asked.
 */
#include "gate/checks.h"

struct excess {
    enum reason reason;
    struct str subject;
    int64_t count;
    int64_t max;
};

static void over(const struct check_input *in, struct excess x, struct finding *ret)
{
    finding_block(CHECK_RATE, (enum verdict)in->thresholds->at[RATE_ON_BLOCK], x.reason, x.subject, ret);
    ret->value = x.count;
    ret->threshold = x.max;
    bool timed = x.reason != REASON_BUSY && ret->verdict == VERDICT_HOLD;
    ret->release_ms = timed ? in->facts->rate_release_ms : 0;
}

void check_rate(const struct check_input *in, struct finding *ret)
{
    const struct facts *f = in->facts;
    const int64_t *t = in->thresholds->at;
    if (t[RATE_MAX_AGENT] > 0 && f->rate_agent >= t[RATE_MAX_AGENT]) {
        over(in, (struct excess){REASON_RATE_AGENT, in->request->agent, f->rate_agent, t[RATE_MAX_AGENT]}, ret);
        return;
    }
    if (t[RATE_MAX_SERVICE] > 0 && f->rate_service >= t[RATE_MAX_SERVICE]) {
        over(in, (struct excess){REASON_RATE_SERVICE, f->rate_subject, f->rate_service, t[RATE_MAX_SERVICE]}, ret);
        return;
    }
    if (t[RATE_MAX_TOOL] > 0 && f->rate_tool >= t[RATE_MAX_TOOL]) {
        struct str tool = in->request->tool == NULL ? STR("the tool") : in->request->tool->name;
        over(in, (struct excess){REASON_RATE_TOOL, tool, f->rate_tool, t[RATE_MAX_TOOL]}, ret);
        return;
    }
    if (!only_reads(in) && t[RATE_CONCURRENT] > 0 && f->executing >= t[RATE_CONCURRENT]) {
        over(in, (struct excess){REASON_BUSY, f->rate_subject, f->executing, t[RATE_CONCURRENT]}, ret);
        return;
    }
    finding_allow(CHECK_RATE, ret);
}
