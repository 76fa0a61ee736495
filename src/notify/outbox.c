/* The open notices in fixed slots; for each slot and route where its message stands. */
#include "notify/outbox.h"

#include "base/must.h"
#include "value/utf8.h"

#include <stdlib.h>
#include <string.h>

enum message_state {
    MESSAGE_NONE = 0, /* not for this route, or at its end */
    MESSAGE_WAITING,
    MESSAGE_UNDER_WAY,
};

struct message {
    enum message_state state;
    uint32_t tries;
    uint32_t repeat;
    int64_t due_ms;
};

struct slot {
    bool used;
    bool settled;
    uint64_t order; /* of arrival */
    uint32_t untold; /* routes that have not had it, and may still */
    uint32_t under_way;
    struct outbox_notice notice;
    struct message messages[NOTIFY_ROUTES_MAX];
};

struct outbox {
    struct notify_routes routes;
    int64_t retry_ms;
    uint64_t said;
    uint32_t under_way[NOTIFY_ROUTES_MAX];
    uint32_t commands; /* of them */
    bool gone[NOTIFY_ROUTES_MAX];
    struct notify_counts counts;
    struct slot slots[NOTIFY_QUEUE_MAX];
};

static const struct {
    const char *name;
    uint32_t rank; /* of what the queue keeps and tells first */
} kinds[NOTICE_COUNT] = {
    [NOTICE_STOP_UNCONFIRMED] = {"stop_unconfirmed", 3},
    [NOTICE_ESCALATED] = {"escalated", 1},   [NOTICE_EXPIRING] = {"expiring", 0},
    [NOTICE_UNKNOWN] = {"unknown", 2},       [NOTICE_REVERT_FAILED] = {"revert_failed", 2},
    [NOTICE_STOP] = {"stop", 3},             [NOTICE_BREAKER] = {"breaker", 2},
    [NOTICE_SIGNAL_LOST] = {"signal_lost", 0}, [NOTICE_DISK] = {"disk", 2},
    [NOTICE_CLOCK] = {"clock", 1},           [NOTICE_BREAK_GLASS] = {"break_glass", 3},
};

const char *notice_kind_name(enum notice_kind kind)
{
    must((unsigned)kind < NOTICE_COUNT);
    return kinds[kind].name;
}

struct outbox *outbox_new(struct notify_routes routes, int64_t retry_ms)
{
    must(routes.count <= NOTIFY_ROUTES_MAX && retry_ms > 0);
    struct outbox *o = calloc(1, sizeof *o);
    if (o != NULL) {
        o->routes = routes;
        o->retry_ms = retry_ms;
    }
    return o;
}

void outbox_free(struct outbox *o)
{
    free(o);
}

/* --- which routes ------------------------------------------------------------------------------ */

static bool matches(struct str_list globs, struct str text)
{
    bool any = globs.count == 0 || text.len == 0;
    for (uint32_t i = 0; i < globs.count && !any; i++) {
        any = str_glob(globs.items[i], text);
    }
    return any;
}

static bool matches_path(struct str_list globs, struct str_list path)
{
    bool any = path.count == 0;
    for (uint32_t i = 0; i < path.count && !any; i++) {
        any = matches(globs, path.items[i]);
    }
    return any;
}

bool outbox_takes(const struct notify_route *route, const struct notice *n)
{
    return route->kinds[n->kind] && matches(route->agents, n->agent) &&
           matches(route->owners, n->owner) && matches_path(route->escalation, n->escalation);
}

/* --- a notice's copy --------------------------------------------------------------------------- */

/* What could break a line, an environment or a JSON text becomes '?'. */
static void copy_text(char *out, size_t max, struct str text)
{
    size_t len = 0;
    const char *at = text.ptr;
    const char *end = text.len > 0 ? text.ptr + text.len : text.ptr;
    while (at != end) {
        uint32_t point = 0;
        size_t step = utf8_decode(at, end, &point);
        bool plain = step > 0 && point >= 0x20 && (point < 0x7f || point >= 0xa0);
        size_t size = plain ? step : 1;
        if (len + size > max) {
            break;
        }
        memcpy(out + len, plain ? at : "?", size);
        len += size;
        at += step > 0 ? step : 1;
    }
    out[len] = '\0';
}

static void copy_notice(struct outbox_notice *out, const struct notice *n)
{
    *out = (struct outbox_notice){
        .kind = n->kind, .seq = n->seq, .at_ms = n->at_ms, .needs_ack = n->needs_ack};
    copy_text(out->key, NOTIFY_NAME_MAX, n->key);
    copy_text(out->agent, NOTIFY_NAME_MAX, n->agent);
    copy_text(out->service, NOTIFY_NAME_MAX, n->service);
    copy_text(out->owner, NOTIFY_NAME_MAX, n->owner);
    copy_text(out->text, NOTIFY_TEXT_MAX, n->text);
    while (out->path_count < n->escalation.count && out->path_count < NOTIFY_PATH_MAX) {
        copy_text(out->path[out->path_count], NOTIFY_NAME_MAX,
                  n->escalation.items[out->path_count]);
        out->path_count++;
    }
}

/* --- room -------------------------------------------------------------------------------------- */

static struct slot *find(struct outbox *o, enum notice_kind kind, struct str key)
{
    char clean[NOTIFY_NAME_MAX + 1];
    copy_text(clean, NOTIFY_NAME_MAX, key);
    for (size_t i = 0; i < NOTIFY_QUEUE_MAX; i++) {
        struct slot *s = &o->slots[i];
        if (s->used && !s->settled && s->notice.kind == kind && strcmp(s->notice.key, clean) == 0) {
            return s;
        }
    }
    return NULL;
}

static struct slot *free_slot(struct outbox *o)
{
    for (size_t i = 0; i < NOTIFY_QUEUE_MAX; i++) {
        if (!o->slots[i].used) {
            return &o->slots[i];
        }
    }
    return NULL;
}

static bool may_be_dropped(const struct slot *s)
{
    return s->under_way == 0 && (s->notice.kind != NOTICE_STOP || s->untold == 0);
}

/* Least important, then told already, then oldest. */
static bool goes_before(const struct slot *a, const struct slot *b)
{
    uint32_t rank_a = kinds[a->notice.kind].rank;
    uint32_t rank_b = kinds[b->notice.kind].rank;
    if (rank_a != rank_b) {
        return rank_a < rank_b;
    }
    if ((a->untold == 0) != (b->untold == 0)) {
        return a->untold == 0;
    }
    return a->order < b->order;
}

/* Null: what is there is all more important. */
static struct slot *victim_for(struct outbox *o, enum notice_kind kind)
{
    struct slot *victim = NULL;
    for (size_t i = 0; i < NOTIFY_QUEUE_MAX; i++) {
        struct slot *s = &o->slots[i];
        if (may_be_dropped(s) && (victim == NULL || goes_before(s, victim))) {
            victim = s;
        }
    }
    bool fits = victim != NULL && kinds[victim->notice.kind].rank <= kinds[kind].rank;
    return fits ? victim : NULL;
}

static void join_newest_stop(struct outbox *o)
{
    struct slot *newest = NULL;
    for (size_t i = 0; i < NOTIFY_QUEUE_MAX; i++) {
        struct slot *s = &o->slots[i];
        bool waits = s->untold > 0 && s->notice.kind == NOTICE_STOP;
        if (waits && (newest == NULL || s->order > newest->order)) {
            newest = s;
        }
    }
    if (newest != NULL) {
        newest->notice.more++;
    }
}

/* --- saying and settling ----------------------------------------------------------------------- */

static uint32_t count_routes(const struct outbox *o, const struct notice *n)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < o->routes.count; i++) {
        count += !o->gone[i] && outbox_takes(&o->routes.items[i], n);
    }
    return count;
}

static void fill(struct outbox *o, struct slot *s, const struct notice *n, int64_t now_ms)
{
    *s = (struct slot){.used = true, .order = ++o->said};
    copy_notice(&s->notice, n);
    for (uint32_t i = 0; i < o->routes.count; i++) {
        if (!o->gone[i] && outbox_takes(&o->routes.items[i], n)) {
            s->messages[i] = (struct message){.state = MESSAGE_WAITING, .due_ms = now_ms};
            s->untold++;
        }
    }
}

enum outbox_said outbox_say(struct outbox *o, const struct notice *n, int64_t now_ms)
{
    must((unsigned)n->kind < NOTICE_COUNT);
    if (find(o, n->kind, n->key) != NULL) {
        return OUTBOX_OPEN;
    }
    if (count_routes(o, n) == 0) {
        o->counts.unrouted++;
        return OUTBOX_UNROUTED;
    }
    struct slot *s = free_slot(o);
    struct slot *victim = s == NULL ? victim_for(o, n->kind) : NULL;
    if (s != NULL || victim != NULL) {
        o->counts.dropped += victim != NULL;
        fill(o, s != NULL ? s : victim, n, now_ms);
        return victim != NULL ? OUTBOX_PUSHED : OUTBOX_TAKEN;
    }
    if (n->kind == NOTICE_STOP) {
        join_newest_stop(o);
        return OUTBOX_JOINED;
    }
    o->counts.dropped++;
    return OUTBOX_DROPPED;
}

/* A slot is over when nothing of it waits or is under way, and nobody has to acknowledge it. */
static void close_if_over(const struct outbox *o, struct slot *s)
{
    bool waits = s->under_way > 0 || (s->notice.needs_ack && !s->settled);
    for (uint32_t i = 0; i < o->routes.count && !waits; i++) {
        waits = s->messages[i].state != MESSAGE_NONE;
    }
    s->used = waits;
}

void outbox_settle(struct outbox *o, enum notice_kind kind, struct str key)
{
    struct slot *s = find(o, kind, key);
    if (s == NULL) {
        return;
    }
    s->settled = true;
    for (uint32_t i = 0; i < o->routes.count; i++) {
        if (s->messages[i].state == MESSAGE_WAITING) {
            s->messages[i].state = MESSAGE_NONE;
        }
    }
    close_if_over(o, s);
}

/* --- messages ---------------------------------------------------------------------------------- */

static bool has_room(const struct outbox *o, uint32_t route)
{
    bool command = o->routes.items[route].type == ROUTE_COMMAND;
    return o->under_way[route] < NOTIFY_ROUTE_CALLS_MAX &&
           (!command || o->commands < NOTIFY_COMMANDS_MAX);
}

static bool is_told_before(const struct slot *a, const struct slot *b)
{
    uint32_t rank_a = kinds[a->notice.kind].rank;
    uint32_t rank_b = kinds[b->notice.kind].rank;
    return rank_a != rank_b ? rank_a > rank_b : a->order < b->order;
}

/* The first route of s with a message that is due and may go; or routes.count. */
static uint32_t due_route(const struct outbox *o, const struct slot *s, int64_t now_ms)
{
    for (uint32_t i = 0; i < o->routes.count && s->used; i++) {
        const struct message *m = &s->messages[i];
        if (m->state == MESSAGE_WAITING && m->due_ms <= now_ms && has_room(o, i)) {
            return i;
        }
    }
    return o->routes.count;
}

bool outbox_next(struct outbox *o, int64_t now_ms, struct outbox_ref *ret)
{
    struct slot *first = NULL;
    for (size_t i = 0; i < NOTIFY_QUEUE_MAX; i++) {
        struct slot *s = &o->slots[i];
        bool due = due_route(o, s, now_ms) < o->routes.count;
        if (due && (first == NULL || is_told_before(s, first))) {
            first = s;
        }
    }
    if (first == NULL) {
        return false;
    }
    uint32_t route = due_route(o, first, now_ms);
    first->messages[route].state = MESSAGE_UNDER_WAY;
    first->messages[route].tries++;
    first->under_way++;
    o->under_way[route]++;
    o->commands += o->routes.items[route].type == ROUTE_COMMAND;
    *ret = (struct outbox_ref){(uint32_t)(first - o->slots), route};
    return true;
}

int64_t outbox_wait_ms(const struct outbox *o, int64_t now_ms)
{
    int64_t wait = -1;
    for (size_t i = 0; i < NOTIFY_QUEUE_MAX; i++) {
        for (uint32_t k = 0; k < o->routes.count && o->slots[i].used; k++) {
            const struct message *m = &o->slots[i].messages[k];
            int64_t left = m->due_ms - now_ms;
            if (m->state == MESSAGE_WAITING && left > 0 && (wait < 0 || left < wait)) {
                wait = left;
            }
        }
    }
    return wait;
}

int64_t outbox_backoff_ms(int64_t first_ms, uint32_t tries, uint32_t random)
{
    int64_t span = first_ms < NOTIFY_RETRY_MAX_MS ? first_ms : NOTIFY_RETRY_MAX_MS;
    for (uint32_t i = 1; i < tries && span < NOTIFY_RETRY_MAX_MS; i++) {
        span = span * 2 < NOTIFY_RETRY_MAX_MS ? span * 2 : NOTIFY_RETRY_MAX_MS;
    }
    return span - (int64_t)(random % (uint64_t)(span / 2 + 1));
}

bool outbox_is_last_try(const struct outbox *o, struct outbox_ref ref)
{
    const struct slot *s = &o->slots[ref.slot];
    return s->messages[ref.route].tries >= NOTIFY_TRIES || s->settled || o->gone[ref.route];
}

static struct message *message_at(struct outbox *o, struct outbox_ref ref)
{
    must(ref.slot < NOTIFY_QUEUE_MAX && ref.route < o->routes.count);
    struct message *m = &o->slots[ref.slot].messages[ref.route];
    must(o->slots[ref.slot].used && m->state == MESSAGE_UNDER_WAY);
    return m;
}

/* Told or given up, until the route's repeat. */
static void finish(struct outbox *o, struct outbox_ref ref, int64_t now_ms)
{
    struct slot *s = &o->slots[ref.slot];
    struct message *m = message_at(o, ref);
    int64_t repeat_ms = o->routes.items[ref.route].repeat_ms;
    bool again = s->notice.needs_ack && !s->settled && repeat_ms > 0 && !o->gone[ref.route];
    s->untold -= m->repeat == 0;
    m->state = again ? MESSAGE_WAITING : MESSAGE_NONE;
    m->due_ms = now_ms + repeat_ms;
    m->tries = 0;
    m->repeat++;
}

static void route_gone(struct outbox *o, uint32_t route)
{
    o->gone[route] = true;
    o->counts.gone++;
    for (size_t i = 0; i < NOTIFY_QUEUE_MAX; i++) {
        struct slot *s = &o->slots[i];
        struct message *m = &s->messages[route];
        if (s->used && m->state == MESSAGE_WAITING) {
            s->untold -= m->repeat == 0;
            o->counts.failed++;
            m->state = MESSAGE_NONE;
            close_if_over(o, s);
        }
    }
}

bool outbox_ended(struct outbox *o, struct outbox_ref ref, enum outbox_end end, int64_t now_ms,
                  int64_t after_ms, uint32_t random)
{
    struct message *m = message_at(o, ref);
    struct slot *s = &o->slots[ref.slot];
    s->under_way--;
    o->under_way[ref.route]--;
    o->commands -= o->routes.items[ref.route].type == ROUTE_COMMAND;
    if (end == OUTBOX_FAILED && !outbox_is_last_try(o, ref)) {
        int64_t backoff = outbox_backoff_ms(o->retry_ms, m->tries, random);
        m->state = MESSAGE_WAITING;
        m->due_ms = now_ms + (backoff > after_ms ? backoff : after_ms);
        return true;
    }
    o->counts.sent += end == OUTBOX_SENT;
    o->counts.failed += end != OUTBOX_SENT;
    if (end == OUTBOX_GONE && !o->gone[ref.route]) {
        route_gone(o, ref.route);
    }
    finish(o, ref, now_ms);
    close_if_over(o, s);
    return end == OUTBOX_SENT;
}

const struct outbox_notice *outbox_notice(const struct outbox *o, struct outbox_ref ref)
{
    must(ref.slot < NOTIFY_QUEUE_MAX && o->slots[ref.slot].used);
    return &o->slots[ref.slot].notice;
}

uint32_t outbox_repeat(const struct outbox *o, struct outbox_ref ref)
{
    must(ref.slot < NOTIFY_QUEUE_MAX && ref.route < o->routes.count);
    return o->slots[ref.slot].messages[ref.route].repeat;
}

struct notify_counts outbox_counts(const struct outbox *o)
{
    struct notify_counts counts = o->counts;
    for (size_t i = 0; i < NOTIFY_QUEUE_MAX; i++) {
        counts.open += o->slots[i].used;
    }
    return counts;
}
