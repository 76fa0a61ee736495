#include "crypto/http_signature.h"

#include "base/encode.h"
#include "base/must.h"
#include "crypto/structured_field.h"

#include <string.h>

/* One member of Signature-Input. */
struct input {
    struct http_signature signature; /* its bytes are not read yet */
    bool has_component_params;
    bool has_created;
    bool has_expires;
    struct sf_item alg;
    uint32_t seen; /* bit per row of the table below */
};

static void set_created(struct input *in, const struct sf_item *v)
{
    in->has_created = true;
    in->signature.created_s = v->integer;
}

static void set_expires(struct input *in, const struct sf_item *v)
{
    in->has_expires = true;
    in->signature.expires_s = v->integer;
}

static void set_nonce(struct input *in, const struct sf_item *v)
{
    in->signature.nonce = v->text;
}

static void set_keyid(struct input *in, const struct sf_item *v)
{
    in->signature.keyid = v->text;
}

static void set_alg(struct input *in, const struct sf_item *v)
{
    in->alg = *v;
}

static void set_tag(struct input *in, const struct sf_item *v)
{
    in->signature.tag = v->text;
}

static const struct {
    struct str name;
    enum sf_type type;
    void (*set)(struct input *in, const struct sf_item *v);
} params[] = {
    {{"created", 7}, SF_INTEGER, set_created}, {{"expires", 7}, SF_INTEGER, set_expires},
    {{"nonce", 5}, SF_STRING, set_nonce},      {{"keyid", 5}, SF_STRING, set_keyid},
    {{"alg", 3}, SF_STRING, set_alg},          {{"tag", 3}, SF_STRING, set_tag},
};

/* Parameters that are not in the table are signed like the others and mean nothing here. */
static bool param_take(struct input *in, const struct sf_param *p)
{
    for (size_t i = 0; i < sizeof params / sizeof *params; i++) {
        if (str_eq(params[i].name, p->key)) {
            bool once = (in->seen & 1U << i) == 0;
            in->seen |= 1U << i;
            params[i].set(in, &p->value);
            return once && p->value.type == params[i].type;
        }
    }
    return true;
}

static bool params_read(struct str *text, struct input *in)
{
    struct sf_param p;
    bool there = true;
    while (there) {
        if (!sf_param(text, &there, &p) || (there && !param_take(in, &p))) {
            return false;
        }
    }
    return true;
}

static bool has_component(const struct http_signature *s, struct str name)
{
    for (uint32_t i = 0; i < s->component_count; i++) {
        if (str_eq(s->components[i], name)) {
            return true;
        }
    }
    return false;
}

static enum rc component_read(struct str *text, struct input *in, struct err *e)
{
    struct sf_item item;
    if (!sf_item(text, &item) || item.type != SF_STRING || item.text.len == 0) {
        return err_set(e, RC_INVALID, "Signature-Input: a component is a string");
    }
    bool with_params = text->len > 0 && text->ptr[0] == ';';
    in->has_component_params = in->has_component_params || with_params;
    if (!sf_params_skip(text)) {
        return err_set(e, RC_INVALID, "Signature-Input: malformed parameter of a component");
    }
    if (in->signature.component_count == HTTP_SIGNATURE_COMPONENTS_MAX) {
        return err_set(e, RC_LIMIT, "Signature-Input: more than %d components",
                       HTTP_SIGNATURE_COMPONENTS_MAX);
    }
    /* Another's signature may cover one name twice, with different parameters. */
    if (!in->has_component_params && has_component(&in->signature, item.text)) {
        return err_set(e, RC_INVALID, "Signature-Input: a component is there twice");
    }
    in->signature.components[in->signature.component_count++] = item.text;
    return RC_OK;
}

/* ("a" "b");created=1;... */
static enum rc input_read(struct str *text, struct input *in, struct err *e)
{
    const struct str start = *text;
    if (!sf_char(text, '(')) {
        return err_set(e, RC_INVALID, "Signature-Input: a signature has a list of components");
    }
    bool closed = sf_char(text, ')');
    while (!closed) {
        enum rc rc = component_read(text, in, e);
        if (rc != RC_OK) {
            return rc;
        }
        closed = sf_char(text, ')');
        if (!closed && !sf_char(text, ' ')) {
            return err_set(e, RC_INVALID, "Signature-Input: one space stands between components");
        }
    }
    if (!params_read(text, in)) {
        return err_set(e, RC_INVALID, "Signature-Input: a parameter is malformed or there twice");
    }
    in->signature.params = str_slice(start, 0, start.len - text->len);
    return RC_OK;
}

struct labels {
    struct str items[HTTP_SIGNATURES_MAX];
    uint32_t count;
};

/* label= of the next member of a dictionary; what is its name for messages. */
static enum rc label_read(struct str *text, const char *what, struct labels *all, struct str *ret,
                          struct err *e)
{
    if (!sf_key(text, ret) || !sf_char(text, '=')) {
        return err_set(e, RC_INVALID, "%s: label=value was expected", what);
    }
    for (uint32_t i = 0; i < all->count; i++) {
        if (str_eq(all->items[i], *ret)) {
            return err_set(e, RC_INVALID, "%s: a label is there twice", what);
        }
    }
    if (all->count == HTTP_SIGNATURES_MAX) {
        return err_set(e, RC_LIMIT, "%s: more than %d members", what, HTTP_SIGNATURES_MAX);
    }
    all->items[all->count++] = *ret;
    return RC_OK;
}

static enum rc header_check(struct str text, const char *what, struct err *e)
{
    if (text.len > HTTP_SIGNATURE_HEADER_MAX) {
        return err_set(e, RC_LIMIT, "%s has at most %d bytes", what, HTTP_SIGNATURE_HEADER_MAX);
    }
    return text.len > 0 ? RC_OK : err_set(e, RC_NOT_FOUND, "there is no %s", what);
}

/* The one member with the tag, or the only one when tag is empty. */
static enum rc input_find(struct str text, struct str tag, struct input *ret, struct err *e)
{
    struct labels labels = {0};
    uint32_t found = 0;
    bool more = true;
    while (more) {
        struct input in = {0};
        enum rc rc = label_read(&text, "Signature-Input", &labels, &in.signature.label, e);
        if (rc == RC_OK) {
            rc = input_read(&text, &in, e);
        }
        if (rc != RC_OK) {
            return rc;
        }
        if (!sf_next_member(&text, &more)) {
            return err_set(e, RC_INVALID, "Signature-Input: a comma or the end was expected");
        }
        if (tag.len == 0 || str_eq(in.signature.tag, tag)) {
            *ret = in;
            found++;
        }
    }
    if (found == 0) {
        return err_set(e, RC_NOT_FOUND, "no signature has the tag %.*s", STR_ARG(tag));
    }
    return found == 1 ? RC_OK
                      : err_set(e, RC_INVALID, "%u signatures where one was expected", found);
}

static enum rc input_check(const struct input *in, struct err *e)
{
    const struct http_signature *s = &in->signature;
    if (in->has_component_params) {
        return err_set(e, RC_INVALID, "components with parameters are not known here");
    }
    if (!in->has_created || s->created_s < 0 || (in->has_expires && s->expires_s <= s->created_s)) {
        return err_set(e, RC_INVALID, "created must be there, and expires after it");
    }
    if (s->nonce.len == 0 || s->nonce.len > HTTP_SIGNATURE_NONCE_MAX) {
        return err_set(e, RC_INVALID, "nonce has 1 to %d bytes", HTTP_SIGNATURE_NONCE_MAX);
    }
    if (s->keyid.len == 0 || s->keyid.len > HTTP_SIGNATURE_KEYID_MAX) {
        return err_set(e, RC_INVALID, "keyid has 1 to %d bytes", HTTP_SIGNATURE_KEYID_MAX);
    }
    if (in->alg.type == SF_STRING && !str_eq(in->alg.text, STR("ed25519"))) {
        return err_set(e, RC_INVALID, "alg is ed25519 when it is said");
    }
    return RC_OK;
}

/* The bytes of the member with the label. */
static enum rc bytes_find(struct str text, struct str label,
                          uint8_t ret[static ED25519_SIGNATURE_LEN], struct err *e)
{
    struct labels labels = {0};
    bool found = false;
    bool more = true;
    while (more) {
        struct str own;
        struct sf_item item;
        enum rc rc = label_read(&text, "Signature", &labels, &own, e);
        if (rc != RC_OK) {
            return rc;
        }
        if (!sf_item(&text, &item) || item.type != SF_BYTES || !sf_params_skip(&text) ||
            !sf_next_member(&text, &more)) {
            return err_set(e, RC_INVALID, "Signature: a member is :base64:");
        }
        size_t len = 0;
        if (str_eq(own, label)) {
            found = base64_decode(item.text, ret, ED25519_SIGNATURE_LEN, &len) &&
                    len == ED25519_SIGNATURE_LEN;
            if (!found) {
                return err_set(e, RC_INVALID, "Signature: an Ed25519 signature has 64 bytes");
            }
        }
    }
    return found ? RC_OK
                 : err_set(e, RC_INVALID, "Signature: the label of Signature-Input is not there");
}

enum rc http_signature_parse(struct str input, struct str signature, struct str tag,
                             struct http_signature *ret, struct err *e)
{
    struct input in = {0};
    enum rc rc = header_check(input, "Signature-Input", e);
    if (rc == RC_OK) {
        rc = header_check(signature, "Signature", e);
    }
    if (rc == RC_OK) {
        rc = input_find(input, tag, &in, e);
    }
    if (rc == RC_OK) {
        rc = input_check(&in, e);
    }
    if (rc == RC_OK) {
        rc = bytes_find(signature, in.signature.label, in.signature.bytes, e);
    }
    if (rc == RC_OK) {
        *ret = in.signature;
    }
    return rc;
}

static const struct str derived[] = {
    {"@method", 7}, {"@authority", 10},  {"@path", 5},
    {"@query", 6},  {"@target-uri", 11}, {"@scheme", 7},
};

/* A derived component that is known, or a field's name in lower case. */
static bool is_component(struct str name)
{
    for (size_t i = 0; i < sizeof derived / sizeof *derived; i++) {
        if (str_eq(name, derived[i])) {
            return true;
        }
    }
    for (size_t i = 0; i < name.len; i++) {
        if (strchr("abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~", name.ptr[i]) == NULL) {
            return false;
        }
    }
    return true;
}

/* A line break in a value would be another line of the base: another component. */
static bool is_one_line(struct str value)
{
    return memchr(value.ptr == NULL ? "" : value.ptr, '\n', value.len) == NULL &&
           memchr(value.ptr == NULL ? "" : value.ptr, '\r', value.len) == NULL;
}

enum rc http_signature_base(const struct http_signature *s, const struct http_message *m,
                            struct buf *out, struct err *e)
{
    for (uint32_t i = 0; i < s->component_count; i++) {
        struct str name = s->components[i];
        struct str value;
        if (!is_component(name)) {
            return err_set(e, RC_DENIED, "the component %.*s is not known here", STR_ARG(name));
        }
        if (!m->component(m->context, name, &value)) {
            return err_set(e, RC_DENIED, "the request has no %.*s", STR_ARG(name));
        }
        if (!is_one_line(value)) {
            return err_set(e, RC_DENIED, "%.*s holds a line break", STR_ARG(name));
        }
        buf_char(out, '"');
        buf_str(out, name);
        buf_str(out, STR("\": "));
        buf_str(out, value);
        buf_char(out, '\n');
    }
    buf_str(out, STR("\"@signature-params\": "));
    buf_str(out, s->params);
    return out->rc == RC_OK ? RC_OK : err_set(e, out->rc, "what was signed is too long");
}

static enum rc check_covered(const struct http_signature *s, const struct http_message *m,
                             struct err *e)
{
    bool whole_uri = has_component(s, STR("@target-uri"));
    const struct {
        struct str name;
        bool needed;
    } needs[] = {
        {STR("@method"), true},
        {STR("@authority"), !whole_uri},
        {STR("@path"), !whole_uri},
        {STR("@query"), !whole_uri && m->has_query},
        {STR("content-digest"), m->has_body},
    };
    for (size_t i = 0; i < sizeof needs / sizeof *needs; i++) {
        if (needs[i].needed && !has_component(s, needs[i].name)) {
            return err_set(e, RC_DENIED, "the signature does not cover %.*s",
                           STR_ARG(needs[i].name));
        }
    }
    return RC_OK;
}

static enum rc check_times(const struct http_signature *s, const struct http_signature_rules *rules,
                           int64_t now_s, struct err *e)
{
    if (s->created_s > now_s + rules->skew_s) {
        return err_set(e, RC_DENIED, "the signature is created in the future");
    }
    if (now_s >= s->created_s + rules->max_age_s) {
        return err_set(e, RC_DENIED, "the signature is older than %lld s",
                       (long long)rules->max_age_s);
    }
    if (s->expires_s != 0 && now_s >= s->expires_s) {
        return err_set(e, RC_DENIED, "the signature is expired");
    }
    return RC_OK;
}

enum rc http_signature_verify(const struct http_signature *s,
                              const struct http_signature_rules *rules,
                              const struct http_message *m,
                              const uint8_t public_key[static ED25519_PUBLIC_LEN], struct err *e)
{
    must(rules->skew_s >= 0 && rules->skew_s <= HTTP_SIGNATURE_SKEW_MAX_S);
    must(rules->max_age_s > 0 && rules->max_age_s <= HTTP_SIGNATURE_AGE_MAX_S);
    if (check_covered(s, m, e) != RC_OK || check_times(s, rules, m->received_s, e) != RC_OK) {
        return RC_DENIED;
    }
    struct buf base;
    buf_init(&base, HTTP_SIGNATURE_BASE_MAX);
    enum rc rc = http_signature_base(s, m, &base, e);
    if (rc == RC_OK && !ed25519_verify(public_key, buf_view(&base), s->bytes)) {
        rc = err_set(e, RC_DENIED, "the signature is wrong");
    }
    buf_done(&base);
    return rc;
}
