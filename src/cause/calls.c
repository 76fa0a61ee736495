/*
 * cause/calls - calls by caller, callee and operation: what they were, and what they are.
 */
#include "cause/cause_internal.h"

#include <math.h>
#include <stdlib.h>

/* Not known comes first. */
static int by_number(double x, double y)
{
    if (x < y || x > y) {
        return x < y ? -1 : 1;
    }
    return (int)isnan(y) - (int)isnan(x);
}

/* By what they say, so that the order in which rows were read has no part in any sum. */
static int by_content(const void *a, const void *b)
{
    const struct call *x = *(const struct call *const *)a;
    const struct call *y = *(const struct call *const *)b;
    int order = by_number(x->count, y->count);
    order = order != 0 ? order : by_number(x->latency_ms, y->latency_ms);
    order = order != 0 ? order : by_number(x->self_ms, y->self_ms);
    order = order != 0 ? order : by_number(x->net_ms, y->net_ms);
    order = order != 0 ? order : by_number(x->children, y->children);
    return order != 0 ? order : by_number(x->errors, y->errors);
}

static bool sort_rows(struct inquiry *in)
{
    const struct evidence *ev = in->ev;
    in->key_count = ev->key_count;
    in->keys = arena_array(in->arena, in->key_count + 1U, sizeof *in->keys);
    in->rows = arena_array(in->arena, ev->call_count + 1U, sizeof *in->rows);
    if (in->keys == NULL || in->rows == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < ev->call_count; i++) {
        const struct call *c = &ev->calls[i];
        struct key *k = &in->keys[c->key];
        *k = (struct key){.caller = c->caller, .callee = c->callee, .operation = c->operation, .count = k->count + 1};
    }
    uint32_t at = 0;
    for (uint32_t k = 0; k < in->key_count; k++) {
        in->keys[k].first = at;
        at += in->keys[k].count;
        in->rows_max = in->keys[k].count > in->rows_max ? in->keys[k].count : in->rows_max;
        in->keys[k].count = 0;
    }
    for (uint32_t i = 0; i < ev->call_count; i++) {
        struct key *k = &in->keys[ev->calls[i].key];
        in->rows[k->first + k->count++] = &ev->calls[i];
    }
    for (uint32_t k = 0; k < in->key_count; k++) {
        qsort(in->rows + in->keys[k].first, in->keys[k].count, sizeof *in->rows, by_content);
    }
    return true;
}

static void add_known(double value, double count, double *sum, double *known)
{
    if (!isnan(value)) {
        *sum += value * count;
        *known += count;
    }
}

void total_add(struct total *t, const struct call *c)
{
    t->count += c->count;
    add_known(c->latency_ms, c->count, &t->latency, &t->latency_count);
    add_known(c->self_ms, c->count, &t->self, &t->self_count);
    add_known(c->net_ms, c->count, &t->net, &t->net_count);
    add_known(c->children, c->count, &t->children, &t->children_count);
    if (!isnan(c->errors)) {
        t->errors += c->errors;
        t->errors_count += c->count;
    }
}

static bool sort_by_callee(struct inquiry *in)
{
    uint32_t *fill = arena_array(in->arena, in->node_count + 1U, sizeof *fill);
    in->by_callee = arena_array(in->arena, in->key_count + 1U, sizeof *in->by_callee);
    in->callee_first = arena_array(in->arena, in->node_count + 2U, sizeof *in->callee_first);
    if (fill == NULL || in->by_callee == NULL || in->callee_first == NULL) {
        return false;
    }
    for (uint32_t k = 0; k < in->key_count; k++) {
        in->callee_first[in->keys[k].callee + 1]++;
    }
    for (uint32_t n = 0; n < in->node_count; n++) {
        in->callee_first[n + 1] += in->callee_first[n];
        fill[n] = in->callee_first[n];
    }
    for (uint32_t k = 0; k < in->key_count; k++) {
        in->by_callee[fill[in->keys[k].callee]++] = k;
    }
    return true;
}

double time_at(const struct inquiry *in, uint32_t node)
{
    double sum = 0;
    for (uint32_t i = in->callee_first[node]; i < in->callee_first[node + 1]; i++) {
        sum += in->now[in->by_callee[i]].latency;
    }
    return sum;
}

bool calls_build(struct inquiry *in)
{
    if (!sort_rows(in) || !sort_by_callee(in)) {
        return false;
    }
    in->before = arena_array(in->arena, in->key_count + 1U, sizeof *in->before);
    in->now = arena_array(in->arena, in->key_count + 1U, sizeof *in->now);
    in->scratch = arena_array(in->arena, in->rows_max + 1U, sizeof *in->scratch);
    in->normal = arena_array(in->arena, in->rows_max + 1U, sizeof *in->normal);
    if (in->before == NULL || in->now == NULL || in->scratch == NULL || in->normal == NULL) {
        return false;
    }
    for (uint32_t k = 0; k < in->key_count; k++) {
        for (uint32_t i = 0; i < in->keys[k].count; i++) {
            const struct call *c = in->rows[in->keys[k].first + i];
            enum role role = in->ev->windows[c->window].role;
            if (role == ROLE_INCIDENT) {
                total_add(&in->now[k], c);
                in->measured[c->callee] = true;
            } else if (role == ROLE_BEFORE && uses(in, WITHOUT_BEFORE)) {
                total_add(&in->before[k], c);
            }
        }
    }
    return true;
}

uint32_t normal_measures(struct inquiry *in, const struct key *k, measure_fn of)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < k->count; i++) {
        const struct call *c = in->rows[k->first + i];
        if (in->ev->windows[c->window].role == ROLE_NORMAL && of(c, &in->normal[count])) {
            count++;
        }
    }
    return count;
}
