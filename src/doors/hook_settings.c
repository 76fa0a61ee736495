/*
 * doors/hook_settings - the lines in the host's settings that make it call us.
 */
#include "doors/hook.h"

#include "value/json.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HOOK_SECONDS = 30, SETTINGS_MAX = 4 << 20 };

static const char *const events[] = {"PreToolUse", "PostToolUse", "PostToolUseFailure"};

/* The object with one member put in the place of an older one, or at its end. */
static struct value with_member(struct arena *a, const struct value *object, struct str name, struct value v)
{
    struct value out = value_object();
    bool done = false;
    for (uint32_t i = 0; value_is(object, VALUE_OBJECT) && i < object->count; i++) {
        bool same = str_eq(object->members[i].name, name);
        value_add(a, &out, object->members[i].name, same ? v : object->members[i].value);
        done = done || same;
    }
    if (!done) {
        value_add(a, &out, name, v);
    }
    return out;
}

static void push_option(struct arena *a, struct value *args, const char *name, const char *text)
{
    if (text != NULL) {
        value_push(a, args, value_string(str_from(name)));
        value_push(a, args, value_string(str_from(text)));
    }
}

/* `args` makes the host start us without a shell; onFailure makes our absence a block. */
static struct value our_entry(struct arena *a, const struct hook_options *o, const char *program)
{
    struct value args = value_array();
    value_push(a, &args, value_string(STR("hook")));
    value_push(a, &args, value_string(STR("claude-code")));
    push_option(a, &args, "--agent", o->agent);
    push_option(a, &args, "--config", o->config);
    push_option(a, &args, "--data", o->data);
    push_option(a, &args, "--model", o->model);
    push_option(a, &args, "--prompt-version", o->prompt_version);
    push_option(a, &args, "--settings", o->settings);
    push_option(a, &args, "--token-file", o->client.token_file);
    push_option(a, &args, "--url", o->client.url);
    if (o->headless) {
        value_push(a, &args, value_string(STR("--headless")));
    }
    struct value hook = value_object();
    value_add_str(a, &hook, STR("type"), STR("command"));
    value_add_str(a, &hook, STR("command"), str_from(program));
    value_add(a, &hook, STR("args"), args);
    value_add_int(a, &hook, STR("timeout"), HOOK_SECONDS);
    value_add_str(a, &hook, STR("onFailure"), STR("block"));
    struct value hooks = value_array();
    value_push(a, &hooks, hook);
    struct value entry = value_object();
    value_add_str(a, &entry, STR("matcher"), STR("*"));
    value_add(a, &entry, STR("hooks"), hooks);
    return entry;
}

/* An entry that calls `pawl hook`, whatever its options were: it is replaced by the new one. */
static bool is_ours(const struct value *entry)
{
    const struct value *hooks = value_get(entry, STR("hooks"));
    if (!value_is(hooks, VALUE_ARRAY) || hooks->count != 1) {
        return false;
    }
    struct str command = value_text(value_get(&hooks->items[0], STR("command")));
    const struct value *args = value_get(&hooks->items[0], STR("args"));
    bool ours = str_eq(command, STR("pawl")) || str_ends(command, STR("/pawl"));
    return ours && value_is(args, VALUE_ARRAY) && args->count > 0 &&
           str_eq(value_text(&args->items[0]), STR("hook"));
}

enum rc hook_settings_merge(struct arena *a, const struct value *old, const struct hook_options *o,
                            const char *program, struct value *ret, struct err *e)
{
    const struct value *hooks = value_get(old, STR("hooks"));
    if (old->type != VALUE_OBJECT || (hooks != NULL && hooks->type != VALUE_OBJECT)) {
        return err_at(e, RC_INVALID, STR("/hooks"), "the settings are no object with an object of hooks");
    }
    struct value entry = our_entry(a, o, program);
    struct value merged = hooks == NULL ? value_object() : *hooks;
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        struct str event = str_from(events[i]);
        const struct value *there = value_get(&merged, event);
        struct value list = value_array();
        if (there != NULL && there->type != VALUE_ARRAY) {
            return err_at(e, RC_INVALID, STR("/hooks"), "%s is no list", events[i]);
        }
        for (uint32_t k = 0; there != NULL && k < there->count; k++) {
            if (!is_ours(&there->items[k])) {
                value_push(a, &list, there->items[k]);
            }
        }
        value_push(a, &list, entry);
        merged = with_member(a, &merged, event, list);
    }
    *ret = with_member(a, old, STR("hooks"), merged);
    return arena_rc(a) == RC_OK ? RC_OK : err_set(e, arena_rc(a), "the settings are too large");
}

/* --- the file ------------------------------------------------------------------------------------- */

static enum rc settings_path(const struct hook_options *o, char out[static FILE_PATH_MAX], struct err *e)
{
    const char *home = getenv("HOME");
    if (o->settings == NULL && home == NULL) {
        return err_set(e, RC_NOT_FOUND, "HOME is not set: say --settings FILE");
    }
    int n = o->settings != NULL ? snprintf(out, FILE_PATH_MAX, "%s", o->settings)
                                : snprintf(out, FILE_PATH_MAX, "%s/.claude/settings.json", home);
    if (n < 0 || n >= FILE_PATH_MAX) {
        return err_set(e, RC_LIMIT, "the settings file's name is too long");
    }
    if (o->settings == NULL) {
        char folder[FILE_PATH_MAX];
        snprintf(folder, sizeof folder, "%.4000s/.claude", home);
        if (mkdir(folder, 0700) != 0 && errno != EEXIST) {
            return err_set(e, RC_UNAVAILABLE, "%.300s: %s", folder, strerror(errno));
        }
    }
    return RC_OK;
}

static enum rc read_settings(struct arena *a, const char *path, struct value *ret, mode_t *ret_mode, struct err *e)
{
    struct stat st;
    *ret = value_object();
    *ret_mode = 0600;
    if (stat(path, &st) != 0) {
        return errno == ENOENT ? RC_OK : err_set(e, RC_UNAVAILABLE, "%s: %s", path, strerror(errno));
    }
    *ret_mode = st.st_mode & 0777;
    struct buf text;
    buf_init(&text, SETTINGS_MAX);
    enum rc rc = file_read(path, &text, e);
    struct str copy = rc == RC_OK ? arena_str(a, str_trim(buf_view(&text))) : STR("");
    buf_done(&text);
    if (rc == RC_OK && copy.len > 0) {
        rc = json_parse(a, copy, ret, e);
        rc = rc == RC_OK ? rc : err_wrap(e, rc, "%s is left as it is", path);
    }
    return rc;
}

enum rc hook_install(const struct hook_options *o, bool print, struct err *e)
{
    char path[FILE_PATH_MAX];
    char program[PATH_MAX];
    struct value old = value_object();
    struct value merged;
    mode_t mode = 0600;
    CLEANUP(arena) struct arena *a = arena_new(8 * SETTINGS_MAX);
    if (a == NULL) {
        return err_set(e, RC_NO_MEMORY, "out of memory");
    }
    if (realpath("/proc/self/exe", program) == NULL) {
        return err_set(e, RC_UNAVAILABLE, "our own path: %s", strerror(errno));
    }
    enum rc rc = print ? RC_OK : settings_path(o, path, e);
    rc = rc == RC_OK && !print ? read_settings(a, path, &old, &mode, e) : rc;
    rc = rc == RC_OK ? hook_settings_merge(a, &old, o, program, &merged, e) : rc;
    if (rc != RC_OK) {
        return rc;
    }
    struct buf text;
    buf_init(&text, SETTINGS_MAX * 2);
    json_write_pretty(&text, &merged);
    if (text.len > 0 && text.data[text.len - 1] != '\n') {
        buf_char(&text, '\n');
    }
    if (text.rc != RC_OK) {
        rc = err_set(e, text.rc, "the settings are too large");
    } else if (print) {
        fwrite(text.data, 1, text.len, stdout);
    } else {
        rc = file_write_atomic(path, buf_view(&text), mode, e);
        if (rc == RC_OK) {
            printf("%s\n", path);
        }
    }
    buf_done(&text);
    return rc;
}
