#include "control/restore.h"

#include "control/control_internal.h"

enum rc control_restored(struct control *c, struct arena *a, const struct loss *loss, struct err *e)
{
    if (str_trim(loss->reason).len == 0 || loss->reason.len > CONTROL_REASON_MAX) {
        return err_set(e, RC_INVALID, "expected a reason of at most %d bytes", CONTROL_REASON_MAX);
    }
    struct value body = value_object();
    value_add(a, &body, STR("checkpoint"),
              loss->checkpoint.len == 0 ? value_null() : value_string(loss->checkpoint));
    value_add_int(a, &body, STR("lost_after"), (int64_t)world_next_seq(c->world) - 1);
    value_add_str(a, &body, STR("reason"), loss->reason);
    struct append what = {
        .kind = ENTRY_LEDGER_RESTORED, .actor = STR("system"), .body = body, .tightens = true};
    uint64_t seq;
    return control_append(c, a, &what, &seq, e);
}
