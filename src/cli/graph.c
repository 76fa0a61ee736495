/*
 * cli/graph - `pawl graph`, `pawl impact`, `pawl calibration`: what production is made of, what a change would touch, and
 * how well that was told before.
 */
#include "cli/cli.h"
#include "cli/output.h"
#include "client/untrusted.h"
#include "value/json.h"

#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { GRAPH_OUTPUT_MAX = 64 << 20 };

typedef void (*draw_fn)(struct buf *out, const struct value *answer);

/* One question to the server, drawn or as JSON. */
static int ask(const struct args *a, const struct buf *path, draw_fn draw)
{
    struct session s;
    int code = session_open(&s, a);
    if (code != CLI_OK) {
        return code;
    }
    code = session_get(&s, path->data);
    if (code == CLI_OK && args_flag(a, "json")) {
        output_json(&s.answer.body);
    } else if (code == CLI_OK) {
        struct buf out;
        buf_init(&out, GRAPH_OUTPUT_MAX);
        draw(&out, &s.answer.body);
        output_buf(&out);
        buf_done(&out);
    }
    session_close(&s);
    return code;
}

static void cell(struct buf *out, const struct value *v, const char *path)
{
    output_cell(out, output_at(v, path));
}

/* --- graph ------------------------------------------------------------------------------------------------------ */

static void draw_edge(struct buf *out, const struct value *x, struct str node)
{
    bool is_from = str_eq(value_text(value_get(x, STR("from"))), node);
    buf_str(out, is_from ? STR("  -") : STR("  <-"));
    cell(out, x, "kind");
    buf_str(out, is_from ? STR("-> ") : STR("- "));
    cell(out, x, is_from ? "to" : "from");
    buf_str(out, STR("  ("));
    cell(out, x, "confidence");
    const struct value *effect = value_get(x, STR("effect_pct"));
    if (effect != NULL && effect->type != VALUE_NULL) {
        buf_str(out, STR(", effect "));
        output_cell(out, effect);
        buf_str(out, STR(" %"));
    }
    buf_str(out, STR(", "));
    cell(out, x, "source");
    buf_str(out, STR(", since "));
    cell(out, x, "since");
    buf_str(out, STR(")\n"));
}

static void draw_node(struct buf *out, const struct value *v)
{
    struct str node = value_text(value_get(v, STR("node")));
    const struct value *attributes = value_get(v, STR("attributes"));
    untrusted_cell(out, node);
    if (value_is(attributes, VALUE_OBJECT) && attributes->count > 0) {
        struct buf text;
        buf_init(&text, GRAPH_OUTPUT_MAX);
        json_write(&text, attributes);
        buf_str(out, STR("  "));
        untrusted_cell(out, buf_view(&text));
        buf_done(&text);
    }
    buf_char(out, '\n');
    const struct value *edges = value_get(v, STR("edges"));
    for (uint32_t i = 0; value_item(edges, i) != NULL; i++) {
        draw_edge(out, value_item(edges, i), node);
    }
    const struct value *changes = value_get(v, STR("changes"));
    for (uint32_t i = 0; value_item(changes, i) != NULL; i++) {
        buf_str(out, STR("  "));
        cell(out, value_item(changes, i), "at");
        buf_char(out, ' ');
        cell(out, value_item(changes, i), "kind");
        buf_str(out, STR(": "));
        cell(out, value_item(changes, i), "what");
        buf_char(out, '\n');
    }
}

static void draw_graph(struct buf *out, const struct value *v)
{
    const struct value *items = value_get(v, STR("items"));
    if (items == NULL) {
        draw_node(out, v);
        return;
    }
    for (uint32_t i = 0; value_item(items, i) != NULL; i++) {
        draw_node(out, value_item(items, i));
    }
    struct str next = value_text(value_get(v, STR("next")));
    if (next.len > 0) {
        buf_printf(out, "there are more: --after %.*s\n", STR_ARG(next));
    }
}

static int run_graph(const struct args *a)
{
    struct buf path;
    struct err e;
    if (args_expect(a, 0, 1, "at most one node", &e) != RC_OK) {
        return cli_usage(&e);
    }
    buf_init(&path, 4096);
    buf_str(&path, STR("/v1/graph"));
    client_query(&path, "node", a->rest_count > 0 ? a->rest[0] : NULL);
    client_query(&path, "at", args_text(a, "at"));
    client_query(&path, "after", args_text(a, "after"));
    client_query(&path, "limit", args_text(a, "limit"));
    buf_char(&path, '\0');
    int code = ask(a, &path, draw_graph);
    buf_done(&path);
    return code;
}

/* --- impact ------------------------------------------------------------------------------------------------------- */

static void draw_path(struct buf *out, const struct value *path)
{
    for (uint32_t i = 0; value_item(path, i) != NULL; i++) {
        buf_str(out, i == 0 ? STR("") : STR(" > "));
        output_cell(out, value_item(path, i));
    }
}

static void draw_words(struct buf *out, const char *title, const struct value *words)
{
    for (uint32_t i = 0; value_item(words, i) != NULL; i++) {
        buf_str(out, i == 0 ? str_from(title) : STR(", "));
        output_cell(out, value_item(words, i));
    }
    buf_str(out, value_item(words, 0) == NULL ? STR("") : STR("\n"));
}

static void draw_impact(struct buf *out, const struct value *v)
{
    const struct value *share = value_get(v, STR("traffic_pct"));
    cell(out, v, "services");
    buf_str(out, STR(" services, "));
    if (share == NULL || share->type == VALUE_NULL) {
        buf_str(out, STR("share of the traffic not declared\n"));
    } else {
        output_cell(out, share);
        buf_str(out, STR(" % of the traffic\n"));
    }
    draw_words(out, "trust zones crossed: ", value_get(v, STR("zones_crossed")));
    draw_words(out, "policies touched: ", value_get(v, STR("policies")));
    const struct value *nodes = value_get(v, STR("nodes"));
    for (uint32_t i = 0; value_item(nodes, i) != NULL; i++) {
        const struct value *n = value_item(nodes, i);
        const struct value *budget = value_get(n, STR("budget_pct"));
        buf_str(out, STR("  "));
        draw_path(out, value_get(n, STR("path")));
        buf_str(out, STR("  effect "));
        cell(out, n, "effect_pct");
        buf_str(out, value_bool_or(value_get(n, STR("measured")), false) ? STR(" %, ") : STR(" % (assumed), "));
        cell(out, n, "confidence");
        if (budget != NULL && budget->type != VALUE_NULL) {
            buf_str(out, STR(", budget "));
            output_cell(out, budget);
            buf_str(out, STR(" %"));
        }
        buf_char(out, '\n');
    }
}

static int run_impact(const struct args *a)
{
    struct buf path;
    struct buf names;
    struct err e;
    if (args_expect(a, 1, 16, "SERVICE...", &e) != RC_OK) {
        return cli_usage(&e);
    }
    buf_init(&path, 8192);
    buf_init(&names, 4096);
    for (unsigned i = 0; i < a->rest_count; i++) {
        buf_printf(&names, "%s%s", i == 0 ? "" : ",", a->rest[i]);
    }
    buf_char(&names, '\0');
    buf_str(&path, STR("/v1/impact"));
    client_query(&path, "services", names.data);
    client_query(&path, "limit", args_text(a, "limit"));
    buf_char(&path, '\0');
    int code = path.rc == RC_OK && names.rc == RC_OK ? ask(a, &path, draw_impact) : CLI_USAGE;
    buf_done(&names);
    buf_done(&path);
    return code;
}

/* --- calibration ---------------------------------------------------------------------------------------------------- */

static int run_calibration(const struct args *a)
{
    static const struct column columns[] = {{"OF", "of"},
                                            {"NAME", "name"},
                                            {"OUTCOMES", "outcomes"},
                                            {"BAD", "bad"},
                                            {"COVERAGE %", "coverage_pct"},
                                            {"MISSED", "missed_services"},
                                            {"SPARED", "spared_services"},
                                            {"OVER %", "over_predicted_traffic_pct"},
                                            {"UNDER %", "under_predicted_traffic_pct"},
                                            {"PREDICTED BAD %", "predicted_bad_pct"},
                                            {"BRIER", "brier"}};
    return cli_list(a, "/v1/calibration", columns, COUNT(columns));
}

static const struct option graph_options[] = {
    {"at", 0, OPTION_TEXT, "TIME", "as it was then (RFC 3339)"},
    {"after", 0, OPTION_TEXT, "N", "the next page"},
    {"limit", 0, OPTION_TEXT, "N", "nodes of a page (100)"},
    CLI_JSON_OPTION,
    CLI_SERVER_OPTIONS,
};

static const struct option impact_options[] = {
    {"limit", 0, OPTION_TEXT, "N", "nodes that are shown (100)"},
    CLI_JSON_OPTION,
    CLI_SERVER_OPTIONS,
};

static const struct option calibration_options[] = {CLI_JSON_OPTION, CLI_SERVER_OPTIONS};

const struct command graph_commands[] = {
    {"graph", "[NODE]", "What production is made of, now or then", graph_options, COUNT(graph_options), run_graph,
     "A node is kind:name, or a service's name alone; with one its edges and changes are shown."},
    {"impact", "SERVICE...", "What a change of these services would touch", impact_options, COUNT(impact_options), run_impact,
     "The ways by which harm travels, the widest first, as every decision records them."},
    {"calibration", "", "How predictions held against what came", calibration_options, COUNT(calibration_options),
     run_calibration,
     "Over executions whose outcome was watched. COVERAGE: of the services that were harmed, those that were predicted."},
    {0},
};
