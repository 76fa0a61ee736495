/*
 * policy/match - commands against argument-vector patterns, and templates over parameters.
 *
 * A word of a pattern is literal text with '*' globs and {captures}. A capture takes at least one
 * byte; of two readings the one with the shorter first captures wins, so that the result is one. A name
 * that stands twice is one text twice: else the command could name one thing and do it to another.
 */
#include "policy/catalogue.h"

#include <string.h>

struct captures {
    struct str names[CAPTURES_MAX];
    struct str texts[CAPTURES_MAX];
    unsigned count;
};

/* The length of "{name}" at the front of s, or 0. */
static size_t capture_at(struct str s, struct str *ret_name)
{
    if (s.len < 3 || s.ptr[0] != '{') {
        return 0;
    }
    size_t end = str_find(s, '}');
    if (end == s.len || end == 1) {
        return 0;
    }
    *ret_name = str_slice(s, 1, end);
    return end + 1;
}

/* The steps are bounded: a word that can't be settled within them does not match. */
enum { MATCH_STEPS_MAX = 10000 };

struct word_match {
    struct captures *captures;
    unsigned steps;
};

static bool word_matches(struct word_match *m, struct str pattern, struct str text);

/* Tries every length from at least `shortest`, so the shortest that lets the rest match. */
static bool run_matches(struct word_match *m, struct str rest, struct str text, size_t shortest)
{
    for (size_t n = shortest; n <= text.len; n++) {
        if (word_matches(m, rest, str_slice(text, n, text.len))) {
            return true;
        }
    }
    return false;
}

static bool capture_matches(struct word_match *m, struct str name, struct str rest, struct str text)
{
    unsigned slot = m->captures->count;
    for (unsigned i = 0; i < slot; i++) {
        struct str before = m->captures->texts[i];
        if (str_eq(m->captures->names[i], name)) {
            return str_starts(text, before) &&
                   word_matches(m, rest, str_slice(text, before.len, text.len));
        }
    }
    if (slot == CAPTURES_MAX) {
        return false;
    }
    m->captures->count++;
    m->captures->names[slot] = name;
    /* The last one takes what is left. */
    for (size_t n = rest.len == 0 && text.len > 0 ? text.len : 1; n <= text.len; n++) {
        m->captures->texts[slot] = str_slice(text, 0, n);
        if (word_matches(m, rest, str_slice(text, n, text.len))) {
            return true;
        }
    }
    m->captures->count = slot;
    return false;
}

static bool word_matches(struct word_match *m, struct str pattern, struct str text)
{
    if (++m->steps > MATCH_STEPS_MAX) {
        return false;
    }
    while (pattern.len > 0) {
        struct str name;
        size_t width = capture_at(pattern, &name);
        if (width > 0) {
            return capture_matches(m, name, str_slice(pattern, width, pattern.len), text);
        }
        if (pattern.ptr[0] == '*') {
            return pattern.len == 1 || run_matches(m, str_slice(pattern, 1, pattern.len), text, 0);
        }
        if (text.len == 0 || text.ptr[0] != pattern.ptr[0]) {
            return false;
        }
        pattern = str_slice(pattern, 1, pattern.len);
        text = str_slice(text, 1, text.len);
    }
    return text.len == 0;
}

static struct str last_part(struct str path)
{
    for (size_t i = path.len; i > 0; i--) {
        if (path.ptr[i - 1] == '/') {
            return str_slice(path, i, path.len);
        }
    }
    return path;
}

static bool pattern_matches(const struct argv_pattern *p, struct str executable,
                            const struct str_list *argv, struct captures *c)
{
    const struct str_list *words = &p->words;
    bool open = str_eq(words->items[words->count - 1], STR("..."));
    uint32_t fixed = open ? words->count - 1 : words->count;
    if (fixed == 0 || argv->count < fixed || (!open && argv->count != fixed)) {
        return false;
    }
    c->count = 0;
    for (uint32_t i = 0; i < fixed; i++) {
        struct str pattern = words->items[i];
        struct str text = argv->items[i];
        if (i == 0) {
            bool path = str_find(pattern, '/') < pattern.len;
            text = path ? executable : last_part(executable);
        }
        struct word_match m = {c, 0};
        if (!word_matches(&m, pattern, text)) {
            return false;
        }
    }
    return true;
}

/* A captured text is an integer when the tool's schema says so and it is one. */
static struct value captured_value(const struct tool_def *t, struct str name, struct str text)
{
    const struct value *property = value_get(value_get(t->parameters, STR("properties")), name);
    struct str type = value_text(value_get(property, STR("type")));
    int64_t n;
    if ((str_eq(type, STR("integer")) || str_eq(type, STR("number"))) && str_to_i64(text, &n)) {
        return value_int(n);
    }
    return value_string(text);
}

bool tool_matches_argv(struct arena *a, const struct tool_def *t, struct str executable,
                       const struct str_list *argv, struct value *ret_parameters)
{
    for (uint32_t i = 0; i < t->argv_count; i++) {
        struct captures c = {.count = 0};
        if (!pattern_matches(&t->argv[i], executable, argv, &c)) {
            continue;
        }
        struct value parameters = value_object();
        for (unsigned k = 0; k < c.count; k++) {
            value_add(a, &parameters, c.names[k], captured_value(t, c.names[k], c.texts[k]));
        }
        *ret_parameters = parameters;
        return true;
    }
    return false;
}

static enum rc put_parameter(struct buf *out, struct str name, const struct value *parameters,
                             struct err *e)
{
    const struct value *v = value_get(parameters, name);
    if (value_is(v, VALUE_STRING)) {
        buf_str(out, v->string);
    } else if (value_is(v, VALUE_INT)) {
        buf_i64(out, v->integer);
    } else if (value_is(v, VALUE_BOOL)) {
        buf_str(out, v->boolean ? STR("true") : STR("false"));
    } else {
        return err_set(e, RC_INVALID, "parameter \"%.*s\" is %s: expected a text or a whole number",
                       STR_ARG(name), v == NULL ? "missing" : value_type_name(v->type));
    }
    return RC_OK;
}

enum rc template_fill(struct arena *a, struct str text, const struct value *parameters,
                      struct str *ret, struct err *e)
{
    if (str_find(text, '{') == text.len) {
        *ret = text; /* the common case: nothing to fill in */
        return RC_OK;
    }
    struct buf out;
    buf_init(&out, FIELD_TEXT_MAX);
    enum rc rc = RC_OK;
    while (text.len > 0 && rc == RC_OK) {
        struct str name;
        size_t width = capture_at(text, &name);
        if (width > 0) {
            rc = put_parameter(&out, name, parameters, e);
        } else {
            width = 1;
            buf_char(&out, text.ptr[0]);
        }
        text = str_slice(text, width, text.len);
    }
    if (rc == RC_OK && out.rc != RC_OK) {
        rc = err_set(e, out.rc, "the text is longer than %d bytes", FIELD_TEXT_MAX);
    }
    if (rc == RC_OK) {
        *ret = arena_str(a, buf_view(&out));
    }
    buf_done(&out);
    return rc;
}

bool any_glob(const struct str_list *globs, struct str text)
{
    for (uint32_t i = 0; i < globs->count; i++) {
        if (str_glob(globs->items[i], text)) {
            return true;
        }
    }
    return false;
}

bool any_equal(const struct str_list *texts, struct str text)
{
    for (uint32_t i = 0; i < texts->count; i++) {
        if (str_eq(texts->items[i], text)) {
            return true;
        }
    }
    return false;
}
