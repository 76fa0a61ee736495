/*
 * gate/memory - the same tool failed on this service before, more often than it may.
 */
#include "gate/checks.h"

void check_memory(const struct check_input *in, struct finding *ret)
{
    const struct facts *f = in->facts;
    const int64_t *t = in->thresholds->at;
    bool often = f->memory_n > 0 && f->memory_failed >= t[MEMORY_MIN_FAILURES] &&
                 f->memory_failed * PPM_ONE / f->memory_n > t[MEMORY_MAX_FAILED_PPM];
    if (only_reads(in) || !often) {
        finding_allow(CHECK_MEMORY, ret);
        return;
    }
    finding_block(CHECK_MEMORY, (enum verdict)t[MEMORY_ON_BLOCK], REASON_FAILED_BEFORE, f->memory_service, ret);
    ret->value = f->memory_failed;
    ret->threshold = f->memory_n;
}
