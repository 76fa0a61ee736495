/*
 * model/world_stops - whom a stop concerns.
 */
#include "model/world_internal.h"

#include "base/must.h"

static const char *const scopes[] = {"all", "agent", "service", "tool", "model", "label"};

const char *stop_scope_name(enum stop_scope s)
{
    must((unsigned)s < sizeof scopes / sizeof *scopes);
    return scopes[s];
}

bool stop_scope_parse(struct str name, enum stop_scope *ret)
{
    for (unsigned i = 0; i < sizeof scopes / sizeof *scopes; i++) {
        if (str_eq(name, str_from(scopes[i]))) {
            *ret = (enum stop_scope)i;
            return true;
        }
    }
    return false;
}

bool agent_has_label(const struct agent_def *def, struct str label)
{
    size_t mark = str_find(label, '=');
    struct str key = str_slice(label, 0, mark);
    struct str value = str_slice(label, mark + 1, label.len);
    if (value.len == 0) {
        return false;
    }
    return (str_eq(key, STR("owner")) && str_eq(def->owner, value)) ||
           (str_eq(key, STR("team")) && str_eq(def->team, value)) ||
           (str_eq(key, STR("prompt")) && str_eq(def->prompt_version, value)) ||
           (str_eq(key, STR("role")) && any_equal(&def->roles, value));
}

static bool covers_service(const struct world *w, struct str name, const struct stop_subject *subject)
{
    for (uint32_t i = 0; i < subject->service_count; i++) {
        if (str_eq(str_from(w->services[subject->services[i]]->name), name)) {
            return true;
        }
    }
    return false;
}

static bool covers_agent(const struct world *w, const struct world_stop *s, uint32_t index)
{
    struct str name = str_from(s->name);
    const struct world_agent *agent = index == MAP_NONE ? NULL : w->agents[index];
    const struct agent_def *def = agent == NULL ? NULL : agent->def;
    switch (s->scope) {
    case STOP_AGENT:
        return agent != NULL && str_eq(str_from(agent->name), name);
    case STOP_MODEL:
        return def != NULL && str_eq(def->model, name);
    default:
        return def != NULL && agent_has_label(def, name);
    }
}

bool world_stop_covers(const struct world *w, const struct world_stop *s, const struct stop_subject *subject)
{
    struct str name = str_from(s->name);
    bool covered = false;
    switch (s->scope) {
    case STOP_ALL:
        return true;
    case STOP_SERVICE:
        return covers_service(w, name, subject);
    case STOP_TOOL:
        return subject->tool != MAP_NONE && str_eq(str_from(w->tools[subject->tool]->name), name);
    case STOP_AGENT:
    case STOP_MODEL:
    case STOP_LABEL:
        break;
    }
    for (uint32_t i = 0; !covered && i < subject->act_count; i++) {
        covered = covers_agent(w, s, subject->act[i]);
    }
    return covered || covers_agent(w, s, subject->agent);
}

struct stop_subject action_subject(const struct action *a)
{
    return (struct stop_subject){a->agent, a->tool, action_services(a), a->service_count, action_act(a), a->act_count};
}

void stops_find_running(struct world *w, struct world_stop *s)
{
    for (uint32_t i = 0; s->level == STOP_FULL && i < world_open_count(w); i++) {
        struct action *a = actions_find(w, world_open_at(w, i)->id);
        const struct stop_subject subject = action_subject(a);
        if (a->state == ACTION_EXECUTING && a->stopped_by == 0 && world_stop_covers(w, s, &subject)) {
            a->stopped_by = s->id;
            s->running++;
        }
    }
}

void stops_note_end(struct world *w, const struct action *a, bool said_so)
{
    for (uint32_t i = 0; a->stopped_by != 0 && i < w->stop_count; i++) {
        struct world_stop *s = &w->stops[i];
        if (s->id == a->stopped_by && s->running > 0) {
            s->running--;
            s->confirmed += said_so ? 1 : 0;
            s->unconfirmed += said_so ? 0 : 1;
        }
    }
}
