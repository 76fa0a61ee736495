/*
 * cli/git_output - what git prints, for `pawl diff git` and `pawl scope`: an exact command, a time limit, a maximum.
 *
 * No shell, no pager, no external diff or text conversion, no hook of a file system monitor: only git itself runs, on
 * the words given here, in our folder or the one that is named.
 */
#ifndef CLI_GIT_OUTPUT_H
#define CLI_GIT_OUTPUT_H

#include "base/buf.h"
#include "base/err.h"

enum { GIT_WAIT_MS = 60000, GIT_ID_MAX = 64 };

/* "main..HEAD": both sides may be left out, and neither may look like an option. */
bool git_is_range(struct str word);
/* The patch from one side to the other, without context. out's max is the limit. */
NODISCARD enum rc git_patch(struct str range, struct buf *out, struct err *e);
/* CODEOWNERS as it is before the change: whoever changes it must not choose its owners. RC_NOT_FOUND: none. */
NODISCARD enum rc git_codeowners(struct str range, struct buf *out, struct err *e);

/* --- a repository's history; folder: null for ours ---------------------------------------------------------------- */

/* The full name of a commit, with a NUL: so that nothing that is handed to git later can look like an option. */
NODISCARD enum rc git_commit_id(const char *folder, const char *commit, char ret[static GIT_ID_MAX + 1], struct err *e);
/* Both sides of a range; a side that is left out is HEAD. */
NODISCARD enum rc git_range_ids(const char *folder, const char *range, char ret_base[static GIT_ID_MAX + 1],
                                char ret_head[static GIT_ID_MAX + 1], struct err *e);
/* The newest count commits up to head, without merges, newest first, no commit before its parents in history. not_in: what
 * that commit has already is left out; null for nothing. As scope/log.h reads it. */
NODISCARD enum rc git_log(const char *folder, const char *head, const char *not_in, uint32_t count, struct buf *out,
                          struct err *e);
/* Paths with NULs between them: of a commit's tree; of what differs between two commits (a rename is two paths). */
NODISCARD enum rc git_tree(const char *folder, const char *commit, struct buf *out, struct err *e);
NODISCARD enum rc git_changed(const char *folder, const char *base, const char *head, struct buf *out, struct err *e);

#endif
