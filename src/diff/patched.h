/*
 * diff/patched - one file of a patch, as its lines say it, and the row that it becomes: for this folder. Pure.
 */
#ifndef DIFF_PATCHED_H
#define DIFF_PATCHED_H

#include "base/buf.h"
#include "diff/codeowners.h"
#include "diff/git.h"
#include "diff/removed.h"

struct patched {
    struct str old_path; /* empty: not said */
    struct str new_path;
    struct str head;     /* "a/x b/x" of the line diff --git */
    struct str old_mode;
    struct str new_mode;
    bool made;
    bool deleted;
    bool renamed;
    bool copied;
    bool binary;
    bool named;  /* by --- and +++ */
    bool open;   /* there is one */
    uint64_t lines_removed;
    uint64_t lines_added;
    struct removed_lines auth;
    struct removed_lines tests;
};

/* What all files of a patch have in common. */
struct patch_rows {
    struct arena *arena;
    struct diff_changes *changes;
    const struct diff_settings *settings;
    struct codeowners owners;
    struct buf lower; /* the line at hand in small letters */
    struct patched file;
};

/* A line of a hunk, without its sign. */
void patched_line(struct patch_rows *r, struct str line, bool added);
/* Adds the row of the file, if one is open. */
void patched_close(struct patch_rows *r);
/* The path of a head line; its date, the prefix of its side and quotes are taken off. Empty for /dev/null. */
struct str patched_path(struct arena *a, struct str s, bool prefixed);

#endif
