/*
 * gate/stop - the kill switch, and a clock that can't be trusted.
 *
 * A stop denies every class, reads included; a pause holds what changes something; in a dry run that is decided,
 * recorded, and does not run. While the clock has
 * jumped and nobody has accepted it, changes are held.
 */
#include "gate/checks.h"

void check_stop(const struct check_input *in, struct finding *ret)
{
    const struct facts *f = in->facts;
    if (f->stop_count > 0 && f->stop_level == STOP_FULL) {
        finding_block(CHECK_STOP, VERDICT_DENY, REASON_STOPPED, f->stops[0], ret);
        return;
    }
    if (only_reads(in)) {
        finding_allow(CHECK_STOP, ret);
        return;
    }
    if (f->stop_count > 0 && f->stop_level == STOP_PAUSE) {
        finding_block(CHECK_STOP, VERDICT_HOLD, REASON_PAUSED, f->stops[0], ret);
        return;
    }
    if (!f->clock_ok) {
        finding_block(CHECK_STOP, VERDICT_HOLD, REASON_CLOCK_JUMPED, STR(""), ret);
        return;
    }
    if (f->stop_count > 0) {
        finding_block(CHECK_STOP, VERDICT_ADVISE, REASON_DRY_RUN, f->stops[0], ret);
        return;
    }
    finding_allow(CHECK_STOP, ret);
}
