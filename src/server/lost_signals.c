#include "server/lost_signals.h"

#include "gate/gather.h"

#include <stdlib.h>
#include <string.h>

struct watched {
    bool seen;         /* it was looked at before */
    bool was_known;
    bool lost;         /* and said to be */
    int64_t since_ms;  /* last known */
};

struct lost_signals {
    int64_t patience_ms;
    bool looked;
    struct watched *services; /* by world index */
    uint32_t count;
};

struct lost_signals *lost_signals_new(int64_t patience_ms)
{
    struct lost_signals *l = calloc(1, sizeof *l);
    if (l != NULL) {
        l->patience_ms = patience_ms;
    }
    return l;
}

void lost_signals_free(struct lost_signals *l)
{
    if (l != NULL) {
        free(l->services);
        free(l);
    }
}

static bool make_room(struct lost_signals *l, uint32_t count)
{
    if (count <= l->count) {
        return true;
    }
    struct watched *grown = realloc(l->services, count * sizeof *grown);
    if (grown == NULL) {
        return false; /* looked at again in a second */
    }
    memset(grown + l->count, 0, (count - l->count) * sizeof *grown);
    l->services = grown;
    l->count = count;
    return true;
}

static bool has_slo(const struct world_service *s)
{
    return s->def != NULL && s->def->has_slo;
}

/* What was there before us was known before us, if anything ever fed it. */
static void begin(struct watched *w, const struct world_service *s, bool at_start, int64_t now_ms)
{
    bool fed = s->def->slo.source != SLO_EVENTS || s->sli != NULL;
    *w = (struct watched){.seen = true, .was_known = at_start && fed, .since_ms = now_ms};
}

static bool is_known(const struct gate_input *in, uint32_t service, int64_t max_age_ms)
{
    struct budget_fact b = budget_of(in, service, false, max_age_ms);
    return b.state == SIGNAL_KNOWN || b.state == SIGNAL_NO_TRAFFIC;
}

/* True when it became lost, or is no longer. */
static bool look(const struct lost_signals *l, struct watched *w, bool known, int64_t now_ms)
{
    bool was_lost = w->lost;
    if (known) {
        w->was_known = true;
        w->since_ms = now_ms;
    }
    w->lost = !known && w->was_known && now_ms - w->since_ms >= l->patience_ms;
    return w->lost != was_lost;
}

void lost_signals_look(struct lost_signals *l, struct control *c, lost_signal_fn fn, void *context)
{
    const struct world *w = control_world(c);
    struct gate_input in = {
        .world = w, .policy = world_policy(w), .signals = control_signals(c), .now_ms = control_now(c)};
    if (in.policy == NULL || !make_room(l, world_service_count(w))) {
        return;
    }
    struct thresholds room;
    const struct thresholds *t =
        policy_thresholds(in.policy, STR(""), (struct threshold_changes){NULL, 0}, &room);
    for (uint32_t i = 0; i < l->count; i++) {
        const struct world_service *s = world_service_at(w, i);
        struct watched *service = &l->services[i];
        bool watched = has_slo(s);
        if (watched && !service->seen) {
            begin(service, s, !l->looked, in.now_ms);
        }
        bool known = !watched || is_known(&in, i, t->at[BUDGET_MAX_AGE_MS]);
        if (service->seen && look(l, service, known, in.now_ms)) {
            fn(context, i, service->lost, service->since_ms);
        }
        service->seen = watched;
    }
    l->looked = true;
}
