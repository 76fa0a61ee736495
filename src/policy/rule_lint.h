/*
 * policy/rule_lint - what is wrong with rules that are right by the language: they never hold, never speak, say the same
 * twice, or contradict each other. Pure.
 */
#ifndef POLICY_RULE_LINT_H
#define POLICY_RULE_LINT_H

#include "policy/policy.h"

enum lint_kind {
    LINT_NEVER_HOLDS = 0, /* its condition can't be true */
    LINT_ALWAYS_HOLDS,    /* it reads nothing */
    LINT_NEVER_SPEAKS,    /* it names what is not declared */
    LINT_UNREACHABLE,     /* another rule says the same, and at least as strictly */
    LINT_CONTRADICTS,     /* another rule says otherwise of the same */
    LINT_NO_TESTS,
    LINT_KINDS,
};
const char *lint_kind_name(enum lint_kind k);
/* All but LINT_NO_TESTS are mistakes. */
bool lint_is_mistake(enum lint_kind k);

struct lint {
    enum lint_kind kind;
    const struct rule *rule;
    struct str text; /* in the arena of the call */
};

typedef void (*lint_fn)(void *context, const struct lint *l);
/* a: for the texts and for evaluating conditions that read nothing. */
void rules_lint(const struct policy *p, struct arena *a, lint_fn fn, void *context);

#endif
