/*
 * control/outcome - was it any good? After a success the error budgets of what it touched are watched, and the
 * invariants of its tool are asked; when a budget falls further than the tool allows, or an invariant does not hold,
 * the change is taken back by the command that was decided with it.
 *
 * A revert follows the same rule as an execution: it is in the ledger before it runs, it runs once, and one of
 * which nobody heard in time has failed. It waits for a stop; it is not tried when another change of the same
 * service came after it, for then it would undo that one too.
 * Source: SEMANTICS section 4 "A revert", section 6.
 */
#include "control/control_internal.h"

#include "redact/redact.h"

#include <stdlib.h>

/* --- watching ------------------------------------------------------------------------------------ */

static bool is_known(const struct budget_fact *b)
{
    return b->state == SIGNAL_KNOWN || b->state == SIGNAL_NO_TRAFFIC;
}

/* The first service whose budget fell too far; MAP_NONE: none. ret_blind: one can't be told. */
static uint32_t fallen(struct control *c, const struct action_watch *w, int64_t now, int64_t *ret_before,
                       int64_t *ret_now, bool *ret_blind)
{
    /* Without a budget to watch, invariants are what tells. */
    *ret_blind = w->count == 0 && w->invariant_count == 0;
    for (uint32_t i = 0; i < w->count; i++) {
        struct budget_fact b = gate_budget(c->world, world_policy(c->world), &c->signals, w->at[i].service, now);
        *ret_blind = *ret_blind || !is_known(&b);
        if (is_known(&b) && w->at[i].before_ppm - b.remaining_ppm > w->max_drop_ppm) {
            *ret_before = w->at[i].before_ppm;
            *ret_now = b.remaining_ppm;
            return w->at[i].service;
        }
    }
    return MAP_NONE;
}

static enum rc say(struct control *c, struct arena *a, enum entry_kind kind, uint64_t action, struct value body)
{
    struct append what = {.kind = kind,
                          .actor = STR("system"),
                          .refs = {ref_text(a, "act", action)},
                          .ref_count = 1,
                          .body = body,
                          .tightens = true};
    uint64_t seq;
    return control_append(c, a, &what, &seq, NULL);
}

static void add_service(struct control *c, struct arena *a, struct value *body, uint32_t service)
{
    value_add_str(a, body, STR("service"), str_from(world_service_at(c->world, service)->name));
}

static enum rc say_broken(struct control *c, struct arena *a, const struct action *action,
                          const struct invariants_seen *seen)
{
    struct value body = value_object();
    value_add_str(a, &body, STR("detail"), seen->detail);
    value_add(a, &body, STR("impact"), calibration_value(c, a, action));
    value_add_str(a, &body, STR("invariant"), seen->name);
    if (action->service_count > 0) {
        add_service(c, a, &body, action_services(action)[0]);
    }
    return say(c, a, ENTRY_ACTION_VIOLATED, action->id, body);
}

static enum rc say_well(struct control *c, struct arena *a, const struct action *action,
                        const struct invariants_seen *seen, bool blind)
{
    bool reported = blind || seen->unseen > 0;
    struct value body = value_object();
    value_add(a, &body, STR("impact"), calibration_value(c, a, action));
    if (action->watch->invariant_count > 0) {
        value_add_int(a, &body, STR("invariants_held"), seen->held);
        value_add_int(a, &body, STR("invariants_unseen"), seen->unseen);
    }
    /* What could not be seen is not verified, and is no reason to take it back either. */
    value_add_str(a, &body, STR("level"), reported ? STR("reported") : STR("verified"));
    return say(c, a, ENTRY_ACTION_VERIFIED, action->id, body);
}

static enum rc watch_one(struct control *c, const struct action *action, int64_t now)
{
    CLEANUP(arena) struct arena *a = arena_new(OP_ARENA_MAX);
    int64_t before = 0;
    int64_t after = 0;
    bool blind;
    if (a == NULL) {
        return RC_NO_MEMORY;
    }
    uint32_t service = fallen(c, action->watch, now, &before, &after, &blind);
    if (service != MAP_NONE) {
        struct value body = value_object();
        value_add_int(a, &body, STR("after_ppm"), after);
        value_add_int(a, &body, STR("before_ppm"), before);
        value_add(a, &body, STR("impact"), calibration_value(c, a, action));
        add_service(c, a, &body, service);
        return say(c, a, ENTRY_ACTION_VIOLATED, action->id, body);
    }
    struct invariants_seen seen = invariants_look(c, a, action, now);
    if (seen.name.len > 0) {
        return say_broken(c, a, action, &seen);
    }
    return now < action->due_ms || seen.open > 0 ? RC_OK : say_well(c, a, action, &seen, blind);
}

/* --- reverting -------------------------------------------------------------------------------------- */

static bool is_stopped(const struct control *c, const struct action *action)
{
    const struct stop_subject subject = action_subject(action);
    for (uint32_t i = 0; i < world_stop_count(c->world); i++) {
        if (world_stop_covers(c->world, world_stop_at(c->world, i), &subject)) {
            return true;
        }
    }
    return false;
}

/* Another execution on one of its services was committed after its own. */
static bool is_overtaken(const struct control *c, const struct action *action)
{
    const struct action *other = NULL;
    while ((other = world_action_next(c->world, other)) != NULL) {
        if (other->grant_seq <= action->grant_seq) {
            continue;
        }
        for (uint32_t i = 0; i < other->service_count; i++) {
            for (uint32_t k = 0; k < action->service_count; k++) {
                if (action_services(other)[i] == action_services(action)[k]) {
                    return true;
                }
            }
        }
    }
    return false;
}

/* A revert whose start waits for the disk. */
struct revert_start {
    struct control *c;
    uint64_t action;
};

static enum rc end_revert(struct control *c, uint64_t action, bool good, struct str detail)
{
    CLEANUP(arena) struct arena *a = arena_new(OP_ARENA_MAX);
    if (a == NULL) {
        return RC_NO_MEMORY;
    }
    struct value body = value_object();
    value_add_str(a, &body, STR("detail"), detail);
    value_add_str(a, &body, STR("result"), good ? STR("succeeded") : STR("failed"));
    return say(c, a, ENTRY_REVERT_FINISHED, action, body);
}

enum command_start start_command(struct control *c, struct arena *a, struct command *command, const struct value *words)
{
    size_t count = value_is(words, VALUE_ARRAY) ? words->count : 0;
    struct str *argv = arena_array(a, count + 1, sizeof *argv);
    for (size_t i = 0; argv != NULL && i < count; i++) {
        argv[i] = value_text(value_item(words, (uint32_t)i));
    }
    command->argv = argv;
    command->count = count;
    /* A secret that was taken out can't be put back: such a tool takes it by reference. */
    bool can = argv != NULL && count > 0 && command->timeout_ms > 0 && !redact_holds(words) && c->options.ports.run != NULL;
    return can ? c->options.ports.run(c->options.ports.context, command) : COMMAND_FAILED;
}

static bool run_revert(struct control *c, uint64_t action)
{
    CLEANUP(arena) struct arena *a = arena_new(OP_ARENA_MAX);
    struct entry entry;
    struct value body;
    if (a == NULL || control_read_entry(c, a, action, &entry, &body, NULL) != RC_OK) {
        return false;
    }
    int64_t left = world_action(c->world, action)->due_ms - clock_now(c);
    struct command command = {.kind = COMMAND_REVERT, .action = action, .timeout_ms = left};
    return start_command(c, a, &command, value_get(&body, STR("revert"))) == COMMAND_STARTED;
}

/* Only what is in the ledger may start. */
static void start_revert(void *context, enum rc rc)
{
    struct revert_start *s = context;
    const struct action *action = world_action(s->c->world, s->action);
    bool stands = action != NULL && action->state == ACTION_REVERTING;
    if (stands && (rc != RC_OK || !run_revert(s->c, s->action))) {
        /* When this can't be written either, its deadline says the same. */
        (void)end_revert(s->c, s->action, false, STR("it could not be started"));
    }
    free(s);
}

static enum rc begin_revert(struct control *c, struct arena *a, const struct principal *p, const struct action *action,
                            struct str reason, struct err *e)
{
    const struct tool_def *tool = action->tool == MAP_NONE ? NULL : world_tool_at(c->world, action->tool)->def;
    int64_t timeout = tool != NULL && tool->revert.timeout_ms > 0 ? tool->revert.timeout_ms : MINUTE_MS;
    uint64_t id = action->id;
    struct revert_start *s = malloc(sizeof *s);
    if (s == NULL) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    *s = (struct revert_start){c, id};
    struct value body = value_object();
    value_add_instant(a, &body, STR("due_at"), clock_now(c) + timeout);
    value_add_str(a, &body, STR("person"), p == NULL ? STR("system") : p->person);
    value_add_str(a, &body, STR("reason"), reason);
    add_idempotency(a, &body, p == NULL ? NULL : p->key);
    struct append what = {.kind = ENTRY_REVERT_STARTED,
                          .actor = p == NULL ? STR("system") : str_from(p->actor),
                          .refs = {ref_text(a, "act", id)},
                          .ref_count = 1,
                          .body = body};
    uint64_t seq;
    enum rc rc = control_append(c, a, &what, &seq, e);
    rc = rc == RC_OK ? control_when_durable(c, seq + 1, 0, start_revert, s, e) : rc;
    if (rc != RC_OK) {
        free(s);
    }
    return rc;
}

/* By itself: unless something stops it, or another change came in between. */
static enum rc revert_one(struct control *c, const struct action *action)
{
    CLEANUP(arena) struct arena *a = arena_new(OP_ARENA_MAX);
    if (a == NULL || c->options.ports.run == NULL || is_stopped(c, action)) {
        return a == NULL ? RC_NO_MEMORY : RC_OK;
    }
    if (is_overtaken(c, action)) {
        return end_revert(c, action->id, false, STR("another change of the same service came after it"));
    }
    return begin_revert(c, a, NULL, action, STR("its outcome was bad"), NULL);
}

enum rc control_revert(struct control *c, struct arena *a, const struct principal *p, uint64_t id, struct str reason,
                       bool under_stop, struct err *e)
{
    const struct action *action = world_action(c->world, id);
    if (action == NULL) {
        return err_set(e, RC_NOT_FOUND, "no such action");
    }
    bool ran = action->state == ACTION_SUCCEEDED || action->state == ACTION_VERIFIED ||
               action->state == ACTION_REVERT_WAITING || action->state == ACTION_FAILED;
    if (!ran || action->grant_seq == 0) {
        return err_set(e, RC_CONFLICT, "the action is %s: only one that ran is reverted",
                       action_state_name(action->state));
    }
    if (!action->has_revert || c->options.ports.run == NULL) {
        return err_set(e, RC_CONFLICT, "its tool says no way back");
    }
    if (str_trim(reason).len == 0 || reason.len > CONTROL_REASON_MAX) {
        return err_at(e, RC_INVALID, STR("/reason"), "expected a reason of at most %d bytes", CONTROL_REASON_MAX);
    }
    if (is_stopped(c, action) && !under_stop) {
        return err_set(e, RC_CONFLICT, "a stop covers it: say under_stop to revert it all the same");
    }
    return begin_revert(c, a, p, action, reason, e);
}

void control_command_ended(struct control *c, const struct command *command, bool good, struct str detail)
{
    const struct action *action = world_action(c->world, command->action);
    if (command->kind == COMMAND_INVARIANT) {
        invariants_ended(c, command, good, detail);
    } else if (action != NULL && action->state == ACTION_REVERTING) {
        /* When it can't be written, its deadline says that it failed: it is not tried again. */
        (void)end_revert(c, command->action, good, detail);
    }
}

/* --- at each tick --------------------------------------------------------------------------------------- */

void outcome_tick(struct control *c)
{
    if (world_policy(c->world) == NULL) {
        return;
    }
    int64_t now = clock_now(c);
    enum rc rc = RC_OK;
    /* An entry may change the order of those that are open: what was passed over is seen at the next tick. */
    for (uint32_t i = 0; i < world_open_count(c->world) && rc == RC_OK; i++) {
        const struct action *action = world_open_at(c->world, i);
        if (action->state == ACTION_OBSERVING) {
            rc = watch_one(c, action, now);
        } else if (action->state == ACTION_REVERT_WAITING) {
            rc = revert_one(c, action);
        } else if (action->state == ACTION_REVERTING && now >= action->due_ms) {
            rc = end_revert(c, action->id, false, STR("nothing was heard of it in time"));
        }
    }
}
