/*
 * diff/git - what a patch changes, file by file.
 *
 * Reads unified diffs: of git (`git diff`, `git format-patch`, mails with renames, modes, binaries, symbolic links and
 * submodules) and of diff -u. The lines of a hunk are counted as its head says, so a removed line that looks like a
 * head is none. What a patch's text says besides is no part of it. Contents are never shown.
 * Pure: the patch is handed in.
 * Source: git-diff(1) "Generating patch text with -p"; POSIX diff -u.
 */
#ifndef DIFF_GIT_H
#define DIFF_GIT_H

#include "diff/changes.h"

enum { GIT_HUNK_LINES_MAX = 10 << 20 };

/* What a repository says about itself; zeroed is the defaults. */
struct diff_settings {
    struct str codeowners; /* the file's text */
    bool has_codeowners;   /* false: owners are not looked at */
    /* Globs over whole paths ('*' goes over '/' too); null: the defaults of docs/diff.md. */
    const struct str *test_paths;
    uint32_t test_path_count;
    /* Lower case texts: a removed line with one of them checked who may do what; null: the defaults. */
    const struct str *auth_words;
    uint32_t auth_word_count;
};

/*
 * Keeps:  texts of patch by reference. settings may be null.
 * Errors: RC_INVALID with the line; RC_LIMIT, RC_NO_MEMORY.
 */
NODISCARD enum rc diff_git(struct arena *a, struct str patch, const struct diff_settings *settings,
                           struct diff_changes *ret, struct err *e);
/* A text that holds a patch. */
bool diff_is_patch(struct str text);

#endif
