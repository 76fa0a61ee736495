/*
 * policy/agent_keys - the public keys that an agent signs its requests with.
 */
#include "policy/policy_internal.h"

#include "base/encode.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct key_parts {
    struct str id;
    struct str public;
};

static const struct field key_fields[] = {
    {"id", FIELD_NAME, FIELD_OF(struct key_parts, id), true, 0, 0, 0, NULL},
    {"public", FIELD_TEXT, FIELD_OF(struct key_parts, public), true, 0, 0, 0, NULL},
};

/* All zero is a point of small order, for which anybody can sign, and what a placeholder looks like. */
static bool public_decode(struct str text, uint8_t out[static AGENT_KEY_LEN])
{
    static const uint8_t zero[AGENT_KEY_LEN];
    size_t len = 0;
    bool plain = base64_decode(text, out, AGENT_KEY_LEN, &len);
    bool url = !plain && base64url_decode(text, out, AGENT_KEY_LEN, &len);
    return (plain || url) && len == AGENT_KEY_LEN && memcmp(out, zero, sizeof zero) != 0;
}

static enum rc read_key(struct reader *r, const struct value *v, struct agent_key *ret)
{
    struct key_parts parts;
    enum rc rc = read_fields(r, v, key_fields, COUNT(key_fields), &parts);
    if (rc != RC_OK) {
        return rc;
    }
    /* keyid is "<agent>/<id>", and agents' names may hold slashes. */
    if (str_find(parts.id, '/') < parts.id.len) {
        return reader_step(r, reader_fail(r, value_get(v, STR("id")), "id: expected a name without '/'"), "id");
    }
    if (!public_decode(parts.public, ret->public)) {
        return reader_step(r, reader_fail(r, value_get(v, STR("public")),
                                          "public: expected %d bytes of an Ed25519 key in base64", AGENT_KEY_LEN),
                           "public");
    }
    ret->id = parts.id;
    return RC_OK;
}

enum rc agent_keys_read(struct reader *r, const struct value *v, struct agent_def *def)
{
    if (v == NULL) {
        return RC_OK;
    }
    if (!value_is(v, VALUE_ARRAY) || v->count > AGENT_KEYS_MAX) {
        return reader_fail(r, v, "keys: expected a list of at most %d {id, public}", AGENT_KEYS_MAX);
    }
    struct agent_key *keys = arena_array(r->arena, v->count, sizeof *keys);
    if (keys == NULL && v->count > 0) {
        return err_set(r->e, arena_rc(r->arena), "the configuration is too large");
    }
    for (uint32_t i = 0; i < v->count; i++) {
        enum rc rc = read_key(r, &v->items[i], &keys[i]);
        for (uint32_t k = 0; rc == RC_OK && k < i; k++) {
            if (str_eq(keys[k].id, keys[i].id)) {
                rc = reader_fail(r, &v->items[i], "id: \"%.*s\" is there twice", STR_ARG(keys[i].id));
            }
        }
        if (rc != RC_OK) {
            return reader_step_index(r, rc, i);
        }
    }
    def->keys = keys;
    def->key_count = v->count;
    return RC_OK;
}

struct value agent_keys_value(struct arena *a, const struct agent_def *d)
{
    struct value all = value_array();
    for (uint32_t i = 0; i < d->key_count; i++) {
        struct buf text;
        buf_init(&text, 2 * AGENT_KEY_LEN);
        buf_base64url(&text, d->keys[i].public, AGENT_KEY_LEN);
        struct key_parts parts = {d->keys[i].id, arena_str(a, buf_view(&text))};
        buf_done(&text);
        value_push(a, &all, write_fields(a, key_fields, COUNT(key_fields), &parts));
    }
    return all;
}

const struct agent_key *agent_key_find(const struct agent_def *d, struct str id)
{
    for (uint32_t i = 0; i < d->key_count; i++) {
        if (str_eq(d->keys[i].id, id)) {
            return &d->keys[i];
        }
    }
    return NULL;
}
