/*
 * diff/terraform - what a plan of Terraform or OpenTofu would do.
 *
 * Reads the JSON of `terraform show -json PLAN` (format versions 0.x and 1.x): resources, their attributes, outputs,
 * and drift. What the plan marks as sensitive is never shown. Pure.
 * Source: developer.hashicorp.com/terraform/internals/json-format, OpenTofu "JSON Output Format".
 */
#ifndef DIFF_TERRAFORM_H
#define DIFF_TERRAFORM_H

#include "diff/changes.h"

/*
 * Keeps:  texts of plan by reference.
 * Errors: RC_INVALID with the place as a JSON pointer; RC_LIMIT, RC_NO_MEMORY of the arena.
 */
NODISCARD enum rc diff_terraform(struct arena *a, const struct value *plan, struct diff_changes *ret, struct err *e);

#endif
