/*
 * doors/hook_surface - pawl's own files, which no agent touches through its host.
 *
 * For commands this is a look at their words after quotes and backslashes are gone: it stops accidents and
 * plain attempts. What a shell can compute it can't foresee; the catalogue decides about shells.
 */
#include "doors/hook.h"

#include "doors/state.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- paths ---------------------------------------------------------------------------------------- */

/* Absolute and without "." and "..", by text alone. */
static struct str flatten(struct arena *a, struct str cwd, struct str path)
{
    const char *home = getenv("HOME");
    bool from_home = str_starts(path, STR("~/")) && home != NULL;
    struct str whole = path.len > 0 && path.ptr[0] == '/' ? path
                       : from_home ? arena_printf(a, "%s%.*s", home, STR_ARG(str_slice(path, 1, path.len)))
                                   : arena_printf(a, "%.*s/%.*s", STR_ARG(cwd), STR_ARG(path));
    char *out = arena_alloc(a, whole.len + 2);
    if (out == NULL) {
        return STR("");
    }
    size_t len = 0;
    struct str step;
    while (str_next(&whole, '/', &step)) {
        if (str_eq(step, STR(".."))) {
            while (len > 0 && out[--len] != '/') {
            }
        } else if (step.len > 0 && !str_eq(step, STR("."))) {
            out[len++] = '/';
            memcpy(out + len, step.ptr, step.len);
            len += step.len;
        }
    }
    if (len == 0) {
        out[len++] = '/';
    }
    return (struct str){out, len};
}

/* With links resolved: of the whole path, or of the longest part of it that exists. */
static struct str resolve(struct arena *a, struct str flat)
{
    char part[PATH_MAX];
    char real[PATH_MAX];
    for (size_t len = flat.len; len > 0; len--) {
        bool boundary = len == flat.len || flat.ptr[len] == '/';
        if (boundary && str_to_c(str_slice(flat, 0, len), part, sizeof part) && realpath(part, real) != NULL) {
            return arena_printf(a, "%s%.*s", real, STR_ARG(str_slice(flat, len, flat.len)));
        }
    }
    return flat;
}

static bool is_inside(struct str path, struct str folder)
{
    return folder.len > 0 && str_starts(path, folder) &&
           (path.len == folder.len || path.ptr[folder.len] == '/');
}

static void add_flat(struct surface *s, struct str path)
{
    for (unsigned i = 0; i < s->count; i++) {
        if (str_eq(s->paths[i], path)) {
            return;
        }
    }
    if (s->count < SURFACE_PATHS_MAX && path.len > 1) {
        s->paths[s->count++] = path;
    }
}

void surface_add(struct arena *a, struct surface *s, struct str cwd, const char *path)
{
    if (path == NULL || path[0] == '\0') {
        return;
    }
    struct str flat = flatten(a, cwd, str_from(path));
    add_flat(s, flat);
    add_flat(s, resolve(a, flat)); /* a link is ours by either name */
}

void surface_of(struct arena *a, const struct hook_options *o, struct str cwd, struct surface *ret)
{
    char path[FILE_PATH_MAX];
    *ret = (struct surface){0};
    surface_add(a, ret, cwd, "/proc/self/exe");
    surface_add(a, ret, cwd, o->config != NULL ? o->config : getenv("PAWL_CONFIG"));
    surface_add(a, ret, cwd, o->data);
    client_token_path(&o->client, path);
    surface_add(a, ret, cwd, path);
    if (state_folder("", path, NULL) == RC_OK) {
        surface_add(a, ret, cwd, path);
    }
    surface_add(a, ret, cwd, o->settings);
    surface_add(a, ret, cwd, "~/.claude/settings.json");
    surface_add(a, ret, cwd, ".claude/settings.json");
    surface_add(a, ret, cwd, ".claude/settings.local.json");
}

/* --- calls ---------------------------------------------------------------------------------------- */

static bool path_touches(struct arena *a, const struct surface *s, struct str cwd, struct str text,
                         struct str *ret_path)
{
    if (text.len == 0 || text.len >= PATH_MAX || memchr(text.ptr, '\0', text.len) != NULL) {
        return false;
    }
    struct str uri = STR("file://");
    text = str_starts(text, uri) ? str_slice(text, uri.len, text.len) : text;
    struct str flat = flatten(a, cwd, text);
    struct str real = resolve(a, flat);
    for (unsigned i = 0; i < s->count; i++) {
        if (is_inside(flat, s->paths[i]) || is_inside(real, s->paths[i])) {
            *ret_path = s->paths[i];
            return true;
        }
    }
    return false;
}

static bool ends_word(char c)
{
    return strchr(" \t\r\n;|&<>()`$={}[]!*?,:", c) != NULL;
}

/* The command without what a shell takes away from words. */
static struct str unquoted(struct arena *a, struct str command)
{
    char *out = arena_alloc(a, command.len + 1);
    size_t len = 0;
    for (size_t i = 0; out != NULL && i < command.len; i++) {
        char c = command.ptr[i];
        if (c != '\'' && c != '"' && c != '\\') {
            out[len++] = c;
        }
    }
    return (struct str){out, len};
}

static bool contains(struct str text, struct str part)
{
    return part.len > 0 && text.len >= part.len && memmem(text.ptr, text.len, part.ptr, part.len) != NULL;
}

/* A word that is the program by name, or a path into the surface. */
static bool word_touches(struct arena *a, const struct surface *s, struct str cwd, struct str word,
                         struct str *ret_path)
{
    if (str_eq(word, STR("pawl")) || str_ends(word, STR("/pawl"))) {
        *ret_path = STR("pawl");
        return true;
    }
    return word.len > 0 && path_touches(a, s, cwd, word, ret_path);
}

static bool command_touches(struct arena *a, const struct surface *s, struct str cwd, struct str command,
                            struct str *ret_path)
{
    static const char *const telltale[] = {"PAWL_", ".claude/settings"};
    struct str text = unquoted(a, command);
    for (size_t i = 0; i < sizeof telltale / sizeof *telltale; i++) {
        if (contains(text, str_from(telltale[i]))) {
            *ret_path = str_from(telltale[i]);
            return true;
        }
    }
    for (unsigned i = 0; i < s->count; i++) {
        if (contains(text, s->paths[i])) {
            *ret_path = s->paths[i];
            return true;
        }
    }
    size_t from = 0;
    for (size_t i = 0; i <= text.len; i++) {
        if (i == text.len || ends_word(text.ptr[i])) {
            if (word_touches(a, s, cwd, str_slice(text, from, i), ret_path)) {
                return true;
            }
            from = i + 1;
        }
    }
    return false;
}

static bool value_touches(struct arena *a, const struct surface *s, struct str cwd, const struct value *v,
                          struct str *ret_path)
{
    if (v->type == VALUE_STRING) {
        return path_touches(a, s, cwd, v->string, ret_path);
    }
    bool nested = v->type == VALUE_ARRAY || v->type == VALUE_OBJECT;
    for (uint32_t i = 0; nested && i < v->count; i++) {
        const struct value *part = v->type == VALUE_ARRAY ? &v->items[i] : &v->members[i].value;
        if (value_touches(a, s, cwd, part, ret_path)) {
            return true;
        }
    }
    return false;
}

bool surface_touched(struct arena *a, const struct surface *s, const struct hook_call *call, struct str *ret_path)
{
    *ret_path = STR("");
    const struct value *command = value_get(call->input, STR("command"));
    if (value_is(command, VALUE_STRING) && command_touches(a, s, call->cwd, command->string, ret_path)) {
        return true;
    }
    return value_touches(a, s, call->cwd, call->input, ret_path);
}
