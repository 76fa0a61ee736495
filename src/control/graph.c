/*
 * control/graph - what is said and seen of the graph becomes entries.
 */
#include "control/control_internal.h"

#include "model/graph_writing.h"

/* What a definition declares ends with it. */
static enum rc check_gone(const struct control *c, const struct graph_writing *w, struct err *e)
{
    for (uint32_t i = 0; i < w->node_count; i++) {
        const struct node_writing *n = &w->nodes[i];
        uint32_t at = n->gone && n->key.kind == NODE_SERVICE ? world_service_find(c->world, n->key.name) : (uint32_t)MAP_NONE;
        if (at != MAP_NONE && world_service_at(c->world, at)->def != NULL) {
            (void)err_set(e, RC_CONFLICT, "\"%.*s\" is declared: it goes with its definition", STR_ARG(n->key.name));
            err_step(e, "/nodes/%u", i);
            return RC_CONFLICT;
        }
    }
    return RC_OK;
}

enum rc control_graph_write(struct control *c, struct arena *a, const struct principal *p, const struct value *said,
                            const struct idempotency_key *k, uint64_t *ret_seq, struct err *e)
{
    struct value body = value_copy(a, said);
    struct graph_writing w;
    enum rc rc = redact_detail(c, a, &body, e);
    rc = rc == RC_OK ? graph_writing_read(a, &body, &w, e) : rc;
    rc = rc == RC_OK ? graph_writing_check(world_graph(c->world), &w, clock_now(c), e) : rc;
    rc = rc == RC_OK ? check_gone(c, &w, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    add_idempotency(a, &body, k);
    struct append what = {.kind = ENTRY_GRAPH_WRITTEN, .actor = str_from(p->actor), .body = body};
    return control_append(c, a, &what, ret_seq, e);
}

enum rc control_graph_observe(struct control *c, struct arena *a, const struct graph_observation *seen, struct err *e)
{
    enum rc rc = graph_observation_check(world_graph(c->world), seen, e);
    if (rc != RC_OK) {
        return rc;
    }
    struct append what = {.kind = ENTRY_GRAPH_OBSERVED, .actor = STR("system"), .body = graph_observation_write(a, seen)};
    struct blob_list beside = {0};
    uint64_t seq;
    rc = blobs_take_from(a, &what.body, STR("traffic"), &beside, e);
    if (rc != RC_OK) {
        return rc;
    }
    what.blobs = beside.all;
    what.blob_count = beside.count;
    return control_append(c, a, &what, &seq, e);
}

enum rc control_read_observation(struct control *c, struct arena *a, uint64_t seq, struct graph_observation *ret,
                                 struct err *e)
{
    struct entry entry;
    struct value body;
    struct value whole;
    enum rc rc = control_read_entry(c, a, seq, &entry, &body, e);
    rc = rc == RC_OK ? blobs_put_back(c, a, seq, &body, &whole, e) : rc;
    return rc == RC_OK ? graph_observation_read(a, &whole, ret, e) : rc;
}
