#include "server/notices.h"

#include "server/lost_signals.h"
#include "server/wording.h"
#include "sys/clock.h"

#include <stdlib.h>

enum { READ_ARENA_MAX = 16 << 20 };

/* An action that people were told about, until it is over. */
struct open_action {
    uint64_t id;
    bool expiring; /* said as well */
};

struct notices {
    struct notices_options options;
    struct http_client *http;
    struct wording wording;
    struct lost_signals *signals;
    bool subscribed;
    bool disk_full;
    struct open_action actions[NOTICES_OPEN_MAX];
    uint32_t action_count;
};

static const struct world *world_of(const struct notices *n)
{
    return control_world(n->options.control);
}

static void settle(struct notices *n, enum notice_kind kind, struct str key)
{
    notifier_settle(n->wording.notifier, kind, key);
}

/* --- actions --------------------------------------------------------------------------------------------------- */

static bool waits_on_people(const struct action *a)
{
    return a != NULL && (a->agent != MAP_NONE || a->human) && (a->state == ACTION_ESCALATED || a->state == ACTION_UNKNOWN);
}

/* False when there is no room for it: then nothing says when it is over. */
static bool keep(struct notices *n, uint64_t id)
{
    for (uint32_t i = 0; i < n->action_count; i++) {
        if (n->actions[i].id == id) {
            return true;
        }
    }
    if (n->action_count == NOTICES_OPEN_MAX) {
        return false;
    }
    n->actions[n->action_count++] = (struct open_action){.id = id};
    return true;
}

static void settle_action(struct notices *n, uint64_t id, const struct action *a)
{
    struct id_text text = id_format("act", id);
    struct str key = str_from(text.text);
    if (a == NULL || a->state != ACTION_ESCALATED) {
        settle(n, NOTICE_ESCALATED, key);
        settle(n, NOTICE_EXPIRING, key);
    }
    if (a == NULL || a->state != ACTION_UNKNOWN) {
        settle(n, NOTICE_UNKNOWN, key);
    }
}

static void tell_escalated(struct notices *n, const struct feed_item *item)
{
    const struct action *a = world_action(world_of(n), item->action);
    if (waits_on_people(a) && a->state == ACTION_ESCALATED) { /* not decided before it could be said */
        say_escalated(&n->wording, item, a, keep(n, a->id));
    }
}

static void tell_expiring(struct notices *n, struct open_action *open, const struct action *a)
{
    int64_t whole_ms = a->due_ms - a->proposed_ms;
    int64_t from_ms = a->due_ms - whole_ms / 100 * EXPIRING_PCT; /* the same after a restart */
    if (!open->expiring && a->state == ACTION_ESCALATED && control_now(n->options.control) >= from_ms) {
        say_expiring(&n->wording, a, from_ms);
        open->expiring = true;
    }
}

/* What became of those that were said. */
static void review_actions(struct notices *n)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n->action_count; i++) {
        struct open_action open = n->actions[i];
        const struct action *a = world_action(world_of(n), open.id);
        settle_action(n, open.id, a);
        if (waits_on_people(a)) {
            tell_expiring(n, &open, a);
            n->actions[kept++] = open;
        }
    }
    n->action_count = kept;
}

/* --- stops, breakers, incidents, the disk ------------------------------------------------------------------------ */

static void tell_stop(struct notices *n, uint64_t id)
{
    const struct world *w = world_of(n);
    for (uint32_t i = 0; i < world_stop_count(w); i++) {
        if (world_stop_at(w, i)->id == id) {
            say_stop(&n->wording, world_stop_at(w, i));
        }
    }
}

/* What a stop found running is over, or lost: said while the stop is in force. */
static void tell_unconfirmed(struct notices *n)
{
    const struct world *w = world_of(n);
    for (uint32_t i = 0; i < world_stop_count(w); i++) {
        const struct world_stop *s = world_stop_at(w, i);
        if (s->reported && s->unconfirmed > 0) {
            say_unconfirmed(&n->wording, s);
        }
    }
}

/* Says it, or settles it. */
static void tell_breaker(struct notices *n, struct str agent)
{
    uint32_t at = world_agent_find(world_of(n), agent);
    const struct world_agent *a = at == MAP_NONE ? NULL : world_agent_at(world_of(n), at);
    if (a != NULL && a->breaker.open) {
        say_breaker(&n->wording, a);
    } else {
        settle(n, NOTICE_BREAKER, agent);
    }
}

/* Broken glass; and incidents of actions that nothing takes back: there was no revert, or it failed. */
static void tell_incidents(struct notices *n)
{
    const struct world *w = world_of(n);
    for (uint32_t i = 0; i < world_incident_count(w); i++) {
        const struct world_incident *incident = world_incident_at(w, i);
        const struct action *a = world_action(w, incident->action);
        if (incident->review_by_ms != 0) {
            say_broken_glass(&n->wording, incident, a);
        } else if (a != NULL && (a->agent != MAP_NONE || a->human) &&
            (a->state == ACTION_VIOLATED || a->state == ACTION_REVERT_FAILED)) {
            say_harm(&n->wording, incident, a);
        }
    }
}

static void look_at_disk(struct notices *n)
{
    bool full = control_health(n->options.control) == HEALTH_DISK_FULL;
    if (full && !n->disk_full) {
        say_disk(&n->wording);
    } else if (!full && n->disk_full) {
        settle(n, NOTICE_DISK, STR("disk"));
    }
    n->disk_full = full;
}

static void on_signal_change(void *context, uint32_t service, bool lost, int64_t since_ms)
{
    struct notices *n = context;
    if (lost) {
        say_signal_lost(&n->wording, service, since_ms);
    } else {
        settle(n, NOTICE_SIGNAL_LOST, str_from(world_service_at(world_of(n), service)->name));
    }
}

/* --- all that is open ---------------------------------------------------------------------------------------------- */

static void say_action_again(struct notices *n, const struct action *a)
{
    CLEANUP(arena) struct arena *arena = arena_new(READ_ARENA_MAX);
    struct feed_item item;
    if (a->state == ACTION_UNKNOWN) {
        say_unknown(&n->wording, a, keep(n, a->id));
    } else if (arena != NULL &&
               control_feed_read(n->options.control, arena, a->decided_seq, &item, NULL) == RC_OK) {
        tell_escalated(n, &item);
    }
}

static void say_all(struct notices *n)
{
    const struct world *w = world_of(n);
    for (const struct action *a = world_action_next(w, NULL); a != NULL; a = world_action_next(w, a)) {
        if (waits_on_people(a)) {
            say_action_again(n, a);
        }
    }
    for (uint32_t i = 0; i < world_stop_count(w); i++) {
        say_stop(&n->wording, world_stop_at(w, i));
    }
    tell_unconfirmed(n);
    for (uint32_t i = 0; i < world_agent_count(w); i++) {
        if (world_agent_at(w, i)->breaker.open) {
            tell_breaker(n, str_from(world_agent_at(w, i)->name));
        }
    }
    tell_incidents(n);
    review_actions(n);
}

/* --- from the feed ---------------------------------------------------------------------------------------------------- */

static void on_entry(struct notices *n, const struct feed_item *item)
{
    const struct action *a = item->action == 0 ? NULL : world_action(world_of(n), item->action);
    switch (item->kind) {
    case ENTRY_ACTION_DECIDED:
    case ENTRY_ACTION_REDECIDED:
        tell_escalated(n, item);
        break;
    case ENTRY_ACTION_LOST:
        if (waits_on_people(a) && a->state == ACTION_UNKNOWN) {
            say_unknown(&n->wording, a, keep(n, a->id));
        }
        break;
    case ENTRY_ACTION_COMMITTED:
    case ENTRY_ACTION_VIOLATED:
    case ENTRY_REVERT_FINISHED:
        tell_incidents(n);
        break;
    case ENTRY_INCIDENT_CLOSED:
        settle(n, NOTICE_REVERT_FAILED, item->about);
        settle(n, NOTICE_BREAK_GLASS, item->about);
        break;
    case ENTRY_STOP_SET:
        tell_stop(n, item->seq);
        break;
    case ENTRY_STOP_LIFTED:
        settle(n, NOTICE_STOP, item->about);
        settle(n, NOTICE_STOP_UNCONFIRMED, item->about);
        break;
    case ENTRY_STOP_CONFIRMED:
        tell_unconfirmed(n);
        break;
    case ENTRY_BREAKER_SET:
        tell_breaker(n, item->agent);
        break;
    case ENTRY_CLOCK_JUMPED:
        say_clock(&n->wording, item->seq, item->time_ms);
        break;
    case ENTRY_CLOCK_ACCEPTED:
        settle(n, NOTICE_CLOCK, STR("clock"));
        break;
    default:
        break;
    }
    if (item->action != 0) {
        review_actions(n);
    }
}

static void on_item(void *context, const struct feed_item *item)
{
    struct notices *n = context;
    switch (item->event) {
    case FEED_ENTRY:
        on_entry(n, item);
        break;
    case FEED_BREAKER_OPENED:
    case FEED_BREAKER_CLOSED:
        tell_breaker(n, item->agent);
        break;
    case FEED_LOST:
        say_all(n); /* what was said already stays as it is */
        break;
    }
}

void notices_beat(struct notices *n)
{
    if (n != NULL) {
        review_actions(n);
        look_at_disk(n);
        lost_signals_look(n->signals, n->options.control, on_signal_change, n);
    }
}

/* --- lifetime ----------------------------------------------------------------------------------------------------------- */

static int64_t wall_ms(void *context)
{
    (void)context;
    return clock_wall_ms();
}

static int64_t elapsed_ms(void *context)
{
    (void)context;
    return clock_boot_ms();
}

static enum rc begin(struct notices *n, struct err *e)
{
    struct notifier_options options = {.loop = n->options.loop,
                                       .log = n->options.log,
                                       .routes = n->options.routes,
                                       .wall_ms = wall_ms,
                                       .elapsed_ms = elapsed_ms};
    n->signals = lost_signals_new(n->options.patience_ms);
    if (n->signals == NULL) {
        return err_set(e, RC_NO_MEMORY, "no memory for notices");
    }
    enum rc rc = http_client_new(n->options.loop, &n->http, e);
    options.http = n->http;
    rc = rc == RC_OK ? notifier_new(&options, &n->wording.notifier, e) : rc;
    rc = rc == RC_OK ? control_subscribe(n->options.control, on_item, n, e) : rc;
    n->subscribed = rc == RC_OK;
    return rc;
}

enum rc notices_new(const struct notices_options *options, struct notices **ret, struct err *e)
{
    *ret = NULL;
    if (options->routes.count == 0) {
        return RC_OK;
    }
    struct notices *n = calloc(1, sizeof *n);
    if (n == NULL) {
        return err_set(e, RC_NO_MEMORY, "no memory for notices");
    }
    n->options = *options;
    n->wording.control = options->control;
    enum rc rc = begin(n, e);
    if (rc != RC_OK) {
        notices_free(n);
        return rc;
    }
    say_all(n);
    *ret = n;
    return RC_OK;
}

void notices_free(struct notices *n)
{
    if (n == NULL) {
        return;
    }
    if (n->subscribed) {
        control_unsubscribe(n->options.control, on_item, n);
    }
    notifier_free(n->wording.notifier);
    if (n->http != NULL) {
        http_client_free(n->http);
    }
    lost_signals_free(n->signals);
    free(n);
}
