#include "otlp/traffic.h"

#include "base/must.h"
#include "value/json.h"

#include <stdio.h>
#include <stdlib.h>

#define TEXT_MAX ((size_t)64 << 20)
#define NAME_BITS 21U
#define OTHER 0U  /* names */
#define CLIENT 1U
#define DECAY 4 /* of what was counted before, so much is forgotten at each taking: 1 / DECAY */

/* --- what is kept ------------------------------------------------------------------------------------------- */

struct span {
    uint64_t id; /* of span and trace together */
    uint64_t parent;
    uint32_t service; /* names */
    uint32_t operation;
    uint32_t peer;
    uint32_t took_us;
    uint32_t remote_us; /* of it, in calls to others */
    uint32_t children;
    uint8_t kind;
    bool error;
    bool answered; /* a client's span: the server's was seen */
    bool joined;   /* it is known what it belongs to */
};

struct batch {
    struct span *spans;
    uint32_t count;
    struct idmap by_id;
};

struct counter {
    uint32_t caller;
    uint32_t callee;
    uint32_t operation;
    int64_t n;
    int64_t errors;
    int64_t total_us;
    int64_t self_us;
    int64_t net_us;
    int64_t children;
};

/* How much a caller depends on a callee. */
struct bond {
    uint32_t caller;
    uint32_t callee;
    int64_t calls;     /* of late */
    uint32_t level_bp; /* as it was said last */
    bool seen;         /* since the last taking */
};

struct traffic {
    uint64_t seed;
    struct arena *text;
    struct str *names;
    int64_t *requests; /* of each name, of late */
    uint32_t name_count;
    struct strmap name_of;
    struct batch older;
    struct batch newer;
    struct counter *rows;
    uint32_t row_count;
    struct idmap row_of;
    struct bond *bonds;
    uint32_t bond_count;
    struct idmap bond_of;
    struct traffic_counts counts;
};

/* --- names ---------------------------------------------------------------------------------------------------- */

static uint32_t name_index(struct traffic *t, struct str name)
{
    uint32_t at = strmap_get(&t->name_of, name);
    if (at != MAP_NONE || t->name_count == TRAFFIC_NAMES_MAX) {
        return at == MAP_NONE ? OTHER : at;
    }
    struct str kept = arena_str(t->text, name);
    if (arena_rc(t->text) != RC_OK || strmap_put(&t->name_of, kept, t->name_count) != RC_OK) {
        return OTHER;
    }
    t->names[t->name_count] = kept;
    t->requests[t->name_count] = 0;
    return t->name_count++;
}

static uint32_t node_name(struct traffic *t, enum node_kind kind, struct str name)
{
    char room[GRAPH_NAME_MAX + 16];
    name = str_slice(name, 0, GRAPH_NAME_MAX);
    int len = snprintf(room, sizeof room, "%s:%.*s", node_kind_name(kind), STR_ARG(name));
    return utf8_valid(name) ? name_index(t, (struct str){room, (size_t)len}) : OTHER;
}

static uint32_t operation_name(struct traffic *t, struct str name)
{
    name = str_slice(name, 0, TRAFFIC_OPERATION_MAX);
    return name.len > 0 && utf8_valid(name) ? name_index(t, name) : OTHER;
}

/* --- its life --------------------------------------------------------------------------------------------------- */

static void batch_clear(struct batch *b, uint64_t seed)
{
    b->count = 0;
    idmap_done(&b->by_id);
    idmap_init(&b->by_id, seed);
}

static bool names_begin(struct traffic *t)
{
    arena_free(t->text);
    strmap_done(&t->name_of);
    strmap_init(&t->name_of, t->seed);
    idmap_done(&t->row_of);
    idmap_init(&t->row_of, t->seed);
    idmap_done(&t->bond_of);
    idmap_init(&t->bond_of, t->seed);
    batch_clear(&t->older, t->seed);
    batch_clear(&t->newer, t->seed);
    t->name_count = 0;
    t->row_count = 0;
    t->bond_count = 0;
    t->text = arena_new(TEXT_MAX);
    return t->text != NULL && name_index(t, STR("other")) == OTHER && name_index(t, STR("client")) == CLIENT;
}

struct traffic *traffic_new(uint64_t hash_seed)
{
    struct traffic *t = calloc(1, sizeof *t);
    if (t == NULL) {
        return NULL;
    }
    t->seed = hash_seed;
    t->names = calloc(TRAFFIC_NAMES_MAX, sizeof *t->names);
    t->requests = calloc(TRAFFIC_NAMES_MAX, sizeof *t->requests);
    t->older.spans = malloc(TRAFFIC_BATCH_MAX * sizeof *t->older.spans);
    t->newer.spans = malloc(TRAFFIC_BATCH_MAX * sizeof *t->newer.spans);
    t->rows = malloc(GRAPH_ROWS_MAX * sizeof *t->rows);
    t->bonds = malloc(GRAPH_ROWS_MAX * sizeof *t->bonds);
    bool whole = t->names != NULL && t->requests != NULL && t->older.spans != NULL && t->newer.spans != NULL &&
                 t->rows != NULL && t->bonds != NULL && names_begin(t);
    if (!whole) {
        traffic_free(t);
        return NULL;
    }
    return t;
}

void traffic_free(struct traffic *t)
{
    if (t == NULL) {
        return;
    }
    arena_free(t->text);
    strmap_done(&t->name_of);
    idmap_done(&t->row_of);
    idmap_done(&t->bond_of);
    idmap_done(&t->older.by_id);
    idmap_done(&t->newer.by_id);
    free(t->names);
    free(t->requests);
    free(t->older.spans);
    free(t->newer.spans);
    free(t->rows);
    free(t->bonds);
    free(t);
}

/* --- joining ------------------------------------------------------------------------------------------------------ */

static uint64_t id_of(uint64_t trace, uint64_t span)
{
    return span == 0 ? 0 : trace * 0x9e3779b97f4a7c15U ^ span;
}

static uint32_t took_us(const struct otlp_span *s)
{
    uint64_t ns = s->end_ns > s->start_ns ? s->end_ns - s->start_ns : 0;
    return ns / 1000 > UINT32_MAX ? UINT32_MAX : (uint32_t)(ns / 1000);
}

void traffic_add(void *context, const struct otlp_span *span)
{
    struct traffic *t = context;
    t->counts.spans++;
    if (span->id == 0 || span->service.len == 0) {
        t->counts.dropped++;
        return;
    }
    if (t->newer.count == TRAFFIC_BATCH_MAX) {
        traffic_turn(t);
    }
    struct batch *b = &t->newer;
    struct span s = {.id = id_of(span->trace, span->id),
                     .parent = id_of(span->trace, span->parent),
                     .service = node_name(t, NODE_SERVICE, span->service),
                     .operation = operation_name(t, span->name),
                     .peer = span->peer.len == 0 ? OTHER : node_name(t, span->peer_kind, span->peer),
                     .took_us = took_us(span),
                     .kind = (uint8_t)span->kind,
                     .error = span->error};
    if (idmap_put(&b->by_id, s.id, b->count) != RC_OK) {
        t->counts.dropped++;
        return;
    }
    b->spans[b->count++] = s;
}

static struct span *find(struct traffic *t, uint64_t id)
{
    if (id == 0) {
        return NULL;
    }
    uint32_t at = idmap_get(&t->newer.by_id, id);
    if (at != MAP_NONE) {
        return &t->newer.spans[at];
    }
    at = idmap_get(&t->older.by_id, id);
    return at == MAP_NONE ? NULL : &t->older.spans[at];
}

static bool is_entry(const struct span *s)
{
    return s->kind == OTLP_SERVER || s->kind == OTLP_CONSUMER;
}

static bool is_call(const struct span *s)
{
    return s->kind == OTLP_CLIENT || s->kind == OTLP_PRODUCER;
}

static uint32_t add_capped(uint32_t a, uint32_t b)
{
    return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

/* The request of its service on whose behalf a call was made bears its time. False: the way to it is not whole yet. */
static bool charge_entry(struct traffic *t, const struct span *call)
{
    uint64_t id = call->parent;
    for (unsigned steps = 0; id != 0 && steps < TRAFFIC_CLIMB_MAX; steps++) {
        struct span *at = find(t, id);
        if (at == NULL || at->service != call->service) {
            return at != NULL;
        }
        if (is_entry(at)) {
            at->remote_us = add_capped(at->remote_us, call->took_us);
            at->children = add_capped(at->children, 1);
            return true;
        }
        id = at->parent;
    }
    return true;
}

static void join(struct traffic *t, struct span *s)
{
    struct span *parent = find(t, s->parent);
    if (s->joined || (parent == NULL && s->parent != 0)) {
        return;
    }
    s->joined = is_call(s) ? charge_entry(t, s) : true;
    if (is_entry(s) && parent != NULL && parent->service != s->service) {
        parent->answered = parent->answered || s->kind == OTLP_SERVER;
    }
}

/* --- counting ------------------------------------------------------------------------------------------------------ */

static struct counter *row_of(struct traffic *t, uint32_t caller, uint32_t callee, uint32_t operation)
{
    uint64_t key = (uint64_t)caller << 2 * NAME_BITS | (uint64_t)callee << NAME_BITS | operation;
    uint32_t at = idmap_get(&t->row_of, key);
    if (at == MAP_NONE && t->row_count == GRAPH_ROWS_MAX) {
        return NULL;
    }
    if (at == MAP_NONE) {
        at = t->row_count;
        if (idmap_put(&t->row_of, key, at) != RC_OK) {
            return NULL;
        }
        t->rows[t->row_count++] = (struct counter){.caller = caller, .callee = callee, .operation = operation};
    }
    return &t->rows[at];
}

static void count_bond(struct traffic *t, uint32_t caller, uint32_t callee)
{
    uint64_t key = (uint64_t)caller << NAME_BITS | callee;
    uint32_t at = idmap_get(&t->bond_of, key);
    if (at == MAP_NONE && (t->bond_count == GRAPH_ROWS_MAX || idmap_put(&t->bond_of, key, t->bond_count) != RC_OK)) {
        return;
    }
    if (at == MAP_NONE) {
        at = t->bond_count++;
        t->bonds[at] = (struct bond){.caller = caller, .callee = callee};
    }
    t->bonds[at].calls++;
    t->bonds[at].seen = true;
}

static void count_call(struct traffic *t, uint32_t caller, uint32_t callee, const struct span *s, uint32_t net_us)
{
    if (callee == OTHER || caller == OTHER) {
        t->counts.dropped++;
        return;
    }
    struct counter *row = row_of(t, caller, callee, s->operation);
    row = row == NULL ? row_of(t, caller, callee, OTHER) : row;
    if (row == NULL) {
        t->counts.dropped++;
        return;
    }
    row->n++;
    row->errors += s->error ? 1 : 0;
    row->total_us += s->took_us;
    row->self_us += s->took_us > s->remote_us ? s->took_us - s->remote_us : 0;
    row->net_us += net_us;
    row->children += s->children;
    t->counts.calls++;
    if (caller != CLIENT) {
        count_bond(t, caller, callee);
    }
}

static void count_span(struct traffic *t, const struct span *s)
{
    const struct span *parent = find(t, s->parent);
    bool from_other = parent != NULL && parent->service != s->service;
    if (s->kind == OTLP_SERVER || s->kind == OTLP_CONSUMER) {
        t->requests[s->service]++;
    }
    if (s->kind == OTLP_SERVER) {
        uint32_t net_us = from_other && is_call(parent) && parent->took_us > s->took_us ? parent->took_us - s->took_us : 0;
        count_call(t, from_other ? parent->service : CLIENT, s->service, s, net_us);
    } else if ((is_call(s) || s->kind == OTLP_CONSUMER) && !s->answered && s->peer != OTHER && s->peer != s->service) {
        count_call(t, s->service, s->peer, s, 0);
    }
}

void traffic_turn(struct traffic *t)
{
    for (uint32_t i = 0; i < t->older.count; i++) {
        join(t, &t->older.spans[i]);
    }
    for (uint32_t i = 0; i < t->newer.count; i++) {
        join(t, &t->newer.spans[i]);
    }
    for (uint32_t i = 0; i < t->older.count; i++) {
        count_span(t, &t->older.spans[i]);
    }
    struct batch done = t->older;
    t->older = t->newer;
    t->newer = done;
    batch_clear(&t->newer, t->seed);
}

/* --- taking --------------------------------------------------------------------------------------------------------- */

/* The step at or above a share; the one that was said stays while the share is near it. */
static uint32_t level_of(int64_t calls, int64_t requests, uint32_t said_bp)
{
    static const uint32_t levels[] = {10, 20, 50, 100, 200, 500, 1000, 2000, 3500, 5000, 7500, WHOLE_BP};
    if (requests == 0) {
        return 0;
    }
    int64_t share = calls >= requests ? WHOLE_BP : calls * WHOLE_BP / requests;
    uint32_t below = 0;
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        bool near = levels[i] == said_bp && share * 10 <= (int64_t)levels[i] * 11 && share * 10 >= (int64_t)below * 9;
        if (near) {
            return said_bp;
        }
        below = levels[i];
    }
    size_t i = 0;
    while (levels[i] < share) {
        i++;
    }
    return levels[i];
}

static struct node_key key_of(struct str name)
{
    struct node_key k = {NODE_SERVICE, name};
    must(node_key_read(name, &k));
    return k;
}

static void take_rows(const struct traffic *t, struct graph_observation *ret)
{
    for (uint32_t i = 0; i < t->row_count; i++) {
        const struct counter *c = &t->rows[i];
        ret->calls[ret->call_count++] = (struct call_row){t->names[c->caller],
                                                          t->names[c->callee],
                                                          t->names[c->operation],
                                                          c->n,
                                                          c->errors,
                                                          c->total_us,
                                                          c->self_us,
                                                          c->net_us,
                                                          c->children};
    }
}

static void take_bonds(struct traffic *t, struct graph_observation *ret)
{
    for (uint32_t i = 0; i < t->bond_count; i++) {
        struct bond *b = &t->bonds[i];
        if (b->seen) {
            b->level_bp = level_of(b->calls, t->requests[b->caller], b->level_bp);
            ret->effects[ret->effect_count++] =
                (struct effect_row){key_of(t->names[b->caller]), key_of(t->names[b->callee]), b->level_bp};
        }
        b->seen = false;
        b->calls -= b->calls / DECAY;
    }
    for (uint32_t i = 0; i < t->name_count; i++) {
        t->requests[i] -= t->requests[i] / DECAY;
    }
}

enum rc traffic_take(struct traffic *t, struct arena *a, struct graph_observation *ret, struct err *e)
{
    ret->effects = arena_array(a, t->bond_count, sizeof *ret->effects);
    ret->calls = arena_array(a, t->row_count, sizeof *ret->calls);
    ret->effect_count = 0;
    ret->call_count = 0;
    if (arena_rc(a) != RC_OK) {
        return err_set(e, arena_rc(a), "the traffic is too much to be said at once");
    }
    take_rows(t, ret);
    take_bonds(t, ret);
    bool full = t->name_count == TRAFFIC_NAMES_MAX || t->bond_count == GRAPH_ROWS_MAX;
    t->row_count = 0;
    idmap_done(&t->row_of);
    idmap_init(&t->row_of, t->seed);
    if (full) {
        /* Names went out: those of now begin anew, with the spans that wait. What was taken borrows them no more. */
        for (uint32_t i = 0; i < ret->call_count; i++) {
            ret->calls[i].caller = arena_str(a, ret->calls[i].caller);
            ret->calls[i].callee = arena_str(a, ret->calls[i].callee);
            ret->calls[i].operation = arena_str(a, ret->calls[i].operation);
        }
        for (uint32_t i = 0; i < ret->effect_count; i++) {
            ret->effects[i].caller.name = arena_str(a, ret->effects[i].caller.name);
            ret->effects[i].callee.name = arena_str(a, ret->effects[i].callee.name);
        }
        return names_begin(t) && arena_rc(a) == RC_OK ? RC_OK : err_set(e, RC_NO_MEMORY, "out of memory");
    }
    return RC_OK;
}

struct traffic_counts traffic_counts(const struct traffic *t)
{
    return t->counts;
}
