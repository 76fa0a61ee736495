/*
 * diff/config - what differs between two configurations: HAProxy, nginx, KEY=VALUE, JSON, YAML.
 *
 * Of HAProxy and nginx a row is a directive or a section, of the others a member. Where only the order of directives
 * changed is a row as well. Values under names of secrets are not shown. Pure.
 */
#ifndef DIFF_CONFIG_H
#define DIFF_CONFIG_H

#include "diff/kubernetes.h"

/*
 * Both sides are texts, or for JSON and YAML values as well; a missing one is an empty configuration.
 * Errors: RC_INVALID or RC_CONFLICT (a key twice) with the place, RC_LIMIT, RC_NO_MEMORY.
 */
NODISCARD enum rc diff_config(struct arena *a, enum diff_format format, const struct diff_pair *sides,
                              struct diff_changes *ret, struct err *e);

#endif
