#include "policy/thresholds.h"

#include "base/must.h"
#include "policy/reader.h"

#define NAME(literal) {literal, sizeof(literal) - 1}

static const struct str checks[CHECK_COUNT] = {
    [CHECK_IDENTITY] = NAME("identity"),
    [CHECK_STOP] = NAME("stop"),
    [CHECK_BREAKER] = NAME("breaker"),
    [CHECK_CATALOGUE] = NAME("catalogue"),
    [CHECK_REQUEST] = NAME("request"),
    [CHECK_LINEAGE] = NAME("lineage"),
    [CHECK_TIER] = NAME("tier"),
    [CHECK_READINESS] = NAME("readiness"),
    [CHECK_GRANT] = NAME("grant"),
    [CHECK_ZONE] = NAME("zone"),
    [CHECK_FREEZE] = NAME("freeze"),
    [CHECK_ERROR_BUDGET] = NAME("error_budget"),
    [CHECK_AQDD] = NAME("aqdd"),
    [CHECK_HER_TREND] = NAME("her_trend"),
    [CHECK_UPSTREAM] = NAME("upstream"),
    [CHECK_ON_CALL] = NAME("on_call"),
    [CHECK_BLAST_RADIUS] = NAME("blast_radius"),
    [CHECK_RATE] = NAME("rate"),
    [CHECK_SURFACES] = NAME("surfaces"),
    [CHECK_SCHEMA_DRIFT] = NAME("schema_drift"),
    [CHECK_REVERSIBILITY] = NAME("reversibility"),
    [CHECK_MEMORY] = NAME("memory"),
    [CHECK_DRIFT] = NAME("drift"),
    [CHECK_PROVENANCE] = NAME("provenance"),
    [CHECK_RULES] = NAME("rules"),
    [CHECK_VALIDATORS] = NAME("validators"),
    [CHECK_QUORUM] = NAME("quorum"),
};

static const char *const modes[] = {"enforce", "shadow", "off", NULL};

/* Neither allow nor advise: what blocks and what is unknown is never a yes. The words stand in the
 * order of enum verdict, so the index of a word is its verdict. */
static const char *const blocking[] = {"deny", "escalate", "hold", NULL};
static const char *const required_slo[] = {"target", "dependants", NULL};
/* In the order of enum tier, whose first is "not said". */
static const char *const tier_words[] = {"default", "read_only", "shadow", "supervised", "autonomous", NULL};
#define TIER_OF_NOBODY 3 /* supervised */
static const char *const approved_by[] = {"nobody", "person", NULL};

#define MODE_ROW {"mode", FIELD_WORD, 0, false, MODE_ENFORCE, 0, 0, modes}
#define MODE_ROW_OFF {"mode", FIELD_WORD, 0, false, MODE_OFF, 0, 0, modes}
#define COUNT_ROW(key, otherwise, least, most) {key, FIELD_COUNT, 0, false, otherwise, least, most, NULL}
#define SPAN_ROW(key, otherwise, least, most) {key, FIELD_SPAN, 0, false, otherwise, least, most, NULL}
#define PERCENT_ROW(key, otherwise, least, most) {key, FIELD_PERCENT, 0, false, otherwise, least, most, NULL}
#define VERDICT_ROW(key, verdict) {key, FIELD_WORD, 0, false, verdict, 0, 0, blocking}
#define DAY 86400000LL
#define PPM(percent) ((percent) * 10000LL)

/* Check, key, unit, default, smallest and largest. */
static const struct {
    enum check check;
    struct field field;
} table[THRESHOLD_COUNT] = {
    [FREEZE_MODE] = {CHECK_FREEZE, MODE_ROW},
    [FREEZE_ON_WRITE] = {CHECK_FREEZE, VERDICT_ROW("on_write", VERDICT_HOLD)},
    [FREEZE_ON_DESTRUCTIVE] = {CHECK_FREEZE, VERDICT_ROW("on_destructive", VERDICT_DENY)},
    [FREEZE_ON_UNKNOWN] = {CHECK_FREEZE, VERDICT_ROW("on_unknown", VERDICT_HOLD)},
    [FREEZE_DEPLOY_TIMEOUT_MS] = {CHECK_FREEZE,
                                  {"deploy_timeout", FIELD_SPAN, 0, false, 3600000, 1000, 86400000, NULL}},
    [BUDGET_MODE] = {CHECK_ERROR_BUDGET, MODE_ROW},
    [BUDGET_MIN_PPM] = {CHECK_ERROR_BUDGET,
                        {"min_pct", FIELD_PERCENT, 0, false, PPM(20), PPM(-1000), PPM(100), NULL}},
    [BUDGET_ON_BLOCK] = {CHECK_ERROR_BUDGET, VERDICT_ROW("on_block", VERDICT_ESCALATE)},
    [BUDGET_ON_UNKNOWN] = {CHECK_ERROR_BUDGET, VERDICT_ROW("on_unknown", VERDICT_HOLD)},
    [BUDGET_MAX_AGE_MS] = {CHECK_ERROR_BUDGET,
                           {"max_age", FIELD_SPAN, 0, false, 120000, 1000, 86400000, NULL}},
    [BUDGET_TOLERANCE_PPM] = {CHECK_ERROR_BUDGET,
                              {"tolerance_pct", FIELD_PERCENT, 0, false, PPM(5), 0, PPM(100), NULL}},
    [BUDGET_REQUIRE_SLO] = {CHECK_ERROR_BUDGET,
                            {"require_slo", FIELD_WORD, 0, false, 0, 0, 0, required_slo}},
    [AQDD_MODE] = {CHECK_AQDD, MODE_ROW},
    [AQDD_MAX_DEPTH] = {CHECK_AQDD, {"max_depth", FIELD_COUNT, 0, false, 3, 0, 100000, NULL}},
    [AQDD_MAX_DRIFT_MILLI] = {CHECK_AQDD,
                              {"max_drift", FIELD_RATIO, 0, false, 0, 0, 1000000000, NULL}},
    [AQDD_ON_BLOCK] = {CHECK_AQDD, VERDICT_ROW("on_block", VERDICT_HOLD)},
    [AQDD_ON_UNKNOWN] = {CHECK_AQDD, VERDICT_ROW("on_unknown", VERDICT_HOLD)},
    [HER_MODE] = {CHECK_HER_TREND, MODE_ROW},
    [HER_MAX_PPM] = {CHECK_HER_TREND,
                     {"max_pct", FIELD_PERCENT, 0, false, PPM(15), 0, PPM(100), NULL}},
    [HER_MIN_SAMPLE] = {CHECK_HER_TREND, {"min_sample", FIELD_COUNT, 0, false, 10, 1, 50, NULL}},
    [HER_ON_BLOCK] = {CHECK_HER_TREND, VERDICT_ROW("on_block", VERDICT_ESCALATE)},
    [HER_ON_UNKNOWN] = {CHECK_HER_TREND, VERDICT_ROW("on_unknown", VERDICT_HOLD)},
    [HER_TOLERANCE_PPM] = {CHECK_HER_TREND,
                           {"tolerance_pct", FIELD_PERCENT, 0, false, PPM(5), 0, PPM(100), NULL}},
    [BREAKER_MODE] = {CHECK_BREAKER, MODE_ROW},
    [BREAKER_MAX_DENIALS] = {CHECK_BREAKER, COUNT_ROW("max_denials", 10, 1, 10000)},
    [BREAKER_MAX_FAILURES] = {CHECK_BREAKER, COUNT_ROW("max_failures", 3, 1, 10000)},
    [BREAKER_MAX_CALLS] = {CHECK_BREAKER, COUNT_ROW("max_calls", 0, 0, 1000000)},
    [BREAKER_WINDOW_MS] = {CHECK_BREAKER, SPAN_ROW("window", 60000, 1000, 86400000)},
    [BREAKER_OPEN_MS] = {CHECK_BREAKER, SPAN_ROW("open_for", 600000, 1000, 7 * 86400000LL)},
    [BREAKER_PROBES] = {CHECK_BREAKER, COUNT_ROW("probes", 1, 1, 100)},
    [BREAKER_ON_BLOCK] = {CHECK_BREAKER, VERDICT_ROW("on_block", VERDICT_DENY)},
    [LINEAGE_MODE] = {CHECK_LINEAGE, MODE_ROW_OFF},
    [LINEAGE_ON_BLOCK] = {CHECK_LINEAGE, VERDICT_ROW("on_block", VERDICT_DENY)},
    [TIER_MODE] = {CHECK_TIER, MODE_ROW},
    [TIER_OTHERWISE] = {CHECK_TIER, {"default", FIELD_WORD, 0, false, TIER_OF_NOBODY, 0, 0, tier_words}},
    [TIER_SUPERVISED_WRITE] = {CHECK_TIER, {"supervised_write", FIELD_WORD, 0, false, 0, 0, 0, approved_by}},
    [TIER_ASSERTED_CAP] = {CHECK_TIER, {"asserted_cap", FIELD_BOOL, 0, false, 0, 0, 0, NULL}},
    [READINESS_MODE] = {CHECK_READINESS, MODE_ROW_OFF},
    [READINESS_ON_BLOCK] = {CHECK_READINESS, VERDICT_ROW("on_block", VERDICT_ESCALATE)},
    [GRANT_MODE] = {CHECK_GRANT, MODE_ROW_OFF},
    [GRANT_ON_BLOCK] = {CHECK_GRANT, VERDICT_ROW("on_block", VERDICT_DENY)},
    [ZONE_MODE] = {CHECK_ZONE, MODE_ROW},
    [ZONE_ON_BLOCK] = {CHECK_ZONE, VERDICT_ROW("on_block", VERDICT_DENY)},
    [UPSTREAM_MODE] = {CHECK_UPSTREAM, MODE_ROW},
    [UPSTREAM_MIN_PPM] = {CHECK_UPSTREAM, PERCENT_ROW("min_pct", 0, PPM(-1000), PPM(100))},
    [UPSTREAM_ON_BLOCK] = {CHECK_UPSTREAM, VERDICT_ROW("on_block", VERDICT_HOLD)},
    [UPSTREAM_ON_UNKNOWN] = {CHECK_UPSTREAM, VERDICT_ROW("on_unknown", VERDICT_HOLD)},
    [ON_CALL_MODE] = {CHECK_ON_CALL, MODE_ROW_OFF},
    [ON_CALL_MAX_INCIDENTS] = {CHECK_ON_CALL, COUNT_ROW("max_incidents", 2, 0, 1000)},
    [ON_CALL_MAX_AGE_MS] = {CHECK_ON_CALL, SPAN_ROW("max_age", DAY, 60000, 30 * DAY)},
    [ON_CALL_ON_BLOCK] = {CHECK_ON_CALL, VERDICT_ROW("on_block", VERDICT_HOLD)},
    [ON_CALL_ON_UNKNOWN] = {CHECK_ON_CALL, VERDICT_ROW("on_unknown", VERDICT_HOLD)},
    [BLAST_MODE] = {CHECK_BLAST_RADIUS, MODE_ROW},
    [BLAST_MAX_PPM] = {CHECK_BLAST_RADIUS, PERCENT_ROW("max_pct", PPM(50), 0, PPM(100))},
    [BLAST_ON_BLOCK] = {CHECK_BLAST_RADIUS, VERDICT_ROW("on_block", VERDICT_ESCALATE)},
    [BLAST_REQUIRE_TRAFFIC] = {CHECK_BLAST_RADIUS, {"require_traffic", FIELD_BOOL, 0, false, 0, 0, 0, NULL}},
    [BLAST_ON_UNKNOWN] = {CHECK_BLAST_RADIUS, VERDICT_ROW("on_unknown", VERDICT_HOLD)},
    [RATE_MODE] = {CHECK_RATE, MODE_ROW},
    [RATE_WINDOW_MS] = {CHECK_RATE, SPAN_ROW("window", 60000, 1000, 86400000)},
    [RATE_MAX_AGENT] = {CHECK_RATE, COUNT_ROW("per_agent", 0, 0, RATE_COUNT_MAX)},
    [RATE_MAX_SERVICE] = {CHECK_RATE, COUNT_ROW("per_service", 0, 0, RATE_COUNT_MAX)},
    [RATE_MAX_TOOL] = {CHECK_RATE, COUNT_ROW("per_tool", 0, 0, RATE_COUNT_MAX)},
    [RATE_CONCURRENT] = {CHECK_RATE, COUNT_ROW("concurrent", 0, 0, 10000)},
    [RATE_ON_BLOCK] = {CHECK_RATE, VERDICT_ROW("on_block", VERDICT_HOLD)},
    [SURFACES_MODE] = {CHECK_SURFACES, MODE_ROW},
    [SCHEMA_MODE] = {CHECK_SCHEMA_DRIFT, MODE_ROW},
    [SCHEMA_ON_BLOCK] = {CHECK_SCHEMA_DRIFT, VERDICT_ROW("on_block", VERDICT_ESCALATE)},
    [SCHEMA_ON_UNKNOWN] = {CHECK_SCHEMA_DRIFT, VERDICT_ROW("on_unknown", VERDICT_ESCALATE)},
    [REVERSIBILITY_MODE] = {CHECK_REVERSIBILITY, MODE_ROW_OFF},
    [REVERSIBILITY_SNAPSHOT_MS] = {CHECK_REVERSIBILITY, SPAN_ROW("snapshot_max_age", DAY, 60000, 365 * DAY)},
    [REVERSIBILITY_ROLLBACK_MS] = {CHECK_REVERSIBILITY, SPAN_ROW("rollback_max_age", 30 * DAY, 60000, 365 * DAY)},
    [REVERSIBILITY_ON_BLOCK] = {CHECK_REVERSIBILITY, VERDICT_ROW("on_block", VERDICT_ESCALATE)},
    [MEMORY_MODE] = {CHECK_MEMORY, MODE_ROW_OFF},
    [MEMORY_MIN_FAILURES] = {CHECK_MEMORY, COUNT_ROW("min_failures", 2, 1, 10000)},
    [MEMORY_MAX_FAILED_PPM] = {CHECK_MEMORY, PERCENT_ROW("max_failed_pct", PPM(50), 0, PPM(100))},
    [MEMORY_ON_BLOCK] = {CHECK_MEMORY, VERDICT_ROW("on_block", VERDICT_ESCALATE)},
    [DRIFT_MODE] = {CHECK_DRIFT, MODE_ROW},
    [DRIFT_ON_BLOCK] = {CHECK_DRIFT, VERDICT_ROW("on_block", VERDICT_ESCALATE)},
    [PROVENANCE_MODE] = {CHECK_PROVENANCE, MODE_ROW},
    [PROVENANCE_ON_BLOCK] = {CHECK_PROVENANCE, VERDICT_ROW("on_block", VERDICT_ESCALATE)},
    [RULES_MODE] = {CHECK_RULES, MODE_ROW},
    [VALIDATORS_MODE] = {CHECK_VALIDATORS, MODE_ROW},
    [QUORUM_MODE] = {CHECK_QUORUM, MODE_ROW},
};

const char *check_name(enum check c)
{
    return check_str(c).ptr;
}

struct str check_str(enum check c)
{
    must((unsigned)c < CHECK_COUNT);
    return checks[c];
}

bool check_parse(struct str name, enum check *ret)
{
    for (unsigned i = 0; name.len > 0 && i < CHECK_COUNT; i++) {
        if (str_eq(name, checks[i])) {
            *ret = (enum check)i;
            return true;
        }
    }
    return false;
}

const char *check_mode_name(enum check_mode m)
{
    must((unsigned)m <= MODE_OFF);
    return modes[m];
}

struct thresholds thresholds_default(void)
{
    struct thresholds t;
    for (unsigned i = 0; i < THRESHOLD_COUNT; i++) {
        t.at[i] = table[i].field.otherwise;
    }
    return t;
}

static bool find_threshold(enum check c, struct str key, enum threshold *ret)
{
    for (unsigned i = 0; i < THRESHOLD_COUNT; i++) {
        if (table[i].check == c && str_eq(key, str_from(table[i].field.name))) {
            *ret = (enum threshold)i;
            return true;
        }
    }
    return false;
}

/* Who names a check wants it, unless it says otherwise. */
static void switch_on(enum check c, const struct value *v, struct threshold_change *out, uint32_t *count)
{
    enum threshold mode;
    if (find_threshold(c, STR("mode"), &mode) && table[mode].field.otherwise == MODE_OFF &&
        value_get(v, STR("mode")) == NULL) {
        must(*count < THRESHOLD_COUNT);
        out[(*count)++] = (struct threshold_change){mode, MODE_ENFORCE};
    }
}

static enum rc read_check(struct reader *r, enum check c, const struct value *v,
                          struct threshold_change *out, uint32_t *count)
{
    if (!value_is(v, VALUE_OBJECT)) {
        return reader_fail(r, v, "%s: expected an object of thresholds", check_name(c));
    }
    for (uint32_t i = 0; i < v->count; i++) {
        const struct member *m = &v->members[i];
        enum threshold t;
        if (!find_threshold(c, m->name, &t)) {
            return reader_fail(r, &m->value, "unknown threshold \"%.*s\" of check %s", STR_ARG(m->name),
                               check_name(c));
        }
        int64_t n;
        enum rc rc = read_number(r, &m->value, &table[t].field, &n);
        if (rc != RC_OK) {
            return reader_step(r, rc, table[t].field.name);
        }
        must(*count < THRESHOLD_COUNT);
        out[(*count)++] = (struct threshold_change){t, n};
    }
    switch_on(c, v, out, count);
    return RC_OK;
}

enum rc thresholds_read(struct reader *r, const struct value *v, struct threshold_changes *ret)
{
    *ret = (struct threshold_changes){NULL, 0};
    if (v == NULL) {
        return RC_OK;
    }
    if (!value_is(v, VALUE_OBJECT)) {
        return reader_fail(r, v, "checks: expected an object");
    }
    struct threshold_change *items = arena_array(r->arena, THRESHOLD_COUNT, sizeof *items);
    if (items == NULL) {
        return err_set(r->e, arena_rc(r->arena), "the configuration is too large");
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < v->count; i++) {
        const struct member *m = &v->members[i];
        enum check c;
        if (!check_parse(m->name, &c)) {
            return reader_fail(r, &m->value, "unknown check \"%.*s\"", STR_ARG(m->name));
        }
        if (check_is_mandatory(c)) {
            return reader_fail(r, &m->value, "check %s has no mode and no thresholds", check_name(c));
        }
        enum rc rc = read_check(r, c, &m->value, items, &count);
        if (rc != RC_OK) {
            return reader_step(r, rc, check_name(c));
        }
    }
    *ret = (struct threshold_changes){items, count};
    return RC_OK;
}

void thresholds_change(struct thresholds *t, struct threshold_changes changes)
{
    for (uint32_t i = 0; i < changes.count; i++) {
        t->at[changes.items[i].threshold] = changes.items[i].value;
    }
}

static void add_threshold(struct arena *a, struct value *of_check, enum threshold t, int64_t n)
{
    value_add(a, of_check, str_from(table[t].field.name), write_number(a, &table[t].field, n));
}

/* Left out while it is the default: a policy from before it has the hash that it had. */
static bool is_silent(enum threshold t, int64_t n)
{
    return t == TIER_ASSERTED_CAP && n == table[t].field.otherwise;
}

struct value thresholds_value(struct arena *a, const struct thresholds *t)
{
    struct value all = value_object();
    for (unsigned c = 0; c < CHECK_COUNT; c++) {
        struct value of_check = value_object();
        for (unsigned i = 0; i < THRESHOLD_COUNT; i++) {
            if (table[i].check == (enum check)c && !is_silent((enum threshold)i, t->at[i])) {
                add_threshold(a, &of_check, (enum threshold)i, t->at[i]);
            }
        }
        if (of_check.count > 0) {
            value_add(a, &all, checks[c], of_check);
        }
    }
    return all;
}

struct value threshold_changes_value(struct arena *a, struct threshold_changes changes)
{
    struct value all = value_object();
    for (unsigned c = 0; c < CHECK_COUNT; c++) {
        struct value of_check = value_object();
        for (uint32_t i = 0; i < changes.count; i++) {
            enum threshold t = changes.items[i].threshold;
            if (table[t].check == (enum check)c) {
                add_threshold(a, &of_check, t, changes.items[i].value);
            }
        }
        if (of_check.count > 0) {
            value_add(a, &all, checks[c], of_check);
        }
    }
    return all;
}

/* Where each check's mode stands; MANDATORY: it has none. */
#define MANDATORY THRESHOLD_COUNT
static const enum threshold mode_of[CHECK_COUNT] = {
    [CHECK_IDENTITY] = MANDATORY,
    [CHECK_STOP] = MANDATORY,
    [CHECK_BREAKER] = BREAKER_MODE,
    [CHECK_CATALOGUE] = MANDATORY,
    [CHECK_REQUEST] = MANDATORY,
    [CHECK_LINEAGE] = LINEAGE_MODE,
    [CHECK_TIER] = TIER_MODE,
    [CHECK_READINESS] = READINESS_MODE,
    [CHECK_GRANT] = GRANT_MODE,
    [CHECK_ZONE] = ZONE_MODE,
    [CHECK_FREEZE] = FREEZE_MODE,
    [CHECK_ERROR_BUDGET] = BUDGET_MODE,
    [CHECK_AQDD] = AQDD_MODE,
    [CHECK_HER_TREND] = HER_MODE,
    [CHECK_UPSTREAM] = UPSTREAM_MODE,
    [CHECK_ON_CALL] = ON_CALL_MODE,
    [CHECK_BLAST_RADIUS] = BLAST_MODE,
    [CHECK_RATE] = RATE_MODE,
    [CHECK_SURFACES] = SURFACES_MODE,
    [CHECK_SCHEMA_DRIFT] = SCHEMA_MODE,
    [CHECK_REVERSIBILITY] = REVERSIBILITY_MODE,
    [CHECK_MEMORY] = MEMORY_MODE,
    [CHECK_DRIFT] = DRIFT_MODE,
    [CHECK_PROVENANCE] = PROVENANCE_MODE,
    [CHECK_RULES] = RULES_MODE,
    [CHECK_VALIDATORS] = VALIDATORS_MODE,
    [CHECK_QUORUM] = QUORUM_MODE,
};

bool check_is_mandatory(enum check c)
{
    must((unsigned)c < CHECK_COUNT);
    return mode_of[c] == MANDATORY;
}

enum check_mode thresholds_mode(const struct thresholds *t, enum check c)
{
    return check_is_mandatory(c) ? MODE_ENFORCE : (enum check_mode)t->at[mode_of[c]];
}
