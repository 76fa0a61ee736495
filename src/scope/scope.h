/*
 * scope - which files a change will touch, learned from the history of its repository.
 *
 * A learner is handed commits, oldest first: a title and the files that were touched. Asked about a title, it gathers
 * the files that the history, the names and similar commits speak for, gives each a probability (one logistic
 * regression, trained as the commits come in, each one predicted before it is learned from), and chooses the set with
 * the highest expected F1. docs/scope.md says what each ingredient is worth.
 *
 * Deterministic: the same commits and the same question give the same answer, whatever was asked before and whatever
 * the hash seed. Of libm it uses sqrt, log and exp, so another libm may differ in the last bits of a probability: this
 * is advice and never a part of a verdict. Texts are bytes; they need not be UTF-8.
 * Pure: no clock, no file, no randomness.
 */
#ifndef SCOPE_SCOPE_H
#define SCOPE_SCOPE_H

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

enum {
    SCOPE_COMMITS_MAX = 32768,     /* of one learner */
    SCOPE_SWEEP_FILES = 20,        /* a commit with more teaches only that its files exist */
    SCOPE_COMMIT_FILES_MAX = 4096, /* of one commit; the rest is not looked at */
    SCOPE_FILES_MAX = 1 << 18,     /* later ones are never predicted */
    SCOPE_WORDS_MAX = 1 << 16,     /* later ones say nothing */
    SCOPE_LINKS_MAX = 1 << 20,     /* a word and a file that were seen together; later ones say nothing */
    SCOPE_TITLE_MAX = 512,         /* bytes; the rest is not read */
    SCOPE_BODY_MAX = 16384,        /* bytes; the rest is not read */
    SCOPE_PATH_MAX = 1024,         /* bytes; a longer path is never predicted */
    SCOPE_TITLE_WORDS_MAX = 48,    /* the rest is not read */
    SCOPE_MENTIONS_MAX = 64,       /* files that a title and a body write out; the rest is not read */
    SCOPE_WALK_MAX = 1024,         /* newest files or commits that one word is followed to */
    SCOPE_GATHERED_MAX = 4096,     /* files that are ranked for one question */
    SCOPE_CANDIDATES_MAX = 64,     /* files that get a probability */
    SCOPE_CHOSEN_MAX = 20,         /* files of a predicted set */
};

/* What a learner can be made to do without, to see what it is worth. */
enum scope_ingredient {
    SCOPE_RECENCY = 1 << 0,    /* how often, how lately a file was touched */
    SCOPE_WORDS = 1 << 1,      /* which files the title's words went with before */
    SCOPE_SIMILAR = 1 << 2,    /* the files of the most similar commits */
    SCOPE_NAMES = 1 << 3,      /* files that the title names */
    SCOPE_CONVENTION = 1 << 4, /* "type(scope)!: " is read as what it is */
    SCOPE_WEIGHTS = 1 << 5,    /* a learned weight for each file, and for each file and word */
    SCOPE_EXPECTED = 1 << 6,   /* the set of highest expected F1; without: each file that is likelier than not */
};

struct scope_settings {
    uint64_t hash_seed; /* has no part in the answers */
    uint32_t without;   /* of enum scope_ingredient; 0: nothing is left out */
};

struct scope_commit {
    struct str title;
    const struct str *files; /* each once */
    uint32_t file_count;
};

struct scope_question {
    struct str title;
    struct str body;        /* may be empty; only files that it writes out count */
    const struct str *tree; /* the files that exist; null: all that were ever touched */
    uint32_t tree_count;
};

struct scope_guess {
    struct str path;    /* of the learner */
    double probability; /* 0 to 1 */
};

struct scope_prediction {
    struct scope_guess guesses[SCOPE_CANDIDATES_MAX]; /* most probable first; equals by path */
    uint32_t count;
    uint32_t chosen;    /* the first so many are the predicted set; 0 only when there is nothing to choose from */
    double expected_f1; /* of that set, were the probabilities right */
};

/* The name of an ingredient for an option, such as "names"; null behind the last. */
const char *scope_ingredient_name(uint32_t i);

struct scope_learner;

/* Null when the machine is out of memory. settings may be null. */
struct scope_learner *scope_learner_new(const struct scope_settings *settings);
void scope_learner_free(struct scope_learner *l);
DEFINE_CLEANUP(scope_learner)

/*
 * One commit, after all that were learned before.
 * Borrows: commit's texts, for the call only.
 * Errors:  RC_LIMIT (SCOPE_COMMITS_MAX), RC_NO_MEMORY.
 */
NODISCARD enum rc scope_learn(struct scope_learner *l, const struct scope_commit *commit, struct err *e);

/*
 * Keeps:  in ret paths of the learner, valid until scope_learner_free.
 * Errors: RC_NO_MEMORY, RC_LIMIT (the learner's memory).
 */
NODISCARD enum rc scope_predict(struct scope_learner *l, const struct scope_question *q, struct scope_prediction *ret,
                                struct err *e);

#endif
