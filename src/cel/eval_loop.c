/*
 * Loops: the macros over lists and maps.
 *
 * all and exists are && and || over the elements: one decisive element decides, whatever errors the
 * others have. The rest end at the first error.
 */
#include "cel/functions.h"

/* A loop's range while it is walked. */
struct walk {
    struct cel_value range;
    uint32_t i;
};

static bool walk_begin(struct machine *m, const struct cel_node *n, struct walk *w,
                       struct cel_value *ret)
{
    w->i = 0;
    eval(m, n->kids[0], &w->range);
    if (is_error(&w->range)) {
        *ret = w->range;
        return false;
    }
    if (w->range.kind != CEL_LIST && w->range.kind != CEL_MAP) {
        fault_overload(m, n, ret);
        return false;
    }
    return true;
}

/* Puts the next element into the loop's variables; false behind the last. */
static bool walk_next(struct machine *m, const struct cel_node *n, struct walk *w)
{
    if (w->i >= w->range.aux) {
        return false;
    }
    struct cel_value *first = &m->locals[n->bindings[0].slot];
    struct cel_value *second = &m->locals[n->bindings[1].slot];
    uint32_t i = w->i++;
    if (w->range.kind == CEL_LIST) {
        if (w->range.form == CEL_NATIVE && !n->two) {
            *first = w->range.items[i];
            return true;
        }
        cel_list_at(&w->range, i, m->arena, n->two ? second : first);
        if (n->two) {
            *first = cel_of_int(i);
        }
        return true;
    }
    if (!n->two) {
        cel_map_key(&w->range, i, m->arena, first);
        return true;
    }
    struct cel_entry entry;
    cel_map_at(&w->range, i, m->arena, &entry);
    *first = entry.key;
    *second = entry.value;
    return true;
}

static void loop_logic(struct machine *m, const struct cel_node *n, bool decisive,
                       struct cel_value *ret)
{
    struct walk w;
    struct cel_value first = {0};
    if (!walk_begin(m, n, &w, ret)) {
        return;
    }
    const struct cel_node *body = n->kids[1];
    while (walk_next(m, n, &w)) {
        eval(m, body, ret);
        if (ret->kind == CEL_BOOL) {
            if (ret->boolean == decisive) {
                return;
            }
            continue;
        }
        if (m->cut != CEL_FAULT) {
            return;
        }
        if (first.kind == CEL_ABSENT) {
            if (!is_error(ret)) {
                fault_overload(m, n, ret);
            }
            first = *ret;
        }
    }
    *ret = first.kind == CEL_ABSENT ? cel_of_bool(!decisive) : first;
}

void eval_loop_all(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    loop_logic(m, n, false, ret);
}

void eval_loop_exists(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    loop_logic(m, n, true, ret);
}

/* The condition for the element that stands in the variables. False: *ret is the error. */
static bool condition(struct machine *m, const struct cel_node *n, bool *ret_true,
                      struct cel_value *ret)
{
    eval(m, n, ret);
    if (ret->kind == CEL_BOOL) {
        *ret_true = ret->boolean;
        return true;
    }
    if (!is_error(ret)) {
        fault_overload(m, n, ret);
    }
    return false;
}

void eval_loop_one(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    struct walk w;
    uint32_t count = 0;
    if (!walk_begin(m, n, &w, ret)) {
        return;
    }
    while (walk_next(m, n, &w)) {
        bool yes = false;
        if (!condition(m, n->kids[1], &yes, ret)) {
            return;
        }
        count += yes;
    }
    *ret = cel_of_bool(count == 1);
}

/* Memory for one result for each element. */
static struct cel_value *results(struct machine *m, const struct cel_node *n, const struct walk *w,
                                 struct cel_value *ret)
{
    struct cel_value *items = machine_alloc(m, w->range.aux, sizeof *items);
    if (items == NULL) {
        fault_set(m, n, ret, "");
    }
    return items;
}

void eval_loop_map(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    struct walk w;
    uint32_t count = 0;
    struct cel_value *items = walk_begin(m, n, &w, ret) ? results(m, n, &w, ret) : NULL;
    if (items == NULL) {
        return;
    }
    while (walk_next(m, n, &w)) {
        bool yes = true;
        if (n->count == 3 && !condition(m, n->kids[1], &yes, ret)) {
            return;
        }
        if (!yes) {
            continue;
        }
        eval(m, n->kids[n->count - 1], &items[count]);
        if (is_error(&items[count])) {
            *ret = items[count];
            return;
        }
        count++;
    }
    *ret = cel_of_list(items, count);
}

void eval_loop_filter(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    struct walk w;
    uint32_t count = 0;
    struct cel_value *items = walk_begin(m, n, &w, ret) ? results(m, n, &w, ret) : NULL;
    if (items == NULL) {
        return;
    }
    while (walk_next(m, n, &w)) {
        bool yes = false;
        if (!condition(m, n->kids[1], &yes, ret)) {
            return;
        }
        if (yes) {
            items[count++] = m->locals[n->bindings[0].slot];
        }
    }
    *ret = cel_of_list(items, count);
}

static struct cel_map *map_for(struct machine *m, const struct cel_node *n, uint64_t capacity,
                               struct cel_value *ret)
{
    struct cel_map *map = NULL;
    if (charge(m, capacity) && capacity <= UINT32_MAX) {
        map = cel_map_new(m->arena, (uint32_t)capacity);
    }
    if (map == NULL) {
        machine_cut(m, CEL_CUT_MEMORY);
        fault_set(m, n, ret, "");
    }
    return map;
}

void eval_loop_to_map(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    struct walk w;
    struct cel_map *map = walk_begin(m, n, &w, ret) ? map_for(m, n, w.range.aux, ret) : NULL;
    if (map == NULL) {
        return;
    }
    while (walk_next(m, n, &w)) {
        bool yes = true;
        if (n->count == 3 && !condition(m, n->kids[1], &yes, ret)) {
            return;
        }
        if (!yes) {
            continue;
        }
        eval(m, n->kids[n->count - 1], ret);
        if (is_error(ret)) {
            return;
        }
        if (!cel_map_put(map, &m->locals[n->bindings[0].slot], ret)) {
            fault_set(m, n, ret, "repeated key");
            return;
        }
        if (!charge(m, map->probes)) {
            fault_set(m, n, ret, "");
            return;
        }
        map->probes = 0;
    }
    *ret = cel_of_map(map);
}

/* Copies the entries of a map that one turn yielded. False: *ret is the error. */
static bool add_entries(struct machine *m, const struct cel_node *n, struct cel_map *to,
                        struct cel_value *ret)
{
    struct cel_value from = *ret;
    for (uint32_t i = 0; i < from.aux; i++) {
        struct cel_entry entry;
        cel_map_at(&from, i, m->arena, &entry);
        if (!charge(m, 1 + to->probes)) {
            fault_set(m, n, ret, "");
            return false;
        }
        to->probes = 0;
        if (!cel_map_put(to, &entry.key, &entry.value)) {
            fault_set(m, n, ret, "repeated key");
            return false;
        }
    }
    return true;
}

void eval_loop_to_entry(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    struct walk w;
    if (!walk_begin(m, n, &w, ret)) {
        return;
    }
    struct cel_value *parts = results(m, n, &w, ret);
    uint32_t count = 0;
    uint64_t entries = 0;
    while (parts != NULL && walk_next(m, n, &w)) {
        bool yes = true;
        if (n->count == 3 && !condition(m, n->kids[1], &yes, ret)) {
            return;
        }
        if (!yes) {
            continue;
        }
        eval(m, n->kids[n->count - 1], ret);
        if (is_error(ret)) {
            return;
        }
        if (ret->kind != CEL_MAP) {
            fault_overload(m, n, ret);
            return;
        }
        parts[count++] = *ret;
        entries += ret->aux;
    }
    struct cel_map *map = parts == NULL ? NULL : map_for(m, n, entries, ret);
    if (map == NULL) {
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        *ret = parts[i];
        if (!add_entries(m, n, map, ret)) {
            return;
        }
    }
    *ret = cel_of_map(map);
}

void eval_loop_sort(struct machine *m, const struct cel_node *n, struct cel_value *ret)
{
    struct walk w;
    if (!walk_begin(m, n, &w, ret)) {
        return;
    }
    if (w.range.kind != CEL_LIST) {
        fault_overload(m, n, ret);
        return;
    }
    uint32_t count = w.range.aux;
    struct sort_item *items = machine_alloc(m, count, sizeof *items);
    if (items == NULL) {
        fault_set(m, n, ret, "");
        return;
    }
    for (uint32_t i = 0; i < count && walk_next(m, n, &w); i++) {
        items[i].value = m->locals[n->bindings[0].slot];
        eval(m, n->kids[1], &items[i].key);
        if (is_error(&items[i].key)) {
            *ret = items[i].key;
            return;
        }
    }
    (void)list_sort(m, n, items, count, ret);
}
