#include "policy/policy_internal.h"

#include "base/must.h"

#include <string.h>

static const char *const classes[] = {"read", "write", "destructive", NULL};

const char *tool_class_name(enum tool_class c)
{
    must((unsigned)c <= TOOL_DESTRUCTIVE);
    return classes[c];
}

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* --- agents ----------------------------------------------------------------------------------- */

static const char *const tiers[] = {"default", "read_only", "shadow", "supervised", "autonomous", NULL};

const char *tier_name(enum tier t)
{
    must((unsigned)t <= TIER_AUTONOMOUS);
    return tiers[t];
}

bool tier_parse(struct str name, enum tier *ret)
{
    for (unsigned i = 0; tiers[i] != NULL; i++) {
        if (str_eq(name, str_from(tiers[i]))) {
            *ret = (enum tier)i;
            return true;
        }
    }
    return false;
}

struct agent_parts {
    struct agent_def def;
    const struct value *checks;
    const struct value *tiers;
    const struct value *behaviour;
    const struct value *keys;
};

static const struct field behaviour_fields[] = {
    {"tools", FIELD_TEXTS, FIELD_OF(struct behaviour, tools), false, 0, 0, 0, NULL},
    {"targets", FIELD_TEXTS, FIELD_OF(struct behaviour, targets), false, 0, 0, 0, NULL},
    {"surfaces", FIELD_TEXTS, FIELD_OF(struct behaviour, surfaces), false, 0, 0, 0, NULL},
    {"per_hour", FIELD_COUNT, FIELD_OF(struct behaviour, per_hour), false, 0, 0, RATE_COUNT_MAX, NULL},
    {"from", FIELD_SPAN, FIELD_OF(struct behaviour, from_ms), false, 0, 0, 86400000, NULL},
    {"until", FIELD_SPAN, FIELD_OF(struct behaviour, until_ms), false, 0, 0, 86400000, NULL},
};

static const struct field agent_fields[] = {
    {"name", FIELD_NAME, FIELD_OF(struct agent_parts, def.name), true, 0, 0, 0, NULL},
    {"owner", FIELD_TEXT, FIELD_OF(struct agent_parts, def.owner), true, 0, 0, 0, NULL},
    {"escalation", FIELD_TEXTS, FIELD_OF(struct agent_parts, def.escalation), false, 0, 0, 0, NULL},
    {"team", FIELD_TEXT, FIELD_OF(struct agent_parts, def.team), false, 0, 0, 0, NULL},
    {"roles", FIELD_NAMES, FIELD_OF(struct agent_parts, def.roles), false, 0, 0, 0, NULL},
    {"model", FIELD_TEXT, FIELD_OF(struct agent_parts, def.model), false, 0, 0, 0, NULL},
    {"prompt_version", FIELD_TEXT, FIELD_OF(struct agent_parts, def.prompt_version), false, 0, 0, 0,
     NULL},
    {"advisory", FIELD_BOOL, FIELD_OF(struct agent_parts, def.advisory), false, 0, 0, 0, NULL},
    {"suspended", FIELD_BOOL, FIELD_OF(struct agent_parts, def.suspended), false, 0, 0, 0, NULL},
    {"tier", FIELD_WORD, FIELD_OF(struct agent_parts, def.tier), false, TIER_DEFAULT, 0, 0, tiers},
    {"tiers", FIELD_VALUE, FIELD_OF(struct agent_parts, tiers), false, 0, 0, 0, NULL},
    {"zones", FIELD_TEXTS, FIELD_OF(struct agent_parts, def.zones), false, 0, 0, 0, NULL},
    {"labels", FIELD_VALUE, FIELD_OF(struct agent_parts, def.labels), false, 0, 0, 0, NULL},
    {"behaviour", FIELD_VALUE, FIELD_OF(struct agent_parts, behaviour), false, 0, 0, 0, NULL},
    {"keys", FIELD_VALUE, FIELD_OF(struct agent_parts, keys), false, 0, 0, 0, NULL},
    {"checks", FIELD_VALUE, FIELD_OF(struct agent_parts, checks), false, 0, 0, 0, NULL},
};

static const struct field service_tier_fields[] = {
    {"service", FIELD_TEXT, FIELD_OF(struct service_tier, service), true, 0, 0, 0, NULL},
    {"tier", FIELD_WORD, FIELD_OF(struct service_tier, tier), true, 0, 0, 0, tiers},
};

static enum rc read_tiers(struct reader *r, const struct value *v, struct agent_def *def)
{
    if (v == NULL) {
        return RC_OK;
    }
    if (!value_is(v, VALUE_ARRAY) || v->count > AGENT_TIERS_MAX) {
        return reader_fail(r, v, "tiers: expected a list of at most %d {service, tier}", AGENT_TIERS_MAX);
    }
    struct service_tier *rows = arena_array(r->arena, v->count, sizeof *rows);
    for (uint32_t i = 0; i < v->count && rows != NULL; i++) {
        enum rc rc = read_fields(r, &v->items[i], service_tier_fields, COUNT(service_tier_fields), &rows[i]);
        if (rc != RC_OK) {
            return reader_step(r, reader_step_index(r, rc, i), "tiers");
        }
    }
    def->tiers = rows;
    def->tier_count = v->count;
    return rows == NULL && v->count > 0 ? err_set(r->e, arena_rc(r->arena), "the configuration is too large")
                                        : RC_OK;
}

static struct value tiers_value(struct arena *a, const struct agent_def *d)
{
    struct value all = value_array();
    for (uint32_t i = 0; i < d->tier_count; i++) {
        value_push(a, &all, write_fields(a, service_tier_fields, COUNT(service_tier_fields), &d->tiers[i]));
    }
    return all;
}

enum rc agent_def_read(struct reader *r, const struct value *v, struct agent_def *ret)
{
    struct agent_parts parts = {0};
    enum rc rc = read_fields(r, v, agent_fields, COUNT(agent_fields), &parts);
    if (rc == RC_OK) {
        rc = reader_step(r, thresholds_read(r, parts.checks, &parts.def.checks), "checks");
    }
    rc = rc == RC_OK ? labels_read(r, parts.def.labels, &parts.def.labels) : rc;
    rc = rc == RC_OK ? read_tiers(r, parts.tiers, &parts.def) : rc;
    rc = rc == RC_OK ? reader_step(r, agent_keys_read(r, parts.keys, &parts.def), "keys") : rc;
    if (rc == RC_OK && parts.behaviour != NULL) {
        rc = reader_step(r, read_fields(r, parts.behaviour, behaviour_fields, COUNT(behaviour_fields),
                                        &parts.def.behaviour), "behaviour");
    }
    if (rc == RC_OK) {
        *ret = parts.def;
    }
    return rc;
}

struct value agent_def_value(struct arena *a, const struct agent_def *d)
{
    struct value checks = threshold_changes_value(a, d->checks);
    struct value of_services = tiers_value(a, d);
    const struct behaviour *b = &d->behaviour;
    bool says = b->tools.count > 0 || b->targets.count > 0 || b->per_hour > 0 || b->from_ms > 0 || b->until_ms > 0;
    struct value behaviour = write_fields(a, behaviour_fields, COUNT(behaviour_fields), b);
    struct value keys = agent_keys_value(a, d);
    struct agent_parts parts = {.def = *d,
                                .checks = checks.count > 0 ? &checks : NULL,
                                .tiers = of_services.count > 0 ? &of_services : NULL,
                                .behaviour = says ? &behaviour : NULL,
                                .keys = keys.count > 0 ? &keys : NULL};
    return write_fields(a, agent_fields, COUNT(agent_fields), &parts);
}

/* --- services --------------------------------------------------------------------------------- */

struct service_parts {
    struct service_def def;
    const struct value *slo;
    const struct value *readiness;
};

static const struct field readiness_fields[] = {
    {"error_budget_policy", FIELD_BOOL, FIELD_OF(struct readiness, error_budget_policy), false, 0, 0, 0, NULL},
    {"decision_provenance", FIELD_BOOL, FIELD_OF(struct readiness, decision_provenance), false, 0, 0, 0, NULL},
    {"automated_rollback", FIELD_BOOL, FIELD_OF(struct readiness, automated_rollback), false, 0, 0, 0, NULL},
    {"toil_measured", FIELD_BOOL, FIELD_OF(struct readiness, toil_measured), false, 0, 0, 0, NULL},
    {"shadow_since", FIELD_INSTANT, FIELD_OF(struct readiness, shadow_since_ms), false, 0, 0, 0, NULL},
};

const char *readiness_gap_name(enum readiness_gap one)
{
    switch (one) {
    case GAP_SLO: return "slo_defined";
    case GAP_ERROR_BUDGET_POLICY: return "error_budget_policy";
    case GAP_SHADOW_PERIOD: return "shadow_period_30d";
    case GAP_PROVENANCE: return "decision_provenance";
    case GAP_ROLLBACK: return "automated_rollback";
    case GAP_TOIL: return "toil_measured";
    case GAPS_ALL: break;
    }
    return "";
}

unsigned service_gaps(const struct service_def *s, int64_t now_ms)
{
    const struct readiness *r = &s->readiness;
    bool shadowed = r->shadow_since_ms > 0 && now_ms - r->shadow_since_ms >= READINESS_SHADOW_MS;
    return (s->has_slo ? 0U : GAP_SLO) | (r->error_budget_policy ? 0U : GAP_ERROR_BUDGET_POLICY) |
           (shadowed ? 0U : GAP_SHADOW_PERIOD) | (r->decision_provenance ? 0U : GAP_PROVENANCE) |
           (r->automated_rollback ? 0U : GAP_ROLLBACK) | (r->toil_measured ? 0U : GAP_TOIL);
}

static const struct field service_fields[] = {
    {"name", FIELD_NAME, FIELD_OF(struct service_parts, def.name), true, 0, 0, 0, NULL},
    {"owner", FIELD_TEXT, FIELD_OF(struct service_parts, def.owner), false, 0, 0, 0, NULL},
    {"zone", FIELD_TEXT, FIELD_OF(struct service_parts, def.zone), false, 0, 0, 0, NULL},
    {"traffic_pct", FIELD_PERCENT, FIELD_OF(struct service_parts, def.traffic_ppm), false, 0, 0,
     1000000, NULL},
    {"depends_on", FIELD_NAMES, FIELD_OF(struct service_parts, def.depends_on), false, 0, 0, 0, NULL},
    {"labels", FIELD_VALUE, FIELD_OF(struct service_parts, def.labels), false, 0, 0, 0, NULL},
    {"slo", FIELD_VALUE, FIELD_OF(struct service_parts, slo), false, 0, 0, 0, NULL},
    {"readiness", FIELD_VALUE, FIELD_OF(struct service_parts, readiness), false, 0, 0, 0, NULL},
};

struct slo_parts {
    struct slo slo;
    int64_t objective_ppm;
    bool events;
    const struct value *prometheus;
};

static const struct field slo_fields[] = {
    {"objective", FIELD_PERCENT, FIELD_OF(struct slo_parts, objective_ppm), true, 0, 1, 999999, NULL},
    {"window", FIELD_SPAN, FIELD_OF(struct slo_parts, slo.window_ms), false, 2592000000, 3600000,
     7776000000, NULL},
    {"events", FIELD_BOOL, FIELD_OF(struct slo_parts, events), false, 0, 0, 0, NULL},
    {"prometheus", FIELD_VALUE, FIELD_OF(struct slo_parts, prometheus), false, 0, 0, 0, NULL},
};

static const struct field query_fields[] = {
    {"ratio", FIELD_TEXT, FIELD_OF(struct slo, ratio), false, 0, 0, 0, NULL},
    {"good", FIELD_TEXT, FIELD_OF(struct slo, good), false, 0, 0, 0, NULL},
    {"total", FIELD_TEXT, FIELD_OF(struct slo, total), false, 0, 0, 0, NULL},
    {"timestamp", FIELD_TEXT, FIELD_OF(struct slo, timestamp), false, 0, 0, 0, NULL},
};

static enum rc read_queries(struct reader *r, const struct value *v, struct slo *slo)
{
    struct slo queries = {0};
    enum rc rc = reader_step(r, read_fields(r, v, query_fields, COUNT(query_fields), &queries),
                             "prometheus");
    if (rc != RC_OK) {
        return rc;
    }
    bool pair = queries.good.len > 0 && queries.total.len > 0;
    bool ratio = queries.ratio.len > 0;
    if (pair == ratio || (ratio && (queries.good.len > 0 || queries.total.len > 0))) {
        return reader_fail(r, v, "prometheus: expected either ratio, or good and total");
    }
    slo->ratio = queries.ratio;
    slo->good = queries.good;
    slo->total = queries.total;
    slo->timestamp = queries.timestamp;
    slo->source = ratio ? SLO_PROMETHEUS_RATIO : SLO_PROMETHEUS_PAIR;
    return RC_OK;
}

static enum rc read_slo(struct reader *r, const struct value *v, struct slo *ret)
{
    struct slo_parts parts = {0};
    enum rc rc = read_fields(r, v, slo_fields, COUNT(slo_fields), &parts);
    if (rc != RC_OK) {
        return rc;
    }
    if (parts.events == (parts.prometheus != NULL)) {
        return reader_fail(r, v, "slo: expected either prometheus or events: true");
    }
    parts.slo.objective_ppm = parts.objective_ppm;
    if (parts.prometheus != NULL) {
        rc = read_queries(r, parts.prometheus, &parts.slo);
    }
    *ret = parts.slo;
    return rc;
}

enum rc service_def_read(struct reader *r, const struct value *v, struct service_def *ret)
{
    struct service_parts parts = {0};
    enum rc rc = read_fields(r, v, service_fields, COUNT(service_fields), &parts);
    rc = rc == RC_OK ? labels_read(r, parts.def.labels, &parts.def.labels) : rc;
    if (rc == RC_OK && parts.slo != NULL) {
        parts.def.has_slo = true;
        rc = reader_step(r, read_slo(r, parts.slo, &parts.def.slo), "slo");
    }
    if (rc == RC_OK && parts.readiness != NULL) {
        rc = reader_step(r, read_fields(r, parts.readiness, readiness_fields, COUNT(readiness_fields),
                                        &parts.def.readiness), "readiness");
    }
    if (rc == RC_OK) {
        *ret = parts.def;
    }
    return rc;
}

static struct value slo_value(struct arena *a, const struct slo *slo)
{
    struct value queries = write_fields(a, query_fields, COUNT(query_fields), slo);
    struct slo_parts parts = {.slo = *slo,
                              .objective_ppm = slo->objective_ppm,
                              .events = slo->source == SLO_EVENTS,
                              .prometheus = slo->source == SLO_EVENTS ? NULL : &queries};
    return write_fields(a, slo_fields, COUNT(slo_fields), &parts);
}

struct value service_def_value(struct arena *a, const struct service_def *d)
{
    struct value slo = d->has_slo ? slo_value(a, &d->slo) : value_null();
    struct value readiness = write_fields(a, readiness_fields, COUNT(readiness_fields), &d->readiness);
    bool declared = d->readiness.shadow_since_ms != 0 || (service_gaps(d, 0) | GAP_SLO) != GAPS_ALL;
    struct service_parts parts = {.def = *d,
                                  .slo = d->has_slo ? &slo : NULL,
                                  .readiness = declared ? &readiness : NULL};
    return write_fields(a, service_fields, COUNT(service_fields), &parts);
}

/* --- tools ------------------------------------------------------------------------------------ */

struct tool_parts {
    struct tool_def def;
    int64_t class;
    int64_t phases;
    const struct value *match;
    const struct value *observe;
    const struct value *revert;
    struct str_list needs;
};

static const struct field tool_fields[] = {
    {"name", FIELD_NAME, FIELD_OF(struct tool_parts, def.name), true, 0, 0, 0, NULL},
    {"description", FIELD_TEXT, FIELD_OF(struct tool_parts, def.description), false, 0, 0, 0, NULL},
    {"class", FIELD_WORD, FIELD_OF(struct tool_parts, class), true, 0, 0, 0, classes},
    {"phases", FIELD_COUNT, FIELD_OF(struct tool_parts, phases), false, 0, 0, 2, NULL},
    {"reversible", FIELD_BOOL, FIELD_OF(struct tool_parts, def.reversible), false, 0, 0, 0, NULL},
    {"task_class", FIELD_NAME, FIELD_OF(struct tool_parts, def.task_class), false, 0, 0, 0, NULL},
    {"labels", FIELD_VALUE, FIELD_OF(struct tool_parts, def.labels), false, 0, 0, 0, NULL},
    {"match", FIELD_VALUE, FIELD_OF(struct tool_parts, match), false, 0, 0, 0, NULL},
    {"parameters", FIELD_VALUE, FIELD_OF(struct tool_parts, def.parameters), false, 0, 0, 0, NULL},
    {"target", FIELD_TEXT, FIELD_OF(struct tool_parts, def.target), false, 0, 0, 0, NULL},
    {"services", FIELD_TEXTS, FIELD_OF(struct tool_parts, def.services), false, 0, 0, 0, NULL},
    {"surfaces", FIELD_NAMES, FIELD_OF(struct tool_parts, def.surfaces), false, 0, 0, 0, NULL},
    {"env", FIELD_TEXTS, FIELD_OF(struct tool_parts, def.env), false, 0, 0, 0, NULL},
    {"inputs", FIELD_TEXTS, FIELD_OF(struct tool_parts, def.inputs), false, 0, 0, 0, NULL},
    {"needs", FIELD_NAMES, FIELD_OF(struct tool_parts, needs), false, 0, 0, 0, NULL},
    {"sql", FIELD_TEXT, FIELD_OF(struct tool_parts, def.sql), false, 0, 0, 0, NULL},
    {"observe", FIELD_VALUE, FIELD_OF(struct tool_parts, observe), false, 0, 0, 0, NULL},
    {"revert", FIELD_VALUE, FIELD_OF(struct tool_parts, revert), false, 0, 0, 0, NULL},
};

/* What happens after it ran, and what it must bring along. */
static enum rc read_care(struct reader *r, const struct value *v, struct tool_parts *parts)
{
    struct tool_def *def = &parts->def;
    enum rc rc = RC_OK;
    if (parts->observe != NULL) {
        rc = reader_step(r, observation_read(r, parts->observe, &def->observe), "observe");
    }
    if (rc == RC_OK && parts->revert != NULL) {
        rc = reader_step(r, revert_read(r, parts->revert, &def->revert), "revert");
    }
    for (uint32_t i = 0; rc == RC_OK && i < parts->needs.count; i++) {
        bool plan = str_eq(parts->needs.items[i], STR("plan"));
        bool diff = str_eq(parts->needs.items[i], STR("diff"));
        def->needs_plan = def->needs_plan || plan;
        def->needs_diff = def->needs_diff || diff;
        if (!plan && !diff) {
            rc = reader_step(r, reader_fail(r, v, "needs: expected plan or diff"), "needs");
        }
    }
    def->reversible = def->reversible || def->revert.argv.count > 0;
    return rc;
}

static enum rc read_argv_pattern(struct reader *r, const struct value *v, struct argv_pattern *ret)
{
    if (!value_is(v, VALUE_ARRAY) || v->count == 0 || v->count > ARGV_WORDS_MAX) {
        return reader_fail(r, v, "argv: expected a list of 1 to %d words", ARGV_WORDS_MAX);
    }
    struct str *words = arena_array(r->arena, v->count, sizeof *words);
    for (uint32_t i = 0; i < v->count && words != NULL; i++) {
        if (!value_is(&v->items[i], VALUE_STRING)) {
            return reader_step_index(
                r, reader_fail(r, &v->items[i], "argv: expected a text (quote numbers)"), i);
        }
        words[i] = arena_str(r->arena, v->items[i].string);
    }
    *ret = (struct argv_pattern){{words, words == NULL ? 0 : v->count}};
    return RC_OK;
}

/* One pattern (a list of words) or several (a list of lists). */
static enum rc read_argv(struct reader *r, const struct value *v, struct tool_def *t)
{
    bool several = value_is(v, VALUE_ARRAY) && v->count > 0 && value_is(&v->items[0], VALUE_ARRAY);
    uint32_t count = several ? v->count : 1;
    if (count > ARGV_PATTERNS_MAX) {
        return reader_fail(r, v, "argv: expected at most %d patterns", ARGV_PATTERNS_MAX);
    }
    t->argv = arena_array(r->arena, count, sizeof *t->argv);
    for (uint32_t i = 0; i < count && t->argv != NULL; i++) {
        enum rc rc = read_argv_pattern(r, several ? &v->items[i] : v, &t->argv[i]);
        if (rc != RC_OK) {
            return several ? reader_step_index(r, rc, i) : rc;
        }
    }
    t->argv_count = t->argv == NULL ? 0 : count;
    return RC_OK;
}

struct match_parts {
    const struct value *argv;
    struct str_list mcp;
};

static const struct field match_fields[] = {
    {"argv", FIELD_VALUE, FIELD_OF(struct match_parts, argv), false, 0, 0, 0, NULL},
    {"mcp", FIELD_TEXTS, FIELD_OF(struct match_parts, mcp), false, 0, 0, 0, NULL},
};

static enum rc read_match(struct reader *r, const struct value *v, struct tool_def *t)
{
    struct match_parts parts = {0};
    enum rc rc = read_fields(r, v, match_fields, COUNT(match_fields), &parts);
    if (rc == RC_OK && parts.argv != NULL) {
        rc = reader_step(r, read_argv(r, parts.argv, t), "argv");
    }
    t->mcp = parts.mcp;
    if (rc == RC_OK && parts.argv == NULL && parts.mcp.count == 0) {
        return reader_fail(r, v, "match: expected argv or mcp");
    }
    return rc;
}

static enum rc read_schema(struct reader *r, struct tool_def *t)
{
    struct value *copy = arena_alloc(r->arena, sizeof *copy);
    if (copy == NULL) {
        return err_set(r->e, arena_rc(r->arena), "the configuration is too large");
    }
    const struct value *given = t->parameters;
    *copy = value_copy(r->arena, given);
    t->parameters = copy;
    struct err inner;
    enum rc rc = schema_compile(r->arena, copy, &t->schema, &inner);
    if (rc == RC_INVALID) {
        return reader_fail(r, given, "parameters%s: %s", inner.where, inner.text);
    }
    return rc == RC_OK ? RC_OK : err_set(r->e, rc, "parameters: %s", inner.text);
}

enum rc tool_def_read(struct reader *r, const struct value *v, struct tool_def *ret)
{
    struct tool_parts parts = {0};
    enum rc rc = read_fields(r, v, tool_fields, COUNT(tool_fields), &parts);
    struct tool_def *t = &parts.def;
    rc = rc == RC_OK ? labels_read(r, t->labels, &t->labels) : rc;
    if (rc == RC_OK && parts.match != NULL) {
        rc = reader_step(r, read_match(r, parts.match, t), "match");
    }
    if (rc == RC_OK && t->services.count > TOOL_SERVICES_MAX) {
        rc = reader_fail(r, v, "services: expected at most %d", TOOL_SERVICES_MAX);
    }
    if (rc == RC_OK && t->parameters != NULL) {
        rc = reader_step(r, read_schema(r, t), "parameters");
    }
    rc = rc == RC_OK ? read_care(r, v, &parts) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    t->class = (enum tool_class)parts.class;
    t->two_phase = parts.phases == 0 ? t->class != TOOL_READ : parts.phases == 2;
    *ret = *t;
    return RC_OK;
}

static struct value texts_value(struct arena *a, const struct str_list *list)
{
    struct value v = value_array();
    for (uint32_t i = 0; i < list->count; i++) {
        value_push(a, &v, value_string(list->items[i]));
    }
    return v;
}

struct value tool_def_value(struct arena *a, const struct tool_def *d)
{
    struct value match = value_object();
    struct value patterns = value_array();
    for (uint32_t i = 0; i < d->argv_count; i++) {
        value_push(a, &patterns, texts_value(a, &d->argv[i].words));
    }
    if (d->argv_count > 0) {
        value_add(a, &match, STR("argv"), patterns);
    }
    if (d->mcp.count > 0) {
        value_add(a, &match, STR("mcp"), texts_value(a, &d->mcp));
    }
    struct value observe = observation_value(a, &d->observe);
    struct value revert = revert_value(a, &d->revert);
    const struct str needs[] = {STR("plan"), STR("diff")};
    struct tool_parts parts = {.def = *d,
                               .class = d->class,
                               .phases = d->two_phase ? 2 : 1,
                               .match = match.count > 0 ? &match : NULL,
                               .observe = d->observe.for_ms > 0 ? &observe : NULL,
                               .revert = d->revert.argv.count > 0 ? &revert : NULL,
                               .needs = {d->needs_plan ? &needs[0] : &needs[1],
                                         (d->needs_plan ? 1U : 0U) + (d->needs_diff ? 1U : 0U)}};
    return write_fields(a, tool_fields, COUNT(tool_fields), &parts);
}

bool tool_is_named(const struct tool_def *t)
{
    return t->argv_count == 0 && t->mcp.count == 0;
}

bool tool_matches_mcp(const struct tool_def *t, struct str mcp_tool)
{
    for (uint32_t i = 0; i < t->mcp.count; i++) {
        if (str_glob(t->mcp.items[i], mcp_tool)) {
            return true;
        }
    }
    return false;
}
