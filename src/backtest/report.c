/*
 * backtest/report - what was counted, as one object: for people and programs alike.
 */
#include "backtest/backtest_internal.h"

#include "base/instant.h"
#include "value/json.h"

static const char *now_name(unsigned now)
{
    return now == NOW_UNDECIDABLE ? "not_decidable" : verdict_name((enum verdict)now);
}

/* --- which of them are of interest -------------------------------------------------------------------------------------- */

enum class {
    CLASS_STOPPED_HARM = 0, /* did harm, and is stopped or put before a person now */
    CLASS_LET_THROUGH,      /* did harm, and is allowed now where it was not */
    CLASS_BLOCKED_GOOD,     /* ended well, and is stopped or put before a person now */
    CLASS_STRICTER,
    CLASS_LOOSER,
    CLASS_UNDECIDABLE,
    CLASS_COUNT,
};

static const char *const class_names[CLASS_COUNT] = {
    "stopped_harm", "let_through_harm", "blocked_good", "stricter", "looser", "not_decidable",
};

static bool did_harm(const struct judged *j)
{
    return (j->outcome & OUTCOME_HARM) != 0;
}

static bool ended_well(const struct judged *j)
{
    return j->outcome == OUTCOME_GOOD;
}

static bool is_in(const struct judged *j, enum class c)
{
    bool stricter = j->now < j->before;
    bool looser = j->now != NOW_UNDECIDABLE && j->now > j->before;
    switch (c) {
    case CLASS_STOPPED_HARM: return did_harm(j) && stricter;
    case CLASS_LET_THROUGH: return did_harm(j) && looser && j->now == VERDICT_ALLOW;
    case CLASS_BLOCKED_GOOD: return ended_well(j) && stricter;
    case CLASS_STRICTER: return stricter;
    case CLASS_LOOSER: return looser;
    case CLASS_UNDECIDABLE: return j->now == NOW_UNDECIDABLE;
    case CLASS_COUNT: break;
    }
    return false;
}

/* --- examples -------------------------------------------------------------------------------------------------------------- */

static struct str reason_before(struct backtest *b, struct arena *a, const struct stored *s, int check)
{
    struct value body;
    struct decision d;
    if (check < 0 || json_parse(b->arena, s->body, &body, NULL) != RC_OK ||
        findings_read(value_get(&body, STR("findings")), &d, NULL) != RC_OK) {
        return STR("");
    }
    struct buf text;
    buf_init(&text, 4096);
    finding_text(&text, &d.findings[check]);
    struct str reason = arena_str(a, buf_view(&text));
    buf_done(&text);
    return reason;
}

static struct value side(struct arena *a, unsigned verdict, int check, struct str reason)
{
    struct value v = value_object();
    value_add_str(a, &v, STR("verdict"), str_from(now_name(verdict)));
    value_add(a, &v, STR("blocking_check"), check < 0 ? value_null() : value_string(check_str((enum check)check)));
    value_add(a, &v, STR("reason"), reason.len == 0 ? value_null() : value_string(reason));
    return v;
}

static struct str agent_name(const struct backtest *b, uint32_t row)
{
    return row == AGENT_ROW_PEOPLE    ? STR("(people)")
           : row == AGENT_ROW_UNKNOWN ? STR("(not registered)")
                                      : str_from(world_agent_at(b->world, row - AGENT_ROWS)->name);
}

static enum rc add_example(struct backtest *b, struct arena *a, const struct judged *j, struct value *list, struct err *e)
{
    struct stored stored;
    arena_reset(b->arena);
    enum rc rc = store_read(b->store, b->arena, j->id, &stored, e);
    if (rc != RC_OK) {
        return rc;
    }
    struct id_text id = id_format("act", j->id);
    struct str after = j->reason == MAP_NONE ? STR("") : arena_str(a, b->tally.reasons[j->reason]);
    struct value v = value_object();
    value_add_str(a, &v, STR("action_id"), arena_str(a, str_from(id.text)));
    value_add_instant(a, &v, STR("decided_at"), stored.entry.time_ms);
    value_add_str(a, &v, STR("agent"), arena_str(a, agent_name(b, j->agent)));
    value_add(a, &v, STR("before"), side(a, j->before, j->check_before, reason_before(b, a, &stored, j->check_before)));
    value_add(a, &v, STR("now"), side(a, j->now, j->check_now, after));
    value_push(a, list, v);
    return RC_OK;
}

static enum rc add_examples(struct backtest *b, struct arena *a, struct value *report, struct err *e)
{
    struct value all = value_object();
    for (unsigned c = 0; c < CLASS_COUNT; c++) {
        struct value list = value_array();
        for (uint64_t i = 0; i < b->tally.count && list.count < b->options->examples; i++) {
            enum rc rc = is_in(&b->tally.all[i], (enum class)c) ? add_example(b, a, &b->tally.all[i], &list, e) : RC_OK;
            if (rc != RC_OK) {
                return rc;
            }
        }
        value_add(a, &all, str_from(class_names[c]), list);
    }
    value_add(a, report, STR("examples"), all);
    return RC_OK;
}

/* --- counts ------------------------------------------------------------------------------------------------------------------ */

static void add_count(struct arena *a, struct value *v, const char *name, uint64_t n)
{
    value_add_int(a, v, str_from(name), (int64_t)n);
}

static void add_window(const struct backtest *b, struct arena *a, struct value *report)
{
    struct value v = value_object();
    value_add_instant(a, &v, STR("from"), b->options->from_ms);
    value_add_instant(a, &v, STR("until"), b->options->until_ms);
    add_count(a, &v, "first_seq", b->first);
    add_count(a, &v, "last_seq", b->end - 1);
    add_count(a, &v, "folded_from_seq", b->begun);
    value_add(a, report, STR("window"), v);
}

static void add_totals(const struct backtest *b, struct arena *a, struct value *report)
{
    uint64_t of[CLASS_COUNT] = {0};
    uint64_t harm[2] = {0}; /* all, not decidable */
    uint64_t good[2] = {0};
    for (uint64_t i = 0; i < b->tally.count; i++) {
        const struct judged *j = &b->tally.all[i];
        for (unsigned c = 0; c < CLASS_COUNT; c++) {
            of[c] += is_in(j, (enum class)c) ? 1 : 0;
        }
        uint64_t *side_of = did_harm(j) ? harm : ended_well(j) ? good : NULL;
        if (side_of != NULL) {
            side_of[0]++;
            side_of[1] += j->now == NOW_UNDECIDABLE ? 1 : 0;
        }
    }
    add_count(a, report, "decisions", b->tally.count);
    add_count(a, report, "changed", of[CLASS_STRICTER] + of[CLASS_LOOSER]);
    add_count(a, report, "stricter", of[CLASS_STRICTER]);
    add_count(a, report, "looser", of[CLASS_LOOSER]);
    add_count(a, report, "not_decidable", of[CLASS_UNDECIDABLE]);
    struct value v = value_object();
    add_count(a, &v, "actions", harm[0]);
    add_count(a, &v, "stopped", of[CLASS_STOPPED_HARM]);
    add_count(a, &v, "let_through", of[CLASS_LET_THROUGH]);
    add_count(a, &v, "not_decidable", harm[1]);
    value_add(a, report, STR("harm"), v);
    v = value_object();
    add_count(a, &v, "actions", good[0]);
    add_count(a, &v, "blocked", of[CLASS_BLOCKED_GOOD]);
    add_count(a, &v, "not_decidable", good[1]);
    value_add(a, report, STR("good"), v);
}

static void add_matrix(const struct tally *t, struct arena *a, struct value *report)
{
    struct value all = value_object();
    for (unsigned before = VERDICT_ALLOW + 1; before-- > 0;) {
        struct value row = value_object();
        for (unsigned now = VERDICT_ALLOW + 1; now-- > 0;) {
            add_count(a, &row, now_name(now), t->matrix[before][now]);
        }
        add_count(a, &row, now_name(NOW_UNDECIDABLE), t->matrix[before][NOW_UNDECIDABLE]);
        value_add(a, &all, verdict_str((enum verdict)before), row);
    }
    value_add(a, report, STR("matrix"), all);
}

static void add_checks(const struct tally *t, struct arena *a, struct value *report)
{
    struct value all = value_array();
    for (unsigned c = 0; c < CHECK_COUNT; c++) {
        const struct check_row *row = &t->checks[c];
        if (row->before + row->now + row->shadow + row->undecidable > 0) {
            struct value v = value_object();
            value_add_str(a, &v, STR("check"), check_str((enum check)c));
            add_count(a, &v, "blocked_before", row->before);
            add_count(a, &v, "blocked_now", row->now);
            add_count(a, &v, "shadow_now", row->shadow);
            add_count(a, &v, "not_decidable", row->undecidable);
            value_push(a, &all, v);
        }
    }
    value_add(a, report, STR("by_check"), all);
    add_count(a, report, "erased", t->erased);
}

static void add_rules(const struct tally *t, struct arena *a, struct value *report)
{
    struct value all = value_array();
    for (uint32_t i = 0; i < t->rule_count; i++) {
        const struct rule_row *row = &t->rules[i];
        struct value v = value_object();
        value_add_str(a, &v, STR("rule"), arena_str(a, row->name));
        value_add(a, &v, STR("mode"), row->mode == NULL ? value_null() : value_string(str_from(row->mode)));
        add_count(a, &v, "held_before", row->held_before);
        add_count(a, &v, "decided_before", row->decided_before);
        add_count(a, &v, "held", row->held);
        add_count(a, &v, "decided", row->decided);
        add_count(a, &v, "would_block", row->would_block);
        add_count(a, &v, "allowed_now", row->allowed_now);
        value_push(a, &all, v);
    }
    value_add(a, report, STR("by_rule"), all);
}

static void add_agents(const struct backtest *b, struct arena *a, struct value *report)
{
    struct value all = value_array();
    for (uint32_t i = 0; i < b->tally.agent_count; i++) {
        const struct agent_row *row = &b->tally.agents[i];
        if (row->decisions > 0) {
            struct value v = value_object();
            value_add_str(a, &v, STR("agent"), arena_str(a, agent_name(b, i)));
            add_count(a, &v, "decisions", row->decisions);
            add_count(a, &v, "changed", row->changed);
            add_count(a, &v, "stricter", row->stricter);
            add_count(a, &v, "looser", row->looser);
            add_count(a, &v, "not_decidable", row->undecidable);
            value_push(a, &all, v);
        }
    }
    value_add(a, report, STR("by_agent"), all);
}

static void add_gone(const struct tally *t, struct arena *a, struct value *report)
{
    static const char *const names[] = {"agents", "services", "tools"};
    struct value v = value_object();
    for (int i = 0; i < 3; i++) {
        value_add(a, &v, str_from(names[i]), value_copy(a, &t->gone_names[i]));
    }
    value_add(a, report, STR("only_in_force"), v);
}

enum rc report_make(struct backtest *b, struct arena *a, struct value *ret, struct err *e)
{
    *ret = value_object();
    add_window(b, a, ret);
    add_totals(b, a, ret);
    add_matrix(&b->tally, a, ret);
    add_checks(&b->tally, a, ret);
    add_rules(&b->tally, a, ret);
    add_agents(b, a, ret);
    add_gone(&b->tally, a, ret);
    enum rc rc = add_examples(b, a, ret, e);
    return rc == RC_OK && arena_rc(a) != RC_OK ? err_set(e, arena_rc(a), "the report is too large") : rc;
}
