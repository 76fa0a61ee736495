#include "server/openslo.h"

#include "base/instant.h"
#include "policy/reader.h"
#include "value/yaml.h"

#include <string.h>

struct merge {
    struct arena *arena;
    struct str file;
    struct value *policy;
    struct value slis; /* objects {name, spec} seen so far */
    struct reader reader;
    struct err *e;
};

static struct str path_text(const struct value *v, const char *first, const char *second)
{
    return value_text(value_get(value_get(v, str_from(first)), str_from(second)));
}

static enum rc fail(struct merge *m, const struct value *at, const char *what)
{
    return reader_fail(&m->reader, at, "OpenSLO: %s", what);
}

/* The Prometheus query of one metric (good, bad, total, raw). */
static enum rc query_of(struct merge *m, const struct value *metric, struct str *ret)
{
    const struct value *source = value_get(metric, STR("metricSource"));
    struct str type = value_text(value_get(source, STR("type")));
    if (!str_eq(type, STR("Prometheus")) && !str_eq(type, STR("prometheus"))) {
        return fail(m, metric, "metricSource.type: expected Prometheus");
    }
    *ret = path_text(source, "spec", "query");
    return ret->len > 0 ? RC_OK : fail(m, metric, "metricSource.spec.query is missing");
}

static enum rc raw_queries(struct merge *m, const struct value *ratio, struct value *queries)
{
    struct str query = STR("");
    enum rc rc = query_of(m, value_get(ratio, STR("raw")), &query);
    if (rc != RC_OK) {
        return rc;
    }
    struct str type = value_text(value_get(ratio, STR("rawType")));
    if (str_eq(type, STR("failure"))) {
        query = arena_printf(m->arena, "1 - (%.*s)", STR_ARG(query));
    } else if (!str_eq(type, STR("success"))) {
        return fail(m, ratio, "rawType: expected success or failure");
    }
    value_add_str(m->arena, queries, STR("ratio"), query);
    return RC_OK;
}

static enum rc read_queries(struct merge *m, const struct value *indicator, struct value *queries)
{
    const struct value *spec = value_get(indicator, STR("spec"));
    const struct value *ratio = value_get(spec, STR("ratioMetric"));
    if (ratio == NULL) {
        return fail(m, indicator, "the indicator has no ratioMetric (thresholdMetric is not supported)");
    }
    if (value_get(ratio, STR("raw")) != NULL) {
        return raw_queries(m, ratio, queries);
    }
    const struct value *good = value_get(ratio, STR("good"));
    struct str of_good = STR("");
    struct str of_total = STR("");
    enum rc rc = query_of(m, value_get(ratio, STR("total")), &of_total);
    rc = rc == RC_OK ? query_of(m, good != NULL ? good : value_get(ratio, STR("bad")), &of_good) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    if (good == NULL) {
        of_good = arena_printf(m->arena, "(%.*s) - (%.*s)", STR_ARG(of_total), STR_ARG(of_good));
    }
    value_add_str(m->arena, queries, STR("good"), of_good);
    value_add_str(m->arena, queries, STR("total"), of_total);
    return RC_OK;
}

static const struct value *find_sli(const struct merge *m, struct str name)
{
    for (uint32_t i = 0; i < m->slis.count; i++) {
        if (str_eq(path_text(&m->slis.items[i], "metadata", "name"), name)) {
            return &m->slis.items[i];
        }
    }
    return NULL;
}

static enum rc read_objective(struct merge *m, const struct value *spec, struct value *slo)
{
    const struct value *list = value_get(spec, STR("objectives"));
    double target;
    if (!value_is(list, VALUE_ARRAY) || list->count != 1) {
        return fail(m, spec, "objectives: expected exactly one");
    }
    const struct value *percent = value_get(&list->items[0], STR("targetPercent"));
    if (value_number(percent, &target)) {
        value_add(m->arena, slo, STR("objective"), value_double(target));
        return RC_OK;
    }
    if (!value_number(value_get(&list->items[0], STR("target")), &target)) {
        return fail(m, list, "objectives: expected target or targetPercent");
    }
    value_add(m->arena, slo, STR("objective"), value_double(target * 100.0));
    return RC_OK;
}

static enum rc read_window(struct merge *m, const struct value *spec, struct value *slo)
{
    const struct value *list = value_get(spec, STR("timeWindow"));
    if (!value_is(list, VALUE_ARRAY) || list->count != 1) {
        return fail(m, spec, "timeWindow: expected exactly one");
    }
    int64_t ms;
    struct str duration = value_text(value_get(&list->items[0], STR("duration")));
    bool rolling = value_bool_or(value_get(&list->items[0], STR("isRolling")), false);
    if (!rolling || !span_parse(duration, &ms)) {
        return fail(m, list, "timeWindow: expected a rolling window such as 30d");
    }
    value_add_str(m->arena, slo, STR("window"), duration);
    return RC_OK;
}

/* The policy's services list, made when it is not there. */
static struct value *services_of(struct merge *m)
{
    for (uint32_t i = 0; i < m->policy->count; i++) {
        if (str_eq(m->policy->members[i].name, STR("services"))) {
            return &m->policy->members[i].value;
        }
    }
    value_add(m->arena, m->policy, STR("services"), value_array());
    return m->policy->count > 0 ? &m->policy->members[m->policy->count - 1].value : NULL;
}

static enum rc give_to_service(struct merge *m, const struct value *doc, struct str name, struct value slo)
{
    struct value *services = services_of(m);
    if (services == NULL || services->type != VALUE_ARRAY) {
        return fail(m, doc, "policy.services is not a list");
    }
    for (uint32_t i = 0; i < services->count; i++) {
        if (!str_eq(value_text(value_get(&services->items[i], STR("name"))), name)) {
            continue;
        }
        if (value_get(&services->items[i], STR("slo")) != NULL) {
            return fail(m, doc, "the service has an SLO already");
        }
        value_add(m->arena, &services->items[i], STR("slo"), slo);
        return RC_OK;
    }
    struct value service = value_object();
    value_add_str(m->arena, &service, STR("name"), name);
    value_add(m->arena, &service, STR("slo"), slo);
    value_push(m->arena, services, service);
    return RC_OK;
}

static enum rc take_slo(struct merge *m, const struct value *doc)
{
    const struct value *spec = value_get(doc, STR("spec"));
    struct str method = value_text(value_get(spec, STR("budgetingMethod")));
    if (method.len > 0 && !str_eq(method, STR("Occurrences"))) {
        return fail(m, spec, "budgetingMethod: expected Occurrences");
    }
    const struct value *indicator = value_get(spec, STR("indicator"));
    struct str ref = value_text(value_get(spec, STR("indicatorRef")));
    indicator = indicator != NULL ? indicator : find_sli(m, ref);
    if (indicator == NULL) {
        return fail(m, doc, "the indicator is missing, or its SLI stands behind it");
    }
    struct value slo = value_object();
    struct value queries = value_object();
    enum rc rc = read_objective(m, spec, &slo);
    rc = rc == RC_OK ? read_window(m, spec, &slo) : rc;
    rc = rc == RC_OK ? read_queries(m, indicator, &queries) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    value_add(m->arena, &slo, STR("prometheus"), queries);
    return give_to_service(m, doc, value_text(value_get(spec, STR("service"))), slo);
}

static enum rc take_document(struct merge *m, struct str text)
{
    struct value doc;
    enum rc rc = yaml_parse(m->arena, m->file, text, &doc, m->e);
    if (rc != RC_OK || doc.count == 0) {
        return rc;
    }
    struct str kind = value_text(value_get(&doc, STR("kind")));
    if (!str_eq(value_text(value_get(&doc, STR("apiVersion"))), STR("openslo/v1"))) {
        return fail(m, &doc, "expected apiVersion openslo/v1");
    }
    if (str_eq(kind, STR("SLI"))) {
        value_push(m->arena, &m->slis, doc);
        return RC_OK;
    }
    if (str_eq(kind, STR("SLO"))) {
        return take_slo(m, &doc);
    }
    /* Describes, and measures nothing. */
    bool harmless = str_eq(kind, STR("Service")) || str_eq(kind, STR("DataSource")) ||
                    str_starts(kind, STR("Alert"));
    return harmless ? RC_OK : fail(m, &doc, "unknown kind");
}

/* The next document, with as many empty lines before it as there were lines: positions stay right. */
static bool next_document(struct merge *m, struct str *rest, unsigned *line, struct str *ret)
{
    if (rest->ptr == NULL) {
        return false;
    }
    struct buf doc;
    buf_init(&doc, YAML_TEXT_MAX);
    for (unsigned i = 0; i < *line; i++) {
        buf_char(&doc, '\n');
    }
    struct str one;
    while (str_next(rest, '\n', &one)) {
        (*line)++;
        if (str_eq(str_trim(one), STR("---"))) {
            break;
        }
        buf_str(&doc, one);
        buf_char(&doc, '\n');
    }
    *ret = arena_str(m->arena, buf_view(&doc));
    buf_done(&doc);
    return true;
}

enum rc openslo_merge(struct arena *a, struct str file, struct str text, struct value *policy,
                      struct err *e)
{
    struct merge m = {a, file, policy, value_array(), {a, file, e}, e};
    struct str doc;
    unsigned line = 0;
    enum rc rc = RC_OK;
    while (rc == RC_OK && next_document(&m, &text, &line, &doc)) {
        rc = take_document(&m, doc);
    }
    return rc;
}
