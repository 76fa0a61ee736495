/*
 * control/settle - an operator says what became of an action of which nobody heard in time.
 *
 * An unknown action is resolved once: by its executor's late report, or by a person who looked. Whoever comes second
 * is refused.
 * Source: SEMANTICS section 4.
 */
#include "control/control_internal.h"

enum rc control_settle(struct control *c, struct arena *a, const struct principal *p, uint64_t id,
                       const struct settlement *s, struct err *e)
{
    const struct action *action = world_action(c->world, id);
    if (action == NULL) {
        return err_set(e, RC_NOT_FOUND, "no such action");
    }
    if (action->state != ACTION_UNKNOWN) {
        return err_set(e, RC_CONFLICT, "the action is %s: only one that is unknown is settled",
                       action_state_name(action->state));
    }
    if (str_trim(s->reason).len == 0 || s->reason.len > CONTROL_REASON_MAX) {
        return err_at(e, RC_INVALID, STR("/reason"), "expected a reason of at most %d bytes", CONTROL_REASON_MAX);
    }
    struct value body = value_object();
    add_idempotency(a, &body, s->key);
    value_add_bool(a, &body, STR("late"), true);
    value_add_str(a, &body, STR("level"), STR("operator"));
    value_add_str(a, &body, STR("person"), p->person);
    value_add_str(a, &body, STR("reason"), s->reason);
    value_add_str(a, &body, STR("result"), s->succeeded ? STR("succeeded") : STR("failed"));
    struct append what = {.kind = ENTRY_ACTION_FINISHED,
                          .actor = str_from(p->actor),
                          .refs = {ref_text(a, "act", id)},
                          .ref_count = 1,
                          .body = body,
                          .tightens = true};
    uint64_t seq;
    return control_append(c, a, &what, &seq, e);
}
