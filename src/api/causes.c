/*
 * api/causes - what explains what a service suffers, from the graph and the traffic that the ledger holds.
 *
 * Of each part of the time around it a bounded number of observations is read, evenly spread: the loop waits for them.
 */
#include "api/call.h"

#include "cause/case_file.h"

enum {
    CAUSES_READ_MAX = 40,         /* entries of each part */
    CAUSES_ENTRY_MEMORY = 64 << 20, /* bytes */
    CAUSES_WINDOW_MIN_S = 1,
    CAUSES_WINDOW_MAX_S = 86400,
};

static enum rc read_one(struct call *c, struct case_file *q, const struct observed_span *s, enum traffic_part part, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(CAUSES_ENTRY_MEMORY);
    struct graph_observation o;
    if (a == NULL) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    enum rc rc = control_read_observation(c->control, a, s->seq, &o, e);
    if (rc == RC_OK) {
        case_file_traffic(q, arena_printf(a, "%llu", (unsigned long long)s->seq), part, &o);
    }
    /* What was erased by the rule of retention must not be missed. */
    return rc == RC_GONE ? RC_OK : rc;
}

/* The k-th of count is the last of its share, when so many are taken. */
static bool is_taken(uint32_t k, uint32_t count)
{
    return count <= CAUSES_READ_MAX ||
           (uint64_t)k * CAUSES_READ_MAX / count != ((uint64_t)k + 1) * CAUSES_READ_MAX / count;
}

static enum rc read_traffic(struct call *c, struct case_file *q, const struct causes_question *asked, struct err *e)
{
    const struct world *w = control_world(c->control);
    uint32_t count[TRAFFIC_PARTS] = {0};
    uint32_t seen[TRAFFIC_PARTS] = {0};
    enum traffic_part part;
    for (uint32_t i = 0; i < world_observed_count(w); i++) {
        const struct observed_span s = world_observed_at(w, i);
        if (traffic_part_of(s.from_ms, s.to_ms, asked->at_ms, asked->window_ms, &part)) {
            count[part]++;
        }
    }
    enum rc rc = RC_OK;
    for (uint32_t i = 0; i < world_observed_count(w) && rc == RC_OK; i++) {
        const struct observed_span s = world_observed_at(w, i);
        if (traffic_part_of(s.from_ms, s.to_ms, asked->at_ms, asked->window_ms, &part) && is_taken(seen[part]++, count[part])) {
            rc = read_one(c, q, &s, part, e);
        }
    }
    return rc;
}

static enum rc read_question(struct call *c, struct causes_question *ret, struct err *e)
{
    const struct graph *g = world_graph(control_world(c->control));
    struct str text = STR("");
    if (!http_query(c->x, "service", &text) || text.len == 0) {
        return err_at(e, RC_INVALID, STR("/service"), "expected a node of the graph");
    }
    ret->node = graph_find_key(g, text);
    if (ret->node == MAP_NONE) {
        return err_at(e, RC_NOT_FOUND, STR("/service"), "the graph has no node \"%.*s\"", STR_ARG(str_slice(text, 0, GRAPH_NAME_MAX)));
    }
    ret->metric = STR("");
    (void)http_query(c->x, "metric", &ret->metric);
    ret->at_ms = control_now(c->control);
    if (http_query(c->x, "at", &text) && !instant_parse(text, &ret->at_ms)) {
        return err_at(e, RC_INVALID, STR("/at"), "expected a moment of RFC 3339");
    }
    int64_t seconds = CASE_FILE_WINDOW_MS / SECOND_MS;
    if (http_query(c->x, "window_s", &text) &&
        (!str_to_i64(text, &seconds) || seconds < CAUSES_WINDOW_MIN_S || seconds > CAUSES_WINDOW_MAX_S)) {
        return err_at(e, RC_INVALID, STR("/window_s"), "expected %d to %d", CAUSES_WINDOW_MIN_S, CAUSES_WINDOW_MAX_S);
    }
    ret->window_ms = seconds * SECOND_MS;
    return RC_OK;
}

enum rc causes_of(struct call *c, const struct causes_question *asked, struct value *ret, struct err *e)
{
    struct graph_view v;
    CLEANUP(case_file) struct case_file *q = NULL;
    enum rc rc = graph_view_at(world_graph(control_world(c->control)), asked->at_ms, &v, e);
    rc = rc == RC_OK ? case_file_new(&v, asked->node, asked->at_ms, &q, e) : rc;
    rc = rc == RC_OK ? read_traffic(c, q, asked, e) : rc;
    return rc == RC_OK ? case_file_report(q, c->arena, asked->metric, ret, e) : rc;
}

enum rc causes_get(struct call *c, struct err *e)
{
    struct causes_question asked;
    struct value v;
    enum rc rc = read_question(c, &asked, e);
    rc = rc == RC_OK ? causes_of(c, &asked, &v, e) : rc;
    return rc == RC_OK ? call_reply(c, 200, v) : rc;
}
