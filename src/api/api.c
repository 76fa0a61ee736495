#include "api/api.h"

#include "api/identity.h"
#include "api/routes.h"
#include "base/instant.h"
#include "base/must.h"
#include "otlp/traffic.h"
#include "value/json.h"

#include <stdlib.h>
#include <string.h>

void api_problem(void *context, unsigned status, struct buf *out)
{
    struct api *api = context;
    api->counts.malformed++;
    problem_write(out, status, STR(""), NULL);
}

void api_gone(void *context, struct http_exchange *x)
{
    struct api *api = context;
    control_forget_waiter(api->control, x);
    streams_gone(api, x);
    struct call *c = http_data(x);
    if (c != NULL && c->asking) {
        api->options.forget(api->options.context, c);
    } else if (c != NULL) {
        events_forget(api, c);
    }
}

/* --- from the request to its handler -------------------------------------------------------------------------- */

static struct str without_port(struct str host)
{
    if (host.len > 0 && host.ptr[0] == '[') {
        size_t end = str_find(host, ']');
        return str_slice(host, 0, end + 1);
    }
    return str_slice(host, 0, str_find(host, ':'));
}

/* A page in a browser can make it call us under a name of its own (DNS rebinding). */
static bool host_is_ours(const struct api *api, struct str host)
{
    struct str name = without_port(host);
    static const char *const ours[] = {"localhost", "127.0.0.1", "[::1]", "pawl"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        if (str_eq(name, str_from(ours[i]))) {
            return true;
        }
    }
    for (size_t i = 0; i < api->options.host_count; i++) {
        if (str_eq(name, api->options.hosts[i])) {
            return true;
        }
    }
    return false;
}

static bool may_be_anonymous(const struct api *api, const struct route *r)
{
    return (r->flags & ROUTE_ANONYMOUS) != 0 ||
           ((r->flags & ROUTE_PUBLIC_LOG) != 0 && api->options.public_log);
}

static unsigned limited(struct call *c, int64_t retry_ms)
{
    c->api->counts.rate_limited++;
    struct str seconds = arena_printf(c->arena, "%lld", (long long)retry_ms / 1000 + 1);
    http_add_header(c->x, "Retry-After", seconds);
    return 429;
}

static unsigned not_identified(struct call *c, enum rc rc)
{
    if (rc == RC_LIMIT) {
        return limited(c, SECOND_MS);
    }
    if (rc == RC_UNAVAILABLE || rc == RC_NO_MEMORY) {
        return 503;
    }
    c->api->counts.unauthenticated++;
    return 401;
}

/* 0, or the status of the problem in e. */
static unsigned admit(struct call *c, const struct route *r, struct err *e)
{
    struct api *api = c->api;
    c->anonymous = may_be_anonymous(api, r);
    if (c->anonymous) {
        return 0;
    }
    enum rc rc = identity_find(api->identity, c, e);
    if (rc != RC_OK) {
        return not_identified(c, rc);
    }
    int64_t now_ms = control_now(c->control);
    int64_t retry_ms;
    if (!limits_take(api->limits, c->who.token, now_ms, &retry_ms)) {
        (void)err_set(e, RC_LIMIT, "more than %lld requests a second by this credential",
                      (long long)api->options.rate_per_s);
        return limited(c, retry_ms);
    }
    if ((c->who.roles & ROLE_AGENT) != 0 &&
        !limits_take_bytes(api->limits, c->who.token, now_ms, c->request->body.len, &retry_ms)) {
        (void)err_set(e, RC_LIMIT, "the bytes that an agent may send in a day are used up");
        return limited(c, retry_ms);
    }
    rc = identity_take_nonce(api->identity, c, e);
    if (rc != RC_OK) {
        return not_identified(c, rc);
    }
    if ((c->who.roles & r->roles) == 0) {
        (void)err_set(e, RC_DENIED, "none of this credential's roles may do that");
        return 403;
    }
    return 0;
}

bool call_is_type(struct http_exchange *x, const char *want)
{
    struct str type = http_header(x, "Content-Type");
    return str_eq(str_trim(str_slice(type, 0, str_find(type, ';'))), str_from(want));
}

static unsigned read_body(struct call *c, const struct route *r, struct err *e)
{
    c->body = value_object();
    bool needed = (r->flags & ROUTE_BODY_ERRORS_400) != 0;
    bool empty = c->request->body.len == 0 && !needed;
    if (r->method != HTTP_POST || empty || (r->flags & ROUTE_RAW_BODY) != 0) {
        return 0;
    }
    c->cloud_event = (r->flags & ROUTE_CLOUD_EVENTS) != 0 && call_is_type(c->x, "application/cloudevents+json");
    if (!c->cloud_event && !call_is_type(c->x, "application/json")) {
        (void)err_set(e, RC_INVALID, "expected Content-Type: application/json");
        c->api->counts.malformed++;
        return needed ? 400 : 415;
    }
    enum rc rc = json_parse(c->arena, c->request->body, &c->body, e);
    if (rc == RC_OK && c->body.type != VALUE_OBJECT) {
        rc = err_set(e, RC_INVALID, "expected an object");
    }
    if (rc != RC_OK) {
        c->api->counts.malformed++;
        return 400;
    }
    return 0;
}

static unsigned prepare(struct call *c, const struct route *r, struct err *e)
{
    unsigned status = admit(c, r, e);
    status = status == 0 ? read_body(c, r, e) : status;
    struct str key = http_header(c->x, "Idempotency-Key");
    if (status == 0 && key.len > CONTROL_IDEMPOTENCY_KEY_MAX) {
        (void)err_set(e, RC_INVALID, "an Idempotency-Key has at most %d bytes",
                      CONTROL_IDEMPOTENCY_KEY_MAX);
        return 422;
    }
    if (status == 0 && r->method == HTTP_POST && !c->anonymous) {
        c->idempotency = control_idempotency(&c->who, key, c->request->path, c->request->body);
        c->who.key = &c->idempotency;
    }
    struct str id = http_header(c->x, "X-Request-ID");
    if (id.len > 0 && id.len <= 128 && utf8_valid(id)) {
        http_add_header(c->x, "X-Request-ID", id);
    }
    return status;
}

/* --- validators ------------------------------------------------------------------------------------------------- */

static void handle(struct call *c);

static void answered(void *waiter)
{
    struct call *c = waiter;
    c->asking = false;
    c->deferred = false;
    c->who.round->answered = true;
    http_set_data(c->x, NULL);
    if (!c->handling) {
        handle(c);
    }
}

static bool must_ask(const struct call *c)
{
    const struct validator_round *round = c->who.round;
    return round != NULL && !round->answered && round->count > 0;
}

/* What the handler asks about has not been done yet: it is called again when the answers are there, which may be at
 * once. */
static void ask(struct call *c)
{
    struct validator_round *round = c->who.round;
    c->asking = true;
    c->deferred = true;
    http_set_data(c->x, c);
    if (!c->api->options.ask(c->api->options.context, round, answered, c)) {
        for (uint32_t i = 0; i < round->count; i++) {
            round->answers[i].answer = ANSWER_ERROR;
            round->answers[i].text = STR("too many decisions wait for validators");
        }
        answered(c);
    }
}

static void handle(struct call *c)
{
    struct err e = {0};
    c->handling = true;
    enum rc rc = c->route->handle(c, &e);
    while (rc != RC_OK && must_ask(c)) {
        ask(c);
        if (c->asking) {
            c->handling = false;
            return;
        }
        e = (struct err){0};
        rc = c->route->handle(c, &e);
    }
    c->handling = false;
    if (rc == RC_INVALID && (c->route->flags & ROUTE_BODY_ERRORS_400) != 0) {
        call_problem_status(c, 400, &e);
    } else if (rc != RC_OK) {
        call_problem(c, rc, &e);
    } else if (!c->deferred) {
        call_send(c);
    }
}

static void dispatch(struct call *c, const struct route *r)
{
    struct err e = {0};
    const struct policy *policy = world_policy(control_world(c->control));
    unsigned status = prepare(c, r, &e);
    if (status != 0) {
        call_problem_status(c, status, &e);
        return;
    }
    c->route = r;
    if (policy != NULL && policy->validator_count > 0 && c->api->options.ask != NULL) {
        c->who.round = arena_alloc(c->arena, sizeof *c->who.round);
    }
    handle(c);
}

void api_handle(void *context, struct http_exchange *x, const struct http_request *request)
{
    struct api *api = context;
    struct err e = {0};
    api->counts.requests++;
    struct call *c = arena_alloc(request->arena, sizeof *c);
    must(c != NULL);
    *c = (struct call){.api = api,
                       .control = api->control,
                       .x = x,
                       .request = request,
                       .arena = request->arena,
                       .who = {.agent = MAP_NONE}};
    if (request->peer_uid < 0 && !host_is_ours(api, http_header(x, "Host"))) {
        (void)err_set(&e, RC_DENIED, "the Host header names another server");
        call_problem_status(c, 421, &e);
        return;
    }
    bool other_method;
    enum http_method method = request->method == HTTP_HEAD ? HTTP_GET : request->method;
    const struct route *r = routes_find(method, request->path, c->ids, &other_method);
    if (r == NULL) {
        call_problem_status(c, other_method ? 405 : 404, NULL);
        return;
    }
    dispatch(c, r);
}

size_t api_max_body(void *context, enum http_method method, struct str path)
{
    (void)context;
    struct str ids[CALL_IDS_MAX];
    bool other_method;
    const struct route *r = routes_find(method, path, ids, &other_method);
    return r != NULL && (r->flags & ROUTE_LARGE_BODY) != 0 ? HTTP_BODY_LARGE_MAX : HTTP_BODY_MAX;
}

/* --- lifetime ---------------------------------------------------------------------------------------------------- */

enum rc api_new(const struct api_options *options, struct api **ret, struct err *e)
{
    struct api *api = calloc(1, sizeof *api);
    if (api == NULL) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    api->options = *options;
    api->options.rate_per_s = options->rate_per_s > 0 ? options->rate_per_s : API_RATE_PER_S;
    api->options.burst = options->burst > 0 ? options->burst : API_BURST;
    api->options.sli_bucket_ms = options->sli_bucket_ms > 0 ? options->sli_bucket_ms : 10000;
    api->options.traffic_period_ms = options->traffic_period_ms > 0 ? options->traffic_period_ms : MINUTE_MS;
    api->options.observed_for_ms = options->observed_for_ms > 0 ? options->observed_for_ms : DAY_MS;
    api->control = options->control;
    buf_init(&api->out, CALL_REPLY_MAX);
    int64_t daily = options->daily_bytes > 0 ? options->daily_bytes : API_DAILY_BYTES;
    api->limits = limits_new(api->options.rate_per_s, api->options.burst, daily);
    enum rc rc = api->limits == NULL ? err_set(e, RC_NO_MEMORY, "out of memory")
                                     : identity_new(options, &api->identity, e);
    if (rc != RC_OK) {
        api_free(api);
        return rc;
    }
    *ret = api;
    return RC_OK;
}

void api_reload_keys(struct api *api)
{
    issuers_reload(api->identity->issuers);
}

void api_free(struct api *api)
{
    if (api != NULL) {
        limits_free(api->limits);
        identity_free(api->identity);
        buf_done(&api->out);
        rule_counts_done(&api->rule_counts);
        events_done(api);
        traffic_free(api->traffic);
        free(api);
    }
}

void api_minute(struct api *api)
{
    const struct counts *now = &api->counts;
    struct counts *then = &api->at_last_minute;
    int64_t limited = now->rate_limited - then->rate_limited;
    int64_t unauthenticated = now->unauthenticated - then->unauthenticated;
    int64_t malformed = now->malformed - then->malformed;
    if (limited + unauthenticated + malformed == 0) {
        return;
    }
    CLEANUP(arena) struct arena *a = arena_new(1 << 20);
    /* Out of memory or a full disk: the counts stay and are said a minute later. */
    if (a != NULL &&
        control_load_refused(api->control, a, limited, unauthenticated, malformed, NULL) == RC_OK) {
        *then = *now;
    }
}

void api_set_policy_error(struct api *api, const char *text)
{
    struct str cut = str_slice(str_from(text), 0, sizeof api->policy_error - 1);
    memcpy(api->policy_error, cut.len > 0 ? cut.ptr : "", cut.len);
    api->policy_error[cut.len] = '\0';
}

void api_set_disk(struct api *api, int64_t free_bytes, int64_t size_bytes)
{
    api->disk_free_bytes = free_bytes;
    api->disk_size_bytes = size_bytes;
}
