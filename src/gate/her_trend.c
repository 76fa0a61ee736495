/*
 * gate/her_trend - check 3 of the Pre-Action SRE Gate: human escalation rate.
 *
 * An agent that lately had to ask people more than it should is out of its depth. Below the minimum
 * sample the rate says nothing; that is known, not unknown.
 */
#include "gate/checks.h"

struct finding check_her_trend(const struct check_input *in)
{
    if (by_human(in)) {
        return finding_not_applicable(CHECK_HER_TREND);
    }
    const struct facts *f = in->facts;
    const int64_t *t = in->thresholds->at;
    struct finding finding = finding_allow(CHECK_HER_TREND);
    if (only_reads(in)) {
        finding.reason = REASON_NOT_APPLICABLE;
        return finding;
    }
    finding.value = f->her_ppm;
    finding.threshold = t[HER_MAX_PPM];
    if (!f->her_known) {
        finding.verdict = (enum verdict)t[HER_ON_UNKNOWN];
        finding.reason = REASON_HER_UNKNOWN;
        finding.unknown = true;
    } else if (f->her_sample < t[HER_MIN_SAMPLE]) {
        finding.reason = REASON_INSUFFICIENT_SAMPLE;
    } else if (f->her_ppm > t[HER_MAX_PPM]) {
        finding.verdict = (enum verdict)t[HER_ON_BLOCK];
        finding.reason = REASON_HER_HIGH;
    }
    return finding;
}
