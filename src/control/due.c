/*
 * control/due - what time brings: deadlines that passed, a clock that jumped, a snapshot that is due; and
 * how control stands.
 */
#include "control/control_internal.h"

static void watch(struct control *c)
{
    int64_t steady = clock_steady(c);
    int64_t drift = clock_wall(c) - steady;
    if (!c->clock_jumped && (drift > CLOCK_JUMP_MS || drift < -CLOCK_JUMP_MS)) {
        c->clock_jumped = true;
        c->signals.clock_ok = false;
    }
    if (!c->clock_jumped || c->clock_entry_written) {
        return;
    }
    CLEANUP(arena) struct arena *a = arena_new(OP_ARENA_MAX);
    if (a == NULL) {
        return;
    }
    struct value body = value_object();
    value_add_instant(a, &body, STR("steady"), steady);
    value_add_instant(a, &body, STR("wall"), clock_wall(c));
    struct append what = {.kind = ENTRY_CLOCK_JUMPED, .actor = STR("system"), .body = body};
    uint64_t seq;
    c->clock_entry_written = control_append(c, a, &what, &seq, NULL) == RC_OK;
}

/* What was approved is over. The entry that accepts the clock voids the rest: approvals that lack others, grants,
 * overrides. */
static enum rc void_approvals(struct control *c, struct arena *a, const struct principal *p, struct err *e)
{
    enum rc rc = RC_OK;
    struct principal by = *p;
    by.key = NULL; /* the entry that accepts the clock holds it */
    const struct action *next = world_action_next(c->world, NULL);
    while (next != NULL && rc == RC_OK) {
        const struct action *action = next;
        next = world_action_next(c->world, action);
        if (action->state == ACTION_APPROVED) {
            rc = control_cancel(c, a, &by, action->id, STR("the clock was set: approvals are void"), e);
            /* The table may have moved: go on behind the same action. */
            next = world_action_next(c->world, world_action(c->world, action->id));
        }
    }
    return rc;
}

enum rc control_clock_accept(struct control *c, struct arena *a, const struct principal *p, struct err *e)
{
    if (!c->clock_jumped) {
        return err_set(e, RC_CONFLICT, "the clock has not jumped");
    }
    /* First, while nothing starts yet: an end of the process in between leaves none behind. */
    enum rc rc = void_approvals(c, a, p, e);
    if (rc != RC_OK) {
        return rc;
    }
    struct value body = value_object();
    value_add_str(a, &body, STR("person"), p->person);
    value_add_instant(a, &body, STR("wall"), clock_wall(c));
    add_idempotency(a, &body, p->key);
    struct append what = {.kind = ENTRY_CLOCK_ACCEPTED, .actor = str_from(p->actor), .body = body};
    uint64_t seq;
    rc = control_append(c, a, &what, &seq, e);
    if (rc != RC_OK) {
        return rc;
    }
    clock_anchor(c);
    c->clock_jumped = false;
    c->clock_entry_written = false;
    c->signals.clock_ok = true;
    return RC_OK;
}

/* --- what falls due ------------------------------------------------------------------------------------- */

static enum entry_kind due_kind(const struct action *action)
{
    return action->state == ACTION_EXECUTING ? ENTRY_ACTION_LOST : ENTRY_ACTION_EXPIRED;
}

/* Outcomes and reverts have their own deadlines, in outcome.c. */
static bool falls_due(const struct action *action)
{
    return action->state != ACTION_OBSERVING && action->state != ACTION_REVERTING &&
           action->state != ACTION_REVERT_WAITING;
}

static enum rc record_due(struct control *c, const struct action *action)
{
    CLEANUP(arena) struct arena *a = arena_new(OP_ARENA_MAX);
    if (a == NULL) {
        return RC_NO_MEMORY;
    }
    struct value body = value_object();
    value_add_str(a, &body, STR("from"), str_from(action_state_name(action->state)));
    struct append what = {.kind = due_kind(action),
                          .actor = STR("system"),
                          .refs = {ref_text(a, "act", action->id)},
                          .ref_count = 1,
                          .body = body,
                          .tightens = true};
    uint64_t seq;
    return control_append(c, a, &what, &seq, NULL);
}

enum { WATCH_EVERY_MS = 1000, DUE_AT_ONCE_MAX = 256 };

void control_tick(struct control *c, int64_t *ret_next_ms)
{
    watch(c);
    snapshot_maybe(c);
    snapshot_poll(c);
    retention_tick(c);
    retention_poll(c);
    outcome_tick(c);
    int64_t now = clock_now(c);
    const struct action *due;
    enum rc rc = RC_OK;
    for (int i = 0; i < DUE_AT_ONCE_MAX && rc == RC_OK && (due = world_due(c->world, now)) != NULL && falls_due(due); i++) {
        rc = record_due(c, due);
    }
    stops_tick(c);
    int64_t next = world_next_due(c->world);
    int64_t latest = now + WATCH_EVERY_MS;
    *ret_next_ms = next < latest ? (next > now ? next : now + 1) : latest;
}

enum control_health control_health(struct control *c)
{
    enum writer_state state = writer_state(c->writer);
    if (state != WRITER_OK) {
        return state == WRITER_FAILED ? HEALTH_LEDGER_DOWN : HEALTH_DISK_FULL;
    }
    if (c->disk_low) {
        return HEALTH_DISK_FULL;
    }
    return c->clock_jumped ? HEALTH_CLOCK_JUMPED : HEALTH_OK;
}

void control_set_disk_low(struct control *c, bool low)
{
    c->disk_low = low;
}
