/*
 * cli/cause_prometheus - range queries of a Prometheus as the metrics file that `pawl cause` reads.
 *
 * The file of queries maps the name of a metric to PromQL, YAML or JSON: {latency_p95: "histogram_quantile(0.95, sum by
 * (service, le) (rate(request_seconds_bucket[1m])))"}. Each series' node is its label `label`; a series that has also
 * `label`_to is of the edge between the two. What a metric measures is told by its name (evidence/metric.h).
 */
#ifndef CLI_CAUSE_PROMETHEUS_H
#define CLI_CAUSE_PROMETHEUS_H

#include "base/buf.h"
#include "value/value.h"

#include <stdint.h>

enum {
    PROMETHEUS_QUERIES_MAX = 32,
    PROMETHEUS_SERIES_MAX = 4096, /* of one query */
    PROMETHEUS_STEP_S = 60,
    PROMETHEUS_BEFORE_S = 6 * 3600, /* before the incident was noticed */
    PROMETHEUS_AFTER_S = 600,
};

struct prometheus_ask {
    const char *url;
    const char *token_file; /* null: no credential is sent */
    const char *queries;    /* file */
    const char *label;      /* null: "service" */
    int64_t at_ms;
};

/* Called with the CSV of each query. */
typedef enum rc (*prometheus_csv_fn)(void *context, const char *name, struct str csv, struct err *e);
/* Errors: RC_INVALID (the file, an answer that is none), RC_UNAVAILABLE, RC_LIMIT. */
NODISCARD enum rc prometheus_ranges(const struct prometheus_ask *ask, prometheus_csv_fn fn, void *context, struct err *e);

#endif
