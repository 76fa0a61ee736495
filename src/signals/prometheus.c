#include "signals/prometheus.h"

#include "base/must.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * One measurement of one service: a ratio, or good and total, and then the time of the newest sample when
 * the SLO names a query for it. Prometheus answers with the time of the evaluation, not of the samples,
 * and looks back five minutes: only that query shows an exporter that died a minute ago.
 */
enum query { QUERY_RATIO = 0, QUERY_GOOD, QUERY_TOTAL, QUERY_TIMESTAMP, QUERY_COUNT };

struct measurement {
    struct prometheus *owner;
    uint32_t service;
    uint64_t version; /* of the service's definition when it was begun */
    struct http_client_call *call;
    enum query at;
    double values[QUERY_COUNT];
    bool active;
};

struct prometheus {
    struct prometheus_options options;
    char *url;
    char *authorization; /* "Authorization: Bearer ...", or null */
    struct http_client *client;
    struct loop_timer *timer;
    struct measurement slots[PROMETHEUS_CALLS_MAX];
    uint32_t next_service; /* to be begun in this round */
    bool round;     /* under way */
    bool beginning; /* begin_more is at work: what fails at once must not enter it again */
};

static void begin_more(struct prometheus *p);

/* --- what came out ------------------------------------------------------------------------------------------- */

static struct budget_signal *signal_of(struct measurement *m)
{
    return signals_budget(control_signals(m->owner->options.control), m->service);
}

static void put_reason(struct budget_signal *s, const char *text)
{
    snprintf(s->reason, sizeof s->reason, "%s", text);
    /* It is shown and recorded: what is not plain text is replaced. */
    for (char *c = s->reason; *c != '\0'; c++) {
        if ((unsigned char)*c < ' ' || (unsigned char)*c > '~') {
            *c = '?';
        }
    }
}

static void say_change(struct measurement *m, enum signal_state before, const struct budget_signal *s)
{
    if (before == s->state) {
        return;
    }
    const struct world *w = control_world(m->owner->options.control);
    log_line(m->owner->options.log, s->state == SIGNAL_UNKNOWN ? LOG_LEVEL_WARN : LOG_LEVEL_INFO,
             "error budget signal", log_str("service", str_from(world_service_at(w, m->service)->name)),
             log_str("state", str_from(signal_state_name(s->state))),
             log_str("reason", str_from(s->reason)));
}

static void measured(struct measurement *m, enum signal_state state, int64_t ppm, const char *reason)
{
    struct budget_signal *s = signal_of(m);
    if (s == NULL) {
        return; /* no memory for the slot: it stays unknown */
    }
    enum signal_state before = s->state;
    s->state = state;
    s->remaining_ppm = ppm;
    s->at_ms = control_now(m->owner->options.control);
    put_reason(s, reason);
    say_change(m, before, s);
}

static void end(struct measurement *m)
{
    m->active = false;
    m->call = NULL;
    begin_more(m->owner);
}

static void failed(struct measurement *m, const char *why)
{
    measured(m, SIGNAL_UNKNOWN, 0, why);
    end(m);
}

/* The definition may have changed while we asked; then the answer is to another question. */
static const struct slo *slo_of(const struct measurement *m)
{
    const struct world_service *s =
        world_service_at(control_world(m->owner->options.control), m->service);
    bool same = s->def != NULL && s->def->has_slo && s->version == m->version;
    return same && s->def->slo.source != SLO_EVENTS ? &s->def->slo : NULL;
}

static bool is_fresh(const struct measurement *m, int64_t at_ms)
{
    int64_t age = control_now(m->owner->options.control) - at_ms;
    int64_t most = m->owner->options.sample_age_ms;
    return age <= most && age >= -most;
}

static void judge(struct measurement *m, const struct slo *slo)
{
    int64_t ppm;
    struct err e;
    enum rc rc;
    bool ratio = slo->source == SLO_PROMETHEUS_RATIO;
    if (slo->timestamp.len > 0 && !is_fresh(m, (int64_t)(m->values[QUERY_TIMESTAMP] * 1000.0))) {
        failed(m, "the newest sample is too old");
        return;
    }
    if (!ratio && m->values[QUERY_TOTAL] == 0) {
        measured(m, SIGNAL_NO_TRAFFIC, PPM_ONE, "");
        end(m);
        return;
    }
    rc = ratio ? budget_from_ratio(slo->objective_ppm, m->values[QUERY_RATIO], &ppm, &e)
               : budget_from_counts(slo->objective_ppm, m->values[QUERY_GOOD], m->values[QUERY_TOTAL], &ppm, &e);
    if (rc != RC_OK) {
        failed(m, e.text);
        return;
    }
    measured(m, SIGNAL_KNOWN, ppm, "");
    end(m);
}

/* --- asking ---------------------------------------------------------------------------------------------------- */

static void url_escape(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (isalnum(c) || c == '-' || c == '_' || c == '.' || c == '~') {
            buf_char(out, (char)c);
        } else {
            buf_printf(out, "%%%02X", c);
        }
    }
}

static void on_reply(void *context, const struct http_reply *reply, const struct err *e);

static void ask(struct measurement *m, struct str query)
{
    struct prometheus *p = m->owner;
    struct buf body;
    buf_init(&body, 1 << 20);
    buf_str(&body, STR("query="));
    url_escape(&body, query);
    char url[2048];
    int len = snprintf(url, sizeof url, "%s/api/v1/query", p->url);
    struct http_call call = {.method = "POST",
                             .url = url,
                             .headers = {"Content-Type: application/x-www-form-urlencoded", p->authorization},
                             .body = buf_view(&body),
                             .timeout_ms = p->options.timeout_ms,
                             .reply_max = PROMETHEUS_REPLY_MAX};
    struct err e = {0};
    enum rc rc = body.rc != RC_OK || len < 0 || (size_t)len >= sizeof url
                     ? err_set(&e, RC_LIMIT, "the query is too long")
                     : http_client_start(p->client, &call, on_reply, m, &m->call, &e);
    buf_done(&body);
    if (rc != RC_OK) {
        failed(m, e.text);
    }
}

/* The query that follows `at`; QUERY_COUNT when all were asked. */
static enum query after(const struct slo *slo, enum query at)
{
    if (at == QUERY_GOOD) {
        return QUERY_TOTAL;
    }
    return at != QUERY_TIMESTAMP && slo->timestamp.len > 0 ? QUERY_TIMESTAMP : QUERY_COUNT;
}

static void ask_now(struct measurement *m, const struct slo *slo)
{
    const struct str queries[QUERY_COUNT] = {[QUERY_RATIO] = slo->ratio,
                                             [QUERY_GOOD] = slo->good,
                                             [QUERY_TOTAL] = slo->total,
                                             [QUERY_TIMESTAMP] = slo->timestamp};
    ask(m, queries[m->at]);
}

static void on_reply(void *context, const struct http_reply *reply, const struct err *e)
{
    struct measurement *m = context;
    m->call = NULL;
    const struct slo *slo = slo_of(m);
    if (slo == NULL) {
        end(m);
        return;
    }
    if (reply == NULL) {
        failed(m, e->text);
        return;
    }
    CLEANUP(arena) struct arena *a = arena_new(PROMETHEUS_REPLY_MAX * 8);
    struct err why;
    int64_t at_ms;
    if (a == NULL || prometheus_read_reply(a, reply->status, reply->body, &m->values[m->at], &at_ms, &why) != RC_OK) {
        failed(m, a == NULL ? "out of memory" : why.text);
        return;
    }
    if (!is_fresh(m, at_ms)) {
        failed(m, "the sample is too old");
        return;
    }
    enum query next = after(slo, m->at);
    if (next == QUERY_COUNT) {
        judge(m, slo);
        return;
    }
    m->at = next;
    ask_now(m, slo);
}

/* --- rounds ------------------------------------------------------------------------------------------------------ */

static bool is_polled(const struct world_service *s)
{
    return s->def != NULL && s->def->has_slo && s->def->slo.source != SLO_EVENTS;
}

static struct measurement *free_slot(struct prometheus *p)
{
    for (size_t i = 0; i < PROMETHEUS_CALLS_MAX; i++) {
        if (!p->slots[i].active) {
            return &p->slots[i];
        }
    }
    return NULL;
}

static bool all_ended(const struct prometheus *p)
{
    for (size_t i = 0; i < PROMETHEUS_CALLS_MAX; i++) {
        if (p->slots[i].active) {
            return false;
        }
    }
    return true;
}

static void begin_more(struct prometheus *p)
{
    const struct world *w = control_world(p->options.control);
    struct measurement *m;
    if (p->beginning) {
        return;
    }
    p->beginning = true;
    while (p->round && p->next_service < world_service_count(w) && (m = free_slot(p)) != NULL) {
        uint32_t service = p->next_service++;
        const struct world_service *s = world_service_at(w, service);
        if (!is_polled(s)) {
            continue;
        }
        bool ratio = s->def->slo.source == SLO_PROMETHEUS_RATIO;
        *m = (struct measurement){.owner = p,
                                  .service = service,
                                  .version = s->version,
                                  .at = ratio ? QUERY_RATIO : QUERY_GOOD,
                                  .active = true};
        ask_now(m, &s->def->slo);
    }
    p->beginning = false;
    if (p->round && p->next_service >= world_service_count(w) && all_ended(p)) {
        p->round = false;
        loop_timer_set(p->timer, p->options.interval_ms);
    }
}

static void begin_round(void *context)
{
    struct prometheus *p = context;
    p->round = true;
    p->next_service = 0;
    begin_more(p);
}

/* --- lifetime ------------------------------------------------------------------------------------------------------ */

static char *copy_text(const char *before, const char *text)
{
    size_t size = strlen(before) + strlen(text) + 1;
    char *copy = malloc(size);
    if (copy != NULL) {
        snprintf(copy, size, "%s%s", before, text);
    }
    return copy;
}

enum rc prometheus_start(const struct prometheus_options *options, struct prometheus **ret, struct err *e)
{
    struct prometheus *p = calloc(1, sizeof *p);
    if (p == NULL) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    p->options = *options;
    p->options.interval_ms = options->interval_ms > 0 ? options->interval_ms : PROMETHEUS_INTERVAL_MS;
    p->options.timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : PROMETHEUS_TIMEOUT_MS;
    p->options.sample_age_ms =
        options->sample_age_ms > 0 ? options->sample_age_ms : PROMETHEUS_SAMPLE_AGE_MS;
    p->url = copy_text("", options->url);
    p->authorization =
        options->bearer_token == NULL ? NULL : copy_text("Authorization: Bearer ", options->bearer_token);
    if (p->url == NULL || (options->bearer_token != NULL && p->authorization == NULL)) {
        prometheus_stop(p);
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    while (str_ends(str_from(p->url), STR("/"))) {
        p->url[strlen(p->url) - 1] = '\0';
    }
    enum rc rc = http_client_new(options->loop, &p->client, e);
    rc = rc == RC_OK ? loop_timer_new(options->loop, begin_round, p, &p->timer, e) : rc;
    if (rc != RC_OK) {
        prometheus_stop(p);
        return rc;
    }
    loop_timer_set(p->timer, 0);
    *ret = p;
    return RC_OK;
}

void prometheus_stop(struct prometheus *p)
{
    if (p == NULL) {
        return;
    }
    http_client_free(p->client);
    loop_timer_free(p->timer);
    free(p->url);
    free(p->authorization);
    free(p);
}
