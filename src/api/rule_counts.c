#include "api/rule_counts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void rule_counts_done(struct rule_counts *r)
{
    free(r->rows);
    *r = (struct rule_counts){0};
}

static struct rule_count *find(const struct rule_counts *r, struct str name)
{
    for (uint32_t i = 0; i < r->count; i++) {
        if (str_eq(str_from(r->rows[i].name), name)) {
            return &r->rows[i];
        }
    }
    return NULL;
}

/* Another policy: what it still has goes on. */
static void follow(struct rule_counts *r, const struct world *w)
{
    const struct policy *p = world_policy(w);
    if (p == NULL || r->policy_seq == world_policy_seq(w)) {
        return;
    }
    struct rule_counts now = {.rows = calloc(p->rule_count + 1, sizeof *now.rows), .policy_seq = world_policy_seq(w)};
    for (uint32_t i = 0; now.rows != NULL && i < p->rule_count; i++) {
        struct rule_count *row = &now.rows[i];
        const struct rule_count *old = find(r, p->rules[i].name);
        row->mode = (enum check_mode)p->rules[i].mode;
        if (str_to_c(p->rules[i].name, row->name, sizeof row->name)) {
            now.count = i + 1;
        }
        row->held = old != NULL && old->mode == row->mode ? old->held : 0;
    }
    free(r->rows);
    *r = now;
}

void rule_counts_add(struct rule_counts *r, const struct world *w, const struct decision *d)
{
    if (d->rule_count == 0) {
        return;
    }
    follow(r, w);
    for (unsigned i = 0; i < d->rule_count; i++) {
        struct rule_count *row = find(r, d->rules[i].rule);
        if (row != NULL) {
            row->held++;
        }
    }
}

void rule_counts_write(struct rule_counts *r, const struct world *w, const char *metric, struct buf *out)
{
    follow(r, w);
    for (uint32_t i = 0; i < r->count; i++) {
        if (r->rows[i].mode != MODE_OFF) {
            buf_printf(out, "%s{rule=\"%s\",mode=\"%s\"} %" PRIu64 "\n", metric, r->rows[i].name, check_mode_name(r->rows[i].mode),
                       r->rows[i].held);
        }
    }
}
