/*
 * cli/cause - `pawl cause`: what explains what a service suffers, from a server's graph and traffic or from files.
 */
#include "cli/cause_prometheus.h"
#include "cli/cause_text.h"
#include "cli/cli.h"
#include "cli/output.h"
#include "cli/rca_folder.h"
#include "sys/clock.h"

#include <stdio.h>

enum {
    CAUSE_ARENA_MAX = 1 << 30,
    CAUSE_TEXT_MAX = 16 << 20,
};

/* One call. */
struct look {
    const struct args *args;
    struct evidence *ev;
    struct arena *arena;
    struct question question;
    struct incident_span span;
    struct folder_windows windows;
    struct err e;
};

/* --- what is asked for ------------------------------------------------------------------------------------ */

static enum rc read_question(struct look *l)
{
    const char *at = args_text(l->args, "at");
    const char *metric = args_text(l->args, "metric");
    if (metric != NULL && !symptom_parse(str_from(metric), &l->question.symptom)) {
        return err_at(&l->e, RC_INVALID, STR("option --metric"), "expected latency, availability or any");
    }
    if (at != NULL && !read_instant(str_from(at), &l->question.at_ms)) {
        return err_at(&l->e, RC_INVALID, STR("option --at"), "expected seconds since 1970 or an RFC 3339 time");
    }
    if (at == NULL && args_text(l->args, "prometheus") != NULL) {
        l->question.at_ms = clock_wall_ms();
    }
    l->span = (struct incident_span){.begin_ms = l->question.at_ms, .end_ms = INT64_MAX, .normal_again_ms = INT64_MAX};
    return RC_OK;
}

typedef enum rc (*read_fn)(struct look *l, const char *file, struct str text);

static enum rc take_graph(struct look *l, const char *file, struct str text)
{
    return read_graph(l->ev, file, text, &l->e);
}

/* Offsets count from the incident itself: --at is for the clock. */
static enum rc take_metrics(struct look *l, const char *file, struct str text)
{
    struct incident_span span = l->span;
    bool offsets = str_starts(text, STR("offset_min"));
    if (!offsets && l->question.at_ms == 0) {
        return err_at(&l->e, RC_INVALID, STR("option --at"), "expected the time of the incident: %s is by the clock", file);
    }
    span.begin_ms = offsets ? 0 : span.begin_ms;
    return read_metrics(l->ev, file, text, &span, &l->e);
}

static enum rc take_baseline(struct look *l, const char *file, struct str text)
{
    struct incident_span normal = {.all_normal = true};
    return read_metrics(l->ev, file, text, &normal, &l->e);
}

static enum rc take_spans(struct look *l, const char *file, struct str text)
{
    return read_calls(l->ev, file, text, &l->windows, &l->e);
}

static enum rc take_logs(struct look *l, const char *file, struct str text)
{
    return read_logs(l->ev, file, text, &l->windows, &l->e);
}

static enum rc take_events(struct look *l, const char *file, struct str text)
{
    return read_changes(l->ev, file, text, &l->e);
}

/* In this order: an instant that two files hold is what the first says of it. */
static const struct {
    const char *option;
    read_fn take;
} files[] = {
    {"graph", take_graph}, {"metrics", take_metrics}, {"baseline", take_baseline},
    {"spans", take_spans}, {"logs", take_logs},       {"events", take_events},
};

static enum rc read_files(struct look *l)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; rc == RC_OK && i < sizeof files / sizeof *files; i++) {
        const char *path = args_text(l->args, files[i].option);
        struct buf text;
        if (path == NULL) {
            continue;
        }
        buf_init(&text, RCA_FILE_MAX);
        rc = file_read(path, &text, &l->e);
        rc = rc == RC_OK ? files[i].take(l, path, buf_view(&text)) : rc;
        buf_done(&text);
    }
    return rc;
}

static enum rc take_range(void *context, const char *name, struct str csv, struct err *e)
{
    struct look *l = context;
    return read_metrics(l->ev, name, csv, &l->span, e);
}

/* Metrics by the clock: what was asked about is now where nothing else is said. */
static enum rc read_prometheus(struct look *l)
{
    const struct prometheus_ask ask = {args_text(l->args, "prometheus"), args_text(l->args, "prometheus-token-file"),
                                       args_text(l->args, "queries"), args_text(l->args, "label"), l->question.at_ms};
    if (ask.url == NULL) {
        return RC_OK;
    }
    if (ask.queries == NULL) {
        return err_at(&l->e, RC_INVALID, STR("option --queries"), "expected a file of `metric: PromQL`");
    }
    return prometheus_ranges(&ask, take_range, l, &l->e);
}

/* --- what comes out ----------------------------------------------------------------------------------------- */

static enum rc print_report(struct look *l, const struct report *r)
{
    struct value v = report_value(l->arena, l->ev, &l->question, r);
    if (arena_rc(l->arena) != RC_OK) {
        return err_set(&l->e, arena_rc(l->arena), "the report takes too much memory");
    }
    if (args_flag(l->args, "json")) {
        output_json(&v);
        return RC_OK;
    }
    struct buf text;
    buf_init(&text, CAUSE_TEXT_MAX);
    cause_text(&text, &v, args_flag(l->args, "explain"));
    output_buf(&text);
    buf_done(&text);
    return RC_OK;
}

static enum rc look(struct look *l)
{
    struct report r;
    struct str service = str_from(l->args->rest[0]);
    l->ev = evidence_new(RCA_EVIDENCE_MAX);
    l->arena = arena_new(CAUSE_ARENA_MAX);
    l->windows.rules = &read_usual_roles;
    if (l->ev == NULL || l->arena == NULL) {
        return err_set(&l->e, RC_NO_MEMORY, "out of memory");
    }
    enum rc rc = read_files(l);
    rc = rc == RC_OK ? read_prometheus(l) : rc;
    if (rc == RC_OK) {
        l->question.service = evidence_find(l->ev, service);
        rc = l->question.service != MAP_NONE ? evidence_settle(l->ev, &l->e)
                                             : err_at(&l->e, RC_NOT_FOUND, service, "no file speaks of this service");
    }
    rc = rc == RC_OK ? cause_find(l->arena, l->ev, &l->question, &r, &l->e) : rc;
    return rc == RC_OK ? print_report(l, &r) : rc;
}

/* --- asked of the server ---------------------------------------------------------------------------------- */

static void print_answer(const struct args *a, const struct value *report)
{
    if (args_flag(a, "json")) {
        output_json(report);
        return;
    }
    struct buf text;
    buf_init(&text, CAUSE_TEXT_MAX);
    cause_text(&text, report, args_flag(a, "explain"));
    output_buf(&text);
    buf_done(&text);
}

static int ask_server(const struct args *a)
{
    struct session s;
    struct buf path;
    int code = session_open(&s, a);
    if (code != CLI_OK) {
        return code;
    }
    buf_init(&path, 4096);
    buf_str(&path, STR("/v1/causes"));
    client_query(&path, "service", a->rest[0]);
    client_query(&path, "metric", args_text(a, "metric"));
    client_query(&path, "at", args_text(a, "at"));
    client_query(&path, "window_s", args_text(a, "window"));
    buf_char(&path, '\0');
    code = session_get(&s, path.data);
    if (code == CLI_OK) {
        print_answer(a, &s.answer.body);
    }
    buf_done(&path);
    session_close(&s);
    return code;
}

static bool any_file(const struct args *a)
{
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        if (args_text(a, files[i].option) != NULL) {
            return true;
        }
    }
    return args_text(a, "prometheus") != NULL;
}

static int cause(const struct args *a)
{
    struct look l = {.args = a};
    if (args_expect(a, 1, 1, "SERVICE", &l.e) != RC_OK || read_question(&l) != RC_OK) {
        return cli_usage(&l.e);
    }
    if (!any_file(a)) {
        return ask_server(a);
    }
    enum rc rc = look(&l);
    evidence_free(l.ev);
    arena_free(l.arena);
    return rc == RC_OK ? CLI_OK : cli_failed(&l.e);
}

static const struct option cause_options[] = {
    {"metric", 0, OPTION_TEXT, "METRIC", "what it suffers: latency, availability or any (any)"},
    {"at", 0, OPTION_TEXT, "TIME", "when it was noticed: RFC 3339, or seconds since 1970"},
    {"window", 0, OPTION_TEXT, "SECONDS", "asking the server: it began so much before it was noticed (300)"},
    {"graph", 0, OPTION_TEXT, "FILE", "nodes and edges, JSON"},
    {"metrics", 0, OPTION_TEXT, "FILE", "series around the incident, CSV"},
    {"baseline", 0, OPTION_TEXT, "FILE", "series of a normal period, CSV"},
    {"spans", 0, OPTION_TEXT, "FILE", "calls by window, CSV"},
    {"logs", 0, OPTION_TEXT, "FILE", "log templates by window, CSV"},
    {"events", 0, OPTION_TEXT, "FILE", "changes, a JSON object a line"},
    {"prometheus", 0, OPTION_TEXT, "URL", "series of its range queries"},
    {"queries", 0, OPTION_TEXT, "FILE", "for --prometheus: metric: PromQL"},
    {"label", 0, OPTION_TEXT, "NAME", "for --prometheus: the label that names the node (service)"},
    {"prometheus-token-file", 0, OPTION_TEXT, "FILE", "for --prometheus: a bearer token"},
    {"explain", 0, OPTION_FLAG, NULL, "every term of every score, and all that was ruled out"},
    CLI_JSON_OPTION,
    CLI_SERVER_OPTIONS,
};

const struct command cause_commands[] = {
    {"cause", "SERVICE", "Rank what explains what a service suffers", cause_options, sizeof cause_options / sizeof *cause_options, cause,
     "Without a file it asks the server, whose graph is fed by traces, events and declarations. The files stand in docs/rca.md. It exits with 0 when nothing was found, too: that is an answer."},
    {0},
};
