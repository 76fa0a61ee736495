/*
 * backtest/tally - what is counted, and each decision before and now.
 */
#include "backtest/backtest_internal.h"

#include "base/must.h"

#include <stdlib.h>
#include <string.h>

enum { REASON_TEXT_MAX = 2048 };

enum rc tally_init(struct tally *t, struct arena *kept, struct err *e)
{
    memset(t, 0, sizeof *t);
    t->kept = kept;
    strmap_init(&t->rule_index, 0);
    for (int i = 0; i < 3; i++) {
        strmap_init(&t->gone[i], 0);
        t->gone_names[i] = value_array();
    }
    t->rules = arena_array(kept, BACKTEST_RULES_MAX, sizeof *t->rules);
    t->reasons = arena_array(kept, BACKTEST_REASONS_MAX, sizeof *t->reasons);
    return arena_rc(kept) == RC_OK ? RC_OK : err_set(e, arena_rc(kept), "out of memory");
}

void tally_done(struct tally *t)
{
    free(t->all);
    free(t->agents);
    strmap_done(&t->rule_index);
    for (int i = 0; i < 3; i++) {
        strmap_done(&t->gone[i]);
    }
}

/* --- names --------------------------------------------------------------------------------------------------------- */

static enum rc no_memory(struct err *e)
{
    return err_set(e, RC_NO_MEMORY, "out of memory");
}

/* Null: there is no room for more names. */
static struct rule_row *rule_row(struct tally *t, struct str name)
{
    must(t->rules != NULL);
    uint32_t at = strmap_get(&t->rule_index, name);
    if (at == MAP_NONE && t->rule_count < BACKTEST_RULES_MAX) {
        at = t->rule_count;
        t->rules[at].name = arena_str(t->kept, name);
        if (arena_rc(t->kept) != RC_OK || strmap_put(&t->rule_index, t->rules[at].name, at) != RC_OK) {
            return NULL;
        }
        t->rule_count++;
    }
    return at == MAP_NONE ? NULL : &t->rules[at];
}

enum rc tally_rules(struct tally *t, const struct policy *p, struct err *e)
{
    for (uint32_t i = 0; i < t->rule_count; i++) {
        t->rules[i].mode = NULL;
    }
    for (uint32_t i = 0; p != NULL && i < p->rule_count; i++) {
        struct rule_row *row = rule_row(t, p->rules[i].name);
        if (row != NULL) {
            row->mode = check_mode_name((enum check_mode)p->rules[i].mode);
        }
    }
    return arena_rc(t->kept) == RC_OK ? RC_OK : no_memory(e);
}

struct names {
    const char *first; /* of the rows; the name stands at their begin */
    size_t size;
    uint32_t count;
};

static struct str name_at(const struct names *n, uint32_t i)
{
    return *(const struct str *)(const void *)(n->first + i * n->size);
}

static enum rc add_gone(struct tally *t, int kind, const struct names *was, const struct names *is, struct err *e)
{
    struct strmap now;
    strmap_init(&now, 0);
    enum rc rc = RC_OK;
    for (uint32_t i = 0; rc == RC_OK && i < is->count; i++) {
        rc = strmap_put(&now, name_at(is, i), i);
    }
    for (uint32_t i = 0; rc == RC_OK && i < was->count; i++) {
        struct str name = name_at(was, i);
        if (strmap_get(&now, name) == MAP_NONE && strmap_get(&t->gone[kind], name) == MAP_NONE) {
            struct str kept = arena_str(t->kept, name);
            value_push(t->kept, &t->gone_names[kind], value_string(kept));
            rc = arena_rc(t->kept) == RC_OK ? strmap_put(&t->gone[kind], kept, i) : arena_rc(t->kept);
        }
    }
    strmap_done(&now);
    return rc == RC_OK ? RC_OK : err_set(e, rc, "out of memory");
}

enum rc tally_gone(struct tally *t, const struct policy *in_force, const struct policy *other, struct err *e)
{
    if (in_force == NULL || other == NULL) {
        return RC_OK;
    }
#define NAMES(list, number) {(const char *)(const void *)(list), sizeof *(list), (number)}
    const struct names was[3] = {NAMES(in_force->agents, in_force->agent_count), NAMES(in_force->services, in_force->service_count),
                                 NAMES(in_force->tools, in_force->tool_count)};
    const struct names is[3] = {NAMES(other->agents, other->agent_count), NAMES(other->services, other->service_count),
                                NAMES(other->tools, other->tool_count)};
#undef NAMES
    enum rc rc = RC_OK;
    for (int i = 0; rc == RC_OK && i < 3; i++) {
        rc = add_gone(t, i, &was[i], &is[i], e);
    }
    return rc;
}

/* --- counting ------------------------------------------------------------------------------------------------------- */

static enum rc agent_rows(struct tally *t, uint32_t row, struct err *e)
{
    if (row < t->agent_count) {
        return RC_OK;
    }
    uint32_t count = row + 64;
    struct agent_row *grown = realloc(t->agents, count * sizeof *grown);
    if (grown == NULL) {
        return no_memory(e);
    }
    memset(grown + t->agent_count, 0, (count - t->agent_count) * sizeof *grown);
    t->agents = grown;
    t->agent_count = count;
    return RC_OK;
}

static void count_agent(struct agent_row *row, const struct judged *j)
{
    row->decisions++;
    row->undecidable += j->now == NOW_UNDECIDABLE ? 1 : 0;
    row->changed += j->now != NOW_UNDECIDABLE && j->now != j->before ? 1 : 0;
    row->stricter += j->now < j->before ? 1 : 0;
    row->looser += j->now != NOW_UNDECIDABLE && j->now > j->before ? 1 : 0;
}

static void count_checks(struct tally *t, const struct judgement *j, const struct decision *d)
{
    if (j->blocking_before >= 0) {
        t->checks[j->blocking_before].before++;
    }
    t->erased += j->erased ? 1 : 0;
    if (j->erased) {
        return; /* it was not judged */
    }
    if (j->blocking >= 0 && !j->undecidable) {
        t->checks[j->blocking].now++;
    }
    for (unsigned c = 0; c < CHECK_COUNT; c++) {
        t->checks[c].shadow += d->findings[c].shadow ? 1 : 0;
        t->checks[c].undecidable += j->lacking >> c & 1;
    }
}

/* The rule that a recorded decision was blocked by. */
static struct str rule_before(const struct judgement *j)
{
    const struct value *findings = value_get(j->body, STR("findings"));
    struct decision d;
    return j->blocking_before == CHECK_RULES && findings_read(findings, &d, NULL) == RC_OK ? d.findings[CHECK_RULES].subject
                                                                                           : STR("");
}

static void count_rules_before(struct tally *t, const struct judgement *j)
{
    const struct value *held = value_get(j->body, STR("rules"));
    for (uint32_t i = 0; value_item(held, i) != NULL; i++) {
        struct rule_row *row = rule_row(t, value_text(value_item(value_item(held, i), 0)));
        if (row != NULL) {
            row->held_before++;
        }
    }
    struct rule_row *row = j->blocking_before == CHECK_RULES ? rule_row(t, rule_before(j)) : NULL;
    if (row != NULL) {
        row->decided_before++;
        row->allowed_now += !j->undecidable && j->now == VERDICT_ALLOW ? 1 : 0;
    }
}

static void count_rules(struct tally *t, const struct judgement *j, const struct decision *d)
{
    count_rules_before(t, j);
    for (unsigned i = 0; !j->erased && i < d->rule_count; i++) {
        struct rule_row *row = rule_row(t, d->rules[i].rule);
        if (row != NULL) {
            row->held++;
            row->would_block += j->before == VERDICT_ALLOW && d->rules[i].verdict != VERDICT_ALLOW ? 1 : 0;
            row->decided += !j->undecidable && j->blocking == CHECK_RULES &&
                                    str_eq(d->findings[CHECK_RULES].subject, d->rules[i].rule)
                                ? 1
                                : 0;
        }
    }
}

/* --- one decision ---------------------------------------------------------------------------------------------------- */

static enum rc make_room(struct tally *t, struct err *e)
{
    if (t->count < t->capacity) {
        return RC_OK;
    }
    if (t->count == BACKTEST_ACTIONS_MAX) {
        return err_set(e, RC_LIMIT, "more than %d decisions: choose a shorter window", BACKTEST_ACTIONS_MAX);
    }
    uint64_t capacity = t->capacity == 0 ? 4096 : t->capacity * 2;
    struct judged *grown = realloc(t->all, capacity * sizeof *grown);
    if (grown == NULL) {
        return no_memory(e);
    }
    t->all = grown;
    t->capacity = capacity;
    return RC_OK;
}

static uint32_t keep_reason(struct tally *t, const struct judgement *j, const struct decision *d)
{
    if (j->blocking < 0 || t->reason_count == BACKTEST_REASONS_MAX) {
        return MAP_NONE;
    }
    struct buf text;
    buf_init(&text, REASON_TEXT_MAX);
    finding_text(&text, &d->findings[j->blocking]);
    t->reasons[t->reason_count] = arena_str(t->kept, buf_view(&text));
    buf_done(&text);
    return t->reason_count++;
}

enum rc tally_add(struct tally *t, uint64_t id, uint32_t agent_row, const struct judgement *j, const struct decision *d,
                  struct err *e)
{
    must(t->count == 0 || t->all[t->count - 1].id < id);
    enum rc rc = make_room(t, e);
    rc = rc == RC_OK ? agent_rows(t, agent_row, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    struct judged *one = &t->all[t->count++];
    *one = (struct judged){.id = id,
                           .agent = agent_row,
                           .reason = MAP_NONE,
                           .before = (uint8_t)j->before,
                           .now = j->undecidable ? (uint8_t)NOW_UNDECIDABLE : (uint8_t)j->now,
                           .check_before = (int8_t)j->blocking_before,
                           .check_now = j->undecidable ? NO_CHECK : (int8_t)j->blocking};
    if (!j->undecidable && one->now != one->before) {
        one->reason = keep_reason(t, j, d);
    }
    t->matrix[one->before][one->now]++;
    count_agent(&t->agents[agent_row], one);
    count_checks(t, j, d);
    count_rules(t, j, d);
    return arena_rc(t->kept) == RC_OK ? RC_OK : no_memory(e);
}

void tally_outcome(struct tally *t, uint64_t id, unsigned outcome)
{
    uint64_t low = 0;
    uint64_t high = t->count;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (t->all[middle].id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low < t->count && t->all[low].id == id) {
        t->all[low].outcome |= (uint8_t)outcome;
    }
}
