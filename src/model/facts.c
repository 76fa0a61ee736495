/*
 * model/facts - facts as they stand in a record: short lists, since every decision carries them.
 */
#include "model/decision.h"

static const char *const agent_words[] = {"unknown", "active", "suspended", "removed", "human"};

static struct value budget_write(struct arena *a, const struct budget_fact *b)
{
    struct value v = value_array();
    value_push(a, &v, value_string(b->service));
    value_push(a, &v, value_string(str_from(signal_state_name(b->state))));
    value_push(a, &v, value_int(b->remaining_ppm));
    value_push(a, &v, value_int(b->age_ms));
    value_push(a, &v, value_string(b->source));
    if (b->dependant || b->reason.len > 0) {
        value_push(a, &v, value_bool(b->dependant));
    }
    if (b->reason.len > 0) {
        value_push(a, &v, value_string(b->reason));
    }
    return v;
}

static struct value freezes_write(struct arena *a, const struct facts *f)
{
    struct value all = value_array();
    for (unsigned i = 0; i < f->freeze_count; i++) {
        struct value v = value_array();
        value_push(a, &v, value_string(f->freezes[i].freeze));
        value_push(a, &v, value_string(f->freezes[i].service));
        value_push(a, &v, value_int(f->freezes[i].until_ms));
        value_push(a, &all, v);
    }
    return all;
}

static struct value deploys_write(struct arena *a, const struct facts *f)
{
    struct value all = value_array();
    for (unsigned i = 0; i < f->deploy_count; i++) {
        struct value v = value_array();
        value_push(a, &v, value_string(f->deploys[i].service));
        value_push(a, &v, value_string(f->deploys[i].id));
        value_push(a, &v, value_int(f->deploys[i].since_ms));
        value_push(a, &all, v);
    }
    return all;
}

static struct value triple(struct arena *a, int64_t x, int64_t y, int64_t z)
{
    struct value v = value_array();
    value_push(a, &v, value_int(x));
    value_push(a, &v, value_int(y));
    value_push(a, &v, value_int(z));
    return v;
}

static struct value ints(struct arena *a, const int64_t *n, size_t count)
{
    struct value v = value_array();
    for (size_t i = 0; i < count; i++) {
        value_push(a, &v, value_int(n[i]));
    }
    return v;
}

#define INTS(a, ...) ints((a), (const int64_t[]){__VA_ARGS__}, sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))

static struct value with_text(struct arena *a, struct value list, struct str text)
{
    value_push(a, &list, value_string(text));
    return list;
}

static const char *const identity_words[] = {"none", "asserted", "attested"};

static void identity_write(struct arena *a, const struct facts *f, struct value *v)
{
    if (f->chain_advisory) {
        value_add_bool(a, v, STR("chain_advisory"), true);
    }
    if (f->delegator.len > 0) {
        value_add(a, v, STR("delegator"), with_text(a, INTS(a, f->delegator_status), f->delegator));
    }
    if (f->identity != IDENTITY_NONE) {
        value_add_str(a, v, STR("identity"), str_from(identity_words[f->identity]));
    }
    if (f->rung_dropped) {
        value_add_bool(a, v, STR("rung_dropped"), true);
    }
}

static void conduct_write(struct arena *a, const struct facts *f, struct value *v)
{
    if (f->breaker != BREAKER_CLOSED) {
        value_add(a, v, STR("breaker"),
                  with_text(a, INTS(a, f->breaker, f->breaker_until_ms, f->probing ? 1 : 0), f->breaker_cause));
    }
    if (f->gaps != 0) {
        value_add(a, v, STR("gaps"), with_text(a, INTS(a, f->gaps), f->gap_service));
    }
    if (f->grant != 0) {
        value_add_int(a, v, STR("grant"), (int64_t)f->grant);
    }
    if (f->hour_count != 0) {
        value_add_int(a, v, STR("hour"), f->hour_count);
    }
    if (f->memory_n != 0) {
        value_add(a, v, STR("memory"), with_text(a, INTS(a, f->memory_n, f->memory_failed), f->memory_service));
    }
    if (f->recall_incident != 0) {
        value_add(a, v, STR("recall"),
                  with_text(a, INTS(a, (int64_t)f->recall_incident, f->recall_seen, f->recall_tried, f->recall_resolved),
                            f->recall_shape));
    }
    if (f->rate_agent + f->rate_service + f->rate_tool + f->executing != 0) {
        value_add(a, v, STR("rate"),
                  with_text(a, INTS(a, f->rate_agent, f->rate_service, f->rate_tool, f->executing, f->rate_release_ms),
                            f->rate_subject));
    }
}

static struct value texts(struct arena *a, const struct str *list, unsigned count)
{
    struct value all = value_array();
    for (unsigned i = 0; i < count; i++) {
        value_push(a, &all, value_string(list[i]));
    }
    return all;
}

static void impact_write(struct arena *a, const struct facts *f, struct value *v)
{
    struct value all = value_array();
    for (unsigned i = 0; i < f->impact_count; i++) {
        const struct impact_fact *x = &f->impact[i];
        struct value row = value_array();
        value_push(a, &row, value_string(x->service));
        value_push(a, &row, value_string(x->via));
        value_push(a, &row, value_int(x->effect_bp));
        value_push(a, &row, value_int(x->confidence));
        value_push(a, &row, value_bool(x->assumed));
        value_push(a, &all, row);
    }
    if (f->impact_count > 0) {
        value_add(a, v, STR("impact"), all);
    }
    if (f->crossed_count > 0) {
        value_add(a, v, STR("crossed"), texts(a, f->crossed, f->crossed_count));
    }
    if (f->policy_count > 0) {
        value_add(a, v, STR("policies"), texts(a, f->policies, f->policy_count));
    }
}

static void reach_write(struct arena *a, const struct facts *f, struct value *v)
{
    if (f->blast_services != 0) {
        value_add(a, v, STR("blast"), INTS(a, f->blast_ppm, f->blast_services, f->blast_declared ? 1 : 0));
    }
    impact_write(a, f, v);
    if (f->evidence_service.len > 0) {
        value_add(a, v, STR("evidence"), with_text(a, INTS(a, f->snapshot_ms, f->rollback_ms), f->evidence_service));
    }
    if (f->on_call_nobody.len + f->on_call_unknown.len + f->on_call_busiest.len > 0) {
        struct value on_call = with_text(a, INTS(a, f->on_call_incidents), f->on_call_busiest);
        value_add(a, v, STR("on_call"), with_text(a, with_text(a, on_call, f->on_call_nobody), f->on_call_unknown));
    }
    if (f->sql_harm != SQL_HARMLESS) {
        value_add(a, v, STR("sql"), with_text(a, INTS(a, f->sql_harm), f->sql_what));
    }
    if (f->surface_count > 0) {
        value_add(a, v, STR("surfaces"), texts(a, f->surfaces, f->surface_count));
    }
    if (f->tier != TIER_DEFAULT) {
        value_add_int(a, v, STR("tier"), f->tier);
    }
    struct value upstream = value_array();
    for (unsigned i = 0; i < f->upstream_count; i++) {
        value_push(a, &upstream, budget_write(a, &f->upstream[i]));
    }
    if (f->upstream_count > 0) {
        value_add(a, v, STR("upstream"), upstream);
    }
    struct value zones = value_array();
    value_push(a, &zones, value_bool(f->zone_outside));
    value_push(a, &zones, value_string(f->zone_exception));
    for (unsigned i = 0; i < f->zone_count; i++) {
        value_push(a, &zones, value_string(f->zones[i]));
    }
    if (f->zone_count > 0) {
        value_add(a, v, STR("zones"), zones);
    }
}

struct value facts_write(struct arena *a, const struct facts *f)
{
    struct value v = value_object();
    value_add_str(a, &v, STR("agent"), str_from(agent_words[f->agent]));
    if (f->aqdd_known) {
        value_add(a, &v, STR("aqdd"),
                  triple(a, f->aqdd_depth, f->aqdd_baseline_milli, f->aqdd_drift_milli));
    }
    struct value budgets = value_array();
    for (unsigned i = 0; i < f->budget_count; i++) {
        value_push(a, &budgets, budget_write(a, &f->budgets[i]));
    }
    if (f->budget_count > 0) {
        value_add(a, &v, STR("budgets"), budgets);
        value_add_int(a, &v, STR("budgets_seen"), f->budgets_seen);
    }
    if (!f->clock_ok) {
        value_add_bool(a, &v, STR("clock_ok"), false);
    }
    if (f->deploy_count > 0) {
        value_add(a, &v, STR("deploys"), deploys_write(a, f));
    }
    if (f->freeze_count > 0) {
        value_add(a, &v, STR("freezes"), freezes_write(a, f));
    }
    if (f->her_known) {
        struct value her = value_array();
        value_push(a, &her, value_int(f->her_ppm));
        value_push(a, &her, value_int(f->her_sample));
        value_add(a, &v, STR("her"), her);
    }
    struct value overrides = value_array();
    for (unsigned i = 0; f->overrides != 0 && i < CHECK_COUNT; i++) {
        if ((f->overrides >> i & 1) != 0) {
            value_push(a, &overrides, value_string(check_str((enum check)i)));
        }
    }
    if (overrides.count > 0) {
        value_add(a, &v, STR("overrides"), overrides);
    }
    if (f->pending_of_agent > 0) {
        value_add_int(a, &v, STR("pending"), f->pending_of_agent);
    }
    struct value stops = value_array();
    for (unsigned i = 0; i < f->stop_count; i++) {
        value_push(a, &stops, value_string(f->stops[i]));
    }
    if (f->stop_count > 0) {
        value_add_str(a, &v, STR("stop_level"), str_from(stop_level_name(f->stop_level)));
        value_add(a, &v, STR("stops"), stops);
    }
    identity_write(a, f, &v);
    conduct_write(a, f, &v);
    reach_write(a, f, &v);
    struct value validators = value_array();
    for (unsigned i = 0; i < f->validator_count; i++) {
        struct value row = value_array();
        value_push(a, &row, value_string(f->validators[i].name));
        value_push(a, &row, value_string(str_from(validator_answer_name(f->validators[i].answer))));
        value_push(a, &row, value_int(f->validators[i].took_ms));
        value_push(a, &row, value_string(f->validators[i].text));
        value_push(a, &validators, row);
    }
    if (validators.count > 0) {
        value_add(a, &v, STR("validators"), validators);
    }
    if (f->seen != NULL) {
        value_add(a, &v, STR("seen"), *f->seen);
    }
    return v;
}

static int64_t item_int(const struct value *v, uint32_t i, int64_t otherwise)
{
    return value_integer_or(value_item(v, i), otherwise);
}

static enum rc budget_read(const struct value *v, struct budget_fact *ret, struct err *e)
{
    *ret = (struct budget_fact){
        .service = value_text(value_item(v, 0)),
        .remaining_ppm = item_int(v, 2, 0),
        .age_ms = item_int(v, 3, -1),
        .source = value_text(value_item(v, 4)),
        .dependant = value_bool_or(value_item(v, 5), false),
        .reason = value_text(value_item(v, 6)),
    };
    if (!signal_state_parse(value_text(value_item(v, 1)), &ret->state)) {
        return err_set(e, RC_CORRUPT, "a recorded budget has no state");
    }
    return RC_OK;
}

static enum rc budgets_read(const struct value *v, struct facts *ret, struct err *e)
{
    const struct value *budgets = value_get(v, STR("budgets"));
    for (uint32_t i = 0; value_item(budgets, i) != NULL; i++) {
        if (i == FACT_BUDGETS_MAX) {
            return err_set(e, RC_CORRUPT, "a record lists more than %d budgets", FACT_BUDGETS_MAX);
        }
        enum rc rc = budget_read(value_item(budgets, i), &ret->budgets[i], e);
        if (rc != RC_OK) {
            return rc;
        }
        ret->budget_count = i + 1;
    }
    ret->budgets_seen = (unsigned)value_integer_or(value_get(v, STR("budgets_seen")), 0);
    return RC_OK;
}

static void freezes_read(const struct value *v, struct facts *ret)
{
    const struct value *freezes = value_get(v, STR("freezes"));
    for (uint32_t i = 0; i < FACT_FREEZES_MAX && value_item(freezes, i) != NULL; i++) {
        const struct value *f = value_item(freezes, i);
        ret->freezes[ret->freeze_count++] =
            (struct freeze_fact){value_text(value_item(f, 0)), value_text(value_item(f, 1)), item_int(f, 2, 0)};
    }
    const struct value *deploys = value_get(v, STR("deploys"));
    for (uint32_t i = 0; i < FACT_DEPLOYS_MAX && value_item(deploys, i) != NULL; i++) {
        const struct value *d = value_item(deploys, i);
        ret->deploys[ret->deploy_count++] =
            (struct deploy_fact){value_text(value_item(d, 0)), value_text(value_item(d, 1)), item_int(d, 2, 0)};
    }
}

static void stops_read(const struct value *v, struct facts *ret)
{
    const struct value *stops = value_get(v, STR("stops"));
    for (uint32_t i = 0; i < FACT_STOPS_MAX && value_item(stops, i) != NULL; i++) {
        ret->stops[ret->stop_count++] = value_text(value_item(stops, i));
    }
    if (!stop_level_parse(value_text(value_get(v, STR("stop_level"))), &ret->stop_level)) {
        ret->stop_level = STOP_FULL;
    }
}

static void conduct_read(const struct value *v, struct facts *ret)
{
    const struct value *breaker = value_get(v, STR("breaker"));
    int64_t phase = item_int(breaker, 0, 0);
    ret->breaker = phase > 0 && phase <= BREAKER_HALF_OPEN ? (enum breaker_phase)phase : BREAKER_CLOSED;
    ret->breaker_until_ms = item_int(breaker, 1, 0);
    ret->probing = item_int(breaker, 2, 0) != 0;
    ret->breaker_cause = value_text(value_item(breaker, 3));
    const struct value *gaps = value_get(v, STR("gaps"));
    ret->gaps = (unsigned)item_int(gaps, 0, 0) & GAPS_ALL;
    ret->gap_service = value_text(value_item(gaps, 1));
    ret->grant = (uint64_t)value_integer_or(value_get(v, STR("grant")), 0);
    ret->hour_count = value_integer_or(value_get(v, STR("hour")), 0);
    const struct value *memory = value_get(v, STR("memory"));
    ret->memory_n = item_int(memory, 0, 0);
    ret->memory_failed = item_int(memory, 1, 0);
    ret->memory_service = value_text(value_item(memory, 2));
    const struct value *recall = value_get(v, STR("recall"));
    ret->recall_incident = (uint64_t)item_int(recall, 0, 0);
    ret->recall_seen = item_int(recall, 1, 0);
    ret->recall_tried = item_int(recall, 2, 0);
    ret->recall_resolved = item_int(recall, 3, 0);
    ret->recall_shape = value_text(value_item(recall, 4));
    const struct value *rate = value_get(v, STR("rate"));
    ret->rate_agent = item_int(rate, 0, 0);
    ret->rate_service = item_int(rate, 1, 0);
    ret->rate_tool = item_int(rate, 2, 0);
    ret->executing = item_int(rate, 3, 0);
    ret->rate_release_ms = item_int(rate, 4, 0);
    ret->rate_subject = value_text(value_item(rate, 5));
}

static void identity_read(const struct value *v, struct facts *ret)
{
    ret->chain_advisory = value_bool_or(value_get(v, STR("chain_advisory")), false);
    ret->rung_dropped = value_bool_or(value_get(v, STR("rung_dropped")), false);
    const struct value *delegator = value_get(v, STR("delegator"));
    int64_t status = item_int(delegator, 0, AGENT_UNKNOWN);
    ret->delegator_status = status >= 0 && status <= AGENT_REMOVED ? (enum agent_status)status : AGENT_UNKNOWN;
    ret->delegator = value_text(value_item(delegator, 1));
    struct str identity = value_text(value_get(v, STR("identity")));
    for (unsigned i = 0; i < sizeof identity_words / sizeof *identity_words; i++) {
        ret->identity = str_eq(identity, str_from(identity_words[i])) ? (enum identity_kind)i : ret->identity;
    }
}

static unsigned texts_read(const struct value *v, struct str *list, unsigned max)
{
    unsigned count = 0;
    while (count < max && value_item(v, count) != NULL) {
        list[count] = value_text(value_item(v, count));
        count++;
    }
    return count;
}

static void impact_read(const struct value *v, struct facts *ret)
{
    const struct value *all = value_get(v, STR("impact"));
    const struct value *row;
    while (ret->impact_count < FACT_IMPACT_MAX && (row = value_item(all, ret->impact_count)) != NULL) {
        int64_t confidence = item_int(row, 3, CONFIDENCE_OBSERVED);
        bool known = confidence >= 0 && confidence < CONFIDENCE_COUNT;
        ret->impact[ret->impact_count++] =
            (struct impact_fact){.service = value_text(value_item(row, 0)),
                                 .via = value_text(value_item(row, 1)),
                                 .effect_bp = (uint32_t)item_int(row, 2, 0),
                                 .confidence = known ? (enum confidence)confidence : CONFIDENCE_OBSERVED,
                                 .assumed = value_bool_or(value_item(row, 4), true)};
    }
    ret->crossed_count = texts_read(value_get(v, STR("crossed")), ret->crossed, FACT_ZONES_MAX);
    ret->policy_count = texts_read(value_get(v, STR("policies")), ret->policies, FACT_POLICIES_MAX);
}

static enum rc reach_read(const struct value *v, struct facts *ret, struct err *e)
{
    const struct value *blast = value_get(v, STR("blast"));
    ret->blast_ppm = item_int(blast, 0, 0);
    ret->blast_services = (unsigned)item_int(blast, 1, 0);
    ret->blast_declared = item_int(blast, 2, 0) != 0;
    impact_read(v, ret);
    const struct value *evidence = value_get(v, STR("evidence"));
    ret->snapshot_ms = item_int(evidence, 0, 0);
    ret->rollback_ms = item_int(evidence, 1, 0);
    ret->evidence_service = value_text(value_item(evidence, 2));
    const struct value *on_call = value_get(v, STR("on_call"));
    ret->on_call_incidents = item_int(on_call, 0, 0);
    ret->on_call_busiest = value_text(value_item(on_call, 1));
    ret->on_call_nobody = value_text(value_item(on_call, 2));
    ret->on_call_unknown = value_text(value_item(on_call, 3));
    ret->surface_count = texts_read(value_get(v, STR("surfaces")), ret->surfaces, FACT_SURFACES_MAX);
    int64_t tier = value_integer_or(value_get(v, STR("tier")), TIER_DEFAULT);
    ret->tier = tier > 0 && tier <= TIER_AUTONOMOUS ? (enum tier)tier : TIER_DEFAULT;
    const struct value *sql = value_get(v, STR("sql"));
    int64_t harm = item_int(sql, 0, SQL_HARMLESS);
    /* A record that is not understood is not harmless. */
    ret->sql_harm = harm >= 0 && harm < SQL_HARM_COUNT ? (enum sql_harm)harm : SQL_UNREADABLE;
    ret->sql_what = value_text(value_item(sql, 1));
    const struct value *zones = value_get(v, STR("zones"));
    ret->zone_outside = value_bool_or(value_item(zones, 0), false);
    ret->zone_exception = value_text(value_item(zones, 1));
    for (uint32_t i = 2; ret->zone_count < FACT_ZONES_MAX && value_item(zones, i) != NULL; i++) {
        ret->zones[ret->zone_count++] = value_text(value_item(zones, i));
    }
    const struct value *upstream = value_get(v, STR("upstream"));
    enum rc rc = RC_OK;
    for (uint32_t i = 0; rc == RC_OK && i < FACT_UPSTREAM_MAX && value_item(upstream, i) != NULL; i++) {
        rc = budget_read(value_item(upstream, i), &ret->upstream[i], e);
        ret->upstream_count = i + 1;
    }
    return rc;
}

enum rc facts_read(const struct value *v, struct facts *ret, struct err *e)
{
    *ret = (struct facts){.aqdd_baseline_milli = -1, .aqdd_drift_milli = -1};
    struct str agent = value_text(value_get(v, STR("agent")));
    for (unsigned i = 0; i < sizeof agent_words / sizeof *agent_words; i++) {
        if (str_eq(agent, str_from(agent_words[i]))) {
            ret->agent = (enum agent_status)i;
        }
    }
    ret->clock_ok = value_bool_or(value_get(v, STR("clock_ok")), true);
    ret->seen = value_get(v, STR("seen"));
    const struct value *validators = value_get(v, STR("validators"));
    for (uint32_t i = 0; value_item(validators, i) != NULL && ret->validator_count < VALIDATORS_MAX; i++) {
        const struct value *row = value_item(validators, i);
        struct validator_fact *fact = &ret->validators[ret->validator_count];
        fact->name = value_text(value_item(row, 0));
        fact->took_ms = item_int(row, 2, 0);
        fact->text = value_text(value_item(row, 3));
        ret->validator_count += validator_answer_parse(value_text(value_item(row, 1)), &fact->answer) ? 1 : 0;
    }
    const struct value *aqdd = value_get(v, STR("aqdd"));
    ret->aqdd_known = aqdd != NULL;
    ret->aqdd_depth = item_int(aqdd, 0, 0);
    ret->aqdd_baseline_milli = item_int(aqdd, 1, -1);
    ret->aqdd_drift_milli = item_int(aqdd, 2, -1);
    const struct value *her = value_get(v, STR("her"));
    ret->her_known = her != NULL;
    ret->her_ppm = item_int(her, 0, 0);
    ret->her_sample = item_int(her, 1, 0);
    const struct value *overrides = value_get(v, STR("overrides"));
    for (uint32_t i = 0; value_item(overrides, i) != NULL; i++) {
        enum check c;
        if (check_parse(value_text(value_item(overrides, i)), &c)) {
            ret->overrides |= UINT64_C(1) << c;
        }
    }
    ret->pending_of_agent = value_integer_or(value_get(v, STR("pending")), 0);
    freezes_read(v, ret);
    stops_read(v, ret);
    conduct_read(v, ret);
    identity_read(v, ret);
    enum rc rc = reach_read(v, ret, e);
    if (rc != RC_OK) {
        return rc;
    }
    return budgets_read(v, ret, e);
}
