#include "server/config.h"

#include "api/api.h"
#include "server/config_files.h"
#include "server/openslo.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct settings_parts {
    struct server_settings s;
    const struct value *tls;
    const struct value *prometheus;
    const struct value *notify;
    const struct value *redact;
    const struct value *identity;
    const struct value *retention;
};

static const char *const levels[] = {"debug", "info", "warn", "error", NULL};

#define PART(member) FIELD_OF(struct settings_parts, member)

static const struct field settings_fields[] = {
    {"listen", FIELD_TEXT, PART(s.listen), false, 0, 0, 0, NULL},
    {"data", FIELD_TEXT, PART(s.data), false, 0, 0, 0, NULL},
    {"tls", FIELD_VALUE, PART(tls), false, 0, 0, 0, NULL},
    {"hosts", FIELD_TEXTS, PART(s.hosts), false, 0, 0, 0, NULL},
    {"policy_keys", FIELD_TEXTS, PART(s.policy_keys), false, 0, 0, 0, NULL},
    {"checkpoint_file", FIELD_TEXT, PART(s.checkpoint_file), false, 0, 0, 0, NULL},
    {"checkpoint_interval", FIELD_SPAN, PART(s.checkpoint_ms), false, 200, 50, 3600000, NULL},
    {"public_log", FIELD_BOOL, PART(s.public_log), false, 0, 0, 0, NULL},
    {"socket", FIELD_BOOL, PART(s.socket), false, 1, 0, 0, NULL},
    {"rate_per_s", FIELD_COUNT, PART(s.rate_per_s), false, 20, 1, 10000000, NULL},
    {"burst", FIELD_COUNT, PART(s.burst), false, 100, 1, 10000000, NULL},
    {"daily_bytes", FIELD_COUNT, PART(s.daily_bytes), false, API_DAILY_BYTES, 1024, INT64_MAX, NULL},
    {"connections", FIELD_COUNT, PART(s.connections), false, 1024, 1, 65536, NULL},
    {"sli_bucket", FIELD_SPAN, PART(s.sli_bucket_ms), false, 10000, 100, 60000, NULL},
    {"traffic_period", FIELD_SPAN, PART(s.traffic_period_ms), false, 60000, 1000, 600000, NULL},
    {"observed_for", FIELD_SPAN, PART(s.observed_for_ms), false, DAY_MS, 60000, 366 * (int64_t)DAY_MS, NULL},
    {"log_level", FIELD_WORD, PART(s.log_level), false, 1, 0, 0, levels},
    {"openslo", FIELD_TEXTS, PART(s.openslo), false, 0, 0, 0, NULL},
    {"prometheus", FIELD_VALUE, PART(prometheus), false, 0, 0, 0, NULL},
    {"notify", FIELD_VALUE, PART(notify), false, 0, 0, 0, NULL},
    {"redact", FIELD_VALUE, PART(redact), false, 0, 0, 0, NULL},
    {"identity", FIELD_VALUE, PART(identity), false, 0, 0, 0, NULL},
    {"retention", FIELD_VALUE, PART(retention), false, 0, 0, 0, NULL},
};

static const struct field tls_fields[] = {
    {"cert", FIELD_TEXT, FIELD_OF(struct server_settings, tls_cert), true, 0, 0, 0, NULL},
    {"key", FIELD_TEXT, FIELD_OF(struct server_settings, tls_key), true, 0, 0, 0, NULL},
};

static const struct field prometheus_fields[] = {
    {"url", FIELD_TEXT, FIELD_OF(struct server_settings, prometheus_url), true, 0, 0, 0, NULL},
    {"bearer_token_file", FIELD_TEXT, FIELD_OF(struct server_settings, prometheus_token_file), false, 0, 0,
     0, NULL},
    {"interval", FIELD_SPAN, FIELD_OF(struct server_settings, prometheus_interval_ms), false, 15000, 200,
     3600000, NULL},
    {"timeout", FIELD_SPAN, FIELD_OF(struct server_settings, prometheus_timeout_ms), false, 5000, 100,
     60000, NULL},
    {"max_sample_age", FIELD_SPAN, FIELD_OF(struct server_settings, prometheus_sample_age_ms), false, 60000,
     1000, 3600000, NULL},
};

bool listen_parse(struct str text, char host[static 64], uint16_t *ret_port)
{
    size_t colon = text.len;
    while (colon > 0 && text.ptr[colon - 1] != ':') {
        colon--;
    }
    uint64_t port;
    if (colon == 0 || !str_to_u64(str_slice(text, colon, text.len), &port) || port > 65535) {
        return false;
    }
    struct str name = str_slice(text, 0, colon - 1);
    if (name.len > 1 && name.ptr[0] == '[' && str_ends(name, STR("]"))) {
        name = str_slice(name, 1, name.len - 1);
    }
    *ret_port = (uint16_t)port;
    unsigned char address[16];
    return str_to_c(name, host, 64) &&
           (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1);
}

bool host_is_loopback(const char *host)
{
    unsigned char v4[4];
    if (inet_pton(AF_INET, host, v4) == 1) {
        return v4[0] == 127;
    }
    return strcmp(host, "::1") == 0;
}

static const struct field redact_fields[] = {
    {"type", FIELD_TEXT, FIELD_OF(struct redact_pattern, type), true, 0, 0, 0, NULL},
    {"pattern", FIELD_TEXT, FIELD_OF(struct redact_pattern, pattern), true, 0, 0, 0, NULL},
};

static enum rc read_redact(struct reader *r, const struct value *v, struct server_settings *s)
{
    if (v == NULL) {
        return RC_OK;
    }
    if (!value_is(v, VALUE_ARRAY) || v->count > REDACT_PATTERNS_MAX) {
        return reader_fail(r, v, "redact: expected a list of at most %d {type, pattern}", REDACT_PATTERNS_MAX);
    }
    s->redact = arena_array(r->arena, v->count, sizeof *s->redact);
    for (uint32_t i = 0; s->redact != NULL && i < v->count; i++) {
        enum rc rc = read_fields(r, &v->items[i], redact_fields, COUNT(redact_fields), &s->redact[i]);
        if (rc != RC_OK) {
            return rc;
        }
    }
    s->redact_count = s->redact == NULL ? 0 : v->count;
    /* A pattern that is none is found when the configuration is checked, not when the server starts. */
    uint8_t key[REDACT_KEY_LEN] = {0};
    struct redactor *tried = NULL;
    struct err inner;
    enum rc rc = redactor_new(key, s->redact, s->redact_count, &tried, &inner);
    redactor_free(tried);
    return rc == RC_OK ? RC_OK : reader_fail(r, v, "redact: %.200s", inner.text);
}

struct retention {
    struct str blobs;
};

static const struct field retention_fields[] = {
    {"blobs", FIELD_TEXT, FIELD_OF(struct retention, blobs), false, 0, 0, 0, NULL},
};

static enum rc read_retention(struct reader *r, const struct value *v, int64_t *ret_ms)
{
    struct retention given = {.blobs = STR("")};
    *ret_ms = BLOB_KEEP_DEFAULT_MS;
    enum rc rc = v == NULL ? RC_OK : read_fields(r, v, retention_fields, COUNT(retention_fields), &given);
    if (rc != RC_OK || given.blobs.len == 0) {
        return rc;
    }
    if (str_eq(given.blobs, STR("never"))) {
        *ret_ms = 0;
        return RC_OK;
    }
    return span_parse(given.blobs, ret_ms) && *ret_ms >= BLOB_KEEP_MIN_MS
               ? RC_OK
               : reader_fail(r, value_get(v, STR("blobs")), "retention.blobs: expected never, or at least 1d, such as 90d");
}

static enum rc read_settings(struct reader *r, const struct value *v, struct server_settings *ret)
{
    struct settings_parts parts = {0};
    struct value none = value_object();
    enum rc rc =
        read_fields(r, v == NULL ? &none : v, settings_fields, COUNT(settings_fields), &parts);
    if (rc == RC_OK && parts.tls != NULL) {
        rc = read_fields(r, parts.tls, tls_fields, COUNT(tls_fields), &parts.s);
    }
    if (rc == RC_OK && parts.prometheus != NULL) {
        rc = read_fields(r, parts.prometheus, prometheus_fields, COUNT(prometheus_fields), &parts.s);
    }
    if (rc == RC_OK) {
        rc = reader_step(r, notify_read(r, parts.notify, &parts.s.notify), "notify");
    }
    rc = rc == RC_OK ? read_redact(r, parts.redact, &parts.s) : rc;
    rc = rc == RC_OK ? identity_settings_read(r, parts.identity, &parts.s.identity) : rc;
    rc = rc == RC_OK ? read_retention(r, parts.retention, &parts.s.blob_keep_ms) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    char host[64];
    uint16_t port;
    parts.s.listen = parts.s.listen.len > 0 ? parts.s.listen : STR("127.0.0.1:7411");
    parts.s.data = parts.s.data.len > 0 ? parts.s.data : STR("pawl-data");
    if (!listen_parse(parts.s.listen, host, &port)) {
        return reader_fail(r, value_get(v, STR("listen")),
                           "listen: expected a numeric address and a port, such as 127.0.0.1:7411");
    }
    if (!host_is_loopback(host) && parts.tls == NULL) {
        return reader_fail(r, value_get(v, STR("listen")),
                           "listen: beyond loopback only with tls: {cert, key}");
    }
    *ret = parts.s;
    return RC_OK;
}

static enum rc only_known(struct reader *r, const struct value *v)
{
    for (uint32_t i = 0; i < v->count; i++) {
        if (!str_eq(v->members[i].name, STR("server")) && !str_eq(v->members[i].name, STR("policy"))) {
            return reader_fail(r, &v->members[i].value, "unknown key \"%.*s\": expected server or policy",
                               STR_ARG(v->members[i].name));
        }
    }
    return RC_OK;
}

static enum rc load_openslo(struct config *c, struct value *policy, struct err *e)
{
    enum rc rc = RC_OK;
    for (uint32_t i = 0; i < c->server.openslo.count && rc == RC_OK; i++) {
        const char *path = c->server.openslo.items[i].ptr;
        struct str text;
        rc = config_file_read(c->arena, path, &text, e);
        rc = rc == RC_OK ? openslo_merge(c->arena, str_from(path), text, policy, e) : rc;
    }
    return rc;
}

static enum rc load_policy(struct config *c, const char *path, const struct value *given, struct err *e)
{
    struct value policy = given == NULL ? value_object() : *given;
    struct rules_file *rules = NULL;
    uint32_t count = 0;
    enum rc rc = load_openslo(c, &policy, e);
    rc = rc == RC_OK ? rules_files_read(c->arena, path, &rules, &count, e) : rc;
    const struct policy_source source = {str_from(path), &policy, rules, count};
    return rc == RC_OK ? policy_read_all(&source, &c->policy, e) : rc;
}

enum rc config_load(const char *path, struct config *ret, struct err *e)
{
    struct config c = {.arena = arena_new(POLICY_ARENA_MAX)};
    if (c.arena == NULL) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    struct value v = value_object();
    struct reader r = {c.arena, str_from(path), e};
    enum rc rc = config_yaml_read(c.arena, path, &v, e);
    rc = rc == RC_OK ? only_known(&r, &v) : rc;
    rc = rc == RC_OK ? read_settings(&r, value_get(&v, STR("server")), &c.server) : rc;
    rc = rc == RC_OK ? load_policy(&c, path, value_get(&v, STR("policy")), e) : rc;
    if (rc != RC_OK) {
        arena_free(c.arena);
        return rc;
    }
    *ret = c;
    return RC_OK;
}

void config_done(struct config *c)
{
    policy_free(c->policy);
    arena_free(c->arena);
    *c = (struct config){0};
}
