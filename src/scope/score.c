#include "scope/score.h"

#include <math.h>
#include <stdlib.h>

static int compare(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

uint32_t scope_set(struct str *files, uint32_t count)
{
    uint32_t kept = 0;
    if (count > 0) {
        qsort(files, count, sizeof *files, compare);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (files[i].len > 0 && (kept == 0 || !str_eq(files[i], files[kept - 1]))) {
            files[kept++] = files[i];
        }
    }
    return kept;
}

static uint32_t count_hits(const struct str *a, uint32_t a_count, const struct str *b, uint32_t b_count)
{
    uint32_t hits = 0;
    for (uint32_t i = 0, k = 0; i < a_count && k < b_count;) {
        int order = str_cmp(a[i], b[k]);
        hits += order == 0 ? 1 : 0;
        i += order <= 0 ? 1 : 0;
        k += order >= 0 ? 1 : 0;
    }
    return hits;
}

static double share(uint64_t part, uint64_t whole)
{
    return whole == 0 ? 1 : (double)part / (double)whole;
}

struct scope_score scope_compare(const struct str *declared, uint32_t declared_count, const struct str *touched,
                                 uint32_t touched_count)
{
    struct scope_score s = {.declared = declared_count, .touched = touched_count};
    uint64_t both = (uint64_t)declared_count + touched_count;
    s.hits = count_hits(declared, declared_count, touched, touched_count);
    s.creep = declared_count - s.hits;
    s.precision = share(s.hits, declared_count);
    s.recall = share(s.hits, touched_count);
    s.f1 = share(2 * (uint64_t)s.hits, both);
    s.jaccard = share(s.hits, both - s.hits);
    return s;
}

void scope_tally_add(struct scope_tally *t, const struct scope_score *s)
{
    t->count++;
    t->precision += s->precision;
    t->recall += s->recall;
    t->f1 += s->f1;
    t->f1_squares += s->f1 * s->f1;
    t->jaccard += s->jaccard;
    t->creep += s->creep;
}

static double margin(double mean, double mean_of_squares, uint32_t count)
{
    double spread = mean_of_squares - mean * mean;
    return count > 1 && spread > 0 ? 1.96 * sqrt(spread / (count - 1)) : 0;
}

struct scope_summary scope_summarize(const struct scope_tally *t)
{
    double n = t->count == 0 ? 1 : t->count;
    return (struct scope_summary){.count = t->count,
                                  .precision = t->precision / n,
                                  .recall = t->recall / n,
                                  .f1 = t->f1 / n,
                                  .f1_margin = margin(t->f1 / n, t->f1_squares / n, t->count),
                                  .jaccard = t->jaccard / n,
                                  .creep = t->creep / n};
}

struct scope_summary scope_summarize_groups(const struct scope_tally *groups, uint32_t count)
{
    uint32_t changes = 0;
    struct scope_tally means = {.count = 0};
    double squares = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct scope_summary s = scope_summarize(&groups[i]);
        if (s.count > 0) {
            means.count++;
            means.precision += s.precision;
            means.recall += s.recall;
            means.f1 += s.f1;
            means.jaccard += s.jaccard;
            means.creep += s.creep;
            squares += s.f1_margin * s.f1_margin;
            changes += s.count;
        }
    }
    struct scope_summary mean = scope_summarize(&means);
    mean.count = changes;
    mean.f1_margin = means.count == 0 ? 0 : sqrt(squares) / means.count;
    return mean;
}
