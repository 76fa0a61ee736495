/*
 * diff/terraform_rules - what is recognised in a resource of a plan: for this folder.
 *
 * Tables over resource types and attribute names. A fact is about what changes: an attribute that stays as it is says
 * nothing. An attribute that decides who may reach what, and is known only when it runs, is not_known. Pure.
 */
#ifndef DIFF_TERRAFORM_RULES_H
#define DIFF_TERRAFORM_RULES_H

#include "diff/changes.h"

struct planned {
    struct str type; /* "aws_db_instance" */
    enum diff_kind kind;
    const struct value *before; /* null or a null value: not there */
    const struct value *after;
    const struct value *unknown;
};

uint32_t terraform_surfaces(struct str type);
/* It holds data that is lost with it. */
bool terraform_is_stateful(struct str type);
/* What goes with it: of a delete or a replacement. */
diff_facts terraform_loss(const struct planned *p);
diff_facts terraform_facts(struct arena *a, const struct planned *p);

#endif
