#include "cause/case_file.h"

#include "cause/cause.h"
#include "cause/from_graph.h"

#include <stdlib.h>

static const double not_known = __builtin_nan("");

struct case_file {
    struct evidence *ev;
    struct question question;
    uint32_t windows[TRAFFIC_PARTS];
};

bool traffic_part_of(int64_t from_ms, int64_t to_ms, int64_t at_ms, int64_t window_ms, enum traffic_part *ret)
{
    int64_t middle = from_ms + (to_ms - from_ms) / 2 - at_ms;
    if (middle > CASE_FILE_AFTER * window_ms || middle < -(2 + CASE_FILE_NORMAL) * window_ms) {
        return false;
    }
    *ret = middle >= -window_ms ? TRAFFIC_INCIDENT : middle >= -2 * window_ms ? TRAFFIC_BEFORE : TRAFFIC_NORMAL;
    return true;
}

enum rc case_file_new(const struct graph_view *v, uint32_t node, int64_t at_ms, struct case_file **ret, struct err *e)
{
    struct case_file *q = calloc(1, sizeof *q);
    *ret = q;
    if (q == NULL || (q->ev = evidence_new(CASE_FILE_MEMORY_MAX)) == NULL) {
        case_file_free(q);
        *ret = NULL;
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    const struct graph_part part = {node, at_ms - CASE_FILE_CHANGES_MS, at_ms + 1};
    q->question.at_ms = at_ms;
    /* What fails here is told at the end. */
    q->question.service = evidence_of_graph(q->ev, v, &part);
    uint32_t client = evidence_node(q->ev, STR("client"));
    if (client != MAP_NONE) {
        q->ev->nodes[client].outside = true;
    }
    return RC_OK;
}

void case_file_free(struct case_file *q)
{
    if (q != NULL) {
        evidence_free(q->ev);
        free(q);
    }
}

/* The node that "kind:name" is in the evidence: with its kind where another kind has the name already. */
static uint32_t node_of(struct case_file *q, struct str key)
{
    struct node_key k;
    uint32_t at = evidence_find(q->ev, key);
    if (at != MAP_NONE || !node_key_read(key, &k)) {
        return at != MAP_NONE ? at : evidence_node(q->ev, key);
    }
    return evidence_node(q->ev, k.name);
}

static double mean(int64_t sum, int64_t n, double scale)
{
    return n == 0 ? not_known : (double)sum / (double)n * scale;
}

void case_file_traffic(struct case_file *q, struct str name, enum traffic_part part, const struct graph_observation *o)
{
    static const enum role roles[TRAFFIC_PARTS] = {ROLE_NORMAL, ROLE_BEFORE, ROLE_INCIDENT};
    uint32_t window = evidence_window(q->ev, name, roles[part]);
    q->windows[part]++;
    if (window != MAP_NONE) {
        q->ev->windows[window].length_ms = o->to_ms - o->from_ms;
    }
    for (uint32_t i = 0; i < o->call_count; i++) {
        const struct call_row *x = &o->calls[i];
        struct call c = {.window = window,
                         .caller = node_of(q, x->caller),
                         .callee = node_of(q, x->callee),
                         .operation = evidence_word(q->ev, x->operation),
                         .count = (double)x->n,
                         .latency_ms = mean(x->total_us, x->n, 1e-3),
                         .self_ms = mean(x->self_us, x->n, 1e-3),
                         .net_ms = x->net_us == 0 ? not_known : mean(x->net_us, x->n, 1e-3),
                         .children = mean(x->children, x->n, 1.0),
                         .errors = (double)x->errors};
        evidence_call(q->ev, &c);
    }
}

enum rc case_file_report(struct case_file *q, struct arena *a, struct str metric, struct value *ret, struct err *e)
{
    static const char *const parts[TRAFFIC_PARTS] = {"normal", "before", "incident"};
    struct report r;
    if (metric.len > 0 && !symptom_parse(metric, &q->question.symptom)) {
        return err_set(e, RC_INVALID, "expected latency, availability or any");
    }
    enum rc rc = evidence_settle(q->ev, e);
    rc = rc == RC_OK ? cause_find(a, q->ev, &q->question, &r, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    struct value v = report_value(a, q->ev, &q->question, &r);
    struct value windows = value_object();
    for (unsigned i = 0; i < TRAFFIC_PARTS; i++) {
        value_add_int(a, &windows, str_from(parts[i]), q->windows[i]);
    }
    value_add(a, &v, STR("windows"), windows);
    /* Names are the evidence's, which goes. */
    *ret = value_copy(a, &v);
    return arena_rc(a) == RC_OK ? RC_OK : err_set(e, arena_rc(a), "the report takes too much memory");
}
