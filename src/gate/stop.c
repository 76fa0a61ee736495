/*
 * gate/stop - the kill switch, and a clock that can't be trusted.
 *
 * A stop denies every class, reads included; a pause holds what changes something; in a dry run that is decided,
 * recorded, and does not run. While the clock has
 * jumped and nobody has accepted it, changes are held.
 */
#include "gate/checks.h"

struct finding check_stop(const struct check_input *in)
{
    const struct facts *f = in->facts;
    if (f->stop_count > 0 && f->stop_level == STOP_FULL) {
        return finding_block(CHECK_STOP, VERDICT_DENY, REASON_STOPPED, f->stops[0]);
    }
    if (only_reads(in)) {
        return finding_allow(CHECK_STOP);
    }
    if (f->stop_count > 0 && f->stop_level == STOP_PAUSE) {
        return finding_block(CHECK_STOP, VERDICT_HOLD, REASON_PAUSED, f->stops[0]);
    }
    if (!f->clock_ok) {
        return finding_block(CHECK_STOP, VERDICT_HOLD, REASON_CLOCK_JUMPED, STR(""));
    }
    if (f->stop_count > 0) {
        return finding_block(CHECK_STOP, VERDICT_ADVISE, REASON_DRY_RUN, f->stops[0]);
    }
    return finding_allow(CHECK_STOP);
}
