#include "cause/counts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A base must have been seen this often. */
#define BASE_MIN 3.0
/* Bases that say the same are kept this often: one for all others, and one for the first itself. */
#define TWINS_MAX 2

struct counter_ref {
    enum counter_kind kind;
    uint32_t source; /* a key of calls or of logs */
};

/* --- the index ------------------------------------------------------------------------------------ */

static bool counts_children(const struct inquiry *in, uint32_t key)
{
    for (uint32_t i = 0; i < in->keys[key].count; i++) {
        if (!isnan(in->rows[in->keys[key].first + i]->children)) {
            return true;
        }
    }
    return false;
}

static void put(struct counts_index *index, uint32_t *fill, uint32_t node, enum counter_kind kind, uint32_t source)
{
    index->refs[fill[node]++] = (struct counter_ref){.kind = kind, .source = source};
}

/* Counts how many counters each node has; with refs, writes them where fill says. */
static void each_counter(const struct inquiry *in, struct counts_index *index, uint32_t *fill)
{
    for (uint32_t k = 0; k < in->key_count; k++) {
        const struct key *key = &in->keys[k];
        if (key->caller == MAP_NONE) {
            continue;
        }
        put(index, fill, key->callee, COUNT_IN, k);
        put(index, fill, key->caller, COUNT_OUT, k);
        if (counts_children(in, k)) {
            put(index, fill, key->callee, COUNT_MADE, k);
        }
    }
    for (uint32_t k = 0; k < in->ev->log_key_count; k++) {
        put(index, fill, index->logs[index->log_first[k]]->node, COUNT_LOG, k);
    }
}

static bool sort_logs(const struct inquiry *in, struct counts_index *index)
{
    const struct evidence *ev = in->ev;
    uint32_t *fill = arena_array(in->arena, ev->log_key_count + 2U, sizeof *fill);
    index->logs = arena_array(in->arena, ev->log_count + 1U, sizeof *index->logs);
    index->log_first = arena_array(in->arena, ev->log_key_count + 2U, sizeof *index->log_first);
    if (fill == NULL || index->logs == NULL || index->log_first == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < ev->log_count; i++) {
        index->log_first[ev->logs[i].key + 1]++;
    }
    for (uint32_t k = 0; k < ev->log_key_count; k++) {
        index->log_first[k + 1] += index->log_first[k];
        fill[k] = index->log_first[k];
    }
    for (uint32_t i = 0; i < ev->log_count; i++) {
        index->logs[fill[ev->logs[i].key]++] = &ev->logs[i];
    }
    return true;
}

/* The most counters that one node has. */
static uint32_t place_refs(const struct inquiry *in, struct counts_index *index, uint32_t *fill)
{
    uint32_t most = 0;
    for (uint32_t k = 0; k < in->key_count; k++) {
        const struct key *key = &in->keys[k];
        if (key->caller != MAP_NONE) {
            index->first[key->callee + 1] += counts_children(in, k) ? 2 : 1;
            index->first[key->caller + 1]++;
        }
    }
    for (uint32_t k = 0; k < in->ev->log_key_count; k++) {
        index->first[index->logs[index->log_first[k]]->node + 1]++;
    }
    for (uint32_t n = 0; n < in->node_count; n++) {
        most = index->first[n + 1] > most ? index->first[n + 1] : most;
        index->first[n + 1] += index->first[n];
        fill[n] = index->first[n];
    }
    each_counter(in, index, fill);
    return most;
}

static void number_windows(const struct inquiry *in, struct counts_index *index)
{
    for (uint32_t w = 0; w < in->ev->window_count; w++) {
        index->window_number[w] = in->ev->windows[w].role == ROLE_NORMAL ? index->windows++ : MAP_NONE;
    }
}

bool counts_build(struct inquiry *in, struct counts_index *ret)
{
    *ret = (struct counts_index){0};
    uint32_t *fill = arena_array(in->arena, in->node_count + 1U, sizeof *fill);
    ret->window_number = arena_array(in->arena, in->ev->window_count + 1U, sizeof *ret->window_number);
    ret->first = arena_array(in->arena, in->node_count + 2U, sizeof *ret->first);
    ret->refs = arena_array(in->arena, (size_t)in->key_count * 3 + in->ev->log_key_count + 1, sizeof *ret->refs);
    if (fill == NULL || ret->window_number == NULL || ret->first == NULL || ret->refs == NULL || !sort_logs(in, ret)) {
        return false;
    }
    number_windows(in, ret);
    uint32_t most = place_refs(in, ret, fill) + 1;
    ret->counters = arena_array(in->arena, most, sizeof *ret->counters);
    ret->cells = arena_array(in->arena, (size_t)most * (ret->windows + 1U), sizeof *ret->cells);
    ret->ratios = arena_array(in->arena, ret->windows + 1U, sizeof *ret->ratios);
    ret->scratch = arena_array(in->arena, ret->windows + 1U, sizeof *ret->scratch);
    return ret->counters != NULL && ret->cells != NULL && ret->ratios != NULL && ret->scratch != NULL;
}

/* --- one node ------------------------------------------------------------------------------------- */

static void add(const struct inquiry *in, const struct counts_index *index, struct node_counts *n, struct counter *c, uint32_t window,
                double value)
{
    uint32_t number = index->window_number[window];
    if (isnan(value)) {
        return;
    }
    if (number != MAP_NONE) {
        c->normal[number] += value;
        c->total += value;
    } else if (in->ev->windows[window].role == ROLE_INCIDENT) {
        c->now += value;
    } else if (uses(in, WITHOUT_BEFORE)) {
        c->before += value;
        n->before_known = true;
    }
}

static struct str node_name(const struct inquiry *in, uint32_t node)
{
    return node == MAP_NONE ? STR("") : in->ev->nodes[node].name;
}

static struct str word(const struct inquiry *in, uint32_t index)
{
    return index == MAP_NONE ? STR("") : in->ev->words[index];
}

static void fill_calls(const struct inquiry *in, const struct counts_index *index, struct node_counts *n, struct counter *c,
                       struct counter *all)
{
    const struct key *key = &in->keys[c->source];
    c->first = node_name(in, c->kind == COUNT_OUT ? key->callee : key->caller);
    c->second = word(in, key->operation);
    for (uint32_t i = 0; i < key->count; i++) {
        const struct call *row = in->rows[key->first + i];
        add(in, index, n, c, row->window, c->kind == COUNT_MADE ? row->count * row->children : row->count);
        if (c->kind == COUNT_IN) {
            add(in, index, n, all, row->window, row->count);
        }
    }
}

static void fill_log(const struct inquiry *in, const struct counts_index *index, struct node_counts *n, struct counter *c)
{
    for (uint32_t i = index->log_first[c->source]; i < index->log_first[c->source + 1]; i++) {
        c->first = word(in, index->logs[i]->template_id);
        add(in, index, n, c, index->logs[i]->window, index->logs[i]->count);
    }
}

static int by_name(const void *a, const void *b)
{
    const struct counter *x = a;
    const struct counter *y = b;
    if (x->kind != y->kind) {
        return x->kind < y->kind ? -1 : 1;
    }
    int order = str_cmp(x->first, y->first);
    return order != 0 ? order : str_cmp(x->second, y->second);
}

static bool same_counts(const struct node_counts *n, const struct counter *a, const struct counter *b)
{
    double off = fabs(a->total - b->total) + fabs(a->now - b->now) + fabs(a->before - b->before);
    for (uint32_t w = 0; off <= 0 && w < n->windows; w++) {
        off = fabs(a->normal[w] - b->normal[w]);
    }
    return off <= 0;
}

static bool is_needed(const struct node_counts *n, const struct counter *c)
{
    uint32_t twins = 0;
    for (uint32_t b = 0; b < n->base_count && c->kind != COUNT_IN; b++) {
        twins += same_counts(n, &n->counters[n->bases[b]], c);
    }
    return twins < TWINS_MAX;
}

/* The least of the bases goes when there is no room. */
static void keep_larger(struct node_counts *n, uint32_t i)
{
    uint32_t least = 0;
    for (uint32_t b = 1; b < BASES_MAX; b++) {
        least = n->counters[n->bases[b]].total < n->counters[n->bases[least]].total ? b : least;
    }
    if (n->counters[n->bases[least]].total < n->counters[i].total) {
        memmove(&n->bases[least], &n->bases[least + 1], (BASES_MAX - 1 - least) * sizeof n->bases[0]);
        n->bases[BASES_MAX - 1] = i;
    }
}

static void choose_bases(struct node_counts *n)
{
    for (uint32_t i = 0; i < n->count; i++) {
        const struct counter *c = &n->counters[i];
        if (c->kind == COUNT_MADE || c->total < BASE_MIN || c->now <= 0 || !is_needed(n, c)) {
            continue;
        }
        if (n->base_count < BASES_MAX) {
            n->bases[n->base_count++] = i;
        } else {
            keep_larger(n, i);
        }
    }
}

bool counts_of_node(const struct inquiry *in, const struct counts_index *index, uint32_t node, struct node_counts *ret)
{
    uint32_t count = index->first[node + 1] - index->first[node];
    *ret = (struct node_counts){.counters = index->counters, .windows = index->windows, .ratios = index->ratios, .scratch = index->scratch};
    if (count == 0) {
        return false;
    }
    memset(index->cells, 0, (size_t)(count + 1) * index->windows * sizeof *index->cells);
    struct counter *all = &ret->counters[count];
    *all = (struct counter){.kind = COUNT_IN_ALL, .source = MAP_NONE, .normal = index->cells + (size_t)count * index->windows};
    for (uint32_t i = 0; i < count; i++) {
        const struct counter_ref *ref = &index->refs[index->first[node] + i];
        struct counter *c = &ret->counters[i];
        *c = (struct counter){.kind = ref->kind, .source = ref->source, .normal = index->cells + (size_t)i * index->windows};
        if (c->kind == COUNT_LOG) {
            fill_log(in, index, ret, c);
        } else {
            fill_calls(in, index, ret, c, all);
        }
        ret->new_callers += c->kind == COUNT_IN && c->total <= 0 ? c->now : 0.0;
    }
    qsort(ret->counters, count + 1, sizeof *ret->counters, by_name);
    ret->count = count + 1 < COUNTERS_MAX ? count + 1 : COUNTERS_MAX;
    choose_bases(ret);
    return true;
}
