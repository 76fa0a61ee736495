/*
 * control/clock - one time for everything: it follows elapsed time and never goes back.
 *
 * The wall clock is read at the start and then only watched: where it departs from elapsed time by more
 * than CLOCK_JUMP_MS, nothing new is started and nothing is approved until a person accepts the new time.
 * Source: SEMANTICS section 5 "Clock".
 */
#include "control/control_internal.h"

static int64_t wall(const struct control *c)
{
    return c->options.ports.wall_ms(c->options.ports.context);
}

static int64_t elapsed(const struct control *c)
{
    return c->options.ports.elapsed_ms(c->options.ports.context);
}

void clock_start(struct control *c)
{
    clock_anchor(c);
    c->snapshot_begun_ms = clock_now(c); /* a start has other things to do first */
    /* The same test at the start: a wall clock behind the ledger went back while nobody watched. */
    if (world_next_seq(c->world) > 0 && world_time(c->world) - c->anchor_wall_ms > CLOCK_JUMP_MS) {
        c->clock_jumped = true;
        c->signals.clock_ok = false;
    }
}

int64_t clock_now(struct control *c)
{
    int64_t now = clock_steady(c);
    return now > world_time(c->world) ? now : world_time(c->world);
}

int64_t control_now(struct control *c)
{
    return clock_now(c);
}

int64_t clock_steady(const struct control *c)
{
    return c->anchor_wall_ms + (elapsed(c) - c->anchor_elapsed_ms);
}

int64_t clock_wall(const struct control *c)
{
    return wall(c);
}

void clock_anchor(struct control *c)
{
    c->anchor_wall_ms = wall(c);
    c->anchor_elapsed_ms = elapsed(c);
}
