/* A value's strings, numbers and names, one by one, with what its structure says of them. */
#include "redact/redact_internal.h"

#include "base/map.h"
#include "value/json.h"

#include <string.h>

static const struct str none = {NULL, 0};

static void redact_any(struct pass *p, struct value *v, struct str type, int depth);

/* {"$redacted":...,"type":...} and nothing else: what only looks like it is redacted as well. */
static bool is_redacted(const struct value *v)
{
    struct str prefix = STR("hmac-sha256:");
    struct str hash = value_text(value_get(v, STR("$redacted")));
    return v->count == 2 && str_starts(hash, prefix) &&
           is_hash(str_slice(hash, prefix.len, hash.len), 2 * SHA256_LEN) &&
           marker_type_valid(value_text(value_get(v, STR("type"))));
}

static void replace_whole(struct pass *p, struct value *v, const struct replaced *r)
{
    struct value object = value_object();
    object.line = v->line;
    object.column = v->column;
    value_add_hex(p->arena, &object, STR("$redacted"), STR("hmac-sha256:"), r->digest.bytes,
                  sizeof r->digest.bytes);
    value_add_str(p->arena, &object, STR("type"), arena_str(p->arena, r->type));
    *v = object;
    if (arena_rc(p->arena) != RC_OK) {
        p->rc = pass_out_of_memory(p);
    }
}

static void redact_string(struct pass *p, struct value *v, const struct field *field, int depth)
{
    struct replaced r;
    if (!text_find(p, v->string, field, &r)) {
        return;
    }
    if (r.whole && depth < JSON_DEPTH_MAX) {
        replace_whole(p, v, &r);
    } else {
        v->string = text_replace(p, v->string);
    }
}

/* A string that its place says is a secret; an Authorization value keeps its scheme. */
static void redact_named_string(struct pass *p, struct value *v, struct str type, int depth)
{
    struct str text = v->string;
    struct field field = {.type = type};
    if (is_authorization(type)) {
        field.from = marker_ends(text, text.len) ? text.len : scheme_len(text);
    }
    redact_string(p, v, &field, depth);
}

/* A PIN or the like: its canonical text is the secret. */
static void redact_number(struct pass *p, struct value *v, struct str type, int depth)
{
    char room[64];
    CLEANUP(buf) struct buf text;
    buf_init(&text, sizeof room);
    json_write(&text, v);
    if (text.rc != RC_OK) {
        p->rc = err_set(p->err, text.rc, "out of memory");
        return;
    }
    struct value string = value_string(arena_str(p->arena, buf_view(&text)));
    string.line = v->line;
    string.column = v->column;
    if (arena_rc(p->arena) != RC_OK) {
        p->rc = pass_out_of_memory(p);
        return;
    }
    *v = string;
    redact_named_string(p, v, type, depth);
}

/* The type that "--password" says the next word has; a flag with its value in it says nothing. */
static struct str flag_secret(const struct value *item)
{
    struct str word = value_text(item);
    for (size_t i = 0; i < word.len; i++) {
        if (!is_name_char(word.ptr[i])) {
            return none;
        }
    }
    return str_starts(word, STR("-")) ? name_secret(word) : none;
}

/* The length of NAME= when s begins with it, or 0. */
static size_t variable_len(struct str s)
{
    size_t at = 0;
    while (at < s.len && (is_alnum(s.ptr[at]) || s.ptr[at] == '_')) {
        at++;
    }
    return at > 0 && at < s.len && s.ptr[at] == '=' && !is_digit(s.ptr[0]) ? at + 1 : 0;
}

/* Nothing but NAME=VALUE: there a value goes on to its end, white space and all. */
static bool is_environment(const struct value *v)
{
    for (uint32_t i = 0; i < v->count; i++) {
        if (variable_len(value_text(&v->items[i])) == 0) {
            return false;
        }
    }
    return v->count > 0;
}

static void redact_variable(struct pass *p, struct value *v, int depth)
{
    size_t value_at = variable_len(v->string);
    struct str type = name_secret(str_slice(v->string, 0, value_at - 1));
    struct field field = {.from = value_at, .type = type};
    redact_string(p, v, type.len > 0 ? &field : NULL, depth);
}

static void redact_items(struct pass *p, struct value *v, struct str type, int depth)
{
    bool environment = is_environment(v);
    struct str said = none; /* by the item before */
    for (uint32_t i = 0; i < v->count && p->rc == RC_OK; i++) {
        struct value *item = &v->items[i];
        struct str says = flag_secret(item);
        if (item->type == VALUE_OBJECT) {
            redact_any(p, item, none, depth);
        } else if (environment) {
            redact_variable(p, item, depth);
        } else if (item->type == VALUE_STRING && type.len == 0 && said.len > 0) {
            struct field field = {.type = said, .may_be_flag = true};
            redact_string(p, item, &field, depth);
        } else {
            redact_any(p, item, type.len > 0 ? type : said, depth);
        }
        said = says;
    }
}

static void redact_name(struct pass *p, struct member *m, bool *ret_renamed)
{
    struct replaced r;
    if (text_find(p, m->name, NULL, &r)) {
        m->name = text_replace(p, m->name);
        *ret_renamed = true;
    }
}

/* A name can be made equal to another's redaction on purpose; nothing could read that again. */
static void refuse_equal_names(struct pass *p, const struct value *v)
{
    /* A seed that nobody outside knows, so that names can't be made to collide. */
    struct digest d = secret_digest(p, STR("the seed of a map of names"));
    uint64_t seed;
    memcpy(&seed, d.bytes, sizeof seed);
    struct strmap names;
    strmap_init(&names, seed);
    for (uint32_t i = 0; i < v->count && p->rc == RC_OK; i++) {
        if (strmap_get(&names, v->members[i].name) != MAP_NONE) {
            p->rc = err_set(p->err, RC_INVALID, "two members have one name once it is redacted");
        } else if (strmap_put(&names, v->members[i].name, i) != RC_OK) {
            p->rc = err_set(p->err, RC_NO_MEMORY, "out of memory");
        }
    }
    strmap_done(&names);
}

/* What an object says of its member i, whatever the object is. */
struct said {
    struct str all;   /* of every member */
    struct str value; /* of "value", by "name" or "key" beside it */
    bool secret;      /* a Secret of Kubernetes: of what is in data and stringData */
};

static struct str member_secret(const struct said *said, const struct member *m)
{
    bool is_object = m->value.type == VALUE_OBJECT;
    if (said->secret && is_object &&
        (str_eq(m->name, STR("data")) || str_eq(m->name, STR("stringData")))) {
        return STR("kubernetes_secret");
    }
    if (is_object) {
        return none; /* {"secret":{"name":"db"}} speaks about one */
    }
    if (said->all.len > 0) {
        return said->all;
    }
    struct str by_name = name_secret(m->name);
    return by_name.len == 0 && str_eq(m->name, STR("value")) ? said->value : by_name;
}

static void redact_members(struct pass *p, struct value *v, struct str type, int depth)
{
    if (is_redacted(v)) {
        return;
    }
    struct str name = value_text(value_get(v, STR("name")));
    struct str key = value_text(value_get(v, STR("key")));
    struct said said = {
        .all = type,
        .value = name_secret(name.len > 0 ? name : key),
        .secret = str_eq(value_text(value_get(v, STR("kind"))), STR("Secret")),
    };
    bool renamed = false;
    for (uint32_t i = 0; i < v->count && p->rc == RC_OK; i++) {
        struct member *m = &v->members[i];
        redact_any(p, &m->value, member_secret(&said, m), depth);
        redact_name(p, m, &renamed);
    }
    if (renamed && p->rc == RC_OK) {
        refuse_equal_names(p, v);
    }
}

/* type: what the place says it is, or empty. depth: containers around v. */
static void redact_any(struct pass *p, struct value *v, struct str type, int depth)
{
    bool holds = v->type == VALUE_ARRAY || v->type == VALUE_OBJECT;
    if (holds && depth >= JSON_DEPTH_MAX) {
        p->rc = err_set(p->err, RC_LIMIT, "nested deeper than %d", JSON_DEPTH_MAX);
    } else if (v->type == VALUE_ARRAY) {
        redact_items(p, v, type, depth + 1);
    } else if (v->type == VALUE_OBJECT) {
        redact_members(p, v, type, depth + 1);
    } else if (v->type == VALUE_STRING && type.len > 0) {
        redact_named_string(p, v, type, depth);
    } else if (v->type == VALUE_STRING) {
        redact_string(p, v, NULL, depth);
    } else if ((v->type == VALUE_INT || v->type == VALUE_DOUBLE) && type.len > 0) {
        redact_number(p, v, type, depth);
    }
}

void value_redact(struct pass *p, struct value *v)
{
    redact_any(p, v, none, 0);
}

static bool text_holds(struct str text)
{
    for (size_t at = str_find(text, '['); at < text.len;
         at += 1 + str_find(str_slice(text, at + 1, text.len), '[')) {
        if (marker_len(text, at) > 0) {
            return true;
        }
    }
    return false;
}

static bool holds(const struct value *v, int depth)
{
    /* An object that stands for a secret is one level more. What is deeper was never redacted. */
    if (depth > JSON_DEPTH_MAX + 1) {
        return true;
    }
    if (v->type == VALUE_STRING) {
        return text_holds(v->string);
    }
    for (uint32_t i = 0; v->type == VALUE_ARRAY && i < v->count; i++) {
        if (holds(&v->items[i], depth + 1)) {
            return true;
        }
    }
    for (uint32_t i = 0; v->type == VALUE_OBJECT && i < v->count; i++) {
        const struct member *m = &v->members[i];
        if (str_eq(m->name, STR("$redacted")) || text_holds(m->name) ||
            holds(&m->value, depth + 1)) {
            return true;
        }
    }
    return false;
}

bool redact_holds(const struct value *v)
{
    return holds(v, 0);
}
