/*
 * scope/scope_internal - what a learner remembers, and one question on its way through it.
 *
 * words.c turns titles and paths into words; memory.c keeps words, files, links and commits; mention.c finds files that
 * are written out, near.c similar commits, gather.c the files that anything speaks for; features.c says in numbers what
 * speaks for each; learner.c weighs the numbers.
 * Ids are indexes of tables in the order of first sight. No answer depends on them: ties go by path.
 */
#ifndef SCOPE_SCOPE_INTERNAL_H
#define SCOPE_SCOPE_INTERNAL_H

#include "base/arena.h"
#include "base/map.h"
#include "scope/scope.h"

#include <stdbool.h>

#define NONE UINT32_MAX /* no row */

enum {
    NAME_WORDS_MAX = 8, /* words of a file's base name */
    WORD_BYTES_MAX = 48, /* a longer run of letters is no word */
    NEAR_COMMITS = 25,  /* similar commits that are looked at */
    NEAREST_COMMITS = 5,
};

/* Commits until a count has faded to its half. */
enum { OFTEN_HALF_LIFE = 500, LATELY_HALF_LIFE = 100, NEAR_HALF_LIFE = 1500 };

/* A count that fades: value as it was at commit at. */
struct fading {
    double value;
    uint32_t at;
};

/* A weight and the sum of its squared slopes. Source: Duchi, Hazan, Singer, "Adaptive Subgradient Methods" (2011). */
struct weight {
    double value;
    double slopes;
};

/* A list in a table: newest first. */
struct cell {
    uint32_t item;
    uint32_t next;
};

struct word {
    struct str text;
    struct fading seen; /* commits with it in their title */
    uint32_t commits;   /* the same, not fading */
    uint32_t names;     /* touched files with it in their base name */
    uint32_t links;     /* newest first */
    uint32_t titles;    /* cells: commits */
    uint32_t named;     /* cells: files */
};

/* A word and a file that a commit brought together. */
struct link {
    uint32_t file;
    uint32_t next;
    struct fading count;
    struct weight weight;
};

/* How far a title names a file; see match_kind(). */
enum match_kind { MATCH_NONE, MATCH_PART, MATCH_HALF, MATCH_FULL, MATCH_SCOPE, MATCH_SCOPES, MATCH_KINDS };

/* The files of one folder with one extension: how often one was touched that a title named so far. */
struct family {
    struct fading touched[MATCH_KINDS];
    struct fading all[MATCH_KINDS];
};

struct file {
    struct str path;
    uint32_t words[NAME_WORDS_MAX];
    uint32_t word_count;
    uint32_t family;
    uint32_t commits; /* that touched it; 0: known only from a tree */
    uint32_t last;    /* the newest of them */
    struct fading often;
    struct fading lately;
    struct weight weight;
    uint32_t in_tree; /* the newest question whose tree has it */
    uint32_t asked;   /* the newest question that gathered it, */
    uint32_t slot;    /* and where: among the gathered, then among the candidates; or NONE */
};

struct commit {
    uint32_t *files;
    uint32_t file_count;
    double norm; /* of its title's words: the sum of their squared weights when it was learned */
};

/* --- a title ------------------------------------------------------------------------------------------------------ */

enum word_kind {
    WORD_PLAIN,
    WORD_SCOPE, /* stands in the parentheses of a conventional title, or before its colon */
    WORD_TYPE,  /* "fix" of "fix(parser): ..."; every title has one, "" when it is not conventional */
    WORD_PAIR,  /* a type with a scope; the mark of a breaking change */
};

struct title {
    uint32_t words[SCOPE_TITLE_WORDS_MAX]; /* each once */
    uint8_t kinds[SCOPE_TITLE_WORDS_MAX];
    uint32_t count;
    uint32_t scopes;  /* names in the scope */
    uint32_t plain;   /* words as they stand there, repetitions too */
};

/* --- a question --------------------------------------------------------------------------------------------------- */

enum feature {
    F_BIAS, F_OFTEN, F_LATELY, F_AGE, F_NEW, F_WORDS, F_BEST, F_SECOND, F_SCOPE, F_TYPE, F_PAIR, F_NEAR, F_NEAREST,
    F_NEAR_SURE, F_NEAREST_SURE, F_SIZE, F_SIZE_OFTEN, F_COVER, F_COVER_SCOPE, F_RARE, F_FAMILY, F_NAMED,
    F_UNNAMED, F_LENGTH, FEATURES
};

/* What was found for a file before it is a candidate. */
struct evidence {
    uint32_t file;
    struct str path;
    double often;   /* the file's rate; of one that was never touched, an average file's */
    double unseen;  /* the share that stands for a word which never went with it */
    double odds;    /* log-odds of the words against the file's rate */
    double best;    /* the highest share of a word's commits that touched it, */
    double second;  /* and the next */
    double scope;   /* the highest of a scope's */
    double type;
    double pair;
    double near;    /* shares of the similar commits that touched it, */
    double nearest; /* and of the most similar */
    double weight;  /* learned: its own and its words' */
    double rank;
};

struct match {
    double cover;       /* share of the name's words, by rarity, that the title has */
    double cover_scope; /* that its scope has */
    double rare;        /* sum of the rarity of those words in titles */
    enum match_kind kind;
};

struct candidate {
    struct evidence evidence;
    struct match match;
    double x[FEATURES];
    double probability;
};

/* The similar commits, together. */
struct near {
    uint32_t commits[NEAR_COMMITS]; /* most similar first */
    double similarities[NEAR_COMMITS]; /* 0 to 1 */
    uint32_t count;
    double sum;     /* of the squared similarities */
    double sum_few; /* of the most similar ones' */
    double size;    /* mean log(1 + files) */
};

/* A file that is written out. */
struct mention {
    uint32_t file;
    double probability; /* at least */
};

struct look {
    struct title title;
    struct mention mentions[SCOPE_MENTIONS_MAX];
    uint32_t mention_count;
    struct near near;
    uint32_t named; /* files that the title names */
    struct candidate candidates[SCOPE_CANDIDATES_MAX];
    uint32_t count;
    bool has_tree;
};

struct scope_learner {
    struct arena *arena;
    uint32_t without;
    uint32_t now;       /* commits learned */
    uint32_t questions; /* asked, the learner's own too */
    uint32_t named_files; /* touched */
    struct fading commits_faded;
    struct fading commits_lately;
    struct fading touches; /* of all files */
    struct word *words;
    struct file *files;
    struct link *links;
    struct cell *cells;
    struct family *families;
    struct commit *commits;
    uint32_t word_count, word_room;
    uint32_t file_count, file_room;
    uint32_t link_count, link_room;
    uint32_t cell_count, cell_room;
    uint32_t family_count, family_room;
    struct strmap word_ids;
    struct strmap file_ids;
    struct strmap family_ids;
    struct idmap link_ids;
    struct weight weights[FEATURES];                /* of the numbers, */
    struct weight kind_weights[MATCH_KINDS][FEATURES]; /* and what is added for files that are named so far */
    struct evidence *gathered;
    uint32_t gathered_count;
    double *similarity; /* per commit; zero between questions */
    uint32_t *alike;    /* commits that have any */
    struct look look;
};

/* --- words.c ------------------------------------------------------------------------------------------------------ */

enum rc title_read(struct scope_learner *l, struct str title, struct title *ret);
/* The words of a path's base name, without its extension. */
enum rc name_words(struct scope_learner *l, struct str path, struct file *ret);
struct str path_base(struct str path);

/* --- memory.c ----------------------------------------------------------------------------------------------------- */

double fading_at(const struct fading *f, uint32_t now, double half_life);
void fading_add(struct fading *f, uint32_t now, double half_life);
/* *ret is NONE when the table is at its limit. */
enum rc word_id(struct scope_learner *l, struct str text, uint32_t *ret);
enum rc file_id(struct scope_learner *l, struct str path, uint32_t *ret);
/* Remembers a commit: its words, its files, and what went with what. */
enum rc remember(struct scope_learner *l, const struct title *t, const struct scope_commit *commit);
/* How rare a word is in titles: log(commits / commits with it). */
double word_rarity(const struct scope_learner *l, uint32_t word);
/* The rate at which commits touch a file. Of one that was never touched nothing is known: it counts as an average one. */
double file_often(const struct scope_learner *l, const struct file *f);
double file_lately(const struct scope_learner *l, const struct file *f);

/* --- mention.c, near.c, gather.c, features.c ---------------------------------------------------------------------- */

/* What a word's share of commits is smoothed with: so many commits at the file's own rate. */
enum { SMOOTHING = 2 };

/* Fills in the mentions of l->look. */
enum rc find_mentions(struct scope_learner *l, struct str title, struct str body);
/* Whether the question is about a tree with the file, or about all that were ever touched. */
bool can_be_touched(const struct scope_learner *l, const struct file *f);
/* Fills in l->look, whose title and tree are given, with candidates: their evidence and matches. */
void gather(struct scope_learner *l);
/* The most similar commits. */
void find_near(struct scope_learner *l);
struct match match_name(const struct scope_learner *l, const struct title *t, const struct file *f);
/* The numbers of all candidates. */
void weigh_features(struct scope_learner *l);
double log_odds(double p);

#endif
