/*
 * control/calibration - was the impact what was predicted? At the end of an observation the error budgets of all services
 * are held against what they were at the commit.
 *
 * Predicted is what the commit's decision watched: the targets and those that depend on them. Hurt is a service whose
 * budget fell further than the tool allows; one that was not predicted was missed. The risk is what memory said then: how
 * often the tool failed on the services, by the rule of succession. The world adds it up (world.h, struct calibration).
 *
 * The budgets of services that were not watched are in memory only: after a restart nothing is said to have been missed.
 */
#include "control/control_internal.h"

#include <stdlib.h>

enum {
    BEFORE_MAX = 256,       /* executions whose budgets are kept; the oldest goes */
    BEFORE_SERVICES = 4096, /* of each: the first that were declared */
    NAMES_MAX = 16,         /* that an entry names of each sort */
};

struct before {
    uint64_t action; /* 0: free */
    uint32_t count;
    int64_t *ppm; /* by service; INT64_MIN: not known */
};

struct calibration_state {
    struct before all[BEFORE_MAX];
    uint32_t next;
};

static bool budget_now(struct control *c, uint32_t service, int64_t now, int64_t *ret)
{
    struct budget_fact b = gate_budget(c->world, world_policy(c->world), &c->signals, service, now);
    *ret = b.remaining_ppm;
    return b.state == SIGNAL_KNOWN || b.state == SIGNAL_NO_TRAFFIC;
}

void calibration_begin(struct control *c, uint64_t action)
{
    if (c->calibration == NULL) {
        c->calibration = calloc(1, sizeof *c->calibration);
    }
    if (c->calibration == NULL) {
        return;
    }
    struct before *b = &c->calibration->all[c->calibration->next];
    c->calibration->next = (c->calibration->next + 1) % BEFORE_MAX;
    uint32_t count = world_service_count(c->world);
    free(b->ppm);
    b->count = count < BEFORE_SERVICES ? count : BEFORE_SERVICES;
    b->ppm = calloc(b->count + 1, sizeof *b->ppm);
    b->action = b->ppm == NULL ? 0 : action;
    int64_t now = clock_now(c);
    for (uint32_t i = 0; b->ppm != NULL && i < b->count; i++) {
        bool known = world_service_at(c->world, i)->def != NULL && budget_now(c, i, now, &b->ppm[i]);
        b->ppm[i] = known ? b->ppm[i] : INT64_MIN;
    }
}

void calibration_end(struct control *c)
{
    for (uint32_t i = 0; c->calibration != NULL && i < BEFORE_MAX; i++) {
        free(c->calibration->all[i].ppm);
    }
    free(c->calibration);
}

struct sum {
    struct control *c;
    struct arena *a;
    const struct action_watch *watch;
    int64_t now;
    struct value hurt;
    struct value missed;
    int64_t hurt_count;
    int64_t missed_count;
    int64_t predicted_ppm;
    int64_t actual_ppm;
};

static int64_t share(const struct sum *s, uint32_t service)
{
    const struct service_def *def = world_service_at(s->c->world, service)->def;
    return def == NULL ? 0 : def->traffic_ppm;
}

static void add_name(struct sum *s, struct value *names, uint32_t service)
{
    if (names->count < NAMES_MAX) {
        value_push(s->a, names, value_string(str_from(world_service_at(s->c->world, service)->name)));
    }
}

static void look_at_predicted(struct sum *s)
{
    for (uint32_t i = 0; i < s->watch->count; i++) {
        uint32_t service = s->watch->at[i].service;
        int64_t now_ppm;
        s->predicted_ppm += share(s, service);
        if (budget_now(s->c, service, s->now, &now_ppm) && s->watch->at[i].before_ppm - now_ppm > s->watch->max_drop_ppm) {
            s->hurt_count++;
            s->actual_ppm += share(s, service);
            add_name(s, &s->hurt, service);
        }
    }
}

static bool is_predicted(const struct sum *s, uint32_t service)
{
    for (uint32_t i = 0; i < s->watch->count; i++) {
        if (s->watch->at[i].service == service) {
            return true;
        }
    }
    return false;
}

static void look_at_others(struct sum *s, const struct before *b)
{
    for (uint32_t i = 0; i < b->count; i++) {
        int64_t now_ppm;
        bool compared = b->ppm[i] != INT64_MIN && world_service_at(s->c->world, i)->def != NULL && !is_predicted(s, i);
        if (compared && budget_now(s->c, i, s->now, &now_ppm) && b->ppm[i] - now_ppm > s->watch->max_drop_ppm) {
            s->missed_count++;
            s->actual_ppm += share(s, i);
            add_name(s, &s->missed, i);
        }
    }
}

/* The worst of what memory says of the tool on its services: one failure and one success more than were seen. */
static int64_t risk_ppm(const struct control *c, const struct action *action)
{
    int64_t worst = PPM_ONE / 2;
    bool known = false;
    for (uint32_t i = 0; i < action->service_count && action->tool != MAP_NONE; i++) {
        const struct world_pattern *p = world_pattern(c->world, action->tool, action_services(action)[i]);
        uint64_t n = p == NULL ? 0 : p->n;
        uint64_t failed = p == NULL ? 0 : p->failed;
        int64_t ppm = (int64_t)((failed + 1) * (uint64_t)PPM_ONE / (n + 2));
        worst = !known || ppm > worst ? ppm : worst;
        known = true;
    }
    return worst;
}

static int64_t at_most_all(int64_t ppm)
{
    return ppm < PPM_ONE ? ppm : PPM_ONE;
}

struct value calibration_value(struct control *c, struct arena *a, const struct action *action)
{
    struct sum s = {.c = c, .a = a, .watch = action->watch, .now = clock_now(c), .hurt = value_array(), .missed = value_array()};
    look_at_predicted(&s);
    for (uint32_t i = 0; c->calibration != NULL && i < BEFORE_MAX; i++) {
        if (c->calibration->all[i].action == action->id) {
            look_at_others(&s, &c->calibration->all[i]);
            c->calibration->all[i].action = 0;
        }
    }
    struct value v = value_object();
    value_add_int(a, &v, STR("actual_ppm"), at_most_all(s.actual_ppm));
    value_add(a, &v, STR("hurt"), s.hurt);
    value_add_int(a, &v, STR("hurt_count"), s.hurt_count);
    value_add(a, &v, STR("missed"), s.missed);
    value_add_int(a, &v, STR("missed_count"), s.missed_count);
    value_add_int(a, &v, STR("predicted"), s.watch->count);
    value_add_int(a, &v, STR("predicted_ppm"), at_most_all(s.predicted_ppm));
    value_add_int(a, &v, STR("risk_ppm"), risk_ppm(c, action));
    return v;
}
