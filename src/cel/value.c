/* Lists and maps: elements and keys wherever they are kept. */
#include "cel/value.h"

#include <string.h>

enum { MAP_SMALL = 8 }; /* entries that are searched one by one */

struct cel_value cel_of_json(const struct value *v)
{
    if (v == NULL) {
        return (struct cel_value){0};
    }
    switch (v->type) {
    case VALUE_NULL:
        return cel_of_null();
    case VALUE_BOOL:
        return cel_of_bool(v->boolean);
    case VALUE_INT:
        return cel_of_int(v->integer);
    case VALUE_DOUBLE:
        return cel_of_double(v->number);
    case VALUE_STRING:
        return cel_of_str(v->string);
    case VALUE_ARRAY:
        return (struct cel_value){.kind = CEL_LIST, .form = CEL_JSON, .aux = v->count, .json = v};
    case VALUE_OBJECT:
        return (struct cel_value){.kind = CEL_MAP, .form = CEL_JSON, .aux = v->count, .json = v};
    }
    return (struct cel_value){0};
}

void cel_list_at(const struct cel_value *v, uint32_t i, struct arena *scope, struct cel_value *ret)
{
    switch ((enum cel_form)v->form) {
    case CEL_NATIVE:
        *ret = v->items[i];
        return;
    case CEL_JSON:
        *ret = cel_of_json(&v->json->items[i]);
        return;
    case CEL_OPS:
        v->list_ops->get(v->self, i, scope, ret);
        return;
    }
}

/* Keys 1, 1u and 1.0 are one: their sign and size. False when v can be no key. */
struct key {
    enum { KEY_BOOL, KEY_TEXT, KEY_NUMBER, KEY_NEGATIVE } kind;
    uint64_t number;
    struct str text;
};

static bool key_of_double(double n, struct key *ret)
{
    if (!(n >= -9223372036854775808.0 && n < 18446744073709551616.0)) {
        return false;
    }
    if (n < 0) {
        *ret = (struct key){.kind = KEY_NEGATIVE, .number = (uint64_t)(int64_t)n};
        return (double)(int64_t)n == n;
    }
    *ret = (struct key){.kind = KEY_NUMBER, .number = (uint64_t)n};
    return (double)(uint64_t)n == n;
}

static bool key_of(const struct cel_value *v, struct key *ret)
{
    switch ((enum cel_kind)v->kind) {
    case CEL_BOOL:
        *ret = (struct key){.kind = KEY_BOOL, .number = v->boolean};
        return true;
    case CEL_STRING:
        *ret = (struct key){.kind = KEY_TEXT, .text = cel_text(v)};
        return true;
    case CEL_INT:
        *ret = (struct key){.kind = v->integer < 0 ? KEY_NEGATIVE : KEY_NUMBER,
                            .number = (uint64_t)v->integer};
        return true;
    case CEL_UINT:
        *ret = (struct key){.kind = KEY_NUMBER, .number = v->natural};
        return true;
    case CEL_DOUBLE:
        return key_of_double(v->number, ret);
    default:
        return false;
    }
}

static bool same_key(const struct key *a, const struct key *b)
{
    if (a->kind != b->kind) {
        return false;
    }
    return a->kind == KEY_TEXT ? str_eq(a->text, b->text) : a->number == b->number;
}

/* FNV-1a from a place that input can't know, with a final mix. Should keys collide all the same,
 * the probes are counted. */
static uint32_t hash_key(const struct cel_map *m, const struct key *k)
{
    uint64_t h = 0xcbf29ce484222325U ^ (uint64_t)k->kind ^ (uint64_t)(uintptr_t)m;
    if (k->kind == KEY_TEXT) {
        for (size_t i = 0; i < k->text.len; i++) {
            h = (h ^ (uint8_t)k->text.ptr[i]) * 0x100000001b3U;
        }
    } else {
        h = (h ^ k->number) * 0x9e3779b97f4a7c15U;
    }
    return (uint32_t)((h ^ (h >> 32)) * 0x9e3779b1U);
}

struct cel_map *cel_map_new(struct arena *a, uint32_t capacity)
{
    struct cel_map *m = arena_alloc(a, sizeof *m);
    if (m == NULL || capacity > UINT32_MAX / 4) {
        return NULL;
    }
    m->capacity = capacity;
    m->entries = arena_array(a, capacity, sizeof(struct cel_entry));
    if (capacity > MAP_SMALL) {
        uint32_t slots = 16;
        while (slots < capacity * 2) {
            slots *= 2;
        }
        m->mask = slots - 1;
        m->index = arena_array(a, slots, sizeof(uint32_t));
        if (m->index == NULL) {
            return NULL;
        }
    }
    return m->entries == NULL ? NULL : m;
}

/* The entry with that key, or null; ret_slot is where it would be in the index. */
static struct cel_entry *lookup(const struct cel_map *m, const struct key *k, uint32_t *ret_slot,
                                uint64_t *probes)
{
    struct key other;
    if (m->index == NULL) {
        for (uint32_t i = 0; i < m->count; i++) {
            if (key_of(&m->entries[i].key, &other) && same_key(&other, k)) {
                return &m->entries[i];
            }
        }
        return NULL;
    }
    uint32_t slot = hash_key(m, k) & m->mask;
    while (m->index[slot] != 0) {
        struct cel_entry *entry = &m->entries[m->index[slot] - 1];
        if (key_of(&entry->key, &other) && same_key(&other, k)) {
            return entry;
        }
        slot = (slot + 1) & m->mask;
        ++*probes;
    }
    *ret_slot = slot;
    return NULL;
}

bool cel_map_put(struct cel_map *m, const struct cel_value *key, const struct cel_value *value)
{
    struct key k;
    uint32_t slot = 0;
    if (m->count == m->capacity || key->kind == CEL_DOUBLE || !key_of(key, &k) ||
        lookup(m, &k, &slot, &m->probes) != NULL) {
        return false;
    }
    m->entries[m->count] = (struct cel_entry){*key, *value};
    m->count++;
    if (m->index != NULL) {
        m->index[slot] = m->count;
    }
    return true;
}

struct cel_value cel_of_map(const struct cel_map *m)
{
    return (struct cel_value){.kind = CEL_MAP, .aux = m->count, .map = m};
}

bool cel_map_find(const struct cel_value *map, const struct cel_value *key, struct arena *scope,
                  struct cel_value *ret)
{
    struct key k;
    uint32_t slot = 0;
    uint64_t probes = 0;
    switch ((enum cel_form)map->form) {
    case CEL_NATIVE: {
        const struct cel_entry *entry =
            key_of(key, &k) ? lookup(map->map, &k, &slot, &probes) : NULL;
        if (entry == NULL) {
            return false;
        }
        *ret = entry->value;
        return true;
    }
    case CEL_JSON:
        if (key->kind != CEL_STRING) {
            return false;
        }
        *ret = cel_of_json(value_get(map->json, cel_text(key)));
        return ret->kind != CEL_ABSENT;
    case CEL_OPS:
        return map->map_ops->find(map->self, key, scope, ret);
    }
    return false;
}

void cel_map_key(const struct cel_value *map, uint32_t i, struct arena *scope,
                 struct cel_value *ret)
{
    switch ((enum cel_form)map->form) {
    case CEL_NATIVE:
        *ret = map->map->entries[i].key;
        return;
    case CEL_JSON:
        *ret = cel_of_str(map->json->members[i].name);
        return;
    case CEL_OPS:
        map->map_ops->key(map->self, i, scope, ret);
        return;
    }
}

void cel_map_at(const struct cel_value *map, uint32_t i, struct arena *scope, struct cel_entry *ret)
{
    ret->value = (struct cel_value){0};
    switch ((enum cel_form)map->form) {
    case CEL_NATIVE:
        *ret = map->map->entries[i];
        return;
    case CEL_JSON:
        ret->key = cel_of_str(map->json->members[i].name);
        ret->value = cel_of_json(&map->json->members[i].value);
        return;
    case CEL_OPS:
        map->map_ops->key(map->self, i, scope, &ret->key);
        if (!map->map_ops->find(map->self, &ret->key, scope, &ret->value)) {
            ret->value = (struct cel_value){0};
        }
        return;
    }
}
