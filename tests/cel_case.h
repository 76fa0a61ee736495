/*
 * tests/cel_case - an expression and what it yields, for the tests of src/cel.
 *
 * What it yields is text: the value as buf_cel_value() writes it, "error: ..." for an evaluation
 * error, "cut: ..." when a limit ended the evaluation, "refused 1:5: ..." when it did not compile,
 * "limit 1:5: ..." when a limit of compiling was crossed. A text that ends in "..." is a beginning.
 */
#ifndef TESTS_CEL_CASE_H
#define TESTS_CEL_CASE_H

#include "check.h"

#include "cel/cel.h"

struct cel_case {
    const char *expr;
    const char *want;
};

struct cel_setting {
    const struct cel_env *env;
    const struct cel_options *options;
    const struct cel_activation *values;
    uint64_t budget;   /* 0: a million */
    size_t memory_max; /* 0: 32 MiB */
    cel_zone_fn *zone;
};

enum { CEL_SHOWN_MAX = 1 << 20 };

/* What expr yields, as text in b. */
static inline void cel_shown(const struct cel_setting *s, struct str expr, struct buf *b)
{
    struct err e = {0};
    struct cel_value v = {0};
    CLEANUP(cel_program) struct cel_program *p = NULL;
    CLEANUP(arena) struct arena *a = arena_new(s->memory_max > 0 ? s->memory_max : 32 << 20);
    enum rc rc = cel_compile(s->env, expr, s->options, &p, &e);
    if (rc != RC_OK) {
        buf_printf(b, "%s %s: %s", rc == RC_LIMIT ? "limit" : "refused", e.where, e.text);
        return;
    }
    struct cel_run run = {
        .arena = a, .budget = s->budget > 0 ? s->budget : 1000000, .zone = s->zone};
    rc = cel_eval(p, s->values, &run, &v, &e);
    assert_true(run.spent <= run.budget);
    if (rc != RC_OK) {
        buf_printf(b, "%s: %s", rc == RC_LIMIT ? "cut" : "error", e.text);
        return;
    }
    buf_cel_value(b, &v, a);
}

static inline void cel_check_text(const struct cel_setting *s, struct str expr, const char *want)
{
    struct buf b;
    buf_init(&b, CEL_SHOWN_MAX);
    cel_shown(s, expr, &b);
    struct str got = buf_view(&b);
    struct str wanted = str_from(want);
    if (str_ends(wanted, STR("...")) && got.len >= wanted.len - 3) {
        got.len = wanted.len - 3;
        wanted.len -= 3;
    }
    if (!str_eq(got, wanted)) {
        print_error("%.*s\n  got:  %.*s\n  want: %s\n", STR_ARG(str_slice(expr, 0, 300)),
                    STR_ARG(buf_view(&b)), want);
        buf_done(&b);
        fail();
    }
    buf_done(&b);
}

static inline void cel_check_cases(const struct cel_setting *s, const struct cel_case *cases,
                                   size_t count)
{
    for (size_t i = 0; i < count; i++) {
        cel_check_text(s, str_from(cases[i].expr), cases[i].want);
    }
}

#define CEL_CHECK(setting, cases)                                                                  \
    cel_check_cases((setting), (cases), sizeof(cases) / sizeof((cases)[0]))

#endif
