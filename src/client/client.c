#include "client/client.h"

#include "base/encode.h"
#include "crypto/crypto.h"
#include "net/http_client.h"
#include "sys/random.h"
#include "value/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STREAM_PROBLEM_MAX = 64 << 10 };

/* --- settings ----------------------------------------------------------------------------------- */

static const char *environment(const char *name)
{
    const char *text = getenv(name);
    return text == NULL || text[0] == '\0' ? NULL : text;
}

static enum rc set_url(struct client *c, const char *given, struct err *e)
{
    const char *url = given != NULL ? given : environment("PAWL_URL");
    struct str text = str_from(url == NULL ? CLIENT_URL_DEFAULT : url);
    if (str_starts(text, STR("unix:"))) {
        struct str path = str_slice(text, 5, text.len);
        if (path.len == 0 || path.ptr[0] != '/' || !str_to_c(path, c->socket, sizeof c->socket)) {
            return err_set(e, RC_INVALID, "url: expected unix: and an absolute path");
        }
        text = STR("http://pawl");
    }
    while (str_ends(text, STR("/"))) {
        text.len--;
    }
    bool http = str_starts(text, STR("http://")) || str_starts(text, STR("https://"));
    return http && str_to_c(text, c->url, sizeof c->url)
               ? RC_OK
               : err_set(e, RC_INVALID, "url: expected http://, https:// or unix:");
}

void client_token_path(const struct client_options *options, char *out)
{
    out[0] = '\0';
    const char *named = options->token_file != NULL ? options->token_file : environment("PAWL_TOKEN_FILE");
    if (options->token_file == NULL && environment("PAWL_TOKEN") != NULL) {
        return;
    }
    const char *home = environment("HOME");
    if (named != NULL) {
        snprintf(out, FILE_PATH_MAX, "%s", named);
    } else if (home != NULL) {
        snprintf(out, FILE_PATH_MAX, "%s/.config/pawl/token", home);
    }
}

static enum rc set_token(struct client *c, struct str token, struct err *e)
{
    for (size_t i = 0; i < token.len; i++) {
        if (token.ptr[i] <= ' ' || token.ptr[i] > '~') {
            return err_set(e, RC_INVALID, "the token holds characters that no token has");
        }
    }
    if (token.len == 0 || token.len > CLIENT_TOKEN_MAX) {
        return err_set(e, RC_INVALID, "the token is empty or longer than %d bytes", CLIENT_TOKEN_MAX);
    }
    snprintf(c->authorization, sizeof c->authorization, "Authorization: Bearer %.*s", STR_ARG(token));
    return RC_OK;
}

static enum rc read_token(struct client *c, const char *path, struct err *e)
{
    struct buf text;
    buf_init(&text, CLIENT_TOKEN_MAX + 2);
    enum rc rc = file_check_private(path, e);
    rc = rc == RC_OK ? file_read(path, &text, e) : rc;
    rc = rc == RC_OK ? set_token(c, str_trim(buf_view(&text)), e) : rc;
    if (text.data != NULL) {
        wipe(text.data, text.len);
    }
    buf_done(&text);
    return rc;
}

enum rc client_init(const struct client_options *options, struct client *ret, struct err *e)
{
    *ret = (struct client){.timeout_ms = CLIENT_TIMEOUT_MS};
    enum rc rc = set_url(ret, options->url, e);
    if (rc != RC_OK) {
        return rc;
    }
    char path[FILE_PATH_MAX];
    client_token_path(options, path);
    bool named = options->token_file != NULL || environment("PAWL_TOKEN_FILE") != NULL;
    if (path[0] == '\0') {
        const char *token = environment("PAWL_TOKEN");
        return token == NULL ? RC_OK : set_token(ret, str_from(token), e);
    }
    /* Nobody has to have the default file: some questions need no token. */
    return named || file_exists(path) ? read_token(ret, path, e) : RC_OK;
}

void client_done(struct client *c)
{
    wipe(c, sizeof *c);
}

/* --- one call ----------------------------------------------------------------------------------- */

static enum rc rc_of(unsigned status)
{
    switch (status) {
    case 400:
    case 422:
        return RC_INVALID;
    case 401:
    case 403:
        return RC_DENIED;
    case 404:
        return RC_NOT_FOUND;
    case 409:
        return RC_CONFLICT;
    case 413:
    case 429:
        return RC_LIMIT;
    case 500:
        return RC_CORRUPT;
    default:
        return RC_UNAVAILABLE;
    }
}

static enum rc problem(const struct client *c, struct answer *answer, struct err *e)
{
    const struct value *errors = value_get(&answer->body, STR("errors"));
    struct str detail = value_text(value_get(&answer->body, STR("detail")));
    struct str where = value_is(errors, VALUE_ARRAY) && errors->count > 0
                           ? value_text(value_get(&errors->items[0], STR("pointer")))
                           : STR("");
    answer->code = value_text(value_get(&answer->body, STR("code")));
    enum rc rc = rc_of(answer->status);
    if (answer->status == 401 && c->authorization[0] == '\0') {
        return err_set(e, rc, "no token: set PAWL_TOKEN or PAWL_TOKEN_FILE, or write ~/.config/pawl/token");
    }
    return detail.len > 0 ? err_at(e, rc, where, "%.*s", STR_ARG(detail))
                          : err_set(e, rc, "the server answered with status %u", answer->status);
}

static enum rc read_answer(const struct client *c, struct arena *a, const struct http_reply *reply,
                           struct answer *ret, struct err *e)
{
    *ret = (struct answer){.status = reply->status, .text = reply->body};
    (void)!str_to_i64(str_trim(reply->retry_after), &ret->retry_after_s);
    struct str type = str_trim(str_slice(reply->content_type, 0, str_find(reply->content_type, ';')));
    bool good = reply->status >= 200 && reply->status < 300;
    if (str_eq(type, STR("application/json")) || str_eq(type, STR("application/problem+json"))) {
        struct err inner;
        if (json_parse(a, reply->body, &ret->body, &inner) != RC_OK) {
            return err_set(e, RC_CORRUPT, "the server's answer is not JSON: %.200s", inner.text);
        }
    }
    return good ? RC_OK : problem(c, ret, e);
}

enum rc client_call(const struct client *c, struct arena *a, const struct client_call *call,
                    struct answer *ret, struct err *e)
{
    *ret = (struct answer){0};
    struct buf body;
    struct buf url;
    char key[64];
    buf_init(&body, HTTP_REPLY_MAX);
    buf_init(&url, CLIENT_URL_MAX + 8192);
    struct http_call http = {.method = call->method,
                             .socket_path = c->socket[0] == '\0' ? NULL : c->socket,
                             .timeout_ms = c->timeout_ms};
    unsigned headers = 0;
    if (c->authorization[0] != '\0') {
        http.headers[headers++] = c->authorization;
    }
    if (call->body != NULL) {
        json_write(&body, call->body);
        http.headers[headers++] = "Content-Type: application/json";
    }
    if (call->key != NULL) {
        snprintf(key, sizeof key, "Idempotency-Key: %.40s", call->key);
        http.headers[headers++] = key;
    }
    http.body = buf_view(&body);
    buf_printf(&url, "%s%s", c->url, call->path);
    buf_char(&url, '\0');
    http.url = url.data;
    struct http_reply reply;
    enum rc rc = body.rc == RC_OK && url.rc == RC_OK ? http_fetch(a, &http, &reply, e)
                                                     : err_set(e, RC_LIMIT, "the request is too large");
    rc = rc == RC_OK ? read_answer(c, a, &reply, ret, e) : rc;
    buf_done(&body);
    buf_done(&url);
    return rc;
}

enum rc client_get(const struct client *c, struct arena *a, const char *path, struct answer *ret,
                   struct err *e)
{
    struct client_call call = {.method = "GET", .path = path};
    return client_call(c, a, &call, ret, e);
}

enum rc client_post(const struct client *c, struct arena *a, const char *path, const struct value *body,
                    struct answer *ret, struct err *e)
{
    struct client_call call = {.method = "POST", .path = path, .body = body};
    return client_call(c, a, &call, ret, e);
}

/* One stream: its pieces go to the caller once the answer is known to be good; a problem is kept. */
struct streaming {
    const struct client_stream *stream;
    unsigned status; /* set before the first piece */
    struct buf problem;
};

static bool take_piece(void *context, struct str piece)
{
    struct streaming *s = context;
    if (s->status >= 200 && s->status < 300) {
        return s->stream->fn(s->stream->context, piece);
    }
    buf_str(&s->problem, piece);
    return s->problem.rc == RC_OK;
}

enum rc client_stream(const struct client *c, struct arena *a, const struct client_stream *stream,
                      struct answer *ret, struct err *e)
{
    *ret = (struct answer){0};
    struct buf url;
    char last[64];
    struct streaming s = {.stream = stream};
    buf_init(&s.problem, STREAM_PROBLEM_MAX);
    buf_init(&url, CLIENT_URL_MAX + 8192);
    struct http_call http = {.method = "GET",
                             .socket_path = c->socket[0] == '\0' ? NULL : c->socket,
                             .timeout_ms = stream->timeout_ms};
    unsigned headers = 0;
    if (c->authorization[0] != '\0') {
        http.headers[headers++] = c->authorization;
    }
    if (stream->last_id != NULL) {
        snprintf(last, sizeof last, "Last-Event-ID: %.40s", stream->last_id);
        http.headers[headers++] = last;
    }
    buf_printf(&url, "%s%s", c->url, stream->path);
    buf_char(&url, '\0');
    http.url = url.data;
    enum rc rc = url.rc == RC_OK ? http_fetch_stream(&http, take_piece, &s, &s.status, e)
                                 : err_set(e, RC_LIMIT, "the request is too large");
    ret->status = s.status;
    if (rc == RC_OK && (s.status < 200 || s.status >= 300)) {
        struct http_reply reply = {.status = s.status,
                                   .body = arena_str(a, buf_view(&s.problem)),
                                   .content_type = STR("application/problem+json")};
        rc = read_answer(c, a, &reply, ret, e);
    }
    buf_done(&s.problem);
    buf_done(&url);
    return rc;
}

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void client_query(struct buf *path, const char *name, const char *value)
{
    if (value == NULL) {
        return;
    }
    struct str so_far = buf_view(path);
    buf_char(path, str_find(so_far, '?') < so_far.len ? '&' : '?');
    buf_printf(path, "%s=", name);
    for (const char *c = value; *c != '\0'; c++) {
        if (is_plain(*c)) {
            buf_char(path, *c);
        } else {
            buf_printf(path, "%%%02X", (unsigned)(unsigned char)*c);
        }
    }
}

void client_key(char out[static CLIENT_KEY_LEN + 1])
{
    uint8_t bytes[CLIENT_KEY_LEN / 2];
    random_bytes(bytes, sizeof bytes);
    hex_encode(bytes, sizeof bytes, out);
    out[CLIENT_KEY_LEN] = '\0';
}
