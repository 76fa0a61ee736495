#include "cli/rca_folder.h"

#include "evidence/csv.h"
#include "value/json.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MINUTE = 60000 };

enum rc rca_text(const char *path, struct buf *out, bool *ret_there, struct err *e)
{
    buf_init(out, RCA_FILE_MAX);
    enum rc rc = file_read(path, out, e);
    *ret_there = rc == RC_OK;
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static enum rc path_of(const struct rca_folder *f, const char *rest, char out[FILE_PATH_MAX], struct err *e)
{
    int len = snprintf(out, FILE_PATH_MAX, "%s/%s", f->path, rest);
    return len > 0 && len < FILE_PATH_MAX ? RC_OK : err_set(e, RC_LIMIT, "%s: the path is too long", f->path);
}

/* --- the folder ----------------------------------------------------------------------------------- */

static int by_bytes(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static enum rc list_incidents(struct rca_folder *f, struct err *e)
{
    char path[FILE_PATH_MAX];
    enum rc rc = path_of(f, "incidents", path, e);
    if (rc != RC_OK) {
        return rc;
    }
    DIR *d = opendir(path);
    if (d == NULL) {
        return err_set(e, errno == ENOENT ? RC_NOT_FOUND : RC_UNAVAILABLE, "%s: %s", path, strerror(errno));
    }
    f->ids = arena_array(f->arena, RCA_INCIDENTS_MAX, sizeof *f->ids);
    for (struct dirent *it = readdir(d); it != NULL && f->ids != NULL; it = readdir(d)) {
        if (it->d_name[0] == '.') {
            continue;
        }
        if (f->count == RCA_INCIDENTS_MAX) {
            rc = err_set(e, RC_LIMIT, "%s: more than %d incidents", path, RCA_INCIDENTS_MAX);
            break;
        }
        f->ids[f->count++] = arena_str(f->arena, str_from(it->d_name));
    }
    closedir(d);
    if (rc == RC_OK && f->ids != NULL && arena_rc(f->arena) == RC_OK) {
        qsort(f->ids, f->count, sizeof *f->ids, by_bytes);
    }
    return rc == RC_OK && arena_rc(f->arena) != RC_OK ? err_set(e, arena_rc(f->arena), "out of memory") : rc;
}

static enum rc read_labels(struct rca_folder *f, struct err *e)
{
    struct buf text;
    bool there = false;
    char path[FILE_PATH_MAX];
    enum rc rc = path_of(f, "labels.jsonl", path, e);
    f->labels = value_array();
    if (rc != RC_OK) {
        return rc;
    }
    rc = rca_text(path, &text, &there, e);
    struct str rest = there ? arena_str(f->arena, buf_view(&text)) : STR("");
    struct str line;
    for (unsigned n = 1; rc == RC_OK && str_next(&rest, '\n', &line); n++) {
        struct value v = value_null();
        if (str_trim(line).len > 0) {
            rc = json_parse(f->arena, str_trim(line), &v, e);
            rc = rc == RC_OK ? RC_OK : err_wrap(e, rc, "%s:%u", path, n);
        }
        if (rc == RC_OK && str_trim(line).len > 0) {
            value_push(f->arena, &f->labels, v);
        }
    }
    buf_done(&text);
    return rc;
}

enum rc rca_open(struct arena *a, const char *path, struct rca_folder *ret, struct err *e)
{
    *ret = (struct rca_folder){.path = path, .arena = a};
    enum rc rc = list_incidents(ret, e);
    return rc == RC_OK ? read_labels(ret, e) : rc;
}

const struct value *rca_label(const struct rca_folder *f, struct str id)
{
    for (uint32_t i = 0; i < f->labels.count; i++) {
        if (str_eq(value_text(value_get(value_item(&f->labels, i), STR("id"))), id)) {
            return value_item(&f->labels, i);
        }
    }
    return NULL;
}

/* --- files of an incident --------------------------------------------------------------------------- */

static const struct role_rules as_it_was = {.rules = {{"pre", ROLE_BEFORE}}, .count = 1, .otherwise = ROLE_INCIDENT};
static const struct role_rules only_before = {.rules = {{"pre", ROLE_INCIDENT}}, .count = 1, .otherwise = ROLE_COUNT};
static const struct role_rules all_normal = {.otherwise = ROLE_NORMAL};

/* Spans and logs of a folder; each may be missing. */
static enum rc read_rows(struct evidence *ev, const char *folder, const struct role_rules *rules, struct err *e)
{
    typedef enum rc (*read_fn)(struct evidence *, const char *, struct str, struct folder_windows *, struct err *);
    static const struct {
        const char *name;
        read_fn read;
    } tables[] = {{"spans.csv", read_calls}, {"logs.csv", read_logs}};
    struct folder_windows windows = {.rules = rules};
    enum rc rc = RC_OK;
    for (size_t i = 0; rc == RC_OK && i < sizeof tables / sizeof *tables; i++) {
        char path[FILE_PATH_MAX];
        struct buf text;
        bool there = false;
        if (snprintf(path, sizeof path, "%s/%s", folder, tables[i].name) >= FILE_PATH_MAX) {
            return err_set(e, RC_LIMIT, "%s: the path is too long", folder);
        }
        rc = rca_text(path, &text, &there, e);
        if (there) {
            rc = tables[i].read(ev, path, buf_view(&text), &windows, e);
        }
        buf_done(&text);
    }
    return rc;
}

static enum rc read_table(struct evidence *ev, const char *path, const struct incident_span *span, struct err *e)
{
    struct buf text;
    bool there = false;
    enum rc rc = rca_text(path, &text, &there, e);
    if (there) {
        rc = read_metrics(ev, path, buf_view(&text), span, e);
    }
    buf_done(&text);
    return rc;
}

static enum rc read_structure(const struct rca_folder *f, struct evidence *ev, struct err *e)
{
    char path[FILE_PATH_MAX];
    struct buf text;
    bool there = false;
    enum rc rc = path_of(f, "graph.json", path, e);
    if (rc != RC_OK) {
        return rc;
    }
    rc = rca_text(path, &text, &there, e);
    if (there) {
        rc = read_graph(ev, path, buf_view(&text), e);
    }
    buf_done(&text);
    return rc;
}

static enum rc read_events(const char *folder, struct evidence *ev, struct err *e)
{
    char path[FILE_PATH_MAX + 16];
    struct buf text;
    bool there = false;
    snprintf(path, sizeof path, "%s/events.jsonl", folder);
    enum rc rc = rca_text(path, &text, &there, e);
    if (there) {
        rc = read_changes(ev, path, buf_view(&text), e);
    }
    buf_done(&text);
    return rc;
}

/* "latency_avg", "p95", "availability", "error_rate", ...: what the alert is about. */
static enum symptom symptom_of(struct str metric)
{
    static const char *const failing[] = {"availab", "error", "fail", "success"};
    static const char *const slow[] = {"latency", "duration", "p50", "p95", "p99", "time"};
    char text[64] = "";
    if (!str_to_c(str_slice(metric, 0, metric.len < 63 ? metric.len : 63), text, sizeof text)) {
        return SYMPTOM_ANY;
    }
    for (size_t i = 0; i < sizeof failing / sizeof *failing; i++) {
        if (strstr(text, failing[i]) != NULL) {
            return SYMPTOM_AVAILABILITY;
        }
    }
    for (size_t i = 0; i < sizeof slow / sizeof *slow; i++) {
        if (strstr(text, slow[i]) != NULL) {
            return SYMPTOM_LATENCY;
        }
    }
    return SYMPTOM_ANY;
}

static enum rc read_about(const struct rca_folder *f, const char *folder, struct rca_case *c, struct err *e)
{
    char path[FILE_PATH_MAX + 16];
    struct buf text;
    snprintf(path, sizeof path, "%s/incident.json", folder);
    buf_init(&text, RCA_FILE_MAX);
    enum rc rc = file_read(path, &text, e);
    if (rc == RC_OK) {
        rc = json_parse(f->arena, arena_str(f->arena, buf_view(&text)), &c->about, e);
        rc = rc == RC_OK ? RC_OK : err_wrap(e, rc, "%s", path);
    }
    buf_done(&text);
    return rc;
}

/* The alert as a question. The instant is a number of seconds or RFC 3339; without one changes are not dated. */
static void ask(struct rca_case *c)
{
    const struct value *ts = value_path(&c->about, "alert", "ts", NULL);
    double seconds = 0;
    if (value_number(ts, &seconds)) {
        c->question.at_ms = (int64_t)(seconds * 1000.0);
    } else if (!read_instant(value_text(ts), &c->question.at_ms)) {
        c->question.at_ms = 0;
    }
    c->question.symptom = symptom_of(value_text(value_path(&c->about, "alert", "metric", NULL)));
}

static bool has_incident(const struct evidence *ev)
{
    for (uint32_t i = 0; i < ev->call_count; i++) {
        if (ev->windows[ev->calls[i].window].role == ROLE_INCIDENT) {
            return true;
        }
    }
    return false;
}

/* Ends a case: the service is the alert's node. */
static enum rc settle(struct rca_case *c, struct str node, struct err *e)
{
    c->question.service = evidence_node(c->ev, node);
    enum rc rc = evidence_settle(c->ev, e);
    if (rc == RC_OK) {
        c->measured = has_incident(c->ev);
    }
    return rc;
}

static enum rc read_normal(const struct rca_folder *f, struct rca_case *c, struct err *e)
{
    char path[FILE_PATH_MAX];
    struct incident_span normal = {.all_normal = true};
    const struct value *history = value_get(&c->about, STR("history"));
    struct str baseline = value_text(value_get(&c->about, STR("baseline")));
    enum rc rc = RC_OK;
    for (uint32_t i = 0; rc == RC_OK && value_is(history, VALUE_ARRAY) && i < history->count; i++) {
        char name[FILE_PATH_MAX];
        rc = str_to_c(value_text(value_item(history, i)), name, sizeof name) ? path_of(f, name, path, e)
                                                                            : err_set(e, RC_INVALID, "a path of the history");
        rc = rc == RC_OK ? read_rows(c->ev, path, &all_normal, e) : rc;
    }
    if (rc == RC_OK && baseline.len > 0) {
        char name[FILE_PATH_MAX];
        rc = str_to_c(baseline, name, sizeof name) ? path_of(f, name, path, e) : err_set(e, RC_INVALID, "the path of the baseline");
        rc = rc == RC_OK ? read_table(c->ev, path, &normal, e) : rc;
    }
    return rc;
}

/* A table by offsets has its incident after 0; one by the clock, at the alert. */
static struct incident_span span_of(const struct rca_case *c, enum rca_view view, bool offsets)
{
    struct incident_span span = {.begin_ms = offsets ? 0 : c->question.at_ms, .end_ms = INT64_MAX, .normal_again_ms = INT64_MAX};
    if (view == RCA_BEFORE) {
        span.end_ms = span.begin_ms;
        span.begin_ms -= MINUTE;
    }
    return span;
}

static enum rc read_incident(const char *folder, enum rca_view view, struct rca_case *c, struct err *e)
{
    char path[FILE_PATH_MAX + 16];
    struct buf text;
    bool there = false;
    snprintf(path, sizeof path, "%s/metrics.csv", folder);
    enum rc rc = rca_text(path, &text, &there, e);
    if (there) {
        struct incident_span span = span_of(c, view, str_starts(buf_view(&text), STR("offset_min")));
        rc = read_metrics(c->ev, path, buf_view(&text), &span, e);
    }
    buf_done(&text);
    rc = rc == RC_OK ? read_rows(c->ev, folder, view == RCA_BEFORE ? &only_before : &as_it_was, e) : rc;
    return rc == RC_OK && view == RCA_INCIDENT ? read_events(folder, c->ev, e) : rc;
}

enum rc rca_read(const struct rca_folder *f, struct str id, enum rca_view view, struct rca_case *ret, struct err *e)
{
    char rest[FILE_PATH_MAX];
    char folder[FILE_PATH_MAX];
    *ret = (struct rca_case){.id = id, .ev = evidence_new(RCA_EVIDENCE_MAX)};
    snprintf(rest, sizeof rest, "incidents/%.*s", STR_ARG(id));
    enum rc rc = ret->ev == NULL ? err_set(e, RC_NO_MEMORY, "out of memory") : path_of(f, rest, folder, e);
    rc = rc == RC_OK ? read_about(f, folder, ret, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    ask(ret);
    rc = read_structure(f, ret->ev, e);
    rc = rc == RC_OK ? read_incident(folder, view, ret, e) : rc;
    rc = rc == RC_OK ? read_normal(f, ret, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    struct str node = value_text(value_path(&ret->about, "alert", "node", NULL));
    return node.len == 0 ? err_set(e, RC_INVALID, "%s: expected an alert with a node", folder) : settle(ret, node, e);
}

/* --- slices of a normal period ------------------------------------------------------------------------ */

enum rc rca_read_slice(const struct rca_folder *f, const struct rca_slice *s, struct rca_case *ret, struct err *e)
{
    char name[FILE_PATH_MAX];
    char path[FILE_PATH_MAX];
    struct incident_span span = {.begin_ms = s->begin_ms, .end_ms = s->end_ms, .normal_again_ms = s->normal_again_ms};
    *ret = (struct rca_case){.id = STR("normal"), .ev = evidence_new(RCA_EVIDENCE_MAX)};
    ret->question.symptom = symptom_of(s->metric);
    ret->question.at_ms = s->begin_ms;
    enum rc rc = ret->ev == NULL ? err_set(e, RC_NO_MEMORY, "out of memory") : read_structure(f, ret->ev, e);
    if (rc == RC_OK) {
        rc = str_to_c(s->baseline, name, sizeof name) ? path_of(f, name, path, e) : err_set(e, RC_INVALID, "the path of the baseline");
    }
    rc = rc == RC_OK ? read_table(ret->ev, path, &span, e) : rc;
    return rc == RC_OK ? settle(ret, s->node, e) : rc;
}

static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static enum rc instants_of(const struct rca_folder *f, const char *path, struct str text, int64_t **ret, uint32_t *ret_count, struct err *e)
{
    struct csv c;
    uint32_t column = 0;
    bool row = true;
    enum rc rc = csv_open(f->arena, path, text, &c, e);
    rc = rc == RC_OK ? csv_need(&c, "ts", &column, e) : rc;
    *ret = arena_array(f->arena, EVIDENCE_SAMPLES_MAX, sizeof **ret);
    *ret_count = 0;
    while (rc == RC_OK && *ret != NULL && *ret_count < EVIDENCE_SAMPLES_MAX) {
        rc = csv_next(&c, &row, e);
        if (rc != RC_OK || !row) {
            break;
        }
        rc = read_instant(c.cells[column], &(*ret)[*ret_count]) ? RC_OK : csv_wrong(&c, column, "an instant", e);
        ++*ret_count;
    }
    if (rc == RC_OK && *ret != NULL) {
        qsort(*ret, *ret_count, sizeof **ret, by_number);
    }
    return rc == RC_OK && *ret == NULL ? err_set(e, arena_rc(f->arena), "out of memory") : rc;
}

enum rc rca_instants(const struct rca_folder *f, struct str path, int64_t **ret, uint32_t *ret_count, struct err *e)
{
    char name[FILE_PATH_MAX];
    char whole[FILE_PATH_MAX];
    struct buf text;
    bool there = false;
    *ret_count = 0;
    enum rc rc = str_to_c(path, name, sizeof name) ? path_of(f, name, whole, e) : err_set(e, RC_INVALID, "the path of the baseline");
    if (rc != RC_OK) {
        return rc;
    }
    rc = rca_text(whole, &text, &there, e);
    if (there) {
        rc = instants_of(f, whole, buf_view(&text), ret, ret_count, e);
    }
    buf_done(&text);
    return rc;
}
