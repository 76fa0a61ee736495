#include "scope/scope_internal.h"

#include <math.h>

/* Cosine similarity of titles, words weighted by their rarity, fading with the commits in between. */

/* Adds a word's part to the newest commits that have it. */
static uint32_t add_shared(struct scope_learner *l, uint32_t word, double squared, uint32_t alike)
{
    uint32_t walked = 0;
    for (uint32_t at = l->words[word].titles; at != NONE && walked < SCOPE_WALK_MAX; at = l->cells[at].next) {
        uint32_t commit = l->cells[at].item;
        if (l->similarity[commit] == 0) {
            l->alike[alike++] = commit;
        }
        l->similarity[commit] += squared;
        walked++;
    }
    return alike;
}

/* Keeps the list of the most similar sorted; of equals the newer comes first. */
static void keep_near(struct near *n, uint32_t commit, double similarity)
{
    uint32_t at = n->count < NEAR_COMMITS ? n->count++ : NEAR_COMMITS;
    while (at > 0 && (n->similarities[at - 1] < similarity ||
                      (n->similarities[at - 1] <= similarity && n->commits[at - 1] < commit))) {
        if (at < NEAR_COMMITS) {
            n->similarities[at] = n->similarities[at - 1];
            n->commits[at] = n->commits[at - 1];
        }
        at--;
    }
    if (at < NEAR_COMMITS) {
        n->similarities[at] = similarity;
        n->commits[at] = commit;
    }
}

static void sum_up(const struct scope_learner *l, struct near *n)
{
    double sizes = 0;
    for (uint32_t i = 0; i < n->count; i++) {
        double squared = n->similarities[i] * n->similarities[i];
        n->sum += squared;
        n->sum_few += i < NEAREST_COMMITS ? squared : 0;
        sizes += squared * log(1.0 + l->commits[n->commits[i]].file_count);
    }
    /* Nothing similar: as if it had two or three files. */
    n->size = (sizes + 0.06) / (n->sum + 0.05);
}

void find_near(struct scope_learner *l)
{
    const struct title *t = &l->look.title;
    struct near *n = &l->look.near;
    double norm = 0;
    uint32_t alike = 0;
    *n = (struct near){.count = 0};
    for (uint32_t i = 0; i < t->count; i++) {
        double rarity = word_rarity(l, t->words[i]);
        norm += rarity * rarity;
        alike = add_shared(l, t->words[i], rarity * rarity, alike);
    }
    for (uint32_t i = 0; i < alike; i++) {
        uint32_t commit = l->alike[i];
        struct fading cosine = {l->similarity[commit] / sqrt(norm * l->commits[commit].norm + 1e-9), commit};
        keep_near(n, commit, fading_at(&cosine, l->now, NEAR_HALF_LIFE));
        l->similarity[commit] = 0;
    }
    sum_up(l, n);
}
