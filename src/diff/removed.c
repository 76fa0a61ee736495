#include "diff/removed.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_LINES = 16 };

bool words_in(const struct words *w, struct str lower_line)
{
    for (uint32_t i = 0; i < w->count; i++) {
        const struct str *word = &w->items[i];
        if (word->len > 0 && lower_line.len >= word->len &&
            memmem(lower_line.ptr, lower_line.len, word->ptr, word->len) != NULL) {
            return true;
        }
    }
    return false;
}

/* Without memory the list stays as it is: arena_rc() tells. */
static void put(struct arena *a, struct str **items, uint32_t *count, uint32_t *room)
{
    if (*count < *room) {
        return;
    }
    uint32_t wanted = *room == 0 ? FIRST_LINES : *room * 2;
    struct str *grown = arena_array(a, wanted, sizeof *grown);
    if (grown == NULL) {
        return;
    }
    if (*count > 0) {
        memcpy(grown, *items, *count * sizeof *grown);
    }
    *items = grown;
    *room = wanted;
}

void removed_put(struct arena *a, struct removed_lines *r, struct str line, bool added)
{
    struct str **items = added ? &r->added : &r->removed;
    uint32_t *count = added ? &r->added_count : &r->removed_count;
    uint32_t *room = added ? &r->added_room : &r->removed_room;
    put(a, items, count, room);
    if (*count < *room) {
        (*items)[(*count)++] = str_trim(line);
    }
}

static int by_text(const void *x, const void *y)
{
    const struct str *a = x;
    const struct str *b = y;
    return str_cmp(*a, *b);
}

bool removed_any(struct removed_lines *r)
{
    if (r->removed_count > 0) {
        qsort(r->removed, r->removed_count, sizeof *r->removed, by_text);
    }
    if (r->added_count > 0) {
        qsort(r->added, r->added_count, sizeof *r->added, by_text);
    }
    uint32_t k = 0;
    for (uint32_t i = 0; i < r->removed_count; i++) {
        while (k < r->added_count && str_cmp(r->added[k], r->removed[i]) < 0) {
            k++;
        }
        if (k == r->added_count || !str_eq(r->added[k], r->removed[i])) {
            return true;
        }
        k++;
    }
    return false;
}
