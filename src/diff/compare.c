#include "diff/compare.h"

#include "diff/members.h"
#include "diff/shown.h"

#include <stdio.h>
#include <stdlib.h>

enum { BEFORE = 0, AFTER, HIDDEN_BEFORE, HIDDEN_AFTER, UNKNOWN, VIEWS };

/* The same place in the two values and in the three that say something about them. */
struct place {
    const struct value *at[VIEWS];
    struct str name;
};

struct comparison {
    struct arena *arena;
    struct diff_changes *changes;
    const struct diff_change *like;
    const struct diff_sides *sides;
    uint32_t parts;
    char path[DIFF_PATH_MAX];
    size_t path_len;
};

static void compare(struct comparison *c, const struct place *p, unsigned depth);

/* --- the path --------------------------------------------------------------------------------------- */

static void path_char(struct comparison *c, char ch)
{
    if (c->path_len < sizeof c->path) {
        c->path[c->path_len++] = ch;
    } else {
        c->changes->over = true;
    }
}

/* A step of a JSON pointer. Source: RFC 6901. */
static void path_step(struct comparison *c, struct str name)
{
    path_char(c, '/');
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '~' || name.ptr[i] == '/') {
            path_char(c, '~');
            path_char(c, name.ptr[i] == '~' ? '0' : '1');
        } else {
            path_char(c, name.ptr[i]);
        }
    }
}

/* --- rows ------------------------------------------------------------------------------------------- */

/* NOLINTNEXTLINE(misc-no-recursion): as deep as DIFF_WALK_MAX */
static bool has_true(const struct value *v, unsigned depth)
{
    bool found = value_bool_or(v, false) || depth == DIFF_WALK_MAX;
    for (uint32_t i = 0; v != NULL && v->type == VALUE_ARRAY && i < v->count && !found; i++) {
        found = has_true(&v->items[i], depth + 1);
    }
    for (uint32_t i = 0; v != NULL && v->type == VALUE_OBJECT && i < v->count && !found; i++) {
        found = has_true(&v->members[i].value, depth + 1);
    }
    return found;
}

static bool has_part(struct comparison *c)
{
    if (!c->like->part) {
        return true;
    }
    if (c->parts == DIFF_PARTS_MAX) {
        c->changes->over = true;
        return false;
    }
    c->parts++;
    return true;
}

static void add_row(struct comparison *c, const struct place *p)
{
    struct diff_leaf leaf = {{c->path, c->path_len}, p->name, p->at[BEFORE], p->at[AFTER]};
    struct diff_change row = *c->like;
    struct shown before = {p->name, p->at[HIDDEN_BEFORE], false};
    struct shown after = {p->name, p->at[HIDDEN_AFTER], false};
    row.facts |= c->sides->judge == NULL ? 0 : c->sides->judge(&leaf);
    if (!has_part(c)) {
        c->changes->facts |= row.facts;
        return;
    }
    if (c->changes->list.count < DIFF_CHANGES_MAX) {
        row.path = arena_str(c->arena, leaf.path);
        row.before = diff_shown(c->arena, leaf.before, &before);
        row.after = diff_shown(c->arena, leaf.after, &after);
        row.sensitive = before.sensitive || after.sensitive;
        row.unknown = has_true(p->at[UNKNOWN], 0);
    }
    if (c->sides->leaves) {
        row.kind = leaf.before == NULL ? DIFF_CREATE : leaf.after == NULL ? DIFF_DELETE : DIFF_UPDATE;
    }
    diff_add(c->arena, c->changes, &row);
}

/* --- sets ------------------------------------------------------------------------------------------- */

static bool is_scalar(const struct value *v)
{
    return v->type != VALUE_OBJECT && v->type != VALUE_ARRAY;
}

static bool is_set(const struct value *list)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (!is_scalar(&list->items[i])) {
            return false;
        }
    }
    return true;
}

/* A strict order, so 1 and 1.0 are two. */
static int scalar_cmp(const struct value *a, const struct value *b)
{
    if (a->type != b->type) {
        return a->type < b->type ? -1 : 1;
    }
    switch (a->type) {
    case VALUE_STRING:
        return str_cmp(a->string, b->string);
    case VALUE_INT:
        return a->integer < b->integer ? -1 : a->integer > b->integer;
    case VALUE_DOUBLE:
        return a->number < b->number ? -1 : a->number > b->number;
    case VALUE_BOOL:
        return (int)a->boolean - (int)b->boolean;
    default:
        return 0;
    }
}

static int by_value(const void *x, const void *y)
{
    const struct value *const *a = x;
    const struct value *const *b = y;
    return scalar_cmp(*a, *b);
}

static const struct value **sorted_items(struct arena *a, const struct value *list)
{
    const struct value **items = arena_array(a, list->count, sizeof *items);
    for (uint32_t i = 0; items != NULL && i < list->count; i++) {
        items[i] = &list->items[i];
    }
    if (items != NULL) {
        qsort(items, list->count, sizeof *items, by_value);
    }
    return items;
}

static bool is_in_order(const struct value *x, const struct value *y)
{
    bool same = x->count == y->count;
    for (uint32_t i = 0; same && i < x->count; i++) {
        same = scalar_cmp(&x->items[i], &y->items[i]) == 0;
    }
    return same;
}

static void compare_sets(struct comparison *c, const struct place *p)
{
    const struct value *x = p->at[BEFORE];
    const struct value *y = p->at[AFTER];
    if (is_in_order(x, y)) {
        return;
    }
    const struct value **before = sorted_items(c->arena, x);
    const struct value **after = sorted_items(c->arena, y);
    uint32_t i = 0;
    uint32_t k = 0;
    bool same = true;
    while (before != NULL && after != NULL && (i < x->count || k < y->count)) {
        int order = i == x->count ? 1 : k == y->count ? -1 : scalar_cmp(before[i], after[k]);
        if (order != 0) {
            struct place item = *p;
            item.at[BEFORE] = order < 0 ? before[i] : NULL;
            item.at[AFTER] = order < 0 ? NULL : after[k];
            add_row(c, &item);
            same = false;
        }
        i += order <= 0 ? 1 : 0;
        k += order >= 0 ? 1 : 0;
    }
    if (same) {
        add_row(c, p);
    }
}

/* --- lists and objects ------------------------------------------------------------------------------ */

static void compare_step(struct comparison *c, const struct place *p, struct str step, unsigned depth)
{
    size_t len = c->path_len;
    path_step(c, step);
    compare(c, p, depth + 1);
    c->path_len = len;
}

static const struct value *item_of(const struct value *v, uint32_t i)
{
    return value_is(v, VALUE_BOOL) ? v : value_item(v, i);
}

static void compare_items(struct comparison *c, const struct place *p, unsigned depth)
{
    uint32_t count = 0;
    for (unsigned v = 0; v < VIEWS; v++) {
        bool list = v != HIDDEN_BEFORE && v != HIDDEN_AFTER && value_is(p->at[v], VALUE_ARRAY);
        count = list && p->at[v]->count > count ? p->at[v]->count : count;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct place item = {.name = p->name};
        char step[16];
        int len = snprintf(step, sizeof step, "%u", i);
        for (unsigned v = 0; v < VIEWS; v++) {
            item.at[v] = item_of(p->at[v], i);
        }
        compare_step(c, &item, (struct str){step, (size_t)len}, depth);
    }
}

static void compare_members(struct comparison *c, struct members walks[static VIEWS], struct str holder, unsigned depth)
{
    struct str name;
    while (members_next(walks, UNKNOWN + 1, &name)) {
        struct place member = {.name = name};
        for (unsigned v = 0; v < VIEWS; v++) {
            member.at[v] = members_take(&walks[v], name);
        }
        /* In {name: DB_PASSWORD, value: x} the name is what says it is a secret. */
        member.name = str_eq(name, STR("value")) && holder.len > 0 ? holder : name;
        compare_step(c, &member, name, depth);
    }
}

static struct str holder_of(const struct place *p)
{
    const struct value *object = p->at[AFTER] != NULL ? p->at[AFTER] : p->at[BEFORE];
    return value_text(value_get(object, STR("name")));
}

static bool compare_named(struct comparison *c, const struct place *p, unsigned depth)
{
    struct members walks[VIEWS] = {{0}};
    if (!c->sides->by_name || !members_of_list(c->arena, p->at[BEFORE], STR("name"), &walks[BEFORE]) ||
        !members_of_list(c->arena, p->at[AFTER], STR("name"), &walks[AFTER])) {
        return false;
    }
    compare_members(c, walks, STR(""), depth);
    return true;
}

static bool both_are(const struct place *p, enum value_type type)
{
    const struct value *x = p->at[BEFORE];
    const struct value *y = p->at[AFTER];
    return (value_is(x, type) || x == NULL) && (value_is(y, type) || y == NULL) && (x != NULL || y != NULL);
}

/* Whether the members of a compound are compared one by one, or it is one row. */
static bool is_walked(const struct comparison *c, const struct place *p, enum value_type type)
{
    bool both = p->at[BEFORE] != NULL && p->at[AFTER] != NULL;
    uint32_t count = (p->at[BEFORE] == NULL ? 0 : p->at[BEFORE]->count) + (p->at[AFTER] == NULL ? 0 : p->at[AFTER]->count);
    return both_are(p, type) && (both || (c->sides->leaves && count > 0));
}

static void compare_lists(struct comparison *c, const struct place *p, unsigned depth)
{
    bool both = p->at[BEFORE] != NULL && p->at[AFTER] != NULL;
    if (both && is_set(p->at[BEFORE]) && is_set(p->at[AFTER]) && !value_is(p->at[UNKNOWN], VALUE_ARRAY) &&
        !value_is(p->at[HIDDEN_BEFORE], VALUE_ARRAY) && !value_is(p->at[HIDDEN_AFTER], VALUE_ARRAY)) {
        compare_sets(c, p);
    } else if (!compare_named(c, p, depth)) {
        compare_items(c, p, depth);
    }
}

static bool is_same(const struct place *p)
{
    const struct value *x = p->at[BEFORE];
    const struct value *y = p->at[AFTER];
    return x == NULL || y == NULL ? x == y : is_scalar(x) && is_scalar(y) && value_eq(x, y);
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as DIFF_WALK_MAX */
static void compare(struct comparison *c, const struct place *p, unsigned depth)
{
    bool unknown = value_bool_or(p->at[UNKNOWN], false);
    if (depth == DIFF_WALK_MAX) {
        c->changes->over = true;
    } else if (unknown) {
        add_row(c, p);
    } else if (is_walked(c, p, VALUE_OBJECT)) {
        struct members walks[VIEWS];
        for (unsigned v = 0; v < VIEWS; v++) {
            walks[v] = members_of(c->arena, p->at[v]);
        }
        compare_members(c, walks, holder_of(p), depth);
    } else if (is_walked(c, p, VALUE_ARRAY)) {
        compare_lists(c, p, depth);
    } else if (!is_same(p) || (p->at[UNKNOWN] != NULL && has_true(p->at[UNKNOWN], 0))) {
        add_row(c, p);
    }
}

void diff_compare(struct arena *a, struct diff_changes *c, const struct diff_change *like, const struct diff_sides *sides)
{
    struct comparison comparison = {.arena = a, .changes = c, .like = like, .sides = sides};
    for (size_t i = 0; i < like->path.len; i++) {
        path_char(&comparison, like->path.ptr[i]);
    }
    struct place root = {.at = {sides->before, sides->after, sides->hidden_before, sides->hidden_after, sides->unknown}};
    compare(&comparison, &root, 0);
}

/* --- the same or not -------------------------------------------------------------------------------- */

static bool same(struct arena *a, const struct value *x, const struct value *y, unsigned depth);

/* NOLINTNEXTLINE(misc-no-recursion): as deep as DIFF_WALK_MAX */
static bool same_members(struct arena *a, const struct value *x, const struct value *y, unsigned depth)
{
    bool in_order = true;
    for (uint32_t i = 0; i < x->count && in_order; i++) {
        in_order = str_eq(x->members[i].name, y->members[i].name);
    }
    struct members sorted = {0};
    if (!in_order) {
        sorted = members_of(a, y);
    }
    for (uint32_t i = 0; i < x->count; i++) {
        const struct member *m = &x->members[i];
        const struct value *other = in_order ? &y->members[i].value : members_get(&sorted, m->name);
        if (!same(a, &m->value, other, depth + 1)) {
            return false;
        }
    }
    return true;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as DIFF_WALK_MAX */
static bool same(struct arena *a, const struct value *x, const struct value *y, unsigned depth)
{
    if (x == NULL || y == NULL || depth == DIFF_WALK_MAX) {
        return x == y;
    }
    if (is_scalar(x) || is_scalar(y)) {
        return is_scalar(x) && is_scalar(y) && value_eq(x, y);
    }
    if (x->type != y->type || x->count != y->count) {
        return false;
    }
    if (x->type == VALUE_OBJECT) {
        return same_members(a, x, y, depth);
    }
    for (uint32_t i = 0; i < x->count; i++) {
        if (!same(a, &x->items[i], &y->items[i], depth + 1)) {
            return false;
        }
    }
    return true;
}

bool diff_same(struct arena *a, const struct value *x, const struct value *y)
{
    return same(a, x, y, 0);
}
