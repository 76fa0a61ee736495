/*
 * api/render - decisions, actions and signals as JSON.
 */
#include "api/call.h"

#include "base/instant.h"

struct str id_str(struct arena *a, const char *prefix, uint64_t seq)
{
    struct id_text id = id_format(prefix, seq);
    return arena_str(a, str_from(id.text));
}

void add_null_or_str(struct arena *a, struct value *v, struct str name, struct str text)
{
    value_add(a, v, name, text.len == 0 ? value_null() : value_string(text));
}

struct value percent(int64_t ppm)
{
    return ppm % 10000 == 0 ? value_int(ppm / 10000) : value_double(ppm_to_percent(ppm));
}

/* --- findings ------------------------------------------------------------------------------------------------ */

static const struct budget_fact *budget_fact_of(const struct facts *f, struct str service)
{
    for (unsigned i = 0; i < f->budget_count; i++) {
        if (str_eq(f->budgets[i].service, service)) {
            return &f->budgets[i];
        }
    }
    return NULL;
}

/* The sentence of a finding; for a measured signal with its source and its age. */
static struct str sentence(struct arena *a, const struct finding *finding, const struct facts *f)
{
    struct buf text;
    buf_init(&text, 4096);
    finding_text(&text, finding);
    const struct budget_fact *b =
        finding->check == CHECK_ERROR_BUDGET ? budget_fact_of(f, finding->subject) : NULL;
    if (b != NULL && b->source.len > 0) {
        buf_printf(&text, ", from %.*s", STR_ARG(b->source));
        if (b->age_ms >= 0) {
            buf_printf(&text, ", %.1f s old", (double)b->age_ms / 1000.0);
        }
        if (b->reason.len > 0) {
            buf_printf(&text, " (%.*s)", STR_ARG(b->reason));
        }
    }
    struct str s = arena_str(a, buf_view(&text));
    buf_done(&text);
    return s;
}

static bool is_share(const struct finding *f)
{
    return f->check == CHECK_ERROR_BUDGET || f->check == CHECK_HER_TREND || f->reason == REASON_UPSTREAM_LOW ||
           f->reason == REASON_BLAST_WIDE;
}

/* Where a check's value is from when no signal brought it. */
static const char *source_of(enum check check)
{
    switch (check) {
    case CHECK_AQDD: return "approval queue";
    case CHECK_HER_TREND: return "the agent's decisions";
    case CHECK_BLAST_RADIUS: return "declared traffic";
    case CHECK_BREAKER:
    case CHECK_RATE:
    case CHECK_MEMORY:
    case CHECK_DRIFT: return "executions in the ledger";
    case CHECK_STOP: return "stops in force";
    case CHECK_FREEZE: return "freezes and deploys";
    case CHECK_REQUEST:
    case CHECK_LINEAGE:
    case CHECK_PROVENANCE:
    case CHECK_SCHEMA_DRIFT: return "the request";
    case CHECK_RULES: return "the policy's rules";
    default: return "policy and catalogue";
    }
}

static const struct budget_fact *upstream_fact_of(const struct facts *f, struct str service)
{
    for (unsigned i = 0; i < f->upstream_count; i++) {
        if (str_eq(f->upstream[i].service, service)) {
            return &f->upstream[i];
        }
    }
    return NULL;
}

/* What blocks says where it is from and how old it was; what is counted, at the decision itself. */
static void add_source(struct arena *a, struct value *v, const struct finding *finding, const struct facts *f)
{
    const struct budget_fact *b = finding->check == CHECK_ERROR_BUDGET ? budget_fact_of(f, finding->subject)
                                  : finding->check == CHECK_UPSTREAM   ? upstream_fact_of(f, finding->subject)
                                                                       : NULL;
    if (finding->check == CHECK_ERROR_BUDGET || finding->check == CHECK_UPSTREAM) {
        add_null_or_str(a, v, STR("source"), b == NULL ? STR("") : b->source);
        value_add(a, v, STR("age_ms"), b == NULL || b->age_ms < 0 ? value_null() : value_int(b->age_ms));
    } else {
        value_add_str(a, v, STR("source"), str_from(source_of(finding->check)));
        value_add_int(a, v, STR("age_ms"), 0);
    }
}

static struct value finding_value(struct arena *a, const struct finding *finding, const struct facts *f)
{
    struct value v = value_object();
    value_add_str(a, &v, STR("check"), check_str(finding->check));
    value_add_str(a, &v, STR("verdict"), verdict_str(finding->verdict));
    value_add_str(a, &v, STR("mode"), finding->waived   ? STR("waived")
                                   : finding->shadow ? STR("shadow")
                                   : finding->reason == REASON_OFF ? STR("off") : STR("enforce"));
    value_add_str(a, &v, STR("reason"), reason_str(finding->reason));
    value_add_str(a, &v, STR("text"), sentence(a, finding, f));
    if (finding->threshold != 0 || finding->value != 0) {
        const char *names[2][2] = {{"value", "threshold"}, {"value_pct", "threshold_pct"}};
        bool share = is_share(finding);
        struct value measured = share ? percent(finding->value) : value_int(finding->value);
        value_add(a, &v, str_from(names[share][0]), finding->unknown ? value_null() : measured);
        value_add(a, &v, str_from(names[share][1]),
                  share ? percent(finding->threshold) : value_int(finding->threshold));
    }
    if (finding->subject.len > 0) {
        value_add_str(a, &v, STR("subject"), finding->subject);
    }
    if (finding->verdict != VERDICT_ALLOW) {
        add_source(a, &v, finding, f);
    }
    if (finding->release_ms != 0) {
        value_add_instant(a, &v, STR("released_at"), finding->release_ms);
    }
    return v;
}

struct value render_findings(struct call *c, const struct decision *d, const struct facts *f)
{
    struct value all = value_array();
    for (unsigned i = 0; i < CHECK_COUNT; i++) {
        value_push(c->arena, &all, finding_value(c->arena, &d->findings[i], f));
    }
    return all;
}

/* All that held, those that only watch included. */
static struct value rules_value_of(struct call *c, const struct decision *d)
{
    struct arena *a = c->arena;
    struct value all = value_array();
    for (unsigned i = 0; i < d->rule_count; i++) {
        const struct rule_match *m = &d->rules[i];
        struct value v = value_object();
        value_add_str(a, &v, STR("rule"), m->rule);
        value_add_str(a, &v, STR("verdict"), verdict_str(m->verdict));
        value_add_str(a, &v, STR("severity"), str_from(rule_severity_name(m->severity)));
        value_add_str(a, &v, STR("mode"), m->shadow ? STR("shadow") : STR("enforce"));
        value_add_bool(a, &v, STR("failed"), m->failed);
        add_null_or_str(a, &v, STR("message"), m->message);
        value_push(a, &all, v);
    }
    return all;
}

static struct value budget_value(struct arena *a, const struct budget_fact *b)
{
    struct value v = value_object();
    bool known = b->state == SIGNAL_KNOWN || b->state == SIGNAL_NO_TRAFFIC;
    value_add_str(a, &v, STR("service"), b->service);
    value_add_str(a, &v, STR("state"), str_from(signal_state_name(b->state)));
    value_add(a, &v, STR("remaining_pct"), known ? percent(b->remaining_ppm) : value_null());
    add_null_or_str(a, &v, STR("source"), b->source);
    value_add(a, &v, STR("age_ms"), b->age_ms < 0 ? value_null() : value_int(b->age_ms));
    if (b->reason.len > 0) {
        value_add_str(a, &v, STR("reason"), b->reason);
    }
    value_add_str(a, &v, STR("role"), b->dependant ? STR("dependant") : STR("target"));
    return v;
}

struct value render_signals(struct call *c, const struct facts *f)
{
    struct arena *a = c->arena;
    struct value v = value_object();
    struct value budgets = value_array();
    for (unsigned i = 0; i < f->budget_count; i++) {
        value_push(a, &budgets, budget_value(a, &f->budgets[i]));
    }
    value_add(a, &v, STR("error_budgets"), budgets);
    struct value aqdd = value_object();
    value_add(a, &aqdd, STR("depth"), f->aqdd_known ? value_int(f->aqdd_depth) : value_null());
    value_add(a, &aqdd, STR("baseline"),
              f->aqdd_baseline_milli < 0 ? value_null() : value_double((double)f->aqdd_baseline_milli / 1000.0));
    value_add(a, &aqdd, STR("drift"),
              f->aqdd_drift_milli < 0 ? value_null() : value_double((double)f->aqdd_drift_milli / 1000.0));
    value_add_str(a, &aqdd, STR("source"), STR("approval queue"));
    value_add(a, &v, STR("aqdd"), aqdd);
    struct value her = value_object();
    value_add(a, &her, STR("trend_pct"), f->her_known ? percent(f->her_ppm) : value_null());
    value_add_int(a, &her, STR("sample"), f->her_sample);
    value_add_str(a, &her, STR("source"), STR("the agent's decisions"));
    value_add(a, &v, STR("her"), her);
    return v;
}

/* --- decisions ------------------------------------------------------------------------------------------------ */

static struct value blocked_by(struct arena *a, const struct decision *d)
{
    struct value all = value_array();
    for (unsigned i = 0; i < CHECK_COUNT; i++) {
        const struct finding *f = &d->findings[i];
        if (finding_counts(f) && f->verdict != VERDICT_ALLOW) {
            value_push(a, &all, value_string(check_str(f->check)));
        }
    }
    return all;
}

static void add_verdict(struct call *c, struct value *v, const struct decision *d, const struct facts *f)
{
    struct arena *a = c->arena;
    value_add_str(a, v, STR("verdict"), verdict_str(d->verdict));
    value_add(a, v, STR("blocking_check"),
              d->blocking < 0 ? value_null() : value_string(check_str((enum check)d->blocking)));
    if (d->verdict == VERDICT_ALLOW) {
        return;
    }
    value_add(a, v, STR("blocked_by"), blocked_by(a, d));
    if (d->blocking >= 0) {
        const struct finding *blocking = &d->findings[d->blocking];
        value_add_str(a, v, STR("reason"), sentence(a, blocking, f));
        struct buf text;
        buf_init(&text, 4096);
        gate_recommendation(&text, blocking);
        value_add_str(a, v, STR("recommendation"), arena_str(a, buf_view(&text)));
        buf_done(&text);
    } else {
        value_add_str(a, v, STR("reason"), STR("advisory mode: nothing runs"));
    }
    if (d->verdict == VERDICT_HOLD) {
        value_add_int(a, v, STR("retry_after_s"), (d->retry_after_ms + 999) / 1000);
    }
}

static struct value three_check_record(struct call *c, const struct decision_record *r)
{
    struct gate_record record = {
        .agent_id = r->request.agent,
        .intended_action = r->request.intent.len > 0 ? r->request.intent : r->tool,
        .task_id = id_str(c->arena, "act", r->action),
        .action = r->tool,
        .checked_at_ms = r->time_ms,
    };
    return gate_record_value(c->arena, &record, &r->facts, &r->decision);
}

struct value render_decided(struct call *c, const struct decided *d)
{
    struct arena *a = c->arena;
    const struct action *action = world_action(control_world(c->control), d->action);
    struct value v = value_object();
    if (action != NULL) {
        value_add_str(a, &v, STR("action_id"), id_str(a, "act", action->id));
        value_add_str(a, &v, STR("decision_id"), id_str(a, "dec", d->seq));
        value_add_str(a, &v, STR("state"), str_from(action_state_name(action->state)));
    }
    add_verdict(c, &v, &d->decision, &d->facts);
    if (action != NULL) {
        value_add_hex(a, &v, STR("digest"), STR("sha256:"), action->digest, sizeof action->digest);
        if (action->tool != MAP_NONE) {
            value_add_str(a, &v, STR("tool"),
                          str_from(world_tool_at(control_world(c->control), action->tool)->name));
        }
        if (action->two_phase && action->due_ms != INT64_MAX) {
            value_add_instant(a, &v, STR("expires_at"), action->due_ms);
        }
        value_add_bool(a, &v, STR("two_phase"), action->two_phase);
    }
    value_add_instant(a, &v, STR("decided_at"), control_now(c->control));
    return v;
}

static void add_request(struct arena *a, struct value *v, const struct decision_record *r)
{
    struct value request = request_write(a, &r->request, STR(""));
    struct value shown = value_object();
    for (uint32_t i = 0; i < request.count; i++) {
        if (!str_eq(request.members[i].name, STR("digest"))) {
            value_add(a, &shown, request.members[i].name, request.members[i].value);
        }
    }
    value_add(a, v, STR("request"), shown);
}

static struct value texts_value(struct arena *a, const struct str *list, unsigned count)
{
    struct value all = value_array();
    for (unsigned i = 0; i < count; i++) {
        value_push(a, &all, value_string(list[i]));
    }
    return all;
}

struct value render_blast_radius(struct arena *a, const struct facts *f)
{
    struct value v = value_object();
    value_add(a, &v, STR("traffic_pct"), f->blast_declared ? percent(f->blast_ppm) : value_null());
    value_add_int(a, &v, STR("services"), f->blast_services);
    struct value affected = value_array();
    for (unsigned i = 0; i < f->impact_count; i++) {
        const struct impact_fact *x = &f->impact[i];
        struct value row = value_object();
        value_add_str(a, &row, STR("service"), x->service);
        value_add_str(a, &row, STR("via"), x->via);
        value_add(a, &row, STR("effect_pct"), percent((int64_t)x->effect_bp * 100));
        value_add_str(a, &row, STR("confidence"), str_from(confidence_name(x->confidence)));
        value_add_bool(a, &row, STR("measured"), !x->assumed);
        value_push(a, &affected, row);
    }
    value_add(a, &v, STR("affected"), affected);
    value_add(a, &v, STR("zones_crossed"), texts_value(a, f->crossed, f->crossed_count));
    value_add(a, &v, STR("policies"), texts_value(a, f->policies, f->policy_count));
    return v;
}

/* Null: no open incident on what it touches is like one before. */
struct value render_memory(struct arena *a, const struct facts *f)
{
    if (f->recall_incident == 0) {
        return value_null();
    }
    struct value v = value_object();
    value_add_str(a, &v, STR("incident_id"), id_str(a, "inc", f->recall_incident));
    value_add_str(a, &v, STR("shape"), f->recall_shape);
    value_add_int(a, &v, STR("seen"), f->recall_seen);
    value_add_int(a, &v, STR("tried"), f->recall_tried);
    value_add_int(a, &v, STR("resolved"), f->recall_resolved);
    return v;
}

void render_grounds(struct call *c, struct value *v, const struct decision *d, const struct facts *f)
{
    value_add(c->arena, v, STR("findings"), render_findings(c, d, f));
    value_add(c->arena, v, STR("rules"), rules_value_of(c, d));
    value_add(c->arena, v, STR("signals"), render_signals(c, f));
    value_add(c->arena, v, STR("blast_radius"), render_blast_radius(c->arena, f));
    value_add(c->arena, v, STR("memory"), render_memory(c->arena, f));
}

struct value render_record(struct call *c, const struct decision_record *r, bool whole)
{
    struct arena *a = c->arena;
    struct value v = value_object();
    value_add_str(a, &v, STR("decision_id"), id_str(a, "dec", r->seq));
    value_add_str(a, &v, STR("action_id"), id_str(a, "act", r->action));
    value_add_str(a, &v, STR("kind"), entry_kind_name(r->kind));
    value_add_instant(a, &v, STR("decided_at"), r->time_ms);
    value_add_str(a, &v, STR("agent"), r->request.agent);
    add_null_or_str(a, &v, STR("tool"), r->tool);
    add_null_or_str(a, &v, STR("target"), r->target);
    add_verdict(c, &v, &r->decision, &r->facts);
    if (!whole) {
        return v;
    }
    render_grounds(c, &v, &r->decision, &r->facts);
    value_add(a, &v, STR("pre_action_gate"), three_check_record(c, r));
    value_add_int(a, &v, STR("policy_seq"), (int64_t)r->policy_seq);
    value_add_int(a, &v, STR("agent_version"), (int64_t)r->agent_version);
    value_add_int(a, &v, STR("tool_version"), (int64_t)r->tool_version);
    add_request(a, &v, r);
    return v;
}

/* --- actions ---------------------------------------------------------------------------------------------------- */

static struct value services_value(struct call *c, const struct action *action)
{
    struct value v = value_array();
    for (uint32_t i = 0; i < action->service_count; i++) {
        const struct world_service *s = world_service_at(control_world(c->control), action_services(action)[i]);
        value_push(c->arena, &v, value_string(str_from(s->name)));
    }
    return v;
}

static struct value action_approvals(struct call *c, const struct action *action)
{
    struct arena *a = c->arena;
    struct value all = value_array();
    const struct action_review *review = action_review(action);
    for (uint32_t i = 0; i < review->approval_count; i++) {
        const struct world_token *t =
            world_token_by_id(control_world(c->control), review->approvals[i].token);
        struct value v = value_object();
        value_add_str(a, &v, STR("person"), t == NULL ? STR("") : str_from(t->person));
        value_add_instant(a, &v, STR("at"), review->approvals[i].at_ms);
        value_push(a, &all, v);
    }
    return all;
}

struct value render_action(struct call *c, const struct action *action)
{
    struct arena *a = c->arena;
    const struct world *w = control_world(c->control);
    struct value v = value_object();
    value_add_str(a, &v, STR("action_id"), id_str(a, "act", action->id));
    value_add_str(a, &v, STR("state"), str_from(action_state_name(action->state)));
    add_null_or_str(a, &v, STR("agent"),
                    action->agent == MAP_NONE ? STR("") : str_from(world_agent_at(w, action->agent)->name));
    add_null_or_str(a, &v, STR("tool"),
                    action->tool == MAP_NONE ? STR("") : str_from(world_tool_at(w, action->tool)->name));
    value_add(a, &v, STR("services"), services_value(c, action));
    value_add_str(a, &v, STR("verdict"), verdict_str(action->verdict));
    value_add(a, &v, STR("blocking_check"),
              action->blocking < 0 ? value_null()
                                   : value_string(check_str((enum check)action->blocking)));
    value_add_str(a, &v, STR("decision_id"), id_str(a, "dec", action->decided_seq));
    value_add_hex(a, &v, STR("digest"), STR("sha256:"), action->digest, sizeof action->digest);
    value_add_bool(a, &v, STR("two_phase"), action->two_phase);
    value_add_instant(a, &v, STR("proposed_at"), action->proposed_ms);
    if (action->due_ms != INT64_MAX && !action_state_is_closed(action->state)) {
        value_add_instant(a, &v, STR("due_at"), action->due_ms);
    }
    if (action->retry_at_ms != 0) {
        value_add_instant(a, &v, STR("retry_at"), action->retry_at_ms);
    }
    if (action->grant_seq != 0) {
        value_add_str(a, &v, STR("grant_id"), id_str(a, "grt", action->grant_seq));
    }
    value_add(a, &v, STR("approvals"), action_approvals(c, action));
    if (action->human) {
        const struct world_token *t = world_token_by_id(w, action->proposer);
        value_add_str(a, &v, STR("author_type"), STR("human"));
        add_null_or_str(a, &v, STR("person"), t == NULL ? STR("") : str_from(t->person));
    }
    uint64_t in_force = world_overrides(w, action, control_now(c->control));
    struct value overrides = value_array();
    for (unsigned i = 0; in_force != 0 && i < CHECK_COUNT; i++) {
        if ((in_force >> i & 1) != 0) {
            value_push(a, &overrides, value_string(check_str((enum check)i)));
        }
    }
    if (overrides.count > 0) {
        value_add(a, &v, STR("overrides"), overrides);
    }
    return v;
}
