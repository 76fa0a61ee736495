/*
 * model/world_actions - the actions in memory: by id, by digest while pending, by deadline while open,
 * by age once closed.
 */
#include "model/world_internal.h"

#include "base/must.h"

#include <stdlib.h>
#include <string.h>

static const char *const states[] = {"allowed",   "advised",   "held",     "denied",  "escalated",
                                     "approved",  "rejected",  "expired",  "executing", "succeeded",
                                     "failed",    "unknown",   "cancelled", "abandoned", "observing",
                                     "verified",  "violated",  "revert_waiting", "reverting", "reverted",
                                     "revert_failed"};

const char *action_state_name(enum action_state s)
{
    must((unsigned)s < sizeof states / sizeof *states);
    return states[s];
}

bool action_state_parse(struct str name, enum action_state *ret)
{
    for (unsigned i = 0; i < sizeof states / sizeof *states; i++) {
        if (str_eq(name, str_from(states[i]))) {
            *ret = (enum action_state)i;
            return true;
        }
    }
    return false;
}

bool action_state_is_closed(enum action_state s)
{
    switch (s) {
    case ACTION_ALLOWED:
    case ACTION_HELD:
    case ACTION_ESCALATED:
    case ACTION_APPROVED:
    case ACTION_EXECUTING:
    case ACTION_UNKNOWN:
    case ACTION_OBSERVING:
    case ACTION_REVERT_WAITING:
    case ACTION_REVERTING:
        return false;
    default:
        return true;
    }
}

static bool is_pending(enum action_state s)
{
    return s == ACTION_ESCALATED || s == ACTION_APPROVED;
}

static struct str digest_key(const struct action *a)
{
    return (struct str){(const char *)a->digest, sizeof a->digest};
}

/* One-phase actions that were allowed are over as soon as they were decided. */
static bool is_open(const struct action *a)
{
    if (a->state == ACTION_ALLOWED && !a->two_phase) {
        return false;
    }
    return !action_state_is_closed(a->state);
}

static struct action *at_slot(const struct world *w, uint32_t slot)
{
    return &w->actions[slot / ACTIONS_BLOCK][slot % ACTIONS_BLOCK];
}

/* --- deadlines: a binary heap over slots ---------------------------------------------------------- */

static bool due_before(const struct action *a, const struct action *b)
{
    return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->id < b->id;
}

static void heap_put(struct world *w, uint32_t at, uint32_t slot)
{
    w->heap[at] = slot;
    at_slot(w, slot)->heap_at = at;
}

static void heap_up(struct world *w, uint32_t at)
{
    uint32_t slot = w->heap[at];
    while (at > 0) {
        uint32_t parent = (at - 1) / 2;
        if (!due_before(at_slot(w, slot), at_slot(w, w->heap[parent]))) {
            break;
        }
        heap_put(w, at, w->heap[parent]);
        at = parent;
    }
    heap_put(w, at, slot);
}

static void heap_down(struct world *w, uint32_t at)
{
    uint32_t slot = w->heap[at];
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= w->heap_count) {
            break;
        }
        if (child + 1 < w->heap_count &&
            due_before(at_slot(w, w->heap[child + 1]), at_slot(w, w->heap[child]))) {
            child++;
        }
        if (!due_before(at_slot(w, w->heap[child]), at_slot(w, slot))) {
            break;
        }
        heap_put(w, at, w->heap[child]);
        at = child;
    }
    heap_put(w, at, slot);
}

static enum rc heap_add(struct world *w, uint32_t slot, struct err *e)
{
    enum rc rc = table_room(&w->heap, w->heap_count, &w->heap_capacity, sizeof *w->heap, e);
    if (rc == RC_OK) {
        heap_put(w, w->heap_count++, slot);
        heap_up(w, w->heap_count - 1);
    }
    return rc;
}

static void heap_remove(struct world *w, struct action *a)
{
    uint32_t at = a->heap_at;
    must(at < w->heap_count);
    uint32_t moved = w->heap[--w->heap_count];
    a->heap_at = MAP_NONE;
    if (at < w->heap_count) {
        heap_put(w, at, moved);
        heap_up(w, at);
        heap_down(w, at_slot(w, moved)->heap_at);
    }
}

/* --- closed actions: a ring in order of closing ----------------------------------------------------- */

static enum rc closed_add(struct world *w, uint32_t slot, struct err *e)
{
    if (w->closed_count == w->closed_capacity) {
        uint32_t grown = w->closed_capacity == 0 ? CLOSED_FIRST : w->closed_capacity * 2;
        uint32_t *ring = malloc(grown * sizeof *ring);
        if (ring == NULL) {
            return err_set(e, RC_NO_MEMORY, "out of memory");
        }
        for (uint32_t i = 0; i < w->closed_count; i++) {
            ring[i] = w->closed[(w->closed_first + i) % w->closed_capacity];
        }
        free(w->closed);
        w->closed = ring;
        w->closed_first = 0;
        w->closed_capacity = grown;
    }
    w->closed[(w->closed_first + w->closed_count++) % w->closed_capacity] = slot;
    return RC_OK;
}

/* Rare: an operator takes back what was over. */
static void closed_remove(struct world *w, uint32_t slot)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < w->closed_count; i++) {
        uint32_t one = w->closed[(w->closed_first + i) % w->closed_capacity];
        if (one != slot) {
            w->closed[(w->closed_first + kept++) % w->closed_capacity] = one;
        }
    }
    w->closed_count = kept;
}

/* --- slots -------------------------------------------------------------------------------------------- */

static enum rc add_block(struct world *w, struct err *e)
{
    enum rc rc = table_room(&w->actions, w->action_blocks, &w->action_block_capacity, sizeof *w->actions, e);
    if (rc != RC_OK) {
        return rc;
    }
    struct action *block = calloc(ACTIONS_BLOCK, sizeof *block);
    if (block == NULL) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    uint32_t first = w->action_blocks * ACTIONS_BLOCK;
    w->actions[w->action_blocks++] = block;
    for (uint32_t i = ACTIONS_BLOCK; i-- > 0;) {
        block[i].slot = first + i;
        block[i].next = w->action_free;
        w->action_free = first + i;
    }
    return RC_OK;
}

static enum rc slot_take(struct world *w, uint32_t *ret, struct err *e)
{
    enum rc rc = w->action_free == MAP_NONE ? add_block(w, e) : RC_OK;
    if (rc == RC_OK) {
        *ret = w->action_free;
        w->action_free = at_slot(w, *ret)->next;
    }
    return rc;
}

enum rc actions_add(struct world *w, uint64_t id, struct action **ret, struct err *e)
{
    uint32_t slot = MAP_NONE;
    enum rc rc = slot_take(w, &slot, e);
    if (rc != RC_OK) {
        return rc;
    }
    struct action *a = at_slot(w, slot);
    *a = (struct action){.id = id,
                         .state = ACTION_DENIED,
                         .slot = slot,
                         .heap_at = MAP_NONE,
                         .next = MAP_NONE,
                         .previous = w->action_last};
    if (w->action_last == MAP_NONE) {
        w->action_first = slot;
    } else {
        at_slot(w, w->action_last)->next = slot;
    }
    w->action_last = slot;
    w->action_count++;
    *ret = a;
    return idmap_put(&w->action_by_id, id, slot) == RC_OK ? RC_OK
                                                          : err_set(e, RC_NO_MEMORY, "out of memory");
}

struct action *actions_find(struct world *w, uint64_t id)
{
    uint32_t at = idmap_get(&w->action_by_id, id);
    return at == MAP_NONE ? NULL : at_slot(w, at);
}

static bool names_are_aside(const struct action *a)
{
    return a->service_count + a->act_count > ACTION_NAMES_IN_PLACE;
}

enum rc actions_name(struct action *a, const struct action_names *names, struct err *e)
{
    must(names->service_count <= REQUEST_SERVICES_MAX && names->act_count <= REQUEST_ACT_MAX);
    must(a->service_count == 0 && a->act_count == 0);
    uint32_t count = names->service_count + names->act_count;
    uint32_t *to = a->names.few;
    if (count > ACTION_NAMES_IN_PLACE) {
        to = malloc(count * sizeof *to);
        if (to == NULL) {
            return err_set(e, RC_NO_MEMORY, "out of memory");
        }
        a->names.many = to;
    }
    a->service_count = (uint8_t)names->service_count;
    a->act_count = (uint8_t)names->act_count;
    memcpy(to, names->services, names->service_count * sizeof *to);
    memcpy(to + names->service_count, names->act, names->act_count * sizeof *to);
    return RC_OK;
}

void action_done(struct action *a)
{
    if (names_are_aside(a)) {
        free(a->names.many);
    }
    free(a->review);
    free(a->watch);
    free(a->overrides);
    a->service_count = 0;
    a->act_count = 0;
    a->review = NULL;
    a->watch = NULL;
    a->overrides = NULL;
}

void actions_free(struct world *w)
{
    for (uint32_t at = w->action_first; at != MAP_NONE; at = at_slot(w, at)->next) {
        action_done(at_slot(w, at));
    }
    for (uint32_t i = 0; i < w->action_blocks; i++) {
        free(w->actions[i]);
    }
    free(w->actions);
}

enum rc actions_review(struct action *a, struct action_review **ret, struct err *e)
{
    if (a->review == NULL) {
        a->review = malloc(sizeof *a->review);
        if (a->review == NULL) {
            return err_set(e, RC_NO_MEMORY, "out of memory");
        }
    }
    *a->review = (struct action_review){.approval_count = 0};
    *ret = a->review;
    return RC_OK;
}

enum rc actions_watch(struct action *a, struct action_watch **ret, struct err *e)
{
    if (a->watch == NULL) {
        a->watch = malloc(sizeof *a->watch);
        if (a->watch == NULL) {
            return err_set(e, RC_NO_MEMORY, "out of memory");
        }
    }
    *a->watch = (struct action_watch){.count = 0};
    *ret = a->watch;
    return RC_OK;
}

enum rc actions_override(struct action *a, enum check check, struct world_override by, struct err *e)
{
    must((unsigned)check < CHECK_COUNT && by.token != 0);
    if (a->overrides == NULL) {
        a->overrides = calloc(1, sizeof *a->overrides);
        if (a->overrides == NULL) {
            return err_set(e, RC_NO_MEMORY, "out of memory");
        }
    }
    a->overrides->of[check] = by;
    return RC_OK;
}

uint64_t world_overrides(const struct world *w, const struct action *a, int64_t now_ms)
{
    uint64_t in_force = 0;
    for (unsigned c = 0; a->overrides != NULL && c < CHECK_COUNT; c++) {
        const struct world_override *o = &a->overrides->of[c];
        const struct world_token *t = o->token == 0 ? NULL : world_token_by_id(w, o->token);
        bool entitled = t != NULL && !t->revoked && (t->expires_ms == 0 || now_ms < t->expires_ms) &&
                        (t->roles & ROLE_OVERRIDE) != 0;
        if (entitled && o->policy_seq == w->policy_seq && now_ms < o->expires_ms) {
            in_force |= UINT64_C(1) << c;
        }
    }
    return in_force;
}

static void count_executing(struct world *w, const struct action *a, int step)
{
    if (a->agent != MAP_NONE) {
        w->agents[a->agent]->executing += (uint32_t)step;
    }
    for (uint32_t i = 0; i < a->service_count; i++) {
        w->services[action_services(a)[i]]->executing += (uint32_t)step;
    }
}

static void leave_state(struct world *w, struct action *a)
{
    if (a->heap_at != MAP_NONE) {
        heap_remove(w, a);
        w->open_count--;
    }
    if (a->state == ACTION_EXECUTING) {
        count_executing(w, a, -1);
    }
    if (a->state == ACTION_ESCALATED) {
        w->escalated_count--;
        if (a->agent != MAP_NONE) {
            must(w->agents[a->agent]->pending > 0);
            w->agents[a->agent]->pending--;
        }
    }
    if (is_pending(a->state) &&
        strmap_get(&w->pending_by_digest, digest_key(a)) == a->slot) {
        strmap_remove(&w->pending_by_digest, digest_key(a));
    }
}

static enum rc enter_state(struct world *w, struct action *a, struct err *e)
{
    if (a->state == ACTION_EXECUTING) {
        count_executing(w, a, 1);
    }
    if (a->state == ACTION_ESCALATED) {
        w->escalated_count++;
        if (a->agent != MAP_NONE) {
            w->agents[a->agent]->pending++;
        }
    }
    if (is_pending(a->state) &&
        strmap_put(&w->pending_by_digest, digest_key(a), a->slot) != RC_OK) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    if (is_open(a)) {
        w->open_count++;
        return heap_add(w, a->slot, e);
    }
    return RC_OK;
}

enum rc actions_move(struct world *w, struct action *a, enum action_state state, int64_t due_ms,
                     struct err *e)
{
    /* A slot that is new was in no state before; it says so by its zero proposal time. */
    bool was_closed = a->proposed_ms != 0 && !is_open(a);
    if (was_closed && !action_state_is_closed(state)) {
        return err_set(e, RC_CORRUPT, "a closed action can't be opened again");
    }
    if (a->state == ACTION_EXECUTING && state != ACTION_EXECUTING) {
        stops_note_end(w, a, state != ACTION_UNKNOWN);
    }
    if (a->proposed_ms != 0) {
        leave_state(w, a);
    } else {
        a->proposed_ms = w->time_ms;
    }
    a->state = (uint8_t)state;
    a->due_ms = due_ms;
    enum rc rc = enter_state(w, a, e);
    if (rc == RC_OK && !is_open(a) && !was_closed) {
        a->closed_ms = w->time_ms;
        rc = closed_add(w, a->slot, e);
    }
    return rc;
}

enum rc actions_revert(struct world *w, struct action *a, int64_t due_ms, struct err *e)
{
    if (a->state == ACTION_REVERT_WAITING) {
        return actions_move(w, a, ACTION_REVERTING, due_ms, e);
    }
    if (is_open(a)) {
        return err_set(e, RC_CORRUPT, "an action that is not over can't be reverted");
    }
    closed_remove(w, a->slot);
    a->closed_ms = 0;
    a->state = ACTION_REVERTING;
    a->due_ms = due_ms;
    return enter_state(w, a, e);
}

static void slot_free(struct world *w, uint32_t slot)
{
    struct action *a = at_slot(w, slot);
    idmap_remove(&w->action_by_id, a->id);
    if (a->previous == MAP_NONE) {
        w->action_first = a->next;
    } else {
        at_slot(w, a->previous)->next = a->next;
    }
    if (a->next == MAP_NONE) {
        w->action_last = a->previous;
    } else {
        at_slot(w, a->next)->previous = a->previous;
    }
    action_done(a);
    a->next = w->action_free;
    w->action_free = slot;
    w->action_count--;
}

void actions_evict(struct world *w)
{
    while (w->closed_count > 0) {
        uint32_t slot = w->closed[w->closed_first];
        if (w->time_ms - at_slot(w, slot)->closed_ms < CLOSED_KEEP_MS) {
            return;
        }
        slot_free(w, slot);
        w->closed_first = (w->closed_first + 1) % w->closed_capacity;
        w->closed_count--;
    }
}

/* --- loading -------------------------------------------------------------------------------------------- */

enum rc actions_restore(struct world *w, const struct action *from, struct err *e)
{
    struct action *a;
    enum rc rc = actions_add(w, from->id, &a, e);
    if (rc != RC_OK) {
        struct action dropped = *from;
        action_done(&dropped);
        return rc;
    }
    uint32_t previous = a->previous;
    uint32_t slot = a->slot;
    *a = *from;
    a->slot = slot;
    a->previous = previous;
    a->next = MAP_NONE;
    a->heap_at = MAP_NONE;
    return enter_state(w, a, e);
}

struct closing {
    int64_t closed_ms;
    uint64_t id;
    uint32_t slot;
};

static int by_closing(const void *a, const void *b)
{
    const struct closing *x = a;
    const struct closing *y = b;
    if (x->closed_ms != y->closed_ms) {
        return x->closed_ms < y->closed_ms ? -1 : 1;
    }
    return x->id < y->id ? -1 : x->id > y->id;
}

enum rc actions_restore_closed(struct world *w, struct err *e)
{
    struct closing *all = malloc((w->action_count + 1) * sizeof *all);
    if (all == NULL) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    uint32_t count = 0;
    for (uint32_t at = w->action_first; at != MAP_NONE; at = at_slot(w, at)->next) {
        if (!is_open(at_slot(w, at))) {
            all[count++] = (struct closing){at_slot(w, at)->closed_ms, at_slot(w, at)->id, at};
        }
    }
    /* Among those that closed in one millisecond the order does not matter: they leave together. */
    qsort(all, count, sizeof *all, by_closing);
    enum rc rc = RC_OK;
    for (uint32_t i = 0; i < count && rc == RC_OK; i++) {
        rc = closed_add(w, all[i].slot, e);
    }
    free(all);
    return rc;
}

/* --- reading -------------------------------------------------------------------------------------------- */

const struct action_review *action_review(const struct action *a)
{
    static const struct action_review none = {.approval_count = 0};
    return a->review == NULL ? &none : a->review;
}

const struct action *world_action(const struct world *w, uint64_t id)
{
    uint32_t at = idmap_get(&w->action_by_id, id);
    return at == MAP_NONE ? NULL : at_slot(w, at);
}

const struct action *world_pending(const struct world *w, const uint8_t digest[32])
{
    uint32_t at = strmap_get(&w->pending_by_digest, (struct str){(const char *)digest, 32});
    return at == MAP_NONE ? NULL : at_slot(w, at);
}

const struct action *world_action_next(const struct world *w, const struct action *after)
{
    uint32_t at = after == NULL ? w->action_first : after->next;
    return at == MAP_NONE ? NULL : at_slot(w, at);
}

uint32_t world_open_count(const struct world *w)
{
    return w->heap_count;
}

const struct action *world_open_at(const struct world *w, uint32_t index)
{
    must(index < w->heap_count);
    return at_slot(w, w->heap[index]);
}

uint32_t world_incident_count(const struct world *w)
{
    return w->incident_count;
}

const struct world_incident *world_incident_at(const struct world *w, uint32_t index)
{
    must(index < w->incident_count);
    return &w->incidents[index];
}

uint32_t world_open_actions(const struct world *w)
{
    return w->open_count;
}

uint32_t world_pending_approvals(const struct world *w)
{
    return w->escalated_count;
}

const struct action *world_due(const struct world *w, int64_t now_ms)
{
    const struct action *a = w->heap_count == 0 ? NULL : at_slot(w, w->heap[0]);
    return a != NULL && now_ms >= a->due_ms ? a : NULL;
}

int64_t world_next_due(const struct world *w)
{
    return w->heap_count == 0 ? INT64_MAX : at_slot(w, w->heap[0])->due_ms;
}
