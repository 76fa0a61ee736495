#include "scope/scope_internal.h"

#include "base/must.h"
#include "scope/cut.h"

#include <math.h>
#include <stdlib.h>

enum { LEARNER_ARENA_MAX = 768 << 20 };

/* Steps of the regression: of the numbers, of what is added to them for a kind of match, of the files' and words' own
 * weights. */
static const double number_step = 0.1;
static const double kind_step = 0.05;
static const double weight_step = 0.2;
static const double slope_ignored = 0.001;

/* A file that is less likely is not named beside others: where nothing is known, a long list is no better than a short one. */
static const double least_named = 0.05;

static const char *const ingredient_names[] = {"recency",    "words",   "similar", "names",
                                               "convention", "weights", "expected"};

const char *scope_ingredient_name(uint32_t i)
{
    return i < sizeof ingredient_names / sizeof *ingredient_names ? ingredient_names[i] : NULL;
}

/* --- a learner ---------------------------------------------------------------------------------------------------- */

struct scope_learner *scope_learner_new(const struct scope_settings *settings)
{
    struct scope_learner *l = calloc(1, sizeof *l);
    uint64_t seed = settings == NULL ? 0 : settings->hash_seed;
    if (l == NULL) {
        return NULL;
    }
    l->without = settings == NULL ? 0 : settings->without;
    strmap_init(&l->word_ids, seed);
    strmap_init(&l->file_ids, seed);
    strmap_init(&l->family_ids, seed);
    idmap_init(&l->link_ids, seed);
    l->arena = arena_new(LEARNER_ARENA_MAX);
    if (l->arena != NULL) {
        l->commits = arena_array(l->arena, SCOPE_COMMITS_MAX, sizeof *l->commits);
        l->similarity = arena_array(l->arena, SCOPE_COMMITS_MAX, sizeof *l->similarity);
        l->alike = arena_array(l->arena, SCOPE_COMMITS_MAX, sizeof *l->alike);
        l->gathered = arena_array(l->arena, SCOPE_GATHERED_MAX, sizeof *l->gathered);
    }
    if (l->arena == NULL || arena_rc(l->arena) != RC_OK) {
        scope_learner_free(l);
        return NULL;
    }
    return l;
}

void scope_learner_free(struct scope_learner *l)
{
    if (l == NULL) {
        return;
    }
    strmap_done(&l->word_ids);
    strmap_done(&l->file_ids);
    strmap_done(&l->family_ids);
    idmap_done(&l->link_ids);
    arena_free(l->arena);
    free(l);
}

/* --- a look ------------------------------------------------------------------------------------------------------- */

static double probability(double odds)
{
    return odds > 30 ? 1 : odds < -30 ? 0 : 1 / (1 + exp(-odds));
}

static struct weight *kind_weights(struct scope_learner *l, const struct candidate *c)
{
    return l->kind_weights[(l->without & SCOPE_NAMES) != 0 ? MATCH_NONE : c->match.kind];
}

/* Every candidate of the look's title gets its probability. */
static void look_at(struct scope_learner *l)
{
    gather(l);
    weigh_features(l);
    for (uint32_t i = 0; i < l->look.count; i++) {
        struct candidate *c = &l->look.candidates[i];
        const struct weight *kind = kind_weights(l, c);
        double odds = (l->without & SCOPE_WEIGHTS) != 0 ? 0 : c->evidence.weight;
        for (uint32_t k = 0; k < FEATURES; k++) {
            odds += (l->weights[k].value + kind[k].value) * c->x[k];
        }
        c->probability = probability(odds);
    }
}

/* --- learning ----------------------------------------------------------------------------------------------------- */

static void step(struct weight *w, double slope, double size)
{
    w->slopes += slope * slope;
    w->value -= size * slope / sqrt(w->slopes + 1);
}

static void step_numbers(struct scope_learner *l, const struct candidate *c, double slope)
{
    struct weight *kind = kind_weights(l, c);
    for (uint32_t k = 0; k < FEATURES; k++) {
        if (c->x[k] != 0) {
            step(&l->weights[k], slope * c->x[k], number_step);
            step(&kind[k], slope * c->x[k], kind_step);
        }
    }
}

/* slopes: of the candidates, in their order. */
static void step_words(struct scope_learner *l, const double *slopes)
{
    const struct title *t = &l->look.title;
    for (uint32_t i = 0; i < t->count; i++) {
        uint32_t walked = 0;
        for (uint32_t id = l->words[t->words[i]].links; id != NONE && walked < SCOPE_WALK_MAX; id = l->links[id].next) {
            struct link *k = &l->links[id];
            const struct file *f = &l->files[k->file];
            if (f->asked == l->questions && f->slot != NONE && slopes[f->slot] != 0) {
                step(&k->weight, slopes[f->slot], weight_step);
            }
            walked++;
        }
    }
}

static void count_families(struct scope_learner *l, const bool *touched)
{
    for (uint32_t i = 0; i < l->look.count; i++) {
        const struct candidate *c = &l->look.candidates[i];
        struct family *m = &l->families[l->files[c->evidence.file].family];
        fading_add(&m->all[c->match.kind], l->now, OFTEN_HALF_LIFE);
        if (touched[i]) {
            fading_add(&m->touched[c->match.kind], l->now, OFTEN_HALF_LIFE);
        }
    }
}

/* Compares what the look says with what the commit touched. */
static void learn_from(struct scope_learner *l, const struct scope_commit *commit)
{
    bool touched[SCOPE_CANDIDATES_MAX] = {false};
    double slopes[SCOPE_CANDIDATES_MAX];
    for (uint32_t i = 0; i < commit->file_count; i++) {
        uint32_t id = strmap_get(&l->file_ids, commit->files[i]);
        if (id != NONE && l->files[id].asked == l->questions && l->files[id].slot != NONE) {
            touched[l->files[id].slot] = true;
        }
    }
    for (uint32_t i = 0; i < l->look.count; i++) {
        struct candidate *c = &l->look.candidates[i];
        double slope = c->probability - (touched[i] ? 1 : 0);
        slopes[i] = fabs(slope) > slope_ignored ? slope : 0;
        if (slopes[i] != 0) {
            step_numbers(l, c, slope);
            step(&l->files[c->evidence.file].weight, slope, weight_step);
        }
    }
    step_words(l, slopes);
    count_families(l, touched);
}

static enum rc failed(enum rc rc, struct err *e)
{
    return rc == RC_OK ? rc : err_set(e, rc, rc == RC_LIMIT ? "the history is too large" : "out of memory");
}

enum rc scope_learn(struct scope_learner *l, const struct scope_commit *commit, struct err *e)
{
    if (l->now == SCOPE_COMMITS_MAX) {
        return err_set(e, RC_LIMIT, "more than %d commits", SCOPE_COMMITS_MAX);
    }
    l->look.mention_count = 0;
    enum rc rc = title_read(l, commit->title, &l->look.title);
    if (rc == RC_OK && commit->file_count > 0 && commit->file_count <= SCOPE_SWEEP_FILES) {
        l->questions++;
        l->look.has_tree = false;
        look_at(l);
        learn_from(l, commit);
    }
    rc = rc == RC_OK ? remember(l, &l->look.title, commit) : rc;
    l->now++;
    return failed(rc, e);
}

/* --- predicting --------------------------------------------------------------------------------------------------- */

static int by_probability(const void *a, const void *b)
{
    const struct scope_guess *x = a;
    const struct scope_guess *y = b;
    return x->probability > y->probability   ? -1
           : x->probability < y->probability ? 1
                                             : str_cmp(x->path, y->path);
}

static void choose(const struct scope_learner *l, struct scope_prediction *p)
{
    double probabilities[SCOPE_CANDIDATES_MAX] = {0};
    for (uint32_t i = 0; i < p->count; i++) {
        probabilities[i] = p->guesses[i].probability;
    }
    uint32_t likely = 0;
    while (likely < p->count && (likely == 0 || probabilities[likely] >= least_named)) {
        likely++;
    }
    p->chosen = scope_cut(probabilities, p->count, likely, &p->expected_f1);
    if ((l->without & SCOPE_EXPECTED) != 0) {
        p->chosen = p->count > 0 ? 1 : 0;
        while (p->chosen < p->count && p->chosen < SCOPE_CHOSEN_MAX && probabilities[p->chosen] > 0.5) {
            p->chosen++;
        }
    }
}

static void raise_mentioned(struct scope_learner *l)
{
    for (uint32_t i = 0; i < l->look.mention_count; i++) {
        const struct mention *m = &l->look.mentions[i];
        uint32_t slot = l->files[m->file].slot;
        if (slot != NONE && l->look.candidates[slot].probability < m->probability) {
            l->look.candidates[slot].probability = m->probability;
        }
    }
}

static enum rc mark_tree(struct scope_learner *l, const struct scope_question *q)
{
    enum rc rc = RC_OK;
    must(q->tree != NULL || q->tree_count == 0);
    for (uint32_t i = 0; rc == RC_OK && i < q->tree_count; i++) {
        uint32_t id;
        rc = file_id(l, q->tree[i], &id);
        if (rc == RC_OK && id != NONE) {
            l->files[id].in_tree = l->questions;
        }
    }
    return rc;
}

enum rc scope_predict(struct scope_learner *l, const struct scope_question *q, struct scope_prediction *ret, struct err *e)
{
    l->questions++;
    l->look.has_tree = q->tree != NULL;
    enum rc rc = mark_tree(l, q);
    rc = rc == RC_OK ? title_read(l, q->title, &l->look.title) : rc;
    rc = rc == RC_OK ? find_mentions(l, q->title, q->body) : rc;
    if (rc != RC_OK) {
        return failed(rc, e);
    }
    look_at(l);
    raise_mentioned(l);
    *ret = (struct scope_prediction){.count = l->look.count};
    for (uint32_t i = 0; i < l->look.count; i++) {
        const struct candidate *c = &l->look.candidates[i];
        ret->guesses[i] = (struct scope_guess){c->evidence.path, c->probability};
    }
    qsort(ret->guesses, ret->count, sizeof *ret->guesses, by_probability);
    choose(l, ret);
    return RC_OK;
}
