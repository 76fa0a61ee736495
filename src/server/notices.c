#include "server/notices.h"

#include "base/must.h"
#include "control/feed.h"
#include "server/lost_signals.h"
#include "sys/clock.h"

#include <stdarg.h>
#include <stdio.h>
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
    struct notifier *notifier;
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

/* --- saying -------------------------------------------------------------------------------------------------- */

static void say(struct notices *n, struct notice *what, const char *format, ...) PRINTF(3, 4);

static void say(struct notices *n, struct notice *what, const char *format, ...)
{
    char text[NOTIFY_TEXT_MAX + 1];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    what->text = str_from(text);
    notifier_say(n->notifier, what);
}

static void settle(struct notices *n, enum notice_kind kind, struct str key)
{
    notifier_settle(n->notifier, kind, key);
}

/* Who answers for the agent, and who is called. */
static void add_agent(const struct notices *n, struct notice *out, struct str name)
{
    uint32_t at = world_agent_find(world_of(n), name);
    const struct agent_def *def = at == MAP_NONE ? NULL : world_agent_at(world_of(n), at)->def;
    out->agent = name;
    if (def != NULL) {
        out->owner = def->owner;
        out->escalation = def->escalation;
    }
}

static void add_service(const struct notices *n, struct notice *out, struct str name)
{
    uint32_t at = world_service_find(world_of(n), name);
    const struct service_def *def = at == MAP_NONE ? NULL : world_service_at(world_of(n), at)->def;
    out->service = name;
    if (def != NULL && out->owner.len == 0) {
        out->owner = def->owner;
    }
}

static struct str agent_of(const struct notices *n, const struct action *a)
{
    return str_from(world_agent_at(world_of(n), a->agent)->name);
}

static struct str tool_of(const struct notices *n, const struct action *a)
{
    return a->tool == MAP_NONE ? STR("a command") : str_from(world_tool_at(world_of(n), a->tool)->name);
}

static struct str service_of(const struct notices *n, const struct action *a)
{
    return a->service_count == 0 ? STR("") : str_from(world_service_at(world_of(n), a->services[0])->name);
}

static struct notice about_action(const struct notices *n, enum notice_kind kind, struct str key,
                                  const struct action *a)
{
    struct notice out = {.kind = kind, .key = key};
    add_agent(n, &out, agent_of(n, a));
    if (a->service_count > 0) {
        add_service(n, &out, service_of(n, a));
    }
    return out;
}

/* --- actions --------------------------------------------------------------------------------------------------- */

static bool waits_on_people(const struct action *a)
{
    return a != NULL && a->agent != MAP_NONE && (a->state == ACTION_ESCALATED || a->state == ACTION_UNKNOWN);
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

static void say_escalated(struct notices *n, const struct feed_item *item)
{
    const struct action *a = world_action(world_of(n), item->action);
    if (!waits_on_people(a) || a->state != ACTION_ESCALATED) {
        return; /* decided before it could be said */
    }
    struct notice out = about_action(n, NOTICE_ESCALATED, item->about, a);
    out.seq = item->seq;
    out.at_ms = item->time_ms;
    out.needs_ack = keep(n, a->id);
    char due[INSTANT_TEXT_LEN];
    instant_format(a->due_ms, due);
    say(n, &out, "%.*s asks for %.*s%s%.*s: %.*s. Approve or reject %.*s before %.*s", STR_ARG(out.agent),
        STR_ARG(tool_of(n, a)), out.service.len > 0 ? " on " : "", STR_ARG(out.service), STR_ARG(item->blocking),
        STR_ARG(item->about), INSTANT_TEXT_LEN, due);
}

static void say_unknown(struct notices *n, const struct action *a)
{
    struct id_text id = id_format("act", a->id);
    struct notice out = about_action(n, NOTICE_UNKNOWN, str_from(id.text), a);
    out.seq = a->id;
    out.at_ms = a->closed_ms;
    out.needs_ack = keep(n, a->id);
    say(n, &out, "%s: the executor of %.*s for %.*s was lost. Whether it took effect is not known", id.text,
        STR_ARG(tool_of(n, a)), STR_ARG(out.agent));
}

static void say_expiring(struct notices *n, struct open_action *open, const struct action *a)
{
    int64_t whole_ms = a->due_ms - a->proposed_ms;
    int64_t from_ms = a->due_ms - whole_ms / 100 * EXPIRING_PCT;
    if (open->expiring || a->state != ACTION_ESCALATED || control_now(n->options.control) < from_ms) {
        return;
    }
    struct id_text id = id_format("act", a->id);
    struct notice out = about_action(n, NOTICE_EXPIRING, str_from(id.text), a);
    out.seq = a->decided_seq;
    out.at_ms = from_ms; /* the same after a restart */
    out.needs_ack = true;
    open->expiring = true;
    char due[INSTANT_TEXT_LEN];
    instant_format(a->due_ms, due);
    say(n, &out, "%s of %.*s expires at %.*s and nobody has decided", id.text, STR_ARG(out.agent), INSTANT_TEXT_LEN,
        due);
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

/* What became of those that were said. One that was lost and has left memory can't be reported on any more. */
static void review_actions(struct notices *n)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n->action_count; i++) {
        struct open_action open = n->actions[i];
        const struct action *a = world_action(world_of(n), open.id);
        settle_action(n, open.id, a);
        if (waits_on_people(a)) {
            say_expiring(n, &open, a);
            n->actions[kept++] = open;
        }
    }
    n->action_count = kept;
}

/* --- stops, breakers, the clock, the disk ----------------------------------------------------------------------------- */

static void say_stop(struct notices *n, const struct world_stop *s)
{
    struct id_text id = id_format("stp", s->id);
    struct notice out = {
        .kind = NOTICE_STOP, .key = str_from(id.text), .seq = s->id, .at_ms = s->at_ms, .needs_ack = true};
    if (s->scope == STOP_AGENT) {
        add_agent(n, &out, str_from(s->name));
    } else if (s->scope == STOP_SERVICE) {
        add_service(n, &out, str_from(s->name));
    }
    say(n, &out, "%s of %s%s%s by %s: %s", stop_level_name(s->level), stop_scope_name(s->scope),
        s->name[0] != '\0' ? " " : "", s->name, s->by_person, s->reason);
}

static void say_stop_of(struct notices *n, uint64_t id)
{
    const struct world *w = world_of(n);
    for (uint32_t i = 0; i < world_stop_count(w); i++) {
        if (world_stop_at(w, i)->id == id) {
            say_stop(n, world_stop_at(w, i));
        }
    }
}

/* When it tripped, from when it will be half-open: so that a restart says the same. */
static int64_t tripped_ms(const struct notices *n, const struct world_agent *a)
{
    struct thresholds room;
    struct threshold_changes none = {NULL, 0};
    const struct policy *p = world_policy(world_of(n));
    if (p == NULL || a->breaker.forced) {
        return control_now(n->options.control);
    }
    return a->breaker.until_ms -
           policy_thresholds(p, STR(""), a->def == NULL ? none : a->def->checks, &room)->at[BREAKER_OPEN_MS];
}

/* Says it, or settles it. */
static void tell_breaker(struct notices *n, struct str agent)
{
    uint32_t at = world_agent_find(world_of(n), agent);
    const struct world_agent *a = at == MAP_NONE ? NULL : world_agent_at(world_of(n), at);
    if (a == NULL || !a->breaker.open) {
        settle(n, NOTICE_BREAKER, agent);
        return;
    }
    struct notice out = {.kind = NOTICE_BREAKER, .key = agent, .at_ms = tripped_ms(n, a), .needs_ack = true};
    add_agent(n, &out, agent);
    say(n, &out, "the breaker of %.*s is open: %s", STR_ARG(agent), a->breaker.cause);
}

static void say_clock(struct notices *n, uint64_t seq, int64_t at_ms)
{
    struct notice out = {
        .kind = NOTICE_CLOCK, .key = STR("clock"), .seq = seq, .at_ms = at_ms, .needs_ack = true};
    say(n, &out, "the clock jumped: nothing new is started or approved until a person accepts it (pawl clock accept)");
}

static void look_at_disk(struct notices *n)
{
    bool full = control_health(n->options.control) == HEALTH_DISK_FULL;
    struct notice out = {.kind = NOTICE_DISK,
                         .key = STR("disk"),
                         .at_ms = control_now(n->options.control),
                         .needs_ack = true};
    if (full && !n->disk_full) {
        say(n, &out, "the disk is full, or nearly: decisions are refused, stops and reads go on");
    } else if (!full && n->disk_full) {
        settle(n, NOTICE_DISK, out.key);
    }
    n->disk_full = full;
}

static void on_signal_change(void *context, uint32_t service, bool lost, int64_t since_ms)
{
    struct notices *n = context;
    const char *name = world_service_at(world_of(n), service)->name;
    struct notice out = {.kind = NOTICE_SIGNAL_LOST, .key = str_from(name), .at_ms = since_ms, .needs_ack = true};
    if (!lost) {
        settle(n, NOTICE_SIGNAL_LOST, out.key);
        return;
    }
    add_service(n, &out, out.key);
    say(n, &out, "the error budget of %s is not known any more: what changes it is held", name);
}

/* --- all that is open ---------------------------------------------------------------------------------------------- */

static void say_action_again(struct notices *n, const struct action *a)
{
    CLEANUP(arena) struct arena *arena = arena_new(READ_ARENA_MAX);
    struct feed_item item;
    if (a->state == ACTION_UNKNOWN) {
        say_unknown(n, a);
    } else if (arena != NULL &&
               control_feed_read(n->options.control, arena, a->decided_seq, &item, NULL) == RC_OK) {
        say_escalated(n, &item);
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
        say_stop(n, world_stop_at(w, i));
    }
    for (uint32_t i = 0; i < world_agent_count(w); i++) {
        if (world_agent_at(w, i)->breaker.open) {
            tell_breaker(n, str_from(world_agent_at(w, i)->name));
        }
    }
    review_actions(n);
}

/* --- from the feed ---------------------------------------------------------------------------------------------------- */

static void on_entry(struct notices *n, const struct feed_item *item)
{
    const struct action *a = item->action == 0 ? NULL : world_action(world_of(n), item->action);
    switch (item->kind) {
    case ENTRY_ACTION_DECIDED:
    case ENTRY_ACTION_REDECIDED:
        say_escalated(n, item);
        break;
    case ENTRY_ACTION_LOST:
        if (waits_on_people(a) && a->state == ACTION_UNKNOWN) {
            say_unknown(n, a);
        }
        break;
    case ENTRY_STOP_SET:
        say_stop_of(n, item->seq);
        break;
    case ENTRY_STOP_LIFTED:
        settle(n, NOTICE_STOP, item->about);
        break;
    case ENTRY_BREAKER_SET:
        tell_breaker(n, item->agent);
        break;
    case ENTRY_CLOCK_JUMPED:
        say_clock(n, item->seq, item->time_ms);
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
    rc = rc == RC_OK ? notifier_new(&options, &n->notifier, e) : rc;
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
    notifier_free(n->notifier);
    if (n->http != NULL) {
        http_client_free(n->http);
    }
    lost_signals_free(n->signals);
    free(n);
}
