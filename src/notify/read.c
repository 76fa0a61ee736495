/* The list under `notify:` as routes. */
#include "notify/notify.h"

#include "base/instant.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct route_parts {
    struct notify_route r;
    struct str_list on;
    const struct value *webhook;
};

#define PART(member) FIELD_OF(struct route_parts, member)

enum { TIMEOUT_MIN_MS = 100, TIMEOUT_MAX_MS = 60000 };

static const struct field route_fields[] = {
    {"name", FIELD_NAME, PART(r.name), true, 0, 0, 0, NULL},
    {"on", FIELD_TEXTS, PART(on), true, 0, 0, 0, NULL},
    {"agents", FIELD_TEXTS, PART(r.agents), false, 0, 0, 0, NULL},
    {"owners", FIELD_TEXTS, PART(r.owners), false, 0, 0, 0, NULL},
    {"escalation", FIELD_TEXTS, PART(r.escalation), false, 0, 0, 0, NULL},
    {"webhook", FIELD_VALUE, PART(webhook), false, 0, 0, 0, NULL},
    {"command", FIELD_TEXTS, PART(r.command), false, 0, 0, 0, NULL},
    {"timeout", FIELD_SPAN, PART(r.timeout_ms), false, 0, TIMEOUT_MIN_MS, TIMEOUT_MAX_MS, NULL},
    {"repeat", FIELD_SPAN, PART(r.repeat_ms), false, 0, NOTIFY_REPEAT_MIN_MS, DAY_MS, NULL},
};

static const struct field webhook_fields[] = {
    {"url", FIELD_TEXT, FIELD_OF(struct notify_route, url), true, 0, 0, 0, NULL},
    {"secret_file", FIELD_TEXT, FIELD_OF(struct notify_route, secret_file), true, 0, 0, 0, NULL},
    {"timeout", FIELD_SPAN, FIELD_OF(struct notify_route, timeout_ms), false, NOTIFY_TIMEOUT_MS,
     TIMEOUT_MIN_MS, TIMEOUT_MAX_MS, NULL},
};

/* --- addresses --------------------------------------------------------------------------------- */

static bool is_loopback(struct str host)
{
    char text[64];
    unsigned char v4[4];
    if (!str_to_c(host, text, sizeof text)) {
        return false;
    }
    if (inet_pton(AF_INET, text, v4) == 1) {
        return v4[0] == 127;
    }
    return strcmp(text, "[::1]") == 0 || strcmp(text, "localhost") == 0;
}

static bool is_plain(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c <= ' ' || c >= 0x7f || c == '\\') {
            return false;
        }
    }
    return true;
}

/* What two readers of an address could understand differently, such as user@host, is no host here. */
static bool is_host(struct str host)
{
    bool bracketed = host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']';
    struct str inner = bracketed ? str_slice(host, 1, host.len - 1) : host;
    for (size_t i = 0; i < inner.len; i++) {
        unsigned char c = (unsigned char)inner.ptr[i];
        bool fits = bracketed ? isxdigit(c) || c == ':' || c == '.' : isalnum(c) || c == '.' || c == '-';
        if (!fits) {
            return false;
        }
    }
    return inner.len > 0;
}

/* "host" of "host:port"; false when either is malformed. */
static bool split_port(struct str authority, struct str *ret_host)
{
    size_t bracket = str_find(authority, ']');
    size_t from = bracket < authority.len ? bracket : 0;
    size_t colon = from + str_find(str_slice(authority, from, authority.len), ':');
    uint64_t port = 1;
    if (colon < authority.len &&
        (!str_to_u64(str_slice(authority, colon + 1, authority.len), &port) || port > 65535)) {
        return false;
    }
    *ret_host = str_slice(authority, 0, colon);
    return port > 0 && is_host(*ret_host);
}

static enum rc check_url(struct reader *r, const struct value *v, struct str url)
{
    bool secure = str_starts(url, STR("https://"));
    bool known = secure || str_starts(url, STR("http://"));
    if (url.len > NOTIFY_URL_MAX) {
        return reader_fail(r, v, "url: more than %d bytes", NOTIFY_URL_MAX);
    }
    struct str rest = known ? str_slice(url, secure ? 8 : 7, url.len) : STR("");
    size_t end = 0;
    while (end < rest.len && rest.ptr[end] != '/' && rest.ptr[end] != '?' && rest.ptr[end] != '#') {
        end++;
    }
    struct str host;
    if (!known || !is_plain(url) || !split_port(str_slice(rest, 0, end), &host)) {
        return reader_fail(r, v, "url: expected https://host[:port]/path, without user and password");
    }
    return secure || is_loopback(host)
               ? RC_OK
               : reader_fail(r, v, "url: http only to loopback; elsewhere https");
}

/* --- one route --------------------------------------------------------------------------------- */

static bool set_kind(struct str name, bool kinds[static NOTICE_COUNT])
{
    bool any = false;
    for (int i = 0; i < NOTICE_COUNT; i++) {
        if (str_eq(name, STR("*")) || str_eq(name, str_from(notice_kind_name((enum notice_kind)i)))) {
            kinds[i] = true;
            any = true;
        }
    }
    return any;
}

static enum rc read_kinds(struct reader *r, const struct value *v, struct route_parts *p)
{
    const struct value *on = value_get(v, STR("on"));
    for (uint32_t i = 0; i < p->on.count; i++) {
        if (set_kind(p->on.items[i], p->r.kinds)) {
            continue;
        }
        struct buf known;
        buf_init(&known, 256);
        for (int k = 0; k < NOTICE_COUNT; k++) {
            buf_printf(&known, ", %s", notice_kind_name((enum notice_kind)k));
        }
        enum rc rc = reader_fail(r, value_item(on, i), "on: expected *%.*s", STR_ARG(buf_view(&known)));
        buf_done(&known);
        return reader_step(r, reader_step_index(r, rc, i), "on");
    }
    return RC_OK;
}

/* With a NUL after it, whatever it was read from. */
static void own_texts(struct arena *a, struct notify_route *r)
{
    struct str *words = arena_array(a, r->command.count + 1, sizeof *words);
    for (uint32_t i = 0; i < r->command.count && words != NULL; i++) {
        words[i] = arena_str(a, r->command.items[i]);
    }
    r->command.items = words;
    r->url = arena_str(a, r->url);
    r->secret_file = arena_str(a, r->secret_file);
}

static enum rc read_webhook(struct reader *r, const struct value *v, struct route_parts *p)
{
    if (p->r.timeout_ms > 0) {
        return reader_step(r, reader_fail(r, value_get(v, STR("timeout")),
                                          "timeout: a webhook's stands inside webhook"), "timeout");
    }
    enum rc rc = read_fields(r, p->webhook, webhook_fields, COUNT(webhook_fields), &p->r);
    if (rc == RC_OK) {
        const struct value *url = value_get(p->webhook, STR("url"));
        rc = reader_step(r, check_url(r, url, p->r.url), "url");
    }
    if (rc == RC_OK && memchr(p->r.secret_file.ptr, '\0', p->r.secret_file.len) != NULL) {
        rc = reader_fail(r, value_get(p->webhook, STR("secret_file")), "secret_file: holds a NUL");
    }
    p->r.type = ROUTE_WEBHOOK;
    return reader_step(r, rc, "webhook");
}

static enum rc read_command(struct reader *r, const struct value *v, struct route_parts *p)
{
    const struct value *command = value_get(v, STR("command"));
    enum rc rc = RC_OK;
    if (p->r.command.count > NOTIFY_ARGS_MAX) {
        rc = reader_fail(r, command, "command: more than %d arguments", NOTIFY_ARGS_MAX);
    } else if (!str_starts(p->r.command.items[0], STR("/"))) {
        rc = reader_fail(r, value_item(command, 0),
                         "command: expected an absolute path first; there is no shell and no PATH");
    }
    for (uint32_t i = 0; i < p->r.command.count && rc == RC_OK; i++) {
        struct str word = p->r.command.items[i];
        if (word.len > 0 && memchr(word.ptr, '\0', word.len) != NULL) {
            rc = reader_fail(r, value_item(command, i), "command: an argument holds a NUL");
        }
    }
    p->r.type = ROUTE_COMMAND;
    p->r.timeout_ms = p->r.timeout_ms > 0 ? p->r.timeout_ms : NOTIFY_TIMEOUT_MS;
    return reader_step(r, rc, "command");
}

static enum rc read_route(struct reader *r, const struct value *v, struct notify_route *ret)
{
    struct route_parts p = {0};
    enum rc rc = read_fields(r, v, route_fields, COUNT(route_fields), &p);
    rc = rc == RC_OK ? read_kinds(r, v, &p) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    if ((p.webhook != NULL) == (p.r.command.count > 0)) {
        return reader_fail(r, v, "expected either webhook or command");
    }
    rc = p.webhook != NULL ? read_webhook(r, v, &p) : read_command(r, v, &p);
    own_texts(r->arena, &p.r);
    *ret = p.r;
    return rc == RC_OK && arena_rc(r->arena) != RC_OK
               ? err_set(r->e, arena_rc(r->arena), "the configuration is too large")
               : rc;
}

static enum rc check_name(struct reader *r, const struct value *v, const struct notify_route *routes,
                          uint32_t at)
{
    for (uint32_t i = 0; i < at; i++) {
        if (str_eq(routes[i].name, routes[at].name)) {
            return reader_fail(r, value_get(v, STR("name")), "name: \"%.*s\" is taken",
                               STR_ARG(routes[at].name));
        }
    }
    return RC_OK;
}

enum rc notify_read(struct reader *r, const struct value *v, struct notify_routes *ret)
{
    if (v == NULL || value_is(v, VALUE_NULL)) {
        *ret = (struct notify_routes){0};
        return RC_OK;
    }
    if (!value_is(v, VALUE_ARRAY)) {
        return reader_fail(r, v, "expected a list of routes");
    }
    if (v->count > NOTIFY_ROUTES_MAX) {
        return reader_fail(r, v, "more than %d routes", NOTIFY_ROUTES_MAX);
    }
    struct notify_route *routes = arena_array(r->arena, v->count + 1, sizeof *routes);
    if (routes == NULL) {
        return err_set(r->e, arena_rc(r->arena), "the configuration is too large");
    }
    enum rc rc = RC_OK;
    for (uint32_t i = 0; i < v->count && rc == RC_OK; i++) {
        rc = read_route(r, &v->items[i], &routes[i]);
        rc = rc == RC_OK ? check_name(r, &v->items[i], routes, i) : rc;
        rc = reader_step_index(r, rc, i);
    }
    if (rc == RC_OK) {
        *ret = (struct notify_routes){routes, v->count};
    }
    return rc;
}
