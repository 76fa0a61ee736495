#include "diff/members.h"

#include <stdlib.h>

static int by_name(const void *x, const void *y)
{
    const struct named *a = x;
    const struct named *b = y;
    return str_cmp(a->name, b->name);
}

/* Writers mostly sort already. */
static void sort(struct members *m)
{
    bool sorted = true;
    for (uint32_t i = 1; i < m->count && sorted; i++) {
        sorted = str_cmp(m->items[i - 1].name, m->items[i].name) <= 0;
    }
    if (!sorted) {
        qsort(m->items, m->count, sizeof *m->items, by_name);
    }
}

struct members members_of(struct arena *a, const struct value *v)
{
    struct members m = {.all = value_is(v, VALUE_BOOL) ? v : NULL};
    if (!value_is(v, VALUE_OBJECT) || v->count == 0) {
        return m;
    }
    m.items = arena_array(a, v->count, sizeof *m.items);
    m.count = m.items == NULL ? 0 : v->count;
    for (uint32_t i = 0; i < m.count; i++) {
        m.items[i] = (struct named){v->members[i].name, &v->members[i].value};
    }
    sort(&m);
    return m;
}

bool members_of_list(struct arena *a, const struct value *list, struct str key, struct members *ret)
{
    struct members m = {0};
    if (!value_is(list, VALUE_ARRAY) || list->count == 0) {
        *ret = m;
        return list == NULL || list->type == VALUE_ARRAY;
    }
    m.items = arena_array(a, list->count, sizeof *m.items);
    m.count = m.items == NULL ? 0 : list->count;
    for (uint32_t i = 0; i < m.count; i++) {
        m.items[i] = (struct named){value_text(value_get(&list->items[i], key)), &list->items[i]};
    }
    sort(&m);
    for (uint32_t i = 0; i < m.count; i++) {
        if (m.items[i].name.len == 0 || (i > 0 && str_eq(m.items[i - 1].name, m.items[i].name))) {
            return false;
        }
    }
    *ret = m;
    return true;
}

bool members_next(const struct members *walks, unsigned count, struct str *ret)
{
    bool found = false;
    for (unsigned i = 0; i < count; i++) {
        const struct members *m = &walks[i];
        if (m->at < m->count && (!found || str_cmp(m->items[m->at].name, *ret) < 0)) {
            *ret = m->items[m->at].name;
            found = true;
        }
    }
    return found;
}

const struct value *members_take(struct members *m, struct str name)
{
    while (m->at < m->count && str_cmp(m->items[m->at].name, name) < 0) {
        m->at++;
    }
    bool here = m->at < m->count && str_eq(m->items[m->at].name, name);
    return here ? m->items[m->at++].value : m->all;
}

const struct value *members_get(const struct members *m, struct str name)
{
    uint32_t from = 0;
    uint32_t to = m->count;
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        int order = str_cmp(m->items[middle].name, name);
        if (order == 0) {
            return m->items[middle].value;
        }
        from = order < 0 ? middle + 1 : from;
        to = order < 0 ? to : middle;
    }
    return m->all;
}
