/*
 * backtest - walks the ledger: folds it, makes its decisions again, looks at what came of them.
 */
#include "backtest/backtest_internal.h"

#include "base/instant.h"
#include "base/must.h"
#include "control/fold.h"
#include "value/json.h"

#include <inttypes.h>
#include <string.h>

enum {
    ENTRY_ARENA_MAX = 64 << 20,
    KEPT_ARENA_MAX = 256 << 20,
    PROGRESS_STEP = 4096, /* entries */
};

/* --- outcomes --------------------------------------------------------------------------------------------------------- */

static unsigned outcome_of(enum entry_kind kind, const struct value *body)
{
    switch (kind) {
    case ENTRY_ACTION_FINISHED:
        return str_eq(value_text(value_get(body, STR("result"))), STR("succeeded")) ? OUTCOME_GOOD : OUTCOME_HARM;
    case ENTRY_ACTION_VERIFIED: return OUTCOME_GOOD;
    case ENTRY_ACTION_VIOLATED:
    case ENTRY_REVERT_STARTED:
    case ENTRY_REVERT_FINISHED: return OUTCOME_HARM;
    default: return 0;
    }
}

static void look_at_outcome(struct backtest *b, const struct stored *s, const struct value *body)
{
    unsigned outcome = outcome_of(s->entry.kind, body);
    uint64_t id;
    if (outcome != 0 && s->entry.ref_count > 0 && id_parse(s->entry.refs[0], "act", &id)) {
        tally_outcome(&b->tally, id, outcome);
    }
}

/* --- entries ------------------------------------------------------------------------------------------------------------ */

static void tell(const struct backtest *b, uint64_t seq)
{
    if (b->options->progress != NULL && seq % PROGRESS_STEP == 0) {
        b->options->progress(b->options->context, seq - b->begun, b->size - b->begun);
    }
}

#define COUNT(array) (sizeof(array) / sizeof *(array))

/*
 * What neither the world nor a judgement reads. The longest part of a decision, its findings, is what only one that blocks
 * is asked for (it is read whole then), and never a commit. Of the facts those are read that were measured or answered
 * outside: signals, validators. The others the world still knows.
 */
static const struct str decided_names[] = {{"findings", 8}, {"agent_version", 13}, {"tool_version", 12}, {"policy", 6}, {"target", 6}};
static const struct str facts_names[] = {{"aqdd", 4}, {"blast", 5}, {"her", 3}, {"agent", 5}, {"tier", 4}};
static const struct json_unread unread_decided = {decided_names, COUNT(decided_names), {"facts", 5}, facts_names, COUNT(facts_names)};
static const struct json_unread unread_committed = {decided_names, 1, {"", 0}, NULL, 0};

static enum rc read_body(struct backtest *b, const struct stored *s, struct value *ret, struct err *e)
{
    arena_reset(b->arena);
    if (s->erased) {
        return err_set(e, RC_CORRUPT, "entry %" PRIu64 " is erased: no window that begins before it can be read", s->seq);
    }
    bool decided = s->entry.kind == ENTRY_ACTION_DECIDED;
    const struct json_unread *unread = decided                                        ? &unread_decided
                                       : s->entry.kind == ENTRY_ACTION_COMMITTED ? &unread_committed
                                                                                   : NULL;
    enum rc rc = json_parse_without(b->arena, s->body, unread, ret, e);
    if (rc == RC_OK && decided && !str_eq(value_text(value_get(ret, STR("verdict"))), STR("allow"))) {
        rc = json_parse(b->arena, s->body, ret, e);
    }
    return rc == RC_INVALID ? err_wrap(e, RC_CORRUPT, "entry %" PRIu64, s->seq) : rc;
}

/* Policies and definitions are applied to a world that nothing lies over. */
static bool changes_catalogue(enum entry_kind kind)
{
    return kind == ENTRY_POLICY_LOADED || kind == ENTRY_AGENT_REGISTERED || kind == ENTRY_SERVICE_DECLARED ||
           kind == ENTRY_TOOL_DECLARED;
}

static enum rc begin_judging(struct backtest *b, struct err *e)
{
    enum rc rc = other_begin(&b->other, b->world, e);
    rc = rc == RC_OK ? tally_rules(&b->tally, b->other.policy, e) : rc;
    return rc == RC_OK ? tally_gone(&b->tally, world_policy(b->world), b->other.policy, e) : rc;
}

static enum rc apply(struct backtest *b, const struct stored *s, const struct value *body, struct err *e)
{
    struct str text = STR("");
    enum rc rc = RC_OK;
    if (s->entry.kind == ENTRY_POLICY_LOADED) {
        rc = fold_policy_text(b->store, b->arena, body, &text, e);
    }
    return rc == RC_OK ? world_apply(b->world, &s->entry, body, text, e) : rc;
}

static enum rc fold_one(void *context, const struct stored *s, struct err *e)
{
    struct backtest *b = context;
    struct value body;
    tell(b, s->seq);
    enum rc rc = read_body(b, s, &body, e);
    return rc == RC_OK ? apply(b, s, &body, e) : rc;
}

static enum rc walk_one(void *context, const struct stored *s, struct err *e)
{
    struct backtest *b = context;
    struct value body;
    bool changes = changes_catalogue(s->entry.kind);
    tell(b, s->seq);
    enum rc rc = read_body(b, s, &body, e);
    if (rc == RC_OK && changes) {
        rc = other_end(&b->other, b->world, e);
    }
    if (rc == RC_OK && s->entry.kind == ENTRY_ACTION_DECIDED) {
        rc = judge_entry(b, s, &body, e);
    }
    look_at_outcome(b, s, rc == RC_OK ? &body : NULL);
    rc = rc == RC_OK ? apply(b, s, &body, e) : rc;
    return rc == RC_OK && changes ? begin_judging(b, e) : rc;
}

/* Behind the window only what came of its actions matters. */
static enum rc look_one(void *context, const struct stored *s, struct err *e)
{
    struct backtest *b = context;
    struct value body = value_null();
    enum rc rc = RC_OK;
    tell(b, s->seq);
    if (s->entry.kind == ENTRY_ACTION_FINISHED && !s->erased) {
        rc = read_body(b, s, &body, e);
    }
    if (rc == RC_OK && !(s->erased && s->entry.kind == ENTRY_ACTION_FINISHED)) {
        look_at_outcome(b, s, &body);
    }
    return rc;
}

/* --- all of it ------------------------------------------------------------------------------------------------------------ */

static enum rc find_window(struct backtest *b, struct err *e)
{
    enum rc rc = store_size(b->store, &b->size, e);
    rc = rc == RC_OK ? window_find(b, b->options->from_ms, &b->first, e) : rc;
    return rc == RC_OK ? window_find(b, b->options->until_ms, &b->end, e) : rc;
}

static enum rc nothing_decided(const struct backtest *b, struct err *e)
{
    char from[INSTANT_TEXT_LEN + 1] = {0};
    char until[INSTANT_TEXT_LEN + 1] = {0};
    instant_format(b->options->from_ms, from);
    instant_format(b->options->until_ms, until);
    return err_set(e, RC_NOT_FOUND, "no action%s was decided from %s to %s", b->options->agent_count > 0 ? " of these agents" : "",
                   from, until);
}

static enum rc walk(struct backtest *b, struct err *e)
{
    enum rc rc = fold_begin(0, b->store, b->first, &b->world, &b->begun, e);
    if (rc == RC_OK && b->begun < b->first) {
        rc = store_walk(b->store, b->begun, b->first - 1, fold_one, b, e);
    }
    rc = rc == RC_OK ? begin_judging(b, e) : rc;
    rc = rc == RC_OK ? store_walk(b->store, b->first, b->end - 1, walk_one, b, e) : rc;
    if (rc == RC_OK && b->end < b->size) {
        rc = store_walk(b->store, b->end, b->size - 1, look_one, b, e);
    }
    return rc == RC_OK && b->tally.count == 0 ? nothing_decided(b, e) : rc;
}

static enum rc run(struct backtest *b, struct arena *a, struct value *ret, struct err *e)
{
    enum rc rc = tally_init(&b->tally, b->kept, e);
    rc = rc == RC_OK ? find_window(b, e) : rc;
    if (rc == RC_OK && b->first >= b->end) {
        rc = nothing_decided(b, e);
    }
    rc = rc == RC_OK ? walk(b, e) : rc;
    return rc == RC_OK ? report_make(b, a, ret, e) : rc;
}

enum rc backtest_run(struct store *s, const struct backtest_options *o, struct arena *a, struct value *ret, struct err *e)
{
    must(o->examples <= BACKTEST_EXAMPLES_MAX && (o->policy != NULL || o->rules_count > 0));
    CLEANUP(arena) struct arena *entry = arena_new(ENTRY_ARENA_MAX);
    CLEANUP(arena) struct arena *kept = arena_new(KEPT_ARENA_MAX);
    struct backtest *b = kept == NULL ? NULL : arena_alloc(kept, sizeof *b);
    if (entry == NULL || b == NULL) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    b->store = s;
    b->options = o;
    b->arena = entry;
    b->kept = kept;
    b->other.options = o;
    recorded_init(&b->recorded);
    enum rc rc = run(b, a, ret, e);
    tally_done(&b->tally);
    recorded_done(&b->recorded);
    world_free(b->world);
    other_done(&b->other);
    return rc;
}
