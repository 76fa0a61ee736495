/*
 * scope/log - the output of `git log` as commits.
 *
 * Reads SCOPE_LOG_FORMAT with --raw -z --no-renames: for each commit "ID PARENT...", NUL, subject, NUL, then for each
 * file an item that begins with a colon (behind a line feed for the first), NUL, path, NUL. Where a text of somebody
 * else stands is told by the place alone, so whatever a subject or a path holds, it is taken for nothing else. Pure.
 * Source: git-log(1) and git-diff(1), "Raw output format".
 */
#ifndef SCOPE_LOG_H
#define SCOPE_LOG_H

#include "base/arena.h"
#include "scope/scope.h"

#define SCOPE_LOG_FORMAT "tformat:%H %P%x00%s"

enum { SCOPE_LOG_COMMITS_MAX = 8192 };

struct scope_log_commit {
    struct str id;     /* hexadecimal */
    struct str parent; /* the first one; empty for a root */
    struct scope_commit commit;
};

struct scope_log {
    struct scope_log_commit *commits; /* oldest first: git's order, turned round */
    uint32_t count;
};

/*
 * Keeps:  texts by reference.
 * Errors: RC_INVALID with the byte; RC_LIMIT (SCOPE_LOG_COMMITS_MAX, the arena); RC_NO_MEMORY.
 */
NODISCARD enum rc scope_log_read(struct arena *a, struct str text, struct scope_log *ret, struct err *e);

struct scope_list {
    struct str *items;
    uint32_t count;
};

/*
 * The items of a separated list, such as `git ls-tree -z --name-only` prints; empty ones are left out.
 * Keeps:  texts by reference. Errors: RC_LIMIT (the arena), RC_NO_MEMORY.
 */
NODISCARD enum rc scope_list_read(struct arena *a, struct str text, char separator, struct scope_list *ret, struct err *e);

#endif
