/*
 * api/status - how Pawl itself stands: for people, for probes, for Prometheus.
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

/* --- metrics ------------------------------------------------------------------------------------------------ */

static void metric(struct buf *out, const char *name, const char *type, const char *help, int64_t value)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %lld\n", name, help, name, type, name,
               (long long)value);
}

static void decision_metrics(struct buf *out, const struct counts *n)
{
    buf_str(out, STR("# HELP pawl_decisions_total Decisions on proposals since start, by verdict.\n"
                     "# TYPE pawl_decisions_total counter\n"));
    for (unsigned v = VERDICT_DENY; v <= VERDICT_ALLOW; v++) {
        buf_printf(out, "pawl_decisions_total{verdict=\"%s\"} %lld\n", verdict_name((enum verdict)v),
                   (long long)n->verdicts[v]);
    }
    buf_str(out, STR("# HELP pawl_http_responses_total Answers since start, by class of status.\n"
                     "# TYPE pawl_http_responses_total counter\n"));
    for (unsigned i = 2; i < 6; i++) {
        buf_printf(out, "pawl_http_responses_total{class=\"%uxx\"} %lld\n", i, (long long)n->by_class[i]);
    }
}

static void budget_metrics(struct call *c, struct buf *out)
{
    const struct world *w = control_world(c->control);
    const struct signals *s = control_signals(c->control);
    buf_str(out, STR("# HELP pawl_error_budget_remaining_ratio Error budget that is left, polled.\n"
                     "# TYPE pawl_error_budget_remaining_ratio gauge\n"));
    for (uint32_t i = 0; i < s->count && i < world_service_count(w); i++) {
        if (s->budgets[i].state == SIGNAL_KNOWN || s->budgets[i].state == SIGNAL_NO_TRAFFIC) {
            buf_printf(out, "pawl_error_budget_remaining_ratio{service=\"%s\"} %.6f\n",
                       world_service_at(w, i)->name, (double)s->budgets[i].remaining_ppm / 1e6);
        }
    }
}

enum rc metrics(struct call *c, struct err *e)
{
    const struct world *w = control_world(c->control);
    const struct counts *n = &c->api->counts;
    struct writer_counts written = writer_counts(control_writer(c->control));
    struct buf out;
    buf_init(&out, 8 << 20);
    decision_metrics(&out, n);
    metric(&out, "pawl_http_requests_total", "counter", "Requests since start.", n->requests);
    metric(&out, "pawl_rate_limited_total", "counter", "Requests over their credential's rate.",
           n->rate_limited);
    metric(&out, "pawl_unauthenticated_total", "counter", "Requests without a valid credential.",
           n->unauthenticated);
    metric(&out, "pawl_malformed_total", "counter", "Requests that were malformed.", n->malformed);
    metric(&out, "pawl_ledger_entries", "gauge", "Entries in the ledger.", (int64_t)world_next_seq(w));
    metric(&out, "pawl_ledger_durable_entries", "gauge", "Entries that are durable.",
           (int64_t)writer_durable(control_writer(c->control)));
    metric(&out, "pawl_ledger_batches_total", "counter", "Commits since start.", (int64_t)written.batches);
    metric(&out, "pawl_ledger_bytes_total", "counter", "Bytes of entries since start.",
           (int64_t)written.bytes);
    metric(&out, "pawl_ledger_healthy", "gauge", "1 when entries can be written.",
           control_health(c->control) == HEALTH_OK || control_health(c->control) == HEALTH_CLOCK_JUMPED);
    metric(&out, "pawl_pending_approvals", "gauge", "Escalations nobody has decided (AQDD depth).",
           world_pending_approvals(w));
    metric(&out, "pawl_open_actions", "gauge", "Actions that are not over.", world_open_actions(w));
    metric(&out, "pawl_stops", "gauge", "Stops in force.", world_stop_count(w));
    metric(&out, "pawl_policy_error", "gauge", "1 when the newest policy was refused.",
           c->api->policy_error[0] != '\0');
    budget_metrics(c, &out);
    struct str text = arena_str(c->arena, buf_view(&out));
    enum rc rc = out.rc;
    buf_done(&out);
    return rc == RC_OK ? call_text(c, 200, "text/plain; version=0.0.4; charset=utf-8", text)
                       : err_set(e, rc, "the metrics are too large");
}
