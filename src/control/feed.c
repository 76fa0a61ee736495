#include "control/feed.h"

#include "base/must.h"
#include "control/control_internal.h"

#include <stdlib.h>

/* One event that waits for its entry to be durable. */
struct slot {
    enum feed_event event;
    uint32_t agent; /* of a breaker */
    uint64_t seq;
    uint64_t from; /* of FEED_LOST: the oldest that was left out */
    int64_t time_ms;
};

struct subscriber {
    feed_fn fn; /* null: free */
    void *context;
};

struct feed {
    struct subscriber subscribers[FEED_SUBSCRIBERS_MAX];
    struct slot slots[FEED_MAX]; /* ring */
    uint32_t first;
    uint32_t count;
};

/* --- which entries ------------------------------------------------------------------------------------------ */

enum interest { NOBODY = 0, EVERYBODY, WHEN_ESCALATED, WHEN_BAD, WHEN_BROKEN };

static const struct {
    enum interest interest;
    const char *prefix; /* of the id that the entry itself creates; null: it names one in refs */
} rows[ENTRY_KIND_COUNT] = {
    [ENTRY_ACTION_DECIDED] = {WHEN_ESCALATED, "act"},
    [ENTRY_ACTION_REDECIDED] = {WHEN_ESCALATED, NULL},
    [ENTRY_ACTION_COMMITTED] = {WHEN_BROKEN, NULL},
    [ENTRY_ACTION_FINISHED] = {WHEN_BAD, NULL},
    [ENTRY_ACTION_LOST] = {EVERYBODY, NULL},
    [ENTRY_ACTION_CANCELLED] = {EVERYBODY, NULL},
    [ENTRY_ACTION_EXPIRED] = {EVERYBODY, NULL},
    [ENTRY_APPROVAL_GRANTED] = {EVERYBODY, NULL},
    [ENTRY_APPROVAL_REJECTED] = {EVERYBODY, NULL},
    [ENTRY_OVERRIDE_GRANTED] = {EVERYBODY, NULL},
    [ENTRY_ACTION_VIOLATED] = {EVERYBODY, NULL},
    [ENTRY_REVERT_STARTED] = {EVERYBODY, NULL},
    [ENTRY_REVERT_FINISHED] = {EVERYBODY, NULL},
    [ENTRY_INCIDENT_CLOSED] = {EVERYBODY, NULL},
    [ENTRY_STOP_SET] = {EVERYBODY, "stp"},
    [ENTRY_STOP_LIFTED] = {EVERYBODY, NULL},
    [ENTRY_STOP_CONFIRMED] = {EVERYBODY, NULL},
    [ENTRY_BREAKER_SET] = {EVERYBODY, NULL},
    [ENTRY_TIER_CHANGED] = {EVERYBODY, NULL},
    [ENTRY_GRANT_ISSUED] = {EVERYBODY, "grt"},
    [ENTRY_GRANT_REVOKED] = {EVERYBODY, NULL},
    [ENTRY_CLOCK_JUMPED] = {EVERYBODY, NULL},
    [ENTRY_CLOCK_ACCEPTED] = {EVERYBODY, NULL},
    [ENTRY_POLICY_LOADED] = {EVERYBODY, NULL},
};

static bool is_wanted(enum entry_kind kind, const struct value *body)
{
    switch (rows[kind].interest) {
    case EVERYBODY:
        return true;
    case WHEN_ESCALATED:
        return str_eq(value_text(value_get(body, STR("verdict"))), verdict_str(VERDICT_ESCALATE));
    case WHEN_BAD:
        return value_bool_or(value_get(body, STR("late")), false) ||
               !str_eq(value_text(value_get(body, STR("result"))), STR("succeeded"));
    case WHEN_BROKEN:
        return value_bool_or(value_get(body, STR("break_glass")), false);
    case NOBODY:
        break;
    }
    return false;
}

/* --- what waits for the disk --------------------------------------------------------------------------------- */

struct feed *feed_new(void)
{
    return calloc(1, sizeof(struct feed));
}

void feed_free(struct feed *f)
{
    free(f);
}

static struct slot *slot_at(struct feed *f, uint32_t i)
{
    must(i < FEED_MAX);
    return &f->slots[(f->first + i) % FEED_MAX];
}

/* A full ring's last place speaks for all that had none: what comes after it is in order again. */
static void push(struct feed *f, struct slot s)
{
    if (f->count < FEED_MAX) {
        *slot_at(f, f->count) = s;
        f->count++;
        return;
    }
    struct slot *last = slot_at(f, FEED_MAX - 1);
    uint64_t from = last->event == FEED_LOST ? last->from : last->seq;
    *last = (struct slot){.event = FEED_LOST, .from = from, .seq = s.seq};
}

/* The agent whose conduct the entry is counted in; MAP_NONE: no one's. */
static uint32_t acting_agent(const struct control *c, const struct append *what)
{
    uint64_t id;
    if (what->kind == ENTRY_ACTION_DECIDED) {
        return world_agent_find(c->world, value_text(value_path(&what->body, "request", "agent", NULL)));
    }
    bool named = what->ref_count > 0 && id_parse(what->refs[0], "act", &id);
    const struct action *a = named ? world_action(c->world, id) : NULL;
    return a == NULL ? (uint32_t)MAP_NONE : a->agent;
}

struct feed_mark feed_before(const struct control *c, const struct append *what, int64_t time_ms)
{
    struct feed_mark m = {.agent = acting_agent(c, what), .breaker = BREAKER_CLOSED, .time_ms = time_ms};
    if (m.agent != MAP_NONE) {
        m.breaker = world_breaker(c->world, m.agent, time_ms);
    }
    return m;
}

void feed_after(struct control *c, const struct feed_mark *m, const struct append *what, uint64_t seq)
{
    if (is_wanted(what->kind, &what->body)) {
        push(c->feed, (struct slot){.event = FEED_ENTRY, .seq = seq, .time_ms = m->time_ms});
    }
    enum breaker_phase now = m->agent == MAP_NONE ? m->breaker : world_breaker(c->world, m->agent, m->time_ms);
    if (now != m->breaker && now != BREAKER_HALF_OPEN) {
        enum feed_event event = now == BREAKER_OPEN ? FEED_BREAKER_OPENED : FEED_BREAKER_CLOSED;
        push(c->feed, (struct slot){.event = event, .agent = m->agent, .seq = seq, .time_ms = m->time_ms});
    }
}

/* --- one entry as it is told ---------------------------------------------------------------------------------- */

static struct str_list texts_of(struct arena *a, const struct value *v)
{
    uint32_t count = value_is(v, VALUE_ARRAY) ? v->count : 0;
    struct str *items = arena_array(a, count, sizeof *items);
    for (uint32_t i = 0; items != NULL && i < count; i++) {
        items[i] = value_text(&v->items[i]);
    }
    return (struct str_list){items, items == NULL ? 0 : count};
}

static struct str_list one_text(struct arena *a, struct str text)
{
    struct str *item = arena_alloc(a, sizeof *item);
    if (item == NULL || text.len == 0) {
        return (struct str_list){NULL, 0};
    }
    *item = text;
    return (struct str_list){item, 1};
}

/* Who and what an action is about stands in the entry that created it. */
static enum rc add_action(struct control *c, struct arena *a, struct feed_item *item, struct err *e)
{
    struct entry entry;
    struct value first;
    const struct value *body = item->body;
    if (item->kind != ENTRY_ACTION_DECIDED) {
        enum rc rc = control_read_entry(c, a, item->action, &entry, &first, e);
        if (rc != RC_OK && rc != RC_NOT_FOUND) {
            return rc;
        }
        body = rc == RC_OK ? &first : NULL; /* its words may be erased before what became of it */
    }
    item->agent = value_text(value_path(body, "request", "agent", NULL));
    item->tool = value_text(value_get(body, STR("tool")));
    item->services = texts_of(a, value_get(body, STR("services")));
    item->verdict = value_text(value_get(item->body, STR("verdict")));
    item->blocking = value_text(value_get(item->body, STR("blocking")));
    return RC_OK;
}

/* Of a stop, a breaker, a tier, a grant. */
static void add_names(struct arena *a, struct feed_item *item)
{
    const struct value *body = item->body;
    struct str scope = value_text(value_get(body, STR("scope")));
    struct str name = value_text(value_get(body, STR("name")));
    bool stop = item->kind == ENTRY_STOP_SET;
    item->agent = stop && str_eq(scope, STR("agent")) ? name : value_text(value_get(body, STR("agent")));
    item->tool = stop && str_eq(scope, STR("tool")) ? name : value_text(value_get(body, STR("tool")));
    struct str service = stop && str_eq(scope, STR("service")) ? name : value_text(value_get(body, STR("service")));
    item->services = one_text(a, service);
}

enum rc control_feed_read(struct control *c, struct arena *a, uint64_t seq, struct feed_item *ret, struct err *e)
{
    struct entry entry;
    struct value *body = arena_alloc(a, sizeof *body);
    if (body == NULL) {
        return err_set(e, arena_rc(a), "no room for the entry");
    }
    enum rc rc = control_read_entry(c, a, seq, &entry, body, e);
    if (rc != RC_OK) {
        return rc;
    }
    if (!is_wanted(entry.kind, body)) {
        return err_set(e, RC_NOT_FOUND, "entry %llu is not told", (unsigned long long)seq);
    }
    const char *prefix = rows[entry.kind].prefix;
    struct str ref = entry.ref_count > 0 ? entry.refs[0] : STR("");
    struct feed_item item = {.event = FEED_ENTRY,
                             .name = entry_kind_name(entry.kind),
                             .kind = entry.kind,
                             .seq = seq,
                             .time_ms = entry.time_ms,
                             .about = prefix != NULL ? ref_text(a, prefix, seq) : ref,
                             .body = body};
    if (id_parse(item.about, "act", &item.action)) {
        rc = add_action(c, a, &item, e);
    } else {
        item.action = 0;
        add_names(a, &item);
    }
    rc = rc == RC_OK && arena_rc(a) != RC_OK ? err_set(e, arena_rc(a), "no room for the entry") : rc;
    if (rc == RC_OK) {
        *ret = item;
    }
    return rc;
}

/* --- telling ----------------------------------------------------------------------------------------------------- */

static struct feed_item lost(uint64_t from, uint64_t to)
{
    return (struct feed_item){.event = FEED_LOST, .name = STR("feed.lost"), .from = from, .seq = to};
}

/* What can't be read now is lost to the feed, and said to be. */
static struct feed_item item_of(struct control *c, struct arena *a, const struct slot *s)
{
    struct feed_item item;
    if (s->event == FEED_LOST) {
        return lost(s->from, s->seq);
    }
    if (s->event == FEED_ENTRY) {
        return a != NULL && control_feed_read(c, a, s->seq, &item, NULL) == RC_OK ? item : lost(s->seq, s->seq);
    }
    const struct world_agent *agent = world_agent_at(c->world, s->agent);
    bool opened = s->event == FEED_BREAKER_OPENED;
    return (struct feed_item){.event = s->event,
                              .name = opened ? STR("breaker.opened") : STR("breaker.closed"),
                              .seq = s->seq,
                              .time_ms = s->time_ms,
                              .agent = str_from(agent->name),
                              .cause = opened ? str_from(agent->breaker.cause) : STR("")};
}

static void tell(struct control *c, const struct slot *s)
{
    CLEANUP(arena) struct arena *a = arena_new(OP_ARENA_MAX);
    struct feed_item item = item_of(c, a, s);
    for (int i = 0; i < FEED_SUBSCRIBERS_MAX; i++) {
        struct subscriber to = c->feed->subscribers[i];
        if (to.fn != NULL) {
            to.fn(to.context, &item);
        }
    }
}

static bool has_subscriber(const struct feed *f)
{
    for (int i = 0; i < FEED_SUBSCRIBERS_MAX; i++) {
        if (f->subscribers[i].fn != NULL) {
            return true;
        }
    }
    return false;
}

void feed_deliver(struct control *c)
{
    struct feed *f = c->feed;
    uint64_t durable = writer_durable(c->writer);
    while (f->count > 0 && slot_at(f, 0)->seq < durable) {
        struct slot s = *slot_at(f, 0);
        f->first = (f->first + 1) % FEED_MAX;
        f->count--;
        if (has_subscriber(f)) {
            tell(c, &s);
        }
    }
}

enum rc control_subscribe(struct control *c, feed_fn fn, void *context, struct err *e)
{
    must(fn != NULL);
    for (int i = 0; i < FEED_SUBSCRIBERS_MAX; i++) {
        if (c->feed->subscribers[i].fn == NULL) {
            c->feed->subscribers[i] = (struct subscriber){fn, context};
            return RC_OK;
        }
    }
    return err_set(e, RC_LIMIT, "the feed has %d subscribers: the limit", FEED_SUBSCRIBERS_MAX);
}

void control_unsubscribe(struct control *c, feed_fn fn, void *context)
{
    for (int i = 0; i < FEED_SUBSCRIBERS_MAX; i++) {
        struct subscriber *s = &c->feed->subscribers[i];
        if (s->fn == fn && s->context == context) {
            *s = (struct subscriber){NULL, NULL};
        }
    }
}
