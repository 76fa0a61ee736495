/*
 * diff/access - who may do what, in the words of the clouds: policy documents, roles, addresses. For this folder.
 * Pure.
 */
#ifndef DIFF_ACCESS_H
#define DIFF_ACCESS_H

#include "diff/changes.h"

/* Every address, or so many that it comes to that (a prefix up to /7); "*", "Internet", "Any". */
bool access_is_everywhere(struct str address);
/* A role that may do everything or give itself everything: roles/owner, Owner, AdministratorAccess, ... */
bool access_is_admin(struct str role);
/* allUsers, allAuthenticatedUsers. */
bool access_is_anyone(struct str member);
/* A text that is a policy document as JSON, of AWS (Statement) or Google (bindings); 0 for any other text. */
diff_facts access_policy_text(struct arena *a, struct str text);
/* The same of a value. */
diff_facts access_policy(const struct value *policy);

#endif
