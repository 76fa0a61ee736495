/*
 * api/stream - what people care about, as it happens: server-sent events.
 *
 * A stream gets every item of the feed as one event with the entry's seq as its id. Who comes back with
 * Last-Event-ID first gets what it missed from the ledger, so many entries at a time; when that is not all, the
 * stream ends with an id to go on from. Events hold what any operator may know: no parameters, no words of an
 * agent. A reader that is too slow, and one whose credential ended, is ended.
 * Source: WHATWG HTML, "Server-sent events".
 */
#include "api/call.h"

#include "control/feed.h"
#include "sys/clock.h"
#include "value/json.h"

#include <stdio.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { STREAM_EVENT_MAX = 64 << 10, STREAM_ARENA_MAX = 32 << 20 };

struct stream {
    struct http_exchange *x;
    uint64_t token;
    uint64_t next;  /* what lies before was read from the ledger */
    int64_t put_ms; /* when something was said last */
    struct stream *following;
};

/* --- one event ---------------------------------------------------------------------------------------------- */

static void add_id(struct arena *a, struct value *v, struct str about)
{
    static const struct {
        struct str prefix;
        struct str name;
    } ids[] = {
        {{"act_", 4}, {"action_id", 9}},
        {{"stp_", 4}, {"stop_id", 7}},
        {{"grt_", 4}, {"grant_id", 8}},
        {{"inc_", 4}, {"incident_id", 11}},
    };
    for (size_t i = 0; i < COUNT(ids); i++) {
        if (str_starts(about, ids[i].prefix)) {
            value_add_str(a, v, ids[i].name, about);
        }
    }
}

static void add_text(struct arena *a, struct value *v, struct str name, struct str text)
{
    if (text.len > 0) {
        value_add_str(a, v, name, text);
    }
}

/* What a body may show to every operator. The reason of an action that was cancelled may be an agent's words. */
static void add_members(struct arena *a, struct value *v, const struct feed_item *item)
{
    static const char *const of_actions[] = {"result", "late",   "service", "expires_at",
                                             "person", "quorum", "check",   "break_glass"};
    static const char *const of_operators[] = {"scope", "name", "level",      "state",  "tier",
                                               "hash",  "target", "expires_at", "person", "reason"};
    bool action = item->action != 0;
    const char *const *names = action ? of_actions : of_operators;
    size_t count = action ? COUNT(of_actions) : COUNT(of_operators);
    for (size_t i = 0; i < count; i++) {
        const struct value *member = value_get(item->body, str_from(names[i]));
        if (member != NULL) {
            value_add(a, v, str_from(names[i]), *member);
        }
    }
    if (item->kind == ENTRY_APPROVAL_REJECTED || item->kind == ENTRY_OVERRIDE_GRANTED) {
        add_text(a, v, STR("reason"), value_text(value_get(item->body, STR("reason"))));
    }
}

static struct value event_value(struct arena *a, const struct feed_item *item)
{
    struct value v = value_object();
    value_add_int(a, &v, STR("seq"), (int64_t)item->seq);
    value_add_str(a, &v, STR("kind"), item->name);
    if (item->event == FEED_LOST) {
        value_add_int(a, &v, STR("from_seq"), (int64_t)item->from);
        value_add_int(a, &v, STR("to_seq"), (int64_t)item->seq);
        return v;
    }
    value_add_instant(a, &v, STR("time"), item->time_ms);
    add_id(a, &v, item->about);
    add_text(a, &v, STR("agent"), item->agent);
    add_text(a, &v, STR("tool"), item->tool);
    struct value services = value_array();
    for (uint32_t i = 0; i < item->services.count; i++) {
        value_push(a, &services, value_string(item->services.items[i]));
    }
    if (services.count > 0) {
        value_add(a, &v, STR("services"), services);
    }
    add_text(a, &v, STR("verdict"), item->verdict);
    add_text(a, &v, STR("blocking_check"), item->blocking);
    add_text(a, &v, STR("cause"), item->cause);
    add_members(a, &v, item);
    return v;
}

static void event_write(struct arena *a, const struct feed_item *item, struct buf *out)
{
    struct value v = event_value(a, item);
    buf_printf(out, "id: %llu\nevent: %.*s\ndata: ", (unsigned long long)item->seq, STR_ARG(item->name));
    json_write(out, &v);
    buf_str(out, STR("\n\n"));
    out->rc = out->rc == RC_OK ? arena_rc(a) : out->rc;
}

/* --- the streams of a server ---------------------------------------------------------------------------------- */

static void on_item(void *context, const struct feed_item *item);

static struct stream **find(struct api *api, const struct http_exchange *x)
{
    struct stream **at = &api->streams;
    while (*at != NULL && (*at)->x != x) {
        at = &(*at)->following;
    }
    return at;
}

static void forget(struct api *api, struct stream **at)
{
    struct stream *s = *at;
    *at = s->following;
    free(s);
    api->stream_count--;
    if (api->stream_count == 0) {
        control_unsubscribe(api->control, on_item, api);
    }
}

void streams_gone(struct api *api, const struct http_exchange *x)
{
    struct stream **at = find(api, x);
    if (*at != NULL) {
        forget(api, at);
    }
}

static void end(struct api *api, struct stream **at)
{
    struct http_exchange *x = (*at)->x;
    forget(api, at);
    http_stream_end(x);
}

/* False: its reader takes too little, or may not listen any more. */
static bool may_stay(struct api *api, const struct stream *s)
{
    const struct world_token *t = world_token_by_id(control_world(api->control), s->token);
    return t != NULL && !t->revoked && (t->expires_ms == 0 || control_now(api->control) < t->expires_ms);
}

static bool put(struct stream *s, struct str bytes)
{
    s->put_ms = clock_boot_ms();
    return http_stream_put(s->x, bytes) == RC_OK;
}

static void on_item(void *context, const struct feed_item *item)
{
    struct api *api = context;
    CLEANUP(arena) struct arena *a = arena_new(STREAM_ARENA_MAX);
    struct buf event;
    buf_init(&event, STREAM_EVENT_MAX);
    if (a != NULL) {
        event_write(a, item, &event);
    }
    /* What can't be written ends the streams: who comes back reads it from the ledger. */
    bool whole = a != NULL && event.rc == RC_OK;
    struct stream **at = &api->streams;
    while (*at != NULL) {
        bool due = item->seq >= (*at)->next;
        bool stays = may_stay(api, *at) && (!due || (whole && put(*at, buf_view(&event))));
        if (stays) {
            at = &(*at)->following;
        } else {
            end(api, at);
        }
    }
    buf_done(&event);
}

void api_beat(struct api *api)
{
    int64_t now = clock_boot_ms();
    struct stream **at = &api->streams;
    while (*at != NULL) {
        bool quiet = now - (*at)->put_ms >= STREAM_KEEP_ALIVE_MS;
        if (may_stay(api, *at) && (!quiet || put(*at, STR(": keep-alive\n\n")))) {
            at = &(*at)->following;
        } else {
            end(api, at);
        }
    }
}

void api_end_streams(struct api *api)
{
    while (api->streams != NULL) {
        end(api, &api->streams);
    }
}

/* --- from where it left off -------------------------------------------------------------------------------------- */

static bool put_entry(struct api *api, struct stream *s, struct arena *a, uint64_t seq)
{
    struct feed_item item;
    struct buf event;
    enum rc rc = control_feed_read(api->control, a, seq, &item, NULL);
    if (rc != RC_OK) {
        return rc == RC_NOT_FOUND || rc == RC_GONE; /* nothing that is told, or erased */
    }
    buf_init(&event, STREAM_EVENT_MAX);
    event_write(a, &item, &event);
    bool whole = event.rc == RC_OK && put(s, buf_view(&event));
    buf_done(&event);
    return whole;
}

/* An id alone: where to go on from when nothing is told until then. */
static bool put_id(struct stream *s, uint64_t seq)
{
    char line[64];
    int len = snprintf(line, sizeof line, "retry: 1000\nid: %llu\n\n", (unsigned long long)seq);
    return put(s, (struct str){line, (size_t)len});
}

/* False when the stream must end here. */
static bool catch_up(struct api *api, struct stream *s)
{
    CLEANUP(arena) struct arena *a = arena_new(STREAM_ARENA_MAX);
    uint64_t durable = writer_durable(control_writer(api->control));
    uint64_t until = durable - s->next > STREAM_REPLAY_MAX ? s->next + STREAM_REPLAY_MAX : durable;
    for (; s->next < until; s->next++) {
        if (a == NULL || !put_entry(api, s, a, s->next)) {
            return false;
        }
        arena_reset(a);
    }
    return put_id(s, until - 1) && until == durable;
}

/* UINT64_MAX: it was not said. */
static enum rc read_last_id(struct call *c, uint64_t *ret, struct err *e)
{
    struct str text = http_header(c->x, "Last-Event-ID");
    *ret = UINT64_MAX;
    if (text.len == 0) {
        return RC_OK;
    }
    return str_to_u64(text, ret) && *ret < writer_durable(control_writer(c->control))
               ? RC_OK
               : err_set(e, RC_INVALID, "Last-Event-ID: expected the id of an event of this ledger");
}

static enum rc add_stream(struct call *c, uint64_t last, struct err *e)
{
    struct api *api = c->api;
    if (api->stream_count >= STREAMS_MAX) {
        return err_set(e, RC_UNAVAILABLE, "%d streams are open: the limit", STREAMS_MAX);
    }
    uint64_t durable = writer_durable(control_writer(c->control));
    struct stream *s = calloc(1, sizeof *s);
    enum rc rc = s == NULL ? err_set(e, RC_NO_MEMORY, "out of memory") : RC_OK;
    if (rc == RC_OK && api->stream_count == 0) {
        rc = control_subscribe(api->control, on_item, api, e);
    }
    if (rc != RC_OK) {
        free(s);
        return rc;
    }
    *s = (struct stream){.x = c->x,
                         .token = c->who.token,
                         .next = last == UINT64_MAX ? durable : last + 1,
                         .following = api->streams};
    api->streams = s;
    api->stream_count++;
    return RC_OK;
}

enum rc stream_get(struct call *c, struct err *e)
{
    struct api *api = c->api;
    uint64_t last;
    http_add_header(c->x, "Cache-Control", STR("no-cache"));
    enum rc rc = read_last_id(c, &last, e);
    if (rc == RC_OK && c->request->method == HTTP_HEAD) {
        return call_text(c, 200, "text/event-stream", STR(""));
    }
    rc = rc == RC_OK ? add_stream(c, last, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    c->deferred = true;
    api->counts.by_class[2]++;
    http_stream_start(c->x, "text/event-stream");
    struct stream **at = find(api, c->x);
    if (*at == NULL) {
        return RC_OK; /* there was no memory for it: its connection is closed */
    }
    if (!catch_up(api, *at)) {
        end(api, at);
    }
    return RC_OK;
}
