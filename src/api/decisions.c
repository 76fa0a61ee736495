/*
 * api/decisions - decisions read back from the ledger, and judged again.
 */
#include "api/call.h"

static enum rc visible_decision(struct call *c, uint64_t seq, struct decision_record *r, struct err *e)
{
    enum rc rc = control_read_decision(c->control, c->arena, seq, r, e);
    if (rc != RC_OK || call_is_operator(c)) {
        return rc;
    }
    const struct world *w = control_world(c->control);
    bool own = c->who.agent != MAP_NONE &&
               str_eq(r->request.agent, str_from(world_agent_at(w, c->who.agent)->name));
    return own ? RC_OK : err_set(e, RC_NOT_FOUND, "there is no such decision");
}

enum rc decisions_get(struct call *c, struct err *e)
{
    uint64_t seq;
    struct decision_record record;
    enum rc rc = call_id(c, 0, "dec", &seq, e);
    rc = rc == RC_OK ? visible_decision(c, seq, &record, e) : rc;
    rc = rc == RC_OK ? control_complete(c->control, c->arena, true, &record, e) : rc;
    return rc == RC_OK ? call_reply(c, 200, render_record(c, &record, true)) : rc;
}

/* The newest decision of every action in memory. */
enum rc decisions_list(struct call *c, struct err *e)
{
    uint64_t after;
    uint64_t limit;
    enum rc rc = call_page(c, &after, &limit, e);
    struct value items = value_array();
    uint64_t last = 0;
    const struct action *action = NULL;
    while (rc == RC_OK && items.count < limit &&
           (action = world_action_next(control_world(c->control), action)) != NULL) {
        if (action->id <= after) {
            continue;
        }
        struct decision_record *record = arena_alloc(c->arena, sizeof *record);
        if (record == NULL) {
            return err_set(e, arena_rc(c->arena), "the reply is too large: ask for fewer");
        }
        rc = control_read_decision(c->control, c->arena, action->decided_seq, record, e);
        if (rc == RC_OK) {
            value_push(c->arena, &items, render_record(c, record, false));
        } else if (rc == RC_NOT_FOUND || rc == RC_GONE) {
            rc = RC_OK; /* its words were erased by policy */
        }
        last = action->id;
    }
    if (rc != RC_OK) {
        return rc;
    }
    bool full = items.count == limit;
    struct value v = value_object();
    value_add(c->arena, &v, STR("items"), items);
    value_add(c->arena, &v, STR("next"),
              full ? value_string(arena_printf(c->arena, "%llu", (unsigned long long)last)) : value_null());
    return call_reply(c, 200, v);
}

static bool same_findings(const struct decision *a, const struct decision *b)
{
    for (unsigned i = 0; i < CHECK_COUNT; i++) {
        const struct finding *x = &a->findings[i];
        const struct finding *y = &b->findings[i];
        if (x->verdict != y->verdict || x->reason != y->reason || x->shadow != y->shadow || x->waived != y->waived) {
            return false;
        }
    }
    return true;
}

enum rc decisions_explain(struct call *c, struct err *e)
{
    uint64_t seq;
    struct decision_record record;
    struct value rules;
    enum rc rc = call_id(c, 0, "dec", &seq, e);
    rc = rc == RC_OK ? visible_decision(c, seq, &record, e) : rc;
    rc = rc == RC_OK ? control_explain(c->control, c->arena, seq, &rules, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    struct value v = value_object();
    value_add_str(c->arena, &v, STR("decision_id"), id_str(c->arena, "dec", seq));
    value_add_str(c->arena, &v, STR("verdict"), verdict_str(record.decision.verdict));
    value_add_int(c->arena, &v, STR("policy_seq"), (int64_t)record.policy_seq);
    value_add(c->arena, &v, STR("rules"), rules);
    return call_reply(c, 200, v);
}

enum rc decisions_replay(struct call *c, struct err *e)
{
    uint64_t seq;
    struct decision_record record;
    struct decision again;
    enum rc rc = call_id(c, 0, "dec", &seq, e);
    rc = rc == RC_OK ? visible_decision(c, seq, &record, e) : rc;
    rc = rc == RC_OK ? control_replay(c->control, c->arena, seq, &record, &again, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    /* A commit's verdict is that of the findings after what the approval released. */
    bool same = same_findings(&record.decision, &again) &&
                (record.kind != ENTRY_ACTION_DECIDED || record.decision.verdict == again.verdict);
    struct value v = value_object();
    value_add_str(c->arena, &v, STR("decision_id"), id_str(c->arena, "dec", seq));
    value_add_bool(c->arena, &v, STR("same"), same);
    value_add_str(c->arena, &v, STR("recorded_verdict"), str_from(verdict_name(record.decision.verdict)));
    value_add_str(c->arena, &v, STR("replayed_verdict"), str_from(verdict_name(again.verdict)));
    value_add(c->arena, &v, STR("findings"), render_findings(c, &again, &record.facts));
    value_add_int(c->arena, &v, STR("policy_seq"), (int64_t)record.policy_seq);
    return call_reply(c, 200, v);
}
