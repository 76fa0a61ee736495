/*
 * gate/aqdd - check 2 of the Pre-Action SRE Gate: approval queue depth drift.
 *
 * A queue that people can't keep up with is no oversight: no more autonomous action until it drains.
 */
#include "gate/checks.h"

void check_aqdd(const struct check_input *in, struct finding *ret)
{
    if (by_human(in)) {
        finding_not_applicable(CHECK_AQDD, ret);
        return;
    }
    const struct facts *f = in->facts;
    const int64_t *t = in->thresholds->at;
    finding_allow(CHECK_AQDD, ret);
    if (only_reads(in)) {
        ret->reason = REASON_NOT_APPLICABLE;
        return;
    }
    ret->value = f->aqdd_depth;
    ret->threshold = t[AQDD_MAX_DEPTH];
    if (!f->aqdd_known) {
        ret->verdict = (enum verdict)t[AQDD_ON_UNKNOWN];
        ret->reason = REASON_QUEUE_UNKNOWN;
        ret->unknown = true;
    } else if (f->aqdd_depth > t[AQDD_MAX_DEPTH]) {
        ret->verdict = (enum verdict)t[AQDD_ON_BLOCK];
        ret->reason = REASON_QUEUE_DEEP;
    } else if (t[AQDD_MAX_DRIFT_MILLI] > 0 && f->aqdd_drift_milli > t[AQDD_MAX_DRIFT_MILLI]) {
        ret->verdict = (enum verdict)t[AQDD_ON_BLOCK];
        ret->reason = REASON_QUEUE_DRIFT;
        ret->value = f->aqdd_drift_milli;
        ret->threshold = t[AQDD_MAX_DRIFT_MILLI];
    }
}
