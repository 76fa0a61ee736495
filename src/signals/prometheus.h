/*
 * signals/prometheus - error budgets measured by queries to a Prometheus, off the decision path.
 *
 * Every interval each service with a Prometheus SLO is queried; the answer goes into control's signals
 * with its time. Whatever is not a fresh number is unknown: no answer, an HTTP or query error, an empty
 * vector, several series, NaN, infinities, a sample older than max_sample_age. A total of zero with a
 * fresh scrape is "no traffic". A decision never waits for Prometheus.
 * Source: Prometheus HTTP API v1; reference metrics "error budget remaining".
 */
#ifndef SIGNALS_PROMETHEUS_H
#define SIGNALS_PROMETHEUS_H

#include "control/control.h"
#include "net/http_client.h"
#include "net/loop.h"
#include "sys/log.h"

enum {
    PROMETHEUS_INTERVAL_MS = 15000,
    PROMETHEUS_TIMEOUT_MS = 5000,
    PROMETHEUS_SAMPLE_AGE_MS = 60000, /* older samples count as stale */
    PROMETHEUS_CALLS_MAX = 16,        /* queries under way at once; the others wait their turn */
    PROMETHEUS_REPLY_MAX = 1 << 20,
};

struct prometheus_options {
    struct control *control;
    struct loop *loop;
    const struct log *log;
    const char *url;          /* base, such as http://127.0.0.1:9090; copied */
    const char *bearer_token; /* or null; copied */
    int64_t interval_ms;      /* 0: the defaults above */
    int64_t timeout_ms;
    int64_t sample_age_ms;
};

struct prometheus;

NODISCARD enum rc prometheus_start(const struct prometheus_options *options, struct prometheus **ret,
                                   struct err *e);
void prometheus_stop(struct prometheus *p);

/*
 * One reply to one instant query, judged. Pure.
 * ret_value: the number; ret_at_ms: the sample's time. RC_UNAVAILABLE with the reason when there is no one
 * finite number in it.
 */
NODISCARD enum rc prometheus_read_reply(struct arena *a, unsigned status, struct str body,
                                        double *ret_value, int64_t *ret_at_ms, struct err *e);

#endif
