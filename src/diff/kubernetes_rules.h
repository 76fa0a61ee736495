/*
 * diff/kubernetes_rules - what is recognised in an object of Kubernetes that changes: for this folder.
 *
 * A fact is about what is new: a container that was privileged before says nothing. Truth and numbers are read as
 * kubectl's YAML reads them (yes, On, 0x0), which is not how ours does. Pure.
 */
#ifndef DIFF_KUBERNETES_RULES_H
#define DIFF_KUBERNETES_RULES_H

#include "diff/changes.h"

/* before or after may be null. */
diff_facts kubernetes_facts(struct arena *a, struct str kind, const struct value *before, const struct value *after);
uint32_t kubernetes_surfaces(struct str kind);

#endif
