/* The strings extension: where something stands in a string, and parts by position. */
#include "cel/strings.h"

#include "value/utf8.h"

#include <string.h>

size_t string_offset(struct str s, int64_t index)
{
    size_t at = 0;
    for (int64_t i = 0; i < index; i++) {
        if (at >= s.len) {
            return SIZE_MAX;
        }
        size_t len = utf8_len(s.ptr + at, s.ptr + s.len);
        at += len > 0 ? len : 1;
    }
    return index < 0 ? SIZE_MAX : at;
}

static void bad_index(struct machine *m, const struct cel_node *n, int64_t index,
                      struct cel_value *ret)
{
    fault_format(m, n, ret, "index out of range: %lld", (long long)index);
}

bool string_charge(struct machine *m, const struct cel_node *n, size_t bytes, struct cel_value *ret)
{
    if (!charge(m, 1 + steps_of(bytes))) {
        fault_set(m, n, ret, "");
        return false;
    }
    return true;
}

static void char_at(struct machine *m, const struct cel_node *n, struct cel_value *args,
                    struct cel_value *ret)
{
    struct str s = cel_text(&args[0]);
    if (!string_charge(m, n, s.len, ret)) {
        return;
    }
    size_t from = string_offset(s, args[1].integer);
    if (from == SIZE_MAX) {
        bad_index(m, n, args[1].integer, ret);
        return;
    }
    size_t to = from + string_offset(str_slice(s, from, s.len), from < s.len);
    *ret = cel_of_str(str_slice(s, from, to));
}

const char *string_find(struct str s, struct str what)
{
    return what.len == 0      ? s.ptr
           : what.len > s.len ? NULL
                              : memmem(s.ptr, s.len, what.ptr, what.len);
}

static void index_of(struct machine *m, const struct cel_node *n, struct cel_value *args,
                     struct cel_value *ret)
{
    struct str s = cel_text(&args[0]);
    struct str what = cel_text(&args[1]);
    int64_t start = n->count == 3 ? args[2].integer : 0;
    if (!string_charge(m, n, s.len * 2 + what.len, ret)) {
        return;
    }
    size_t from = string_offset(s, start);
    if (from == SIZE_MAX) {
        bad_index(m, n, start, ret);
        return;
    }
    if (what.len == 0) {
        *ret = cel_of_int(start);
        return;
    }
    const char *found = string_find(str_slice(s, from, s.len), what);
    if (found == NULL) {
        *ret = cel_of_int(-1);
        return;
    }
    *ret = cel_of_int((int64_t)utf8_count((struct str){s.ptr, (size_t)(found - s.ptr)}));
}

/* The last place at or before `last` where what stands; SIZE_MAX: nowhere. Places may overlap, and
 * each costs a comparison. */
static size_t find_last(struct machine *m, struct str s, struct str what, size_t last)
{
    size_t found = SIZE_MAX;
    size_t at = 0;
    while (at <= last && what.len <= s.len - at && charge(m, 1 + steps_of(what.len))) {
        const char *next = string_find(str_slice(s, at, s.len), what);
        if (next == NULL || (size_t)(next - s.ptr) > last) {
            break;
        }
        found = (size_t)(next - s.ptr);
        at = found + 1;
    }
    return found;
}

static void last_index_of(struct machine *m, const struct cel_node *n, struct cel_value *args,
                          struct cel_value *ret)
{
    struct str s = cel_text(&args[0]);
    struct str what = cel_text(&args[1]);
    if (!string_charge(m, n, s.len * 2, ret)) {
        return;
    }
    int64_t count = (int64_t)utf8_count(s);
    int64_t start = n->count == 3 ? args[2].integer : count;
    size_t last = string_offset(s, start);
    if (last == SIZE_MAX) {
        bad_index(m, n, start, ret);
        return;
    }
    if (what.len == 0) {
        *ret = cel_of_int(start);
        return;
    }
    size_t found = find_last(m, s, what, last);
    *ret = cel_of_int(found == SIZE_MAX ? -1 : (int64_t)utf8_count(str_slice(s, 0, found)));
}

static void substring(struct machine *m, const struct cel_node *n, struct cel_value *args,
                      struct cel_value *ret)
{
    struct str s = cel_text(&args[0]);
    if (!string_charge(m, n, s.len, ret)) {
        return;
    }
    size_t from = string_offset(s, args[1].integer);
    if (from == SIZE_MAX) {
        bad_index(m, n, args[1].integer, ret);
        return;
    }
    size_t to = s.len;
    if (n->count == 3) {
        to = string_offset(s, args[2].integer);
        if (to == SIZE_MAX) {
            bad_index(m, n, args[2].integer, ret);
            return;
        }
    }
    if (to < from) {
        fault_format(m, n, ret, "invalid substring range. start: %lld, end: %lld",
                     (long long)args[1].integer, (long long)args[2].integer);
        return;
    }
    *ret = cel_of_str(str_slice(s, from, to));
}

const struct cel_function cel_search_functions[] = {
    METHOD("charAt", "si", "s", char_at),
    METHOD("indexOf", "ss", "i", index_of),
    METHOD("indexOf", "ssi", "i", index_of),
    METHOD("lastIndexOf", "ss", "i", last_index_of),
    METHOD("lastIndexOf", "ssi", "i", last_index_of),
    METHOD("substring", "si", "s", substring),
    METHOD("substring", "sii", "s", substring),
    FUNCTIONS_END,
};
