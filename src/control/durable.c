/*
 * control/durable - answers that wait for the disk.
 *
 * They wait in the order in which they were said; each batch that becomes durable releases a front
 * part. When the disk is full every waiting answer becomes 503, its action is remembered, and once there
 * is room again an action.abandoned entry makes sure that it can never be committed.
 */
#include "control/control_internal.h"

#include "base/must.h"

#include <stdlib.h>

static struct waiter *waiter_at(struct control *c, uint32_t i)
{
    must(i < c->waiter_capacity);
    return &c->waiters[(c->waiter_first + i) % c->waiter_capacity];
}

static enum rc waiters_room(struct control *c, struct err *e)
{
    if (c->waiter_count < c->waiter_capacity) {
        return RC_OK;
    }
    if (c->waiter_count >= CONTROL_WAITERS_MAX) {
        return err_set(e, RC_LIMIT, "%d answers wait for the disk", CONTROL_WAITERS_MAX);
    }
    uint32_t capacity = c->waiter_capacity == 0 ? 256 : c->waiter_capacity * 2;
    struct waiter *ring = malloc(capacity * sizeof *ring);
    if (ring == NULL) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    for (uint32_t i = 0; i < c->waiter_count; i++) {
        ring[i] = *waiter_at(c, i);
    }
    free(c->waiters);
    c->waiters = ring;
    c->waiter_first = 0;
    c->waiter_capacity = capacity;
    return RC_OK;
}

/* action: 0 for none. */
static void abandon_later(struct control *c, uint64_t action)
{
    if (action == 0) {
        return;
    }
    if (c->abandoned_count == c->abandoned_capacity) {
        uint32_t capacity = c->abandoned_capacity == 0 ? 64 : c->abandoned_capacity * 2;
        uint64_t *grown = realloc(c->abandoned, capacity * sizeof *grown);
        must(grown != NULL); /* without the list an unanswered action could be committed later */
        c->abandoned = grown;
        c->abandoned_capacity = capacity;
    }
    c->abandoned[c->abandoned_count++] = action;
}

uint64_t control_read_seq(const struct control *c)
{
    return world_next_seq(c->world);
}

enum rc control_when_durable(struct control *c, uint64_t seq, uint64_t action, durable_fn fn,
                             void *context, struct err *e)
{
    if (writer_durable(c->writer) >= seq) {
        fn(context, RC_OK);
        return RC_OK;
    }
    if (writer_state(c->writer) != WRITER_OK) {
        abandon_later(c, action); /* the writer met the full disk before the answer came to wait for it */
        fn(context, RC_UNAVAILABLE);
        return RC_OK;
    }
    enum rc rc = waiters_room(c, e);
    if (rc != RC_OK) {
        abandon_later(c, action);
        return rc;
    }
    must(c->waiter_count == 0 || waiter_at(c, c->waiter_count - 1)->seq <= seq);
    *waiter_at(c, c->waiter_count) = (struct waiter){seq, action, fn, context};
    c->waiter_count++;
    return RC_OK;
}

void control_forget_waiter(struct control *c, void *context)
{
    for (uint32_t i = 0; i < c->waiter_count; i++) {
        struct waiter *w = waiter_at(c, i);
        if (w->context == context) {
            w->fn = NULL;
        }
    }
}

static struct waiter take_first(struct control *c)
{
    struct waiter w = *waiter_at(c, 0);
    c->waiter_first = (c->waiter_first + 1) % c->waiter_capacity;
    c->waiter_count--;
    return w;
}

bool is_abandoned(const struct control *c, uint64_t action)
{
    for (uint32_t i = 0; i < c->abandoned_count; i++) {
        if (c->abandoned[i] == action) {
            return true;
        }
    }
    return false;
}

void durable_fail_all(struct control *c)
{
    while (c->waiter_count > 0) {
        struct waiter w = take_first(c);
        abandon_later(c, w.action);
        if (w.fn != NULL) {
            w.fn(w.context, RC_UNAVAILABLE);
        }
    }
}

static void abandon(struct control *c)
{
    while (c->abandoned_count > 0) {
        CLEANUP(arena) struct arena *a = arena_new(OP_ARENA_MAX);
        uint64_t id = c->abandoned[c->abandoned_count - 1];
        const struct action *action = world_action(c->world, id);
        if (a == NULL) {
            return; /* tried again at the next batch */
        }
        if (action != NULL && !action_state_is_closed(action->state)) {
            struct append what = {.kind = ENTRY_ACTION_ABANDONED,
                                  .actor = STR("system"),
                                  .refs = {ref_text(a, "act", id)},
                                  .ref_count = 1,
                                  .body = value_object()};
            uint64_t seq;
            if (control_append(c, a, &what, &seq, NULL) != RC_OK) {
                return;
            }
        }
        c->abandoned_count--;
    }
}

void control_durable_changed(struct control *c)
{
    uint64_t durable = writer_durable(c->writer);
    while (c->waiter_count > 0 && waiter_at(c, 0)->seq <= durable) {
        struct waiter w = take_first(c);
        if (w.fn != NULL) {
            w.fn(w.context, RC_OK);
        }
    }
    enum writer_state state = writer_state(c->writer);
    if (state != WRITER_OK) {
        c->disk_full = true;
        durable_fail_all(c);
    } else if (c->disk_full) {
        c->disk_full = false;
        abandon(c);
    } else if (c->abandoned_count > 0) {
        abandon(c);
    }
    feed_deliver(c);
    snapshot_poll(c);
    retention_poll(c);
}
