/*
 * gate/aqdd - check 2 of the Pre-Action SRE Gate: approval queue depth drift.
 *
 * A queue that people can't keep up with is no oversight: no more autonomous action until it drains.
 */
#include "gate/checks.h"

struct finding check_aqdd(const struct check_input *in)
{
    if (by_human(in)) {
        return finding_not_applicable(CHECK_AQDD);
    }
    const struct facts *f = in->facts;
    const int64_t *t = in->thresholds->at;
    struct finding finding = finding_allow(CHECK_AQDD);
    if (only_reads(in)) {
        finding.reason = REASON_NOT_APPLICABLE;
        return finding;
    }
    finding.value = f->aqdd_depth;
    finding.threshold = t[AQDD_MAX_DEPTH];
    if (!f->aqdd_known) {
        finding.verdict = (enum verdict)t[AQDD_ON_UNKNOWN];
        finding.reason = REASON_QUEUE_UNKNOWN;
        finding.unknown = true;
    } else if (f->aqdd_depth > t[AQDD_MAX_DEPTH]) {
        finding.verdict = (enum verdict)t[AQDD_ON_BLOCK];
        finding.reason = REASON_QUEUE_DEEP;
    } else if (t[AQDD_MAX_DRIFT_MILLI] > 0 && f->aqdd_drift_milli > t[AQDD_MAX_DRIFT_MILLI]) {
        finding.verdict = (enum verdict)t[AQDD_ON_BLOCK];
        finding.reason = REASON_QUEUE_DRIFT;
        finding.value = f->aqdd_drift_milli;
        finding.threshold = t[AQDD_MAX_DRIFT_MILLI];
    }
    return finding;
}
