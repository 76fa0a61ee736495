/* evidence: tables as strict CSV, what a metric's name says, files as evidence, every limit. */
#include "check.h"

#include "base/buf.h"
#include "evidence/csv.h"
#include "evidence/metric.h"
#include "evidence/read.h"

#include <math.h>

enum { ROOM = 256 << 20 };

/* --- csv ------------------------------------------------------------------------------------------------- */

static enum rc read_all(struct arena *a, struct str text, struct csv *c, struct err *e)
{
    bool row = true;
    enum rc rc = csv_open(a, "t.csv", text, c, e);
    while (rc == RC_OK && row) {
        rc = csv_next(c, &row, e);
    }
    return rc;
}

static void cells_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *last; /* the last cell of the last row */
        unsigned rows;
    } cases[] = {
        {"a,b\n1,2\n", "2", 1},
        {"a,b\r\n1,2\r\n3,4", "4", 2},
        {"a,b\n1,\n", "", 1},
        {"a,b\n\"x,y\",\"1\"\"2\"\n", "1\"2", 1},
        {"a,b\n1,\"two\nlines\"\n", "two\nlines", 1},
        {"a,b\n1,\"\"\n", "", 1},
        {"\xEF\xBB\xBF" "a,b\n1,2\n", "2", 1},
        {"\"a\",\"b\"\n1,2\n", "2", 1},
        {"a\nx\n", "x", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CLEANUP(arena) struct arena *a = arena_new(ROOM);
        struct csv c;
        struct err e = {0};
        assert_int_equal(read_all(a, str_from(cases[i].text), &c, &e), RC_OK);
        assert_int_equal(c.row_count, cases[i].rows);
        assert_str(c.cells[c.columns - 1], cases[i].last);
        assert_str(c.head[0], "a");
    }
}

static void errors_name_line_and_column(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *where;
        const char *what;
    } cases[] = {
        {"", "t.csv:1:1", "column names"},
        {"a,,b\n", "t.csv:1:2", "without a name"},
        {"a,b,a\n", "t.csv:1:3", "second time"},
        {"a,b\n1\n", "t.csv:2:1", "expected 2 cells, got 1"},
        {"a,b\n1,2,3\n", "t.csv:2:3", "more cells"},
        {"a,b\n1,2\n\n3,4\n", "t.csv:3:1", "expected 2 cells"},
        {"a,b\n1,x\"y\n", "t.csv:2:2", "quote inside"},
        {"a,b\n\"1\"2,3\n", "t.csv:2:1", "after a closing quote"},
        {"a,b\n1,\"2\n", "t.csv:2:2", "closing quote"},
        {"a,b\n1,2\r3,4\n", "t.csv:2:2", "carriage return"},
        {"a,b\n\"1\n1\",2\nx\n", "t.csv:4:1", "expected 2 cells"},
        {"a\n\xFF\n", "t.csv:1:1", "UTF-8"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CLEANUP(arena) struct arena *a = arena_new(ROOM);
        struct csv c;
        struct err e = {0};
        assert_int_equal(read_all(a, str_from(cases[i].text), &c, &e), RC_INVALID);
        assert_str(str_from(e.where), cases[i].where);
        assert_non_null(strstr(e.text, cases[i].what));
    }
}

/* A text of `count` times a part, between two others. */
static struct str repeated(struct arena *a, const char *first, const char *part, size_t count, const char *last)
{
    size_t len = strlen(part);
    char *out = arena_alloc(a, strlen(first) + len * count + strlen(last) + 1);
    assert_non_null(out);
    size_t at = strlen(first);
    memcpy(out, first, at);
    for (size_t i = 0; i < count; i++, at += len) {
        memcpy(out + at, part, len);
    }
    memcpy(out + at, last, strlen(last) + 1);
    return str_from(out);
}

static void tables_are_limited(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(ROOM);
    struct csv c;
    struct err e = {0};
    assert_int_equal(read_all(a, repeated(a, "a\n", "x", CSV_CELL_MAX, "\n"), &c, &e), RC_OK);
    assert_int_equal(read_all(a, repeated(a, "a\n", "x", CSV_CELL_MAX + 1, "\n"), &c, &e), RC_LIMIT);
    assert_int_equal(read_all(a, repeated(a, "a\n", "x\n", CSV_ROWS_MAX, ""), &c, &e), RC_OK);
    assert_int_equal(read_all(a, repeated(a, "a\n", "x\n", CSV_ROWS_MAX + 1, ""), &c, &e), RC_LIMIT);
    assert_int_equal(read_all(a, repeated(a, "a", ",b", CSV_COLUMNS_MAX, "\n"), &c, &e), RC_LIMIT);
    CLEANUP(arena) struct arena *small = arena_new(256);
    assert_int_equal(read_all(small, STR("a,b\n1,2\n"), &c, &e), RC_OK);
    assert_int_equal(read_all(small, repeated(a, "a\n\"", "\"\"", 4000, "\"\n"), &c, &e), RC_LIMIT);
}

static void numbers_of_cells(void **state)
{
    (void)state;
    CLEANUP(arena) struct arena *a = arena_new(ROOM);
    struct csv c;
    struct err e = {0};
    bool row;
    double n = 0;
    assert_int_equal(csv_open(a, "t.csv", STR("a,b,c,d\n1.5,,NaN,x\n"), &c, &e), RC_OK);
    assert_int_equal(csv_next(&c, &row, &e), RC_OK);
    assert_int_equal(csv_number(&c, 0, &n, &e), RC_OK);
    assert_true(n > 1.4 && n < 1.6);
    for (uint32_t i = 1; i < 3; i++) {
        assert_int_equal(csv_number(&c, i, &n, &e), RC_OK);
        assert_true(isnan(n));
    }
    assert_int_equal(csv_number(&c, 3, &n, &e), RC_INVALID);
    assert_str(str_from(e.where), "t.csv:2:4");
    assert_int_equal(csv_number(&c, CSV_COLUMNS_MAX, &n, &e), RC_OK);
    assert_true(isnan(n));
    uint32_t at;
    assert_int_equal(csv_need(&c, "c", &at, &e), RC_OK);
    assert_int_equal(at, 2);
    assert_int_equal(csv_need(&c, "z", &at, &e), RC_INVALID);
    assert_non_null(strstr(e.text, "\"z\""));
}

/* --- names of metrics ---------------------------------------------------------------------------------------- */

static void names_say_what_is_measured(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool edge;
        enum metric_meaning meaning;
        double scale;
        bool share;
    } cases[] = {
        {"latency_avg", false, METRIC_LATENCY, 1e3, false},
        {"request-duration-ms", false, METRIC_LATENCY, 1, false},
        {"response_time_us", false, METRIC_LATENCY, 1e-3, false},
        {"http.latency.p99.seconds", false, METRIC_LATENCY, 1e3, false},
        {"server_p90", false, METRIC_LATENCY, 1e3, false},
        {"client_p90", false, METRIC_OTHER, 1, false},
        {"PodServerLatencyP90(s)", false, METRIC_LATENCY, 1e3, false},
        {"CpuUsageRate(%)", false, METRIC_SATURATION, 0.01, true},
        {"NetworkP90(ms)", false, METRIC_OTHER, 1, false},
        {"PodSuccessRate(%)", false, METRIC_AVAILABILITY, 0.01, false},
        {"HttpErrors", false, METRIC_ERRORS, 1, false},
        {"diskio", false, METRIC_SATURATION, 1, false},
        {"latency-50", false, METRIC_LATENCY, 1e3, false},
        {"ops", false, METRIC_TRAFFIC, 1, false},
        {"requests", false, METRIC_TRAFFIC, 1, false},
        {"workload", false, METRIC_TRAFFIC, 1, false},
        {"availability", false, METRIC_AVAILABILITY, 0.01, false},
        {"success_ratio", false, METRIC_AVAILABILITY, 1, false},
        {"errors", false, METRIC_ERRORS, 1, false},
        {"error_rate", false, METRIC_ERROR_SHARE, 1, false},
        {"errors_pct", false, METRIC_ERROR_SHARE, 0.01, false},
        {"cpu_pct", false, METRIC_SATURATION, 0.01, true},
        {"memory.utilization", false, METRIC_SATURATION, 1, true},
        {"disk_used_percent", false, METRIC_SATURATION, 0.01, true},
        {"cpu", false, METRIC_SATURATION, 1, false},
        {"edge_src_p50", true, METRIC_CLIENT_SIDE, 1e3, false},
        {"server_latency_ms", true, METRIC_SERVER_SIDE, 1, false},
        {"latency", true, METRIC_OTHER, 1e3, false},
        {"temperature", false, METRIC_OTHER, 1, false},
        {"", false, METRIC_OTHER, 1, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct metric m = metric_of(str_from(cases[i].name), cases[i].edge);
        if (m.meaning != cases[i].meaning || m.share != cases[i].share || fabs(m.scale - cases[i].scale) > 1e-12) {
            print_error("%s: meaning %d, scale %g, share %d\n", cases[i].name, m.meaning, m.scale, m.share);
            fail();
        }
    }
}

/* --- files ------------------------------------------------------------------------------------------------------ */

static const struct incident_span from_600 = {.begin_ms = 600000, .end_ms = INT64_MAX, .normal_again_ms = INT64_MAX};

static void metrics_become_calls(void **state)
{
    (void)state;
    CLEANUP(evidence) struct evidence *ev = evidence_new(ROOM);
    struct err e = {0};
    /* Rows in no order; the step is five minutes, so 300 still reaches into what is just before 600. */
    struct str text = STR("ts,a|latency_avg,a|requests,a|availability,b|latency_avg\n"
                          "600,0.3,10,90,\n0,0.1,10,100,\n300,0.1,30,100,0.2\n-300,0.1,10,100,\n-900,0.2,10,,\n-600,0.1,30,100,\n");
    assert_int_equal(read_metrics(ev, "m.csv", text, &from_600, &e), RC_OK);
    assert_int_equal(evidence_settle(ev, &e), RC_OK);
    assert_int_equal(ev->sample_count, 6);
    assert_int_equal(ev->samples[0].at_ms, -900000);
    assert_int_equal(ev->samples[5].role, ROLE_INCIDENT);
    assert_int_equal(ev->samples[4].role, ROLE_BEFORE);
    assert_int_equal(ev->samples[1].role, ROLE_NORMAL);
    unsigned incident = 0;
    unsigned before = 0;
    for (uint32_t i = 0; i < ev->call_count; i++) {
        const struct call *c = &ev->calls[i];
        bool a = str_eq(ev->nodes[c->callee].name, STR("a"));
        if (a && ev->windows[c->window].role == ROLE_INCIDENT) {
            incident++;
            assert_true(fabs(c->latency_ms - 300) < 1e-9 && fabs(c->errors - 1) < 1e-9);
        }
        if (a && ev->windows[c->window].role == ROLE_BEFORE) {
            before++;
            assert_true(fabs(c->count - 50) < 1e-9);
        }
    }
    assert_int_equal(incident, 1);
    assert_int_equal(before, 1);
}

static void a_ratio_is_not_percent(void **state)
{
    (void)state;
    CLEANUP(evidence) struct evidence *ev = evidence_new(ROOM);
    struct err e = {0};
    struct str text = STR("offset_min,a|availability,a|requests,b|cpu_utilization\n-1,1,10,40\n0,1,10,50\n1,0.5,10,95\n");
    struct incident_span span = {.begin_ms = 0, .end_ms = INT64_MAX, .normal_again_ms = INT64_MAX};
    assert_int_equal(read_metrics(ev, "m.csv", text, &span, &e), RC_OK);
    assert_int_equal(evidence_settle(ev, &e), RC_OK);
    for (uint32_t i = 0; i < ev->call_count; i++) {
        if (ev->windows[ev->calls[i].window].role == ROLE_INCIDENT) {
            assert_true(fabs(ev->calls[i].errors - 5) < 1e-9);
        }
    }
    for (uint32_t s = 0; s < ev->series_count; s++) {
        if (ev->series[s].metric.meaning == METRIC_SATURATION) {
            assert_true(fabs(ev->series[s].values[2] - 0.95) < 1e-9);
        }
    }
}

static void rows_become_calls_and_logs(void **state)
{
    (void)state;
    CLEANUP(evidence) struct evidence *ev = evidence_new(ROOM);
    struct folder_windows windows = {.rules = &read_usual_roles};
    struct err e = {0};
    assert_int_equal(read_graph(ev, "g.json", STR("{\"nodes\":[{\"id\":\"b\",\"type\":\"service\"},{\"id\":\"x\",\"type\":\"remote_endpoint\"}],"
                                                  "\"edges\":[{\"from\":\"b\",\"to\":\"k\",\"kind\":\"configured_by\"},"
                                                  "{\"from\":\"d\",\"to\":\"b\",\"kind\":\"deploys\"}]}"), &e), RC_OK);
    assert_int_equal(read_calls(ev, "s.csv", STR("window,caller,callee,n,lat_ms,unknown\npre,a,b,5,1,9\nf1,a,b,6,2,9\nf1,b,c,1,,9\n"), &windows, &e), RC_OK);
    assert_int_equal(read_logs(ev, "l.csv", STR("window,node,level,template,n\nf1,b,INFO,hello,3\nnormal,b,,bye,1\n"), &windows, &e), RC_OK);
    assert_int_equal(read_changes(ev, "e.jsonl", STR("{\"kind\":\"config\",\"object\":\"k\",\"detail\":\"v=1\",\"ts\":60}\n\n"
                                                     "{\"kind\":\"deploy\",\"object\":\"d\",\"ts\":\"1970-01-01T00:02:00Z\"}\n"), &e), RC_OK);
    assert_int_equal(evidence_settle(ev, &e), RC_OK);
    assert_int_equal(ev->window_count, 3);
    assert_int_equal(ev->call_count, 3);
    assert_true(isnan(ev->calls[2].latency_ms) && isnan(ev->calls[0].self_ms));
    assert_str(ev->words[ev->logs[0].template_id], "INFO hello");
    assert_true(ev->nodes[evidence_find(ev, STR("x"))].outside);
    /* a only calls, and no graph knows it. */
    assert_true(ev->nodes[evidence_find(ev, STR("a"))].outside);
    assert_false(ev->nodes[evidence_find(ev, STR("b"))].outside);
    assert_int_equal(ev->changes[1].at_ms, 120000);
    assert_int_equal(ev->tie_count, 4);
    assert_int_equal(ev->ties[0].harmer, evidence_find(ev, STR("k")));
    assert_str(ev->ties[0].kind, "configures");
    assert_int_equal(ev->ties[1].harmed, evidence_find(ev, STR("b")));
    assert_int_equal(ev->calls[0].key, ev->calls[1].key);
}

static void bad_files_are_refused(void **state)
{
    (void)state;
    enum { GRAPH, METRICS, CALLS, LOGS, CHANGES };
    static const struct {
        int file;
        const char *text;
        const char *said; /* in the place or the text */
    } cases[] = {
        {GRAPH, "{", "f:"},
        {GRAPH, "[]", "\"nodes\""},
        {GRAPH, "{\"nodes\":[{}]}", "f:/nodes/0"},
        {GRAPH, "{\"edges\":[{\"from\":\"a\"}]}", "f:/edges/0"},
        {METRICS, "a|b\n1\n", "\"ts\""},
        {METRICS, "ts,a|b\nyesterday,1\n", "f:2:1"},
        {METRICS, "ts,a|b\n1,x\n", "f:2:2"},
        {METRICS, "ts,a|b\n1,2\n1,3\n", "one instant"},
        {METRICS, "offset_min,a|b\nx,3\n", "f:2:1"},
        {CALLS, "window,caller,n\n", "\"callee\""},
        {CALLS, "window,caller,callee,n\nf,a,b,\n", "f:2:4"},
        {CALLS, "window,caller,callee,n\nf,a,b,-1\n", "f:2:4"},
        {CALLS, "window,caller,callee,n\nf,,b,1\n", "f:2:2"},
        {LOGS, "window,node,template\n", "\"n\""},
        {LOGS, "window,node,template,n\nf,a,t,x\n", "f:2:4"},
        {CHANGES, "{\"kind\":\"config\",\"object\":\"a\"}", "f:1"},
        {CHANGES, "{\"kind\":\"config\",\"object\":\"a\",\"ts\":1}\nx", "f:2"},
        {CHANGES, "{\"kind\":\"config\",\"object\":\"a\",\"ts\":1e300}", "f:1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CLEANUP(evidence) struct evidence *ev = evidence_new(ROOM);
        struct folder_windows windows = {.rules = &read_usual_roles};
        struct err e = {0};
        struct str text = str_from(cases[i].text);
        enum rc rc = cases[i].file == GRAPH     ? read_graph(ev, "f", text, &e)
                     : cases[i].file == METRICS ? read_metrics(ev, "f", text, &from_600, &e)
                     : cases[i].file == CALLS   ? read_calls(ev, "f", text, &windows, &e)
                     : cases[i].file == LOGS    ? read_logs(ev, "f", text, &windows, &e)
                                                : read_changes(ev, "f", text, &e);
        if (rc == RC_OK || (strstr(e.where, cases[i].said) == NULL && strstr(e.text, cases[i].said) == NULL)) {
            print_error("%s\n  %s: %s\n", cases[i].text, e.where, e.text);
            fail();
        }
    }
}

/* --- limits ------------------------------------------------------------------------------------------------------- */

static void fill_nodes(struct evidence *ev, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        char name[16];
        snprintf(name, sizeof name, "n%u", i);
        evidence_node(ev, str_from(name));
    }
}

static void add_nodes(struct evidence *ev, uint32_t count)
{
    fill_nodes(ev, count);
}

static void add_windows(struct evidence *ev, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        evidence_window(ev, STR("w"), ROLE_NORMAL);
    }
}

static void add_samples(struct evidence *ev, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        evidence_sample(ev, i, ROLE_NORMAL);
    }
}

static void add_changes(struct evidence *ev, uint32_t count)
{
    uint32_t node = evidence_node(ev, STR("a"));
    for (uint32_t i = 0; i < count; i++) {
        evidence_change(ev, &(struct change){.node = node});
    }
}

static void add_ties(struct evidence *ev, uint32_t count)
{
    fill_nodes(ev, 600);
    for (uint32_t i = 0, made = 0; made < count; i++) {
        made += i / 600 != i % 600;
        evidence_tie(ev, i / 600, i % 600, STR("calls"), true);
    }
}

static void add_calls(struct evidence *ev, uint32_t count)
{
    struct call c = {.window = evidence_window(ev, STR("w"), ROLE_NORMAL), .callee = evidence_node(ev, STR("a")), .caller = MAP_NONE};
    for (uint32_t i = 0; i < count; i++) {
        evidence_call(ev, &c);
    }
}

static void add_logs(struct evidence *ev, uint32_t count)
{
    struct log_count l = {.window = evidence_window(ev, STR("w"), ROLE_NORMAL), .node = evidence_node(ev, STR("a")),
                          .template_id = evidence_word(ev, STR("t"))};
    for (uint32_t i = 0; i < count; i++) {
        evidence_log(ev, &l);
    }
}

static void add_words(struct evidence *ev, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        char word[16];
        snprintf(word, sizeof word, "%u", i);
        evidence_word(ev, str_from(word));
    }
}

static void add_series(struct evidence *ev, uint32_t count)
{
    uint32_t node = evidence_node(ev, STR("a"));
    for (uint32_t i = 0; i < count; i++) {
        char name[16];
        snprintf(name, sizeof name, "%u", i);
        evidence_series(ev, node, MAP_NONE, str_from(name));
    }
}

static void add_values(struct evidence *ev, uint32_t count)
{
    uint32_t series = evidence_series(ev, evidence_node(ev, STR("a")), MAP_NONE, STR("x"));
    uint32_t sample = evidence_sample(ev, 1, ROLE_NORMAL);
    for (uint32_t i = 0; i < count; i++) {
        evidence_value(ev, series, sample, 1.0);
    }
}

static void evidence_is_limited(void **state)
{
    (void)state;
    static const struct {
        void (*add)(struct evidence *, uint32_t);
        uint32_t max;
        const char *said;
    } cases[] = {
        {add_nodes, EVIDENCE_NODES_MAX, "nodes"},       {add_windows, EVIDENCE_WINDOWS_MAX, "windows"},
        {add_samples, EVIDENCE_SAMPLES_MAX, "instants"}, {add_changes, EVIDENCE_CHANGES_MAX, "changes"},
        {add_ties, EVIDENCE_TIES_MAX, "edges"},         {add_calls, EVIDENCE_CALLS_MAX, "rows of calls"},
        {add_logs, EVIDENCE_LOGS_MAX, "log templates"}, {add_words, EVIDENCE_WORDS_MAX, "operations and templates"},
        {add_series, EVIDENCE_SERIES_MAX, "series"},    {add_values, EVIDENCE_VALUES_MAX, "values"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (uint32_t more = 0; more < 2; more++) {
            CLEANUP(evidence) struct evidence *ev = evidence_new((size_t)1 << 30);
            cases[i].add(ev, cases[i].max + more);
            assert_int_equal(ev->err.rc, more == 0 ? RC_OK : RC_LIMIT);
            assert_true(more == 0 || strstr(ev->err.text, cases[i].said) != NULL);
        }
    }
}

static void names_and_memory_are_limited(void **state)
{
    (void)state;
    CLEANUP(evidence) struct evidence *ev = evidence_new(ROOM);
    struct err e = {0};
    char name[EVIDENCE_NAME_MAX + 1];
    memset(name, 'x', sizeof name);
    assert_int_not_equal(evidence_node(ev, (struct str){name, EVIDENCE_NAME_MAX}), MAP_NONE);
    assert_int_equal(evidence_node(ev, (struct str){name, EVIDENCE_NAME_MAX + 1}), MAP_NONE);
    assert_int_equal(evidence_settle(ev, &e), RC_LIMIT);
    CLEANUP(evidence) struct evidence *small = evidence_new(4096);
    fill_nodes(small, 1000);
    assert_int_equal(evidence_settle(small, &e), RC_LIMIT);
    assert_non_null(strstr(e.text, "memory"));
}

static void windows_of_a_folder_are_limited(void **state)
{
    (void)state;
    CLEANUP(evidence) struct evidence *ev = evidence_new(ROOM);
    struct folder_windows windows = {.rules = &read_usual_roles};
    struct err e = {0};
    struct buf text;
    buf_init(&text, 65536);
    buf_str(&text, STR("window,caller,callee,n\n"));
    for (int i = 0; i <= FOLDER_WINDOWS_MAX; i++) {
        buf_printf(&text, "w%d,a,b,1\n", i);
    }
    assert_int_equal(read_calls(ev, "s.csv", buf_view(&text), &windows, &e), RC_LIMIT);
    buf_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_are_read), cmocka_unit_test(errors_name_line_and_column), cmocka_unit_test(tables_are_limited),
        cmocka_unit_test(numbers_of_cells), cmocka_unit_test(names_say_what_is_measured), cmocka_unit_test(metrics_become_calls),
        cmocka_unit_test(a_ratio_is_not_percent), cmocka_unit_test(rows_become_calls_and_logs),
        cmocka_unit_test(bad_files_are_refused), cmocka_unit_test(evidence_is_limited), cmocka_unit_test(names_and_memory_are_limited),
        cmocka_unit_test(windows_of_a_folder_are_limited)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
