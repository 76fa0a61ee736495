#include "evidence/evidence.h"

#include "base/must.h"
#include "evidence/evidence_internal.h"
#include "evidence/metric.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct evidence *evidence_new(size_t max_bytes)
{
    struct evidence *ev = calloc(1, sizeof *ev);
    if (ev == NULL) {
        return NULL;
    }
    ev->arena = arena_new(max_bytes);
    strmap_init(&ev->node_of, 1);
    strmap_init(&ev->word_of, 2);
    strmap_init(&ev->series_of, 3);
    idmap_init(&ev->tie_of, 4);
    idmap_init(&ev->sample_of, 5);
    if (ev->arena == NULL) {
        evidence_free(ev);
        return NULL;
    }
    return ev;
}

void evidence_free(struct evidence *ev)
{
    if (ev != NULL) {
        strmap_done(&ev->node_of);
        strmap_done(&ev->word_of);
        strmap_done(&ev->series_of);
        idmap_done(&ev->tie_of);
        idmap_done(&ev->sample_of);
        arena_free(ev->arena);
        free(ev);
    }
}

enum rc evidence_fail(struct evidence *ev, enum rc rc, const char *text)
{
    if (ev->err.rc == RC_OK) {
        err_say(&ev->err, rc, "%s", text);
    }
    return ev->err.rc;
}

/* One more item of a list of at most max: its place, or null (sticky). */
static void *one_more(struct evidence *ev, void **items, uint32_t *count, uint32_t *room, size_t size, const struct list_limit *limit)
{
    must(!ev->settled || limit->late);
    if (ev->err.rc != RC_OK) {
        return NULL;
    }
    if (*count == limit->max) {
        evidence_fail(ev, RC_LIMIT, limit->text);
        return NULL;
    }
    if (*count == *room) {
        uint32_t more = *room == 0 ? 16 : *room * 2;
        void *bigger = arena_array(ev->arena, more, size);
        if (bigger == NULL) {
            evidence_fail(ev, arena_rc(ev->arena), "the evidence takes too much memory");
            return NULL;
        }
        if (*count > 0) {
            memcpy(bigger, *items, *count * size);
        }
        *items = bigger;
        *room = more;
    }
    return (char *)*items + (size_t)(*count)++ * size;
}

#define ONE_MORE(ev, list, count, room, limit) \
    one_more((ev), (void **)&(ev)->list, &(ev)->count, &(ev)->room, sizeof *(ev)->list, &(limit))

static const struct list_limit nodes_limit = {EVIDENCE_NODES_MAX, "too many nodes", false};
static const struct list_limit words_limit = {EVIDENCE_WORDS_MAX, "too many operations and templates", false};
static const struct list_limit ties_limit = {EVIDENCE_TIES_MAX, "too many edges", true};
static const struct list_limit windows_limit = {EVIDENCE_WINDOWS_MAX, "too many windows", true};
static const struct list_limit calls_limit = {EVIDENCE_CALLS_MAX, "too many rows of calls", true};
static const struct list_limit logs_limit = {EVIDENCE_LOGS_MAX, "too many rows of log templates", false};
static const struct list_limit samples_limit = {EVIDENCE_SAMPLES_MAX, "too many instants in the metrics", false};
static const struct list_limit series_limit = {EVIDENCE_SERIES_MAX, "too many series", false};
static const struct list_limit values_limit = {EVIDENCE_VALUES_MAX, "too many values in the metrics", false};
static const struct list_limit changes_limit = {EVIDENCE_CHANGES_MAX, "too many changes", false};

/* The index of a name in a map beside its list; ret_copy is the copy of a new one. */
static uint32_t intern(struct evidence *ev, struct strmap *map, struct str name, uint32_t next, struct str *ret_copy)
{
    ret_copy->ptr = NULL;
    uint32_t index = strmap_get(map, name);
    if (index != MAP_NONE || ev->err.rc != RC_OK) {
        return index;
    }
    *ret_copy = arena_str(ev->arena, name);
    if (arena_rc(ev->arena) != RC_OK || strmap_put(map, *ret_copy, next) != RC_OK) {
        evidence_fail(ev, arena_rc(ev->arena) != RC_OK ? arena_rc(ev->arena) : RC_NO_MEMORY, "the evidence takes too much memory");
        return MAP_NONE;
    }
    return next;
}

/* Names have their own limit; a series' key is a little longer. */
static bool too_long(struct evidence *ev, struct str name)
{
    if (name.len > EVIDENCE_NAME_MAX) {
        evidence_fail(ev, RC_LIMIT, "a name is too long");
    }
    return name.len > EVIDENCE_NAME_MAX;
}

uint32_t evidence_node(struct evidence *ev, struct str name)
{
    if (too_long(ev, name)) {
        return MAP_NONE;
    }
    struct str copy;
    uint32_t index = intern(ev, &ev->node_of, name, ev->node_count, &copy);
    if (copy.ptr != NULL && index != MAP_NONE) {
        struct evidence_node *n = ONE_MORE(ev, nodes, node_count, node_room, nodes_limit);
        if (n == NULL) {
            return MAP_NONE;
        }
        *n = (struct evidence_node){.name = copy};
    }
    return index;
}

uint32_t evidence_find(const struct evidence *ev, struct str name)
{
    return strmap_get(&ev->node_of, name);
}

uint32_t evidence_word(struct evidence *ev, struct str word)
{
    if (too_long(ev, word)) {
        return MAP_NONE;
    }
    struct str copy;
    uint32_t index = intern(ev, &ev->word_of, word, ev->word_count, &copy);
    if (copy.ptr != NULL && index != MAP_NONE) {
        struct str *w = ONE_MORE(ev, words, word_count, word_room, words_limit);
        if (w == NULL) {
            return MAP_NONE;
        }
        *w = copy;
    }
    return index;
}

void evidence_tie(struct evidence *ev, uint32_t harmer, uint32_t harmed, struct str kind, bool call)
{
    if (ev->err.rc != RC_OK || harmer == harmed) {
        return;
    }
    must(harmer < ev->node_count && harmed < ev->node_count);
    uint64_t pair = (uint64_t)harmer << 32 | harmed;
    uint32_t known = idmap_get(&ev->tie_of, pair);
    if (known != MAP_NONE) {
        ev->ties[known].call |= call;
        return;
    }
    struct tie *t = ONE_MORE(ev, ties, tie_count, tie_room, ties_limit);
    if (t == NULL) {
        return;
    }
    *t = (struct tie){.harmer = harmer, .harmed = harmed, .kind = arena_str(ev->arena, kind), .call = call};
    if (idmap_put(&ev->tie_of, pair, ev->tie_count - 1) != RC_OK) {
        evidence_fail(ev, RC_NO_MEMORY, "out of memory");
    }
}

uint32_t evidence_window(struct evidence *ev, struct str name, enum role role)
{
    struct window *w = ONE_MORE(ev, windows, window_count, window_room, windows_limit);
    if (w == NULL) {
        return MAP_NONE;
    }
    *w = (struct window){.name = arena_str(ev->arena, name), .role = role};
    return ev->window_count - 1;
}

void evidence_call(struct evidence *ev, const struct call *c)
{
    struct call *place = ONE_MORE(ev, calls, call_count, call_room, calls_limit);
    if (place != NULL) {
        must(c->window < ev->window_count && c->callee < ev->node_count);
        *place = *c;
    }
}

void evidence_log(struct evidence *ev, const struct log_count *l)
{
    struct log_count *place = ONE_MORE(ev, logs, log_count, log_room, logs_limit);
    if (place != NULL) {
        must(l->window < ev->window_count && l->node < ev->node_count && l->template_id < ev->word_count);
        *place = *l;
    }
}

uint32_t evidence_sample(struct evidence *ev, int64_t at_ms, enum role role)
{
    uint32_t index = idmap_get(&ev->sample_of, (uint64_t)at_ms);
    if (index != MAP_NONE) {
        return index;
    }
    struct sample *s = ONE_MORE(ev, samples, sample_count, sample_room, samples_limit);
    if (s == NULL) {
        return MAP_NONE;
    }
    *s = (struct sample){.at_ms = at_ms, .role = role};
    if (idmap_put(&ev->sample_of, (uint64_t)at_ms, ev->sample_count - 1) != RC_OK) {
        evidence_fail(ev, RC_NO_MEMORY, "out of memory");
    }
    return ev->sample_count - 1;
}

uint32_t evidence_series(struct evidence *ev, uint32_t node, uint32_t to, struct str name)
{
    if (too_long(ev, name)) {
        return MAP_NONE;
    }
    struct str key;
    char text[EVIDENCE_NAME_MAX + 32];
    int len = snprintf(text, sizeof text, "%u %u %.*s", node, to, STR_ARG(name));
    uint32_t index = intern(ev, &ev->series_of, (struct str){text, (size_t)len}, ev->series_count, &key);
    if (key.ptr == NULL || index == MAP_NONE) {
        return index;
    }
    struct series *s = ONE_MORE(ev, series, series_count, series_room, series_limit);
    if (s == NULL) {
        return MAP_NONE;
    }
    *s = (struct series){.node = node, .to = to, .name = arena_str(ev->arena, name), .metric = metric_of(name, to != MAP_NONE)};
    return index;
}

void evidence_value(struct evidence *ev, uint32_t series, uint32_t sample, double value)
{
    struct cell *c = ONE_MORE(ev, cells, cell_count, cell_room, values_limit);
    if (c != NULL) {
        must(series < ev->series_count && sample < ev->sample_count);
        *c = (struct cell){.series = series, .sample = sample, .value = value};
    }
}

void evidence_change(struct evidence *ev, const struct change *c)
{
    struct change *place = ONE_MORE(ev, changes, change_count, change_room, changes_limit);
    if (place != NULL) {
        must(c->node < ev->node_count);
        *place = *c;
        place->kind = arena_str(ev->arena, c->kind);
        place->what = arena_str(ev->arena, c->what);
    }
}
