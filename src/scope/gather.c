#include "scope/scope_internal.h"

#include "base/must.h"

#include <math.h>
#include <stdlib.h>

/* How much a name and similar commits count beside the words when files are ranked. */
static const double name_rank = 3;
static const double near_rank = 3;
static const double mention_rank = 1000; /* more than any sum of the others */

/* What a word says that never went with a file: less than the file's rate. */
static const double unseen_share = 0.3;

enum { RECENT_COMMITS = 32 };

static bool without(const struct scope_learner *l, enum scope_ingredient ingredient)
{
    return (l->without & (uint32_t)ingredient) != 0;
}

/* --- the files that something speaks for -------------------------------------------------------------------------- */

bool can_be_touched(const struct scope_learner *l, const struct file *f)
{
    return l->look.has_tree ? f->in_tree == l->questions : f->commits > 0;
}

/* The file's evidence; null when it can't be one of them. */
static struct evidence *evidence_of(struct scope_learner *l, uint32_t file)
{
    struct file *f = &l->files[file];
    if (f->asked != l->questions) {
        f->asked = l->questions;
        f->slot = NONE;
        if (can_be_touched(l, f) && l->gathered_count < SCOPE_GATHERED_MAX) {
            must(l->gathered != NULL);
            f->slot = l->gathered_count++;
            double often = file_often(l, f);
            l->gathered[f->slot] = (struct evidence){.file = file,
                                                     .path = f->path,
                                                     .often = often,
                                                     .unseen = f->commits == 0 ? often : unseen_share * often,
                                                     .weight = f->weight.value};
        }
    }
    return f->slot == NONE ? NULL : &l->gathered[f->slot];
}

static void raise_to(double *highest, double value)
{
    *highest = value > *highest ? value : *highest;
}

static void add_word(struct evidence *e, enum word_kind kind, double share)
{
    if (share > e->best) {
        e->second = e->best;
        e->best = share;
    } else {
        raise_to(&e->second, share);
    }
    if (kind == WORD_SCOPE) {
        raise_to(&e->scope, share);
    } else if (kind == WORD_TYPE) {
        e->type = share;
    } else if (kind == WORD_PAIR) {
        raise_to(&e->pair, share);
    }
}

/* Gives the log-odds that the word lends a file it never went with. */
static double follow_word(struct scope_learner *l, uint32_t word, enum word_kind kind)
{
    const struct word *w = &l->words[word];
    double seen = fading_at(&w->seen, l->now, OFTEN_HALF_LIFE);
    double unlinked = log(SMOOTHING / (seen + SMOOTHING));
    uint32_t walked = 0;
    for (uint32_t id = w->links; id != NONE && walked < SCOPE_WALK_MAX; id = l->links[id].next) {
        const struct link *k = &l->links[id];
        struct evidence *e = evidence_of(l, k->file);
        if (e != NULL) {
            double share = (fading_at(&k->count, l->now, OFTEN_HALF_LIFE) + SMOOTHING * e->often) / (seen + SMOOTHING);
            e->odds += log(share / e->often) - unlinked;
            e->weight += k->weight.value;
            add_word(e, kind, share);
        }
        walked++;
    }
    return w->commits == 0 ? 0 : unlinked;
}

static double follow_words(struct scope_learner *l)
{
    const struct title *t = &l->look.title;
    double unlinked = 0;
    for (uint32_t i = 0; i < t->count; i++) {
        unlinked += follow_word(l, t->words[i], (enum word_kind)t->kinds[i]);
    }
    return unlinked;
}

static void follow_names(struct scope_learner *l)
{
    const struct title *t = &l->look.title;
    for (uint32_t i = 0; i < t->count; i++) {
        uint32_t walked = 0;
        for (uint32_t at = l->words[t->words[i]].named; at != NONE && walked < SCOPE_WALK_MAX; at = l->cells[at].next) {
            (void)evidence_of(l, l->cells[at].item);
            walked++;
        }
    }
}

static void follow_near(struct scope_learner *l)
{
    const struct near *n = &l->look.near;
    for (uint32_t i = 0; i < n->count; i++) {
        const struct commit *c = &l->commits[n->commits[i]];
        double squared = n->similarities[i] * n->similarities[i];
        for (uint32_t k = 0; k < c->file_count; k++) {
            struct evidence *e = evidence_of(l, c->files[k]);
            if (e != NULL) {
                e->near += squared;
                e->nearest += i < NEAREST_COMMITS ? squared : 0;
            }
        }
    }
}

/* What is written out is a candidate, whatever else speaks for it. */
static void follow_mentions(struct scope_learner *l)
{
    for (uint32_t i = 0; i < l->look.mention_count; i++) {
        struct evidence *e = evidence_of(l, l->look.mentions[i].file);
        if (e != NULL) {
            e->rank = mention_rank;
        }
    }
}

static void follow_recent(struct scope_learner *l)
{
    for (uint32_t i = 1; i <= RECENT_COMMITS && i <= l->now; i++) {
        const struct commit *c = &l->commits[l->now - i];
        for (uint32_t k = 0; k < c->file_count && k < SCOPE_SWEEP_FILES; k++) {
            (void)evidence_of(l, c->files[k]);
        }
    }
}

/* --- the best of them --------------------------------------------------------------------------------------------- */

static int by_rank(const void *a, const void *b)
{
    const struct evidence *x = a;
    const struct evidence *y = b;
    return x->rank > y->rank ? -1 : x->rank < y->rank ? 1 : str_cmp(x->path, y->path);
}

static double rank_of(const struct scope_learner *l, const struct evidence *e, const struct match *m)
{
    double rank = without(l, SCOPE_RECENCY) ? 0 : log(e->often);
    rank += without(l, SCOPE_WORDS) ? 0 : e->odds;
    rank += without(l, SCOPE_NAMES) ? 0 : name_rank * (m->cover + m->cover_scope);
    return rank + (without(l, SCOPE_SIMILAR) ? 0 : near_rank * e->near / (l->look.near.sum + 0.1));
}

void gather(struct scope_learner *l)
{
    struct look *look = &l->look;
    l->gathered_count = 0;
    look->count = 0;
    look->named = 0;
    find_near(l);
    follow_mentions(l);
    double unlinked = follow_words(l);
    follow_names(l);
    follow_near(l);
    follow_recent(l);
    for (uint32_t i = 0; i < l->gathered_count; i++) {
        struct evidence *e = &l->gathered[i];
        struct match m = match_name(l, &look->title, &l->files[e->file]);
        look->named += m.kind >= MATCH_FULL ? 1 : 0;
        e->odds += l->files[e->file].commits == 0 ? 0 : unlinked;
        e->rank += rank_of(l, e, &m);
        l->files[e->file].slot = NONE;
    }
    if (l->gathered_count > 0) {
        qsort(l->gathered, l->gathered_count, sizeof *l->gathered, by_rank);
    }
    while (look->count < l->gathered_count && look->count < SCOPE_CANDIDATES_MAX) {
        struct candidate *c = &look->candidates[look->count];
        c->evidence = l->gathered[look->count];
        c->match = match_name(l, &look->title, &l->files[c->evidence.file]);
        l->files[c->evidence.file].slot = look->count++;
    }
}
