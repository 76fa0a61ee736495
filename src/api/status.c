/*
 * api/status - how Pawl itself stands: for people and for probes.
 */
#include "api/call.h"

#include <string.h>

static const char *const health_words[] = {"ok", "disk_full", "ledger_down", "clock_jumped"};

enum rc healthz(struct call *c, struct err *e)
{
    (void)e;
    bool down = control_health(c->control) == HEALTH_LEDGER_DOWN;
    return call_text(c, down ? 503 : 200, "text/plain; charset=utf-8", down ? STR("ledger down\n") : STR("ok\n"));
}

/* Ready: decisions can be made, and every polled budget was measured at least once. */
static bool budgets_polled(const struct call *c)
{
    const struct world *w = control_world(c->control);
    const struct signals *s = control_signals(c->control);
    for (uint32_t i = 0; i < world_service_count(w); i++) {
        const struct service_def *def = world_service_at(w, i)->def;
        bool polled = def != NULL && def->has_slo && def->slo.source != SLO_EVENTS;
        if (polled && (i >= s->count || s->budgets[i].at_ms == 0)) {
            return false;
        }
    }
    return true;
}

enum rc readyz(struct call *c, struct err *e)
{
    (void)e;
    enum control_health health = control_health(c->control);
    bool policy = world_policy(control_world(c->control)) != NULL;
    bool polled = budgets_polled(c);
    struct value v = value_object();
    value_add_str(c->arena, &v, STR("ledger"), str_from(health_words[health]));
    value_add_bool(c->arena, &v, STR("policy_loaded"), policy);
    value_add_bool(c->arena, &v, STR("signals_polled"), polled);
    return call_reply(c, health == HEALTH_OK && policy && polled ? 200 : 503, v);
}

static struct value ledger_status(struct call *c)
{
    struct arena *a = c->arena;
    char error[256];
    writer_error(control_writer(c->control), error, sizeof error);
    struct writer_counts counts = writer_counts(control_writer(c->control));
    struct value v = value_object();
    value_add_str(a, &v, STR("state"), str_from(health_words[control_health(c->control)]));
    value_add_int(a, &v, STR("entries"), (int64_t)world_next_seq(control_world(c->control)));
    value_add_int(a, &v, STR("durable"), (int64_t)writer_durable(control_writer(c->control)));
    value_add_int(a, &v, STR("batches"), (int64_t)counts.batches);
    value_add_int(a, &v, STR("bytes"), (int64_t)counts.bytes);
    add_null_or_str(a, &v, STR("error"), arena_str(a, str_from(error)));
    return v;
}

enum rc status_get(struct call *c, struct err *e)
{
    struct arena *a = c->arena;
    const struct world *w = control_world(c->control);
    struct value v = value_object();
    value_add(a, &v, STR("ledger"), ledger_status(c));
    struct value policy = value_object();
    add_null_or_str(a, &policy, STR("hash"), world_policy_hash(w));
    add_null_or_str(a, &policy, STR("error"), str_from(c->api->policy_error));
    value_add(a, &v, STR("policy"), policy);
    /* The same handlers' replies as parts of one: a number can't differ between two commands. */
    static const struct {
        const char *name;
        call_fn list;
    } parts[] = {{"stops", stops_list}, {"signals", signals_list}, {"agents", agents_list}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        enum rc rc = parts[i].list(c, e);
        if (rc != RC_OK) {
            return rc;
        }
        value_add(a, &v, str_from(parts[i].name), *value_get(&c->reply, STR("items")));
    }
    value_add_int(a, &v, STR("pending_approvals"), world_pending_approvals(w));
    value_add_int(a, &v, STR("open_actions"), world_open_actions(w));
    uint32_t unknown = 0;
    const struct action *action = NULL;
    while ((action = world_action_next(w, action)) != NULL) {
        unknown += action->state == ACTION_UNKNOWN ? 1 : 0;
    }
    value_add_int(a, &v, STR("unknown_actions"), unknown);
    value_add_instant(a, &v, STR("now"), control_now(c->control));
    return call_reply(c, 200, v);
}
