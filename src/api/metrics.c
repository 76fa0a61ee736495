/*
 * api/metrics - how Pawl itself stands, for Prometheus.
 *
 * Labels are verdicts, classes of status, bounds of the histogram and names of declared services and of rules:
 * bounded by the policy's limits. Nothing of an action is shown: no parameters, intents or agents. What is shown and
 * what alerts make of it: examples/prometheus/pawl.rules.yml.
 * Source: Prometheus text exposition format 0.0.4.
 */
#include "api/call.h"

#include "otlp/traffic.h"

enum { METRICS_MAX = 16 << 20 }; /* bytes; three lines of each of 10,000 services take 4 MiB */

static void head(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void counter(struct buf *out, const char *name, const char *help, int64_t value)
{
    head(out, name, "counter", help);
    buf_printf(out, "%s %lld\n", name, (long long)value);
}

static void gauge(struct buf *out, const char *name, const char *help, int64_t value)
{
    head(out, name, "gauge", help);
    buf_printf(out, "%s %lld\n", name, (long long)value);
}

static void seconds(struct buf *out, const char *name, const char *help, int64_t us)
{
    head(out, name, "gauge", help);
    buf_printf(out, "%s %.6f\n", name, (double)us / 1e6);
}

/* --- what was asked ------------------------------------------------------------------------------------------- */

static void request_metrics(struct buf *out, const struct counts *n)
{
    head(out, "pawl_decisions_total", "counter", "Decisions on proposals since start, by verdict.");
    for (unsigned v = VERDICT_DENY; v <= VERDICT_ALLOW; v++) {
        buf_printf(out, "pawl_decisions_total{verdict=\"%s\"} %lld\n", verdict_name((enum verdict)v),
                   (long long)n->verdicts[v]);
    }
    counter(out, "pawl_overrides_total", "Holds that a person overrode since start.", n->overrides);
    counter(out, "pawl_break_glass_total", "Actions proposed with broken glass since start.", n->broken_glass);
    head(out, "pawl_http_responses_total", "counter", "Answers since start, by class of status.");
    for (unsigned i = 2; i < 6; i++) {
        buf_printf(out, "pawl_http_responses_total{class=\"%uxx\"} %lld\n", i, (long long)n->by_class[i]);
    }
    counter(out, "pawl_http_requests_total", "Requests since start.", n->requests);
    counter(out, "pawl_rate_limited_total", "Requests over their credential's rate.", n->rate_limited);
    counter(out, "pawl_unauthenticated_total", "Requests without a valid credential.", n->unauthenticated);
    counter(out, "pawl_malformed_total", "Requests that were malformed.", n->malformed);
}

static void rule_metrics(struct call *c, struct buf *out)
{
    static const char name[] = "pawl_rule_held_total";
    head(out, name, "counter", "Proposals since start for which a rule of the policy held, by its mode.");
    rule_counts_write(&c->api->rule_counts, control_world(c->control), name, out);
}

/* --- the ledger and its disk ---------------------------------------------------------------------------------- */

static void commit_metrics(struct buf *out, const struct writer_counts *written)
{
    static const char name[] = "pawl_ledger_commit_duration_seconds";
    head(out, name, "histogram", "How long one commit took, its sync included.");
    uint64_t sum = 0;
    for (unsigned i = 0; i < WRITER_COMMIT_BUCKETS; i++) {
        sum += written->commits[i];
        buf_printf(out, "%s_bucket{le=\"%g\"} %llu\n", name, (double)writer_commit_bound_us(i) / 1e6,
                   (unsigned long long)sum);
    }
    sum += written->commits[WRITER_COMMIT_BUCKETS];
    buf_printf(out, "%s_bucket{le=\"+Inf\"} %llu\n%s_sum %.6f\n%s_count %llu\n", name, (unsigned long long)sum, name,
               (double)written->syncs_us_total / 1e6, name, (unsigned long long)sum);
}

static void ledger_metrics(struct call *c, struct buf *out)
{
    const struct writer *writer = control_writer(c->control);
    struct writer_counts written = writer_counts(writer);
    enum control_health health = control_health(c->control);
    gauge(out, "pawl_ledger_entries", "Entries in the ledger.", (int64_t)world_next_seq(control_world(c->control)));
    gauge(out, "pawl_ledger_durable_entries", "Entries that are durable.", (int64_t)writer_durable(writer));
    counter(out, "pawl_ledger_batches_total", "Commits since start.", (int64_t)written.batches);
    counter(out, "pawl_ledger_bytes_total", "Bytes of entries since start.", (int64_t)written.bytes);
    commit_metrics(out, &written);
    seconds(out, "pawl_checkpoint_lag_seconds",
            "Age of the oldest entry that no checkpoint in both its places covers; 0 when all are covered.",
            written.unsigned_us);
    gauge(out, "pawl_ledger_healthy", "1 when entries can be written.",
          health == HEALTH_OK || health == HEALTH_CLOCK_JUMPED);
    gauge(out, "pawl_clock_jumped", "1 when the wall clock jumped and nobody has accepted it.",
          health == HEALTH_CLOCK_JUMPED);
    gauge(out, "pawl_disk_free_bytes", "Free room on the ledger's file system.", c->api->disk_free_bytes);
    gauge(out, "pawl_disk_size_bytes", "Size of the ledger's file system.", c->api->disk_size_bytes);
}

/* --- actions, agents ------------------------------------------------------------------------------------------ */

static void action_metrics(struct call *c, struct buf *out)
{
    const struct world *w = control_world(c->control);
    int64_t now_ms = control_now(c->control);
    int64_t oldest_ms = 0;
    int64_t unknown = 0;
    const struct action *action = NULL;
    while ((action = world_action_next(w, action)) != NULL) {
        int64_t age_ms = action->state == ACTION_ESCALATED ? now_ms - action->proposed_ms : 0;
        oldest_ms = age_ms > oldest_ms ? age_ms : oldest_ms;
        unknown += action->state == ACTION_UNKNOWN ? 1 : 0;
    }
    gauge(out, "pawl_pending_approvals", "Escalations nobody has decided (AQDD depth).", world_pending_approvals(w));
    seconds(out, "pawl_pending_approval_age_seconds", "Age of the oldest of them; 0 when there is none.",
            oldest_ms * 1000);
    gauge(out, "pawl_open_actions", "Actions that are not over.", world_open_actions(w));
    gauge(out, "pawl_unknown_actions", "Actions that started and never said how they ended.", unknown);
    gauge(out, "pawl_stops", "Stops in force.", world_stop_count(w));
    int64_t open = 0;
    for (uint32_t i = 0; i < world_agent_count(w); i++) {
        open += world_breaker(w, i, now_ms) != BREAKER_CLOSED ? 1 : 0;
    }
    gauge(out, "pawl_breakers_open", "Agents whose breaker is open or half open.", open);
    int64_t reviews = 0;
    int64_t overdue = 0;
    for (uint32_t i = 0; i < world_incident_count(w); i++) {
        int64_t by_ms = world_incident_at(w, i)->review_by_ms;
        reviews += by_ms != 0 ? 1 : 0;
        overdue += by_ms != 0 && now_ms >= by_ms ? 1 : 0;
    }
    gauge(out, "pawl_reviews_open", "Times that glass was broken and nobody else has looked at it yet.", reviews);
    gauge(out, "pawl_reviews_overdue", "Of these, for more than a day.", overdue);
    gauge(out, "pawl_policy_error", "1 when the newest policy was refused.", c->api->policy_error[0] != '\0');
}

/* --- signals -------------------------------------------------------------------------------------------------- */

/* What a service's line shows of its budget; false: this family has no line for it. */
typedef bool (*signal_fn)(const struct budget_fact *b, double *ret);

static bool is_known(const struct budget_fact *b)
{
    return b->state == SIGNAL_KNOWN || b->state == SIGNAL_NO_TRAFFIC;
}

static bool show_remaining(const struct budget_fact *b, double *ret)
{
    *ret = (double)b->remaining_ppm / 1e6;
    return is_known(b);
}

static bool show_known(const struct budget_fact *b, double *ret)
{
    *ret = is_known(b) ? 1 : 0;
    return true;
}

static bool show_age(const struct budget_fact *b, double *ret)
{
    *ret = (double)b->age_ms / 1e3;
    return b->age_ms >= 0; /* else it was never measured: known says so */
}

/* One family after another: the format wants the lines of a name together. */
static const struct {
    const char *name;
    const char *help;
    signal_fn show;
} families[] = {
    {"pawl_error_budget_remaining_ratio", "Error budget that is left, where it is known.", show_remaining},
    {"pawl_signal_known", "1 when a decision may use the service's error budget; 0: unknown or stale.", show_known},
    {"pawl_signal_age_seconds", "How old the newest measurement of the error budget is.", show_age},
};
enum { FAMILIES = sizeof families / sizeof *families };

/* Spans are answered before they are counted: what did not become an entry is seen here only. */
static void traffic_metrics(const struct api *api, struct buf *out)
{
    const struct traffic_counts n = api->traffic == NULL ? (struct traffic_counts){0} : traffic_counts(api->traffic);
    counter(out, "pawl_spans_total", "Spans taken since start.", (int64_t)n.spans);
    counter(out, "pawl_spans_dropped_total", "Of these, without an id or a service, or beyond memory.", (int64_t)n.dropped);
    counter(out, "pawl_spans_calls_total", "Calls between services that were counted from spans.", (int64_t)n.calls);
    counter(out, "pawl_traffic_refused_total", "Periods of traffic that the graph or the ledger did not take.",
            (int64_t)api->traffic_refused);
}

static void signal_metrics(struct call *c, struct buf *out)
{
    const struct world *w = control_world(c->control);
    for (unsigned i = 0; i < FAMILIES; i++) {
        head(out, families[i].name, "gauge", families[i].help);
        for (uint32_t k = 0; k < world_service_count(w); k++) {
            struct budget_fact b;
            double value;
            if (call_budget(c, k, &b) && b.state != SIGNAL_NO_SLO && families[i].show(&b, &value)) {
                buf_printf(out, "%s{service=\"%s\"} %.6f\n", families[i].name, world_service_at(w, k)->name, value);
            }
        }
    }
}

enum rc metrics(struct call *c, struct err *e)
{
    struct buf out;
    buf_init(&out, METRICS_MAX);
    request_metrics(&out, &c->api->counts);
    rule_metrics(c, &out);
    traffic_metrics(c->api, &out);
    ledger_metrics(c, &out);
    action_metrics(c, &out);
    signal_metrics(c, &out);
    struct str text = arena_str(c->arena, buf_view(&out));
    enum rc rc = out.rc != RC_OK ? out.rc : arena_rc(c->arena);
    buf_done(&out);
    return rc == RC_OK ? call_text(c, 200, "text/plain; version=0.0.4; charset=utf-8", text)
                       : err_set(e, rc, "the metrics are too large");
}
