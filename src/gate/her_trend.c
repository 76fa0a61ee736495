/*
 * gate/her_trend - check 3 of the Pre-Action SRE Gate: human escalation rate.
 *
 * An agent that lately had to ask people more than it should is out of its depth. Below the minimum
 * sample the rate says nothing; that is known, not unknown.
 */
#include "gate/checks.h"

void check_her_trend(const struct check_input *in, struct finding *ret)
{
    if (by_human(in)) {
        finding_not_applicable(CHECK_HER_TREND, ret);
        return;
    }
    const struct facts *f = in->facts;
    const int64_t *t = in->thresholds->at;
    finding_allow(CHECK_HER_TREND, ret);
    if (only_reads(in)) {
        ret->reason = REASON_NOT_APPLICABLE;
        return;
    }
    ret->value = f->her_ppm;
    ret->threshold = t[HER_MAX_PPM];
    if (!f->her_known) {
        ret->verdict = (enum verdict)t[HER_ON_UNKNOWN];
        ret->reason = REASON_HER_UNKNOWN;
        ret->unknown = true;
    } else if (f->her_sample < t[HER_MIN_SAMPLE]) {
        ret->reason = REASON_INSUFFICIENT_SAMPLE;
    } else if (f->her_ppm > t[HER_MAX_PPM]) {
        ret->verdict = (enum verdict)t[HER_ON_BLOCK];
        ret->reason = REASON_HER_HIGH;
    }
}
