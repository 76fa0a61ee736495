/*
 * gate/blast_radius - the predicted share of traffic that the action can touch is bounded.
 */
#include "gate/checks.h"

void check_blast_radius(const struct check_input *in, struct finding *ret)
{
    const struct facts *f = in->facts;
    const int64_t *t = in->thresholds->at;
    finding_allow(CHECK_BLAST_RADIUS, ret);
    if (only_reads(in)) {
        return;
    }
    ret->value = f->blast_ppm;
    ret->threshold = t[BLAST_MAX_PPM];
    if (f->blast_ppm > t[BLAST_MAX_PPM]) {
        ret->verdict = (enum verdict)t[BLAST_ON_BLOCK];
        ret->reason = REASON_BLAST_WIDE;
    } else if (!f->blast_declared && t[BLAST_REQUIRE_TRAFFIC] != 0) {
        ret->verdict = (enum verdict)t[BLAST_ON_UNKNOWN];
        ret->reason = REASON_BLAST_UNKNOWN;
        ret->subject = STR("a target");
        ret->unknown = true;
    }
}
