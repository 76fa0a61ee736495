#include "diff/names.h"

#include <string.h>

enum { FIRST_NAMES = 64 };

struct collector {
    struct arena *arena;
    struct diff_names *out;
    uint32_t capacity;
    char path[DIFF_NAME_LEN_MAX]; /* of the member that is looked at */
};

static bool has_room(struct collector *c)
{
    if (c->out->count < c->capacity) {
        return true;
    }
    uint32_t capacity = c->capacity == 0 ? FIRST_NAMES : c->capacity * 2;
    struct str *grown = capacity > DIFF_NAMES_MAX ? NULL : arena_array(c->arena, capacity, sizeof *grown);
    if (grown == NULL) {
        c->out->over = true;
        return false;
    }
    if (c->out->count > 0) {
        memcpy(grown, c->out->items, c->out->count * sizeof *grown);
    }
    c->out->items = grown;
    c->capacity = capacity;
    return true;
}

static void add(struct collector *c, struct str name)
{
    name = str_trim(name);
    if (name.len > 0 && !c->out->over && has_room(c)) {
        c->out->items[c->out->count++] = name;
    }
}

/* --- texts ------------------------------------------------------------------------------------------ */

/* The file that a header line of a unified diff names; git's first letter and diff's date go. */
static struct str file_of(struct str rest)
{
    rest = str_slice(rest, 0, str_find(rest, '\t'));
    bool lettered = str_starts(rest, STR("a/")) || str_starts(rest, STR("b/"));
    rest = lettered ? str_slice(rest, 2, rest.len) : rest;
    return str_eq(rest, STR("/dev/null")) ? STR("") : rest;
}

/* True when the line is one of those that name a file. */
static bool add_header(struct collector *c, struct str line)
{
    static const char *const heads[] = {"--- ", "+++ ", "rename from ", "rename to ", "copy from ", "copy to ", "Index: "};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        struct str head = str_from(heads[i]);
        if (str_starts(line, head)) {
            add(c, file_of(str_slice(line, head.len, line.len)));
            return true;
        }
    }
    if (!str_starts(line, STR("diff "))) {
        return false;
    }
    /* "diff --git a/x b/x": a mode or a binary file that changed has no other line */
    struct str rest = line;
    struct str word;
    while (str_next(&rest, ' ', &word)) {
        add(c, file_of(word));
    }
    return true;
}

static void add_text(struct collector *c, struct str text)
{
    struct str rest = text;
    struct str line;
    bool unified = false;
    while (str_next(&rest, '\n', &line)) {
        unified = add_header(c, line) || unified;
    }
    rest = text;
    while (!unified && str_next(&rest, '\n', &line)) {
        add(c, line);
    }
}

/* --- values ----------------------------------------------------------------------------------------- */

static void walk(struct collector *c, const struct value *v, size_t path_len, unsigned depth);

static void add_member(struct collector *c, const struct member *m, size_t path_len, unsigned depth)
{
    size_t dot = path_len > 0 ? 1 : 0;
    size_t len = path_len + dot + m->name.len;
    if (len > sizeof c->path) {
        c->out->over = true;
        return;
    }
    memcpy(c->path + path_len, ".", dot);
    memcpy(c->path + path_len + dot, m->name.ptr == NULL ? "" : m->name.ptr, m->name.len);
    struct str path = arena_str(c->arena, (struct str){c->path, len});
    c->out->over = c->out->over || arena_rc(c->arena) != RC_OK;
    add(c, path);
    walk(c, &m->value, len, depth);
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as DIFF_DEPTH_MAX */
static void walk(struct collector *c, const struct value *v, size_t path_len, unsigned depth)
{
    if (depth == DIFF_DEPTH_MAX) {
        c->out->over = true;
        return;
    }
    /* Behind the limit nothing more is learned, and a list of millions is not worth the time. */
    for (uint32_t i = 0; v->type == VALUE_OBJECT && i < v->count && !c->out->over; i++) {
        add_member(c, &v->members[i], path_len, depth + 1);
    }
    for (uint32_t i = 0; v->type == VALUE_ARRAY && i < v->count && !c->out->over; i++) {
        walk(c, &v->items[i], path_len, depth + 1);
    }
    if (v->type == VALUE_STRING) {
        add_text(c, value_text(v));
    }
}

struct diff_names diff_names(struct arena *a, const struct value *v)
{
    struct diff_names names = {NULL, 0, false};
    if (v == NULL) {
        return names;
    }
    struct collector c = {.arena = a, .out = &names};
    walk(&c, v, 0, 0);
    return names;
}
