#include "import/service_metrics_internal.h"

#include "value/json.h"

#include <string.h>

enum { FIRST_ROOM = 64 };

/* --- samples ------------------------------------------------------------------------------------------------------ */

enum rc samples_add(struct samples *s, const struct sample *x, double count)
{
    if (!(count >= 0) || x->client.len == 0 || x->server.len == 0) {
        return RC_OK;
    }
    if (s->count == SERVICE_METRICS_MAX) {
        return RC_LIMIT;
    }
    if (s->count == s->room) {
        uint32_t room = s->room == 0 ? FIRST_ROOM : s->room * 2;
        struct sample *items = arena_array(s->arena, room, sizeof *items);
        if (items == NULL) {
            return arena_rc(s->arena);
        }
        if (s->count > 0) {
            memcpy(items, s->items, s->count * sizeof *items);
        }
        s->items = items;
        s->room = room;
    }
    s->items[s->count] = *x;
    s->items[s->count++].count = count > SAMPLE_COUNT_MAX ? SAMPLE_COUNT_MAX : (int64_t)count;
    return arena_rc(s->arena);
}

/* --- the answer of a query -------------------------------------------------------------------------------------------- */

static enum rc expected(struct str file, uint32_t row, const char *what, struct err *e)
{
    err_say_at(e, RC_INVALID, STR(""), "expected %s", what);
    if (row != UINT32_MAX) {
        err_step(e, "/data/result/%u", row);
    }
    return err_wrap(e, RC_INVALID, "%.*s", STR_ARG(str_slice(file, 0, 128)));
}

static enum rc read_row(struct samples *s, struct str file, const struct value *result, uint32_t row, struct err *e)
{
    const struct value *v = value_item(result, row);
    const struct value *metric = value_get(v, STR("metric"));
    struct str name = value_text(value_get(metric, STR("__name__")));
    double count = 0;
    const struct sample x = {.client = value_text(value_get(metric, STR("client"))),
                             .server = value_text(value_get(metric, STR("server"))),
                             .connection = value_text(value_get(metric, STR("connection_type")))};
    if (!value_is(metric, VALUE_OBJECT)) {
        return expected(file, row, "a metric with its labels", e);
    }
    /* Of rate() and increase() the name is gone. */
    if (name.len > 0 && !str_eq(name, STR(SERVICE_METRIC))) {
        return RC_OK;
    }
    struct str text = value_text(value_item(value_get(v, STR("value")), 1));
    if (text.len == 0) {
        return expected(file, row, "a value: [time, \"number\"]", e);
    }
    count = str_to_double(text, &count) ? count : -1;
    enum rc rc = samples_add(s, &x, count);
    return rc == RC_OK ? rc : err_at(e, rc, file, "more than %d samples, or the memory for them", SERVICE_METRICS_MAX);
}

static enum rc read_answer(struct samples *s, struct str file, const struct value *answer, struct err *e)
{
    const struct value *result = value_path(answer, "data", "result", NULL);
    if (str_eq(value_text(value_get(answer, STR("status"))), STR("error"))) {
        struct str why = value_text(value_get(answer, STR("error")));
        return err_at(e, RC_UNAVAILABLE, file, "%.*s", STR_ARG(str_slice(why, 0, 256)));
    }
    if (!str_eq(value_text(value_path(answer, "data", "resultType", NULL)), STR("vector")) || !value_is(result, VALUE_ARRAY)) {
        return expected(file, UINT32_MAX, "the answer of /api/v1/query: a vector", e);
    }
    enum rc rc = RC_OK;
    for (uint32_t i = 0; i < result->count && rc == RC_OK; i++) {
        rc = read_row(s, file, result, i, e);
    }
    return rc;
}

/* --- samples as a graph --------------------------------------------------------------------------------------------------- */

/* Requests by pair and by whoever receives them. */
struct tally {
    struct found *found;
    struct samples *samples;
    struct strmap received_of; /* by name, to received */
    int64_t *received;
    uint32_t received_count;
    struct idmap calls_of; /* from and to, to calls */
    struct call *calls;
    uint32_t call_count;
    enum rc rc;
};

struct call {
    uint32_t from;
    uint32_t to;
    struct str client;
    int64_t count;
};

static bool is(const struct sample *x, const char *connection)
{
    return str_eq(x->connection, str_from(connection));
}

/* An end that sends no spans and calls: a person, or what is outside. */
static bool is_outside(const struct tally *t, const struct sample *x)
{
    return is(x, "virtual_node") && (str_eq(x->client, STR("user")) || strmap_get(&t->received_of, x->client) == MAP_NONE);
}

static void count_received(struct tally *t, const struct sample *x)
{
    uint32_t at = strmap_get(&t->received_of, x->server);
    if (at == MAP_NONE) {
        at = t->received_count++;
        t->rc = strmap_put(&t->received_of, x->server, at);
    }
    t->received[at] += x->count;
}

static void count_call(struct tally *t, const struct sample *x, uint32_t from, uint32_t to)
{
    if (from == MAP_NONE || to == MAP_NONE || from == to) {
        return;
    }
    uint64_t key = (uint64_t)from << 32 | to;
    uint32_t at = idmap_get(&t->calls_of, key);
    if (at == MAP_NONE) {
        at = t->call_count++;
        t->calls[at] = (struct call){from, to, x->client, 0};
        t->rc = idmap_put(&t->calls_of, key, at);
    }
    t->calls[at].count += x->count;
}

static void take_sample(struct tally *t, const struct sample *x)
{
    struct found *f = t->found;
    enum node_kind kind = is(x, "database") ? NODE_DATASTORE : is(x, "messaging_system") ? NODE_QUEUE : NODE_SERVICE;
    uint32_t to = found_node(f, kind, x->server);
    if (is_outside(t, x)) {
        return;
    }
    count_call(t, x, found_node(f, NODE_SERVICE, x->client), to);
    if (kind == NODE_QUEUE) {
        found_edge(f, found_node(f, NODE_SERVICE, x->server), to, EDGE_CALLS);
    }
}

/* In basis points; 0: nobody was seen to call the client. */
static uint32_t effect_of(const struct tally *t, const struct call *c)
{
    uint32_t at = strmap_get(&t->received_of, c->client);
    int64_t received = at == MAP_NONE ? 0 : t->received[at];
    if (received == 0 || c->count == 0) {
        return 0;
    }
    int64_t bp = c->count >= received ? WHOLE_BP : (c->count * WHOLE_BP + received - 1) / received;
    return (uint32_t)bp;
}

static void take_all(struct tally *t)
{
    for (uint32_t i = 0; i < t->samples->count && t->rc == RC_OK; i++) {
        count_received(t, &t->samples->items[i]);
    }
    for (uint32_t i = 0; i < t->samples->count && t->rc == RC_OK; i++) {
        take_sample(t, &t->samples->items[i]);
    }
    for (uint32_t i = 0; i < t->call_count && t->rc == RC_OK; i++) {
        found_effect(t->found, t->calls[i].from, t->calls[i].to, effect_of(t, &t->calls[i]));
    }
}

static enum rc settle(struct samples *s, struct found *f, struct err *e)
{
    struct tally t = {.found = f, .samples = s};
    t.received = arena_array(s->arena, s->count, sizeof *t.received);
    t.calls = arena_array(s->arena, s->count, sizeof *t.calls);
    if (arena_rc(s->arena) != RC_OK) {
        return err_set(e, arena_rc(s->arena), "takes more memory than its maximum");
    }
    strmap_init(&t.received_of, 0);
    idmap_init(&t.calls_of, 0);
    take_all(&t);
    strmap_done(&t.received_of);
    idmap_done(&t.calls_of);
    return t.rc == RC_OK ? RC_OK : err_set(e, t.rc, "out of memory");
}

enum rc import_service_query(struct str file, const struct value *answer, struct found *f, struct err *e)
{
    struct samples s = {.arena = f->arena};
    enum rc rc = read_answer(&s, file, answer, e);
    return rc == RC_OK ? settle(&s, f, e) : rc;
}

enum rc import_service_metrics(struct str file, struct str text, struct found *f, struct err *e)
{
    struct samples s = {.arena = f->arena};
    struct value answer;
    struct str start = str_trim(text);
    if (start.len > 0 && start.ptr[0] == '{') {
        enum rc rc = json_parse(f->arena, start, &answer, e);
        return rc == RC_OK ? import_service_query(file, &answer, f, e) : err_wrap(e, rc, "%.*s", STR_ARG(str_slice(file, 0, 128)));
    }
    enum rc rc = exposition_read(&s, file, text, e);
    return rc == RC_OK ? settle(&s, f, e) : rc;
}
