/*
 * import/exposition - the text format of metrics, for the one metric that is asked for.
 *
 * Source: Prometheus, exposition formats, text format 0.0.4; OpenMetrics 1.0 where it is the same.
 */
#include "import/service_metrics_internal.h"

#include "value/json.h"
#include "value/utf8.h"

#include <stdio.h>

enum { FILE_SHOWN_MAX = 150 };

struct line {
    struct arena *arena;
    struct str rest;
    const char *expected; /* what was missing; null: all is well */
};

static void spaces(struct line *l)
{
    while (l->rest.len > 0 && (l->rest.ptr[0] == ' ' || l->rest.ptr[0] == '\t')) {
        l->rest = str_slice(l->rest, 1, l->rest.len);
    }
}

static bool take(struct line *l, char c)
{
    spaces(l);
    if (l->rest.len == 0 || l->rest.ptr[0] != c) {
        return false;
    }
    l->rest = str_slice(l->rest, 1, l->rest.len);
    return true;
}

static struct str take_name(struct line *l)
{
    size_t n = 0;
    spaces(l);
    while (n < l->rest.len && ((l->rest.ptr[n] >= 'a' && l->rest.ptr[n] <= 'z') || (l->rest.ptr[n] >= 'A' && l->rest.ptr[n] <= 'Z') ||
                               (l->rest.ptr[n] >= '0' && l->rest.ptr[n] <= '9') || l->rest.ptr[n] == '_' || l->rest.ptr[n] == ':')) {
        n++;
    }
    struct str name = str_slice(l->rest, 0, n);
    l->rest = str_slice(l->rest, n, l->rest.len);
    return name;
}

/* Escapes are \\, \" and \n. */
static struct str unescaped(struct arena *a, struct str s)
{
    char *out = arena_alloc(a, s.len + 1);
    size_t n = 0;
    for (size_t i = 0; out != NULL && i < s.len; i++) {
        bool escape = s.ptr[i] == '\\' && i + 1 < s.len;
        i += escape ? 1 : 0;
        out[n++] = escape && s.ptr[i] == 'n' ? '\n' : s.ptr[i];
    }
    return (struct str){out, n};
}

static bool take_text(struct line *l, struct str *ret)
{
    size_t end = 0;
    bool escapes = false;
    if (!take(l, '"')) {
        return false;
    }
    while (end < l->rest.len && l->rest.ptr[end] != '"') {
        escapes = escapes || l->rest.ptr[end] == '\\';
        end += l->rest.ptr[end] == '\\' ? 2 : 1;
    }
    if (end >= l->rest.len) {
        return false;
    }
    struct str s = str_slice(l->rest, 0, end);
    l->rest = str_slice(l->rest, end + 1, l->rest.len);
    *ret = escapes ? unescaped(l->arena, s) : s;
    return utf8_valid(*ret);
}

static void keep_label(struct sample *x, struct str name, struct str text)
{
    x->client = str_eq(name, STR("client")) ? text : x->client;
    x->server = str_eq(name, STR("server")) ? text : x->server;
    x->connection = str_eq(name, STR("connection_type")) ? text : x->connection;
}

static bool take_labels(struct line *l, struct sample *x)
{
    if (!take(l, '{')) {
        return true;
    }
    for (unsigned n = 0; !take(l, '}'); n++) {
        struct str text;
        struct str name = take_name(l);
        if (n == SERVICE_LABELS_MAX || name.len == 0 || !take(l, '=') || !take_text(l, &text)) {
            l->expected = n == SERVICE_LABELS_MAX ? "no more than 64 labels" : "labels such as {client=\"web\"}, in UTF-8";
            return false;
        }
        keep_label(x, name, text);
        if (!take(l, ',') && (l->rest.len == 0 || l->rest.ptr[0] != '}')) {
            l->expected = "a comma between labels, or } after them";
            return false;
        }
    }
    return true;
}

static bool is_not_finite(struct str s)
{
    static const char *const words[] = {"NaN", "+Inf", "-Inf", "Inf"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (str_eq(s, str_from(words[i]))) {
            return true;
        }
    }
    return false;
}

/* RC_OK also when the line is none of ours. */
static enum rc read_line(struct samples *s, struct line *l)
{
    struct sample x = {.count = 0};
    double count = -1;
    struct str name = take_name(l);
    if (!str_eq(name, STR(SERVICE_METRIC)) || !take_labels(l, &x)) {
        return RC_OK;
    }
    spaces(l);
    struct str number = str_trim(l->rest);
    number = str_slice(number, 0, str_find(number, ' '));
    if (!is_not_finite(number) && !str_to_double(number, &count)) {
        l->expected = "a number after the labels";
        return RC_OK;
    }
    return samples_add(s, &x, count);
}

enum rc exposition_read(struct samples *s, struct str file, struct str text, struct err *e)
{
    struct str part;
    for (uint64_t n = 1; str_next(&text, '\n', &part); n++) {
        struct line l = {s->arena, part, NULL};
        enum rc rc = read_line(s, &l);
        if (rc != RC_OK) {
            return err_at(e, rc, file, "more than %d samples, or the memory for them", SERVICE_METRICS_MAX);
        }
        if (l.expected != NULL) {
            char where[ERR_WHERE_MAX];
            int len = snprintf(where, sizeof where, "%.*s:%llu", STR_ARG(utf8_clip(file, FILE_SHOWN_MAX)), (unsigned long long)n);
            return err_at(e, RC_INVALID, ((struct str){where, (size_t)len}), "expected %s", l.expected);
        }
    }
    return RC_OK;
}
