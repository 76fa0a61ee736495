#include "api/issuers.h"

#include "net/http_client.h"
#include "sys/clock.h"
#include "sys/file.h"

#include <stdlib.h>
#include <sys/stat.h>

struct issuer {
    struct issuers *all;
    const struct issuer_settings *settings;
    struct jwks *keys; /* null: none came yet */
    int64_t asked_at_ms; /* since boot; when the keys were last asked for */
    struct http_client_call *call; /* under way */
    struct loop_timer *timer;
};

struct issuers {
    struct issuer *rows;
    uint32_t count;
    const struct log *log;
    struct http_client *client;
};

const struct issuer_settings *issuer_settings(const struct issuer *i)
{
    return i->settings;
}

static enum rc take_keys(struct issuer *i, struct str text, struct err *e)
{
    struct jwks *fresh = NULL;
    enum rc rc = jwks_parse(text, &fresh, e);
    if (rc != RC_OK) {
        return rc;
    }
    jwks_free(i->keys);
    i->keys = fresh;
    return RC_OK;
}

static void say(const struct issuer *i, const char *what, const struct err *e)
{
    log_line(i->all->log, LOG_LEVEL_WARN, what, log_str("issuer", i->settings->name),
             log_str("error", str_from(e->text)));
}

/* --- from a file -------------------------------------------------------------------------------------- */

/* Who can write the keys decides who anybody is. */
static enum rc check_writers(const char *path, struct err *e)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        return err_set(e, RC_NOT_FOUND, "%s: it can't be read", path);
    }
    return (st.st_mode & (S_IWGRP | S_IWOTH)) == 0
               ? RC_OK
               : err_set(e, RC_DENIED, "%s: group or others may write it: chmod go-w", path);
}

static enum rc read_file(struct issuer *i, struct err *e)
{
    i->asked_at_ms = clock_boot_ms();
    const char *path = i->settings->jwks_file.ptr;
    struct buf text;
    buf_init(&text, JWKS_TEXT_MAX);
    enum rc rc = check_writers(path, e);
    rc = rc == RC_OK ? file_read(path, &text, e) : rc;
    rc = rc == RC_OK ? take_keys(i, buf_view(&text), e) : rc;
    buf_done(&text);
    return rc == RC_OK ? RC_OK : err_wrap(e, rc, "keys of %.*s", STR_ARG(i->settings->name));
}

/* --- from an address ------------------------------------------------------------------------------------ */

static void on_reply(void *context, const struct http_reply *reply, const struct err *failed)
{
    struct issuer *i = context;
    i->call = NULL;
    loop_timer_set(i->timer, JWKS_REFRESH_MS);
    struct err e;
    enum rc rc = RC_OK;
    if (reply == NULL) {
        say(i, "the keys of an issuer can't be fetched: the old ones stay", failed);
        return;
    }
    if (reply->status != 200) {
        rc = err_set(&e, RC_UNAVAILABLE, "its answer was %u", reply->status);
    }
    rc = rc == RC_OK ? take_keys(i, reply->body, &e) : rc;
    if (rc != RC_OK) {
        say(i, "the keys of an issuer are no key set: the old ones stay", &e);
    }
}

static void fetch(void *context)
{
    struct issuer *i = context;
    if (i->call != NULL) {
        return;
    }
    i->asked_at_ms = clock_boot_ms();
    struct http_call call = {.method = "GET",
                             .url = i->settings->jwks_url.ptr,
                             .headers = {"Accept: application/jwk-set+json, application/json"},
                             .timeout_ms = JWKS_TIMEOUT_MS,
                             .reply_max = JWKS_TEXT_MAX};
    struct err e;
    if (http_client_start(i->all->client, &call, on_reply, i, &i->call, &e) != RC_OK) {
        say(i, "the keys of an issuer can't be fetched: the old ones stay", &e);
        loop_timer_set(i->timer, JWKS_REFETCH_MIN_MS);
    }
}

/* Any number of tokens may name keys that are not there: they move the next fetch no nearer than this. */
static void fetch_soon(struct issuer *i)
{
    int64_t since_ms = clock_boot_ms() - i->asked_at_ms;
    if (i->call == NULL) {
        loop_timer_set(i->timer, since_ms >= JWKS_REFETCH_MIN_MS ? 0 : JWKS_REFETCH_MIN_MS - since_ms);
    }
}

/* --- lifetime ------------------------------------------------------------------------------------------- */

static enum rc start(struct issuer *i, struct loop *loop, struct err *e)
{
    if (i->settings->jwks_file.len > 0) {
        return read_file(i, e);
    }
    if (i->all->client == NULL) {
        enum rc rc = http_client_new(loop, &i->all->client, e);
        if (rc != RC_OK) {
            return rc;
        }
    }
    enum rc rc = loop_timer_new(loop, fetch, i, &i->timer, e);
    if (rc == RC_OK) {
        loop_timer_set(i->timer, 0);
    }
    return rc;
}

enum rc issuers_new(const struct identity_settings *settings, struct loop *loop, const struct log *log,
                    struct issuers **ret, struct err *e)
{
    struct issuers *s = calloc(1, sizeof *s);
    struct issuer *rows = calloc(settings->count + 1U, sizeof *rows);
    if (s == NULL || rows == NULL) {
        free(s);
        free(rows);
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    *s = (struct issuers){.rows = rows, .count = settings->count, .log = log};
    enum rc rc = RC_OK;
    for (uint32_t i = 0; i < s->count; i++) {
        rows[i] = (struct issuer){.all = s, .settings = &settings->issuers[i]};
    }
    for (uint32_t i = 0; rc == RC_OK && i < s->count; i++) {
        rc = start(&rows[i], loop, e);
    }
    if (rc != RC_OK) {
        issuers_free(s);
        return rc;
    }
    *ret = s;
    return RC_OK;
}

void issuers_free(struct issuers *s)
{
    if (s == NULL) {
        return;
    }
    http_client_free(s->client);
    for (uint32_t i = 0; i < s->count; i++) {
        loop_timer_free(s->rows[i].timer);
        jwks_free(s->rows[i].keys);
    }
    free(s->rows);
    free(s);
}

void issuers_reload(struct issuers *s)
{
    for (uint32_t i = 0; i < s->count; i++) {
        struct err e;
        if (s->rows[i].timer != NULL) {
            fetch(&s->rows[i]);
        } else if (read_file(&s->rows[i], &e) != RC_OK) {
            say(&s->rows[i], "the keys of an issuer can't be read: the old ones stay", &e);
        }
    }
}

/* --- tokens ----------------------------------------------------------------------------------------------- */

struct issuer *issuers_find(struct issuers *s, const struct jwt_claimed *claimed)
{
    /* A SPIFFE ID is unmistakable; its token may have an iss too, which is not looked at. */
    for (uint32_t i = 0; i < s->count; i++) {
        const struct issuer_settings *set = s->rows[i].settings;
        if (set->profile == JWT_SPIFFE && str_eq(set->trust_domain, claimed->trust_domain)) {
            return &s->rows[i];
        }
    }
    for (uint32_t i = 0; claimed->issuer.len > 0 && i < s->count; i++) {
        const struct issuer_settings *set = s->rows[i].settings;
        if (set->profile == JWT_OIDC && str_eq(set->issuer, claimed->issuer)) {
            return &s->rows[i];
        }
    }
    return NULL;
}

static enum rc verify(const struct issuer *i, struct str token, int64_t now_s, struct arena *a, struct jwt *ret,
                      struct err *e)
{
    if (i->keys == NULL) {
        return err_set(e, RC_NOT_FOUND, "the issuer's keys are not here yet");
    }
    const struct jwt_rules rules = {.profile = (enum jwt_profile)i->settings->profile,
                                    .issuer = i->settings->issuer,
                                    .trust_domain = i->settings->trust_domain,
                                    .audience = i->settings->audience,
                                    .jwks = i->keys,
                                    .skew_s = ISSUED_SKEW_S};
    return jwt_verify(&rules, token, now_s, a, ret, e);
}

enum rc issuer_verify(struct issuer *i, struct str token, int64_t now_s, struct arena *a, struct jwt *ret, struct err *e)
{
    enum rc rc = verify(i, token, now_s, a, ret, e);
    if (rc != RC_NOT_FOUND) {
        return rc;
    }
    if (i->timer != NULL) {
        fetch_soon(i);
        return rc;
    }
    struct err unread;
    if (clock_boot_ms() - i->asked_at_ms < JWKS_REREAD_MIN_MS) {
        return rc;
    }
    if (read_file(i, &unread) != RC_OK) {
        say(i, "the keys of an issuer can't be read: the old ones stay", &unread);
        return rc;
    }
    return verify(i, token, now_s, a, ret, e);
}
