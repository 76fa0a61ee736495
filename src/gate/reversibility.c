/*
 * gate/reversibility - before something is destroyed there is a way back that was seen to work: a fresh snapshot of
 * the target, or a rollback that was tested. A source says so (snapshot.taken, rollback.tested); a tool that merely
 * claims to be reversible is no evidence.
 */
#include "gate/checks.h"
#include "gate/gather.h"

static bool is_within(int64_t at_ms, int64_t now_ms, int64_t max_age_ms)
{
    return at_ms > 0 && now_ms - at_ms <= max_age_ms;
}

static bool has_way_back(int64_t snapshot_ms, int64_t rollback_ms, const struct thresholds *t, int64_t now_ms)
{
    return is_within(snapshot_ms, now_ms, t->at[REVERSIBILITY_SNAPSHOT_MS]) ||
           is_within(rollback_ms, now_ms, t->at[REVERSIBILITY_ROLLBACK_MS]);
}

/* Of several targets, one without a way back is kept. */
void gather_reversibility(const struct gate_input *in, const struct thresholds *t, struct facts *f)
{
    const struct request *q = in->request;
    if (thresholds_mode(t, CHECK_REVERSIBILITY) == MODE_OFF || q->tool->class != TOOL_DESTRUCTIVE) {
        return;
    }
    for (uint32_t i = 0; i < q->service_count; i++) {
        const struct world_service *s = world_service_at(in->world, q->services[i]);
        f->evidence_service = str_from(s->name);
        f->snapshot_ms = s->snapshot_ms;
        f->rollback_ms = s->rollback_ms;
        if (!has_way_back(f->snapshot_ms, f->rollback_ms, t, in->now_ms)) {
            return;
        }
    }
}

void check_reversibility(const struct check_input *in, struct finding *ret)
{
    const struct tool_def *tool = in->request->tool;
    const struct facts *f = in->facts;
    bool destroys = tool != NULL && tool->class == TOOL_DESTRUCTIVE;
    if (!destroys || has_way_back(f->snapshot_ms, f->rollback_ms, in->thresholds, in->now_ms)) {
        finding_allow(CHECK_REVERSIBILITY, ret);
        return;
    }
    struct str subject = f->evidence_service.len > 0 ? f->evidence_service : in->request->target;
    finding_block(CHECK_REVERSIBILITY, (enum verdict)in->thresholds->at[REVERSIBILITY_ON_BLOCK],
                  REASON_NO_WAY_BACK, subject, ret);
}
