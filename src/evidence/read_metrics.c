/*
 * evidence/read_metrics - series of samples: one row for an instant, one column for a series.
 */
#include "base/instant.h"
#include "evidence/csv.h"
#include "evidence/read.h"

#include <math.h>
#include <stdlib.h>

bool read_instant(struct str text, int64_t *ret_ms)
{
    double seconds;
    if (str_to_double(text, &seconds) && fabs(seconds) < 1e12) {
        *ret_ms = (int64_t)(seconds * 1000.0);
        return true;
    }
    return instant_parse(text, ret_ms);
}

/* A file while it is read. */
struct metrics_file {
    struct evidence *ev;
    struct csv csv;
    const struct incident_span *span;
    uint32_t *series;  /* by column; MAP_NONE: none */
    int64_t *at_ms;    /* by row */
    uint32_t rows;
    uint32_t time_column;
    bool offsets;
    int64_t step_ms;
};

/* "node|metric" or "a>b|metric"; other columns are no series. */
static uint32_t series_of(struct evidence *ev, struct str head)
{
    size_t bar = head.len;
    while (bar > 0 && head.ptr[bar - 1] != '|') {
        bar--;
    }
    if (bar < 2 || bar == head.len) {
        return MAP_NONE;
    }
    struct str node = str_slice(head, 0, bar - 1);
    struct str metric = str_slice(head, bar, head.len);
    size_t arrow = str_find(node, '>');
    if (arrow > 0 && arrow + 1 < node.len) {
        uint32_t from = evidence_node(ev, str_slice(node, 0, arrow));
        uint32_t to = evidence_node(ev, str_slice(node, arrow + 1, node.len));
        return to == MAP_NONE ? MAP_NONE : evidence_series(ev, from, to, metric);
    }
    uint32_t n = evidence_node(ev, node);
    return n == MAP_NONE ? MAP_NONE : evidence_series(ev, n, MAP_NONE, metric);
}

static enum rc open_metrics(struct metrics_file *m, const char *file, struct str text, struct err *e)
{
    enum rc rc = csv_open(m->ev->arena, file, text, &m->csv, e);
    if (rc != RC_OK) {
        return rc;
    }
    m->time_column = csv_column(&m->csv, "offset_min");
    m->offsets = m->time_column < m->csv.columns;
    if (!m->offsets) {
        rc = csv_need(&m->csv, "ts", &m->time_column, e);
    }
    m->series = arena_array(m->ev->arena, m->csv.columns, sizeof *m->series);
    size_t lines = 1;
    for (size_t i = 0; i < text.len; i++) {
        lines += text.ptr[i] == '\n';
    }
    m->at_ms = arena_array(m->ev->arena, lines, sizeof *m->at_ms);
    if (rc != RC_OK) {
        return rc;
    }
    if (m->series == NULL || m->at_ms == NULL) {
        return err_set(e, arena_rc(m->ev->arena), "the evidence takes too much memory");
    }
    for (uint32_t i = 0; i < m->csv.columns; i++) {
        m->series[i] = i == m->time_column ? MAP_NONE : series_of(m->ev, m->csv.head[i]);
    }
    return rc;
}

static enum rc row_time(const struct metrics_file *m, int64_t *ret, struct err *e)
{
    struct str cell = m->csv.cells[m->time_column];
    double minutes;
    if (!m->offsets) {
        return read_instant(cell, ret) ? RC_OK : csv_wrong(&m->csv, m->time_column, "seconds since 1970 or an RFC 3339 time", e);
    }
    if (!str_to_double(cell, &minutes) || fabs(minutes) > 1e9) {
        return csv_wrong(&m->csv, m->time_column, "minutes", e);
    }
    *ret = (int64_t)(minutes * (double)MINUTE_MS);
    return RC_OK;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* First pass: all instants. The step is the median of what lies between them. */
static enum rc read_times(struct metrics_file *m, struct err *e)
{
    struct csv again = m->csv;
    bool row = true;
    enum rc rc = RC_OK;
    while (rc == RC_OK) {
        rc = csv_next(&m->csv, &row, e);
        if (rc != RC_OK || !row) {
            break;
        }
        rc = row_time(m, &m->at_ms[m->rows++], e);
    }
    m->csv = again;
    if (rc != RC_OK || m->rows < 2) {
        return rc;
    }
    qsort(m->at_ms, m->rows, sizeof *m->at_ms, by_value);
    for (uint32_t i = 0; i + 1 < m->rows; i++) {
        m->at_ms[i] = m->at_ms[i + 1] - m->at_ms[i];
        if (m->at_ms[i] == 0) {
            return err_at(e, RC_INVALID, str_from(m->csv.file), "one instant stands in two rows");
        }
    }
    qsort(m->at_ms, m->rows - 1, sizeof *m->at_ms, by_value);
    m->step_ms = m->at_ms[(m->rows - 1) / 2];
    return RC_OK;
}

/* What a sample that stands for [begin, begin + step) is to the incident; ROLE_COUNT: it comes after. */
static enum role role_at(const struct metrics_file *m, int64_t begin_ms)
{
    const struct incident_span *span = m->span;
    if (span->all_normal || begin_ms >= span->normal_again_ms) {
        return ROLE_NORMAL;
    }
    if (begin_ms >= span->end_ms) {
        return ROLE_COUNT;
    }
    int64_t end_ms = begin_ms + m->step_ms;
    if (end_ms > span->begin_ms || (m->step_ms == 0 && end_ms >= span->begin_ms)) {
        return ROLE_INCIDENT;
    }
    return end_ms > span->begin_ms - BEFORE_SAMPLES * m->step_ms ? ROLE_BEFORE : ROLE_NORMAL;
}

static enum rc metrics_row(struct metrics_file *m, struct err *e)
{
    int64_t at_ms = 0;
    double value;
    enum rc rc = row_time(m, &at_ms, e);
    if (rc != RC_OK) {
        return rc;
    }
    int64_t begin_ms = m->offsets ? at_ms - m->step_ms : at_ms;
    enum role role = role_at(m, begin_ms);
    if (role == ROLE_COUNT) {
        return RC_OK;
    }
    uint32_t sample = evidence_sample(m->ev, begin_ms, role);
    for (uint32_t i = 0; sample != MAP_NONE && rc == RC_OK && i < m->csv.columns; i++) {
        if (m->series[i] == MAP_NONE) {
            continue;
        }
        rc = csv_number(&m->csv, i, &value, e);
        if (rc == RC_OK && !isnan(value)) {
            evidence_value(m->ev, m->series[i], sample, value);
        }
    }
    return rc == RC_OK && m->ev->err.rc != RC_OK ? err_set(e, m->ev->err.rc, "%s", m->ev->err.text) : rc;
}

enum rc read_metrics(struct evidence *ev, const char *file, struct str text, const struct incident_span *span, struct err *e)
{
    struct metrics_file m = {.ev = ev, .span = span};
    bool row = true;
    enum rc rc = open_metrics(&m, file, text, e);
    if (rc == RC_OK) {
        rc = read_times(&m, e);
    }
    while (rc == RC_OK) {
        rc = csv_next(&m.csv, &row, e);
        if (rc != RC_OK || !row) {
            break;
        }
        rc = metrics_row(&m, e);
    }
    return rc;
}
