/*
 * control/invariants - what must hold after a change is asked, once each: of commands that change nothing, or of what is
 * known then, by a condition in CEL.
 *
 * Which and when was decided with the action. What was asked is not in the ledger, only what came of it: after a
 * restart all of an observation that goes on is asked again. An invariant that says no, or nothing in its time, does
 * not hold; one that could not be asked is not seen, and says nothing either way.
 * Source: SEMANTICS section 6 "Outcome checks".
 */
#include "control/control_internal.h"

#include <stdio.h>
#include <stdlib.h>

/* How long after its time one may wait for others to end before it counts as not seen. */
enum { ROOM_MS = 10 * MINUTE_MS, DETAIL_SIZE = 128 };

enum asked { ASKED_NOT = 0, ASKED_RUNS, ASKED_HELD, ASKED_UNSEEN, ASKED_BROKEN };

struct asking {
    uint64_t action;
    enum asked state[INVARIANTS_MAX];
    char detail[DETAIL_SIZE]; /* of the first that does not hold */
};

struct invariants {
    struct asking *all;
    size_t count;
    size_t capacity;
};

void invariants_free(struct control *c)
{
    if (c->invariants != NULL) {
        free(c->invariants->all);
        free(c->invariants);
        c->invariants = NULL;
    }
}

static struct asking *find(struct control *c, uint64_t action)
{
    for (size_t i = 0; c->invariants != NULL && i < c->invariants->count; i++) {
        if (c->invariants->all[i].action == action) {
            return &c->invariants->all[i];
        }
    }
    return NULL;
}

/* Those whose observation is over make room. */
static void sweep(struct control *c, struct invariants *v)
{
    for (size_t i = v->count; i-- > 0;) {
        const struct action *action = world_action(c->world, v->all[i].action);
        if (action == NULL || action->state != ACTION_OBSERVING) {
            v->all[i] = v->all[--v->count];
        }
    }
}

/* Null: out of memory, and the next tick tries again. */
static struct asking *find_or_add(struct control *c, uint64_t action)
{
    struct asking *found = find(c, action);
    if (found != NULL) {
        return found;
    }
    if (c->invariants == NULL) {
        c->invariants = calloc(1, sizeof *c->invariants);
    }
    struct invariants *v = c->invariants;
    if (v != NULL && v->count == v->capacity) {
        sweep(c, v);
    }
    if (v != NULL && v->count == v->capacity) {
        size_t capacity = v->capacity == 0 ? 8 : 2 * v->capacity;
        struct asking *all = realloc(v->all, capacity * sizeof *all);
        if (all == NULL) {
            return NULL;
        }
        v->all = all;
        v->capacity = capacity;
    }
    if (v == NULL) {
        return NULL;
    }
    v->all[v->count] = (struct asking){.action = action};
    return &v->all[v->count++];
}

/* The action's own list, as it was decided; null when it can't be read. */
static const struct value *decided_list(struct control *c, struct arena *a, uint64_t action)
{
    struct entry entry;
    struct value *body = arena_alloc(a, sizeof *body);
    if (body == NULL || control_read_entry(c, a, action, &entry, body, NULL) != RC_OK) {
        return NULL;
    }
    return value_get(body, STR("invariants"));
}

/* What can't be judged, a budget that is not known for instance, is not seen. */
static enum asked judge(struct control *c, struct arena *a, const struct action *action, struct str condition, char *detail)
{
    struct request q;
    struct err e;
    bool holds = false;
    enum rc rc = control_rebuild(c, a, action, &q, &e);
    if (rc == RC_OK) {
        struct gate_input in = judged_on(c, a, &q, action, clock_now(c));
        in.conditions = true;
        rc = gate_condition(&in, condition, &holds, &e);
    }
    if (rc == RC_OK && !holds) {
        snprintf(detail, DETAIL_SIZE, "%.*s", STR_ARG(str_slice(condition, 0, condition.len < DETAIL_SIZE ? condition.len : DETAIL_SIZE)));
    }
    return rc != RC_OK ? ASKED_UNSEEN : holds ? ASKED_HELD : ASKED_BROKEN;
}

static enum asked ask(struct control *c, struct arena *a, const struct action *action, uint32_t index, char *detail)
{
    const struct value *one = value_item(decided_list(c, a, action->id), index);
    struct str condition = value_text(value_get(one, STR("condition")));
    if (condition.len > 0) {
        return judge(c, a, action, condition, detail);
    }
    struct command command = {.kind = COMMAND_INVARIANT,
                              .action = action->id,
                              .index = index,
                              .timeout_ms = value_integer_or(value_get(one, STR("timeout_ms")), 0)};
    switch (start_command(c, a, &command, value_get(one, STR("argv")))) {
    case COMMAND_STARTED:
        return ASKED_RUNS;
    case COMMAND_BUSY:
        return ASKED_NOT;
    default:
        return ASKED_UNSEEN;
    }
}

static void ask_due(struct control *c, struct arena *a, const struct action *action, int64_t now)
{
    const struct action_watch *watch = action->watch;
    int64_t began_ms = action->due_ms - watch->for_ms;
    struct asking *asking = find_or_add(c, action->id);
    char unused[DETAIL_SIZE] = "";
    for (uint32_t i = 0; asking != NULL && i < watch->invariant_count; i++) {
        int64_t at = began_ms + watch->invariant_after_ms[i];
        if (asking->state[i] == ASKED_NOT && now >= at) {
            enum asked state = ask(c, a, action, i, asking->detail[0] == '\0' ? asking->detail : unused);
            asking->state[i] = state == ASKED_NOT && now >= at + ROOM_MS ? ASKED_UNSEEN : state;
        }
    }
}

struct invariants_seen invariants_look(struct control *c, struct arena *a, const struct action *action, int64_t now)
{
    struct invariants_seen seen = {.name = STR("")};
    if (action->watch->invariant_count == 0) {
        return seen;
    }
    ask_due(c, a, action, now);
    const struct asking *asking = find(c, action->id);
    for (uint32_t i = 0; i < action->watch->invariant_count; i++) {
        enum asked state = asking == NULL ? ASKED_NOT : asking->state[i];
        seen.open += state == ASKED_NOT || state == ASKED_RUNS ? 1 : 0;
        seen.held += state == ASKED_HELD ? 1 : 0;
        seen.unseen += state == ASKED_UNSEEN ? 1 : 0;
        if (state == ASKED_BROKEN && seen.name.len == 0) {
            struct str name = value_text(value_get(value_item(decided_list(c, a, action->id), i), STR("name")));
            seen.name = name.len > 0 ? name : STR("an invariant");
            seen.detail = arena_str(a, str_from(asking->detail));
        }
    }
    return seen;
}

void invariants_ended(struct control *c, const struct command *command, bool good, struct str detail)
{
    struct asking *asking = find(c, command->action);
    if (asking == NULL || command->index >= INVARIANTS_MAX || asking->state[command->index] != ASKED_RUNS) {
        return; /* of an observation that is over */
    }
    asking->state[command->index] = good ? ASKED_HELD : ASKED_BROKEN;
    if (!good && asking->detail[0] == '\0') {
        snprintf(asking->detail, sizeof asking->detail, "%.*s", STR_ARG(detail));
    }
}
