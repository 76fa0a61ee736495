#include "server/wording.h"

#include <stdarg.h>
#include <stdio.h>

static const struct world *world_of(const struct wording *w)
{
    return control_world(w->control);
}

/* --- saying -------------------------------------------------------------------------------------------------- */

static void say(const struct wording *w, struct notice *what, const char *format, ...) PRINTF(3, 4);

static void say(const struct wording *w, struct notice *what, const char *format, ...)
{
    char text[NOTIFY_TEXT_MAX + 1];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    what->text = str_from(text);
    notifier_say(w->notifier, what);
}

/* Who answers for the agent, and who is called. */
static void add_agent(const struct wording *w, struct notice *out, struct str name)
{
    uint32_t at = world_agent_find(world_of(w), name);
    const struct agent_def *def = at == MAP_NONE ? NULL : world_agent_at(world_of(w), at)->def;
    out->agent = name;
    if (def != NULL) {
        out->owner = def->owner;
        out->escalation = def->escalation;
    }
}

static void add_service(const struct wording *w, struct notice *out, struct str name)
{
    uint32_t at = world_service_find(world_of(w), name);
    const struct service_def *def = at == MAP_NONE ? NULL : world_service_at(world_of(w), at)->def;
    out->service = name;
    if (def != NULL && out->owner.len == 0) {
        out->owner = def->owner;
    }
}

static struct str agent_of(const struct wording *w, const struct action *a)
{
    if (!a->human) {
        return str_from(world_agent_at(world_of(w), a->agent)->name);
    }
    const struct world_token *t = world_token_by_id(world_of(w), a->proposer);
    return t == NULL ? STR("a person") : str_from(t->person);
}

static struct str tool_of(const struct wording *w, const struct action *a)
{
    return a->tool == MAP_NONE ? STR("a command") : str_from(world_tool_at(world_of(w), a->tool)->name);
}

static struct str service_of(const struct wording *w, const struct action *a)
{
    return a->service_count == 0 ? STR("") : str_from(world_service_at(world_of(w), action_services(a)[0])->name);
}

static struct notice about_action(const struct wording *w, enum notice_kind kind, struct str key,
                                  const struct action *a)
{
    struct notice out = {.kind = kind, .key = key};
    add_agent(w, &out, agent_of(w, a));
    if (a->service_count > 0) {
        add_service(w, &out, service_of(w, a));
    }
    return out;
}

/* --- actions ------------------------------------------------------------------------------------------------- */

void say_escalated(const struct wording *w, const struct feed_item *item, const struct action *a, bool needs_ack)
{
    struct notice out = about_action(w, NOTICE_ESCALATED, item->about, a);
    out.seq = item->seq;
    out.at_ms = item->time_ms;
    out.needs_ack = needs_ack;
    char due[INSTANT_TEXT_LEN];
    instant_format(a->due_ms, due);
    say(w, &out, "%.*s asks for %.*s%s%.*s: %.*s. Approve or reject %.*s before %.*s", STR_ARG(out.agent),
        STR_ARG(tool_of(w, a)), out.service.len > 0 ? " on " : "", STR_ARG(out.service), STR_ARG(item->blocking),
        STR_ARG(item->about), INSTANT_TEXT_LEN, due);
}

void say_unknown(const struct wording *w, const struct action *a, bool needs_ack)
{
    struct id_text id = id_format("act", a->id);
    struct notice out = about_action(w, NOTICE_UNKNOWN, str_from(id.text), a);
    out.seq = a->id;
    out.at_ms = a->closed_ms;
    out.needs_ack = needs_ack;
    say(w, &out, "%s: the executor of %.*s for %.*s was lost. Whether it took effect is not known", id.text,
        STR_ARG(tool_of(w, a)), STR_ARG(out.agent));
}

void say_expiring(const struct wording *w, const struct action *a, int64_t at_ms)
{
    struct id_text id = id_format("act", a->id);
    struct notice out = about_action(w, NOTICE_EXPIRING, str_from(id.text), a);
    out.seq = a->decided_seq;
    out.at_ms = at_ms;
    out.needs_ack = true;
    char due[INSTANT_TEXT_LEN];
    instant_format(a->due_ms, due);
    say(w, &out, "%s of %.*s expires at %.*s and nobody has decided", id.text, STR_ARG(out.agent), INSTANT_TEXT_LEN,
        due);
}

void say_harm(const struct wording *w, const struct world_incident *incident, const struct action *a)
{
    struct id_text id = id_format("inc", incident->id);
    struct id_text of = id_format("act", a->id);
    struct notice out = about_action(w, NOTICE_REVERT_FAILED, str_from(id.text), a);
    if (incident->service != MAP_NONE) {
        add_service(w, &out, str_from(world_service_at(world_of(w), incident->service)->name));
    }
    out.seq = incident->id;
    out.at_ms = incident->at_ms;
    out.needs_ack = true;
    say(w, &out, "%s of %.*s did harm%s%.*s and %s", of.text, STR_ARG(out.agent), out.service.len > 0 ? " to " : "",
        STR_ARG(out.service),
        a->state == ACTION_REVERT_FAILED ? "its revert failed" : "there is nothing that takes it back");
}

/* Open until somebody else has closed it. */
void say_broken_glass(const struct wording *w, const struct world_incident *incident, const struct action *a)
{
    struct id_text id = id_format("inc", incident->id);
    struct id_text of = id_format("act", incident->action);
    struct notice out = {.kind = NOTICE_BREAK_GLASS, .key = str_from(id.text), .seq = incident->id,
                         .at_ms = incident->at_ms, .needs_ack = true};
    if (incident->service != MAP_NONE) {
        add_service(w, &out, str_from(world_service_at(world_of(w), incident->service)->name));
    }
    char due[INSTANT_TEXT_LEN];
    instant_format(incident->review_by_ms, due);
    struct str tool = a == NULL ? STR("an action") : tool_of(w, a);
    say(w, &out, "%s broke the glass for %.*s (%s): somebody else looks at it until %.*s and closes %s", incident->person,
        STR_ARG(tool), of.text, INSTANT_TEXT_LEN, due, id.text);
}

/* --- stops, breakers, the clock, the disk ----------------------------------------------------------------------------- */

static struct notice about_stop(const struct wording *w, enum notice_kind kind, struct str key, const struct world_stop *s)
{
    struct notice out = {.kind = kind, .key = key, .seq = s->id, .at_ms = s->at_ms, .needs_ack = true};
    if (s->scope == STOP_AGENT) {
        add_agent(w, &out, str_from(s->name));
    } else if (s->scope == STOP_SERVICE) {
        add_service(w, &out, str_from(s->name));
    }
    return out;
}

void say_unconfirmed(const struct wording *w, const struct world_stop *s)
{
    struct id_text id = id_format("stp", s->id);
    struct notice out = about_stop(w, NOTICE_STOP_UNCONFIRMED, str_from(id.text), s);
    say(w, &out, "%s of %s%s%s is not confirmed: of %u executions that it found, nobody said in time that %u ended", id.text,
        stop_scope_name(s->scope), s->name[0] != '\0' ? " " : "", s->name, (unsigned)(s->confirmed + s->unconfirmed),
        (unsigned)s->unconfirmed);
}

void say_stop(const struct wording *w, const struct world_stop *s)
{
    struct id_text id = id_format("stp", s->id);
    struct notice out = about_stop(w, NOTICE_STOP, str_from(id.text), s);
    say(w, &out, "%s of %s%s%s by %s: %s", stop_level_name(s->level), stop_scope_name(s->scope),
        s->name[0] != '\0' ? " " : "", s->name, s->by_person, s->reason);
}

/* When it tripped, from when it will be half-open: so that a restart says the same. */
static int64_t tripped_ms(const struct wording *w, const struct world_agent *a)
{
    struct thresholds room;
    struct threshold_changes none = {NULL, 0};
    const struct policy *p = world_policy(world_of(w));
    if (p == NULL || a->breaker.forced) {
        return control_now(w->control);
    }
    return a->breaker.until_ms -
           policy_thresholds(p, STR(""), a->def == NULL ? none : a->def->checks, &room)->at[BREAKER_OPEN_MS];
}

void say_breaker(const struct wording *w, const struct world_agent *a)
{
    struct notice out = {
        .kind = NOTICE_BREAKER, .key = str_from(a->name), .at_ms = tripped_ms(w, a), .needs_ack = true};
    add_agent(w, &out, out.key);
    say(w, &out, "the breaker of %s is open: %s", a->name, a->breaker.cause);
}

void say_clock(const struct wording *w, uint64_t seq, int64_t at_ms)
{
    struct notice out = {
        .kind = NOTICE_CLOCK, .key = STR("clock"), .seq = seq, .at_ms = at_ms, .needs_ack = true};
    say(w, &out, "the clock jumped: nothing new is started or approved until a person accepts it (pawl clock accept)");
}

void say_disk(const struct wording *w)
{
    struct notice out = {
        .kind = NOTICE_DISK, .key = STR("disk"), .at_ms = control_now(w->control), .needs_ack = true};
    say(w, &out, "the disk is full, or nearly: decisions are refused, stops and reads go on");
}

void say_signal_lost(const struct wording *w, uint32_t service, int64_t since_ms)
{
    const char *name = world_service_at(world_of(w), service)->name;
    struct notice out = {.kind = NOTICE_SIGNAL_LOST, .key = str_from(name), .at_ms = since_ms, .needs_ack = true};
    add_service(w, &out, out.key);
    say(w, &out, "the error budget of %s is not known any more: what changes it is held", name);
}
