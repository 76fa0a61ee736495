/*
 * cause/calls - calls by caller, callee and operation: what they were, and what they are.
 */
#include "cause/cause_internal.h"

#include <math.h>
#include <stdlib.h>

/* By what they say, so that the order in which rows were read has no part in any sum. */
static int by_content(const void *a, const void *b)
{
    const struct call *x = *(const struct call *const *)a;
    const struct call *y = *(const struct call *const *)b;
    const double left[] = {x->count, x->latency_ms, x->self_ms, x->net_ms, x->children, x->errors};
    const double right[] = {y->count, y->latency_ms, y->self_ms, y->net_ms, y->children, y->errors};
    for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
        /* Not known comes first. */
        if (isnan(left[i]) != isnan(right[i])) {
            return isnan(left[i]) ? -1 : 1;
        }
        if (left[i] < right[i] || left[i] > right[i]) {
            return left[i] < right[i] ? -1 : 1;
        }
    }
    return 0;
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

bool calls_build(struct inquiry *in)
{
    if (!sort_rows(in)) {
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
