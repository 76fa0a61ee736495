/* The lists extension. Source: cel-go ext/README.md "Lists", versions 1 to 3. */
#include "cel/functions.h"

/* Memory for a list's items; null: *ret is the error. */
static struct cel_value *items_for(struct machine *m, const struct cel_node *n, uint64_t count,
                                   struct cel_value *ret)
{
    struct cel_value *items = NULL;
    if (count <= UINT32_MAX && charge(m, count)) {
        items = machine_alloc(m, count, sizeof *items);
    }
    if (items == NULL) {
        machine_cut(m, CEL_CUT_MEMORY);
        fault_set(m, n, ret, "");
    }
    return items;
}

static void slice(struct machine *m, const struct cel_node *n, struct cel_value *args,
                  struct cel_value *ret)
{
    int64_t from = args[1].integer;
    int64_t to = args[2].integer;
    if (from < 0 || to < 0 || from > to || to > (int64_t)args[0].aux) {
        fault_format(m, n, ret, "cannot slice(%lld, %lld), list has length %u", (long long)from,
                     (long long)to, args[0].aux);
        return;
    }
    uint32_t count = (uint32_t)(to - from);
    struct cel_value *items = items_for(m, n, count, ret);
    if (items == NULL) {
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        cel_list_at(&args[0], (uint32_t)from + i, m->arena, &items[i]);
    }
    *ret = cel_of_list(items, count);
}

/* A list that grows in the arena. */
struct growing {
    struct cel_value *items;
    uint32_t count;
    uint32_t capacity;
};

static bool grow(struct machine *m, struct growing *g, const struct cel_value *v)
{
    if (g->count == g->capacity) {
        uint32_t capacity = g->capacity == 0 ? 16 : g->capacity * 2;
        struct cel_value *items = machine_alloc(m, capacity, sizeof *items);
        if (items == NULL) {
            return false;
        }
        for (uint32_t i = 0; i < g->count; i++) {
            items[i] = g->items[i];
        }
        g->items = items;
        g->capacity = capacity;
    }
    g->items[g->count++] = *v;
    return charge(m, 1);
}

enum { FLATTEN_DEPTH_MAX = CEL_DEPTH_MAX };

static bool flatten_into(struct machine *m, struct growing *g, const struct cel_value *list,
                         int64_t depth, int level)
{
    for (uint32_t i = 0; i < list->aux; i++) {
        struct cel_value v;
        cel_list_at(list, i, m->arena, &v);
        bool open = v.kind == CEL_LIST && depth > 0 && level < FLATTEN_DEPTH_MAX;
        if (!(open ? flatten_into(m, g, &v, depth - 1, level + 1) : grow(m, g, &v))) {
            return false;
        }
    }
    return true;
}

static void flatten(struct machine *m, const struct cel_node *n, struct cel_value *args,
                    struct cel_value *ret)
{
    struct growing g = {0};
    int64_t depth = n->count == 2 ? args[1].integer : 1;
    if (depth < 0) {
        fault_set(m, n, ret, "level must be non-negative");
        return;
    }
    if (!flatten_into(m, &g, &args[0], depth, 0)) {
        fault_set(m, n, ret, "");
        return;
    }
    *ret = cel_of_list(g.items, g.count);
}

static void range(struct machine *m, const struct cel_node *n, struct cel_value *args,
                  struct cel_value *ret)
{
    int64_t count = args[0].integer < 0 ? 0 : args[0].integer;
    struct cel_value *items = items_for(m, n, (uint64_t)count, ret);
    if (items == NULL) {
        return;
    }
    for (int64_t i = 0; i < count; i++) {
        items[i] = cel_of_int(i);
    }
    *ret = cel_of_list(items, (uint32_t)count);
}

static void reverse(struct machine *m, const struct cel_node *n, struct cel_value *args,
                    struct cel_value *ret)
{
    uint32_t count = args[0].aux;
    struct cel_value *items = items_for(m, n, count, ret);
    if (items == NULL) {
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        cel_list_at(&args[0], count - 1 - i, m->arena, &items[i]);
    }
    *ret = cel_of_list(items, count);
}

static bool seen(struct machine *m, const struct cel_value *items, uint32_t count,
                 const struct cel_value *v)
{
    for (uint32_t i = 0; i < count && charge(m, 1); i++) {
        if (values_equal(m, &items[i], v)) {
            return true;
        }
    }
    return false;
}

static void distinct(struct machine *m, const struct cel_node *n, struct cel_value *args,
                     struct cel_value *ret)
{
    struct cel_value *items = items_for(m, n, args[0].aux, ret);
    uint32_t count = 0;
    for (uint32_t i = 0; items != NULL && i < args[0].aux && m->cut == CEL_FAULT; i++) {
        struct cel_value v;
        cel_list_at(&args[0], i, m->arena, &v);
        if (!seen(m, items, count, &v)) {
            items[count++] = v;
        }
    }
    if (items != NULL) {
        *ret = cel_of_list(items, count);
    }
}

static void first(struct machine *m, const struct cel_node *n, struct cel_value *args,
                  struct cel_value *ret)
{
    struct cel_value v;
    if (args[0].aux == 0) {
        *ret = cel_of_optional(NULL);
        return;
    }
    cel_list_at(&args[0], 0, m->arena, &v);
    optional_of(m, n, &v, ret);
}

static void last(struct machine *m, const struct cel_node *n, struct cel_value *args,
                 struct cel_value *ret)
{
    struct cel_value v;
    if (args[0].aux == 0) {
        *ret = cel_of_optional(NULL);
        return;
    }
    cel_list_at(&args[0], args[0].aux - 1, m->arena, &v);
    optional_of(m, n, &v, ret);
}

/* Merges two sorted runs [from, middle) and [middle, to) of a into b. False: no order, or cut. */
static bool merge(struct machine *m, const struct sort_item *a, struct sort_item *b,
                  const uint32_t at[3])
{
    uint32_t i = at[0];
    uint32_t j = at[1];
    for (uint32_t k = at[0]; k < at[2]; k++) {
        bool left = j >= at[2];
        if (!left && i < at[1]) {
            enum cel_order o = values_order(m, &a[i].key, &a[j].key);
            if (o == ORDER_BAD || !charge(m, 1)) {
                return false;
            }
            left = o != ORDER_GREATER;
        }
        b[k] = left ? a[i++] : a[j++];
    }
    return true;
}

/* Bottom-up and stable: no recursion, and a comparison without an order ends it. */
static struct sort_item *sorted(struct machine *m, struct sort_item *items, struct sort_item *room,
                                uint32_t count)
{
    for (uint64_t width = 1; width < count; width *= 2) {
        for (uint64_t from = 0; from < count; from += width * 2) {
            uint64_t middle = from + width < count ? from + width : count;
            uint64_t to = from + width * 2 < count ? from + width * 2 : count;
            const uint32_t at[3] = {(uint32_t)from, (uint32_t)middle, (uint32_t)to};
            if (!merge(m, items, room, at)) {
                return NULL;
            }
        }
        struct sort_item *swap = items;
        items = room;
        room = swap;
    }
    return items;
}

/* Keys of one kind that has an order: a list of 1 and 1u is not sorted. */
static bool keys_have_order(struct machine *m, const struct sort_item *items, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (items[i].key.kind != items[0].key.kind ||
            values_order(m, &items[i].key, &items[i].key) == ORDER_BAD) {
            return false;
        }
    }
    return true;
}

bool list_sort(struct machine *m, const struct cel_node *n, struct sort_item *items, uint32_t count,
               struct cel_value *ret)
{
    struct sort_item *room = machine_alloc(m, count, sizeof *room);
    struct cel_value *out = machine_alloc(m, count, sizeof *out);
    if (room == NULL || out == NULL) {
        fault_set(m, n, ret, "");
        return false;
    }
    if (!keys_have_order(m, items, count)) {
        fault_set(m, n, ret, "list elements must have the same comparable type");
        return false;
    }
    const struct sort_item *result = sorted(m, items, room, count);
    if (result == NULL) {
        fault_set(m, n, ret, "list elements must have the same comparable type");
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        out[i] = result[i].value;
    }
    *ret = cel_of_list(out, count);
    return true;
}

static void sort(struct machine *m, const struct cel_node *n, struct cel_value *args,
                 struct cel_value *ret)
{
    struct sort_item *items = machine_alloc(m, args[0].aux, sizeof *items);
    if (items == NULL) {
        fault_set(m, n, ret, "");
        return;
    }
    for (uint32_t i = 0; i < args[0].aux; i++) {
        cel_list_at(&args[0], i, m->arena, &items[i].key);
        items[i].value = items[i].key;
    }
    (void)list_sort(m, n, items, args[0].aux, ret);
}

const struct cel_function cel_list_functions[] = {
    METHOD("slice", "LAii", "LA", slice),
    METHOD("flatten", "LLA", "LA", flatten),
    METHOD("flatten", "L*i", "L*", flatten),
    METHOD("reverse", "LA", "LA", reverse),
    METHOD("distinct", "LA", "LA", distinct),
    METHOD("first", "LA", "OA", first),
    METHOD("last", "LA", "OA", last),
    METHOD("sort", "Li", "Li", sort),
    METHOD("sort", "Lu", "Lu", sort),
    METHOD("sort", "Ld", "Ld", sort),
    METHOD("sort", "Lb", "Lb", sort),
    METHOD("sort", "Ls", "Ls", sort),
    METHOD("sort", "Ly", "Ly", sort),
    METHOD("sort", "Lt", "Lt", sort),
    METHOD("sort", "LD", "LD", sort),
    FUNCTION("lists.range", "i", "Li", range),
    FUNCTIONS_END,
};
