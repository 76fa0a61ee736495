/*
 * api/causes - what explains what a service suffers, from the graph and the traffic that the ledger holds.
 *
 * Of each part of the time around it a bounded number of observations is read, evenly spread: the loop waits for them.
 */
#include "api/call.h"

#include "cause/inquiry.h"

enum {
    CAUSES_READ_MAX = 40,         /* entries of each part */
    CAUSES_ENTRY_MEMORY = 64 << 20, /* bytes */
};

struct asked {
    uint32_t node;
    int64_t at_ms;
    struct str metric;
};

static enum rc read_one(struct call *c, struct inquiry *q, const struct observed_span *s, enum traffic_part part, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(CAUSES_ENTRY_MEMORY);
    struct graph_observation o;
    if (a == NULL) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    enum rc rc = control_read_observation(c->control, a, s->seq, &o, e);
    if (rc == RC_OK) {
        inquiry_traffic(q, arena_printf(a, "%llu", (unsigned long long)s->seq), part, &o);
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

static enum rc read_traffic(struct call *c, struct inquiry *q, int64_t at_ms, struct err *e)
{
    const struct world *w = control_world(c->control);
    uint32_t count[TRAFFIC_PARTS] = {0};
    uint32_t seen[TRAFFIC_PARTS] = {0};
    enum traffic_part part;
    for (uint32_t i = 0; i < world_observed_count(w); i++) {
        const struct observed_span s = world_observed_at(w, i);
        if (traffic_part_of(s.from_ms, s.to_ms, at_ms, &part)) {
            count[part]++;
        }
    }
    enum rc rc = RC_OK;
    for (uint32_t i = 0; i < world_observed_count(w) && rc == RC_OK; i++) {
        const struct observed_span s = world_observed_at(w, i);
        if (traffic_part_of(s.from_ms, s.to_ms, at_ms, &part) && is_taken(seen[part]++, count[part])) {
            rc = read_one(c, q, &s, part, e);
        }
    }
    return rc;
}

static enum rc read_question(struct call *c, struct asked *ret, struct err *e)
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
    return RC_OK;
}

enum rc causes_of(struct call *c, uint32_t node, int64_t at_ms, struct str metric, struct value *ret, struct err *e)
{
    struct graph_view v;
    CLEANUP(inquiry) struct inquiry *q = NULL;
    enum rc rc = graph_view_at(world_graph(control_world(c->control)), at_ms, &v, e);
    rc = rc == RC_OK ? inquiry_new(&v, node, at_ms, &q, e) : rc;
    rc = rc == RC_OK ? read_traffic(c, q, at_ms, e) : rc;
    return rc == RC_OK ? inquiry_report(q, c->arena, metric, ret, e) : rc;
}

enum rc causes_get(struct call *c, struct err *e)
{
    struct asked asked;
    struct value v;
    enum rc rc = read_question(c, &asked, e);
    rc = rc == RC_OK ? causes_of(c, asked.node, asked.at_ms, asked.metric, &v, e) : rc;
    return rc == RC_OK ? call_reply(c, 200, v) : rc;
}
