#include "diff/shown.h"

#include "value/utf8.h"

#include <string.h>

/* --- texts ------------------------------------------------------------------------------------------ */

struct str diff_text(struct arena *a, struct str s, size_t max)
{
    static const char mark[] = "\xef\xbf\xbd";
    static const char ellipsis[] = "\xe2\x80\xa6";
    bool cut = s.len > max;
    const char *at = s.ptr;
    const char *end = at == NULL ? at : at + (cut ? max - (sizeof ellipsis - 1) : s.len);
    const char *whole = at == NULL ? at : at + s.len;
    /* Each byte that is no UTF-8 becomes three. */
    char *out = arena_alloc(a, (size_t)(end - at) * (sizeof mark - 1) + sizeof ellipsis);
    size_t len = 0;
    while (out != NULL && at < end) {
        size_t n = utf8_len(at, whole);
        if (at + n > end) {
            break;
        }
        memcpy(out + len, n == 0 ? mark : at, n == 0 ? sizeof mark - 1 : n);
        len += n == 0 ? sizeof mark - 1 : n;
        at += n == 0 ? 1 : n;
    }
    if (out != NULL && cut) {
        memcpy(out + len, ellipsis, sizeof ellipsis - 1);
        len += sizeof ellipsis - 1;
    }
    return out == NULL ? STR("") : (struct str){out, len};
}

/* --- secrets ---------------------------------------------------------------------------------------- */

/* Lower case, without separators: what a secret's name ends in. */
static const char *const endings[] = {
    "password",  "passwd",    "passphrase", "pwd",           "secret",     "secrets",   "token",       "apikey",
    "privatekey", "accesskey", "secretkey",  "signingkey",   "encryptionkey", "masterkey", "accountkey", "sharedkey",
    "credential", "credentials", "connectionstring", "authorization", "dsn", "hmackey", "webhookurl",
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_separator(char c)
{
    return c == '_' || c == '-' || c == '.' || c == ' ';
}

static bool ends_in(struct str name, const char *word)
{
    size_t at = name.len;
    for (size_t k = strlen(word); k > 0; k--) {
        while (at > 0 && is_separator(name.ptr[at - 1])) {
            at--;
        }
        if (at == 0 || lower(name.ptr[at - 1]) != word[k - 1]) {
            return false;
        }
        at--;
    }
    return true;
}

bool diff_name_is_secret(struct str name)
{
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        if (ends_in(name, endings[i])) {
            return true;
        }
    }
    return false;
}

/* "scheme://user:secret@host". */
static bool has_password_in_url(struct str s)
{
    for (size_t i = 0; i + 3 <= s.len; i++) {
        if (memcmp(s.ptr + i, "://", 3) != 0) {
            continue;
        }
        struct str rest = str_slice(s, i + 3, s.len);
        rest = str_slice(rest, 0, str_find(rest, '/'));
        size_t colon = str_find(rest, ':');
        if (str_find(str_slice(rest, colon, rest.len), '@') < rest.len - colon) {
            return true;
        }
    }
    return false;
}

/* "password=x", "token: x", "secret x", "\"apiKey\":\"x\"": a secret's name with something behind it. */
static bool has_named_secret(struct str s)
{
    for (size_t i = 1; i + 1 < s.len; i++) {
        bool ends = s.ptr[i] == '=' || s.ptr[i] == ':' || s.ptr[i] == ' ' || s.ptr[i] == '"' || s.ptr[i] == '\'';
        if (ends && diff_name_is_secret(str_slice(s, 0, i))) {
            return true;
        }
    }
    return false;
}

bool diff_text_is_secret(struct str text)
{
    struct str s = str_slice(text, 0, SHOWN_TEXT_MAX);
    static const char key[] = "PRIVATE KEY";
    for (size_t i = 0; i + sizeof key - 1 <= s.len; i++) {
        if (memcmp(s.ptr + i, key, sizeof key - 1) == 0) {
            return true;
        }
    }
    return has_password_in_url(s) || has_named_secret(s);
}

/* --- values ----------------------------------------------------------------------------------------- */

static struct value stand_in(struct arena *a, const struct value *v)
{
    return value_string(arena_printf(a, v->type == VALUE_ARRAY ? "(%u items)" : "(%u members)", v->count));
}

static const struct value *hidden_in(const struct value *hidden, struct str name, uint32_t i)
{
    if (hidden == NULL || hidden->type == VALUE_BOOL) {
        return hidden;
    }
    return hidden->type == VALUE_ARRAY ? value_item(hidden, i) : value_get(hidden, name);
}

static struct value show(struct arena *a, const struct value *v, struct shown *s, unsigned depth);

/* {name: DB_PASSWORD, value: x} hides its value as {DB_PASSWORD: x} would. */
static struct str name_of_member(const struct value *object, struct str name)
{
    struct str other = value_text(value_get(object, STR("name")));
    return str_eq(name, STR("value")) && other.len > 0 ? other : name;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as SHOWN_DEPTH_MAX */
static struct value show_compound(struct arena *a, const struct value *v, struct shown *s, unsigned depth)
{
    if (v->count > SHOWN_ITEMS_MAX || depth == SHOWN_DEPTH_MAX) {
        return stand_in(a, v);
    }
    bool object = v->type == VALUE_OBJECT;
    /* Two long names could become one. */
    for (uint32_t i = 0; object && i < v->count; i++) {
        if (v->members[i].name.len > SHOWN_TEXT_MAX) {
            return stand_in(a, v);
        }
    }
    struct value out = object ? value_object() : value_array();
    for (uint32_t i = 0; i < v->count; i++) {
        struct str name = object ? v->members[i].name : s->name;
        struct shown inner = {object ? name_of_member(v, name) : name, hidden_in(s->hidden, name, i), false};
        struct value part = show(a, object ? &v->members[i].value : &v->items[i], &inner, depth + 1);
        part = inner.sensitive && part.type == VALUE_NULL ? value_string(STR("(sensitive)")) : part;
        s->sensitive = s->sensitive || inner.sensitive;
        if (object) {
            value_add(a, &out, diff_text(a, name, SHOWN_TEXT_MAX), part);
        } else {
            value_push(a, &out, part);
        }
    }
    return out;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as SHOWN_DEPTH_MAX */
static struct value show(struct arena *a, const struct value *v, struct shown *s, unsigned depth)
{
    bool says = v->type != VALUE_NULL && v->type != VALUE_BOOL;
    if (value_bool_or(s->hidden, false) || (says && diff_name_is_secret(s->name)) ||
        (v->type == VALUE_STRING && diff_text_is_secret(v->string))) {
        s->sensitive = true;
        return value_null();
    }
    if (v->type == VALUE_OBJECT || v->type == VALUE_ARRAY) {
        return show_compound(a, v, s, depth);
    }
    return v->type == VALUE_STRING ? value_string(diff_text(a, v->string, SHOWN_TEXT_MAX)) : *v;
}

struct value diff_shown(struct arena *a, const struct value *v, struct shown *s)
{
    return v == NULL ? value_null() : show(a, v, s, 0);
}
