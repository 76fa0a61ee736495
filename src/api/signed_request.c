/*
 * api/signed_request - an agent whose request is signed by one of its keys.
 *
 * The signature covers method, authority, path, query and body; it is young, and its nonce was not seen. Then the
 * agent is who the key belongs to.
 * Source: RFC 9421; SEMANTICS "Identity".
 */
#include "api/identity.h"

#include "base/encode.h"
#include "crypto/http_signature.h"

static const struct http_signature_rules rules = {.skew_s = SIGNED_SKEW_S, .max_age_s = SIGNED_AGE_S};

static struct str method_name(enum http_method m)
{
    static const char *const names[] = {"GET", "HEAD", "POST", "PUT", "DELETE", ""};
    return str_from(names[m]);
}

static struct str lower(struct arena *a, struct str s)
{
    char *out = arena_alloc(a, s.len + 1);
    for (size_t i = 0; out != NULL && i < s.len; i++) {
        out[i] = s.ptr[i] >= 'A' && s.ptr[i] <= 'Z' ? (char)(s.ptr[i] + 32) : s.ptr[i];
    }
    return out == NULL ? STR("") : (struct str){out, s.len};
}

static struct str authority(const struct call *c)
{
    struct str host = lower(c->arena, http_header(c->x, "Host"));
    struct str port = c->request->tls ? STR(":443") : STR(":80");
    return str_ends(host, port) ? str_slice(host, 0, host.len - port.len) : host;
}

static struct str target(const struct call *c)
{
    const struct http_request *q = c->request;
    return arena_printf(c->arena, "%s://%.*s%.*s%s%.*s", q->tls ? "https" : "http", STR_ARG(authority(c)),
                        STR_ARG(q->path), q->query.len > 0 ? "?" : "", STR_ARG(q->query));
}

/* The first line of a field that came twice: then the signature is over something else, and does not fit. */
static bool field(const struct call *c, struct str name, struct str *ret)
{
    char text[128];
    if (!str_to_c(name, text, sizeof text)) {
        return false;
    }
    *ret = str_trim(http_header(c->x, text));
    return ret->len > 0;
}

static bool component(void *context, struct str name, struct str *ret)
{
    const struct call *c = context;
    if (name.len == 0 || name.ptr[0] != '@') {
        return field(c, name, ret);
    }
    if (str_eq(name, STR("@method"))) {
        *ret = method_name(c->request->method);
    } else if (str_eq(name, STR("@authority"))) {
        *ret = authority(c);
    } else if (str_eq(name, STR("@path"))) {
        *ret = c->request->path;
    } else if (str_eq(name, STR("@query"))) {
        *ret = arena_printf(c->arena, "?%.*s", STR_ARG(c->request->query));
    } else if (str_eq(name, STR("@target-uri"))) {
        *ret = target(c);
    } else if (str_eq(name, STR("@scheme"))) {
        *ret = c->request->tls ? STR("https") : STR("http");
    } else {
        return false;
    }
    return true;
}

/* "<agent>/<key id>" */
static const struct agent_key *find_key(const struct world *w, struct str keyid, struct str *ret_agent)
{
    size_t slash = keyid.len;
    while (slash > 0 && keyid.ptr[slash - 1] != '/') {
        slash--;
    }
    *ret_agent = slash == 0 ? STR("") : str_slice(keyid, 0, slash - 1);
    uint32_t at = world_agent_find(w, *ret_agent);
    const struct agent_def *def = at == MAP_NONE ? NULL : world_agent_at(w, at)->def;
    return def == NULL ? NULL : agent_key_find(def, str_slice(keyid, slash, keyid.len));
}

static enum rc verify(struct call *c, const struct http_signature *s, const struct agent_key *key, struct err *e)
{
    struct http_message message = {.component = component,
                                   .context = c,
                                   .has_query = c->request->query.len > 0,
                                   .has_body = c->request->body.len > 0,
                                   .received_s = control_now(c->control) / SECOND_MS};
    enum rc rc = http_signature_verify(s, &rules, &message, key->public, e);
    struct str digest = http_header(c->x, "Content-Digest");
    if (rc == RC_OK && (message.has_body || digest.len > 0)) {
        rc = content_digest_check(digest, c->request->body, e);
    }
    return rc;
}

static enum rc admit_key(struct call *c, struct str agent, const struct agent_key *key, struct err *e)
{
    struct buf name;
    buf_init(&name, 1024);
    buf_printf(&name, "key:%.*s/%.*s:", STR_ARG(agent), STR_ARG(key->id));
    buf_base64url(&name, key->public, sizeof key->public);
    struct credential who = {.name = buf_view(&name), .roles = ROLE_AGENT, .person = agent, .agent = agent};
    enum rc rc = name.rc == RC_OK ? control_admit(c->control, c->arena, &who, &c->who, e)
                                  : err_set(e, name.rc, "the key's name is too long");
    buf_done(&name);
    return rc;
}

bool request_is_signed(const struct call *c)
{
    return http_header(c->x, "Authorization").len == 0 && http_header(c->x, "Signature-Input").len > 0;
}

enum rc signed_request_verify(struct call *c, struct identity *id, struct err *e)
{
    struct http_signature s;
    enum rc rc = http_signature_parse(http_header(c->x, "Signature-Input"), http_header(c->x, "Signature"),
                                      STR(SIGNED_TAG), &s, e);
    if (rc != RC_OK) {
        return rc;
    }
    struct str agent;
    const struct agent_key *key = find_key(control_world(c->control), s.keyid, &agent);
    if (key == NULL) {
        return err_set(e, RC_DENIED, "keyid: no agent has that key");
    }
    rc = verify(c, &s, key, e);
    if (rc != RC_OK) {
        return rc;
    }
    /* What an earlier process took is not remembered here. */
    if (s.created_s <= id->since_s + SIGNED_SKEW_S) {
        return err_set(e, RC_DENIED, "created before this server took signatures: sign again");
    }
    if (nonces_seen(id->nonces, s.keyid, s.nonce, control_now(c->control) / SECOND_MS)) {
        return err_set(e, RC_DENIED, "the nonce was used before");
    }
    c->nonce_key = s.keyid;
    c->nonce = s.nonce;
    return admit_key(c, agent, key, e);
}
