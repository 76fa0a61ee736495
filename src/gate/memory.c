/*
 * gate/memory - the same tool failed on this service before, more often than it may.
 */
#include "gate/checks.h"

struct finding check_memory(const struct check_input *in)
{
    const struct facts *f = in->facts;
    const int64_t *t = in->thresholds->at;
    bool often = f->memory_n > 0 && f->memory_failed >= t[MEMORY_MIN_FAILURES] &&
                 f->memory_failed * PPM_ONE / f->memory_n > t[MEMORY_MAX_FAILED_PPM];
    if (only_reads(in) || !often) {
        return finding_allow(CHECK_MEMORY);
    }
    struct finding finding =
        finding_block(CHECK_MEMORY, (enum verdict)t[MEMORY_ON_BLOCK], REASON_FAILED_BEFORE, f->memory_service);
    finding.value = f->memory_failed;
    finding.threshold = f->memory_n;
    return finding;
}
