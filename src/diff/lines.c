#include "diff/lines.h"

#include "base/must.h"
#include "diff/shown.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_LINES = 64 };

struct walk {
    struct arena *arena;
    struct diff_changes *changes;
    line_judge judge;
};

/* Lines of one section and key, of one side. */
struct run {
    struct config_line *items;
    uint32_t count;
};

void config_lines_put(struct arena *a, struct config_lines *l, struct config_line line)
{
    if (l->count == l->room) {
        uint32_t room = l->room == 0 ? FIRST_LINES : l->room * 2;
        struct config_line *grown = arena_array(a, room, sizeof *grown);
        if (grown == NULL) {
            return;
        }
        if (l->count > 0) {
            memcpy(grown, l->items, l->count * sizeof *grown);
        }
        l->items = grown;
        l->room = room;
    }
    line.at = l->count;
    l->items[l->count++] = line;
}

/* --- order ------------------------------------------------------------------------------------------ */

static int key_cmp(const struct config_line *a, const struct config_line *b)
{
    int order = str_cmp(a->section, b->section);
    return order != 0 ? order : str_cmp(a->key, b->key);
}

static int by_text(const void *x, const void *y)
{
    const struct config_line *a = x;
    const struct config_line *b = y;
    int order = key_cmp(a, b);
    order = order != 0 ? order : str_cmp(a->text, b->text);
    return order != 0 ? order : (a->at > b->at) - (a->at < b->at);
}

static int by_place(const void *x, const void *y)
{
    const struct config_line *a = x;
    const struct config_line *b = y;
    int order = str_cmp(a->section, b->section);
    return order != 0 ? order : (a->at > b->at) - (a->at < b->at);
}

static void sort(struct config_lines *l, int (*order)(const void *, const void *))
{
    if (l->count > 0) {
        qsort(l->items, l->count, sizeof *l->items, order);
    }
}

/* --- rows ------------------------------------------------------------------------------------------- */

static void add(struct walk *w, const struct config_line *before, const struct config_line *after)
{
    static const struct config_line none = {.at = 0};
    const struct config_line *either = after != NULL ? after : before;
    must(either != NULL);
    struct shown old = {.name = STR("")};
    struct shown fresh = {.name = STR("")};
    struct value x = before == NULL || before->key.len == 0 ? value_null() : value_string(before->text);
    struct value y = after == NULL || after->key.len == 0 ? value_null() : value_string(after->text);
    struct diff_change row = {.kind = before == NULL ? DIFF_CREATE : after == NULL ? DIFF_DELETE : DIFF_UPDATE,
                              .resource = either->section,
                              .path = either->key,
                              .before = diff_shown(w->arena, &x, &old),
                              .after = diff_shown(w->arena, &y, &fresh),
                              .facts = w->judge(before == NULL ? &none : before, after == NULL ? &none : after),
                              .surfaces = SURFACE_CONFIG,
                              .sensitive = old.sensitive || fresh.sensitive};
    diff_add(w->arena, w->changes, &row);
}

/* Lines that both have cancel out; one left on each side is one that changed. */
static void compare_runs(struct walk *w, struct run before, struct run after)
{
    const struct config_line *gone = NULL;
    const struct config_line *came = NULL;
    uint32_t gone_count = 0;
    uint32_t came_count = 0;
    for (int pass = 0; pass < 2; pass++) {
        bool paired = pass == 1 && gone_count == 1 && came_count == 1;
        uint32_t i = 0;
        uint32_t k = 0;
        while (!paired && (i < before.count || k < after.count)) {
            int order = i == before.count  ? 1
                        : k == after.count ? -1
                                           : str_cmp(before.items[i].text, after.items[k].text);
            if (order < 0) {
                gone = &before.items[i];
                gone_count++;
            } else if (order > 0) {
                came = &after.items[k];
                came_count++;
            }
            if (pass == 1 && order != 0) {
                add(w, order < 0 ? gone : NULL, order < 0 ? NULL : came);
            }
            if (order == 0) {
                before.items[i].kept = true;
                after.items[k].kept = true;
            }
            i += order <= 0 ? 1 : 0;
            k += order >= 0 ? 1 : 0;
        }
        if (paired) {
            add(w, gone, came);
        }
    }
}

static struct run take_run(const struct config_lines *l, uint32_t *at, const struct config_line *like)
{
    if (l->items == NULL) {
        return (struct run){NULL, 0};
    }
    struct run r = {l->items + *at, 0};
    while (*at < l->count && key_cmp(&l->items[*at], like) == 0) {
        (*at)++;
        r.count++;
    }
    return r;
}

static struct run take_section(const struct config_lines *l, uint32_t *at, struct str section)
{
    if (l->items == NULL) {
        return (struct run){NULL, 0};
    }
    struct run r = {l->items + *at, 0};
    while (*at < l->count && str_eq(l->items[*at].section, section)) {
        (*at)++;
        r.count++;
    }
    return r;
}

/* The next line that both sides have, or null. */
static const struct config_line *next_kept(const struct run *r, uint32_t *at)
{
    while (*at < r->count && !r->items[*at].kept) {
        (*at)++;
    }
    return *at < r->count ? &r->items[(*at)++] : NULL;
}

/* The lines that both have stand in another order. */
static void compare_order(struct walk *w, const struct run *before, const struct run *after)
{
    uint32_t i = 0;
    uint32_t k = 0;
    const struct config_line *x = next_kept(before, &i);
    const struct config_line *y = next_kept(after, &k);
    while (x != NULL && y != NULL && str_eq(x->text, y->text)) {
        x = next_kept(before, &i);
        y = next_kept(after, &k);
    }
    if (x != NULL || y != NULL) {
        struct diff_change row = {.kind = DIFF_UPDATE,
                                  .resource = before->items[0].section,
                                  .path = STR("(order)"),
                                  .before = value_null(),
                                  .after = value_null(),
                                  .surfaces = SURFACE_CONFIG};
        diff_add(w->arena, w->changes, &row);
    }
}

static void compare_orders(struct walk *w, struct config_lines sides[static 2])
{
    uint32_t i = 0;
    uint32_t k = 0;
    sort(&sides[0], by_place);
    sort(&sides[1], by_place);
    while (i < sides[0].count && k < sides[1].count) {
        int order = str_cmp(sides[0].items[i].section, sides[1].items[k].section);
        struct str section = order <= 0 ? sides[0].items[i].section : sides[1].items[k].section;
        struct run old = take_section(&sides[0], &i, section);
        struct run fresh = take_section(&sides[1], &k, section);
        if (order == 0) {
            compare_order(w, &old, &fresh);
        }
    }
}

void config_lines_compare(struct arena *a, struct diff_changes *c, struct config_lines sides[static 2], line_judge judge)
{
    struct walk w = {a, c, judge};
    uint32_t i = 0;
    uint32_t k = 0;
    sort(&sides[0], by_text);
    sort(&sides[1], by_text);
    while (i < sides[0].count || k < sides[1].count) {
        const struct config_line *before = i < sides[0].count ? &sides[0].items[i] : NULL;
        const struct config_line *after = k < sides[1].count ? &sides[1].items[k] : NULL;
        const struct config_line *first = before == NULL ? after : after == NULL || key_cmp(before, after) <= 0 ? before : after;
        must(first != NULL);
        struct config_line like = *first;
        struct run old = take_run(&sides[0], &i, &like);
        struct run fresh = take_run(&sides[1], &k, &like);
        compare_runs(&w, old, fresh);
    }
    compare_orders(&w, sides);
}
