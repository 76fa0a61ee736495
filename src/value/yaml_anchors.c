#include "value/yaml_anchors.h"

#include <string.h>

enum { FIRST_ROOM = 8 };

void yaml_anchors_init(struct yaml_anchors *n)
{
    *n = (struct yaml_anchors){.count = 0};
    strmap_init(&n->index_of, 0);
}

void yaml_anchors_done(struct yaml_anchors *n)
{
    strmap_done(&n->index_of);
}

void yaml_anchors_forget(struct yaml_anchors *n)
{
    if (n->count > 0) {
        strmap_done(&n->index_of);
        strmap_init(&n->index_of, 0);
        n->count = 0;
    }
}

static bool grow(struct yaml_anchors *n, struct arena *a)
{
    uint32_t room = n->room == 0 ? FIRST_ROOM : n->room * 2;
    struct yaml_anchor *items = arena_array(a, room, sizeof *items);
    if (items == NULL) {
        return false;
    }
    if (n->count > 0) {
        memcpy(items, n->items, n->count * sizeof *items);
    }
    n->items = items;
    n->room = room;
    return true;
}

enum rc yaml_anchor_open(struct yaml_anchors *n, struct arena *a, struct str name, uint32_t *ret)
{
    if (n->count == YAML_ANCHORS_MAX) {
        return RC_LIMIT;
    }
    if (n->count == n->room && !grow(n, a)) {
        return arena_rc(a);
    }
    *ret = n->count++;
    n->items[*ret] = (struct yaml_anchor){.open = true};
    return strmap_put(&n->index_of, arena_str(a, name), *ret);
}

const struct yaml_anchor *yaml_anchor_find(const struct yaml_anchors *n, struct str name)
{
    uint32_t at = strmap_get(&n->index_of, name);
    return at == MAP_NONE ? NULL : &n->items[at];
}

static enum rc add_missing(struct arena *a, struct strmap *has, struct value *object, const struct value *from)
{
    enum rc rc = RC_OK;
    for (uint32_t i = 0; i < from->count && rc == RC_OK; i++) {
        const struct member *m = &from->members[i];
        if (strmap_get(has, m->name) == MAP_NONE) {
            value_add(a, object, m->name, m->value);
            rc = strmap_put(has, m->name, 0);
        }
    }
    return rc;
}

enum rc yaml_merge(struct arena *a, struct value *object, const struct value *list)
{
    struct strmap has;
    enum rc rc = RC_OK;
    strmap_init(&has, 0);
    for (uint32_t i = 0; i < object->count && rc == RC_OK; i++) {
        rc = strmap_put(&has, object->members[i].name, 0);
    }
    for (uint32_t i = 0; i < list->count && rc == RC_OK; i++) {
        rc = add_missing(a, &has, object, &list->items[i]);
    }
    strmap_done(&has);
    return rc;
}
