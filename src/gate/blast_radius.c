/*
 * gate/blast_radius - the predicted share of traffic that the action can touch is bounded.
 */
#include "gate/checks.h"

struct finding check_blast_radius(const struct check_input *in)
{
    const struct facts *f = in->facts;
    const int64_t *t = in->thresholds->at;
    struct finding finding = finding_allow(CHECK_BLAST_RADIUS);
    if (only_reads(in)) {
        return finding;
    }
    finding.value = f->blast_ppm;
    finding.threshold = t[BLAST_MAX_PPM];
    if (f->blast_ppm > t[BLAST_MAX_PPM]) {
        finding.verdict = (enum verdict)t[BLAST_ON_BLOCK];
        finding.reason = REASON_BLAST_WIDE;
    } else if (!f->blast_declared && t[BLAST_REQUIRE_TRAFFIC] != 0) {
        finding.verdict = (enum verdict)t[BLAST_ON_UNKNOWN];
        finding.reason = REASON_BLAST_UNKNOWN;
        finding.subject = STR("a target");
        finding.unknown = true;
    }
    return finding;
}
