/*
 * api/events - what sources say: counted requests, deploys, changed configuration, who is on call, snapshots and tested
 * rollbacks.
 *
 * Counted events of one service within a bucket become one entry; the request that brought them is
 * answered once that entry is durable.
 */
#include "api/call.h"

#include "base/must.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { BUCKET_KEYS_MAX = 1024 }; /* requests with a key that are counted in one bucket */

struct bucket_row {
    int64_t good;
    int64_t total;
    struct call *waiting; /* first of the calls that wait for the flush */
    struct idempotency_key *keys; /* theirs, until the bucket's entry holds them */
    uint32_t key_count;
};

struct event {
    int64_t type;
    struct str service;
    struct str id;
    struct str result;
    struct str what;
    int64_t good;
    int64_t total;
    struct str_list people;
    int64_t incidents;
    int64_t until_ms;
    int64_t at_ms;
};

enum event_type {
    EVENT_SLI,
    EVENT_DEPLOY_STARTED,
    EVENT_DEPLOY_ENDED,
    EVENT_ON_CALL_CHANGED,
    EVENT_SNAPSHOT_TAKEN,
    EVENT_ROLLBACK_TESTED,
    EVENT_CONFIG_CHANGED,
};

static const char *const event_types[] = {"sli",           "deploy.started",  "deploy.ended", "on_call.changed",
                                          "snapshot.taken", "rollback.tested", "config.changed", NULL};

static const struct field event_fields[] = {
    {"type", FIELD_WORD, FIELD_OF(struct event, type), true, 0, 0, 0, event_types},
    {"service", FIELD_NAME, FIELD_OF(struct event, service), true, 0, 0, 0, NULL},
    {"id", FIELD_TEXT, FIELD_OF(struct event, id), false, 0, 0, 0, NULL},
    {"result", FIELD_TEXT, FIELD_OF(struct event, result), false, 0, 0, 0, NULL},
    {"good", FIELD_COUNT, FIELD_OF(struct event, good), false, -1, 0, 1000000000000, NULL},
    {"total", FIELD_COUNT, FIELD_OF(struct event, total), false, -1, 0, 1000000000000, NULL},
    {"people", FIELD_TEXTS, FIELD_OF(struct event, people), false, 0, 0, 0, NULL},
    {"incidents", FIELD_COUNT, FIELD_OF(struct event, incidents), false, 0, 0, 1000000, NULL},
    {"until", FIELD_INSTANT, FIELD_OF(struct event, until_ms), false, 0, 0, 0, NULL},
    {"what", FIELD_TEXT, FIELD_OF(struct event, what), false, 0, 0, 0, NULL},
    {"at", FIELD_INSTANT, FIELD_OF(struct event, at_ms), false, 0, 0, 0, NULL},
};

static struct on_call_report on_call_of(const struct event *ev)
{
    return (struct on_call_report){ev->service, ev->people, ev->incidents, ev->until_ms};
}

static struct evidence evidence_of(const struct event *ev)
{
    return (struct evidence){ev->service, ev->id, ev->type == EVENT_ROLLBACK_TESTED, ev->result, ev->at_ms};
}

/* A config by its id, which configures the service, and what changed in it. */
static struct value change_of(struct call *c, const struct event *ev)
{
    struct arena *a = c->arena;
    struct str node = arena_printf(a, "config:%.*s", STR_ARG(ev->id));
    struct value edge = value_object();
    value_add_str(a, &edge, STR("from"), node);
    value_add_str(a, &edge, STR("kind"), STR("configures"));
    value_add_str(a, &edge, STR("to"), arena_printf(a, "service:%.*s", STR_ARG(ev->service)));
    struct value change = value_object();
    if (ev->at_ms != 0) {
        value_add_instant(a, &change, STR("at"), ev->at_ms);
    }
    value_add_str(a, &change, STR("kind"), STR("config"));
    value_add_str(a, &change, STR("node"), node);
    value_add_str(a, &change, STR("what"), ev->what);
    struct value edges = value_array();
    struct value changes = value_array();
    value_push(a, &edges, edge);
    value_push(a, &changes, change);
    struct value v = value_object();
    value_add(a, &v, STR("changes"), changes);
    value_add(a, &v, STR("edges"), edges);
    value_add_str(a, &v, STR("source"), STR("events"));
    return v;
}

static enum rc check_change(struct call *c, const struct event *ev, struct err *e)
{
    if (ev->id.len == 0 || ev->id.len > GRAPH_NAME_MAX) {
        return err_at(e, RC_INVALID, STR("/id"), "expected 1 to %d bytes: the config's name", GRAPH_NAME_MAX);
    }
    if (ev->what.len > GRAPH_DETAIL_MAX) {
        return err_at(e, RC_INVALID, STR("/what"), "expected at most %d bytes", GRAPH_DETAIL_MAX);
    }
    return ev->at_ms <= control_now(c->control) ? RC_OK
                                                : err_at(e, RC_INVALID, STR("/at"), "expected a moment that is over");
}

/* What the use case would refuse is refused before the first of a list is taken. */
static enum rc check_said(struct call *c, const struct event *ev, struct err *e)
{
    if (ev->type == EVENT_ON_CALL_CHANGED) {
        struct on_call_report o = on_call_of(ev);
        return control_check_on_call(c->control, &o, e);
    }
    if (ev->type == EVENT_SNAPSHOT_TAKEN || ev->type == EVENT_ROLLBACK_TESTED) {
        struct evidence evidence = evidence_of(ev);
        return control_check_evidence(c->control, &evidence, e);
    }
    if (ev->type == EVENT_CONFIG_CHANGED) {
        return check_change(c, ev, e);
    }
    return ev->id.len > 0 && ev->id.len < ENTRY_ID_MAX * 2
               ? RC_OK
               : err_at(e, RC_INVALID, STR("/id"), "expected 1 to %d bytes", ENTRY_ID_MAX * 2 - 1);
}

static enum rc check_event(struct call *c, const struct event *ev, struct err *e)
{
    const struct world *w = control_world(c->control);
    uint32_t at = world_service_find(w, ev->service);
    if (!call_may_write_service(c, ev->service)) {
        return err_at(e, RC_DENIED, STR("/service"), "this source may not write %.*s",
                      STR_ARG(ev->service));
    }
    if (at == MAP_NONE || world_service_at(w, at)->def == NULL) {
        return err_at(e, RC_NOT_FOUND, STR("/service"), "no service is called \"%.*s\"",
                      STR_ARG(ev->service));
    }
    if (ev->type != EVENT_SLI) {
        return check_said(c, ev, e);
    }
    const struct service_def *def = world_service_at(w, at)->def;
    if (!def->has_slo || def->slo.source != SLO_EVENTS) {
        return err_at(e, RC_CONFLICT, STR("/service"), "the SLO of %.*s is not fed by events",
                      STR_ARG(ev->service));
    }
    return ev->good >= 0 && ev->total >= ev->good
               ? RC_OK
               : err_at(e, RC_INVALID, STR("/good"), "expected 0 <= good <= total");
}

static enum rc bucket_row_of(struct api *api, uint32_t service, struct bucket_row **ret, struct err *e)
{
    if (service >= api->bucket_count) {
        uint32_t count = world_service_count(control_world(api->control));
        struct bucket_row *grown = realloc(api->buckets, count * sizeof *grown);
        if (grown == NULL) {
            return err_set(e, RC_NO_MEMORY, "out of memory");
        }
        memset(grown + api->bucket_count, 0, (count - api->bucket_count) * sizeof *grown);
        api->buckets = grown;
        api->bucket_count = count;
    }
    *ret = &api->buckets[service];
    return RC_OK;
}

static enum rc gather(struct call *c, const struct event *ev, struct err *e)
{
    struct bucket_row *row;
    uint32_t service = world_service_find(control_world(c->control), ev->service);
    enum rc rc = bucket_row_of(c->api, service, &row, e);
    if (rc != RC_OK) {
        return rc;
    }
    row->good += ev->good;
    row->total += ev->total;
    c->status = 202;
    return RC_OK;
}

static enum rc take_event(struct call *c, const struct event *ev, struct err *e)
{
    if (ev->type == EVENT_SLI) {
        return gather(c, ev, e);
    }
    if (ev->type == EVENT_ON_CALL_CHANGED) {
        struct on_call_report o = on_call_of(ev);
        return control_on_call(c->control, c->arena, &c->who, &o, e);
    }
    if (ev->type == EVENT_SNAPSHOT_TAKEN || ev->type == EVENT_ROLLBACK_TESTED) {
        struct evidence evidence = evidence_of(ev);
        return control_evidence(c->control, c->arena, &c->who, &evidence, e);
    }
    if (ev->type == EVENT_CONFIG_CHANGED) {
        const struct value said = change_of(c, ev);
        uint64_t seq;
        return control_graph_write(c->control, c->arena, &c->who, &said, c->who.key, &seq, e);
    }
    return control_deploy(c->control, c->arena, &c->who, ev->type == EVENT_DEPLOY_STARTED, ev->service,
                          ev->id, ev->result, e);
}

static enum rc read_event(struct call *c, const struct value *v, struct event *ev, struct err *e)
{
    struct reader r = {c->arena, STR(""), e};
    enum rc rc = read_fields(&r, v, event_fields, COUNT(event_fields), ev);
    return rc == RC_OK ? check_event(c, ev, e) : rc;
}

/* The bucket ends on a grid of its own length, so that every service's buckets agree. */
static void need_flush(struct api *api)
{
    if (api->buckets_pending) {
        return;
    }
    api->buckets_pending = true;
    int64_t length = api->options.sli_bucket_ms;
    int64_t left = length - control_now(api->control) % length;
    if (api->options.bucket_pending != NULL) {
        api->options.bucket_pending(api->options.context, left);
    }
}

/* The bucket in which a request with this key is counted already; null: none. */
static struct bucket_row *counted_in(struct api *api, const struct idempotency_key *k, bool *ret_same)
{
    for (uint32_t i = 0; k->given && i < api->bucket_count; i++) {
        const struct bucket_row *row = &api->buckets[i];
        for (uint32_t n = 0; n < row->key_count; n++) {
            if (memcmp(row->keys[n].key, k->key, sizeof k->key) == 0) {
                *ret_same = memcmp(row->keys[n].body_digest, k->body_digest, sizeof k->body_digest) == 0;
                return &api->buckets[i];
            }
        }
    }
    return NULL;
}

/* Answered when the entry of its bucket is durable. */
static enum rc wait_for(struct call *c, struct bucket_row *row)
{
    c->deferred = true;
    c->next_waiting = row->waiting;
    row->waiting = c;
    http_set_data(c->x, c);
    need_flush(c->api);
    return RC_OK;
}

static enum rc keep_key(struct bucket_row *row, const struct idempotency_key *k, struct err *e)
{
    if (!k->given) {
        return RC_OK;
    }
    if (row->keys == NULL) {
        row->keys = calloc(BUCKET_KEYS_MAX, sizeof *row->keys);
    }
    if (row->keys == NULL) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    if (row->key_count == BUCKET_KEYS_MAX) {
        return err_set(e, RC_LIMIT, "more than %d requests with a key in one bucket", BUCKET_KEYS_MAX);
    }
    row->keys[row->key_count++] = *k;
    return RC_OK;
}

/* All events are checked before the first is taken: a bad one refuses the whole body. */
static enum rc read_events(struct call *c, struct event **ret, uint32_t *ret_count, struct err *e)
{
    const struct value *list = value_get(&c->body, STR("events"));
    const struct value *items = &c->body;
    uint32_t count = 1;
    if (list != NULL) {
        if (list->type != VALUE_ARRAY || list->count == 0 || list->count > API_EVENTS_MAX) {
            return err_at(e, RC_INVALID, STR("/events"), "expected a list of 1 to %d events",
                          API_EVENTS_MAX);
        }
        items = list->items;
        count = list->count;
    }
    struct event *events = arena_array(c->arena, count, sizeof *events);
    *ret = events;
    if (events == NULL) {
        return err_set(e, arena_rc(c->arena), "the body is too large");
    }
    for (uint32_t i = 0; i < count; i++) {
        enum rc rc = read_event(c, &items[i], &events[i], e);
        if (rc != RC_OK) {
            if (list != NULL) {
                err_step(e, "/events/%u", i);
            }
            return rc;
        }
    }
    *ret = events;
    *ret_count = count;
    return RC_OK;
}

/* What is no count is written at once; what is the last of a body without counts holds its key. */
static enum rc take_others(struct call *c, const struct event *events, uint32_t count, uint32_t *ret_counted,
                           struct err *e)
{
    uint32_t last = count;
    *ret_counted = count;
    for (uint32_t i = count; i-- > 0;) {
        last = last == count && events[i].type != EVENT_SLI ? i : last;
        *ret_counted = events[i].type == EVENT_SLI ? i : *ret_counted;
    }
    enum rc rc = RC_OK;
    for (uint32_t i = 0; rc == RC_OK && i < count; i++) {
        c->who.key = i == last && *ret_counted == count ? &c->idempotency : NULL;
        rc = events[i].type == EVENT_SLI ? RC_OK : take_event(c, &events[i], e);
    }
    return rc;
}

enum rc events_post(struct call *c, struct err *e)
{
    struct event *events = NULL;
    uint32_t count = 0;
    enum rc rc = c->cloud_event ? cloud_event_open(c, e) : RC_OK;
    rc = rc == RC_OK ? read_events(c, &events, &count, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    struct value v = value_object();
    value_add_int(c->arena, &v, STR("accepted"), count);
    (void)call_reply(c, 202, v);
    uint64_t first;
    bool same = false;
    struct bucket_row *row = counted_in(c->api, &c->idempotency, &same);
    if (row != NULL) {
        return same ? wait_for(c, row) : err_set(e, RC_INVALID, "this Idempotency-Key came with another body before");
    }
    rc = control_repeated(c->control, &c->idempotency, &first, e);
    if (rc != RC_NOT_FOUND) {
        return rc;
    }
    uint32_t counted;
    rc = take_others(c, events, count, &counted, e);
    if (rc != RC_OK || counted == count) {
        return rc == RC_OK ? call_reply(c, 202, v) : rc;
    }
    uint32_t service = world_service_find(control_world(c->control), events[counted].service);
    rc = bucket_row_of(c->api, service, &row, e);
    rc = rc == RC_OK ? keep_key(row, &c->idempotency, e) : rc;
    for (uint32_t i = counted; rc == RC_OK && i < count; i++) {
        rc = events[i].type == EVENT_SLI ? take_event(c, &events[i], e) : RC_OK;
    }
    return rc == RC_OK ? wait_for(c, &c->api->buckets[service]) : rc;
}

static enum rc flush_row(struct api *api, uint32_t service, struct bucket_row *row, struct err *e)
{
    CLEANUP(arena) struct arena *a = arena_new(4 << 20);
    if (a == NULL) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    int64_t now = control_now(api->control);
    const struct sli_bucket bucket = {
        .service = str_from(world_service_at(control_world(api->control), service)->name),
        .at_ms = now / api->options.sli_bucket_ms * api->options.sli_bucket_ms,
        .good = row->good,
        .total = row->total,
        .keys = row->keys,
        .key_count = row->key_count,
    };
    return control_sli_bucket(api->control, a, STR("system"), &bucket, e);
}

void api_flush_buckets(struct api *api)
{
    api->buckets_pending = false;
    struct err e = {0};
    enum rc rc = RC_OK;
    for (uint32_t i = 0; i < api->bucket_count; i++) {
        struct bucket_row *row = &api->buckets[i];
        if (row->total > 0 || row->key_count > 0) {
            rc = flush_row(api, i, row, &e);
        }
        if (rc == RC_OK) {
            row->good = 0;
            row->total = 0;
            row->key_count = 0;
        }
    }
    for (uint32_t i = 0; i < api->bucket_count; i++) {
        struct call *c = api->buckets[i].waiting;
        api->buckets[i].waiting = NULL;
        while (c != NULL) {
            struct call *next = c->next_waiting;
            http_set_data(c->x, NULL);
            if (rc == RC_OK) {
                c->wait_seq = control_read_seq(api->control);
                call_send(c);
            } else {
                call_problem(c, rc, &e);
            }
            c = next;
        }
    }
    /* What could not be written stays counted and is tried with the next bucket. */
    if (rc != RC_OK) {
        need_flush(api);
    }
}

void events_forget(struct api *api, const struct call *gone)
{
    for (uint32_t i = 0; i < api->bucket_count; i++) {
        struct call **at = &api->buckets[i].waiting;
        while (*at != NULL && *at != gone) {
            at = &(*at)->next_waiting;
        }
        if (*at != NULL) {
            *at = gone->next_waiting;
        }
    }
}

void events_done(struct api *api)
{
    for (uint32_t i = 0; i < api->bucket_count; i++) {
        free(api->buckets[i].keys);
    }
    free(api->buckets);
}
