#include "diff/kubernetes.h"

#include "base/must.h"
#include "diff/compare.h"
#include "diff/documents.h"
#include "diff/kubernetes_rules.h"
#include "diff/shown.h"
#include "value/pointer.h"

#include <stdlib.h>

struct object {
    struct str key; /* "apps/Deployment shop/web": what it is, and its name for people */
    struct str kind;
    struct value value; /* without what the cluster writes */
};

struct objects {
    struct object *items;
    uint32_t count;
    uint32_t room;
};

struct manifest_reader {
    struct arena *arena;
    struct err *err;
    struct str side;
};

/* --- objects ---------------------------------------------------------------------------------------- */

/* Written by the cluster, or what the object is found by. */
static bool is_no_content(struct str name)
{
    static const char *const names[] = {"managedFields",     "resourceVersion", "uid",  "generation",
                                        "creationTimestamp", "selfLink",        "name", "namespace"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (str_eq(name, str_from(names[i]))) {
            return true;
        }
    }
    return false;
}

static struct value own_metadata(struct arena *a, const struct value *metadata)
{
    struct value out = value_object();
    for (uint32_t i = 0; i < metadata->count; i++) {
        if (!is_no_content(metadata->members[i].name)) {
            value_add(a, &out, metadata->members[i].name, metadata->members[i].value);
        }
    }
    return out;
}

/* The object without its identity, its status and the cluster's notes. */
static struct value own_part(struct arena *a, const struct value *v)
{
    struct value out = value_object();
    for (uint32_t i = 0; i < v->count; i++) {
        const struct member *m = &v->members[i];
        bool metadata = str_eq(m->name, STR("metadata")) && m->value.type == VALUE_OBJECT;
        if (!str_eq(m->name, STR("status"))) {
            value_add(a, &out, m->name, metadata ? own_metadata(a, &m->value) : m->value);
        }
    }
    return out;
}

static struct str group_of(struct str api_version)
{
    size_t slash = str_find(api_version, '/');
    return slash == api_version.len ? STR("") : str_slice(api_version, 0, slash + 1);
}

static enum rc expected(struct manifest_reader *r, const char *where, const char *what)
{
    return err_at(r->err, RC_INVALID, str_from(where), "expected %s", what);
}

static enum rc read_object(struct manifest_reader *r, const struct value *v, struct object *ret)
{
    const struct value *metadata = value_get(v, STR("metadata"));
    struct str api_version = value_text(value_get(v, STR("apiVersion")));
    struct str name = value_text(value_get(metadata, STR("name")));
    struct str space = value_text(value_get(metadata, STR("namespace")));
    ret->kind = value_text(value_get(v, STR("kind")));
    bool generated = name.len == 0;
    name = generated ? value_text(value_get(metadata, STR("generateName"))) : name;
    if (!value_is(v, VALUE_OBJECT)) {
        return expected(r, "", "an object");
    }
    if (api_version.len == 0 || ret->kind.len == 0) {
        return expected(r, api_version.len == 0 ? "/apiVersion" : "/kind", "a text such as v1 and Service");
    }
    if (name.len == 0) {
        return expected(r, "/metadata/name", "a text");
    }
    space = str_eq(space, STR("default")) ? STR("") : space;
    ret->key = arena_printf(r->arena, "%.*s%.*s %.*s%s%.*s%s", STR_ARG(group_of(api_version)), STR_ARG(ret->kind),
                            STR_ARG(space), space.len > 0 ? "/" : "", STR_ARG(name), generated ? "*" : "");
    ret->value = own_part(r->arena, v);
    return RC_OK;
}

static bool is_list(const struct value *v)
{
    return str_ends(value_text(value_get(v, STR("kind"))), STR("List")) && value_is(value_get(v, STR("items")), VALUE_ARRAY);
}

static uint32_t count_objects(const struct value *documents)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < documents->count; i++) {
        const struct value *v = &documents->items[i];
        count += is_list(v) ? value_get(v, STR("items"))->count : 1;
    }
    return count;
}

static enum rc add_objects(struct manifest_reader *r, const struct value *list, struct objects *out)
{
    for (uint32_t i = 0; i < list->count; i++) {
        const struct value *v = &list->items[i];
        if (v->type == VALUE_NULL) {
            continue;
        }
        must(out->count < out->room);
        enum rc rc = read_object(r, v, &out->items[out->count]);
        if (rc != RC_OK) {
            pointer_item(r->err, i);
            return rc;
        }
        out->count++;
    }
    return RC_OK;
}

static int by_key(const void *x, const void *y)
{
    const struct object *a = x;
    const struct object *b = y;
    return str_cmp(a->key, b->key);
}

/* What `kubectl create` would name by itself is new each time, and may stand there twice. */
static enum rc check_twice(struct manifest_reader *r, const struct objects *o)
{
    for (uint32_t i = 1; i < o->count; i++) {
        struct str key = o->items[i].key;
        if (str_eq(o->items[i - 1].key, key) && !str_ends(key, STR("*"))) {
            struct str shown = diff_text(r->arena, key, SHOWN_TEXT_MAX);
            return err_at(r->err, RC_CONFLICT, r->side, "%.*s stands there twice", STR_ARG(shown));
        }
    }
    return RC_OK;
}

static enum rc read_side(struct manifest_reader *r, const struct value *v, struct objects *ret)
{
    struct value documents = value_array();
    enum rc rc = diff_documents(r->arena, r->side, v, &documents, r->err);
    ret->room = count_objects(&documents);
    ret->items = arena_array(r->arena, ret->room, sizeof *ret->items);
    for (uint32_t i = 0; rc == RC_OK && ret->items != NULL && i < documents.count; i++) {
        const struct value *document = &documents.items[i];
        struct value one = {.type = VALUE_ARRAY, .count = 1, .items = &documents.items[i]};
        bool list = is_list(document);
        rc = add_objects(r, list ? value_get(document, STR("items")) : &one, ret);
        if (rc != RC_OK) {
            /* In a text of one object "/0" would say nothing. */
            err_step(r->err, list ? "%.*s#%u/items" : "%.*s#%u", STR_ARG(r->side), i + 1);
        }
    }
    rc = rc == RC_OK ? diff_built(r->arena, r->err) : rc;
    if (rc == RC_OK) {
        must(ret->items != NULL);
        qsort(ret->items, ret->count, sizeof *ret->items, by_key);
        rc = check_twice(r, ret);
    }
    return rc;
}

/* --- rows ------------------------------------------------------------------------------------------- */

/* Nothing of a Secret's values is shown, nor the copy of them that kubectl leaves in an annotation. */
static const struct value *secret_mask(struct arena *a)
{
    struct value *mask = arena_alloc(a, sizeof *mask);
    struct value metadata = value_object();
    if (mask == NULL) {
        return NULL;
    }
    value_add_bool(a, &metadata, STR("annotations"), true);
    *mask = value_object();
    value_add_bool(a, mask, STR("data"), true);
    value_add_bool(a, mask, STR("stringData"), true);
    value_add(a, mask, STR("metadata"), metadata);
    return mask;
}

static void add_object(struct arena *a, struct diff_changes *c, const struct object *before, const struct object *after)
{
    const struct object *either = after != NULL ? after : before;
    const struct value *x = before == NULL ? NULL : &before->value;
    const struct value *y = after == NULL ? NULL : &after->value;
    bool both = x != NULL && y != NULL;
    bool same = both && diff_same(a, x, y);
    bool secret = str_eq(either->kind, STR("Secret"));
    struct diff_change row = {.kind = same ? DIFF_NO_OP : both ? DIFF_UPDATE : x == NULL ? DIFF_CREATE : DIFF_DELETE,
                              .resource = either->key,
                              .before = value_null(),
                              .after = value_null()};
    if (!same) {
        row.surfaces = kubernetes_surfaces(either->kind);
        row.facts = kubernetes_facts(a, either->kind, x, y);
    }
    diff_add(a, c, &row);
    if (row.kind == DIFF_UPDATE) {
        struct diff_change part = {.kind = row.kind, .resource = row.resource, .surfaces = row.surfaces, .part = true};
        const struct value *mask = secret ? secret_mask(a) : NULL;
        struct diff_sides sides = {
            .before = x, .after = y, .hidden_before = mask, .hidden_after = mask, .by_name = !secret};
        diff_compare(a, c, &part, &sides);
    }
}

static void add_objects_of(struct arena *a, struct diff_changes *c, const struct objects *before, const struct objects *after)
{
    uint32_t i = 0;
    uint32_t k = 0;
    while (i < before->count || k < after->count) {
        int order = i == before->count  ? 1
                    : k == after->count ? -1
                                        : str_cmp(before->items[i].key, after->items[k].key);
        add_object(a, c, order <= 0 ? &before->items[i] : NULL, order >= 0 ? &after->items[k] : NULL);
        i += order <= 0 ? 1 : 0;
        k += order >= 0 ? 1 : 0;
    }
}

enum rc diff_kubernetes(struct arena *a, const struct diff_pair *sides, struct diff_changes *ret, struct err *e)
{
    struct diff_changes changes = diff_changes_none(DIFF_KUBERNETES);
    struct objects before = {0};
    struct objects after = {0};
    struct manifest_reader r = {a, e, STR("before")};
    enum rc rc = read_side(&r, sides->before, &before);
    r.side = STR("after");
    rc = rc == RC_OK ? read_side(&r, sides->after, &after) : rc;
    if (rc == RC_OK) {
        add_objects_of(a, &changes, &before, &after);
        rc = diff_built(a, e);
    }
    if (rc == RC_OK) {
        *ret = changes;
    }
    return rc;
}
