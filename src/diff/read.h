/*
 * diff/read - whatever a request carries as its diff, as changes.
 *
 * An object may say its format: {"format": "kubernetes", "before": ..., "after": ...}, {"format": "sql", "sql": "..."},
 * {"format": "git", "patch": "..."}, {"format": "terraform", "plan": {...}}, and before and after for haproxy, nginx,
 * env, json and yaml. What does not say it is recognised: a plan by its resource_changes, manifests by apiVersion and
 * kind, a patch by its heads, SQL by its grammar. What is none of them is an error, which says nothing about the
 * change: whoever decides must take it as unknown. Pure.
 */
#ifndef DIFF_READ_H
#define DIFF_READ_H

#include "diff/git.h"

/*
 * settings may be null. Keeps: texts of v by reference.
 * Errors: RC_INVALID (no format fits, or what the reader says), RC_CONFLICT, RC_LIMIT, RC_NO_MEMORY.
 */
NODISCARD enum rc diff_read(struct arena *a, const struct value *v, const struct diff_settings *settings,
                            struct diff_changes *ret, struct err *e);

#endif
