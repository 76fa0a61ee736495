/*
 * api/call - replies and problems, and what handlers ask of their call.
 */
#include "api/call.h"

#include "value/json.h"

#include <string.h>

/* --- problems: one table of codes -------------------------------------------------------------------------- */

static const struct {
    unsigned status;
    const char *code;
    const char *title;
} problems[] = {
    {400, "invalid_json", "The body is not valid JSON"},
    {401, "unauthenticated", "A valid credential is needed"},
    {403, "forbidden", "Not allowed to this credential"},
    {404, "not_found", "There is no such thing"},
    {405, "method_not_allowed", "Not with this method"},
    {409, "conflict", "Not in a state for this"},
    {410, "erased", "It was erased by policy"},
    {413, "too_large", "The body is too large"},
    {415, "unsupported_media_type", "The body must be application/json"},
    {421, "misdirected", "This server does not answer for that host"},
    {422, "invalid", "The input is wrong"},
    {429, "limit", "A limit was crossed"},
    {431, "head_too_large", "The request head is too large"},
    {500, "corrupt", "Stored data is damaged"},
    {503, "ledger_unavailable", "The ledger can't be written now"},
};

static unsigned status_of(enum rc rc)
{
    switch (rc) {
    case RC_OK:
        return 200;
    case RC_INVALID:
        return 422;
    case RC_NOT_FOUND:
        return 404;
    case RC_CONFLICT:
        return 409;
    case RC_DENIED:
        return 403;
    case RC_LIMIT:
        return 429;
    case RC_CORRUPT:
        return 500;
    case RC_GONE:
        return 410;
    case RC_NO_MEMORY:
    case RC_UNAVAILABLE:
        break;
    }
    return 503;
}

void problem_write(struct buf *out, unsigned status, struct str instance, const struct err *e)
{
    size_t i = 0;
    while (i + 1 < sizeof problems / sizeof *problems && problems[i].status != status) {
        i++;
    }
    struct buf type;
    buf_init(&type, 128);
    buf_printf(&type, "urn:pawl:error:%s", problems[i].code);
    buf_str(out, STR("{\"type\":"));
    json_write_string(out, buf_view(&type));
    buf_done(&type);
    buf_str(out, STR(",\"title\":"));
    json_write_string(out, str_from(problems[i].title));
    buf_printf(out, ",\"status\":%u,\"detail\":", status);
    struct str detail = e == NULL ? str_from(problems[i].title) : str_from(e->text);
    json_write_string(out, utf8_valid(detail) ? detail : STR("the text is not valid UTF-8"));
    if (instance.len > 0 && utf8_valid(instance)) {
        buf_str(out, STR(",\"instance\":"));
        json_write_string(out, instance);
    }
    buf_str(out, STR(",\"code\":"));
    json_write_string(out, str_from(problems[i].code));
    if (e != NULL && e->where[0] != '\0' && utf8_valid(str_from(e->where))) {
        buf_str(out, STR(",\"errors\":[{\"pointer\":"));
        json_write_string(out, str_from(e->where));
        buf_str(out, STR(",\"expected\":"));
        json_write_string(out, utf8_valid(detail) ? detail : STR(""));
        buf_str(out, STR("}]"));
    }
    buf_char(out, '}');
}

static void count_status(struct api *api, unsigned status)
{
    api->counts.by_class[status / 100 < 6 ? status / 100 : 5]++;
}

static void answer_problem(struct api *api, struct http_exchange *x, unsigned status, const struct err *e)
{
    struct buf out;
    buf_init(&out, 8192);
    problem_write(&out, status, http_request(x)->path, e);
    if (status == 401) {
        http_add_header(x, "WWW-Authenticate", STR("Bearer realm=\"pawl\""));
    }
    if (status == 503) {
        http_add_header(x, "Retry-After", STR("1"));
    }
    count_status(api, status);
    http_answer(x, status, "application/problem+json", buf_view(&out));
    buf_done(&out);
}

void call_problem_status(struct call *c, unsigned status, const struct err *e)
{
    answer_problem(c->api, c->x, status, e);
}

void call_problem(struct call *c, enum rc rc, const struct err *e)
{
    call_problem_status(c, status_of(rc), e);
}

/* --- replies -------------------------------------------------------------------------------------------------- */

enum rc call_reply(struct call *c, unsigned status, struct value v)
{
    c->status = status;
    c->reply = v;
    c->wait_seq = control_read_seq(c->control);
    return RC_OK;
}

enum rc call_text(struct call *c, unsigned status, const char *content_type, struct str text)
{
    c->status = status;
    c->raw = true;
    c->content_type = content_type;
    c->text = text;
    c->wait_seq = 0;
    return RC_OK;
}

/* What was read shows what may not be durable while the disk is full; what was to be written is refused. */
static void when_durable(void *context, enum rc rc)
{
    struct http_exchange *x = context;
    struct api *api = http_context(x);
    enum http_method method = http_request(x)->method;
    if (rc == RC_OK || method == HTTP_GET || method == HTTP_HEAD) {
        if (rc != RC_OK) {
            http_add_header(x, "Pawl-Durable", STR("false"));
        }
        count_status(api, http_send(x));
        return;
    }
    struct err e;
    (void)err_set(&e, RC_UNAVAILABLE, "the ledger can't be written now: nothing was decided");
    answer_problem(api, x, 503, &e);
}

/* The reply is written down at once, so that what waits for the disk is its bytes and not the whole call. */
void call_send(struct call *c)
{
    struct api *api = c->api;
    struct http_exchange *x = c->x;
    uint64_t wait_seq = c->wait_seq;
    uint64_t action = c->action;
    struct buf *out = &api->out;
    struct err e;
    buf_reset(out);
    if (!c->raw) {
        json_write(out, &c->reply);
    }
    if (out->rc != RC_OK || arena_rc(c->arena) != RC_OK) {
        call_problem(c, err_set(&e, RC_UNAVAILABLE, "the reply is too large"), &e);
        return;
    }
    http_prepare(x, c->status, c->raw ? c->content_type : "application/json", c->raw ? c->text : buf_view(out));
    if (out->capacity > CALL_REPLY_KEPT) {
        buf_done(out); /* one large listing must not be kept for good */
    }
    enum rc rc = control_when_durable(api->control, wait_seq, action, when_durable, x, &e);
    if (rc != RC_OK) {
        answer_problem(api, x, status_of(rc), &e);
    }
}

/* --- for handlers ----------------------------------------------------------------------------------------------- */

enum rc call_id(const struct call *c, unsigned i, const char *prefix, uint64_t *ret, struct err *e)
{
    return id_parse(c->ids[i], prefix, ret) ? RC_OK
                                            : err_set(e, RC_NOT_FOUND, "there is no such %s", prefix);
}

enum rc call_fields(struct call *c, const struct field *fields, size_t count, void *out, struct err *e)
{
    struct reader r = {c->arena, STR(""), e};
    return read_fields(&r, &c->body, fields, count, out);
}

enum rc call_page(struct call *c, uint64_t *ret_after, uint64_t *ret_limit, struct err *e)
{
    struct str text;
    *ret_after = 0;
    *ret_limit = API_LIST_DEFAULT;
    if (http_query(c->x, "limit", &text) &&
        (!str_to_u64(text, ret_limit) || *ret_limit < 1 || *ret_limit > API_LIST_MAX)) {
        return err_at(e, RC_INVALID, STR("/limit"), "expected 1 to %d", API_LIST_MAX);
    }
    if (http_query(c->x, "after", &text) && !str_to_u64(text, ret_after)) {
        return err_at(e, RC_INVALID, STR("/after"), "expected what a listing's `next` said");
    }
    return RC_OK;
}

bool call_is_operator(const struct call *c)
{
    return (c->who.roles & ROLES_OPERATOR) != 0;
}

bool call_may_write_service(const struct call *c, struct str service)
{
    if ((c->who.roles & ROLE_ADMIN) != 0) {
        return true;
    }
    struct str globs = c->who.services;
    struct str glob;
    while (str_next(&globs, ',', &glob)) {
        if (str_glob(str_trim(glob), service)) {
            return true;
        }
    }
    return false;
}
