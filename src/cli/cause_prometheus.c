#include "cli/cause_prometheus.h"

#include "client/client.h"
#include "sys/file.h"
#include "value/yaml.h"

#include <stdio.h>
#include <string.h>

enum { QUERIES_FILE_MAX = 1 << 20, CSV_MAX = 256 << 20, ROWS = (PROMETHEUS_BEFORE_S + PROMETHEUS_AFTER_S) / PROMETHEUS_STEP_S + 1 };

struct asking {
    const struct prometheus_ask *ask;
    struct client client;
    struct arena *arena; /* of one query */
    int64_t start_s;
    struct err *e;
};

/* --- one answer as CSV --------------------------------------------------------------------------------------- */

static void put_cell(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"') {
            buf_char(out, '"');
        }
        buf_char(out, text.ptr[i]);
    }
}

/* False: the series names no node. */
static bool put_head(const struct asking *k, struct buf *out, const struct value *series, struct str metric)
{
    const struct value *labels = value_get(series, STR("metric"));
    struct str label = str_from(k->ask->label == NULL ? "service" : k->ask->label);
    struct str node = value_text(value_get(labels, label));
    struct str to = value_text(value_get(labels, arena_printf(k->arena, "%.*s_to", STR_ARG(label))));
    if (node.len == 0) {
        return false;
    }
    buf_str(out, STR(",\""));
    put_cell(out, node);
    if (to.len > 0) {
        buf_char(out, '>');
        put_cell(out, to);
    }
    buf_char(out, '|');
    put_cell(out, metric);
    buf_char(out, '"');
    return true;
}

/* The samples of a series at their rows; a text each, empty where there is none. */
static enum rc place(const struct asking *k, const struct value *series, struct str rows[ROWS])
{
    const struct value *values = value_get(series, STR("values"));
    for (uint32_t i = 0; value_item(values, i) != NULL; i++) {
        double at;
        if (!value_number(value_item(value_item(values, i), 0), &at)) {
            return err_set(k->e, RC_INVALID, "the answer of Prometheus has a sample without a time");
        }
        int64_t row = ((int64_t)at - k->start_s) / PROMETHEUS_STEP_S;
        struct str text = value_text(value_item(value_item(values, i), 1));
        double number;
        if (row >= 0 && row < ROWS && str_to_double(text, &number)) {
            rows[row] = text;
        }
    }
    return RC_OK;
}

static enum rc write_csv(const struct asking *k, const struct value *result, struct str metric, struct buf *out)
{
    uint32_t count = value_is(result, VALUE_ARRAY) ? result->count : 0;
    if (count > PROMETHEUS_SERIES_MAX) {
        return err_set(k->e, RC_LIMIT, "more than %d series of one query", PROMETHEUS_SERIES_MAX);
    }
    struct str(*cells)[ROWS] = arena_array(k->arena, count + 1U, sizeof *cells);
    uint32_t columns = 0;
    if (cells == NULL) {
        return err_set(k->e, arena_rc(k->arena), "the answer of Prometheus is too large");
    }
    enum rc rc = RC_OK;
    buf_str(out, STR("ts"));
    for (uint32_t i = 0; i < count && rc == RC_OK; i++) {
        if (put_head(k, out, &result->items[i], metric)) {
            rc = place(k, &result->items[i], cells[columns++]);
        }
    }
    buf_char(out, '\n');
    for (int row = 0; row < ROWS && rc == RC_OK; row++) {
        buf_i64(out, k->start_s + (int64_t)row * PROMETHEUS_STEP_S);
        for (uint32_t c = 0; c < columns; c++) {
            buf_char(out, ',');
            buf_str(out, cells[c][row]);
        }
        buf_char(out, '\n');
    }
    return rc == RC_OK && out->rc != RC_OK ? err_set(k->e, out->rc, "the answer of Prometheus is too large") : rc;
}

/* --- asking ----------------------------------------------------------------------------------------------------- */

static enum rc ask_one(struct asking *k, struct str metric, struct str query, struct buf *out)
{
    struct buf path;
    struct answer answer;
    char number[32];
    buf_init(&path, 65536);
    buf_str(&path, STR("/api/v1/query_range"));
    client_query(&path, "query", arena_str(k->arena, query).ptr);
    snprintf(number, sizeof number, "%lld", (long long)k->start_s);
    client_query(&path, "start", number);
    snprintf(number, sizeof number, "%lld", (long long)(k->start_s + (ROWS - 1) * PROMETHEUS_STEP_S));
    client_query(&path, "end", number);
    snprintf(number, sizeof number, "%d", PROMETHEUS_STEP_S);
    client_query(&path, "step", number);
    buf_char(&path, '\0');
    enum rc rc = path.rc == RC_OK ? client_get(&k->client, k->arena, path.data, &answer, k->e)
                                  : err_set(k->e, RC_INVALID, "the query is too long");
    buf_done(&path);
    if (rc == RC_OK && !str_eq(value_text(value_get(&answer.body, STR("status"))), STR("success"))) {
        rc = err_set(k->e, RC_INVALID, "%s does not answer as a Prometheus does", k->ask->url);
    }
    rc = rc == RC_OK ? write_csv(k, value_path(&answer.body, "data", "result", NULL), metric, out) : rc;
    return rc == RC_OK ? RC_OK : err_wrap(k->e, rc, "query %.*s", STR_ARG(str_slice(metric, 0, 64)));
}

static enum rc read_queries(const struct asking *k, struct arena *a, struct value *ret)
{
    struct buf text;
    buf_init(&text, QUERIES_FILE_MAX);
    enum rc rc = file_read(k->ask->queries, &text, k->e);
    struct str kept = arena_str(a, buf_view(&text));
    rc = rc == RC_OK ? yaml_parse(a, str_from(k->ask->queries), kept, ret, k->e) : rc;
    buf_done(&text);
    if (rc == RC_OK && (!value_is(ret, VALUE_OBJECT) || ret->count == 0 || ret->count > PROMETHEUS_QUERIES_MAX)) {
        rc = err_at(k->e, RC_INVALID, str_from(k->ask->queries), "expected 1 to %d lines of `metric: PromQL`", PROMETHEUS_QUERIES_MAX);
    }
    for (uint32_t i = 0; rc == RC_OK && i < ret->count; i++) {
        if (value_text(&ret->members[i].value).len == 0) {
            rc = err_at(k->e, RC_INVALID, str_from(k->ask->queries), "%.*s: expected PromQL", STR_ARG(ret->members[i].name));
        }
    }
    return rc;
}

static enum rc ask_all(struct asking *k, const struct value *queries, prometheus_csv_fn fn, void *context)
{
    enum rc rc = RC_OK;
    for (uint32_t i = 0; rc == RC_OK && i < queries->count; i++) {
        struct buf csv;
        char name[128];
        buf_init(&csv, CSV_MAX);
        snprintf(name, sizeof name, "query %.*s", STR_ARG(str_slice(queries->members[i].name, 0, 64)));
        rc = ask_one(k, queries->members[i].name, value_text(&queries->members[i].value), &csv);
        rc = rc == RC_OK ? fn(context, name, buf_view(&csv), k->e) : rc;
        buf_done(&csv);
        arena_reset(k->arena);
    }
    return rc;
}

enum rc prometheus_ranges(const struct prometheus_ask *ask, prometheus_csv_fn fn, void *context, struct err *e)
{
    const struct client_options options = {ask->url, ask->token_file};
    int64_t at_s = ask->at_ms / 1000 / PROMETHEUS_STEP_S * PROMETHEUS_STEP_S;
    struct asking k = {.ask = ask, .start_s = at_s - PROMETHEUS_BEFORE_S, .e = e};
    CLEANUP(arena) struct arena *kept = arena_new(QUERIES_FILE_MAX * 16);
    CLEANUP(arena) struct arena *each = arena_new(CLIENT_ARENA_MAX);
    struct value queries;
    if (kept == NULL || each == NULL) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    k.arena = each;
    enum rc rc = client_init(&options, &k.client, e);
    if (rc == RC_OK && ask->token_file == NULL) {
        /* Our own credential is for our own server only. */
        memset(k.client.authorization, 0, sizeof k.client.authorization);
    }
    rc = rc == RC_OK ? read_queries(&k, kept, &queries) : rc;
    rc = rc == RC_OK ? ask_all(&k, &queries, fn, context) : rc;
    client_done(&k.client);
    return rc;
}
