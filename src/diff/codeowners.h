/*
 * diff/codeowners - who answers for a path.
 *
 * The rules of GitHub: a pattern and its owners on each line, the last that fits counts, and one without owners takes
 * them away. A pattern without a slash in it fits at any depth, others from the root; "*" stays within a folder, "**"
 * goes over any number, a folder takes all that is in it, and "*" at the end only the files directly there. Lines with "!",
 * "[" or nothing but owners are not rules there, and are skipped. Pure.
 * Source: docs.github.com "About code owners".
 */
#ifndef DIFF_CODEOWNERS_H
#define DIFF_CODEOWNERS_H

#include "base/arena.h"
#include "base/err.h"
#include "value/value.h"

enum {
    CODEOWNERS_RULES_MAX = 4096,
    CODEOWNERS_DEPTH_MAX = 63, /* folders of a path or a pattern */
};

struct owner_rule {
    const struct str *steps; /* of the pattern */
    unsigned count;
    bool anchored; /* at the root */
    bool folder;   /* only what is in it */
    struct str owners; /* as they stand there, with spaces between */
};

struct codeowners {
    struct owner_rule *rules;
    uint32_t count;
};

/* Keeps: text by reference. Errors: RC_LIMIT for rules or the arena. */
NODISCARD enum rc codeowners_read(struct arena *a, struct str text, struct codeowners *ret, struct err *e);
/* A list of texts; empty when nobody owns it. */
struct value codeowners_of(struct arena *a, const struct codeowners *o, struct str path);
/* One pattern: for tests of the rules. */
bool codeowners_match(struct str pattern, struct str path);
/* One of the places where forges look for it. */
bool codeowners_is_file(struct str path);

#endif
