#include "scope/scope_internal.h"

#include <math.h>

/* Which ingredient a number belongs to. Those of none stay. */
static const uint32_t ingredients[FEATURES] = {
    [F_OFTEN] = SCOPE_RECENCY,        [F_LATELY] = SCOPE_RECENCY,     [F_AGE] = SCOPE_RECENCY,
    [F_NEW] = SCOPE_RECENCY,          [F_WORDS] = SCOPE_WORDS,        [F_BEST] = SCOPE_WORDS,
    [F_SECOND] = SCOPE_WORDS,         [F_SCOPE] = SCOPE_WORDS,        [F_TYPE] = SCOPE_WORDS,
    [F_PAIR] = SCOPE_WORDS,           [F_NEAR] = SCOPE_SIMILAR,       [F_NEAREST] = SCOPE_SIMILAR,
    [F_NEAR_SURE] = SCOPE_SIMILAR,    [F_NEAREST_SURE] = SCOPE_SIMILAR, [F_SIZE] = SCOPE_SIMILAR,
    [F_SIZE_OFTEN] = SCOPE_SIMILAR,   [F_COVER] = SCOPE_NAMES,        [F_COVER_SCOPE] = SCOPE_NAMES,
    [F_RARE] = SCOPE_NAMES,           [F_FAMILY] = SCOPE_NAMES,       [F_NAMED] = SCOPE_NAMES,
    [F_UNNAMED] = SCOPE_NAMES,
};

/* --- names -------------------------------------------------------------------------------------------------------- */

static enum match_kind match_kind(const struct match *m, uint32_t scopes)
{
    if (m->cover_scope > 0.6) {
        return scopes > 1 ? MATCH_SCOPES : MATCH_SCOPE;
    }
    return m->cover > 0.6 ? MATCH_FULL : m->cover > 0.3 ? MATCH_HALF : m->cover > 0 ? MATCH_PART : MATCH_NONE;
}

static bool names_files(uint8_t kind)
{
    return kind == WORD_PLAIN || kind == WORD_SCOPE;
}

struct match match_name(const struct scope_learner *l, const struct title *t, const struct file *f)
{
    struct match m = {.cover = 0};
    double all = 0;
    for (uint32_t i = 0; i < f->word_count; i++) {
        const struct word *w = &l->words[f->words[i]];
        double rare = log(1 + (double)l->named_files / (1.0 + w->names));
        all += rare;
        for (uint32_t k = 0; k < t->count; k++) {
            if (t->words[k] == f->words[i] && names_files(t->kinds[k])) {
                m.cover += rare;
                m.cover_scope += t->kinds[k] == WORD_SCOPE ? rare : 0;
                m.rare += word_rarity(l, f->words[i]);
            }
        }
    }
    m.cover = all > 0 ? m.cover / all : 0;
    m.cover_scope = all > 0 ? m.cover_scope / all : 0;
    m.kind = match_kind(&m, t->scopes);
    return m;
}

/* --- numbers ------------------------------------------------------------------------------------------------------ */

double log_odds(double p)
{
    p = p < 1e-4 ? 1e-4 : p > 1 - 1e-4 ? 1 - 1e-4 : p;
    return log(p / (1 - p));
}

/* Log-odds reach to 9; a number should reach to 2 or so. */
static double scaled(double p)
{
    return log_odds(p) / 4;
}

/* How often files of its folder and extension were touched that a title named so far. */
static double family_rate(const struct scope_learner *l, const struct file *f, enum match_kind kind)
{
    const struct family *m = &l->families[f->family];
    double touched = fading_at(&m->touched[kind], l->now, OFTEN_HALF_LIFE);
    return (touched + 0.03) / (fading_at(&m->all[kind], l->now, OFTEN_HALF_LIFE) + 0.3);
}

static void of_recency(const struct scope_learner *l, const struct candidate *c, double *x)
{
    const struct file *f = &l->files[c->evidence.file];
    x[F_OFTEN] = scaled(c->evidence.often);
    x[F_LATELY] = scaled(file_lately(l, f));
    x[F_AGE] = log(1.0 + (l->now - f->last)) / 6;
    x[F_NEW] = f->commits < 3 ? 1 : 0;
}

static void of_words(const struct scope_learner *l, const struct candidate *c, double *x)
{
    const struct evidence *e = &c->evidence;
    x[F_WORDS] = e->odds / 8;
    x[F_BEST] = scaled(e->best > 0 ? e->best : e->unseen);
    x[F_SECOND] = scaled(e->second > 0 ? e->second : e->unseen);
    x[F_SCOPE] = l->look.title.scopes > 0 ? scaled(e->scope > 0 ? e->scope : e->unseen) : 0;
    x[F_TYPE] = scaled(e->type > 0 ? e->type : e->unseen);
    x[F_PAIR] = scaled(e->pair > 0 ? e->pair : e->unseen);
}

static void of_similar(const struct scope_learner *l, const struct candidate *c, double *x)
{
    const struct near *n = &l->look.near;
    const struct evidence *e = &c->evidence;
    double highest = n->count > 0 ? n->similarities[0] : 0;
    x[F_NEAR] = scaled((e->near + 0.1 * e->often) / (n->sum + 0.1));
    x[F_NEAREST] = scaled((e->nearest + 0.1 * e->often) / (n->sum_few + 0.1));
    x[F_NEAR_SURE] = e->near / (n->sum + 0.1) * highest;
    x[F_NEAREST_SURE] = e->nearest / (n->sum_few + 0.1) * highest;
    x[F_SIZE] = n->size - 1.2;
    x[F_SIZE_OFTEN] = x[F_SIZE] * scaled(e->often);
}

static void of_names(const struct scope_learner *l, const struct candidate *c, double *x)
{
    const struct match *m = &c->match;
    uint32_t named = l->look.named;
    x[F_COVER] = m->cover;
    x[F_COVER_SCOPE] = m->cover_scope;
    x[F_RARE] = m->rare / 8;
    x[F_FAMILY] = scaled(family_rate(l, &l->files[c->evidence.file], m->kind));
    x[F_NAMED] = named > 6 ? 1 : named / 6.0;
    x[F_UNNAMED] = named > 0 && m->kind < MATCH_HALF ? scaled(c->evidence.often) : 0;
}

void weigh_features(struct scope_learner *l)
{
    for (uint32_t i = 0; i < l->look.count; i++) {
        struct candidate *c = &l->look.candidates[i];
        c->x[F_BIAS] = 1;
        c->x[F_LENGTH] = (l->look.title.plain - 8.0) / 8;
        of_recency(l, c, c->x);
        of_words(l, c, c->x);
        of_similar(l, c, c->x);
        of_names(l, c, c->x);
        for (uint32_t k = 0; k < FEATURES; k++) {
            c->x[k] = (ingredients[k] & l->without) != 0 ? 0 : c->x[k];
        }
    }
}
