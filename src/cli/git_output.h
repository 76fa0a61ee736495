/*
 * cli/git_output - what git prints, for `pawl diff git`: an exact command, a time limit, a maximum.
 *
 * No shell, no pager, no external diff or text conversion, no hook of a file system monitor: only git itself runs, on
 * the words given here, in our folder.
 */
#ifndef CLI_GIT_OUTPUT_H
#define CLI_GIT_OUTPUT_H

#include "base/buf.h"
#include "base/err.h"

enum { GIT_WAIT_MS = 60000 };

/* "main..HEAD": both sides may be left out, and neither may look like an option. */
bool git_is_range(struct str word);
/* The patch from one side to the other, without context. out's max is the limit. */
NODISCARD enum rc git_patch(struct str range, struct buf *out, struct err *e);
/* CODEOWNERS as it is before the change: whoever changes it must not choose its owners. RC_NOT_FOUND: none. */
NODISCARD enum rc git_codeowners(struct str range, struct buf *out, struct err *e);

#endif
