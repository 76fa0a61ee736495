/*
 * diff/kubernetes - what applying manifests would change.
 *
 * Both sides are manifests: YAML of any number of documents, JSON, a list, or objects of a kind that ends in List.
 * Objects are the same by group, kind, namespace and name; versions of one group are one. What the cluster writes itself
 * (status, managedFields, ...) is not compared, and nothing of a Secret is shown. Pure.
 */
#ifndef DIFF_KUBERNETES_H
#define DIFF_KUBERNETES_H

#include "diff/changes.h"

struct diff_pair {
    const struct value *before; /* null: there was nothing */
    const struct value *after;
    struct str name; /* of the file, where it is one; may be empty */
};

/* Errors: RC_INVALID with the place, RC_CONFLICT for an object that a side has twice, RC_LIMIT, RC_NO_MEMORY. */
NODISCARD enum rc diff_kubernetes(struct arena *a, const struct diff_pair *sides, struct diff_changes *ret, struct err *e);

#endif
